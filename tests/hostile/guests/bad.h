/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bad guest: an operating system that does what none should, with all its
 * processors.  Its command line chooses: ATTACK [ms=N].
 */
#ifndef BULKHEAD_TESTS_HOSTILE_BAD_H
#define BULKHEAD_TESTS_HOSTILE_BAD_H

#include "tests/hostile/guests/hostile.h"

/*
 * What every processor does, the first one until over() says so, the others for
 * ever.
 */
struct bad {
	const char *name;
	void (*run)(unsigned id);
	/* The first processor watches the others do it, unless it is alone. */
	bool never_returns;
};

extern const struct bad loop_attacks[];
extern const struct bad signal_attacks[];
extern const struct bad io_attacks[];

/* An interrupt that every processor takes, as it does NMIs. */
#define BAD_VECTOR 0x51

/* True on the first processor once the time is over. */
bool over(unsigned id);
/* The same, for what takes long between two questions. */
bool over_now(unsigned id);
/* How often the VM began anew, counted in memory that a reset keeps. */
uint32_t restarts(void);

#endif
