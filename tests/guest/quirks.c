/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that differs from the default, as tests/run-guest's manifest has it
 * for this guest: processors, ACPI off, a hole in the memory.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define EDX1_TSC	BIT(4)
#define EDX1_SSE2	BIT(26)
#define ECX1_XSAVE	BIT(26)
#define ECX1_AVX	BIT(28)
#define EDX81_RDTSCP	BIT(27)
#define EDX81_LM	BIT(29)
#define HOLE		0xf00000UL
#define HOLE_END	0x1000000UL
#define MULTIBOOT_UPPER (14 * 1024)
#define BIOS_AREA	0xe0000UL
#define BIOS_AREA_END	0x100000UL
#define PM_DEVFN	(1 << 3 | 3)
#define CMOS_EXTENDED	0x30

static void test_identity(void)
{
	struct cpuid zero = cpuid(0, 0);
	char name[49] = "", vendor[13] = "";

	memcpy(vendor, &zero.ebx, 4);
	memcpy(vendor + 4, &zero.edx, 4);
	memcpy(vendor + 8, &zero.ecx, 4);
	check("vendor", !strcmp(vendor, "CyrixInstead"));
	check_equal("last-leaf", zero.eax, 2);
	check_equal("signature", cpuid(1, 0).eax, 0x543);
	for (unsigned i = 0; i < 3; i++) {
		struct cpuid part = cpuid(0x80000002 + i, 0);

		memcpy(name + 16 * i, &part.eax, 4);
		memcpy(name + 16 * i + 4, &part.ebx, 4);
		memcpy(name + 16 * i + 8, &part.ecx, 4);
		memcpy(name + 16 * i + 12, &part.edx, 4);
	}
	check("name", !strcmp(name, "a processor of the past"));
	check_equal("leaf-7", cpuid(7, 0).ebx, 0);
}

static void set_smep(void *unused)
{
	(void)unused;
	WRITE_CR(4, READ_CR(4) | BIT(20));
}

static void test_features(void)
{
	struct cpuid one = cpuid(1, 0);

	check_equal("tsc-hidden", one.edx & EDX1_TSC, 0);
	check_equal("rdtscp-hidden", cpuid(0x80000001, 0).edx & EDX81_RDTSCP,
		    0);
	check_equal("xsave-hidden", one.ecx & (ECX1_XSAVE | ECX1_AVX), 0);
	check_equal("others-there", one.edx & EDX1_SSE2, EDX1_SSE2);
	check("long-mode-there", cpuid(0x80000001, 0).edx & EDX81_LM);
	/* A register knows no more than CPUID. */
	check_equal("smep-faults", (uint64_t)trap_catch(set_smep, NULL), 13);
}

/* Hidden is not gone: as on a processor whose CPUID says nothing of it. */
static void test_tsc_runs(void)
{
	uint64_t first = __builtin_ia32_rdtsc();

	check("tsc-runs", __builtin_ia32_rdtsc() > first);
}

static uint32_t read32(uint64_t at)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static void write32(uint64_t at, uint32_t value)
{
	__asm__ volatile("movl %0, (%1)" ::"r"(value), "r"(at) : "memory");
}

static uint8_t cmos(uint8_t cell)
{
	out8(0x70, cell);
	return in8(0x71);
}

static void test_hole(void)
{
	check_equal("hole-empty", read32(HOLE), 0xffffffff);
	write32(HOLE, 0x12345678);
	write32(HOLE_END - 4, 0x12345678);
	check_equal("hole-loses", read32(HOLE) & read32(HOLE_END - 4),
		    0xffffffff);
	write32(HOLE - 4, 0x11112222);
	write32(HOLE_END, 0x33334444);
	check_equal("ram-before", read32(HOLE - 4), 0x11112222);
	check_equal("ram-behind", read32(HOLE_END), 0x33334444);
	check_equal("hole-cmos",
		    cmos(CMOS_EXTENDED) | (uint32_t)cmos(CMOS_EXTENDED + 1)
						  << 8,
		    MULTIBOOT_UPPER);
}

static void test_no_acpi(void)
{
	bool is_found = false;

	for (uint64_t at = BIOS_AREA; at < BIOS_AREA_END; at += 16)
		is_found |= read32(at) == 0x20445352; /* "RSD " */
	check("no-tables", !is_found);
	out32(0xcf8, 0x80000000 | PM_DEVFN << 8);
	check_equal("no-pm", in32(0xcfc), 0xffffffff);
}

void guest_main(void)
{
	if (!is_bulkhead() && cpuid(0, 0).eax != 2) {
		skip("quirks", "no such machine");
		return;
	}
	test_identity();
	test_features();
	test_tsc_runs();
	test_hole();
	test_no_acpi();
}
