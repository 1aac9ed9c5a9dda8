/* SPDX-License-Identifier: BSD-2-Clause */
/* init's end of the channel that it has with the service disk. */
#ifndef BULKHEAD_TESTS_DISK_CONTROL_TEST_H
#define BULKHEAD_TESTS_DISK_CONTROL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "include/disk.h"

struct control_end {
	struct ring to_disk, from_disk;
};

static inline void control_begin(struct control_end *end,
				 struct disk_control *memory)
{
	ring_init(&end->to_disk, &memory->to_disk, memory->to_disk_data,
		  DISK_CONTROL_SIZE, true, false);
	ring_init(&end->from_disk, &memory->from_disk, memory->from_disk_data,
		  DISK_CONTROL_SIZE, false, false);
}

/* True: disk waits for the doorbell. */
static inline bool control_say(struct control_end *end,
			       const struct disk_message *message)
{
	bool is_wanted = false;

	assert_true(ring_put(&end->to_disk, message, sizeof(*message),
			     &is_wanted) > 0);
	return is_wanted;
}

/* There is one. */
static inline struct disk_message control_hear(struct control_end *end)
{
	struct disk_message message;
	bool is_wanted = false;

	assert_int_equal(ring_get(&end->from_disk, &message, sizeof(message),
				  &is_wanted),
			 sizeof(message));
	return message;
}

static inline bool control_is_silent(struct control_end *end)
{
	return ring_space(&end->from_disk) == 0;
}

/* Without a drive; the client's name is "m" and its number, from 0 on. */
static inline struct disk_message control_message(enum disk_message_kind kind,
						  uint64_t start, unsigned slot)
{
	struct disk_message message = { .kind = kind,
					.slot = slot,
					.start = start };

	if (kind == DISK_ADD_CLIENT)
		snprintf(message.client.name, sizeof(message.client.name),
			 "m%u", slot - 1);
	return message;
}

static inline struct disk_message
control_drive(unsigned slot, unsigned drive, const char *source, uint32_t flags)
{
	struct disk_message message = { .kind = DISK_ADD_DRIVE,
					.slot = slot,
					.drive = drive,
					.flags = flags };

	message.add.overlay_pages = 100;
	snprintf(message.add.source, sizeof(message.add.source), "%s", source);
	snprintf(message.add.node, sizeof(message.add.node),
		 "/guests/m%u/disk%u", slot - 1, drive);
	return message;
}

#endif
