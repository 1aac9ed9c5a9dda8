/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring-3 program: one instance per VM, one thread per vCPU.  vCPU 0
 * builds the board; then each thread resumes its guest and deals with what
 * comes back, for ever.
 */
#include "machine/machine.h"

#include "lib/printf.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"

/* The program's one object; nothing below machine/ knows of it. */
static struct machine the_machine;

void program_main(unsigned vcpu);

/* ---- The lock ---------------------------------------------------------- */

static bool is_stale(const struct machine_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->machine->epoch, __ATOMIC_ACQUIRE) !=
	       vcpu->epoch;
}

static __noinline __noreturn void give_up(struct machine_vcpu *vcpu)
{
	__builtin_longjmp(vcpu->restart, 1);
}

/* Whoever resets meanwhile need not wait for it: it does nothing until then. */
static __noinline void lock_wait(struct machine_vcpu *vcpu, uint32_t ticket)
{
	const struct machine *machine = vcpu->machine;

	__atomic_store_n(&vcpu->is_waiting, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&machine->lock_serving, __ATOMIC_ACQUIRE) !=
	       ticket)
		gate_yield();
	__atomic_store_n(&vcpu->is_waiting, 0, __ATOMIC_RELEASE);
}

void machine_lock_shared(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	uint32_t ticket =
		__atomic_fetch_add(&machine->lock_next, 1, __ATOMIC_ACQUIRE);

	if (unlikely(__atomic_load_n(&machine->lock_serving,
				     __ATOMIC_ACQUIRE) != ticket))
		lock_wait(vcpu, ticket);
	if (unlikely(is_stale(vcpu))) {
		machine_unlock(machine);
		give_up(vcpu);
	}
}

/* ---- What the board wants of the monitor ------------------------------- */

static void op_set_intr(void *ctx, bool level)
{
	(void)ctx;
	gate_line(GATE_LINE_INTR, level);
}

static void op_send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	gate_msi(address, data);
}

static void op_map(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		   enum gate_map kind)
{
	long error = gate_map(gpa, length, offset, kind);

	(void)ctx;
	if (error)
		gate_log(GATE_LOG_ERROR, "cannot map %lx, %lx bytes: %ld", gpa,
			 length, error);
}

static void op_reset(void *ctx)
{
	struct machine *machine = ctx;

	machine->is_reset_wanted = true;
}

static void op_power_off(void *ctx)
{
	machine_report_runs(ctx);
	gate_exit(MACHINE_EXIT_POWER_OFF);
}

static void op_debug_exit(void *ctx, uint32_t code)
{
	machine_report_runs(ctx);
	gate_exit(MACHINE_EXIT_DEBUG(code));
}

static void write_all(enum gate_stream stream, const uint8_t *data,
		      size_t length)
{
	while (length) {
		long n = gate_console_write(stream, data, length);

		if (n <= 0)
			return;
		data += n;
		length -= (size_t)n;
	}
}

static void op_serial(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	write_all(GATE_STREAM_SERIAL, data, length);
}

static size_t op_serial_read(void *ctx, void *data, size_t size)
{
	long count = gate_console_read(data, size);

	(void)ctx;
	return count > 0 ? (size_t)count : 0;
}

/* Board "test-crash": what a bug in a device model would do, mid-exit. */
static void crash_on_purpose(void)
{
	volatile uint32_t *volatile nowhere = NULL;

	*nowhere = 0; /* cppcheck-suppress nullPointer */
}

static void op_debug(void *ctx, const void *data, size_t length)
{
	const struct machine *machine = ctx;

	if (machine->config->board == MACHINE_BOARD_TEST_CRASH)
		crash_on_purpose();
	if (machine->config->devices & MACHINE_DEVICE_DEBUG_CONSOLE)
		write_all(GATE_STREAM_DEBUG, data, length);
}

static void op_log(void *ctx, enum device_log_level level, const char *text)
{
	static const uint8_t gate_level[] = {
		[DEVICE_LOG_WARN] = GATE_LOG_WARNING,
		[DEVICE_LOG_INFO] = GATE_LOG_INFO,
		[DEVICE_LOG_DEBUG] = GATE_LOG_DEBUG,
	};

	(void)ctx;
	gate_log(gate_level[level], "%s", text);
}

static uint64_t clock_now_ns(void *ctx)
{
	(void)ctx;
	return gate_now_ns();
}

static void clock_deadline_changed(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	gate_timer(deadline_ns);
}

/* ---- Exits ------------------------------------------------------------- */

static void exit_none(struct machine_vcpu *vcpu)
{
	(void)vcpu;
}

static void merge_in(uint64_t *rax, unsigned size, uint64_t data)
{
	if (size == 4)
		*rax = (uint32_t)data;
	else if (size == 2)
		*rax = (*rax & ~0xffffULL) | (uint16_t)data;
	else
		*rax = (*rax & ~0xffULL) | (uint8_t)data;
}

static void exit_io(struct machine_vcpu *vcpu)
{
	static const uint32_t mask[] = { 0, 0xff, 0xffff, 0, 0xffffffff };
	struct gate_page *page = vcpu->page;
	uint64_t *rax = &page->state.gpr[X86_RAX];
	struct io_access io = {
		.offset = page->io.port,
		.size = page->io.size,
		.is_write = !page->io.is_in,
		.data = *rax & mask[page->io.size],
	};

	machine_lock(vcpu);
	pc_port_access(&vcpu->machine->pc, &io);
	machine_unlock(vcpu->machine);
	if (!io.is_write)
		merge_in(rax, io.size, io.data);
}

static void exit_length(struct machine_vcpu *vcpu)
{
	int length = emul_insn_length(&vcpu->emul, vcpu->page->length.expect);

	if (likely(length > 0)) {
		vcpu->page->state.rip += (unsigned)length;
		return;
	}
	gate_log(GATE_LOG_ERROR,
		 "instruction at RIP %lx is not the one that exited (%u)",
		 vcpu->page->state.rip, vcpu->page->length.expect);
	gate_exit(MACHINE_EXIT_ERROR);
}

static void exit_intack(struct machine_vcpu *vcpu)
{
	machine_lock(vcpu);
	vcpu->page->ack_vector = pc_intack(&vcpu->machine->pc);
	machine_unlock(vcpu->machine);
}

static void exit_eoi(struct machine_vcpu *vcpu)
{
	machine_lock(vcpu);
	pc_ioapic_eoi(&vcpu->machine->pc, (uint8_t)vcpu->page->eoi.vector);
	machine_unlock(vcpu->machine);
}

static void exit_shutdown(struct machine_vcpu *vcpu)
{
	machine_lock(vcpu);
	vcpu->machine->is_reset_wanted = true;
	machine_unlock(vcpu->machine);
}

static void boot_state(struct machine_vcpu *vcpu);

static void exit_reset(struct machine_vcpu *vcpu)
{
	uint32_t epoch =
		__atomic_load_n(&vcpu->machine->epoch, __ATOMIC_ACQUIRE);

	__atomic_store_n(&vcpu->epoch, epoch, __ATOMIC_RELEASE);
	vcpu->page->events |= vcpu->events;
	vcpu->events = 0;
	if (vcpu->id == 0)
		boot_state(vcpu);
}

typedef void (*exit_fn)(struct machine_vcpu *vcpu);

/* clang-format off */
static const exit_fn exit_handlers[GATE_EXIT_COUNT] = {
	[GATE_EXIT_NONE]      = exit_none,
	[GATE_EXIT_IO]        = exit_io,
	[GATE_EXIT_IO_STRING] = machine_emulate,
	[GATE_EXIT_MMIO]      = machine_emulate,
	[GATE_EXIT_LENGTH]    = exit_length,
	[GATE_EXIT_CR]        = machine_emulate,
	[GATE_EXIT_EMULATE]   = machine_emulate,
	[GATE_EXIT_SHADOWED]  = machine_emulate,
	[GATE_EXIT_EMULATE_RUN] = machine_emulate_run,
	[GATE_EXIT_INTACK]    = exit_intack,
	[GATE_EXIT_EOI]       = exit_eoi,
	[GATE_EXIT_SHUTDOWN]  = exit_shutdown,
	[GATE_EXIT_RESET]     = exit_reset,
};
/* clang-format on */

static __noinline void take_events(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	uint64_t events = vcpu->page->events;

	machine_lock(vcpu);
	if (events & BIT(GATE_EVENT_TIMER_BIT))
		clock_run(&machine->clock);
	if (events & BIT(GATE_EVENT_CONSOLE_BIT))
		pc_console_input(&machine->pc);
	machine_unlock(machine);
}

/*
 * Whether the vCPU may still write to RAM for an older epoch.  If it waits for
 * the lock it will give its work up as soon as it has it.
 */
static bool is_behind(const struct machine *machine,
		      const struct machine_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->epoch, __ATOMIC_ACQUIRE) !=
		       machine->epoch &&
	       !__atomic_load_n(&vcpu->is_waiting, __ATOMIC_ACQUIRE);
}

static void others_await(const struct machine_vcpu *self)
{
	const struct machine *machine = self->machine;

	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		while (&machine->vcpu[i] != self &&
		       is_behind(machine, &machine->vcpu[i]))
			gate_yield();
}

/* vCPU 0, as power-on or firmware's absence has it; its APs wait for SIPI. */
static void boot_state(struct machine_vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;
	int error;

	machine_lock(vcpu);
	others_await(vcpu);
	gate_state_load(X86_GROUP_SEGMENTS | X86_GROUP_CONTROL |
			X86_GROUP_TABLES);
	error = pc_boot(&vcpu->machine->pc, &page->state);
	machine_unlock(vcpu->machine);
	if (error) {
		gate_log(GATE_LOG_ERROR, "the guest cannot be started: %d",
			 error);
		gate_exit(MACHINE_EXIT_ERROR);
	}
}

/*
 * All devices and vCPUs as after power-on; RAM keeps what it holds.  Any vCPU
 * may do it, and does it once: work of another that waits for the lock with the
 * same in mind is of an older epoch then.  What vCPU 0 starts with is vCPU 0's
 * business.
 */
static __noinline void reset(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	machine_lock(vcpu);
	machine->is_reset_wanted = false;
	vcpu->epoch++;
	__atomic_store_n(&machine->epoch, vcpu->epoch, __ATOMIC_SEQ_CST);
	gate_reset();
	pc_reset(&machine->pc);
	machine_unlock(machine);
	if (vcpu->id == 0)
		boot_state(vcpu);
}

static __noinline __noreturn void exits_handle(struct machine_vcpu *vcpu)
{
	const struct machine *machine = vcpu->machine;
	const struct gate_page *page = vcpu->page;

	for (;;) {
		gate_resume();
		exit_handlers[page->exit](vcpu);
		if (unlikely(page->events))
			take_events(vcpu);
		if (unlikely(machine->is_reset_wanted))
			reset(vcpu);
	}
}

static __noreturn void vcpu_loop(struct machine_vcpu *vcpu)
{
	/* After give_up(): the next GATE_RESUME returns GATE_EXIT_RESET. */
	if (__builtin_setjmp(vcpu->restart))
		vcpu->events |= vcpu->page->events;
	exits_handle(vcpu);
}

/* ---- Start ------------------------------------------------------------- */

static void machine_vcpu_init(struct machine *machine, unsigned id)
{
	struct machine_vcpu *vcpu = &machine->vcpu[id];
	struct emul *emul = &vcpu->emul;

	vcpu->machine = machine;
	vcpu->id = id;
	vcpu->page = gate_page(id);
	emul_init(emul, &vcpu->page->state, &machine_emul_ops, vcpu);
	emul->xstate = &vcpu->page->xstate;
	emul->features = machine->gate->features;
	emul->physical_bits = (uint8_t)machine->gate->physical_bits;
	pc_emul_windows(&machine->pc, emul->window);
}

static void versions_check(const struct gate_config *gate,
			   const struct machine_config *config)
{
	if (gate->version == GATE_VERSION &&
	    config->version == MACHINE_CONFIG_VERSION)
		return;
	gate_log(GATE_LOG_ERROR,
		 "this machine is for gate %u and configuration %u, it has "
		 "%u and %u",
		 GATE_VERSION, MACHINE_CONFIG_VERSION, gate->version,
		 config->version);
	gate_exit(MACHINE_EXIT_ERROR);
}

static void machine_init(struct machine *machine)
{
	static const struct pc_ops ops = {
		.set_intr = op_set_intr,
		.send_msi = op_send_msi,
		.map = op_map,
		.reset = op_reset,
		.power_off = op_power_off,
		.debug_exit = op_debug_exit,
		.serial_write = op_serial,
		.serial_read = op_serial_read,
		.debug_write = op_debug,
		.log = op_log,
	};
	const struct machine_config *config = gate_argument();
	struct block_backend *disks[MACHINE_DISKS_MAX];
	int error;

	machine->gate = gate_config();
	machine->config = config;
	versions_check(machine->gate, config);
	machine->current = &machine->vcpu[0];
	machine->clock.now_ns = clock_now_ns;
	machine->clock.deadline_changed = clock_deadline_changed;
	machine->clock.ctx = machine;
	machine->clock.epoch_s = machine->gate->epoch_s;
	for (unsigned i = 0; i < config->disk_count; i++) {
		machine_disk_init(&machine->disk[i], &config->disk[i]);
		disks[i] = &machine->disk[i].backend;
	}
	machine->vcpu[0].machine = machine;
	machine->vcpu[0].page = gate_page(0);
	error = pc_init(&machine->pc, config, machine->gate->physical_bits,
			(uint8_t *)GATE_WINDOW_VA, disks, &machine->clock, &ops,
			machine);
	if (error) {
		gate_log(GATE_LOG_ERROR, "the board cannot be built: %d",
			 error);
		gate_exit(MACHINE_EXIT_ERROR);
	}
}

void program_main(unsigned id)
{
	struct machine *machine = &the_machine;

	if (id == 0) {
		machine_init(machine);
		machine_vcpu_init(machine, 0);
		boot_state(&machine->vcpu[0]);
		__atomic_store_n(&machine->is_ready, 1, __ATOMIC_RELEASE);
	} else {
		while (!__atomic_load_n(&machine->is_ready, __ATOMIC_ACQUIRE))
			gate_yield();
		machine_vcpu_init(machine, id);
	}
	vcpu_loop(&machine->vcpu[id]);
}
