/* SPDX-License-Identifier: BSD-2-Clause */
/* What network cards have in common. */
#include "tests/unit/device_test.h"

#include "devices/net_port.h"

static struct {
	unsigned waiting, taken, room;
	bool is_lent;
	char line[100];
} t;

static const void *test_receive(void *ctx, uint32_t *length)
{
	(void)ctx;
	assert_false(t.is_lent);
	if (!t.waiting)
		return NULL;
	t.is_lent = true;
	*length = 60 + t.waiting;
	return "frame";
}

static void test_release(void *ctx)
{
	(void)ctx;
	assert_true(t.is_lent);
	t.is_lent = false;
	t.waiting--;
}

static bool take(void *dev, const uint8_t *frame, uint32_t length)
{
	assert_ptr_equal(dev, &t);
	assert_string_equal(frame, "frame");
	assert_int_equal(length, 60 + t.waiting);
	if (t.taken == t.room)
		return false;
	t.taken++;
	return true;
}

static const struct net_backend backend = { .receive = test_receive,
					    .release = test_release };

static void test_run(void **state)
{
	struct net_port port = { .net = &backend };

	(void)state;
	memset(&t, 0, sizeof(t));
	assert_true(net_port_run(&port, take, &t));
	t.waiting = 3;
	t.room = 2;
	assert_true(net_port_run(&port, take, &t));
	assert_int_equal(t.taken, 2);
	/* The third waits, is offered again, and is not taken twice. */
	assert_non_null(port.held);
	assert_true(net_port_run(&port, take, &t));
	assert_int_equal(t.taken, 2);
	t.room = 3;
	assert_true(net_port_run(&port, take, &t));
	assert_int_equal(t.taken, 3);
	assert_int_equal(t.waiting, 0);
	assert_null(port.held);
}

static void test_budget(void **state)
{
	struct net_port port = { .net = &backend };

	(void)state;
	memset(&t, 0, sizeof(t));
	t.waiting = 1000;
	t.room = 1000;
	assert_false(net_port_run(&port, take, &t));
	assert_true(t.taken > 0 && t.taken < 1000);
	assert_int_equal(t.waiting, 1000 - t.taken);
}

static void test_release_held(void **state)
{
	struct net_port port = { .net = &backend };

	(void)state;
	memset(&t, 0, sizeof(t));
	t.waiting = 1;
	assert_true(net_port_run(&port, take, &t));
	assert_true(t.is_lent);
	net_port_release(&port);
	assert_false(t.is_lent);
	net_port_release(&port); /* there is none */
}

/* A bit at a time, as the shift register of the wire has it: top bit first. */
static uint32_t crc_slow(const uint8_t *bytes, size_t length)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < 8 * length; i++) {
		uint32_t bit = bytes[i / 8] >> i % 8 & 1;

		crc = crc << 1 ^ (crc >> 31 != bit ? 0x04c11db7 : 0);
	}
	return crc;
}

static void test_crc(void **state)
{
	uint8_t mac[6] = { 0x01, 0x00, 0x5e, 0, 0, 1 };

	(void)state;
	/* The check value of the catalogue of CRCs. */
	assert_int_equal(~net_crc((const uint8_t *)"123456789", 9), 0xcbf43926);
	for (unsigned i = 0; i < 200; i++) {
		uint32_t slow;
		unsigned last = 0;

		mac[3] = (uint8_t)(i * 37);
		mac[5] = (uint8_t)i;
		slow = crc_slow(mac, 6);
		for (unsigned k = 0; k < 6; k++)
			last |= (slow >> k & 1) << (5 - k);
		assert_int_equal(net_hash_high(mac), slow >> 26);
		assert_int_equal(net_hash_low(mac), last);
	}
}

static void test_broadcast(void **state)
{
	uint8_t mac[6] = { 255, 255, 255, 255, 255, 255 };

	(void)state;
	assert_true(net_is_broadcast(mac));
	for (unsigned i = 0; i < 6; i++) {
		mac[i] = 0xfe;
		assert_false(net_is_broadcast(mac));
		mac[i] = 0xff;
	}
}

static void print(void *ctx, enum device_log_level level, const char *text)
{
	assert_ptr_equal(ctx, &t);
	assert_int_equal(level, DEVICE_LOG_WARN);
	(void)snprintf(t.line, sizeof(t.line), "%s", text);
}

static void test_warn(void **state)
{
	const struct device_log log = { print, &t }, none = { 0 };

	(void)state;
	net_warn(&none, "card", "nobody hears");
	net_warn(&log, "card", "a ring");
	assert_string_equal(t.line, "card: a ring");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_release_held),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_broadcast),
		cmocka_unit_test(test_warn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
