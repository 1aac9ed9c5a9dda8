/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks in memory: a request is done when it is submitted.
 */
#include "machine/machine.h"

#include "devices/clear.h"
#include "include/errno.h"
#include "lib/string.h"

/* Pages that hold nothing stay the image's. */
static int sectors_clear(struct machine_disk *disk,
			 const struct block_request *request)
{
	uint64_t count = request->clear_count;

	if (count > disk->backend.sector_count - request->sector)
		return -ERANGE;
	memory_clear(disk->data + request->sector * BLOCK_SECTOR,
		     count * BLOCK_SECTOR);
	return 0;
}

static int sectors_move(struct machine_disk *disk,
			const struct block_request *request)
{
	uint64_t size = disk->backend.sector_count * BLOCK_SECTOR;
	uint64_t at = request->sector * BLOCK_SECTOR;

	if (request->op != BLOCK_READ && disk->backend.is_read_only)
		return -EROFS;
	if (request->sector > disk->backend.sector_count)
		return -ERANGE;
	if (request->op >= BLOCK_DISCARD)
		return sectors_clear(disk, request);
	for (uint32_t i = 0; i < request->segment_count; i++) {
		const struct block_segment *s = &request->segment[i];

		if (s->length > size - at)
			return -ERANGE;
		if (request->op == BLOCK_READ)
			memcpy(s->host, disk->data + at, s->length);
		else
			memcpy(disk->data + at, s->host, s->length);
		at += s->length;
	}
	return 0;
}

static void disk_submit(void *ctx, struct block_request *request)
{
	struct machine_disk *disk = ctx;
	int status = 0;

	if (request->op != BLOCK_FLUSH)
		status = sectors_move(disk, request);
	request->done(request->dev, request, status);
}

void machine_disk_init(struct machine_disk *disk,
		       const struct machine_disk_config *config)
{
	disk->data = (uint8_t *)config->va;
	disk->backend.submit = disk_submit;
	disk->backend.ctx = disk;
	disk->backend.sector_count = config->sector_count;
	disk->backend.is_read_only = config->is_read_only;
	disk->backend.has_fua = true; /* as durable as it gets */
	disk->backend.can_clear = true;
}
