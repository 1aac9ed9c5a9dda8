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

/* What somebody wants done while all are at a stop. */
enum rendezvous_wish {
	RENDEZVOUS_RESET = BIT(0),
	RENDEZVOUS_REMAP = BIT(1), /* memory shows elsewhere */
	RENDEZVOUS_DEBUG = BIT(2), /* machine/debug.h */
	RENDEZVOUS_STAND = BIT(3), /* all stand while face_holds() */
	RENDEZVOUS_REST = BIT(4),  /* machine/throttle.h */
};

/* What an owner wants of a thread that is at its stop. */
enum rendezvous_call {
	RENDEZVOUS_CALL_STATE, /* its vCPU's state in its page */
	RENDEZVOUS_CALL_RESET, /* GATE_EXIT_RESET taken */
};

struct rendezvous {
	union {
		struct {
			uint32_t owner; /* thread + 1; 0: free; atomic */
			uint32_t wish;	/* enum rendezvous_wish; atomic */
		};
		uint64_t either; /* of the two: one load an exit */
	};
	uint32_t stopped; /* a bit for each thread; atomic */
	unsigned count;	  /* of threads; constant */
	/* The owner's call: of thread + 1, or 0: none, or done; atomic. */
	uint32_t called;
	enum rendezvous_call call;
	void (*answer)(struct rendezvous *rendezvous, unsigned thread,
		       enum rendezvous_call call);
};
_Static_assert(GATE_THREADS_MAX <= 32, "a bit for each thread");

/*
 * Somebody wants the caller at its stop: an owner, or who wished for a
 * rendezvous that the next to come to a stop shall begin.
 */
static inline bool rendezvous_is_wanted(const struct rendezvous *rendezvous)
{
	return __atomic_load_n(&rendezvous->either, __ATOMIC_SEQ_CST);
}

static inline void rendezvous_wish(struct rendezvous *rendezvous,
				   enum rendezvous_wish wish)
{
	__atomic_fetch_or(&rendezvous->wish, wish, __ATOMIC_SEQ_CST);
}

/* By the owner: the wishes there are, which are fulfilled now. */
static inline uint32_t rendezvous_take_wishes(struct rendezvous *rendezvous)
{
	return __atomic_exchange_n(&rendezvous->wish, 0, __ATOMIC_SEQ_CST);
}

/*
 * At a stop and with no lock held.  On return all other threads are at theirs,
 * and stay there until the same thread calls rendezvous_end().
 */
void rendezvous_begin(struct rendezvous *rendezvous, unsigned thread);
void rendezvous_end(struct rendezvous *rendezvous);

/* By the owner: on return the other thread, which stays at its stop, has done
 * it. */
void rendezvous_call(struct rendezvous *rendezvous, unsigned other,
		     enum rendezvous_call call);

/* At a stop and with no lock held: stays there while anybody wants it. */
void rendezvous_stop(struct rendezvous *rendezvous, unsigned thread);

#endif
