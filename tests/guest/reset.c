/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way to reset the machine: triple fault, port CF9h, keyboard
 * controller, port 92h.  A cell of the CMOS, which a reset leaves alone, says
 * which was tried last; starting again is the proof.
 */
#include "tests/guest/lib/guest.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define CMOS_STAGE 0x6f /* a cell that nobody uses */
#define STAGE_BASE 0xa0 /* anything else: the first start */

static void stage_set(uint8_t stage)
{
	out8(CMOS_INDEX, CMOS_STAGE);
	out8(CMOS_DATA, stage);
}

static uint8_t stage_get(void)
{
	out8(CMOS_INDEX, CMOS_STAGE);
	return in8(CMOS_DATA);
}

static void reset_triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" ::"m"(idtr));
}

static void reset_cf9(void)
{
	out8(0xcf9, 0x02);
	out8(0xcf9, 0x06);
}

static void reset_keyboard(void)
{
	out8(0x64, 0xfe);
}

static void reset_port92(void)
{
	out8(0x92, in8(0x92) | 0x01);
}

static const struct {
	const char *name;
	void (*reset)(void);
} ways[] = {
	{ "triple-fault", reset_triple_fault },
	{ "port-cf9", reset_cf9 },
	{ "keyboard-controller", reset_keyboard },
	{ "port-92", reset_port92 },
};

void guest_main(void)
{
	unsigned stage = stage_get() - STAGE_BASE;

	if (stage > ARRAY_SIZE(ways))
		stage = 0;
	if (stage)
		pass(ways[stage - 1].name);
	if (stage == ARRAY_SIZE(ways)) {
		stage_set(0);
		return;
	}
	stage_set((uint8_t)(STAGE_BASE + stage + 1));
	ways[stage].reset();
	for (uint64_t start = rdtsc(); rdtsc() - start < NSEC_PER_SEC;)
		__asm__ volatile("pause");
	stage_set(0);
	fail(ways[stage].name, "still running");
}
