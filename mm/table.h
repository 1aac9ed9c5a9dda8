/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four-level page tables of any flavour: the monitor's own and the machines'
 * (mm/map.h), and nested tables (mm/npt.h; EPT differs only in its format).
 *
 * Maps in 4 KiB and 2 MiB leaves, splits a leaf of 2 MiB or 1 GiB when part of
 * it changes, merges only where table_merge() says so.  It never flushes a TLB:
 * the caller does, before it relies on a mapping being gone or before pages
 * that were mapped are reused.
 *
 * Tables stay until table_fini(), so that no walk in progress meets a freed
 * one; but table_unmap_some() takes out those that it empties and table_reap()
 * frees them, when the caller has made all processors forget them.
 */
#ifndef BULKHEAD_TABLE_H
#define BULKHEAD_TABLE_H

#include "include/compiler.h"
#include "mm/pages.h"

#define TABLE_ENTRIES 512
#define TABLE_LEVELS  4

enum map_prot {
	MAP_READ = BIT(0),
	MAP_WRITE = BIT(1),
	MAP_EXEC = BIT(2),
	MAP_USER = BIT(3), /* ring 3 may; nested tables imply it */
	/* The page, of 4 KiB, is the space's own: table_release_some(). */
	MAP_OWNED = BIT(4),
	MAP_COW = BIT(5),    /* readable: a write gets a copy of the page */
	MAP_DEVICE = BIT(6), /* address_space_map(): MAP_UNCACHED */
	MAP_SAME = BIT(7),   /* table_map(): the page at pa, again and again */
};

enum map_type { MAP_WRITE_BACK, MAP_UNCACHED };

struct table_format {
	/* Entry bits of a leaf; level 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB. */
	uint64_t (*leaf)(unsigned prot, enum map_type type, unsigned level);
	/* And back. */
	unsigned (*prot)(uint64_t entry);
	enum map_type (*type)(uint64_t entry, unsigned level);
	uint64_t table;	  /* bits of an entry that points to a table */
	uint64_t present; /* any of them set: not empty */
	uint64_t large;	  /* set: a leaf above level 1 */
	uint64_t marks;	  /* left by the processor: accessed, dirty */
	uint64_t owned;	  /* what MAP_OWNED sets; 0: not known here */
	bool write_xor_execute;
};

#define TABLE_DEAD_MAX 32

struct page_table {
	const struct table_format *format;
	struct pages *pages;
	struct mem_account *account;
	hpa_t root;
	uint64_t table_pages; /* how many pages the tables take */
	/* Taken out, perhaps still in some processor's caches. */
	uint32_t dead_count;
	hpa_t dead[TABLE_DEAD_MAX];
};

struct table_leaf {
	uint64_t pa; /* of the address asked for, not of the leaf */
	uint64_t size;
	uint64_t marks; /* of its format's */
	unsigned prot;	/* enum map_prot */
	enum map_type type;
};

/* -ENOMEM. */
int __must_check table_init(struct page_table *table,
			    const struct table_format *format,
			    struct pages *pages, struct mem_account *account);

/* Frees all tables of root entries [0, entries); and the root. */
void table_fini(struct page_table *table, unsigned entries);

/*
 * Maps [va, va + length) to [pa, ...), replacing what is there.  All are
 * multiples of 4 KiB.  -EINVAL: not aligned, wraps, no access at all, or
 * writable and executable where the format forbids it; -ENOMEM: tables ran
 * out, and the first part of the range may be mapped.
 */
int __must_check table_map(struct page_table *table, uint64_t va, uint64_t pa,
			   uint64_t length, unsigned prot, enum map_type type);

/*
 * The 1 GiB around va, if leaves of 2 MiB map it onto 1 GiB that is aligned,
 * all with the same rights: one leaf.  The table that this takes out goes as
 * those of table_unmap_some() do.  table_split() has such a leaf in 2 MiB
 * again, and leaves alone what is none; -ENOMEM.
 */
void table_merge(struct page_table *table, uint64_t va);
int __must_check table_split(struct page_table *table, uint64_t va);

/*
 * Whether the 2 MiB around va have a table of their own: table_map() then fills
 * that, 4 KiB by 4 KiB.
 */
bool table_has_small(const struct page_table *table, uint64_t va);

/* Holes are fine.  -ENOMEM: no page left to split a 2 MiB leaf. */
int __must_check table_unmap(struct page_table *table, uint64_t va,
			     uint64_t length);

/*
 * Unmaps part of [*va, end), from the beginning, and moves *va to where the
 * rest begins: at least one page, at most what some 10,000 instructions do.
 * Tables that end up empty are taken out; where dead has no room for more, the
 * caller flushes and calls table_reap() before it goes on.  -EINVAL, -ENOMEM as
 * above.
 */
int __must_check table_unmap_some(struct page_table *table, uint64_t *va,
				  uint64_t end);
static inline bool table_is_reap_due(const struct page_table *table)
{
	return table->dead_count > TABLE_DEAD_MAX / 2;
}
/* No processor knows of the tables taken out any more: free them. */
void table_reap(struct page_table *table);

/*
 * Takes leaves out of [*va, end), some dozens at most, and frees the pages of
 * those that are owned; moves *va to where the rest begins.  Nobody may use the
 * table meanwhile.
 */
void table_release_some(struct page_table *table, uint64_t *va, uint64_t end);

/*
 * Grants execution of the 4 KiB at va; of a large leaf, by splitting the 2 MiB
 * around into small leaves that all grant it.  Rights only grow, so nobody need
 * be flushed. -ENOENT: nothing is mapped; -ENOMEM.
 */
int __must_check table_make_executable(struct page_table *table, uint64_t va);

/* Whether anything is mapped in [va, va + length). */
bool table_is_mapped(struct page_table *table, uint64_t va, uint64_t length);

/* False when nothing is mapped at va: of the hole, leaf has .size and no
 * .marks.
 */
bool table_query(const struct page_table *table, uint64_t va,
		 struct table_leaf *leaf);

#endif
