/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the machine's face share: machine/face.h. */
#ifndef BULKHEAD_MACHINE_FACE_INNER_H
#define BULKHEAD_MACHINE_FACE_INNER_H

#include "machine/face.h"

/* A record's length stands before it in the ring. */
#define FACE_RECORD_ROOM(bytes) ((bytes) + sizeof(uint32_t))
/* The longest answer to a request that is taken at once. */
#define FACE_ANSWER_MAX		FACE_RECORD_ROOM(sizeof(struct face_statistics))

/* machine/face.c */
/* False: no room, or the peer is broken. */
bool face_put(struct face *face, const void *record, size_t length);
bool face_has_room(struct face *face, size_t length);
/* A request is taken only where there is room for its answer. */
void face_answer(struct face *face, uint32_t tag, int error);

/* machine/face_dump.c */
/* A request that is about a dump, and long enough. */
void face_dump_serve(struct face *face, const struct face_record *head);
/* It ends, if there is one: the guest need not stand for it any more. */
void face_dump_over(struct face *face, enum face_dump_reason reason);
/* One record, or a look at memory.  False: nothing to do now, or no room. */
bool face_dump_piece(struct face *face);
/* What it waits for room for; 0: it waits for something else. */
size_t face_dump_needs(const struct face *face);

#endif
