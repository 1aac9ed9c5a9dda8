/* SPDX-License-Identifier: BSD-2-Clause */
/* Flash memory: its commands, and what of it a power cut leaves. */
#include "tests/unit/device_test.h"

#include <stdlib.h>

#include "devices/pflash.h"
#include "include/errno.h"

#define BASE	0xffb00000ULL
#define SIZE	(4 * PFLASH_BLOCK)
#define HISTORY 4096

static struct {
	struct bench b;
	struct pflash flash;
	uint8_t array[SIZE], medium[SIZE];
	struct block_backend backend;
	/* The request that the backend has, and how many it had. */
	struct block_request *request;
	unsigned requests, waits, changes, failures;
	bool is_array, does_fail;
	/* What the array held after each of the guest's writes. */
	uint8_t (*past)[SIZE];
	unsigned count, seen;
} bench;

/* ---- A backend that takes its time --------------------------------------- */

static void backend_submit(void *ctx, struct block_request *request)
{
	(void)ctx;
	assert_null(bench.request);
	bench.request = request;
	bench.requests++;
}

/* It reads the memory only now. */
static void backend_end(void)
{
	struct block_request *request = bench.request;
	uint64_t at = request->sector * BLOCK_SECTOR;
	const struct block_segment *segment = &request->segment[0];

	assert_int_equal(request->segment_count, 1);
	assert_true(at + segment->length <= SIZE);
	if (request->op == BLOCK_READ)
		memcpy(segment->host, bench.medium + at, segment->length);
	else if (!bench.does_fail)
		memcpy(bench.medium + at, segment->host, segment->length);
	bench.request = NULL;
	request->done(request->dev, request, bench.does_fail ? -EIO : 0);
}

static void backend_wait(void *ctx, const struct block_request *request)
{
	(void)ctx;
	assert_ptr_equal(request, bench.request);
	bench.waits++;
	backend_end();
}

static void shown(void *ctx, bool is_array)
{
	(void)ctx;
	assert_int_not_equal(is_array, bench.is_array);
	bench.is_array = is_array;
	bench.changes++;
}

static void failed(void *ctx, int error)
{
	(void)ctx;
	assert_int_equal(error, -EIO);
	bench.failures++;
}

static struct pflash_config config_of(bool has_backend)
{
	return (struct pflash_config){
		.memory = &bench.b.memory,
		.clock = &bench.b.clock,
		.base = BASE,
		.size = SIZE,
		.array = bench.array,
		.backend = has_backend ? &bench.backend : NULL,
		.shown = shown,
		.failed = failed,
	};
}

static void start(bool has_backend)
{
	const struct pflash_config config = config_of(has_backend);

	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	bench.backend = (struct block_backend){
		.submit = backend_submit,
		.wait = backend_wait,
		.sector_count = SIZE / BLOCK_SECTOR,
		.has_fua = true,
	};
	bench.is_array = true;
	memset(bench.array, 0xee, SIZE);
	memset(bench.medium, 0xee, SIZE);
	assert_int_equal(pflash_init(&bench.flash, &config), 0);
}

static void put(uint64_t offset, uint64_t value, unsigned size)
{
	bus_out(&bench.b.memory, BASE + offset, value, size);
}

static uint64_t get(uint64_t offset, unsigned size)
{
	return bus_in(&bench.b.memory, BASE + offset, size);
}

/* ---- Commands ------------------------------------------------------------ */

/* The order in which OVMF tells RAM, ROM and flash memory apart. */
static void test_probe(void **state)
{
	(void)state;
	start(false);
	put(8, 0x50, 1);
	assert_int_equal(get(8, 1), 0xee);
	put(8, 0x70, 1);
	assert_int_equal(get(8, 1), 0x00);
	assert_false(bench.is_array);
	put(8, 0xff, 1);
	assert_int_equal(get(8, 4), 0xeeeeeeee);
	assert_true(bench.is_array);
}

static void test_program(void **state)
{
	static const uint8_t commands[] = { 0x10, 0x40 };

	(void)state;
	start(false);
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		put(0x123, commands[i], 1);
		put(0x123, 0xa0 + i, 1);
		assert_int_equal(get(0, 1), PFLASH_READY);
		put(0, 0xff, 1);
		assert_int_equal(get(0x123, 1), 0xa0 + i);
	}
	put(0x200, 0x40, 4);
	put(0x200, 0x11223344, 4);
	put(0, 0xff, 1);
	assert_int_equal(get(0x200, 8), 0xeeeeeeee11223344);
	/* A command byte where data is due is data. */
	put(0x300, 0x40, 1);
	put(0x300, 0xff, 1);
	assert_false(bench.is_array);
	assert_int_equal(bench.array[0x300], 0xff);
}

static void test_erase(void **state)
{
	uint8_t want[SIZE];

	(void)state;
	start(false);
	put(PFLASH_BLOCK + 77, 0x20, 1);
	put(PFLASH_BLOCK + 77, 0xd0, 1);
	assert_int_equal(get(0, 2), 0x8080);
	memset(want, 0xee, SIZE);
	memset(want + PFLASH_BLOCK, 0xff, PFLASH_BLOCK);
	assert_memory_equal(bench.array, want, SIZE);
	/* Taken back; and a second cycle that is none. */
	put(0, 0x20, 1);
	put(0, 0xff, 1);
	assert_true(bench.is_array);
	put(0, 0x20, 1);
	put(0, 0x33, 1);
	assert_int_equal(get(0, 1), PFLASH_READY | PFLASH_ERASE_ERROR |
					    PFLASH_WRITE_ERROR);
	put(0, 0x50, 1);
	put(0, 0x70, 1);
	assert_int_equal(get(0, 1), 0);
	assert_memory_equal(bench.array, want, SIZE);
}

static void buffer(uint64_t at, const char *text, uint8_t confirm)
{
	size_t length = strlen(text);

	put(at, 0xe8, 1);
	assert_int_equal(get(at, 1) & PFLASH_READY, PFLASH_READY);
	put(at, length - 1, 2);
	for (size_t i = 0; i < length; i++)
		put(at + i, (uint8_t)text[i], 1);
	put(at, confirm, 1);
}

static void test_buffer(void **state)
{
	(void)state;
	start(false);
	buffer(0x7f8, "12345678", 0xd0);
	assert_int_equal(get(0, 1), PFLASH_READY);
	assert_memory_equal(bench.array + 0x7f7,
			    "\xee"
			    "12345678\xee",
			    10);
	/* Not confirmed. */
	buffer(0x10, "abcd", 0x00);
	assert_int_equal(get(0, 1), PFLASH_READY | PFLASH_ERASE_ERROR |
					    PFLASH_WRITE_ERROR);
	assert_int_equal(bench.array[0x10], 0xee);
	/* Beyond its end: nothing of it is programmed. */
	put(0, 0x50, 1);
	buffer(0x7ff, "ab", 0xff);
	put(0, 0x70, 1);
	assert_int_not_equal(get(0, 1) & PFLASH_WRITE_ERROR, 0);
	assert_int_equal(bench.array[0x7ff], '8');
	assert_int_equal(bench.array[0x800], 0xee);
}

static void test_identify(void **state)
{
	(void)state;
	start(false);
	put(0x55, 0x98, 1);
	assert_int_equal(get(0x10, 1), 'Q');
	assert_int_equal(get(0x11, 2), 'R' | 'Y' << 8);
	assert_int_equal(get(0x13, 2), 1);
	assert_int_equal(1U << get(0x27, 1), SIZE);
	assert_int_equal(get(0x2a, 2), 11);
	/* One region: blocks less one, 256 bytes. */
	assert_int_equal(get(0x2c, 1), 1);
	assert_int_equal(get(0x2d, 2), SIZE / PFLASH_BLOCK - 1);
	assert_int_equal(get(0x2f, 2), PFLASH_BLOCK / 256);
	assert_int_equal(get(get(0x15, 2), 1), 'P');
	put(0, 0x90, 1);
	assert_int_equal(get(0, 1), 0);
	put(0, 0xf0, 1);
	assert_true(bench.is_array);
	/* Lock bits are taken. */
	put(0, 0x60, 1);
	put(0, 0x01, 1);
	assert_int_equal(get(0, 1), PFLASH_READY);
}

static void test_read_only(void **state)
{
	struct pflash_config config;
	uint8_t want[SIZE];

	(void)state;
	start(false);
	config = config_of(false);
	config.base = BASE - SIZE;
	config.is_read_only = true;
	assert_int_equal(pflash_init(&bench.flash, &config), 0);
	memset(want, 0xee, SIZE);
	bus_out(&bench.b.memory, config.base, 0x40, 1);
	bus_out(&bench.b.memory, config.base, 0, 1);
	assert_int_equal(bus_in(&bench.b.memory, config.base, 1),
			 PFLASH_READY | PFLASH_WRITE_ERROR | PFLASH_LOCKED);
	bus_out(&bench.b.memory, config.base, 0x20, 1);
	bus_out(&bench.b.memory, config.base, 0xd0, 1);
	assert_int_not_equal(bus_in(&bench.b.memory, config.base, 1) &
				     PFLASH_ERASE_ERROR,
			     0);
	assert_memory_equal(bench.array, want, SIZE);
}

static void test_sizes(void **state)
{
	struct pflash_config config;

	(void)state;
	start(false);
	config = config_of(true);
	config.base -= MIB(16);
	config.size = 0;
	assert_int_equal(pflash_init(&bench.flash, &config), -EINVAL);
	config.size = SIZE - 512;
	assert_int_equal(pflash_init(&bench.flash, &config), -EINVAL);
	config.size = PFLASH_SIZE_MAX + PFLASH_BLOCK;
	assert_int_equal(pflash_init(&bench.flash, &config), -EINVAL);
	config.size = SIZE + PFLASH_BLOCK; /* more than the backend has */
	assert_int_equal(pflash_init(&bench.flash, &config), -EINVAL);
}

/* ---- What lasts ---------------------------------------------------------- */

static void test_gather(void **state)
{
	(void)state;
	start(true);
	for (unsigned i = 0; i < 300; i++) {
		put(0x200 + i, 0x40, 1);
		put(0x200 + i, i, 1);
	}
	assert_int_equal(bench.requests, 0);
	put(0, 0xff, 1);
	assert_int_equal(bench.requests, 1);
	assert_true(bench.request->is_fua);
	/* Something else meanwhile is no reason to wait; its end is. */
	put(0x600, 0x40, 1);
	put(0x600, 1, 1);
	assert_int_equal(bench.waits, 0);
	pflash_sync(&bench.flash);
	assert_int_equal(bench.waits, 2);
	assert_int_equal(bench.requests, 2);
	assert_memory_equal(bench.medium, bench.array, SIZE);
}

/* Who leaves the status shown has it on the medium all the same. */
static void test_gathered(void **state)
{
	(void)state;
	start(true);
	put(0x10, 0x40, 1);
	put(0x10, 1, 1);
	bench_step(&bench.b, PFLASH_GATHER_NS - 1);
	assert_int_equal(bench.requests, 0);
	bench_step(&bench.b, 1);
	assert_int_equal(bench.requests, 1);
	backend_end();
	assert_memory_equal(bench.medium, bench.array, SIZE);
	/* And who resets the board at once. */
	put(0x10, 0x40, 1);
	put(0x10, 2, 1);
	device_reset(&bench.flash.device);
	assert_true(bench.is_array);
	assert_int_equal(bench.requests, 2);
	pflash_sync(&bench.flash);
	assert_memory_equal(bench.medium, bench.array, SIZE);
}

static void test_failure(void **state)
{
	(void)state;
	start(true);
	bench.does_fail = true;
	for (unsigned i = 0; i < 3; i++) {
		put(0x10, 0x40, 1);
		put(0x10, i, 1);
		pflash_sync(&bench.flash);
	}
	assert_int_equal(bench.failures, 1);
	assert_int_equal(bench.array[0x10], 2);
}

static void test_load(void **state)
{
	(void)state;
	start(true);
	for (unsigned i = 0; i < SIZE; i++)
		bench.medium[i] = (uint8_t)(i * 7);
	assert_int_equal(pflash_load(&bench.backend, bench.array, SIZE), 0);
	assert_memory_equal(bench.medium, bench.array, SIZE);
	bench.does_fail = true;
	assert_int_equal(pflash_load(&bench.backend, bench.array, SIZE), -EIO);
	assert_int_equal(
		pflash_load(&bench.backend, bench.array, SIZE + PFLASH_BLOCK),
		-EINVAL);
}

/* The medium is what the array once was, and never goes back. */
static void expect_past(void)
{
	while (bench.seen < bench.count &&
	       memcmp(bench.past[bench.seen], bench.medium, SIZE))
		bench.seen++;
	assert_true(bench.seen < bench.count);
}

static void note_past(void)
{
	assert_true(bench.count < HISTORY);
	memcpy(bench.past[bench.count++], bench.array, SIZE);
}

static void act(void)
{
	/* Most stay in one place for a while, as firmware does. */
	uint64_t at = (unsigned)rand() % (rand() % 4 ? 1200U : SIZE);

	switch (rand() % 16) {
	case 0:
		put(at, 0x20, 1);
		put(at, 0xd0, 1);
		break;
	case 1:
		put(ALIGN_DOWN(at, PFLASH_BUFFER), 0xe8, 1);
		put(0, 699, 2);
		for (unsigned i = 0; i < 700; i++)
			put(ALIGN_DOWN(at, PFLASH_BUFFER) + i, (uint8_t)rand(),
			    1);
		put(0, 0xd0, 1);
		break;
	case 2:
		put(at, 0xff, 1);
		break;
	case 3:
		bench_step(&bench.b, PFLASH_GATHER_NS / 2);
		break;
	default:
		put(at, 0x40, 1);
		put(at, (uint8_t)rand(), 1);
		break;
	}
}

static void test_power_cut(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 40; seed++) {
		srand(seed);
		start(true);
		bench.past = calloc(HISTORY, SIZE);
		assert_non_null(bench.past);
		note_past();
		for (unsigned i = 0; i < 1000; i++) {
			act();
			note_past();
			if (bench.request && rand() % 5 == 0)
				backend_end();
			expect_past();
		}
		pflash_sync(&bench.flash);
		assert_memory_equal(bench.medium, bench.array, SIZE);
		assert_true(bench.requests > 100);
		free(bench.past);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_erase),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_gathered),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_power_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
