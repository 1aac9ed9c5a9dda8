/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMBIOS: the anchor's sums and counts hold, every structure can be walked to
 * the end marker, sizes beyond the old fields move to the new ones.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/buffer.h"
#include "firmware/smbios.h"

static struct smbios_tables smbios;

struct walked {
	unsigned count;
	unsigned type[128];
	const uint8_t *first[128];
};

/* The structure behind this one: past its strings' double zero. */
static const uint8_t *structure_next(const uint8_t *at)
{
	at += at[1];
	while (at[0] || at[1])
		at++;
	return at + 2;
}

static const char *string_of(const uint8_t *at, unsigned number)
{
	const char *text = (const char *)at + at[1];

	while (--number)
		text += strlen(text) + 1;
	return text;
}

static struct walked walk(void)
{
	struct walked w = { 0 };
	const uint8_t *at = smbios.tables;
	const uint8_t *end = at + smbios.tables_length;

	for (; at < end; at = structure_next(at)) {
		assert_in_range(at[0], 0, 127);
		if (!w.type[at[0]])
			w.first[at[0]] = at;
		w.type[at[0]]++;
		w.count++;
	}
	assert_ptr_equal(at, end);
	return w;
}

static void build(uint64_t ram, unsigned vcpus, uint32_t gpa)
{
	struct board_description board;

	assert_int_equal(board_description_pc(&board, ram, vcpus), 0);
	board.uuid[15] = 0x5a;
	assert_int_equal(smbios_tables_build(&smbios, &board, gpa), 0);
}

static void test_anchor(void **state)
{
	uint16_t length, count;
	uint32_t gpa;

	(void)state;
	build(MIB(512), 2, 0xec000);
	assert_memory_equal(smbios.anchor, "_SM_", 4);
	assert_memory_equal(smbios.anchor + 16, "_DMI_", 5);
	assert_int_equal(checksum_of(smbios.anchor, SMBIOS_ANCHOR_SIZE), 0);
	assert_int_equal(checksum_of(smbios.anchor + 16, 15), 0);
	memcpy(&length, smbios.anchor + 22, 2);
	memcpy(&gpa, smbios.anchor + 24, 4);
	memcpy(&count, smbios.anchor + 28, 2);
	assert_int_equal(length, smbios.tables_length);
	assert_int_equal(gpa, 0xec000);
	assert_int_equal(count, walk().count);
}

static void test_structures(void **state)
{
	struct walked w;

	(void)state;
	build(MIB(512), BOARD_VCPUS_MAX, 0);
	w = walk();
	assert_int_equal(w.type[0], 0);
	assert_int_equal(w.type[4], BOARD_VCPUS_MAX);
	assert_int_equal(w.type[19], 1);
	assert_int_equal(w.type[127], 1);
	assert_string_equal(string_of(w.first[1], 1), "Bulkhead");
	assert_string_equal(string_of(w.first[3], w.first[3][6]), "1");
	assert_string_equal(string_of(w.first[4], 1), "CPU 0");
	assert_int_equal(w.first[1][8 + 15], 0x5a);
	build(MIB(512), 1, 0xec000);
	assert_int_equal(walk().type[0], 1);
}

static void test_memory_sizes(void **state)
{
	struct walked w;
	uint16_t mib;
	uint32_t wide;

	(void)state;
	build(MIB(512), 1, 0);
	w = walk();
	memcpy(&mib, w.first[17] + 12, 2);
	assert_int_equal(mib, 512);
	build(GIB(64), 1, 0);
	w = walk();
	memcpy(&mib, w.first[17] + 12, 2);
	memcpy(&wide, w.first[17] + 28, 4);
	assert_int_equal(mib, 0x7fff);
	assert_int_equal(wide, 65536);
	assert_int_equal(w.type[19], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_structures),
		cmocka_unit_test(test_memory_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
