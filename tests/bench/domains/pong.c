/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers doorbells, or has its turn as often as it can: see ping.c. */
#include "lib/user/gate_calls.h"
#include "tests/bench/domains/domains.h"

void program_main(unsigned thread);

void program_main(unsigned thread)
{
	const struct domains_page *page = gate_channel(PONG_SLOT);

	(void)thread;
	for (;;) {
		if (page->yields)
			gate_yield();
		else if (gate_wait() & BIT(GATE_EVENT_CHANNEL_BIT(PONG_SLOT)))
			(void)gate_doorbell(PONG_SLOT);
	}
}
