/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each exit means.  The monitor answers by itself what needs neither
 * decoding nor a device; where the processor does not report the length of
 * what it answered, the machine is asked to move RIP.
 */
#include "vm/vm.h"

#include "kernel/cpu.h"
#include "kernel/host.h"
#include "kernel/mcheck.h"
#include "include/emulate_expect.h"
#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"

/* A row of exit_handlers[]. */
#define EXIT(name)                                              \
	enum exit_action name(struct vcpu *vcpu __maybe_unused, \
			      struct exit_info *info __maybe_unused)

/* What the machine needs to fetch and walk. */
#define GROUPS_DECODE (X86_GROUP_SEGMENTS | X86_GROUP_CONTROL)

/* Something is due behind an instruction that the monitor has done. */
static inline bool is_step_due(const struct vcpu *vcpu)
{
	return vcpu->vendor.has_shadow ||
	       vcpu->vendor.state->rflags & X86_FLAG_TF;
}

static __noinline void step_over(struct vcpu *vcpu)
{
	vcpu->back->end_shadow(&vcpu->vendor);
	/* What waited for that can go in now, without an exit. */
	vcpu_priority_changed(vcpu);
	if (vcpu->vendor.state->rflags & X86_FLAG_TF)
		vcpu_pend(vcpu, PENDING_STEP);
}

/* The machine has to say how long it was. */
static __noinline enum exit_action skip_unknown(struct vcpu *vcpu,
						enum emul_expect what)
{
	vcpu->back->state_load(&vcpu->vendor, X86_GROUP_FETCH);
	vcpu->page->exit = GATE_EXIT_LENGTH;
	vcpu->page->length.expect = what;
	return EXIT_TO_MACHINE;
}

static __noinline enum exit_action skip_rare(struct vcpu *vcpu, uint8_t length,
					     enum emul_expect what)
{
	step_over(vcpu);
	if (!length)
		return skip_unknown(vcpu, what);
	vcpu->vendor.state->rip += length;
	return EXIT_RUN_AGAIN;
}

/*
 * The instruction at RIP has been done.  Inline, and what is rare at the end of
 * the caller: it then needs no frame.
 */
static inline enum exit_action
skip(struct vcpu *vcpu, const struct exit_info *info, enum emul_expect what)
{
	if (unlikely(is_step_due(vcpu)))
		return skip_rare(vcpu, info->length, what);
	if (!info->length)
		return skip_unknown(vcpu, what);
	vcpu->vendor.state->rip += info->length;
	return EXIT_RUN_AGAIN;
}

static inline enum exit_action to_machine(struct vcpu *vcpu,
					  enum gate_exit exit)
{
	vcpu->back->state_load(&vcpu->vendor, exit == GATE_EXIT_MMIO
						      ? X86_GROUPS_OPERAND
						      : GROUPS_DECODE);
	vcpu->page->exit = exit;
	return EXIT_TO_MACHINE;
}

static enum exit_action raise_gp(struct vcpu *vcpu)
{
	vcpu_inject(vcpu, X86_VECTOR_GP, true, 0);
	return EXIT_RUN_AGAIN;
}

static EXIT(exit_unknown)
{
	vcpu_fail(vcpu, GATE_END_GUEST);
}

/* The vCPU could take an interrupt now: vcpu_handle_pending() looks again. */
static EXIT(exit_window)
{
	vcpu_priority_changed(vcpu);
	return EXIT_RUN_AGAIN;
}

static EXIT(exit_invalid)
{
	vcpu_fail(vcpu, GATE_END_REFUSED);
}

/*
 * The interrupt is pending: let it in.  What waits for a window may go in now,
 * which spares another exit; and Bochs 2.7's AMD-V forgets a window over a host
 * interrupt.
 */
static EXIT(exit_host_interrupt)
{
	irq_enable();
	__asm__ volatile("nop");
	irq_disable();
	if (vcpu->window != WINDOW_NONE)
		vcpu_priority_changed(vcpu);
	return EXIT_RUN_AGAIN;
}

static EXIT(exit_nothing)
{
	return EXIT_RUN_AGAIN;
}

static inline void cpuid_answer(uint64_t *gpr, const struct cpuid_regs *regs)
{
	gpr[X86_RAX] = regs->eax;
	gpr[X86_RBX] = regs->ebx;
	gpr[X86_RCX] = regs->ecx;
	gpr[X86_RDX] = regs->edx;
}

void cpuid_execute(struct vcpu *vcpu, uint32_t eax, uint32_t ecx)
{
	const struct cpuid_leaf *leaf = cpuid_find(vcpu->cpuid, eax, ecx);
	struct cpuid_regs regs = leaf->regs;

	if (leaf->patch)
		cpuid_complete(vcpu, leaf, ecx, &regs);
	cpuid_answer(vcpu->vendor.state->gpr, &regs);
}

static __noinline EXIT(exit_cpuid_rare)
{
	const uint64_t *gpr = vcpu->vendor.state->gpr;

	cpuid_execute(vcpu, (uint32_t)gpr[X86_RAX], (uint32_t)gpr[X86_RCX]);
	return skip(vcpu, info, EMUL_EXPECT_CPUID);
}

/* Straight from the table where the leaf says it all, as most do. */
static EXIT(exit_cpuid)
{
	uint64_t *gpr = vcpu->vendor.state->gpr;
	const struct cpuid_leaf *leaf =
		cpuid_find_first(vcpu->cpuid, (uint32_t)gpr[X86_RAX]);

	if (unlikely(!leaf || leaf->patch | leaf->subleaf_count))
		return exit_cpuid_rare(vcpu, info);
	cpuid_answer(gpr, &leaf->regs);
	return skip(vcpu, info, EMUL_EXPECT_CPUID);
}

static EXIT(exit_hlt)
{
	__atomic_fetch_or(&vcpu->pending, PENDING_HALTED, __ATOMIC_RELAXED);
	return skip(vcpu, info, EMUL_EXPECT_HLT);
}

static EXIT(exit_pause)
{
	sched_yield_to(NULL);
	return skip(vcpu, info, EMUL_EXPECT_PAUSE);
}

/* The post that counts such a write, or NULL: see include/gate.h. */
static struct gate_post *post_find(struct gate_page *page, uint16_t port,
				   uint8_t value)
{
	const uint32_t both = GATE_EXTINT_LEVEL | GATE_EXTINT_TAKEN;

	for (unsigned i = 0; i < GATE_POSTS; i++) {
		struct gate_post *post = &page->post[i];

		if (__atomic_load_n(&post->enabled, __ATOMIC_SEQ_CST) &&
		    post->port == port && post->value == value)
			return (__atomic_load_n(&page->extint,
						__ATOMIC_SEQ_CST) &
				both) == GATE_EXTINT_LEVEL
				       ? NULL
				       : post;
	}
	return NULL;
}

/* A write that may wait is counted; or not so, and the machine must see. */
static __noinline enum exit_action post_try(struct vcpu *vcpu, uint16_t port)
{
	struct gate_page *page = vcpu->page;
	struct gate_post *post =
		post_find(page, port, (uint8_t)page->state.gpr[X86_RAX]);

	if (!post)
		return EXIT_TO_MACHINE;
	__atomic_fetch_add(&post->count, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&post->enabled, __ATOMIC_SEQ_CST))
		return EXIT_RUN_AGAIN;
	page->exit = GATE_EXIT_NONE;
	return EXIT_TO_MACHINE;
}

#define ACCESS_OUT8 FIELD_PUT(GATE_IO_SIZE, 1)

static EXIT(exit_io)
{
	struct gate_page *page = vcpu->page;

	page->io = info->io;
	if (info->io.access & GATE_IO_STRING)
		return to_machine(vcpu, GATE_EXIT_IO_STRING);
	page->state.rip += info->length;
	page->exit = GATE_EXIT_IO;
	if (unlikely(is_step_due(vcpu)))
		step_over(vcpu);
	else if (page->post[0].enabled && info->io.access == ACCESS_OUT8)
		return post_try(vcpu, info->io.port);
	return EXIT_TO_MACHINE;
}

/* A register that is not the monitor's may be one of the machine's. */
static enum exit_action msr_failed(struct vcpu *vcpu, int error)
{
	return error == -ENOENT ? to_machine(vcpu, GATE_EXIT_EMULATE)
				: raise_gp(vcpu);
}

static EXIT(exit_msr)
{
	uint64_t *gpr = vcpu->vendor.state->gpr;
	uint32_t msr = (uint32_t)gpr[X86_RCX];
	uint64_t value;
	int error;

	if (info->is_write) {
		value = (gpr[X86_RDX] << 32) | (uint32_t)gpr[X86_RAX];
		error = msr_exit_write(vcpu, msr, value);
		if (unlikely(error))
			return msr_failed(vcpu, error);
		return skip(vcpu, info, EMUL_EXPECT_WRMSR);
	}
	error = msr_exit_read(vcpu, msr, &value);
	if (unlikely(error))
		return msr_failed(vcpu, error);
	gpr[X86_RAX] = (uint32_t)value;
	gpr[X86_RDX] = value >> 32;
	return skip(vcpu, info, EMUL_EXPECT_RDMSR);
}

static EXIT(exit_emulate)
{
	return to_machine(vcpu, info->reason == EXIT_SHADOWED
					? GATE_EXIT_SHADOWED
					: GATE_EXIT_EMULATE);
}

static EXIT(exit_emulate_run)
{
	vcpu->page->run.count = info->emulate.count;
	vcpu->page->run.event = info->emulate.event;
	return to_machine(vcpu, GATE_EXIT_EMULATE_RUN);
}

static EXIT(exit_nested)
{
	struct gate_mmio *mmio = &vcpu->page->mmio;

	*mmio = info->nested;
	if (!info->nested.access &&
	    info->nested.gpa - apic_page_gpa(&vcpu->apic) < PAGE_SIZE)
		mmio->apic_value =
			apic_mmio_read(&vcpu->apic, info->nested.gpa & 0xff0);
	return to_machine(vcpu, GATE_EXIT_MMIO);
}

/*
 * On processors that could meet two sizes of one executable page (see
 * speculation.h) large leaves may not be executed: this one becomes a table of
 * small ones that may.  An EPT violation drops the translations it came from.
 */
static EXIT(exit_fetch)
{
	struct vm *vm = vcpu->vm;
	int error;

	if (!this_host()->speculation.itlb_multihit)
		return exit_nested(vcpu, info);
	domain_lock(&vcpu->user);
	error = table_make_executable(&vm->nested, info->nested.gpa);
	domain_unlock(&vcpu->user);
	if (error == -ENOMEM)
		vcpu_fail(vcpu, GATE_END_MEMORY);
	return EXIT_RUN_AGAIN;
}

/* Of all the page's registers the one that each interrupt needs. */
static EXIT(exit_apic_eoi)
{
	apic_mmio_write(&vcpu->apic, APIC_REG_EOI * 16, 0);
	vcpu_priority_changed(vcpu);
	return skip(vcpu, info, EMUL_EXPECT_COUNT); /* its length is known */
}

/* What the guest wrote may do more than be read again. */
static EXIT(exit_apic_write)
{
	apic_page_written(&vcpu->apic, info->apic_offset);
	vcpu_priority_changed(vcpu);
	return EXIT_RUN_AGAIN;
}

/* Unless the machine has some, all are unknown. */
static EXIT(exit_hypercall)
{
	if (vcpu->page->takes_hypercalls)
		return to_machine(vcpu, GATE_EXIT_EMULATE);
	vcpu->vendor.state->gpr[X86_RAX] = GATE_HYPERCALL_UNKNOWN;
	return skip(vcpu, info, EMUL_EXPECT_VMMCALL);
}

/* Guest memory is write-back and coherent: there is nothing to flush. */
static EXIT(exit_caches)
{
	return skip(vcpu, info,
		    info->reason == EXIT_INVD ? EMUL_EXPECT_INVD
					      : EMUL_EXPECT_WBINVD);
}

static EXIT(exit_undefined)
{
	vcpu_inject(vcpu, X86_VECTOR_UD, false, 0);
	return EXIT_RUN_AGAIN;
}

/* Triple fault: the board resets, as a PC's chip set does. */
static EXIT(exit_shutdown)
{
	vlog_warn(&vcpu->log, "triple fault at RIP %lx: reset",
		  vcpu->vendor.state->rip);
	vcpu->page->exit = GATE_EXIT_SHUTDOWN;
	return EXIT_TO_MACHINE;
}

static enum exit_action exit_machine_check(struct vcpu *vcpu)
{
	struct mcheck_error error;

	if (mcheck_take(&error) != MCHECK_LOST)
		return EXIT_RUN_AGAIN;
	vlog_err(&vcpu->log, "machine check: bank %u, status %lx, address %lx",
		 error.bank, error.status, error.address);
	vcpu_fail(vcpu, GATE_END_MACHINE_CHECK);
}

static EXIT(exit_exception)
{
	/* Taken from the guest only so that it cannot loop without end. */
	if (info->vector == X86_VECTOR_DB || info->vector == X86_VECTOR_AC) {
		vcpu_inject(vcpu, info->vector, info->vector == X86_VECTOR_AC,
			    0);
		return EXIT_RUN_AGAIN;
	}
	if (info->vector == X86_VECTOR_MC)
		return exit_machine_check(vcpu);
	/* One that the monitor did not ask for. */
	vcpu_fail(vcpu, GATE_END_GUEST);
}

/* clang-format off */
const exit_fn exit_handlers[EXIT_REASON_COUNT] = {
	[EXIT_UNKNOWN]          = exit_unknown,
	[EXIT_INVALID]          = exit_invalid,
	[EXIT_HOST_INTERRUPT]   = exit_host_interrupt,
	[EXIT_HOST_NMI]         = exit_nothing,
	[EXIT_INTERRUPT_WINDOW] = exit_window,
	[EXIT_NMI_WINDOW]       = exit_window,
	[EXIT_CPUID]            = exit_cpuid,
	[EXIT_HLT]              = exit_hlt,
	[EXIT_PAUSE]            = exit_pause,
	[EXIT_IO]               = exit_io,
	[EXIT_MSR]              = exit_msr,
	[EXIT_CR]               = exit_emulate,
	[EXIT_DR]               = exit_emulate,
	[EXIT_NESTED]           = exit_nested,
	[EXIT_FETCH]            = exit_fetch,
	[EXIT_APIC_EOI]         = exit_apic_eoi,
	[EXIT_APIC_WRITE]       = exit_apic_write,
	[EXIT_HYPERCALL]        = exit_hypercall,
	[EXIT_WBINVD]           = exit_caches,
	[EXIT_INVD]             = exit_caches,
	[EXIT_XSETBV]           = exit_emulate,
	[EXIT_UNDEFINED]        = exit_undefined,
	[EXIT_SHUTDOWN]         = exit_shutdown,
	[EXIT_EXCEPTION]        = exit_exception,
	[EXIT_EMULATE]          = exit_emulate,
	[EXIT_SHADOWED]         = exit_emulate,
	[EXIT_EMULATE_RUN]      = exit_emulate_run,
};
/* clang-format on */
