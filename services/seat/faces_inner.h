/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of services/seat/faces.h share. */
#ifndef BULKHEAD_SERVICES_SEAT_FACES_INNER_H
#define BULKHEAD_SERVICES_SEAT_FACES_INNER_H

#include "services/seat/faces.h"

/* faces.c: a record to the machine.  -EPIPE, -EBUSY. */
int __must_check faces_send(struct faces *faces, struct face *face,
			    const void *record, uint32_t length);

/* faces_dump.c */
/* A record of a dump's, or an answer: false, it makes no sense. */
bool faces_dump_take(struct faces *faces, struct face *face,
		     const struct face_record *head, uint32_t length);
/* What its machine is yet to be told, as far as there is room. */
void faces_dump_send(struct faces *faces, struct face *face);
/* Its end; reason as end() has it. */
void faces_dump_end(struct face *face, int reason);

#endif
