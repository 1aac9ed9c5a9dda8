/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's sockets between guests: packets both ways, connections and their
 * ends, peers that are full, stuck, gone and wrong. */
#include "tests/unit/virtio_test.h"

#include "devices/virtio_vsock_internal.h"

#define CID	3
#define PEER	4 /* the first peer's, then 5 */
#define QUEUE	64
#define HEADER	((uint32_t)sizeof(struct vsock_header))
#define RECORDS 64
#define OWN	1000 /* ports */
#define OTHER	2000

struct record {
	struct vsock_header header;
	uint8_t payload[VSOCK_PAYLOAD_MAX];
};

static struct virtio_vsock card;

static struct {
	struct vsock_device device;
	struct vsock_backend backend;
	/* To each peer. */
	struct record sent[2][RECORDS];
	unsigned sent_count[2], room[2];
	bool is_gone[2];
	/* From each. */
	struct record queue[2][RECORDS];
	uint32_t length[2][RECORDS];
	unsigned head[2], tail[2];
	bool is_lent[2];
} t;

static void attach(void *ctx, const struct vsock_device *device)
{
	(void)ctx;
	t.device = *device;
}

static enum vsock_sent send(void *ctx, unsigned peer,
			    const struct vsock_header *header,
			    const void *payload)
{
	struct record *record = &t.sent[peer][t.sent_count[peer] % RECORDS];

	(void)ctx;
	assert_true(peer < 2 && header->length <= VSOCK_PAYLOAD_MAX);
	if (t.is_gone[peer])
		return VSOCK_GONE;
	if (!t.room[peer])
		return VSOCK_FULL;
	t.room[peer]--;
	t.sent_count[peer]++;
	record->header = *header;
	if (header->length)
		memcpy(record->payload, payload, header->length);
	return VSOCK_SENT;
}

static const uint8_t *receive(void *ctx, unsigned peer, uint32_t *length)
{
	unsigned at = t.head[peer] % RECORDS;

	(void)ctx;
	assert_false(t.is_lent[peer]);
	if (t.head[peer] == t.tail[peer])
		return NULL;
	t.is_lent[peer] = true;
	*length = t.length[peer][at];
	return (const uint8_t *)&t.queue[peer][at];
}

static void release(void *ctx, unsigned peer)
{
	(void)ctx;
	assert_true(t.is_lent[peer]);
	t.is_lent[peer] = false;
	t.head[peer]++;
}

static void build(void)
{
	const struct virtio_vsock_config config = {
		.pci = &v.pci,
		.devfn = VT_DEVFN,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.backend = &t.backend,
	};

	vt_begin();
	memset(&t, 0, sizeof(t));
	t.backend = (struct vsock_backend){
		.attach = attach,
		.send = send,
		.receive = receive,
		.release = release,
		.cid = CID,
		.peer_count = 2,
		.peer = { PEER, PEER + 1 },
	};
	t.room[0] = t.room[1] = RECORDS;
	assert_int_equal(virtio_vsock_init(&card, &config), 0);
	vt_plug();
}

static void start(void)
{
	build();
	vt_handshake(VT_DEFAULT);
	for (unsigned i = 0; i < VSOCK_QUEUES; i++)
		vt_queue_setup(i, QUEUE);
	vt_driver_ok();
}

static struct vsock_header packet(uint16_t operation, uint32_t length)
{
	return (struct vsock_header){
		.from = CID,
		.to = PEER,
		.from_port = OWN,
		.to_port = OTHER,
		.length = length,
		.type = VSOCK_STREAM,
		.operation = operation,
		.room = 77,
	};
}

/* The same from the peer. */
static struct vsock_header answer(uint16_t operation, uint32_t length)
{
	struct vsock_header header = packet(operation, length);

	header.from = PEER;
	header.to = CID;
	header.from_port = OTHER;
	header.to_port = OWN;
	return header;
}

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* The driver sends it. */
static uint16_t put(const struct vsock_header *header)
{
	uint8_t *at = v.bytes + VT_DATA;
	uint16_t id;

	memcpy(at, header, HEADER);
	for (uint32_t i = 0; i < header->length; i++)
		at[HEADER + i] = byte_at(i);
	vt_out(VT_DATA, HEADER);
	if (header->length)
		vt_out(VT_DATA + HEADER, header->length);
	id = vt_add(VSOCK_QUEUE_TX);
	vt_kick(VSOCK_QUEUE_TX);
	return id;
}

static void sends(uint16_t operation, uint32_t length)
{
	const struct vsock_header header = packet(operation, length);

	vt_expect(VSOCK_QUEUE_TX, put(&header));
}

/* The peer sends it. */
static void arrives(unsigned peer, const struct vsock_header *header,
		    uint32_t length)
{
	unsigned at = t.tail[peer]++ % RECORDS;

	t.queue[peer][at].header = *header;
	for (uint32_t i = 0; i < header->length && i < VSOCK_PAYLOAD_MAX; i++)
		t.queue[peer][at].payload[i] = byte_at(i);
	t.length[peer][at] = length;
	t.device.received(t.device.dev);
}

static void comes(uint16_t operation, uint32_t length)
{
	const struct vsock_header header = answer(operation, length);

	arrives(0, &header, HEADER + length);
}

/* A buffer of the driver's, at place n. */
static void buffer(unsigned n, uint32_t length)
{
	vt_in(VT_DATA + 0x20000 + n * 0x2000, length);
	vt_add(VSOCK_QUEUE_RX);
	vt_kick(VSOCK_QUEUE_RX);
}

static void buffers(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buffer(i, HEADER + 4096);
}

/* What the driver has got at place n. */
static const struct record *got(unsigned n)
{
	return (const void *)(v.bytes + VT_DATA + 0x20000 + n * 0x2000);
}

static uint16_t got_operation(unsigned n)
{
	uint32_t id, length;

	assert_true(vt_take(VSOCK_QUEUE_RX, &id, &length));
	assert_true(length >= HEADER);
	assert_int_equal(length, HEADER + got(n)->header.length);
	return got(n)->header.operation;
}

static unsigned open_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(card.connection); i++)
		count += card.connection[i].state != VSOCK_FREE;
	return count;
}

/* ---- A connection's life ------------------------------------------------- */

static void test_space(void **state)
{
	(void)state;
	build();
	assert_int_equal(pci_config_read(&v.pci, VT_DEVFN, 0, 4), 0x10531af4);
	assert_int_equal(vt_read(VT_CONFIG, 4), CID);
	assert_int_equal(vt_read(VT_CONFIG + 4, 4), 0);
	assert_true(vt_offered() & BIT(0));
	assert_false(vt_offered() & BIT(1));
}

static void test_conversation(void **state)
{
	(void)state;
	start();
	buffers(4);
	sends(VSOCK_REQUEST, 0);
	assert_int_equal(t.sent[0][0].header.operation, VSOCK_REQUEST);
	assert_int_equal(t.sent[0][0].header.room, 77);
	comes(VSOCK_RESPONSE, 0);
	assert_int_equal(got_operation(0), VSOCK_RESPONSE);
	assert_int_equal(got(0)->header.from, PEER);
	sends(VSOCK_DATA, 100);
	assert_int_equal(t.sent[0][1].header.length, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(t.sent[0][1].payload[i], byte_at(i));
	comes(VSOCK_DATA, 4000);
	assert_int_equal(got_operation(1), VSOCK_DATA);
	for (uint32_t i = 0; i < 4000; i++)
		assert_int_equal(got(1)->payload[i], byte_at(i));
	assert_int_equal(open_count(), 1);
	sends(VSOCK_SHUTDOWN, 0);
	comes(VSOCK_RESET, 0);
	assert_int_equal(got_operation(2), VSOCK_RESET);
	assert_int_equal(open_count(), 0);
	assert_int_equal(t.sent_count[1], 0);
}

/* Long ones are several, both ways. */
static void test_pieces(void **state)
{
	uint32_t at = 0;

	(void)state;
	start();
	sends(VSOCK_REQUEST, 0);
	sends(VSOCK_DATA, 10000);
	assert_int_equal(t.sent_count[0], 4);
	for (unsigned i = 1; i < 4; i++) {
		const struct record *record = &t.sent[0][i];

		assert_int_equal(record->header.operation, VSOCK_DATA);
		for (uint32_t k = 0; k < record->header.length; k++)
			assert_int_equal(record->payload[k], byte_at(at + k));
		at += record->header.length;
	}
	assert_int_equal(at, 10000);
	for (unsigned i = 0; i < 4; i++)
		buffer(i, HEADER + 1000);
	comes(VSOCK_DATA, 3500);
	for (unsigned i = 0, from = 0; i < 4; i++, from += 1000) {
		assert_int_equal(got_operation(i), VSOCK_DATA);
		assert_int_equal(got(i)->header.length, i < 3 ? 1000 : 500);
		assert_int_equal(got(i)->payload[0], byte_at(from));
	}
}

/* ---- Nobody there -------------------------------------------------------- */

static void test_nobody(void **state)
{
	static const uint64_t cids[] = { 0, 2, CID, 9, PEER + 0x100000000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cids); i++) {
		struct vsock_header header = packet(VSOCK_REQUEST, 0);

		start();
		header.to = cids[i];
		vt_expect(VSOCK_QUEUE_TX, put(&header));
		buffers(1);
		assert_int_equal(got_operation(0), VSOCK_RESET);
		assert_int_equal(got(0)->header.from, (uint32_t)cids[i]);
		assert_int_equal(got(0)->header.from_port, OTHER);
		assert_int_equal(got(0)->header.to_port, OWN);
		header.operation = VSOCK_RESET;
		vt_expect(VSOCK_QUEUE_TX, put(&header));
		assert_int_equal(open_count(), 0);
		assert_int_equal(t.sent_count[0] + t.sent_count[1], 0);
		/* Who has no right to the host is told of. */
		assert_int_equal(card.errors[VIRTIO_VSOCK_ERROR_HOST],
				 cids[i] == VSOCK_CID_HOST);
	}
}

/* Data of no connection, either way. */
static void test_unknown(void **state)
{
	(void)state;
	start();
	buffers(2);
	sends(VSOCK_DATA, 10);
	assert_int_equal(t.sent_count[0], 0);
	assert_int_equal(got_operation(0), VSOCK_RESET);
	comes(VSOCK_DATA, 10);
	vt_expect_none(VSOCK_QUEUE_RX);
	assert_int_equal(t.sent[0][0].header.operation, VSOCK_RESET);
	assert_int_equal(t.sent[0][0].header.to, PEER);
	assert_int_equal(t.sent[0][0].header.to_port, OTHER);
	comes(VSOCK_RESET, 0);
	assert_int_equal(t.sent_count[0], 1);
}

static void test_no_driver(void **state)
{
	(void)state;
	build();
	comes(VSOCK_REQUEST, 0);
	assert_int_equal(t.head[0], 1);
	assert_int_equal(t.sent[0][0].header.operation, VSOCK_RESET);
}

/* So many connections with a peer, and no more; others have theirs. */
static void test_too_many(void **state)
{
	struct vsock_header header = packet(VSOCK_REQUEST, 0);

	(void)state;
	start();
	t.room[0] = UINT32_MAX;
	for (unsigned i = 0; i <= VSOCK_CONNECTIONS; i++) {
		header.from_port = i;
		vt_expect(VSOCK_QUEUE_TX, put(&header));
	}
	assert_int_equal(t.sent_count[0], VSOCK_CONNECTIONS);
	buffers(1);
	assert_int_equal(got_operation(0), VSOCK_RESET);
	assert_int_equal(got(0)->header.to_port, VSOCK_CONNECTIONS);
	comes(VSOCK_REQUEST, 0);
	assert_int_equal(
		t.sent[0][VSOCK_CONNECTIONS % RECORDS].header.operation,
		VSOCK_RESET);
	header.to = PEER + 1;
	vt_expect(VSOCK_QUEUE_TX, put(&header));
	assert_int_equal(t.sent_count[1], 1);
}

/* A driver that takes no resets gets no more of them. */
static void test_too_many_resets(void **state)
{
	struct vsock_header header = packet(VSOCK_REQUEST, 0);
	uint16_t id = 0;

	(void)state;
	start();
	header.to = 9;
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		header.from_port = i;
		vt_expect(VSOCK_QUEUE_TX, put(&header));
	}
	header.from_port = 999;
	id = put(&header);
	vt_expect_none(VSOCK_QUEUE_TX);
	buffers(1);
	assert_int_equal(got_operation(0), VSOCK_RESET);
	vt_expect(VSOCK_QUEUE_TX, id);
}

/* ---- Peers that take nothing, or go -------------------------------------- */

static void test_full(void **state)
{
	const struct vsock_header data = packet(VSOCK_DATA, 9000);
	uint16_t id;

	(void)state;
	start();
	sends(VSOCK_REQUEST, 0);
	t.room[0] = 1;
	id = put(&data);
	vt_expect_none(VSOCK_QUEUE_TX);
	assert_int_equal(card.state.sent, 4096);
	for (unsigned i = 0; i < 2; i++) {
		t.room[0] = 1;
		t.device.writable(t.device.dev, 0);
	}
	vt_expect(VSOCK_QUEUE_TX, id);
	assert_int_equal(t.sent_count[0], 4);
	assert_int_equal(t.sent[0][3].header.length, 9000 - 8192);
	assert_int_equal(t.sent[0][3].payload[0], byte_at(8192));
	assert_false(card.patience.is_armed);
}

/* After ten seconds others do not wait for it. */
static void test_stuck(void **state)
{
	const struct vsock_header data = packet(VSOCK_DATA, 10);
	struct vsock_header other = packet(VSOCK_REQUEST, 0);
	uint16_t id[2];

	(void)state;
	start();
	buffers(3);
	sends(VSOCK_REQUEST, 0);
	t.room[0] = 0;
	id[0] = put(&data);
	other.to = PEER + 1;
	vt_out(VT_DATA + 0x10000, HEADER);
	memcpy(v.bytes + VT_DATA + 0x10000, &other, HEADER);
	id[1] = vt_add(VSOCK_QUEUE_TX);
	bench_step(&v.b, 9 * NSEC_PER_SEC);
	vt_expect_none(VSOCK_QUEUE_TX);
	bench_step(&v.b, NSEC_PER_SEC);
	vt_expect(VSOCK_QUEUE_TX, id[0]);
	vt_expect(VSOCK_QUEUE_TX, id[1]);
	assert_int_equal(t.sent_count[1], 1);
	/* The connection's end, and what is sent to it still. */
	assert_int_equal(got_operation(0), VSOCK_RESET);
	assert_int_equal(got_operation(1), VSOCK_RESET);
	/* A new connection is refused at once, until there is room. */
	sends(VSOCK_REQUEST, 0);
	assert_int_equal(got_operation(2), VSOCK_RESET);
	t.room[0] = RECORDS;
	t.device.writable(t.device.dev, 0);
	sends(VSOCK_REQUEST, 0);
	assert_int_equal(t.sent_count[0], 2);
}

static void test_lost(void **state)
{
	const struct vsock_header theirs = {
		.from = PEER,
		.to = CID,
		.from_port = 1,
		.to_port = 2,
		.type = VSOCK_STREAM,
		.operation = VSOCK_REQUEST,
	};
	struct vsock_header other = packet(VSOCK_REQUEST, 0);

	(void)state;
	start();
	other.to = PEER + 1;
	vt_expect(VSOCK_QUEUE_TX, put(&other));
	sends(VSOCK_REQUEST, 0);
	arrives(0, &theirs, HEADER); /* waits for a buffer */
	assert_true(t.is_lent[0]);
	t.is_gone[0] = true;
	t.device.lost(t.device.dev, 0);
	assert_false(t.is_lent[0]);
	buffers(4);
	assert_int_equal(got_operation(0), VSOCK_RESET);
	assert_int_equal(got_operation(1), VSOCK_RESET);
	assert_int_equal(got(0)->header.to_port + got(1)->header.to_port,
			 OWN + 2);
	vt_expect_none(VSOCK_QUEUE_RX);
	assert_int_equal(open_count(), 1);
	/* It is not there yet; then it is. */
	sends(VSOCK_REQUEST, 0);
	assert_int_equal(got_operation(2), VSOCK_RESET);
	t.is_gone[0] = false;
	sends(VSOCK_REQUEST, 0);
	assert_int_equal(t.sent_count[0], 2);
}

/* A driver that goes tells the others. */
static void test_driver_goes(void **state)
{
	(void)state;
	start();
	sends(VSOCK_REQUEST, 0);
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_int_equal(t.sent_count[0], 2);
	assert_int_equal(t.sent[0][1].header.operation, VSOCK_RESET);
	assert_int_equal(t.sent[0][1].header.to_port, OTHER);
	assert_int_equal(open_count(), 0);
}

/* A driver that is restored hears that its connections are over. */
static void test_restored(void **state)
{
	static uint8_t image[65536], scratch[65536] __attribute__((aligned(8)));
	size_t length;
	char why[100];

	(void)state;
	start();
	sends(VSOCK_REQUEST, 0);
	assert_int_equal(
		device_save(&card.device, image, sizeof(image), &length), 0);
	assert_int_equal(device_load(&card.device, image, length, scratch, why,
				     sizeof(why)),
			 0);
	assert_int_equal(open_count(), 0);
	assert_int_equal(t.sent[0][1].header.operation, VSOCK_RESET);
	memset(v.bytes + VT_DATA, 0xee, 8);
	vt_in(VT_DATA, 8);
	vt_add(VSOCK_QUEUE_EVENT);
	vt_kick(VSOCK_QUEUE_EVENT);
	assert_int_equal(vt_expect(VSOCK_QUEUE_EVENT, 0), 4);
	assert_int_equal(v.bytes[VT_DATA], 0);
	assert_int_equal(v.bytes[VT_DATA + 4], 0xee);
	/* Once. */
	vt_in(VT_DATA, 8);
	vt_add(VSOCK_QUEUE_EVENT);
	vt_kick(VSOCK_QUEUE_EVENT);
	vt_expect_none(VSOCK_QUEUE_EVENT);
}

/* ---- What makes no sense ------------------------------------------------- */

static void wrong(struct vsock_header *header, unsigned i)
{
	if (i == 0)
		header->from = 77;
	else if (i == 1)
		header->type = 2;
	else if (i == 2)
		header->operation = 0;
	else if (i == 3)
		header->operation = VSOCK_OPERATIONS;
	else if (i == 4)
		header->operation = VSOCK_CREDIT; /* with payload */
	else
		header->length++; /* than there is */
}

static void test_wrong(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct vsock_header header = packet(VSOCK_DATA, 5);
		uint16_t id;

		start();
		sends(VSOCK_REQUEST, 0);
		wrong(&header, i);
		memcpy(v.bytes + VT_DATA, &header, HEADER);
		vt_out(VT_DATA, HEADER + 5);
		id = vt_add(VSOCK_QUEUE_TX);
		vt_kick(VSOCK_QUEUE_TX);
		vt_expect(VSOCK_QUEUE_TX, id);
		assert_int_equal(card.errors[VIRTIO_VSOCK_ERROR_DRIVER], 1);
		header = answer(VSOCK_DATA, 5);
		wrong(&header, i);
		buffers(1);
		arrives(0, &header, HEADER + 5);
		vt_expect_none(VSOCK_QUEUE_RX);
		assert_int_equal(card.errors[VIRTIO_VSOCK_ERROR_PEER], 1);
		assert_int_equal(t.sent_count[0], 1);
	}
	/* Less than a header. */
	vt_out(VT_DATA, HEADER - 1);
	vt_add(VSOCK_QUEUE_TX);
	vt_kick(VSOCK_QUEUE_TX);
	assert_int_equal(card.errors[VIRTIO_VSOCK_ERROR_DRIVER], 2);
	arrives(0, &(struct vsock_header){ 0 }, 3);
	assert_int_equal(card.errors[VIRTIO_VSOCK_ERROR_PEER], 2);
	assert_true(virtio_is_running(&card.virtio));
}

static void test_small_buffer(void **state)
{
	(void)state;
	start();
	sends(VSOCK_REQUEST, 0);
	buffer(0, HEADER);
	comes(VSOCK_RESPONSE, 0);
	assert_int_equal(got_operation(0), VSOCK_RESPONSE);
	buffer(1, HEADER);
	comes(VSOCK_DATA, 1);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_no_driver),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_too_many_resets),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_driver_goes),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_small_buffer),
	};

	return cmocka_run_group_tests_name("virtio_vsock", tests, NULL, NULL);
}
