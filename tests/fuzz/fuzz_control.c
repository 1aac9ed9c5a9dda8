/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over services/seat between a client of the control protocol that
 * sends anything and machines that put anything into the rings of their faces
 * and consoles.  Whatever they do: what the client hears is whole frames of
 * sense, and afterwards the next client talks to the next guest.
 *
 * The input is records: an opcode byte and its operands.
 */
#define _GNU_SOURCE /* memmem() */
#include "tests/unit/screen_test.h"

#define GUILTY 3 /* guests that lie; the last of all is honest */
#define HONEST (GUESTS - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *at, *end;
	uint32_t tag[GUILTY]; /* of the last request */
	uint32_t frame_tag[GUILTY], dump_tag[GUILTY];
	uint32_t ask_tag; /* of the last SEAT_ASK */
} fuzz;

static uint32_t take(unsigned bytes)
{
	uint32_t value = 0;

	while (bytes-- && fuzz.at < fuzz.end)
		value = value << 8 | *fuzz.at++;
	return value;
}

static unsigned who(void)
{
	return take(1) % GUILTY;
}

/* Of so many bytes, some are the input's. */
static void fill(void *to, size_t length)
{
	uint8_t *at = to;

	for (size_t i = 0; i < length; i++)
		at[i] = fuzz.at < fuzz.end ? *fuzz.at++ : (uint8_t)i;
}

/* ---- What the client hears ----------------------------------------------- */

static void check_pixels(const uint8_t *payload, uint32_t length)
{
	uint16_t place[4];
	uint32_t count = 0, pixels_of;

	assert_true(length >= 12);
	memcpy(place, payload, sizeof(place));
	pixels_of = (uint32_t)place[2] * place[3];
	assert_true(pixels_of && place[0] + place[2] <= FACE_WIDTH_MAX &&
		    place[1] + place[3] <= FACE_HEIGHT_MAX);
	if (payload[8]) {
		assert_int_equal(payload[8], 1);
		assert_int_equal(length % 4, 0);
		for (uint32_t i = 12; i < length; i += 4) {
			assert_true(payload[i]);
			count += payload[i];
		}
		assert_int_equal(count, pixels_of);
	} else {
		assert_int_equal(length, 12 + 4 * pixels_of);
	}
}

static void check_cells(const uint8_t *payload, uint32_t length)
{
	uint16_t size[2];
	int32_t cursor;

	assert_true(length >= 8);
	memcpy(size, payload, sizeof(size));
	memcpy(&cursor, payload + 4, sizeof(cursor));
	assert_int_equal(length, 8 + 2 * size[0] * size[1]);
	assert_in_range(cursor + 1, 0, size[0] * size[1]);
}

static void check_core(const uint8_t *payload, uint32_t length)
{
	uint64_t offset;

	assert_true(length >= 16 && length <= 16 + FACE_CORE_MAX);
	memcpy(&offset, payload + 8, sizeof(offset));
	assert_true(offset >> 53 == 0);
}

static void check_binary(const uint8_t *payload, uint32_t length)
{
	uint32_t id;

	assert_true(length > 8);
	memcpy(&id, payload, sizeof(id));
	assert_true(id && !payload[5] && !payload[6] && !payload[7]);
	if (payload[4] == REMOTE_PIXELS)
		check_pixels(payload + 8, length - 8);
	else if (payload[4] == REMOTE_CELLS)
		check_cells(payload + 8, length - 8);
	else if (payload[4] == REMOTE_CORE)
		check_core(payload + 8, length - 8);
	else
		assert_true(payload[4] == REMOTE_SERIAL ||
			    payload[4] == REMOTE_GDB);
}

static void check_text(const uint8_t *payload, uint32_t length)
{
	assert_in_range(length, 3, REMOTE_TEXT);
	assert_int_equal(payload[0], '{');
	assert_int_equal(payload[length - 2], '}');
	assert_int_equal(payload[length - 1], '\n');
	for (uint32_t i = 0; i < length - 1; i++)
		assert_in_range(payload[i], ' ', '~');
}

static void listen(void)
{
	uint8_t kind;
	uint32_t length;
	const uint8_t *payload;

	while ((payload = client_hears(&kind, &length))) {
		assert_true(kind == 'J' || kind == 'B');
		(kind == 'J' ? check_text : check_binary)(payload, length);
	}
	client.from_done = client.from_length = 0;
	if (client.to_done == client.to_length)
		client.to_done = client.to_length = 0;
	host.length = 0;
}

/* ---- The client ---------------------------------------------------------- */

static void client_asks(void)
{
	static const char *const verbs[] = {
		"hello",  "list",   "start", "stop",	"restart",
		"pause",  "resume", "reset", "power",	"nmi",
		"eject",  "insert", "keys",  "pointer", "screen",
		"screen", "serial", "log",   "debug",	"statistics",
		"close",  "off",    "dump",  "printer", "unplug",
		"plug",
	};
	static const char *const more[] = {
		"",
		",\"version\":1",
		",\"as\":\"text\"",
		",\"all\":true",
		",\"keys\":[1,-1,99,0,-2147483647]",
		",\"unit\":1",
		",\"dx\":1,\"dy\":-5,\"wheel\":2,\"buttons\":255",
		",\"keys\":[],\"of\":1,\"version\":3,\"unit\":0",
	};
	const char *verb = verbs[take(1) % ARRAY_SIZE(verbs)];
	uint32_t what = take(1);

	say("{\"id\":%u,\"verb\":\"%s\",\"guest\":\"%s\",\"of\":%u%s}",
	    what & 7, verb, names[(what >> 3) % (GUILTY + 1)], what >> 5,
	    more[take(1) % ARRAY_SIZE(more)]);
}

static void client_raw(void)
{
	size_t n = take(1);

	fill(client.to + client.to_length, n);
	client.to_length += n;
	wake();
}

static void client_frames(void)
{
	uint8_t payload[LINK_RECEIVE_MAX];
	uint8_t kind = take(1) & 1 ? 'J' : 'B';
	uint32_t n = take(2) % (LINK_RECEIVE_MAX + 1);

	fill(payload, n);
	client_sends(kind, payload, n);
}

static void client_binary(void)
{
	uint8_t bytes[4000];
	uint32_t id = take(1) & 7, what = take(1) % 6;
	uint32_t n = take(2) % sizeof(bytes);

	memset(bytes, (int)what, n);
	client_types(id, (uint8_t)what, bytes, n);
}

/* ---- Machines ------------------------------------------------------------ */

static void put(unsigned n, const void *record, size_t length)
{
	bool is_wanted = false;

	if (ring_put(&machine[n].answers, record, (uint32_t)length,
		     &is_wanted) < 0)
		machine_attach(n);
	if (is_wanted || length % 16 == 7)
		faces_ring(&faces, n + 1);
	wake();
}

static void machine_reads(unsigned n)
{
	bool is_wanted = false;

	for (;;) {
		long length = ring_get(&machine[n].requests, &request,
				       sizeof(request), &is_wanted);

		if (length < 0)
			machine_attach(n);
		if (length <= 0)
			break;
		if (request.head.kind == FACE_FRAME)
			fuzz.frame_tag[n] = request.head.tag;
		else if (request.head.kind == FACE_DUMP)
			fuzz.dump_tag[n] = request.head.tag;
		else
			fuzz.tag[n] = request.head.tag;
	}
	faces_ring(&faces, n + 1);
	wake();
}

static void machine_draws(unsigned n)
{
	uint32_t what = take(1);

	machine_reads(n);
	tag = fuzz.frame_tag[n] + (what >> 4 == 15);
	if (what & 0x40) {
		struct face_mode mode =
			mode_of(what & 2 ? DISPLAY_TEXT : DISPLAY_GRAPHICS);

		put(n, &mode, sizeof(mode));
	}
	if (what & 1) {
		struct face_mode mode = mode_of(what >> 1 & 3);

		if (what >> 3 & 1)
			((uint8_t *)&mode)[8 + take(1) % (sizeof(mode) - 8)] =
				(uint8_t)take(1);
		put(n, &mode, sizeof(mode));
	} else if (what & 2) {
		uint16_t columns = what & 4 ? 80 : take(1) & 127;
		uint16_t rows = what & 4 ? 25 : take(1) & 15;

		cells.head = (struct face_cells){
			.head = { FACE_CELLS, (uint16_t)take(1), tag },
			.columns = columns,
			.rows = rows,
			.cursor = (int32_t)take(2) - 2,
		};
		if (columns * rows <= 80 * 25)
			put(n, &cells,
			    sizeof(cells.head) + 2UL * columns * rows);
	} else {
		uint16_t width = (uint16_t)take(1), height = take(1) & 7;
		size_t length =
			pixels_make((uint16_t)(take(1) * 3), (uint16_t)take(2),
				    width, height, what & 4);

		pixels.head.head.flags = what >> 3 & 1;
		put(n, &pixels, length);
	}
	if (what & 0x80)
		put(n, &(struct face_record){ FACE_FRAME_END, 0, tag }, 8);
}

static void machine_speaks(unsigned n)
{
	static const uint8_t lengths[] = { 8, 12, 9, 0 };
	union {
		struct face_record head;
		struct face_answer answer;
		struct face_statistics statistics;
		uint8_t bytes[600];
	} record;
	uint32_t what = take(1);
	size_t length = lengths[what >> 5 & 3];

	fill(&record, take(1));
	record.head.kind = (uint16_t)(FACE_MODE + (what & 7));
	record.head.tag = fuzz.tag[n] - (what >> 3 & 1);
	if ((what & 7) == 6)
		record.head.kind = FACE_STATISTICS;
	if ((what & 7) == 7)
		record.head.kind = FACE_DEBUG;
	if (!length)
		length = record.head.kind == FACE_STATISTICS
				 ? sizeof(record.statistics)
				 : 8 + take(1) * 2;
	put(n, &record, length);
}

/* A piece of a dump, mostly as one should be. */
static void machine_dumps(unsigned n)
{
	union {
		struct face_record head;
		struct face_dump_begin begin;
		struct face_core core;
		struct face_dump_end end;
		uint8_t bytes[8192];
	} record;
	uint32_t what = take(1);
	size_t length = sizeof(record.begin);

	machine_reads(n);
	memset(&record, (int)what, sizeof(record));
	record.head.tag = fuzz.dump_tag[n] - (what >> 7);
	switch (what & 3) {
	case 0:
		record.head.kind = FACE_DUMP_BEGIN;
		record.begin.size = (uint64_t)take(1) << (what & 0x3c);
		break;
	case 1:
		record.head.kind = FACE_DUMP_END;
		record.end.reason = what >> 2 & 7;
		length = sizeof(record.end);
		break;
	default:
		record.head.kind = FACE_CORE;
		record.core.offset = (uint64_t)take(2) * 256;
		length = sizeof(record.core) + take(2) % 4096;
	}
	put(n, &record, length - (what >> 4 & 7 ? 0 : 1));
}

static void machine_raw(unsigned n)
{
	static uint8_t bytes[FACE_RECORD_MAX + 8];
	size_t length = take(2) % sizeof(bytes) + 1;

	fill(bytes, MIN(length, 64U));
	put(n, bytes, length);
}

static void scribble(unsigned n)
{
	struct seat_console *memory = &guest(n)->memory;
	struct ring_shared *rings[] = { &memory->output,  &memory->debug,
					&memory->input,	  &memory->requests,
					&memory->answers, &memory->printer };
	uint32_t what = take(1);
	struct ring_shared *ring = rings[what % ARRAY_SIZE(rings)];
	uint32_t *words[] = { &ring->produced, &ring->consumed,
			      &ring->producer_sleeps, &ring->consumer_sleeps };

	if (what & 0x80)
		*words[what >> 3 & 3] = take(4);
	else
		*words[what >> 3 & 3] += take(1);
	mux_ring(&mux, n + 1);
	faces_ring(&faces, n + 1);
	wake();
}

static void guest_talks(unsigned n)
{
	char bytes[256];
	bool is_wanted = false;
	uint32_t what = take(1), length = take(1);
	struct ring *ring = what & 2 ? &guest(n)->output : &guest(n)->debug;

	if (what & 4)
		ring = &guest(n)->printer;
	if (what & 1) {
		fill(bytes, length);
		if (ring_write(ring, bytes, length, &is_wanted) < 0)
			program_attach(guest(n));
	} else if (what & 2) {
		if (ring_read(&guest(n)->input, bytes, length, &is_wanted) < 0)
			program_attach(guest(n));
	} else if (host.log_length < LOG_MAX / 2) {
		monitor_print((int)n, "something");
	}
	mux_ring(&mux, n + 1);
	wake();
}

/* ---- init ---------------------------------------------------------------- */

static void init_reads(void)
{
	struct seat_message message;

	while (init_takes(&message))
		if (message.kind == SEAT_ASK)
			fuzz.ask_tag = message.tag;
	wake();
}

static void guest_goes(unsigned n)
{
	if (mux.console[n + 1].state == MUX_FREE) {
		guest_begins(n);
		return;
	}
	init_says(SEAT_REMOVE, n + 1, "");
	for (unsigned i = 0; i < 10; i++) {
		tick();
		wake();
	}
}

static void init_acts(void)
{
	struct seat_message message = { .kind = SEAT_TOLD };
	uint32_t what = take(1);

	init_reads();
	if (what & 1) {
		guest_goes(who());
		return;
	}
	if (what & 2) {
		init_allows(take(1) % 16 | (what & 12));
		return;
	}
	message.kind = what & 4 ? SEAT_TOLD : SEAT_GUEST;
	message.tag = fuzz.ask_tag - (what >> 3 & 1);
	fill(message.name, what >> 4);
	if (what & 16)
		(void)snprintf(message.name, sizeof(message.name), "%s",
			       names[who()]);
	fill(message.text, take(1) % SEAT_TEXT_SIZE * (~what >> 5 & 1));
	fill(&message.ram, 2 * sizeof(message.ram));
	init_puts(&message);
}

/* ---- A run --------------------------------------------------------------- */

static void step(void)
{
	uint8_t op = (uint8_t)take(1);

	switch (op & 15) {
	case 0:
		client_raw();
		break;
	case 1 ... 4:
		client_asks();
		break;
	case 5:
		client_binary();
		break;
	case 6:
		client_frames();
		break;
	case 7:
	case 8:
		machine_draws(who());
		break;
	case 9:
		if (op >> 4 & 1)
			machine_speaks(who());
		else
			machine_dumps(who());
		break;
	case 10:
		if (op >> 4 == 0)
			machine_raw(who());
		else
			machine_reads(who());
		break;
	case 11:
		if (op >> 4 == 0)
			scribble(who());
		else
			machine_reads(who());
		break;
	case 12:
		client.is_asleep = op >> 4 & 1;
		wake();
		break;
	case 13:
		guest_talks(who());
		break;
	case 14:
		init_acts();
		break;
	default:
		pass((op >> 4) * 200 * NSEC_PER_MS);
	}
}

/* Until nothing is left of what that client has said. */
static void all_is_over(void)
{
	client.is_asleep = false;
	init_reads();
	wake();
	listen();
	for (unsigned i = 0; client.to_done < client.to_length ||
			     remote.typed.at != remote.typed.length ||
			     link_deadline(&remote.link) != UINT64_MAX;
	     i++) {
		assert_true(i < 20000);
		pass(NSEC_PER_SEC);
		listen();
	}
}

static void expect_hello(void)
{
	hello();
	/* What was before it was another client's. */
	if (!memmem(client.from + client.from_done,
		    client.from_length - client.from_done, "\"host\"", 6))
		fail_msg("no hello");
	listen();
}

static void next_guest(void)
{
	guest_begins(HONEST);
	listen();
	memset(client.parts, 0, sizeof(client.parts));
	say("{\"id\":2,\"verb\":\"keys\",\"guest\":\"%s\",\"keys\":[1]}",
	    names[HONEST]);
	expect_ok(2);
	machine_expects(HONEST, FACE_INPUT);
	say("{\"id\":3,\"verb\":\"screen\",\"guest\":\"%s\"}", names[HONEST]);
	expect_frame(HONEST, FACE_FRAME_ALL, 0);
	put_mode(HONEST, DISPLAY_GRAPHICS);
	put_pixels(HONEST, 0, 100, 0);
	put_end(HONEST);
	expect(GRAPHICS_EVENT("3"));
	expect_pixels(3, 0, 100);
	expect_shown(3);
	say("{\"id\":4,\"verb\":\"serial\",\"guest\":\"%s\"}", names[HONEST]);
	expect_ok(4);
	remote_heard(&remote, HONEST + 1, "honest", 6);
	wake();
	expect_bytes(4, REMOTE_SERIAL, "honest", 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *state = NULL;

	(void)setup_seat(&state);
	memset(&fuzz, 0, sizeof(fuzz));
	fuzz.at = data;
	fuzz.end = data + size;
	init_allows(SEAT_RIGHTS_ALL);
	for (unsigned i = 0; i < GUILTY; i++)
		guest_begins(i);
	hello();
	while (fuzz.at < fuzz.end) {
		if (client.to_length > CLIENT_BYTES / 2)
			break;
		step();
		listen();
	}
	all_is_over();
	init_allows(SEAT_RIGHTS_ALL);
	expect_hello();
	next_guest();
	return 0;
}
