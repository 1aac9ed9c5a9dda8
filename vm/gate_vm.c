/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gate calls of a machine: about its vCPUs and its VM.
 */
#include "include/errno.h"
#include "kernel/cpu.h"
#include "include/x86.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "vm/gate.h"
#include "vm/vm.h"

#define GATE_GROUPS_ALL                                              \
	(X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL | \
	 X86_GROUP_DEBUG | X86_GROUP_SYSCALL)

GATE_CALL(gate_resume)
{
	return vcpu_resume(vcpu_of(user));
}

GATE_CALL(gate_state_load)
{
	struct vcpu *vcpu = vcpu_of(user);
	struct x86_state *state = vcpu->vendor.state;
	uint32_t missing = (uint32_t)a & ~state->valid;

	vcpu->back->state_load(&vcpu->vendor, missing & GATE_GROUPS_ALL);
	if (missing & X86_GROUP_XSTATE)
		fpu_load_page(vcpu);
	return 0;
}

GATE_CALL(gate_line)
{
	struct vm *vm = vcpu_of(user)->vm;

	if (a != GATE_LINE_NMI)
		return -EINVAL;
	for (unsigned i = 0; b & 1 && i < vm->vcpu_count; i++)
		apic_lint_raise(&vm->vcpu[i]->apic, 1);
	return 0;
}

GATE_CALL(gate_msi)
{
	struct vcpu *vcpu = vcpu_of(user);
	struct apic_message message;

	if (!apic_msi_decode(a, (uint32_t)b, &message))
		return -EINVAL;
	return apic_route(&vcpu->vm->apics, NULL, &message);
}

GATE_CALL(gate_apic_read)
{
	return a < PAGE_SIZE ? (long)apic_mmio_read(&vcpu_of(user)->apic, a)
			     : -EINVAL;
}

/* Of an instruction from before a reset: what it sends would be seen after it.
 */
static bool is_before_reset(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST) &
	       PENDING_RESET;
}

GATE_CALL(gate_apic_write)
{
	struct vcpu *vcpu = vcpu_of(user);
	if (a >= PAGE_SIZE)
		return -EINVAL;
	if (is_before_reset(vcpu))
		return 0;
	apic_mmio_write(&vcpu->apic, (uint32_t)a, (uint32_t)b);
	vcpu_priority_changed(vcpu);
	return 0;
}

/* ---- The processor ------------------------------------------------------- */

GATE_CALL(gate_reset)
{
	struct vcpu *vcpu = vcpu_of(user);

	vlog_info(&user->domain->log, "reset");
	vm_reset(vcpu->vm, vcpu);
	return 0;
}

GATE_CALL(gate_intr)
{
	struct vcpu *first = vcpu_of(user)->vm->vcpu[0];

	vcpu_extint_changed(first);
	vcpu_notify(first, PENDING_EXTINT);
	return 0;
}

GATE_CALL(gate_kick)
{
	struct vm *vm = vcpu_of(user)->vm;

	if (a >= vm->vcpu_count || b > GATE_KICK_HALT)
		return -EINVAL;
	vcpu_notify(vm->vcpu[index_nospec(a, GATE_MAX_VCPUS)],
		    b == GATE_KICK_HALT ? PENDING_UNHALT : PENDING_EVENT);
	return 0;
}

GATE_CALL(gate_msr_read)
{
	struct vcpu *vcpu = vcpu_of(user);
	uint64_t value = 0;
	int error = msr_exit_read(vcpu, (uint32_t)a, &value);

	vcpu->page->msr_value = value;
	return error;
}

GATE_CALL(gate_msr_write)
{
	struct vcpu *vcpu = vcpu_of(user);
	if (is_before_reset(vcpu))
		return 0;
	return msr_exit_write(vcpu, (uint32_t)a, b);
}

GATE_CALL(gate_cpuid)
{
	cpuid_execute(vcpu_of(user), (uint32_t)a, (uint32_t)b);
	return 0;
}

GATE_CALL(gate_cpuid_facts)
{
	struct cpuid_regs regs =
		cpuid_facts(cpuid_read, (uint32_t)a, (uint32_t)b);

	return copy_to_user((void *)c, &regs, sizeof(regs)) ? -EFAULT : 0;
}

GATE_CALL(gate_cpuid_set)
{
	return vm_set_cpuid(vcpu_of(user)->vm, a);
}

GATE_CALL(gate_xcr0_set)
{
	return fpu_xcr0_set(vcpu_of(user), a);
}
