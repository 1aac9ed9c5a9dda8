/* SPDX-License-Identifier: BSD-2-Clause */
/* Direct boot by Multiboot 2: what a kernel is told, and what is refused. */
#include "tests/unit/direct_test.h"

#define MB2_AT	 0x40
#define MB2_SIZE 0x200
#define MB2_LOAD 0x300000

/* A flat kernel whose tags are those, which fill the header. */
static void make_multiboot2(uint8_t file[MB2_SIZE], const uint32_t *tags,
			    uint32_t count)
{
	uint32_t length = 16 + 4 * count;

	memset(file, 0, MB2_SIZE);
	put32(file + MB2_AT, 0xe85250d6);
	put32(file + MB2_AT + 8, length);
	put32(file + MB2_AT + 12, -(0xe85250d6 + length));
	memcpy(file + MB2_AT + 16, tags, 4 * count);
}

static const uint32_t mb2_good[] = {
	2,	  24, MB2_LOAD + MB2_AT,
	MB2_LOAD, 0,  MB2_LOAD + 0x1000, /* address */
	3,	  12, MB2_LOAD + 0x80,
	0, /* entry, padded to 8 */
	1,	  16, 6,
	15, /* wants a memory map and the RSDP */
	0,	  8,
};

/* The tag of that type, within the information; 0: there is none. */
static uint32_t mb2_find(uint32_t type)
{
	uint32_t at = f.entry.ebx, end = at + get32(at);

	for (at += 8; at < end; at += (uint32_t)ALIGN_UP(get32(at + 4), 8)) {
		if (get32(at) == type)
			return at;
		assert_true(get32(at) && get32(at + 4) >= 8);
	}
	return 0;
}

static void test_multiboot2(void **state)
{
	uint8_t file[MB2_SIZE];
	uint32_t tag;

	(void)state;
	make_multiboot2(file, mb2_good, ARRAY_SIZE(mb2_good));
	memset(f.memory + MB2_LOAD, 0xff, 0x1000);
	f.boot.cmdline = "one two";
	f.boot.initrd = "ramdisk";
	f.boot.initrd_length = 7;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_int_equal(f.entry.protocol, DIRECT_MULTIBOOT2);
	assert_int_equal(f.entry.eip, MB2_LOAD + 0x80);
	assert_int_equal(f.entry.eax, 0x36d76289);
	assert_int_equal(get32(MB2_LOAD + MB2_AT), 0xe85250d6);
	assert_int_equal(get32(MB2_LOAD + 0xffc), 0);
	assert_string_equal(f.memory + mb2_find(1) + 8, "one two");
	assert_string_equal(f.memory + mb2_find(2) + 8, "Bulkhead");
	tag = mb2_find(3);
	assert_memory_equal(f.memory + get32(tag + 8), "ramdisk", 7);
	assert_int_equal(get32(tag + 12) - get32(tag + 8), 7);
	tag = mb2_find(4);
	assert_int_equal(get32(tag + 8), 639);
	assert_int_equal(get32(tag + 12), (RAM_SIZE - MIB(1)) >> 10);
	tag = mb2_find(6);
	assert_int_equal(get32(tag + 4), 16 + 4 * 24);
	assert_int_equal(get32(tag + 8), 24);
	assert_int_equal(get64(tag + 16 + 8), 0x9fc00);
	assert_int_equal(get32(tag + 16 + 16), 1);
	assert_memory_equal(f.memory + mb2_find(15) + 8, "RSD PTR ", 8);
	/* The last one ends where the whole does. */
	tag = f.entry.ebx + get32(f.entry.ebx) - 8;
	assert_int_equal(get32(tag), 0);
	assert_int_equal(get32(tag + 4), 8);
}

/* As long a command line as there can be. */
static void test_multiboot2_long(void **state)
{
	char line[DIRECT_CMDLINE_MAX];
	uint8_t file[MB2_SIZE];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	make_multiboot2(file, mb2_good, ARRAY_SIZE(mb2_good));
	f.boot.cmdline = line;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_string_equal(f.memory + mb2_find(1) + 8, line);
	assert_true(mb2_find(15) && mb2_find(6));
}

static void test_bad_multiboot2(void **state)
{
	static const struct {
		uint32_t at, value; /* of the tags */
		const char *error;
	} rows[] = {
		{ 0, 11, "features (tag 11)" },
		{ 0, 7, "features (tag 7)" },
		{ 1, 7, "bad tag" },
		{ 1, 0x1000, "bad tag" },
		{ 1, UINT32_MAX, "bad tag" },
		{ 12, 5, "information of type 5" },
		{ 12, 0x1000, "information of type 4096" },
		{ 2, 0, "lies before" },
		{ 2, MB2_LOAD + 0x1000, "lies before" },
		{ 4, 1, "wrong order" },
		{ 5, UINT32_MAX, "not RAM" },
		{ 14, 1, "bad tag" },
	};
	uint32_t tags[ARRAY_SIZE(mb2_good)];
	uint8_t file[MB2_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(tags, mb2_good, sizeof(tags));
		tags[rows[i].at] = rows[i].value;
		make_multiboot2(file, tags, ARRAY_SIZE(tags));
		assert_int_equal(load(file, sizeof(file)), -EINVAL);
		if (!strstr(f.error, rows[i].error))
			fail_msg("%zu: %s", i, f.error);
	}
	/* What is unknown and optional is passed over. */
	memcpy(tags, mb2_good, sizeof(tags));
	tags[10] = 1 << 16 | 11;
	make_multiboot2(file, tags, ARRAY_SIZE(tags));
	assert_int_equal(load(file, sizeof(file)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_multiboot2, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_multiboot2_long, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_multiboot2, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
