/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which attack, with how many processors, and the end: through the debug exit
 * port while the others go on.
 */
#include "tests/hostile/guests/bad.h"

#include "lib/string.h"

#define NAME_SIZE   32
#define ASKED_EVERY 8
#define KEPT	    0x7000 /* no kernel is loaded there */
#define KEPT_SIGN   0x7e57ab1e

static const struct bad *const tables[] = {
	loop_attacks,
	signal_attacks,
	io_attacks,
};

static const struct bad *attack;
static volatile uint64_t end_us;

bool over_now(unsigned id)
{
	return id == 0 && now_us() >= end_us;
}

/* Looks at the clock, which is slow on some simulators, now and then. */
bool over(unsigned id)
{
	static unsigned asked;

	return id == 0 && !(++asked % ASKED_EVERY) && over_now(id);
}

uint32_t restarts(void)
{
	static volatile uint32_t *const kept = (volatile uint32_t *)KEPT;

	if (kept[0] != KEPT_SIGN) {
		kept[0] = KEPT_SIGN;
		kept[1] = 0;
	}
	return kept[1]++;
}

static const struct bad *find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct bad *b = tables[i]; b->name; b++)
			if (strcmp(b->name, name) == 0)
				return b;
	return NULL;
}

static void take(struct trap_frame *frame)
{
	(void)frame;
	lapic_write(LAPIC_EOI, 0);
}

static void take_nmi(struct trap_frame *frame)
{
	(void)frame;
}

/* Before there is anybody who could send something. */
static void hooks_set(void)
{
	trap_hook(BAD_VECTOR, take);
	trap_hook(X86_VECTOR_NMI, take_nmi);
}

static void run(unsigned id)
{
	attack->run(id);
	for (;;)
		__asm__ volatile("pause");
}

void guest_main(void)
{
	char name[NAME_SIZE];
	unsigned others;

	command_word(name, sizeof(name));
	attack = find(name);
	if (!attack) {
		fail("attack", "there is no \"%s\"", name);
		return;
	}
	hooks_set();
	end_us = now_us() + command_option("ms", 300) * 1000;
	print("%s: begins\n", name);
	others = processors_start(run);
	print("%s: on %u processors\n", name, others + 1);
	if (attack->never_returns && others)
		while (!over(0))
			__asm__ volatile("pause");
	else
		attack->run(0);
	print("%s: ends\n", name);
}
