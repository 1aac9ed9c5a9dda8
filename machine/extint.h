/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output of an 8259 pair in vCPU 0's gate page, by which the monitor
 * answers the acknowledge cycle and counts ends of interrupt without a visit to
 * the machine.  A tick of a timer then costs one visit, the one that raises it.
 *
 * The page is an offer: a vector with LEVEL, and maybe posts (gate.h).  It
 * holds for as long as nobody looks at the pair.  Whoever does, on any vCPU's
 * thread, first withdraws it and does in the model what has been made of it
 * meanwhile:
 *
 *	       extint_withdraw(): no posts, no LEVEL;
 *	       acknowledge if TAKEN, then the ends that were counted
 *   offered ───────────────────────────────────────────────► withdrawn
 *      ▲                                                         │
 *      └─────────────── extint_offer(), before unlocking ────────┘
 *
 * LEVEL goes by an exchange, so that the monitor either has taken the interrupt
 * by then or cannot any more.  An end of interrupt is counted only while none
 * is offered, or after it has been taken: so all that were counted come after
 * the acknowledge.  One that the monitor counts while a post is being disabled
 * makes it return to the machine at once (gate.h), which withdraws and finds
 * it.  Posts are enabled by vCPU 0's thread alone, between two visits: from the
 * monitor's look at one to its count there is no other.
 *
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_EXTINT_H
#define BULKHEAD_MACHINE_EXTINT_H

#include "devices/pic.h"
#include "include/gate.h"

struct extint {
	struct pic *pic;
	struct gate_page *page;	   /* vCPU 0's */
	uint32_t seen[GATE_POSTS]; /* counts that the pair has had */
	uint8_t value[GATE_POSTS]; /* what is counted */
	bool is_withdrawn;
	bool is_posting; /* a post is enabled */
};

/* Withdrawn, until the first extint_offer(). */
void extint_init(struct extint *extint, struct pic *pic,
		 struct gate_page *page);
/* Before a look at the pair, or a change of it; the signature of catch_up. */
void extint_withdraw(void *extint);
/* Before the pair is reset: what was taken or counted comes to nothing. */
void extint_drop(struct extint *extint);
/*
 * What the pair says now; is_vcpu0: on vCPU 0's thread.  True: that is another
 * thread, and the monitor has to be told of a change (GATE_INTR).
 */
bool __must_check extint_offer(struct extint *extint, bool is_vcpu0);

/* Withdrawn, but it has come to nothing: the page says what the pair says. */
static inline bool extint_is_unchanged(const struct extint *extint)
{
	const struct pic_state *state = &extint->pic->state;

	return !state->out_level && !state->chip[0].isr &&
	       __atomic_load_n(&extint->page->extint, __ATOMIC_RELAXED) ==
		       GATE_EXTINT_KNOWN;
}
/* Whether the monitor has something that the pair must hear of now. */
bool extint_is_behind(const struct extint *extint);

#endif
