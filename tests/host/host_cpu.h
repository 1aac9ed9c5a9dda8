/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor that host-pc shows its guest: an early AMD64 without a local
 * APIC, so that interrupts come from the 8259s. */
#ifndef BULKHEAD_TESTS_HOST_CPU_H
#define BULKHEAD_TESTS_HOST_CPU_H

#include "include/emulate.h"

struct host_cpu {
	struct x86_state state;
	struct x86_xstate xstate;
	uint64_t pat;
};

/* As after power-on: the first instruction is at fffffff0h. */
void host_cpu_reset(struct host_cpu *cpu);
/* Of leaf r[0], subleaf r[2]. */
void host_cpu_cpuid(uint32_t r[4]);
/* An MSR that does not exist reads 0, and takes what is written. */
uint64_t host_cpu_msr_read(const struct host_cpu *cpu, uint32_t msr);
void host_cpu_msr_write(struct host_cpu *cpu, uint32_t msr, uint64_t value);

#endif
