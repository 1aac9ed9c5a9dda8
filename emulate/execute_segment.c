/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment registers and descriptor tables: MOV to a segment register, LAR,
 * LSL, VERR, VERW, ARPL, SLDT, STR, LLDT, LTR, SGDT, SIDT, LGDT, LIDT, BOUND.
 *
 * References: SDM volume 2, instruction pages; volume 3, "Protection" and
 * "User-Mode Instruction Prevention".
 */
#include "emulate/execute.h"
#include "emulate/flags.h"
#include "emulate/segment.h"

EXECUTE(mov_to_segment)
{
	unsigned seg = modrm_reg_field(e);

	if (seg == X86_CS || seg >= X86_SEG_COUNT)
		return raise_ud(e);
	TRY(emul_segment_load(e, seg, (uint16_t)e->src));
	if (seg == X86_SS)
		e->shadow = X86_SHADOW_MOVSS;
	return EMUL_OK;
}

/* Memory need be writable only if there is something to write. */
EXECUTE(arpl)
{
	unsigned rpl = e->src & SELECTOR_RPL;
	bool is_lower = (e->dst & SELECTOR_RPL) < rpl;

	flag_put(e, X86_FLAG_ZF, is_lower);
	if (!is_lower)
		return EMUL_OK;
	if (e->d->is_memory)
		TRY(emul_dst_prepare(e, ACCESS_WRITE));
	e->dst = (e->dst & ~SELECTOR_RPL) | rpl;
	return emul_dst_store(e);
}

/* The types that LAR and LSL know, by system type number. */
#define LAR_TYPES                                                              \
	(BIT(SYSTEM_TSS16) | BIT(SYSTEM_LDT) | BIT(SYSTEM_TSS16_BUSY) |        \
	 BIT(SYSTEM_CALL_GATE16) | BIT(SYSTEM_TASK_GATE) | BIT(SYSTEM_TSS32) | \
	 BIT(SYSTEM_TSS32_BUSY) | BIT(SYSTEM_CALL_GATE32))
#define LSL_TYPES                                                       \
	(BIT(SYSTEM_TSS16) | BIT(SYSTEM_LDT) | BIT(SYSTEM_TSS16_BUSY) | \
	 BIT(SYSTEM_TSS32) | BIT(SYSTEM_TSS32_BUSY))
#define LONG_TYPES                                                      \
	(BIT(SYSTEM_LDT) | BIT(SYSTEM_TSS32) | BIT(SYSTEM_TSS32_BUSY) | \
	 BIT(SYSTEM_CALL_GATE32))

/*
 * Read a descriptor for an instruction that answers in ZF.  *is_visible stays
 * false where it cannot be seen; faults other than the table's limit remain.
 */
static enum emul_status descriptor_look(struct emul *e, uint32_t types,
					struct emul_descriptor *desc,
					bool *is_visible)
{
	uint16_t selector = (uint16_t)e->src;
	unsigned dpl, rpl = selector & SELECTOR_RPL;
	enum emul_status status;

	*is_visible = false;
	if (selector_is_null(selector))
		return EMUL_OK;
	status = emul_descriptor_read(e, selector, X86_VECTOR_GP, desc);
	if (status == EMUL_FAULT)
		return e->fault.vector == X86_VECTOR_GP ? EMUL_OK : status;
	if (status != EMUL_OK)
		return status;
	if (!(desc->raw & DESC_S)) {
		if (e->mode & MODE_LONG)
			types &= LONG_TYPES;
		if (!(types & BIT(desc_type(desc->raw))))
			return EMUL_OK;
	}
	dpl = desc_dpl(desc->raw);
	if (!(desc_is_code(desc->raw) && desc->raw & DESC_CONFORM) &&
	    (cpl_get(e) > dpl || rpl > dpl))
		return EMUL_OK;
	*is_visible = true;
	return EMUL_OK;
}

/* Bits 51:48 are undefined in the result; processors leave the limit's. */
#define LAR_MASK MASK(55, 40)

EXECUTE(lar)
{
	struct emul_descriptor desc;
	bool is_visible;

	TRY(descriptor_look(e, LAR_TYPES, &desc, &is_visible));
	if (is_visible)
		e->dst = (desc.raw & LAR_MASK) >> 32;
	else
		emul_decoded_own(e)->store = STORE_NONE;
	flag_put(e, X86_FLAG_ZF, is_visible);
	return EMUL_OK;
}

EXECUTE(lsl)
{
	struct emul_descriptor desc;
	struct x86_segment seg;
	bool is_visible;

	TRY(descriptor_look(e, LSL_TYPES, &desc, &is_visible));
	if (is_visible) {
		emul_segment_unpack(&seg, 0, desc.raw);
		e->dst = seg.limit;
	} else {
		emul_decoded_own(e)->store = STORE_NONE;
	}
	flag_put(e, X86_FLAG_ZF, is_visible);
	return EMUL_OK;
}

static enum emul_status verify(struct emul *e, bool for_write)
{
	struct emul_descriptor desc;
	bool is_visible, is_good;

	TRY(descriptor_look(e, 0, &desc, &is_visible));
	if (!is_visible)
		is_good = false;
	else if (desc_is_code(desc.raw))
		is_good = !for_write && desc.raw & DESC_READABLE;
	else
		is_good = !for_write || desc.raw & DESC_WRITABLE;
	flag_put(e, X86_FLAG_ZF, is_good);
	return EMUL_OK;
}

EXECUTE(verr)
{
	return verify(e, false);
}

EXECUTE(verw)
{
	return verify(e, true);
}

/* UMIP: these tell user mode nothing. */
static enum emul_status umip_check(struct emul *e)
{
	if (e->state->cr4 & X86_CR4_UMIP && mode_is_protected(e) && cpl_get(e))
		return raise_gp0(e);
	if (e->state->cr4 & X86_CR4_UMIP && e->mode & MODE_V86)
		return raise_gp0(e);
	return EMUL_OK;
}

EXECUTE(sldt)
{
	TRY(umip_check(e));
	TRY(emul_state_need(e, X86_GROUP_TABLES));
	e->dst = e->state->ldtr.selector;
	return EMUL_OK;
}

EXECUTE(str)
{
	TRY(umip_check(e));
	TRY(emul_state_need(e, X86_GROUP_TABLES));
	e->dst = e->state->tr.selector;
	return EMUL_OK;
}

EXECUTE(smsw)
{
	TRY(umip_check(e));
	e->dst = e->state->cr0;
	return EMUL_OK;
}

static enum emul_status table_store(struct emul *e,
				    const struct x86_segment *table)
{
	unsigned size = mode_is_64(e) ? 8 : 4;
	uint8_t bytes[10];

	TRY(umip_check(e));
	TRY(emul_state_need(e, X86_GROUP_TABLES));
	ram_store(bytes, table->limit, 2);
	ram_store(bytes + 2, table->base, size);
	return emul_memory_write(e, e->d->segment, e->offset, bytes, size + 2);
}

EXECUTE(sgdt)
{
	return table_store(e, &e->state->gdtr);
}

EXECUTE(sidt)
{
	return table_store(e, &e->state->idtr);
}

#define TABLE_BASE24 MASK(23, 0)

static enum emul_status table_load(struct emul *e, struct x86_segment *table)
{
	unsigned size = mode_is_64(e) ? 8 : 4;
	uint8_t bytes[10];
	uint64_t base;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	TRY(emul_memory_read(e, e->d->segment, e->offset, bytes, size + 2));
	base = ram_load(bytes + 2, size);
	if (size == 8 && !is_canonical(e, base))
		return raise_gp0(e);
	if (size == 4 && e->d->operand_size == 2)
		base &= TABLE_BASE24;
	table->limit = (uint32_t)ram_load(bytes, 2);
	table->base = base;
	e->state->dirty |= X86_GROUP_TABLES;
	return EMUL_OK;
}

EXECUTE(lgdt)
{
	return table_load(e, &e->state->gdtr);
}

EXECUTE(lidt)
{
	return table_load(e, &e->state->idtr);
}

EXECUTE(lldt)
{
	uint16_t selector = (uint16_t)e->src;
	struct emul_descriptor desc;
	struct x86_segment ldt;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	if (selector_is_null(selector)) {
		emul_segment_null(&e->state->ldtr, selector);
		e->state->dirty |= X86_GROUP_TABLES;
		return EMUL_OK;
	}
	if (selector & SELECTOR_TI)
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	TRY(emul_descriptor_read(e, selector, X86_VECTOR_GP, &desc));
	TRY(emul_descriptor_high(e, selector, X86_VECTOR_GP, &desc));
	if (desc.raw & DESC_S || desc_type(desc.raw) != SYSTEM_LDT)
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	if (!(desc.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP,
				       selector_code(selector));
	emul_segment_unpack(&ldt, selector, desc.raw);
	ldt.base |= desc.high << 32;
	if (e->mode & MODE_LONG && !is_canonical(e, ldt.base))
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	e->state->ldtr = ldt;
	e->state->dirty |= X86_GROUP_TABLES;
	return EMUL_OK;
}

static bool tss_is_available(const struct emul *e, uint64_t raw)
{
	unsigned type = desc_type(raw);

	if (raw & DESC_S)
		return false;
	return type == SYSTEM_TSS32 ||
	       (type == SYSTEM_TSS16 && !(e->mode & MODE_LONG));
}

EXECUTE(ltr)
{
	uint16_t selector = (uint16_t)e->src;
	struct emul_descriptor desc;
	struct x86_segment tr;

	if (selector_is_null(selector))
		return raise_gp0(e);
	if (selector & SELECTOR_TI)
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	TRY(emul_descriptor_read(e, selector, X86_VECTOR_GP, &desc));
	TRY(emul_descriptor_high(e, selector, X86_VECTOR_GP, &desc));
	if (!tss_is_available(e, desc.raw))
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	if (!(desc.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP,
				       selector_code(selector));
	desc.raw |= DESC_TSS_BUSY;
	emul_segment_unpack(&tr, selector, desc.raw);
	tr.base |= desc.high << 32;
	if (e->mode & MODE_LONG && !is_canonical(e, tr.base))
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	TRY(emul_descriptor_write(e, &desc));
	e->state->tr = tr;
	e->state->dirty |= X86_GROUP_TABLES;
	return EMUL_OK;
}

/* Two accesses: the second wraps at the address size. */
EXECUTE(bound)
{
	unsigned size = e->d->operand_size;
	uint64_t at = e->offset, low = 0, high = 0;
	int64_t index = sign_extend(e->state->gpr[modrm_reg(e)], size);

	TRY(emul_memory_read(e, e->d->segment, at, &low, size));
	at = (at + size) & address_mask(e);
	TRY(emul_memory_read(e, e->d->segment, at, &high, size));
	if (index < sign_extend(low, size) || index > sign_extend(high, size))
		return emul_raise(e, X86_VECTOR_BR);
	return EMUL_OK;
}
