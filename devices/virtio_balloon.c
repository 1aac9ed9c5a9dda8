/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio balloon: devices/virtio_balloon.h. */
#include "devices/virtio_balloon.h"

#include "devices/clear.h"
#include "devices/state.h"
#include "lib/string.h"

#define CLASS_OTHER 0x00ff

#define F_STATS		 1
#define F_DEFLATE_ON_OOM 2
#define F_REPORTING	 5
#define FEATURES	 (BIT(F_STATS) | BIT(F_DEFLATE_ON_OOM) | BIT(F_REPORTING))

enum queue { INFLATE, DEFLATE, STATS, REPORTING_3, REPORTING_4, QUEUES };

#define QUEUE_SIZE  128
#define PFN_SHIFT   12
#define PIECE_PAGES (BALLOON_PIECE >> PFN_SHIFT)

/* A run: page numbers, or pieces that are given back, which cost more. */
#define RUN	   4096
#define PIECE_COST 256
#define CHAIN_COST 16

struct layout {
	uint32_t target, actual; /* pages */
};

struct stat {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));
ASSERT_SIZE(struct stat, 10);

/* ---- One run ------------------------------------------------------------- */

static void pay(struct virtio_balloon *balloon, uint32_t cost)
{
	balloon->budget -= MIN(balloon->budget, cost);
}

static bool take(struct virtio_balloon *balloon, unsigned queue,
		 struct virtio_chain *chain)
{
	if (!balloon->budget ||
	    virtio_queue_take(&balloon->virtio, queue, chain) != 1)
		return false;
	pay(balloon, CHAIN_COST);
	return true;
}

static void run_begin(struct virtio_balloon *balloon)
{
	balloon->budget = RUN;
}

static void run_end(struct virtio_balloon *balloon)
{
	if (!balloon->budget)
		clock_timer_arm(balloon->config.clock, &balloon->more,
				clock_now(balloon->config.clock) + 1);
}

/* ---- Pages --------------------------------------------------------------- */

static void release(struct virtio_balloon *balloon, const uint8_t *host,
		    uint64_t length)
{
	pay(balloon,
	    PIECE_COST * (uint32_t)MIN(length / BALLOON_PIECE, (uint64_t)RUN));
	balloon->reported += length;
	balloon->config.release(balloon->config.ctx, host, length);
}

/* The piece that the page is in; BALLOON_PIECES: none that is counted. */
static uint32_t piece_of(const struct virtio_balloon *balloon, uint32_t pfn)
{
	const uint8_t *host =
		guest_ram_at(balloon->config.ram, (gpa_t)pfn << PFN_SHIFT,
			     1ULL << PFN_SHIFT);
	uint64_t piece;

	if (!host)
		return BALLOON_PIECES;
	piece = (uint64_t)(host - balloon->config.base) / BALLOON_PIECE;
	return (uint32_t)MIN(piece, (uint64_t)BALLOON_PIECES);
}

static void page_moved(struct virtio_balloon *balloon, unsigned queue,
		       uint32_t pfn)
{
	uint32_t piece = piece_of(balloon, pfn);
	uint16_t *count = &balloon->count[piece % BALLOON_PIECES];

	if (piece == BALLOON_PIECES)
		return;
	if (queue == DEFLATE)
		*count -= *count > 0;
	else if (*count < PIECE_PAGES && ++*count == PIECE_PAGES)
		release(balloon,
			balloon->config.base + (uint64_t)piece * BALLOON_PIECE,
			BALLOON_PIECE);
}

/* False: the run is over before its end. */
static bool pages_move(struct virtio_balloon *balloon, unsigned queue,
		       const struct virtio_chain *chain)
{
	uint32_t *done = &balloon->state.done[queue];
	uint32_t pfn;

	while (virtio_chain_read(chain, *done, &pfn, sizeof(pfn)) ==
	       sizeof(pfn)) {
		if (!balloon->budget)
			return false;
		pay(balloon, 1);
		*done += sizeof(pfn);
		page_moved(balloon, queue, pfn);
	}
	*done = 0;
	return true;
}

/* ---- Reports ------------------------------------------------------------- */

static void segment_free(struct virtio_balloon *balloon,
			 const struct virtio_segment *segment)
{
	uint64_t start = (uint64_t)(segment->host - balloon->config.base);
	uint64_t end = ALIGN_DOWN(start + segment->length, BALLOON_PIECE);

	start = ALIGN_UP(start, BALLOON_PIECE);
	if (start < end)
		release(balloon, balloon->config.base + start, end - start);
}

/* The driver waits for it: as a whole, however long. */
static bool chain_free(struct virtio_balloon *balloon, unsigned queue,
		       const struct virtio_chain *chain)
{
	(void)queue;
	for (unsigned i = 0; i < chain->in_count; i++)
		segment_free(balloon, &chain->segment[chain->out_count + i]);
	return true;
}

static void each(struct virtio_balloon *balloon, unsigned queue,
		 bool (*fn)(struct virtio_balloon *balloon, unsigned queue,
			    const struct virtio_chain *chain))
{
	struct virtio_chain chain;

	do {
		while (take(balloon, queue, &chain)) {
			if (!fn(balloon, queue, &chain)) {
				virtio_queue_untake(&balloon->virtio, queue,
						    &chain);
				break;
			}
			virtio_queue_return(&balloon->virtio, &chain, 0);
		}
		virtio_queue_flush(&balloon->virtio, queue);
	} while (balloon->budget && virtio_is_running(&balloon->virtio) &&
		 virtio_queue_watch(&balloon->virtio, queue, true));
}

/* ---- Statistics ---------------------------------------------------------- */

static void stats_note(struct virtio_balloon *balloon,
		       const struct virtio_chain *chain)
{
	struct stat stat;

	for (unsigned i = 0; i < 2 * BALLOON_STATS; i++) {
		if (virtio_chain_read(chain, i * (uint32_t)sizeof(stat), &stat,
				      sizeof(stat)) != sizeof(stat))
			break;
		if (stat.tag < BALLOON_STATS)
			balloon->state.stat[stat.tag] = stat.value;
	}
}

/* The chain stays in the queue: giving it back asks for the next. */
static void stats_read(struct virtio_balloon *balloon)
{
	struct virtio_chain chain;

	if (!balloon->budget ||
	    virtio_queue_take_or_watch(&balloon->virtio, STATS, &chain) != 1)
		return;
	pay(balloon, CHAIN_COST);
	stats_note(balloon, &chain);
	virtio_queue_untake(&balloon->virtio, STATS, &chain);
}

static void stats_ask(struct virtio_balloon *balloon)
{
	struct virtio_chain chain;

	if (!virtio_has(&balloon->virtio, F_STATS) ||
	    virtio_queue_take(&balloon->virtio, STATS, &chain) != 1)
		return;
	virtio_queue_return(&balloon->virtio, &chain, 0);
	virtio_queue_flush(&balloon->virtio, STATS);
	run_begin(balloon);
	stats_read(balloon);
	run_end(balloon);
}

/* ---- What the driver does -------------------------------------------------
 */

static void queue_run(struct virtio_balloon *balloon, unsigned queue)
{
	if (queue <= DEFLATE)
		each(balloon, queue, pages_move);
	else if (queue == STATS && virtio_has(&balloon->virtio, F_STATS))
		stats_read(balloon);
	else if (virtio_has(&balloon->virtio, F_REPORTING))
		each(balloon, queue, chain_free);
}

static void notified(void *opaque, unsigned queue)
{
	struct virtio_balloon *balloon = opaque;

	/* A chain that was begun is the next of its own queue alone. */
	if (balloon->more.is_armed)
		return;
	run_begin(balloon);
	queue_run(balloon, queue);
	run_end(balloon);
}

static void run_all(void *opaque)
{
	struct virtio_balloon *balloon = opaque;

	run_begin(balloon);
	for (unsigned i = 0; i < QUEUES; i++)
		queue_run(balloon, i);
	run_end(balloon);
}

/* What is in it is the guest's again. */
static void forget(struct virtio_balloon *balloon)
{
	balloon->state.done[INFLATE] = balloon->state.done[DEFLATE] = 0;
	balloon->state.actual = 0;
	clock_timer_disarm(balloon->config.clock, &balloon->more);
	memory_clear(balloon->count, sizeof(balloon->count));
}

static void stopped(void *opaque)
{
	forget(opaque);
}

static void queue_stopped(void *opaque, unsigned queue)
{
	struct virtio_balloon *balloon = opaque;

	if (queue <= DEFLATE)
		balloon->state.done[queue] = 0;
}

static void config_read(void *opaque, unsigned offset, void *to, unsigned size)
{
	const struct virtio_balloon *balloon = opaque;
	const struct layout layout = { balloon->state.target,
				       balloon->state.actual };

	memcpy(to, (const uint8_t *)&layout + offset, size);
}

static void config_write(void *opaque, unsigned offset, const void *from,
			 unsigned size)
{
	struct virtio_balloon *balloon = opaque;

	if (offset == offsetof(struct layout, actual) &&
	    size == sizeof(balloon->state.actual))
		memcpy(&balloon->state.actual, from, size);
}

static const struct virtio_ops ops = {
	.notified = notified,
	.stopped = stopped,
	.queue_stopped = queue_stopped,
	.config_read = config_read,
	.config_write = config_write,
};

void virtio_balloon_ask(struct virtio_balloon *balloon)
{
	stats_ask(balloon);
}

void virtio_balloon_target(struct virtio_balloon *balloon, uint32_t pages)
{
	balloon->state.target = pages;
	stats_ask(balloon);
	virtio_config_changed(&balloon->virtio);
}

/* ---- State ----------------------------------------------------------------
 */

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_balloon_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_balloon_state, more_ns, .reset = CLOCK_NEVER),
	STATE_ARRAY(struct virtio_balloon_state, stat),
	STATE_VALUE(struct virtio_balloon_state, target, .flags = STATE_KEPT),
	STATE_VALUE(struct virtio_balloon_state, actual),
	STATE_ARRAY(struct virtio_balloon_state, done),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct virtio_balloon_state, fields);

static void reset(void *opaque)
{
	struct virtio_balloon *balloon = opaque;

	virtio_reset(&balloon->virtio);
	forget(balloon);
}

static void restored(void *opaque)
{
	struct virtio_balloon *balloon = opaque;

	virtio_restored(&balloon->virtio);
	memory_clear(balloon->count, sizeof(balloon->count));
}

static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct virtio_balloon *balloon = dev;
	const struct virtio_balloon_state *state = opaque;

	(void)now_ns;
	return virtio_is_valid(&balloon->virtio, &state->virtio);
}

const struct device_ops virtio_balloon_ops = {
	.name = "virtio_balloon",
	.version = 1,
	.state = &description,
	.reset = reset,
	.restored = restored,
	.is_valid = is_valid,
};

int virtio_balloon_init(struct virtio_balloon *balloon,
			const struct virtio_balloon_config *config)
{
	const struct virtio_config virtio = {
		.ops = &ops,
		.dev = balloon,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-balloon",
		.kind = VIRTIO_KIND_BALLOON,
		.class = CLASS_OTHER,
		.queue_count = QUEUES,
		.queue_size = QUEUE_SIZE,
		.config_size = sizeof(struct layout),
		.features = FEATURES,
		.is_transitional = config->is_transitional,
		.log = config->log,
	};

	memory_clear(balloon, sizeof(*balloon));
	balloon->config = *config;
	device_init(&balloon->device, &virtio_balloon_ops, balloon,
		    &balloon->state);
	device_timer_init(&balloon->device, config->clock, &balloon->more,
			  run_all, balloon, &balloon->state.more_ns);
	return virtio_init(&balloon->virtio, &virtio, &balloon->state.virtio);
}
