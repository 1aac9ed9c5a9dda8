/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of the control protocol on a stream of bytes that may be noisy:
 * docs/control.md, "Frames".
 *
 * Reading believes a beginning only as long as nothing contradicts it: what
 * turns out to be no frame is looked through again from its second byte on, so
 * that noise costs no frame but those that it hit.  Writing composes whole
 * frames in a buffer; who writes asks for room first.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_LINK_H
#define BULKHEAD_SERVICES_SEAT_LINK_H

#include "include/compiler.h"

#define LINK_HEAD 8	      /* bytes before the payload */
#define LINK_TAIL 4	      /* and behind it */
#ifndef LINK_RECEIVE_MAX      /* the other end compiles it with LINK_SEND_MAX */
#define LINK_RECEIVE_MAX 4096 /* payload */
#endif
#define LINK_SEND_MAX	 32768
#define LINK_SEND_BUFFER 524288 /* a power of two */
#define LINK_PATIENCE_NS NSEC_PER_SEC

#define LINK_SLICES 8 /* bytes that the CRC takes at a time */

enum link_kind {
	LINK_JSON = 'J',
	LINK_BINARY = 'B',
};

struct link_frame {
	enum link_kind kind;
	const uint8_t *payload; /* until the next call of link_next() */
	uint32_t length;
};

struct link {
	/* Received and not yet used; the first taken bytes are a frame's that
	 * was handed out. */
	uint32_t received, taken;
	/* What is first may be a frame whose end has not come: since when
	 * link_next() has known, not since when its bytes are there, for the
	 * rest may wait where nobody has looked meanwhile. */
	bool is_waiting;
	uint64_t waiting_ns;
	/* To be sent: positions run freely. */
	uint32_t head, tail;
	uint32_t crc;	/* of the frame that is being composed */
	uint64_t noise; /* bytes that were passed over, ever */
	/* [k][b]: the CRC of byte b with k bytes of 0 behind it. */
	uint32_t slice[LINK_SLICES][256];
	uint8_t in[LINK_HEAD + LINK_RECEIVE_MAX + LINK_TAIL];
	uint8_t out[LINK_SEND_BUFFER];
};

void link_init(struct link *link);
/* Nothing has come, and nothing is to be sent. */
void link_clear(struct link *link);

/* Room for bytes that come; how many. */
size_t link_wants(const struct link *link);
/* Bytes that came, at most that many. */
void link_received(struct link *link, const void *bytes, size_t length);
/* The next frame, if a whole one is there. */
bool link_next(struct link *link, struct link_frame *frame, uint64_t now_ns);
/* When link_next() should be called though nothing came; UINT64_MAX: never. */
uint64_t link_deadline(const struct link *link);

/* Bytes that wait to be sent. */
uint32_t link_queued(const struct link *link);
/* A frame of that payload fits now. */
bool link_has_room(const struct link *link, uint32_t length);
/* There is room; then exactly length bytes in pieces, then the end. */
void link_begin(struct link *link, enum link_kind kind, uint32_t length);
void link_add(struct link *link, const void *bytes, size_t length);
void link_end(struct link *link);

/* What is next to be sent, without a break; *length 0: nothing. */
const void *link_pending(const struct link *link, size_t *length);
void link_sent(struct link *link, size_t length);

#endif
