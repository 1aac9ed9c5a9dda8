/* SPDX-License-Identifier: BSD-2-Clause */
/* See virtio_drive.h. */
#include "services/disk/virtio_drive.h"

#include "include/errno.h"
#include "lib/string.h"

#define POLLS_MAX 8 /* of its queues at a time */
/* Sectors of one DISCARD or WRITE_ZEROES: 32 MiB, which a drive that writes the
 * zeroes does within DISK_TIMEOUT_NS. */
#define CLEAR_MAX 65536U

/* "00:04.0", as in the monitor's log. */
#define ADDRESS_FORMAT "%02x:%02x.%x"
#define ADDRESS(drive)                                                     \
	(drive)->config.address >> 8, (drive)->config.address >> 3 & 0x1f, \
		(drive)->config.address & 7

static uint64_t now_ns(const struct virtio_drive *drive)
{
	const struct pci_access *pci = &drive->config.pci;

	return pci->ops->now_ns(pci->ctx);
}

/* ---- Resets -------------------------------------------------------------- */

/* It reaches no memory any more, and what was in flight has come back. */
static void cut_off(struct virtio_drive *drive)
{
	drive->ready = drive->unkicked = 0;
	if (!virtio_blk_cut_off(&drive->blk))
		return;
	disk_log(drive->disk, ADDRESS_FORMAT " %s", ADDRESS(drive),
		 virtio_blk_why(&drive->blk));
	/* Before it WORKS it was told of no client's memory. */
	if (drive->state == VIRTIO_DRIVE_WORKS)
		drive->config.ops->runaway(drive->config.ctx);
}

static int die(struct virtio_drive *drive, const char *why)
{
	disk_log(drive->disk,
		 "drive \"%s\", " ADDRESS_FORMAT ", is dead: it %s",
		 drive->blk.serial, ADDRESS(drive), why);
	cut_off(drive);
	drive->state = VIRTIO_DRIVE_DEAD;
	return -EIO;
}

/* What the core believes of it since disk_drive_add(). */
static bool is_another(const struct virtio_drive *drive)
{
	const struct virtio_blk_info *a = &drive->info, *b = &drive->blk.info;

	return a->block_size != b->block_size ||
	       a->is_read_only != b->is_read_only ||
	       a->has_flush != b->has_flush ||
	       a->can_discard != b->can_discard ||
	       a->can_write_zeroes != b->can_write_zeroes;
}

/* Faster where the device flushes; without it each write would be. */
static void cache_on(struct virtio_blk *blk)
{
	if (blk->info.can_set_write_cache && blk->info.has_flush &&
	    !blk->info.has_write_cache)
		(void)!virtio_blk_set_write_cache(blk, true);
}

static void capacity_tell(struct virtio_drive *drive)
{
	drive->info.sectors = drive->blk.info.sectors;
	if (drive->state == VIRTIO_DRIVE_WORKS)
		disk_drive_resized(drive->disk, drive->number,
				   drive->info.sectors);
}

/* On return nothing is in flight; 0: it works again. */
static int start_again(struct virtio_drive *drive)
{
	struct virtio_blk *blk = &drive->blk;

	if (virtio_blk_reset(blk))
		return die(drive, virtio_blk_why(blk));
	drive->ready = drive->unkicked = 0;
	if (++drive->resets > VIRTIO_DRIVE_RESETS)
		return die(drive, "breaks over and over");
	if (virtio_blk_start(blk))
		return die(drive, virtio_blk_why(blk));
	if (is_another(drive))
		return die(drive, "came back from a reset as another");
	cache_on(blk);
	if (blk->info.sectors != drive->info.sectors)
		capacity_tell(drive);
	return 0;
}

/* The driver has found it broken. */
static void broke(struct virtio_drive *drive)
{
	int error;

	if (drive->state == VIRTIO_DRIVE_DEAD)
		return;
	disk_log(drive->disk, "drive \"%s\", " ADDRESS_FORMAT ", %s: reset",
		 drive->blk.serial, ADDRESS(drive),
		 virtio_blk_why(&drive->blk));
	error = start_again(drive);
	if (drive->number < DISK_HOST_DRIVES)
		disk_drive_reset(drive->disk, drive->number, error);
}

/* ---- What the driver says ------------------------------------------------ */

/* The core's and its clients' words for it. */
static int status_of(const struct virtio_blk_request *request, int status)
{
	switch (status) {
	case 0:
	case -EIO:
	case -ERANGE:
	case -EROFS:
	case -EINVAL:
		return status;
	case -ENOSYS:
		/* Is not bound to do anything. */
		if (request->op == VIRTIO_BLK_DISCARD)
			return 0;
		return request->op == VIRTIO_BLK_WRITE_ZEROES ? -ENOSYS : -EIO;
	default:
		return -EIO;
	}
}

static void done(void *ctx, struct virtio_blk_request *request, int status)
{
	struct virtio_drive *drive = ctx;
	struct virtio_drive_slot *slot = request->cookie;

	slot->is_busy = false;
	if (!status)
		drive->resets = 0;
	if (slot == &drive->sync)
		drive->sync_status = status;
	else if (status != -EPIPE) /* disk_drive_reset() does these again */
		disk_complete(drive->disk, slot->cookie,
			      status_of(request, status));
}

static void resized(void *ctx)
{
	capacity_tell(ctx);
}

static const struct virtio_blk_ops blk_ops = {
	.done = done,
	.resized = resized,
};

void virtio_drive_interrupt(struct virtio_drive *drive, uint64_t vectors)
{
	for (; vectors; vectors &= vectors - 1) {
		unsigned vector = (unsigned)__builtin_ctzll(vectors);

		if (virtio_blk_interrupt(&drive->blk, (uint16_t)vector,
					 &drive->ready)) {
			broke(drive);
			return;
		}
	}
}

bool virtio_drive_poll(struct virtio_drive *drive)
{
	for (unsigned i = 0; i < POLLS_MAX && drive->ready; i++) {
		unsigned queue = (unsigned)__builtin_ctz(drive->ready);
		int n = virtio_blk_poll(&drive->blk, queue);

		if (n == -EPROTO) {
			broke(drive);
			break;
		}
		if (virtio_blk_sleep(&drive->blk, queue))
			drive->ready &= ~BIT(queue);
	}
	return drive->ready;
}

/* ---- What the core asks -------------------------------------------------- */

static uint32_t segments_max(const struct virtio_blk *blk)
{
	uint32_t max = VIRTIO_BLK_SEGMENTS;

	for (unsigned i = 0; i < blk->queue_count; i++)
		max = MIN(max, blk->queue[i].segments);
	return max;
}

static uint32_t depth(const struct virtio_blk *blk)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < blk->queue_count; i++)
		sum += blk->queue[i].depth;
	return MIN(sum, DISK_DEPTH);
}

/* Each as one command, of whole blocks. */
static void clear_query(const struct virtio_blk *blk, struct drive_info *info)
{
	uint32_t block = info->block_size / DISK_SECTOR;
	uint32_t max = CLEAR_MAX;

	info->has_discard =
		blk->info.can_discard && blk->limits.discard_sectors >= block;
	info->has_write_zeroes = blk->info.can_write_zeroes &&
				 blk->limits.zeroes_sectors >= block;
	if (info->has_discard)
		max = MIN(max, blk->limits.discard_sectors);
	if (info->has_write_zeroes)
		max = MIN(max, blk->limits.zeroes_sectors);
	info->clear_max = max;
}

static void query(void *ctx, struct drive_info *info)
{
	struct virtio_drive *drive = ctx;
	const struct virtio_blk *blk = &drive->blk;
	uint32_t block = blk->info.block_size;

	*info = (struct drive_info){
		.sector_count = ALIGN_DOWN(blk->info.sectors,
					   (uint64_t)block / DISK_SECTOR),
		.block_size = block,
		.depth = depth(blk),
		.segments_max = segments_max(blk),
		.is_read_only = blk->info.is_read_only,
		.has_flush = blk->info.has_flush,
		.zeroes = drive->zeroes.address,
	};
	clear_query(blk, info);
	_Static_assert(DRIVE_SERIAL_SIZE >= sizeof(blk->serial), "fits");
	memcpy(info->serial, blk->serial, sizeof(blk->serial));
}

static const enum virtio_blk_op op_of[] = {
	[DRIVE_READ] = VIRTIO_BLK_READ,
	[DRIVE_WRITE] = VIRTIO_BLK_WRITE,
	[DRIVE_FLUSH] = VIRTIO_BLK_FLUSH,
	[DRIVE_DISCARD] = VIRTIO_BLK_DISCARD,
	[DRIVE_WRITE_ZEROES] = VIRTIO_BLK_WRITE_ZEROES,
};

static void request_fill(struct virtio_drive_slot *slot,
			 const struct drive_request *request)
{
	uint32_t count = MIN(request->segment_count, VIRTIO_BLK_SEGMENTS);

	slot->cookie = request->cookie;
	slot->request = (struct virtio_blk_request){
		.op = op_of[request->op],
		.may_unmap = true,
		.sector = request->sector,
		.sector_count = request->sector_count,
		.segment = slot->segment,
		.segment_count = count,
		.cookie = slot,
	};
	for (uint32_t i = 0; i < count; i++)
		slot->segment[i] = (struct virtio_blk_segment){
			.address = request->segment[i].address,
			.length = request->segment[i].length,
		};
}

/* The queues by turns. */
static int slot_submit(struct virtio_drive *drive,
		       struct virtio_drive_slot *slot)
{
	struct virtio_blk *blk = &drive->blk;
	int error = -EAGAIN;

	for (unsigned i = 0; i < blk->queue_count && error == -EAGAIN; i++) {
		unsigned queue = drive->next_queue++ % blk->queue_count;

		slot->is_busy = true;
		error = virtio_blk_submit(blk, queue, &slot->request);
		slot->is_busy = !error;
		if (!error)
			drive->unkicked |= BIT(queue);
	}
	return error;
}

static struct virtio_drive_slot *slot_find(struct virtio_drive *drive)
{
	for (unsigned i = 0; i < DISK_DEPTH; i++)
		if (!drive->slot[i].is_busy)
			return &drive->slot[i];
	return NULL;
}

static int submit(void *ctx, const struct drive_request *request)
{
	struct virtio_drive *drive = ctx;
	struct virtio_drive_slot *slot = slot_find(drive);
	int error;

	if (!slot)
		return -EAGAIN;
	/* The driver would be done with it at once. */
	if (request->op == DRIVE_FLUSH && !drive->blk.info.has_flush)
		return -EIO;
	request_fill(slot, request);
	error = slot_submit(drive, slot);
	return error == -EAGAIN ? error : status_of(&slot->request, error);
}

static void kick(void *ctx)
{
	struct virtio_drive *drive = ctx;

	for (; drive->unkicked; drive->unkicked &= drive->unkicked - 1)
		virtio_blk_kick(&drive->blk,
				(unsigned)__builtin_ctz(drive->unkicked));
}

static int reset(void *ctx)
{
	struct virtio_drive *drive = ctx;

	if (drive->state == VIRTIO_DRIVE_DEAD)
		return -EIO;
	return start_again(drive);
}

const struct drive_ops virtio_drive_ops = {
	.query = query,
	.submit = submit,
	.kick = kick,
	.reset = reset,
};

/* ---- Starting ------------------------------------------------------------ */

/* drive->sync.request, waiting for its end. */
static int sync_run(struct virtio_drive *drive)
{
	uint64_t deadline_ns =
		MIN(now_ns(drive) + VIRTIO_DRIVE_SYNC_NS, drive->start_end_ns);
	int error;

	drive->sync.request.cookie = &drive->sync;
	drive->sync_status = -EPIPE;
	error = slot_submit(drive, &drive->sync);
	if (error)
		return error;
	kick(drive);
	while (drive->sync.is_busy && drive->state != VIRTIO_DRIVE_DEAD &&
	       now_ns(drive) < deadline_ns) {
		drive->ready = (uint32_t)BIT(drive->blk.queue_count) - 1;
		if (!virtio_drive_poll(drive) && drive->sync.is_busy)
			drive->config.ops->wait(drive->config.ctx, deadline_ns);
	}
	if (drive->sync.is_busy && drive->state != VIRTIO_DRIVE_DEAD) {
		disk_log(drive->disk, ADDRESS_FORMAT " does not answer: reset",
			 ADDRESS(drive));
		(void)start_again(drive);
	}
	return drive->sync_status;
}

static int block_read(void *ctx, uint64_t block, void *to)
{
	struct virtio_drive *drive = ctx;
	uint32_t size = drive->blk.info.block_size;
	int error;

	drive->sync.segment[0] =
		(struct virtio_blk_segment){ drive->page.address, size };
	drive->sync.request = (struct virtio_blk_request){
		.op = VIRTIO_BLK_READ,
		.sector = block * (size / DISK_SECTOR),
		.segment = drive->sync.segment,
		.segment_count = 1,
	};
	error = sync_run(drive);
	if (!error)
		memcpy(to, drive->page.va, size);
	return error;
}

static void table_read(struct virtio_drive *drive,
		       struct partition_table *table)
{
	const struct table_reader reader = {
		.read = block_read,
		.ctx = drive,
		.block_size = drive->blk.info.block_size,
		.block_count = drive->blk.info.sectors /
			       (drive->blk.info.block_size / DISK_SECTOR),
	};

	if (partition_table_read(table, &reader))
		table->reason = "its first block cannot be read";
}

static uint16_t queues_wanted(const struct virtio_drive *drive)
{
	unsigned vectors = drive->config.pci.vector_count;

	return (uint16_t)(vectors < 2 ? 1
				      : MIN(vectors - 1, VIRTIO_DRIVE_QUEUES));
}

static int blk_start(struct virtio_drive *drive)
{
	struct virtio_blk_config config = {
		.pci = &drive->config.pci,
		.ops = &blk_ops,
		.ctx = drive,
		.queues = queues_wanted(drive),
		.depth = DISK_DEPTH,
	};
	int error;

	config.memory = drive->config.memory;
	if (dma_cut(&config.memory, PAGE_SIZE, PAGE_SIZE, &drive->zeroes) ||
	    dma_cut(&config.memory, PAGE_SIZE, PAGE_SIZE, &drive->page))
		config.memory.size = 0; /* the driver says so */
	error = virtio_blk_init(&drive->blk, &config);
	if (!error)
		error = virtio_blk_start(&drive->blk);
	if (error)
		return error;
	/* It has been reset: none but the driver writes here. */
	memset(drive->zeroes.va, 0, PAGE_SIZE);
	drive->info = drive->blk.info;
	cache_on(&drive->blk);
	return 0;
}

static void say(const struct virtio_drive *drive, const struct drive_info *info)
{
	disk_log(drive->disk,
		 "drive \"%s\", " ADDRESS_FORMAT ": " SECTORS_FORMAT
		 ", %u queue%s of "
		 "%u, %u segments%s%s%s%s",
		 info->serial, ADDRESS(drive), SECTORS_TEXT(info->sector_count),
		 drive->blk.queue_count, drive->blk.queue_count == 1 ? "" : "s",
		 drive->blk.queue[0].depth, info->segments_max,
		 info->is_read_only ? ", read-only" : "",
		 info->has_flush ? ", flush" : "",
		 info->has_discard ? ", discard" : "",
		 info->has_write_zeroes ? ", write zeroes" : "");
}

static int refuse(struct virtio_drive *drive, int error, const char *why)
{
	disk_log(drive->disk, ADDRESS_FORMAT " %s: it is left alone",
		 ADDRESS(drive), why);
	cut_off(drive);
	drive->state = VIRTIO_DRIVE_NONE;
	return error;
}

int virtio_drive_start(struct virtio_drive *drive,
		       const struct virtio_drive_config *config,
		       struct disk *disk, struct partition_table *table)
{
	int error;

	drive->state = VIRTIO_DRIVE_STARTING;
	drive->config = *config;
	drive->disk = disk;
	drive->number = DISK_HOST_DRIVES;
	drive->start_end_ns = now_ns(drive) + VIRTIO_DRIVE_START_NS;
	error = blk_start(drive);
	if (error)
		return refuse(drive, error, virtio_blk_why(&drive->blk));
	drive->sync.request =
		(struct virtio_blk_request){ .op = VIRTIO_BLK_GET_SERIAL };
	/* One that has none, or fails to read it, is found by other names. */
	if (sync_run(drive) == -EPIPE || drive->state == VIRTIO_DRIVE_DEAD)
		return refuse(drive, -EIO, "does not say its serial number");
	if (drive->blk.info.block_size > PAGE_SIZE)
		return refuse(drive, -EINVAL, "has blocks of more than 4 KiB");
	table_read(drive, table);
	if (drive->state == VIRTIO_DRIVE_DEAD)
		return -EIO;
	error = disk_drive_add(disk, &virtio_drive_ops, drive);
	if (error < 0)
		return refuse(drive, error, "is more than can be used");
	drive->number = (unsigned)error;
	drive->state = VIRTIO_DRIVE_WORKS;
	say(drive, &disk->drive[drive->number].info);
	return error;
}
