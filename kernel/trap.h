/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts of the host.
 *
 * References: SDM volume 3, "Interrupt and Exception Handling".
 */
#ifndef BULKHEAD_TRAP_H
#define BULKHEAD_TRAP_H

#include "include/compiler.h"

struct cpu;

/* As kernel/entry.asm pushes it. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};
ASSERT_SIZE(struct trap_frame, 22 * 8);

/* Interrupt vectors; the priority is the upper half of the number. */
enum trap_vector {
	VECTOR_EXCEPTIONS = 32,
	VECTOR_ISA = 0x40, /* and IRQ_COUNT, of kernel/irq.h */
	VECTOR_CALL = 0xf0,
	VECTOR_KICK = 0xf1,
	VECTOR_TIMER = 0xf2,
	VECTOR_SPURIOUS = 0xff,
};

/* What ring 3 belongs to; in struct host before the first program runs. */
struct trap_hooks {
	/*
	 * An exception in ring 3, on the thread's stack with interrupts off.
	 * Returns with them on to have the instruction run again, or not at
	 * all.
	 */
	void (*user_exception)(struct trap_frame *frame);
	/* Whether that is the first instruction of an entry from ring 3. */
	bool (*is_gate_entry)(uint64_t rip);
};

/*
 * Copies between the monitor and the ring-3 half of the current address
 * space.  -EFAULT: outside that half, or not mapped with those rights; a part
 * may have been copied.
 */
int __must_check copy_from_user(void *to, const void *user, uint64_t length);
int __must_check copy_to_user(void *user, const void *from, uint64_t length);

/* The IDT, all CPUs': boot/cpu.c makes it. */
extern uint64_t trap_idt[PAGE_SIZE / sizeof(uint64_t)];

#endif
