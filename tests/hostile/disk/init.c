/* SPDX-License-Identifier: BSD-2-Clause */
/* init: what an honest disk says to it, and what one does not. */
#include "tests/hostile/disk/disk.h"

#include "include/errno.h"
#include "lib/string.h"

#define BLOCK 512

static struct disk_control *memory(void)
{
	return gate_channel(DISK_CONTROL_SLOT);
}

static void bell(void)
{
	(void)gate_doorbell(DISK_CONTROL_SLOT);
}

struct fake_control fake_control(void)
{
	return (struct fake_control){
		.slot = DISK_CONTROL_SLOT,
		.memory = memory(),
		.size = sizeof(*memory()),
		.to = &memory()->to_disk,
		.from = &memory()->from_disk,
		.from_data = memory()->from_disk_data,
		.from_size = DISK_CONTROL_SIZE,
	};
}

uint32_t fake_life(void)
{
	const struct disk_argument *argument = gate_argument();

	return argument->start - 1;
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
static void garbage(struct self *self)
{
	struct disk_message message;
	struct control control;

	control_begin(&control);
	for (;;) {
		random_fill(self, &message, sizeof(message));
		message.kind = DISK_ADDED + (uint32_t)random_next(self) % 6;
		message.slot = (uint32_t)random_next(self) % 20;
		control_say(&control, &message);
	}
}

/*
 * One lie a life: what was not asked, of whom there is not, twice, by another's
 * name.
 */
static const struct disk_message lies[] = {
	{ .kind = DISK_ADDED, .slot = VICTIM_SLOT, .drive = 1 },
	{ .kind = DISK_REMOVED, .slot = VICTIM_SLOT },
	{ .kind = DISK_BROKEN, .slot = DISK_SLOTS },
	{ .kind = DISK_ADDED,
	  .slot = VICTIM_SLOT,
	  .sector_count = 2ULL * DRIVE_SECTORS },
};

static void answers(struct self *self)
{
	struct disk_message lie;
	struct control control;

	(void)self;
	control_connect(&control);
	lie = lies[evil.life];
	control_say(&control, &lie);
	/* Whoever hears a lie stops it. */
	spin_for_ever();
}

const struct fake fake_garbage = { 1, garbage };
const struct fake fake_answers = { ARRAY_SIZE(lies), answers };
