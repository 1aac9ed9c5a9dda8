/* SPDX-License-Identifier: BSD-2-Clause */
/* The 82540EM receives: filters, buffers, descriptors, sums, thresholds. */
#include "tests/unit/e1000_test.h"

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t multicast[6] = { 0x01, 0x00, 0x5e, 0x00, 0x12, 0x34 };

static uint64_t rxd(unsigned i)
{
	uint64_t word;

	memcpy(&word, t.memory + RX_RING + i * E1000_DESCRIPTOR_SIZE + 8, 8);
	return word;
}

static uint8_t *buffer(unsigned i)
{
	return t.memory + BUFFERS + i * KIB(16);
}

static void rctl_set(uint64_t bits)
{
	put(E1000_RCTL, (uint32_t)(reg(E1000_RCTL) | bits));
}

/* One UDP packet to that address; whether it was stored. */
static bool receives(const uint8_t *mac)
{
	uint8_t frame[100];
	uint32_t head = reg(E1000_RDH);

	arrive(frame, frame_make(frame, mac, 17, 66));
	assert_int_equal(t.queue_head, t.queue_tail);
	put(E1000_RDT, (reg(E1000_RDH) + RING - 1) % RING);
	return reg(E1000_RDH) != head;
}

/* ---- Filters ------------------------------------------------------------ */

static void test_unicast(void **state)
{
	(void)state;
	start_rings();
	assert_true(receives(own_mac));
	assert_false(receives(other_mac));
	put(E1000_RA + 15 * 8, 0xab005452);
	put(E1000_RA + 15 * 8 + 4, 0xefcd);
	assert_false(receives(other_mac)); /* no AV */
	put(E1000_RA + 15 * 8 + 4, 0x8000efcd);
	assert_true(receives(other_mac));
	put(E1000_RA + 4, 0);
	assert_false(receives(own_mac));
	rctl_set(E1000_RCTL_UPE);
	assert_true(receives(own_mac));
	assert_false(receives(multicast));
}

static void test_broadcast(void **state)
{
	(void)state;
	start_rings();
	assert_true(receives(broadcast));
	put(E1000_RCTL, reg(E1000_RCTL) & ~(uint32_t)E1000_RCTL_BAM);
	assert_false(receives(broadcast));
	rctl_set(E1000_RCTL_MPE);
	assert_true(receives(broadcast));
}

static void test_multicast(void **state)
{
	/* Bits of 34:12 by MO: 47-36, 46-35, 45-34, 43-32 of the address. */
	static const unsigned places[] = { 0x341, 0x682, 0xd04, 0x412 };

	(void)state;
	start_rings();
	assert_false(receives(multicast));
	for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
		put(E1000_RCTL, (reg(E1000_RCTL) & ~0x3000U) | i << 12);
		assert_false(receives(multicast));
		put(E1000_MTA + places[i] / 32 * 4, 1U << places[i] % 32);
		assert_true(receives(multicast));
		put(E1000_MTA + places[i] / 32 * 4, ~(1U << places[i] % 32));
		assert_false(receives(multicast));
		put(E1000_MTA + places[i] / 32 * 4, 0);
	}
	rctl_set(E1000_RCTL_MPE);
	assert_true(receives(multicast));
}

static void test_inexact(void **state)
{
	(void)state;
	start_rings();
	rctl_set(E1000_RCTL_MPE);
	receives(multicast);
	receives(own_mac);
	assert_true(rxd(0) & E1000_RXD_PIF);
	assert_false(rxd(1) & E1000_RXD_PIF);
	assert_int_equal(statistic(E1000_MPRC), 1);
}

static uint32_t tagged_make(uint8_t *frame, uint16_t tci)
{
	uint32_t length = frame_make(frame, own_mac, 17, 80);

	memmove(frame + 16, frame + 12, length - 12);
	be16_put(frame + 12, 0x8100);
	be16_put(frame + 14, tci);
	return length + 4;
}

static bool receives_tagged(uint16_t tci)
{
	uint8_t frame[200];
	uint32_t head = reg(E1000_RDH);

	arrive(frame, tagged_make(frame, tci));
	put(E1000_RDT, (reg(E1000_RDH) + RING - 1) % RING);
	return reg(E1000_RDH) != head;
}

static void test_vlan_filter(void **state)
{
	(void)state;
	start_rings();
	assert_true(receives_tagged(5));
	rctl_set(E1000_RCTL_VFE);
	assert_false(receives_tagged(5));
	assert_true(receives(own_mac)); /* without a tag */
	put(E1000_VFTA, 1 << 5);
	put(E1000_VFTA + 127 * 4, 1U << 31);
	assert_true(receives_tagged(5));
	assert_true(receives_tagged(0xefff));
	assert_false(receives_tagged(6));
	rctl_set(E1000_RCTL_CFIEN);
	assert_true(receives_tagged(5));
	assert_false(receives_tagged(0x1005));
	rctl_set(E1000_RCTL_CFI);
	assert_false(receives_tagged(5));
	assert_true(receives_tagged(0x1005));
}

static void test_vlan_strip(void **state)
{
	uint8_t frame[200];
	uint32_t length;

	(void)state;
	start_rings();
	length = tagged_make(frame, 0x6005);
	arrive(frame, length);
	assert_memory_equal(buffer(0), frame, length);
	assert_int_equal(rxd(0) & 0xffff, length);
	assert_false(rxd(0) & E1000_RXD_VP);
	put(E1000_CTRL, (uint32_t)(reg(E1000_CTRL) | E1000_CTRL_VME));
	arrive(frame, length);
	assert_int_equal(rxd(1) & 0xffff, length - 4);
	assert_true(rxd(1) & E1000_RXD_VP);
	assert_int_equal(rxd(1) >> 48, 0x6005);
	assert_memory_equal(buffer(1), frame, 12);
	assert_memory_equal(buffer(1) + 12, frame + 16, length - 16);
}

/* ---- Buffers ------------------------------------------------------------ */

static void test_sizes(void **state)
{
	static const struct {
		uint64_t bits;
		uint32_t size;
	} rows[] = {
		{ 0, 2048 },
		{ FIELD_PUT(E1000_RCTL_BSIZE, 1), 1024 },
		{ FIELD_PUT(E1000_RCTL_BSIZE, 2), 512 },
		{ FIELD_PUT(E1000_RCTL_BSIZE, 3), 256 },
		{ E1000_RCTL_BSEX | FIELD_PUT(E1000_RCTL_BSIZE, 1), 16384 },
		{ E1000_RCTL_BSEX | FIELD_PUT(E1000_RCTL_BSIZE, 2), 8192 },
		{ E1000_RCTL_BSEX | FIELD_PUT(E1000_RCTL_BSIZE, 3), 4096 },
	};
	static uint8_t frame[NET_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t length = rows[i].size > 1500 ? 5000 : 1500;
		uint32_t size = rows[i].size, at, k = 0;

		if (size == 256)
			length = 1500;
		start_rings();
		rctl_set(rows[i].bits | E1000_RCTL_LPE);
		frame_make(frame, own_mac, 17, length - 34);
		arrive(frame, length);
		for (at = 0; at < length; at += size, k++) {
			uint32_t part = MIN(size, length - at);

			assert_int_equal(rxd(k) & 0xffff, part);
			assert_memory_equal(buffer(k), frame + at, part);
			assert_true(rxd(k) & E1000_RXD_DD);
			assert_int_equal(!!(rxd(k) & E1000_RXD_EOP),
					 at + part == length);
		}
		assert_int_equal(reg(E1000_RDH), k);
	}
}

/* Room for the FCS, which is nobody's: also in a buffer of its own. */
static void test_fcs(void **state)
{
	static uint8_t frame[NET_FRAME_MAX];

	(void)state;
	start_rings();
	put(E1000_RCTL, reg(E1000_RCTL) & ~(uint32_t)E1000_RCTL_SECRC);
	frame_make(frame, own_mac, 17, 100);
	memset(buffer(0), 0x77, 200);
	arrive(frame, 134);
	assert_int_equal(rxd(0) & 0xffff, 138);
	assert_memory_equal(buffer(0), frame, 134);
	assert_int_equal(buffer(0)[137], 0);
	assert_int_equal(buffer(0)[138], 0x77);
	rctl_set(FIELD_PUT(E1000_RCTL_BSIZE, 3));
	frame_make(frame, own_mac, 17, 512 - 34);
	arrive(frame, 512);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(rxd(3) & 0xffff, 4);
	assert_true(rxd(3) & E1000_RXD_EOP);
}

static void test_long(void **state)
{
	static uint8_t frame[NET_FRAME_MAX];

	(void)state;
	start_rings();
	frame_make(frame, own_mac, 17, 1485);
	arrive(frame, 1519);
	assert_int_equal(reg(E1000_RDH), 0);
	assert_int_equal(statistic(E1000_ROC), 1);
	arrive(frame, 1518);
	assert_int_equal(reg(E1000_RDH), 1);
	rctl_set(E1000_RCTL_LPE);
	arrive(frame, NET_FRAME_MAX);
	assert_int_equal(reg(E1000_RDH), 6);
	/* For which there can never be room: lost, and not in the way. */
	rctl_set(FIELD_PUT(E1000_RCTL_BSIZE, 3));
	put(E1000_RDT, 5);
	arrive(frame, 2048);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_LENGTH], 1);
	assert_int_equal(t.queue_head, t.queue_tail);
	assert_int_equal(reg(E1000_RDH), 6);
}

static void test_null(void **state)
{
	uint8_t frame[100];

	(void)state;
	start_rings();
	memset(t.memory + RX_RING, 0, 8);
	memset(t.memory, 0x77, 100);
	arrive(frame, frame_make(frame, own_mac, 17, 66));
	assert_int_equal(t.memory[0], 0x77);
	assert_true(rxd(0) & E1000_RXD_DD);
}

/* ---- The ring ----------------------------------------------------------- */

static void test_empty(void **state)
{
	uint8_t frame[100];
	uint32_t length = frame_make(frame, own_mac, 17, 66);

	(void)state;
	start_rings();
	put(E1000_RDT, 0);
	for (unsigned i = 0; i < 3; i++) {
		frame[50] = (uint8_t)i;
		arrive(frame, length);
	}
	/* They wait in the network, and come in their order. */
	assert_int_equal(reg(E1000_RDH), 0);
	assert_int_equal(statistic(E1000_RNBC), 1);
	put(E1000_RDT, 2);
	assert_int_equal(reg(E1000_RDH), 2);
	assert_int_equal(buffer(0)[50], 0);
	assert_int_equal(buffer(1)[50], 1);
	put(E1000_RDT, 4);
	assert_int_equal(reg(E1000_RDH), 3);
	assert_int_equal(buffer(2)[50], 2);
	assert_int_equal(t.queue_head, t.queue_tail);
}

static void test_wrap(void **state)
{
	(void)state;
	start_rings();
	for (unsigned i = 0; i < 3 * RING; i++) {
		assert_int_equal(reg(E1000_RDH), i % RING);
		assert_true(receives(own_mac));
	}
}

static void test_broken_ring(void **state)
{
	static const uint32_t rows[][2] = { { RING, 0 },
					    { 0, RING },
					    { 0xffff, 0xfffe } };
	uint8_t frame[100];
	uint32_t length = frame_make(frame, own_mac, 17, 66);

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start_rings();
		put(E1000_RDH, rows[i][0]);
		put(E1000_RDT, rows[i][1]);
		arrive(frame, length);
		arrive(frame, length);
		assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 1);
		assert_int_equal(reg(E1000_RDH), rows[i][0]);
		put(E1000_RDH, 0);
		put(E1000_RDT, 4);
		assert_int_equal(reg(E1000_RDH), 2);
	}
	/* Nowhere at all. */
	start_rings();
	put(E1000_RDBAH, ~0U);
	arrive(frame, length);
	assert_int_equal(reg(E1000_RDH), 1);
}

/* What was sent while nobody listened is not heard later. */
static void test_disabled(void **state)
{
	uint8_t frame[100];
	uint32_t length = frame_make(frame, own_mac, 17, 66);

	(void)state;
	start_rings();
	put(E1000_RCTL, 0);
	arrive(frame, length);
	assert_int_equal(t.queue_head, 1);
	rctl_set(E1000_RCTL_EN);
	assert_int_equal(reg(E1000_RDH), 0);
	t.device.link_changed(t.device.dev, false);
	arrive(frame, length);
	assert_int_equal(reg(E1000_RDH), 0);
	assert_int_equal(t.queue_head, 2);
	/* A frame that is held when the device is reset goes back. */
	t.device.link_changed(t.device.dev, true);
	put(E1000_RDT, 0);
	arrive(frame, length);
	assert_true(t.is_lent);
	put(E1000_CTRL, (uint32_t)E1000_CTRL_RST);
	assert_false(t.is_lent);
}

static void test_budget(void **state)
{
	(void)state;
	start_rings();
	for (unsigned i = 0; i < FRAMES; i++)
		t.queue[i].length = 0; /* none that a device takes */
	t.queue_tail = 1000;
	t.device.received(t.device.dev);
	assert_int_equal(t.queue_head, 256);
	bench_step(&t.b, 4000);
	assert_int_equal(t.queue_head, 1000);
}

/* ---- Checksums ---------------------------------------------------------- */

static uint32_t udp_make(uint8_t *frame, uint32_t payload)
{
	uint32_t length = frame_make(frame, own_mac, 17, payload);

	be16_put(frame + 24, (uint16_t)~sum_slow(frame + 14, 20, 0));
	be16_put(frame + 40, 0);
	be16_put(frame + 40, (uint16_t)~sum_slow(frame + 34, payload,
						 sum_pseudo(frame, payload)));
	return length;
}

static uint64_t status_of(const uint8_t *frame, uint32_t length)
{
	uint32_t head = reg(E1000_RDH);

	arrive(frame, length);
	put(E1000_RDT, (reg(E1000_RDH) + RING - 1) % RING);
	return rxd(head) & (E1000_RXD_IXSM | E1000_RXD_TCPCS | E1000_RXD_IPCS |
			    E1000_RXD_TCPE | E1000_RXD_IPE);
}

static void test_sums(void **state)
{
	const uint32_t offload = 0x300;
	uint8_t frame[300];
	uint32_t length;

	(void)state;
	start_rings();
	length = udp_make(frame, 101);
	assert_int_equal(status_of(frame, length), E1000_RXD_IXSM);
	put(E1000_RXCSUM, offload);
	assert_int_equal(status_of(frame, length),
			 E1000_RXD_IPCS | E1000_RXD_TCPCS);
	frame[100] ^= 1;
	assert_int_equal(status_of(frame, length),
			 E1000_RXD_IPCS | E1000_RXD_TCPCS | E1000_RXD_TCPE);
	frame[100] ^= 1;
	frame[22] ^= 1;
	assert_int_equal(status_of(frame, length),
			 E1000_RXD_IPCS | E1000_RXD_IPE | E1000_RXD_TCPCS);
	/* A fragment: IP's alone. */
	udp_make(frame, 101);
	frame[20] = 0x20;
	be16_put(frame + 24, 0);
	be16_put(frame + 24, (uint16_t)~sum_slow(frame + 14, 20, 0));
	assert_int_equal(status_of(frame, length), E1000_RXD_IPCS);
	/* UDP without one. */
	udp_make(frame, 101);
	be16_put(frame + 40, 0);
	assert_int_equal(status_of(frame, length), E1000_RXD_IPCS);
	put(E1000_RXCSUM, 0x200);
	udp_make(frame, 101);
	assert_int_equal(status_of(frame, length), E1000_RXD_TCPCS);
	/* Cut off, and not IP. */
	assert_int_equal(status_of(frame, length - 1), E1000_RXD_IXSM);
	be16_put(frame + 12, 0x0806);
	assert_int_equal(status_of(frame, length), E1000_RXD_IXSM);
}

static void test_sums_tagged(void **state)
{
	uint8_t frame[300];
	uint32_t length;

	(void)state;
	start_rings();
	put(E1000_RXCSUM, 0x300);
	length = udp_make(frame, 100);
	memmove(frame + 16, frame + 12, length - 12);
	be16_put(frame + 12, 0x8100);
	be16_put(frame + 14, 7);
	assert_int_equal(status_of(frame, length + 4),
			 E1000_RXD_IPCS | E1000_RXD_TCPCS);
	put(E1000_CTRL, (uint32_t)(reg(E1000_CTRL) | E1000_CTRL_VME));
	assert_int_equal(status_of(frame, length + 4),
			 E1000_RXD_IPCS | E1000_RXD_TCPCS);
}

static void test_sums_ipv6(void **state)
{
	uint8_t frame[200] = { 0 };
	uint16_t sum;

	(void)state;
	start_rings();
	memcpy(frame, own_mac, 6);
	be16_put(frame + 12, 0x86dd);
	frame[14] = 0x60;
	be16_put(frame + 18, 60);
	frame[20] = 6;
	frame[37] = 1;
	frame[53] = 2;
	frame[66] = 0x50;
	sum = sum_slow(frame + 54, 60, sum_slow(frame + 22, 32, 6 + 60));
	be16_put(frame + 70, (uint16_t)~sum);
	put(E1000_RXCSUM, 0x300);
	assert_int_equal(status_of(frame, 114), E1000_RXD_IXSM);
	put(E1000_RXCSUM, 0x700);
	assert_int_equal(status_of(frame, 114), E1000_RXD_TCPCS);
	frame[110] = 9;
	assert_int_equal(status_of(frame, 114),
			 E1000_RXD_TCPCS | E1000_RXD_TCPE);
}

static void test_packet_sum(void **state)
{
	uint8_t frame[200];
	uint32_t length = frame_make(frame, own_mac, 17, 101);

	(void)state;
	start_rings();
	put(E1000_RXCSUM, 14);
	arrive(frame, length);
	assert_int_equal(__builtin_bswap16((uint16_t)(rxd(0) >> 16)),
			 sum_slow(frame + 14, length - 14, 0));
}

/* ---- Interrupts --------------------------------------------------------- */

static void test_thresholds(void **state)
{
	uint8_t frame[100];
	uint32_t length = frame_make(frame, own_mac, 17, 66);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		start_rings();
		rctl_set(FIELD_PUT(E1000_RCTL_RDMTS, i));
		/* Of 7 free ones 4, 2 or 1 are left. */
		for (uint32_t left = 6; left > RING >> (i + 1); left--) {
			arrive(frame, length);
			assert_int_equal(reg(E1000_ICR), E1000_CAUSE_RXT0);
		}
		arrive(frame, length);
		assert_int_equal(reg(E1000_ICR),
				 E1000_CAUSE_RXT0 | E1000_CAUSE_RXDMT0);
	}
	put(E1000_RDT, (reg(E1000_RDH) + RING - 1) % RING);
	put(E1000_RSRPD, length + 3);
	arrive(frame, length);
	assert_false(reg(E1000_ICR) & E1000_CAUSE_SRPD);
	put(E1000_RSRPD, length + 4);
	arrive(frame, length);
	assert_true(reg(E1000_ICR) & E1000_CAUSE_SRPD);
}

static void test_delay(void **state)
{
	uint8_t frame[100];
	uint32_t length = frame_make(frame, own_mac, 17, 66);

	(void)state;
	start_rings();
	put(E1000_IMS, (uint32_t)E1000_CAUSE_RXT0);
	put(E1000_RDTR, 4);
	put(E1000_RADV, 6);
	arrive(frame, length);
	assert_false(line());
	bench_step(&t.b, 4096);
	assert_true(line());
	(void)reg(E1000_ICR);
	for (unsigned i = 0; i < 3; i++) {
		arrive(frame, length);
		assert_false(line());
		bench_step(&t.b, 2000);
	}
	bench_step(&t.b, 143);
	assert_false(line());
	bench_step(&t.b, 1);
	assert_true(line());
	(void)reg(E1000_ICR);
	arrive(frame, length);
	put(E1000_RDTR, 4 | (uint32_t)E1000_DELAY_FLUSH);
	assert_true(line());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_broadcast),
		cmocka_unit_test(test_multicast),
		cmocka_unit_test(test_inexact),
		cmocka_unit_test(test_vlan_filter),
		cmocka_unit_test(test_vlan_strip),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_fcs),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_broken_ring),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_sums_tagged),
		cmocka_unit_test(test_sums_ipv6),
		cmocka_unit_test(test_packet_sum),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_delay),
	};

	return cmocka_run_group_tests_name("e1000_rx", tests, NULL, NULL);
}
