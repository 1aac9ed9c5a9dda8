/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's network card: frames that are received, filters, commands, pairs of
 * queues. */
#include "tests/unit/virtio_net_test.h"

/* ---- Received ------------------------------------------------------------ */

static void test_received(void **state)
{
	uint8_t frame[2000];
	uint32_t length = frame_make(frame, own_mac, 17, 1000);
	const struct net_header *header = (const void *)data(0);
	uint16_t id;

	(void)state;
	start(1, F(GUEST_CSUM));
	id = buffer(0, 0, 2000);
	arrive(frame, length);
	assert_int_equal(vt_expect(0, id), HEADER + length);
	assert_int_equal(header->flags, 0);
	assert_int_equal(header->gso_type, 0);
	assert_int_equal(header->buffers, 1);
	assert_memory_equal(data(0) + HEADER, frame, length);
	/* It waits for a buffer. */
	arrive(frame, length);
	arrive(frame, length);
	vt_expect_none(0);
	id = buffer(0, 0, 2000);
	assert_int_equal(vt_expect(0, id), HEADER + length);
	id = buffer(0, 0, 2000);
	assert_int_equal(vt_expect(0, id), HEADER + length);
	assert_int_equal(t.queue_head, 3);
}

/* In as many buffers as it needs; all or none of it. */
static void test_merged(void **state)
{
	static uint8_t frame[NET_FRAME_MAX];
	uint32_t length = frame_make(frame, own_mac, 17, 5000);
	const struct net_header *header = (const void *)data(0);
	uint16_t id[3];
	uint32_t at = 0;

	(void)state;
	start(1, F(MRG_RXBUF));
	id[0] = buffer(0, 0, 2000);
	id[1] = buffer(0, 1, 2000);
	arrive(frame, length);
	vt_expect_none(0);
	id[2] = buffer(0, 2, 2000);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t skip = i ? 0 : HEADER;
		uint32_t n = MIN(2000 - skip, length - at);

		assert_int_equal(vt_expect(0, id[i]), skip + n);
		assert_memory_equal(data(i) + skip, frame + at, n);
		at += n;
	}
	assert_int_equal(at, length);
	assert_int_equal(header->buffers, 3);
	/* More buffers than a frame may have: it is lost, they are not. */
	for (unsigned i = 0; i < VIRTIO_NET_BUFFERS; i++)
		buffer(0, i % 20, 75);
	arrive(frame, length);
	vt_expect_none(0);
	assert_int_equal(card.errors[VIRTIO_NET_ERROR_RX_LENGTH], 1);
	arrive(frame, 60);
	assert_int_equal(header->buffers, 1);
}

static void test_too_small(void **state)
{
	uint8_t frame[2000];
	uint32_t length = frame_make(frame, own_mac, 17, 1000);

	(void)state;
	start(1, 0);
	buffer(0, 0, 500);
	arrive(frame, length);
	vt_expect_none(0);
	assert_int_equal(card.errors[VIRTIO_NET_ERROR_RX_LENGTH], 1);
	arrive(frame, 100);
	assert_int_equal(t.queue_head, 2);
	/* One that has no room for the header is the driver's fault. */
	buffer(0, 0, HEADER - 1);
	arrive(frame, length);
	assert_false(virtio_is_running(&card.virtio));
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
}

static void test_data_valid(void **state)
{
	uint8_t frame[2000];
	uint32_t length;
	const struct net_header *header = (const void *)data(0);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		length = tcp_make(frame, false, 500);
		be16_put(frame + 50,
			 net_sum_fold(net_sum_bytes(frame + 26, 8, 6 + 520)));
		net_sum_put(frame, length, 34, 0, 50, true);
		start(1, i ? F(GUEST_CSUM) : 0);
		if (i == 2)
			frame[100] ^= 1;
		buffer(0, 0, 2000);
		arrive(frame, length);
		assert_int_equal(header->flags,
				 i == 1 ? NET_HEADER_DATA_VALID : 0);
	}
}

/* ---- Commands and filters ------------------------------------------------ */

static uint8_t command(unsigned queue, uint8_t class, uint8_t what,
		       const void *body, uint32_t length)
{
	uint16_t id;

	data(6)[0] = class;
	data(6)[1] = what;
	memcpy(data(6) + 2, body, length);
	data(7)[0] = 0xee;
	vt_out(VT_DATA + 6 * 0x4000, 2 + length);
	vt_in(VT_DATA + 7 * 0x4000, 1);
	id = vt_add(queue);
	vt_kick(queue);
	assert_int_equal(vt_expect(queue, id), 1);
	return data(7)[0];
}

#define FILTERS                                                      \
	(F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_RX_EXTRA) | F(CTRL_VLAN) | \
	 F(CTRL_MAC_ADDR))

/* Whether such a frame comes in. */
static bool comes(const uint8_t *to, unsigned vlan)
{
	uint8_t frame[100];
	uint32_t length = frame_make(frame, to, 17, 50), id, bytes;

	if (vlan) {
		be16_put(frame + 12, 0x8100);
		be16_put(frame + 14, 0xe000 | vlan);
	}
	buffer(0, 0, 2000);
	arrive(frame, length);
	return vt_take(0, &id, &bytes);
}

static void test_filters(void **state)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 3 };
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	static const uint8_t on = 1, off = 0;
	uint16_t vlan = 4095;
	uint8_t table[8 + 12] = { 1, 0, 0, 0 };

	(void)state;
	start(1, FILTERS);
	assert_true(comes(other_mac, 7));
	assert_int_equal(command(CONTROL, 0, 0, &off, 1), 0);
	assert_false(comes(other_mac, 0));
	assert_true(comes(own_mac, 0) && comes(all, 0));
	assert_false(comes(group, 0) || comes(own_mac, 7));
	/* VLANs */
	assert_int_equal(command(CONTROL, 2, 0, &vlan, 2), 0);
	assert_true(comes(own_mac, 4095));
	assert_int_equal(command(CONTROL, 2, 1, &vlan, 2), 0);
	assert_false(comes(own_mac, 4095));
	vlan = 4096;
	assert_int_equal(command(CONTROL, 2, 0, &vlan, 2), 1);
	/* The table. */
	memcpy(table + 4, other_mac, 6);
	table[10] = 1;
	memcpy(table + 14, group, 6);
	assert_int_equal(command(CONTROL, 1, 0, table, 20), 0);
	assert_true(comes(other_mac, 0) && comes(group, 0));
	/* Switches */
	assert_int_equal(command(CONTROL, 0, 5, &on, 1), 0);
	assert_false(comes(all, 0));
	assert_int_equal(command(CONTROL, 0, 3, &on, 1), 0);
	assert_false(comes(group, 0));
	assert_int_equal(command(CONTROL, 0, 4, &on, 1), 0);
	assert_false(comes(own_mac, 0));
	assert_int_equal(command(CONTROL, 0, 6, &on, 1), 1);
	/* An address of the driver's. */
	assert_int_equal(command(CONTROL, 0, 4, &off, 1), 0);
	assert_int_equal(command(CONTROL, 1, 1, group, 6), 0);
	assert_int_equal(vt_read(VT_CONFIG, 1), 1);
	/* A reset forgets it all. */
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_int_equal(vt_read(VT_CONFIG, 1), 0x52);
	assert_true(card.state.filter.is_promiscuous);
}

/* More addresses than there is room for: all of their kind. */
static void test_table_over(void **state)
{
	static uint8_t table[8 + 6 * 70];
	static const uint8_t off;

	(void)state;
	start(1, FILTERS);
	assert_int_equal(command(CONTROL, 0, 0, &off, 1), 0);
	table[0] = 65;
	assert_int_equal(command(CONTROL, 1, 0, table, 8 + 6 * 65), 0);
	assert_true(comes(other_mac, 0));
	table[0] = 64;
	assert_int_equal(command(CONTROL, 1, 0, table, 8 + 6 * 64), 0);
	assert_false(comes(other_mac, 0));
	/* It says more than there is. */
	table[0] = 65;
	assert_int_equal(command(CONTROL, 1, 0, table, 8 + 6 * 64), 1);
	assert_int_equal(command(CONTROL, 1, 0, table, 3), 1);
	assert_int_equal(card.state.filter.own_count, 64);
}

static void test_wrong_commands(void **state)
{
	static const uint8_t body[2];

	(void)state;
	start(1, F(CTRL_VQ));
	assert_int_equal(command(CONTROL, 0, 0, body, 1), 1);
	assert_int_equal(command(CONTROL, 4, 0, body, 2), 1);
	assert_int_equal(command(CONTROL, 5, 0, body, 2), 1);
	assert_int_equal(command(CONTROL, 255, 255, body, 0), 1);
	vt_out(VT_DATA, 1);
	vt_add(CONTROL);
	vt_kick(CONTROL);
	assert_int_equal(card.errors[VIRTIO_NET_ERROR_CONTROL], 5);
	assert_true(virtio_is_running(&card.virtio));
}

static void test_announce(void **state)
{
	(void)state;
	start(1, F(STATUS) | F(CTRL_VQ) | F(GUEST_ANNOUNCE));
	t.device.link_changed(t.device.dev, false);
	t.device.link_changed(t.device.dev, true);
	assert_int_equal(vt_read(VT_CONFIG + 6, 2), 3);
	assert_int_equal(command(CONTROL, 3, 1, "", 0), 1);
	assert_int_equal(vt_read(VT_CONFIG + 6, 2), 3);
	assert_int_equal(command(CONTROL, 3, 0, "", 0), 0);
	assert_int_equal(vt_read(VT_CONFIG + 6, 2), 1);
}

/* ---- Pairs --------------------------------------------------------------- */

/* Answers come where the flow was sent from. */
static void test_pairs(void **state)
{
	static const struct net_header plain;
	uint8_t frame[200], answer[200];
	uint32_t length = frame_make(frame, other_mac, 17, 100);
	uint16_t pairs = 4;

	(void)state;
	start(4, F(MQ) | F(CTRL_VQ));
	for (unsigned i = 0; i < 4; i++)
		buffer(2 * i, i, 2000);
	memcpy(answer, frame, length);
	memcpy(answer, own_mac, 6);
	memcpy(answer + 26, frame + 30, 4);
	memcpy(answer + 30, frame + 26, 4);
	memcpy(answer + 34, frame + 36, 2);
	memcpy(answer + 36, frame + 34, 2);
	/* One pair is in use at first. */
	memmove(data(4), data(4), 1);
	gone(7, transmit(7, &plain, frame, length));
	arrive(answer, length);
	vt_expect(0, 0);
	assert_int_equal(command(8, 4, 0, &pairs, 2), 0);
	gone(7, transmit(7, &plain, frame, length));
	arrive(answer, length);
	vt_expect(6, 0);
	vt_expect_none(2);
	for (unsigned i = 0; i < 2; i++) {
		pairs = i ? 0 : 5;
		assert_int_equal(command(8, 4, 0, &pairs, 2), 1);
	}
	/* Fewer: what was of another comes to the first. */
	pairs = 2;
	assert_int_equal(command(8, 4, 0, &pairs, 2), 0);
	buffer(0, 0, 2000);
	arrive(answer, length);
	vt_expect(0, 0);
}

/* Without MQ the control queue is the third, whatever there could be. */
static void test_one_pair_of_many(void **state)
{
	static const uint8_t off;

	(void)state;
	start(4, F(CTRL_VQ) | F(CTRL_RX));
	assert_int_equal(command(CONTROL, 0, 0, &off, 1), 0);
	assert_false(card.state.filter.is_promiscuous);
}

/* Frames without end: others have their turn. */
static void test_budget(void **state)
{
	static const struct net_header plain;
	uint8_t frame[100];
	uint32_t length = frame_make(frame, other_mac, 17, 50);

	(void)state;
	start(1, 0);
	/* A network that brings as many as it is asked for. */
	for (unsigned i = 0; i < FRAMES; i++)
		arrive(frame, length);
	assert_int_equal(t.queue_head, 0);
	for (unsigned i = 0; i < FRAMES; i++)
		buffer(0, i % 4, 2000);
	assert_int_equal(t.queue_head, FRAMES);
	gone(TX, transmit(TX, &plain, frame, length));
}

static void test_legacy_header(void **state)
{
	uint8_t frame[200];
	uint32_t length = frame_make(frame, own_mac, 17, 100);

	(void)state;
	start(1, 0);
	/* As a driver of the legacy interface has it. */
	card.virtio.state->features = 0;
	assert_int_equal(net_header_size(&card), NET_HEADER_LEGACY);
	buffer(0, 0, 2000);
	arrive(frame, length);
	assert_int_equal(vt_expect(0, 0), NET_HEADER_LEGACY + length);
	assert_memory_equal(data(0) + NET_HEADER_LEGACY, frame, length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_data_valid),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_table_over),
		cmocka_unit_test(test_wrong_commands),
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_one_pair_of_many),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_legacy_header),
	};

	return cmocka_run_group_tests_name("virtio_net_rx", tests, NULL, NULL);
}
