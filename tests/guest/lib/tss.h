/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task-state segments: SDM volume 3, "Task-State Segment (TSS)", "Task
 * Management in 64-bit Mode".
 */
#ifndef BULKHEAD_TESTS_TSS_H
#define BULKHEAD_TESTS_TSS_H

#include "include/compiler.h"

struct tss32 {
	uint32_t link;
	uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags;
	uint32_t gpr[8];
	uint32_t seg[6];
	uint32_t ldtr;
	uint16_t trap, io_map;
} __packed;
ASSERT_SIZE(struct tss32, 104);

struct tss64 {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __packed;
ASSERT_SIZE(struct tss64, 104);

#endif
