/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program against who is at the other end of its console's channel: seat.
 * Slot SEAT_CONSOLE_SLOT holds rings of include/ring.h, all of whose memory the
 * program may write at any time.
 */
#include "tests/hostile/programs/evil.h"

#include "include/errno.h"
#include "include/seat.h"
#include "lib/string.h"

#define RINGS	  4
#define BELLS	  64 /* between two looks at the clock */
#define LINE_SIZE 64
#define NS_PER_US 1000ULL

static struct seat_console *console(void)
{
	return gate_channel(SEAT_CONSOLE_SLOT);
}

static struct ring_shared *ring_of(uint64_t number)
{
	struct ring_shared *rings[] = { &console()->output, &console()->debug,
					&console()->e9, &console()->input };

	return rings[number % RINGS];
}

static void bell(void)
{
	(void)gate_doorbell(SEAT_CONSOLE_SLOT);
}

static void store(uint32_t *word, uint64_t value)
{
	__atomic_store_n(word, (uint32_t)value, __ATOMIC_SEQ_CST);
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Without a channel no attack here is one. */
static bool is_connected(void)
{
	if (gate_channel_state(SEAT_CONSOLE_SLOT) == GATE_CHANNEL_OPEN)
		return true;
	SAY("FAIL no seat is at the other end");
	return false;
}

static void begin(struct self *self)
{
	if (self->id == evil.ender && is_connected())
		SAY("PASS a seat is at the other end");
	meet(self);
}

/* ---- The rings' memory --------------------------------------------------- */

static void scribble(struct self *self)
{
	volatile uint8_t *bytes = (volatile uint8_t *)console();
	uint64_t size = sizeof(struct seat_console);

	if (one_in(self, 3))
		size = offsetof(struct seat_console, output_data);
	for (unsigned i = 0; i < 64; i++)
		bytes[random_next(self) % size] = (uint8_t)random_next(self);
}

/* Headers and data alike, while seat reads them. */
static void attack_scribble(struct self *self)
{
	begin(self);
	while (goes_on(self)) {
		scribble(self);
		if (one_in(self, 4))
			bell();
	}
}

/* Counters at, just beyond and far from what there is, also round 2^32. */
static void attack_index(struct self *self)
{
	begin(self);
	while (goes_on(self)) {
		static const uint32_t step[] = { 0,
						 1,
						 SEAT_OUTPUT_SIZE,
						 SEAT_OUTPUT_SIZE + 1,
						 SEAT_DEBUG_SIZE + 1,
						 SEAT_INPUT_SIZE + 1,
						 UINT32_MAX,
						 0x80000000u,
						 0x7fffffffu };
		struct ring_shared *ring = ring_of(random_next(self));
		uint32_t by = step[random_next(self) % ARRAY_SIZE(step)];

		if (one_in(self, 2))
			store(&ring->produced, load(&ring->consumed) + by);
		else
			store(&ring->consumed, load(&ring->produced) - by);
		bell();
	}
}

/*
 * A counter that is right whenever it is written, and another one an
 * instruction later; bytes that change while they are read; and both requests
 * for a bell, always.
 */
static void attack_ring_race(struct self *self)
{
	struct ring_shared *output = &console()->output;
	struct ring_shared *input = &console()->input;

	begin(self);
	while (goes_on(self)) {
		uint32_t at = load(&output->consumed);

		for (unsigned i = 0; i < BELLS; i++) {
			store(&output->produced,
			      at + random_next(self) % SEAT_OUTPUT_SIZE);
			console()->output_data[random_next(self) %
					       SEAT_OUTPUT_SIZE] =
				(uint8_t)random_next(self);
			store(&output->producer_sleeps, 1);
			store(&input->consumer_sleeps, 1);
		}
		bell();
	}
}

/* ---- Doorbells ----------------------------------------------------------- */

static void attack_bells(struct self *self)
{
	begin(self);
	while (goes_on(self))
		for (unsigned i = 0; i < BELLS; i++)
			bell();
}

/* ---- Rings used as they are meant ---------------------------------------- */

struct output {
	struct ring ring;
	char line[LINE_SIZE];
};

/* A thread that shares the ring with others makes it a broken one. */
static void output_init(struct output *output)
{
	ring_init(&output->ring, &console()->output, console()->output_data,
		  SEAT_OUTPUT_SIZE, true, true);
	memset(output->line, 'r', sizeof(output->line));
	output->line[LINE_SIZE - 1] = '\n';
}

static bool output_write(struct output *output, const char *text, size_t length)
{
	bool is_wanted = false;
	long n = ring_write(&output->ring, text, (uint32_t)length, &is_wanted);

	if (is_wanted)
		bell();
	return n > 0;
}

/* Never less than full, until the end comes with the ring as it is. */
static void attack_full(struct self *self)
{
	struct output output;

	output_init(&output);
	begin(self);
	while (goes_on(self))
		if (self->id != evil.ender)
			bell();
		else if (!output_write(&output, output.line, LINE_SIZE))
			gate_yield();
}

/* The same, but its end is a crash, in the middle of a line and of a bell. */
static void attack_full_crash(struct self *self)
{
	volatile uint32_t *volatile nowhere = NULL;

	attack_full(self);
	store(&console()->input.consumer_sleeps, 1);
	bell();
	*nowhere = self->id; /* cppcheck-suppress nullPointer */
}

/* Rows as if the good guest, the operator, seat or the monitor wrote them. */
static void attack_ring_forge(struct self *self)
{
	static const char *const forged[] = {
		"\r[good] FORGED by CR\r\n",
		"\n[good] FORGED by LF\n",
		"\r[    1.000000] monitor panic: FORGED\r\n",
		"\x1b[2J\x1b[H[good] FORGED by clearing\r\n",
		"\x1b[1A\r[host] FORGED a line above\n",
		"\x08\x08\x08\x08\x08\x08\x08\x08[good] FORGED by BS\n",
		"\x9b"
		"2J\x85[good] FORGED by C1\n",
		"\x18--- FORGED by CAN ---\n",
		"\x1b]0;title\x07[good] FORGED by OSC\n",
	};
	struct output output;

	output_init(&output);
	begin(self);
	for (unsigned i = 0; goes_on(self); i++) {
		const char *text = forged[i % ARRAY_SIZE(forged)];

		if (self->id != evil.ender) {
			console()->output_data[random_next(self) %
					       SEAT_OUTPUT_SIZE] = '\r';
			continue;
		}
		(void)!output_write(&output, "prompt> ", 8);
		(void)!output_write(&output, text, strlen(text));
		spin_ns(random_next(self) % (100 * NS_PER_US));
	}
}

/* ---- The channel itself -------------------------------------------------- */

/* Gone while seat uses it; then nothing is there, neither bell nor memory. */
static void attack_detach(struct self *self)
{
	begin(self);
	if (self->id != evil.ender) {
		for (;;)
			bell();
	}
	spin_ns(evil.duration_ns / 2);
	store(&console()->output.produced, random_next(self));
	bell();
	if (gate_channel_detach(SEAT_CONSOLE_SLOT) != 0)
		SAY("FAIL its own slot cannot be left");
	if (gate_doorbell(SEAT_CONSOLE_SLOT) != -ENOENT ||
	    gate_channel_detach(SEAT_CONSOLE_SLOT) != -ENOENT ||
	    gate_channel_state(SEAT_CONSOLE_SLOT) != GATE_CHANNEL_NONE)
		SAY("FAIL something is left of the channel");
	else
		SAY("PASS nothing is left of the channel");
	spin_ns(evil.duration_ns / 2);
}

/* What is not there any more faults, and nobody else's memory is there. */
static void attack_detach_touch(struct self *self)
{
	begin(self);
	spin_ns(evil.duration_ns);
	if (self->id == evil.ender)
		(void)!gate_channel_detach(SEAT_CONSOLE_SLOT);
	while (self->id == evil.ender || goes_on(self)) {
		store(&console()->output.produced, 0);
		store(&console()->input.consumed, 0);
	}
}

const struct attack ring_attacks[] = {
	{ "ringscribble", attack_scribble },
	{ "ringindex", attack_index },
	{ "ringrace", attack_ring_race },
	{ "ringbells", attack_bells },
	{ "ringfull", attack_full },
	{ "ringcrash", attack_full_crash },
	{ "ringforge", attack_ring_forge },
	{ "ringdetach", attack_detach },
	{ "ringtouch", attack_detach_touch },
	{ 0 },
};
