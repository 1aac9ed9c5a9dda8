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
#include "vm/vm.h"

static struct channel_table *channels(void)
{
	return &vm_host()->channels;
}

/* ---- Made and freed ------------------------------------------------------ */

static void memory_free(const hpa_t *page, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		pages_free(&this_host()->pages, &channels()->account, page[i],
			   0);
}

static void channel_free(struct channel *channel)
{
	struct channel_table *table = channels();

	memory_free(channel->page, channel->page_count);
	memory_free(channel->memory, channel->memory_count);
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
	bool is_open = channel && !channel->is_closed, is_dead = false;

	if (is_open) {
		channel->is_closed = true;
		is_dead = channel_is_dead(channel);
	}
	spin_unlock_irqrestore(&table->lock, flags);
	if (is_dead)
		channel_free(channel);
	return is_open ? 0 : -ENOENT;
}

/* ---- Where its memory is ------------------------------------------------- */

#define CHUNKS_PER_PAGE (PAGE_SIZE / sizeof(hpa_t))

static int memory_make(struct vm *vm, uint32_t chunks, hpa_t *page,
		       uint32_t *count)
{
	uint32_t wanted = 1 + DIV_ROUND_UP(chunks, CHUNKS_PER_PAGE);
	bool is_whole = true;

	if (wanted > CHANNEL_MEMORY_MAX)
		return -ERANGE;
	if (chunks)
		vm_pin(vm);
	for (uint32_t chunk = 0; *count < wanted; ++*count) {
		uint64_t *to = pages_alloc_zeroed(&this_host()->pages,
						  &channels()->account, 0);

		if (!to)
			return -ENOMEM;
		page[*count] = virt_to_phys(to);
		/* The first is struct gate_channel_memory. */
		for (uint32_t i = 0;
		     *count && i < CHUNKS_PER_PAGE && chunk < chunks; i++) {
			to[i] = vm_chunk(vm, chunk++);
			is_whole &= to[i] != 0;
		}
		sched_breathe();
	}
	return is_whole ? 0 : -EINVAL;
}

/* Lock held. */
static int memory_give(struct channel *channel, uint32_t chunks,
		       const hpa_t *page, uint32_t count)
{
	struct gate_channel_memory *head = phys_to_virt(page[0]);

	if (!channel)
		return -ENOENT;
	if (channel->memory_count)
		return -EEXIST;
	head->vm_memory = (uint64_t)chunks << GATE_CHUNK_SHIFT;
	memcpy(head->page, channel->page, sizeof(head->page));
	memcpy(channel->memory, page, count * sizeof(*page));
	channel->memory_count = count;
	return 0;
}
_Static_assert(GATE_CHANNEL_PAGES_MAX * sizeof(hpa_t) ==
		       sizeof(((struct gate_channel_memory *)0)->page),
	       "all of them");
_Static_assert(PAGE_2M == 1UL << GATE_CHUNK_SHIFT, "as the chunks are");

int channel_memory(gate_id id, const struct domain *domain, bool with_vm)
{
	struct channel_table *table = channels();
	hpa_t page[CHANNEL_MEMORY_MAX];
	uint32_t chunks, count = 0;
	uint64_t flags;
	int error;

	if (!domain->vm)
		return -EINVAL;
	chunks = with_vm ? domain->vm->chunk_count : 0;
	error = memory_make(domain->vm, chunks, page, &count);
	if (!error) {
		flags = spin_lock_irqsave(&table->lock);
		error = memory_give(channel_find(id), chunks, page, count);
		spin_unlock_irqrestore(&table->lock, flags);
	}
	if (error)
		memory_free(page, count);
	return error;
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

static int pages_map(struct domain *domain, uint64_t va, const hpa_t *page,
		     uint32_t count, unsigned prot)
{
	for (uint32_t i = 0; i < count; i++) {
		int error =
			address_space_map(&domain->space, va + i * PAGE_SIZE,
					  page[i], PAGE_SIZE, prot);

		if (error)
			return error;
	}
	return 0;
}

static int end_map(const struct channel *channel, struct domain *domain,
		   unsigned slot)
{
	int error = pages_map(domain, GATE_CHANNEL_VA(slot), channel->page,
			      channel->page_count, MAP_READ | MAP_WRITE);

	if (error || !(domain->spec.rights & GATE_RIGHT_DMA))
		return error;
	return pages_map(domain, GATE_CHANNEL_MEMORY_VA(slot), channel->memory,
			 channel->memory_count, MAP_READ);
}

/* Lock held: claims end and slot, so that only one maps there. */
static int end_claim(gate_id id, unsigned end, struct domain *domain,
		     unsigned slot, struct channel **out)
{
	struct channel *channel = channel_find(id);

	if (!channel || channel->is_closed)
		return -ENOENT;
	/* Its last thread gives back what it has, but looks only once. */
	if (domain_is_stopping(domain))
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

/* Of addresses. */
static uint64_t end_size(const struct domain *domain)
{
	return domain->spec.rights & GATE_RIGHT_DMA
		       ? GATE_CHANNEL_VA(1) - GATE_CHANNEL_VA(0)
		       : GATE_CHANNEL_PAGES_MAX * PAGE_SIZE;
}

/* space_lock until the end is given up, when no processor reaches its pages. */
static int end_leave(struct domain *domain, unsigned slot)
{
	struct channel_table *table = channels();
	struct channel *channel;
	bool is_dead = false;
	uint64_t flags;

	space_lock(domain);
	/* Leaves of 4 KiB: nothing to split. */
	VERIFY(address_space_unmap(&domain->space, GATE_CHANNEL_VA(slot),
				   end_size(domain)) == 0);
	domain_sync(domain);
	cr3_write(cr3_read());
	flags = spin_lock_irqsave(&table->lock);
	channel = domain->slot[slot].channel;
	if (channel) {
		end_release(channel, domain->slot[slot].end);
		is_dead = channel_is_dead(channel);
	}
	spin_unlock_irqrestore(&table->lock, flags);
	space_unlock(domain);
	if (is_dead)
		channel_free(channel);
	return channel ? 0 : -ENOENT;
}

/*
 * space_lock held from the claim until the pages are mapped: the domain's own
 * threads may want to leave the slot as soon as it is claimed.
 */
static int attach_locked(gate_id id, unsigned end, struct domain *domain,
			 unsigned slot)
{
	struct channel_table *table = channels();
	struct channel *channel;
	uint64_t flags = spin_lock_irqsave(&table->lock);
	int error = end_claim(id, end, domain, slot, &channel);

	spin_unlock_irqrestore(&table->lock, flags);
	if (!error)
		error = end_map(channel, domain, slot);
	if (error)
		return error;
	/* A running one gets its root's new entries, if there are any. */
	if (domain->state == GATE_DOMAIN_RUNNING)
		address_space_complete(&domain->space);
	flags = spin_lock_irqsave(&table->lock);
	event_of_slot(domain, slot);
	peer_event(channel, end);
	spin_unlock_irqrestore(&table->lock, flags);
	return 0;
}

int channel_attach(gate_id id, unsigned end, struct domain *domain,
		   unsigned slot)
{
	int error;

	if (slot >= GATE_CHANNELS_MAX || end > 1)
		return -EINVAL;
	space_lock(domain);
	error = attach_locked(id, end, domain, slot);
	space_unlock(domain);
	/* Claimed, but no memory for the tables. */
	if (error == -ENOMEM)
		(void)end_leave(domain, slot);
	return error;
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
	for (unsigned i = 0; i < GATE_CHANNELS_MAX; i++) {
		/* Under the lock: claimed before the domain stopped is seen. */
		if (channel_state(domain, i) == GATE_CHANNEL_NONE)
			continue;
		(void)end_leave(domain, i);
		sched_breathe();
	}
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
