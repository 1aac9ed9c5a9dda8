/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four disks of the service with random requests, whose service answers in any
 * order, fails, dies at any step, and comes anew with or without the machine's
 * noticing that it was gone.  Requests are cancelled, drives vanish for a
 * while, the machine resets and waits.
 *
 * What a write that succeeded has written is read from then on; a write that
 * failed, or was cancelled, has written each of its sectors or not.  A request
 * that has ended is not done afterwards.  In the end nothing is left over.
 */
#include "tests/unit/disk_service_test.h"

#define SEEDS	120
#define ACTS	1500
#define SECTORS 512 /* of a disk, that are used */
#define OWN	KIB(512)

enum { FREE, RUNNING };

static struct user {
	struct block_request request;
	int state;
	bool is_cancelled;
	uint32_t sectors;
} user[UNITS];

/* By sector: a stamp, which fills it. */
static uint32_t holds[UNITS][SECTORS];

static uint64_t random_state;
static uint32_t stamp;
static struct {
	unsigned ends, errors, deaths, cancels, checked, resets, gone;
} seen;

static uint32_t roll(uint32_t sides)
{
	random_state =
		random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33) % sides;
}

/* ---- Contents ------------------------------------------------------------ */

/* Sector number n of a request's memory. */
static void sector_move(struct block_request *request, uint32_t n,
			uint8_t *bytes, bool to_request)
{
	uint64_t skip = (uint64_t)n * DISK_SECTOR;
	uint32_t left = DISK_SECTOR;

	for (uint32_t i = 0; i < request->segment_count && left; i++) {
		struct block_segment *segment = &request->segment[i];
		uint32_t piece;

		if (skip >= segment->length) {
			skip -= segment->length;
			continue;
		}
		piece = (uint32_t)MIN(left, segment->length - skip);
		if (to_request)
			memcpy((uint8_t *)segment->host + skip, bytes, piece);
		else
			memcpy(bytes, (uint8_t *)segment->host + skip, piece);
		bytes += piece;
		left -= piece;
		skip = 0;
	}
	assert_int_equal(left, 0);
}

static void fill(uint8_t *bytes, uint32_t value)
{
	for (unsigned i = 0; i < DISK_SECTOR; i += sizeof(value))
		memcpy(bytes + i, &value, sizeof(value));
}

/* Its one value. */
static uint32_t value_of(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	for (unsigned i = 0; i < DISK_SECTOR; i += sizeof(value))
		assert_memory_equal(bytes + i, &value, sizeof(value));
	return value;
}

static void read_check(unsigned unit, uint32_t count)
{
	struct block_request *request = &user[unit].request;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t at = request->sector + i;
		uint8_t bytes[DISK_SECTOR];

		sector_move(request, i, bytes, false);
		assert_int_equal(value_of(bytes), holds[unit][at]);
		seen.checked++;
	}
}

/* The rest each has or not: nothing else will happen to it. */
static void write_note(unsigned unit, uint32_t count, uint32_t sectors)
{
	struct block_request *request = &user[unit].request;

	for (uint32_t i = 0; i < sectors; i++) {
		uint64_t at = request->sector + i;
		uint8_t bytes[DISK_SECTOR];
		uint32_t value, now = value_of(medium_of(unit, at));

		sector_move(request, i, bytes, false);
		value = value_of(bytes);
		assert_true(now == value ||
			    (i >= count && now == holds[unit][at]));
		holds[unit][at] = now;
	}
}

/* ---- Requests ------------------------------------------------------------ */

static void done(void *dev, struct block_request *request, int status)
{
	struct user *u = dev;
	unsigned unit = (unsigned)(u - user);
	uint64_t failed = request->failed_sector - request->sector;
	uint32_t good = status ? 0 : u->sectors;

	assert_int_equal(u->state, RUNNING);
	u->state = FREE;
	seen.ends++;
	seen.errors += status != 0;
	if (status && request->failed_sector != BLOCK_UNKNOWN) {
		assert_true(failed < u->sectors);
		good = (uint32_t)failed;
	}
	if (status == -ECANCELED)
		assert_true(u->is_cancelled);
	if (request->op == BLOCK_READ)
		read_check(unit, good);
	else if (request->op == BLOCK_WRITE)
		write_note(unit, good, u->sectors);
}

/* Pieces of the unit's own half MiB, inside and outside of the window, in
 * lengths that need not be sectors. */
static void segments_roll(unsigned unit, struct block_request *request,
			  uint32_t sectors)
{
	uint32_t left = sectors * DISK_SECTOR, at = 0;

	while (left) {
		bool is_last = request->segment_count == BLOCK_SEGMENTS - 1 ||
			       roll(5) == 0;
		uint32_t n = is_last ? left : 1 + roll(left);
		uint8_t *base = roll(2) ? bench.window + unit * OWN
					: bench.outside + unit * KIB(64);

		if (base < bench.window || base >= bench.window + WINDOW) {
			/* Not beyond what is outside. */
			if (at + n > KIB(64))
				base = bench.window + unit * OWN;
		}
		request->segment[request->segment_count++] =
			(struct block_segment){ base + at, n };
		at += n;
		left -= n;
	}
}

static void submit(unsigned unit)
{
	struct user *u = &user[unit];
	struct block_request *request = &u->request;

	memset(u, 0, sizeof(*u));
	u->state = RUNNING;
	request->op =
		roll(8) ? roll(2) ? BLOCK_READ : BLOCK_WRITE : BLOCK_FLUSH;
	request->is_fua = request->op == BLOCK_WRITE && roll(2);
	request->failed_sector = BLOCK_UNKNOWN;
	request->done = done;
	request->dev = u;
	if (request->op != BLOCK_FLUSH) {
		u->sectors = 1 + roll(roll(3) ? 16 : 200);
		request->sector = roll(SECTORS - u->sectors);
		segments_roll(unit, request, u->sectors);
	}
	for (uint32_t i = 0; i < u->sectors; i++) {
		uint8_t bytes[DISK_SECTOR];

		fill(bytes, request->op == BLOCK_WRITE ? ++stamp : 0);
		sector_move(request, i, bytes, true);
	}
	bench.disk[unit]->submit(bench.disk[unit]->ctx, request);
}

static void cancel(unsigned unit)
{
	seen.cancels++;
	user[unit].is_cancelled = true;
	bench.disk[unit]->cancel(bench.disk[unit]->ctx, &user[unit].request);
}

/* ---- The service --------------------------------------------------------- */

/* Requests that have ended are of nobody any more. */
static void taken_check(void)
{
	for (unsigned i = 0; i < bench.count; i++) {
		unsigned unit = UNITS - 1 - bench.taken[i].drive;

		assert_int_equal(user[unit].state, RUNNING);
	}
}

static void answer(void)
{
	static const int errors[] = { -EIO, -EIO, -ENOSPC, -ERANGE, -EINVAL };
	unsigned index = roll(bench.count);
	const struct disk_request *request = &bench.taken[index];
	int status = roll(8) ? 0 : errors[roll(5)];
	uint64_t sector = request->sector + roll(12);

	if (request->op == DISK_OP_FLUSH)
		sector = 0;
	service_answer(index, status, sector);
}

/* Some of what it has, it has done, or in part, when it dies. */
static void die(void)
{
	seen.deaths++;
	for (unsigned i = 0; i < bench.count; i++) {
		const struct disk_request *request = &bench.taken[i];

		if (roll(2))
			service_move(request, roll(request->sector_count + 1));
	}
	service_die();
}

static void start(void)
{
	for (unsigned i = 0; i < UNITS; i++) {
		struct disk_drive_info *info = &bench.info[i];

		info->flags &= ~DISK_DRIVE_BOUNCE;
		if (roll(4) == 0)
			info->flags |= DISK_DRIVE_BOUNCE;
		info->flags |= DISK_DRIVE_PRESENT;
		if (roll(12) == 0) {
			info->flags &= ~DISK_DRIVE_PRESENT;
			seen.gone++;
		}
	}
	service_start();
}

static void service_act(void)
{
	if (bench.state != GATE_CHANNEL_OPEN) {
		if (roll(3) == 0)
			start();
		return;
	}
	switch (roll(12)) {
	case 0:
		if (roll(3) == 0)
			die();
		break;
	case 1 ... 5:
		service_read();
		taken_check();
		break;
	default:
		if (bench.count)
			answer();
	}
}

/* ---- The machine --------------------------------------------------------- */

static void answer_all(void)
{
	if (bench.state != GATE_CHANNEL_OPEN) {
		bench.now_ns += NSEC_PER_SEC;
		return;
	}
	service_read();
	if (bench.count)
		answer();
	else if (roll(4) == 0)
		die();
}

/* As a reset of the VM's does it. */
static void reset(void)
{
	seen.resets++;
	for (unsigned i = 0; i < UNITS; i++)
		if (user[i].state == RUNNING)
			cancel(i);
	bench.on_wait = answer_all;
	bench.waits = 0;
	assert_true(disk_service_drain(&bench.machine, roll(4)));
	bench.on_wait = NULL;
	for (unsigned i = 0; i < UNITS; i++)
		assert_int_equal(user[i].state, FREE);
}

static void machine_act(void)
{
	unsigned unit = roll(UNITS);

	switch (roll(10)) {
	case 0 ... 3:
		if (user[unit].state == FREE)
			submit(unit);
		break;
	case 4:
		if (user[unit].state == RUNNING && roll(3) == 0)
			cancel(unit);
		break;
	case 5:
		if (roll(30) == 0)
			reset();
		else if (roll(30) == 0)
			bench_time(roll(3) * DISK_SERVICE_AWAY_NS / 2);
		break;
	default:
		disk_service_event(&bench.machine);
	}
}

static void end_check(void)
{
	unsigned rounds = 0;

	if (bench.state != GATE_CHANNEL_OPEN)
		start();
	for (unsigned i = 0; i < UNITS; i++) {
		while (user[i].state == RUNNING) {
			assert_true(rounds++ < 1000);
			event();
			service_read();
			if (bench.count)
				service_answer(0, 0, 0);
		}
	}
	event();
	assert_int_equal(bench.machine.link.count, 0);
	assert_int_equal(bench.count, 0);
	assert_false(bench.machine.is_broken);
}

static void contents_init(void)
{
	memset(user, 0, sizeof(user));
	for (unsigned unit = 0; unit < UNITS; unit++)
		for (unsigned i = 0; i < SECTORS; i++) {
			holds[unit][i] = ++stamp;
			fill(medium_of(unit, i), stamp);
		}
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		random_state = seed * 0x9e3779b97f4a7c15ULL;
		bench_open(UNITS);
		contents_init();
		for (unsigned i = 0; i < ACTS; i++) {
			if (roll(2))
				machine_act();
			else
				service_act();
		}
		end_check();
	}
	print_message("%u ends, %u errors, %u deaths, %u cancels, "
		      "%u resets, %u gone, %u sectors read\n",
		      seen.ends, seen.errors, seen.deaths, seen.cancels,
		      seen.resets, seen.gone, seen.checked);
	assert_true(seen.ends > 5000);
	assert_true(seen.errors > 1000);
	assert_true(seen.deaths > 1000);
	assert_true(seen.cancels > 500);
	assert_true(seen.resets > 50);
	assert_true(seen.gone > 100);
	assert_true(seen.checked > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
