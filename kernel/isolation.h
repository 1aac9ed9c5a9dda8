/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table isolation: ring 3 runs on page tables that have of the monitor
 * only what its entries need, and the monitor on tables without ring 3's half,
 * but for the moment of a user copy.  On where struct speculation says so: the
 * processor reads ahead through the U bit (Meltdown), or has no SMAP, so that
 * this bit alone would stand between ring 0 and a guest's memory.
 */
#ifndef BULKHEAD_KERNEL_ISOLATION_H
#define BULKHEAD_KERNEL_ISOLATION_H

#include "include/compiler.h"

struct cpu;
struct host;

/* All CPUs are up, no address space is made.  0 or -ENOMEM. */
int __must_check isolation_init(struct host *host);
/* On each CPU, before gate_init_cpu(). */
void isolation_init_cpu(struct cpu *cpu);

#endif
