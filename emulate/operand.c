/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands: from a row's kinds and widths to values in emul.src and emul.dst,
 * and the result back to where it belongs.  A locked store is a compare and
 * exchange with what was loaded; if it fails the instruction is executed
 * again from its operands.
 *
 * Not modelled: atomicity of a locked access across two pages or to MMIO.
 */
#include "emulate/operand.h"

/* Width code to bytes, by operand size 2, 4, 8. */
static const uint8_t widths[3][8] = {
	{ 2, 1, 2, 4, 8, 4, 2 },
	{ 4, 1, 2, 4, 8, 4, 4 },
	{ 8, 1, 2, 4, 8, 8, 8 },
};

static unsigned operand_width(const struct emul *e, unsigned operand,
			      unsigned place)
{
	/* Selectors and the machine status word: 16 bits in memory. */
	if ((operand & ~KIND_MASK) == WIDTH_X && place == PLACE_MEMORY)
		return 2;
	return widths[e->d->operand_size >> 2][operand >> 4];
}

/* Where an operand is, and its register if it is one. */
static unsigned operand_place(const struct emul *e, unsigned operand,
			      uint8_t *reg)
{
	const struct emul_decoded *d = e->d;
	bool is_byte = (operand & ~KIND_MASK) == WIDTH_B;

	switch (operand & KIND_MASK) {
	case KIND_NONE:
		return PLACE_NONE;
	case KIND_E:
		if (d->is_memory)
			return PLACE_MEMORY;
		*reg = d->rm;
		break;
	case KIND_G:
		*reg = d->reg;
		break;
	case KIND_Z:
		*reg = (d->opcode & 7) | (d->rex & REX_B) << 3;
		break;
	case KIND_A:
		*reg = X86_RAX;
		return PLACE_REGISTER;
	case KIND_B:
		*reg = vex_register(e);
		break;
	case KIND_O:
		return PLACE_MEMORY;
	case KIND_I:
		return PLACE_IMMEDIATE;
	default:
		return PLACE_OTHER;
	}
	if (is_byte && *reg >= 4 && *reg < 8 && !d->rex)
		return PLACE_OTHER; /* AH, CH, DH, BH */
	return PLACE_REGISTER;
}

static enum emul_store store_kind(const struct emul_decoded *d)
{
	if (d->dst_place == PLACE_REGISTER && d->size >= 4)
		return STORE_REGISTER;
	if (d->dst_place == PLACE_MEMORY && !d->is_locked)
		return STORE_MEMORY;
	return STORE_OTHER;
}

void emul_operands_place(struct emul *e)
{
	struct emul_decoded *d = e->d;
	const struct emul_row *row = d->row;
	uint32_t checks;

	d->src_place = operand_place(e, row->src, &d->src_register);
	d->src_size = operand_width(e, row->src, d->src_place);
	d->dst_place = operand_place(e, row->dst, &d->dst_register);
	d->size = operand_width(e, row->dst, d->dst_place);
	d->dst_access = 0;
	if (d->dst_place == PLACE_MEMORY && row->flags & (ROW_READ | ROW_WRITE))
		d->dst_access |= DST_PREPARE;
	if (d->dst_place == PLACE_MEMORY && row->flags & (ROW_WRITE | ROW_SELF))
		d->dst_access |= DST_WRITE;
	if (row->flags & ROW_READ)
		d->dst_access |= DST_LOAD;
	d->is_locked = d->has_lock || row->flags & ROW_ALWAYS_LOCKED;
	d->store = STORE_NONE;
	if (row->flags & ROW_WRITE)
		d->store = store_kind(d);
	checks = ROW_CHECKS;
	if (!d->is_vex)
		checks &= ~ROW_CHECKS_VEX;
	d->is_checked = !row->execute || d->special || row->flags & checks;
}

enum emul_status emul_src_other(struct emul *e)
{
	switch (e->d->row->src & KIND_MASK) {
	case KIND_CL:
		e->src = e->state->gpr[X86_RCX] & 0xff;
		break;
	case KIND_ONE:
		e->src = 1;
		break;
	case KIND_DX:
		e->src = e->state->gpr[X86_RDX] & 0xffff;
		break;
	case KIND_S:
		if (modrm_reg_field(e) >= X86_SEG_COUNT)
			return raise_ud(e);
		e->src = e->state->seg[modrm_reg_field(e)].selector;
		break;
	default:
		e->src = *gpr_byte(e, e->d->src_register);
		break;
	}
	return EMUL_OK;
}

enum emul_status emul_operands_load(struct emul *e)
{
	return operands_load(e);
}

enum emul_status emul_dst_prepare(struct emul *e, uint32_t access)
{
	TRY(memory_prepare(e, e->d->size, access));
	TRY(memory_load(e, e->d->size, &e->dst));
	e->old = e->dst;
	return EMUL_OK;
}

/* Compare and exchange at any alignment, as LOCK allows it. */
#define ASM_EXCHANGE(type, insn)                                           \
	__asm__ volatile("lock " insn " %[value], %[at]\n\tsete %[ok]"     \
			 : [at] "+m"(*(type *)host), [ok] "=q"(is_stored), \
			   "+a"(old)                                       \
			 : [value] "q"((type)value)                        \
			 : "cc", "memory")

static bool ram_exchange(void *host, uint64_t old, uint64_t value,
			 unsigned size)
{
	bool is_stored;

	switch (size) {
	case 1:
		ASM_EXCHANGE(uint8_t, "cmpxchgb");
		break;
	case 2:
		ASM_EXCHANGE(ram16_t, "cmpxchgw");
		break;
	case 4:
		ASM_EXCHANGE(ram32_t, "cmpxchgl");
		break;
	default:
		ASM_EXCHANGE(ram64_t, "cmpxchgq");
		break;
	}
	return is_stored;
}

enum emul_status emul_load_other(struct emul *e, unsigned size, uint64_t *value)
{
	/* Prepared for reading and still no RAM: a device. */
	if (likely(!e->access.length[1] && e->ops->mmio_read &&
		   !(e->d->dst_access & DST_WRITE)))
		return e->ops->mmio_read(e->ctx, e->access.gpa[0], value, size);
	return emul_access_read(e, &e->access, value, size);
}

enum emul_status emul_store_device(struct emul *e)
{
	if (likely(!e->access.length[1] && e->ops->mmio_write))
		return e->ops->mmio_write(e->ctx, e->access.gpa[0], &e->dst,
					  e->d->size);
	return emul_access_write(e, &e->access, &e->dst, e->d->size);
}

enum emul_status emul_store_other(struct emul *e)
{
	void *host = e->access.host;

	if (!host)
		return emul_store_device(e);
	return ram_exchange(host, e->old, e->dst, e->d->size) ? EMUL_OK
							      : EMUL_AGAIN;
}

enum emul_status emul_dst_store(struct emul *e)
{
	return dst_store(e);
}

/* Two halves of 4 or 8 bytes each, one atomic store when locked. */
enum emul_status emul_pair_store(struct emul *e, unsigned half,
				 const uint64_t old[2], const uint64_t value[2])
{
	void *host = e->access.host;
	bool is_stored;
	uint64_t low = old[0], high = old[1];

	if (!host || !e->d->is_locked) {
		uint8_t buffer[16];

		ram_store(buffer, value[0], half);
		ram_store(buffer + half, value[1], half);
		return emul_access_write(e, &e->access, buffer, 2 * half);
	}
	if (half == 8 && (uintptr_t)host & 15)
		return EMUL_UNHANDLED; /* windows are page aligned */
	if (half == 4)
		return ram_exchange(host, low | high << 32,
				    value[0] | value[1] << 32, 8)
			       ? EMUL_OK
			       : EMUL_AGAIN;
	__asm__ volatile(
		"lock cmpxchg16b %[at]\n\tsete %[ok]"
		: [at] "+m"(*(unsigned __int128 *)host), [ok] "=q"(is_stored),
		  "+a"(low), "+d"(high)
		: "b"(value[0]), "c"(value[1])
		: "cc", "memory");
	return is_stored ? EMUL_OK : EMUL_AGAIN;
}
