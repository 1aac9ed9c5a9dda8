/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keyboards and pointers: events from a user to a device.
 *
 * Keys and buttons have the numbers of Linux's input events, which virtio-input
 * hands to guests as they are; below INPUT_KEY_SAME_AS_SET_1 they are the make
 * codes of scan set 1.  Only those stand here that code names.
 *
 * References: Linux, "Input event codes"; virtio 1.2, "Input Device".
 */
#ifndef BULKHEAD_INPUT_H
#define BULKHEAD_INPUT_H

#include "include/compiler.h"

enum input_kind {
	INPUT_KEY,	/* a key or button went down or up */
	INPUT_RELATIVE, /* a pointer or wheel moved by so much */
	INPUT_ABSOLUTE, /* a pointer is at a place */
	INPUT_SYNC,	/* what came since the last one belongs together */
};

enum input_axis { INPUT_X, INPUT_Y, INPUT_WHEEL, INPUT_AXES };

/* An absolute pointer's place on either axis: 0 is left or top. */
#define INPUT_ABSOLUTE_MAX 0x7fff

struct input_event {
	enum input_kind kind;
	uint16_t code; /* INPUT_KEY: a key; else an enum input_axis */
	/*
	 * INPUT_KEY: 1 down, 0 up, 2 held (repeats).  INPUT_RELATIVE: counts,
	 * to the right, downwards and, of a wheel, away from the user.
	 * INPUT_ABSOLUTE: 0 to INPUT_ABSOLUTE_MAX.
	 */
	int32_t value;
};

/* clang-format off */
#define INPUT_KEY_SAME_AS_SET_1	0x59 /* keys below it, and 0 is none */
#define INPUT_KEY_KEYPAD_ENTER	96
#define INPUT_KEY_RIGHT_CTRL	97
#define INPUT_KEY_KEYPAD_SLASH	98
#define INPUT_KEY_PRINT		99 /* with SysRq */
#define INPUT_KEY_RIGHT_ALT	100
#define INPUT_KEY_HOME		102
#define INPUT_KEY_UP		103
#define INPUT_KEY_PAGE_UP	104
#define INPUT_KEY_LEFT		105
#define INPUT_KEY_RIGHT		106
#define INPUT_KEY_END		107
#define INPUT_KEY_DOWN		108
#define INPUT_KEY_PAGE_DOWN	109
#define INPUT_KEY_INSERT	110
#define INPUT_KEY_DELETE	111
#define INPUT_KEY_PAUSE		119
#define INPUT_KEY_LEFT_META	125
#define INPUT_KEY_RIGHT_META	126
#define INPUT_KEY_MENU		127

#define INPUT_BUTTON_LEFT	0x110
#define INPUT_BUTTON_RIGHT	0x111
#define INPUT_BUTTON_MIDDLE	0x112
#define INPUT_BUTTON_SIDE	0x113
#define INPUT_BUTTON_EXTRA	0x114
/* clang-format on */

/* A device that listens.  Called with the machine's lock held. */
struct input_sink {
	void (*event)(void *dev, const struct input_event *event);
	void *dev;
};

#endif
