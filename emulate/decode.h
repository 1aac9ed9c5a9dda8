/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of the decoder, inlined where an instruction is decoded: from bytes
 * to a struct emul_decoded, which holds no value of a register; and what is
 * done at every step, decoded or remembered: mode, fetch, effective address.
 *
 * References: SDM volume 2, "Instruction Format"; APM volume 3, "Instruction
 * Encoding".
 */
#ifndef BULKHEAD_EMULATE_DECODE_H
#define BULKHEAD_EMULATE_DECODE_H

#include "emulate/walk.h"

/* Make want bytes available, or raise what stands against it. */
enum emul_status emul_fetch_more(struct emul *e, unsigned want);
void emul_decode_prefix(struct emul *e, const struct emul_row *row,
			uint8_t byte);
const struct emul_row *emul_decode_lead(const struct emul *e,
					const struct emul_row *row);
struct decoder;
enum emul_status emul_decode_vex(struct emul *e, struct decoder *c);
/* What a row demands beyond operands. */
enum emul_status emul_decode_check(struct emul *e, const struct emul_row *row);
unsigned emul_operand_size(const struct emul *e, uint32_t flags);

#define ACCESS_FETCH EMUL_ACCESS_FETCH

/* Bytes that one load takes; those beyond EMUL_INSN_MAX do not count. */
#define FETCH_WHOLE 16

void emul_mode_work_out(struct emul *e);

/* Mode and sizes are not to be worked out anew. */
static __always_inline bool mode_is_known(const struct emul *e)
{
	const struct x86_state *s = e->state;

	return likely(s->cr0 == e->mode_cr0 && s->efer == e->mode_efer &&
		      s->seg[X86_CS].attributes == e->mode_attributes &&
		      s->cpl == e->mode_cpl);
}

/*
 * Where the instruction's bytes are, if all that there can be lie within a
 * page of the first window (or anywhere in RAM) and within the segment.
 */
static __always_inline bool fetch_find(struct emul *e, const ram64_t **host,
				       const bool anywhere)
{
	const struct x86_state *s = e->state;
	const struct emul_window *w = &e->window[0];
	uint64_t linear = s->rip, gpa, at;

	if (!mode_is_64(e)) {
		const struct x86_segment *cs = &s->seg[X86_CS];

		linear = (uint32_t)linear;
		if (linear + FETCH_WHOLE > cs->limit)
			return false;
		linear = (uint32_t)(linear + cs->base);
	}
	if ((linear & (PAGE_SIZE - 1)) > PAGE_SIZE - FETCH_WHOLE)
		return false;
	gpa = linear;
	if (e->mode & MODE_PAGING &&
	    !walk_fast(e, linear, ACCESS_FETCH | e->user_access, &gpa))
		return false;
	at = gpa - w->start;
	if (unlikely(at >= w->size)) {
		*host = anywhere ? emul_ram_slow(e, gpa, FETCH_WHOLE, false)
				 : NULL;
		return *host;
	}
	*host = (const ram64_t *)(w->host + at);
	return true;
}

static inline void fetch_whole(struct emul *e, uint64_t low, uint64_t high)
{
	__builtin_memcpy(e->insn, &low, sizeof(low));
	__builtin_memcpy(e->insn + sizeof(low), &high, sizeof(high));
	e->available = EMUL_INSN_MAX;
}

/* Where the decoder is; p points into emul.insn. */
struct decoder {
	const uint8_t *p;
	uint32_t flags; /* of the row */
	const struct emul_row *row;
};

#define FETCH(n)                                                            \
	do {                                                                \
		if (unlikely(c->p + (n) > e->insn + e->available))          \
			TRY(emul_fetch_more(e, (unsigned)(c->p - e->insn) + \
						       (n)));               \
	} while (0)

static inline uint64_t take(struct decoder *c, unsigned n)
{
	uint64_t v = ram_load(c->p, n);

	c->p += n;
	return v;
}

static inline void decoder_row(struct decoder *c, const struct emul_row *row)
{
	c->row = row;
	c->flags = row->flags;
}

/* Of a table with gaps. */
static inline void decoder_row_of(struct decoder *c,
				  const struct emul_row *table,
				  const struct emul_row *unlisted,
				  const struct emul_decoded *d)
{
	decoder_row(c, &table[d->opcode]);
	if (!c->row->execute && !c->flags)
		decoder_row(c, unlisted);
}

/* Prefixes up to and with the first opcode byte. */
static inline enum emul_status decode_prefixes(struct emul *e,
					       struct decoder *c)
{
	uint8_t byte;

	for (c->p = e->insn;; c->p++) {
		FETCH(1);
		byte = *c->p;
		decoder_row(c, &emul_table_one[byte]);
		if (likely(!(c->flags & ROW_PREFIX)) ||
		    (c->row->prefix == PREFIX_REX && !mode_is_64(e)))
			break;
		emul_decode_prefix(e, c->row, byte);
	}
	e->d->opcode = byte;
	e->d->prefix_length = (uint8_t)(c->p++ - e->insn);
	return EMUL_OK;
}

static inline enum emul_status decode_opcode(struct emul *e, struct decoder *c)
{
	struct emul_decoded *d = e->d;

	FETCH(1);
	if (c->flags & ROW_VEX) {
		if (!mode_is_64(e) && *c->p < 0xc0)
			return EMUL_OK;
		return emul_decode_vex(e, c);
	}
	d->opcode = (uint8_t)take(c, 1);
	decoder_row(c, &emul_table_0f[d->opcode]);
	if (likely(!(c->flags & ROW_ESCAPE)))
		return EMUL_OK;
	FETCH(1);
	if (d->opcode == 0x38) {
		d->opcode = (uint8_t)take(c, 1);
		decoder_row_of(c, emul_table_0f38, &emul_unknown_0f38, d);
	} else {
		d->opcode = (uint8_t)take(c, 1);
		decoder_row_of(c, emul_table_0f3a, &emul_unknown_0f3a, d);
	}
	return EMUL_OK;
}

/* The 16-bit forms: BX+SI BX+DI BP+SI BP+DI SI DI BP BX. */
static inline enum emul_status
decode_address16(struct emul *e, struct decoder *c, unsigned mod, unsigned rm)
{
	static const uint8_t base[8] = { X86_RBX, X86_RBX, X86_RBP, X86_RBP,
					 X86_RSI, X86_RDI, X86_RBP, X86_RBX };
	static const uint8_t index[4] = { X86_RSI, X86_RDI, X86_RSI, X86_RDI };
	struct emul_decoded *d = e->d;

	d->segment = X86_DS;
	if (mod == 0 && rm == 6) {
		FETCH(2);
		d->displacement = (int16_t)take(c, 2);
		return EMUL_OK;
	}
	d->has_base = true;
	d->base = base[rm];
	if (rm < 4) {
		d->is_complex = true;
		d->index = index[rm];
		d->scale = 0;
	}
	if (d->base == X86_RBP)
		d->segment = X86_SS;
	if (mod == 1) {
		FETCH(1);
		d->displacement = (int8_t)take(c, 1);
	} else if (mod == 2) {
		FETCH(2);
		d->displacement = (int16_t)take(c, 2);
	}
	return EMUL_OK;
}

static inline enum emul_status decode_sib(struct emul *e, struct decoder *c,
					  unsigned mod, unsigned *disp)
{
	struct emul_decoded *d = e->d;
	unsigned sib, index;

	FETCH(1);
	sib = *c->p++;
	if ((sib & 7) == X86_RBP && mod == 0) {
		*disp = 4;
	} else {
		d->has_base = true;
		d->base = (sib & 7) | (d->rex & REX_B) << 3;
		if (d->base == X86_RSP || d->base == X86_RBP)
			d->segment = X86_SS;
	}
	index = (sib >> 3 & 7) | (d->rex & REX_X) << 2;
	d->scale = sib >> 6; /* of a vector index 4, too */
	if (index != X86_RSP) {
		d->is_complex = true;
		d->index = index;
	}
	return EMUL_OK;
}

static inline enum emul_status decode_address(struct emul *e, struct decoder *c,
					      unsigned mod, unsigned rm)
{
	static const uint8_t disp_size[4] = { 0, 1, 4, 0 };
	struct emul_decoded *d = e->d;
	unsigned disp = disp_size[mod];

	d->segment = X86_DS;
	if (rm == X86_RSP) {
		TRY(decode_sib(e, c, mod, &disp));
	} else if (rm == X86_RBP && mod == 0) {
		disp = 4;
		d->is_rip_relative = d->is_complex = mode_is_64(e);
	} else {
		d->has_base = true;
		d->base = d->rm;
		if (d->rm == X86_RBP)
			d->segment = X86_SS;
	}
	if (disp == 1) {
		FETCH(1);
		d->displacement = (int8_t)take(c, 1);
	} else if (disp == 4) {
		FETCH(4);
		d->displacement = (int32_t)take(c, 4);
	}
	return EMUL_OK;
}

static inline enum emul_status decode_modrm(struct emul *e, struct decoder *c)
{
	struct emul_decoded *d = e->d;
	unsigned mod, rm, modrm;

	FETCH(1);
	modrm = *c->p++;
	d->modrm = modrm;
	mod = modrm >> 6;
	rm = modrm & 7;
	d->reg = modrm >> 3 & 7;
	d->rm = rm;
	if (d->rex) {
		d->reg |= (d->rex & REX_R) << 1;
		d->rm |= (d->rex & REX_B) << 3;
	}
	if (mod == 3 || c->flags & ROW_FORCE_REG)
		return EMUL_OK;
	d->is_memory = true;
	d->displacement = 0;
	d->index = EMUL_NO_INDEX;
	if (unlikely(d->address_size == 2))
		TRY(decode_address16(e, c, mod, rm));
	else
		TRY(decode_address(e, c, mod, rm));
	if (unlikely(d->override))
		d->segment = d->override - 1;
	return EMUL_OK;
}

static inline enum emul_status decode_immediate(struct emul *e,
						struct decoder *c)
{
	struct emul_decoded *d = e->d;
	unsigned size = d->operand_size;

	switch (c->row->imm) {
	case IMM_B:
		FETCH(1);
		d->immediate = (int8_t)take(c, 1);
		break;
	case IMM_W:
		FETCH(2);
		d->immediate = (int64_t)take(c, 2);
		break;
	case IMM_Z:
		size = MIN(size, 4U);
		/* fall through */
	case IMM_V:
		FETCH(size);
		d->immediate = sign_extend(take(c, size), size);
		break;
	case IMM_WB:
		FETCH(3);
		d->immediate = (int64_t)take(c, 2);
		d->immediate2 = (uint16_t)take(c, 1);
		break;
	case IMM_FAR:
		FETCH(size + 2);
		d->immediate = (int64_t)take(c, size);
		d->immediate2 = (uint16_t)take(c, 2);
		break;
	default: /* IMM_O */
		FETCH(d->address_size);
		d->immediate = (int64_t)take(c, d->address_size);
		d->is_memory = d->is_complex = d->is_moffs = true;
		d->displacement = 0;
		d->segment = d->override ? d->override - 1 : X86_DS;
		break;
	}
	return EMUL_OK;
}

static inline void decode_reset(struct emul *e, struct emul_decoded *d)
{
	e->d = d;
	e->available = 0;
	d->prefixes = 0;
	d->shape = 0;
	d->is_rip_relative = false;
	d->is_moffs = false;
	d->address_size = e->default_address;
}

/* Everything but whether it may be executed; next_rip is set. */
static inline enum emul_status decode_body(struct emul *e, struct decoder *c)
{
	struct emul_decoded *d = e->d;

	TRY(decode_prefixes(e, c));
	if (c->flags & (ROW_ESCAPE | ROW_VEX))
		TRY(decode_opcode(e, c));
	if (c->flags & ROW_MODRM)
		TRY(decode_modrm(e, c));
	while (unlikely(c->flags & ROW_LEADS))
		decoder_row(c, emul_decode_lead(e, c->row));
	d->row = c->row;
	d->operand_size = e->default_operand;
	if (d->prefixes || c->flags & (ROW_D64 | ROW_BRANCH))
		d->operand_size = emul_operand_size(e, c->flags);
	if (c->row->imm)
		TRY(decode_immediate(e, c));
	d->length = (uint8_t)(c->p - e->insn);
	emul_operands_place(e);
	return EMUL_OK;
}

/* Index, RIP or an offset in the instruction. */
uint64_t emul_address_complex(const struct emul *e);

/* What depends on registers: next_rip and the effective address. */
static __always_inline void decode_finish(struct emul *e)
{
	struct emul_decoded *d = e->d;
	const struct x86_state *s = e->state;
	uint64_t at;

	e->next_rip = (s->rip + d->length) & e->rip_mask;
	if (!d->is_memory)
		return;
	at = (uint64_t)(int64_t)d->displacement;
	if (likely(d->has_base))
		at += s->gpr[d->base];
	if (unlikely(d->is_complex))
		at += emul_address_complex(e);
	e->offset = at & size_mask(d->address_size);
}

#endif
