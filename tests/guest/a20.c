/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The A20 gate from real mode, where a guest that lies above 1 MiB can turn it
 * off: what odd megabytes show, by each port that has the gate, and that they
 * are themselves again afterwards.
 */
#include "lib/printf.h"
#include "tests/guest/lib/modes.h"

/* Of a20_code.asm; results follow the code's first jump. */
extern char a20_code[], a20_code_end[];

#define WAYS 3

struct a20_results {
	uint8_t jump[4];
	struct {
		uint32_t off[4];      /* see odd[] */
		uint32_t written;     /* at 000504h, through 100504h */
		uint32_t written_far; /* at 200504h, through 300504h */
		uint32_t hma;	      /* through FFFF:0510h */
		uint32_t code;	      /* what ran in the alias */
		uint32_t on[4];
		uint32_t port92_off, port92_on;
	} way[WAYS];
} __packed;

static const uint32_t odd[4] = { 0x100500, 0x19e500, 0x300500, 0x200500 };

static volatile uint32_t *word(uint64_t at)
{
	/* The compiler has its own thoughts about the first page. */
	__asm__("" : "+r"(at));
	return (volatile uint32_t *)at;
}

static void check_way(unsigned i, const char *name)
{
	const volatile struct a20_results *r =
		(const volatile struct a20_results *)MODE16_CODE;
	bool is_off = !(r->way[i].port92_off & 2);
	bool is_on = r->way[i].port92_on & 2;
	char text[40];

	for (unsigned j = 0; j < ARRAY_SIZE(odd); j++) {
		is_off &=
			r->way[i].off[j] == *word(odd[j] & (uint32_t)~BIT(20));
		is_on &= r->way[i].on[j] == *word(odd[j]);
	}
	(void)snprintf(text, sizeof(text), "%s-off", name);
	check(text, is_off && r->way[i].hma == *word(0x500));
	(void)snprintf(text, sizeof(text), "%s-write", name);
	check(text, r->way[i].written == 0xaaaa0000 + i &&
			    r->way[i].written_far == 0xbbbb0000 + i);
	(void)snprintf(text, sizeof(text), "%s-run", name);
	check_equal(text, r->way[i].code, 0x5a5a);
	(void)snprintf(text, sizeof(text), "%s-on", name);
	check(text, is_on);
}

void guest_main(void)
{
	static const char *const names[WAYS] = { "port92", "output",
						 "command" };

	modes_init();
	*word(0x500) = 0x11111111;
	*word(0x9e500) = 0x22222222;
	*word(0x200500) = 0x33333333;
	*word(0x300500) = 0x44444444;
	mode16_run(a20_code, (uint32_t)(a20_code_end - a20_code), 0);
	for (unsigned i = 0; i < WAYS; i++)
		check_way(i, names[i]);
}
