/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87, SSE and AVX registers.  Neither monitor nor machine uses them, so they
 * stay in the processor as the guest left them through exits and gate calls;
 * only another vCPU's turn on the CPU moves them.  XCR0 goes with them, and
 * TSC_AUX, which RDTSCP and RDPID read without an exit.
 *
 * References: SDM volume 1, "Managing State Using the XSAVE Feature Set".
 */
#include "vm/vm.h"

#include "kernel/host.h"
#include "vm/xstate.h"
#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"
#include "mm/pages.h"

#define CPUID_XSAVE 0xd

#define FCW_RESET   0x37f
#define MXCSR_RESET 0x1f80

static void xcr0_write(uint64_t value)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(0), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32)));
}

static uint64_t xcr0_read(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static uint64_t fpu_xcr0_mask(void)
{
	if (!(cr4_read() & X86_CR4_OSXSAVE))
		return 0;
	return cpuid_read(CPUID_XSAVE, 0).eax &
	       (X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX);
}

/*
 * QEMU 7.2's SVM ignores the intercept of XSETBV: there the guest changes the
 * register behind our back, and what it holds is the truth.
 */
uint64_t fpu_xcr0_get(struct vcpu *vcpu)
{
	if (this_cpu()->fpu_owner == vcpu && cr4_read() & X86_CR4_OSXSAVE) {
		vcpu->xcr0 = xcr0_read();
		vcpu->page->state.xcr0 = vcpu->xcr0;
	}
	return vcpu->xcr0;
}

/* All components at once, whatever the guest has enabled. */
static void registers_save(struct vcpu *vcpu)
{
	uint64_t mask = fpu_xcr0_mask();

	if (vcpu->vm->switches_tsc_aux)
		vcpu->tsc_aux = (uint32_t)msr_read(MSR_TSC_AUX);
	if (!mask) {
		__asm__ volatile("fxsave64 %0" : "=m"(*vcpu->xsave));
		return;
	}
	(void)fpu_xcr0_get(vcpu);
	xcr0_write(mask);
	__asm__ volatile("xsave64 %0"
			 : "+m"(*vcpu->xsave)
			 : "a"((uint32_t)mask), "d"(0)
			 : "memory");
	xcr0_write(vcpu->xcr0);
}

/*
 * FIP, FDP and FOP are whoever's ran here before where the area says that no
 * exception is pending: then AMD's FXRSTOR and XRSTOR leave them alone.  A load
 * of the monitor's own takes their place.
 */
static void pointers_clear(void)
{
	static const uint32_t zero;

	__asm__ volatile("fnclex; emms; fildl %0" : : "m"(zero));
}

static void registers_load(struct vcpu *vcpu)
{
	uint64_t mask = fpu_xcr0_mask();

	if (this_cpu()->host->speculation.fpu_pointers)
		pointers_clear();
	if (vcpu->vm->switches_tsc_aux)
		msr_write(MSR_TSC_AUX, vcpu->tsc_aux);
	if (!mask) {
		__asm__ volatile("fxrstor64 %0" : : "m"(*vcpu->xsave));
		return;
	}
	xcr0_write(mask);
	__asm__ volatile("xrstor64 %0"
			 :
			 : "m"(*vcpu->xsave), "a"((uint32_t)mask), "d"(0)
			 : "memory");
	xcr0_write(vcpu->xcr0);
}

static void area_reset(struct x86_xstate *area)
{
	memset(area, 0, sizeof(*area));
	area->fcw = FCW_RESET;
	area->mxcsr = MXCSR_RESET;
	area->xstate_bv = X86_XCR0_X87 | X86_XCR0_SSE;
}

int fpu_init_vcpu(struct vcpu *vcpu)
{
	vcpu->xsave = pages_alloc_zeroed(vcpu->vm->vendor.pages,
					 vcpu->vm->vendor.account, 0);
	if (!vcpu->xsave)
		return -ENOMEM;
	fpu_forget(vcpu);
	return 0;
}

void fpu_forget(struct vcpu *vcpu)
{
	vcpu->xcr0 = X86_XCR0_X87;
	vcpu->page->state.xcr0 = vcpu->xcr0;
	area_reset(vcpu->xsave);
	if (vcpu->user.thread && this_cpu()->fpu_owner == vcpu)
		registers_load(vcpu);
}

void fpu_release(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	if (cpu->fpu_owner == vcpu)
		cpu->fpu_owner = NULL;
}

void fpu_switch_in(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	__asm__ volatile("clts");
	if (cpu->fpu_owner == vcpu)
		return;
	if (cpu->fpu_owner)
		registers_save(cpu->fpu_owner);
	registers_load(vcpu);
	/* The one before may move now: kernel/balance.c. */
	__atomic_store_n(&cpu->fpu_owner, vcpu, __ATOMIC_RELEASE);
}

int fpu_xcr0_set(struct vcpu *vcpu, uint64_t value)
{
	if (!(value & X86_XCR0_X87) || (value & ~fpu_xcr0_mask()) ||
	    ((value & X86_XCR0_AVX) && !(value & X86_XCR0_SSE)))
		return -EINVAL;
	vcpu->xcr0 = value;
	vcpu->page->state.xcr0 = value;
	xcr0_write(value);
	return 0;
}

int fpu_tsc_aux_get(struct vcpu *vcpu, uint64_t *value)
{
	if (!cpuid_has_tsc_aux(vcpu->cpuid))
		return -EINVAL;
	*value = this_cpu()->fpu_owner == vcpu ? msr_read(MSR_TSC_AUX)
					       : vcpu->tsc_aux;
	return 0;
}

int fpu_tsc_aux_set(struct vcpu *vcpu, uint64_t value)
{
	if (!cpuid_has_tsc_aux(vcpu->cpuid) || value >> 32)
		return -EINVAL;
	vcpu->tsc_aux = (uint32_t)value;
	if (this_cpu()->fpu_owner == vcpu)
		msr_write(MSR_TSC_AUX, value);
	return 0;
}

void fpu_load_page(struct vcpu *vcpu)
{
	registers_save(vcpu);
	memcpy(&vcpu->page->xstate, vcpu->xsave, sizeof(struct x86_xstate));
	vcpu->page->state.valid |= X86_GROUP_XSTATE;
}

/* XRSTOR faults on reserved bits, and this comes from a machine. */
void fpu_store_page(struct vcpu *vcpu)
{
	struct x86_xstate *area = vcpu->xsave;

	memcpy(area, &vcpu->page->xstate, sizeof(*area));
	xstate_sanitize(area, fpu_xcr0_mask(), this_cpu()->mxcsr_mask);
	registers_load(vcpu);
}
