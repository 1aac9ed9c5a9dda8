/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/user/ring.c between two programs that keep to it, in all interleavings up
 * to a bound and at random beyond: nothing lost, nothing doubled, no wake-up
 * missed, also when one of them dies and is started anew.  Each property has a
 * planted defect that the checker must find.
 */
#include "tests/unit/ring_model.h"

#include "include/errno.h"

#define SIZE_MAX_ 32

/* What an execution is made of. */
static struct {
	uint32_t size, start, total, chunk;
	unsigned kills[ACTORS]; /* 0: the producer */
	bool is_records;
	bool (*sleep)(struct ring *ring);
} plan;

static struct ring_shared shared;
static uint8_t data[SIZE_MAX_];

/* The byte at each position of the stream. */
static uint8_t byte_at(uint32_t position)
{
	return (uint8_t)(position * 7 + 3);
}

static uint32_t end(void)
{
	return plan.start + plan.total;
}

static void pause_or_wait(struct ring *ring)
{
	if (plan.sleep(ring))
		doorbell_wait();
}

static void bell(unsigned to, bool is_wanted)
{
	if (is_wanted)
		doorbell(to);
}

/* ---- Bytes -------------------------------------------------------------- */

static void bytes_produce(unsigned self, bool is_resumed)
{
	struct ring ring;

	(void)is_resumed; /* both begin at a counter that is not 0 */
	ring_init(&ring, &shared, data, plan.size, true, true);
	while (ring.mine != end()) {
		uint32_t n = MIN(plan.chunk, end() - ring.mine);
		uint8_t bytes[SIZE_MAX_];
		bool is_wanted = false;
		long done;

		for (uint32_t i = 0; i < n; i++)
			bytes[i] = byte_at(ring.mine + i);
		done = ring_write(&ring, bytes, n, &is_wanted);
		bell(!self, is_wanted);
		if (done < 0)
			model_fail("the producer sees a lie");
		if (!done)
			pause_or_wait(&ring);
	}
}

static void bytes_consume(unsigned self, bool is_resumed)
{
	struct ring ring;

	(void)is_resumed;
	ring_init(&ring, &shared, data, plan.size, false, true);
	while (ring.mine != end()) {
		uint32_t at = ring.mine;
		uint8_t bytes[SIZE_MAX_];
		bool is_wanted = false;
		long done = ring_read(&ring, bytes, plan.chunk, &is_wanted);

		for (long i = 0; i < done; i++)
			if (bytes[i] != byte_at(at + (uint32_t)i))
				model_fail("a wrong byte");
		bell(!self, is_wanted);
		if (done < 0)
			model_fail("the consumer sees a lie");
		if (!done)
			pause_or_wait(&ring);
	}
}

/* ---- Records ------------------------------------------------------------ */

/* Where a record begins says how long it is. */
static uint32_t record_length(uint32_t position)
{
	return 1 + (position - plan.start) % 3;
}

static void records_produce(unsigned self, bool is_resumed)
{
	struct ring ring;

	(void)is_resumed;
	ring_init(&ring, &shared, data, plan.size, true, true);
	while ((int32_t)(ring.mine - end()) < 0) {
		uint32_t n = record_length(ring.mine);
		uint8_t bytes[4] = { byte_at(ring.mine), byte_at(ring.mine + 1),
				     byte_at(ring.mine + 2) };
		bool is_wanted = false;
		long done = ring_put(&ring, bytes, n, &is_wanted);

		bell(!self, is_wanted);
		if (done != 0 && done != (long)n)
			model_fail("half a record put");
		if (!done)
			pause_or_wait(&ring);
	}
}

static void records_consume(unsigned self, bool is_resumed)
{
	struct ring ring;

	(void)is_resumed;
	ring_init(&ring, &shared, data, plan.size, false, true);
	while ((int32_t)(ring.mine - end()) < 0) {
		uint32_t at = ring.mine;
		uint8_t bytes[3];
		bool is_wanted = false;
		long done = ring_get(&ring, bytes, 3, &is_wanted);

		if (done && done != (long)record_length(at))
			model_fail("a record's length");
		for (long i = 0; i < done; i++)
			if (bytes[i] != byte_at(at + (uint32_t)i))
				model_fail("a record's byte");
		bell(!self, is_wanted);
		if (!done)
			pause_or_wait(&ring);
	}
}

/* ---- Plans -------------------------------------------------------------- */

static void plan_reset(void)
{
	memset(&shared, 0, sizeof(shared));
	memset(data, 0xee, sizeof(data));
	shared.produced = shared.consumed = plan.start;
	model.actor[0].run = plan.is_records ? records_produce : bytes_produce;
	model.actor[1].run = plan.is_records ? records_consume : bytes_consume;
	for (unsigned i = 0; i < ACTORS; i++)
		model.actor[i].kills_left = plan.kills[i];
}

static int setup(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	model.has_no_fences = model.is_unordered = false;
	plan.size = 2;
	plan.total = 5;
	plan.chunk = 2;
	plan.start = UINT32_MAX - 1; /* counters wrap */
	plan.sleep = ring_sleep;
	return 0;
}

static void expect_none(const char *failure, unsigned least)
{
	if (failure)
		fail_msg("%s, execution %lu", failure, model.executions);
	print_message("%lu executions\n", model.executions);
	assert_true(model.executions >= least);
}

static void bytes_in_all_orders(void **state)
{
	(void)state;
	expect_none(explore(plan_reset, 2), 1000);
	plan.total = 3;
	plan.size = 1;
	plan.chunk = 1;
	expect_none(explore(plan_reset, 3), 10000);
}

static void bytes_at_random(void **state)
{
	(void)state;
	for (plan.size = 1; plan.size <= 8; plan.size *= 2)
		for (plan.chunk = 1; plan.chunk <= 4; plan.chunk++) {
			plan.total = 20;
			expect_none(random_runs(plan_reset, 400), 1);
		}
}

static void records_in_all_orders(void **state)
{
	(void)state;
	plan.is_records = true;
	plan.size = 8;
	plan.total = 12;
	expect_none(explore(plan_reset, 2), 1000);
}

static void records_at_random(void **state)
{
	(void)state;
	plan.is_records = true;
	plan.total = 40;
	for (plan.size = 8; plan.size <= 32; plan.size *= 2)
		expect_none(random_runs(plan_reset, 1500), 1);
}

static void a_side_dies_and_comes_back(void **state)
{
	(void)state;
	for (unsigned records = 0; records < 2; records++)
		for (unsigned side = 0; side < ACTORS; side++) {
			plan.is_records = records;
			plan.size = records ? 8 : 2;
			plan.total = records ? 12 : 4;
			plan.kills[0] = plan.kills[1] = 0;
			plan.kills[side] = 1;
			expect_none(explore(plan_reset, 2), 1000);
			plan.kills[!side] = 3;
			expect_none(random_runs(plan_reset, 1500), 1);
		}
}

/* ---- Planted defects ---------------------------------------------------- */

static bool sleep_without_looking(struct ring *ring)
{
	(void)!ring_sleep(ring);
	return true;
}

static bool sleep_without_asking(struct ring *ring)
{
	bool may_sleep = ring_sleep(ring);

	shared_store(ring->is_producer ? &shared.producer_sleeps
				       : &shared.consumer_sleeps,
		     0);
	return may_sleep;
}

static void defects_are_found(void **state)
{
	(void)state;
	plan.total = 2;
	model.has_no_fences = true;
	assert_string_equal(explore(plan_reset, 3), "a wake-up was lost");
	model.has_no_fences = false;
	model.is_unordered = true;
	assert_string_equal(explore(plan_reset, 3), "a wrong byte");
	model.is_unordered = false;
	plan.sleep = sleep_without_looking;
	assert_string_equal(explore(plan_reset, 3), "a wake-up was lost");
	plan.sleep = sleep_without_asking;
	assert_string_equal(explore(plan_reset, 3), "a wake-up was lost");
	plan.sleep = ring_sleep;
	expect_none(explore(plan_reset, 3), 1000);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(bytes_in_all_orders),	  TEST(bytes_at_random),
		TEST(records_in_all_orders),	  TEST(records_at_random),
		TEST(a_side_dies_and_comes_back), TEST(defects_are_found),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, model_end);
}
