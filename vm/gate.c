/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: its table, the ways in, and what happens to a program that comes in
 * by another.  What arrives here comes from programs that may be bad: nothing
 * is believed, and a bad call changes nothing.
 */
#include "vm/gate.h"

#include "include/errno.h"
#include "include/x86.h"
#include "kernel/cpu.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "vm/vm.h"

/* ---- Scopes -------------------------------------------------------------- */

static long entry_domain(struct user_thread *user, uint64_t a, uint64_t b,
			 uint64_t c, uint64_t d, const struct gate_row *row)
{
	long result;

	domain_lock(user);
	result = row->fn(user, a, b, c, d, row);
	domain_unlock(user);
	return result;
}

static bool has_right(const struct user_thread *user,
		      const struct gate_row *row)
{
	return !(row->right & ~user->domain->spec.rights);
}

static long entry_right(struct user_thread *user, uint64_t a, uint64_t b,
			uint64_t c, uint64_t d, const struct gate_row *row)
{
	return has_right(user, row) ? row->fn(user, a, b, c, d, row) : -EPERM;
}

/* One caller at a time; who waits lets others run. */
static long entry_host(struct user_thread *user, uint64_t a, uint64_t b,
		       uint64_t c, uint64_t d, const struct gate_row *row)
{
	struct spinlock *lock = &vm_host()->gate_lock;
	long result;

	if (!has_right(user, row))
		return -EPERM;
	while (!spin_trylock(lock))
		user_breathe(user);
	result = row->fn(user, a, b, c, d, row);
	spin_unlock(lock);
	/* It may have let interrupts in without a look at what they want. */
	if (sched_should_yield(this_cpu()))
		sched_yield();
	return result;
}

static GATE_CALL(gate_unknown)
{
	return -ENOSYS;
}

/* Of a program without a VM. */
static GATE_CALL(gate_no_vm)
{
	return -EPERM;
}

/* ---- The table ----------------------------------------------------------- */

/* clang-format off */
#define THREAD(f)	 { .entry = f, .fn = f }
#define DOMAIN(f)	 { .entry = entry_domain, .fn = f }
#define RIGHT(f, which)	 { .entry = entry_right, .fn = f, .right = which }
#define HOST(f)		 { .entry = entry_host, .fn = f, \
			   .right = GATE_RIGHT_HOST }
#define NO_VM(f)	 { .entry = gate_no_vm, .fn = gate_no_vm }
#define NONE		 { .entry = gate_unknown, .fn = gate_unknown }

#define ROWS(vm_thread, vm_domain)                                            \
	[GATE_RESUME]            = vm_thread(gate_resume),                    \
	[GATE_STATE_LOAD]        = vm_thread(gate_state_load),                \
	[GATE_LINE]              = vm_thread(gate_line),                      \
	[GATE_MSI]               = vm_thread(gate_msi),                       \
	[GATE_APIC_READ]         = vm_thread(gate_apic_read),                 \
	[GATE_APIC_WRITE]        = vm_thread(gate_apic_write),                \
	[GATE_TIMER]             = DOMAIN(gate_timer),                        \
	[GATE_MAP]               = vm_domain(gate_map),                       \
	[GATE_RELEASE]           = vm_domain(gate_release),                   \
	[GATE_FILL]              = vm_thread(gate_fill),                      \
	[GATE_LOG]               = THREAD(gate_log),                          \
	[GATE_YIELD]             = THREAD(gate_yield),                        \
	[GATE_MSR_READ]          = vm_thread(gate_msr_read),                  \
	[GATE_MSR_WRITE]         = vm_thread(gate_msr_write),                 \
	[GATE_CPUID]             = vm_thread(gate_cpuid),                     \
	[GATE_CPUID_FACTS]       = vm_thread(gate_cpuid_facts),               \
	[GATE_CPUID_SET]         = vm_domain(gate_cpuid_set),                 \
	[GATE_XCR0_SET]          = vm_thread(gate_xcr0_set),                  \
	[GATE_RESET]             = vm_domain(gate_reset),                     \
	[GATE_INTR]              = vm_thread(gate_intr),                      \
	[GATE_KICK]              = vm_thread(gate_kick),                      \
	[GATE_WAIT]              = THREAD(gate_wait),                         \
	[GATE_WAKE]              = THREAD(gate_wake),                         \
	[GATE_EVENT_ROUTE]       = THREAD(gate_event_route),                  \
	[GATE_EXIT]              = THREAD(gate_exit),                         \
	[GATE_DOORBELL]          = THREAD(gate_doorbell),                     \
	[GATE_CHANNEL_STATE]     = THREAD(gate_channel_state),                \
	[GATE_CHANNEL_DETACH]    = DOMAIN(gate_channel_detach),               \
	[GATE_PORT_READ]         = THREAD(gate_port_read),                    \
	[GATE_PORT_WRITE]        = THREAD(gate_port_write),                   \
	[GATE_PORT_WRITE_STRING] = THREAD(gate_port_write_string),            \
	[GATE_DOMAIN_CREATE]     = HOST(gate_domain_create),                  \
	[GATE_DOMAIN_MAP]        = HOST(gate_domain_map),                     \
	[GATE_DOMAIN_WRITE]      = HOST(gate_domain_write),                   \
	[GATE_DOMAIN_READ]       = HOST(gate_domain_read),                    \
	[GATE_DOMAIN_START]      = HOST(gate_domain_start),                   \
	[GATE_DOMAIN_STOP]       = HOST(gate_domain_stop),                    \
	[GATE_DOMAIN_QUERY]      = HOST(gate_domain_query),                   \
	[GATE_DOMAIN_DESTROY]    = HOST(gate_domain_destroy),                 \
	[GATE_CHANNEL_CREATE]    = HOST(gate_channel_create),                 \
	[GATE_CHANNEL_ATTACH]    = HOST(gate_channel_attach),                 \
	[GATE_CHANNEL_CLOSE]     = HOST(gate_channel_close),                  \
	[GATE_HOST_INFO]         = RIGHT(gate_host_info, GATE_RIGHT_HOST),    \
	[GATE_HOST_OFF]          = RIGHT(gate_host_off, GATE_RIGHT_HOST),     \
	[GATE_LOG_LEVEL]         = RIGHT(gate_log_level, GATE_RIGHT_HOST),    \
	[GATE_IRQ_ACK]           = THREAD(gate_irq_ack),                      \
	[GATE_LOG_READ]          = RIGHT(gate_log_read, GATE_RIGHT_LOG),      \
	[GATE_DEVICE_READ]       = THREAD(gate_device_read),                  \
	[GATE_DEVICE_WRITE]      = THREAD(gate_device_write),                 \
	[GATE_DEVICE_ACK]        = THREAD(gate_device_ack),                   \
	[GATE_PCI_INFO]          = RIGHT(gate_pci_info, GATE_RIGHT_HOST),     \
	[GATE_DEVICE_GRANT]      = HOST(gate_device_grant),                   \
	[GATE_CHANNEL_MEMORY]    = HOST(gate_channel_memory),                 \
	[GATE_CALL_COUNT ... GATE_ROWS - 1] = NONE

const struct gate_row gate_calls_vm[GATE_ROWS] = { ROWS(THREAD, DOMAIN) };
const struct gate_row gate_calls_program[GATE_ROWS] = { ROWS(NO_VM, NO_VM) };
/* clang-format on */

/* ---- Entry ------------------------------------------------------------- */

static bool is_gate_entry(uint64_t rip)
{
	return rip == (uint64_t)gate_syscall ||
	       rip == (uint64_t)gate_syscall_isolated ||
	       rip == (uint64_t)gate_syscall32 ||
	       rip == (uint64_t)gate_syscall32_isolated;
}

/* ---- Programs that go wrong ---------------------------------------------- */

__noreturn void gate_bad_entry(void);

void gate_bad_entry(void)
{
	struct user_thread *user = this_cpu()->gate_arg;

	irq_enable();
	vlog_err(&user->domain->log, "machine: SYSCALL from 32-bit code");
	domain_end(user->domain, GATE_END_FAULT, 0, user->id);
	user_thread_exit(user);
}

/* Not ENDED before this thread has left: nobody reads the status yet. */
static __noreturn void fault_end(struct user_thread *user,
				 const struct trap_frame *frame,
				 uint64_t address)
{
	struct gate_domain_status *status = &user->domain->status;

	domain_end(user->domain, GATE_END_FAULT, 0, user->id);
	if (status->end == GATE_END_FAULT && status->thread == user->id) {
		status->vector = (uint32_t)frame->vector;
		status->error = frame->error;
		status->address = address;
		status->rip = frame->rip;
		status->rsp = frame->rsp;
		status->rflags = frame->rflags;
		memcpy(status->gpr, frame, sizeof(status->gpr));
		if (user->vcpu)
			vcpu_save(user->vcpu, status);
	}
	user_thread_exit(user);
}

/* A program did something that ring 3 may not: its domain ends, nothing else.
 */
static void user_exception(struct trap_frame *frame)
{
	struct user_thread *user = this_cpu()->gate_arg;
	uint64_t address = cr2_read();

	irq_enable();
	if (frame->vector == X86_VECTOR_PF &&
	    domain_fault(user, address, frame->error))
		return;
	fault_end(user, frame, address);
}

const struct trap_hooks gate_trap_hooks = {
	.user_exception = user_exception,
	.is_gate_entry = is_gate_entry,
};
