/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio's sockets between guests.
 *
 * Guests are the ends of connections; the device carries packets between its
 * driver and the machines of its guest's peers (include/vsock.h), and cuts
 * those that are longer than a record or than the driver's buffers.  Credit is
 * the guests' affair: what a peer has no room for waits here, and the driver's
 * queue with it; a peer that takes nothing for ten seconds is one that is
 * gone, until it does.
 *
 * It knows which connections there are, so that those of a peer that is gone
 * end by a reset that it makes itself, as does what goes to nobody.  There are
 * VSOCK_CONNECTIONS with each peer; one more is refused.
 *
 * Connections do not outlive a save: a driver that is restored is told by the
 * event queue that all are over.
 *
 * The host is a peer like others, of guests that have it as one.
 *
 * Does not model: SEQPACKET and datagrams.
 *
 *	FREE ---> OPEN ---------> FREE
 *	  request, either way  |  reset, either way
 *	                       +-> OWED -> FREE
 *	              peer lost    the driver has its reset
 *
 * References: Virtual I/O Device (VIRTIO) Version 1.2, OASIS, 5.10.
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_VSOCK_H
#define BULKHEAD_DEVICES_VIRTIO_VSOCK_H

#include "devices/virtio.h"
#include "include/vsock.h"

#define VSOCK_CONNECTIONS 64	/* with each peer */
#define VSOCK_PACKET_MAX  65536 /* bytes of payload */
#define VSOCK_ROWS	  (VSOCK_PEERS_MAX + 1)
#define VSOCK_NOBODY	  VSOCK_PEERS_MAX /* the row of what goes nowhere */

enum vsock_state { VSOCK_FREE, VSOCK_OPEN, VSOCK_OWED, VSOCK_STATES };

struct vsock_connection {
	uint32_t cid; /* the other end's */
	uint32_t own_port, port;
	uint8_t state; /* enum vsock_state */
};

/* What a driver or a peer did that makes no sense; it is dropped. */
enum virtio_vsock_error {
	VIRTIO_VSOCK_ERROR_NONE,
	VIRTIO_VSOCK_ERROR_DRIVER,
	VIRTIO_VSOCK_ERROR_PEER,
	VIRTIO_VSOCK_ERROR_HOST, /* a connection to it, without a right */
	VIRTIO_VSOCK_ERRORS,
};

struct virtio_vsock_state {
	struct virtio_state virtio;
	uint32_t sent;	    /* of the next packet's payload, bytes */
	uint8_t stuck;	    /* peers that take nothing, a bit each */
	bool is_event_owed; /* all connections are over: it was restored */
	uint8_t reserved[2];
	uint64_t more_ns, patience_ns;
};

struct virtio_vsock_config {
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct vsock_backend *backend;
	const struct device_log *log;
};

/* A packet of a peer's that waits for the driver's buffers. */
struct vsock_held {
	const uint8_t *record; /* NULL: none */
	struct vsock_header header;
	uint32_t given; /* bytes of its payload that the driver has */
};

struct virtio_vsock {
	struct device device;
	struct virtio_vsock_config config;
	struct virtio virtio;
	struct clock_timer more, patience;
	struct virtio_vsock_state state;
	struct vsock_held held[VSOCK_PEERS_MAX];
	struct vsock_connection connection[VSOCK_ROWS * VSOCK_CONNECTIONS];
	unsigned turn;	  /* the peer that is looked at next */
	unsigned waiting; /* the peer that the driver's queue waits for */
	unsigned owed;	  /* connections that are VSOCK_OWED */
	struct virtio_chain chain;
	uint8_t payload[VSOCK_PAYLOAD_MAX];
	uint64_t errors[VIRTIO_VSOCK_ERRORS];
};

extern const struct device_ops virtio_vsock_ops;

/* As virtio_init(). */
int __must_check virtio_vsock_init(struct virtio_vsock *vsock,
				   const struct virtio_vsock_config *config);
void virtio_vsock_reset(struct virtio_vsock *vsock);

#endif
