/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/user/ring.c against a peer that keeps to nothing: it writes what it likes
 * to all of the shared memory before each access that is made, so also between
 * a check and a use.  The side under test may read nonsense; it may not touch
 * anything else, believe a length twice, go on after a lie, or never end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "include/ring.h"
#include "tests/unit/fake/ring/lib/user/shared.h"

#define SIZE  64
#define GUARD 64

/* What is not the ring's keeps its pattern. */
static struct memory {
	uint8_t before[GUARD];
	struct ring_shared shared;
	uint8_t between[GUARD];
	uint8_t data[SIZE];
	uint8_t after[GUARD];
} memory;

/* The peer, called before each access. */
static void (*peer)(void);
static uint64_t random_state;
static unsigned accesses;
static unsigned word_reads; /* of the peer's counter, in one operation */
static struct ring *under_test;

static uint32_t random_below(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16) % below;
}

static void step(void)
{
	accesses++;
	if (peer)
		peer();
}

static void inside(const void *at, size_t n)
{
	const uint8_t *byte = at;
	const uint8_t *shared = (const uint8_t *)&memory.shared;

	if (byte >= memory.data) {
		assert_true(byte + n <= memory.data + SIZE);
		return;
	}
	assert_true(byte >= shared &&
		    byte + n <= shared + sizeof(memory.shared));
}

uint32_t shared_load(const uint32_t *word)
{
	step();
	inside(word, sizeof(*word));
	if (under_test)
		word_reads += word == (under_test->is_producer
					       ? &memory.shared.consumed
					       : &memory.shared.produced);
	return *word;
}

void shared_store(uint32_t *word, uint32_t value)
{
	step();
	inside(word, sizeof(*word));
	*word = value;
}

void shared_fence(void)
{
	step();
}

void shared_copy_in(void *to, const uint8_t *shared, size_t n)
{
	step();
	inside(shared, n);
	memcpy(to, shared, n);
}

void shared_copy_out(uint8_t *shared, const void *from, size_t n)
{
	step();
	inside(shared, n);
	memcpy(shared, from, n);
}

/* ---- Peers -------------------------------------------------------------- */

static void counter_lie(uint32_t value)
{
	if (under_test->is_producer)
		memory.shared.consumed = value;
	else
		memory.shared.produced = value;
}

static void peer_scribbles(void)
{
	uint8_t *bytes = (uint8_t *)&memory.shared;

	for (unsigned i = 0; i < sizeof(memory.shared); i++)
		bytes[i] = (uint8_t)random_below(256);
	for (unsigned i = 0; i < SIZE; i++)
		memory.data[i] = (uint8_t)random_below(256);
}

/* Its counter stays believable, all else changes all the time. */
static void peer_plausible(void)
{
	uint32_t limit =
		under_test->mine + (under_test->is_producer ? 0 : SIZE);
	uint32_t steps = random_below(limit - under_test->seen + 1);

	for (unsigned i = 0; i < SIZE; i++)
		memory.data[i] =
			random_below(3) ? 0 : (uint8_t)random_below(SIZE);
	memory.shared.producer_sleeps = random_below(2);
	memory.shared.consumer_sleeps = random_below(2) * UINT32_MAX;
	counter_lie(under_test->seen + steps);
}

/* At the edge: now and then one beyond. */
static void peer_edge(void)
{
	uint32_t used = SIZE + (random_below(20) == 0);

	counter_lie(under_test->is_producer ? under_test->mine - used
					    : under_test->mine + used);
}

/* ---- Operations --------------------------------------------------------- */

/* A record that stays where it is; one that goes round the end is for later. */
static long look_at(struct ring *ring, uint32_t max, bool *is_wanted)
{
	const void *record;
	long n = ring_look(ring, max, &record);

	if (n <= 0 || !record)
		return n;
	inside(record, (size_t)n);
	ring_done(ring, (uint32_t)n, is_wanted);
	return n;
}

static long operate(struct ring *ring, unsigned kind, uint32_t length)
{
	/* As large as is said, so that ASan sees one byte too much. */
	uint8_t *bytes = calloc(1, length + 1);
	bool is_wanted = false;
	long n = 0;

	accesses = word_reads = 0;
	bytes = realloc(bytes, length ? length : 1);
	if (kind == 0)
		n = ring_space(ring);
	else if (kind == 1)
		n = ring->is_producer
			    ? ring_write(ring, bytes, length, &is_wanted)
			    : ring_read(ring, bytes, length, &is_wanted);
	else if (kind == 2)
		n = ring->is_producer
			    ? ring_put(ring, bytes, length, &is_wanted)
			    : ring_get(ring, bytes, length, &is_wanted);
	else if (kind == 3)
		n = ring_sleep(ring) ? 0 : 1;
	else if (ring->is_producer)
		n = ring_space(ring);
	else if (kind == 4)
		n = look_at(ring, length, &is_wanted);
	else
		n = ring_skip(ring, &is_wanted);
	free(bytes);
	assert_true(word_reads <= 1);
	assert_true(accesses <= 16);
	if (kind && kind < 3 && n > 0)
		assert_true(n <= (long)length);
	assert_true(n <= (long)MAX(ring->size, length));
	return n;
}

static void memory_reset(uint64_t seed)
{
	memset(&memory, 0, sizeof(memory));
	memset(memory.before, 0xa5, GUARD);
	memset(memory.between, 0xa5, GUARD);
	memset(memory.after, 0xa5, GUARD);
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static void memory_check(void)
{
	for (unsigned i = 0; i < GUARD; i++) {
		assert_int_equal(memory.before[i], 0xa5);
		assert_int_equal(memory.between[i], 0xa5);
		assert_int_equal(memory.after[i], 0xa5);
	}
}

/* Once broken it stays so, and nothing is touched any more. */
static void expect_broken_for_good(struct ring *ring)
{
	struct memory before;

	peer = NULL;
	counter_lie(ring->mine);
	before = memory;
	for (unsigned kind = 0; kind < 3; kind++)
		assert_int_equal(operate(ring, kind, 4), -EPROTO);
	assert_true(ring_sleep(ring));
	assert_memory_equal(&before, &memory, sizeof(memory));
}

static unsigned hostile_run(bool is_producer, void (*hostile)(void),
			    uint64_t seed)
{
	struct ring ring;
	unsigned done;

	memory_reset(seed);
	peer = NULL;
	ring_init(&ring, &memory.shared, memory.data, SIZE, is_producer, false);
	ring.mine = random_below(2) ? 0 : UINT32_MAX - random_below(SIZE);
	ring.seen = ring.mine;
	under_test = &ring;
	peer = hostile;
	for (done = 0; done < 200 && !ring.is_broken; done++) {
		static const uint32_t lengths[] = { 0,	1,  3,	4,	   SIZE,
						    60, 61, 32, UINT16_MAX };

		(void)operate(&ring, random_below(6),
			      lengths[random_below(ARRAY_SIZE(lengths))]);
	}
	if (ring.is_broken)
		expect_broken_for_good(&ring);
	memory_check();
	peer = NULL;
	return done;
}

static void nothing_else_is_touched(void **state)
{
	static void (*const peers[])(void) = { peer_scribbles, peer_plausible,
					       peer_edge };
	unsigned operations = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 3000; seed++)
		operations += hostile_run(seed & 1, peers[seed % 3], seed);
	print_message("%u operations\n", operations);
	assert_true(operations > 100000);
}

static void an_honest_counter_is_believed_to_the_edge(void **state)
{
	(void)state;
	for (unsigned side = 0; side < 2; side++)
		for (uint32_t used = SIZE; used <= SIZE + 1; used++) {
			struct ring ring;

			memory_reset(1);
			/* A producer's successor does not know its consumer. */
			ring_init(&ring, &memory.shared, memory.data, SIZE,
				  side, side);
			under_test = &ring;
			counter_lie(side ? -used : used);
			assert_int_equal(ring_space(&ring),
					 used > SIZE ? -EPROTO
					 : side	     ? 0
						     : (long)SIZE);
		}
}

static void a_counter_never_goes_back(void **state)
{
	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		uint8_t bytes[SIZE] = { 0 };
		bool is_wanted = false;
		struct ring ring;

		memory_reset(1);
		ring_init(&ring, &memory.shared, memory.data, SIZE, side,
			  false);
		under_test = &ring;
		if (side)
			assert_int_equal(
				ring_write(&ring, bytes, SIZE, &is_wanted),
				SIZE);
		counter_lie(8);
		assert_int_equal(ring_space(&ring), 8);
		counter_lie(8);
		assert_int_equal(ring_space(&ring), 8);
		counter_lie(7);
		assert_int_equal(ring_space(&ring), -EPROTO);
	}
}

/* Says "some" to who is about to sleep, and "too little" to who looks. */
static void peer_to_and_fro(void)
{
	static bool is_some;

	is_some = !is_some;
	counter_lie(is_some);
}

/* Nobody who waits for it is kept looking without end. */
static void who_goes_to_and_fro_keeps_nobody(void **state)
{
	static const uint8_t record[8] = { 1 };

	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		bool is_wanted = false, sleeps = false;
		unsigned looks = 0;
		struct ring ring;
		long n = 0;

		memory_reset(1);
		ring_init(&ring, &memory.shared, memory.data, SIZE, side,
			  false);
		under_test = &ring;
		if (side)
			assert_int_equal(operate(&ring, 1, SIZE), SIZE);
		while (!n && !sleeps && ++looks < 1000) {
			uint8_t bytes[8];

			peer = peer_to_and_fro;
			n = side ? ring_put(&ring, record, 8, &is_wanted)
				 : ring_read(&ring, bytes, 0, &is_wanted);
			sleeps = !n && ring_sleep(&ring);
			peer = NULL;
		}
		assert_true(looks <= 2 * SIZE);
	}
}

/* ---- Records ------------------------------------------------------------ */

static void record_offer(struct ring *ring, uint32_t length, uint32_t produced)
{
	memory_reset(1);
	ring_init(ring, &memory.shared, memory.data, SIZE, false, false);
	under_test = ring;
	memcpy(memory.data, &length, sizeof(length));
	memory.shared.produced = produced;
}

static void records_that_lie_are_refused(void **state)
{
	static const struct {
		uint32_t length, produced, max;
		long want;
	} rows[] = {
		{ 8, 12, 8, 8 },
		{ 8, 12, 7, -EPROTO },
		{ 8, 11, 8, -EPROTO },
		{ 0, 12, 8, -EPROTO },
		{ 60, 64, 60, 60 },
		{ 61, 64, 64, -EPROTO },
		{ UINT32_MAX, 64, 64, -EPROTO },
		{ UINT32_MAX - 3, 64, UINT32_MAX, -EPROTO },
		{ 1, 1, 8, -EPROTO },
		{ 1, 3, 8, -EPROTO },
		{ 1, 4, 8, -EPROTO },
		{ 1, 5, 8, 1 },
		{ 1, 0, 8, 0 },
	};
	uint8_t record[64];
	bool is_wanted = false;
	struct ring ring;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		record_offer(&ring, rows[i].length, rows[i].produced);
		assert_int_equal(
			ring_get(&ring, record, rows[i].max, &is_wanted),
			rows[i].want);
		assert_int_equal(ring.is_broken, rows[i].want < 0);
	}
}

/* The length grows after it was read. */
static void peer_lengthens(void)
{
	uint32_t length = SIZE;

	if (accesses > 2)
		memcpy(memory.data, &length, sizeof(length));
}

static void a_length_is_read_once(void **state)
{
	uint8_t record[8];
	bool is_wanted = false;
	struct ring ring;

	(void)state;
	record_offer(&ring, 8, 12);
	accesses = 0;
	peer = peer_lengthens;
	assert_int_equal(ring_get(&ring, record, 8, &is_wanted), 8);
	assert_int_equal(ring.mine, 12);
	peer = NULL;
}

static void what_never_fits_is_refused(void **state)
{
	static const uint8_t record[SIZE] = { 1 };
	bool is_wanted = false;
	struct ring ring;

	(void)state;
	memory_reset(1);
	ring_init(&ring, &memory.shared, memory.data, SIZE, true, false);
	under_test = &ring;
	assert_int_equal(ring_put(&ring, record, 0, &is_wanted), -EMSGSIZE);
	assert_int_equal(ring_put(&ring, record, 61, &is_wanted), -EMSGSIZE);
	assert_int_equal(ring_put(&ring, record, UINT32_MAX, &is_wanted),
			 -EMSGSIZE);
	assert_int_equal(ring_put(&ring, record, 60, &is_wanted), 60);
	assert_int_equal(ring_put(&ring, record, 1, &is_wanted), 0);
	assert_int_equal(memory.shared.produced, 64);
}

/* A request is answered once, and only to who asked. */
static void bells_only_for_who_asked(void **state)
{
	struct ring out, in;
	bool is_wanted = false;
	uint8_t bytes[SIZE] = { 0 };

	(void)state;
	memory_reset(1);
	under_test = NULL;
	ring_init(&out, &memory.shared, memory.data, SIZE, true, false);
	ring_init(&in, &memory.shared, memory.data, SIZE, false, false);
	assert_int_equal(ring_write(&out, bytes, 1, &is_wanted), 1);
	assert_false(is_wanted);
	assert_false(ring_sleep(&in));
	assert_int_equal(ring_read(&in, bytes, SIZE, &is_wanted), 1);
	assert_true(ring_sleep(&in));
	assert_int_equal(ring_write(&out, bytes, 1, &is_wanted), 1);
	assert_true(is_wanted);
	is_wanted = false;
	assert_int_equal(ring_write(&out, bytes, SIZE, &is_wanted), SIZE - 1);
	assert_false(is_wanted);
	assert_int_equal(ring_write(&out, bytes, 1, &is_wanted), 0);
	assert_true(ring_sleep(&out));
	/* Not before half of it is empty. */
	assert_int_equal(ring_read(&in, bytes, SIZE / 2 - 1, &is_wanted),
			 SIZE / 2 - 1);
	assert_false(is_wanted);
	assert_int_equal(ring_read(&in, bytes, 1, &is_wanted), 1);
	assert_true(is_wanted);
	is_wanted = false;
	assert_int_equal(ring_write(&out, bytes, 1, &is_wanted), 1);
	assert_int_equal(ring_read(&in, bytes, SIZE, &is_wanted), SIZE / 2 + 1);
	assert_false(is_wanted);
}

/* What is thrown away was all there was, and makes room. */
static void what_is_skipped_is_gone(void **state)
{
	struct ring out, in;
	bool is_wanted = false;
	uint8_t bytes[SIZE] = { 0 };

	(void)state;
	memory_reset(1);
	under_test = NULL;
	ring_init(&out, &memory.shared, memory.data, SIZE, true, false);
	ring_init(&in, &memory.shared, memory.data, SIZE, false, false);
	assert_int_equal(ring_skip(&in, &is_wanted), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(ring_write(&out, bytes, SIZE, &is_wanted),
				 SIZE);
		assert_true(ring_sleep(&out));
		assert_int_equal(ring_skip(&in, &is_wanted), SIZE);
		assert_true(is_wanted);
		is_wanted = false;
		assert_int_equal(ring_space(&in), 0);
		assert_int_equal(ring_put(&out, "abc", 3, &is_wanted), 3);
		assert_int_equal(ring_get(&in, bytes, SIZE, &is_wanted), 3);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_else_is_touched),
		cmocka_unit_test(an_honest_counter_is_believed_to_the_edge),
		cmocka_unit_test(a_counter_never_goes_back),
		cmocka_unit_test(who_goes_to_and_fro_keeps_nobody),
		cmocka_unit_test(records_that_lie_are_refused),
		cmocka_unit_test(a_length_is_read_once),
		cmocka_unit_test(what_never_fits_is_refused),
		cmocka_unit_test(bells_only_for_who_asked),
		cmocka_unit_test(what_is_skipped_is_gone),
	};

	return cmocka_run_group_tests_name("ring hostile", tests, NULL, NULL);
}
