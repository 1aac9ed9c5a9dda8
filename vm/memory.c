/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain's ring-3 half is made of: pages of its own, boot modules'
 * pages, and modules' pages of which it gets copies when it writes.
 *
 * A page of its own is marked so in the leaf (MAP_OWNED) and freed with the
 * domain; all others are borrowed.  A module's pages are borrowed by whoever
 * maps them and never written: the leaf of a copy-on-write mapping is read-only
 * and marked (MAP_COW) until the first write replaces it by a page of the
 * domain's own, charged to it.  Memory that is to be zero can be had the same
 * way: all of it is one page until it is written.  Each CPU that runs the
 * domain then drops what it remembers of the old one before anybody goes on.
 *
 * The monitor itself writes to ring 3's memory on behalf of calls; a call whose
 * address is in a copy-on-write mapping that was not written yet, or in memory
 * of a VM's that is not there (vm_memory.c), gets -EFAULT.
 */
#include "include/errno.h"
#include "kernel/host.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "vm/domain.h"
#include "vm/vm.h"

/* Without a look at what else waits: see sched_breathe(). */
#define PAGES_IN_A_ROW 4
#define SMALL_PIECE    KIB(128) /* in leaves of 4 KiB */

static int map_owned(struct domain *domain, uint64_t va, unsigned prot,
		     void *page)
{
	int error = address_space_map(&domain->space, va, virt_to_phys(page),
				      PAGE_SIZE, prot | MAP_OWNED);

	if (error)
		pages_free_virt(&domain->host->pages, &domain->account, page,
				0);
	return error;
}

static int map_page(struct domain *domain, uint64_t va, unsigned prot)
{
	void *page =
		pages_alloc_zeroed(&domain->host->pages, &domain->account, 0);

	return page ? map_owned(domain, va, prot, page) : -ENOMEM;
}

int domain_map_zero(struct domain *domain, uint64_t va, uint64_t size,
		    unsigned prot)
{
	for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
		int error = map_page(domain, va + done, prot);

		if (error)
			return error;
		if (done / PAGE_SIZE % PAGES_IN_A_ROW == PAGES_IN_A_ROW - 1)
			sched_breathe();
	}
	return 0;
}

int domain_map_borrowed(struct domain *domain, uint64_t va, hpa_t hpa,
			uint64_t size, unsigned prot)
{
	uint64_t piece;
	int error = 0;

	for (; !error && size; va += piece, size -= piece) {
		piece = PAGE_2M;
		if (!IS_ALIGNED(va | hpa, PAGE_2M) || size < PAGE_2M)
			piece = MIN(size, SMALL_PIECE - va % SMALL_PIECE);
		error = address_space_map(&domain->space, va, hpa, piece, prot);
		hpa += prot & MAP_SAME ? 0 : piece;
		sched_breathe();
	}
	return error;
}

/* Of the size bytes from base on, all pages, those that *map names. */
static int map_piece(struct domain *domain, const struct gate_domain_map *map,
		     hpa_t base, uint64_t size, unsigned prot)
{
	if (map->offset > size || map->size > size - map->offset)
		return -EINVAL;
	return domain_map_borrowed(domain, map->va, base + map->offset,
				   map->size, prot);
}

static int map_module(struct domain *domain, const struct gate_domain_map *map,
		      unsigned prot)
{
	const struct boot_modules *modules = &domain->host->modules;
	const struct boot_module *module;
	uint64_t index = map->module;

	if (index >= modules->count)
		return -ENOENT;
	module = &modules->module[index_nospec(index, BOOT_MODULES_MAX)];
	return map_piece(domain, map, module->base,
			 ALIGN_UP(module->length, PAGE_SIZE), prot);
}

static int map_screen(struct domain *domain, const struct gate_domain_map *map,
		      unsigned prot)
{
	const struct gate_screen *screen = &domain->host->screen;

	if (prot & MAP_EXEC)
		return -EINVAL;
	return map_piece(domain, map, ALIGN_DOWN(screen->address, PAGE_SIZE),
			 screen->size, prot | MAP_DEVICE);
}

static unsigned prot_of(uint32_t prot)
{
	return (prot & GATE_PROT_READ ? MAP_READ : 0) |
	       (prot & GATE_PROT_WRITE ? MAP_WRITE : 0) |
	       (prot & GATE_PROT_EXEC ? MAP_EXEC : 0);
}

#define GATE_PROT_ALL (GATE_PROT_READ | GATE_PROT_WRITE | GATE_PROT_EXEC)

/* Where init may put things: not over what the monitor has put there. */
static bool range_is_free(const struct gate_domain_map *map)
{
	static const struct {
		uint64_t start, end;
	} areas[] = {
		{ GATE_PROGRAM_BASE, GATE_PROGRAM_END },
		{ GATE_MODULE_VA, GATE_MODULE_END },
		{ GATE_ARGUMENT_VA, GATE_ARGUMENT_VA + GATE_ARGUMENT_MAX },
		{ GATE_FS_VA, GATE_FS_VA + PAGE_SIZE },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(areas); i++)
		if (map->va >= areas[i].start && map->va < areas[i].end &&
		    map->size <= areas[i].end - map->va)
			return true;
	return false;
}

static bool map_is_good(const struct gate_domain_map *map)
{
	return map->size &&
	       IS_ALIGNED(map->va | map->size | map->offset, PAGE_SIZE) &&
	       map->prot & GATE_PROT_READ &&
	       !(map->prot & ~(uint32_t)GATE_PROT_ALL) &&
	       !(map->prot & GATE_PROT_WRITE && map->prot & GATE_PROT_EXEC) &&
	       range_is_free(map);
}

int domain_map(struct domain *domain, const struct gate_domain_map *map)
{
	unsigned prot = prot_of(map->prot);

	if (!map_is_good(map))
		return -EINVAL;
	if (domain->state != GATE_DOMAIN_BUILDING)
		return -EBUSY;
	if (table_is_mapped(&domain->space.table, map->va, map->size))
		return -EEXIST;
	/* Tables to show it by pages, whatever it is aligned to. */
	if (map->kind == GATE_MEMORY_MODULE_SHOWN && domain->vm)
		domain->vm->nested_account.limit += map->size / PAGE_2M + 4;
	switch (map->kind) {
	case GATE_MEMORY_ZERO:
		return domain_map_zero(domain, map->va, map->size, prot);
	case GATE_MEMORY_MODULE:
	case GATE_MEMORY_MODULE_SHOWN:
		if (prot & MAP_WRITE)
			return -EINVAL;
		return map_module(domain, map, prot);
	case GATE_MEMORY_SCREEN:
		return map_screen(domain, map, prot);
	case GATE_MEMORY_MODULE_COW:
	case GATE_MEMORY_ZERO_COW:
		if (!(prot & MAP_WRITE))
			return -EINVAL;
		prot = MAP_READ | MAP_COW;
		return map->kind == GATE_MEMORY_ZERO_COW
			       ? domain_map_borrowed(domain, map->va,
						     vm_host()->zero_page,
						     map->size, prot | MAP_SAME)
			       : map_module(domain, map, prot);
	default:
		return -EINVAL;
	}
}

/* ---- Read and written ---------------------------------------------------- */

/* The monitor's address of what is at va, and how much of it in one piece. */
static void *piece_at(struct domain *domain, uint64_t va, bool is_write,
		      uint64_t *length)
{
	struct table_leaf leaf;

	if (va >= USER_END || !table_query(&domain->space.table, va, &leaf) ||
	    leaf.type != MAP_WRITE_BACK ||
	    (is_write && !(leaf.prot & MAP_OWNED)))
		return NULL;
	*length = PAGE_SIZE - va % PAGE_SIZE;
	return phys_to_virt(leaf.pa);
}

int domain_copy(struct domain *domain, uint64_t va, void *to, const void *from,
		uint64_t length)
{
	if (domain->state != (to ? GATE_DOMAIN_ENDED : GATE_DOMAIN_BUILDING))
		return -EBUSY;
	/* A VM's memory is nowhere in the monitor's map. */
	if (va + length > GATE_WINDOW_VA && va < GATE_MODULE_VA)
		return -EINVAL;
	for (uint64_t done = 0, n; done < length; done += n) {
		void *at = piece_at(domain, va + done, !to, &n);

		if (!at)
			return -EINVAL;
		n = MIN(n, length - done);
		memcpy(to ? (char *)to + done : at,
		       to ? at : (const char *)from + done, n);
	}
	return 0;
}

void space_lock(struct domain *domain)
{
	while (!spin_trylock(&domain->space_lock))
		sched_breathe();
}

void space_unlock(struct domain *domain)
{
	spin_unlock(&domain->space_lock);
}

/* ---- Copies on write ----------------------------------------------------- */

#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)

/* In one go, with interrupts off. */
#define COPIES_MAX 16

/* 0, also if another thread was first. */
static int page_copy(struct domain *domain, uint64_t va)
{
	struct table_leaf leaf;
	hpa_t page;

	if (!table_query(&domain->space.table, va, &leaf))
		return -EFAULT;
	if (leaf.prot & MAP_WRITE)
		return 0;
	if (!(leaf.prot & MAP_COW))
		return -EFAULT;
	page = pages_alloc(&domain->host->pages, &domain->account, 0);
	if (!page)
		return -ENOMEM;
	memcpy(phys_to_virt(page), phys_to_virt(leaf.pa), PAGE_SIZE);
	domain->copied_pages += leaf.pa != vm_host()->zero_page;
	return map_owned(domain, va, MAP_READ | MAP_WRITE, phys_to_virt(page));
}

/*
 * As many pages as there are copies right before va: who writes on and on
 * faults ever more rarely, and who writes here and there pays for no neighbour.
 */
static unsigned copies_wanted(struct domain *domain, uint64_t va)
{
	struct table_leaf leaf;
	unsigned count = 0;

	if (table_query(&domain->space.table, va, &leaf) &&
	    leaf.pa != vm_host()->zero_page)
		do
			va -= PAGE_SIZE;
		while (table_query(&domain->space.table, va, &leaf) &&
		       leaf.prot & MAP_OWNED && ++count < COPIES_MAX);
	return MAX(count, 1U);
}

/* Under space_lock.  Of the first page it is told whether it can be written. */
static int pages_copy(struct domain *domain, uint64_t va)
{
	unsigned count = copies_wanted(domain, va);
	int error = page_copy(domain, va);

	if (error)
		return error;
	while (--count && !page_copy(domain, va += PAGE_SIZE))
		;
	domain_sync(domain);
	return 0;
}

/* -EFAULT: it is no such fault.  Interrupts are off. */
static int fault_handle(struct user_thread *user, uint64_t va, uint64_t error)
{
	struct domain *domain = user->domain;
	uint64_t offset = va - GATE_WINDOW_VA;
	int status;

	if (!(error & PF_PRESENT))
		return user->vcpu && offset / PAGE_2M <
					       user->vcpu->vm->chunk_count
			       ? vm_populate(user, offset / PAGE_2M, NULL)
			       : -EFAULT;
	/* The tables map the monitor, too, and much of it may be written. */
	if (va >= USER_END || !(error & PF_WRITE))
		return -EFAULT;
	space_lock(domain);
	status = pages_copy(domain, ALIGN_DOWN(va, PAGE_SIZE));
	space_unlock(domain);
	/* This CPU's own, also of a page that another thread has copied. */
	cr3_write(cr3_read());
	return status;
}

bool domain_fault(struct user_thread *user, uint64_t va, uint64_t error)
{
	struct domain *domain = user->domain;
	int status;

	irq_disable();
	status = fault_handle(user, va, error);
	irq_enable();
	if (status != -ENOMEM)
		return !status;
	vlog_err(&domain->log,
		 "no memory for a page that it touches: %lu KiB of %lu taken",
		 domain->account.pages * 4, domain->account.limit * 4);
	domain_end(domain, GATE_END_MEMORY, va, user->id);
	user_thread_exit(user);
}

void domain_release_memory(struct domain *domain)
{
	for (uint64_t va = 0; va < USER_END;) {
		table_release_some(&domain->space.table, &va, USER_END);
		sched_breathe();
	}
}
