/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins the CPUID and MSR policies to a vCPU: where their values come from.
 */
#include "vm/vm.h"

#include "include/emulate.h"
#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"

void cpuid_complete(struct vcpu *vcpu, const struct cpuid_leaf *leaf,
		    uint32_t subleaf, struct cpuid_regs *regs)
{
	struct cpuid_dynamic dynamic = {
		.apic_id = vcpu->id,
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
}

static void op_unknown(void *ctx, uint32_t msr, bool is_write, uint64_t value)
{
	struct vcpu *vcpu = ctx;

	if (is_write)
		vlog_dbg(&vcpu->log, "WRMSR %x = %lx: no such MSR, #GP", msr,
			 value);
	else
		vlog_dbg(&vcpu->log, "RDMSR %x: no such MSR, #GP", msr);
}

const struct msr_ops vcpu_msr_ops = {
	.state = op_state,
	.vendor_get = op_vendor_get,
	.vendor_set = op_vendor_set,
	.tsc_get = op_tsc_get,
	.tsc_set = op_tsc_set,
	.unknown = op_unknown,
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

/* ---- The emulator's features ------------------------------------------- */

/* clang-format off */
static const struct {
	uint32_t leaf;
	uint8_t reg; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
	uint8_t bit;
	uint64_t feature;
} emulator_features[] = {
	{ 0x80000001, 3, 27, EMUL_FEATURE_RDTSCP },
	{ 0x00000007, 1,  3, EMUL_FEATURE_BMI1 },
	{ 0x00000007, 1,  8, EMUL_FEATURE_BMI2 },
	{ 0x00000007, 1, 19, EMUL_FEATURE_ADX },
	{ 0x00000001, 2, 22, EMUL_FEATURE_MOVBE },
	{ 0x00000001, 2, 28, EMUL_FEATURE_AVX },
	{ 0x80000001, 2,  5, EMUL_FEATURE_LZCNT },
	{ 0x00000001, 2, 23, EMUL_FEATURE_POPCNT },
	{ 0x80000001, 3, 26, EMUL_FEATURE_1G_PAGES },
	{ 0x00000001, 2,  3, EMUL_FEATURE_MWAIT },
	{ 0x00000007, 1,  5, EMUL_FEATURE_AVX2 },
	{ 0x00000007, 1,  0, EMUL_FEATURE_FSGSBASE },
	{ 0x00000001, 2, 30, EMUL_FEATURE_RDRAND },
	{ 0x00000007, 1, 18, EMUL_FEATURE_RDSEED },
	{ 0x00000007, 2, 22, EMUL_FEATURE_RDPID },
	{ 0x00000007, 3, 14, EMUL_FEATURE_SERIALIZE },
	{ 0x00000007, 2, 27, EMUL_FEATURE_MOVDIRI },
	{ 0x00000007, 2, 28, EMUL_FEATURE_MOVDIR64B },
	{ 0x80000008, 1,  0, EMUL_FEATURE_CLZERO },
	{ 0x80000001, 2,  4, EMUL_FEATURE_CR8_LOCK },
};
/* clang-format on */

uint64_t policy_emulator_features(const struct cpuid_table *table)
{
	uint64_t features = cpuid_is_amd(table) ? 0 : EMUL_FEATURE_INTEL;

	for (unsigned i = 0; i < ARRAY_SIZE(emulator_features); i++) {
		const struct cpuid_regs *r =
			&cpuid_find(table, emulator_features[i].leaf, 0)->regs;
		const uint32_t regs[] = { r->eax, r->ebx, r->ecx, r->edx };

		if (regs[emulator_features[i].reg] &
		    BIT(emulator_features[i].bit))
			features |= emulator_features[i].feature;
	}
	return features;
}
