/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients want of init: SEAT_ASK and its answers (include/seat.h), which
 * control.c carries.
 */
#ifndef BULKHEAD_SERVICES_SEAT_ASKS_H
#define BULKHEAD_SERVICES_SEAT_ASKS_H

#include "include/errno.h"
#include "include/seat.h"

struct ask {
	/* With SEAT_GUEST, and with SEAT_TOLD, its last.  NULL: unused. */
	void (*told)(void *ctx, uint32_t id,
		     const struct seat_message *message);
	void *ctx;
	uint32_t id; /* the client's */
	uint32_t tag;
	bool is_sent;
	uint32_t verb; /* enum seat_verb */
	char name[GATE_NAME_SIZE];
	uint32_t slot, vlan; /* of ports */
};

struct asks {
	uint32_t tag;
	struct ask ask[SEAT_ASKS];
};

/* .told, ctx, id, verb, name, slot and vlan of *like.  -EBUSY: there are too
 * many. */
static inline int asks_add(struct asks *asks, const struct ask *like)
{
	for (unsigned i = 0; i < SEAT_ASKS; i++) {
		struct ask *ask = &asks->ask[i];

		if (ask->told)
			continue;
		*ask = *like;
		ask->tag = ++asks->tag;
		ask->is_sent = false;
		return 0;
	}
	return -EBUSY;
}

/* The client has gone: init's answers are nobody's. */
static inline void asks_forget(struct asks *asks, const void *ctx)
{
	for (unsigned i = 0; i < SEAT_ASKS; i++)
		if (asks->ask[i].ctx == ctx)
			asks->ask[i].ctx = NULL;
}

#endif
