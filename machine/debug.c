/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger of the guest: machine/debug.h. */
#include "machine/machine.h"

#include "include/errno.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"

#define HLT 0xf4

/* ---- What the guest does ------------------------------------------------- */

static bool caught(const struct debug_catches *catches, uint32_t number)
{
	for (unsigned i = 0; i < catches->count; i++)
		if (catches->number[i] == number)
			return true;
	return false;
}

/* The first thing that an instruction meets is what it stops for. */
static bool meet(struct machine_vcpu *vcpu, struct gdb_stop stop)
{
	struct debug_vcpu *debug = &vcpu->debug;

	if (!debug->has_met) {
		stop.vcpu = vcpu->id;
		debug->met = stop;
		debug->has_met = true;
	}
	return true;
}

static bool is_execution(const struct debug_breakpoint *b)
{
	return b->kind == GDB_BREAK_SOFTWARE || b->kind == GDB_BREAK_HARDWARE;
}

static bool breaks_at(struct machine_vcpu *vcpu, uint64_t linear)
{
	const struct machine_debug *d = &vcpu->machine->debug;
	struct debug_vcpu *debug = &vcpu->debug;

	/* Nor is it one between two items of REP. */
	debug->has_told = debug->has_told && debug->told == linear;
	if (debug->has_told)
		return false;
	for (unsigned i = 0; i < d->count; i++) {
		const struct debug_breakpoint *b = &d->breakpoint[i];

		if (is_execution(b) && b->address == linear)
			return meet(vcpu, (struct gdb_stop){
						  .kind = GDB_STOP_BREAKPOINT,
						  .breakpoint = b->kind,
						  .address = linear });
	}
	return false;
}

/* An instruction that faulted has been executed as far as it can be. */
static enum emul_watch watch_before(void *ctx, uint64_t linear)
{
	struct machine_vcpu *vcpu = ctx;
	struct debug_vcpu *debug = &vcpu->debug;

	debug->has_met = false;
	if (debug->step == DEBUG_STEP_DONE || debug->step == DEBUG_STEP_EVENT) {
		meet(vcpu, (struct gdb_stop){ .kind = GDB_STOP_STEP });
		return EMUL_WATCH_BEFORE;
	}
	if (breaks_at(vcpu, linear))
		return EMUL_WATCH_BEFORE;
	if (debug->step != DEBUG_STEP_ONE)
		return EMUL_WATCH_GO;
	debug->step = DEBUG_STEP_DONE;
	return EMUL_WATCH_AFTER;
}

static bool watch_access(void *ctx, uint64_t linear, unsigned size,
			 bool is_write)
{
	struct machine_vcpu *vcpu = ctx;
	const struct machine_debug *d = &vcpu->machine->debug;

	for (unsigned i = 0; i < d->count; i++) {
		const struct debug_breakpoint *b = &d->breakpoint[i];

		if (is_execution(b) ||
		    (b->kind == GDB_WATCH_WRITE && !is_write) ||
		    (b->kind == GDB_WATCH_READ && is_write))
			continue;
		if (linear - b->address < b->length ||
		    b->address - linear < size)
			return meet(vcpu, (struct gdb_stop){
						  .kind = GDB_STOP_BREAKPOINT,
						  .breakpoint = b->kind,
						  .address = b->address });
	}
	return false;
}

static bool meet_catch(struct machine_vcpu *vcpu, enum gdb_catch what,
		       uint32_t number)
{
	return meet(vcpu, (struct gdb_stop){ .kind = GDB_STOP_CATCH,
					     .caught = what,
					     .address = number });
}

static bool watch_port(void *ctx, uint16_t port, unsigned size)
{
	struct machine_vcpu *vcpu = ctx;

	for (unsigned i = 0; i < size; i++)
		if (caught(&vcpu->machine->debug.ports, port + i))
			return meet_catch(vcpu, GDB_CATCH_PORT, port + i);
	return false;
}

static bool watch_vector(void *ctx, unsigned vector, enum emul_event_type type)
{
	struct machine_vcpu *vcpu = ctx;
	const struct machine_debug *d = &vcpu->machine->debug;
	bool is_exception = type == EMUL_TYPE_EXCEPTION ||
			    type == EMUL_TYPE_ICEBP ||
			    type == EMUL_TYPE_SOFT_EXCEPTION;

	/* What an instruction met that has raised it did not happen. */
	vcpu->debug.has_met = false;
	if (is_exception) {
		if (!(d->exceptions >> (vector & 31) & 1))
			return false;
		return meet_catch(vcpu, GDB_CATCH_EXCEPTION, vector);
	}
	if (!(d->interrupts[vector / 64 % 4] >> vector % 64 & 1))
		return false;
	return meet_catch(vcpu, GDB_CATCH_INTERRUPT, vector);
}

static const struct emul_watcher watcher = {
	.before = watch_before,
	.access = watch_access,
	.port = watch_port,
	.vector = watch_vector,
};

/* Where no data access and no port is looked for. */
static const struct emul_watcher code_watcher = {
	.before = watch_before,
	.vector = watch_vector,
};

static const struct emul_watcher *watcher_for(const struct machine_debug *d)
{
	if (d->ports.count)
		return &watcher;
	for (unsigned i = 0; i < d->count; i++)
		if (!is_execution(&d->breakpoint[i]))
			return &watcher;
	return &code_watcher;
}

static void watch_msr(struct machine_vcpu *vcpu, uint32_t msr)
{
	if (caught(&vcpu->machine->debug.msrs, msr) &&
	    meet_catch(vcpu, GDB_CATCH_MSR, msr))
		vcpu->emul.events |= EMUL_EVENT_WATCHED;
}

static enum emul_status op_msr_read(void *ctx, uint32_t msr, uint64_t *value)
{
	watch_msr(ctx, msr);
	return machine_emul_ops.msr_read(ctx, msr, value);
}

static enum emul_status op_msr_write(void *ctx, uint32_t msr, uint64_t value)
{
	watch_msr(ctx, msr);
	return machine_emul_ops.msr_write(ctx, msr, value);
}

void machine_debug_hit(struct machine_vcpu *vcpu)
{
	struct debug_vcpu *debug = &vcpu->debug;

	/* The step itself, if it met nothing else. */
	if (!debug->has_met)
		meet(vcpu, (struct gdb_stop){ .kind = GDB_STOP_STEP });
	debug->is_hit = debug->is_at_hit = true;
	debug->has_met = false;
	debug->step = DEBUG_STEP_NONE;
	rendezvous_wish(&vcpu->machine->rendezvous, RENDEZVOUS_DEBUG);
}

bool machine_debug_holds(const struct machine_vcpu *vcpu)
{
	return vcpu->debug.is_held;
}

/* ---- A vCPU's state, which only its own thread can fetch ------------------
 */

static void fetch(struct machine_vcpu *vcpu, struct machine_vcpu *of)
{
	struct gate_page *page = of->page;

	if ((page->state.valid & DEBUG_GROUPS) == DEBUG_GROUPS)
		return;
	if (of == vcpu)
		gate_state_load(DEBUG_GROUPS);
	else
		rendezvous_call(&vcpu->machine->rendezvous, of->id,
				RENDEZVOUS_CALL_STATE);
}

static struct machine_vcpu *vcpu_of(void *ctx, unsigned n)
{
	struct machine *machine = ctx;

	return machine->vcpu[n];
}

static struct machine_vcpu *owner(struct machine *machine)
{
	return machine->vcpu[machine->rendezvous.owner - 1];
}

struct x86_state *machine_debug_state(struct machine *machine, unsigned n)
{
	fetch(owner(machine), machine->vcpu[n]);
	return &machine->vcpu[n]->page->state;
}

static struct x86_state *op_state(void *ctx, unsigned n)
{
	return machine_debug_state(ctx, n);
}

static struct x86_xstate *op_xstate(void *ctx, unsigned n)
{
	struct machine_vcpu *vcpu = vcpu_of(ctx, n);

	fetch(owner(ctx), vcpu);
	return &vcpu->page->xstate;
}

/* ---- Memory -------------------------------------------------------------- */

static void *ram_at(void *ctx, uint64_t gpa, size_t length, bool is_write)
{
	const struct board *board = ((struct machine *)ctx)->board;

	return board->ops->ram_at(board->object, gpa, length, is_write);
}

/* Devices are not touched, not even by page tables that lie in them. */
static const struct emul_ops walker_ops = { .ram = ram_at };

/* Whatever the rights are, that would let somebody read it. */
static bool translate(struct machine *machine, unsigned n, uint64_t linear,
		      uint64_t *gpa)
{
	static const uint32_t accesses[] = { 0, EMUL_ACCESS_USER,
					     EMUL_ACCESS_FETCH,
					     EMUL_ACCESS_USER |
						     EMUL_ACCESS_FETCH };
	struct x86_state *state = op_state(machine, n);
	struct emul *walker = &machine->debug.walker;

	if (!(state->efer & X86_EFER_LMA))
		linear = (uint32_t)linear;
	else if (!x86_is_canonical(linear))
		return false;
	emul_init(walker, state, &walker_ops, machine);
	walker->physical_bits = (uint8_t)machine->gate->physical_bits;
	for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++)
		if (emul_translate(walker, linear,
				   accesses[i] | EMUL_ACCESS_PROBE,
				   gpa) == EMUL_OK)
			return true;
	return false;
}

static size_t op_memory(void *ctx, unsigned n, uint64_t address,
			bool is_physical, void *data, size_t size,
			bool is_write)
{
	uint8_t *bytes = data;
	size_t done = 0;

	while (done < size) {
		uint64_t at = address + done, gpa = at;
		size_t length = PAGE_SIZE - at % PAGE_SIZE;
		void *ram;

		length = MIN(length, size - done);
		if (!is_physical && !translate(ctx, n, at, &gpa))
			break;
		ram = ram_at(ctx, gpa, length, is_write);
		if (!ram)
			break;
		if (is_write)
			memcpy(ram, bytes + done, length);
		else
			memcpy(bytes + done, ram, length);
		done += length;
	}
	return done;
}

/* ---- Breakpoints and what else stops --------------------------------------
 */

static int op_breakpoint(void *ctx, enum gdb_breakpoint kind, uint64_t address,
			 uint64_t length, bool is_set)
{
	struct machine_debug *d = &((struct machine *)ctx)->debug;
	unsigned i;

	if (!length || address + length - 1 < address)
		return -EINVAL;
	for (i = 0; i < d->count; i++)
		if (d->breakpoint[i].kind == kind &&
		    d->breakpoint[i].address == address &&
		    d->breakpoint[i].length == length)
			break;
	if (!is_set) {
		if (i < d->count)
			d->breakpoint[i] = d->breakpoint[--d->count];
		return 0;
	}
	if (i < d->count)
		return 0;
	if (i == ARRAY_SIZE(d->breakpoint))
		return -ENOSPC;
	d->breakpoint[d->count++] =
		(struct debug_breakpoint){ kind, address, length };
	return 0;
}

static int catch_number(struct debug_catches *catches, uint32_t number,
			bool is_set)
{
	unsigned i = 0;

	while (i < catches->count && catches->number[i] != number)
		i++;
	if (is_set && i == ARRAY_SIZE(catches->number))
		return -ENOSPC;
	if (is_set && i == catches->count)
		catches->number[catches->count++] = number;
	if (!is_set && i < catches->count)
		catches->number[i] = catches->number[--catches->count];
	return 0;
}

static int op_catch(void *ctx, enum gdb_catch what, uint32_t number,
		    bool is_set)
{
	struct machine_debug *d = &((struct machine *)ctx)->debug;
	uint64_t *word = &d->interrupts[number / 64 % 4];
	uint64_t bit = BIT(number % 64);

	switch (what) {
	case GDB_CATCH_EXCEPTION:
		d->exceptions &= ~(uint32_t)BIT(number & 31);
		if (is_set)
			d->exceptions |= (uint32_t)BIT(number & 31);
		return 0;
	case GDB_CATCH_INTERRUPT:
		*word = is_set ? *word | bit : *word & ~bit;
		return 0;
	case GDB_CATCH_PORT:
		return catch_number(&d->ports, number, is_set);
	case GDB_CATCH_MSR:
		return catch_number(&d->msrs, number, is_set);
	default:
		d->catches_reset = is_set;
		return 0;
	}
}

/* Something for which each instruction has to be looked at. */
static bool is_armed(const struct machine_debug *d)
{
	return d->count || d->ports.count || d->msrs.count || d->exceptions ||
	       d->interrupts[0] | d->interrupts[1] | d->interrupts[2] |
		       d->interrupts[3];
}

/* ---- Going on ------------------------------------------------------------ */

/*
 * The processor may have it in HLT, which nobody but the monitor knows: then
 * the instruction behind is not its turn until an interrupt has been handled.
 */
static bool may_be_halted(struct machine *machine, struct machine_vcpu *vcpu)
{
	uint64_t pc = gdb_pc(&vcpu->page->state);
	uint8_t byte;

	if (vcpu->debug.is_at_hit || vcpu->page->halt)
		return vcpu->page->halt;
	return op_memory(machine, vcpu->id, pc - 1, false, &byte, 1, false) &&
	       byte == HLT;
}

/* Interrupts wait for one instruction; with TF a trap would wait, too. */
static void shadow_cast(struct x86_state *state)
{
	if (!(state->rflags & X86_FLAG_IF) || state->rflags & X86_FLAG_TF)
		return;
	state->interrupt_shadow |= X86_SHADOW_STI;
	state->dirty |= X86_GROUP_SEGMENTS;
}

static void set_emulated(struct machine_vcpu *vcpu, bool is_emulated)
{
	struct machine_debug *d = &vcpu->machine->debug;
	struct x86_state *state = &vcpu->page->state;

	if (is_emulated)
		emul_watch(&vcpu->emul, watcher_for(d));
	if (vcpu->debug.is_emulated == is_emulated)
		return;
	vcpu->debug.is_emulated = is_emulated;
	vcpu->page->is_emulated = is_emulated;
	vcpu->emul.ops = is_emulated ? &d->ops : &machine_emul_ops;
	state->dirty |= X86_GROUP_DEBUG;
	if (is_emulated)
		return;
	emul_watch(&vcpu->emul, NULL);
	/* The processor's TLB knows nothing of INVLPG. */
	state->dirty |= X86_GROUP_CONTROL;
}

static void release(struct machine *machine, struct machine_vcpu *vcpu,
		    bool runs, bool steps)
{
	struct debug_vcpu *debug = &vcpu->debug;
	bool is_emulated = is_armed(&machine->debug) || steps;

	debug->is_held = !runs;
	debug->step = DEBUG_STEP_NONE;
	if (steps || debug->is_emulated != is_emulated)
		(void)op_state(machine, vcpu->id);
	set_emulated(vcpu, is_emulated);
	if (steps) {
		debug->step = DEBUG_STEP_ONE;
		if (vcpu->page->inject.is_valid)
			debug->step = DEBUG_STEP_EVENT;
		else if (!may_be_halted(machine, vcpu))
			shadow_cast(&vcpu->page->state);
	}
	if (runs)
		debug->is_at_hit = false;
}

static void release_all(struct machine *machine, uint32_t run, uint32_t step)
{
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		release(machine, machine->vcpu[i], run >> i & 1, step >> i & 1);
}

static void op_resume(void *ctx, uint32_t run, uint32_t step)
{
	struct machine_debug *d = &((struct machine *)ctx)->debug;

	d->resume = run;
	d->step = step;
	d->must_resume = true;
}

static void op_interrupt(void *ctx)
{
	struct machine *machine = ctx;

	__atomic_store_n(&machine->debug.is_wanted, true, __ATOMIC_SEQ_CST);
	rendezvous_wish(&machine->rendezvous, RENDEZVOUS_DEBUG);
}

static void op_reset(void *ctx)
{
	((struct machine *)ctx)->debug.must_reset = true;
}

/* Breakpoints go; the guest is released at a rendezvous. */
static void op_closed(void *ctx, bool takes_power)
{
	struct machine *machine = ctx;
	struct machine_debug *d = &machine->debug;

	d->count = 0;
	d->ports.count = d->msrs.count = 0;
	d->exceptions = 0;
	memset(d->interrupts, 0, sizeof(d->interrupts));
	d->catches_reset = false;
	d->must_power_off |= takes_power;
	rendezvous_wish(&machine->rendezvous, RENDEZVOUS_DEBUG);
}

static const struct gdb_ops ops = {
	.state = op_state,
	.xstate = op_xstate,
	.memory = op_memory,
	.resume = op_resume,
	.interrupt = op_interrupt,
	.breakpoint = op_breakpoint,
	.catch_event = op_catch,
	.reset = op_reset,
	.closed = op_closed,
};

/* ---- While it is stopped ------------------------------------------------- */

/* Will be met again: the instruction has not been executed. */
static bool comes_again(const struct gdb_stop *stop)
{
	return stop->kind == GDB_STOP_STEP ||
	       (stop->kind == GDB_STOP_BREAKPOINT &&
		stop->breakpoint < GDB_WATCH_WRITE);
}

/* The first that was hit; what others met comes again, or is told next. */
static bool find_hit(struct machine *machine, struct gdb_stop *stop)
{
	bool is_found = false;

	for (unsigned i = 0; i < machine->config->vcpu_count; i++) {
		struct debug_vcpu *debug = &machine->vcpu[i]->debug;

		if (!debug->is_hit || (is_found && !comes_again(&debug->met)))
			continue;
		debug->is_hit = false;
		if (!is_found)
			*stop = debug->met;
		is_found = true;
	}
	return is_found;
}

static bool find_stop(struct machine *machine, struct machine_vcpu *vcpu,
		      struct gdb_stop *stop)
{
	struct machine_debug *d = &machine->debug;

	if (d->has_reset && d->catches_reset) {
		*stop = (struct gdb_stop){ .kind = GDB_STOP_CATCH,
					   .caught = GDB_CATCH_RESET };
		d->has_reset = false;
		return true;
	}
	d->has_reset = false;
	if (find_hit(machine, stop))
		return true;
	if (!__atomic_exchange_n(&d->is_wanted, false, __ATOMIC_SEQ_CST))
		return false;
	*stop = (struct gdb_stop){ .kind = GDB_STOP_INTERRUPT,
				   .vcpu = vcpu->id };
	return true;
}

static bool is_waiting(const struct gdb *gdb)
{
	return gdb->state == GDB_OPENING || gdb->state == GDB_RUNNING;
}

static bool is_stopped(const struct gdb *gdb)
{
	return gdb->state == GDB_STOPPED || gdb->state == GDB_HELD;
}

static void tell(struct machine *machine, const struct gdb_stop *stop)
{
	struct machine_vcpu *vcpu = machine->vcpu[stop->vcpu];

	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		machine->vcpu[i]->debug.has_told = false;
	vcpu->debug.told = gdb_pc(op_state(machine, stop->vcpu));
	vcpu->debug.has_told = true;
	gdb_stopped(&machine->debug.gdb, stop);
}

/*
 * All that a debugger can want done without the lock.  True: what it took to do
 * it may have waited, and have been woken by what the caller wants to wait for.
 */
static bool do_wanted(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct machine_debug *d = &machine->debug;

	if (d->must_power_off) {
		gate_log(GATE_LOG_INFO, "power off: a debugger wants it");
		machine_host_ops.power_off(machine);
	}
	if (!d->must_reset)
		return false;
	d->must_reset = false;
	machine_reset(vcpu);
	return true;
}

void machine_debug_serve(struct machine_vcpu *vcpu)
{
	if (vcpu->machine->debug.serve)
		(void)vcpu->machine->debug.serve(vcpu);
}

static void serve_stopped(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct machine_debug *d = &machine->debug;

	while (is_stopped(&d->gdb)) {
		bool again = d->serve && d->serve(vcpu);

		again |= do_wanted(vcpu);
		if (!is_stopped(&d->gdb))
			return;
		if (again)
			gate_yield();
		else
			(void)gate_wait();
	}
}

/*
 * A stop is told for each vCPU that was hit; one after the other, if several
 * were.  Ends with the vCPUs released as the debugger wants them, or all of
 * them when there is none.
 */
void machine_debug_hold(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct machine_debug *d = &machine->debug;
	struct gdb_stop stop;

	for (;;) {
		serve_stopped(vcpu);
		if (!is_waiting(&d->gdb) || !find_stop(machine, vcpu, &stop))
			break;
		tell(machine, &stop);
	}
	(void)do_wanted(vcpu);
	if (d->gdb.state == GDB_CLOSED)
		release_all(machine, UINT32_MAX, 0);
	else if (d->must_resume)
		release_all(machine, d->resume, d->step);
	d->must_resume = false;
}

void machine_debug_was_reset(struct machine *machine)
{
	struct machine_debug *d = &machine->debug;

	if (d->gdb.state == GDB_CLOSED)
		return;
	/* Each is in its new state before anybody looks at it. */
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		if (i + 1 != machine->rendezvous.owner)
			rendezvous_call(&machine->rendezvous, i,
					RENDEZVOUS_CALL_RESET);
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		machine->vcpu[i]->debug = (struct debug_vcpu){
			.is_emulated = machine->vcpu[i]->debug.is_emulated,
		};
	d->has_reset = true;
	if (d->catches_reset && d->gdb.state == GDB_RUNNING)
		rendezvous_wish(&machine->rendezvous, RENDEZVOUS_DEBUG);
}

/* ---- The debugger -------------------------------------------------------- */

void machine_debug_init(struct machine *machine)
{
	struct machine_debug *d = &machine->debug;

	d->ops = machine_emul_ops;
	d->ops.msr_read = op_msr_read;
	d->ops.msr_write = op_msr_write;
	gdb_init(&d->gdb, &ops, machine, machine->config->vcpu_count);
}

void machine_debug_input(struct machine *machine, const void *data, size_t size)
{
	struct machine_debug *d = &machine->debug;

	/* One that has detached may still say something. */
	if (!d->is_open) {
		d->is_open = true;
		gdb_open(&d->gdb);
	}
	gdb_input(&d->gdb, data, size);
}

size_t machine_debug_output(struct machine *machine, void *data, size_t size)
{
	return gdb_output(&machine->debug.gdb, data, size);
}

void machine_debug_close(struct machine *machine)
{
	machine->debug.is_open = false;
	gdb_close(&machine->debug.gdb);
}
