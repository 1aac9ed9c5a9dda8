/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI: placed in RAM, every table is reachable from the RSDP, sums to zero
 * and says what the board description says.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/acpi.h"
#include "firmware/acpi_layout.h"
#include "firmware/buffer.h"

#define RSDP_GPA   0xe0000
#define TABLES_GPA 0xe1000

struct fixture {
	struct board_description board;
	struct acpi_tables acpi;
	uint8_t memory[0x100000];
	struct guest_ram ram;
};

static struct fixture f;

static void build_and_place(unsigned vcpus)
{
	assert_int_equal(board_description_pc(&f.board, MIB(512), vcpus), 0);
	assert_int_equal(acpi_tables_build(&f.acpi, &f.board), 0);
	memset(f.memory, 0, sizeof(f.memory));
	f.ram.count = 1;
	f.ram.range[0] = (struct guest_ram_range){ .base = 0,
						   .length = sizeof(f.memory),
						   .host = f.memory };
	assert_int_equal(
		acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, TABLES_GPA), 0);
}

static void *table_at(uint64_t gpa, const char *signature)
{
	struct acpi_header *header = (void *)(f.memory + gpa);

	assert_in_range(gpa, TABLES_GPA, TABLES_GPA + ACPI_TABLES_SIZE);
	assert_memory_equal(header->signature, signature, 4);
	assert_in_range(header->length, sizeof(*header), ACPI_TABLES_SIZE);
	assert_int_equal(checksum_of(header, header->length), 0);
	return header;
}

/* By way of the XSDT; the RSDT must agree. */
static void *table_find(const char *signature)
{
	struct acpi_rsdp *rsdp = (void *)(f.memory + RSDP_GPA);
	struct acpi_header *rsdt = table_at(rsdp->rsdt, "RSDT");
	struct acpi_header *xsdt = table_at(rsdp->xsdt, "XSDT");
	unsigned count = (xsdt->length - sizeof(*xsdt)) / 8;

	assert_int_equal((rsdt->length - sizeof(*rsdt)) / 4, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t gpa;
		uint32_t gpa32;

		memcpy(&gpa, (uint8_t *)(xsdt + 1) + 8 * i, 8);
		memcpy(&gpa32, (uint8_t *)(rsdt + 1) + 4 * i, 4);
		assert_int_equal(gpa, gpa32);
		if (!memcmp(f.memory + gpa, signature, 4))
			return table_at(gpa, signature);
	}
	return NULL;
}

static void test_rsdp(void **state)
{
	struct acpi_rsdp *rsdp = (void *)(f.memory + RSDP_GPA);

	(void)state;
	build_and_place(1);
	assert_memory_equal(rsdp->signature, "RSD PTR ", 8);
	assert_int_equal(rsdp->revision, 2);
	assert_int_equal(checksum_of(rsdp, ACPI_RSDP_V1_SIZE), 0);
	assert_int_equal(checksum_of(rsdp, rsdp->length), 0);
}

static void test_fadt(void **state)
{
	struct acpi_fadt *fadt;
	struct acpi_facs *facs;

	(void)state;
	build_and_place(1);
	fadt = table_find("FACP");
	assert_non_null(fadt);
	assert_int_equal(fadt->header.revision, 3);
	assert_int_equal(fadt->pm1a_evt_blk, 0x600);
	assert_int_equal(fadt->pm1a_cnt_blk, 0x604);
	assert_int_equal(fadt->pm_tmr_blk, 0x608);
	assert_int_equal(fadt->gpe0_blk, 0xafe0);
	assert_int_equal(fadt->sci_int, 9);
	assert_int_equal(fadt->smi_cmd, 0xb2);
	assert_int_equal(fadt->reset_reg.address, 0xcf9);
	assert_int_equal(fadt->reset_value, 6);
	assert_true(fadt->flags & FADT_RESET_REG_SUP);
	assert_int_equal(fadt->dsdt, fadt->x_dsdt);
	table_at(fadt->dsdt, "DSDT");
	assert_int_equal(fadt->facs % 64, 0);
	facs = (void *)(f.memory + fadt->facs);
	assert_memory_equal(facs->signature, "FACS", 4);
	assert_int_equal(facs->length, 64);
}

static void test_pm_elsewhere(void **state)
{
	struct acpi_fadt *fadt;

	(void)state;
	build_and_place(1);
	acpi_tables_move_pm(&f.acpi, 0xb000);
	assert_int_equal(
		acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, TABLES_GPA), 0);
	fadt = table_find("FACP");
	assert_non_null(fadt);
	assert_int_equal(fadt->pm1a_evt_blk, 0xb000);
	assert_int_equal(fadt->pm1a_cnt_blk, 0xb004);
	assert_int_equal(fadt->x_pm1a_cnt_blk.address, 0xb004);
	assert_int_equal(fadt->pm_tmr_blk, 0xb008);
	assert_int_equal(fadt->x_pm_tmr_blk.address, 0xb008);
	assert_int_equal(fadt->gpe0_blk, 0xafe0);
}

/* With what the description says now. */
static void build_again(void)
{
	assert_int_equal(acpi_tables_build(&f.acpi, &f.board), 0);
	assert_int_equal(
		acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, TABLES_GPA), 0);
}

/* The first entry of that root is a FADT. */
static struct acpi_fadt *fadt_of(uint64_t root, const char *signature,
				 unsigned size)
{
	struct acpi_header *header = table_at(root, signature);
	uint64_t gpa = 0;

	memcpy(&gpa, header + 1, size);
	return table_at(gpa, "FACP");
}

static void test_fadt_revisions(void **state)
{
	static const struct {
		uint8_t revision;
		uint32_t length;
	} rows[] = { { 3, 244 }, { 4, 244 }, { 5, 268 }, { 6, 276 } };
	struct acpi_rsdp *rsdp = (void *)(f.memory + RSDP_GPA);

	(void)state;
	build_and_place(1);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct acpi_fadt *fadt;

		f.board.fadt_revision = rows[i].revision;
		build_again();
		fadt = table_find("FACP");
		assert_int_equal(fadt->header.revision, rows[i].revision);
		assert_int_equal(fadt->header.length, rows[i].length);
		assert_int_equal(rsdp->revision, 2);
	}
}

static void test_acpi_1(void **state)
{
	struct acpi_rsdp *rsdp = (void *)(f.memory + RSDP_GPA);
	struct acpi_fadt *fadt;

	(void)state;
	build_and_place(1);
	f.board.fadt_revision = 1;
	build_again();
	assert_int_equal(rsdp->revision, 0);
	assert_int_equal(rsdp->xsdt, 0);
	assert_int_equal(checksum_of(rsdp, ACPI_RSDP_V1_SIZE), 0);
	fadt = fadt_of(rsdp->rsdt, "RSDT", 4);
	assert_int_equal(fadt->header.revision, 1);
	assert_int_equal(fadt->header.length, 116);
	assert_int_equal(fadt->pm1a_evt_blk, 0x600);
	assert_int_equal(fadt->iapc_boot_arch, 0);
	assert_false(fadt->flags & FADT_RESET_REG_SUP);
	table_at(fadt->dsdt, "DSDT");
}

/* Each in its own root, with the same DSDT and FACS, and both move. */
static void test_acpi_1_beside(void **state)
{
	struct acpi_rsdp *rsdp = (void *)(f.memory + RSDP_GPA);
	struct acpi_fadt *old, *new;

	(void)state;
	build_and_place(1);
	f.board.fadt_revision = 6;
	f.board.has_acpi_1 = true;
	assert_int_equal(acpi_tables_build(&f.acpi, &f.board), 0);
	acpi_tables_move_pm(&f.acpi, 0xb000);
	assert_int_equal(
		acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, TABLES_GPA), 0);
	assert_int_equal(rsdp->revision, 2);
	old = fadt_of(rsdp->rsdt, "RSDT", 4);
	new = fadt_of(rsdp->xsdt, "XSDT", 8);
	assert_int_equal(old->header.revision, 1);
	assert_int_equal(new->header.revision, 6);
	assert_int_equal(old->facs, new->facs);
	assert_int_equal(old->dsdt, new->dsdt);
	assert_int_equal(old->pm1a_cnt_blk, 0xb004);
	assert_int_equal(new->pm1a_cnt_blk, 0xb004);
	assert_int_equal(new->x_pm1a_cnt_blk.address, 0xb004);
}

static void test_waking_vector(void **state)
{
	struct acpi_facs *facs;

	(void)state;
	build_and_place(1);
	assert_int_equal(acpi_waking_vector(&f.ram, TABLES_GPA), 0);
	facs = (void *)(f.memory + TABLES_GPA);
	facs->waking_vector = 0x9a123;
	assert_int_equal(acpi_waking_vector(&f.ram, TABLES_GPA), 0x9a123);
	assert_int_equal(acpi_waking_vector(&f.ram, MIB(1) - 32), 0);
	facs->signature[0] = 'X';
	assert_int_equal(acpi_waking_vector(&f.ram, TABLES_GPA), 0);
}

static void test_no_smi_port(void **state)
{
	(void)state;
	build_and_place(1);
	f.board.features &= ~(uint32_t)BOARD_HAS_SMI;
	assert_int_equal(acpi_tables_build(&f.acpi, &f.board), 0);
	assert_int_equal(
		acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, TABLES_GPA), 0);
	assert_int_equal(((struct acpi_fadt *)table_find("FACP"))->smi_cmd, 0);
}

struct madt_count {
	unsigned type[8];
	unsigned timer_gsi;
	unsigned sci_flags;
};

static struct madt_count madt_walk(void)
{
	struct madt_count count = { 0 };
	struct acpi_madt *madt = table_find("APIC");
	uint8_t *at = (uint8_t *)(madt + 1);
	uint8_t *end = (uint8_t *)madt + madt->header.length;

	for (; at < end; at += at[1]) {
		struct madt_override *override = (void *)at;
		struct madt_lapic *lapic = (void *)at;

		assert_in_range(at[0], 0, 7);
		assert_in_range(at[1], 6, end - at);
		if (at[0] == MADT_LAPIC)
			assert_int_equal(lapic->apic_id, count.type[0]);
		count.type[at[0]]++;
		if (at[0] != MADT_OVERRIDE)
			continue;
		if (override->source == 0)
			count.timer_gsi = override->gsi;
		if (override->source == 9)
			count.sci_flags = override->flags;
	}
	return count;
}

static void test_madt(void **state)
{
	static const unsigned vcpus[] = { 1, 2, 8, BOARD_VCPUS_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(vcpus); i++) {
		struct madt_count count;

		build_and_place(vcpus[i]);
		count = madt_walk();
		assert_int_equal(count.type[MADT_LAPIC], vcpus[i]);
		assert_int_equal(count.type[MADT_IOAPIC], 1);
		assert_int_equal(count.type[MADT_OVERRIDE], 5);
		assert_int_equal(count.type[MADT_LAPIC_NMI], 1);
		assert_int_equal(count.timer_gsi, 2);
		assert_int_equal(count.sci_flags, 0xd);
	}
}

/* Name (NAME, DWord) somewhere in the DSDT. */
static uint32_t dsdt_get(const char *name)
{
	struct acpi_fadt *fadt = table_find("FACP");
	struct acpi_header *dsdt = table_at(fadt->dsdt, "DSDT");
	uint8_t *aml = (uint8_t *)dsdt;
	uint32_t value;

	for (uint32_t i = 0; i + 10 <= dsdt->length; i++) {
		if (aml[i] != 0x08 || memcmp(aml + i + 1, name, 4))
			continue;
		assert_int_equal(aml[i + 5], 0x0c);
		memcpy(&value, aml + i + 6, 4);
		return value;
	}
	fail_msg("%s is not in the DSDT", name);
	return 0;
}

static void test_dsdt(void **state)
{
	(void)state;
	build_and_place(1);
	assert_int_equal(dsdt_get("PCIL"), 0x80000000);
	assert_int_equal(dsdt_get("PCIH"), 0xfebfffff);
	assert_int_equal(dsdt_get("FEAT"), f.board.features);
}

/* How often the DSDT defines it. */
static unsigned dsdt_count(const char *name)
{
	struct acpi_fadt *fadt = table_find("FACP");
	struct acpi_header *dsdt = table_at(fadt->dsdt, "DSDT");
	uint8_t *aml = (uint8_t *)dsdt;
	unsigned count = 0;

	for (uint32_t i = 0; i + 5 <= dsdt->length; i++)
		count += aml[i] == 0x08 && !memcmp(aml + i + 1, name, 4);
	return count;
}

static void test_sleep_states(void **state)
{
	struct acpi_fadt *fadt;

	(void)state;
	build_and_place(1);
	fadt = table_find("FACP");
	assert_true(fadt->flags & FADT_FIX_RTC);
	assert_int_equal(dsdt_count("_S3_"), 0);
	assert_int_equal(dsdt_count("_S4_"), 0);
	assert_int_equal(dsdt_count("_S5_"), 1);
	assert_int_equal(dsdt_count("_PRW"), 0);
	f.board.features |= BOARD_HAS_S3;
	build_again();
	fadt = table_find("FACP");
	assert_false(fadt->flags & FADT_FIX_RTC);
	assert_int_equal(dsdt_count("_S3_"), 1);
	assert_int_equal(dsdt_count("_S4_"), 0);
	assert_int_equal(dsdt_count("_PRW"), 2);
	f.board.features |= BOARD_HAS_S4;
	build_again();
	assert_int_equal(dsdt_count("_S4_"), 1);
}

static void test_processors(void **state)
{
	struct acpi_header *ssdt;

	(void)state;
	build_and_place(20);
	f.board.acpi_processors = 15;
	build_again();
	ssdt = table_find("SSDT");
	assert_int_equal(ssdt->length, sizeof(*ssdt) + 8 + 15 * 14);
	assert_int_equal(madt_walk().type[MADT_LAPIC], 20);
	f.board.acpi_processors = 32;
	build_again();
	ssdt = table_find("SSDT");
	assert_int_equal(ssdt->length, sizeof(*ssdt) + 8 + 20 * 14);
}

static void test_ssdt(void **state)
{
	struct acpi_header *ssdt;
	uint8_t *aml;

	(void)state;
	build_and_place(BOARD_VCPUS_MAX);
	ssdt = table_find("SSDT");
	aml = (uint8_t *)(ssdt + 1);
	/* Scope: its package ends where the table ends. */
	assert_int_equal(aml[0], 0x10);
	assert_int_equal((aml[1] & 0xf) | aml[2] << 4,
			 ssdt->length - sizeof(*ssdt) - 1);
	assert_memory_equal(aml + 3, "\\_PR_", 5);
	assert_memory_equal(aml + 8 + 14 * 0x3f + 4, "CP3F", 4);
	assert_int_equal(aml[8 + 14 * 0x3f + 8], 0x3f);
}

static void test_hpet(void **state)
{
	(void)state;
	build_and_place(1);
	assert_null(table_find("HPET"));
	f.board.features |= BOARD_HAS_HPET;
	assert_int_equal(acpi_tables_build(&f.acpi, &f.board), 0);
	assert_int_equal(
		acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, TABLES_GPA), 0);
	assert_non_null(table_find("HPET"));
}

/* A table more, of a board that has the port. */
static void test_parallel(void **state)
{
	struct acpi_rsdp *rsdp = (void *)(f.memory + RSDP_GPA);
	struct acpi_header *xsdt, *table;
	uint32_t length, gpa, found = 0;

	(void)state;
	build_and_place(1);
	length = f.acpi.tables_length;
	f.board.features |= BOARD_HAS_LPT1;
	build_again();
	assert_true(f.acpi.tables_length > length);
	xsdt = table_at(rsdp->xsdt, "XSDT");
	for (uint32_t at = sizeof(*xsdt); at < xsdt->length; at += 8) {
		memcpy(&gpa, (uint8_t *)xsdt + at, sizeof(gpa));
		table = (void *)(f.memory + gpa);
		if (memcmp(table->oem_table_id, "PARALLEL", 8))
			continue;
		found++;
		assert_ptr_equal(table_at(gpa, "SSDT"), table);
		/* Scope (\_SB) */
		assert_memory_equal((uint8_t *)(table + 1) + 2, "\\_SB_", 5);
	}
	assert_int_equal(found, 1);
}

/* Without a PC's registers: no FACS, other ones, and a DSDT of its own. */
static void test_reduced(void **state)
{
	struct acpi_fadt *fadt;
	struct acpi_madt *madt;
	struct acpi_header *dsdt;

	(void)state;
	build_and_place(1);
	assert_int_equal(board_description_pv(&f.board, GIB(4), 3), 0);
	f.board.features |= BOARD_HAS_COM1;
	build_again();
	fadt = table_find("FACP");
	assert_int_equal(fadt->header.revision, 6);
	assert_int_equal(fadt->header.length, sizeof(*fadt));
	assert_int_equal(fadt->flags & BIT(20), BIT(20));
	assert_int_equal(fadt->facs, 0);
	assert_int_equal(fadt->pm1a_evt_blk | fadt->pm_tmr_blk |
				 fadt->gpe0_blk | fadt->smi_cmd,
			 0);
	assert_int_equal(fadt->sleep_control_reg.address, 0x600);
	assert_int_equal(fadt->sleep_status_reg.address, 0x601);
	assert_int_equal(fadt->reset_reg.address, 0x602);
	assert_int_equal(fadt->reset_value, 1);
	assert_int_equal(fadt->iapc_boot_arch, BIT(2) | BIT(5));
	/* Three vCPUs, the I/O APIC, NMIs: no 8259, nothing overridden. */
	madt = table_find("APIC");
	assert_int_equal(madt->flags, 0);
	assert_int_equal(madt->header.length,
			 sizeof(*madt) + 3 * sizeof(struct madt_lapic) +
				 sizeof(struct madt_ioapic) +
				 sizeof(struct madt_lapic_nmi));
	dsdt = table_at(fadt->dsdt, "DSDT");
	assert_int_equal(dsdt->revision, 2);
	assert_int_equal(fadt->x_dsdt, fadt->dsdt);
	assert_int_equal(dsdt_get("PCIL"), 0xc0000000);
	assert_int_equal(dsdt_get("FEAT"), f.board.features);
}

static void test_not_ram(void **state)
{
	(void)state;
	build_and_place(1);
	assert_int_equal(acpi_tables_place(&f.acpi, &f.ram, RSDP_GPA, 0xfffc0),
			 -ERANGE);
	assert_int_equal(acpi_tables_place(&f.acpi, &f.ram, MIB(2), TABLES_GPA),
			 -ERANGE);
}

static void test_board_bounds(void **state)
{
	struct board_description board;

	(void)state;
	assert_int_equal(board_description_pc(&board, MIB(64), 0), -EINVAL);
	assert_int_equal(
		board_description_pc(&board, MIB(64), BOARD_VCPUS_MAX + 1),
		-EINVAL);
	assert_int_equal(board_description_pc(&board, MIB(1) - 1, 1), -EINVAL);
	assert_int_equal(board_description_pc(&board, GIB(5), 1), 0);
	assert_int_equal(board.ram_low, GIB(3));
	assert_int_equal(board.ram_high, GIB(2));
	assert_int_equal(board.pci_hole_base, 0xc0000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsdp),
		cmocka_unit_test(test_fadt),
		cmocka_unit_test(test_pm_elsewhere),
		cmocka_unit_test(test_fadt_revisions),
		cmocka_unit_test(test_acpi_1),
		cmocka_unit_test(test_acpi_1_beside),
		cmocka_unit_test(test_waking_vector),
		cmocka_unit_test(test_sleep_states),
		cmocka_unit_test(test_processors),
		cmocka_unit_test(test_no_smi_port),
		cmocka_unit_test(test_madt),
		cmocka_unit_test(test_dsdt),
		cmocka_unit_test(test_ssdt),
		cmocka_unit_test(test_hpet),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_reduced),
		cmocka_unit_test(test_not_ram),
		cmocka_unit_test(test_board_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
