/* SPDX-License-Identifier: BSD-2-Clause */
/* The 82540EM transmits: descriptors, checksums, segments, broken rings. */
#include "tests/unit/e1000_test.h"

#define CMD_DATA (E1000_TXD_DEXT | FIELD_PUT(E1000_TXD_TYPE, 1))
#define CMD_END	 (E1000_TXD_EOP | E1000_TXD_IFCS | E1000_TXD_RS)
#define GARBAGE	 0x5a

static unsigned tail;

static void begin(void)
{
	start_rings();
	tail = 0;
}

static uint8_t *descriptor(unsigned i)
{
	return t.memory + TX_RING + (size_t)i * E1000_DESCRIPTOR_SIZE;
}

/* The next one; nothing is sent before kick(). */
static void push(uint64_t low, uint64_t high)
{
	memcpy(descriptor(tail), &low, 8);
	memcpy(descriptor(tail) + 8, &high, 8);
	tail = (tail + 1) % RING;
}

static void kick(void)
{
	put(E1000_TDT, tail);
}

static bool is_done(unsigned i)
{
	return descriptor(i)[12] & 1;
}

static void context(struct e1000_sum ip, struct e1000_sum transport,
		    uint64_t high)
{
	uint64_t low = ip.start | (uint64_t)ip.offset << 8 |
		       (uint64_t)ip.end << 16 |
		       (uint64_t)transport.start << 32 |
		       (uint64_t)transport.offset << 40 |
		       (uint64_t)transport.end << 48;

	push(low, high | E1000_TXD_DEXT);
}

/* ---- Legacy descriptors ------------------------------------------------- */

static void test_legacy(void **state)
{
	uint32_t length;

	(void)state;
	begin();
	length = frame_make(t.memory + BUFFERS, other_mac, 17, 100);
	push(BUFFERS, length | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].length, length);
	assert_memory_equal(t.sent[0].data, t.memory + BUFFERS, length);
	assert_true(is_done(0));
	assert_int_equal(reg(E1000_TDH), 1);
	assert_int_equal(reg(E1000_ICR), E1000_CAUSE_TXDW | E1000_CAUSE_TXQE);
	assert_int_equal(statistic(E1000_TPT), 1);
	assert_int_equal(statistic(E1000_GOTCL), length + 4);
}

static void test_pieces(void **state)
{
	uint32_t length;

	(void)state;
	begin();
	length = frame_make(t.memory + BUFFERS, other_mac, 17, 300);
	push(BUFFERS, 20 | E1000_TXD_RS);
	push(0, 0); /* nothing of it */
	push(BUFFERS + 20, 1);
	kick();
	/* A packet may come by many tails. */
	assert_int_equal(t.sent_count, 0);
	assert_true(is_done(0));
	assert_false(is_done(2)); /* no RS */
	push(BUFFERS + 21, (length - 21) | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].length, length);
	assert_memory_equal(t.sent[0].data, t.memory + BUFFERS, length);
}

static void test_wrap(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 3 * RING; i++) {
		t.memory[BUFFERS + 20] = (uint8_t)i;
		push(BUFFERS, 60 | CMD_END);
		kick();
		assert_int_equal(t.sent_count, i + 1);
		assert_int_equal(t.sent[i].data[20], i);
		assert_int_equal(reg(E1000_TDH), (i + 1) % RING);
	}
	assert_int_equal(t.warnings, 0);
}

static void test_legacy_sum(void **state)
{
	uint8_t *frame;
	uint32_t length;

	(void)state;
	begin();
	frame = t.memory + BUFFERS;
	length = frame_make(frame, other_mac, 17, 101);
	be16_put(frame + 24, (uint16_t)~sum_slow(frame + 14, 20, 0));
	be16_put(frame + 40, sum_pseudo(frame, 101));
	push(BUFFERS, length | CMD_END | E1000_TXD_IC |
			      FIELD_PUT(E1000_TXD_CSO, 40) |
			      FIELD_PUT(E1000_TXD_CSS, 34ULL));
	kick();
	assert_sums(t.sent[0].data, length);
	/* Outside of the frame there is nothing to be summed. */
	push(BUFFERS, length | CMD_END | E1000_TXD_IC |
			      FIELD_PUT(E1000_TXD_CSO, 255) |
			      FIELD_PUT(E1000_TXD_CSS, 200ULL));
	kick();
	assert_memory_equal(t.sent[1].data, frame, length);
}

static void test_short(void **state)
{
	(void)state;
	begin();
	memset(t.memory + BUFFERS, GARBAGE, 64);
	push(BUFFERS, 20 | CMD_END);
	kick();
	assert_int_equal(t.sent[0].length, 60);
	assert_int_equal(t.sent[0].data[19], GARBAGE);
	assert_int_equal(t.sent[0].data[20], 0);
	/* The FCS is the driver's: it is not part of what is sent. */
	push(BUFFERS, 64 | (uint64_t)E1000_TXD_EOP);
	kick();
	assert_int_equal(t.sent[1].length, 60);
	assert_int_equal(t.sent[1].data[59], GARBAGE);
}

static void test_vlan(void **state)
{
	static const uint8_t tag[] = { 0x81, 0, 0x20, 0x05 };
	uint64_t high = 64 | CMD_END | E1000_TXD_VLE |
			FIELD_PUT(E1000_TXD_SPECIAL, 0x2005ULL);

	(void)state;
	begin();
	for (unsigned i = 0; i < 64; i++)
		t.memory[BUFFERS + i] = (uint8_t)i;
	push(BUFFERS, high);
	kick();
	assert_int_equal(t.sent[0].length, 64); /* without VME */
	put(E1000_CTRL, (uint32_t)(reg(E1000_CTRL) | E1000_CTRL_VME));
	push(BUFFERS, high);
	kick();
	assert_int_equal(t.sent[1].length, 68);
	assert_memory_equal(t.sent[1].data, t.memory + BUFFERS, 12);
	assert_memory_equal(t.sent[1].data + 12, tag, 4);
	assert_memory_equal(t.sent[1].data + 16, t.memory + BUFFERS + 12, 52);
}

/* ---- Extended descriptors ----------------------------------------------- */

static const struct e1000_sum ip_sum = { 14, 24, 33 };
static const struct e1000_sum udp_sum = { 34, 40, 0 };
static const struct e1000_sum tcp_sum = { 34, 50, 0 };

static void test_context(void **state)
{
	uint8_t *frame;
	uint32_t length;

	(void)state;
	begin();
	frame = t.memory + BUFFERS;
	length = frame_make(frame, other_mac, 17, 77);
	be16_put(frame + 40, sum_pseudo(frame, 77));
	context(ip_sum, udp_sum, E1000_TXD_RS);
	/* POPTS of the first descriptor are the packet's. */
	push(BUFFERS, 40 | CMD_DATA | E1000_TXD_IXSM | E1000_TXD_TXSM);
	push(BUFFERS + 40, (length - 40) | CMD_DATA | CMD_END);
	kick();
	assert_true(is_done(0));
	assert_int_equal(t.sent_count, 1);
	assert_sums(t.sent[0].data, length);
	/* A context lasts; what does not ask for sums is left alone. */
	push(BUFFERS, length | CMD_DATA | CMD_END);
	push(BUFFERS,
	     length | CMD_DATA | CMD_END | E1000_TXD_IXSM | E1000_TXD_TXSM);
	kick();
	assert_memory_equal(t.sent[1].data, frame, length);
	assert_sums(t.sent[2].data, length);
}

/* A sum of zero is none in UDP. */
static void test_udp_zero(void **state)
{
	uint8_t *frame;
	uint32_t length;
	uint16_t sum;

	(void)state;
	begin();
	frame = t.memory + BUFFERS;
	length = frame_make(frame, other_mac, 17, 40);
	be16_put(frame + 40, 0);
	be16_put(frame + 60, 0);
	sum = sum_slow(frame + 34, 40, sum_pseudo(frame, 40));
	be16_put(frame + 60, (uint16_t)~sum);
	be16_put(frame + 40, sum_pseudo(frame, 40));
	context(ip_sum, udp_sum, 0);
	push(BUFFERS, length | CMD_DATA | CMD_END | E1000_TXD_TXSM);
	kick();
	assert_int_equal(be16(t.sent[0].data + 40), 0xffff);
}

/* Sequence numbers, flags, lengths and sums of one of the segments. */
static void segment_check(unsigned which, uint32_t sent, uint32_t payload,
			  bool is_last)
{
	const uint8_t *frame = t.sent[which].data;
	const uint8_t *whole = t.memory + BUFFERS;
	uint32_t length = MAX(54 + payload, 60U);

	assert_int_equal(t.sent[which].length, length);
	assert_int_equal(be16(frame + 16), 40 + payload);
	assert_int_equal(be16(frame + 18), 0x1234 + which);
	assert_int_equal(be32(frame + 38), 0xffffff00 + sent);
	assert_int_equal(frame[47], is_last ? 0x19 : 0x10);
	assert_memory_equal(frame + 54, whole + 54 + sent, payload);
	assert_sums(frame, 54 + payload);
}

static uint32_t segmentation(uint32_t payload, uint16_t mss)
{
	uint8_t *frame = t.memory + BUFFERS;

	frame_make(frame, other_mac, 6, 20 + payload);
	be16_put(frame + 16, 0);
	be16_put(frame + 38, 0xffff); /* the sequence number will wrap */
	be16_put(frame + 40, 0xff00);
	frame[46] = 0x50;
	frame[47] = 0x19; /* ACK, PSH, FIN */
	be16_put(frame + 50, sum_pseudo(frame, 0));
	context(ip_sum, tcp_sum,
		E1000_TXD_TSE | E1000_TXD_TUCMD_TCP | E1000_TXD_TUCMD_IP |
			payload | FIELD_PUT(E1000_TXD_HDRLEN, 54ULL) |
			FIELD_PUT(E1000_TXD_MSS, (uint64_t)mss));
	return 54 + payload;
}

#define CMD_TSO (CMD_DATA | E1000_TXD_TSE | E1000_TXD_IFCS)
#define SUMS	(E1000_TXD_IXSM | E1000_TXD_TXSM)

static void test_segments(void **state)
{
	uint32_t length;

	(void)state;
	begin();
	length = segmentation(3500, 1000);
	push(BUFFERS, 54 | CMD_TSO | SUMS);
	push(BUFFERS + 54, 1500 | CMD_TSO);
	push(BUFFERS + 1554, (length - 1554) | CMD_TSO | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 4);
	segment_check(0, 0, 1000, false);
	segment_check(1, 1000, 1000, false);
	segment_check(2, 2000, 1000, false);
	segment_check(3, 3000, 500, true);
	assert_int_equal(statistic(E1000_TSCTC), 1);
	assert_int_equal(statistic(E1000_TSCTFC), 1);
}

/* The header in pieces; segments that end where descriptors do. */
static void test_segments_even(void **state)
{
	uint32_t length;

	(void)state;
	begin();
	length = segmentation(3000, 1000);
	push(BUFFERS, 10 | CMD_TSO | SUMS);
	push(BUFFERS + 10, 1044 | CMD_TSO);
	push(BUFFERS + 1054, (length - 1054) | CMD_TSO | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 3);
	segment_check(0, 0, 1000, false);
	segment_check(1, 1000, 1000, false);
	segment_check(2, 2000, 1000, true);
	assert_int_equal(reg(E1000_TDH), 4);
}

static void test_segments_udp(void **state)
{
	uint8_t *frame;

	(void)state;
	begin();
	frame = t.memory + BUFFERS;
	frame_make(frame, other_mac, 17, 8 + 150);
	be16_put(frame + 40, sum_pseudo(frame, 0));
	context(ip_sum, udp_sum,
		E1000_TXD_TSE | E1000_TXD_TUCMD_IP | 150 |
			FIELD_PUT(E1000_TXD_HDRLEN, 42ULL) |
			FIELD_PUT(E1000_TXD_MSS, 100ULL));
	push(BUFFERS, 192 | CMD_TSO | CMD_END | SUMS);
	kick();
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(be16(t.sent[0].data + 38), 108);
	assert_int_equal(be16(t.sent[1].data + 38), 58);
	assert_sums(t.sent[0].data, 142);
	assert_sums(t.sent[1].data, 92);
}

/* What makes no segments is dropped, and the next packet is as it should be. */
static void test_segments_bad(void **state)
{
	static const struct {
		uint64_t header, mss;
	} rows[] = {
		{ 0, 1000 },
		{ 54, 0 },
		{ 255, NET_FRAME_MAX - 254 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		context(ip_sum, tcp_sum,
			E1000_TXD_TSE | 1000 |
				FIELD_PUT(E1000_TXD_HDRLEN, rows[i].header) |
				FIELD_PUT(E1000_TXD_MSS, rows[i].mss));
		push(BUFFERS, 100 | CMD_TSO);
		push(BUFFERS, 500 | CMD_TSO | CMD_END);
		push(BUFFERS, 60 | CMD_END);
		kick();
		assert_int_equal(t.sent_count, 1);
		assert_int_equal(t.sent[0].length, 60);
		assert_true(is_done(2));
		assert_int_equal(card.core.errors[E1000_ERROR_TX_SEGMENT], 1);
		assert_int_equal(t.warnings, 1);
	}
	/* Headers that are not within the header: left as they are. */
	begin();
	context((struct e1000_sum){ 200, 210, 0 },
		(struct e1000_sum){ 220, 230, 0 },
		E1000_TXD_TSE | E1000_TXD_TUCMD_TCP | 1000 |
			FIELD_PUT(E1000_TXD_HDRLEN, 20ULL) |
			FIELD_PUT(E1000_TXD_MSS, 50ULL));
	push(BUFFERS, 120 | CMD_TSO | CMD_END | SUMS);
	kick();
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(t.sent[1].length, 70);
}

/* ---- A full backend, the link, loopback ---------------------------------- */

static void test_full(void **state)
{
	uint32_t length;

	(void)state;
	begin();
	t.room = 2;
	length = segmentation(3500, 1000);
	push(BUFFERS, length | CMD_TSO | CMD_END | SUMS);
	push(BUFFERS, 60 | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(reg(E1000_TDH), 1);
	assert_false(is_done(1));
	t.room = 1;
	t.device.writable(t.device.dev);
	assert_int_equal(t.sent_count, 3);
	t.room = 9;
	t.device.writable(t.device.dev);
	assert_int_equal(t.sent_count, 5);
	segment_check(2, 2000, 1000, false);
	segment_check(3, 3000, 500, true);
	assert_int_equal(reg(E1000_TDH), 3);
	/* The backend refused it, so it went once. */
	assert_int_equal(statistic(E1000_GPTC), 5);
}

static void test_link_down(void **state)
{
	(void)state;
	begin();
	t.device.link_changed(t.device.dev, false);
	push(BUFFERS, 60 | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 0);
	assert_true(is_done(0)); /* it is lost, not stuck */
	/* One that waits is let go of when the cable is pulled. */
	t.device.link_changed(t.device.dev, true);
	t.room = 0;
	push(BUFFERS, 60 | CMD_END);
	kick();
	assert_false(is_done(1));
	t.device.link_changed(t.device.dev, false);
	assert_true(is_done(1));
}

static void test_off(void **state)
{
	(void)state;
	begin();
	put(E1000_TCTL, 0);
	push(BUFFERS, 60 | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 0);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(E1000_TCTL, (uint32_t)E1000_TCTL_EN);
	assert_int_equal(t.sent_count, 0);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(t.sent_count, 1);
}

static void test_loopback(void **state)
{
	(void)state;
	begin();
	put(E1000_RCTL, reg(E1000_RCTL) | 0xc0);
	memcpy(t.memory + BUFFERS + KIB(200), own_mac, 6);
	push(BUFFERS + KIB(200), 64 | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 0);
	assert_int_equal(reg(E1000_RDH), 1);
	assert_memory_equal(t.memory + BUFFERS, t.memory + BUFFERS + KIB(200),
			    64);
	assert_int_equal(statistic(E1000_GPRC), 1);
}

/* ---- Delays ------------------------------------------------------------- */

static void test_delay(void **state)
{
	uint64_t high = 60 | CMD_END | E1000_TXD_IDE;

	(void)state;
	begin();
	put(E1000_IMS, (uint32_t)E1000_CAUSE_TXDW);
	put(E1000_TIDV, 300);
	put(E1000_TADV, 450);
	push(BUFFERS, high);
	kick();
	assert_true(is_done(0));
	assert_false(line());
	bench_step(&t.b, 307199);
	assert_false(line());
	bench_step(&t.b, 1);
	assert_true(line());
	(void)reg(E1000_ICR);
	/* Each one prolongs it, up to TADV. */
	push(BUFFERS, high);
	kick();
	bench_step(&t.b, 270000);
	push(BUFFERS, high);
	kick();
	bench_step(&t.b, 190000);
	assert_false(line());
	bench_step(&t.b, 800);
	assert_true(line());
	(void)reg(E1000_ICR);
	/* Now, by TIDV's top bit; or with another interrupt. */
	push(BUFFERS, high);
	kick();
	put(E1000_TIDV, 300 | (uint32_t)E1000_DELAY_FLUSH);
	assert_true(line());
	(void)reg(E1000_ICR);
	push(BUFFERS, high);
	kick();
	put(E1000_IMS, (uint32_t)E1000_CAUSE_LSC);
	put(E1000_ICS, (uint32_t)E1000_CAUSE_LSC);
	assert_true(reg(E1000_ICR) & E1000_CAUSE_TXDW);
	assert_int_equal(t.b.clock.first ? 1 : 0, 0);
}

/* Short delays are as long as an answer takes to come. */
static void test_patience(void **state)
{
	uint64_t high = 60 | CMD_END | E1000_TXD_IDE;

	(void)state;
	begin();
	put(E1000_IMS, (uint32_t)E1000_CAUSE_TXDW);
	put(E1000_TIDV, 8);
	put(E1000_TADV, 32);
	push(BUFFERS, high);
	kick();
	bench_step(&t.b, 100000);
	push(BUFFERS, high);
	kick();
	bench_step(&t.b, 99679);
	assert_false(line());
	bench_step(&t.b, 1);
	assert_true(line());
	(void)reg(E1000_ICR);
	/* Not asked for, there is none. */
	push(BUFFERS, 60 | CMD_END);
	kick();
	assert_true(line());
}

/* ---- What no driver should do ------------------------------------------- */

static void test_broken_ring(void **state)
{
	static const uint32_t rows[][2] = { { RING, 0 },
					    { 0, RING },
					    { 0xffff, 0xfffe } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		put(E1000_TDH, rows[i][0]);
		put(E1000_TDT, rows[i][1]);
		assert_int_equal(card.core.errors[E1000_ERROR_TX_RING], 1);
		assert_int_equal(t.sent_count, 0);
		put(E1000_TDH, 0);
		push(BUFFERS, 60 | CMD_END);
		kick();
		assert_int_equal(t.sent_count, 1);
	}
	begin();
	put(E1000_TDLEN, 0);
	put(E1000_TDT, 1);
	assert_int_equal(card.core.errors[E1000_ERROR_TX_RING], 1);
}

static void test_long(void **state)
{
	(void)state;
	begin();
	push(BUFFERS, NET_FRAME_MAX | CMD_DATA | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].length, NET_FRAME_MAX);
	push(BUFFERS, NET_FRAME_MAX | CMD_DATA);
	push(BUFFERS, 1 | CMD_DATA);
	push(BUFFERS, 60 | CMD_DATA | CMD_END);
	push(BUFFERS, 61 | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(t.sent[1].length, 61);
	assert_int_equal(card.core.errors[E1000_ERROR_TX_LENGTH], 1);
}

static void test_type(void **state)
{
	(void)state;
	begin();
	push(BUFFERS,
	     60 | E1000_TXD_DEXT | CMD_END | FIELD_PUT(E1000_TXD_TYPE, 7));
	push(BUFFERS, 60 | CMD_END);
	kick();
	assert_int_equal(card.core.errors[E1000_ERROR_TX_TYPE], 1);
	assert_int_equal(t.sent_count, 1);
}

/* Descriptors and data where there is no memory: ones, and no harm. */
static void test_nowhere(void **state)
{
	(void)state;
	begin();
	push(RAM_SIZE - 30, 60 | CMD_END);
	push(~0ULL - 3, 60 | CMD_END);
	kick();
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(t.sent[0].data[29], 0);
	assert_int_equal(t.sent[0].data[30], 0xff);
	put(E1000_TDBAL, 0xfffffff0);
	put(E1000_TDBAH, ~0U);
	put(E1000_TDT, 5);
	assert_true(reg(E1000_TDH) == 5);
}

/* A ring as long as can be takes many calls, each of them short. */
static void test_budget(void **state)
{
	unsigned calls = 0;

	(void)state;
	begin();
	put(E1000_TDBAL, (uint32_t)KIB(512));
	put(E1000_TDLEN, 0x7ff80);
	put(E1000_TDT, 0x7000);
	assert_int_not_equal(reg(E1000_TDH), 0x7000);
	while (reg(E1000_TDH) != 0x7000 && calls++ < 1000)
		bench_step(&t.b, 1000);
	assert_int_equal(reg(E1000_TDH), 0x7000);
	assert_true(calls > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_legacy_sum),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_udp_zero),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_segments_even),
		cmocka_unit_test(test_segments_udp),
		cmocka_unit_test(test_segments_bad),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_link_down),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_broken_ring),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests_name("e1000_tx", tests, NULL, NULL);
}
