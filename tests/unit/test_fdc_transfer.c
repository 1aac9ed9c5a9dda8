/* SPDX-License-Identifier: BSD-2-Clause */
/* The floppy controller: what moves data, and when. */
#include "tests/unit/fdc_test.h"

#define TURN (200 * MS)

static int setup(void **state)
{
	(void)state;
	bench_build(FLOPPY_DRIVE_1440K, 1440, FLOPPY_DRIVE_1200K, 0);
	power_up(0);
	COMMAND(0x07, 0x00);
	await_irq();
	sense(0x20, 0);
	return 0;
}

/* One of the commands with nine bytes, at a cylinder and head. */
#define MOVE(code, head, c, r, eot) \
	COMMAND(code, (head) << 2, c, head, r, 2, eot, 0x1b, 0xff)

static void test_read(void **unused)
{
	(void)unused;
	seek(0, 3);
	dma_program(0x44, 1024);
	MOVE(0xe6, 1, 3, 5, 18);
	assert_int_equal(msr(), 0x10);
	await_irq();
	assert_int_equal(msr(), 0xd0);
	assert_int_equal(inb(&t.b, 0x3f5), 0x04);
	assert_false(irq()); /* by the first byte of the result */
	assert_result(6, 0, 0, 3, 1, 7, 2);
	assert_int_equal(msr(), 0x80);
	assert_memory_equal(t.memory + DATA, sector(3 * 36 + 18 + 4), 1024);
	assert_int_equal(t.memory[DATA + 1024], 0);
}

/* From side 0 over to side 1, a whole cylinder. */
static void test_multitrack(void **unused)
{
	uint64_t took;

	(void)unused;
	seek(0, 7);
	dma_program(0x44, 36 * 512);
	MOVE(0xe6, 0, 7, 1, 18);
	took = await_irq();
	assert_result(7, 0x04, 0, 0, 8, 0, 1, 2);
	assert_memory_equal(t.memory + DATA, sector(7 * 36), 36 * 512);
	/* At most a turn until it begins, and then two. */
	assert_in_range(took, 2 * TURN - 12 * MS, 3 * TURN + 3 * MS);
}

/* What the ID is afterwards. */
static void test_result_ids(void **unused)
{
	static const struct {
		uint8_t code, head, r, count, eot;
		uint8_t st0, st1, c, h, next;
	} rows[] = {
		/* The DMA controller says when. */
		{ 0x66, 0, 1, 1, 18, 0x00, 0x00, 2, 0, 2 },
		{ 0x66, 0, 18, 1, 18, 0x00, 0x00, 3, 0, 1 },
		{ 0x66, 1, 18, 1, 18, 0x04, 0x00, 3, 1, 1 },
		{ 0xe6, 0, 18, 1, 18, 0x00, 0x00, 2, 1, 1 },
		{ 0xe6, 1, 18, 1, 18, 0x04, 0x00, 3, 0, 1 },
		/* Nobody does: it ends with the last sector. */
		{ 0x66, 0, 17, 3, 18, 0x40, 0x80, 3, 0, 1 },
		{ 0xe6, 1, 17, 3, 18, 0x44, 0x80, 3, 0, 1 },
		{ 0x66, 0, 4, 3, 5, 0x40, 0x80, 3, 0, 1 },
	};

	(void)unused;
	seek(0, 2);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		dma_program(0x44, rows[i].count * 512U);
		MOVE(rows[i].code, rows[i].head, 2, rows[i].r, rows[i].eot);
		await_irq();
		assert_result(7, rows[i].st0, rows[i].st1, 0, rows[i].c,
			      rows[i].h, rows[i].next, 2);
	}
}

/* The count ends within a sector. */
static void test_short(void **unused)
{
	(void)unused;
	dma_program(0x44, 100);
	MOVE(0xe6, 0, 0, 1, 18);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 2, 2);
	assert_memory_equal(t.memory + DATA, sector(0), 100);
	assert_int_equal(t.memory[DATA + 100], 0);
	/* Written, the rest of it is zeros. */
	memset(t.memory + DATA, 0x5a, 512);
	dma_program(0x48, 100);
	MOVE(0xc5, 0, 0, 2, 18);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 3, 2);
	assert_int_equal(sector(1)[99], 0x5a);
	assert_int_equal(sector(1)[100], 0);
	assert_int_equal(sector(1)[511], 0);
	assert_int_equal(sector(2)[0], 2);
}

static void test_write(void **unused)
{
	(void)unused;
	seek(0, 79);
	for (unsigned i = 0; i < 1024; i++)
		t.memory[DATA + i] = (uint8_t)(i * 11 + 3);
	dma_program(0x48, 1024);
	MOVE(0xc5, 1, 79, 17, 18);
	await_irq();
	assert_result(7, 0x04, 0, 0, 80, 0, 1, 2);
	assert_memory_equal(sector(2878), t.memory + DATA, 1024);
	t.disk[0].backend.is_read_only = true;
	memset(t.memory + DATA, 0, 1024);
	dma_program(0x48, 1024);
	MOVE(0xc5, 1, 79, 17, 18);
	await_irq();
	assert_result(7, 0x44, 0x02, 0, 79, 1, 17, 2);
	assert_int_equal(sector(2878)[0], 3);
}

/* Where nothing can be found: after the index has come twice. */
static void test_not_found(void **unused)
{
	static const struct {
		uint8_t rate, code, select, c, h, r, n;
		uint8_t st0, st1, st2;
	} rows[] = {
		{ 0, 0x66, 0, 0, 0, 19, 2, 0x40, 0x04, 0x00 },
		{ 0, 0x66, 0, 0, 0, 0, 2, 0x40, 0x04, 0x00 },
		{ 0, 0x66, 0, 0, 1, 1, 2, 0x40, 0x04, 0x00 },
		{ 0, 0x66, 0, 0, 0, 1, 3, 0x40, 0x04, 0x00 },
		{ 0, 0x66, 4, 5, 1, 1, 2, 0x44, 0x04, 0x10 },
		{ 0, 0x45, 0, 5, 0, 1, 2, 0x40, 0x04, 0x10 },
		{ 0, 0x26, 0, 0, 0, 1, 2, 0x40, 0x01, 0x00 }, /* FM */
		{ 1, 0x66, 0, 0, 0, 1, 2, 0x40, 0x01, 0x00 },
		{ 2, 0x66, 0, 0, 0, 1, 2, 0x40, 0x01, 0x00 },
		{ 3, 0x66, 0, 0, 0, 1, 2, 0x40, 0x01, 0x00 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t took;

		outb(&t.b, 0x3f7, rows[i].rate);
		dma_program(0x44, 512);
		COMMAND(rows[i].code, rows[i].select, rows[i].c, rows[i].h,
			rows[i].r, rows[i].n, 18, 0x1b, 0xff);
		took = await_irq();
		assert_in_range(took, TURN, 2 * TURN + 5 * MS);
		assert_result(7, rows[i].st0, rows[i].st1, rows[i].st2,
			      rows[i].c, rows[i].h, rows[i].r, rows[i].n);
	}
	/* Beyond the last cylinder there is nothing at all. */
	outb(&t.b, 0x3f7, 0);
	seek(0, 80);
	MOVE(0x66, 0, 80, 1, 18);
	await_irq();
	assert_result(7, 0x40, 0x01, 0, 80, 0, 1, 2);
}

static void test_overrun(void **unused)
{
	(void)unused;
	dma_program(0x44, 512);
	outb(&t.b, 0x0a, 6); /* masked */
	MOVE(0xe6, 0, 0, 1, 18);
	await_irq();
	assert_result(7, 0x40, 0x10, 0, 0, 0, 1, 2);
	dma_program(0x44, 512); /* to memory */
	MOVE(0xc5, 0, 0, 1, 18);
	await_irq();
	assert_result(7, 0x40, 0x10, 0, 0, 0, 1, 2);
	assert_int_equal(sector(0)[2], 2);
}

/* Sectors come when they pass the head, and not before. */
static void test_time(void **unused)
{
	uint64_t took;

	(void)unused;
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 0, 1, 18);
	await_irq();
	result();
	/* The next one follows, for who asks in time. */
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 0, 2, 18);
	took = await_irq();
	result();
	assert_in_range(took, 10 * MS, 12 * MS);
	/* The same again is a turn away. */
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 0, 2, 18);
	took = await_irq();
	result();
	assert_in_range(took, TURN - MS, TURN + MS);
	/* So is the next one for who was late. */
	bench_step(&t.b, 4 * MS);
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 0, 3, 18);
	took = await_irq();
	result();
	assert_in_range(took, TURN + 5 * MS, TURN + 9 * MS);
}

/* A host that was late for sectors does not make the disk miss them. */
static void test_late_host(void **unused)
{
	uint64_t began;

	(void)unused;
	dma_program(0x44, 18 * 512);
	MOVE(0x66, 0, 0, 1, 18);
	began = t.b.now_ns;
	while (!irq()) {
		t.b.now_ns = t.b.clock.first->deadline_ns + 15 * MS;
		clock_run(&t.b.clock);
	}
	assert_result(7, 0, 0, 0, 1, 0, 1, 2);
	assert_memory_equal(t.memory + DATA, sector(0), 18 * 512);
	assert_in_range(t.b.now_ns - began, TURN, 5 * TURN / 2);
}

static void test_head_load(void **unused)
{
	(void)unused;
	COMMAND(0x03, 0xd1, 0x20); /* 16 ms up, 32 ms down */
	bench_step(&t.b, 5 * TURN);
	MOVE(0x66, 0, 0, 1, 18); /* what is not found: two indices */
	bench_step(&t.b, 30 * MS);
	assert_int_equal(t.fdc.state.step, FDC_STEP_START);
	bench_step(&t.b, 3 * MS);
	assert_int_not_equal(t.fdc.state.step, FDC_STEP_START);
	dma_program(0x44, 512);
	await_irq();
	result();
	MOVE(0x66, 0, 0, 1, 18); /* it is down still */
	bench_step(&t.b, MS);
	assert_int_not_equal(t.fdc.state.step, FDC_STEP_START);
}

static void test_read_id(void **unused)
{
	uint8_t last = 0;

	(void)unused;
	seek(0, 9);
	for (unsigned i = 0; i < 40; i++) {
		COMMAND(0x4a, 0x04);
		assert_in_range(await_irq(), 1, 13 * MS);
		assert_int_equal(result(), 7);
		assert_int_equal(t.result[0], 0x04);
		assert_int_equal(t.result[3], 9);
		assert_int_equal(t.result[4], 1);
		assert_int_equal(t.result[6], 2);
		if (last)
			assert_int_equal(t.result[5], last % 18 + 1);
		last = t.result[5];
	}
	outb(&t.b, 0x3f7, 2);
	COMMAND(0x4a, 0x00);
	await_irq();
	assert_result(7, 0x40, 0x01, 0, 0, 0, 0, 0);
}

/* No index: the command waits, as long as it takes. */
static void test_standing(void **unused)
{
	(void)unused;
	outb(&t.b, 0x3f2, 0x0c);
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 0, 1, 18);
	bench_step(&t.b, 50 * TURN);
	assert_false(irq());
	assert_int_equal(msr(), 0x10);
	assert_null(t.b.clock.first);
	outb(&t.b, 0x3f2, 0x1c);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 2, 2);
	/* Without a disk the same; a reset ends it. */
	assert_int_equal(fdc_medium_change(&t.fdc, 0, NULL), 0);
	MOVE(0xe6, 0, 0, 1, 18);
	bench_step(&t.b, 50 * TURN);
	assert_false(irq());
	outb(&t.b, 0x3f2, 0x18);
	outb(&t.b, 0x3f2, 0x1c);
	await_irq();
	sense(0xc0, 0);
	/* Or a disk that is put in. */
	for (unsigned i = 1; i < 4; i++)
		sense((uint8_t)(0xc0 | i), 0);
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 0, 1, 18);
	bench_step(&t.b, TURN);
	assert_int_equal(fdc_medium_change(&t.fdc, 0, &t.disk[0].backend), 0);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 2, 2);
}

/* The disk goes in the midst of a track. */
static void test_pulled_out(void **unused)
{
	(void)unused;
	dma_program(0x44, 18 * 512);
	MOVE(0x66, 0, 0, 1, 18);
	bench_step(&t.b, 3 * TURN / 2);
	assert_int_equal(fdc_medium_change(&t.fdc, 0, NULL), 0);
	bench_step(&t.b, 10 * TURN);
	assert_false(irq());
	assert_int_equal(t.fdc.state.step, FDC_STEP_START);
}

static void test_verify(void **unused)
{
	(void)unused;
	COMMAND(0x56, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	await_irq();
	assert_result(7, 0, 0, 0, 1, 0, 1, 2);
	/* So many sectors, and then it is well. */
	COMMAND(0xd6, 0x80, 0, 0, 17, 2, 18, 0x1b, 3);
	await_irq();
	assert_result(7, 0x04, 0, 0, 0, 1, 2, 2);
	t.disk[0].status = -EIO;
	COMMAND(0x56, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	await_irq();
	assert_result(7, 0x40, 0x20, 0x20, 0, 0, 1, 2);
}

static void test_read_track(void **unused)
{
	(void)unused;
	dma_program(0x44, 18 * 512);
	COMMAND(0x42, 0x04, 0, 1, 1, 2, 18, 0x1b, 0xff);
	await_irq();
	assert_result(7, 0x04, 0, 0, 0, 1, 19, 2);
	assert_memory_equal(t.memory + DATA, sector(18), 18 * 512);
	/* It begins at the index, whatever is asked for, and says so. */
	dma_program(0x44, 2 * 512);
	COMMAND(0x42, 0x00, 0, 0, 5, 2, 18, 0x1b, 0xff);
	await_irq();
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[1], 0x04);
	assert_memory_equal(t.memory + DATA, sector(0), 2 * 512);
}

static void test_deleted(void **unused)
{
	(void)unused;
	memset(t.memory + DATA, 0x77, 512);
	dma_program(0x48, 512);
	MOVE(0x49, 0, 0, 3, 18);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 4, 2);
	assert_int_equal(sector(2)[0], 0x77);
	/* Read as what it is not: told, and no further. */
	dma_program(0x44, 4 * 512);
	MOVE(0x46, 0, 0, 2, 18);
	await_irq();
	assert_result(7, 0, 0, 0x40, 0, 0, 3, 2);
	assert_int_equal(t.memory[DATA + 512], 0x77);
	/* Skipped. */
	dma_program(0x44, 2 * 512);
	MOVE(0x66, 0, 0, 2, 18);
	await_irq();
	assert_result(7, 0, 0, 0x40, 0, 0, 5, 2);
	assert_memory_equal(t.memory + DATA, sector(1), 512);
	assert_memory_equal(t.memory + DATA + 512, sector(3), 512);
	/* Read as what it is. */
	dma_program(0x44, 512);
	MOVE(0x4c, 0, 0, 3, 18);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 4, 2);
	/* Written anew it is one like all others. */
	dma_program(0x48, 512);
	MOVE(0x45, 0, 0, 3, 18);
	await_irq();
	result();
	dma_program(0x44, 512);
	MOVE(0x46, 0, 0, 3, 18);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 4, 2);
}

static void test_scan(void **unused)
{
	static const struct {
		uint8_t code;
		int8_t difference; /* of the memory's last byte */
		uint8_t st2, r;
	} rows[] = {
		{ 0x51, 0, 0x08, 4 },  { 0x51, 1, 0x04, 5 },
		{ 0x59, 0, 0x08, 4 },  { 0x59, 1, 0x00, 4 },
		{ 0x59, -1, 0x04, 5 }, { 0x5d, 0, 0x08, 4 },
		{ 0x5d, -1, 0x00, 4 }, { 0x5d, 1, 0x04, 5 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(sector(3), 0x40, 512);
		memset(t.memory + DATA, 0x40, 512);
		t.memory[DATA + 7] = 0xff; /* as any byte */
		t.memory[DATA + 511] = (uint8_t)(0x40 + rows[i].difference);
		dma_program(0x48, 512);
		COMMAND(rows[i].code, 0, 0, 0, 4, 2, 18, 0x1b, 1);
		await_irq();
		assert_result(7, 0, 0, rows[i].st2, 0, 0, rows[i].r, 2);
	}
	/* Each second sector, up to the last one. */
	memset(t.memory + DATA, 0, 4096);
	memset(t.memory + DATA + 3 * 512, 0x99, 512);
	memset(sector(6), 0x99, 512);
	dma_program(0x48, 4096);
	COMMAND(0x51, 0, 0, 0, 1, 2, 18, 0x1b, 2);
	await_irq();
	assert_result(7, 0, 0, 0x08, 0, 0, 7, 2);
	dma_program(0x48, 4096);
	COMMAND(0x51, 0, 0, 0, 8, 2, 12, 0x1b, 2);
	await_irq();
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[2], 0x04);
}

static void ids_put(unsigned cylinder, unsigned head, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t *id = t.memory + DATA + 4 * i;

		id[0] = (uint8_t)cylinder;
		id[1] = (uint8_t)head;
		id[2] = (uint8_t)(i + 1);
		id[3] = 2;
	}
}

static void test_format(void **unused)
{
	uint64_t took;

	(void)unused;
	seek(0, 4);
	ids_put(4, 1, 18);
	dma_program(0x48, 18 * 4);
	COMMAND(0x4d, 0x04, 2, 18, 0x50, 0xf6);
	took = await_irq();
	assert_in_range(took, TURN, 2 * TURN + 5 * MS);
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[0], 0x04);
	assert_int_equal(t.result[1], 0);
	for (unsigned i = 0; i < 18 * 512; i++)
		assert_int_equal(sector(4 * 36 + 18)[i], 0xf6);
	assert_int_equal(sector(4 * 36 + 17)[2], ((4 * 36 + 17) * 3 + 2) & 255);
	assert_int_equal(sector(5 * 36)[2], (5 * 36 * 3 + 2) & 255);
	/* Other layouts than the image's. */
	dma_program(0x48, 9 * 4);
	COMMAND(0x4d, 0x00, 2, 9, 0x50, 0x11);
	await_irq();
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[0], 0x40);
	assert_int_equal(t.result[1], 0x02);
	outb(&t.b, 0x3f7, 2);
	dma_program(0x48, 18 * 4);
	COMMAND(0x4d, 0x00, 2, 18, 0x50, 0x11);
	await_irq();
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[1], 0x02);
	outb(&t.b, 0x3f7, 0);
	t.disk[0].backend.is_read_only = true;
	COMMAND(0x4d, 0x00, 2, 18, 0x50, 0x11);
	await_irq();
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[1], 0x02);
	assert_int_equal(sector(4 * 36)[2], (4 * 36 * 3 + 2) & 255);
}

static void test_implied_seek(void **unused)
{
	(void)unused;
	COMMAND(0x13, 0, 0x60, 0);
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 50, 1, 18);
	assert_in_range(await_irq(), 150 * MS, 150 * MS + 2 * TURN);
	assert_result(7, 0x20, 0, 0, 50, 0, 2, 2);
	assert_memory_equal(t.memory + DATA, sector(50 * 36), 512);
	assert_int_equal(inb(&t.b, 0x3f7), 0x7f);
	dma_program(0x44, 512);
	MOVE(0xe6, 0, 50, 1, 18);
	await_irq();
	assert_result(7, 0x00, 0, 0, 50, 0, 2, 2);
}

/* ---- By software --------------------------------------------------------- */

static void pio_read(unsigned count, uint8_t *to)
{
	for (unsigned i = 0; i < count; i++) {
		if (!(msr() & 0x80))
			await_irq();
		assert_int_equal(msr(), 0xf0);
		assert_true(irq());
		to[i] = inb(&t.b, 0x3f5);
	}
}

static void pio_write(unsigned count, const uint8_t *from)
{
	for (unsigned i = 0; i < count; i++) {
		if (!(msr() & 0x80))
			await_irq();
		assert_int_equal(msr(), 0xb0);
		assert_true(irq());
		outb(&t.b, 0x3f5, from[i]);
	}
}

static void test_pio(void **unused)
{
	uint8_t data[1024];

	(void)unused;
	COMMAND(0x03, 0xdf, 0x03);
	MOVE(0x66, 0, 0, 17, 18);
	t.b.rises[IRQ] = 0;
	pio_read(1024, data);
	assert_memory_equal(data, sector(16), 1024);
	/* An interrupt a byte, and the one of the result. */
	assert_int_equal(t.b.rises[IRQ], 1025);
	assert_result(7, 0x40, 0x80, 0, 1, 0, 1, 2); /* nothing says TC */
	/* With the FIFO, one for so many. */
	COMMAND(0x13, 0, 0x07, 0);
	MOVE(0x66, 0, 0, 18, 18);
	t.b.rises[IRQ] = 0;
	pio_read(512, data);
	assert_int_equal(t.b.rises[IRQ], 512 / 8 + 1);
	result();
	for (unsigned i = 0; i < 1024; i++)
		data[i] = (uint8_t)(i * 13);
	MOVE(0x45, 0, 0, 17, 18);
	pio_write(1024, data);
	await_irq();
	assert_result(7, 0x40, 0x80, 0, 1, 0, 1, 2);
	assert_memory_equal(data, sector(16), 1024);
	/* A scan, whose disk differs in its last byte. */
	data[511]--;
	COMMAND(0x59, 0, 0, 0, 17, 2, 17, 0x1b, 1);
	pio_write(512, data);
	await_irq();
	assert_result(7, 0x00, 0x00, 0x04, 1, 0, 1, 2);
	COMMAND(0x5d, 0, 0, 0, 17, 2, 17, 0x1b, 1);
	pio_write(512, data);
	await_irq();
	assert_result(7, 0x00, 0x00, 0x00, 0, 0, 17, 2);
}

static void test_pio_format(void **unused)
{
	(void)unused;
	COMMAND(0x03, 0xdf, 0x03);
	ids_put(0, 0, 18);
	COMMAND(0x4d, 0x00, 2, 18, 0x50, 0xe5);
	pio_write(18 * 4, t.memory + DATA);
	await_irq();
	assert_int_equal(result(), 7);
	assert_int_equal(t.result[0], 0x00);
	assert_int_equal(sector(0)[0], 0xe5);
	assert_int_equal(sector(17)[511], 0xe5);
	assert_int_equal(sector(18)[2], (18 * 3 + 2) & 255);
}

/* ---- Other media --------------------------------------------------------- */

/* Every disk in every drive that takes it: one sector of each end. */
static void test_all_media(void **unused)
{
	static const struct {
		enum floppy_drive drive;
		unsigned kib;
		uint8_t rate, step;
	} rows[] = {
		{ FLOPPY_DRIVE_360K, 160, 2, 1 },
		{ FLOPPY_DRIVE_360K, 180, 2, 1 },
		{ FLOPPY_DRIVE_360K, 320, 2, 1 },
		{ FLOPPY_DRIVE_360K, 360, 2, 1 },
		{ FLOPPY_DRIVE_1200K, 160, 1, 2 },
		{ FLOPPY_DRIVE_1200K, 360, 1, 2 },
		{ FLOPPY_DRIVE_1200K, 1200, 0, 1 },
		{ FLOPPY_DRIVE_720K, 640, 2, 1 },
		{ FLOPPY_DRIVE_720K, 720, 2, 1 },
		{ FLOPPY_DRIVE_1440K, 720, 2, 1 },
		{ FLOPPY_DRIVE_1440K, 1440, 0, 1 },
		{ FLOPPY_DRIVE_1440K, 1680, 0, 1 },
		{ FLOPPY_DRIVE_2880K, 1440, 0, 1 },
		{ FLOPPY_DRIVE_2880K, 2880, 3, 1 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct floppy_format *format =
			floppy_format_find(rows[i].kib * 2);
		uint8_t last = (uint8_t)(format->cylinders - 1);
		uint8_t head = (uint8_t)(format->heads - 1);

		bench_build(rows[i].drive, rows[i].kib, 0, 0);
		power_up(rows[i].rate);
		seek(0, (uint8_t)(last * rows[i].step));
		dma_program(0x44, 512);
		MOVE(0x66, head, last, format->sectors, format->sectors);
		await_irq();
		assert_result(7, head << 2, 0, 0, last + 1, head, 1, 2);
		assert_memory_equal(t.memory + DATA,
				    sector(rows[i].kib * 2 - 1), 512);
		if (rows[i].step == 1)
			continue;
		/* Between two of its tracks there is nothing. */
		seek(0, (uint8_t)(last * 2 - 1));
		MOVE(0x66, head, last, 1, format->sectors);
		await_irq();
		assert_int_equal(result(), 7);
		assert_int_equal(t.result[1], 0x01);
	}
	/* No second side. */
	bench_build(FLOPPY_DRIVE_360K, 180, 0, 0);
	power_up(2);
	MOVE(0x66, 1, 0, 1, 9);
	await_irq();
	assert_result(7, 0x44, 0x01, 0, 0, 1, 1, 2);
}

/* 360 rpm: 166.7 ms. */
static void test_revolution(void **unused)
{
	(void)unused;
	bench_build(FLOPPY_DRIVE_1200K, 1200, 0, 0);
	power_up(0);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t took;

		dma_program(0x44, 512);
		MOVE(0x66, 0, 0, 1, 15);
		took = await_irq();
		result();
		if (i)
			assert_in_range(took, 166 * MS, 168 * MS);
	}
}

/* ---- Media that take their time ------------------------------------------ */

static void test_slow_medium(void **unused)
{
	(void)unused;
	t.disk[0].is_async = true;
	dma_program(0x44, 512);
	MOVE(0x66, 0, 0, 1, 18);
	bench_step(&t.b, 10 * TURN);
	assert_false(irq());
	assert_false(fdc_ops.is_idle(&t.fdc));
	disk_complete(&t.disk[0]);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 2, 2);
	assert_memory_equal(t.memory + DATA, sector(0), 512);
	/* A reset leaves it to itself; what comes next waits for its end. */
	dma_program(0x44, 512);
	MOVE(0x66, 0, 0, 2, 18);
	bench_step(&t.b, 2 * TURN);
	outb(&t.b, 0x3f2, 0x18);
	assert_int_equal(t.disk[0].cancels, 1);
	outb(&t.b, 0x3f2, 0x1c);
	await_irq();
	for (unsigned i = 0; i < 4; i++)
		sense((uint8_t)(0xc0 | i), 0);
	memset(t.memory + DATA, 0x33, 512);
	dma_program(0x48, 512);
	MOVE(0x45, 0, 0, 3, 18);
	bench_step(&t.b, 10 * TURN);
	assert_false(irq());
	disk_complete(&t.disk[0]);
	bench_step(&t.b, 3 * TURN);
	disk_complete(&t.disk[0]);
	await_irq();
	assert_result(7, 0, 0, 0, 0, 0, 4, 2);
	assert_int_equal(sector(2)[0], 0x33);
	assert_int_equal(sector(2)[511], 0x33);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),	 TEST(test_multitrack),
		TEST(test_result_ids),	 TEST(test_short),
		TEST(test_write),	 TEST(test_not_found),
		TEST(test_overrun),	 TEST(test_time),
		TEST(test_late_host),	 TEST(test_head_load),
		TEST(test_read_id),	 TEST(test_standing),
		TEST(test_pulled_out),	 TEST(test_verify),
		TEST(test_read_track),	 TEST(test_deleted),
		TEST(test_scan),	 TEST(test_format),
		TEST(test_implied_seek), TEST(test_pio),
		TEST(test_pio_format),	 TEST(test_all_media),
		TEST(test_revolution),	 TEST(test_slow_medium),
	};

	return cmocka_run_group_tests_name("fdc_transfer", tests, NULL, NULL);
}
