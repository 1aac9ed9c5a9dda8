/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parallel NOR flash with a firmware's variables: Intel's command set by the
 * Common Flash Interface, as the part that virtual PCs have had below their
 * firmware for years (QEMU's pflash_cfi01) and that firmware knows how to find:
 * eight bits wide, erased in blocks of 4 KiB, a write buffer of 2 KiB.
 *
 * While it shows its array the guest reads it as memory, and writes alone come
 * here.  The first command takes the memory away, the array's own command (FFh)
 * gives it back.
 *
 * What is programmed or erased is in the array at once, and on its way to the
 * backend soon: in the guest's order, so that a power cut leaves what was there
 * at one moment of the past, down to sectors of 512 bytes.  Bytes of a sector
 * are gathered until another sector's turn comes, the array is shown again, or
 * a few milliseconds are over.  A request is in flight at a time; who would
 * overtake it, or change what it carries, waits.
 */
#ifndef BULKHEAD_DEVICES_PFLASH_H
#define BULKHEAD_DEVICES_PFLASH_H

#include "devices/bus.h"
#include "include/block.h"

#define PFLASH_BLOCK	   KIB(4) /* erased as one */
#define PFLASH_BUFFER	   KIB(2)
#define PFLASH_ERASED	   0xff
#define PFLASH_SIZE_MAX	   MIB(8)
#define PFLASH_GATHER_NS   (5 * NSEC_PER_MS)
/* Bits of the status register. */
#define PFLASH_READY	   BIT(7)
#define PFLASH_ERASE_ERROR BIT(5)
#define PFLASH_WRITE_ERROR BIT(4)
#define PFLASH_LOCKED	   BIT(1)

enum pflash_shown {
	PFLASH_SHOWS_ARRAY,
	PFLASH_SHOWS_STATUS,
	PFLASH_SHOWS_IDENTIFIER,
	PFLASH_SHOWS_CFI,
	PFLASH_SHOWN_COUNT,
};

/* What the next write is. */
enum pflash_step {
	PFLASH_COMMAND,
	PFLASH_PROGRAM,	     /* the data */
	PFLASH_ERASE,	     /* D0h, and the block */
	PFLASH_LOCK,	     /* what to do with the lock bits */
	PFLASH_BUFFER_COUNT, /* writes that come, less one */
	PFLASH_BUFFER_DATA,
	PFLASH_BUFFER_COMMIT, /* D0h */
	PFLASH_STEP_COUNT,
};

struct pflash_state {
	uint8_t shown;	 /* enum pflash_shown */
	uint8_t step;	 /* enum pflash_step */
	uint8_t status;	 /* the status register */
	bool is_started; /* the buffer has its place */
	uint16_t left;	 /* writes into the buffer that are yet to come */
	uint16_t buffer_from, buffer_to; /* what was written of it */
	uint8_t reserved[6];
	uint64_t buffer_at; /* its place in the array */
	uint64_t
		gather_ns; /* PFLASH_GATHER_NS are over: CLOCK_NEVER, or when */
	uint8_t buffer[PFLASH_BUFFER];
};

struct pflash_config {
	struct bus *memory;
	struct clock *clock;
	gpa_t base;
	uint64_t size; /* bytes, a multiple of PFLASH_BLOCK */
	uint8_t *array;
	/* Where it lasts: sector 0 of it is the array's first, and it has as
	 * many or more.  NULL: it lasts as long as array does. */
	struct block_backend *backend;
	bool is_read_only;
	/*
	 * Whether the guest reads array as memory, at base, from now on;
	 * PFLASH_SHOWS_ARRAY at init is not told.
	 */
	void (*shown)(void *ctx, bool is_array);
	/*
	 * Programs length cells to data, or erases them where it is NULL.
	 * False: not all of them took it, and the guest is told.  NULL: memory,
	 * which takes all.
	 */
	bool (*change)(void *ctx, uint8_t *cells, const uint8_t *data,
		       size_t length);
	/* The backend has failed: what has been programmed will not last. */
	void (*failed)(void *ctx, int error);
	void *ctx;
};

struct pflash {
	struct device device;
	struct pflash_state state;
	struct pflash_config config;
	struct clock_timer gather;
	/* Of the array: newer than the backend; from is to: nothing. */
	uint64_t dirty_from, dirty_to;
	struct block_request request;
	bool is_in_flight;
	bool is_away;	 /* config.shown() was told so */
	bool has_failed; /* and it has been told */
};

extern const struct device_ops pflash_ops;

/*
 * -EINVAL: the size is none that it can have, or more than the backend's.  The
 * array has its contents already: pflash_load().
 */
int __must_check pflash_init(struct pflash *flash,
			     const struct pflash_config *config);
/*
 * Fills the array from the backend, before pflash_init(); waits.  0, or the
 * backend's error.
 */
int __must_check pflash_load(const struct block_backend *backend,
			     uint8_t *array, uint64_t size);
/* All that was programmed is in the backend, or will never be. */
void pflash_sync(struct pflash *flash);

#endif
