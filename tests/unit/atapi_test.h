/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of devices/atapi*.c share: packets to the second channel. */
#ifndef BULKHEAD_TESTS_UNIT_ATAPI_TEST_H
#define BULKHEAD_TESTS_UNIT_ATAPI_TEST_H

#include "tests/unit/ide_test.h"

static inline void packet(uint8_t feature, uint16_t limit, const uint8_t *bytes)
{
	outb(0x176, 0xa0);
	outb(0x171, feature);
	outb(0x174, (uint8_t)limit);
	outb(0x175, (uint8_t)(limit >> 8));
	outb(0x177, 0xa0);
	assert_int_equal(inb(0x377 - 1), DRQ);
	assert_int_equal(inb(0x172), 1);
	outsw(0x170, bytes, 6);
}

/* Runs a packet by PIO; returns the bytes that came. */
static inline uint32_t packet_read(const uint8_t *bytes, uint16_t limit,
				   uint8_t *to)
{
	uint32_t total = 0;

	packet(0, limit, bytes);
	for (;;) {
		uint8_t status;
		uint32_t size;

		assert_true(t.irq[1]);
		status = inb(0x177);
		if (!(status & 8))
			return status & 1 ? 0x10000u | inb(0x171) : total;
		assert_int_equal(inb(0x172), 2);
		size = inb(0x174) | inb(0x175) << 8;
		assert_true(size <= limit);
		insw(0x170, to + total, (size + 1) / 2);
		total += size;
	}
}

/* Additional sense code of the packet before, after the sense key. */
static inline uint16_t sense_take(void)
{
	static const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };
	uint8_t data[18];

	assert_int_equal(packet_read(sense, 18, data), 18);
	return (uint16_t)(data[2] << 8 | data[12]);
}

#endif
