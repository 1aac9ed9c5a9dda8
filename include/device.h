/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device model may know of the world: buses that carry accesses to
 * it, output pins, a clock with timers, guest memory.  All are handed to it at
 * init; it never asks for more.  Disks, character streams, networks, displays
 * and input have headers of their own: block.h, char.h, net.h, display.h,
 * input.h.
 *
 * And what a board knows of a device: how it is reset, saved and restored.
 *
 * Nothing here is thread-safe: the machine holds its lock around every call
 * into a device.
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
	bool is_movable;   /* the guest says where it is: see bus_has_fixed() */
	/*
	 * Optional bulk path, of ports for REP INS/OUTS, of memory for writes
	 * to rising addresses: moves up to count elements of size bytes between
	 * the device and buf, returns how many it moved; 0 makes the bus fall
	 * back to fn one by one.
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

/* No deadline: what a timer that is not armed has in its device's state. */
#define CLOCK_NEVER UINT64_MAX

struct clock_timer {
	void (*expired)(void *dev);
	void *dev;
	uint64_t deadline_ns; /* valid while armed */
	bool is_armed;
	/*
	 * Where the device's state holds the deadline, CLOCK_NEVER while not
	 * armed: the clock keeps it so.  NULL: of a timer that is not saved.
	 */
	uint64_t *saved_ns;
	struct clock_timer *next;    /* the clock's own: sorted by deadline */
	struct clock_timer *sibling; /* the device's next timer */
};

struct clock {
	uint64_t (*now_ns)(void *ctx);
	/* Told when the earliest deadline changes; UINT64_MAX: none. */
	void (*deadline_changed)(void *ctx, uint64_t deadline_ns);
	/*
	 * Time goes on from now_ns, after a restore.  NULL: cannot be set, and
	 * device_list_load() refuses.
	 */
	void (*now_set)(void *ctx, uint64_t now_ns);
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
/* CLOCK_NEVER disarms. */
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

/* ---- A device as its board sees it ------------------------------------- */

/*
 * `struct X` is wiring: lines, buses, the clock, backends.  In it lies one
 * `struct X_state`, plain data, which a table of fields describes; reset, save
 * and restore read the table (devices/state.h says how to write one).
 */
struct state_description; /* devices/state.h */

/* What all instances of a device have in common.  All functions may be NULL. */
struct device_ops {
	const char *name; /* in saved images: never changes */
	uint16_t version; /* of the state; another one is refused */
	const struct state_description *state;
	/* The fields are as the table says; what is left to do: tell lines. */
	void (*reset)(void *dev);
	/*
	 * The fields have been loaded, those of all other devices too, and the
	 * timers run: brings wiring in line with them (levels of lines,
	 * mappings) and tells nobody of a change that is none.
	 */
	void (*restored)(void *dev);
	/*
	 * Whether the fields, each within its own limits, go together, with
	 * the wiring of dev and with the VM time of the save.  What this lets
	 * pass must be safe to run with, as if a guest had made it.
	 */
	bool (*is_valid)(const void *dev, const void *state, uint64_t now_ns);
	/* Nothing in flight that the state does not tell of: may be saved. */
	bool (*is_idle)(const void *dev);
};

/* A part of struct X. */
struct device {
	const struct device_ops *ops;
	void *dev;   /* struct X */
	void *state; /* struct X_state */
	/* Of its timers, and of other times in its state; NULL: there is none
	 * of either. */
	struct clock *clock;
	struct clock_timer *timers; /* by sibling */
	uint16_t instance;	    /* among those of the same name */
};

/*
 * Implemented in devices/device.c.  state is filled as after power-on, kept
 * fields too; nobody is told.
 */
void device_init(struct device *device, const struct device_ops *ops, void *dev,
		 void *state);
/*
 * A timer of the device.  It is disarmed by a reset and armed again by a
 * restore, from the deadline in the state, a uint64_t that the table resets to
 * CLOCK_NEVER.  All timers of a device are of one clock.
 */
void device_timer_init(struct device *device, struct clock *clock,
		       struct clock_timer *timer, void (*expired)(void *dev),
		       void *dev, uint64_t *saved_ns);

/* Timers off, fields but the kept ones as the table says, then ops->reset(). */
void device_reset(struct device *device);

/*
 * A device's record, or a board's image, into size bytes at image; *length is
 * how many it takes, also when they do not fit.  -ENOSPC: more than size;
 * -EAGAIN: something is in flight, let its completion come in first.
 */
int __must_check device_save(const struct device *device, void *image,
			     size_t size, size_t *length);
/*
 * Loads exactly such a record and calls ops->restored().  scratch: as many
 * bytes as the state has, aligned to 8.  -EINVAL: the record is damaged, of
 * another device, instance or version, has a field too few or too many, or a
 * value out of range; why (why_size bytes) says which, and the device is as it
 * was.
 */
int __must_check device_load(struct device *device, const void *image,
			     size_t length, void *scratch, char *why,
			     size_t why_size);

/* ---- All devices of a board -------------------------------------------- */

#define DEVICES_MAX 64

struct device_list {
	struct clock *clock;
	unsigned count;
	struct device *device[DEVICES_MAX];
};

void device_list_init(struct device_list *list, struct clock *clock);
/*
 * In the order of the wires: who drives a line comes after whom it leads to.
 * Counts the instances of a name.  -ENOSPC: DEVICES_MAX are there.
 */
int __must_check device_list_add(struct device_list *list,
				 struct device *device);
/* Sources first, so that interrupt controllers see their lines low. */
void device_list_reset(struct device_list *list);
/* Bytes of scratch that loading takes. */
size_t device_list_scratch(const struct device_list *list);
/*
 * As device_save() and device_load(), for all of them or for none, with the
 * VM's time.  image must not change meanwhile: no shared memory.
 */
int __must_check device_list_save(const struct device_list *list, void *image,
				  size_t size, size_t *length);
int __must_check device_list_load(struct device_list *list, const void *image,
				  size_t length, void *scratch, char *why,
				  size_t why_size);

/* ---- Logging ----------------------------------------------------------- */

enum device_log_level { DEVICE_LOG_WARN, DEVICE_LOG_INFO, DEVICE_LOG_DEBUG };

/* Rate-limited by whoever provides it; may be left NULL. */
struct device_log {
	void (*print)(void *ctx, enum device_log_level level, const char *text);
	void *ctx;
};

#endif
