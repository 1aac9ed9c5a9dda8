/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nested page faults are made of: first touches of RAM in every way,
 * memory that is not there, code that has just been written.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define RAM_FIRST  0x400000UL
#define RAM_END	   0x4000000UL /* 64 MiB, as the runner gives */
#define HOLE	   0xd0000000UL
#define BIOS_ALIAS 0xfffffff0UL
#define BIOS_AREA  0xf0000UL

/* Every page of RAM is there, zero at first, and keeps its own value. */
static void test_ram(void)
{
	bool was_zero = true;
	uint64_t bad = 0;

	for (uint64_t at = RAM_FIRST; at < RAM_END; at += PAGE_SIZE) {
		was_zero &= *(volatile uint64_t *)at == 0;
		*(volatile uint64_t *)at = at ^ 0x5555;
	}
	for (uint64_t at = RAM_FIRST; at < RAM_END; at += PAGE_SIZE)
		if (*(volatile uint64_t *)at != (at ^ 0x5555))
			bad = at;
	check("ram-zero-at-first", was_zero || !is_bulkhead());
	check_equal("ram-keeps", bad, 0);
}

/* The first touch of a page is an instruction fetch. */
static void test_fetch(void)
{
	uint64_t at = RAM_END - 0x10000;
	/* mov eax, 0x1234; ret */
	static const uint8_t code[] = { 0xb8, 0x34, 0x12, 0, 0, 0xc3 };

	memcpy((void *)(at + PAGE_SIZE - 3), code, sizeof(code));
	check_equal("fetch-across-pages",
		    ((uint64_t(*)(void))(at + PAGE_SIZE - 3))(), 0x1234);
	((volatile uint8_t *)at)[PAGE_SIZE - 2] = 0x78;
	check_equal("fetch-modified",
		    ((uint64_t(*)(void))(at + PAGE_SIZE - 3))(), 0x1278);
}

/* Page tables themselves in pages that were never touched. */
static void test_fresh_tables(void)
{
	uint64_t *table = (uint64_t *)(RAM_END - 0x20000);
	uint64_t virtual = 0x10000000;

	memset(table, 0, PAGE_SIZE);
	table[0] = (RAM_END - 0x30000) | PTE_P | PTE_W;
	boot_pd[virtual >> 21] = (uint64_t)table | PTE_P | PTE_W;
	WRITE_CR(3, READ_CR(3));
	*(volatile uint64_t *)virtual = 0x1122;
	check_equal("fresh-page-table",
		    *(volatile uint64_t *)(RAM_END - 0x30000), 0x1122);
	check_equal("fresh-page-table-ad", table[0] & (PTE_A | PTE_D),
		    PTE_A | PTE_D);
}

/* All ones; QEMU's own holes read 0, which will do where it is the host. */
static void test_hole(void)
{
	volatile uint32_t *behind = (volatile uint32_t *)(RAM_END + 0x1000);
	uint32_t want = is_bulkhead() ? UINT32_MAX : 0;

	check_equal("behind-ram", *behind, want);
	*behind = 0x1234;
	check_equal("behind-ram-written", *behind, want);
	check_equal("hole", *(volatile uint32_t *)HOLE, want);
}

/* The BIOS below 4 GiB cannot be changed. */
static void test_rom(void)
{
	volatile uint8_t *rom = (volatile uint8_t *)BIOS_ALIAS;
	uint8_t first = *rom;

	*rom = (uint8_t)~first;
	check_equal("rom-write-ignored", *rom, first);
}

/* 0xf0000 is RAM or ROM here, but reading and writing harm nothing. */
static void test_bios_area(void)
{
	volatile uint32_t *at = (volatile uint32_t *)BIOS_AREA;
	uint32_t first = *at;

	*at = ~first;
	check("bios-area", *at == first || *at == ~first);
	*at = first;
}

void guest_main(void)
{
	test_ram();
	test_fetch();
	test_fresh_tables();
	test_hole();
	test_rom();
	test_bios_area();
}
