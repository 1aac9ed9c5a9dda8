/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the measures against speculation this host needs: decided once, at
 * boot, when all CPUs are up.
 */
#ifndef BULKHEAD_BOOT_SPECULATION_H
#define BULKHEAD_BOOT_SPECULATION_H

#include "include/compiler.h"
#include "kernel/speculation.h"

struct host;

enum speculation_vendor {
	SPECULATION_OTHER, /* believed to be affected like Intel's */
	SPECULATION_INTEL,
	SPECULATION_AMD, /* and Hygon */
};

/* What CPUID and the capability MSR say. */
struct speculation_facts {
	enum speculation_vendor vendor;
	uint32_t family, model;
	uint32_t leaf7_edx;
	uint32_t amd8_ebx;	    /* 80000008 */
	uint32_t amd21_eax;	    /* 80000021 */
	uint64_t arch_capabilities; /* 0 where there is no such MSR */
	bool has_smap;
	bool has_rtm;
	bool is_vtx; /* has VT-x */
	/* Where the APIC ID says which thread of its core a CPU is: leaf 0B,
	 * subleaf 0, or leaves 1 and 4. */
	uint32_t leafb_eax, leafb_ecx;
	uint32_t leaf1_ebx, leaf1_edx;
	uint32_t leaf4_eax;
};

/* is_on: all that is needed, not just what costs nothing. */
void speculation_decide(const struct speculation_facts *facts, bool is_on,
			struct speculation *speculation);
/* How many low bits of an APIC ID number the threads of one core. */
unsigned speculation_thread_bits(const struct speculation_facts *facts);
/* What of it is on, as words; returns text, or a constant. */
const char *speculation_describe(const struct speculation *speculation,
				 char *text, size_t size);

/*
 * boot/facts.c: reads the facts, decides, logs a line, and marks the CPUs that
 * run no domain.
 */
void speculation_init(struct host *host, bool is_on);

#endif
