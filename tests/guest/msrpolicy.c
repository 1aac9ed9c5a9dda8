/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs: what is stored reads back, what is wrong raises #GP, what Bulkhead
 * does not know does not exist.
 */
#include "tests/guest/lib/guest.h"

#define MSR_TSC		   0x10
#define MSR_APIC_BASE	   0x1b
#define MSR_SYSENTER_CS	   0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_PAT		   0x277
#define MSR_MTRR_CAP	   0xfe
#define MSR_MTRR_DEF	   0x2ff
#define MSR_PATCH_LEVEL	   0x8b
#define MSR_MISC_ENABLE	   0x1a0
#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX	   0xc0000103
#define MSR_VM_CR	   0xc0010114
#define MSR_VM_HSAVE_PA	   0xc0010117
#define MSR_UNKNOWN	   0x12345678
#define CPUID_RDTSCP	   BIT(27)
#define CANONICAL	   0xffff812345678000UL

struct write {
	uint32_t msr;
	uint64_t value;
};

static void do_write(void *arg)
{
	struct write *write = arg;

	wrmsr(write->msr, write->value);
}

static void do_read(void *arg)
{
	(void)rdmsr(((struct write *)arg)->msr);
}

static void check_stored(const char *name, uint32_t msr, uint64_t value)
{
	uint64_t old = rdmsr(msr);
	uint64_t got;

	wrmsr(msr, value);
	got = rdmsr(msr);
	wrmsr(msr, old);
	check_equal(name, got, value);
}

static void check_write_gp(const char *name, uint32_t msr, uint64_t value)
{
	struct write write = { msr, value };
	int vector = trap_catch(do_write, &write);

	if (vector == X86_VECTOR_GP && trap_last.error == 0)
		pass(name);
	else
		fail(name, "vector %d", vector);
}

static void test_stored(void)
{
	check_stored("star", MSR_STAR, 0x0023001000000000);
	check_stored("lstar", MSR_LSTAR, CANONICAL);
	check_stored("sfmask", MSR_SFMASK, 0x47700);
	check_stored("fs-base", MSR_FS_BASE, CANONICAL);
	check_stored("gs-base", MSR_GS_BASE, CANONICAL);
	check_stored("kernel-gs-base", MSR_KERNEL_GS_BASE, CANONICAL);
	check_stored("sysenter-cs", MSR_SYSENTER_CS, 0x10);
	check_stored("sysenter-esp", MSR_SYSENTER_ESP, CANONICAL);
	check_stored("sysenter-eip", MSR_SYSENTER_EIP, CANONICAL);
	check_stored("pat", MSR_PAT, 0x0007040600070106);
	if (cpuid(0x80000001, 0).edx & CPUID_RDTSCP)
		check_stored("tsc-aux", MSR_TSC_AUX, 0x1234);
	else
		skip("tsc-aux", "CPUID does not offer RDTSCP");
}

/*
 * Whatever can be read: the first that cannot be written back.  The time stamp
 * counter goes on meanwhile.
 */
static uint32_t write_back(uint32_t first, uint32_t count)
{
	for (uint32_t msr = first; msr != first + count; msr++) {
		struct write write = { msr, 0 };

		if (msr == MSR_TSC || trap_catch(do_read, &write) >= 0)
			continue;
		write.value = rdmsr(msr);
		if (trap_catch(do_write, &write) >= 0 ||
		    rdmsr(msr) != write.value)
			return msr;
	}
	return 0;
}

static void test_write_back(void)
{
	check_equal("write-back-low", write_back(0, 0x1000), 0);
	check_equal("write-back-extended", write_back(0xc0000000, 0x200), 0);
	check_equal("write-back-amd", write_back(0xc0010000, 0x1200), 0);
	check_stored("misc-enable", MSR_MISC_ENABLE, 0x400c51889);
	wrmsr(MSR_PATCH_LEVEL, 0);
	wrmsr(MSR_PATCH_LEVEL, ~0UL);
	pass("patch-level");
}

static void test_efer(void)
{
	uint64_t efer = rdmsr(MSR_EFER);

	check("efer-long-mode", (efer & 0x500) == 0x500);
	wrmsr(MSR_EFER, efer | BIT(11) | BIT(0));
	check_equal("efer-nxe-sce", rdmsr(MSR_EFER), efer | BIT(11) | BIT(0));
}

static void test_tsc(void)
{
	uint64_t before = rdtsc();
	uint64_t value = rdmsr(MSR_TSC);

	check("tsc-msr-is-rdtsc", value >= before && rdtsc() >= value);
	wrmsr(MSR_TSC, 0x100000000000);
	value = rdtsc();
	check("tsc-write", value >= 0x100000000000 && value < 0x101000000000);
}

/*
 * QEMU's own emulation is lenient here.  MSRs that no exit is made for (LSTAR,
 * FS.base and their like) are the processor's to check, so they are not.
 */
static void test_strict(void)
{
	struct write unknown = { MSR_UNKNOWN, 0 };

	if (!is_bulkhead()) {
		skip("strict", "not under Bulkhead");
		return;
	}
	test_write_back();
	check_write_gp("efer-lme-while-paging", MSR_EFER,
		       rdmsr(MSR_EFER) & ~BIT(8));
	check_write_gp("efer-reserved", MSR_EFER, rdmsr(MSR_EFER) | BIT(30));
	check_write_gp("pat-bad-type", MSR_PAT, 0x0007040600070206);
	check_write_gp("mtrr-bad-type", MSR_MTRR_DEF, 2);
	check_write_gp("apic-base-reserved", MSR_APIC_BASE,
		       rdmsr(MSR_APIC_BASE) | BIT(0));
	check_write_gp("unknown-write", MSR_UNKNOWN, 0);
	check_equal("unknown-read", (uint64_t)trap_catch(do_read, &unknown),
		    X86_VECTOR_GP);
	check_write_gp("no-hsave", MSR_VM_HSAVE_PA, 0x1000);
	check_write_gp("mtrr-cap-read-only", MSR_MTRR_CAP, 0);
	test_tsc();
	check_write_gp("efer-no-svme", MSR_EFER, rdmsr(MSR_EFER) | BIT(12));
}

void guest_main(void)
{
	test_stored();
	test_efer();
	test_strict();
}
