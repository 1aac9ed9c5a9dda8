/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's own page tables and the machines' address spaces.
 *
 * One root exists per machine and one for the monitor alone.  All upper-half
 * root entries that will ever be used are made at boot, so that a new space
 * just copies them and later changes below them are seen everywhere.
 *
 * No entry is global and no PCID is used: loading CR3 drops all that a CPU
 * remembers, and CR3 changes only when another machine's thread comes in.
 *
 * Not here: swapping, 1 GiB leaves, spaces of more than one thread at a time
 * that unmap (the caller must make other CPUs flush).
 */
#include "mm/map.h"

#include "include/errno.h"
#include "include/panic.h"
#include "include/x86.h"
#include "lib/string.h"
#include "mm/phys.h"

#define PTE_P	  BIT(0)
#define PTE_RW	  BIT(1)
#define PTE_US	  BIT(2)
#define PTE_PWT	  BIT(3)
#define PTE_PCD	  BIT(4)
#define PTE_A	  BIT(5)
#define PTE_D	  BIT(6)
#define PTE_PS	  BIT(7)
#define PTE_OWNED BIT(9) /* ignored by the processor, as the next */
#define PTE_COW	  BIT(10)
#define PTE_NX	  BIT(63)

#define ROOT_UPPER_HALF 256

/* Kept in the lowest page of a stack nobody uses. */
struct map_stack {
	struct map_stack *next;
	void *top;
};

static uint64_t host_leaf(unsigned prot, enum map_type type, unsigned level)
{
	uint64_t entry = PTE_P | PTE_A | PTE_D;

	if (prot & MAP_WRITE)
		entry |= PTE_RW;
	if (prot & MAP_USER)
		entry |= PTE_US;
	if (!(prot & MAP_EXEC))
		entry |= PTE_NX;
	if (type == MAP_UNCACHED)
		entry |= PTE_PCD | PTE_PWT;
	if (level > 1)
		entry |= PTE_PS;
	if (prot & MAP_OWNED)
		entry |= PTE_OWNED;
	if (prot & MAP_COW)
		entry |= PTE_COW;
	return entry;
}

static unsigned host_prot(uint64_t entry)
{
	return MAP_READ | (entry & PTE_RW ? MAP_WRITE : 0) |
	       (entry & PTE_US ? MAP_USER : 0) |
	       (entry & PTE_NX ? 0 : MAP_EXEC) |
	       (entry & PTE_OWNED ? MAP_OWNED : 0) |
	       (entry & PTE_COW ? MAP_COW : 0);
}

static enum map_type host_type(uint64_t entry, unsigned level)
{
	(void)level;
	return entry & PTE_PCD ? MAP_UNCACHED : MAP_WRITE_BACK;
}

static const struct table_format host_format = {
	.leaf = host_leaf,
	.prot = host_prot,
	.type = host_type,
	.table = PTE_P | PTE_RW | PTE_US | PTE_A,
	.present = PTE_P,
	.large = PTE_PS,
	.owned = PTE_OWNED,
	.write_xor_execute = true,
};

static int map_image_part(struct kernel_map *map, uint64_t from, uint64_t to,
			  unsigned prot)
{
	return table_map(&map->table, from, from - KERNEL_BASE,
			 ALIGN_UP(to, PAGE_SIZE) - from, prot, MAP_WRITE_BACK);
}

static int map_kernel_image(struct kernel_map *map,
			    const struct map_image *image)
{
	const struct {
		uint64_t from, to;
		unsigned prot;
	} parts[] = {
		{ image->init_text, image->init_rodata, MAP_READ | MAP_EXEC },
		{ image->init_rodata, image->init_data, MAP_READ },
		{ image->init_data, image->text, MAP_READ | MAP_WRITE },
		{ image->text, image->rodata, MAP_READ | MAP_EXEC },
		{ image->rodata, image->data, MAP_READ },
		{ image->data, image->end, MAP_READ | MAP_WRITE },
	};
	int error = 0;

	for (unsigned i = 0; !error && i < ARRAY_SIZE(parts); i++)
		error = map_image_part(map, parts[i].from, parts[i].to,
				       parts[i].prot);
	if (!error)
		error = table_unmap(&map->table, image->boot_stack_guard,
				    PAGE_SIZE);
	return error;
}

/* Makes the root entries of an area of up to 512 GiB by touching it. */
static int map_reserve_root(struct kernel_map *map, uint64_t va)
{
	int error = table_map(&map->table, va, 0, PAGE_SIZE, MAP_READ,
			      MAP_WRITE_BACK);

	return error ? error : table_unmap(&map->table, va, PAGE_SIZE);
}

int map_init(struct kernel_map *map, struct pages *pages,
	     const struct map_image *image)
{
	int error;

	memset(map, 0, sizeof(*map));
	map->account.name = "monitor tables and stacks";
	map->vmap_next = VMAP_BASE;
	error = table_init(&map->table, &host_format, pages, &map->account);
	if (!error)
		error = map_reserve_root(map, PHYSMAP_BASE);
	if (!error)
		error = map_reserve_root(map, VMAP_BASE);
	if (!error)
		error = map_kernel_image(map, image);
	return error;
}

int map_add_ram(struct kernel_map *map, hpa_t base, uint64_t length)
{
	hpa_t start = ALIGN_UP(base, PAGE_SIZE);
	hpa_t end = ALIGN_DOWN(base + length, PAGE_SIZE);

	if (start >= end)
		return 0;
	if (end > PHYSMAP_SIZE)
		return -ERANGE;
	return table_map(&map->table, PHYSMAP_BASE + start, start, end - start,
			 MAP_READ | MAP_WRITE, MAP_WRITE_BACK);
}

void map_activate(const struct kernel_map *map)
{
	cr3_write(map->table.root);
}

int map_image_release(struct kernel_map *map, uint64_t va, uint64_t length)
{
	hpa_t hpa = va - KERNEL_BASE;
	uint64_t flags = spin_lock_irqsave(&map->lock);
	int error = table_unmap(&map->table, va, length);

	if (!error)
		error = map_add_ram(map, hpa, length);
	spin_unlock_irqrestore(&map->lock, flags);
	map_guest_flush(map);
	if (error)
		return error;
	memset(phys_to_virt(hpa), 0, length);
	pages_add(map->table.pages, hpa, length);
	return 0;
}

bool map_is_mapped(uint64_t va)
{
	struct page_table loaded = {
		.format = &host_format,
		.root = cr3_read() & MASK(51, 12),
	};
	struct table_leaf leaf;

	return table_query(&loaded, va, &leaf);
}

/* Address space for length bytes and a hole of a page behind them. */
static uint64_t vmap_reserve(struct kernel_map *map, uint64_t length)
{
	uint64_t va = map->vmap_next;

	if (length > VMAP_BASE + VMAP_SIZE - PAGE_SIZE - va)
		return 0;
	map->vmap_next += length + PAGE_SIZE;
	return va;
}

void *map_device(struct kernel_map *map, hpa_t hpa, uint64_t length)
{
	hpa_t start = ALIGN_DOWN(hpa, PAGE_SIZE);
	uint64_t size = ALIGN_UP(hpa + length, PAGE_SIZE) - start;
	uint64_t flags = spin_lock_irqsave(&map->lock);
	uint64_t va = vmap_reserve(map, size);

	if (va && table_map(&map->table, va, start, size, MAP_READ | MAP_WRITE,
			    MAP_UNCACHED))
		va = 0;
	spin_unlock_irqrestore(&map->lock, flags);
	return va ? (void *)(va + (hpa - start)) : NULL;
}

static void *stack_new(struct kernel_map *map)
{
	uint64_t size = MAP_STACK_PAGES * PAGE_SIZE;
	uint64_t va = vmap_reserve(map, size);
	unsigned i;

	if (!va)
		return NULL;
	for (i = 0; i < MAP_STACK_PAGES; i++) {
		hpa_t page = pages_alloc(map->table.pages, &map->account, 0);

		if (!page ||
		    table_map(&map->table, va + i * PAGE_SIZE, page, PAGE_SIZE,
			      MAP_READ | MAP_WRITE, MAP_WRITE_BACK))
			return NULL; /* what was mapped stays: never reused */
	}
	return (void *)(va + size);
}

void *map_stack_alloc(struct kernel_map *map)
{
	uint64_t flags = spin_lock_irqsave(&map->lock);
	struct map_stack *stack = map->free_stacks;
	void *top;

	if (stack) {
		map->free_stacks = stack->next;
		top = stack->top;
	} else {
		top = stack_new(map);
	}
	spin_unlock_irqrestore(&map->lock, flags);
	return top;
}

void map_stack_free(struct kernel_map *map, void *top)
{
	struct map_stack *stack =
		(void *)((char *)top - MAP_STACK_PAGES * PAGE_SIZE);
	uint64_t flags = spin_lock_irqsave(&map->lock);

	stack->top = top;
	stack->next = map->free_stacks;
	map->free_stacks = stack;
	spin_unlock_irqrestore(&map->lock, flags);
}

hpa_t map_guest_alloc_2m(struct kernel_map *map, struct mem_account *account,
			 hpa_t wanted, map_fill_fn fill, void *ctx)
{
	hpa_t hpa = pages_alloc_2m(map->table.pages, account, wanted);
	uint64_t flags, done;
	int error = 0;

	if (!hpa)
		return 0;
	for (done = 0; !error && done < PAGE_2M; done += MAP_GUEST_PIECE)
		error = fill(ctx, phys_to_virt(hpa + done), done);
	flags = spin_lock_irqsave(&map->lock);
	if (!error)
		error = table_unmap(&map->table, PHYSMAP_BASE + hpa, PAGE_2M);
	spin_unlock_irqrestore(&map->lock, flags);
	if (!error)
		return hpa;
	pages_free(map->table.pages, account, hpa, PAGES_ORDER_MAX);
	return 0;
}

void map_guest_free_2m(struct kernel_map *map, struct mem_account *account,
		       hpa_t hpa)
{
	uint64_t flags = spin_lock_irqsave(&map->lock);

	/* Its tables are all there still: this cannot run out of memory. */
	VERIFY(map_add_ram(map, hpa, PAGE_2M) == 0);
	spin_unlock_irqrestore(&map->lock, flags);
	pages_free(map->table.pages, account, hpa, PAGES_ORDER_MAX);
}

void map_guest_flush(struct kernel_map *map)
{
	if (map->flush_all)
		map->flush_all(map->flush_ctx);
	cr3_write(cr3_read());
}

/* ---- Page-table isolation ---------------------------------------------- */

int map_isolate(struct kernel_map *map)
{
	return table_init(&map->entry, &host_format, map->table.pages,
			  &map->account);
}

int map_entry_add(struct kernel_map *map, const void *va, uint64_t length,
		  unsigned prot)
{
	uint64_t at = ALIGN_DOWN((uint64_t)va, PAGE_SIZE);
	uint64_t end = ALIGN_UP((uint64_t)va + length, PAGE_SIZE);
	int error = 0;

	for (; !error && at < end; at += PAGE_SIZE) {
		struct table_leaf leaf;

		VERIFY(table_query(&map->table, at, &leaf));
		error = table_map(&map->entry, at, leaf.pa, PAGE_SIZE, prot,
				  MAP_WRITE_BACK);
	}
	return error;
}

static void root_copy(hpa_t to, hpa_t from, unsigned first, unsigned end)
{
	uint64_t *entries = phys_to_virt(to);

	memcpy(entries + first, (uint64_t *)phys_to_virt(from) + first,
	       (end - first) * sizeof(*entries));
}

static int user_root_make(struct address_space *space)
{
	struct page_table *entry = &space->kernel->entry;
	void *root;

	if (!entry->root)
		return 0;
	root = pages_alloc_zeroed(entry->pages, space->table.account, 0);
	if (!root)
		return -ENOMEM;
	space->user_root = virt_to_phys(root);
	root_copy(space->user_root, entry->root, ROOT_UPPER_HALF,
		  TABLE_ENTRIES);
	return 0;
}

/* Tables below the roots are shared: what comes later is seen in both. */
void address_space_complete(struct address_space *space)
{
	if (space->user_root)
		root_copy(space->user_root, space->table.root, 0,
			  ROOT_UPPER_HALF);
}

int address_space_init(struct address_space *space, struct kernel_map *kernel,
		       struct mem_account *account)
{
	int error;

	space->kernel = kernel;
	error = table_init(&space->table, &host_format, kernel->table.pages,
			   account);
	if (error)
		return error;
	root_copy(space->table.root, kernel->table.root, ROOT_UPPER_HALF,
		  TABLE_ENTRIES);
	return user_root_make(space);
}

void address_space_fini(struct address_space *space)
{
	if (space->user_root)
		pages_free(space->table.pages, space->table.account,
			   space->user_root, 0);
	space->user_root = 0;
	table_fini(&space->table, ROOT_UPPER_HALF);
}

static bool range_is_user(uint64_t va, uint64_t length)
{
	return va < USER_END && length <= USER_END - va;
}

int address_space_map(struct address_space *space, uint64_t va, hpa_t hpa,
		      uint64_t length, unsigned prot)
{
	if (!range_is_user(va, length))
		return -EINVAL;
	return table_map(&space->table, va, hpa, length, prot | MAP_USER,
			 prot & MAP_DEVICE ? MAP_UNCACHED : MAP_WRITE_BACK);
}

int address_space_unmap(struct address_space *space, uint64_t va,
			uint64_t length)
{
	if (!range_is_user(va, length))
		return -EINVAL;
	return table_unmap(&space->table, va, length);
}
