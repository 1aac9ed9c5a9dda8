/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested tables: too many, too long, from all vCPUs at once.
 */
#include "tests/hostile/programs/evil.h"

#include "include/errno.h"

#define EVERYTHING  (1ULL << 46)
#define SPARSE	    (1ULL << 40)
#define TABLES	    512
/* GiB that a page is mapped in: two tables each. */
#define FAIR_TABLES 24ULL
#define CALLS_MAX   (1ULL << 17)

/* A table for every page, until the quota is used up. */
static void attack_eat(struct self *self)
{
	uint64_t slot = self->id, calls = 0;
	long error = 0;

	meet(self);
	while (calls++ < CALLS_MAX && !error) {
		error = gate_map((slot << 21) + SPARSE, PAGE_SIZE, 0,
				 GATE_MAP_RAM);
		slot += self->vcpus;
	}
	if (error == -ENOMEM)
		SAY("PASS the quota holds after %lu maps", calls);
	else
		SAY("FAIL %lu maps, then %ld", calls, error);
	while (goes_on(self))
		gate_map(random_next(self) % EVERYTHING & ~(PAGE_SIZE - 1),
			 PAGE_SIZE, 0, GATE_MAP_RAM);
}

/*
 * Tables that are of no more use come back: this can go on for ever.  All vCPUs
 * together stay within what any VM has.
 */
static void attack_give(struct self *self)
{
	uint64_t count = MAX(FAIR_TABLES / self->vcpus, 1);
	uint64_t base = SPARSE + (self->id * count << 30);
	long error = 0;

	meet(self);
	for (uint64_t i = 0; !error && goes_on(self); i++) {
		for (uint64_t k = 0; !error && k < count; k++)
			error = gate_map(base + (k << 30) + (i % 512 << 21),
					 PAGE_SIZE, 0, GATE_MAP_RAM);
		if (!error)
			error = gate_map(base, count << 30, 0, GATE_MAP_NONE);
	}
	if (error)
		SAY("FAIL tables do not come back: %ld", error);
}

/* Few calls, each over all that there is. */
static void attack_long(struct self *self)
{
	meet(self);
	for (uint64_t i = 0; i < TABLES * 8 && goes_on(self); i++)
		if (gate_map((i * self->vcpus + self->id) % (1ULL << 24) *
					     PAGE_2M +
				     SPARSE,
			     PAGE_SIZE, 0, GATE_MAP_RAM))
			break;
	while (goes_on(self)) {
		gate_map(0, EVERYTHING, 0, GATE_MAP_NONE);
		gate_map(PAGE_SIZE, machine_config()->ram_size - PAGE_SIZE, 0,
			 GATE_MAP_RAM);
	}
}

/* Maps and unmaps that overlap, under guests that run there. */
static void attack_map_race(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	while (goes_on(self)) {
		uint64_t gpa = random_next(self) % 1024 * PAGE_SIZE;
		uint64_t length = PAGE_SIZE << random_next(self) % 10;
		uint64_t offset = random_next(self) % 1024 * PAGE_SIZE;

		gate_map(gpa, length, offset,
			 (enum gate_map)(random_next(self) % GATE_MAP_COUNT));
		if (self->id == evil.ender && self->id != 0)
			continue;
		if (one_in(self, 8)) {
			guest_state(self);
			gate_timer(now_ns() + 20000);
			gate_resume();
		}
	}
}

/* A good neighbour: needs some tables now and then, and must get them. */
static void attack_neighbour(struct self *self)
{
	unsigned good = 0, bad = 0;

	while (goes_on(self)) {
		for (uint64_t i = 0; i < FAIR_TABLES; i++) {
			if (gate_map(SPARSE + (i << 30), PAGE_SIZE, 0,
				     GATE_MAP_RAM))
				bad++;
			else
				good++;
		}
		if (gate_map(SPARSE, FAIR_TABLES << 30, 0, GATE_MAP_NONE))
			bad++;
		spin_ns(5000000);
	}
	SAY("%s %u of %u maps", bad || !good ? "FAIL" : "PASS", good,
	    good + bad);
}

/* What a piece of memory has: nothing, or what some thread of this VM put
 * there.
 */
#define MARK(piece) (0x5ca1ab1e00000000ULL | (piece))

static bool piece_is_own(struct self *self, uint64_t piece)
{
	volatile uint64_t *word =
		(uint64_t *)(GATE_WINDOW_VA + piece * PAGE_2M + PAGE_2M / 2 +
			     random_next(self) % 1024 * PAGE_SIZE / 4);
	uint64_t was = *word;

	*word = MARK(piece);
	return !was || was == MARK(piece);
}

/* From where it may read, from the piece itself, from what is the monitor's. */
static void fill(struct self *self, uint64_t piece)
{
	const uint64_t from[] = { GATE_PROGRAM_BASE,
				  GATE_WINDOW_VA + piece * PAGE_2M,
				  GATE_WINDOW_VA + PAGE_2M / 2,
				  0xffff800000100000 };
	uint64_t which = random_next(self) % ARRAY_SIZE(from);
	uint64_t at = random_next(self) % (PAGE_2M / 8);

	if (!gate_fill(piece * PAGE_2M + at, PAGE_SIZE, (void *)from[which]) &&
	    which == ARRAY_SIZE(from) - 1)
		SAY("FAIL memory is filled with the monitor's");
}

/*
 * Pieces go back while others touch and show them, and guests run there.  The
 * first vCPU's guest is in one of them.
 */
static void attack_release(struct self *self)
{
	uint64_t pieces = machine_config()->ram_size / PAGE_2M;
	bool is_own = true;

	if (self->id == 0)
		guest_memory();
	meet(self);
	while (goes_on(self)) {
		uint64_t piece = random_next(self) % pieces;

		if (one_in(self, 4))
			gate_release(
				piece * PAGE_2M,
				(1 + random_next(self) % (pieces - piece)) *
					PAGE_2M);
		if (one_in(self, 4))
			fill(self, piece);
		is_own &= piece_is_own(self, piece);
		gate_map(piece * PAGE_2M, PAGE_2M, piece * PAGE_2M,
			 GATE_MAP_RAM);
		if (self->id == evil.ender && self->id != 0)
			continue;
		if (one_in(self, 8)) {
			guest_state(self);
			gate_timer(now_ns() + 20000);
			gate_resume();
		}
	}
	SAY("%s memory that came back was %s", is_own ? "PASS" : "FAIL",
	    is_own ? "its own, or zero" : "another's");
}

const struct attack memory_attacks[] = {
	{ "eat", attack_eat },
	{ "give", attack_give },
	{ "long", attack_long },
	{ "maprace", attack_map_race },
	{ "neighbour", attack_neighbour },
	{ "release", attack_release },
	{ 0 },
};
