/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtio device is, wherever its registers are: status, features, queues
 * that come and go, interrupts, state.  See virtio.h.
 *
 * References: VIRTIO 1.2, 2.1 to 2.5, 2.6.1, 3.1.
 */
#include "devices/virtio_internal.h"

#include "devices/net_port.h"

#include "lib/string.h"

#define STATUS_KNOWN                                           \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |    \
	 VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FEATURES_OK | \
	 VIRTIO_STATUS_FAILED)

/* What all kinds offer; legacy drivers see the low half alone. */
#define FEATURES                                                            \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | \
	 VIRTIO_F_RING_PACKED | VIRTIO_F_NOTIFICATION_DATA |                \
	 VIRTIO_F_RING_RESET)

/* ---- Queues ------------------------------------------------------------- */

static void *area_at(const struct virtio *virtio, uint64_t address,
		     uint64_t length, uint64_t align)
{
	return IS_ALIGNED(address, align)
		       ? guest_ram_at(virtio->config.ram, address, length)
		       : NULL;
}

/* All three areas, as features and registers say.  False: they make no sense.
 */
static bool queue_attach(const struct virtio *virtio,
			 const struct virtio_queue_state *state,
			 uint64_t features, struct virtio_queue *queue)
{
	bool is_packed = features & VIRTIO_F_RING_PACKED;
	uint16_t size = state->size;
	uint64_t event = sizeof(struct virtq_packed_event);

	if (!is_packed && size & (size - 1))
		return false;
	queue->size = size;
	queue->is_packed = is_packed;
	queue->has_event_index = features & VIRTIO_F_EVENT_IDX;
	queue->has_indirect = features & VIRTIO_F_INDIRECT_DESC;
	queue->unseen = 0;
	queue->driver = area_at(virtio, state->driver,
				is_packed ? event : VIRTQ_AVAILABLE_SIZE(size),
				is_packed ? event : 2);
	queue->device = area_at(virtio, state->device,
				is_packed ? event : VIRTQ_USED_SIZE(size), 4);
	queue->descriptors = area_at(virtio, state->descriptors,
				     VIRTQ_DESCRIPTORS_SIZE(size), 16);
	return queue->driver && queue->device && queue->descriptors;
}

/* Nothing that was taken from it counts any more. */
static void queue_detach(struct virtio_queue *queue)
{
	queue->descriptors = NULL;
	queue->unseen = 0;
	queue->era++;
}

static void queues_detach(struct virtio *virtio)
{
	for (unsigned i = 0; i < virtio->config.queue_count; i++)
		queue_detach(&virtio->queue[i]);
}

/* The first time; it is empty. */
static bool queue_begin(struct virtio *virtio, unsigned index)
{
	struct virtio_queue *queue = &virtio->queue[index];
	struct virtio_queue_state *state = queue->state;

	if (!queue_attach(virtio, state, virtio->state->features, queue)) {
		queue_detach(queue);
		virtio_break(virtio, "a queue is not in memory");
		return false;
	}
	state->taken = state->used = queue->is_packed ? VIRTQ_PLACE_WRAP : 0;
	return true;
}

static void queue_clear(struct virtio *virtio, unsigned index)
{
	virtio->state->queue[index] = (struct virtio_queue_state){
		.size = virtio->config.queue_size,
		.vector = VIRTIO_NO_VECTOR,
	};
}

void virtio_queue_enable(struct virtio *virtio, unsigned queue)
{
	struct virtio_queue_state *state = virtio->queue[queue].state;

	if (state->is_enabled)
		return;
	state->is_enabled = true;
	if (virtio_is_running(virtio) && queue_begin(virtio, queue))
		virtio_kick(virtio, queue);
}

void virtio_queue_disable(struct virtio *virtio, unsigned queue)
{
	bool was_enabled = virtio->queue[queue].state->is_enabled;

	queue_detach(&virtio->queue[queue]);
	queue_clear(virtio, queue);
	if (was_enabled && virtio->config.ops->queue_stopped)
		virtio->config.ops->queue_stopped(virtio->config.dev, queue);
}

struct virtio_queue_state *virtio_selected(struct virtio *virtio)
{
	unsigned queue = virtio->state->queue_select;

	return queue < virtio->config.queue_count ? &virtio->state->queue[queue]
						  : NULL;
}

/* Every one is for a device: it is short on purpose. */
void virtio_kick(struct virtio *virtio, unsigned queue)
{
	if (likely(queue < virtio->config.queue_count &&
		   virtio->queue[queue].descriptors))
		virtio->config.ops->notified(virtio->config.dev, queue);
}

/* ---- Interrupts --------------------------------------------------------- */

uint16_t virtio_vector(const struct virtio *virtio, uint64_t value)
{
	return value <= virtio->config.queue_count ? (uint16_t)value
						   : VIRTIO_NO_VECTOR;
}

void virtio_interrupt(struct virtio *virtio, uint8_t event, uint16_t vector)
{
	if (likely(pci_msix_is_enabled(&virtio->pci))) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_message_send(&virtio->pci, vector);
		return;
	}
	virtio->state->isr |= event;
	pci_intx_set(&virtio->pci, true);
}

uint8_t virtio_isr_take(struct virtio *virtio)
{
	uint8_t isr = virtio->state->isr;

	virtio->state->isr = 0;
	pci_intx_set(&virtio->pci, false);
	return isr;
}

/* The status register says so with MSI-X, too, where queues' bit stays clear.
 */
static void config_notify(struct virtio *virtio)
{
	struct virtio_state *state = virtio->state;

	if (!(state->status & VIRTIO_STATUS_DRIVER_OK))
		return;
	state->isr |= VIRTIO_EVENT_CONFIG;
	virtio_interrupt(virtio, VIRTIO_EVENT_CONFIG, state->config_vector);
}

void virtio_config_changed(struct virtio *virtio)
{
	virtio->state->generation++;
	config_notify(virtio);
}

void virtio_break(struct virtio *virtio, const char *why)
{
	if (virtio->state->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	queues_detach(virtio);
	virtio->state->status |= VIRTIO_STATUS_NEEDS_RESET;
	config_notify(virtio);
	if (virtio->config.log)
		net_warn(virtio->config.log, virtio->config.name, why);
}

/* ---- Status and features ------------------------------------------------ */

/* Those that a driver may have accepted with that status. */
static bool features_are_good(const struct virtio *virtio,
			      const struct virtio_state *state, uint8_t status)
{
	if (state->features & ~virtio->offered)
		return false;
	if (state->features & VIRTIO_F_VERSION_1)
		return status & VIRTIO_STATUS_FEATURES_OK;
	return virtio->config.is_transitional && !(state->features >> 32);
}

static void stop(struct virtio *virtio)
{
	struct virtio_state *state = virtio->state;

	queues_detach(virtio);
	(void)virtio_isr_take(virtio);
	state->features = 0;
	state->offered_select = state->accepted_select = 0;
	state->queue_select = 0;
	state->config_vector = VIRTIO_NO_VECTOR;
	state->status = 0;
	for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
		queue_clear(virtio, i);
	if (virtio->config.ops->stopped)
		virtio->config.ops->stopped(virtio->config.dev);
}

static void start(struct virtio *virtio)
{
	const struct virtio_ops *ops = virtio->config.ops;
	unsigned i;

	for (i = 0; i < virtio->config.queue_count; i++)
		if (virtio->state->queue[i].is_enabled &&
		    !queue_begin(virtio, i))
			return;
	if (ops->started)
		ops->started(virtio->config.dev);
	for (i = 0; i < virtio->config.queue_count; i++)
		virtio_kick(virtio, i);
}

void virtio_status_set(struct virtio *virtio, uint8_t status)
{
	struct virtio_state *state = virtio->state;
	uint8_t added = (uint8_t)(status & STATUS_KNOWN & ~state->status);

	if (!status) {
		stop(virtio);
		return;
	}
	if (added & VIRTIO_STATUS_FEATURES_OK &&
	    (!(state->features & VIRTIO_F_VERSION_1) ||
	     !features_are_good(virtio, state, status)))
		added &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	if (added & VIRTIO_STATUS_DRIVER_OK &&
	    !features_are_good(virtio, state, state->status | added))
		added &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
	state->status |= added;
	if (added & VIRTIO_STATUS_DRIVER_OK)
		start(virtio);
}

uint8_t virtio_status_get(const struct virtio *virtio)
{
	const struct virtio_ops *ops = virtio->config.ops;

	if (!virtio->state->status && ops->is_stopping &&
	    ops->is_stopping(virtio->config.dev, VIRTIO_QUEUES))
		return VIRTIO_STATUS_ACKNOWLEDGE;
	return virtio->state->status;
}

/* ---- The kind's configuration ------------------------------------------- */

void virtio_config_access(struct virtio *virtio, struct io_access *io)
{
	const struct virtio_config *config = &virtio->config;
	unsigned offset = (unsigned)io->offset, size = 0;
	uint64_t data = io->data;

	if (offset < config->config_size)
		size = MIN(io->size, config->config_size - offset);
	if (io->is_write) {
		if (size == io->size && config->ops->config_write)
			config->ops->config_write(config->dev, offset, &data,
						  size);
		return;
	}
	io->data = 0;
	if (size && config->ops->config_read)
		config->ops->config_read(config->dev, offset, &io->data, size);
}

/* ---- Made, reset, restored ---------------------------------------------- */

int virtio_init(struct virtio *virtio, const struct virtio_config *config,
		struct virtio_state *state)
{
	if (!config->queue_count || config->queue_count > VIRTIO_QUEUES ||
	    !config->queue_size || config->queue_size > VIRTIO_QUEUE_SIZE ||
	    config->queue_size & (config->queue_size - 1))
		return -EINVAL;
	memset(virtio, 0, sizeof(*virtio));
	virtio->config = *config;
	virtio->state = state;
	virtio->offered = FEATURES | config->features;
	for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
		virtio->queue[i].state = &state->queue[i];
		queue_clear(virtio, i);
	}
	state->config_vector = VIRTIO_NO_VECTOR;
	return virtio_pci_init(virtio);
}

void virtio_reset(struct virtio *virtio)
{
	pci_device_reset(&virtio->pci);
	stop(virtio);
}

void virtio_restored(struct virtio *virtio)
{
	const struct virtio_state *state = virtio->state;

	queues_detach(virtio);
	pci_device_restored(&virtio->pci);
	if (!virtio_is_running(virtio))
		return;
	for (unsigned i = 0; i < virtio->config.queue_count; i++)
		if (state->queue[i].is_enabled)
			(void)queue_attach(virtio, &state->queue[i],
					   state->features, &virtio->queue[i]);
}

static bool vector_is_valid(const struct virtio *virtio, uint16_t vector)
{
	return virtio_vector(virtio, vector) == vector;
}

/* Is between what was taken and what was returned no more than there can be? */
static bool places_are_valid(const struct virtio_queue *queue,
			     const struct virtio_queue_state *state)
{
	if (!queue->is_packed)
		return (uint16_t)(state->taken - state->used) <= queue->size;
	return (state->taken & ~VIRTQ_PLACE_WRAP) < queue->size &&
	       (state->used & ~VIRTQ_PLACE_WRAP) < queue->size;
}

static bool queues_are_valid(const struct virtio *virtio,
			     const struct virtio_state *state)
{
	bool is_running = (state->status & (VIRTIO_STATUS_DRIVER_OK |
					    VIRTIO_STATUS_NEEDS_RESET)) ==
			  VIRTIO_STATUS_DRIVER_OK;

	for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
		const struct virtio_queue_state *queue = &state->queue[i];
		struct virtio_queue attached = { 0 };

		if (!queue->size || queue->size > virtio->config.queue_size ||
		    !vector_is_valid(virtio, queue->vector) ||
		    (queue->is_enabled && i >= virtio->config.queue_count))
			return false;
		if (is_running && queue->is_enabled &&
		    (!queue_attach(virtio, queue, state->features, &attached) ||
		     !places_are_valid(&attached, queue)))
			return false;
	}
	return true;
}

/* What software cannot write is as it was made. */
static bool capabilities_are_valid(const struct virtio *virtio,
				   const struct virtio_state *state)
{
	for (unsigned i = VIRTIO_CAPS_BEGIN; i < PCI_CONFIG_SIZE; i++)
		if ((state->pci.config[i] ^ virtio->pci.initial[i]) &
		    ~virtio->pci.writable[i])
			return false;
	return true;
}

bool virtio_is_valid(const struct virtio *virtio,
		     const struct virtio_state *state)
{
	if (state->status & VIRTIO_STATUS_DRIVER_OK &&
	    !features_are_good(virtio, state, state->status))
		return false;
	return vector_is_valid(virtio, state->config_vector) &&
	       (state->pci.intx_level ? state->isr
				      : !(state->isr & VIRTIO_EVENT_QUEUE)) &&
	       queues_are_valid(virtio, state) &&
	       capabilities_are_valid(virtio, state) &&
	       pci_msix_is_valid(&virtio->pci, &state->msix) &&
	       pci_device_is_valid(&virtio->pci, &state->pci);
}

static const struct state_field queue_fields[] = {
	STATE_VALUE(struct virtio_queue_state, descriptors),
	STATE_VALUE(struct virtio_queue_state, driver),
	STATE_VALUE(struct virtio_queue_state, device),
	STATE_VALUE(struct virtio_queue_state, size),
	STATE_VALUE(struct virtio_queue_state, vector,
		    .reset = VIRTIO_NO_VECTOR),
	STATE_VALUE(struct virtio_queue_state, taken),
	STATE_VALUE(struct virtio_queue_state, used),
	STATE_VALUE(struct virtio_queue_state, is_enabled),
	STATE_RESERVED(struct virtio_queue_state, reserved),
};

static const struct state_description queue_description =
	STATE_DESCRIPTION(struct virtio_queue_state, queue_fields);

static const struct state_field fields[] = {
	STATE_VALUE(struct virtio_state, features),
	STATE_VALUE(struct virtio_state, offered_select),
	STATE_VALUE(struct virtio_state, accepted_select),
	STATE_VALUE(struct virtio_state, queue_select),
	STATE_VALUE(struct virtio_state, config_vector,
		    .reset = VIRTIO_NO_VECTOR),
	STATE_VALUE(struct virtio_state, status,
		    .max = STATUS_KNOWN | VIRTIO_STATUS_NEEDS_RESET),
	STATE_VALUE(struct virtio_state, isr,
		    .max = VIRTIO_EVENT_QUEUE | VIRTIO_EVENT_CONFIG),
	STATE_VALUE(struct virtio_state, generation),
	STATE_RESERVED(struct virtio_state, reserved),
	STATE_STRUCTS(struct virtio_state, queue, &queue_description),
	STATE_STRUCT(struct virtio_state, msix, &pci_msix_description),
	STATE_STRUCT(struct virtio_state, pci, &pci_device_description),
};

const struct state_description virtio_description =
	STATE_DESCRIPTION(struct virtio_state, fields);
