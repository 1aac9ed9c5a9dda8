/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BIOS' APM functions, as systems call them that never execute HLT: an idle
 * call waits for an interrupt instead of the processor's turning in a loop, in
 * real mode and by the entry points of protected mode.
 */
#include "tests/guest/lib/modes.h"

/* Of apm_code.asm; results follow the code's first jump. */
extern char apm_code[], apm_code_end[];
extern uint32_t apm_ticks16, apm_ticks32, apm_flags16, apm_flags32;
void apm_protected(void);

#define IDLE_CALLS 8

struct apm_results {
	uint8_t jump[4];
	uint16_t version, signature, flags; /* AX, BX, CX of 5300h */
	uint16_t connected;		    /* flags of 5301h */
	uint32_t ticks_idle;		    /* of IDLE_CALLS times 5305h */
	uint16_t idle_flags;
	uint32_t ticks_halted; /* of as many HLT */
} __packed;

#define FLAG_CARRY BIT(0)

void guest_main(void)
{
	const volatile struct apm_results *r =
		(const volatile struct apm_results *)MODE16_CODE;

	if (*(volatile uint8_t *)0xffff0 != 0xea) {
		skip("bios", "none has been run");
		return;
	}
	modes_init();
	mode16_run(apm_code, (uint32_t)(apm_code_end - apm_code), 0);
	check_equal("version", r->version, 0x0102);
	check_equal("signature", r->signature, 0x504d);
	check_equal("entries", r->flags & 3, 3); /* of 16 and 32 bits */
	check_equal("connect", r->connected & FLAG_CARRY, 0);
	/* Each waits for the timer, whose interrupt alone is let through. */
	check("idle-waits", r->ticks_idle >= IDLE_CALLS);
	check_equal("idle", r->idle_flags & FLAG_CARRY, 0);
	check("hlt-waits", r->ticks_halted >= IDLE_CALLS);
	mode32_run(apm_protected, 0, 0, 0);
	check("idle-32-waits", apm_ticks32 >= IDLE_CALLS);
	check_equal("idle-32", apm_flags32 & FLAG_CARRY, 0);
	check("idle-16-waits", apm_ticks16 >= IDLE_CALLS);
	check_equal("idle-16", apm_flags16 & FLAG_CARRY, 0);
}
