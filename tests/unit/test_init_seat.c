/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init and seat: whose the consoles are, the last words of those that end, a
 * seat that dies, and one that means harm.
 */
#include "tests/unit/init_test.h"

#define WEB_SLOT 1
#define OLD_SLOT 2
#define ENOUGH	 (20 * NSEC_PER_SEC) /* for an answer */

static int setup_seat(void **state)
{
	setup(state);
	add_module("seat.elf", &file, sizeof(file));
	return 0;
}

static void begin_two(void)
{
	add_guest("web", 1);
	add_guest("old", 1);
	assert_true(begins());
	seat_begins();
	seat_expects(SEAT_ADD, WEB_SLOT, "web");
	seat_expects(SEAT_ADD, OLD_SLOT, "old");
}

/* Which ports there are goes along. */
static void test_serial1(void **state)
{
	struct seat_message message;

	(void)state;
	add_guest("web", 1)->devices = MACHINE_DEVICE_SERIAL1;
	add_guest("old", 1)->devices = MACHINE_DEVICE_PARALLEL0;
	assert_true(begins());
	seat_begins();
	assert_true(seat_hears(&message));
	assert_string_equal(message.name, "web");
	assert_true(message.has_serial1);
	assert_false(message.has_printer);
	assert_true(seat_hears(&message));
	assert_string_equal(message.name, "old");
	assert_false(message.has_serial1);
	assert_true(message.has_printer);
}

static void time_passes(uint64_t ns)
{
	gate.now += ns;
	assert_true(goes_on());
}

/* seat's back-off is over. */
static void next_seat(void)
{
	assert_true(gate.deadline != NEVER);
	gate.now = gate.deadline;
	assert_true(goes_on());
	seat_begins();
}

/* ---- Good seats ---------------------------------------------------------- */

static void test_it_learns_names(void **state)
{
	const struct fake_domain *seat;
	const struct fake_channel *channel;
	struct seat_message message;

	(void)state;
	begin_two();
	assert_false(seat_hears(&message));
	seat = named("seat");
	assert_int_equal(seat->spec.rights, GATE_RIGHT_LOG);
	assert_int_equal(seat->spec.vm_memory, 0);
	assert_int_equal(seat->spec.port[0].first, 0x3f8);
	assert_int_equal(seat->spec.port[0].count, 8);
	assert_int_equal(seat->spec.irq[0], 4);
	assert_true(seat->has_fs);
	channel = channel_of(seat->id, WEB_SLOT);
	assert_non_null(channel);
	assert_int_equal(channel->end[0].domain, named("web")->id);
	assert_int_equal(channel->end[0].slot, SEAT_CONSOLE_SLOT);
	assert_int_equal(channel->end[1].domain, seat->id);
	assert_int_equal(gate.deadline, NEVER);
}

/* Each seat is told before all else what its clients may do. */
static void test_rights(void **state)
{
	(void)state;
	manifest.control_rights = SEAT_RIGHT_WATCH | SEAT_RIGHT_DEBUG;
	begin_two();
	assert_int_equal(fake_seat.rights, SEAT_RIGHT_WATCH | SEAT_RIGHT_DEBUG);
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	next_seat();
	seat_expects(SEAT_ADD, WEB_SLOT, "web");
	assert_int_equal(fake_seat.rights, SEAT_RIGHT_WATCH | SEAT_RIGHT_DEBUG);
}

static void test_last_words(void **state)
{
	struct seat_message message;

	(void)state;
	begin_two();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_logged("[web] stopped: powered off\n");
	/* Not gone before seat says so. */
	assert_non_null(named("web"));
	seat_expects(SEAT_REMOVE, WEB_SLOT, "");
	time_passes(NSEC_PER_SEC);
	assert_non_null(named("web"));
	seat_removes(WEB_SLOT);
	assert_true(goes_on());
	assert_null(named("web"));
	assert_int_equal(channels(), 2);

	ends("old", GATE_END_EXIT, MACHINE_EXIT_DEBUG(7));
	assert_true(goes_on());
	seat_obeys();
	assert_true(goes_on());
	assert_int_equal(domains(), 1);
	assert_logged("all guests have stopped\n");
	assert_true(seat_hears(&message));
	assert_int_equal(message.kind, SEAT_FLUSH);
	assert_int_equal(gate.off, -1);
	seat_says(SEAT_FLUSHED, 0, message.tag);
	assert_false(goes_on());
	assert_int_equal(gate.off, 7);
}

/* A host turns off, whatever seat does. */
static void test_no_flush(void **state)
{
	(void)state;
	begin_two();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	ends("old", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	seat_obeys();
	assert_true(goes_on());
	assert_true(gate.deadline != NEVER);
	gate.now = gate.deadline;
	assert_false(goes_on());
	assert_int_equal(gate.off, 0);
}

static void test_dead_at_the_end(void **state)
{
	(void)state;
	begin_two();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	ends("old", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	ends("seat", GATE_END_FAULT, 0);
	/* The next one has their last words to show, and dies as well. */
	assert_true(goes_on());
	next_seat();
	ends("seat", GATE_END_FAULT, 0);
	assert_false(goes_on());
	assert_int_equal(domains(), 0);
	assert_int_equal(channels(), 0);
}

static void test_none_to_start(void **state)
{
	(void)state;
	(void)snprintf(add_guest("bad", 1)->program, 16, "none.elf");
	assert_true(begins());
	assert_logged("no guest could be started\n");
	seat_begins();
	seat_obeys();
	assert_false(goes_on());
	assert_int_equal(gate.off, 1);
}

/* ---- Dead ones ----------------------------------------------------------- */

static void expect_next(gate_id web, gate_id channel)
{
	assert_true(goes_on());
	assert_null(named("seat"));
	next_seat();
	seat_expects(SEAT_ADD, WEB_SLOT, "web");
	seat_expects(SEAT_ADD, OLD_SLOT, "old");
	assert_int_equal(named("web")->id, web);
	assert_int_equal(channel_of(fake_seat.id, WEB_SLOT)->id, channel);
	assert_int_equal(domains(), 3);
	assert_int_equal(channels(), 3);
}

static void test_started_again(void **state)
{
	gate_id web, channel;

	(void)state;
	begin_two();
	web = named("web")->id;
	channel = channel_of(web, SEAT_CONSOLE_SLOT)->id;
	for (unsigned i = 0; i < 16; i++) {
		ends("seat", GATE_END_FAULT, 0);
		expect_next(web, channel);
	}
	/* It is tried for ever, but then seldom. */
	for (unsigned i = 0; i < 3; i++) {
		ends("seat", GATE_END_EXIT, 0);
		assert_true(goes_on());
		assert_logged("seat: started again 16 times in a row");
		assert_true(gate.deadline - gate.now > 30 * NSEC_PER_SEC);
		next_seat();
		gate.now++;
	}
}

/* The channel of one that has ended goes to the next seat, to be shown. */
static void expect_last_words(gate_id channel)
{
	next_seat();
	assert_non_null(channel_of(fake_seat.id, WEB_SLOT));
	assert_int_equal(channel_of(fake_seat.id, WEB_SLOT)->id, channel);
	seat_expects(SEAT_ADD, WEB_SLOT, "web");
	seat_expects(SEAT_REMOVE, WEB_SLOT, "");
	seat_expects(SEAT_ADD, OLD_SLOT, "old");
	assert_non_null(named("web"));
}

static void test_dead_with_words_unsaid(void **state)
{
	gate_id channel;

	(void)state;
	begin_two();
	channel = channel_of(named("web")->id, SEAT_CONSOLE_SLOT)->id;
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_non_null(named("web"));
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	expect_last_words(channel);
	seat_removes(WEB_SLOT);
	assert_true(goes_on());
	assert_null(named("web"));
	assert_int_equal(domains(), 2);
	assert_int_equal(channels(), 2);
}

static void test_hangs_with_words_unsaid(void **state)
{
	gate_id channel;

	(void)state;
	begin_two();
	channel = channel_of(named("web")->id, SEAT_CONSOLE_SLOT)->id;
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	time_passes(ENOUGH);
	assert_logged("[seat] is stopped: it does not answer\n");
	assert_true(goes_on());
	expect_last_words(channel);
	/* It has its time from its start on. */
	time_passes(NSEC_PER_SEC);
	assert_int_equal(named("seat")->status.state, GATE_DOMAIN_RUNNING);
	/* One seat may fail to show them, two may not. */
	time_passes(ENOUGH);
	assert_true(goes_on());
	assert_null(named("web"));
	assert_int_equal(channels(), 1);
	next_seat();
	seat_expects(SEAT_ADD, OLD_SLOT, "old");
}

/* A guest that ends while there is no seat. */
static void test_ended_between(void **state)
{
	gate_id channel;

	(void)state;
	begin_two();
	channel = channel_of(named("web")->id, SEAT_CONSOLE_SLOT)->id;
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_non_null(named("web"));
	expect_last_words(channel);
	seat_obeys();
	seat_removes(WEB_SLOT);
	assert_true(goes_on());
	assert_null(named("web"));
	assert_int_equal(channels(), 2);
}

/* The next one is a minute away from the end of the present one. */
static void seat_is_seldom(void)
{
	for (unsigned i = 0; i < BACK_OFF_MAX; i++) {
		ends("seat", GATE_END_FAULT, 0);
		assert_true(goes_on());
		next_seat();
	}
	seat_obeys();
}

/* No guest waits for a seat that is seldom tried. */
static void test_ended_long_between(void **state)
{
	(void)state;
	begin_two();
	seat_is_seldom();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	assert_true(gate.deadline - gate.now > 30 * NSEC_PER_SEC);
	assert_null(named("web"));
	ends("old", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_false(goes_on());
	assert_int_equal(channels(), 0);
}

/* A guest that starts while there is no seat. */
static void test_started_between(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	add_guest("old", 1);
	assert_true(begins());
	seat_begins();
	seat_is_seldom();
	ends("web", GATE_END_FAULT, 0);
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	assert_null(named("web"));
	gate.now = gate.deadline;
	assert_true(goes_on());
	while (!named("web") || !named("seat")) {
		gate.now = gate.deadline;
		assert_true(goes_on());
	}
	seat_begins();
	seat_expects(SEAT_ADD, WEB_SLOT, "web");
	seat_expects(SEAT_ADD, OLD_SLOT, "old");
	assert_int_equal(channels(), 3);
}

/* ---- Hostile ones -------------------------------------------------------- */

static struct seat_control *control(void)
{
	return (struct seat_control *)channel_of(fake_seat.id,
						 SEAT_CONTROL_SLOT)
		->memory;
}

static void lie_from_seat(void)
{
	control()->from_seat.produced += SEAT_CONTROL_SIZE + 1;
}

static void lie_input(void)
{
	control()->operator.input.produced -= 1;
}

static void lie_to_seat(void)
{
	control()->to_seat.consumed += 1;
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
}

static void lie_length(void)
{
	bool bell = false;

	assert_int_equal(ring_put(&fake_seat.out, "abc", 3, &bell), 3);
}

static void lie_long(void)
{
	uint8_t much[256] = { 0 };
	bool bell = false;

	assert_int_equal(ring_put(&fake_seat.out, much, sizeof(much), &bell),
			 sizeof(much));
}

static void lie_kind(void)
{
	seat_says(SEAT_ADD, WEB_SLOT, 0);
}

static void lie_removed(void)
{
	seat_says(SEAT_REMOVED, WEB_SLOT, 0);
}

static void lie_slot(void)
{
	seat_says(SEAT_REMOVED, UINT32_MAX, 0);
}

static void lie_control_slot(void)
{
	seat_says(SEAT_REMOVED, SEAT_CONTROL_SLOT, 0);
}

static void lie_flushed(void)
{
	seat_says(SEAT_FLUSHED, 0, 0);
}

static void lie_silent(void)
{
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	gate.now += ENOUGH;
}

/* It is stopped, the next one serves, and no guest has noticed. */
static void test_hostile(void **state)
{
	static void (*const lies[])(void) = {
		lie_from_seat, lie_input,	 lie_to_seat, lie_length,
		lie_long,      lie_kind,	 lie_removed, lie_slot,
		lie_flushed,   lie_control_slot, lie_silent,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		gate_id old;

		setup_seat(state);
		begin_two();
		old = named("old")->id;
		lies[i]();
		assert_true(goes_on());
		assert_logged("[seat] is stopped: ");
		assert_true(goes_on());
		next_seat();
		assert_int_equal(named("old")->id, old);
		assert_int_equal(named("old")->status.state,
				 GATE_DOMAIN_RUNNING);
		seat_obeys();
		assert_non_null(channel_of(fake_seat.id, OLD_SLOT));
		ends("old", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
		if (named("web") &&
		    named("web")->status.state == GATE_DOMAIN_RUNNING)
			ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
		for (unsigned n = 0; n < 8 && gate.off < 0; n++)
			if (goes_on())
				seat_obeys();
		assert_int_equal(gate.off, 0);
	}
}

/* Says that it has let go of a slot that it keeps. */
static void test_keeps_a_slot(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	add_guest("old", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	seat_says(SEAT_REMOVED, WEB_SLOT, 0);
	assert_true(goes_on());
	gate.now = gate.deadline;
	assert_true(goes_on());
	assert_logged("[seat] is stopped: a console's slot is not free\n");
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	assert_true(goes_on());
	next_seat();
	seat_expects(SEAT_ADD, WEB_SLOT, "web");
	seat_expects(SEAT_ADD, OLD_SLOT, "old");
	assert_int_equal(channels(), 3);
}

/* ---- Failures ------------------------------------------------------------ */

/* Whichever call fails: what is there serves, and all of it goes. */
static void test_any_call_fails(void **state)
{
	unsigned calls;

	begin_two();
	calls = gate.calls;
	assert_true(calls > 20);
	for (unsigned n = 1; n <= calls; n++) {
		setup_seat(state);
		add_guest("a", 1);
		add_guest("b", 1);
		gate.fail_at = n;
		assert_true(begins());
		for (unsigned i = 0; i < 4 && !named("seat"); i++) {
			gate.now = gate.deadline;
			assert_true(goes_on());
		}
		seat_begins();
		seat_obeys();
		/* One that could not be started is gone now. */
		assert_true(goes_on());
		assert_true(domains() >= 2);
		for (unsigned i = 0; i < 2; i++)
			if (named(i ? "a" : "b"))
				ends(i ? "a" : "b", GATE_END_EXIT, 0);
		for (unsigned i = 0; i < 8 && gate.off < 0; i++)
			if (goes_on())
				seat_obeys();
		assert_int_equal(gate.off, 0);
		/* seat and its channel. */
		assert_int_equal(domains(), 1);
		assert_int_equal(channels(), 1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_seat)
	const struct CMUnitTest tests[] = {
		TEST(test_it_learns_names),
		TEST(test_serial1),
		TEST(test_rights),
		TEST(test_last_words),
		TEST(test_no_flush),
		TEST(test_dead_at_the_end),
		TEST(test_none_to_start),
		TEST(test_started_again),
		TEST(test_dead_with_words_unsaid),
		TEST(test_hangs_with_words_unsaid),
		TEST(test_ended_between),
		TEST(test_ended_long_between),
		TEST(test_started_between),
		TEST(test_hostile),
		TEST(test_keeps_a_slot),
		TEST(test_any_call_fails),
	};

	return cmocka_run_group_tests_name("init_seat", tests, NULL, NULL);
}
