/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One of many guests, for tests/bench/scale/run and tests/bench/switch/run.
 * Its command line says what it does on each of its vCPUs before it ends:
 *
 *	none	nothing
 *	busy	computes, with interrupts off and the PIT stopped
 *	long	the same for twice as long
 *	much	the same for ten times as long
 *	idle	halts, woken by the PIT as rarely as that can, on vCPU 0
 *	tick	halts for as long, woken 250 times a second, on vCPU 0
 */
#include "tests/guest/lib/smp.h"

#include "lib/string.h"

#define BOOT_INFO_FLAGS	  0 /* Multiboot's */
#define BOOT_INFO_CMDLINE 16
#define BOOT_HAS_CMDLINE  BIT(2)

#define PIT_CH0		  0x40
#define PIT_COMMAND	  0x43
#define COMMAND_CH0_MODE2 0x34
#define PIT_SLOWEST	  0 /* 65,536 */
#define PIT_250_HZ	  4773
/* Both some 275 ms. */
#define IDLE_TICKS	  5
#define TICK_TICKS	  69

#define BUSY_ROUNDS 15000000U /* of two instructions */

static uint64_t turns; /* of compute() */

static void compute(unsigned id)
{
	uint64_t rounds = BUSY_ROUNDS * turns;

	(void)id;
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds));
}

static void ticks(unsigned divisor, uint32_t count)
{
	pic_enable(BIT(0));
	irq_count_pic(0);
	irq_count = 0;
	out8(PIT_COMMAND, COMMAND_CH0_MODE2);
	out8(PIT_CH0, divisor & 0xff);
	out8(PIT_CH0, divisor >> 8);
	while (irq_count < count)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}

static const char *command_line(void)
{
	const volatile uint32_t *info =
		(const volatile uint32_t *)(uint64_t)boot_info;

	if (!(info[BOOT_INFO_FLAGS / 4] & BOOT_HAS_CMDLINE))
		return "";
	return (const char *)(uint64_t)info[BOOT_INFO_CMDLINE / 4];
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);

	return length >= size && !memcmp(text + length - size, end, size);
}

void guest_main(void)
{
	const char *what = command_line();

	if (smp_cpu_count() > 1)
		smp_start();
	turns = ends_with(what, "much")	  ? 10
		: ends_with(what, "long") ? 2
					  : ends_with(what, "busy");
	if (turns) {
		pit_stop();
		if (smp_cpu_count() > 1)
			smp_run(compute);
		else
			compute(0);
	} else if (ends_with(what, "idle")) {
		ticks(PIT_SLOWEST, IDLE_TICKS);
	} else if (ends_with(what, "tick")) {
		ticks(PIT_250_HZ, TICK_TICKS);
	}
	pass("scale");
}
