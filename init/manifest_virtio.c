/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's disks on virtio may have: init/manifest_reader.h. */
#include "init/manifest_reader.h"

/* Nowhere to tell the guest of them. */
static const char *const not_there[] = { "geometry", "model" };

int manifest_check_virtio_disk(struct manifest_reader *reader, int node,
			       const struct disk_manifest *disk)
{
	if (disk->bus != MACHINE_DISK_VIRTIO) {
		if (manifest_has(reader, node, "queues"))
			return manifest_fail(reader, node, "queues",
					     "is for disks on the bus "
					     "\"virtio\"");
		return 0;
	}
	if (disk->is_cdrom)
		return manifest_fail(reader, node, "bus",
				     "is \"virtio\", which has no CD-ROM "
				     "drives: put it on the bus "
				     "\"virtio-scsi\"");
	for (unsigned i = 0; i < ARRAY_SIZE(not_there); i++)
		if (manifest_has(reader, node, not_there[i]))
			return manifest_fail(reader, node, not_there[i],
					     "is nothing that a disk on the "
					     "bus \"virtio\" has: leave it "
					     "out");
	return 0;
}
