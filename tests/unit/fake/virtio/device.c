/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake/virtio/device.h"

#include <stdlib.h>
#include <string.h>

#include "include/errno.h"

#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 0x40
#define STATUS_FAILED	   0x80
#define NO_VECTOR	   0xffff

static uint32_t load(const uint8_t *from, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, from, size);
	return value;
}

/* ---- Configuration space ------------------------------------------------- */

static uint32_t config_read(void *ctx, unsigned offset, unsigned size)
{
	struct fake_virtio *device = ctx;

	MUST(size == 1 || size == 2 || size == 4);
	MUST(offset % size == 0 && offset + size <= 256);
	return load(&device->pci_config[offset], size);
}

static void config_write(void *ctx, unsigned offset, unsigned size,
			 uint32_t value)
{
	struct fake_virtio *device = ctx;

	/* Nothing else is the driver's to write. */
	MUST(offset == 4 && size == 2);
	if (!device->is_command_fixed)
		memcpy(&device->pci_config[offset], &value, size);
}

static int bar_map(void *ctx, unsigned bar, struct pci_bar *mapped)
{
	struct fake_virtio *device = ctx;

	MUST(bar < PCI_BARS);
	if (bar != FAKE_BAR)
		return -ENODEV;
	*mapped = (struct pci_bar){ device->bar, FAKE_BAR_SIZE };
	return 0;
}

static uint64_t now_ns(void *ctx)
{
	struct fake_virtio *device = ctx;

	device->now_ns += device->step_ns;
	return device->now_ns;
}

static void relax(void *ctx)
{
	((struct fake_virtio *)ctx)->relaxed++;
}

void fake_virtio_cap(struct fake_virtio *device, unsigned type, unsigned bar,
		     uint32_t offset, uint32_t length)
{
	uint8_t *cap = &device->pci_config[FAKE_CAP(type)];

	cap[2] = type == 2 ? 20 : 16;
	cap[3] = (uint8_t)type;
	cap[4] = (uint8_t)bar;
	memcpy(&cap[8], &offset, 4);
	memcpy(&cap[12], &length, 4);
}

/* ---- Registers ----------------------------------------------------------- */

static void reset(struct fake_virtio *device)
{
	device->status = 0;
	device->accepted = 0;
	device->isr = 0;
	device->interrupts = 0;
	device->config_vector = NO_VECTOR;
	device->reset_count++;
	for (unsigned i = 0; i < FAKE_QUEUES; i++) {
		struct fake_queue *queue = &device->queue[i];

		queue->is_enabled = false;
		queue->size = queue->max;
		queue->vector = NO_VECTOR;
		memset(&queue->ring, 0, sizeof(queue->ring));
	}
	if (device->was_reset)
		device->was_reset(device);
}

static void status_set(struct fake_virtio *device, uint8_t value)
{
	if (!value) {
		if (device->reset_reads)
			device->status |= STATUS_NEEDS_RESET;
		else
			reset(device);
		return;
	}
	/* Bits come in order, and go only by a reset. */
	MUST(!(device->status & ~value));
	MUST(!(value & STATUS_DRIVER_OK) || value & STATUS_FEATURES_OK);
	if (value & STATUS_FEATURES_OK && device->is_feature_averse)
		value &= (uint8_t)~STATUS_FEATURES_OK;
	if (value & STATUS_DRIVER_OK && device->is_dying)
		value |= STATUS_NEEDS_RESET;
	device->status = value;
}

static uint32_t status_get(struct fake_virtio *device)
{
	if (device->reset_reads && device->reset_reads != UINT32_MAX &&
	    !--device->reset_reads)
		reset(device);
	return device->status;
}

static struct fake_queue *selected(struct fake_virtio *device)
{
	MUST(device->queue_select < device->queue_count);
	MUST(device->queue_select < FAKE_QUEUES);
	return &device->queue[device->queue_select];
}

static void queue_enable(struct fake_virtio *device, struct fake_queue *queue)
{
	MUST(!queue->is_enabled && device->status & STATUS_FEATURES_OK);
	MUST(!(device->status & STATUS_DRIVER_OK));
	queue->is_enabled = true;
	queue->ring = (struct fake_ring){
		.memory = &device->memory,
		.size = queue->size,
		.descriptors = queue->descriptors,
		.available = queue->available,
		.used = queue->used,
		.has_indirect = device->accepted & BIT(28),
		.has_event_index = device->accepted & BIT(29),
	};
	MUST(fake_ring_waiting(&queue->ring) == 0);
	MUST(*fake_ring_used_index(&queue->ring) == 0);
}

static void accepted_set(struct fake_virtio *device, uint32_t value)
{
	unsigned shift = 32 * device->accepted_select;

	MUST(device->accepted_select < 2);
	MUST(device->status & STATUS_DRIVER &&
	     !(device->status & STATUS_FEATURES_OK));
	device->accepted &= ~(0xffffffffULL << shift);
	device->accepted |= (uint64_t)value << shift;
	MUST(!(device->accepted & ~device->offered));
}

static uint16_t vector(const struct fake_virtio *device, uint32_t value)
{
	MUST(device->access.vector_count &&
	     value < device->access.vector_count);
	return device->is_vector_averse ? NO_VECTOR : (uint16_t)value;
}

static void queue_write(struct fake_virtio *device, unsigned offset,
			unsigned size, uint32_t value)
{
	struct fake_queue *queue = selected(device);
	uint64_t *address[] = { &queue->descriptors, &queue->available,
				&queue->used };

	MUST(!queue->is_enabled);
	if (offset >= 0x20) {
		MUST(offset < 0x38 && size == 4);
		memcpy((uint8_t *)address[(offset - 0x20) / 8] + offset % 8,
		       &value, 4);
		return;
	}
	MUST(size == 2);
	switch (offset) {
	case 0x18:
		MUST(value && !(value & (value - 1)) && value <= queue->max);
		if (!device->is_size_averse)
			queue->size = (uint16_t)value;
		return;
	case 0x1a:
		queue->vector = vector(device, value);
		return;
	case 0x1c:
		MUST(value == 1);
		queue_enable(device, queue);
		return;
	}
	MUST(!"a register that may be written");
}

static void common_write(struct fake_virtio *device, unsigned offset,
			 unsigned size, uint32_t value)
{
	switch (offset | size << 8) {
	case 0x400:
		device->offered_select = value;
		return;
	case 0x408:
		device->accepted_select = value;
		return;
	case 0x40c:
		accepted_set(device, value);
		return;
	case 0x210:
		device->config_vector = vector(device, value);
		return;
	case 0x114:
		status_set(device, (uint8_t)value);
		return;
	case 0x216:
		device->queue_select = (uint16_t)value;
		return;
	}
	queue_write(device, offset, size, value);
}

static uint32_t common_read(struct fake_virtio *device, unsigned offset,
			    unsigned size)
{
	switch (offset | size << 8) {
	case 0x404:
		MUST(device->offered_select < 2);
		return (uint32_t)(device->offered >>
				  32 * device->offered_select);
	case 0x210:
		return device->config_vector;
	case 0x212:
		return device->queue_count;
	case 0x114:
		return status_get(device);
	case 0x115:
		return device->generation;
	case 0x218:
		return selected(device)->size;
	case 0x21a:
		return selected(device)->vector;
	case 0x21c:
		return selected(device)->is_enabled;
	case 0x21e:
		return selected(device)->notify_offset;
	}
	MUST(!"a register of this width");
}

static uint32_t own_read(struct fake_virtio *device, unsigned offset,
			 unsigned size)
{
	uint32_t value;

	MUST(device->status & STATUS_FEATURES_OK);
	MUST(offset + size <= FAKE_CONFIG_MAX || device->is_lenient);
	if (offset + size > FAKE_CONFIG_MAX)
		return 0;
	value = load(&device->config[offset], size);
	if (device->config_changes) {
		if (device->config_changes != UINT32_MAX)
			device->config_changes--;
		if (device->config_changing)
			device->config_changing(device);
		device->generation++;
	}
	return value;
}

static unsigned bar_offset(const struct fake_virtio *device, const void *at,
			   unsigned size)
{
	uintptr_t offset = (uintptr_t)at - (uintptr_t)device->bar;

	MUST(size == 1 || size == 2 || size == 4);
	MUST(offset < FAKE_BAR_SIZE && size <= FAKE_BAR_SIZE - offset);
	MUST(offset % size == 0);
	return (unsigned)offset;
}

static uint32_t mmio_read(void *ctx, const void *at, unsigned size)
{
	struct fake_virtio *device = ctx;
	unsigned offset = bar_offset(device, at, size);
	uint8_t isr = device->isr;

	if (offset < FAKE_ISR)
		return common_read(device, offset, size);
	if (offset >= FAKE_CONFIG && offset < FAKE_NOTIFY)
		return own_read(device, offset - FAKE_CONFIG, size);
	MUST(offset == FAKE_ISR && size == 1);
	device->isr = 0;
	return isr;
}

static void notified(struct fake_virtio *device, unsigned offset,
		     uint32_t value)
{
	MUST(value < device->queue_count && value < FAKE_QUEUES);
	MUST(offset == 4U * device->queue[value].notify_offset);
	MUST(device->status & STATUS_DRIVER_OK &&
	     device->queue[value].is_enabled);
	device->queue[value].notifications++;
}

static void mmio_write(void *ctx, void *at, unsigned size, uint32_t value)
{
	struct fake_virtio *device = ctx;
	unsigned offset = bar_offset(device, at, size);

	if (offset < FAKE_ISR) {
		common_write(device, offset, size, value);
		return;
	}
	if (offset >= FAKE_NOTIFY) {
		MUST(size == 2);
		notified(device, offset - FAKE_NOTIFY, value);
		return;
	}
	MUST(offset >= FAKE_CONFIG && device->config_written);
	MUST(offset + size <= FAKE_CONFIG + FAKE_CONFIG_MAX);
	MUST(device->status & STATUS_FEATURES_OK);
	memcpy(&device->config[offset - FAKE_CONFIG], &value, size);
	device->config_written(device, offset - FAKE_CONFIG);
}

/* ---- Whole devices ------------------------------------------------------- */

static const struct pci_ops ops = {
	.config_read = config_read,
	.config_write = config_write,
	.bar_map = bar_map,
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.now_ns = now_ns,
	.relax = relax,
};

static void caps_init(struct fake_virtio *device)
{
	uint8_t *config = device->pci_config;
	const uint32_t multiplier = 4;

	config[6] = 0x10;
	config[0x34] = FAKE_CAP(1);
	fake_virtio_cap(device, 1, FAKE_BAR, FAKE_COMMON, 0x1000);
	fake_virtio_cap(device, 2, FAKE_BAR, FAKE_NOTIFY, 0x1000);
	fake_virtio_cap(device, 3, FAKE_BAR, FAKE_ISR, 0x1000);
	fake_virtio_cap(device, 4, FAKE_BAR, FAKE_CONFIG, 0x1000);
	memcpy(&config[FAKE_CAP(2) + 16], &multiplier, 4);
	for (unsigned type = 1; type <= 4; type++) {
		config[FAKE_CAP(type)] = 9;
		config[FAKE_CAP(type) + 1] =
			type == 4 ? FAKE_CAP_MSIX : FAKE_CAP(type + 1);
	}
	config[FAKE_CAP_MSIX] = 0x11;
}

void fake_virtio_init(struct fake_virtio *device, uint16_t kind)
{
	uint8_t *bar = device->bar;
	struct fake_memory memory = device->memory;
	uint16_t id = (uint16_t)(0x1040 + kind);

	*device = (struct fake_virtio){
		.access = { .ops = &ops, .ctx = device },
		.bar = bar ? bar : malloc(FAKE_BAR_SIZE),
		.memory = memory,
		.step_ns = 1000,
		.offered = BIT(28) | BIT(29) | BIT(32),
		.queue_count = 1,
	};
	memcpy(device->pci_config, "\xf4\x1a", 2);
	memcpy(&device->pci_config[2], &id, 2);
	device->pci_config[0x2e] = (uint8_t)kind;
	caps_init(device);
	for (unsigned i = 0; i < FAKE_QUEUES; i++) {
		device->queue[i].max = 128;
		device->queue[i].notify_offset = (uint16_t)i;
	}
	reset(device);
	device->reset_count = 0;
}

void fake_virtio_fini(struct fake_virtio *device)
{
	free(device->bar);
	device->bar = NULL;
}

void fake_virtio_interrupt(struct fake_virtio *device, unsigned queue)
{
	uint16_t number = device->queue[queue].vector;

	if (!device->access.vector_count)
		device->isr |= 1;
	else if (number != NO_VECTOR)
		device->interrupts |= 1U << number;
}

void fake_virtio_config_changed(struct fake_virtio *device)
{
	device->generation++;
	device->isr |= 2;
	if (device->access.vector_count && device->config_vector != NO_VECTOR)
		device->interrupts |= 1U << device->config_vector;
}

void fake_virtio_push(struct fake_virtio *device, unsigned queue, uint32_t id,
		      uint32_t length)
{
	if (fake_ring_push(&device->queue[queue].ring, id, length))
		fake_virtio_interrupt(device, queue);
}
