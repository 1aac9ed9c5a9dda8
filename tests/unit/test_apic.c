/* SPDX-License-Identifier: BSD-2-Clause */
/* cpumodel/apic.c and apic_route.c: registers, modes, priorities, messages. */
#include "tests/unit/apic_test.h"

static void test_reset_state(void **state)
{
	struct apic fresh = { .shared.page = apics[0]->shared.page };

	(void)state;
	apic_init(&fresh, 5, false, 40, &ops, &cpus[0]);
	assert_int_equal(reg_read(&fresh, APIC_REG_ID), 5u << 24);
	assert_int_equal(reg_read(&fresh, APIC_REG_VERSION), 0x50014);
	assert_int_equal(reg_read(&fresh, APIC_REG_SVR), 0xff);
	assert_int_equal(reg_read(&fresh, APIC_REG_DFR), 0xffffffff);
	assert_int_equal(reg_read(&fresh, APIC_REG_LDR), 0);
	for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
		assert_int_equal(reg_read(&fresh, APIC_REG_LVT_TIMER + i),
				 LVT_MASKED);
	assert_int_equal(fresh.base, APIC_DEFAULT_GPA | APIC_BASE_ENABLE);
	assert_false(apic_extint_enabled(&fresh));
	apic_init(&fresh, 0, true, 40, &ops, &cpus[0]);
	assert_int_equal(fresh.base,
			 APIC_DEFAULT_GPA | APIC_BASE_ENABLE | APIC_BASE_BSP);
	assert_true(apic_extint_enabled(&fresh));
	assert_int_equal(apic_pending_vector(&fresh), -1);
}

static void test_priorities(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	apic_accept(apic, 0x31, false);
	apic_accept(apic, 0x42, false);
	apic_accept(apic, 0x41, false);
	assert_int_equal(apic_pending_vector(apic), 0x42);
	assert_int_equal(apic_take(apic), 0x42);
	assert_int_equal(reg_read(apic, APIC_REG_PPR), 0x40);
	/* Same class waits, a higher class does not. */
	assert_int_equal(apic_pending_vector(apic), -1);
	apic_accept(apic, 0xff, false);
	assert_int_equal(apic_pending_vector(apic), 0xff);
	assert_int_equal(apic_take(apic), 0xff);
	assert_int_equal(reg_read(apic, APIC_REG_ISR + 7), 1u << 31);
	assert_int_equal(reg_read(apic, APIC_REG_ISR + 2), 1u << 2);
	assert_int_equal(reg_read(apic, APIC_REG_IRR + 2), 1u << 1);
	reg_write(apic, APIC_REG_EOI, 0);
	assert_int_equal(apic_pending_vector(apic), -1);
	reg_write(apic, APIC_REG_EOI, 0);
	assert_int_equal(apic_pending_vector(apic), 0x41);
	reg_write(apic, APIC_REG_TPR, 0x40);
	assert_int_equal(apic_pending_vector(apic), -1);
	reg_write(apic, APIC_REG_TPR, 0x3f);
	assert_int_equal(apic_pending_vector(apic), 0x41);
	assert_int_equal(apic_take(apic), 0x41);
	reg_write(apic, APIC_REG_EOI, 0);
	assert_int_equal(apic_pending_vector(apic), -1);
	reg_write(apic, APIC_REG_TPR, 0x2f);
	assert_int_equal(apic_pending_vector(apic), 0x31);
	assert_int_equal(apic_take(apic), 0x31);
	reg_write(apic, APIC_REG_EOI, 0);
	reg_write(apic, APIC_REG_EOI, 0); /* one too many */
	assert_int_equal(reg_read(apic, APIC_REG_PPR), 0x2f);
	assert_int_equal(cpus[0].eoi_count, 0);
}

static void test_every_vector(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	for (int vector = 255; vector >= 16; vector--)
		apic_accept(apic, vector, false);
	for (int vector = 255; vector >= 16; vector--) {
		assert_int_equal(apic_pending_vector(apic), vector);
		assert_int_equal(apic_take(apic), vector);
		assert_int_equal(reg_read(apic, APIC_REG_ISR + vector / 32),
				 1u << vector % 32);
		apic_eoi(apic);
	}
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), 0);
	for (int vector = 0; vector < 16; vector++)
		apic_accept(apic, vector, false);
	assert_int_equal(apic_pending_vector(apic), -1);
	reg_write(apic, APIC_REG_ESR, 0);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), BIT(6));
}

static void test_level_eoi(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	apic_accept(apic, 0x55, true);
	assert_int_equal(reg_read(apic, APIC_REG_TMR + 2), 1u << 0x15);
	assert_int_equal(apic_take(apic), 0x55);
	apic_eoi(apic);
	assert_int_equal(cpus[0].eoi_count, 1);
	assert_int_equal(cpus[0].eoi_vector, 0x55);
	apic_accept(apic, 0x55, false);
	assert_int_equal(reg_read(apic, APIC_REG_TMR + 2), 0);
	assert_int_equal(apic_take(apic), 0x55);
	apic_eoi(apic);
	assert_int_equal(cpus[0].eoi_count, 1);
}

static void test_posted(void **state)
{
	struct apic *apic = apics[1];

	(void)state;
	apic_post(apic, 0x80, true);
	apic_post(apic, 0x3f, false);
	assert_int_equal(cpus[1].kick, 2);
	assert_int_equal(apic_pending_vector(apic), 0x80);
	assert_int_equal(reg_read(apic, APIC_REG_IRR + 1), 1u << 31);
	assert_int_equal(apic_take(apic), 0x80);
	apic_eoi(apic);
	assert_int_equal(cpus[1].eoi_vector, 0x80);
	assert_int_equal(apic_pending_vector(apic), 0x3f);
	apic_post(apic, 3, false);
	assert_int_equal(apic_pending_vector(apic), 0x3f);
	reg_write(apic, APIC_REG_ESR, 0);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), BIT(6));
}

static void test_page_access(void **state)
{
	struct apic *apic = apics[1];

	(void)state;
	assert_int_equal(apic_mmio_read(apic, 0x23), 1);
	assert_int_equal(apic_mmio_read(apic, 0x22), 0x100);
	assert_int_equal(apic_mmio_read(apic, 0x24), 0);
	apic_mmio_write(apic, 0x84, 0xff);
	assert_int_equal(reg_read(apic, APIC_REG_TPR), 0);
	apic_mmio_read(apic, 0x40);
	reg_write(apic, APIC_REG_ESR, 0);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), BIT(7));
	reg_write(apic, APIC_REG_ESR, 0);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), 0);
	/* Read-only registers, the x2APIC-only one, and every other. */
	reg_write(apic, APIC_REG_SELF_IPI, 0x50);
	assert_int_equal(apic_pending_vector(apic), -1);
	for (uint32_t offset = 0; offset < 0x1000; offset++) {
		apic_mmio_read(apic, offset);
		if (offset >> 4 != APIC_REG_ICR)
			apic_mmio_write(apic, offset, 0xffffffff);
	}
	assert_int_equal(reg_read(apic, APIC_REG_LDR), 0xff000000);
	assert_int_equal(reg_read(apic, APIC_REG_LVT_TIMER), 0x700ff);
	assert_int_equal(reg_read(apic, APIC_REG_LVT_LINT0), 0x1a7ff);
	assert_int_equal(reg_read(apic, APIC_REG_LVT_ERROR), 0x100ff);
}

static void test_error_lvt(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	reg_write(apic, APIC_REG_LVT_ERROR, 0xfe);
	apic_mmio_read(apic, 0x40);
	assert_int_equal(apic_pending_vector(apic), 0xfe);
	/* An illegal vector there must not run away. */
	reg_write(apic, APIC_REG_LVT_ERROR, 0x3);
	reg_write(apic, APIC_REG_ESR, 0);
	apic_mmio_read(apic, 0x40);
	reg_write(apic, APIC_REG_ESR, 0);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), BIT(7) | BIT(6));
	reg_write(apic, APIC_REG_ICR, 0x40000 | 5);
	reg_write(apic, APIC_REG_ESR, 0);
	assert_int_equal(reg_read(apic, APIC_REG_ESR), BIT(6) | BIT(5));
}

static void test_software_disable(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	reg_write(apic, APIC_REG_LVT_LINT1, 0x400);
	assert_int_equal(reg_read(apic, APIC_REG_LVT_LINT1), 0x400);
	reg_write(apic, APIC_REG_SVR, 0xff);
	assert_int_equal(reg_read(apic, APIC_REG_LVT_LINT1), 0x10400);
	reg_write(apic, APIC_REG_LVT_LINT1, 0x400);
	assert_int_equal(reg_read(apic, APIC_REG_LVT_LINT1), 0x10400);
	reg_write(apic, APIC_REG_ICR, 0x40055);
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_false(apic_extint_enabled(apic));
	reg_write(apic, APIC_REG_SVR, SVR_ON);
	reg_write(apic, APIC_REG_LVT_LINT0, 0x700);
	assert_true(apic_extint_enabled(apic));
	reg_write(apic, APIC_REG_LVT_LINT0, 0x30);
	assert_false(apic_extint_enabled(apic));
}

static void test_lint(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	apic_lint_raise(apic, 1); /* masked */
	assert_int_equal(cpus[0].nmi, 0);
	reg_write(apic, APIC_REG_LVT_LINT1, 0x400);
	apic_lint_raise(apic, 1);
	assert_int_equal(cpus[0].nmi, 1);
	reg_write(apic, APIC_REG_LVT_LINT1, 0x500);
	apic_lint_raise(apic, 1);
	assert_int_equal(cpus[0].init, 1);
	/* The 8259 as an edge and as a level. */
	reg_write(apic, APIC_REG_LVT_LINT0, 0x61);
	apic_lint_raise(apic, 0);
	assert_int_equal(cpus[0].kick, 1);
	assert_int_equal(apic_pending_vector(apic), 0x61);
	assert_int_equal(apic_take(apic), 0x61);
	apic_eoi(apic);
	assert_int_equal(cpus[0].eoi_count, 0);
	reg_write(apic, APIC_REG_LVT_LINT0, 0x8062);
	apic_lint_raise(apic, 0);
	assert_int_equal(apic_pending_vector(apic), 0x62);
	assert_int_equal(apic_take(apic), 0x62);
	apic_eoi(apic);
	assert_int_equal(apic_pending_vector(apic), -1);
	/* ExtINT latches nothing. */
	reg_write(apic, APIC_REG_LVT_LINT0, 0x700);
	apic_lint_raise(apic, 0);
	assert_int_equal(apic_pending_vector(apic), -1);
}

static void test_base_rules(void **state)
{
	/* clang-format off */
	static const struct {
		uint64_t from, to;
		bool ok;
	} rows[] = {
		{ 0x800, 0x800, true },   { 0x800, 0xc00, true },
		{ 0x800, 0x000, true },   { 0x800, 0x400, false },
		{ 0x000, 0x800, true },   { 0x000, 0xc00, false },
		{ 0x000, 0x400, false },  { 0xc00, 0x000, true },
		{ 0xc00, 0x800, false },  { 0xc00, 0x400, false },
		{ 0x800, 0x801, false },  { 0x800, 0xa00, false },
		{ 0x800, BIT(40) | 0x800, false },
		{ 0x800, BIT(39) | 0x800, true },
	};
	/* clang-format on */
	struct apic *apic = apics[1];
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		apic->base = APIC_DEFAULT_GPA | rows[i].from;
		assert_int_equal(apic_msr_write(apic, MSR_APIC_BASE,
						APIC_DEFAULT_GPA | rows[i].to),
				 rows[i].ok ? 0 : -EINVAL);
		assert_int_equal(apic_msr_read(apic, MSR_APIC_BASE, &value), 0);
		assert_int_equal(value, APIC_DEFAULT_GPA |
						(rows[i].ok ? rows[i].to
							    : rows[i].from));
	}
	assert_int_equal(apic_page_gpa(apic), APIC_DEFAULT_GPA | BIT(39));
	/* Disabling forgets; the pins then are the processor's own. */
	apic->base = APIC_DEFAULT_GPA | 0x800;
	reg_write(apic, APIC_REG_SVR, SVR_ON);
	apic_accept(apic, 0x40, false);
	cpus[1].changed = 0;
	assert_int_equal(apic_msr_write(apic, MSR_APIC_BASE, APIC_DEFAULT_GPA),
			 0);
	assert_int_equal(cpus[1].changed, 1);
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_true(apic_extint_enabled(apic));
	apic_lint_raise(apic, 1);
	assert_int_equal(cpus[1].nmi, 1);
	/* The boot processor's flag stays whatever is written. */
	assert_int_equal(apic_msr_write(apics[0], MSR_APIC_BASE,
					APIC_DEFAULT_GPA | APIC_BASE_ENABLE),
			 0);
	assert_true(apics[0]->base & APIC_BASE_BSP);
}

static void test_x2apic_registers(void **state)
{
	struct apic *apic = apics[3];
	uint64_t value;

	(void)state;
	assert_int_equal(apic_msr_read(apic, 0x802, &value), -EINVAL);
	assert_int_equal(apic_msr_write(apic, 0x80b, 0), -EINVAL);
	assert_int_equal(x2_enable(apic), 0);
	assert_int_equal(x2_read(apic, APIC_REG_ID), 3);
	assert_int_equal(x2_read(apic, APIC_REG_LDR), 8);
	for (unsigned reg = 0; reg < 0x100; reg++) {
		bool readable = reg == 2 || reg == 3 || reg == 8 ||
				reg == 0xa || reg == 0xd || reg == 0xf ||
				(reg >= 0x10 && reg < 0x29) || reg == 0x30 ||
				(reg >= 0x32 && reg <= 0x39) || reg == 0x3e;
		bool writable = reg == 8 || reg == 0xb || reg == 0xf ||
				reg == 0x28 || (reg >= 0x32 && reg <= 0x38) ||
				reg == 0x3e || reg == 0x30;

		assert_int_equal(apic_msr_read(apic, 0x800 + reg, &value),
				 readable ? 0 : -EINVAL);
		/* 0 to SELF_IPI is an illegal vector, but no #GP. */
		assert_int_equal(apic_msr_write(apic, 0x800 + reg, 0),
				 writable || reg == 0x3f ? 0 : -EINVAL);
	}
	assert_int_equal(x2_write(apic, APIC_REG_TPR, 0x100), -EINVAL);
	assert_int_equal(x2_write(apic, APIC_REG_EOI, 1), -EINVAL);
	assert_int_equal(x2_write(apic, APIC_REG_ESR, 1), -EINVAL);
	assert_int_equal(x2_write(apic, APIC_REG_SELF_IPI, 0x100), -EINVAL);
	assert_int_equal(x2_write(apic, APIC_REG_LVT_TIMER, BIT(32)), -EINVAL);
	assert_int_equal(x2_write(apic, APIC_REG_ICR, BIT(20)), -EINVAL);
	assert_int_equal(x2_write(apic, APIC_REG_ICR, BIT(13)), -EINVAL);
}

static void test_page_modes(void **state)
{
	struct apic *apic = apics[1];

	(void)state;
	assert_int_equal(x2_enable(apic), 0);
	assert_int_equal(apic_mmio_read(apic, 0x20), 0xffffffff);
	reg_write(apic, APIC_REG_TPR, 0x40);
	assert_int_equal(apic->tpr, 0);
	assert_int_equal(apic_msr_write(apic, MSR_APIC_BASE, APIC_DEFAULT_GPA),
			 0);
	assert_int_equal(apic_mmio_read(apic, 0x30), 0xffffffff);
}

static void test_x2apic_self_ipi(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	assert_int_equal(x2_enable(apic), 0);
	assert_int_equal(x2_write(apic, APIC_REG_SVR, SVR_ON), 0);
	assert_int_equal(x2_write(apic, APIC_REG_SELF_IPI, 0x77), 0);
	assert_int_equal(apic_pending_vector(apic), 0x77);
	assert_int_equal(apic_take(apic), 0x77);
	assert_int_equal(x2_write(apic, APIC_REG_EOI, 0), 0);
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_int_equal(apic->isr_highest, 0);
	assert_int_equal(cpus[0].sent, 0);
	/* Busy is ignored and reads idle. */
	assert_int_equal(x2_write(apic, APIC_REG_ICR, 0x41078), 0);
	assert_int_equal(x2_read(apic, APIC_REG_ICR), 0x40078);
	assert_int_equal(apic_pending_vector(apic), 0x78);
}

/* IPIs of CPU 0 in xAPIC mode; who gets one is a bit mask. */
static unsigned ipi(uint32_t high, uint32_t low)
{
	unsigned got = 0;

	reg_write(apics[0], APIC_REG_ICR_HIGH, high);
	reg_write(apics[0], APIC_REG_ICR, low);
	for (unsigned i = 0; i < CPUS; i++) {
		int vector = apic_pending_vector(apics[i]);

		if (vector < 0)
			continue;
		got |= 1u << i;
		assert_int_equal(apic_take(apics[i]), vector);
		apic_eoi(apics[i]);
	}
	return got;
}

static void test_destinations_xapic(void **state)
{
	(void)state;
	assert_int_equal(ipi(2u << 24, 0x40), 4);
	assert_int_equal(ipi(0xffu << 24, 0x40), 0xf);
	assert_int_equal(ipi(9u << 24, 0x40), 0);
	assert_int_equal(ipi(0, 0x40 | 1u << 18), 1);
	assert_int_equal(ipi(0, 0x40 | 2u << 18), 0xf);
	assert_int_equal(ipi(0, 0x40 | 3u << 18), 0xe);
	/* Logical: nobody has an LDR yet. */
	assert_int_equal(ipi(0x3u << 24, 0x840), 0);
	for (unsigned i = 0; i < CPUS; i++)
		reg_write(apics[i], APIC_REG_LDR, 1u << (24 + i));
	assert_int_equal(ipi(0x5u << 24, 0x840), 5);
	assert_int_equal(ipi(0xffu << 24, 0x840), 0xf);
	/* Cluster model: CPUs 0, 1 in cluster 1; 2, 3 in cluster 2. */
	for (unsigned i = 0; i < CPUS; i++) {
		reg_write(apics[i], APIC_REG_DFR, 0x0fffffff);
		reg_write(apics[i], APIC_REG_LDR,
			  (i / 2 + 1) << 28 | 1u << (24 + i % 2));
	}
	assert_int_equal(ipi(0x13u << 24, 0x840), 3);
	assert_int_equal(ipi(0x22u << 24, 0x840), 8);
	assert_int_equal(ipi(0x33u << 24, 0x840), 0);
	assert_int_equal(ipi(0xffu << 24, 0x840), 0xf);
	/* A disabled APIC takes part in nothing. */
	apics[2]->base = 0;
	assert_int_equal(ipi(0, 0x40 | 2u << 18), 0xb);
}

static void test_destinations_x2apic(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	apic_group_set(&group, 3, apics[3], 0x21); /* cluster 2, bit 1 */
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(x2_enable(apics[i]), 0);
		apics[i]->svr = SVR_ON;
	}
	assert_int_equal(x2_read(apics[3], APIC_REG_LDR), 0x20002);
	assert_int_equal(x2_write(apic, APIC_REG_ICR, BIT(33) | 0x50), 0);
	assert_int_equal(apic_pending_vector(apics[2]), 0x50);
	assert_int_equal(x2_write(apic, APIC_REG_ICR, 0x20002ULL << 32 | 0x851),
			 0);
	assert_int_equal(apic_pending_vector(apics[3]), 0x51);
	assert_int_equal(x2_write(apic, APIC_REG_ICR, 0x6ULL << 32 | 0x860), 0);
	assert_int_equal(apic_pending_vector(apics[1]), 0x60);
	assert_int_equal(apic_pending_vector(apics[2]), 0x60);
	assert_int_equal(apic_pending_vector(apics[0]), -1);
	assert_int_equal(
		x2_write(apic, APIC_REG_ICR, 0xffffffffULL << 32 | 0x70), 0);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(apic_pending_vector(apics[i]), 0x70);
	/* 0xff is an id like any other here. */
	assert_int_equal(x2_write(apic, APIC_REG_ICR, 0xffULL << 32 | 0x81), 0);
	assert_int_equal(apic_pending_vector(apics[1]), 0x70);
}

static void test_delivery_modes(void **state)
{
	(void)state;
	assert_int_equal(ipi(1u << 24, 0x4400), 0);
	assert_int_equal(cpus[1].nmi, 1);
	ipi(1u << 24, 0xc500);
	assert_int_equal(cpus[1].init, 1);
	ipi(1u << 24, 0x8500); /* de-assert */
	assert_int_equal(cpus[1].init, 1);
	ipi(1u << 24, 0x4600 | 0x9a);
	assert_int_equal(cpus[1].sipi, 1);
	assert_int_equal(cpus[1].sipi_vector, 0x9a);
	ipi(0, 0xc4500);
	assert_int_equal(cpus[0].init, 0);
	assert_int_equal(cpus[2].init, 1);
	ipi(1u << 24, 0x4200); /* SMI */
	ipi(1u << 24, 0x4700); /* ExtINT */
	assert_int_equal(apic_pending_vector(apics[1]), -1);
	/* To a software-disabled APIC only what is not fixed gets through. */
	reg_write(apics[1], APIC_REG_SVR, 0xff);
	assert_int_equal(ipi(1u << 24, 0x40), 0);
	ipi(1u << 24, 0x4400);
	assert_int_equal(cpus[1].nmi, 2);
}

static void test_lowest_priority(void **state)
{
	unsigned got = 0;

	(void)state;
	/* Equal priorities: spread by vector, one taker each. */
	for (unsigned vector = 0x40; vector < 0x44; vector++) {
		unsigned who = ipi(0xffu << 24, 0x100 | vector);

		assert_int_equal(__builtin_popcount(who), 1);
		assert_int_equal(got & who, 0);
		got |= who;
	}
	assert_int_equal(got, 0xf);
	/* Only CPU 2 is idle; then it is off. */
	for (unsigned i = 0; i < CPUS; i++)
		apic_tpr_set(apics[i], i == 2 ? 0 : 0x30);
	assert_int_equal(ipi(0xffu << 24, 0x140), 4);
	assert_int_equal(ipi(0xffu << 24, 0x141), 4);
	reg_write(apics[2], APIC_REG_SVR, 0xff);
	for (unsigned vector = 0x50; vector < 0x58; vector++)
		assert_int_equal(
			__builtin_popcount(ipi(0xffu << 24, 0x100 | vector)),
			1);
	assert_int_equal(ipi(9u << 24, 0x140), 0);
}

static unsigned route(uint64_t address, uint32_t data)
{
	struct apic_message message;

	assert_true(apic_msi_decode(address, data, &message));
	return apic_route(&group, NULL, &message);
}

/* How many have accepted it: not how many were meant. */
static void test_who_accepts(void **state)
{
	const uint64_t base = APIC_DEFAULT_GPA | APIC_BASE_ENABLE;

	(void)state;
	assert_int_equal(route(0xfee01000, 0xc041), 1);
	assert_int_equal(route(0xfeeff000, 0xc041), CPUS);
	/* Nobody; an illegal vector. */
	assert_int_equal(route(0xfee0e000, 0xc041), 0);
	assert_int_equal(route(0xfee01000, 0xc00f), 0);
	assert_int_equal(route(0xfee01000, 0xc10f), 0);
	reg_write(apics[1], APIC_REG_SVR, 0xff);
	assert_int_equal(route(0xfee01000, 0xc041), 0);
	assert_int_equal(route(0xfee01000, 0xc141), 0);
	assert_int_equal(route(0xfeeff000, 0xc041), CPUS - 1);
	/* NMI, INIT and SIPI need no enabled SVR; SMI and ExtINT are lost. */
	assert_int_equal(route(0xfee01000, 0x0400), 1);
	assert_int_equal(route(0xfee01000, 0x0500), 1);
	assert_int_equal(route(0xfee01000, 0x0200), 0);
	assert_int_equal(route(0xfee01000, 0x0700), 0);
	assert_int_equal(apic_msr_write(apics[1], MSR_APIC_BASE, base & ~0x800),
			 0);
	assert_int_equal(route(0xfee01000, 0x0400), 0);
}

/* What may make an APIC accept what it did not. */
static void test_changes_are_told(void **state)
{
	struct apic *apic = apics[1];

	(void)state;
	cpus[1].changed = 0;
	reg_write(apic, APIC_REG_SVR, SVR_ON);
	assert_int_equal(cpus[1].changed, 1);
	reg_write(apic, APIC_REG_LDR, 0x02000000);
	assert_int_equal(cpus[1].changed, 2);
	reg_write(apic, APIC_REG_DFR, 0x0fffffff);
	assert_int_equal(cpus[1].changed, 3);
	assert_int_equal(x2_enable(apic), 0);
	assert_int_equal(cpus[1].changed, 4);
	assert_int_equal(x2_write(apic, APIC_REG_SVR, SVR_ON), 0);
	assert_int_equal(cpus[1].changed, 5);
	assert_int_equal(x2_write(apic, APIC_REG_TPR, 0x20), 0);
	assert_int_equal(x2_write(apic, APIC_REG_EOI, 0), 0);
	assert_int_equal(cpus[1].changed, 5);
}

static void test_msi(void **state)
{
	struct apic_message message;

	(void)state;
	assert_true(apic_msi_decode(0xfee02000, 0x4041, &message));
	assert_int_equal(message.destination, 2);
	assert_int_equal(message.vector, 0x41);
	assert_int_equal(message.mode, APIC_MODE_FIXED);
	assert_false(message.is_level);
	assert_false(message.is_logical);
	assert_int_equal(apic_route(&group, NULL, &message), 1);
	assert_int_equal(apic_pending_vector(apics[2]), 0x41);
	assert_true(apic_msi_decode(0xfeeff00c, 0xc151, &message));
	assert_int_equal(message.destination, APIC_BROADCAST);
	assert_int_equal(message.mode, APIC_MODE_LOWEST);
	assert_true(message.is_level);
	assert_true(message.is_logical);
	assert_false(apic_msi_decode(0xfed00000, 0, &message));
	assert_false(apic_msi_decode(0x1fee00000, 0, &message));
}

static void test_init_reset(void **state)
{
	struct apic *apic = apics[1];

	(void)state;
	assert_int_equal(x2_enable(apic), 0);
	assert_int_equal(x2_write(apic, APIC_REG_LVT_TIMER, 0x40), 0);
	assert_int_equal(x2_write(apic, APIC_REG_TIMER_INITIAL, 100), 0);
	apic_post(apic, 0x60, true);
	apic_tpr_set(apic, 0x20);
	apic_reset_init(apic);
	assert_true(apic_is_x2apic(apic));
	assert_int_equal(x2_read(apic, APIC_REG_LDR), 2);
	assert_int_equal(x2_read(apic, APIC_REG_TPR), 0);
	assert_int_equal(x2_read(apic, APIC_REG_SVR), 0xff);
	assert_int_equal(x2_read(apic, APIC_REG_TMR + 3), 0);
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_int_equal(cpus[1].disarmed, 1);
	apic_reset(apic);
	assert_false(apic_is_x2apic(apic));
}

/* ---- Run by the processor ------------------------------------------------ */

static struct apic *make_virtual(void)
{
	apics[0]->shared.can_be_virtual = true;
	reg_write(apics[0], APIC_REG_SVR, 0xff);
	reg_write(apics[0], APIC_REG_SVR, SVR_ON);
	assert_true(apics[0]->shared.is_virtual);
	return apics[0];
}

static uint32_t page_at(const struct apic *apic, unsigned offset)
{
	return apic->shared.page[offset / 4];
}

/* As an instruction of the guest's would, without an exit. */
static void page_write(struct apic *apic, unsigned offset, uint32_t value)
{
	apic->shared.page[offset / 4] = value;
}

/* What it reads there is what an exit would have answered. */
static void test_virtual_page(void **state)
{
	struct apic *apic = make_virtual();

	(void)state;
	apic_accept(apic, 0x31, true);
	assert_int_equal(apic_take(apic), 0x31);
	apic_accept(apic, 0xe3, false);
	for (unsigned reg = 0; reg < APIC_REG_COUNT; reg++) {
		if (reg == APIC_REG_TPR || reg == APIC_REG_PPR ||
		    reg == APIC_REG_APR || reg == APIC_REG_TIMER_CURRENT)
			continue; /* the processor's, or they exit */
		if (page_at(apic, reg * 16) != reg_read(apic, reg))
			fail_msg("register %x is %x, not %x", reg,
				 page_at(apic, reg * 16), reg_read(apic, reg));
	}
	assert_int_equal(page_at(apic, 0x30), 0x50014);
	assert_int_equal(page_at(apic, 0xf0), SVR_ON);
	assert_int_equal(page_at(apic, 0x110), 1U << 17);
	assert_int_equal(page_at(apic, 0x190), 1U << 17);
	assert_int_equal(page_at(apic, 0x270), 1U << 3);
	/* So it stays when core writes. */
	reg_write(apic, APIC_REG_LVT_ERROR, 0xffffffff);
	assert_int_equal(page_at(apic, 0x370), 0x100ff);
}

/* What the guest wrote there is made of it what a write would have been. */
static void test_virtual_write(void **state)
{
	struct apic *apic = make_virtual();

	(void)state;
	page_write(apic, 0x320, 0xffffffff);
	apic_page_written(apic, 0x320);
	assert_int_equal(page_at(apic, 0x320), 0x700ff);
	page_write(apic, 0x320, 0x44);
	apic_page_written(apic, 0x320);
	page_write(apic, 0x380, 500);
	apic_page_written(apic, 0x380);
	assert_int_equal(cpus[0].deadline_ns, now + 1000);
	/* Fixed ones are as they were. */
	page_write(apic, 0x20, 0x07000000);
	apic_page_written(apic, 0x20);
	assert_int_equal(page_at(apic, 0x20), 0);
	/* ESR latches and does not take what is written. */
	(void)reg_read(apic, 0x3d);
	page_write(apic, 0x280, 0xffff);
	apic_page_written(apic, 0x280);
	assert_int_equal(page_at(apic, 0x280), 1U << 7);
	/* EOI is one more write, and reads as zero whatever was written. */
	apic_accept(apic, 0x61, true);
	assert_int_equal(apic_take(apic), 0x61);
	page_write(apic, 0xb0, 0xffffffff);
	apic_page_written(apic, 0xb0);
	assert_int_equal(page_at(apic, 0xb0), 0);
	assert_int_equal(page_at(apic, 0x130), 0);
	assert_int_equal(cpus[0].eoi_vector, 0x61);
	/* The ICR's upper half is written without a word. */
	page_write(apic, 0x310, 2U << 24);
	page_write(apic, 0x300, 0x4055);
	apic_page_written(apic, 0x300);
	assert_int_equal(apic_pending_vector(apics[2]), 0x55);
	assert_int_equal(reg_read(apic, APIC_REG_ICR_HIGH), 2U << 24);
}

/* Only on and in xAPIC mode, and where the processor can. */
static void test_virtual_mode(void **state)
{
	struct apic *apic = make_virtual();

	(void)state;
	assert_int_equal(x2_enable(apic), 0);
	assert_false(apic->shared.is_virtual);
	apic_reset(apic);
	assert_false(apic->shared.is_virtual);
	reg_write(apic, APIC_REG_SVR, SVR_ON);
	assert_true(apic->shared.is_virtual);
	apic_reset_init(apic);
	assert_false(apic->shared.is_virtual);
	assert_int_equal(apic_msr_write(apic, MSR_APIC_BASE, APIC_DEFAULT_GPA),
			 0);
	reg_write(apic, APIC_REG_SVR, SVR_ON);
	assert_false(apic->shared.is_virtual);
	assert_false(apics[1]->shared.is_virtual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reset_state),
		TEST(test_priorities),
		TEST(test_every_vector),
		TEST(test_level_eoi),
		TEST(test_posted),
		TEST(test_page_access),
		TEST(test_error_lvt),
		TEST(test_software_disable),
		TEST(test_lint),
		TEST(test_base_rules),
		TEST(test_x2apic_registers),
		TEST(test_page_modes),
		TEST(test_x2apic_self_ipi),
		TEST(test_destinations_xapic),
		TEST(test_destinations_x2apic),
		TEST(test_delivery_modes),
		TEST(test_lowest_priority),
		TEST(test_who_accepts),
		TEST(test_changes_are_told),
		TEST(test_msi),
		TEST(test_init_reset),
		TEST(test_virtual_page),
		TEST(test_virtual_write),
		TEST(test_virtual_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
