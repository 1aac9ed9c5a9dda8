/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What partitions.c (MBR, and what holds for all) and gpt.c have of each other.
 */
#ifndef BULKHEAD_SERVICES_DISK_PARTITIONS_INNER_H
#define BULKHEAD_SERVICES_DISK_PARTITIONS_INNER_H

#include "services/disk/partitions.h"

#define TABLE_BLOCK_MAX 4096

static inline uint32_t le32(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static inline uint64_t le64(const uint8_t *bytes)
{
	return le32(bytes) | (uint64_t)le32(bytes + 4) << 32;
}

/* A new partition of blocks [first, first + count), which is not 0, refused if
 * it does not lie within [low, high); NULL: the table is full. */
struct partition *table_add(struct partition_table *table,
			    const struct table_reader *reader, uint32_t number,
			    uint64_t first, uint64_t count, uint64_t low,
			    uint64_t high);

/* The MBR is a protective one: reads what it protects. */
void gpt_read(struct partition_table *table, const struct table_reader *reader);

#endif
