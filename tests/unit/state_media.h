/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Media of controllers whose state is tested: in memory, done at once or when
 * the test says so.
 */
#ifndef BULKHEAD_TESTS_UNIT_STATE_MEDIA_H
#define BULKHEAD_TESTS_UNIT_STATE_MEDIA_H

#include "tests/unit/state_test.h"

#include "include/block.h"

struct medium {
	struct block_backend backend;
	bool is_async; /* requests wait for medium_complete() */
	struct block_request *pending;
	uint8_t *bytes;
	uint64_t size;
};

static inline int medium_move(struct medium *medium, struct block_request *req)
{
	uint64_t at = req->sector * BLOCK_SECTOR;

	for (unsigned i = 0; i < req->segment_count; i++) {
		struct block_segment *segment = &req->segment[i];

		if (at >= medium->size || segment->length > medium->size - at)
			return -ERANGE;
		if (req->op == BLOCK_READ)
			memcpy(segment->host, medium->bytes + at,
			       segment->length);
		else
			memcpy(medium->bytes + at, segment->host,
			       segment->length);
		at += segment->length;
	}
	return 0;
}

static inline void medium_submit(void *ctx, struct block_request *req)
{
	struct medium *medium = ctx;

	assert_null(medium->pending);
	if (medium->is_async)
		medium->pending = req;
	else
		req->done(req->dev, req, medium_move(medium, req));
}

static inline void medium_complete(struct medium *medium)
{
	struct block_request *req = medium->pending;

	medium->pending = NULL;
	if (req)
		req->done(req->dev, req, medium_move(medium, req));
}

static inline void medium_init(struct medium *medium, uint8_t *bytes,
			       uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 9) * 13);
	medium->bytes = bytes;
	medium->size = size;
	medium->backend = (struct block_backend){
		.submit = medium_submit,
		.ctx = medium,
		.sector_count = size / BLOCK_SECTOR,
	};
}

/* What guest's memory and media hold goes into the rig's record. */
static inline void memory_note(struct rig *rig, size_t size)
{
	uint64_t sum = 0, word;

	for (size_t i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)rig->memory + i, sizeof(word));
		sum = sum * 31 + word;
	}
	rig_note(rig, sum);
}

#endif
