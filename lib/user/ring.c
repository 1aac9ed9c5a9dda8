/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of include/ring.h.  All that is read from shared memory is read
 * once, into a variable of one's own, and checked there.
 */
#include "include/ring.h"

#include "include/errno.h"
#include "lib/user/shared.h"

#define RECORD_HEADER ((uint32_t)sizeof(uint32_t))

void ring_init(struct ring *ring, struct ring_shared *shared, void *data,
	       uint32_t size, bool is_producer, bool is_resumed)
{
	*ring = (struct ring){
		.shared = shared,
		.data = data,
		.size = size,
		.is_producer = is_producer,
	};
	if (is_resumed)
		ring->mine = shared_load(is_producer ? &shared->produced
						     : &shared->consumed);
	/* As low as it may be. */
	ring->seen = ring->mine - (is_resumed && is_producer ? size : 0);
}

/*
 * Reads the peer's counter.  Bytes that this side may go on by, or -EPROTO.
 * The peer may only count on from where it was seen last: one that goes to and
 * fro would keep this side looking without end between "nothing" and "more".
 */
static __always_inline long look(struct ring *ring)
{
	uint32_t limit, steps, seen;

	if (ring->is_broken)
		return -EPROTO;
	limit = ring->mine + (ring->is_producer ? 0 : ring->size);
	seen = shared_load(ring->is_producer ? &ring->shared->consumed
					     : &ring->shared->produced);
	steps = seen - ring->seen;
	if (steps > limit - ring->seen) {
		ring->is_broken = true;
		return -EPROTO;
	}
	ring->seen = seen;
	return ring->is_producer ? ring->size - (ring->mine - seen)
				 : seen - ring->mine;
}

long ring_space(struct ring *ring)
{
	return look(ring);
}

static uint32_t *own_request(struct ring *ring)
{
	return ring->is_producer ? &ring->shared->producer_sleeps
				 : &ring->shared->consumer_sleeps;
}

/* Where so many bytes at counter position at lie in one piece; NULL: they go
 * round the end, as few do. */
static uint8_t *piece_at(const struct ring *ring, uint32_t at, uint32_t length)
{
	uint32_t offset = at & (ring->size - 1);

	return likely(length <= ring->size - offset) ? ring->data + offset
						     : NULL;
}

/* The bytes at counter position at, in one or two pieces. */
static void bytes_out(struct ring *ring, uint32_t at, const void *from,
		      uint32_t length)
{
	uint32_t offset = at & (ring->size - 1);
	uint32_t first = MIN(length, ring->size - offset);

	shared_copy_out(ring->data + offset, from, first);
	if (first < length)
		shared_copy_out(ring->data, (const uint8_t *)from + first,
				length - first);
}

static void bytes_in(struct ring *ring, uint32_t at, void *to, uint32_t length)
{
	uint32_t offset = at & (ring->size - 1);
	uint32_t first = MIN(length, ring->size - offset);

	shared_copy_in(to, ring->data + offset, first);
	if (first < length)
		shared_copy_in((uint8_t *)to + first, ring->data,
			       length - first);
}

/* Withdraws the request: this side is at work. */
static void request_withdraw(struct ring *ring)
{
	if (!ring->has_asked)
		return;
	ring->has_asked = false;
	shared_store(own_request(ring), 0);
}

/*
 * Makes n bytes of progress public, then looks whether the peer waits for it.
 * The request is cleared before the bell rings: a peer that asks again in
 * between is rung for nothing, but never left.
 */
static void publish(struct ring *ring, uint32_t n, bool *ring_bell)
{
	struct ring_shared *shared = ring->shared;
	uint32_t *request = ring->is_producer ? &shared->consumer_sleeps
					      : &shared->producer_sleeps;

	ring->mine += n;
	shared_store(ring->is_producer ? &shared->produced : &shared->consumed,
		     ring->mine);
	request_withdraw(ring);
	if (!ring->is_producer && ring->seen - ring->mine > ring->size / 2)
		return;
	shared_fence();
	if (shared_load(request)) {
		shared_store(request, 0);
		*ring_bell = true;
	}
}

long ring_write(struct ring *ring, const void *bytes, uint32_t length,
		bool *ring_bell)
{
	long n = look(ring);

	n = MIN(n, (long)length);
	if (n > 0) {
		bytes_out(ring, ring->mine, bytes, (uint32_t)n);
		publish(ring, (uint32_t)n, ring_bell);
	}
	return n;
}

long ring_peek_last(struct ring *ring, void *bytes, uint32_t max)
{
	long n = look(ring);

	if (n > 0) {
		max = MIN((uint32_t)n, max);
		bytes_in(ring, ring->mine + (uint32_t)n - max, bytes, max);
	}
	return n;
}

long ring_read(struct ring *ring, void *bytes, uint32_t length, bool *ring_bell)
{
	long n = look(ring);

	n = MIN(n, (long)length);
	if (n > 0) {
		bytes_in(ring, ring->mine, bytes, (uint32_t)n);
		publish(ring, (uint32_t)n, ring_bell);
	}
	return n;
}

long ring_skip(struct ring *ring, bool *ring_bell)
{
	long n = look(ring);

	if (n > 0)
		publish(ring, (uint32_t)n, ring_bell);
	return n;
}

static void parts_out_around(struct ring *ring, const struct ring_part *part,
			     unsigned count, uint32_t length)
{
	uint32_t at = ring->mine + RECORD_HEADER;

	bytes_out(ring, ring->mine, &length, RECORD_HEADER);
	for (unsigned i = 0; i < count; i++) {
		if (part[i].length)
			bytes_out(ring, at, part[i].bytes, part[i].length);
		at += part[i].length;
	}
}

/* A record of that length in all. */
static void parts_out(struct ring *ring, const struct ring_part *part,
		      unsigned count, uint32_t length)
{
	uint8_t *to = piece_at(ring, ring->mine, RECORD_HEADER + length);

	if (!to) {
		parts_out_around(ring, part, count, length);
		return;
	}
	shared_copy_out(to, &length, RECORD_HEADER);
	to += RECORD_HEADER;
	for (; count--; part++) {
		/* What stands before a packet. */
		if (part->length == sizeof(uint64_t))
			shared_copy_out(to, part->bytes, sizeof(uint64_t));
		else if (part->length)
			shared_copy_out(to, part->bytes, part->length);
		to += part->length;
	}
}

long ring_put_parts(struct ring *ring, const struct ring_part *part,
		    unsigned count, bool *ring_bell)
{
	long room = look(ring);
	uint32_t length = 0;
	unsigned i;

	if (room < 0)
		return room;
	for (i = 0; i < count; i++) {
		if (i == RING_PARTS_MAX ||
		    part[i].length > ring->size - RECORD_HEADER - length)
			return -EMSGSIZE;
		length += part[i].length;
	}
	if (!length)
		return -EMSGSIZE;
	if (room < (long)length + RECORD_HEADER)
		return 0;
	parts_out(ring, part, count, length);
	publish(ring, RECORD_HEADER + length, ring_bell);
	return length;
}

long ring_put(struct ring *ring, const void *record, uint32_t length,
	      bool *ring_bell)
{
	const struct ring_part part = { record, length };

	return ring_put_parts(ring, &part, 1, ring_bell);
}

/* Of the record that is next. */
static uint32_t length_in(struct ring *ring)
{
	const uint8_t *from = piece_at(ring, ring->mine, RECORD_HEADER);
	uint32_t length;

	if (from)
		shared_copy_in(&length, from, RECORD_HEADER);
	else
		bytes_in(ring, ring->mine, &length, RECORD_HEADER);
	return length;
}

/* The same, as ring_get() returns it. */
static __always_inline long next_length(struct ring *ring, uint32_t max)
{
	long used = look(ring);
	uint32_t length = 0;

	if (used <= 0)
		return used;
	if (used > RECORD_HEADER)
		length = length_in(ring);
	if (!length || length > max || length > used - RECORD_HEADER) {
		ring->is_broken = true;
		return -EPROTO;
	}
	return length;
}

long ring_get(struct ring *ring, void *record, uint32_t max, bool *ring_bell)
{
	long n = next_length(ring, max);

	if (n > 0) {
		bytes_in(ring, ring->mine + RECORD_HEADER, record, (uint32_t)n);
		publish(ring, RECORD_HEADER + (uint32_t)n, ring_bell);
	}
	return n;
}

long ring_look(struct ring *ring, uint32_t max, const void **record)
{
	long n = next_length(ring, max);

	*record = NULL;
	if (n > 0)
		*record =
			piece_at(ring, ring->mine + RECORD_HEADER, (uint32_t)n);
	return n;
}

void ring_done(struct ring *ring, uint32_t length, bool *ring_bell)
{
	publish(ring, RECORD_HEADER + length, ring_bell);
}

bool ring_sleep(struct ring *ring)
{
	uint32_t seen = ring->seen;
	long n;

	if (ring->is_broken)
		return true;
	shared_store(own_request(ring), 1);
	ring->has_asked = true;
	shared_fence();
	n = look(ring);
	if (n < 0)
		return false;
	if (ring->is_producer ? ring->seen == seen : n == 0)
		return true;
	request_withdraw(ring);
	return false;
}
