/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio 1.2 over PCI, the device's side: what is alike for all kinds.
 *
 * The registers.  BAR 4 (64-bit) has a page each of common registers, ISR
 * status, the kind's own configuration and doorbells, four bytes a queue; BAR 1
 * has the MSI-X table, a vector for each queue and one more.  Capabilities of
 * the configuration space say where, and one of them leads to all of it without
 * a BAR (VIRTIO_CAP_PCI), for firmware that cannot reach it.  A transitional
 * device has the legacy registers in ports at BAR 0 besides; which of the two
 * interfaces is in use, VIRTIO_F_VERSION_1 says once the driver has taken it.
 *
 *	status written:	 0 ----> ACKNOWLEDGE, DRIVER ----> FEATURES_OK
 *			 ^	 features are read and	      | queues are set
 *			 |	 accepted		      v	up, enabled
 *	   driver or	 +---- NEEDS_RESET <----------- DRIVER_OK
 *	   board: 0	    (the driver broke it)     the device works
 *
 * A queue is a ring in guest memory.  The driver makes chains available: pieces
 * of memory, those that the device reads first, then those that it writes.  The
 * device takes them in order (virtio_queue_take()), and gives them back in any
 * order (virtio_queue_return()).  In a split ring (virtio_queue.c) the two ways
 * are two rings beside a table of descriptors; in a packed one
 * (virtio_packed.c) each descriptor goes to and fro in place, and two bits in
 * it say whose it is, with a sense that turns over each time around.  Both
 * work on positions that are kept here; what is in guest memory is read once,
 * and nothing that the driver can write is used before it has been checked.
 *
 * Who is told.  A driver kicks unless the device has said that it does not want
 * that now (virtio_queue_watch()), and the device interrupts unless the driver
 * has.  With EVENT_IDX either says from which position on it wants to be told.
 * In both directions one side publishes and then looks whether the other wants
 * to know, while the other says that it wants to know and then looks whether
 * there is something: between the two steps stands a full fence, else a load
 * overtakes a store and each believes that the other sleeps or works.
 * Interrupts go by MSI-X, by the vectors that the driver has chosen, or by INTx
 * with a cause in the ISR status, which is cleared by reading it.
 *
 * What may be wrong.  A ring or a chain that makes no sense, memory that is no
 * RAM, more descriptors than the queue has: the device breaks, says
 * DEVICE_NEEDS_RESET and takes nothing any more until the driver has reset it.
 * Nobody else notices.  All loops are bounded by the queue's size.
 *
 * In flight.  A reset does not wait.  Chains that a kind had taken carry the
 * queue's era and are void afterwards.  As long as a backend still works on
 * memory of theirs (virtio_ops.is_stopping()), the status, or the queue's reset
 * register, has not become what it will: a driver waits for that before it
 * frees memory.
 *
 * Does not model: legacy drivers that are big-endian; MSI; F_IN_ORDER, which
 * helps nobody here; NOTIF_CONFIG_DATA; shared memory regions; the admin
 * queue; VIRTIO_F_SR_IOV.
 *
 * References: Virtual I/O Device (VIRTIO) Version 1.2, OASIS, 2, 4.1.
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_H
#define BULKHEAD_DEVICES_VIRTIO_H

#include "devices/pci_msi.h"
#include "include/virtio.h"

#define VIRTIO_QUEUES	  17  /* at most; a network's eight pairs and control */
#define VIRTIO_QUEUE_SIZE 256 /* at most */
#define VIRTIO_SEGMENTS	  72  /* of a chain; a longer one breaks the device */

struct virtio_segment {
	uint8_t *host;
	uint32_t length; /* bytes */
};

/*
 * What a driver has made available by one head: pieces of guest memory, first
 * those that the device reads, then those that it writes.  All of them were RAM
 * when it was taken.  The guest may change what is in them at any time: what is
 * decided by is copied first, and looked at once.
 */
struct virtio_chain {
	uint16_t id;	      /* head, or buffer ID */
	uint16_t descriptors; /* of the ring itself */
	uint16_t queue;
	uint32_t era; /* of the queue: a chain of before a reset is void */
	uint16_t out_count, in_count;
	uint32_t out_length, in_length;			/* bytes */
	struct virtio_segment segment[VIRTIO_SEGMENTS]; /* out, then in */
};

struct virtio;

/* All but the first may be NULL. */
struct virtio_ops {
	/* The driver has kicked that queue, or it has just come alive. */
	void (*notified)(void *dev, unsigned queue);
	/* DRIVER_OK: features are as virtio_has() says from now on. */
	void (*started)(void *dev);
	/*
	 * By the driver, or the board's: chains that were taken are void, and
	 * virtio_queue_return() of one does nothing.  What a backend still has
	 * is not waited for.
	 */
	void (*stopped)(void *dev);
	/* The same for one queue. */
	void (*queue_stopped)(void *dev, unsigned queue);
	/* After either: a backend still has memory of void chains, of that
	 * queue or, VIRTIO_QUEUES, of any. */
	bool (*is_stopping)(const void *dev, unsigned queue);
	/* The device's own configuration, within its size. */
	void (*config_read)(void *dev, unsigned offset, void *to,
			    unsigned size);
	void (*config_write)(void *dev, unsigned offset, const void *from,
			     unsigned size);
};

struct virtio_config {
	const struct virtio_ops *ops;
	void *dev;
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	const char *name;
	uint16_t kind;	/* VIRTIO_KIND_* */
	uint16_t class; /* PCI's */
	uint16_t queue_count;
	uint16_t queue_size;  /* of each, a power of two */
	uint16_t config_size; /* bytes */
	uint64_t features;    /* the kind's own; those of all are added */
	bool is_transitional; /* with the legacy interface, as on `pc`; kinds
				 that never had one do without */
	const uint8_t *rom;   /* expansion ROM; NULL: none */
	uint32_t rom_length;
	const struct device_log *log; /* may be NULL */
};

/* ---- State -------------------------------------------------------------- */

struct virtio_queue_state {
	/* Guest-physical: descriptors or the packed ring; the driver's area
	 * (available, driver events); the device's (used, device events). */
	uint64_t descriptors, driver, device;
	uint16_t size;
	uint16_t vector;
	/* Where the next chain is taken and the next returned.  Split: free-
	 * running; packed: an index and VIRTQ_PLACE_WRAP. */
	uint16_t taken, used;
	bool is_enabled;
	uint8_t reserved[7];
};

struct virtio_state {
	uint64_t features; /* that the driver has accepted */
	uint32_t offered_select, accepted_select;
	uint16_t queue_select;
	uint16_t config_vector;
	uint8_t status; /* as the driver wrote it, and NEEDS_RESET */
	uint8_t isr;
	uint8_t generation;
	uint8_t reserved[1];
	struct virtio_queue_state queue[VIRTIO_QUEUES];
	struct pci_msix_state msix;
	struct pci_device_state pci;
};

extern const struct state_description virtio_description;

/* ---- Wiring ------------------------------------------------------------- */

/* A queue at work; private to virtio_*.c. */
struct virtio_queue {
	struct virtio_queue_state *state;
	void *descriptors, *driver, *device; /* NULL: not enabled */
	uint32_t era;
	uint16_t size;
	bool is_packed, has_event_index, has_indirect;
	uint16_t unseen; /* returned and not shown: descriptors */
	/* Packed: of the first of them what makes it the driver's. */
	uint16_t first_index, first_flags;
};

struct virtio {
	struct virtio_config config;
	struct virtio_state *state;
	struct pci_device pci;
	uint64_t offered; /* to drivers of either interface */
	struct virtio_queue queue[VIRTIO_QUEUES];
};

/*
 * The function is on the bus then.  *config is copied, what it points to lives
 * as long as the device; *state is a member of the owner's state, zeroed.
 * -EINVAL: config makes no sense; -EEXIST: the place is taken.
 */
int __must_check virtio_init(struct virtio *virtio,
			     const struct virtio_config *config,
			     struct virtio_state *state);
/* For device_ops.reset, .restored and .is_valid. */
void virtio_reset(struct virtio *virtio);
void virtio_restored(struct virtio *virtio);
bool virtio_is_valid(const struct virtio *virtio,
		     const struct virtio_state *state);

/* ---- For kinds ---------------------------------------------------------- */

/* Has the driver taken that feature (its bit's number)? */
static inline bool virtio_has(const struct virtio *virtio, unsigned feature)
{
	return virtio->state->features >> feature & 1;
}

/* DRIVER_OK is set, and the device is not broken. */
static inline bool virtio_is_running(const struct virtio *virtio)
{
	return (virtio->state->status &
		(VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) ==
	       VIRTIO_STATUS_DRIVER_OK;
}

/*
 * The next chain: 1; there is none, or the queue does not work: 0; the driver
 * broke the queue: -EPROTO, and the device wants a reset (DEVICE_NEEDS_RESET),
 * which the caller need not see to.
 */
int __must_check virtio_queue_take(struct virtio *virtio, unsigned queue,
				   struct virtio_chain *chain);
/* The same; 0: the driver kicks for the next one, behind those that are
 * taken. */
int __must_check virtio_queue_take_or_watch(struct virtio *virtio,
					    unsigned queue,
					    struct virtio_chain *chain);
/* The last count chains taken were not: in no other order than the last
 * first, and none of them returned. */
void virtio_queue_untake(struct virtio *virtio, unsigned queue,
			 const struct virtio_chain *chain);
/* The device is done with it, and has written that many bytes of its `in`
 * part.  The driver sees none until flush(). */
void virtio_queue_return(struct virtio *virtio,
			 const struct virtio_chain *chain, uint32_t written);
/* All that was returned is shown, and the driver interrupted if it wants. */
void virtio_queue_flush(struct virtio *virtio, unsigned queue);
/*
 * Whether the device wants notified().  It does at first; off: none are owed
 * while it works on the queue.  on: true if there is something already, which
 * came before the driver could see it; then take() again.
 */
bool virtio_queue_watch(struct virtio *virtio, unsigned queue, bool on);

/* Whose turn it is of the queues that wait, a bit each, not all 0: the first
 * from the queue `turn` on, and around. */
static inline unsigned virtio_queue_next(uint32_t waiting, unsigned turn)
{
	uint32_t later = turn < 32 ? waiting >> turn << turn : 0;

	return (unsigned)__builtin_ctz(later ? later : waiting);
}

/* A chain of before a reset of its queue, or of the device. */
static inline bool virtio_chain_is_void(const struct virtio *virtio,
					const struct virtio_chain *chain)
{
	return virtio->queue[chain->queue].era != chain->era;
}

/* The device's own configuration is another one. */
void virtio_config_changed(struct virtio *virtio);
/* A driver's request that makes no sense: it wants a reset from now on. */
void virtio_break(struct virtio *virtio, const char *why);

/* Bytes [offset, offset + length) of the out part, or to the in part: how many
 * there were. */
uint32_t virtio_chain_read(const struct virtio_chain *chain, uint32_t offset,
			   void *to, uint32_t length);
uint32_t virtio_chain_write(const struct virtio_chain *chain, uint32_t offset,
			    const void *from, uint32_t length);

/*
 * A kind has
 *
 *	struct virtio_blk_state { struct virtio_state virtio; ... };
 *	struct virtio_blk { struct device device; struct virtio_blk_state state;
 *			    struct virtio virtio; ... };
 */
#endif
