/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/seat as a whole, on a gate, a UART and a clock of the test's own:
 * bytes in and out, with and without an interrupt.
 *
 * The receiver's interrupt is an edge, as behind an I/O APIC: it is masked when
 * its event is set, and one that comes while it is masked is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "include/seat.h"
#include "tests/unit/fake/seat/lib/user/gate_calls.h"

#define PORT	0x3f8
#define FIFO	16
#define FIFO_NS (1389 * NSEC_PER_US)
#define CALL_NS 500 /* that one call takes */

void program_main(unsigned thread);

static struct {
	uint64_t now_ns, timer_ns, events;
	bool has_irq, is_masked, was_up;
	bool is_log_taken;
	unsigned calls, waits;
	unsigned waits_max; /* 0: until all is quiet */
	/* The UART. */
	uint8_t ier, lcr, scratch;
	uint64_t empty_ns; /* when the transmitter will be */
	char sent[65536];
	size_t sent_length;
	char typed[4096]; /* what the operator will have typed in the end */
	size_t typed_length, arrived, read;
	unsigned type_rate; /* a byte comes in so many calls */
	/* Who else there is. */
	struct seat_control *control;
	struct seat_console *console[3];
	struct ring to_seat, from_seat, output[3], input[3];
	uint64_t rung;		       /* slots that seat rang */
	bool (*step)(unsigned number); /* when seat waits; false: the end */
	unsigned steps;
	jmp_buf end;
} host;

/* ---- The machine underneath --------------------------------------------- */

static void irq_update(void)
{
	bool is_up = host.ier & 1 && host.read < host.arrived;

	if (is_up && !host.was_up && !host.is_masked && host.has_irq) {
		host.events |= BIT(GATE_EVENT_IRQ_BIT(0));
		host.is_masked = true;
	}
	host.was_up = is_up;
}

static bool keys_come(void)
{
	return host.arrived < host.typed_length &&
	       host.arrived - host.read < FIFO;
}

/* Time passes at each call, and keys are pressed at any moment. */
static void call(void)
{
	host.calls++;
	assert_true(host.calls < 2000000);
	host.now_ns += CALL_NS;
	if (keys_come() && rand() % (int)host.type_rate == 0)
		host.arrived++;
	irq_update();
	if (host.timer_ns <= host.now_ns) {
		host.timer_ns = UINT64_MAX;
		host.events |= BIT(GATE_EVENT_TIMER_BIT);
	}
}

static void transmit(uint8_t byte)
{
	assert_true(host.is_log_taken); /* the monitor's before */
	assert_true(host.sent_length < sizeof(host.sent) - 1);
	host.sent[host.sent_length++] = (char)byte;
	host.empty_ns = MAX(host.empty_ns, host.now_ns) + FIFO_NS / FIFO;
	assert_true(host.empty_ns - host.now_ns <= FIFO_NS);
}

long gate_port_read(uint16_t port, unsigned size)
{
	long value = 0;

	assert_int_equal(size, 1);
	call();
	switch (port - PORT) {
	case 0:
		assert_true(host.read < host.arrived);
		value = (uint8_t)host.typed[host.read++];
		irq_update();
		break;
	case 5:
		value = host.read < host.arrived;
		value |= host.now_ns >= host.empty_ns ? 0x60 : 0;
		break;
	case 7:
		value = host.scratch;
	}
	return value;
}

long gate_port_write(uint16_t port, unsigned size, uint32_t value)
{
	assert_int_equal(size, 1);
	call();
	if (port == PORT + 3)
		host.lcr = (uint8_t)value;
	else if (port == PORT + 7)
		host.scratch = (uint8_t)value;
	else if (!(host.lcr & 0x80) && port == PORT)
		transmit((uint8_t)value);
	else if (!(host.lcr & 0x80) && port == PORT + 1)
		host.ier = (uint8_t)value;
	irq_update();
	return 0;
}

long gate_port_write_string(uint16_t port, const void *bytes, size_t length)
{
	assert_int_equal(port, PORT);
	assert_in_range(length, 1, 64);
	call();
	for (size_t i = 0; i < length; i++)
		transmit(((const uint8_t *)bytes)[i]);
	return (long)length;
}

/* ---- The gate ----------------------------------------------------------- */

long gate_log_read(void *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	call();
	host.is_log_taken = true;
	return 0;
}

long gate_doorbell(unsigned slot)
{
	call();
	host.rung |= BIT(slot);
	return slot < ARRAY_SIZE(host.console) ? 0 : -EINVAL;
}

long gate_channel_state(unsigned slot)
{
	call();
	return slot < ARRAY_SIZE(host.console) ? GATE_CHANNEL_OPEN
					       : GATE_CHANNEL_NONE;
}

long gate_channel_detach(unsigned slot)
{
	(void)slot;
	call();
	return 0;
}

void *gate_channel(unsigned slot)
{
	if (slot == SEAT_CONTROL_SLOT)
		return host.control;
	return host.console[slot];
}

long gate_irq_ack(unsigned irq)
{
	assert_int_equal(irq, 0);
	call();
	if (!host.has_irq)
		return -EINVAL;
	host.is_masked = false;
	return 0;
}

/* No virtio console is granted: nothing of one is asked for. */
const struct gate_config *gate_config(void)
{
	static const struct gate_config config;

	return &config;
}

/* The boot loader's; none unless a test says so. */
static struct seat_screen screen;
static unsigned warnings;

const void *gate_argument(void)
{
	return &screen;
}

void *gate_device_bar(unsigned n, unsigned bar)
{
	fail_msg("BAR %u of device %u", bar, n);
	return NULL;
}

void *gate_device_dma(unsigned n)
{
	(void)n;
	return NULL;
}

long gate_device_read(unsigned n, unsigned offset, unsigned size)
{
	fail_msg("device %u, %u bytes at %u", n, size, offset);
	return 0;
}

long gate_device_write(unsigned n, unsigned offset, unsigned size,
		       uint32_t value)
{
	fail_msg("device %u, %x, %u bytes at %u", n, value, size, offset);
	return 0;
}

long gate_device_ack(unsigned n)
{
	fail_msg("device %u", n);
	return 0;
}

void gate_log(unsigned level, const char *format, ...)
{
	if (level != GATE_LOG_WARNING || !strstr(format, "screen"))
		fail_msg("level %u: %s", level, format);
	warnings++;
}

void gate_timer(uint64_t deadline_ns)
{
	host.timer_ns = deadline_ns;
	call();
}

uint64_t gate_now_ns(void)
{
	return host.now_ns;
}

uint64_t gate_host_ns(void)
{
	return gate_now_ns();
}

/* Only what sets an event ends it: time that passes, or the others' step. */
uint64_t gate_wait(void)
{
	uint64_t events;

	if (host.waits++ == host.waits_max && host.waits_max)
		longjmp(host.end, 1);
	call();
	while (!host.events) {
		if (host.has_irq && keys_come()) {
			call();
		} else if (host.timer_ns != UINT64_MAX) {
			host.now_ns = MAX(host.now_ns, host.timer_ns);
			call();
		} else if (!host.step(host.steps++)) {
			longjmp(host.end, 1);
		}
		/* Nothing comes, though keys were pressed. */
		assert_true(host.steps < 100000);
	}
	events = host.events;
	host.events = 0;
	return events;
}

/* ---- The others --------------------------------------------------------- */

static void ring_slot(unsigned slot)
{
	host.events |= BIT(GATE_EVENT_CHANNEL_BIT(slot));
}

static void say(unsigned slot, const char *text)
{
	bool is_wanted = false;

	assert_int_equal(ring_write(&host.output[slot], text,
				    (uint32_t)strlen(text), &is_wanted),
			 strlen(text));
	if (is_wanted)
		ring_slot(slot);
}

static void ask(uint32_t kind, unsigned slot, const char *name)
{
	struct seat_message message = { .kind = kind, .slot = slot };
	bool is_wanted = false;

	memcpy(message.name, name, strlen(name));
	assert_true(ring_put(&host.to_seat, &message, sizeof(message),
			     &is_wanted) > 0);
	if (is_wanted)
		ring_slot(SEAT_CONTROL_SLOT);
}

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	screen = (struct seat_screen){ 0 };
	host.timer_ns = UINT64_MAX;
	host.has_irq = true;
	host.is_masked = true;
	host.type_rate = 1;
	host.control = calloc(1, sizeof(*host.control));
	ring_init(&host.to_seat, &host.control->to_seat,
		  host.control->to_seat_data, SEAT_CONTROL_SIZE, true, false);
	ring_init(&host.from_seat, &host.control->from_seat,
		  host.control->from_seat_data, SEAT_CONTROL_SIZE, false,
		  false);
	for (unsigned i = 1; i < ARRAY_SIZE(host.console); i++) {
		struct seat_console *memory = calloc(1, sizeof(*memory));

		host.console[i] = memory;
		ring_init(&host.output[i], &memory->output, memory->output_data,
			  SEAT_OUTPUT_SIZE, true, false);
		ring_init(&host.input[i], &memory->input, memory->input_data,
			  SEAT_INPUT_SIZE, false, false);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(host.control);
	for (unsigned i = 1; i < ARRAY_SIZE(host.console); i++)
		free(host.console[i]);
	return 0;
}

static void seat_run(bool (*step)(unsigned number))
{
	host.step = step;
	if (!setjmp(host.end))
		program_main(0);
	host.sent[host.sent_length] = 0;
}

/* ---- Tests -------------------------------------------------------------- */

static bool two_lines(unsigned number)
{
	if (number == 0) {
		ask(SEAT_ADD, 1, "web");
		ask(SEAT_ADD, 2, "db");
	} else if (number == 1) {
		say(1, "first\n");
	} else if (number == 2) {
		say(2, "second\n");
	} else if (number == 3) {
		ask(SEAT_REMOVE, 1, "");
		ask(SEAT_FLUSH, 0, "");
	}
	return number < 4;
}

static void lines_go_out_and_answers_come(void **state)
{
	struct seat_message message;
	bool is_wanted = false;

	(void)state;
	assert_true(ring_sleep(&host.from_seat));
	seat_run(two_lines);
	assert_string_equal(host.sent, "[web] first\r\n[db] second\r\n");
	assert_true(host.rung & BIT(SEAT_CONTROL_SLOT));
	assert_int_equal(ring_get(&host.from_seat, &message, sizeof(message),
				  &is_wanted),
			 sizeof(message));
	assert_int_equal(message.kind, SEAT_REMOVED);
	assert_int_equal(ring_get(&host.from_seat, &message, sizeof(message),
				  &is_wanted),
			 sizeof(message));
	assert_int_equal(message.kind, SEAT_FLUSHED);
}

static unsigned burst_calls;

static bool burst(unsigned number)
{
	char text[65];

	memset(text, 'x', 64);
	text[63] = '\n';
	text[64] = 0;
	if (number == 1) {
		host.calls = 0;
		say(1, text);
	}
	if (number == 2)
		burst_calls = host.calls;
	return number < 2;
}

/* Two for each FIFO, and those of waking twice. */
static void a_burst_takes_few_calls(void **state)
{
	(void)state;
	ask(SEAT_ADD, 1, "web");
	seat_run(burst);
	assert_int_equal(host.sent_length, 64);
	print_message("%u calls for 64 bytes\n", burst_calls);
	assert_in_range(burst_calls, 5, 24);
}

static char got[4096];
static size_t got_length;

/* Reads its input whenever seat waits; sleeps without missing a bell. */
static bool one_reads(unsigned number)
{
	bool is_wanted = false;
	long n;

	n = ring_read(&host.input[1], got + got_length, 100, &is_wanted);
	assert_true(n >= 0);
	got_length += (size_t)n;
	if (is_wanted)
		ring_slot(1);
	if (n && number % 3 == 0)
		say(1, "echo");
	return n || host.arrived < host.typed_length;
}

/* Whenever a key is pressed: between any two calls of seat's. */
static void keys_run(unsigned rate)
{
	host.type_rate = rate;
	got_length = 0;
	host.typed_length = 2000;
	for (size_t i = 0; i < host.typed_length; i++)
		host.typed[i] = (char)('a' + i % 25);
	/* Before any key, which would be the operator's. */
	ask(SEAT_ADD, 1, "web");
	seat_run(one_reads);
	assert_int_equal(got_length, host.typed_length);
	assert_memory_equal(got, host.typed, host.typed_length);
	assert_int_equal(host.read, host.arrived);
}

static void no_key_is_lost(void **state)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		srand(seed);
		keys_run(1 + seed % 12);
		(void)teardown(state);
		(void)setup(state);
	}
}

/* A poll in 10 ms, and nothing but polls while nothing comes. */
static void keys_without_an_interrupt(void **state)
{
	char bytes[8] = "";
	bool is_wanted = false;

	(void)state;
	host.has_irq = false;
	host.type_rate = 40;
	host.typed_length = 3;
	memcpy(host.typed, "key", 3);
	host.waits_max = 200;
	ask(SEAT_ADD, 1, "web");
	seat_run(one_reads);
	assert_int_equal(
		ring_read(&host.input[1], bytes, sizeof(bytes), &is_wanted), 3);
	assert_string_equal(bytes, "key");
	assert_in_range(host.now_ns, 1000 * NSEC_PER_MS, 2100 * NSEC_PER_MS);
}

/* ---- The boot loader's screen ---------------------------------------------
 */

#define SCREEN_WIDTH  400
#define SCREEN_HEIGHT 300
#define SCREEN_GREY   0x8410 /* 0x808080, as 5:6:5 has it */

static uint16_t screen_memory[SCREEN_WIDTH * (SCREEN_HEIGHT + 1)];

static bool one_line(unsigned number)
{
	if (number == 0)
		ask(SEAT_FLUSH, 0, "");
	return number < 1;
}

/* The console's last row is drawn, and nothing behind the screen; there is no
 * 8042 to type at. */
static void a_screen_is_drawn_to(void **state)
{
	const uint32_t last = (SCREEN_HEIGHT / 16 - 1) * 16;

	(void)state;
	screen = (struct seat_screen){
		.kind = SEAT_SCREEN_PIXELS,
		.width = SCREEN_WIDTH,
		.height = SCREEN_HEIGHT,
		.stride = 2 * SCREEN_WIDTH,
		.va = (uint64_t)screen_memory,
		.pixel_bytes = 2,
		.channel = { { 11, 5 }, { 5, 6 }, { 0, 5 } },
	};
	memset(screen_memory, 0xee, sizeof(screen_memory));
	seat_run(one_line);
	assert_int_equal(screen_memory[last * SCREEN_WIDTH], SCREEN_GREY);
	assert_int_equal(screen_memory[0], 0);
	assert_int_equal(screen_memory[SCREEN_HEIGHT * SCREEN_WIDTH], 0xeeee);
	assert_int_equal(warnings, 0);
}

/* The ports answer as those of no VGA: it is said, and the rest goes on. */
static void a_vga_that_is_none(void **state)
{
	(void)state;
	warnings = 0;
	screen = (struct seat_screen){
		.kind = SEAT_SCREEN_TEXT,
		.width = 80,
		.height = 25,
		.stride = 160,
		.va = (uint64_t)screen_memory,
		.is_vga = true,
	};
	memset(screen_memory, 0xee, sizeof(screen_memory));
	seat_run(two_lines);
	assert_int_equal(warnings, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(screen_memory); i++)
		assert_int_equal(screen_memory[i], 0xeeee);
	assert_string_equal(host.sent, "[web] first\r\n[db] second\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(lines_go_out_and_answers_come),
		TEST(a_burst_takes_few_calls),
		TEST(no_key_is_lost),
		TEST(keys_without_an_interrupt),
		TEST(a_screen_is_drawn_to),
		TEST(a_vga_that_is_none),
	};

	return cmocka_run_group_tests_name("seat main", tests, NULL, NULL);
}
