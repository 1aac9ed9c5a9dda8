/* SPDX-License-Identifier: BSD-2-Clause */
/* The 82574L's queues: two each way, extended and split descriptors, RSS. */
#include "tests/unit/e1000e_test.h"

/* ---- Transmission ------------------------------------------------------- */

static void test_tx_queues(void **state)
{
	uint64_t descriptor[2] = { BUFFERS, 60 | CMD_END };

	(void)state;
	start_rings();
	msix_start();
	put(E1000_IMS, TXQ0 | TXQ1);
	put(E1000_TIDV, 1000); /* means nothing to messages */
	descriptor[1] |= E1000_TXD_IDE;
	t.memory[BUFFERS + 20] = 7;
	memcpy(t.memory + TX_RING1, descriptor, 16);
	put(E1000E_TDT1, 1);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].data[20], 7);
	assert_int_equal(reg(E1000E_TDH1), 1);
	assert_int_equal(reg(E1000_TDH), 0);
	assert_true(t.memory[TX_RING1 + 12] & 1);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0], 0x43);
	memcpy(t.memory + TX_RING, descriptor, 16);
	put(E1000_TDT, 1);
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(sent[1], 0x42);
	/* A packet begun in one ring waits there for its end. */
	descriptor[1] = 30 | E1000_TXD_IFCS;
	memcpy(t.memory + TX_RING1 + 16, descriptor, 16);
	put(E1000E_TDT1, 2);
	descriptor[1] = 61 | CMD_END;
	memcpy(t.memory + TX_RING + 16, descriptor, 16);
	put(E1000_TDT, 2);
	assert_int_equal(t.sent[2].length, 61);
	descriptor[1] = 40 | CMD_END;
	memcpy(t.memory + TX_RING1 + 32, descriptor, 16);
	put(E1000E_TDT1, 3);
	assert_int_equal(t.sent[3].length, 70);
	assert_int_equal(t.sent_count, 4);
}

static void test_tx_broken(void **state)
{
	uint64_t descriptor[2] = { BUFFERS, 60 | CMD_END };

	(void)state;
	start_rings();
	put(E1000E_TDT1, RING);
	assert_int_equal(card.core.errors[E1000_ERROR_TX_RING], 1);
	/* The other one goes on. */
	memcpy(t.memory + TX_RING, descriptor, 16);
	put(E1000_TDT, 1);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(card.core.errors[E1000_ERROR_TX_RING], 1);
	memcpy(t.memory + TX_RING1, descriptor, 16);
	put(E1000E_TDT1, 1);
	assert_int_equal(t.sent_count, 2);
}

/* ---- Reception ---------------------------------------------------------- */

static void test_extended(void **state)
{
	uint8_t frame[200];
	uint32_t length;

	(void)state;
	start_rings();
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	put(E1000_RXCSUM, E1000_RXCSUM_IPOFL);
	put(E1000_CTRL, reg(E1000_CTRL) | E1000_CTRL_VME);
	length = frame_make(frame, own_mac, 6, 80);
	memmove(frame + 16, frame + 12, length - 12);
	be16_put(frame + 12, 0x8100);
	be16_put(frame + 14, 0x6005);
	arrive(frame, length + 4);
	assert_int_equal(word(RX_RING), 0);
	/* Length and tag; DD, EOP, VP, IPCS, and that IP's sum is wrong. */
	assert_int_equal(word(RX_RING + 8), 0x6005000000000000 |
						    (uint64_t)length << 32 |
						    0x4000004b);
	assert_memory_equal(t.memory + BUFFERS, frame, 12);
	assert_memory_equal(t.memory + BUFFERS + 12, frame + 16, length - 12);
	/* The packet's sum is where the hash would be. */
	put(E1000_RXCSUM, 14);
	arrive(frame, length + 4);
	assert_int_not_equal(word(RX_RING + 16) >> 48, 0);
	assert_int_equal(word(RX_RING + 16) << 16, 0);
}

/* A frame in several buffers of a descriptor, and in several of those. */
static void test_split(void **state)
{
	uint8_t frame[8000];
	uint64_t base = BUFFERS, words[4] = { base, base + 0x2000,
					      base + 0x4000, base + 0x6000 };

	(void)state;
	start_rings();
	put(E1000_RDH, 0);
	put(E1000_RDT, 0);
	for (unsigned i = 0; i < RING / 2; i++)
		memcpy(t.memory + RX_RING + i * 32, words, 32);
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	/* 256 bytes, 1, 2 and 0 KiB. */
	put(E1000E_PSRCTL, 2 | 1 << 8 | 2 << 16);
	put(E1000_RCTL, reg(E1000_RCTL) | E1000_RCTL_LPE | 1 << 10);
	put(E1000_RDT, 6); /* of units of 16 bytes, as the head */
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 13 + i / 256);
	memcpy(frame, own_mac, 6);
	arrive(frame, 3328 + 300);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(word(RX_RING + 8), 256ULL << 32 | 1);
	assert_int_equal(word(RX_RING + 16), 1024ULL << 16 | 2048ULL << 32);
	assert_int_equal(word(RX_RING + 32 + 8) & 0xffff00000003,
			 256ULL << 32 | 3);
	assert_int_equal(word(RX_RING + 32 + 16), 44ULL << 16);
	assert_int_equal(word(RX_RING + 32 + 24), 0);
	/* The second descriptor had the same buffers. */
	assert_memory_equal(t.memory + base, frame + 3328, 256);
	assert_memory_equal(t.memory + base + 0x2000, frame + 3584, 44);
	assert_memory_equal(t.memory + base + 0x2000 + 44, frame + 300, 980);
	assert_memory_equal(t.memory + base + 0x4000, frame + 1280, 2048);
	/* Three are free of which two are needed, then one: the frame waits. */
	put(E1000_RDT, 2);
	arrive(frame, 3328 + 300);
	assert_int_equal(reg(E1000_RDH), 0);
	arrive(frame, 3328 + 300);
	assert_int_equal(reg(E1000_RDH), 0);
	put(E1000_RDT, 6);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 0);
	/* From an odd place the last one is half outside, and still the last.
	 */
	put(E1000_RDH, 7);
	put(E1000_RDT, 4);
	arrive(frame, 100);
	assert_int_equal(reg(E1000_RDH), 0);
}

/* Sizes of nothing end in some size, and a flexible one counts. */
static void test_sizes(void **state)
{
	uint8_t frame[3000] = { 0 };

	(void)state;
	start_rings();
	memcpy(frame, own_mac, 6);
	put(E1000_RCTL, reg(E1000_RCTL) | E1000_RCTL_LPE | 1 << 27);
	arrive(frame, 2500);
	assert_int_equal(reg(E1000_RDH), 3);
	assert_int_equal(word(RX_RING + 8) & 0xffff, 1024);
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	put(E1000E_PSRCTL, 0);
	put(E1000_RCTL, reg(E1000_RCTL) | 1 << 10);
	put(E1000_RDH, 0);
	put(E1000_RDT, 6);
	arrive(frame, 2500);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 0);
}

/* ---- RSS ---------------------------------------------------------------- */

/* The key and packets by which Microsoft has such hashes verified. */
static const uint8_t rss_key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

#define FIELDS_ALL 0x001f0000U

static void rss_start(uint32_t fields)
{
	start_rings();
	for (unsigned i = 0; i < 10; i++) {
		uint32_t value;

		memcpy(&value, rss_key + 4 * i, 4);
		put(E1000E_RSSRK + 4 * i, value);
	}
	put(E1000E_MRQC, fields | E1000E_MRQC_RSS);
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	put(E1000_RXCSUM, E1000_RXCSUM_PCSD);
}

static uint32_t ipv4_make(uint8_t *frame, uint32_t source, uint32_t target,
			  uint16_t source_port, uint16_t target_port)
{
	uint32_t length = frame_make(frame, own_mac, 6, 40);

	be16_put(frame + 26, source >> 16);
	be16_put(frame + 28, source);
	be16_put(frame + 30, target >> 16);
	be16_put(frame + 32, target);
	be16_put(frame + 34, source_port);
	be16_put(frame + 36, target_port);
	return length;
}

static void test_hash_ipv4(void **state)
{
	static const struct {
		uint32_t source, target;
		uint16_t source_port, target_port;
		uint32_t hash, hash_tcp;
	} rows[] = {
		{ 0x420995bb, 0xa18e6450, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
		{ 0xc75c6f02, 0x41458c53, 14230, 4739, 0xd718262a, 0xc626b0ea },
		{ 0x1813c65f, 0x0c16cfb8, 12898, 38024, 0xd2d0a5de,
		  0x5c2b394a },
	};
	uint8_t frame[100];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t length =
			ipv4_make(frame, rows[i].source, rows[i].target,
				  rows[i].source_port, rows[i].target_port);

		rss_start(FIELDS_ALL);
		arrive(frame, length);
		assert_int_equal(word(RX_RING),
				 (uint64_t)rows[i].hash_tcp << 32 | 1);
		rss_start((uint32_t)E1000E_MRQC_IPV4);
		arrive(frame, length);
		assert_int_equal(word(RX_RING),
				 (uint64_t)rows[i].hash << 32 | 2);
		/* Of a fragment the ports may be elsewhere. */
		rss_start(FIELDS_ALL);
		frame[20] = 0x20;
		arrive(frame, length);
		assert_int_equal(word(RX_RING),
				 (uint64_t)rows[i].hash << 32 | 2);
	}
	rss_start((uint32_t)E1000E_MRQC_IPV6);
	arrive(frame, 94);
	assert_int_equal(word(RX_RING), 0);
}

static void test_hash_ipv6(void **state)
{
	static const uint8_t source[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00,
					    0x1f, 0xff, 0,    0,    0,	  0,
					    0,	  0,	0,    7 };
	static const uint8_t target[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00,
					    0,	  3,	0,    0,    0,	  0,
					    0,	  0,	0,    1 };
	uint8_t frame[100] = { 0 };

	(void)state;
	memcpy(frame, own_mac, 6);
	be16_put(frame + 12, 0x86dd);
	frame[14] = 0x60;
	frame[20] = 6;
	memcpy(frame + 22, source, 16);
	memcpy(frame + 38, target, 16);
	be16_put(frame + 54, 2794);
	be16_put(frame + 56, 1766);
	rss_start(FIELDS_ALL);
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0x40207d3d00000003);
	rss_start((uint32_t)E1000E_MRQC_IPV6);
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0x2cc18cd500000005);
	rss_start((uint32_t)E1000E_MRQC_IPV6_EX);
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0x2cc18cd500000004);
	/* What ends before its addresses has no hash. */
	rss_start(FIELDS_ALL);
	frame[12] = 0x88;
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0);
}

/* The second queue, its ring and its vector, by RETA. */
static void test_queues(void **state)
{
	uint8_t frame[100];
	uint32_t length = ipv4_make(frame, 0x420995bb, 0xa18e6450, 2794, 1766);

	(void)state;
	rss_start(FIELDS_ALL);
	msix_start();
	put(E1000_IMS, RXQ0 | RXQ1);
	/* Of 78h: 51CCC178h % 128. */
	put(E1000E_RETA + 0x78, 0x7f);
	arrive(frame, length);
	assert_int_equal(reg(E1000_RDH), 1);
	assert_int_equal(sent[0], 0x40);
	put(E1000E_RETA + 0x78, 0x80);
	arrive(frame, length);
	assert_int_equal(reg(E1000_RDH), 1);
	assert_int_equal(reg(E1000E_RDH1), 1);
	assert_int_equal(word(RX_RING1), 0x51ccc17800000101);
	assert_memory_equal(t.memory + BUFFERS1, frame, length);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[1], 0x41);
	/* A full ring has the frame wait, and room lets it go on. */
	put(E1000E_RDT1, 1);
	arrive(frame, length);
	assert_int_equal(reg(E1000E_RDH1), 1);
	put(E1000E_RDT1, 4);
	assert_int_equal(reg(E1000E_RDH1), 2);
	/* A broken one is not tried until it is written. */
	put(E1000E_RDH1, RING);
	arrive(frame, length);
	arrive(frame, length);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 1);
	put(E1000E_RDH1, 2);
	put(E1000E_RDT1, 6);
	assert_int_equal(reg(E1000E_RDH1), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tx_queues),
		cmocka_unit_test(test_tx_broken),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_hash_ipv4),
		cmocka_unit_test(test_hash_ipv6),
		cmocka_unit_test(test_queues),
	};

	return cmocka_run_group_tests_name("e1000e_queues", tests, NULL, NULL);
}
