/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins the CPUID table and the MSRs to a vCPU: where their values come from.
 */
#include "vm/vm.h"

#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"

void cpuid_complete(struct vcpu *vcpu, const struct cpuid_leaf *leaf,
		    uint32_t subleaf, struct cpuid_regs *regs)
{
	struct cpuid_dynamic dynamic = {
		.apic_id = vcpu->apic.id,
		.subleaf = subleaf,
		.is_apic_enabled = apic_is_enabled(&vcpu->apic),
		.xcr0 = fpu_xcr0_get(vcpu),
	};

	if (leaf->patch & CPUID_PATCH_CONTROL) {
		if (!(vcpu->vendor.state->valid & X86_GROUP_CONTROL))
			vcpu->back->state_load(&vcpu->vendor,
					       X86_GROUP_CONTROL);
		dynamic.cr4 = vcpu->vendor.state->cr4;
	}
	*regs = leaf->regs;
	cpuid_patch(leaf, &dynamic, regs);
}

static struct x86_state *op_state(void *ctx, uint32_t groups)
{
	struct vcpu *vcpu = ctx;
	struct x86_state *state = vcpu->vendor.state;

	if (groups & ~state->valid)
		vcpu->back->state_load(&vcpu->vendor, groups & ~state->valid);
	return state;
}

static int op_vendor_get(void *ctx, uint32_t msr, uint64_t *value)
{
	struct vcpu *vcpu = ctx;

	if (msr == MSR_TSC_AUX)
		return fpu_tsc_aux_get(vcpu, value);
	*value = vcpu->vendor.pat;
	return 0;
}

static int op_vendor_set(void *ctx, uint32_t msr, uint64_t value)
{
	struct vcpu *vcpu = ctx;

	if (msr == MSR_TSC_AUX)
		return fpu_tsc_aux_set(vcpu, value);
	vcpu->vendor.pat = value;
	op_state(vcpu, X86_GROUP_CONTROL)->dirty |= X86_GROUP_CONTROL;
	return 0;
}

static uint64_t op_tsc_get(void *ctx)
{
	struct vcpu *vcpu = ctx;

	return time_now_tsc() + vcpu->vendor.tsc_offset;
}

static void op_tsc_set(void *ctx, uint64_t tsc)
{
	struct vcpu *vcpu = ctx;

	vcpu->vendor.tsc_offset = tsc - time_now_tsc();
	vcpu->vendor.has_changed = true;
	if (vcpu->apic.tsc_deadline)
		vcpu->apic.ops->timer_arm_tsc(vcpu, vcpu->apic.tsc_deadline);
}

const struct msr_ops vcpu_msr_ops = {
	.state = op_state,
	.vendor_get = op_vendor_get,
	.vendor_set = op_vendor_set,
	.tsc_get = op_tsc_get,
	.tsc_set = op_tsc_set,
};

int msr_exit_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	return msr_file_read(&vcpu->msr, msr, value);
}

int msr_exit_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	struct x86_state *state = vcpu->vendor.state;
	int error = msr_file_write(&vcpu->msr, msr, value);

	/* Straight into the back end: the guest may run before the machine. */
	if (state->dirty)
		vcpu->back->state_store(&vcpu->vendor, state->dirty);
	vcpu_priority_changed(vcpu);
	return error;
}
