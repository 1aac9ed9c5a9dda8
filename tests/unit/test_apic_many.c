/* SPDX-License-Identifier: BSD-2-Clause */
/* cpumodel/apic.c and apic_route.c with 32 APICs: two x2APIC clusters. */
#define CPUS 32
#include "tests/unit/apic_test.h"

#define ALL_CPUS    0xffffffffU
#define ICR_LOGICAL BIT(11)
#define ICR_LOWEST  BIT(8)
#define ICR_OTHERS  MASK(19, 18)

/* Takes what is pending everywhere; a bit for each APIC that had one. */
static uint32_t take_all(void)
{
	uint32_t got = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		int vector = apic_pending_vector(apics[i]);

		if (vector < 0)
			continue;
		got |= 1U << i;
		assert_int_equal(apic_take(apics[i]), vector);
		apic_eoi(apics[i]);
	}
	return got;
}

static uint32_t ipi_xapic(unsigned from, uint32_t destination, uint32_t low)
{
	reg_write(apics[from], APIC_REG_ICR_HIGH, destination << 24);
	reg_write(apics[from], APIC_REG_ICR, low);
	return take_all();
}

static uint32_t ipi_x2apic(unsigned from, uint64_t destination, uint32_t low)
{
	assert_int_equal(
		x2_write(apics[from], APIC_REG_ICR, destination << 32 | low),
		0);
	return take_all();
}

static void enable_x2apic(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(x2_enable(apics[i]), 0);
		assert_int_equal(x2_write(apics[i], APIC_REG_SVR, SVR_ON), 0);
	}
}

static void test_physical_xapic(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(reg_read(apics[i], APIC_REG_ID), i << 24);
		assert_int_equal(ipi_xapic(CPUS - 1 - i, i, 0x40), 1U << i);
		assert_int_equal(ipi_xapic(i, 0, ICR_OTHERS | 0x41),
				 ALL_CPUS & ~(1U << i));
	}
	assert_int_equal(ipi_xapic(0, CPUS, 0x42), 0);
	assert_int_equal(ipi_xapic(17, 0xff, 0x43), ALL_CPUS);
}

static void test_physical_x2apic(void **state)
{
	(void)state;
	enable_x2apic();
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(x2_read(apics[i], APIC_REG_ID), i);
		assert_int_equal(ipi_x2apic(CPUS - 1 - i, i, 0x40), 1U << i);
	}
	assert_int_equal(ipi_x2apic(0, CPUS, 0x41), 0);
	assert_int_equal(ipi_x2apic(31, ALL_CPUS, 0x42), ALL_CPUS);
}

static void test_logical_x2apic(void **state)
{
	(void)state;
	enable_x2apic();
	for (unsigned i = 0; i < CPUS; i++) {
		uint32_t ldr = (i / 16) << 16 | 1U << i % 16;

		assert_int_equal(x2_read(apics[i], APIC_REG_LDR), ldr);
		assert_int_equal(ipi_x2apic(0, ldr, ICR_LOGICAL | 0x40),
				 1U << i);
	}
	/* All of a cluster, and none of the other. */
	assert_int_equal(ipi_x2apic(3, 0x0ffff, ICR_LOGICAL | 0x41), 0xffff);
	assert_int_equal(ipi_x2apic(3, 0x1ffff, ICR_LOGICAL | 0x42),
			 0xffff0000);
	assert_int_equal(ipi_x2apic(3, 0x2ffff, ICR_LOGICAL | 0x43), 0);
}

/*
 * Ids with gaps, as packages of three cores have them, given after each has had
 * another one; and wider ones than there are, whose low bits somebody has.
 */
static void test_ids_with_gaps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CPUS; i++)
		apic_group_set(&group, i, apics[i],
			       (uint8_t)(i / 3 * 4 + i % 3));
	enable_x2apic();
	for (unsigned i = 0; i < CPUS; i++) {
		unsigned id = i / 3 * 4 + i % 3;

		assert_int_equal(x2_read(apics[i], APIC_REG_ID), id);
		assert_int_equal(ipi_x2apic(0, id, 0x40), 1U << i);
		assert_int_equal(ipi_x2apic(0, id + 256, 0x40), 0);
		assert_int_equal(ipi_x2apic(0, (id / 16) << 16 | 1U << id % 16,
					    ICR_LOGICAL | 0x41),
				 1U << i);
		assert_int_equal(
			ipi_x2apic(0, (id / 16 + 16) << 16 | 1U << id % 16,
				   ICR_LOGICAL | 0x41),
			0);
	}
	for (unsigned id = 3; id < CPUS; id += 4)
		assert_int_equal(ipi_x2apic(0, id, 0x42), 0);
	/* All of the third cluster, and one of them. */
	assert_int_equal(ipi_x2apic(0, 0x2ffff, ICR_LOGICAL | 0x43),
			 0xff000000);
	assert_int_equal(__builtin_popcount(ipi_x2apic(
				 0, 0x2ffff, ICR_LOGICAL | ICR_LOWEST | 0x44)),
			 1);
}

/* As many vectors as idle APICs: each APIC gets one. */
static void test_lowest_priority(void **state)
{
	uint32_t got = 0;

	(void)state;
	for (unsigned vector = 0x40; vector < 0x40 + CPUS; vector++) {
		uint32_t who = ipi_xapic(0, 0xff, ICR_LOWEST | vector);

		assert_int_equal(__builtin_popcount(who), 1);
		assert_int_equal(got & who, 0);
		got |= who;
	}
	assert_int_equal(got, ALL_CPUS);
	for (unsigned i = 0; i < CPUS; i++)
		apic_tpr_set(apics[i], i == 31 ? 0 : 0x30);
	assert_int_equal(ipi_xapic(0, 0xff, ICR_LOWEST | 0x50), 1U << 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_physical_xapic),  TEST(test_physical_x2apic),
		TEST(test_logical_x2apic),  TEST(test_ids_with_gaps),
		TEST(test_lowest_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
