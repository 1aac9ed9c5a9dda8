/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs in a service's place, against init and whom the service is for. Each
 * attack is a program: the linker binds `fake` to one of the service's folder
 * or of control.c.  A fake's first lives are attacks; the one after them is the
 * real service, linked into the same program, which has to find all in order.
 */
#ifndef BULKHEAD_TESTS_HOSTILE_FAKE_FAKE_H
#define BULKHEAD_TESTS_HOSTILE_FAKE_FAKE_H

#include "include/ring.h"
#include "tests/hostile/programs/evil.h"

struct fake {
	uint32_t lives; /* that are attacks */
	/* evil.life: which of them.  Crashes when it returns. */
	attack_fn attack;
};

/* Bound when linked. */
extern const struct fake fake;

/* ---- What each service's folder has -------------------------------------- */

/* Its channel with init. */
struct fake_control {
	unsigned slot;
	void *memory;
	uint64_t size;
	struct ring_shared *to, *from; /* the service */
	struct ring_shared *more;      /* from it, too; NULL */
	void *from_data;
	uint32_t from_size;
};

struct fake_control fake_control(void);
/* How many lives there were before. */
uint32_t fake_life(void);
/* services/NAME/main.c's program_main(). */
void service_main(unsigned thread);

/* ---- fake.c -------------------------------------------------------------- */

__noreturn void crash(void);
__noreturn void spin_for_ever(void);
/* Some random bytes of it. */
void scribble(struct self *self, void *memory, uint64_t size);
/* All bytes of it. */
void random_fill(struct self *self, void *memory, uint64_t size);
void store(uint32_t *word, uint64_t value);
/* Records of any length, in all of a ring. */
void lengths_fill(struct self *self, struct ring_shared *shared, void *data,
		  uint32_t size);
/* The calls of a machine without any right, with what evil says it has. */
void try_rights(struct self *self);

#endif
