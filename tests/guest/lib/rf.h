/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RF in the image of RFLAGS that an exception pushes.  Include in one file of a
 * guest.
 */
#ifndef BULKHEAD_TESTS_RF_H
#define BULKHEAD_TESTS_RF_H

#include "tests/guest/lib/guest.h"

/* What was pushed last, and how many times. */
static volatile uint64_t image, traps;

static void on_trap(struct trap_frame *frame)
{
	traps++;
	image = frame->rflags;
	frame->rflags &= ~X86_FLAG_TF;
}

/* After prepare: the one exception of that vector has RF as is wanted.  r15 is
 * the length. */
#define CHECK_RF(name, vector, hook, length, want, prepare, instruction)      \
	do {                                                                  \
		trap_hook(vector, hook);                                      \
		traps = 0;                                                    \
		__asm__ volatile(                                             \
			"mov %0, %%r15; " prepare "; " instruction "; nop"    \
			:                                                     \
			: "i"(length)                                         \
			: "rax", "rcx", "rdx", "rdi", "r15", "memory", "cc"); \
		trap_hook(vector, NULL);                                      \
		if (traps == 1 && !(image & X86_FLAG_RF) == !(want))          \
			pass(name);                                           \
		else                                                          \
			fail(name, "%llu traps, image %#llx",                 \
			     (unsigned long long)traps,                       \
			     (unsigned long long)image);                      \
	} while (0)

#endif
