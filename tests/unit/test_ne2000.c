/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000: registers, remote DMA, transmission, the ring, ISA and PCI. */
#include "tests/unit/nic_test.h"

#include "devices/ne2000.h"

#define PORT	  0x300
#define LINE_ISA  3
#define RING	  0x46 /* what Linux's driver has */
#define RING_END  0x80
#define TX_PAGE	  0x40
#define RUN	  (NE2000_CR_STA | 0x20)
#define DCR_WORDS 0x49 /* FT1, LS, WTS */

static struct ne2000 card;
static unsigned base;

static uint8_t get(unsigned offset)
{
	return (uint8_t)bus_in(&t.b.ports, base + offset, 1);
}

static void put(unsigned offset, uint64_t value)
{
	bus_out(&t.b.ports, base + offset, (uint32_t)value, 1);
}

static uint8_t get_in(unsigned page, unsigned offset)
{
	uint8_t value;

	put(NE2000_CR, page << 6 | 0x20);
	value = get(offset);
	put(NE2000_CR, 0x20);
	return value;
}

static void put_in(unsigned page, unsigned offset, uint8_t value)
{
	put(NE2000_CR, page << 6 | 0x20);
	put(offset, value);
	put(NE2000_CR, 0x20);
}

static struct nic_config config_of(void)
{
	return (struct nic_config){
		.pci = &t.pci,
		.devfn = DEVFN,
		.ram = &t.ram,
		.clock = &t.b.clock,
		.net = &t.net,
		.log = { test_print, NULL },
	};
}

static void start(bool is_pci)
{
	const struct nic_config config = config_of();

	nic_bench_init(is_pci ? "ne2000-pci: " : "ne2000: ");
	if (!is_pci) {
		base = PORT;
		assert_int_equal(ne2000_isa_init(&card, &config, &t.b.ports,
						 PORT,
						 bench_irq(&t.b, LINE_ISA)),
				 0);
		return;
	}
	base = BAR_IO;
	assert_int_equal(ne2000_pci_init(&card, &config), 0);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, BAR_IO);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_IO);
}

/* As drivers do it: stopped, then everything, then off it goes. */
static void start_frames(bool is_pci, uint8_t rcr)
{
	start(is_pci);
	put(NE2000_CR, 0x21);
	put(NE2000_DCR, DCR_WORDS);
	put(NE2000_RCR, rcr);
	put(NE2000_TCR, 0);
	put(NE2000_PSTART, RING);
	put(NE2000_PSTOP, RING_END);
	put(NE2000_BNRY, RING);
	put(NE2000_ISR, 0xff);
	put(NE2000_IMR, 0xff);
	put(NE2000_CR, 0x61);
	for (unsigned i = 0; i < 6; i++)
		put(NE2000_PAR0 + i, own_mac[i]);
	put(NE2000_CURR, RING + 1);
	put(NE2000_CR, RUN);
}

static void remote(unsigned command, unsigned address, unsigned length)
{
	put(NE2000_RBCR0, length & 0xff);
	put(NE2000_RBCR1, length >> 8);
	put(NE2000_RSAR0, address & 0xff);
	put(NE2000_RSAR1, address >> 8);
	put(NE2000_CR, NE2000_CR_STA | command << 3);
}

static void memory_get(unsigned address, void *to, unsigned length)
{
	uint8_t *bytes = to;

	remote(NE2000_RD_READ, address, length);
	for (unsigned i = 0; i < length; i += 2) {
		uint16_t word =
			(uint16_t)bus_in(&t.b.ports, base + NE2000_AT_DATA, 2);

		memcpy(bytes + i, &word, MIN(2U, length - i));
	}
	assert_true(get(NE2000_ISR) & NE2000_RDC);
	put(NE2000_ISR, NE2000_RDC);
}

static void memory_put(unsigned address, const void *from, unsigned length)
{
	const uint8_t *bytes = from;

	remote(NE2000_RD_WRITE, address, length);
	for (unsigned i = 0; i < length; i += 2)
		bus_out(&t.b.ports, base + NE2000_AT_DATA,
			bytes[i] | (unsigned)bytes[i + 1] << 8, 2);
	assert_true(get(NE2000_ISR) & NE2000_RDC);
	put(NE2000_ISR, NE2000_RDC);
}

/* ---- Registers ---------------------------------------------------------- */

static void test_reset(void **state)
{
	(void)state;
	for (unsigned is_pci = 0; is_pci < 2; is_pci++) {
		start_frames(is_pci, NE2000_RCR_AB);
		put(NE2000_TCR, 2);
		(void)get(NE2000_AT_RESET);
		assert_int_equal(get(NE2000_CR), 0x21);
		assert_int_equal(get(NE2000_ISR), NE2000_RST);
		put(NE2000_ISR, 0xff); /* which it does not clear */
		assert_int_equal(get(NE2000_ISR), NE2000_RST);
		assert_int_equal(get_in(2, NE2000_IMR), 0x80);
		assert_int_equal(get_in(2, NE2000_DCR), 0x84);
		assert_int_equal(get_in(2, NE2000_TCR), 0xe0);
		assert_int_equal(get_in(2, NE2000_PSTART), RING);
		assert_int_equal(get_in(1, NE2000_PAR0 + 1), own_mac[1]);
		assert_int_equal(get(NE2000_ISR), NE2000_RST);
		put(NE2000_CR, RUN);
		assert_int_equal(get(NE2000_ISR), 0);
	}
}

static void test_pages(void **state)
{
	(void)state;
	start(false);
	for (unsigned i = 1; i < 16; i++)
		put_in(1, i, (uint8_t)(0x10 + i));
	for (unsigned i = 1; i < 16; i++)
		assert_int_equal(get_in(1, i), 0x10 + i);
	put(NE2000_PSTOP, 0x60);
	put(NE2000_TPSR, 0x41);
	put(NE2000_RCR, 0xff);
	assert_int_equal(get_in(2, NE2000_PSTOP), 0x60);
	assert_int_equal(get_in(2, NE2000_TPSR), 0x41);
	assert_int_equal(get_in(2, NE2000_RCR), 0xff);
	put_in(2, NE2000_PSTOP, 0x12); /* of diagnostics: it stays */
	assert_int_equal(get_in(2, NE2000_PSTOP), 0x60);
	/* No RTL8029AS. */
	assert_int_equal(get(NE2000_RBCR0), 0xff);
	assert_int_equal(get_in(3, NE2000_ASID0), 0xff);
}

static void test_interrupt(void **state)
{
	(void)state;
	for (unsigned is_pci = 0; is_pci < 2; is_pci++) {
		uint32_t bit = BIT(is_pci ? LINE : LINE_ISA);

		start_frames(is_pci, 0);
		remote(NE2000_RD_READ, 0x4000, 0); /* complete at once */
		assert_int_equal(get(NE2000_ISR), NE2000_RDC);
		assert_true(t.b.level & bit);
		put(NE2000_IMR, (uint8_t)~NE2000_RDC);
		assert_false(t.b.level & bit);
		put(NE2000_IMR, NE2000_RDC);
		assert_true(t.b.level & bit);
		put(NE2000_ISR, NE2000_RDC);
		assert_false(t.b.level & bit);
	}
}

static void test_pci(void **state)
{
	static uint8_t rom[2048] = { 0x55, 0xaa };
	struct nic_config config;

	(void)state;
	start(true);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0, 4), 0x802910ec);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, ~0U);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_BAR0, 4),
			 0xffffffe1);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, BAR_IO);
	assert_int_equal(get(NE2000_RBCR0), 'P');
	assert_int_equal(get(NE2000_RBCR1), 'C');
	assert_int_equal(get_in(3, NE2000_ASID0), 0x29);
	assert_int_equal(get_in(3, NE2000_ASID1), 0x80);
	/* CONFIG2 is locked. */
	put_in(3, NE2000_CONFIG2, 0x40);
	assert_int_equal(get_in(3, NE2000_CONFIG2), 0);
	put_in(3, NE2000_CR9346, 0xc0);
	put_in(3, NE2000_CONFIG2, 0x4c);
	put_in(3, NE2000_CONFIG3, 0xff);
	assert_int_equal(get_in(3, NE2000_CONFIG2), 0x40);
	assert_int_equal(get_in(3, NE2000_CONFIG3), 0x76);
	put_in(3, NE2000_CR9346, 0x40); /* as the EEPROM has it */
	assert_int_equal(get_in(3, NE2000_CONFIG2), 0);
	config = config_of();
	config.devfn = PCI_DEVFN(4, 0);
	config.rom = rom;
	config.rom_length = sizeof(rom);
	assert_int_equal(ne2000_pci_init(&card, &config), 0);
	pci_config_write(&t.pci, config.devfn, PCI_ROM_ADDRESS, 4, 0xe2000001);
	pci_config_write(&t.pci, config.devfn, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY);
	assert_int_equal(bus_in(&t.b.memory, 0xe2000000, 2), 0xaa55);
}

static void wire(uint32_t bits, unsigned count)
{
	while (count--) {
		uint8_t pins = 0x80 | NE2000_EECS |
			       (bits >> count & 1 ? NE2000_EEDI : 0);

		put_in(3, NE2000_CR9346, pins);
		put_in(3, NE2000_CR9346, pins | NE2000_EESK);
		put_in(3, NE2000_CR9346, pins);
	}
}

static void test_eeprom(void **state)
{
	(void)state;
	start(true);
	for (unsigned i = 0; i < 3; i++) {
		uint16_t word = 0;

		wire(6 << 6 | (1 + i), 9);
		for (unsigned k = 0; k < 16; k++) {
			wire(0, 1);
			word = (uint16_t)(word << 1 |
					  (get_in(3, NE2000_CR9346) & 1));
		}
		put_in(3, NE2000_CR9346, 0);
		assert_int_equal(word,
				 own_mac[2 * i] | own_mac[2 * i + 1] << 8);
	}
}

/* ---- Remote DMA ---------------------------------------------------------- */

static void test_prom(void **state)
{
	uint8_t prom[34];

	(void)state;
	for (unsigned is_pci = 0; is_pci < 2; is_pci++) {
		start_frames(is_pci, 0);
		memory_get(0, prom, sizeof(prom));
		for (unsigned i = 0; i < 12; i++)
			assert_int_equal(prom[i], own_mac[i / 2]);
		for (unsigned i = 28; i < 32; i++)
			assert_int_equal(prom[i], 0x57);
		assert_int_equal(prom[32], own_mac[0]);
		/* In bytes. */
		put(NE2000_DCR, 0x48);
		remote(NE2000_RD_READ, 2, 2);
		assert_int_equal(get(NE2000_AT_DATA), own_mac[1]);
		assert_false(get(NE2000_ISR) & NE2000_RDC);
		assert_int_equal(get(NE2000_AT_DATA + 7), own_mac[1]);
		assert_true(get(NE2000_ISR) & NE2000_RDC);
	}
}

static void test_remote(void **state)
{
	uint8_t bytes[256], back[256];

	(void)state;
	start_frames(false, 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 5 + 1);
	memory_put(0x4000, bytes, sizeof(bytes));
	assert_int_equal(get(NE2000_RSAR0) | get(NE2000_RSAR1) << 8, 0x4100);
	memory_get(0x4000, back, sizeof(back));
	assert_memory_equal(back, bytes, sizeof(bytes));
	/* An odd length: the last byte alone. */
	remote(NE2000_RD_READ, 0x4010, 3);
	assert_int_equal(bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 2),
			 bytes[16] | bytes[17] << 8);
	assert_int_equal(get(NE2000_AT_DATA), bytes[18]);
	assert_int_equal(get(NE2000_ISR), NE2000_RDC);
	/* Words that are asked for in pairs, bytes in fours. */
	remote(NE2000_RD_READ, 0x4020, 4);
	memcpy(back, bytes + 32, 4);
	for (unsigned dcr = 0x48; dcr <= 0x49; dcr++) {
		uint32_t value;

		put(NE2000_DCR, dcr);
		remote(NE2000_RD_READ, 0x4020, 4);
		value = (uint32_t)bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 4);
		assert_memory_equal(&value, bytes + 32, 4);
	}
	/* The ring has no end, memory has. */
	memory_put(RING * 256, bytes, 2);
	remote(NE2000_RD_READ, 0x7ffe, 4);
	(void)bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 2);
	assert_int_equal(bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 2),
			 bytes[0] | bytes[1] << 8);
	memory_get(0xfffe, back, 2);
	assert_int_equal(back[0] & back[1], 0xff);
	memory_put(0x9000, bytes, 2);
	memory_put(0x0000, bytes + 8, 2); /* a PROM */
	memory_get(0x0000, back, 2);
	assert_int_equal(back[0], own_mac[0]);
}

static void test_remote_idle(void **state)
{
	(void)state;
	start_frames(false, 0);
	assert_int_equal(bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 2), 0xffff);
	remote(NE2000_RD_READ, 0x4000, 2);
	bus_out(&t.b.ports, PORT + NE2000_AT_DATA, 0x1234, 2);
	put(NE2000_CR, RUN); /* aborted */
	assert_int_equal(bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 2), 0xffff);
	assert_int_equal(card.errors[NE2000_ERROR_REMOTE], 3);
	assert_int_equal(t.warnings, 3);
}

/* ---- Transmission ------------------------------------------------------- */

static uint8_t frame[2048];

static void send(unsigned length)
{
	put(NE2000_TPSR, TX_PAGE);
	put(NE2000_TBCR0, length & 0xff);
	put(NE2000_TBCR1, length >> 8);
	put(NE2000_CR, RUN | NE2000_CR_TXP);
}

static void test_send_frames(void **state)
{
	uint32_t length;

	(void)state;
	start_frames(true, 0);
	length = frame_make(frame, other_mac, 17, 1400);
	memory_put(TX_PAGE * 256, frame, length);
	send(length);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].length, length);
	assert_memory_equal(t.sent[0].data, frame, length);
	assert_int_equal(get(NE2000_CR), RUN);
	assert_int_equal(get(NE2000_TSR), NE2000_TSR_PTX);
	assert_int_equal(get(NE2000_ISR), NE2000_PTX);
	assert_true(line());
	send(20); /* padded with zeros */
	assert_int_equal(t.sent[1].length, NET_FRAME_MIN);
	assert_int_equal(t.sent[1].data[19], frame[19]);
	assert_int_equal(t.sent[1].data[20], 0);
	put(NE2000_TCR, NE2000_TCR_CRC); /* it has its own */
	send(100);
	assert_int_equal(t.sent[2].length, 96);
}

static void test_send_waits(void **state)
{
	(void)state;
	start_frames(true, 0);
	t.room = 0;
	send(100);
	assert_int_equal(get(NE2000_CR), RUN | NE2000_CR_TXP);
	put(NE2000_CR, RUN); /* which ends nothing */
	assert_int_equal(get(NE2000_CR), RUN | NE2000_CR_TXP);
	t.room = 1;
	t.device.writable(t.device.dev);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(get(NE2000_ISR), NE2000_PTX);
	/* Stopped it is not sent at all. */
	t.room = 0;
	send(100);
	put(NE2000_CR, 0x21);
	t.room = 1;
	t.device.writable(t.device.dev);
	assert_int_equal(t.sent_count, 1);
	/* Without a cable it is gone, and no carrier was there. */
	put(NE2000_CR, RUN);
	t.device.link_changed(t.device.dev, false);
	send(100);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(get(NE2000_TSR), NE2000_TSR_PTX | NE2000_TSR_CRS);
}

static void test_send_bad(void **state)
{
	static const unsigned lengths[] = { 0, 1523, 0xffff };

	(void)state;
	start_frames(true, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		send(lengths[i]);
		assert_int_equal(get(NE2000_ISR), NE2000_TXE);
		assert_int_equal(get(NE2000_TSR), NE2000_TSR_ABT);
		assert_int_equal(card.errors[NE2000_ERROR_TX_LENGTH], i + 1);
		put(NE2000_ISR, NE2000_TXE);
	}
	assert_int_equal(t.sent_count, 0);
	send(1522);
	assert_int_equal(t.sent_count, 1);
}

/* The data sheet's table of loopback tests. */
static void test_loopback(void **state)
{
	static const uint8_t rows[][2] = { { 1, 0x53 }, { 2, 0x43 }, { 3, 3 } };
	uint8_t fifo[8];

	(void)state;
	start_frames(true, NE2000_RCR_PRO);
	memset(frame, 0x5a, sizeof(frame));
	frame[59] = 0x77;
	memory_put(TX_PAGE * 256, frame, 60);
	put(NE2000_DCR, 0x40); /* without LS */
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t fcs = ~net_crc(frame, 60);

		put(NE2000_TCR, rows[i][0] << 1);
		send(60);
		assert_int_equal(get(NE2000_TSR), rows[i][1]);
		assert_int_equal(get(NE2000_RSR), NE2000_RSR_CRC);
		assert_int_equal(get(NE2000_ISR), NE2000_PTX);
		for (unsigned k = 0; k < 8; k++)
			fifo[k] = get(NE2000_FIFO);
		assert_int_equal(fifo[0], 64);
		assert_int_equal(fifo[1] | fifo[2], 0);
		assert_int_equal(fifo[3], 0x77);
		assert_memory_equal(fifo + 4, &fcs, 4);
		put(NE2000_ISR, NE2000_PTX);
	}
	/* An FCS of the driver's is checked. */
	for (unsigned is_bad = 0; is_bad < 2; is_bad++) {
		uint32_t fcs = ~net_crc(frame, 60) ^ is_bad;

		put(NE2000_DCR, DCR_WORDS);
		memory_put(TX_PAGE * 256 + 60, &fcs, 4);
		put(NE2000_DCR, 0x40);
		put(NE2000_TCR, 2 | NE2000_TCR_CRC);
		send(64);
		assert_int_equal(get(NE2000_RSR),
				 is_bad ? NE2000_RSR_CRC : NE2000_RSR_PRX);
	}
	assert_int_equal(t.sent_count, 0);
	assert_int_equal(get_in(1, NE2000_CURR), RING + 1);
}

/* ---- Reception ---------------------------------------------------------- */

static void test_receive_frames(void **state)
{
	uint8_t got[2048];
	uint32_t length, fcs;

	(void)state;
	for (unsigned is_pci = 0; is_pci < 2; is_pci++) {
		start_frames(is_pci, NE2000_RCR_AB);
		length = frame_make(frame, own_mac, 17, 300);
		fcs = ~net_crc(frame, length);
		arrive(frame, length);
		assert_int_equal(get(NE2000_ISR), NE2000_PRX);
		assert_int_equal(get(NE2000_RSR), NE2000_RSR_PRX);
		assert_int_equal(get_in(1, NE2000_CURR), RING + 3);
		memory_get((RING + 1) * 256, got, length + 8);
		assert_int_equal(got[0], NE2000_RSR_PRX);
		assert_int_equal(got[1], RING + 3);
		assert_int_equal(got[2] | got[3] << 8, length + 4);
		assert_memory_equal(got + 4, frame, length);
		assert_memory_equal(got + 4 + length, &fcs, 4);
	}
}

/* From the last page on into the first. */
static void test_wrap(void **state)
{
	uint8_t got[1024];
	uint32_t length;

	(void)state;
	start_frames(false, 0);
	put_in(1, NE2000_CURR, RING_END - 1);
	put(NE2000_BNRY, RING_END - 2);
	length = frame_make(frame, own_mac, 17, 600);
	arrive(frame, length);
	assert_int_equal(get_in(1, NE2000_CURR), RING + 2);
	memory_get((RING_END - 1) * 256, got, length + 4);
	assert_int_equal(got[1], RING + 2);
	assert_memory_equal(got + 4, frame, length);
	/* The same by the command for it. */
	put(NE2000_BNRY, RING_END - 1);
	put(NE2000_CR, NE2000_CR_STA | NE2000_RD_SEND << 3);
	for (uint32_t i = 0; i < length + 4; i += 2) {
		uint16_t word =
			(uint16_t)bus_in(&t.b.ports, PORT + NE2000_AT_DATA, 2);

		memcpy(got + i, &word, 2);
	}
	assert_memory_equal(got + 4, frame, length);
	assert_true(get(NE2000_ISR) & NE2000_RDC);
	assert_int_equal(get(NE2000_BNRY), RING + 2);
	put(NE2000_CR, NE2000_CR_STA | NE2000_RD_SEND << 3); /* no other */
	assert_int_equal(card.errors[NE2000_ERROR_HEADER], 1);
}

static void test_filters(void **state)
{
	static const uint8_t group[] = { 0x01, 0, 0x5e, 0, 0, 1 };
	static const uint8_t all[] = { 255, 255, 255, 255, 255, 255 };
	unsigned hash = net_hash_high(group);
	const struct {
		const uint8_t *to;
		uint8_t rcr, status; /* 0: it is dropped */
	} rows[] = {
		{ own_mac, 0, 0x01 },
		{ other_mac, 0, 0 },
		{ other_mac, NE2000_RCR_PRO, 0x01 },
		{ all, NE2000_RCR_AM | NE2000_RCR_PRO, 0 },
		{ all, NE2000_RCR_AB, 0x21 },
		{ group, NE2000_RCR_AB | NE2000_RCR_PRO, 0 },
		{ group, NE2000_RCR_AM, 0x21 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned is_other = 0; is_other < 2; is_other++) {
			bool is_wanted = rows[i].status;

			start_frames(false, rows[i].rcr);
			put_in(1, NE2000_MAR0 + (hash ^ 8 * is_other) / 8,
			       (uint8_t)(1 << hash % 8));
			if (is_other && rows[i].to == group)
				is_wanted = false;
			arrive(frame, frame_make(frame, rows[i].to, 17, 100));
			assert_int_equal(get(NE2000_ISR),
					 is_wanted ? NE2000_PRX : 0);
			if (is_wanted)
				assert_int_equal(get(NE2000_RSR),
						 rows[i].status);
			assert_false(t.is_lent);
		}
}

/* Neither when it stands, nor in loopback, nor without a cable; turning pages
 * stops nothing. */
static void test_deaf(void **state)
{
	uint32_t length = frame_make(frame, own_mac, 17, 100);

	(void)state;
	start_frames(false, 0);
	put(NE2000_TCR, 2);
	arrive(frame, length);
	put(NE2000_TCR, 0);
	put(NE2000_CR, 0x21);
	arrive(frame, length);
	put(NE2000_CR, RUN);
	t.device.link_changed(t.device.dev, false);
	arrive(frame, length);
	t.device.link_changed(t.device.dev, true);
	assert_int_equal(get(NE2000_ISR), 0);
	assert_int_equal(t.queue_head, 3);
	put(NE2000_CR, 0x60);
	arrive(frame, length);
	assert_int_equal(get_in(0, NE2000_ISR), NE2000_PRX);
}

static void test_monitor(void **state)
{
	uint32_t length = frame_make(frame, own_mac, 17, 100);

	(void)state;
	start_frames(false, NE2000_RCR_MON);
	for (unsigned i = 0; i < 127; i++)
		arrive(frame, length);
	assert_int_equal(get(NE2000_ISR), 0);
	assert_int_equal(get(NE2000_RSR), NE2000_RSR_DIS | NE2000_RSR_MPA);
	arrive(frame, length);
	assert_int_equal(get(NE2000_ISR), NE2000_CNT);
	for (unsigned i = 0; i < 100; i++)
		arrive(frame, length);
	assert_int_equal(get(NE2000_CNTR2), 192);
	assert_int_equal(get(NE2000_CNTR2), 0);
	assert_int_equal(get_in(1, NE2000_CURR), RING + 1);
}

/* 57 pages, of six each; then they wait, and then one is lost. */
static void test_overflow(void **state)
{
	uint32_t length = frame_make(frame, own_mac, 17, 1480);

	(void)state;
	start_frames(false, 0);
	for (unsigned i = 0; i < 12; i++)
		arrive(frame, length);
	assert_int_equal(t.queue_head, 9);
	assert_int_equal(get_in(1, NE2000_CURR), RING + 1 + 9 * 6);
	put(NE2000_BNRY, RING + 6); /* one has been read */
	assert_int_equal(t.queue_head, 10);
	bench_step(&t.b, NE2000_PATIENCE_NS - 1);
	assert_int_equal(get(NE2000_ISR), NE2000_PRX);
	bench_step(&t.b, 1);
	assert_int_equal(get(NE2000_ISR), NE2000_PRX | NE2000_OVW | NE2000_RST);
	assert_int_equal(get(NE2000_CNTR2), 1);
	assert_int_equal(t.queue_head, 11);
	/* As the data sheet recovers from it. */
	put(NE2000_CR, 0x21);
	put(NE2000_RBCR0, 0);
	put(NE2000_RBCR1, 0);
	put(NE2000_TCR, 2);
	put(NE2000_CR, RUN);
	put(NE2000_BNRY, get_in(1, NE2000_CURR) - 1);
	put(NE2000_ISR, NE2000_OVW);
	put(NE2000_TCR, 0);
	put(NE2000_ISR, NE2000_PRX);
	assert_int_equal(get(NE2000_ISR), 0);
	arrive(frame, length);
	assert_int_equal(get(NE2000_ISR), NE2000_PRX);
}

static void test_bad_rings(void **state)
{
	static const uint8_t rows[][4] = {
		/* PSTART, PSTOP, CURR, BNRY */
		{ 0x46, 0x46, 0x46, 0x46 }, { 0x80, 0x46, 0x50, 0x48 },
		{ 0x46, 0x80, 0x45, 0x46 }, { 0x46, 0x80, 0x80, 0x46 },
		{ 0x46, 0x4c, 0x46, 0x46 }, /* not as large as the frame */
		{ 0x00, 0x00, 0x00, 0x00 }, { 0xff, 0xfe, 0xff, 0xff },
	};
	uint32_t length = frame_make(frame, own_mac, 17, 1480);

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start_frames(false, 0);
		put(NE2000_PSTART, rows[i][0]);
		put(NE2000_PSTOP, rows[i][1]);
		put_in(1, NE2000_CURR, rows[i][2]);
		put(NE2000_BNRY, rows[i][3]);
		arrive(frame, length);
		assert_int_equal(card.errors[NE2000_ERROR_RING], 1);
		assert_int_equal(get(NE2000_CNTR2), 1);
		assert_int_equal(get(NE2000_ISR), 0);
	}
	/* Where there is no memory nothing is kept, and it ends. */
	start_frames(false, 0);
	put(NE2000_PSTART, 0x00);
	put(NE2000_PSTOP, 0xff);
	put_in(1, NE2000_CURR, 0xfe);
	put(NE2000_BNRY, 0xfd);
	arrive(frame, length);
	assert_int_equal(get_in(1, NE2000_CURR), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_eeprom),
		cmocka_unit_test(test_prom),
		cmocka_unit_test(test_remote),
		cmocka_unit_test(test_remote_idle),
		cmocka_unit_test(test_send_frames),
		cmocka_unit_test(test_send_waits),
		cmocka_unit_test(test_send_bad),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_receive_frames),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_bad_rings),
	};

	return cmocka_run_group_tests_name("ne2000", tests, NULL, NULL);
}
