/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices/virtio_blk.c: every request, its limits, several in flight that end
 * in any order, resets meanwhile, drivers that break the rules.  (The driver
 * for such disks has its tests in test_virtio_blk.c.)
 */
#include "tests/unit/virtio_test.h"

#include "devices/virtio_blk.h"

#define SECTORS 64U
#define DEPTH	4U
#define HEADER	VT_DATA
#define STATUS	(VT_DATA + 0x100)
#define BUFFER	(VT_DATA + 0x1000)
#define BLK_OK	(VT_DEFAULT | BIT(VIRTIO_BLK_F_FLUSH))
#define CLEAR	(BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES))

static struct {
	struct virtio_blk blk;
	struct block_backend backend;
	uint8_t sectors[SECTORS * BLOCK_SECTOR];
	bool is_late;
	bool ends_others; /* whoever is given one ends those that it has */
	struct block_request *held[DEPTH];
	unsigned held_count, requests, cancelled;
	struct block_request last; /* as it was submitted */
} d;

/* ---- The disk below ------------------------------------------------------ */

static int move(const struct block_request *request)
{
	uint8_t *at = d.sectors + request->sector * BLOCK_SECTOR;

	if (request->op == BLOCK_ZEROES)
		memset(at, 0, request->clear_count * (size_t)BLOCK_SECTOR);
	for (unsigned i = 0; i < request->segment_count; i++) {
		const struct block_segment *segment = &request->segment[i];

		assert_true(at + segment->length <=
			    d.sectors + sizeof(d.sectors));
		if (request->op == BLOCK_READ)
			memcpy(segment->host, at, segment->length);
		else
			memcpy(at, segment->host, segment->length);
		at += segment->length;
	}
	return 0;
}

static void held_end(unsigned index, int status)
{
	struct block_request *request = d.held[index];

	d.held[index] = d.held[--d.held_count];
	request->done(request->dev, request, status ? status : move(request));
}

static void submit(void *ctx, struct block_request *request)
{
	assert_ptr_equal(ctx, &d);
	d.requests++;
	d.last = *request;
	if (!d.is_late) {
		request->done(request->dev, request, move(request));
		return;
	}
	while (d.ends_others && d.held_count)
		held_end(0, 0);
	assert_true(d.held_count < DEPTH);
	d.held[d.held_count++] = request;
}

static void cancel(void *ctx, struct block_request *request)
{
	(void)ctx;
	(void)request;
	d.cancelled++;
}

/* ---- The driver ---------------------------------------------------------- */

static void init(bool is_read_only, uint16_t queues, uint16_t block_size)
{
	const struct virtio_blk_config config = {
		.pci = &v.pci,
		.devfn = VT_DEVFN,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.backend = &d.backend,
		.serial = "0123456789abcdefghijk",
		.queues = queues,
		.block_size = block_size,
		.is_transitional = true,
	};

	vt_begin();
	memset(&d, 0, sizeof(d));
	for (unsigned i = 0; i < sizeof(d.sectors); i++)
		d.sectors[i] = (uint8_t)(i * 7 + i / 512);
	d.backend = (struct block_backend){
		.submit = submit,
		.cancel = cancel,
		.ctx = &d,
		.sector_count = SECTORS,
		.is_read_only = is_read_only,
		.has_fua = true,
		.can_clear = true,
		.depth = DEPTH,
	};
	assert_int_equal(virtio_blk_init(&d.blk, &config), 0);
	vt_plug();
}

static void start_rings(uint64_t features, uint16_t size)
{
	vt_handshake(features);
	for (unsigned i = 0; i < d.blk.queues; i++)
		vt_queue_setup(i, size);
	vt_driver_ok();
}

static void start(uint64_t features)
{
	start_rings(features, 16);
}

static int setup(void **state)
{
	(void)state;
	init(false, 2, 0);
	start(BLK_OK | CLEAR);
	return 0;
}

/* Each with a header and a status of its own, by place. */
static void begin(unsigned place, uint32_t type, uint64_t sector)
{
	const struct virtio_blk_header header = { type, 0, sector };

	memcpy(v.bytes + HEADER + 16 * place, &header, sizeof(header));
	v.bytes[STATUS + place] = 0xee;
	vt_out(HEADER + 16 * place, sizeof(header));
}

static uint16_t end(unsigned queue, unsigned place)
{
	uint16_t id;

	vt_in(STATUS + place, 1);
	id = vt_add(queue);
	vt_kick(queue);
	return id;
}

static uint8_t ended(uint16_t id, uint32_t length)
{
	assert_int_equal(vt_expect(0, id), length);
	return v.bytes[STATUS];
}

static void test_read(void **state)
{
	uint16_t id;

	(void)state;
	begin(0, VIRTIO_BLK_IN, 3);
	vt_in(BUFFER, 100);
	vt_in(BUFFER + 100, 924);
	assert_int_equal(ended(end(0, 0), 1025), VIRTIO_BLK_OK);
	assert_memory_equal(v.bytes + BUFFER, d.sectors + 3 * 512, 1024);
	assert_int_equal(d.last.segment_count, 2);
	/* The status may be the last byte of the data's piece. */
	begin(0, VIRTIO_BLK_IN, 63);
	vt_in(BUFFER, 513);
	id = vt_add(0);
	vt_kick(0);
	assert_int_equal(vt_expect(0, id), 513);
	assert_memory_equal(v.bytes + BUFFER, d.sectors + 63 * 512, 512);
	assert_int_equal(v.bytes[BUFFER + 512], VIRTIO_BLK_OK);
}

static void test_write(void **state)
{
	(void)state;
	memset(v.bytes + BUFFER, 0x5a, 1024);
	begin(0, VIRTIO_BLK_OUT, 62);
	vt_out(BUFFER, 1024);
	assert_int_equal(ended(end(0, 0), 1), VIRTIO_BLK_OK);
	assert_memory_equal(d.sectors + 62 * 512, v.bytes + BUFFER, 1024);
	assert_false(d.last.is_fua);
	begin(0, VIRTIO_BLK_FLUSH_CACHE, 0);
	assert_int_equal(ended(end(0, 0), 1), VIRTIO_BLK_OK);
	assert_int_equal(d.last.op, BLOCK_FLUSH);
	/* Who cannot flush has it written through. */
	start(VT_DEFAULT);
	begin(0, VIRTIO_BLK_OUT, 0);
	vt_out(BUFFER, 512);
	assert_int_equal(ended(end(0, 0), 1), VIRTIO_BLK_OK);
	assert_true(d.last.is_fua);
}

/* What is no request to the disk below. */
static void test_refused(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t length;
		uint8_t status;
	} rows[] = {
		{ VIRTIO_BLK_IN, 0, 511, VIRTIO_BLK_IOERR },
		{ VIRTIO_BLK_IN, SECTORS, 512, VIRTIO_BLK_IOERR },
		{ VIRTIO_BLK_IN, SECTORS - 1, 1024, VIRTIO_BLK_IOERR },
		{ VIRTIO_BLK_IN, ~0ULL, 512, VIRTIO_BLK_IOERR },
		{ VIRTIO_BLK_OUT, ~0ULL >> 9, 1024, VIRTIO_BLK_IOERR },
		{ VIRTIO_BLK_OUT, SECTORS, 512, VIRTIO_BLK_IOERR },
		{ 2, 0, 512, VIRTIO_BLK_UNSUPP },
		{ 0xffffffff, 0, 512, VIRTIO_BLK_UNSUPP },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(0, rows[i].type, rows[i].sector);
		if (rows[i].type == VIRTIO_BLK_OUT)
			vt_out(BUFFER, rows[i].length);
		else
			vt_in(BUFFER, rows[i].length);
		assert_int_equal(ended(end(0, 0), rows[i].type == VIRTIO_BLK_OUT
							  ? 1
							  : rows[i].length + 1),
				 rows[i].status);
	}
	begin(0, VIRTIO_BLK_IN, 0);
	assert_int_equal(ended(end(0, 0), 1), VIRTIO_BLK_IOERR);
	assert_int_equal(d.requests, 0);
	/* More pieces than the disk below takes. */
	begin(0, VIRTIO_BLK_IN, 0);
	for (unsigned i = 0; i < 65; i++)
		vt_in(BUFFER + 512 * i, 256 + 256 * (i > 1));
	vt_in(STATUS, 1);
	assert_int_equal(
		vt_expect(0,
			  (vt_handshake(BLK_OK | VIRTIO_F_INDIRECT_DESC),
			   vt_queue_setup(0, 16), vt_driver_ok(),
			   vt_add_indirect(0, VT_DATA + 0x800), vt_kick(0), 0)),
		512 * 64 + 1);
	assert_int_equal(v.bytes[STATUS], VIRTIO_BLK_IOERR);
	/* The disk's own error. */
	d.is_late = true;
	begin(0, VIRTIO_BLK_IN, 0);
	vt_in(BUFFER, 512);
	vt_in(STATUS, 1);
	vt_add_indirect(0, VT_DATA + 0x800);
	vt_kick(0);
	held_end(0, -EIO);
	vt_expect(0, 0);
	assert_int_equal(v.bytes[STATUS], VIRTIO_BLK_IOERR);
}

static void test_read_only(void **state)
{
	(void)state;
	init(true, 1, 0);
	assert_true(vt_offered() & BIT(VIRTIO_BLK_F_RO));
	assert_false(vt_offered() & CLEAR);
	start(BLK_OK);
	begin(0, VIRTIO_BLK_OUT, 0);
	vt_out(BUFFER, 512);
	assert_int_equal(ended(end(0, 0), 1), VIRTIO_BLK_IOERR);
	assert_int_equal(d.requests, 0);
}

static uint8_t range(uint32_t type, uint64_t sector, uint32_t count,
		     uint32_t flags, uint32_t length)
{
	const struct virtio_blk_range bytes = { sector, count, flags };

	memcpy(v.bytes + BUFFER, &bytes, sizeof(bytes));
	begin(0, type, 0);
	vt_out(BUFFER, length);
	return ended(end(0, 0), 1);
}

static void test_clear(void **state)
{
	(void)state;
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 2, 2, 1, 16),
			 VIRTIO_BLK_OK);
	assert_int_equal(d.last.op, BLOCK_ZEROES);
	assert_int_equal(d.sectors[4 * 512 - 1] | d.sectors[2 * 512], 0);
	assert_int_equal(d.sectors[2 * 512 - 1], (uint8_t)(1023 * 7 + 1));
	assert_int_equal(range(VIRTIO_BLK_DISCARD_RANGE, 62, 2, 0, 16),
			 VIRTIO_BLK_OK);
	assert_int_equal(d.last.op, BLOCK_DISCARD);
	assert_int_equal(d.last.sector, 62);
	assert_int_equal(d.requests, 2);
	assert_int_equal(range(VIRTIO_BLK_DISCARD_RANGE, 0, 1, 1, 16),
			 VIRTIO_BLK_UNSUPP);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 0, 1, 2, 16),
			 VIRTIO_BLK_UNSUPP);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 63, 2, 0, 16),
			 VIRTIO_BLK_IOERR);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, ~0ULL, 2, 0, 16),
			 VIRTIO_BLK_IOERR);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 0, 0, 0, 16),
			 VIRTIO_BLK_IOERR);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 0, 1, 0, 32),
			 VIRTIO_BLK_IOERR);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 0, 1, 0, 8),
			 VIRTIO_BLK_IOERR);
	assert_int_equal(d.requests, 2);
	/* Not without having said so. */
	start(BLK_OK);
	assert_int_equal(range(VIRTIO_BLK_ZERO_RANGE, 0, 1, 0, 16),
			 VIRTIO_BLK_UNSUPP);
}

static void test_serial(void **state)
{
	(void)state;
	begin(0, VIRTIO_BLK_GET_ID, 0);
	vt_in(BUFFER, 20);
	assert_int_equal(ended(end(0, 0), 21), VIRTIO_BLK_OK);
	assert_memory_equal(v.bytes + BUFFER, "0123456789abcdefghij", 20);
	begin(0, VIRTIO_BLK_GET_ID, 0);
	vt_in(BUFFER, 4);
	assert_int_equal(ended(end(0, 0), 5), VIRTIO_BLK_OK);
	assert_memory_equal(v.bytes + BUFFER, "0123", 4);
}

static void test_layout(void **state)
{
	(void)state;
	init(false, 4, 4096);
	assert_true(vt_offered() & BIT(VIRTIO_BLK_F_MQ));
	assert_int_equal(vt_read(VT_CONFIG, 8), SECTORS);
	assert_int_equal(vt_read(VT_CONFIG + 8, 4), 65536);
	assert_int_equal(vt_read(VT_CONFIG + 12, 4), BLOCK_SEGMENTS);
	assert_int_equal(vt_read(VT_CONFIG + 20, 4), 4096);
	assert_int_equal(vt_read(VT_CONFIG + 34, 2), 4);
	assert_int_equal(vt_read(VT_CONFIG + 36, 4), BLOCK_CLEAR_MAX);
	assert_int_equal(vt_read(VT_CONFIG + 44, 4), 8);
	start(BLK_OK);
	begin(0, VIRTIO_BLK_IN, 8);
	vt_in(BUFFER, 4096);
	assert_int_equal(ended(end(0, 0), 4097), VIRTIO_BLK_OK);
	begin(0, VIRTIO_BLK_IN, 8);
	vt_in(BUFFER, 512);
	assert_int_equal(ended(end(0, 0), 513), VIRTIO_BLK_IOERR);
	begin(0, VIRTIO_BLK_IN, 1);
	vt_in(BUFFER, 4096);
	assert_int_equal(ended(end(0, 0), 4097), VIRTIO_BLK_IOERR);
}

/* More than the disk has room for, in two queues; they end in any order. */
static void test_flight(void **state)
{
	uint16_t id[6];

	(void)state;
	d.is_late = true;
	for (unsigned i = 0; i < 6; i++) {
		begin(i, VIRTIO_BLK_IN, i);
		vt_in(BUFFER + 512 * i, 512);
		id[i] = end(i & 1, i);
	}
	assert_int_equal(d.held_count, DEPTH);
	assert_false(virtio_blk_ops.is_idle(&d.blk));
	held_end(2, 0);
	assert_int_equal(vt_expect(0, id[2]), 513);
	assert_int_equal(v.bytes[STATUS + 2], VIRTIO_BLK_OK);
	vt_expect_none(1);
	/* One that waited has its place. */
	assert_int_equal(d.held_count, DEPTH);
	while (d.held_count)
		held_end(0, 0);
	for (unsigned i = 0; i < 6; i++)
		assert_memory_equal(v.bytes + BUFFER + 512 * i,
				    d.sectors + 512 * i, 512);
	assert_int_equal(d.requests, 6);
	assert_true(virtio_blk_ops.is_idle(&d.blk));
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(v.bytes[STATUS + i], VIRTIO_BLK_OK);
}

/* Of a disk that is done at once: others have their turn in between. */
static void test_run_ends(void **state)
{
	const unsigned all = 80;

	(void)state;
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	start_rings(BLK_OK, VIRTIO_QUEUE_SIZE);
	for (unsigned i = 0; i < all; i++) {
		begin(0, VIRTIO_BLK_IN, 0);
		vt_in(BUFFER, 512);
		vt_in(STATUS, 1);
		(void)vt_add(0);
	}
	vt_kick(0);
	assert_in_range(d.requests, 1, all - 1);
	assert_false(virtio_blk_ops.is_idle(&d.blk));
	bench_step(&v.b, 10);
	assert_int_equal(d.requests, all);
	assert_true(virtio_blk_ops.is_idle(&d.blk));
	assert_null(v.b.clock.first);
}

static uint16_t read_sector(unsigned queue, unsigned place)
{
	begin(place, VIRTIO_BLK_IN, place);
	vt_in(BUFFER + 512 * place, 512);
	return end(queue, place);
}

/* While a queue is run, requests of it and of the other one end within
 * submit(): of both the driver is told, and what waits there has the place. */
static void test_other_queue_ends(void **state)
{
	uint16_t other, own, second;

	(void)state;
	vt_msix(3);
	vt_want(0, true);
	vt_want(1, true);
	d.is_late = true;
	other = read_sector(1, 0);
	own = read_sector(0, 1);
	d.ends_others = true;
	second = read_sector(0, 2);
	assert_int_equal(vt_expect(1, other), 513);
	assert_int_equal(vt_expect(0, own), 513);
	assert_int_equal(v.bytes[STATUS] | v.bytes[STATUS + 1], VIRTIO_BLK_OK);
	assert_int_equal(v.messages, 2);
	assert_int_equal(v.message[0] + v.message[1], 1 + 2);
	vt_expect_none(0);
	/* All places taken: one that waits at the other queue begins. */
	d.ends_others = false;
	for (unsigned i = 3; i < 3 + DEPTH; i++)
		read_sector(1, i);
	assert_int_equal(d.held_count, DEPTH);
	d.ends_others = true;
	held_end(0, 0);
	assert_int_equal(vt_expect(0, second), 513);
	held_end(0, 0);
	for (unsigned i = 0; i < 3 + DEPTH; i++)
		assert_int_equal(v.bytes[STATUS + i], VIRTIO_BLK_OK);
	assert_true(virtio_blk_ops.is_idle(&d.blk));
}

/* Of three queues that wait none is passed over for a busier one. */
static void test_turns(void **state)
{
	uint64_t order[6];

	(void)state;
	init(false, 3, 0);
	start_rings(BLK_OK, 32);
	d.is_late = true;
	for (unsigned i = 0; i < DEPTH; i++)
		read_sector(0, i);
	/* Sector 16 * queue and up. */
	for (unsigned i = 0; i < 6; i++) {
		begin(8 + i, VIRTIO_BLK_IN, 16 * (i % 3));
		vt_in(BUFFER + 512 * (8 + i), 512);
		end(i % 3, 8 + i);
	}
	assert_int_equal(d.requests, DEPTH);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		held_end(0, 0);
		assert_int_equal(d.requests, DEPTH + 1 + i);
		order[i] = d.last.sector / 16;
	}
	for (unsigned i = 3; i < ARRAY_SIZE(order); i++)
		assert_int_equal(order[i], order[i - 3]);
	assert_int_equal(order[0] + order[1] + order[2], 0 + 1 + 2);
	assert_true(order[0] != order[1] && order[1] != order[2]);
}

/* A reset in mid-flight: it is not over before the disk has let go, and what
 * comes late is no answer to what came after. */
static void test_reset(void **state)
{
	uint16_t id;

	(void)state;
	d.is_late = true;
	begin(0, VIRTIO_BLK_IN, 0);
	vt_in(BUFFER, 512);
	end(0, 0);
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_int_equal(d.cancelled, 1);
	assert_int_not_equal(vt_status(), 0);
	held_end(0, -ECANCELED);
	assert_int_equal(vt_status(), 0);
	assert_int_equal(v.bytes[STATUS], 0xee);
	start(BLK_OK);
	vt_expect_none(0);
	/* The board's, and a driver that does not wait. */
	begin(0, VIRTIO_BLK_IN, 0);
	vt_in(BUFFER, 512);
	end(0, 0);
	device_reset(&d.blk.device);
	vt_plug();
	assert_int_not_equal(vt_status(), 0);
	vt_set(VIRTIO_COMMON_STATUS, 1, 3);
	vt_accept(BLK_OK);
	vt_status_add(VIRTIO_STATUS_FEATURES_OK);
	vt_queue_setup(0, 16);
	vt_driver_ok();
	begin(1, VIRTIO_BLK_IN, 1);
	vt_in(BUFFER + 512, 512);
	id = end(0, 1);
	held_end(0, 0);
	vt_expect_none(0);
	held_end(0, 0);
	assert_int_equal(vt_expect(0, id), 513);
	assert_int_equal(v.bytes[STATUS + 1], VIRTIO_BLK_OK);
	assert_true(virtio_blk_ops.is_idle(&d.blk));
}

/* One queue alone. */
static void test_queue_reset(void **state)
{
	uint16_t id;

	(void)state;
	start(BLK_OK | VIRTIO_F_RING_RESET);
	d.is_late = true;
	begin(0, VIRTIO_BLK_IN, 0);
	vt_in(BUFFER, 512);
	end(0, 0);
	begin(1, VIRTIO_BLK_IN, 1);
	vt_in(BUFFER + 512, 512);
	id = end(1, 1);
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, 0);
	vt_set(VIRTIO_COMMON_QUEUE_RESET, 2, 1);
	assert_int_equal(d.cancelled, 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_RESET, 2), 1);
	held_end(0, 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_RESET, 2), 0);
	held_end(0, 0);
	assert_int_equal(vt_expect(1, id), 513);
}

/* No room for a status, no header: it is broken, the disk is not asked. */
static void test_broken(void **state)
{
	(void)state;
	begin(0, VIRTIO_BLK_IN, 0);
	vt_add(0);
	vt_kick(0);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	start(BLK_OK);
	vt_out(HEADER, 15);
	vt_in(STATUS, 1);
	vt_add(0);
	vt_kick(0);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(d.requests, 0);
	assert_true(virtio_blk_ops.is_idle(&d.blk));
}

static void test_config(void **state)
{
	struct virtio_blk_config config = {
		.pci = &v.pci,
		.devfn = VT_DEVFN,
		.ram = &v.ram,
		.backend = &d.backend,
	};

	(void)state;
	config.queues = VIRTIO_BLK_QUEUES_MAX + 1;
	assert_int_equal(virtio_blk_init(&d.blk, &config), -EINVAL);
	config.queues = 1;
	config.block_size = 1024;
	assert_int_equal(virtio_blk_init(&d.blk, &config), -EINVAL);
	config.block_size = 0;
	d.backend.sector_count = 0;
	assert_int_equal(virtio_blk_init(&d.blk, &config), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),     TEST(test_write),
		TEST(test_refused),  TEST(test_read_only),
		TEST(test_clear),    TEST(test_serial),
		TEST(test_layout),   TEST(test_flight),
		TEST(test_reset),    TEST(test_queue_reset),
		TEST(test_broken),   TEST(test_config),
		TEST(test_turns),    TEST(test_other_queue_ends),
		TEST(test_run_ends),
	};

	return cmocka_run_group_tests_name("virtio_disk", tests, NULL, NULL);
}
