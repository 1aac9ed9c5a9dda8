/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's memory: pieces of 2 MiB.  A piece is there from the start, or once the
 * machine touches it in its window (GATE_DOMAIN_LAZY), or says what to put
 * there (GATE_FILL); and the machine may give it back, after which it is as one
 * that was never there.
 *
 *	absent --touch, fill--> busy --written, in the window--> there
 *	  ^                                                        |
 *	  '-------no CPU knows it, freed------- busy <--release----'
 *
 * Its word says all of that, and where the guest sees it: only a piece that is
 * mapped nowhere but in one naturally aligned 2 MiB of guest-physical addresses
 * can be given back, for then that is where to take it out.  Who finds it busy
 * waits; whoever made it so goes on while its domain is stopped, or leaves it
 * busy, with its address if it has one, to vm_memory_fini().
 *
 * Whole GiB that are there from the start may be one leaf of the nested tables;
 * what is given back of one splits it first.
 *
 * Words are changed atomically: from `there` with space_lock, for the window's
 * leaf, and the place with domain_lock(), which also keeps a release and
 * GATE_MAP apart.
 */
#include "include/errno.h"
#include "include/log.h"
#include "include/panic.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "vm/vm.h"

/* 512 GiB: an array of words that one run of pages holds. */
#define CHUNKS_MAX (PAGE_2M / sizeof(uint64_t))

#define CHUNK_PLACE MASK(20, 0) /* 1 + number of the 2 MiB; 0: never mapped */
#define PLACE_MANY  CHUNK_PLACE
#define CHUNK_HPA   MASK(51, 21)
#define CHUNK_BUSY  BIT(63)

static uint64_t word_of(const struct vm *vm, uint64_t index)
{
	return __atomic_load_n(&vm->chunk[index_nospec(index, vm->chunk_count)],
			       __ATOMIC_SEQ_CST);
}

/* False: it is another by now. */
static bool word_change(struct vm *vm, uint64_t index, uint64_t from,
			uint64_t to)
{
	return __atomic_compare_exchange_n(&vm->chunk[index], &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

hpa_t vm_chunk(const struct vm *vm, uint64_t index)
{
	uint64_t word = word_of(vm, index);

	return word & CHUNK_BUSY ? 0 : word & CHUNK_HPA;
}

void vm_chunk_placed(struct vm *vm, uint64_t index, gpa_t gpa)
{
	uint64_t place = gpa / PAGE_2M + 1;
	uint64_t old = word_of(vm, index) & CHUNK_PLACE;

	if (!IS_ALIGNED(gpa, PAGE_2M) || place > PLACE_MANY ||
	    (old && old != place))
		place = PLACE_MANY;
	__atomic_fetch_or(&vm->chunk[index], place, __ATOMIC_SEQ_CST);
}

static int content_put(void *ctx, void *to, uint64_t at)
{
	struct vm_content *content = ctx;
	uint64_t from = MAX(content->from, at);
	uint64_t end = MIN(content->end, at + MAP_GUEST_PIECE);

	if (from != at || end != at + MAP_GUEST_PIECE)
		memset(to, 0, MAP_GUEST_PIECE);
	if (from < end)
		content->error = copy_from_user(
			(char *)to + (from - at),
			(void *)(content->va + (from - content->from)),
			end - from);
	sched_breathe();
	return content->error;
}

/* ---- Where it is taken from ---------------------------------------------- */

static bool is_near(const struct vm *vm, hpa_t hpa, uint64_t size)
{
	const struct acpi_info *acpi = &vm->domain->host->acpi;

	for (unsigned i = 0; vm->has_node && i < acpi->memory_count; i++)
		if (acpi->memory[i].node == vm->node &&
		    acpi->memory[i].base <= hpa &&
		    hpa + size <= acpi->memory[i].end)
			return true;
	return !vm->has_node;
}

/* From there on, the first aligned run that nobody has any of, near the VM's
 * CPUs if these have a node; 0: none.  Others may take of it meanwhile. */
static hpa_t free_find(const struct vm *vm, hpa_t at, uint64_t size)
{
	const struct pages *pages = vm->vendor.pages;

	for (; at < pages->block_count * PAGE_2M; at += size) {
		if (is_near(vm, at, size) && pages_are_free(pages, at, size))
			return at;
		sched_breathe();
	}
	return 0;
}

/* For one piece; 0: anywhere. */
static hpa_t near_find(struct vm *vm)
{
	hpa_t found = vm->has_node ? free_find(vm, vm->near, PAGE_2M) : 0;

	vm->near = found ? found : PAGE_2M;
	return found;
}

/* Whether all CPUs that its vCPUs may run on are of one node. */
static void node_find(struct vm *vm)
{
	const struct gate_domain_spec *spec = &vm->domain->spec;
	const struct host *host = vm->domain->host;
	uint64_t cpus = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < spec->thread_count; i++)
		cpus |= spec->cpus[i] ? spec->cpus[i] : UINT64_MAX;
	vm->near = PAGE_2M;
	vm->has_node = host->acpi.memory_count;
	for (unsigned i = 0; i < host->cpu_count; i++) {
		if (!(cpus & BIT(i)))
			continue;
		if (count++ && host->cpu[i]->node != vm->node)
			vm->has_node = false;
		vm->node = host->cpu[i]->node;
	}
}

/* ---- Made ---------------------------------------------------------------- */

/* The caller has made it busy.  An error: it is absent again. */
static int chunk_fill(struct vm *vm, uint64_t index, hpa_t wanted,
		      struct vm_content *content)
{
	struct domain *domain = vm->domain;
	struct kernel_map *map = &domain->host->map;
	uint64_t place = word_of(vm, index) & CHUNK_PLACE;
	struct vm_content nothing = { 0 }, *put = content ? content : &nothing;
	hpa_t hpa = map_guest_alloc_2m(map, &vm->ram_account,
				       wanted ? wanted : near_find(vm),
				       content_put, put);
	int error = put->error ? put->error : -ENOMEM;

	if (hpa) {
		if (domain->state != GATE_DOMAIN_BUILDING)
			map_guest_flush(map);
		space_lock(domain);
		error = address_space_map(&domain->space,
					  GATE_WINDOW_VA + index * PAGE_2M, hpa,
					  PAGE_2M, MAP_READ | MAP_WRITE);
		space_unlock(domain);
	}
	if (hpa && error)
		map_guest_free_2m(map, &vm->ram_account, hpa);
	__atomic_store_n(&vm->chunk[index], error ? place : place | hpa,
			 __ATOMIC_SEQ_CST);
	return error;
}

int vm_populate(struct user_thread *user, uint64_t index,
		struct vm_content *content)
{
	struct vm *vm = user->vcpu->vm;

	for (;;) {
		uint64_t word = word_of(vm, index);

		if (word & CHUNK_BUSY)
			user_breathe(user);
		else if (word & CHUNK_HPA)
			return content ? -EEXIST : 0;
		else if (word_change(vm, index, word, word | CHUNK_BUSY))
			return chunk_fill(vm, index, 0, content);
	}
}

/* ---- Given back ---------------------------------------------------------- */

bool vm_chunk_withdraw(struct vm *vm, uint64_t index, gpa_t *gpa)
{
	uint64_t word = word_of(vm, index), place = word & CHUNK_PLACE;

	if (vm->is_pinned || word & CHUNK_BUSY || !(word & CHUNK_HPA) ||
	    place == PLACE_MANY ||
	    (place && table_split(&vm->nested, (place - 1) * PAGE_2M)) ||
	    !word_change(vm, index, word, word | CHUNK_BUSY))
		return false;
	/* It is a leaf by itself. */
	VERIFY(!address_space_unmap(&vm->domain->space,
				    GATE_WINDOW_VA + index * PAGE_2M, PAGE_2M));
	*gpa = place ? (place - 1) * PAGE_2M : UINT64_MAX;
	return true;
}

void vm_chunk_free(struct vm *vm, uint64_t index)
{
	uint64_t word = word_of(vm, index);

	map_guest_free_2m(&vm->domain->host->map, &vm->ram_account,
			  word & CHUNK_HPA);
	__atomic_store_n(&vm->chunk[index], word & CHUNK_PLACE,
			 __ATOMIC_SEQ_CST);
}

void vm_pin(struct vm *vm)
{
	space_lock(vm->domain);
	vm->is_pinned = true;
	space_unlock(vm->domain);
}

/* ---- Life ---------------------------------------------------------------- */

static unsigned chunk_order(uint64_t count)
{
	return pages_order(count * sizeof(uint64_t));
}

static void log_near(const struct vm *vm)
{
	uint64_t near = 0, all = 0;

	for (uint64_t i = 0; vm->has_node && i < vm->chunk_count; i++) {
		hpa_t hpa = vm_chunk(vm, i);

		all += hpa ? 2 : 0;
		near += hpa && is_near(vm, hpa, PAGE_2M) ? 2 : 0;
		sched_breathe();
	}
	if (vm->has_node)
		log_dbg("VM of guest %s: %lu of %lu MiB are on node %u",
			vm->domain->spec.name, near, all, vm->node);
}

int vm_memory_init(struct vm *vm)
{
	const struct gate_domain_spec *spec = &vm->domain->spec;
	uint64_t count = spec->vm_memory / PAGE_2M;
	/* The window's tables begin where all can share them. */
	uint64_t now = spec->flags & GATE_DOMAIN_LAZY ? 1 : count;
	hpa_t gib = 0;
	int error = 0;

	if (count > CHUNKS_MAX)
		return -ENOMEM;
	vm->chunk = pages_alloc_zeroed(vm->vendor.pages, vm->vendor.account,
				       chunk_order(count));
	if (!vm->chunk)
		return -ENOMEM;
	vm->chunk_count = (uint32_t)count;
	node_find(vm);
	/* A GiB of the host's that nobody has any of can be one leaf. */
	for (uint64_t i = 0; !error && i < now; i++) {
		uint64_t at = i * PAGE_2M % PAGE_1G;

		if (!at)
			gib = (now - i) * PAGE_2M < PAGE_1G
				      ? 0
				      : free_find(vm, PAGE_1G, PAGE_1G);
		error = chunk_fill(vm, i, gib ? gib + at : 0, NULL);
	}
	map_guest_flush(&vm->domain->host->map);
	log_near(vm);
	return error;
}

void vm_memory_fini(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->chunk_count; i++) {
		if (word_of(vm, i) & CHUNK_HPA)
			vm_chunk_free(vm, i);
		sched_breathe();
	}
	if (vm->chunk)
		pages_free_virt(vm->vendor.pages, vm->vendor.account, vm->chunk,
				chunk_order(vm->chunk_count));
}
