/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In what a guest's processors are to differ from the host's, for systems that
 * stumble over new ones.  All of it is what CPUID says: what instructions do
 * stays the host's.  Zero is "as the host has it".
 */
#ifndef BULKHEAD_CPU_QUIRKS_H
#define BULKHEAD_CPU_QUIRKS_H

#include "include/compiler.h"

#define CPU_VENDOR_LENGTH 12
#define CPU_NAME_LENGTH	  48 /* leaves 80000002h to 80000004h, with its NUL */

/* Registers with features that can be off. */
enum cpu_word {
	CPU_WORD_1_ECX,
	CPU_WORD_1_EDX,
	CPU_WORD_6_EAX,
	CPU_WORD_7_EBX,
	CPU_WORD_7_ECX,
	CPU_WORD_7_EDX,
	CPU_WORD_D1_EAX,
	CPU_WORD_E1_ECX, /* leaf 80000001h */
	CPU_WORD_E1_EDX,
	CPU_WORD_E7_EDX,
	CPU_WORD_E8_EBX,
	CPU_WORDS,
};

struct cpu_quirks {
	uint32_t off[CPU_WORDS]; /* features, by their bits */
	uint16_t family;	 /* with the extended family; 0: the host's */
	uint8_t model, stepping;
	bool has_model, has_stepping;
	uint8_t leaf_max;		    /* the last basic leaf */
	char vendor[CPU_VENDOR_LENGTH + 1]; /* "": the host's */
	char name[CPU_NAME_LENGTH];
};

#endif
