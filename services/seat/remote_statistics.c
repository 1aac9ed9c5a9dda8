/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's machine has counted, as remote.h's clients get it. */
#include "services/seat/remote.h"

#include "lib/printf.h"

/* As an array's inside, without zeros at its end. */
static void numbers_print(char *text, size_t size, const uint64_t *number)
{
	unsigned count = FACE_EXITS;
	size_t length = 0;

	text[0] = '\0';
	while (count && !number[count - 1])
		count--;
	for (unsigned i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, size - length,
					   "%s%lu", i ? "," : "", number[i]);
}

static void statistics(void *ctx, uint32_t id, const struct face_record *record,
		       int error)
{
	const struct face_statistics *numbers = (const void *)record;
	char exits[FACE_EXITS * 21 + 1], ticks[FACE_EXITS * 21 + 1];

	if (error) {
		remote_answer(ctx, id, error, "the machine");
		return;
	}
	numbers_print(exits, sizeof(exits), numbers->exits);
	numbers_print(ticks, sizeof(ticks), numbers->ticks);
	remote_say(ctx,
		   "{\"id\":%u,\"ok\":true,\"paused\":%s,\"vcpus\":%u,"
		   "\"inputs\":%u,\"frames\":%lu,\"pixels\":%lu,"
		   "\"exits\":[%s],\"ticks\":[%s]}",
		   id, numbers->is_paused ? "true" : "false", numbers->vcpus,
		   numbers->keys, numbers->frames, numbers->pixels, exits,
		   ticks);
}

int remote_statistics(struct remote *remote, const struct request *request,
		      unsigned slot)
{
	struct face_ask ask = {
		.answer = statistics,
		.ctx = remote,
		.id = request->id,
	};

	return faces_ask(remote->faces, slot, 0, 0, &ask);
}
