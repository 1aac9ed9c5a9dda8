/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts of the host: the IDT, who gets what, reports.
 *
 * An exception in the monitor is a bug: it is reported with registers and a
 * backtrace and the host stops.  Two kinds are not: a fault in user_copy()
 * becomes -EFAULT, and an exception in ring 3 goes to struct trap_hooks.
 *
 * References: SDM volume 3, "Interrupt and Exception Handling".
 */
#include "kernel/trap.h"

#include "include/errno.h"
#include "include/log.h"
#include "include/panic.h"
#include "include/x86.h"
#include "include/x86_state.h"
#include "kernel/backtrace.h"
#include "kernel/host.h"
#include "kernel/mcheck.h"
#include "kernel/sched.h"
#include "lib/printf.h"
#include "mm/map.h"

#define SELECTOR_RPL MASK(1, 0)

struct user_fixup {
	uint64_t fault_rip;
	uint64_t resume_rip;
};

extern const struct user_fixup user_fixups[], user_fixups_end[];
int user_copy(void *to, const void *from, uint64_t length);
void trap_handle(struct trap_frame *frame);
void trap_prepare_user(struct trap_frame *frame);

uint64_t trap_idt[PAGE_SIZE / sizeof(uint64_t)] __aligned(PAGE_SIZE);

static void trap_frame_print(const struct trap_frame *f)
{
	log_err("rip %016lx cs  %04lx rflags %08lx rsp %016lx ss %04lx", f->rip,
		f->cs, f->rflags, f->rsp, f->ss);
	log_err("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx,
		f->rcx, f->rdx);
	log_err("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi,
		f->rbp, f->r8);
	log_err("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10,
		f->r11, f->r12);
	log_err("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
	log_err("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", cr0_read(),
		cr2_read(), cr3_read(), cr4_read());
}

/* The first to panic reports; the others just stop. */
static void panic_begin(void)
{
	struct host *host = this_host();
	unsigned i;

	irq_disable();
	if (__atomic_exchange_n(&host->is_panicking, true, __ATOMIC_SEQ_CST))
		cpu_halt_forever();
	for (i = 0; i < host->cpu_count; i++)
		if (host->cpu[i] && host->cpu[i] != this_cpu())
			lapic_send(&host->lapic, host->cpu[i]->apic_id,
				   LAPIC_NMI);
	log_panic(&host->log);
}

static __noreturn void panic_end(void)
{
	log_err("the host stops here");
	host_power_off(HOST_EXIT_CODE_PANIC);
}

__noinline void monitor_panic(const char *format, ...)
{
	uint64_t rsp = (uint64_t)__builtin_frame_address(0);
	va_list args;

	panic_begin();
	va_start(args, format);
	log_vprint(LOG_ERROR, "monitor panic: ", format, args);
	va_end(args);
	backtrace_print((uint64_t)__builtin_return_address(0), rsp);
	panic_end();
}

static __noreturn void exception_panic(const struct trap_frame *frame)
{
	/* What the manuals call them, two letters each. */
	static const char name[] = "DEDBNMBPOFBRUDNMDF--TSNPSSGPPF--MFACMCXM--";

	panic_begin();
	log_err("monitor panic: #%.2s (vector %lu, error 0x%lx) on CPU %u, "
		"thread %s",
		&name[2 * MIN(frame->vector, sizeof(name) / 2 - 1)],
		frame->vector, frame->error, this_cpu()->id,
		this_cpu()->thread ? this_cpu()->thread->name : "none");
	trap_frame_print(frame);
	backtrace_print(frame->rip, frame->rsp);
	panic_end();
}

static bool exception_fix_up(struct trap_frame *frame)
{
	const struct user_fixup *fixup;

	if (frame->vector != X86_VECTOR_PF && frame->vector != X86_VECTOR_GP)
		return false;
	for (fixup = user_fixups; fixup != user_fixups_end; fixup++) {
		if (fixup->fault_rip == frame->rip) {
			frame->rip = fixup->resume_rip;
			return true;
		}
	}
	return false;
}

static void user_exception(struct trap_frame *frame)
{
	const struct trap_hooks *hooks = this_host()->trap_hooks;

	if (!hooks)
		exception_panic(frame);
	hooks->user_exception(frame);
}

/* What was interrupted goes on, or ends: ring 3's VM, or the host. */
static void machine_check_handle(struct trap_frame *frame, bool is_user)
{
	struct mcheck_error error;

	if (mcheck_take(&error) != MCHECK_LOST)
		return;
	if (!is_user)
		monitor_panic("machine check: bank %u, status %lx, address %lx",
			      error.bank, error.status, error.address);
	log_err("machine check in a machine: bank %u, status %lx, address %lx",
		error.bank, error.status, error.address);
	user_exception(frame);
}

/*
 * TF, set by ring 3 across SYSCALL: the trap comes behind it, where the gate
 * begins.  TF is clear since: nothing is to be done.
 */
static bool is_gate_step(const struct trap_frame *frame)
{
	const struct trap_hooks *hooks = this_host()->trap_hooks;

	return frame->vector == X86_VECTOR_DB && hooks &&
	       hooks->is_gate_entry(frame->rip);
}

static void exception_handle(struct trap_frame *frame)
{
	bool is_user = frame->cs & SELECTOR_RPL;

	if (frame->vector == X86_VECTOR_NMI) {
		/* Sent by a CPU that panics; else stray, and ignored. */
		if (this_host()->is_panicking)
			cpu_halt_forever();
		return;
	}
	if (frame->vector == X86_VECTOR_MC) {
		machine_check_handle(frame, is_user);
		return;
	}
	if (is_user && frame->vector != X86_VECTOR_DF) {
		user_exception(frame);
		return;
	}
	if (!is_user && (exception_fix_up(frame) || is_gate_step(frame)))
		return;
	exception_panic(frame);
}

static void interrupt_handle(struct cpu *cpu, uint64_t vector)
{
	cpu->irq_count++;
	switch (vector) {
	case VECTOR_TIMER:
		lapic_eoi(&cpu->host->lapic);
		timer_interrupt(cpu);
		break;
	case VECTOR_KICK:
		/* For a guest, to be interrupted is all that was wanted. */
		lapic_eoi(&cpu->host->lapic);
		sched_kicked(cpu);
		break;
	case VECTOR_CALL:
		lapic_eoi(&cpu->host->lapic);
		cpu_call_serve(cpu);
		break;
	case VECTOR_ISA ... VECTOR_ISA + IRQ_COUNT - 1:
		irq_arrived(&cpu->host->irqs, (unsigned)vector - VECTOR_ISA,
			    cpu->apic_id);
		lapic_eoi(&cpu->host->lapic);
		break;
	case VECTOR_SPURIOUS:
		break;
	default:
		lapic_eoi(&cpu->host->lapic);
		log_warn("unexpected interrupt, vector 0x%lx", vector);
	}
}

void trap_handle(struct trap_frame *frame)
{
	if (frame->vector < VECTOR_EXCEPTIONS)
		exception_handle(frame);
	else
		interrupt_handle(this_cpu(), frame->vector);
}

void trap_prepare_user(struct trap_frame *frame)
{
	(void)frame;
	sched_before_user();
}

static bool range_is_user(const void *user, uint64_t length)
{
	uint64_t va = (uint64_t)user;

	return va < USER_END && length <= USER_END - va;
}

/* Interrupts keep AC as it is, and the handlers touch no user memory. */
static int user_copy_allowed(void *to, const void *from, uint64_t length)
{
	int error;

	if (!this_cpu()->has_smap)
		return user_copy(to, from, length) ? -EFAULT : 0;
	__asm__ volatile("stac" : : : "memory");
	error = user_copy(to, from, length);
	__asm__ volatile("clac" : : : "memory");
	return error ? -EFAULT : 0;
}

/* With page-table isolation ring 3's half is there for this moment alone. */
static int user_copy_mapped(void *to, const void *from, uint64_t length)
{
	const struct cpu *cpu = this_cpu();
	int error;

	if (!cpu->is_isolated)
		return user_copy_allowed(to, from, length);
	cr3_write(cpu->copy_root);
	error = user_copy_allowed(to, from, length);
	cr3_write(cpu->monitor_root);
	return error;
}

int copy_from_user(void *to, const void *user, uint64_t length)
{
	return range_is_user(user, length) ? user_copy_mapped(to, user, length)
					   : -EFAULT;
}

int copy_to_user(void *user, const void *from, uint64_t length)
{
	return range_is_user(user, length)
		       ? user_copy_mapped(user, from, length)
		       : -EFAULT;
}
