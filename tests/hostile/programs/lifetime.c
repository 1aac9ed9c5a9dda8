/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a VM, of its threads and its timers, while its vCPUs do all they
 * can to be pointed at.
 */
#include "tests/hostile/programs/evil.h"

#define FAR_GPA	  0x100000000000ULL
#define NS_PER_US 1000ULL
#define RESETS	  200 /* of every vCPU */

/* One ends the VM, the others go on making calls that reach for it. */
static void attack_use_after_free(struct self *self)
{
	meet(self);
	for (uint64_t i = 0; goes_on(self); i++) {
		gate_map(FAR_GPA + (i % 64 << 30), PAGE_SIZE, 0, GATE_MAP_RAM);
		gate_reset();
		gate_msi(0xfee00000 | (random_next(self) & 0xf) << 12, 0x400);
		gate_line(GATE_LINE_NMI, i & 1);
	}
}

/* Nothing but ring-3 instructions, and no call for the monitor to look in. */
static void attack_spin(struct self *self)
{
	meet(self);
	while (self->id != evil.ender)
		;
	spin_ns(evil.duration_ns);
}

/* Every kind of stop from every vCPU at one moment. */
static void attack_stop(struct self *self)
{
	static const uint64_t codes[] = {
		MACHINE_EXIT_POWER_OFF,
		MACHINE_EXIT_DEBUG(0),
		MACHINE_EXIT_ERROR,
	};

	for (unsigned i = 0; i < RESETS; i++)
		gate_reset();
	meet(self);
	gate_exit(codes[self->id % ARRAY_SIZE(codes)]);
}

/* Every vCPU crashes at one moment. */
static void attack_crash(struct self *self)
{
	volatile uint32_t *volatile nowhere = NULL;

	meet(self);
	spin_ns(random_next(self) % (10 * NS_PER_US));
	*nowhere = self->id; /* cppcheck-suppress nullPointer */
}

/* The others are blocked, waiting for a SIPI that does not come. */
static void attack_sleep(struct self *self)
{
	meet(self);
	while (self->id != evil.ender)
		gate_resume();
	spin_ns(evil.duration_ns);
}

/* Resets without end while each vCPU runs its guest. */
static void attack_reset(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	while (goes_on(self)) {
		guest_state(self);
		gate_timer(now_ns() + random_next(self) % (50 * NS_PER_US));
		if (self->id != evil.ender || self->id == 0)
			gate_resume();
		if (one_in(self, 4))
			gate_reset();
	}
}

/* Calls that give the CPU away, and one that does not. */
static void attack_yield(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		gate_yield();
		if (one_in(self, 64))
			spin_ns(random_next(self) % (20 * NS_PER_US));
	}
}

const struct attack lifetime_attacks[] = {
	{ "uaf", attack_use_after_free }, { "spin", attack_spin },
	{ "stop", attack_stop },	  { "crash", attack_crash },
	{ "sleep", attack_sleep },	  { "reset", attack_reset },
	{ "yield", attack_yield },	  { 0 },
};
