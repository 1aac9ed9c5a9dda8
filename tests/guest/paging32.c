/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paging of 32-bit systems: two levels with 4 MiB pages, and PAE with 2 MiB
 * pages and execute-disable; page faults with the right codes, accessed and
 * dirty bits.
 */
#include "tests/guest/lib/modes.h"

#include "lib/string.h"

/* Of paging32_code.asm: touches TARGET in several ways. */
void paging32_touch(void);
void paging32_execute(void);
extern volatile uint32_t results[32];

#define TARGET	 0x10000000u
#define FRAME	 0x300000u
#define EFER_NXE BIT(11)
#define CPUID_NX BIT(20)

/* Two levels: everything one to one but TARGET. */
static uint32_t directory[1024] __aligned(4096);
static uint32_t table[1024] __aligned(4096);

static void build_two_levels(void)
{
	for (uint32_t i = 0; i < 1024; i++)
		directory[i] = i << 22 | PTE_P | PTE_W | PTE_PS;
	directory[TARGET >> 22] = (uint32_t)(uint64_t)table | PTE_P | PTE_W;
	memset(table, 0, sizeof(table));
	table[0] = FRAME | PTE_P | PTE_W;
	table[1] = (FRAME + 0x1000) | PTE_P;
}

static uint64_t pointers[4] __aligned(32);
static uint64_t pae_directory[4 * 512] __aligned(4096);
static uint64_t pae_table[512] __aligned(4096);

static void build_pae(void)
{
	for (unsigned i = 0; i < 4; i++)
		pointers[i] = (uint64_t)(pae_directory + 512 * i) | PTE_P;
	for (uint64_t i = 0; i < 4 * 512; i++)
		pae_directory[i] = i << 21 | PTE_P | PTE_W | PTE_PS;
	pae_directory[TARGET >> 21] = (uint64_t)pae_table | PTE_P | PTE_W;
	memset(pae_table, 0, sizeof(pae_table));
	pae_table[0] = FRAME | PTE_P | PTE_W;
	pae_table[1] = (FRAME + 0x1000) | PTE_P;
}

/* The same for both: results of paging32_touch. */
static void check_touch(const char *kind, const volatile void *entry)
{
	char name[64];
	const struct {
		const char *what;
		uint32_t got, want;
	} row[] = {
		{ "read", results[0], 0x12345678 },
		{ "write", *(volatile uint32_t *)(uint64_t)FRAME, 0x87654321 },
		{ "absent", results[1], X86_VECTOR_PF },
		{ "absent-code", results[2], 0 },
		{ "absent-cr2", results[3], TARGET + 0x2004 },
		{ "read-only", results[4], X86_VECTOR_PF },
		{ "read-only-code", results[5], 3 },
		{ "accessed-dirty",
		  *(const volatile uint32_t *)entry & (PTE_A | PTE_D),
		  PTE_A | PTE_D },
		{ "mmio", results[6], lapic_read(LAPIC_VERSION) },
		{ "cpuid", results[7], cpuid(0, 0).ebx },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		size_t n = strlen(kind);

		memcpy(name, kind, n);
		memcpy(name + n, row[i].what, strlen(row[i].what) + 1);
		check_equal(name, row[i].got, row[i].want);
	}
}

static void prepare(void)
{
	memset((void *)results, 0, sizeof(results));
	*(volatile uint32_t *)(uint64_t)FRAME = 0x12345678;
	/* ret */
	*(volatile uint8_t *)(uint64_t)(FRAME + 0x100) = 0xc3;
}

void guest_main(void)
{
	modes_init();
	build_two_levels();
	prepare();
	mode32_run(paging32_touch, (uint32_t)(uint64_t)directory, X86_CR4_PSE,
		   0);
	check_touch("two-levels-", table);
	build_pae();
	prepare();
	mode32_run(paging32_touch, (uint32_t)(uint64_t)pointers, X86_CR4_PAE,
		   0);
	check_touch("pae-", pae_table);
	if (!(cpuid(0x80000001, 0).edx & CPUID_NX)) {
		skip("pae-execute-disable", "no NX");
		return;
	}
	prepare();
	mode32_run(paging32_execute, (uint32_t)(uint64_t)pointers, X86_CR4_PAE,
		   EFER_NXE);
	check_equal("pae-execute", results[0], (uint32_t)-1);
	pae_table[0] |= PTE_NX;
	mode32_run(paging32_execute, (uint32_t)(uint64_t)pointers, X86_CR4_PAE,
		   EFER_NXE);
	check_equal("pae-execute-disable", results[0], X86_VECTOR_PF);
	check_equal("pae-execute-disable-code", results[1], 0x11);
}
