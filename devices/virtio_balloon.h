/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio memory balloon, the traditional one: pages of 4 KiB that the driver
 * puts in it are not the guest's for as long as they are there.
 *
 * The host gets memory back in pieces of BALLOON_PIECE: one whose pages are all
 * in the balloon, or which the driver reports as free (PAGE_REPORTING), is
 * given to `release`.  It comes back by itself when somebody touches it, so
 * that deflating needs nothing of the device, and a driver that takes its pages
 * out of the balloon without a word, as DEFLATE_ON_OOM allows it, gets them.
 *
 * Of each piece it is counted how many pages are in the balloon, not which: a
 * driver that puts the same page in twice may lose others of that piece, its
 * own guest's.  The counts are no part of a saved state: after a restore
 * nothing is given back for pages that were in the balloon before.
 *
 * Queues: inflate, deflate, statistics if the driver has them, and the last for
 * reports, of which drivers differ on whether queues count that are not there.
 *
 * Not modelled: FREE_PAGE_HINT, which is for migration, PAGE_POISON.
 *
 * References: VIRTIO 1.2, 5.5 "Traditional Memory Balloon Device".
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_BALLOON_H
#define BULKHEAD_DEVICES_VIRTIO_BALLOON_H

#include "devices/virtio.h"

#define BALLOON_PIECE  MIB(2)
#define BALLOON_PIECES 32768 /* 64 GiB: pages above go back to nobody */
#define BALLOON_STATS  10

struct virtio_balloon_config {
	struct pci_bus *pci;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct device_log *log;
	uint8_t devfn;
	bool is_transitional;
	/* RAM at host is not used: whole pieces of BALLOON_PIECE from base on.
	 */
	const uint8_t *base;
	void (*release)(void *ctx, const uint8_t *host, uint64_t length);
	void *ctx;
};

struct virtio_balloon_state {
	struct virtio_state virtio;
	uint64_t more_ns;	      /* when it runs again; CLOCK_NEVER */
	uint64_t stat[BALLOON_STATS]; /* by tag, as the driver said last */
	uint32_t target, actual;      /* pages */
	uint32_t done[2]; /* bytes of inflate's next chain that have been seen
			   * to, of deflate's */
};

struct virtio_balloon {
	struct device device;
	struct virtio_balloon_config config;
	struct virtio_balloon_state state;
	struct virtio virtio;
	struct clock_timer more;
	uint32_t budget;		/* of this run */
	uint64_t reported;		/* bytes that were given back, ever */
	uint16_t count[BALLOON_PIECES]; /* pages in the balloon */
};

extern const struct device_ops virtio_balloon_ops;

/* As virtio_init(). */
int __must_check
virtio_balloon_init(struct virtio_balloon *balloon,
		    const struct virtio_balloon_config *config);

/* How large it is to be, in pages; the driver is told, and asked for its
 * statistics. */
void virtio_balloon_target(struct virtio_balloon *balloon, uint32_t pages);
/* The driver is asked for its statistics, which state.stat has when it has
 * answered. */
void virtio_balloon_ask(struct virtio_balloon *balloon);

#endif
