/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients' rings.  A record is copied once and checked as a copy: what breaks
 * the protocol ends the client's service, what a guest may have asked for in
 * earnest is answered with an error.
 *
 * A request is taken only when there is room for the replies to all that were
 * taken before, for its own and for a HELLO: a reply never waits.
 */
#include "services/disk/inner.h"

#include "include/errno.h"
#include "lib/string.h"
#include "lib/user/shared.h"
#include "services/disk/window.h"

#define TAKEN_MAX  16 /* records at a time */
#define REPLY_SIZE ((long)(sizeof(uint32_t) + sizeof(struct disk_reply)))

static void client_cut(struct disk *disk, struct disk_client *client,
		       const char *why)
{
	if (client->state == CLIENT_BROKEN)
		return;
	client->state = CLIENT_BROKEN;
	client_abandon(disk, client);
	disk_log(disk, "[%s] has broken the protocol and is cut off: %s",
		 client->name, why);
	disk->ops->broken(disk->ctx, client->slot, why);
}

/* ---- Replies ------------------------------------------------------------- */

static void reply_put(struct disk *disk, struct disk_client *client,
		      const struct disk_reply *reply)
{
	if (ring_put(&client->out, reply, sizeof(*reply),
		     &client->is_bell_due) <= 0)
		client_cut(disk, client, "its replies' counter lies");
}

static void work_free(struct disk_client *client, struct disk_work *work)
{
	work->state = REQUEST_FREE;
	client->used--;
	client->is_active = true;
}

void client_reply(struct disk *disk, struct disk_client *client,
		  struct disk_work *work, int status, uint64_t sector)
{
	struct disk_reply reply = {
		.id = work->request.id,
		.generation = client->generation,
		.sector = sector,
		.kind = DISK_REPLY_DONE,
		.status = status,
	};

	work_free(client, work);
	reply_put(disk, client, &reply);
}

void client_drop(struct disk_client *client, struct disk_work *work)
{
	work_free(client, work);
}

void client_abandon(struct disk *disk, struct disk_client *client)
{
	(void)disk;
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_work *work = &client->work[i];

		if (work->state == REQUEST_BUSY)
			work->is_stale = true;
		else if (work->state == REQUEST_QUEUED)
			work_free(client, work);
	}
	for (unsigned i = 0; i < DISK_DRIVES; i++)
		client->unit[i].queue = (struct disk_queue){ 0 };
}

/* ---- HELLO --------------------------------------------------------------- */

uint32_t unit_flags(const struct disk *disk, const struct disk_unit *unit)
{
	const struct drive_info *drive = &disk->drive[unit->drive].info;
	uint32_t flags = DISK_DRIVE_PRESENT;

	if (unit->is_read_only)
		flags |= DISK_DRIVE_READ_ONLY;
	if (drive->has_flush && !unit->has_overlay)
		flags |= DISK_DRIVE_CACHE;
	if (drive->has_discard || unit->has_overlay)
		flags |= DISK_DRIVE_DISCARD;
	if (unit->has_overlay)
		flags |= DISK_DRIVE_BOUNCE;
	if (unit->is_flush_lost)
		flags |= DISK_DRIVE_LOST;
	return flags;
}

void client_info(struct disk *disk, struct disk_client *client, unsigned number)
{
	struct disk_unit *unit = &client->unit[number];
	struct disk_drive_info info;

	memset(&info, 0, sizeof(info));
	if (unit->is_there) {
		info.sector_count = unit->count;
		info.block_size = drive_of(disk, unit)->info.block_size;
		info.flags = unit_flags(disk, unit);
		if (!client->window[WINDOW_MEMORY].size)
			info.flags |= DISK_DRIVE_BOUNCE;
	}
	shared_copy_out((uint8_t *)&client->channel->drive[number], &info,
			sizeof(info));
}

/* True: there is room for so many replies, or it is broken; a doorbell was
 * asked for if not. */
static bool replies_fit(struct disk *disk, struct disk_client *client,
			unsigned count)
{
	do {
		long room = ring_space(&client->out);

		if (room < 0)
			client_cut(disk, client, "its replies' counter lies");
		if (room < 0 || room >= count * REPLY_SIZE)
			return true;
	} while (!ring_sleep(&client->out));
	return false;
}

static void client_greet(struct disk *disk, struct disk_client *client)
{
	struct disk_reply reply = {
		.id = client->hello,
		.generation = client->generation + 1,
		.kind = DISK_REPLY_HELLO,
	};

	if (client->busy || !replies_fit(disk, client, 1) ||
	    client->state != CLIENT_GREETING)
		return;
	client->generation++;
	client->state = CLIENT_OPEN;
	for (unsigned i = 0; i < DISK_DRIVES; i++)
		client_info(disk, client, i);
	reply_put(disk, client, &reply);
}

/* ---- Requests ------------------------------------------------------------ */

static struct disk_work *work_find(struct disk_client *client, uint64_t id)
{
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++)
		if (client->work[i].state != REQUEST_FREE &&
		    client->work[i].request.id == id)
			return &client->work[i];
	return NULL;
}

static struct disk_work *work_new(struct disk_client *client)
{
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++)
		if (client->work[i].state == REQUEST_FREE)
			return &client->work[i];
	return NULL;
}

/* What no machine asks for; NULL: it keeps to the protocol. */
static const char *violation(struct disk_client *client,
			     const struct disk_request *request)
{
	if (request->op < DISK_OP_READ || request->op > DISK_OP_WRITE_ZEROES)
		return "an unknown operation";
	if (request->drive >= DISK_DRIVES)
		return "a drive that cannot be";
	if (request->flags & ~DISK_FUA)
		return "unknown flags";
	if (request->segment_count && !op_has_data(request->op))
		return "segments without data";
	if (work_find(client, request->id))
		return "an id that is in flight";
	return NULL;
}

/* is_bounce_only: this program's CPU moves the data. */
static int segments_check(const struct disk_client *client,
			  const struct disk_request *request,
			  bool is_bounce_only)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < request->segment_count; i++) {
		const struct disk_segment *segment = &request->segment[i];
		bool is_bounce = segment->where & DISK_WHERE_BOUNCE;

		if ((is_bounce_only && !is_bounce) ||
		    !window_holds(&client->window[is_bounce ? WINDOW_BOUNCE
							    : WINDOW_MEMORY],
				  segment->where & ~DISK_WHERE_BOUNCE,
				  segment->length))
			return -EFAULT;
		bytes += segment->length;
	}
	return bytes == (uint64_t)request->sector_count * DISK_SECTOR ? 0
								      : -EINVAL;
}

static int range_check(const struct disk_unit *unit, uint32_t block,
		       const struct disk_request *request)
{
	uint32_t max =
		op_has_data(request->op) ? DISK_SECTORS_MAX : DISK_CLEAR_MAX;

	if (!request->sector_count || request->sector_count > max ||
	    request->sector % block || request->sector_count % block)
		return -EINVAL;
	if (request->sector > unit->count ||
	    request->sector_count > unit->count - request->sector)
		return -ERANGE;
	return 0;
}

/* What a guest may have asked for: 0, or what it is told. */
static int request_check(struct disk *disk, struct disk_client *client,
			 const struct disk_request *request)
{
	struct disk_unit *unit = &client->unit[request->drive];
	int error;

	if (!unit->is_there)
		return -ENODEV;
	if (request->op == DISK_OP_FLUSH)
		return request->sector_count ? -EINVAL : 0;
	error = range_check(unit,
			    drive_of(disk, unit)->info.block_size / DISK_SECTOR,
			    request);
	if (!error && op_is_write(request->op) && unit->is_read_only)
		error = -EROFS;
	if (!error && op_has_data(request->op))
		error = segments_check(client, request, unit->has_overlay);
	return error;
}

static void request_take(struct disk *disk, struct disk_client *client,
			 const struct disk_request *request)
{
	const char *why = violation(client, request);
	struct disk_work *work = work_new(client);
	int error;

	if (why || !work) {
		client_cut(disk, client, why ? why : "too many requests");
		return;
	}
	memset(work, 0, offsetof(struct disk_work, request));
	memcpy(&work->request, request,
	       DISK_REQUEST_SIZE(request->segment_count));
	/* Drives come by this index, which is the machine's. */
	work->request.drive =
		(uint32_t)index_nospec(request->drive, DISK_DRIVES);
	work->part_max = DISK_PART_MAX;
	client->used++;
	error = request_check(disk, client, &work->request);
	if (error)
		client_reply(disk, client, work, error, request->sector);
	else
		queue_put_last(disk, client, work);
}

static void record_handle(struct disk *disk, struct disk_client *client,
			  const struct disk_request *request, uint32_t length)
{
	if (length < DISK_REQUEST_SIZE(0) ||
	    request->segment_count > DISK_SEGMENTS ||
	    length != DISK_REQUEST_SIZE(request->segment_count)) {
		client_cut(disk, client, "a record of a wrong length");
	} else if (request->op == DISK_OP_HELLO && request->id) {
		client->hello = request->id;
		client->state = CLIENT_GREETING;
		client_abandon(disk, client);
		client_greet(disk, client);
	} else if (request->op == DISK_OP_HELLO) {
		client_cut(disk, client, "a HELLO without an id");
	} else if (request->generation == client->generation) {
		request_take(disk, client, request);
	}
}

/* Room for all that is in flight, one more, and a HELLO. */
static bool can_take(struct disk *disk, struct disk_client *client)
{
	/* Else client_reply() has it looked at again. */
	return client->used < DISK_IN_FLIGHT &&
	       replies_fit(disk, client, client->used + 2) &&
	       client->state == CLIENT_OPEN;
}

static void requests_read(struct disk *disk, struct disk_client *client)
{
	for (unsigned i = 0; i < TAKEN_MAX; i++) {
		struct disk_request request;
		long n;

		if (client->state != CLIENT_OPEN || !can_take(disk, client))
			return;
		n = ring_get(&client->in, &request, sizeof(request),
			     &client->is_bell_due);
		if (n < 0)
			client_cut(disk, client, "its requests' counter lies");
		else if (n)
			record_handle(disk, client, &request, (uint32_t)n);
		else if (ring_sleep(&client->in))
			return;
	}
	client->is_active = true;
}

void client_run(struct disk *disk, struct disk_client *client)
{
	client->is_active = false;
	if (client->state == CLIENT_GREETING)
		client_greet(disk, client);
	if (client->state == CLIENT_OPEN)
		requests_read(disk, client);
}
