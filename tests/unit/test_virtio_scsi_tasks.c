/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices/virtio_scsi*.c: task management, events, resets meanwhile, packed
 * rings and what it is told at its start.
 */
#include "tests/unit/virtio_scsi_test.h"

/* ---- Task management ----------------------------------------------------- */

static uint16_t tmf_send(uint32_t function, unsigned target, unsigned unit,
			 uint64_t tag)
{
	struct virtio_scsi_tmf tmf = {
		.function = function,
		.lun = { 1, (uint8_t)target, VIRTIO_SCSI_FLAT, (uint8_t)unit },
	};

	memcpy(tmf.tag, &tag, sizeof(tag));
	memcpy(v.bytes + CONTROL, &tmf, sizeof(tmf));
	v.bytes[CONTROL + 0x100] = 0xee;
	vt_out(CONTROL, sizeof(tmf));
	vt_in(CONTROL + 0x100, 1);
	return send(VIRTIO_SCSI_CONTROL);
}

static uint8_t tmf(uint32_t function, unsigned target, unsigned unit,
		   uint64_t tag)
{
	uint16_t id = tmf_send(function, target, unit, tag);

	assert_int_equal(vt_expect(VIRTIO_SCSI_CONTROL, id), 1);
	return v.bytes[CONTROL + 0x100];
}

static void test_abort(void **state)
{
	uint16_t id[3];

	(void)state;
	d.disk.is_late = true;
	for (unsigned i = 0; i < 3; i++)
		id[i] = read_one(REQUESTS, i, DISK);
	assert_int_equal(tmf(VIRTIO_SCSI_QUERY_TASK, DISK, 0, 1),
			 VIRTIO_SCSI_SUCCEEDED);
	assert_int_equal(tmf(VIRTIO_SCSI_QUERY_TASK, DISK, 0, 7),
			 VIRTIO_SCSI_OK);
	/* One that waits, one that is not there, the one in hand. */
	assert_int_equal(tmf(VIRTIO_SCSI_ABORT_TASK, DISK, 0, 1),
			 VIRTIO_SCSI_OK);
	(void)vt_expect(REQUESTS, id[1]);
	expect_response(1, VIRTIO_SCSI_ABORTED, SCSI_GOOD, 512);
	assert_int_equal(tmf(VIRTIO_SCSI_ABORT_TASK, DISK, 0, 1),
			 VIRTIO_SCSI_OK);
	assert_int_equal(tmf(VIRTIO_SCSI_ABORT_TASK, DISK_2, 0, 0),
			 VIRTIO_SCSI_OK);
	vt_expect_none(REQUESTS);
	assert_int_equal(d.disk.cancelled, 0);
	assert_int_equal(tmf(VIRTIO_SCSI_ABORT_TASK, DISK, 0, 0),
			 VIRTIO_SCSI_OK);
	(void)vt_expect(REQUESTS, id[0]);
	expect_response(0, VIRTIO_SCSI_ABORTED, SCSI_GOOD, 512);
	assert_int_equal(d.disk.cancelled, 1);
	/* The next waits until the medium has let go. */
	assert_int_equal(d.disk.requests, 1);
	memset(v.bytes + DATA, 0xee, 512);
	held_end(&d.disk);
	assert_int_equal(v.bytes[DATA], 0xee);
	vt_expect_none(REQUESTS);
	held_end(&d.disk);
	(void)vt_expect(REQUESTS, id[2]);
	expect_read(2, &d.disk);
	assert_int_equal(tmf(VIRTIO_SCSI_QUERY_TASK_SET, DISK, 0, 0),
			 VIRTIO_SCSI_OK);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
}

static void test_unit_reset(void **state)
{
	static const uint32_t functions[] = { VIRTIO_SCSI_ABORT_TASK_SET,
					      VIRTIO_SCSI_CLEAR_TASK_SET,
					      VIRTIO_SCSI_UNIT_RESET,
					      VIRTIO_SCSI_NEXUS_RESET };
	uint16_t id[4];

	(void)state;
	d.disk.is_late = true;
	for (unsigned f = 0; f < ARRAY_SIZE(functions); f++) {
		uint8_t response =
			f < 2 ? VIRTIO_SCSI_ABORTED : VIRTIO_SCSI_RESET;

		for (unsigned i = 0; i < 3; i++)
			id[i] = read_one(REQUESTS, i, DISK);
		assert_int_equal(tmf(VIRTIO_SCSI_QUERY_TASK_SET, DISK, 0, 0),
				 VIRTIO_SCSI_SUCCEEDED);
		/* One that nobody was told of yet. */
		BEGIN(3, DISK, "\0\0\0\0\0\0");
		respond_at(3);
		id[3] = vt_add(REQUESTS + 1);
		assert_int_equal(tmf(functions[f], DISK, 0, 0), VIRTIO_SCSI_OK);
		(void)vt_expect(REQUESTS + 1, id[3]);
		for (unsigned i = 3; i-- > 0;)
			(void)vt_expect(REQUESTS, id[i]);
		for (unsigned i = 0; i < 4; i++)
			expect_response(i, response, SCSI_GOOD,
					i < 3 ? 512 : 0);
		held_end(&d.disk);
		assert_true(virtio_scsi_ops.is_idle(&d.scsi));
	}
	/* What it locked is not locked any more. */
	ASK(CD, "\x1e\0\0\0\1\0", 0);
	ASK(CD, "\x1b\0\0\0\2\0", 0);
	assert_int_equal(response_of(0)->status, SCSI_CHECK_CONDITION);
	assert_int_equal(tmf(VIRTIO_SCSI_UNIT_RESET, CD, 0, 0), VIRTIO_SCSI_OK);
	ASK(CD, "\x1b\0\0\0\2\0", 0);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
}

/* All places are taken by others' requests: what is asked for may be behind
 * them. */
static void test_held(void **state)
{
	uint16_t control, id;
	uint32_t found, length;

	(void)state;
	init(2);
	start(VT_DEFAULT | VIRTIO_F_INDIRECT_DESC, 128);
	d.disk.is_late = true;
	for (unsigned i = 0; i < VIRTIO_SCSI_PLACES; i++) {
		BEGIN(i, DISK, "\x28\0\0\0\0\0\0\0\1\0");
		respond_at(i);
		vt_in(DATA + 512 * i, 512);
		vt_add_indirect(REQUESTS, TABLE + 64 * i);
	}
	vt_kick(REQUESTS);
	id = read_one(REQUESTS + 1, 100, DISK_2);
	d.disk_2.is_late = true;
	control = tmf_send(VIRTIO_SCSI_UNIT_RESET, DISK_2, 0, 0);
	vt_expect_none(VIRTIO_SCSI_CONTROL);
	assert_false(virtio_scsi_ops.is_idle(&d.scsi));
	/* One has a place, the other is aborted. */
	held_end(&d.disk);
	(void)vt_expect(VIRTIO_SCSI_CONTROL, control);
	assert_int_equal(v.bytes[CONTROL + 0x100], VIRTIO_SCSI_OK);
	(void)vt_expect(REQUESTS + 1, id);
	expect_response(100, VIRTIO_SCSI_RESET, SCSI_GOOD, 512);
	/* Those that hold the places go at once. */
	control = tmf_send(VIRTIO_SCSI_UNIT_RESET, DISK, 0, 0);
	(void)vt_expect(VIRTIO_SCSI_CONTROL, control);
	for (unsigned i = 0; i < VIRTIO_SCSI_PLACES; i++)
		assert_true(vt_take(REQUESTS, &found, &length));
	expect_response(63, VIRTIO_SCSI_RESET, SCSI_GOOD, 512);
	held_end(&d.disk);
	held_end(&d.disk_2);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
	/* A reset forgets it. */
	for (unsigned i = 0; i < VIRTIO_SCSI_PLACES + 1; i++) {
		BEGIN(i, DISK, "\x28\0\0\0\0\0\0\0\1\0");
		respond_at(i);
		vt_in(DATA + 512 * i, 512);
		vt_add_indirect(REQUESTS, TABLE + 64 * i);
	}
	vt_kick(REQUESTS);
	(void)tmf_send(VIRTIO_SCSI_ABORT_TASK, DISK_2, 0, 9);
	vt_expect_none(VIRTIO_SCSI_CONTROL);
	start(VT_DEFAULT, 64);
	held_end(&d.disk);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
	vt_expect_none(VIRTIO_SCSI_CONTROL);
}

static void test_refused(void **state)
{
	static const uint32_t types[] = { 3, 0xffffffff };
	uint16_t id;

	(void)state;
	assert_int_equal(tmf(VIRTIO_SCSI_UNIT_RESET, 1, 0, 0),
			 VIRTIO_SCSI_BAD_TARGET);
	assert_int_equal(tmf(VIRTIO_SCSI_UNIT_RESET, DISK, 1, 0),
			 VIRTIO_SCSI_INCORRECT_LUN);
	assert_int_equal(tmf(2, DISK, 0, 0), VIRTIO_SCSI_REJECTED);
	assert_int_equal(tmf(8, DISK, 0, 0), VIRTIO_SCSI_REJECTED);
	assert_int_equal(tmf(~0U, DISK, 0, 0), VIRTIO_SCSI_REJECTED);
	/* Too short, or nothing that there is: returned as it came. */
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		memcpy(v.bytes + CONTROL, &types[i], 4);
		vt_out(CONTROL, 24);
		vt_in(CONTROL + 0x100, 1);
		id = send(VIRTIO_SCSI_CONTROL);
		assert_int_equal(vt_expect(VIRTIO_SCSI_CONTROL, id), 0);
	}
	memset(v.bytes + CONTROL, 0, 24);
	for (uint32_t length = 1; length < 24; length += 11) {
		vt_out(CONTROL, length);
		vt_in(CONTROL + 0x100, 1);
		id = send(VIRTIO_SCSI_CONTROL);
		assert_int_equal(vt_expect(VIRTIO_SCSI_CONTROL, id), 0);
	}
	vt_out(CONTROL, 24);
	id = send(VIRTIO_SCSI_CONTROL);
	assert_int_equal(vt_expect(VIRTIO_SCSI_CONTROL, id), 0);
}

/* ---- Media and events ---------------------------------------------------- */

static uint32_t notify(uint32_t type, unsigned target, uint32_t wanted,
		       uint8_t response)
{
	const struct virtio_scsi_notification asked = {
		.type = type,
		.lun = { 1, (uint8_t)target, VIRTIO_SCSI_FLAT },
		.wanted = wanted,
	};
	uint32_t there;

	memcpy(v.bytes + CONTROL, &asked, sizeof(asked));
	memset(v.bytes + CONTROL + 0x100, 0xee, 5);
	vt_out(CONTROL, sizeof(asked));
	vt_in(CONTROL + 0x100, 5);
	assert_int_equal(
		vt_expect(VIRTIO_SCSI_CONTROL, send(VIRTIO_SCSI_CONTROL)), 5);
	assert_int_equal(v.bytes[CONTROL + 0x104], response);
	memcpy(&there, v.bytes + CONTROL + 0x100, sizeof(there));
	return there;
}

static uint16_t event_room(void)
{
	memset(v.bytes + EVENTS, 0xee, 16);
	vt_in(EVENTS, 16);
	return send(VIRTIO_SCSI_EVENTS);
}

static void expect_event(uint16_t id, uint32_t event, uint32_t reason)
{
	struct virtio_scsi_event got;

	assert_int_equal(vt_expect(VIRTIO_SCSI_EVENTS, id), 16);
	memcpy(&got, v.bytes + EVENTS, sizeof(got));
	assert_int_equal(got.event, event);
	assert_int_equal(got.reason, reason);
	if (reason)
		assert_memory_equal(got.lun, "\1\5\x40\0\0\0\0\0", 8);
}

static void test_events(void **state)
{
	uint16_t id;

	(void)state;
	assert_int_equal(notify(VIRTIO_SCSI_AN_QUERY, CD, 0xff, 0), 16);
	assert_int_equal(notify(VIRTIO_SCSI_AN_SUBSCRIBE, DISK, 0xff, 0), 0);
	assert_int_equal(
		notify(VIRTIO_SCSI_AN_QUERY, 7, 0xff, VIRTIO_SCSI_BAD_TARGET),
		0);
	id = event_room();
	/* Nobody has subscribed. */
	assert_int_equal(virtio_scsi_medium_change(&d.scsi, CD, NULL), 0);
	vt_expect_none(VIRTIO_SCSI_EVENTS);
	assert_int_equal(notify(VIRTIO_SCSI_AN_SUBSCRIBE, CD, 0x12, 0), 16);
	assert_int_equal(
		virtio_scsi_medium_change(&d.scsi, CD, &d.disc_2.backend), 0);
	expect_event(id, VIRTIO_SCSI_EVENT_NOTIFICATION, 16);
	/* No room: it is missed, and said with the next room. */
	assert_int_equal(virtio_scsi_medium_change(&d.scsi, CD, NULL), 0);
	id = event_room();
	expect_event(id, VIRTIO_SCSI_EVENTS_MISSED, 0);
	id = event_room();
	vt_expect_none(VIRTIO_SCSI_EVENTS);
	assert_int_equal(notify(VIRTIO_SCSI_AN_SUBSCRIBE, CD, 0, 0), 0);
	assert_int_equal(
		virtio_scsi_medium_change(&d.scsi, CD, &d.disc.backend), 0);
	vt_expect_none(VIRTIO_SCSI_EVENTS);
	assert_int_equal(virtio_scsi_medium_change(&d.scsi, DISK, NULL),
			 -ENODEV);
	assert_int_equal(virtio_scsi_medium_change(&d.scsi, 1, NULL), -ENODEV);
	assert_int_equal(virtio_scsi_medium_change(&d.scsi, 8, NULL), -ENODEV);
}

static uint16_t event_room_wanted(void)
{
	uint16_t id;

	vt_in(EVENTS, 16);
	id = vt_add(VIRTIO_SCSI_EVENTS);
	vt_kick_wanted(VIRTIO_SCSI_EVENTS);
	return id;
}

/* A driver that kicks when it is asked to: what was missed asks for that. */
static void test_events_missed(void **state)
{
	uint16_t id;

	(void)state;
	assert_int_equal(notify(VIRTIO_SCSI_AN_SUBSCRIBE, CD, 0x12, 0), 16);
	for (unsigned i = 0; i < 3; i++) {
		id = event_room_wanted();
		assert_int_equal(virtio_scsi_medium_change(&d.scsi, CD, NULL),
				 0);
		expect_event(id, VIRTIO_SCSI_EVENT_NOTIFICATION, 16);
		assert_int_equal(
			virtio_scsi_medium_change(&d.scsi, CD, &d.disc.backend),
			0);
		id = event_room_wanted();
		expect_event(id, VIRTIO_SCSI_EVENTS_MISSED, 0);
	}
}

static void test_media(void **state)
{
	(void)state;
	assert_int_equal(virtio_scsi_medium_change(&d.scsi, CD, NULL), 0);
	ASK(CD, "\0\0\0\0\0\0", 0);
	expect_sense(0, 2, 0x3a);
	assert_int_equal(
		virtio_scsi_medium_change(&d.scsi, CD, &d.disc_2.backend), 0);
	ASK(CD, "\0\0\0\0\0\0", 0);
	expect_sense(0, 6, 0x28);
	ASK(CD, "\x28\0\0\0\0\0\0\0\1\0", 2048);
	expect_response(0, VIRTIO_SCSI_OK, SCSI_GOOD, 0);
	assert_memory_equal(v.bytes + DATA, d.disc_2.sectors, 2048);
}

/* ---- Resets -------------------------------------------------------------- */

static void test_reset(void **state)
{
	uint16_t id;

	(void)state;
	d.disk.is_late = d.disc.is_late = true;
	read_one(REQUESTS, 0, DISK);
	read_one(REQUESTS, 1, DISK);
	BEGIN(2, CD, "\x28\0\0\0\0\0\0\0\1\0");
	respond_at(2);
	vt_in(DATA + 0x8000, 2048);
	send(REQUESTS + 1);
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	/* No backend has the guest's memory. */
	assert_int_equal(vt_status(), 0);
	assert_int_equal(d.disk.cancelled, 1);
	memset(v.bytes + DATA, 0xee, 512);
	held_end(&d.disc);
	start(VT_DEFAULT, 64);
	id = read_one(REQUESTS, 3, DISK);
	vt_expect_none(REQUESTS);
	held_end(&d.disk);
	vt_expect_none(REQUESTS);
	held_end(&d.disk);
	(void)vt_expect(REQUESTS, id);
	expect_read(3, &d.disk);
	assert_int_equal(v.bytes[DATA], 0xee);
	assert_int_equal(response_of(0)->response, 0xee);
	assert_int_equal(response_of(2)->response, 0xee);
	/* The board's. */
	read_one(REQUESTS, 4, DISK);
	device_reset(&d.scsi.device);
	vt_plug();
	assert_int_equal(vt_status(), 0);
	held_end(&d.disk);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
	assert_int_equal(response_of(4)->response, 0xee);
}

/* One queue alone: the requests of the other one go on. */
static void test_queue_reset(void **state)
{
	uint16_t id;

	(void)state;
	start(VT_DEFAULT | VIRTIO_F_RING_RESET, 64);
	d.disk.is_late = true;
	read_one(REQUESTS, 0, DISK);
	id = read_one(REQUESTS + 1, 1, DISK);
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, REQUESTS);
	vt_set(VIRTIO_COMMON_QUEUE_RESET, 2, 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_RESET, 2), 0);
	held_end(&d.disk);
	held_end(&d.disk);
	(void)vt_expect(REQUESTS + 1, id);
	expect_read(1, &d.disk);
	assert_int_equal(response_of(0)->response, 0xee);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
}

/* Of media that are done at once: others have their turn in between. */
static void test_run_ends(void **state)
{
	unsigned ids = 0;

	(void)state;
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	start(VT_DEFAULT | VIRTIO_F_INDIRECT_DESC, VIRTIO_QUEUE_SIZE);
	for (; ids < 100; ids++) {
		BEGIN(0, DISK, "\0\0\0\0\0\0");
		respond_at(0);
		(void)vt_add(REQUESTS);
	}
	vt_kick(REQUESTS);
	assert_false(virtio_scsi_ops.is_idle(&d.scsi));
	bench_step(&v.b, 10);
	assert_true(virtio_scsi_ops.is_idle(&d.scsi));
	assert_null(v.b.clock.first);
}

static void test_packed(void **state)
{
	uint16_t id;

	(void)state;
	start(VT_DEFAULT | VIRTIO_F_RING_PACKED, 8);
	d.disk.is_late = true;
	for (unsigned i = 0; i < 20; i++) {
		id = read_one(REQUESTS, i, DISK);
		held_end(&d.disk);
		(void)vt_expect(REQUESTS, id);
		expect_read(i, &d.disk);
	}
	assert_int_equal(tmf(VIRTIO_SCSI_ABORT_TASK, DISK, 0, 0),
			 VIRTIO_SCSI_OK);
}

static void test_config(void **state)
{
	struct virtio_scsi_config config = {
		.pci = &v.pci,
		.devfn = VT_DEVFN,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.queues = VIRTIO_SCSI_QUEUES_MAX + 1,
	};

	(void)state;
	assert_int_equal(virtio_scsi_init(&d.scsi, &config), -EINVAL);
	config.queues = 1;
	config.drive[2].backend = &d.disk.backend;
	d.disk.backend.sector_count = 0;
	assert_int_equal(virtio_scsi_init(&d.scsi, &config), -EINVAL);
	config.drive[2].is_cdrom = true;
	assert_int_equal(virtio_scsi_init(&d.scsi, &config), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_abort),	TEST(test_unit_reset),
		TEST(test_held),	TEST(test_refused),
		TEST(test_events),	TEST(test_events_missed),
		TEST(test_media),	TEST(test_reset),
		TEST(test_queue_reset), TEST(test_packed),
		TEST(test_run_ends),	TEST(test_config),
	};

	return cmocka_run_group_tests_name("virtio_scsi_tasks", tests, NULL,
					   NULL);
}
