/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio devices but its network cards, transitional where there
 * was a legacy form. */
#include "machine/pc_parts.h"

#include "machine/virtio_vsocks.h"

struct virtio_wiring pc_virtio_wiring(struct pc *pc,
				      const struct board_config *config)
{
	return (struct virtio_wiring){
		.config = config,
		.pci = &pc->pci,
		.ram = &pc->ram,
		.devices = &pc->devices,
		.log = &pc->log,
		.is_transitional = true,
	};
}

/* CD-ROM drives at the SCSI host open. */
static void media_init(struct pc *pc, const struct board_config *config)
{
	for (unsigned i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];

		if (disk->bus == MACHINE_DISK_VIRTIO_SCSI && disk->is_cdrom)
			pc->medium[FACE_UNIT_SCSI + disk->unit] =
				config->disks[i];
	}
}

int pc_virtio_init(struct pc *pc, const struct board_config *config)
{
	const struct virtio_wiring wiring = pc_virtio_wiring(pc, config);
	int error;

	error = virtio_disks_init(&pc->virtio_disks, &wiring);
	if (!error)
		media_init(pc, config);
	if (!error)
		error = virtio_pmems_init(&pc->virtio_pmems, &wiring,
					  GIB(4) + pc->board.ram_high);
	if (!error)
		error = virtio_consoles_init(&pc->virtio_consoles, &wiring,
					     true);
	if (!error)
		error = virtio_vsock_add(&pc->vsock, &wiring);
	if (!error)
		error = virtio_smalls_init(&pc->virtio_smalls, &wiring);
	return error;
}
