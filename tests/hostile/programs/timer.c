/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM's one timer and the local APICs' from all vCPUs at once.
 */
#include "tests/hostile/programs/evil.h"

/* clang-format off */
#define NS_PER_US	1000ULL
#define APIC_LVT_TIMER	0x320
#define   LVT_PERIODIC	0x20000
#define   LVT_DEADLINE	0x40000
#define APIC_INITIAL	0x380
#define APIC_DIVIDE	0x3e0
#define   DIVIDE_BY_1	0xb
#define APIC_SVR	0x0f0
#define   SVR_ENABLE	0x1ff
#define MSR_TSC_DEADLINE 0x6e0
/* clang-format on */

/* Arm, move and cancel it, near and far. */
static void attack_timer(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		uint64_t near = random_next(self) % (100 * NS_PER_US);

		gate_timer(now_ns() + near);
		if (one_in(self, 8))
			gate_timer(UINT64_MAX);
		if (one_in(self, 8))
			gate_timer(random_argument(self));
	}
}

/* A deadline that is always over. */
static void attack_storm(struct self *self)
{
	meet(self);
	while (goes_on(self))
		gate_timer(0);
}

/* The shortest period that the register takes, on every vCPU. */
static void attack_apic_timer(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	guest_state(self);
	gate_apic_write(APIC_SVR, SVR_ENABLE);
	gate_apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	while (goes_on(self)) {
		gate_apic_write(APIC_LVT_TIMER, LVT_PERIODIC | 0x40);
		gate_apic_write(APIC_INITIAL,
				1 + (uint32_t)(random_next(self) % 4));
		if (one_in(self, 16)) {
			gate_apic_write(APIC_LVT_TIMER, LVT_DEADLINE | 0x41);
			gate_call(GATE_MSR_WRITE, MSR_TSC_DEADLINE,
				  random_argument(self), 0);
		}
		if (self->id != evil.ender)
			spin_ns(random_next(self) % (20 * NS_PER_US));
	}
}

const struct attack timer_attacks[] = {
	{ "timer", attack_timer },
	{ "storm", attack_storm },
	{ "apictimer", attack_apic_timer },
	{ 0 },
};
