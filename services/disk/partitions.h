/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partition tables: GPT, and MBR with its chain of extended partitions.  What a
 * drive says of itself is somebody's: guests write tables.  Nothing is believed
 * that does not lie within the drive, and of partitions that overlap each other
 * none is used.
 *
 * Not read: BSD disk labels, hybrid MBRs' other entries, tables within
 * partitions.
 *
 * References: UEFI Specification 2.10, chapter 5, "GUID Partition Table (GPT)
 * Disk Layout" and 5.2, "LBA 0 Format".
 *
 * Pure.
 */
#ifndef BULKHEAD_SERVICES_DISK_PARTITIONS_H
#define BULKHEAD_SERVICES_DISK_PARTITIONS_H

#include "include/compiler.h"

#define PARTITIONS_MAX	     128 /* of a drive; those beyond are not seen */
#define PARTITION_LABEL_SIZE 109 /* 36 of UTF-16 as UTF-8, and a 0 */
#define PARTITION_UUID_SIZE  37

struct table_reader {
	/* Block, of block_size bytes; 0 or -errno. */
	int (*read)(void *ctx, uint64_t block, void *to);
	void *ctx;
	uint32_t block_size; /* 512 to 4096, a power of two */
	uint64_t block_count;
};

enum table_kind { TABLE_NONE, TABLE_MBR, TABLE_GPT };

struct partition {
	uint32_t number;       /* as everyone counts: from 1, MBR's logical from
				* 5 */
	uint64_t first, count; /* sectors of 512 bytes */
	const char *refused;   /* why it is not used; NULL: it is good */
	/* Lower case.  GPT's, or "12345678-01": an MBR's signature, number. */
	char uuid[PARTITION_UUID_SIZE];
	char label[PARTITION_LABEL_SIZE]; /* GPT: UTF-8 */
};

struct partition_table {
	enum table_kind kind;
	bool is_backup;	    /* GPT: the primary one was bad */
	const char *reason; /* what is wrong with it as a whole, or NULL */
	char uuid[PARTITION_UUID_SIZE]; /* GPT: the drive's */
	uint32_t count;
	struct partition partition[PARTITIONS_MAX];
};

/* 0, also where there is none; or what reading the first block said. */
int __must_check partition_table_read(struct partition_table *table,
				      const struct table_reader *reader);

#endif
