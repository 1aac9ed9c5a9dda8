/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port of a virtio 1.x console, as a stream of bytes each way: port 1 of a
 * device with many, which keeps what its other end cannot take; else the first,
 * whose bytes some devices drop then.
 *
 * Receiving, the device fills buffers of the driver's and gives them back in
 * order; each is read and handed to it again.  Sending copies into buffers that
 * the device empties; there is room as long as one of them is at home.  Where
 * nobody listens at the other end the device takes what it gets, or keeps it:
 * then there is no room, and nothing is waited for.
 *
 *	init -> start -> read, send, interrupt ... -> reset
 *
 * The device is not believed: see virtio_pci.h and virtqueue.h.  What breaks
 * leaves its reason in why(), and from then on nothing is sent or received.
 *
 * Pure: no gate, no globals.  Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_VIRTIO_CONSOLE_H
#define BULKHEAD_DRIVERS_VIRTIO_CONSOLE_H

#include "drivers/virtio_pci.h"
#include "drivers/virtqueue.h"

#define VIRTIO_CONSOLE_BUFFERS 16 /* each way */
#define VIRTIO_CONSOLE_BUFFER  KIB(4)
/* Bytes of DMA memory, aligned to a page. */
#define VIRTIO_CONSOLE_DMA \
	(KIB(32) + 2ULL * VIRTIO_CONSOLE_BUFFERS * VIRTIO_CONSOLE_BUFFER)
#define VIRTIO_CONSOLE_MESSAGE 64 /* room for a message about a port */

struct virtio_console_buffer {
	struct dma_region memory;
	uint32_t length; /* received */
	uint32_t used;	 /* of it, handed out */
	bool is_home;	 /* not the device's */
};

struct virtio_console_stream {
	struct virtqueue queue;
	struct virtio_doorbell doorbell;
	uint32_t buffer_size;
	struct virtio_console_buffer buffer[VIRTIO_CONSOLE_BUFFERS];
	/* Back from the device, in order, not read to the end. */
	unsigned filled_first, filled_count;
	uint8_t filled[VIRTIO_CONSOLE_BUFFERS];
};

struct virtio_console {
	struct virtio_pci virtio;
	const char *why; /* NULL: it works, or is not started */
	bool is_started;
	bool is_multiport; /* .control_in and .control_out are used */
	bool is_port_open; /* the device was told */
	struct virtio_console_stream in, out;
	struct virtio_console_stream control_in, control_out;
};

/*
 * Finds the device, resets it and lets it work.  memory: VIRTIO_CONSOLE_DMA
 * bytes, the device's until the end.  *pci stays the driver's.  -ENODEV,
 * -EPROTO, -EIO, -ENOMEM, with the reason in .why.
 */
int __must_check virtio_console_start(struct virtio_console *console,
				      const struct pci_access *pci,
				      const struct dma_region *memory);

/* After its interrupt, and before waiting for one.  True: there is something to
 * read, or room again, and it is to be called again before waiting. */
bool virtio_console_poll(struct virtio_console *console);

/* What has come, at most size bytes; how many. */
size_t virtio_console_read(struct virtio_console *console, void *bytes,
			   size_t size);
/* What there is room for; how many bytes. */
size_t virtio_console_send(struct virtio_console *console, const void *bytes,
			   size_t length);

#endif
