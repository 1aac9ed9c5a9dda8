/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks through services/seat: a client joins one and captures, frames go
 * both ways, a client that does not read or goes, a switch that takes nothing
 * or lies, and init's refusals.
 */
#include "tests/unit/remote_test.h"

#define FIRST SEAT_PORT_SLOT
#define LEN   80U

static struct ring sent, received; /* the switch's ends */

/* ---- init and the switch ------------------------------------------------- */

static struct seat_message expect_ask(uint32_t verb)
{
	struct seat_message message;

	do {
		if (!init_takes(&message))
			fail_msg("no ask, but %u was expected", verb);
	} while (message.kind != SEAT_ASK);
	assert_int_equal(message.verb, verb);
	return message;
}

static void tell(const struct seat_message *ask, unsigned slot,
		 const char *name, const char *text)
{
	struct seat_message message = { .kind = SEAT_TOLD, .slot = slot };

	message.tag = ask->tag;
	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	init_puts(&message);
}

static void attach(unsigned slot)
{
	struct switch_channel *channel = &net_channel[slot - FIRST];

	memset(channel, 0, sizeof(*channel));
	net_attached |= NET_BIT(slot);
	ring_init(&sent, &channel->sent, channel->sent_data, SWITCH_SENT_SIZE,
		  false, false);
	ring_init(&received, &channel->received, channel->received_data,
		  SWITCH_RECEIVED_SIZE, true, false);
}

/* Client's id 5 has a port in the first slot. */
static void opens(const char *verb, uint32_t ask)
{
	struct seat_message message;

	net_time_ns = 77;
	say("{\"id\":5,\"verb\":\"%s\",\"network\":\"lan0\"}", verb);
	message = expect_ask(ask);
	assert_string_equal(message.name, "lan0");
	expect_nothing();
	attach(FIRST);
	tell(&message, FIRST, "lan0", "");
	expect("{\"id\":5,\"ok\":true,\"network\":\"lan0\",\"time\":77}");
}

static bool switch_puts(const void *record, uint32_t length)
{
	bool bell = false;
	long n = ring_put(&received, record, length, &bell);

	return n > 0;
}

static void switch_sends(uint8_t byte)
{
	uint8_t frame[LEN];

	memset(frame, byte, sizeof(frame));
	assert_true(switch_puts(frame, sizeof(frame)));
	wake();
}

static void expect_frame(uint8_t byte, uint64_t time_ns, uint32_t lost)
{
	uint32_t length, its_lost;
	uint64_t its_ns;
	const uint8_t *at = expect_binary(5, REMOTE_NETWORK, &length);

	assert_int_equal(length, 16 + LEN);
	memcpy(&its_ns, at, 8);
	memcpy(&its_lost, at + 8, 4);
	assert_int_equal(its_ns, time_ns);
	assert_int_equal(its_lost, lost);
	for (unsigned i = 0; i < LEN; i++)
		assert_int_equal(at[16 + i], byte);
}

static long switch_takes(uint8_t *frame)
{
	bool bell = false;

	return ring_get(&sent, frame, NET_FRAME_MAX, &bell);
}

/* init hears that the first slot is free. */
static void expect_left(void)
{
	struct seat_message message = expect_ask(SEAT_LEAVE);

	assert_int_equal(message.slot, FIRST);
	assert_int_equal(net_attached, 0);
	tell(&message, FIRST, "", "");
}

static int setup_network(void **state)
{
	struct seat_message message;

	net_attached = net_bells = 0;
	(void)setup_remote(state);
	while (init_takes(&message))
		;
	return 0;
}

/* ---- As it should be ----------------------------------------------------- */

static void test_join(void **state)
{
	uint8_t frame[LEN], got[NET_FRAME_MAX];

	(void)state;
	opens("join", SEAT_JOIN);
	net_time_ns = 99;
	switch_sends('a');
	switch_sends('b');
	expect_frame('a', 99, 0);
	expect_frame('b', 99, 0);
	expect_nothing();
	memset(frame, 'c', sizeof(frame));
	assert_true(ring_sleep(&sent));
	net_bells = 0;
	client_types(5, REMOTE_NETWORK, frame, LEN);
	assert_int_equal(net_bells, NET_BIT(FIRST));
	assert_int_equal(switch_takes(got), LEN);
	assert_memory_equal(got, frame, LEN);
	say("{\"id\":6,\"verb\":\"close\",\"of\":5}");
	expect_ok(6);
	expect_left();
	/* And what it still sends goes nowhere. */
	client_types(5, REMOTE_NETWORK, frame, LEN);
	expect_nothing();
	opens("join", SEAT_JOIN);
}

static void test_capture(void **state)
{
	struct {
		struct switch_copy copy;
		uint8_t frame[LEN];
	} record = { .copy = { .time_ns = 123456789012 } };
	uint8_t got[NET_FRAME_MAX];

	(void)state;
	opens("capture", SEAT_CAPTURE);
	memset(record.frame, 'm', LEN);
	net_channel[0].dropped = 3;
	assert_true(switch_puts(&record, sizeof(record)));
	wake();
	expect_frame('m', 123456789012, 3);
	/* It sends nothing. */
	client_types(5, REMOTE_NETWORK, record.frame, LEN);
	assert_int_equal(switch_takes(got), 0);
	expect_nothing();
}

static void test_vlan(void **state)
{
	(void)state;
	say("{\"id\":5,\"verb\":\"join\",\"vlan\":7}");
	assert_int_equal(expect_ask(SEAT_JOIN).vlan, 7);
	say("{\"id\":6,\"verb\":\"join\",\"vlan\":4095}");
	expect_error(6, "bad request", "vlan");
}

static void test_rights(void **state)
{
	(void)state;
	init_allows(SEAT_RIGHT_STEER);
	say("{\"id\":5,\"verb\":\"join\"}");
	expect_error(5, "not allowed", "join");
	say("{\"id\":5,\"verb\":\"capture\"}");
	expect_error(5, "not allowed", "capture");
}

static void test_refused(void **state)
{
	struct seat_message message;

	(void)state;
	say("{\"id\":5,\"verb\":\"join\",\"network\":\"lna0\"}");
	message = expect_ask(SEAT_JOIN);
	tell(&message, 0, "lna0", "is no network: there are lan0");
	expect("{\"id\":5,\"ok\":false,\"error\":\"refused\",\"what\":"
	       "\"lna0\",\"hint\":\"is no network: there are lan0\"}");
	/* init speaks of a slot that nothing is in, or of a console's. */
	for (unsigned slot = 1; slot <= FIRST; slot += FIRST - 1) {
		say("{\"id\":5,\"verb\":\"join\"}");
		message = expect_ask(SEAT_JOIN);
		tell(&message, slot, "lan0", "");
		expect_error(5, "refused", "lan0");
	}
	opens("join", SEAT_JOIN);
}

/* There are so many, and answers that were lost are asked for again. */
static void test_many(void **state)
{
	struct seat_message message[SEAT_PORTS];

	(void)state;
	for (unsigned i = 0; i < SEAT_PORTS; i++) {
		say("{\"id\":%u,\"verb\":\"join\"}", 10 + i);
		say("{\"id\":%u,\"verb\":\"join\"}", 10 + i);
		message[i] = expect_ask(SEAT_JOIN);
		assert_false(init_takes(&message[i]));
	}
	say("{\"id\":20,\"verb\":\"join\"}");
	expect_error(20, "busy", "join");
}

/* ---- Who goes, and who does not read ------------------------------------- */

static void test_client_goes(void **state)
{
	struct seat_message message;

	(void)state;
	opens("join", SEAT_JOIN);
	hello();
	client.from_done = client.from_length;
	expect_left();
	/* Before init has answered. */
	say("{\"id\":5,\"verb\":\"join\"}");
	message = expect_ask(SEAT_JOIN);
	hello();
	client.from_done = client.from_length;
	attach(FIRST);
	tell(&message, FIRST, "lan0", "");
	expect_nothing();
	expect_left();
}

static void test_slow_client(void **state)
{
	unsigned put = 0, heard = 0;
	uint8_t frame[LEN] = { 0 }, kind;
	uint32_t length;

	(void)state;
	opens("join", SEAT_JOIN);
	client.is_asleep = true;
	/* Until nothing moves: the ring is full, and the link has no more than
	 * it is to have. */
	while (switch_puts(frame, LEN)) {
		put++;
		wake();
		assert_true(put < 10000);
	}
	assert_in_range(link_queued(&remote.link), 1,
			REMOTE_TAP_QUEUE + REMOTE_FRAME(24 + LEN));
	client.is_asleep = false;
	wake();
	while (client_hears(&kind, &length))
		heard++;
	assert_int_equal(heard, put);
}

static void test_switch_is_slow(void **state)
{
	uint8_t frame[1500] = { 1 }, got[NET_FRAME_MAX];
	unsigned count = SWITCH_SENT_SIZE / (sizeof(frame) + 4);

	(void)state;
	opens("join", SEAT_JOIN);
	for (unsigned i = 0; i < count; i++)
		client_types(5, REMOTE_NETWORK, frame, sizeof(frame));
	expect_nothing();
	/* One more waits, and goes when there is room. */
	client_types(5, REMOTE_NETWORK, frame, sizeof(frame));
	say("{\"id\":6,\"verb\":\"close\",\"of\":99}");
	expect_nothing();
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(switch_takes(got), sizeof(frame));
	wake();
	expect_ok(6);
	assert_int_equal(switch_takes(got), sizeof(frame));
	/* A switch that is dead keeps nobody waiting, but once. */
	for (unsigned i = 0; i <= count; i++)
		client_types(5, REMOTE_NETWORK, frame, sizeof(frame));
	pass(REMOTE_SEND_NS);
	expect("{\"id\":5,\"event\":\"untaken\",\"bytes\":1500}");
	client_types(5, REMOTE_NETWORK, frame, sizeof(frame));
	expect("{\"id\":5,\"event\":\"untaken\",\"bytes\":1500}");
	say("{\"id\":7,\"verb\":\"close\",\"of\":99}");
	expect_ok(7);
}

static void test_switch_lies(void **state)
{
	(void)state;
	opens("join", SEAT_JOIN);
	net_channel[0].received.produced += SWITCH_RECEIVED_SIZE + 1;
	wake();
	expect("{\"id\":5,\"event\":\"gone\"}");
	expect_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_join, setup_network),
		cmocka_unit_test_setup(test_capture, setup_network),
		cmocka_unit_test_setup(test_vlan, setup_network),
		cmocka_unit_test_setup(test_rights, setup_network),
		cmocka_unit_test_setup(test_refused, setup_network),
		cmocka_unit_test_setup(test_many, setup_network),
		cmocka_unit_test_setup(test_client_goes, setup_network),
		cmocka_unit_test_setup(test_slow_client, setup_network),
		cmocka_unit_test_setup(test_switch_is_slow, setup_network),
		cmocka_unit_test_setup(test_switch_lies, setup_network),
	};

	return cmocka_run_group_tests_name("seat_network", tests, NULL, NULL);
}
