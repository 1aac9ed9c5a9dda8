/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio balloon: what is given back, and when. */
#include "tests/unit/virtio_test.h"

#include "devices/virtio_balloon.h"

#define PAGES	  512 /* of a piece */
#define HIGH	  0x100000000ULL
#define STATS	  BIT(1)
#define REPORTING BIT(5)
#define PFNS	  256 /* in a chain, as Linux has them */

enum { INFLATE, DEFLATE, STATS_QUEUE, QUEUES = 5 };

/* Memory that nobody looks into: only addresses are of interest. */
static struct {
	struct virtio_balloon balloon;
	uint8_t *window;
	uint64_t released, length;
	unsigned times;
} bench;

static void release(void *ctx, const uint8_t *host, uint64_t length)
{
	(void)ctx;
	bench.released = (uint64_t)(host - bench.window);
	bench.length = length;
	bench.times++;
}

static void start(uint64_t features)
{
	vt_handshake(VT_DEFAULT | features);
	for (unsigned i = 0; i < QUEUES; i++)
		vt_queue_setup(i, 32);
	vt_driver_ok();
}

static int setup(void **state)
{
	struct virtio_balloon_config config = {
		.pci = &v.pci,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.devfn = VT_DEVFN,
		.is_transitional = true,
		.release = release,
	};

	(void)state;
	vt_begin();
	memset(&bench, 0, sizeof(bench));
	/* The window: the driver's own 2 MiB, then 8 MiB at HIGH. */
	bench.window = v.bytes;
	v.ram.count = 2;
	v.ram.range[1] =
		(struct guest_ram_range){ HIGH, MIB(8), v.bytes + MIB(2) };
	config.base = bench.window;
	assert_int_equal(virtio_balloon_init(&bench.balloon, &config), 0);
	vt_plug();
	start(STATS | REPORTING);
	return 0;
}

/* count pages from gpa on. */
static void move(unsigned queue, uint64_t gpa, unsigned count)
{
	while (count) {
		unsigned n = MIN(count, (unsigned)PFNS);
		uint32_t *pfn = (void *)(v.bytes + VT_DATA);
		uint16_t id;

		for (unsigned i = 0; i < n; i++, gpa += PAGE_SIZE)
			pfn[i] = (uint32_t)(gpa / PAGE_SIZE);
		vt_out(VT_DATA, n * 4);
		id = vt_add(queue);
		vt_kick(queue);
		while (v.b.clock.first)
			bench_step(&v.b, 1);
		assert_int_equal(vt_expect(queue, id), 0);
		count -= n;
	}
}

static void test_pieces(void **state)
{
	(void)state;
	move(INFLATE, HIGH + MIB(2), PAGES - 1);
	assert_int_equal(bench.times, 0);
	move(INFLATE, HIGH + MIB(4) - PAGE_SIZE, 1);
	assert_int_equal(bench.times, 1);
	assert_int_equal(bench.released, MIB(4));
	assert_int_equal(bench.length, MIB(2));
	/* Not again before one has been out of it. */
	move(INFLATE, HIGH + MIB(2), 1);
	assert_int_equal(bench.times, 1);
	move(DEFLATE, HIGH + MIB(2), 1);
	move(INFLATE, HIGH + MIB(2), 1);
	assert_int_equal(bench.times, 2);
	/* Out of it, in any number, without having been in. */
	move(DEFLATE, HIGH, 3 * PAGES);
	move(INFLATE, HIGH, PAGES - 1);
	assert_int_equal(bench.times, 2);
}

/* No RAM, and not of the guest's. */
static void test_nowhere(void **state)
{
	(void)state;
	move(INFLATE, HIGH + MIB(8), 2 * PAGES);
	move(INFLATE, 0xfffff000ULL, PAGES);
	move(INFLATE, 0xfffffffULL << 12, 1);
	assert_int_equal(bench.times, 0);
	assert_int_equal(vt_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void test_reset(void **state)
{
	(void)state;
	move(INFLATE, HIGH, PAGES - 1);
	vt_write(VT_CONFIG + 4, 4, PAGES - 1);
	assert_int_equal(vt_read(VT_CONFIG + 4, 4), PAGES - 1);
	start(0);
	assert_int_equal(vt_read(VT_CONFIG + 4, 4), 0);
	move(INFLATE, HIGH + MIB(2) - PAGE_SIZE, 1);
	assert_int_equal(bench.times, 0);
}

static void test_target(void **state)
{
	uint32_t generation = (uint32_t)vt_get(VIRTIO_COMMON_GENERATION, 1);

	(void)state;
	virtio_balloon_target(&bench.balloon, 77);
	assert_int_equal(vt_read(VT_CONFIG, 4), 77);
	assert_int_not_equal(vt_get(VIRTIO_COMMON_GENERATION, 1), generation);
}

static void report(unsigned queue)
{
	vt_in(HIGH + PAGE_SIZE, MIB(5));
	vt_in(HIGH + MIB(6), PAGE_SIZE);
	(void)vt_add(queue);
	vt_kick(queue);
}

/* Only what is whole; by whichever queue the driver has for it. */
static void test_report(void **state)
{
	uint32_t id, length;

	(void)state;
	for (unsigned queue = 3; queue < QUEUES; queue++) {
		report(queue);
		assert_true(vt_take(queue, &id, &length));
		assert_int_equal(bench.times, queue - 2);
		assert_int_equal(bench.released, MIB(4));
		assert_int_equal(bench.length, MIB(2));
	}
	start(0);
	report(3);
	vt_expect_none(3);
	start(REPORTING); /* the third, without statistics */
	report(STATS_QUEUE);
	assert_true(vt_take(STATS_QUEUE, &id, &length));
	assert_int_equal(bench.times, 3);
}

static uint16_t stats(uint64_t value)
{
	static const uint8_t tag[] = { 4, 0, 99, 0 };
	uint8_t *at = v.bytes + VT_DATA;
	uint16_t id;

	memcpy(at, tag, 2);
	memcpy(at + 2, &value, 8);
	memcpy(at + 10, tag + 2, 2);
	memcpy(at + 12, &value, 8);
	vt_out(VT_DATA, 25);
	id = vt_add(STATS_QUEUE);
	vt_kick_wanted(STATS_QUEUE);
	return id;
}

/* By each kind of ring, a driver that kicks when it is asked to. */
static void test_stats_again(void **state)
{
	static const uint64_t rings[] = {
		VIRTIO_F_VERSION_1,
		VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX,
		VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED,
		VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX,
	};
	uint16_t id;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rings); i++) {
		vt_handshake(rings[i] | STATS);
		for (unsigned j = 0; j < QUEUES; j++)
			vt_queue_setup(j, 32);
		vt_driver_ok();
		for (unsigned j = 1; j < 100; j++) {
			id = stats(j);
			assert_int_equal(bench.balloon.state.stat[4], j);
			virtio_balloon_ask(&bench.balloon);
			assert_int_equal(vt_expect(STATS_QUEUE, id), 0);
		}
	}
}

static void test_stats(void **state)
{
	uint16_t id = stats(1234);

	(void)state;
	assert_int_equal(bench.balloon.state.stat[4], 1234);
	vt_expect_none(STATS_QUEUE);
	virtio_balloon_target(&bench.balloon, 0);
	assert_int_equal(vt_expect(STATS_QUEUE, id), 0);
	id = stats(5);
	assert_int_equal(bench.balloon.state.stat[4], 5);
	virtio_balloon_ask(&bench.balloon);
	assert_int_equal(vt_expect(STATS_QUEUE, id), 0);
	(void)stats(6);
	assert_int_equal(bench.balloon.state.stat[4], 6);
	/* One that was kept when the driver went. */
	start(STATS);
	virtio_balloon_target(&bench.balloon, 1);
	vt_expect_none(STATS_QUEUE);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pieces),	TEST(test_nowhere), TEST(test_reset),
		TEST(test_target),	TEST(test_report),  TEST(test_stats),
		TEST(test_stats_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
