/* SPDX-License-Identifier: BSD-2-Clause */
/* Against init, by the control channel. */
#include "tests/hostile/disk/fake.h"

#include "include/errno.h"
#include "lib/string.h"

#define BLOCK 512

disk_attack_fn disk_garbage, disk_lengths, disk_scribble, disk_flicker,
	disk_bells, disk_silent, disk_answers, disk_crash;

static struct disk_control *memory(void)
{
	return gate_channel(DISK_CONTROL_SLOT);
}

static void bell(void)
{
	(void)gate_doorbell(DISK_CONTROL_SLOT);
}

/* ---- As an honest disk --------------------------------------------------- */

void control_begin(struct control *control)
{
	const struct disk_argument *argument = gate_argument();

	control->start = argument->start;
	control->is_started = control->is_holding = false;
	ring_init(&control->in, &memory()->to_disk, memory()->to_disk_data,
		  DISK_CONTROL_SIZE, false, true);
	ring_init(&control->out, &memory()->from_disk, memory()->from_disk_data,
		  DISK_CONTROL_SIZE, true, true);
}

void control_say(struct control *control, struct disk_message *message)
{
	bool is_wanted;

	message->start = control->start;
	(void)!ring_put(&control->out, message, sizeof(*message), &is_wanted);
	bell();
}

static void say_added(struct control *control,
		      const struct disk_message *message)
{
	struct disk_channel *channel = gate_channel(message->slot);
	struct disk_message added = {
		.kind = DISK_ADDED,
		.slot = message->slot,
		.drive = message->drive,
		.flags = DISK_DRIVE_PRESENT,
		.sector_count = DRIVE_SECTORS,
		.block_size = BLOCK,
	};

	channel->drive[message->drive % DISK_DRIVES] = (struct disk_drive_info){
		.sector_count = DRIVE_SECTORS,
		.block_size = BLOCK,
		.flags = DISK_DRIVE_PRESENT,
	};
	control_say(control, &added);
}

void control_serve(struct control *control)
{
	struct disk_message message;
	bool is_wanted;

	while (ring_get(&control->in, &message, sizeof(message), &is_wanted) >
	       0) {
		struct disk_message removed = {
			.kind = DISK_REMOVED,
			.slot = message.slot,
		};

		if (message.kind == DISK_ADD_DRIVE)
			say_added(control, &message);
		else if (message.kind == DISK_START)
			control->is_started = true;
		else if (message.kind == DISK_REMOVE && !control->is_holding)
			control_say(control, &removed);
	}
}

void control_connect(struct control *control)
{
	control_begin(control);
	for (;;) {
		control_serve(control);
		if (control->is_started)
			break;
		if (ring_sleep(&control->in))
			(void)gate_wait();
	}
	evil.end_ns = now_ns() + evil.duration_ns;
}

/* ---- Not as one ---------------------------------------------------------- */

/* Records of the right size that answer nothing. */
bool disk_garbage(struct self *self, uint32_t life)
{
	struct disk_message message;
	struct control control;

	if (life)
		return false;
	control_begin(&control);
	for (;;) {
		uint8_t *bytes = (uint8_t *)&message;

		for (unsigned i = 0; i < sizeof(message); i++)
			bytes[i] = (uint8_t)random_next(self);
		message.kind = DISK_ADDED + (uint32_t)random_next(self) % 6;
		message.slot = (uint32_t)random_next(self) % 20;
		control_say(&control, &message);
	}
}

/* Records that are longer than what is there, and of any length. */
bool disk_lengths(struct self *self, uint32_t life)
{
	uint32_t *data = (uint32_t *)memory()->from_disk_data;

	if (life)
		return false;
	for (unsigned i = 0; i < DISK_CONTROL_SIZE / sizeof(*data); i++)
		data[i] = (uint32_t)random_next(self) | 1;
	store(&memory()->from_disk.produced, DISK_CONTROL_SIZE / 2);
	bell();
	spin_for_ever();
	return true;
}

/* Everything that init reads, all the time. */
bool disk_scribble(struct self *self, uint32_t life)
{
	if (life)
		return false;
	for (;;) {
		scribble(self, memory(), sizeof(*memory()));
		bell();
	}
}

/* Counters that go to and fro between nothing and too little. */
bool disk_flicker(struct self *self, uint32_t life)
{
	(void)self;
	if (life)
		return false;
	for (uint32_t i = 0;; i++) {
		store(&memory()->to_disk.consumed, -(uint64_t)(i % 3));
		store(&memory()->from_disk.produced, i % 3);
		if (i % 1024 == 0)
			bell();
	}
}

/* No time for anybody else in init, if bells could do that. */
bool disk_bells(struct self *self, uint32_t life)
{
	if (life)
		return false;
	while (goes_on(self))
		for (unsigned i = 0; i < 64; i++)
			bell();
	crash();
}

/* Answers nothing, and never ends by itself. */
bool disk_silent(struct self *self, uint32_t life)
{
	(void)self;
	if (life)
		return false;
	spin_for_ever();
	return true;
}

/* Dies at once, some times in a row. */
bool disk_crash(struct self *self, uint32_t life)
{
	(void)self;
	if (life == 2)
		return false;
	crash();
}

/*
 * One lie a life: what was not asked, of whom there is not, twice, by another's
 * name.
 */
bool disk_answers(struct self *self, uint32_t life)
{
	static const struct disk_message lies[] = {
		{ .kind = DISK_ADDED, .slot = VICTIM_SLOT, .drive = 1 },
		{ .kind = DISK_REMOVED, .slot = VICTIM_SLOT },
		{ .kind = DISK_BROKEN, .slot = DISK_SLOTS },
		{ .kind = DISK_ADDED,
		  .slot = VICTIM_SLOT,
		  .sector_count = 2ULL * DRIVE_SECTORS },
	};
	struct disk_message lie;
	struct control control;

	(void)self;
	if (life >= ARRAY_SIZE(lies))
		return false;
	control_connect(&control);
	lie = lies[life];
	control_say(&control, &lie);
	/* Whoever hears a lie stops it. */
	spin_for_ever();
	return true;
}
