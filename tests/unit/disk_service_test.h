/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/disk_service.c on a gate of the test's own, whose other end is a
 * service that does what the test says: answers, dies, comes anew, lies.
 *
 * The service is driven by the test, and by itself while the machine waits
 * (bench.on_wait).  What it does to memory it does when it answers.
 */
#ifndef BULKHEAD_TESTS_UNIT_DISK_SERVICE_TEST_H
#define BULKHEAD_TESTS_UNIT_DISK_SERVICE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "lib/user/gate_calls.h"
#include "machine/disk_service.h"

#define EVENT	    GATE_EVENT_CHANNEL_BIT(DISK_CLIENT_SLOT)
#define WINDOW	    MIB(9)
#define OUTSIDE	    KIB(256)
#define UNITS	    4
#define UNIT_SIZE   MIB(9)
#define UNIT_BLOCKS (UNIT_SIZE / DISK_SECTOR)

static struct {
	struct disk_service machine;
	struct machine_disk_config config[UNITS];
	struct block_backend *disk[UNITS];
	struct clock clock;
	struct disk_channel channel;
	uint8_t window[WINDOW], outside[OUTSIDE];

	/* The service. */
	enum gate_channel_state state;
	struct ring in, out;
	uint64_t generation;
	struct disk_drive_info info[DISK_DRIVES];
	struct disk_request taken[DISK_IN_FLIGHT];
	unsigned count, records; /* records: of requests, ever */
	uint8_t medium[UNITS][UNIT_SIZE];

	/* The gate. */
	uint64_t now_ns, timer_ns;
	unsigned routed, timer_routed, waits, bells, logs;
	char log[256];
	void (*on_wait)(void);
} bench;

/* ---- The service --------------------------------------------------------- */

static inline void service_put(const struct disk_reply *reply)
{
	bool is_wanted = false;

	assert_int_equal(
		ring_put(&bench.out, reply, sizeof(*reply), &is_wanted),
		sizeof(*reply));
}

static inline void service_greet(uint64_t id)
{
	const struct disk_reply reply = {
		.id = id,
		.generation = ++bench.generation,
		.kind = DISK_REPLY_HELLO,
	};

	bench.count = 0;
	memcpy(bench.channel.drive, bench.info, sizeof(bench.info));
	service_put(&reply);
}

static inline void service_start(void)
{
	struct disk_channel *c = &bench.channel;

	ring_init(&bench.in, &c->requests, c->request_data, DISK_REQUESTS_SIZE,
		  false, true);
	ring_init(&bench.out, &c->replies, c->reply_data, DISK_REPLIES_SIZE,
		  true, true);
	bench.state = GATE_CHANNEL_OPEN;
	service_greet(0);
}

static inline void service_die(void)
{
	bench.state = GATE_CHANNEL_ALONE;
	bench.count = 0;
}

/* Takes what is in the ring. */
static inline void service_read(void)
{
	struct disk_request request;
	bool is_wanted = false;
	long n;

	do {
		while ((n = ring_get(&bench.in, &request, sizeof(request),
				     &is_wanted)) > 0) {
			assert_int_equal(
				n, DISK_REQUEST_SIZE(request.segment_count));
			if (request.op == DISK_OP_HELLO) {
				service_greet(request.id);
			} else if (request.generation == bench.generation) {
				assert_true(bench.count < DISK_IN_FLIGHT);
				bench.taken[bench.count++] = request;
				bench.records++;
			}
		}
		assert_int_equal(n, 0);
	} while (!ring_sleep(&bench.in));
}

static inline uint8_t *service_memory(const struct disk_segment *segment)
{
	uint64_t at = segment->where & ~DISK_WHERE_BOUNCE;
	bool is_bounce = segment->where & DISK_WHERE_BOUNCE;

	assert_true(segment->length && segment->length <= WINDOW);
	assert_true(at + segment->length <=
		    (is_bounce ? DISK_BOUNCE_SIZE : bench.machine.window_size));
	return (is_bounce ? bench.channel.bounce : bench.machine.window) + at;
}

/* The first so many sectors of a request that was taken. */
static inline void service_move(const struct disk_request *request,
				uint64_t sectors)
{
	uint8_t *medium =
		bench.medium[request->drive] + request->sector * DISK_SECTOR;
	uint64_t left = sectors * DISK_SECTOR, bytes = 0;

	for (uint32_t i = 0; i < request->segment_count; i++) {
		const struct disk_segment *segment = &request->segment[i];
		uint8_t *at = service_memory(segment);
		uint32_t n = (uint32_t)MIN(left, segment->length);

		if (request->op == DISK_OP_READ)
			memcpy(at, medium, n);
		else
			memcpy(medium, at, n);
		medium += n;
		left -= n;
		bytes += segment->length;
	}
	assert_int_equal(bytes, (uint64_t)request->sector_count * DISK_SECTOR);
	assert_true(request->sector_count <= DISK_SECTORS_MAX);
	assert_true(request->sector + request->sector_count <= UNIT_BLOCKS);
}

/* Answers the index-th that was taken. */
static inline void service_answer(unsigned index, int status, uint64_t sector)
{
	struct disk_request *request = &bench.taken[index];
	struct disk_reply reply = {
		.id = request->id,
		.generation = bench.generation,
		.kind = DISK_REPLY_DONE,
		.status = status,
		.sector = sector,
	};

	assert_true(index < bench.count);
	if (!status)
		service_move(request, request->sector_count);
	else if (status == -EIO && sector >= request->sector &&
		 sector - request->sector < request->sector_count)
		service_move(request, sector - request->sector);
	memmove(request, request + 1,
		(--bench.count - index) * sizeof(*request));
	service_put(&reply);
}

/* ---- The gate ------------------------------------------------------------ */

void *gate_channel(unsigned slot)
{
	assert_int_equal(slot, DISK_CLIENT_SLOT);
	return &bench.channel;
}

long gate_channel_state(unsigned slot)
{
	assert_int_equal(slot, DISK_CLIENT_SLOT);
	return bench.state;
}

long gate_doorbell(unsigned slot)
{
	assert_int_equal(slot, DISK_CLIENT_SLOT);
	bench.bells++;
	return bench.state == GATE_CHANNEL_OPEN ? 0 : -EPIPE;
}

unsigned gate_thread(void)
{
	return 0;
}

long gate_event_route(unsigned event, unsigned thread)
{
	if (event == GATE_EVENT_TIMER_BIT)
		bench.timer_routed = thread;
	else if (event == EVENT)
		bench.routed = thread;
	else
		fail();
	return 0;
}

void gate_timer(uint64_t deadline_ns)
{
	bench.timer_ns = deadline_ns;
}

uint64_t gate_now_ns(void)
{
	return bench.now_ns;
}

/* Until the timer's event if nothing else happens. */
uint64_t gate_wait(void)
{
	assert_true(bench.waits++ < 1000);
	assert_true(bench.channel.replies.consumer_sleeps);
	if (bench.on_wait)
		bench.on_wait();
	else
		bench.now_ns = MAX(bench.now_ns, bench.timer_ns);
	return 0;
}

void gate_log(unsigned level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(bench.log, sizeof(bench.log), format, args);
	va_end(args);
	bench.logs++;
}

static inline uint64_t bench_now(void *ctx)
{
	(void)ctx;
	return bench.now_ns;
}

static inline void bench_time(uint64_t ns)
{
	bench.now_ns += ns;
	clock_run(&bench.clock);
}

/* ---- The machine --------------------------------------------------------- */

static inline uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 9) * 13 + (at >> 17));
}

/* Once: what tests write they compare with what they have written. */
static inline void media_fill(void)
{
	static bool is_done;

	for (unsigned i = 0; i < UNITS && !is_done; i++)
		for (uint64_t at = 0; at < UNIT_SIZE; at++)
			bench.medium[i][at] = pattern(at + i);
	is_done = true;
}

/* Disks of the service, not opened yet. */
static inline void bench_init(unsigned count)
{
	const struct disk_service_config config = {
		.channel = &bench.channel,
		.window = bench.window,
		.window_size = WINDOW,
		.clock = &bench.clock,
		.hello = 4711,
	};

	memset(&bench, 0, offsetof(typeof(bench), medium));
	memset(&bench.now_ns, 0,
	       sizeof(bench) - offsetof(typeof(bench), now_ns));
	bench.state = GATE_CHANNEL_ALONE;
	bench.clock.now_ns = bench_now;
	clock_init(&bench.clock);
	media_fill();
	disk_service_init(&bench.machine, &config);
	for (unsigned i = 0; i < count; i++) {
		/* Drives in another order than units. */
		unsigned drive = UNITS - 1 - i;

		bench.config[i].unit = (uint8_t)i;
		bench.config[i].drive = drive;
		bench.info[drive] = (struct disk_drive_info){
			.sector_count = UNIT_BLOCKS,
			.block_size = DISK_SECTOR,
			.flags = DISK_DRIVE_PRESENT | DISK_DRIVE_CACHE,
		};
		bench.disk[i] =
			disk_service_add(&bench.machine, &bench.config[i]);
	}
}

static inline void bench_open(unsigned count)
{
	bench_init(count);
	service_start();
	bench.on_wait = service_read;
	assert_int_equal(disk_service_open(&bench.machine), 0);
	bench.on_wait = NULL;
	bench.waits = 0;
	assert_int_equal(bench.timer_ns, UINT64_MAX);
}

/* The channel's event comes to the machine. */
static inline void event(void)
{
	disk_service_event(&bench.machine);
}

/* Drive that unit has with the service. */
static inline uint8_t *medium_of(unsigned unit, uint64_t sector)
{
	return bench.medium[bench.config[unit].drive] + sector * DISK_SECTOR;
}

#endif
