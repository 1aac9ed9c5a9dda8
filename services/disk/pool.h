/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages that overlays take: a region that is there from the start, of which
 * no page is touched before it is taken.  What was given back goes first.
 */
#ifndef BULKHEAD_SERVICES_DISK_POOL_H
#define BULKHEAD_SERVICES_DISK_POOL_H

#include "include/compiler.h"

struct pool_page {
	struct pool_page *next;
};

struct pool {
	uint8_t *base;
	uint64_t page_count;
	uint64_t taken; /* of those that never were before: up to page_count */
	struct pool_page *given; /* back */
};

/* base: aligned to a page. */
static inline void pool_init(struct pool *pool, void *base, uint64_t page_count)
{
	*pool = (struct pool){ .base = base, .page_count = page_count };
}

/* Any contents; NULL: none is left. */
static inline void *pool_take(struct pool *pool)
{
	struct pool_page *page = pool->given;

	if (page)
		pool->given = page->next;
	else if (pool->taken < pool->page_count)
		page = (void *)(pool->base + pool->taken++ * PAGE_SIZE);
	return page;
}

static inline void pool_give(struct pool *pool, void *at)
{
	struct pool_page *page = at;

	page->next = pool->given;
	pool->given = page;
}

#endif
