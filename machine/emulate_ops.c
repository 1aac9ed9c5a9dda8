/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator's way out: state through the gate, memory that is not RAM and
 * ports to the board, CPUID and MSRs with processor state to the monitor.
 */
#include "machine/machine.h"

#include "include/errno.h"
#include "include/x86_msr.h"
#include "lib/user/gate_calls.h"

#define UNKNOWN_MSRS_LOGGED 64 /* of a vCPU */

static int state_need(void *ctx, uint32_t groups)
{
	(void)ctx;
	gate_state_load(groups);
	return 0;
}

static void *ram_at(void *ctx, uint64_t gpa, size_t length, bool write)
{
	struct machine_vcpu *vcpu = ctx;

	const struct board *board = vcpu->machine->board;

	if (unlikely(vcpu->hides_memory) &&
	    gpa / PAGE_SIZE == vcpu->apic_gpa / PAGE_SIZE)
		return NULL;
	return board->ops->ram_at(board->object, gpa, length, write);
}

/*
 * The local APIC is the monitor's: its registers are 32 bits at multiples of
 * 16; narrower reads see their part, narrower writes do nothing.
 */
static __noinline enum emul_status apic_read(const struct machine_vcpu *vcpu,
					     uint64_t gpa, void *data,
					     unsigned size)
{
	const struct gate_page *page = vcpu->page;
	unsigned offset = (unsigned)gpa % 16;
	uint64_t value;

	if (page->exit == GATE_EXIT_MMIO && !page->mmio.access &&
	    page->mmio.gpa / 16 == gpa / 16)
		value = page->mmio.apic_value;
	else
		value = gate_apic_read(gpa & 0xff0);
	value >>= offset * 8;
	if (offset + size > 4 && size != 8)
		value = 0;
	__builtin_memcpy(data, &value, size);
	return EMUL_OK;
}

/* The usual size without a call. */
static inline void copy_item(void *to, const void *from, unsigned size)
{
	if (likely(size == sizeof(uint32_t)))
		__builtin_memcpy(to, from, sizeof(uint32_t));
	else
		__builtin_memcpy(to, from, size);
}

/* Apart from the local APIC's registers, for whose sake nothing has to be
 * saved. */
static __noinline enum emul_status
board_read(struct machine_vcpu *vcpu, uint64_t gpa, void *data, unsigned size)
{
	struct io_access io = { .offset = gpa, .size = (uint8_t)size };

	machine_mmio(vcpu, &io);
	copy_item(data, &io.data, size);
	return EMUL_OK;
}

static __noinline enum emul_status board_write(struct machine_vcpu *vcpu,
					       uint64_t gpa, const void *data,
					       unsigned size)
{
	struct io_access io = { .offset = gpa,
				.size = (uint8_t)size,
				.is_write = true };

	copy_item(&io.data, data, size);
	machine_mmio(vcpu, &io);
	vcpu->has_acted = true;
	return EMUL_OK;
}

static enum emul_status mmio_read(void *ctx, uint64_t gpa, void *data,
				  unsigned size)
{
	const struct machine_vcpu *vcpu = ctx;
	const struct gate_page *page = vcpu->page;

	if (gpa - vcpu->apic_gpa >= PAGE_SIZE)
		return board_read(ctx, gpa, data, size);
	/* The exit has brought what it is about. */
	if (unlikely(page->exit != GATE_EXIT_MMIO || page->mmio.access ||
		     page->mmio.gpa != gpa || size != sizeof(uint32_t) ||
		     gpa % 16))
		return apic_read(vcpu, gpa, data, size);
	*(uint32_t *)data = page->mmio.apic_value;
	return EMUL_OK;
}

static enum emul_status mmio_write(void *ctx, uint64_t gpa, const void *data,
				   unsigned size)
{
	struct machine_vcpu *vcpu = ctx;

	if (gpa - vcpu->apic_gpa >= PAGE_SIZE)
		return board_write(vcpu, gpa, data, size);
	if (size >= 4 && gpa % 16 == 0)
		gate_apic_write(gpa & 0xff0, *(const uint32_t *)data);
	vcpu->has_acted = true;
	return EMUL_OK;
}

/* All under one lock; the local APIC is not the board's. */
static size_t mmio_bulk(void *ctx, uint64_t gpa, unsigned size,
			const void *items, size_t count)
{
	struct machine_vcpu *vcpu = ctx;
	const struct board *board = vcpu->machine->board;
	struct io_access io = { .offset = gpa,
				.size = (uint8_t)size,
				.is_write = true };

	if (gpa / PAGE_SIZE == vcpu->apic_gpa / PAGE_SIZE)
		return 0;
	machine_lock(vcpu);
	vcpu->has_acted = true;
	board->ops->mmio_write_run(board->object, &io, items, (uint32_t)count);
	machine_unlock(vcpu);
	return count;
}

static enum emul_status port_io(void *ctx, uint16_t port, unsigned size,
				bool is_write, uint32_t *data)
{
	struct machine_vcpu *vcpu = ctx;
	struct io_access io = { .offset = port,
				.size = (uint8_t)size,
				.is_write = is_write,
				.data = *data };

	machine_port(vcpu, &io);
	*data = (uint32_t)io.data;
	vcpu->has_acted = true;
	return EMUL_OK;
}

static size_t port_bulk(void *ctx, uint16_t port, unsigned size, bool is_write,
			void *ram, size_t count)
{
	struct machine_vcpu *vcpu = ctx;
	struct io_access io = { .offset = port,
				.size = (uint8_t)size,
				.is_write = is_write };
	const struct board *board = vcpu->machine->board;
	size_t done;

	machine_lock(vcpu);
	vcpu->has_acted = true;
	done = board->ops->port_bulk(board->object, &io, ram, (uint32_t)count);
	machine_unlock(vcpu);
	return done;
}

/* A bit that CPUID does not show is reserved. */
static enum emul_status cr_write(void *ctx, unsigned cr, uint64_t value)
{
	struct machine_vcpu *vcpu = ctx;

	vcpu->has_acted = true;
	if (cr == 4 && value & ~vcpu->machine->gate->cr4_valid)
		return emul_raise_code(&vcpu->emul, X86_VECTOR_GP, 0);
	return EMUL_OK;
}

static enum emul_status xcr_write(void *ctx, uint64_t value)
{
	struct machine_vcpu *vcpu = ctx;

	if (gate_call(GATE_XCR0_SET, value, 0, 0))
		return emul_raise_code(&vcpu->emul, X86_VECTOR_GP, 0);
	return EMUL_OK;
}

static void log_unknown(struct machine_vcpu *vcpu, uint32_t msr,
			const char *what)
{
	if (vcpu->unknown_msrs >= UNKNOWN_MSRS_LOGGED)
		return;
	vcpu->unknown_msrs++;
	gate_log(GATE_LOG_DEBUG, "%s %x: no such MSR, #GP", what, msr);
}

static enum emul_status msr_read(void *ctx, uint32_t msr, uint64_t *value)
{
	struct machine_vcpu *vcpu = ctx;
	int error = machine_hyperv_read(vcpu, msr, value);

	if (error == -ENOENT)
		error = machine_kvm_read(vcpu, msr, value);
	if (error == -ENOENT)
		error = cpu_msrs_read(machine_msrs(vcpu), msr, value);
	if (error == -ENOENT) {
		error = (int)gate_call(GATE_MSR_READ, msr, 0, 0);
		*value = vcpu->page->msr_value;
	}
	if (error == -ENOENT)
		log_unknown(vcpu, msr, "RDMSR");
	return error ? emul_raise_code(&vcpu->emul, X86_VECTOR_GP, 0) : EMUL_OK;
}

static enum emul_status msr_write(void *ctx, uint32_t msr, uint64_t value)
{
	struct machine_vcpu *vcpu = ctx;
	int error = machine_hyperv_write(vcpu, msr, value);

	if (error == -ENOENT)
		error = machine_kvm_write(vcpu, msr, value);
	if (error == -ENOENT)
		error = cpu_msrs_write(machine_msrs(vcpu), msr, value);
	if (error == -ENOENT) {
		error = (int)gate_call(GATE_MSR_WRITE, msr, value, 0);
		vcpu->has_acted = true;
	}
	if (error == -ENOENT)
		log_unknown(vcpu, msr, "WRMSR");
	return error ? emul_raise_code(&vcpu->emul, X86_VECTOR_GP, 0) : EMUL_OK;
}

static enum emul_status cpuid(void *ctx, uint32_t registers[4])
{
	struct machine_vcpu *vcpu = ctx;
	uint64_t *gpr = vcpu->page->state.gpr;
	uint64_t saved[4] = { gpr[X86_RAX], gpr[X86_RCX], gpr[X86_RDX],
			      gpr[X86_RBX] };

	gate_call(GATE_CPUID, registers[0], registers[2], 0);
	registers[0] = (uint32_t)gpr[X86_RAX];
	registers[1] = (uint32_t)gpr[X86_RBX];
	registers[2] = (uint32_t)gpr[X86_RCX];
	registers[3] = (uint32_t)gpr[X86_RDX];
	for (unsigned i = 0; i < ARRAY_SIZE(saved); i++)
		gpr[i] = saved[i];
	return EMUL_OK;
}

static enum emul_status tsc(void *ctx, uint64_t *value, uint32_t *aux)
{
	const struct machine_vcpu *vcpu = ctx;

	/* The guest may have written its TSC: only the monitor knows. */
	gate_call(GATE_MSR_READ, MSR_TSC, 0, 0);
	*value = vcpu->page->msr_value;
	*aux = gate_call(GATE_MSR_READ, MSR_TSC_AUX, 0, 0)
		       ? 0
		       : (uint32_t)vcpu->page->msr_value;
	return EMUL_OK;
}

static enum emul_status hypercall(void *ctx)
{
	struct machine_vcpu *vcpu = ctx;
	const struct machine *machine = vcpu->machine;

	/* Of both interfaces it uses this one if it wanted a page for it. */
	if (machine->hyperv &&
	    (!machine->kvm || hyperv_has_calls(machine->hyperv)))
		return machine_hyperv_call(vcpu);
	if (machine->kvm)
		machine_kvm_call(vcpu);
	else
		vcpu->page->state.gpr[X86_RAX] = GATE_HYPERCALL_UNKNOWN;
	return EMUL_OK;
}

const struct emul_ops machine_emul_ops = {
	.state_need = state_need,
	.ram = ram_at,
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.mmio_bulk = mmio_bulk,
	.io = port_io,
	.io_bulk = port_bulk,
	.cr_write = cr_write,
	.xcr_write = xcr_write,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.cpuid = cpuid,
	.tsc = tsc,
	.hypercall = hypercall,
};

/* ---- One instruction --------------------------------------------------- */

/*
 * #DB: DR6 tells why.  The image that it pushes has RF set where it is a fault,
 * but for an instruction breakpoint's; that of other faults is the monitor's
 * affair.
 */
void machine_inject_debug(struct machine_vcpu *vcpu, uint64_t dr6)
{
	struct gate_page *page = vcpu->page;

	if (!(page->state.valid & X86_GROUP_DEBUG))
		gate_state_load(X86_GROUP_DEBUG);
	emul_debug_enter(&vcpu->emul, dr6);
	if (dr6 & X86_DR6_BD)
		page->state.rflags |= X86_FLAG_RF;
	page->inject = (struct gate_injection){ .is_valid = true,
						.vector = X86_VECTOR_DB };
}

static void inject_fault(struct machine_vcpu *vcpu)
{
	const struct emul_fault *fault = &vcpu->emul.fault;
	struct gate_page *page = vcpu->page;

	if (fault->vector == X86_VECTOR_DB) {
		machine_inject_debug(vcpu, fault->dr6);
		return;
	}
	if (fault->vector == X86_VECTOR_PF) {
		if (!(page->state.valid & X86_GROUP_CONTROL))
			gate_state_load(X86_GROUP_CONTROL);
		page->state.cr2 = fault->cr2;
		page->state.dirty |= X86_GROUP_CONTROL;
	}
	page->inject.vector = fault->vector;
	page->inject.has_error_code = fault->has_error_code;
	page->inject.error_code = fault->error_code;
	page->inject.is_valid = true;
}

#define DR6_BT BIT(15)

/* A port's breakpoint, behind an instruction that was not emulated. */
__noinline void machine_port_breakpoint(struct machine_vcpu *vcpu)
{
	const struct gate_page *page = vcpu->page;
	uint64_t dr6;

	gate_state_load(X86_GROUP_DEBUG | X86_GROUP_CONTROL);
	dr6 = emul_port_breakpoints(&vcpu->emul, page->io.port,
				    FIELD_GET(GATE_IO_SIZE, page->io.access));
	if (!dr6)
		return;
	if (page->state.rflags & X86_FLAG_TF)
		dr6 |= X86_DR6_BS;
	machine_inject_debug(vcpu, dr6);
}

static __noinline void take_rare_events(struct machine_vcpu *vcpu,
					uint32_t events)
{
	if (events & EMUL_EVENT_SHUTDOWN)
		machine_reset_want(vcpu->machine);
	if (events & EMUL_EVENT_WATCHED)
		machine_debug_hit(vcpu);
}

static void take_events(struct machine_vcpu *vcpu)
{
	uint32_t events = vcpu->emul.events;
	uint64_t dr6 = FIELD_GET(EMUL_EVENT_BREAKPOINTS, events);

	if (events & EMUL_EVENT_HLT)
		vcpu->page->halt = true;
	if (events & EMUL_EVENT_NMI_UNMASK)
		vcpu->page->state.nmi_open = 1;
	/* What comes behind one instruction is one #DB. */
	if (events & EMUL_EVENT_SINGLE_STEP)
		dr6 |= X86_DR6_BS;
	if (events & EMUL_EVENT_TASK_TRAP)
		dr6 |= DR6_BT;
	if (dr6)
		machine_inject_debug(vcpu, dr6);
	if (events & (EMUL_EVENT_SHUTDOWN | EMUL_EVENT_WATCHED))
		take_rare_events(vcpu, events);
}

/* Nothing sensible can be done: say which bytes, and end the VM. */
static __noinline void report_unhandled(struct machine_vcpu *vcpu)
{
	const uint8_t *b = vcpu->emul.insn;

	gate_log(GATE_LOG_ERROR,
		 "cannot emulate at RIP %lx: %u bytes, %02x %02x %02x %02x "
		 "%02x %02x %02x %02x",
		 vcpu->page->state.rip, vcpu->emul.insn_length, b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7]);
	gate_exit(MACHINE_EXIT_ERROR);
}

#define CR3_PDPT  MASK(31, 5)
#define PDPT_SIZE 32

/*
 * PAE's four page-directory pointers go with CR0, CR3 and CR4, for processors
 * that load them just then.
 */
static __noinline void read_pdptes(struct machine_vcpu *vcpu)
{
	struct x86_state *state = &vcpu->page->state;
	const void *table;

	if (!(state->valid & X86_GROUP_CONTROL) || !(state->cr0 & X86_CR0_PG) ||
	    !(state->cr4 & X86_CR4_PAE) || state->efer & X86_EFER_LMA)
		return;
	table = ram_at(vcpu, state->cr3 & CR3_PDPT, PDPT_SIZE, false);
	if (table)
		__builtin_memcpy(state->pdpte, table, sizeof(state->pdpte));
}

/* What asks for nothing: the rest of REP, and NMIs that IRET lets in. */
#define EVENTS_HARMLESS (EMUL_EVENT_REP_PARTIAL | EMUL_EVENT_NMI_UNMASK)

/* What the emulator has delivered, or could not. */
static bool delivered(struct machine_vcpu *vcpu, enum emul_status status)
{
	if (status == EMUL_FAULT)
		status = emul_deliver_fault(&vcpu->emul);
	if (status == EMUL_UNHANDLED)
		report_unhandled(vcpu);
	if (vcpu->emul.events)
		take_events(vcpu);
	return status == EMUL_OK && !vcpu->emul.events;
}

/* It came here for a guard that is lifted by now: the guest does it. */
static __noinline bool is_unguarded(struct machine_vcpu *vcpu)
{
	const struct board *board = vcpu->machine->board;
	bool is_guest;

	if (vcpu->page->exit != GATE_EXIT_MMIO || !board->ops->screen)
		return false;
	machine_lock(vcpu);
	is_guest = board->ops->screen->unguard(board->object,
					       vcpu->page->mmio.gpa) !=
		   BOARD_GUARD_NONE;
	machine_unlock(vcpu);
	return is_guest;
}

/* False: the next instruction may not be emulated before a GATE_RESUME. */
static bool emulated(struct machine_vcpu *vcpu, enum emul_status status)
{
	bool goes_on = false;

	switch (status) {
	case EMUL_OK:
		goes_on = !(vcpu->emul.events & ~EVENTS_HARMLESS) &&
			  !vcpu->has_acted;
		if (unlikely(vcpu->emul.events))
			take_events(vcpu);
		break;
	case EMUL_FAULT:
		/* A new task without all its segments: VT-x refuses that. */
		if (vcpu->emul.is_task_switched)
			(void)delivered(vcpu, EMUL_FAULT);
		else
			inject_fault(vcpu);
		break;
	case EMUL_RETRY:
		if (vcpu->emul.events & EMUL_EVENT_WATCHED)
			machine_debug_hit(vcpu);
		break;
	case EMUL_UNHANDLED:
		/* The processor runs it, if it must, without its shadow. */
		if (vcpu->page->exit != GATE_EXIT_SHADOWED &&
		    !is_unguarded(vcpu))
			report_unhandled(vcpu);
		break;
	}
	if (unlikely(vcpu->page->state.dirty & X86_GROUP_CONTROL))
		read_pdptes(vcpu);
	return goes_on;
}

static bool emulate_one(struct machine_vcpu *vcpu)
{
	vcpu->has_acted = false;
	return emulated(vcpu, emul_step(&vcpu->emul));
}

void machine_emulate(struct machine_vcpu *vcpu)
{
	(void)emulate_one(vcpu);
}

/*
 * Memory may be there by now, or for the emulator alone: the local APIC's page
 * is the one that is asked for most, and where there is none.
 */
static inline bool is_device(const struct machine_vcpu *vcpu, gpa_t gpa,
			     uint32_t access)
{
	const struct board *board = vcpu->machine->board;

	if (access & ~GATE_MMIO_WRITE)
		return false;
	return gpa - vcpu->apic_gpa < PAGE_SIZE ||
	       !board->ops->ram_at(board->object, gpa, 1, access);
}

void machine_emulate_mmio(struct machine_vcpu *vcpu)
{
	gpa_t gpa = vcpu->page->mmio.gpa;
	uint32_t access = vcpu->page->mmio.access;
	enum emul_status status;

	if (!is_device(vcpu, gpa, access)) {
		machine_emulate(vcpu);
		return;
	}
	status = emul_step_device(&vcpu->emul, gpa, access);
	/* Of what MOV may leave behind nothing is here. */
	if (unlikely(status != EMUL_OK || vcpu->emul.events ||
		     vcpu->page->state.dirty))
		(void)emulated(vcpu, status);
}

/* ---- Many instructions: the processor cannot run them ------------------ */

static bool deliver(struct machine_vcpu *vcpu)
{
	uint64_t run = vcpu->page->run.event;
	struct emul_event event = {
		.vector = FIELD_GET(GATE_RUN_VECTOR, run),
		.type = FIELD_GET(GATE_RUN_TYPE, run),
		.has_error_code = run & GATE_RUN_HAS_ERROR,
		.error_code = FIELD_GET(GATE_RUN_ERROR, run),
		.cr2 = vcpu->page->state.cr2,
	};

	return delivered(vcpu, emul_deliver_event(&vcpu->emul, &event));
}

static void emulate_run(struct machine_vcpu *vcpu)
{
	const struct x86_state *state = &vcpu->page->state;
	uint32_t count = vcpu->page->run.count;
	uint64_t mode;
	bool goes_on = true;

	if (vcpu->page->run.event & GATE_RUN_VALID && !deliver(vcpu))
		return;
	mode = state->cr0 & X86_CR0_PE;
	while (goes_on && count--) {
		goes_on =
			emulate_one(vcpu) && (state->cr0 & X86_CR0_PE) == mode;
		vcpu->run_insns++;
	}
}

void machine_emulate_run(struct machine_vcpu *vcpu)
{
	uint64_t start = __builtin_ia32_rdtsc();

	vcpu->emul.breaks_at_code = true;
	emulate_run(vcpu);
	vcpu->emul.breaks_at_code = false;
	vcpu->run_count++;
	vcpu->run_ticks += __builtin_ia32_rdtsc() - start;
}

#define MILLION 1000000

void machine_report_runs(const struct machine *machine)
{
	uint64_t ticks = __builtin_ia32_rdtsc() - machine->gate->tsc_base;
	uint64_t count = 0, insns = 0, spent = 0;

	for (unsigned i = 0; i < machine->config->vcpu_count; i++) {
		const struct machine_vcpu *vcpu = machine->vcpu[i];

		if (!vcpu)
			continue;
		count += vcpu->run_count;
		insns += vcpu->run_insns;
		spent += vcpu->run_ticks;
	}
	if (count)
		gate_log(GATE_LOG_INFO,
			 "%lu instructions emulated in %lu runs, "
			 "%lu of %lu million ticks",
			 insns, count, spent / MILLION, ticks / MILLION);
}
