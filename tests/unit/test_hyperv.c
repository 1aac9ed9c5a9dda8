/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/hyperv*.c: registers, overlays, timers and messages, hypercalls and
 * what is wrong with them, crashes.
 */
#include "tests/unit/device_test.h"

#include "include/errno.h"
#include "tests/unit/hyperv_test.h"

#define ON	HV_PAGE_ENABLE
#define PAGE(n) ((uint64_t)(n)*PAGE_SIZE)

#define SINT	 2
#define VECTOR	 0x60
#define TIMER(n) (HV_MSR_STIMER0 + 2 * (n))
#define COUNT(n) (TIMER(n) + 1)
#define TO_SINT	 FIELD_PUT(HV_STIMER_SINT, SINT)
#define DIRECT	 (HV_STIMER_DIRECT | FIELD_PUT(HV_STIMER_VECTOR, VECTOR))
#define MS	 1000000ULL /* ns; the counter's unit is 100 of them */

static struct bench bench;
static struct world world;
static uint8_t ram[WORLD_PAGES * PAGE_SIZE];

static int begin(void **state)
{
	(void)state;
	bench_init(&bench);
	memset(&world, 0, sizeof(world));
	for (unsigned i = 0; i < sizeof(ram); i++)
		ram[i] = (uint8_t)(i / PAGE_SIZE + 1);
	world_init(&world, &bench.clock, ram);
	return 0;
}

static int set_vp(unsigned vp, uint32_t msr, uint64_t value)
{
	return hyperv_msr_write(&world.hv, vp, msr, value);
}

static void set(uint32_t msr, uint64_t value)
{
	assert_int_equal(set_vp(0, msr, value), 0);
}

static uint64_t get(uint32_t msr)
{
	uint64_t value = 0xdead;

	assert_int_equal(hyperv_msr_read(&world.hv, 0, msr, &value), 0);
	return value;
}

/* ---- Registers ------------------------------------------------------------
 */

static void test_registers(void **state)
{
	static const uint32_t absent[] = { 0x3fffffff, 0x40000004, 0x40000070,
					   0x40000074, 0x40000085, 0x4000008f,
					   0x400000a0, 0x400000b8, 0x400000ff,
					   0x40000106 };
	static const uint32_t read_only[] = {
		HV_MSR_VP_INDEX, HV_MSR_VP_RUNTIME, HV_MSR_REF_COUNT,
		HV_MSR_TSC_FREQ, HV_MSR_APIC_FREQ,  HV_MSR_SVERSION
	};
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		assert_int_equal(
			hyperv_msr_read(&world.hv, 0, absent[i], &value),
			-ENOENT);
		assert_int_equal(set_vp(0, absent[i], 0), -ENOENT);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(read_only); i++) {
		(void)get(read_only[i]);
		assert_int_equal(set_vp(0, read_only[i], 0), -EINVAL);
	}
	assert_int_equal(get(HV_MSR_TSC_FREQ), WORLD_HZ);
	assert_int_equal(get(HV_MSR_APIC_FREQ), 200000000);
	assert_int_equal(hyperv_msr_read(&world.hv, 2, HV_MSR_VP_INDEX, &value),
			 0);
	assert_int_equal(value, 2);
	bench.now_ns = 12345600;
	assert_in_range(get(HV_MSR_REF_COUNT), 123455, 123456);
	set(HV_MSR_RESET, 0);
	assert_int_equal(world.resets, 0);
	set(HV_MSR_RESET, 1);
	assert_int_equal(world.resets, 1);
}

static void test_crash(void **state)
{
	(void)state;
	strcpy((char *)ram + PAGE(2) - 3, "ab\ncd\x01");
	for (unsigned i = 0; i < 3; i++)
		set(HV_MSR_CRASH_P0 + i, 0xa0 + i);
	set(HV_MSR_CRASH_CTL, HV_CRASH_MESSAGE);
	assert_int_equal(world.lines, 0);
	set(HV_MSR_CRASH_P0 + 3, PAGE(2) - 3);
	set(HV_MSR_CRASH_P0 + 4, 6);
	set(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY);
	assert_int_equal(world.lines, 1);
	assert_non_null(strstr(world.line, "a0 a1 a2 1ffd 6"));
	set(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE);
	assert_int_equal(world.lines, 4);
	assert_string_equal(world.line, "cd ");
	/* Longer than anything, and not there. */
	set(HV_MSR_CRASH_P0 + 4, UINT64_MAX);
	set(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE);
	assert_in_range(world.lines, 6, 60);
	set(HV_MSR_CRASH_P0 + 3, UINT64_MAX);
	world.lines = 0;
	set(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE);
	assert_int_equal(world.lines, 1);
}

/* ---- Overlays -------------------------------------------------------------
 */

static void test_call_page(void **state)
{
	static const uint8_t code[] = { 0x0f, 0x01, 0xd9, 0xc3 };

	(void)state;
	set(HV_MSR_HYPERCALL, PAGE(1) | ON);
	assert_int_equal(get(HV_MSR_HYPERCALL), 0);
	assert_false(hyperv_has_calls(&world.hv));
	set(HV_MSR_GUEST_OS_ID, 7);
	set(HV_MSR_HYPERCALL, PAGE(1) | ON);
	assert_true(hyperv_has_calls(&world.hv));
	assert_memory_equal(ram + PAGE(1), code, sizeof(code));
	set(HV_MSR_HYPERCALL, PAGE(2) | ON);
	assert_int_equal(ram[PAGE(1)], 2);
	assert_memory_equal(ram + PAGE(2), code, sizeof(code));
	set(HV_MSR_HYPERCALL, PAGE(2) | ON | HV_HYPERCALL_LOCKED);
	set(HV_MSR_HYPERCALL, 0);
	assert_int_equal(get(HV_MSR_HYPERCALL),
			 PAGE(2) | ON | HV_HYPERCALL_LOCKED);
	set(HV_MSR_GUEST_OS_ID, 0);
	assert_int_equal(ram[PAGE(2)], 3);
	assert_false(hyperv_has_calls(&world.hv));
	assert_int_equal(set_vp(0, HV_MSR_REF_TSC, PAGE(WORLD_PAGES) | ON),
			 -EINVAL);
	assert_int_equal(set_vp(0, HV_MSR_REF_TSC, BIT(WORLD_BITS)), -EINVAL);
	assert_int_equal(get(HV_MSR_REF_TSC), 0);
}

static void test_two_at_one(void **state)
{
	(void)state;
	set(HV_MSR_SIMP, PAGE(4) | ON);
	set(HV_MSR_SIEFP, PAGE(4) | ON);
	assert_int_equal(set_vp(1, HV_MSR_VP_ASSIST, PAGE(4) | ON), 0);
	ram[PAGE(4) + 9] = 0x99;
	/* Not the one that is seen. */
	set(HV_MSR_SIEFP, 0);
	assert_int_equal(ram[PAGE(4) + 9], 0x99);
	set(HV_MSR_SIMP, PAGE(5) | ON);
	assert_int_equal(ram[PAGE(5) + 9], 0x99);
	assert_int_equal(ram[PAGE(4) + 9], 0);
	hyperv_withdraw(&world.hv);
	for (unsigned i = 0; i < sizeof(ram); i++)
		assert_int_equal(ram[i], i / PAGE_SIZE + 1);
}

static void test_time_page(void **state)
{
	uint64_t scale;

	(void)state;
	set(HV_MSR_REF_TSC, PAGE(3) | ON);
	assert_int_equal(ram[PAGE(3)], 1);
	memcpy(&scale, ram + PAGE(3) + 8, sizeof(scale));
	bench.now_ns = 98765432100;
	assert_int_equal(
		(uint64_t)(((unsigned __int128)bench.now_ns * scale) >> 64),
		get(HV_MSR_REF_COUNT));
}

/* ---- Timers ---------------------------------------------------------------
 */

static void test_direct(void **state)
{
	(void)state;
	assert_int_equal(set_vp(0, TIMER(0),
				HV_STIMER_ENABLE | HV_STIMER_DIRECT | 15 << 4),
			 -EINVAL);
	set(TIMER(0), HV_STIMER_DIRECT | HV_STIMER_AUTO | 15 << 4);
	set(COUNT(0), 1);
	assert_false(get(TIMER(0)) & HV_STIMER_ENABLE);
	set(TIMER(0), DIRECT | HV_STIMER_AUTO);
	set(COUNT(0), 50000); /* 5 ms */
	assert_true(get(TIMER(0)) & HV_STIMER_ENABLE);
	bench_step(&bench, 4 * MS);
	assert_int_equal(world.taken[0][VECTOR], 0);
	bench_step(&bench, 2 * MS);
	assert_int_equal(world.taken[0][VECTOR], 1);
	assert_false(get(TIMER(0)) & HV_STIMER_ENABLE);
	bench_step(&bench, 1000 * MS);
	assert_int_equal(world.taken[0][VECTOR], 1);
	set(COUNT(0), 1);
	set(COUNT(0), 0);
	bench_step(&bench, MS);
	assert_int_equal(world.taken[0][VECTOR], 1);
}

static void test_periodic(void **state)
{
	(void)state;
	set(COUNT(1), 20000);
	set(TIMER(1), DIRECT | HV_STIMER_PERIODIC | HV_STIMER_ENABLE);
	bench_step(&bench, 21 * MS);
	assert_int_equal(world.taken[0][VECTOR], 10);
	/* What was missed is not made up for. */
	bench.now_ns += 100 * MS;
	clock_run(&bench.clock);
	assert_int_equal(world.taken[0][VECTOR], 11);
	/* As fast as it may be, and as slow. */
	world.taken[0][VECTOR] = 0;
	set(COUNT(1), 1);
	bench_step(&bench, 10 * MS);
	assert_in_range(world.taken[0][VECTOR], 90, 101);
	world.taken[0][VECTOR] = 0;
	set(COUNT(1), UINT64_MAX);
	bench_step(&bench, 1000 * MS);
	assert_int_equal(world.taken[0][VECTOR], 0);
}

static uint32_t slot_word(unsigned n)
{
	uint32_t word;

	memcpy(&word, ram + PAGE(6) + SINT * 256 + 4 * n, sizeof(word));
	return word;
}

static void test_messages(void **state)
{
	(void)state;
	assert_int_equal(set_vp(0, HV_MSR_SINT0 + SINT, 15), -EINVAL);
	set(HV_MSR_SINT0 + SINT, VECTOR);
	set(TIMER(0), HV_STIMER_AUTO | TO_SINT);
	set(TIMER(3), HV_STIMER_AUTO | TO_SINT);
	/* Nowhere to put it. */
	set(COUNT(0), 1);
	bench_step(&bench, MS);
	assert_int_equal(world.taken[0][VECTOR], 0);
	set(HV_MSR_SCONTROL, 1);
	set(HV_MSR_SIMP, PAGE(6) | ON);
	set(COUNT(0), 2);
	bench_step(&bench, MS);
	assert_int_equal(world.taken[0][VECTOR], 1);
	assert_int_equal(slot_word(0), 0x80000010);
	assert_int_equal(slot_word(1), 24);
	assert_int_equal(slot_word(4), 0);
	assert_int_equal(slot_word(6), 2);
	set(COUNT(3), 3);
	bench_step(&bench, MS);
	assert_int_equal(slot_word(1), 24 | 1 << 8);
	set(HV_MSR_EOM, 0);
	assert_int_equal(world.taken[0][VECTOR], 1);
	memset(ram + PAGE(6) + SINT * 256, 0, 4);
	set(HV_MSR_EOM, 0);
	assert_int_equal(world.taken[0][VECTOR], 2);
	assert_int_equal(slot_word(4), 3);
	assert_int_equal(slot_word(1), 24);
	/* Masked: a message, and no interrupt. */
	memset(ram + PAGE(6) + SINT * 256, 0, 4);
	set(HV_MSR_SINT0 + SINT, HV_SINT_MASKED);
	set(COUNT(0), 4);
	bench_step(&bench, MS);
	assert_int_equal(slot_word(0), 0x80000010);
	assert_int_equal(world.taken[0][VECTOR], 2);
}

/* ---- Hypercalls -----------------------------------------------------------
 */

#define REPS(n)	 ((uint64_t)(n) << 32)
#define START(n) ((uint64_t)(n) << 48)
#define WORDS(n) ((uint64_t)(n) << 17)

static uint8_t xmm[6][16];

static uint64_t call(uint64_t value, uint64_t a, uint64_t b)
{
	const struct hyperv_input input = {
		.value = value,
		.parameter = { a, b },
		.xmm = hyperv_call_needs_xmm(value) ? (const uint8_t(*)[16])xmm
						    : NULL,
	};

	return hyperv_call(&world.hv, &input);
}

static void put(uint64_t gpa, const uint64_t *words, unsigned count)
{
	memcpy(ram + gpa, words, count * sizeof(*words));
}

static void test_flushes(void **state)
{
	/* clang-format off */
	static const struct { uint64_t value, words[6]; unsigned flushes;
			      uint64_t result; } rows[] = {
		{ 0x02, { 0, 0, 1 }, 1, 0 },
		{ 0x02, { 0, 0, 0 }, 0, 0 },
		{ 0x02, { 0, 0, BIT(WORLD_VPS) }, 0, 0 },
		{ 0x02, { 0, 1, 0 }, 1, 0 },
		{ 0x02, { 0, 0x10, 1 }, 0, 5 },
		{ 0x02 | REPS(1), { 0, 0, 1 }, 0, 3 },
		{ 0x02 | WORDS(1), { 0, 0, 1 }, 0, 3 },
		{ 0x02 | BIT(31), { 0, 0, 1 }, 0, 3 },
		{ 0x02 | BIT(27), { 0, 0, 1 }, 0, 3 },
		{ 0x02 | BIT(44), { 0, 0, 1 }, 0, 3 },
		{ 0x02 | BIT(63), { 0, 0, 1 }, 0, 3 },
		{ 0x03, { 0, 0, 1 }, 0, 3 },
		{ 0x03 | REPS(4), { 0, 0, 1 }, 1, REPS(4) },
		{ 0x03 | REPS(4) | START(3), { 0, 0, 1 }, 1, REPS(4) },
		{ 0x03 | REPS(4) | START(4), { 0, 0, 1 }, 0, 3 },
		{ 0x03 | REPS(509), { 0, 0, 1 }, 1, REPS(509) },
		{ 0x03 | REPS(510), { 0, 0, 1 }, 0, 4 },
		{ 0x13 | WORDS(1), { 0, 0, 0, 1, 2 }, 1, 0 },
		{ 0x13 | WORDS(1), { 0, 0, 0, 2, 1 }, 0, 0 },
		{ 0x13 | WORDS(1), { 0, 0, 0, 3, 1 }, 0, 3 },
		{ 0x13 | WORDS(65), { 0, 0, 0, 0 }, 0, 3 },
		{ 0x13, { 0, 0, 1, 0 }, 1, 0 },
		{ 0x13, { 0, 0, 2, 0 }, 0, 5 },
		{ 0x14 | WORDS(1) | REPS(2), { 0, 0, 0, 1, 1 }, 1, REPS(2) },
	};
	/* clang-format on */

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		world.flushes = 0;
		put(PAGE(8), rows[i].words, 6);
		assert_int_equal(call(rows[i].value, PAGE(8), 0),
				 rows[i].result);
		assert_int_equal(world.flushes, rows[i].flushes);
	}
	assert_int_equal(call(0x02, PAGE(8) + 4, 0), 4);
	assert_int_equal(call(0x02, PAGE(9) - 16, 0), 4);
	assert_int_equal(call(0x02, PAGE(WORLD_PAGES), 0), 3);
	assert_int_equal(call(0x02, UINT64_MAX - 7, 0), 4);
	assert_int_equal(call(0x5c, PAGE(8), 0), 2);
}

static void test_fast(void **state)
{
	static const uint64_t set = 2, all[] = { 1, 0 };

	(void)state;
	memcpy(xmm, &set, sizeof(set));
	assert_int_equal(call(0x02 | HV_CALL_FAST, 0, 0), 0);
	assert_int_equal(world.flushes, 1);
	memset(xmm, 0, sizeof(xmm));
	assert_int_equal(call(0x02 | HV_CALL_FAST, 0, 0), 0);
	assert_int_equal(world.flushes, 1);
	assert_int_equal(call(0x03 | HV_CALL_FAST | REPS(11), 0, 1), REPS(11));
	assert_int_equal(call(0x03 | HV_CALL_FAST | REPS(12), 0, 1), 3);
	memcpy(xmm, all, sizeof(all));
	assert_int_equal(call(0x13 | HV_CALL_FAST, 0, 0), 0);
	assert_int_equal(world.flushes, 3);
	assert_int_equal(call(0x08 | HV_CALL_FAST, 5, 0), 0);
	assert_int_equal(world.yields, 1);
	assert_false(hyperv_call_needs_xmm(0x0b | HV_CALL_FAST));
}

static void test_send(void **state)
{
	static const uint64_t sparse[] = { VECTOR, 0, 1, 4 },
			      all[] = { VECTOR, 1, 0 };

	(void)state;
	assert_int_equal(call(0x0b | HV_CALL_FAST, VECTOR, UINT64_MAX & ~2ULL),
			 0);
	assert_int_equal(world.taken[0][VECTOR], 1);
	assert_int_equal(world.taken[1][VECTOR], 0);
	assert_int_equal(world.taken[2][VECTOR], 1);
	put(PAGE(8), sparse, 4);
	assert_int_equal(call(0x15 | WORDS(1), PAGE(8), 0), 0);
	assert_int_equal(world.taken[2][VECTOR], 2);
	assert_int_equal(world.taken[0][VECTOR], 1);
	put(PAGE(8), all, 3);
	assert_int_equal(call(0x15, PAGE(8), 0), 0);
	assert_int_equal(world.taken[1][VECTOR], 1);
	assert_int_equal(call(0x0b | HV_CALL_FAST, 15, 1), 5);
	assert_int_equal(call(0x0b | HV_CALL_FAST, 256, 1), 5);
	assert_int_equal(call(0x0b | HV_CALL_FAST, VECTOR | BIT(32), 1), 5);
}

/* Whatever is asked for, the sanitizers find nothing. */
static void test_random(void **state)
{
	static const uint8_t codes[] = { 2, 3, 8, 0xb, 0x13, 0x14, 0x15 };
	uint64_t seed = 88172645463325252;

	(void)state;
	for (unsigned i = 0; i < sizeof(ram); i++)
		ram[i] = i % 8 ? 0 : (uint8_t)(i / 8 & 3);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t value;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		value = codes[seed % ARRAY_SIZE(codes)] |
			(seed >> 8 & 1 ? HV_CALL_FAST : 0) |
			WORDS(seed >> 9 & (seed >> 60 & 1 ? 3 : 127)) |
			REPS(seed >> 16 & (seed >> 61 & 1 ? 3 : 4095)) |
			START(seed >> 28 & 3);
		(void)call(value, seed >> 32 & 0x1fff8, seed >> 3 & 3);
	}
	assert_true(world.flushes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, begin),
		cmocka_unit_test_setup(test_crash, begin),
		cmocka_unit_test_setup(test_call_page, begin),
		cmocka_unit_test_setup(test_two_at_one, begin),
		cmocka_unit_test_setup(test_time_page, begin),
		cmocka_unit_test_setup(test_direct, begin),
		cmocka_unit_test_setup(test_periodic, begin),
		cmocka_unit_test_setup(test_messages, begin),
		cmocka_unit_test_setup(test_flushes, begin),
		cmocka_unit_test_setup(test_fast, begin),
		cmocka_unit_test_setup(test_send, begin),
		cmocka_unit_test_setup(test_random, begin),
	};

	return cmocka_run_group_tests_name("hyperv", tests, NULL, NULL);
}
