/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes between a client and guests, through services/seat: serial ports, the
 * log, debuggers; too many for one side or the other.
 */
#include "tests/unit/remote_test.h"

/* ---- Serial ports and the log -------------------------------------------- */

static void serial_out(void **state)
{
	(void)state;
	write_text(0, "before ");
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	write_text(1, "another's\n");
	write_text(0, "\x1b[1mraw\xff\n");
	pass(NSEC_PER_SEC);
	expect_bytes(2, REMOTE_SERIAL, "\x1b[1mraw\xff\n", 9);
	expect_nothing();
	say("{\"id\":3,\"verb\":\"close\",\"of\":2}");
	expect_ok(3);
	write_text(0, "unheard\n");
	pass(NSEC_PER_SEC);
	expect_nothing();
}

static void serial_ends(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	say("{\"id\":3,\"verb\":\"serial\",\"guest\":\"evil\"}");
	expect_ok(2);
	expect_ok(3);
	write_text(0, "last words");
	guest_ends(0);
	expect_bytes(2, REMOTE_SERIAL, "last words", 10);
	expect("{\"id\":2,\"event\":\"gone\"}");
	expect_nothing();
}

/* What finds no room is counted, and the end is said all the same. */
static void serial_overflows(void **state)
{
	char bytes[REMOTE_TAP + 1000];
	uint32_t got = 0, n;

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	/* Its queue is as full as taps may make it. */
	client.is_asleep = true;
	link_begin(&remote.link, LINK_JSON, REMOTE_TAP_QUEUE);
	for (unsigned i = 0; i < REMOTE_TAP_QUEUE / 512; i++)
		link_add(&remote.link, bytes, 512);
	link_end(&remote.link);
	remote_heard(&remote, 1, bytes, 3000);
	remote_heard(&remote, 1, bytes + 3000, sizeof(bytes) - 3000);
	wake();
	guest_ends(0);
	client.is_asleep = false;
	wake();
	client.from_done += REMOTE_TAP_QUEUE + 12;
	while (got < REMOTE_TAP) {
		const uint8_t *payload = expect_binary(2, REMOTE_SERIAL, &n);

		assert_memory_equal(payload, bytes + got, n);
		got += n;
	}
	assert_int_equal(got, REMOTE_TAP);
	expect("{\"id\":2,\"event\":\"lost\",\"bytes\":1000}");
	expect("{\"id\":2,\"event\":\"gone\"}");
}

/* Ports 402h and E9h: apart from the serial port, and gone with it. */
static void debug_console(void **state)
{
	struct ring *debug = &guest(0)->debug;
	bool is_wanted = false;

	(void)state;
	say("{\"id\":2,\"verb\":\"debug-console\",\"guest\":\"good\"}");
	say("{\"id\":3,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	expect_ok(3);
	assert_int_equal(ring_write(debug, "post\n", 5, &is_wanted), 5);
	write_text(0, "serial\n");
	pass(NSEC_PER_SEC);
	expect_bytes(2, REMOTE_SERIAL, "post\n", 5);
	expect_bytes(3, REMOTE_SERIAL, "serial\n", 7);
	/* Nothing can be typed there. */
	client_types(2, REMOTE_SERIAL, "a", 1);
	expect_nothing();
	assert_int_equal(ring_write(debug, "end", 3, &is_wanted), 3);
	guest_ends(0);
	expect_bytes(2, REMOTE_SERIAL, "end", 3);
	expect("{\"id\":2,\"event\":\"gone\"}");
	expect("{\"id\":3,\"event\":\"gone\"}");
	expect_nothing();
}

/* Each by itself, and both of them as one. */
static void debug_ports(void **state)
{
	static const char *const verbs[] = {
		"{\"id\":2,\"verb\":\"debug-console\",\"guest\":\"good\","
		"\"port\":1026}",
		"{\"id\":3,\"verb\":\"debug-console\",\"guest\":\"good\","
		"\"port\":233}",
		"{\"id\":4,\"verb\":\"debug-console\",\"guest\":\"good\"}",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
		say("%s", verbs[i]);
		expect_ok(i + 2);
	}
	write_ring(0, &guest(0)->debug, "402\n", 4);
	pass(NSEC_PER_SEC);
	expect_bytes(2, REMOTE_SERIAL, "402\n", 4);
	expect_bytes(4, REMOTE_SERIAL, "402\n", 4);
	write_ring(0, &guest(0)->e9, "e9\n", 3);
	write_ring(1, &guest(1)->e9, "other\n", 6);
	pass(NSEC_PER_SEC);
	expect_bytes(3, REMOTE_SERIAL, "e9\n", 3);
	expect_bytes(4, REMOTE_SERIAL, "e9\n", 3);
	expect_nothing();
	say("{\"id\":5,\"verb\":\"debug-console\",\"guest\":\"good\","
	    "\"port\":128}");
	expect_error(5, "bad request", "port");
	guest_ends(0);
	for (unsigned i = 2; i <= 4; i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"id\":%u,\"event\":\"gone\"}",
			 i);
		expect(text);
	}
	expect_nothing();
}

/* The second serial port, both ways, and apart from the first. */
static void second_port(void **state)
{
	bool is_wanted = false;
	char bytes[8];

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\",\"port\":1}");
	say("{\"id\":3,\"verb\":\"serial\",\"guest\":\"good\",\"port\":0}");
	say("{\"id\":4,\"verb\":\"serial\",\"guest\":\"good\",\"port\":2}");
	expect_ok(2);
	expect_ok(3);
	expect_error(4, "bad request", "port");
	say("{\"id\":5,\"verb\":\"serial\",\"guest\":\"evil\",\"port\":1}");
	expect_error(5, "refused", "port");
	write_ring(0, &guest(0)->output1, "second\n", 7);
	write_ring(1, &guest(1)->output1, "other\n", 6);
	write_text(0, "first\n");
	pass(NSEC_PER_SEC);
	expect_bytes(2, REMOTE_SERIAL, "second\n", 7);
	expect_bytes(3, REMOTE_SERIAL, "first\n", 6);
	expect_nothing();
	client_types(2, REMOTE_SERIAL, "ab", 2);
	assert_int_equal(ring_read(&guest(0)->input1, bytes, 8, &is_wanted), 2);
	assert_memory_equal(bytes, "ab", 2);
	assert_int_equal(ring_read(&guest(0)->input, bytes, 8, &is_wanted), 0);
	client_types(3, REMOTE_SERIAL, "c", 1);
	assert_int_equal(ring_read(&guest(0)->input, bytes, 8, &is_wanted), 1);
	assert_int_equal(ring_read(&guest(0)->input1, bytes, 8, &is_wanted), 0);
	guest_ends(0);
	expect("{\"id\":2,\"event\":\"gone\"}");
	expect("{\"id\":3,\"event\":\"gone\"}");
	expect_nothing();
}

/* ---- Printers ------------------------------------------------------------ */

/* How much the guest gets rid of before its printer is busy. */
static uint32_t prints(const char *bytes, uint32_t length)
{
	struct ring *ring = &guest(0)->printer;
	bool is_wanted = false;
	long n = ring_write(ring, bytes, length, &is_wanted);

	assert_true(n >= 0);
	if (is_wanted)
		wake();
	return (uint32_t)n;
}

/* It goes to nobody but who asks for it, and what is printed before waits. */
static void printer_out(void **state)
{
	(void)state;
	assert_int_equal(prints("before ", 7), 7);
	pass(NSEC_PER_SEC);
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	say("{\"id\":3,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_ok(3);
	expect_bytes(3, REMOTE_SERIAL, "before ", 7);
	pass(NSEC_PER_SEC);
	assert_int_equal(prints("\x1b@\0\f", 4), 4);
	expect_bytes(3, REMOTE_SERIAL, "\x1b@\0\f", 4);
	/* Nothing can be typed there, and it is one client's. */
	client_types(3, REMOTE_SERIAL, "a", 1);
	say("{\"id\":4,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_error(4, "refused", "good");
	say("{\"id\":4,\"verb\":\"printer\",\"guest\":\"evil\"}");
	expect_error(4, "refused", "evil");
	expect_nothing();
	/* Asked again with the same id, it is the same; closed, the next's. */
	say("{\"id\":3,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_ok(3);
	say("{\"id\":5,\"verb\":\"close\",\"of\":3}");
	expect_ok(5);
	assert_int_equal(prints("kept", 4), 4);
	pass(NSEC_PER_SEC);
	expect_nothing();
	say("{\"id\":6,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_ok(6);
	expect_bytes(6, REMOTE_SERIAL, "kept", 4);
	/* Another carrier's finds it taken, until this client says hello. */
	assert_int_equal(mux_printer_open(&mux, 1, &faces), -EEXIST);
	hello();
	assert_int_equal(mux_printer_open(&mux, 1, &faces), 0);
	mux_printer_close(&mux, 1, &remote);
	assert_int_equal(mux_printer_open(&mux, 1, &remote), -EEXIST);
	mux_printer_close(&mux, 1, &faces);
	assert_int_equal(mux_printer_open(&mux, 2, &remote), -ENODEV);
}

/* A byte at a time makes neither a frame of each nor a bell. */
static void printer_gathers(void **state)
{
	(void)state;
	say("{\"id\":3,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_ok(3);
	assert_int_equal(prints("a", 1), 1);
	expect_bytes(3, REMOTE_SERIAL, "a", 1);
	assert_false(guest(0)->memory.printer.consumer_sleeps);
	assert_int_equal(prints("b", 1) + prints("c", 1), 2);
	wake();
	expect_nothing();
	assert_in_range(remote_deadline(&remote, host.now_ns), host.now_ns + 1,
			host.now_ns + 10 * NSEC_PER_MS);
	host.now_ns = remote_deadline(&remote, host.now_ns);
	wake();
	expect_bytes(3, REMOTE_SERIAL, "bc", 2);
	host.now_ns = remote_deadline(&remote, host.now_ns);
	wake();
	assert_true(guest(0)->memory.printer.consumer_sleeps);
	assert_int_equal(remote_deadline(&remote, host.now_ns), UINT64_MAX);
}

/* A client that does not read keeps the printer busy; nothing is lost. */
static void printer_waits(void **state)
{
	static char bytes[100000], got[sizeof(bytes)];
	uint32_t done = 0, taken = 0, n;

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 >> 3);
	say("{\"id\":3,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_ok(3);
	client.is_asleep = true;
	for (unsigned i = 0; i < 200; i++) {
		done += prints(bytes + done, MIN(600, sizeof(bytes) - done));
		host.now_ns += 10 * NSEC_PER_MS;
		wake();
	}
	assert_in_range(done, SEAT_PRINTER_SIZE,
			REMOTE_TAP_QUEUE + SEAT_PRINTER_SIZE + 2048);
	assert_int_equal(prints(bytes + done, 1), 0);
	client.is_asleep = false;
	while (done < sizeof(bytes)) {
		done += prints(bytes + done,
			       MIN(600U, (uint32_t)sizeof(bytes) - done));
		host.now_ns += 10 * NSEC_PER_MS;
		wake();
	}
	/* The rest comes with its end. */
	guest_ends(0);
	while (taken < sizeof(bytes)) {
		const uint8_t *payload = expect_binary(3, REMOTE_SERIAL, &n);

		memcpy(got + taken, payload, n);
		taken += n;
	}
	assert_memory_equal(got, bytes, sizeof(bytes));
	expect("{\"id\":3,\"event\":\"gone\"}");
	expect_nothing();
}

/* What nobody has read until the guest's end is said. */
static void printer_unread(void **state)
{
	(void)state;
	assert_int_equal(prints("lost words", 10), 10);
	guest_ends(0);
	for (unsigned i = 0; i < 100; i++)
		tick();
	host.sent[host.length] = '\0';
	assert_non_null(strstr(host.sent, "10 bytes that good printed are "
					  "lost"));
	guest_begins(0);
	say("{\"id\":3,\"verb\":\"printer\",\"guest\":\"good\"}");
	expect_ok(3);
	expect_nothing();
	/* A machine that breaks its ring is not read any more. */
	guest(0)->memory.printer.produced = 2 * SEAT_PRINTER_SIZE;
	pass(NSEC_PER_SEC);
	expect_nothing();
	assert_false(mux_is_open(&mux, 1));
}

static void too_many_taps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REMOTE_TAPS; i++) {
		say("{\"id\":%u,\"verb\":\"log\"}", i + 2);
		expect_ok(i + 2);
	}
	say("{\"id\":50,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_error(50, "busy", "good");
	/* The same id is the same one. */
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
}

static void the_log(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"log\"}");
	expect_ok(2);
	monitor_print(0, "about it");
	pass(NSEC_PER_SEC);
	expect_bytes(2, REMOTE_SERIAL, "[    1.234567] [good] about it\n", 31);
	/* Nothing can be typed there. */
	client_types(2, REMOTE_SERIAL, "a", 1);
	expect_nothing();
}

static size_t guest_reads(unsigned n, char *to, uint32_t size)
{
	bool is_wanted = false;
	long got = ring_read(&guest(n)->input, to, size, &is_wanted);

	assert_true(got >= 0);
	if (is_wanted)
		mux_ring(&mux, n + 1);
	wake();
	return (size_t)got;
}

static void serial_in(void **state)
{
	char bytes[8];

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"evil\"}");
	client_types(2, REMOTE_SERIAL, "ls\x1d\0", 4);
	assert_int_equal(guest_reads(1, bytes, 8), 4);
	assert_memory_equal(bytes, "ls\x1d\0", 4);
	assert_int_equal(guest_reads(0, bytes, 8), 0);
	init_allows(SEAT_RIGHT_WATCH);
	client_types(2, REMOTE_SERIAL, "x", 1);
	assert_int_equal(guest_reads(1, bytes, 8), 0);
}

/* More than the console has room for: all of it comes, in order, with the
 * frames behind it. */
static void serial_in_waits(void **state)
{
	char bytes[4000], got[8100];
	size_t n = 0;

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 13);
	client_types(2, REMOTE_SERIAL, bytes, sizeof(bytes));
	client_types(2, REMOTE_SERIAL, bytes, sizeof(bytes));
	say("{\"id\":3,\"verb\":\"close\",\"of\":9}");
	while (n < 2 * sizeof(bytes)) {
		size_t more;

		if (n < 2 * sizeof(bytes) - SEAT_INPUT_SIZE)
			expect_nothing();
		more = guest_reads(0, got + n, 300);
		if (!more)
			fail_msg("not woken at %zu", n);
		n += more;
		host.now_ns += 10 * NSEC_PER_MS;
	}
	assert_memory_equal(got, bytes, sizeof(bytes));
	assert_memory_equal(got + sizeof(bytes), bytes, sizeof(bytes));
	expect_ok(3);
}

/* It takes nothing: its client is not kept from resetting it. */
static void serial_in_is_given_up(void **state)
{
	char bytes[SEAT_INPUT_SIZE + 100] = "";

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	client_types(2, REMOTE_SERIAL, bytes, sizeof(bytes));
	say("{\"id\":3,\"verb\":\"reset\",\"guest\":\"good\"}");
	machine_is_asked_nothing(0);
	assert_int_equal(remote_deadline(&remote, host.now_ns),
			 host.now_ns + REMOTE_TYPE_NS);
	pass(REMOTE_TYPE_NS);
	expect("{\"id\":2,\"event\":\"untaken\",\"bytes\":100}");
	machine_expects(0, FACE_COMMAND);
	/* From now on at once, until it takes something. */
	client_types(2, REMOTE_SERIAL, bytes, 5);
	expect("{\"id\":2,\"event\":\"untaken\",\"bytes\":5}");
	assert_int_equal(guest_reads(0, bytes, 10), 10);
	client_types(2, REMOTE_SERIAL, bytes, 11);
	expect_nothing();
	assert_int_equal(guest_reads(0, bytes, SEAT_INPUT_SIZE),
			 SEAT_INPUT_SIZE);
	assert_int_equal(guest_reads(0, bytes, 10), 1);
	expect_nothing();
}

/* Who waits for a guest that ends waits no longer; a new client does not. */
static void serial_in_ends(void **state)
{
	char bytes[SEAT_INPUT_SIZE + 100] = "";

	(void)state;
	say("{\"id\":2,\"verb\":\"serial\",\"guest\":\"good\"}");
	expect_ok(2);
	client_types(2, REMOTE_SERIAL, bytes, sizeof(bytes));
	say("{\"id\":3,\"verb\":\"close\",\"of\":9}");
	expect_nothing();
	guest_ends(0);
	expect_ok(3);
	expect("{\"id\":2,\"event\":\"gone\"}");
}

/* ---- Debuggers ----------------------------------------------------------- */

static void debug_both_ways(void **state)
{
	struct {
		struct face_record head;
		char bytes[5];
	} record = { { .kind = FACE_DEBUG }, "$OK#9" };
	char bytes[1300];

	(void)state;
	memset(bytes, 'd', sizeof(bytes));
	say("{\"id\":2,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_ok(2);
	say("{\"id\":3,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_error(3, "busy", "good");
	/* Longer than a record: in pieces. */
	client_types(2, REMOTE_GDB, bytes, sizeof(bytes));
	for (size_t left = sizeof(bytes); left;) {
		long n = machine_takes(0);

		assert_true(n > 8 && n <= 8 + FACE_DEBUG_MAX);
		assert_int_equal(request.head.kind, FACE_DEBUG);
		left -= (size_t)n - 8;
	}
	machine_puts(0, &record, 13);
	expect_bytes(2, REMOTE_GDB, "$OK#9", 5);
	/* Another machine's are nobody's. */
	machine_puts(1, &record, 13);
	expect_nothing();
	say("{\"id\":4,\"verb\":\"close\",\"of\":2}");
	expect_ok(4);
	machine_expects(0, FACE_DEBUG_CLOSE);
	machine_puts(0, &record, 13);
	expect_nothing();
	say("{\"id\":5,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_ok(5);
	guest_ends(0);
	expect("{\"id\":5,\"event\":\"gone\"}");
}

/* More than its ring holds, and more than the client reads. */
static void debug_waits(void **state)
{
	struct {
		struct face_record head;
		char bytes[500];
	} record = { .head.kind = FACE_DEBUG };
	unsigned put = 0, got = 0, total = 0;
	uint32_t n;

	(void)state;
	say("{\"id\":2,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_ok(2);
	{
		char bytes[4000] = "";
		long length;

		client_types(2, REMOTE_GDB, bytes, sizeof(bytes));
		for (unsigned i = 0; i < 100 && total < sizeof(bytes); i++) {
			while ((length = machine_takes(0)))
				total += (unsigned)length - 8;
			wake();
		}
		assert_int_equal(total, sizeof(bytes));
	}
	client.is_asleep = true;
	for (;; put++) {
		memcpy(record.bytes, &put, sizeof(put));
		if (!machine_tries(0, &record, sizeof(record)))
			break;
	}
	assert_true(put > 60);
	assert_true(link_queued(&remote.link) < 2 * REMOTE_PICTURE_QUEUE);
	client.is_asleep = false;
	wake();
	for (; got < put; got++) {
		const uint8_t *bytes = expect_binary(2, REMOTE_GDB, &n);

		assert_int_equal(n, 500);
		assert_memory_equal(bytes, &got, sizeof(got));
	}
	expect_nothing();
}

/* It leaves while its machine takes nothing: the machine is told all the same,
 * and nobody takes its place before. */
static void debug_leaves_late(void **state)
{
	/* To the last bytes of its ring, all taken. */
	char bytes[3 * FACE_DEBUG_MAX + 460] = "";

	(void)state;
	say("{\"id\":2,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_ok(2);
	client_types(2, REMOTE_GDB, bytes, sizeof(bytes));
	hello();
	client.from_done = client.from_length;
	say("{\"id\":3,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_error(3, "busy", "good");
	do {
		assert_true(machine_takes(0) > 0);
		wake();
	} while (request.head.kind == FACE_DEBUG);
	assert_int_equal(request.head.kind, FACE_DEBUG_CLOSE);
	assert_int_equal(machine_takes(0), 0);
	say("{\"id\":4,\"verb\":\"debug\",\"guest\":\"good\"}");
	expect_ok(4);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_remote)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(serial_out),
		TEST(serial_ends),
		TEST(serial_overflows),
		TEST(too_many_taps),
		TEST(debug_console),
		TEST(debug_ports),
		TEST(second_port),
		TEST(printer_out),
		TEST(printer_gathers),
		TEST(printer_waits),
		TEST(printer_unread),
		TEST(the_log),
		TEST(serial_in),
		TEST(serial_in_waits),
		TEST(serial_in_is_given_up),
		TEST(serial_in_ends),
		TEST(debug_both_ways),
		TEST(debug_waits),
		TEST(debug_leaves_late),
	};

	return cmocka_run_group_tests_name("seat serial", tests, NULL,
					   teardown);
}
