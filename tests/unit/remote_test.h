/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of services/seat but main.c between a client of the control protocol,
 * init, and machines at the other ends of the rings of their faces.
 */
#ifndef BULKHEAD_TESTS_REMOTE_TEST_H
#define BULKHEAD_TESTS_REMOTE_TEST_H

#include "services/seat/control.h"
#include "services/seat/remote.h"
#include "tests/unit/link_test.h"
#include "tests/unit/seat_test.h"

#define CLIENT_BYTES (1 << 20)

static struct control control;
static struct faces faces;
static struct ports ports;
static struct remote remote;

static struct {
	struct seat_control memory;
	struct ring to_seat, from_seat;
} init;

/* A machine's end of its face. */
static struct machine {
	struct ring requests, answers;
} machine[GUESTS];

static struct {
	uint8_t to[CLIENT_BYTES]; /* what it has sent, and how far it has come
				   */
	size_t to_length, to_done;
	uint8_t from[CLIENT_BYTES]; /* the same of what seat has sent to it */
	size_t from_length, from_done;
	bool is_asleep;	    /* it does not read */
	uint32_t parts[64]; /* of the next picture of each id */
} client;

/* ---- What seat stands on ------------------------------------------------- */

/* Who hears consoles beside the client; NULL: nobody. */
static void (*also_heard)(unsigned slot, const char *bytes, size_t length);

static inline void fake_heard(void *ctx, unsigned slot, const char *bytes,
			      size_t length)
{
	(void)ctx;
	remote_heard(&remote, slot, bytes, length);
	if (also_heard)
		also_heard(slot, bytes, length);
}

static inline struct seat_console *fake_channel(void *ctx, unsigned slot)
{
	(void)ctx;
	return slot > GUESTS ? NULL : &program[slot].memory;
}

static inline void fake_detach(void *ctx, unsigned slot)
{
	(void)ctx;
	(void)slot;
}

static inline void fake_opened(void *ctx, unsigned slot,
			       struct seat_console *memory)
{
	(void)ctx;
	faces_open(&faces, slot, memory);
}

static inline void fake_closed(void *ctx, unsigned slot)
{
	(void)ctx;
	remote_gone(&remote, slot);
	faces_close(&faces, slot);
}

static inline void fake_rights(void *ctx, const struct seat_message *message)
{
	(void)ctx;
	remote.rights = message->rights;
}

static const struct mux_ops remote_mux_ops = {
	.uart_send = fake_send,
	.uart_read = fake_receive,
	.uart_is_idle = fake_is_idle,
	.log_read = fake_log_read,
	.doorbell = fake_doorbell,
	.heard = fake_heard,
};

static const struct control_ops remote_control_ops = {
	.channel = fake_channel,
	.detach = fake_detach,
	.doorbell = fake_doorbell,
	.opened = fake_opened,
	.closed = fake_closed,
	.rights = fake_rights,
};

/* Of the slots from SEAT_PORT_SLOT on; what of them is attached, or was rung.
 */
#define NET_BIT(slot) BIT((slot)-SEAT_PORT_SLOT)
static struct switch_channel net_channel[SEAT_PORTS];
static uint64_t net_attached, net_bells, net_time_ns;

static inline struct switch_channel *fake_net_channel(void *ctx, unsigned slot)
{
	(void)ctx;
	return slot >= SEAT_PORT_SLOT && net_attached & NET_BIT(slot)
		       ? &net_channel[slot - SEAT_PORT_SLOT]
		       : NULL;
}

static inline void fake_net_detach(void *ctx, unsigned slot)
{
	(void)ctx;
	assert_true(slot >= SEAT_PORT_SLOT && net_attached & NET_BIT(slot));
	net_attached &= ~NET_BIT(slot);
}

static inline void fake_net_doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	net_bells |= NET_BIT(slot);
}

static inline uint64_t fake_net_time_ns(void *ctx)
{
	(void)ctx;
	return net_time_ns;
}

static const struct ports_ops remote_ports_ops = {
	.channel = fake_net_channel,
	.detach = fake_net_detach,
	.doorbell = fake_net_doorbell,
	.time_ns = fake_net_time_ns,
};

/* ---- Wake-ups, as services/seat/main.c does them ------------------------- */

/* True: something went, so that there is room again. */
static inline bool client_reads(void)
{
	size_t before = client.from_length, n = 1;

	while (!client.is_asleep && n) {
		const void *bytes = link_pending(&remote.link, &n);

		assert_true(client.from_length + n <= CLIENT_BYTES);
		memcpy(client.from + client.from_length, bytes, n);
		client.from_length += n;
		link_sent(&remote.link, n);
	}
	return client.from_length != before;
}

static inline bool client_writes(void)
{
	size_t n = MIN(client.to_length - client.to_done,
		       MIN(link_wants(&remote.link), 64U));

	link_received(&remote.link, client.to + client.to_done, n);
	client.to_done += n;
	return n;
}

static inline void wake(void)
{
	bool is_again;
	unsigned loops = 0;

	do {
		control_read(&control);
		client_reads();
		remote_run(&remote, host.now_ns);
		is_again = client_writes();
		faces_run(&faces);
		run();
		ports_run(&ports);
		control_answer(&control);
		faces.is_again |= client_reads();
		assert_true(loops++ < 20000);
	} while (is_again || control.is_again || faces.is_again ||
		 (!client.is_asleep && link_queued(&remote.link)) ||
		 remote_deadline(&remote, host.now_ns) <= host.now_ns);
}

static inline void pass(uint64_t ns)
{
	for (host.now_ns += ns; mux.is_draining && mux.drain_ns <= host.now_ns;)
		tick();
	wake();
}

/* ---- init ---------------------------------------------------------------- */

static inline void init_puts(const struct seat_message *message)
{
	bool is_wanted = false;

	assert_true(ring_put(&init.to_seat, message, sizeof(*message),
			     &is_wanted) > 0);
	wake();
}

static inline bool init_takes(struct seat_message *message)
{
	bool is_wanted = false;

	return ring_get(&init.from_seat, message, sizeof(*message),
			&is_wanted) > 0;
}

static inline void init_says(uint32_t kind, uint32_t slot, const char *name)
{
	struct seat_message message = { .kind = kind, .slot = slot };

	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	init_puts(&message);
}

static inline void init_allows(uint32_t rights)
{
	const struct seat_message message = { .kind = SEAT_RIGHTS,
					      .rights = rights };

	init_puts(&message);
}

static inline void machine_attach(unsigned n)
{
	struct seat_console *memory = &guest(n)->memory;

	ring_init(&machine[n].requests, &memory->requests,
		  memory->requests_data, FACE_REQUESTS_SIZE, false, true);
	ring_init(&machine[n].answers, &memory->answers, memory->answers_data,
		  FACE_ANSWERS_SIZE, true, true);
}

/* With its machine; the first has a second serial port, and a printer. */
static inline void guest_begins(unsigned n)
{
	struct seat_message message = { .kind = SEAT_ADD,
					.slot = n + 1,
					.has_serial1 = !n,
					.has_printer = !n };

	memset(&guest(n)->memory, 0, sizeof(guest(n)->memory));
	program_attach(guest(n));
	machine_attach(n);
	(void)snprintf(message.name, sizeof(message.name), "%s", names[n]);
	init_puts(&message);
}

static inline void guest_ends(unsigned n)
{
	struct seat_message message;

	init_says(SEAT_REMOVE, n + 1, "");
	for (unsigned i = 0; i < 2000 && !init_takes(&message); i++) {
		tick();
		wake();
	}
	assert_int_equal(message.kind, SEAT_REMOVED);
}

/* ---- Machines ------------------------------------------------------------ */

static union {
	struct face_record head;
	struct face_input input;
	struct face_frame frame;
	struct face_command command;
	struct face_dump_more more;
	uint8_t bytes[FACE_REQUESTS_SIZE];
} request;

/* The next request: its length, 0: none. */
static inline long machine_takes(unsigned n)
{
	bool is_wanted = false;
	long length = ring_get(&machine[n].requests, &request, sizeof(request),
			       &is_wanted);

	assert_true(length >= 0);
	if (is_wanted)
		faces_ring(&faces, n + 1);
	return length;
}

static inline void machine_expects(unsigned n, enum face_kind kind)
{
	if (!machine_takes(n))
		fail_msg("no request, but %u was expected", kind);
	assert_int_equal(request.head.kind, kind);
}

static inline void machine_is_asked_nothing(unsigned n)
{
	assert_int_equal(machine_takes(n), 0);
}

/* Rings if seat has asked for that. */
static inline bool machine_tries(unsigned n, const void *record, size_t length)
{
	bool is_wanted = false;
	long put = ring_put(&machine[n].answers, record, (uint32_t)length,
			    &is_wanted);

	if (is_wanted)
		faces_ring(&faces, n + 1);
	wake();
	return put > 0;
}

static inline void machine_puts(unsigned n, const void *record, size_t length)
{
	assert_true(machine_tries(n, record, length));
}

static inline void machine_says(unsigned n, enum face_kind kind, uint32_t tag)
{
	const struct face_record record = { .kind = (uint16_t)kind,
					    .tag = tag };

	machine_puts(n, &record, sizeof(record));
}

/* ---- The client ---------------------------------------------------------- */

static inline void client_sends(uint8_t kind, const void *payload,
				uint32_t length)
{
	client.to_length +=
		frame_make(client.to + client.to_length, kind, payload, length);
	wake();
}

static inline void __printf(1, 2) say(const char *format, ...)
{
	char text[LINK_RECEIVE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	client_sends('J', text, (uint32_t)n);
}

static inline void client_types(uint32_t id, uint8_t what, const void *bytes,
				uint32_t length)
{
	uint8_t payload[LINK_RECEIVE_MAX] = { 0 };

	memcpy(payload, &id, sizeof(id));
	payload[4] = what;
	memcpy(payload + 8, bytes, length);
	client_sends('B', payload, 8 + length);
}

/* Counts what belongs to a picture, as a client does. */
static inline void client_counts(uint8_t kind, const uint8_t *payload)
{
	uint32_t id = 0;
	char m = ' ';

	if (kind == 'B')
		memcpy(&id, payload, sizeof(id));
	else if (sscanf((const char *)payload, "{\"id\":%u,\"event\":\"%c", &id,
			&m) != 2 ||
		 m != 'm')
		return;
	client.parts[id % ARRAY_SIZE(client.parts)]++;
}

/* The next frame's payload; NULL: none.  Nothing but whole frames comes. */
static inline const uint8_t *client_hears(uint8_t *kind, uint32_t *length)
{
	const uint8_t *at = client.from + client.from_done;
	size_t left = client.from_length - client.from_done;
	uint32_t crc;

	if (!left)
		return NULL;
	assert_true(left >= 12);
	assert_int_equal(at[0], 0xc5);
	assert_int_equal(at[1], 0x5a);
	*kind = at[2];
	memcpy(length, at + 4, 4);
	assert_true(*length <= 32768 && left >= 12 + *length);
	memcpy(&crc, at + 8 + *length, 4);
	assert_int_equal(crc, frame_crc(at + 2, 6 + *length));
	client.from_done += 12 + *length;
	client_counts(*kind, at + 8);
	return at + 8;
}

static inline void expect(const char *text)
{
	uint8_t kind;
	uint32_t length;
	const uint8_t *payload = client_hears(&kind, &length);

	if (!payload)
		fail_msg("nothing, but %s", text);
	assert_int_equal(kind, 'J');
	assert_true(length && payload[length - 1] == '\n');
	if (length - 1 != strlen(text) || memcmp(payload, text, length - 1))
		fail_msg("%.*s, but not %s", (int)length - 1,
			 (const char *)payload, text);
}

static inline void expect_ok(uint32_t id)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"id\":%u,\"ok\":true}", id);
	expect(text);
}

/* A picture's answer, which tells of all that came before it. */
static inline void expect_shown(uint32_t id)
{
	uint32_t *parts = &client.parts[id % ARRAY_SIZE(client.parts)];
	char text[64];

	(void)snprintf(text, sizeof(text),
		       "{\"id\":%u,\"ok\":true,\"parts\":%u}", id, *parts);
	*parts = 0;
	expect(text);
}

/* Refused with that error. */
static inline void expect_error(uint32_t id, const char *error,
				const char *what)
{
	char text[160];
	uint8_t kind;
	uint32_t length;
	const uint8_t *payload = client_hears(&kind, &length);
	int n = snprintf(text, sizeof(text),
			 "{\"id\":%u,\"ok\":false,\"error\":\"%s\",\"what\":\"%"
			 "s\",",
			 id, error, what);

	client.parts[id % ARRAY_SIZE(client.parts)] = 0;
	if (!payload)
		fail_msg("nothing, but %s", text);
	if (length < (uint32_t)n || memcmp(payload, text, (size_t)n))
		fail_msg("%.*s, but not %s", (int)length, (const char *)payload,
			 text);
}

static inline void expect_nothing(void)
{
	uint8_t kind;
	uint32_t length;
	const uint8_t *payload = client_hears(&kind, &length);

	if (payload)
		fail_msg("%c %.*s", kind, (int)MIN(length, 300U),
			 (const char *)payload);
}

/* A binary frame; what is behind its head, and how much. */
static inline const uint8_t *expect_binary(uint32_t id, uint8_t what,
					   uint32_t *length)
{
	uint8_t kind;
	uint32_t its;
	const uint8_t *payload = client_hears(&kind, length);

	assert_non_null(payload);
	if (kind != 'B')
		fail_msg("%.*s", (int)*length, (const char *)payload);
	assert_true(*length >= 8);
	memcpy(&its, payload, sizeof(its));
	assert_int_equal(its, id);
	assert_int_equal(payload[4], what);
	*length -= 8;
	return payload + 8;
}

static inline void expect_bytes(uint32_t id, uint8_t what, const void *bytes,
				uint32_t length)
{
	uint32_t n;
	const uint8_t *payload = expect_binary(id, what, &n);

	assert_int_equal(n, length);
	assert_memory_equal(payload, bytes, length);
}

static inline void hello(void)
{
	memset(client.parts, 0, sizeof(client.parts));
	say("{\"id\":1,\"verb\":\"hello\",\"version\":1}");
}

/* ---- Beginning ----------------------------------------------------------- */

/* Seat's program begins, the first time or again. */
static inline void seat_begins(void)
{
	mux_init(&mux, &remote_mux_ops, NULL);
	faces_init(&faces, fake_doorbell, NULL);
	control_init(&control, &remote_control_ops, NULL, &mux, &init.memory);
	ports_init(&ports, &remote_ports_ops, NULL, &control.asks);
	remote_init(&remote, &mux, &faces, &control.asks, &ports);
	wake();
}

/* No rights, nothing said. */
static inline int setup_seat(void **state)
{
	(void)setup(state);
	memset(&init, 0, sizeof(init));
	ring_init(&init.to_seat, &init.memory.to_seat, init.memory.to_seat_data,
		  SEAT_CONTROL_SIZE, true, false);
	ring_init(&init.from_seat, &init.memory.from_seat,
		  init.memory.from_seat_data, SEAT_CONTROL_SIZE, false, false);
	client.to_length = client.to_done = 0;
	client.from_length = client.from_done = 0;
	client.is_asleep = false;
	seat_begins();
	return 0;
}

/* Two guests, and a client that has said hello and may do all. */
static inline int setup_remote(void **state)
{
	(void)setup_seat(state);
	init_allows(SEAT_RIGHTS_ALL);
	guest_begins(0);
	guest_begins(1);
	hello();
	client.from_done = client.from_length;
	return 0;
}

#endif
