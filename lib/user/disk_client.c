/* SPDX-License-Identifier: BSD-2-Clause */
/* See disk_client.h. */
#include "lib/user/disk_client.h"

#include "include/errno.h"
#include "lib/string.h"

/* Twice what the ring holds.  All that disk may answer while it is read are the
 * requests in flight, and that it was started anew. */
#define REPLIES_MAX \
	(2 * DISK_REPLIES_SIZE / (sizeof(uint32_t) + sizeof(struct disk_reply)))

void disk_client_init(struct disk_client_link *link,
		      struct disk_channel *channel, uint64_t hello,
		      const struct disk_client_ops *ops, void *ctx)
{
	memset(link, 0, sizeof(*link));
	link->ops = ops;
	link->ctx = ctx;
	link->hello = hello;
	link->is_hello_due = true;
	ring_init(&link->requests, &channel->requests, channel->request_data,
		  DISK_REQUESTS_SIZE, true, true);
	ring_init(&link->replies, &channel->replies, channel->reply_data,
		  DISK_REPLIES_SIZE, false, true);
}

int disk_client_submit(struct disk_client_link *link,
		       const struct disk_request *request)
{
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_flight *flight = &link->flight[i];

		if (flight->state != FLIGHT_FREE)
			continue;
		flight->state = FLIGHT_WAITING;
		flight->order = link->order++;
		memcpy(&flight->request, request,
		       DISK_REQUEST_SIZE(request->segment_count));
		link->count++;
		link->waiting++;
		return 0;
	}
	return -EAGAIN;
}

/* ---- Taking back --------------------------------------------------------- */

static void flight_end(struct disk_client_link *link,
		       struct disk_flight *flight, int status, uint64_t sector)
{
	flight->state = FLIGHT_FREE;
	link->count--;
	link->ops->done(link->ctx, flight->request.id, status, sector);
}

bool disk_client_cancel(struct disk_client_link *link, uint64_t id)
{
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_flight *flight = &link->flight[i];

		if (flight->state == FLIGHT_FREE || flight->request.id != id)
			continue;
		if (flight->state == FLIGHT_WAITING || link->is_broken) {
			link->waiting -= flight->state == FLIGHT_WAITING;
			flight->state = FLIGHT_FREE;
			link->count--;
			return true;
		}
		flight->state = FLIGHT_CANCELLED;
	}
	return false;
}

/* disk has none of them any more, and never will. */
static void sent_return(struct disk_client_link *link)
{
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_flight *flight = &link->flight[i];

		if (flight->state == FLIGHT_SENT) {
			flight->state = FLIGHT_WAITING;
			link->waiting++;
		} else if (flight->state == FLIGHT_CANCELLED) {
			flight_end(link, flight, -ECANCELED, 0);
		}
	}
}

/* ---- Sending ------------------------------------------------------------- */

/* False: no room now. */
static bool record_put(struct disk_client_link *link,
		       const struct disk_request *request, bool *ring_bell)
{
	long n;

	do {
		n = ring_put(&link->requests, request,
			     DISK_REQUEST_SIZE(request->segment_count),
			     ring_bell);
	} while (!n && !ring_sleep(&link->requests));
	link->is_broken |= n < 0;
	return n > 0;
}

static struct disk_flight *next_waiting(struct disk_client_link *link)
{
	struct disk_flight *next = NULL;

	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_flight *flight = &link->flight[i];

		if (flight->state == FLIGHT_WAITING &&
		    (!next || flight->order < next->order))
			next = flight;
	}
	return next;
}

static void waiting_send(struct disk_client_link *link, bool *ring_bell)
{
	struct disk_flight *flight;

	if (link->is_hello_due) {
		struct disk_request hello;

		memset(&hello, 0, DISK_REQUEST_SIZE(0));
		hello.id = link->hello;
		hello.op = DISK_OP_HELLO;
		link->is_hello_due = !record_put(link, &hello, ring_bell);
	}
	while (link->generation && !link->is_alone && link->waiting &&
	       (flight = next_waiting(link))) {
		flight->request.generation = link->generation;
		if (!record_put(link, &flight->request, ring_bell))
			break;
		flight->state = FLIGHT_SENT;
		link->waiting--;
	}
}

/* ---- Replies ------------------------------------------------------------- */

static void hello_handle(struct disk_client_link *link,
			 const struct disk_reply *reply)
{
	if (!link->generation && reply->id != link->hello) {
		/* disk was started anew: the one it replaced may have had it.
		 */
		link->is_hello_due = true;
		return;
	}
	link->generation = reply->generation;
	link->is_alone = false;
	sent_return(link);
	if (link->ops->hello)
		link->ops->hello(link->ctx);
}

static void done_handle(struct disk_client_link *link,
			const struct disk_reply *reply)
{
	if (!link->generation || reply->generation != link->generation)
		return;
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_flight *flight = &link->flight[i];

		if ((flight->state != FLIGHT_SENT &&
		     flight->state != FLIGHT_CANCELLED) ||
		    flight->request.id != reply->id)
			continue;
		flight_end(link, flight,
			   reply->status > 0 ? -EIO : reply->status,
			   reply->sector);
		return;
	}
}

static void replies_read(struct disk_client_link *link, bool *ring_bell)
{
	struct disk_reply reply;

	for (unsigned i = 0; i < REPLIES_MAX; i++) {
		long n = ring_get(&link->replies, &reply, sizeof(reply),
				  ring_bell);

		if (!n && ring_sleep(&link->replies))
			return;
		if (n && n != sizeof(reply))
			break;
		if (n && reply.kind == DISK_REPLY_HELLO)
			hello_handle(link, &reply);
		else if (n && reply.kind == DISK_REPLY_DONE)
			done_handle(link, &reply);
	}
	/* It lies, or never lets this side come to an end. */
	link->is_broken = true;
}

void disk_client_run(struct disk_client_link *link)
{
	bool ring_bell = false;

	if (!link->is_broken)
		replies_read(link, &ring_bell);
	if (!link->is_broken)
		waiting_send(link, &ring_bell);
	if (ring_bell)
		link->ops->doorbell(link->ctx);
}

void disk_client_alone(struct disk_client_link *link)
{
	link->is_alone = true; /* but for a HELLO of a successor's */
	disk_client_run(link);
	if (link->is_alone && !link->is_broken)
		sent_return(link);
}
