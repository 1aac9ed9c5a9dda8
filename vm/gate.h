/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of gate calls, within the monitor.
 *
 * A call's row says what it may touch, its scope, and which right it needs; the
 * row's entry does what that takes around the call's function:
 *
 *   thread  the calling thread's own and what is atomic: nothing (entry is fn)
 *   domain  what the domain's threads share: domain_lock()
 *   host	 other domains, channels: the right, and one caller at a time
 *
 * There are two tables: programs without a VM have no vCPU, and the rows that
 * want one refuse.  The thread's table and argument are in struct cpu while it
 * is current.
 */
#ifndef BULKHEAD_VM_GATE_H
#define BULKHEAD_VM_GATE_H

#include "include/gate.h"
#include "vm/domain.h"

struct gate_row;
struct trap_hooks;
typedef long (*gate_fn)(struct user_thread *user, uint64_t a, uint64_t b,
			uint64_t c, uint64_t d, const struct gate_row *row);

struct gate_row {
	gate_fn entry; /* what vm/gate_entry.asm calls */
	gate_fn fn;
	uint64_t right; /* GATE_RIGHT_*; 0: none */
	uint64_t reserved;
};
#define GATE_ROW_SHIFT 5
_Static_assert(GATE_RESUME == 0, "the entry knows its row");
_Static_assert(sizeof(struct gate_row) == 1 << GATE_ROW_SHIFT, "for the entry");

/* Some without a call: the number is cut to this where it is only guessed. */
#define GATE_ROWS 64
_Static_assert(GATE_CALL_COUNT <= GATE_ROWS, "a row for each call");

/* For threads with a vCPU, and for others. */
extern const struct gate_row gate_calls_vm[GATE_ROWS];
extern const struct gate_row gate_calls_program[GATE_ROWS];

#define GATE_CALL(name)                                                 \
	long name(struct user_thread *user __maybe_unused,              \
		  uint64_t a __maybe_unused, uint64_t b __maybe_unused, \
		  uint64_t c __maybe_unused, uint64_t d __maybe_unused, \
		  const struct gate_row *row __maybe_unused)

/* vm/gate_vm.c */
GATE_CALL(gate_resume);
GATE_CALL(gate_state_load);
GATE_CALL(gate_line);
GATE_CALL(gate_msi);
GATE_CALL(gate_apic_read);
GATE_CALL(gate_apic_write);
GATE_CALL(gate_map);
GATE_CALL(gate_release);
GATE_CALL(gate_fill);
GATE_CALL(gate_reset);
GATE_CALL(gate_intr);
GATE_CALL(gate_kick);
GATE_CALL(gate_msr_read);
GATE_CALL(gate_msr_write);
GATE_CALL(gate_cpuid);
GATE_CALL(gate_cpuid_facts);
GATE_CALL(gate_cpuid_set);
GATE_CALL(gate_xcr0_set);

/* vm/gate_program.c */
GATE_CALL(gate_wait);
GATE_CALL(gate_wake);
GATE_CALL(gate_yield);
GATE_CALL(gate_timer);
GATE_CALL(gate_event_route);
GATE_CALL(gate_exit);
GATE_CALL(gate_log);
GATE_CALL(gate_irq_ack);
GATE_CALL(gate_log_read);
GATE_CALL(gate_doorbell);
GATE_CALL(gate_channel_state);
GATE_CALL(gate_channel_detach);

/* vm/gate_host.c */
GATE_CALL(gate_port_read);
GATE_CALL(gate_port_write);
GATE_CALL(gate_port_write_string);
GATE_CALL(gate_domain_create);
GATE_CALL(gate_domain_map);
GATE_CALL(gate_domain_write);
GATE_CALL(gate_domain_read);
GATE_CALL(gate_domain_start);
GATE_CALL(gate_domain_stop);
GATE_CALL(gate_domain_query);
GATE_CALL(gate_domain_destroy);
GATE_CALL(gate_channel_create);
GATE_CALL(gate_channel_attach);
GATE_CALL(gate_channel_close);
GATE_CALL(gate_channel_memory);
GATE_CALL(gate_host_info);
GATE_CALL(gate_host_off);
GATE_CALL(gate_log_level);

/* vm/gate.c, vm/gate_entry.asm */
extern const struct trap_hooks gate_trap_hooks;
extern char gate_syscall[], gate_syscall_isolated[];
extern char gate_syscall32[], gate_syscall32_isolated[];
__noreturn void gate_enter_user(uint64_t rip, uint64_t rsp, uint64_t arg);

/* vm/device.c */
GATE_CALL(gate_device_read);
GATE_CALL(gate_device_write);
GATE_CALL(gate_device_ack);
GATE_CALL(gate_pci_info);
GATE_CALL(gate_device_grant);

#endif
