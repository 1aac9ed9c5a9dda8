/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From bytes at CS:RIP to a row of the opcode tables, operand sizes, the
 * effective address and immediates.  The bytes are copied first, so that a
 * guest that rewrites them meanwhile cannot confuse a later stage.  Bytes of
 * the next page are fetched only when the instruction reaches there.
 *
 * Not modelled: EVEX, XOP and 3DNow! encodings, which are #UD.
 *
 * References: SDM volume 2, "Instruction Format"; APM volume 3, "Instruction
 * Encoding".
 */
#include "emulate/decode.h"

enum emul_status emul_state_need(struct emul *e, uint32_t groups)
{
	if (likely((e->state->valid & groups) == groups) || !e->ops->state_need)
		return EMUL_OK;
	return e->ops->state_need(e->ctx, groups) ? EMUL_RETRY : EMUL_OK;
}

struct emul_decoded *emul_decoded_own(struct emul *e)
{
	if (e->d != &e->own)
		e->own = *e->d;
	e->d = &e->own;
	return &e->own;
}

void emul_mode_work_out(struct emul *e)
{
	const struct x86_state *s = e->state;
	unsigned mode = 0, attributes = s->seg[X86_CS].attributes;

	if (s->cr0 & X86_CR0_PE) {
		mode = MODE_PROTECTED;
		if (s->cr0 & X86_CR0_PG)
			mode |= MODE_PAGING;
		if (s->efer & X86_EFER_LMA) {
			mode |= MODE_LONG;
			if (attributes & X86_ATTR_L)
				mode |= MODE_64;
		} else if (s->rflags & X86_FLAG_VM) {
			mode = (mode & MODE_PAGING) | MODE_V86;
		}
	}
	if (attributes & X86_ATTR_DB && !(mode & (MODE_64 | MODE_V86)))
		mode |= MODE_32;
	e->user_access = s->cpl == 3 ? EMUL_ACCESS_USER : 0;
	if (s->cpl == 3 && s->rflags & X86_FLAG_AC && s->cr0 & X86_CR0_AM)
		mode |= MODE_ALIGN;
	if (e->may_break_at_data)
		mode |= MODE_WATCH;
	e->mode = mode;
	e->default_operand = mode & (MODE_64 | MODE_32) ? 4 : 2;
	e->default_address = mode & MODE_64 ? 8 : e->default_operand;
	e->cache_mode = (uint16_t)(mode << 8 | e->default_operand);
	e->rip_mask = mode & MODE_64 ? UINT64_MAX : UINT32_MAX;
	/* Above level 0 flags count as well, and breakpoints at each step. */
	e->mode_cpl = s->cpl || e->may_break ? UINT8_MAX : 0;
	e->mode_cr0 = s->cr0;
	e->mode_efer = s->efer;
	e->mode_attributes = (uint16_t)attributes;
}

void emul_mode_set(struct emul *e)
{
	if (!mode_is_known(e))
		emul_mode_work_out(e);
}

/* Copy code bytes of one page behind those that are there. */
static enum emul_status fetch_page(struct emul *e, uint64_t linear,
				   unsigned room)
{
	unsigned left = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	unsigned n = room < left ? room : left;
	uint8_t *to = e->insn + e->available;
	uint64_t gpa;
	const uint8_t *host;

	TRY(emul_walk(e, linear, ACCESS_FETCH | e->user_access, &gpa));
	host = emul_ram(e, gpa, n, false);
	if (!host && !e->ops->mmio_read)
		return EMUL_UNHANDLED;
	for (unsigned i = 0; i < n; i++)
		if (host)
			to[i] = host[i];
		else
			TRY(e->ops->mmio_read(e->ctx, gpa + i, to + i, 1));
	e->available += n;
	return EMUL_OK;
}

/* Make want bytes available, or raise what stands against it. */
enum emul_status emul_fetch_more(struct emul *e, unsigned want)
{
	const struct x86_state *s = e->state;
	const struct x86_segment *cs = &s->seg[X86_CS];

	while (e->available < want) {
		uint64_t ip = s->rip + e->available;
		unsigned room = EMUL_INSN_MAX - e->available;

		if (want > EMUL_INSN_MAX)
			return raise_gp0(e);
		if (mode_is_64(e)) {
			if (unlikely(!is_canonical(e, ip)))
				return raise_gp0(e);
			TRY(fetch_page(e, ip, room));
			continue;
		}
		ip = (uint32_t)s->rip + (uint64_t)e->available;
		if (unlikely(ip > cs->limit))
			return raise_gp0(e);
		if (unlikely(room > cs->limit - ip + 1))
			room = cs->limit - ip + 1;
		TRY(fetch_page(e, (uint32_t)(cs->base + ip), room));
	}
	return EMUL_OK;
}

static void decode_segment_prefix(struct emul *e, uint8_t byte)
{
	unsigned seg;

	if (byte >= 0x64)
		seg = byte - 0x64 + X86_FS;
	else
		seg = (byte >> 3) & 3;
	/* 64-bit mode knows FS and GS only. */
	if (mode_is_64(e) && seg < X86_FS)
		return;
	e->d->override = seg + 1;
}

void emul_decode_prefix(struct emul *e, const struct emul_row *row,
			uint8_t byte)
{
	struct emul_decoded *d = e->d;

	d->rex = 0; /* counts right before the opcode only */
	switch (row->prefix) {
	case PREFIX_SEGMENT:
		decode_segment_prefix(e, byte);
		break;
	case PREFIX_OPERAND:
		d->has_opsize = true;
		break;
	case PREFIX_ADDRESS:
		d->address_size =
			e->default_address == 4 && !mode_is_64(e) ? 2 : 4;
		break;
	case PREFIX_LOCK:
		d->has_lock = true;
		break;
	case PREFIX_REX:
		d->rex = byte;
		break;
	default:
		d->rep = byte;
		break;
	}
}

#define VEX_INVERTED 0xe0 /* R, X, B */
#define VEX3_MAP     MASK(4, 0)
#define VEX_PP	     MASK(1, 0)
#define VEX_L	     BIT(2)
#define VEX_VVVV     MASK(6, 3)
#define VEX3_W	     BIT(7)

/* C4 and C5, where they are not LES and LDS. */
enum emul_status emul_decode_vex(struct emul *e, struct decoder *c)
{
	static const uint8_t simd[4] = { 0, PREFIX_66, PREFIX_F3, PREFIX_F2 };
	struct emul_decoded *d = e->d;
	uint8_t first, last;
	unsigned map = 1;

	if (d->has_lock || d->has_opsize || d->rep || d->rex ||
	    (!mode_is_protected(e)))
		return raise_ud(e);
	FETCH(1);
	first = (uint8_t)take(c, 1);
	last = first;
	d->rex = (~first >> 5) & REX_R;
	if (d->opcode == 0xc4) {
		map = first & VEX3_MAP;
		d->rex = (~first >> 5) & (REX_R | REX_X | REX_B);
		FETCH(1);
		last = (uint8_t)take(c, 1);
		if (last & VEX3_W)
			d->rex |= REX_W;
	}
	if (!mode_is_64(e))
		d->rex &= REX_W;
	d->rex |= 0x40;
	d->is_vex = true;
	d->vex_l = !!(last & VEX_L);
	d->vex_vvvv = FIELD_GET(VEX_VVVV, ~last);
	d->has_opsize = simd[last & VEX_PP] == PREFIX_66;
	d->rep = d->has_opsize ? 0 : simd[last & VEX_PP];
	FETCH(1);
	d->opcode = (uint8_t)take(c, 1);
	if (map == 1)
		decoder_row(c, &emul_table_0f[d->opcode]);
	else if (map == 2)
		decoder_row_of(c, emul_table_0f38, &emul_unknown_0f38, d);
	else if (map == 3)
		decoder_row_of(c, emul_table_0f3a, &emul_unknown_0f3a, d);
	else
		return raise_ud(e);
	return c->flags & ROW_ESCAPE ? raise_ud(e) : EMUL_OK;
}

const struct emul_row *emul_decode_lead(const struct emul *e,
					const struct emul_row *row)
{
	const struct emul_decoded *d = e->d;

	if (row->flags & ROW_BY_REG)
		return &row->sub[modrm_reg_field(e)];
	if (row->flags & ROW_BY_SIMD) {
		if (d->rep)
			return &row->sub[d->rep == PREFIX_F3 ? 2 : 3];
		return &row->sub[d->has_opsize];
	}
	if (row->flags & ROW_BY_MOD)
		return &row->sub[!d->is_memory];
	if (row->flags & ROW_BY_RM)
		return &row->sub[d->modrm & 7];
	return &row->sub[mode_is_64(e)];
}

unsigned emul_operand_size(const struct emul *e, uint32_t flags)
{
	const struct emul_decoded *d = e->d;

	if (!mode_is_64(e))
		return d->has_opsize ? 6 - e->default_operand
				     : e->default_operand;
	if (flags & ROW_BRANCH && e->features & EMUL_FEATURE_INTEL)
		return 8;
	if (d->rex & REX_W)
		return 8;
	if (d->has_opsize)
		return 2;
	return flags & (ROW_D64 | ROW_BRANCH) ? 8 : 4;
}

/* With a destination in memory, and for AMD's way to CR8. */
static bool lock_is_legal(const struct emul *e, uint32_t flags)
{
	if (!(flags & ROW_LOCK))
		return false;
	return e->d->is_memory ||
	       (flags & ROW_FORCE_REG && e->features & EMUL_FEATURE_CR8_LOCK);
}

/* What a row demands beyond operands; in the manual's order of #UD first. */
enum emul_status emul_decode_check(struct emul *e, const struct emul_row *row)
{
	const struct emul_decoded *d = e->d;
	bool is_64 = mode_is_64(e);
	uint32_t flags = row->flags;

	if (!row->execute)
		return EMUL_UNHANDLED;
	if (d->has_lock && !lock_is_legal(e, flags))
		return raise_ud(e);
	if (d->is_vex && !(flags & ROW_AVX))
		return raise_ud(e);
	if ((flags & ROW_NO64 && is_64) || (flags & ROW_ONLY64 && !is_64) ||
	    (flags & ROW_MEMORY && !d->is_memory) ||
	    (flags & ROW_REGISTER && d->is_memory) ||
	    (flags & ROW_PROTECTED && !mode_is_protected(e)))
		return raise_ud(e);
	if (flags & ROW_NO_LEGACY && !d->is_vex)
		return raise_ud(e);
	if (d->is_vex && ((flags & ROW_NO_VVVV && d->vex_vvvv) ||
			  (flags & ROW_VEX_L0 && d->vex_l)))
		return raise_ud(e);
	if (flags & ROW_CPL0 && cpl_get(e))
		return raise_gp0(e);
	return EMUL_OK;
}

uint64_t emul_address_complex(const struct emul *e)
{
	const struct emul_decoded *d = e->d;

	if (d->is_moffs)
		return (uint64_t)d->immediate;
	if (d->is_rip_relative)
		return e->next_rip;
	return e->state->gpr[d->index] << d->scale;
}

enum emul_status emul_decode_parse(struct emul *e)
{
	const ram64_t *host;
	struct decoder c;

	decode_reset(e, &e->own);
	if (fetch_find(e, &host, true))
		fetch_whole(e, host[0], host[1]);
	TRY(decode_body(e, &c));
	decode_finish(e);
	return EMUL_OK;
}
