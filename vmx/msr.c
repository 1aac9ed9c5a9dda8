/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs: the bitmap that says which of them exit, and those that neither VM
 * entry nor exit switches.
 *
 * The monitor itself needs none of the latter: STAR, LSTAR, SFMASK and
 * KERNEL_GS_BASE count only where ring 3 is left or entered.  So they stay the
 * guest's from exit to entry, and are the host's again when a machine or
 * another thread is to run.  CR2 is treated alike.  A guest without SYSCALL
 * (EFER.SCE) is spared the first three: its accesses to them exit.
 *
 * CSTAR is stored only: Intel's processors have no SYSCALL in compatibility
 * mode.
 *
 * References: SDM volume 3, "MSR-Bitmap Address"; SDM volume 4.
 */
#include "vmx/internal.h"

#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"

/* Four parts of 1 KiB: reads low, reads high, writes low, writes high. */
#define BITMAP_PART  1024
#define BITMAP_MSRS  0x2000
#define BITMAP_WRITE (2 * BITMAP_PART)

static const uint32_t bitmap_range[] = { 0x00000000, 0xc0000000 };

/* What the VMCS switches, and KERNEL_GS_BASE, which is loaded then. */
static const uint32_t bitmap_open[] = {
	MSR_FS_BASE,	 MSR_GS_BASE,	   MSR_KERNEL_GS_BASE,
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

static void bit_clear(uint8_t *part, uint32_t index)
{
	part[index / 8] &= (uint8_t) ~(1u << index % 8);
}

static void msr_open(uint8_t *bitmap, uint32_t msr)
{
	for (unsigned r = 0; r < ARRAY_SIZE(bitmap_range); r++) {
		uint32_t index = msr - bitmap_range[r];
		uint8_t *part = bitmap + r * BITMAP_PART;

		if (index >= BITMAP_MSRS)
			continue;
		bit_clear(part, index);
		bit_clear(part + BITMAP_WRITE, index);
	}
}

void vmx_msr_bitmap_init(uint8_t *bitmap)
{
	memset(bitmap, 0xff, PAGE_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(bitmap_open); i++)
		msr_open(bitmap, bitmap_open[i]);
}

/* ---- Switching --------------------------------------------------------- */

/* What the gate set on this CPU; the machine's GS base is always 0. */
struct host_msrs {
	uint64_t star, lstar, sfmask;
};

/* Written by vmx_cpu_enable() through vmx_msrs_host_save(). */
static struct host_msrs host;

void vmx_msrs_host_save(void)
{
	host.star = msr_read(MSR_STAR);
	host.lstar = msr_read(MSR_LSTAR);
	host.sfmask = msr_read(MSR_SFMASK);
}

void vmx_msrs_load(struct vmx_vcpu *vmx)
{
	if (vmx->kernel_gs_base)
		msr_write(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	if (vmx->has_syscall_msrs) {
		msr_write(MSR_STAR, vmx->star);
		msr_write(MSR_LSTAR, vmx->lstar);
		msr_write(MSR_SFMASK, vmx->sfmask);
	}
	if (vmx->cr2 != cr2_read())
		cr2_write(vmx->cr2);
	vmx->has_msrs = true;
	vmx->work &= ~WORK_MSRS;
}

void vmx_msrs_save(struct vmx_vcpu *vmx)
{
	if (!vmx->has_msrs)
		return;
	vmx->kernel_gs_base = msr_read(MSR_KERNEL_GS_BASE);
	if (vmx->kernel_gs_base)
		msr_write(MSR_KERNEL_GS_BASE, 0);
	if (vmx->has_syscall_msrs) {
		msr_write(MSR_STAR, host.star);
		msr_write(MSR_LSTAR, host.lstar);
		msr_write(MSR_SFMASK, host.sfmask);
	}
	vmx->cr2 = cr2_read();
	vmx->has_msrs = false;
	vmx->work |= WORK_MSRS;
}
