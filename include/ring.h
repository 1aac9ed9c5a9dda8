/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single-producer, single-consumer rings in memory that two programs share and
 * in which neither believes the other.
 *
 * A ring has two free-running 32-bit counters, each written by one side only:
 * what the producer has put in, and what the consumer has taken out.  A side
 * keeps its own counter in private memory and copies it out, so the peer cannot
 * move it; the peer's is read once per operation and must be within the ring's
 * size of one's own, else the peer is broken and the operation says -EPROTO, at
 * this time and at all later ones.  Bytes are copied once.
 *
 * Sleeping without missing anything: who finds nothing to do calls
 * ring_sleep(), which asks for a doorbell and looks once more.  The other side
 * rings only when asked: the functions below say when.
 *
 * Locking: one thread a side, or the side's own lock.
 */
#ifndef BULKHEAD_RING_H
#define BULKHEAD_RING_H

#include "include/compiler.h"

/* In shared memory; all zero is an empty ring. */
struct ring_shared {
	uint32_t produced __aligned(64); /* by the producer */
	uint32_t producer_sleeps; /* wants a doorbell when there is room */
	uint32_t consumed __aligned(64); /* by the consumer */
	uint32_t consumer_sleeps; /* wants a doorbell when there is data */
};
ASSERT_SIZE(struct ring_shared, 128);

/* One side's private view. */
struct ring {
	struct ring_shared *shared;
	uint8_t *data;
	uint32_t size; /* bytes of data: a power of two */
	uint32_t mine; /* own counter */
	bool is_producer;
	bool is_broken; /* the peer lied once */
};

/* A fresh ring, or with is_resumed one whose own counter is taken over from
 * shared memory: the former program of this side has died. */
void ring_init(struct ring *ring, struct ring_shared *shared, void *data,
	       uint32_t size, bool is_producer, bool is_resumed);

/* Bytes that could be written, or read.  -EPROTO. */
long __must_check ring_space(struct ring *ring);

/*
 * Producer: puts up to length bytes in; how many, 0: full.  -EPROTO. *ring_bell
 * is set (never cleared) when the consumer wants a doorbell.
 */
long __must_check ring_write(struct ring *ring, const void *bytes,
			     uint32_t length, bool *ring_bell);
/* Consumer, likewise. */
long __must_check ring_read(struct ring *ring, void *bytes, uint32_t length,
			    bool *ring_bell);

/*
 * Records: a 32-bit length, then that many bytes, whole or not at all.  Write:
 * length, 0: no room, -EMSGSIZE: never fits.  Read: length, 0: none, -EPROTO,
 * also for a record that is longer than max or than what was produced.
 */
long __must_check ring_put(struct ring *ring, const void *record,
			   uint32_t length, bool *ring_bell);
long __must_check ring_get(struct ring *ring, void *record, uint32_t max,
			   bool *ring_bell);

/*
 * Asks for a doorbell.  True: there is nothing to do, the caller may wait;
 * false: look again.
 */
bool ring_sleep(struct ring *ring);

#endif
