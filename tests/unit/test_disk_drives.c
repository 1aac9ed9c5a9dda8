/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/requests.c: drives that fail, lie or do not answer, flushes
 * that are told, resets.
 */
#include "tests/unit/disk_test.h"

/* ---- Drives that fail ---------------------------------------------------- */

static void test_cookies(void **state)
{
	struct fake_request slot;

	(void)state;
	begin_one(0);
	finish();
	send(0, 1, DISK_OP_READ, 1, 1, 0);
	step();
	slot = fake[0].queue[0];
	for (unsigned i = 0; i < 64; i++)
		assert_false(
			disk_complete(&disk, slot.request.cookie ^ BIT(i), 0));
	assert_false(disk_complete(&disk, UINT64_MAX, 0));
	fake_end(&fake[0], 0);
	assert_false(disk_complete(&disk, slot.request.cookie, 0));
	finish();
	assert_int_equal(machine[0].answers, 1);
}

static void test_bad_sector(void **state)
{
	(void)state;
	begin_one(0);
	for (unsigned i = 0; i < sizeof(fake[0].cache); i++)
		fake[0].cache[i] = (uint8_t)(i / 512);
	for (unsigned bad = 300; bad < 1400; bad += 61) {
		fake[0].bad_sector = bad;
		memory_fill(0, 0, 1000 * 512, 0x55);
		assert_int_equal(ask(0, DISK_OP_READ, 300, 1000, 0),
				 bad < 1300 ? -EIO : 0);
		if (bad < 1300)
			assert_int_equal(machine[0].sector[0], bad);
		assert_true(memory_is(0, 0, (MIN(bad, 1300u) - 300) * 512,
				      (uint8_t)300));
		assert_int_equal(ask(0, DISK_OP_WRITE, 300, 1000, 0),
				 bad < 1300 ? -EIO : 0);
		for (unsigned i = 300; i < 1300; i++)
			fake[0].cache[i * 512] = (uint8_t)i;
	}
	assert_true(log_lines <= 25);
}

static void test_fua(void **state)
{
	(void)state;
	for (unsigned has = 0; has < 2; has++) {
		struct disk_request request;

		disk_setup(NULL);
		fake[0].info.has_fua = has;
		service_begin();
		begin_one(0);
		finish();
		memory_fill(0, 0, 512, 9);
		request = (struct disk_request){
			.id = 200,
			.op = DISK_OP_WRITE,
			.flags = DISK_FUA,
			.sector_count = 1,
			.segment_count = 1,
			.segment[0] = { 0, 512, 0 },
		};
		assert_int_equal(disk_client_submit(&machine[0].link, &request),
				 0);
		step();
		fake_end(&fake[0], 0);
		step();
		assert_int_equal(machine[0].answers, has);
		finish();
		assert_int_equal(machine[0].status[200], 0);
		assert_int_equal(fake[0].platter[0], 9);
		assert_int_equal(fake[0].ended[DRIVE_FLUSH], !has);
		/* A flush that fails fails the write. */
		fake[0].is_flush_bad = true;
		request.id = 201;
		assert_int_equal(disk_client_submit(&machine[0].link, &request),
				 0);
		finish();
		assert_int_equal(machine[0].status[201], has ? 0 : -EIO);
	}
}

/* Two clients on one drive: when the first's flush fails the second, which has
 * writes at risk, is told by its next flush, and once. */
static void test_flush_lost(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		client_add(i);
		unit_add(i, 0, i * 100, 100);
		assert_int_equal(disk_client_start(&disk, i + 1), 0);
		machine_begin(i, 50 + i);
		/* What a former disk may have left at risk. */
		assert_int_equal(ask(i, DISK_OP_FLUSH, 0, 0, 0), 0);
	}
	assert_int_equal(ask(0, DISK_OP_WRITE, 1, 1, 0), 0);
	assert_int_equal(ask(1, DISK_OP_WRITE, 1, 1, 0), 0);
	fake[0].is_flush_bad = true;
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), -EIO);
	fake[0].is_flush_bad = false;
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), 0);
	assert_true(machine[1].channel.drive[0].flags & DISK_DRIVE_LOST);
	assert_int_equal(ask(2, DISK_OP_FLUSH, 0, 0, 0), 0);
	/* What was written after the flush that fails began is another's. */
	send(0, 7, DISK_OP_WRITE, 2, 1, 0);
	step();
	send(0, 8, DISK_OP_FLUSH, 0, 0, 0);
	step();
	fake_end(&fake[0], 0);
	fake[0].is_flush_bad = true;
	finish();
	fake[0].is_flush_bad = false;
	assert_int_equal(machine[0].status[8], -EIO);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), -EIO);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), 0);
	/* Also when disk dies before it could tell. */
	service_begin();
	client_add(1);
	unit_add(1, 0, 100, 100);
	assert_int_equal(disk_client_start(&disk, 2), 0);
	assert_int_equal(ask(1, DISK_OP_FLUSH, 0, 0, 0), -EIO);
	assert_int_equal(ask(1, DISK_OP_FLUSH, 0, 0, 0), 0);
}

/* No cache: nothing to flush. */
static void test_write_through(void **state)
{
	(void)state;
	fake[0].info.has_flush = false;
	service_begin();
	begin_one(0);
	memory_fill(0, 0, 512, 9);
	assert_int_equal(ask(0, DISK_OP_WRITE, 1, 1, 0), 0);
	assert_int_equal(fake[0].platter[512], 9);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), 0);
	assert_int_equal(fake[0].ended[DRIVE_FLUSH], 0);
	assert_int_equal(machine[0].channel.drive[0].flags & DISK_DRIVE_CACHE,
			 0);
}

/* ---- Resets -------------------------------------------------------------- */

static void test_reset(void **state)
{
	(void)state;
	begin_one(0);
	finish();
	memory_fill(0, 0, 30 * 512, 1);
	for (unsigned i = 0; i < 30; i++)
		send(0, i + 1, i == 29 ? DISK_OP_FLUSH : DISK_OP_WRITE,
		     i == 29 ? 0 : i, i != 29, i * 512);
	step();
	fake_end(&fake[0], 3);
	fake_reset(&fake[0]);
	disk_drive_reset(&disk, 0, false);
	finish();
	assert_int_equal(machine[0].answers, 30);
	for (unsigned i = 1; i <= 30; i++)
		assert_int_equal(machine[0].status[i], 0);
	for (unsigned i = 0; i < 29; i++)
		assert_int_equal(fake[0].cache[i * 512], 1 + i);
}

/* A drive that never answers is reset each time, then what it has fails. */
static void test_stuck(void **state)
{
	(void)state;
	begin_one(0);
	finish();
	send(0, 1, DISK_OP_READ, 1, 100, 0);
	step();
	/* Others that end do not hide it. */
	for (unsigned i = 0; i < 100 && machine[0].status[1] == 1; i++) {
		now_ns = disk_deadline(&disk);
		assert_true(now_ns != UINT64_MAX);
		send(0, 2 + i, DISK_OP_READ, 2, 1, 51200);
		step();
		if (fake[0].count > 1)
			fake_end(&fake[0], fake[0].count - 1);
		step();
	}
	assert_int_equal(machine[0].status[1], -EIO);
	assert_int_equal(fake[0].resets, DISK_RETRIES + 1);
	assert_int_equal(ask(0, DISK_OP_READ, 1, 1, 0), 0);
}

static void test_dead(void **state)
{
	(void)state;
	begin_one(0);
	finish();
	for (unsigned i = 0; i < 30; i++)
		send(0, i + 1, DISK_OP_READ, i, 8, 0);
	step();
	fake[0].reset_status = -EIO;
	now_ns += DISK_TIMEOUT_NS;
	step();
	assert_int_equal(machine[0].answers, 30);
	for (unsigned i = 1; i <= 30; i++)
		assert_int_equal(machine[0].status[i], -EIO);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), -EIO);
	assert_int_equal(ask(0, DISK_OP_WRITE, 1, 1, 0), -EIO);
	assert_int_equal(machine[0].sector[0], 1);
	assert_true(log_lines <= 25);
}

#define TEST(name) cmocka_unit_test_setup(name, disk_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cookies),	  TEST(test_bad_sector),
		TEST(test_fua),		  TEST(test_flush_lost),
		TEST(test_write_through), TEST(test_reset),
		TEST(test_stuck),	  TEST(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
