/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest state between the VMCB and the neutral struct x86_state, by groups.
 *
 * Reference: APM volume 2, "VMCB Layout", "VMRUN and #VMEXIT consistency
 * checks".
 */
#include "svm/internal.h"

#include "include/log.h"
#include "include/x86.h"

#define ATTRIBUTE_BITS 0x0fff
#define LOW32	       0xffffffffULL

static void segment_copy(struct x86_segment *to, const struct x86_segment *from)
{
	*to = *from;
	to->attributes &= ATTRIBUTE_BITS;
}

/*
 * All accesses to debug registers exit, so that the guest's are here and in the
 * VMCB.  DR0-DR3 are in the processor while a breakpoint is on and the vCPU has
 * the CPU.
 */
void svm_dr_load(const struct svm_vcpu *svm)
{
	if (!svm_has_breakpoints(svm))
		return;
	dr0_write(svm->dr[0]);
	dr1_write(svm->dr[1]);
	dr2_write(svm->dr[2]);
	dr3_write(svm->dr[3]);
}

static void load_debug(const struct svm_vcpu *svm, struct x86_state *state)
{
	__builtin_memcpy(state->dr, svm->dr, sizeof(svm->dr));
	state->dr6 = svm->vmcb->dr6;
	state->dr7 = svm->vmcb->dr7;
}

static void load_control(struct vendor_vcpu *vcpu, const struct vmcb *vmcb,
			 struct x86_state *state)
{
	const struct svm_vcpu *svm = vcpu->private;

	state->cr0 = vmcb->cr0;
	state->cr2 = vmcb->cr2;
	state->cr3 = vmcb->cr3;
	state->cr4 = vmcb->cr4;
	state->cr8 = vcpu->tpr >> 4;
	state->efer = (vmcb->efer & ~EFER_SVME) | svm->hidden_efer;
}

/*
 * After every exit without NextRIP: no more than decoding needs, so EFER may
 * lack LME.
 */
static inline void load_fetch(const struct vmcb *vmcb, struct x86_state *state)
{
	state->seg[X86_CS] = vmcb->seg[X86_CS];
	state->cpl = vmcb->cpl;
	state->cr0 = vmcb->cr0;
	state->cr3 = vmcb->cr3;
	state->cr4 = vmcb->cr4;
	state->efer = vmcb->efer & ~EFER_SVME;
	state->valid |= X86_GROUP_FETCH;
}

static inline void load_segments(const struct vmcb *vmcb,
				 struct x86_state *state)
{
	_Static_assert(sizeof(vmcb->seg) == sizeof(state->seg), "same layout");
	__builtin_memcpy(state->seg, vmcb->seg, sizeof(state->seg));
	state->cpl = vmcb->cpl;
	state->interrupt_shadow = vmcb->int_state & INT_STATE_SHADOW;
}

static void load_syscall(const struct vmcb *vmcb, struct x86_state *state)
{
	state->star = vmcb->star;
	state->lstar = vmcb->lstar;
	state->cstar = vmcb->cstar;
	state->sfmask = vmcb->sfmask;
	state->kernel_gs_base = vmcb->kernel_gs_base;
	state->sysenter_cs = vmcb->sysenter_cs;
	state->sysenter_esp = vmcb->sysenter_esp;
	state->sysenter_eip = vmcb->sysenter_eip;
}

static __noinline void load_rare(struct vendor_vcpu *vcpu, uint32_t groups)
{
	struct svm_vcpu *svm = vcpu->private;
	const struct vmcb *vmcb = svm->vmcb;
	struct x86_state *state = vcpu->state;

	if (groups & X86_GROUP_TABLES) {
		state->ldtr = vmcb->ldtr;
		state->tr = vmcb->tr;
		state->gdtr = vmcb->gdtr;
		state->idtr = vmcb->idtr;
	}
	if (groups & X86_GROUP_DEBUG)
		load_debug(svm, state);
	if (groups & X86_GROUP_SYSCALL)
		load_syscall(vmcb, state);
}

void svm_state_load(struct vendor_vcpu *vcpu, uint32_t groups)
{
	const struct vmcb *vmcb = ((struct svm_vcpu *)vcpu->private)->vmcb;
	struct x86_state *state = vcpu->state;

	if (groups == X86_GROUP_FETCH ||
	    (groups == X86_GROUPS_OPERAND &&
	     vmcb->seg[X86_CS].attributes & X86_ATTR_L &&
	     !(vmcb->int_state & INT_STATE_SHADOW))) {
		load_fetch(vmcb, state);
		return;
	}
	if (groups & X86_GROUP_SEGMENTS)
		load_segments(vmcb, state);
	if (groups & X86_GROUP_CONTROL)
		load_control(vcpu, vmcb, state);
	if (unlikely(groups & ~(X86_GROUP_SEGMENTS | X86_GROUP_CONTROL)))
		load_rare(vcpu, groups);
	state->valid |= groups;
}

static void store_segments(struct svm_vcpu *svm, const struct x86_state *state)
{
	struct vmcb *vmcb = svm->vmcb;

	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		segment_copy(&vmcb->seg[i], &state->seg[i]);
	vmcb->cpl = state->cpl & 3;
	vmcb->int_state = state->interrupt_shadow ? INT_STATE_SHADOW : 0;
	svm->dirty |= CLEAN_SEGMENTS;
}

/*
 * CR4 is the guest's own where it may set every bit that this processor knows;
 * elsewhere writes are checked.
 */
static void store_cr4(struct svm_vcpu *svm, const struct vendor_vm *vm,
		      uint64_t cr4)
{
	struct vmcb *vmcb = svm->vmcb;

	vmcb->cr4 = cr4 & vm->guest_cr4_mask;
	if (!(vm->host_cr4_mask & ~vm->guest_cr4_mask) || svm->exits_on_cr4)
		return;
	svm->exits_on_cr4 = true;
	vmcb->intercept_cr |= INTERCEPT_CR_WRITE(4);
	svm->dirty |= CLEAN_INTERCEPTS;
}

static void store_control(struct vendor_vcpu *vcpu,
			  const struct x86_state *state)
{
	struct svm_vcpu *svm = vcpu->private;
	struct vmcb *vmcb = svm->vmcb;

	vmcb->cr0 = (state->cr0 & LOW32) | X86_CR0_ET;
	vmcb->cr2 = state->cr2;
	svm_quirk_cr2(vmcb);
	vmcb->cr3 = state->cr3;
	store_cr4(svm, vcpu->vm, state->cr4);
	vmcb->efer =
		(state->efer & (X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA |
				X86_EFER_NXE | X86_EFER_FFXSR)) |
		EFER_SVME;
	vendor_cr8_set(vcpu, state->cr8);
	svm->dirty |= CLEAN_CR | CLEAN_CR2;
	if (vmcb->pat != vcpu->pat)
		svm->dirty |= CLEAN_NESTED;
	vmcb->pat = vcpu->pat;
	/* A changed CR3, CR4 or mode would have flushed in the processor. */
	svm_tlb_flush(vcpu);
	svm_quirk_lme(svm);
}

static void store_tables(struct svm_vcpu *svm, const struct x86_state *state)
{
	struct vmcb *vmcb = svm->vmcb;

	segment_copy(&vmcb->ldtr, &state->ldtr);
	segment_copy(&vmcb->tr, &state->tr);
	segment_copy(&vmcb->gdtr, &state->gdtr);
	segment_copy(&vmcb->idtr, &state->idtr);
	svm->dirty |= CLEAN_TABLES;
}

static void store_debug(struct svm_vcpu *svm, const struct x86_state *state)
{
	__builtin_memcpy(svm->dr, state->dr, sizeof(svm->dr));
	svm->vmcb->dr6 = (state->dr6 & LOW32) | X86_DR6_ONES;
	svm->vmcb->dr7 = (state->dr7 & LOW32) | X86_DR7_ONE;
	svm->dirty |= CLEAN_DR;
	svm->cpu = NULL; /* DR0-DR3 are loaded as if it were new there */
}

void svm_state_store(struct vendor_vcpu *vcpu, uint32_t groups)
{
	struct svm_vcpu *svm = vcpu->private;
	struct vmcb *vmcb = svm->vmcb;
	struct x86_state *state = vcpu->state;

	if (groups & X86_GROUP_SEGMENTS)
		store_segments(svm, state);
	if (groups & X86_GROUP_CONTROL)
		store_control(vcpu, state);
	if (groups & X86_GROUP_TABLES)
		store_tables(svm, state);
	if (groups & X86_GROUP_DEBUG)
		store_debug(svm, state);
	if (groups & X86_GROUP_SYSCALL) {
		vmcb->star = state->star;
		vmcb->lstar = state->lstar;
		vmcb->cstar = state->cstar;
		vmcb->sfmask = state->sfmask;
		vmcb->kernel_gs_base = state->kernel_gs_base;
		vmcb->sysenter_cs = state->sysenter_cs;
		vmcb->sysenter_esp = state->sysenter_esp;
		vmcb->sysenter_eip = state->sysenter_eip;
	}
	state->dirty &= ~groups;
}

/* ---- Reports ----------------------------------------------------------- */

void svm_dump(struct vendor_vcpu *vcpu)
{
	const struct svm_vcpu *svm = vcpu->private;
	const struct vmcb *v = svm->vmcb;

	log_err("VMCB: EXITCODE %lx EXITINFO1 %lx EXITINFO2 %lx EXITINTINFO "
		"%lx",
		v->exit_code, v->exit_info1, v->exit_info2, v->exit_int_info);
	log_err("VMCB: EVENTINJ %lx INT_CTL %lx INT_STATE %lx NCR3 %lx ASID %x",
		v->event_inject, v->int_ctl, v->int_state, v->nested_cr3,
		v->asid);
	log_err("VMCB: intercepts cr %x dr %x exceptions %x %x %x",
		v->intercept_cr, v->intercept_dr, v->intercept_exceptions,
		v->intercept, v->intercept2);
}
