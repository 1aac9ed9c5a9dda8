/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio entropy device. */
#include "tests/unit/virtio_test.h"

#include "devices/virtio_rng.h"

static struct {
	struct virtio_rng rng;
	uint8_t next;
} bench;

static void entropy(void *ctx, void *to, size_t size)
{
	uint8_t *at = to;

	assert_ptr_equal(ctx, &bench);
	while (size--)
		*at++ = bench.next++;
}

static void start(void)
{
	vt_handshake(VT_DEFAULT);
	vt_queue_setup(0, 16);
	vt_driver_ok();
}

static int setup(void **state)
{
	const struct virtio_rng_config config = {
		.pci = &v.pci,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.devfn = VT_DEVFN,
		.is_transitional = true,
		.entropy = entropy,
		.ctx = &bench,
	};

	(void)state;
	vt_begin();
	memset(&bench, 0, sizeof(bench));
	assert_int_equal(virtio_rng_init(&bench.rng, &config), 0);
	vt_plug();
	start();
	return 0;
}

static uint16_t want(uint32_t length)
{
	uint16_t id;

	vt_in(VT_DATA, length);
	id = vt_add(0);
	vt_kick(0);
	return id;
}

static void expect_bytes(uint8_t first, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		assert_int_equal(v.bytes[VT_DATA + i], (uint8_t)(first + i));
}

static void test_bytes(void **state)
{
	(void)state;
	assert_int_equal(vt_expect(0, want(100)), 100);
	expect_bytes(0, 100);
	vt_in(VT_DATA, 10);
	vt_in(VT_DATA + 10, 60);
	(void)vt_add(0);
	vt_kick(0);
	expect_bytes(100, 70);
}

/* As many as there are, the rest later. */
static void test_rate(void **state)
{
	uint16_t id;

	(void)state;
	assert_int_equal(vt_expect(0, want(2 * VIRTIO_RNG_RUN)),
			 VIRTIO_RNG_RUN);
	id = want(64);
	vt_expect_none(0);
	bench_step(&v.b, VIRTIO_RNG_PERIOD_NS - 1);
	vt_kick(0);
	vt_expect_none(0);
	bench_step(&v.b, 1);
	assert_int_equal(vt_expect(0, id), 64);
	/* Empty ones are no way around. */
	for (unsigned i = 0; i < VIRTIO_RNG_RUN - 64; i++) {
		vt_out(VT_DATA, 1);
		id = vt_add(0);
		vt_kick(0);
		assert_int_equal(vt_expect(0, id), 0);
	}
	(void)want(1);
	vt_expect_none(0);
	/* A driver that goes is owed nothing. */
	start();
	bench_step(&v.b, VIRTIO_RNG_PERIOD_NS);
	assert_int_equal(vt_expect(0, want(8)), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bytes, setup),
		cmocka_unit_test_setup(test_rate, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
