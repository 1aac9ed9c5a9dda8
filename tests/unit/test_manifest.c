/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest reader: what it takes, and that each error names its node, its
 * property and the reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "include/errno.h"
#include "include/log.h"
#include "include/manifest.h"

#define SIZE 16384

/* A tree being written, then read; open nodes nest. */
struct tree {
	char blob[SIZE];
	char error[MANIFEST_ERROR_SIZE];
	struct manifest manifest;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct tree));
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void begin(struct tree *t)
{
	assert_int_equal(fdt_create(t->blob, SIZE), 0);
	assert_int_equal(fdt_finish_reservemap(t->blob), 0);
	fdt_begin_node(t->blob, "");
	fdt_property_string(t->blob, "compatible", "bulkhead,host-v1");
	fdt_begin_node(t->blob, "guests");
}

static void guest(struct tree *t, const char *name)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "board", "pc");
	fdt_property_u32(t->blob, "memory-mib", 128);
}

static void disk(struct tree *t, const char *name)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "image", "a.img");
}

static void close_nodes(struct tree *t, unsigned count)
{
	while (count--)
		assert_int_equal(fdt_end_node(t->blob), 0);
}

static int parse(struct tree *t)
{
	assert_int_equal(fdt_finish(t->blob), 0);
	return manifest_parse(&t->manifest, t->blob, SIZE, t->error,
			      sizeof(t->error));
}

static void expect_error(struct tree *t, const char *error)
{
	assert_int_equal(parse(t), -EINVAL);
	assert_string_equal(t->error, error);
}

static void test_defaults(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = &t->manifest.guest[0];

	begin(t);
	guest(t, "a");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest_count, 1);
	assert_int_equal(t->manifest.log_level, LOG_INFO);
	assert_int_equal(t->manifest.end, MANIFEST_END_POWER_OFF);
	assert_string_equal(g->name, "a");
	assert_int_equal(g->board, MACHINE_BOARD_PC);
	assert_int_equal(g->memory_mib, 128);
	assert_int_equal(g->vcpus, 1);
	assert_int_equal(g->devices, 0);
	assert_string_equal(g->firmware, "bios.bin");
	assert_string_equal(g->vga_bios, "vgabios.bin");
	assert_string_equal(g->kernel, "");
	assert_int_equal(g->disk_count, 0);
}

static void test_everything(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = &t->manifest.guest[1];

	begin(t);
	guest(t, "first");
	close_nodes(t, 1);
	guest(t, "second");
	fdt_property_u32(t->blob, "vcpus", GATE_MAX_VCPUS);
	fdt_property_string(t->blob, "restart", "on-crash");
	fdt_property_string(t->blob, "kernel", "vmlinuz");
	fdt_property_string(t->blob, "initrd", "initrd.img");
	fdt_property_string(t->blob, "cmdline", "console=ttyS0");
	fdt_property(t->blob, "isa-debug-exit", NULL, 0);
	fdt_property(t->blob, "debug-console", NULL, 0);
	disk(t, "disk0");
	fdt_property_u32(t->blob, "unit", 1);
	fdt_property_string(t->blob, "mode", "private");
	close_nodes(t, 1);
	disk(t, "disk1");
	fdt_property(t->blob, "read-only", NULL, 0);
	close_nodes(t, 1);
	disk(t, "cdrom0");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest_count, 2);
	assert_int_equal(g->vcpus, GATE_MAX_VCPUS);
	assert_int_equal(g->devices, MACHINE_DEVICE_DEBUG_EXIT |
					     MACHINE_DEVICE_DEBUG_CONSOLE);
	assert_string_equal(g->kernel, "vmlinuz");
	assert_string_equal(g->initrd, "initrd.img");
	assert_string_equal(g->cmdline, "console=ttyS0");
	assert_string_equal(g->firmware, "");
	assert_int_equal(g->disk_count, 3);
	assert_int_equal(g->restart, MANIFEST_RESTART_ON_CRASH);
	assert_int_equal(t->manifest.guest[0].restart, MANIFEST_RESTART_NEVER);
	assert_int_equal(g->disk[0].mode, MANIFEST_DISK_PRIVATE);
	assert_int_equal(g->disk[1].mode, MANIFEST_DISK_COPY_ON_WRITE);
	assert_int_equal(g->disk[0].unit, 1);
	assert_int_equal(g->disk[1].unit, 0);
	assert_int_equal(g->disk[2].unit, 2);
	assert_false(g->disk[0].is_read_only);
	assert_true(g->disk[1].is_read_only);
	assert_true(g->disk[2].is_read_only);
	assert_true(g->disk[2].is_cdrom);
	assert_string_equal(g->disk[2].image, "a.img");
}

/* Nothing but what is named: no firmware by default. */
static void test_program(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = &t->manifest.guest[0];

	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "program", "evil.elf");
	fdt_property_string(t->blob, "cmdline", "spin");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_string_equal(g->program, "evil.elf");
	assert_string_equal(g->cmdline, "spin");
	assert_string_equal(g->firmware, "");
	assert_string_equal(g->vga_bios, "");
	assert_string_equal(g->kernel, "");
}

static void test_not_a_tree(void **state)
{
	struct tree *t = *state;

	assert_int_equal(manifest_parse(&t->manifest, t->blob, SIZE, t->error,
					sizeof(t->error)),
			 -EINVAL);
	assert_string_equal(t->error, "no device tree: FDT_ERR_BADMAGIC");
}

static void test_no_guests(void **state)
{
	struct tree *t = *state;

	begin(t);
	close_nodes(t, 2);
	expect_error(t, "/guests: has no guest");
}

/* A name that no boot loader hands over as it stands. */
#define BAD_FILE(place, property, name, node)                             \
	{                                                                 \
		place, property, name, 0,                                 \
			node ": " property                                \
			     ": must be a file's name, without folders, " \
			     "spaces, quotes and backslashes"             \
	}

/* One property, put into guest "a" or its disk0, and what is said of it. */
struct bad_property {
	bool is_disk;
	const char *name;
	const char *text;
	int cell; /* when text is NULL; -1: a flag */
	const char *error;
};

/* clang-format off */
static const struct bad_property bad_properties[] = {
	{ 0, "vcpus", NULL, 0, "/guests/a: vcpus: is 0, must be 1 to 16" },
	{ 0, "vcpus", NULL, 17, "/guests/a: vcpus: is 17, must be 1 to 16" },
	{ 0, "vcpus", "2", 0, "/guests/a: vcpus: must be one number, as in <1>" },
	{ 0, "vcpus", NULL, -1,
	  "/guests/a: vcpus: must be one number, as in <1>" },
	{ 0, "vcpu", NULL, 1, "/guests/a: vcpu: no such property here" },
	{ 0, "kernel", "", 0, "/guests/a: kernel: must not be empty" },
	{ 0, "kernel", NULL, 1, "/guests/a: kernel: must be one string" },
	{ 0, "kernel", NULL, -1, "/guests/a: kernel: must be one string" },
	{ 0, "initrd", "x", 0, "/guests/a: initrd: needs a kernel" },
	{ 0, "cmdline", "x", 0,
	  "/guests/a: cmdline: needs a kernel or a program" },
	{ 0, "program", "", 0, "/guests/a: program: must not be empty" },
	BAD_FILE(0, "kernel", "/etc/passwd", "/guests/a"),
	BAD_FILE(0, "kernel", "a b", "/guests/a"),
	BAD_FILE(0, "firmware", "x/", "/guests/a"),
	BAD_FILE(0, "initrd", "a\tb", "/guests/a"),
	BAD_FILE(0, "vga-bios", "a\\b", "/guests/a"),
	BAD_FILE(0, "program", "a'b", "/guests/a"),
	BAD_FILE(1, "image", "a\"b", "/guests/a/disk0"),
	{ 0, "isa-debug-exit", NULL, 1,
	  "/guests/a: isa-debug-exit: is a flag and takes no value" },
	{ 0, "firmware",
	  "0123456789012345678901234567890123456789012345678901234567890123", 0,
	  "/guests/a: firmware: has 64 characters, at most 63 fit" },
	{ 1, "mode", "shared", 0,
	  "/guests/a/disk0: mode: is \"shared\", known are: copy-on-write, "
	  "private" },
	{ 0, "restart", "sometimes", 0,
	  "/guests/a: restart: is \"sometimes\", known are: never, on-crash, "
	  "always" },
	{ 1, "unit", NULL, 4, "/guests/a/disk0: unit: is 4, must be 0 to 3" },
	{ 1, "boot", NULL, -1, "/guests/a/disk0: boot: no such property here" },
};
/* clang-format on */

static void put_property(struct tree *t, const struct bad_property *bad)
{
	if (bad->text)
		fdt_property_string(t->blob, bad->name, bad->text);
	else if (bad->cell >= 0)
		fdt_property_u32(t->blob, bad->name, (uint32_t)bad->cell);
	else
		fdt_property(t->blob, bad->name, NULL, 0);
}

static void test_bad_properties(void **state)
{
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(bad_properties); i++) {
		const struct bad_property *bad = &bad_properties[i];

		begin(t);
		guest(t, "a");
		if (!bad->is_disk)
			put_property(t, bad);
		disk(t, "disk0");
		if (bad->is_disk)
			put_property(t, bad);
		close_nodes(t, 4);
		expect_error(t, bad->error);
	}
}

static void test_missing(void **state)
{
	struct tree *t = *state;

	begin(t);
	fdt_begin_node(t->blob, "a");
	fdt_property_u32(t->blob, "memory-mib", 64);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: board: is missing");
}

static void test_bad_choice(void **state)
{
	struct tree *t = *state;

	begin(t);
	fdt_begin_node(t->blob, "a");
	fdt_property_string(t->blob, "board", "q35");
	close_nodes(t, 3);
	expect_error(t, "/guests/a: board: is \"q35\", known are: pc, "
			"test-crash");
}

static void test_odd_memory(void **state)
{
	struct tree *t = *state;

	begin(t);
	fdt_begin_node(t->blob, "a");
	fdt_property_string(t->blob, "board", "pc");
	fdt_property_u32(t->blob, "memory-mib", 33);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: memory-mib: is 33, must be even: memory "
			"comes in 2 MiB");
}

static void test_kernel_or_firmware(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "kernel", "k");
	fdt_property_string(t->blob, "firmware", "f");
	close_nodes(t, 3);
	expect_error(t, "/guests/a: firmware: excludes a kernel: give one of "
			"them");
}

static void test_bad_nodes(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "nic0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: no such node here: known are "
			"disk0..9, cdrom0..9");
	begin(t);
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "guest");
	close_nodes(t, 2);
	expect_error(t, "/guest: no such node here");
	begin(t);
	guest(t, "a-name-of-24-characters-");
	close_nodes(t, 3);
	expect_error(t, "/guests/a-name-of-24-characters-: its name has more "
			"than 23 characters");
}

/* What is shown as "[NAME] " at the beginning of a row. */
static void test_names(void **state)
{
	static const char *const bad[] = { "",	    "1.234567", "web.1",
					   "1web",  "-web",	"   1.234567",
					   "a] [b", "a b",	"a\x1b[A",
					   "a+",    "\xc3\xa4", "web@1" };
	struct tree *t = *state;
	char want[160];

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(t);
		guest(t, bad[i]);
		close_nodes(t, 3);
		snprintf(want, sizeof(want),
			 "/guests/%s: its name must be a letter, then letters, "
			 "digits, - and _",
			 bad[i]);
		expect_error(t, want);
	}
	begin(t);
	guest(t, "Web_1-a");
	close_nodes(t, 1);
	guest(t, "Web_1-a");
	close_nodes(t, 3);
	expect_error(t, "/guests/Web_1-a: its name is taken already");
}

/* What nobody writes is shared. */
static void test_mode_of_what_is_read(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	disk(t, "disk0");
	fdt_property(t->blob, "read-only", NULL, 0);
	fdt_property_string(t->blob, "mode", "private");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/disk0: mode: is for disks that may be "
			"written");
	begin(t);
	guest(t, "a");
	disk(t, "cdrom0");
	fdt_property_string(t->blob, "mode", "copy-on-write");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/cdrom0: mode: is for disks that may be "
			"written");
}

static void test_units(void **state)
{
	struct tree *t = *state;
	char name[8];

	begin(t);
	guest(t, "a");
	disk(t, "disk0");
	close_nodes(t, 1);
	disk(t, "disk1");
	fdt_property_u32(t->blob, "unit", 0);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/disk1: unit: 0 is taken already");

	begin(t);
	guest(t, "a");
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "disk%u", i);
		disk(t, name);
		close_nodes(t, 1);
	}
	close_nodes(t, 3);
	expect_error(t, "/guests/a/disk4: IDE has but 4 units");
}

static void test_too_many_guests(void **state)
{
	struct tree *t = *state;
	char name[8];

	begin(t);
	for (unsigned i = 0; i <= MANIFEST_GUESTS_MAX; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		guest(t, name);
		close_nodes(t, 1);
	}
	close_nodes(t, 2);
	expect_error(t, "/guests/g16: more than 16 guests");
}

/* Bytes changed at random never lead outside the blob (ASan looks). */
static void test_damaged(void **state)
{
	struct tree *t = *state;
	size_t size;
	char *copy;

	begin(t);
	guest(t, "a");
	disk(t, "disk0");
	close_nodes(t, 4);
	assert_int_equal(fdt_finish(t->blob), 0);
	size = fdt_totalsize(t->blob);
	srand(3);
	for (unsigned i = 0; i < 20000; i++) {
		copy = malloc(size);
		memcpy(copy, t->blob, size);
		for (int n = rand() % 4; n >= 0; n--)
			copy[(size_t)rand() % size] = (char)rand();
		(void)!manifest_parse(&t->manifest, copy, size, t->error,
				      sizeof(t->error));
		free(copy);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_everything),
		TEST(test_program),
		TEST(test_not_a_tree),
		TEST(test_no_guests),
		TEST(test_bad_properties),
		TEST(test_missing),
		TEST(test_bad_choice),
		TEST(test_odd_memory),
		TEST(test_kernel_or_firmware),
		TEST(test_bad_nodes),
		TEST(test_names),
		TEST(test_mode_of_what_is_read),
		TEST(test_units),
		TEST(test_too_many_guests),
		TEST(test_damaged),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
