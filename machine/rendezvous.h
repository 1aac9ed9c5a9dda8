/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing all vCPUs of a machine but one to a known stop, and letting them go
 * again: for a reset, a debugger, a snapshot.
 *
 * A stop is between two instructions of the guest, in the machine, with no lock
 * held: a vCPU's state is complete in its page and the monitor, and nothing of
 * what it did is under way.  A vCPU that runs its guest is fetched from there
 * by GATE_KICK; one in the middle of an instruction finishes it first.
 *
 *	       begin: owner = me, kick		   all others stopped
 *   (free) ──────────────────────────► gathering ───────────────► held
 *      ▲                                                           │
 *      └──────────────────── end: owner = 0, wake ─────────────────┘
 *
 * Whoever wants to begin while another owns the rendezvous stops like the rest
 * and begins when that one has ended: what the two wanted may be done by then.
 *
 * owner and stopped are atomic and in one order for all: a vCPU says that it
 * stops, or goes, before it looks for an owner; an owner says that it is one
 * before it looks who has stopped.
 */
#ifndef BULKHEAD_MACHINE_RENDEZVOUS_H
#define BULKHEAD_MACHINE_RENDEZVOUS_H

#include "include/compiler.h"
#include "include/domain.h"

struct rendezvous {
	uint32_t owner;	  /* thread + 1; 0: free; atomic */
	uint32_t stopped; /* a bit for each thread; atomic */
	unsigned count;	  /* of threads; constant */
};
_Static_assert(GATE_THREADS_MAX <= 32, "a bit for each thread");

/* The caller must call rendezvous_stop() soon: it is wanted, or may be. */
static inline bool rendezvous_is_wanted(const struct rendezvous *rendezvous)
{
	return __atomic_load_n(&rendezvous->owner, __ATOMIC_SEQ_CST);
}

/*
 * At a stop and with no lock held.  On return all other threads are at theirs,
 * and stay there until the same thread calls rendezvous_end().
 */
void rendezvous_begin(struct rendezvous *rendezvous, unsigned thread);
void rendezvous_end(struct rendezvous *rendezvous);

/* At a stop and with no lock held: stays there while anybody wants it. */
void rendezvous_stop(struct rendezvous *rendezvous, unsigned thread);

#endif
