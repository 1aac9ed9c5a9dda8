/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose: what of a write is done, which requests fail, and what
 * wires show. */
#include "tests/unit/device_test.h"

#include <stdlib.h>

#include "devices/pflash.h"
#include "include/errno.h"
#include "machine/fault.h"

#define SECTORS	  16
#define UNIT	  1
#define LINE	  4
#define HIGH_LINE 8 /* at first */

static struct {
	struct bench b;
	struct machine_fault machine;
	struct fault fault;
	uint8_t medium[SECTORS * BLOCK_SECTOR];
	uint8_t memory[SECTORS * BLOCK_SECTOR];
	struct block_backend below;
	/* It has the request until it is told to end it, if it takes time. */
	bool takes_time;
	struct block_request *held;
	unsigned submits, cancels, waits, flushes;
	int ends, status;
	uint64_t failed_sector;
	unsigned cuts, told;
	unsigned told_line;
	char logged[80];
} bench;

/* ---- What is below a disk ------------------------------------------------ */

static void below_end(int status)
{
	struct block_request *request = bench.held;
	uint8_t *at = bench.medium + request->sector * BLOCK_SECTOR;

	for (uint32_t i = 0; !status && i < request->segment_count; i++) {
		const struct block_segment *s = &request->segment[i];

		if (request->op == BLOCK_WRITE)
			memcpy(at, s->host, s->length);
		else
			memcpy(s->host, at, s->length);
		at += s->length;
	}
	bench.held = NULL;
	request->done(request->dev, request, status);
}

static void below_submit(void *ctx, struct block_request *request)
{
	(void)ctx;
	assert_null(bench.held);
	assert_int_equal(request->failed_sector, BLOCK_UNKNOWN);
	bench.submits++;
	bench.flushes += request->op == BLOCK_FLUSH;
	bench.held = request;
	if (!bench.takes_time)
		below_end(0);
}

static void below_cancel(void *ctx, struct block_request *request)
{
	(void)ctx;
	assert_ptr_equal(request, bench.held);
	bench.cancels++;
	request->failed_sector = request->sector;
	below_end(-ECANCELED);
}

static void below_wait(void *ctx, const struct block_request *request)
{
	(void)ctx;
	assert_ptr_equal(request, bench.held);
	bench.waits++;
	below_end(0);
}

/* ---- The bench ----------------------------------------------------------- */

static void power_cut(void *ctx)
{
	(void)ctx;
	bench.cuts++;
}

static void log_text(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(bench.logged, sizeof(bench.logged), "%s", text);
}

static void late(void *ctx, unsigned line)
{
	(void)ctx;
	bench.told++;
	bench.told_line = line;
}

static struct block_backend *start(struct machine_fault machine)
{
	const struct fault_config config = {
		.machine = &bench.machine,
		.clock = &bench.b.clock,
		.power_cut = power_cut,
		.log = log_text,
	};

	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	bench.machine = machine;
	bench.below = (struct block_backend){
		.submit = below_submit,
		.cancel = below_cancel,
		.wait = below_wait,
		.sector_count = SECTORS,
		.has_fua = true,
	};
	fault_init(&bench.fault, &config);
	fault_wires_init(&bench.fault, BIT(HIGH_LINE), late, NULL);
	return fault_disk_add(&bench.fault, UNIT, &bench.below);
}

static void done(void *dev, struct block_request *request, int status)
{
	(void)dev;
	bench.ends++;
	bench.status = status;
	bench.failed_sector = request->failed_sector;
}

static void submit(struct block_backend *disk, struct block_request *request,
		   enum block_op op, uint64_t sector, uint32_t count)
{
	/* Two pieces, the first of which is one sector. */
	*request = (struct block_request){
		.op = op,
		.sector = sector,
		.segment_count = op == BLOCK_FLUSH ? 0
				 : count > 1	   ? 2
						   : 1,
		.segment = { { bench.memory, BLOCK_SECTOR },
			     { bench.memory + BLOCK_SECTOR,
			       (count - 1) * BLOCK_SECTOR } },
		.failed_sector = BLOCK_UNKNOWN,
		.done = done,
	};
	bench.ends = 0;
	disk->submit(disk->ctx, request);
}

/* All of one byte, from sector on; returns how many sectors have it. */
static unsigned write_all(struct block_backend *disk, uint64_t sector,
			  uint32_t count, uint8_t byte)
{
	struct block_request request;
	unsigned sectors = 0;

	memset(bench.memory, byte, sizeof(bench.memory));
	submit(disk, &request, BLOCK_WRITE, sector, count);
	assert_int_equal(bench.ends, 1);
	while (sectors < count &&
	       bench.medium[(sector + sectors) * BLOCK_SECTOR] == byte)
		sectors++;
	return sectors;
}

/* ---- Disks --------------------------------------------------------------- */

static void test_disk_error(void **state)
{
	struct block_backend *disk = start((struct machine_fault){
		.has_disk_error = true, .disk_unit = UNIT, .disk_sector = 5 });
	struct block_request request;

	(void)state;
	assert_int_equal(disk->sector_count, SECTORS);
	assert_true(disk->has_fua);
	/* Around it. */
	assert_int_equal(write_all(disk, 0, 5, 1), 5);
	assert_int_equal(bench.status, 0);
	assert_int_equal(write_all(disk, 6, 4, 2), 4);
	assert_int_equal(bench.status, 0);
	assert_string_equal(bench.logged, "");
	/* Over it: what is before has been moved. */
	assert_int_equal(write_all(disk, 2, 8, 3), 3);
	assert_int_equal(bench.status, -EIO);
	assert_int_equal(bench.failed_sector, 5);
	assert_string_equal(bench.logged, "fault: disk error at sector 5");
	/* Beginning with it: nothing goes below. */
	bench.submits = 0;
	submit(disk, &request, BLOCK_READ, 5, 1);
	assert_int_equal(bench.status, -EIO);
	assert_int_equal(bench.failed_sector, 5);
	assert_int_equal(bench.submits, 0);
	submit(disk, &request, BLOCK_READ, 4, 3);
	assert_int_equal(bench.status, -EIO);
	assert_int_equal(bench.submits, 1);
	assert_int_equal(bench.memory[0], 3);
	submit(disk, &request, BLOCK_FLUSH, 0, 0);
	assert_int_equal(bench.status, 0);
	assert_int_equal(bench.flushes, 1);
	assert_int_equal(bench.cuts, 0);
}

static void test_disk_error_of_another(void **state)
{
	struct block_backend *disk =
		start((struct machine_fault){ .has_disk_error = true,
					      .disk_unit = UNIT + 1,
					      .disk_sector = 5 });

	(void)state;
	assert_int_equal(write_all(disk, 0, SECTORS, 1), SECTORS);
	assert_int_equal(bench.status, 0);
}

/* One that is under way is waited for, and taken back, by its own name. */
static void test_disk_takes_time(void **state)
{
	struct block_backend *disk = start((struct machine_fault){
		.has_disk_error = true, .disk_unit = UNIT, .disk_sector = 5 });
	struct block_request request;

	(void)state;
	bench.takes_time = true;
	submit(disk, &request, BLOCK_READ, 2, 8);
	assert_int_equal(bench.ends, 0);
	disk->wait(disk->ctx, &request);
	assert_int_equal(bench.ends, 1);
	assert_int_equal(bench.status, -EIO);
	submit(disk, &request, BLOCK_READ, 2, 8);
	disk->cancel(disk->ctx, &request);
	assert_int_equal(bench.status, -ECANCELED);
	assert_int_equal(bench.failed_sector, 2);
	submit(disk, &request, BLOCK_READ, 0, 2);
	disk->wait(disk->ctx, &request);
	assert_int_equal(bench.status, 0);
	assert_int_equal(bench.waits, 2);
	assert_int_equal(bench.cancels, 1);
	/* A backend that is done at once has neither. */
	bench.below.cancel = NULL;
	bench.below.wait = NULL;
	disk = fault_disk_add(&bench.fault, UNIT, &bench.below);
	assert_null(disk->cancel);
	assert_null(disk->wait);
}

/* ---- Power --------------------------------------------------------------- */

static void test_power_cut_at_disk(void **state)
{
	struct block_backend *disk =
		start((struct machine_fault){ .power_cut = 3 });
	struct block_request request;

	(void)state;
	assert_int_equal(write_all(disk, 0, 4, 1), 4);
	submit(disk, &request, BLOCK_READ, 0, 4);
	assert_int_equal(write_all(disk, 4, 4, 2), 4);
	assert_int_equal(bench.cuts, 0);
	assert_int_equal(write_all(disk, 8, 4, 3), 0);
	assert_int_equal(bench.status, -EIO);
	assert_int_equal(bench.cuts, 1);
	assert_true(fault_is_off(&bench.fault));
	assert_string_equal(bench.logged, "fault: power cut at write 3");
	/* Nothing lasts that comes now. */
	assert_int_equal(write_all(disk, 8, 4, 4), 0);
	assert_int_equal(bench.cuts, 1);
	fault_power_on(&bench.fault);
	assert_int_equal(write_all(disk, 8, 4, 5), 4);
	assert_int_equal(bench.status, 0);
	assert_int_equal(bench.cuts, 1);
}

static void test_power_cut_within_disk_write(void **state)
{
	struct block_backend *disk =
		start((struct machine_fault){ .power_cut_torn = 1 });

	(void)state;
	assert_int_equal(write_all(disk, 2, 7, 9), 3);
	assert_int_equal(bench.status, -EIO);
	assert_int_equal(bench.cuts, 1);
	assert_string_equal(bench.logged, "fault: power cut within write 1");
	/* Half of one sector is none. */
	disk = start((struct machine_fault){ .power_cut_torn = 1 });
	assert_int_equal(write_all(disk, 2, 1, 9), 0);
	assert_int_equal(bench.submits, 0);
	assert_int_equal(bench.cuts, 1);
}

/* ---- Flash memory -------------------------------------------------------- */

static bool flash(uint8_t *cells, const char *data, size_t length)
{
	return fault_flash_change(&bench.fault, cells, (const uint8_t *)data,
				  length);
}

static void test_flash_fail(void **state)
{
	uint8_t cells[4] = "abcd";

	(void)state;
	(void)start((struct machine_fault){ .flash_fail = 2 });
	assert_true(flash(cells, "1234", 4));
	assert_memory_equal(cells, "1234", 4);
	assert_false(flash(cells, "5678", 4));
	assert_memory_equal(cells, "1234", 4);
	assert_string_equal(bench.logged, "fault: flash write 2 failed");
	assert_true(flash(cells, NULL, 4));
	assert_memory_equal(cells, "\xff\xff\xff\xff", 4);
	assert_int_equal(bench.cuts, 0);
}

static void test_flash_torn(void **state)
{
	uint8_t cells[4] = "abcd", byte = 0x12;

	(void)state;
	(void)start((struct machine_fault){ .flash_torn = 1 });
	assert_true(flash(cells, "1234", 4));
	assert_memory_equal(cells, "12cd", 4);
	assert_string_equal(bench.logged, "fault: flash write 1 torn");
	(void)start((struct machine_fault){ .flash_torn = 1 });
	assert_true(flash(cells, NULL, 4));
	assert_memory_equal(cells,
			    "\xff\xff"
			    "cd",
			    4);
	(void)start((struct machine_fault){ .flash_torn = 1 });
	assert_true(flash(&byte, "\xab", 1));
	assert_int_equal(byte, 0x1b);
}

/* Flash memory's writes and disks' are counted together. */
static void test_power_cut_at_flash(void **state)
{
	struct block_backend *disk =
		start((struct machine_fault){ .power_cut_torn = 3 });
	uint8_t cells[4] = "abcd";

	(void)state;
	assert_true(flash(cells, "1234", 4));
	assert_int_equal(write_all(disk, 0, 1, 1), 1);
	(void)flash(cells, "5678", 4);
	assert_memory_equal(cells, "5634", 4);
	assert_int_equal(bench.cuts, 1);
	assert_false(flash(cells, NULL, 4));
	assert_memory_equal(cells, "5634", 4);
	fault_power_on(&bench.fault);
	assert_true(flash(cells, "wxyz", 4));
	assert_memory_equal(cells, "wxyz", 4);
}

/* At any k what is there is what the first k - 1 writes made of it. */
static void test_power_cut_swept(void **state)
{
	enum { WRITES = 40 };
	uint8_t cells[8], wanted[8];

	(void)state;
	for (uint32_t k = 1; k <= WRITES + 1; k++) {
		(void)start((struct machine_fault){ .power_cut = k });
		memset(cells, 0, sizeof(cells));
		memset(wanted, 0, sizeof(wanted));
		for (uint32_t i = 1; i <= WRITES; i++) {
			char data[] = { (char)i, (char)(i * 3) };

			(void)flash(cells + i * 5 % 7, data, 2);
			if (i < k)
				memcpy(wanted + i * 5 % 7, data, 2);
		}
		assert_memory_equal(cells, wanted, sizeof(cells));
		assert_int_equal(bench.cuts, k <= WRITES);
	}
}

/* ---- Wires --------------------------------------------------------------- */

static bool wire(unsigned line, bool level)
{
	return fault_wire(&bench.fault, line, level);
}

static void test_wire_lost(void **state)
{
	(void)state;
	(void)start(
		(struct machine_fault){ .irq[0] = { .line = LINE, .nth = 2 } });
	for (unsigned i = 1; i < 5; i++) {
		assert_false(wire(LINE, false));
		assert_int_equal(wire(LINE, true), i != 2);
		assert_int_equal(wire(LINE, true), i != 2);
		/* Another line's is its own. */
		assert_true(wire(LINE + 1, true));
		assert_false(wire(LINE + 1, false));
	}
	assert_string_equal(bench.logged, "fault: interrupt 2 of IRQ 4 lost");
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(bench.told, 0);
}

static void test_wire_late(void **state)
{
	(void)state;
	(void)start((struct machine_fault){
		.irq[1] = { .line = LINE, .nth = 1, .late_us = 50 } });
	assert_false(wire(LINE, true));
	assert_string_equal(bench.logged, "fault: interrupt 1 of IRQ 4 late");
	bench_step(&bench.b, 50 * NSEC_PER_US - 1);
	assert_int_equal(bench.told, 0);
	assert_false(wire(LINE, true));
	bench_step(&bench.b, 1);
	assert_int_equal(bench.told, 1);
	assert_int_equal(bench.told_line, LINE);
	assert_true(wire(LINE, true));
	assert_false(wire(LINE, false));
	assert_true(wire(LINE, true));
}

/* A device that lets go while nobody has seen it has asked for nothing. */
static void test_wire_late_let_go(void **state)
{
	(void)state;
	(void)start((struct machine_fault){
		.irq[0] = { .line = LINE, .nth = 1, .late_us = 50 } });
	assert_false(wire(LINE, true));
	bench_step(&bench.b, 20 * NSEC_PER_US);
	assert_false(wire(LINE, false));
	bench_step(&bench.b, 100 * NSEC_PER_US);
	assert_int_equal(bench.told, 0);
	assert_true(wire(LINE, true));
}

/* What is high when the devices are built has not risen. */
static void test_wire_high_at_first(void **state)
{
	(void)state;
	(void)start((struct machine_fault){
		.irq[0] = { .line = HIGH_LINE, .nth = 1 } });
	assert_true(wire(HIGH_LINE, true));
	assert_false(wire(HIGH_LINE, false));
	assert_false(wire(HIGH_LINE, true));
	assert_string_equal(bench.logged, "fault: interrupt 1 of IRQ 8 lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_error),
		cmocka_unit_test(test_disk_error_of_another),
		cmocka_unit_test(test_disk_takes_time),
		cmocka_unit_test(test_power_cut_at_disk),
		cmocka_unit_test(test_power_cut_within_disk_write),
		cmocka_unit_test(test_flash_fail),
		cmocka_unit_test(test_flash_torn),
		cmocka_unit_test(test_power_cut_at_flash),
		cmocka_unit_test(test_power_cut_swept),
		cmocka_unit_test(test_wire_lost),
		cmocka_unit_test(test_wire_late),
		cmocka_unit_test(test_wire_late_let_go),
		cmocka_unit_test(test_wire_high_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
