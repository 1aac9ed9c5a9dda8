/* SPDX-License-Identifier: BSD-2-Clause */
/* What the test's init tells its children, at GATE_ARGUMENT_VA. */
#ifndef BULKHEAD_TESTS_LIFE_H
#define BULKHEAD_TESTS_LIFE_H

#include <stdint.h>

enum child_kind {
	CHILD_EXITS,
	CHILD_CRASHES,
	CHILD_SPINS,
	CHILD_WAITS,
	CHILD_TIMER, /* armed far away, then waits */
	CHILD_RINGS, /* its doorbell without end */
	CHILD_GUEST, /* runs a guest that halts, if it has a VM */
	CHILD_KINDS,
	CHILD_STOPS,  /* itself, by the right that it was given, and spins */
	CHILD_WRITES, /* has calls write where ring 3 may not */
	CHILD_IRQ,    /* takes the UART's interrupt, again and again */
	CHILD_LOG,    /* reads the log, first to where it cannot go */
};

enum child_code { CHILD_GOOD, CHILD_BAD };

struct child_argument {
	uint32_t kind; /* enum child_kind */
	uint32_t code;
	uint64_t id; /* its own */
};

/* What those have that run alone. */
#define CHILD_PORT  0x3f8
#define CHILD_PORTS 8
#define CHILD_ISA   4

#define CHILD_SLOT 3 /* of its channel */

#endif
