/* SPDX-License-Identifier: BSD-2-Clause */
/* A card's cable: plugged in when there is a switch, full, without a switch,
 * and with one that lies. */
#include "tests/unit/device_test.h"

#include "include/gate.h"
#include "machine/net_service.h"

#define LEN 100U

static struct {
	struct net_cable cable;
	struct switch_channel channel;
	struct ring in, out; /* the switch's ends */
	long state;
	unsigned bells, logged;
	/* What the device was told. */
	unsigned received, writable, ups, downs;
	struct net_device device;
} t;

void *gate_channel(unsigned slot);
long gate_channel_state(unsigned slot);
long gate_doorbell(unsigned slot);
void gate_log(unsigned level, const char *format, ...) __printf(2, 3);

void *gate_channel(unsigned slot)
{
	assert_int_equal(slot, SWITCH_CLIENT_SLOT);
	return &t.channel;
}

long gate_channel_state(unsigned slot)
{
	assert_int_equal(slot, SWITCH_CLIENT_SLOT);
	return t.state;
}

long gate_doorbell(unsigned slot)
{
	assert_int_equal(slot, SWITCH_CLIENT_SLOT);
	t.bells++;
	return 0;
}

void gate_log(unsigned level, const char *format, ...)
{
	(void)level;
	(void)format;
	t.logged++;
}

static void received(void *dev)
{
	assert_ptr_equal(dev, &t);
	t.received++;
}

static void writable(void *dev)
{
	assert_ptr_equal(dev, &t);
	t.writable++;
}

static void link_changed(void *dev, bool is_up)
{
	assert_ptr_equal(dev, &t);
	if (is_up)
		t.ups++;
	else
		t.downs++;
}

static void start(long state)
{
	const struct machine_nic_config config = { .mac = { 2, 3, 4, 5, 6,
							    7 } };
	const struct net_device device = { received, writable, link_changed,
					   &t };

	memset(&t, 0, sizeof(t));
	t.state = state;
	net_cable_init(&t.cable, SWITCH_CLIENT_SLOT, &config);
	assert_memory_equal(t.cable.backend.mac, config.mac, 6);
	ring_init(&t.in, &t.channel.sent, t.channel.sent_data, SWITCH_SENT_SIZE,
		  false, true);
	ring_init(&t.out, &t.channel.received, t.channel.received_data,
		  SWITCH_RECEIVED_SIZE, true, true);
	t.cable.backend.attach(t.cable.backend.ctx, &device);
}

static bool send(uint32_t length)
{
	static uint8_t bytes[NET_FRAME_MAX];
	const struct net_segment segments[] = { { bytes, 12 },
						{ bytes, length - 12 } };

	memset(bytes, 0x5a, sizeof(bytes));
	return t.cable.backend.send(t.cable.backend.ctx, segments, 2);
}

static const uint8_t *receive(uint32_t *length)
{
	return t.cable.backend.receive(t.cable.backend.ctx, length);
}

static void test_plugged_in(void **state)
{
	(void)state;
	start(GATE_CHANNEL_OPEN);
	assert_true(t.cable.backend.is_link_up);
	/* The switch comes later. */
	start(GATE_CHANNEL_ALONE);
	assert_false(t.cable.backend.is_link_up);
	assert_true(send(LEN)); /* lost */
	assert_int_equal(t.channel.sent.produced, 0);
	net_cable_event(&t.cable);
	assert_int_equal(t.ups, 0);
	t.state = GATE_CHANNEL_OPEN;
	net_cable_event(&t.cable);
	net_cable_event(&t.cable);
	assert_int_equal(t.ups, 1);
	assert_true(send(LEN));
	assert_true(t.channel.sent.produced > LEN);
	/* It goes, and the next one comes: the link stays up. */
	t.state = GATE_CHANNEL_ALONE;
	net_cable_event(&t.cable);
	t.state = GATE_CHANNEL_OPEN;
	net_cable_event(&t.cable);
	assert_int_equal(t.ups, 1);
	assert_int_equal(t.downs, 0);
}

static void test_frames(void **state)
{
	uint8_t frame[NET_FRAME_MAX];
	uint32_t length;
	bool bell = false;

	(void)state;
	start(GATE_CHANNEL_OPEN);
	assert_true(ring_sleep(&t.in));
	assert_true(send(LEN));
	assert_true(send(LEN));
	assert_int_equal(t.bells, 1); /* for both */
	assert_int_equal(ring_get(&t.in, frame, sizeof(frame), &bell), LEN);
	assert_int_equal(frame[LEN - 1], 0x5a);
	assert_null(receive(&length));
	memset(frame, 0x33, LEN);
	assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
	assert_true(bell); /* the card sleeps */
	net_cable_event(&t.cable);
	assert_int_equal(t.received, 1);
	assert_memory_equal(receive(&length), frame, LEN);
	assert_int_equal(length, LEN);
	t.cable.backend.release(t.cable.backend.ctx);
	assert_null(receive(&length));
}

static void test_full(void **state)
{
	uint8_t frame[NET_FRAME_MAX];
	unsigned sent = 0;
	bool bell = false;

	(void)state;
	start(GATE_CHANNEL_OPEN);
	while (send(1514))
		assert_true(++sent < 100);
	assert_int_equal(sent, SWITCH_SENT_SIZE / 1518);
	while (ring_get(&t.in, frame, sizeof(frame), &bell) > 0)
		;
	assert_true(bell); /* it waits for room */
	net_cable_event(&t.cable);
	assert_int_equal(t.writable, 1);
	assert_true(send(1514));
	net_cable_event(&t.cable);
	assert_int_equal(t.writable, 1);
	/* Without a switch nothing waits: it is lost. */
	while (send(1514))
		;
	t.state = GATE_CHANNEL_ALONE;
	assert_true(send(1514));
	assert_true(send(1514));
}

/* By an operator; what is sent while it is out is lost. */
static void test_pulled(void **state)
{
	uint8_t frame[LEN];
	uint32_t length, sent;
	bool bell = false;

	(void)state;
	start(GATE_CHANNEL_OPEN);
	net_cable_plug(&t.cable, true); /* it is */
	assert_int_equal(t.ups + t.downs + t.received, 0);
	memset(frame, 1, sizeof(frame));
	assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
	net_cable_plug(&t.cable, false);
	net_cable_plug(&t.cable, false);
	assert_int_equal(t.downs, 1);
	assert_null(receive(&length));
	sent = t.channel.sent.produced;
	assert_true(send(LEN));
	assert_int_equal(t.channel.sent.produced, sent);
	/* As much as comes: nothing stays, and the switch is to ring. */
	for (unsigned i = 0; i < 2 * SWITCH_RECEIVED_SIZE / LEN; i++) {
		bell = false;
		assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
		assert_true(bell);
		net_cable_event(&t.cable);
	}
	assert_int_equal(t.received, 0);
	/* The last of them has no event of its own. */
	assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
	net_cable_plug(&t.cable, true);
	assert_int_equal(t.ups, 1);
	assert_int_equal(t.received, 1);
	assert_null(receive(&length));
	memset(frame, 2, sizeof(frame));
	assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
	assert_memory_equal(receive(&length), frame, LEN);
	assert_int_equal(t.logged, 0);
}

/* A frame that the device holds stays as it was. */
static void test_pulled_with_a_frame(void **state)
{
	uint8_t frame[LEN];
	const uint8_t *held;
	uint32_t length;
	bool bell = false;

	(void)state;
	start(GATE_CHANNEL_OPEN);
	memset(frame, 1, sizeof(frame));
	assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
	held = receive(&length);
	assert_non_null(held);
	net_cable_plug(&t.cable, false);
	memset(frame, 2, sizeof(frame));
	assert_int_equal(ring_put(&t.out, frame, LEN, &bell), LEN);
	net_cable_event(&t.cable);
	memset(frame, 1, sizeof(frame));
	assert_memory_equal(held, frame, LEN);
}

/* Who was refused is told to go on, and its frames are lost. */
static void test_pulled_while_full(void **state)
{
	(void)state;
	start(GATE_CHANNEL_OPEN);
	while (send(1514))
		;
	net_cable_plug(&t.cable, false);
	assert_int_equal(t.writable, 1);
	assert_true(send(1514));
}

/* A switch that is there first while the cable is out. */
static void test_pulled_before(void **state)
{
	(void)state;
	start(GATE_CHANNEL_ALONE);
	net_cable_plug(&t.cable, false);
	assert_int_equal(t.downs, 0);
	t.state = GATE_CHANNEL_OPEN;
	net_cable_event(&t.cable);
	assert_int_equal(t.ups, 0);
	net_cable_plug(&t.cable, true);
	assert_int_equal(t.ups, 1);
	/* Nothing is attached, or no longer. */
	t.cable.backend.attach(t.cable.backend.ctx, NULL);
	net_cable_plug(&t.cable, false);
	net_cable_plug(&t.cable, true);
	assert_int_equal(t.downs, 0);
}

static void test_lies(void **state)
{
	uint32_t length;

	(void)state;
	start(GATE_CHANNEL_OPEN);
	t.channel.received.produced = SWITCH_RECEIVED_SIZE + 1;
	assert_null(receive(&length));
	assert_null(receive(&length));
	assert_int_equal(t.logged, 1);
	assert_true(send(LEN));
	start(GATE_CHANNEL_OPEN);
	t.channel.received.produced = SWITCH_RECEIVED_SIZE + 1;
	net_cable_plug(&t.cable, false);
	net_cable_plug(&t.cable, true);
	assert_int_equal(t.logged, 1);
	start(GATE_CHANNEL_OPEN);
	t.channel.sent.consumed = 5;
	assert_true(send(LEN));
	assert_true(send(LEN));
	assert_int_equal(t.logged, 1);
	/* Longer than a frame can be. */
	start(GATE_CHANNEL_OPEN);
	{
		static const uint8_t frame[NET_FRAME_MAX + 1];
		bool bell = false;

		assert_int_equal(ring_put(&t.out, frame, sizeof(frame), &bell),
				 sizeof(frame));
	}
	assert_null(receive(&length));
	assert_int_equal(t.logged, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugged_in),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_pulled),
		cmocka_unit_test(test_pulled_with_a_frame),
		cmocka_unit_test(test_pulled_while_full),
		cmocka_unit_test(test_pulled_before),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests_name("net_cable", tests, NULL, NULL);
}
