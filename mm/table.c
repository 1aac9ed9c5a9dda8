/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker that all four-level page tables share; what an entry's bits mean
 * is the format's business.
 *
 * A walk goes down from the root to the level asked for, making tables and
 * splitting large leaves on the way when it is to change something.
 *
 * References: SDM volume 3, "4-Level Paging"; APM volume 2, "Nested Paging".
 */
#include "mm/table.h"

#include "include/errno.h"
#include "lib/string.h"
#include "mm/phys.h"

#define ENTRY_ADDRESS MASK(51, 12)
#define INDEX_BITS    9

static unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + INDEX_BITS * (level - 1);
}

static uint64_t level_size(unsigned level)
{
	return 1ULL << level_shift(level);
}

static uint64_t *entry_at(hpa_t table, uint64_t va, unsigned level)
{
	uint64_t *entries = phys_to_virt(table);

	return &entries[(va >> level_shift(level)) % TABLE_ENTRIES];
}

static bool entry_is_present(const struct table_format *format, uint64_t entry)
{
	return entry & format->present;
}

static bool entry_is_leaf(const struct table_format *format, uint64_t entry,
			  unsigned level)
{
	return level == 1 || (entry & format->large);
}

/* Entries are read by processors at any time: always write them whole. */
static void entry_set(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static hpa_t table_new(struct page_table *table)
{
	void *page = pages_alloc_zeroed(table->pages, table->account, 0);

	if (!page)
		return 0;
	table->table_pages++;
	return virt_to_phys(page);
}

/* Replaces a large leaf by a table of leaves that map the same, with prot. */
static int entry_split(struct page_table *table, uint64_t *entry,
		       unsigned level, unsigned prot)
{
	const struct table_format *format = table->format;
	enum map_type type = format->type(*entry, level);
	uint64_t step = level_size(level - 1);
	uint64_t pa = *entry & ENTRY_ADDRESS & ~(level_size(level) - 1);
	uint64_t bits =
		(*entry & format->marks) | format->leaf(prot, type, level - 1);
	hpa_t below = table_new(table);
	uint64_t *entries;
	unsigned i;

	if (!below)
		return -ENOMEM;
	entries = phys_to_virt(below);
	for (i = 0; i < TABLE_ENTRIES; i++)
		entries[i] = (pa + i * step) | bits;
	entry_set(entry, below | format->table);
	return 0;
}

int table_init(struct page_table *table, const struct table_format *format,
	       struct pages *pages, struct mem_account *account)
{
	memset(table, 0, sizeof(*table));
	table->format = format;
	table->pages = pages;
	table->account = account;
	table->root = table_new(table);
	return table->root ? 0 : -ENOMEM;
}

/* The first that is not zero, or end.  Most are: the loop is short. */
static inline uint64_t *entry_used(uint64_t *entry, const uint64_t *end)
{
	while (entry < end && !*entry)
		entry++;
	return entry;
}

static void tables_free(struct page_table *table, hpa_t at, unsigned level,
			unsigned entries)
{
	const struct table_format *format = table->format;
	uint64_t *entry = phys_to_virt(at), *end = entry + entries;

	for (; level > 1 && (entry = entry_used(entry, end)) < end; entry++)
		if (entry_is_present(format, *entry) &&
		    !entry_is_leaf(format, *entry, level))
			tables_free(table, *entry & ENTRY_ADDRESS, level - 1,
				    TABLE_ENTRIES);
	pages_free(table->pages, table->account, at, 0);
	table->table_pages--;
}

void table_fini(struct page_table *table, unsigned entries)
{
	table_reap(table);
	if (table->root)
		tables_free(table, table->root, TABLE_LEVELS, entries);
	table->root = 0;
}

static bool range_is_bad(uint64_t va, uint64_t length)
{
	return !IS_ALIGNED(va | length, PAGE_SIZE) || va + length < va;
}

/* The entry for va at a level, its tables made, a large leaf above it split;
 * NULL when out of memory. */
static uint64_t *table_entry(struct page_table *table, uint64_t va,
			     unsigned level)
{
	const struct table_format *format = table->format;
	unsigned at = TABLE_LEVELS;
	uint64_t *entry = entry_at(table->root, va, at);

	for (; at > level; entry = entry_at(*entry & ENTRY_ADDRESS, va, --at)) {
		if (!entry_is_present(format, *entry)) {
			hpa_t below = table_new(table);

			if (!below)
				return NULL;
			entry_set(entry, below | format->table);
		} else if (entry_is_leaf(format, *entry, at) &&
			   entry_split(table, entry, at,
				       format->prot(*entry))) {
			return NULL;
		}
	}
	return entry;
}

int table_map(struct page_table *table, uint64_t va, uint64_t pa,
	      uint64_t length, unsigned prot, enum map_type type)
{
	const struct table_format *format = table->format;

	if (range_is_bad(va, length) || range_is_bad(pa, length) ||
	    !(prot & (MAP_READ | MAP_WRITE | MAP_EXEC)))
		return -EINVAL;
	if (format->write_xor_execute && (prot & MAP_WRITE) &&
	    (prot & MAP_EXEC))
		return -EINVAL;

	while (length) {
		bool is_large = IS_ALIGNED(va | pa, PAGE_2M) &&
				length >= PAGE_2M && !(prot & MAP_SAME);
		unsigned level = is_large ? 2 : 1;
		uint64_t *entry = table_entry(table, va, level), step, leaf;

		if (!entry)
			return -ENOMEM;
		/* Tables stay until the end: fill the one that is there. */
		if (is_large && entry_is_present(format, *entry) &&
		    !entry_is_leaf(format, *entry, level)) {
			level = 1;
			entry = entry_at(*entry & ENTRY_ADDRESS, va, level);
		}
		step = level_size(level);
		leaf = format->leaf(prot, type, level);
		/* A table of small leaves takes one walk. */
		do {
			entry_set(entry++, pa | leaf);
			va += step;
			pa += prot & MAP_SAME ? 0 : step;
			length -= step;
		} while (level == 1 && length && !IS_ALIGNED(va, PAGE_2M));
	}
	return 0;
}

void table_merge(struct page_table *table, uint64_t va)
{
	const struct table_format *format = table->format;
	uint64_t *above = table_entry(table, va, 3);
	uint64_t first, *entry;

	if (!above || !entry_is_present(format, *above) ||
	    entry_is_leaf(format, *above, 3) ||
	    table->dead_count == TABLE_DEAD_MAX)
		return;
	entry = phys_to_virt(*above & ENTRY_ADDRESS);
	first = *entry & ~format->marks;
	if (!entry_is_leaf(format, first, 2) ||
	    !IS_ALIGNED(first & ENTRY_ADDRESS, PAGE_1G))
		return;
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		if ((entry[i] & ~format->marks) != first + i * PAGE_2M)
			return;
	table->dead[table->dead_count++] = *above & ENTRY_ADDRESS;
	entry_set(above, (first & ENTRY_ADDRESS) |
				 format->leaf(format->prot(first),
					      format->type(first, 2), 3));
}

/* The lowest entry for va that is there, of any level, or the hole around it.
 */
static uint64_t *entry_find(const struct page_table *table, uint64_t va,
			    unsigned *level)
{
	const struct table_format *format = table->format;
	uint64_t *entry = entry_at(table->root, va, TABLE_LEVELS);

	for (*level = TABLE_LEVELS;;
	     entry = entry_at(*entry & ENTRY_ADDRESS, va, --*level))
		if (!entry_is_present(format, *entry) ||
		    entry_is_leaf(format, *entry, *level))
			return entry;
}

int table_split(struct page_table *table, uint64_t va)
{
	unsigned level;
	uint64_t *entry = entry_find(table, va, &level);

	if (level != 3 || !entry_is_present(table->format, *entry))
		return 0;
	return entry_split(table, entry, level, table->format->prot(*entry));
}

bool table_has_small(const struct page_table *table, uint64_t va)
{
	unsigned level;

	(void)entry_find(table, va, &level);
	return level == 1;
}

/*
 * The leaf at va whose extent lies within [va, va + length), after splitting
 * if need be, and its level; *entry is NULL for a hole of *level's size.
 */
static int leaf_within(struct page_table *table, uint64_t va, uint64_t length,
		       uint64_t **entry, unsigned *level)
{
	uint64_t *e = entry_find(table, va, level);

	*entry = NULL;
	while (entry_is_present(table->format, *e)) {
		uint64_t size = level_size(*level);
		int error;

		if (IS_ALIGNED(va, size) && length >= size) {
			*entry = e;
			return 0;
		}
		error = entry_split(table, e, *level, table->format->prot(*e));
		if (error)
			return error;
		e = entry_at(*e & ENTRY_ADDRESS, va, --*level);
	}
	return 0;
}

/*
 * The first address from va to end where something is mapped; else one that is
 * not before end.  Holes of one table cost a look each, not a walk.
 */
static uint64_t hole_skip(struct page_table *table, uint64_t va, uint64_t end)
{
	while (va < end) {
		unsigned level;
		const uint64_t *entry = entry_find(table, va, &level);
		uint64_t size = level_size(level);

		if (entry_is_present(table->format, *entry))
			break;
		do
			va = ALIGN_DOWN(va, size) + size;
		while (va < end && !IS_ALIGNED(va, level_size(level + 1)) &&
		       !entry_is_present(table->format, *++entry));
	}
	return va;
}

int table_unmap(struct page_table *table, uint64_t va, uint64_t length)
{
	uint64_t end = va + length;
	unsigned level;
	uint64_t *entry;
	int error;

	if (range_is_bad(va, length))
		return -EINVAL;
	while ((va = hole_skip(table, va, end)) < end) {
		error = leaf_within(table, va, end - va, &entry, &level);
		if (error)
			return error;
		entry_set(entry, 0);
		va += level_size(level);
	}
	return 0;
}

/* ---- Unmapping in pieces, and what becomes empty by it ------------------ */

/* What a piece may cost, in empty entries; a leaf is so many. */
#define RELEASE_COST 1024
#define LEAF_COST    32

/* What a piece may cost, in leaves; looking at a whole table is so many. */
#define PIECE_COST 32
#define SCAN_COST  16

static bool table_is_empty(hpa_t at)
{
	uint64_t *entry = phys_to_virt(at);

	return entry_used(entry, entry + TABLE_ENTRIES) ==
	       entry + TABLE_ENTRIES;
}

/* Takes out the empty tables on the way to va, but for the root; their scans.
 */
static unsigned tables_prune(struct page_table *table, uint64_t va)
{
	const struct table_format *format = table->format;
	uint64_t *above[TABLE_LEVELS]; /* points to the table of a level */
	unsigned level = TABLE_LEVELS, scans = 0;
	uint64_t *entry = entry_at(table->root, va, level);

	while (level > 1 && entry_is_present(format, *entry) &&
	       !entry_is_leaf(format, *entry, level)) {
		above[--level] = entry;
		entry = entry_at(*entry & ENTRY_ADDRESS, va, level);
	}
	for (; level < TABLE_LEVELS; level++) {
		hpa_t at = *above[level] & ENTRY_ADDRESS;

		scans++;
		if (!table_is_empty(at))
			break;
		entry_set(above[level], 0);
		table->dead[table->dead_count++] = at;
	}
	return scans;
}

void table_reap(struct page_table *table)
{
	while (table->dead_count) {
		pages_free(table->pages, table->account,
			   table->dead[--table->dead_count], 0);
		table->table_pages--;
	}
}

int table_unmap_some(struct page_table *table, uint64_t *va, uint64_t end)
{
	unsigned cost = 0, level;
	uint64_t *entry;
	int error;

	if (*va > end || range_is_bad(*va, end - *va))
		return -EINVAL;
	while (*va < end && cost < PIECE_COST &&
	       table->dead_count + TABLE_LEVELS <= TABLE_DEAD_MAX) {
		uint64_t at = *va, next;

		error = leaf_within(table, at, end - at, &entry, &level);
		if (error)
			return error;
		if (entry)
			entry_set(entry, 0);
		cost++;
		next = ALIGN_DOWN(at, level_size(level)) + level_size(level);
		*va = MIN(next, end);
		/* Done with a table: what is in it was unmapped, or never was.
		 */
		if (level < TABLE_LEVELS &&
		    (*va == end || IS_ALIGNED(*va, level_size(level + 1))))
			cost += SCAN_COST * tables_prune(table, at);
	}
	return 0;
}

bool table_is_mapped(struct page_table *table, uint64_t va, uint64_t length)
{
	return hole_skip(table, va, va + length) < va + length;
}

/* Takes the leaf out; its page goes if it is owned. */
static void leaf_release(struct page_table *table, uint64_t *entry)
{
	if (*entry & table->format->owned)
		pages_free(table->pages, table->account, *entry & ENTRY_ADDRESS,
			   0);
	entry_set(entry, 0);
}

void table_release_some(struct page_table *table, uint64_t *va, uint64_t end)
{
	const struct table_format *format = table->format;
	unsigned cost = 0;

	while (*va < end && cost < RELEASE_COST) {
		unsigned level;
		uint64_t *entry = entry_find(table, *va, &level);
		uint64_t size = level_size(level);
		uint64_t at = ALIGN_DOWN(*va, size), *first = entry, *last;

		/* On in the same table, up to an entry with one below it. */
		last = entry + MIN(TABLE_ENTRIES - at / size % TABLE_ENTRIES,
				   DIV_ROUND_UP(end - at, size));
		while ((entry = entry_used(entry, last)) < last &&
		       entry_is_leaf(format, *entry, level) &&
		       cost < RELEASE_COST) {
			leaf_release(table, entry++);
			cost += LEAF_COST;
		}
		cost += (unsigned)(entry - first) + 1;
		*va = at + (uint64_t)(entry - first) * size;
	}
}

int table_make_executable(struct page_table *table, uint64_t va)
{
	const struct table_format *format = table->format;
	unsigned level, prot;
	uint64_t *entry;

	if (table_split(table, va)) /* its other 2 MiB stay as they are */
		return -ENOMEM;
	entry = entry_find(table, va, &level);
	if (!entry_is_present(format, *entry))
		return -ENOENT;
	prot = format->prot(*entry) | MAP_EXEC;
	if (level > 1)
		return entry_split(table, entry, level, prot);
	entry_set(entry, (*entry & (ENTRY_ADDRESS | format->marks)) |
				 format->leaf(prot, format->type(*entry, level),
					      level));
	return 0;
}

bool table_query(const struct page_table *table, uint64_t va,
		 struct table_leaf *leaf)
{
	const struct table_format *format = table->format;
	unsigned level;
	uint64_t entry = *entry_find(table, va, &level);
	uint64_t mask = level_size(level) - 1;

	leaf->size = mask + 1;
	leaf->marks = entry & format->marks;
	if (!entry_is_present(format, entry))
		return false;
	leaf->pa = (entry & ENTRY_ADDRESS & ~mask) | (va & mask);
	leaf->prot = format->prot(entry);
	leaf->type = format->type(entry, level);
	return true;
}
