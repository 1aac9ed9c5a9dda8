/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring-3 program: one instance per VM, one thread per vCPU.  vCPU 0
 * builds the board; then each thread resumes its guest and deals with what
 * comes back, for ever.
 */
#include "machine/machine.h"

#include "include/errno.h"
#include "include/x86_msr.h"
#include "lib/user/gate_calls.h"
#include "machine/cpuid_table.h"

/* The program's one object; nothing below machine/ knows of it. */
static struct machine the_machine;

void program_main(unsigned vcpu);

void machine_unlock_extint(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	bool must_tell = false;

	if (extint_is_unchanged(&machine->extint))
		machine->extint.is_withdrawn = false;
	else
		must_tell = extint_offer(&machine->extint, vcpu->id == 0);
	if (machine->is_shared)
		machine_lock_give(&machine->lock);
	if (must_tell)
		gate_intr();
}

/* ---- Exits ------------------------------------------------------------- */

/* Events, or something that the 8259 pair has to hear of. */
static void exit_none(struct machine_vcpu *vcpu)
{
	struct extint *extint = &vcpu->machine->extint;

	if (unlikely(vcpu->machine->kvm))
		machine_kvm_arrive(vcpu);
	if (vcpu->id || !extint->pic || likely(!extint_is_behind(extint)))
		return;
	machine_lock(vcpu);
	extint_withdraw(extint);
	machine_unlock(vcpu);
}

static inline void merge_in(uint64_t *rax, unsigned size, uint64_t data)
{
	if (likely(size == 1))
		*(uint8_t *)rax = (uint8_t)data;
	else if (size == 2)
		*(uint16_t *)rax = (uint16_t)data;
	else
		*rax = (uint32_t)data;
}

static void exit_io(struct machine_vcpu *vcpu)
{
	static const uint32_t mask[] = { 0, 0xff, 0xffff, 0, 0xffffffff };
	struct gate_page *page = vcpu->page;
	unsigned access = page->io.access;
	unsigned size = FIELD_GET(GATE_IO_SIZE, access);
	uint64_t *rax = &page->state.gpr[X86_RAX];
	struct io_access io = {
		.offset = page->io.port,
		.size = (uint8_t)size,
		.is_write = !(access & GATE_IO_IN),
		.data = *rax & mask[size],
	};

	machine_port(vcpu, &io);
	if (!io.is_write)
		merge_in(rax, size, io.data);
	if (unlikely(vcpu->emul.may_break))
		machine_port_breakpoint(vcpu);
}

/*
 * Another vCPU may have changed the instruction, or its page, since it was
 * fetched: then it had no prefixes, as nearly all have none, or what is there
 * now is run.
 */
static void exit_length(struct machine_vcpu *vcpu)
{
	enum emul_expect what = vcpu->page->length.expect;
	int length = emul_insn_length(&vcpu->emul, what);

	if (unlikely(length < 0))
		length = (int)emul_expect_length(what);
	vcpu->page->state.rip += (unsigned)length;
}

static void exit_eoi(struct machine_vcpu *vcpu)
{
	const struct board *board = vcpu->machine->board;
	uint8_t vector = (uint8_t)vcpu->page->eoi.vector;

	machine_lock(vcpu);
	if (vector == GATE_EOI_CHANGED &&
	    !gate_call(GATE_MSR_READ, MSR_APIC_BASE, 0, 0))
		apic_page_set(vcpu, vcpu->page->msr_value);
	board->ops->ioapic_eoi(board->object, vector);
	machine_unlock(vcpu);
}

/* The guest does it again where memory was absent. */
static void exit_absent(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	const struct board *board = machine->board;
	gpa_t gpa = ALIGN_DOWN(vcpu->page->mmio.gpa, PAGE_2M);
	bool is_there;

	machine_lock(vcpu);
	is_there = machine_memory_show(
		&machine->memory, gpa,
		board->ops->ram_at(board->object, gpa, PAGE_2M, true));
	machine_unlock(vcpu);
	if (!is_there)
		__atomic_load_n(&machine->mmio, __ATOMIC_ACQUIRE)(vcpu);
}

static void exit_shutdown(struct machine_vcpu *vcpu)
{
	machine_reset_want(vcpu->machine);
}

static void boot_state(struct machine_vcpu *vcpu);

/* Another vCPU has reset the machine. */
static void exit_reset(struct machine_vcpu *vcpu)
{
	if (vcpu->id == 0)
		boot_state(vcpu);
}

/* clang-format off */
static const machine_exit_fn exit_handlers[GATE_EXIT_COUNT] = {
	[GATE_EXIT_NONE]      = exit_none,
	[GATE_EXIT_IO]        = exit_io,
	[GATE_EXIT_IO_STRING] = machine_emulate,
	[GATE_EXIT_MMIO]      = machine_emulate_mmio,
	[GATE_EXIT_LENGTH]    = exit_length,
	[GATE_EXIT_EMULATE]   = machine_emulate,
	[GATE_EXIT_SHADOWED]  = machine_emulate,
	[GATE_EXIT_EMULATE_RUN] = machine_emulate_run,
	[GATE_EXIT_EOI]       = exit_eoi,
	[GATE_EXIT_SHUTDOWN]  = exit_shutdown,
	[GATE_EXIT_RESET]     = exit_reset,
};
/* clang-format on */

static void vsocks_init(struct machine *machine)
{
	const struct machine_vsock_config *config = &machine->config->vsock;

	vsock_ways_init(&machine->vsock, VSOCK_CLIENT_SLOT, config->cid);
	for (unsigned i = 0; i < config->peer_count; i++)
		vsock_ways_add(&machine->vsock, config->peer[i].cid,
			       config->peer[i].end);
}

static void vsock_events(struct machine *machine, uint64_t events)
{
	for (unsigned i = 0; i < machine->vsock.backend.peer_count; i++)
		if (events & BIT(GATE_EVENT_CHANNEL_BIT(VSOCK_CLIENT_SLOT + i)))
			vsock_ways_event(&machine->vsock, i);
}

static __noinline void take_events(struct machine_vcpu *vcpu, uint64_t events)
{
	struct machine *machine = vcpu->machine;
	const struct board *board = machine->board;

	machine_lock(vcpu);
	if (events & BIT(GATE_EVENT_TIMER_BIT))
		clock_run(&machine->clock);
	if (events & BIT(GATE_EVENT_CHANNEL_BIT(SEAT_CONSOLE_SLOT))) {
		machine_console_open(&machine->console);
		board->ops->console_input(board->object);
		machine_face_event(machine);
	}
	if (events & BIT(GATE_EVENT_CHANNEL_BIT(DISK_CLIENT_SLOT)))
		disk_service_event(&machine->disk_service);
	for (unsigned i = 0; i < machine->config->nic_count; i++)
		if (events &
		    BIT(GATE_EVENT_CHANNEL_BIT(SWITCH_CLIENT_SLOT + i)))
			net_cable_event(&machine->cable[i]);
	vsock_events(machine, events);
	machine_unlock(vcpu);
}

static enum board_sleep sleep_of(const struct machine *machine)
{
	const struct board *board = machine->board;

	return board->ops->sleep ? board->ops->sleep(board->object)
				 : BOARD_AWAKE;
}

/* vCPU 0, as power-on or firmware's absence has it; its APs wait for SIPI. */
static void boot_state(struct machine_vcpu *vcpu)
{
	const struct board *board = vcpu->machine->board;
	int error;

	machine_lock(vcpu);
	if (sleep_of(vcpu->machine) != BOARD_AWAKE) {
		/* As in HLT, with interrupts off: a reset ends it. */
		vcpu->page->halt = true;
		machine_unlock(vcpu);
		return;
	}
	gate_state_load(X86_GROUP_SEGMENTS | X86_GROUP_CONTROL |
			X86_GROUP_TABLES);
	error = board->ops->boot_state(board->object, &vcpu->page->state);
	machine_unlock(vcpu);
	if (error) {
		gate_log(GATE_LOG_ERROR, "the guest cannot be started: %d",
			 error);
		gate_exit(MACHINE_EXIT_ERROR);
	}
}

/* ---- Stops --------------------------------------------------------------- */

/* A device may not write into RAM that the guest has anew. */
static void disks_drain(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (disk_service_drain(&machine->disk_service, vcpu->id))
		return;
	gate_log(GATE_LOG_ERROR,
		 "reset: the service disk does not end a request");
	gate_exit(MACHINE_EXIT_ERROR);
}

/* What a power cut leaves of a machine is what it has written to disks, flash
 * memory and the battery's CMOS. */
static void power_on(struct machine *machine)
{
	const struct machine_config *config = machine->config;

	machine_memory_clear(&machine->memory);
	__builtin_memset((void *)(GATE_WINDOW_VA + config->ram_size), 0,
			 config->vram_size);
	fault_power_on(&machine->fault);
}

/* All devices and vCPUs as after power-on; RAM keeps what it holds. */
void machine_reset(struct machine_vcpu *vcpu)
{
	const struct board *board = vcpu->machine->board;
	bool is_sleep;

	machine_lock(vcpu);
	is_sleep = sleep_of(vcpu->machine) == BOARD_CHANGES;
	gate_reset();
	apic_page_reset(vcpu->machine);
	machine_hyperv_reset(vcpu->machine);
	board->ops->reset(board->object);
	disks_drain(vcpu);
	if (unlikely(fault_is_off(&vcpu->machine->fault))) {
		power_on(vcpu->machine);
	} else if (!is_sleep &&
		   vcpu->machine->config->devices & MACHINE_DEVICE_NO_REBOOT) {
		gate_log(GATE_LOG_INFO, "reset, and no-reboot ends it");
		gate_exit(MACHINE_EXIT_POWER_OFF);
	}
	face_was_reset(&vcpu->machine->face);
	machine_unlock(vcpu);
	if (vcpu->id == 0)
		boot_state(vcpu);
	machine_debug_was_reset(vcpu->machine);
}

/* The emulators may hold what the map was; nobody uses one now. */
static void remap(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	const struct board *board = machine->board;

	machine_lock(vcpu);
	board->ops->remap(board->object);
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		apic_page_remap(machine->vcpu[i]);
	machine_unlock(vcpu);
}

bool machine_fulfil_wishes(struct machine_vcpu *vcpu)
{
	struct rendezvous *rendezvous = &vcpu->machine->rendezvous;
	uint32_t wishes = rendezvous_take_wishes(rendezvous);

	if (!wishes)
		return false;
	if (wishes & RENDEZVOUS_RESET) {
		machine_reset(vcpu);
		wishes |= rendezvous_take_wishes(rendezvous);
	}
	if (wishes & RENDEZVOUS_REMAP)
		remap(vcpu);
	if (wishes & RENDEZVOUS_REST)
		machine_rest(vcpu);
	if (wishes & RENDEZVOUS_DEBUG)
		machine_debug_stand(vcpu);
	return true;
}

/*
 * Any vCPU may do it, and one does it once: others that want the same are at
 * their stops meanwhile, and find it done.
 */
static void fulfil_wishes(struct machine_vcpu *vcpu)
{
	struct rendezvous *rendezvous = &vcpu->machine->rendezvous;

	rendezvous_begin(rendezvous, vcpu->id);
	machine_fulfil_wishes(vcpu);
	machine_stand(vcpu);
	rendezvous_end(rendezvous);
}

/* For the owner of a rendezvous, on the thread that it needs. */
static void answer(struct rendezvous *rendezvous, unsigned thread,
		   enum rendezvous_call call)
{
	struct machine *machine =
		container_of(rendezvous, struct machine, rendezvous);
	struct machine_vcpu *vcpu = machine->vcpu[thread];

	if (call == RENDEZVOUS_CALL_STATE) {
		gate_state_load(DEBUG_GROUPS);
		return;
	}
	gate_resume(); /* it is GATE_EXIT_RESET, at once */
	machine->exit[vcpu->page->exit](vcpu);
	vcpu->late_events |= vcpu->page->events;
}

static void stop_once(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	rendezvous_stop(&machine->rendezvous, vcpu->id);
	if (rendezvous_is_wanted(&machine->rendezvous))
		fulfil_wishes(vcpu);
	if (unlikely(vcpu->late_events)) {
		take_events(vcpu, vcpu->late_events);
		vcpu->late_events = 0;
	}
}

/* A debugger may keep a vCPU while others run; its thread has events still. */
static __noinline void stop(struct machine_vcpu *vcpu)
{
	machine_stopped_begin(vcpu);
	stop_once(vcpu);
	while (machine_debug_holds(vcpu)) {
		gate_wait();
		machine_debug_serve(vcpu);
		stop_once(vcpu);
	}
	machine_stopped_end(vcpu);
}

static __noreturn void vcpu_loop(struct machine_vcpu *vcpu)
{
	const struct machine *machine = vcpu->machine;
	const struct gate_page *page = vcpu->page;

	for (;;) {
		while (unlikely(rendezvous_is_wanted(&machine->rendezvous)))
			stop(vcpu);
		gate_resume();
		machine->exit[page->exit](vcpu);
		if (unlikely(page->events))
			take_events(vcpu, page->events);
	}
}

/* ---- Start ------------------------------------------------------------- */

static void vcpu_init(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	const struct board *board = machine->board;
	struct emul *emul = &vcpu->emul;

	vcpu->page = gate_page(vcpu->id);
	vcpu->page->takes_hypercalls = machine->hyperv || machine->kvm;
	emul_init(emul, &vcpu->page->state, &machine_emul_ops, vcpu);
	emul->xstate = &vcpu->page->xstate;
	emul->breaks_at_code = false;
	emul->features = machine->features;
	emul->physical_bits = (uint8_t)machine->gate->physical_bits;
	board->ops->emulator_windows(board->object, emul->window);
	vcpu->apic_gpa = APIC_PAGE_GPA;
	__atomic_store_n(&machine->vcpu[vcpu->id], vcpu, __ATOMIC_RELEASE);
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

/* Above what may go wrong. */
static void delays_init(struct machine *machine)
{
	const struct machine_config *config = machine->config;

	for (unsigned i = 0; i < config->disk_count; i++)
		if (config->disk[i].delay_us)
			machine->disks[i] = disk_delay_init(
				&machine->delay[i], machine->disks[i],
				&machine->clock, config->disk[i].delay_us);
}

static void board_init(struct machine *machine)
{
	const struct machine_config *config = machine->config;
	int error = -ENODEV;

	machine->board_config = (struct board_config){
		.machine = config,
		.physical_bits = machine->gate->physical_bits,
		.window = (uint8_t *)GATE_WINDOW_VA,
		.disks = machine->disks,
		.media = machine->media,
		.nics = machine->nics,
		.vsock = machine_has_vsock(machine) ? &machine->vsock.backend
						    : NULL,
		.devices = machine->cpu_devices,
		.device_count = machine->cpu_device_count,
		.clock = &machine->clock,
		.extint = &machine->extint,
		.extint_page = gate_page(0),
		.fault = machine_fault_init(machine) ? &machine->fault : NULL,
		.ops = &machine_host_ops,
		.ctx = machine,
	};
	delays_init(machine);
	machine->board = board_find(config->board);
	if (machine->board)
		error = machine->board->ops->init(machine->board->object,
						  &machine->board_config);
	if (error) {
		gate_log(GATE_LOG_ERROR, "board %u cannot be built: %d",
			 config->board, error);
		gate_exit(MACHINE_EXIT_ERROR);
	}
}

static struct cpuid_regs cpuid_facts(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return gate_cpuid_facts(leaf, subleaf);
}

/* Behind the vCPUs' own devices. */
static void interfaces_init(struct machine *machine, struct cpuid_table *table)
{
	struct device **next = &machine->cpu_devices[machine->gate->vcpu_count];

	__builtin_memcpy(machine->apic_id, table->apic_id,
			 sizeof(machine->apic_id));
	if (machine_hyperv_init(machine, table))
		*next++ = &machine->hyperv->device;
	if (machine_kvm_init(machine, table))
		*next++ = &machine->kvm->device;
	machine->cpu_device_count = (unsigned)(next - machine->cpu_devices);
}

/* What the guest is told of its processors, and their MSRs. */
static void processors_init(struct machine *machine)
{
	static struct cpuid_table table;
	const struct gate_config *gate = machine->gate;
	const struct cpuid_config config = {
		.facts = cpuid_facts,
		.vcpus = gate->vcpu_count,
		.cores = MAX(machine->config->cores, 1U),
		.threads = MAX(machine->config->threads, 1U),
		.tsc_hz = gate->tsc_hz,
		.apic_timer_hz = gate->apic_timer_hz,
		.quirks = machine->config->cpu,
	};
	long error = cpuid_table_build(&table, &config);

	if (!error) {
		machine->features = cpuid_emulator_features(&table, &config);
		interfaces_init(machine, &table);
		error = gate_cpuid_set(&table);
	}
	if (error) {
		gate_log(GATE_LOG_ERROR, "no CPUID table: %ld", error);
		gate_exit(MACHINE_EXIT_ERROR);
	}
	for (unsigned i = 0; i < gate->vcpu_count; i++) {
		cpu_msrs_init(&machine->msrs[i], cpuid_is_amd(&table),
			      (uint8_t)gate->physical_bits);
		machine->cpu_devices[i] = &machine->msrs[i].device;
	}
}

static void media_init(struct machine *machine)
{
	const struct machine_config *config = machine->config;

	for (unsigned i = 0; i < config->medium_count; i++) {
		const struct machine_disk_config disk = {
			.va = config->medium[i].va,
			.sector_count = config->medium[i].sector_count,
			.is_read_only = config->medium[i].is_read_only,
		};

		machine_disk_init(&machine->medium[i], &disk);
		machine->media[i] = &machine->medium[i].backend;
	}
}

static void disks_init(struct machine *machine)
{
	const struct machine_config *config = machine->config;
	const struct disk_service_config service = {
		.channel = gate_channel(DISK_CLIENT_SLOT),
		.window = (uint8_t *)GATE_WINDOW_VA,
		.window_size = config->ram_size,
		.clock = &machine->clock,
		.hello = __builtin_ia32_rdtsc() | 1,
	};

	for (unsigned i = 0; i < config->disk_count; i++) {
		const struct machine_disk_config *disk = &config->disk[i];

		if (disk->va || disk->bus == MACHINE_DISK_FLOPPY) {
			machine_disk_init(&machine->disk[i], disk);
			machine->disks[i] = &machine->disk[i].backend;
			continue;
		}
		if (!machine->disk_service.count)
			disk_service_init(&machine->disk_service, &service);
		machine->disks[i] =
			disk_service_add(&machine->disk_service, disk);
	}
	if (disk_service_open(&machine->disk_service))
		gate_exit(MACHINE_EXIT_ERROR);
}

static void cables_init(struct machine *machine)
{
	for (unsigned i = 0; i < machine->config->nic_count; i++) {
		net_cable_init(&machine->cable[i], SWITCH_CLIENT_SLOT + i,
			       &machine->config->nic[i]);
		machine->nics[i] = &machine->cable[i].backend;
	}
	if (machine_has_vsock(machine))
		vsocks_init(machine);
}

static void machine_init(struct machine *machine)
{
	const struct machine_config *config = gate_argument();

	machine->gate = gate_config();
	machine->config = config;
	versions_check(machine->gate, config);
	__builtin_memcpy(machine->exit, exit_handlers, sizeof(exit_handlers));
	__builtin_memcpy(machine->handler, exit_handlers,
			 sizeof(exit_handlers));
	machine->mmio = machine_emulate_mmio;
	if (machine_memory_init(&machine->memory, config,
				(uint8_t *)GATE_WINDOW_VA))
		machine->exit[GATE_EXIT_MMIO] =
			machine->handler[GATE_EXIT_MMIO] = exit_absent;
	machine_entropy_init(&machine->entropy);
	machine->is_shared = config->vcpu_count > 1;
	machine->rendezvous.count = config->vcpu_count;
	machine->rendezvous.answer = answer;
	machine_debug_init(machine);
	machine_clock_init(machine);
	disks_init(machine);
	media_init(machine);
	cables_init(machine);
	machine_console_open(&machine->console);
	processors_init(machine);
	board_init(machine);
	machine_throttle_init(machine);
	apic_page_reset(machine);
	/* Both ask to be told of what seat says. */
	machine->board->ops->console_input(machine->board->object);
	machine_face_init(machine);
	machine_face_event(machine);
	for (unsigned i = 0; i < config->nic_count; i++)
		net_cable_event(&machine->cable[i]);
	vsock_events(machine, UINT64_MAX);
}

static void wait_ready(const struct machine *machine)
{
	while (!__atomic_load_n(&machine->is_ready, __ATOMIC_SEQ_CST))
		gate_wait();
}

static void tell_ready(struct machine *machine)
{
	__atomic_store_n(&machine->is_ready, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 1; i < machine->config->vcpu_count; i++)
		(void)gate_wake(i);
}

void program_main(unsigned id)
{
	struct machine_vcpu vcpu = { .machine = &the_machine, .id = id };

	if (id == 0)
		machine_init(vcpu.machine);
	else
		wait_ready(vcpu.machine);
	vcpu_init(&vcpu);
	if (id == 0) {
		boot_state(&vcpu);
		tell_ready(vcpu.machine);
	}
	vcpu_loop(&vcpu);
}
