/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtio_console.c on a device of the test's own, with one port and
 * with several: bytes both ways, no room, and a device that lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/virtio_console.h"
#include "include/errno.h"
#include "tests/unit/fake/virtio/device.h"

#define DMA_AT	  0x7654000ULL
#define CONSOLE	  3
#define MULTIPORT BIT(1)
#define BUFFERS	  VIRTIO_CONSOLE_BUFFERS

enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX1, TX1, QUEUES };

static uint8_t dma[256 * 1024] __aligned(4096);
static struct fake_virtio device;
static struct virtio_console console;
static unsigned rx, tx; /* of the port that is used */

static int setup(void **state)
{
	(void)state;
	fake_virtio_fini(&device);
	memset(&device, 0, sizeof(device));
	memset(dma, 0xee, sizeof(dma));
	device.memory = (struct fake_memory){
		.count = 1,
		.region = { { dma, DMA_AT, sizeof(dma) } },
	};
	fake_virtio_init(&device, CONSOLE);
	device.queue_count = QUEUES;
	for (unsigned i = 0; i < QUEUES; i++)
		device.queue[i].max = 64;
	rx = RX0;
	tx = TX0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_virtio_fini(&device);
	return 0;
}

static int start(void)
{
	const struct dma_region memory = { dma, DMA_AT, VIRTIO_CONSOLE_DMA };

	return virtio_console_start(&console, &device.access, &memory);
}

static void started(void)
{
	assert_int_equal(start(), 0);
	assert_null(console.why);
}

static void several_ports(void)
{
	device.offered |= MULTIPORT;
	rx = RX1;
	tx = TX1;
}

/* The device fills the next buffer of a queue. */
static void fill(unsigned queue, const void *bytes, uint32_t length)
{
	struct fake_chain chain;

	assert_true(fake_ring_pop(&device.queue[queue].ring, &chain));
	assert_int_equal(chain.readable, 0);
	assert_true(length <= chain.part[0].length);
	memcpy(fake_memory_at(&device.memory, chain.part[0].address, length),
	       bytes, length);
	fake_virtio_push(&device, queue, chain.head, length);
}

/* It takes the next buffer that was sent: what is in it, or NULL. */
static const void *drain(unsigned queue, uint32_t *length)
{
	struct fake_chain chain;

	if (!fake_ring_pop(&device.queue[queue].ring, &chain))
		return NULL;
	assert_int_equal(chain.readable, chain.count);
	*length = chain.part[0].length;
	fake_virtio_push(&device, queue, chain.head, 0);
	return fake_memory_at(&device.memory, chain.part[0].address, *length);
}

static void expect_read(const char *want)
{
	char bytes[64] = "";

	assert_int_equal(virtio_console_read(&console, bytes, 63),
			 strlen(want));
	assert_string_equal(bytes, want);
}

static void expect_sent(const char *want)
{
	uint32_t length;
	const void *bytes = drain(tx, &length);

	assert_non_null(bytes);
	assert_int_equal(length, strlen(want));
	assert_memory_equal(bytes, want, length);
}

static void poll_to_sleep(void)
{
	unsigned n = 0;

	while (virtio_console_poll(&console))
		assert_true(n++ < 4);
}

static void broke(const char *why)
{
	(void)virtio_console_poll(&console);
	assert_non_null(console.why);
	assert_string_equal(console.why, why);
	assert_int_equal(virtio_console_send(&console, "a", 1), 0);
	expect_read("");
	assert_false(virtio_console_poll(&console));
}

/* ---- Bytes --------------------------------------------------------------- */

static void bytes_both_ways(void)
{
	char byte;

	poll_to_sleep();
	fill(rx, "hello", 5);
	fill(rx, "", 0);
	fill(rx, " you", 4);
	assert_true(virtio_console_poll(&console));
	assert_int_equal(virtio_console_read(&console, &byte, 1), 1);
	assert_int_equal(byte, 'h');
	expect_read("ello you");
	/* All are the device's again. */
	assert_int_equal(fake_ring_waiting(&device.queue[rx].ring), BUFFERS);
	assert_int_equal(virtio_console_send(&console, "answer", 6), 6);
	expect_sent("answer");
	poll_to_sleep();
}

static void one_port(void **state)
{
	(void)state;
	started();
	assert_false(device.queue[CONTROL_RX].is_enabled);
	bytes_both_ways();
}

static void no_room(void **state)
{
	static char bytes[BUFFERS * VIRTIO_CONSOLE_BUFFER + 100];
	uint32_t length;

	(void)state;
	started();
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(virtio_console_send(&console, bytes, sizeof(bytes)),
			 sizeof(bytes) - 100);
	assert_int_equal(virtio_console_send(&console, bytes, 1), 0);
	assert_non_null(drain(tx, &length));
	assert_int_equal(length, VIRTIO_CONSOLE_BUFFER);
	assert_true(virtio_console_poll(&console));
	assert_int_equal(virtio_console_send(&console, bytes, 5000),
			 VIRTIO_CONSOLE_BUFFER);
}

/* ---- Ports --------------------------------------------------------------- */

static void control(uint32_t port, uint16_t event, uint16_t value)
{
	const struct {
		uint32_t port;
		uint16_t event, value;
	} message = { port, event, value };

	fill(CONTROL_RX, &message, sizeof(message));
}

static void expect_control(uint32_t port, uint16_t event)
{
	uint32_t length;
	const uint8_t *bytes = drain(CONTROL_TX, &length);
	const uint8_t want[8] = { (uint8_t)port,  0, 0, 0,
				  (uint8_t)event, 0, 1, 0 };

	assert_non_null(bytes);
	assert_int_equal(length, sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void port_1_of_several(void **state)
{
	uint32_t length;

	(void)state;
	several_ports();
	started();
	assert_false(device.queue[RX0].is_enabled);
	expect_control(0, 0); /* DEVICE_READY */
	control(0, 1, 1);     /* PORT_ADD of another */
	control(1, 1, 1);
	control(1, 77, 1);
	fill(CONTROL_RX, "?", 1);
	assert_true(virtio_console_poll(&console));
	expect_control(1, 3); /* PORT_READY */
	expect_control(1, 6); /* PORT_OPEN */
	assert_null(drain(CONTROL_TX, &length));
	assert_int_equal(fake_ring_waiting(&device.queue[CONTROL_RX].ring),
			 BUFFERS);
	bytes_both_ways();
	control(1, 2, 0);
	broke("has taken its port away");
}

/* Its own answers are not taken: no more are made than there is room for. */
static void ports_without_end(void **state)
{
	(void)state;
	several_ports();
	started();
	for (unsigned i = 0; i < BUFFERS && !console.why; i++) {
		control(1, 1, 1);
		(void)virtio_console_poll(&console);
	}
	broke("does not take its answers");
}

/* ---- Lies ---------------------------------------------------------------- */

static void lying_lengths(void **state)
{
	struct fake_chain chain;

	(void)state;
	started();
	assert_true(fake_ring_pop(&device.queue[rx].ring, &chain));
	fake_virtio_push(&device, rx, chain.head, VIRTIO_CONSOLE_BUFFER + 1);
	broke("used length above what it may write");
	/* What was to be read may not be written at all. */
	(void)setup(NULL);
	started();
	assert_int_equal(virtio_console_send(&console, "a", 1), 1);
	assert_true(fake_ring_pop(&device.queue[tx].ring, &chain));
	fake_virtio_push(&device, tx, chain.head, 1);
	broke("used length above what it may write");
}

static void wrong_ids(void **state)
{
	(void)state;
	started();
	fake_virtio_push(&device, rx, BUFFERS, 0);
	broke("used id out of range");
	(void)setup(NULL);
	started();
	fake_virtio_push(&device, tx, 3, 0); /* nothing was sent */
	broke("used index beyond what is in flight");
	(void)setup(NULL);
	started();
	fake_virtio_push(&device, rx, 1, 0);
	fake_virtio_push(&device, rx, 1, 0);
	broke("used id that is not in flight");
}

static void does_not_start(void **state)
{
	const struct dma_region little = { dma, DMA_AT, KIB(64) };

	(void)state;
	device.queue[RX0].max = BUFFERS / 2;
	assert_int_equal(start(), -EPROTO);
	assert_string_equal(console.why, "has queues that are too short");
	assert_int_equal(virtio_console_send(&console, "a", 1), 0);
	(void)setup(NULL);
	assert_int_equal(
		virtio_console_start(&console, &device.access, &little),
		-ENOMEM);
	assert_string_equal(console.why, "was given too little memory");
	(void)setup(NULL);
	device.is_dying = true;
	assert_int_equal(start(), -EPROTO);
	assert_non_null(console.why);
	(void)setup(NULL);
	device.is_feature_averse = true;
	assert_int_equal(start(), -ENODEV);
	(void)setup(NULL);
	device.reset_reads = UINT32_MAX;
	device.step_ns = NSEC_PER_MS;
	assert_int_equal(start(), -EIO);
	/* It may still write what a former driver gave it: nothing is sent. */
	assert_false(virtio_console_poll(&console));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_port),		 TEST(no_room),
		TEST(port_1_of_several), TEST(ports_without_end),
		TEST(lying_lengths),	 TEST(wrong_ids),
		TEST(does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
