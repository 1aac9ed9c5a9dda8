/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to disks of the service, one for each unit, and what became of them.
 */
#ifndef BULKHEAD_TESTS_UNIT_DISK_SERVICE_ASK_H
#define BULKHEAD_TESTS_UNIT_DISK_SERVICE_ASK_H

#include "tests/unit/disk_service_test.h"

#define RUNNING 1

static struct asked {
	struct block_request request;
	int status;
	unsigned answers;
} asked[UNITS];

static inline void done(void *dev, struct block_request *request, int status)
{
	struct asked *a = dev;

	assert_ptr_equal(request, &a->request);
	a->status = status;
	a->answers++;
}

static inline struct asked *prepare(unsigned unit, enum block_op op,
				    uint64_t sector)
{
	struct asked *a = &asked[unit];

	memset(a, 0, sizeof(*a));
	a->status = RUNNING;
	a->request.op = op;
	a->request.sector = sector;
	a->request.failed_sector = BLOCK_UNKNOWN;
	a->request.done = done;
	a->request.dev = a;
	return a;
}

static inline void segment_add(struct asked *a, void *host, uint32_t length)
{
	a->request.segment[a->request.segment_count++] =
		(struct block_segment){ host, length };
}

static inline void submit(unsigned unit)
{
	bench.disk[unit]->submit(bench.disk[unit]->ctx, &asked[unit].request);
}

static inline void cancel(unsigned unit)
{
	bench.disk[unit]->cancel(bench.disk[unit]->ctx, &asked[unit].request);
}

/* One segment. */
static inline struct asked *ask(unsigned unit, enum block_op op,
				uint64_t sector, void *host, uint32_t length)
{
	struct asked *a = prepare(unit, op, sector);

	if (length)
		segment_add(a, host, length);
	submit(unit);
	service_read();
	return a;
}

static inline void expect(const struct asked *a, int status,
			  uint64_t failed_sector)
{
	assert_int_equal(a->answers, 1);
	assert_int_equal(a->status, status);
	assert_true(a->request.failed_sector == failed_sector);
}

static inline void expect_running(const struct asked *a)
{
	assert_int_equal(a->answers, 0);
}

/* Answers one, and what follows from it. */
static inline void answer(int status, uint64_t sector)
{
	service_answer(0, status, sector);
	event();
	service_read();
}

#endif
