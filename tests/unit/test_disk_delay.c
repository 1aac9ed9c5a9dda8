/* SPDX-License-Identifier: BSD-2-Clause */
/* machine/disk_delay.c, below an IDE disk and by itself. */
#include "tests/unit/ide_test.h"

#include "machine/disk_delay.h"

#define DELAY_US 100
#define DELAY_NS (DELAY_US * 1000)

static struct disk_delay delay;

static int delay_setup(void **state)
{
	int error = setup(state);

	memset(&delay, 0, sizeof(delay));
	t.ide.channel[0].drive[0].backend =
		disk_delay_init(&delay, &t.disk.backend, &t.clock, DELAY_US);
	return error;
}

/* The drive is busy until then, and not a nanosecond longer. */
static void test_read(void **state)
{
	(void)state;
	lba28(5, 1, 0x20);
	assert_int_equal(t.disk.requests, 1);
	assert_int_equal(inb(0x1f7), BSY);
	pass_time(DELAY_NS - 1);
	assert_int_equal(inb(0x1f7), BSY);
	assert_false(t.irq[0]);
	pass_time(1);
	assert_true(t.irq[0]);
	assert_int_equal(inb(0x1f7), DRQ);
}

/* A medium that is slower makes it no slower. */
static void test_slow_medium(void **state)
{
	(void)state;
	t.disk.is_async = true;
	lba28(5, 1, 0x20);
	pass_time(2 * DELAY_NS);
	assert_int_equal(inb(0x1f7), BSY);
	medium_complete(&t.disk);
	assert_int_equal(inb(0x1f7), DRQ);
}

static void test_dma_write(void **state)
{
	(void)state;
	prd(0, 0x10000, 512, true);
	t.ram_bytes[0x10000] = 0x99;
	lba28(9, 1, 0xca);
	master_start(0, false);
	assert_int_equal(inb(0x3f6), BSY);
	pass_time(DELAY_NS);
	expect_end(READY);
	assert_int_equal(sector(9)[0], 0x99);
}

static void test_error(void **state)
{
	(void)state;
	t.disk.bad_sector = 7;
	lba28(7, 1, 0x20);
	assert_int_equal(inb(0x1f7), BSY);
	pass_time(DELAY_NS);
	expect_error(UNC);
	assert_int_equal(inb(0x1f3), 7);
}

/* A reset waits for nothing that has been done, and the next has its time. */
static void test_reset(void **state)
{
	(void)state;
	lba28(5, 1, 0x20);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x1f7), READY);
	pass_time(DELAY_NS / 2);
	lba28(6, 1, 0x20);
	pass_time(DELAY_NS - 1);
	assert_int_equal(inb(0x1f7), BSY);
	pass_time(1);
	assert_int_equal(inb(0x1f7), DRQ);
}

/* What has not begun below is taken back there. */
static void test_cancel(void **state)
{
	(void)state;
	t.disk.is_async = t.disk.is_waiting = true;
	lba28(5, 1, 0x20);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(t.disk.cancels, 1);
	assert_null(t.disk.pending);
	assert_int_equal(inb(0x1f7), READY);
	assert_null(delay.request);
}

static void wait_done(void *dev, struct block_request *request, int status)
{
	(void)request;
	*(int *)dev = status;
}

static void test_wait(void **state)
{
	uint8_t bytes[BLOCK_SECTOR];
	int status = 1;
	struct block_request request = {
		.op = BLOCK_READ,
		.segment_count = 1,
		.segment = { { bytes, sizeof(bytes) } },
		.failed_sector = BLOCK_UNKNOWN,
		.done = wait_done,
		.dev = &status,
	};

	(void)state;
	delay.backend.submit(delay.backend.ctx, &request);
	assert_int_equal(status, 1);
	delay.backend.wait(delay.backend.ctx, &request);
	assert_int_equal(status, 0);
	assert_memory_equal(bytes, sector(0), sizeof(bytes));
	pass_time(2 * DELAY_NS); /* its timer is off */
}

int main(void)
{
#define DELAYED(name) \
	cmocka_unit_test_setup_teardown(name, delay_setup, teardown)
	const struct CMUnitTest tests[] = {
		DELAYED(test_read),	 DELAYED(test_slow_medium),
		DELAYED(test_dma_write), DELAYED(test_error),
		DELAYED(test_reset),	 DELAYED(test_cancel),
		DELAYED(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
