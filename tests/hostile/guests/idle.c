/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does next to nothing: it says that it is up, sleeps, looks at
 * the power button every look-ms=N, and goes off when that was pressed, or
 * after ms=N.  deaf=1: the button is nothing to it.
 *
 * Reference: 82371AB (PIIX4), "PMSTS-Power Management Status Register".
 */
#include "tests/hostile/guests/hostile.h"

#define PM_STATUS	0x600 /* where the board has it */
#define PM_POWER_BUTTON BIT(8)

void guest_main(void)
{
	uint64_t end = now_us() + command_option("ms", 1000000) * 1000;
	uint64_t look_us = command_option("look-ms", 50) * 1000;
	bool is_deaf = command_option("deaf", 0);

	(void)lapic_timer_begin(0x50);
	print("up\n");
	while (now_us() < end) {
		if (!is_deaf && in16(PM_STATUS) & PM_POWER_BUTTON) {
			print("power button\n");
			break;
		}
		nap(look_us);
	}
	pass("idle");
}
