/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator and the services: shown, restarted, asked for drives; guests
 * that wait for disk started and stopped; and lives in which seat, disk, guests
 * and the operator do what they like, after which nothing is left.
 */
#include "tests/unit/init_disk_test.h"

#define LIVES 20
#define STEPS 2000

static int setup_services(void **state)
{
	setup_disk(state);
	add_module("seat.elf", &file, sizeof(file));
	return 0;
}

static void begin_web(void)
{
	add_client("web");
	assert_true(begins());
	seat_begins();
	seat_obeys();
	disk_begins();
	disk_obeys();
	assert_true(is_running("web"));
}

/* ---- Shown, restarted ---------------------------------------------------- */

static void test_list(void **state)
{
	(void)state;
	begin_web();
	assert_true(type("list\r"));
	assert_shown("web                     running   1 vCPUs");
	assert_shown("seat                    running  a service");
	assert_shown("disk                    running  a service");
	assert_shown("started 1 times\r\n");
}

/* As often as it pleases the operator, and at once. */
static void test_restart_disk(void **state)
{
	(void)state;
	begin_web();
	for (unsigned i = 0; i < 40; i++) {
		gate_id id = named("disk")->id;

		gate.now += NSEC_PER_SEC;
		assert_true(type("restart disk\r"));
		assert_int_not_equal(named("disk")->id, id);
		disk_begins();
		disk_obeys();
		assert_int_equal(fake_disk.started, BIT(WEB));
		assert_int_equal(fake_disk.start, 2 + i);
		clear();
	}
	assert_logged("[disk] is stopped: by the operator\n");
	assert_null(strstr(gate.log, "in a row"));
	assert_null(strstr(gate.log, "has ended"));
	assert_true(is_running("web"));
}

/* One that waits for its back-off is not waited for. */
static void test_restart_of_one_that_waits(void **state)
{
	(void)state;
	begin_web();
	for (unsigned i = 0; i < 17; i++) {
		disk_dies();
		if (i < 16)
			next_disk();
	}
	assert_null(named("disk"));
	assert_true(type("restart disk\r"));
	assert_true(is_running("disk"));
}

static void test_restart_seat(void **state)
{
	bool bell = false;
	gate_id id;

	(void)state;
	begin_web();
	id = named("seat")->id;
	assert_int_equal(
		ring_write(&fake_seat.typed, "restart seat\r", 13, &bell), 13);
	for (unsigned i = 0; i < 3; i++)
		assert_true(goes_on());
	assert_int_not_equal(named("seat")->id, id);
	seat_begins();
	seat_expects(SEAT_ADD, 1, "web");
	assert_true(is_running("web"));
}

static void test_names(void **state)
{
	gate_id service, guest;

	(void)state;
	add_client("web");
	add_guest("seat2", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	assert_true(type("stop disk\rstart seat\r"));
	assert_shown("disk is no guest: list shows them");
	assert_shown("seat is no guest: list shows them");
	service = named("disk")->id;
	guest = named("seat2")->id;
	assert_true(type("restart seat2\r"));
	seat_obeys();
	assert_true(goes_on());
	assert_int_not_equal(named("seat2")->id, guest);
	assert_int_equal(named("disk")->id, service);
}

/* ---- Drives -------------------------------------------------------------- */

static void test_drives(void **state)
{
	struct disk_message listed = { .kind = DISK_LISTED,
				       .sector_count = MIB(20) / 512,
				       .reason = "serial \"A\"\x1b[2J" };
	struct disk_message message;

	(void)state;
	begin_web();
	listed.start = fake_disk.start;
	assert_true(type("drives\r"));
	disk_expects(DISK_LIST, 0, &message);
	assert_true(type("drives\r"));
	assert_shown("disk is asked already");
	disk_puts(&listed);
	listed.partition = 1;
	disk_puts(&listed);
	disk_says(DISK_LIST_END, 0, 0, "");
	assert_true(type("x\x7f"));
	assert_shown("        20 MiB  serial \"A\"?[2J\r\n");
	assert_shown("        20 MiB    serial \"A\"?[2J\r\n");
	clear();
	assert_true(type("drives\r"));
	disk_expects(DISK_LIST, 0, &message);
	disk_says(DISK_LIST_END, 0, 0, "");
	assert_true(type("x\x7f"));
	assert_shown("there are no drives\r\n");
	assert_int_equal(gate.deadline, NEVER);
}

/* The operator is told, and another one may be asked. */
static void test_drives_of_a_disk_that_hangs(void **state)
{
	(void)state;
	begin_web();
	assert_true(type("drives\r"));
	time_passes(LONG);
	assert_true(goes_on());
	assert_logged("[disk] is stopped: it does not answer\n");
	assert_true(type("x\x7f"));
	assert_shown("disk has ended: try again\r\n");
	next_disk();
	disk_obeys();
	clear();
	assert_true(type("drives\r"));
	disk_obeys();
	assert_true(type("x\x7f"));
	assert_shown("serial \"A\"");
}

static void test_drives_without_end(void **state)
{
	unsigned n = 0;

	(void)state;
	begin_web();
	assert_true(type("drives\r"));
	for (; n < 10000 && is_running("disk"); n++) {
		disk_says(DISK_LISTED, 0, 0, "one more");
		assert_true(goes_on());
		show();
		clear();
	}
	assert_true(n < 3000);
}

static void test_drives_without_disk(void **state)
{
	(void)state;
	add_guest("plain", 1);
	assert_true(begins());
	seat_begins();
	assert_true(type("drives\rrestart disk\rlist\r"));
	assert_shown("disk is not there: no guest has a source");
	assert_shown("disk is no guest: list shows them");
	assert_null(strstr(fake_seat.screen, "\ndisk   "));
}

/* ---- Guests that wait for disk ------------------------------------------- */

static void begin_waiting(void)
{
	add_client("web");
	add_guest("plain", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	disk_begins();
}

static void test_stop_before_it_runs(void **state)
{
	(void)state;
	begin_waiting();
	assert_true(type("list\rstart web\rstop web\rlist\r"));
	assert_shown("web                     starting");
	assert_shown("web waits for its disks already");
	assert_shown("web                     stopping");
	seat_obeys();
	disk_obeys();
	assert_null(named("web"));
	assert_true(type("start web\r"));
	disk_obeys();
	assert_true(is_running("web"));
	assert_int_equal(init.guest[0].starts, 1);
}

static void test_restart_before_it_is_gone(void **state)
{
	(void)state;
	begin_waiting();
	assert_true(type("stop web\rstart web\r"));
	seat_obeys();
	disk_obeys();
	disk_obeys();
	assert_true(is_running("web"));
	assert_int_equal(init.guest[0].starts, 1);
}

/* One that was refused may be tried again, when there is such a drive. */
static void test_start_after_refused(void **state)
{
	struct disk_message message;

	(void)state;
	begin_waiting();
	disk_expects(DISK_ADD_CLIENT, WEB, &message);
	disk_expects(DISK_ADD_DRIVE, WEB, &message);
	disk_says(DISK_REFUSED, WEB, 0, "is not there");
	assert_true(goes_on());
	seat_obeys();
	disk_obeys();
	assert_null(named("web"));
	ends("plain", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	init.guest[1].is_held = true;
	assert_true(type("start web\r"));
	disk_obeys();
	assert_true(is_running("web"));
}

static void test_off_while_it_waits(void **state)
{
	(void)state;
	begin_waiting();
	assert_true(type("off\r"));
	for (unsigned i = 0; i < 8 && gate.off < 0; i++) {
		seat_obeys();
		disk_obeys();
	}
	assert_int_equal(gate.off, 0);
	assert_null(named("web"));
	assert_int_equal(domains(), 2);
}

/* ---- In no order --------------------------------------------------------- */

static const char *const names[] = { "a", "b", "c" };

static void guest_ends(void)
{
	const char *name = names[random_below(3)];

	if (is_running(name))
		ends(name, random_below(2) ? GATE_END_FAULT : GATE_END_EXIT,
		     random_below(2));
}

static void operator_says(void)
{
	static const char *const verb[] = { "start a", "stop b", "restart c",
					    "list",    "drives", "restart disk",
					    "start b", "start c" };
	char line[32];
	bool bell = false;
	int length = snprintf(line, sizeof(line), "%s\r",
			      verb[random_below(ARRAY_SIZE(verb))]);

	(void)!ring_write(&fake_seat.typed, line, (uint32_t)length, &bell);
}

/* Some of what it is asked, right or wrong. */
static void disk_step(void)
{
	struct disk_message message;

	if (named("disk")->id != fake_disk.id)
		disk_begins();
	for (unsigned i = random_below(12); i; i--) {
		if (ring_space(&fake_disk.out) < 2 * (long)sizeof(message) ||
		    !disk_hears(&message))
			break;
		if (message.kind == DISK_ADD_DRIVE && !random_below(16))
			disk_says(DISK_REFUSED, message.slot, message.drive,
				  "not now");
		else
			disk_does(&message);
	}
	if (!random_below(64) && is_running("disk"))
		disk_says(random_below(80), random_below(4), random_below(3),
			  "");
	if (!random_below(32))
		ends("disk", GATE_END_FAULT, 0);
}

static void seat_step(void)
{
	if (named("seat")->id != fake_seat.id)
		seat_begins();
	if (random_below(3))
		operator_says();
	if (random_below(4))
		seat_obeys();
	if (!random_below(64))
		ends("seat", GATE_END_FAULT, 0);
}

static void step(void)
{
	gate.now += random_below(NSEC_PER_SEC / 4);
	gate.fail_at = random_below(8) ? 0 : gate.calls + 1 + random_below(8);
	if (is_running("seat"))
		seat_step();
	if (is_running("disk"))
		disk_step();
	if (!random_below(4))
		guest_ends();
	if (gate.off < 0)
		(void)goes_on();
	if (is_running("seat") && fake_seat.id == named("seat")->id)
		clear();
}

/* Turned off by the operator, with services that do their work. */
static void turn_off(void)
{
	bool bell = false;

	gate.fail_at = 0;
	for (unsigned i = 0; i < 2000 && gate.off < 0; i++) {
		gate.now += NSEC_PER_SEC / 4;
		if (is_running("seat")) {
			if (named("seat")->id != fake_seat.id)
				seat_begins();
			seat_obeys();
			(void)!ring_write(&fake_seat.typed, "\roff\r", 5,
					  &bell);
		}
		if (is_running("disk")) {
			if (named("disk")->id != fake_disk.id)
				disk_begins();
			disk_obeys();
		}
		if (gate.off < 0)
			(void)goes_on();
	}
	assert_int_equal(gate.off, 0);
}

/* It waited long enough for a disk. */
static bool is_one_stuck(void)
{
	return client_is_stuck(&init, 0) || client_is_stuck(&init, 1);
}

static void expect_nothing_left(void)
{
	for (unsigned i = 0; i < 3; i++)
		assert_null(named(names[i]));
	/* Services and their channels. */
	assert_int_equal(channels(), domains());
	assert_true(domains() <= 2);
}

static void test_random_lives(void **state)
{
	unsigned starts = 0, clean = 0;

	for (unsigned life = 0; life < LIVES; life++) {
		setup_services(state);
		memset(&fake_seat, 0, sizeof(fake_seat));
		memset(&fake_disk, 0, sizeof(fake_disk));
		seed = life + 1;
		add_client("a")->restart = MANIFEST_RESTART_ALWAYS;
		add_client("b")->restart = MANIFEST_RESTART_ON_CRASH;
		add_guest("c", 1);
		assert_true(begins());
		/* Held, so that the host does not end before its time. */
		init.guest[0].is_held = true;
		for (unsigned i = 0; i < STEPS && gate.off < 0; i++)
			step();
		if (gate.off < 0)
			turn_off();
		for (unsigned i = 0; i < 3; i++)
			starts += init.guest[i].starts;
		/* A host that waited long enough ends as it is. */
		if (gate.now >= init.deadline_ns || is_one_stuck())
			continue;
		clean++;
		expect_nothing_left();
	}
	assert_true(starts > 500);
	assert_true(clean > LIVES / 2);
}

/* ---- CPUs ---------------------------------------------------------------- */

/* On a host of four CPUs, with these masks of vCPUs, each of its own guest. */
static uint64_t cpus_of_seat(unsigned guests, const uint64_t *cpus)
{
	static const char *const called[] = { "a", "b", "c", "d" };
	void *state = NULL;

	setup_services(&state);
	info.cpu_count = 4;
	for (unsigned i = 0; i < guests; i++)
		add_guest(called[i], 1)->cpus[0] = cpus[i];
	assert_true(begins());
	return named("seat")->spec.cpus[0];
}

/* Who is pinned to a CPU and has it alone has no service there. */
static void test_services_leave_alone(void **state)
{
	static const struct {
		unsigned guests;
		uint64_t cpus[4], seat;
	} cases[] = {
		{ 2, { 2, 13 }, 13 },	  /* CPU 1 is the first one's alone */
		{ 2, { 2, 4 }, 9 },	  /* each has one */
		{ 2, { 2, 2 }, 15 },	  /* they share it */
		{ 2, { 2, 0 }, 15 },	  /* the second may come */
		{ 1, { 0 }, 15 },	  /* not pinned */
		{ 4, { 1, 2, 4, 8 }, 0 }, /* there is no other */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cpus_of_seat(cases[i].guests, cases[i].cpus),
				 cases[i].seat);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_services)
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_restart_disk),
		TEST(test_restart_of_one_that_waits),
		TEST(test_restart_seat),
		TEST(test_names),
		TEST(test_drives),
		TEST(test_drives_of_a_disk_that_hangs),
		TEST(test_drives_without_end),
		TEST(test_drives_without_disk),
		TEST(test_stop_before_it_runs),
		TEST(test_restart_before_it_is_gone),
		TEST(test_start_after_refused),
		TEST(test_off_while_it_waits),
		TEST(test_random_lives),
		TEST(test_services_leave_alone),
	};

	return cmocka_run_group_tests_name("init_services", tests, NULL, NULL);
}
