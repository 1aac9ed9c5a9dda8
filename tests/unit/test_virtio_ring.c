/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of virtio queues, split and packed, with event indices and
 * without: chains there and back, notifications both ways, drivers that break
 * the rules.
 */
#include "tests/unit/virtio_test.h"

#include "tests/unit/virtio_echo.h"

static struct echo echo;

#define NEEDS_RESET (vt_status() & VIRTIO_STATUS_NEEDS_RESET)

/* Every kind of ring. */
static const uint64_t kinds[] = {
	VIRTIO_F_VERSION_1,
	VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX,
	VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED,
	VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX,
};

static void start(uint64_t features)
{
	vt_begin();
	assert_int_equal(echo_init(&echo, &v.pci, VT_DEVFN, &v.ram, false), 0);
	vt_plug();
	vt_msix(ECHO_QUEUES + 1);
	vt_handshake(features | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_RING_RESET);
	vt_set(VIRTIO_COMMON_CONFIG_VECTOR, 2, 0);
	for (unsigned i = 0; i < ECHO_QUEUES; i++)
		vt_queue_setup(i, ECHO_SIZE);
	vt_driver_ok();
	assert_int_equal(echo.started, 1);
	assert_int_equal(echo.notified, ECHO_QUEUES);
	v.messages = 0;
}

static void for_kinds(void (*test)(void))
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(kinds[i]);
		test();
	}
}

/* out bytes at VT_DATA, in bytes 0x1000 behind. */
static uint16_t add(unsigned queue, uint32_t out, uint32_t in)
{
	for (uint32_t i = 0; i < out; i++)
		v.bytes[VT_DATA + i] = (uint8_t)(i * 3);
	memset(v.bytes + VT_DATA + 0x1000, 0xee, in + 1);
	vt_out(VT_DATA, out / 2);
	vt_out(VT_DATA + out / 2, out - out / 2);
	vt_in(VT_DATA + 0x1000, 1);
	vt_in(VT_DATA + 0x1001, in - 1);
	return vt_add(queue);
}

static void expect_echo(uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		assert_int_equal(v.bytes[VT_DATA + 0x1000 + i],
				 (uint8_t)(i * 3 + 1));
	assert_int_equal(v.bytes[VT_DATA + 0x1000 + length], 0xee);
}

static void echoes(void)
{
	uint16_t id = add(1, 300, 200);

	assert_true(vt_is_kick_wanted(1, 4));
	vt_kick(1);
	assert_int_equal(vt_expect(1, id), 200);
	expect_echo(200);
	vt_expect_none(1);
	assert_int_equal(v.messages, 1);
	assert_int_equal(v.message[0], 2);
	/* The other way around it is the shorter part that counts. */
	id = add(0, 20, 200);
	vt_kick(0);
	assert_int_equal(vt_expect(0, id), 20);
	expect_echo(20);
}

static void test_echo(void **state)
{
	(void)state;
	for_kinds(echoes);
}

static void goes_around(void)
{
	for (unsigned n = 0; n < 500; n++) {
		uint16_t id[3];
		unsigned batch = 1 + n % 3;

		vt_want(2, true);
		v.messages = 0;
		for (unsigned i = 0; i < batch; i++)
			id[i] = add(2, 1 + n % 90 + 1, 64);
		vt_kick(2);
		for (unsigned i = 0; i < batch; i++)
			assert_int_equal(vt_expect(2, id[i]),
					 MIN(n % 90 + 2, 64));
		vt_expect_none(2);
		assert_int_equal(v.messages, 1);
	}
}

/* Positions turn over; a batch is one interrupt. */
static void test_around(void **state)
{
	(void)state;
	for_kinds(goes_around);
}

static void is_indirect(void)
{
	uint16_t id;

	for (unsigned i = 0; i < 60; i++)
		vt_out(VT_DATA + 2 * i, 2);
	for (unsigned i = 0; i < 12; i++)
		vt_in(VT_DATA + 0x1000 + 10 * i, 10);
	id = vt_add_indirect(0, VT_DATA + 0x8000);
	vt_kick(0);
	assert_int_equal(vt_expect(0, id), 120);
	/* With one of the queue's own before it. */
	vt_out(VT_DATA, 8);
	v.pieces = 0;
	for (unsigned n = 0; n < 40; n++) {
		vt_out(VT_DATA, 8);
		vt_in(VT_DATA + 0x1000, 8);
		id = vt_add_indirect(0, VT_DATA + 0x8000);
		vt_kick(0);
		assert_int_equal(vt_expect(0, id), 8);
	}
}

static void test_indirect(void **state)
{
	(void)state;
	for_kinds(is_indirect);
}

static void is_late(void)
{
	struct virtio_chain one, two;
	uint16_t id[2];

	echo.is_late = true;
	id[0] = add(0, 10, 10);
	id[1] = add(0, 12, 12);
	vt_kick(0);
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &one), 1);
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &two), 1);
	/* Not now. */
	virtio_queue_untake(&echo.virtio, 0, &two);
	virtio_queue_untake(&echo.virtio, 0, &one);
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &one), 1);
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &two), 1);
	assert_int_equal(one.id, id[0]);
	assert_int_equal(two.id, id[1]);
	/* In another order, and nothing is seen before all is. */
	virtio_queue_return(&echo.virtio, &two, 12);
	vt_expect_none(0);
	virtio_queue_return(&echo.virtio, &one, 10);
	vt_expect_none(0);
	assert_int_equal(v.messages, 0);
	virtio_queue_flush(&echo.virtio, 0);
	assert_int_equal(v.messages, 1);
	assert_int_equal(vt_expect(0, id[1]), 12);
	assert_int_equal(vt_expect(0, id[0]), 10);
	virtio_queue_flush(&echo.virtio, 0);
	assert_int_equal(v.messages, 1);
}

static void test_late(void **state)
{
	(void)state;
	for_kinds(is_late);
}

static void is_told(void)
{
	struct virtio_chain chain;
	uint16_t id;

	echo.is_late = true;
	/* It does not want to know, then it does. */
	assert_false(virtio_queue_watch(&echo.virtio, 0, false));
	id = add(0, 8, 8);
	if (!(v.features & VIRTIO_F_EVENT_IDX) || v.ring[0].is_packed)
		assert_false(vt_is_kick_wanted(0, 4));
	assert_true(virtio_queue_watch(&echo.virtio, 0, true));
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &chain), 1);
	assert_false(virtio_queue_watch(&echo.virtio, 0, true));
	/* The driver does not want to be told. */
	vt_want(0, false);
	virtio_queue_return(&echo.virtio, &chain, 0);
	virtio_queue_flush(&echo.virtio, 0);
	assert_int_equal(vt_expect(0, id), 0);
	assert_int_equal(v.messages, 0);
	id = add(0, 8, 8);
	assert_true(vt_is_kick_wanted(0, 4));
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &chain), 1);
	vt_want(0, true);
	virtio_queue_return(&echo.virtio, &chain, 0);
	virtio_queue_flush(&echo.virtio, 0);
	assert_int_equal(v.messages, 1);
}

static void test_told(void **state)
{
	(void)state;
	for_kinds(is_told);
}

static void is_void(void)
{
	struct virtio_chain chain;
	unsigned queue_stopped = echo.queue_stopped;

	echo.is_late = true;
	(void)add(0, 8, 8);
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &chain), 1);
	/* Only that queue. */
	echo.is_stopping = true;
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, 0);
	vt_set(VIRTIO_COMMON_QUEUE_RESET, 2, 1);
	assert_int_equal(echo.queue_stopped, queue_stopped + 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_RESET, 2), 1);
	echo.is_stopping = false;
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_RESET, 2), 0);
	assert_true(virtio_chain_is_void(&echo.virtio, &chain));
	vt_queue_setup(0, 8);
	virtio_queue_return(&echo.virtio, &chain, 8);
	virtio_queue_flush(&echo.virtio, 0);
	vt_expect_none(0);
	assert_int_equal(v.messages, 0);
	echo.is_late = false;
	vt_expect(0, (add(0, 8, 8), vt_kick(0), 0));
	/* All of it, while something is in flight. */
	echo.is_late = true;
	(void)add(0, 8, 8);
	assert_int_equal(virtio_queue_take(&echo.virtio, 0, &chain), 1);
	echo.is_stopping = true;
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_int_not_equal(vt_status(), 0);
	echo.is_stopping = false;
	assert_int_equal(vt_status(), 0);
	virtio_queue_return(&echo.virtio, &chain, 8);
	virtio_queue_flush(&echo.virtio, 0);
	vt_expect_none(0);
}

static void test_void(void **state)
{
	(void)state;
	for_kinds(is_void);
}

/* ---- Drivers that break the rules ---------------------------------------- */

static void bad_address(void)
{
	vt_out(VT_RAM - 8, 9);
	vt_add(0);
}

static void bad_wrap(void)
{
	vt_out(~7ULL, 16);
	vt_add(0);
}

static void bad_length(void)
{
	vt_out(VT_DATA, 0);
	vt_add(0);
}

static void bad_order(void)
{
	vt_in(VT_DATA, 8);
	vt_out(VT_DATA, 8);
	vt_add(0);
}

static void bad_count(void)
{
	for (unsigned i = 0; i <= VIRTIO_SEGMENTS; i++)
		vt_out(VT_DATA, 8);
	vt_add_indirect(0, VT_DATA + 0x8000);
}

static void bad_table_address(void)
{
	vt_piece(VT_RAM - 16, 32, VIRTQ_INDIRECT);
	vt_add(0);
}

static void bad_table_length(void)
{
	vt_piece(VT_DATA, 24, VIRTQ_INDIRECT);
	vt_add(0);
}

static void bad_table_empty(void)
{
	vt_piece(VT_DATA, 0, VIRTQ_INDIRECT);
	vt_add(0);
}

static void bad_table_next(void)
{
	vt_piece(VT_DATA, 16, VIRTQ_INDIRECT);
	vt_out(VT_DATA, 8);
	vt_add(0);
}

/* Endless: back to itself, or around the ring. */
static void bad_loop(void)
{
	struct virtq_desc *split = (void *)(v.bytes + v.ring[0].descriptors);
	struct virtq_packed_desc *packed = (void *)split;

	for (unsigned i = 0; i < ECHO_SIZE; i++) {
		vt_out(VT_DATA, 8);
	}
	vt_add(0);
	if (v.ring[0].is_packed) {
		packed[ECHO_SIZE - 1].flags |= VIRTQ_NEXT;
	} else {
		split[ECHO_SIZE - 1].flags |= VIRTQ_NEXT;
		split[ECHO_SIZE - 1].next = 0;
	}
}

static void (*const bad[])(void) = {
	bad_address,	bad_wrap,	   bad_length,	     bad_order,
	bad_count,	bad_table_address, bad_table_length, bad_table_empty,
	bad_table_next, bad_loop,
};

static void expect_broken(void)
{
	struct virtio_chain chain;

	assert_int_equal(echo.last, -EPROTO);
	assert_true(NEEDS_RESET);
	assert_false(virtio_is_running(&echo.virtio));
	/* It is about the configuration, and it is the end. */
	assert_int_equal(v.messages, 1);
	assert_int_equal(v.message[0], 0);
	for (unsigned i = 0; i < ECHO_QUEUES; i++) {
		vt_kick(i);
		assert_int_equal(virtio_queue_take(&echo.virtio, i, &chain), 0);
		assert_false(virtio_queue_watch(&echo.virtio, i, true));
	}
	assert_int_equal(v.messages, 1);
}

static void test_bad(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++)
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			start(kinds[k]);
			bad[i]();
			vt_kick(0);
			expect_broken();
			/* After a reset it works again. */
			vt_handshake(kinds[k]);
			vt_queue_setup(0, ECHO_SIZE);
			vt_driver_ok();
			vt_expect(0, (add(0, 8, 8), vt_kick(0), 0));
		}
}

/* What only split rings can get wrong. */
static void test_bad_split(void **state)
{
	struct virtq_available *available;
	struct virtq_desc *desc;

	(void)state;
	start(VT_DEFAULT);
	available = (void *)(v.bytes + v.ring[0].driver);
	available->index = ECHO_SIZE + 1;
	vt_kick(0);
	expect_broken();
	start(VT_DEFAULT);
	available->ring[0] = ECHO_SIZE;
	available->index = 1;
	vt_kick(0);
	expect_broken();
	start(VT_DEFAULT);
	desc = (void *)(v.bytes + v.ring[0].descriptors);
	add(0, 8, 8);
	desc[1].next = ECHO_SIZE;
	vt_kick(0);
	expect_broken();
	/* A table in a table. */
	start(VT_DEFAULT);
	vt_piece(VT_DATA, 16, VIRTQ_INDIRECT);
	vt_add_indirect(0, VT_DATA + 0x8000);
	vt_kick(0);
	expect_broken();
}

/* Tables, without having said so. */
static void test_no_indirect(void **state)
{
	(void)state;
	start(VT_DEFAULT);
	vt_handshake(VT_DEFAULT);
	vt_set(VIRTIO_COMMON_CONFIG_VECTOR, 2, 0);
	vt_queue_setup(0, ECHO_SIZE);
	vt_driver_ok();
	v.messages = 0;
	vt_out(VT_DATA, 8);
	vt_add_indirect(0, VT_DATA + 0x8000);
	vt_kick(0);
	expect_broken();
}

/* A queue that is not in memory, not aligned, of an odd size. */
static void test_bad_queue(void **state)
{
	static const struct {
		unsigned offset;
		uint32_t value;
	} rows[] = {
		{ VIRTIO_COMMON_QUEUE_DESC, VT_RAM - 16 },
		{ VIRTIO_COMMON_QUEUE_DESC, VT_DATA + 8 },
		{ VIRTIO_COMMON_QUEUE_DESC + 4, 1 },
		{ VIRTIO_COMMON_QUEUE_AVAILABLE, VT_RAM },
		{ VIRTIO_COMMON_QUEUE_AVAILABLE, VT_DATA + 1 },
		{ VIRTIO_COMMON_QUEUE_USED, VT_RAM - 4 },
		{ VIRTIO_COMMON_QUEUE_USED, VT_DATA + 2 },
		{ VIRTIO_COMMON_QUEUE_SIZE, 12 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		start(VT_DEFAULT);
		vt_set(VIRTIO_COMMON_STATUS, 1, 0);
		vt_handshake(VT_DEFAULT);
		vt_set(rows[i].offset,
		       rows[i].offset == VIRTIO_COMMON_QUEUE_SIZE ? 2 : 4,
		       rows[i].value);
		vt_set(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
		vt_driver_ok();
		assert_true(NEEDS_RESET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_around),
		cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_void),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_split),
		cmocka_unit_test(test_no_indirect),
		cmocka_unit_test(test_bad_queue),
	};

	return cmocka_run_group_tests_name("virtio_ring", tests, NULL, NULL);
}
