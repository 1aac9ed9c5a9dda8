/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common registers of a virtio device, and the legacy ones.  A narrower
 * read at a register's beginning has its low bytes: iPXE reads the features
 * with 16 bits. Any other access that is none of a whole register reads 0 and
 * writes nothing.
 *
 * References: VIRTIO 1.2, 4.1.4.3, 4.1.4.10 (legacy), 2.7.2 (legacy layout).
 */
#include "devices/virtio_internal.h"

/* ---- Common registers --------------------------------------------------- */

/* clang-format off */
static const uint8_t common_width[] = {
	[VIRTIO_COMMON_OFFERED_SELECT]	    = 4,
	[VIRTIO_COMMON_OFFERED]		    = 4,
	[VIRTIO_COMMON_ACCEPTED_SELECT]	    = 4,
	[VIRTIO_COMMON_ACCEPTED]	    = 4,
	[VIRTIO_COMMON_CONFIG_VECTOR]	    = 2,
	[VIRTIO_COMMON_QUEUES]		    = 2,
	[VIRTIO_COMMON_STATUS]		    = 1,
	[VIRTIO_COMMON_GENERATION]	    = 1,
	[VIRTIO_COMMON_QUEUE_SELECT]	    = 2,
	[VIRTIO_COMMON_QUEUE_SIZE]	    = 2,
	[VIRTIO_COMMON_QUEUE_VECTOR]	    = 2,
	[VIRTIO_COMMON_QUEUE_ENABLE]	    = 2,
	[VIRTIO_COMMON_QUEUE_NOTIFY]	    = 2,
	[VIRTIO_COMMON_QUEUE_DESC]	    = 4,
	[VIRTIO_COMMON_QUEUE_DESC + 4]	    = 4,
	[VIRTIO_COMMON_QUEUE_AVAILABLE]	    = 4,
	[VIRTIO_COMMON_QUEUE_AVAILABLE + 4] = 4,
	[VIRTIO_COMMON_QUEUE_USED]	    = 4,
	[VIRTIO_COMMON_QUEUE_USED + 4]	    = 4,
	[VIRTIO_COMMON_QUEUE_DATA]	    = 2,
	[VIRTIO_COMMON_QUEUE_RESET]	    = 2,
};
/* clang-format on */

/* The word of a 64-bit set that select names. */
static uint32_t half(uint64_t value, uint32_t select)
{
	return select < 2 ? (uint32_t)(value >> (32 * select)) : 0;
}

static void half_set(uint64_t *value, unsigned select, uint64_t word)
{
	unsigned shift = 32 * select;

	*value = (*value & ~(0xffffffffULL << shift)) | word << shift;
}

/* The address that those 4 bytes are half of; NULL: another register. */
static uint64_t *queue_address(struct virtio_queue_state *queue,
			       unsigned offset)
{
	switch (offset & ~7U) {
	case VIRTIO_COMMON_QUEUE_DESC:
		return &queue->descriptors;
	case VIRTIO_COMMON_QUEUE_AVAILABLE:
		return &queue->driver;
	case VIRTIO_COMMON_QUEUE_USED:
		return &queue->device;
	default:
		return NULL;
	}
}

static bool queue_is_stopping(const struct virtio *virtio)
{
	const struct virtio_config *config = &virtio->config;

	return config->ops->is_stopping &&
	       config->ops->is_stopping(config->dev,
					virtio->state->queue_select);
}

static uint64_t queue_read(struct virtio *virtio, unsigned offset)
{
	struct virtio_queue_state *queue = virtio_selected(virtio);
	const uint64_t *address;

	if (!queue)
		return 0;
	switch (offset) {
	case VIRTIO_COMMON_QUEUE_SIZE:
		return queue->size;
	case VIRTIO_COMMON_QUEUE_VECTOR:
		return queue->vector;
	case VIRTIO_COMMON_QUEUE_ENABLE:
		return queue->is_enabled;
	case VIRTIO_COMMON_QUEUE_NOTIFY:
	case VIRTIO_COMMON_QUEUE_DATA:
		return virtio->state->queue_select;
	case VIRTIO_COMMON_QUEUE_RESET:
		return !queue->is_enabled && queue_is_stopping(virtio);
	default:
		address = queue_address(queue, offset);
		return address ? half(*address, offset >> 2 & 1) : 0;
	}
}

static uint64_t common_read(struct virtio *virtio, unsigned offset)
{
	const struct virtio_state *state = virtio->state;

	switch (offset) {
	case VIRTIO_COMMON_OFFERED_SELECT:
		return state->offered_select;
	case VIRTIO_COMMON_OFFERED:
		return half(virtio->offered & ~VIRTIO_F_ANY_LAYOUT,
			    state->offered_select);
	case VIRTIO_COMMON_ACCEPTED_SELECT:
		return state->accepted_select;
	case VIRTIO_COMMON_ACCEPTED:
		return half(state->features, state->accepted_select);
	case VIRTIO_COMMON_CONFIG_VECTOR:
		return state->config_vector;
	case VIRTIO_COMMON_QUEUES:
		return virtio->config.queue_count;
	case VIRTIO_COMMON_STATUS:
		return virtio_status_get(virtio);
	case VIRTIO_COMMON_GENERATION:
		return state->generation;
	case VIRTIO_COMMON_QUEUE_SELECT:
		return state->queue_select;
	default:
		return queue_read(virtio, offset);
	}
}

/* Of a queue that is enabled only the vector may be another. */
static void queue_write(struct virtio *virtio, unsigned offset, uint64_t value)
{
	struct virtio_queue_state *queue = virtio_selected(virtio);
	unsigned index = virtio->state->queue_select;
	uint64_t *address;

	if (!queue)
		return;
	if (offset == VIRTIO_COMMON_QUEUE_VECTOR)
		queue->vector = virtio_vector(virtio, value);
	else if (offset == VIRTIO_COMMON_QUEUE_RESET && value == 1 &&
		 virtio_has(virtio, FIELD_SHIFT(VIRTIO_F_RING_RESET)))
		virtio_queue_disable(virtio, index);
	if (queue->is_enabled)
		return;
	address = queue_address(queue, offset);
	if (address)
		half_set(address, offset >> 2 & 1, value);
	else if (offset == VIRTIO_COMMON_QUEUE_SIZE && value &&
		 value <= virtio->config.queue_size)
		queue->size = (uint16_t)value;
	else if (offset == VIRTIO_COMMON_QUEUE_ENABLE && value == 1)
		virtio_queue_enable(virtio, index);
}

/* Until they have been agreed on. */
static void accepted_write(struct virtio *virtio, uint64_t word)
{
	struct virtio_state *state = virtio->state;

	if (state->accepted_select < 2 &&
	    !(state->status &
	      (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)))
		half_set(&state->features, state->accepted_select, word);
}

static void common_write(struct virtio *virtio, unsigned offset, uint64_t value)
{
	struct virtio_state *state = virtio->state;

	switch (offset) {
	case VIRTIO_COMMON_OFFERED_SELECT:
		state->offered_select = (uint32_t)value;
		break;
	case VIRTIO_COMMON_ACCEPTED_SELECT:
		state->accepted_select = (uint32_t)value;
		break;
	case VIRTIO_COMMON_ACCEPTED:
		accepted_write(virtio, value);
		break;
	case VIRTIO_COMMON_CONFIG_VECTOR:
		state->config_vector = virtio_vector(virtio, value);
		break;
	case VIRTIO_COMMON_STATUS:
		virtio_status_set(virtio, (uint8_t)value);
		break;
	case VIRTIO_COMMON_QUEUE_SELECT:
		state->queue_select = (uint16_t)value;
		break;
	default:
		queue_write(virtio, offset, value);
	}
}

static uint64_t written(const struct io_access *io)
{
	return io->data & (~0ULL >> (64 - 8 * io->size));
}

/* Whether it is one of a register, whose widths the table has by offset. */
static bool is_of_register(const struct io_access *io, const uint8_t *width,
			   unsigned count)
{
	unsigned whole = io->offset < count ? width[io->offset] : 0;

	return io->is_write ? io->size == whole : io->size <= whole;
}

void virtio_common_access(struct virtio *virtio, struct io_access *io)
{
	unsigned offset = (unsigned)io->offset;
	bool is_register =
		is_of_register(io, common_width, ARRAY_SIZE(common_width));

	if (!io->is_write)
		io->data = is_register ? common_read(virtio, offset) : 0;
	else if (is_register)
		common_write(virtio, offset, written(io));
}

/* ---- Legacy registers --------------------------------------------------- */

/* clang-format off */
static const uint8_t legacy_width[] = {
	[VIRTIO_LEGACY_OFFERED]	      = 4,
	[VIRTIO_LEGACY_ACCEPTED]      = 4,
	[VIRTIO_LEGACY_QUEUE_PAGE]    = 4,
	[VIRTIO_LEGACY_QUEUE_SIZE]    = 2,
	[VIRTIO_LEGACY_QUEUE_SELECT]  = 2,
	[VIRTIO_LEGACY_QUEUE_NOTIFY]  = 2,
	[VIRTIO_LEGACY_STATUS]	      = 1,
	[VIRTIO_LEGACY_ISR]	      = 1,
	/* Where MSI-X is on, else they are the kind's configuration. */
	[VIRTIO_LEGACY_CONFIG_VECTOR] = 2,
	[VIRTIO_LEGACY_QUEUE_VECTOR]  = 2,
};
/* clang-format on */

#define LEGACY_PAGE_SHIFT 12

static uint64_t legacy_read(struct virtio *virtio, unsigned offset)
{
	const struct virtio_queue_state *queue = virtio_selected(virtio);
	const struct virtio_state *state = virtio->state;

	switch (offset) {
	case VIRTIO_LEGACY_OFFERED:
		return (uint32_t)virtio->offered;
	case VIRTIO_LEGACY_ACCEPTED:
		return (uint32_t)state->features;
	case VIRTIO_LEGACY_QUEUE_PAGE:
		return queue && queue->is_enabled
			       ? queue->descriptors >> LEGACY_PAGE_SHIFT
			       : 0;
	case VIRTIO_LEGACY_QUEUE_SIZE:
		return queue ? queue->size : 0;
	case VIRTIO_LEGACY_QUEUE_SELECT:
		return state->queue_select;
	case VIRTIO_LEGACY_STATUS:
		return virtio_status_get(virtio);
	case VIRTIO_LEGACY_ISR:
		return virtio_isr_take(virtio);
	case VIRTIO_LEGACY_CONFIG_VECTOR:
		return state->config_vector;
	case VIRTIO_LEGACY_QUEUE_VECTOR:
		return queue ? queue->vector : VIRTIO_NO_VECTOR;
	default:
		return 0;
	}
}

/* All three areas lie together, the last on a page of its own. */
static void legacy_queue_page(struct virtio *virtio, uint64_t page)
{
	struct virtio_queue_state *queue = virtio_selected(virtio);
	unsigned index = virtio->state->queue_select;
	uint16_t vector;

	if (!queue)
		return;
	if (!page) {
		vector = queue->vector;
		virtio_queue_disable(virtio, index);
		queue->vector = vector;
		return;
	}
	if (queue->is_enabled)
		return;
	queue->descriptors = page << LEGACY_PAGE_SHIFT;
	queue->driver =
		queue->descriptors + VIRTQ_DESCRIPTORS_SIZE(queue->size);
	queue->device = ALIGN_UP(
		queue->driver + VIRTQ_AVAILABLE_SIZE(queue->size), PAGE_SIZE);
	virtio_queue_enable(virtio, index);
}

static void legacy_write(struct virtio *virtio, unsigned offset, uint64_t value)
{
	struct virtio_queue_state *queue = virtio_selected(virtio);
	struct virtio_state *state = virtio->state;

	switch (offset) {
	case VIRTIO_LEGACY_ACCEPTED:
		if (!(state->status &
		      (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)))
			state->features = value & (uint32_t)virtio->offered;
		break;
	case VIRTIO_LEGACY_QUEUE_PAGE:
		legacy_queue_page(virtio, value);
		break;
	case VIRTIO_LEGACY_QUEUE_SELECT:
		state->queue_select = (uint16_t)value;
		break;
	case VIRTIO_LEGACY_STATUS:
		virtio_status_set(virtio, (uint8_t)value);
		break;
	case VIRTIO_LEGACY_CONFIG_VECTOR:
		state->config_vector = virtio_vector(virtio, value);
		break;
	case VIRTIO_LEGACY_QUEUE_VECTOR:
		if (queue)
			queue->vector = virtio_vector(virtio, value);
		break;
	}
}

void virtio_legacy_access(void *dev, struct io_access *io)
{
	struct virtio *virtio = dev;
	unsigned offset = (unsigned)io->offset;
	unsigned config = pci_msix_is_enabled(&virtio->pci)
				  ? VIRTIO_LEGACY_CONFIG_MSIX
				  : VIRTIO_LEGACY_CONFIG;

	if (offset == VIRTIO_LEGACY_QUEUE_NOTIFY && io->is_write) {
		virtio_kick(virtio, (uint16_t)io->data);
		return;
	}
	if (offset >= config) {
		io->offset -= config;
		virtio_config_access(virtio, io);
		return;
	}
	if (!is_of_register(io, legacy_width, ARRAY_SIZE(legacy_width))) {
		if (!io->is_write)
			io->data = 0;
		return;
	}
	if (io->is_write)
		legacy_write(virtio, offset, written(io));
	else
		io->data = legacy_read(virtio, offset);
}
