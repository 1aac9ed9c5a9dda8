/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In seat's place, against init and the machines whose consoles it holds; what
 * is not seat's alone is in tests/hostile/fake.
 *
 * Which life it is stands in the first guest's channel, which outlives seats.
 */
#include "tests/hostile/fake/fake.h"

#include "include/seat.h"
#include "lib/string.h"

#define NS_PER_MS   1000000ULL
#define GOOD_SLOT   (SEAT_CONTROL_SLOT + 1) /* the manifest's first guest */
#define EVIL_SLOT   (SEAT_CONTROL_SLOT + 2)
#define UART_PORT   0x3f8
#define REMOTE_PORT 0x2f8

static struct seat_control *control(void)
{
	return gate_channel(SEAT_CONTROL_SLOT);
}

static void bell(void)
{
	(void)gate_doorbell(SEAT_CONTROL_SLOT);
}

static struct ring from_ring(void)
{
	struct ring ring;

	ring_init(&ring, &control()->from_seat, control()->from_seat_data,
		  SEAT_CONTROL_SIZE, true, true);
	return ring;
}

/* ---- Against init -------------------------------------------------------- */

/* Records of the right size that answer nothing. */
static void garbage(struct self *self)
{
	struct ring ring = from_ring();
	struct seat_message message;
	bool is_wanted;

	for (;;) {
		random_fill(self, &message, sizeof(message));
		message.kind = one_in(self, 2) ? SEAT_REMOVED : SEAT_FLUSHED;
		message.slot = (uint32_t)random_next(self) % 64;
		(void)!ring_put(&ring, &message, sizeof(message), &is_wanted);
		bell();
	}
}

/* As an operator who types as fast as init reads. */
static void typist(struct self *self)
{
	static const char *const lines[] = {
		"list\r",   "help\r",		"start good\r", "stop nobody\r",
		"\x7f\x15", "an endless line ", "start\r",	"list list\r",
	};
	struct seat_console *memory = &control()->operator;
	bool is_wanted = false;
	struct ring ring;

	ring_init(&ring, &memory->input, memory->input_data, SEAT_INPUT_SIZE,
		  true, true);
	while (goes_on(self)) {
		const char *line = lines[random_next(self) % ARRAY_SIZE(lines)];

		(void)!ring_write(&ring, line, (uint32_t)strlen(line),
				  &is_wanted);
		bell();
	}
}

/* Takes the log and all of a CPU's time, shows nothing, is gone. */
static void hog(struct self *self)
{
	static char text[4096];

	while (goes_on(self))
		(void)gate_log_read(text, sizeof(text));
}

/* ---- Beyond its rights --------------------------------------------------- */

/* The same calls as a machine without any. */
static void rights(struct self *self)
{
	evil.rights = GATE_RIGHT_LOG;
	evil.port[0].first = UART_PORT;
	evil.port[0].count = 8;
	evil.port[1].first = REMOTE_PORT;
	evil.port[1].count = 8;
	try_rights(self);
}

/* Boot modules that nobody mapped for it. */
static void module(struct self *self)
{
	(void)self;
	SAY("FAIL a module: %lx", *(volatile uint64_t *)GATE_MODULE_VA);
}

/* ---- Against machines ---------------------------------------------------- */

#define WRITES_MS 20000 /* by then the guest does, on any machine */

/* Another guest's console, once that writes; nothing of the good one's. */
static void consoles(struct self *self)
{
	const struct seat_console *memory = gate_channel(EVIL_SLOT);
	uint64_t until_ns = now_ns() + WRITES_MS * NS_PER_MS;

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
}

/* ---- Lives --------------------------------------------------------------- */

/* Bytes of the channel that no ring uses. */
static uint32_t *life_count(void)
{
	struct seat_console *memory = gate_channel(GOOD_SLOT);

	return &memory->debug.producer_sleeps + 1;
}

uint32_t fake_life(void)
{
	/* init attaches the first console after it has started seat. */
	while (gate_channel_state(GOOD_SLOT) == GATE_CHANNEL_NONE)
		(void)gate_wait();
	return (*life_count())++;
}

struct fake_control fake_control(void)
{
	struct seat_control *memory = control();

	return (struct fake_control){
		.slot = SEAT_CONTROL_SLOT,
		.memory = memory,
		.size = sizeof(*memory),
		.to = &memory->to_seat,
		.from = &memory->from_seat,
		.more = &memory->operator.input,
		.from_data = memory->from_seat_data,
		.from_size = SEAT_CONTROL_SIZE,
	};
}

const struct fake fake_garbage = { 1, garbage };
const struct fake fake_typist = { 1, typist };
const struct fake fake_hog = { 1, hog };
const struct fake fake_rights = { 1, rights };
const struct fake fake_module = { 1, module };
const struct fake fake_consoles = { 1, consoles };
