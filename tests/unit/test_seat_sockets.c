/* SPDX-License-Identifier: BSD-2-Clause */
/* The control protocol by sockets of a guest: connections, credit, and guests
 * that mean harm. */
#include "services/seat/sockets.h"
#include "tests/unit/remote_test.h"

#define CID	9
#define PORT	1000
#define PACKETS 64

struct packet {
	struct vsock_header header;
	uint8_t payload[VSOCK_PAYLOAD_MAX];
};

static struct {
	struct vsock_backend backend;
	struct vsock_device device;
	struct packet in[PACKETS]; /* from the guest */
	uint32_t length[PACKETS];
	unsigned head, tail;
	struct packet out[PACKETS]; /* to it */
	unsigned count, seen;
	unsigned room; /* packets that its ring takes */
	unsigned denied;
	char text[128];
} t;
static struct sockets sockets;
static struct socket its;

static void attach(void *ctx, const struct vsock_device *device)
{
	(void)ctx;
	t.device = *device;
}

static enum vsock_sent send_packet(void *ctx, unsigned peer,
				   const struct vsock_header *header,
				   const void *payload)
{
	struct packet *packet = &t.out[t.count % PACKETS];

	(void)ctx;
	assert_int_equal(peer, 0);
	assert_true(header->length <= VSOCK_PAYLOAD_MAX);
	if (!t.room)
		return VSOCK_FULL;
	t.room--;
	t.count++;
	packet->header = *header;
	if (header->length)
		memcpy(packet->payload, payload, header->length);
	return VSOCK_SENT;
}

static const uint8_t *receive_packet(void *ctx, unsigned peer, uint32_t *length)
{
	(void)ctx;
	assert_int_equal(peer, 0);
	if (t.head == t.tail)
		return NULL;
	*length = t.length[t.head % PACKETS];
	return (const uint8_t *)&t.in[t.head % PACKETS];
}

static void release_packet(void *ctx, unsigned peer)
{
	(void)ctx;
	(void)peer;
	t.head++;
}

static void denied(void *ctx, const char *text)
{
	(void)ctx;
	t.denied++;
	(void)snprintf(t.text, sizeof(t.text), "%s", text);
}

static const struct sockets_ops ops = { .denied = denied };

static void allow(uint32_t rights)
{
	const struct seat_message message = { .kind = SEAT_RIGHTS,
					      .slot = SEAT_SOCKET_SLOT,
					      .rights = rights,
					      .name = "web" };

	sockets_rights(&sockets, &message);
}

static int setup_sockets(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	memset(&its, 0, sizeof(its));
	t.room = PACKETS;
	t.backend = (struct vsock_backend){ .attach = attach,
					    .send = send_packet,
					    .receive = receive_packet,
					    .release = release_packet,
					    .cid = VSOCK_CID_HOST,
					    .peer_count = 1 };
	seat_begins();
	sockets_init(&sockets, &ops, NULL, &t.backend);
	sockets_add(&sockets, &its, &mux, &faces, &control.asks, &ports);
	allow(SEAT_RIGHT_STEER);
	return 0;
}

/* As services/seat/main.c does. */
static void turn(void)
{
	unsigned loops = 0;

	do {
		sockets_run(&sockets, host.now_ns);
		(void)sockets_flush(&sockets);
		assert_true(loops++ < 1000);
	} while (sockets_deadline(&sockets) <= host.now_ns);
}

static struct vsock_header packet(enum vsock_operation operation,
				  uint32_t length)
{
	return (struct vsock_header){ .from = CID,
				      .to = VSOCK_CID_HOST,
				      .from_port = PORT,
				      .to_port = SEAT_SOCKET_PORT,
				      .length = length,
				      .type = VSOCK_STREAM,
				      .operation = (uint16_t)operation,
				      .room = 100000 };
}

static void put(const struct vsock_header *header, const void *payload,
		uint32_t length)
{
	struct packet *to = &t.in[t.tail % PACKETS];

	assert_true(t.tail - t.head < PACKETS);
	to->header = *header;
	memcpy(to->payload, payload, length);
	t.length[t.tail++ % PACKETS] = (uint32_t)sizeof(*header) + length;
}

static void guest_sends(enum vsock_operation operation)
{
	const struct vsock_header header = packet(operation, 0);

	put(&header, "", 0);
	turn();
}

static void guest_says(const char *text)
{
	uint8_t frame[512];
	uint32_t length =
		(uint32_t)frame_make(frame, 'J', text, (uint32_t)strlen(text));
	const struct vsock_header header = packet(VSOCK_DATA, length);

	put(&header, frame, length);
	turn();
}

static const struct packet *hears(enum vsock_operation operation)
{
	const struct packet *heard = &t.out[t.seen++ % PACKETS];

	assert_true(t.seen <= t.count);
	assert_int_equal(heard->header.operation, operation);
	assert_int_equal(heard->header.from, VSOCK_CID_HOST);
	assert_int_equal(heard->header.to, CID);
	assert_int_equal(heard->header.type, VSOCK_STREAM);
	return heard;
}

static void hears_nothing(void)
{
	assert_int_equal(t.seen, t.count);
}

/* The only frame of a packet, whole. */
static void hears_text(const char *text)
{
	const struct packet *heard = hears(VSOCK_DATA);

	assert_int_equal(heard->header.length, 12 + strlen(text) + 1);
	assert_memory_equal(heard->payload + 8, text, strlen(text));
}

static void connect_to(void)
{
	guest_sends(VSOCK_REQUEST);
	hears(VSOCK_RESPONSE);
	hears_text("{\"event\":\"begin\",\"version\":1}");
}

/* ---- Conversations ------------------------------------------------------- */

static void test_conversation(void **state)
{
	(void)state;
	connect_to();
	assert_int_equal(t.out[0].header.from_port, SEAT_SOCKET_PORT);
	assert_int_equal(t.out[0].header.to_port, PORT);
	assert_int_equal(t.out[0].header.room, SOCKET_BUFFER);
	guest_says("{\"id\":1,\"verb\":\"hello\",\"version\":1}");
	hears_text("{\"id\":1,\"ok\":true,\"version\":1,\"host\":\"bulkhead\","
		   "\"rights\":[\"steer\"]}");
	guest_says("{\"id\":2,\"verb\":\"list\"}");
	hears_text("{\"id\":2,\"ok\":false,\"error\":\"not allowed\",\"what\":"
		   "\"list\",\"hint\":\"the manifest gives this client no such "
		   "right\"}");
	hears_nothing();
	assert_int_equal(t.denied, 0);
}

/* What init has not said yet is not guessed. */
static void test_no_rights(void **state)
{
	const struct seat_message nobodys = { .slot = SEAT_SOCKET_SLOT + 1,
					      .rights = SEAT_RIGHTS_ALL };

	(void)state;
	its.has_rights = false;
	sockets_rights(&sockets, &nobodys);
	guest_sends(VSOCK_REQUEST);
	hears_nothing();
	allow(0);
	turn();
	hears(VSOCK_RESPONSE);
}

/* The next one has to say hello, by whatever the former ended. */
static void test_ends(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		struct vsock_header shutdown = packet(VSOCK_SHUTDOWN, 0);

		connect_to();
		guest_says("{\"id\":1,\"verb\":\"hello\",\"version\":1}");
		hears(VSOCK_DATA);
		assert_true(its.remote.is_greeted);
		switch (how) {
		case 0:
			shutdown.flags = 2; /* it only writes no more */
			put(&shutdown, "", 0);
			turn();
			hears_nothing();
			shutdown.flags = 3;
			put(&shutdown, "", 0);
			turn();
			hears(VSOCK_RESET);
			break;
		case 1:
			guest_sends(VSOCK_RESET);
			break;
		default:
			t.device.lost(t.device.dev, 0);
		}
		hears_nothing();
		assert_false(its.is_open);
		assert_false(its.remote.is_greeted);
	}
	connect_to();
	guest_says("{\"id\":2,\"verb\":\"list\"}");
	assert_non_null(strstr((const char *)hears(VSOCK_DATA)->payload + 8,
			       "say hello first"));
}

/* ---- Credit -------------------------------------------------------------- */

static void test_credit(void **state)
{
	struct vsock_header header = packet(VSOCK_REQUEST, 0);

	(void)state;
	header.room = 10;
	put(&header, "", 0);
	turn();
	hears(VSOCK_RESPONSE);
	assert_int_equal(hears(VSOCK_DATA)->header.length, 10);
	hears(VSOCK_CREDIT_WANTED);
	turn();
	hears_nothing();
	header.operation = VSOCK_CREDIT;
	header.taken = 7;
	put(&header, "", 0);
	turn();
	assert_int_equal(hears(VSOCK_DATA)->header.length, 7);
	hears(VSOCK_CREDIT_WANTED);
	/* A count that says that it took more than it was sent. */
	header.taken = 1000;
	put(&header, "", 0);
	turn();
	hears_nothing();
}

/* It is told when half of the buffer is free again. */
static void test_credit_given(void **state)
{
	uint8_t noise[SOCKET_BUFFER / 2] = { 0 };
	struct vsock_header header = packet(VSOCK_DATA, sizeof(noise) - 1);

	(void)state;
	connect_to();
	put(&header, noise, sizeof(noise) - 1);
	turn();
	hears_nothing();
	header.length = 1;
	put(&header, noise, 1);
	turn();
	assert_int_equal(hears(VSOCK_CREDIT)->header.taken, sizeof(noise));
	guest_sends(VSOCK_CREDIT_WANTED);
	assert_int_equal(hears(VSOCK_CREDIT)->header.taken, sizeof(noise));
}

/* More than there is room for. */
static void test_too_much(void **state)
{
	static const uint8_t noise[VSOCK_PAYLOAD_MAX];
	struct vsock_header header = packet(VSOCK_DATA, sizeof(noise));

	(void)state;
	connect_to();
	put(&header, noise, sizeof(noise));
	header.length = 1;
	put(&header, noise, 1);
	turn();
	hears(VSOCK_RESET);
	hears_nothing();
	assert_false(its.is_open);
	connect_to();
}

/* ---- Refused ------------------------------------------------------------- */

static void test_refused(void **state)
{
	struct vsock_header header = packet(VSOCK_REQUEST, 0);

	(void)state;
	header.to_port = 5;
	put(&header, "", 0);
	turn();
	assert_int_equal(hears(VSOCK_RESET)->header.from_port, 5);
	assert_string_equal(t.text, "guest web is refused: at port 5 of the "
				    "host nobody listens to sockets");
	/* A flood of it is one line a second. */
	for (unsigned i = 0; i < 20; i++) {
		put(&header, "", 0);
		turn();
		hears(VSOCK_RESET);
	}
	assert_int_equal(t.denied, 1);
	host.now_ns += 1000000000;
	connect_to();
	header = packet(VSOCK_REQUEST, 0);
	header.from_port = PORT + 1;
	put(&header, "", 0);
	turn();
	assert_int_equal(hears(VSOCK_RESET)->header.to_port, PORT + 1);
	assert_string_equal(t.text, "guest web is refused: it has a socket for "
				    "the control protocol already");
	assert_int_equal(t.denied, 2);
	/* The first one does not notice. */
	guest_says("{\"id\":1,\"verb\":\"hello\",\"version\":1}");
	hears(VSOCK_DATA);
	header = packet(VSOCK_DATA, 1);
	header.from_port = PORT + 1;
	put(&header, "x", 1);
	turn();
	hears(VSOCK_RESET);
	header.length = 0;
	header.operation = VSOCK_RESET;
	put(&header, "", 0);
	turn();
	hears_nothing();
	assert_true(its.is_open);
}

/* What makes no sense is nothing. */
static void test_senseless(void **state)
{
	struct vsock_header header = packet(VSOCK_REQUEST, 0);

	(void)state;
	put(&header, "", 0);
	t.length[0] = sizeof(header) - 1;
	header.length = 1;
	put(&header, "", 0);
	header = packet(VSOCK_REQUEST, 1);
	put(&header, "x", 1);
	header = packet(VSOCK_REQUEST, 0);
	header.to = 3;
	put(&header, "", 0);
	header = packet(VSOCK_REQUEST, 0);
	header.type = 2;
	put(&header, "", 0);
	header = packet(VSOCK_OPERATIONS, 0);
	put(&header, "", 0);
	header = packet(0, 0);
	put(&header, "", 0);
	turn();
	assert_int_equal(t.head, t.tail);
	hears_nothing();
	assert_false(its.is_open);
}

/* An answer that finds no room waits, and what came behind it with it. */
static void test_full(void **state)
{
	(void)state;
	t.room = 0;
	guest_sends(VSOCK_REQUEST);
	guest_sends(VSOCK_CREDIT_WANTED);
	hears_nothing();
	assert_int_equal(t.head, 1);
	t.room = 1;
	turn();
	hears_nothing(); /* nobody has said that there is room */
	t.device.writable(t.device.dev, 0);
	turn();
	hears(VSOCK_RESPONSE);
	hears_nothing();
	t.room = PACKETS;
	t.device.writable(t.device.dev, 0);
	turn();
	assert_int_equal(t.head, 2);
	assert_int_equal(t.count, t.seen + 2);
}

#define SOCKET_TEST(test) cmocka_unit_test_setup(test, setup_sockets)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOCKET_TEST(test_conversation), SOCKET_TEST(test_no_rights),
		SOCKET_TEST(test_ends),		SOCKET_TEST(test_credit),
		SOCKET_TEST(test_credit_given), SOCKET_TEST(test_too_much),
		SOCKET_TEST(test_refused),	SOCKET_TEST(test_senseless),
		SOCKET_TEST(test_full),
	};

	return cmocka_run_group_tests_name("seat_sockets", tests, NULL, NULL);
}
