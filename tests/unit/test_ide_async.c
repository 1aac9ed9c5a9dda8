/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices/ide*.c with media that complete late, with errors, or never: what a
 * guest sees meanwhile and afterwards, and what of its writes lasts.
 */
#include "tests/unit/ide_test.h"

static uint8_t data[8 * 512];

/* ---- In mid-flight ----------------------------------------------------- */

static void test_reset(void **state)
{
	(void)state;
	t.disk.is_async = true;
	lba28(7, 1, 0x20);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	/* Busy until the forgotten request no longer writes anywhere. */
	assert_int_equal(inb(0x1f7), BSY);
	lba28(8, 1, 0x20);
	assert_int_equal(inb(0x3f6), BSY);
	assert_int_equal(t.disk.requests, 1);
	medium_complete(&t.disk);
	assert_int_equal(inb(0x1f7), READY);
	assert_int_equal(inb(0x1f1), 1);
	assert_int_equal(t.irq_edges[0], 0);
	/* It ends while SRST is set. */
	lba28(7, 1, 0x20);
	outb(0x3f6, 4);
	medium_complete(&t.disk);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x1f7), READY);
	/* A hard reset. */
	lba28(7, 1, 0x20);
	ide_reset(&t.ide);
	assert_int_equal(inb(0x1f7), BSY);
	medium_complete(&t.disk);
	assert_int_equal(inb(0x1f7), READY);
	assert_int_equal(t.irq_edges[0], 0);
}

/* However long that takes; but for a request that has not begun. */
static void test_reset_waits(void **state)
{
	(void)state;
	t.disk.is_async = true;
	lba28(7, 1, 0x20);
	outb(0x3f6, 4);
	assert_int_equal(t.disk.cancels, 1);
	outb(0x3f6, 0);
	for (unsigned i = 0; i < 10; i++) {
		pass_time(IDE_FLUSH_TIMEOUT_NS);
		assert_int_equal(inb(0x1f7), BSY);
	}
	/* Another reset changes nothing. */
	ide_reset(&t.ide);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x1f7), BSY);
	assert_int_equal(t.disk.cancels, 1);
	medium_complete(&t.disk);
	assert_int_equal(inb(0x1f7), READY);
	assert_int_equal(inb(0x1f1), 1);
	t.disk.is_waiting = true;
	for (unsigned i = 0; i < 2; i++) {
		lba28(7, 1, 0x20);
		if (i) {
			ide_reset(&t.ide);
		} else {
			outb(0x3f6, 4);
			outb(0x3f6, 0);
		}
		assert_null(t.disk.pending);
		assert_int_equal(inb(0x1f7), READY);
		assert_int_equal(inb(0x1f1), 1);
	}
	assert_int_equal(t.irq_edges[0], 0);
	lba28(7, 1, 0x20);
	medium_complete(&t.disk);
	expect_end(DRQ);
}

/* The other drive of the channel is as busy; the medium need not be there. */
static void test_reset_cdrom(void **state)
{
	static const uint8_t packet[12] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 1 };

	(void)state;
	t.cd.is_async = true;
	outb(0x176, 0xa0);
	outb(0x174, 0);
	outb(0x175, 8);
	outb(0x177, 0xa0);
	outsw(0x170, packet, 6);
	assert_non_null(t.cd.pending);
	ide_medium_change(&t.ide, 1, 0, NULL);
	outb(0x177, 0x08);
	assert_int_equal(t.cd.cancels, 1);
	pass_time(IDE_TIMEOUT_NS);
	assert_int_equal(inb(0x177), BSY);
	medium_complete(&t.cd);
	assert_int_equal(inb(0x177), 0);
}

static void test_timeout(void **state)
{
	(void)state;
	t.disk.is_async = true;
	/* One that ends in time leaves the timer running: no matter. */
	lba28(0x12, 1, 0x20);
	pass_time(IDE_TIMEOUT_NS - 1);
	medium_complete(&t.disk);
	expect_end(DRQ);
	insw(0x1f0, data, 256);
	/* One that has not begun ends. */
	t.disk.is_waiting = true;
	lba28(0x12, 1, 0x20);
	pass_time(IDE_TIMEOUT_NS - 1);
	assert_int_equal(inb(0x1f7), BSY);
	pass_time(1);
	expect_error(ABRT);
	assert_int_equal(inb(0x1f3), 0x12);
	/* A flush may take longer. */
	outb(0x1f7, 0xe7);
	pass_time(IDE_FLUSH_TIMEOUT_NS - 1);
	assert_int_equal(inb(0x1f7), BSY);
	pass_time(1);
	expect_error(ABRT);
	assert_int_equal(t.disk.requests, 3);
	/* By DMA: the bus master stays active. */
	prd(0, 0x10000, 512, true);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	pass_time(IDE_TIMEOUT_NS);
	assert_int_equal(inb(MASTER + 2), 5);
	expect_error(ABRT);
}

/* What may still write to the guest's memory is waited for. */
static void test_timeout_begun(void **state)
{
	(void)state;
	t.disk.is_async = true;
	prd(0, 0x10000, 512, true);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	pass_time(IDE_TIMEOUT_NS - 1);
	assert_int_equal(t.disk.cancels, 0);
	for (unsigned i = 0; i < 10; i++) {
		pass_time(IDE_TIMEOUT_NS);
		assert_int_equal(inb(0x1f7), BSY);
	}
	assert_int_equal(t.disk.cancels, 1);
	/* Late, it is heard. */
	medium_complete(&t.disk);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, sector(30), 512);
	outb(MASTER, 0);
	/* It comes to an end by the cancellation. */
	lba28(30, 1, 0x20);
	pass_time(IDE_TIMEOUT_NS);
	t.disk.is_waiting = true;
	medium_cancel(&t.disk, t.disk.pending);
	expect_error(ABRT);
	/* The next one has a time of its own. */
	lba28(30, 1, 0x20);
	pass_time(IDE_TIMEOUT_NS - 1);
	assert_int_equal(inb(0x1f7), BSY);
	pass_time(1);
	expect_error(ABRT);
}

static void test_busy_registers(void **state)
{
	(void)state;
	t.disk.is_async = true;
	lba28(0x0605, 3, 0x20);
	for (unsigned reg = 1; reg < 7; reg++)
		outb(0x1f0 + reg, 0xff); /* not even the other drive */
	outb(0x1f7, 0x10);
	assert_int_equal(inb(0x1f7), BSY);
	assert_int_equal(inb(0x3f6), BSY);
	assert_int_equal(inb(0x1f2), 3);
	assert_int_equal(inb(0x1f3), 5);
	assert_int_equal(inb(0x1f6), 0xe0);
	assert_int_equal(in(0x1f0, 2), 0xffff);
	assert_false(t.irq[0]);
	/* The other channel is free meanwhile. */
	outb(0x176, 0xa0);
	outb(0x177, 0xa1);
	assert_int_equal(inb(0x177), DRQ);
	medium_complete(&t.disk);
	expect_end(DRQ);
}

/* ---- Bus master -------------------------------------------------------- */

static void test_master_stopped(void **state)
{
	(void)state;
	t.disk.is_async = true;
	/* 256 sectors take several requests; stopped in the first. */
	for (unsigned i = 0; i < 256; i++)
		prd(i, 0x100000 + i * 512, 512, i == 255);
	lba28(1000, 0, 0xc8);
	master_start(0, true);
	outb(MASTER, 8);
	assert_int_equal(inb(MASTER + 2), 0);
	assert_int_equal(inb(0x1f7), BSY);
	medium_complete(&t.disk);
	/* The drive wants to go on; without the bus master it cannot. */
	assert_null(t.disk.pending);
	assert_int_equal(inb(0x1f7), DRQ);
	assert_false(t.irq[0]);
	/* With another table it goes on where it was. */
	prd(0, 0x300000, 96 * 512, false);
	prd(1, 0x30c000, 96 * 512, true);
	master_start(0, true);
	assert_non_null(t.disk.pending);
	medium_complete(&t.disk);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x100000, sector(1000), 64 * 512);
	assert_memory_equal(t.ram_bytes + 0x300000, sector(1064), 192 * 512);
	outb(MASTER, 0);
	/* Stopped, and then a reset. */
	lba28(1000, 192, 0xc8);
	master_start(0, true);
	outb(MASTER, 8);
	medium_complete(&t.disk);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x1f7), READY);
}

/* Regions that go by way of the buffer are not written after a stop. */
static void test_master_off(void **state)
{
	(void)state;
	t.disk.is_async = true;
	prd(0, 0x10000, 100, false);
	prd(1, 0x20000, 412, true);
	memset(t.ram_bytes + 0x10000, 0x55, 100);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 1);
	medium_complete(&t.disk);
	assert_int_equal(t.ram_bytes[0x10000], 0x55);
	assert_int_equal(t.ram_bytes[0x10063], 0x55);
	assert_int_equal(inb(0x1f7), DRQ);
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
	medium_complete(&t.disk);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, sector(30), 100);
	assert_memory_equal(t.ram_bytes + 0x20000, sector(30) + 100, 412);
}

/* ---- Interrupts -------------------------------------------------------- */

static void test_interrupt_masked(void **state)
{
	(void)state;
	prd(0, 0x10000, 512, true);
	outb(0x3f6, 2);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	assert_false(t.irq[0]);
	assert_int_equal(inb(MASTER + 2), 0);
	/* The bus master sees the edge when it comes. */
	outb(0x3f6, 0);
	assert_true(t.irq[0]);
	assert_int_equal(inb(MASTER + 2), 4);
	outb(MASTER + 2, 4);
	assert_true(t.irq[0]);
	assert_int_equal(inb(MASTER + 2), 0);
	expect_end(READY);
}

/* Each drive has its own: the other one's status does not clear it. */
static void test_interrupt_pending(void **state)
{
	struct ide_config config = {
		.pci = &t.pci,
		.devfn = IDE_DEVFN + 8,
		.ports = &t.ports,
		.clock = &t.clock,
		.irq[0] = { irq_set, NULL, 0 },
	};

	(void)state;
	bus_init_ports(&t.ports, t.index);
	for (unsigned i = 0; i < 2; i++)
		config.drive[0][i] =
			(struct ide_drive_config){ .backend = &t.disk.backend,
						   .kind = IDE_DISK };
	assert_int_equal(ide_init(&t.ide, &config), 0);
	for (unsigned i = 0; i < 2; i++) {
		outb(0x1f6, i ? 0xf0 : 0xe0);
		outb(0x1f7, 0xe5);
		assert_true(t.irq[0]);
		outb(0x1f6, i ? 0xe0 : 0xf0);
		assert_false(t.irq[0]); /* INTRQ is released */
		assert_int_equal(inb(0x1f7), READY);
		outb(0x1f6, i ? 0xf0 : 0xe0);
		expect_end(READY);
	}
}

/* ---- Errors ------------------------------------------------------------ */

static uint32_t lba_get(void)
{
	return inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16;
}

static uint32_t lba_high_get(void)
{
	uint32_t high;

	outb(0x3f6, 0x80);
	high = lba_get();
	outb(0x3f6, 0);
	return high;
}

static void test_bad_sector_pio(void **state)
{
	(void)state;
	t.disk.bad_sector = 1003;
	/* What is before it arrives. */
	lba28(1000, 5, 0x20);
	for (unsigned i = 0; i < 3; i++) {
		expect_end(DRQ);
		insw(0x1f0, data, 256);
		assert_memory_equal(data, sector(1000 + i), 512);
	}
	expect_error(UNC);
	assert_int_equal(lba_get(), 1003);
	assert_int_equal(inb(0x1f2), 2);
	/* By blocks of two, 48-bit: the block with it does not. */
	outb(0x1f2, 2);
	outb(0x1f7, 0xc6);
	expect_end(READY);
	lba48(1000, 6, 0x29);
	expect_end(DRQ);
	insw(0x1f0, data, 512);
	expect_error(UNC);
	assert_int_equal(lba_get(), 1003);
	assert_int_equal(lba_high_get(), 0);
	assert_int_equal(inb(0x1f2), 3);
	lba28(1000, 5, 0x40);
	expect_error(UNC);
	assert_int_equal(lba_get(), 1003);
	memset(data, 0x77, sizeof(data));
	lba28(1002, 4, 0xc5);
	outsw(0x1f0, data, 512);
	expect_error(ABRT);
	assert_int_equal(lba_get(), 1003);
	assert_int_equal(inb(0x1f2), 3);
	assert_int_equal(sector(1002)[0], 0x77);
	outb(0x1f7, 0xea);
	expect_error(ABRT);
	assert_int_equal(lba_get(), 1003);
}

static void test_bad_sector_dma(void **state)
{
	(void)state;
	t.disk.bad_sector = 1003;
	prd(0, 0x10000, 1024, false);
	prd(1, 0x20000, 4096, true);
	lba28(1000, 8, 0xc8);
	master_start(0, true);
	assert_int_equal(inb(MASTER + 2), 5);
	expect_error(UNC);
	assert_int_equal(lba_get(), 1003);
	assert_int_equal(inb(0x1f2), 5);
	assert_memory_equal(t.ram_bytes + 0x20000, sector(1002), 512);
	outb(MASTER, 0);
	/* By way of the buffer. */
	prd(0, 0x10000, 2, false);
	prd(1, 0x20000, 4094, true);
	lba48(1000, 8, 0x25);
	master_start(0, true);
	expect_error(UNC);
	assert_int_equal(lba_get(), 1003);
	assert_memory_equal(t.ram_bytes + 0x20000, sector(1000) + 2, 1534);
	outb(MASTER, 0);
	/* C/H/S, of 16 heads and 63 sectors: 0/15/59 is 1003. */
	lba28(0, 0, 0xe5);
	inb(0x1f7);
	outb(0x1f6, 0xaf);
	outb(0x1f2, 4);
	outb(0x1f3, 57);
	outb(0x1f4, 0);
	outb(0x1f5, 0);
	outb(0x1f7, 0x20);
	expect_end(DRQ);
	insw(0x1f0, data, 256);
	expect_end(DRQ);
	insw(0x1f0, data, 256);
	expect_error(UNC);
	assert_int_equal(inb(0x1f3), 59);
	assert_int_equal(inb(0x1f6) & 0xf, 15);
}

static void expect_counts(uint64_t requests, uint64_t errors, uint64_t read,
			  uint64_t written)
{
	const struct ide_counts *counts = &t.ide.channel[0].drive[0].counts;

	assert_int_equal(counts->requests, requests);
	assert_int_equal(counts->errors, errors);
	assert_int_equal(counts->sectors_read, read);
	assert_int_equal(counts->sectors_written, written);
}

static void test_counts(void **state)
{
	static const struct ide_counts none;

	(void)state;
	expect_counts(0, 0, 0, 0);
	lba48(1000, 8, 0x25);
	prd(0, 0x10000, 4096, true);
	master_start(0, true);
	expect_end(READY);
	outb(MASTER, 0);
	expect_counts(1, 0, 8, 0);
	lba28(1000, 1, 0x30);
	outsw(0x1f0, data, 256);
	expect_end(READY);
	expect_counts(2, 0, 8, 1);
	outb(0x1f7, 0xe7);
	expect_end(READY);
	expect_counts(3, 0, 8, 1);
	/* What is before the first that fails has been moved. */
	t.disk.bad_sector = 1003;
	lba48(1000, 8, 0x25);
	master_start(0, true);
	expect_error(UNC);
	outb(MASTER, 0);
	expect_counts(4, 1, 11, 1);
	t.disk.bad_sector = 0;
	/* Taken back before it began; a reset keeps what was counted. */
	t.disk.is_async = t.disk.is_waiting = true;
	lba48(1000, 8, 0x25);
	master_start(0, true);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	expect_counts(5, 2, 11, 1);
	ide_reset(&t.ide);
	expect_counts(5, 2, 11, 1);
	assert_memory_equal(&t.ide.channel[1].drive[0].counts, &none,
			    sizeof(none));
}

/* ---- Durability -------------------------------------------------------- */

static void feature(uint8_t number)
{
	outb(0x1f6, 0xe0);
	outb(0x1f1, number);
	outb(0x1f7, 0xef);
}

static uint16_t identify_word(unsigned index)
{
	outb(0x1f6, 0xe0);
	outb(0x1f7, 0xec);
	insw(0x1f0, data, 256);
	inb(0x1f7);
	return word(data, index);
}

static void write_both_ways(uint8_t pio, uint8_t dma)
{
	memset(data, 0x77, 1024);
	lba48(100, 1, pio);
	outsw(0x1f0, data, 256);
	expect_end(READY);
	prd(0, 0x10000, 512, true);
	lba48(200, 1, dma);
	master_start(0, false);
	expect_end(READY);
	outb(MASTER, 0);
}

static void test_write_through(void **state)
{
	(void)state;
	assert_int_equal(identify_word(85) & 0x20, 0x20);
	write_both_ways(0x34, 0x35);
	assert_int_equal(t.disk.flushes, 0);
	/* Turning the cache off flushes; then each write does. */
	feature(0x82);
	expect_end(READY);
	assert_int_equal(t.disk.flushes, 1);
	assert_int_equal(identify_word(85) & 0x20, 0);
	write_both_ways(0x34, 0x35);
	assert_int_equal(t.disk.flushes, 3);
	assert_int_equal(t.disk.fuas, 0);
	/* A medium that can write through needs none. */
	t.disk.backend.has_fua = true;
	write_both_ways(0x34, 0x35);
	assert_int_equal(t.disk.flushes, 3);
	assert_int_equal(t.disk.fuas, 2);
	feature(0x02);
	expect_end(READY);
	write_both_ways(0x34, 0x35);
	assert_int_equal(t.disk.fuas, 2);
	/* The FUA commands. */
	assert_int_equal(identify_word(84) & 0xc040, 0x4040);
	assert_int_equal(identify_word(87) & 0xc040, 0x4040);
	write_both_ways(0xce, 0x3d);
	assert_int_equal(t.disk.fuas, 4);
	t.disk.backend.has_fua = false;
	write_both_ways(0xce, 0x3d);
	assert_int_equal(t.disk.flushes, 5);
	/* Reads have no part in it. */
	lba28(1, 1, 0x20);
	expect_end(DRQ);
	assert_int_equal(t.disk.flushes, 5);
	assert_int_equal(t.disk.fuas, 4);
}

/* The guest hears of the end after the flush, and of the flush's failure. */
static void test_write_through_late(void **state)
{
	(void)state;
	feature(0x82);
	expect_end(READY);
	t.disk.is_async = true;
	lba28(100, 1, 0x30);
	outsw(0x1f0, data, 256);
	medium_complete(&t.disk);
	assert_int_equal(inb(0x1f7), BSY);
	assert_int_equal(t.disk.pending->op, BLOCK_FLUSH);
	medium_complete(&t.disk);
	expect_end(READY);
	lba28(100, 1, 0x30);
	outsw(0x1f0, data, 256);
	medium_complete(&t.disk);
	t.disk.is_broken = true;
	medium_complete(&t.disk);
	expect_error(ABRT);
	assert_int_equal(lba_get(), 100);
	/* Given up between the two: no flush follows. */
	t.disk.is_broken = false;
	lba28(100, 1, 0x30);
	outsw(0x1f0, data, 256);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	medium_complete(&t.disk);
	assert_null(t.disk.pending);
	assert_int_equal(inb(0x1f7), READY);
}

static void test_standby(void **state)
{
	static const uint8_t commands[] = {
		0x94, 0x96, 0x99, 0xe0, 0xe2, 0xe6
	};

	(void)state;
	outb(0x1f6, 0xe0);
	for (unsigned i = 0; i < sizeof(commands); i++) {
		outb(0x1f7, commands[i]);
		expect_end(READY);
		assert_int_equal(t.disk.flushes, i + 1);
		outb(0x1f7, 0xe5);
		expect_end(READY);
		assert_int_equal(inb(0x1f2), 0);
	}
	/* Access wakes it up. */
	lba28(1, 1, 0x40);
	expect_end(READY);
	outb(0x1f7, 0xe5);
	expect_end(READY);
	assert_int_equal(inb(0x1f2), 0xff);
	/* Without its flush it stays awake; the cache stays on likewise. */
	t.disk.is_broken = true;
	outb(0x1f7, 0xe0);
	expect_error(ABRT);
	outb(0x1f7, 0xe5);
	expect_end(READY);
	assert_int_equal(inb(0x1f2), 0xff);
	feature(0x82);
	expect_error(ABRT);
	assert_int_equal(identify_word(85) & 0x20, 0x20);
}

static void soft_reset(void)
{
	outb(0x3f6, 4);
	outb(0x3f6, 0);
}

static void settings_change(void)
{
	feature(0x82);
	expect_end(READY);
	feature(0x55);
	expect_end(READY);
	outb(0x1f2, 4);
	outb(0x1f7, 0xc6);
	expect_end(READY);
}

static void test_settings(void **state)
{
	(void)state;
	settings_change();
	soft_reset();
	assert_int_equal(identify_word(85) & 0x60, 0x60);
	assert_int_equal(identify_word(59) & 0xff, 16);
	/* Not to revert; it does not matter which comes first. */
	settings_change();
	feature(0x66);
	expect_end(READY);
	soft_reset();
	soft_reset();
	assert_int_equal(identify_word(85) & 0x60, 0);
	assert_int_equal(identify_word(59) & 0xff, 4);
	feature(0xcc);
	expect_end(READY);
	assert_int_equal(identify_word(85) & 0x60, 0);
	soft_reset();
	assert_int_equal(identify_word(85) & 0x60, 0x60);
	/* A hard reset reverts all the same. */
	settings_change();
	feature(0x66);
	expect_end(READY);
	ide_reset(&t.ide);
	assert_int_equal(identify_word(85) & 0x60, 0x60);
	settings_change();
	soft_reset();
	assert_int_equal(identify_word(85) & 0x60, 0x60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reset),
		TEST(test_reset_waits),
		TEST(test_reset_cdrom),
		TEST(test_timeout),
		TEST(test_timeout_begun),
		TEST(test_busy_registers),
		TEST(test_master_stopped),
		TEST(test_master_off),
		TEST(test_interrupt_masked),
		TEST(test_interrupt_pending),
		TEST(test_bad_sector_pio),
		TEST(test_bad_sector_dma),
		TEST(test_counts),
		TEST(test_write_through),
		TEST(test_write_through_late),
		TEST(test_standby),
		TEST(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
