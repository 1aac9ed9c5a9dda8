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

#define GPA_LIMIT (1ULL << 46)

#define GATE_GROUPS_ALL                                              \
	(X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL | \
	 X86_GROUP_DEBUG | X86_GROUP_SYSCALL)

GATE_CALL(gate_resume)
{
	struct vcpu *vcpu = vcpu_of(user);
	return vcpu_resume(vcpu);
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
	return apic_route(vcpu->vm->apic, vcpu->vm->vcpu_count, NULL, &message);
}

GATE_CALL(gate_apic_read)
{
	struct vcpu *vcpu = vcpu_of(user);
	if (a >= PAGE_SIZE)
		return -EINVAL;
	return apic_mmio_read(&vcpu->apic, (uint32_t)a, 4);
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

/* ---- Memory map -------------------------------------------------------- */

/*
 * A change of the map may be long: it goes in pieces, and between two of them
 * the lock is free and others have their turn.  Siblings that change the same
 * addresses meanwhile get a mixture; nobody else is concerned.
 */
#define MAP_PIECE KIB(32) /* of 4 KiB leaves */

static void map_pause(struct vcpu *vcpu)
{
	domain_unlock(&vcpu->user);
	user_breathe(&vcpu->user);
	domain_lock(&vcpu->user);
}

/* How much of it can go in one piece: one large leaf, or some small ones. */
static uint64_t map_piece(const struct vm *vm, gpa_t gpa, uint64_t offset,
			  uint64_t length)
{
	uint64_t left = PAGE_2M - offset % PAGE_2M; /* of the chunk */

	if (IS_ALIGNED(gpa | offset, PAGE_2M) && length >= PAGE_2M &&
	    !table_has_small(&vm->nested, gpa))
		return PAGE_2M;
	return MIN(MIN(length, left), MAP_PIECE);
}

/* [gpa, +length) onto the VM's memory at offset. */
static int map_chunks(struct vcpu *vcpu, gpa_t gpa, uint64_t length,
		      uint64_t offset, unsigned prot)
{
	struct vm *vm = vcpu->vm;
	/* Of a large leaf: see exit_fetch(). */
	unsigned never = this_host()->speculation.itlb_multihit ? MAP_EXEC : 0;

	for (;;) {
		uint64_t n = map_piece(vm, gpa, offset, length);
		unsigned rights = n == PAGE_2M ? prot & ~never : prot;
		uint64_t chunk =
			index_nospec(offset / PAGE_2M, vm->chunk_count);
		hpa_t hpa = vm->chunk[chunk] + offset % PAGE_2M;
		int error = table_map(&vm->nested, gpa, hpa, n, rights,
				      MAP_WRITE_BACK);

		gpa += n;
		offset += n;
		length -= n;
		if (error || !length)
			return error;
		map_pause(vcpu);
	}
}

static int map_nothing(struct vcpu *vcpu, gpa_t gpa, uint64_t length)
{
	struct vm *vm = vcpu->vm;
	gpa_t end = gpa + length;

	for (;;) {
		int error = table_unmap_some(&vm->nested, &gpa, end);

		if (error || gpa == end)
			return error;
		if (table_is_reap_due(&vm->nested))
			vm_flush(vm);
		map_pause(vcpu);
	}
}

/* As EXIT_NESTED without it. */
static int map_apic(struct vm *vm, gpa_t gpa)
{
	hpa_t hpa = vm->vendor.apic_hpa;

	return hpa ? table_map(&vm->nested, gpa, hpa, PAGE_SIZE,
			       MAP_READ | MAP_WRITE, MAP_WRITE_BACK)
		   : 0;
}

GATE_CALL(gate_map)
{
	struct vcpu *vcpu = vcpu_of(user);
	struct vm *vm = vcpu->vm;
	uint64_t size = (uint64_t)vm->chunk_count * PAGE_2M;
	uint64_t kind = c & (PAGE_SIZE - 1), offset = c - kind;
	int error;

	if (!IS_ALIGNED(a | b, PAGE_SIZE) || kind >= GATE_MAP_COUNT || !b)
		return -EINVAL;
	if (a >= GPA_LIMIT || b > GPA_LIMIT - a)
		return -ERANGE;
	if (kind != GATE_MAP_NONE && (offset > size || b > size - offset))
		return -ERANGE;
	if (kind == GATE_MAP_NONE)
		error = map_nothing(vcpu, a, b);
	else if (kind == GATE_MAP_APIC)
		error = map_apic(vm, a);
	else
		error = map_chunks(vcpu, a, b, offset,
				   kind == GATE_MAP_RAM
					   ? MAP_READ | MAP_WRITE | MAP_EXEC
					   : MAP_READ | MAP_EXEC);
	vm_flush(vm);
	return error;
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
	struct vcpu *vcpu = vcpu_of(user);
	cpuid_execute(vcpu, (uint32_t)a, (uint32_t)b);
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
	struct vcpu *vcpu = vcpu_of(user);
	return fpu_xcr0_set(vcpu, a);
}
