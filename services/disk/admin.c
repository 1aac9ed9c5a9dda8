/* SPDX-License-Identifier: BSD-2-Clause */
/* See admin.h. */
#include "services/disk/admin.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define MESSAGES_MAX 16 /* at a time */
#define ANSWER_ROOM  ((long)(sizeof(uint32_t) + sizeof(struct disk_message)))

void admin_init(struct admin *admin, const struct admin_ops *ops, void *ctx,
		struct disk *disk, struct sources *sources,
		struct disk_control *memory, uint32_t start)
{
	memset(admin, 0, sizeof(*admin));
	admin->ops = ops;
	admin->ctx = ctx;
	admin->disk = disk;
	admin->sources = sources;
	admin->start = start;
	ring_init(&admin->in, &memory->to_disk, memory->to_disk_data,
		  DISK_CONTROL_SIZE, false, true);
	ring_init(&admin->out, &memory->from_disk, memory->from_disk_data,
		  DISK_CONTROL_SIZE, true, true);
}

/* ---- Answers ------------------------------------------------------------- */

static void ring_is_broken(struct admin *admin)
{
	if (!admin->is_said)
		disk_log(admin->disk, "init's ring is broken");
	admin->is_said = true;
}

/* There is room for an answer; if not, a doorbell was asked for. */
static bool has_room(struct admin *admin)
{
	long room;

	do {
		room = ring_space(&admin->out);
		if (room < 0)
			ring_is_broken(admin);
	} while (room >= 0 && room < ANSWER_ROOM && !ring_sleep(&admin->out));
	return room >= ANSWER_ROOM;
}

/* has_room() has said so. */
static void answer(struct admin *admin, struct disk_message *message)
{
	message->start = admin->start;
	if (ring_put(&admin->out, message, sizeof(*message),
		     &admin->is_bell_due) <= 0)
		ring_is_broken(admin);
}

static void answer_slot(struct admin *admin, enum disk_message_kind kind,
			unsigned slot, const char *reason)
{
	struct disk_message message;

	memset(&message, 0, sizeof(message));
	message.kind = kind;
	message.slot = slot;
	memcpy(message.reason, reason,
	       strnlen(reason, sizeof(message.reason) - 1));
	answer(admin, &message);
}

static void refuse(struct admin *admin, const struct disk_message *message,
		   const char *reason)
{
	struct disk_message refusal;

	memset(&refusal, 0, sizeof(refusal));
	refusal.kind = DISK_REFUSED;
	refusal.slot = message->slot;
	refusal.drive = message->drive;
	memcpy(refusal.reason, reason,
	       strnlen(reason, sizeof(refusal.reason) - 1));
	answer(admin, &refusal);
}

/* ---- Messages ------------------------------------------------------------ */

static void message_add_client(struct admin *admin,
			       struct disk_message *message)
{
	struct dma_window window[WINDOWS];
	struct disk_channel *channel = NULL;
	unsigned slot = message->slot;

	message->client.name[sizeof(message->client.name) - 1] = 0;
	if (slot && slot < DISK_SLOTS)
		channel = admin->ops->channel(admin->ctx, slot);
	if (!channel)
		refuse(admin, message, "there is no such channel");
	else if (admin->ops->window(admin->ctx, slot, window))
		refuse(admin, message, "its memory cannot be reached");
	else if (disk_client_add(admin->disk, slot, message->client.name,
				 admin->start, channel, window))
		refuse(admin, message, "the slot is taken");
}

static const char *unit_refusal(int error)
{
	switch (error) {
	case -ENOENT:
		return "there is no such client, or it was started";
	case -EEXIST:
		return "the client has a drive of that number";
	case -EROFS:
		return "the drive is read-only";
	case -ERANGE:
		return "it is not within the drive, or too large";
	default:
		return "it is not whole blocks, or its limits are too high";
	}
}

static void answer_added(struct admin *admin,
			 const struct disk_message *message)
{
	const struct disk_client *client =
		&admin->disk->client[message->slot - 1];
	const struct disk_unit *unit = &client->unit[message->drive];
	struct disk_message added;

	memset(&added, 0, sizeof(added));
	added.kind = DISK_ADDED;
	added.slot = message->slot;
	added.drive = message->drive;
	added.flags = unit_flags(admin->disk, unit);
	added.sector_count = unit->count;
	added.block_size = admin->disk->drive[unit->drive].info.block_size;
	answer(admin, &added);
}

static int drive_add(struct admin *admin, const struct disk_message *message,
		     char *reason)
{
	bool has_overlay = message->flags & DISK_ADD_OVERLAY;
	struct disk_unit_spec spec = {
		.is_read_only = message->flags & DISK_ADD_READ_ONLY,
		.has_overlay = has_overlay,
		.overlay_pages = message->add.overlay_pages,
		.limits = message->add.limits,
	};
	struct claim claim = { .slot = message->slot };
	int error = source_find(admin->sources, message->add.source,
				&claim.source, reason);
	int number;

	if (error)
		return error;
	spec.drive = claim.source.drive;
	spec.first = claim.source.first;
	spec.count = claim.source.count;
	claim.is_writer = !spec.is_read_only && !has_overlay;
	memcpy(claim.node, message->add.node, sizeof(claim.node));
	number = source_claim(admin->sources, &claim, reason);
	if (number < 0)
		return number;
	if (reason[0])
		disk_log(admin->disk, "%s", reason);
	error = disk_unit_add(admin->disk, message->slot, message->drive,
			      &spec);
	if (error) {
		source_unclaim(admin->sources, number);
		snprintf(reason, DISK_REASON_SIZE, "%s", unit_refusal(error));
	}
	return error;
}

static void message_add_drive(struct admin *admin, struct disk_message *message)
{
	char reason[DISK_REASON_SIZE];

	message->add.source[DISK_SOURCE_SIZE - 1] = 0;
	message->add.node[DISK_NODE_SIZE - 1] = 0;
	if (!message->slot || message->slot >= DISK_SLOTS)
		refuse(admin, message, unit_refusal(-ENOENT));
	else if (drive_add(admin, message, reason))
		refuse(admin, message, reason);
	else
		answer_added(admin, message);
}

static void message_remove(struct admin *admin,
			   const struct disk_message *message)
{
	unsigned slot = message->slot;

	if (!slot || slot >= DISK_SLOTS) {
		/* No client ever was there. */
		answer_slot(admin, DISK_REMOVED, slot, "");
	} else {
		admin->leaving |= BIT(slot);
		admin->cut &= ~BIT(slot);
		if (disk_client_remove(admin->disk, slot))
			admin->removed |= BIT(slot);
	}
}

static void message_handle(struct admin *admin, struct disk_message *message)
{
	switch (message->kind) {
	case DISK_ADD_CLIENT:
		message_add_client(admin, message);
		break;
	case DISK_ADD_DRIVE:
		message_add_drive(admin, message);
		break;
	case DISK_START:
		if (disk_client_start(admin->disk, message->slot))
			disk_log(admin->disk, "init starts slot %u",
				 message->slot);
		break;
	case DISK_REMOVE:
		message_remove(admin, message);
		break;
	case DISK_LIST:
		admin->is_listing = true;
		admin->list_drive = admin->list_index = 0;
		break;
	default:
		disk_log(admin->disk, "init's message %u is unknown",
			 message->kind);
	}
}

/* Those of before BEGIN were for a former disk. */
static void message_take(struct admin *admin, struct disk_message *message)
{
	if (message->kind == DISK_BEGIN)
		admin->has_begun |= message->start == admin->start;
	else if (admin->has_begun)
		message_handle(admin, message);
}

void admin_read(struct admin *admin)
{
	long n = 1;

	admin->is_again = false;
	for (unsigned i = 0; i < MESSAGES_MAX; i++) {
		struct disk_message message;

		if (admin->is_listing || !has_room(admin))
			return; /* admin_answer() comes back to it */
		n = ring_get(&admin->in, &message, sizeof(message),
			     &admin->is_bell_due);
		if (n == (long)sizeof(message))
			message_take(admin, &message);
		else if (n > 0)
			disk_log(admin->disk, "init's message is too short");
		else if (n < 0)
			ring_is_broken(admin);
		if (n < 0 || (!n && ring_sleep(&admin->in)))
			return;
	}
	admin->is_again = true;
}

/* ---- What is due --------------------------------------------------------- */

static void list_go_on(struct admin *admin)
{
	struct disk_message message;
	struct source source;

	while (admin->is_listing && has_room(admin)) {
		memset(&message, 0, sizeof(message));
		message.kind = DISK_LISTED;
		if (admin->list_drive >= admin->sources->drive_count) {
			message.kind = DISK_LIST_END;
			admin->is_listing = false;
			admin->is_again = true; /* messages wait for it */
		} else if (source_describe(admin->sources, admin->list_drive,
					   admin->list_index++, &source,
					   message.reason)) {
			message.drive = source.drive;
			message.partition = source.partition;
			message.sector_count = source.count;
		} else {
			admin->list_drive++;
			admin->list_index = 0;
			continue;
		}
		answer(admin, &message);
	}
}

static void slots_answer(struct admin *admin)
{
	uint64_t slots = admin->cut | admin->removed;

	/* An answer takes back what admin_read() may have asked for, a doorbell
	 * when there is room. */
	admin->is_again |= slots != 0 && has_room(admin);
	for (; slots; slots &= slots - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(slots);

		if (admin->cut & BIT(slot) && has_room(admin)) {
			answer_slot(admin, DISK_BROKEN, slot,
				    admin->broken[slot]);
			admin->cut &= ~BIT(slot);
		}
		if (admin->removed & BIT(slot) && has_room(admin)) {
			answer_slot(admin, DISK_REMOVED, slot, "");
			admin->removed &= ~BIT(slot);
		}
	}
}

void admin_answer(struct admin *admin)
{
	unsigned slot;

	while ((slot = disk_client_gone(admin->disk)))
		admin->removed |= BIT(slot);
	while (admin->removed & admin->leaving) {
		slot = (unsigned)__builtin_ctzll(admin->removed &
						 admin->leaving);
		admin->leaving &= ~BIT(slot);
		source_release(admin->sources, slot);
		admin->ops->detach(admin->ctx, slot);
	}
	slots_answer(admin);
	list_go_on(admin);
	if (admin->is_bell_due)
		admin->ops->doorbell(admin->ctx, DISK_CONTROL_SLOT);
	admin->is_bell_due = false;
}

void admin_broken(struct admin *admin, unsigned slot, const char *why)
{
	if (!slot || slot >= DISK_SLOTS)
		return;
	admin->cut |= BIT(slot);
	admin->broken[slot] = why;
}
