/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/seat/carriers.c on a UART and a virtio console of the test's own:
 * that what has come is taken without another event, that who takes nothing
 * keeps nobody else waiting, and that nobody is heard before his rights.
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
#include "services/seat/carriers.h"
#include "tests/unit/fake/seat/lib/user/gate_calls.h"
#include "tests/unit/link_test.h"

#define PORT 0x2f8
#define NOW  NSEC_PER_SEC

/* A client's end of a carrier. */
struct end {
	uint8_t to[8192], from[65536];
	size_t to_length, to_done, from_length;
	size_t takes; /* so many bytes yet */
};

static struct {
	struct end end[CARRIERS];
	uint8_t scratch;
	unsigned polls_again, waits;
	uint64_t waited_ns;
	struct gate_config config;
} host;

static struct mux mux;
static struct faces faces;
static struct asks asks;
static struct ports nets;
static struct carriers carriers;

/* ---- Below carriers.c ---------------------------------------------------- */

static uint8_t port_read(void *ctx, uint16_t port)
{
	struct end *end = &host.end[CARRIER_UART];

	(void)ctx;
	switch (port - PORT) {
	case 0:
		return end->to[end->to_done++];
	case 5:
		return (end->to_done < end->to_length) |
		       (end->takes ? 0x60 : 0);
	default:
		return host.scratch;
	}
}

static void port_write(void *ctx, uint16_t port, uint8_t value)
{
	(void)ctx;
	if (port == PORT + 7)
		host.scratch = value;
}

static void port_write_string(void *ctx, uint16_t port, const char *bytes,
			      size_t length)
{
	struct end *end = &host.end[CARRIER_UART];

	(void)ctx;
	(void)port;
	memcpy(end->from + end->from_length, bytes, length);
	end->from_length += length;
	end->takes -= MIN(end->takes, length);
}

static const struct port_ops ports = { port_read, port_write,
				       port_write_string };

int virtio_console_start(struct virtio_console *console,
			 const struct pci_access *pci,
			 const struct dma_region *memory)
{
	(void)memory;
	/* It takes a moment. */
	pci->ops->relax(pci->ctx);
	console->is_started = true;
	return 0;
}

bool virtio_console_poll(struct virtio_console *console)
{
	(void)console;
	if (host.polls_again && host.polls_again--)
		return true;
	return false;
}

size_t virtio_console_read(struct virtio_console *console, void *bytes,
			   size_t size)
{
	struct end *end = &host.end[CARRIER_VIRTIO];
	size_t n = MIN(size, end->to_length - end->to_done);

	(void)console;
	memcpy(bytes, end->to + end->to_done, n);
	end->to_done += n;
	return n;
}

size_t virtio_console_send(struct virtio_console *console, const void *bytes,
			   size_t length)
{
	struct end *end = &host.end[CARRIER_VIRTIO];
	size_t n = MIN(length, end->takes);

	(void)console;
	memcpy(end->from + end->from_length, bytes, n);
	end->from_length += n;
	end->takes -= n;
	return n;
}

const struct gate_config *gate_config(void)
{
	return &host.config;
}

void *gate_device_dma(unsigned n)
{
	(void)n;
	return NULL;
}

long gate_device_ack(unsigned n)
{
	(void)n;
	return 0;
}

long gate_irq_ack(unsigned irq)
{
	(void)irq;
	return 0;
}

void gate_log(unsigned level, const char *format, ...)
{
	fail_msg("level %u: %s", level, format);
}

void gate_timer(uint64_t deadline_ns)
{
	(void)deadline_ns;
}

uint64_t gate_now_ns(void)
{
	return NOW + host.waited_ns;
}

/* Something comes while it is waited. */
uint64_t gate_wait(void)
{
	host.waited_ns += 70 * NSEC_PER_US;
	return host.waits++ ? BIT(GATE_EVENT_LOG_BIT)
			    : BIT(GATE_EVENT_IRQ_BIT(0));
}

void *gate_device_bar(unsigned n, unsigned bar)
{
	fail_msg("BAR %u of device %u", bar, n);
	return NULL;
}

long gate_device_read(unsigned n, unsigned offset, unsigned size)
{
	fail_msg("device %u, %u bytes at %u", n, size, offset);
	return 0;
}

long gate_device_write(unsigned n, unsigned offset, unsigned size,
		       uint32_t value)
{
	fail_msg("device %u, %x, %u bytes at %u", n, value, size, offset);
	return 0;
}

/* ---- What the tests do --------------------------------------------------- */

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	for (unsigned i = 0; i < CARRIERS; i++)
		host.end[i].takes = SIZE_MAX;
	host.config.device[SEAT_DEVICE_CONSOLE].is_there = true;
	faces_init(&faces, NULL, NULL);
	memset(&carriers, 0, sizeof(carriers));
	ports_init(&nets, NULL, NULL, &asks);
	carriers_init(&carriers, &ports, &mux, &faces, &asks, &nets);
	return 0;
}

/* A request with so many blanks. */
static void say(enum carrier_kind kind, unsigned id, const char *verb,
		int blanks)
{
	struct end *end = &host.end[kind];
	char text[4000];
	int n = snprintf(text, sizeof(text), "{\"id\":%u,\"verb\":\"%s\"%*s}",
			 id, verb, blanks, "");

	host.polls_again += kind == CARRIER_VIRTIO;
	end->to_length +=
		frame_make(end->to + end->to_length, 'J', text, (uint32_t)n);
}

static bool has_heard(enum carrier_kind kind, const char *words)
{
	struct end *end = &host.end[kind];

	size_t length = strlen(words);

	for (size_t i = 0; i + length <= end->from_length; i++)
		if (!memcmp(end->from + i, words, length))
			return true;
	return false;
}

/* One interrupt of the UART's, and then as long as more is to be done at once.
 */
static unsigned run(uint64_t now_ns)
{
	uint64_t events = BIT(GATE_EVENT_IRQ_BIT(1));
	unsigned turns = 0;

	do {
		carriers_run(&carriers, events, now_ns);
		events = 0;
		(void)carriers_flush(&carriers);
		assert_true(++turns < 10000);
	} while (carriers_deadline(&carriers) <= now_ns);
	return turns;
}

/* ---- Tests --------------------------------------------------------------- */

/* An event is told once: the console's UART would be masked for ever. */
static void events_during_a_reset_are_kept(void **state)
{
	(void)state;
	assert_int_equal(host.waits, 2);
	assert_int_equal(carriers.events,
			 BIT(GATE_EVENT_IRQ_BIT(0)) | BIT(GATE_EVENT_LOG_BIT));
}

static void nothing_is_said_before_the_rights(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CARRIERS; i++)
		say(i, 1, "hello", 0);
	(void)run(NOW);
	for (unsigned i = 0; i < CARRIERS; i++)
		assert_int_equal(host.end[i].from_length, 0);
	carriers_rights(&carriers, SEAT_RIGHT_WATCH);
	(void)run(NOW);
	for (unsigned i = 0; i < CARRIERS; i++) {
		assert_true(has_heard(i, "\"begin\""));
		assert_false(has_heard(i, "say hello first"));
	}
	for (unsigned i = 0; i < CARRIERS; i++)
		say(i, 2, "hello\",\"version\":1,\"some\":\"", 0);
	(void)run(NOW);
	for (unsigned i = 0; i < CARRIERS; i++)
		assert_true(has_heard(i, "\"rights\":[\"watch\"]"));
}

/* Longer than a piece, and more requests than are taken at a time. */
static void all_that_came_is_taken(void **state)
{
	(void)state;
	carriers_rights(&carriers, 0);
	for (unsigned i = 0; i < CARRIERS; i++) {
		say(i, 1, "none", 3000);
		for (unsigned k = 2; k < 60; k++)
			say(i, k, "none", 0);
		say(i, 77, "none", 100);
	}
	(void)run(NOW);
	for (unsigned i = 0; i < CARRIERS; i++) {
		assert_int_equal(host.end[i].to_done, host.end[i].to_length);
		assert_true(has_heard(i, "{\"id\":1,"));
		assert_true(has_heard(i, "{\"id\":77,"));
	}
	/* And then nothing is waited for. */
	assert_true(carriers_deadline(&carriers) == UINT64_MAX);
}

/* No interrupt comes before virtio_console_poll() has said that it may. */
static void the_console_is_polled_until_it_sleeps(void **state)
{
	(void)state;
	carriers_rights(&carriers, 0);
	(void)run(NOW);
	host.polls_again = 5;
	assert_int_equal(run(NOW), 6);
	assert_int_equal(host.polls_again, 0);
}

/* The other one is served, and the service does not spin. */
static void who_takes_nothing_waits_alone(void **state)
{
	(void)state;
	carriers_rights(&carriers, 0);
	(void)run(NOW);
	for (unsigned i = 0; i < CARRIERS; i++) {
		unsigned other = CARRIERS - 1 - i;

		(void)setup(NULL);
		carriers_rights(&carriers, 0);
		host.end[i].takes = 0;
		for (unsigned k = 1; k < 100; k++)
			say(i, k, "none", 0);
		assert_true(run(NOW) < 200);
		assert_int_equal(host.end[i].from_length, 0);
		say(other, 5, "none", 0);
		assert_true(run(NOW + 1) < 20);
		assert_true(has_heard(other, "{\"id\":5,"));
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(events_during_a_reset_are_kept),
		TEST(nothing_is_said_before_the_rights),
		TEST(all_that_came_is_taken),
		TEST(the_console_is_polled_until_it_sleeps),
		TEST(who_takes_nothing_waits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
