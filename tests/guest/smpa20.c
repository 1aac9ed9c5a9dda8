/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The A20 gate while another vCPU looks through it: that one sees what is below
 * 1 MiB or what is above, never anything else, and the right one once the OUT
 * is done.  It may have the APIC id 1 alone; others wait for their SIPI.
 */
#include "tests/guest/lib/modes.h"
#include "tests/guest/lib/smp.h"

/* Of smpa20_code.asm. */
extern char toggle_code[], toggle_code_end[], look_code[], look_code_end[];

#define LOOK_PAGE 0x6

/* At 600h: between the two. */
struct shared {
	uint32_t below; /* at 600h: what the alias shows */
	uint32_t seen, looks, wrong, stop;
	uint32_t above; /* what 100600h holds */
	uint32_t stale, timeouts, rounds;
};

static volatile struct shared *shared(void)
{
	uint64_t at = 0x600;

	/* The compiler has its own thoughts about the first page. */
	__asm__("" : "+r"(at));
	return (volatile struct shared *)at;
}

void guest_main(void)
{
	volatile struct shared *s = shared();
	uint8_t *page = (uint8_t *)(LOOK_PAGE * PAGE_SIZE);

	if (smp_cpu_count() < 2) {
		skip("a20", "there is one vCPU");
		return;
	}
	modes_init();
	lapic_enable();
	for (char *from = look_code; from < look_code_end; from++)
		*page++ = (uint8_t)*from;
	*s = (struct shared){ .below = 0xa0000000,
			      .above = *(volatile uint32_t *)0x100600 };
	lapic_write(LAPIC_ICR_HIGH, 1 << 24);
	lapic_write(LAPIC_ICR, ICR_INIT_ASSERT);
	lapic_write(LAPIC_ICR_HIGH, 1 << 24);
	lapic_write(LAPIC_ICR, ICR_SIPI | LOOK_PAGE);
	mode16_run(toggle_code, (uint32_t)(toggle_code_end - toggle_code), 0);
	check_equal("rounds", s->rounds, 8);
	check_equal("right-after-the-out", s->stale, 0);
	check_equal("never-anything-else", s->wrong, 0);
	check_equal("timeouts", s->timeouts, 0);
	check("looks", s->looks > 16);
}
