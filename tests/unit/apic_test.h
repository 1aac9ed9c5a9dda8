/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of cpumodel/apic*.c share: CPUS APICs whose surroundings only
 * take notes, and a clock that stands still.
 */
#ifndef BULKHEAD_TESTS_UNIT_APIC_TEST_H
#define BULKHEAD_TESTS_UNIT_APIC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cpumodel/apic.h"
#include "include/errno.h"

/* A test of another number defines it before. */
#ifndef CPUS
#define CPUS 4
#endif

#define LVT_MASKED BIT(16)
#define PERIODIC   BIT(17)
#define DEADLINE   BIT(18)
#define SVR_ON	   0x1ff

struct cpu {
	struct apic apic;
	uint8_t page[PAGE_SIZE] __aligned(PAGE_SIZE);
	unsigned nmi, init, sipi, kick, changed, armed, disarmed, sent;
	unsigned eoi_count;
	uint8_t sipi_vector, eoi_vector;
	uint64_t deadline_ns, deadline_tsc;
	struct apic_message message;
};

static struct cpu cpus[CPUS];
static struct apic *apics[CPUS];
static struct apic_group group;
static uint64_t now;

static inline uint64_t now_ns(void *ctx)
{
	(void)ctx;
	return now;
}

static inline void timer_arm(void *ctx, uint64_t deadline_ns)
{
	struct cpu *cpu = ctx;

	cpu->deadline_ns = deadline_ns;
	cpu->armed++;
}

static inline void timer_arm_tsc(void *ctx, uint64_t tsc)
{
	((struct cpu *)ctx)->deadline_tsc = tsc;
}

static inline void timer_disarm(void *ctx)
{
	((struct cpu *)ctx)->disarmed++;
}

static inline void send(void *ctx, const struct apic_message *message)
{
	struct cpu *cpu = ctx;

	cpu->sent++;
	cpu->message = *message;
	apic_route(&group, &cpu->apic, message);
}

static inline void eoi_level(void *ctx, uint8_t vector)
{
	struct cpu *cpu = ctx;

	cpu->eoi_count++;
	cpu->eoi_vector = vector;
}

static inline void changed(void *ctx)
{
	((struct cpu *)ctx)->changed++;
}

static inline void nmi(void *ctx)
{
	((struct cpu *)ctx)->nmi++;
}

static inline void init(void *ctx)
{
	((struct cpu *)ctx)->init++;
}

static inline void sipi(void *ctx, uint8_t vector)
{
	struct cpu *cpu = ctx;

	cpu->sipi++;
	cpu->sipi_vector = vector;
}

static inline void kick(void *ctx)
{
	((struct cpu *)ctx)->kick++;
}

static const struct apic_ops ops = {
	.now_ns = now_ns,
	.timer_arm = timer_arm,
	.timer_arm_tsc = timer_arm_tsc,
	.timer_disarm = timer_disarm,
	.send = send,
	.eoi_level = eoi_level,
	.changed = changed,
	.nmi = nmi,
	.init = init,
	.sipi = sipi,
	.kick = kick,
};

static inline uint32_t reg_read(struct apic *apic, unsigned reg)
{
	return apic_mmio_read(apic, reg << 4);
}

static inline void reg_write(struct apic *apic, unsigned reg, uint32_t value)
{
	apic_mmio_write(apic, reg << 4, value);
}

static inline int x2_write(struct apic *apic, unsigned reg, uint64_t value)
{
	return apic_msr_write(apic, MSR_X2APIC_FIRST + reg, value);
}

static inline uint64_t x2_read(struct apic *apic, unsigned reg)
{
	uint64_t value;

	assert_int_equal(apic_msr_read(apic, MSR_X2APIC_FIRST + reg, &value),
			 0);
	return value;
}

static inline int x2_enable(struct apic *apic)
{
	return apic_msr_write(apic, MSR_APIC_BASE,
			      apic->base | APIC_BASE_X2APIC);
}

static inline int setup(void **state)
{
	(void)state;
	now = 1000;
	memset(cpus, 0, sizeof(cpus));
	memset(&group, 0, sizeof(group));
	for (unsigned i = 0; i < CPUS; i++) {
		apics[i] = &cpus[i].apic;
		apics[i]->shared.page = (uint32_t *)cpus[i].page;
		apic_init(apics[i], i, i == 0, 40, &ops, &cpus[i]);
		apic_group_set(&group, i, apics[i], (uint8_t)i);
		reg_write(apics[i], APIC_REG_SVR, SVR_ON);
	}
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
