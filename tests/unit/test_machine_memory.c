/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine has shown of RAM that comes and goes: on a gate and a window
 * of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/user/gate_calls.h"
#include "machine/memory.h"

#define RAM    MIB(16)
#define VRAM   MIB(2)
#define PIECES (RAM / PAGE_2M)

static struct {
	struct machine_memory memory;
	struct machine_config config;
	char text[512]; /* what the gate was asked */
} bench;

static uint8_t window[RAM + VRAM];

static void note(const char *format, ...)
{
	size_t length = strlen(bench.text);
	va_list args;

	va_start(args, format);
	vsnprintf(bench.text + length, sizeof(bench.text) - length, format,
		  args);
	va_end(args);
}

long gate_map(gpa_t gpa, uint64_t length, uint64_t offset, enum gate_map kind)
{
	static const char kinds[] = "-+r m";

	note("%c%lx+%lx@%lx ", kinds[kind], gpa >> 12, length >> 12,
	     offset >> 12);
	return 0;
}

long gate_release(uint64_t offset, uint64_t length)
{
	note("x%lx+%lx ", offset >> 12, length >> 12);
	return (long)length;
}

/* As if what begins at an odd number of pages were there. */
long gate_fill(uint64_t offset, uint64_t length, const void *from)
{
	note("f%lx+%lx ", offset >> 12, length >> 12);
	if (offset >> 12 & 1)
		return -1;
	__builtin_memcpy(window + offset, from, length);
	return 0;
}

void gate_log(unsigned level, const char *format, ...)
{
	(void)level;
	fail_msg("%s", format);
}

static void expect(const char *text)
{
	assert_string_equal(bench.text, text);
	bench.text[0] = '\0';
}

static void start(bool is_lazy, uint32_t devices)
{
	memset(&bench, 0, sizeof(bench));
	bench.config.ram_size = RAM;
	bench.config.is_lazy = is_lazy;
	bench.config.devices = devices;
	assert_int_equal(
		machine_memory_init(&bench.memory, &bench.config, window),
		is_lazy || devices);
}

static void map(gpa_t gpa, uint64_t length, uint64_t offset, enum gate_map kind)
{
	machine_memory_map(&bench.memory, gpa, length, offset, kind);
}

static bool show(gpa_t gpa, uint64_t offset)
{
	return machine_memory_show(&bench.memory, gpa, window + offset);
}

static void test_plain(void **state)
{
	(void)state;
	start(false, 0);
	map(0, RAM, 0, GATE_MAP_RAM);
	expect("+0+1000@0 ");
	assert_false(show(MIB(2), MIB(2)));
	machine_memory_release(&bench.memory, 0, RAM);
	expect("");
}

/* Parts of pieces, other kinds and other places come at once. */
static void test_lazy(void **state)
{
	(void)state;
	start(true, 0);
	map(MIB(1), MIB(13), MIB(1), GATE_MAP_RAM);
	expect("+100+100@100 -200+c00@200 ");
	map(GIB(4), MIB(2), MIB(14), GATE_MAP_RAM);
	expect("-100000+200@e00 ");
	map(0xe0000000, VRAM, RAM, GATE_MAP_RAM);
	expect("+e0000+200@1000 ");
	map(0xf0000, 0x10000, 0xf0000, GATE_MAP_ROM);
	expect("rf0+10@f0 ");
	map(MIB(1), MIB(1), 0, GATE_MAP_NONE);
	expect("-100+100@0 ");
	/* Behind another window: no piece of RAM's, though it is as far. */
	map(GIB(8), MIB(2), MIB(4), GATE_MAP_MODULE);
	expect("m200000+200@400 ");
	/* Touched by the guest. */
	assert_true(show(MIB(4), MIB(4)));
	expect("+400+200@400 ");
	assert_false(show(MIB(4), MIB(4)));
	assert_false(show(MIB(4), MIB(5)));
	assert_false(show(0, 0)); /* it is */
	assert_false(show(MIB(4), RAM));
	assert_false(machine_memory_show(&bench.memory, MIB(6), NULL));
	expect("");
	map(MIB(1), MIB(13), MIB(1), GATE_MAP_RAM);
	expect("+100+100@100 -200+200@200 +400+200@400 -600+800@600 ");
}

static void test_release(void **state)
{
	(void)state;
	start(false, MACHINE_DEVICE_BALLOON);
	map(0, RAM, 0, GATE_MAP_RAM);
	expect("+0+1000@0 ");
	machine_memory_release(&bench.memory, MIB(4), MIB(4));
	expect("x400+400 ");
	machine_memory_release(&bench.memory, MIB(9), MIB(2));
	machine_memory_release(&bench.memory, 0, MIB(3));
	expect("");
	assert_true(show(MIB(6), MIB(6)));
	assert_false(show(MIB(8), MIB(8)));
	/* Never the first, nor what is behind RAM. */
	bench.text[0] = '\0';
	machine_memory_release(&bench.memory, 0, RAM + VRAM);
	expect("x200+e00 ");
}

/* What is shown in part, or elsewhere, is never hidden: the guest would not
 * have it back as a whole. */
static void test_parted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start(!i, MACHINE_DEVICE_BALLOON);
		map(MIB(1), MIB(4), MIB(1), GATE_MAP_RAM); /* a hole behind */
		map(MIB(6), MIB(6), MIB(6), GATE_MAP_RAM);
		map(GIB(4), MIB(2), MIB(9), GATE_MAP_RAM);
		bench.text[0] = '\0';
		machine_memory_release(&bench.memory, 0, RAM);
		expect("x200+200 x600+200 xc00+400 ");
		assert_false(show(MIB(4), MIB(4)));
		assert_false(show(MIB(8), MIB(8)));
		assert_true(show(MIB(6), MIB(6)));
	}
}

static void test_clear(void **state)
{
	(void)state;
	start(false, 0);
	memset(window, 1, RAM + VRAM);
	machine_memory_clear(&bench.memory);
	for (uint64_t i = 0; i < RAM; i += PAGE_SIZE / 2)
		assert_int_equal(window[i], 0);
	assert_int_equal(window[RAM], 1);
	start(true, 0);
	map(0, RAM, 0, GATE_MAP_RAM);
	bench.text[0] = '\0';
	memset(window, 1, RAM);
	machine_memory_clear(&bench.memory);
	expect("x200+e00 ");
	assert_int_equal(window[PAGE_2M - 1], window[PAGE_2M] - 1);
}

/* Piece by piece, and by hand where one is there already. */
static void test_fill(void **state)
{
	static uint8_t bytes[3 * PAGE_2M];

	(void)state;
	start(true, 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + i / 255);
	memset(window, 0, sizeof(window));
	machine_memory_fill(&bench.memory, window + MIB(3), bytes, MIB(5));
	expect("f300+100 f400+200 f600+200 ");
	assert_memory_equal(window + MIB(3), bytes, MIB(5));
	machine_memory_fill(&bench.memory, window + MIB(7) - PAGE_SIZE, bytes,
			    PAGE_SIZE + 9);
	expect("f6ff+1 ");
	assert_memory_equal(window + MIB(7) - PAGE_SIZE, bytes, PAGE_SIZE + 9);
	assert_int_equal(window[MIB(8)], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	cmocka_unit_test(test_lazy),
		cmocka_unit_test(test_release), cmocka_unit_test(test_parted),
		cmocka_unit_test(test_clear),	cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
