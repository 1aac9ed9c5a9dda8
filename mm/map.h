/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's address space and the machines'.
 *
 * The upper half is one and the same in all of them:
 *	PHYSMAP_BASE	all RAM but the kernel image and guests' RAM, RW NX
 *	VMAP_BASE	stacks between guard pages, device registers
 *	KERNEL_BASE	the kernel image: text RX, read-only data R, data RW, of
 *			start-up and of what stays
 * The lower half belongs to one machine (ring 3), or is empty.
 */
#ifndef BULKHEAD_MAP_H
#define BULKHEAD_MAP_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "mm/table.h"

/* Where ring 3 ends: the canonical lower half but for its last page. */
#define USER_END 0x00007ffffffff000ULL

#define MAP_STACK_PAGES 4 /* 16 KiB */

struct kernel_map {
	struct page_table table;
	struct spinlock lock;
	uint64_t vmap_next;
	struct map_stack *free_stacks;
	/*
	 * Makes every CPU drop its TLB entries for the upper half; local only
	 * while just one CPU runs.
	 */
	void (*flush_all)(void *ctx);
	void *flush_ctx;
	struct mem_account account; /* tables, stacks, threads */
	/*
	 * With page-table isolation the upper half that ring 3 runs on: what
	 * the processor and the entries need until CR3 is the monitor's.
	 * Complete before the first address space is made.  root 0: off.
	 */
	struct page_table entry;
};

/* The kernel image as the linker laid it out: page-aligned virtual bounds. */
struct map_image {
	uint64_t init_text, init_rodata, init_data; /* up to text */
	uint64_t text, rodata, data, end;
	uint64_t boot_stack_guard;
};

/* Builds the upper half without RAM; then map_add_ram(), map_activate(). */
int __must_check map_init(struct kernel_map *map, struct pages *pages,
			  const struct map_image *image);
/* Puts RAM into the physmap.  2 MiB leaves where it fits. */
int __must_check map_add_ram(struct kernel_map *map, hpa_t base,
			     uint64_t length);
/* Loads CR3 with the monitor's own tables (lower half empty). */
void map_activate(const struct kernel_map *map);

/*
 * Gives a part of the image, whole pages that no CPU uses any more, back:
 * unmapped where it was on all CPUs, scrubbed, in the physmap and free.
 * -ENOMEM: lacking a table, it is unmapped at most.
 */
int __must_check map_image_release(struct kernel_map *map, uint64_t va,
				   uint64_t length);

/* Whether the loaded tables map va: for whoever must not fault. */
bool map_is_mapped(uint64_t va);

/* Device registers, uncached; NULL when out of memory. */
void *__must_check map_device(struct kernel_map *map, hpa_t hpa,
			      uint64_t length);

/*
 * A stack of MAP_STACK_PAGES with a guard page below and above: its top,
 * or NULL.  Freed stacks are kept for the next.
 */
void *__must_check map_stack_alloc(struct kernel_map *map);
void map_stack_free(struct kernel_map *map, void *top);

/* Of guest RAM that is filled in one go, with interrupts off. */
#define MAP_GUEST_PIECE KIB(16)
typedef int (*map_fill_fn)(void *ctx, void *to, uint64_t offset);

/*
 * Guest RAM: 2 MiB, at wanted if that is free, and gone from the physmap.  Call
 * map_guest_flush() after the last one and before a guest may run.  fill(): of
 * MAP_GUEST_PIECE bytes, so far from the beginning, all are written; else
 * -errno.  0 then, and when out of memory.
 */
hpa_t __must_check map_guest_alloc_2m(struct kernel_map *map,
				      struct mem_account *account, hpa_t wanted,
				      map_fill_fn fill, void *ctx);
/* Back into the physmap, as the guest left it, and free. */
void map_guest_free_2m(struct kernel_map *map, struct mem_account *account,
		       hpa_t hpa);
void map_guest_flush(struct kernel_map *map);

/* Page-table isolation from now on: an empty entry half.  -ENOMEM. */
int __must_check map_isolate(struct kernel_map *map);
/* Shows what is mapped at [va, va + length) in the entry half, too. */
int __must_check map_entry_add(struct kernel_map *map, const void *va,
			       uint64_t length, unsigned prot);

/* ---- Machines' address spaces ------------------------------------------ */

struct address_space {
	struct page_table table;
	/* With page-table isolation: ring 3's, the same lower half, the entry
	 * half above.  Else 0. */
	hpa_t user_root;
	struct kernel_map *kernel;
};

/*
 * space->table.root is a CR3 value with both halves: what ring 0 and ring 3 run
 * on, or with isolation what ring 0 copies from and to ring 3's memory on.
 * -ENOMEM.
 */
int __must_check address_space_init(struct address_space *space,
				    struct kernel_map *kernel,
				    struct mem_account *account);
/* Frees the tables, not what they mapped; must not be loaded anywhere. */
void address_space_fini(struct address_space *space);

/*
 * MAP_USER is implied.  -EINVAL: not page-aligned, not in the lower half,
 * writable and executable; -ENOMEM.
 */
int __must_check address_space_map(struct address_space *space, uint64_t va,
				   hpa_t hpa, uint64_t length, unsigned prot);
/* Ring 3 may run: with isolation its root gets all that was mapped. */
void address_space_complete(struct address_space *space);
/* The caller flushes where the space is loaded (reload CR3, tlb_flush_page). */
int __must_check address_space_unmap(struct address_space *space, uint64_t va,
				     uint64_t length);

#endif
