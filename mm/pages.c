/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages, in blocks of 2 MiB.
 *
 * Each block has a bitmap of its 512 pages.  Blocks with some pages free and
 * blocks with all pages free are on a list each; the rest is on none.  Small
 * runs come from partial blocks first, so that whole blocks stay whole for
 * guests, and a run never crosses a block: natural alignment sees to that.
 * One page costs a list head, a bit scan and a mask; the metadata is 80 bytes
 * per 2 MiB.
 *
 * Not here: more than 2 MiB in one piece, and NUMA.  Whoever wants neighbours
 * asks for blocks by address.
 */
#include "mm/pages.h"

#include "include/errno.h"
#include "include/panic.h"
#include "lib/string.h"
#include "mm/phys.h"

#define BLOCK_SHIFT 21

uint64_t pages_metadata_size(hpa_t top)
{
	return ALIGN_UP(top, PAGE_2M) / PAGE_2M * sizeof(struct page_block);
}

void pages_init(struct pages *pages, void *metadata, hpa_t top)
{
	memset(pages, 0, sizeof(*pages));
	memset(metadata, 0, pages_metadata_size(top));
	pages->block = metadata;
	pages->block_count = (uint32_t)(ALIGN_UP(top, PAGE_2M) / PAGE_2M);
	pages->partial = PAGES_NO_BLOCK;
	pages->whole = PAGES_NO_BLOCK;
}

/* The list that a block with so many free pages is on, NULL: none. */
static uint32_t *list_of(struct pages *pages, uint32_t free_count)
{
	if (free_count == 0)
		return NULL;
	return free_count == PAGES_PER_BLOCK ? &pages->whole : &pages->partial;
}

static void block_unlink(struct pages *pages, uint32_t index, uint32_t *head)
{
	struct page_block *block = &pages->block[index];

	if (block->prev == PAGES_NO_BLOCK)
		*head = block->next;
	else
		pages->block[block->prev].next = block->next;
	if (block->next != PAGES_NO_BLOCK)
		pages->block[block->next].prev = block->prev;
}

static void block_link(struct pages *pages, uint32_t index, uint32_t *head)
{
	struct page_block *block = &pages->block[index];

	block->prev = PAGES_NO_BLOCK;
	block->next = *head;
	if (*head != PAGES_NO_BLOCK)
		pages->block[*head].prev = index;
	*head = index;
}

/* Adjusts a block's count and moves it to the list it then belongs on. */
static void block_set_count(struct pages *pages, uint32_t index, uint32_t count)
{
	struct page_block *block = &pages->block[index];
	uint32_t *from = list_of(pages, block->free_count);
	uint32_t *to = list_of(pages, count);

	pages->free += count;
	pages->free -= block->free_count;
	block->free_count = count;
	if (from == to)
		return;
	if (from)
		block_unlink(pages, index, from);
	if (to)
		block_link(pages, index, to);
}

/* The words of a block's map that a run touches, and its bits in the first. */
static uint64_t run_mask(unsigned first, unsigned count)
{
	if (count >= 64)
		return ~0ULL;
	return ((1ULL << count) - 1) << (first % 64);
}

static bool run_is_free(const struct page_block *block, unsigned first,
			unsigned count)
{
	uint64_t mask = run_mask(first, count);
	unsigned i;

	for (i = first / 64; i <= (first + count - 1) / 64; i++)
		if ((block->free[i] & mask) != mask)
			return false;
	return true;
}

static bool run_is_taken(const struct page_block *block, unsigned first,
			 unsigned count)
{
	uint64_t mask = run_mask(first, count);
	unsigned i;

	for (i = first / 64; i <= (first + count - 1) / 64; i++)
		if (block->free[i] & mask)
			return false;
	return true;
}

static void run_set(struct page_block *block, unsigned first, unsigned count,
		    bool is_free)
{
	uint64_t mask = run_mask(first, count);
	unsigned i;

	for (i = first / 64; i <= (first + count - 1) / 64; i++)
		if (is_free)
			block->free[i] |= mask;
		else
			block->free[i] &= ~mask;
}

/* First page of an aligned free run in the block, or -1. */
static int block_find(const struct page_block *block, unsigned count)
{
	unsigned i;

	if (count == 1) {
		for (i = 0; i < PAGES_MAP_WORDS; i++)
			if (block->free[i])
				return (int)(i * 64) +
				       __builtin_ctzll(block->free[i]);
		return -1;
	}
	for (i = 0; i < PAGES_PER_BLOCK; i += count)
		if (run_is_free(block, i, count))
			return (int)i;
	return -1;
}

/* A block with a free run of count pages, whose start goes to *first. */
static uint32_t blocks_find(const struct pages *pages, unsigned count,
			    int *first)
{
	uint32_t index = pages->partial;

	if (count == PAGES_PER_BLOCK)
		index = PAGES_NO_BLOCK;
	for (; index != PAGES_NO_BLOCK; index = pages->block[index].next) {
		*first = block_find(&pages->block[index], count);
		if (*first >= 0)
			return index;
	}
	*first = 0;
	return pages->whole;
}

static bool account_has_room(const struct mem_account *account, uint64_t count)
{
	return !account || !account->limit ||
	       account->pages + count <= account->limit;
}

static void account_add(struct mem_account *account, uint64_t count)
{
	if (!account)
		return;
	account->pages += count;
	account->peak = MAX(account->peak, account->pages);
}

void pages_add(struct pages *pages, hpa_t base, uint64_t length)
{
	hpa_t at = ALIGN_UP(base, PAGE_SIZE);
	hpa_t end = ALIGN_DOWN(base + length, PAGE_SIZE);
	uint64_t flags = spin_lock_irqsave(&pages->lock);

	while (at < end) {
		uint32_t index = (uint32_t)(at >> BLOCK_SHIFT);
		struct page_block *block = &pages->block[index];
		unsigned page = (at >> PAGE_SHIFT) % PAGES_PER_BLOCK;
		unsigned count =
			page || end - at < PAGE_2M ? 1 : PAGES_PER_BLOCK;

		VERIFY(index < pages->block_count);
		VERIFY(run_is_taken(block, page, count));
		run_set(block, page, count, true);
		block_set_count(pages, index, block->free_count + count);
		pages->total += count;
		at += count * PAGE_SIZE;
	}
	spin_unlock_irqrestore(&pages->lock, flags);
}

/* A free run of pages becomes the account's. */
static hpa_t run_take(struct pages *pages, struct mem_account *account,
		      uint32_t index, unsigned first, unsigned count)
{
	struct page_block *block = &pages->block[index];

	run_set(block, first, count, false);
	block_set_count(pages, index, block->free_count - count);
	account_add(account, count);
	return ((hpa_t)index << BLOCK_SHIFT) + ((hpa_t)first << PAGE_SHIFT);
}

hpa_t pages_alloc(struct pages *pages, struct mem_account *account,
		  unsigned order)
{
	unsigned count = 1U << order;
	uint64_t flags;
	uint32_t index = PAGES_NO_BLOCK;
	hpa_t hpa = 0;
	int first;

	VERIFY(order <= PAGES_ORDER_MAX);
	flags = spin_lock_irqsave(&pages->lock);
	if (account_has_room(account, count))
		index = blocks_find(pages, count, &first);
	if (index != PAGES_NO_BLOCK)
		hpa = run_take(pages, account, index, (unsigned)first, count);
	spin_unlock_irqrestore(&pages->lock, flags);
	return hpa;
}

bool pages_are_free(const struct pages *pages, hpa_t hpa, uint64_t length)
{
	uint64_t index = hpa >> BLOCK_SHIFT,
		 end = (hpa + length) >> BLOCK_SHIFT;

	if (end > pages->block_count)
		return false;
	while (index < end && pages->block[index].free_count == PAGES_PER_BLOCK)
		index++;
	return index == end;
}

hpa_t pages_alloc_2m(struct pages *pages, struct mem_account *account,
		     hpa_t wanted)
{
	uint64_t flags = spin_lock_irqsave(&pages->lock);
	hpa_t hpa = 0;

	if (wanted && pages_are_free(pages, wanted, PAGE_2M) &&
	    account_has_room(account, PAGES_PER_BLOCK))
		hpa = run_take(pages, account,
			       (uint32_t)(wanted >> BLOCK_SHIFT), 0,
			       PAGES_PER_BLOCK);
	spin_unlock_irqrestore(&pages->lock, flags);
	return hpa ? hpa : pages_alloc(pages, account, PAGES_ORDER_MAX);
}

void pages_free(struct pages *pages, struct mem_account *account, hpa_t hpa,
		unsigned order)
{
	uint32_t index = (uint32_t)(hpa >> BLOCK_SHIFT);
	unsigned page = (hpa >> PAGE_SHIFT) % PAGES_PER_BLOCK;
	unsigned count = 1U << order;
	struct page_block *block;
	uint64_t flags;

	VERIFY(order <= PAGES_ORDER_MAX && index < pages->block_count);
	VERIFY(IS_ALIGNED(hpa, (uint64_t)count << PAGE_SHIFT));
	block = &pages->block[index];
	flags = spin_lock_irqsave(&pages->lock);
	VERIFY(run_is_taken(block, page, count));
	run_set(block, page, count, true);
	block_set_count(pages, index, block->free_count + count);
	if (account)
		account->pages -= count;
	spin_unlock_irqrestore(&pages->lock, flags);
}

void *pages_alloc_zeroed(struct pages *pages, struct mem_account *account,
			 unsigned order)
{
	hpa_t hpa = pages_alloc(pages, account, order);

	if (!hpa)
		return NULL;
	return memset(phys_to_virt(hpa), 0, PAGE_SIZE << order);
}

void pages_free_virt(struct pages *pages, struct mem_account *account,
		     void *virt, unsigned order)
{
	pages_free(pages, account, virt_to_phys(virt), order);
}

int pages_move(struct pages *pages, struct mem_account *from,
	       struct mem_account *to, uint64_t count)
{
	uint64_t flags = spin_lock_irqsave(&pages->lock);
	int error = account_has_room(to, count) ? 0 : -ENOMEM;

	if (!error) {
		VERIFY(from->pages >= count);
		from->pages -= count;
		account_add(to, count);
	}
	spin_unlock_irqrestore(&pages->lock, flags);
	return error;
}
