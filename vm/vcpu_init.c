/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes and unmakes a vCPU, and ties its local APIC to the rest: time, other
 * vCPUs, the machine's IOAPIC.
 */
#include "vm/vm.h"

#include "kernel/host.h"
#include "include/errno.h"
#include "lib/printf.h"
#include "mm/pages.h"

static uint64_t apic_now_ns(void *ctx)
{
	struct vcpu *vcpu = ctx;

	return vm_now_ns(vcpu->vm);
}

static void apic_timer_arm(void *ctx, uint64_t deadline_ns)
{
	struct vcpu *vcpu = ctx;

	timer_arm(&vcpu->apic_timer,
		  domain_deadline_tsc(vcpu->vm->domain, deadline_ns));
}

static void apic_timer_arm_tsc(void *ctx, uint64_t guest_tsc)
{
	struct vcpu *vcpu = ctx;
	uint64_t now = time_now_tsc();
	uint64_t guest_now = now + vcpu->vendor.tsc_offset;

	/* The last one may have fired, also on a CPU that the vCPU has left,
	 * but not been seen yet. */
	timer_cancel_sync(&vcpu->apic_timer);
	__atomic_fetch_and(&vcpu->pending, ~(uint32_t)PENDING_APIC_TIMER,
			   __ATOMIC_SEQ_CST);
	if (guest_tsc <= guest_now)
		vcpu_pend(vcpu, PENDING_APIC_TIMER);
	else
		timer_arm(&vcpu->apic_timer,
			  now + MIN(guest_tsc - guest_now, ~now));
}

static void apic_timer_disarm(void *ctx)
{
	struct vcpu *vcpu = ctx;

	timer_cancel(&vcpu->apic_timer);
}

/* The timer interrupt: the vCPU's own thread tells its APIC. */
static void apic_timer_fired(void *ctx)
{
	vcpu_notify(ctx, PENDING_APIC_TIMER);
}

static void apic_send(void *ctx, const struct apic_message *message)
{
	struct vcpu *vcpu = ctx;

	apic_route(&vcpu->vm->apics, &vcpu->apic, message);
}

static void apic_eoi_level(void *ctx, uint8_t vector)
{
	struct vcpu *vcpu = ctx;

	vcpu->eoi[vector / 64] |= BIT(vector % 64);
	vcpu_pend(vcpu, PENDING_EOI);
}

/* The machine looks where the page is and what its I/O APIC has to say. */
static void apic_changed(void *ctx)
{
	((struct vcpu *)ctx)->vendor.has_changed = true;
	apic_eoi_level(ctx, GATE_EOI_CHANGED);
}

static void apic_nmi(void *ctx)
{
	if (vcpu_notify(ctx, PENDING_NMI) & PENDING_NMI)
		vcpu_notify(ctx, PENDING_NMI_TWO);
}

static void apic_init_signal(void *ctx)
{
	struct vcpu *vcpu = ctx;

	/* Startup IPIs sent before it are lost, those after it are not. */
	__atomic_fetch_and(&vcpu->pending, ~(uint32_t)PENDING_SIPI,
			   __ATOMIC_SEQ_CST);
	vcpu_notify(vcpu, PENDING_INIT);
}

static void apic_sipi(void *ctx, uint8_t vector)
{
	struct vcpu *vcpu = ctx;

	__atomic_store_n(&vcpu->sipi_vector, vector, __ATOMIC_RELEASE);
	vcpu_notify(vcpu, PENDING_SIPI);
}

static void apic_kick(void *ctx)
{
	vcpu_notify(ctx, PENDING_KICK);
}

static const struct apic_ops vcpu_apic_ops = {
	.now_ns = apic_now_ns,
	.timer_arm = apic_timer_arm,
	.timer_arm_tsc = apic_timer_arm_tsc,
	.timer_disarm = apic_timer_disarm,
	.send = apic_send,
	.eoi_level = apic_eoi_level,
	.changed = apic_changed,
	.nmi = apic_nmi,
	.init = apic_init_signal,
	.sipi = apic_sipi,
	.kick = apic_kick,
};

int vcpu_init(struct vcpu *vcpu, struct vm *vm, uint32_t id)
{
	int error;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->back = vm->back;
	vcpu->cpuid = vm->cpuid;
	vcpu->page =
		pages_alloc_zeroed(vm->vendor.pages, vm->vendor.account, 0);
	if (!vcpu->page)
		return -ENOMEM;
	vcpu->vendor.state = &vcpu->page->state;
	vcpu->vendor.vm = &vm->vendor;
	vcpu->vendor.apic = &vcpu->apic.shared;
	vcpu->apic.shared.page = (uint32_t *)vcpu->apic_page;
	vcpu->apic_timer.fn = apic_timer_fired;
	vcpu->apic_timer.ctx = vcpu;
	(void)snprintf(vcpu->log.name, sizeof(vcpu->log.name), "%s.%u",
		       vm->domain->log.name, id);
	apic_init(&vcpu->apic, id, id == 0, cpuid_phys_bits(vm->cpuid),
		  &vcpu_apic_ops, vcpu);
	vcpu->pending = PENDING_NO_CPUID;
	error = fpu_init_vcpu(vcpu);
	if (!error)
		error = vm->back->vcpu_init(&vcpu->vendor);
	if (error)
		return error;
	msr_init(&vcpu->msr, &vcpu->apic, &vm->efer_valid, &vcpu_msr_ops, vcpu);
	vcpu_reset_all(vcpu);
	return 0;
}

/* clang-format off */
static const char *const exit_names[EXIT_REASON_COUNT] = {
	[EXIT_UNKNOWN]          = "unknown",
	[EXIT_INVALID]          = "invalid state",
	[EXIT_HOST_INTERRUPT]   = "host interrupt",
	[EXIT_HOST_NMI]         = "host NMI",
	[EXIT_INTERRUPT_WINDOW] = "interrupt window",
	[EXIT_NMI_WINDOW]       = "NMI window",
	[EXIT_CPUID]            = "CPUID",
	[EXIT_HLT]              = "HLT",
	[EXIT_PAUSE]            = "PAUSE",
	[EXIT_IO]               = "I/O",
	[EXIT_MSR]              = "MSR",
	[EXIT_CR]               = "control register",
	[EXIT_DR]               = "debug register",
	[EXIT_NESTED]           = "nested page fault",
	[EXIT_FETCH]            = "fetch",
	[EXIT_APIC_EOI]         = "APIC EOI",
	[EXIT_APIC_WRITE]       = "APIC write",
	[EXIT_HYPERCALL]        = "hypercall",
	[EXIT_WBINVD]           = "WBINVD",
	[EXIT_INVD]             = "INVD",
	[EXIT_XSETBV]           = "XSETBV",
	[EXIT_UNDEFINED]        = "undefined instruction",
	[EXIT_SHUTDOWN]         = "shutdown",
	[EXIT_EXCEPTION]        = "exception",
	[EXIT_EMULATE]          = "emulate one",
	[EXIT_EMULATE_RUN]      = "emulate a run",
};
/* clang-format on */

static void log_exits(const struct vcpu *vcpu)
{
	for (unsigned i = 0; i < EXIT_REASON_COUNT; i++)
		if (vcpu->exits[i])
			log_dbg("[%s] exits: %8lu %s", vcpu->log.name,
				vcpu->exits[i], exit_names[i]);
}

/* Also of one that vcpu_init() left half made. */
void vcpu_fini(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct pages *pages = vm->vendor.pages;

	log_exits(vcpu);
	timer_cancel_sync(&vcpu->apic_timer);
	if (vcpu->vendor.private)
		vm->back->vcpu_fini(&vcpu->vendor);
	if (vcpu->xsave)
		pages_free_virt(pages, vm->vendor.account, vcpu->xsave, 0);
	if (vcpu->page)
		pages_free_virt(pages, vm->vendor.account, vcpu->page, 0);
	pages_free_virt(pages, vm->vendor.account, vcpu,
			pages_order(sizeof(*vcpu)));
}
