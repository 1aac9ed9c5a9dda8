/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks of the service `disk`: machine/disk_service.h. */
#include "machine/disk_service.h"

#include "include/errno.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"
#include "lib/user/shared.h"
#include "machine/wait.h"

#define EVENT	 GATE_EVENT_CHANNEL_BIT(DISK_CLIENT_SLOT)
#define START_NS (5 * NSEC_PER_SEC) /* then it is said what is waited for */

/* ---- Pieces -------------------------------------------------------------- */

/* The window's offset of bytes that the device may reach as they are. */
static bool in_window(const struct service_disk *disk, const uint8_t *host,
		      uint32_t length, uint64_t *where)
{
	const struct disk_service *service = disk->service;
	uint64_t at = (uint64_t)(uintptr_t)host -
		      (uint64_t)(uintptr_t)service->window;

	*where = at;
	return !disk->must_bounce && at < service->window_size &&
	       length <= service->window_size - at;
}

/* Whole sectors: the last segments give up what is too much. */
static uint32_t piece_trim(struct disk_request *piece, uint64_t bytes)
{
	uint64_t excess = bytes % DISK_SECTOR;

	bytes -= excess;
	while (excess) {
		struct disk_segment *last =
			&piece->segment[piece->segment_count - 1];
		uint32_t n = (uint32_t)MIN(excess, last->length);

		last->length -= n;
		piece->segment_count -= !last->length;
		excess -= n;
	}
	return (uint32_t)(bytes / DISK_SECTOR);
}

/* As much of what is left as a request of disk's takes; its sectors. */
static uint32_t piece_build(struct service_request *request)
{
	const struct block_request *block = request->block;
	struct service_disk *disk = request->disk;
	struct disk_request *piece = &request->piece;
	uint64_t bytes = 0, max = MIN(request->left, DISK_SECTORS_MAX);
	uint32_t offset = request->offset, bounced = 0;

	max *= DISK_SECTOR;
	piece->segment_count = 0;
	if (block->op >= BLOCK_DISCARD)
		return (uint32_t)MIN(request->left, DISK_CLEAR_MAX);
	for (uint32_t i = request->segment;
	     i < block->segment_count && bytes < max; i++) {
		const struct block_segment *from = &block->segment[i];
		struct disk_segment *to = &piece->segment[piece->segment_count];
		uint32_t length =
			(uint32_t)MIN(from->length - offset, max - bytes);
		uint32_t whole = length;

		if (!in_window(disk, (const uint8_t *)from->host + offset,
			       length, &to->where)) {
			length = MIN(length, disk->bounce_size - bounced);
			to->where =
				DISK_WHERE_BOUNCE | (disk->bounce_at + bounced);
			bounced += length;
			disk->bouncing = request;
		}
		to->length = length;
		to->reserved = 0;
		piece->segment_count += length != 0;
		bytes += length;
		offset = 0;
		if (length < whole || !length)
			break;
	}
	return piece_trim(piece, bytes);
}

/* Would its next piece go by way of the bounce area? */
static bool needs_bounce(const struct service_request *request)
{
	const struct block_request *block = request->block;
	uint64_t where;

	for (uint32_t i = request->segment; i < block->segment_count; i++)
		if (!in_window(request->disk, block->segment[i].host,
			       block->segment[i].length, &where))
			return true;
	return false;
}

/* The first so many bytes of the piece, as far as they are bounced. */
static void piece_copy(struct service_request *request, bool to_request,
		       uint64_t bytes)
{
	const struct disk_service *service = request->disk->service;
	uint32_t offset = request->offset;

	for (uint32_t i = 0; i < request->piece.segment_count; i++) {
		const struct disk_segment *at = &request->piece.segment[i];
		uint8_t *host =
			request->block->segment[request->segment + i].host;
		uint8_t *bounce = service->channel->bounce +
				  (uint32_t)(at->where & ~DISK_WHERE_BOUNCE);
		uint32_t n = (uint32_t)MIN(bytes, at->length);

		if (!(at->where & DISK_WHERE_BOUNCE))
			;
		else if (to_request)
			shared_copy_in(host + offset, bounce, n);
		else
			shared_copy_out(bounce, host + offset, n);
		bytes -= n;
		offset = 0;
	}
}

/* It has been moved. */
static void piece_advance(struct service_request *request)
{
	const struct block_segment *segment = request->block->segment;

	for (uint32_t i = 0; i < request->piece.segment_count; i++) {
		request->offset += request->piece.segment[i].length;
		if (request->offset < segment[request->segment].length)
			break;
		request->segment++;
		request->offset = 0;
	}
	request->piece.sector += request->piece.sector_count;
	request->left -= request->piece.sector_count;
}

/* ---- Requests ------------------------------------------------------------ */

/* The piece is with nobody any more. */
static void bounce_release(struct service_request *request)
{
	if (request->disk->bouncing == request)
		request->disk->bouncing = NULL;
}

static void request_end(struct service_request *request, int status)
{
	struct block_request *block = request->block;

	bounce_release(request);
	request->block = NULL;
	block->done(block->dev, block, status);
}

/* All before the piece has been moved. */
static void request_fail(struct service_request *request, int status)
{
	if (request->piece.sector > request->block->sector)
		request->block->failed_sector = request->piece.sector;
	request_end(request, status);
}

/* disk does not have its piece, and will not. */
static bool piece_withdraw(struct service_request *request)
{
	struct disk_service *service = request->disk->service;

	return request->is_waiting ||
	       disk_client_cancel(&service->link, request->piece.id);
}

/* The n-th of all; NULL: there are no more. */
static struct service_request *request_at(struct disk_service *service,
					  unsigned n)
{
	return n < service->count * DISK_SERVICE_DEPTH
		       ? &service->disk[n / DISK_SERVICE_DEPTH]
				  .request[n % DISK_SERVICE_DEPTH]
		       : NULL;
}

static void all_fail(struct disk_service *service, int status)
{
	struct service_request *request;

	for (unsigned n = 0; (request = request_at(service, n)); n++)
		if (request->block && piece_withdraw(request))
			request_fail(request, status);
}

static void rings_run(struct disk_service *service)
{
	if (service->is_running)
		return;
	service->is_running = true;
	disk_client_run(&service->link);
	service->is_running = false;
	if (!service->link.is_broken || service->is_broken)
		return;
	service->is_broken = true;
	gate_log(GATE_LOG_ERROR,
		 "the service disk has broken its channel: its disks fail");
	all_fail(service, -EIO);
}

/* What is in the way ends some time, and then requests_go_on(). */
static void piece_send(struct service_request *request)
{
	static const uint8_t ops[] = {
		[BLOCK_READ] = DISK_OP_READ,
		[BLOCK_WRITE] = DISK_OP_WRITE,
		[BLOCK_FLUSH] = DISK_OP_FLUSH,
		[BLOCK_DISCARD] = DISK_OP_DISCARD,
		[BLOCK_ZEROES] = DISK_OP_WRITE_ZEROES,
	};
	struct service_disk *disk = request->disk;
	struct disk_service *service = disk->service;
	struct disk_request *piece = &request->piece;

	request->is_waiting = service->link.count == DISK_IN_FLIGHT ||
			      (disk->bouncing && disk->bouncing != request &&
			       needs_bounce(request));
	if (request->is_waiting)
		return;
	piece->id = ++service->id;
	piece->drive = disk->config->drive;
	piece->op = ops[request->block->op];
	piece->flags = request->block->is_fua ? DISK_FUA : 0;
	piece->reserved = 0;
	piece->sector_count = piece_build(request);
	if (request->block->op == BLOCK_WRITE)
		piece_copy(request, false, UINT64_MAX);
	if ((request->block->op != BLOCK_FLUSH && !piece->sector_count) ||
	    disk_client_submit(&service->link, piece)) {
		request_fail(request, -EIO);
		return;
	}
	rings_run(service);
}

/* There may be room now. */
static void requests_go_on(struct disk_service *service)
{
	struct service_request *request;

	for (unsigned n = 0; (request = request_at(service, n)); n++)
		if (request->block && request->is_waiting)
			piece_send(request);
}

static struct service_request *request_free(struct service_disk *disk)
{
	for (unsigned i = 0; i < DISK_SERVICE_DEPTH; i++)
		if (!disk->request[i].block)
			return &disk->request[i];
	return NULL;
}

static void disk_submit(void *ctx, struct block_request *block)
{
	struct service_disk *disk = ctx;
	const struct disk_service *service = disk->service;
	struct service_request *request = request_free(disk);
	uint64_t bytes = 0;

	if (!request || disk->is_gone || service->is_broken ||
	    service->has_given_up) {
		block->done(block->dev, block, disk->is_gone ? -ENODEV : -EIO);
		return;
	}
	for (uint32_t i = 0; i < block->segment_count; i++)
		bytes += block->segment[i].length;
	request->block = block;
	request->is_cancelled = false;
	request->left = block->op >= BLOCK_DISCARD ? block->clear_count
						   : bytes / DISK_SECTOR;
	request->segment = 0;
	request->offset = 0;
	request->piece.sector = block->op == BLOCK_FLUSH ? 0 : block->sector;
	piece_send(request);
}

static void disk_cancel(void *ctx, struct block_request *block)
{
	struct service_disk *disk = ctx;

	for (unsigned i = 0; i < DISK_SERVICE_DEPTH; i++) {
		struct service_request *request = &disk->request[i];

		if (request->block != block)
			continue;
		request->is_cancelled = true;
		if (piece_withdraw(request))
			request_fail(request, -ECANCELED);
	}
	requests_go_on(disk->service);
}

/* ---- Replies ------------------------------------------------------------- */

static void piece_good(struct service_request *request)
{
	if (request->block->op == BLOCK_READ)
		piece_copy(request, true, UINT64_MAX);
	piece_advance(request);
	bounce_release(request);
	if (!request->left)
		request_end(request, 0);
	else if (request->is_cancelled)
		request_fail(request, -ECANCELED);
	else
		piece_send(request);
}

/* What a drive of the machine's says, of all that disk may. */
static int status_of(int status)
{
	switch (status) {
	case -EROFS:
	case -ERANGE:
	case -ENODEV:
	case -ECANCELED:
		return status;
	default:
		return -EIO;
	}
}

static void piece_bad(struct service_request *request, int status,
		      uint64_t sector)
{
	struct disk_request *piece = &request->piece;
	uint64_t moved = sector - piece->sector;

	if (status == -EIO && moved < piece->sector_count) {
		if (request->block->op == BLOCK_READ)
			piece_copy(request, true, moved * DISK_SECTOR);
		request->block->failed_sector = sector;
		request_end(request, -EIO);
	} else {
		request_fail(request, status_of(status));
	}
}

static void op_done(void *ctx, uint64_t id, int status, uint64_t sector)
{
	struct disk_service *service = ctx;
	struct service_request *request;

	for (unsigned n = 0; (request = request_at(service, n)); n++) {
		if (!request->block || request->is_waiting ||
		    request->piece.id != id)
			continue;
		if (status)
			piece_bad(request, status, sector);
		else
			piece_good(request);
		break;
	}
	requests_go_on(service);
}

static void op_doorbell(void *ctx)
{
	(void)ctx;
	/* -EPIPE: whoever comes next looks at the rings first. */
	(void)gate_doorbell(DISK_CLIENT_SLOT);
}

/* ---- Drives -------------------------------------------------------------- */

static struct disk_drive_info info_read(const struct service_disk *disk)
{
	struct disk_drive_info info;

	shared_copy_in(&info,
		       (const uint8_t *)&disk->service->channel
			       ->drive[disk->config->drive],
		       sizeof(info));
	return info;
}

/* Not as the guest knows it. */
static bool is_other(const struct service_disk *disk,
		     const struct disk_drive_info *info)
{
	return !(info->flags & DISK_DRIVE_PRESENT) ||
	       info->sector_count != disk->backend.sector_count ||
	       (info->flags & DISK_DRIVE_READ_ONLY &&
		!disk->backend.is_read_only);
}

static void disk_look(struct service_disk *disk)
{
	const struct disk_drive_info info = info_read(disk);
	bool must_bounce = info.flags & DISK_DRIVE_BOUNCE;
	bool is_gone = is_other(disk, &info);
	bool is_changed = disk->must_bounce != must_bounce;

	if (is_gone != disk->is_gone)
		gate_log(GATE_LOG_WARNING, "disk at unit %u: %s",
			 disk->config->unit,
			 is_gone ? "is gone, or another one now: it fails"
				 : "is back");
	disk->is_gone = is_gone;
	disk->must_bounce = must_bounce;
	for (unsigned i = 0; i < DISK_SERVICE_DEPTH; i++) {
		struct service_request *request = &disk->request[i];

		if (!request->block || (!is_gone && !is_changed) ||
		    !piece_withdraw(request))
			continue;
		bounce_release(request);
		if (is_gone)
			request_fail(request, -ENODEV);
		else
			piece_send(request);
	}
}

static void op_hello(void *ctx)
{
	struct disk_service *service = ctx;

	if (service->has_given_up)
		gate_log(GATE_LOG_INFO, "the service disk is there again");
	service->has_given_up = false;
	clock_timer_disarm(service->clock, &service->away);
	for (unsigned i = 0; i < service->count; i++)
		if (service->disk[i].backend.submit)
			disk_look(&service->disk[i]);
	requests_go_on(service);
}

static const struct disk_client_ops client_ops = {
	.done = op_done,
	.doorbell = op_doorbell,
	.hello = op_hello,
};

/* ---- Events -------------------------------------------------------------- */

static bool is_alone(void)
{
	return gate_channel_state(DISK_CLIENT_SLOT) != GATE_CHANNEL_OPEN;
}

/*
 * What the dead one has answered, then its end.  A HELLO among it may be a
 * successor's or not; the channel says.
 */
static void look(struct disk_service *service)
{
	for (unsigned i = 0; i < 3 && is_alone(); i++) {
		service->is_running = true;
		disk_client_alone(&service->link);
		service->is_running = false;
		if (service->link.is_alone)
			break;
	}
	rings_run(service);
}

void disk_service_event(struct disk_service *service)
{
	if (!service->count || service->is_broken)
		return;
	look(service);
	if (service->link.is_alone && !service->away.is_armed &&
	    !service->has_given_up)
		clock_timer_arm(service->clock, &service->away,
				clock_now(service->clock) +
					DISK_SERVICE_AWAY_NS);
}

static void away_expired(void *dev)
{
	struct disk_service *service = dev;

	look(service);
	if (!service->link.is_alone)
		return;
	service->has_given_up = true;
	gate_log(GATE_LOG_ERROR,
		 "the service disk has been away for %u s: its disks fail",
		 (unsigned)(DISK_SERVICE_AWAY_NS / NSEC_PER_SEC));
	all_fail(service, -EIO);
}

static bool is_waited_for(struct disk_service *service,
			  const struct block_request *block)
{
	const struct service_request *request;

	for (unsigned n = 0; (request = request_at(service, n)); n++)
		if (block ? request->block == block : request->block != NULL)
			return true;
	return false;
}

/* request: NULL for all of them.  Whether they have ended. */
static bool wait_for(struct disk_service *service,
		     const struct block_request *request, unsigned thread)
{
	uint64_t until_ns;

	if (!is_waited_for(service, request))
		return true;
	until_ns = gate_now_ns() + DISK_SERVICE_DRAIN_NS;
	machine_wait_begin(EVENT, thread);
	for (;;) {
		disk_service_event(service);
		if (!is_waited_for(service, request) ||
		    gate_now_ns() >= until_ns)
			break;
		machine_wait(until_ns);
	}
	/* As it is by now: an event may have armed away. */
	machine_wait_end(EVENT, service->clock->announced_ns);
	return !is_waited_for(service, request);
}

bool disk_service_drain(struct disk_service *service, unsigned thread)
{
	return wait_for(service, NULL, thread);
}

static void disk_wait(void *ctx, const struct block_request *request)
{
	struct service_disk *disk = ctx;

	(void)wait_for(disk->service, request, gate_thread());
}

/* ---- Start --------------------------------------------------------------- */

void disk_service_init(struct disk_service *service,
		       const struct disk_service_config *config)
{
	memset(service, 0, sizeof(*service));
	service->channel = config->channel;
	service->window = config->window;
	service->window_size = config->window_size;
	service->clock = config->clock;
	service->away.expired = away_expired;
	service->away.dev = service;
	disk_client_init(&service->link, config->channel, config->hello,
			 &client_ops, service);
}

struct block_backend *disk_service_add(struct disk_service *service,
				       const struct machine_disk_config *config)
{
	struct service_disk *disk = &service->disk[service->count++];

	disk->service = service;
	disk->config = config;
	disk->backend.ctx = disk;
	disk->backend.has_fua = true;
	disk->backend.can_clear = true;
	disk->backend.depth = DISK_SERVICE_DEPTH;
	for (unsigned i = 0; i < DISK_SERVICE_DEPTH; i++)
		disk->request[i].disk = disk;
	return &disk->backend;
}

/* NULL: it will do. */
static const char *complaint(const struct service_disk *disk,
			     const struct disk_drive_info *info)
{
	if (!(info->flags & DISK_DRIVE_PRESENT))
		return "the service disk does not have it";
	if (!info->sector_count)
		return "has no sectors";
	if (info->flags & DISK_DRIVE_READ_ONLY && !disk->config->is_read_only &&
	    !disk->config->is_cdrom)
		return "can only be read";
	if (info->block_size != DISK_SECTOR)
		return "its blocks are not of 512 bytes";
	return NULL;
}

static int disk_begin(struct service_disk *disk)
{
	const struct disk_drive_info info = info_read(disk);
	const char *why = complaint(disk, &info);

	if (why) {
		gate_log(GATE_LOG_ERROR, "disk at unit %u: %s",
			 disk->config->unit, why);
		return -ENODEV;
	}
	disk->backend.sector_count = info.sector_count;
	disk->backend.is_read_only =
		disk->config->is_read_only || info.flags & DISK_DRIVE_READ_ONLY;
	disk->must_bounce = info.flags & DISK_DRIVE_BOUNCE;
	disk->backend.submit = disk_submit;
	disk->backend.cancel = disk_cancel;
	disk->backend.wait = disk_wait;
	return 0;
}

/* Whether it has come.  Says that it waits, if that takes long. */
static bool hello_wait(struct disk_service *service)
{
	uint64_t begin_ns = gate_now_ns(), until_ns = begin_ns + START_NS;

	for (;;) {
		look(service);
		if (service->link.generation && !service->link.is_alone)
			return true;
		if (service->link.is_broken ||
		    gate_now_ns() - begin_ns >= DISK_SERVICE_AWAY_NS)
			return false;
		if (gate_now_ns() >= until_ns) {
			gate_log(GATE_LOG_INFO, "waits for the service disk");
			until_ns = begin_ns + DISK_SERVICE_AWAY_NS;
		}
		machine_wait(until_ns);
	}
}

int disk_service_open(struct disk_service *service)
{
	uint32_t part;
	bool is_there;
	int error = 0;

	if (!service->count)
		return 0;
	is_there = hello_wait(service);
	gate_timer(UINT64_MAX);
	if (!is_there) {
		gate_log(GATE_LOG_ERROR, "the service disk does not answer");
		return -ENODEV;
	}
	part = ALIGN_DOWN(DISK_BOUNCE_SIZE / service->count, DISK_SECTOR);
	for (unsigned i = 0; i < service->count && !error; i++) {
		service->disk[i].bounce_at = i * part;
		service->disk[i].bounce_size = part;
		error = disk_begin(&service->disk[i]);
	}
	return error;
}
