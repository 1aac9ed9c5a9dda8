/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page table entries, and the walk for the common case, inlined where speed
 * counts: tables in windows, every right granted, accessed and dirty
 * bits set.  Whatever else there is, emul_walk_slow() finds out.
 *
 * References: SDM volume 3, "Paging".
 */
#ifndef BULKHEAD_EMULATE_WALK_H
#define BULKHEAD_EMULATE_WALK_H

#include "emulate/internal.h"

#define PTE_P	    BIT(0)
#define PTE_W	    BIT(1)
#define PTE_U	    BIT(2)
#define PTE_A	    BIT(5)
#define PTE_D	    BIT(6)
#define PTE_PS	    BIT(7)
#define PTE_NX	    BIT(63)
#define PTE_ADDRESS MASK(51, 12)
#define PTE_PKEY    MASK(62, 59)

_Static_assert(EMUL_ACCESS_WRITE == PTE_W && EMUL_ACCESS_USER == PTE_U,
	       "access bits are the rights they need");

#define WALK_ACCESS (EMUL_ACCESS_WRITE | EMUL_ACCESS_USER | EMUL_ACCESS_FETCH)

static inline uint64_t walk_key(uint64_t linear, uint32_t access)
{
	return (linear & ~(PAGE_SIZE - 1)) | (access & WALK_ACCESS) | BIT(0);
}

static inline uint64_t walk_control(const struct x86_state *s)
{
	return s->cr4 << 32 | s->efer;
}

/* A kernel that idles exits in three pages of code, and more while it works:
 * one half is for data, one for code. */
static inline unsigned walk_slot(uint64_t linear, uint32_t access)
{
	_Static_assert(EMUL_ACCESS_FETCH == EMUL_WALKED / 2, "halves");
	return (linear >> PAGE_SHIFT & (EMUL_WALKED / 2 - 1)) |
	       (access & EMUL_ACCESS_FETCH);
}

/* Walk and remember the way; false: not the plain case.  Of five levels the
 * last is looked at here. */
bool emul_walk_learn(struct emul *e, uint64_t linear, uint32_t access,
		     uint64_t *gpa);

/* It is of that page and access, and the tables are still what they were. */
static __always_inline bool walk_holds(const struct emul_walked *m,
				       const struct x86_state *s, uint64_t key)
{
	return m->key == key && m->cr3 == s->cr3 &&
	       m->control == walk_control(s) &&
	       *(const volatile uint64_t *)m->where[0] == m->entry[0] &&
	       *(const volatile uint64_t *)m->where[1] == m->entry[1] &&
	       *(const volatile uint64_t *)m->where[2] == m->entry[2] &&
	       *(const volatile uint64_t *)m->where[3] == m->entry[3];
}

static __always_inline bool walk_fast(struct emul *e, uint64_t linear,
				      uint32_t access, uint64_t *gpa)
{
	const struct x86_state *s = e->state;
	const struct emul_walked *m = &e->walked[walk_slot(linear, access)];

	if (likely(walk_holds(m, s, walk_key(linear, access)))) {
		*gpa = m->gpa | (linear & (PAGE_SIZE - 1));
		return true;
	}
	return emul_walk_learn(e, linear, access, gpa);
}

/* Functions begin at multiples of 16 or more, and many that exit do so at once:
 * the lowest bits alone would put all these into a few slots. */
static __always_inline unsigned cached_slot(uint64_t rip)
{
	return (rip ^ rip >> 6) % EMUL_CACHED;
}

/* RIP is the linear address, as kernels have it; and a supervisor runs. */
static __always_inline bool rip_is_linear(const struct x86_state *s)
{
	const struct x86_segment *cs = &s->seg[X86_CS];

	return cs->limit == UINT32_MAX && !cs->base && s->cpl != 3;
}

/*
 * A guest exits at the same few instructions again and again.  With paging on,
 * for a supervisor and where RIP is the linear address, which this is for
 * alone: where the slot's instruction was last here its bytes are in one page,
 * and that is where the walk says, as long as the walk holds.  Saves the limits
 * of page and window and the way to the walk's slot, some 20 instructions of
 * each exit that is emulated or measured, 60 under PAE and tables of two
 * levels.
 */
static __always_inline const void *fetch_again(const struct x86_state *s,
					       const struct emul_cached *c)
{
	const struct emul_walked *m = c->walked;

	if (likely(c->rip == s->rip && m->host &&
		   walk_holds(m, s, walk_key(s->rip, EMUL_ACCESS_FETCH))))
		return m->host + (s->rip & (PAGE_SIZE - 1));
	return NULL;
}

/* host: of the first window, whose bytes stay where they are until
 * emul_forget(); the longest instruction would end in the page. */
static inline void fetch_remember(struct emul *e, const void *host)
{
	uint64_t rip = e->state->rip;
	struct emul_cached *c = &e->cached[cached_slot(rip)];
	struct emul_walked *m = &e->walked[walk_slot(rip, EMUL_ACCESS_FETCH)];

	/* Of five levels it is not that walk's. */
	if (m->key != walk_key(rip, EMUL_ACCESS_FETCH))
		return;
	c->rip = rip;
	c->walked = m;
	m->host = (const uint8_t *)host - (rip & (PAGE_SIZE - 1));
}

#endif
