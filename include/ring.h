/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single-producer, single-consumer rings in memory that two programs share and
 * in which neither believes the other.
 *
 * A ring has two free-running 32-bit counters, each written by one side only:
 * what the producer has put in, and what the consumer has taken out.  A side
 * keeps its own counter in private memory and copies it out, so the peer cannot
 * move it; the peer's is read once per operation and must be within the ring's
 * size of one's own and not behind what was seen of it before, else the peer is
 * broken and the operation says -EPROTO, at this time and at all later ones.
 * Bytes are copied once.
 *
 * Sleeping without missing anything: who has nothing left to do calls
 * ring_sleep(), which asks for a doorbell and looks once more.  The other side
 * rings only when asked, and answers a request once:
 *
 *	for (;;) {
 *		while ((n = ring_read(ring, ...)) > 0)
 *			use(n bytes, ring if ring_bell);
 *		if (n < 0) ...the peer is broken
 *		if (ring_sleep(ring))
 *			gate_wait();
 *	}
 *
 * A request and its answer are a store and a load on either side, with a fence
 * between them: whoever comes second sees the other.  A consumer is rung when
 * there is data, a producer when the ring is half empty, so that it is not
 * woken for every byte that is taken; who consumes must therefore go on until
 * the ring is empty, or ring of its own accord before it stops.
 *
 * A side whose program has died is taken over by its successor (is_resumed).
 * Records and counters are published by one store, so there is never half of
 * one.  A doorbell that died with the former program is made good by the event
 * that attaching sets at the peer: a program looks at a channel's rings, and
 * calls ring_sleep() again, after each event of the channel's.
 *
 * Locking: one thread a side, or the side's own lock.
 */
#ifndef BULKHEAD_RING_H
#define BULKHEAD_RING_H

#include "include/compiler.h"

/* In shared memory; all zero is an empty ring. */
struct ring_shared {
	uint32_t produced __aligned(64); /* by the producer */
	uint32_t producer_sleeps; /* set by it: wants a doorbell when there is
				   * room; cleared by the consumer that rings */
	uint32_t consumed __aligned(64); /* by the consumer */
	uint32_t consumer_sleeps; /* set by it: wants a doorbell when there is
				   * data; cleared by the producer that rings */
};
ASSERT_SIZE(struct ring_shared, 128);

/* One side's private view. */
struct ring {
	struct ring_shared *shared;
	uint8_t *data;
	uint32_t size; /* bytes of data: a power of two, 8 to 2^31 */
	uint32_t mine; /* own counter */
	uint32_t seen; /* the peer's, when an operation last looked */
	bool is_producer;
	bool is_broken; /* the peer lied once */
	bool has_asked; /* for a doorbell, and not used the ring since */
};

/* A fresh ring, or with is_resumed one whose own counter is taken over from
 * shared memory: the former program of this side has died. */
void ring_init(struct ring *ring, struct ring_shared *shared, void *data,
	       uint32_t size, bool is_producer, bool is_resumed);

/* Bytes that could be written, or read.  -EPROTO. */
long __must_check ring_space(struct ring *ring);

/*
 * Producer: puts up to length bytes in; how many, 0: full.  -EPROTO. *ring_bell
 * is set (never cleared) when the consumer wants a doorbell, which the caller
 * rings before it waits for anything.
 */
long __must_check ring_write(struct ring *ring, const void *bytes,
			     uint32_t length, bool *ring_bell);
/* Consumer, likewise. */
long __must_check ring_read(struct ring *ring, void *bytes, uint32_t length,
			    bool *ring_bell);

/* Consumer: throws away what waits, in all; how much that was, or -EPROTO. */
long __must_check ring_skip(struct ring *ring, bool *ring_bell);

/* Consumer: copies the last of what waits, at most max bytes, and leaves it;
 * how much waits in all, or -EPROTO. */
long __must_check ring_peek_last(struct ring *ring, void *bytes, uint32_t max);

/*
 * Records: a 32-bit length, then that many bytes, whole or not at all; an empty
 * one is none.  Write: length, 0: no room, -EMSGSIZE: never fits, or empty.
 * Read: length, 0: none, -EPROTO, also for a record that is empty, longer than
 * max or longer than what was produced.
 */
long __must_check ring_put(struct ring *ring, const void *record,
			   uint32_t length, bool *ring_bell);
/* A record of up to RING_PARTS_MAX parts, some of which may be empty. */
struct ring_part {
	const void *bytes;
	uint32_t length;
};
#define RING_PARTS_MAX 24
long __must_check ring_put_parts(struct ring *ring,
				 const struct ring_part *part, unsigned count,
				 bool *ring_bell);
long __must_check ring_get(struct ring *ring, void *record, uint32_t max,
			   bool *ring_bell);

/*
 * Consumer: the record that is next stays where it is.  As ring_get(), and
 * *record is where it lies, which its producer may change at any time, or NULL:
 * it goes round the ring's end, ring_get() has it.  It is there until
 * ring_done(), of the length that look() gave and before any other operation
 * but ring_sleep().
 */
long __must_check ring_look(struct ring *ring, uint32_t max,
			    const void **record);
void ring_done(struct ring *ring, uint32_t length, bool *ring_bell);

/*
 * Asks for a doorbell.  True: the caller may wait, there is nothing to read
 * (consumer), or as little room as the last operation found (producer); or the
 * peer was found broken before, and nothing will ever come.  False: look again.
 */
bool __must_check ring_sleep(struct ring *ring);

#endif
