/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/seat's frames on a stream: what is found among noise, when a frame
 * that does not come to its end is given up, and what is sent.  Frames are made
 * and read here by the words of docs/control.md, not by link.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/seat/link.h"
#include "tests/unit/link_test.h"

#define SECOND NSEC_PER_SEC

static struct link link_;
static uint64_t now_ns;
static uint8_t stream[1 << 16], payload[LINK_SEND_MAX];
static size_t length;

static int setup(void **state)
{
	(void)state;
	memset(&link_, 0x5a, sizeof(link_)); /* as much as init does not set */
	link_init(&link_);
	now_ns = SECOND;
	length = 0;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

/* ---- Receiving ----------------------------------------------------------- */

static void add_noise(const char *bytes, size_t count)
{
	memcpy(stream + length, bytes, count);
	length += count;
}

static size_t add_frame(const void *bytes, uint32_t count)
{
	size_t n = frame_make(stream + length, 'J', bytes, count);

	length += n;
	return n;
}

static void add_text(const char *text)
{
	(void)add_frame(text, (uint32_t)strlen(text));
}

/* All of the stream that there is room for. */
static void feed(const uint8_t *bytes, size_t count)
{
	assert_true(count <= link_wants(&link_));
	link_received(&link_, bytes, count);
}

static void expect_none(void)
{
	struct link_frame frame;

	assert_false(link_next(&link_, &frame, now_ns));
}

static void expect_text(const char *text)
{
	struct link_frame frame;

	assert_true(link_next(&link_, &frame, now_ns));
	assert_int_equal(frame.kind, LINK_JSON);
	assert_int_equal(frame.length, strlen(text));
	assert_memory_equal(frame.payload, text, frame.length);
}

static void test_crc(void **state)
{
	(void)state;
	/* The check value of every catalogue of CRCs. */
	assert_int_equal(frame_crc("123456789", 9), 0xcbf43926);
	add_text("123456789");
	feed(stream, length);
	expect_text("123456789");
}

static void test_in_order(void **state)
{
	(void)state;
	add_text("one");
	add_text("two");
	add_text("three");
	feed(stream, length);
	expect_text("one");
	expect_text("two");
	expect_text("three");
	expect_none();
	assert_int_equal(link_.noise, 0);
	assert_int_equal(link_deadline(&link_), UINT64_MAX);
	assert_int_equal(link_wants(&link_), sizeof(link_.in));
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	add_text("slowly");
	for (size_t i = 0; i < length; i++) {
		expect_none();
		feed(stream + i, 1);
	}
	expect_text("slowly");
}

static void test_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, 1, LINK_RECEIVE_MAX - 1,
					    LINK_RECEIVE_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct link_frame frame;

		length = 0;
		(void)add_frame(payload, lengths[i]);
		feed(stream, length);
		assert_true(link_next(&link_, &frame, now_ns));
		assert_int_equal(frame.length, lengths[i]);
		assert_memory_equal(frame.payload, payload, lengths[i]);
		expect_none();
	}
	/* Longer ones are none, and cost no more than their beginning. */
	length = 0;
	(void)add_frame(payload, LINK_RECEIVE_MAX + 1);
	feed(stream, LINK_HEAD);
	expect_none();
	assert_int_equal(link_.noise, LINK_HEAD);
}

static void test_noise_around(void **state)
{
	(void)state;
	add_noise("boot: hello\r\n\xc5\xc5\x5a", 16);
	add_text("one");
	add_noise("\xc5\x5a\xc5\x5aJ\0\0\0\0\0", 10);
	add_text("two");
	add_noise("\xc5", 1);
	add_text("three");
	feed(stream, length);
	expect_text("one");
	expect_text("two");
	expect_text("three");
	expect_none();
}

/* Any one byte of it wrong: it is none, and the next one is found. */
static void test_noise_within(void **state)
{
	size_t first;

	(void)state;
	for (size_t i = 0;; i++) {
		(void)setup(state);
		first = add_frame("{\"id\":1}", 8);
		if (i == first)
			break;
		add_text("next");
		stream[i] ^= 0x10;
		feed(stream, length);
		/* Its length has a check of its own: nothing to wait for. */
		expect_text("next");
		expect_none();
	}
}

/* Bytes missing: who takes the next one for the rest finds it all the same. */
static void test_cut(void **state)
{
	size_t first;

	(void)state;
	for (size_t cut = 1;; cut++) {
		(void)setup(state);
		first = add_frame("{\"id\":1,\"verb\":\"list\"}", 22);
		if (cut == first)
			break;
		length = cut;
		add_text("a next one that is longer than what is missing");
		feed(stream, length);
		expect_text("a next one that is longer than what is missing");
		expect_none();
	}
}

/* Whole frames in what turns out to be none. */
static void test_frames_within(void **state)
{
	uint8_t inner[256];
	size_t n = frame_make(inner, 'J', "inner", 5);

	(void)state;
	n += frame_make(inner + n, 'J', "second", 6);
	(void)add_frame(inner, (uint32_t)n);
	add_text("next");
	/* While the outer one is whole they are its payload. */
	feed(stream, length);
	{
		struct link_frame frame;

		assert_true(link_next(&link_, &frame, now_ns));
		assert_int_equal(frame.length, n);
	}
	expect_text("next");
	expect_none();
	stream[LINK_HEAD + n] ^= 1;
	feed(stream, length);
	expect_text("inner");
	expect_text("second");
	expect_text("next");
	expect_none();
}

/* ---- Time ---------------------------------------------------------------- */

static void test_an_end_that_does_not_come(void **state)
{
	(void)state;
	(void)add_frame(payload, 1000);
	feed(stream, 500);
	expect_none();
	assert_int_equal(link_deadline(&link_), now_ns + LINK_PATIENCE_NS);
	/* More of it does not make it last longer. */
	now_ns += SECOND / 2;
	feed(stream + 500, 100);
	expect_none();
	length = 0;
	add_text("hello");
	feed(stream, length);
	now_ns += SECOND / 2 - 1;
	expect_none();
	assert_int_equal(link_deadline(&link_), now_ns + 1);
	now_ns++;
	expect_text("hello");
	assert_int_equal(link_deadline(&link_), UINT64_MAX);
}

static void test_an_end_that_comes_late(void **state)
{
	(void)state;
	add_text("in time");
	feed(stream, length - 1);
	expect_none();
	now_ns += SECOND - 1;
	feed(stream + length - 1, 1);
	expect_text("in time");
	/* Its second begins when it is looked at: the rest may wait in a FIFO
	 * while nobody looks. */
	feed(stream, length - 1);
	now_ns += 10 * SECOND;
	expect_none();
	feed(stream + length - 1, 1);
	expect_text("in time");
	assert_int_equal(link_.noise, 0);
}

/* Each that is given up leaves the next its own time. */
static void test_one_after_the_other(void **state)
{
	(void)state;
	(void)add_frame(payload, 1000);
	length = 50;
	(void)add_frame(payload, 3000);
	feed(stream, 150);
	expect_none();
	now_ns += SECOND;
	expect_none();
	assert_int_equal(link_.noise, 50);
	now_ns += SECOND - 1;
	expect_none();
	feed(stream + 150, length - 150);
	{
		struct link_frame frame;

		assert_true(link_next(&link_, &frame, now_ns));
		assert_int_equal(frame.length, 3000);
	}
}

/* ---- Frames among noise -------------------------------------------------- */

static void noise_random(unsigned count)
{
	static const uint8_t often[] = { 0xc5, 0x5a, 'J', 'B', 0 };

	while (count--)
		stream[length++] =
			rand() % 3 ? (uint8_t)rand()
				   : often[(unsigned)rand() % sizeof(often)];
}

/* What noise does not hit arrives, once, in order; nothing else does. */
static void test_random(void **state)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		unsigned sent = 0, got = 0;
		size_t at = 0;

		srand(seed);
		(void)setup(state);
		while (length < sizeof(stream) / 2) {
			uint8_t bytes[600];
			uint32_t n = 4 + (uint32_t)rand() % 590;

			for (uint32_t i = 4; i < n; i++)
				bytes[i] = rand() % 4 ? (uint8_t)rand() : 0xc5;
			memcpy(bytes, &sent, sizeof(sent));
			sent++;
			if (rand() % 3 == 0)
				noise_random((unsigned)rand() % 40);
			(void)add_frame(bytes, n);
		}
		while (at < length || link_deadline(&link_) != UINT64_MAX) {
			size_t n = MIN((size_t)rand() % 300, length - at);
			struct link_frame frame;

			n = MIN(n, link_wants(&link_));
			feed(stream + at, n);
			at += n;
			now_ns += at == length ? SECOND : SECOND / 5000;
			while (link_next(&link_, &frame, now_ns)) {
				unsigned number;

				memcpy(&number, frame.payload, 4);
				assert_int_equal(number, got);
				got++;
			}
		}
		assert_int_equal(got, sent);
	}
}

/* ---- Sending ------------------------------------------------------------- */

static void send(enum link_kind kind, uint32_t count)
{
	uint32_t half = count / 2;

	assert_true(link_has_room(&link_, count));
	link_begin(&link_, kind, count);
	link_add(&link_, payload, half);
	link_add(&link_, payload + half, count - half);
	link_end(&link_);
}

/* What waits to be sent, at most so much, into the stream. */
static void take(size_t most)
{
	while (most) {
		size_t n;
		const void *bytes = link_pending(&link_, &n);

		n = MIN(n, most);
		if (!n)
			return;
		memcpy(stream + length, bytes, n);
		length += n;
		most -= n;
		link_sent(&link_, n);
	}
}

static void expect_sent(uint8_t kind, uint32_t count)
{
	static uint8_t want[LINK_SEND_MAX + LINK_HEAD + LINK_TAIL];
	size_t n = frame_make(want, kind, payload, count);

	assert_true(length >= n);
	assert_memory_equal(stream, want, n);
	length -= n;
	memmove(stream, stream + n, length);
}

static void test_sending(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 2, 100, LINK_SEND_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		send(i % 2 ? LINK_BINARY : LINK_JSON, lengths[i]);
		take(SIZE_MAX);
		expect_sent(i % 2 ? 'B' : 'J', lengths[i]);
		assert_int_equal(length, 0);
	}
}

/* Full to the last byte, at every position of the buffer. */
static void test_full(void **state)
{
	uint32_t big = LINK_SEND_MAX, filled;

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		uint32_t rest = LINK_SEND_BUFFER, count = 0;

		while (rest >= big + LINK_HEAD + LINK_TAIL) {
			send(LINK_BINARY, big);
			rest -= big + LINK_HEAD + LINK_TAIL;
			count++;
		}
		filled = rest - LINK_HEAD - LINK_TAIL;
		assert_false(link_has_room(&link_, filled + 1));
		send(LINK_JSON, filled);
		assert_false(link_has_room(&link_, 0));
		for (uint32_t i = 0; i < count; i++) {
			take(big + LINK_HEAD + LINK_TAIL);
			expect_sent('B', big);
		}
		take(SIZE_MAX);
		expect_sent('J', filled);
		/* On by a few, so that all is cut elsewhere. */
		send(LINK_JSON, round * 97);
		take(SIZE_MAX);
		expect_sent('J', round * 97);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_crc),
		TEST(test_in_order),
		TEST(test_byte_by_byte),
		TEST(test_lengths),
		TEST(test_noise_around),
		TEST(test_noise_within),
		TEST(test_cut),
		TEST(test_frames_within),
		TEST(test_an_end_that_does_not_come),
		TEST(test_an_end_that_comes_late),
		TEST(test_one_after_the_other),
		TEST(test_random),
		TEST(test_sending),
		TEST(test_full),
	};

	return cmocka_run_group_tests_name("seat link", tests, NULL, NULL);
}
