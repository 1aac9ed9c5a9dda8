/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stages of the emulator share: mode bits, the opcode row, register
 * and memory access.  Nothing outside emulate/ includes this.
 */
#ifndef BULKHEAD_EMULATE_INTERNAL_H
#define BULKHEAD_EMULATE_INTERNAL_H

#include "include/emulate.h"
#include "lib/string.h"

/* emul.mode */
#define MODE_PROTECTED BIT(0) /* CR0.PE and not virtual-8086 */
#define MODE_V86       BIT(1)
#define MODE_64	       BIT(2) /* 64-bit code */
#define MODE_32	       BIT(3) /* 32-bit code: CS.D */
#define MODE_PAGING    BIT(4)
#define MODE_ALIGN     BIT(5) /* CPL 3 with CR0.AM and EFLAGS.AC: #AC */
#define MODE_LONG      BIT(6) /* EFER.LMA: 64-bit or compatibility */
#define MODE_WATCH     BIT(7) /* a breakpoint is enabled: see breakpoint.c */

/*
 * Inside the emulator one more outcome: the locked store lost a race (or
 * there is nothing wrong but the loop must run again); never returned by
 * emul_step().
 */
#define EMUL_AGAIN ((enum emul_status)16)

/* Leave the function with what the call returned, unless EMUL_OK. */
#define TRY(call)                                     \
	do {                                          \
		enum emul_status try_status = (call); \
		if (unlikely(try_status != EMUL_OK))  \
			return try_status;            \
	} while (0)

typedef enum emul_status (*emul_fn)(struct emul *emul);

/*
 * One opcode.  An operand is a kind and a width, immediates besides have a
 * kind of their own.  Rows with a ROW_BY_* flag lead to a further table.
 */
struct emul_row {
	union {
		emul_fn execute; /* NULL: undefined opcode */
		const struct emul_row *sub;
	};
	uint8_t dst;
	uint8_t src;
	uint8_t imm;
	uint8_t prefix; /* enum emul_prefix_kind, for ROW_PREFIX */
	uint32_t flags;
};
ASSERT_SIZE(struct emul_row, 16);

/* Where an operand is ... */
enum emul_operand_kind {
	KIND_NONE,
	KIND_E, /* ModRM r/m: register or memory */
	KIND_G, /* ModRM reg */
	KIND_Z, /* low three bits of the opcode */
	KIND_A, /* accumulator */
	KIND_I, /* the immediate */
	KIND_CL,
	KIND_ONE,
	KIND_DX,
	KIND_O, /* memory at an offset in the instruction */
	KIND_S, /* segment register by ModRM reg, its selector */
	KIND_B, /* VEX.vvvv general register */
	KIND_MASK = 15,
};

/* ... and how wide. */
enum emul_operand_width {
	WIDTH_V = 0 << 4, /* operand size */
	WIDTH_B = 1 << 4, /* 8 bits */
	WIDTH_W = 2 << 4, /* 16 */
	WIDTH_D = 3 << 4, /* 32 */
	WIDTH_Q = 4 << 4, /* 64 */
	WIDTH_Y = 5 << 4, /* 32, or 64 with REX.W */
	WIDTH_X = 6 << 4, /* 16 in memory, operand size in a register */
};

/* Where decode found an operand to be. */
enum emul_place {
	PLACE_NONE,
	PLACE_REGISTER,
	PLACE_IMMEDIATE,
	PLACE_MEMORY,
	PLACE_OTHER, /* AH..BH, segment registers, constants */
};

/* What is done with dst after execute. */
enum emul_store {
	STORE_NONE,
	STORE_REGISTER, /* 32 or 64 bits */
	STORE_MEMORY,	/* not locked */
	STORE_OTHER,
};

/* What is done to a dst in memory. */
#define DST_LOAD    BIT(0)
#define DST_WRITE   EMUL_ACCESS_WRITE
#define DST_PREPARE BIT(2)

/* Operands by the manual's letters. */
enum emul_operand {
	Eb = KIND_E | WIDTH_B,
	Ew = KIND_E | WIDTH_W,
	Ed = KIND_E | WIDTH_D,
	Eq = KIND_E | WIDTH_Q,
	Ev = KIND_E | WIDTH_V,
	Ey = KIND_E | WIDTH_Y,
	Ex = KIND_E | WIDTH_X,
	Gb = KIND_G | WIDTH_B,
	Gw = KIND_G | WIDTH_W,
	Gd = KIND_G | WIDTH_D,
	Gv = KIND_G | WIDTH_V,
	Gy = KIND_G | WIDTH_Y,
	Zb = KIND_Z | WIDTH_B,
	Zv = KIND_Z | WIDTH_V,
	Zy = KIND_Z | WIDTH_Y,
	AL = KIND_A | WIDTH_B,
	AX = KIND_A | WIDTH_W,
	Av = KIND_A | WIDTH_V,
	Ob = KIND_O | WIDTH_B,
	Ov = KIND_O | WIDTH_V,
	Sw = KIND_S | WIDTH_W,
	By = KIND_B | WIDTH_Y,
	Ii = KIND_I | WIDTH_V,
	CL = KIND_CL | WIDTH_B,
	DX = KIND_DX | WIDTH_W,
	O1 = KIND_ONE | WIDTH_B,
};

enum emul_immediate {
	IMM_NONE,
	IMM_B,	 /* 8 bits, sign extended */
	IMM_W,	 /* 16 bits */
	IMM_Z,	 /* operand size, 4 bytes at most, sign extended */
	IMM_V,	 /* operand size */
	IMM_WB,	 /* ENTER */
	IMM_FAR, /* selector : offset */
	IMM_O,	 /* an offset of the address size */
};

#define ROW_MODRM	  BIT(0)
#define ROW_READ	  BIT(1) /* reads dst */
#define ROW_WRITE	  BIT(2) /* writes dst after execute */
#define ROW_LOCK	  BIT(3) /* LOCK with a memory dst, or MOV CR */
#define ROW_NO64	  BIT(4) /* undefined in 64-bit mode */
#define ROW_D64		  BIT(5) /* 64-bit mode: operand size defaults to 64 */
#define ROW_MEMORY	  BIT(6) /* a register form is undefined */
#define ROW_REGISTER	  BIT(7) /* a memory form is undefined */
#define ROW_CPL0	  BIT(8) /* #GP(0) elsewhere */
#define ROW_PROTECTED	  BIT(9) /* undefined in real and virtual-8086 mode */
#define ROW_BRANCH	  BIT(10) /* 64-bit mode: operand size is 64; see decode */
#define ROW_PREFIX	  BIT(11)
#define ROW_BY_REG	  BIT(12) /* sub[ModRM reg] */
#define ROW_BY_SIMD	  BIT(13) /* sub[none, 66, F3, F2] */
#define ROW_BY_MOD	  BIT(14) /* sub[memory, register] */
#define ROW_BY_RM	  BIT(15) /* sub[ModRM rm] */
#define ROW_BY_64	  BIT(16) /* sub[other modes, 64-bit mode] */
#define ROW_ESCAPE	  BIT(17) /* the 0F tables */
#define ROW_ONLY64	  BIT(18)
#define ROW_VEX		  BIT(19) /* C4 or C5, if not LES or LDS */
#define ROW_NO_VVVV	  BIT(20) /* VEX.vvvv must be 1111 */
#define ROW_REP		  BIT(21) /* F2 and F3 repeat, 66 keeps its meaning */
#define ROW_AVX		  BIT(22) /* legal with a VEX prefix */
#define ROW_ALWAYS_LOCKED BIT(23) /* XCHG with memory */
#define ROW_NO_LEGACY	  BIT(24) /* exists with VEX only */
#define ROW_VEX_L0	  BIT(25) /* VEX.L must be 0 */

#define ROW_FORCE_REG BIT(26) /* ModRM mod is ignored: a register */
#define ROW_SELF      BIT(27) /* writes dst, storing it itself */

#define ROW_LEADS \
	(ROW_BY_REG | ROW_BY_SIMD | ROW_BY_MOD | ROW_BY_RM | ROW_BY_64)
/* What has to be looked at before operands: rare, tested in one go. */
#define ROW_CHECKS                                                         \
	(ROW_NO64 | ROW_MEMORY | ROW_REGISTER | ROW_CPL0 | ROW_PROTECTED | \
	 ROW_ONLY64 | ROW_NO_VVVV | ROW_NO_LEGACY | ROW_VEX_L0)

/* Of these, what only VEX encodings can offend. */
#define ROW_CHECKS_VEX (ROW_NO_VVVV | ROW_VEX_L0)

#define PREFIX_66 0x66
#define PREFIX_F2 0xf2 /* REPNE */
#define PREFIX_F3 0xf3 /* REP, REPE */

enum emul_prefix_kind {
	PREFIX_SEGMENT,
	PREFIX_OPERAND,
	PREFIX_ADDRESS,
	PREFIX_LOCK,
	PREFIX_REP,
	PREFIX_REX,
};

extern const struct emul_row emul_table_one[256];
extern const struct emul_row emul_table_0f[256];
extern const struct emul_row emul_table_0f38[256];
extern const struct emul_row emul_table_0f3a[256];
/* What the last two tables do not list. */
extern const struct emul_row emul_unknown_0f38;
extern const struct emul_row emul_unknown_0f3a;

/* decode.c */
/* The decoded instruction, to be changed for this step only. */
struct emul_decoded *emul_decoded_own(struct emul *e);
/* Everything but whether it may be executed; next_rip is set. */
enum emul_status emul_decode_parse(struct emul *e);
void emul_mode_set(struct emul *e);
enum emul_status emul_state_need(struct emul *e, uint32_t groups);

/* walk.c */
enum emul_status emul_walk(struct emul *e, uint64_t linear, uint32_t access,
			   uint64_t *gpa);
enum emul_status emul_walk_slow(struct emul *e, uint64_t linear,
				uint32_t access, uint64_t *gpa);

/* memory.c: size up to 64 unless said otherwise */
#define ACCESS_READ  0
#define ACCESS_WRITE EMUL_ACCESS_WRITE
enum emul_status emul_linear(struct emul *e, unsigned seg, uint64_t offset,
			     unsigned size, uint32_t access, uint64_t *linear);
enum emul_status emul_access_prepare(struct emul *e, uint64_t linear,
				     unsigned size, uint32_t access,
				     struct emul_access *a);
enum emul_status emul_access_read(struct emul *e, const struct emul_access *a,
				  void *data, unsigned size);
enum emul_status emul_access_write(struct emul *e, const struct emul_access *a,
				   const void *data, unsigned size);
/* To be read, until emul_forget(); NULL: in no window. */
const void *emul_window_at(const struct emul *e, uint64_t gpa);
void *emul_ram_slow(struct emul *e, uint64_t gpa, unsigned size, bool write);
/* At a segment's offset, with all checks. */
enum emul_status emul_memory_read(struct emul *e, unsigned seg, uint64_t offset,
				  void *data, unsigned size);
enum emul_status emul_memory_write(struct emul *e, unsigned seg,
				   uint64_t offset, const void *data,
				   unsigned size);
/*
 * The instruction's memory operand in pieces, the last perhaps shorter, each
 * with an address of its own, that wraps; at once where none does.
 */
enum emul_status emul_pieces_access(struct emul *e, uint64_t offset, void *data,
				    unsigned size, unsigned piece,
				    bool is_write);
/* Whether they might be written. */
enum emul_status emul_pieces_check(struct emul *e, uint64_t offset,
				   unsigned size, unsigned piece);
/* At a linear address, as the processor itself (descriptors, TSS). */
enum emul_status emul_system_prepare(struct emul *e, uint64_t linear,
				     unsigned size, uint32_t access,
				     struct emul_access *a);
enum emul_status emul_system_read(struct emul *e, uint64_t linear, void *data,
				  unsigned size);
enum emul_status emul_system_write(struct emul *e, uint64_t linear,
				   const void *data, unsigned size);

/* operand.c */
/* Where the row's operands are. */
void emul_operands_place(struct emul *e);
enum emul_status emul_operands_load(struct emul *e);
enum emul_status emul_dst_prepare(struct emul *e, uint32_t access);
enum emul_status emul_dst_store(struct emul *e);
enum emul_status emul_pair_store(struct emul *e, unsigned half,
				 const uint64_t old[2],
				 const uint64_t value[2]);

/* execute_stack.c */
enum emul_status emul_push(struct emul *e, uint64_t value, unsigned size);
enum emul_status emul_pop(struct emul *e, uint64_t *value, unsigned size);
uint64_t emul_stack_mask(const struct emul *e);
void emul_stack_add(struct emul *e, int64_t bytes);

uint64_t emul_flags_writable(const struct emul *e, unsigned size);

/* execute_flow.c */
enum emul_status emul_branch_near(struct emul *e, uint64_t rip);
bool emul_condition(const struct emul *e, unsigned condition);

/* execute_x87.c */
/* Of components (XCR0's bits), those in their initial state: registers hold
 * its values from here on, and count as in use. */
void emul_components_init(struct x86_xstate *x, uint64_t components);

/* execute_segment.c */
enum emul_status emul_segment_load(struct emul *e, unsigned seg,
				   uint16_t selector);
/* execute_io.c */
enum emul_status emul_io_permit(struct emul *e, unsigned port, unsigned size);

/* interrupt.c */
enum emul_status emul_software_interrupt(struct emul *e, unsigned vector,
					 enum emul_event_type type);

static inline bool mode_is_64(const struct emul *e)
{
	return e->mode & MODE_64;
}

static inline bool mode_is_protected(const struct emul *e)
{
	return e->mode & MODE_PROTECTED;
}

static inline unsigned cpl_get(const struct emul *e)
{
	return e->state->cpl;
}

/*
 * Whether #DB is due behind this instruction is as TF was before it; for those
 * of which the manuals say otherwise, as it is now.
 */
static inline void trap_flag_follow(struct emul *e)
{
	e->state->rflags =
		(e->state->rflags & ~X86_FLAG_TF) | (e->flags & X86_FLAG_TF);
}

extern const uint64_t emul_size_masks[9];

/* size: 1, 2, 4 or 8 */
static inline uint64_t size_mask(unsigned size)
{
	return emul_size_masks[size];
}

static inline int64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (int64_t)(value << shift) >> shift;
}

static inline uint64_t gpr_get(const struct emul *e, unsigned reg,
			       unsigned size)
{
	return e->state->gpr[reg] & size_mask(size);
}

/* A 32-bit write clears the upper half, smaller ones leave the rest. */
static inline void gpr_set(struct emul *e, unsigned reg, uint64_t value,
			   unsigned size)
{
	uint64_t *gpr = &e->state->gpr[reg];

	if (size >= 4)
		*gpr = value & size_mask(size);
	else if (size == 2)
		*(uint16_t *)gpr = (uint16_t)value;
	else
		*(uint8_t *)gpr = (uint8_t)value;
}

/* A byte register: AH..BH without a REX prefix. */
static inline uint8_t *gpr_byte(struct emul *e, unsigned reg)
{
	if (reg >= 4 && reg < 8 && !e->d->rex)
		return (uint8_t *)&e->state->gpr[reg - 4] + 1;
	return (uint8_t *)&e->state->gpr[reg];
}

static inline uint64_t operand_register_get(struct emul *e, unsigned reg,
					    unsigned size)
{
	if (size == 1)
		return *gpr_byte(e, reg);
	return gpr_get(e, reg, size);
}

static inline void operand_register_set(struct emul *e, unsigned reg,
					uint64_t value, unsigned size)
{
	if (size == 1)
		*gpr_byte(e, reg) = (uint8_t)value;
	else
		gpr_set(e, reg, value, size);
}

/* Address-size arithmetic on a pointer or counter register. */
static inline uint64_t address_mask(const struct emul *e)
{
	return size_mask(e->d->address_size);
}

#define REX_B BIT(0)
#define REX_X BIT(1)
#define REX_R BIT(2)
#define REX_W BIT(3)

static inline unsigned modrm_reg_field(const struct emul *e)
{
	return (e->d->modrm >> 3) & 7;
}

static inline unsigned modrm_reg(const struct emul *e)
{
	return e->d->reg;
}

static inline unsigned modrm_rm(const struct emul *e)
{
	return e->d->rm;
}

/* Of MOV CR: LOCK leads from CR0 to CR8, and from others nowhere. */
static inline unsigned cr_number(const struct emul *e)
{
	return e->d->reg | (e->d->has_lock ? 8 : 0);
}

/* VEX.vvvv as a register: outside 64-bit mode its top bit does not count. */
static inline unsigned vex_register(const struct emul *e)
{
	return mode_is_64(e) ? e->d->vex_vvvv : e->d->vex_vvvv & 7;
}

/*
 * RAM at gpa for an access that does not cross a page, else NULL.  The
 * windows first: no call on the common path.
 */
static inline void *emul_ram(struct emul *e, uint64_t gpa, unsigned size,
			     bool write)
{
	const struct emul_window *w = &e->window[0];
	uint64_t at = gpa - w->start;

	if (likely(at < w->size))
		return w->host + at;
	return emul_ram_slow(e, gpa, size, write);
}

/*
 * The memory operand where alignment is demanded by the instruction itself:
 * processors look at that before they look at segment and address.
 */
static inline bool is_misaligned(const struct emul *e, unsigned align)
{
	uint64_t linear = e->offset;

	if (!mode_is_64(e) || e->d->segment >= X86_FS)
		linear += e->state->seg[e->d->segment].base;
	return linear & (align - 1);
}

/* Guest memory is accessed once, whatever its alignment. */
typedef uint16_t __aligned(1) ram16_t;
typedef uint32_t __aligned(1) ram32_t;
typedef uint64_t __aligned(1) ram64_t;

static inline uint64_t ram_load(const void *host, unsigned size)
{
	if (likely(size == 4))
		return *(const volatile ram32_t *)host;
	if (size == 8)
		return *(const volatile ram64_t *)host;
	if (size == 1)
		return *(const volatile uint8_t *)host;
	return *(const volatile ram16_t *)host;
}

static inline void ram_store(void *host, uint64_t value, unsigned size)
{
	if (likely(size == 4))
		*(volatile ram32_t *)host = (uint32_t)value;
	else if (size == 8)
		*(volatile ram64_t *)host = value;
	else if (size == 1)
		*(volatile uint8_t *)host = (uint8_t)value;
	else
		*(volatile ram16_t *)host = (uint16_t)value;
}

static inline enum emul_status raise_ud(struct emul *e)
{
	return emul_raise(e, X86_VECTOR_UD);
}

static inline enum emul_status raise_gp0(struct emul *e)
{
	return emul_raise_code(e, X86_VECTOR_GP, 0);
}

static inline bool is_canonical(const struct emul *e, uint64_t linear)
{
	unsigned spare = e->state->cr4 & X86_CR4_LA57 ? 64 - 57 : 64 - 48;

	return (uint64_t)((int64_t)(linear << spare) >> spare) == linear;
}

#endif
