/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio block devices as both sides know them.
 *
 * References: VIRTIO 1.2, 5.2.
 */
#ifndef BULKHEAD_VIRTIO_BLK_H
#define BULKHEAD_VIRTIO_BLK_H

#include "include/compiler.h"

/* clang-format off */
#define VIRTIO_BLK_F_SIZE_MAX		1
#define VIRTIO_BLK_F_SEG_MAX		2
#define VIRTIO_BLK_F_RO			5
#define VIRTIO_BLK_F_BLK_SIZE		6
#define VIRTIO_BLK_F_FLUSH		9
#define VIRTIO_BLK_F_TOPOLOGY		10
#define VIRTIO_BLK_F_MQ			12
#define VIRTIO_BLK_F_DISCARD		13
#define VIRTIO_BLK_F_WRITE_ZEROES	14

#define VIRTIO_BLK_IN			0
#define VIRTIO_BLK_OUT			1
#define VIRTIO_BLK_FLUSH_CACHE		4
#define VIRTIO_BLK_GET_ID		8
#define VIRTIO_BLK_DISCARD_RANGE	11
#define VIRTIO_BLK_ZERO_RANGE		13

#define VIRTIO_BLK_OK			0
#define VIRTIO_BLK_IOERR		1
#define VIRTIO_BLK_UNSUPP		2
/* clang-format on */

#define VIRTIO_BLK_ID_SIZE 20

struct virtio_blk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};
ASSERT_SIZE(struct virtio_blk_header, 16);

/* Of DISCARD_RANGE and ZERO_RANGE. */
struct virtio_blk_range {
	uint64_t sector;
	uint32_t count;
	uint32_t flags;
#define VIRTIO_BLK_UNMAP BIT(0)
};
ASSERT_SIZE(struct virtio_blk_range, 16);

/* The configuration. */
struct virtio_blk_layout {
	uint64_t capacity; /* sectors of 512 bytes, as all */
	uint32_t size_max, seg_max;
	uint16_t cylinders;
	uint8_t heads, sectors;
	uint32_t blk_size; /* bytes */
	uint8_t physical_exp, alignment;
	uint16_t io_min; /* blocks */
	uint32_t io_best;
	uint8_t writeback, unused;
	uint16_t num_queues;
	uint32_t discard_sectors, discard_seg, discard_align;
	uint32_t zeroes_sectors, zeroes_seg;
	uint8_t zeroes_may_unmap, unused2[3];
};
ASSERT_OFFSET(struct virtio_blk_layout, num_queues, 34);
ASSERT_OFFSET(struct virtio_blk_layout, zeroes_may_unmap, 56);

#endif
