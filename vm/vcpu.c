/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU: what is pending, what goes in at the next entry, and the loop
 * that runs the guest until the machine is needed.
 *
 * An entry's way: vcpu_resume() takes the machine's answer to the last exit,
 * vcpu_handle_pending() looks after what is pending (rarely: one test decides),
 * the back end runs the guest, the exit's handler says whether to go on or to
 * return to the machine.
 */
#include "vm/vm.h"

#include "kernel/cpu.h"
#include "kernel/trap.h"
#include "include/x86_msr.h"
#include "lib/string.h"

/*
 * A CPU that runs somebody else is left in peace: its switch to this thread
 * comes before the thread's next look at pending (switch_away()).  Bits that
 * stand already have been seen to by whoever set them, and are cleared before
 * what they announce is looked at; but for EXTINT, which may stand for nothing.
 */
uint32_t vcpu_notify(struct vcpu *vcpu, uint32_t pending)
{
	struct thread *thread = vcpu->user.thread;
	uint32_t old =
		__atomic_fetch_or(&vcpu->pending, pending, __ATOMIC_SEQ_CST);

	if (!(pending & (~old | PENDING_EXTINT)))
		return old;
	/* Should it move meanwhile, it comes in elsewhere after this. */
	if (thread->cpu != this_cpu() &&
	    __atomic_load_n(&thread->cpu->thread, __ATOMIC_SEQ_CST) == thread)
		cpu_kick(thread->cpu);
	thread_wake(thread);
	return old;
}

static void pending_clear(struct vcpu *vcpu, uint32_t bits)
{
	__atomic_fetch_and(&vcpu->pending, ~bits, __ATOMIC_SEQ_CST);
}

void vcpu_pend(struct vcpu *vcpu, uint32_t bits)
{
	__atomic_fetch_or(&vcpu->pending, bits, __ATOMIC_SEQ_CST);
}

void vcpu_priority_changed(struct vcpu *vcpu)
{
	vcpu->window = WINDOW_NONE;
	if (unlikely(vcpu->vm->intr_level))
		vcpu_pend(vcpu, PENDING_EXTINT);
}

/*
 * The image that a fault pushes has RF set, which no processor does by itself
 * for an injected one; of #DB only who raises it knows which kind it is.  An
 * exception ends HLT.
 */
void vcpu_inject(struct vcpu *vcpu, uint8_t vector, bool has_error_code,
		 uint32_t error_code)
{
	struct event event = {
		.kind = EVENT_EXCEPTION,
		.vector = vector,
		.has_error_code = has_error_code,
		.error_code = error_code,
	};

	if (vector != X86_VECTOR_DB)
		vcpu->vendor.state->rflags |= X86_FLAG_RF;
	pending_clear(vcpu, PENDING_HALTED);
	vcpu->back->inject(&vcpu->vendor, &event);
}

/* ---- State after reset and INIT ---------------------------------------- */

#define RESET_SELECTOR_CS 0xf000
#define RESET_BASE_CS	  0xffff0000
#define RESET_RIP	  0xfff0
#define RESET_LIMIT	  0xffff
#define RESET_CR0	  (X86_CR0_CD | X86_CR0_NW | X86_CR0_ET)
/* WB WT UC- UC, twice */
#define RESET_PAT	  0x0007040600070406ULL

#define ATTR_CODE                                                      \
	(X86_ATTR_P | X86_ATTR_S | X86_ATTR_CODE | X86_ATTR_READABLE | \
	 X86_ATTR_ACCESSED)
#define ATTR_DATA \
	(X86_ATTR_P | X86_ATTR_S | X86_ATTR_WRITABLE | X86_ATTR_ACCESSED)
#define ATTR_LDT      (X86_ATTR_P | 2)
#define ATTR_TSS_BUSY (X86_ATTR_P | 11)

/* APM volume 2, "Processor Initialization State"; XSTATE apart. */
static void state_reset(struct x86_state *state, uint32_t signature)
{
	static const struct x86_segment data = {
		.limit = RESET_LIMIT,
		.attributes = ATTR_DATA,
	};

	memset(state, 0, sizeof(*state));
	state->gpr[X86_RDX] = signature;
	state->rip = RESET_RIP;
	state->rflags = X86_FLAG_ONE;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		state->seg[i] = data;
	state->seg[X86_CS].selector = RESET_SELECTOR_CS;
	state->seg[X86_CS].base = RESET_BASE_CS;
	state->seg[X86_CS].attributes = ATTR_CODE;
	state->ldtr.limit = state->tr.limit = RESET_LIMIT;
	state->gdtr.limit = state->idtr.limit = RESET_LIMIT;
	state->ldtr.attributes = ATTR_LDT;
	state->tr.attributes = ATTR_TSS_BUSY;
	state->cr0 = RESET_CR0;
	state->dr6 = X86_DR6_ONES;
	state->dr7 = X86_DR7_ONE;
	state->valid = state->dirty = X86_GROUP_SEGMENTS | X86_GROUP_TABLES |
				      X86_GROUP_CONTROL | X86_GROUP_DEBUG |
				      X86_GROUP_SYSCALL | X86_GROUP_GPR_RIP;
}

static void vcpu_reset_state(struct vcpu *vcpu)
{
	uint32_t signature = cpuid_find(vcpu->cpuid, 1, 0)->regs.eax;

	state_reset(vcpu->vendor.state, signature);
	vcpu->vendor.tpr = 0;
	vcpu->back->events_clear(&vcpu->vendor);
	vcpu->page->inject.is_valid = false;
	vcpu->page->halt = false;
	vcpu->extint = 0;
	vcpu->window = WINDOW_NONE;
	vcpu->vendor.has_changed = true;
}

void vcpu_cpuid_known(struct vcpu *vcpu)
{
	vcpu->vendor.state->gpr[X86_RDX] =
		cpuid_find(vcpu->cpuid, 1, 0)->regs.eax;
	pending_clear(vcpu, PENDING_NO_CPUID);
}

/*
 * After a reset that did not come through the machine: what is marked dirty
 * would else only be stored when the machine next resumes, over newer state.
 */
static void state_write_back(struct vcpu *vcpu)
{
	struct x86_state *state = vcpu->vendor.state;
	uint32_t dirty = state->dirty;

	state->dirty = 0;
	vcpu->back->state_store(&vcpu->vendor, dirty);
}

/* INIT: like reset, but for what the manual keeps; then wait for SIPI. */
static void vcpu_take_init(struct vcpu *vcpu)
{
	/* A SIPI that is pending came after it: see its sender. */
	pending_clear(vcpu, PENDING_INIT | PENDING_HALTED | PENDING_STEP |
				    PENDING_UNHALT);
	vcpu_reset_state(vcpu);
	apic_reset_init(&vcpu->apic);
	if (vcpu->id != 0)
		vcpu_pend(vcpu, PENDING_WAIT_SIPI);
}

/*
 * SIPI: start at vector * 4 KiB in real mode; only of use while waiting.  With
 * an INIT that has come meanwhile it is that one's, or lost: INIT goes first.
 */
static void vcpu_take_sipi(struct vcpu *vcpu)
{
	struct x86_state *state = vcpu->vendor.state;
	uint8_t vector = __atomic_load_n(&vcpu->sipi_vector, __ATOMIC_ACQUIRE);
	uint32_t before = vcpu->pending,
		 done = PENDING_SIPI | PENDING_WAIT_SIPI;

	do {
		if (before & PENDING_INIT)
			return;
	} while (!__atomic_compare_exchange_n(
		&vcpu->pending, &before, before & ~done, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (!(before & PENDING_WAIT_SIPI))
		return;
	vcpu->back->state_load(&vcpu->vendor, X86_GROUP_SEGMENTS);
	state->rip = 0;
	state->seg[X86_CS].selector = (uint16_t)(vector << 8);
	state->seg[X86_CS].base = (uint64_t)vector << PAGE_SHIFT;
	vcpu->back->state_store(&vcpu->vendor, X86_GROUP_SEGMENTS);
}

/* What a reset changes beyond INIT. */
void vcpu_reset_all(struct vcpu *vcpu)
{
	vcpu_reset_state(vcpu);
	fpu_forget(vcpu);
	vcpu->vendor.pat = RESET_PAT;
	apic_reset(&vcpu->apic);
	msr_reset(&vcpu->msr);
	if (vcpu->id != 0)
		vcpu_pend(vcpu, PENDING_WAIT_SIPI);
}

/* What a vCPU was told before a reset, or was about to do. */
#define PENDING_BEFORE_RESET                                                \
	(PENDING_INIT | PENDING_SIPI | PENDING_NMIS | PENDING_HALTED |      \
	 PENDING_EOI | PENDING_APIC_TIMER | PENDING_EXTINT | PENDING_STEP | \
	 PENDING_UNHALT)

/* domain_lock() held: the VM's reset is over, and nothing of before it comes.
 */
static void vcpu_take_reset(struct vcpu *vcpu)
{
	/* It may be about to fire on a CPU that the vCPU has left. */
	timer_cancel_sync(&vcpu->apic_timer);
	pending_clear(vcpu, PENDING_RESET | PENDING_HALTED | PENDING_EOI |
				    PENDING_APIC_TIMER | PENDING_STEP);
	memset(vcpu->eoi, 0, sizeof(vcpu->eoi));
	vcpu_reset_all(vcpu);
}

/*
 * In three steps, so that it is one moment for all vCPUs: each is made to leave
 * the guest and to take a reset before it goes back; what they sent each other
 * until then is dropped; then each takes its own, when it next looks, for which
 * it waits until this is over (domain_lock()).
 */
void vm_reset(struct vm *vm, struct vcpu *caller)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i] != caller)
			vcpu_notify(vm->vcpu[i], PENDING_RESET);
	domain_sync(vm->domain);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		pending_clear(vm->vcpu[i], PENDING_BEFORE_RESET);
	__atomic_store_n(&vm->intr_level, false, __ATOMIC_RELAXED);
	vcpu_take_reset(caller);
}

/* ---- Interrupts -------------------------------------------------------- */

enum next_step { NEXT_RUN, NEXT_MACHINE, NEXT_AGAIN };

static void window_open(struct vcpu *vcpu, int16_t vector)
{
	vcpu->window = vector;
	vcpu->back->open_window(&vcpu->vendor, EVENT_INTERRUPT,
				(unsigned)vector >> 4);
}

static void inject_interrupt(struct vcpu *vcpu, uint8_t vector)
{
	struct event event = { .kind = EVENT_INTERRUPT, .vector = vector };

	pending_clear(vcpu, PENDING_HALTED);
	vcpu->back->inject(&vcpu->vendor, &event);
}

/*
 * As a processor keeps them, one is handled and one waits: where two wait and
 * one is being handled, the second is lost.  False: none went in, for which
 * interrupts need not wait.
 */
static bool handle_nmi(struct vcpu *vcpu)
{
	struct event event = { .kind = EVENT_NMI, .vector = X86_VECTOR_NMI };
	bool goes_in = vcpu->back->can_inject(&vcpu->vendor, EVENT_NMI);
	uint32_t one = vcpu->pending & PENDING_NMIS;

	if (one == PENDING_NMIS)
		one = PENDING_NMI_TWO;
	else if (!goes_in)
		one = 0;
	if (goes_in)
		vcpu->back->inject(&vcpu->vendor, &event);
	if (!vcpu->back->can_inject(&vcpu->vendor, EVENT_NMI_SECOND))
		pending_clear(vcpu, one);
	if (goes_in)
		pending_clear(vcpu, PENDING_HALTED);
	if (vcpu->pending & PENDING_NMIS)
		vcpu->back->open_window(&vcpu->vendor, EVENT_NMI,
					VENDOR_PRIORITY_ABOVE_TPR);
	return goes_in;
}

/* What the 8259 pair offers, or shall be asked for, through LINT0 as it is. */
static uint32_t extint_waiting(const struct vcpu *vcpu)
{
	uint32_t extint =
		__atomic_load_n(&vcpu->page->extint, __ATOMIC_SEQ_CST);

	if (!(extint & GATE_EXTINT_LEVEL) || vcpu->id != 0 ||
	    (extint & (GATE_EXTINT_TAKEN | GATE_EXTINT_MORE)) ==
		    GATE_EXTINT_TAKEN ||
	    !apic_extint_enabled(&vcpu->apic))
		return 0;
	return extint;
}

static void extint_take(struct vcpu *vcpu, uint32_t extint)
{
	bool has_more = extint & GATE_EXTINT_MORE;

	/* The machine may withdraw it at any time: then it tells again. */
	if (!__atomic_compare_exchange_n(&vcpu->page->extint, &extint,
					 extint | GATE_EXTINT_TAKEN, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	vcpu->extint = extint | GATE_EXTINT_TAKEN;
	vcpu->window = WINDOW_NONE;
	__atomic_store_n(&vcpu->vm->intr_level, has_more, __ATOMIC_SEQ_CST);
	inject_interrupt(vcpu, (uint8_t)FIELD_GET(GATE_EXTINT_VECTOR, extint));
	if (has_more)
		window_open(vcpu, WINDOW_EXTINT);
}

/*
 * The machine has said which vector the 8259 pair would answer with: to take it
 * is to mark it as acknowledged.  What the APIC does not let through waits: the
 * bit is set again when that may have changed.
 */
static enum next_step handle_extint(struct vcpu *vcpu)
{
	uint32_t extint;

	pending_clear(vcpu, PENDING_EXTINT);
	extint = extint_waiting(vcpu);
	if (!extint)
		return NEXT_RUN;
	if (!vcpu->back->can_inject(&vcpu->vendor, EVENT_INTERRUPT)) {
		window_open(vcpu, WINDOW_EXTINT);
		return NEXT_RUN;
	}
	if (extint & GATE_EXTINT_TAKEN)
		return NEXT_MACHINE;
	extint_take(vcpu, extint);
	return NEXT_RUN;
}

/*
 * The vector that only the TPR holds back, or -1.  The guest may lower it by
 * MOV to CR8 without an exit, so a window waits for that.  One in service
 * ends with an EOI, which is always seen.
 */
static int masked_by_priority(const struct vcpu *vcpu)
{
	const struct apic *apic = &vcpu->apic;

	if ((apic->irr_highest & 0xf0) <= (apic->isr_highest & 0xf0))
		return -1;
	return apic->irr_highest;
}

static enum next_step handle_interrupts(struct vcpu *vcpu, int vector)
{
	if (vcpu->pending & PENDING_EXTINT) {
		enum next_step next = handle_extint(vcpu);

		if (next != NEXT_RUN)
			return next;
	}
	if (vector < 0)
		vector = masked_by_priority(vcpu);
	if (vector <= vcpu->window)
		return NEXT_RUN;
	if (apic_pending_vector(&vcpu->apic) < 0 ||
	    !vcpu->back->can_inject(&vcpu->vendor, EVENT_INTERRUPT)) {
		window_open(vcpu, (int16_t)vector);
		return NEXT_RUN;
	}
	vcpu->window = WINDOW_NONE;
	/* Not vector: a higher one may have been posted since. */
	inject_interrupt(vcpu, apic_take(&vcpu->apic));
	return NEXT_RUN;
}

/* A level-triggered vector was acknowledged: tell the IOAPIC, one a time. */
static enum next_step handle_eoi(struct vcpu *vcpu)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vcpu->eoi); i++) {
		if (!vcpu->eoi[i])
			continue;
		vcpu->page->eoi.vector =
			i * 64 + (unsigned)__builtin_ctzll(vcpu->eoi[i]);
		vcpu->eoi[i] &= vcpu->eoi[i] - 1;
		vcpu->page->exit = GATE_EXIT_EOI;
		return NEXT_MACHINE;
	}
	pending_clear(vcpu, PENDING_EOI);
	return NEXT_RUN;
}

/* What ends a wait and is taken before anything is injected. */
#define PENDING_SIGNALS                                                     \
	(PENDING_EVENT | PENDING_INIT | PENDING_SIPI | PENDING_APIC_TIMER | \
	 PENDING_STOP | PENDING_RESET | PENDING_EOI)

static bool is_idle(struct vcpu *vcpu, int vector)
{
	uint32_t wakes = PENDING_SIGNALS | PENDING_NMIS;
	bool may_interrupt = vcpu->vendor.state->rflags & X86_FLAG_IF;

	if (vcpu->pending & PENDING_HALTED)
		wakes |= PENDING_UNHALT;
	if (vcpu->pending & PENDING_WAIT_SIPI ||
	    !vcpu->back->can_inject(&vcpu->vendor, EVENT_NMI))
		wakes &= ~(uint32_t)PENDING_NMIS;
	if (!(vcpu->pending & PENDING_WAIT_SIPI) && may_interrupt &&
	    (vector >= 0 || extint_waiting(vcpu)))
		return false;
	return !(__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST) & wakes);
}

static void handle_reset(struct vcpu *vcpu)
{
	domain_lock(&vcpu->user);
	vcpu_take_reset(vcpu);
	domain_unlock(&vcpu->user);
	state_write_back(vcpu);
	vcpu->page->exit = GATE_EXIT_RESET;
}

static __noreturn void fail_no_cpuid(struct vcpu *vcpu)
{
	irq_enable();
	vlog_err(&vcpu->user.domain->log,
		 "machine: GATE_RESUME before GATE_CPUID_SET");
	vcpu_fail(vcpu, GATE_END_FAULT);
}

static void handle_signals(struct vcpu *vcpu)
{
	if (vcpu->pending & PENDING_STOP)
		user_thread_exit(&vcpu->user);
	if (vcpu->pending & PENDING_NO_CPUID)
		fail_no_cpuid(vcpu);
	if (vcpu->pending & PENDING_KICK)
		pending_clear(vcpu, PENDING_KICK);
	/* Whatever ends this look: nobody kicks again for what is posted. */
	if (__atomic_load_n(&vcpu->apic.has_posted, __ATOMIC_RELAXED))
		apic_posted_merge(&vcpu->apic);
	if (vcpu->pending & PENDING_INIT) {
		vcpu_take_init(vcpu);
		state_write_back(vcpu);
	}
	if (vcpu->pending & PENDING_SIPI)
		vcpu_take_sipi(vcpu);
	if (vcpu->pending & PENDING_FLUSH) {
		pending_clear(vcpu, PENDING_FLUSH);
		vcpu->back->tlb_flush(&vcpu->vendor);
	}
	if (vcpu->pending & PENDING_APIC_TIMER) {
		pending_clear(vcpu, PENDING_APIC_TIMER);
		apic_timer_expired(&vcpu->apic);
	}
}

/* The instruction that the monitor did was to be single-stepped. */
static void handle_step(struct vcpu *vcpu)
{
	struct x86_state *state = vcpu->vendor.state;

	pending_clear(vcpu, PENDING_STEP);
	if (!vcpu->back->can_inject(&vcpu->vendor, EVENT_EXCEPTION))
		return;
	vcpu->back->state_load(&vcpu->vendor, X86_GROUP_DEBUG);
	state->dr6 = (state->dr6 & ~X86_DR6_MET) | X86_DR6_BS;
	state->dr7 &= ~X86_DR7_GD;
	vcpu->back->state_store(&vcpu->vendor, X86_GROUP_DEBUG);
	vcpu_inject(vcpu, X86_VECTOR_DB, false, 0);
}

/* The machine says that HLT is over, this one or the next. */
static void handle_unhalt(struct vcpu *vcpu)
{
	if (!(vcpu->pending & PENDING_HALTED))
		return;
	pending_clear(vcpu, PENDING_HALTED | PENDING_UNHALT);
	vcpu_priority_changed(vcpu);
}

/* In HLT, or before its SIPI.  False: look again at what is pending. */
static bool wait_ends(struct vcpu *vcpu, int vector)
{
	/* Nothing runs that a window could wait for. */
	vcpu->window = WINDOW_NONE;
	if (is_idle(vcpu, vector)) {
		vcpu->page->idle_ticks -= time_now_tsc();
		thread_block();
		vcpu->page->idle_ticks += time_now_tsc();
		return false;
	}
	/* From another CPU since they were looked at: the guest may not run
	 * past its HLT, or before its SIPI, for them. */
	if (__atomic_load_n(&vcpu->pending, __ATOMIC_RELAXED) &
	    (PENDING_SIGNALS | PENDING_UNHALT))
		return false;
	vcpu_priority_changed(vcpu);
	/* Said already, but not told yet: GATE_INTR is to come. */
	if (extint_waiting(vcpu))
		vcpu_pend(vcpu, PENDING_EXTINT);
	return true;
}

/* Everything that is not the plain way back into the guest. */
static __noinline enum next_step vcpu_handle_pending(struct vcpu *vcpu)
{
	enum next_step next;
	int vector;

	if (sched_should_yield(this_cpu()))
		sched_yield();
	if (vcpu->pending & PENDING_RESET) {
		handle_reset(vcpu);
		return NEXT_MACHINE;
	}
	handle_signals(vcpu);
	if (vcpu->pending & (PENDING_EVENT | PENDING_AWAY)) {
		pending_clear(vcpu, PENDING_EVENT | PENDING_AWAY);
		return NEXT_MACHINE;
	}
	if (vcpu->pending & PENDING_EOI) {
		next = handle_eoi(vcpu);
		if (next != NEXT_RUN)
			return next;
	}
	/* Before HLT waits, which a debug exception ends. */
	if (vcpu->pending & PENDING_STEP)
		handle_step(vcpu);
	if (vcpu->pending & PENDING_UNHALT)
		handle_unhalt(vcpu);
	vector = apic_pending_vector(&vcpu->apic);
	if (vcpu->pending & (PENDING_HALTED | PENDING_WAIT_SIPI) &&
	    !wait_ends(vcpu, vector))
		return NEXT_AGAIN;
	if (vcpu->pending & PENDING_NMIS && handle_nmi(vcpu))
		return NEXT_RUN;
	next = handle_interrupts(vcpu, vector);
	/* The machine has withdrawn what ended the wait. */
	if (next == NEXT_RUN && vcpu->pending & PENDING_HALTED &&
	    vcpu->back->can_inject(&vcpu->vendor, EVENT_INTERRUPT))
		return NEXT_AGAIN;
	return next;
}

/* ---- The machine's answer ---------------------------------------------- */

static void take_injection(struct vcpu *vcpu)
{
	struct gate_injection in = vcpu->page->inject;

	vcpu->page->inject.is_valid = false;
	if (in.vector >= 32 || in.vector == X86_VECTOR_NMI) {
		vlog_warn(&vcpu->log, "machine wants vector %u injected: no",
			  in.vector);
		return;
	}
	vcpu_inject(vcpu, in.vector, in.has_error_code, in.error_code);
}

/* The level as LINT0 has it in its other modes: an edge is a request. */
void vcpu_extint_changed(struct vcpu *vcpu)
{
	uint32_t extint =
		__atomic_load_n(&vcpu->page->extint, __ATOMIC_SEQ_CST);
	bool level = extint & GATE_EXTINT_LEVEL;

	if (!(extint & GATE_EXTINT_KNOWN) || extint & GATE_EXTINT_TAKEN)
		return;
	if (!__atomic_exchange_n(&vcpu->vm->intr_level, level,
				 __ATOMIC_SEQ_CST) &&
	    level)
		apic_lint_raise(&vcpu->apic, 0);
}

static __noinline void take_extint(struct vcpu *vcpu)
{
	vcpu->extint = vcpu->page->extint;
	if (vcpu->id != 0)
		return;
	vcpu_extint_changed(vcpu);
	if (extint_waiting(vcpu))
		vcpu_pend(vcpu, PENDING_EXTINT);
}

static __noinline void take_rare(struct vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;

	if (page->halt) {
		page->halt = false;
		vcpu_pend(vcpu, PENDING_HALTED);
	}
	if (page->inject.is_valid)
		take_injection(vcpu);
}

static void take_answer(struct vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;
	uint32_t dirty = page->state.dirty;

	if (dirty) {
		page->state.dirty = 0;
		if (dirty & X86_GROUP_XSTATE)
			fpu_store_page(vcpu);
		vcpu->back->state_store(&vcpu->vendor,
					dirty & ~(uint32_t)X86_GROUP_XSTATE);
		if (dirty & X86_GROUP_CONTROL)
			apic_tpr_set(&vcpu->apic, vcpu->vendor.tpr);
		/* The TPR, or a shadow that has ended. */
		if (dirty & (X86_GROUP_CONTROL | X86_GROUP_SEGMENTS))
			vcpu_priority_changed(vcpu);
	}
	if (unlikely(page->halt | page->inject.is_valid))
		take_rare(vcpu);
	if (unlikely(page->extint != vcpu->extint))
		take_extint(vcpu);
}

/* ---- Running ----------------------------------------------------------- */

/*
 * Asked before every entry: three loads and no more.  What is posted to the
 * APIC comes with PENDING_KICK.
 */
static inline bool is_pending(struct vcpu *vcpu)
{
	return unlikely(vcpu->pending) ||
	       unlikely(sched_should_yield(this_cpu())) ||
	       unlikely(vcpu->apic.irr_highest > vcpu->window);
}

static __noinline void take_tpr(struct vcpu *vcpu)
{
	apic_tpr_set(&vcpu->apic, vcpu->vendor.tpr);
	vcpu_priority_changed(vcpu);
}

static inline enum exit_action run_once(struct vcpu *vcpu)
{
	struct exit_info *info = &vcpu->last_exit;

	vcpu->vendor.tpr = apic_tpr(&vcpu->apic);
	vcpu->back->run(&vcpu->vendor, info);
	if (unlikely(vcpu->vendor.tpr != apic_tpr(&vcpu->apic)))
		take_tpr(vcpu);
	vcpu->exits[info->reason]++;
	return exit_handlers[info->reason](vcpu, info);
}

static __noinline void take_user_events(struct vcpu *vcpu)
{
	vcpu->page->events =
		__atomic_exchange_n(&vcpu->user.events, 0, __ATOMIC_SEQ_CST);
}

/*
 * Until nothing is left to look after.  A sibling may see to it that there is
 * always more: others get their turn in between.
 */
static __noinline enum next_step handle_all_pending(struct vcpu *vcpu)
{
	enum next_step next;

	for (;;) {
		vcpu->page->exit = GATE_EXIT_NONE;
		next = vcpu_handle_pending(vcpu);
		if (next != NEXT_AGAIN || !is_pending(vcpu))
			return next;
		sched_breathe();
	}
}

/*
 * Exits after which host interrupts are let in whatever the reasons were.  An
 * interrupt that waits makes the guest exit, but not one whose every entry ends
 * before its first instruction does: in an event's delivery that faults, say.
 */
#define EXITS_IN_A_ROW 32

long vcpu_resume(struct vcpu *vcpu)
{
	unsigned left = EXITS_IN_A_ROW;

	take_answer(vcpu);
	for (;;) {
		if (is_pending(vcpu) &&
		    handle_all_pending(vcpu) == NEXT_MACHINE)
			break;
		if (run_once(vcpu) == EXIT_TO_MACHINE)
			break;
		if (unlikely(!--left)) {
			left = EXITS_IN_A_ROW;
			sched_breathe();
		}
	}
	if (vcpu->back->to_machine)
		vcpu->back->to_machine(&vcpu->vendor);
	vcpu->page->events = 0;
	if (unlikely(vcpu->user.events))
		take_user_events(vcpu);
	return 0;
}
