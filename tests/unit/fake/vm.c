/* SPDX-License-Identifier: BSD-2-Clause */
/* See vm.h. */
#include "tests/unit/fake/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/errno.h"
#include "include/x86_msr.h"
#include "kernel/trap.h"
#include "mm/pages.h"
#include "vm/gate.h"

#define GROUPS_ALL                                                   \
	(X86_GROUP_GPR_RIP | X86_GROUP_SEGMENTS | X86_GROUP_TABLES | \
	 X86_GROUP_CONTROL | X86_GROUP_DEBUG | X86_GROUP_SYSCALL)

struct fake_vms fake_vms;

/* ---- The back end -------------------------------------------------------- */

static struct back_vcpu *private_of(struct vendor_vcpu *vcpu)
{
	return vcpu->private;
}

static int back_vm_init(struct vendor_vm *vm)
{
	vm->private = pages_alloc_zeroed(vm->pages, vm->account, 0);
	return 0;
}

static void back_vm_fini(struct vendor_vm *vm)
{
	pages_free_virt(vm->pages, vm->account, vm->private, 0);
}

static int back_vcpu_init(struct vendor_vcpu *vcpu)
{
	struct back_vcpu *back =
		pages_alloc_zeroed(vcpu->vm->pages, vcpu->vm->account, 0);

	back->window = -1;
	vcpu->private = back;
	return 0;
}

static void back_vcpu_fini(struct vendor_vcpu *vcpu)
{
	pages_free_virt(vcpu->vm->pages, vcpu->vm->account, vcpu->private, 0);
}

/* The state never leaves the page; but only what is asked for is valid. */
static void back_state_load(struct vendor_vcpu *vcpu, uint32_t groups)
{
	vcpu->state->valid |= groups;
}

static void back_state_store(struct vendor_vcpu *vcpu, uint32_t groups)
{
	struct back_vcpu *back = private_of(vcpu);

	SIM_CHECK(!(groups & ~(uint32_t)GROUPS_ALL));
	if (groups & X86_GROUP_CONTROL)
		vendor_cr8_set(vcpu, vcpu->state->cr8);
	if (groups & X86_GROUP_SEGMENTS)
		back->has_shadow = vcpu->state->interrupt_shadow;
	back->stored |= groups;
	vcpu->state->dirty &= ~groups;
}

static bool back_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind)
{
	const struct back_vcpu *back = private_of(vcpu);

	if (kind == EVENT_NMI_SECOND)
		return !back->is_nmi_masked &&
		       !(back->has_event && back->event.kind == EVENT_NMI);
	if (back->has_event)
		return false;
	if (kind == EVENT_EXCEPTION)
		return true;
	if (back->has_shadow)
		return false;
	return kind == EVENT_NMI ? !back->is_nmi_masked
				 : vcpu->state->rflags & X86_FLAG_IF;
}

/* An exception may come after what else was to go in, which is lost then. */
static void back_inject(struct vendor_vcpu *vcpu, const struct event *event)
{
	struct back_vcpu *back = private_of(vcpu);

	SIM_CHECK(event->kind == EVENT_EXCEPTION ||
		  back_can_inject(vcpu, event->kind));
	back->event = *event;
	back->has_event = true;
	if (event->kind == EVENT_INTERRUPT)
		back->window = -1;
}

static void back_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
			     unsigned priority)
{
	private_of(vcpu)->windows++;
	if (kind == EVENT_NMI)
		private_of(vcpu)->is_nmi_window = true;
	else
		private_of(vcpu)->window = (int)priority;
}

static void back_events_clear(struct vendor_vcpu *vcpu)
{
	struct back_vcpu *back = private_of(vcpu);

	back->has_event = back->is_nmi_masked = back->has_shadow = false;
	back->is_nmi_window = false;
	back->window = -1;
}

static void back_end_shadow(struct vendor_vcpu *vcpu)
{
	private_of(vcpu)->has_shadow = false;
}

static void back_tlb_flush(struct vendor_vcpu *vcpu)
{
	private_of(vcpu)->flushes++;
}

static void back_switch_out(struct vendor_vcpu *vcpu)
{
	(void)vcpu;
}

static void trace_event(struct back_vcpu *back, const struct event *event)
{
	size_t length = strlen(back->trace);
	char *at = back->trace + length;
	size_t left = sizeof(back->trace) - length;

	if (event->kind == EVENT_NMI)
		(void)snprintf(at, left, "n ");
	else if (event->has_error_code)
		(void)snprintf(at, left, "e%02x:%04x ", event->vector,
			       event->error_code);
	else
		(void)snprintf(at, left, "%c%02x ",
			       event->kind == EVENT_INTERRUPT ? 'i' : 'e',
			       event->vector);
}

/* The handler begins with interrupts off, as through an interrupt gate. */
static void deliver(struct vendor_vcpu *vcpu, struct back_vcpu *back)
{
	back->has_event = false;
	trace_event(back, &back->event);
	if (fake_vms.delivered)
		fake_vms.delivered(container_of(vcpu, struct vcpu, vendor),
				   &back->event);
	vcpu->state->rflags &= ~X86_FLAG_IF;
	if (back->event.kind == EVENT_NMI)
		back->is_nmi_masked = true;
}

static bool window_opens(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct back_vcpu *back = private_of(vcpu);

	if (back->is_nmi_window && back_can_inject(vcpu, EVENT_NMI)) {
		back->is_nmi_window = false;
		info->reason = EXIT_NMI_WINDOW;
		return true;
	}
	if (back->window > vcpu->tpr >> 4 &&
	    back_can_inject(vcpu, EVENT_INTERRUPT)) {
		back->window = -1;
		info->reason = EXIT_INTERRUPT_WINDOW;
		return true;
	}
	return false;
}

/* Entries that follow each other without interrupts let in. */
static void count_in_a_row(struct back_vcpu *back)
{
	uint64_t opens = sim_this()->irq_opens;

	back->in_a_row = opens == back->opens_seen ? back->in_a_row + 1 : 1;
	back->opens_seen = opens;
	fake_vms.in_a_row_max = MAX(fake_vms.in_a_row_max, back->in_a_row);
}

static void back_run(struct vendor_vcpu *vendor, struct exit_info *info)
{
	struct vcpu *vcpu = container_of(vendor, struct vcpu, vendor);
	struct back_vcpu *back = private_of(vendor);

	SIM_CHECK(!fake_x86.is_irq_on && sim_this()->held_count == 0);
	SIM_CHECK(this_cpu()->thread == vcpu->user.thread);
	SIM_CHECK(vendor->cpu == this_cpu()->id);
	SIM_CHECK(this_cpu()->fpu_owner == vcpu);
	SIM_CHECK(!vcpu->page->state.dirty);
	/* What made the guest exit is let in before it goes on. */
	SIM_CHECK(!back->is_interrupted ||
		  sim_this()->irq_opens != back->opens_seen);
	count_in_a_row(back);
	back->runs++;
	vendor->state->valid = X86_GROUP_GPR_RIP;
	vendor->has_shadow = back->has_shadow;
	info->length = 0;
	if (back->has_event)
		deliver(vendor, back);
	else if (window_opens(vendor, info))
		return;
	if (fake_vms.is_endless || !guest_spend(info, 1))
		fake_vms.guest(vcpu, info);
	back->is_interrupted = info->reason == EXIT_HOST_INTERRUPT;
	vendor->has_shadow = back->has_shadow;
}

/* The last of what is said of a VM: the rest is in its page by then. */
static void back_dump(struct vendor_vcpu *vcpu)
{
	const uint32_t groups =
		X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL;

	SIM_CHECK((vcpu->state->valid & groups) == groups);
	log_err("dump");
}

const struct vendor back_vendor = {
	.name = "fake",
	.nested_format = NESTED_FORMAT_NPT,
	.vm_init = back_vm_init,
	.vm_fini = back_vm_fini,
	.vcpu_init = back_vcpu_init,
	.vcpu_fini = back_vcpu_fini,
	.state_load = back_state_load,
	.state_store = back_state_store,
	.can_inject = back_can_inject,
	.inject = back_inject,
	.open_window = back_open_window,
	.events_clear = back_events_clear,
	.end_shadow = back_end_shadow,
	.tlb_flush = back_tlb_flush,
	.switch_out = back_switch_out,
	.run = back_run,
	.dump = back_dump,
};

bool guest_spend(struct exit_info *info, unsigned points)
{
	for (; points; points--) {
		if (sim_this()->irqs) {
			info->reason = EXIT_HOST_INTERRUPT;
			return true;
		}
		sim_point();
	}
	return false;
}

void guest_exits(struct exit_info *info, enum exit_reason reason,
		 uint8_t length)
{
	info->reason = reason;
	info->length = length;
}

/* ---- The machine --------------------------------------------------------- */

const struct vendor *const vendor_emulator = NULL;

const struct gate_row gate_calls_vm[GATE_ROWS];
const struct gate_row gate_calls_program[GATE_ROWS];

void gate_enter_user(uint64_t rip, uint64_t rsp, uint64_t arg)
{
	struct user_thread *user = this_cpu()->gate_arg;

	SIM_CHECK(rip == FAKE_ENTRY && rsp == GATE_STACK_TOP(user->id));
	SIM_CHECK(arg == user->id);
	sim_user(1);
	if (user->vcpu)
		fake_vms.machine(user->vcpu);
	else
		fake_vms.program(user);
	domain_end(user->domain, GATE_END_EXIT, 0, user->id);
	user_thread_exit(user);
}

enum gate_exit vcpu_go(struct vcpu *vcpu)
{
	irq_disable();
	(void)vcpu_resume(vcpu);
	SIM_CHECK(!fake_x86.is_irq_on);
	sim_user(1);
	return vcpu->page->exit;
}

/* As vm/gate.c's dispatcher. */
void gate_vm(struct vcpu *vcpu, void (*fn)(struct vcpu *vcpu))
{
	irq_disable();
	domain_lock(&vcpu->user);
	fn(vcpu);
	domain_unlock(&vcpu->user);
	if (domain_is_stopping(vcpu->vm->domain))
		user_thread_exit(&vcpu->user);
	sim_user(1);
}

/* ---- What else a VM stands on -------------------------------------------- */

/* Pieces of guests' memory: nothing is behind them. */
#define GUEST_RAM GIB(64)

bool pages_are_free(const struct pages *pages, hpa_t hpa, uint64_t length)
{
	(void)pages, (void)hpa, (void)length;
	return false;
}

hpa_t map_guest_alloc_2m(struct kernel_map *map, struct mem_account *account,
			 hpa_t wanted, map_fill_fn fill, void *ctx)
{
	static uint8_t nowhere[MAP_GUEST_PIECE];
	uint8_t *filled = fake_vms.filled;
	unsigned i = 0;

	(void)map, (void)wanted;
	if (account->limit && account->pages >= account->limit)
		return 0;
	while (i < FAKE_PIECES && fake_vms.is_taken[i])
		i++;
	if (i == FAKE_PIECES || !fake_vms.pieces_left)
		return 0;
	fake_vms.pieces_left--;
	fake_vms.is_taken[i] = true;
	account->pages += PAGE_2M / PAGE_SIZE;
	for (uint64_t at = 0; at < PAGE_2M; at += MAP_GUEST_PIECE) {
		if (!fill(ctx, filled ? filled + at : nowhere, at))
			continue;
		map_guest_free_2m(map, account, GUEST_RAM + i * PAGE_2M);
		return 0;
	}
	return GUEST_RAM + i * PAGE_2M;
}

bool fake_piece_is_taken(hpa_t hpa)
{
	return hpa >= GUEST_RAM && hpa < GUEST_RAM + FAKE_PIECES * PAGE_2M &&
	       fake_vms.is_taken[(hpa - GUEST_RAM) / PAGE_2M];
}

void map_guest_free_2m(struct kernel_map *map, struct mem_account *account,
		       hpa_t hpa)
{
	(void)map;
	SIM_CHECK(fake_piece_is_taken(hpa));
	fake_vms.is_taken[(hpa - GUEST_RAM) / PAGE_2M] = false;
	fake_vms.pieces_left++;
	account->pages -= PAGE_2M / PAGE_SIZE;
}

void map_guest_flush(struct kernel_map *map)
{
	(void)map;
}

int copy_from_user(void *to, const void *user, uint64_t length)
{
	if ((uint64_t)user + length > fake_vms.user_end && fake_vms.user_end)
		return -EFAULT;
	memcpy(to, user, length);
	return 0;
}

int copy_to_user(void *user, const void *from, uint64_t length)
{
	uint64_t offset = (uint64_t)user - GATE_WINDOW_VA;

	if (offset < GATE_MODULE_VA - GATE_WINDOW_VA) {
		if (offset + length > fake_vms.window_size)
			return -EFAULT;
		user = fake_vms.window + offset;
	}
	memcpy(user, from, length);
	return 0;
}

enum mcheck_verdict mcheck_take(struct mcheck_error *error)
{
	*error = (struct mcheck_error){ 0 };
	return fake_vms.mcheck;
}

void host_power_off(uint8_t code)
{
	fake_vms.off = code + 1U;
	thread_exit();
}

/* ---- FPU ----------------------------------------------------------------- */

int fpu_init_vcpu(struct vcpu *vcpu)
{
	vcpu->xsave = pages_alloc_zeroed(NULL, vcpu->vm->vendor.account, 0);
	return 0;
}

void fpu_forget(struct vcpu *vcpu)
{
	vcpu->xcr0 = X86_XCR0_X87;
}

void fpu_release(struct vcpu *vcpu)
{
	if (this_cpu()->fpu_owner == vcpu)
		this_cpu()->fpu_owner = NULL;
}

/* The owner's are saved into it: it must live. */
void fpu_switch_in(struct vcpu *vcpu)
{
	struct vcpu *owner = this_cpu()->fpu_owner;

	if (owner && owner != vcpu)
		memset(owner->xsave, 0, 512);
	this_cpu()->fpu_owner = vcpu;
}

void fpu_store_page(struct vcpu *vcpu)
{
	back_of(vcpu)->stored |= X86_GROUP_XSTATE;
}

int fpu_xcr0_set(struct vcpu *vcpu, uint64_t value)
{
	if (!(value & X86_XCR0_X87))
		return -EINVAL;
	vcpu->xcr0 = value;
	return 0;
}

uint64_t fpu_xcr0_get(struct vcpu *vcpu)
{
	return vcpu->xcr0;
}

int fpu_tsc_aux_get(struct vcpu *vcpu, uint64_t *value)
{
	*value = vcpu->tsc_aux;
	return 0;
}

int fpu_tsc_aux_set(struct vcpu *vcpu, uint64_t value)
{
	vcpu->tsc_aux = (uint32_t)value;
	return 0;
}

/* ---- A VM ---------------------------------------------------------------- */

static const struct cpuid_table fake_cpuid_table = {
	.apic_id = { 0, 1, 2, 3, 4, 5, 6, 7 },
	.basic[0].regs = { 1, 0x68747541, 0x444d4163, 0x69746e65 },
	.basic[1] = { .regs = { 0x800f12, 0, UINT32_MAX, UINT32_MAX },
		      .patch = CPUID_PATCH_APIC_ID | CPUID_PATCH_OSXSAVE },
	.extended[0].regs.eax = 0x80000008,
	.extended[1].regs = { 0, 0, UINT32_MAX, UINT32_MAX },
	.extended[8].regs.eax = 0x3030,
};

static struct cpuid_regs host_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs regs = { 0 };

	(void)subleaf;
	if (leaf == 0 || leaf == 0x80000000) {
		regs.eax = leaf ? 0x80000008 : 1;
		memcpy(&regs.ebx, "Auth", 4);
		memcpy(&regs.edx, "enti", 4);
		memcpy(&regs.ecx, "cAMD", 4);
	}
	if (leaf == 1)
		regs = (struct cpuid_regs){ 0x800f12, 0, UINT32_MAX,
					    UINT32_MAX };
	if (leaf == 0x80000001)
		regs = (struct cpuid_regs){ 0, 0, UINT32_MAX, UINT32_MAX };
	if (leaf == 0x80000008)
		regs.eax = 0x3030;
	return regs;
}

/* ---- Who destroys them --------------------------------------------------- */

struct vm_host the_vm_host;
static struct thread *reaper;

static void ended(struct domain *domain)
{
	(void)domain;
	thread_wake(reaper);
}

static void reap(struct domain *domain)
{
	if (domain->state != GATE_DOMAIN_ENDED)
		return;
	SIM_CHECK(domain_destroy(domain_find(domain->id)) == 0);
	fake_vms.alive--;
}

/* Domains that have ended hold it until then: alive was counted before. */
static void reaper_main(void *arg)
{
	(void)arg;
	irq_disable();
	while (fake_vms.alive) {
		for (unsigned i = 0; i < DOMAINS_MAX; i++)
			if (the_vm_host.domains.domain[i])
				reap(the_vm_host.domains.domain[i]);
		if (fake_vms.alive)
			thread_block();
	}
	irq_enable();
	host_power_off(0);
}

/* Those of domains that are gone from the table nobody else knows. */
static enum sim_lock lock_sort(const struct spinlock *lock)
{
	if (lock == &the_vm_host.gate_lock)
		return SIM_LOCK_LONG;
	if (lock == &the_vm_host.channels.lock)
		return SIM_LOCK_TABLE;
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *domain = the_vm_host.domains.domain[i];

		if (domain && lock == &domain->lock)
			return SIM_LOCK_LONG;
		if (domain && lock == &domain->space_lock)
			return SIM_LOCK_SPACE;
	}
	return SIM_LOCK_OTHER;
}

/* An ISA interrupt's pin is of the same number. */
int ioapic_route(const struct ioapics *ioapics, uint32_t gsi, bool is_level,
		 bool is_active_low, uint8_t vector, uint32_t apic_id)
{
	(void)ioapics;
	(void)is_level;
	(void)is_active_low;
	(void)vector;
	(void)apic_id;
	fake_vms.unmasked |= 1U << gsi;
	return 0;
}

void ioapic_mask(const struct ioapics *ioapics, uint32_t gsi)
{
	(void)ioapics;
	fake_vms.unmasked &= ~(1U << gsi);
}

void fake_vms_begin(void (*on_end)(struct domain *domain))
{
	static struct acpi_isa_irq route[ACPI_ISA_IRQ_COUNT];

	for (unsigned i = 0; i < ACPI_ISA_IRQ_COUNT; i++)
		route[i].gsi = i;
	irqs_init(&sim.host.irqs, &sim.host.ioapics, route);
	memset(&the_vm_host, 0, sizeof(the_vm_host));
	the_vm_host.ended = on_end;
	sim.host.vm = &the_vm_host;
	sim.host.vendor = &back_vendor;
	sim.lock_sort = lock_sort;
	fake_x86.cpuid = host_cpuid;
	space_setup();
}

struct vm *vm_make(unsigned vcpus)
{
	const struct gate_domain_spec spec = {
		.name = "g",
		.quota_pages = 1000,
		.vm_memory = fake_vms.vm_memory ? fake_vms.vm_memory : MIB(14),
		.thread_count = vcpus,
		.flags = fake_vms.vm_flags,
	};
	struct domain *domain;

	if (!fake_vms.alive++) {
		fake_vms.pieces_left = FAKE_PIECES;
		fake_vms_begin(ended);
		reaper = thread_create("reaper", reaper_main, NULL, 0);
	}
	if (domain_create(&spec, &domain))
		abort();
	domain_put(domain);
	if (vm_set_cpuid(domain->vm, (uint64_t)&fake_cpuid_table))
		abort();
	return domain->vm;
}

void vm_start(struct vm *vm)
{
	/* While VMs are made nothing is to run. */
	if (reaper->state == THREAD_NEW)
		thread_start(reaper);
	if (domain_start(vm->domain, FAKE_ENTRY))
		abort();
}
