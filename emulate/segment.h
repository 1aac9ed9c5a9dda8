/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors, segment registers and stacks that are not loaded yet: what
 * far transfers, interrupts and task switches share.
 */
#ifndef BULKHEAD_EMULATE_SEGMENT_H
#define BULKHEAD_EMULATE_SEGMENT_H

#include "emulate/internal.h"

/* A descriptor's fields, in its eight bytes. */
#define DESC_TYPE	 MASK(43, 40)
#define DESC_S		 BIT(44)
#define DESC_DPL	 MASK(46, 45)
#define DESC_P		 BIT(47)
#define DESC_L		 BIT(53)
#define DESC_DB		 BIT(54)
#define DESC_G		 BIT(55)
/* Of code and data types, at their place in the descriptor. */
#define DESC_ACCESSED	 BIT(40)
#define DESC_WRITABLE	 BIT(41)
#define DESC_READABLE	 BIT(41)
#define DESC_CONFORM	 BIT(42)
#define DESC_EXPAND	 BIT(42)
#define DESC_CODE	 BIT(43)
/* Of gates. */
#define GATE_OFFSET_LOW	 MASK(15, 0)
#define GATE_SELECTOR	 MASK(31, 16)
#define GATE_COUNT	 MASK(36, 32)
#define GATE_IST	 MASK(34, 32)
#define GATE_OFFSET_HIGH MASK(63, 48)
/* Of TSS descriptors. */
#define DESC_TSS_BUSY	 BIT(41)

#define SELECTOR_RPL   MASK(1, 0)
#define SELECTOR_TI    BIT(2)
#define SELECTOR_INDEX MASK(15, 3)

enum emul_system_type {
	SYSTEM_TSS16 = 1,
	SYSTEM_LDT = 2,
	SYSTEM_TSS16_BUSY = 3,
	SYSTEM_CALL_GATE16 = 4,
	SYSTEM_TASK_GATE = 5,
	SYSTEM_INTERRUPT_GATE16 = 6,
	SYSTEM_TRAP_GATE16 = 7,
	SYSTEM_TSS32 = 9,
	SYSTEM_TSS32_BUSY = 11,
	SYSTEM_CALL_GATE32 = 12,
	SYSTEM_INTERRUPT_GATE32 = 14,
	SYSTEM_TRAP_GATE32 = 15,
};

struct emul_descriptor {
	uint64_t raw;
	uint64_t high;	 /* the upper half of a 16-byte descriptor */
	uint64_t linear; /* where it is */
};

static inline unsigned desc_type(uint64_t raw)
{
	return FIELD_GET(DESC_TYPE, raw);
}

static inline unsigned desc_dpl(uint64_t raw)
{
	return FIELD_GET(DESC_DPL, raw);
}

static inline bool desc_is_code(uint64_t raw)
{
	return (raw & (DESC_S | DESC_CODE)) == (DESC_S | DESC_CODE);
}

static inline bool selector_is_null(uint16_t selector)
{
	return !(selector & ~SELECTOR_RPL);
}

/* An error code names the selector without its RPL. */
static inline uint32_t selector_code(uint16_t selector)
{
	return selector & (SELECTOR_INDEX | SELECTOR_TI);
}

/*
 * Read the descriptor of a selector that is not null; beyond the table (or
 * without an LDT) raise vector(selector).
 */
enum emul_status emul_descriptor_read(struct emul *e, uint16_t selector,
				      unsigned vector,
				      struct emul_descriptor *desc);
/* The upper eight bytes as well, which long mode's system descriptors have. */
enum emul_status emul_descriptor_high(struct emul *e, uint16_t selector,
				      unsigned vector,
				      struct emul_descriptor *desc);
/* Set the accessed bit in memory if it is clear. */
enum emul_status emul_descriptor_accessed(struct emul *e,
					  struct emul_descriptor *desc);
enum emul_status emul_descriptor_write(struct emul *e,
				       const struct emul_descriptor *desc);
void emul_segment_unpack(struct x86_segment *seg, uint16_t selector,
			 uint64_t raw);

/* A code segment that control may go to with cpl, not yet loaded. */
enum emul_status emul_code_load(struct emul *e, uint16_t selector,
				struct emul_descriptor *desc, unsigned cpl,
				uint64_t rip);
void emul_code_real(struct emul *e, uint16_t selector);

/* A stack that is pushed to before it becomes SS:RSP. */
struct emul_stack {
	struct x86_segment ss;
	uint64_t rsp;
	uint64_t mask;
	uint32_t access;     /* EMUL_ACCESS_USER or 0 */
	uint32_t error_code; /* of #SS */
	bool is_64;
};

void emul_stack_current(struct emul *e, struct emul_stack *st);
enum emul_status emul_stack_push(struct emul *e, struct emul_stack *st,
				 uint64_t value, unsigned size);
/* The stack of an inner level from the TSS, checked as an SS for cpl. */
enum emul_status emul_stack_inner(struct emul *e, unsigned cpl,
				  struct emul_stack *st);
/* A 64-bit stack: of the TSS's RSPn, or ISTn if ist is not 0. */
enum emul_status emul_stack_inner64(struct emul *e, unsigned cpl, unsigned ist,
				    struct emul_stack *st);
void emul_stack_commit(struct emul *e, const struct emul_stack *st);
/* Check selector as SS for cpl and unpack it; errors are vector(selector). */
enum emul_status emul_stack_segment(struct emul *e, uint16_t selector,
				    unsigned cpl, unsigned vector,
				    struct x86_segment *ss);
void emul_stack_width(struct emul_stack *st, bool is_64);

/* RETF and IRET to an outer level: what it may no longer see is unloaded. */
void emul_segments_drop(struct emul *e);
void emul_segment_null(struct x86_segment *seg, uint16_t selector);
/* As virtual-8086 mode has them. */
void emul_segment_v86(struct x86_segment *seg, uint16_t selector);

/* A data segment of a new task: errors are #TS(selector). */
enum emul_status emul_data_segment(struct emul *e, unsigned seg,
				   uint16_t selector);

/* taskswitch.c: as emul_task_switch(), on next_rip and flags. */
enum emul_status emul_task_enter(struct emul *e, uint16_t selector,
				 enum emul_task_reason reason,
				 bool has_error_code, uint32_t error_code);
enum emul_status emul_task_switch_in(struct emul *e, uint16_t selector,
				     enum emul_task_reason reason,
				     bool has_error_code, uint32_t error_code);

#endif
