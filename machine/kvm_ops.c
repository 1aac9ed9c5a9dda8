/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between KVM's interface (kvm.h) and the machine: its RAM, vCPUs and time by
 * the gate, and the exits that are its affair.
 *
 * Who is away is the monitor's to tell, as only it knows when: it sets one byte
 * of the VM's memory and makes the vCPU come here before it runs again
 * (gate_page.away_offset).  All else is done here.
 */
#include "machine/machine.h"

#include "include/errno.h"
#include "include/x86_msr.h"
#include "lib/user/gate_calls.h"
#include "machine/cpuid_table.h"
#include "machine/paravirt.h"

static void op_watch(void *ctx, unsigned vcpu, uint8_t *away)
{
	uint64_t offset = away ? (uint64_t)away - GATE_WINDOW_VA : 0;

	(void)ctx;
	__atomic_store_n(&gate_page(vcpu)->away_offset, offset,
			 __ATOMIC_RELEASE);
}

static uint64_t op_waited(void *ctx, unsigned vcpu)
{
	const struct machine *machine = ctx;

	return (uint64_t)(((unsigned __int128)gate_page(vcpu)->waited_ticks *
			   machine->gate->tsc_mult) >>
			  32);
}

/* One that it never wrote is between what the machine reads before and after.
 */
static bool op_tsc_base(void *ctx, uint64_t *base)
{
	const struct machine *machine = ctx;
	uint64_t before = paravirt_tsc(ctx), guest, after;

	(void)gate_call(GATE_MSR_READ, MSR_TSC, 0, 0);
	after = paravirt_tsc(ctx);
	guest = machine->vcpu[machine->holder]->page->msr_value;
	*base = guest - before <= after - before ? 0 : guest - before;
	return !*base;
}

static void op_unhalt(void *ctx, unsigned vcpu)
{
	(void)ctx;
	(void)gate_kick_halt(vcpu);
}

/* As MOV to CR3 does, and for global pages, too: so the back ends do whenever
 * control registers are set. */
static void op_flush(void *ctx)
{
	const struct machine *machine = ctx;
	struct x86_state *state = &machine->vcpu[machine->holder]->page->state;

	gate_state_load(X86_GROUP_CONTROL);
	state->dirty |= X86_GROUP_CONTROL;
}

static const struct kvm_ops kvm_ops = {
	.page = paravirt_page,
	.watch = op_watch,
	.waited = op_waited,
	.tsc_base = op_tsc_base,
	.message = paravirt_message,
	.unhalt = op_unhalt,
	.yield_to = paravirt_yield_to,
	.flush = op_flush,
};

#define L1_ECX_HYPERVISOR BIT(31)

/*
 * Linux takes VMMCALL where CPUID names AMD or Hygon, else VMCALL; the other
 * one than the host's is #UD, so who would take that is told of no calls.
 */
static void tell(const struct machine *machine, struct cpuid_table *table)
{
	const struct kvm_leaves leaves = {
		.is_second = machine->hyperv,
		.has_calls = cpuid_is_amd(table) ==
			     !(machine->features & EMUL_FEATURE_INTEL),
	};

	/* Unless the manifest hides what it is. */
	if (table->basic[1].regs.ecx & L1_ECX_HYPERVISOR)
		kvm_cpuid(table, &leaves);
}

bool machine_kvm_init(struct machine *machine, struct cpuid_table *table)
{
	static struct kvm kvm;
	const struct kvm_config config = {
		.ops = &kvm_ops,
		.ctx = machine,
		.vcpus = machine->config->vcpu_count,
		.apic_id = machine->apic_id,
		.tsc_mult = machine->gate->tsc_mult,
		.epoch_s = machine->gate->epoch_s,
	};

	if (!(machine->config->devices & MACHINE_DEVICE_KVM))
		return false;
	kvm_init(&kvm, &config);
	tell(machine, table);
	machine->kvm = &kvm;
	return true;
}

/* ---- Exits ----------------------------------------------------------------
 */

static bool is_ours(const struct machine_vcpu *vcpu, uint32_t msr)
{
	return msr - KVM_MSR_FIRST < KVM_MSR_COUNT && vcpu->machine->kvm;
}

int machine_kvm_read(struct machine_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	int error;

	if (likely(!is_ours(vcpu, msr)))
		return -ENOENT;
	machine_lock(vcpu);
	error = kvm_msr_read(vcpu->machine->kvm, vcpu->id, msr, value);
	machine_unlock(vcpu);
	return error;
}

int machine_kvm_write(struct machine_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	int error;

	if (likely(!is_ours(vcpu, msr)))
		return -ENOENT;
	vcpu->has_acted = true;
	machine_lock(vcpu);
	error = kvm_msr_write(vcpu->machine->kvm, vcpu->id, msr, value);
	machine_unlock(vcpu);
	return error;
}

void machine_kvm_arrive(struct machine_vcpu *vcpu)
{
	machine_lock(vcpu);
	kvm_arrive(vcpu->machine->kvm, vcpu->id);
	machine_unlock(vcpu);
}

/* In 64-bit mode whole registers, else their low halves. */
void machine_kvm_call(struct machine_vcpu *vcpu)
{
	struct x86_state *state = &vcpu->page->state;
	const uint64_t *gpr = state->gpr;
	struct kvm_input input;
	uint64_t mask, result;

	gate_state_load(X86_GROUP_SEGMENTS | X86_GROUP_CONTROL);
	input.is_long = state->efer & X86_EFER_LMA &&
			state->seg[X86_CS].attributes & X86_ATTR_L;
	input.is_kernel = !state->cpl;
	mask = input.is_long ? UINT64_MAX : UINT32_MAX;
	input.number = gpr[X86_RAX] & mask;
	input.parameter[0] = gpr[X86_RBX] & mask;
	input.parameter[1] = gpr[X86_RCX] & mask;
	input.parameter[2] = gpr[X86_RDX] & mask;
	input.parameter[3] = gpr[X86_RSI] & mask;
	vcpu->has_acted = true;
	result = (uint64_t)kvm_call(vcpu->machine->kvm, &input);
	state->gpr[X86_RAX] = result & mask;
}
