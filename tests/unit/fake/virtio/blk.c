/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake/virtio/blk.h"

#include <stdlib.h>
#include <string.h>

#define T_IN	       0
#define T_OUT	       1
#define T_FLUSH	       4
#define T_GET_ID       8
#define T_DISCARD      11
#define T_WRITE_ZEROES 13

static uint64_t config(const struct fake_blk *blk, unsigned offset,
		       unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, &blk->device.config[offset], size);
	return value;
}

void fake_blk_config(struct fake_blk *blk, unsigned offset, unsigned size,
		     uint64_t value)
{
	memcpy(&blk->device.config[offset], &value, size);
}

static bool has(const struct fake_blk *blk, unsigned feature)
{
	return blk->device.accepted & BIT(feature);
}

static void was_reset(struct fake_virtio *device)
{
	((struct fake_blk *)device)->count = 0;
}

static void config_written(struct fake_virtio *device, unsigned offset)
{
	MUST(offset == 32 && device->accepted & BIT(11));
	MUST(device->config[32] <= 1);
}

void fake_blk_init(struct fake_blk *blk)
{
	fake_virtio_init(&blk->device, 2);
	blk->device.was_reset = was_reset;
	blk->device.config_written = config_written;
	if (!blk->disk) {
		blk->disk = calloc(FAKE_SECTORS, 512);
		blk->waiting = malloc(FAKE_WAITING * sizeof(*blk->waiting));
	}
	blk->serial = "serial";
	blk->count = blk->commands = blk->flushes = 0;
	fake_blk_config(blk, 0, 8, FAKE_SECTORS);
	/* Valid where its feature is offered. */
	fake_blk_config(blk, 12, 4, 126);
	blk->device.offered |= BIT(2) | BIT(9);
}

void fake_blk_fini(struct fake_blk *blk)
{
	fake_virtio_fini(&blk->device);
	free(blk->disk);
	free(blk->waiting);
	blk->disk = NULL;
	blk->waiting = NULL;
}

/* ---- What the driver asks for -------------------------------------------- */

/* Bytes from or to the parts from first on, as if they were one piece. */
static void copy(struct fake_blk *blk, const struct fake_command *command,
		 unsigned first, uint64_t skip, void *bytes, uint64_t length,
		 bool to_parts)
{
	uint8_t *at = bytes;

	for (unsigned i = first; length; i++) {
		const struct fake_part *part = &command->chain.part[i];
		uint64_t n;
		uint8_t *host;

		MUST(i < command->chain.count);
		MUST(part->is_writable == to_parts);
		if (skip >= part->length) {
			skip -= part->length;
			continue;
		}
		n = MIN(part->length - skip, length);
		host = fake_memory_at(&blk->device.memory, part->address + skip,
				      n);
		memcpy(to_parts ? host : at, to_parts ? at : host, n);
		at += n;
		length -= n;
		skip = 0;
	}
}

static void check_data(const struct fake_blk *blk,
		       const struct fake_command *command)
{
	const struct fake_chain *chain = &command->chain;
	uint64_t limit = config(blk, 8, 4);
	unsigned segments = chain->count - 2;

	MUST(command->bytes && command->bytes % 512 == 0);
	MUST(segments <= (has(blk, 2) ? MAX(config(blk, 12, 4), 1) : 1));
	for (unsigned i = 1; i <= segments; i++)
		MUST(!has(blk, 1) || chain->part[i].length <= limit);
	MUST(command->type == T_IN || !has(blk, 5));
}

static void check_range(struct fake_blk *blk, struct fake_command *command)
{
	bool is_discard = command->type == T_DISCARD;

	MUST(command->bytes == 16 && command->sector == 0 && !has(blk, 5));
	copy(blk, command, 0, 16, &command->range_sector, 8, false);
	copy(blk, command, 0, 24, &command->range_count, 4, false);
	copy(blk, command, 0, 28, &command->range_flags, 4, false);
	MUST(has(blk, is_discard ? 13 : 14) && command->range_count);
	MUST(command->range_count <= config(blk, is_discard ? 36 : 48, 4));
	MUST(command->range_flags <= (is_discard ? 0 : config(blk, 56, 1)));
}

static void check_command(struct fake_blk *blk, struct fake_command *command)
{
	uint64_t readable = 0;

	for (unsigned i = 0; i < command->chain.readable; i++)
		readable += command->chain.part[i].length;
	MUST(readable >= 16 && command->chain.writable_bytes >= 1);
	copy(blk, command, 0, 0, &command->type, 4, false);
	copy(blk, command, 0, 8, &command->sector, 8, false);
	command->bytes = readable - 16;
	if (command->type == T_IN || command->type == T_GET_ID) {
		MUST(!command->bytes);
		command->bytes = command->chain.writable_bytes - 1;
	} else {
		MUST(command->chain.writable_bytes == 1);
	}
	switch (command->type) {
	case T_IN:
	case T_OUT:
		check_data(blk, command);
		return;
	case T_FLUSH:
		MUST(!command->bytes && !command->sector && has(blk, 9));
		return;
	case T_GET_ID:
		MUST(command->bytes == 20);
		return;
	case T_DISCARD:
	case T_WRITE_ZEROES:
		check_range(blk, command);
		return;
	}
	MUST(!"a type that was offered");
}

unsigned fake_blk_fetch(struct fake_blk *blk)
{
	for (unsigned i = 0; i < blk->device.queue_count; i++) {
		struct fake_queue *queue = &blk->device.queue[i];

		while (queue->is_enabled && blk->count < FAKE_WAITING &&
		       fake_ring_pop(&queue->ring,
				     &blk->waiting[blk->count].chain)) {
			blk->waiting[blk->count].queue = i;
			check_command(blk, &blk->waiting[blk->count]);
			blk->count++;
			blk->commands++;
		}
	}
	return blk->count;
}

/* ---- What becomes of it -------------------------------------------------- */

void fake_blk_finish(struct fake_blk *blk, unsigned i, uint8_t status,
		     uint32_t length)
{
	struct fake_command *command = &blk->waiting[i];
	unsigned queue = command->queue;
	uint32_t head = command->chain.head;

	MUST(i < blk->count);
	if (length == FAKE_LENGTH)
		length = command->chain.writable_bytes;
	if (status != 0xff)
		copy(blk, command, command->chain.readable,
		     command->chain.writable_bytes - 1, &status, 1, true);
	blk->count--;
	memmove(command, command + 1,
		(blk->count - i) * sizeof(blk->waiting[0]));
	fake_virtio_push(&blk->device, queue, head, length);
}

void fake_blk_do(struct fake_blk *blk, unsigned i)
{
	struct fake_command *command = &blk->waiting[i];
	unsigned writable = command->chain.readable;
	uint8_t *at = blk->disk + command->sector * 512;
	char serial[20] = { 0 };

	MUST(i < blk->count);
	if (command->type == T_IN || command->type == T_OUT)
		MUST(command->sector <= FAKE_SECTORS &&
		     command->bytes / 512 <= FAKE_SECTORS - command->sector);
	switch (command->type) {
	case T_IN:
		copy(blk, command, writable, 0, at, command->bytes, true);
		break;
	case T_OUT:
		copy(blk, command, 0, 16, at, command->bytes, false);
		break;
	case T_FLUSH:
		blk->flushes++;
		break;
	case T_GET_ID:
		memcpy(serial, blk->serial,
		       strnlen(blk->serial, sizeof(serial)));
		copy(blk, command, writable, 0, serial, 20, true);
		break;
	default:
		MUST(command->range_sector <= FAKE_SECTORS &&
		     command->range_count <=
			     FAKE_SECTORS - command->range_sector);
		memset(blk->disk + command->range_sector * 512,
		       command->type == T_DISCARD ? 0xdd : 0,
		       512ULL * command->range_count);
	}
	fake_blk_finish(blk, i, 0, FAKE_LENGTH);
}

void fake_blk_do_all(struct fake_blk *blk)
{
	while (fake_blk_fetch(blk))
		fake_blk_do(blk, 0);
}
