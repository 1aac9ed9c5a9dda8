/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port and memory buses.  See bus.h.
 *
 * Models what a chipset's decoder does: finds the owner of an address, cuts
 * accesses that are too wide or that cross two owners into pieces.  Does not
 * model subtractive decoding order (there are no overlaps) or bus errors.
 */
#include "devices/bus.h"

#include "devices/clear.h"
#include "include/errno.h"
#include "lib/string.h"

/* All ones of so many bytes. */
static const uint64_t ones[] = {
	[1] = 0xff,
	[2] = 0xffff,
	[4] = 0xffffffff,
	[8] = ~0ULL,
};

void bus_init_ports(struct bus *bus, uint8_t *index)
{
	memory_clear(bus, sizeof(*bus));
	memory_clear(index, BUS_PORTS);
	bus->limit = BUS_PORTS;
	bus->index = index;
}

void bus_init_memory(struct bus *bus)
{
	memory_clear(bus, sizeof(*bus));
	bus->limit = 1ULL << 52;
}

/* ---- Adding and removing ----------------------------------------------- */

static bool overlaps(const struct bus_slot *slot, uint64_t base,
		     uint64_t length)
{
	return slot->length && slot->base < base + length &&
	       base < slot->base + slot->length;
}

static bool is_width(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

/* The slot to use, or -errno. */
static int find_room(const struct bus *bus, const struct io_region *region)
{
	int room = -ENOSPC;
	unsigned i;

	for (i = 0; i < BUS_REGIONS; i++) {
		if (overlaps(&bus->slot[i], region->base, region->length))
			return -EEXIST;
		if (!bus->slot[i].length && room < 0)
			room = (int)i;
	}
	return room;
}

static void order_insert(struct bus *bus, unsigned slot)
{
	unsigned i = bus->count++;

	while (i > 0 &&
	       bus->slot[bus->order[i - 1]].base > bus->slot[slot].base) {
		bus->order[i] = bus->order[i - 1];
		i--;
	}
	bus->order[i] = (uint8_t)slot;
}

static void order_remove(struct bus *bus, unsigned slot)
{
	unsigned i = 0;

	while (bus->order[i] != slot)
		i++;
	bus->count--;
	memmove(&bus->order[i], &bus->order[i + 1], bus->count - i);
}

int bus_add(struct bus *bus, const struct io_region *region)
{
	unsigned width_min = region->width_min ? region->width_min : 1;
	unsigned width_max = region->width_max ? region->width_max : 4;
	struct bus_slot *slot;
	int room;

	if (!region->length || region->base >= bus->limit ||
	    region->length > bus->limit - region->base || !region->fn ||
	    !is_width(width_min) || !is_width(width_max) ||
	    width_min > width_max || (!bus->index && region->length < 8))
		return -EINVAL;
	room = find_room(bus, region);
	if (room < 0)
		return room;
	slot = &bus->slot[room];
	*slot = (struct bus_slot){
		.base = region->base,
		.length = region->length,
		.fn = region->fn,
		.dev = region->dev,
		.widths = (2 * width_max - 1) & ~(width_min - 1),
		.width_max = (uint8_t)width_max,
		.is_movable = region->is_movable,
		.name = region->name,
		.bulk = region->bulk,
	};
	bus->hole_length = 0;
	if (bus->index)
		memset(bus->index + slot->base, room + 1, slot->length);
	else
		order_insert(bus, (unsigned)room);
	return 0;
}

int bus_remove(struct bus *bus, uint64_t base, const void *dev)
{
	unsigned i;

	for (i = 0; i < BUS_REGIONS; i++) {
		struct bus_slot *slot = &bus->slot[i];

		if (!slot->length || slot->base != base || slot->dev != dev)
			continue;
		if (bus->index)
			memset(bus->index + base, 0, slot->length);
		else
			order_remove(bus, i);
		bus->hole_length = 0;
		slot->length = 0;
		return 0;
	}
	return -ENOENT;
}

void bus_redirect(struct bus *bus, const void *dev, io_fn from, io_fn to)
{
	for (unsigned i = 0; i < BUS_REGIONS; i++) {
		struct bus_slot *slot = &bus->slot[i];

		if (slot->length && slot->dev == dev && slot->fn == from)
			slot->fn = to;
	}
}

bool bus_has_fixed(const struct bus *bus, uint64_t base, uint64_t length)
{
	unsigned i;

	for (i = 0; i < BUS_REGIONS; i++)
		if (!bus->slot[i].is_movable &&
		    overlaps(&bus->slot[i], base, length))
			return true;
	return false;
}

/* ---- Lookup ------------------------------------------------------------ */

/* Nobody from the end of one region to the start of the next. */
static void remember_hole(struct bus *bus, unsigned next)
{
	bus->hole_base = 0;
	if (next > 0) {
		const struct bus_slot *slot = &bus->slot[bus->order[next - 1]];

		bus->hole_base = slot->base + slot->length;
	}
	bus->hole_length = (next < bus->count ? bus->slot[bus->order[next]].base
					      : UINT64_MAX) -
			   bus->hole_base;
}

static const struct bus_slot *search(struct bus *bus, uint64_t address)
{
	unsigned low = 0;
	unsigned high = bus->count;

	/* The first region that starts above the address. */
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (bus->slot[bus->order[middle]].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0) {
		const struct bus_slot *slot = &bus->slot[bus->order[low - 1]];

		if (address - slot->base < slot->length) {
			bus->last = bus->order[low - 1];
			return slot;
		}
	}
	remember_hole(bus, low);
	return NULL;
}

static __always_inline const struct bus_slot *find(struct bus *bus,
						   uint64_t address)
{
	const struct bus_slot *slot;

	if (bus->index) {
		unsigned number = bus->index[(uint16_t)address];

		return number ? &bus->slot[number - 1] : NULL;
	}
	slot = &bus->slot[bus->last];
	if (likely(address - slot->base < slot->length))
		return slot;
	if (address - bus->hole_base < bus->hole_length)
		return NULL;
	return search(bus, address);
}

bool bus_is_claimed(const struct bus *bus, uint64_t address)
{
	unsigned i;

	if (bus->index)
		return bus->index[(uint16_t)address];
	for (i = 0; i < bus->count; i++) {
		const struct bus_slot *slot = &bus->slot[bus->order[i]];

		if (address - slot->base < slot->length)
			return true;
	}
	return false;
}

/* ---- Access ------------------------------------------------------------ */

/*
 * In pieces: of the widest the owner takes if the owner has the whole access,
 * else byte by byte.
 */
static void access_split(struct bus *bus, struct io_access *io,
			 const struct bus_slot *slot)
{
	uint64_t address = io->offset;
	unsigned piece = 1;
	uint64_t data = 0;
	unsigned i;

	if (slot && address - slot->base + io->size <= slot->length) {
		/* Narrower than the device listens to. */
		if (io->size < slot->width_max)
			return;
		piece = slot->width_max;
	}
	for (i = 0; i < io->size; i += piece) {
		struct io_access part = {
			.offset = address + i,
			.data = io->data >> (8 * i),
			.size = (uint8_t)piece,
			.is_write = io->is_write,
		};

		if (bus->index)
			part.offset = (uint16_t)part.offset;
		bus_access(bus, &part);
		data |= part.data << (8 * i);
	}
	io->data = data;
}

/*
 * Does a wide access whose first byte is nobody's touch somebody?  Memory
 * regions are no smaller than the widest access: looking at its end will do.
 */
static inline bool tail_is_claimed(struct bus *bus, const struct io_access *io)
{
	unsigned i;

	if (!bus->index) {
		/* The miss before has left its hole behind. */
		uint64_t end = io->offset + io->size - 1;

		return end - bus->hole_base >= bus->hole_length &&
		       find(bus, end);
	}
	for (i = 1; i < io->size; i++)
		if (bus->index[(uint16_t)(io->offset + i)])
			return true;
	return false;
}

/* What is not one access to one owner. */
static __noinline void access_odd(struct bus *bus, struct io_access *io,
				  const struct bus_slot *slot)
{
	if (!io->is_write)
		io->data = ones[io->size];
	access_split(bus, io, slot);
}

/* The first byte is nobody's. */
static inline void access_none(struct bus *bus, struct io_access *io)
{
	if (unlikely(io->size > 1 && tail_is_claimed(bus, io)))
		access_odd(bus, io, NULL);
	else if (!io->is_write)
		io->data = ones[io->size];
}

/* Every exit for a device comes through here: it is short on purpose. */
void bus_access(struct bus *bus, struct io_access *io)
{
	const struct bus_slot *slot = find(bus, io->offset);
	uint64_t offset;

	if (unlikely(!slot)) {
		access_none(bus, io);
		return;
	}
	offset = io->offset - slot->base;
	if (unlikely(!(slot->widths & io->size) ||
		     offset + io->size > slot->length)) {
		access_odd(bus, io, slot);
		return;
	}
	io->offset = offset;
	if (io->is_write) {
		slot->fn(slot->dev, io);
		return;
	}
	io->data = ~0ULL;
	slot->fn(slot->dev, io);
	io->data &= ones[io->size];
}

/* ---- Bulk -------------------------------------------------------------- */

/* step: bytes from an access to the next. */
static void bulk_one_by_one(struct bus *bus, const struct io_access *io,
			    uint8_t *buf, uint32_t count, unsigned step)
{
	for (uint32_t i = 0; i < count; i++, buf += io->size) {
		struct io_access one = *io;

		one.offset += (uint64_t)i * step;
		one.data = 0;
		if (io->is_write)
			memcpy(&one.data, buf, io->size);
		bus_access(bus, &one);
		if (!io->is_write)
			memcpy(buf, &one.data, io->size);
	}
}

void bus_access_bulk(struct bus *bus, const struct io_access *io, void *buf,
		     uint32_t count)
{
	const struct bus_slot *slot = find(bus, io->offset);
	uint32_t done = 0;

	/* Pieces of a split access may have owners even if the first has none:
	 * only where all are missing may the lot be skipped. */
	if (!slot && !tail_is_claimed(bus, io)) {
		if (!io->is_write)
			memset(buf, 0xff, (size_t)count * io->size);
		return;
	}
	if (slot && slot->bulk && (slot->widths & io->size)) {
		struct io_access bulk = *io;

		bulk.offset -= slot->base;
		if (bulk.offset + io->size <= slot->length)
			done = slot->bulk(slot->dev, &bulk, buf, count);
	}
	if (done < count)
		bulk_one_by_one(bus, io, (uint8_t *)buf + done * io->size,
				count - done, 0);
}

void bus_write_run(struct bus *bus, const struct io_access *io,
		   const void *items, uint32_t count)
{
	const struct bus_slot *slot = find(bus, io->offset);
	struct io_access rest = *io;
	uint8_t *from = (uint8_t *)items; /* writes change nothing there */
	uint32_t done = 0;

	if (slot && slot->bulk && (slot->widths & io->size)) {
		struct io_access run = *io;

		run.offset -= slot->base;
		if (run.offset + (uint64_t)count * io->size <= slot->length)
			done = slot->bulk(slot->dev, &run, from, count);
	}
	rest.offset += (uint64_t)done * io->size;
	bulk_one_by_one(bus, &rest, from + (size_t)done * io->size,
			count - done, io->size);
}
