/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's drives and clients as admin.c sets them up, and the loop.
 */
#include "services/disk/inner.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/user/shared.h"

#define LOG_LINES_PER_S 5
#define LOG_BURST	20
#define ROUNDS_MAX	8

void disk_init(struct disk *disk, const struct disk_ops *ops,
	       const struct overlay_ops *overlay_ops, void *ctx)
{
	disk->ops = ops;
	disk->ctx = ctx;
	disk->overlay_ops = overlay_ops;
	rate_init(&disk->log_rate, LOG_LINES_PER_S, LOG_BURST);
}

void disk_log(struct disk *disk, const char *format, ...)
{
	char text[160];
	va_list args;
	int n = 0;

	if (rate_wait(&disk->log_rate, 1, disk->now_ns)) {
		disk->log_lost++;
		return;
	}
	rate_take(&disk->log_rate, 1, disk->now_ns);
	if (disk->log_lost)
		n = snprintf(text, sizeof(text), "(%u lines not shown) ",
			     disk->log_lost);
	disk->log_lost = 0;
	va_start(args, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, args);
	va_end(args);
	disk->ops->log(disk->ctx, text);
}

/* ---- Drives -------------------------------------------------------------- */

static bool info_is_sane(const struct drive_info *info)
{
	uint32_t block = info->block_size;

	return block >= DISK_SECTOR && block <= PAGE_SIZE &&
	       !(block & (block - 1)) && info->depth && info->segments_max &&
	       info->sector_count < BIT(55) &&
	       info->sector_count % (block / DISK_SECTOR) == 0 &&
	       (!info->sectors_max ||
		info->sectors_max >= block / DISK_SECTOR) &&
	       (!info->clear_max || info->clear_max >= block / DISK_SECTOR);
}

int disk_drive_add(struct disk *disk, const struct drive_ops *ops, void *ctx)
{
	for (unsigned i = 0; i < DISK_HOST_DRIVES; i++) {
		struct disk_drive *drive = &disk->drive[i];

		if (drive->ops)
			continue;
		*drive = (struct disk_drive){ .ctx = ctx };
		ops->query(ctx, &drive->info);
		drive->info.serial[DRIVE_SERIAL_SIZE - 1] = 0;
		if (!info_is_sane(&drive->info))
			return -EINVAL;
		drive->info.clear_max -= drive->info.clear_max %
					 (drive->info.block_size / DISK_SECTOR);
		list_init(&drive->active);
		drive->ops = ops;
		disk->drive_end = i + 1;
		return (int)i;
	}
	return -ENOSPC;
}

void disk_drive_resized(struct disk *disk, unsigned number,
			uint64_t sector_count)
{
	struct drive_info *info;

	if (number >= DISK_HOST_DRIVES || !disk->drive[number].ops)
		return;
	info = &disk->drive[number].info;
	sector_count -= sector_count % (info->block_size / DISK_SECTOR);
	if (sector_count >= BIT(55))
		return;
	disk_log(disk, "drive \"%s\" has " SECTORS_FORMAT " now", info->serial,
		 SECTORS_TEXT(sector_count));
	info->sector_count = sector_count;
}

/* ---- Clients ------------------------------------------------------------- */

static struct disk_client *client_find(struct disk *disk, unsigned slot)
{
	struct disk_client *client;

	if (!slot || slot > DISK_CLIENTS)
		return NULL;
	client = &disk->client[slot - 1];
	return client->state == CLIENT_FREE ? NULL : client;
}

int disk_client_add(struct disk *disk, unsigned slot, const char *name,
		    uint32_t start, struct disk_channel *channel,
		    const struct dma_window window[WINDOWS])
{
	struct disk_client *client;

	if (!slot || slot > DISK_CLIENTS)
		return -EINVAL;
	client = &disk->client[slot - 1];
	if (client->state != CLIENT_FREE)
		return -EEXIST;
	/* All of work is FREE, and memory that none has used yet stays so. */
	memset(client, 0, offsetof(struct disk_client, work));
	client->state = CLIENT_ADDED;
	client->slot = slot;
	disk->client_end = MAX(disk->client_end, slot);
	memcpy(client->name, name, strnlen(name, sizeof(client->name) - 1));
	client->channel = channel;
	client->generation = (uint64_t)start << 32;
	memcpy(client->window, window, sizeof(client->window));
	ring_init(&client->in, &channel->requests, channel->request_data,
		  DISK_REQUESTS_SIZE, false, true);
	ring_init(&client->out, &channel->replies, channel->reply_data,
		  DISK_REPLIES_SIZE, true, true);
	for (unsigned i = 0; i < DISK_HOST_DRIVES; i++) {
		list_init(&client->flow[i].link);
		client->flow[i].client = client;
	}
	return 0;
}

static int unit_check(const struct disk_drive *drive,
		      const struct disk_unit_spec *spec)
{
	uint32_t block = drive->info.block_size / DISK_SECTOR;
	const struct disk_limits *limits = &spec->limits;

	if (spec->first > drive->info.sector_count ||
	    spec->count > drive->info.sector_count - spec->first)
		return -ERANGE;
	if (!spec->count || spec->first % block || spec->count % block)
		return -EINVAL;
	if (limits->requests_per_s > RATE_MAX ||
	    limits->requests_burst > RATE_MAX ||
	    limits->bytes_per_s > RATE_MAX || limits->bytes_burst > RATE_MAX)
		return -EINVAL;
	if (drive->info.is_read_only && !spec->is_read_only &&
	    !spec->has_overlay)
		return -EROFS;
	return 0;
}

int disk_unit_add(struct disk *disk, unsigned slot, unsigned number,
		  const struct disk_unit_spec *spec)
{
	struct disk_client *client = client_find(disk, slot);
	struct disk_unit *unit;
	int error;

	if (!client || client->state != CLIENT_ADDED || number >= DISK_DRIVES)
		return -ENOENT;
	unit = &client->unit[number];
	if (unit->is_there)
		return -EEXIST;
	if (spec->drive >= DISK_HOST_DRIVES || !disk->drive[spec->drive].ops)
		return -ENODEV;
	error = unit_check(&disk->drive[spec->drive], spec);
	if (!error && spec->has_overlay)
		error = overlay_init(&unit->overlay, disk->overlay_ops,
				     disk->ctx, spec->count,
				     spec->overlay_pages);
	if (error)
		return error;
	unit->drive = spec->drive;
	unit->first = spec->first;
	unit->count = spec->count;
	unit->is_read_only = spec->is_read_only;
	unit->has_overlay = spec->has_overlay;
	rate_init(&unit->requests, spec->limits.requests_per_s,
		  spec->limits.requests_burst);
	rate_init(&unit->bytes, spec->limits.bytes_per_s,
		  spec->limits.bytes_burst);
	/* What a former disk had written may be at risk. */
	unit->write_count = unit->lost_count = 1;
	unit->is_flush_lost =
		shared_load(&client->channel->drive[number].flags) &
		DISK_DRIVE_LOST;
	unit->is_there = true;
	return 0;
}

int disk_client_start(struct disk *disk, unsigned slot)
{
	struct disk_client *client = client_find(disk, slot);

	if (!client || client->state != CLIENT_ADDED)
		return -ENOENT;
	client->state = CLIENT_GREETING;
	client->is_active = true;
	return 0;
}

int disk_client_remove(struct disk *disk, unsigned slot)
{
	struct disk_client *client = client_find(disk, slot);

	if (!client)
		return -ENOENT;
	client->state = CLIENT_LEAVING;
	client_abandon(disk, client);
	return 0;
}

static void client_free(struct disk_client *client)
{
	for (unsigned i = 0; i < DISK_DRIVES; i++)
		if (client->unit[i].has_overlay)
			overlay_fini(&client->unit[i].overlay);
	/* The channel's memory is not disk's any more. */
	memset(client->unit, 0, sizeof(client->unit));
	for (unsigned i = 0; i < DISK_HOST_DRIVES; i++)
		list_remove(&client->flow[i].link);
	client->state = CLIENT_FREE;
}

unsigned disk_client_gone(struct disk *disk)
{
	for (unsigned slot = 1; slot <= disk->client_end; slot++) {
		struct disk_client *client = &disk->client[slot - 1];

		if (client->state == CLIENT_LEAVING && !client->busy) {
			client_free(client);
			return slot;
		}
	}
	return 0;
}

/* ---- The loop ------------------------------------------------------------ */

void disk_ring(struct disk *disk, unsigned slot)
{
	struct disk_client *client = client_find(disk, slot);

	if (client)
		client->is_active = true;
}

/* A drive that does not answer is reset, and has a try for each request. */
static void drives_check(struct disk *disk)
{
	for (unsigned i = 0; i < disk->drive_end; i++) {
		struct disk_drive *drive = &disk->drive[i];

		if (!drive_is_late(disk, i))
			continue;
		disk_log(disk, "drive \"%s\" does not answer: reset",
			 drive->info.serial);
		disk_drive_reset(disk, i, drive->ops->reset(drive->ctx) < 0);
	}
}

static bool is_at_work(const struct disk_client *client)
{
	return client->is_active && (client->state == CLIENT_OPEN ||
				     client->state == CLIENT_GREETING);
}

static void clients_run(struct disk *disk)
{
	for (unsigned i = 0; i < disk->client_end; i++)
		if (is_at_work(&disk->client[i]))
			client_run(disk, &disk->client[i]);
}

static void bells_ring(struct disk *disk)
{
	for (unsigned i = 0; i < disk->client_end; i++) {
		struct disk_client *client = &disk->client[i];

		if (client->is_bell_due)
			disk->ops->doorbell(disk->ctx, client->slot);
		client->is_bell_due = false;
	}
}

void disk_run(struct disk *disk, uint64_t now_ns)
{
	disk->now_ns = now_ns;
	drives_check(disk);
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		disk->is_again = false;
		clients_run(disk);
		schedule_run(disk);
		for (unsigned i = 0; i < disk->client_end; i++)
			disk->is_again |= is_at_work(&disk->client[i]);
		if (!disk->is_again)
			break;
	}
	bells_ring(disk);
}

uint64_t disk_deadline(const struct disk *disk)
{
	uint64_t deadline_ns = schedule_deadline(disk);

	if (disk->is_again)
		return disk->now_ns;
	for (unsigned i = 0; i < disk->drive_end; i++)
		if (disk->drive[i].in_flight)
			deadline_ns = MIN(deadline_ns, disk->drive[i].check_ns);
	return deadline_ns;
}
