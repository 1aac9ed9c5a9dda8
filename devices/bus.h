/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bus: which device answers at a port or a guest-physical address.
 *
 * Both kinds share one type and one interface.  A port bus looks its region up
 * in an index of one byte a port; a memory bus searches a sorted table and
 * remembers the last hit.  Regions never overlap: the second comer is refused,
 * and may try again when the first has gone.
 */
#ifndef BULKHEAD_DEVICES_BUS_H
#define BULKHEAD_DEVICES_BUS_H

#include "include/device.h"

#define BUS_REGIONS 128
#define BUS_PORTS   0x10000

struct bus_slot {
	uint64_t base;
	uint64_t length; /* 0: free */
	io_fn fn;
	void *dev;
	uint32_t widths; /* sum of the widths the handler takes: 1 | 2 | 4 */
	uint8_t width_max;
	bool is_movable;
	const char *name;
	uint32_t (*bulk)(void *dev, struct io_access *io, void *buf,
			 uint32_t count);
	uint64_t reserved; /* 64 bytes: indexing is a shift */
};
ASSERT_SIZE(struct bus_slot, 64);

struct bus {
	uint64_t limit; /* addresses are below it */
	uint8_t *index; /* port bus: 1 + slot of each port, 0 is none */
	unsigned count; /* memory bus: entries of order */
	unsigned last;	/* memory bus: slot of the last hit */
	/* Memory bus: where the last miss was, up to the next regions. */
	uint64_t hole_base;
	uint64_t hole_length;
	uint8_t order[BUS_REGIONS]; /* memory bus: slots by base */
	struct bus_slot slot[BUS_REGIONS];
};

/* index: BUS_PORTS bytes, zeroed here. */
void bus_init_ports(struct bus *bus, uint8_t *index);
void bus_init_memory(struct bus *bus);

/*
 * The region is copied.  -EEXIST: overlaps another; -ENOSPC: table full;
 * -EINVAL: empty, outside the bus, memory of less than 8 bytes, or widths that
 * make no sense.
 */
int __must_check bus_add(struct bus *bus, const struct io_region *region);
/* The region that starts at base, and belongs to dev.  -ENOENT: no such. */
int bus_remove(struct bus *bus, uint64_t base, const void *dev);

/* What dev has at fn goes to another function from now on. */
void bus_redirect(struct bus *bus, const void *dev, io_fn from, io_fn to);

/*
 * One access of 1, 2, 4 or 8 bytes; io->offset is the absolute address and is
 * spoilt by the call.  On reads the handler finds data preset to all ones.
 * What nobody claims reads all ones.
 */
void bus_access(struct bus *bus, struct io_access *io);

/* Whether anybody claims the address. */
bool bus_is_claimed(const struct bus *bus, uint64_t address);
/*
 * Whether a region lies in [base, base + length) that is not movable: nothing
 * else can ever be there.
 */
bool bus_has_fixed(const struct bus *bus, uint64_t base, uint64_t length);

/*
 * count accesses of io->size bytes to the one address, elements packed in buf:
 * REP INS and REP OUTS.  Always does all of them.
 */
void bus_access_bulk(struct bus *bus, const struct io_access *io, void *buf,
		     uint32_t count);
/* The same for writes to count addresses, io->size apart: REP MOVS and STOS. */
void bus_write_run(struct bus *bus, const struct io_access *io,
		   const void *items, uint32_t count);

#endif
