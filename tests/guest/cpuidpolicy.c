/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID: consistent in itself everywhere; and under Bulkhead, that what is
 * not virtualized looks absent.
 */
#include "tests/guest/lib/guest.h"

#define ECX1_MONITOR  BIT(3)
#define ECX1_VMX      BIT(5)
#define ECX1_SMX      BIT(6)
#define ECX1_XSAVE    BIT(26)
#define ECX1_OSXSAVE  BIT(27)
#define ECX1_HV	      BIT(31)
#define EDX1_APIC     BIT(9)
#define ECX81_SVM     BIT(2)
#define ECX81_SKINIT  BIT(12)
#define ECX81_IBS     BIT(10)
#define MSR_APIC_BASE 0x1b
#define BASE_ENABLE   BIT(11)

static void test_consistent(void)
{
	struct cpuid one = cpuid(1, 0);
	uint32_t max = cpuid(0, 0).eax;

	check("basic-leaves", max >= 1);
	check("extended-leaves", cpuid(0x80000000, 0).eax >= 0x80000008);
	/* AMD says its name there again; Intel has zeros. */
	if (cpuid(0x80000000, 0).ebx)
		check_equal("vendor-twice", cpuid(0x80000000, 0).ebx,
			    cpuid(0, 0).ebx);
	check_equal("apic-id", one.ebx >> 24, lapic_read(LAPIC_ID) >> 24);
	check("long-mode", cpuid(0x80000001, 0).edx & BIT(29));
	check("physical-bits", (cpuid(0x80000008, 0).eax & 0xff) >= 32);
	if (max >= 0xb)
		check_equal("x2apic-id-agrees", cpuid(0xb, 0).edx,
			    one.ebx >> 24);
}

static void test_osxsave(void)
{
	if (!(cpuid(1, 0).ecx & ECX1_XSAVE)) {
		skip("osxsave", "no XSAVE");
		return;
	}
	WRITE_CR(4, READ_CR(4) & ~X86_CR4_OSXSAVE);
	check_equal("osxsave-off", cpuid(1, 0).ecx & ECX1_OSXSAVE, 0);
	WRITE_CR(4, READ_CR(4) | X86_CR4_OSXSAVE);
	check_equal("osxsave-on", cpuid(1, 0).ecx & ECX1_OSXSAVE, ECX1_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"(1), "d"(0));
	check_equal("xsave-size-x87", cpuid(0xd, 0).ebx, 576);
	if (cpuid(0xd, 0).eax & BIT(2)) {
		__asm__ volatile("xsetbv" ::"c"(0), "a"(7), "d"(0));
		check_equal("xsave-size-avx", cpuid(0xd, 0).ebx,
			    cpuid(0xd, 2).ebx + cpuid(0xd, 2).eax);
	}
	WRITE_CR(4, READ_CR(4) & ~X86_CR4_OSXSAVE);
}

static void test_apic_bit(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	check_equal("apic-bit-on", cpuid(1, 0).edx & EDX1_APIC, EDX1_APIC);
	wrmsr(MSR_APIC_BASE, base & ~BASE_ENABLE);
	check_equal("apic-bit-off", cpuid(1, 0).edx & EDX1_APIC, 0);
	wrmsr(MSR_APIC_BASE, base);
	lapic_enable();
}

static void test_out_of_range(void)
{
	uint32_t max = cpuid(0, 0).eax;
	struct cpuid r = cpuid(0x8fffffff, 0);

	check("no-such-leaf", max < 0x1000);
	check("no-such-extended-leaf", r.eax != 0x8fffffff);
}

static void test_bulkhead(void)
{
	struct cpuid one = cpuid(1, 0);
	struct cpuid ext = cpuid(0x80000001, 0);
	struct cpuid hv = cpuid(0x40000000, 0);

	if (!is_bulkhead()) {
		skip("policy", "not under Bulkhead");
		return;
	}
	check("hypervisor-bit", one.ecx & ECX1_HV);
	check("hypervisor-leaves", hv.eax >= 0x40000000 && hv.eax < 0x40010000);
	check_equal("no-monitor", one.ecx & ECX1_MONITOR, 0);
	check_equal("no-vmx-smx", one.ecx & (ECX1_VMX | ECX1_SMX), 0);
	check_equal("no-svm", ext.ecx & (ECX81_SVM | ECX81_SKINIT), 0);
	check_equal("no-ibs", ext.ecx & ECX81_IBS, 0);
	check_equal("no-svm-leaf", cpuid(0x8000000a, 0).edx, 0);
	check_equal("no-pmu", cpuid(0xa, 0).eax & 0xff, 0);
}

void guest_main(void)
{
	lapic_enable();
	test_consistent();
	test_osxsave();
	test_apic_bit();
	test_out_of_range();
	test_bulkhead();
}
