/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel lives until init has closed it and both ends are free.  An end that
 * a domain leaves, by its own call or by ending, is free for another program,
 * which finds the pages as they were left: so a service can be started again
 * and go on with the channels of the one that died.
 *
 * A domain's death must not make its peer fault: the peer keeps the pages
 * mapped until it detaches, and only then are they freed.
 */
#include "vm/channel.h"

#include "include/errno.h"
#include "include/panic.h"
#include "include/x86.h"
#include "kernel/host.h"
#include "lib/string.h"
#include "mm/map.h"
#include "mm/phys.h"
#include "vm/domain.h"

static struct channel_table *channels(void)
{
	return &vm_host()->channels;
}

/* ---- Made and freed ------------------------------------------------------ */

static void channel_free(struct channel *channel)
{
	struct channel_table *table = channels();

	for (unsigned i = 0; i < channel->page_count; i++)
		pages_free(&this_host()->pages, &table->account,
			   channel->page[i], 0);
	pages_free_virt(&this_host()->pages, &table->account, channel, 0);
}

static int pages_make(struct channel *channel, uint64_t pages)
{
	for (; channel->page_count < pages; channel->page_count++) {
		void *page = pages_alloc_zeroed(&this_host()->pages,
						&channels()->account, 0);

		if (!page)
			return -ENOMEM;
		channel->page[channel->page_count] = virt_to_phys(page);
	}
	return 0;
}

static int table_add(struct channel *channel)
{
	struct channel_table *table = channels();
	uint64_t flags = spin_lock_irqsave(&table->lock);
	int error = -ENOSPC;

	for (unsigned i = 0; error && i < CHANNELS_MAX; i++) {
		if (table->channel[i])
			continue;
		table->channel[i] = channel;
		channel->id = ++table->made;
		error = 0;
	}
	spin_unlock_irqrestore(&table->lock, flags);
	return error;
}

long channel_create(uint64_t pages)
{
	struct channel *channel;
	int error;

	if (!pages || pages > GATE_CHANNEL_PAGES_MAX)
		return -EINVAL;
	channel = pages_alloc_zeroed(&this_host()->pages, &channels()->account,
				     0);
	if (!channel)
		return -ENOMEM;
	_Static_assert(sizeof(*channel) <= PAGE_SIZE, "a page");
	error = pages_make(channel, pages);
	if (!error)
		error = table_add(channel);
	if (!error)
		return (long)channel->id;
	channel_free(channel);
	return error;
}

/* Lock held. */
static struct channel *channel_find(gate_id id)
{
	struct channel_table *table = channels();

	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		if (table->channel[i] && table->channel[i]->id == id)
			return table->channel[i];
	return NULL;
}

/* Lock held: out of the table if nobody can reach it any more. */
static bool channel_is_dead(struct channel *channel)
{
	struct channel_table *table = channels();

	if (!channel->is_closed || channel->end[0].domain ||
	    channel->end[1].domain)
		return false;
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		if (table->channel[i] == channel)
			table->channel[i] = NULL;
	return true;
}

int channel_close(gate_id id)
{
	struct channel_table *table = channels();
	uint64_t flags = spin_lock_irqsave(&table->lock);
	struct channel *channel = channel_find(id);
	bool is_dead = false;

	if (channel && channel->is_closed)
		channel = NULL;
	if (channel) {
		channel->is_closed = true;
		is_dead = channel_is_dead(channel);
	}
	spin_unlock_irqrestore(&table->lock, flags);
	if (is_dead)
		channel_free(channel);
	return channel ? 0 : -ENOENT;
}

/* ---- Ends ---------------------------------------------------------------- */

static void event_of_slot(struct domain *domain, unsigned slot)
{
	domain_event(domain, GATE_EVENT_CHANNEL_BIT(slot));
}

/* Lock held. */
static void peer_event(const struct channel *channel, unsigned end)
{
	struct domain *peer = channel->end[!end].domain;

	if (peer)
		event_of_slot(peer, channel->end[!end].slot);
}

static int pages_map(const struct channel *channel, struct domain *domain,
		     unsigned slot)
{
	uint64_t va = GATE_CHANNEL_VA(slot);

	for (unsigned i = 0; i < channel->page_count; i++) {
		int error = address_space_map(
			&domain->space, va + i * PAGE_SIZE, channel->page[i],
			PAGE_SIZE, MAP_READ | MAP_WRITE);

		if (error)
			return error;
	}
	return 0;
}

/* Lock held: claims end and slot, so that only one maps there. */
static int end_claim(gate_id id, unsigned end, struct domain *domain,
		     unsigned slot, struct channel **out)
{
	struct channel *channel = channel_find(id);

	if (!channel || channel->is_closed)
		return -ENOENT;
	if (domain->state == GATE_DOMAIN_ENDED)
		return -ENOENT;
	if (channel->end[end].domain || domain->slot[slot].channel)
		return -EBUSY;
	channel->end[end].domain = domain;
	channel->end[end].slot = slot;
	domain->slot[slot].channel = channel;
	domain->slot[slot].end = end;
	*out = channel;
	return 0;
}

/* Lock held. */
static void end_release(struct channel *channel, unsigned end)
{
	struct domain *domain = channel->end[end].domain;

	domain->slot[channel->end[end].slot].channel = NULL;
	channel->end[end].domain = NULL;
	peer_event(channel, end);
}

static int end_leave(struct domain *domain, unsigned slot)
{
	struct channel_table *table = channels();
	struct channel *channel;
	bool is_dead = false;
	uint64_t flags;

	space_lock(domain);
	/* Leaves of 4 KiB: nothing to split. */
	VERIFY(address_space_unmap(&domain->space, GATE_CHANNEL_VA(slot),
				   GATE_CHANNEL_PAGES_MAX * PAGE_SIZE) == 0);
	domain_sync(domain);
	space_unlock(domain);
	cr3_write(cr3_read());
	flags = spin_lock_irqsave(&table->lock);
	channel = domain->slot[slot].channel;
	if (channel) {
		end_release(channel, domain->slot[slot].end);
		is_dead = channel_is_dead(channel);
	}
	spin_unlock_irqrestore(&table->lock, flags);
	if (is_dead)
		channel_free(channel);
	return channel ? 0 : -ENOENT;
}

int channel_attach(gate_id id, unsigned end, struct domain *domain,
		   unsigned slot)
{
	struct channel_table *table = channels();
	struct channel *channel;
	uint64_t flags;
	int error;

	if (slot >= GATE_CHANNELS_MAX || end > 1)
		return -EINVAL;
	flags = spin_lock_irqsave(&table->lock);
	error = end_claim(id, end, domain, slot, &channel);
	spin_unlock_irqrestore(&table->lock, flags);
	if (error)
		return error;
	space_lock(domain);
	error = pages_map(channel, domain, slot);
	space_unlock(domain);
	/* A running one gets its root's new entries, if there are any. */
	if (!error && domain->state == GATE_DOMAIN_RUNNING)
		address_space_complete(&domain->space);
	if (error || domain->state == GATE_DOMAIN_ENDED) {
		(void)end_leave(domain, slot);
		return error ? error : -ENOENT;
	}
	flags = spin_lock_irqsave(&table->lock);
	event_of_slot(domain, slot);
	peer_event(channel, end);
	spin_unlock_irqrestore(&table->lock, flags);
	return 0;
}

int channel_detach(struct domain *domain, unsigned slot)
{
	if (slot >= GATE_CHANNELS_MAX)
		return -EINVAL;
	return end_leave(domain,
			 (unsigned)index_nospec(slot, GATE_CHANNELS_MAX));
}

void channels_leave(struct domain *domain)
{
	for (unsigned i = 0; i < GATE_CHANNELS_MAX; i++)
		if (domain->slot[i].channel)
			(void)end_leave(domain, i);
}

/* ---- Doorbells ----------------------------------------------------------- */

int channel_doorbell(struct user_thread *user, unsigned slot)
{
	struct channel_table *table = channels();
	const struct channel_slot *at;
	int error = -ENOENT;

	if (slot >= GATE_CHANNELS_MAX)
		return -EINVAL;
	at = &user->domain->slot[index_nospec(slot, GATE_CHANNELS_MAX)];
	spin_lock(&table->lock);
	if (at->channel) {
		error = at->channel->end[!at->end].domain ? 0 : -EPIPE;
		peer_event(at->channel, at->end);
	}
	spin_unlock(&table->lock);
	return error;
}

enum gate_channel_state channel_state(struct domain *domain, unsigned slot)
{
	struct channel_table *table = channels();
	enum gate_channel_state state = GATE_CHANNEL_NONE;
	const struct channel_slot *at = &domain->slot[slot];

	spin_lock(&table->lock);
	if (at->channel)
		state = at->channel->end[!at->end].domain ? GATE_CHANNEL_OPEN
							  : GATE_CHANNEL_ALONE;
	spin_unlock(&table->lock);
	return state;
}
