/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's physical pages: naturally aligned runs of 1 to 512 pages (4 KiB
 * to 2 MiB), each charged to an account.
 */
#ifndef BULKHEAD_PAGES_H
#define BULKHEAD_PAGES_H

#include "include/compiler.h"
#include "include/spinlock.h"

#define PAGES_ORDER_MAX 9 /* 2 MiB */
#define PAGES_PER_BLOCK 512
#define PAGES_NO_BLOCK	UINT32_MAX
#define PAGES_MAP_WORDS (PAGES_PER_BLOCK / 64)

/* Who the pages belong to, for the figures printed per VM. */
struct mem_account {
	const char *name;
	uint64_t pages;
	uint64_t peak;
	uint64_t limit; /* pages may not exceed it; 0: no limit */
};

/* Two MiB of physical address space; a set bit is a free page. */
struct page_block {
	uint64_t free[PAGES_MAP_WORDS];
	uint32_t free_count;
	uint32_t next; /* of the list that free_count puts it on */
	uint32_t prev;
};

struct pages {
	struct spinlock lock;
	struct page_block *block;
	uint32_t block_count;
	uint32_t partial; /* first block with some pages free */
	uint32_t whole;	  /* first block with all pages free */
	uint64_t total;	  /* pages ever added */
	uint64_t free;
};

/* The smallest order whose run holds that many bytes. */
static inline unsigned pages_order(uint64_t bytes)
{
	unsigned order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

/* Bytes of struct page_block needed for RAM that ends at top. */
uint64_t pages_metadata_size(hpa_t top);

/* metadata: pages_metadata_size(top) bytes that stay valid. */
void pages_init(struct pages *pages, void *metadata, hpa_t top);

/*
 * Gives [base, base + length) to the allocator, shrunk to whole pages.  The
 * range must be RAM below top, mapped in the physmap, and not be there yet.
 */
void pages_add(struct pages *pages, hpa_t base, uint64_t length);

/*
 * 2^order pages aligned to their size, contents undefined; 0 when the host or
 * the account has no more.
 */
hpa_t __must_check pages_alloc(struct pages *pages, struct mem_account *account,
			       unsigned order);
void pages_free(struct pages *pages, struct mem_account *account, hpa_t hpa,
		unsigned order);

/* 2 MiB: those at wanted if nobody has them, else, or if it is 0, any. */
hpa_t __must_check pages_alloc_2m(struct pages *pages,
				  struct mem_account *account, hpa_t wanted);

/*
 * Whether nobody has any page of [hpa, hpa + length), multiples of 2 MiB; false
 * beyond the end of RAM.  A hint: the next moment it may be otherwise.
 */
bool pages_are_free(const struct pages *pages, hpa_t hpa, uint64_t length);

/* The same, zeroed and as an address in the physmap; NULL when out. */
void *__must_check pages_alloc_zeroed(struct pages *pages,
				      struct mem_account *account,
				      unsigned order);
void pages_free_virt(struct pages *pages, struct mem_account *account,
		     void *virt, unsigned order);

/* Allocated pages become another account's.  -ENOMEM: it has no room. */
int __must_check pages_move(struct pages *pages, struct mem_account *from,
			    struct mem_account *to, uint64_t count);

#endif
