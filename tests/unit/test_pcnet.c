/* SPDX-License-Identifier: BSD-2-Clause */
/* The Am79C970A: registers, blocks and descriptors of all styles, frames. */
#include "tests/unit/nic_test.h"

#include "devices/pcnet.h"

#define BLOCK	0x1000U
#define RX_RING 0x2000U
#define TX_RING 0x3000U
#define BUFFERS 0x10000U
#define RING	4U

static struct pcnet card;
static unsigned style; /* BCR20's SWSTYLE */

static void reg_select(unsigned index)
{
	bus_out(&t.b.ports, BAR_IO + PCNET_WIO_RAP, index, 2);
}

static uint16_t csr(unsigned index)
{
	reg_select(index);
	return (uint16_t)bus_in(&t.b.ports, BAR_IO + PCNET_WIO_RDP, 2);
}

static void csr_put(unsigned index, uint64_t value)
{
	reg_select(index);
	bus_out(&t.b.ports, BAR_IO + PCNET_WIO_RDP, value & 0xffff, 2);
}

static uint16_t bcr(unsigned index)
{
	reg_select(index);
	return (uint16_t)bus_in(&t.b.ports, BAR_IO + PCNET_WIO_BDP, 2);
}

static void bcr_put(unsigned index, uint64_t value)
{
	reg_select(index);
	bus_out(&t.b.ports, BAR_IO + PCNET_WIO_BDP, value & 0xffff, 2);
}

static void start(void)
{
	const struct nic_config config = {
		.pci = &t.pci,
		.devfn = DEVFN,
		.ram = &t.ram,
		.clock = &t.b.clock,
		.net = &t.net,
		.log = { test_print, NULL },
	};

	nic_bench_init("pcnet: ");
	assert_int_equal(pcnet_init(&card, &config), 0);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, BAR_IO);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0 + 4, 4, BAR0);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2,
			 PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
				 PCI_COMMAND_MASTER);
}

/* ---- Descriptors -------------------------------------------------------- */

static uint8_t *descriptor(uint32_t ring, unsigned index)
{
	return t.memory + ring + index * (style ? 16 : 8);
}

static uint32_t buffer_of(uint32_t ring, unsigned index)
{
	return BUFFERS + (ring == TX_RING ? 0x8000 : 0) + index * 0x800;
}

static void put32(uint8_t *at, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(at, &word, sizeof(word));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void give(uint32_t ring, unsigned index, uint64_t flags, uint32_t length)
{
	uint8_t *at = descriptor(ring, index);
	uint32_t buffer = buffer_of(ring, index);
	uint32_t count = 0xf000 | (-length & 0xfff);

	flags |= PCNET_D_OWN;
	if (!style) {
		put32(at, (uint32_t)flags | buffer);
		put32(at + 4, count);
		return;
	}
	put32(at + (style == 3 ? 8 : 0), buffer);
	put32(at + 4, flags | count);
	put32(at + (style == 3 ? 0 : 8), 0);
}

/* The upper half of the flags, as of 32 bits. */
static uint32_t flags_of(uint32_t ring, unsigned index)
{
	uint8_t *at = descriptor(ring, index);

	return style ? get32(at + 4) & 0xffff0000 : get32(at) & 0xff000000;
}

/* Errors, or a length. */
static uint32_t status_of(uint32_t ring, unsigned index)
{
	uint8_t *at = descriptor(ring, index);

	if (!style)
		return ring == TX_RING ? get32(at + 4) & 0xffff0000
				       : get32(at + 4) >> 16;
	return get32(at + (style == 3 ? 0 : 8));
}

/* An initialization block, in which both rings have RING descriptors. */
static void block_put(uint16_t mode, uint64_t filter)
{
	uint8_t *at = t.memory + BLOCK;

	memset(at, 0, 28);
	memcpy(at, &mode, 2);
	if (!style) {
		memcpy(at + 2, own_mac, 6);
		memcpy(at + 8, &filter, 8);
		put32(at + 16, RX_RING | 2U << 29);
		put32(at + 20, TX_RING | 2U << 29);
		return;
	}
	put32(at, mode | 2U << 28 | 2U << 20);
	memcpy(at + 4, own_mac, 6);
	memcpy(at + 12, &filter, 8);
	put32(at + 20, RX_RING);
	put32(at + 24, TX_RING);
}

static void start_rings(unsigned which, uint16_t mode, uint64_t filter)
{
	start();
	style = which;
	bcr_put(PCNET_BCR_SWS, which);
	block_put(mode, filter);
	for (unsigned i = 0; i < RING; i++)
		give(RX_RING, i, 0, 0x800);
	csr_put(1, BLOCK);
	csr_put(2, 0);
	csr_put(0, PCNET_INIT);
	assert_int_equal(csr(0), PCNET_INIT | PCNET_IDON | PCNET_INTR);
	csr_put(0, PCNET_IDON | PCNET_STRT | PCNET_IENA);
}

/* ---- Registers ---------------------------------------------------------- */

static void test_reset(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	unsigned sum = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < 16; i++) {
		uint8_t byte = inb(&t.b, (uint16_t)(BAR_IO + i));

		if (i < 6)
			assert_int_equal(byte, mac[i]);
		if (i != 12 && i != 13)
			sum += byte;
	}
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + 12, 2), sum);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + 14, 2), 0x5757);
	assert_int_equal(bus_in(&t.b.memory, BAR0, 4), 0x12005452);
	assert_int_equal(csr(0), PCNET_STOP);
	assert_int_equal(csr(4), 0x0115);
	assert_int_equal(csr(12), 0x5452);
	assert_int_equal(csr(14), 0x5634);
	assert_int_equal(csr(88), 0x1003);
	assert_int_equal(csr(89), 0x0262);
	assert_int_equal(bcr(PCNET_BCR_LNKST), 0x80c0);
	assert_int_equal(bcr(PCNET_BCR_SWS), 0x0200);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0, 4), 0x20001022);
	/* The reset port leaves BCRs. */
	csr_put(15, 0x8000);
	csr_put(76, 0xfffc);
	bcr_put(9, 1);
	(void)bus_in(&t.b.ports, BAR_IO + PCNET_WIO_RESET, 2);
	assert_int_equal(csr(15), 0);
	assert_int_equal(csr(76), 0xffff);
	assert_int_equal(bcr(9), 1);
	pcnet_reset(&card);
	assert_int_equal(card.state.bcr[9], 0);
}

static void test_widths(void **state)
{
	(void)state;
	start();
	/* Word I/O until a doubleword goes to RDP; a reset by port keeps it. */
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + PCNET_WIO_RAP, 4), ~0U);
	reg_select(88);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + PCNET_WIO_RAP, 2), 88);
	reg_select(0);
	bus_out(&t.b.ports, BAR_IO + PCNET_DWIO_RDP, 0, 4);
	bus_out(&t.b.ports, BAR_IO + PCNET_DWIO_RAP, 88, 4);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + PCNET_DWIO_RAP, 4), 88);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + PCNET_DWIO_RDP, 4),
			 0x1003);
	assert_int_equal(bus_in(&t.b.memory, BAR0 + PCNET_DWIO_RDP, 4), 0x1003);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + PCNET_WIO_RDP, 2), 0xffff);
	(void)bus_in(&t.b.ports, BAR_IO + PCNET_DWIO_RESET, 4);
	bus_out(&t.b.ports, BAR_IO + PCNET_DWIO_RAP, PCNET_BCR_BSBC, 4);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + PCNET_DWIO_BDP, 4),
			 0x9081);
	/* Over APROM's end. */
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + 14, 4), ~0U);
}

static void test_masks(void **state)
{
	(void)state;
	start();
	csr_put(3, 0xffff);
	assert_int_equal(csr(3), 0x5f7c);
	csr_put(8, 0x1234);
	assert_int_equal(csr(8), 0x1234);
	csr_put(16, 0x4321); /* IADR's other place */
	assert_int_equal(csr(1), 0x4321);
	csr_put(88, 0);
	assert_int_equal(csr(88), 0x1003);
	csr_put(112, 5);
	assert_int_equal(csr(112), 0);
	for (unsigned i = 0; i < 4; i++) {
		static const uint16_t values[] = { 0x200, 0x101, 0x302, 0x303 };

		bcr_put(PCNET_BCR_SWS, i);
		assert_int_equal(bcr(PCNET_BCR_SWS), values[i]);
		assert_int_equal(csr(58), values[i]);
	}
	assert_int_equal(bcr(40), 0);
	/* While it runs the rest is locked. */
	start_rings(2, 0, 0);
	csr_put(8, 0x1234);
	assert_int_equal(csr(8), 0);
	csr_put(5, PCNET_SPND);
	csr_put(8, 0x1234);
	assert_int_equal(csr(8), 0x1234);
	/* APROM may be written where it is told so. */
	bus_out(&t.b.ports, BAR_IO, 0x99, 1);
	assert_int_equal(inb(&t.b, BAR_IO), 0x52);
	bcr_put(PCNET_BCR_MC, PCNET_APROMWE);
	bus_out(&t.b.ports, BAR_IO, 0x99, 1);
	assert_int_equal(inb(&t.b, BAR_IO), 0x99);
}

static void test_interrupt(void **state)
{
	(void)state;
	start_rings(2, 0, 0);
	assert_false(line());
	csr_put(4, PCNET_UINTCMD | PCNET_TXSTRTM);
	assert_true(line());
	assert_true(csr(0) & PCNET_INTR);
	csr_put(4, PCNET_UINT | PCNET_TXSTRTM);
	assert_false(line());
	frame_make(t.memory + BUFFERS, own_mac, 17, 100);
	arrive(t.memory + BUFFERS, 134);
	assert_true(line());
	csr_put(3, PCNET_RINT);
	assert_false(line());
	csr_put(3, 0);
	assert_true(line());
	csr_put(0, 0); /* IENA off */
	assert_false(line());
	csr_put(0, PCNET_IENA);
	assert_true(line());
	csr_put(0, PCNET_IENA | PCNET_RINT);
	assert_false(line());
	csr_put(0, PCNET_STOP);
	assert_int_equal(csr(0), PCNET_STOP);
}

/* ---- Initialization ----------------------------------------------------- */

static void test_block(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		start_rings(i, PCNET_DTX, 0x8877665544332211);
		assert_int_equal(csr(0), PCNET_INIT | PCNET_STRT | PCNET_IENA |
						 PCNET_RXON);
		assert_int_equal(csr(8), 0x2211);
		assert_int_equal(csr(11), 0x8877);
		assert_int_equal(csr(12), 0x5452);
		assert_int_equal(csr(14), 0x5634);
		assert_int_equal(csr(15), PCNET_DTX);
		assert_int_equal(csr(24), RX_RING);
		assert_int_equal(csr(30), TX_RING);
		assert_int_equal(csr(76), 0xfffc);
		assert_int_equal(csr(78), 0xfffc);
		assert_int_equal(csr(72), 0xfffc);
	}
}

static void test_bad_block(void **state)
{
	(void)state;
	start();
	csr_put(1, 0);
	csr_put(2, RAM_SIZE >> 16);
	csr_put(0, PCNET_INIT | PCNET_STRT);
	assert_true(csr(0) & PCNET_MERR);
	assert_true(csr(0) & PCNET_ERR);
	assert_false(csr(0) & PCNET_IDON);
	assert_int_equal(card.errors[PCNET_ERROR_BLOCK], 1);
	/* Rings that are not in memory. */
	start_rings(2, 0, 0);
	csr_put(0, PCNET_STOP);
	csr_put(31, 0xf000);
	csr_put(0, PCNET_STRT);
	assert_true(csr(0) & PCNET_MERR);
	assert_false(csr(0) & (PCNET_TXON | PCNET_RXON));
	assert_int_equal(card.errors[PCNET_ERROR_RING], 1);
	bench_step(&t.b, NSEC_PER_SEC);
	assert_int_equal(card.errors[PCNET_ERROR_RING], 1);
	assert_int_equal(t.warnings, 1);
}

/* ---- Transmission ------------------------------------------------------- */

static void test_send_frames(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		start_rings(i, 0, 0);
		for (unsigned k = 0; k < 6; k++) {
			uint8_t *at = t.memory + buffer_of(TX_RING, k % RING);
			uint32_t length =
				frame_make(at, other_mac, 17, 100 + k);

			give(TX_RING, k % RING, PCNET_D_STP | PCNET_D_ENP,
			     length);
			csr_put(0, PCNET_TDMD | PCNET_IENA);
			assert_int_equal(t.sent_count, k + 1);
			assert_int_equal(t.sent[k].length, length);
			assert_memory_equal(t.sent[k].data, at, length);
			assert_int_equal(flags_of(TX_RING, k % RING),
					 PCNET_D_STP | PCNET_D_ENP);
			assert_int_equal(status_of(TX_RING, k % RING), 0);
			assert_true(line());
			csr_put(0, PCNET_TINT | PCNET_IENA);
			csr_put(4, PCNET_TXSTRT);
			assert_false(line());
		}
		assert_int_equal(csr(74), 0xfffe);
	}
}

static void test_chain(void **state)
{
	(void)state;
	start_rings(2, 0, 0);
	frame_make(t.memory + buffer_of(TX_RING, 0), other_mac, 17, 0);
	give(TX_RING, 0, PCNET_D_STP, 20);
	give(TX_RING, 1, 0, 30);
	give(TX_RING, 2, PCNET_D_ENP, 50);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].length, 100);
	for (unsigned i = 0; i < 3; i++)
		assert_false(flags_of(TX_RING, i) & PCNET_D_OWN);
	/* Short, and with the driver's own FCS. */
	give(TX_RING, 3, PCNET_D_STP | PCNET_D_ENP, 20);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(t.sent[1].length, NET_FRAME_MIN);
	assert_int_equal(t.sent[1].data[20], 0);
	start_rings(2, PCNET_DXMTFCS, 0);
	give(TX_RING, 0, PCNET_D_STP | PCNET_D_ENP, 100);
	give(TX_RING, 1, PCNET_D_STP | PCNET_D_ENP | PCNET_D_ADD_FCS, 100);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(t.sent[0].length, 96);
	assert_int_equal(t.sent[1].length, 100);
}

static void test_bad_frames(void **state)
{
	(void)state;
	/* A beginning without an end stops the transmitter. */
	start_rings(2, 0, 0);
	give(TX_RING, 0, PCNET_D_STP, 100);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(card.errors[PCNET_ERROR_TX_CHAIN], 1);
	assert_int_equal(flags_of(TX_RING, 0), PCNET_D_ERR | PCNET_D_STP);
	assert_int_equal(status_of(TX_RING, 0), PCNET_D_BUFF | PCNET_D_UFLO);
	assert_false(csr(0) & PCNET_TXON);
	assert_true(csr(0) & PCNET_TINT);
	/* So does a ring without any end. */
	start_rings(0, 0, 0);
	for (unsigned i = 0; i < RING; i++)
		give(TX_RING, i, PCNET_D_STP, 10);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(card.errors[PCNET_ERROR_TX_CHAIN], 1);
	assert_false(csr(0) & PCNET_TXON);
	/* Too long: it is dropped, the next one goes. */
	start_rings(2, 0, 0);
	give(TX_RING, 0, PCNET_D_STP, 1500);
	give(TX_RING, 1, PCNET_D_ENP, 1500);
	give(TX_RING, 2, PCNET_D_STP | PCNET_D_ENP, 100);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(card.errors[PCNET_ERROR_TX_LENGTH], 1);
	assert_true(csr(0) & PCNET_BABL);
	assert_int_equal(t.sent_count, 1);
	/* Without a beginning it is passed by. */
	give(TX_RING, 3, PCNET_D_ENP, 100);
	give(TX_RING, 0, PCNET_D_STP | PCNET_D_ENP, 101);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(card.errors[PCNET_ERROR_TX_START], 1);
	assert_int_equal(t.sent[1].length, 101);
}

static void test_full(void **state)
{
	(void)state;
	start_rings(2, 0, 0);
	t.room = 1;
	for (unsigned i = 0; i < 3; i++)
		give(TX_RING, i, PCNET_D_STP | PCNET_D_ENP, 100 + i);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(t.sent_count, 1);
	assert_true(flags_of(TX_RING, 1) & PCNET_D_OWN);
	t.room = 10;
	t.device.writable(t.device.dev);
	assert_int_equal(t.sent_count, 3);
	/* Without a link it is lost, and said to be. */
	t.device.link_changed(t.device.dev, false);
	assert_int_equal(bcr(PCNET_BCR_LNKST), 0x00c0);
	give(TX_RING, 3, PCNET_D_STP | PCNET_D_ENP, 100);
	csr_put(0, PCNET_TDMD);
	assert_int_equal(t.sent_count, 3);
	assert_int_equal(status_of(TX_RING, 3), PCNET_D_LCAR);
	assert_true(flags_of(TX_RING, 3) & PCNET_D_ERR);
}

/* Until the driver demands, and unless DPOLL says not to. */
static void test_poll(void **state)
{
	(void)state;
	start_rings(2, 0, 0);
	give(TX_RING, 0, PCNET_D_STP | PCNET_D_ENP, 100);
	assert_int_equal(t.sent_count, 0);
	bench_step(&t.b, 3000000);
	assert_int_equal(t.sent_count, 1);
	csr_put(0, PCNET_TDMD);
	bench_step(&t.b, 3000000);
	assert_null(t.b.clock.first);
	start_rings(2, 0, 0);
	csr_put(4, PCNET_DPOLL);
	bench_step(&t.b, 3000000);
	assert_null(t.b.clock.first);
}

/* ---- Reception ---------------------------------------------------------- */

static uint8_t frame[2000];

static void test_receive_frames(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t flags = PCNET_D_STP | PCNET_D_ENP;

		start_rings(i, 0, 0);
		if (i)
			flags |= PCNET_D_PAM;
		for (unsigned k = 0; k < 6; k++) {
			uint32_t length =
				frame_make(frame, own_mac, 17, 100 + k);
			uint8_t *at = t.memory + buffer_of(RX_RING, k % RING);

			arrive(frame, length);
			assert_memory_equal(at, frame, length);
			assert_int_equal(get32(at + length),
					 ~net_crc(frame, length));
			assert_int_equal(flags_of(RX_RING, k % RING), flags);
			assert_int_equal(status_of(RX_RING, k % RING),
					 length + 4);
			assert_true(csr(0) & PCNET_RINT);
			assert_true(line());
			csr_put(0, PCNET_RINT | PCNET_IENA);
			give(RX_RING, k % RING, 0, 0x800);
		}
	}
}

static void test_filters(void **state)
{
	static const uint8_t group[] = { 0x01, 0, 0x5e, 0, 0, 1 };
	static const uint8_t all[] = { 255, 255, 255, 255, 255, 255 };
	uint64_t bit = 1ULL << net_hash_low(group);
	const struct {
		const uint8_t *to;
		uint64_t mode, filter, flags;
	} rows[] = {
		{ own_mac, 0, 0, PCNET_D_PAM },
		{ own_mac, PCNET_DRCVPA, 0, 0 },
		{ own_mac, PCNET_DRX, 0, 0 },
		{ other_mac, 0, ~0ULL, 0 },
		{ other_mac, PCNET_PROM, 0, PCNET_D_ENP },
		{ all, 0, 0, PCNET_D_BAM },
		{ all, PCNET_DRCVBC, ~0ULL, 0 },
		{ group, 0, bit, PCNET_D_LAFM },
		{ group, 0, ~bit, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start_rings(2, (uint16_t)rows[i].mode, rows[i].filter);
		arrive(frame, frame_make(frame, rows[i].to, 17, 30));
		assert_int_equal(t.queue_head, 1);
		assert_int_equal(flags_of(RX_RING, 0),
				 rows[i].flags ? rows[i].flags | PCNET_D_STP |
							 PCNET_D_ENP
					       : PCNET_D_OWN);
	}
}

static void test_buffers(void **state)
{
	uint32_t length;

	(void)state;
	start_rings(2, 0, 0);
	for (unsigned i = 0; i < RING; i++)
		give(RX_RING, i, 0, 100);
	length = frame_make(frame, own_mac, 17, 216); /* 250, 254 with FCS */
	arrive(frame, length);
	assert_int_equal(flags_of(RX_RING, 0), PCNET_D_STP);
	assert_int_equal(flags_of(RX_RING, 1), 0);
	assert_int_equal(flags_of(RX_RING, 2), PCNET_D_ENP | PCNET_D_PAM);
	assert_int_equal(status_of(RX_RING, 2), 254);
	assert_memory_equal(t.memory + buffer_of(RX_RING, 1), frame + 100, 100);
	assert_memory_equal(t.memory + buffer_of(RX_RING, 2), frame + 200, 50);
	/* There is not enough: it waits, and the card looks again. */
	arrive(frame, length);
	assert_int_equal(t.queue_head, 1);
	assert_true(flags_of(RX_RING, 3) & PCNET_D_OWN);
	for (unsigned i = 0; i < 3; i++)
		give(RX_RING, i, 0, 100);
	bench_step(&t.b, 3000000);
	assert_int_equal(t.queue_head, 2);
	assert_int_equal(flags_of(RX_RING, 3), PCNET_D_STP);
	assert_int_equal(csr(112), 0);
	/* Never enough. */
	give(RX_RING, 0, 0, 100);
	give(RX_RING, 3, 0, 100);
	for (unsigned i = 0; i < RING; i++)
		give(RX_RING, i, 0, 20);
	arrive(frame, length);
	assert_int_equal(t.queue_head, 3);
	assert_int_equal(card.errors[PCNET_ERROR_RX_LENGTH], 1);
}

static void test_loopback(void **state)
{
	uint8_t *at;
	uint32_t length;

	(void)state;
	start_rings(2, PCNET_LOOP, 0);
	at = t.memory + buffer_of(TX_RING, 0);
	length = frame_make(at, own_mac, 17, 200);
	for (unsigned i = 0; i < 5; i++) {
		memcpy(t.memory + buffer_of(TX_RING, i % RING), at, length);
		give(TX_RING, i % RING, PCNET_D_STP | PCNET_D_ENP, length);
		csr_put(0, PCNET_TDMD);
		assert_int_equal(csr(112), i / RING);
		assert_int_equal(!!(csr(0) & PCNET_MISS), i / RING);
	}
	assert_int_equal(t.sent_count, 0);
	assert_memory_equal(t.memory + buffer_of(RX_RING, 3), at, length);
	arrive(at, length);
	assert_int_equal(t.queue_head, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_bad_block),
		cmocka_unit_test(test_send_frames),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_receive_frames),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
