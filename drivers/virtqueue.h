/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue, the driver's side.
 *
 * Three areas that the device and the driver share: descriptors (address,
 * length, what comes next) and the available ring are the driver's to write,
 * the used ring is the device's.  A chain of descriptors, first those that the
 * device reads, then those that it writes, is one buffer; its head's number
 * goes into the available ring and comes back in the used ring, in any order.
 * Where the device offers it a chain is a table of its own, and takes one
 * descriptor of the queue.
 *
 *	virtqueue_add() ...     chains are described, the device sees none yet
 *	virtqueue_publish()     it sees them all; true: notify it
 *	virtqueue_take() ...    what it has done, until 0
 *	virtqueue_sleep()       true: an interrupt comes with the next one
 *
 * The device is not believed.  Nothing that it can write is read twice, and
 * what the driver needs to know later it keeps in private memory; a used ring
 * that makes no sense breaks the queue, with the reason in *broken, and from
 * then on it gives -EPROTO.  That the device wrote where it should not have, or
 * said it was done when it was not, cannot be seen here.
 *
 * Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_VIRTQUEUE_H
#define BULKHEAD_DRIVERS_VIRTQUEUE_H

#include "drivers/dma.h"

#define VIRTQUEUE_SIZE_MAX 256 /* descriptors; the device may have more */
#define VIRTQUEUE_PARTS	   66  /* a chain's at most */
#define VIRTQUEUE_DESC	   16  /* bytes of a descriptor, in a chain's table */

/* A piece of memory, physically contiguous. */
struct virtqueue_part {
	uint64_t address; /* the device's */
	uint32_t length;  /* bytes, not 0 */
};

struct virtqueue_chain {
	/* readable parts, then writable ones: 1 to VIRTQUEUE_PARTS, and no more
	 * than the queue has descriptors; below 4 GiB altogether. */
	const struct virtqueue_part *part;
	unsigned readable, writable;
	/* VIRTQUEUE_DESC bytes a part, aligned as much, the chain's until it
	 * comes back; NULL: descriptors of the queue's own, one a part. */
	const struct dma_region *table;
	void *cookie; /* not NULL; comes back with it */
};

struct virtqueue_used {
	void *cookie;
	uint32_t length; /* bytes that it says it wrote: not more than it could
			  */
};

/* One for each descriptor, by the number of the head, or of any other. */
struct virtqueue_slot {
	void *cookie;	   /* of a chain that begins here, else NULL */
	uint32_t writable; /* bytes */
	uint16_t parts;	   /* descriptors of the queue that it takes */
	uint16_t next;	   /* in its chain, or in the list of free ones */
	bool is_published;
};

struct virtqueue {
	const char *broken; /* why; NULL: it works */
	uint16_t size;	    /* descriptors: a power of two */
	uint16_t free_count, free_first;
	/* Free-running positions in the rings. */
	uint16_t added, published, taken;
	bool has_event_index;
	struct dma_region descriptors, available, used;
	uint16_t ring[VIRTQUEUE_SIZE_MAX]; /* the available ring, ours */
	struct virtqueue_slot slot[VIRTQUEUE_SIZE_MAX];
};

/* Bytes of DMA memory, aligned to 16, that a queue takes. */
uint64_t virtqueue_dma_size(uint16_t size);

/*
 * An empty queue, its areas cut from *memory; the device does not know it yet.
 * size: a power of two, 2 to VIRTQUEUE_SIZE_MAX.  has_event_index: whether
 * VIRTIO_F_EVENT_IDX was negotiated.  -EINVAL, -ENOMEM.
 */
int __must_check virtqueue_init(struct virtqueue *queue, uint16_t size,
				bool has_event_index,
				struct dma_region *memory);

/* -EAGAIN: no descriptors, others must come back first; -EINVAL; -EPROTO. */
int __must_check virtqueue_add(struct virtqueue *queue,
			       const struct virtqueue_chain *chain);

/* Whether the device wants to be notified of what was added. */
bool __must_check virtqueue_publish(struct virtqueue *queue);

/* 1: *used is what has come back; 0: nothing has; -EPROTO. */
int __must_check virtqueue_take(struct virtqueue *queue,
				struct virtqueue_used *used);

/* No interrupts, as far as the device heeds it, until virtqueue_sleep(). */
void virtqueue_wake(struct virtqueue *queue);
/* Asks for an interrupt.  False: something has come back, look again. */
bool __must_check virtqueue_sleep(struct virtqueue *queue);

/* Chains that have not come back. */
unsigned virtqueue_outstanding(const struct virtqueue *queue);

#endif
