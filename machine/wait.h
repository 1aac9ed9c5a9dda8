/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a channel's peer with the machine's lock held.
 *
 * The events come to the thread that waits meanwhile: vCPU 0, which has them
 * otherwise, may be waiting for the lock.  They are routed before the channel
 * is looked at and its peer asked to ring, for it may do so at once.
 */
#ifndef BULKHEAD_MACHINE_WAIT_H
#define BULKHEAD_MACHINE_WAIT_H

#include "lib/user/gate_calls.h"

/* event: the channel's. */
static inline void machine_wait_begin(unsigned event, unsigned thread)
{
	(void)gate_event_route(event, thread);
	(void)gate_event_route(GATE_EVENT_TIMER_BIT, thread);
}

/* Until an event comes, but not beyond until_ns. */
static inline void machine_wait(uint64_t until_ns)
{
	gate_timer(until_ns);
	(void)gate_wait();
}

/* timer_ns: what the machine's clock wants its timer to be set to. */
static inline void machine_wait_end(unsigned event, uint64_t timer_ns)
{
	(void)gate_event_route(event, 0);
	(void)gate_event_route(GATE_EVENT_TIMER_BIT, 0);
	gate_timer(timer_ns);
}

#endif
