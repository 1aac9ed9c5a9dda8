/* SPDX-License-Identifier: BSD-2-Clause */
/* See overlay.h. */
#include "services/disk/overlay.h"

#include "include/errno.h"
#include "lib/string.h"

#define ENTRIES	     512u
#define INDEX_BITS   9
#define PAGE_SECTORS 8u
#define HERE	     MASK(7, 0) /* of an entry: a bit for each sector */
#define ADDRESS	     (~MASK(11, 0))

/* ---- Pages --------------------------------------------------------------- */

static void *page_of(uint64_t entry)
{
	return (void *)(uintptr_t)(entry & ADDRESS);
}

static void *page_take(struct overlay *overlay)
{
	void *page;

	if (overlay->pages >= overlay->pages_max)
		return NULL;
	page = overlay->ops->page_take(overlay->ctx);
	if (!page)
		return NULL;
	memset(page, 0, PAGE_SIZE);
	overlay->pages++;
	return page;
}

static void page_give(struct overlay *overlay, void *page)
{
	overlay->ops->page_give(overlay->ctx, page);
	overlay->pages--;
}

static uint64_t covered(unsigned levels)
{
	return BIT(levels * INDEX_BITS) * PAGE_SECTORS;
}

int overlay_init(struct overlay *overlay, const struct overlay_ops *ops,
		 void *ctx, uint64_t sector_count, uint64_t pages_max)
{
	*overlay = (struct overlay){
		.ops = ops,
		.ctx = ctx,
		.sector_count = sector_count,
		.pages_max = pages_max,
		.levels = 1,
	};
	if (sector_count > covered(OVERLAY_LEVELS))
		return -ERANGE;
	while (covered(overlay->levels) < sector_count)
		overlay->levels++;
	return 0;
}

/* Without recursion: a table's turn comes when its lower ones are gone. */
void overlay_fini(struct overlay *overlay)
{
	uint64_t *table[OVERLAY_LEVELS] = { overlay->root };
	unsigned index[OVERLAY_LEVELS] = { 0 };
	unsigned depth = 0;

	while (overlay->root) {
		void *page;

		if (index[depth] == ENTRIES) {
			page_give(overlay, table[depth]);
			if (!depth)
				break;
			depth--;
			continue;
		}
		page = page_of(table[depth][index[depth]++]);
		if (page && depth + 1 < overlay->levels) {
			table[++depth] = page;
			index[depth] = 0;
		} else if (page) {
			page_give(overlay, page);
		}
	}
	overlay->root = NULL;
}

/* ---- Entries ------------------------------------------------------------- */

/* The entry of sector's page; NULL: there is no table that far. */
static const uint64_t *entry_find(const struct overlay *overlay,
				  uint64_t sector)
{
	uint64_t number = sector / PAGE_SECTORS;
	const uint64_t *table = overlay->root;

	for (unsigned level = overlay->levels; table && level-- > 1;)
		table = page_of(
			table[(number >> (level * INDEX_BITS)) % ENTRIES]);
	return table ? &table[number % ENTRIES] : NULL;
}

/* Makes the tables that are missing; NULL: there is no page for one. */
static uint64_t *entry_make(struct overlay *overlay, uint64_t sector)
{
	uint64_t number = sector / PAGE_SECTORS;
	uint64_t *table;

	if (!overlay->root)
		overlay->root = page_take(overlay);
	table = overlay->root;
	for (unsigned level = overlay->levels; table && level-- > 1;) {
		uint64_t *entry =
			&table[(number >> (level * INDEX_BITS)) % ENTRIES];

		if (!*entry)
			*entry = (uintptr_t)page_take(overlay);
		table = page_of(*entry);
	}
	return table ? &table[number % ENTRIES] : NULL;
}

/* The part of a page that [sector, sector + count) begins with. */
static uint32_t piece(uint64_t sector, uint32_t count)
{
	return MIN(count, PAGE_SECTORS - (uint32_t)(sector % PAGE_SECTORS));
}

static uint64_t here_mask(uint64_t sector, uint32_t n)
{
	return (BIT(n) - 1) << (sector % PAGE_SECTORS);
}

static uint8_t *bytes_at(uint64_t entry, uint64_t sector)
{
	return (uint8_t *)page_of(entry) + sector % PAGE_SECTORS * DISK_SECTOR;
}

/* ---- Sectors ------------------------------------------------------------- */

uint32_t overlay_run(const struct overlay *overlay, uint64_t sector,
		     uint32_t count, bool *is_here)
{
	const uint64_t *entry = NULL;
	uint32_t n;

	count = MIN(count, ENTRIES * PAGE_SECTORS);
	for (n = 0; n < count; n++) {
		uint64_t at = sector + n;
		bool is_this_here;

		if (!n || at % PAGE_SECTORS == 0)
			entry = entry_find(overlay, at);
		is_this_here = entry && (*entry & here_mask(at, 1));
		if (!n)
			*is_here = is_this_here;
		else if (is_this_here != *is_here)
			break;
	}
	return n;
}

int overlay_read(const struct overlay *overlay, uint64_t sector, uint32_t count,
		 const struct overlay_copy *copy)
{
	static const uint8_t zeroes[PAGE_SIZE];
	uint64_t offset = 0;
	int error = 0;

	while (count && !error) {
		const uint64_t *entry = entry_find(overlay, sector);
		uint32_t n = piece(sector, count);
		uint64_t mask = here_mask(sector, n);

		if (!entry || (*entry & mask) != mask)
			return -EINVAL;
		error = copy->to_client(
			copy->ctx, offset,
			page_of(*entry) ? bytes_at(*entry, sector) : zeroes,
			n * DISK_SECTOR);
		offset += n * DISK_SECTOR;
		sector += n;
		count -= n;
	}
	return error;
}

/* Sectors get their contents before they are said to be here: a copy that
 * fails half way leaves those that were not here as the drive has them. */
static int page_write(struct overlay *overlay, uint64_t sector, uint32_t n,
		      uint64_t offset, const struct overlay_copy *copy)
{
	uint64_t *entry = entry_make(overlay, sector);
	int error;

	if (!entry)
		return -ENOSPC;
	if (!page_of(*entry)) {
		void *page = page_take(overlay);

		if (!page)
			return -ENOSPC;
		*entry |= (uintptr_t)page;
	}
	error = copy->from_client(copy->ctx, offset, bytes_at(*entry, sector),
				  n * DISK_SECTOR);
	if (!error)
		*entry |= here_mask(sector, n);
	return error;
}

int overlay_write(struct overlay *overlay, uint64_t sector, uint32_t count,
		  const struct overlay_copy *copy, uint32_t *done)
{
	for (*done = 0; *done < count;) {
		uint32_t n = piece(sector + *done, count - *done);
		int error = page_write(overlay, sector + *done, n,
				       (uint64_t)*done * DISK_SECTOR, copy);

		if (error)
			return error;
		*done += n;
	}
	return 0;
}

/* Up to n sectors of one page. */
static int page_clear(struct overlay *overlay, uint64_t sector, uint32_t n)
{
	uint64_t *entry = entry_make(overlay, sector);

	if (!entry)
		return -ENOSPC;
	if (page_of(*entry) && n == PAGE_SECTORS) {
		page_give(overlay, page_of(*entry));
		*entry = 0;
	} else if (page_of(*entry)) {
		memset(bytes_at(*entry, sector), 0, n * DISK_SECTOR);
	}
	*entry |= here_mask(sector, n);
	return 0;
}

int overlay_clear(struct overlay *overlay, uint64_t sector, uint32_t count,
		  bool is_discard, uint32_t *done)
{
	for (*done = 0; *done < count;) {
		uint64_t at = sector + *done;
		uint32_t n = piece(at, count - *done);
		int error = 0;

		if (!is_discard || entry_find(overlay, at))
			error = page_clear(overlay, at, n);
		if (error)
			return error;
		*done += n;
	}
	return 0;
}
