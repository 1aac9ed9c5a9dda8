/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/seat between init and consoles: init's messages and their answers,
 * the input and its focus, the operator's console, a seat that is started anew,
 * and programs that lie in their rings.
 */
#include "tests/unit/seat_test.h"

#include "services/seat/control.h"

static struct control control;
static struct {
	struct seat_control memory;
	struct ring to_seat, from_seat, output, input;
	unsigned detached[MUX_SLOTS];
	unsigned bells;
	uint64_t channels; /* slots that are attached */
} init;

static struct seat_console *fake_channel(void *ctx, unsigned slot)
{
	(void)ctx;
	if (!(init.channels & BIT(slot)) || slot > GUESTS)
		return NULL;
	return &program[slot].memory;
}

static void fake_detach(void *ctx, unsigned slot)
{
	(void)ctx;
	init.detached[slot]++;
}

static void fake_control_bell(void *ctx, unsigned slot)
{
	(void)ctx;
	assert_int_equal(slot, SEAT_CONTROL_SLOT);
	init.bells++;
}

static const struct control_ops control_ops = {
	.channel = fake_channel,
	.detach = fake_detach,
	.doorbell = fake_control_bell,
};

/* A wake-up, as services/seat/main.c does it. */
static void wake(void)
{
	unsigned loops = 0;

	do {
		control_read(&control);
		run();
		control_answer(&control);
		assert_true(loops++ < 100);
	} while (control.is_again);
}

static void wake_ticks(unsigned count)
{
	while (count--) {
		tick();
		wake();
	}
}

/* Seat's program begins, the first time or again. */
static void seat_begin(void)
{
	mux_init(&mux, &fake_ops, NULL);
	control_init(&control, &control_ops, NULL, &mux, &init.memory);
	wake();
}

static int setup_control(void **state)
{
	(void)setup(state);
	memset(&init, 0, sizeof(init));
	init.channels = MASK(GUESTS, 0);
	ring_init(&init.to_seat, &init.memory.to_seat, init.memory.to_seat_data,
		  SEAT_CONTROL_SIZE, true, false);
	ring_init(&init.from_seat, &init.memory.from_seat,
		  init.memory.from_seat_data, SEAT_CONTROL_SIZE, false, false);
	ring_init(&init.output, &init.memory.operator.output,
		  init.memory.operator.output_data, SEAT_OUTPUT_SIZE, true,
		  false);
	ring_init(&init.input, &init.memory.operator.input,
		  init.memory.operator.input_data, SEAT_INPUT_SIZE, false,
		  false);
	seat_begin();
	return 0;
}

/* ---- init --------------------------------------------------------------- */

static void ask_for(uint32_t kind, unsigned slot, const char *name,
		    uint32_t tag)
{
	struct seat_message message = { .kind = kind, .slot = slot };
	bool is_wanted = false;

	message.tag = tag;
	memcpy(message.name, name, MIN(strlen(name), sizeof(message.name)));
	assert_true(ring_put(&init.to_seat, &message, sizeof(message),
			     &is_wanted) > 0);
	wake();
}

static void add(unsigned slot, const char *name)
{
	ask_for(SEAT_ADD, slot, name, 0);
}

/* The next answer's kind, 0: none. */
static uint32_t answer_take(uint32_t *slot_or_tag)
{
	struct seat_message message;
	bool is_wanted = false;

	if (!ring_get(&init.from_seat, &message, sizeof(message), &is_wanted))
		return 0;
	*slot_or_tag =
		message.kind == SEAT_FLUSHED ? message.tag : message.slot;
	return message.kind;
}

static void operator_write(const char *text)
{
	bool is_wanted = false;

	assert_int_equal(ring_write(&init.output, text, (uint32_t)strlen(text),
				    &is_wanted),
			 strlen(text));
	mux_ring(&mux, SEAT_CONTROL_SLOT);
	wake();
}

static void type(const char *text)
{
	memcpy(host.received + host.received_length, text, strlen(text));
	host.received_length += strlen(text);
	mux_input(&mux, host.now_ns);
	wake();
}

static void expect_input(struct ring *ring, const char *want)
{
	char bytes[SEAT_INPUT_SIZE + 1];
	bool is_wanted = false;
	long n = ring_read(ring, bytes, SEAT_INPUT_SIZE, &is_wanted);

	assert_true(n >= 0);
	bytes[n] = 0;
	assert_string_equal(bytes, want);
}

/* ---- Messages ----------------------------------------------------------- */

static void consoles_come_and_go(void **state)
{
	uint32_t slot;

	(void)state;
	add(1, "good");
	add(2, "evil");
	write_text(0, "one\n");
	wake_ticks(5);
	assert_true(was_sent("[good] one\r\n"));
	ask_for(SEAT_REMOVE, 1, "", 0);
	assert_int_equal(answer_take(&slot), SEAT_REMOVED);
	assert_int_equal(slot, 1);
	assert_int_equal(init.detached[1], 1);
	/* The slot and the name are free again. */
	memset(&program[1].memory, 0, sizeof(program[1].memory));
	program_attach(&program[1]);
	add(1, "good");
	write_text(0, "two\n");
	wake_ticks(5);
	assert_true(was_sent("[good] two\r\n"));
	assert_false(was_sent("--- seat"));
}

/* As init may have to, when seat was started anew. */
static void messages_may_be_repeated(void **state)
{
	uint32_t slot;

	(void)state;
	add(1, "good");
	add(1, "good");
	add(2, "evil");
	wake_ticks(20);
	assert_int_equal(host.length, 0);
	ask_for(SEAT_REMOVE, 2, "", 0);
	ask_for(SEAT_REMOVE, 2, "", 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(answer_take(&slot), SEAT_REMOVED);
		assert_int_equal(slot, 2);
	}
	assert_int_equal(answer_take(&slot), 0);
	/* None was ever there, but a channel. */
	ask_for(SEAT_REMOVE, 5, "", 0);
	assert_int_equal(answer_take(&slot), SEAT_REMOVED);
	assert_int_equal(slot, 5);
	assert_int_equal(init.detached[5], 1);
	assert_int_equal(host.length, 0);
}

static void removal_waits_for_what_is_left(void **state)
{
	char bytes[3000];
	uint32_t slot;

	(void)state;
	add(1, "good");
	add(2, "evil");
	memset(bytes, mark(0), sizeof(bytes));
	write_bytes(0, bytes, sizeof(bytes));
	ask_for(SEAT_REMOVE, 1, "", 0);
	assert_int_equal(answer_take(&slot), 0);
	assert_int_equal(init.detached[1], 0);
	wake_ticks(400);
	assert_int_equal(answer_take(&slot), SEAT_REMOVED);
	slot = 0;
	for (size_t i = 0; i < host.length; i++)
		slot += host.sent[i] == mark(0);
	assert_int_equal(slot, sizeof(bytes));
	assert_int_equal(init.detached[1], 1);
}

static void flush_is_answered_when_it_is_out(void **state)
{
	uint32_t tag;

	(void)state;
	add(1, "good");
	add(2, "evil");
	host.is_idle = false;
	write_text(0, "a line of more than one FIFO's bytes\nand a rest");
	ask_for(SEAT_FLUSH, 0, "", 7);
	ask_for(SEAT_FLUSH, 0, "", 8);
	while (!was_sent("and a rest")) {
		assert_int_equal(answer_take(&tag), 0);
		wake_ticks(1);
	}
	wake_ticks(3);
	assert_int_equal(answer_take(&tag), 0);
	host.is_idle = true;
	wake_ticks(1);
	assert_int_equal(answer_take(&tag), SEAT_FLUSHED);
	assert_int_equal(tag, 7);
	assert_int_equal(answer_take(&tag), SEAT_FLUSHED);
	assert_int_equal(tag, 8);
	assert_int_equal(answer_take(&tag), 0);
}

/* More than are remembered: they wait in the ring and none is lost. */
static void flushes_are_all_answered(void **state)
{
	uint32_t tag;

	(void)state;
	add(1, "good");
	host.is_idle = false;
	for (unsigned i = 0; i < 20; i++)
		ask_for(SEAT_FLUSH, 0, "", i);
	host.is_idle = true;
	wake_ticks(20);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(answer_take(&tag), SEAT_FLUSHED);
		assert_int_equal(tag, i);
	}
}

/* init does not read: answers wait, nothing else does. */
static void answers_wait_for_room(void **state)
{
	unsigned count = 0;
	uint32_t tag;

	(void)state;
	add(1, "good");
	assert_true(ring_sleep(&init.from_seat));
	for (unsigned i = 0; i < 200; i++) {
		ask_for(SEAT_FLUSH, 0, "", i);
		if (i % 4 == 0)
			wake_ticks(1);
		if (init.memory.to_seat.produced -
			    init.memory.to_seat.consumed >
		    SEAT_CONTROL_SIZE / 2)
			break;
	}
	write_text(0, "goes on");
	wake_ticks(3);
	assert_true(was_sent("goes on"));
	for (unsigned i = 0; i < 50; i++) {
		while (answer_take(&tag) == SEAT_FLUSHED)
			assert_int_equal(tag, count++);
		wake_ticks(2);
	}
	assert_true(count > SEAT_CONTROL_SIZE / (sizeof(struct seat_message) +
						 sizeof(uint32_t)));
	assert_int_equal(control.flush_count, 0);
	assert_int_equal(init.bells, 1);
}

static void nonsense_is_refused_and_said(void **state)
{
	static const char *const names_bad[] = {
		"",	    "1st",
		"a b",	    "a\x1b[2J",
		"a]",	    "web.1",
		"-x",	    "\x9bH",
		"a\nb",	    "h\x80",
		"0.123456", "host",
		"good",	    "name-that-fills-its-field-of-32-b",
	};

	(void)state;
	add(1, "good");
	for (unsigned i = 0; i < ARRAY_SIZE(names_bad); i++) {
		host.length = 0;
		add(2, names_bad[i]);
		wake_ticks(20);
		assert_int_equal(mux.console[2].state, MUX_FREE);
		assert_true(was_sent("bad name, or taken"));
		for (size_t at = 0; at < host.length; at++)
			assert_true((uint8_t)host.sent[at] < 0x7f &&
				    (host.sent[at] >= ' ' ||
				     host.sent[at] == '\r' ||
				     host.sent[at] == '\n'));
	}
	host.length = 0;
	add(1, "other");
	add(0, "other");
	add(MUX_SLOTS, "other");
	add(UINT32_MAX, "other");
	init.channels &= ~BIT(3);
	add(3, "other");
	ask_for(SEAT_REMOVE, 0, "", 0);
	ask_for(SEAT_REMOVE, UINT32_MAX, "", 0);
	ask_for(SEAT_FOCUS, 5, "", 0);
	ask_for(0, 1, "", 0);
	ask_for(SEAT_REMOVED, 1, "", 0);
	ask_for(UINT32_MAX, 1, "", 0);
	wake_ticks(200);
	assert_int_equal(mux.count, 1);
	assert_true(was_sent("message 1, slot 1, \"other\""));
	assert_true(was_sent("no such channel: message 1, slot 3"));
	assert_true(was_sent("unknown: message 4294967295"));
	/* All goes on. */
	write_text(0, "fine");
	wake_ticks(5);
	assert_true(was_sent("fine"));
}

static void records_of_another_length_are_refused(void **state)
{
	char record[sizeof(struct seat_message) + 8] = { SEAT_FLUSH };
	bool is_wanted = false;
	uint32_t tag;

	(void)state;
	assert_true(ring_put(&init.to_seat, record, 4, &is_wanted) > 0);
	wake();
	wake_ticks(20);
	assert_true(was_sent("wrong length"));
	ask_for(SEAT_FLUSH, 0, "", 3);
	wake_ticks(2);
	assert_int_equal(answer_take(&tag), SEAT_FLUSHED);
	/* Longer than any message: the ring is broken, consoles are not. */
	assert_true(ring_put(&init.to_seat, record, sizeof(record),
			     &is_wanted) > 0);
	wake();
	wake_ticks(20);
	assert_true(was_sent("init's ring is broken"));
	host.length = 0;
	wake_ticks(20);
	assert_int_equal(host.length, 0);
	operator_write("still here");
	wake_ticks(5);
	assert_true(was_sent("still here"));
}

/* ---- Input and focus ---------------------------------------------------- */

static void input_waits_for_one_that_is_alone(void **state)
{
	char bytes[SEAT_INPUT_SIZE + 200];
	char taken[SEAT_INPUT_SIZE];
	bool is_wanted = false;

	(void)state;
	add(1, "good");
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + i % 23);
	bytes[sizeof(bytes) - 1] = 0;
	bytes[50] = 0x1d; /* its own, for it is alone */
	type(bytes);
	assert_int_equal(host.received_read, SEAT_INPUT_SIZE);
	assert_int_equal(
		ring_read(&guest(0)->input, taken, SEAT_INPUT_SIZE, &is_wanted),
		SEAT_INPUT_SIZE);
	assert_memory_equal(taken, bytes, SEAT_INPUT_SIZE);
	/* It rings, and what waited comes, in order. */
	assert_true(is_wanted);
	mux_ring(&mux, 1);
	wake();
	expect_input(&guest(0)->input, bytes + SEAT_INPUT_SIZE);
	assert_int_equal(mux_deadline(&mux), UINT64_MAX);
}

static void input_rings_who_sleeps(void **state)
{
	(void)state;
	add(1, "good");
	type("a");
	assert_int_equal(guest(0)->bells, 0);
	expect_input(&guest(0)->input, "a");
	assert_true(ring_sleep(&guest(0)->input));
	type("bc");
	assert_int_equal(guest(0)->bells, 1);
	expect_input(&guest(0)->input, "bc");
}

static void focus_key_goes_round(void **state)
{
	(void)state;
	add(1, "good");
	add(2, "evil");
	type("a");
	type("\x1d"
	     "b");
	type("\x1d"
	     "c");
	type("\x1d"
	     "d");
	wake_ticks(20);
	expect_input(&guest(0)->input, "ad");
	expect_input(&guest(1)->input, "b");
	expect_input(&init.input, "c");
	assert_true(was_sent("--- input goes to evil ---\r\n--- input goes to "
			     "host ---\r\n--- input goes to good ---\r\n"));
}

/* Who does not read its input does not keep the key from working. */
static void focus_leaves_who_does_not_read(void **state)
{
	(void)state;
	add(1, "good");
	add(2, "evil");
	for (unsigned i = 0; i < SEAT_INPUT_SIZE + 100; i++)
		type("x");
	type("\x1d"
	     "y");
	expect_input(&guest(1)->input, "y");
}

static void focus_by_message(void **state)
{
	(void)state;
	add(1, "good");
	add(2, "evil");
	ask_for(SEAT_FOCUS, 2, "", 0);
	type("x");
	expect_input(&guest(1)->input, "x");
	expect_input(&guest(0)->input, "");
	/* Who has it leaves. */
	ask_for(SEAT_REMOVE, 2, "", 0);
	wake_ticks(20);
	type("y");
	expect_input(&guest(0)->input, "y");
}

/* ---- The operator's console --------------------------------------------- */

static void operator_has_an_empty_host(void **state)
{
	(void)state;
	operator_write("host# ");
	wake_ticks(3);
	expect_sent("host# ");
	type("help");
	expect_input(&init.input, "help");
}

static void operator_hides_from_one_that_is_alone(void **state)
{
	(void)state;
	add(1, "good");
	operator_write("unseen\n");
	write_text(0, "\x1b[1mraw");
	wake_ticks(10);
	expect_sent("\x1b[1mraw");
	type("\x1d");
	expect_input(&guest(0)->input, "\x1d");
	/* Asked for it comes, and goes with the focus. */
	ask_for(SEAT_FOCUS, 0, "", 0);
	wake_ticks(10);
	assert_true(was_sent("[host] unseen\r\n"));
	type("list");
	expect_input(&init.input, "list");
	type("\x1dz");
	expect_input(&guest(0)->input, "z");
	assert_int_equal(mux.count, 1);
	/* With two it is there. */
	host.length = 0;
	add(2, "evil");
	operator_write("seen\n");
	wake_ticks(10);
	assert_true(was_sent("[host] seen\r\n"));
}

static void operator_keeps_the_focus_it_has(void **state)
{
	(void)state;
	add(1, "good");
	add(2, "evil");
	ask_for(SEAT_FOCUS, 0, "", 0);
	ask_for(SEAT_REMOVE, 2, "", 0);
	wake_ticks(20);
	type("secret");
	expect_input(&init.input, "secret");
	expect_input(&guest(0)->input, "");
}

/* ---- A seat that is started anew ---------------------------------------- */

static void a_new_seat_goes_on(void **state)
{
	char bytes[2000];
	size_t count = 0;

	(void)state;
	add(1, "good");
	add(2, "evil");
	type("before");
	memset(bytes, mark(0), sizeof(bytes));
	write_bytes(0, bytes, sizeof(bytes));
	wake_ticks(3);
	host.length = 0;
	seat_begin();
	add(1, "good");
	add(2, "evil");
	type(" after");
	write_text(1, "mine\n");
	write_text(0, "\n");
	wake_ticks(300);
	for (size_t i = 0; i < host.length; i++)
		count += host.sent[i] == mark(0);
	/* Lost is at most what was taken and not shown. */
	assert_in_range(count, sizeof(bytes) - MUX_BUFFER - 3 * 64,
			sizeof(bytes));
	expect_input(&guest(0)->input, "before after");
	assert_true(was_sent("[evil] mine\r\n"));
	/* Whatever the former one left on the terminal has ended. */
	assert_memory_equal(host.sent, "\x18\x1b\\", 3);
}

/* ---- Programs that lie -------------------------------------------------- */

static void a_broken_console_is_said_once_and_ignored(void **state)
{
	struct ring_shared *rings[] = { &guest(1)->memory.output,
					&guest(1)->memory.debug,
					&guest(1)->memory.e9,
					&guest(1)->memory.input };
	uint32_t slot;

	for (unsigned i = 0; i < ARRAY_SIZE(rings); i++) {
		(void)setup_control(state);
		add(1, "good");
		add(2, "evil");
		if (i == ARRAY_SIZE(rings) - 1)
			ask_for(SEAT_FOCUS, 2, "", 0);
		rings[i]->produced += 100000;
		rings[i]->consumed += 100000;
		for (unsigned n = 0; n < 50; n++) {
			mux_ring(&mux, 2);
			wake_ticks(1);
			type("x");
		}
		write_text(0, "unharmed\n");
		wake_ticks(20);
		host.sent[host.length] = 0;
		assert_true(was_sent("[good] unharmed\r\n"));
		assert_non_null(strstr(host.sent, "console of evil is broken"));
		assert_null(strstr(strstr(host.sent, "is broken") + 1,
				   "is broken"));
		ask_for(SEAT_REMOVE, 2, "", 0);
		wake_ticks(20);
		assert_int_equal(answer_take(&slot), SEAT_REMOVED);
	}
}

/* A counter that goes back holds up neither a flush nor a removal. */
static void a_counter_that_goes_back_holds_up_nothing(void **state)
{
	uint32_t tag;

	(void)state;
	add(1, "good");
	add(2, "evil");
	host.room = host.per_tick = 0;
	write_text(0, "first\n");
	write_text(1, "some text that waits in the ring\n");
	monitor_print(1, "about it");
	ask_for(SEAT_FLUSH, 0, "", 1);
	guest(1)->memory.output.produced = guest(1)->memory.output.consumed;
	host.per_tick = FIFO;
	wake_ticks(50);
	assert_int_equal(answer_take(&tag), SEAT_FLUSHED);
	assert_true(was_sent("[evil] about it"));
	ask_for(SEAT_REMOVE, 2, "", 0);
	wake_ticks(5);
	assert_int_equal(answer_take(&tag), SEAT_REMOVED);
}

static uint32_t random_word(void)
{
	return (uint32_t)rand() * 2654435761U ^ (uint32_t)rand();
}

static void scribble(struct seat_console *memory)
{
	struct ring_shared *rings[] = { &memory->output, &memory->debug,
					&memory->e9, &memory->input };
	struct ring_shared *ring = rings[rand() % 4];
	uint32_t near = (uint32_t)rand() % 600;

	switch (rand() % 6) {
	case 0:
		ring->produced = ring->consumed + near;
		break;
	case 1:
		ring->consumed = ring->produced - near;
		break;
	case 2:
		ring->producer_sleeps = random_word();
		break;
	case 3:
		ring->consumer_sleeps = random_word();
		break;
	case 4:
		memory->output_data[rand() % SEAT_OUTPUT_SIZE] =
			(uint8_t)rand();
		break;
	default:
		if (rand() % 20 == 0)
			ring->produced = random_word();
	}
}

/* Beside two that scribble over their rings one has all its lines shown. */
static void scribblers_disturb_nobody(void **state)
{
	uint32_t slot;

	for (unsigned seed = 1; seed <= 30; seed++) {
		unsigned lines = 0;

		srand(seed);
		(void)setup_control(state);
		add(1, "good");
		add(2, "evil");
		add(3, "a");
		for (unsigned i = 0; i < 300; i++) {
			scribble(&guest(1)->memory);
			scribble(&guest(2)->memory);
			mux_ring(&mux, 2 + (unsigned)rand() % 2);
			if (i % 30 == 0)
				write_text(0, "= quite honest row\n");
			if (i % 50 == 0)
				type(i % 100 ? "\x1d" : "x");
			wake_ticks((unsigned)rand() % 2);
		}
		ask_for(SEAT_REMOVE, 2, "", 0);
		ask_for(SEAT_REMOVE, 3, "", 0);
		wake_ticks(1200);
		assert_int_equal(answer_take(&slot), SEAT_REMOVED);
		assert_int_equal(answer_take(&slot), SEAT_REMOVED);
		host.sent[host.length] = 0;
		for (char *at = host.sent;
		     (at = strstr(at, "[good] = quite honest row\r\n")); at++)
			lines++;
		assert_int_equal(lines, 10);
	}
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_control)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(consoles_come_and_go),
		TEST(messages_may_be_repeated),
		TEST(removal_waits_for_what_is_left),
		TEST(flush_is_answered_when_it_is_out),
		TEST(flushes_are_all_answered),
		TEST(answers_wait_for_room),
		TEST(nonsense_is_refused_and_said),
		TEST(records_of_another_length_are_refused),
		TEST(input_waits_for_one_that_is_alone),
		TEST(input_rings_who_sleeps),
		TEST(focus_key_goes_round),
		TEST(focus_leaves_who_does_not_read),
		TEST(focus_by_message),
		TEST(operator_has_an_empty_host),
		TEST(operator_hides_from_one_that_is_alone),
		TEST(operator_keeps_the_focus_it_has),
		TEST(a_new_seat_goes_on),
		TEST(a_broken_console_is_said_once_and_ignored),
		TEST(a_counter_that_goes_back_holds_up_nothing),
		TEST(scribblers_disturb_nobody),
	};

	return cmocka_run_group_tests_name("seat control", tests, NULL,
					   teardown);
}
