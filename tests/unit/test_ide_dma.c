/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/ide_dma.c: regions, transfers, registers of the bus master. */
#include "tests/unit/ide_test.h"

/* ---- Bus master -------------------------------------------------------- */

static void test_dma_read(void **state)
{
	(void)state;
	prd(0, 0x10000, 1024, false);
	prd(1, 0x20000, 2048, true);
	lba28(30, 6, 0xc8);
	assert_int_equal(inb(0x1f7), DRQ);
	assert_int_equal(t.disk.requests, 0);
	master_start(0, true);
	assert_int_equal(inb(MASTER + 2), 4);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, sector(30), 1024);
	assert_memory_equal(t.ram_bytes + 0x20000, sector(32), 2048);
	assert_int_equal(t.disk.last_segments, 2); /* no copy */
	outb(MASTER, 0);
	outb(MASTER + 2, 4);
	assert_int_equal(inb(MASTER + 2), 0);
	/* The other order: the engine first, LBA48. */
	master_start(0, true);
	assert_int_equal(inb(MASTER + 2), 1);
	lba48(31, 6, 0x25);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, sector(31), 1024);
}

static void test_dma_pieces(void **state)
{
	(void)state;
	/* Regions that cut sectors: 2 + 510 + 1000 + 24, then whole ones. */
	prd(0, 0x10000, 2, false);
	prd(1, 0x11000, 510, false);
	prd(2, 0x12000, 1000, false);
	prd(3, 0x13000, 24, false);
	prd(4, 0x14000, 512, true);
	lba28(30, 4, 0xc8);
	master_start(0, true);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, sector(30), 2);
	assert_memory_equal(t.ram_bytes + 0x11000, sector(30) + 2, 510);
	assert_memory_equal(t.ram_bytes + 0x12000, sector(31), 1000);
	assert_memory_equal(t.ram_bytes + 0x13000, sector(31) + 1000, 24);
	assert_memory_equal(t.ram_bytes + 0x14000, sector(33), 512);
	outb(MASTER, 0);
	/* The same regions to the disk. */
	for (unsigned i = 0; i < 0x8000; i++)
		t.ram_bytes[0x10000 + i] = (uint8_t)(i * 3 + 1);
	lba28(130, 4, 0xca);
	master_start(0, false);
	expect_end(READY);
	assert_memory_equal(sector(130), t.ram_bytes + 0x10000, 2);
	assert_memory_equal(sector(130) + 2, t.ram_bytes + 0x11000, 510);
	assert_memory_equal(sector(132) + 488, t.ram_bytes + 0x13000, 24);
	assert_memory_equal(sector(133), t.ram_bytes + 0x14000, 512);
}

static void test_dma_long(void **state)
{
	(void)state;
	/* 256 sectors in 64 KiB regions (count 0), then in 4 KiB ones. */
	prd(0, 0x100000, 0, false);
	prd(1, 0x200000, 0, true);
	lba28(2000, 0, 0xc8);
	master_start(0, true);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x100000, sector(2000), 65536);
	assert_memory_equal(t.ram_bytes + 0x200000, sector(2128), 65536);
	outb(MASTER, 0);
	for (unsigned i = 0; i < 256; i++)
		prd(i, 0x100000 + i * 4096, 4096, i == 255);
	lba48(100, 2048, 0x35);
	master_start(0, false);
	expect_end(READY);
	assert_memory_equal(sector(100), t.ram_bytes + 0x100000, MIB(1));
	assert_int_equal(t.disk.last_segments, 64);
}

static void test_dma_lengths(void **state)
{
	(void)state;
	/* Regions end too early: inactive, no interrupt. */
	prd(0, 0x10000, 512, true);
	lba28(30, 2, 0xc8);
	master_start(0, true);
	assert_int_equal(inb(MASTER + 2), 0);
	assert_false(t.irq[0]);
	assert_int_equal(inb(0x1f7), READY);
	outb(MASTER, 0);
	/* In the middle of a sector, and to the disk. */
	prd(0, 0x10000, 700, true);
	lba28(30, 2, 0xca);
	master_start(0, false);
	assert_int_equal(inb(MASTER + 2), 0);
	assert_false(t.irq[0]);
	outb(MASTER, 0);
	/* Regions left over: an interrupt, still active. */
	prd(0, 0x10000, 4096, true);
	lba28(30, 2, 0xc8);
	master_start(0, true);
	assert_int_equal(inb(MASTER + 2), 5);
	expect_end(READY);
	outb(MASTER, 0);
	assert_int_equal(inb(MASTER + 2), 4);
}

static void test_dma_bad_memory(void **state)
{
	(void)state;
	/* A region outside RAM, one across its end, a table outside. */
	prd(0, 0xfffffffe, 1024, false);
	prd(1, RAM_BYTES - 512, 1024, true);
	lba28(30, 4, 0xc8);
	master_start(0, true);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + RAM_BYTES - 512, sector(32), 512);
	outb(MASTER, 0);
	lba28(30, 4, 0xca);
	master_start(0, false);
	expect_end(READY);
	assert_int_equal(sector(30)[0], 0xff);
	outb(MASTER, 0);
	lba28(30, 4, 0xc8);
	out(MASTER + 4, 4, 0xfffffffc);
	outb(MASTER, 9);
	inb(0x1f7);
	outb(MASTER, 0);
	/* An endless table of tiny regions ends with its 64 KiB. */
	for (unsigned i = 0; i < 65536 / 8; i++)
		prd(i, 0x100000, 2, false);
	lba48(0, 4096, 0x25);
	master_start(0, true);
	assert_int_equal(inb(MASTER + 2), 0);
}

static void test_dma_errors(void **state)
{
	(void)state;
	t.disk.is_broken = true;
	prd(0, 0x10000, 512, true);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	/* Not the bus master's error: it would go on. */
	assert_int_equal(inb(MASTER + 2), 5);
	expect_error(UNC);
	outb(MASTER, 0);
	outb(MASTER + 2, 6);
	assert_int_equal(inb(MASTER + 2), 0);
	/* Not a bus master yet: it waits. */
	t.disk.is_broken = false;
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 1);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	assert_int_equal(inb(0x1f7), DRQ);
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
	expect_end(READY);
}

static void test_dma_async(void **state)
{
	(void)state;
	t.disk.is_async = true;
	prd(0, 0x10000, 512, true);
	lba28(30, 1, 0xc8);
	master_start(0, true);
	assert_int_equal(inb(0x1f7), BSY);
	assert_int_equal(inb(MASTER + 2), 1);
	medium_complete(&t.disk);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, sector(30), 512);
	/* Software may note the drives' abilities. */
	outb(MASTER + 2, 0x60);
	assert_int_equal(inb(MASTER + 2) & 0x60, 0x60);
	assert_int_equal(in(MASTER + 4, 2), PRD_TABLE);
	out(MASTER + 6, 2, 0x12);
	assert_int_equal(in(MASTER + 4, 4), 0x120000 | PRD_TABLE);
}

static void test_pci(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&t.pci, IDE_DEVFN, 0, 4), 0x70108086);
	assert_int_equal(pci_config_read(&t.pci, IDE_DEVFN, 8, 4), 0x01018000);
	assert_int_equal(pci_config_read(&t.pci, IDE_DEVFN, 0x3d, 1), 0);
	pci_config_write(&t.pci, IDE_DEVFN, 0x40, 4, 0x80008000);
	assert_int_equal(pci_config_read(&t.pci, IDE_DEVFN, 0x40, 4),
			 0x80008000);
	pci_config_write(&t.pci, IDE_DEVFN, 0x20, 4, 0xffffffff);
	assert_int_equal(pci_config_read(&t.pci, IDE_DEVFN, 0x20, 4),
			 0xfffffff1);
	ide_reset(&t.ide);
	assert_int_equal(pci_config_read(&t.pci, IDE_DEVFN, 0x40, 4), 0);
	assert_int_equal(in(MASTER, 1), 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dma_read),	   TEST(test_dma_pieces),
		TEST(test_dma_long),	   TEST(test_dma_lengths),
		TEST(test_dma_bad_memory), TEST(test_dma_errors),
		TEST(test_dma_async),	   TEST(test_pci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
