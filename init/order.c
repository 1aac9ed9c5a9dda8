/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who starts after whom when the host starts, and who goes off before whom when
 * it ends; init.h has the states.
 *
 * A guest starts when all that it is to start after have run, be it once; then
 * its delay begins.  What the operator starts waits for nobody.
 *
 * A guest that is asked to go off has its power button pressed.  What it does
 * then is its own; when its time is over its power is taken.  A host that shuts
 * down asks a guest when all that started after it have gone.
 */
#include "init/init.h"

#include "lib/string.h"

static bool has(const uint64_t *set, unsigned guest)
{
	return set[guest / 64] & BIT(guest % 64);
}

void order_begin(struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;

	guest->is_ordered = m->start_delay_ms != 0;
	for (unsigned i = 0; i < MANIFEST_GUEST_WORDS; i++)
		guest->is_ordered |= m->after[i] != 0;
}

/* It has not run yet. */
static bool may_still_run(const struct guest *guest)
{
	switch (guest->state) {
	case GUEST_STOPPED:
		/* The operator may start it; or it is made, and not more. */
		return guest->is_held || guest->id;
	case GUEST_LEAVING:
		return guest->is_held || guest->wish == WISH_RESTART;
	default:
		return true;
	}
}

/* Of those that it starts after; NEVER: *which is not started. */
static enum order others_look(const struct init *init,
			      const struct guest *guest,
			      const struct guest **which)
{
	enum order order = ORDER_DUE;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest *other = &init->guest[i];

		if (!has(guest->manifest->after, i) || other->starts)
			continue;
		order = ORDER_WAITS;
		*which = other;
		if (!may_still_run(other))
			return ORDER_NEVER;
	}
	return order;
}

enum order order_look(struct init *init, struct guest *guest)
{
	const struct guest *other;
	enum order order;

	if (!guest->is_ordered)
		return ORDER_DUE;
	if (!guest->due_ns) {
		order = others_look(init, guest, &other);
		if (order == ORDER_NEVER)
			init_log(init, guest->id, LOG_ERROR,
				 "is not started: %s, which it starts after, "
				 "is not either",
				 other->manifest->name);
		if (order != ORDER_DUE)
			return order;
		guest->due_ns = init_now_ns(init) +
				guest->manifest->start_delay_ms * NSEC_PER_MS;
	}
	if (init_now_ns(init) < guest->due_ns)
		return ORDER_WAITS;
	guest->is_ordered = false;
	return ORDER_DUE;
}

/* One that waits may have become due by one that was looked at after it. */
static bool is_due(const struct init *init, const struct guest *guest)
{
	const struct guest *which;

	return guest->due_ns ? init_now_ns(init) >= guest->due_ns
			     : others_look(init, guest, &which) != ORDER_WAITS;
}

uint64_t order_deadline(const struct init *init)
{
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest *guest = &init->guest[i];

		if (guest->state == GUEST_RUNNING && guest->off_ns)
			next_ns = MIN(next_ns, guest->off_ns);
		if (guest->state != GUEST_CONNECTING || !guest->is_ordered)
			continue;
		if (is_due(init, guest))
			next_ns = MIN(next_ns, init_now_ns(init));
		else if (guest->due_ns)
			next_ns = MIN(next_ns, guest->due_ns);
	}
	return next_ns;
}

/* ---- Going off ----------------------------------------------------------- */

void order_shutdown(struct init *init, struct guest *guest)
{
	uint32_t limit_ms = guest->manifest->shutdown_ms;

	if (guest->off_ns)
		return;
	guest->off_ns = init_now_ns(init) + limit_ms * NSEC_PER_MS;
	if (limit_ms && console_button(init, guest_index(init, guest)))
		return;
	(void)init->gate->stop(init->gate->ctx, guest->id);
}

/* One that started after it is not gone yet. */
static bool is_needed(const struct init *init, unsigned guest)
{
	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		if (init->guest[i].state != GUEST_STOPPED &&
		    has(init->manifest->guest[i].after_all, guest))
			return true;
	return false;
}

void order_run(struct init *init)
{
	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		struct guest *guest = &init->guest[i];

		if (guest->state != GUEST_RUNNING)
			continue;
		if (init->is_shutting_down && !is_needed(init, i))
			order_shutdown(init, guest);
		if (!guest->off_ns || init_now_ns(init) < guest->off_ns)
			continue;
		init_log(init, guest->id, LOG_WARNING,
			 "has not gone off in %u ms: its power is taken",
			 guest->manifest->shutdown_ms);
		guest->off_ns = UINT64_MAX;
		(void)init->gate->stop(init->gate->ctx, guest->id);
	}
}
