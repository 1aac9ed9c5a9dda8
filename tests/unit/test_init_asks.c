/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients of the control protocol want of init, through seat: done once,
 * in order, and answered in order when there is room; a seat that asks for too
 * much, and one that ends before its answers.
 */
#include "tests/unit/init_test.h"

static int setup_seat(void **state)
{
	setup(state);
	add_module("seat.elf", &file, sizeof(file));
	return 0;
}

static void begin_with(unsigned guests)
{
	for (unsigned i = 0; i < guests; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "g%u", i);
		(void)add_guest(name, 1);
	}
	assert_true(begins());
	seat_begins();
	seat_obeys();
}

static void seat_asks(uint32_t tag, uint32_t verb, const char *name)
{
	struct seat_message message = { .kind = SEAT_ASK, .verb = verb };
	bool bell = false;

	message.tag = tag;
	memcpy(message.name, name, strlen(name));
	assert_int_equal(
		ring_put(&fake_seat.out, &message, sizeof(message), &bell),
		sizeof(message));
}

/* The next that concerns asks; what else it is told is obeyed. */
static void seat_answered(struct seat_message *message)
{
	do {
		assert_true(seat_hears(message));
		if (message->kind == SEAT_REMOVE)
			seat_removes(message->slot);
	} while (message->kind != SEAT_TOLD && message->kind != SEAT_GUEST);
}

static void expect_told(uint32_t tag, const char *name, const char *text)
{
	struct seat_message message;

	seat_answered(&message);
	assert_int_equal(message.kind, SEAT_TOLD);
	assert_int_equal(message.tag, tag);
	assert_string_equal(message.name, name);
	assert_string_equal(message.text, text);
}

static void expect_row(uint32_t tag, const char *name, const char *text,
		       uint32_t starts)
{
	struct seat_message message;

	seat_answered(&message);
	assert_int_equal(message.kind, SEAT_GUEST);
	assert_int_equal(message.tag, tag);
	assert_string_equal(message.name, name);
	assert_string_equal(message.text, text);
	assert_int_equal(message.vcpus, 1);
	assert_int_equal(message.memory_mib, 64);
	assert_int_equal(message.starts, starts);
}

static void expect_silence(void)
{
	struct seat_message message;

	assert_false(seat_hears(&message));
}

static void test_list(void **state)
{
	(void)state;
	begin_with(2);
	ends("g1", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	seat_obeys();
	assert_true(goes_on());
	seat_asks(7, SEAT_LIST, "");
	assert_true(goes_on());
	expect_row(7, "g0", "running", 1);
	expect_row(7, "g1", "stopped", 1);
	expect_told(7, "", "");
	expect_silence();
}

/* More rows than the ring has room for: the rest comes when it is read. */
static void test_many_lists(void **state)
{
	char name[8];

	(void)state;
	begin_with(MANIFEST_GUESTS_MAX);
	for (uint32_t i = 0; i < SEAT_ASKS; i++)
		seat_asks(i, SEAT_LIST, "");
	assert_true(goes_on());
	for (uint32_t i = 0; i < SEAT_ASKS; i++) {
		for (unsigned n = 0; n < MANIFEST_GUESTS_MAX; n++) {
			(void)snprintf(name, sizeof(name), "g%u", n);
			expect_row(i, name, "running", 1);
			if (n % 5 == 0)
				assert_true(goes_on());
		}
		expect_told(i, "", "");
	}
	expect_silence();
	assert_int_equal(init.seat.ask_count, 0);
	assert_int_equal(named("seat")->status.state, GATE_DOMAIN_RUNNING);
}

/* What the host has given for a guest that runs, when it is asked. */
static void test_account(void **state)
{
	struct seat_message message;

	(void)state;
	begin_with(2);
	named("g0")->status.pages = 10;
	named("g0")->status.vm_pages = 200;
	named("g0")->status.nested_pages = 3;
	named("g0")->status.pages_peak = 5000;
	seat_asks(1, SEAT_ACCOUNT, "g0");
	assert_true(goes_on());
	seat_answered(&message);
	assert_int_equal(message.kind, SEAT_TOLD);
	assert_string_equal(message.name, "g0");
	assert_string_equal(message.text, "");
	assert_int_equal(message.ram, MIB(64));
	assert_int_equal(message.charged, 213 * PAGE_SIZE);
	ends("g1", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	seat_asks(2, SEAT_ACCOUNT, "g1");
	seat_asks(3, SEAT_ACCOUNT, "nobody");
	seat_asks(4, SEAT_ACCOUNT, "seat");
	assert_true(goes_on());
	expect_told(2, "g1", "does not run");
	expect_told(3, "nobody", "does not run");
	expect_told(4, "seat", "does not run");
	expect_silence();
}

static void test_life(void **state)
{
	gate_id first;

	(void)state;
	begin_with(2);
	first = named("g0")->id;
	seat_asks(1, SEAT_START, "g0");
	assert_true(goes_on());
	expect_told(1, "g0", "runs already");
	seat_asks(2, SEAT_STOP, "g0");
	assert_true(goes_on());
	expect_told(2, "g0", "");
	assert_true(goes_on());
	seat_obeys();
	assert_true(goes_on());
	assert_null(named("g0"));
	seat_asks(3, SEAT_STOP, "g0");
	assert_true(goes_on());
	expect_told(3, "g0", "is stopped already");
	seat_asks(4, SEAT_START, "g0");
	assert_true(goes_on());
	assert_int_equal(named("g0")->status.state, GATE_DOMAIN_RUNNING);
	assert_true(named("g0")->id != first);
	expect_told(4, "g0", "");
	first = named("g1")->id;
	seat_asks(5, SEAT_RESTART, "g1");
	assert_true(goes_on());
	expect_told(5, "g1", "");
	for (unsigned i = 0; i < 4; i++) {
		assert_true(goes_on());
		seat_obeys();
	}
	assert_int_equal(named("g1")->status.state, GATE_DOMAIN_RUNNING);
	assert_true(named("g1")->id != first);
}

/* Several at once are done in order, and each once. */
static void test_in_order(void **state)
{
	(void)state;
	begin_with(2);
	seat_asks(1, SEAT_STOP, "g0");
	seat_asks(2, SEAT_STOP, "g1");
	seat_asks(3, SEAT_START, "g1");
	seat_asks(4, SEAT_LIST, "");
	assert_true(goes_on());
	expect_told(1, "g0", "");
	expect_told(2, "g1", "");
	expect_told(3, "g1", "");
	for (unsigned i = 0; i < 6; i++) {
		seat_obeys();
		assert_true(goes_on());
	}
	assert_null(named("g0"));
	assert_int_equal(init.guest[0].starts, 1);
	assert_int_equal(init.guest[1].starts, 2);
	assert_int_equal(named("g1")->status.state, GATE_DOMAIN_RUNNING);
}

static void test_who_is_no_guest(void **state)
{
	static const char *const names[] = { "", "g", "g00", "seat", "host" };

	(void)state;
	begin_with(1);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		seat_asks(i, SEAT_STOP, names[i]);
		assert_true(goes_on());
		expect_told(i, names[i], "is no guest: list shows them");
	}
	seat_asks(9, 99, "g0");
	assert_true(goes_on());
	expect_told(9, "g0", "is not done: init does not know the verb");
	assert_int_equal(named("g0")->status.state, GATE_DOMAIN_RUNNING);
	assert_int_equal(named("seat")->status.state, GATE_DOMAIN_RUNNING);
}

static void test_off(void **state)
{
	struct seat_message message;
	bool was_told = false;

	(void)state;
	begin_with(2);
	seat_asks(1, SEAT_OFF, "");
	for (unsigned i = 0; i < 10 && gate.off < 0; i++) {
		if (!goes_on())
			break;
		while (seat_hears(&message)) {
			was_told |= message.kind == SEAT_TOLD;
			if (message.kind == SEAT_REMOVE)
				seat_removes(message.slot);
			if (message.kind == SEAT_FLUSH)
				seat_says(SEAT_FLUSHED, 0, message.tag);
		}
	}
	assert_true(was_told);
	assert_int_equal(gate.off, 0);
}

/* ---- Seats that lie ------------------------------------------------------ */

static void expect_distrust(const char *why)
{
	assert_true(goes_on());
	assert_logged(why);
	assert_int_equal(named("g0")->status.state, GATE_DOMAIN_RUNNING);
	assert_int_equal(named("g1")->status.state, GATE_DOMAIN_RUNNING);
	assert_true(goes_on());
	assert_null(named("seat"));
	/* The next one is told nothing of what that one wanted. */
	gate.now = gate.deadline;
	assert_true(goes_on());
	seat_begins();
	seat_expects(SEAT_ADD, 1, "g0");
	seat_expects(SEAT_ADD, 2, "g1");
	expect_silence();
	assert_int_equal(init.seat.ask_count, 0);
	seat_asks(1, SEAT_LIST, "");
	assert_true(goes_on());
	expect_row(1, "g0", "running", 1);
}

static void test_too_much(void **state)
{
	(void)state;
	begin_with(2);
	for (uint32_t i = 0; i < SEAT_ASKS + 1; i++)
		seat_asks(i, SEAT_STOP, "nobody");
	expect_distrust("[seat] is stopped: it asks for too much\n");
}

static void test_no_end(void **state)
{
	(void)state;
	begin_with(2);
	seat_asks(1, SEAT_STOP, "name-of-32-characters-without-0-");
	expect_distrust(
		"[seat] is stopped: it asks for a name without an end\n");
}

/* It ends before its answers: those that were heard are done, none is said to
 * the next one, whose own are. */
static void test_a_new_seat(void **state)
{
	(void)state;
	begin_with(2);
	seat_asks(1, SEAT_LIST, "");
	seat_asks(2, SEAT_RESTART, "nobody");
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	expect_distrust("[seat] ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_seat)
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_many_lists),
		TEST(test_account),
		TEST(test_life),
		TEST(test_in_order),
		TEST(test_off),
		TEST(test_who_is_no_guest),
		TEST(test_too_much),
		TEST(test_no_end),
		TEST(test_a_new_seat),
	};

	return cmocka_run_group_tests_name("init_asks", tests, NULL, NULL);
}
