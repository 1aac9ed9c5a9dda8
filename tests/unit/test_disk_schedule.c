/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/schedule.c: shares of clients that want more than there is, in
 * counts, and limits, on a clock of the test's own.
 */
#include "tests/unit/disk_test.h"

/* How a client behaves: so many requests of so many sectors, always. */
struct load {
	unsigned in_flight;
	uint32_t sectors;
	enum disk_op op;
};

static const struct load *load[MACHINES];
static uint64_t next_id[MACHINES], moved[MACHINES], answered[MACHINES];

static void load_send(unsigned number)
{
	uint64_t id = ++next_id[number];

	send(number, id, load[number]->op, id * 16 % 1000,
	     load[number]->sectors, 0);
}

static void load_done(unsigned number, uint64_t id, int status)
{
	(void)id;
	assert_int_equal(status, 0);
	answered[number]++;
	moved[number] += load[number]->sectors;
	load_send(number);
}

static void load_begin(const struct load *loads, unsigned count)
{
	on_done = load_done;
	for (unsigned i = 0; i < count; i++) {
		load[i] = &loads[i];
		next_id[i] = moved[i] = answered[i] = 0;
		for (unsigned n = 0; n < loads[i].in_flight; n++)
			load_send(i);
	}
}

static void clients_begin(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		client_add(i);
		unit_add(i, 0, i * 2048, 2048);
		assert_int_equal(disk_client_start(&disk, i + 1), 0);
		machine_begin(i, 10 + i);
	}
	finish();
}

/* The drive ends so many, the oldest first or any; a millisecond each. */
static void drive_work(unsigned count, bool is_in_order)
{
	while (count--) {
		step();
		assert_true(fake[0].count > 0);
		fake_end(&fake[0],
			 is_in_order ? 0 : random_below(fake[0].count));
		now_ns += NSEC_PER_MS;
	}
}

/* ---- Shares -------------------------------------------------------------- */

static void test_equal(void **state)
{
	static const struct load loads[] = {
		{ 32, 8, DISK_OP_READ },
		{ 32, 8, DISK_OP_WRITE },
		{ 32, 8, DISK_OP_READ },
		{ 32, 8, DISK_OP_WRITE },
	};

	(void)state;
	for (unsigned is_in_order = 0; is_in_order < 2; is_in_order++) {
		disk_setup(NULL);
		clients_begin(4);
		load_begin(loads, 4);
		drive_work(4000, is_in_order);
		for (unsigned i = 0; i < 4; i++) {
			assert_true(answered[i] > 900);
			assert_true(answered[i] < 1100);
		}
	}
}

/* Large requests do not crowd out small ones, whatever number of them: shares
 * are of bytes and a cost a request. */
static void test_large_and_small(void **state)
{
	static const struct load loads[] = {
		{ 32, 1024, DISK_OP_READ },
		{ 32, 8, DISK_OP_READ },
	};
	uint64_t large, small;

	(void)state;
	clients_begin(2);
	load_begin(loads, 2);
	drive_work(6000, true);
	large = moved[0] * 512 + answered[0] * 2 * DISK_COST;
	small = moved[1] * 512 + answered[1] * DISK_COST;
	print_message("large: %llu requests, small: %llu\n",
		      (unsigned long long)answered[0],
		      (unsigned long long)answered[1]);
	assert_true(large < small * 3 / 2);
	assert_true(small < large * 3 / 2);
}

/* Nor do zeroes that have to be written. */
static void test_zeroes_and_small(void **state)
{
	static const struct load loads[] = {
		{ 32, 1024, DISK_OP_WRITE_ZEROES },
		{ 32, 8, DISK_OP_READ },
	};

	(void)state;
	fake[0].info.has_write_zeroes = false;
	service_begin();
	clients_begin(2);
	load_begin(loads, 2);
	drive_work(6000, true);
	assert_true(moved[0] * 512 + answered[0] * 2 * DISK_COST <
		    (moved[1] * 512 + answered[1] * DISK_COST) * 3 / 2);
}

/* One that has a request at a time beside three that flood: each of its own
 * waits for what is in the drive, and no more. */
static void test_one_at_a_time(void **state)
{
	static const struct load loads[] = {
		{ 1, 8, DISK_OP_READ },
		{ 32, 8, DISK_OP_WRITE },
		{ 32, 8, DISK_OP_WRITE },
		{ 32, 8, DISK_OP_WRITE },
	};

	(void)state;
	clients_begin(4);
	load_begin(loads, 4);
	drive_work(4000, true);
	print_message("one at a time: %llu of 4000, flooders %llu %llu %llu\n",
		      (unsigned long long)answered[0],
		      (unsigned long long)answered[1],
		      (unsigned long long)answered[2],
		      (unsigned long long)answered[3]);
	assert_true(answered[0] >= 4000 / (DISK_DEPTH + 1));
}

/* Three of those, in a drive that has room for two, do not shut out a flood. */
static void test_many_at_a_time(void **state)
{
	static const struct load loads[] = {
		{ 1, 8, DISK_OP_READ },
		{ 1, 8, DISK_OP_READ },
		{ 1, 8, DISK_OP_READ },
		{ 32, 8, DISK_OP_WRITE },
	};

	(void)state;
	fake[0].info.depth = 2;
	service_begin();
	clients_begin(4);
	load_begin(loads, 4);
	drive_work(4000, true);
	for (unsigned i = 0; i < 4; i++)
		assert_true(answered[i] > 600);
}

/* A flood alone has all of the drive. */
static void test_alone(void **state)
{
	static const struct load loads[] = { { 32, 512, DISK_OP_READ } };

	(void)state;
	clients_begin(1);
	load_begin(loads, 1);
	step();
	now_ns += DISK_SHARED_NS;
	drive_work(50, true);
	step();
	assert_int_equal(fake[0].count, DISK_DEPTH);
}

/* Drives that end in any order, clients that come and go: none is starved. */
static void test_none_starves(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 50; seed++) {
		struct load loads[MACHINES];

		disk_setup(NULL);
		random_state = seed * 0x9e3779b97f4a7c15ULL;
		for (unsigned i = 0; i < MACHINES; i++)
			loads[i] = (struct load){
				1 + random_below(32),
				8u << random_below(7),
				random_below(2) ? DISK_OP_READ : DISK_OP_WRITE,
			};
		clients_begin(MACHINES);
		load_begin(loads, MACHINES);
		drive_work(1000, seed & 1);
		for (unsigned i = 0; i < MACHINES; i++)
			assert_true(answered[i] >= 1000 / 17 / 4);
	}
}

/* ---- Limits -------------------------------------------------------------- */

/* Runs for so long; drives end everything at once. */
static void time_run(uint64_t ns)
{
	uint64_t end_ns = now_ns + ns;

	for (unsigned loops = 0;; loops++) {
		uint64_t deadline_ns;

		assert_true(loops < 100000); /* a limit that does not hold */
		step();
		while (fake[0].count)
			fake_end(&fake[0], 0);
		step();
		if (fake[0].count)
			continue;
		deadline_ns = disk_deadline(&disk);
		if (deadline_ns > end_ns)
			break;
		now_ns = MAX(deadline_ns, now_ns + 1);
	}
	now_ns = end_ns;
}

static void limited_begin(struct disk_limits limits)
{
	const struct disk_unit_spec spec = { .count = 2048, .limits = limits };

	client_add(0);
	assert_int_equal(disk_unit_add(&disk, 1, 0, &spec), 0);
	assert_int_equal(disk_client_start(&disk, 1), 0);
	machine_begin(0, 10);
	finish();
}

static void test_requests_per_second(void **state)
{
	static const struct load loads[] = { { 32, 8, DISK_OP_READ } };

	(void)state;
	limited_begin((struct disk_limits){ .requests_per_s = 100,
					    .requests_burst = 50 });
	load_begin(loads, 1);
	time_run(1);
	assert_int_equal(answered[0], 50);
	time_run(10 * NSEC_PER_SEC);
	assert_in_range(answered[0], 1049, 1051);
	/* Idle for long: a burst, and no more. */
	on_done = NULL;
	time_run(NSEC_PER_SEC);
	finish();
	now_ns += 100 * NSEC_PER_SEC;
	load_begin(loads, 1);
	time_run(1);
	assert_in_range(answered[0], 49, 51);
}

/* Requests that are larger than a burst pass at the rate all the same.  Zeroes
 * count where they are written like any data. */
static void test_bytes_per_second(void **state)
{
	static const struct load loads[] = {
		{ 4, 256, DISK_OP_WRITE },
		{ 4, 256, DISK_OP_WRITE_ZEROES },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(loads); i++) {
		disk_setup(NULL);
		fake[0].info.has_write_zeroes = false;
		service_begin();
		limited_begin((struct disk_limits){ .bytes_per_s = MIB(1),
						    .bytes_burst = KIB(64) });
		load_begin(&loads[i], 1);
		time_run(16 * NSEC_PER_SEC);
		assert_in_range(moved[0] * 512, MIB(16), MIB(16) + KIB(384));
	}
}

static void test_one_per_second(void **state)
{
	static const struct load loads[] = { { 2, 8, DISK_OP_READ } };

	(void)state;
	limited_begin((struct disk_limits){ .requests_per_s = 1,
					    .requests_burst = 1 });
	load_begin(loads, 1);
	time_run(10 * NSEC_PER_SEC + 1);
	assert_int_equal(answered[0], 11);
}

/* A unit that is held by its limits does not hold the client's other, nor
 * another client. */
static void test_held_alone(void **state)
{
	const struct disk_unit_spec slow = {
		.count = 100,
		.limits = { .requests_per_s = 1, .requests_burst = 1 },
	};
	struct disk_request request = { .op = DISK_OP_READ,
					.sector_count = 1,
					.segment_count = 1,
					.segment[0] = { 0, 512, 0 } };

	(void)state;
	client_add(0);
	assert_int_equal(disk_unit_add(&disk, 1, 3, &slow), 0);
	unit_add(0, 5, 100, 100);
	assert_int_equal(disk_client_start(&disk, 1), 0);
	machine_begin(0, 10);
	begin_one(1);
	finish();
	for (unsigned i = 1; i <= 20; i++) {
		request.id = i;
		request.drive = i <= 10 ? 3 : 5;
		assert_int_equal(disk_client_submit(&machine[0].link, &request),
				 0);
	}
	finish();
	assert_int_equal(machine[0].answers, 11);
	for (unsigned i = 11; i <= 20; i++)
		assert_int_equal(machine[0].status[i], 0);
	assert_int_equal(ask(1, DISK_OP_READ, 1, 1, 0), 0);
	time_run(20 * NSEC_PER_SEC);
	assert_int_equal(machine[0].answers, 20);
}

#define TEST(name) cmocka_unit_test_setup(name, disk_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_equal),
		TEST(test_large_and_small),
		TEST(test_zeroes_and_small),
		TEST(test_one_at_a_time),
		TEST(test_many_at_a_time),
		TEST(test_alone),
		TEST(test_none_starves),
		TEST(test_requests_per_second),
		TEST(test_bytes_per_second),
		TEST(test_one_per_second),
		TEST(test_held_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
