/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's images in persistent memory: machine/virtio_pmems.h. */
#include "machine/virtio_pmems.h"

#include "include/errno.h"

/* Nothing else is in the same entry of a guest's larger tables. */
#define PLACE GIB(1)

static uint64_t size_of(const struct machine_disk_config *disk)
{
	return disk->sector_count * BLOCK_SECTOR;
}

/* Where the next one is, of those behind end. */
static gpa_t place(gpa_t end)
{
	return ALIGN_UP(end, PLACE);
}

gpa_t virtio_pmems_end(const struct machine_config *machine, gpa_t ram_end)
{
	gpa_t end = ram_end;

	for (unsigned i = 0; i < machine->disk_count; i++)
		if (machine->disk[i].bus == MACHINE_DISK_PMEM)
			end = place(end) + size_of(&machine->disk[i]);
	return end;
}

static int pmem_add(struct virtio_pmems *pmems,
		    const struct virtio_wiring *wiring,
		    const struct machine_disk_config *disk, gpa_t start)
{
	const struct board_config *board = wiring->config;
	struct virtio_pmem *pmem = &pmems->pmem[pmems->count];
	const struct virtio_pmem_config config = {
		.pci = wiring->pci,
		.ram = wiring->ram,
		.log = wiring->log,
		.clock = board->clock,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_PMEM + disk->unit, 0),
		.layout = { .start = start, .size = size_of(disk) },
	};
	int error;

	if (disk->unit >= VIRTIO_PMEMS || pmems->count == VIRTIO_PMEMS)
		return -EINVAL;
	error = virtio_pmem_init(pmem, &config);
	if (error)
		return error;
	pmems->image[pmems->count++] = (const uint8_t *)disk->va;
	board->ops->map(board->ctx, start, config.layout.size,
			disk->va - GATE_MODULE_VA, GATE_MAP_MODULE);
	return device_list_add(wiring->devices, &pmem->device);
}

int virtio_pmems_init(struct virtio_pmems *pmems,
		      const struct virtio_wiring *wiring, gpa_t ram_end)
{
	const struct board_config *board = wiring->config;
	const struct machine_config *machine = board->machine;
	gpa_t end = ram_end;
	int error = 0;

	if (virtio_pmems_end(machine, ram_end) > 1ULL << board->physical_bits)
		return -ERANGE;
	for (unsigned i = 0; i < machine->disk_count && !error; i++) {
		const struct machine_disk_config *disk = &machine->disk[i];

		if (disk->bus != MACHINE_DISK_PMEM)
			continue;
		error = pmem_add(pmems, wiring, disk, place(end));
		end = place(end) + size_of(disk);
	}
	return error;
}

const void *virtio_pmems_at(const struct virtio_pmems *pmems, gpa_t gpa,
			    size_t length)
{
	for (unsigned i = 0; i < pmems->count; i++) {
		const struct virtio_pmem_layout *at = &pmems->pmem[i].layout;
		uint64_t offset = gpa - at->start;

		if (offset < at->size && length <= at->size - offset)
			return pmems->image[i] + offset;
	}
	return NULL;
}
