/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM that is not all there: machine/memory.h. */
#include "machine/memory.h"

#include "lib/user/gate_calls.h"

static bool has(const uint64_t *set, uint64_t piece)
{
	return set[piece / 64] >> piece % 64 & 1;
}

static bool is_hidden(const struct machine_memory *memory, uint64_t piece)
{
	return has(memory->hidden, piece);
}

/* The monitor makes it, if it is not there. */
static void touch(const struct machine_memory *memory, uint64_t offset)
{
	(void)*(volatile const uint8_t *)(memory->window + offset);
}

static void map(gpa_t gpa, uint64_t length, uint64_t offset, enum gate_map kind)
{
	long error = gate_map(gpa, length, offset, kind);

	if (error)
		gate_log(GATE_LOG_ERROR, "cannot map %lx, %lx bytes: %ld", gpa,
			 length, error);
}

bool machine_memory_init(struct machine_memory *memory,
			 const struct machine_config *config, uint8_t *window)
{
	uint64_t pieces = config->ram_size / PAGE_2M;

	memory->is_given =
		(config->is_lazy || config->devices & MACHINE_DEVICE_BALLOON) &&
		pieces <= MACHINE_PIECES_MAX;
	memory->ram_size = config->ram_size;
	memory->window = window;
	if (memory->is_given && config->is_lazy)
		for (uint64_t i = 1; i < pieces; i++)
			memory->hidden[i / 64] |= BIT(i % 64);
	return memory->is_given;
}

/* It is shown from now on. */
static void piece_take(struct machine_memory *memory, uint64_t offset)
{
	uint64_t piece = offset / PAGE_2M;

	touch(memory, offset);
	if (offset < memory->ram_size)
		memory->hidden[piece / 64] &= ~BIT(piece % 64);
}

/* Part of a piece, or what is no RAM: it is there, and stays. */
static void map_now(struct machine_memory *memory, gpa_t gpa, uint64_t length,
		    uint64_t offset, enum gate_map kind)
{
	for (uint64_t at = ALIGN_DOWN(offset, PAGE_2M); at < offset + length;
	     at += PAGE_2M) {
		piece_take(memory, at);
		if (at < memory->ram_size)
			memory->parted[at / PAGE_2M / 64] |=
				BIT(at / PAGE_2M % 64);
	}
	map(gpa, length, offset, kind);
}

/* Whole pieces of RAM: runs of those that are shown, of those that are not. */
static void map_pieces(struct machine_memory *memory, gpa_t gpa,
		       uint64_t length, uint64_t offset)
{
	while (length) {
		bool hides = is_hidden(memory, offset / PAGE_2M);
		uint64_t run = PAGE_2M;

		while (run < length &&
		       is_hidden(memory, (offset + run) / PAGE_2M) == hides)
			run += PAGE_2M;
		map(gpa, run, offset, hides ? GATE_MAP_NONE : GATE_MAP_RAM);
		gpa += run;
		offset += run;
		length -= run;
	}
}

void machine_memory_map(struct machine_memory *memory, gpa_t gpa,
			uint64_t length, uint64_t offset, enum gate_map kind)
{
	uint64_t head = MIN(length, -offset % PAGE_2M), whole;

	if (!memory->is_given || kind == GATE_MAP_NONE ||
	    kind == GATE_MAP_MODULE) {
		map(gpa, length, offset, kind);
		return;
	}
	if (kind != GATE_MAP_RAM || (gpa - offset) % PAGE_2M ||
	    offset + length > memory->ram_size) {
		map_now(memory, gpa, length, offset, kind);
		return;
	}
	whole = ALIGN_DOWN(length - head, PAGE_2M);
	if (head)
		map_now(memory, gpa, head, offset, kind);
	map_pieces(memory, gpa + head, whole, offset + head);
	if (head + whole < length)
		map_now(memory, gpa + head + whole, length - head - whole,
			offset + head + whole, kind);
}

/* From there on, as far as pieces can be; how many bytes. */
static uint64_t run_hide(struct machine_memory *memory, uint64_t from,
			 uint64_t end)
{
	uint64_t at = from;

	for (; at < end && !has(memory->parted, at / PAGE_2M); at += PAGE_2M)
		memory->hidden[at / PAGE_2M / 64] |= BIT(at / PAGE_2M % 64);
	return at - from;
}

void machine_memory_release(struct machine_memory *memory, uint64_t offset,
			    uint64_t length)
{
	uint64_t from = ALIGN_UP(offset, PAGE_2M);
	uint64_t end =
		ALIGN_DOWN(MIN(offset + length, memory->ram_size), PAGE_2M);

	/* The first has more than RAM in its place. */
	from = MAX(from, PAGE_2M);
	while (memory->is_given && from < end) {
		uint64_t run = run_hide(memory, from, end);

		if (run)
			(void)gate_release(from, run);
		from += run + PAGE_2M;
	}
}

bool machine_memory_show(struct machine_memory *memory, gpa_t gpa,
			 const void *host)
{
	uint64_t offset = (uint64_t)host - (uint64_t)memory->window;

	if (!host || offset >= memory->ram_size || offset % PAGE_2M ||
	    !is_hidden(memory, offset / PAGE_2M))
		return false;
	piece_take(memory, offset);
	map(gpa, PAGE_2M, offset, GATE_MAP_RAM);
	return true;
}

void machine_memory_clear(struct machine_memory *memory)
{
	machine_memory_release(memory, 0, memory->ram_size);
	for (uint64_t at = 0; at < memory->ram_size; at += PAGE_2M)
		if (!memory->is_given || !is_hidden(memory, at / PAGE_2M))
			__builtin_memset(memory->window + at, 0, PAGE_2M);
}

void machine_memory_fill(struct machine_memory *memory, void *to,
			 const void *from, uint64_t length)
{
	uint64_t offset = (uint64_t)to - (uint64_t)memory->window;

	for (uint64_t done = 0, n; done < length; done += n) {
		const uint8_t *bytes = (const uint8_t *)from + done;

		n = MIN(length - done, PAGE_2M - (offset + done) % PAGE_2M);
		if (gate_fill(offset + done, n, bytes))
			__builtin_memcpy((uint8_t *)to + done, bytes, n);
	}
}
