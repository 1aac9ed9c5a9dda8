/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's conversation with services/seat: hello and rights, requests that
 * are refused, what init is asked, commands, statistics, and one that does not
 * read.  Keys: test_seat_keys.c; pictures: test_seat_screen.c; bytes both ways:
 * test_seat_serial.c.
 */
#define _GNU_SOURCE /* memmem() */
#include "tests/unit/remote_test.h"

/* ---- Hello and rights ---------------------------------------------------- */

static void hello_comes_first(void **state)
{
	(void)state;
	expect("{\"event\":\"begin\",\"version\":1}");
	init_allows(SEAT_RIGHTS_ALL);
	say("{\"id\":7,\"verb\":\"list\"}");
	expect_error(7, "say hello first", "list");
	say("{\"id\":8,\"verb\":\"close\",\"of\":1}");
	expect_error(8, "say hello first", "close");
	say("{\"id\":9,\"verb\":\"hello\"}");
	expect_error(9, "bad request", "version");
	hello();
	expect("{\"id\":1,\"ok\":true,\"version\":1,\"host\":\"bulkhead\","
	       "\"rights\":[\"watch\",\"type\",\"steer\",\"debug\"]}");
	expect_nothing();
}

/* Of each verb, by who may and who may not. */
static void rights_are_kept_to(void **state)
{
	static const struct {
		const char *text, *verb;
		uint32_t right;
	} rows[] = {
		{ "list\"", "list", SEAT_RIGHT_WATCH },
		{ "screen\",\"guest\":\"x\"", "screen", SEAT_RIGHT_WATCH },
		{ "serial\",\"guest\":\"x\"", "serial", SEAT_RIGHT_WATCH },
		{ "log\"", "log", SEAT_RIGHT_WATCH },
		{ "statistics\",\"guest\":\"x\"", "statistics",
		  SEAT_RIGHT_WATCH },
		{ "keys\",\"guest\":\"x\",\"keys\":[1]", "keys",
		  SEAT_RIGHT_TYPE },
		{ "pointer\",\"guest\":\"x\"", "pointer", SEAT_RIGHT_TYPE },
		{ "terminal\",\"guest\":\"x\",\"columns\":1,\"rows\":1",
		  "terminal", SEAT_RIGHT_TYPE },
		{ "start\",\"guest\":\"x\"", "start", SEAT_RIGHT_STEER },
		{ "stop\",\"guest\":\"x\"", "stop", SEAT_RIGHT_STEER },
		{ "restart\",\"guest\":\"x\"", "restart", SEAT_RIGHT_STEER },
		{ "off\"", "off", SEAT_RIGHT_STEER },
		{ "pause\",\"guest\":\"x\"", "pause", SEAT_RIGHT_STEER },
		{ "resume\",\"guest\":\"x\"", "resume", SEAT_RIGHT_STEER },
		{ "reset\",\"guest\":\"x\"", "reset", SEAT_RIGHT_STEER },
		{ "power\",\"guest\":\"x\"", "power", SEAT_RIGHT_STEER },
		{ "nmi\",\"guest\":\"x\"", "nmi", SEAT_RIGHT_STEER },
		{ "eject\",\"guest\":\"x\",\"unit\":0", "eject",
		  SEAT_RIGHT_STEER },
		{ "insert\",\"guest\":\"x\",\"unit\":0", "insert",
		  SEAT_RIGHT_STEER },
		{ "unplug\",\"guest\":\"x\",\"unit\":0", "unplug",
		  SEAT_RIGHT_STEER },
		{ "plug\",\"guest\":\"x\",\"unit\":0", "plug",
		  SEAT_RIGHT_STEER },
		{ "debug\",\"guest\":\"x\"", "debug", SEAT_RIGHT_DEBUG },
	};

	(void)state;
	expect("{\"event\":\"begin\",\"version\":1}");
	hello();
	expect("{\"id\":1,\"ok\":true,\"version\":1,\"host\":\"bulkhead\","
	       "\"rights\":[]}");
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seat_message message;

		init_allows(SEAT_RIGHTS_ALL & ~rows[i].right);
		say("{\"id\":%u,\"verb\":\"%s}", 10 + i, rows[i].text);
		expect_error(10 + i, "not allowed", rows[i].verb);
		assert_false(init_takes(&message));
		init_allows(rows[i].right);
		say("{\"id\":%u,\"verb\":\"%s}", 50 + i, rows[i].text);
		if (!init_takes(&message) && strcmp(rows[i].verb, "log"))
			expect_error(50 + i, "not running", "x");
		else if (!strcmp(rows[i].verb, "log"))
			expect_ok(50 + i);
		control.asks.ask[0].told = NULL; /* nobody answers */
		expect_nothing();
	}
}

static void what_is_no_request(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"dance\"}");
	expect_error(2, "unknown verb", "dance");
	say("hello?");
	expect_error(0, "bad request", "the object");
	say("{\"verb\":\"list\"}");
	expect_error(0, "bad request", "id");
	say("{\"id\":3,\"verb\":\"reset\"}");
	expect_error(3, "bad request", "guest");
	say("{\"id\":4,\"verb\":\"keys\",\"guest\":\"good\"}");
	expect_error(4, "bad request", "keys");
	say("{\"id\":5,\"verb\":\"eject\",\"guest\":\"good\"}");
	expect_error(5, "bad request", "unit");
	say("{\"id\":6,\"verb\":\"close\"}");
	expect_error(6, "bad request", "of");
	say("{\"id\":7,\"verb\":\"reset\",\"guest\":\"nobody\"}");
	expect_error(7, "not running", "nobody");
	say("{\"id\":8,\"verb\":\"reset\",\"guest\":\"host\"}");
	expect_error(8, "not running", "host");
	/* Binary frames of nothing, of nobody, of no kind. */
	client_sends('B', "", 0);
	client_sends('B', "12345678", 8);
	client_types(0, REMOTE_SERIAL, "a", 1);
	client_types(99, REMOTE_SERIAL, "a", 1);
	client_types(99, REMOTE_GDB, "a", 1);
	client_types(99, REMOTE_PIXELS, "a", 1);
	expect_nothing();
	say("{\"id\":9,\"verb\":\"close\",\"of\":77}");
	expect_ok(9);
}

/* ---- What init is asked -------------------------------------------------- */

static uint32_t init_is_asked(uint32_t verb, const char *name)
{
	struct seat_message message;

	assert_true(init_takes(&message));
	assert_int_equal(message.kind, SEAT_ASK);
	assert_int_equal(message.verb, verb);
	assert_string_equal(message.name, name);
	return message.tag;
}

static void init_tells(uint32_t tag, const char *name, const char *text)
{
	struct seat_message message = { .kind = SEAT_TOLD };

	message.tag = tag;
	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	init_puts(&message);
}

static void a_list(void **state)
{
	struct seat_message row = { .kind = SEAT_GUEST,
				    .name = "good",
				    .text = "running",
				    .vcpus = 2,
				    .memory_mib = 64,
				    .starts = 1 };
	uint32_t tag;

	(void)state;
	say("{\"id\":2,\"verb\":\"list\"}");
	tag = init_is_asked(SEAT_LIST, "");
	row.tag = tag;
	init_puts(&row);
	expect("{\"id\":2,\"event\":\"guest\",\"guest\":\"good\",\"state\":"
	       "\"running\",\"vcpus\":2,\"memory\":64,\"starts\":1}");
	row.tag = tag + 1; /* nobody's */
	init_puts(&row);
	expect_nothing();
	init_tells(tag, "", "");
	expect_ok(2);
	/* It is answered: what else comes for it is nobody's, too. */
	init_tells(tag, "", "");
	expect_nothing();
}

static void what_init_does(void **state)
{
	static const struct {
		const char *verb;
		uint32_t want;
	} rows[] = { { "start", SEAT_START },
		     { "stop", SEAT_STOP },
		     { "restart", SEAT_RESTART } };
	uint32_t tag;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		say("{\"id\":2,\"verb\":\"%s\",\"guest\":\"web\"}",
		    rows[i].verb);
		tag = init_is_asked(rows[i].want, "web");
		expect_nothing();
		init_tells(tag, "web", "");
		expect_ok(2);
	}
	say("{\"id\":3,\"verb\":\"start\",\"guest\":\"web\"}");
	tag = init_is_asked(SEAT_START, "web");
	init_tells(tag, "web", "is \"running\"\n");
	expect("{\"id\":3,\"ok\":false,\"error\":\"refused\","
	       "\"what\":\"web\",\"hint\":\"is ?running??\"}");
	say("{\"id\":9,\"verb\":\"off\"}");
	tag = init_is_asked(SEAT_OFF, "");
	init_tells(tag, "", "");
	expect_ok(9);
}

static void too_much_is_asked(void **state)
{
	uint32_t tag[SEAT_ASKS];

	(void)state;
	for (unsigned i = 0; i < SEAT_ASKS; i++) {
		say("{\"id\":%u,\"verb\":\"list\"}", i + 2);
		tag[i] = init_is_asked(SEAT_LIST, "");
	}
	expect_nothing();
	say("{\"id\":50,\"verb\":\"list\"}");
	expect_error(50, "busy", "list");
	init_tells(tag[3], "", "");
	expect_ok(5);
	/* Those of one who is gone are nobody's, but count. */
	hello();
	client.from_done = client.from_length;
	say("{\"id\":50,\"verb\":\"list\"}");
	tag[3] = init_is_asked(SEAT_LIST, "");
	say("{\"id\":51,\"verb\":\"list\"}");
	expect_error(51, "busy", "list");
	for (unsigned i = 0; i < SEAT_ASKS; i++)
		init_tells(tag[i], "", "");
	expect_ok(50);
	expect_nothing();
}

/* ---- Commands and statistics --------------------------------------------- */

static void machine_answers(unsigned n, uint32_t tag, int32_t error)
{
	const struct face_answer answer = {
		.head = { .kind = FACE_ANSWER, .tag = tag },
		.error = error,
	};

	machine_puts(n, &answer, sizeof(answer));
}

static void commands_are_answered(void **state)
{
	static const struct {
		const char *verb;
		uint32_t command;
	} rows[] = {
		{ "pause", FACE_PAUSE },	{ "resume", FACE_RESUME },
		{ "reset", FACE_RESET },	{ "nmi", FACE_NMI },
		{ "power", FACE_POWER_BUTTON }, { "eject", FACE_EJECT },
		{ "insert", FACE_INSERT },	{ "unplug", FACE_UNPLUG },
		{ "plug", FACE_PLUG },
	};
	uint32_t first, second;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		say("{\"id\":%u,\"verb\":\"%s\",\"guest\":\"good\",\"unit\":2}",
		    i + 2, rows[i].verb);
		machine_expects(0, FACE_COMMAND);
		assert_int_equal(request.command.command, rows[i].command);
		assert_int_equal(request.command.unit, 2);
		expect_nothing();
		machine_answers(0, request.head.tag, i == 3 ? -ENOSYS : 0);
		if (i == 3)
			expect_error(i + 2, "refused", "the machine");
		else
			expect_ok(i + 2);
	}
	/* In any order; another machine's tag, or one of none, is nobody's. */
	say("{\"id\":20,\"verb\":\"reset\",\"guest\":\"good\"}");
	say("{\"id\":21,\"verb\":\"nmi\",\"guest\":\"good\"}");
	machine_expects(0, FACE_COMMAND);
	first = request.head.tag;
	machine_expects(0, FACE_COMMAND);
	second = request.head.tag;
	machine_answers(1, first, 0);
	machine_answers(0, second + 1, 0);
	expect_nothing();
	machine_answers(0, second, 0);
	machine_answers(0, second, 0);
	machine_answers(0, first, 0);
	expect_ok(21);
	expect_ok(20);
	expect_nothing();
	/* It ends instead. */
	say("{\"id\":22,\"verb\":\"power\",\"guest\":\"good\"}");
	guest_ends(0);
	expect_error(22, "not running", "the machine");
	say("{\"id\":23,\"verb\":\"power\",\"guest\":\"good\"}");
	expect_error(23, "not running", "good");
}

/* No keys ask for what there is of others. */
static void keys_that_were_not_read(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[30]}");
	machine_expects(0, FACE_INPUT);
	expect_ok(2);
	say("{\"id\":3,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[]}");
	machine_expects(0, FACE_COMMAND);
	assert_int_equal(request.command.command, FACE_UNREAD);
	expect_nothing();
	machine_answers(0, request.head.tag, 7);
	expect("{\"id\":3,\"ok\":true,\"unread\":7}");
	say("{\"id\":4,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[]}");
	machine_expects(0, FACE_COMMAND);
	machine_answers(0, request.head.tag, -ENOSYS);
	expect_error(4, "refused", "the machine");
}

static void cables_are_counted(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"unplug\",\"guest\":\"good\"}");
	expect_error(2, "bad request", "unit");
	say("{\"id\":3,\"verb\":\"plug\",\"guest\":\"good\",\"unit\":7}");
	machine_expects(0, FACE_COMMAND);
	assert_int_equal(request.command.unit, 7);
	machine_answers(0, request.head.tag, -ENODEV);
	expect_error(3, "refused", "unit");
}

static void insert(uint32_t id, const char *more)
{
	say("{\"id\":%u,\"verb\":\"insert\",\"guest\":\"good\",\"unit\":2%s}",
	    id, more);
}

/* Which medium is the machine's to know. */
static void media_are_changed(void **state)
{
	(void)state;
	insert(2, ",\"medium\":1");
	assert_int_equal(machine_takes(0), sizeof(request.command));
	assert_int_equal(request.command.command, FACE_INSERT);
	assert_int_equal(request.command.unit, 2);
	assert_string_equal(request.command.medium, "1");
	machine_answers(0, request.head.tag, -ERANGE);
	expect_error(2, "refused", "medium");
	insert(3, ",\"medium\":\"cd2.iso\"");
	assert_int_equal(machine_takes(0), sizeof(request.command));
	assert_string_equal(request.command.medium, "cd2.iso");
	machine_answers(0, request.head.tag, -ENODEV);
	expect_error(3, "refused", "unit");
	insert(4, "");
	assert_int_equal(machine_takes(0), FACE_COMMAND_MIN);
	machine_answers(0, request.head.tag, 0);
	expect_ok(4);
	/* There is none to eject. */
	say("{\"id\":5,\"verb\":\"eject\",\"guest\":\"good\",\"unit\":2,"
	    "\"medium\":1}");
	assert_int_equal(machine_takes(0), FACE_COMMAND_MIN);
	machine_answers(0, request.head.tag, 0);
	expect_ok(5);
	insert(6, ",\"medium\":-1");
	expect_error(6, "bad request", "medium");
	insert(7, "");
	assert_true(machine_takes(0));
	guest_ends(0);
	expect_error(7, "not running", "the machine");
}

/* Of a terminal before a guest's console. */
static void terminals_have_sizes(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"terminal\",\"guest\":\"good\","
	    "\"columns\":132,\"rows\":43}");
	machine_expects(0, FACE_COMMAND);
	assert_int_equal(request.command.command, FACE_TERMINAL);
	assert_int_equal(request.command.unit, 132 | 43 << 16);
	machine_answers(0, request.head.tag, 0);
	expect_ok(2);
	say("{\"id\":3,\"verb\":\"terminal\",\"guest\":\"good\","
	    "\"columns\":65536,\"rows\":43}");
	expect_error(3, "bad request", "columns");
	say("{\"id\":4,\"verb\":\"terminal\",\"guest\":\"good\","
	    "\"columns\":1,\"rows\":0}");
	expect_error(4, "bad request", "rows");
	say("{\"id\":5,\"verb\":\"terminal\",\"guest\":\"good\","
	    "\"columns\":1}");
	expect_error(5, "bad request", "rows");
	machine_is_asked_nothing(0);
	say("{\"id\":6,\"verb\":\"terminal\",\"guest\":\"good\","
	    "\"columns\":80,\"rows\":25}");
	machine_expects(0, FACE_COMMAND);
	machine_answers(0, request.head.tag, -ENODEV);
	expect_error(6, "refused", "guest");
}

static void init_accounts(uint32_t tag, const char *name, uint64_t ram,
			  uint64_t charged)
{
	struct seat_message message = { .kind = SEAT_TOLD };

	message.tag = tag;
	message.ram = ram;
	message.charged = charged;
	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	init_puts(&message);
}

/* First init is asked, then the machine: the tag by which it was. */
static uint32_t statistics_are_asked(uint32_t id, uint64_t ram,
				     uint64_t charged)
{
	say("{\"id\":%u,\"verb\":\"statistics\",\"guest\":\"good\"}", id);
	machine_is_asked_nothing(0);
	init_accounts(init_is_asked(SEAT_ACCOUNT, "good"), "good", ram,
		      charged);
	machine_expects(0, FACE_STATISTICS);
	return request.head.tag;
}

static void statistics_are_told(void **state)
{
	struct face_statistics numbers = {
		.head.kind = FACE_STATISTICS,
		.vcpus = 2,
		.keys = 3,
		.exits = { 5, 0, 7 },
		.ticks = { 11, 0, 13 },
		.frames = 9,
		.pixels = 10,
		.tsc_hz = 1000,
		.lived = 50,
		.idle = { 20, 50, 49 },
		.disks = BIT(0) | BIT(2) | BIT(31),
		.disk = { { 1, 2, 3, 4 }, { 5, 5, 5, 5 }, { 6, 7, 8, 9 } },
	};
	uint8_t kind;
	uint32_t length;
	const uint8_t *text;

	(void)state;
	numbers.head.tag = statistics_are_asked(2, MIB(64), MIB(70));
	/* An answer of another kind is none. */
	machine_answers(0, request.head.tag, 0);
	expect_nothing();
	machine_puts(0, &numbers, sizeof(numbers));
	expect("{\"id\":2,\"ok\":true,\"paused\":false,\"vcpus\":2"
	       ",\"tsc_hz\":1000,\"run\":[30,0],\"idle\":[20,50]"
	       ",\"ram\":67108864,\"charged\":73400320,\"inputs\":3"
	       ",\"frames\":9,\"pixels\":10,\"exits\":[5,0,7]"
	       ",\"ticks\":[11,0,13],\"disk_units\":[0,2]"
	       ",\"disk_requests\":[1,6],\"disk_read\":[3,8]"
	       ",\"disk_written\":[4,9],\"disk_errors\":[2,7]}");
	numbers.has_balloon = 1;
	numbers.balloon_target = 4096;
	numbers.balloon_actual = 2048;
	numbers.balloon[4] = 17;
	numbers.head.tag = statistics_are_asked(3, 1, 2);
	machine_puts(0, &numbers, sizeof(numbers));
	text = client_hears(&kind, &length);
	assert_non_null(memmem(text, length,
			       ",\"disk_errors\":[2,7],\"balloon\":[4096,2048],"
			       "\"balloon_statistics\":[0,0,0,0,17,0,0,0,0,0]}",
			       87));
	/* The longest there can be; it has run less than nothing. */
	memset(&numbers, 0xff, sizeof(numbers));
	numbers.lived = UINT64_MAX - 1;
	numbers.head = (struct face_record){
		.kind = FACE_STATISTICS,
		.tag = statistics_are_asked(UINT32_MAX, UINT64_MAX, UINT64_MAX),
	};
	machine_puts(0, &numbers, sizeof(numbers));
	text = client_hears(&kind, &length);
	assert_non_null(text);
	assert_memory_equal(text + length - 24, ",18446744073709551615]}\n",
			    24);
}

/* The guest, or its machine, ends before it has answered. */
static void statistics_of_who_has_gone(void **state)
{
	uint32_t tag;

	(void)state;
	say("{\"id\":2,\"verb\":\"statistics\",\"guest\":\"good\"}");
	init_tells(init_is_asked(SEAT_ACCOUNT, "good"), "good", "does not run");
	expect_error(2, "not running", "good");
	machine_is_asked_nothing(0);
	(void)statistics_are_asked(3, 1, 2);
	say("{\"id\":4,\"verb\":\"statistics\",\"guest\":\"good\"}");
	tag = init_is_asked(SEAT_ACCOUNT, "good");
	guest_ends(0);
	expect_error(3, "not running", "the machine");
	init_accounts(tag, "good", 1, 2);
	expect_error(4, "not running", "good");
	/* Who has said hello meanwhile has not asked. */
	say("{\"id\":5,\"verb\":\"statistics\",\"guest\":\"evil\"}");
	tag = init_is_asked(SEAT_ACCOUNT, "evil");
	hello();
	client.from_done = client.from_length;
	init_accounts(tag, "evil", 1, 2);
	machine_is_asked_nothing(1);
	expect_nothing();
}

/* Their answers are long; those who have gone do not count. */
static void too_many_statistics(void **state)
{
	struct face_statistics numbers = { .head.kind = FACE_STATISTICS };

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < REMOTE_COUNTS; i++)
			numbers.head.tag = statistics_are_asked(i + 2, 1, 2);
		say("{\"id\":50,\"verb\":\"statistics\",\"guest\":\"good\"}");
		init_accounts(init_is_asked(SEAT_ACCOUNT, "good"), "good", 1,
			      2);
		expect_error(50, "busy", "good");
		machine_is_asked_nothing(0);
		machine_puts(0, &numbers, sizeof(numbers));
		(void)statistics_are_asked(51, 1, 2);
		hello();
		client.from_done = client.from_length;
	}
}

static void too_many_commands(void **state)
{
	uint32_t tag[FACES_ASKS];

	(void)state;
	for (unsigned i = 0; i < FACES_ASKS; i++) {
		say("{\"id\":%u,\"verb\":\"nmi\",\"guest\":\"good\"}", i + 2);
		machine_expects(0, FACE_COMMAND);
		tag[i] = request.head.tag;
	}
	say("{\"id\":100,\"verb\":\"nmi\",\"guest\":\"evil\"}");
	expect_error(100, "busy", "evil");
	for (unsigned i = 0; i < FACES_ASKS; i++) {
		machine_answers(0, tag[i], 0);
		expect_ok(i + 2);
	}
	say("{\"id\":101,\"verb\":\"nmi\",\"guest\":\"evil\"}");
	machine_expects(1, FACE_COMMAND);
}

/* ---- Clients that come and go -------------------------------------------- */

static void hello_forgets(void **state)
{
	uint32_t tag;

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	say("{\"id\":3,\"verb\":\"log\"}");
	say("{\"id\":4,\"verb\":\"debug\",\"guest\":\"good\"}");
	say("{\"id\":5,\"verb\":\"screen\",\"guest\":\"good\"}");
	say("{\"id\":6,\"verb\":\"nmi\",\"guest\":\"evil\"}");
	machine_expects(0, FACE_FRAME);
	machine_expects(1, FACE_COMMAND);
	tag = request.head.tag;
	client.from_done = client.from_length;
	hello();
	expect("{\"id\":1,\"ok\":true,\"version\":1,\"host\":\"bulkhead\","
	       "\"rights\":[\"watch\",\"type\",\"steer\",\"debug\"]}");
	machine_expects(0, FACE_UNWATCH);
	machine_expects(0, FACE_DEBUG_CLOSE);
	machine_answers(1, tag, 0);
	write_text(0, "unheard\n");
	monitor_print(0, "unheard");
	pass(NSEC_PER_SEC);
	expect_nothing();
}

/* A client that asks and does not read loses no answer, and none that was not
 * taken is asked of anybody. */
static void answers_wait(void **state)
{
	enum { ASKS = 2000 };

	(void)state;
	client.is_asleep = true;
	for (unsigned i = 0; i < ASKS; i++)
		say("{\"id\":%u,\"verb\":\"reset\",\"guest\":\"nobody\"}",
		    i + 2);
	assert_true(client.to_done < client.to_length);
	assert_int_equal(remote_deadline(&remote, host.now_ns), UINT64_MAX);
	/* The rest of seat does its work. */
	host.length = 0;
	write_text(0, "= goes on\n");
	pass(NSEC_PER_SEC);
	assert_true(was_sent("= goes on"));
	client.is_asleep = false;
	wake();
	for (unsigned i = 0; i < ASKS; i++)
		expect_error(i + 2, "not running", "nobody");
	expect_nothing();
}

/* The same of answers that come when the queue is full: of init and machines.
 */
static void late_answers_have_room(void **state)
{
	struct seat_message row = { .kind = SEAT_GUEST,
				    .name = "a-name-of-31-characters-a-b-c-d",
				    .vcpus = UINT32_MAX,
				    .memory_mib = UINT32_MAX,
				    .starts = UINT32_MAX };
	struct face_statistics numbers;
	uint32_t tag[SEAT_ASKS], asked[FACES_ASKS];
	unsigned frames = 0;
	uint8_t kind;
	uint32_t length;

	(void)state;
	memset(row.text, 'x', sizeof(row.text) - 1);
	memset(&numbers, 0xff, sizeof(numbers));
	for (unsigned i = 0; i < REMOTE_COUNTS; i++)
		asked[i] = statistics_are_asked(4000000000U + i, UINT64_MAX,
						UINT64_MAX);
	for (unsigned i = REMOTE_COUNTS; i < FACES_ASKS; i++) {
		say("{\"id\":%u,\"verb\":\"nmi\",\"guest\":\"good\"}",
		    4000000000U + i);
		machine_expects(0, FACE_COMMAND);
		asked[i] = request.head.tag;
	}
	for (unsigned i = 0; i < SEAT_ASKS; i++) {
		say("{\"id\":%u,\"verb\":\"list\"}", 4100000000U + i);
		tag[i] = init_is_asked(SEAT_LIST, "");
	}
	client.is_asleep = true;
	for (unsigned i = 0; i < 2000; i++)
		say("{\"id\":1,\"verb\":\"dance\"}");
	client.to_length = client.to_done; /* it is cut off */
	for (unsigned i = 0; i < SEAT_ASKS; i++) {
		row.tag = tag[i];
		for (unsigned n = 0; n < REMOTE_GUESTS; n++)
			init_puts(&row);
		init_tells(tag[i], "", "");
	}
	for (unsigned i = 0; i < REMOTE_COUNTS; i++) {
		numbers.head = (struct face_record){ .kind = FACE_STATISTICS,
						     .tag = asked[i] };
		machine_puts(0, &numbers, sizeof(numbers));
	}
	for (unsigned i = REMOTE_COUNTS; i < FACES_ASKS; i++)
		machine_answers(0, asked[i], -EINVAL);
	client.is_asleep = false;
	client_reads();
	for (const uint8_t *text; (text = client_hears(&kind, &length));)
		frames += !memmem(text, length, "\"id\":1,", 7);
	assert_int_equal(frames, SEAT_ASKS * (REMOTE_GUESTS + 1) + FACES_ASKS);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_remote)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hello_comes_first, setup_seat),
		cmocka_unit_test_setup(rights_are_kept_to, setup_seat),
		TEST(what_is_no_request),
		TEST(a_list),
		TEST(what_init_does),
		TEST(too_much_is_asked),
		TEST(commands_are_answered),
		TEST(keys_that_were_not_read),
		TEST(cables_are_counted),
		TEST(media_are_changed),
		TEST(terminals_have_sizes),
		TEST(statistics_are_told),
		TEST(statistics_of_who_has_gone),
		TEST(too_many_statistics),
		TEST(too_many_commands),
		TEST(hello_forgets),
		TEST(answers_wait),
		TEST(late_answers_have_room),
	};

	return cmocka_run_group_tests_name("seat remote", tests, NULL,
					   teardown);
}
