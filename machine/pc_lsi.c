/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's SCSI adapter, an LSI 53C895A, and what is at it. */
#include "machine/pc_parts.h"

#include "include/errno.h"

int pc_lsi_init(struct pc *pc, struct clock *clock,
		struct block_backend *const disks[])
{
	struct lsi_config lsi = {
		.pci = &pc->pci,
		.devfn = PC_LSI_DEVFN,
		.ram = &pc->ram,
		.clock = clock,
	};

	for (unsigned i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];

		if (disk->bus != MACHINE_DISK_LSI)
			continue;
		if (disk->unit >= LSI_TARGETS)
			return -EINVAL;
		if (lsi.drive[disk->unit].backend)
			return -EEXIST;
		lsi.drive[disk->unit] = (struct scsi_drive_config){
			.backend = disks[i],
			.is_cdrom = disk->is_cdrom,
			.serial = disk->serial[0] ? disk->serial : NULL,
			.model = disk->model[0] ? disk->model : NULL,
		};
		pc->has_lsi = true;
	}
	return pc->has_lsi ? lsi_init(&pc->lsi, &lsi) : 0;
}
