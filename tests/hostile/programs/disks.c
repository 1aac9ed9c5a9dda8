/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine against the service disk, at the other end of the channel in slot
 * DISK_CLIENT_SLOT: beside it another guest has a drive, whose sectors have to
 * be right and whose requests have to be done.
 */
#include "tests/hostile/programs/evil.h"

#include "include/disk.h"
#include "include/errno.h"
#include "lib/string.h"

#define HELLO_NS     (5000 * 1000000ULL)
#define IDS	     16 /* of requests that are in flight at a time */
#define SECTORS_NEAR 4096
#define LIE_RARE     64

/* One thread's. */
struct link {
	struct ring requests, replies;
	uint64_t generation;
	uint64_t hello; /* id of its HELLO: others' are not for it */
	uint64_t id, asked, answered;
};

static struct disk_channel *channel(void)
{
	return gate_channel(DISK_CLIENT_SLOT);
}

static void bell(void)
{
	(void)gate_doorbell(DISK_CLIENT_SLOT);
}

/* ---- As an honest machine ------------------------------------------------ */

static void put(struct link *link, const struct disk_request *request,
		uint32_t size)
{
	bool is_wanted;

	if (ring_put(&link->requests, request, size, &is_wanted) > 0)
		link->asked++;
	bell();
}

static void replies_take(struct link *link)
{
	struct disk_reply reply;
	bool is_wanted;

	while (ring_get(&link->replies, &reply, sizeof(reply), &is_wanted) >
	       0) {
		if (reply.kind != DISK_REPLY_HELLO)
			link->answered++;
		else if (link->generation || reply.id == link->hello)
			link->generation = reply.generation;
	}
}

static void hello(struct link *link)
{
	struct disk_request request = {
		.op = DISK_OP_HELLO,
		.id = __builtin_ia32_rdtsc() | 1,
	};
	uint64_t end = now_ns() + HELLO_NS;

	*link = (struct link){ .hello = request.id };
	ring_init(&link->requests, &channel()->requests,
		  channel()->request_data, DISK_REQUESTS_SIZE, true, true);
	ring_init(&link->replies, &channel()->replies, channel()->reply_data,
		  DISK_REPLIES_SIZE, false, true);
	put(link, &request, DISK_REQUEST_SIZE(0));
	while (!link->generation && now_ns() < end) {
		replies_take(link);
		gate_yield();
	}
	if (!link->generation)
		SAY("FAIL disk does not greet");
	link->asked = 0;
	evil.end_ns = now_ns() + evil.duration_ns;
}

/* ---- Requests ------------------------------------------------------------ */

static uint64_t sector_wild(struct self *self)
{
	return one_in(self, 4) ? random_argument(self)
			       : random_next(self) % SECTORS_NEAR;
}

static uint64_t where_wild(struct self *self)
{
	uint64_t where = random_next(self) % (2 * gate_config()->vm_memory);

	if (one_in(self, 4))
		return random_argument(self);
	return one_in(self, 2)
		       ? where
		       : DISK_WHERE_BOUNCE | where % (2 * DISK_BOUNCE_SIZE);
}

/* What a guest could have its machine ask; most of it makes no sense. */
static uint32_t request_fill(struct self *self, struct link *link,
			     struct disk_request *request)
{
	uint32_t count =
		(uint32_t)random_next(self) % (one_in(self, 4) ? 65 : 3);

	*request = (struct disk_request){
		.id = ++link->id,
		.generation = link->generation,
		.sector = sector_wild(self),
		.op = DISK_OP_READ +
		      (uint32_t)random_next(self) % DISK_OP_WRITE_ZEROES,
		.flags = (uint32_t)random_next(self) & DISK_FUA,
		.segment_count = count,
	};
	if (request->op > DISK_OP_WRITE_ZEROES)
		request->op = DISK_OP_READ;
	if (request->op > DISK_OP_WRITE)
		request->segment_count = count = 0;
	if (request->op != DISK_OP_FLUSH)
		request->sector_count = (uint32_t)random_next(self) % 64;
	for (uint32_t i = 0; i < count; i++)
		request->segment[i] = (struct disk_segment){
			.where = where_wild(self),
			.length = 512 * (uint32_t)(1 + random_next(self) % 64),
		};
	return DISK_REQUEST_SIZE(count);
}

/* Each has an answer, whatever it is. */
static void attack_asks(struct self *self)
{
	static struct disk_request request;
	static struct link link;
	uint64_t end;

	meet(self);
	hello(&link);
	while (goes_on(self)) {
		if (link.asked - link.answered < IDS) {
			uint32_t size = request_fill(self, &link, &request);

			put(&link, &request, size);
		}
		replies_take(&link);
	}
	end = now_ns() + HELLO_NS;
	while (link.answered < link.asked && now_ns() < end) {
		replies_take(&link);
		gate_yield();
	}
	if (link.asked && link.answered == link.asked)
		SAY("PASS every request was answered: %lu", link.asked);
	else
		SAY("FAIL %lu of %lu requests were answered", link.answered,
		    link.asked);
}

static void lie(struct self *self, struct disk_request *request, uint32_t *size)
{
	switch (random_next(self) % 5) {
	case 0:
		*size = (uint32_t)random_next(self) % sizeof(*request);
		break;
	case 1:
		request->op = (uint32_t)random_next(self);
		break;
	case 2:
		request->drive = (uint32_t)random_next(self);
		break;
	case 3:
		request->segment_count = (uint32_t)random_next(self);
		break;
	default:
		request->id = random_next(self) % IDS;
		break;
	}
}

/* Now and then one that no machine sends, which is the end of them. */
static void attack_lies(struct self *self)
{
	static struct disk_request request;
	static struct link link;

	meet(self);
	hello(&link);
	while (goes_on(self)) {
		uint32_t size = request_fill(self, &link, &request);

		if (one_in(self, LIE_RARE))
			lie(self, &request, &size);
		put(&link, &request, size);
		replies_take(&link);
	}
}

/* ---- Rings --------------------------------------------------------------- */

/* Everything that disk reads, by all of them at once. */
static void attack_scribble(struct self *self)
{
	volatile uint8_t *bytes = (volatile uint8_t *)channel();
	uint64_t size = sizeof(struct disk_channel);

	meet(self);
	while (goes_on(self)) {
		if (one_in(self, 3))
			size = offsetof(struct disk_channel, drive);
		for (unsigned i = 0; i < 64; i++)
			bytes[random_next(self) % size] =
				(uint8_t)random_next(self);
		bell();
	}
}

/* More bells than there is time for. */
static void attack_bells(struct self *self)
{
	meet(self);
	while (goes_on(self))
		for (unsigned i = 0; i < 64; i++)
			bell();
}

/* ---- Its end ------------------------------------------------------------- */

/* With as much in flight as can be, into memory that is about to be freed. */
static void attack_gone(struct self *self)
{
	static struct disk_request request;
	static struct link link;
	volatile uint32_t *volatile nowhere = NULL;

	meet(self);
	hello(&link);
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		request = (struct disk_request){
			.id = ++link.id,
			.generation = link.generation,
			.op = DISK_OP_READ,
			.sector_count = 1024,
			.segment_count = 1,
			.segment = { { .where = i * KIB(64),
				       .length = 1024 * DISK_SECTOR } },
		};
		put(&link, &request, DISK_REQUEST_SIZE(1));
	}
	*nowhere = 0; /* cppcheck-suppress nullPointer */
}

const struct attack disk_attacks[] = {
	{ "diskasks", attack_asks },	     { "disklies", attack_lies },
	{ "diskscribble", attack_scribble }, { "diskbells", attack_bells },
	{ "diskgone", attack_gone },	     { 0 },
};
