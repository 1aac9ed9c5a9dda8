/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's life: made from its manifest node, started, stopped, taken apart.
 */
#include "vm/vm.h"

#include "kernel/host.h"
#include "vm/loader.h"
#include "init/module_check.h"
#include "kernel/cmos.h"
#include "include/boot.h"
#include "include/errno.h"
#include "include/manifest.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/ept.h"
#include "mm/npt.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define VRAM_SIZE MIB(8)
#define ROM_SIZE  MODULE_FIRMWARE_MAX

#define NSEC_MULT_SHIFT 32
/* 146 years: later deadlines than that do not come. */
#define NEVER_NS	BIT(62)
#define KIB_PER_PAGE	4UL

uint64_t vm_deadline_tsc(const struct vm *vm, uint64_t ns)
{
	uint64_t mult = vm->config->tsc_mult;

	if (ns >= NEVER_NS || ns >> NSEC_MULT_SHIFT >= mult)
		return TIMER_NEVER;
	/* The first tick at which vm_now_ns() is not below ns. */
	return vm->tsc_base +
	       div128(ns >> (64 - NSEC_MULT_SHIFT), ns << NSEC_MULT_SHIFT,
		      mult) +
	       1;
}

/* ---- Memory ------------------------------------------------------------ */

static int vm_alloc_memory(struct vm *vm)
{
	struct gate_config *config = vm->config;
	uint64_t size = config->ram_size + config->vram_size + config->rom_size;
	uint32_t count = (uint32_t)(size / PAGE_2M);
	unsigned order = pages_order(count * sizeof(*vm->chunk));

	if (order > PAGES_ORDER_MAX)
		return -E2BIG;
	vm->chunk = pages_alloc_zeroed(vm->vendor.pages, &vm->account, order);
	if (!vm->chunk)
		return -ENOMEM;
	for (; vm->chunk_count < count; vm->chunk_count++) {
		hpa_t hpa =
			map_guest_alloc_2m(&vm->host->map, &vm->ram_account);

		if (!hpa)
			return -ENOMEM;
		vm->chunk[vm->chunk_count] = hpa;
	}
	map_guest_flush(&vm->host->map);
	return 0;
}

static void vm_free_memory(struct vm *vm)
{
	unsigned order = pages_order(vm->chunk_count * sizeof(*vm->chunk));

	for (uint32_t i = 0; i < vm->chunk_count; i++) {
		map_guest_free_2m(&vm->host->map, &vm->ram_account,
				  vm->chunk[i]);
		if (sched_should_yield(this_cpu()))
			sched_yield();
	}
	map_guest_flush(&vm->host->map);
	if (vm->chunk)
		pages_free_virt(vm->vendor.pages, &vm->account, vm->chunk,
				order);
}

/* ---- Parts ------------------------------------------------------------- */

static void vm_timer_expired(void *ctx)
{
	struct vm *vm = ctx;

	__atomic_fetch_or(&vm->events, GATE_EVENT_TIMER, __ATOMIC_SEQ_CST);
	vcpu_notify(vm->vcpu[0], PENDING_EVENT);
}

static void vm_console_input(void *ctx, uint8_t byte)
{
	struct vm *vm = ctx;
	uint64_t flags = spin_lock_irqsave(&vm->input_lock);

	if (vm->input_count < sizeof(vm->input))
		vm->input[vm->input_count++] = byte;
	spin_unlock_irqrestore(&vm->input_lock, flags);
	__atomic_fetch_or(&vm->events, GATE_EVENT_CONSOLE, __ATOMIC_SEQ_CST);
	vcpu_notify(vm->vcpu[0], PENDING_EVENT);
}

static bool vm_console_has_room(void *ctx)
{
	const struct vm *vm = ctx;

	return __atomic_load_n(&vm->input_count, __ATOMIC_RELAXED) <
	       sizeof(vm->input);
}

static struct cpuid_regs host_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return cpuid_read(leaf, subleaf);
}

static int vm_init_policy(struct vm *vm)
{
	const struct cpuid_config config = {
		.host = host_cpuid,
		.vcpus = vm->vcpu_count,
		.tsc_hz = time_tsc_hz(),
		.has_tsc_aux = true,
	};
	int error;

	vm->cpuid = pages_alloc_zeroed(vm->vendor.pages, &vm->account,
				       pages_order(sizeof(*vm->cpuid)));
	if (!vm->cpuid)
		return -ENOMEM;
	error = cpuid_table_build(vm->cpuid, &config);
	if (error)
		return error;
	vm->msr_config.is_amd = cpuid_is_amd(vm->cpuid);
	vm->msr_config.phys_bits = cpuid_phys_bits(vm->cpuid);
	vm->msr_config.efer_valid = cpuid_efer_valid(vm->cpuid);
	vm->vendor.guest_cr4_mask = cpuid_cr4_valid(vm->cpuid);
	vm->vendor.host_cr4_mask = cpuid_cr4_host(&config);
	vm->config->cr4_valid = vm->vendor.guest_cr4_mask;
	vm->config->physical_bits = vm->msr_config.phys_bits;
	vm->config->features = policy_emulator_features(vm->cpuid);
	return 0;
}

static void vm_init_config(struct vm *vm)
{
	const struct guest_manifest *m = vm->manifest;
	struct gate_config *config = vm->config;

	config->version = GATE_VERSION;
	config->board = m->board;
	(void)snprintf(config->name, sizeof(config->name), "%s", m->name);
	(void)snprintf(config->cmdline, sizeof(config->cmdline), "%s",
		       m->cmdline);
	config->vcpu_count = m->vcpus;
	config->apic_timer_hz = APIC_BUS_HZ;
	config->ram_size = MIB(m->memory_mib);
	config->vram_size = VRAM_SIZE;
	config->rom_size = ROM_SIZE;
	config->tsc_hz = time_tsc_hz();
	config->tsc_mult = (NSEC_PER_SEC << NSEC_MULT_SHIFT) / config->tsc_hz;
	config->epoch_s = cmos_read_epoch();
	config->devices = m->devices;
}

/* ---- vCPUs ------------------------------------------------------------- */

/* A stopped VM's machine gets no further than to its next instruction. */
static void vcpu_before_user(void *arg)
{
	struct vcpu *vcpu = arg;

	if (__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST) & PENDING_STOP)
		vcpu_exit(vcpu);
}

static void vcpu_switch_in(void *arg)
{
	struct vcpu *vcpu = arg;
	struct cpu *cpu = this_cpu();

	vcpu->vendor.cpu = cpu->id;
	vcpu->vendor.deadline = &cpu->timers.programmed;
	cpu->user_root = vcpu->vm->space.user_root;
	cpu->copy_root = vcpu->vm->space.table.root;
	fpu_switch_in(vcpu);
	/* It may be about to leave a gate call, on a way that does not look. */
	if (__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST) & PENDING_STOP)
		cpu_kick_self(cpu);
}

static void vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	irq_disable();
	vcpu_switch_in(vcpu);
	vcpu_before_user(vcpu);
	gate_enter_machine(vcpu->vm->entry, GATE_STACK_TOP(vcpu->id), vcpu->id);
}

static void vcpu_switch_out(void *arg)
{
	struct vcpu *vcpu = arg;

	vcpu->back->switch_out(&vcpu->vendor);
}

static int vm_init_vcpu(struct vm *vm, unsigned id)
{
	struct vcpu *vcpu = pages_alloc_zeroed(vm->vendor.pages, &vm->account,
					       pages_order(sizeof(*vcpu)));
	int error;

	if (!vcpu)
		return -ENOMEM;
	vm->vcpu[id] = vcpu;
	error = vcpu_init(vcpu, vm, id);
	if (error)
		return error;
	vm->apic[id] = &vcpu->apic;
	vcpu->thread = thread_create(vcpu->log.name, vcpu_thread, vcpu,
				     THREAD_ANY_CPU);
	if (!vcpu->thread)
		return -ENOMEM;
	thread_get(vcpu->thread);
	vcpu->thread->domain = &vm->domain;
	vcpu->thread->before_user = vcpu_before_user;
	/* With isolation ring 0 stays on the monitor's own tables. */
	if (!vm->space.user_root)
		vcpu->thread->cr3 = vm->space.table.root;
	vcpu->thread->switch_in = vcpu_switch_in;
	vcpu->thread->switch_out = vcpu_switch_out;
	return 0;
}

/* ---- What its vCPUs do to each other ------------------------------------ */

void vcpu_breathe(struct vcpu *vcpu)
{
	sched_breathe();
	if (__atomic_load_n(&vcpu->pending, __ATOMIC_RELAXED) & PENDING_STOP)
		vcpu_exit(vcpu);
}

void vm_lock(struct vcpu *vcpu)
{
	while (!spin_trylock(&vcpu->vm->lock))
		vcpu_breathe(vcpu);
}

void vm_unlock(struct vcpu *vcpu)
{
	spin_unlock(&vcpu->vm->lock);
}

static void sync_here(void *ctx)
{
	(void)ctx;
}

/* The interrupt makes a guest exit; one that comes in later looks by itself. */
void vm_sync(struct vm *vm)
{
	uint64_t cpus = 0;

	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		const struct thread *thread = vm->vcpu[i]->thread;
		const struct cpu *cpu = thread->cpu;

		if (__atomic_load_n(&cpu->thread, __ATOMIC_SEQ_CST) == thread)
			cpus |= BIT(cpu->id);
	}
	cpu_call(cpus, sync_here, NULL);
}

void vm_flush(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_notify(vm->vcpu[i], PENDING_FLUSH);
	vm_sync(vm);
	table_reap(&vm->nested);
}

/* ---- Life -------------------------------------------------------------- */

static const struct table_format *nested_format(const struct vendor *back)
{
	static const struct table_format *const formats[] = {
		[NESTED_FORMAT_NPT] = &npt_format,
		[NESTED_FORMAT_EPT] = &ept_format,
	};

	return formats[back->nested_format];
}

static int vm_init(struct vm *vm)
{
	int error = vm_alloc_memory(vm);

	if (!error)
		error = table_init(&vm->nested, nested_format(vm->back),
				   vm->vendor.pages, &vm->nested_account);
	if (!error)
		error = address_space_init(&vm->space, &vm->host->map,
					   &vm->account);
	if (!error)
		error = vm_init_policy(vm);
	vm->vendor.nested_root = vm->nested.root;
	vm->vendor.nested = &vm->nested;
	if (!error)
		error = vm->back->vm_init(&vm->vendor);
	for (unsigned i = 0; !error && i < vm->vcpu_count; i++)
		error = vm_init_vcpu(vm, i);
	if (!error)
		error = loader_load(vm, &vm->entry);
	return error;
}

int vm_create(struct host *host, const struct vendor *back,
	      const struct guest_manifest *manifest, struct vm **out)
{
	struct vm *vm = pages_alloc_zeroed(&host->pages, &host->account,
					   pages_order(sizeof(*vm)));

	if (!vm)
		return -ENOMEM;
	*out = vm;
	sched_domain_init(&vm->domain);
	vm->host = host;
	vm->back = back;
	vm->manifest = manifest;
	vm->vcpu_count = manifest->vcpus;
	vm->vendor.pages = &host->pages;
	vm->vendor.account = &vm->account;
	vm->vendor.exits_on_pause =
		manifest->vcpus > 1 && host->is_overcommitted;
	vm->account.name = vm->ram_account.name = manifest->name;
	vm->nested_account.name = vm->copy_account.name = manifest->name;
	vm->timer.fn = vm_timer_expired;
	vm->timer.ctx = vm;
	(void)snprintf(vm->log.name, sizeof(vm->log.name), "%s",
		       manifest->name);
	vm->config = pages_alloc_zeroed(&host->pages, &vm->account, 0);
	if (!vm->config)
		return -ENOMEM;
	vm_init_config(vm);
	return vm_init(vm);
}

/*
 * What the machine may still make the monitor allocate: page tables.  Enough to
 * map all of the VM's memory by 4 KiB, wherever it is, and some more.
 */
#define NESTED_SPARE_PAGES 64

static void vm_quota_set(struct vm *vm)
{
	vm->account.limit = vm->account.pages;
	vm->ram_account.limit = vm->ram_account.pages;
	vm->copy_account.limit = vm->copy_account.pages;
	vm->nested_account.limit =
		vm->nested_account.pages + vm->chunk_count + NESTED_SPARE_PAGES;
}

void vm_attach_console(struct vm *vm)
{
	(void)snprintf(vm->console.name, sizeof(vm->console.name), "%s",
		       vm->manifest->name);
	vm->console.input = vm_console_input;
	vm->console.has_room = vm_console_has_room;
	vm->console.ctx = vm;
	if (console_add_guest(&vm->host->console, &vm->console))
		log_warn("guest %s has no console: too many guests",
			 vm->manifest->name);
	vm->log.console = &vm->console;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vm->vcpu[i]->log.console = &vm->console;
}

void vm_start(struct vm *vm)
{
	vlog_info(&vm->log,
		  "%lu MiB RAM, %u vCPUs; monitor's own memory %lu KiB, "
		  "nested tables at start %lu KiB",
		  (uint64_t)(vm->config->ram_size / MIB(1)), vm->vcpu_count,
		  vm->account.pages * KIB_PER_PAGE,
		  vm->nested_account.pages * KIB_PER_PAGE);
	vm_quota_set(vm);
	vm->running = vm->vcpu_count;
	address_space_complete(&vm->space);
	vm->tsc_base = time_now_tsc();
	vm->config->tsc_base = vm->tsc_base;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vm->vcpu[i]->vendor.tsc_offset = -vm->tsc_base;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		thread_start(vm->vcpu[i]->thread);
}

void vm_stop(struct vm *vm, const char *why)
{
	if (__atomic_exchange_n(&vm->is_stopping, true, __ATOMIC_SEQ_CST))
		return;
	vlog_once(&vm->log, "stopped: %s", why);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_notify(vm->vcpu[i], PENDING_STOP);
}

/* On the monitor's own page tables; the VM may be half made. */
static void vm_destroy(struct vm *vm)
{
	struct host *host = vm->host;
	struct pages *pages = vm->vendor.pages;
	uint64_t left;

	timer_cancel_sync(&vm->timer);
	if (vm->space.table.root)
		loader_unload(vm);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i])
			vcpu_fini(vm->vcpu[i]);
	if (vm->vendor.private)
		vm->back->vm_fini(&vm->vendor);
	if (vm->space.table.root)
		address_space_fini(&vm->space);
	loader_free_copies(vm);
	if (vm->nested.root)
		table_fini(&vm->nested, TABLE_ENTRIES);
	vm_free_memory(vm);
	if (vm->cpuid)
		pages_free_virt(pages, &vm->account, vm->cpuid,
				pages_order(sizeof(*vm->cpuid)));
	if (vm->config)
		pages_free_virt(pages, &vm->account, vm->config, 0);
	left = vm->account.pages + vm->copy_account.pages +
	       vm->nested_account.pages + vm->ram_account.pages;
	if (left)
		log_warn("guest %s left %lu KiB behind", vm->account.name,
			 left * KIB_PER_PAGE);
	pages_free_virt(pages, &host->account, vm, pages_order(sizeof(*vm)));
}

void vm_discard(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i] && vm->vcpu[i]->thread)
			thread_discard(vm->vcpu[i]->thread);
	vm_destroy(vm);
}

void vcpu_exit(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct thread *self = this_cpu()->thread;
	uint32_t code;

	irq_disable();
	fpu_release(vcpu);
	vcpu->back->switch_out(&vcpu->vendor);
	self->switch_in = self->switch_out = self->before_user = NULL;
	/* The rest is the monitor's work, and may outlive the VM. */
	self->domain = NULL;
	self->cr3 = vm->host->map.table.root;
	cr3_write(self->cr3);
	irq_enable();
	if (!__atomic_sub_fetch(&vm->running, 1, __ATOMIC_SEQ_CST)) {
		struct host *host = vm->host;

		code = vm->exit_code;
		console_remove_guest(&host->console, &vm->console, self);
		vm_destroy(vm);
		if (!__atomic_sub_fetch(&host->guest_count, 1,
					__ATOMIC_SEQ_CST)) {
			log_info("all guests have stopped");
			host_power_off((uint8_t)code);
		}
	}
	thread_exit();
}
