/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio block device.
 *
 * A request is the caller's, with pieces of memory given by the addresses that
 * the device uses: data goes straight between it and them, and nothing here
 * looks at it.  What the device's limits do not let through at once goes in
 * several commands, as it has room for them, and comes back as one:
 *
 *	virtio_blk_submit() --> commands --> virtio_blk_kick() --> device
 *	done() <-- all have come back <-- virtio_blk_poll()  <-----'
 *
 * The device is not believed.  A queue that it breaks, a status that there is
 * not, bytes that it says it did not write: what comes of it is an error of the
 * request or of the device, with the reason in virtio_blk_why().  Then
 * virtio_blk_reset() gives back what was in flight, each once, and
 * virtio_blk_start() begins again.  A device that says nothing any more is
 * found by virtio_blk_oldest_ns().
 *
 * Pure: no gate, no globals.  Not locked: one thread for a device.
 */
#ifndef BULKHEAD_DRIVERS_VIRTIO_BLK_H
#define BULKHEAD_DRIVERS_VIRTIO_BLK_H

#include "drivers/virtio_pci.h"
#include "drivers/virtqueue.h"
#include "lib/list.h"

#define VIRTIO_BLK_SECTOR   512 /* bytes: the unit of all positions */
#define VIRTIO_BLK_SEGMENTS 64	/* of a command */
#define VIRTIO_BLK_QUEUES   8
#define VIRTIO_BLK_DEPTH    128 /* commands in flight, of a queue */
#define VIRTIO_BLK_SERIAL   20	/* bytes at most */

enum virtio_blk_op {
	VIRTIO_BLK_READ,
	VIRTIO_BLK_WRITE,
	VIRTIO_BLK_FLUSH, /* what has come back before stays, whatever comes */
	VIRTIO_BLK_DISCARD,
	VIRTIO_BLK_WRITE_ZEROES,
	VIRTIO_BLK_GET_SERIAL, /* into virtio_blk.serial */
};

struct virtio_blk_segment {
	uint64_t address; /* the device's; contiguous there */
	uint32_t length;  /* bytes, not 0 */
};

/* From virtio_blk_submit() to done() the driver's, and the memory too. */
struct virtio_blk_request {
	enum virtio_blk_op op;
	bool may_unmap;	       /* WRITE_ZEROES: need not keep the space */
	uint64_t sector;       /* but FLUSH, GET_SERIAL */
	uint64_t sector_count; /* DISCARD, WRITE_ZEROES */
	/* READ, WRITE: whole sectors altogether. */
	const struct virtio_blk_segment *segment;
	uint32_t segment_count;
	void *cookie; /* the caller's */

	/* With done(): where the command that failed began, the lowest. */
	uint64_t error_sector;

	/* The driver's. */
	struct list link; /* of those in flight, the oldest first */
	uint64_t begun_ns;
	uint32_t commands; /* in flight */
	int status;
	/* What is yet to be made commands of. */
	uint64_t left; /* bytes, or sectors; FLUSH, GET_SERIAL: 1 */
	uint64_t next_sector;
	uint32_t next_segment, next_offset;
};

struct virtio_blk_ops {
	/*
	 * Called once for each request that was submitted, perhaps before
	 * virtio_blk_submit() returns.  May submit others, but not reset.
	 * status: 0; -EIO: the device could not; -ENOSYS: it has no such
	 * command; -EPIPE: it was reset, and may have done it or not.
	 */
	void (*done)(void *ctx, struct virtio_blk_request *request, int status);
	/* virtio_blk.info has changed: the capacity. */
	void (*resized)(void *ctx);
};

struct virtio_blk_config {
	const struct pci_access *pci;
	const struct virtio_blk_ops *ops;
	void *ctx;
	/* Zeroed or not; virtio_blk_dma_size() bytes, aligned to a page. */
	struct dma_region memory;
	uint16_t queues; /* at most, 1 to VIRTIO_BLK_QUEUES */
	uint16_t depth;	 /* commands in flight of a queue, at most */
};

/* What the device says of itself, in a form that makes sense. */
struct virtio_blk_info {
	uint64_t sectors;
	uint32_t block_size; /* bytes, what it likes to be asked for */
	uint32_t physical_block_size;
	uint32_t alignment;	  /* bytes to the first aligned block */
	uint32_t io_min, io_best; /* bytes; 0: not said */
	bool is_read_only;
	bool has_flush; /* else what has been written stays */
	bool can_set_write_cache, has_write_cache;
	bool can_discard, can_write_zeroes;
};

/* What the device takes in one command. */
struct virtio_blk_limits {
	uint32_t segments, segment_size;
	uint32_t discard_sectors, discard_align, zeroes_sectors;
	bool may_unmap;
};

/* A command in flight: its memory for the device, and whose it is. */
struct virtio_blk_command {
	struct virtio_blk_request *request;
	uint64_t sector;
	uint32_t expected; /* bytes that a good one writes, with its status */
	uint16_t next_free;
	struct dma_region header, table;
};

struct virtio_blk_queue {
	struct virtqueue ring;
	struct virtio_doorbell doorbell;
	uint16_t vector; /* of its interrupts, with MSI-X */
	uint16_t depth, free_first;
	uint16_t segments; /* of a command, in this queue */
	struct list in_flight;
	/* Of which commands are still to be made; NULL: none. */
	struct virtio_blk_request *partial;
	struct virtio_blk_command command[VIRTIO_BLK_DEPTH];
};

struct virtio_blk {
	struct virtio_blk_config config;
	struct virtio_pci virtio;
	struct virtio_blk_info info;
	struct virtio_blk_limits limits;
	char serial[VIRTIO_BLK_SERIAL + 1];
	bool is_running;
	const char *why;		    /* it no longer does */
	uint64_t bad_statuses, short_reads; /* commands */
	uint16_t queue_count;
	struct virtio_blk_queue queue[VIRTIO_BLK_QUEUES]; /* the last */
};

uint64_t virtio_blk_dma_size(uint16_t queues, uint16_t depth);

/* Finds the device; config is copied.  -ENODEV, -EPROTO; -EINVAL: config. */
int __must_check virtio_blk_init(struct virtio_blk *blk,
				 const struct virtio_blk_config *config);
/*
 * Resets it and makes it work; info is valid then.  Nothing may be in flight.
 * -EIO, -ENODEV, -EPROTO; -ENOMEM: config.memory is too small.
 */
int __must_check virtio_blk_start(struct virtio_blk *blk);

/* Of the last failure; follows the device's name in a sentence. */
const char *virtio_blk_why(const struct virtio_blk *blk);

/*
 * Gives the device a request, which it sees with virtio_blk_kick().  -EAGAIN:
 * too many in flight; -EINVAL: makes no sense, or the device's limits are too
 * narrow for these segments; -ERANGE: beyond the end; -EROFS; -ENOSYS: the
 * device cannot; -EPIPE: it does not run.
 */
int __must_check virtio_blk_submit(struct virtio_blk *blk, unsigned queue,
				   struct virtio_blk_request *request);
void virtio_blk_kick(struct virtio_blk *blk, unsigned queue);

/*
 * Calls done() of what has come back, and shows the device what was submitted
 * meanwhile: how many commands.  -EPROTO: the device broke the queue just now;
 * -EPIPE: it does not run.
 */
int __must_check virtio_blk_poll(struct virtio_blk *blk, unsigned queue);
/* Asks for an interrupt.  False: more has come back, poll again. */
bool __must_check virtio_blk_sleep(struct virtio_blk *blk, unsigned queue);

/*
 * After an interrupt, of that vector with MSI-X: sets the bits of those queues
 * in *queues that are to be polled, and looks at the configuration if it is
 * about that.  -EPROTO: the device says itself that it is broken.
 */
int __must_check virtio_blk_interrupt(struct virtio_blk *blk, uint16_t vector,
				      uint32_t *queues);

/*
 * Turns the device's write cache on or off.  -ENOSYS: it cannot, -EIO: it does
 * not, -EPIPE.  Off: a write that is submitted from now on stays once it has
 * come back; those before want a FLUSH.
 */
int __must_check virtio_blk_set_write_cache(struct virtio_blk *blk, bool on);

/* When the oldest request in flight was submitted; UINT64_MAX: none is. */
uint64_t virtio_blk_oldest_ns(const struct virtio_blk *blk);

/*
 * Stops the device, then gives back what was in flight with -EPIPE, by queue
 * and age.  -EIO: the device does not stop; it may still write to the memory of
 * what is in flight, so all of that stays where it is.
 */
int __must_check virtio_blk_reset(struct virtio_blk *blk);
/*
 * The same for a device that does not stop: keeps it from memory for good.
 * -EIO: it cannot be kept from it, all stays where it is.
 */
int __must_check virtio_blk_cut_off(struct virtio_blk *blk);
/* The second half, when others have stopped the device: by its function. */
void virtio_blk_return_all(struct virtio_blk *blk);

#endif
