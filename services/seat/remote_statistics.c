/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a running guest, as remote.h's clients get it: what init has
 * charged it for, asked first, and what its machine has counted.
 */
#include "services/seat/remote.h"

#include "lib/printf.h"
#include "lib/string.h"

/* As an array's inside. */
static void numbers_print(char *text, size_t size, const uint64_t *number,
			  unsigned count)
{
	size_t length = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, size - length,
					   "%s%lu", i ? "," : "", number[i]);
}

/* The longest array of so many. */
#define NUMBERS(count) ((count)*21 + 1)

/* Without zeros at its end. */
static void exits_print(char text[NUMBERS(FACE_EXITS)], const uint64_t *number)
{
	unsigned count = FACE_EXITS;

	while (count && !number[count - 1])
		count--;
	numbers_print(text, NUMBERS(FACE_EXITS), number, count);
}

/* One member of each drive that there is. */
static void disks_print(char text[NUMBERS(FACE_DISKS)],
			const struct face_statistics *numbers, size_t member)
{
	uint64_t number[FACE_DISKS];
	unsigned count = 0;

	for (unsigned unit = 0; unit < FACE_DISKS; unit++)
		if (numbers->disks & BIT(unit))
			memcpy(&number[count++],
			       (const char *)&numbers->disk[unit] + member,
			       sizeof(number[0]));
	numbers_print(text, NUMBERS(FACE_DISKS), number, count);
}

static void units_print(char text[NUMBERS(FACE_DISKS)], uint32_t disks)
{
	uint64_t number[FACE_DISKS];
	unsigned count = 0;

	for (unsigned unit = 0; unit < FACE_DISKS; unit++)
		if (disks & BIT(unit))
			number[count++] = unit;
	numbers_print(text, NUMBERS(FACE_DISKS), number, count);
}

/* Of each vCPU how long it ran, and how long it waited. */
static void time_print(char run[NUMBERS(FACE_VCPUS)],
		       char idle[NUMBERS(FACE_VCPUS)],
		       const struct face_statistics *numbers)
{
	unsigned count = MIN(numbers->vcpus, FACE_VCPUS);
	uint64_t ticks[FACE_VCPUS];

	for (unsigned i = 0; i < count; i++)
		ticks[i] = numbers->lived - numbers->idle[i];
	numbers_print(run, NUMBERS(FACE_VCPUS), ticks, count);
	numbers_print(idle, NUMBERS(FACE_VCPUS), numbers->idle, count);
}

struct texts {
	char run[NUMBERS(FACE_VCPUS)], idle[NUMBERS(FACE_VCPUS)];
	char exits[NUMBERS(FACE_EXITS)], ticks[NUMBERS(FACE_EXITS)];
	char units[NUMBERS(FACE_DISKS)], requests[NUMBERS(FACE_DISKS)];
	char read[NUMBERS(FACE_DISKS)], written[NUMBERS(FACE_DISKS)];
	char errors[NUMBERS(FACE_DISKS)];
	char balloon[sizeof(",\"balloon\":[],\"balloon_statistics\":[]") +
		     NUMBERS(2) + NUMBERS(FACE_BALLOON_STATS)];
};

/* Of guests that have one. */
static void balloon_print(struct texts *texts,
			  const struct face_statistics *numbers)
{
	const uint64_t size[] = { numbers->balloon_target,
				  numbers->balloon_actual };
	char sizes[NUMBERS(2)], all[NUMBERS(FACE_BALLOON_STATS)];

	texts->balloon[0] = '\0';
	if (!numbers->has_balloon)
		return;
	numbers_print(sizes, sizeof(sizes), size, ARRAY_SIZE(size));
	numbers_print(all, sizeof(all), numbers->balloon, FACE_BALLOON_STATS);
	(void)snprintf(texts->balloon, sizeof(texts->balloon),
		       ",\"balloon\":[%s],\"balloon_statistics\":[%s]", sizes,
		       all);
}

static void all_print(struct texts *texts,
		      const struct face_statistics *numbers)
{
	balloon_print(texts, numbers);
	time_print(texts->run, texts->idle, numbers);
	exits_print(texts->exits, numbers->exits);
	exits_print(texts->ticks, numbers->ticks);
	units_print(texts->units, numbers->disks);
	disks_print(texts->requests, numbers,
		    offsetof(struct face_disk, requests));
	disks_print(texts->read, numbers,
		    offsetof(struct face_disk, sectors_read));
	disks_print(texts->written, numbers,
		    offsetof(struct face_disk, sectors_written));
	disks_print(texts->errors, numbers, offsetof(struct face_disk, errors));
}

static void counted(void *ctx, uint32_t id, const struct face_record *record,
		    int error)
{
	const struct face_statistics *numbers = (const void *)record;
	struct remote *remote = ctx;
	struct texts texts;

	remote->counts--;
	if (error) {
		remote_answer(remote, id, error, "the machine");
		return;
	}
	all_print(&texts, numbers);
	remote_say(remote,
		   "{\"id\":%u,\"ok\":true,\"paused\":%s,\"vcpus\":%u,"
		   "\"tsc_hz\":%lu,\"run\":[%s],\"idle\":[%s],"
		   "\"ram\":%lu,\"charged\":%lu,"
		   "\"inputs\":%u,\"frames\":%lu,\"pixels\":%lu,"
		   "\"exits\":[%s],\"ticks\":[%s],"
		   "\"disk_units\":[%s],\"disk_requests\":[%s],"
		   "\"disk_read\":[%s],\"disk_written\":[%s],"
		   "\"disk_errors\":[%s]%s}",
		   id, numbers->is_paused ? "true" : "false", numbers->vcpus,
		   numbers->tsc_hz, texts.run, texts.idle,
		   remote->faces->note[0], remote->faces->note[1],
		   numbers->keys, numbers->frames, numbers->pixels, texts.exits,
		   texts.ticks, texts.units, texts.requests, texts.read,
		   texts.written, texts.errors, texts.balloon);
}

/* init's answer: then the machine is asked, if it is still there. */
static void accounted(void *ctx, uint32_t id,
		      const struct seat_message *message)
{
	struct remote *remote = ctx;
	struct face_ask ask = {
		.answer = counted,
		.ctx = remote,
		.id = id,
		.note = { message->ram, message->charged },
	};
	char name[GATE_NAME_SIZE];
	int slot;

	(void)snprintf(name, sizeof(name), "%.*s", GATE_NAME_SIZE - 1,
		       message->name);
	slot = message->text[0] ? -ENOENT : mux_find(remote->mux, name);
	if (slot >= 0 && remote->counts == REMOTE_COUNTS)
		slot = -EBUSY;
	if (slot >= 0)
		slot = faces_ask(remote->faces, (unsigned)slot, 0, 0, &ask);
	if (slot < 0)
		remote_answer(remote, id, slot, name);
	else
		remote->counts++;
}

int remote_statistics(struct remote *remote, const struct request *request)
{
	struct ask ask = {
		.told = accounted,
		.ctx = remote,
		.id = request->id,
		.verb = SEAT_ACCOUNT,
	};

	memcpy(ask.name, request->guest, sizeof(ask.name));
	return asks_add(remote->asks, &ask);
}
