/* SPDX-License-Identifier: BSD-2-Clause */
/* The floppy controller on a bench, with its DMA controller and two drives. */
#ifndef BULKHEAD_TESTS_UNIT_FDC_TEST_H
#define BULKHEAD_TESTS_UNIT_FDC_TEST_H

#include "tests/unit/device_test.h"

#include "devices/fdc.h"
#include "include/errno.h"

#define MS	 1000000ULL
#define IRQ	 6
#define RAM_SIZE MIB(1)
#define DATA	 0x20000 /* where DMA goes */

struct disk {
	struct block_backend backend;
	uint8_t bytes[FLOPPY_SECTORS_MAX * 512];
	bool is_async;
	int status; /* of the next requests */
	struct block_request *pending;
	unsigned cancels;
};

static struct {
	struct bench b;
	struct dma8237 dma;
	struct guest_ram ram;
	struct fdc fdc;
	struct disk disk[2];
	uint8_t memory[RAM_SIZE];
	uint8_t result[16];
} t;

static inline int disk_move(struct disk *disk, struct block_request *request)
{
	uint64_t at = request->sector * 512;

	assert_true(request->sector < disk->backend.sector_count);
	assert_int_equal(request->segment_count, 1);
	if (disk->status)
		return disk->status;
	if (request->op == BLOCK_READ)
		memcpy(request->segment[0].host, disk->bytes + at, 512);
	else
		memcpy(disk->bytes + at, request->segment[0].host, 512);
	return 0;
}

static inline void disk_submit(void *ctx, struct block_request *request)
{
	struct disk *disk = ctx;

	assert_null(disk->pending);
	if (disk->is_async)
		disk->pending = request;
	else
		request->done(request->dev, request, disk_move(disk, request));
}

static inline void disk_complete(struct disk *disk)
{
	struct block_request *request = disk->pending;

	assert_non_null(request);
	disk->pending = NULL;
	request->done(request->dev, request, disk_move(disk, request));
}

static inline void disk_cancel(void *ctx, struct block_request *request)
{
	struct disk *disk = ctx;

	assert_ptr_equal(disk->pending, request);
	disk->cancels++;
}

/* Each sector knows its number. */
static inline void disk_init(struct disk *disk, unsigned kib)
{
	memset(disk, 0, sizeof(*disk));
	disk->backend = (struct block_backend){
		.submit = disk_submit,
		.cancel = disk_cancel,
		.ctx = disk,
		.sector_count = kib * 2,
	};
	for (unsigned i = 0; i < kib * 2; i++)
		for (unsigned k = 0; k < 512; k++)
			disk->bytes[i * 512 + k] =
				(uint8_t)(k < 2 ? i >> (8 * k) : i * 3 + k);
}

/* kib 0: empty. */
static inline void bench_build(enum floppy_drive a, unsigned kib,
			       enum floppy_drive b, unsigned kib_b)
{
	struct fdc_config config = {
		.ports = &t.b.ports,
		.clock = &t.b.clock,
		.irq = bench_irq(&t.b, IRQ),
		.dma = { &t.dma, 2 },
		.drive = { { a, kib ? &t.disk[0].backend : NULL },
			   { b, kib_b ? &t.disk[1].backend : NULL } },
	};

	bench_init(&t.b);
	t.b.now_ns = 12345678;
	memset(t.memory, 0, sizeof(t.memory));
	t.ram = (struct guest_ram){ .count = 1,
				    .range = { { 0, RAM_SIZE, t.memory } } };
	disk_init(&t.disk[0], kib);
	disk_init(&t.disk[1], kib_b);
	assert_int_equal(dma8237_init(&t.dma, &t.b.ports, &t.ram), 0);
	assert_int_equal(fdc_init(&t.fdc, &config), 0);
	outb(&t.b, 0xd6, 0xc0);
	outb(&t.b, 0xd4, 0x00);
}

static inline bool irq(void)
{
	return t.b.level & BIT(IRQ);
}

static inline uint8_t msr(void)
{
	return inb(&t.b, 0x3f4);
}

static inline void command(const uint8_t *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(msr() & 0xc0, 0x80);
		outb(&t.b, 0x3f5, bytes[i]);
	}
}

#define COMMAND(...)                                      \
	do {                                              \
		const uint8_t bytes_[] = { __VA_ARGS__ }; \
		command(bytes_, sizeof(bytes_));          \
	} while (0)

/* All of the result phase, into t.result; how many. */
static inline unsigned result(void)
{
	unsigned count = 0;

	while ((msr() & 0xd0) == 0xd0) {
		assert_true(count < sizeof(t.result));
		t.result[count++] = inb(&t.b, 0x3f5);
	}
	return count;
}

static inline void assert_result(unsigned count, ...)
{
	va_list expected;

	assert_int_equal(result(), count);
	va_start(expected, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(t.result[i], va_arg(expected, int));
	va_end(expected);
}

/* Until the next interrupt, in nanoseconds. */
static inline uint64_t await_irq(void)
{
	uint64_t began = t.b.now_ns;

	for (unsigned i = 0; i < 100000 && !irq(); i++)
		bench_step(&t.b, 10000);
	assert_true(irq());
	return t.b.now_ns - began;
}

static inline void sense(uint8_t st0, uint8_t cylinder)
{
	COMMAND(0x08);
	assert_result(2, st0, cylinder);
}

/* Out of reset, drive 0 turning, data rate, 16 ms head load and step 3 ms. */
static inline void power_up(uint8_t rate)
{
	outb(&t.b, 0x3f2, 0x1c);
	await_irq();
	for (unsigned i = 0; i < 4; i++)
		sense((uint8_t)(0xc0 | i), 0);
	outb(&t.b, 0x3f7, rate);
	COMMAND(0x03, 0xdf, 0x02);
}

static inline void seek(uint8_t unit, uint8_t cylinder)
{
	COMMAND(0x0f, unit, cylinder);
	await_irq();
	sense((uint8_t)(0x20 | (unit & 3)), cylinder);
}

/* Channel 2: 0x44 to memory, 0x48 from it, 0x40 verify. */
static inline void dma_program(uint8_t mode, unsigned length)
{
	outb(&t.b, 0x0a, 6);
	outb(&t.b, 0x0c, 0);
	outb(&t.b, 0x0b, mode | 2);
	outb(&t.b, 0x04, (uint8_t)DATA);
	outb(&t.b, 0x04, (uint8_t)(DATA >> 8));
	outb(&t.b, 0x81, DATA >> 16);
	outb(&t.b, 0x05, (uint8_t)(length - 1));
	outb(&t.b, 0x05, (uint8_t)((length - 1) >> 8));
	outb(&t.b, 0x0a, 2);
}

static inline uint8_t *sector(unsigned number)
{
	return t.disk[0].bytes + number * 512;
}

#endif
