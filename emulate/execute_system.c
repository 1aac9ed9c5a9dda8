/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control and debug registers, MSRs, CPUID, time stamps, TLB and caches,
 * HLT, the SYSCALL and SYSENTER families, software interrupts.
 *
 * Not modelled: RSM; VMX, SVM and SGX, which no guest is offered.
 *
 * References: SDM volume 2, instruction pages; volume 3, "Control Registers",
 * "Debug Registers"; APM volume 2, "System-Management Instructions".
 */
#include "emulate/breakpoint.h"
#include "emulate/execute.h"
#include "emulate/segment.h"

EXECUTE(hlt)
{
	e->events |= EMUL_EVENT_HLT;
	return EMUL_OK;
}

/* Control registers */

static enum emul_status cr_commit(struct emul *e, unsigned cr, uint64_t *reg,
				  uint64_t value)
{
	if (!e->ops->cr_write)
		return EMUL_UNHANDLED;
	TRY(e->ops->cr_write(e->ctx, cr, value));
	*reg = value;
	e->state->dirty |= X86_GROUP_CONTROL;
	return EMUL_OK;
}

static void flush(struct emul *e, enum emul_flush what, uint64_t linear)
{
	if (e->ops->flush)
		e->ops->flush(e->ctx, what, linear);
}

static bool tss_is_16(const struct x86_state *s)
{
	return s->tr.attributes & X86_ATTR_P &&
	       FIELD_GET(X86_ATTR_TYPE, s->tr.attributes) <= SYSTEM_TSS16_BUSY;
}

/*
 * Paging goes on or off: EFER.LMA follows LME.  Intel's processors refuse a
 * 16-bit TSS then.
 */
static enum emul_status cr0_long(struct emul *e, uint64_t value, uint64_t *efer)
{
	const struct x86_state *s = e->state;

	*efer = s->efer;
	if (value & X86_CR0_PG && !(s->cr0 & X86_CR0_PG)) {
		if (!(s->efer & X86_EFER_LME))
			return EMUL_OK;
		if (!(s->cr4 & X86_CR4_PAE) ||
		    s->seg[X86_CS].attributes & X86_ATTR_L)
			return raise_gp0(e);
		TRY(emul_state_need(e, X86_GROUP_TABLES));
		if (e->features & EMUL_FEATURE_INTEL && tss_is_16(s))
			return raise_gp0(e);
		*efer |= X86_EFER_LMA;
	} else if (!(value & X86_CR0_PG) && s->cr0 & X86_CR0_PG) {
		if (mode_is_64(e) || s->cr4 & X86_CR4_PCIDE)
			return raise_gp0(e);
		*efer &= ~X86_EFER_LMA;
	}
	return EMUL_OK;
}

#define CR0_FLUSHES (X86_CR0_PE | X86_CR0_WP | X86_CR0_PG)

static enum emul_status cr0_write(struct emul *e, uint64_t value)
{
	struct x86_state *s = e->state;
	uint64_t efer, changed;

	if (value >> 32)
		return raise_gp0(e);
	value = (value & (MASK(5, 0) | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW |
			  X86_CR0_CD | X86_CR0_PG)) |
		X86_CR0_ET;
	if ((value & X86_CR0_PG && !(value & X86_CR0_PE)) ||
	    (value & X86_CR0_NW && !(value & X86_CR0_CD)))
		return raise_gp0(e);
	TRY(cr0_long(e, value, &efer));
	changed = value ^ s->cr0;
	TRY(cr_commit(e, 0, &s->cr0, value));
	s->efer = efer;
	if (changed & X86_CR0_PE && !(value & X86_CR0_PE)) {
		s->cpl = 0;
		s->dirty |= X86_GROUP_SEGMENTS;
	}
	if (changed & CR0_FLUSHES)
		flush(e, EMUL_FLUSH_ALL, 0);
	return EMUL_OK;
}

#define CR3_NO_FLUSH BIT(63)

static enum emul_status cr3_write(struct emul *e, uint64_t value)
{
	bool keep = value & CR3_NO_FLUSH && e->state->cr4 & X86_CR4_PCIDE;

	if (keep)
		value &= ~CR3_NO_FLUSH;
	if (e->mode & MODE_LONG && value >> e->physical_bits)
		return raise_gp0(e);
	TRY(cr_commit(e, 3, &e->state->cr3, value));
	if (!keep)
		flush(e, EMUL_FLUSH_SPACE, 0);
	return EMUL_OK;
}

#define CR4_KNOWN                                                           \
	(MASK(12, 0) | X86_CR4_FSGSBASE | X86_CR4_PCIDE | X86_CR4_OSXSAVE | \
	 X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE)
#define CR4_FLUSHES                                                \
	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | \
	 X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE | X86_CR4_LA57)
#define CR3_PCID MASK(11, 0)

static enum emul_status cr4_write(struct emul *e, uint64_t value)
{
	struct x86_state *s = e->state;
	uint64_t changed = value ^ s->cr4;

	if (value & ~CR4_KNOWN)
		return raise_gp0(e);
	if (e->mode & MODE_LONG &&
	    (!(value & X86_CR4_PAE) || changed & X86_CR4_LA57))
		return raise_gp0(e);
	if (value & changed & X86_CR4_PCIDE &&
	    (!(e->mode & MODE_LONG) || s->cr3 & CR3_PCID))
		return raise_gp0(e);
	TRY(cr_commit(e, 4, &s->cr4, value));
	if (changed & CR4_FLUSHES)
		flush(e, EMUL_FLUSH_ALL, 0);
	return EMUL_OK;
}

EXECUTE(mov_from_cr)
{
	const struct x86_state *s = e->state;
	unsigned size = mode_is_64(e) ? 8 : 4;
	uint64_t value;

	switch (cr_number(e)) {
	case 0:
		value = s->cr0;
		break;
	case 2:
		value = s->cr2;
		break;
	case 3:
		value = s->cr3;
		break;
	case 4:
		value = s->cr4;
		break;
	case 8:
		value = s->cr8;
		break;
	default:
		return raise_ud(e);
	}
	gpr_set(e, modrm_rm(e), value, size);
	return EMUL_OK;
}

EXECUTE(mov_to_cr)
{
	struct x86_state *s = e->state;
	uint64_t value = gpr_get(e, modrm_rm(e), mode_is_64(e) ? 8 : 4);

	switch (cr_number(e)) {
	case 0:
		return cr0_write(e, value);
	case 2:
		s->cr2 = value;
		s->dirty |= X86_GROUP_CONTROL;
		return EMUL_OK;
	case 3:
		return cr3_write(e, value);
	case 4:
		return cr4_write(e, value);
	case 8:
		if (value > 15)
			return raise_gp0(e);
		return cr_commit(e, 8, &s->cr8, value);
	default:
		return raise_ud(e);
	}
}

EXECUTE(clts)
{
	return cr_commit(e, 0, &e->state->cr0, e->state->cr0 & ~X86_CR0_TS);
}

/* Can set PE but not clear it. */
EXECUTE(lmsw)
{
	uint64_t mask = X86_CR0_MP | X86_CR0_EM | X86_CR0_TS;
	uint64_t value =
		(e->state->cr0 & ~mask) | (e->src & (mask | X86_CR0_PE));

	return cr0_write(e, value);
}

/* Debug registers */

#define DR6_KNOWN (MASK(3, 0) | MASK(15, 13))
#define DR7_KNOWN (MASK(31, 16) | X86_DR7_GD | MASK(9, 0))

static enum emul_status dr_check(struct emul *e, unsigned *dr)
{
	*dr = modrm_reg(e);
	if (*dr > 7)
		return raise_ud(e);
	TRY(emul_state_need(e, X86_GROUP_DEBUG));
	if (*dr == 4 || *dr == 5) {
		if (e->state->cr4 & X86_CR4_DE)
			return raise_ud(e);
		*dr += 2;
	}
	if (e->state->dr7 & X86_DR7_GD) {
		emul_raise(e, X86_VECTOR_DB);
		e->fault.dr6 = X86_DR6_BD;
		return EMUL_FAULT;
	}
	return EMUL_OK;
}

EXECUTE(mov_from_dr)
{
	const struct x86_state *s = e->state;
	uint64_t value;
	unsigned dr;

	TRY(dr_check(e, &dr));
	if (dr < 4)
		value = s->dr[dr];
	else
		value = dr == 6 ? s->dr6 : s->dr7;
	gpr_set(e, modrm_rm(e), value, mode_is_64(e) ? 8 : 4);
	return EMUL_OK;
}

EXECUTE(mov_to_dr)
{
	uint64_t value = gpr_get(e, modrm_rm(e), mode_is_64(e) ? 8 : 4);
	struct x86_state *s = e->state;
	unsigned dr;

	TRY(dr_check(e, &dr));
	if (dr >= 4 && value >> 32)
		return raise_gp0(e);
	if (dr < 4)
		s->dr[dr] = value;
	else if (dr == 6)
		s->dr6 = (value & DR6_KNOWN) | X86_DR6_ONES;
	else
		s->dr7 = (value & DR7_KNOWN) | X86_DR7_ONE;
	s->dirty |= X86_GROUP_DEBUG;
	emul_breakpoints_changed(e);
	return EMUL_OK;
}

/* MSRs and what reads them */

static void pair_store(struct emul *e, uint64_t value)
{
	e->state->gpr[X86_RAX] = (uint32_t)value;
	e->state->gpr[X86_RDX] = value >> 32;
}

static uint64_t pair_load(const struct emul *e)
{
	return gpr_get(e, X86_RAX, 4) | gpr_get(e, X86_RDX, 4) << 32;
}

EXECUTE(rdmsr)
{
	uint64_t value;

	if (!e->ops->msr_read)
		return EMUL_UNHANDLED;
	TRY(e->ops->msr_read(e->ctx, (uint32_t)e->state->gpr[X86_RCX], &value));
	pair_store(e, value);
	return EMUL_OK;
}

EXECUTE(wrmsr)
{
	if (!e->ops->msr_write)
		return EMUL_UNHANDLED;
	return e->ops->msr_write(e->ctx, (uint32_t)e->state->gpr[X86_RCX],
				 pair_load(e));
}

static enum emul_status tsc_permit(struct emul *e, uint64_t cr4_bit,
				   bool is_open)
{
	bool is_user = e->mode & MODE_V86 || cpl_get(e);

	if (is_user && !(e->state->cr4 & cr4_bit) != is_open)
		return raise_gp0(e);
	return EMUL_OK;
}

static enum emul_status tsc_read(struct emul *e, uint64_t *tsc, uint32_t *aux)
{
	/* TSD closes RDTSC when it is set. */
	TRY(tsc_permit(e, X86_CR4_TSD, true));
	if (!e->ops->tsc)
		return EMUL_UNHANDLED;
	return e->ops->tsc(e->ctx, tsc, aux);
}

EXECUTE(rdtsc)
{
	uint64_t tsc;
	uint32_t aux;

	TRY(tsc_read(e, &tsc, &aux));
	pair_store(e, tsc);
	return EMUL_OK;
}

EXECUTE(rdtscp)
{
	uint64_t tsc;
	uint32_t aux;

	if (!(e->features & EMUL_FEATURE_RDTSCP))
		return raise_ud(e);
	TRY(tsc_read(e, &tsc, &aux));
	pair_store(e, tsc);
	e->state->gpr[X86_RCX] = aux;
	return EMUL_OK;
}

EXECUTE(rdpmc)
{
	uint64_t value;

	/* PCE opens RDPMC when it is set. */
	TRY(tsc_permit(e, X86_CR4_PCE, false));
	if (!e->ops->pmc)
		return raise_gp0(e); /* there is no such counter */
	TRY(e->ops->pmc(e->ctx, (uint32_t)e->state->gpr[X86_RCX], &value));
	pair_store(e, value);
	return EMUL_OK;
}

EXECUTE(cpuid)
{
	uint64_t *gpr = e->state->gpr;
	uint32_t r[4] = { (uint32_t)gpr[X86_RAX], 0, (uint32_t)gpr[X86_RCX] };

	if (!e->ops->cpuid)
		return EMUL_UNHANDLED;
	TRY(e->ops->cpuid(e->ctx, r));
	gpr[X86_RAX] = r[0];
	gpr[X86_RBX] = r[1];
	gpr[X86_RCX] = r[2];
	gpr[X86_RDX] = r[3];
	return EMUL_OK;
}

/* XCR0 of what is not in its initial state. */
#define XCR_IN_USE 1

EXECUTE(xgetbv)
{
	uint64_t value;

	if (!(e->state->cr4 & X86_CR4_OSXSAVE))
		return raise_ud(e);
	/* XCR0 comes with the registers that it is about. */
	TRY(emul_state_need(e, X86_GROUP_XSTATE));
	value = e->state->xcr0;
	if ((uint32_t)e->state->gpr[X86_RCX] == XCR_IN_USE &&
	    e->features & EMUL_FEATURE_XGETBV1) {
		if (e->xstate)
			value &= e->xstate->xstate_bv;
	} else if ((uint32_t)e->state->gpr[X86_RCX]) {
		return raise_gp0(e);
	}
	pair_store(e, value);
	return EMUL_OK;
}

EXECUTE(xsetbv)
{
	uint64_t value = pair_load(e);

	if (!(e->state->cr4 & X86_CR4_OSXSAVE))
		return raise_ud(e);
	if ((uint32_t)e->state->gpr[X86_RCX] || !(value & X86_XCR0_X87) ||
	    (value & X86_XCR0_AVX && !(value & X86_XCR0_SSE)))
		return raise_gp0(e);
	if (!e->ops->xcr_write)
		return EMUL_UNHANDLED;
	TRY(e->ops->xcr_write(e->ctx, value));
	e->state->xcr0 = value;
	e->state->dirty |= X86_GROUP_CONTROL;
	return EMUL_OK;
}

#define PKRU_ECX 0

EXECUTE(rdpkru)
{
	if (!(e->state->cr4 & X86_CR4_PKE))
		return raise_ud(e);
	if ((uint32_t)e->state->gpr[X86_RCX] != PKRU_ECX)
		return raise_gp0(e);
	pair_store(e, e->state->pkru);
	return EMUL_OK;
}

EXECUTE(wrpkru)
{
	if (!(e->state->cr4 & X86_CR4_PKE))
		return raise_ud(e);
	if ((uint32_t)e->state->gpr[X86_RCX] != PKRU_ECX ||
	    (uint32_t)e->state->gpr[X86_RDX])
		return raise_gp0(e);
	e->state->pkru = (uint32_t)e->state->gpr[X86_RAX];
	e->state->dirty |= X86_GROUP_CONTROL;
	return EMUL_OK;
}

/* AC, which opens SMAP: CLAC and STAC. */
static enum emul_status ac_set(struct emul *e, bool on)
{
	if (!mode_is_protected(e) || cpl_get(e))
		return raise_ud(e);
	e->flags = on ? e->flags | X86_FLAG_AC : e->flags & ~X86_FLAG_AC;
	return EMUL_OK;
}

EXECUTE(clac)
{
	return ac_set(e, false);
}

EXECUTE(stac)
{
	return ac_set(e, true);
}

/* TLB and caches */

EXECUTE(invlpg)
{
	uint64_t linear = e->offset;

	if (!mode_is_64(e))
		linear = (uint32_t)(e->state->seg[e->d->segment].base + linear);
	else if (e->d->segment >= X86_FS)
		linear += e->state->seg[e->d->segment].base;
	flush(e, EMUL_FLUSH_PAGE, linear);
	return EMUL_OK;
}

/* Whatever part is named, everything is flushed: allowed, and simple. */
EXECUTE(invpcid)
{
	uint64_t type = gpr_get(e, modrm_reg(e), mode_is_64(e) ? 8 : 4);
	uint64_t bytes[2];

	if (!(e->features & EMUL_FEATURE_INVPCID))
		return raise_ud(e);
	if (cpl_get(e))
		return raise_gp0(e);
	TRY(emul_memory_read(e, e->d->segment, e->offset, bytes, 16));
	if (type > 3 || (type < 2 && bytes[0] >> 12))
		return raise_gp0(e);
	flush(e, EMUL_FLUSH_ALL, 0);
	return EMUL_OK;
}

EXECUTE(wbinvd)
{
	flush(e, EMUL_FLUSH_CACHES, 0);
	return EMUL_OK;
}

/* As a load of the byte, which is what it needs to be allowed. */
EXECUTE(clflush)
{
	uint64_t feature = 0; /* CLFLUSH itself; CLFLUSHOPT, CLWB with 66 */
	struct emul_access a;
	uint64_t linear;

	if (e->d->has_opsize)
		feature = modrm_reg_field(e) == 7 ? EMUL_FEATURE_CLFLUSHOPT
						  : EMUL_FEATURE_CLWB;
	if ((e->features & feature) != feature || e->d->rep)
		return raise_ud(e);
	TRY(emul_linear(e, e->d->segment, e->offset, 1, ACCESS_READ, &linear));
	TRY(emul_access_prepare(e, linear, 1, ACCESS_READ, &a));
	flush(e, EMUL_FLUSH_CACHES, linear);
	return EMUL_OK;
}

/* Waiting is allowed to end at once. */
EXECUTE(monitor)
{
	unsigned seg = e->d->override ? e->d->override - 1 : X86_DS;
	uint64_t at = e->state->gpr[X86_RAX] & address_mask(e);
	uint8_t byte;

	if (!(e->features & EMUL_FEATURE_MWAIT) || cpl_get(e))
		return raise_ud(e);
	if ((uint32_t)e->state->gpr[X86_RCX])
		return raise_gp0(e);
	return emul_memory_read(e, seg, at, &byte, 1);
}

EXECUTE(mwait)
{
	if (!(e->features & EMUL_FEATURE_MWAIT) || cpl_get(e))
		return raise_ud(e);
	return EMUL_OK;
}

#define MODRM_VMCALL 0xc1

/* Each vendor has its own, and the other's is undefined. */
EXECUTE(hypercall)
{
	bool is_intels = e->d->modrm == MODRM_VMCALL;

	if (is_intels != !!(e->features & EMUL_FEATURE_INTEL) ||
	    !e->ops->hypercall)
		return raise_ud(e);
	return e->ops->hypercall(e->ctx);
}

/* SWAPGS and the FS/GS base family */

EXECUTE(swapgs)
{
	struct x86_state *s = e->state;
	uint64_t base = s->seg[X86_GS].base;

	if (cpl_get(e))
		return raise_gp0(e);
	TRY(emul_state_need(e, X86_GROUP_SYSCALL));
	s->seg[X86_GS].base = s->kernel_gs_base;
	s->kernel_gs_base = base;
	s->dirty |= X86_GROUP_SEGMENTS | X86_GROUP_SYSCALL;
	return EMUL_OK;
}

static enum emul_status fsgs_check(struct emul *e)
{
	return e->state->cr4 & X86_CR4_FSGSBASE ? EMUL_OK : raise_ud(e);
}

EXECUTE(rdfsbase)
{
	TRY(fsgs_check(e));
	e->dst = e->state->seg[X86_FS + (modrm_reg_field(e) & 1)].base;
	return EMUL_OK;
}

EXECUTE(wrfsbase)
{
	uint64_t base = e->src;

	TRY(fsgs_check(e));
	if (e->d->src_size == 8 && !is_canonical(e, base))
		return raise_gp0(e);
	e->state->seg[X86_FS + (modrm_reg_field(e) & 1)].base = base;
	e->state->dirty |= X86_GROUP_SEGMENTS;
	return EMUL_OK;
}

/* SYSCALL, SYSENTER */

#define STAR_SYSCALL MASK(47, 32)
#define STAR_SYSRET  MASK(63, 48)

#define ATTR_FLAT_CODE                                                 \
	(X86_ATTR_P | X86_ATTR_S | X86_ATTR_CODE | X86_ATTR_READABLE | \
	 X86_ATTR_ACCESSED | X86_ATTR_G)
#define ATTR_FLAT_DATA                                                     \
	(X86_ATTR_P | X86_ATTR_S | X86_ATTR_WRITABLE | X86_ATTR_ACCESSED | \
	 X86_ATTR_DB | X86_ATTR_G)

static void flat_load(struct emul *e, unsigned seg, uint16_t selector,
		      uint64_t attributes, unsigned dpl)
{
	e->state->seg[seg] = (struct x86_segment){
		.selector = selector,
		.attributes =
			(uint16_t)(attributes | FIELD_PUT(X86_ATTR_DPL, dpl)),
		.limit = UINT32_MAX,
	};
	e->state->dirty |= X86_GROUP_SEGMENTS;
}

EXECUTE(syscall)
{
	struct x86_state *s = e->state;
	uint16_t selector;
	bool is_long = e->mode & MODE_LONG;

	if (!(s->efer & X86_EFER_SCE) || !mode_is_protected(e) ||
	    (e->features & EMUL_FEATURE_INTEL && !mode_is_64(e)))
		return raise_ud(e);
	TRY(emul_state_need(e, X86_GROUP_SYSCALL));
	selector = FIELD_GET(STAR_SYSCALL, s->star) & ~SELECTOR_RPL;
	s->gpr[X86_RCX] = e->next_rip;
	if (is_long) {
		s->gpr[X86_R8 + 3] = e->flags & ~X86_FLAG_RF;
		e->next_rip = mode_is_64(e) ? s->lstar : s->cstar;
		e->flags &= ~(s->sfmask | X86_FLAG_RF);
		e->flags |= X86_FLAG_ONE;
	} else {
		e->next_rip = (uint32_t)s->star;
		e->flags &= ~(X86_FLAG_VM | X86_FLAG_IF | X86_FLAG_RF);
	}
	flat_load(e, X86_CS, selector,
		  ATTR_FLAT_CODE | (is_long ? X86_ATTR_L : X86_ATTR_DB), 0);
	flat_load(e, X86_SS, selector + 8, ATTR_FLAT_DATA, 0);
	s->cpl = 0;
	trap_flag_follow(e);
	return EMUL_OK;
}

#define FLAGS_SYSRET (X86_FLAGS_ALL & ~(X86_FLAG_RF | X86_FLAG_VM))

EXECUTE(sysret)
{
	struct x86_state *s = e->state;
	bool to_64 = e->d->rex & REX_W && mode_is_64(e);
	uint16_t selector;

	if (!(s->efer & X86_EFER_SCE) ||
	    (e->features & EMUL_FEATURE_INTEL && !mode_is_64(e)))
		return raise_ud(e);
	if (!mode_is_protected(e) || cpl_get(e))
		return raise_gp0(e);
	TRY(emul_state_need(e, X86_GROUP_SYSCALL));
	if (to_64 && !is_canonical(e, s->gpr[X86_RCX]))
		return raise_gp0(e);
	selector = (uint16_t)(FIELD_GET(STAR_SYSRET, s->star) | 3);
	e->next_rip = to_64 ? s->gpr[X86_RCX] : (uint32_t)s->gpr[X86_RCX];
	flat_load(e, X86_CS, to_64 ? selector + 16 : selector,
		  ATTR_FLAT_CODE | (to_64 ? X86_ATTR_L : X86_ATTR_DB), 3);
	flat_load(e, X86_SS, selector + 8, ATTR_FLAT_DATA, 3);
	s->cpl = 3;
	if (e->mode & MODE_LONG)
		e->flags = (s->gpr[X86_R8 + 3] & FLAGS_SYSRET) | X86_FLAG_ONE;
	else
		e->flags |= X86_FLAG_IF;
	trap_flag_follow(e);
	return EMUL_OK;
}

EXECUTE(sysenter)
{
	struct x86_state *s = e->state;
	bool is_long = e->mode & MODE_LONG;
	uint16_t selector;

	/* AMD's processors have it in legacy mode only. */
	if (is_long && !(e->features & EMUL_FEATURE_INTEL))
		return raise_ud(e);
	if (!(s->cr0 & X86_CR0_PE))
		return raise_gp0(e);
	TRY(emul_state_need(e, X86_GROUP_SYSCALL));
	selector = (uint16_t)(s->sysenter_cs & ~SELECTOR_RPL);
	if (!selector)
		return raise_gp0(e);
	flat_load(e, X86_CS, selector,
		  ATTR_FLAT_CODE | (is_long ? X86_ATTR_L : X86_ATTR_DB), 0);
	flat_load(e, X86_SS, selector + 8, ATTR_FLAT_DATA, 0);
	s->cpl = 0;
	e->flags &= ~(X86_FLAG_VM | X86_FLAG_IF | X86_FLAG_RF);
	e->next_rip = is_long ? s->sysenter_eip : (uint32_t)s->sysenter_eip;
	s->gpr[X86_RSP] = is_long ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
	return EMUL_OK;
}

EXECUTE(sysexit)
{
	struct x86_state *s = e->state;
	bool to_64 = e->d->rex & REX_W && mode_is_64(e);
	uint64_t rip = s->gpr[X86_RDX], rsp = s->gpr[X86_RCX];
	uint16_t selector;

	if (e->mode & MODE_LONG && !(e->features & EMUL_FEATURE_INTEL))
		return raise_ud(e);
	TRY(emul_state_need(e, X86_GROUP_SYSCALL));
	selector = (uint16_t)(s->sysenter_cs & ~SELECTOR_RPL);
	if (!mode_is_protected(e) || cpl_get(e) || !selector)
		return raise_gp0(e);
	if (to_64 && (!is_canonical(e, rip) || !is_canonical(e, rsp)))
		return raise_gp0(e);
	selector = (uint16_t)((selector + (to_64 ? 32 : 16)) | 3);
	flat_load(e, X86_CS, selector,
		  ATTR_FLAT_CODE | (to_64 ? X86_ATTR_L : X86_ATTR_DB), 3);
	flat_load(e, X86_SS, selector + 8, ATTR_FLAT_DATA, 3);
	s->cpl = 3;
	e->next_rip = to_64 ? rip : (uint32_t)rip;
	s->gpr[X86_RSP] = to_64 ? rsp : (uint32_t)rsp;
	return EMUL_OK;
}

/* Software interrupts */

EXECUTE(int)
{
	return emul_software_interrupt(e, (uint8_t)e->d->immediate,
				       EMUL_TYPE_SOFTWARE);
}

EXECUTE(int3)
{
	return emul_software_interrupt(e, X86_VECTOR_BP,
				       EMUL_TYPE_SOFT_EXCEPTION);
}

EXECUTE(into)
{
	if (!(e->flags & X86_FLAG_OF))
		return EMUL_OK;
	return emul_software_interrupt(e, X86_VECTOR_OF,
				       EMUL_TYPE_SOFT_EXCEPTION);
}

EXECUTE(icebp)
{
	return emul_software_interrupt(e, X86_VECTOR_DB, EMUL_TYPE_ICEBP);
}
