/* SPDX-License-Identifier: BSD-2-Clause */
/* The floppy controller: registers, resets, seeks, set-up, media. */
#include "tests/unit/fdc_test.h"

static int setup(void **state)
{
	(void)state;
	bench_build(FLOPPY_DRIVE_1440K, 1440, FLOPPY_DRIVE_1200K, 0);
	return 0;
}

static void test_formats(void **unused)
{
	static const struct {
		unsigned kib;
		uint8_t cylinders, heads, sectors;
	} rows[] = {
		{ 160, 40, 1, 8 },   { 180, 40, 1, 9 },	  { 320, 40, 2, 8 },
		{ 360, 40, 2, 9 },   { 640, 80, 2, 8 },	  { 720, 80, 2, 9 },
		{ 1200, 80, 2, 15 }, { 1440, 80, 2, 18 }, { 1680, 80, 2, 21 },
		{ 2880, 80, 2, 36 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct floppy_format *format =
			floppy_format_find(rows[i].kib * 2);

		assert_non_null(format);
		assert_int_equal(format->cylinders, rows[i].cylinders);
		assert_int_equal(format->heads, rows[i].heads);
		assert_int_equal(format->sectors, rows[i].sectors);
		assert_int_equal(rows[i].cylinders * rows[i].heads *
					 rows[i].sectors,
				 rows[i].kib * 2);
		assert_true(floppy_drive_takes(format->drive, format));
	}
	assert_null(floppy_format_find(0));
	assert_null(floppy_format_find(2879));
	assert_null(floppy_format_find(2881));
	assert_false(floppy_drive_takes(FLOPPY_DRIVE_1440K,
					floppy_format_find(5760)));
	assert_true(floppy_drive_takes(FLOPPY_DRIVE_1200K,
				       floppy_format_find(720)));
	assert_false(
		floppy_drive_takes(FLOPPY_DRIVE_NONE, floppy_format_find(720)));
}

static void test_reset(void **unused)
{
	(void)unused;
	/* As the machine's reset leaves it: in reset, and silent. */
	assert_int_equal(inb(&t.b, 0x3f2), 0);
	assert_int_equal(msr(), 0);
	bench_step(&t.b, 500 * MS);
	assert_false(irq());
	outb(&t.b, 0x3f2, 0x0c);
	assert_false(irq()); /* not at once: who waits has to get there */
	assert_in_range(await_irq(), 20000, 300000);
	for (unsigned i = 0; i < 4; i++) {
		sense((uint8_t)(0xc0 | i), 0);
		assert_false(irq());
	}
	COMMAND(0x08); /* nothing is left to be told */
	assert_result(1, 0x80);
	assert_int_equal(t.b.rises[IRQ], 1);
	/* By DSR, which comes out of it by itself. */
	outb(&t.b, 0x3f4, 0x80);
	await_irq();
	sense(0xc0, 0);
	/* Without the gate it is not heard of, but is there. */
	outb(&t.b, 0x3f2, 0x04);
	outb(&t.b, 0x3f2, 0x00);
	outb(&t.b, 0x3f2, 0x04);
	bench_step(&t.b, MS);
	assert_false(irq());
	outb(&t.b, 0x3f2, 0x0c);
	assert_true(irq());
}

static void test_registers(void **unused)
{
	(void)unused;
	power_up(0);
	assert_int_equal(inb(&t.b, 0x3f2), 0x1c);
	assert_int_equal(inb(&t.b, 0x3f0), 0xff); /* not in AT mode */
	assert_int_equal(inb(&t.b, 0x3f1), 0xff);
	outb(&t.b, 0x3f3, 0xff);
	assert_int_equal(inb(&t.b, 0x3f3), 0xff);
	outb(&t.b, 0x3f3, 0x01);
	assert_int_equal(inb(&t.b, 0x3f3), 0xfd);
	assert_int_equal(msr(), 0x80);
	outb(&t.b, 0x3f5, 0x0f);
	assert_int_equal(msr(), 0x90); /* in the midst of a command */
	assert_false(bus_is_claimed(&t.b.ports, 0x3f6));
}

static void test_invalid(void **unused)
{
	static const uint8_t codes[] = { 0x00, 0x01, 0x0b, 0x15, 0x17, 0x18,
					 0x1a, 0x1b, 0x1c, 0x1e, 0x1f, 0x48,
					 0x90, 0x33, 0x87, 0xff };

	(void)unused;
	power_up(0);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		COMMAND(codes[i]);
		assert_result(1, 0x80);
		assert_false(irq());
	}
}

static void test_set_up(void **unused)
{
	(void)unused;
	power_up(0);
	COMMAND(0x10);
	assert_result(1, 0x90);
	COMMAND(0x0e);
	assert_result(10, 0, 0, 0, 0, 0xdf, 0x02, 0, 0x00, 0x20, 0x00);
	COMMAND(0x13, 0, 0x57, 0x28);
	COMMAND(0x12, 0x80 | 0x14 | 0x03);
	COMMAND(0x12, 0x3e); /* without OW the drives' bits stay */
	COMMAND(0x0e);
	assert_result(10, 0, 0, 0, 0, 0xdf, 0x02, 0, 0x16, 0x57, 0x28);
	COMMAND(0x94);
	assert_result(1, 0x10);
	COMMAND(0x0e);
	assert_result(10, 0, 0, 0, 0, 0xdf, 0x02, 0, 0x96, 0x57, 0x28);
	/* Locked: the FIFO stays as it is; seeks and polling do not. */
	outb(&t.b, 0x3f4, 0x80);
	bench_step(&t.b, MS);
	for (unsigned i = 0; i < 4; i++)
		sense((uint8_t)(0xc0 | i), 0);
	COMMAND(0x0e);
	assert_result(10, 0, 0, 0, 0, 0xdf, 0x02, 0, 0x94, 0x07, 0x28);
	COMMAND(0x14);
	assert_result(1, 0x00);
	outb(&t.b, 0x3f4, 0x80);
	bench_step(&t.b, MS);
	for (unsigned i = 0; i < 4; i++)
		sense((uint8_t)(0xc0 | i), 0);
	COMMAND(0x0e);
	assert_result(10, 0, 0, 0, 0, 0xdf, 0x02, 0, 0x14, 0x20, 0x00);
}

static void test_sense_drive(void **unused)
{
	(void)unused;
	power_up(0);
	COMMAND(0x04, 0x04);
	assert_result(1, 0x3c); /* ready, track 0, two sides, head 1 */
	seek(0, 5);
	COMMAND(0x04, 0x00);
	assert_result(1, 0x28);
	t.disk[0].backend.is_read_only = true;
	COMMAND(0x04, 0x00);
	assert_result(1, 0x68);
	COMMAND(0x04, 0x01); /* empty: as protected */
	assert_result(1, 0x79);
	COMMAND(0x04, 0x02); /* not there */
	assert_result(1, 0x2a);
}

static void test_seek(void **unused)
{
	uint64_t took;

	(void)unused;
	power_up(0);
	COMMAND(0x0f, 0x00, 40);
	assert_int_equal(msr(), 0x81); /* it seeks, and takes commands */
	took = await_irq();
	assert_in_range(took, 120 * MS, 121 * MS); /* 40 steps of 3 ms */
	assert_int_equal(msr(), 0x80);
	sense(0x20, 40);
	assert_false(irq());
	/* At 250 kbit/s all takes twice as long. */
	outb(&t.b, 0x3f7, 2);
	COMMAND(0x07, 0x00);
	took = await_irq();
	assert_in_range(took, 240 * MS, 241 * MS);
	sense(0x20, 0);
	/* Nowhere: soon, but not at once. */
	COMMAND(0x0f, 0x00, 0);
	assert_false(irq());
	assert_in_range(await_irq(), 1, MS);
	sense(0x20, 0);
}

static void test_relative_seek(void **unused)
{
	(void)unused;
	power_up(0);
	COMMAND(0xcf, 0x00, 12); /* inwards */
	await_irq();
	sense(0x20, 12);
	COMMAND(0x8f, 0x00, 4);
	await_irq();
	sense(0x20, 8);
	assert_int_equal(t.fdc.state.drive[0].head_cylinder, 8);
	COMMAND(0x8f, 0x00, 100);
	await_irq();
	sense(0x20, 0);
}

/* Both drives seek at once; each is told of by an interrupt of its own. */
static void test_two_seeks(void **unused)
{
	(void)unused;
	power_up(0);
	t.b.rises[IRQ] = 0;
	COMMAND(0x0f, 0x00, 10);
	COMMAND(0x0f, 0x01, 10);
	assert_int_equal(msr(), 0x83);
	bench_step(&t.b, 100 * MS);
	assert_int_equal(t.b.rises[IRQ], 1);
	sense(0x20, 10);
	assert_int_equal(t.b.rises[IRQ], 2);
	assert_true(irq());
	sense(0x21, 10);
	assert_false(irq());
}

static void test_recalibrate(void **unused)
{
	(void)unused;
	power_up(0);
	/* The head may be farther away than the controller's steps lead. */
	t.fdc.state.drive[0].head_cylinder = 81;
	COMMAND(0x07, 0x00);
	await_irq();
	sense(0x70, 0);
	COMMAND(0x07, 0x00);
	await_irq();
	sense(0x20, 0);
	/* No drive: track 0 is never found. */
	COMMAND(0x07, 0x03);
	assert_in_range(await_irq(), 79 * 3 * MS, 79 * 3 * MS + MS);
	sense(0x73, 0);
	/* Beyond the last track is a stop. */
	seek(0, 200);
	assert_int_equal(t.fdc.state.drive[0].head_cylinder, 81);
}

static void test_change_line(void **unused)
{
	(void)unused;
	power_up(0);
	assert_int_equal(inb(&t.b, 0x3f7), 0xff); /* since power-on */
	COMMAND(0x07, 0x00); /* at track 0 already: no step */
	await_irq();
	sense(0x20, 0);
	assert_int_equal(inb(&t.b, 0x3f7), 0xff);
	seek(0, 1);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
	assert_int_equal(fdc_medium_change(&t.fdc, 0, NULL), 0);
	assert_int_equal(inb(&t.b, 0x3f7), 0xff);
	seek(0, 0); /* steps do not help an empty drive */
	assert_int_equal(inb(&t.b, 0x3f7), 0xff);
	assert_int_equal(fdc_medium_change(&t.fdc, 0, &t.disk[0].backend), 0);
	seek(0, 1);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
	/* Resets are not the drive's. */
	outb(&t.b, 0x3f2, 0x00);
	outb(&t.b, 0x3f2, 0x1c);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
	fdc_reset(&t.fdc);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
	/* The line is the selected drive's; no drive has none. */
	outb(&t.b, 0x3f2, 0x0d);
	assert_int_equal(inb(&t.b, 0x3f7), 0xff);
	outb(&t.b, 0x3f2, 0x0e);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
}

static void test_media(void **unused)
{
	struct fdc_config config = {
		.ports = &t.b.ports,
		.clock = &t.b.clock,
		.drive = { { FLOPPY_DRIVE_360K, &t.disk[0].backend } },
	};

	(void)unused;
	bench_init(&t.b);
	assert_int_equal(fdc_init(&t.fdc, &config), -EINVAL);
	bench_build(FLOPPY_DRIVE_360K, 360, FLOPPY_DRIVE_NONE, 0);
	/* The oldest drives do not tell of a change. */
	power_up(2);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
	disk_init(&t.disk[1], 1440);
	assert_int_equal(fdc_medium_change(&t.fdc, 0, &t.disk[1].backend),
			 -EINVAL);
	assert_int_equal(fdc_medium_change(&t.fdc, 1, NULL), -EINVAL);
	assert_ptr_equal(t.fdc.drive[0].medium, &t.disk[0].backend);
}

/* An idle controller costs nothing. */
static void test_idle(void **unused)
{
	(void)unused;
	power_up(0);
	seek(0, 3);
	assert_null(t.b.clock.first);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_formats),	TEST(test_reset),
		TEST(test_registers),	TEST(test_invalid),
		TEST(test_set_up),	TEST(test_sense_drive),
		TEST(test_seek),	TEST(test_relative_seek),
		TEST(test_two_seeks),	TEST(test_recalibrate),
		TEST(test_change_line), TEST(test_media),
		TEST(test_idle),
	};

	return cmocka_run_group_tests_name("fdc", tests, NULL, NULL);
}
