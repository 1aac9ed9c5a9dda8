/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 as software meets it: latching, read-back, modes, interrupt rate
 * against a second channel.  Times are compared with a factor of two, since a
 * simulated clock may stutter.
 */
#include "tests/guest/lib/guest.h"

#define PIT_CH0	    0x40
#define PIT_CH2	    0x42
#define PIT_COMMAND 0x43
#define PIT_HZ	    1193182u

#define COMMAND_CH0_MODE0 0x30
#define COMMAND_CH0_MODE2 0x34
#define COMMAND_CH0_MODE3 0x36
#define COMMAND_CH0_LATCH 0x00
#define COMMAND_CH2_MODE0 0xb0
#define READ_BACK_STATUS0 0xe2
#define STATUS_OUT	  BIT(7)
#define STATUS_MODE	  MASK(3, 1)

#define PORT61	     0x61
#define PORT61_GATE2 BIT(0)
#define PORT61_OUT2  BIT(5)

static void pit_load(uint16_t port, uint8_t command, uint16_t count)
{
	out8(PIT_COMMAND, command);
	out8(port, (uint8_t)count);
	out8(port, (uint8_t)(count >> 8));
}

static unsigned pit_latch(void)
{
	unsigned low;

	out8(PIT_COMMAND, COMMAND_CH0_LATCH);
	low = in8(PIT_CH0);
	return low | in8(PIT_CH0) << 8;
}

static void test_counts_down(void)
{
	unsigned first, second;

	pit_load(PIT_CH0, COMMAND_CH0_MODE2, 0xffff);
	first = pit_latch();
	for (unsigned i = 0; i < 20; i++)
		(void)in8(0x80);
	second = pit_latch();
	if (second <= first)
		pass("mode2-counts-down");
	else
		fail("mode2-counts-down", "%u, then %u", first, second);
}

static void test_latch_holds(void)
{
	unsigned low, high, low2;

	pit_load(PIT_CH0, COMMAND_CH0_MODE2, 0xffff);
	out8(PIT_COMMAND, COMMAND_CH0_LATCH);
	for (unsigned i = 0; i < 1000; i++)
		(void)in8(0x80);
	/* Latched again: the first latch stays until it is read. */
	out8(PIT_COMMAND, COMMAND_CH0_LATCH);
	low = in8(PIT_CH0);
	high = in8(PIT_CH0);
	low2 = pit_latch();
	check("latch-holds", (low | high << 8) >= low2);
}

static void test_read_back(void)
{
	pit_load(PIT_CH0, COMMAND_CH0_MODE3, 1000);
	out8(PIT_COMMAND, READ_BACK_STATUS0);
	check_equal("read-back-mode", FIELD_GET(STATUS_MODE, in8(PIT_CH0)), 3);
	pit_load(PIT_CH0, COMMAND_CH0_MODE0, 0xffff);
	out8(PIT_COMMAND, READ_BACK_STATUS0);
	check_equal("read-back-mode0-out-low", in8(PIT_CH0) & STATUS_OUT, 0);
}

/* TSC ticks until channel 2 has counted to 0. */
static uint64_t channel2_ticks(uint16_t count)
{
	uint8_t gate = (uint8_t)((in8(PORT61) & ~3u) | PORT61_GATE2);
	uint64_t start;

	out8(PORT61, gate);
	pit_load(PIT_CH2, COMMAND_CH2_MODE0, count);
	start = rdtsc();
	while (!(in8(PORT61) & PORT61_OUT2))
		if (rdtsc() - start > 3 * NSEC_PER_SEC)
			return 0;
	return rdtsc() - start;
}

static void check_ratio(const char *name, uint64_t got, uint64_t want)
{
	if (got && got > want / 2 && got < want * 2)
		pass(name);
	else
		fail(name, "%llu ticks, expected about %llu",
		     (unsigned long long)got, (unsigned long long)want);
}

static void test_channel2(void)
{
	uint64_t ticks = channel2_ticks(PIT_HZ / 50);

	check("channel2-out", ticks != 0);
	check_ratio("channel2-linear", channel2_ticks(PIT_HZ / 25), ticks * 2);
}

/* 40 interrupts at 1 kHz last as long as 40 ms of channel 2. */
static void test_rate(const char *name, uint8_t command)
{
	uint64_t want = channel2_ticks(PIT_HZ / 25);
	uint64_t start;

	irq_count_pic(0);
	pit_load(PIT_CH0, command, PIT_HZ / 1000);
	pic_enable(BIT(0));
	irq_count = 0;
	sti();
	if (!irq_wait(1)) {
		cli();
		fail(name, "no interrupt");
		return;
	}
	start = rdtsc();
	(void)irq_wait(41);
	cli();
	check_ratio(name, rdtsc() - start, want);
	pic_enable(0);
}

/* Mode 0 interrupts once. */
static void test_mode0_once(void)
{
	/* A tick of the rate still running would be one more. */
	pit_load(PIT_CH0, COMMAND_CH0_MODE0, 0xffff);
	pic_enable(BIT(0));
	irq_count = 0;
	pit_load(PIT_CH0, COMMAND_CH0_MODE0, 1000);
	sti();
	(void)irq_wait(1);
	(void)channel2_ticks(PIT_HZ / 100);
	cli();
	check_equal("mode0-interrupts-once", irq_count, 1);
	pic_enable(0);
}

void guest_main(void)
{
	test_counts_down();
	test_latch_holds();
	test_read_back();
	test_channel2();
	test_rate("mode2-rate", COMMAND_CH0_MODE2);
	test_rate("mode3-rate", COMMAND_CH0_MODE3);
	test_mode0_once();
}
