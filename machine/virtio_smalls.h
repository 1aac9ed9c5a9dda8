/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's virtio entropy device and balloon, as both boards have them. */
#ifndef BULKHEAD_MACHINE_VIRTIO_SMALLS_H
#define BULKHEAD_MACHINE_VIRTIO_SMALLS_H

#include "devices/virtio_balloon.h"
#include "devices/virtio_rng.h"
#include "include/face.h"
#include "machine/virtio_board.h"

struct virtio_smalls {
	bool has_balloon;
	struct virtio_rng rng;
	struct virtio_balloon balloon;
	const struct board_config *board;
};

/* Those that the manifest has, in the list of devices then.  smalls is zeroed.
 * -EEXIST; -ENOSPC: the list is full. */
int __must_check virtio_smalls_init(struct virtio_smalls *smalls,
				    const struct virtio_wiring *wiring);
/* board_ops.command() with FACE_BALLOON: -ENODEV: there is none; -ERANGE: not
 * so many MiB. */
int virtio_smalls_balloon(struct virtio_smalls *smalls, uint32_t mib);
/* board_ops.statistics(): the balloon's, whose driver is asked for new ones. */
void virtio_smalls_statistics(struct virtio_smalls *smalls,
			      struct face_statistics *to);

#endif
