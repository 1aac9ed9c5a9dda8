/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a disk's contents come from, as a manifest's `source` says.  Pure code.
 */
#ifndef BULKHEAD_INIT_SOURCE_H
#define BULKHEAD_INIT_SOURCE_H

#include "include/manifest.h"

/* The text after "file:" and the like; NULL, or why it is refused. */
const char *source_parse(struct disk_source *source, const char *text);

bool source_is_same(const struct disk_source *a, const struct disk_source *b);

static inline bool disk_has_source(const struct disk_manifest *disk)
{
	return disk->source.kind != MANIFEST_SOURCE_NONE;
}

/* An overlay's writes never reach the source. */
static inline bool disk_writes_source(const struct disk_manifest *disk)
{
	return !disk->is_read_only && disk->overlay == MANIFEST_OVERLAY_NONE;
}

/*
 * The serial number of the drive that a simulator has for a file: guest and
 * node, "web/disk0", where that fits; else "#" and a hash of it.
 */
#define SOURCE_SERIAL_SIZE 21 /* virtio's 20 and a NUL */
void source_serial(char serial[SOURCE_SERIAL_SIZE],
		   const struct guest_manifest *guest,
		   const struct disk_manifest *disk);

/* How the service disk finds it: a file by that number, others as they are
 * written. */
void source_text(char *text, uint64_t size, const struct guest_manifest *guest,
		 const struct disk_manifest *disk);

#endif
