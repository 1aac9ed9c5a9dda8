/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From offsets in a client's memory to physical addresses.  Pure.
 */
#ifndef BULKHEAD_SERVICES_DISK_WINDOW_H
#define BULKHEAD_SERVICES_DISK_WINDOW_H

#include "include/disk.h"
#include "services/disk/drive.h"

/* All of [offset, offset + length) is there; length is not 0. */
bool window_holds(const struct dma_window *window, uint64_t offset,
		  uint64_t length);

/* Pieces that are next to each other become one. */
struct segment_list {
	uint32_t count, max;
	struct drive_segment segment[DRIVE_SEGMENTS];
};

/*
 * Appends [offset, offset + length); how many bytes of it fit: less when the
 * list is full, or at what is not there.
 */
uint32_t window_translate(const struct dma_window *window, uint64_t offset,
			  uint32_t length, struct segment_list *list);

#endif
