/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers as GDB's target descriptions name them: i386:x86-64, and i386 for
 * guests that are not in long mode when the debugger comes.  i8086 is i386 by
 * another name: of the two GDB takes i386 when the user asks for the other one,
 * so that only who was given i8086 can have both disassembled.
 *
 * The features org.gnu.gdb.i386.core and .sse have the registers that GDB asks
 * of them, in its order; .segments has the two bases of 64-bit code.  What GDB
 * does not know, control registers and the other bases, is a feature of ours.
 *
 * Not modelled: the upper halves of YMM; writes of CR0, CR4 and EFER, with
 * which an entry could be refused.
 *
 * References: Debugging with GDB, "Standard Target Features" (i386); SDM
 * volume 1, "x87 FPU Tag Word"; volume 2, "FXSAVE".
 */
#include "machine/gdb_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define SEGMENT_SHIFT 4 /* of a selector outside protected mode */
#define CR8_BITS      MASK(3, 0)
#define CR3_KEPT      MASK(51, 0)

enum place {
	PLACE_GPR,
	PLACE_PC,
	PLACE_FLAGS,
	PLACE_SELECTOR,
	PLACE_ST,
	PLACE_X87,
	PLACE_XMM,
	PLACE_MXCSR,
	PLACE_BASE,
	PLACE_KERNEL_GS,
	PLACE_CONTROL, /* 0, 2, 3, 4, 8 */
	PLACE_EFER,
};

enum x87 {
	X87_CONTROL,
	X87_STATUS,
	X87_TAG,
	X87_CODE_SELECTOR,
	X87_CODE_OFFSET,
	X87_DATA_SELECTOR,
	X87_DATA_OFFSET,
	X87_OPCODE,
};

struct gdb_register {
	const char *name;
	const char *type;
	uint8_t size; /* bytes */
	uint8_t place;
	uint8_t index;
};

/* clang-format off */
#define X87_REGISTERS							\
	{ "st0", "i387_ext", 10, PLACE_ST, 0 },				\
	{ "st1", "i387_ext", 10, PLACE_ST, 1 },				\
	{ "st2", "i387_ext", 10, PLACE_ST, 2 },				\
	{ "st3", "i387_ext", 10, PLACE_ST, 3 },				\
	{ "st4", "i387_ext", 10, PLACE_ST, 4 },				\
	{ "st5", "i387_ext", 10, PLACE_ST, 5 },				\
	{ "st6", "i387_ext", 10, PLACE_ST, 6 },				\
	{ "st7", "i387_ext", 10, PLACE_ST, 7 },				\
	{ "fctrl", "int", 4, PLACE_X87, X87_CONTROL },			\
	{ "fstat", "int", 4, PLACE_X87, X87_STATUS },			\
	{ "ftag", "int", 4, PLACE_X87, X87_TAG },			\
	{ "fiseg", "int", 4, PLACE_X87, X87_CODE_SELECTOR },		\
	{ "fioff", "int", 4, PLACE_X87, X87_CODE_OFFSET },		\
	{ "foseg", "int", 4, PLACE_X87, X87_DATA_SELECTOR },		\
	{ "fooff", "int", 4, PLACE_X87, X87_DATA_OFFSET },		\
	{ "fop", "int", 4, PLACE_X87, X87_OPCODE }

#define SELECTORS							\
	{ "cs", "int32", 4, PLACE_SELECTOR, X86_CS },			\
	{ "ss", "int32", 4, PLACE_SELECTOR, X86_SS },			\
	{ "ds", "int32", 4, PLACE_SELECTOR, X86_DS },			\
	{ "es", "int32", 4, PLACE_SELECTOR, X86_ES },			\
	{ "fs", "int32", 4, PLACE_SELECTOR, X86_FS },			\
	{ "gs", "int32", 4, PLACE_SELECTOR, X86_GS }

#define XMM(n) { "xmm" #n, "vec128", 16, PLACE_XMM, n }
#define GPR64(name, n) { name, "int64", 8, PLACE_GPR, n }
#define GPR32(name, n) { name, "int32", 4, PLACE_GPR, n }

static const struct gdb_register core64[] = {
	GPR64("rax", X86_RAX), GPR64("rbx", X86_RBX),
	GPR64("rcx", X86_RCX), GPR64("rdx", X86_RDX),
	GPR64("rsi", X86_RSI), GPR64("rdi", X86_RDI),
	{ "rbp", "data_ptr", 8, PLACE_GPR, X86_RBP },
	{ "rsp", "data_ptr", 8, PLACE_GPR, X86_RSP },
	GPR64("r8", 8), GPR64("r9", 9), GPR64("r10", 10), GPR64("r11", 11),
	GPR64("r12", 12), GPR64("r13", 13), GPR64("r14", 14), GPR64("r15", 15),
	{ "rip", "code_ptr", 8, PLACE_PC, 0 },
	{ "eflags", "eflags", 4, PLACE_FLAGS, 0 },
	SELECTORS,
	X87_REGISTERS,
	/* org.gnu.gdb.i386.sse */
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	{ "mxcsr", "int", 4, PLACE_MXCSR, 0 },
	/* org.gnu.gdb.i386.segments */
	{ "fs_base", "int64", 8, PLACE_BASE, X86_FS },
	{ "gs_base", "int64", 8, PLACE_BASE, X86_GS },
	/* org.bulkhead.i386.system */
	{ "k_gs_base", "int64", 8, PLACE_KERNEL_GS, 0 },
	{ "cr0", "int64", 8, PLACE_CONTROL, 0 },
	{ "cr2", "int64", 8, PLACE_CONTROL, 2 },
	{ "cr3", "int64", 8, PLACE_CONTROL, 3 },
	{ "cr4", "int64", 8, PLACE_CONTROL, 4 },
	{ "cr8", "int64", 8, PLACE_CONTROL, 8 },
	{ "efer", "int64", 8, PLACE_EFER, 0 },
};

static const struct gdb_register core32[] = {
	GPR32("eax", X86_RAX), GPR32("ecx", X86_RCX),
	GPR32("edx", X86_RDX), GPR32("ebx", X86_RBX),
	{ "esp", "data_ptr", 4, PLACE_GPR, X86_RSP },
	{ "ebp", "data_ptr", 4, PLACE_GPR, X86_RBP },
	GPR32("esi", X86_RSI), GPR32("edi", X86_RDI),
	{ "eip", "code_ptr", 4, PLACE_PC, 0 },
	{ "eflags", "eflags", 4, PLACE_FLAGS, 0 },
	SELECTORS,
	X87_REGISTERS,
	/* org.gnu.gdb.i386.sse */
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	{ "mxcsr", "int", 4, PLACE_MXCSR, 0 },
	/* org.bulkhead.i386.system */
	{ "cs_base", "int32", 4, PLACE_BASE, X86_CS },
	{ "ss_base", "int32", 4, PLACE_BASE, X86_SS },
	{ "ds_base", "int32", 4, PLACE_BASE, X86_DS },
	{ "es_base", "int32", 4, PLACE_BASE, X86_ES },
	{ "fs_base", "int32", 4, PLACE_BASE, X86_FS },
	{ "gs_base", "int32", 4, PLACE_BASE, X86_GS },
	{ "cr0", "int32", 4, PLACE_CONTROL, 0 },
	{ "cr2", "int32", 4, PLACE_CONTROL, 2 },
	{ "cr3", "int32", 4, PLACE_CONTROL, 3 },
	{ "cr4", "int32", 4, PLACE_CONTROL, 4 },
	{ "efer", "int32", 4, PLACE_EFER, 0 },
};
/* clang-format on */

const struct gdb_register *gdb_registers(const struct gdb *gdb, unsigned *count)
{
	bool is_64bit = gdb->given == GDB_ARCH_X86_64;

	*count = is_64bit ? ARRAY_SIZE(core64) : ARRAY_SIZE(core32);
	return is_64bit ? core64 : core32;
}

const struct gdb_register *gdb_register_at(const struct gdb_register *regs,
					   unsigned n)
{
	return &regs[n];
}

unsigned gdb_register_size(const struct gdb_register *reg)
{
	return reg->size;
}

/* ---- Where instructions are ---------------------------------------------- */

static bool is_code64(const struct x86_state *state)
{
	return state->efer & X86_EFER_LMA &&
	       state->seg[X86_CS].attributes & X86_ATTR_L;
}

/* Segments are selector * 16. */
static bool is_8086(const struct x86_state *state)
{
	return !(state->cr0 & X86_CR0_PE) || state->rflags & X86_FLAG_VM;
}

uint64_t gdb_pc(const struct x86_state *state)
{
	if (is_code64(state))
		return state->rip;
	return (uint32_t)(state->seg[X86_CS].base + state->rip);
}

static int pc_write(struct x86_state *state, uint64_t pc)
{
	if (is_code64(state)) {
		if (!x86_is_canonical(pc))
			return -EINVAL;
		state->rip = pc;
		return 0;
	}
	pc = (uint32_t)(pc - state->seg[X86_CS].base);
	/* Another CS would be needed. */
	if (is_8086(state) && pc > UINT16_MAX)
		return -EINVAL;
	state->rip = pc;
	return 0;
}

/* ---- x87 ----------------------------------------------------------------- */

#define STATUS_TOP	MASK(13, 11)
#define X87_REGS	8
#define TAG_VALID	0U
#define TAG_ZERO	1U
#define TAG_SPECIAL	2U
#define TAG_EMPTY	3U
#define EXPONENT	MASK(14, 0)
#define SIGNIFICAND_ONE BIT(63)

static unsigned tag_of(const uint8_t *st)
{
	uint64_t significand;
	uint16_t exponent;

	memcpy(&significand, st, sizeof(significand));
	memcpy(&exponent, st + sizeof(significand), sizeof(exponent));
	exponent &= EXPONENT;
	if (!exponent && !significand)
		return TAG_ZERO;
	if (!exponent || exponent == EXPONENT ||
	    !(significand & SIGNIFICAND_ONE))
		return TAG_SPECIAL;
	return TAG_VALID;
}

/* Two bits a register, of which the area has one: not empty. */
static uint32_t tags_read(const struct x86_xstate *x)
{
	unsigned top = FIELD_GET(STATUS_TOP, x->fsw);
	uint32_t tags = 0;

	for (unsigned i = 0; i < X87_REGS; i++) {
		unsigned tag = TAG_EMPTY;

		if (x->ftw & BIT(i))
			tag = tag_of(x->st[(i - top) % X87_REGS]);
		tags |= tag << 2 * i;
	}
	return tags;
}

static void tags_write(struct x86_xstate *x, uint32_t tags)
{
	x->ftw = 0;
	for (unsigned i = 0; i < X87_REGS; i++)
		if ((tags >> 2 * i & 3) != TAG_EMPTY)
			x->ftw |= (uint8_t)BIT(i);
}

#define POINTER_OFFSET	 MASK(31, 0)
#define POINTER_SELECTOR MASK(47, 32)

static uint64_t x87_read(const struct x86_xstate *x, unsigned which)
{
	switch (which) {
	case X87_CONTROL:
		return x->fcw;
	case X87_STATUS:
		return x->fsw;
	case X87_TAG:
		return tags_read(x);
	case X87_CODE_SELECTOR:
		return FIELD_GET(POINTER_SELECTOR, x->fip);
	case X87_CODE_OFFSET:
		return FIELD_GET(POINTER_OFFSET, x->fip);
	case X87_DATA_SELECTOR:
		return FIELD_GET(POINTER_SELECTOR, x->fdp);
	case X87_DATA_OFFSET:
		return FIELD_GET(POINTER_OFFSET, x->fdp);
	default:
		return x->fop;
	}
}

static void pointer_write(uint64_t *pointer, uint64_t mask, uint64_t value)
{
	*pointer &= ~mask;
	*pointer |= FIELD_PUT(mask, value);
}

static void x87_write(struct x86_xstate *x, unsigned which, uint64_t value)
{
	switch (which) {
	case X87_CONTROL:
		x->fcw = (uint16_t)value;
		break;
	case X87_STATUS:
		x->fsw = (uint16_t)value;
		break;
	case X87_TAG:
		tags_write(x, (uint32_t)value);
		break;
	case X87_CODE_SELECTOR:
		pointer_write(&x->fip, POINTER_SELECTOR, value & UINT16_MAX);
		break;
	case X87_CODE_OFFSET:
		pointer_write(&x->fip, POINTER_OFFSET, value & UINT32_MAX);
		break;
	case X87_DATA_SELECTOR:
		pointer_write(&x->fdp, POINTER_SELECTOR, value & UINT16_MAX);
		break;
	case X87_DATA_OFFSET:
		pointer_write(&x->fdp, POINTER_OFFSET, value & UINT32_MAX);
		break;
	default:
		x->fop = (uint16_t)value;
		break;
	}
}

/* ---- Reading ------------------------------------------------------------- */

static uint64_t control_read(const struct x86_state *state, unsigned n)
{
	switch (n) {
	case 0:
		return state->cr0;
	case 2:
		return state->cr2;
	case 3:
		return state->cr3;
	case 4:
		return state->cr4;
	default:
		return state->cr8;
	}
}

static uint64_t state_read(const struct x86_state *state,
			   const struct gdb_register *reg)
{
	switch (reg->place) {
	case PLACE_GPR:
		return state->gpr[reg->index];
	case PLACE_PC:
		return gdb_pc(state);
	case PLACE_FLAGS:
		return state->rflags;
	case PLACE_SELECTOR:
		return state->seg[reg->index].selector;
	case PLACE_BASE:
		return state->seg[reg->index].base;
	case PLACE_KERNEL_GS:
		return state->kernel_gs_base;
	case PLACE_CONTROL:
		return control_read(state, reg->index);
	default:
		return state->efer;
	}
}

static bool is_of_xstate(const struct gdb_register *reg)
{
	return reg->place == PLACE_ST || reg->place == PLACE_X87 ||
	       reg->place == PLACE_XMM || reg->place == PLACE_MXCSR;
}

static uint8_t *xstate_bytes(struct x86_xstate *x,
			     const struct gdb_register *reg)
{
	return reg->place == PLACE_ST ? x->st[reg->index] : x->xmm[reg->index];
}

void gdb_register_read(struct gdb *gdb, const struct gdb_register *reg,
		       uint8_t *value)
{
	struct x86_xstate *x;
	uint64_t number;

	if (is_of_xstate(reg)) {
		x = gdb->ops->xstate(gdb->ctx, gdb->thread);
		if (reg->size > sizeof(number)) {
			memcpy(value, xstate_bytes(x, reg), reg->size);
			return;
		}
		number = reg->place == PLACE_MXCSR ? x->mxcsr
						   : x87_read(x, reg->index);
	} else {
		number =
			state_read(gdb->ops->state(gdb->ctx, gdb->thread), reg);
	}
	memcpy(value, &number, reg->size);
}

/* ---- Writing ------------------------------------------------------------- */

static void xstate_write(struct gdb *gdb, const struct gdb_register *reg,
			 const uint8_t *value, uint64_t number)
{
	struct x86_xstate *x = gdb->ops->xstate(gdb->ctx, gdb->thread);

	if (reg->size > sizeof(number))
		memcpy(xstate_bytes(x, reg), value, reg->size);
	else if (reg->place == PLACE_MXCSR)
		x->mxcsr = (uint32_t)number;
	else
		x87_write(x, reg->index, number);
	x->xstate_bv |= X86_XCR0_X87 | X86_XCR0_SSE;
	gdb->ops->state(gdb->ctx, gdb->thread)->dirty |= X86_GROUP_XSTATE;
}

static void flags_write(struct x86_state *state, uint64_t value)
{
	const uint64_t mask = X86_FLAGS_ALL & ~X86_FLAG_VM;

	state->rflags = (state->rflags & ~mask) | (value & mask);
}

/* In protected mode a selector alone says nothing. */
static int selector_write(struct x86_segment *seg, bool is_real, uint64_t value)
{
	if (!is_real)
		return -EPERM;
	seg->selector = (uint16_t)value;
	seg->base = (uint64_t)seg->selector << SEGMENT_SHIFT;
	return 0;
}

static int base_write(const struct x86_state *state, uint64_t *base,
		      uint64_t value)
{
	/* Virtual-8086 mode has them by the selectors. */
	if (state->rflags & X86_FLAG_VM)
		return -EPERM;
	if (!x86_is_canonical(value) ||
	    (!(state->efer & X86_EFER_LMA) && value > UINT32_MAX))
		return -EINVAL;
	*base = value;
	return 0;
}

static int control_write(struct x86_state *state, unsigned n, uint64_t value)
{
	switch (n) {
	case 2:
		state->cr2 = value;
		return 0;
	case 3:
		/* Page-directory pointers would have to be read, too. */
		if (!(state->efer & X86_EFER_LMA) && state->cr4 & X86_CR4_PAE &&
		    state->cr0 & X86_CR0_PG)
			return -EPERM;
		state->cr3 = value & CR3_KEPT;
		return 0;
	case 8:
		state->cr8 = value & CR8_BITS;
		return 0;
	default:
		return -EPERM;
	}
}

static int state_write(struct x86_state *state, const struct gdb_register *reg,
		       uint64_t value)
{
	int error = -EPERM;

	switch (reg->place) {
	case PLACE_GPR:
		/* Of 64 bits the debugger that sees 32 changes those. */
		memcpy(&state->gpr[reg->index], &value, reg->size);
		return 0;
	case PLACE_PC:
		return pc_write(state, value);
	case PLACE_FLAGS:
		flags_write(state, value);
		return 0;
	case PLACE_SELECTOR:
	case PLACE_BASE:
		error = reg->place == PLACE_BASE
				? base_write(state,
					     &state->seg[reg->index].base,
					     value)
				: selector_write(&state->seg[reg->index],
						 is_8086(state), value);
		if (!error)
			state->dirty |= X86_GROUP_SEGMENTS;
		return error;
	case PLACE_KERNEL_GS:
		error = base_write(state, &state->kernel_gs_base, value);
		if (!error)
			state->dirty |= X86_GROUP_SYSCALL;
		return error;
	case PLACE_CONTROL:
		error = control_write(state, reg->index, value);
		if (!error)
			state->dirty |= X86_GROUP_CONTROL;
		return error;
	default:
		return error;
	}
}

int gdb_register_write(struct gdb *gdb, const struct gdb_register *reg,
		       const uint8_t *value)
{
	uint8_t old[GDB_REGISTER_MAX];
	uint64_t number = 0;

	/* A G packet has them all. */
	gdb_register_read(gdb, reg, old);
	if (memcmp(old, value, reg->size) == 0)
		return 0;
	memcpy(&number, value, MIN(sizeof(number), (size_t)reg->size));
	if (!is_of_xstate(reg))
		return state_write(gdb->ops->state(gdb->ctx, gdb->thread), reg,
				   number);
	xstate_write(gdb, reg, value, number);
	return 0;
}

/* ---- The description ----------------------------------------------------- */

static const char core_types[] = "<flags id=\"eflags\" size=\"4\">"
				 "<field name=\"CF\" start=\"0\" end=\"0\"/>"
				 "<field name=\"\" start=\"1\" end=\"1\"/>"
				 "<field name=\"PF\" start=\"2\" end=\"2\"/>"
				 "<field name=\"AF\" start=\"4\" end=\"4\"/>"
				 "<field name=\"ZF\" start=\"6\" end=\"6\"/>"
				 "<field name=\"SF\" start=\"7\" end=\"7\"/>"
				 "<field name=\"TF\" start=\"8\" end=\"8\"/>"
				 "<field name=\"IF\" start=\"9\" end=\"9\"/>"
				 "<field name=\"DF\" start=\"10\" end=\"10\"/>"
				 "<field name=\"OF\" start=\"11\" end=\"11\"/>"
				 "<field name=\"NT\" start=\"14\" end=\"14\"/>"
				 "<field name=\"RF\" start=\"16\" end=\"16\"/>"
				 "<field name=\"VM\" start=\"17\" end=\"17\"/>"
				 "<field name=\"AC\" start=\"18\" end=\"18\"/>"
				 "<field name=\"VIF\" start=\"19\" end=\"19\"/>"
				 "<field name=\"VIP\" start=\"20\" end=\"20\"/>"
				 "<field name=\"ID\" start=\"21\" end=\"21\"/>"
				 "</flags>";

static const char sse_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\">"
	"<field name=\"v4_float\" type=\"v4f\"/>"
	"<field name=\"v2_double\" type=\"v2d\"/>"
	"<field name=\"v16_int8\" type=\"v16i8\"/>"
	"<field name=\"v8_int16\" type=\"v8i16\"/>"
	"<field name=\"v4_int32\" type=\"v4i32\"/>"
	"<field name=\"v2_int64\" type=\"v2i64\"/>"
	"<field name=\"uint128\" type=\"uint128\"/>"
	"</union>";

static void feature_begin(struct gdb_text *text, const char *name)
{
	gdb_put(text, "<feature name=\"org.");
	gdb_put(text, name);
	gdb_put(text, "\">");
}

static void describe_register(struct gdb_text *text,
			      const struct gdb_register *reg)
{
	gdb_put(text, "<reg name=\"");
	gdb_put(text, reg->name);
	gdb_put(text, "\" bitsize=\"");
	gdb_put_decimal(text, reg->size * 8U);
	gdb_put(text, "\" type=\"");
	gdb_put(text, reg->type);
	gdb_put(text, "\"/>");
}

/* A feature ends where the next one's first register stands. */
static void feature_of(struct gdb_text *text, const struct gdb *gdb,
		       const struct gdb_register *reg)
{
	bool is_first_xmm = reg->place == PLACE_XMM && reg->index == 0;
	bool is_64bit = gdb->given == GDB_ARCH_X86_64;
	const char *system = is_64bit ? "k_gs_base" : "cs_base";

	if (is_first_xmm) {
		gdb_put(text, "</feature>");
		feature_begin(text, "gnu.gdb.i386.sse");
		gdb_put(text, sse_types);
	} else if (is_64bit && !strcmp(reg->name, "fs_base")) {
		gdb_put(text, "</feature>");
		feature_begin(text, "gnu.gdb.i386.segments");
	} else if (!strcmp(reg->name, system)) {
		gdb_put(text, "</feature>");
		feature_begin(text, "bulkhead.i386.system");
	}
}

void gdb_registers_describe(const struct gdb *gdb, struct gdb_text *text)
{
	static const char *const names[] = {
		[GDB_ARCH_AUTO] = "i386",
		[GDB_ARCH_I8086] = "i8086",
		[GDB_ARCH_I386] = "i386",
		[GDB_ARCH_X86_64] = "i386:x86-64",
	};
	unsigned count;
	const struct gdb_register *regs = gdb_registers(gdb, &count);

	gdb_put(text, "<?xml version=\"1.0\"?>"
		      "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
		      "<target version=\"1.0\"><architecture>");
	gdb_put(text, names[gdb->given]);
	/* GDB knows no i8086 of the system that it runs on itself. */
	gdb_put(text, "</architecture><osabi>none</osabi>");
	feature_begin(text, "gnu.gdb.i386.core");
	gdb_put(text, core_types);
	for (unsigned i = 0; i < count; i++) {
		feature_of(text, gdb, &regs[i]);
		describe_register(text, &regs[i]);
	}
	gdb_put(text, "</feature></target>");
}
