/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs in seat's place, against init and the machines whose consoles they
 * hold.  Each attack is a program: the linker binds seat_attack() to one of the
 * functions here.  A fake's first lives are attacks; the one after them is the
 * real seat, linked into the same program, which has to find the consoles in
 * order and shows what they have written meanwhile.
 *
 * Which life it is stands in the first guest's channel, which outlives seats.
 */
#include "tests/hostile/programs/evil.h"

#include "include/errno.h"
#include "include/seat.h"
#include "lib/string.h"

#define ATTACK_MS 60
#define NS_PER_MS 1000000ULL
#define GOOD_SLOT (SEAT_CONTROL_SLOT + 1) /* the manifest's first guest */
#define EVIL_SLOT (SEAT_CONTROL_SLOT + 2)
#define UART_PORT 0x3f8

/* Bound when linked.  False: that life is the real seat's. */
bool seat_attack(struct self *self, uint32_t life);
/* services/seat/main.c's program_main(). */
void seat_main(unsigned thread);
void program_main(unsigned thread);

/* Candidates for seat_attack(). */
bool seat_garbage(struct self *self, uint32_t life);
bool seat_lengths(struct self *self, uint32_t life);
bool seat_scribble(struct self *self, uint32_t life);
bool seat_flicker(struct self *self, uint32_t life);
bool seat_bells(struct self *self, uint32_t life);
bool seat_typist(struct self *self, uint32_t life);
bool seat_silent(struct self *self, uint32_t life);
bool seat_hog(struct self *self, uint32_t life);
bool seat_rights(struct self *self, uint32_t life);
bool seat_module(struct self *self, uint32_t life);
bool seat_consoles(struct self *self, uint32_t life);
bool seat_crash(struct self *self, uint32_t life);

static struct seat_control *control(void)
{
	return gate_channel(SEAT_CONTROL_SLOT);
}

static void bell(void)
{
	(void)gate_doorbell(SEAT_CONTROL_SLOT);
}

static void store(uint32_t *word, uint64_t value)
{
	__atomic_store_n(word, (uint32_t)value, __ATOMIC_SEQ_CST);
}

static void scribble(struct self *self, void *memory, uint64_t size)
{
	volatile uint8_t *bytes = memory;

	for (unsigned i = 0; i < 64; i++)
		bytes[random_next(self) % size] = (uint8_t)random_next(self);
}

static __noreturn void crash(void)
{
	volatile uint32_t *volatile nowhere = NULL;

	for (;;)
		*nowhere = 0; /* cppcheck-suppress nullPointer */
}

static struct ring from_ring(void)
{
	struct ring ring;

	ring_init(&ring, &control()->from_seat, control()->from_seat_data,
		  SEAT_CONTROL_SIZE, true, true);
	return ring;
}

static void spin_for_ever(void)
{
	for (;;)
		(void)gate_wait();
}

/* ---- Against init -------------------------------------------------------- */

/* Records of the right size that answer nothing. */
bool seat_garbage(struct self *self, uint32_t life)
{
	struct ring ring = from_ring();
	struct seat_message message;
	bool is_wanted;

	if (life)
		return false;
	for (;;) {
		uint8_t *bytes = (uint8_t *)&message;

		for (unsigned i = 0; i < sizeof(message); i++)
			bytes[i] = (uint8_t)random_next(self);
		message.kind = one_in(self, 2) ? SEAT_REMOVED : SEAT_FLUSHED;
		message.slot = (uint32_t)random_next(self) % 64;
		(void)!ring_put(&ring, &message, sizeof(message), &is_wanted);
		bell();
	}
}

/* Records that are longer than what is there, and of any length. */
bool seat_lengths(struct self *self, uint32_t life)
{
	uint32_t *data = (uint32_t *)control()->from_seat_data;

	if (life)
		return false;
	for (unsigned i = 0; i < SEAT_CONTROL_SIZE / sizeof(*data); i++)
		data[i] = (uint32_t)random_next(self) | 1;
	store(&control()->from_seat.produced, SEAT_CONTROL_SIZE / 2);
	bell();
	spin_for_ever();
	return true;
}

/* Everything that init reads, all the time. */
bool seat_scribble(struct self *self, uint32_t life)
{
	if (life)
		return false;
	for (;;) {
		scribble(self, control(), sizeof(*control()));
		bell();
	}
}

/* Counters that go to and fro between nothing and too little. */
bool seat_flicker(struct self *self, uint32_t life)
{
	struct seat_control *memory = control();

	if (life)
		return false;
	for (uint32_t i = 0;; i++) {
		store(&memory->to_seat.consumed, -(uint64_t)(i % 3));
		store(&memory->from_seat.produced, i % 3);
		store(&memory->operator.input.produced, i % 3);
		if (i % 1024 == 0)
			bell();
		(void)self;
	}
}

/* No time for anybody else in init, if bells could do that. */
bool seat_bells(struct self *self, uint32_t life)
{
	if (life)
		return false;
	while (goes_on(self))
		for (unsigned i = 0; i < 64; i++)
			bell();
	crash();
}

/* As an operator who types as fast as init reads. */
bool seat_typist(struct self *self, uint32_t life)
{
	static const char *const lines[] = {
		"list\r",   "help\r",		"start good\r", "stop nobody\r",
		"\x7f\x15", "an endless line ", "start\r",	"list list\r",
	};
	struct seat_console *memory = &control()->operator;
	bool is_wanted = false;
	struct ring ring;

	if (life)
		return false;
	ring_init(&ring, &memory->input, memory->input_data, SEAT_INPUT_SIZE,
		  true, true);
	while (goes_on(self)) {
		const char *line = lines[random_next(self) % ARRAY_SIZE(lines)];

		(void)!ring_write(&ring, line, (uint32_t)strlen(line),
				  &is_wanted);
		bell();
	}
	crash();
}

/* Answers nothing and shows nothing, and never ends by itself. */
bool seat_silent(struct self *self, uint32_t life)
{
	(void)self;
	if (life)
		return false;
	spin_for_ever();
	return true;
}

/* Takes the log and all of a CPU's time, shows nothing, is gone. */
bool seat_hog(struct self *self, uint32_t life)
{
	static char text[4096];

	if (life)
		return false;
	while (goes_on(self))
		(void)gate_log_read(text, sizeof(text));
	crash();
}

/* Dies at once, some times in a row. */
bool seat_crash(struct self *self, uint32_t life)
{
	(void)self;
	if (life == 2)
		return false;
	crash();
}

/* ---- Beyond its rights --------------------------------------------------- */

/* The same calls as a machine without any. */
bool seat_rights(struct self *self, uint32_t life)
{
	if (life)
		return false;
	evil.rights = GATE_RIGHT_LOG;
	evil.first_port = UART_PORT;
	evil.port_count = 8;
	for (const struct attack *a = right_attacks; a->name; a++)
		if (!strcmp(a->name, "rights"))
			a->run(self);
	crash();
}

/* Boot modules that nobody mapped for it. */
bool seat_module(struct self *self, uint32_t life)
{
	(void)self;
	if (life)
		return false;
	SAY("module: %lx", *(volatile uint64_t *)GATE_MODULE_VA);
	return true;
}

/* ---- Against machines ---------------------------------------------------- */

#define WRITES_MS 20000 /* by then the guest does, on any machine */

/* Another guest's console, once that writes; nothing of the good one's. */
bool seat_consoles(struct self *self, uint32_t life)
{
	const struct seat_console *memory = gate_channel(EVIL_SLOT);
	uint64_t until_ns = now_ns() + WRITES_MS * NS_PER_MS;

	if (life)
		return false;
	while (gate_channel_state(EVIL_SLOT) == GATE_CHANNEL_NONE)
		(void)gate_wait();
	while (!*(const volatile uint32_t *)&memory->output.produced &&
	       now_ns() < until_ns)
		gate_yield();
	evil.end_ns = now_ns() + evil.duration_ns;
	while (goes_on(self)) {
		scribble(self, gate_channel(EVIL_SLOT),
			 sizeof(struct seat_console));
		(void)gate_doorbell(EVIL_SLOT);
	}
	crash();
}

/* ---- Lives --------------------------------------------------------------- */

/* Bytes of the channel that no ring uses. */
static uint32_t *life_count(void)
{
	struct seat_console *memory = gate_channel(GOOD_SLOT);

	return &memory->debug.producer_sleeps + 1;
}

void program_main(unsigned thread)
{
	struct self self = {
		.id = thread,
		.vcpus = 1,
		.random = 0x9e3779b97f4a7c15ULL,
	};
	uint32_t life;

	/* init attaches the first console after it has started seat. */
	while (gate_channel_state(GOOD_SLOT) == GATE_CHANNEL_NONE)
		(void)gate_wait();
	life = (*life_count())++;
	SAY("life %u begins", life);
	evil.duration_ns = ATTACK_MS * NS_PER_MS;
	evil.end_ns = now_ns() + evil.duration_ns;
	if (seat_attack(&self, life))
		SAY("FAIL the attack came back");
	seat_main(thread);
}
