/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between a partition (hyperv.h) and the machine: its RAM, vCPUs and time by
 * the gate, and the exits that are its affair.
 *
 * A flush is the monitor's own after a change of the map: each vCPU is fetched
 * out of its guest and drops its translations before it enters again.  The
 * change is none: what is unmapped stays so.
 */
#include "machine/machine.h"

#include "include/errno.h"
#include "include/x86_msr.h"
#include "lib/user/gate_calls.h"
#include "machine/cpuid_table.h"
#include "machine/paravirt.h"

/* Of the I/O APIC: never memory. */
#define UNMAPPED_GPA 0xfec00000ULL

#define MSRS_FIRST HV_MSR_GUEST_OS_ID
#define MSRS_COUNT 0x200

#define APIC_EOI	     0x0b0
#define APIC_TPR	     0x080
#define APIC_ICR	     0x300
#define APIC_ICR_HIGH	     0x310
#define X2APIC_MSR(register) (MSR_X2APIC_FIRST + (register) / 16)
#define TPR_DEFINED	     MASK(7, 0)

static void op_interrupt(void *ctx, unsigned vp, uint8_t vector)
{
	(void)paravirt_message(ctx, vp, vector);
}

static void op_flush(void *ctx)
{
	(void)ctx;
	(void)gate_map(UNMAPPED_GPA, PAGE_SIZE, 0, GATE_MAP_NONE);
}

static void op_reset(void *ctx)
{
	gate_log(GATE_LOG_INFO, "the guest wants a reset");
	machine_reset_want(ctx);
}

/* While it runs, as it does when it asks, what it has waited is complete. */
static uint64_t op_runtime(void *ctx, unsigned vp)
{
	const struct machine *machine = ctx;
	uint64_t idle = machine->vcpu[vp]->page->idle_ticks;
	uint64_t ticks = paravirt_tsc(ctx) - idle;

	return (uint64_t)(((unsigned __int128)ticks *
			   machine->hyperv->tsc_scale) >>
			  64);
}

static void op_log(void *ctx, const char *text)
{
	(void)ctx;
	gate_log(GATE_LOG_WARNING, "%s", text);
}

static const struct hyperv_ops hyperv_ops = {
	.page = paravirt_page,
	.interrupt = op_interrupt,
	.flush = op_flush,
	.yield = paravirt_yield,
	.reset = op_reset,
	.tsc = paravirt_tsc,
	.runtime = op_runtime,
	.log = op_log,
};

#define LEAF_SIZES     8 /* 80000008h */
#define SIZES_EAX_PHYS MASK(7, 0)

bool machine_hyperv_init(struct machine *machine, struct cpuid_table *table)
{
	static struct hyperv hyperv;
	uint8_t phys_bits = (uint8_t)FIELD_GET(
		SIZES_EAX_PHYS, table->extended[LEAF_SIZES].regs.eax);
	const struct hyperv_config config = {
		.ops = &hyperv_ops,
		.ctx = machine,
		.clock = &machine->clock,
		.vps = machine->config->vcpu_count,
		.is_amd = cpuid_is_amd(table),
		.phys_bits = phys_bits,
		.tsc_hz = machine->gate->tsc_hz,
		.apic_hz = machine->gate->apic_timer_hz,
	};

	if (!(machine->config->devices & MACHINE_DEVICE_HYPERV))
		return false;
	hyperv_init(&hyperv, &config);
	hyperv_cpuid(table, config.vps, phys_bits);
	machine->hyperv = &hyperv;
	return true;
}

void machine_hyperv_reset(struct machine *machine)
{
	if (machine->hyperv)
		hyperv_withdraw(machine->hyperv);
}

/* ---- The local APIC by MSRs -----------------------------------------------
 */

/* Its page is there in xAPIC mode alone, its own MSRs in the other. */
static int apic_write(struct machine_vcpu *vcpu, uint32_t offset,
		      uint64_t value)
{
	if (vcpu->apic_gpa == APIC_PAGE_NONE)
		return (int)gate_call(GATE_MSR_WRITE, X2APIC_MSR(offset), value,
				      0);
	if (offset == APIC_ICR)
		gate_apic_write(APIC_ICR_HIGH, (uint32_t)(value >> 32));
	gate_apic_write(offset, (uint32_t)value);
	return 0;
}

static int apic_read(struct machine_vcpu *vcpu, uint32_t offset,
		     uint64_t *value)
{
	long error;

	if (vcpu->apic_gpa == APIC_PAGE_NONE) {
		error = gate_call(GATE_MSR_READ, X2APIC_MSR(offset), 0, 0);
		*value = vcpu->page->msr_value;
		return (int)error;
	}
	*value = gate_apic_read(offset);
	if (offset == APIC_ICR)
		*value |= (uint64_t)gate_apic_read(APIC_ICR_HIGH) << 32;
	return 0;
}

static int apic_msr_write(struct machine_vcpu *vcpu, uint32_t msr,
			  uint64_t value)
{
	switch (msr) {
	case HV_MSR_EOI:
		return apic_write(vcpu, APIC_EOI, 0);
	case HV_MSR_ICR:
		return apic_write(vcpu, APIC_ICR, value);
	case HV_MSR_TPR:
		return apic_write(vcpu, APIC_TPR, value & TPR_DEFINED);
	default:
		return -ENOENT;
	}
}

/* EOI can only be written. */
static int apic_msr_read(struct machine_vcpu *vcpu, uint32_t msr,
			 uint64_t *value)
{
	switch (msr) {
	case HV_MSR_EOI:
		return -EINVAL;
	case HV_MSR_ICR:
		return apic_read(vcpu, APIC_ICR, value);
	case HV_MSR_TPR:
		return apic_read(vcpu, APIC_TPR, value);
	default:
		return -ENOENT;
	}
}

/* ---- Exits ----------------------------------------------------------------
 */

static bool is_ours(const struct machine_vcpu *vcpu, uint32_t msr)
{
	return msr - MSRS_FIRST < MSRS_COUNT && vcpu->machine->hyperv;
}

int machine_hyperv_read(struct machine_vcpu *vcpu, uint32_t msr,
			uint64_t *value)
{
	int error;

	if (likely(!is_ours(vcpu, msr)))
		return -ENOENT;
	error = apic_msr_read(vcpu, msr, value);
	if (error != -ENOENT)
		return error;
	machine_lock(vcpu);
	error = hyperv_msr_read(vcpu->machine->hyperv, vcpu->id, msr, value);
	machine_unlock(vcpu);
	return error;
}

int machine_hyperv_write(struct machine_vcpu *vcpu, uint32_t msr,
			 uint64_t value)
{
	int error;

	if (likely(!is_ours(vcpu, msr)))
		return -ENOENT;
	/* What it does may be an interrupt already. */
	vcpu->has_acted = true;
	error = apic_msr_write(vcpu, msr, value);
	if (error != -ENOENT)
		return error;
	machine_lock(vcpu);
	error = hyperv_msr_write(vcpu->machine->hyperv, vcpu->id, msr, value);
	machine_unlock(vcpu);
	return error;
}

/* ---- Hypercalls -----------------------------------------------------------
 */

static bool is_long(const struct x86_state *state)
{
	return state->efer & X86_EFER_LMA &&
	       state->seg[X86_CS].attributes & X86_ATTR_L;
}

static uint64_t pair(uint64_t high, uint64_t low)
{
	return high << 32 | (uint32_t)low;
}

/* In 64-bit mode RCX, RDX, R8; else EDX:EAX, EBX:ECX, EDI:ESI. */
static void input_get(const struct x86_state *state, struct hyperv_input *input)
{
	const uint64_t *gpr = state->gpr;

	if (is_long(state)) {
		input->value = gpr[X86_RCX];
		input->parameter[0] = gpr[X86_RDX];
		input->parameter[1] = gpr[X86_R8];
		return;
	}
	input->value = pair(gpr[X86_RDX], gpr[X86_RAX]);
	input->parameter[0] = pair(gpr[X86_RBX], gpr[X86_RCX]);
	input->parameter[1] = pair(gpr[X86_RDI], gpr[X86_RSI]);
}

static void result_put(struct x86_state *state, uint64_t result)
{
	if (is_long(state)) {
		state->gpr[X86_RAX] = result;
		return;
	}
	state->gpr[X86_RAX] = (uint32_t)result;
	state->gpr[X86_RDX] = result >> 32;
}

/* Its answer to one who has no hypercall page, or may not call, is #UD. */
enum emul_status machine_hyperv_call(struct machine_vcpu *vcpu)
{
	struct hyperv *hv = vcpu->machine->hyperv;
	struct x86_state *state = &vcpu->page->state;
	struct hyperv_input input = { 0 };

	gate_state_load(X86_GROUP_SEGMENTS | X86_GROUP_CONTROL);
	if (!hyperv_has_calls(hv) || state->cpl || !(state->cr0 & X86_CR0_PE))
		return emul_raise(&vcpu->emul, X86_VECTOR_UD);
	input_get(state, &input);
	if (hyperv_call_needs_xmm(input.value)) {
		gate_state_load(X86_GROUP_XSTATE);
		input.xmm = vcpu->page->xstate.xmm;
	}
	vcpu->has_acted = true;
	result_put(state, hyperv_call(hv, &input));
	return EMUL_OK;
}
