/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and buttons that somebody holds down in a guest: who goes away, or turns
 * to something else, would leave them down for ever.
 */
#ifndef BULKHEAD_HELD_H
#define BULKHEAD_HELD_H

#include "include/input.h"

#define HELD_KEYS 0x300 /* Linux's: KEY_CNT */

struct held {
	uint64_t word[HELD_KEYS / 64];
};

/* The guest has been sent that event. */
static inline void held_note(struct held *held, const struct input_event *event)
{
	uint64_t *word = &held->word[event->code % HELD_KEYS / 64];
	uint64_t bit = BIT(event->code % 64);

	if (event->kind != INPUT_KEY || event->code >= HELD_KEYS)
		return;
	if (event->value)
		*word |= bit;
	else
		*word &= ~bit;
}

/* Releases of at most so many that are held, which are held no longer. */
static inline unsigned held_take(struct held *held, struct input_event *event,
				 unsigned max)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(held->word); i++)
		for (; held->word[i] && count < max;
		     held->word[i] &= held->word[i] - 1)
			event[count++] = (struct input_event){
				.kind = INPUT_KEY,
				.code = (uint16_t)(i * 64 +
						   (unsigned)__builtin_ctzll(
							   held->word[i])),
			};
	return count;
}

#endif
