/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores of guests: include/face.h, FACE_DUMP. */
#include "include/errno.h"
#include "services/seat/faces_inner.h"

/* Numbers of JSON are exact up to there. */
#define SIZE_MAX_BITS 53

void faces_dump_end(struct face *face, int reason)
{
	struct face_dump gone = face->dump;

	face->dump.ops = NULL;
	if (gone.ops)
		gone.ops->end(gone.ctx, gone.id, reason);
}

int faces_dump(struct faces *faces, unsigned slot,
	       const struct face_dump_ops *ops, void *ctx, uint32_t id)
{
	struct face_record record = { .kind = FACE_DUMP };
	struct face *face;
	int error;

	if (!faces_is_open(faces, slot))
		return -EPIPE;
	face = &faces->face[slot];
	if (face->dump.ops)
		return -EEXIST;
	faces_dump_send(faces, face);
	if (face->dump.must_close)
		return -EBUSY;
	record.tag = face->tag + 1;
	error = faces_send(faces, face, &record, sizeof(record));
	if (error)
		return error;
	face->dump = (struct face_dump){
		.ops = ops, .ctx = ctx, .id = id, .tag = ++face->tag
	};
	return 0;
}

void faces_dump_more(struct faces *faces, unsigned slot, uint32_t count)
{
	if (!faces_is_open(faces, slot) || !faces->face[slot].dump.ops)
		return;
	faces->face[slot].dump.wanted = count;
	faces_dump_send(faces, &faces->face[slot]);
}

void faces_dump_close(struct faces *faces, unsigned slot)
{
	if (slot >= FACES_SLOTS || !faces->face[slot].dump.ops)
		return;
	faces->face[slot].dump.ops = NULL;
	if (!faces_is_open(faces, slot))
		return;
	faces->face[slot].dump.must_close = true;
	faces_dump_send(faces, &faces->face[slot]);
}

void faces_dump_send(struct faces *faces, struct face *face)
{
	struct face_dump *dump = &face->dump;
	const struct face_record close = { .kind = FACE_DUMP_CLOSE };
	const struct face_dump_more more = {
		.head = { .kind = FACE_DUMP_MORE, .tag = dump->tag },
		.count = dump->wanted,
	};

	if (dump->must_close)
		dump->must_close = faces_send(faces, face, &close,
					      sizeof(close)) == -EBUSY;
	else if (dump->ops && dump->wanted != dump->told &&
		 !faces_send(faces, face, &more, sizeof(more)))
		dump->told = more.count;
}

/* ---- From the machine ---------------------------------------------------- */

static bool begin_take(struct face_dump *dump,
		       const struct face_dump_begin *begin, uint32_t length)
{
	if (length != sizeof(*begin) || dump->has_begun ||
	    begin->size >> SIZE_MAX_BITS)
		return false;
	dump->has_begun = true;
	dump->size = begin->size;
	dump->ops->begin(dump->ctx, dump->id, begin->size);
	return true;
}

/* No more than it may send, within the file, and in order. */
static bool core_take(struct face_dump *dump, const struct face_core *core,
		      uint32_t length)
{
	uint64_t bytes;

	if (length < sizeof(*core) || !dump->has_begun ||
	    dump->came == dump->told)
		return false;
	bytes = length - sizeof(*core);
	if (bytes > FACE_CORE_MAX || core->offset < dump->next ||
	    core->offset > dump->size || bytes > dump->size - core->offset)
		return false;
	dump->next = core->offset + bytes;
	dump->came++;
	dump->ops->core(dump->ctx, dump->id, core, bytes);
	return true;
}

static bool end_take(struct face *face, const struct face_dump_end *end,
		     uint32_t length)
{
	if (length != sizeof(*end) || end->reason > FACE_DUMP_RESET ||
	    (end->reason == FACE_DUMP_DONE && !face->dump.has_begun))
		return false;
	faces_dump_end(face, (int)end->reason);
	return true;
}

/* It was not begun; that its machine has one is a former seat's doing. */
static bool refusal_take(struct face *face, const struct face_answer *answer)
{
	if (face->dump.has_begun || answer->error >= 0)
		return false;
	faces_dump_end(face, answer->error == -EBUSY ? -EEXIST : -ENOSYS);
	return true;
}

bool faces_dump_take(struct faces *faces, struct face *face,
		     const struct face_record *head, uint32_t length)
{
	struct face_dump *dump = &face->dump;

	/* Of one that was closed. */
	if (!dump->ops || head->tag != dump->tag)
		return true;
	faces->is_again = true; /* carriers have had their turn */
	switch (head->kind) {
	case FACE_DUMP_BEGIN:
		return begin_take(dump, (const void *)head, length);
	case FACE_CORE:
		return core_take(dump, (const void *)head, length);
	case FACE_DUMP_END:
		return end_take(face, (const void *)head, length);
	default:
		return refusal_take(face, (const void *)head);
	}
}
