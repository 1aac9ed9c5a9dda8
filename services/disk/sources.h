/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the manifest's `source` means on this host, and who uses it:
 *
 *	serial:NUMBER	the drive with that serial number
 *	gpt:LABEL	the partition of that label
 *	uuid:UUID	a partition (of an MBR: its signature, '-', number), or
 *			a drive by its GPT's
 *
 * A manifest's file:NAME is a drive of the simulated host, made by the tool;
 * init says serial: for it, with source_serial() (init/source.h).
 *
 * What is found twice is not used.  Pure.
 */
#ifndef BULKHEAD_SERVICES_DISK_SOURCES_H
#define BULKHEAD_SERVICES_DISK_SOURCES_H

#include "include/disk.h"
#include "services/disk/disk.h"
#include "services/disk/partitions.h"

struct source {
	unsigned drive;	       /* the host's */
	uint32_t partition;    /* its number; 0: the drive */
	uint64_t first, count; /* sectors */
};

/* A client's hold on sectors of a drive. */
struct claim {
	unsigned slot; /* 0: unused */
	bool is_writer;
	struct source source;
	char node[DISK_NODE_SIZE];
};

#define CLAIMS_MAX (DISK_CLIENTS * DISK_DRIVES)

struct sources {
	unsigned drive_count;
	struct {
		const struct drive_info *info;
		struct partition_table table;
	} drive[DISK_HOST_DRIVES];
	struct claim claim[CLAIMS_MAX];
};

/*
 * Both print why they failed, or what is worth a line of the log, else nothing,
 * into reason, of DISK_REASON_SIZE bytes.
 *
 * -EINVAL: none of the kinds; -ENOENT; -EEXIST: there are several; -EIO: its
 * table is bad.
 */
int __must_check source_find(const struct sources *sources, const char *text,
			     struct source *source, char *reason);
/* The claim's number; -EBUSY: both would write; -ENOSPC. */
int __must_check source_claim(struct sources *sources,
			      const struct claim *claim, char *reason);
/* That one; all of the slot's. */
void source_unclaim(struct sources *sources, int number);
void source_release(struct sources *sources, unsigned slot);

/* A line about a drive or a partition for who lists them; index 0: the drive,
 * then its partitions.  False: there are no more. */
bool source_describe(const struct sources *sources, unsigned drive,
		     unsigned index, struct source *source, char *text);

#endif
