/* SPDX-License-Identifier: BSD-2-Clause */
/* See space.h. */
#include "tests/unit/fake/space.h"

#include <string.h>

#include "include/errno.h"
#include "mm/phys.h"
#include "tests/unit/fake/sim.h"

/* ---- What CPUs remember ---------------------------------------------------
 */

#define TLB_SIZE 16

struct tlb {
	unsigned next;
	struct {
		uint64_t va;
		struct table_leaf leaf; /* size 0: empty */
	} entry[TLB_SIZE];
};

static struct tlb tlbs[SIM_CPUS_MAX];

static void cr3_written(uint64_t cr3)
{
	(void)cr3;
	memset(&tlbs[sim.current], 0, sizeof(tlbs[0]));
}

void space_setup(void)
{
	memset(tlbs, 0, sizeof(tlbs));
	for (unsigned i = 0; i < sim.cpu_count; i++)
		sim.cpu[i].registers.cr3_written = cr3_written;
	fake_x86.cr3_written = cr3_written;
}

static const struct table_leaf *remembered(const struct tlb *tlb, uint64_t va)
{
	for (unsigned i = 0; i < TLB_SIZE; i++)
		if (tlb->entry[i].leaf.size && tlb->entry[i].va == va)
			return &tlb->entry[i].leaf;
	return NULL;
}

static const struct table_leaf *
walk(struct tlb *tlb, const struct page_table *table, uint64_t va)
{
	unsigned at = tlb->next++ % TLB_SIZE;

	tlb->entry[at].va = va;
	if (table_query(table, va, &tlb->entry[at].leaf))
		return &tlb->entry[at].leaf;
	/* A hole, of which nothing is remembered. */
	tlb->entry[at].leaf.size = 0;
	return NULL;
}

hpa_t space_reach(const struct domain *domain, uint64_t va, bool is_write)
{
	struct tlb *tlb = &tlbs[sim.current];
	uint64_t page = ALIGN_DOWN(va, PAGE_SIZE);
	const struct table_leaf *leaf;

	SIM_CHECK(fake_x86.cr[3] == domain->space.table.root);
	leaf = remembered(tlb, page);
	if (!leaf)
		leaf = walk(tlb, &domain->space.table, page);
	return leaf && (!is_write || leaf->prot & MAP_WRITE) ? leaf->pa : 0;
}

uint8_t *space_touch(const struct domain *domain, uint64_t va, bool is_write)
{
	hpa_t page = space_reach(domain, va, is_write);

	if (!page)
		return NULL;
	SIM_CHECK(sim_page_is_allocated(page));
	return (uint8_t *)phys_to_virt(page) + va % PAGE_SIZE;
}

/* ---- As mm/map.c, without the monitor's half ------------------------------
 */

#define ENTRY_LARGE    BIT(7)
#define ENTRY_UNCACHED BIT(8)
#define ENTRY_TABLE    (MAP_READ | BIT(6))

static uint64_t entry_leaf(unsigned prot, enum map_type type, unsigned level)
{
	return prot | (level > 1 ? ENTRY_LARGE : 0) |
	       (type == MAP_UNCACHED ? ENTRY_UNCACHED : 0);
}

static unsigned entry_prot(uint64_t entry)
{
	return entry & (ENTRY_LARGE - 1);
}

static enum map_type entry_type(uint64_t entry, unsigned level)
{
	(void)level;
	return entry & ENTRY_UNCACHED ? MAP_UNCACHED : MAP_WRITE_BACK;
}

static const struct table_format space_format = {
	.leaf = entry_leaf,
	.prot = entry_prot,
	.type = entry_type,
	.table = ENTRY_TABLE,
	.present = MAP_READ,
	.large = ENTRY_LARGE,
	.owned = MAP_OWNED,
	.write_xor_execute = true,
};

int address_space_init(struct address_space *space, struct kernel_map *kernel,
		       struct mem_account *account)
{
	space->kernel = kernel;
	return table_init(&space->table, &space_format, kernel->table.pages,
			  account);
}

void address_space_fini(struct address_space *space)
{
	for (unsigned i = 0; i < sim.cpu_count; i++) {
		const struct fake_x86 *cpu =
			i == sim.current ? &fake_x86 : &sim.cpu[i].registers;

		SIM_CHECK(cpu->cr[3] != space->table.root);
	}
	SIM_CHECK(!table_is_mapped(&space->table, GATE_CHANNEL_VA(0),
				   GATE_CHANNEL_VA(GATE_CHANNELS_MAX) -
					   GATE_CHANNEL_VA(0)));
	table_fini(&space->table, TABLE_ENTRIES);
}

int address_space_map(struct address_space *space, uint64_t va, hpa_t hpa,
		      uint64_t length, unsigned prot)
{
	sim_point();
	if (va >= USER_END || length > USER_END - va)
		return -EINVAL;
	return table_map(&space->table, va, hpa, length,
			 (prot & ~MAP_DEVICE) | MAP_USER,
			 prot & MAP_DEVICE ? MAP_UNCACHED : MAP_WRITE_BACK);
}

void address_space_complete(struct address_space *space)
{
	(void)space;
}

int address_space_unmap(struct address_space *space, uint64_t va,
			uint64_t length)
{
	sim_point();
	return table_unmap(&space->table, va, length);
}
