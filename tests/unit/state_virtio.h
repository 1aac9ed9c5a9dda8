/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of virtio devices' states share: a driver that mostly keeps to the
 * rules, in 64 KiB of memory.
 */
#ifndef BULKHEAD_TESTS_UNIT_STATE_VIRTIO_H
#define BULKHEAD_TESTS_UNIT_STATE_VIRTIO_H

#include "tests/unit/state_test.h"

#include "devices/virtio.h"

#define SV_PORTS  0xc000U
#define SV_MSIX	  0xfe001000U
#define SV_BAR	  0xfe004000U
#define SV_NOTIFY (SV_BAR + 0x3000)
#define SV_MEMORY 0x10000U
#define SV_RINGS  0x1000U /* 0x1000 bytes a queue, of seven at most */
#define SV_DATA	  0x8000U
#define SV_TABLE  0xc000U

struct sv_driver {
	struct pci_bus *pci;
	uint8_t devfn;
	unsigned queues;
	uint32_t features; /* of the lower ones, those it may take */
	/* Of requests, so many, a power of two, 64 bytes apart at SV_DATA; 0:
	 * none; and the bytes of each. */
	unsigned headers, header_size;
};

static void sv_set(struct rig *rig, unsigned offset, unsigned size,
		   uint64_t value)
{
	bus_out(&rig->b.memory, SV_BAR + offset, value, size);
}

static void sv_plug(struct rig *rig, const struct sv_driver *driver)
{
	pci_config_write(driver->pci, driver->devfn, PCI_BAR0, 4, SV_PORTS);
	pci_config_write(driver->pci, driver->devfn, PCI_BAR0 + 4, 4, SV_MSIX);
	pci_config_write(driver->pci, driver->devfn, PCI_BAR0 + 16, 4, SV_BAR);
	pci_config_write(driver->pci, driver->devfn, PCI_COMMAND, 2, 7);
	pci_config_write(driver->pci, driver->devfn, 0x9a, 2,
			 rig_random(rig) & 1 ? 0x8000 : 0);
}

static void sv_queue_start(struct rig *rig, unsigned queue, uint32_t random)
{
	sv_set(rig, VIRTIO_COMMON_QUEUE_SELECT, 2, queue);
	sv_set(rig, VIRTIO_COMMON_QUEUE_SIZE, 2, 4U << (random >> 8 & 1));
	sv_set(rig, VIRTIO_COMMON_QUEUE_VECTOR, 2, random >> 9 & 7);
	sv_set(rig, VIRTIO_COMMON_QUEUE_DESC, 4, SV_RINGS + 0x1000 * queue);
	sv_set(rig, VIRTIO_COMMON_QUEUE_AVAILABLE, 4,
	       SV_RINGS + 0x1000 * queue + 0x400);
	sv_set(rig, VIRTIO_COMMON_QUEUE_USED, 4,
	       SV_RINGS + 0x1000 * queue + 0x800);
	if (random >> (16 + queue) & 7)
		sv_set(rig, VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
}

static void sv_start(struct rig *rig, const struct sv_driver *driver)
{
	static const uint32_t high[] = { 1, 1, 1 | 4, 1 | 4, 0, 1 | 0x100 };
	uint32_t random = rig_random(rig);

	sv_plug(rig, driver);
	memset((uint8_t *)rig->memory + SV_RINGS, 0, driver->queues * 0x1000);
	sv_set(rig, VIRTIO_COMMON_STATUS, 1, 0);
	sv_set(rig, VIRTIO_COMMON_STATUS, 1, 3);
	sv_set(rig, VIRTIO_COMMON_ACCEPTED_SELECT, 4, 0);
	sv_set(rig, VIRTIO_COMMON_ACCEPTED, 4,
	       (random & 1 ? VIRTIO_F_EVENT_IDX : 0) |
		       (random & 2 ? VIRTIO_F_INDIRECT_DESC : 0) |
		       (driver->features ? driver->features & rig_random(rig)
					 : 0));
	sv_set(rig, VIRTIO_COMMON_ACCEPTED_SELECT, 4, 1);
	sv_set(rig, VIRTIO_COMMON_ACCEPTED, 4,
	       high[(random >> 2 & 7) % ARRAY_SIZE(high)]);
	sv_set(rig, VIRTIO_COMMON_STATUS, 1, 11);
	for (unsigned i = 0; i < driver->queues; i++)
		sv_queue_start(rig, i, random);
	sv_set(rig, VIRTIO_COMMON_STATUS, 1, 15);
}

static void sv_put(struct rig *rig, uint32_t at, const void *bytes, size_t size)
{
	memcpy((uint8_t *)rig->memory + at, bytes, size);
}

/* A descriptor of either kind, mostly sensible. */
static void sv_desc_make(struct rig *rig, const struct sv_driver *driver,
			 uint32_t at, uint16_t wrap)
{
	uint32_t random = rig_random(rig);
	struct virtq_desc split = {
		.address =
			random & 0x1f ? SV_DATA + (random >> 5 & 0xff) : ~3ULL,
		.length = driver->headers && random & 0x100
				  ? 512 * (1 + (random >> 13 & 3))
				  : 1 + (random >> 13 & 0x3f),
		.flags = random >> 19 & 3,
		.next = random >> 21 & 3,
	};
	struct virtq_packed_desc packed = {
		.address = split.address,
		.length = split.length,
		.id = split.next,
		.flags = (uint16_t)(split.flags | wrap),
	};

	if (driver->headers && !(random & 0x60)) {
		split.address = packed.address =
			SV_DATA + 64 * (random >> 7 & (driver->headers - 1));
		split.length = packed.length = driver->header_size;
		split.flags = VIRTQ_NEXT;
		packed.flags = (uint16_t)(VIRTQ_NEXT | wrap);
	}
	if (!(random >> 24 & 7)) {
		split.address = packed.address = SV_TABLE;
		split.length = packed.length = 16 * (random >> 27 & 3);
		split.flags |= VIRTQ_INDIRECT;
		packed.flags |= VIRTQ_INDIRECT;
	}
	if (wrap)
		sv_put(rig, at, &packed, sizeof(packed));
	else
		sv_put(rig, at, &split, sizeof(split));
}

/* Descriptors, and what makes some of them available. */
static void sv_chains_make(struct rig *rig, const struct sv_driver *driver)
{
	const uint8_t *ram = rig->memory;
	uint32_t random = rig_random(rig);
	unsigned queue = random % driver->queues;
	uint32_t base = SV_RINGS + 0x1000 * queue;
	bool is_packed = random >> 4 & 1;
	uint16_t index;

	for (unsigned i = 0; i < 4; i++) {
		sv_desc_make(rig, driver, base + 16 * i,
			     is_packed ? random >> 5 & 1
						 ? VIRTQ_PACKED_AVAILABLE
						 : VIRTQ_PACKED_USED
				       : 0);
		sv_desc_make(rig, driver, SV_TABLE + 16 * i, 0);
	}
	if (!is_packed) {
		memcpy(&index, ram + base + 0x402, sizeof(index));
		index = (uint16_t)(index + 1 + (random >> 6 & 1));
		sv_put(rig, base + 0x402, &index, sizeof(index));
		index = random >> 7 & 3;
		sv_put(rig, base + 0x404 + 2 * (random >> 9 & 7), &index,
		       sizeof(index));
	}
	if (random >> 12 & 3)
		bus_out(&rig->b.memory, SV_NOTIFY + 4 * queue, queue, 2);
}

/* One chain of that queue's, in a split ring: address, length and flags. */
static inline void sv_chain(struct rig *rig, unsigned queue, uint64_t address,
			    uint32_t length, uint16_t flags)
{
	const uint8_t *ram = rig->memory;
	const struct virtq_desc desc = { address, length, flags, 0 };
	uint32_t base = SV_RINGS + 0x1000 * queue;
	uint16_t index, slot;

	memcpy(&index, ram + base + 0x402, sizeof(index));
	slot = index % 4;
	sv_put(rig, base + 16 * slot, &desc, sizeof(desc));
	for (unsigned i = slot; i < 8; i += 4) /* of either size */
		sv_put(rig, base + 0x404 + 2 * i, &slot, sizeof(slot));
	index++;
	sv_put(rig, base + 0x402, &index, sizeof(index));
	bus_out(&rig->b.memory, SV_NOTIFY + 4 * queue, queue, 2);
}

#define SV_REGIONS                                                        \
	{ .base = SV_BAR, .length = 0x3c, .size = 1, .is_memory = true }, \
		{ .base = SV_BAR,                                         \
		  .length = 0x3c,                                         \
		  .size = 2,                                              \
		  .is_memory = true },                                    \
		{ .base = SV_BAR,                                         \
		  .length = 0x3c,                                         \
		  .size = 4,                                              \
		  .is_memory = true },                                    \
		{ .base = SV_BAR + 0x1000,                                \
		  .length = 4,                                            \
		  .size = 1,                                              \
		  .is_memory = true },                                    \
		{ .base = SV_BAR + 0x2000,                                \
		  .length = 16,                                           \
		  .size = 4,                                              \
		  .is_memory = true },                                    \
		{ .base = SV_NOTIFY,                                      \
		  .length = 16,                                           \
		  .size = 4,                                              \
		  .is_memory = true },                                    \
		{ .base = SV_MSIX,                                        \
		  .length = 0x40,                                         \
		  .size = 4,                                              \
		  .is_memory = true },                                    \
		{ .base = SV_PORTS, .length = 0x20, .size = 1 },          \
		{ .base = SV_PORTS, .length = 0x20, .size = 2 },          \
	{                                                                 \
		.base = SV_PORTS, .length = 0x20, .size = 4               \
	}

#endif
