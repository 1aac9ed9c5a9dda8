/* SPDX-License-Identifier: BSD-2-Clause */
/* Who starts after whom, who goes off before whom, and who is not let start. */
#include "tests/unit/init_test.h"

#define SECOND NSEC_PER_SEC

static bool is_running(const char *name)
{
	const struct fake_domain *domain = named(name);

	return domain && domain->status.state == GATE_DOMAIN_RUNNING;
}

/* One that starts after others, by their indices. */
static struct guest_manifest *add_after(const char *name, uint64_t others)
{
	struct guest_manifest *guest = add_guest(name, 1);

	guest->after[0] = guest->after_all[0] = others;
	guest->shutdown_ms = 5000;
	return guest;
}

static void add_seat(void)
{
	add_module("seat.elf", &file, sizeof(file));
}

/* The next time that init wants to look. */
static void time_comes(void)
{
	assert_true(gate.deadline != NEVER);
	gate.now = MAX(gate.now, gate.deadline);
	assert_true(goes_on());
}

static void seat_does(enum seat_verb verb, const char *name)
{
	struct seat_message message = { .kind = SEAT_ASK, .verb = verb };
	bool bell = false;

	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	assert_int_equal(
		ring_put(&fake_seat.out, &message, sizeof(message), &bell),
		sizeof(message));
	assert_true(goes_on());
}

/* The messages up to there are read: whose button it is, a slot; 0: none. */
static unsigned button(void)
{
	struct seat_message message;
	unsigned slot = 0;

	while (seat_hears(&message)) {
		if (message.kind == SEAT_REMOVE)
			seat_removes(message.slot);
		if (message.kind != SEAT_BUTTON)
			continue;
		assert_int_equal(slot, 0);
		slot = message.slot;
	}
	return slot;
}

/* Its guest has switched it off. */
static void goes_off(const char *name)
{
	ends(name, GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	(void)button();
	assert_true(goes_on());
}

/* ---- Starting ------------------------------------------------------------ */

/* Each waits for the next in the manifest. */
static void test_after(void **state)
{
	(void)state;
	add_after("web", BIT(1));
	add_after("db", BIT(2))->start_delay_ms = 300;
	add_after("dns", 0);
	assert_true(begins());
	assert_true(is_running("dns"));
	/* They are there, and do not run. */
	assert_int_equal(domains(), 3);
	assert_false(is_running("db") || is_running("web"));
	assert_int_equal(gate.deadline, gate.now + 300 * NSEC_PER_MS);
	gate.now = gate.deadline - 1;
	assert_true(goes_on());
	assert_false(is_running("db"));
	time_comes();
	assert_true(is_running("db"));
	time_comes();
	assert_true(is_running("web"));
	assert_int_equal(gate.deadline, NEVER);
}

/* Having run is enough, and what starts again waits for nobody. */
static void test_having_run(void **state)
{
	(void)state;
	add_after("web", BIT(1))->start_delay_ms = 1000;
	add_after("dns", 0);
	manifest.guest[0].restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	ends("dns", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	time_comes();
	assert_true(is_running("web"));
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	time_comes();
	assert_true(is_running("web"));
}

/* One that cannot be made takes those that wait for it along. */
static void test_never(void **state)
{
	(void)state;
	add_after("web", BIT(1));
	add_after("db", BIT(2));
	add_after("dns", 0);
	strcpy(manifest.guest[2].disk[0].image[0], "missing");
	add_after("good", 0);
	assert_true(begins());
	for (unsigned i = 0; i < 4; i++)
		assert_true(goes_on());
	assert_logged("[db] is not started: dns, which it starts after, is "
		      "not either\n");
	assert_logged("[web] is not started: db, which it starts after, is "
		      "not either\n");
	assert_int_equal(domains(), 1);
	ends("good", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_false(goes_on());
}

static void test_manual(void **state)
{
	(void)state;
	add_seat();
	add_after("web", BIT(1));
	add_after("db", 0)->is_manual = true;
	assert_true(begins());
	seat_begins();
	for (unsigned i = 0; i < 3; i++)
		assert_true(goes_on());
	assert_null(named("db"));
	assert_false(is_running("web"));
	seat_does(SEAT_START, "db");
	assert_true(is_running("db"));
	assert_true(is_running("web"));
}

/* The operator does not wait. */
static void test_impatient(void **state)
{
	(void)state;
	add_seat();
	add_after("web", BIT(1));
	add_after("db", 0)->is_manual = true;
	assert_true(begins());
	seat_begins();
	seat_does(SEAT_START, "web");
	assert_true(is_running("web"));
	assert_null(named("db"));
}

/* ---- Going off ----------------------------------------------------------- */

static void test_shutdown(void **state)
{
	(void)state;
	add_seat();
	add_after("dns", 0);
	add_after("db", BIT(0));
	add_after("web", BIT(0) | BIT(1));
	assert_true(begins());
	seat_begins();
	for (unsigned i = 0; i < 3; i++)
		assert_true(goes_on());
	assert_true(is_running("web"));
	assert_int_equal(button(), 0);
	seat_does(SEAT_SHUTDOWN, "");
	assert_int_equal(button(), 3);
	assert_true(goes_on());
	assert_int_equal(button(), 0);
	goes_off("web");
	assert_int_equal(button(), 2);
	goes_off("db");
	assert_int_equal(button(), 1);
	ends("dns", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	while (goes_on())
		seat_obeys();
	assert_logged("all guests have stopped\n");
	assert_int_equal(gate.off, 0);
}

/* One that does not listen loses its power when its time is over. */
static void test_deaf(void **state)
{
	(void)state;
	add_seat();
	add_after("dns", 0);
	add_after("web", BIT(0))->shutdown_ms = 7000;
	manifest.guest[1].restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	seat_begins();
	assert_true(goes_on());
	(void)button();
	seat_does(SEAT_SHUTDOWN, "");
	assert_int_equal(button(), 2);
	assert_int_equal(gate.deadline, gate.now + 7 * SECOND);
	gate.now = gate.deadline - 1;
	assert_true(goes_on());
	assert_true(is_running("web"));
	time_comes();
	assert_logged("[web] has not gone off in 7000 ms: its power is "
		      "taken\n");
	assert_false(is_running("web"));
	assert_true(goes_on());
	(void)button();
	assert_true(goes_on());
	assert_int_equal(button(), 1);
}

/* One guest; the others stay, and it can be started again. */
static void test_shutdown_one(void **state)
{
	(void)state;
	add_seat();
	add_after("dns", 0);
	add_after("web", BIT(0))->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	seat_begins();
	assert_true(goes_on());
	(void)button();
	seat_does(SEAT_SHUTDOWN, "dns");
	assert_int_equal(button(), 1);
	goes_off("dns");
	assert_null(named("dns"));
	assert_true(is_running("web"));
	seat_does(SEAT_SHUTDOWN, "web");
	assert_int_equal(button(), 2);
	goes_off("web");
	assert_null(named("web"));
	seat_does(SEAT_START, "web");
	assert_true(is_running("web"));
	/* The former limit is not the new one's. */
	assert_int_equal(gate.deadline, NEVER);
}

/* Without time there is no button. */
static void test_no_time(void **state)
{
	(void)state;
	add_seat();
	add_after("web", 0)->shutdown_ms = 0;
	add_after("db", 0);
	assert_true(begins());
	seat_begins();
	(void)button();
	seat_does(SEAT_SHUTDOWN, "web");
	assert_int_equal(button(), 0);
	assert_false(is_running("web"));
	assert_true(is_running("db"));
}

/* ---- The policy ---------------------------------------------------------- */

static void test_denied(void **state)
{
	struct guest_manifest *guest;

	(void)state;
	add_guest("web", 1);
	guest = add_guest("evil", 1);
	strcpy(guest->kernel, "secret");
	manifest.rule_count = 1;
	manifest.rule[0] = (struct policy_rule){ .name = "files",
						 .allow = "web",
						 .image = "secret" };
	assert_true(begins());
	assert_true(is_running("web"));
	assert_null(named("evil"));
	assert_logged("policy: guest evil is refused: rule files does not "
		      "allow image secret to label evil\n");
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_false(goes_on());
}

static void begin_banks(void)
{
	add_seat();
	add_guest("a", 1);
	add_guest("b", 1);
	add_guest("c", 1);
	manifest.rule_count = 1;
	manifest.rule[0] =
		(struct policy_rule){ .name = "wall", .conflict = "a\0b" };
	assert_true(begins());
	seat_begins();
	(void)button();
}

/* Never both, whatever the operator says. */
static void test_wall(void **state)
{
	(void)state;
	begin_banks();
	assert_true(is_running("a") && is_running("c"));
	assert_null(named("b"));
	assert_logged("policy: guest b is refused: rule wall: it conflicts "
		      "with a, which is stopped\n");
	seat_does(SEAT_START, "b");
	assert_null(named("b"));
	assert_logged("policy: guest b is refused: rule wall: it conflicts "
		      "with a, which is running\n");
	seat_does(SEAT_STOP, "a");
	seat_does(SEAT_START, "b");
	assert_false(named("a") && named("b"));
	(void)button();
	assert_true(goes_on());
	assert_null(named("a"));
	seat_does(SEAT_START, "b");
	assert_true(is_running("b"));
	seat_does(SEAT_START, "a");
	assert_null(named("a"));
}

/* One that waits to be started again keeps the other out. */
static void test_wall_restarts(void **state)
{
	(void)state;
	begin_banks();
	manifest.guest[0].restart = MANIFEST_RESTART_ALWAYS;
	goes_off("a");
	assert_null(named("a"));
	seat_does(SEAT_START, "b");
	assert_null(named("b"));
	assert_logged("with a, which is waiting\n");
	time_comes();
	assert_true(is_running("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_after, setup),
		cmocka_unit_test_setup(test_having_run, setup),
		cmocka_unit_test_setup(test_never, setup),
		cmocka_unit_test_setup(test_manual, setup),
		cmocka_unit_test_setup(test_impatient, setup),
		cmocka_unit_test_setup(test_shutdown, setup),
		cmocka_unit_test_setup(test_deaf, setup),
		cmocka_unit_test_setup(test_shutdown_one, setup),
		cmocka_unit_test_setup(test_no_time, setup),
		cmocka_unit_test_setup(test_denied, setup),
		cmocka_unit_test_setup(test_wall, setup),
		cmocka_unit_test_setup(test_wall_restarts, setup),
	};

	return cmocka_run_group_tests_name("init's order", tests, NULL, NULL);
}
