/* SPDX-License-Identifier: BSD-2-Clause */
/* cpumodel/apic.c: the timer and its modes. */
#include "tests/unit/apic_test.h"

static void test_timer_one_shot(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	reg_write(apic, APIC_REG_LVT_TIMER, 0x40);
	reg_write(apic, APIC_REG_TIMER_DIVIDE, 0xb); /* by 1 */
	reg_write(apic, APIC_REG_TIMER_INITIAL, 5000);
	assert_int_equal(cpus[0].deadline_ns, 6000);
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_CURRENT), 5000);
	now = 3000;
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_CURRENT), 3000);
	/* A running count changes speed. */
	reg_write(apic, APIC_REG_TIMER_DIVIDE, 0x0); /* by 2 */
	assert_int_equal(cpus[0].deadline_ns, 9000);
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_CURRENT), 3000);
	now = 8999;
	apic_timer_expired(apic); /* early: armed again */
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_int_equal(cpus[0].deadline_ns, 9000);
	now = 9000;
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_CURRENT), 0);
	apic_timer_expired(apic);
	assert_int_equal(apic_pending_vector(apic), 0x40);
	assert_int_equal(apic_take(apic), 0x40);
	apic_eoi(apic);
	now = 99000;
	apic_timer_expired(apic);
	assert_int_equal(apic_pending_vector(apic), -1);
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_CURRENT), 0);
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_INITIAL), 5000);
	/* Zero stops. */
	reg_write(apic, APIC_REG_TIMER_INITIAL, 100);
	reg_write(apic, APIC_REG_TIMER_INITIAL, 0);
	assert_int_equal(cpus[0].disarmed, 1);
	now += 1000;
	apic_timer_expired(apic);
	assert_int_equal(apic_pending_vector(apic), -1);
}

static void test_timer_divide(void **state)
{
	static const struct {
		uint8_t code, divisor;
	} rows[] = { { 0, 2 },	{ 1, 4 },  { 2, 8 },	{ 3, 16 },
		     { 8, 32 }, { 9, 64 }, { 10, 128 }, { 11, 1 } };
	struct apic *apic = apics[0];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		reg_write(apic, APIC_REG_TIMER_DIVIDE, rows[i].code);
		assert_int_equal(reg_read(apic, APIC_REG_TIMER_DIVIDE),
				 rows[i].code);
		reg_write(apic, APIC_REG_TIMER_INITIAL, 0xffffffff);
		assert_int_equal(cpus[0].deadline_ns,
				 now + 0xffffffffULL * rows[i].divisor);
	}
}

static void test_timer_periodic(void **state)
{
	struct apic *apic = apics[0];

	(void)state;
	reg_write(apic, APIC_REG_LVT_TIMER, PERIODIC | 0x41);
	reg_write(apic, APIC_REG_TIMER_DIVIDE, 0xb);
	reg_write(apic, APIC_REG_TIMER_INITIAL, 50000);
	for (unsigned i = 1; i <= 3; i++) {
		now = 1000 + i * 50000 + 7;
		/* The count has wrapped before anybody was told. */
		assert_int_equal(reg_read(apic, APIC_REG_TIMER_CURRENT), 49993);
		apic_timer_expired(apic);
		assert_int_equal(cpus[0].deadline_ns, 1000 + (i + 1) * 50000);
		assert_int_equal(apic_pending_vector(apic), 0x41);
		assert_int_equal(apic_take(apic), 0x41);
		apic_eoi(apic);
	}
	now += 1000000; /* late: lost ticks do not pile up */
	apic_timer_expired(apic);
	assert_int_equal(cpus[0].deadline_ns, now + 50000);
	/* Masked it runs on, silently. */
	assert_int_equal(apic_take(apic), 0x41);
	apic_eoi(apic);
	reg_write(apic, APIC_REG_LVT_TIMER, PERIODIC | LVT_MASKED | 0x41);
	now += 50000;
	apic_timer_expired(apic);
	assert_int_equal(cpus[0].deadline_ns, now + 50000);
	assert_int_equal(apic_pending_vector(apic), -1);
	/* A period of one tick must not keep the host busy. */
	reg_write(apic, APIC_REG_TIMER_INITIAL, 1);
	now += 10;
	apic_timer_expired(apic);
	assert_true(cpus[0].deadline_ns >= now + 10000);
}

static void test_timer_tsc_deadline(void **state)
{
	struct apic *apic = apics[0];
	uint64_t value;

	(void)state;
	/* Not in the mode: dropped. */
	assert_int_equal(apic_msr_write(apic, MSR_TSC_DEADLINE, 5), 0);
	assert_int_equal(apic_msr_read(apic, MSR_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 0);
	reg_write(apic, APIC_REG_LVT_TIMER, DEADLINE | 0x42);
	reg_write(apic, APIC_REG_TIMER_INITIAL, 1000);
	assert_int_equal(reg_read(apic, APIC_REG_TIMER_INITIAL), 0);
	assert_int_equal(cpus[0].armed, 0);
	assert_int_equal(apic_msr_write(apic, MSR_TSC_DEADLINE, 7777), 0);
	assert_int_equal(cpus[0].deadline_tsc, 7777);
	assert_int_equal(apic_msr_read(apic, MSR_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 7777);
	apic_timer_expired(apic);
	assert_int_equal(apic_pending_vector(apic), 0x42);
	assert_int_equal(apic_msr_read(apic, MSR_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(apic_take(apic), 0x42);
	apic_eoi(apic);
	apic_timer_expired(apic);
	assert_int_equal(apic_pending_vector(apic), -1);
	/* Leaving the mode disarms. */
	assert_int_equal(apic_msr_write(apic, MSR_TSC_DEADLINE, 8888), 0);
	reg_write(apic, APIC_REG_LVT_TIMER, 0x42);
	assert_int_equal(cpus[0].disarmed, 1);
	apic_timer_expired(apic);
	assert_int_equal(apic_pending_vector(apic), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_timer_one_shot),
		TEST(test_timer_divide),
		TEST(test_timer_periodic),
		TEST(test_timer_tsc_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
