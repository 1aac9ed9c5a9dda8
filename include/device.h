/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device model may know of the world: buses that carry accesses to
 * it, output pins, a clock with timers, guest memory, disks and character
 * streams.  All are handed to it at init; it never asks for more.
 *
 * A device's own state is one plain struct.  Nothing here is thread-safe: the
 * machine holds its lock around every call into a device.
 */
#ifndef BULKHEAD_DEVICE_H
#define BULKHEAD_DEVICE_H

#include "include/compiler.h"

/* ---- Accesses ---------------------------------------------------------- */

/*
 * One access to a region, already checked and, if the region asked for it,
 * split: offset is from the region's base, size is 1, 2, 4 or 8, data is
 * zero-extended in both directions.
 */
struct io_access {
	uint64_t offset;
	uint64_t data;
	uint8_t size;
	bool is_write;
};

/* Cannot fail: bad guest input reads all ones and writes nothing. */
typedef void (*io_fn)(void *dev, struct io_access *io);

/*
 * A range of ports or of guest-physical addresses with one owner.  An access
 * of a width outside [width_min, width_max] is split (or, when narrower,
 * widened: not done, reads all ones) by the bus, so a handler only sees what
 * it declared.  Accesses never cross the end of the region.
 */
struct io_region {
	const char *name;
	uint64_t base;
	uint64_t length;
	io_fn fn;
	void *dev;
	uint8_t width_min; /* bytes: 1, 2, 4; 0 means 1 */
	uint8_t width_max; /* bytes: 1, 2, 4, 8; 0 means 4 */
	/*
	 * Optional bulk path for REP INS/OUTS on ports: moves up to count
	 * elements of size bytes between the device and buf, returns how many
	 * it moved; 0 makes the bus fall back to fn one by one.
	 */
	uint32_t (*bulk)(void *dev, struct io_access *io, void *buf,
			 uint32_t count);
};

struct bus; /* devices/bus.h: bus_add(), bus_remove(), bus_access(), ... */

/* ---- Output pins ------------------------------------------------------- */

/* An output pin: the device does not know what it is wired to. */
struct irq_line {
	void (*set)(void *sink, unsigned pin, bool level);
	void *sink;
	unsigned pin;
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->sink, line->pin, level);
}

/* ---- Time -------------------------------------------------------------- */

/*
 * The VM's one time base: nanoseconds since its creation, never backwards.
 * Timers are one-shot; arming an armed timer moves it.  The callback runs
 * with the machine's lock held, at or after the deadline, never from inside
 * clock_timer_arm().
 */
struct clock;

struct clock_timer {
	void (*expired)(void *dev);
	void *dev;
	uint64_t deadline_ns; /* valid while armed */
	bool is_armed;
	struct clock_timer *next; /* the clock's own: sorted by deadline */
};

struct clock {
	uint64_t (*now_ns)(void *ctx);
	/* Told when the earliest deadline changes; UINT64_MAX: none. */
	void (*deadline_changed)(void *ctx, uint64_t deadline_ns);
	void *ctx;
	uint64_t epoch_s; /* wall clock, seconds since 1970, at time 0 */
	struct clock_timer *first;
	uint64_t announced_ns; /* what deadline_changed was last told */
	bool is_running;       /* inside clock_run() */
};

/* Implemented in devices/clock.c.  Set the functions and ctx, then init. */
void clock_init(struct clock *clock);
static inline uint64_t clock_now(const struct clock *clock)
{
	return clock->now_ns(clock->ctx);
}
void clock_timer_arm(struct clock *clock, struct clock_timer *timer,
		     uint64_t deadline_ns);
void clock_timer_disarm(struct clock *clock, struct clock_timer *timer);
/*
 * Runs all that have expired and announces the next deadline, whether it is
 * new or not; the machine calls it when woken.  A callback that arms its timer
 * again names a time in the future.
 */
void clock_run(struct clock *clock);

/* ---- Guest memory ------------------------------------------------------ */

/*
 * RAM as DMA sees it: ranges of guest-physical addresses, each backed by a
 * piece of the machine's window.  At most GUEST_RAM_RANGES, sorted, disjoint.
 */
#define GUEST_RAM_RANGES 4

struct guest_ram_range {
	gpa_t base;
	uint64_t length;
	uint8_t *host;
};

struct guest_ram {
	unsigned count;
	struct guest_ram_range range[GUEST_RAM_RANGES];
};

/*
 * Pointer to length bytes at gpa, or NULL unless all of them are RAM of one
 * range.  Valid for as long as the VM lives.  Implemented in devices/ram.c.
 */
void *guest_ram_at(const struct guest_ram *ram, gpa_t gpa, uint64_t length);
/* Copies; parts that are not RAM read as all ones, writes there are dropped.*/
void guest_ram_read(const struct guest_ram *ram, gpa_t gpa, void *to,
		    uint64_t length);
void guest_ram_write(const struct guest_ram *ram, gpa_t gpa, const void *from,
		     uint64_t length);

/* ---- Disks ------------------------------------------------------------- */

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/*
 * A request: sectors of 512 bytes between the medium and up to BLOCK_SEGMENTS
 * pieces of memory.  The caller owns it and leaves it alone from submit to
 * done.  done() may run before submit() returns; status is 0 or -EIO, -EROFS,
 * -ERANGE.
 */
#define BLOCK_SECTOR   512
#define BLOCK_SEGMENTS 64

struct block_segment {
	void *host;
	uint32_t length; /* bytes, a multiple of 512 but for ATAPI's tails */
};

struct block_request {
	enum block_op op;
	uint64_t sector;
	uint32_t segment_count;
	struct block_segment segment[BLOCK_SEGMENTS];
	void (*done)(void *dev, struct block_request *req, int status);
	void *dev;
};

struct block_backend {
	void (*submit)(void *ctx, struct block_request *req);
	void *ctx;
	uint64_t sector_count;
	bool is_read_only;
};

/* ---- Character streams ------------------------------------------------- */

/*
 * Output goes out by write(), which always takes all.  The device is told of
 * input by its own xxx_receive() and asked for room by the board.
 */
struct char_backend {
	void (*write)(void *ctx, const void *data, size_t length);
	void *ctx;
};

/* ---- Logging ----------------------------------------------------------- */

enum device_log_level { DEVICE_LOG_WARN, DEVICE_LOG_INFO, DEVICE_LOG_DEBUG };

/* Rate-limited by whoever provides it; may be left NULL. */
struct device_log {
	void (*print)(void *ctx, enum device_log_level level, const char *text);
	void *ctx;
};

#endif
