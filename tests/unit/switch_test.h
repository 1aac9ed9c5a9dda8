/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch with ports whose machines the test is, and init. */
#ifndef BULKHEAD_TESTS_UNIT_SWITCH_TEST_H
#define BULKHEAD_TESTS_UNIT_SWITCH_TEST_H

#include "tests/unit/device_test.h"

#include "include/errno.h"
#include "services/switch/admin.h"

#define PORTS 6
#define LEN   80U

static struct {
	struct switch_core core;
	struct switch_admin admin;
	union {
		struct switch_channel narrow;
		struct switch_wide_channel wide;
	} channel[PORTS + 1];
	struct switch_control control;
	struct ring to[PORTS + 1], from[PORTS + 1]; /* the machines' ends */
	struct ring say, hear;			    /* init's */
	unsigned bells[PORTS + 1], lines;
	uint32_t detached; /* BIT(slot) */
	uint64_t now_ns;
} t;

static inline void doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	t.bells[slot]++;
}

static inline void say(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
	t.lines++;
}

static struct switch_channel *channel(void *ctx, unsigned slot)
{
	(void)ctx;
	return slot <= PORTS ? &t.channel[slot].narrow : NULL;
}

static inline void detach(void *ctx, unsigned slot)
{
	(void)ctx;
	t.detached |= (uint32_t)BIT(slot);
}

static const struct switch_ops ops = { doorbell, say };
static const struct switch_admin_ops admin_ops = { channel, detach, doorbell };

static inline void start(void)
{
	memset(&t, 0, sizeof(t));
	t.now_ns = NSEC_PER_SEC;
	switch_init(&t.core, &ops, NULL);
	switch_admin_init(&t.admin, &admin_ops, NULL, &t.core, &t.control);
	ring_init(&t.say, &t.control.to_switch, t.control.to_switch_data,
		  SWITCH_CONTROL_SIZE, true, false);
	ring_init(&t.hear, &t.control.from_switch, t.control.from_switch_data,
		  SWITCH_CONTROL_SIZE, false, false);
}

static inline void tell(const struct switch_message *message)
{
	bool bell = false;

	assert_int_equal(ring_put(&t.say, message, sizeof(*message), &bell),
			 sizeof(*message));
	switch_admin_run(&t.admin);
}

static inline void plug_with(uint32_t flags, unsigned slot, const char *network,
			     uint32_t vlan, uint32_t kib_limit)
{
	struct switch_message message = { .kind = SWITCH_ADD,
					  .slot = slot,
					  .flags = flags,
					  .vlan = vlan,
					  .kib_limit = kib_limit };

	memset(&t.channel[slot], 0, sizeof(t.channel[slot]));
	switch_rings_init(&t.channel[slot].narrow, flags & SWITCH_WIDE, false,
			  &t.from[slot], &t.to[slot]);
	snprintf(message.port, sizeof(message.port), "guest%u/nic0", slot);
	snprintf(message.network, sizeof(message.network), "%s", network);
	tell(&message);
	assert_int_equal(t.core.port[slot].state, PORT_OPEN);
}

static inline void plug(unsigned slot, const char *network, uint32_t vlan,
			uint32_t kib_limit)
{
	plug_with(0, slot, network, vlan, kib_limit);
}

static inline struct switch_counters unplug(unsigned slot)
{
	const struct switch_message message = { .kind = SWITCH_REMOVE,
						.slot = slot };
	struct switch_message answer = { 0 };
	bool bell = false;

	tell(&message);
	assert_int_equal(ring_get(&t.hear, &answer, sizeof(answer), &bell),
			 sizeof(answer));
	assert_int_equal(answer.kind, SWITCH_REMOVED);
	assert_int_equal(answer.slot, slot);
	assert_true(t.detached & BIT(slot));
	return answer.counters;
}

/* Addresses are numbers; 0xff: all. */
static inline void mac_put(uint8_t *at, unsigned number)
{
	memset(at, number == 0xff ? 0xff : 0, 6);
	at[0] = number == 0xff ? 0xff : 2;
	at[5] = (uint8_t)number;
}

static inline void run(void)
{
	for (unsigned i = 1; i <= PORTS; i++)
		switch_ring(&t.core, i);
	switch_run(&t.core, t.now_ns);
}

static inline void put(unsigned slot, const uint8_t *frame, uint32_t length)
{
	bool bell = false;

	assert_int_equal(ring_put(&t.to[slot], frame, length, &bell), length);
}

static inline void send_tagged(unsigned slot, unsigned to, unsigned from,
			       int tci)
{
	uint8_t frame[LEN] = { 0 };

	mac_put(frame, to);
	mac_put(frame + 6, from);
	if (tci >= 0) {
		frame[12] = 0x81;
		frame[14] = (uint8_t)(tci >> 8);
		frame[15] = (uint8_t)tci;
	}
	frame[LEN - 1] = 0x77;
	put(slot, frame, LEN);
	run();
}

static inline void send(unsigned slot, unsigned to, unsigned from)
{
	send_tagged(slot, to, from, -1);
}

/* Which ports have got one frame, BIT(slot), whose length is so. */
static inline uint32_t who(uint32_t length)
{
	uint8_t frame[NET_FRAME_MAX];
	uint32_t slots = 0;
	bool bell = false;

	for (unsigned i = 1; i <= PORTS; i++) {
		long n;

		if (t.core.port[i].state != PORT_OPEN)
			continue;
		n = ring_get(&t.from[i], frame, sizeof(frame), &bell);
		if (!n)
			continue;
		assert_int_equal(n, length);
		assert_int_equal(frame[n - 1], 0x77);
		slots |= (uint32_t)BIT(i);
		assert_int_equal(
			ring_get(&t.from[i], frame, sizeof(frame), &bell), 0);
	}
	return slots;
}

/* The length of what a port has got, 0: nothing. */
static inline long length_read(unsigned slot)
{
	uint8_t frame[NET_FRAME_MAX];
	bool bell = false;

	return ring_get(&t.from[slot], frame, sizeof(frame), &bell);
}

#endif
