/* SPDX-License-Identifier: BSD-2-Clause */
/* The RTL8139: registers, EEPROM, PHY, timer, transmission, reception. */
#include "tests/unit/nic_test.h"

#include "devices/rtl8139.h"

#define BUFFER 0x20000U /* of reception */
#define FRAME  0x10000U /* of transmission */

static struct rtl8139 card;

static uint32_t get(uint32_t offset, unsigned size)
{
	return (uint32_t)bus_in(&t.b.memory, BAR0 + offset, size);
}

static void put(uint32_t offset, uint64_t value, unsigned size)
{
	bus_out(&t.b.memory, BAR0 + offset, (uint32_t)value, size);
}

static uint32_t isr(void)
{
	return get(RTL8139_AT_ISR, 2);
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

	nic_bench_init("rtl8139: ");
	assert_int_equal(rtl8139_init(&card, &config), 0);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, BAR_IO);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0 + 4, 4, BAR0);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2,
			 PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
				 PCI_COMMAND_MASTER);
}

/* Both directions on; RCR's filters and RBLEN. */
static void start_frames(uint64_t rcr)
{
	start();
	put(RTL8139_AT_RBSTART, BUFFER, 4);
	put(RTL8139_AT_CR, RTL8139_CR_TE | RTL8139_CR_RE, 1);
	put(RTL8139_AT_RCR, rcr, 4);
	put(RTL8139_AT_IMR, RTL8139_CAUSES, 2);
}

/* ---- Registers ---------------------------------------------------------- */

static void test_reset(void **state)
{
	static const uint32_t values[][3] = {
		/* register, bytes, value */
		{ RTL8139_AT_IDR0, 4, 0x12005452 },
		{ RTL8139_AT_IDR4, 2, 0x5634 },
		{ RTL8139_AT_MAR0, 4, ~0U },
		{ RTL8139_AT_TSD3, 4, 0x2000 },
		{ RTL8139_AT_CR, 1, 1 }, /* BUFE */
		{ RTL8139_AT_CAPR, 2, 0xfff0 },
		{ RTL8139_AT_IMR, 2, 0 },
		{ RTL8139_AT_ISR, 2, 0 },
		{ RTL8139_AT_TCR, 4, 0x77000700 },
		{ RTL8139_AT_RCR, 4, 0 },
		{ RTL8139_AT_CONFIG1, 1, 0x0c },
		{ RTL8139_AT_MSR, 1, 0 },
		{ RTL8139_AT_RERID, 1, 0x10 },
		{ RTL8139_AT_TSAD, 2, 0x000f },
		{ RTL8139_AT_BMCR, 2, 0x3100 },
		{ RTL8139_AT_BMSR, 2, 0x782d },
	};

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		if (!round)
			start();
		else
			rtl8139_reset(&card);
		pci_config_write(&t.pci, DEVFN, PCI_BAR0 + 4, 4, BAR0);
		pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, 7);
		for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
			if (get(values[i][0], values[i][1]) != values[i][2])
				fail_msg("%x: %x", values[i][0],
					 get(values[i][0], values[i][1]));
		for (unsigned at = 0; at < 0x80; at += 4)
			if (at != (RTL8139_AT_CR & ~3U))
				put(at, ~0U, 4);
	}
}

static void test_soft_reset(void **state)
{
	(void)state;
	start_frames(RTL8139_RCR_APM);
	put(RTL8139_AT_IDR0, 0x11223344, 4);
	put(RTL8139_AT_MAR0, 5, 4);
	put(RTL8139_AT_TSAD1, 0x1234, 4);
	put(RTL8139_AT_CR, RTL8139_CR_RST, 1);
	assert_int_equal(get(RTL8139_AT_CR, 1), RTL8139_CR_BUFE);
	assert_int_equal(get(RTL8139_AT_RCR, 4), 0);
	assert_int_equal(get(RTL8139_AT_IMR, 2), 0);
	assert_int_equal(get(RTL8139_AT_TSAD1, 4), 0);
	/* Those that it keeps. */
	assert_int_equal(get(RTL8139_AT_IDR0, 4), 0x11223344);
	assert_int_equal(get(RTL8139_AT_MAR0, 4), 5);
	assert_true(bus_is_claimed(&t.b.memory, BAR0));
}

static void test_masks(void **state)
{
	static const uint32_t rows[][4] = {
		/* register, bytes, written, read */
		{ RTL8139_AT_IDR4, 2, 0xffff, 0xffff },
		{ RTL8139_AT_MAR4, 4, 0x89abcdef, 0x89abcdef },
		{ RTL8139_AT_RBSTART, 4, 0xfffff, 0xfffff },
		{ RTL8139_AT_ERBCR, 2, 0xffff, 0 },
		{ RTL8139_AT_CBR, 2, 0xffff, 0 },
		{ RTL8139_AT_IMR, 2, 0xffff, 0xe07f },
		{ RTL8139_AT_TCR, 4, 0xffffffff, 0x770707f0 },
		{ RTL8139_AT_MULINT, 2, 0xffff, 0x0fff },
		{ RTL8139_AT_BMSR, 2, 0, 0x782d },
		{ RTL8139_AT_CONFIG1, 1, 0xff, 0x0c }, /* it is locked */
		{ RTL8139_AT_CONFIG3, 1, 0xff, 0 },
		{ RTL8139_AT_BMCR, 2, 0, 0x3100 },
		{ 0x06, 2, 0xffff, 0 },
		{ 0x53, 1, 0xff, 0 },
		{ 0xff, 1, 0xff, 0 },
	};

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		put(rows[i][0], rows[i][2], rows[i][1]);
		if (get(rows[i][0], rows[i][1]) != rows[i][3])
			fail_msg("%x: %x", rows[i][0],
				 get(rows[i][0], rows[i][1]));
	}
	put(RTL8139_AT_CR9346, 0xc0, 1);
	put(RTL8139_AT_CONFIG1, 0xff, 1);
	put(RTL8139_AT_BMCR, 0, 2);
	put(RTL8139_AT_CR9346, 0, 1);
	assert_int_equal(get(RTL8139_AT_CONFIG1, 1), 0xff);
	assert_int_equal(get(RTL8139_AT_BMCR, 2), 0);
}

/* Bytes, words and doublewords, by ports and by memory. */
static void test_widths(void **state)
{
	(void)state;
	start();
	put(RTL8139_AT_MAR0 + 1, 0xaa, 1);
	put(RTL8139_AT_MAR0 + 2, 0xbbcc, 2);
	assert_int_equal(get(RTL8139_AT_MAR0, 4), 0xbbccaaff);
	assert_int_equal(get(RTL8139_AT_MAR0 + 3, 1), 0xbb);
	/* Over several registers: ERBCR, ERSR, CR. */
	assert_int_equal(get(RTL8139_AT_ERBCR, 4), 0x01000000);
	put(RTL8139_AT_ERBCR, 0x0c000000, 4);
	assert_int_equal(get(RTL8139_AT_CR, 1), 0x0d);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + RTL8139_AT_CR, 1), 0x0d);
	bus_out(&t.b.ports, BAR_IO + RTL8139_AT_IMR, 0x8005, 2);
	assert_int_equal(get(RTL8139_AT_IMR, 4), 0x8005);
}

static void test_pci(void **state)
{
	static uint8_t rom[2048] = { 0x55, 0xaa };
	struct nic_config config;

	(void)state;
	start();
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0, 4), 0x813910ec);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_REVISION_ID, 1),
			 0x10);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_CLASS_DEVICE, 2),
			 0x0200);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, ~0U);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_BAR0, 4),
			 0xffffff01);
	pci_config_write(&t.pci, DEVFN, PCI_ROM_ADDRESS, 4, ~0U);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_ROM_ADDRESS, 4), 0);
	config = card.config;
	config.devfn = PCI_DEVFN(4, 0);
	config.rom = rom;
	config.rom_length = sizeof(rom);
	assert_int_equal(rtl8139_init(&card, &config), 0);
	pci_config_write(&t.pci, config.devfn, PCI_ROM_ADDRESS, 4, 0xe2000001);
	pci_config_write(&t.pci, config.devfn, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY);
	assert_int_equal(bus_in(&t.b.memory, 0xe2000000, 2), 0xaa55);
}

static void test_interrupt(void **state)
{
	(void)state;
	start();
	put(RTL8139_AT_IMR, RTL8139_PUN, 2);
	assert_false(line());
	t.device.link_changed(t.device.dev, false);
	assert_true(line());
	assert_int_equal(isr(), RTL8139_PUN);
	put(RTL8139_AT_ISR, RTL8139_ROK, 2); /* another one */
	assert_true(line());
	put(RTL8139_AT_IMR, RTL8139_ROK, 2);
	assert_false(line());
	put(RTL8139_AT_IMR, RTL8139_PUN, 2);
	assert_true(line());
	put(RTL8139_AT_ISR, RTL8139_PUN, 2);
	assert_false(line());
	assert_int_equal(isr(), 0);
}

/* 33 ticks in a microsecond. */
static void test_timer(void **state)
{
	(void)state;
	start();
	put(RTL8139_AT_IMR, RTL8139_TIMEOUT, 2);
	put(RTL8139_AT_TCTR, 1234, 4);
	assert_int_equal(get(RTL8139_AT_TCTR, 4), 0);
	bench_step(&t.b, 10000);
	assert_int_equal(get(RTL8139_AT_TCTR, 4), 330);
	put(RTL8139_AT_TIMERINT, 660, 4);
	bench_step(&t.b, 9999);
	assert_false(line());
	bench_step(&t.b, 1);
	assert_true(line());
	assert_int_equal(get(RTL8139_AT_TCTR, 4), 660);
	put(RTL8139_AT_ISR, RTL8139_TIMEOUT, 2);
	/* Once round, or when it begins anew. */
	bench_step(&t.b, 100 * NSEC_PER_SEC);
	assert_false(line());
	put(RTL8139_AT_TCTR, 0, 4);
	bench_step(&t.b, 20000);
	assert_true(line());
	put(RTL8139_AT_ISR, RTL8139_TIMEOUT, 2);
	bench_step(&t.b, (1ULL << 32) * 1000 / 33 + 1);
	assert_true(line());
	put(RTL8139_AT_ISR, RTL8139_TIMEOUT, 2);
	put(RTL8139_AT_TIMERINT, 0, 4);
	bench_step(&t.b, 200 * NSEC_PER_SEC);
	assert_false(line());
}

/* ---- EEPROM, PHY, link -------------------------------------------------- */

#define PROGRAMMING 0x80

static void wire(uint32_t bits, unsigned count)
{
	while (count--) {
		uint64_t pins = PROGRAMMING | RTL8139_EECS |
				(bits >> count & 1 ? RTL8139_EEDI : 0);

		put(RTL8139_AT_CR9346, pins, 1);
		put(RTL8139_AT_CR9346, pins | RTL8139_EESK, 1);
		put(RTL8139_AT_CR9346, pins, 1);
	}
}

static uint16_t eeprom(unsigned address)
{
	uint16_t word = 0;

	put(RTL8139_AT_CR9346, PROGRAMMING, 1);
	wire(6 << 6 | address, 9);
	assert_false(get(RTL8139_AT_CR9346, 1) & RTL8139_EEDO);
	for (unsigned i = 0; i < 16; i++) {
		wire(0, 1);
		word = (uint16_t)(word << 1 |
				  (get(RTL8139_AT_CR9346, 1) & RTL8139_EEDO));
	}
	put(RTL8139_AT_CR9346, 0, 1);
	return word;
}

static void test_eeprom(void **state)
{
	(void)state;
	start();
	assert_int_equal(eeprom(0), 0x8129);
	assert_int_equal(eeprom(2), 0x8139);
	assert_int_equal(eeprom(7), 0x5452);
	assert_int_equal(eeprom(8), 0x1200);
	assert_int_equal(eeprom(9), 0x5634);
	/* Written, and loaded. */
	put(RTL8139_AT_CR9346, PROGRAMMING, 1);
	wire(4 << 6 | 0x30, 9);
	put(RTL8139_AT_CR9346, PROGRAMMING, 1);
	wire(5 << 6 | 9, 9);
	wire(0xbeef, 16);
	put(RTL8139_AT_CR9346, 0, 1);
	assert_int_equal(eeprom(9), 0xbeef);
	assert_int_equal(get(RTL8139_AT_IDR4, 2), 0x5634);
	put(RTL8139_AT_CR9346, 0x40, 1);
	assert_int_equal(get(RTL8139_AT_IDR4, 2), 0xbeef);
	assert_int_equal(get(RTL8139_AT_CR9346, 1) & 0xc0, 0);
	/* In configuration mode its wires are not connected. */
	put(RTL8139_AT_CR9346, 0xc0, 1);
	for (unsigned i = 0; i < 9; i++)
		put(RTL8139_AT_CR9346, 0xc0 | RTL8139_EECS | RTL8139_EEDI, 1);
	assert_int_equal(card.state.eeprom.stage, EEPROM93C46_IDLE);
}

static void test_link(void **state)
{
	(void)state;
	start();
	assert_int_equal(get(RTL8139_AT_CSCR, 2) & 0xc00, 0x400);
	t.device.link_changed(t.device.dev, true); /* it is */
	assert_int_equal(isr(), 0);
	t.device.link_changed(t.device.dev, false);
	assert_int_equal(isr(), RTL8139_PUN);
	assert_int_equal(get(RTL8139_AT_MSR, 1), RTL8139_MSR_LINKB);
	assert_int_equal(get(RTL8139_AT_CSCR, 2) & 0xc00, 0x800);
	assert_int_equal(get(RTL8139_AT_CSCR, 2) & 0xc00, 0);
	assert_int_equal(get(RTL8139_AT_ANLPAR, 2), 0);
	assert_int_equal(get(RTL8139_AT_DIS, 2), 1);
	t.device.link_changed(t.device.dev, true);
	assert_int_equal(get(RTL8139_AT_MSR, 1), 0);
	/* It latches low. */
	assert_int_equal(get(RTL8139_AT_BMSR, 2), 0x7829);
	assert_int_equal(get(RTL8139_AT_BMSR, 2), 0x782d);
}

static void test_phy(void **state)
{
	(void)state;
	start();
	put(RTL8139_AT_CR9346, 0xc0, 1);
	put(RTL8139_AT_BMCR, 0x1200, 2);
	assert_int_equal(get(RTL8139_AT_BMCR, 2), 0x1000);
	put(RTL8139_AT_ANAR, 0x0021, 2);
	assert_int_equal(get(RTL8139_AT_ANAR, 2), 0x0021);
	put(RTL8139_AT_BMCR, RTL8139_BMCR_RESET, 2);
	assert_int_equal(get(RTL8139_AT_BMCR, 2), 0x3100);
	assert_int_equal(get(RTL8139_AT_ANAR, 2), 0x01e1);
}

/* ---- Transmission ------------------------------------------------------- */

static void send(unsigned descriptor, uint32_t length)
{
	put(RTL8139_AT_TSAD0 + 4 * descriptor, FRAME, 4);
	put(RTL8139_AT_TSD0 + 4 * descriptor, length, 4);
}

static void test_send_frames(void **state)
{
	uint32_t length;

	(void)state;
	start_frames(0);
	length = frame_make(t.memory + FRAME, other_mac, 17, 100);
	for (unsigned i = 0; i < 6; i++) {
		send(i % 4, length);
		assert_int_equal(t.sent_count, i + 1);
		assert_int_equal(t.sent[i].length, length);
		assert_memory_equal(t.sent[i].data, t.memory + FRAME, length);
		assert_int_equal(get(RTL8139_AT_TSD0 + i % 4 * 4, 4),
				 RTL8139_TSD_OWN | RTL8139_TSD_TOK | length);
		assert_true(line());
		put(RTL8139_AT_ISR, RTL8139_TOK, 2);
		assert_int_equal(isr(), 0);
	}
	assert_int_equal(get(RTL8139_AT_TSAD, 2), 0xf00f);
}

/* They are sent in their order, whatever the order of writing. */
static void test_order(void **state)
{
	(void)state;
	start_frames(0);
	send(1, 100);
	assert_int_equal(t.sent_count, 0);
	assert_int_equal(get(RTL8139_AT_TSAD, 2), 0x000d);
	send(0, 200);
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(t.sent[0].length, 200);
	assert_int_equal(t.sent[1].length, 100);
	/* Not before TE, nor without bus mastering. */
	put(RTL8139_AT_CR, 0, 1);
	send(2, 100);
	assert_int_equal(t.sent_count, 2);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(RTL8139_AT_CR, RTL8139_CR_TE, 1);
	assert_int_equal(t.sent_count, 2);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(t.sent_count, 3);
}

static void test_short(void **state)
{
	(void)state;
	start_frames(0);
	memset(t.memory + FRAME, 0x5a, 100);
	send(0, 20);
	assert_int_equal(t.sent[0].length, NET_FRAME_MIN);
	assert_int_equal(t.sent[0].data[19], 0x5a);
	assert_int_equal(t.sent[0].data[20], 0);
	/* Its last bytes are the FCS. */
	put(RTL8139_AT_TCR, RTL8139_TCR_CRC, 4);
	send(1, 100);
	assert_int_equal(t.sent[1].length, 96);
}

static void test_bad(void **state)
{
	static const struct {
		uint32_t at, length;
		enum rtl8139_error error;
	} rows[] = {
		{ FRAME, 0, RTL8139_ERROR_TX_LENGTH },
		{ FRAME, 1793, RTL8139_ERROR_TX_LENGTH },
		{ RAM_SIZE - 99, 100, RTL8139_ERROR_TX_ADDRESS },
		{ 0xfffffff0, 100, RTL8139_ERROR_TX_ADDRESS },
	};

	(void)state;
	start_frames(0);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t before = card.errors[rows[i].error];

		put(RTL8139_AT_TSAD0 + 4 * i, rows[i].at, 4);
		put(RTL8139_AT_TSD0 + 4 * i, rows[i].length, 4);
		assert_int_equal(get(RTL8139_AT_TSD0 + 4 * i, 4),
				 RTL8139_TSD_TABT | RTL8139_TSD_OWN |
					 rows[i].length);
		assert_int_equal(isr(), RTL8139_TER);
		assert_int_equal(card.errors[rows[i].error], before + 1);
	}
	assert_int_equal(t.sent_count, 0);
	assert_int_equal(t.warnings, ARRAY_SIZE(rows));
	/* The next one goes. */
	send(0, 1792);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(get(RTL8139_AT_TSD0, 4),
			 RTL8139_TSD_TOK | RTL8139_TSD_OWN | 1792);
}

static void test_full(void **state)
{
	(void)state;
	start_frames(0);
	t.room = 1;
	send(0, 100);
	send(1, 101);
	send(2, 102);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(get(RTL8139_AT_TSAD, 2) & 0xf, 0x9);
	t.room = 10;
	t.device.writable(t.device.dev);
	assert_int_equal(t.sent_count, 3);
	assert_int_equal(t.sent[2].length, 102);
	/* Without a link it is lost, and said to be. */
	t.device.link_changed(t.device.dev, false);
	send(3, 100);
	assert_int_equal(t.sent_count, 3);
	assert_true(get(RTL8139_AT_TSD3, 4) & RTL8139_TSD_CRS);
}

/* ---- Reception ---------------------------------------------------------- */

static uint8_t frame[2000];

static uint32_t word_at(uint32_t at)
{
	uint32_t word;

	memcpy(&word, t.memory + at, sizeof(word));
	return word;
}

static void test_filters(void **state)
{
	static const uint8_t group[] = { 0x01, 0, 0x5e, 0, 0, 1 };
	static const uint8_t all[] = { 255, 255, 255, 255, 255, 255 };
	/* The table's place of the group's hash. */
	unsigned hash = net_hash_high(group);
	const struct {
		const uint8_t *to;
		uint64_t rcr;
		uint32_t status; /* 0: it is dropped */
	} rows[] = {
		{ own_mac, RTL8139_RCR_APM, 0x4001 },
		{ own_mac, RTL8139_RCR_AAP, 0x4001 },
		{ own_mac, RTL8139_RCR_AB | RTL8139_RCR_AM, 0 },
		{ other_mac, RTL8139_RCR_APM, 0 },
		{ other_mac, RTL8139_RCR_AAP, 0x0001 },
		{ all, RTL8139_RCR_AB, 0x2001 },
		{ all, RTL8139_RCR_AM | RTL8139_RCR_AAP, 0 },
		{ group, RTL8139_RCR_AM, 0x8001 },
		{ group, RTL8139_RCR_AB | RTL8139_RCR_AAP, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start_frames(rows[i].rcr);
		put(RTL8139_AT_MAR0, 0, 4);
		put(RTL8139_AT_MAR4, 0, 4);
		put(RTL8139_AT_MAR0 + hash / 8, 1U << hash % 8, 1);
		arrive(frame, frame_make(frame, rows[i].to, 17, 30));
		assert_int_equal(word_at(BUFFER) & 0xffff, rows[i].status);
		assert_int_equal(t.queue_head, 1);
		assert_int_equal(isr(), rows[i].status ? RTL8139_ROK : 0);
		/* Another place. */
		put(RTL8139_AT_MAR0 + hash / 8, 1U << (hash % 8 ^ 1), 1);
		if (rows[i].to == group) {
			put(RTL8139_AT_ISR, RTL8139_ROK, 2);
			arrive(frame, 64);
			assert_int_equal(isr(), 0);
		}
	}
}

static void test_receive_frames(void **state)
{
	uint32_t length, fcs, at = BUFFER, capr = 0;

	(void)state;
	start_frames(RTL8139_RCR_APM);
	for (unsigned i = 0; i < 3; i++) {
		length = frame_make(frame, own_mac, 17, 31 + i);
		arrive(frame, length);
		assert_int_equal(word_at(at), 0x4001 | (uint64_t)(length + 4)
							       << 16);
		assert_memory_equal(t.memory + at + 4, frame, length);
		memcpy(&fcs, t.memory + at + 4 + length, 4);
		assert_int_equal(fcs, ~net_crc(frame, length));
		capr += (4 + length + 4 + 3) & ~3U;
		at = BUFFER + capr;
		assert_int_equal(get(RTL8139_AT_CBR, 2), capr);
		assert_false(get(RTL8139_AT_CR, 1) & RTL8139_CR_BUFE);
	}
	put(RTL8139_AT_CAPR, capr - 16, 2);
	assert_true(get(RTL8139_AT_CR, 1) & RTL8139_CR_BUFE);
	assert_true(line());
}

/* Fills the buffer; the rest waits until there is room, and nothing is lost. */
static void fill(uint64_t rcr, uint32_t size)
{
	uint32_t length = frame_make(frame, own_mac, 17, 1400);
	uint32_t taken = (4 + length + 4 + 3) & ~3U;
	uint32_t fit = (size - 1) / taken, read = 0;
	uint32_t next;
	bool is_whole = rcr & RTL8139_RCR_WRAP && size < KIB(64);

	start_frames(RTL8139_RCR_APM | rcr);
	for (uint32_t i = 0; i < fit + 2; i++) {
		frame[60] = (uint8_t)i;
		arrive(frame, length);
	}
	assert_int_equal(t.queue_head, fit);
	assert_int_equal(get(RTL8139_AT_CBR, 2), fit * taken);
	read = 2 * taken;
	put(RTL8139_AT_CAPR, read - 16, 2);
	assert_int_equal(t.queue_head, fit + 2);
	next = fit * taken;
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t at = next + 4 + 60;

		if (!is_whole)
			at %= size;
		assert_int_equal(t.memory[BUFFER + at], fit + i);
		at = next + 4 + length - 1;
		if (!is_whole)
			at %= size;
		assert_int_equal(t.memory[BUFFER + at], frame[length - 1]);
		next = (next + taken) % size;
	}
	assert_int_equal(get(RTL8139_AT_CBR, 2), next);
	assert_int_equal(get(RTL8139_AT_MPC, 4), 0);
}

static void test_buffers(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t rcr = FIELD_PUT(RTL8139_RCR_RBLEN, i);

		fill(rcr, (uint32_t)KIB(8) << i);
		fill(rcr | RTL8139_RCR_WRAP, (uint32_t)KIB(8) << i);
	}
}

/* Any pointer is a place in the buffer; frames in odd places change nothing
 * but memory that is the driver's. */
static void test_odd_pointers(void **state)
{
	(void)state;
	start_frames(RTL8139_RCR_APM);
	put(RTL8139_AT_RBSTART, 0xfffffff0, 4);
	arrive(frame, frame_make(frame, own_mac, 17, 100));
	assert_int_equal(isr(), RTL8139_ROK);
	put(RTL8139_AT_CAPR, 0x1235, 2);
	arrive(frame, 100);
	assert_int_equal(t.queue_head, 2);
	put(RTL8139_AT_RCR, RTL8139_RCR_APM | RTL8139_RCR_RBLEN, 4);
	put(RTL8139_AT_CAPR, 0xffff, 2);
	arrive(frame, 100);
	assert_int_equal(t.queue_head, 3);
}

static void test_off(void **state)
{
	(void)state;
	start_frames(RTL8139_RCR_APM);
	/* Longer than any that it takes. */
	frame_make(frame, own_mac, 17, 1600);
	arrive(frame, 1519);
	assert_int_equal(isr(), 0);
	arrive(frame, 1518);
	assert_int_equal(isr(), RTL8139_ROK);
	/* Without RE what arrives is lost, and with it the buffer is new. */
	put(RTL8139_AT_CR, 0, 1);
	arrive(frame, 100);
	assert_int_equal(t.queue_head, 3);
	put(RTL8139_AT_CR, RTL8139_CR_RE, 1);
	assert_int_equal(get(RTL8139_AT_CBR, 2), 0);
	assert_int_equal(get(RTL8139_AT_CR, 1) & RTL8139_CR_BUFE, 1);
	/* Without bus mastering it waits. */
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	arrive(frame, 100);
	assert_int_equal(t.queue_head, 3);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(t.queue_head, 4);
}

static void test_loopback(void **state)
{
	uint32_t length;

	(void)state;
	start_frames(RTL8139_RCR_APM);
	put(RTL8139_AT_TCR, RTL8139_TCR_LBK, 4);
	length = frame_make(t.memory + FRAME, own_mac, 17, 1000);
	for (unsigned i = 0; i < 7; i++)
		send(i % 4, length);
	assert_int_equal(t.sent_count, 0);
	assert_memory_equal(t.memory + BUFFER + 4, t.memory + FRAME, length);
	assert_int_equal(isr(), RTL8139_ROK | RTL8139_TOK);
	send(3, length); /* there is no room */
	assert_int_equal(isr(), RTL8139_ROK | RTL8139_TOK | RTL8139_RXOVW);
	assert_int_equal(get(RTL8139_AT_MPC, 4), 1);
	put(RTL8139_AT_MPC, 0, 4);
	assert_int_equal(get(RTL8139_AT_MPC, 4), 0);
	/* From the place where it is received. */
	put(RTL8139_AT_CR, RTL8139_CR_TE, 1);
	put(RTL8139_AT_CR, RTL8139_CR_TE | RTL8139_CR_RE, 1);
	put(RTL8139_AT_TSAD0, BUFFER + 2, 4);
	memcpy(t.memory + BUFFER + 2, t.memory + FRAME, length);
	put(RTL8139_AT_TSD0, length, 4);
	assert_memory_equal(t.memory + BUFFER + 4, t.memory + FRAME, length);
	/* What comes from the network is not heard. */
	put(RTL8139_AT_CR, RTL8139_CR_TE, 1);
	put(RTL8139_AT_CR, RTL8139_CR_TE | RTL8139_CR_RE, 1);
	put(RTL8139_AT_ISR, RTL8139_CAUSES, 2);
	frame_make(frame, own_mac, 17, 100);
	arrive(frame, 134);
	assert_int_equal(isr(), 0);
}

/* More at once than a call takes. */
static void test_many(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < FRAMES; i++)
		t.queue[i].length = 60;
	t.queue_tail = 1000;
	t.device.received(t.device.dev);
	assert_true(t.queue_head < 1000);
	bench_step(&t.b, NSEC_PER_SEC);
	assert_int_equal(t.queue_head, 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_soft_reset),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_eeprom),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_phy),
		cmocka_unit_test(test_send_frames),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_receive_frames),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_odd_pointers),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
