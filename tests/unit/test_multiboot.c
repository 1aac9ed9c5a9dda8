/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/multiboot.c: what loaders leave is read as they mean it, and what no
 * loader should leave neither loops nor is read beyond its end.  Multiboot 2
 * information lies right before the end of memory, so that a read behind it
 * faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "include/errno.h"
#include "tests/unit/boot_memory.h"

#define MB1_MAGIC    0x2badb002
#define MB2_MAGIC    0x36d76289
#define INFO_SIZE    4096
#define FUZZ_ROUNDS  20000
#define FUZZ_SECONDS 60

/* clang-format off */
enum { END = 0, COMMAND = 1, LOADER = 2, MODULE = 3, MAP = 6, SCREEN = 8,
       EFI64 = 12, RSDP_OLD = 14, RSDP_NEW = 15, EFI_MAP = 17 };
/* clang-format on */

static const struct boot_range image = { MIB(1), MIB(4) };
static struct boot_info boot;

/* Multiboot 2 information while it is written. */
static uint8_t info[INFO_SIZE];
static size_t used;

static void put32(uint32_t value)
{
	memcpy(info + used, &value, sizeof(value));
	used += sizeof(value);
}

static void put64(uint64_t value)
{
	memcpy(info + used, &value, sizeof(value));
	used += sizeof(value);
}

static void put_text(const char *text)
{
	memcpy(info + used, text, strlen(text) + 1);
	used += strlen(text) + 1;
}

static void begin(void)
{
	memset(info, 0, sizeof(info));
	used = 8;
}

/* A tag's size is what follows until tag_end(), unless that says else. */
static size_t tag_begin(uint32_t type)
{
	size_t at = used;

	put32(type);
	put32(0);
	return at;
}

static void tag_end(size_t at)
{
	uint32_t size = (uint32_t)(used - at);

	memcpy(info + at + 4, &size, sizeof(size));
	used = ALIGN_UP(used, 8);
}

static void tag_end_as(size_t at, uint32_t size)
{
	memcpy(info + at + 4, &size, sizeof(size));
	used = ALIGN_UP(used, 8);
}

static void put_map(uint64_t base, uint64_t length)
{
	size_t at = tag_begin(MAP);

	put32(24);
	put32(0);
	put64(base);
	put64(length);
	put32(1);
	put32(0);
	tag_end(at);
}

/* Parses what was written, its last byte at the end of memory. */
static int parse_as(uint32_t total)
{
	hpa_t at = BOOT_MEMORY_SIZE - ALIGN_UP(used, 8);

	memcpy(info, &total, sizeof(total));
	memcpy(phys_to_virt(at), info, ALIGN_UP(used, 8));
	return multiboot_parse(MB2_MAGIC, at, &image, &boot);
}

static int parse(void)
{
	return parse_as((uint32_t)used);
}

/* ---- Multiboot 2 -------------------------------------------------------- */

static void test_mb2_is_read(void **state)
{
	size_t at;

	(void)state;
	begin();
	at = tag_begin(COMMAND);
	put_text("one two");
	tag_end(at);
	at = tag_begin(LOADER);
	put_text("GRUB");
	tag_end(at);
	at = tag_begin(MODULE);
	put32(0x800000);
	put32(0x801234);
	put_text("/boot/x/disk.img ");
	tag_end(at);
	put_map(MIB(1), MIB(100));
	tag_end(tag_begin(END));
	assert_int_equal(parse(), 0);
	assert_string_equal(boot.command, "one two");
	assert_string_equal(boot.loader, "GRUB");
	assert_int_equal(boot.modules.count, 1);
	assert_string_equal(boot.modules.module[0].name, "disk.img");
	assert_int_equal(boot.modules.module[0].base, 0x800000);
	assert_int_equal(boot.modules.module[0].length, 0x1234);
	assert_int_equal(boot.ram.count, 1);
	assert_int_equal(boot.ram.range[0].base, MIB(1));
	assert_int_equal(boot.ram.range[0].length, MIB(100));
}

/* Entry sizes and tag sizes that hold no entry: an error, and an end. */
static void test_mb2_bad_maps(void **state)
{
	static const uint32_t types[] = { MAP, EFI_MAP };
	static const struct {
		uint32_t entry_size, tag_size;
	} rows[] = {
		{ 0, 0 },	   { 1, 0 },   { 23, 0 }, { 0x80000000, 0 },
		{ 0xffffffff, 0 }, { 24, 8 },  { 24, 9 }, { 24, 12 },
		{ 24, 15 },	   { 48, 12 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(types) * ARRAY_SIZE(rows); i++) {
		size_t row = i / ARRAY_SIZE(types), at;

		begin();
		at = tag_begin(types[i % ARRAY_SIZE(types)]);
		put32(rows[row].entry_size);
		put32(0);
		for (unsigned n = 0; n < 6; n++)
			put64(1);
		if (rows[row].tag_size)
			tag_end_as(at, rows[row].tag_size);
		else
			tag_end(at);
		assert_int_equal(parse(), -EINVAL);
	}
}

/* Tags that say to be longer than what is there, or shorter than a tag. */
static void test_mb2_bad_tags(void **state)
{
	static const uint32_t sizes[] = { 0,	      7,	  24,
					  25,	      64,	  0x80000000,
					  0xfffffff8, 0xfffffff9, 0xffffffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		begin();
		put_map(MIB(1), MIB(1));
		tag_end_as(tag_begin(99), sizes[i]);
		assert_int_equal(parse(), -EINVAL);
	}
}

static void test_mb2_bad_totals(void **state)
{
	static const uint32_t totals[] = { 0, 7, 8, 0x80000000, 0xffffffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(totals); i++) {
		begin();
		put_map(MIB(1), MIB(1));
		assert_int_equal(parse_as(totals[i]), -EINVAL);
	}
	assert_int_equal(multiboot_parse(MB2_MAGIC, 0xffffffff, &image, &boot),
			 -EINVAL);
	assert_int_equal(multiboot_parse(MB2_MAGIC, 0x1001, &image, &boot),
			 -EINVAL);
	assert_int_equal(multiboot_parse(0x12345678, 0, &image, &boot),
			 -EINVAL);
}

/* Text that no zero ends is no longer than its tag. */
static void test_mb2_open_text(void **state)
{
	size_t at;

	(void)state;
	begin();
	put_map(MIB(1), MIB(1));
	at = tag_begin(MODULE);
	put32(0x800000);
	put32(0x800001);
	memcpy(info + used, "/a/bcdefgh", 8);
	used += 8;
	tag_end(at);
	at = tag_begin(COMMAND);
	memset(info + used, 'x', 8);
	used += 8;
	tag_end(at);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot.modules.module[0].name, "bcdef");
	assert_string_equal(boot.command, "xxxxxxxx");
	/* A tag with no room for text, and one with none for a module. */
	begin();
	put_map(MIB(1), MIB(1));
	tag_end(tag_begin(LOADER));
	tag_end_as(tag_begin(MODULE), 8);
	assert_int_equal(parse(), -EINVAL);
	assert_string_equal(boot.loader, "");
}

static void put_module(uint32_t start, uint32_t end)
{
	size_t at = tag_begin(MODULE);

	put32(start);
	put32(end);
	put_text("m");
	tag_end(at);
}

static void test_modules_out_of_place(void **state)
{
	(void)state;
	begin();
	put_map(MIB(1), MIB(100));
	put_module(0x800001, 0x800000);
	put_module(0xffffffff, 0);
	put_module(MIB(1), MIB(1) + 1);
	put_module(MIB(5) - 1, MIB(6));
	put_module(0, 0xffffffff);
	put_module(MIB(5), MIB(6));
	put_module(MIB(6), MIB(6));
	assert_int_equal(parse(), 0);
	assert_int_equal(boot.modules_broken, 5);
	assert_int_equal(boot.modules.count, 2);
	assert_int_equal(boot.modules.module[1].length, 0);
}

static void test_too_many_modules(void **state)
{
	(void)state;
	begin();
	put_map(MIB(1), MIB(100));
	for (unsigned i = 0; i < BOOT_MODULES_MAX + 3; i++)
		put_module(MIB(8), MIB(8) + 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(boot.modules.count, BOOT_MODULES_MAX);
	assert_int_equal(boot.modules_left_out, 3);
}

/* Memory beyond all addresses ends where they end. */
static void test_ram_beyond_the_end(void **state)
{
	(void)state;
	begin();
	put_map(MIB(1), UINT64_MAX);
	assert_int_equal(parse(), 0);
	assert_int_equal(boot.ram.count, 1);
	assert_int_equal(boot.ram.range[0].length, (1ULL << 52) - MIB(1));
	begin();
	put_map(UINT64_MAX - 1, UINT64_MAX);
	assert_int_equal(parse(), -EINVAL);
	begin();
	put_map(MIB(1), 0);
	assert_int_equal(parse(), -EINVAL);
}

static void test_rsdp_needs_room(void **state)
{
	size_t at;

	(void)state;
	begin();
	put_map(MIB(1), MIB(1));
	tag_end(tag_begin(RSDP_NEW));
	assert_int_equal(parse(), 0);
	assert_int_equal(boot.rsdp, 0);
	begin();
	put_map(MIB(1), MIB(1));
	at = tag_begin(RSDP_OLD);
	used += 20;
	tag_end(at);
	assert_int_equal(parse(), 0);
	assert_int_equal(boot.rsdp, BOOT_MEMORY_SIZE - used + at + 8);
}

/* ---- The screen --------------------------------------------------------- */

#define SCREEN_AT GIB(3)

static const uint8_t colours[] = { 16, 8, 8, 8, 0, 8 };

/* With the last `missing` bytes of the tag left out. */
static int parse_screen(uint64_t address, uint32_t pitch, uint32_t height,
			uint8_t type, uint32_t missing)
{
	size_t at;

	begin();
	put_map(MIB(1), MIB(100));
	at = tag_begin(SCREEN);
	put64(address);
	put32(pitch);
	put32(1024);
	put32(height);
	put32(32 | (uint32_t)type << 8);
	memcpy(info + used, colours, sizeof(colours));
	used += sizeof(colours);
	used -= missing;
	tag_end(at);
	return parse();
}

static void assert_no_screen(uint64_t address, uint32_t pitch, uint32_t height)
{
	assert_int_equal(
		parse_screen(address, pitch, height, GATE_SCREEN_RGB, 0), 0);
	assert_int_equal(boot.screen.size, 0);
	/* What was told is told all the same. */
	assert_int_equal(boot.screen.address, address);
}

static void test_screen_is_read(void **state)
{
	(void)state;
	assert_int_equal(
		parse_screen(SCREEN_AT + 0x10, 4100, 768, GATE_SCREEN_RGB, 0),
		0);
	assert_int_equal(boot.screen.address, SCREEN_AT + 0x10);
	assert_int_equal(boot.screen.pitch, 4100);
	assert_int_equal(boot.screen.width, 1024);
	assert_int_equal(boot.screen.height, 768);
	assert_int_equal(boot.screen.bpp, 32);
	assert_int_equal(boot.screen.type, GATE_SCREEN_RGB);
	assert_memory_equal(boot.screen.colour, colours, sizeof(colours));
	/* 3,148,800 bytes and the 16 before them. */
	assert_int_equal(boot.screen.size, 769 * PAGE_SIZE);
	/* Text has no colours, and its tag no room for them. */
	assert_int_equal(parse_screen(0xb8000, 160, 25, GATE_SCREEN_TEXT, 6),
			 0);
	assert_int_equal(boot.screen.type, GATE_SCREEN_TEXT);
	assert_int_equal(boot.screen.size, PAGE_SIZE);
	assert_int_equal(boot.screen.colour[1], 0);
}

static void assert_untold(bool is_had)
{
	assert_int_equal(boot.screen.type, GATE_SCREEN_UNTOLD);
	assert_int_equal(boot.screen.address, 0xb8000);
	assert_int_equal(boot.screen.size, is_had ? PAGE_SIZE : 0);
}

static void test_screen_untold(void **state)
{
	(void)state;
	begin();
	put_map(MIB(1), MIB(1));
	assert_int_equal(parse(), 0);
	assert_untold(true);
	/* A tag too short to say it. */
	assert_int_equal(parse_screen(SCREEN_AT, 4096, 768, GATE_SCREEN_RGB, 9),
			 0);
	assert_untold(true);
	/* No BIOS has left a text mode. */
	begin();
	put_map(MIB(1), MIB(1));
	tag_end(tag_begin(EFI64));
	assert_int_equal(parse(), 0);
	assert_untold(false);
	/* RAM where that would be. */
	begin();
	put_map(0, MIB(2));
	assert_int_equal(parse(), 0);
	assert_untold(false);
}

static void test_screen_out_of_place(void **state)
{
	(void)state;
	/* In RAM, the image among it, or a page of it. */
	assert_no_screen(MIB(50), 4096, 768);
	assert_no_screen(MIB(1), 4096, 768);
	assert_no_screen(MIB(101) - 1, 4096, 768);
	assert_no_screen(MIB(1) - 0x300000, 4096, 769);
	/* Over the interrupt controllers, or behind all addresses. */
	assert_no_screen(0xfec00000, 4096, 1);
	assert_no_screen(0xfe000000, 4096, 4096);
	assert_no_screen(1ULL << 52, 4096, 768);
	assert_no_screen((1ULL << 52) - PAGE_SIZE, 4096, 2);
	assert_no_screen(UINT64_MAX, 4096, 768);
	assert_no_screen(0xfffffffffff00000, 4096, 768);
	/* Of no size, and of sizes that overflow. */
	assert_no_screen(SCREEN_AT, 0, 768);
	assert_no_screen(SCREEN_AT, 4096, 0);
	assert_no_screen(SCREEN_AT, 0xffffffff, 0xffffffff);
	assert_no_screen(SCREEN_AT, 0x80000000, 0x80000000);
	assert_no_screen(SCREEN_AT, 0x10000, 0x10001);
	assert_no_screen(MIB(200), 0x10000, 0x4001);
	/* Right beside all that. */
	assert_int_equal(parse_screen(MIB(101), 4096, 768, 1, 0), 0);
	assert_int_equal(boot.screen.size, MIB(3));
}

/* ---- Multiboot 1 -------------------------------------------------------- */

#define MB1_INFO    0x10000u
#define MB1_MAP	    0x11000u
#define MB1_MODULES 0x12000u
#define MB1_TEXT    0x13000u

/* clang-format off */
enum { FLAGS = 0, CMDLINE = 4, MODULE_COUNT = 5, MODULES = 6, MAP_LENGTH = 11,
       MAP_AT = 12, NAME = 16, SCREEN_FIELDS = 22 };
/* clang-format on */

static void poke(hpa_t at, uint32_t value)
{
	memcpy(phys_to_virt(at), &value, sizeof(value));
}

static void mb1_field(unsigned index, uint32_t value)
{
	poke(MB1_INFO + 4 * index, value);
}

static void mb1_begin(void)
{
	boot_memory_clear();
	mb1_field(FLAGS, BIT(2) | BIT(3) | BIT(6) | BIT(9));
	mb1_field(CMDLINE, MB1_TEXT);
	mb1_field(NAME, MB1_TEXT);
	strcpy(phys_to_virt(MB1_TEXT), "/x/y z.img");
	mb1_field(MODULE_COUNT, 1);
	mb1_field(MODULES, MB1_MODULES);
	poke(MB1_MODULES, MIB(8));
	poke(MB1_MODULES + 4, MIB(9));
	poke(MB1_MODULES + 8, MB1_TEXT);
	mb1_field(MAP_LENGTH, 24);
	mb1_field(MAP_AT, MB1_MAP);
	poke(MB1_MAP, 20);
	poke(MB1_MAP + 4, MIB(1));
	poke(MB1_MAP + 12, MIB(64));
	poke(MB1_MAP + 20, 1);
}

static int mb1_parse(void)
{
	return multiboot_parse(MB1_MAGIC, MB1_INFO, &image, &boot);
}

static void test_mb1_is_read(void **state)
{
	(void)state;
	mb1_begin();
	assert_int_equal(mb1_parse(), 0);
	assert_string_equal(boot.command, "/x/y z.img");
	assert_string_equal(boot.modules.module[0].name, "z.img");
	assert_int_equal(boot.modules.module[0].length, MIB(1));
	assert_int_equal(boot.ram.range[0].length, MIB(64));
}

static void test_mb1_screen(void **state)
{
	(void)state;
	mb1_begin();
	mb1_field(SCREEN_FIELDS, (uint32_t)SCREEN_AT);
	mb1_field(SCREEN_FIELDS + 2, 2048);
	mb1_field(SCREEN_FIELDS + 3, 800);
	mb1_field(SCREEN_FIELDS + 4, 600);
	mb1_field(SCREEN_FIELDS + 5,
		  16 | GATE_SCREEN_RGB << 8 | 11 << 16 | 5U << 24);
	mb1_field(SCREEN_FIELDS + 6, 5 | 6 << 8 | 0 << 16 | 5U << 24);
	assert_int_equal(mb1_parse(), 0);
	assert_untold(true);
	mb1_field(FLAGS, BIT(6) | BIT(12));
	assert_int_equal(mb1_parse(), 0);
	assert_int_equal(boot.screen.address, SCREEN_AT);
	assert_int_equal(boot.screen.pitch, 2048);
	assert_int_equal(boot.screen.width, 800);
	assert_int_equal(boot.screen.height, 600);
	assert_int_equal(boot.screen.bpp, 16);
	assert_int_equal(boot.screen.type, GATE_SCREEN_RGB);
	assert_memory_equal(boot.screen.colour,
			    ((const uint8_t[]){ 11, 5, 5, 6, 0, 5 }), 6);
	assert_int_equal(boot.screen.size, 300 * PAGE_SIZE);
	mb1_field(SCREEN_FIELDS, MIB(2));
	assert_int_equal(mb1_parse(), 0);
	assert_int_equal(boot.screen.size, 0);
}

static void test_mb1_bad_maps(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 19, 0xfffffffc };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		mb1_begin();
		mb1_field(MAP_LENGTH, 48);
		poke(MB1_MAP + (i < 3 ? 24 : 0), sizes[i]);
		/* The last is but a huge step: what comes before counts. */
		assert_int_equal(mb1_parse(), i < 3 ? -EINVAL : 0);
	}
	mb1_begin();
	mb1_field(MAP_LENGTH, 0xffffffff);
	assert_int_equal(mb1_parse(), -EINVAL);
	mb1_field(MAP_LENGTH, 24);
	mb1_field(MAP_AT, 0xfffffff0);
	assert_int_equal(mb1_parse(), -EINVAL);
	mb1_field(MAP_LENGTH, 0);
	assert_int_equal(mb1_parse(), -EINVAL);
}

static void test_mb1_counts(void **state)
{
	(void)state;
	mb1_begin();
	mb1_field(MODULE_COUNT, 0xffffffff);
	assert_int_equal(mb1_parse(), 0);
	assert_true(boot.modules.count <= BOOT_MODULES_MAX);
	assert_true(boot.modules_left_out >= 0xffffff00);
	mb1_field(MODULES, 0xfffffffc);
	assert_int_equal(mb1_parse(), -EINVAL);
}

/* Text up to the end of memory, all of it other than zero. */
static void test_mb1_text_at_the_end(void **state)
{
	(void)state;
	mb1_begin();
	memset(phys_to_virt(BOOT_MEMORY_SIZE - 16), 'q', 16);
	mb1_field(CMDLINE, 0xfffffff0);
	poke(MB1_MODULES + 8, 0xfffffffe);
	assert_int_equal(mb1_parse(), 0);
	assert_string_equal(boot.command, "qqqqqqqqqqqqqqqq");
	assert_string_equal(boot.modules.module[0].name, "qq");
}

/* ---- Anything ----------------------------------------------------------- */

static uint32_t fuzz_word(void)
{
	static const uint32_t edges[] = {
		0,	    1,		7,	    8,		16,
		20,	    24,		40,	    0x7fffffff, 0x80000000,
		0xfffffff0, 0xfffffff8, 0xffffffff,
	};

	if (rand() % 2)
		return edges[(unsigned)rand() % ARRAY_SIZE(edges)];
	return (uint32_t)rand() % 64;
}

static void check_result(void)
{
	assert_true(boot.modules.count <= BOOT_MODULES_MAX);
	assert_true(boot.ram.count <= BOOT_RANGES_MAX);
	for (unsigned i = 0; i < boot.modules.count; i++) {
		const struct boot_module *module = &boot.modules.module[i];

		assert_true(module->base + module->length <= GIB(4));
		assert_true(memchr(module->name, 0, sizeof(module->name)));
	}
	for (unsigned i = 0; i < boot.ram.count; i++)
		assert_true(boot.ram.range[i].length <= 1ULL << 52);
	assert_true(boot.screen.size <= GIB(1));
	for (unsigned i = 0; boot.screen.size && i < boot.ram.count; i++)
		assert_true(boot.screen.address >=
				    boot.ram.range[i].base +
					    boot.ram.range[i].length ||
			    boot.screen.address + boot.screen.size <=
				    boot.ram.range[i].base);
}

static void test_mb2_fuzzed(void **state)
{
	(void)state;
	srand(11);
	alarm(FUZZ_SECONDS);
	for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
		begin();
		for (unsigned n = (unsigned)rand() % 6; n; n--) {
			size_t at = tag_begin((uint32_t)rand() % 19);

			for (unsigned w = (unsigned)rand() % 16; w; w--)
				put32(fuzz_word());
			if (rand() % 4)
				tag_end(at);
			else
				tag_end_as(at, fuzz_word());
		}
		(void)!parse_as(rand() % 4 ? (uint32_t)used : fuzz_word());
		check_result();
	}
	alarm(0);
}

static void test_mb1_fuzzed(void **state)
{
	(void)state;
	srand(12);
	alarm(FUZZ_SECONDS);
	for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
		if (round % 64 == 0) {
			mb1_begin();
			mb1_field(FLAGS,
				  rand() % 2 ? BIT(6) | BIT(12) : UINT32_MAX);
		}
		mb1_field(1 + (unsigned)rand() % 28, fuzz_word());
		poke(MB1_MAP + 4 * ((unsigned)rand() % 64), fuzz_word());
		poke(MB1_MODULES + 4 * ((unsigned)rand() % 64), fuzz_word());
		(void)!mb1_parse();
		check_result();
	}
	alarm(0);
}

static int setup(void **state)
{
	(void)state;
	return boot_memory_init();
}

static int teardown(void **state)
{
	(void)state;
	boot_memory_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mb2_is_read),
		cmocka_unit_test(test_mb2_bad_maps),
		cmocka_unit_test(test_mb2_bad_tags),
		cmocka_unit_test(test_mb2_bad_totals),
		cmocka_unit_test(test_mb2_open_text),
		cmocka_unit_test(test_modules_out_of_place),
		cmocka_unit_test(test_too_many_modules),
		cmocka_unit_test(test_ram_beyond_the_end),
		cmocka_unit_test(test_rsdp_needs_room),
		cmocka_unit_test(test_screen_is_read),
		cmocka_unit_test(test_screen_untold),
		cmocka_unit_test(test_screen_out_of_place),
		cmocka_unit_test(test_mb1_is_read),
		cmocka_unit_test(test_mb1_screen),
		cmocka_unit_test(test_mb1_bad_maps),
		cmocka_unit_test(test_mb1_counts),
		cmocka_unit_test(test_mb1_text_at_the_end),
		cmocka_unit_test(test_mb2_fuzzed),
		cmocka_unit_test(test_mb1_fuzzed),
	};

	return cmocka_run_group_tests_name("multiboot", tests, setup, teardown);
}
