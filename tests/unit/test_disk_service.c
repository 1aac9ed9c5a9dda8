/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of the service as a device model has them: machine/disk_service.c
 * against a service that the test plays.
 */
#include "tests/unit/disk_service_ask.h"

/* ---- Data ---------------------------------------------------------------- */

static void test_window(void **state)
{
	struct asked *a;

	(void)state;
	bench_open(1);
	a = prepare(0, BLOCK_READ, 100);
	segment_add(a, bench.window + 0x5000, 512);
	segment_add(a, bench.window + WINDOW - 1024, 1024);
	submit(0);
	service_read();
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.taken[0].drive, bench.config[0].drive);
	assert_int_equal(bench.taken[0].segment_count, 2);
	assert_int_equal(bench.taken[0].segment[0].where, 0x5000);
	assert_int_equal(bench.taken[0].segment[1].where, WINDOW - 1024);
	assert_int_equal(bench.taken[0].flags, 0);
	expect_running(a);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.window + 0x5000, medium_of(0, 100), 512);
	assert_memory_equal(bench.window + WINDOW - 1024, medium_of(0, 101),
			    1024);
	/* A write with FUA. */
	memset(bench.window, 0xab, 512);
	a = prepare(0, BLOCK_WRITE, 7);
	a->request.is_fua = true;
	segment_add(a, bench.window, 512);
	submit(0);
	service_read();
	assert_int_equal(bench.taken[0].flags, DISK_FUA);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	assert_memory_equal(medium_of(0, 7), bench.window, 512);
	a = ask(0, BLOCK_FLUSH, 0, NULL, 0);
	assert_int_equal(bench.taken[0].op, DISK_OP_FLUSH);
	assert_int_equal(bench.taken[0].sector_count, 0);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	/* Partly outside: all of the segment is bounced. */
	a = ask(0, BLOCK_READ, 3, bench.window + WINDOW - 512, 1024);
	assert_true(bench.taken[0].segment[0].where & DISK_WHERE_BOUNCE);
	a->request.segment[0].host = bench.outside; /* nothing is there */
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
}

static void test_bounce(void **state)
{
	struct asked *a;

	(void)state;
	bench_open(1);
	a = ask(0, BLOCK_READ, 8, bench.outside, KIB(64));
	assert_int_equal(bench.taken[0].sector_count,
			 DISK_BOUNCE_SIZE / DISK_SECTOR);
	assert_int_equal(bench.taken[0].segment[0].where, DISK_WHERE_BOUNCE);
	answer(0, 0);
	expect_running(a);
	assert_int_equal(bench.taken[0].sector,
			 8 + DISK_BOUNCE_SIZE / DISK_SECTOR);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.outside, medium_of(0, 8), KIB(64));
	for (unsigned i = 0; i < KIB(64); i++)
		bench.outside[i] = (uint8_t)(i * 3 + (i >> 8));
	a = ask(0, BLOCK_WRITE, 1000, bench.outside, KIB(64));
	answer(0, 0);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.outside, medium_of(0, 1000), KIB(64));
	assert_int_equal(bench.count, 0);
}

/* Lengths that are no sectors; window and bounce in turns. */
static void test_mixed(void **state)
{
	static const uint32_t length[] = { 100, 412, 40000, 960, 7000, 680 };
	struct asked *a;
	uint64_t at = 0;

	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		bench_open(1);
		a = prepare(0, BLOCK_READ, 50);
		for (unsigned i = 0; i < ARRAY_SIZE(length); i++)
			segment_add(a,
				    (i + first) % 2 ? bench.window + i * 65536
						    : bench.outside + i * 43000,
				    length[i]);
		submit(0);
		for (unsigned i = 0; i < 5 && !a->answers; i++) {
			service_read();
			answer(0, 0);
		}
		expect(a, 0, BLOCK_UNKNOWN);
		at = 0;
		for (unsigned i = 0; i < ARRAY_SIZE(length); i++) {
			assert_memory_equal(a->request.segment[i].host,
					    medium_of(0, 50) + at, length[i]);
			at += length[i];
		}
	}
}

static void test_large(void **state)
{
	struct asked *a;

	(void)state;
	bench_open(1);
	a = prepare(0, BLOCK_READ, 1);
	for (unsigned i = 0; i < BLOCK_SEGMENTS; i++)
		segment_add(a, bench.window + i * KIB(136), KIB(136));
	submit(0);
	service_read();
	assert_int_equal(bench.taken[0].sector_count, DISK_SECTORS_MAX);
	answer(0, 0);
	answer(0, 0);
	expect_running(a);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.window, medium_of(0, 1),
			    BLOCK_SEGMENTS * KIB(136));
}

/* Each disk has a part of the area of its own. */
static void test_shared_bounce(void **state)
{
	uint64_t at[3], end[3];

	(void)state;
	bench_open(3);
	for (unsigned i = 0; i < 3; i++)
		ask(i, BLOCK_READ, 10 * i, bench.outside + i * KIB(64),
		    KIB(64));
	assert_int_equal(bench.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		at[i] = bench.taken[i].segment[0].where & ~DISK_WHERE_BOUNCE;
		end[i] = at[i] + bench.taken[i].segment[0].length;
	}
	assert_true(end[0] <= at[1] && end[1] <= at[2] &&
		    end[2] <= DISK_BOUNCE_SIZE);
	while (bench.count) {
		service_answer(bench.count - 1, 0, 0);
		event();
		service_read();
	}
	for (unsigned i = 0; i < 3; i++) {
		expect(&asked[i], 0, BLOCK_UNKNOWN);
		assert_memory_equal(bench.outside + i * KIB(64),
				    medium_of(i, 10 * i), KIB(64));
	}
}

static void test_must_bounce(void **state)
{
	struct asked *a;

	(void)state;
	bench_init(1);
	bench.info[UNITS - 1].flags |= DISK_DRIVE_BOUNCE;
	service_start();
	bench.on_wait = service_read;
	assert_int_equal(disk_service_open(&bench.machine), 0);
	a = ask(0, BLOCK_READ, 0, bench.window, KIB(45));
	assert_int_equal(bench.taken[0].segment[0].where, DISK_WHERE_BOUNCE);
	answer(0, 0);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.window, medium_of(0, 0), KIB(45));
	/* A successor does without; what is in flight is made anew. */
	a = ask(0, BLOCK_READ, 0, bench.window, KIB(64));
	bench.info[UNITS - 1].flags &= ~DISK_DRIVE_BOUNCE;
	service_die();
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.taken[0].segment[0].where, 0);
	assert_int_equal(bench.taken[0].segment[0].length, KIB(64));
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
}

/* ---- Errors -------------------------------------------------------------- */

static void test_errors(void **state)
{
	static const int statuses[][2] = {
		{ -EROFS, -EROFS }, { -ERANGE, -ERANGE }, { -ENODEV, -ENODEV },
		{ -ENOSPC, -EIO },  { -EINVAL, -EIO },	  { -EFAULT, -EIO },
		{ -EAGAIN, -EIO },  { 5, -EIO },	  { INT32_MIN, -EIO },
	};

	(void)state;
	bench_open(1);
	for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct asked *a = ask(0, BLOCK_WRITE, 9, bench.window, 512);

		answer(statuses[i][0], 9);
		assert_int_equal(a->answers, 1);
		assert_int_equal(a->status, statuses[i][1]);
		assert_int_equal(bench.count, 0);
	}
}

static void test_failed_sector(void **state)
{
	const uint64_t part = DISK_BOUNCE_SIZE / DISK_SECTOR;
	struct asked *a;

	(void)state;
	bench_open(1);
	/* In the second piece: what is before it has been read. */
	a = ask(0, BLOCK_READ, 40, bench.outside, KIB(64));
	answer(0, 0);
	answer(-EIO, 40 + part + 3);
	expect(a, -EIO, 40 + part + 3);
	assert_memory_equal(bench.outside, medium_of(0, 40), (part + 3) * 512);
	assert_int_equal(bench.outside[(part + 3) * 512], 0);
	assert_int_equal(bench.count, 0);
	/* Of none of its sectors: the first one that may have failed. */
	a = ask(0, BLOCK_READ, 40, bench.outside, KIB(64));
	answer(0, 0);
	answer(-EIO, 39);
	expect(a, -EIO, 40 + part);
	a = ask(0, BLOCK_READ, 40, bench.outside, KIB(64));
	answer(-EIO, UINT64_MAX);
	expect(a, -EIO, BLOCK_UNKNOWN);
	a = ask(0, BLOCK_WRITE, 40, bench.outside, KIB(64));
	answer(0, 0);
	answer(-ENOSPC, 40);
	expect(a, -EIO, 40 + part);
	a = ask(0, BLOCK_FLUSH, 0, NULL, 0);
	answer(-EIO, 0);
	expect(a, -EIO, BLOCK_UNKNOWN);
	/* The disk goes on. */
	a = ask(0, BLOCK_READ, 1, bench.outside, 512);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
}

/* ---- Deaths -------------------------------------------------------------- */

static void test_death(void **state)
{
	struct asked *a, *b;
	uint64_t id;

	(void)state;
	bench_open(2);
	a = ask(0, BLOCK_READ, 4, bench.window, 1024);
	b = ask(1, BLOCK_WRITE, 5, bench.outside, 512);
	id = bench.taken[0].id;
	service_die();
	event();
	expect_running(a);
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.taken[0].id, id);
	answer(0, 0);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	expect(b, 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.window, medium_of(0, 4), 1024);
	/* It has answered before it died, and HELLO has come, too. */
	a = ask(0, BLOCK_READ, 4, bench.window, 1024);
	b = ask(1, BLOCK_READ, 4, bench.window + 4096, 1024);
	service_answer(0, 0, 0);
	service_die();
	service_start();
	event();
	expect(a, 0, BLOCK_UNKNOWN);
	expect_running(b);
	service_read();
	assert_int_equal(bench.count, 1);
	answer(0, 0);
	expect(b, 0, BLOCK_UNKNOWN);
	/* A HELLO that was not read, and dead again: they wait. */
	a = ask(0, BLOCK_READ, 4, bench.window, 1024);
	service_die();
	service_start();
	service_die();
	event();
	assert_true(bench.machine.away.is_armed);
	cancel(0);
	expect(a, -ECANCELED, BLOCK_UNKNOWN);
}

/* Without a disk requests wait, and not for ever. */
static void test_away(void **state)
{
	struct asked *a, *b;
	unsigned bells;

	(void)state;
	bench_open(2);
	a = ask(0, BLOCK_READ, 4, bench.outside, KIB(64));
	answer(0, 0);
	service_die();
	event();
	bells = bench.bells;
	b = prepare(1, BLOCK_READ, 5);
	segment_add(b, bench.window, 512);
	submit(1);
	assert_int_equal(bench.bells, bells);
	bench_time(DISK_SERVICE_AWAY_NS - 1);
	event();
	expect_running(a);
	expect_running(b);
	bench_time(1);
	expect(a, -EIO, 4 + DISK_BOUNCE_SIZE / 2 / DISK_SECTOR);
	expect(b, -EIO, BLOCK_UNKNOWN);
	assert_int_equal(bench.logs, 1);
	prepare(1, BLOCK_FLUSH, 0);
	submit(1);
	expect(b, -EIO, BLOCK_UNKNOWN);
	event();
	bench_time(10 * DISK_SERVICE_AWAY_NS);
	assert_int_equal(bench.logs, 1);
	/* It comes all the same. */
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 0);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	/* Just in time, unnoticed. */
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	service_die();
	event();
	service_start();
	bench_time(DISK_SERVICE_AWAY_NS);
	expect_running(a);
	service_read();
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	bench_time(DISK_SERVICE_AWAY_NS);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
}

static void reborn(void)
{
	service_die();
	service_start();
	event();
	service_read();
}

static void test_other_drive(void **state)
{
	struct disk_drive_info *info = &bench.info[UNITS - 1];
	struct asked *a, *b;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct disk_drive_info was;

		bench_open(2);
		was = *info;
		a = ask(0, BLOCK_WRITE, 4, bench.window, 512);
		b = ask(1, BLOCK_READ, 4, bench.window, 512);
		if (i == 0)
			info->sector_count--;
		else if (i == 1)
			info->flags &= ~DISK_DRIVE_PRESENT;
		else
			info->flags |= DISK_DRIVE_READ_ONLY;
		reborn();
		expect(a, -ENODEV, BLOCK_UNKNOWN);
		assert_int_equal(bench.count, 1);
		answer(0, 0);
		expect(b, 0, BLOCK_UNKNOWN);
		a = ask(0, BLOCK_READ, 4, bench.window, 512);
		expect(a, -ENODEV, BLOCK_UNKNOWN);
		/* What it says between two HELLOs does not count. */
		bench.channel.drive[UNITS - 1] = was;
		event();
		a = ask(0, BLOCK_READ, 4, bench.window, 512);
		expect(a, -ENODEV, BLOCK_UNKNOWN);
		*info = was;
		reborn();
		a = ask(0, BLOCK_READ, 4, bench.window, 512);
		answer(0, 0);
		expect(a, 0, BLOCK_UNKNOWN);
		assert_int_equal(bench.logs, 2);
	}
}

/* ---- Cancelling ---------------------------------------------------------- */

static void test_cancel_sent(void **state)
{
	struct asked *a;

	(void)state;
	bench_open(1);
	/* disk has it: its answer ends it. */
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	cancel(0);
	cancel(0);
	bench_time(100 * DISK_SERVICE_AWAY_NS);
	expect_running(a);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	cancel(0); /* of what has ended: nothing */
	expect(a, 0, BLOCK_UNKNOWN);
	/* No other piece follows. */
	a = ask(0, BLOCK_READ, 4, bench.outside, KIB(64));
	cancel(0);
	answer(0, 0);
	expect(a, -ECANCELED, 4 + DISK_BOUNCE_SIZE / DISK_SECTOR);
	assert_int_equal(bench.count, 0);
	/* disk dies: the device has nothing any more. */
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	cancel(0);
	service_die();
	expect_running(a);
	event();
	expect(a, -ECANCELED, BLOCK_UNKNOWN);
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 0);
	/* The same, and its successor is there already. */
	a = ask(0, BLOCK_WRITE, 4, bench.window, 512);
	cancel(0);
	service_die();
	service_start();
	event();
	expect(a, -ECANCELED, BLOCK_UNKNOWN);
	service_read();
	assert_int_equal(bench.count, 0);
	/* First dead, then cancelled. */
	a = ask(0, BLOCK_WRITE, 4, bench.window, 512);
	service_die();
	event();
	expect_running(a);
	cancel(0);
	expect(a, -ECANCELED, BLOCK_UNKNOWN);
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 0);
	a = ask(0, BLOCK_WRITE, 4, bench.window, 512);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
}

/* No room in the ring: it has not begun. */
static void test_cancel_waiting(void **state)
{
	struct asked *a;

	(void)state;
	bench_open(1);
	for (;;) {
		a = prepare(0, BLOCK_READ, 4);
		for (unsigned i = 0; i < BLOCK_SEGMENTS; i++)
			segment_add(a, bench.window + i * 1024, 512);
		submit(0);
		cancel(0);
		if (a->answers)
			break;
		/* Until it is full; each dies with its service. */
		service_die();
		event();
		expect(a, -ECANCELED, BLOCK_UNKNOWN);
		ring_init(&bench.out, &bench.channel.replies,
			  bench.channel.reply_data, DISK_REPLIES_SIZE, true,
			  true);
		bench.state = GATE_CHANNEL_OPEN;
		service_greet(0);
		event();
	}
	expect(a, -ECANCELED, BLOCK_UNKNOWN);
	ring_init(&bench.in, &bench.channel.requests,
		  bench.channel.request_data, DISK_REQUESTS_SIZE, false, true);
	service_read();
	assert_int_equal(bench.count, 0);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
}

/* ---- Draining ------------------------------------------------------------ */

/* Woken for nothing twice. */
static void answer_late(void)
{
	assert_int_equal(bench.routed, 3);
	assert_int_equal(bench.timer_routed, 3);
	if (bench.waits == 3)
		service_answer(0, 0, 0);
}

static void die_late(void)
{
	if (bench.waits == 2)
		service_die();
}

static void test_drain(void **state)
{
	struct clock_timer timer = { 0 };
	struct asked *a;

	(void)state;
	bench_open(1);
	clock_timer_arm(&bench.clock, &timer, 55);
	assert_true(disk_service_drain(&bench.machine, 3));
	assert_int_equal(bench.waits, 0);
	a = ask(0, BLOCK_READ, 4, bench.outside, KIB(64));
	cancel(0);
	bench.on_wait = answer_late;
	assert_true(disk_service_drain(&bench.machine, 3));
	assert_int_equal(a->answers, 1);
	assert_int_equal(bench.timer_ns, 55);
	assert_int_equal(bench.routed + bench.timer_routed, 0);
	/* It dies meanwhile. */
	bench.waits = 0;
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	cancel(0);
	bench.on_wait = die_late;
	clock_timer_disarm(&bench.clock, &timer);
	assert_true(disk_service_drain(&bench.machine, 3));
	expect(a, -ECANCELED, BLOCK_UNKNOWN);
	/* That time runs since is not forgotten with the wait. */
	assert_true(bench.machine.away.is_armed);
	assert_int_equal(bench.timer_ns, bench.machine.away.deadline_ns);
}

static void test_drain_stuck(void **state)
{
	struct clock_timer timer = { 0 };
	struct asked *a;

	(void)state;
	bench_open(1);
	clock_timer_arm(&bench.clock, &timer, 55);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	cancel(0);
	assert_false(disk_service_drain(&bench.machine, 3));
	assert_true(bench.now_ns >= DISK_SERVICE_DRAIN_NS);
	expect_running(a);
	assert_int_equal(bench.routed + bench.timer_routed, 0);
	assert_int_equal(bench.timer_ns, 55);
}

/* ---- Liars --------------------------------------------------------------- */

static void expect_broken(struct asked *a)
{
	expect(a, -EIO, BLOCK_UNKNOWN);
	assert_int_equal(bench.logs, 1);
	prepare(0, BLOCK_WRITE, 4);
	segment_add(a, bench.window, 512);
	submit(0);
	expect(a, -EIO, BLOCK_UNKNOWN);
	event();
	service_die();
	event();
	bench_time(2 * DISK_SERVICE_AWAY_NS);
	assert_int_equal(bench.logs, 1);
	cancel(0);
}

static void test_liars(void **state)
{
	struct asked *a;

	(void)state;
	/* Its own counter. */
	bench_open(1);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	bench.channel.replies.produced += 2 * DISK_REPLIES_SIZE;
	event();
	expect_broken(a);
	/* What it has taken. */
	bench_open(1);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	bench.channel.requests.consumed += 100;
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	prepare(0, BLOCK_READ, 4);
	segment_add(a, bench.window, 512);
	submit(0);
	expect_broken(a);
	/* A record of another length. */
	bench_open(1);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	{
		bool is_wanted;

		assert_true(ring_put(&bench.out, "abc", 3, &is_wanted) > 0);
	}
	event();
	expect_broken(a);
}

/* Answers to nothing, of other generations, of unknown kinds, twice. */
static void test_nonsense(void **state)
{
	struct asked *a;
	struct disk_reply reply = { .kind = DISK_REPLY_DONE };

	(void)state;
	bench_open(1);
	a = ask(0, BLOCK_READ, 4, bench.window, 512);
	reply.id = bench.taken[0].id;
	reply.generation = bench.generation - 1;
	service_put(&reply);
	reply.generation = bench.generation;
	reply.id++;
	service_put(&reply);
	reply.kind = 77;
	reply.id--;
	service_put(&reply);
	event();
	expect_running(a);
	answer(0, 0);
	expect(a, 0, BLOCK_UNKNOWN);
	reply.kind = DISK_REPLY_DONE;
	service_put(&reply);
	event();
	expect(a, 0, BLOCK_UNKNOWN);
	assert_int_equal(bench.logs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_bounce),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_shared_bounce),
		cmocka_unit_test(test_must_bounce),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_failed_sector),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_other_drive),
		cmocka_unit_test(test_cancel_sent),
		cmocka_unit_test(test_cancel_waiting),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_stuck),
		cmocka_unit_test(test_liars),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
