/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8237 pair: registers, pages, a request by software that writes to memory;
 * and no floppy controller where there is no drive.
 */
#include "tests/guest/lib/guest.h"

#define CLEAR_POINTER 0x0c
#define TARGET	      0x50000
#define BYTES	      256

static void check_pages(void)
{
	static const uint16_t ports[] = { 0x81, 0x82, 0x83, 0x84, 0x87,
					  0x89, 0x8a, 0x8b, 0x8f };
	bool is_right = true;

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		out8(ports[i], (uint8_t)(0x10 + i));
	out8(0x80, 0x99); /* POST's, which is another's */
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		is_right &= in8(ports[i]) == 0x10 + i;
	check("dma-pages", is_right && in8(0x80) == 0x99);
}

static void check_counters(void)
{
	out8(CLEAR_POINTER, 0);
	out8(0x06, 0x34);
	out8(0x06, 0x12);
	out8(0x07, 0x78);
	out8(0x07, 0x56);
	check_equal("dma-address", in8(0x06) | in8(0x06) << 8, 0x1234);
	check_equal("dma-count", in8(0x07) | in8(0x07) << 8, 0x5678);
}

/* Block mode, to memory: nobody drives the bus, so FFh comes. */
static void check_software(void)
{
	volatile uint8_t *target = (volatile uint8_t *)TARGET;
	bool is_right = true;

	for (unsigned i = 0; i <= BYTES; i++)
		target[i] = 0;
	out8(0x0a, 0x05); /* channel 1 */
	out8(0x0b, 0x85);
	out8(CLEAR_POINTER, 0);
	out8(0x02, (uint8_t)TARGET);
	out8(0x02, (uint8_t)(TARGET >> 8));
	out8(0x83, TARGET >> 16);
	out8(0x03, BYTES - 1);
	out8(0x03, 0);
	(void)in8(0x08);
	out8(0x0a, 0x01);
	out8(0x09, 0x05);
	for (unsigned i = 0; i < BYTES; i++)
		is_right &= target[i] == 0xff;
	check("dma-memory", is_right && target[BYTES] == 0);
	check_equal("dma-status", in8(0x08) & 0x2f, 0x02);
	check_equal("dma-masked", in8(0x0f) & 0x02, 0x02);
}

void guest_main(void)
{
	check_pages();
	check_counters();
	check_software();
	check_equal("no-floppy", in8(0x3f4), 0xff);
}
