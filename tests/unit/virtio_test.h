/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver for tests of virtio devices: a bus with one function, guest memory,
 * and queues of either kind of ring, driven from the registers as firmware and
 * systems do.
 *
 *	vt_begin();				 then the device at VT_DEVFN
 *	vt_plug();				 BARs, bus master
 *	vt_handshake(features, packed);		 FEATURES_OK
 *	vt_queue_setup(queue, size);		 for each
 *	vt_driver_ok();
 *	vt_out(), vt_in() ...; vt_add(queue); vt_kick(queue);
 *	vt_take(queue, ...);
 */
#ifndef BULKHEAD_TESTS_UNIT_VIRTIO_TEST_H
#define BULKHEAD_TESTS_UNIT_VIRTIO_TEST_H

#include "tests/unit/device_test.h"

#include "devices/virtio.h"
#include "include/errno.h"

#define VT_DEVFN    PCI_DEVFN(16, 0)
#define VT_PORTS    0xc000U
#define VT_MSIX	    0xfe001000U
#define VT_BAR	    0xfe004000U
#define VT_COMMON   VT_BAR
#define VT_ISR	    (VT_BAR + 0x1000)
#define VT_CONFIG   (VT_BAR + 0x2000)
#define VT_NOTIFY   (VT_BAR + 0x3000)
#define VT_RAM	    0x200000U
#define VT_RINGS    0x10000U /* of queue 0; a page of each area, and so on */
#define VT_DATA	    0x100000U
#define VT_MESSAGES 64
#define VT_PIECES   80
#define VT_DEFAULT  (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX)

struct vt_ring {
	uint16_t size;
	bool is_packed;
	uint64_t descriptors, driver, device; /* guest-physical */
	uint16_t free_first;		      /* split */
	uint16_t next; /* place of the next to make available */
	uint16_t seen; /* of the next that comes back */
	uint16_t parts[VIRTIO_QUEUE_SIZE]; /* of a chain, by its ID */
};

static struct {
	struct bench b;
	struct pci_bus pci;
	struct guest_ram ram;
	uint8_t bytes[VT_RAM] __attribute__((aligned(4096)));
	uint64_t features;
	struct vt_ring ring[VIRTIO_QUEUES];
	/* The chain that is being made. */
	struct virtq_desc piece[VT_PIECES];
	unsigned pieces;
	/* What came of it. */
	bool intx;
	unsigned messages;
	uint32_t message[VT_MESSAGES];
} v;

/* ---- The bus ------------------------------------------------------------ */

static inline void vt_message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	v.message[v.messages++ % VT_MESSAGES] = data;
}

static inline void vt_intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)ctx;
	assert_int_equal(devfn, VT_DEVFN);
	assert_int_equal(pin, 0);
	v.intx = level;
}

static inline void vt_begin(void)
{
	memset(&v, 0, sizeof(v));
	bench_init(&v.b);
	assert_int_equal(pci_bus_init(&v.pci, &v.b.ports, &v.b.memory), 0);
	v.pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	v.pci.intx_set = vt_intx;
	v.pci.message = vt_message;
	v.ram.count = 1;
	v.ram.range[0] = (struct guest_ram_range){ 0, VT_RAM, v.bytes };
}

static inline void vt_config(unsigned offset, unsigned size, uint32_t value)
{
	pci_config_write(&v.pci, VT_DEVFN, offset, size, value);
}

static inline void vt_plug(void)
{
	vt_config(PCI_BAR0, 4, VT_PORTS);
	vt_config(PCI_BAR0 + 4, 4, VT_MSIX);
	vt_config(PCI_BAR0 + 16, 4, VT_BAR);
	vt_config(PCI_COMMAND, 2, 7);
}

static inline uint64_t vt_read(uint64_t address, unsigned size)
{
	return bus_in(&v.b.memory, address, size);
}

static inline void vt_write(uint64_t address, unsigned size, uint64_t value)
{
	bus_out(&v.b.memory, address, value, size);
}

static inline uint64_t vt_get(unsigned offset, unsigned size)
{
	return vt_read(VT_COMMON + offset, size);
}

static inline void vt_set(unsigned offset, unsigned size, uint64_t value)
{
	vt_write(VT_COMMON + offset, size, value);
}

/* MSI-X on, vector n sends n. */
static inline void vt_msix(unsigned vectors)
{
	for (unsigned i = 0; i < vectors; i++) {
		vt_write(VT_MSIX + 16 * i, 4, 0xfee00000);
		vt_write(VT_MSIX + 16 * i + 8, 4, i);
		vt_write(VT_MSIX + 16 * i + 12, 4, 0);
	}
	vt_config(0x98 + 2, 2, 0x8000);
}

/* ---- The handshake ------------------------------------------------------ */

static inline uint8_t vt_status(void)
{
	return (uint8_t)vt_get(VIRTIO_COMMON_STATUS, 1);
}

static inline void vt_status_add(uint64_t bits)
{
	vt_set(VIRTIO_COMMON_STATUS, 1, vt_status() | bits);
}

static inline uint64_t vt_offered(void)
{
	uint64_t low;

	vt_set(VIRTIO_COMMON_OFFERED_SELECT, 4, 0);
	low = vt_get(VIRTIO_COMMON_OFFERED, 4);
	vt_set(VIRTIO_COMMON_OFFERED_SELECT, 4, 1);
	return low | vt_get(VIRTIO_COMMON_OFFERED, 4) << 32;
}

static inline void vt_accept(uint64_t features)
{
	vt_set(VIRTIO_COMMON_ACCEPTED_SELECT, 4, 0);
	vt_set(VIRTIO_COMMON_ACCEPTED, 4, features & 0xffffffff);
	vt_set(VIRTIO_COMMON_ACCEPTED_SELECT, 4, 1);
	vt_set(VIRTIO_COMMON_ACCEPTED, 4, features >> 32);
}

static inline void vt_handshake(uint64_t features)
{
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_int_equal(vt_status(), 0);
	vt_status_add(VIRTIO_STATUS_ACKNOWLEDGE);
	vt_status_add(VIRTIO_STATUS_DRIVER);
	vt_accept(features);
	vt_status_add(VIRTIO_STATUS_FEATURES_OK);
	assert_true(vt_status() & VIRTIO_STATUS_FEATURES_OK);
	v.features = features;
}

/* 0x4000 bytes a queue: descriptors, driver's area, device's. */
static inline void vt_queue_setup(unsigned queue, uint16_t size)
{
	struct vt_ring *ring = &v.ring[queue];
	uint64_t base = VT_RINGS + 0x4000ULL * queue;
	struct virtq_desc *desc = (void *)(v.bytes + base);

	*ring = (struct vt_ring){
		.size = size,
		.is_packed = v.features & VIRTIO_F_RING_PACKED,
		.descriptors = base,
		.driver = base + 0x2000,
		.device = base + 0x3000,
	};
	memset(v.bytes + base, 0, 0x4000);
	if (ring->is_packed)
		ring->next = ring->seen = VIRTQ_PLACE_WRAP;
	for (uint16_t i = 0; !ring->is_packed && i < size; i++)
		desc[i].next = (uint16_t)(i + 1);
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, queue);
	vt_set(VIRTIO_COMMON_QUEUE_SIZE, 2, size);
	vt_set(VIRTIO_COMMON_QUEUE_VECTOR, 2, queue + 1);
	vt_set(VIRTIO_COMMON_QUEUE_DESC, 4, ring->descriptors);
	vt_set(VIRTIO_COMMON_QUEUE_DESC + 4, 4, 0);
	vt_set(VIRTIO_COMMON_QUEUE_AVAILABLE, 4, ring->driver);
	vt_set(VIRTIO_COMMON_QUEUE_AVAILABLE + 4, 4, 0);
	vt_set(VIRTIO_COMMON_QUEUE_USED, 4, ring->device);
	vt_set(VIRTIO_COMMON_QUEUE_USED + 4, 4, 0);
	vt_set(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
}

static inline void vt_driver_ok(void)
{
	vt_status_add(VIRTIO_STATUS_DRIVER_OK);
}

/* ---- Rings -------------------------------------------------------------- */

static inline void vt_piece(uint64_t address, uint32_t length, uint16_t flags)
{
	assert_true(v.pieces < VT_PIECES);
	v.piece[v.pieces++] = (struct virtq_desc){ address, length, flags, 0 };
}

/* The device reads it; writes it. */
static inline void vt_out(uint64_t address, uint32_t length)
{
	vt_piece(address, length, 0);
}

static inline void vt_in(uint64_t address, uint32_t length)
{
	vt_piece(address, length, VIRTQ_WRITE);
}

static inline uint16_t vt_place_next(uint16_t place, unsigned count,
				     uint16_t size)
{
	while (count--)
		if ((++place & ~VIRTQ_PLACE_WRAP) == size)
			place = (uint16_t)((place & VIRTQ_PLACE_WRAP) ^
					   VIRTQ_PLACE_WRAP);
	return place;
}

static inline uint16_t vt_packed_flags(uint16_t place)
{
	return place & VIRTQ_PLACE_WRAP ? VIRTQ_PACKED_AVAILABLE
					: VIRTQ_PACKED_USED;
}

static inline uint16_t vt_add_packed(struct vt_ring *ring)
{
	struct virtq_packed_desc *desc = (void *)(v.bytes + ring->descriptors);
	uint16_t place = ring->next, id = 0;
	uint16_t first = place & (uint16_t)~VIRTQ_PLACE_WRAP;
	uint16_t first_flags = 0;

	while (ring->parts[id])
		id++;
	assert_true(id < ring->size);
	for (unsigned i = 0; i < v.pieces; i++) {
		unsigned at = place & (unsigned)~VIRTQ_PLACE_WRAP;
		uint16_t flags =
			(uint16_t)(v.piece[i].flags | vt_packed_flags(place) |
				   (i + 1 < v.pieces ? VIRTQ_NEXT : 0));

		desc[at].address = v.piece[i].address;
		desc[at].length = v.piece[i].length;
		desc[at].id = id;
		if (i)
			desc[at].flags = flags;
		else
			first_flags = flags;
		place = vt_place_next(place, 1, ring->size);
	}
	desc[first].flags = first_flags;
	ring->next = place;
	ring->parts[id] = (uint16_t)v.pieces;
	return id;
}

static inline uint16_t vt_add_split(struct vt_ring *ring)
{
	struct virtq_desc *desc = (void *)(v.bytes + ring->descriptors);
	struct virtq_available *available = (void *)(v.bytes + ring->driver);
	uint16_t id = ring->free_first, at = id;

	for (unsigned i = 0; i < v.pieces; i++) {
		uint16_t next = desc[at].next;

		assert_true(at < ring->size);
		desc[at] = v.piece[i];
		desc[at].next = next;
		if (i + 1 < v.pieces)
			desc[at].flags |= VIRTQ_NEXT;
		at = next;
	}
	ring->free_first = at;
	available->ring[ring->next++ % ring->size] = id;
	available->index = ring->next;
	ring->parts[id] = (uint16_t)v.pieces;
	return id;
}

/* The pieces are a chain that is available now; its ID.  No kick. */
static inline uint16_t vt_add(unsigned queue)
{
	struct vt_ring *ring = &v.ring[queue];
	uint16_t id =
		ring->is_packed ? vt_add_packed(ring) : vt_add_split(ring);

	v.pieces = 0;
	return id;
}

/* The same by way of a table at that address. */
static inline uint16_t vt_add_indirect(unsigned queue, uint64_t address)
{
	struct virtq_desc *table = (void *)(v.bytes + address);
	unsigned count = v.pieces;

	for (unsigned i = 0; i < count; i++) {
		table[i] = v.piece[i];
		table[i].next = (uint16_t)(i + 1);
		if (v.ring[queue].is_packed)
			*(struct virtq_packed_desc *)&table[i] =
				(struct virtq_packed_desc){ v.piece[i].address,
							    v.piece[i].length,
							    0,
							    v.piece[i].flags };
		else if (i + 1 < count)
			table[i].flags |= VIRTQ_NEXT;
	}
	v.pieces = 0;
	vt_piece(address, count * (uint32_t)sizeof(*table), VIRTQ_INDIRECT);
	return vt_add(queue);
}

static inline void vt_kick(unsigned queue)
{
	vt_write(VT_NOTIFY + 4 * queue, 2, queue);
}

static inline bool vt_take_packed(struct vt_ring *ring, uint32_t *id,
				  uint32_t *length)
{
	const struct virtq_packed_desc *desc =
		(void *)(v.bytes + ring->descriptors);
	bool wrap = ring->seen & VIRTQ_PLACE_WRAP;

	desc += ring->seen & (unsigned)~VIRTQ_PLACE_WRAP;
	if (!(desc->flags & VIRTQ_PACKED_AVAILABLE) == wrap ||
	    !(desc->flags & VIRTQ_PACKED_USED) == wrap)
		return false;
	*id = desc->id;
	*length = desc->flags & VIRTQ_WRITE ? desc->length : 0;
	assert_true(*id < ring->size && ring->parts[*id]);
	ring->seen = vt_place_next(ring->seen, ring->parts[*id], ring->size);
	ring->parts[*id] = 0;
	return true;
}

static inline bool vt_take_split(struct vt_ring *ring, uint32_t *id,
				 uint32_t *length)
{
	struct virtq_desc *desc = (void *)(v.bytes + ring->descriptors);
	const struct virtq_used *used = (void *)(v.bytes + ring->device);
	const struct virtq_used_element *element =
		&used->ring[ring->seen % ring->size];
	uint16_t last;

	if (used->index == ring->seen)
		return false;
	ring->seen++;
	*id = element->id;
	*length = element->length;
	assert_true(*id < ring->size && ring->parts[*id]);
	last = (uint16_t)*id;
	for (unsigned i = 1; i < ring->parts[*id]; i++)
		last = desc[last].next;
	desc[last].next = ring->free_first;
	ring->free_first = (uint16_t)*id;
	ring->parts[*id] = 0;
	return true;
}

/* The next that has come back; false: none. */
static inline bool vt_take(unsigned queue, uint32_t *id, uint32_t *length)
{
	struct vt_ring *ring = &v.ring[queue];

	return ring->is_packed ? vt_take_packed(ring, id, length)
			       : vt_take_split(ring, id, length);
}

/* One has come back: its length. */
static inline uint32_t vt_expect(unsigned queue, uint16_t id)
{
	uint32_t found, length;

	assert_true(vt_take(queue, &found, &length));
	assert_int_equal(found, id);
	return length;
}

static inline void vt_expect_none(unsigned queue)
{
	uint32_t id, length;

	assert_false(vt_take(queue, &id, &length));
}

/* When the driver wants to be interrupted: at the next, or never. */
static inline void vt_want(unsigned queue, bool is_wanted)
{
	struct vt_ring *ring = &v.ring[queue];
	bool has_event = v.features & VIRTIO_F_EVENT_IDX;
	struct virtq_packed_event *event = (void *)(v.bytes + ring->driver);
	struct virtq_available *available = (void *)(v.bytes + ring->driver);

	if (ring->is_packed) {
		event->place = ring->seen;
		event->flags = !is_wanted  ? VIRTQ_EVENT_NEVER
			       : has_event ? VIRTQ_EVENT_AT
					   : VIRTQ_EVENT_ALWAYS;
	} else if (has_event) {
		/* None is in flight half a turn away. */
		available->ring[ring->size] =
			(uint16_t)(ring->seen + (is_wanted ? 0 : 0x8000));
	} else {
		available->flags = is_wanted ? 0 : VIRTQ_NO_INTERRUPT;
	}
}

/* Does the device want to be kicked for the chain that was added last? */
static inline bool vt_is_kick_wanted(unsigned queue, unsigned added)
{
	const struct vt_ring *ring = &v.ring[queue];
	const struct virtq_packed_event *event =
		(void *)(v.bytes + ring->device);
	const struct virtq_used *used = (void *)(v.bytes + ring->device);
	uint16_t now, at;

	if (!ring->is_packed && !(v.features & VIRTIO_F_EVENT_IDX))
		return !(used->flags & VIRTQ_NO_NOTIFY);
	if (!ring->is_packed)
		return virtq_has_passed(
			*(const uint16_t *)&used->ring[ring->size],
			(uint16_t)(ring->next - added), ring->next);
	if (event->flags != VIRTQ_EVENT_AT)
		return event->flags == VIRTQ_EVENT_ALWAYS;
	now = ring->next & (uint16_t)~VIRTQ_PLACE_WRAP;
	at = event->place & (uint16_t)~VIRTQ_PLACE_WRAP;
	if ((ring->next ^ event->place) & VIRTQ_PLACE_WRAP)
		at = (uint16_t)(at - ring->size);
	return virtq_has_passed(at, (uint16_t)(now - added), now);
}

/* As drivers do: kicks only if the chain that was added last wants it. */
static inline void vt_kick_wanted(unsigned queue)
{
	if (vt_is_kick_wanted(queue, 1))
		vt_kick(queue);
}

#endif
