/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request's parts: what is asked of the drive or of the overlay, what comes
 * back, flushes, resets.
 *
 * A drive says that a part has failed, not where.  The part is tried again in
 * halves until the block is found: what is before it is moved, and its sector
 * is what the client is told.
 *
 * A flush that fails may have lost what other clients wrote to the same drive,
 * and the next flush need not find that out.  All units with writes at risk
 * remember it until their client has been told.  Writes that are not answered
 * by then are done again.
 */
#include "services/disk/inner.h"

#include "include/errno.h"
#include "services/disk/window.h"

static uint32_t block_sectors(const struct disk_drive *drive)
{
	return drive->info.block_size / DISK_SECTOR;
}

/* ---- The end of a part --------------------------------------------------- */

/*
 * What requests that are not answered yet have written is at risk, too, and
 * their clients are told of no flush that covered it: they are done again.  So
 * are those that are in the drive, whose data it may have had already.
 */
static void works_lost(struct disk_client *client, unsigned drive)
{
	for (unsigned i = 0; client->used && i < DISK_IN_FLIGHT; i++) {
		struct disk_work *work = &client->work[i];

		if (work->state != REQUEST_FREE &&
		    op_is_write(work->request.op) &&
		    unit_of(client, work)->drive == drive)
			work->is_lost =
				work->done || work->state == REQUEST_BUSY;
	}
}

/* The drive has lost, maybe, what it had not made permanent. */
static void flush_failed(struct disk *disk, unsigned drive,
			 const struct disk_unit *told)
{
	for (unsigned i = 0; i < DISK_CLIENTS; i++) {
		works_lost(&disk->client[i], drive);
		for (unsigned n = 0; n < DISK_DRIVES; n++) {
			struct disk_unit *unit = &disk->client[i].unit[n];

			if (!unit->is_there || unit->drive != drive ||
			    unit == told ||
			    unit->write_count == unit->flushed_count)
				continue;
			unit->is_flush_lost = true;
			unit->lost_count = unit->write_count;
			client_info(disk, &disk->client[i], n);
		}
	}
}

/* From its beginning, a bounded number of times. */
static void work_redo(struct disk *disk, struct disk_client *client,
		      struct disk_work *work)
{
	work->is_lost = false;
	work->done = 0;
	if (++work->resets > DISK_RETRIES)
		client_reply(disk, client, work, -EIO, work->request.sector);
	else
		queue_put_first(disk, client, work);
}

static void flush_end(struct disk *disk, struct disk_client *client,
		      struct disk_work *work, int status)
{
	struct disk_unit *unit = unit_of(client, work);
	bool is_own = work->request.op == DISK_OP_FLUSH;

	if (!status)
		unit->flushed_count =
			MAX(unit->flushed_count, work->write_count);
	/* A FUA write's answer speaks for that write only, a flush's for what
	 * had been written when it began. */
	if (status)
		flush_failed(disk, unit->drive,
			     is_own && !work->is_stale &&
					     unit->write_count ==
						     work->write_count
				     ? unit
				     : NULL);
	if (work->is_stale) {
		client_drop(client, work);
		return;
	}
	if (!status && work->is_lost) {
		work_redo(disk, client, work);
		return;
	}
	if (is_own && unit->is_flush_lost)
		status = -EIO;
	client_reply(disk, client, work, status, work->request.sector);
	/* Not before it is told: this program may die in between; and not by a
	 * flush that began before what is lost was written. */
	if (is_own && unit->is_flush_lost &&
	    work->write_count >= unit->lost_count) {
		unit->is_flush_lost = false;
		client_info(disk, client, work->request.drive);
	}
}

/* Tries less of it at a time; false: it cannot be less. */
static bool part_narrow(struct disk *disk, struct disk_client *client,
			struct disk_work *work)
{
	uint32_t block = block_sectors(drive_of(disk, unit_of(client, work)));
	uint32_t half = work->part / 2 / block * block;

	if (!work_moves_data(disk, client, work) || work->part <= block)
		return false;
	work->part_max = MAX(half, block);
	return true;
}

static void part_failed(struct disk *disk, struct disk_client *client,
			struct disk_work *work, int status)
{
	uint64_t sector = work->request.sector + work->done;

	if (status == -ENOSYS && work->request.op == DISK_OP_WRITE_ZEROES) {
		/* From now on they are written. */
		drive_of(disk, unit_of(client, work))->info.has_write_zeroes =
			false;
		queue_put_first(disk, client, work);
		return;
	}
	if (status == -EIO && part_narrow(disk, client, work)) {
		queue_put_first(disk, client, work);
		return;
	}
	if (status == -EIO)
		disk_log(disk, "[%s] drive %u: input/output error at %llu",
			 client->name, work->request.drive,
			 (unsigned long long)sector);
	client_reply(disk, client, work, status, sector);
}

/* After the last part: FUA where the drive has none is a flush. */
static bool is_flush_due(const struct disk_drive *drive,
			 const struct disk_unit *unit,
			 const struct disk_work *work)
{
	if (work->request.op == DISK_OP_FLUSH)
		return true;
	return op_is_write(work->request.op) &&
	       work->request.flags & DISK_FUA && !unit->has_overlay &&
	       drive->info.has_flush &&
	       !(drive->info.has_fua && work->request.op == DISK_OP_WRITE);
}

static void part_end(struct disk *disk, struct disk_client *client,
		     struct disk_work *work, int status)
{
	struct disk_unit *unit = unit_of(client, work);

	if (!status && op_is_write(work->request.op) && !work->is_flush)
		unit->write_count++;
	if (work->is_flush) {
		flush_end(disk, client, work, status);
	} else if (work->is_stale) {
		client_drop(client, work);
	} else if (status) {
		part_failed(disk, client, work, status);
	} else if (work->is_lost) {
		work_redo(disk, client, work);
	} else {
		work->done += work->part;
		if (work->done < work->request.sector_count ||
		    is_flush_due(drive_of(disk, unit), unit, work))
			queue_put_first(disk, client, work);
		else
			client_reply(disk, client, work, 0, 0);
	}
}

/* What was in the drive is not any more. */
static void busy_end(struct disk *disk, struct disk_client *client,
		     struct disk_work *work)
{
	struct disk_unit *unit = unit_of(client, work);
	struct disk_drive *drive = drive_of(disk, unit);

	drive->in_flight--;
	drive->is_full = false;
	client->flow[unit->drive].in_flight -= work->cost;
	client->busy--;
	client->is_active = true;
	flow_resume(disk, client, unit->drive);
}

bool disk_complete(struct disk *disk, uint64_t cookie, int status)
{
	unsigned index = (cookie >> 8) & 0xff, number = cookie & 0xff;
	struct disk_client *client;
	struct disk_work *work;

	if (index >= DISK_CLIENTS || number >= DISK_IN_FLIGHT)
		return false;
	client = &disk->client[index];
	work = &client->work[number];
	if (work->state != REQUEST_BUSY || work->serial != cookie >> 16)
		return false;
	busy_end(disk, client, work);
	part_end(disk, client, work, status);
	return true;
}

/* ---- The drive ----------------------------------------------------------- */

/* The drive's segments for so many sectors; how many whole blocks they hold. */
static uint32_t segments_build(const struct disk_client *client,
			       const struct disk_work *work, uint32_t sectors,
			       uint32_t block, struct segment_list *list)
{
	uint64_t skip = (uint64_t)work->done * DISK_SECTOR;
	uint64_t left = (uint64_t)sectors * DISK_SECTOR, total = 0, excess;

	for (uint32_t i = 0; i < work->request.segment_count && left; i++) {
		const struct disk_segment *s = &work->request.segment[i];
		bool is_bounce = s->where & DISK_WHERE_BOUNCE;
		uint32_t n, got;

		if (skip >= s->length) {
			skip -= s->length;
			continue;
		}
		n = (uint32_t)MIN(left, s->length - skip);
		got = window_translate(
			&client->window[is_bounce ? WINDOW_BOUNCE
						  : WINDOW_MEMORY],
			(s->where & ~DISK_WHERE_BOUNCE) + skip, n, list);
		total += got;
		left -= got;
		skip = 0;
		if (got < n)
			break;
	}
	excess = total % ((uint64_t)block * DISK_SECTOR);
	total -= excess;
	while (excess) {
		struct drive_segment *last = &list->segment[list->count - 1];
		uint32_t n = (uint32_t)MIN(excess, last->length);

		last->length -= n;
		list->count -= !last->length;
		excess -= n;
	}
	return (uint32_t)(total / DISK_SECTOR);
}

/* The page of zeroes, over and over. */
static uint32_t zeroes_build(hpa_t zeroes, uint32_t sectors, uint32_t block,
			     struct segment_list *list)
{
	const uint32_t page = PAGE_SIZE / DISK_SECTOR;
	uint32_t n = 0;

	while (n < sectors && list->count < list->max) {
		uint32_t length = MIN(page, sectors - n);

		list->segment[list->count++] = (struct drive_segment){
			.address = zeroes,
			.length = length * DISK_SECTOR,
		};
		n += length;
	}
	return n / block * block;
}

static uint64_t part_cookie(struct disk *disk, struct disk_client *client,
			    struct disk_work *work)
{
	work->serial = ++disk->serial;
	return (uint64_t)work->serial << 16 |
	       (uint64_t)(client - disk->client) << 8 |
	       (uint64_t)(work - client->work);
}

/* False: no room. */
static bool drive_submit(struct disk *disk, struct disk_client *client,
			 struct disk_work *work, struct drive_request *request)
{
	struct disk_unit *unit = unit_of(client, work);
	struct disk_drive *drive = drive_of(disk, unit);
	int error;

	request->cookie = part_cookie(disk, client, work);
	error = drive->ops->submit(drive->ctx, request);
	if (error == -EAGAIN && drive->in_flight) {
		drive->is_full = true;
		return false;
	}
	if (error) {
		part_end(disk, client, work, error == -EAGAIN ? -EIO : error);
		return true;
	}
	if (!drive->in_flight++)
		drive->check_ns = disk->now_ns + DISK_TIMEOUT_NS;
	work->begin_ns = disk->now_ns;
	work->state = REQUEST_BUSY;
	work->cost = DISK_COST;
	if (work_moves_data(disk, client, work) && !work->is_flush)
		work->cost += (uint64_t)work->part * DISK_SECTOR;
	client->flow[unit->drive].in_flight += work->cost;
	client->busy++;
	drive->is_kick_due = true;
	return true;
}

/* READ and WRITE, up to max sectors. */
static bool data_begin(struct disk *disk, struct disk_client *client,
		       struct disk_work *work, uint32_t max)
{
	struct disk_unit *unit = unit_of(client, work);
	struct disk_drive *drive = drive_of(disk, unit);
	uint32_t block = block_sectors(drive);
	struct segment_list list = {
		.max = MIN(drive->info.segments_max, DRIVE_SEGMENTS),
	};
	struct drive_request request = {
		.op = work->request.op == DISK_OP_READ ? DRIVE_READ
						       : DRIVE_WRITE,
		.is_fua = work->request.op == DISK_OP_WRITE &&
			  work->request.flags & DISK_FUA && drive->info.has_fua,
		.sector = unit->first + work->request.sector + work->done,
		.segment = list.segment,
	};

	if (drive->info.sectors_max)
		max = MIN(max, drive->info.sectors_max / block * block);
	if (op_has_data(work->request.op))
		work->part = segments_build(client, work, max, block, &list);
	else
		work->part =
			zeroes_build(drive->info.zeroes, max, block, &list);
	if (!work->part) {
		part_end(disk, client, work, -EINVAL);
		return true;
	}
	request.sector_count = work->part;
	request.segment_count = list.count;
	return drive_submit(disk, client, work, &request);
}

static bool flush_begin(struct disk *disk, struct disk_client *client,
			struct disk_work *work)
{
	struct disk_unit *unit = unit_of(client, work);
	struct drive_request request = { .op = DRIVE_FLUSH };

	work->is_flush = true;
	work->write_count = unit->write_count;
	if (!drive_of(disk, unit)->info.has_flush || unit->has_overlay) {
		part_end(disk, client, work, 0);
		return true;
	}
	return drive_submit(disk, client, work, &request);
}

static bool clear_begin(struct disk *disk, struct disk_client *client,
			struct disk_work *work, uint32_t left)
{
	struct disk_unit *unit = unit_of(client, work);
	struct disk_drive *drive = drive_of(disk, unit);
	bool is_discard = work->request.op == DISK_OP_DISCARD;
	struct drive_request request = {
		.op = is_discard ? DRIVE_DISCARD : DRIVE_WRITE_ZEROES,
		.sector = unit->first + work->request.sector + work->done,
	};
	uint32_t max = drive->info.clear_max;

	if (is_discard && !drive->info.has_discard) {
		work->part = left;
		part_end(disk, client, work, 0);
		return true;
	}
	if (!is_discard && !drive->info.has_write_zeroes)
		return data_begin(disk, client, work,
				  MIN(left, work->part_max));
	request.sector_count = work->part = max ? MIN(left, max) : left;
	return drive_submit(disk, client, work, &request);
}

/* ---- The overlay --------------------------------------------------------- */

/* Between a part and the pieces of the client's memory. */
struct part_memory {
	struct disk *disk;
	struct disk_client *client;
	struct disk_work *work;
};

/* Where byte offset of the part is, and how much from there on. */
static const struct disk_segment *part_segment(const struct part_memory *memory,
					       uint64_t offset, uint64_t *skip)
{
	const struct disk_request *request = &memory->work->request;

	*skip = offset + (uint64_t)memory->work->done * DISK_SECTOR;
	for (uint32_t i = 0; i < request->segment_count; i++) {
		if (*skip < request->segment[i].length)
			return &request->segment[i];
		*skip -= request->segment[i].length;
	}
	return NULL;
}

/* One of to and from is NULL. */
static int part_copy(const struct part_memory *memory, uint64_t offset,
		     uint8_t *to, const uint8_t *from, uint32_t length)
{
	const struct disk *disk = memory->disk;
	unsigned slot = memory->client->slot;

	for (uint32_t done = 0; done < length;) {
		uint64_t skip;
		const struct disk_segment *s =
			part_segment(memory, offset + done, &skip);
		uint32_t n;
		int error;

		if (!s)
			return -EFAULT;
		n = (uint32_t)MIN(length - done, s->length - skip);
		if (to)
			error = disk->ops->copy_in(
				disk->ctx, slot, s->where + skip, to + done, n);
		else
			error = disk->ops->copy_out(disk->ctx, slot,
						    s->where + skip,
						    from + done, n);
		if (error)
			return -EFAULT;
		done += n;
	}
	return 0;
}

static int from_client(void *ctx, uint64_t offset, void *bytes, uint32_t length)
{
	return part_copy(ctx, offset, bytes, NULL, length);
}

static int to_client(void *ctx, uint64_t offset, const void *bytes,
		     uint32_t length)
{
	return part_copy(ctx, offset, NULL, bytes, length);
}

/* Nothing of it reaches the drive. */
static bool dead_end(struct disk *disk, struct disk_client *client,
		     struct disk_work *work)
{
	work->part_max = work->part =
		block_sectors(drive_of(disk, unit_of(client, work)));
	part_end(disk, client, work, -EIO);
	return true;
}

/* A part that the overlay does at once, or a read of what it has not. */
static bool overlay_begin(struct disk *disk, struct disk_client *client,
			  struct disk_work *work, uint32_t max)
{
	struct overlay *overlay = &unit_of(client, work)->overlay;
	uint64_t sector = work->request.sector + work->done;
	struct part_memory memory = { disk, client, work };
	const struct overlay_copy copy = { from_client, to_client, &memory };
	bool is_here;
	int status;

	work->part = max;
	if (work->request.op == DISK_OP_WRITE) {
		status =
			overlay_write(overlay, sector, max, &copy, &work->part);
	} else if (work->request.op == DISK_OP_READ) {
		work->part = overlay_run(overlay, sector, max, &is_here);
		if (!is_here && drive_of(disk, unit_of(client, work))->is_dead)
			return dead_end(disk, client, work);
		if (!is_here)
			return data_begin(disk, client, work, work->part);
		status = overlay_read(overlay, sector, work->part, &copy);
	} else {
		status = overlay_clear(overlay, sector, max,
				       work->request.op == DISK_OP_DISCARD,
				       &work->part);
	}
	part_end(disk, client, work, status);
	return true;
}

/* ---- Beginning ----------------------------------------------------------- */

bool part_begin(struct disk *disk, struct disk_client *client,
		struct disk_work *work, uint64_t *bytes)
{
	struct disk_unit *unit = unit_of(client, work);
	uint32_t left = work->request.sector_count - work->done;
	uint32_t max = MIN(left, work->part_max);
	bool has_room;

	work->is_flush = false;
	work->part = 0;
	*bytes = 0;
	if (drive_of(disk, unit)->is_dead && !unit->has_overlay)
		return dead_end(disk, client, work);
	if (!left)
		return flush_begin(disk, client, work);
	if (unit->has_overlay)
		has_room = overlay_begin(disk, client, work, max);
	else if (op_has_data(work->request.op))
		has_room = data_begin(disk, client, work, max);
	else
		has_room = clear_begin(disk, client, work, left);
	if (has_room && work_moves_data(disk, client, work))
		*bytes = (uint64_t)work->part * DISK_SECTOR;
	return has_room;
}

/* ---- Resets -------------------------------------------------------------- */

static void work_again(struct disk *disk, struct disk_client *client,
		       struct disk_work *work)
{
	busy_end(disk, client, work);
	if (work->is_stale) {
		client_drop(client, work);
	} else if (++work->resets > DISK_RETRIES) {
		/* Not in halves: each would take DISK_TIMEOUT_NS again. */
		work->part =
			block_sectors(drive_of(disk, unit_of(client, work)));
		part_end(disk, client, work, -EIO);
	} else {
		queue_put_first(disk, client, work);
	}
}

/* The oldest that is in the drive; in_flight is not 0. */
static uint64_t oldest_ns(const struct disk *disk, unsigned number)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < DISK_CLIENTS; i++) {
		const struct disk_client *client = &disk->client[i];

		for (unsigned n = 0; client->busy && n < DISK_IN_FLIGHT; n++) {
			const struct disk_work *work = &client->work[n];
			unsigned unit = work->request.drive;

			if (work->state == REQUEST_BUSY &&
			    client->unit[unit].drive == number)
				oldest = MIN(oldest, work->begin_ns);
		}
	}
	return oldest;
}

bool drive_is_late(struct disk *disk, unsigned number)
{
	struct disk_drive *drive = &disk->drive[number];

	if (!drive->in_flight || disk->now_ns < drive->check_ns)
		return false;
	drive->check_ns = oldest_ns(disk, number) + DISK_TIMEOUT_NS;
	return disk->now_ns >= drive->check_ns;
}

void disk_drive_reset(struct disk *disk, unsigned number, bool is_dead)
{
	struct disk_drive *drive;

	if (number >= DISK_HOST_DRIVES || !disk->drive[number].ops)
		return;
	drive = &disk->drive[number];
	drive->is_dead |= is_dead;
	for (unsigned i = 0; i < DISK_CLIENTS; i++) {
		struct disk_client *client = &disk->client[i];

		for (unsigned n = 0; client->busy && n < DISK_IN_FLIGHT; n++) {
			struct disk_work *work = &client->work[n];

			if (work->state == REQUEST_BUSY &&
			    unit_of(client, work)->drive == number)
				work_again(disk, client, work);
		}
	}
	drive->is_full = false;
}
