/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels of the service `disk`, which drives the host's disks: one for each
 * machine (a client), by which it reads and writes the drives that init has
 * connected it to, and one with init (below).
 *
 * A machine puts records `disk_request` into one ring, disk answers by records
 * `disk_reply` in the other, in any order.  Data does not pass through the
 * rings: a request names pieces of the guest's memory or of the channel's
 * bounce area, and the device reads and writes them itself.  The machine leaves
 * them alone until the reply has come.
 *
 * Generations.  Either program may die at any instant; its successor takes over
 * the rings (include/ring.h) but does not know what was in flight.  So:
 *
 *   machine                                              disk
 *      | --- DISK_OP_HELLO, id n -------------------------> |  a machine begins
 *      | <-- DISK_REPLY_HELLO, id n, generation g --------- |
 *      | --- request, id a, generation g -----------------> |
 *      | <-- DISK_REPLY_DONE, id a, generation g ---------- |
 *      |                                                    |  disk dies; its
 *      | <-- DISK_REPLY_HELLO, id 0, generation g' -------- |  successor begins
 *      | --- request, id b, generation g' ----------------> |  all that had no
 *      | --- request, id c, generation g' ----------------> |  reply, once more
 *
 * - A machine begins with a HELLO whose id is not 0 and not one that a former
 *   program of the channel used, and ignores replies until the HELLO with its
 *   id has come.  One with another id meanwhile says that disk was started
 *   anew: it sends its own again.
 * - At each later HELLO it sends again, in their order and with their ids, all
 *   requests that it has no reply to, with the new generation; it ignores
 *   replies of any other.
 * - disk drops requests of any generation but the last one it gave.  It gives a
 *   new one when init has added the client, and for each HELLO, when nothing
 *   that it had taken before is in flight any more.  A generation is never
 *   given twice, also not by a later disk: init counts its starts.
 *
 * So a request is done once as long as disk lives; when disk dies it may have
 * been done already, and is done again.  That is no harm where a guest does not
 * touch sectors of a request that it has no answer to.
 *
 * Durability.  A write that is answered is in the drive, maybe in its volatile
 * cache.  A FLUSH that is answered with 0 has made permanent all writes that
 * had been answered when it was sent; so does a request with DISK_FUA for its
 * own.  When a drive fails to flush, all clients with writes at risk are told
 * by their next FLUSH.
 */
#ifndef BULKHEAD_DISK_H
#define BULKHEAD_DISK_H

#include "include/domain.h"
#include "include/ring.h"

/* A machine's slot for its channel; end 0 is the machine's, end 1 disk's. */
#define DISK_CLIENT_SLOT 1

#define DISK_SECTOR	   512	      /* bytes: the unit of all positions */
#define DISK_DRIVES	   8	      /* of a client */
#define DISK_IN_FLIGHT	   32	      /* requests of a client that disk takes */
#define DISK_SEGMENTS	   64	      /* of a request */
#define DISK_SECTORS_MAX   8192U      /* that a request moves: 4 MiB */
#define DISK_CLEAR_MAX	   (1U << 21) /* that one discards or zeroes: 1 GiB */
#define DISK_REQUESTS_SIZE 16384
#define DISK_REPLIES_SIZE  2048
#define DISK_BOUNCE_SIZE   KIB(44)

/* ---- Requests ----------------------------------------------------------- */

enum disk_op {
	DISK_OP_HELLO = 1, /* id alone counts */
	DISK_OP_READ,
	DISK_OP_WRITE,
	DISK_OP_FLUSH,	      /* no sectors, no segments */
	DISK_OP_DISCARD,      /* sectors, no segments; what they hold then is
			       * open; a drive that cannot does nothing */
	DISK_OP_WRITE_ZEROES, /* sectors, no segments */
};

#define DISK_FUA BIT(0) /* answered when it is permanent */

#define DISK_WHERE_BOUNCE BIT(63) /* an offset in the bounce area */

struct disk_segment {
	uint64_t where;	 /* offset in the window, or DISK_WHERE_BOUNCE | ... */
	uint32_t length; /* bytes, not 0 */
	uint32_t reserved;
};

/* Of a record only the segments that there are; their lengths add up to the
 * sectors. */
struct disk_request {
	uint64_t id; /* the machine's; none twice in flight */
	uint64_t generation;
	uint64_t sector;
	uint32_t sector_count;
	uint32_t drive;
	uint32_t op;	/* enum disk_op */
	uint32_t flags; /* DISK_FUA */
	uint32_t segment_count;
	uint32_t reserved;
	struct disk_segment segment[DISK_SEGMENTS];
};
ASSERT_OFFSET(struct disk_request, segment, 48);
#define DISK_REQUEST_SIZE(segments) \
	(48 + (uint32_t)(segments) * (uint32_t)sizeof(struct disk_segment))

/* ---- Replies ------------------------------------------------------------ */

enum disk_reply_kind { DISK_REPLY_HELLO = 1, DISK_REPLY_DONE };

/*
 * status: 0, or
 * -EIO	    the drive failed; sector is the first that could not be moved
 * -EROFS   a write to what is read-only
 * -ERANGE  beyond the end of the drive
 * -EINVAL  sectors are not whole blocks of the drive, none, or too many
 * -EFAULT  a segment is not within the window or the bounce area
 * -ENOSPC  the overlay in memory is full
 * -ENODEV  init has refused this drive, or it went away
 * What breaks the protocol has no reply: a record's length, an unknown op, a
 * drive that cannot be, an id that is in flight, counters that lie.  disk says
 * so in the log and to init, and does not read the ring again.  Requests beyond
 * DISK_IN_FLIGHT, and those for whose replies there is no room, wait in the
 * ring.
 */
struct disk_reply {
	uint64_t id;
	uint64_t generation;
	uint64_t sector; /* -EIO */
	uint32_t kind;	 /* enum disk_reply_kind */
	int32_t status;
};
ASSERT_SIZE(struct disk_reply, 32);

#define DISK_DRIVE_PRESENT   BIT(0)
#define DISK_DRIVE_READ_ONLY BIT(1)
/* Writes may be in a volatile cache until a FLUSH. */
#define DISK_DRIVE_CACHE     BIT(2)
#define DISK_DRIVE_DISCARD   BIT(3)
/* Writes may be lost, and no FLUSH has said so yet: for the disk that comes
 * after this one, which believes it of its client. */
#define DISK_DRIVE_LOST	     BIT(4)
/* Data of its requests must be in the bounce area: it has an overlay, which
 * disk's CPU reads and writes, or the guest's memory comes and goes. */
#define DISK_DRIVE_BOUNCE    BIT(5)

/* Written by disk before a HELLO and, but for LOST, not changed until the next.
 */
struct disk_drive_info {
	uint64_t sector_count;
	uint32_t block_size; /* bytes: what sectors must be multiples of */
	uint32_t flags;	     /* DISK_DRIVE_* */
	char reserved[48];
};
ASSERT_SIZE(struct disk_drive_info, 64);

/* The memory of a client's channel: 16 pages. */
struct disk_channel {
	struct ring_shared requests, replies;
	struct disk_drive_info drive[DISK_DRIVES];
	uint8_t reply_data[DISK_REPLIES_SIZE] __aligned(64);
	uint8_t request_data[DISK_REQUESTS_SIZE] __aligned(4096);
	uint8_t bounce[DISK_BOUNCE_SIZE] __aligned(4096);
};
ASSERT_OFFSET(struct disk_channel, request_data, 4096);
ASSERT_OFFSET(struct disk_channel, bounce, 20480);
ASSERT_SIZE(struct disk_channel, 65536);
#define DISK_CHANNEL_PAGES (sizeof(struct disk_channel) / PAGE_SIZE)

/* ---- Memory that a device may reach -------------------------------------- */

/*
 * Where memory of a client's lies: the physical address of each piece of
 * 1 << shift bytes, 0 for none.  The table is the monitor's, mapped read-only;
 * of a VM's memory pieces are 2 MiB, of a channel pages.
 */
struct dma_window {
	const uint64_t *chunk;
	uint64_t size; /* bytes */
	uint32_t shift;
	uint32_t reserved;
};

/* ---- With init ---------------------------------------------------------- */

/* Slot DISK_CONTROL_SLOT of disk, end 0 is init's. */
#define DISK_CONTROL_SLOT 0
#define DISK_CONTROL_SIZE 8192
#define DISK_SLOTS	  17 /* 0: init; then clients */
#define DISK_SOURCE_SIZE  112
#define DISK_NODE_SIZE	  80
#define DISK_REASON_SIZE  232

enum disk_message_kind {
	/*
	 * init: a disk has been started, whose disk_argument has this start;
	 * all is said again.  What comes before is for a former one.
	 */
	DISK_BEGIN = 1,
	/* init: the channel in slot, attached, is a client called name.
	 * Answered by REFUSED if it cannot be; drive, as init says it, is none
	 * of a client's. */
	DISK_ADD_CLIENT,
	/* init: what the client calls drive.  Answered by ADDED or REFUSED. */
	DISK_ADD_DRIVE,
	/* init: the client has all its drives: its requests are read from now
	 * on. */
	DISK_START,
	/*
	 * init: the machine has ended.  Answered by REMOVED when no device can
	 * reach its memory any more: until then, or until disk has ended and
	 * the devices were reset, init may not destroy the domain.  Also where
	 * there is no client.
	 */
	DISK_REMOVE,
	/* init: answer one LISTED for each of the host's drives and its
	 * partitions, then LIST_END. */
	DISK_LIST,

	DISK_ADDED = 64, /* sector_count, block_size, flags as in the channel */
	DISK_REFUSED,	 /* reason */
	DISK_REMOVED,
	DISK_LISTED, /* drive, partition (0: the drive), sector_count, reason:
		      * what it is, to be shown */
	DISK_LIST_END,
	DISK_BROKEN, /* the client in slot broke the protocol: reason */
};

/* At GATE_ARGUMENT_VA of disk. */
struct disk_argument {
	uint32_t version; /* DISK_VERSION */
	uint32_t start;	  /* how often init has started disk: from 1 */
	/* That init has mapped from GATE_MODULE_VA on, writable and private,
	 * for what is written to overlays: the drives' share it. */
	uint64_t overlay_pages;
};
#define DISK_VERSION 2

/* DMA memory of a device that is granted to disk. */
#define DISK_DMA_PAGES 32

/* A second; 0: no limit.  A burst of 0 is a tenth of a second's.  Up to 2^33.
 */
struct disk_limits {
	uint64_t requests_per_s, requests_burst;
	uint64_t bytes_per_s, bytes_burst;
};

#define DISK_ADD_READ_ONLY BIT(0)
#define DISK_ADD_OVERLAY   BIT(1) /* writes go to memory: overlay_pages */

/* An answer has slot and drive of what it answers, and the start of the disk
 * that gave it: others are a former one's. */
struct disk_message {
	uint32_t kind; /* enum disk_message_kind */
	uint32_t slot;
	uint32_t drive;
	uint32_t flags; /* DISK_ADD_*; answers: DISK_DRIVE_* */
	uint64_t start; /* BEGIN, and of all answers */
	uint64_t sector_count;
	uint32_t block_size;
	uint32_t partition;
	union {
		struct {
			char name[GATE_NAME_SIZE];
		} client;
		struct {
			struct disk_limits limits;
			uint64_t overlay_pages; /* at most, tables included */
			/* "serial:...", "gpt:...", "uuid:..." */
			char source[DISK_SOURCE_SIZE];
			/* The manifest's node, in what is refused: "/guests/a/
			 * disk0" */
			char node[DISK_NODE_SIZE];
		} add;
		char reason[DISK_REASON_SIZE];
	};
};
ASSERT_SIZE(struct disk_message, 272);

struct disk_control {
	struct ring_shared to_disk, from_disk; /* records: disk_message */
	uint8_t to_disk_data[DISK_CONTROL_SIZE];
	uint8_t from_disk_data[DISK_CONTROL_SIZE];
};
#define DISK_CONTROL_PAGES DIV_ROUND_UP(sizeof(struct disk_control), PAGE_SIZE)

#endif
