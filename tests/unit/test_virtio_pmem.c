/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/virtio_pmem.c: where the image is, flushes, drivers that break rules.
 */
#include "tests/unit/virtio_test.h"

#include "devices/virtio_pmem.h"

#define START  GIB(5)
#define SIZE   MIB(6)
#define ANSWER (VT_DATA + 0x100)

static struct virtio_pmem pmem;

static int try_init(uint64_t start, uint64_t size)
{
	const struct virtio_pmem_config config = {
		.pci = &v.pci,
		.ram = &v.ram,
		.devfn = VT_DEVFN,
		.clock = &v.b.clock,
		.layout = { start, size },
	};

	return virtio_pmem_init(&pmem, &config);
}

static void start(uint64_t features)
{
	vt_handshake(features);
	vt_queue_setup(0, 16);
	vt_driver_ok();
}

static int setup(void **state)
{
	(void)state;
	vt_begin();
	assert_int_equal(try_init(START, SIZE), 0);
	vt_plug();
	start(VT_DEFAULT | VIRTIO_F_INDIRECT_DESC);
	return 0;
}

static void request(uint32_t type)
{
	memcpy(v.bytes + VT_DATA, &type, sizeof(type));
	memset(v.bytes + ANSWER, 0xee, 8);
	vt_out(VT_DATA, sizeof(type));
	vt_in(ANSWER, 4);
}

static uint32_t answered(uint16_t id)
{
	uint32_t result;

	vt_kick(0);
	assert_int_equal(vt_expect(0, id), 4);
	memcpy(&result, v.bytes + ANSWER, sizeof(result));
	assert_int_equal(v.bytes[ANSWER + 4], 0xee);
	return result;
}

static void test_layout(void **state)
{
	(void)state;
	assert_int_equal(vt_read(VT_CONFIG, 8), START);
	assert_int_equal(vt_read(VT_CONFIG + 8, 8), SIZE);
	assert_int_equal(vt_read(VT_CONFIG + 16, 4), 0);
	vt_write(VT_CONFIG, 8, 0);
	assert_int_equal(vt_read(VT_CONFIG, 8), START);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUES, 2), 1);
	/* There never was a legacy form. */
	assert_int_equal(pci_config_read(&v.pci, VT_DEVFN, 2, 2),
			 VIRTIO_PCI_MODERN + VIRTIO_KIND_PMEM);
}

static void test_flush(void **state)
{
	uint16_t id[3];

	(void)state;
	vt_msix(2);
	vt_want(0, true);
	request(0);
	assert_int_equal(answered(vt_add(0)), 0);
	assert_int_equal(v.messages, 1);
	request(1);
	assert_int_equal(answered(vt_add(0)), 1);
	request(0);
	assert_int_equal(answered(vt_add_indirect(0, VT_DATA + 0x1000)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++) {
		request(0);
		id[i] = vt_add(0);
	}
	vt_kick(0);
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++)
		assert_int_equal(vt_expect(0, id[i]), 4);
	start(VT_DEFAULT | VIRTIO_F_RING_PACKED);
	request(0);
	assert_int_equal(answered(vt_add(0)), 0);
}

/* One kick for many: others have their turn in between. */
static void test_run_ends(void **state)
{
	uint16_t id[24];

	(void)state;
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	vt_handshake(VT_DEFAULT);
	vt_queue_setup(0, 64);
	vt_driver_ok();
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++) {
		request(0);
		id[i] = vt_add(0);
	}
	vt_kick(0);
	assert_non_null(v.b.clock.first);
	bench_step(&v.b, 10);
	assert_null(v.b.clock.first);
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++)
		assert_int_equal(vt_expect(0, id[i]), 4);
}

static void test_broken(void **state)
{
	(void)state;
	vt_out(VT_DATA, 3);
	vt_in(ANSWER, 4);
	vt_add(0);
	vt_kick(0);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	start(VT_DEFAULT);
	vt_out(VT_DATA, 4);
	vt_in(ANSWER, 3);
	vt_add(0);
	vt_kick(0);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	start(VT_DEFAULT);
	request(0);
	assert_int_equal(answered(vt_add(0)), 0);
}

static void test_config(void **state)
{
	(void)state;
	assert_int_equal(try_init(START, 0), -EINVAL);
	assert_int_equal(try_init(START, MIB(1)), -EINVAL);
	assert_int_equal(try_init(START + MIB(1), SIZE), -EINVAL);
	assert_int_equal(try_init(START, SIZE), -EEXIST);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_layout), TEST(test_flush),  TEST(test_run_ends),
		TEST(test_broken), TEST(test_config),
	};

	return cmocka_run_group_tests_name("virtio_pmem", tests, NULL, NULL);
}
