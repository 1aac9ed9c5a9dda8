/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network card's test needs: a PCI bus with memory, and a network that
 * is the test's.  What is sent is kept, what is to be received waits in a
 * queue.
 */
#ifndef BULKHEAD_TESTS_UNIT_NIC_TEST_H
#define BULKHEAD_TESTS_UNIT_NIC_TEST_H

#include "tests/unit/device_test.h"

#include "devices/pci.h"
#include "include/net.h"

#define BAR0	 0xe0000000ULL
#define BAR_IO	 0xc000
#define DEVFN	 PCI_DEVFN(3, 0)
#define RAM_SIZE MIB(1)
#define FRAMES	 64
#define LINE	 3

static const uint8_t own_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t other_mac[6] = { 0x52, 0x54, 0x00, 0xab, 0xcd, 0xef };

struct test_frame {
	uint32_t length;
	uint8_t data[NET_FRAME_MAX + 8];
};

static struct {
	struct bench b;
	struct pci_bus pci;
	const char *name;
	struct guest_ram ram;
	uint8_t memory[RAM_SIZE] __attribute__((aligned(16)));
	struct net_backend net;
	struct net_device device;
	/* What was sent; a backend with room for so many only. */
	struct test_frame sent[FRAMES];
	unsigned sent_count, room;
	/* What waits to be received. */
	struct test_frame queue[FRAMES];
	unsigned queue_head, queue_tail;
	bool is_lent;
	unsigned warnings;
} t;

/* ---- The network -------------------------------------------------------- */

static void test_attach(void *ctx, const struct net_device *device)
{
	(void)ctx;
	t.device = *device;
}

static bool test_send(void *ctx, const struct net_segment *segment,
		      unsigned count)
{
	struct test_frame *frame = &t.sent[t.sent_count % FRAMES];

	(void)ctx;
	if (!t.room)
		return false;
	t.room--;
	t.sent_count++;
	frame->length = 0;
	for (unsigned i = 0; i < count; i++) {
		assert_true(frame->length + segment[i].length <= NET_FRAME_MAX);
		memcpy(frame->data + frame->length, segment[i].host,
		       segment[i].length);
		frame->length += segment[i].length;
	}
	assert_true(frame->length >= NET_FRAME_MIN);
	return true;
}

static const void *test_receive(void *ctx, uint32_t *length)
{
	struct test_frame *frame = &t.queue[t.queue_head % FRAMES];

	(void)ctx;
	assert_false(t.is_lent);
	if (t.queue_head == t.queue_tail)
		return NULL;
	t.is_lent = true;
	*length = frame->length;
	return frame->data;
}

static void test_release(void *ctx)
{
	(void)ctx;
	assert_true(t.is_lent);
	t.is_lent = false;
	t.queue_head++;
}

static void test_print(void *ctx, enum device_log_level level, const char *text)
{
	(void)ctx;
	assert_int_equal(level, DEVICE_LOG_WARN);
	assert_ptr_equal(strstr(text, t.name), text);
	t.warnings++;
}

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)ctx;
	assert_int_equal(devfn, DEVFN);
	assert_int_equal(pin, 0);
	bench_line(&t.b, LINE, level);
}

static inline bool line(void)
{
	return t.b.level & BIT(LINE);
}

/* All but the card: name is how it calls itself in the log. */
static inline void nic_bench_init(const char *name)
{
	memset(&t, 0, sizeof(t));
	bench_init(&t.b);
	t.name = name;
	t.b.now_ns = NSEC_PER_SEC;
	t.room = FRAMES;
	t.ram = (struct guest_ram){ 1, { { 0, RAM_SIZE, t.memory } } };
	t.net = (struct net_backend){
		.attach = test_attach,
		.send = test_send,
		.receive = test_receive,
		.release = test_release,
		.is_link_up = true,
	};
	memcpy(t.net.mac, own_mac, sizeof(own_mac));
	assert_int_equal(pci_bus_init(&t.pci, &t.b.ports, &t.b.memory), 0);
	t.pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	t.pci.intx_set = intx;
}

/* ---- Frames ------------------------------------------------------------- */

static inline void be16_put(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* An IPv4 packet with so many bytes behind IP's header, sums zero. */
static inline uint32_t frame_make(uint8_t *frame, const uint8_t *to,
				  uint8_t protocol, uint32_t payload)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, other_mac, 6);
	be16_put(frame + 12, 0x0800);
	memset(frame + 14, 0, 20);
	frame[14] = 0x45;
	be16_put(frame + 16, 20 + payload);
	be16_put(frame + 18, 0x1234);
	frame[22] = 64;
	frame[23] = protocol;
	frame[26] = 10;
	frame[30] = 10;
	frame[33] = 2;
	for (uint32_t i = 0; i < payload; i++)
		frame[34 + i] = (uint8_t)(i * 7 + 3);
	return 34 + payload;
}

/* Comes from the network. */
static inline void arrive(const uint8_t *frame, uint32_t length)
{
	struct test_frame *slot = &t.queue[t.queue_tail++ % FRAMES];
	bool was_empty = t.queue_tail - 1 == t.queue_head;

	memset(slot->data, 0, NET_FRAME_MIN);
	memcpy(slot->data, frame, length);
	slot->length = MAX(length, (uint32_t)NET_FRAME_MIN);
	if (was_empty)
		t.device.received(t.device.dev);
}

#endif
