/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's start with disks of the service: one that comes late, never, or
 * does not have what is wanted.
 */
#include "tests/unit/disk_service_test.h"

static void start_late(void)
{
	if (bench.waits == 1)
		bench.now_ns = bench.timer_ns;
	else if (bench.waits == 2)
		service_start();
	else if (bench.waits > 2)
		service_read();
}

static void start_and_die(void)
{
	if (bench.waits % 3 == 1)
		service_start();
	else if (bench.waits < 10)
		service_die();
	else
		service_read();
}

static void test_open_late(void **state)
{
	(void)state;
	bench_init(2);
	bench.on_wait = start_late;
	assert_int_equal(disk_service_open(&bench.machine), 0);
	assert_int_equal(bench.disk[0]->sector_count, UNIT_BLOCKS);
	assert_false(bench.disk[0]->is_read_only);
	assert_true(bench.disk[0]->has_fua);
	/* It is said what is waited for. */
	assert_int_equal(bench.logs, 1);
	bench_init(1);
	bench.on_wait = start_and_die;
	assert_int_equal(disk_service_open(&bench.machine), 0);
}

static void test_open_never(void **state)
{
	(void)state;
	bench_init(1);
	assert_int_equal(disk_service_open(&bench.machine), -ENODEV);
	assert_true(bench.now_ns >= DISK_SERVICE_AWAY_NS);
	assert_int_equal(bench.timer_ns, UINT64_MAX);
	/* There, but mute. */
	bench_init(1);
	service_start();
	assert_int_equal(disk_service_open(&bench.machine), -ENODEV);
	assert_int_equal(bench.waits, 2);
	/* None of the service's: nobody waits. */
	bench_init(0);
	assert_int_equal(disk_service_open(&bench.machine), 0);
	assert_int_equal(bench.waits, 0);
}

static void test_open_drives(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct disk_drive_info *info = &bench.info[UNITS - 2];

		bench_init(2);
		if (i == 0)
			info->flags &= ~DISK_DRIVE_PRESENT;
		else if (i == 1)
			info->sector_count = 0;
		else if (i == 2)
			info->block_size = 4096;
		else
			info->flags |= DISK_DRIVE_READ_ONLY;
		bench.config[1].is_read_only = i == 4;
		bench.config[1].is_cdrom = i == 5;
		service_start();
		bench.on_wait = service_read;
		assert_int_equal(disk_service_open(&bench.machine),
				 i < 4 ? -ENODEV : 0);
		assert_int_equal(bench.logs, i < 4);
		if (i >= 4)
			assert_true(bench.disk[1]->is_read_only);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_late),
		cmocka_unit_test(test_open_never),
		cmocka_unit_test(test_open_drives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
