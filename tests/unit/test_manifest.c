/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest reader: what it takes, and that each error names its node, its
 * property and the reason.
 */
#include "tests/unit/manifest_test.h"

#include <stdio.h>

#include "include/log.h"
#include "include/seat.h"
#include "init/source.h"

static void disk(struct tree *t, const char *name)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "image", "a.img");
}

static void source(struct tree *t, const char *name, const char *text)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "source", text);
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
	fdt_property(t->blob, "post-codes", NULL, 0);
	fdt_property(t->blob, "no-reboot", NULL, 0);
	fdt_property(t->blob, "test-device", NULL, 0);
	fdt_property(t->blob, "serial1", NULL, 0);
	fdt_property(t->blob, "parallel0", NULL, 0);
	fdt_property(t->blob, "vmware-backdoor", NULL, 0);
	fdt_property(t->blob, "start-paused", NULL, 0);
	fdt_property(t->blob, "hyperv", NULL, 0);
	fdt_property(t->blob, "kvm", NULL, 0);
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
	assert_int_equal(
		g->devices,
		MACHINE_DEVICE_DEBUG_EXIT | MACHINE_DEVICE_DEBUG_CONSOLE |
			MACHINE_DEVICE_POST_CODES | MACHINE_DEVICE_NO_REBOOT |
			MACHINE_DEVICE_TEST | MACHINE_DEVICE_SERIAL1 |
			MACHINE_DEVICE_PARALLEL0 | MACHINE_DEVICE_VMWARE |
			MACHINE_DEVICE_PAUSED | MACHINE_DEVICE_HYPERV |
			MACHINE_DEVICE_KVM);
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
	assert_string_equal(g->disk[2].image[0], "a.img");
}

/* The node "control" with those rights, closed; guests are open again. */
static void control(struct tree *t, const char *rights, int length)
{
	assert_int_equal(fdt_create(t->blob, SIZE), 0);
	assert_int_equal(fdt_finish_reservemap(t->blob), 0);
	fdt_begin_node(t->blob, "");
	fdt_property_string(t->blob, "compatible", "bulkhead,host-v1");
	fdt_begin_node(t->blob, "control");
	if (length >= 0)
		fdt_property(t->blob, "rights", rights, length);
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "guests");
	guest(t, "a");
	close_nodes(t, 3);
}

static void test_control(void **state)
{
	static const struct {
		const char *rights;
		int length;
		uint32_t want;
	} rows[] = {
		{ "watch\0type\0steer\0debug", 23, SEAT_RIGHTS_ALL },
		{ "watch", 6, SEAT_RIGHT_WATCH },
		{ "debug\0type", 11, SEAT_RIGHT_DEBUG | SEAT_RIGHT_TYPE },
		{ "steer\0steer", 12, SEAT_RIGHT_STEER },
		{ "", 0, 0 },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		control(t, rows[i].rights, rows[i].length);
		assert_int_equal(parse(t), 0);
		assert_int_equal(t->manifest.control_rights, rows[i].want);
	}
	begin(t);
	guest(t, "a");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.control_rights, SEAT_RIGHTS_ALL);
}

static void test_bad_control(void **state)
{
	struct tree *t = *state;

	control(t, NULL, -1);
	expect_error(t, "/control: rights: is missing");
	control(t, "watch\0look", 11);
	expect_error(t, "/control: rights: is \"look\", known are: watch, "
			"type, steer, debug");
	control(t, "", 1);
	expect_error(t, "/control: rights: is \"\", known are: watch, type, "
			"steer, debug");
	control(t, "watch", 5);
	expect_error(t, "/control: rights: must be a list of strings");
	control(t, "watch\0type", 10);
	expect_error(t, "/control: rights: must be a list of strings");
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
	{ 0, "vcpus", NULL, 0, "/guests/a: vcpus: is 0, must be 1 to 32" },
	{ 0, "vcpus", NULL, 33, "/guests/a: vcpus: is 33, must be 1 to 32" },
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
	expect_error(
		t, "/guests/a: board: is \"q35\", known are: pc, pc-1, pv; see "
		   "docs/qemu-options.md");
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

static void kernel_with(struct tree *t, const char *first, const char *second)
{
	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "kernel", "k");
	if (first)
		fdt_property(t->blob, first, NULL, 0);
	if (second)
		fdt_property(t->blob, second, NULL, 0);
	close_nodes(t, 3);
}

/* Which firmware comes before a kernel. */
static void test_kernel_and_bios(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = &t->manifest.guest[0];

	kernel_with(t, "boot-through-bios", NULL);
	assert_int_equal(parse(t), 0);
	assert_string_equal(g->firmware, "bios.bin");
	assert_string_equal(g->vga_bios, "vgabios.bin");
	assert_int_equal(g->devices, MANIFEST_BIOS_ALWAYS);
	kernel_with(t, "boot-without-bios", NULL);
	assert_int_equal(parse(t), 0);
	assert_string_equal(g->firmware, "");
	assert_int_equal(g->devices, MANIFEST_BIOS_NEVER);
	kernel_with(t, NULL, NULL);
	assert_int_equal(parse(t), 0);
	assert_string_equal(g->firmware, "");
	kernel_with(t, "boot-through-bios", "boot-without-bios");
	expect_error(t, "/guests/a: boot-without-bios: excludes "
			"boot-through-bios: give one of them");
	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "kernel", "k");
	fdt_property_string(t->blob, "firmware", "f");
	fdt_property(t->blob, "boot-through-bios", NULL, 0);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_string_equal(g->firmware, "f");
	begin(t);
	guest(t, "a");
	fdt_property(t->blob, "boot-through-bios", NULL, 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: boot-through-bios: is for a kernel that "
			"the board's machine starts");
}

static void test_bad_nodes(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "tap0");
	close_nodes(t, 4);
	expect_error(t,
		     "/guests/a/tap0: no such node here: known are "
		     "disk0..9, cdrom0..9, floppy0, floppy1, flash0, pmem0, "
		     "pmem1, folder0..9, nic0..9, usb0, fw-cfg0..9, cpu, acpi, "
		     "fault");
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
	expect_error(t,
		     "/guests/Web_1-a: its name is taken already: rename it");
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

/* ---- Sources ------------------------------------------------------------ */

static void test_sources(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	source(t, "disk0", "file:disks/debian, 12.img");
	fdt_property_string(t->blob, "format", "qcow2");
	fdt_property_string(t->blob, "overlay", "memory");
	fdt_property_u32(t->blob, "iops-limit", 100);
	fdt_property_u32(t->blob, "iops-burst", 1000);
	fdt_property_u32(t->blob, "kib-limit", 10240);
	fdt_property_u32(t->blob, "kib-burst", 65536);
	close_nodes(t, 1);
	source(t, "disk1", "serial:S3Z8NB0K-1");
	close_nodes(t, 1);
	source(t, "disk2", "gpt:my data");
	fdt_property(t->blob, "read-only", NULL, 0);
	close_nodes(t, 1);
	source(t, "cdrom0", "uuid:C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(d[0].source.kind, MANIFEST_SOURCE_FILE);
	assert_string_equal(d[0].source.name, "disks/debian, 12.img");
	assert_int_equal(d[0].format, MANIFEST_FORMAT_QCOW2);
	assert_int_equal(d[0].overlay, MANIFEST_OVERLAY_MEMORY);
	assert_int_equal(d[0].iops_limit, 100);
	assert_int_equal(d[0].iops_burst, 1000);
	assert_int_equal(d[0].kib_limit, 10240);
	assert_int_equal(d[0].kib_burst, 65536);
	assert_string_equal(d[0].image[0], "");
	assert_int_equal(d[1].source.kind, MANIFEST_SOURCE_SERIAL);
	assert_string_equal(d[1].source.name, "S3Z8NB0K-1");
	assert_int_equal(d[1].format, MANIFEST_FORMAT_RAW);
	assert_false(d[1].is_read_only);
	assert_int_equal(d[2].source.kind, MANIFEST_SOURCE_GPT);
	assert_string_equal(d[2].source.name, "my data");
	assert_true(d[2].is_read_only);
	assert_int_equal(d[3].source.kind, MANIFEST_SOURCE_UUID);
	assert_string_equal(d[3].source.name,
			    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_true(d[3].is_read_only);
}

#define SOURCE "/guests/a/disk0: source: "
#define SOURCE_SERIAL                                        \
	SOURCE "must name a serial number of 1 to 20 ASCII " \
	       "characters without spaces"
#define SOURCE_LABEL                                             \
	SOURCE "must name a partition's label of 1 to 36 ASCII " \
	       "characters"
#define SOURCE_UUID                                           \
	SOURCE "must name a partition by its UUID, or by an " \
	       "MBR's signature and number, as in "           \
	       "uuid:1234abcd-01"

/* clang-format off */
static const struct {
	const char *source, *error;
} bad_sources[] = {
	{ "", SOURCE "must not be empty" },
	{ "debian.img", SOURCE "must begin with file:, serial:, gpt: or uuid:" },
	{ "File:a", SOURCE "must begin with file:, serial:, gpt: or uuid:" },
	{ "file:", SOURCE "names no file" },
	{ "file:a\tb", SOURCE "has a control character in its file's name" },
	{ "serial:", SOURCE_SERIAL },
	{ "serial:123456789012345678901", SOURCE_SERIAL },
	{ "serial:a b", SOURCE_SERIAL },
	{ "gpt:", SOURCE_LABEL },
	{ "gpt:0123456789012345678901234567890123456", SOURCE_LABEL },
	{ "gpt:\xc3\xa9", SOURCE_LABEL },
	{ "uuid:", SOURCE_UUID },
	{ "uuid:1234abcd-1", SOURCE_UUID },
	{ "uuid:1234abcg-01", SOURCE_UUID },
	{ "uuid:c12a7328-f81f-11d2-ba4b+00a0c93ec93b", SOURCE_UUID },
	{ "uuid:c12a7328f81f11d2ba4b00a0c93ec93b", SOURCE_UUID },
	{ "file:01234567890123456789012345678901234567890123456789012345678901"
	  "23456789012345678901234567890123456789012345678901234567890123456789",
	  SOURCE "has 135 characters, at most 127 fit" },
};
/* clang-format on */

static void test_bad_sources(void **state)
{
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(bad_sources); i++) {
		begin(t);
		guest(t, "a");
		source(t, "disk0", bad_sources[i].source);
		close_nodes(t, 4);
		expect_error(t, bad_sources[i].error);
	}
}

/* With a source or an image, one more property, and what is said of it. */
/* clang-format off */
static const struct {
	const char *source, *name, *text, *error;
} bad_pairs[] = {
	{ "file:a", "image", "a.img",
	  "source: excludes an image: give one of them" },
	{ "file:a", "mode", "private", "mode: is for images in memory" },
	{ "file:a", "format", "raw:", "format: is \"raw:\", known are: raw, "
	  "qcow2, vmdk, vdi" },
	{ "file:a", "overlay", "disk",
	  "overlay: is \"disk\", known are: memory" },
	{ "serial:a", "format", "raw", "format: is for files" },
	{ "gpt:a", "format", "qcow2", "format: is for files" },
	{ "file:a", "iops-burst", NULL, "iops-burst: needs iops-limit" },
	{ "file:a", "kib-burst", NULL, "kib-burst: needs kib-limit" },
	{ NULL, "format", "raw", "format: needs a source" },
	{ NULL, "overlay", "memory", "overlay: needs a source" },
	{ NULL, "iops-limit", NULL, "iops-limit: needs a source" },
	{ NULL, "kib-limit", NULL, "kib-limit: needs a source" },
};
/* clang-format on */

static void test_bad_pairs(void **state)
{
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(bad_pairs); i++) {
		char error[200];

		begin(t);
		guest(t, "a");
		if (bad_pairs[i].source)
			source(t, "disk0", bad_pairs[i].source);
		else
			disk(t, "disk0");
		if (bad_pairs[i].text)
			fdt_property_string(t->blob, bad_pairs[i].name,
					    bad_pairs[i].text);
		else
			fdt_property_u32(t->blob, bad_pairs[i].name, 1);
		close_nodes(t, 4);
		snprintf(error, sizeof(error), "/guests/a/disk0: %s",
			 bad_pairs[i].error);
		expect_error(t, error);
	}
	begin(t);
	guest(t, "a");
	source(t, "cdrom0", "file:a.iso");
	fdt_property_string(t->blob, "overlay", "memory");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/cdrom0: overlay: is for disks that may be "
			"written");
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "disk0");
	fdt_property_string(t->blob, "bus", "ide");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/disk0: image: is missing: give one, or a "
			"source");
}

/* Two disks of one source in two guests, each with one more property. */
static int share(struct tree *t, const char *const sources[2],
		 const char *const properties[2])
{
	begin(t);
	for (unsigned i = 0; i < 2; i++) {
		guest(t, i ? "b" : "a");
		source(t, i ? "disk1" : "disk0", sources[i]);
		if (properties[i] && !strcmp(properties[i], "overlay"))
			fdt_property_string(t->blob, "overlay", "memory");
		else if (properties[i])
			fdt_property(t->blob, properties[i], NULL, 0);
		close_nodes(t, 2);
	}
	close_nodes(t, 2);
	return parse(t);
}

static void test_shared_sources(void **state)
{
	static const char *const files[] = { "file:a", "file:a" };
	static const char *const others[] = { "file:a", "file:b" };
	static const char *const kinds[] = { "serial:a", "gpt:a" };
	static const char *const uuids[] = { "uuid:1234ABCD-01",
					     "uuid:1234abcd-01" };
	static const char *const kept[] = { NULL, "read-only", "overlay" };
	struct tree *t = *state;

	for (unsigned i = 0; i < 9; i++) {
		const char *const properties[] = { kept[i / 3], kept[i % 3] };

		if (i / 3 && i % 3) {
			assert_int_equal(share(t, files, properties), 0);
			continue;
		}
		assert_int_equal(share(t, files, properties), -EINVAL);
		assert_string_equal(
			t->error,
			"/guests/b/disk1: source: is that of /guests/a/disk0, "
			"too: both must be read-only or have an overlay");
		assert_int_equal(share(t, others, properties), 0);
		assert_int_equal(share(t, kinds, properties), 0);
		assert_int_equal(share(t, uuids, properties), -EINVAL);
	}
	/* In one guest. */
	begin(t);
	guest(t, "a");
	source(t, "disk0", "serial:a");
	close_nodes(t, 1);
	source(t, "disk1", "serial:a");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/disk1: source: is that of /guests/a/disk0, "
			"too: both must be read-only or have an overlay");
}

static void test_serials(void **state)
{
	struct guest_manifest guest = { .name = "web" };
	struct disk_manifest disk = { .name = "disk0" };
	char serial[SOURCE_SERIAL_SIZE];

	(void)state;
	source_serial(serial, &guest, &disk);
	assert_string_equal(serial, "web/disk0");
	strcpy(guest.name, "twelve-chars-x");
	source_serial(serial, &guest, &disk);
	assert_string_equal(serial, "twelve-chars-x/disk0");
	/* FNV-1a, as anybody computes it. */
	strcpy(guest.name, "twelve-chars-xy");
	source_serial(serial, &guest, &disk);
	assert_string_equal(serial, "#30c0c2e53931c060");
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
	expect_error(t, "/guests/g80: more than 80 guests");
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
		TEST(test_defaults),	    TEST(test_everything),
		TEST(test_control),	    TEST(test_bad_control),
		TEST(test_program),	    TEST(test_not_a_tree),
		TEST(test_no_guests),	    TEST(test_bad_properties),
		TEST(test_missing),	    TEST(test_bad_choice),
		TEST(test_odd_memory),	    TEST(test_kernel_or_firmware),
		TEST(test_kernel_and_bios), TEST(test_bad_nodes),
		TEST(test_names),	    TEST(test_mode_of_what_is_read),
		TEST(test_sources),	    TEST(test_bad_sources),
		TEST(test_bad_pairs),	    TEST(test_shared_sources),
		TEST(test_serials),	    TEST(test_units),
		TEST(test_too_many_guests), TEST(test_damaged),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
