/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PS/2 keyboard: commands, three scan sets, typematic.  See i8042.h.
 *
 * References: IBM PS/2 Hardware Interface Technical Reference, "101- and
 * 102-Key Keyboard".
 */
#include "devices/ps2.h"

#include "include/compiler.h"
#include "lib/string.h"

enum keyboard_command {
	KBD_SET_LEDS = 0xed,
	KBD_ECHO = 0xee,
	KBD_SCAN_SET = 0xf0,
	KBD_IDENTIFY = 0xf2,
	KBD_SET_RATE = 0xf3,
	KBD_ENABLE = 0xf4,
	KBD_DISABLE = 0xf5,
	KBD_DEFAULTS = 0xf6,
	KBD_ALL_TYPEMATIC = 0xf7, /* these show in set 3 only */
	KBD_ALL_MAKE_BREAK = 0xf8,
	KBD_ALL_MAKE = 0xf9,
	KBD_ALL_BOTH = 0xfa,
	KBD_KEY_TYPEMATIC = 0xfb,
	KBD_KEY_MAKE_BREAK = 0xfc,
	KBD_KEY_MAKE = 0xfd,
	KBD_RESEND = 0xfe,
	KBD_RESET = 0xff,
};

#define KBD_ID_0       0xab
#define KBD_ID_1       0x83
#define KBD_RATE_RESET 0x2b /* 10.9 a second after 500 ms */

#define RATE_MANTISSA MASK(2, 0)
#define RATE_EXPONENT MASK(4, 3)
#define RATE_DELAY    MASK(6, 5)
#define RATE_UNIT_NS  (4170 * NSEC_PER_US)
#define DELAY_UNIT_NS (250 * NSEC_PER_MS)

#define CODE_EXTENDED  0xe0
#define CODE_PAUSE     0xe1
#define CODE_BREAK_2   0xf0
#define CODE_BREAK_1   BIT(7)
/* More keys than the buffer holds. */
#define CODE_OVERRUN_1 0xff
#define CODE_OVERRUN_2 0x00 /* and in set 3 */

#define SET3_PAUSE 0x62

/* Held back for answers, so that keys never crowd them out. */
#define RESERVED_ROOM 8

/* clang-format off */
static const uint8_t set1_of_set2[0x85] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58,
	0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a,
	0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c,
	0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
	0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60,
	0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e,
	0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
	0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
	0x80, 0x81, 0x82, 0x41, 0x54,
};
/* clang-format on */

uint8_t ps2_translate(uint8_t code)
{
	return code < ARRAY_SIZE(set1_of_set2) ? set1_of_set2[code] : code;
}

/* The set 2 code of a set 1 make code, or 0. */
static uint8_t set2_of_set1(uint8_t code)
{
	unsigned i;

	/* The real F7 is at 0x83; 0x02 only translates like it. */
	if (code == 0x41)
		return KBD_ID_1;
	if (code == 0x54)
		return 0x84;
	for (i = 0; i < 0x80; i++)
		if (set1_of_set2[i] == code)
			return (uint8_t)i;
	return 0;
}

/* clang-format off */
static const uint8_t set3_of_set1[0x59] = {
	0x00, 0x08, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36,
	0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
	0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43,
	0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x11, 0x1c, 0x1b,
	0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c,
	0x52, 0x0e, 0x12, 0x5c, 0x1a, 0x22, 0x21, 0x2a,
	0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7e,
	0x19, 0x29, 0x14, 0x07, 0x0f, 0x17, 0x1f, 0x27,
	0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x76, 0x5f, 0x6c,
	0x75, 0x7d, 0x84, 0x6b, 0x73, 0x74, 0x7c, 0x69,
	0x72, 0x7a, 0x70, 0x71, 0x57, 0x00, 0x13, 0x56,
	0x5e,
};
static const uint8_t set3_of_extended[0x5e] = {
	[0x1c] = 0x79, [0x1d] = 0x58, [0x35] = 0x77, [0x37] = 0x57,
	[0x38] = 0x39, [0x47] = 0x6e, [0x48] = 0x63, [0x49] = 0x6f,
	[0x4b] = 0x61, [0x4d] = 0x6a, [0x4f] = 0x65, [0x50] = 0x60,
	[0x51] = 0x6d, [0x52] = 0x67, [0x53] = 0x64, [0x5b] = 0x8b,
	[0x5c] = 0x8c, [0x5d] = 0x8d,
};

/* Ctrl, Shift, Caps Lock, Alt, Shift. */
static const uint8_t set3_make_break[] = { 0x11, 0x12, 0x14, 0x19, 0x59 };
/* Esc, function keys, the right Alt and Ctrl, most of the two pads. */
static const uint8_t set3_make[] = {
	0x08, 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f,
	0x56, 0x5e, 0x57, 0x5f, 0x62, 0x39, 0x58, 0x67, 0x6e, 0x65, 0x6f,
	0x6d, 0x76, 0x6c, 0x6b, 0x69, 0x77, 0x75, 0x73, 0x72, 0x70, 0x7e,
	0x7d, 0x74, 0x7a, 0x71, 0x84, 0x79, 0x8b, 0x8c, 0x8d,
};
/* clang-format on */

static uint8_t set3_code(unsigned key)
{
	unsigned code = key & 0x7f;

	if (key == I8042_KEY_PAUSE)
		return SET3_PAUSE;
	if (key & I8042_KEY_EXTENDED)
		return code < sizeof(set3_of_extended) ? set3_of_extended[code]
						       : 0;
	return code < sizeof(set3_of_set1) ? set3_of_set1[code] : 0;
}

static enum ps2_key_kind set3_kind(const struct ps2_keyboard *kbd, uint8_t code)
{
	if (kbd->kind[code] != PS2_KEY_DEFAULT)
		return kbd->kind[code];
	if (memchr(set3_make_break, code, sizeof(set3_make_break)))
		return PS2_KEY_MAKE_BREAK;
	if (memchr(set3_make, code, sizeof(set3_make)))
		return PS2_KEY_MAKE;
	return PS2_KEY_TYPEMATIC;
}

/* ---- Keys -------------------------------------------------------------- */

static void put_code(struct ps2_keyboard *kbd, unsigned key, bool is_down)
{
	uint8_t code = key & 0x7f;

	if (key & I8042_KEY_EXTENDED)
		ps2_queue_put(&kbd->queue, CODE_EXTENDED);
	if (kbd->scan_set == 1) {
		ps2_queue_put(&kbd->queue,
			      is_down ? code : code | CODE_BREAK_1);
		return;
	}
	if (!is_down)
		ps2_queue_put(&kbd->queue, CODE_BREAK_2);
	ps2_queue_put(&kbd->queue, set2_of_set1(code));
}

/* No prefixes, and breaks of the keys only that are to have them. */
static void put_set3(struct ps2_keyboard *kbd, unsigned key, bool is_down)
{
	uint8_t code = set3_code(key);
	enum ps2_key_kind kind;

	if (!code)
		return;
	kind = set3_kind(kbd, code);
	if (!is_down && kind != PS2_KEY_MAKE_BREAK && kind != PS2_KEY_ALL)
		return;
	if (!is_down)
		ps2_queue_put(&kbd->queue, CODE_BREAK_2);
	ps2_queue_put(&kbd->queue, code);
}

/* Print Screen pretends that Shift is pressed with it. */
static void put_print(struct ps2_keyboard *kbd, bool is_down)
{
	const unsigned shift = I8042_KEY_EXTENDED | 0x2a;

	if (is_down)
		put_code(kbd, shift, true);
	put_code(kbd, I8042_KEY_PRINT, is_down);
	if (!is_down)
		put_code(kbd, shift, false);
}

/* Pause comes and goes at once, as Ctrl and Num Lock after 0xe1. */
static void put_pause(struct ps2_keyboard *kbd)
{
	static const uint8_t keys[] = { 0x1d, 0x45 };
	unsigned i;

	ps2_queue_put(&kbd->queue, CODE_PAUSE);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		put_code(kbd, keys[i], true);
	ps2_queue_put(&kbd->queue, CODE_PAUSE);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		put_code(kbd, keys[i], false);
}

static void put_key(struct ps2_keyboard *kbd, unsigned key, bool is_down)
{
	if (kbd->scan_set == 3) {
		put_set3(kbd, key, is_down);
	} else if (key == I8042_KEY_PAUSE) {
		if (is_down)
			put_pause(kbd);
	} else if (key == I8042_KEY_PRINT) {
		put_print(kbd, is_down);
	} else if (set2_of_set1(key & 0x7f)) {
		put_code(kbd, key, is_down);
	}
}

/* Of the keys that are lost the first is said to be. */
static bool has_room(struct ps2_keyboard *kbd)
{
	struct ps2_queue *queue = &kbd->queue;
	uint8_t overrun = kbd->scan_set == 1 ? CODE_OVERRUN_1 : CODE_OVERRUN_2;
	unsigned last = queue->head + queue->count + PS2_QUEUE - 1U;

	if (ps2_queue_room(queue) >= 2 * RESERVED_ROOM)
		return true;
	if (queue->data[last % PS2_QUEUE] != overrun)
		ps2_queue_put(queue, overrun);
	return false;
}

static bool repeats(const struct ps2_keyboard *kbd, unsigned key)
{
	enum ps2_key_kind kind;

	if (kbd->scan_set != 3)
		return key != I8042_KEY_PAUSE && set2_of_set1(key & 0x7f);
	kind = set3_kind(kbd, set3_code(key));
	return set3_code(key) &&
	       (kind == PS2_KEY_TYPEMATIC || kind == PS2_KEY_ALL);
}

void ps2_keyboard_key(struct ps2_keyboard *kbd, unsigned key, bool is_down)
{
	if (!kbd->is_scanning)
		return;
	if (is_down)
		kbd->held = repeats(kbd, key) ? (uint16_t)key : 0;
	else if (key == kbd->held)
		kbd->held = 0;
	if (has_room(kbd))
		put_key(kbd, key, is_down);
}

/* Of Print Screen what follows the Shift that it pretends. */
bool ps2_keyboard_repeat(struct ps2_keyboard *kbd)
{
	if (!kbd->held || !has_room(kbd))
		return kbd->held;
	if (kbd->held == I8042_KEY_PRINT && kbd->scan_set != 3)
		put_code(kbd, I8042_KEY_PRINT, true);
	else
		put_key(kbd, kbd->held, true);
	return true;
}

uint64_t ps2_keyboard_delay_ns(const struct ps2_keyboard *kbd)
{
	return (FIELD_GET(RATE_DELAY, kbd->rate) + 1) * DELAY_UNIT_NS;
}

uint64_t ps2_keyboard_period_ns(const struct ps2_keyboard *kbd)
{
	return ((FIELD_GET(RATE_MANTISSA, kbd->rate) + 8)
		<< FIELD_GET(RATE_EXPONENT, kbd->rate)) *
	       RATE_UNIT_NS;
}

/* ---- Commands ---------------------------------------------------------- */

static void set_defaults(struct ps2_keyboard *kbd)
{
	kbd->command = 0;
	kbd->rate = KBD_RATE_RESET;
	kbd->scan_set = 2;
	kbd->held = 0;
	memset(kbd->kind, PS2_KEY_DEFAULT, sizeof(kbd->kind));
}

static void answer(struct ps2_keyboard *kbd, uint8_t byte)
{
	ps2_queue_put(&kbd->queue, byte);
}

static enum ps2_key_kind kind_of_command(uint8_t byte)
{
	switch (byte) {
	case KBD_ALL_TYPEMATIC:
	case KBD_KEY_TYPEMATIC:
		return PS2_KEY_TYPEMATIC;
	case KBD_ALL_MAKE_BREAK:
	case KBD_KEY_MAKE_BREAK:
		return PS2_KEY_MAKE_BREAK;
	case KBD_ALL_MAKE:
	case KBD_KEY_MAKE:
		return PS2_KEY_MAKE;
	default:
		return PS2_KEY_ALL;
	}
}

/* One key after the other, until the next command. */
static void set_kind(struct ps2_keyboard *kbd, uint8_t code)
{
	if (!code || code >= PS2_SET3_CODES) {
		answer(kbd, PS2_RESEND);
		return;
	}
	kbd->kind[code] = kind_of_command(kbd->command);
	answer(kbd, PS2_ACK);
}

static void parameter(struct ps2_keyboard *kbd, uint8_t byte)
{
	uint8_t command = kbd->command;

	if (command >= KBD_KEY_TYPEMATIC && command <= KBD_KEY_MAKE) {
		set_kind(kbd, byte);
		return;
	}
	kbd->command = 0;
	if (command == KBD_SET_LEDS) {
		kbd->leds = byte & 7;
	} else if (command == KBD_SET_RATE) {
		kbd->rate = byte & 0x7f;
	} else if (byte >= 1 && byte <= 3) {
		kbd->scan_set = byte;
		kbd->held = 0;
	} else if (byte != 0) {
		answer(kbd, PS2_RESEND);
		return;
	}
	answer(kbd, PS2_ACK);
	if (command == KBD_SCAN_SET && byte == 0)
		answer(kbd, kbd->scan_set);
}

/* Every command discards what is on its way. */
static void command(struct ps2_keyboard *kbd, uint8_t byte)
{
	switch (byte) {
	case KBD_ECHO:
		answer(kbd, KBD_ECHO);
		return;
	case KBD_RESEND:
		answer(kbd, kbd->last);
		return;
	case KBD_SET_LEDS:
	case KBD_SCAN_SET:
	case KBD_SET_RATE:
	case KBD_KEY_TYPEMATIC ... KBD_KEY_MAKE:
		kbd->command = byte;
		break;
	case KBD_ALL_TYPEMATIC ... KBD_ALL_BOTH:
		memset(kbd->kind, kind_of_command(byte), sizeof(kbd->kind));
		break;
	case KBD_IDENTIFY:
		answer(kbd, PS2_ACK);
		answer(kbd, KBD_ID_0);
		answer(kbd, KBD_ID_1);
		return;
	case KBD_ENABLE:
		kbd->is_scanning = true;
		break;
	case KBD_DISABLE:
		set_defaults(kbd);
		kbd->is_scanning = false;
		break;
	case KBD_DEFAULTS:
		set_defaults(kbd);
		break;
	case KBD_RESET:
		ps2_keyboard_reset(kbd);
		answer(kbd, PS2_ACK);
		answer(kbd, PS2_SELF_TEST);
		return;
	default:
		answer(kbd, PS2_RESEND);
		return;
	}
	answer(kbd, PS2_ACK);
}

void ps2_keyboard_command(struct ps2_keyboard *kbd, uint8_t byte)
{
	kbd->queue.count = 0;
	/* A command where a parameter was due cancels the one before. */
	if (kbd->command && byte < KBD_SET_LEDS) {
		parameter(kbd, byte);
		return;
	}
	kbd->command = 0;
	command(kbd, byte);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field queue_fields[] = {
	STATE_ARRAY(struct ps2_queue, data),
	STATE_VALUE(struct ps2_queue, head, .max = PS2_QUEUE - 1),
	STATE_VALUE(struct ps2_queue, count, .max = PS2_QUEUE),
};

const struct state_description ps2_queue_description =
	STATE_DESCRIPTION(struct ps2_queue, queue_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct ps2_keyboard, queue, &ps2_queue_description),
	STATE_VALUE(struct ps2_keyboard, command),
	STATE_VALUE(struct ps2_keyboard, last),
	STATE_VALUE(struct ps2_keyboard, leds),
	STATE_VALUE(struct ps2_keyboard, rate, .reset = KBD_RATE_RESET),
	STATE_VALUE(struct ps2_keyboard, scan_set, .reset = 2, .min = 1,
		    .max = 3),
	STATE_VALUE(struct ps2_keyboard, is_scanning, .reset = true),
	STATE_VALUE(struct ps2_keyboard, held),
	STATE_ARRAY(struct ps2_keyboard, kind, .max = PS2_KEY_ALL),
};

const struct state_description ps2_keyboard_description =
	STATE_DESCRIPTION(struct ps2_keyboard, fields);

void ps2_keyboard_reset(struct ps2_keyboard *kbd)
{
	state_reset(&ps2_keyboard_description, kbd, STATE_RESET_WARM);
}
