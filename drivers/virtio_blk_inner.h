/* SPDX-License-Identifier: BSD-2-Clause */
/* What virtio_blk.c and virtio_blk_request.c know of each other. */
#ifndef BULKHEAD_DRIVERS_VIRTIO_BLK_INNER_H
#define BULKHEAD_DRIVERS_VIRTIO_BLK_INNER_H

#include "drivers/virtio_blk.h"
#include "include/errno.h"

#define COMMAND_PARTS  (VIRTIO_BLK_SEGMENTS + 2) /* header, status */
/* Bytes of DMA memory of a command: both parts. */
#define COMMAND_HEADER 64
#define COMMAND_TABLE  (COMMAND_PARTS * VIRTQUEUE_DESC)
_Static_assert(COMMAND_PARTS <= VIRTQUEUE_PARTS, "parts of a chain");

/* All of queue's commands free, their memory cut from *memory.  -ENOMEM. */
int __must_check virtio_blk_commands_init(struct virtio_blk_queue *queue,
					  struct dma_region *memory);

/* It works no longer, and why. */
static inline int virtio_blk_broke(struct virtio_blk *blk, const char *why)
{
	blk->is_running = false;
	blk->why = why;
	return -EPROTO;
}

#endif
