/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cores of guests through services/seat: what a client gets, what holds a dump
 * up, what ends it; machines and clients that lie.
 */
#include "tests/unit/remote_test.h"

#define SIZE 0x100000

static uint32_t tag; /* of the dump that was asked for last */
static uint64_t offset;

static union {
	struct face_record head;
	struct face_dump_begin begin;
	struct face_core core;
	struct face_dump_end end;
	struct face_answer answer;
	uint8_t bytes[FACE_RECORD_MAX];
} record;

/* ---- The machine --------------------------------------------------------- */

static void expect_dump(unsigned n)
{
	machine_expects(n, FACE_DUMP);
	tag = request.head.tag;
	offset = 0;
}

static void put_begin(unsigned n, uint64_t size)
{
	record.begin = (struct face_dump_begin){
		.head = { .kind = FACE_DUMP_BEGIN, .tag = tag }, .size = size
	};
	machine_puts(n, &record, sizeof(record.begin));
}

static void put_core(unsigned n, uint64_t at, size_t length)
{
	record.core.head =
		(struct face_record){ .kind = FACE_CORE, .tag = tag };
	record.core.offset = at;
	memset(record.core.byte, (int)(at >> 12), length);
	machine_puts(n, &record, sizeof(record.core) + length);
}

static void put_next(unsigned n)
{
	put_core(n, offset, FACE_CORE_MAX);
	offset += FACE_CORE_MAX;
}

static void put_end(unsigned n, uint32_t reason)
{
	record.end = (struct face_dump_end){
		.head = { .kind = FACE_DUMP_END, .tag = tag }, .reason = reason
	};
	machine_puts(n, &record, sizeof(record.end));
}

static void put_refusal(unsigned n, int error)
{
	record.answer = (struct face_answer){
		.head = { .kind = FACE_ANSWER, .tag = tag }, .error = error
	};
	machine_puts(n, &record, sizeof(record.answer));
}

static void expect_more(unsigned n, uint32_t count)
{
	machine_expects(n, FACE_DUMP_MORE);
	assert_int_equal(request.head.tag, tag);
	assert_int_equal(request.more.count, count);
}

/* ---- The client ---------------------------------------------------------- */

static void dump(uint32_t id, const char *guest)
{
	say("{\"id\":%u,\"verb\":\"dump\",\"guest\":\"%s\"}", id, guest);
}

/* Good's, as its client, too, is told. */
static void begin(uint32_t id)
{
	char text[64];

	dump(id, "good");
	expect_dump(0);
	expect_nothing();
	put_begin(0, SIZE);
	(void)snprintf(text, sizeof(text),
		       "{\"id\":%u,\"ok\":true,\"size\":%u}", id, SIZE);
	expect(text);
	expect_more(0, REMOTE_DUMP_BATCH);
}

static void expect_core(uint32_t id, uint32_t number, uint64_t at,
			uint32_t length)
{
	uint32_t n, its;
	uint64_t its_offset;
	const uint8_t *bytes = expect_binary(id, REMOTE_CORE, &n);

	assert_int_equal(n, 16 + length);
	memcpy(&its, bytes, sizeof(its));
	memcpy(&its_offset, bytes + 8, sizeof(its_offset));
	assert_int_equal(its, number);
	assert_int_equal(its_offset, at);
	for (uint32_t i = 0; i < length; i++)
		assert_int_equal(bytes[16 + i], (uint8_t)(at >> 12));
}

static void takes(uint32_t id, uint32_t count)
{
	client_types(id, REMOTE_CORE, &count, sizeof(count));
}

static void expect_done(uint32_t id, uint32_t frames)
{
	char text[64];

	(void)snprintf(text, sizeof(text),
		       "{\"id\":%u,\"event\":\"done\",\"frames\":%u}", id,
		       frames);
	expect(text);
}

static void expect_gone(uint32_t id, const char *reason)
{
	char text[80];

	(void)snprintf(text, sizeof(text),
		       "{\"id\":%u,\"event\":\"gone\",\"reason\":\"%s\"}", id,
		       reason);
	expect(text);
}

/* ---- As it should be ----------------------------------------------------- */

static void whole(void **state)
{
	(void)state;
	begin(2);
	put_core(0, 0, 500);
	put_core(0, 4096, 0); /* nothing but zeros so far */
	expect_core(2, 0, 0, 500);
	expect_core(2, 1, 4096, 0);
	expect_more(0, 4);
	put_core(0, SIZE - FACE_CORE_MAX, FACE_CORE_MAX);
	expect_core(2, 2, SIZE - FACE_CORE_MAX, FACE_CORE_MAX);
	takes(2, 3);
	machine_is_asked_nothing(0);
	put_end(0, FACE_DUMP_DONE);
	expect_done(2, 3);
	expect_nothing();
	/* The next, with the same id. */
	begin(2);
	put_end(0, FACE_DUMP_DONE);
	expect_done(2, 0);
	/* What is over is nobody's, and there is nothing to be closed. */
	takes(2, 1);
	say("{\"id\":4,\"verb\":\"close\",\"of\":2}");
	expect_ok(4);
	put_next(0);
	machine_is_asked_nothing(0);
	expect_nothing();
}

/* No more than a window is on its way; the rest waits in the machine. */
static void window(void **state)
{
	uint32_t sent = 0;

	(void)state;
	begin(2);
	while (sent < REMOTE_DUMP_WINDOW) {
		put_next(0);
		put_next(0);
		sent += 2;
		if (sent < REMOTE_DUMP_WINDOW)
			expect_more(0, sent + 2);
	}
	machine_is_asked_nothing(0);
	takes(2, sent + 1); /* more than there were */
	takes(2, 0);
	takes(3, 1);
	client_types(2, REMOTE_CORE, "\1", 1);
	takes(2, 1);
	machine_is_asked_nothing(0);
	takes(2, 2);
	expect_more(0, sent + 2);
	takes(2, 1); /* said again */
	takes(2, sent);
	machine_is_asked_nothing(0);
	put_next(0);
	put_next(0);
	expect_more(0, sent + 4);
}

/* While a client does not read its guest's machine fills no ring: others are
 * served, and it goes on when it reads again. */
static void slow(void **state)
{
	(void)state;
	begin(2);
	client.is_asleep = true;
	put_next(0);
	put_next(0);
	machine_is_asked_nothing(0);
	assert_true(link_queued(&remote.link) > REMOTE_PICTURE_QUEUE);
	assert_int_equal(ring_space(&machine[0].answers), FACE_ANSWERS_SIZE);
	client.is_asleep = false;
	wake();
	expect_core(2, 0, 0, FACE_CORE_MAX);
	expect_core(2, 1, FACE_CORE_MAX, FACE_CORE_MAX);
	expect_more(0, 4);
}

/* ---- What ends it -------------------------------------------------------- */

static void not_taken(void **state)
{
	(void)state;
	begin(2);
	/* Nothing to take yet: it waits for the machine. */
	pass(3 * REMOTE_DUMP_NS);
	put_next(0);
	expect_core(2, 0, 0, FACE_CORE_MAX);
	pass(REMOTE_DUMP_NS - 1);
	expect_nothing();
	takes(2, 1);
	pass(REMOTE_DUMP_NS);
	put_next(0);
	expect_core(2, 1, FACE_CORE_MAX, FACE_CORE_MAX);
	expect_more(0, 4);
	takes(2, 1); /* as before: that is nothing new */
	assert_int_equal(remote_deadline(&remote, host.now_ns),
			 host.now_ns + REMOTE_DUMP_NS);
	pass(REMOTE_DUMP_NS - 1);
	machine_is_asked_nothing(0);
	expect_nothing();
	pass(1);
	machine_expects(0, FACE_DUMP_CLOSE);
	expect_gone(2, "not taken");
	put_next(0);
	put_end(0, FACE_DUMP_DONE);
	expect_nothing();
	begin(3);
}

/* The carrier itself has no end: the guest goes on all the same. */
static void nobody_reads(void **state)
{
	(void)state;
	begin(2);
	client.is_asleep = true;
	put_next(0);
	put_next(0);
	assert_int_equal(remote_deadline(&remote, host.now_ns),
			 host.now_ns + REMOTE_DUMP_NS);
	pass(REMOTE_DUMP_NS);
	machine_expects(0, FACE_DUMP_CLOSE);
	client.is_asleep = false;
	wake();
	expect_core(2, 0, 0, FACE_CORE_MAX);
	expect_core(2, 1, FACE_CORE_MAX, FACE_CORE_MAX);
	expect_gone(2, "not taken");
}

static void ends(void **state)
{
	static const struct {
		uint32_t reason;
		const char *text;
	} rows[] = { { FACE_DUMP_RESUMED, "resumed" },
		     { FACE_DUMP_RESET, "reset" } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(2);
		put_next(0);
		expect_core(2, 0, 0, FACE_CORE_MAX);
		put_end(0, rows[i].reason);
		expect_gone(2, rows[i].text);
		/* Before it began. */
		dump(3, "good");
		expect_dump(0);
		put_end(0, rows[i].reason);
		expect_error(3, "refused", "the machine");
	}
	begin(4);
	guest_ends(0);
	expect_gone(4, "ended");
	guest_begins(0);
	dump(5, "good");
	expect_dump(0);
	guest_ends(0);
	expect_error(5, "not running", "the machine");
}

static void client_ends_it(void **state)
{
	(void)state;
	begin(2);
	put_next(0);
	expect_core(2, 0, 0, FACE_CORE_MAX);
	say("{\"id\":3,\"verb\":\"close\",\"of\":2}");
	expect_ok(3);
	machine_expects(0, FACE_DUMP_CLOSE);
	put_next(0);
	expect_nothing();
	/* Another client comes instead. */
	begin(4);
	hello();
	client.from_done = client.from_length;
	machine_expects(0, FACE_DUMP_CLOSE);
	machine_is_asked_nothing(0);
	pass(2 * REMOTE_DUMP_NS);
	expect_nothing();
	/* Before the machine has begun. */
	dump(5, "good");
	expect_dump(0);
	say("{\"id\":6,\"verb\":\"close\",\"of\":5}");
	expect_ok(6);
	machine_expects(0, FACE_DUMP_CLOSE);
	put_begin(0, SIZE);
	expect_nothing();
	begin(7);
}

/* ---- What is refused ----------------------------------------------------- */

static void refusals(void **state)
{
	(void)state;
	begin(2);
	/* Of the same guest, of another, with the same id: one at a time. */
	dump(3, "good");
	expect_error(3, "busy", "good");
	dump(4, "evil");
	expect_error(4, "busy", "evil");
	dump(2, "good");
	expect_error(2, "busy", "good");
	machine_is_asked_nothing(0);
	machine_is_asked_nothing(1);
	/* All the time it is the first one's. */
	put_next(0);
	expect_core(2, 0, 0, FACE_CORE_MAX);
	put_end(0, FACE_DUMP_DONE);
	expect_done(2, 1);
	dump(5, "nobody");
	expect_error(5, "not running", "nobody");
	say("{\"id\":6,\"verb\":\"dump\"}");
	expect_error(6, "bad request", "guest");
	dump(7, "good");
	expect_dump(0);
	put_refusal(0, -ENOSYS);
	expect_error(7, "refused", "the machine");
	dump(8, "good");
	expect_dump(0);
	put_refusal(0, -EBUSY);
	expect_error(8, "busy", "the machine");
	init_allows(SEAT_RIGHTS_ALL & ~(uint32_t)SEAT_RIGHT_DEBUG);
	dump(9, "good");
	expect_error(9, "not allowed", "dump");
	machine_is_asked_nothing(0);
}

/* A machine that takes nothing is told late, and before anything else. */
static void told_late(void **state)
{
	const struct input_event key = { INPUT_KEY, 1, 1 };

	(void)state;
	begin(2);
	while (!faces_input(&faces, 1, &key, 1))
		continue;
	say("{\"id\":3,\"verb\":\"close\",\"of\":2}");
	expect_ok(3);
	dump(4, "good");
	expect_error(4, "busy", "good");
	do {
		assert_true(machine_takes(0) > 0);
		wake();
	} while (request.head.kind == FACE_INPUT);
	assert_int_equal(request.head.kind, FACE_DUMP_CLOSE);
	machine_is_asked_nothing(0);
	begin(5);
}

/* ---- Lies ---------------------------------------------------------------- */

/* Its window is granted bit by bit, and not taken. */
static void lie_too_many(void)
{
	for (unsigned i = 0; i < REMOTE_DUMP_WINDOW + 1; i++)
		put_next(0);
}

static void lie_behind(void)
{
	put_core(0, SIZE - 1, 2);
}

static void lie_far(void)
{
	put_core(0, UINT64_MAX, 1);
}

static void lie_back(void)
{
	put_core(0, 8192, 4096);
	put_core(0, 8192, 4096);
}

static void lie_long(void)
{
	put_core(0, 0, FACE_CORE_MAX + 1);
}

static void lie_short(void)
{
	record.head = (struct face_record){ .kind = FACE_CORE, .tag = tag };
	machine_puts(0, &record, 12);
}

static void lie_begin(void)
{
	put_begin(0, SIZE);
}

static void lie_end(void)
{
	put_end(0, FACE_DUMP_RESET + 1);
}

static void lie_end_length(void)
{
	record.end.head =
		(struct face_record){ .kind = FACE_DUMP_END, .tag = tag };
	machine_puts(0, &record, 8);
}

static void lie_answer(void)
{
	put_refusal(0, -EBUSY);
}

static void (*const lies[])(void) = {
	lie_too_many, lie_behind, lie_far, lie_back,	   lie_long,
	lie_short,    lie_begin,  lie_end, lie_end_length, lie_answer,
};

static void machine_lies(void **state)
{
	uint8_t kind = 'B';
	uint32_t length;

	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		const uint8_t *payload = NULL;

		(void)setup_remote(state);
		begin(2);
		lies[i]();
		while (kind == 'B' && (payload = client_hears(&kind, &length)))
			continue;
		assert_non_null(payload);
		assert_true(length > 41);
		assert_memory_equal(
			payload,
			"{\"id\":2,\"event\":\"gone\",\"reason\":\"broken\"}",
			41);
		kind = 'B';
		expect_nothing();
		dump(3, "good");
		expect_error(3, "not running", "good");
		dump(4, "evil");
		expect_dump(1);
	}
}

/* In place of a beginning. */
static void machine_lies_first(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		(void)setup_remote(state);
		dump(2, "good");
		expect_dump(0);
		if (i == 0)
			put_next(0);
		else if (i == 1)
			put_end(0, FACE_DUMP_DONE);
		else if (i == 2)
			put_begin(0, 1ULL << 53);
		else
			put_refusal(0, 0);
		expect_error(2, "refused", "the machine");
		expect_nothing();
	}
}

/* Another's tag is a dump's that was closed. */
static void former_ones(void **state)
{
	(void)state;
	begin(2);
	tag--;
	put_begin(0, 5);
	put_core(0, 999999999, 5);
	put_end(0, FACE_DUMP_DONE);
	expect_nothing();
	tag++;
	put_next(0);
	expect_core(2, 0, 0, FACE_CORE_MAX);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_remote)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(whole),
		TEST(window),
		TEST(slow),
		TEST(not_taken),
		TEST(nobody_reads),
		TEST(ends),
		TEST(client_ends_it),
		TEST(refusals),
		TEST(told_late),
		TEST(machine_lies),
		TEST(machine_lies_first),
		TEST(former_ones),
	};

	return cmocka_run_group_tests_name("seat dump", tests, NULL, NULL);
}
