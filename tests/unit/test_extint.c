/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An 8259 pair whose output is an offer in the gate page, against a plain one.
 *
 * Two vCPUs do random things to the first pair: vCPU 0 takes what is offered
 * and has its ends of interrupt counted, as the monitor does it, one step at a
 * time and also in between the atomic accesses of the machine's code when vCPU
 * 1 is in there; both write and read the pair's ports and change its inputs.
 * The plain pair gets the same in the order in which it counts.  Reads, vectors
 * and the level have to be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices/bus.h"
#include "machine/extint.h"

#define STEPS 4000
#define SEEDS 1000

enum place {
	IN_GUEST,
	MATCHED, /* a post was found */
	COUNTED, /* and counted */
	RETURNS, /* to the machine: an exit without a cause */
	EXITS,	 /* with a write that was not counted */
};

static struct {
	uint32_t seed;
	struct pic pic, plain;
	struct bus ports, plain_ports;
	uint8_t index[BUS_PORTS], plain_index[BUS_PORTS];
	struct gate_page page;
	struct extint extint;
	/* vCPU 0, as the monitor has it. */
	enum place place;
	struct gate_post *post;
	uint16_t port;
	uint8_t value;
	uint8_t late[8]; /* counted, but not in time: done when it is seen */
	unsigned late_count;
	bool is_calm; /* as a guest is: pulses, EOIs, no odd mode */
	bool runs;    /* vCPU 0 is not in the machine: may do a step */
	uint64_t taken, counted, lates, mores, exits;
} bench;

static uint32_t random_next(uint32_t below)
{
	bench.seed ^= bench.seed << 13;
	bench.seed ^= bench.seed >> 17;
	bench.seed ^= bench.seed << 5;
	return (bench.seed >> 3) % below;
}

/* ---- The plain pair ------------------------------------------------------ */

static uint8_t access(struct bus *bus, uint16_t port, uint8_t data,
		      bool is_write)
{
	struct io_access io = {
		.offset = port, .size = 1, .data = data, .is_write = is_write
	};

	bus_access(bus, &io);
	return (uint8_t)io.data;
}

/* What was counted too late happened when the machine saw it. */
static void plain_catch_up(void)
{
	if (extint_is_behind(&bench.extint))
		return;
	for (unsigned i = 0; i < bench.late_count; i++)
		access(&bench.plain_ports, 0x20, bench.late[i], true);
	bench.late_count = 0;
}

/* ---- vCPU 0 in the monitor ----------------------------------------------- */

static uint32_t waiting(void)
{
	uint32_t word = bench.page.extint;

	if (!(word & GATE_EXTINT_LEVEL) ||
	    (word & (GATE_EXTINT_TAKEN | GATE_EXTINT_MORE)) ==
		    GATE_EXTINT_TAKEN)
		return 0;
	return word;
}

static void take(void)
{
	uint32_t word = waiting();

	if (!word)
		return;
	if (word & GATE_EXTINT_TAKEN) {
		bench.mores++;
		bench.place = RETURNS;
		return;
	}
	bench.page.extint = word | GATE_EXTINT_TAKEN;
	bench.taken++;
	assert_true(bench.plain.state.out_level);
	assert_int_equal(FIELD_GET(GATE_EXTINT_VECTOR, word),
			 pic_ack(&bench.plain));
}

static struct gate_post *post_find(uint16_t port, uint8_t value)
{
	const uint32_t both = GATE_EXTINT_LEVEL | GATE_EXTINT_TAKEN;

	for (unsigned i = 0; i < GATE_POSTS; i++) {
		struct gate_post *post = &bench.page.post[i];

		if (post->enabled && post->port == port && post->value == value)
			return (bench.page.extint & both) == GATE_EXTINT_LEVEL
				       ? NULL
				       : post;
	}
	return NULL;
}

static void write_begin(void)
{
	static const uint16_t ports[] = { 0x20, 0x20, 0x20, 0x20, 0x21, 0xa0 };
	unsigned kind = random_next(bench.is_calm ? 9 : 16);

	bench.port = ports[random_next(bench.is_calm ? 4 : ARRAY_SIZE(ports))];
	if (bench.port == 0x21)
		bench.value = (uint8_t)(random_next(2) ? random_next(256) : 0);
	else if (kind < 8)
		bench.value = 0x20;
	else if (kind < 14)
		bench.value = (uint8_t)(0x60 + random_next(8));
	else
		bench.value = (uint8_t)(0x08 | random_next(8));
	bench.post = post_find(bench.port, bench.value);
	bench.place = bench.post ? MATCHED : EXITS;
}

static void count(void)
{
	/* Disabled since it matched: the machine may have looked already. */
	bool is_late = !bench.post->enabled;

	bench.post->count++;
	bench.counted++;
	bench.place = COUNTED;
	if (!is_late) {
		access(&bench.plain_ports, 0x20, bench.value, true);
		return;
	}
	bench.lates++;
	assert_true(bench.late_count < ARRAY_SIZE(bench.late));
	bench.late[bench.late_count++] = bench.value;
}

static void vcpu0_step(void)
{
	switch (bench.place) {
	case IN_GUEST:
		if (random_next(2))
			take();
		else if (random_next(2))
			write_begin();
		break;
	case MATCHED:
		count();
		break;
	case COUNTED:
		bench.place = bench.post->enabled ? IN_GUEST : RETURNS;
		break;
	case RETURNS:
	case EXITS:
		break;
	}
}

void sim_point(void)
{
	if (bench.runs && random_next(3) == 0)
		vcpu0_step();
}

/* ---- The machine --------------------------------------------------------- */

static void line_set(void)
{
	unsigned pin = random_next(bench.is_calm ? 3 : 16);
	bool level = random_next(2);

	if (bench.is_calm && random_next(4))
		return;

	pic_irq_set(&bench.pic, pin, level);
	plain_catch_up();
	pic_irq_set(&bench.plain, pin, level);
}

static void both_access(uint16_t port, uint8_t value, bool is_write)
{
	uint8_t got = access(&bench.ports, port, value, is_write);
	uint8_t plain;

	plain_catch_up();
	plain = access(&bench.plain_ports, port, value, is_write);
	if (!is_write)
		assert_int_equal(got, plain);
}

static void initialize(uint16_t port, uint8_t base)
{
	bool is_odd = !bench.is_calm && random_next(3) == 0;
	uint8_t icw4 = (uint8_t)(0x01 | (is_odd ? 0x02 << random_next(4) : 0));

	both_access(port, 0x11, true);
	both_access(port + 1, base, true);
	both_access(port + 1, port == 0x20 ? 4 : 2, true);
	both_access(port + 1, icw4, true);
	both_access(port + 1, 0, true);
}

static void any_access(void)
{
	static const uint16_t ports[] = { 0x20, 0x21, 0xa0, 0xa1 };
	static const uint8_t commands[] = { 0x20, 0x20, 0x20, 0x60, 0x61,
					    0x64, 0xa0, 0xc1, 0x80, 0x00,
					    0x0a, 0x0b, 0x0c, 0x68, 0x48 };
	uint16_t port = ports[random_next(4)];

	switch (random_next(bench.is_calm ? 2 : 6)) {
	case 0:
	case 1:
		both_access(port, 0, false);
		break;
	case 2:
		both_access(random_next(2) ? 0x21 : 0xa1,
			    (uint8_t)(random_next(2) ? 0 : random_next(256)),
			    true);
		break;
	case 3:
		both_access(random_next(2) ? 0x20 : 0xa0,
			    commands[random_next(ARRAY_SIZE(commands))], true);
		break;
	case 4:
		if (random_next(20) == 0)
			both_access(random_next(2) ? 0x4d0 : 0x4d1,
				    (uint8_t)random_next(256), true);
		break;
	case 5:
		if (random_next(30) == 0)
			initialize(random_next(2) ? 0x20 : 0xa0,
				   (uint8_t)(random_next(30) + 2) << 3);
		break;
	}
}

static void machine_visit(unsigned vcpu)
{
	bench.runs = vcpu != 0;
	if (vcpu == 0 && bench.place == EXITS) {
		bench.exits++;
		both_access(bench.port, bench.value, true);
	} else if (vcpu == 0 && bench.place == RETURNS) {
		if (extint_is_behind(&bench.extint))
			extint_withdraw(&bench.extint);
		plain_catch_up();
	} else if (random_next(2)) {
		line_set();
	} else {
		any_access();
	}
	if (bench.extint.is_withdrawn)
		assert_int_equal(extint_offer(&bench.extint, vcpu == 0),
				 vcpu != 0);
	bench.runs = true;
	if (vcpu == 0)
		bench.place = IN_GUEST;
}

/* Nobody is in the middle of something. */
static void check_level(void)
{
	if (bench.place == IN_GUEST && !bench.late_count)
		assert_int_equal(!!waiting(), bench.plain.state.out_level);
}

static void pairs_init(uint32_t seed)
{
	memset(&bench.page, 0, sizeof(bench.page));
	bench.seed = seed;
	bench.is_calm = seed % 4;
	bench.runs = false;
	bench.place = IN_GUEST;
	bench.late_count = 0;
	bus_init_ports(&bench.ports, bench.index);
	bus_init_ports(&bench.plain_ports, bench.plain_index);
	assert_int_equal(
		pic_init(&bench.pic, &bench.ports, (struct irq_line){ 0 }), 0);
	assert_int_equal(pic_init(&bench.plain, &bench.plain_ports,
				  (struct irq_line){ 0 }),
			 0);
	extint_init(&bench.extint, &bench.pic, &bench.page);
	initialize(0x20, 0x30);
	initialize(0xa0, 0x38);
	assert_false(extint_offer(&bench.extint, true));
	bench.runs = true;
}

static void test_interleavings(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		pairs_init(seed * 2654435761U);
		for (unsigned i = 0; i < STEPS; i++) {
			bool is_inside =
				bench.place == EXITS || bench.place == RETURNS;

			if (random_next(bench.is_calm ? 6 : 3) == 0)
				machine_visit(1);
			else if (is_inside ||
				 random_next(bench.is_calm ? 40 : 8) == 0)
				machine_visit(bench.place == MATCHED ||
					      bench.place == COUNTED);
			else
				vcpu0_step();
			check_level();
		}
	}
	/* All that this is about has happened, often. */
	assert_true(bench.taken > 10000);
	assert_true(bench.counted > 5000);
	assert_true(bench.lates > 500);
	assert_true(bench.mores > 100);
	assert_true(bench.exits > 10000);
}

/* ---- A timer's tick, step by step ---------------------------------------- */

static void tick(void)
{
	bench.runs = false;
	pic_irq_set(&bench.pic, 0, false);
	pic_irq_set(&bench.pic, 0, true);
	if (bench.extint.is_withdrawn)
		assert_false(extint_offer(&bench.extint, true));
}

static void test_tick(void **state)
{
	(void)state;
	pairs_init(3);
	bench.runs = false;
	access(&bench.ports, 0x20, 0x11, true);
	access(&bench.ports, 0x21, 0x30, true);
	access(&bench.ports, 0x21, 4, true);
	access(&bench.ports, 0x21, 1, true);
	access(&bench.ports, 0x21, 0, true);
	tick();
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(bench.page.extint & ~GATE_EXTINT_KNOWN,
				 GATE_EXTINT_LEVEL | 0x30);
		/* Not before it is taken: that EOI would find nothing. */
		assert_null(post_find(0x20, 0x20));
		bench.page.extint |= GATE_EXTINT_TAKEN;
		assert_non_null(post_find(0x20, 0x20));
		assert_non_null(post_find(0x20, 0x60));
		assert_null(post_find(0x20, 0x61));
		assert_null(post_find(0x21, 0x20));
		post_find(0x20, i & 1 ? 0x60 : 0x20)->count++;
		tick();
		assert_int_equal(bench.pic.state.chip[0].isr, 0);
	}
	/* Another waits: its end of interrupt must be seen at once. */
	pic_irq_set(&bench.pic, 4, true);
	assert_false(extint_offer(&bench.extint, true));
	bench.page.extint |= GATE_EXTINT_TAKEN;
	assert_null(post_find(0x20, 0x20));
}

/* A reset forgets what was taken and counted. */
static void test_drop(void **state)
{
	(void)state;
	pairs_init(4);
	bench.runs = false;
	tick();
	bench.page.extint |= GATE_EXTINT_TAKEN;
	bench.page.post[0].count++;
	extint_drop(&bench.extint);
	pic_reset(&bench.pic);
	assert_int_equal(bench.page.extint, 0);
	assert_false(bench.page.post[0].enabled);
	assert_false(extint_is_behind(&bench.extint));
	assert_true(extint_offer(&bench.extint, false));
	assert_int_equal(bench.page.extint, GATE_EXTINT_KNOWN);
	assert_int_equal(bench.pic.state.chip[0].isr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interleavings),
		cmocka_unit_test(test_tick),
		cmocka_unit_test(test_drop),
	};

	return cmocka_run_group_tests_name("extint", tests, NULL, NULL);
}
