/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/acpi.c: the host's tables as firmware means them, and tables that lie
 * about their lengths, addresses and sums.
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

#define RSDP	     0xe0000u
#define RSDT	     0x10000u
#define XSDT	     0x11000u
#define MADT	     0x12000u
#define FADT	     0x13000u
#define DSDT	     0x14000u
#define SRAT	     0x15000u
#define HEADER	     36u
#define MADT_ENTRIES 44u
#define SRAT_ENTRIES 48u
#define FADT_LENGTH  116u
#define FUZZ_ROUNDS  20000
#define FUZZ_SECONDS 60

static struct acpi_info info;

static uint8_t *byte_at(hpa_t at)
{
	return phys_to_virt(at);
}

static void poke32(hpa_t at, uint32_t value)
{
	memcpy(byte_at(at), &value, sizeof(value));
}

static void poke64(hpa_t at, uint64_t value)
{
	memcpy(byte_at(at), &value, sizeof(value));
}

/* Makes length bytes sum up to zero by the one at checksum. */
static void sum_up(hpa_t at, uint32_t length, hpa_t checksum)
{
	uint8_t sum = 0;

	*byte_at(checksum) = 0;
	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + *byte_at(at + i));
	*byte_at(checksum) = (uint8_t)-sum;
}

static void table_close(hpa_t at, const char *signature, uint32_t length)
{
	memcpy(byte_at(at), signature, 4);
	poke32(at + 4, length);
	sum_up(at, length, at + 9);
}

static void rsdp_close(uint8_t revision)
{
	memcpy(byte_at(RSDP), "RSD PTR ", 8);
	*byte_at(RSDP + 15) = revision;
	poke32(RSDP + 16, RSDT);
	poke32(RSDP + 20, 36);
	poke64(RSDP + 24, XSDT);
	sum_up(RSDP, 20, RSDP + 8);
	sum_up(RSDP, 36, RSDP + 32);
}

/* Two CPUs, one of them listed twice, an I/O APIC, an override. */
static uint32_t madt_write(void)
{
	static const uint8_t entries[] = {
		0, 8,  0, 0,  1,  0, 0, 0, /* CPU 0 */
		0, 8,  1, 7,  1,  0, 0, 0, /* CPU 7 */
		0, 8,  2, 9,  0,  0, 0, 0, /* not enabled */
		9, 16, 0, 0,  7,  0, 0, 0, 1, 0,    0,	  0, 0,
		0, 0,  0, 1,  12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0,
		0, 0,  2, 10, 0,  0, 2, 0, 0, 0,    0,	  0,
	};

	memcpy(byte_at(MADT + MADT_ENTRIES), entries, sizeof(entries));
	poke32(MADT + HEADER, 0xfee00000);
	return MADT_ENTRIES + sizeof(entries);
}

/* An entry of the SRAT, and where the next one goes. */
static hpa_t srat_memory(hpa_t at, uint32_t node, hpa_t base, uint64_t size,
			 bool is_enabled)
{
	*byte_at(at) = 1;
	*byte_at(at + 1) = 40;
	poke32(at + 2, node);
	poke64(at + 8, base);
	poke64(at + 16, size);
	poke32(at + 28, is_enabled);
	return at + 40;
}

static hpa_t srat_cpu(hpa_t at, uint8_t node, uint8_t apic_id, bool is_enabled)
{
	*byte_at(at + 1) = 16;
	*byte_at(at + 2) = node;
	*byte_at(at + 3) = apic_id;
	poke32(at + 4, is_enabled);
	return at + 16;
}

static hpa_t srat_x2apic(hpa_t at, uint32_t node, uint32_t apic_id)
{
	*byte_at(at) = 2;
	*byte_at(at + 1) = 24;
	poke32(at + 4, node);
	poke32(at + 8, apic_id);
	poke32(at + 12, 1);
	return at + 24;
}

/* CPUs 0 and 7 on nodes 0 and 3, one that nobody knows of; 2 GiB of node 0, 1
 * GiB of node 3; and what is none: disabled, empty, wrapped, too short. */
static uint32_t srat_write(void)
{
	hpa_t at = srat_cpu(SRAT + SRAT_ENTRIES, 0, 0, true);

	at = srat_cpu(at, 9, 7, false);
	at = srat_x2apic(at, 3, 7);
	at = srat_cpu(at, 5, 6, true);
	at = srat_memory(at, 0, 0, GIB(2), true);
	at = srat_memory(at, 3, GIB(4), GIB(1), true);
	at = srat_memory(at, 3, GIB(9), GIB(1), false);
	at = srat_memory(at, 3, GIB(9), 0, true);
	at = srat_memory(at, 3, GIB(9), UINT64_MAX - GIB(8), true);
	*byte_at(at) = 1;
	*byte_at(at + 1) = 28;
	poke32(at + 16, GIB(1));
	return (uint32_t)(at + 28 - SRAT);
}

static void tables_write(void)
{
	static const uint8_t s5[] = { 8, '_', 'S', '5', '_', 0x12,
				      8, 4,   0xa, 5,	0xa, 6 };

	boot_memory_clear();
	table_close(MADT, "APIC", madt_write());
	memcpy(byte_at(DSDT + HEADER), s5, sizeof(s5));
	table_close(DSDT, "DSDT", HEADER + sizeof(s5));
	poke32(FADT + 40, DSDT);
	poke32(FADT + 64, 0x604);
	table_close(FADT, "FACP", FADT_LENGTH);
	table_close(SRAT, "SRAT", srat_write());
	poke32(RSDT + HEADER, MADT);
	poke32(RSDT + HEADER + 4, FADT);
	poke32(RSDT + HEADER + 8, SRAT);
	table_close(RSDT, "RSDT", HEADER + 12);
	poke64(XSDT + HEADER, FADT);
	poke64(XSDT + HEADER + 8, MADT);
	poke64(XSDT + HEADER + 16, SRAT);
	table_close(XSDT, "XSDT", HEADER + 24);
	rsdp_close(2);
}

static void expect_all(void)
{
	assert_int_equal(info.cpu_count, 2);
	assert_int_equal(info.cpu_apic_id[1], 7);
	assert_int_equal(info.ioapic_count, 1);
	assert_int_equal(info.ioapic[0].address, 0xfec00000);
	assert_int_equal(info.isa_irq[0].gsi, 2);
	assert_int_equal(info.pm1a_control, 0x604);
	assert_true(info.has_s5);
	assert_int_equal(info.s5_type_a, 5);
	assert_int_equal(info.s5_type_b, 6);
	assert_int_equal(acpi_node(&info, 0), 0);
	assert_int_equal(acpi_node(&info, 7), 3);
	assert_int_equal(acpi_node(&info, 6), 0);
	assert_int_equal(info.memory_count, 2);
	assert_int_equal(info.memory[0].end, GIB(2));
	assert_int_equal(info.memory[1].base, GIB(4));
	assert_int_equal(info.memory[1].end, GIB(5));
	assert_int_equal(info.memory[1].node, 3);
}

static void test_tables_are_read(void **state)
{
	(void)state;
	tables_write();
	assert_int_equal(acpi_parse(0, &info), 0);
	expect_all();
	rsdp_close(0);
	assert_int_equal(acpi_parse(RSDP, &info), 0);
	expect_all();
}

static void test_nothing_there(void **state)
{
	static const hpa_t given[] = { 0, 0xfffffff0, UINT64_MAX - 8, GIB(8) };

	(void)state;
	boot_memory_clear();
	for (unsigned i = 0; i < ARRAY_SIZE(given); i++)
		assert_int_equal(acpi_parse(given[i], &info), -ENODEV);
	assert_int_equal(info.lapic_address, 0xfee00000);
}

/* A second sum that is wrong: version 1's table is believed. */
static void test_wrong_second_sum(void **state)
{
	(void)state;
	tables_write();
	poke64(RSDP + 24, 0x7777);
	assert_int_equal(acpi_parse(0, &info), 0);
	expect_all();
}

/* Where all memory is of one node there is nothing to choose. */
static void test_one_node(void **state)
{
	hpa_t at = SRAT + SRAT_ENTRIES;

	(void)state;
	tables_write();
	at = srat_memory(at, 3, 0, GIB(2), true);
	at = srat_memory(at, 3, GIB(4), GIB(1), true);
	table_close(SRAT, "SRAT", (uint32_t)(at - SRAT));
	assert_int_equal(acpi_parse(0, &info), 0);
	assert_int_equal(info.memory_count, 0);
}

/* Addresses near the end of everything, and ones that wrap. */
static void test_addresses_out_of_reach(void **state)
{
	static const uint64_t addresses[] = {
		UINT64_MAX, UINT64_MAX - 35, UINT64_MAX - 36,
		0xfffffff0, GIB(4) - 36,     GIB(4),
		XSDT
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		tables_write();
		poke64(XSDT + HEADER, addresses[i]);
		table_close(XSDT, "XSDT", HEADER + 16);
		assert_int_equal(acpi_parse(0, &info), 0);
		assert_int_equal(info.cpu_count, 2);
		assert_false(info.has_s5);
		poke64(RSDP + 24, addresses[i]);
		rsdp_close(2);
		poke64(RSDP + 24, addresses[i]);
		sum_up(RSDP, 36, RSDP + 32);
		assert_int_equal(acpi_parse(0, &info), 0);
	}
}

/* A table that ends before what every such table has. */
static void test_short_tables(void **state)
{
	(void)state;
	for (uint32_t length = 0; length < MADT_ENTRIES; length++) {
		tables_write();
		table_close(MADT, "APIC", length);
		table_close(FADT, "FACP", length);
		table_close(SRAT, "SRAT", length);
		assert_int_equal(acpi_parse(0, &info), 0);
		assert_int_equal(info.memory_count, 0);
		assert_int_equal(info.cpu_count, 0);
		assert_int_equal(info.lapic_address, 0xfee00000);
	}
}

/* The last table of memory ends in the middle of an entry. */
static void test_madt_at_the_end(void **state)
{
	uint32_t length;
	hpa_t at;

	(void)state;
	tables_write();
	length = madt_write() - 3;
	at = BOOT_MEMORY_SIZE - length;
	memcpy(byte_at(at), byte_at(MADT), length);
	table_close(at, "APIC", length);
	poke64(XSDT + HEADER + 8, at);
	table_close(XSDT, "XSDT", HEADER + 16);
	assert_int_equal(acpi_parse(0, &info), 0);
	assert_int_equal(info.cpu_count, 2);
	assert_int_equal(info.isa_irq[0].gsi, 0);
}

/* A root that lists millions of tables, each summed up over megabytes. */
static void test_endless_root(void **state)
{
	uint32_t length = (uint32_t)MIB(15);

	(void)state;
	tables_write();
	memcpy(byte_at(MIB(32)), "JUNK", 4);
	poke32(MIB(32) + 4, length);
	for (uint32_t at = HEADER; at + 8 <= length; at += 8)
		poke64(MIB(64) + at, MIB(32));
	table_close(MIB(64), "XSDT", length);
	poke64(RSDP + 24, MIB(64));
	sum_up(RSDP, 36, RSDP + 32);
	alarm(FUZZ_SECONDS);
	assert_int_equal(acpi_parse(0, &info), 0);
	alarm(0);
	assert_int_equal(info.cpu_count, 0);
}

static void test_fuzzed(void **state)
{
	static const uint32_t tables[] = { RSDT, XSDT, MADT, FADT, DSDT };
	static const char *const names[] = { "RSDT", "XSDT", "APIC", "FACP",
					     "DSDT" };

	(void)state;
	srand(13);
	alarm(FUZZ_SECONDS);
	for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
		unsigned n = (unsigned)rand() % ARRAY_SIZE(tables);
		uint32_t length;

		if (round % 32 == 0)
			tables_write();
		memcpy(&length, byte_at(tables[n] + 4), sizeof(length));
		*byte_at(tables[n] + HEADER + (unsigned)rand() % 100) =
			(uint8_t)rand();
		if (rand() % 2)
			length = (uint32_t)rand() % 256;
		table_close(tables[n], names[n], length);
		assert_int_equal(acpi_parse(0, &info), 0);
		assert_true(info.cpu_count <= ACPI_CPUS_MAX);
		assert_true(info.ioapic_count <= ACPI_IOAPICS_MAX);
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
		cmocka_unit_test(test_tables_are_read),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_wrong_second_sum),
		cmocka_unit_test(test_one_node),
		cmocka_unit_test(test_addresses_out_of_reach),
		cmocka_unit_test(test_short_tables),
		cmocka_unit_test(test_madt_at_the_end),
		cmocka_unit_test(test_endless_root),
		cmocka_unit_test(test_fuzzed),
	};

	return cmocka_run_group_tests_name("boot_acpi", tests, setup, teardown);
}
