/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/ide.c and ata.c: as a driver sees them, through the ports. */
#include "tests/unit/ide_test.h"

/* ---- Registers and resets ---------------------------------------------- */

static void test_signatures(void **state)
{
	(void)state;
	assert_int_equal(inb(0x1f7), READY);
	assert_int_equal(inb(0x1f1), 1);
	assert_int_equal(inb(0x1f2), 1);
	assert_int_equal(inb(0x1f3), 1);
	assert_int_equal(inb(0x1f4), 0);
	assert_int_equal(inb(0x1f5), 0);
	assert_int_equal(inb(0x177), 0);
	assert_int_equal(inb(0x174), 0x14);
	assert_int_equal(inb(0x175), 0xeb);
	/* The same after a software reset, busy meanwhile. */
	outb(0x1f6, 0xf0);
	outb(0x1f4, 0x77);
	outb(0x3f6, 4);
	outb(0x1f6, 0xe0);
	assert_int_equal(inb(0x3f6), BSY);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x3f6), READY);
	assert_int_equal(inb(0x1f4), 0);
	assert_int_equal(inb(0x1f6), 0xa0);
	outb(0x376, 4);
	outb(0x376, 0);
	assert_int_equal(inb(0x174), 0x14);
	/* A reset selects drive 0, and its register says so. */
	outb(0x1f6, 0xf0);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x1f6), 0xa0);
	/* Diagnostic, with an interrupt. */
	outb(0x1f4, 0x77);
	outb(0x1f7, 0x90);
	expect_end(READY);
	assert_int_equal(inb(0x1f1), 1);
	assert_int_equal(inb(0x1f4), 0);
}

static void test_absent(void **state)
{
	(void)state;
	/* A slave beside a master: registers hold, status is 0. */
	outb(0x1f6, 0xf0);
	outb(0x1f2, 0x55);
	outb(0x1f3, 0xaa);
	assert_int_equal(inb(0x1f2), 0x55);
	assert_int_equal(inb(0x1f3), 0xaa);
	assert_int_equal(inb(0x1f7), 0);
	outb(0x1f7, 0xec);
	assert_int_equal(inb(0x1f7), 0);
	assert_false(t.irq[0]);
	assert_int_equal(in(0x1f0, 2), 0xffff);
	outb(0x1f6, 0xe0);
	assert_int_equal(inb(0x1f7), READY);
}

static void test_empty_channel(void **state)
{
	(void)state;
	setup_with(true, false);
	for (unsigned port = 0x171; port <= 0x177; port++) {
		outb(port, 0x55);
		assert_int_equal(inb(port), 0);
	}
	assert_int_equal(inb(0x376), 0);
	assert_int_equal(t.irq_edges[1], 0);
}

static void test_registers(void **state)
{
	(void)state;
	/* HOB shows what was written before; a write ends it. */
	outb(0x1f2, 0x11);
	outb(0x1f2, 0x22);
	assert_int_equal(inb(0x1f2), 0x22);
	outb(0x3f6, 0x80);
	assert_int_equal(inb(0x1f2), 0x11);
	outb(0x1f3, 0);
	assert_int_equal(inb(0x1f2), 0x22);
	/* Wide accesses to byte registers are taken apart. */
	out(0x1f2, 2, 0x3412);
	assert_int_equal(in(0x1f2, 2), 0x3412);
	/* No data is pending: reads float, writes vanish. */
	assert_int_equal(in(0x1f0, 4), 0xffffffff);
	out(0x1f0, 2, 0x1234);
}

static void test_irq_masks(void **state)
{
	(void)state;
	outb(0x3f6, 2);
	lba28(0, 1, 0x40);
	assert_false(t.irq[0]);
	outb(0x3f6, 0);
	assert_true(t.irq[0]);
	assert_int_equal(inb(0x3f6), READY); /* alternate: stays */
	assert_true(t.irq[0]);
	inb(0x1f7);
	assert_false(t.irq[0]);
}

/* ---- ATA --------------------------------------------------------------- */

static void test_identify(void **state)
{
	uint8_t id[512], sum = 0;

	(void)state;
	outb(0x1f6, 0xe0);
	outb(0x1f7, 0xec);
	expect_end(DRQ);
	insw(0x1f0, id, 256);
	assert_int_equal(inb(0x1f7), READY);
	assert_int_equal(t.irq_edges[0], 1);
	for (unsigned i = 0; i < 512; i++)
		sum += id[i];
	assert_int_equal(sum, 0);
	assert_int_equal(word(id, 0), 0x40);
	assert_int_equal(word(id, 1), SECTORS / (16 * 63));
	assert_int_equal(word(id, 60), SECTORS);
	assert_int_equal(word(id, 100), SECTORS);
	assert_int_equal(word(id, 83) & 0xc400, 0x4400);
	assert_int_equal(word(id, 49) & 0x300, 0x300);
	assert_memory_equal(id + 20, "ESIRLA 1", 8);
	assert_memory_equal(id + 54, "uBklehdaD si k", 14);
}

static void test_pio_read(void **state)
{
	uint8_t data[3 * 512];

	(void)state;
	lba28(5, 3, 0x20);
	for (unsigned i = 0; i < 3; i++) {
		expect_end(DRQ);
		insw(0x1f0, data + i * 512, 256);
	}
	assert_memory_equal(data, sector(5), sizeof(data));
	assert_int_equal(inb(0x1f7), READY);
	assert_int_equal(t.irq_edges[0], 3);
	assert_int_equal(t.disk.requests, 1);
	assert_int_equal(inb(0x1f2), 0);
	assert_int_equal(inb(0x1f3), 7);
	/* By dwords, by words, by one read too many. */
	lba28(9, 1, 0x21);
	for (unsigned i = 0; i < 512; i += 4) {
		uint32_t value = i % 8 ? in(0x1f0, 2) | in(0x1f0, 2) << 16
				       : in(0x1f0, 4);

		memcpy(data + i, &value, 4);
	}
	assert_memory_equal(data, sector(9), 512);
	assert_int_equal(in(0x1f0, 2), 0xffff);
	/* One REP INSW over several sectors' end. */
	lba28(5, 2, 0x20);
	insw(0x1f0, data, 700);
	assert_memory_equal(data, sector(5), 1024);
	assert_int_equal(data[1024], 0xff);
}

static void test_pio_addresses(void **state)
{
	uint8_t data[512];

	(void)state;
	lba48(0x1234, 1, 0x24);
	insw(0x1f0, data, 256);
	assert_memory_equal(data, sector(0x1234), 512);
	/* C/H/S 2/3/4 of 16 heads, 63 sectors. */
	outb(0x1f6, 0xa3);
	outb(0x1f2, 1);
	outb(0x1f3, 4);
	outb(0x1f4, 2);
	outb(0x1f5, 0);
	outb(0x1f7, 0x20);
	insw(0x1f0, data, 256);
	assert_memory_equal(data, sector((2 * 16 + 3) * 63 + 3), 512);
	/* The geometry changed to 4 heads, 17 sectors. */
	outb(0x1f6, 0xa3);
	outb(0x1f2, 17);
	outb(0x1f7, 0x91);
	expect_end(READY);
	outb(0x1f2, 1);
	outb(0x1f7, 0x20);
	insw(0x1f0, data, 256);
	assert_memory_equal(data, sector((2 * 4 + 3) * 17 + 3), 512);
	/* Sector 0, a head and a sector too many. */
	outb(0x1f2, 1);
	outb(0x1f3, 0);
	outb(0x1f7, 0x20);
	expect_error(IDNF);
	outb(0x1f2, 1);
	outb(0x1f3, 18);
	outb(0x1f7, 0x20);
	expect_error(IDNF);
	outb(0x1f2, 1);
	outb(0x1f3, 1);
	outb(0x1f6, 0xa4);
	outb(0x1f7, 0x20);
	expect_error(IDNF);
	/* CHS with a 48-bit command. */
	outb(0x1f7, 0x24);
	expect_error(IDNF);
}

static void test_ranges(void **state)
{
	(void)state;
	lba28(SECTORS - 1, 1, 0x40);
	expect_end(READY);
	lba28(SECTORS - 1, 2, 0x40);
	expect_error(IDNF);
	lba28(SECTORS, 1, 0x20);
	expect_error(IDNF);
	lba28(0xfffffff, 0, 0xc8);
	expect_error(IDNF);
	lba48(0xffffffffffff, 0, 0x25);
	expect_error(IDNF);
	lba48(SECTORS - 1, 1, 0x42);
	expect_end(READY);
	lba48(0, 0, 0x42); /* 65536 of 20000 */
	expect_error(IDNF);
	lba28(SECTORS - 256, 0, 0x40); /* 256 */
	expect_end(READY);
	lba28(SECTORS, 0, 0x70);
	expect_error(IDNF);
	/* What is there is read, in pieces of 64 KiB: 1, 1, 1, 157, 2. */
	assert_int_equal(t.disk.requests, 162);
}

static void test_pio_write(void **state)
{
	uint8_t data[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ 0x5a);
	lba28(100, 2, 0x30);
	assert_false(t.irq[0]); /* none for the first block */
	assert_int_equal(inb(0x1f7), DRQ);
	outsw(0x1f0, data, 256);
	expect_end(DRQ);
	for (unsigned i = 512; i < 1024; i += 2)
		out(0x1f0, 2, data[i] | data[i + 1] << 8);
	expect_end(READY);
	assert_memory_equal(sector(100), data, 1024);
	outb(0x1f7, 0xe7);
	expect_end(READY);
	outb(0x1f7, 0xea);
	expect_end(READY);
	assert_int_equal(t.disk.flushes, 2);
	t.disk.backend.is_read_only = true;
	lba28(100, 1, 0x30);
	expect_error(ABRT);
	lba28(100, 1, 0xca);
	expect_error(ABRT);
}

static void test_multiple(void **state)
{
	uint8_t data[5 * 512];

	(void)state;
	outb(0x1f2, 3);
	outb(0x1f7, 0xc6);
	expect_error(ABRT);
	outb(0x1f2, 32);
	outb(0x1f7, 0xc6);
	expect_error(ABRT);
	outb(0x1f2, 2);
	outb(0x1f7, 0xc6);
	expect_end(READY);
	lba28(40, 5, 0xc4);
	for (unsigned i = 0; i < 3; i++) {
		expect_end(DRQ);
		insw(0x1f0, data + i * 1024, i == 2 ? 256 : 512);
	}
	assert_int_equal(inb(0x1f7), READY);
	assert_memory_equal(data, sector(40), sizeof(data));
	memset(data, 0x3c, sizeof(data));
	lba48(50, 5, 0x39);
	outsw(0x1f0, data, 512);
	expect_end(DRQ);
	outsw(0x1f0, data, 512);
	expect_end(DRQ);
	outsw(0x1f0, data, 256);
	expect_end(READY);
	assert_memory_equal(sector(50), data, sizeof(data));
	outb(0x1f2, 0);
	outb(0x1f7, 0xc6);
	expect_end(READY);
	lba28(40, 1, 0xc4);
	expect_error(ABRT);
}

static void test_long_read(void **state)
{
	static uint8_t data[256 * 512];

	(void)state;
	lba28(1000, 0, 0x20);
	for (unsigned i = 0; i < 256; i++) {
		assert_int_equal(inb(0x1f7), DRQ);
		insw(0x1f0, data + i * 512, 256);
	}
	assert_int_equal(inb(0x1f7), READY);
	assert_memory_equal(data, sector(1000), sizeof(data));
	assert_int_equal(t.disk.requests, 2);
}

static void test_small_commands(void **state)
{
	(void)state;
	outb(0x1f6, 0xe0);
	outb(0x1f7, 0xf8);
	expect_end(READY);
	assert_int_equal(inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16,
			 SECTORS - 1);
	outb(0x1f7, 0x27);
	expect_end(READY);
	assert_int_equal(inb(0x1f3) | inb(0x1f4) << 8, SECTORS - 1);
	outb(0x3f6, 0x80);
	assert_int_equal(inb(0x1f3), 0);
	outb(0x1f7, 0xe5);
	expect_end(READY);
	assert_int_equal(inb(0x1f2), 0xff);
	outb(0x1f7, 0xe0);
	expect_end(READY);
	outb(0x1f7, 0xe5);
	expect_end(READY);
	assert_int_equal(inb(0x1f2), 0);
	outb(0x1f7, 0x10);
	expect_end(READY);
	/* Transfer modes: UDMA 5 is there, 6 and single-word DMA are not. */
	outb(0x1f1, 3);
	outb(0x1f2, 0x45);
	outb(0x1f7, 0xef);
	expect_end(READY);
	outb(0x1f2, 0x46);
	outb(0x1f7, 0xef);
	expect_error(ABRT);
	outb(0x1f2, 0x12);
	outb(0x1f7, 0xef);
	expect_error(ABRT);
	outb(0x1f1, 0x99);
	outb(0x1f7, 0xef);
	expect_error(ABRT);
	outb(0x1f7, 0x00);
	expect_error(ABRT);
	outb(0x1f7, 0xa1);
	expect_error(ABRT);
	outb(0x1f7, 0x08); /* DEVICE RESET is ATAPI's */
	expect_error(ABRT);
}

static void test_errors(void **state)
{
	uint8_t data[512] = { 0 };

	(void)state;
	t.disk.is_broken = true;
	lba28(0x12, 4, 0x20);
	expect_error(UNC);
	assert_int_equal(inb(0x1f3), 0x12);
	lba28(0x12, 1, 0x30);
	outsw(0x1f0, data, 256);
	expect_error(ABRT); /* UNC is of reading */
	assert_int_equal(inb(0x1f3), 0x12);
	lba28(0x12, 1, 0x40);
	expect_error(UNC);
	t.disk.is_broken = false;
	lba28(0x12, 1, 0x20);
	expect_end(DRQ);
	assert_int_equal(inb(0x1f1), 0);
}

static void test_async(void **state)
{
	uint8_t data[512];

	(void)state;
	t.disk.is_async = true;
	lba28(7, 1, 0x20);
	assert_int_equal(inb(0x1f7), BSY);
	assert_false(t.irq[0]);
	outb(0x1f2, 9); /* a drive at work does not listen */
	outb(0x1f7, 0xec);
	medium_complete(&t.disk);
	expect_end(DRQ);
	insw(0x1f0, data, 256);
	assert_memory_equal(data, sector(7), 512);
	assert_int_equal(inb(0x1f7), READY);
}

/* Random accesses must neither crash nor hang, nor lose the device. */
static void test_noise(void **state)
{
	static const uint16_t ports[] = { 0x1f0, 0x170, MASTER };
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		unsigned port;

		seed = seed * 1664525 + 1013904223;
		port = ports[(seed >> 28) % 3] + (seed >> 8 & 15);
		if ((seed >> 8 & 15) >= 8 && port < 0x200)
			port = 0x206 + (port & 0x1f0);
		if (port == 0x1f6 || port == 0x176)
			seed |= 0x4000; /* mostly LBA */
		if (seed & 0x80)
			out(port, 1 << (seed >> 5 & 3) % 3, seed >> 12);
		else
			in(port, 1 << (seed >> 5 & 3) % 3);
		t.disk.is_async = (i >> 10) & 1;
		if (t.disk.pending && !(seed & 0x300))
			medium_complete(&t.disk);
	}
	if (t.disk.pending)
		medium_complete(&t.disk);
	t.disk.is_async = false;
	ide_reset(&t.ide);
	outb(0x1f7, 0xec);
	expect_end(DRQ);
}

static void test_bad_config(void **state)
{
	struct ide_config config = { .pci = &t.pci,
				     .ports = &t.ports,
				     .clock = &t.clock };

	(void)state;
	config.drive[0][1].kind = IDE_DISK;
	assert_int_equal(ide_init(&t.ide, &config), -EINVAL);
	setup_with(true, true);
	config.drive[0][1].kind = IDE_NONE;
	/* The ports are taken. */
	assert_int_equal(ide_init(&t.ide, &config), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_signatures),	   TEST(test_absent),
		TEST(test_empty_channel),  TEST(test_registers),
		TEST(test_irq_masks),	   TEST(test_identify),
		TEST(test_pio_read),	   TEST(test_pio_addresses),
		TEST(test_ranges),	   TEST(test_pio_write),
		TEST(test_multiple),	   TEST(test_long_read),
		TEST(test_small_commands), TEST(test_errors),
		TEST(test_async),	   TEST(test_noise),
		TEST(test_bad_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
