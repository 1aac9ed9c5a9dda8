/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's network card on a network that carries packets whole: what is sent
 * with something left undone, and received. */
#include "tests/unit/virtio_net_test.h"

#define PACKET 60000U /* bytes, of the longest one here */

/* The network's end of packets. */
static struct {
	struct net_offload sent, arriving;
	uint8_t bytes[NET_PACKET_MAX];
	uint32_t length;
	unsigned packets, accepted;
	bool is_full;
} net;

static bool send_packet(void *ctx, const struct net_offload *offload,
			const struct net_segment *segment, unsigned count)
{
	(void)ctx;
	assert_true(count && count <= NET_PIECES_MAX);
	if (net.is_full)
		return false;
	net.sent = *offload;
	net.length = 0;
	net.packets++;
	for (; count--; segment++) {
		assert_true(net.length + segment->length <= NET_PACKET_MAX);
		memcpy(net.bytes + net.length, segment->host, segment->length);
		net.length += segment->length;
	}
	return true;
}

static void accept(void *ctx, unsigned undone)
{
	(void)ctx;
	net.accepted = undone;
}

static void start_with(uint64_t features)
{
	memset(&net, 0, sizeof(net));
	nic_packets = (struct net_backend){ .send_packet = send_packet,
					    .accept = accept,
					    .offload = &net.arriving };
	start(1, features);
}

static const struct net_header cut4 = {
	.flags = NET_HEADER_NEEDS_CSUM,
	.gso_type = NET_GSO_TCPV4,
	.gso_size = 1448,
	.csum_start = 34,
	.csum_offset = 16,
};

/* ---- What is accepted ---------------------------------------------------- */

static void test_accepted(void **state)
{
	static const struct {
		uint64_t features;
		unsigned accepted;
	} rows[] = {
		{ 0, 0 },
		{ F(GUEST_CSUM), NET_UNDONE_SUM },
		{ F(GUEST_CSUM) | F(GUEST_TSO4),
		  NET_UNDONE_SUM | NET_UNDONE_TCP4 },
		{ F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6),
		  NET_UNDONE_ALL },
		{ F(GUEST_TSO4) | F(GUEST_TSO6), 0 }, /* not without CSUM */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start_with(rows[i].features);
		assert_true(vt_offered() & F(GUEST_TSO4));
		assert_true(vt_offered() & F(GUEST_TSO6));
		assert_int_equal(net.accepted, rows[i].accepted);
		/* And nothing once the driver has gone. */
		vt_set(VIRTIO_COMMON_STATUS, 1, 0);
		assert_int_equal(net.accepted, 0);
	}
}

/* ---- Sent ---------------------------------------------------------------- */

static void test_sent_whole(void **state)
{
	static uint8_t packet[PACKET];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t length = tcp_make(packet, i, PACKET - 74);
		struct net_header header = cut4;

		if (i) {
			header.gso_type = NET_GSO_TCPV6;
			header.csum_start = 54;
		}
		start_with(F(CSUM) | F(HOST_TSO4) | F(HOST_TSO6));
		gone(TX, transmit(TX, &header, packet, length));
		assert_int_equal(net.packets, 1);
		assert_int_equal(t.sent_count, 0);
		assert_int_equal(net.length, length);
		assert_memory_equal(net.bytes, packet, length);
		assert_int_equal(net.sent.undone,
				 NET_UNDONE_SUM | (i ? NET_UNDONE_TCP6
						     : NET_UNDONE_TCP4));
		assert_int_equal(net.sent.mss, 1448);
		assert_int_equal(net.sent.sum_start, header.csum_start);
		assert_int_equal(net.sent.sum_offset, 16);
	}
}

/* ECN, more segments than the network takes, more bytes, none to cut. */
static void test_sent_in_segments(void **state)
{
	static const struct {
		uint8_t ecn;
		uint16_t mss;
		uint32_t payload;
		unsigned frames;
	} rows[] = {
		{ NET_GSO_ECN, 1448, 4000, 3 },
		{ 0, 100, 12801, 129 },
		{ 0, 9000, 65460, 8 },
		{ 0, 1448, 3, 1 },
	};
	static uint8_t packet[0x10000];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t length = tcp_make(packet, false, rows[i].payload);
		struct net_header header = cut4;

		header.gso_type |= rows[i].ecn;
		header.gso_size = rows[i].mss;
		start_with(F(CSUM) | F(HOST_TSO4) | F(HOST_ECN));
		t.room = UINT32_MAX;
		gone(TX, transmit(TX, &header, packet, length));
		assert_int_equal(net.packets, 0);
		assert_int_equal(t.sent_count, rows[i].frames);
	}
}

static void test_sent_without_sum(void **state)
{
	struct net_header header = { .flags = NET_HEADER_NEEDS_CSUM,
				     .csum_start = 34,
				     .csum_offset = 6 };
	uint8_t frame[1000];
	uint32_t length = frame_make(frame, other_mac, 17, 900);

	(void)state;
	start_with(F(CSUM));
	gone(TX, transmit(TX, &header, frame, length));
	assert_int_equal(net.packets, 1);
	assert_int_equal(net.sent.undone, NET_UNDONE_SUM);
	assert_memory_equal(net.bytes, frame, length);
	/* What lies outside goes as it is. */
	header.csum_offset = (uint16_t)(length - 34 - 1);
	gone(TX, transmit(TX, &header, frame, length));
	assert_int_equal(net.packets, 1);
	assert_int_equal(t.sent_count, 1);
	assert_memory_equal(t.sent[0].data, frame, length);
}

static void test_sent_when_there_is_room(void **state)
{
	static uint8_t packet[PACKET];
	uint32_t length = tcp_make(packet, false, 20000);
	uint16_t id;

	(void)state;
	start_with(F(CSUM) | F(HOST_TSO4));
	net.is_full = true;
	id = transmit(TX, &cut4, packet, length);
	assert_int_equal(net.packets, 0);
	vt_expect_none(TX);
	net.is_full = false;
	t.device.writable(t.device.dev);
	gone(TX, id);
	assert_int_equal(net.packets, 1);
	assert_int_equal(net.length, length);
}

/* ---- Received ------------------------------------------------------------ */

static const struct net_offload good = {
	.undone = NET_UNDONE_SUM | NET_UNDONE_TCP4,
	.mss = 1448,
	.sum_start = 34,
	.sum_offset = 16,
};

#define TAKES (F(GUEST_CSUM) | F(GUEST_TSO4) | F(MRG_RXBUF))

static void test_received_whole(void **state)
{
	const struct net_header *header = (const void *)data(0);
	static uint8_t packet[9700];
	uint32_t length = tcp_make(packet, false, 9600), at = 0;
	uint16_t id[7];

	(void)state;
	start_with(TAKES);
	net.arriving = good;
	for (unsigned i = 0; i < 6; i++)
		id[i] = buffer(0, i, 1536);
	/* One is missing: they stay the card's. */
	arrive(packet, length);
	vt_expect_none(0);
	id[6] = buffer(0, 6, 1536);
	for (unsigned i = 0; i < 7; i++) {
		uint32_t skip = i ? 0 : HEADER;
		uint32_t n = MIN(1536 - skip, length - at);

		assert_int_equal(vt_expect(0, id[i]), skip + n);
		assert_memory_equal(data(i) + skip, packet + at, n);
		at += n;
	}
	assert_int_equal(at, length);
	assert_int_equal(header->flags, NET_HEADER_NEEDS_CSUM);
	assert_int_equal(header->gso_type, NET_GSO_TCPV4);
	assert_int_equal(header->gso_size, 1448);
	assert_int_equal(header->header_length, TCP_HEADERS);
	assert_int_equal(header->csum_start, 34);
	assert_int_equal(header->csum_offset, 16);
	assert_int_equal(header->buffers, 7);
}

/* What says what is not so, or what the driver does not take, is dropped. */
static void test_received_lies(void **state)
{
	static uint8_t packet[5000];
	uint32_t length;

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		length = tcp_make(packet, false, 4000);
		start_with(i == 8 ? F(GUEST_CSUM) : TAKES);
		net.arriving = good;
		if (i == 0)
			net.arriving.undone = NET_UNDONE_TCP4;
		else if (i == 1)
			net.arriving.undone |= NET_UNDONE_TCP6;
		else if (i == 2)
			net.arriving.undone |= 8;
		else if (i == 3)
			net.arriving.mss = 0;
		else if (i == 4)
			net.arriving.sum_start = (uint16_t)(length - 17);
		else if (i == 5)
			net.arriving.sum_offset = 6;
		else if (i == 6)
			packet[34 + 12] = 0xf0; /* beyond what IP has */
		else if (i == 7)
			packet[14] = 0x60;
		if (i == 6)
			net.arriving.sum_start = 240;
		buffer(0, 0, 8000);
		arrive(packet, length);
		vt_expect_none(0);
		/* The next one comes. */
		net.arriving = (struct net_offload){ 0 };
		arrive(packet, 200);
		vt_expect(0, 0);
	}
}

static void test_received_without_sum(void **state)
{
	const struct net_header *header = (const void *)data(0);
	uint8_t frame[1000];
	uint32_t length = tcp_make(frame, false, 500);

	(void)state;
	start_with(F(GUEST_CSUM));
	net.arriving = (struct net_offload){ .undone = NET_UNDONE_SUM,
					     .sum_start = 34,
					     .sum_offset = 16 };
	buffer(0, 0, 2000);
	arrive(frame, length);
	assert_int_equal(vt_expect(0, 0), HEADER + length);
	assert_int_equal(header->flags, NET_HEADER_NEEDS_CSUM);
	assert_int_equal(header->gso_type, NET_GSO_NONE);
	assert_int_equal(header->csum_start, 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_sent_whole),
		cmocka_unit_test(test_sent_in_segments),
		cmocka_unit_test(test_sent_without_sum),
		cmocka_unit_test(test_sent_when_there_is_room),
		cmocka_unit_test(test_received_whole),
		cmocka_unit_test(test_received_lies),
		cmocka_unit_test(test_received_without_sum),
	};

	return cmocka_run_group_tests_name("virtio_net_packets", tests, NULL,
					   NULL);
}
