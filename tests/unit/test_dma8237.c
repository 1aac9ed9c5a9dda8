/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8237 pair and its page registers. */
#include "tests/unit/device_test.h"

#include "devices/dma8237.h"

#define RAM_SIZE MIB(2)

static struct {
	struct bench b;
	struct dma8237 dma;
	struct guest_ram ram;
	uint8_t memory[RAM_SIZE];
} bench;

static const uint8_t page_ports[] = { 0x87, 0x83, 0x81, 0x82,
				      0x8f, 0x8b, 0x89, 0x8a };

static int setup(void **state)
{
	(void)state;
	bench_init(&bench.b);
	memset(bench.memory, 0, sizeof(bench.memory));
	bench.ram = (struct guest_ram){
		.count = 1,
		.range = { { 0, RAM_SIZE, bench.memory } },
	};
	assert_int_equal(dma8237_init(&bench.dma, &bench.b.ports, &bench.ram),
			 0);
	outb(&bench.b, 0xd6, 0xc0); /* as a BIOS: channel 4 is the cascade */
	outb(&bench.b, 0xd4, 0x00);
	return 0;
}

/* A register of the channel's controller: 0 to 15. */
static uint16_t port(unsigned channel, unsigned number)
{
	return (uint16_t)(channel < 4 ? number : 0xc0 + 2 * number);
}

static void address_set(unsigned channel, uint16_t address)
{
	outb(&bench.b, port(channel, 12), 0);
	outb(&bench.b, port(channel, channel % 4 * 2), (uint8_t)address);
	outb(&bench.b, port(channel, channel % 4 * 2), (uint8_t)(address >> 8));
}

static void count_set(unsigned channel, uint16_t count)
{
	outb(&bench.b, port(channel, 12), 0);
	outb(&bench.b, port(channel, channel % 4 * 2 + 1), (uint8_t)count);
	outb(&bench.b, port(channel, channel % 4 * 2 + 1),
	     (uint8_t)(count >> 8));
}

static uint16_t read16(unsigned channel, unsigned number)
{
	uint8_t low;

	outb(&bench.b, port(channel, 12), 0);
	low = inb(&bench.b, port(channel, channel % 4 * 2 + number));
	return (uint16_t)(low |
			  inb(&bench.b, port(channel, channel % 4 * 2 + number))
				  << 8);
}

/* Unmasked: the mode's upper six bits, the address in units of the channel. */
static void program(unsigned channel, uint8_t mode, uint8_t page,
		    uint16_t address, uint16_t count)
{
	outb(&bench.b, port(channel, 10), (uint8_t)(4 | channel % 4));
	outb(&bench.b, port(channel, 11), (uint8_t)(mode | channel % 4));
	outb(&bench.b, page_ports[channel], page);
	address_set(channel, address);
	count_set(channel, count);
	outb(&bench.b, port(channel, 10), (uint8_t)(channel % 4));
}

static struct dma_transfer move(unsigned channel, enum dma_direction direction,
				void *data, uint32_t length)
{
	const struct dma_line line = { &bench.dma, channel };
	struct dma_transfer transfer = {
		.direction = direction,
		.data = data,
		.length = length,
	};

	dma_line_transfer(&line, &transfer);
	return transfer;
}

static uint8_t status(unsigned channel)
{
	return inb(&bench.b, port(channel, 8));
}

static bool is_masked(unsigned channel)
{
	return inb(&bench.b, port(channel, 15)) & BIT(channel % 4);
}

static void pattern(uint8_t *data, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		data[i] = (uint8_t)(i * 5 + 1);
}

#define SINGLE_TO_MEMORY   0x44
#define SINGLE_FROM_MEMORY 0x48
#define SINGLE_VERIFY	   0x40

static void test_registers(void **unused)
{
	(void)unused;
	for (unsigned channel = 0; channel < 8; channel++) {
		if (channel == 4)
			continue;
		address_set(channel, (uint16_t)(0x1234 + channel));
		count_set(channel, (uint16_t)(0xa5c0 + channel));
		outb(&bench.b, page_ports[channel], (uint8_t)(0x40 + channel));
	}
	for (unsigned channel = 0; channel < 8; channel++) {
		if (channel == 4)
			continue;
		assert_int_equal(read16(channel, 0), 0x1234 + channel);
		assert_int_equal(read16(channel, 1), 0xa5c0 + channel);
		assert_int_equal(inb(&bench.b, page_ports[channel]),
				 0x40 + channel);
	}
	/* The flip-flop is the controller's, and turns by reads, too. */
	outb(&bench.b, 0x0c, 0);
	assert_int_equal(inb(&bench.b, 0x00), 0x34);
	assert_int_equal(inb(&bench.b, 0x02), 0x12);
	outb(&bench.b, 0x00, 0x55);
	assert_int_equal(inb(&bench.b, 0x00), 0x12);
	assert_int_equal(read16(0, 0), 0x1255);
	/* Pages that lead to no channel are memory. */
	outb(&bench.b, 0x84, 0x77);
	assert_int_equal(inb(&bench.b, 0x84), 0x77);
	/* What is another's, and what this chip has not. */
	assert_false(bus_is_claimed(&bench.b.ports, 0x80));
	assert_false(bus_is_claimed(&bench.b.ports, 0x481));
	assert_int_equal(inb(&bench.b, 0x0d), 0);
}

static void test_masks(void **unused)
{
	(void)unused;
	outb(&bench.b, 0x0d, 0); /* master clear */
	assert_int_equal(inb(&bench.b, 0x0f), 0xff);
	outb(&bench.b, 0x0a, 2);
	assert_int_equal(inb(&bench.b, 0x0f), 0xfb);
	outb(&bench.b, 0x0e, 0);
	assert_int_equal(inb(&bench.b, 0x0f), 0xf0);
	outb(&bench.b, 0x0f, 0x09);
	assert_int_equal(inb(&bench.b, 0x0f), 0xf9);
	outb(&bench.b, 0x0a, 4 | 1);
	assert_int_equal(inb(&bench.b, 0x0f), 0xfb);
	/* The other controller was not meant. */
	assert_int_equal(inb(&bench.b, 0xde) & 0x0f, 0x0e);
	dma8237_reset(&bench.dma);
	assert_int_equal(inb(&bench.b, 0x0f), 0xff);
	assert_int_equal(inb(&bench.b, 0xde), 0xff);
}

static void test_to_memory(void **unused)
{
	struct dma_transfer moved;
	uint8_t data[512];

	(void)unused;
	pattern(data, sizeof(data));
	program(2, SINGLE_TO_MEMORY, 0x01, 0x2345, 1023);
	moved = move(2, DMA_TO_MEMORY, data, 512);
	assert_int_equal(moved.moved, 512);
	assert_false(moved.is_terminal);
	assert_memory_equal(bench.memory + 0x12345, data, 512);
	assert_int_equal(read16(2, 0), 0x2545);
	assert_int_equal(read16(2, 1), 511);
	assert_int_equal(status(2), 0);
	moved = move(2, DMA_TO_MEMORY, data, 512);
	assert_int_equal(moved.moved, 512);
	assert_true(moved.is_terminal);
	assert_memory_equal(bench.memory + 0x12545, data, 512);
	assert_int_equal(read16(2, 1), 0xffff);
	assert_true(is_masked(2));
	assert_int_equal(status(2), 0x04);
	assert_int_equal(status(2), 0); /* reading clears */
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 512).moved, 0);
}

/* The count ends within what the device has: the rest stays with it. */
static void test_short_count(void **unused)
{
	struct dma_transfer moved;
	uint8_t data[512];

	(void)unused;
	pattern(data, sizeof(data));
	program(1, SINGLE_TO_MEMORY, 0, 0x1000, 99);
	moved = move(1, DMA_TO_MEMORY, data, 512);
	assert_int_equal(moved.moved, 100);
	assert_true(moved.is_terminal);
	assert_memory_equal(bench.memory + 0x1000, data, 100);
	assert_int_equal(bench.memory[0x1064], 0);
}

static void test_from_memory(void **unused)
{
	uint8_t data[256];

	(void)unused;
	pattern(bench.memory + 0x8000, 256);
	program(3, SINGLE_FROM_MEMORY, 0, 0x8000, 255);
	assert_true(move(3, DMA_FROM_MEMORY, data, 256).is_terminal);
	assert_memory_equal(bench.memory + 0x8000, data, 256);
	/* Set up for the other direction nothing moves. */
	program(3, SINGLE_TO_MEMORY, 0, 0x8000, 255);
	assert_int_equal(move(3, DMA_FROM_MEMORY, data, 256).moved, 0);
	program(3, SINGLE_FROM_MEMORY, 0, 0x8000, 255);
	assert_int_equal(move(3, DMA_TO_MEMORY, data, 256).moved, 0);
	program(3, 0x4c, 0, 0x8000, 255); /* no such transfer */
	assert_int_equal(move(3, DMA_TO_MEMORY, data, 256).moved, 0);
}

static void test_verify(void **unused)
{
	struct dma_transfer moved;
	uint8_t data[16];

	(void)unused;
	pattern(data, sizeof(data));
	program(2, SINGLE_VERIFY, 0, 0x4000, 15);
	moved = move(2, DMA_TO_MEMORY, data, 16);
	assert_int_equal(moved.moved, 16);
	assert_true(moved.is_terminal);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(bench.memory[0x4000 + i], 0);
	assert_int_equal(status(2), 0x04);
	program(2, SINGLE_VERIFY, 0, 0x4000, 15);
	assert_int_equal(move(2, DMA_FROM_MEMORY, data, 16).moved, 16);
	assert_int_equal(data[0], 0xff);
	assert_int_equal(data[15], 0xff);
}

/* 64 KiB, and 128 KiB of words: the page does not count on. */
static void test_wrap(void **unused)
{
	uint8_t data[32];

	(void)unused;
	pattern(data, sizeof(data));
	program(2, SINGLE_TO_MEMORY, 0x01, 0xfff0, 31);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 32).moved, 32);
	assert_memory_equal(bench.memory + 0x1fff0, data, 16);
	assert_memory_equal(bench.memory + 0x10000, data + 16, 16);
	assert_int_equal(bench.memory[0x20000], 0);
	memset(bench.memory, 0, sizeof(bench.memory));
	program(5, SINGLE_TO_MEMORY, 0x05, 0xfff8, 15);
	assert_int_equal(move(5, DMA_TO_MEMORY, data, 32).moved, 32);
	assert_memory_equal(bench.memory + 0x5fff0, data, 16);
	assert_memory_equal(bench.memory + 0x40000, data + 16, 16);
	/* An odd byte stays. */
	program(7, SINGLE_TO_MEMORY, 0x04, 0, 15);
	assert_int_equal(move(7, DMA_TO_MEMORY, data, 5).moved, 4);
	assert_int_equal(read16(7, 0), 2);
}

static void test_down(void **unused)
{
	uint8_t data[4] = { 1, 2, 3, 4 };

	(void)unused;
	program(0, SINGLE_TO_MEMORY | 0x20, 0, 0x0001, 3);
	assert_true(move(0, DMA_TO_MEMORY, data, 4).is_terminal);
	assert_int_equal(bench.memory[1], 1);
	assert_int_equal(bench.memory[0], 2);
	assert_int_equal(bench.memory[0xffff], 3);
	assert_int_equal(bench.memory[0xfffe], 4);
	assert_int_equal(read16(0, 0), 0xfffd);
}

static void test_auto(void **unused)
{
	struct dma_transfer moved;
	uint8_t data[8] = { 0 };

	(void)unused;
	program(1, SINGLE_TO_MEMORY | 0x10, 0, 0x100, 7);
	for (unsigned i = 0; i < 3; i++) {
		memset(data, (int)i + 1, 8);
		moved = move(1, DMA_TO_MEMORY, data, 8);
		assert_int_equal(moved.moved, 8);
		assert_true(moved.is_terminal);
		assert_int_equal(bench.memory[0x107], i + 1);
		assert_int_equal(read16(1, 0), 0x100);
		assert_int_equal(read16(1, 1), 7);
		assert_false(is_masked(1));
		assert_int_equal(status(1), 0x02);
	}
}

static void test_ways_closed(void **unused)
{
	uint8_t data[8] = { 0 };

	(void)unused;
	/* Masked. */
	program(2, SINGLE_TO_MEMORY, 0, 0, 7);
	outb(&bench.b, 0x0a, 4 | 2);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 0);
	outb(&bench.b, 0x0a, 2);
	/* The controller is off. */
	outb(&bench.b, 0x08, 0x04);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 0);
	outb(&bench.b, 0x08, 0x00);
	/* The second one does not let it through. */
	outb(&bench.b, 0xd4, 4);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 0);
	outb(&bench.b, 0xd4, 0);
	outb(&bench.b, 0xd0, 0x04);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 0);
	outb(&bench.b, 0xd0, 0x00);
	outb(&bench.b, 0xd6, 0x40);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 0);
	outb(&bench.b, 0xd6, 0xc0);
	/* A channel in cascade mode has no cycles of its own. */
	outb(&bench.b, 0x0b, 0xc6);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 0);
	outb(&bench.b, 0x0b, 0x46);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 8).moved, 8);
}

static void test_requests(void **unused)
{
	const struct dma_line two = { &bench.dma, 2 },
			      seven = { &bench.dma, 7 };

	(void)unused;
	dma_line_set(&two, true);
	dma_line_set(&seven, true);
	assert_int_equal(status(0), 0x40);
	assert_int_equal(status(4), 0x80);
	dma8237_reset(&bench.dma); /* the devices still ask */
	assert_int_equal(status(0), 0x40);
	dma_line_set(&two, false);
	assert_int_equal(status(0), 0);
}

/* By software, in block mode; no device drives what goes to memory. */
static void test_software(void **unused)
{
	(void)unused;
	program(1, 0x84, 0x01, 0x0100, 0x7ff);
	outb(&bench.b, 0x0a, 4 | 1);
	outb(&bench.b, 0x09, 4 | 1);
	assert_int_equal(status(1), 0x20); /* it waits for its mask */
	assert_int_equal(bench.memory[0x10100], 0);
	outb(&bench.b, 0x0a, 1);
	assert_int_equal(status(1), 0x02);
	assert_int_equal(bench.memory[0x10100], 0xff);
	assert_int_equal(bench.memory[0x108ff], 0xff);
	assert_int_equal(bench.memory[0x10900], 0);
	assert_true(is_masked(1));
	/* In single mode it stays a request, until it is taken back. */
	program(1, SINGLE_TO_MEMORY, 0x01, 0x0100, 0xff);
	outb(&bench.b, 0x09, 4 | 1);
	assert_int_equal(status(1), 0x20);
	outb(&bench.b, 0x09, 1);
	assert_int_equal(status(1), 0);
}

/* Where there is no RAM, writes are lost and reads give ones. */
static void test_no_ram(void **unused)
{
	uint8_t data[16] = { 0 };

	(void)unused;
	program(2, SINGLE_TO_MEMORY, 0xff, 0xfff8, 15);
	assert_int_equal(move(2, DMA_TO_MEMORY, data, 16).moved, 16);
	program(2, SINGLE_FROM_MEMORY, 0x1f, 0xfff8, 15);
	bench.memory[0x1fffff] = 0x12;
	assert_int_equal(move(2, DMA_FROM_MEMORY, data, 16).moved, 16);
	assert_int_equal(data[7], 0x12);
	program(2, SINGLE_FROM_MEMORY, 0x20, 0, 15);
	assert_int_equal(move(2, DMA_FROM_MEMORY, data, 16).moved, 16);
	assert_int_equal(data[0], 0xff);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers),	TEST(test_masks),
		TEST(test_to_memory),	TEST(test_short_count),
		TEST(test_from_memory), TEST(test_verify),
		TEST(test_wrap),	TEST(test_down),
		TEST(test_auto),	TEST(test_ways_closed),
		TEST(test_requests),	TEST(test_software),
		TEST(test_no_ram),
	};

	return cmocka_run_group_tests_name("dma8237", tests, NULL, NULL);
}
