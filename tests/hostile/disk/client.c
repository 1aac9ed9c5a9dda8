/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Against a machine that is its client, by their channel.  init is told what an
 * honest disk would say.
 */
#include "tests/hostile/disk/disk.h"

#include "lib/string.h"

void client_begin(struct client *client)
{
	control_connect(&client->control);
	client->memory = gate_channel(VICTIM_SLOT);
	client->generation = (uint64_t)client->control.start << 32;
	ring_init(&client->requests, &client->memory->requests,
		  client->memory->request_data, DISK_REQUESTS_SIZE, false,
		  true);
	ring_init(&client->replies, &client->memory->replies,
		  client->memory->reply_data, DISK_REPLIES_SIZE, true, true);
	SAY("life %u meets its client", evil.life);
}

static void reply(struct client *client, const struct disk_reply *record)
{
	bool is_wanted;

	(void)!ring_put(&client->replies, record, sizeof(*record), &is_wanted);
	(void)gate_doorbell(VICTIM_SLOT);
}

static void say_hello(struct client *client, uint64_t id)
{
	const struct disk_reply hello = {
		.kind = DISK_REPLY_HELLO,
		.id = id,
		.generation = ++client->generation,
	};

	reply(client, &hello);
}

/* False: there is none. */
static bool take(struct client *client, struct disk_request *request)
{
	bool is_wanted;

	memset(request, 0, DISK_REQUEST_SIZE(0));
	return ring_get(&client->requests, request, sizeof(*request),
			&is_wanted) > 0;
}

/* Greets; true when something else was asked. */
static bool greet(struct client *client)
{
	static struct disk_request request;
	bool is_asked = false;

	control_serve(&client->control);
	while (take(client, &request))
		if (request.op == DISK_OP_HELLO)
			say_hello(client, request.id);
		else
			is_asked = true;
	return is_asked;
}

static void client_sleep(struct client *client)
{
	if (ring_sleep(&client->control.in) && ring_sleep(&client->requests))
		(void)gate_wait();
}

void client_meet(struct client *client)
{
	client_begin(client);
	/* Its requests of a former life come when it has heard of this one. */
	say_hello(client, 0);
	while (!greet(client))
		client_sleep(client);
	evil.end_ns = now_ns() + evil.duration_ns;
}

static void reply_wild(struct self *self, struct client *client,
		       const struct disk_request *request)
{
	static const int32_t status[] = { 0,  -5,   -30, -34,	    -22,
					  28, -125, 1,	 INT32_MAX, INT32_MIN };
	struct disk_reply wild = {
		.kind = one_in(self, 8) ? (uint32_t)random_next(self)
					: DISK_REPLY_DONE,
		.id = one_in(self, 2) ? request->id : random_next(self) % 64,
		.generation = one_in(self, 4) ? random_next(self)
					      : client->generation,
		.sector = random_argument(self),
		.status = status[random_next(self) % ARRAY_SIZE(status)],
	};

	reply(client, &wild);
}

/* ---- Answers ------------------------------------------------------------- */

/* Of requests that there are and are not, with whatever else. */
static void replies(struct self *self)
{
	static struct disk_request request;
	struct client client;

	client_begin(&client);
	while (goes_on(self)) {
		control_serve(&client.control);
		if (take(&client, &request) && request.op == DISK_OP_HELLO)
			say_hello(&client, request.id);
		reply_wild(self, &client, &request);
	}
}

/* Before anything was asked, and so soon as nobody has said HELLO. */
static void early(struct self *self)
{
	static struct disk_request request;
	struct client client;

	client_begin(&client);
	while (goes_on(self)) {
		control_serve(&client.control);
		reply_wild(self, &client, &request);
		if (one_in(self, 256))
			say_hello(&client, random_next(self));
	}
}

/* A drive that is another one each time. */
static void hellos(struct self *self)
{
	struct disk_drive_info *info;
	struct client client;

	client_meet(&client);
	info = &client.memory->drive[0];
	while (goes_on(self)) {
		(void)greet(&client);
		if (!one_in(self, 16))
			continue;
		info->sector_count =
			one_in(self, 2) ? DRIVE_SECTORS : random_argument(self);
		info->flags = (uint32_t)random_next(self);
		info->block_size =
			one_in(self, 2) ? 512 : (uint32_t)random_next(self);
		say_hello(&client, one_in(self, 2) ? 0 : random_next(self));
	}
}

/* ---- Rings --------------------------------------------------------------- */

/* Records of any length. */
static void records(struct self *self)
{
	struct client client;

	client_meet(&client);
	lengths_fill(self, &client.memory->replies, client.memory->reply_data,
		     DISK_REPLIES_SIZE);
	(void)gate_doorbell(VICTIM_SLOT);
	while (goes_on(self))
		control_serve(&client.control);
}

/* Counters that go to and fro, with a bell now and then. */
static void counters(struct self *self)
{
	struct client client;

	client_meet(&client);
	for (uint32_t i = 0; goes_on(self); i++) {
		store(&client.memory->requests.consumed, -(uint64_t)(i % 3));
		store(&client.memory->replies.produced, 36 * (i % 3));
		if (i % 256)
			continue;
		(void)gate_doorbell(VICTIM_SLOT);
		control_serve(&client.control);
	}
}

static void scribble_all(struct self *self, struct client *client)
{
	while (goes_on(self)) {
		control_serve(&client->control);
		scribble(self, client->memory, sizeof(*client->memory));
		(void)gate_doorbell(VICTIM_SLOT);
	}
}

/* All of the memory that they share. */
static void whole_channel(struct self *self)
{
	struct client client;

	client_meet(&client);
	scribble_all(self, &client);
}

/* The same before its machine has seen a drive. */
static void before_start(struct self *self)
{
	struct client client;

	client_begin(&client);
	scribble_all(self, &client);
}

/* ---- Silence ------------------------------------------------------------- */

/* init hears all that it asks. */
static __noreturn void answer_nothing(struct client *client)
{
	for (;;) {
		(void)greet(client);
		client_sleep(client);
	}
}

/* Takes requests and answers none, for longer than the guest waits. */
static void mute(struct self *self)
{
	struct client client;

	(void)self;
	client_meet(&client);
	answer_nothing(&client);
}

/* Nor does it let go of the guest's memory when that has ended. */
static void keeps(struct self *self)
{
	struct client client;

	(void)self;
	client_meet(&client);
	client.control.is_holding = true;
	answer_nothing(&client);
}

const struct fake fake_replies = { 1, replies };
const struct fake fake_early = { 1, early };
const struct fake fake_hellos = { 1, hellos };
const struct fake fake_records = { 1, records };
const struct fake fake_counters = { 1, counters };
const struct fake fake_channel = { 1, whole_channel };
const struct fake fake_start = { 1, before_start };
const struct fake fake_mute = { 1, mute };
const struct fake fake_keeps = { 1, keeps };
