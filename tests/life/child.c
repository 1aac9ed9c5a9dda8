/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that ends, or does not, as its argument says. */
#include "lib/user/gate_calls.h"
#include "tests/life/life.h"

void program_main(unsigned thread);

static void run_guest(void)
{
	static const struct cpuid_table table; /* it does not ask */

	if (!gate_config()->vm_memory)
		return;
	/* HLT, where the reset vector is. */
	*(volatile uint8_t *)(GATE_WINDOW_VA + 0xff0) = 0xf4;
	(void)gate_map(0xfffff000, PAGE_SIZE, 0, GATE_MAP_RAM);
	if (gate_cpuid_set(&table) == 0)
		gate_resume();
}

void program_main(unsigned thread)
{
	const struct child_argument *argument = gate_argument();
	volatile uint32_t *volatile nowhere = NULL;
	uint64_t end_ns;

	switch (argument->kind) {
	case CHILD_EXITS:
		gate_exit(argument->code + thread);
	case CHILD_CRASHES:
		*nowhere = thread; /* cppcheck-suppress nullPointer */
		break;
	case CHILD_SPINS:
		for (;;)
			;
	case CHILD_TIMER:
		gate_timer(gate_now_ns() + NSEC_PER_SEC * 1000);
		break;
	case CHILD_RINGS:
		for (;;)
			(void)gate_doorbell(CHILD_SLOT);
	case CHILD_STOPS:
		/* Until the console has sent what there was. */
		end_ns = gate_now_ns() + NSEC_PER_SEC / 2;
		while (gate_now_ns() < end_ns)
			;
		gate_call(GATE_DOMAIN_STOP, argument->id, 0, 0);
		for (;;)
			;
	case CHILD_GUEST:
		run_guest();
		break;
	default:
		break;
	}
	for (;;)
		(void)gate_wait();
}
