/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's AHCI controller, and what drives of IDE and AHCI have alike. */
#include "machine/pc_parts.h"

#include "include/errno.h"

struct ide_drive_config pc_drive_config(const struct machine_disk_config *disk,
					struct block_backend *backend)
{
	return (struct ide_drive_config){
		.kind = disk->is_cdrom ? IDE_CDROM : IDE_DISK,
		.backend = backend,
		.serial = disk->serial[0] ? disk->serial : NULL,
		.model = disk->model[0] ? disk->model : NULL,
		.cylinders = disk->geometry.cylinders,
		.heads = disk->geometry.heads,
		.sectors = disk->geometry.sectors,
		.sector_size = disk->sector_size,
	};
}

int pc_ahci_init(struct pc *pc, struct clock *clock,
		 struct block_backend *const disks[])
{
	struct ahci_config ahci = {
		.pci = &pc->pci,
		.devfn = PC_AHCI_DEVFN,
		.ram = &pc->ram,
		.clock = clock,
	};

	for (unsigned i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];

		if (disk->bus != MACHINE_DISK_AHCI)
			continue;
		if (disk->unit >= AHCI_PORTS)
			return -EINVAL;
		if (ahci.drive[disk->unit].kind != IDE_NONE)
			return -EEXIST;
		ahci.drive[disk->unit] = pc_drive_config(disk, disks[i]);
		pc->has_ahci = true;
	}
	return pc->has_ahci ? ahci_init(&pc->ahci, &ahci) : 0;
}
