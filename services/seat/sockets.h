/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control protocol by sockets: to a guest to which the manifest gives it,
 * the host (CID 2) listens at SEAT_SOCKET_PORT, for one connection at a time of
 * each such guest.  Nobody else has a channel that leads here.
 *
 * This is the host's end of virtio's stream sockets: connections, credit,
 * resets.  What comes is put into a buffer of as many bytes as the guest is
 * told that there is room for, so that the channel's ring, which is all that
 * the guest's device has for this peer, never waits for the conversation; who
 * sends more than that is reset.  One packet that found the ring full waits,
 * and nothing is received before it is out: resets and answers are not lost.
 *
 *	CLOSED --request--> OPEN --reset, shutdown, machine gone--> CLOSED
 *
 * Not modelled: half-closed connections, which stay open both ways.
 *
 * Pure; not locked: one thread.
 *
 * References: VIRTIO 1.2, 5.10.6.
 */
#ifndef BULKHEAD_SERVICES_SEAT_SOCKETS_H
#define BULKHEAD_SERVICES_SEAT_SOCKETS_H

#include "include/vsock.h"
#include "services/seat/remote.h"

/* Bytes of what the client sends; a power of two. */
#define SOCKET_BUFFER 4096

/* A guest's. */
struct socket {
	bool has_rights; /* init has said which; until then it has no answer */
	char name[GATE_NAME_SIZE];
	bool is_open;
	bool is_full;		  /* its ring is: the backend says when not */
	bool is_asked;		  /* for credit, since it last had none */
	bool is_owed;		  /* .owed waits for the ring */
	uint64_t quiet_ns;	  /* what is denied is not told before */
	struct vsock_header owed; /* a packet without payload */
	uint64_t cid;		  /* of the connection, the guest's end */
	uint32_t port;
	uint32_t sent;		 /* bytes, ever; the guest's counts: */
	uint32_t room, taken;	 /* buf_alloc, fwd_cnt */
	uint32_t received, used; /* bytes, ever: come, given to .remote */
	uint32_t told;		 /* .used as the guest knows it */
	uint8_t bytes[SOCKET_BUFFER];
	struct remote remote;
};
_Static_assert(sizeof(struct socket) <= SEAT_SOCKET_PAGES * PAGE_SIZE,
	       "init maps as much");

struct sockets_ops {
	/* A line for the host's log, about what was denied. */
	void (*denied)(void *ctx, const char *text);
};

struct sockets {
	const struct sockets_ops *ops;
	void *ctx;
	const struct vsock_backend *backend;
	unsigned count;
	struct socket *socket[SEAT_SOCKETS]; /* by the backend's peer */
	uint64_t now_ns;
	bool is_again;
};

/* No guests yet.  The backend tells of what comes. */
void sockets_init(struct sockets *sockets, const struct sockets_ops *ops,
		  void *ctx, const struct vsock_backend *backend);
/* The backend's next peer, in memory that is zero. */
void sockets_add(struct sockets *sockets, struct socket *socket,
		 struct mux *mux, struct faces *faces, struct asks *asks,
		 struct ports *nets);
/* SEAT_RIGHTS; of a slot that is nobody's it is nothing. */
void sockets_rights(struct sockets *sockets,
		    const struct seat_message *message);

/* After any event: takes packets and requests, a bounded number. */
void sockets_run(struct sockets *sockets, uint64_t now_ns);
/* Sends what is ready.  True: something went, so that there is room again. */
bool sockets_flush(struct sockets *sockets);
/* When sockets_run() is to be called again; UINT64_MAX: after the next event.
 */
uint64_t sockets_deadline(const struct sockets *sockets);

/* As remote_heard() and remote_gone(). */
void sockets_heard(struct sockets *sockets, unsigned slot, const char *bytes,
		   size_t length);
void sockets_gone(struct sockets *sockets, unsigned slot);

#endif
