/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring-3 programs that attack the monitor through the gate.  One ELF file holds
 * them all; the manifest's cmdline chooses:
 *
 *	ATTACK [DETAIL] [ms=N] [seed=N] [ender=N]
 *
 * Every vCPU's thread runs the attack.  On vCPU `ender` it returns when ms of
 * VM time are over and the program powers the VM off; on the others it goes on
 * for ever, so that the VM must end against their will.
 */
#ifndef BULKHEAD_TESTS_HOSTILE_EVIL_H
#define BULKHEAD_TESTS_HOSTILE_EVIL_H

#include "include/machine_config.h"
#include "lib/user/gate_calls.h"

#define EVIL_WORD_SIZE 32

/* What the command line says; written by vCPU 0 before any attack begins. */
struct evil {
	char attack[EVIL_WORD_SIZE];
	char detail[EVIL_WORD_SIZE];
	uint64_t duration_ns;
	uint64_t end_ns; /* VM time, on the ender; never before all have met */
	uint64_t seed;
	unsigned ender;
	uint32_t is_ready; /* atomic */
	uint32_t begun;	   /* atomic: vCPUs in the attack */
	uint32_t is_over;  /* atomic: the ender is about to end the VM */
	/* What a service was given; a machine has none. */
	uint64_t rights;
	struct {
		uint16_t first, count;
	} port[2];
	uint32_t life; /* of who is in a service's place, from 0 on */
};

extern struct evil evil;

static inline const struct machine_config *machine_config(void)
{
	return gate_argument();
}

/* One vCPU's thread. */
struct self {
	unsigned id;
	unsigned vcpus; /* of the VM */
	struct gate_page *page;
	uint64_t random;
};

/* evil.c */
uint64_t now_ns(void);
/* False on the ender once the time is over. */
bool goes_on(const struct self *self);
/* Until all vCPUs have come here; more than once if each comes as often. */
void meet(struct self *self);
void spin_ns(uint64_t ns);
/* The page of a random vCPU. */
struct gate_page *any_page(struct self *self);

/* random.c */
uint64_t random_next(struct self *self);
/* True once in n times. */
bool one_in(struct self *self, unsigned n);
/* Half of them near a border where checks go wrong. */
uint64_t random_argument(struct self *self);
/* The same, for a call that may write to its caller: not into the stack that
 * the program runs on. */
uint64_t random_third(struct self *self, enum gate_call call);
void scribble_word(struct self *self, struct gate_page *page);
void scribble_page(struct self *self, struct gate_page *page);

/* guest.c */
/* Fills the first MiB of RAM with real-mode code that exits all the time. */
void guest_memory(void);
/* The calling vCPU's state set to run it: vCPU 0's by a reset of all, the
 * others' by INIT and SIPI. */
void guest_state(struct self *self);

/* cpuid.c */
/* A table for the guest, as an honest machine makes it. */
void cpuid_honest(struct cpuid_table *table);

/* A line of the monitor's log, from the program as a whole. */
#define SAY(...) gate_log(GATE_LOG_INFO, __VA_ARGS__)

/* ---- The attacks ------------------------------------------------------- */

typedef void (*attack_fn)(struct self *self);

struct attack {
	const char *name;
	attack_fn run;
};

/* Each file's own, ended by an empty one. */
extern const struct attack entry_attacks[];
extern const struct attack lifetime_attacks[];
extern const struct attack timer_attacks[];
extern const struct attack memory_attacks[];
extern const struct attack flood_attacks[];
extern const struct attack state_attacks[];
extern const struct attack apic_attacks[];
extern const struct attack other_attacks[];
extern const struct attack fuzz_attacks[];
extern const struct attack garbage_attacks[];
extern const struct attack right_attacks[];
extern const struct attack cow_attacks[];
extern const struct attack ring_attacks[];
extern const struct attack cpuid_attacks[];
extern const struct attack disk_attacks[];

#endif
