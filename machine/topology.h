/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs as packages of cores of threads, and the APIC ids that follow: fields
 * for package, core and thread, each as wide as its count needs, so that ids
 * have gaps where a count is no power of two.
 *
 * Reference: SDM volume 3, "Hierarchical Mapping of Shared Resources".
 */
#ifndef BULKHEAD_MACHINE_TOPOLOGY_H
#define BULKHEAD_MACHINE_TOPOLOGY_H

#include "include/compiler.h"

/* How many bits tell so many things apart. */
static inline unsigned topology_bits(unsigned count)
{
	return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

/* Of cores in a package, of threads in a core. */
static inline uint32_t topology_apic_id(unsigned cores, unsigned threads,
					unsigned vcpu)
{
	unsigned thread = vcpu % threads, core = vcpu / threads % cores;
	unsigned package = vcpu / threads / cores;

	return ((package << topology_bits(cores) | core)
		<< topology_bits(threads)) |
	       thread;
}

#endif
