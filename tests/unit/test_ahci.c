/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/ahci.c, ahci_command.c: registers, commands, errors, resets. */
#include "tests/unit/ahci_test.h"

/* ---- Registers ---------------------------------------------------------- */

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&t.pci, AHCI_DEVFN, 0, 4), 0x29228086);
	assert_int_equal(pci_config_read(&t.pci, AHCI_DEVFN, 8, 4) >> 8,
			 0x010601);
	assert_int_equal(hba_read(0) & 0x1f, 5);       /* six ports */
	assert_int_equal(hba_read(0) >> 8 & 0x1f, 31); /* 32 slots */
	assert_int_equal(hba_read(0x0c), 0x3f);
	assert_int_equal(hba_read(0x10), 0x10200);
	hba_write(0, 0); /* read-only */
	assert_int_equal(hba_read(0x0c), 0x3f);
	assert_int_equal(port_read(0, PORT_SSTS), 0x123);
	assert_int_equal(port_read(2, PORT_SSTS), 0);
	assert_int_equal(port_read(2, PORT_TFD), 0x7f);
	assert_int_equal(port_read(2, PORT_SIG), UINT32_MAX);
	port_write(0, 0, 0x12345678);
	assert_int_equal(port_read(0, 0), 0x12345400);
	/* Beyond the last port there is nothing. */
	assert_int_equal(hba_read(0x100 + 6 * 0x80 + PORT_CMD), 0);
	/* A byte of a register leaves the others. */
	struct io_access io = { .offset = ABAR + 0x101,
				.size = 1,
				.data = 0x77,
				.is_write = true };
	bus_access(&t.memory, &io);
	assert_int_equal(port_read(0, 0), 0x12347400);
}

static void test_signatures(void **state)
{
	(void)state;
	/* They wait for the FIS area. */
	assert_int_equal(port_read(0, PORT_TFD), 0x80);
	assert_int_equal(port_read(0, PORT_SERR), 0x04010000);
	port_start(0);
	port_start(1);
	assert_int_equal(port_read(0, PORT_SIG), 0x00000101);
	assert_int_equal(port_read(1, PORT_SIG), 0xeb140101);
	assert_int_equal(port_read(0, PORT_TFD), 0x150);
	assert_int_equal(fis_at(0, 0x40)[0], 0x34);
	assert_int_equal(fis_at(0, 0x40)[2], 0x50);
	assert_int_equal(fis_at(1, 0x40)[5], 0x14);
	assert_int_equal(port_read(0, PORT_SERR), 0);
}

static void test_pair(void **state)
{
	struct io_access io;

	(void)state;
	pci_config_write(&t.pci, AHCI_DEVFN, 0x20, 4, 0xd000);
	out(0xd010, 4, 0x0c);
	assert_int_equal(in(0xd014, 4), 0x3f);
	out(0xd010, 4, 0xffffffff);
	assert_int_equal(in(0xd010, 4), AHCI_BAR_SIZE - 4);
	io = (struct io_access){ .offset = 0xd014, .size = 4 };
	bus_access(&t.ports, &io);
	assert_int_equal(io.data, 0);
}

/* ---- Commands -------------------------------------------------------------
 */

static void test_identify(void **state)
{
	const uint8_t *id = t.ram_bytes + DATA;

	(void)state;
	port_start(0);
	slot_fill(0, 3, 0xec, 0, 0, DATA, 512);
	issue(0, 3);
	expect_is(0, IS_PSS);
	assert_int_equal(port_read(0, PORT_CI), 0);
	assert_int_equal(header_at(0, 3)[1], 512);
	assert_int_equal(fis_at(0, 0x20)[0], 0x5f);
	assert_int_equal(fis_at(0, 0x20)[2], 0x58);
	assert_int_equal(fis_at(0, 0x20)[15], 0x50);
	id = t.ram_bytes + DATA;
	assert_memory_equal(id + 20, "ESIRLA 1", 8);
	assert_int_equal(word(id, 75), 31);
	assert_int_equal(word(id, 76) & 0x100, 0x100);
	assert_int_equal(word(id, 93), 0);
	assert_int_equal(word(id, 100), SECTORS);
}

static void test_dma(void **state)
{
	(void)state;
	port_start(0);
	slot_fill(0, 0, 0x25, 100, 8, DATA, 1024);
	region(0, 0, 1, DATA + 0x10000, 3072);
	issue(0, 0);
	expect_is(0, IS_DHRS);
	assert_memory_equal(t.ram_bytes + DATA, sector(100), 1024);
	assert_memory_equal(t.ram_bytes + DATA + 0x10000, sector(102), 3072);
	assert_int_equal(header_at(0, 0)[1], 4096);
	assert_int_equal(t.disk.last_segments, 2); /* no copy */
	memset(t.ram_bytes + DATA, 0x5a, 512);
	slot_fill(0, 1, 0x35, 7, 1, DATA, 512);
	issue(0, 1);
	expect_is(0, IS_DHRS);
	assert_memory_equal(sector(7), t.ram_bytes + DATA, 512);
	assert_int_equal(port_read(0, PORT_CI), 0);
	assert_int_equal(port_read(0, PORT_TFD), 0x50);
}

static void test_pio(void **state)
{
	(void)state;
	port_start(0);
	memset(t.ram_bytes + DATA, 0xa5, 1024);
	slot_fill(0, 0, 0x34, 40, 2, DATA, 1024);
	issue(0, 0);
	expect_is(0, IS_DHRS);
	assert_memory_equal(sector(40), t.ram_bytes + DATA, 1024);
	slot_fill(0, 0, 0x24, 41, 3, DATA + 4096, 1536);
	issue(0, 0);
	expect_is(0, IS_PSS);
	assert_memory_equal(t.ram_bytes + DATA + 4096, sector(41), 1536);
	/* Less than it wants to write: nothing is. */
	slot_fill(0, 0, 0x34, 50, 1, DATA, 256);
	issue(0, 0);
	expect_is(0, IS_OFS | IS_TFES | IS_DHRS);
	assert_memory_not_equal(sector(50), t.ram_bytes + DATA, 256);
}

static void test_short(void **state)
{
	(void)state;
	port_start(0);
	slot_fill(0, 0, 0x25, 100, 8, DATA, 1024);
	t.ram_bytes[DATA + 1024] = 0x77;
	issue(0, 0);
	expect_is(0, IS_DHRS | IS_OFS);
	assert_memory_equal(t.ram_bytes + DATA, sector(100), 1024);
	assert_int_equal(t.ram_bytes[DATA + 1024], 0x77);
}

static void test_packet(void **state)
{
	static const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 2 };
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
	uint8_t *table = table_at(1, 0);

	(void)state;
	port_start(1);
	slot_fill(1, 0, 0xa0, 0, 0, DATA, 4096);
	table[3] = 1; /* DMA */
	memcpy(table + 0x40, read10, sizeof(read10));
	issue(1, 0);
	expect_is(1, IS_DHRS);
	assert_memory_equal(t.ram_bytes + DATA, t.cd.bytes + 5 * 2048, 4096);
	/* By PIO. */
	slot_fill(1, 0, 0xa0, 0, 0, DATA, 36);
	memcpy(table_at(1, 0) + 0x40, inquiry, sizeof(inquiry));
	issue(1, 0);
	expect_is(1, IS_DHRS | IS_PSS);
	assert_memory_equal(t.ram_bytes + DATA + 8, "BULKHEAD", 8);
	/* An error is a check condition. */
	slot_fill(1, 0, 0xa0, 0, 0, DATA, 36);
	memset(table_at(1, 0) + 0x40, 0xff, 12);
	issue(1, 0);
	expect_is(1, IS_DHRS | IS_TFES);
	assert_int_equal(port_read(1, PORT_TFD), 0x5451);
}

/* ---- Queued ------------------------------------------------------------- */

static void test_queued(void **state)
{
	(void)state;
	port_start(0);
	t.disk.is_async = true;
	slot_fill(0, 4, 0x60, 200, 2, DATA, 1024);
	slot_fill(0, 9, 0x60, 300, 1, DATA + 4096, 512);
	port_write(0, PORT_SACT, 1U << 4 | 1U << 9);
	port_write(0, PORT_CI, 1U << 4 | 1U << 9);
	/* A slot is free when its command has begun, the drive not busy. */
	assert_int_equal(port_read(0, PORT_CI), 1U << 9);
	assert_int_equal(port_read(0, PORT_SACT), 1U << 4 | 1U << 9);
	assert_false(port_read(0, PORT_TFD) & 0x88);
	medium_complete(&t.disk);
	expect_is(0, IS_SDBS);
	assert_int_equal(port_read(0, PORT_SACT), 1U << 9);
	assert_int_equal(fis_at(0, 0x58)[0], 0xa1);
	assert_int_equal(fis_at(0, 0x58)[4], 1U << 4);
	medium_complete(&t.disk);
	expect_is(0, IS_SDBS);
	assert_int_equal(port_read(0, PORT_SACT), 0);
	assert_memory_equal(t.ram_bytes + DATA, sector(200), 1024);
	assert_memory_equal(t.ram_bytes + DATA + 4096, sector(300), 512);
	/* FUA is durable. */
	t.disk.is_async = false;
	slot_fill(0, 31, 0x61, 10, 1, DATA, 512);
	table_at(0, 31)[7] |= 0x80;
	port_write(0, PORT_SACT, 1U << 31);
	issue(0, 31);
	expect_is(0, IS_SDBS);
	assert_int_equal(t.disk.flushes, 1);
	assert_memory_equal(sector(10), sector(200), 512);
}

static void test_queued_error(void **state)
{
	const uint8_t *log = t.ram_bytes + DATA;
	uint8_t sum = 0;

	(void)state;
	port_start(0);
	t.disk.bad_sector = 301;
	slot_fill(0, 5, 0x60, 300, 4, DATA, 2048);
	slot_fill(0, 6, 0x60, 400, 1, DATA, 512);
	port_write(0, PORT_SACT, 3U << 5);
	port_write(0, PORT_CI, 3U << 5);
	expect_is(0, IS_SDBS | IS_TFES);
	/* What failed and what had no turn are still outstanding. */
	assert_int_equal(port_read(0, PORT_SACT), 3U << 5);
	assert_int_equal(port_read(0, PORT_TFD), 0x4051);
	port_write(0, PORT_CMD, 0x10);
	assert_int_equal(port_read(0, PORT_SACT), 0);
	assert_int_equal(port_read(0, PORT_CMD) & CMD_CR, 0);
	port_write(0, PORT_CMD, 0x11);
	slot_fill(0, 0, 0x2f, 0x10, 1, DATA, 512);
	issue(0, 0);
	expect_is(0, IS_PSS);
	log = t.ram_bytes + DATA;
	assert_int_equal(log[0], 5);
	assert_int_equal(log[2], 0x51);
	assert_int_equal(log[3], 0x40);
	assert_int_equal(log[4] | log[5] << 8, 301);
	for (unsigned i = 0; i < 512; i++)
		sum += log[i];
	assert_int_equal(sum, 0);
}

/* ---- Errors, resets ------------------------------------------------------ */

static void test_errors(void **state)
{
	(void)state;
	port_start(0);
	slot_fill(0, 0, 0x25, SECTORS, 1, DATA, 512);
	slot_fill(0, 1, 0xe7, 0, 0, 0, 0);
	port_write(0, PORT_CI, 3);
	expect_is(0, IS_DHRS | IS_TFES);
	assert_int_equal(port_read(0, PORT_TFD), 0x1051);
	/* Nothing goes on until ST is cleared, and then nothing is left. */
	assert_int_equal(port_read(0, PORT_CI), 3);
	assert_int_equal(t.disk.flushes, 0);
	assert_int_equal(port_read(0, PORT_CMD) >> 8 & 0x1f, 0);
	port_write(0, PORT_CMD, 0x10);
	port_write(0, PORT_CMD, 0x11);
	assert_int_equal(port_read(0, PORT_CI), 0);
	issue(0, 1);
	expect_is(0, IS_DHRS);
	assert_int_equal(t.disk.flushes, 1);
	/* No command at all. */
	memset(table_at(0, 0), 0xff, 64);
	issue(0, 0);
	expect_is(0, IS_IFS);
}

/* Lists, tables and regions where there is no RAM: no harm, and an end. */
static void test_wild(void **state)
{
	(void)state;
	port_start(0);
	port_write(0, 4, 0x7fffffff); /* the list */
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_IS), IS_IFS);
	port_write(0, PORT_CMD, 0x10);
	port_write(0, 4, 0);
	port_write(0, PORT_IS, UINT32_MAX);
	port_write(0, PORT_CMD, 0x11);
	slot_fill(0, 0, 0x25, 0, 256, 0, 512);
	/* Regions of two bytes, as many as there can be. */
	header_at(0, 0)[0] |= 0xffff0000;
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_CI), 0);
	slot_fill(0, 0, 0x25, 0, 8, 0xfffff000, 4096);
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_CI), 0);
}

static void test_stop_in_flight(void **state)
{
	(void)state;
	port_start(0);
	t.disk.is_async = true;
	slot_fill(0, 0, 0x25, 100, 8, DATA, 4096);
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_TFD) & 0x80, 0x80);
	port_write(0, PORT_CMD, 0x10);
	assert_int_equal(port_read(0, PORT_CI), 0);
	/* Its memory is not yet the guest's. */
	assert_int_equal(port_read(0, PORT_CMD) & CMD_CR, CMD_CR);
	port_write(0, PORT_SCTL, 0x301);
	port_write(0, PORT_SCTL, 0x300);
	assert_int_equal(port_read(0, PORT_TFD), 0x80);
	medium_complete(&t.disk);
	assert_int_equal(port_read(0, PORT_CMD) & CMD_CR, 0);
	assert_int_equal(port_read(0, PORT_TFD), 0x150);
	assert_int_equal(port_read(0, PORT_IS) & IS_DHRS, 0);
	port_write(0, PORT_SERR, UINT32_MAX);
	port_write(0, PORT_CMD, 0x11);
	t.disk.is_async = false;
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_IS), IS_DHRS);
}

static void test_soft_reset(void **state)
{
	(void)state;
	port_start(1);
	slot_fill(1, 0, 0, 0, 0, 0, 0);
	table_at(1, 0)[1] = 0;
	table_at(1, 0)[15] = 4;
	issue(1, 0);
	assert_int_equal(port_read(1, PORT_CI), 0);
	memset(fis_at(1, 0x40), 0, 20);
	table_at(1, 0)[15] = 0;
	issue(1, 0);
	assert_int_equal(port_read(1, PORT_CI), 0);
	assert_int_equal(fis_at(1, 0x40)[0], 0x34);
	assert_int_equal(fis_at(1, 0x40)[6], 0xeb);
	assert_int_equal(port_read(1, PORT_SIG), 0xeb140101);
}

static void test_hba_reset(void **state)
{
	(void)state;
	port_start(0);
	hba_write(4, 0x80000003);
	assert_int_equal(hba_read(4), 0x80000000);
	assert_int_equal(port_read(0, PORT_CMD), 0x06);
	assert_int_equal(port_read(0, PORT_IE), 0);
	assert_int_equal(port_read(0, PORT_TFD), 0x80);
	assert_int_equal(port_read(0, 0), LISTS); /* stays */
	assert_false(a.intx);
}

static unsigned messages;

static void message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	assert_int_equal(address, 0xfee01000);
	assert_int_equal(data, 0x41);
	messages++;
}

/* One a port that asks, and again for what was not cleared. */
static void test_messages(void **state)
{
	(void)state;
	messages = 0;
	t.pci.message = message;
	pci_config_write(&t.pci, AHCI_DEVFN, 0x84, 4, 0xfee01000);
	pci_config_write(&t.pci, AHCI_DEVFN, 0x8c, 2, 0x41);
	pci_config_write(&t.pci, AHCI_DEVFN, 0x82, 2, 1);
	port_start(0);
	port_start(1);
	port_write(0, PORT_SCTL, 1);
	port_write(0, PORT_SCTL, 0);
	assert_int_equal(hba_read(8), 1);
	assert_int_equal(messages, 1);
	assert_false(a.intx);
	port_write(1, PORT_SCTL, 1);
	port_write(1, PORT_SCTL, 0);
	assert_int_equal(messages, 2);
	hba_write(8, 2); /* the port asks still */
	assert_int_equal(hba_read(8), 3);
	assert_int_equal(messages, 3);
	for (unsigned i = 0; i < 2; i++) {
		port_write(i, PORT_SERR, UINT32_MAX);
		port_write(i, PORT_IS, UINT32_MAX);
	}
	hba_write(8, 1); /* the other one is left */
	assert_int_equal(messages, 4);
	hba_write(8, 2);
	assert_int_equal(messages, 4);
	/* Interrupts on again, with something to say. */
	hba_write(4, 0x80000000);
	port_write(0, PORT_SCTL, 1);
	port_write(0, PORT_SCTL, 0);
	assert_int_equal(messages, 4);
	hba_write(4, 0x80000002);
	assert_int_equal(messages, 5);
	assert_false(a.intx);
}

static void test_offline(void **state)
{
	(void)state;
	port_start(0);
	port_write(0, PORT_SCTL, 4);
	assert_int_equal(port_read(0, PORT_SSTS), 4);
	slot_fill(0, 0, 0xe7, 0, 0, 0, 0);
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_CI), 1);
	port_write(0, PORT_SCTL, 0x10); /* 1.5 Gb/s */
	assert_int_equal(port_read(0, PORT_SSTS), 0x113);
	assert_int_equal(t.disk.flushes, 1);
}

/* Without bus mastering nothing moves, and goes on with it. */
static void test_master(void **state)
{
	(void)state;
	port_start(0);
	slot_fill(0, 0, 0x25, 100, 1, DATA, 512);
	pci_config_write(&t.pci, AHCI_DEVFN, PCI_COMMAND, 2, 3);
	issue(0, 0);
	assert_int_equal(port_read(0, PORT_CI), 1);
	assert_int_equal(t.disk.requests, 0);
	pci_config_write(&t.pci, AHCI_DEVFN, PCI_COMMAND, 2, 7);
	expect_is(0, IS_DHRS);
}

/* A port in the middle of a command leaves the others alone. */
static void test_two_ports(void **state)
{
	(void)state;
	port_start(0);
	port_start(DISK_2);
	t.disk.is_async = true;
	slot_fill(0, 0, 0x25, 100, 1, DATA, 512);
	issue(0, 0);
	slot_fill(DISK_2, 7, 0x25, 5, 1, DATA + 4096, 4096);
	issue(DISK_2, 7);
	expect_is(DISK_2, IS_DHRS);
	assert_memory_equal(t.ram_bytes + DATA + 4096,
			    a.disk_2.bytes + 5 * 4096, 4096);
	assert_int_equal(port_read(0, PORT_CI), 1);
	medium_complete(&t.disk);
	expect_is(0, IS_DHRS);
}

/* More than 4 MiB: the rest has its turn a moment later. */
static void test_turns(void **state)
{
	(void)state;
	port_start(0);
	for (unsigned slot = 0; slot < 3; slot++)
		slot_fill(0, slot, 0x25, 0, 8192, 0xfe000000, 4 << 20);
	port_write(0, PORT_CI, 7);
	assert_int_equal(port_read(0, PORT_CI), 6);
	pass_time(10000);
	assert_int_equal(port_read(0, PORT_CI), 4);
	pass_time(10000);
	assert_int_equal(port_read(0, PORT_CI), 0);
}

/* A disk of 4 KiB sectors: all counts and addresses are of those. */
static void test_long_sectors(void **state)
{
	const uint8_t *id = t.ram_bytes + DATA;

	(void)state;
	port_start(DISK_2);
	slot_fill(DISK_2, 0, 0xec, 0, 0, DATA, 512);
	issue(DISK_2, 0);
	expect_is(DISK_2, IS_PSS);
	id = t.ram_bytes + DATA;
	assert_int_equal(word(id, 60), 125); /* what is left over is lost */
	assert_int_equal(word(id, 100), 125);
	assert_int_equal(word(id, 106), 0x5000);
	assert_int_equal(word(id, 117), 2048);
	assert_int_equal(word(id, 1), 7);
	assert_int_equal(word(id, 3), 5);
	assert_int_equal(word(id, 6), 3);
	/* By PIO a block is a sector. */
	slot_fill(DISK_2, 0, 0x24, 3, 2, DATA, 8192);
	issue(DISK_2, 0);
	expect_is(DISK_2, IS_PSS);
	assert_memory_equal(t.ram_bytes + DATA, a.disk_2.bytes + 3 * 4096,
			    8192);
	slot_fill(DISK_2, 2, 0x61, 124, 1, DATA, 4096);
	port_write(DISK_2, PORT_SACT, 4);
	issue(DISK_2, 2);
	expect_is(DISK_2, IS_SDBS);
	assert_memory_equal(a.disk_2.bytes + 124 * 4096, t.ram_bytes + DATA,
			    4096);
	/* The end is in them, and so is where an error was. */
	slot_fill(DISK_2, 0, 0x25, 124, 2, DATA, 8192);
	issue(DISK_2, 0);
	expect_is(DISK_2, IS_DHRS | IS_TFES);
	assert_int_equal(fis_at(DISK_2, 0x40)[4], 125);
	assert_int_equal(fis_at(DISK_2, 0x40)[3], 0x10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AHCI_TEST(test_registers),
		AHCI_TEST(test_signatures),
		AHCI_TEST(test_pair),
		AHCI_TEST(test_identify),
		AHCI_TEST(test_dma),
		AHCI_TEST(test_pio),
		AHCI_TEST(test_short),
		AHCI_TEST(test_packet),
		AHCI_TEST(test_queued),
		AHCI_TEST(test_queued_error),
		AHCI_TEST(test_errors),
		AHCI_TEST(test_wild),
		AHCI_TEST(test_stop_in_flight),
		AHCI_TEST(test_soft_reset),
		AHCI_TEST(test_hba_reset),
		AHCI_TEST(test_messages),
		AHCI_TEST(test_offline),
		AHCI_TEST(test_master),
		AHCI_TEST(test_two_ports),
		AHCI_TEST(test_turns),
		AHCI_TEST(test_long_sectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
