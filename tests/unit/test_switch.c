/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch: who gets a frame, what is learnt and forgotten, VLANs, limits,
 * machines that are slow, dead or lie; and init's messages. */
#include "tests/unit/switch_test.h"

/* ---- Learning ----------------------------------------------------------- */

static void test_learning(void **state)
{
	(void)state;
	start();
	for (unsigned i = 1; i <= 4; i++)
		plug(i, "lan0", 0, 0);
	send(1, 12, 11); /* nobody knows it yet */
	assert_int_equal(who(LEN), BIT(2) | BIT(3) | BIT(4));
	send(2, 11, 12);
	assert_int_equal(who(LEN), BIT(1));
	send(1, 12, 11);
	assert_int_equal(who(LEN), BIT(2));
	send(1, 0xff, 11);
	assert_int_equal(who(LEN), BIT(2) | BIT(3) | BIT(4));
	send(2, 12, 12); /* it is where it came from */
	assert_int_equal(who(LEN), 0);
	/* It has moved. */
	send(3, 11, 12);
	assert_int_equal(who(LEN), BIT(1));
	send(1, 12, 11);
	assert_int_equal(who(LEN), BIT(3));
}

static void test_forgetting(void **state)
{
	(void)state;
	start();
	for (unsigned i = 1; i <= 3; i++)
		plug(i, "lan0", 0, 0);
	send(2, 0xff, 12);
	(void)who(LEN);
	t.now_ns += SWITCH_AGE_NS;
	send(1, 12, 11);
	assert_int_equal(who(LEN), BIT(2));
	t.now_ns++;
	send(1, 12, 11);
	assert_int_equal(who(LEN), BIT(2) | BIT(3));
	/* What was behind a port that is gone is nowhere. */
	send(2, 0xff, 12);
	(void)who(LEN);
	unplug(2);
	send(1, 12, 11);
	assert_int_equal(who(LEN), BIT(3));
}

static void test_networks(void **state)
{
	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	plug(3, "lan1", 0, 0);
	plug(4, "lan1", 0, 0);
	send(1, 0xff, 11);
	assert_int_equal(who(LEN), BIT(2));
	send(3, 11, 13); /* an address of the other one */
	assert_int_equal(who(LEN), BIT(4));
	/* The same address in both is two. */
	send(2, 0xff, 20);
	send(4, 0xff, 20);
	(void)who(LEN);
	send(1, 20, 11);
	assert_int_equal(who(LEN), BIT(2));
	send(3, 20, 13);
	assert_int_equal(who(LEN), BIT(4));
	/* A network that nobody names any more leaves nothing to its place's
	 * next. */
	unplug(3);
	unplug(4);
	plug(5, "lan2", 0, 0);
	plug(6, "lan0", 0, 0);
	send(5, 0xff, 15);
	assert_int_equal(who(LEN), 0);
	send(6, 0xff, 16);
	assert_int_equal(who(LEN), BIT(1) | BIT(2));
}

/* ---- VLANs -------------------------------------------------------------- */

static void test_vlans(void **state)
{
	(void)state;
	start();
	plug(1, "lan0", 5, 0);
	plug(2, "lan0", 5, 0);
	plug(3, "lan0", 6, 0);
	plug(4, "lan0", 0, 0);
	plug(5, "lan0", 0, 0);
	send(1, 0xff, 11);
	/* With a tag to the trunks. */
	assert_int_equal(t.from[4].mine, 0);
	{
		uint8_t frame[NET_FRAME_MAX];
		bool bell = false;

		for (unsigned i = 4; i <= 5; i++) {
			assert_int_equal(ring_get(&t.from[i], frame,
						  sizeof(frame), &bell),
					 LEN + 4);
			assert_int_equal(frame[12], 0x81);
			assert_int_equal(frame[13], 0);
			assert_int_equal(frame[15], 5);
			assert_int_equal(frame[LEN + 3], 0x77);
		}
	}
	assert_int_equal(who(LEN), BIT(2));
	/* Without one to those of its VLAN; a priority is kept. */
	send_tagged(4, 0xff, 14, 0xe006);
	{
		uint8_t frame[NET_FRAME_MAX];
		bool bell = false;

		assert_int_equal(
			ring_get(&t.from[5], frame, sizeof(frame), &bell), LEN);
		assert_int_equal(frame[14], 0xe0);
		assert_int_equal(frame[15], 6);
	}
	assert_int_equal(who(LEN - 4), BIT(3));
	send(4, 0xff, 14);
	assert_int_equal(who(LEN), BIT(5));
	/* Who has a VLAN does not say so itself. */
	send_tagged(1, 0xff, 11, 6);
	send_tagged(1, 0xff, 11, 5);
	assert_int_equal(who(LEN), 0);
	assert_int_equal(t.core.port[1].counters.refused, 2);
	/* An address is known in its VLAN only. */
	send(3, 11, 13);
	assert_int_equal(who(LEN + 4), BIT(4) | BIT(5));
}

/* ---- Those that are slow, and those that lie ------------------------------
 */

static void test_slow(void **state)
{
	uint8_t frame[1514] = { 0 };
	unsigned sent = 0;

	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	plug(3, "lan0", 0, 0);
	mac_put(frame, 0xff);
	mac_put(frame + 6, 11);
	frame[1513] = 0x77;
	for (unsigned i = 0; i < 40; i++) {
		uint8_t got[NET_FRAME_MAX];
		bool bell = false;

		put(1, frame, sizeof(frame));
		run();
		/* 2 reads, 3 never does. */
		assert_int_equal(ring_get(&t.from[2], got, sizeof(got), &bell),
				 1514);
		sent++;
	}
	assert_int_equal(t.core.port[2].counters.received, sent);
	assert_int_equal(t.core.port[2].counters.dropped, 0);
	assert_int_equal(t.core.port[3].counters.received,
			 SWITCH_RECEIVED_SIZE / 1518);
	assert_int_equal(t.core.port[3].counters.dropped,
			 sent - SWITCH_RECEIVED_SIZE / 1518);
}

static void test_lies(void **state)
{
	uint8_t frame[LEN] = { 0 };

	(void)state;
	start();
	for (unsigned i = 1; i <= 3; i++)
		plug(i, "lan0", 0, 0);
	t.channel[2].narrow.sent.produced = 100000;
	run();
	assert_int_equal(t.core.port[2].state, PORT_BROKEN);
	assert_int_equal(t.lines, 1);
	t.channel[3].narrow.received.consumed = 77777;
	send(1, 0xff, 11);
	assert_int_equal(t.core.port[3].state, PORT_BROKEN);
	assert_int_equal(t.lines, 2);
	run();
	assert_int_equal(t.lines, 2);
	/* They can be unplugged, and others take their places. */
	unplug(2);
	plug(2, "lan0", 0, 0);
	send(1, 0xff, 11);
	assert_int_equal(who(LEN), BIT(2));
	/* What is no frame. */
	put(1, frame, NET_FRAME_MIN - 1);
	mac_put(frame + 6, 0xff); /* from everybody */
	put(1, frame, LEN);
	run();
	assert_int_equal(who(LEN), 0);
	assert_int_equal(unplug(1).refused, 2);
}

static void test_too_long(void **state)
{
	static uint8_t frame[NET_FRAME_MAX + 1];

	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	mac_put(frame, 0xff);
	mac_put(frame + 6, 11);
	frame[NET_FRAME_MAX - 1] = 0x77;
	put(1, frame, NET_FRAME_MAX);
	run();
	assert_int_equal(who(NET_FRAME_MAX), BIT(2));
	put(1, frame, NET_FRAME_MAX + 1);
	run();
	assert_int_equal(t.core.port[1].state, PORT_BROKEN);
}

/* What a tag makes too long, or its lack too short, breaks nobody's ring. */
static void test_tags_and_limits(void **state)
{
	static uint8_t frame[NET_FRAME_MAX];

	(void)state;
	start();
	plug(1, "lan0", 5, 0);
	plug(2, "lan0", 0, 0);
	plug(3, "lan0", 5, 0);
	mac_put(frame, 0xff);
	mac_put(frame + 6, 11);
	frame[NET_FRAME_MAX - 1] = frame[NET_FRAME_MAX - 5] = 0x77;
	put(1, frame, NET_FRAME_MAX);
	run();
	assert_int_equal(who(NET_FRAME_MAX), BIT(3));
	assert_int_equal(t.core.port[2].counters.dropped, 1);
	assert_int_equal(t.channel[2].narrow.dropped, 1);
	put(1, frame, NET_FRAME_MAX - NET_VLAN_TAG);
	run();
	assert_int_equal(length_read(2), NET_FRAME_MAX);
	assert_int_equal(who(NET_FRAME_MAX - NET_VLAN_TAG), BIT(3));
	memset(frame, 0, NET_FRAME_MIN);
	mac_put(frame, 0xff);
	mac_put(frame + 6, 12);
	frame[12] = 0x81;
	frame[15] = 5;
	put(2, frame, NET_FRAME_MIN);
	run();
	assert_int_equal(length_read(1), NET_FRAME_MIN);
	assert_int_equal(length_read(3), NET_FRAME_MIN);
}

/* Whoever sends without end leaves the others their turns. */
static void test_turns(void **state)
{
	uint8_t frame[LEN] = { 0 };

	(void)state;
	start();
	for (unsigned i = 1; i <= 3; i++)
		plug(i, "lan0", 0, 0);
	mac_put(frame, 13);
	mac_put(frame + 6, 11);
	for (unsigned i = 0; i < 150; i++)
		put(1, frame, LEN);
	mac_put(frame + 6, 12);
	put(2, frame, LEN);
	run();
	assert_int_equal(t.core.port[1].counters.sent, 150);
	/* 2's was before the 17th of 1's. */
	{
		uint8_t got[NET_FRAME_MAX];
		bool bell = false;
		unsigned at = 0;

		do
			assert_int_equal(
				ring_get(&t.from[3], got, sizeof(got), &bell),
				LEN);
		while (++at && got[11] != 12);
		assert_int_equal(at, SWITCH_TURN + 1);
	}
	assert_int_equal(switch_deadline(&t.core), UINT64_MAX);
	assert_int_equal(t.bells[3], 0); /* nobody sleeps there */
}

/* The machine's doorbell is rung once for many, and only if it sleeps. */
static void test_bells(void **state)
{
	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	assert_true(ring_sleep(&t.from[2]));
	send(1, 0xff, 11);
	assert_int_equal(t.bells[2], 1);
	send(1, 0xff, 11);
	assert_int_equal(t.bells[2], 1);
	assert_int_equal(t.bells[1], 0);
}

static void test_limit(void **state)
{
	uint8_t frame[1000] = { 0 };
	unsigned seconds;
	uint64_t count;

	(void)state;
	start();
	plug(1, "lan0", 0, 10); /* 10 KiB a second */
	plug(2, "lan0", 0, 0);
	mac_put(frame, 12);
	mac_put(frame + 6, 11);
	for (unsigned i = 0; i < 16; i++)
		put(1, frame, sizeof(frame));
	run();
	/* The burst, a tenth of a second's, and what begins within it. */
	assert_in_range(t.core.port[1].counters.sent, 1, 2);
	assert_true(switch_deadline(&t.core) > t.now_ns);
	assert_true(switch_deadline(&t.core) < t.now_ns + NSEC_PER_SEC);
	for (seconds = 0; t.core.port[1].counters.sent < 16; seconds++) {
		assert_true(seconds < 40);
		assert_true(switch_deadline(&t.core) != UINT64_MAX);
		t.now_ns = switch_deadline(&t.core);
		switch_run(&t.core, t.now_ns);
	}
	count = t.core.port[1].counters.sent_bytes;
	assert_int_equal(count, 16000);
	/* 16000 bytes less the burst take some 1.4 s. */
	assert_in_range(t.now_ns - NSEC_PER_SEC, NSEC_PER_SEC * 13 / 10,
			NSEC_PER_SEC * 16 / 10);
}

/* ---- Mirrors ------------------------------------------------------------ */

/* Its next copy; the length of the frame, which begins at *frame. */
static long copy_get(unsigned slot, const uint8_t **frame)
{
	static union {
		struct switch_copy copy;
		uint8_t bytes[SWITCH_COPY_MAX];
	} record;
	bool bell = false;
	long n = ring_get(&t.from[slot], &record, sizeof(record), &bell);

	if (!n)
		return 0;
	assert_true(n > (long)sizeof(record.copy));
	assert_int_equal(record.copy.time_ns, t.core.base_ns + t.now_ns);
	*frame = record.bytes + sizeof(record.copy);
	return n - (long)sizeof(record.copy);
}

static void test_mirror(void **state)
{
	const uint8_t *frame;

	(void)state;
	start();
	t.core.base_ns = 1000;
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	plug(3, "lan0", 7, 0);
	plug(4, "lan1", 0, 0);
	plug_with(SWITCH_MIRROR, 5, "lan0", 0, 0);
	send(2, 0xff, 12);
	assert_int_equal(copy_get(5, &frame), LEN);
	assert_int_equal(frame[11], 12);
	assert_int_equal(copy_get(5, &frame), 0);
	/* Also what others have no use for, but for another network. */
	send(1, 12, 11);
	assert_int_equal(copy_get(5, &frame), LEN);
	send(1, 11, 11);
	assert_int_equal(copy_get(5, &frame), LEN);
	send(4, 0xff, 14);
	assert_int_equal(copy_get(5, &frame), 0);
	/* A VLAN shows. */
	send(3, 0xff, 13);
	assert_int_equal(copy_get(5, &frame), LEN + 4);
	assert_int_equal(frame[12], 0x81);
	assert_int_equal(frame[15], 7);
	assert_int_equal(frame[LEN + 3], 0x77);
	send_tagged(1, 0xff, 11, 0x2009);
	assert_int_equal(copy_get(5, &frame), LEN);
	assert_int_equal(frame[14], 0x20);
	/* What is refused was not on the network. */
	send_tagged(3, 0xff, 13, 9);
	assert_int_equal(copy_get(5, &frame), 0);
}

/* What a mirror sends goes nowhere, and it has no address. */
static void test_mirror_is_mute(void **state)
{
	const uint8_t *frame;

	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug_with(SWITCH_MIRROR, 2, "lan0", 0, 0);
	plug_with(SWITCH_MIRROR, 3, "lan0", 0, 0);
	send(2, 0xff, 12);
	assert_int_equal(copy_get(3, &frame), 0);
	assert_int_equal(who(LEN), 0);
	(void)unplug(3);
	send(1, 12, 11);
	assert_int_equal(copy_get(2, &frame), LEN);
	assert_int_equal(unplug(2).sent, 0);
	send(1, 12, 11);
}

/* One that does not read loses copies, counted, and delays nobody. */
static void test_mirror_is_slow(void **state)
{
	unsigned copies = 0, count = 2 * SWITCH_RECEIVED_SIZE / LEN;
	struct switch_counters counters;
	const uint8_t *frame;

	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	plug_with(SWITCH_MIRROR, 5, "lan0", 0, 0);
	send(2, 0xff, 12);
	assert_int_equal(copy_get(5, &frame), LEN);
	(void)who(LEN);
	for (unsigned i = 0; i < count; i++) {
		uint8_t got[NET_FRAME_MAX];
		bool bell = false;

		send(1, 12, 11);
		assert_int_equal(ring_get(&t.from[2], got, sizeof(got), &bell),
				 LEN);
	}
	while (copy_get(5, &frame))
		copies++;
	assert_true(copies > 100);
	assert_int_equal(t.channel[5].narrow.dropped, count - copies);
	counters = unplug(5);
	assert_int_equal(counters.received, copies + 1);
	assert_int_equal(counters.dropped, count - copies);
}

/* ---- A switch that takes over, and init -----------------------------------
 */

static void test_takeover(void **state)
{
	uint8_t frame[LEN] = { 0 };

	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	send(1, 0xff, 11);
	mac_put(frame, 0xff);
	mac_put(frame + 6, 11);
	frame[LEN - 1] = 0x77;
	put(1, frame, LEN);
	/* The former one dies here. */
	switch_init(&t.core, &ops, NULL);
	for (unsigned i = 1; i <= 2; i++) {
		struct switch_message message = { .kind = SWITCH_ADD,
						  .slot = i,
						  .port = "g/nic0",
						  .network = "lan0" };

		assert_int_equal(
			switch_add(&t.core, &message, &t.channel[i].narrow), 0);
	}
	run();
	{
		uint8_t got[NET_FRAME_MAX];
		bool bell = false;

		assert_int_equal(ring_get(&t.from[2], got, sizeof(got), &bell),
				 LEN);
	}
	assert_int_equal(who(LEN), BIT(2));
}

static void test_counters(void **state)
{
	struct switch_counters counters;

	(void)state;
	start();
	plug(1, "lan0", 0, 0);
	plug(2, "lan0", 0, 0);
	send(1, 0xff, 11);
	send(1, 0xff, 11);
	send(2, 11, 12);
	counters = unplug(1);
	assert_int_equal(counters.sent, 2);
	assert_int_equal(counters.sent_bytes, 2 * LEN);
	assert_int_equal(counters.received, 1);
	assert_int_equal(counters.received_bytes, LEN);
	/* What is not there can be removed, too. */
	counters = unplug(1);
	assert_int_equal(counters.sent, 0);
}

static void test_init_lies(void **state)
{
	static const struct switch_message rows[] = {
		{ .kind = 7 },
		{ .kind = SWITCH_ADD, .slot = 0, .port = "p", .network = "n" },
		{ .kind = SWITCH_ADD,
		  .slot = SWITCH_SLOTS,
		  .port = "p",
		  .network = "n" },
		{ .kind = SWITCH_ADD, .slot = 1, .port = "p" },
		{ .kind = SWITCH_ADD, .slot = 1, .network = "n" },
		{ .kind = SWITCH_ADD,
		  .slot = 1,
		  .port = "p",
		  .network = "n",
		  .vlan = 4095 },
		{ .kind = SWITCH_ADD, .slot = 7, .port = "p", .network = "n" },
		{ .kind = SWITCH_ADD,
		  .slot = 1,
		  .flags = SWITCH_MIRROR | SWITCH_WIDE,
		  .port = "p",
		  .network = "n" },
		{ .kind = SWITCH_ADD,
		  .slot = 1,
		  .flags = 4,
		  .port = "p",
		  .network = "n" },
		{ .kind = SWITCH_REMOVE, .slot = SWITCH_SLOTS },
		{ .kind = SWITCH_REMOVE, .slot = 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		tell(&rows[i]);
		assert_true(t.admin.is_broken);
		assert_int_equal(t.lines, 1);
	}
	start();
	plug(1, "lan0", 0, 0);
	tell(&(struct switch_message){
		.kind = SWITCH_ADD, .slot = 1, .port = "p", .network = "n" });
	assert_true(t.admin.is_broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_tags_and_limits),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_bells),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_mirror),
		cmocka_unit_test(test_mirror_is_mute),
		cmocka_unit_test(test_mirror_is_slow),
		cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_init_lies),
	};

	return cmocka_run_group_tests_name("switch", tests, NULL, NULL);
}
