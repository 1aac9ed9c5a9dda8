/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk's core: what clients ask for and get, what they may not ask
 * for, those that keep to nothing, those that go.
 */
#include "tests/unit/disk_test.h"

/* ---- What works ---------------------------------------------------------- */

static void test_round_trip(void **state)
{
	(void)state;
	begin_one(0);
	memory_fill(0, 100, 64 * 512, 7);
	assert_int_equal(ask(0, DISK_OP_WRITE, 1000, 64, 100), 0);
	assert_true(fake[0].cache[1000 * 512] == 7);
	assert_true(fake[0].cache[1063 * 512 + 511] == (uint8_t)(7 + 63));
	assert_int_equal(ask(0, DISK_OP_READ, 1000, 64, MEMORY / 2 + 4), 0);
	assert_true(memory_is(0, MEMORY / 2 + 4, 64 * 512, 7));
	/* Nothing permanent before the flush. */
	assert_true(fake[0].platter[1000 * 512] == 0);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), 0);
	assert_true(fake[0].platter[1000 * 512] == 7);
	assert_int_equal(machine[0].link.generation,
			 (uint64_t)starts << 32 | 2);
	assert_int_equal(machine[0].channel.drive[0].sector_count,
			 FAKE_SECTORS);
	assert_int_equal(machine[0].channel.drive[0].flags,
			 DISK_DRIVE_PRESENT | DISK_DRIVE_CACHE |
				 DISK_DRIVE_DISCARD);
	assert_int_equal(machine[0].channel.drive[1].flags, 0);
}

static void test_bounce(void **state)
{
	const uint64_t bounce = DISK_WHERE_BOUNCE;

	(void)state;
	begin_one(0);
	memory_fill(0, bounce, DISK_BOUNCE_SIZE, 3);
	assert_int_equal(
		ask(0, DISK_OP_WRITE, 8, DISK_BOUNCE_SIZE / 512, bounce), 0);
	assert_int_equal(ask(0, DISK_OP_READ, 8, DISK_BOUNCE_SIZE / 512, 512),
			 0);
	assert_true(memory_is(0, 512, DISK_BOUNCE_SIZE, 3));
	assert_int_equal(
		ask(0, DISK_OP_READ, 0, 1, bounce + DISK_BOUNCE_SIZE - 511),
		-EFAULT);
}

/* A guest whose memory comes and goes: its machine is told, and no drive goes
 * there whatever it asks for. */
static void test_moving_memory(void **state)
{
	const uint64_t bounce = DISK_WHERE_BOUNCE;

	(void)state;
	machine[0].has_moving_memory = true;
	begin_one(0);
	memory_fill(0, bounce, 8 * 512, 9);
	assert_int_equal(ask(0, DISK_OP_WRITE, 8, 8, bounce), 0);
	assert_int_equal(ask(0, DISK_OP_READ, 8, 8, bounce + 8192), 0);
	assert_true(memory_is(0, bounce + 8192, 8 * 512, 9));
	assert_int_equal(ask(0, DISK_OP_READ, 8, 8, 0), -EFAULT);
	assert_int_equal(ask(0, DISK_OP_WRITE, 8, 8, 0), -EFAULT);
	assert_int_equal(machine[0].channel.drive[0].flags,
			 DISK_DRIVE_PRESENT | DISK_DRIVE_CACHE |
				 DISK_DRIVE_DISCARD | DISK_DRIVE_BOUNCE);
	machine[0].has_moving_memory = false;
}

/* 64 pieces of odd lengths at odd places: parts are whole blocks all the same,
 * and no more segments than the drive takes. */
static void test_many_segments(void **state)
{
	struct disk_request request = {
		.id = 5, .op = DISK_OP_WRITE, .sector = 64, .segment_count = 64
	};
	uint32_t total = 0;

	(void)state;
	fake[0].info.segments_max = 5;
	fake[0].info.sectors_max = 96;
	service_begin();
	begin_one(0);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t length = i == 63 ? 512 - total % 512 : 3001 + i;

		request.segment[i].where = (uint64_t)i * 16000 + 77;
		request.segment[i].length = length;
		for (uint32_t n = 0; n < length; n++)
			*memory_at(0, request.segment[i].where + n) =
				(uint8_t)((total + n) / 512);
		total += length;
	}
	request.sector_count = total / 512;
	assert_int_equal(disk_client_submit(&machine[0].link, &request), 0);
	finish();
	assert_int_equal(machine[0].status[5], 0);
	for (uint32_t i = 0; i < total; i++)
		assert_int_equal(fake[0].cache[64 * 512 + i],
				 (uint8_t)(i / 512));
	assert_true(fake[0].ended[DRIVE_WRITE] > 12);
}

/* A block that has more segments than the drive takes cannot be moved. */
static void test_too_fragmented(void **state)
{
	struct disk_request request = { .id = 5,
					.op = DISK_OP_READ,
					.sector_count = 1,
					.segment_count = 64 };

	(void)state;
	fake[0].info.segments_max = 63;
	service_begin();
	begin_one(0);
	for (unsigned i = 0; i < 64; i++) {
		request.segment[i].where = (uint64_t)i * 100;
		request.segment[i].length = 8;
	}
	assert_int_equal(disk_client_submit(&machine[0].link, &request), 0);
	finish();
	assert_int_equal(machine[0].status[5], -EINVAL);
}

static void test_clear(void **state)
{
	(void)state;
	for (unsigned has = 0; has < 2; has++) {
		disk_setup(NULL);
		fake[0].info.has_write_zeroes = has;
		fake[0].info.has_discard = has;
		fake[0].info.clear_max = 100;
		fake[0].info.segments_max = 3;
		service_begin();
		begin_one(0);
		memset(fake[0].cache, 0xee, sizeof(fake[0].cache));
		assert_int_equal(ask(0, DISK_OP_WRITE_ZEROES, 11, 301, 0), 0);
		assert_int_equal(fake[0].cache[11 * 512 - 1], 0xee);
		for (unsigned i = 11 * 512; i < 312 * 512; i++)
			assert_int_equal(fake[0].cache[i], 0);
		assert_int_equal(fake[0].cache[312 * 512], 0xee);
		assert_int_equal(fake[0].ended[DRIVE_WRITE_ZEROES],
				 has ? 4 : 0);
		assert_int_equal(ask(0, DISK_OP_DISCARD, 400, 301, 0), 0);
		assert_int_equal(fake[0].ended[DRIVE_DISCARD], has ? 4 : 0);
	}
}

/* Zeroes that are written as data fail like data: with their sector. */
static void test_clear_fails(void **state)
{
	(void)state;
	fake[0].info.has_write_zeroes = false;
	fake[0].bad_sector = 150;
	service_begin();
	begin_one(0);
	memset(fake[0].cache, 0xee, sizeof(fake[0].cache));
	assert_int_equal(ask(0, DISK_OP_WRITE_ZEROES, 11, 301, 0), -EIO);
	assert_int_equal(machine[0].sector[0], 150);
	for (unsigned i = 11 * 512; i < 150 * 512; i++)
		assert_int_equal(fake[0].cache[i], 0);
}

/* ---- What a guest may ask for in earnest, and not get -------------------- */

static void test_refused(void **state)
{
	static const struct {
		unsigned drive;
		enum disk_op op;
		uint64_t sector;
		uint32_t count;
		uint64_t where;
		int status;
	} row[] = {
		{ 0, DISK_OP_READ, 999, 1, 0, 0 },
		{ 0, DISK_OP_READ, 1000, 1, 0, -ERANGE },
		{ 0, DISK_OP_READ, 999, 2, 0, -ERANGE },
		{ 0, DISK_OP_READ, UINT64_MAX, 1, 0, -ERANGE },
		{ 0, DISK_OP_READ, UINT64_MAX - 1, 8, 0, -ERANGE },
		{ 0, DISK_OP_DISCARD, 0, DISK_CLEAR_MAX + 1, 0, -EINVAL },
		{ 0, DISK_OP_DISCARD, 0, 0, 0, -EINVAL },
		{ 0, DISK_OP_FLUSH, 0, 1, 0, -EINVAL },
		{ 0, DISK_OP_READ, 0, 1, MEMORY - 511, -EFAULT },
		{ 0, DISK_OP_READ, 0, 1, MEMORY - 512, 0 },
		{ 0, DISK_OP_READ, 0, 1, MEMORY, -EFAULT },
		{ 0, DISK_OP_READ, 0, 1, ~DISK_WHERE_BOUNCE, -EFAULT },
		{ 0, DISK_OP_READ, 0, 1, UINT64_MAX, -EFAULT },
		{ 0, DISK_OP_READ, 0, 1, DISK_WHERE_BOUNCE + DISK_BOUNCE_SIZE,
		  -EFAULT },
		{ 0, DISK_OP_READ, 0, 1, 9 * PIECE - 1, -EFAULT },
		{ 1, DISK_OP_READ, 0, 1, 0, 0 },
		{ 1, DISK_OP_WRITE, 0, 1, 0, -EROFS },
		{ 1, DISK_OP_WRITE_ZEROES, 0, 1, 0, -EROFS },
		{ 1, DISK_OP_DISCARD, 0, 1, 0, -EROFS },
		{ 2, DISK_OP_READ, 0, 1, 0, -ENODEV },
		{ 2, DISK_OP_FLUSH, 0, 0, 0, -ENODEV },
	};
	const struct disk_unit_spec read_only = { .drive = 1,
						  .count = 8,
						  .is_read_only = true };

	(void)state;
	client_add(0);
	unit_add(0, 0, 100, 1000);
	assert_int_equal(disk_unit_add(&disk, 1, 1, &read_only), 0);
	machine[0].chunk[9] = 0; /* nothing there */
	assert_int_equal(disk_client_start(&disk, 1), 0);
	machine_begin(0, 77);
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		struct disk_request request = {
			.id = i + 1,
			.drive = row[i].drive,
			.op = row[i].op,
			.sector = row[i].sector,
			.sector_count = row[i].count,
			.segment_count = op_has_data(row[i].op),
			.segment[0] = { row[i].where, row[i].count * 512, 0 },
		};

		assert_int_equal(disk_client_submit(&machine[0].link, &request),
				 0);
		finish();
		assert_int_equal(machine[0].status[i + 1], row[i].status);
	}
	assert_int_equal(breaks, 0);
}

/* Blocks of 4 KiB: sectors come eight at a time. */
static void test_blocks(void **state)
{
	(void)state;
	fake[0].info.block_size = 4096;
	service_begin();
	begin_one(0);
	assert_int_equal(ask(0, DISK_OP_READ, 8, 16, 3), 0);
	assert_int_equal(ask(0, DISK_OP_READ, 4, 8, 3), -EINVAL);
	assert_int_equal(ask(0, DISK_OP_READ, 8, 4, 3), -EINVAL);
	fake[0].bad_sector = 8 * 37 + 5;
	assert_int_equal(ask(0, DISK_OP_READ, 8 * 20, 8 * 60, 3), -EIO);
	assert_int_equal(machine[0].sector[0], 8 * 37);
}

/* ---- Clients that break the protocol ------------------------------------- */

static void record_send(const void *record, uint32_t length)
{
	bool ring_bell = false;

	assert_true(ring_put(&machine[0].link.requests, record, length,
			     &ring_bell) > 0);
	disk_ring(&disk, 1);
}

static struct disk_request good_request(void)
{
	return (struct disk_request){
		.id = 200,
		.generation = machine[0].link.generation,
		.op = DISK_OP_READ,
		.sector_count = 1,
		.segment_count = 1,
		.segment[0] = { 0, 512, 0 },
	};
}

static void break_length(struct disk_request *request, uint32_t *length)
{
	(void)request;
	*length -= 1;
}

static void break_short(struct disk_request *request, uint32_t *length)
{
	(void)request;
	*length = 20;
}

static void break_count(struct disk_request *request, uint32_t *length)
{
	(void)length;
	request->segment_count = 2;
}

static void break_count_wraps(struct disk_request *request, uint32_t *length)
{
	(void)length;
	request->segment_count = 0x10000001;
}

static void break_op(struct disk_request *request, uint32_t *length)
{
	(void)length;
	request->op = 99;
}

static void break_drive(struct disk_request *request, uint32_t *length)
{
	(void)length;
	request->drive = DISK_DRIVES;
}

static void break_flags(struct disk_request *request, uint32_t *length)
{
	(void)length;
	request->flags = 2;
}

static void break_segments(struct disk_request *request, uint32_t *length)
{
	(void)length;
	request->op = DISK_OP_FLUSH;
}

static void break_hello(struct disk_request *request, uint32_t *length)
{
	*length = DISK_REQUEST_SIZE(0);
	request->segment_count = 0;
	request->op = DISK_OP_HELLO;
	request->id = 0;
}

static void break_id(struct disk_request *request, uint32_t *length)
{
	record_send(request, *length);
}

static void break_requests_counter(struct disk_request *request,
				   uint32_t *length)
{
	(void)request;
	*length = 0;
	machine[0].channel.requests.produced += DISK_REQUESTS_SIZE + 1;
}

static void break_replies_counter(struct disk_request *request,
				  uint32_t *length)
{
	(void)request;
	(void)length;
	machine[0].channel.replies.consumed += 1;
}

static void break_record_length(struct disk_request *request, uint32_t *length)
{
	bool ring_bell = false;
	uint32_t lie = 100000;

	(void)request;
	*length = 0;
	assert_true(ring_write(&machine[0].link.requests, &lie, 4,
			       &ring_bell) == 4);
}

static void test_broken(void **state)
{
	static void (*const how[])(struct disk_request *, uint32_t *) = {
		break_length,
		break_short,
		break_count,
		break_op,
		break_count_wraps,
		break_drive,
		break_flags,
		break_segments,
		break_hello,
		break_id,
		break_requests_counter,
		break_replies_counter,
		break_record_length,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(how); i++) {
		struct disk_request request;
		uint32_t length = DISK_REQUEST_SIZE(1);

		disk_setup(NULL);
		begin_one(0);
		begin_one(1);
		finish();
		send(0, 1, DISK_OP_READ, 0, 1, 0); /* in flight meanwhile */
		step();
		request = good_request();
		how[i](&request, &length);
		if (length)
			record_send(&request, length);
		disk_ring(&disk, 1);
		finish();
		assert_int_equal(breaks, 1);
		assert_int_equal(log_lines, 1);
		assert_non_null(strstr(last_log, "[m0]"));
		/* Nothing is read or answered any more; the other goes on. */
		assert_int_equal(machine[0].answers, 0);
		assert_int_equal(ask(1, DISK_OP_READ, 5, 5, 5), 0);
		assert_int_equal(disk_client_remove(&disk, 1), 0);
		assert_int_equal(disk_client_gone(&disk), 1);
	}
}

/* A former generation's requests are dropped, not answered, not punished. */
static void test_stale_generation(void **state)
{
	struct disk_request request;

	(void)state;
	begin_one(0);
	finish();
	request = good_request();
	request.generation--;
	record_send(&request, DISK_REQUEST_SIZE(1));
	finish();
	assert_int_equal(fake[0].submitted, 0);
	assert_int_equal(breaks, 0);
	assert_int_equal(ask(0, DISK_OP_READ, 5, 5, 5), 0);
}

/* Whatever the first one writes to its channel, the second has its service and
 * the first's requests stay within its own memory (physical() says). */
static void test_scribbler(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		disk_setup(NULL);
		random_state = seed * 0x9e3779b97f4a7c15ULL;
		begin_one(0);
		client_add(1);
		unit_add(1, 0, 4096, 4096);
		assert_int_equal(disk_client_start(&disk, 2), 0);
		machine_begin(1, 9);
		for (unsigned i = 0; i < 40; i++) {
			uint8_t *bytes = (uint8_t *)&machine[0].channel;
			struct disk_request request = good_request();
			uint8_t *field = (uint8_t *)&request;
			bool ring_bell;

			field[random_below(DISK_REQUEST_SIZE(1))] =
				(uint8_t)random_below(256);
			(void)!ring_put(&machine[0].link.requests, &request,
					DISK_REQUEST_SIZE(1), &ring_bell);
			if (random_below(4) == 0)
				bytes[random_below(20480)] =
					(uint8_t)random_below(256);
			disk_ring(&disk, 1);
			disk_run(&disk, now_ns);
		}
		memory_fill(1, 0, 4096, (uint8_t)seed);
		assert_int_equal(ask(1, DISK_OP_WRITE, 16, 8, 0), 0);
		assert_int_equal(ask(1, DISK_OP_READ, 16, 8, 8192), 0);
		assert_true(memory_is(1, 8192, 4096, (uint8_t)seed));
		assert_true(log_lines <= 25);
	}
}

/* ---- How much is taken --------------------------------------------------- */

/* One that sends without reading its answers: all come when it reads, in flight
 * is never more than the limit, and nothing is lost. */
static void test_answers_unread(void **state)
{
	unsigned sent = 0;

	(void)state;
	begin_one(0);
	finish();
	for (unsigned i = 0; i < 200; i++) {
		struct disk_request request = good_request();
		bool ring_bell = false;

		request.id = 1000 + i;
		if (ring_put(&machine[0].link.requests, &request,
			     DISK_REQUEST_SIZE(1), &ring_bell) <= 0)
			break;
		sent++;
		disk_ring(&disk, 1);
		disk_run(&disk, now_ns);
		assert_true(fake[0].count <= DISK_DEPTH);
		assert_true(disk.client[0].used <= DISK_IN_FLIGHT);
		while (i % 3 == 0 && fake[0].count)
			fake_end(&fake[0], fake[0].count - 1);
	}
	assert_int_equal(breaks, 0);
	assert_int_equal(sent, 200);
	/* The link does not know these ids: count the records themselves. */
	for (unsigned answers = 0; answers < sent;) {
		struct disk_reply reply;
		bool ring_bell = false;

		while (fake[0].count)
			fake_end(&fake[0], 0);
		disk_run(&disk, now_ns);
		while (ring_get(&machine[0].link.replies, &reply, sizeof(reply),
				&ring_bell) > 0)
			answers += reply.kind == DISK_REPLY_DONE &&
				   reply.status == 0;
		if (ring_bell)
			disk_ring(&disk, 1);
		else if (answers < sent)
			assert_true(fake[0].count || disk.client[0].used ||
				    disk.is_again);
	}
	assert_int_equal(breaks, 0);
}

static void test_drive_without_room(void **state)
{
	(void)state;
	fake[0].room = 2;
	begin_one(0);
	for (unsigned i = 0; i < 20; i++)
		send(0, i + 1, DISK_OP_READ, i, 1, i * 512);
	step();
	assert_int_equal(fake[0].count, 2);
	finish();
	assert_int_equal(machine[0].answers, 20);
}

/* ---- Clients that go ----------------------------------------------------- */

static void test_client_gone(void **state)
{
	(void)state;
	begin_one(0);
	finish();
	for (unsigned i = 0; i < 30; i++)
		send(0, i + 1, DISK_OP_READ, i, 1, i * 512);
	step();
	assert_int_equal(fake[0].count, DISK_DEPTH);
	assert_int_equal(disk_client_remove(&disk, 1), 0);
	/* Its memory is a drive's until the last has ended. */
	while (fake[0].count) {
		assert_int_equal(disk_client_gone(&disk), 0);
		assert_int_equal(disk_client_add(&disk, 1, "x", 1, NULL, NULL),
				 -EEXIST);
		fake_end(&fake[0], fake[0].count / 2);
		disk_run(&disk, now_ns);
	}
	assert_int_equal(disk_client_gone(&disk), 1);
	assert_int_equal(disk_client_gone(&disk), 0);
	assert_int_equal(fake[0].submitted, DISK_DEPTH);
	assert_int_equal(machine[0].answers, 0);
	assert_int_equal(disk_client_remove(&disk, 1), -ENOENT);
	memset(&machine[0].channel, 0, sizeof(machine[0].channel));
	begin_one(0);
	assert_int_equal(ask(0, DISK_OP_READ, 1, 1, 1), 0);
}

/* A machine's successor on the same channel: what the former had in flight ends
 * before it is greeted, and is not answered. */
static void test_machine_anew(void **state)
{
	(void)state;
	begin_one(0);
	finish();
	for (unsigned i = 0; i < 30; i++)
		send(0, i + 1, DISK_OP_READ, i, 1, i * 512);
	step();
	machine_begin(0, 4242);
	send(0, 1, DISK_OP_READ, 1, 1, 0);
	step();
	assert_int_equal(machine[0].link.generation, 0);
	assert_int_equal(fake[0].count, DISK_DEPTH);
	while (fake[0].count > 1)
		fake_end(&fake[0], 0);
	step();
	assert_int_equal(machine[0].link.generation, 0);
	finish();
	assert_true(machine[0].link.generation != 0);
	assert_int_equal(machine[0].answers, 1);
	assert_int_equal(fake[0].submitted, DISK_DEPTH + 1);
}

static void test_bad_setup(void **state)
{
	static const struct {
		unsigned slot, number;
		struct disk_unit_spec spec;
		int status;
	} row[] = {
		{ 2, 0, { .count = 1 }, -ENOENT },
		{ 0, 0, { .count = 1 }, -ENOENT },
		{ 99, 0, { .count = 1 }, -ENOENT },
		{ 1, DISK_DRIVES, { .count = 1 }, -ENOENT },
		{ 1, 0, { .drive = 2, .count = 1 }, -ENODEV },
		{ 1, 0, { .drive = 99, .count = 1 }, -ENODEV },
		{ 1, 0, { .count = 0 }, -EINVAL },
		{ 1, 0, { .count = FAKE_SECTORS + 1 }, -ERANGE },
		{ 1, 0, { .first = 2, .count = FAKE_SECTORS - 1 }, -ERANGE },
		{ 1, 0, { .first = UINT64_MAX, .count = 2 }, -ERANGE },
		{ 1, 0, { .drive = 1, .count = 8 }, -EROFS },
		{ 1,
		  0,
		  { .count = 8, .limits = { .bytes_per_s = ~0ULL } },
		  -EINVAL },
		{ 1, 0, { .drive = 1, .count = 8, .is_read_only = true }, 0 },
		{ 1,
		  0,
		  { .drive = 1, .count = 8, .is_read_only = true },
		  -EEXIST },
	};

	(void)state;
	fake[1].info.is_read_only = true;
	service_begin();
	client_add(0);
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(disk_unit_add(&disk, row[i].slot,
					       row[i].number, &row[i].spec),
				 row[i].status);
	fake[0].info.block_size = 1000;
	assert_int_equal(disk_drive_add(&disk, &fake_drive_ops, &fake[0]),
			 -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup(name, disk_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),	     TEST(test_bounce),
		TEST(test_moving_memory),    TEST(test_many_segments),
		TEST(test_too_fragmented),   TEST(test_clear),
		TEST(test_clear_fails),	     TEST(test_refused),
		TEST(test_blocks),	     TEST(test_broken),
		TEST(test_stale_generation), TEST(test_scribbler),
		TEST(test_answers_unread),   TEST(test_drive_without_room),
		TEST(test_client_gone),	     TEST(test_machine_anew),
		TEST(test_bad_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
