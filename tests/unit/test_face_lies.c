/* SPDX-License-Identifier: BSD-2-Clause */
/* The face, with a seat that asks for nonsense, or breaks the rings. */
#include "tests/unit/face_test.h"

static void test_nonsense(void **state)
{
	const struct face_record shorts[] = {
		{ .kind = FACE_FRAME, .tag = 1 },
		{ .kind = FACE_COMMAND, .tag = 2 },
	};
	static uint8_t large[FACE_REQUESTS_SIZE - 4];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		(void)ask(&shorts[i], sizeof(shorts[i]));
	(void)ask("x", 1);
	face_visit(&b.face);
	expect_answer(1, -EINVAL);
	expect_answer(2, -EINVAL);
	ask_kind(FACE_MODE, 3);
	ask_kind(0, 4);
	ask_kind(0xffff, 5);
	ask_kind(FACE_DEBUG, 6);
	face_visit(&b.face);
	for (uint32_t i = 3; i < 7; i++)
		expect_answer(i, -ENOSYS);
	ask_command(7, 0xffffffff, 0xffffffff);
	face_visit(&b.face);
	expect_answer(7, 0); /* the board's to say */
	(void)ask(large, sizeof(large));
	face_visit(&b.face);
	expect_answer(0, -ENOSYS);
	assert_int_equal(get(), 0);
	assert_int_equal(b.face.state, FACE_IDLE);
}

/* A ring that makes no sense: no face, no pause, no watching any more. */
static void expect_off(void)
{
	assert_int_equal(b.face.state, FACE_OFF);
	assert_false(b.face.is_paused);
	assert_false(b.is_watched);
	assert_false(b.is_down[30]);
	b.agains = 0;
	face_visit(&b.face);
	face_peer_gone(&b.face);
	face_open(&b.face, &b.shared);
	assert_int_equal(b.face.state, FACE_OFF);
	assert_int_equal(b.agains, 0);
}

static void test_broken_rings(void **state)
{
	static const struct {
		struct face_record head;
		struct input_event event;
	} key = { { .kind = FACE_INPUT }, { INPUT_KEY, 30, 1 } };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		face_start(&board);
		ask_frame(1, FACE_FRAME_NOTIFY);
		ask_command(2, FACE_PAUSE, 0);
		(void)ask(&key, sizeof(key));
		face_visit(&b.face);
		assert_true(b.face.is_paused && b.is_watched && b.is_down[30]);
		if (i == 0)
			b.shared.requests.produced += 0x10000;
		else if (i == 1)
			b.shared.answers.consumed -= 5;
		else {
			uint32_t length = 0x7fffffff;
			bool is_wanted;

			assert_int_equal(
				ring_write(&b.requests, &length, 4, &is_wanted),
				4);
		}
		face_visit(&b.face);
		expect_off();
	}
	/* In the middle of an access of the guest's. */
	face_start(&board);
	ask_frame(1, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	(void)frame_read(1);
	b.shared.answers.consumed += 99;
	touch(0, 0, 1, 1);
	expect_off();
}

/* Whatever stands in the rings' memory: bounded work, nothing outside. */
static void test_random(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		if (b.face.state == FACE_OFF || i % 100 == 0)
			face_start(&board);
		if (i % 7 == 0)
			text_mode();
		for (unsigned j = 0; j < 40; j++) {
			uint8_t record[64];

			for (unsigned k = 0; k < sizeof(record); k++) {
				seed = seed * 1664525 + 1013904223;
				record[k] = (uint8_t)(seed >> 24);
			}
			record[0] = record[0] % 9;
			record[1] = 0;
			if (ring_space(&b.requests) >= 68)
				(void)ask(record, 8 + seed % 56);
		}
		if (seed % 50 == 0)
			b.shared.requests_data[seed / 64 %
					       FACE_REQUESTS_SIZE] ^= 0x55;
		b.renders = 0;
		face_visit(&b.face);
		assert_in_range(b.renders, 0, 4);
		touch(seed % 600, 1, seed % 600 + 1, 2);
		for (unsigned j = seed >> 8 & 3; j; j--)
			(void)get();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nonsense),
		TEST(test_broken_rings),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
