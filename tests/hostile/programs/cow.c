/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory whose pages become the domain's own when they are written:
 * by all threads at once, all of it, and by the monitor.
 *
 * In the image each byte of page n is 'A' + n % 26.
 */
#include "tests/hostile/programs/evil.h"

#include "include/errno.h"
#include "lib/string.h"

#define FAILS_SHOWN 5
#define PAGE_WORDS  (PAGE_SIZE / 8)
#define SECTOR	    512
#define SPINS	    2000
#define LETTERS	    26
/* Words of a page that are written: by one, by each at once, and later. */
#define WORD_ONE    1
#define WORD_EACH   8
#define WORD_AGAIN  64
#define WORD_ALL    300

static uint32_t fails; /* atomic */
static uint64_t turn;  /* atomic: pages written by one */

static volatile uint64_t *word_at(uint64_t page, uint64_t word)
{
	return (volatile uint64_t *)(machine_config()->disk[0].va +
				     page * PAGE_SIZE) +
	       word;
}

/* Whole pages of the disk. */
static uint64_t page_count(void)
{
	return machine_config()->disk[0].sector_count * SECTOR / PAGE_SIZE;
}

static uint64_t first_value(uint64_t page)
{
	return 0x0101010101010101ULL * ('A' + page % LETTERS);
}

static uint64_t value_of(uint64_t page, uint64_t word)
{
	return (page << 32 | word) ^ 0x5a5a5a5a5a5a5a5aULL;
}

static void expect(const char *what, uint64_t page, uint64_t got, uint64_t want)
{
	if (got != want &&
	    __atomic_add_fetch(&fails, 1, __ATOMIC_SEQ_CST) <= FAILS_SHOWN)
		SAY("FAIL page %lu, %s: %lx, not %lx", page, what, got, want);
}

static void say_result(const struct self *self, const char *text)
{
	if (self->id == evil.ender &&
	    !__atomic_load_n(&fails, __ATOMIC_SEQ_CST))
		SAY("PASS %s", text);
}

/* ---- All at once ------------------------------------------------------- */

/* Without a call, as long as the writer may be running on another CPU. */
static void wait_for_turn(uint64_t page)
{
	for (unsigned i = 0; __atomic_load_n(&turn, __ATOMIC_ACQUIRE) <= page;
	     i++) {
		__builtin_ia32_pause();
		if (i % SPINS == SPINS - 1)
			gate_yield();
	}
}

/* One writes, the others have the old page in their TLBs. */
static void write_by_one(struct self *self, uint64_t page)
{
	expect("before", page, *word_at(page, WORD_ONE), first_value(page));
	meet(self);
	if (page % self->vcpus == self->id) {
		*word_at(page, WORD_ONE) = value_of(page, WORD_ONE);
		__atomic_store_n(&turn, page + 1, __ATOMIC_RELEASE);
	}
	wait_for_turn(page);
	expect("by one", page, *word_at(page, WORD_ONE),
	       value_of(page, WORD_ONE));
	expect("beside it", page, *word_at(page, 0), first_value(page));
}

static void write_by_all(struct self *self, uint64_t page)
{
	uint64_t word = WORD_EACH + self->id;

	meet(self);
	*word_at(page, word) = value_of(page, word);
	expect("one's own", page, *word_at(page, word), value_of(page, word));
}

static void check_all(const struct self *self, uint64_t page)
{
	for (unsigned i = 0; i < self->vcpus; i++)
		expect("by all", page, *word_at(page, WORD_EACH + i),
		       value_of(page, WORD_EACH + i));
	expect("before all", page, *word_at(page, WORD_EACH - 1),
	       first_value(page));
	expect("the last word", page, *word_at(page, PAGE_WORDS - 1),
	       first_value(page));
}

static void attack_cow(struct self *self)
{
	uint64_t count = page_count(), half = count / 2;
	uint64_t mine = WORD_AGAIN + self->id;

	meet(self);
	for (uint64_t page = 0; page < half; page++)
		write_by_one(self, page);
	for (uint64_t page = half; page < count; page++)
		write_by_all(self, page);
	meet(self);
	for (uint64_t page = half; page < count; page++)
		check_all(self, page);
	/* The image ends in the next page; what is behind it is zero. */
	expect("the tail", count, *word_at(count, 0), first_value(count));
	expect("behind the end", count, *word_at(count, PAGE_WORDS - 1), 0);
	for (uint64_t i = 0; goes_on(self); i++) {
		uint64_t page = random_next(self) % count;

		*word_at(page, mine) = i;
		expect("again", page, *word_at(page, mine), i);
	}
	say_result(self, "what all write at once is there");
}

/* ---- All of it --------------------------------------------------------- */

/* Each thread its share, from the first byte to the last. */
static void write_share(const struct self *self)
{
	for (uint64_t page = self->id; page < page_count(); page += self->vcpus)
		*word_at(page, WORD_ALL) = value_of(page, WORD_ALL);
}

static void attack_cow_all(struct self *self)
{
	meet(self);
	write_share(self);
	meet(self);
	for (uint64_t page = 0; page < page_count(); page++) {
		expect("all", page, *word_at(page, WORD_ALL),
		       value_of(page, WORD_ALL));
		expect("not written", page, *word_at(page, 0),
		       first_value(page));
	}
	say_result(self, "the whole disk is written");
	while (goes_on(self))
		write_share(self);
}

/* ---- The monitor's reads ------------------------------------------------- */

static void read_call(uint64_t address, uint64_t page)
{
	expect("a log call reads it", page,
	       (uint64_t)gate_call(GATE_LOG, GATE_LOG_DEBUG, address, 16), 0);
}

/* A call that reads makes no copy and is let in everywhere. */
static void attack_cow_read(struct self *self)
{
	const struct machine_config *config = machine_config();

	meet(self);
	for (uint64_t page = 0; page < page_count(); page++) {
		read_call(config->disk[0].va + page * PAGE_SIZE, page);
		read_call(config->disk[1].va + page * PAGE_SIZE, page);
		expect("after calls", page, *word_at(page, 0),
		       first_value(page));
	}
	say_result(self, "calls read the disk");
	while (goes_on(self))
		gate_yield();
}

const struct attack cow_attacks[] = {
	{ "cow", attack_cow },
	{ "cowall", attack_cow_all },
	{ "cowread", attack_cow_read },
	{ 0 },
};
