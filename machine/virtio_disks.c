/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's disks on virtio: machine/virtio_disks.h. */
#include "machine/virtio_disks.h"

#include "include/errno.h"

static int disk_init(struct virtio_disks *disks,
		     const struct virtio_wiring *wiring,
		     const struct machine_disk_config *disk,
		     struct block_backend *backend)
{
	struct virtio_blk *blk = &disks->disk[disks->count];
	const struct virtio_blk_config config = {
		.pci = wiring->pci,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_DISK + disk->unit, 0),
		.ram = wiring->ram,
		.log = wiring->log,
		.clock = wiring->config->clock,
		.is_transitional = wiring->is_transitional,
		.backend = backend,
		.serial = disk->serial,
		.queues = disk->queues,
		.block_size = disk->sector_size,
	};
	int error;

	if (disk->unit >= VIRTIO_DISKS || disk->is_cdrom)
		return -EINVAL;
	error = virtio_blk_init(blk, &config);
	if (error)
		return error;
	disks->count++;
	return device_list_add(wiring->devices, &blk->device);
}

static int target_set(struct scsi_drive_config *drive,
		      const struct machine_disk_config *disk,
		      struct block_backend *backend)
{
	if (disk->unit >= VIRTIO_SCSI_TARGETS)
		return -EINVAL;
	if (drive[disk->unit].backend)
		return -EEXIST;
	drive[disk->unit] = (struct scsi_drive_config){
		.backend = backend,
		.is_cdrom = disk->is_cdrom,
		.serial = disk->serial[0] ? disk->serial : NULL,
		.model = disk->model[0] ? disk->model : NULL,
	};
	return 0;
}

/* With a queue of requests for each vCPU. */
static int scsi_init(struct virtio_disks *disks,
		     const struct virtio_wiring *wiring)
{
	const struct machine_config *machine = wiring->config->machine;
	struct virtio_scsi_config config = {
		.pci = wiring->pci,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_SCSI, 0),
		.ram = wiring->ram,
		.clock = wiring->config->clock,
		.log = wiring->log,
		.is_transitional = wiring->is_transitional,
		.queues = (uint16_t)MIN(machine->vcpu_count,
					VIRTIO_SCSI_QUEUES_MAX),
	};
	int error = 0;

	for (unsigned i = 0; i < machine->disk_count && !error; i++) {
		if (machine->disk[i].bus != MACHINE_DISK_VIRTIO_SCSI)
			continue;
		disks->has_scsi = true;
		error = target_set(config.drive, &machine->disk[i],
				   wiring->config->disks[i]);
	}
	if (error || !disks->has_scsi)
		return error;
	error = virtio_scsi_init(&disks->scsi, &config);
	return error ? error
		     : device_list_add(wiring->devices, &disks->scsi.device);
}

int virtio_disks_init(struct virtio_disks *disks,
		      const struct virtio_wiring *wiring)
{
	const struct machine_config *machine = wiring->config->machine;
	int error = 0;

	for (unsigned i = 0; i < machine->disk_count && !error; i++)
		if (machine->disk[i].bus == MACHINE_DISK_VIRTIO)
			error = disk_init(disks, wiring, &machine->disk[i],
					  wiring->config->disks[i]);
	return error ? error : scsi_init(disks, wiring);
}
