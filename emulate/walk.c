/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linear to guest-physical addresses by the guest's own page tables: 32-bit,
 * PAE, 4- and 5-level, with accessed and dirty bits set atomically, and
 * U/S, R/W, NX, WP, SMEP, SMAP and protection keys checked.
 *
 * Not modelled: PAE's cached PDPTEs (they are read at every walk, as AMD-V
 * does under nested paging), supervisor keys, shadow stacks, accessed and
 * dirty bits of page tables in devices.
 *
 * References: SDM volume 3, "Paging"; APM volume 2, "Page Translation and
 * Protection".
 */
#include "emulate/walk.h"

#define PF_P	BIT(0)
#define PF_W	BIT(1)
#define PF_U	BIT(2)
#define PF_RSVD BIT(3)
#define PF_I	BIT(4)
#define PF_PK	BIT(5)

/* Bit 5 is reserved, too, but QEMU 7.2 sets it as if it were Accessed. */
#define PAE_PDPTE_RSVD	 (MASK(63, 52) | MASK(8, 6) | MASK(2, 1))
#define PAE_CR3_ADDRESS	 MASK(31, 5)
#define PDE32_ADDRESS	 MASK(31, 12)
#define PDE32_LARGE	 MASK(31, 22)
#define PDE32_LARGE_HIGH MASK(20, 13) /* bits 39:32 with PSE-36 */
#define PDE32_LARGE_RSVD BIT(21)

#define WALK_TRIES 16

/* One walk's shape and what it has gathered. */
struct walk {
	uint64_t linear;
	uint32_t access;
	uint64_t rights; /* AND of PTE_W and PTE_U over the levels */
	bool is_nx;	 /* OR of NX */
	uint64_t entry;	 /* leaf */
	void *where;	 /* leaf in host memory, if it can be written */
	unsigned shift;	 /* of the leaf: page size */
	bool is_wide;	 /* eight-byte entries */
};

static enum emul_status walk_fault(struct emul *e, const struct walk *w,
				   uint32_t bits)
{
	uint32_t code = bits | (w->access & (PF_W | PF_U));
	uint64_t cr4 = e->state->cr4;
	bool nx_on = (e->state->efer & X86_EFER_NXE) && (cr4 & X86_CR4_PAE);

	if ((w->access & EMUL_ACCESS_FETCH) && (nx_on || cr4 & X86_CR4_SMEP))
		code |= PF_I;
	e->fault = (struct emul_fault){
		.vector = X86_VECTOR_PF,
		.has_error_code = true,
		.error_code = code,
		.cr2 = w->linear,
	};
	return EMUL_FAULT;
}

/* Set bits in an entry; false if somebody changed it meanwhile. */
static bool entry_set(const struct walk *w, void *where, uint64_t old,
		      uint64_t bits)
{
	uint32_t old32 = (uint32_t)old;

	if (w->is_wide)
		return __atomic_compare_exchange_n(
			(uint64_t *)where, &old, old | bits, false,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((uint32_t *)where, &old32,
					   old32 | (uint32_t)bits, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * *where: a writable view where one is; tables that are read-only, or a
 * device's, keep their A and D bits as they are.
 */
static enum emul_status entry_load(struct emul *e, const struct walk *w,
				   uint64_t gpa, void **where, uint64_t *entry)
{
	unsigned size = w->is_wide ? 8 : 4;
	const void *host = *where = emul_ram(e, gpa, size, true);

	if (unlikely(!host))
		host = emul_ram(e, gpa, size, false);
	*entry = 0;
	if (likely(host))
		*entry = ram_load(host, size);
	else if (e->ops->mmio_read)
		return e->ops->mmio_read(e->ctx, gpa, entry, size);
	else
		return EMUL_UNHANDLED;
	return EMUL_OK;
}

static enum emul_status entry_accessed(const struct walk *w, void *where,
				       uint64_t entry)
{
	if (likely(entry & PTE_A) || w->access & EMUL_ACCESS_PROBE || !where)
		return EMUL_OK;
	return entry_set(w, where, entry, PTE_A) ? EMUL_OK : EMUL_AGAIN;
}

static uint64_t reserved_bits(const struct emul *e)
{
	uint64_t rsvd = MASK(51, 0) & ~(BIT(e->physical_bits) - 1);

	if (!(e->state->efer & X86_EFER_NXE))
		rsvd |= PTE_NX;
	return rsvd;
}

static uint64_t leaf_reserved(const struct emul *e, unsigned level)
{
	if (level == 0)
		return 0;
	if (level == 1)
		return MASK(20, 13);
	if (level == 2 && e->features & EMUL_FEATURE_1G_PAGES)
		return MASK(29, 13);
	return PTE_PS;
}

/* Eight-byte entries: level counts down to 0, the page table. */
static enum emul_status walk_wide(struct emul *e, struct walk *w,
				  uint64_t table, unsigned level)
{
	uint64_t rsvd = reserved_bits(e);
	bool is_pae = !(e->state->efer & X86_EFER_LMA);

	if (is_pae)
		rsvd |= MASK(62, 52);
	for (;; level--) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		uint64_t at = table + (w->linear >> shift & MASK(8, 0)) * 8;
		uint64_t entry;
		void *where;

		TRY(entry_load(e, w, at, &where, &entry));
		if (unlikely(!(entry & PTE_P)))
			return walk_fault(e, w, 0);
		if (is_pae && level == 2) { /* a PDPTE carries no rights */
			if (entry & (PAE_PDPTE_RSVD | rsvd))
				return walk_fault(e, w, PF_P | PF_RSVD);
			table = entry & PTE_ADDRESS;
			continue;
		}
		if (unlikely(entry & rsvd))
			return walk_fault(e, w, PF_P | PF_RSVD);
		w->rights &= entry;
		w->is_nx |= entry >> 63;
		if (level == 0 || entry & PTE_PS) {
			if (unlikely(entry & leaf_reserved(e, level)))
				return walk_fault(e, w, PF_P | PF_RSVD);
			w->entry = entry;
			w->where = where;
			w->shift = shift;
			return EMUL_OK;
		}
		TRY(entry_accessed(w, where, entry));
		table = entry & PTE_ADDRESS;
	}
}

/* Four-byte entries, 4 MiB pages with PSE-36. */
static enum emul_status walk_narrow(struct emul *e, struct walk *w)
{
	uint64_t table = e->state->cr3 & PDE32_ADDRESS;
	uint64_t entry;

	TRY(entry_load(e, w, table + (w->linear >> 22 & MASK(9, 0)) * 4,
		       &w->where, &entry));
	if (!(entry & PTE_P))
		return walk_fault(e, w, 0);
	w->rights &= entry;
	w->shift = 22;
	w->entry = entry;
	if (entry & PTE_PS && e->state->cr4 & X86_CR4_PSE)
		return entry & PDE32_LARGE_RSVD
			       ? walk_fault(e, w, PF_P | PF_RSVD)
			       : EMUL_OK;
	TRY(entry_accessed(w, w->where, entry));
	TRY(entry_load(e, w,
		       (entry & PDE32_ADDRESS) +
			       (w->linear >> 12 & MASK(9, 0)) * 4,
		       &w->where, &entry));
	if (!(entry & PTE_P))
		return walk_fault(e, w, 0);
	w->rights &= entry;
	w->shift = PAGE_SHIFT;
	w->entry = entry;
	return EMUL_OK;
}

static bool key_allows(const struct emul *e, const struct walk *w)
{
	const struct x86_state *s = e->state;
	unsigned key = FIELD_GET(PTE_PKEY, w->entry);
	unsigned bits = s->pkru >> (2 * key);

	if (!(s->cr4 & X86_CR4_PKE) || !(s->efer & X86_EFER_LMA) ||
	    w->access & EMUL_ACCESS_FETCH)
		return true;
	if (bits & 1)
		return false;
	return !(bits & 2 && w->access & PF_W &&
		 (w->access & PF_U || s->cr0 & X86_CR0_WP));
}

/* The page-level rights, as the manual's "Determination of Access Rights". */
static enum emul_status walk_permit(struct emul *e, const struct walk *w)
{
	const struct x86_state *s = e->state;
	bool is_user_page = w->rights & PTE_U;
	bool is_fetch = w->access & EMUL_ACCESS_FETCH;

	if (w->access & PF_U) {
		if (!is_user_page)
			return walk_fault(e, w, PF_P);
		if (w->access & PF_W && !(w->rights & PTE_W))
			return walk_fault(e, w, PF_P);
	} else {
		if (w->access & PF_W && !(w->rights & PTE_W) &&
		    s->cr0 & X86_CR0_WP)
			return walk_fault(e, w, PF_P);
		if (is_user_page && is_fetch && s->cr4 & X86_CR4_SMEP)
			return walk_fault(e, w, PF_P);
		/* AC lifts SMAP for explicit accesses only. */
		if (is_user_page && !is_fetch && s->cr4 & X86_CR4_SMAP &&
		    (e->is_implicit || !(s->rflags & X86_FLAG_AC)))
			return walk_fault(e, w, PF_P);
	}
	if (is_fetch && w->is_nx)
		return walk_fault(e, w, PF_P);
	if (is_user_page && !key_allows(e, w))
		return walk_fault(e, w, PF_P | PF_PK);
	return EMUL_OK;
}

static enum emul_status walk_once(struct emul *e, struct walk *w, uint64_t *gpa)
{
	const struct x86_state *s = e->state;
	uint64_t mask, bits = PTE_A;

	if (s->efer & X86_EFER_LMA)
		TRY(walk_wide(e, w, s->cr3 & PTE_ADDRESS,
			      s->cr4 & X86_CR4_LA57 ? 4 : 3));
	else if (s->cr4 & X86_CR4_PAE)
		TRY(walk_wide(e, w, s->cr3 & PAE_CR3_ADDRESS, 2));
	else
		TRY(walk_narrow(e, w));
	TRY(walk_permit(e, w));
	if (w->access & PF_W)
		bits |= PTE_D;
	if (unlikely(bits & ~w->entry) && !(w->access & EMUL_ACCESS_PROBE) &&
	    w->where && !entry_set(w, w->where, w->entry, bits))
		return EMUL_AGAIN;
	mask = BIT(w->shift) - 1;
	if (w->is_wide)
		*gpa = (w->entry & PTE_ADDRESS & ~mask) | (w->linear & mask);
	else if (w->shift == PAGE_SHIFT)
		*gpa = (w->entry & PDE32_ADDRESS) | (w->linear & mask);
	else
		*gpa = (w->entry & PDE32_LARGE) | (w->linear & mask) |
		       FIELD_GET(PDE32_LARGE_HIGH, w->entry) << 32;
	return EMUL_OK;
}

enum emul_status emul_walk_slow(struct emul *e, uint64_t linear,
				uint32_t access, uint64_t *gpa)
{
	enum emul_status status;
	unsigned tries = 0;

	if (!(e->mode & MODE_PAGING)) {
		*gpa = linear;
		return EMUL_OK;
	}
	do {
		struct walk w = {
			.linear = linear,
			.access = access,
			.rights = PTE_W | PTE_U,
			.is_wide = e->state->cr4 & X86_CR4_PAE,
		};

		status = walk_once(e, &w, gpa);
		/* Another CPU may change the entry for ever: let it run. */
	} while (unlikely(status == EMUL_AGAIN) && ++tries < WALK_TRIES);
	return status == EMUL_AGAIN ? EMUL_RETRY : status;
}

/* ---- Walks that are remembered ------------------------------------------ */

#define WALK_DEEP BIT(3) /* of a key: five entries count */

/* A walk through tables in windows, as it is written down. */
struct way {
	struct emul_walked *walked;
	unsigned levels;
	uint64_t leaf;
	uint64_t mask; /* within the page */
	/* Of entries that carry rights. */
	uint64_t all;
	uint64_t any;
};

/*
 * An absent entry is followed like any other: the sum of the levels shows it
 * in the end, and no address leaves the windows.
 */
static bool way_entry(const struct emul *e, struct way *way, uint64_t at,
		      bool is_wide, uint64_t *entry)
{
	const uint64_t *where = emul_window_at(e, at & ~7UL);
	uint64_t value;

	if (!where)
		return false;
	value = *(const volatile uint64_t *)where;
	way->walked->where[way->levels] = where;
	way->walked->entry[way->levels++] = value;
	*entry = is_wide ? value : (uint32_t)(value >> at % 8 * 8);
	return true;
}

static bool way_leaf(struct way *way, uint64_t entry, unsigned shift)
{
	way->leaf = entry;
	way->mask = BIT(shift) - 1;
	return true;
}

static bool way_wide(const struct emul *e, struct way *way, uint64_t linear,
		     uint64_t entry, unsigned level)
{
	for (;; level--) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		uint64_t at = (entry & PTE_ADDRESS) +
			      (linear >> shift & MASK(8, 0)) * 8;

		if (!way_entry(e, way, at, true, &entry))
			return false;
		way->all &= entry;
		way->any |= entry;
		if (level && !(entry & PTE_PS))
			continue;
		return !(entry & leaf_reserved(e, level)) &&
		       way_leaf(way, entry, shift);
	}
}

static bool way_pae(const struct emul *e, struct way *way, uint64_t linear)
{
	uint64_t entry, at = (e->state->cr3 & PAE_CR3_ADDRESS) +
			     (linear >> 30 & MASK(1, 0)) * 8;

	return way_entry(e, way, at, true, &entry) && entry & PTE_P &&
	       !(entry & (PAE_PDPTE_RSVD | reserved_bits(e))) &&
	       way_wide(e, way, linear, entry, 1) && !(way->any & MASK(62, 52));
}

static bool way_narrow(const struct emul *e, struct way *way, uint64_t linear)
{
	uint64_t entry, at = (e->state->cr3 & PDE32_ADDRESS) +
			     (linear >> 22 & MASK(9, 0)) * 4;

	if (!way_entry(e, way, at, false, &entry))
		return false;
	way->all = way->any = entry;
	if (entry & PTE_PS && e->state->cr4 & X86_CR4_PSE)
		return !(entry & PDE32_LARGE_RSVD) && way_leaf(way, entry, 22);
	at = (entry & PDE32_ADDRESS) + (linear >> 12 & MASK(9, 0)) * 4;
	if (!way_entry(e, way, at, false, &entry))
		return false;
	way->all &= entry;
	way->any |= entry;
	return way_leaf(way, entry, PAGE_SHIFT);
}

static bool way_find(const struct emul *e, struct way *way, uint64_t linear)
{
	const struct x86_state *s = e->state;

	if (s->efer & X86_EFER_LMA)
		return way_wide(e, way, linear, s->cr3,
				s->cr4 & X86_CR4_LA57 ? 4 : 3);
	if (s->cr4 & X86_CR4_PAE)
		return way_pae(e, way, linear);
	return way_narrow(e, way, linear);
}

static bool way_permits(const struct emul *e, const struct way *way,
			uint32_t access)
{
	uint64_t cr4 = e->state->cr4;
	uint64_t need = PTE_P | PTE_A | (access & (PTE_W | PTE_U));

	if ((way->all & need) != need || way->any & reserved_bits(e) ||
	    (access & PTE_W && !(way->leaf & PTE_D)))
		return false;
	/* NX, and what SMEP, SMAP and keys say of user pages. */
	if (way->any & PTE_NX && access & EMUL_ACCESS_FETCH)
		return false;
	return !(way->all & PTE_U) ||
	       !(cr4 & (X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE)) ||
	       (access & PTE_U && !(cr4 & X86_CR4_PKE));
}

static bool deep_holds(const struct emul_walked *m, const struct x86_state *s,
		       uint64_t key)
{
	if (m->key != key || m->cr3 != s->cr3 || m->control != walk_control(s))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(m->where); i++)
		if (*(const volatile uint64_t *)m->where[i] != m->entry[i])
			return false;
	return true;
}

static uint64_t page_of(const struct emul *e, const struct way *way,
			uint64_t linear)
{
	bool is_wide = e->state->cr4 & X86_CR4_PAE;
	uint64_t page = way->leaf & (is_wide ? PTE_ADDRESS : PDE32_ADDRESS) &
			~way->mask;

	if (!is_wide && way->mask >= PAGE_SIZE)
		page |= FIELD_GET(PDE32_LARGE_HIGH, way->leaf) << 32;
	return page | (linear & way->mask & ~(PAGE_SIZE - 1));
}

bool emul_walk_learn(struct emul *e, uint64_t linear, uint32_t access,
		     uint64_t *gpa)
{
	const struct x86_state *s = e->state;
	struct emul_walked *m = &e->walked[walk_slot(linear, access)];
	struct way way = { .walked = m, .all = ~0ULL };
	uint64_t key = walk_key(linear, access);

	if (access & EMUL_ACCESS_PROBE)
		return false;
	if (unlikely(s->cr4 & X86_CR4_LA57)) {
		key |= WALK_DEEP;
		if (deep_holds(m, s, key)) {
			*gpa = m->gpa | (linear & (PAGE_SIZE - 1));
			return true;
		}
	}
	m->key = 0;
	m->host = NULL;
	if (!way_find(e, &way, linear) || !way_permits(e, &way, access))
		return false;
	/* The same number of entries always: the leaf's again. */
	for (unsigned i = way.levels; i < ARRAY_SIZE(m->where); i++) {
		m->where[i] = m->where[way.levels - 1];
		m->entry[i] = m->entry[way.levels - 1];
	}
	m->gpa = page_of(e, &way, linear);
	m->cr3 = s->cr3;
	m->control = walk_control(s);
	m->key = key;
	*gpa = m->gpa | (linear & (PAGE_SIZE - 1));
	return true;
}

enum emul_status emul_walk(struct emul *e, uint64_t linear, uint32_t access,
			   uint64_t *gpa)
{
	if (e->mode & MODE_PAGING && walk_fast(e, linear, access, gpa))
		return EMUL_OK;
	return emul_walk_slow(e, linear, access, gpa);
}

enum emul_status emul_translate(struct emul *e, uint64_t linear,
				uint32_t access, uint64_t *gpa)
{
	TRY(emul_state_need(e, X86_GROUPS_COMMON));
	emul_mode_set(e);
	return emul_walk(e, linear, access, gpa);
}
