/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table isolation: ring 3 runs on page tables that have of the monitor
 * only what its entries need, and the monitor on tables without ring 3's half,
 * but for the moment of a user copy.  On where struct speculation says so: the
 * processor reads ahead through the U bit (Meltdown), or has no SMAP, so that
 * this bit alone would stand between ring 0 and a guest's memory.
 *
 * Three roots a VM: ring 3's half with the entry half (ring 3 runs on it), ring
 * 3's half with the monitor's (user copies), and the monitor's own without ring
 * 3's half, which all VMs share.  kernel/entry.asm and vm/gate_entry.asm switch
 * between the first and the last.
 *
 * The entry half: the code of these two files, the IDT, and of each CPU its
 * struct (GDT, TSS, the roots, a stack for one frame) and the stacks of its
 * IST. There is nothing in it that ring 3 could not guess.
 *
 * No PCID is used: each switch costs the TLB.
 */
#include "boot/boot.h"

#include "kernel/host.h"
#include "kernel/trap.h"
#include "mm/map.h"

extern const char image_entry[], image_entry_end[];

static int cpu_show(struct kernel_map *map, const struct cpu *cpu)
{
	const uint64_t size = MAP_STACK_PAGES * PAGE_SIZE;
	int error = map_entry_add(map, cpu, sizeof(*cpu), MAP_READ | MAP_WRITE);

	for (unsigned i = 0; !error && i < TRAP_STACKS; i++)
		error = map_entry_add(map, (char *)cpu->tss.ist[i] - size, size,
				      MAP_READ | MAP_WRITE);
	return error;
}

int isolation_init(struct host *host)
{
	struct kernel_map *map = &host->map;
	int error;

	if (!host->speculation.page_tables)
		return 0;
	error = map_isolate(map);
	if (!error)
		error = map_entry_add(map, image_entry,
				      (uint64_t)image_entry_end -
					      (uint64_t)image_entry,
				      MAP_READ | MAP_EXEC);
	if (!error)
		error = map_entry_add(map, trap_idt, PAGE_SIZE, MAP_READ);
	for (unsigned i = 0; !error && i < host->cpu_count; i++)
		error = cpu_show(map, host->cpu[i]);
	return error;
}
