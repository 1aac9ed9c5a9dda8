/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of virtio's transport know of each other. */
#ifndef BULKHEAD_DEVICES_VIRTIO_INTERNAL_H
#define BULKHEAD_DEVICES_VIRTIO_INTERNAL_H

#include "devices/virtio.h"
#include "include/dma_access.h"
#include "include/errno.h"

/* ---- virtio.c ----------------------------------------------------------- */

/* The driver has written the status. */
void virtio_status_set(struct virtio *virtio, uint8_t status);
/* As it reads: after a reset it is not 0 before all is back. */
uint8_t virtio_status_get(const struct virtio *virtio);
/* The queue that the driver has selected; NULL: there is none such. */
struct virtio_queue_state *virtio_selected(struct virtio *virtio);
/* Enables the queue of that number, as the registers say; else breaks. */
void virtio_queue_enable(struct virtio *virtio, unsigned queue);
void virtio_queue_disable(struct virtio *virtio, unsigned queue);
void virtio_kick(struct virtio *virtio, unsigned queue);
/* The vector that can be, of what the driver has asked for. */
uint16_t virtio_vector(const struct virtio *virtio, uint64_t value);
/* Of VIRTIO_EVENT_*: by the vector, or by INTx. */
void virtio_interrupt(struct virtio *virtio, uint8_t event, uint16_t vector);
/* What has happened; nothing has, then. */
uint8_t virtio_isr_take(struct virtio *virtio);
/* The device's own configuration, 0 and ignored beyond its end. */
void virtio_config_access(struct virtio *virtio, struct io_access *io);

/* ---- virtio_pci.c ------------------------------------------------------- */

/* Where capabilities begin in configuration space. */
#define VIRTIO_CAPS_BEGIN 0x40

int __must_check virtio_pci_init(struct virtio *virtio);

/* ---- virtio_registers.c -------------------------------------------------- */

/* io->offset is in the common registers, and in the ports. */
void virtio_common_access(struct virtio *virtio, struct io_access *io);
void virtio_legacy_access(void *dev, struct io_access *io);

/* ---- virtio_queue.c ----------------------------------------------------- */

/* Both kinds of ring: a chain as it is found, piece by piece. */
struct virtio_walk {
	const struct virtio *virtio;
	const struct virtio_queue *queue;
	struct virtio_chain *chain;
	const char *why; /* it makes no sense */
};

/* False: it makes no sense.  Inline, for it is done for each piece of each
 * request. */
static __always_inline bool virtio_walk_add(struct virtio_walk *walk,
					    uint64_t address, uint32_t length,
					    uint16_t flags)
{
	struct virtio_chain *chain = walk->chain;
	unsigned count = chain->out_count + (unsigned)chain->in_count;
	bool is_in = flags & VIRTQ_WRITE;
	uint32_t *total = is_in ? &chain->in_length : &chain->out_length;
	void *host = guest_ram_at(walk->virtio->config.ram, address, length);

	if (unlikely(!host))
		walk->why = "a descriptor of what is no memory";
	else if (unlikely(count == VIRTIO_SEGMENTS))
		walk->why = "a chain of too many descriptors";
	else if (unlikely(!is_in && chain->in_count))
		walk->why = "a chain that is read after it is written";
	else if (unlikely(length > UINT32_MAX - *total))
		walk->why = "a chain of 4 GiB";
	if (unlikely(walk->why))
		return false;
	*total += length;
	if (is_in)
		chain->in_count++;
	else
		chain->out_count++;
	chain->segment[count] =
		(struct virtio_segment){ .host = host, .length = length };
	return true;
}
/* The same of one that is all of its chain, as most of a network's are. */
static __always_inline bool virtio_walk_only(struct virtio_walk *walk,
					     uint64_t address, uint32_t length,
					     uint16_t flags)
{
	struct virtio_chain *chain = walk->chain;
	void *host = guest_ram_at(walk->virtio->config.ram, address, length);

	if (unlikely(!host)) {
		walk->why = "a descriptor of what is no memory";
		return false;
	}
	if (flags & VIRTQ_WRITE) {
		chain->in_count = 1;
		chain->in_length = length;
	} else {
		chain->out_count = 1;
		chain->out_length = length;
	}
	chain->segment[0] =
		(struct virtio_segment){ .host = host, .length = length };
	return true;
}

/* A table of descriptors elsewhere, in which each has its place in the order
 * (is_packed) or says the next. */
bool virtio_walk_table(struct virtio_walk *walk, uint64_t address,
		       uint32_t length);

/* ---- virtio_packed.c ---------------------------------------------------- */

/* As the functions of virtio.h; queue is enabled. */
int virtio_packed_take(struct virtio_walk *walk);
void virtio_packed_untake(struct virtio_queue *queue,
			  const struct virtio_chain *chain);
void virtio_packed_return(struct virtio_queue *queue,
			  const struct virtio_chain *chain, uint32_t written);
/* True: the driver wants an interrupt. */
bool virtio_packed_flush(struct virtio_queue *queue);
bool virtio_packed_watch(struct virtio_queue *queue, bool on);

#endif
