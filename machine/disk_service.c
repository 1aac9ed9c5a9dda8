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
static uint32_t piece_build(struct service_disk *disk)
{
	const struct block_request *request = disk->request;
	struct disk_request *piece = &disk->piece;
	uint64_t bytes = 0, max = MIN(disk->left, DISK_SECTORS_MAX);
	uint32_t offset = disk->offset, bounced = 0;

	max *= DISK_SECTOR;
	piece->segment_count = 0;
	for (uint32_t i = disk->segment;
	     i < request->segment_count && bytes < max; i++) {
		const struct block_segment *from = &request->segment[i];
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

/* The first so many bytes of the piece, as far as they are bounced. */
static void piece_copy(struct service_disk *disk, bool to_request,
		       uint64_t bytes)
{
	uint32_t offset = disk->offset;

	for (uint32_t i = 0; i < disk->piece.segment_count; i++) {
		const struct disk_segment *at = &disk->piece.segment[i];
		uint8_t *host = disk->request->segment[disk->segment + i].host;
		uint8_t *bounce = disk->service->channel->bounce +
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
static void piece_advance(struct service_disk *disk)
{
	for (uint32_t i = 0; i < disk->piece.segment_count; i++) {
		disk->offset += disk->piece.segment[i].length;
		if (disk->offset < disk->request->segment[disk->segment].length)
			break;
		disk->segment++;
		disk->offset = 0;
	}
	disk->piece.sector += disk->piece.sector_count;
	disk->left -= disk->piece.sector_count;
}

/* ---- Requests ------------------------------------------------------------ */

static void request_end(struct service_disk *disk, int status)
{
	struct block_request *request = disk->request;

	disk->request = NULL;
	request->done(request->dev, request, status);
}

/* All before the piece has been moved. */
static void request_fail(struct service_disk *disk, int status)
{
	if (disk->piece.sector > disk->request->sector)
		disk->request->failed_sector = disk->piece.sector;
	request_end(disk, status);
}

static void all_fail(struct disk_service *service, int status)
{
	for (unsigned i = 0; i < service->count; i++) {
		struct service_disk *disk = &service->disk[i];

		if (disk->request &&
		    disk_client_cancel(&service->link, disk->piece.id))
			request_fail(disk, status);
	}
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

static void piece_send(struct service_disk *disk)
{
	static const uint8_t ops[] = {
		[BLOCK_READ] = DISK_OP_READ,
		[BLOCK_WRITE] = DISK_OP_WRITE,
		[BLOCK_FLUSH] = DISK_OP_FLUSH,
	};
	struct disk_service *service = disk->service;
	struct disk_request *piece = &disk->piece;

	piece->id = ++service->id;
	piece->drive = disk->config->drive;
	piece->op = ops[disk->request->op];
	piece->flags = disk->request->is_fua ? DISK_FUA : 0;
	piece->reserved = 0;
	piece->sector_count = piece_build(disk);
	if (disk->request->op == BLOCK_WRITE)
		piece_copy(disk, false, UINT64_MAX);
	if ((disk->request->op != BLOCK_FLUSH && !piece->sector_count) ||
	    disk_client_submit(&service->link, piece)) {
		request_fail(disk, -EIO);
		return;
	}
	rings_run(service);
}

static void disk_submit(void *ctx, struct block_request *request)
{
	struct service_disk *disk = ctx;
	const struct disk_service *service = disk->service;
	uint64_t bytes = 0;

	if (disk->request || disk->is_gone || service->is_broken ||
	    service->has_given_up) {
		request->done(request->dev, request,
			      disk->is_gone ? -ENODEV : -EIO);
		return;
	}
	for (uint32_t i = 0; i < request->segment_count; i++)
		bytes += request->segment[i].length;
	disk->request = request;
	disk->is_cancelled = false;
	disk->left = bytes / DISK_SECTOR;
	disk->segment = 0;
	disk->offset = 0;
	disk->piece.sector = request->op == BLOCK_FLUSH ? 0 : request->sector;
	piece_send(disk);
}

static void disk_cancel(void *ctx, struct block_request *request)
{
	struct service_disk *disk = ctx;

	if (disk->request != request)
		return;
	disk->is_cancelled = true;
	if (disk_client_cancel(&disk->service->link, disk->piece.id))
		request_fail(disk, -ECANCELED);
}

/* ---- Replies ------------------------------------------------------------- */

static void piece_good(struct service_disk *disk)
{
	if (disk->request->op == BLOCK_READ)
		piece_copy(disk, true, UINT64_MAX);
	piece_advance(disk);
	if (!disk->left)
		request_end(disk, 0);
	else if (disk->is_cancelled)
		request_fail(disk, -ECANCELED);
	else
		piece_send(disk);
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

static void piece_bad(struct service_disk *disk, int status, uint64_t sector)
{
	struct disk_request *piece = &disk->piece;
	uint64_t moved = sector - piece->sector;

	if (status == -EIO && moved < piece->sector_count) {
		if (disk->request->op == BLOCK_READ)
			piece_copy(disk, true, moved * DISK_SECTOR);
		disk->request->failed_sector = sector;
		request_end(disk, -EIO);
	} else {
		request_fail(disk, status_of(status));
	}
}

static void op_done(void *ctx, uint64_t id, int status, uint64_t sector)
{
	struct disk_service *service = ctx;

	for (unsigned i = 0; i < service->count; i++) {
		struct service_disk *disk = &service->disk[i];

		if (!disk->request || disk->piece.id != id)
			continue;
		if (status)
			piece_bad(disk, status, sector);
		else
			piece_good(disk);
		return;
	}
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
	if (!disk->request || (!is_gone && !is_changed) ||
	    !disk_client_cancel(&disk->service->link, disk->piece.id))
		return;
	if (is_gone)
		request_fail(disk, -ENODEV);
	else
		piece_send(disk);
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

static bool is_waited_for(const struct disk_service *service,
			  const struct block_request *request)
{
	for (unsigned i = 0; i < service->count; i++)
		if (request ? service->disk[i].request == request
			    : service->disk[i].request != NULL)
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
