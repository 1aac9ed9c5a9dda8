/* SPDX-License-Identifier: BSD-2-Clause */
/* A card's cable: plugged in when there is a switch, full, without a switch,
 * and with one that lies. */
#include "tests/unit/device_test.h"

#include "include/gate.h"
#include "machine/net_service.h"

#define LEN 100U

static struct {
	struct net_cable cable;
	union {
		struct switch_channel channel;
		struct switch_wide_channel wide;
	};
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

static void start_with(long state, uint8_t model)
{
	const struct machine_nic_config config = {
		.model = model, .mac = { 2, 3, 4, 5, 6, 7 }
	};
	const struct net_device device = { received, writable, link_changed,
					   &t };

	memset(&t, 0, sizeof(t));
	t.state = state;
	net_cable_init(&t.cable, SWITCH_CLIENT_SLOT, &config);
	assert_memory_equal(t.cable.backend.mac, config.mac, 6);
	switch_rings_init(&t.channel, t.cable.is_wide, true, &t.in, &t.out);
	t.cable.backend.attach(t.cable.backend.ctx, &device);
}

static void start(long state)
{
	start_with(state, MACHINE_NIC_E1000);
	assert_null(t.cable.backend.send_packet);
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

/* ---- Packets ------------------------------------------------------------- */

static struct switch_packet packet;
static const struct net_offload whole = { NET_UNDONE_SUM | NET_UNDONE_TCP4,
					  1448, 34, 16 };

static void packet_fill(uint32_t seed)
{
	packet.offload = whole;
	for (unsigned i = 0; i < sizeof(packet.frame); i++)
		packet.frame[i] = (uint8_t)(i * 7 + seed);
}

static void packet_arrives(uint32_t length)
{
	bool bell = false;

	assert_int_equal(ring_put(&t.out, &packet,
				  sizeof(packet.offload) + length, &bell),
			 sizeof(packet.offload) + length);
}

static void packet_comes(uint32_t length)
{
	uint32_t got;
	const uint8_t *frame = receive(&got);

	assert_non_null(frame);
	assert_int_equal(got, length);
	assert_memory_equal(frame, packet.frame, length);
	assert_memory_equal(t.cable.backend.offload, &packet.offload,
			    sizeof(packet.offload));
	t.cable.backend.release(t.cable.backend.ctx);
}

static void test_packet_sent(void **state)
{
	static struct switch_packet got;
	struct net_segment pieces[NET_PIECES_MAX];
	struct net_backend *net = &t.cable.backend;
	bool bell = false;

	(void)state;
	start_with(GATE_CHANNEL_OPEN, MACHINE_NIC_VIRTIO);
	packet_fill(1);
	for (unsigned i = 0; i < NET_PIECES_MAX; i++)
		pieces[i] =
			(struct net_segment){ packet.frame + i * 2900, 2900 };
	assert_true(net->send_packet(net->ctx, &whole, pieces, NET_PIECES_MAX));
	/* No second one before the first has gone. */
	assert_false(
		net->send_packet(net->ctx, &whole, pieces, NET_PIECES_MAX));
	assert_int_equal(ring_get(&t.in, &got, sizeof(got), &bell),
			 sizeof(whole) + NET_PIECES_MAX * 2900);
	assert_memory_equal(&got, &packet,
			    sizeof(whole) + NET_PIECES_MAX * 2900);
	assert_true(bell);
	/* A frame is a packet of which nothing is left undone. */
	assert_true(send(LEN));
	assert_int_equal(ring_get(&t.in, &got, sizeof(got), &bell),
			 sizeof(whole) + LEN);
	assert_int_equal(got.offload.undone, 0);
	net->accept(net->ctx, NET_UNDONE_ALL);
	assert_int_equal(t.channel.accepts, NET_UNDONE_ALL);
}

/* Wherever in the ring they lie, also around its end. */
static void test_packets_received(void **state)
{
	(void)state;
	start_with(GATE_CHANNEL_OPEN, MACHINE_NIC_VIRTIO);
	for (unsigned i = 0; i < 20; i++) {
		packet_fill(i);
		packet_arrives(NET_PACKET_MAX - i);
		packet_comes(NET_PACKET_MAX - i);
	}
}

/* What a device holds stays until it lets go, and goes with what has come
 * while the cable was out. */
static void test_packet_held(void **state)
{
	const struct net_backend *net = &t.cable.backend;
	const uint8_t *frame;
	uint32_t length;

	(void)state;
	start_with(GATE_CHANNEL_OPEN, MACHINE_NIC_VIRTIO);
	packet_fill(3);
	packet_arrives(LEN);
	frame = receive(&length);
	assert_memory_equal(frame, packet.frame, LEN);
	net_cable_plug(&t.cable, false);
	packet_arrives(LEN + 1);
	net_cable_event(&t.cable);
	assert_int_equal(t.channel.received.consumed, 0);
	assert_memory_equal(frame, packet.frame, LEN);
	net_cable_plug(&t.cable, true);
	net->release(net->ctx);
	assert_null(receive(&length));
	assert_int_equal(t.channel.received.consumed,
			 t.channel.received.produced);
	packet_fill(4);
	packet_arrives(LEN + 2);
	packet_comes(LEN + 2);
}

/* A record that is too short for what stands before a packet. */
static void test_packet_lies(void **state)
{
	uint32_t length;
	bool bell = false;

	(void)state;
	start_with(GATE_CHANNEL_OPEN, MACHINE_NIC_VIRTIO);
	assert_int_equal(ring_put(&t.out, &whole, sizeof(whole), &bell),
			 sizeof(whole));
	assert_null(receive(&length));
	assert_int_equal(t.logged, 1);
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
		cmocka_unit_test(test_packet_sent),
		cmocka_unit_test(test_packets_received),
		cmocka_unit_test(test_packet_held),
		cmocka_unit_test(test_packet_lies),
	};

	return cmocka_run_group_tests_name("net_cable", tests, NULL, NULL);
}
