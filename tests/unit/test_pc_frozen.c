/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board "pc-1" is what it was: all that a guest is told of it, byte by byte
 * against tests/unit/pc-1.golden.  A system that was installed on a board of
 * that version must find its devices again, for ever; what changes them needs a
 * new version of the board.
 *
 *	build/unit/test_pc_frozen --accept
 *
 * writes the file anew, from the repository's root: for a version that nobody
 * has used yet.
 */
#include "tests/unit/pc_test.h"

#include <stdio.h>

#include "cpumodel/cpuid.h"
#include "firmware/mptable.h"
#include "firmware/pirq.h"
#include "machine/cpuid_table.h"

#define GOLDEN	    "tests/unit/pc-1.golden"
#define CMOS_TIME   0x0d /* the last register that runs */
#define MPTABLE_GPA 0xf1000
#define TEXT_SIZE   KIB(512)

/* Of any table's header. */
#define ACPI_CHECKSUM 9
#define ACPI_CREATOR  28
#define ACPI_HEADER   36

static char *text;
static size_t used;

static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text + used, TEXT_SIZE - used, format, args);
	va_end(args);
	assert_true(length >= 0 && (size_t)length < TEXT_SIZE - used);
	used += (size_t)length;
}

/* Lines of 16; those of zeros alone are left out. */
static void dump(const char *name, const void *data, size_t size)
{
	static const uint8_t zeros[16];
	const uint8_t *bytes = data;

	say("\n%s: %zu bytes\n", name, size);
	for (size_t i = 0; i < size; i += 16) {
		size_t length = MIN(size - i, 16);

		if (!memcmp(bytes + i, zeros, length))
			continue;
		say("%04zx", i);
		for (size_t j = 0; j < length; j++)
			say(" %02x", bytes[i + j]);
		say("\n");
	}
}

/* The DSDT names its compiler, which may be another's tomorrow. */
static void forget_compiler(uint8_t *tables, size_t size)
{
	for (size_t i = 0; i + ACPI_HEADER <= size; i++)
		if (!memcmp(tables + i, "DSDT", 4)) {
			tables[i + ACPI_CHECKSUM] = 0;
			memset(tables + i + ACPI_CREATOR, 0,
			       ACPI_HEADER - ACPI_CREATOR);
			return;
		}
}

static void dump_files(void)
{
	const struct firmware_tables *tables = &bench.pc->tables;

	forget_compiler(bench.pc->tables.acpi.tables,
			tables->acpi.tables_length);
	for (unsigned i = 0; i < tables->file_count; i++)
		dump(tables->file[i].name, tables->file[i].data,
		     tables->file[i].length);
}

static void dump_legacy(void)
{
	static uint8_t mp[MPTABLE_SIZE], pirq[PIRQ_TABLE_SIZE];
	int length = mptable_build(mp, &bench.pc->board, MPTABLE_GPA);

	assert_true(length > 0);
	dump("MP table", mp, (size_t)length);
	length = pirq_table_build(pirq, &bench.pc->board);
	assert_true(length > 0);
	dump("$PIR", pirq, (size_t)length);
}

static void dump_pci(void)
{
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		uint32_t space[64];
		char name[32];

		for (unsigned i = 0; i < 64; i++) {
			out(0xcf8, 0x80000000 | devfn << 8 | i * 4, 4);
			space[i] = in(0xcfc, 4);
		}
		if (space[0] == UINT32_MAX)
			continue;
		snprintf(name, sizeof(name), "PCI %02x.%x", devfn >> 3,
			 devfn & 7);
		dump(name, space, sizeof(space));
	}
}

static void dump_cmos(void)
{
	uint8_t cells[128] = { 0 };

	for (uint8_t i = CMOS_TIME + 1; i < sizeof(cells); i++)
		cells[i] = cmos(i);
	dump("CMOS", cells, sizeof(cells));
}

/* ---- Processors, on a made-up host that has everything --------------------
 */

static const char *host_vendor;

static struct cpuid_regs host(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs regs = { ~0U, ~0U, ~0U, ~0U };

	if (leaf == 0 || leaf == 0x80000000) {
		regs.eax = leaf ? 0x8000001e : 0x1f;
		memcpy(&regs.ebx, host_vendor, 4);
		memcpy(&regs.edx, host_vendor + 4, 4);
		memcpy(&regs.ecx, host_vendor + 8, 4);
	}
	if (leaf == 4 || leaf == 0x8000001d)
		regs.eax = subleaf < 4 ? 0x121 : 0;
	if (leaf == 0x80000008)
		regs.eax = 0x3030;
	return regs;
}

static struct cpuid_regs facts(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return cpuid_facts(host, leaf, subleaf);
}

static void dump_leaves(const struct cpuid_table *table, uint32_t first)
{
	static const uint32_t none[4];

	for (uint32_t leaf = first; leaf < first + CPUID_LEAVES; leaf++)
		for (uint32_t i = 0; i < 5; i++) {
			const struct cpuid_leaf *found =
				cpuid_find(table, leaf, i);
			const struct cpuid_regs *r = &found->regs;

			if ((i && found == cpuid_find(table, leaf, 0)) ||
			    !memcmp(r, none, sizeof(none)))
				continue;
			say("%08x.%u %08x %08x %08x %08x\n", leaf, i, r->eax,
			    r->ebx, r->ecx, r->edx);
		}
}

static void dump_cpuid(const char *vendor)
{
	static struct cpuid_table table;
	const struct cpuid_config config = {
		.facts = facts,
		.vcpus = 2,
		.cores = 1,
		.threads = 1,
		.tsc_hz = 2000000000,
		.apic_timer_hz = 1000000000,
	};

	host_vendor = vendor;
	assert_int_equal(cpuid_table_build(&table, &config), 0);
	assert_int_equal(cpuid_limit(host, &table), 0);
	say("\nCPUID on %s\n", vendor);
	dump_leaves(&table, CPUID_BASIC);
	dump_leaves(&table, CPUID_HYPERVISOR);
	dump_leaves(&table, CPUID_EXTENDED);
}

/* ---- All of it -------------------------------------------------------------
 */

static void add_disk(unsigned unit, bool is_cdrom)
{
	struct machine_disk_config *disk =
		&bench.config.disk[bench.config.disk_count];

	bench.disk[bench.config.disk_count].sector_count = 65536;
	disk->bus = MACHINE_DISK_IDE;
	disk->unit = (uint8_t)unit;
	disk->is_cdrom = is_cdrom;
	bench.config.disk_count++;
}

/* Another board: what a manifest may add, each of which has its place. */
static void dump_with(const char *title, uint8_t first, uint8_t second,
		      void **state)
{
	teardown(state);
	prepare(state);
	bench.config.vcpu_count = 2;
	bench.config.devices = MACHINE_DEVICE_SERIAL1;
	bench.config.nic_count = second ? 2 : 1;
	bench.config.nic[0].model = first;
	bench.config.nic[1].model = second;
	bench.config.disk_count = 1;
	bench.config.disk[0].bus = MACHINE_DISK_FLOPPY;
	bench.config.disk[0].floppy_drive = FLOPPY_DRIVE_1440K;
	assert_int_equal(init(), 0);
	say("\nWith COM2, drive A, %s\n", title);
	dump_files();
	dump_pci();
	dump_cmos();
}

static void describe(void **state)
{
	text = malloc(TEXT_SIZE);
	used = 0;
	assert_non_null(text);
	say("The board pc-1 with 16 MiB, 2 vCPUs, a disk and a CD-ROM drive.\n"
	    "Written by: build/unit/test_pc_frozen --accept\n");
	bench.config.board = MACHINE_BOARD_PC;
	bench.config.vcpu_count = 2;
	bench.config.devices = 0;
	add_disk(0, false);
	add_disk(2, true);
	assert_int_equal(init(), 0);
	dump_files();
	dump_legacy();
	dump_pci();
	dump_cmos();
	dump_cpuid("AuthenticAMD");
	dump_cpuid("GenuineIntel");
	dump_with("e1000 and rtl8139", MACHINE_NIC_E1000, MACHINE_NIC_RTL8139,
		  state);
	dump_with("pcnet", MACHINE_NIC_PCNET, MACHINE_NIC_NONE, state);
}

static size_t first_difference(const char *a, const char *b)
{
	size_t line = 1;

	for (; *a && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

static void test_frozen(void **state)
{
	char *golden = calloc(1, TEXT_SIZE);
	FILE *from = fopen(GOLDEN, "r");

	describe(state);
	if (!from || !golden)
		fail_msg(GOLDEN " is missing");
	assert_true(fread(golden, 1, TEXT_SIZE - 1, from) > 0);
	fclose(from);
	if (strcmp(golden, text))
		fail_msg("the board differs from " GOLDEN " in line %zu: a "
			 "change needs a board of a new version",
			 first_difference(golden, text));
	free(golden);
	free(text);
}

static void test_accept(void **state)
{
	FILE *to = fopen(GOLDEN, "w");

	describe(state);
	assert_non_null(to);
	assert_int_equal(fwrite(text, 1, used, to), used);
	assert_int_equal(fclose(to), 0);
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frozen, prepare, teardown),
	};
	const struct CMUnitTest accept[] = {
		cmocka_unit_test_setup_teardown(test_accept, prepare, teardown),
	};

	if (argc > 1 && !strcmp(argv[1], "--accept"))
		return cmocka_run_group_tests_name("pc_frozen_accept", accept,
						   NULL, NULL);
	return cmocka_run_group_tests_name("pc_frozen", tests, NULL, NULL);
}
