/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one host: everything that exists once.  Every struct cpu points to it.
 */
#ifndef BULKHEAD_HOST_H
#define BULKHEAD_HOST_H

#include "include/acpi.h"
#include "include/boot.h"
#include "include/compiler.h"
#include "include/domain.h"
#include "kernel/cpu.h"
#include "kernel/speculation.h"
#include "kernel/time.h"
#include "kernel/ioapic.h"
#include "kernel/irq.h"
#include "kernel/lapic.h"
#include "kernel/log.h"
#include "kernel/pci.h"
#include "lib/program.h"
#include "mm/map.h"
#include "mm/pages.h"

#define HOST_CPUS_MAX ACPI_CPUS_MAX

struct host {
	struct pages pages;
	struct kernel_map map;
	struct log log;
	struct lapic lapic;
	struct ioapics ioapics;
	struct irqs irqs;
	struct pci pci;
	struct time_base time;
	struct acpi_info acpi;
	struct mem_account account; /* the monitor's own: CPUs */

	unsigned cpu_count; /* that run */
	struct cpu *cpu[HOST_CPUS_MAX];
	uint32_t next_cpu;  /* for THREAD_ANY_CPU */
	uint64_t idle_cpus; /* bit n: CPU n looks for a thread; atomic */
	uint32_t threads;   /* whose page is not freed, atomic */
	struct spinlock call_lock;
	void (*call_fn)(void *ctx);
	void *call_ctx;
	uint32_t calls_pending;

	struct speculation speculation;
	unsigned domain_cpu_count;	     /* that run domains */
	uint64_t domains_made;		     /* atomic */
	const struct trap_hooks *trap_hooks; /* NULL: no ring 3 */
	const struct vendor *vendor;	     /* NULL: no VMs */
	struct vm_host *vm;		     /* domains and channels */
	struct boot_modules modules;
	struct gate_screen screen;
	struct boot_options options;
	/* The first program and its file, checked by boot/. */
	struct program first_program;
	const struct boot_module *first_module;

	enum gate_off off; /* how host_power_off() goes about it */
	bool is_panicking;
	struct cpu boot_cpu;
};

/* For boot/, which has no struct cpu yet; others use this_host(). */
extern struct host the_host;

static inline struct host *this_host(void)
{
	return this_cpu()->host;
}

/* Drops all CPUs' TLB entries but the caller's; see cpu_call_others(). */
void host_flush_tlbs(void *ctx);

/*
 * The last call of boot/, on the boot CPU's stack, with all CPUs up and idle:
 * frees the start-up part of the image and calls host_start().  Nothing that is
 * passed or in struct host may lie in that part.
 */
__noreturn void host_enter(void);

#define HOST_EXIT_CODE_DONE  0
#define HOST_EXIT_CODE_PANIC 1

/* Ends the host: the code is for isa-debug-exit.  Never returns. */
__noreturn void host_power_off(uint8_t code);

#endif
