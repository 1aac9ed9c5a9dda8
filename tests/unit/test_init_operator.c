/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's console: what is typed and shown, guests stopped, started and
 * started anew; and lives in which all of it happens in no order, after which
 * nothing is left.
 */
#include "tests/unit/init_test.h"

#define LIVES 20
#define STEPS 2000

static int setup_operator(void **state)
{
	setup(state);
	add_module("seat.elf", &file, sizeof(file));
	return 0;
}

static void begin_one(void)
{
	add_guest("web", 2);
	assert_true(begins());
	seat_begins();
	seat_obeys();
}

/* ---- Lines --------------------------------------------------------------- */

static void test_lines(void **state)
{
	char longer[200];

	(void)state;
	begin_one();
	assert_true(type("he"));
	assert_string_equal(fake_seat.screen, "he");
	assert_true(type("x\x7flp\r"));
	assert_shown("hex\b \blp\r\nhelp");
	assert_shown("restart NAME");
	assert_shown("\r\nhost> ");
	clear();
	assert_true(type("junk\x15 \x7flist\r"));
	assert_shown("junk\b \b\b \b\b \b\b \b \b \blist\r\nweb ");
	assert_shown(" running   2 vCPUs      64 MiB  started 1 times\r\n");
	clear();
	assert_true(type("\x7f\r"));
	assert_string_equal(fake_seat.screen, "\r\nhost> ");
	clear();
	assert_true(type("frob web\r"));
	assert_shown("frob? help shows what there is\r\n");
	assert_true(type("stop\r"));
	assert_shown("nobody is no guest: list shows them\r\n");
	assert_true(type("stop we\r"));
	assert_shown("we is no guest: list shows them\r\n");
	clear();
	assert_true(type("\x1b[A\x01\t\xff\r"));
	assert_shown("[A? help");
	memset(longer, 'y', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	assert_true(type(longer));
	assert_true(type("\x15list  \r"));
	assert_shown("web ");
}

/* Nobody reads: it is lost, and init goes on. */
static void test_no_room(void **state)
{
	bool bell = false;

	(void)state;
	begin_one();
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(
			ring_write(&fake_seat.typed, "help\r", 5, &bell), 5);
		assert_true(goes_on());
	}
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	assert_non_null(named("seat"));
	clear();
	assert_true(type("list\r"));
	assert_shown("web ");
}

/* ---- Verbs --------------------------------------------------------------- */

static void test_stop_and_start(void **state)
{
	gate_id first;

	(void)state;
	begin_one();
	first = named("web")->id;
	assert_true(type("start web\r"));
	assert_shown("web runs already");
	assert_true(type("stop web\r"));
	assert_logged("[web] stopped: by the operator\n");
	seat_obeys();
	assert_true(goes_on());
	/* The host stays on for it. */
	assert_null(named("web"));
	gate.now += 3600 * NSEC_PER_SEC;
	assert_true(goes_on());
	clear();
	assert_true(type("stop web\rlist\r"));
	assert_shown("web is stopped already");
	assert_shown(" stopped ");
	assert_true(type("start web\r"));
	assert_int_not_equal(named("web")->id, first);
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	seat_expects(SEAT_ADD, 1, "web");
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	for (unsigned i = 0; i < 4 && gate.off < 0; i++)
		if (goes_on())
			seat_obeys();
	assert_int_equal(gate.off, 0);
}

static void test_restart(void **state)
{
	gate_id first;

	(void)state;
	begin_one();
	first = named("web")->id;
	assert_true(type("restart web\r"));
	seat_obeys();
	assert_true(goes_on());
	assert_int_not_equal(named("web")->id, first);
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	assert_true(type("list\r"));
	assert_shown(" started 2 times");
	/* Both before seat has done its part. */
	assert_true(type("stop web\rstart web\r"));
	seat_obeys();
	assert_true(goes_on());
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	assert_true(type("restart web\rstop web\r"));
	seat_obeys();
	assert_true(goes_on());
	assert_null(named("web"));
	assert_true(type("restart web\r"));
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	assert_int_equal(gate.off, -1);
}

static void test_start_that_fails(void **state)
{
	(void)state;
	begin_one();
	assert_true(type("stop web\r"));
	seat_obeys();
	assert_true(goes_on());
	gate.fail_at = gate.calls + 3;
	assert_true(type("start web\r"));
	assert_shown("web cannot be started: see the log");
	assert_logged("guest web cannot be made: not enough memory\n");
	assert_int_equal(domains(), 1);
	gate.fail_at = 0;
	assert_true(type("start web\r"));
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
}

/* One that crashes again and again can be held, or hurried. */
static void test_waiting(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	seat_begins();
	seat_obeys();
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	seat_obeys();
	assert_true(goes_on());
	assert_true(type("list\r"));
	assert_shown(" waiting ");
	assert_true(type("stop web\r"));
	gate.now += 3600 * NSEC_PER_SEC;
	assert_true(goes_on());
	assert_null(named("web"));
	assert_true(type("start web\r"));
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	seat_obeys();
	assert_true(goes_on());
	assert_true(type("start web\r"));
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
}

static void test_off(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	add_guest("old", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	assert_true(type("stop old\r"));
	seat_obeys();
	assert_true(type("off\r"));
	for (unsigned i = 0; i < 4 && gate.off < 0; i++) {
		seat_obeys();
		(void)goes_on();
	}
	assert_int_equal(gate.off, 0);
	assert_int_equal(domains(), 1);
}

/* A guest's name does not make it less than the host. */
static void test_off_of_one(void **state)
{
	(void)state;
	begin_one();
	assert_true(type("off web\r"));
	assert_shown("off takes no name\r\n");
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
}

/* Off is off, whatever is typed behind it. */
static void test_start_while_off(void **state)
{
	(void)state;
	add_guest("web", 1);
	add_guest("old", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	assert_true(type("stop old\r"));
	seat_obeys();
	assert_true(type("off\rstart old\rrestart web\rstart web\r"));
	assert_shown("old is not started: the host goes off\r\n");
	assert_shown("web is not started: the host goes off\r\n");
	seat_obeys();
	assert_true(goes_on());
	assert_null(named("old"));
	assert_null(named("web"));
	/* While seat shows what is left. */
	assert_true(type("start web\r"));
	assert_null(named("web"));
	seat_obeys();
	assert_false(goes_on());
	assert_int_equal(gate.off, 0);
}

/* ---- In no order --------------------------------------------------------- */

static const char *const names[] = { "a", "b", "c" };

static void guest_ends(void)
{
	struct fake_domain *domain = named(names[random_below(3)]);

	if (domain && domain->status.state == GATE_DOMAIN_RUNNING)
		ends(domain->spec.name,
		     random_below(2) ? GATE_END_FAULT : GATE_END_EXIT,
		     random_below(2));
}

static void operator_says(void)
{
	static const char *const verb[] = { "start", "stop", "restart",
					    "list" };
	char line[32];
	bool bell = false;
	int length = snprintf(line, sizeof(line), "%s %s\r",
			      verb[random_below(4)], names[random_below(3)]);

	(void)!ring_write(&fake_seat.typed, line, (uint32_t)length, &bell);
}

static void step(void)
{
	struct fake_domain *seat = named("seat");

	if (seat && seat->status.state == GATE_DOMAIN_RUNNING &&
	    seat->id != fake_seat.id)
		seat_begins();
	gate.now += random_below(NSEC_PER_SEC / 4);
	gate.fail_at = random_below(8) ? 0 : gate.calls + 1 + random_below(8);
	if (seat && seat->status.state == GATE_DOMAIN_RUNNING) {
		if (random_below(3))
			operator_says();
		if (random_below(4))
			seat_obeys();
		if (!random_below(32))
			seat_says(random_below(70), random_below(4), 0);
		if (!random_below(32))
			ends("seat", GATE_END_FAULT, 0);
	}
	if (!random_below(4))
		guest_ends();
	if (gate.off < 0)
		(void)goes_on();
	if (seat && fake_seat.id == seat->id)
		clear();
}

/* Turned off by the operator, who may need a seat for it. */
static void turn_off(void)
{
	bool bell = false;

	gate.fail_at = 0;
	for (unsigned i = 0; i < 2000 && gate.off < 0; i++) {
		struct fake_domain *seat = named("seat");

		gate.now += NSEC_PER_SEC / 4;
		if (seat && seat->status.state == GATE_DOMAIN_RUNNING) {
			if (seat->id != fake_seat.id)
				seat_begins();
			seat_obeys();
			(void)!ring_write(&fake_seat.typed, "\roff\r", 5,
					  &bell);
		}
		(void)goes_on();
	}
	assert_int_equal(gate.off, 0);
}

static void test_random_lives(void **state)
{
	unsigned starts = 0, clean = 0;

	for (unsigned life = 0; life < LIVES; life++) {
		setup_operator(state);
		memset(&fake_seat, 0, sizeof(fake_seat));
		seed = life + 1;
		for (unsigned i = 0; i < 3; i++)
			add_guest(names[i], 1)->restart = i;
		/* Held, so that the host does not end before its time. */
		assert_true(begins());
		init.guest[0].is_held = true;
		for (unsigned i = 0; i < STEPS && gate.off < 0; i++)
			step();
		if (gate.off < 0)
			turn_off();
		for (unsigned i = 0; i < 3; i++)
			starts += init.guest[i].starts;
		/* A host that waited long enough ends as it is. */
		if (gate.now >= init.deadline_ns)
			continue;
		clean++;
		/* seat and its channel, at most. */
		for (unsigned i = 0; i < 3; i++)
			assert_null(named(names[i]));
		assert_int_equal(channels(), domains());
		assert_true(domains() <= 1);
	}
	assert_true(starts > 1000);
	assert_true(clean > LIVES / 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_operator)
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_no_room),
		TEST(test_stop_and_start),
		TEST(test_restart),
		TEST(test_start_that_fails),
		TEST(test_waiting),
		TEST(test_off),
		TEST(test_off_of_one),
		TEST(test_start_while_off),
		TEST(test_random_lives),
	};

	return cmocka_run_group_tests_name("init_operator", tests, NULL, NULL);
}
