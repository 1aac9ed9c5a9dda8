/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/atapi.c: packets by PIO and DMA, media. */
#include "tests/unit/atapi_test.h"

/* ---- ATAPI ------------------------------------------------------------- */

static void test_cd_identify(void **state)
{
	uint8_t id[512];

	(void)state;
	outb(0x176, 0xa0);
	outb(0x177, 0xec);
	assert_int_equal(inb(0x177) & 1, 1);
	assert_int_equal(inb(0x171), ABRT);
	assert_int_equal(inb(0x174), 0x14);
	outb(0x177, 0xa1);
	assert_int_equal(inb(0x177), DRQ);
	insw(0x170, id, 256);
	assert_int_equal(word(id, 0), 0x85c0);
	assert_int_equal(inb(0x177), READY);
	outb(0x177, 0x08);
	assert_int_equal(inb(0x177), 0);
	assert_int_equal(inb(0x175), 0xeb);
	outb(0x177, 0x30);
	assert_int_equal(inb(0x171), ABRT);
}

static void test_cd_read(void **state)
{
	static uint8_t data[40 * 2048];
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 3 };
	const uint8_t read12[12] = { 0xa8, 0, 0, 0, 0, 10, 0, 0, 0, 40 };
	const uint8_t beyond[12] = { 0x28, 0, 0, 0, 1, 42, 0, 0, 3 };
	const uint8_t none[12] = { 0x28, 0, 0, 0, 0, 10 };
	const uint8_t cd[12] = { 0xbe, 0, 0, 0, 0, 10, 0, 0, 2, 0x10 };

	(void)state;
	assert_int_equal(packet_read(read10, 2048, data), 3 * 2048);
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 3 * 2048);
	assert_int_equal(packet_read(read10, 1000, data), 3 * 2048);
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 3 * 2048);
	assert_int_equal(packet_read(read12, 0xfffe, data), 40 * 2048);
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 40 * 2048);
	assert_int_equal(packet_read(beyond, 2048, data), 0x10000 | 0x54);
	assert_int_equal(packet_read(none, 2048, data), 0);
	assert_int_equal(packet_read(cd, 2048, data), 2 * 2048);
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 2 * 2048);
	t.cd.is_broken = true;
	assert_int_equal(packet_read(read10, 2048, data), 0x10000 | 0x34);
}

static void test_cd_dma(void **state)
{
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 2 };
	const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };

	(void)state;
	prd(0, 0x10000, 4096, true);
	packet(1, 0, read10);
	master_start(1, true);
	assert_true(t.irq[1]);
	assert_int_equal(inb(0x177), READY);
	assert_int_equal(inb(0x172), 3);
	assert_int_equal(inb(MASTER + 8 + 2), 4);
	assert_memory_equal(t.ram_bytes + 0x10000, t.cd.bytes + 10 * 2048,
			    4096);
	outb(MASTER + 8, 0);
	prd(0, 0x20000, 36, true);
	packet(1, 0, inquiry);
	master_start(1, true);
	assert_int_equal(inb(0x177), READY);
	assert_memory_equal(t.ram_bytes + 0x20008, "BULKHEADCD-ROM", 14);
}

static void test_cd_information(void **state)
{
	const uint8_t capacity[12] = { 0x25 };
	const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 5 };
	const uint8_t toc[12] = { 0x43, 0, 0, 0, 0, 0, 0, 0, 255 };
	const uint8_t toc_msf[12] = { 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255 };
	const uint8_t sessions[12] = { 0x43, 0, 1, 0, 0, 0, 0, 0, 12 };
	const uint8_t raw[12] = { 0x43, 2, 2, 0, 0, 0, 0, 0, 255 };
	const uint8_t config[12] = { 0x46, 0, 0, 0, 0, 0, 0, 0, 255 };
	const uint8_t mode[12] = { 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255 };
	const uint8_t mode_bad[12] = { 0x5a, 0, 0x2b, 0, 0, 0, 0, 0, 255 };
	const uint8_t info[12] = { 0x51, 0, 0, 0, 0, 0, 0, 0, 255 };
	const uint8_t event[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 };
	const uint8_t status[12] = { 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 };
	const uint8_t unknown[12] = { 0xff };
	uint8_t data[256];

	(void)state;
	assert_int_equal(packet_read(capacity, 8, data), 8);
	assert_memory_equal(data, "\0\0\1\x2b\0\0\x08\0", 8);
	assert_int_equal(packet_read(inquiry, 255, data), 5);
	assert_int_equal(data[0], 5);
	assert_int_equal(packet_read(toc, 255, data), 20);
	assert_memory_equal(data,
			    "\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0"
			    "\0\0\1\x2c",
			    20);
	assert_int_equal(packet_read(toc_msf, 255, data), 12);
	assert_memory_equal(data + 8, "\0\0\6\0", 4);
	assert_int_equal(packet_read(sessions, 255, data), 12);
	assert_int_equal(packet_read(raw, 255, data), 48);
	assert_int_equal(data[4 + 22 + 3], 0xa2);
	assert_memory_equal(data + 4 + 22 + 7, "\0\0\6\0", 4);
	assert_int_equal(packet_read(config, 255, data), 8 + 12 + 12 + 8);
	assert_memory_equal(data + 6, "\0\x08", 2);
	assert_int_equal(packet_read(mode, 255, data), 30);
	assert_int_equal(packet_read(mode_bad, 255, data), 0x10054);
	assert_int_equal(packet_read(info, 255, data), 34);
	assert_int_equal(packet_read(event, 255, data), 8);
	assert_int_equal(data[5], 2);
	assert_int_equal(packet_read(status, 255, data), 8);
	assert_int_equal(packet_read(unknown, 255, data), 0x10054);
}

static void test_cd_media(void **state)
{
	const uint8_t ready[12] = { 0x00 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
	const uint8_t eject[12] = { 0x1b, 0, 0, 0, 2 };
	const uint8_t lock[12] = { 0x1e, 0, 0, 0, 1 };
	const uint8_t event[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 };
	uint8_t data[64];

	(void)state;
	assert_int_equal(packet_read(ready, 8, data), 0);
	ide_medium_change(&t.ide, 1, 0, NULL);
	assert_int_equal(packet_read(ready, 8, data), 0x10024);
	assert_int_equal(packet_read(sense, 18, data), 18);
	assert_int_equal(data[2], 2);
	assert_int_equal(data[12], 0x3a);
	assert_int_equal(packet_read(sense, 18, data), 18);
	assert_int_equal(data[2], 0);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	assert_int_equal(packet_read(event, 8, data), 8);
	assert_int_equal(data[4], 2);
	assert_int_equal(packet_read(ready, 8, data), 0x10064);
	assert_int_equal(packet_read(sense, 18, data), 18);
	assert_int_equal(data[12], 0x28);
	assert_int_equal(packet_read(ready, 8, data), 0);
	assert_int_equal(packet_read(lock, 8, data), 0);
	assert_int_equal(packet_read(eject, 8, data), 0x10054);
	outb(0x177, 0x08);
	assert_int_equal(packet_read(eject, 8, data), 0);
	assert_int_equal(packet_read(ready, 8, data), 0x10024);
}

/* One of another size and with other contents. */
static void test_cd_other(void **state)
{
	const uint8_t capacity[12] = { 0x25 };
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 2, 0, 0, 1 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
	static uint8_t data[2048];
	struct medium other = { 0 };

	(void)state;
	medium_init(&other, 3 * ATAPI_SECTOR / BLOCK_SECTOR);
	memset(other.bytes, 0xa5, other.length);
	ide_medium_change(&t.ide, 1, 0, &other.backend);
	assert_int_equal(packet_read(read10, 2048, data), 0x10064);
	assert_int_equal(packet_read(sense, 18, data), 18);
	assert_int_equal(data[12], 0x28);
	assert_int_equal(packet_read(capacity, 8, data), 8);
	assert_int_equal(data[3], 2);
	assert_int_equal(packet_read(read10, 2048, data), 2048);
	assert_memory_equal(data, other.bytes + 2 * 2048, 2048);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	free(other.bytes);
}

/* The medium goes away while a command still reads from it. */
static void test_cd_gone(void **state)
{
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 40 };
	static uint8_t data[65536];

	(void)state;
	packet(0, 0xfffe, read10);
	assert_int_equal(inb(0x177), DRQ);
	ide_medium_change(&t.ide, 1, 0, NULL);
	insw(0x170, data, 0x7fff);
	assert_int_equal(inb(0x177), DRQ);
	insw(0x170, data, 1);
	assert_int_equal(inb(0x177), ERR);
	assert_int_equal(inb(0x171), 0x24);
}

/* Another one comes: what is left is not read from that. */
static void test_cd_changed(void **state)
{
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 40 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
	static uint8_t data[40 * 2048];

	(void)state;
	packet(0, 0xfffe, read10);
	ide_medium_change(&t.ide, 1, 0, NULL);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	insw(0x170, data, 0x7fff);
	insw(0x170, data, 1);
	assert_int_equal(inb(0x177), ERR);
	assert_int_equal(inb(0x171), 0x64);
	assert_int_equal(packet_read(sense, 18, data), 18);
	assert_int_equal(data[12], 0x28);
	assert_int_equal(packet_read(read10, 2048, data), 40 * 2048);
	/* The same by DMA. */
	prd(0, 0x10000, 4096, true);
	packet(1, 0, read10);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	master_start(1, true);
	assert_true(t.irq[1]);
	assert_int_equal(inb(0x177), ERR);
	assert_int_equal(inb(0x171), 0x64);
}

/* The sense data name the block; those before it arrive. */
static void test_cd_sense(void **state)
{
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 9 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
	static uint8_t data[9 * 2048], reply[18];

	(void)state;
	t.cd.bad_sector = 13 * 4 + 2;
	packet(0, 2048, read10);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(inb(0x177), DRQ);
		insw(0x170, data + i * 2048, 1024);
	}
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 3 * 2048);
	for (unsigned by_dma = 0; by_dma < 2; by_dma++) {
		assert_int_equal(inb(0x177), ERR);
		assert_int_equal(inb(0x171), 0x34);
		assert_int_equal(packet_read(sense, 18, reply), 18);
		assert_memory_equal(reply, "\xf0\0\3\0\0\0\x0d\x0a", 8);
		assert_int_equal(reply[12], 0x11);
		if (by_dma)
			break;
		prd(0, 0x10000, 9 * 2048, true);
		packet(1, 0, read10);
		master_start(1, true);
	}
	assert_memory_equal(t.ram_bytes + 0x10000, t.cd.bytes + 10 * 2048,
			    3 * 2048);
}

/* A drive that does not begin; DEVICE RESET in mid-flight. */
static void test_cd_stuck(void **state)
{
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 1 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
	static uint8_t data[2048];

	(void)state;
	t.cd.is_async = true;
	t.cd.is_waiting = true;
	packet(0, 2048, read10);
	pass_time(IDE_TIMEOUT_NS - 1);
	assert_int_equal(inb(0x177), BSY);
	pass_time(1);
	assert_true(t.irq[1]);
	assert_int_equal(inb(0x177), ERR);
	assert_int_equal(inb(0x171), 0x44);
	outb(0x171, 0);
	outb(0x177, 0xa0);
	assert_int_equal(inb(0x177), DRQ);
	outsw(0x170, sense, 6);
	insw(0x170, data, 9);
	assert_int_equal(data[2], 4);
	assert_int_equal(data[12], 8);
	assert_int_equal(data[13], 1);

	t.cd.is_waiting = false;
	packet(0, 2048, read10);
	outb(0x177, 0x08);
	assert_int_equal(inb(0x177), BSY);
	outb(0x177, 0xa1);
	medium_complete(&t.cd);
	assert_int_equal(inb(0x177), 0);
	assert_int_equal(inb(0x175), 0xeb);
	assert_int_equal(packet_read(sense, 18, data), 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cd_identify), TEST(test_cd_read),
		TEST(test_cd_dma),	TEST(test_cd_information),
		TEST(test_cd_media),	TEST(test_cd_gone),
		TEST(test_cd_other),	TEST(test_cd_changed),
		TEST(test_cd_sense),	TEST(test_cd_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
