/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM of a domain: its memory, its nested tables, what its vCPUs share.
 */
#include "vm/vm.h"

#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/ept.h"
#include "mm/npt.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "vm/gate.h"

/* ---- What the guest is shown --------------------------------------------- */

static void vm_init_cpuid(struct vm *vm)
{
	vm->cpuid = &cpuid_none;
	vm->switches_tsc_aux = cpuid_host_has_tsc_aux(cpuid_read);
	vm->vendor.host_cr4_mask = cpuid_cr4_host(cpuid_read);
}

/* What its vCPUs have of it; none runs before it has. */
static void vcpu_set_cpuid(struct vcpu *vcpu)
{
	vcpu->cpuid = vcpu->vm->cpuid;
	apic_group_set(&vcpu->vm->apics, vcpu->id, &vcpu->apic,
		       vcpu->cpuid->apic_id[vcpu->id]);
	vcpu->apic.phys_bits = (uint8_t)vcpu->vm->config->physical_bits;
	vcpu_cpuid_known(vcpu);
}

int vm_set_cpuid(struct vm *vm, uint64_t address)
{
	unsigned order = pages_order(sizeof(struct cpuid_table));
	struct cpuid_table *table;
	int error;

	if (vm->cpuid != &cpuid_none)
		return -EEXIST;
	table = pages_alloc_zeroed(vm->vendor.pages, vm->vendor.account, order);
	if (!table)
		return -ENOMEM;
	sched_breathe();
	error = copy_from_user(table, (const void *)address, sizeof(*table));
	sched_breathe();
	if (!error)
		error = cpuid_limit(cpuid_read, table);
	sched_breathe();
	if (error) {
		pages_free_virt(vm->vendor.pages, vm->vendor.account, table,
				order);
		return error;
	}
	vm->efer_valid = cpuid_efer_valid(table);
	vm->vendor.guest_cr4_mask = cpuid_cr4_valid(table);
	vm->config->cr4_valid = vm->vendor.guest_cr4_mask;
	vm->config->physical_bits = cpuid_phys_bits(table);
	vm->cpuid = table;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_set_cpuid(vm->vcpu[i]);
	return 0;
}

void vm_set_time(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vm->vcpu[i]->vendor.tsc_offset = -vm->config->tsc_base;
}

/* ---- vCPUs --------------------------------------------------------------- */

void vcpu_switch_in(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	vcpu->vendor.cpu = cpu->id;
	vcpu->vendor.deadline = &cpu->timers.programmed;
	vcpu->page->waited_ticks +=
		time_now_tsc() - vcpu->user.thread->ready_tsc;
	fpu_switch_in(vcpu);
}

/* Once: what the guest writes there until the machine looks must not be lost.
 * The machine's address space is still there. */
static __noinline void tell_away(struct vcpu *vcpu, uint64_t offset)
{
	static const uint8_t away = 1;

	vcpu->page->away_offset = 0;
	if (offset < (uint64_t)vcpu->vm->chunk_count * PAGE_2M &&
	    !copy_to_user((void *)(GATE_WINDOW_VA + offset), &away, 1))
		vcpu_pend(vcpu, PENDING_AWAY);
}

void vcpu_switch_out(struct vcpu *vcpu)
{
	uint64_t away = vcpu->page->away_offset;

	/* It may be ready at once; else its wake-up comes later. */
	vcpu->user.thread->ready_tsc = time_now_tsc();
	if (unlikely(away))
		tell_away(vcpu, away);
	vcpu->back->switch_out(&vcpu->vendor);
}

int vm_vcpu_create(struct vm *vm, unsigned id, struct user_thread **user)
{
	struct vcpu *vcpu =
		pages_alloc_zeroed(vm->vendor.pages, vm->vendor.account,
				   pages_order(sizeof(*vcpu)));
	int error;

	if (!vcpu)
		return -ENOMEM;
	vcpu->user.vcpu = vcpu;
	error = vcpu_init(vcpu, vm, id);
	if (!error)
		error = address_space_map(&vm->domain->space, GATE_PAGE_VA(id),
					  virt_to_phys(vcpu->page), PAGE_SIZE,
					  MAP_READ | MAP_WRITE);
	if (error) {
		vcpu_fini(vcpu);
		return error;
	}
	vm->vcpu[id] = vcpu;
	apic_group_set(&vm->apics, id, &vcpu->apic, (uint8_t)id);
	vm->vcpu_count = id + 1;
	*user = &vcpu->user;
	return 0;
}

void vm_vcpu_destroy(struct vcpu *vcpu)
{
	vcpu->vm->vcpu[vcpu->id] = NULL;
	vcpu_fini(vcpu);
}

void vm_flush(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_notify(vm->vcpu[i], PENDING_FLUSH);
	domain_sync(vm->domain);
	table_reap(&vm->nested);
}

void vcpu_save(struct vcpu *vcpu, struct gate_domain_status *status)
{
	const uint32_t groups =
		X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL;
	const struct exit_info *exit = &vcpu->last_exit;

	vcpu->back->state_load(&vcpu->vendor,
			       groups & ~vcpu->vendor.state->valid);
	status->pending = vcpu->pending;
	status->exit_reason = exit->reason;
	status->raw[0] = exit->raw;
	status->raw[1] = exit->raw_info1;
	status->raw[2] = exit->raw_info2;
	vcpu->back->dump(&vcpu->vendor);
}

/* The back end may have much to say: interrupts are let in. */
void vcpu_fail(struct vcpu *vcpu, enum gate_end why)
{
	struct gate_domain_status *status = &vcpu->vm->domain->status;

	irq_enable();
	domain_end(vcpu->vm->domain, why, 0, vcpu->id);
	if (status->end == why && status->thread == vcpu->id)
		vcpu_save(vcpu, status);
	user_thread_exit(&vcpu->user);
}

/* ---- Life ---------------------------------------------------------------- */

static const struct table_format *nested_format(const struct vendor *back)
{
	static const struct table_format *const formats[] = {
		[NESTED_FORMAT_NPT] = &npt_format,
		[NESTED_FORMAT_EPT] = &ept_format,
	};

	return formats[back->nested_format];
}

/* Enough to map all of its memory by 4 KiB, wherever it is, and some more. */
#define NESTED_SPARE_PAGES 64

static int vm_init(struct vm *vm)
{
	int error = vm_memory_init(vm);

	if (!error)
		error = table_init(&vm->nested, nested_format(vm->back),
				   vm->vendor.pages, &vm->nested_account);
	sched_breathe();
	vm_init_cpuid(vm);
	vm->ram_account.limit = (uint64_t)vm->chunk_count * PAGES_PER_BLOCK;
	vm->nested_account.limit =
		vm->nested_account.pages + vm->chunk_count + NESTED_SPARE_PAGES;
	vm->vendor.nested_root = vm->nested.root;
	vm->vendor.nested = &vm->nested;
	return error ? error : vm->back->vm_init(&vm->vendor);
}

int vm_create(struct domain *domain, struct vm **out)
{
	struct host *host = domain->host;
	const struct vendor *back = domain->spec.flags & GATE_DOMAIN_EMULATE
					    ? vendor_emulator
					    : host->vendor;
	struct vm *vm;

	if (!back)
		return -ENODEV;
	vm = pages_alloc_zeroed(&host->pages, &domain->account,
				pages_order(sizeof(*vm)));
	if (!vm)
		return -ENOMEM;
	*out = vm;
	vm->domain = domain;
	vm->back = back;
	vm->config = domain->config;
	vm->vendor.pages = &host->pages;
	vm->vendor.account = &domain->account;
	vm->vendor.exits_on_pause =
		domain->spec.flags & GATE_DOMAIN_PAUSE_EXITS;
	vm->ram_account.name = vm->nested_account.name = domain->spec.name;
	return vm_init(vm);
}

void vm_query(const struct vm *vm, struct gate_domain_status *status)
{
	status->vm_pages = vm->ram_account.pages;
	status->nested_pages = vm->nested_account.pages;
}

void vm_destroy(struct vm *vm)
{
	struct pages *pages = vm->vendor.pages;
	struct mem_account *account = vm->vendor.account;

	if (vm->vendor.private)
		vm->back->vm_fini(&vm->vendor);
	if (vm->nested.root) {
		/* Nobody else knows of the tables: interrupts may come. */
		irq_enable();
		table_fini(&vm->nested, TABLE_ENTRIES);
		irq_disable();
	}
	vm_memory_fini(vm);
	if (vm->cpuid && vm->cpuid != &cpuid_none)
		pages_free_virt(pages, account, (void *)vm->cpuid,
				pages_order(sizeof(*vm->cpuid)));
	if (vm->nested_account.pages || vm->ram_account.pages)
		log_warn("guest %s left memory behind", vm->domain->spec.name);
	pages_free_virt(pages, account, vm, pages_order(sizeof(*vm)));
}
