/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's network card: configuration, frames that are sent, checksums,
 * segments. */
#include "tests/unit/virtio_net_test.h"

/* ---- Configuration ------------------------------------------------------- */

static void test_space(void **state)
{
	(void)state;
	start(4, F(MQ) | F(CTRL_VQ) | F(MAC));
	assert_int_equal(pci_config_read(&v.pci, VT_DEVFN, 0, 4), 0x10411af4);
	assert_int_equal(pci_config_read(&v.pci, VT_DEVFN, PCI_CLASS_DEVICE, 2),
			 0x0200);
	assert_memory_equal(own_mac, card.state.mac, 6);
	assert_int_equal(vt_read(VT_CONFIG, 4), 0x12005452);
	assert_int_equal(vt_read(VT_CONFIG + 6, 2), 1); /* up */
	assert_int_equal(vt_read(VT_CONFIG + 8, 2), 4);
	assert_int_equal(vt_read(VT_CONFIG + 10, 2), 1500);
	assert_int_equal(vt_read(VT_CONFIG + 12, 4), 10000);
	assert_int_equal(vt_read(VT_CONFIG + 16, 1), 1);
	/* A driver of virtio 1 has a command for it. */
	vt_write(VT_CONFIG, 1, 0x22);
	assert_int_equal(vt_read(VT_CONFIG, 1), 0x52);
}

static void test_features(void **state)
{
	(void)state;
	build(1, false);
	assert_false(vt_offered() & F(MQ));
	/* Nothing longer than a frame ever comes. */
	assert_false(vt_offered() & (0xfULL << 7));
	assert_true(vt_offered() & F(HOST_TSO4) && vt_offered() & F(MTU));
	build(2, true);
	assert_true(vt_offered() & F(MQ));
	assert_int_equal(pci_config_read(&v.pci, VT_DEVFN, 0, 4), 0x10001af4);
}

static void test_wrong_config(void **state)
{
	static const struct {
		unsigned pairs;
		uint16_t mtu;
	} rows[] = { { 0, 1500 }, { 9, 1500 }, { 1, 67 }, { 1, 9711 } };

	(void)state;
	build(1, false);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct virtio_net_config config = card.config;
		struct virtio_net other;

		config.pairs = rows[i].pairs;
		config.mtu = rows[i].mtu;
		assert_int_equal(virtio_net_init(&other, &config), -EINVAL);
	}
}

/* ---- Sent ---------------------------------------------------------------- */

static void test_sent(void **state)
{
	static const struct net_header plain;
	uint8_t frame[2000];
	uint32_t length;
	uint16_t id;

	(void)state;
	start(1, 0);
	length = frame_make(frame, other_mac, 17, 1000);
	id = transmit(TX, &plain, frame, length);
	assert_int_equal(gone(TX, id), 0);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].length, length);
	assert_memory_equal(t.sent[0].data, frame, length);
	/* A short one is padded with zeros. */
	id = transmit(TX, &plain, frame, 20);
	gone(TX, id);
	assert_int_equal(t.sent[1].length, 60);
	assert_memory_equal(t.sent[1].data, frame, 20);
	for (unsigned i = 20; i < 60; i++)
		assert_int_equal(t.sent[1].data[i], 0);
}

/* More pieces than the network takes. */
static void test_pieces(void **state)
{
	uint8_t frame[2000];
	uint32_t length = frame_make(frame, other_mac, 17, 1000);
	uint16_t id;

	(void)state;
	start(1, 0);
	memset(data(0), 0, HEADER);
	memcpy(data(0) + HEADER, frame, length);
	for (uint32_t at = 0, n; at < HEADER + length; at += n) {
		n = MIN(100U, HEADER + length - at);
		vt_out(VT_DATA + at, n);
	}
	id = vt_add(TX);
	vt_kick(TX);
	gone(TX, id);
	assert_int_equal(t.sent[0].length, length);
	assert_memory_equal(t.sent[0].data, frame, length);
}

static void test_wrong_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 13, NET_FRAME_MAX + 1 };
	static const struct net_header plain;
	static uint8_t frame[NET_FRAME_MAX + 1];
	uint16_t id;

	(void)state;
	start(1, F(CSUM));
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct net_header header = plain;

		for (unsigned sum = 0; sum < 2; sum++) {
			header.flags = sum ? NET_HEADER_NEEDS_CSUM : 0;
			if (lengths[i])
				gone(TX,
				     transmit(TX, &header, frame, lengths[i]));
		}
	}
	vt_out(VT_DATA, 3);
	id = vt_add(TX);
	vt_kick(TX);
	gone(TX, id);
	assert_int_equal(t.sent_count, 0);
	assert_int_equal(card.errors[VIRTIO_NET_ERROR_TX_LENGTH], 7);
	assert_true(virtio_is_running(&card.virtio));
	gone(TX, transmit(TX, &plain, frame, NET_FRAME_MAX));
	assert_int_equal(t.sent_count, 1);
}

static void test_backend_full(void **state)
{
	static const struct net_header plain;
	uint8_t frame[200];
	uint32_t length;
	uint16_t id;

	(void)state;
	start(1, 0);
	length = frame_make(frame, other_mac, 17, 100);
	t.room = 0;
	id = transmit(TX, &plain, frame, length);
	vt_expect_none(TX);
	t.room = 5;
	t.device.writable(t.device.dev);
	gone(TX, id);
	assert_int_equal(t.sent_count, 1);
}

/* Many are shown at once; when there are too many, at once. */
static void test_shown_later(void **state)
{
	static const struct net_header plain;
	uint8_t frame[200];
	uint32_t length = frame_make(frame, other_mac, 17, 100), id, bytes;

	(void)state;
	start(1, 0);
	transmit(TX, &plain, frame, length);
	assert_int_equal(t.sent_count, 1);
	vt_expect_none(TX);
	assert_false(v.intx);
	bench_step(&v.b, VIRTIO_NET_SHOW_NS);
	assert_true(vt_take(TX, &id, &bytes));
	assert_true(v.intx);
	memset(data(0), 0, HEADER);
	memcpy(data(0) + HEADER, frame, length);
	t.room = QUEUE;
	for (unsigned i = 0; i < QUEUE; i++) {
		vt_out(VT_DATA, HEADER + length);
		vt_add(TX);
	}
	vt_kick(TX);
	for (unsigned i = 0; i < QUEUE; i++)
		assert_true(vt_take(TX, &id, &bytes));
}

/* Who sends one after the other need not kick. */
static void test_polled(void **state)
{
	uint8_t frame[200];
	uint32_t length = frame_make(frame, own_mac, 17, 100);
	/* Whether each wants a kick, and whether an answer comes. */
	static const struct {
		bool is_kicked, is_answered;
	} rows[] = { { true, true },   { true, false },	 { true, false },
		     { false, false }, { false, false }, { false, true } };
	unsigned count = 0;

	(void)state;
	start(1, 0);
	memset(data(0), 0, HEADER);
	memcpy(data(0) + HEADER, frame, length);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = round; i < ARRAY_SIZE(rows); i++) {
			vt_out(VT_DATA, HEADER + length);
			vt_add(TX);
			assert_int_equal(vt_is_kick_wanted(TX, 1),
					 rows[i].is_kicked);
			if (rows[i].is_kicked)
				vt_kick(TX);
			else
				bench_step(&v.b, VIRTIO_NET_POLL_NS);
			assert_int_equal(t.sent_count, ++count);
			buffer(0, 2, 2000);
			if (rows[i].is_answered)
				arrive(frame, length);
		}
		/* Nothing comes: a kick is wanted again. */
		bench_step(&v.b, VIRTIO_NET_SHOW_NS);
		assert_false(card.poll.is_armed);
	}
}

static void test_cable_out(void **state)
{
	static const struct net_header plain;
	uint8_t frame[200];
	uint32_t length;

	(void)state;
	start(1, F(STATUS) | F(CTRL_VQ) | F(GUEST_ANNOUNCE));
	length = frame_make(frame, other_mac, 17, 100);
	t.device.link_changed(t.device.dev, false);
	assert_int_equal(vt_read(VT_CONFIG + 6, 2), 0);
	assert_true(v.intx);
	assert_int_equal(vt_read(VT_ISR, 1), VIRTIO_EVENT_CONFIG);
	gone(TX, transmit(TX, &plain, frame, length));
	assert_int_equal(t.sent_count, 0);
	t.device.link_changed(t.device.dev, true);
	/* It is to say where it is now. */
	assert_int_equal(vt_read(VT_CONFIG + 6, 2), 3);
}

/* ---- Checksums and segments ---------------------------------------------- */

/* What all of TCP's or UDP's bytes add up to, with their pseudo header. */
static bool sum_is_good(const uint8_t *frame, uint32_t length)
{
	uint8_t header[NET_HEADERS_MAX] = { 0 };
	struct net_packet packet;

	memcpy(header, frame, MIN(length, NET_HEADERS_MAX));
	return net_packet_parse(header, length, NET_TYPE_VLAN, &packet) &&
	       (!packet.is_ipv4 || net_ip_is_good(header, &packet)) &&
	       net_transport_is_good(header, frame, &packet);
}

/* As Linux does: the field has the pseudo header's sum. */
static void test_checksum(void **state)
{
	const struct net_header header = { .flags = NET_HEADER_NEEDS_CSUM,
					   .csum_start = 34,
					   .csum_offset = 6 };
	uint8_t frame[2000];
	uint32_t length = frame_make(frame, other_mac, 17, 1001);
	uint32_t sum = net_sum_bytes(frame + 26, 8, 17 + 1001);

	(void)state;
	start(1, F(CSUM));
	be16_put(frame + 34 + 4, 1001);
	be16_put(frame + 34 + 6, net_sum_fold(sum));
	net_sum_put(frame, length, 14, 34, 24, false);
	gone(TX, transmit(TX, &header, frame, length));
	assert_int_equal(t.sent_count, 1);
	assert_true(sum_is_good(t.sent[0].data, length));
	assert_memory_equal(t.sent[0].data, frame, 40);
	assert_memory_equal(t.sent[0].data + 42, frame + 42, length - 42);
}

/* Fields that lie elsewhere are left undone. */
static void test_wrong_checksums(void **state)
{
	static const uint16_t rows[][2] = {
		{ 0xffff, 0xffff },
		{ 200, 0 },
		{ 0, 199 },
		{ 100, 100 },
	};
	uint8_t frame[200];

	(void)state;
	frame_make(frame, other_mac, 17, 166);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct net_header header = {
			.flags = NET_HEADER_NEEDS_CSUM,
			.csum_start = rows[i][0],
			.csum_offset = rows[i][1],
		};

		start(1, F(CSUM));
		gone(TX, transmit(TX, &header, frame, 200));
		assert_int_equal(t.sent_count, 1);
		assert_memory_equal(t.sent[0].data, frame, 200);
	}
}

static void check_segments(bool is_ipv6, uint32_t payload, uint32_t mss,
			   const uint8_t *packet)
{
	uint32_t headers = is_ipv6 ? TCP_HEADERS + 20 : TCP_HEADERS;
	uint32_t tcp = headers - 20, at = 0;

	for (unsigned i = 0; i < t.sent_count; i++) {
		const uint8_t *frame = t.sent[i].data;
		uint32_t n = MIN(mss, payload - at);
		bool is_last = at + n == payload;
		uint32_t sequence = 0xffffff00U + at;

		assert_int_equal(t.sent[i].length, MAX(headers + n, 60U));
		assert_memory_equal(frame + headers, packet + headers + at, n);
		assert_true(sum_is_good(frame, headers + n));
		assert_int_equal(net_get16(frame + tcp + 4), sequence >> 16);
		assert_int_equal(net_get16(frame + tcp + 6), sequence & 0xffff);
		assert_int_equal(frame[tcp + 13],
				 0xff & ~(is_last ? 0 : 9) & ~(i ? 0x80 : 0));
		if (!is_ipv6)
			assert_int_equal(net_get16(frame + 18), 0x1234 + i);
		at += n;
	}
	assert_int_equal(at, payload);
}

static void test_segments(void **state)
{
	static const struct {
		bool is_ipv6;
		uint32_t payload, mss;
	} rows[] = {
		{ false, 1448 * 3, 1448 }, { false, 1448 * 3 + 1, 1448 },
		{ true, 5000, 1428 },	   { false, 10, 1448 },
		{ false, 16000, 8948 },	   { true, 60, 1 },
	};
	static uint8_t packet[0x4000];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t length =
			tcp_make(packet, rows[i].is_ipv6, rows[i].payload);
		const struct net_header header = {
			.flags = NET_HEADER_NEEDS_CSUM,
			.gso_type =
				(uint8_t)((rows[i].is_ipv6 ? NET_GSO_TCPV6
							   : NET_GSO_TCPV4) |
					  NET_GSO_ECN),
			.gso_size = (uint16_t)rows[i].mss,
			.csum_start = rows[i].is_ipv6 ? 54 : 34,
			.csum_offset = 16,
		};

		start(1, F(CSUM) | F(HOST_TSO4) | F(HOST_TSO6) | F(HOST_ECN));
		gone(TX, transmit(TX, &header, packet, length));
		check_segments(rows[i].is_ipv6, rows[i].payload, rows[i].mss,
			       packet);
	}
}

/* The network is full in the midst of a packet, again and again. */
static void test_segments_refused(void **state)
{
	const struct net_header header = {
		.flags = NET_HEADER_NEEDS_CSUM,
		.gso_type = NET_GSO_TCPV4 | NET_GSO_ECN,
		.gso_size = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
	static uint8_t packet[0x4000];
	uint32_t length = tcp_make(packet, false, 12000);
	uint16_t id;

	(void)state;
	start(1, F(CSUM) | F(HOST_TSO4));
	t.room = 1;
	id = transmit(TX, &header, packet, length);
	for (unsigned i = 1; i < 9; i++) {
		assert_int_equal(t.sent_count, i);
		vt_expect_none(TX);
		assert_int_equal(card.state.sent[0], i);
		t.room = 1;
		t.device.writable(t.device.dev);
	}
	gone(TX, id);
	assert_int_equal(card.state.sent[0], 0);
	check_segments(false, 12000, 1448, packet);
}

/* A packet of a byte a segment is more than a call does. */
static void test_segments_later(void **state)
{
	const struct net_header header = {
		.flags = NET_HEADER_NEEDS_CSUM,
		.gso_type = NET_GSO_TCPV4,
		.gso_size = 1,
		.csum_start = 34,
		.csum_offset = 16,
	};
	static uint8_t packet[0x4000];
	uint32_t length = tcp_make(packet, false, 1000);
	uint16_t id;

	(void)state;
	start(1, F(CSUM) | F(HOST_TSO4));
	t.room = UINT32_MAX;
	id = transmit(TX, &header, packet, length);
	assert_int_equal(t.sent_count, 256);
	vt_expect_none(TX);
	bench_step(&v.b, 10000);
	assert_int_equal(t.sent_count, 1000);
	gone(TX, id);
}

static void test_wrong_segments(void **state)
{
	static const struct net_header good = {
		.flags = NET_HEADER_NEEDS_CSUM,
		.gso_type = NET_GSO_TCPV4,
		.gso_size = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
	static uint8_t packet[0x4000];
	uint32_t length = tcp_make(packet, false, 3000);

	(void)state;
	start(1, F(CSUM) | F(HOST_TSO4));
	for (unsigned i = 0; i < 8; i++) {
		struct net_header header = good;

		tcp_make(packet, false, 3000);
		if (i == 0)
			header.gso_size = 0;
		else if (i == 1)
			header.gso_size = 9700;
		else if (i == 2)
			header.gso_type = NET_GSO_TCPV6; /* not taken */
		else if (i == 3)
			header.gso_type = 3;
		else if (i == 4)
			header.flags = 0;
		else if (i == 5)
			header.csum_start = 0xffff;
		else if (i == 6)
			packet[34 + 12] = 0x40; /* TCP's header is too short */
		else
			packet[14] = 0x46; /* IP's goes into it */
		gone(TX, transmit(TX, &header, packet, length));
		assert_int_equal(card.errors[VIRTIO_NET_ERROR_TX_SEGMENT],
				 i + 1);
	}
	assert_int_equal(t.sent_count, 0);
	assert_true(virtio_is_running(&card.virtio));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_wrong_config),
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_backend_full),
		cmocka_unit_test(test_shown_later),
		cmocka_unit_test(test_polled),
		cmocka_unit_test(test_cable_out),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_wrong_checksums),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_segments_refused),
		cmocka_unit_test(test_segments_later),
		cmocka_unit_test(test_wrong_segments),
	};

	return cmocka_run_group_tests_name("virtio_net", tests, NULL, NULL);
}
