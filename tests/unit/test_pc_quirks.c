/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc without ACPI, and with a hole in its memory. */
#define RAM  MIB(32)
#define MAPS (MIB(32) / 4096)
#include "tests/unit/pc_test.h"

#include "firmware/e820.h"

#define HOLE MIB(15)
#define END  MIB(16)

static const struct firmware_file *file(const char *name)
{
	for (unsigned i = 0; i < bench.pc->tables.file_count; i++)
		if (!strcmp(bench.pc->tables.file[i].name, name))
			return &bench.pc->tables.file[i];
	return NULL;
}

static uint32_t pci_id(unsigned slot, unsigned function)
{
	out(0xcf8, 0x80000000 | slot << 11 | function << 8, 4);
	return in(0xcfc, 4);
}

static void start(uint32_t devices)
{
	bench.config.devices |= devices;
	assert_int_equal(init(), 0);
}

/* ---- The hole ----------------------------------------------------------- */

static void test_hole_map(void **state)
{
	struct emul_window window[EMUL_WINDOWS];
	struct board_region region[BOARD_REGIONS_MAX];
	unsigned count;

	(void)state;
	start(MACHINE_DEVICE_HOLE);
	assert_int_equal(kind(HOLE - 4096), GATE_MAP_RAM);
	for (gpa_t gpa = HOLE; gpa < END; gpa += 4096)
		assert_int_equal(kind(gpa), GATE_MAP_NONE);
	assert_int_equal(kind(END), GATE_MAP_RAM);
	assert_int_equal(offset(END), END);
	assert_non_null(pc_ram_at(bench.pc, HOLE - 1, 1, true));
	assert_null(pc_ram_at(bench.pc, HOLE - 1, 2, true));
	assert_null(pc_ram_at(bench.pc, HOLE, 1, false));
	assert_null(pc_ram_at(bench.pc, END - 1, 2, false));
	assert_ptr_equal(pc_ram_at(bench.pc, END, 4096, true),
			 bench.window + END);
	assert_null(pc_ram_at(bench.pc, RAM - 1, 2, true));
	/* Nobody is there: ones, and writes get lost. */
	bench.window[HOLE] = 0x55;
	store(HOLE, 0x12, 1);
	assert_int_equal(load(HOLE, 4), 0xffffffff);
	assert_int_equal(bench.window[HOLE], 0x55);
	/* Nor for bus masters. */
	assert_null(guest_ram_at(&bench.pc->ram, HOLE, 1));
	assert_null(guest_ram_at(&bench.pc->ram, HOLE - 1, 2));
	assert_non_null(guest_ram_at(&bench.pc->ram, END, 4096));
	pc_emulator_windows(bench.pc, window);
	for (unsigned i = 0; i < EMUL_WINDOWS; i++)
		assert_false(window[i].size && window[i].start < END &&
			     window[i].start + window[i].size > HOLE);
	count = pc_regions(bench.pc, region);
	for (unsigned i = 0; i < count; i++)
		assert_false(region[i].start < END &&
			     region[i].start + region[i].size > HOLE);
}

/* With the gate off and on again it is as before. */
static void test_hole_a20(void **state)
{
	(void)state;
	start(MACHINE_DEVICE_HOLE);
	assert_false(bench.is_hole_shown);
	out(0x92, 0, 1);
	assert_null(pc_ram_at(bench.pc, HOLE - 1, 2, true));
	out(0x92, 2, 1);
	assert_int_equal(kind(HOLE), GATE_MAP_NONE);
	assert_int_equal(kind(END - 4096), GATE_MAP_NONE);
	assert_int_equal(kind(END), GATE_MAP_RAM);
	assert_null(pc_ram_at(bench.pc, HOLE, 1, true));
	/* Memory that comes when it is touched is mapped by what is whole. */
	assert_false(bench.is_hole_shown);
}

static void test_hole_told(void **state)
{
	static const struct e820_entry wanted[] = {
		{ 0, HOLE, E820_RAM },
		{ END, RAM - END, E820_RAM },
	};
	struct e820_entry entry[E820_ENTRIES_MAX];

	(void)state;
	start(MACHINE_DEVICE_HOLE);
	assert_int_equal(cmos(0x17) | cmos(0x18) << 8, 14 * 1024);
	assert_int_equal(cmos(0x30) | cmos(0x31) << 8, 14 * 1024);
	assert_int_equal(cmos(0x34) | cmos(0x35) << 8, (RAM - END) >> 16);
	assert_non_null(file(E820_FILE));
	assert_int_equal(file(E820_FILE)->length, sizeof(wanted));
	assert_memory_equal(file(E820_FILE)->data, wanted, sizeof(wanted));
	/* And where nobody but the board says it. */
	assert_int_equal(e820_build(&bench.pc->board, entry), 5);
	assert_int_equal(entry[3].base + entry[3].length, HOLE);
	assert_int_equal(entry[4].base, END);
}

/* A guest that ends before it has none. */
static void test_hole_small(void **state)
{
	(void)state;
	bench.config.ram_size = MIB(14);
	start(MACHINE_DEVICE_HOLE);
	assert_false(bench.pc->board.has_hole);
	assert_int_equal(cmos(0x30) | cmos(0x31) << 8, 13 * 1024);
}

static void test_no_hole(void **state)
{
	(void)state;
	start(0);
	assert_int_equal(kind(HOLE), GATE_MAP_RAM);
	assert_non_null(pc_ram_at(bench.pc, HOLE - 1, 2, true));
	assert_int_equal(cmos(0x30) | cmos(0x31) << 8, 31 * 1024);
	assert_int_equal(file(E820_FILE)->length, sizeof(struct e820_entry));
}

/* ---- ACPI off ------------------------------------------------------------ */

static void test_no_acpi(void **state)
{
	(void)state;
	start(MACHINE_DEVICE_NO_ACPI);
	assert_null(file(ACPI_FILE_TABLES));
	assert_null(file(ACPI_FILE_RSDP));
	/* What the BIOS makes tables of by itself, if it is there. */
	assert_null(file(ACPI_FILE_LOADER));
	assert_int_equal(pci_id(1, 3), 0xffffffff);
	assert_int_equal(pci_id(1, 1), 0x70108086);
	assert_non_null(file(E820_FILE));
	assert_non_null(file(SMBIOS_FILE_TABLES));
	/* No register answers, and nobody has a button. */
	assert_int_equal(in(0xafe0, 1), 0xff);
	assert_int_equal(pc_command(bench.pc, FACE_POWER_BUTTON, 0, ""),
			 -ENODEV);
	pc_reset(bench.pc);
	assert_int_equal(pci_id(1, 3), 0xffffffff);
}

static void test_acpi(void **state)
{
	(void)state;
	start(0);
	assert_non_null(file(ACPI_FILE_LOADER));
	assert_int_equal(pci_id(1, 3), 0x71138086);
	assert_int_equal(pc_command(bench.pc, FACE_POWER_BUTTON, 0, ""), 0);
}

static void now_set(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	bench.now_ns = now_ns;
}

/* Saved and loaded without the device that is not there. */
static void test_no_acpi_state(void **state)
{
	static uint64_t image[KIB(32)], scratch[KIB(32)];
	char why[100] = "";
	size_t length;

	(void)state;
	start(MACHINE_DEVICE_NO_ACPI);
	bench.clock.now_set = now_set;
	assert_int_equal(pc_save(bench.pc, image, sizeof(image), &length), 0);
	if (pc_load(bench.pc, image, length, scratch, why, sizeof(why)))
		fail_msg("%s", why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hole_map, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_hole_a20, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_hole_told, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_hole_small, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_hole, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_acpi, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_acpi, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_no_acpi_state, prepare,
						teardown),
	};

	return cmocka_run_group_tests_name("pc_quirks", tests, NULL, NULL);
}
