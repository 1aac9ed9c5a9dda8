/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw bytes as code, registers, descriptor tables and page tables, through
 * every entry point of the emulator.  Nothing is compared: the sanitizers and
 * a few invariants are checked.  Guest RAM is one heap block, so an access
 * beyond it is an error that ASan sees.
 */
#include "include/emulate.h"

#include <stdlib.h>
#include <string.h>

#define RAM_SIZE 0x10000U
#define CODE	 0x1000U
#define GDT	 0x2000U
#define IDT	 0x2800U
#define LDT	 0x3000U
#define TSS	 0x3400U
#define STACK	 0x7000U
#define TABLES	 0x8000U

static struct x86_state state;
static struct x86_xstate xstate;
static struct emul emul;
static uint8_t *ram;

/* The input, read to its end and then as zeros. */
static const uint8_t *input;
static size_t input_left;

static uint8_t take(void)
{
	if (!input_left)
		return 0;
	input_left--;
	return *input++;
}

static uint64_t take_bytes(unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value |= (uint64_t)take() << (8 * i);
	return value;
}

/* Addresses mostly near what is there, sometimes anything. */
static uint64_t take_value(void)
{
	uint8_t how = take();

	if (how < 160)
		return take_bytes(2);
	if (how < 200)
		return take_bytes(4);
	if (how < 220)
		return (uint64_t)(int64_t)(int8_t)take();
	return take_bytes(8);
}

static enum emul_status op_answer(void)
{
	static const enum emul_status answers[4] = { EMUL_RETRY, EMUL_UNHANDLED,
						     EMUL_OK, EMUL_OK };
	uint8_t how = take();

	if (how < 4)
		return answers[how];
	if (how == 4)
		return emul_raise_code(&emul, X86_VECTOR_GP, 0);
	return EMUL_OK;
}

static int op_state_need(void *ctx, uint32_t groups)
{
	(void)ctx;
	if (take() == 1)
		return -1;
	state.valid |= groups;
	return 0;
}

static enum emul_status op_read(void *ctx, uint64_t gpa, void *data,
				unsigned size)
{
	(void)ctx;
	(void)gpa;
	memset(data, take(), size);
	return op_answer();
}

static enum emul_status op_write(void *ctx, uint64_t gpa, const void *data,
				 unsigned size)
{
	uint8_t copy[8];

	(void)ctx;
	if (size > sizeof(copy) || (gpa & 4095) + size > 4096)
		abort();
	memcpy(copy, data, size);
	return op_answer();
}

static enum emul_status op_io(void *ctx, uint16_t port, unsigned size,
			      bool is_write, uint32_t *data)
{
	(void)ctx;
	(void)port;
	if (size != 1 && size != 2 && size != 4)
		abort();
	if (!is_write)
		*data = (uint32_t)take_bytes(4);
	return op_answer();
}

static size_t op_io_bulk(void *ctx, uint16_t port, unsigned size, bool is_write,
			 void *at, size_t count)
{
	(void)ctx;
	(void)port;
	if (!is_write)
		memset(at, 0x5a, size * count);
	return take() & 1 ? count : 0;
}

static enum emul_status op_cr(void *ctx, unsigned cr, uint64_t value)
{
	(void)ctx;
	(void)cr;
	(void)value;
	return op_answer();
}

static enum emul_status op_xcr(void *ctx, uint64_t value)
{
	(void)ctx;
	(void)value;
	return op_answer();
}

static enum emul_status op_msr_read(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	*value = msr;
	return op_answer();
}

static enum emul_status op_msr_write(void *ctx, uint32_t msr, uint64_t value)
{
	(void)ctx;
	(void)msr;
	(void)value;
	return op_answer();
}

static enum emul_status op_cpuid(void *ctx, uint32_t registers[4])
{
	(void)ctx;
	registers[3] = 1;
	return op_answer();
}

static enum emul_status op_tsc(void *ctx, uint64_t *tsc, uint32_t *aux)
{
	(void)ctx;
	*tsc = 1;
	*aux = 0;
	return op_answer();
}

static enum emul_status op_hypercall(void *ctx)
{
	(void)ctx;
	return op_answer();
}

static void op_flush(void *ctx, enum emul_flush what, uint64_t linear)
{
	(void)ctx;
	(void)what;
	(void)linear;
}

static const struct emul_ops ops = {
	.state_need = op_state_need,
	.mmio_read = op_read,
	.mmio_write = op_write,
	.io = op_io,
	.io_bulk = op_io_bulk,
	.cr_write = op_cr,
	.xcr_write = op_xcr,
	.msr_read = op_msr_read,
	.msr_write = op_msr_write,
	.cpuid = op_cpuid,
	.tsc = op_tsc,
	.hypercall = op_hypercall,
	.flush = op_flush,
};

static void table_fill(uint32_t at, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t value = take_bytes(8);

		memcpy(ram + at + 8 * i, &value, 8);
	}
}

/* Four levels over the RAM, one to one, and a few entries of the input's. */
static void paging_fill(void)
{
	uint64_t *table = (uint64_t *)(ram + TABLES);
	unsigned changes = take() & 7;

	table[0] = (TABLES + 0x1000) | 7;
	table[512] = (TABLES + 0x2000) | 7;
	table[1024] = (TABLES + 0x3000) | 7;
	for (unsigned i = 0; i < 16; i++)
		table[1536 + i] = i << 12 | 7;
	for (unsigned i = 0; i < changes; i++)
		table[take_bytes(2) & 2047] = take_bytes(8);
}

static void segments_fill(uint8_t mode)
{
	for (unsigned i = 0; i < X86_SEG_COUNT; i++) {
		struct x86_segment *seg = &state.seg[i];

		seg->selector = (uint16_t)take_bytes(1) & 0x7f;
		seg->attributes = 0x93;
		seg->limit = 0xffff;
		seg->base = mode < 2 ? (uint64_t)seg->selector << 4 : 0;
		if (mode >= 3) {
			seg->attributes |= X86_ATTR_DB | X86_ATTR_G;
			seg->limit = UINT32_MAX;
		}
		if (take() < 8) {
			seg->attributes = (uint16_t)take_bytes(2) & 0xfff;
			seg->limit = (uint32_t)take_value();
			seg->base = take_value();
		}
	}
	state.seg[X86_CS].base = 0;
	state.seg[X86_CS].attributes |= X86_ATTR_CODE | X86_ATTR_P;
	if (mode == 5)
		state.seg[X86_CS].attributes =
			(uint16_t)((state.seg[X86_CS].attributes | X86_ATTR_L) &
				   ~X86_ATTR_DB);
}

/* 0 real, 1 V86, 2 16-bit, 3 32-bit, 4 32-bit with paging, 5 64-bit, 6
 * compatibility, 7 as the input says */
static void state_fill(uint8_t mode)
{
	memset(&state, 0, sizeof(state));
	for (unsigned i = 0; i < X86_GPR_COUNT; i++)
		state.gpr[i] = take_value();
	state.gpr[X86_RSP] = STACK + (take() & 31);
	state.rip = CODE;
	state.rflags =
		(take_bytes(3) & X86_FLAGS_ALL & ~X86_FLAG_VM) | X86_FLAG_ONE;
	state.valid = take() == 1 ? X86_GROUP_GPR_RIP : ~0U;
	state.cpl = mode ? take() & 3 : 0;
	state.cr0 = X86_CR0_ET;
	state.cr3 = TABLES;
	state.cr4 = take_bytes(3) & ~X86_CR4_LA57;
	state.xcr0 = 7;
	segments_fill(mode);
	if (mode)
		state.cr0 |= X86_CR0_PE | (take() & 1 ? X86_CR0_WP : 0) |
			     (take() & 1 ? X86_CR0_AM : 0);
	if (mode == 1) {
		state.rflags |= X86_FLAG_VM;
		state.cpl = 3;
	}
	if (mode >= 4)
		state.cr0 |= X86_CR0_PG;
	if (mode >= 5) {
		state.cr4 |= X86_CR4_PAE;
		state.efer = X86_EFER_LME | X86_EFER_LMA | X86_EFER_SCE |
			     X86_EFER_NXE;
	}
	if (mode == 7) {
		state.cr0 = take_bytes(4);
		state.cr4 = take_bytes(4);
		state.efer = take_bytes(2);
		state.rflags = take_bytes(4);
	}
	state.gdtr.base = GDT;
	state.gdtr.limit = 0x7ff;
	state.idtr.base = mode ? IDT : 0;
	state.idtr.limit = 0x7ff;
	state.ldtr = (struct x86_segment){ 8, 0x82, 0x3ff, LDT };
	state.tr = (struct x86_segment){ 16, 0x8b, 0x200, TSS };
	state.star = take_bytes(8);
	state.lstar = CODE;
	state.sysenter_cs = take();
	state.sysenter_eip = CODE;
}

static void run(void)
{
	enum emul_status status = emul_step(&emul);

	if (status > EMUL_UNHANDLED)
		abort();
	if (status == EMUL_UNHANDLED && emul.insn_length > EMUL_INSN_MAX)
		abort();
	if (status == EMUL_FAULT &&
	    (emul.fault.vector > 31 || emul_deliver_fault(&emul) == EMUL_FAULT))
		abort();
}

static void run_others(uint8_t how)
{
	struct emul_event ev = { .vector = take(),
				 .type = how & 3,
				 .has_error_code = how & 4 };
	struct emul_mov_cr mov;
	uint64_t gpa;

	if (how & 8)
		(void)emul_insn_length(&emul, take() % EMUL_EXPECT_COUNT);
	if (how & 16)
		(void)!emul_decode_mov_cr(&emul, &mov);
	if (how & 32)
		(void)!emul_deliver_event(&emul, &ev);
	if (how & 64)
		(void)!emul_task_switch(&emul, (uint16_t)take_bytes(1), how & 3,
					how & 4, take());
	if (how & 128)
		(void)!emul_translate(&emul, take_value(),
				      EMUL_ACCESS_PROBE | (how & 6), &gpa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mode, others;

	input = data;
	input_left = size;
	if (!ram)
		ram = aligned_alloc(4096, RAM_SIZE);
	memset(ram, 0, RAM_SIZE);
	mode = take() & 7;
	others = take();
	emul_init(&emul, &state, &ops, NULL);
	emul.xstate = take() ? &xstate : NULL;
	emul.window[0] = (struct emul_window){ .size = RAM_SIZE, .host = ram };
	if (take() & 1)
		emul.features |= EMUL_FEATURE_INTEL;
	for (unsigned i = 0; i < 16; i++)
		ram[CODE + i] = take();
	state_fill(mode);
	if (mode >= 4)
		paging_fill();
	if (mode) {
		table_fill(GDT, 16);
		table_fill(IDT, 8);
		table_fill(TSS, 13);
	}
	if (others)
		run_others(others);
	for (unsigned i = 0; i < 3; i++)
		run();
	return 0;
}
