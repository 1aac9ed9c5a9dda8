/* SPDX-License-Identifier: BSD-2-Clause */
/* A core of the guest, from its machine's face: include/face.h, FACE_DUMP. */
#include "include/errno.h"
#include "machine/face_inner.h"

/* Pieces of zeros after which seat hears how far it is. */
#define EMPTY_MAX 16

_Static_assert(FACE_CORE_MAX >= ELF_CORE_PIECE &&
		       sizeof(struct face_core) + FACE_CORE_MAX <=
			       FACE_RECORD_MAX,
	       "a piece of a core");

static void dump_begin(struct face *face, uint32_t tag)
{
	struct face_dump *dump = &face->dump;

	if (!face->config.board->ops->regions || !face->config.ops->hold) {
		face_answer(face, tag, -ENOSYS);
		return;
	}
	if (dump->state != FACE_DUMP_NONE) {
		face_answer(face, tag, -EBUSY);
		return;
	}
	*dump = (struct face_dump){ .state = FACE_DUMP_WANTED, .tag = tag };
	face->config.ops->hold(face->config.ctx);
}

void face_dump_over(struct face *face, enum face_dump_reason reason)
{
	struct face_dump *dump = &face->dump;

	if (dump->state != FACE_DUMP_WANTED && dump->state != FACE_DUMP_RUNNING)
		return;
	dump->state = FACE_DUMP_OVER;
	dump->reason = reason;
}

static bool dump_start(struct face *face)
{
	struct face_dump *dump = &face->dump;
	const struct elf_core_source source = {
		.board = face->config.board,
		.state = face->config.ops->state,
		.ctx = face->config.ctx,
		.vcpus = face->config.vcpus,
	};
	struct face_dump_begin record = {
		.head = { .kind = FACE_DUMP_BEGIN, .tag = dump->tag },
	};

	if (!face_has_room(face, sizeof(record)))
		return false;
	elf_core_begin(&dump->core, &source);
	record.size = elf_core_size(&dump->core);
	dump->state = FACE_DUMP_RUNNING;
	return face_put(face, &record, sizeof(record));
}

/* Whoever asks something meanwhile is to be answered. */
static size_t core_room(void)
{
	return sizeof(struct face_core) + ELF_CORE_PIECE + FACE_ANSWER_MAX;
}

static bool core_put(struct face *face)
{
	struct face_dump *dump = &face->dump;
	struct face_core *record = (void *)face->record;
	size_t length;

	if (dump->sent == dump->granted || !face_has_room(face, core_room()))
		return false;
	length = elf_core_piece(&dump->core, record->byte, &record->offset);
	if (!length && ++dump->empty < EMPTY_MAX)
		return true;
	dump->empty = 0;
	dump->sent++;
	record->head =
		(struct face_record){ .kind = FACE_CORE, .tag = dump->tag };
	return face_put(face, record, sizeof(*record) + length);
}

static bool dump_end(struct face *face)
{
	const struct face_dump_end record = {
		.head = { .kind = FACE_DUMP_END, .tag = face->dump.tag },
		.reason = face->dump.reason,
	};

	if (!face_put(face, &record, sizeof(record)))
		return false;
	face->dump.state = FACE_DUMP_NONE;
	return true;
}

/* The vCPUs stand, so that there is something to do. */
static bool is_dumping(const struct face *face)
{
	enum face_dump_state state = face->dump.state;

	return (state == FACE_DUMP_WANTED || state == FACE_DUMP_RUNNING) &&
	       face->config.ops->is_held(face->config.ctx);
}

bool face_dump_piece(struct face *face)
{
	struct face_dump *dump = &face->dump;

	if (dump->state == FACE_DUMP_OVER)
		return dump_end(face);
	if (!is_dumping(face))
		return false;
	if (dump->state == FACE_DUMP_WANTED)
		return dump_start(face);
	if (!elf_core_is_done(&dump->core))
		return core_put(face);
	face_dump_over(face, FACE_DUMP_DONE);
	return dump_end(face);
}

void face_dump_serve(struct face *face, const struct face_record *head)
{
	const struct face_dump_more *more = (const void *)head;
	struct face_dump *dump = &face->dump;

	switch (head->kind) {
	case FACE_DUMP:
		dump_begin(face, head->tag);
		break;
	case FACE_DUMP_MORE:
		if (head->tag == dump->tag &&
		    (int32_t)(more->count - dump->granted) > 0)
			dump->granted = more->count;
		break;
	case FACE_DUMP_CLOSE:
		dump->state = FACE_DUMP_NONE;
		break;
	}
}

size_t face_dump_needs(const struct face *face)
{
	const struct face_dump *dump = &face->dump;

	if (dump->state == FACE_DUMP_OVER)
		return sizeof(struct face_dump_end);
	if (!is_dumping(face))
		return 0;
	if (dump->state == FACE_DUMP_WANTED)
		return sizeof(struct face_dump_begin);
	return dump->sent == dump->granted && !elf_core_is_done(&dump->core)
		       ? 0
		       : core_room();
}

void face_was_reset(struct face *face)
{
	face_dump_over(face, FACE_DUMP_RESET);
}
