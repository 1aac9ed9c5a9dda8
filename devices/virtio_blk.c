/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio block device.  See virtio_blk.h. */
#include "devices/virtio_blk.h"

#include "include/errno.h"
#include "lib/string.h"

#define CLASS_SCSI 0x0100
#define BLOCK_4KN  4096

#define HEADER sizeof(struct virtio_blk_header)
#define STATUS 1 /* byte */

/* Requests that are begun before others have their turn.  Those of a disk in
 * memory are done at once, and another vCPU may bring as many as are taken. */
#define RUN 64

/* ---- Ends ---------------------------------------------------------------- */

static void request_end(struct virtio_blk_request *request, uint8_t status)
{
	struct virtio_blk *blk = request->blk;
	const struct virtio_chain *chain = &request->chain;

	/* Of a void one the memory may be another's by now. */
	if (!virtio_chain_is_void(&blk->virtio, chain)) {
		(void)virtio_chain_write(chain, chain->in_length - STATUS,
					 &status, STATUS);
		virtio_queue_return(&blk->virtio, chain, chain->in_length);
		blk->returned |= 1U << chain->queue;
	}
	blk->free |= 1U << (request - blk->request);
}

/* Whatever was running: a backend may end requests of one queue while it is
 * given those of another. */
static void show_returned(struct virtio_blk *blk)
{
	for (; blk->returned; blk->returned &= blk->returned - 1)
		virtio_queue_flush(&blk->virtio,
				   (unsigned)__builtin_ctz(blk->returned));
}

static void run_waiting(struct virtio_blk *blk);

static void block_done(void *dev, struct block_request *block, int status)
{
	struct virtio_blk_request *request = dev;
	struct virtio_blk *blk = request->blk;

	(void)block;
	request_end(request, status ? VIRTIO_BLK_IOERR : VIRTIO_BLK_OK);
	if (blk->is_in_run)
		return;
	show_returned(blk);
	run_waiting(blk);
}

/* ---- Beginnings ---------------------------------------------------------- */

static void submit(struct virtio_blk_request *request, enum block_op op,
		   uint64_t sector)
{
	struct block_backend *backend = request->blk->backend;
	struct block_request *block = &request->block;

	block->op = op;
	block->sector = sector;
	block->failed_sector = BLOCK_UNKNOWN;
	block->is_fua = op == BLOCK_WRITE && backend->has_fua &&
			!virtio_has(&request->blk->virtio, VIRTIO_BLK_F_FLUSH);
	backend->submit(backend->ctx, block);
}

/*
 * The data of it: of count segments from first on, without skip bytes at the
 * beginning, length bytes.  False: too many pieces.
 */
static bool segments_make(struct virtio_blk_request *request, unsigned first,
			  uint32_t skip, uint32_t length)
{
	const struct virtio_segment *from = &request->chain.segment[first];
	struct block_request *block = &request->block;

	block->segment_count = 0;
	for (; length; from++) {
		uint32_t n;

		if (skip >= from->length) {
			skip -= from->length;
			continue;
		}
		if (block->segment_count == BLOCK_SEGMENTS)
			return false;
		n = MIN(from->length - skip, length);
		block->segment[block->segment_count++] =
			(struct block_segment){ .host = from->host + skip,
						.length = n };
		skip = 0;
		length -= n;
	}
	return true;
}

static bool sectors_are_there(const struct virtio_blk *blk, uint64_t sector,
			      uint64_t count)
{
	return sector <= blk->backend->sector_count &&
	       count <= blk->backend->sector_count - sector;
}

static void move(struct virtio_blk_request *request, bool is_write,
		 uint64_t sector)
{
	struct virtio_blk *blk = request->blk;
	const struct virtio_chain *chain = &request->chain;
	unsigned first = is_write ? 0 : chain->out_count;
	uint32_t skip = is_write ? HEADER : 0;
	uint32_t length = is_write ? chain->out_length - (uint32_t)HEADER
				   : chain->in_length - STATUS;
	uint32_t block = blk->layout.blk_size;

	if ((is_write && blk->backend->is_read_only) || !length ||
	    length % block || sector % (block / BLOCK_SECTOR) ||
	    length / BLOCK_SECTOR > VIRTIO_BLK_SECTORS_MAX ||
	    !sectors_are_there(blk, sector, length / BLOCK_SECTOR) ||
	    !segments_make(request, first, skip, length))
		request_end(request, VIRTIO_BLK_IOERR);
	else
		submit(request, is_write ? BLOCK_WRITE : BLOCK_READ, sector);
}

/* One range, as the configuration says. */
static void clear(struct virtio_blk_request *request, bool is_zeroes)
{
	struct virtio_blk *blk = request->blk;
	struct virtio_blk_range range;
	uint32_t length = virtio_chain_read(&request->chain, HEADER, &range,
					    sizeof(range));
	uint32_t flags = is_zeroes ? VIRTIO_BLK_UNMAP : 0;

	if (!virtio_has(&blk->virtio, is_zeroes ? VIRTIO_BLK_F_WRITE_ZEROES
						: VIRTIO_BLK_F_DISCARD) ||
	    (length == sizeof(range) && range.flags & ~flags)) {
		request_end(request, VIRTIO_BLK_UNSUPP);
		return;
	}
	if (request->chain.out_length != HEADER + sizeof(range) ||
	    !range.count || range.count > BLOCK_CLEAR_MAX ||
	    blk->backend->is_read_only ||
	    !sectors_are_there(blk, range.sector, range.count)) {
		request_end(request, VIRTIO_BLK_IOERR);
		return;
	}
	request->block.segment_count = 0;
	request->block.clear_count = range.count;
	submit(request, is_zeroes ? BLOCK_ZEROES : BLOCK_DISCARD, range.sector);
}

static void identify(struct virtio_blk_request *request)
{
	struct virtio_blk *blk = request->blk;
	uint32_t room = request->chain.in_length - STATUS;

	(void)virtio_chain_write(&request->chain, 0, blk->serial,
				 MIN(room, sizeof(blk->serial)));
	request_end(request, VIRTIO_BLK_OK);
}

static void request_begin(struct virtio_blk_request *request)
{
	struct virtio_blk *blk = request->blk;
	struct virtio_blk_header header;

	if (!request->chain.in_length ||
	    virtio_chain_read(&request->chain, 0, &header, HEADER) != HEADER) {
		virtio_break(&blk->virtio,
			     "a request without header or status");
		request_end(request, VIRTIO_BLK_IOERR);
		return;
	}
	switch (header.type) {
	case VIRTIO_BLK_IN:
		move(request, false, header.sector);
		break;
	case VIRTIO_BLK_OUT:
		move(request, true, header.sector);
		break;
	case VIRTIO_BLK_FLUSH_CACHE:
		request->block.segment_count = 0;
		submit(request, BLOCK_FLUSH, 0);
		break;
	case VIRTIO_BLK_GET_ID:
		identify(request);
		break;
	case VIRTIO_BLK_DISCARD_RANGE:
		clear(request, false);
		break;
	case VIRTIO_BLK_ZERO_RANGE:
		clear(request, true);
		break;
	default:
		request_end(request, VIRTIO_BLK_UNSUPP);
	}
}

/* ---- Queues -------------------------------------------------------------- */

static int take(struct virtio_blk *blk, unsigned queue)
{
	unsigned place = (unsigned)__builtin_ctz(blk->free);
	struct virtio_blk_request *request = &blk->request[place];
	int found = virtio_queue_take(&blk->virtio, queue, &request->chain);

	if (found > 0) {
		blk->free &= ~(1U << place);
		request_begin(request);
	}
	return found;
}

static bool has_room(const struct virtio_blk *blk)
{
	return blk->free && blk->budget;
}

/* All there is, as far as there is room.  What is done at once is shown at
 * once. */
static void queue_run(struct virtio_blk *blk, unsigned queue)
{
	blk->waiting &= ~(1U << queue);
	blk->is_in_run = true;
	do {
		(void)virtio_queue_watch(&blk->virtio, queue, false);
		while (has_room(blk) && take(blk, queue) > 0)
			blk->budget--;
	} while (has_room(blk) &&
		 virtio_queue_watch(&blk->virtio, queue, true));
	blk->is_in_run = false;
	if (!has_room(blk))
		blk->waiting |= 1U << queue;
	show_returned(blk);
}

/* As long as there is room: a queue waits no longer when it has been run,
 * unless that took all. */
static void run_waiting(struct virtio_blk *blk)
{
	while (blk->waiting && has_room(blk)) {
		unsigned queue = virtio_queue_next(blk->waiting, blk->turn);

		blk->turn = (uint16_t)(queue + 1);
		queue_run(blk, queue);
	}
	if (blk->waiting && blk->free)
		clock_timer_arm(blk->clock, &blk->more,
				clock_now(blk->clock) + 1);
}

static void notified(void *dev, unsigned queue)
{
	struct virtio_blk *blk = dev;

	blk->budget = RUN;
	queue_run(blk, queue);
	run_waiting(blk);
}

static void go_on(void *dev)
{
	struct virtio_blk *blk = dev;

	blk->budget = RUN;
	run_waiting(blk);
}

/* Those of before: what the disk has not begun it need not begin. */
static void void_cancel(struct virtio_blk *blk)
{
	struct block_backend *backend = blk->backend;

	for (unsigned i = 0; i < VIRTIO_BLK_REQUESTS; i++) {
		struct virtio_blk_request *request = &blk->request[i];

		if (backend->cancel && blk->places & ~blk->free & 1U << i &&
		    virtio_chain_is_void(&blk->virtio, &request->chain))
			backend->cancel(backend->ctx, &request->block);
	}
}

static void stopped(void *dev)
{
	struct virtio_blk *blk = dev;

	blk->waiting = 0;
	void_cancel(blk);
}

static void queue_stopped(void *dev, unsigned queue)
{
	struct virtio_blk *blk = dev;

	blk->waiting &= ~(1U << queue);
	void_cancel(blk);
}

static bool is_stopping(const void *dev, unsigned queue)
{
	const struct virtio_blk *blk = dev;
	uint32_t busy = blk->places & ~blk->free;

	for (unsigned i = 0; busy >> i; i++) {
		const struct virtio_chain *chain = &blk->request[i].chain;

		if (busy >> i & 1 &&
		    virtio_chain_is_void(&blk->virtio, chain) &&
		    (queue == VIRTIO_QUEUES || chain->queue == queue))
			return true;
	}
	return false;
}

static void config_read(void *dev, unsigned offset, void *to, unsigned size)
{
	memcpy(to,
	       (const uint8_t *)&((struct virtio_blk *)dev)->layout + offset,
	       size);
}

static const struct virtio_ops ops = {
	.notified = notified,
	.stopped = stopped,
	.queue_stopped = queue_stopped,
	.is_stopping = is_stopping,
	.config_read = config_read,
};

/* ---- Made, reset, restored ------------------------------------------------
 */

static void blk_reset(void *dev)
{
	virtio_reset(&((struct virtio_blk *)dev)->virtio);
}

static void blk_restored(void *dev)
{
	virtio_restored(&((struct virtio_blk *)dev)->virtio);
}

static bool blk_is_valid(const void *dev, const void *state, uint64_t now_ns)
{
	(void)now_ns;
	return virtio_is_valid(
		&((const struct virtio_blk *)dev)->virtio,
		&((const struct virtio_blk_state *)state)->virtio);
}

static bool blk_is_idle(const void *dev)
{
	const struct virtio_blk *blk = dev;

	return blk->free == blk->places && !blk->waiting;
}

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_blk_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_blk_state, more_ns, .reset = CLOCK_NEVER),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct virtio_blk_state, fields);

const struct device_ops virtio_blk_ops = {
	.name = "virtio-blk",
	.version = 2,
	.state = &description,
	.reset = blk_reset,
	.restored = blk_restored,
	.is_valid = blk_is_valid,
	.is_idle = blk_is_idle,
};

static uint64_t features(const struct virtio_blk *blk)
{
	uint64_t bits = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
			BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_FLUSH) |
			BIT(VIRTIO_BLK_F_TOPOLOGY);

	if (blk->queues > 1)
		bits |= BIT(VIRTIO_BLK_F_MQ);
	if (blk->backend->is_read_only)
		bits |= BIT(VIRTIO_BLK_F_RO);
	else if (blk->backend->can_clear)
		bits |= BIT(VIRTIO_BLK_F_DISCARD) |
			BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	return bits;
}

static void layout_make(struct virtio_blk *blk, uint32_t block_size)
{
	blk->layout = (struct virtio_blk_layout){
		.capacity = blk->backend->sector_count,
		.size_max = VIRTIO_BLK_SEGMENT_MAX,
		.seg_max = BLOCK_SEGMENTS,
		.blk_size = block_size,
		.io_min = 1,
		.num_queues = blk->queues,
		.discard_sectors = BLOCK_CLEAR_MAX,
		.discard_seg = 1,
		.discard_align = block_size / BLOCK_SECTOR,
		.zeroes_sectors = BLOCK_CLEAR_MAX,
		.zeroes_seg = 1,
		.zeroes_may_unmap = 1,
	};
}

static int transport_init(struct virtio_blk *blk,
			  const struct virtio_blk_config *config)
{
	const struct virtio_config transport = {
		.ops = &ops,
		.dev = blk,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-blk",
		.kind = VIRTIO_KIND_BLOCK,
		.class = CLASS_SCSI,
		.queue_count = blk->queues,
		.queue_size = VIRTIO_QUEUE_SIZE,
		.config_size = sizeof(blk->layout),
		.features = features(blk),
		.is_transitional = config->is_transitional,
		.log = config->log,
	};

	return virtio_init(&blk->virtio, &transport, &blk->state.virtio);
}

int virtio_blk_init(struct virtio_blk *blk,
		    const struct virtio_blk_config *config)
{
	uint32_t block_size =
		config->block_size ? config->block_size : BLOCK_SECTOR;
	unsigned depth = config->backend->depth ? config->backend->depth : 1;

	if (!config->backend->sector_count ||
	    config->queues > VIRTIO_BLK_QUEUES_MAX ||
	    (block_size != BLOCK_SECTOR && block_size != BLOCK_4KN))
		return -EINVAL;
	device_init(&blk->device, &virtio_blk_ops, blk, &blk->state);
	blk->clock = config->clock;
	device_timer_init(&blk->device, blk->clock, &blk->more, go_on, blk,
			  &blk->state.more_ns);
	blk->backend = config->backend;
	blk->queues = config->queues ? config->queues : 1;
	blk->places = (uint32_t)BIT(MIN(depth, VIRTIO_BLK_REQUESTS)) - 1;
	blk->free = blk->places;
	blk->waiting = blk->returned = 0;
	blk->turn = 0;
	blk->is_in_run = false;
	blk->budget = RUN;
	memset(blk->serial, 0, sizeof(blk->serial));
	if (config->serial)
		memcpy(blk->serial, config->serial,
		       strnlen(config->serial, sizeof(blk->serial)));
	for (unsigned i = 0; i < VIRTIO_BLK_REQUESTS; i++) {
		blk->request[i].blk = blk;
		blk->request[i].block.done = block_done;
		blk->request[i].block.dev = &blk->request[i];
	}
	layout_make(blk, block_size);
	return transport_init(blk, config);
}
