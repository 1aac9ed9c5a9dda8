/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices/virtio_scsi*.c: commands, data in any pieces, sense data, targets and
 * units that are not there, several in flight, drivers that break the rules.
 */
#include "tests/unit/virtio_scsi_test.h"

/* ---- Commands ------------------------------------------------------------ */

static void test_layout(void **state)
{
	(void)state;
	assert_int_equal(vt_read(VT_CONFIG, 4), 2);
	assert_int_equal(vt_read(VT_CONFIG + 4, 4), VIRTIO_SCSI_SEGMENTS);
	assert_int_equal(vt_read(VT_CONFIG + 8, 4), 8192);
	assert_int_equal(vt_read(VT_CONFIG + 12, 4), VIRTIO_SCSI_DEPTH);
	assert_int_equal(vt_read(VT_CONFIG + 16, 4), 16);
	assert_int_equal(vt_read(VT_CONFIG + 20, 4), 96);
	assert_int_equal(vt_read(VT_CONFIG + 24, 4), 32);
	assert_int_equal(vt_read(VT_CONFIG + 30, 2), VIRTIO_SCSI_TARGETS - 1);
	assert_int_equal(vt_read(VT_CONFIG + 32, 4), 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUES, 2), 4);
}

static void test_inquiry(void **state)
{
	(void)state;
	ASK(DISK, "\x12\0\0\0\x24\0", 36);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(v.bytes + DATA + 8, "BULKHEADModel           ", 24);
	assert_int_equal(v.bytes[DATA + 7], BIT(1));
	ASK(DISK, "\x12\1\x80\0\xff\0", 255);
	assert_memory_equal(v.bytes + DATA, "\0\x80\0\3ONE", 7);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 255 - 7);
	assert_int_equal(v.bytes[DATA + 7], 0xee);
	ASK(CD, "\x12\0\0\0\x24\0", 64);
	assert_int_equal(v.bytes[DATA], 5);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 64 - 36);
}

static void test_read(void **state)
{
	uint16_t id;

	(void)state;
	BEGIN(0, DISK, "\x28\0\0\0\0\3\0\0\4\0");
	respond_at(0);
	vt_in(DATA, 100);
	vt_in(DATA + 100, 924);
	vt_in(DATA + 0x1000, 1024);
	id = send(REQUESTS + 1);
	assert_int_equal(vt_expect(REQUESTS + 1, id), IN_SIZE + 2048);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(v.bytes + DATA, d.disk.sectors + 3 * 512, 1024);
	assert_memory_equal(v.bytes + DATA + 0x1000, d.disk.sectors + 5 * 512,
			    1024);
	/* The response and the data in one piece, by way of a table. */
	BEGIN(1, DISK_2, "\x28\0\0\0\0\0\0\0\1\0");
	vt_in(RESPONSE + PLACE, 7);
	vt_in(RESPONSE + PLACE + 7, IN_SIZE - 7 + 200);
	vt_in(DATA, 400);
	id = vt_add_indirect(REQUESTS, TABLE);
	vt_kick(REQUESTS);
	assert_int_equal(vt_expect(REQUESTS, id), IN_SIZE + 512);
	expect_response(1, VIRTIO_SCSI_OK, SCSI_GOOD, 88);
	assert_memory_equal(v.bytes + RESPONSE + PLACE + IN_SIZE,
			    d.disk_2.sectors, 200);
	assert_memory_equal(v.bytes + DATA, d.disk_2.sectors + 200, 312);
}

static void test_write(void **state)
{
	(void)state;
	memset(v.bytes + DATA, 0x5a, 1024);
	BEGIN(0, DISK, "\x2a\0\0\0\0\x3e\0\0\2\0");
	vt_out(DATA, 1);
	vt_out(DATA + 1, 1023);
	respond_at(0);
	assert_int_equal(vt_expect(REQUESTS, send(REQUESTS)), IN_SIZE);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(d.disk.sectors + 62 * 512, v.bytes + DATA, 1024);
	/* The command and its data in one piece. */
	memset(v.bytes + HEADER + OUT_SIZE, 0x77, 512);
	BEGIN(0, DISK, "\x2a\0\0\0\0\0\0\0\1\0");
	v.piece[0].length += 512;
	respond_at(0);
	assert_int_equal(vt_expect(REQUESTS, send(REQUESTS)), IN_SIZE);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(d.disk.sectors, v.bytes + HEADER + OUT_SIZE, 512);
}

static void test_sense(void **state)
{
	(void)state;
	ASK(DISK, "\x28\0\0\0\0\x40\0\0\1\0", 512);
	expect_sense(0, SCSI_ILLEGAL_REQUEST, SCSI_OUT_OF_RANGE);
	assert_int_equal(response_of(0)->residual, 512);
	ASK(DISK, "\x7f", 0);
	expect_sense(0, SCSI_ILLEGAL_REQUEST, SCSI_INVALID_COMMAND);
	/* It has been told: there is nothing to ask for. */
	ASK(DISK, "\3\0\0\0\x12\0", 18);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_int_equal(v.bytes[DATA + 2], 0);
	d.disk.status = -EIO;
	ASK(DISK, "\x28\0\0\0\0\0\0\0\1\0", 512);
	expect_sense(0, SCSI_MEDIUM_ERROR, SCSI_READ_ERROR);
	ASK(CD, "\x28\0\0\0\x40\0\0\0\1\0", 2048);
	expect_sense(0, SCSI_ILLEGAL_REQUEST, SCSI_OUT_OF_RANGE);
}

static void test_cdrom(void **state)
{
	(void)state;
	ASK(CD, "\x28\0\0\0\0\4\0\0\2\0", 4096);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(v.bytes + DATA, d.disc.sectors + 8192, 4096);
	ASK(CD, "\x25\0\0\0\0\0\0\0\0\0", 8);
	assert_memory_equal(v.bytes + DATA, "\0\0\0\x0f\0\0\x08\0", 8);
	ASK(CD, "\xa0\0\0\0\0\0\0\0\x20\0", 32);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 16);
	assert_memory_equal(v.bytes + DATA, "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0",
			    16);
}

/* Room for less than the command has, or wants; for more. */
static void test_lengths(void **state)
{
	(void)state;
	ASK(DISK, "\x28\0\0\0\0\0\0\0\2\0", 1000);
	expect_response(0, VIRTIO_SCSI_OVERRUN, SCSI_GOOD, 0);
	ASK(DISK, "\x28\0\0\0\0\0\0\0\1\0", 0);
	expect_response(0, VIRTIO_SCSI_OVERRUN, SCSI_GOOD, 0);
	BEGIN(0, DISK, "\x2a\0\0\0\0\0\0\0\2\0");
	vt_out(DATA, 1023);
	respond_at(0);
	(void)vt_expect(REQUESTS, send(REQUESTS));
	expect_response(0, VIRTIO_SCSI_OVERRUN, SCSI_GOOD, 0);
	assert_int_equal(d.disk.sectors[0], 1);
	ASK(CD, "\x28\0\0\0\0\0\0\0\1\0", 2047);
	expect_response(0, VIRTIO_SCSI_OVERRUN, SCSI_GOOD, 0);
	/* The next one knows nothing of it. */
	ASK(DISK, "\x28\0\0\0\0\0\0\0\1\0", 513);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 1);
	ASK(CD, "\0\0\0\0\0\0", 5);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 5);
	/* In both directions; more than is done at once. */
	BEGIN(0, DISK, "\x2a\0\0\0\0\0\0\0\1\0");
	vt_out(DATA, 512);
	respond_at(0);
	vt_in(DATA, 512);
	(void)vt_expect(REQUESTS, send(REQUESTS));
	expect_response(0, VIRTIO_SCSI_FAILURE, SCSI_GOOD, 1024);
	BEGIN(0, DISK, "\x28\0\0\0\0\0\0\0\1\0");
	respond_at(0);
	for (unsigned i = 0; i < 33; i++)
		vt_in(DATA, 0x20000);
	(void)vt_expect(REQUESTS, send(REQUESTS));
	expect_response(0, VIRTIO_SCSI_FAILURE, SCSI_GOOD, 33 * 0x20000);
}

static void test_nobody(void **state)
{
	static const struct {
		uint8_t lun[8];
		uint8_t response, status;
	} rows[] = {
		{ { 1, 1, 0x40, 0 }, VIRTIO_SCSI_BAD_TARGET, SCSI_GOOD },
		{ { 1, 8, 0x40, 0 }, VIRTIO_SCSI_BAD_TARGET, SCSI_GOOD },
		{ { 1, 255, 0x40, 0 }, VIRTIO_SCSI_BAD_TARGET, SCSI_GOOD },
		{ { 0, 0, 0x40, 0 }, VIRTIO_SCSI_BAD_TARGET, SCSI_GOOD },
		{ { 0xc1, 1, 0, 0 }, VIRTIO_SCSI_BAD_TARGET, SCSI_GOOD },
		{ { 1, 0, 0x40, 0 }, VIRTIO_SCSI_OK, SCSI_GOOD },
		{ { 1, 0, 0, 0 }, VIRTIO_SCSI_OK, SCSI_GOOD },
		{ { 1, 0, 0x40, 1 }, VIRTIO_SCSI_OK, SCSI_CHECK_CONDITION },
		{ { 1, 0, 0x41, 0 }, VIRTIO_SCSI_OK, SCSI_CHECK_CONDITION },
		{ { 1, 0, 0xc0, 0 }, VIRTIO_SCSI_OK, SCSI_CHECK_CONDITION },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		BEGIN(0, 0, "\0\0\0\0\0\0");
		memcpy(v.bytes + HEADER, rows[i].lun, 8);
		respond_at(0);
		(void)vt_expect(REQUESTS, send(REQUESTS));
		expect_response(0, rows[i].response, rows[i].status, 0);
	}
	expect_sense(0, SCSI_ILLEGAL_REQUEST, SCSI_NO_UNIT);
	BEGIN(0, DISK, "\x12\0\0\0\x24\0");
	v.bytes[HEADER + 3] = 1;
	respond_at(0);
	vt_in(DATA, 40);
	(void)vt_expect(REQUESTS, send(REQUESTS));
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 4);
	assert_int_equal(v.bytes[DATA], 0x7f);
}

/* The driver's own sizes of commands and sense data. */
static void test_sizes(void **state)
{
	(void)state;
	vt_write(VT_CONFIG + 20, 4, 10);
	for (unsigned i = 0; i < 4; i++)
		vt_write(VT_CONFIG + 24 + i, 1, i ? 0 : 10);
	vt_write(VT_CONFIG + 0, 4, 77);
	assert_int_equal(vt_read(VT_CONFIG, 4), 2);
	assert_int_equal(vt_read(VT_CONFIG + 24, 4), 10);
	BEGIN(0, DISK, "\x28\0\0\0\0\x40\0\0\1\0");
	v.piece[0].length = 29;
	vt_in(RESPONSE, 22);
	assert_int_equal(vt_expect(REQUESTS, send(REQUESTS)), 22);
	assert_int_equal(response_of(0)->status, SCSI_CHECK_CONDITION);
	assert_int_equal(response_of(0)->sense_length, 10);
	assert_int_equal(sense_of(0)[2], SCSI_ILLEGAL_REQUEST);
	assert_int_equal(sense_of(0)[10], 0xee);
	/* A reset takes them back. */
	start(VT_DEFAULT, 64);
	assert_int_equal(vt_read(VT_CONFIG + 20, 4), 96);
	assert_int_equal(vt_read(VT_CONFIG + 24, 4), 32);
	/* Sizes that nobody has. */
	vt_write(VT_CONFIG + 20, 4, 256);
	BEGIN(0, DISK, "\0");
	respond_at(0);
	send(REQUESTS);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
}

static void test_broken(void **state)
{
	(void)state;
	vt_out(HEADER, OUT_SIZE - 1);
	respond_at(0);
	send(REQUESTS);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	start(VT_DEFAULT, 64);
	vt_out(HEADER, OUT_SIZE);
	vt_in(RESPONSE, IN_SIZE - 1);
	send(REQUESTS);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	start(VT_DEFAULT, 64);
	vt_out(HEADER, OUT_SIZE);
	send(REQUESTS + 1);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
	start(VT_DEFAULT, 64);
	ASK(DISK, "\0\0\0\0\0\0", 0);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
}

/* ---- Several ------------------------------------------------------------- */

/* Each drive does one after the other, in the order in which they came but for
 * those that are for the queue's head; drives do not wait for each other. */
static void test_flight(void **state)
{
	uint16_t id[6];

	(void)state;
	d.disk.is_late = true;
	for (unsigned i = 0; i < 3; i++)
		id[i] = read_one(REQUESTS, i, DISK);
	BEGIN(3, DISK, "\x28\0\0\0\0\3\0\0\1\0");
	v.bytes[HEADER + PLACE * 3 + 16] = VIRTIO_SCSI_HEAD;
	respond_at(3);
	vt_in(DATA + 512 * 3, 512);
	id[3] = send(REQUESTS + 1);
	id[4] = read_one(REQUESTS + 1, 4, DISK_2);
	assert_int_equal(vt_expect(REQUESTS + 1, id[4]), IN_SIZE + 512);
	expect_read(4, &d.disk_2);
	assert_false(virtio_scsi_ops.is_idle(&d.scsi));
	vt_expect_none(REQUESTS);
	held_end(&d.disk);
	(void)vt_expect(REQUESTS, id[0]);
	held_end(&d.disk);
	(void)vt_expect(REQUESTS + 1, id[3]);
	vt_expect_none(REQUESTS);
	held_end(&d.disk);
	held_end(&d.disk);
	(void)vt_expect(REQUESTS, id[1]);
	(void)vt_expect(REQUESTS, id[2]);
	for (unsigned i = 0; i < 4; i++)
		expect_read(i, &d.disk);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
}

/* More than there are places for, in two queues. */
static void test_places(void **state)
{
	unsigned done[2] = { 0 };
	uint32_t id, length;

	(void)state;
	init(2);
	start(VT_DEFAULT | VIRTIO_F_INDIRECT_DESC, 128);
	d.disk.is_late = true;
	for (unsigned i = 0; i < 80; i++) {
		BEGIN(i, DISK, "\x28\0\0\0\0\0\0\0\1\0");
		v.bytes[HEADER + PLACE * i + 19 + 5] = (uint8_t)(i % SECTORS);
		respond_at(i);
		vt_in(DATA + 512 * i, 512);
		vt_add_indirect(REQUESTS + (i & 1), TABLE + 64 * i);
		vt_kick(REQUESTS + (i & 1));
	}
	assert_int_equal(d.scsi.free, 0);
	for (unsigned i = 0; i < 80; i++) {
		held_end(&d.disk);
		for (unsigned q = 0; q < 2; q++)
			while (vt_take(REQUESTS + q, &id, &length))
				done[q]++;
	}
	assert_int_equal(done[0], 40);
	assert_int_equal(done[1], 40);
	for (unsigned i = 0; i < 80; i++)
		expect_read(i, &d.disk);
	assert_int_equal(d.disk.requests, 80);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_layout),  TEST(test_inquiry), TEST(test_read),
		TEST(test_write),   TEST(test_sense),	TEST(test_cdrom),
		TEST(test_lengths), TEST(test_nobody),	TEST(test_sizes),
		TEST(test_broken),  TEST(test_flight),	TEST(test_places),
	};

	return cmocka_run_group_tests_name("virtio_scsi", tests, NULL, NULL);
}
