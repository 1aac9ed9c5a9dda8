/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch: packets of which something is left undone, to those that accept
 * them and to all others. */
#include "tests/unit/switch_test.h"

#define SENDER	1
#define TAKER	2 /* accepts all */
#define NARROW	3
#define REFUSER 4 /* wide, and accepts nothing */
#define MIRROR	5
#define MSS	1448U
#define TCP	34U /* where TCP's header is */
#define HEADERS 54U
#define LENGTH	20000U

static struct switch_packet packet, got;

static void start_all(uint32_t vlan)
{
	start();
	plug_with(SWITCH_WIDE, SENDER, "lan0", vlan, 0);
	plug_with(SWITCH_WIDE, TAKER, "lan0", 0, 0);
	plug(NARROW, "lan0", 0, 0);
	plug_with(SWITCH_WIDE, REFUSER, "lan0", 0, 0);
	plug_with(SWITCH_MIRROR, MIRROR, "lan0", 0, 0);
	t.channel[TAKER].narrow.accepts = NET_UNDONE_ALL;
}

/* An IPv4 TCP packet to all, as Linux leaves it to its card. */
static void packet_make(uint32_t length)
{
	uint8_t *frame = packet.frame;

	memset(&packet, 0, sizeof(packet));
	mac_put(frame, 0xff);
	mac_put(frame + 6, 11);
	net_put16(frame + 12, NET_TYPE_IPV4);
	frame[14] = 0x45;
	net_put16(frame + 16, length - 14);
	net_put16(frame + 18, 0x1000);
	frame[22] = 64;
	frame[23] = NET_PROTOCOL_TCP;
	frame[26] = frame[30] = 10;
	frame[TCP + 12] = 0x50;
	frame[TCP + 13] = 0x18;
	for (uint32_t i = HEADERS; i < length; i++)
		frame[i] = (uint8_t)(i * 13 + 5);
	packet.offload = (struct net_offload){
		.undone = NET_UNDONE_SUM | NET_UNDONE_TCP4,
		.mss = MSS,
		.sum_start = TCP,
		.sum_offset = 16,
	};
}

static void packet_send(uint32_t length)
{
	put(SENDER, (const uint8_t *)&packet, sizeof(packet.offload) + length);
	run();
}

/* What a wide port has got: in got, its length; 0: nothing. */
static uint32_t wide_read(unsigned slot)
{
	bool bell = false;
	long n = ring_get(&t.from[slot], &got, sizeof(got), &bell);

	assert_true(!n || n > (long)sizeof(got.offload));
	return n ? (uint32_t)n - (uint32_t)sizeof(got.offload) : 0;
}

static bool sums_are_good(const uint8_t *frame, uint32_t length)
{
	uint8_t header[NET_HEADERS_MAX] = { 0 };
	struct net_packet parsed;

	memcpy(header, frame, MIN(length, NET_HEADERS_MAX));
	return net_packet_parse(header, length, NET_TYPE_VLAN, &parsed) &&
	       net_ip_is_good(header, &parsed) &&
	       net_transport_is_good(header, frame, &parsed);
}

/* Frames, one after the other, are all of the packet's payload. */
struct pieces {
	uint32_t at, frames;
};

static void piece_check(struct pieces *pieces, const uint8_t *frame,
			uint32_t length, uint32_t tag)
{
	uint32_t head = HEADERS + tag;
	uint32_t n = MIN(MSS, LENGTH - HEADERS - pieces->at);

	assert_int_equal(length, head + n);
	assert_true(sums_are_good(frame, length));
	assert_memory_equal(frame + head, packet.frame + HEADERS + pieces->at,
			    n);
	assert_int_equal(net_get16(frame + TCP + tag + 6), pieces->at);
	assert_int_equal(net_get16(frame + tag + 18), 0x1000 + pieces->frames);
	pieces->at += n;
	pieces->frames++;
}

static void pieces_all(const struct pieces *pieces)
{
	assert_int_equal(pieces->at, LENGTH - HEADERS);
	assert_int_equal(pieces->frames, 14);
}

static void narrow_check(uint32_t tag)
{
	struct pieces pieces = { 0 };
	uint8_t frame[NET_FRAME_MAX];
	bool bell = false;
	long n;

	while ((n = ring_get(&t.from[NARROW], frame, sizeof(frame), &bell)))
		piece_check(&pieces, frame, (uint32_t)n, tag);
	pieces_all(&pieces);
}

static void refuser_check(void)
{
	struct pieces pieces = { 0 };
	uint32_t length;

	while ((length = wide_read(REFUSER))) {
		assert_int_equal(got.offload.undone, 0);
		piece_check(&pieces, got.frame, length, 0);
	}
	pieces_all(&pieces);
}

static void mirror_check(void)
{
	struct {
		struct switch_copy copy;
		uint8_t frame[NET_FRAME_MAX];
	} record;
	struct pieces pieces = { 0 };
	bool bell = false;
	long n;

	while ((n = ring_get(&t.from[MIRROR], &record, sizeof(record), &bell)))
		piece_check(&pieces, record.frame,
			    (uint32_t)n - (uint32_t)sizeof(record.copy), 0);
	pieces_all(&pieces);
}

/* ---- Long packets -------------------------------------------------------- */

/* Whole to who accepts it, in frames to all others, none of them twice. */
static void test_packet(void **state)
{
	(void)state;
	start_all(0);
	packet_make(LENGTH);
	packet_send(LENGTH);
	assert_int_equal(wide_read(TAKER), LENGTH);
	assert_memory_equal(&got, &packet, sizeof(got.offload) + LENGTH);
	assert_int_equal(wide_read(TAKER), 0);
	narrow_check(0);
	refuser_check();
	mirror_check();
	assert_int_equal(unplug(SENDER).sent, 1);
	assert_int_equal(unplug(TAKER).received, 1);
	assert_int_equal(unplug(NARROW).received, 14);
}

/* The longest one, and one that a ring has no room for any more. */
static void test_longest(void **state)
{
	(void)state;
	start_all(0);
	packet_make(NET_PACKET_MAX);
	for (unsigned i = 0; i < 3; i++)
		packet_send(NET_PACKET_MAX);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(wide_read(TAKER), NET_PACKET_MAX);
		assert_memory_equal(&got, &packet, sizeof(got));
	}
	assert_int_equal(wide_read(TAKER), 0);
	assert_int_equal(unplug(TAKER).dropped, 1);
}

/* An access port's gets the tag of its VLAN on the way to a trunk. */
static void test_tag(void **state)
{
	(void)state;
	start_all(7);
	packet_make(LENGTH);
	packet_send(LENGTH);
	assert_int_equal(wide_read(TAKER), LENGTH + NET_VLAN_TAG);
	assert_int_equal(got.offload.undone, packet.offload.undone);
	assert_int_equal(got.offload.sum_start, TCP + NET_VLAN_TAG);
	assert_int_equal(net_get16(got.frame + 12), NET_TYPE_VLAN);
	assert_int_equal(net_get16(got.frame + 14), 7);
	assert_memory_equal(got.frame + 16, packet.frame + 12, LENGTH - 12);
	narrow_check(NET_VLAN_TAG);
	/* With its tag it would be longer than any. */
	packet_make(NET_PACKET_MAX);
	packet_send(NET_PACKET_MAX);
	assert_int_equal(wide_read(TAKER), 0);
	assert_int_equal(unplug(TAKER).dropped, 1);
}

/* Of one that accepts some, what it does not. */
static void test_accepts_some(void **state)
{
	(void)state;
	start_all(0);
	t.channel[REFUSER].narrow.accepts = NET_UNDONE_SUM | NET_UNDONE_TCP6;
	packet_make(LENGTH);
	packet_send(LENGTH);
	refuser_check();
	narrow_check(0);
	/* A narrow port has no say. */
	t.channel[REFUSER].narrow.accepts = ~0U;
	t.channel[NARROW].narrow.accepts = ~0U;
	packet_send(LENGTH);
	assert_int_equal(wide_read(REFUSER), LENGTH);
	narrow_check(0);
}

/* ---- Sums ---------------------------------------------------------------- */

static void test_sum(void **state)
{
	const uint32_t length = 1001;
	uint8_t frame[NET_FRAME_MAX];
	bool bell = false;

	(void)state;
	start_all(0);
	packet_make(length);
	net_sum_put(packet.frame, length, 14, TCP, 24, false);
	net_put16(packet.frame + TCP + 16,
		  net_sum_fold(net_sum_bytes(packet.frame + 26, 8,
					     NET_PROTOCOL_TCP + length - TCP)));
	packet.offload.undone = NET_UNDONE_SUM;
	packet_send(length);
	assert_int_equal(wide_read(TAKER), length);
	assert_memory_equal(&got, &packet, sizeof(got.offload) + length);
	assert_int_equal(wide_read(REFUSER), length);
	assert_int_equal(got.offload.undone, 0);
	assert_true(sums_are_good(got.frame, length));
	assert_int_equal(ring_get(&t.from[NARROW], frame, sizeof(frame), &bell),
			 length);
	assert_memory_equal(frame, got.frame, length);
}

/* From a narrow port to wide ones, and back. */
static void test_plain(void **state)
{
	(void)state;
	start_all(0);
	send(NARROW, 0xff, 13);
	assert_int_equal(wide_read(TAKER), LEN);
	assert_int_equal(got.offload.undone, 0);
	assert_int_equal(got.frame[LEN - 1], 0x77);
	memset(&packet, 0, sizeof(packet));
	mac_put(packet.frame, 13);
	mac_put(packet.frame + 6, 11);
	packet_send(LEN);
	assert_int_equal(length_read(NARROW), LEN);
}

/* ---- Lies ---------------------------------------------------------------- */

static void test_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		uint32_t length = LENGTH;

		start_all(0);
		packet_make(LENGTH);
		if (i == 0)
			packet.offload.undone = NET_UNDONE_TCP4;
		else if (i == 1)
			packet.offload.undone |= NET_UNDONE_TCP6;
		else if (i == 2)
			packet.offload.undone |= 0x8000;
		else if (i == 3)
			packet.offload.mss = 0;
		else if (i == 4)
			packet.offload.mss = 100; /* too many frames */
		else if (i == 5)
			packet.offload.mss = NET_FRAME_MAX; /* too long ones */
		else if (i == 6)
			packet.offload.sum_start = 0xfff0;
		else if (i == 7)
			packet.offload.sum_offset = 0xffff;
		else if (i == 8)
			packet.offload.undone = 0; /* too long a frame */
		else if (i == 9)
			packet.offload.undone = NET_UNDONE_SUM;
		else if (i == 10)
			packet.frame[TCP + 12] = 0x40;
		else
			length = HEADERS; /* shorter than a frame */
		packet_send(length);
		assert_int_equal(wide_read(TAKER), 0);
		assert_int_equal(who(0), 0);
		assert_int_equal(unplug(SENDER).refused, 1);
		assert_int_equal(t.lines, 0);
	}
}

/* A sum that would change, once it is there, by what the frame was let in:
 * whose it is, for whom, and that it has no tag. */
static void test_sum_in_head(void **state)
{
	(void)state;
	for (uint16_t at = 0; at < 14; at++) {
		start_all(7);
		packet_make(LEN);
		packet.offload = (struct net_offload){
			.undone = NET_UNDONE_SUM,
			.sum_offset = at,
		};
		packet_send(LEN);
		assert_int_equal(wide_read(TAKER), 0);
		assert_int_equal(who(0), 0);
		assert_int_equal(unplug(SENDER).refused, 1);
	}
}

/* A record that has no room for what stands before a packet. */
static void test_short_record(void **state)
{
	(void)state;
	start_all(0);
	packet_make(LENGTH);
	put(SENDER, (const uint8_t *)&packet, sizeof(packet.offload));
	run();
	assert_int_equal(t.core.port[SENDER].state, PORT_BROKEN);
	assert_int_equal(t.lines, 1);
}

/* What a packet is cut into is of its port's turn. */
static void test_turns(void **state)
{
	(void)state;
	start_all(0);
	packet_make(LENGTH);
	for (unsigned i = 0; i < 3; i++)
		put(SENDER, (const uint8_t *)&packet,
		    sizeof(packet.offload) + LENGTH);
	for (unsigned i = 0; i < 3; i++)
		send_tagged(NARROW, 0xff, 13, -1);
	/* Two packets are 28 frames: the other port comes before the third. */
	assert_int_equal(wide_read(TAKER), LENGTH);
	assert_int_equal(wide_read(TAKER), LENGTH);
	assert_int_equal(wide_read(TAKER), LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_accepts_some),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sum_in_head),
		cmocka_unit_test(test_short_record),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests_name("switch_packets", tests, NULL, NULL);
}
