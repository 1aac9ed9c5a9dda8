/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cores of guests for a client: docs/control.md, "dump".
 *
 * A guest stands while its core is on the way, so that nothing of it may wait
 * where it keeps others from being heard: its machine sends what there is room
 * for in the link, and the client says what it has taken.
 */
#include "include/errno.h"
#include "lib/string.h"
#include "services/seat/remote.h"

struct head {
	uint32_t number, reserved;
	uint64_t offset;
};
_Static_assert(8 + sizeof(struct head) <= 32, "as REMOTE_ANSWERS has it");

static void gone(struct remote *remote, uint32_t id, const char *reason)
{
	remote_say(remote, "{\"id\":%u,\"event\":\"gone\",\"reason\":\"%s\"}",
		   id, reason);
}

static void begin(void *ctx, uint32_t id, uint64_t size)
{
	struct remote *remote = ctx;

	remote->dump.has_begun = true;
	remote->is_again = true;
	remote_say(remote, "{\"id\":%u,\"ok\":true,\"size\":%lu}", id, size);
}

static void core(void *ctx, uint32_t id, const struct face_core *core,
		 size_t length)
{
	struct remote *remote = ctx;
	const struct head head = {
		.number = remote->dump.sent++,
		.offset = core->offset,
	};

	remote_binary(remote, id, REMOTE_CORE,
		      (uint32_t)(sizeof(head) + length));
	link_add(&remote->link, &head, sizeof(head));
	link_add(&remote->link, core->byte, length);
	link_end(&remote->link);
	remote->is_again = true;
}

static void refuse(struct remote *remote, uint32_t id, int error,
		   const char *what)
{
	if (error == -EEXIST)
		remote_refuse(remote, id, "busy", what,
			      "a dump is under way: later");
	else
		remote_answer(remote, id, error, what);
}

static void end(void *ctx, uint32_t id, int reason)
{
	struct remote *remote = ctx;
	bool has_begun = remote->dump.has_begun;
	const char *why = "broken";

	remote->dump.id = 0;
	if (reason == FACE_DUMP_RESUMED)
		why = "resumed";
	else if (reason == FACE_DUMP_RESET)
		why = "reset";
	else if (reason == -EPIPE)
		why = "ended";
	if (has_begun && reason == FACE_DUMP_DONE)
		remote_say(remote,
			   "{\"id\":%u,\"event\":\"done\",\"frames\":%u}", id,
			   remote->dump.sent);
	else if (has_begun)
		gone(remote, id, why);
	else if (reason > 0)
		remote_refuse(remote, id, "refused", "the machine", why);
	else
		refuse(remote, id, reason, "the machine");
}

static const struct face_dump_ops ops = {
	.begin = begin,
	.core = core,
	.end = end,
};

void remote_dump(struct remote *remote, const struct request *request,
		 unsigned slot)
{
	int error = -EEXIST;

	if (!remote->dump.id)
		error = faces_dump(remote->faces, slot, &ops, remote,
				   request->id);
	if (error)
		refuse(remote, request->id, error, request->guest);
	else
		remote->dump =
			(struct remote_dump){ .id = request->id, .slot = slot };
}

void remote_dump_taken(struct remote *remote, uint32_t id, const uint8_t *bytes,
		       uint32_t length)
{
	struct remote_dump *dump = &remote->dump;
	uint32_t count;

	if (id != dump->id || length != sizeof(count))
		return;
	memcpy(&count, bytes, sizeof(count));
	/* It may be said again, and has to have been sent. */
	if (count - dump->taken > dump->sent - dump->taken ||
	    count == dump->taken)
		return;
	dump->taken = count;
	dump->deadline_ns = 0;
}

void remote_dump_close(struct remote *remote, uint32_t id)
{
	if (!id || id != remote->dump.id)
		return;
	remote->dump.id = 0;
	faces_dump_close(remote->faces, remote->dump.slot);
}

void remote_dump_run(struct remote *remote, uint64_t now_ns)
{
	struct remote_dump *dump = &remote->dump;
	uint32_t id = dump->id;

	if (!id || !dump->has_begun)
		return;
	if (dump->sent == dump->taken)
		dump->deadline_ns = 0;
	else if (!dump->deadline_ns)
		dump->deadline_ns = now_ns + REMOTE_DUMP_NS;
	if (dump->deadline_ns && now_ns >= dump->deadline_ns) {
		remote_dump_close(remote, id);
		gone(remote, id, "not taken");
		return;
	}
	if (dump->sent != dump->granted ||
	    dump->sent + REMOTE_DUMP_BATCH - dump->taken > REMOTE_DUMP_WINDOW ||
	    !remote_has_room(remote, REMOTE_PICTURE_QUEUE))
		return;
	dump->granted += REMOTE_DUMP_BATCH;
	faces_dump_more(remote->faces, dump->slot, dump->granted);
}
