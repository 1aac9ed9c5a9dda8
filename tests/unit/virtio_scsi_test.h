/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of devices/virtio_scsi*.c share: media, and a driver that asks.
 */
#ifndef BULKHEAD_TESTS_UNIT_VIRTIO_SCSI_TEST_H
#define BULKHEAD_TESTS_UNIT_VIRTIO_SCSI_TEST_H

#include "tests/unit/virtio_test.h"

#include "devices/virtio_scsi.h"

#define SECTORS	 64U
#define REQUESTS 2 /* the first queue of them */
#define PLACE	 0x200U
#define HEADER	 (VT_DATA + 0x20000)
#define RESPONSE (VT_DATA + 0x40000)
#define DATA	 (VT_DATA + 0x60000)
#define TABLE	 (VT_DATA + 0x90000)
#define CONTROL	 (VT_DATA + 0xa0000)
#define EVENTS	 (VT_DATA + 0xb0000)
#define CDB	 VIRTIO_SCSI_CDB_SIZE
#define OUT_SIZE (19 + CDB)
#define IN_SIZE	 (12 + VIRTIO_SCSI_SENSE_SIZE)
#define CD	 5 /* targets */
#define DISK	 0
#define DISK_2	 3

struct medium {
	struct block_backend backend;
	uint8_t sectors[SECTORS * BLOCK_SECTOR];
	bool is_late;
	struct block_request *held;
	unsigned requests, cancelled;
	int status;
};

static struct {
	struct virtio_scsi scsi;
	struct medium disk, disk_2, disc, disc_2;
} d;

/* ---- The media ----------------------------------------------------------- */

static __maybe_unused int move(struct medium *medium,
			       const struct block_request *request)
{
	uint8_t *at = medium->sectors + request->sector * BLOCK_SECTOR;

	for (unsigned i = 0; i < request->segment_count; i++) {
		const struct block_segment *segment = &request->segment[i];

		assert_true(at + segment->length <=
			    medium->sectors + sizeof(medium->sectors));
		if (request->op == BLOCK_READ)
			memcpy(segment->host, at, segment->length);
		else
			memcpy(at, segment->host, segment->length);
		at += segment->length;
	}
	return medium->status;
}

static __maybe_unused void submit(void *ctx, struct block_request *request)
{
	struct medium *medium = ctx;

	medium->requests++;
	if (medium->is_late) {
		assert_null(medium->held);
		medium->held = request;
	} else {
		request->done(request->dev, request, move(medium, request));
	}
}

static __maybe_unused void held_end(struct medium *medium)
{
	struct block_request *request = medium->held;

	assert_non_null(request);
	medium->held = NULL;
	request->done(request->dev, request, move(medium, request));
}

static __maybe_unused void cancel(void *ctx, struct block_request *request)
{
	struct medium *medium = ctx;

	assert_ptr_equal(medium->held, request);
	medium->cancelled++;
}

static __maybe_unused void medium_init(struct medium *medium, unsigned seed,
				       bool is_read_only)
{
	for (unsigned i = 0; i < sizeof(medium->sectors); i++)
		medium->sectors[i] = (uint8_t)(i * 7 + i / 512 + seed);
	medium->backend = (struct block_backend){
		.submit = submit,
		.cancel = cancel,
		.ctx = medium,
		.sector_count = SECTORS,
		.is_read_only = is_read_only,
	};
}

/* ---- The driver ---------------------------------------------------------- */

static __maybe_unused void init(uint16_t queues)
{
	const struct virtio_scsi_config config = {
		.pci = &v.pci,
		.devfn = VT_DEVFN,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.is_transitional = true,
		.queues = queues,
		.drive = {
			[DISK] = { .backend = &d.disk.backend, .serial = "ONE",
				   .model = "Model" },
			[DISK_2] = { .backend = &d.disk_2.backend },
			[CD] = { .backend = &d.disc.backend,
				 .is_cdrom = true },
		},
	};

	vt_begin();
	memset(&d, 0, sizeof(d));
	medium_init(&d.disk, 1, false);
	medium_init(&d.disk_2, 2, false);
	medium_init(&d.disc, 3, true);
	medium_init(&d.disc_2, 4, true);
	assert_int_equal(virtio_scsi_init(&d.scsi, &config), 0);
	vt_plug();
}

static __maybe_unused void start(uint64_t features, uint16_t size)
{
	vt_handshake(features);
	for (unsigned i = 0; i < d.scsi.queues + 2U; i++)
		vt_queue_setup(i, size);
	vt_driver_ok();
}

static __maybe_unused int setup(void **state)
{
	(void)state;
	init(2);
	start(VT_DEFAULT | VIRTIO_F_INDIRECT_DESC, 64);
	return 0;
}

/* Each with a header and a response of its own, by number, which is its tag. */
static __maybe_unused void begin(unsigned n, unsigned target, const char *cdb,
				 unsigned length)
{
	uint8_t *at = v.bytes + HEADER + PLACE * n;

	memset(at, 0, OUT_SIZE);
	at[0] = 1;
	at[1] = (uint8_t)target;
	at[2] = VIRTIO_SCSI_FLAT;
	at[8] = (uint8_t)n;
	memcpy(at + 19, cdb, length);
	memset(v.bytes + RESPONSE + PLACE * n, 0xee, IN_SIZE);
	vt_out(HEADER + PLACE * n, OUT_SIZE);
}

#define BEGIN(n, target, cdb) begin(n, target, cdb, sizeof(cdb) - 1)

static __maybe_unused void respond_at(unsigned n)
{
	vt_in(RESPONSE + PLACE * n, IN_SIZE);
}

static __maybe_unused uint16_t send(unsigned queue)
{
	uint16_t id = vt_add(queue);

	vt_kick(queue);
	return id;
}

static __maybe_unused const struct virtio_scsi_response *response_of(unsigned n)
{
	return (const void *)(v.bytes + RESPONSE + PLACE * n);
}

static __maybe_unused const uint8_t *sense_of(unsigned n)
{
	return v.bytes + RESPONSE + PLACE * n + 12;
}

static __maybe_unused void expect_response(unsigned n, uint8_t response,
					   uint8_t status, uint32_t residual)
{
	const struct virtio_scsi_response *got = response_of(n);

	assert_int_equal(got->response, response);
	assert_int_equal(got->status, status);
	assert_int_equal(got->residual, residual);
}

static __maybe_unused void expect_sense(unsigned n, uint8_t key, uint8_t code)
{
	assert_int_equal(response_of(n)->response, VIRTIO_SCSI_OK);
	assert_int_equal(response_of(n)->status, SCSI_CHECK_CONDITION);
	assert_int_equal(response_of(n)->sense_length, 18);
	assert_int_equal(sense_of(n)[0] & 0x7f, 0x70);
	assert_int_equal(sense_of(n)[2], key);
	assert_int_equal(sense_of(n)[12], code);
	assert_int_equal(sense_of(n)[18], 0);
}

/* A command with so many bytes of data in: what came back of it. */
static __maybe_unused void ask(unsigned target, const char *cdb,
			       unsigned length, uint32_t data_in)
{
	uint16_t id;

	begin(0, target, cdb, length);
	respond_at(0);
	if (data_in) {
		memset(v.bytes + DATA, 0xee, data_in);
		vt_in(DATA, data_in);
	}
	id = send(REQUESTS);
	(void)vt_expect(REQUESTS, id);
}

#define ASK(target, cdb, data_in) ask(target, cdb, sizeof(cdb) - 1, data_in)

/* A read of one sector, number n, at that queue. */
static __maybe_unused uint16_t read_one(unsigned queue, unsigned n,
					unsigned target)
{
	BEGIN(n, target, "\x28\0\0\0\0\0\0\0\1\0");
	v.bytes[HEADER + PLACE * n + 19 + 5] = (uint8_t)(n % SECTORS);
	respond_at(n);
	vt_in(DATA + 512 * n, 512);
	return send(queue);
}

static __maybe_unused void expect_read(unsigned n, const struct medium *medium)
{
	expect_response(n, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(v.bytes + DATA + 512 * n,
			    medium->sectors + n % SECTORS * 512, 512);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
