/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting and stopping the device, and what it says of itself.
 *
 * Not there: geometry, lifetime, secure erase, zones; a device that insists on
 * being zoned is refused by its handshake.
 *
 * References: VIRTIO 1.2, Block Device.
 */
#include "drivers/virtio_blk.h"

#include "drivers/virtio_blk_inner.h"
#include "lib/string.h"

#define F_SIZE_MAX     BIT(1)
#define F_SEG_MAX      BIT(2)
#define F_RO	       BIT(5)
#define F_BLK_SIZE     BIT(6)
#define F_FLUSH	       BIT(9)
#define F_TOPOLOGY     BIT(10)
#define F_CONFIG_WCE   BIT(11)
#define F_MQ	       BIT(12)
#define F_DISCARD      BIT(13)
#define F_WRITE_ZEROES BIT(14)

#define WANTED                                                               \
	(F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | \
	 F_CONFIG_WCE | F_MQ | F_DISCARD | F_WRITE_ZEROES |                  \
	 VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

/* Positions in bytes stay below 2^63. */
#define SECTORS_MAX    (INT64_MAX / VIRTIO_BLK_SECTOR)
#define BLOCK_SIZE_MAX MIB(1)
#define BLOCK_EXP_MAX  16
/* A header, a segment and a status, and a power of two. */
#define QUEUE_SIZE_MIN 4

enum config_field {
	CAPACITY_LOW,
	CAPACITY_HIGH,
	SIZE_MAX_BYTES,
	SEG_MAX,
	BLK_SIZE,
	PHYSICAL_EXP,
	ALIGNMENT,
	IO_MIN,
	IO_BEST,
	WRITEBACK,
	NUM_QUEUES,
	DISCARD_SECTORS,
	DISCARD_SEG,
	DISCARD_ALIGN,
	ZEROES_SECTORS,
	ZEROES_SEG,
	ZEROES_MAY_UNMAP,
	CONFIG_FIELDS
};

#define WRITEBACK_OFFSET 32

/* clang-format off */
static const struct virtio_field config_fields[CONFIG_FIELDS] = {
	[CAPACITY_LOW]	   = { 0, 4 },
	[CAPACITY_HIGH]	   = { 4, 4 },
	[SIZE_MAX_BYTES]   = { 8, 4 },
	[SEG_MAX]	   = { 12, 4 },
	[BLK_SIZE]	   = { 20, 4 },
	[PHYSICAL_EXP]	   = { 24, 1 },
	[ALIGNMENT]	   = { 25, 1 },
	[IO_MIN]	   = { 26, 2 },
	[IO_BEST]	   = { 28, 4 },
	[WRITEBACK]	   = { WRITEBACK_OFFSET, 1 },
	[NUM_QUEUES]	   = { 34, 2 },
	[DISCARD_SECTORS]  = { 36, 4 },
	[DISCARD_SEG]	   = { 40, 4 },
	[DISCARD_ALIGN]	   = { 44, 4 },
	[ZEROES_SECTORS]   = { 48, 4 },
	[ZEROES_SEG]	   = { 52, 4 },
	[ZEROES_MAY_UNMAP] = { 56, 1 },
};
/* clang-format on */

static int refuse(struct virtio_blk *blk, int error, const char *why)
{
	blk->why = why;
	return error;
}

/* What the transport found wrong is the reason here, too. */
static int pass_on(struct virtio_blk *blk, int error)
{
	if (error)
		blk->why = blk->virtio.why;
	return error;
}

static bool has(const struct virtio_blk *blk, uint64_t feature)
{
	return blk->virtio.features & feature;
}

const char *virtio_blk_why(const struct virtio_blk *blk)
{
	return blk->why ? blk->why : "works";
}

static uint64_t queue_dma_size(uint16_t depth)
{
	/* Alignment of the commands to 64. */
	return virtqueue_dma_size(VIRTQUEUE_SIZE_MAX) + 64 +
	       depth * (uint64_t)(COMMAND_HEADER + ALIGN_UP(COMMAND_TABLE, 64));
}

uint64_t virtio_blk_dma_size(uint16_t queues, uint16_t depth)
{
	return queues * queue_dma_size(depth);
}

int virtio_blk_init(struct virtio_blk *blk,
		    const struct virtio_blk_config *config)
{
	/* A queue is made when it is started. */
	memset(blk, 0, offsetof(struct virtio_blk, queue));
	blk->config = *config;
	for (unsigned i = 0; i < VIRTIO_BLK_QUEUES; i++)
		list_init(&blk->queue[i].in_flight);
	if (!config->queues || config->queues > VIRTIO_BLK_QUEUES ||
	    !config->depth || config->depth > VIRTIO_BLK_DEPTH ||
	    !IS_ALIGNED(config->memory.address, PAGE_SIZE))
		return refuse(blk, -EINVAL, "is asked for too much or nothing");
	return pass_on(blk, virtio_pci_probe(&blk->virtio, config->pci,
					     VIRTIO_KIND_BLOCK));
}

/* ---- What it says -------------------------------------------------------- */

/* Hints, and ignored where they make no sense. */
static void take_sizes(struct virtio_blk *blk, const uint32_t *value)
{
	struct virtio_blk_info *info = &blk->info;
	uint32_t size = has(blk, F_BLK_SIZE) ? value[BLK_SIZE] : 0;

	if (size < VIRTIO_BLK_SECTOR || size > BLOCK_SIZE_MAX ||
	    size & (size - 1))
		size = VIRTIO_BLK_SECTOR;
	info->block_size = info->physical_block_size = size;
	if (!has(blk, F_TOPOLOGY) || value[PHYSICAL_EXP] > BLOCK_EXP_MAX ||
	    (uint64_t)size << value[PHYSICAL_EXP] > BLOCK_SIZE_MAX)
		return;
	info->physical_block_size = size << value[PHYSICAL_EXP];
	info->alignment = value[ALIGNMENT] * size;
	if ((uint64_t)value[IO_MIN] * size <= UINT32_MAX)
		info->io_min = value[IO_MIN] * size;
	if ((uint64_t)value[IO_BEST] * size <= UINT32_MAX)
		info->io_best = value[IO_BEST] * size;
}

static void take_limits(struct virtio_blk *blk, const uint32_t *value)
{
	struct virtio_blk_limits *limits = &blk->limits;
	struct virtio_blk_info *info = &blk->info;

	limits->segments = has(blk, F_SEG_MAX) ? MAX(value[SEG_MAX], 1U) : 1;
	limits->segment_size =
		has(blk, F_SIZE_MAX) ? value[SIZE_MAX_BYTES] : UINT32_MAX;
	if (has(blk, F_DISCARD) && value[DISCARD_SEG]) {
		limits->discard_sectors = value[DISCARD_SECTORS];
		limits->discard_align = value[DISCARD_ALIGN];
	}
	if (has(blk, F_WRITE_ZEROES) && value[ZEROES_SEG]) {
		limits->zeroes_sectors = value[ZEROES_SECTORS];
		limits->may_unmap = value[ZEROES_MAY_UNMAP];
	}
	info->can_discard = limits->discard_sectors && !info->is_read_only;
	info->can_write_zeroes = limits->zeroes_sectors && !info->is_read_only;
}

static int take_capacity(struct virtio_blk *blk, const uint32_t *value)
{
	uint64_t sectors = value[CAPACITY_LOW] | (uint64_t)value[CAPACITY_HIGH]
							 << 32;

	if (sectors > SECTORS_MAX)
		return refuse(blk, -EPROTO, "says that it is impossibly large");
	blk->info.sectors = sectors;
	return 0;
}

static int config_take(struct virtio_blk *blk, uint32_t *value)
{
	struct virtio_blk_info *info = &blk->info;
	int error =
		pass_on(blk, virtio_pci_config_get(&blk->virtio, config_fields,
						   CONFIG_FIELDS, value));

	*info = (struct virtio_blk_info){
		.is_read_only = has(blk, F_RO),
		.has_flush = has(blk, F_FLUSH),
		.can_set_write_cache = has(blk, F_CONFIG_WCE),
	};
	blk->limits = (struct virtio_blk_limits){ 0 };
	if (error)
		return error;
	info->has_write_cache =
		has(blk, F_CONFIG_WCE) ? value[WRITEBACK] : info->has_flush;
	take_sizes(blk, value);
	take_limits(blk, value);
	return take_capacity(blk, value);
}

static int config_changed(struct virtio_blk *blk)
{
	uint32_t value[CAPACITY_HIGH + 1];
	uint64_t old = blk->info.sectors;
	int error;

	if (virtio_pci_needs_reset(&blk->virtio))
		return virtio_blk_broke(blk, "asks to be reset");
	error = pass_on(blk, virtio_pci_config_get(&blk->virtio, config_fields,
						   ARRAY_SIZE(value), value));
	if (!error)
		error = take_capacity(blk, value);
	if (error)
		return virtio_blk_broke(blk, blk->why);
	if (blk->info.sectors != old)
		blk->config.ops->resized(blk->config.ctx);
	return 0;
}

int virtio_blk_set_write_cache(struct virtio_blk *blk, bool on)
{
	uint32_t value;
	int error;

	if (!blk->is_running)
		return -EPIPE;
	if (!blk->info.can_set_write_cache)
		return -ENOSYS;
	error = virtio_pci_config_set(&blk->virtio, WRITEBACK_OFFSET, on);
	if (!error)
		error = virtio_pci_config_get(
			&blk->virtio, &config_fields[WRITEBACK], 1, &value);
	if (error)
		return -EIO;
	blk->info.has_write_cache = value;
	return blk->info.has_write_cache == on ? 0 : -EIO;
}

/* ---- Start and stop ------------------------------------------------------ */

/* Vector 0 is the configuration's, and all queues' if there is no other. */
static uint16_t queue_vector(const struct virtio_blk *blk, unsigned index)
{
	unsigned count = blk->config.pci->vector_count;

	return (uint16_t)(count < 2 ? 0 : 1 + index % (count - 1));
}

static int queue_start(struct virtio_blk *blk, uint16_t index,
		       struct dma_region *memory)
{
	struct virtio_blk_queue *queue = &blk->queue[index];
	int max = virtio_pci_queue_max(&blk->virtio, index);
	struct virtio_queue_spec spec;
	int error;

	if (max < 0)
		return pass_on(blk, max);
	if (max < QUEUE_SIZE_MIN)
		return refuse(blk, -EPROTO, "has a queue that is too short");
	spec.size = (uint16_t)MIN(max, VIRTQUEUE_SIZE_MAX);
	spec.vector = queue->vector = queue_vector(blk, index);
	queue->depth = MIN(blk->config.depth, spec.size);
	queue->segments = (uint16_t)MIN(
		MIN(blk->limits.segments, VIRTIO_BLK_SEGMENTS), spec.size - 2U);
	if ((uint64_t)queue->segments * blk->limits.segment_size <
	    VIRTIO_BLK_SECTOR)
		return refuse(blk, -EPROTO, "takes no whole sector at once");
	error = virtqueue_init(&queue->ring, spec.size,
			       has(blk, VIRTIO_F_EVENT_IDX), memory);
	if (!error)
		error = virtio_blk_commands_init(queue, memory);
	if (error)
		return refuse(blk, error, "was given too little memory");
	spec.descriptors = queue->ring.descriptors.address;
	spec.available = queue->ring.available.address;
	spec.used = queue->ring.used.address;
	return pass_on(blk, virtio_pci_queue_setup(&blk->virtio, index, &spec,
						   &queue->doorbell));
}

static int queues_start(struct virtio_blk *blk, const uint32_t *value)
{
	struct dma_region memory = blk->config.memory;
	unsigned wanted = has(blk, F_MQ) ? value[NUM_QUEUES] : 1;
	int error;

	wanted = MIN(wanted, blk->config.queues);
	wanted = MIN(wanted, blk->virtio.queue_count);
	blk->queue_count = (uint16_t)MAX(wanted, 1U);
	error = pass_on(blk, virtio_pci_config_vector(&blk->virtio, 0));
	for (uint16_t i = 0; i < blk->queue_count && !error; i++)
		error = queue_start(blk, i, &memory);
	return error;
}

static int handshake(struct virtio_blk *blk)
{
	uint32_t value[CONFIG_FIELDS];
	int error = virtio_pci_features(&blk->virtio, WANTED);

	if (error)
		return pass_on(blk, error);
	error = config_take(blk, value);
	if (!error)
		error = queues_start(blk, value);
	if (!error)
		error = pass_on(blk, virtio_pci_start(&blk->virtio));
	if (error)
		virtio_pci_fail(&blk->virtio);
	return error;
}

int virtio_blk_start(struct virtio_blk *blk)
{
	int error;

	if (virtio_blk_oldest_ns(blk) != UINT64_MAX)
		return refuse(blk, -EBUSY, "has requests in flight");
	blk->is_running = false;
	error = pass_on(blk, virtio_pci_reset(&blk->virtio));
	if (!error)
		error = handshake(blk);
	if (error)
		return error;
	blk->why = NULL;
	blk->is_running = true;
	return 0;
}

int virtio_blk_reset(struct virtio_blk *blk)
{
	int error = virtio_pci_reset(&blk->virtio);

	blk->is_running = false;
	if (error)
		return pass_on(blk, error);
	virtio_blk_return_all(blk);
	return 0;
}

int virtio_blk_cut_off(struct virtio_blk *blk)
{
	const char *why = virtio_blk_why(blk);

	if (virtio_pci_dma_off(&blk->virtio))
		return pass_on(blk, -EIO);
	virtio_blk_return_all(blk);
	blk->why = why;
	return 0;
}

/* ---- Interrupts ---------------------------------------------------------- */

int virtio_blk_interrupt(struct virtio_blk *blk, uint16_t vector,
			 uint32_t *queues)
{
	bool is_msix = blk->config.pci->vector_count;
	uint8_t events = VIRTIO_EVENT_QUEUE;

	if (!blk->is_running)
		return 0;
	if (!is_msix)
		events = virtio_pci_events(&blk->virtio);
	else if (!vector)
		events |= VIRTIO_EVENT_CONFIG;
	if (events & VIRTIO_EVENT_QUEUE)
		for (unsigned i = 0; i < blk->queue_count; i++)
			if (!is_msix || blk->queue[i].vector == vector)
				*queues |= 1U << i;
	return events & VIRTIO_EVENT_CONFIG ? config_changed(blk) : 0;
}
