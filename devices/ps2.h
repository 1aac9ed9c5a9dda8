/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two devices at the keyboard controller's ports.  Private to i8042.c,
 * ps2_keyboard.c and ps2_mouse.c.
 */
#ifndef BULKHEAD_DEVICES_PS2_H
#define BULKHEAD_DEVICES_PS2_H

#include "devices/i8042.h"
#include "devices/state.h"

/* Answers both devices give. */
#define PS2_ACK	      0xfa
#define PS2_RESEND    0xfe
#define PS2_ERROR     0xfc
#define PS2_SELF_TEST 0xaa

static inline unsigned ps2_queue_room(const struct ps2_queue *queue)
{
	return PS2_QUEUE - queue->count;
}

/* Bytes too many are lost. */
static inline void ps2_queue_put(struct ps2_queue *queue, uint8_t byte)
{
	if (queue->count == PS2_QUEUE)
		return;
	queue->data[(queue->head + queue->count) % PS2_QUEUE] = byte;
	queue->count++;
}

/* The queue must not be empty. */
static inline uint8_t ps2_queue_get(struct ps2_queue *queue)
{
	uint8_t byte = queue->data[queue->head];

	queue->head = (queue->head + 1) % PS2_QUEUE;
	queue->count--;
	return byte;
}

extern const struct state_description ps2_queue_description;
extern const struct state_description ps2_keyboard_description;
extern const struct state_description ps2_mouse_description;

void ps2_keyboard_reset(struct ps2_keyboard *keyboard);
void ps2_keyboard_command(struct ps2_keyboard *keyboard, uint8_t byte);
void ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned key,
		      bool is_down);
/* The held key once more; false: none is. */
bool ps2_keyboard_repeat(struct ps2_keyboard *keyboard);
/* Until the first repetition, and between two. */
uint64_t ps2_keyboard_delay_ns(const struct ps2_keyboard *keyboard);
uint64_t ps2_keyboard_period_ns(const struct ps2_keyboard *keyboard);

/* The set 1 code of a set 2 code: what the controller's translation does. */
uint8_t ps2_translate(uint8_t code);

void ps2_mouse_reset(struct ps2_mouse *mouse);
void ps2_mouse_command(struct ps2_mouse *mouse, uint8_t byte);
void ps2_mouse_move(struct ps2_mouse *mouse, int dx, int dy, int dz,
		    uint8_t buttons);
/* Reports what has gathered, if there is room and anybody wants to know. */
void ps2_mouse_report(struct ps2_mouse *mouse);

#endif
