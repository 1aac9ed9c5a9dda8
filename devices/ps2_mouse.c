/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PS/2 mouse: commands, stream and remote mode, wheel and five buttons for
 * drivers that knock for them.  See i8042.h.
 *
 * References: IBM PS/2 Hardware Interface Technical Reference, "Mouse";
 * Microsoft, "Wheel Support Information for the IntelliMouse".
 */
#include "devices/ps2.h"

#include "include/compiler.h"
#include "lib/string.h"

enum mouse_command {
	MOUSE_SCALE_1 = 0xe6,
	MOUSE_SCALE_2 = 0xe7,
	MOUSE_SET_RESOLUTION = 0xe8,
	MOUSE_STATUS = 0xe9,
	MOUSE_STREAM = 0xea,
	MOUSE_READ = 0xeb,
	MOUSE_WRAP_END = 0xec,
	MOUSE_WRAP = 0xee,
	MOUSE_REMOTE = 0xf0,
	MOUSE_IDENTIFY = 0xf2,
	MOUSE_SET_RATE = 0xf3,
	MOUSE_ENABLE = 0xf4,
	MOUSE_DISABLE = 0xf5,
	MOUSE_DEFAULTS = 0xf6,
	MOUSE_RESEND = 0xfe,
	MOUSE_RESET = 0xff,
};

#define MOUSE_ID_WHEEL 3
#define MOUSE_ID_FIVE  4

#define PACKET_BUTTONS MASK(2, 0)
#define PACKET_ONE     BIT(3)
#define PACKET_X_SIGN  BIT(4)
#define PACKET_Y_SIGN  BIT(5)
#define PACKET_EXTRA   MASK(5, 4) /* of the fourth byte: buttons 4, 5 */
#define BUTTONS_EXTRA  MASK(4, 3)

#define STATUS_SCALED	 BIT(4)
#define STATUS_REPORTING BIT(5)
#define STATUS_REMOTE	 BIT(6)

/* More movement than this between two reports is forgotten. */
#define MOVEMENT_MAX (1 << 20)

/* ---- Reports ----------------------------------------------------------- */

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

/* 2:1, which is finer where movement is slow. */
static int scaled(int value)
{
	static const uint8_t slow[] = { 0, 1, 1, 3, 6, 9 };
	unsigned size = (unsigned)(value < 0 ? -value : value);

	if (size >= ARRAY_SIZE(slow))
		return 2 * value;
	return value < 0 ? -(int)slow[size] : (int)slow[size];
}

/* Scaling is the stream's; who asks for a report gets what there is. */
static void put_packet(struct ps2_mouse *mouse, bool is_stream)
{
	bool is_scaled = is_stream && mouse->is_scaled;
	int limit = is_scaled ? 127 : 255;
	int taken_x = clamp(mouse->dx, -limit, limit);
	int taken_y = clamp(mouse->dy, -limit, limit);
	int dx = is_scaled ? scaled(taken_x) : taken_x;
	int dy = is_scaled ? scaled(taken_y) : taken_y;
	int dz = clamp(mouse->dz, -8, 7);
	uint8_t first = PACKET_ONE | (mouse->buttons & PACKET_BUTTONS);

	if (dx < 0)
		first |= PACKET_X_SIGN;
	if (dy < 0)
		first |= PACKET_Y_SIGN;
	ps2_queue_put(&mouse->queue, first);
	ps2_queue_put(&mouse->queue, (uint8_t)dx);
	ps2_queue_put(&mouse->queue, (uint8_t)dy);
	if (mouse->id == MOUSE_ID_WHEEL)
		ps2_queue_put(&mouse->queue, (uint8_t)dz);
	else if (mouse->id == MOUSE_ID_FIVE)
		ps2_queue_put(&mouse->queue,
			      (uint8_t)((dz & 0xf) |
					FIELD_PUT(PACKET_EXTRA,
						  FIELD_GET(BUTTONS_EXTRA,
							    mouse->buttons))));
	mouse->dx -= taken_x;
	mouse->dy -= taken_y;
	mouse->dz = mouse->id ? mouse->dz - dz : 0;
	mouse->buttons_sent = mouse->buttons;
}

static bool has_news(const struct ps2_mouse *mouse)
{
	return mouse->dx || mouse->dy || (mouse->dz && mouse->id) ||
	       mouse->buttons != mouse->buttons_sent;
}

void ps2_mouse_report(struct ps2_mouse *mouse)
{
	if (!mouse->is_reporting || mouse->is_remote || mouse->is_wrapping)
		return;
	/* One report at a time: later movement joins the next one. */
	if (has_news(mouse) && !mouse->queue.count)
		put_packet(mouse, true);
}

void ps2_mouse_move(struct ps2_mouse *mouse, int dx, int dy, int dz,
		    uint8_t buttons)
{
	if (!mouse->is_reporting && !mouse->is_remote)
		return;
	dx = clamp(dx, -MOVEMENT_MAX, MOVEMENT_MAX);
	dy = clamp(dy, -MOVEMENT_MAX, MOVEMENT_MAX);
	dz = clamp(dz, -MOVEMENT_MAX, MOVEMENT_MAX);
	mouse->dx = clamp(mouse->dx + dx, -MOVEMENT_MAX, MOVEMENT_MAX);
	mouse->dy = clamp(mouse->dy + dy, -MOVEMENT_MAX, MOVEMENT_MAX);
	mouse->dz = clamp(mouse->dz + dz, -MOVEMENT_MAX, MOVEMENT_MAX);
	mouse->buttons = buttons & MASK(4, 0);
	ps2_mouse_report(mouse);
}

/* ---- Commands ---------------------------------------------------------- */

static void set_defaults(struct ps2_mouse *mouse)
{
	mouse->command = 0;
	mouse->resolution = 2;
	mouse->rate = 100;
	mouse->is_scaled = false;
	mouse->is_reporting = false;
	mouse->is_remote = false;
	mouse->is_wrapping = false;
	mouse->dx = mouse->dy = mouse->dz = 0;
}

static void answer(struct ps2_mouse *mouse, uint8_t byte)
{
	ps2_queue_put(&mouse->queue, byte);
}

/* Three sample rates in a row, which no one would set in earnest. */
static void note_rate(struct ps2_mouse *mouse, uint8_t rate)
{
	static const uint8_t wheel[3] = { 200, 100, 80 };
	static const uint8_t five[3] = { 200, 200, 80 };

	mouse->rate = rate;
	memmove(&mouse->knock[0], &mouse->knock[1], 2);
	mouse->knock[2] = rate;
	if (!memcmp(mouse->knock, wheel, sizeof(wheel)))
		mouse->id = MOUSE_ID_WHEEL;
	else if (!memcmp(mouse->knock, five, sizeof(five)))
		mouse->id = MOUSE_ID_FIVE;
}

static bool is_valid(const struct ps2_mouse *mouse, uint8_t byte)
{
	static const uint8_t rates[] = { 10, 20, 40, 60, 80, 100, 200 };

	if (mouse->command == MOUSE_SET_RATE)
		return memchr(rates, byte, sizeof(rates));
	return byte <= 3;
}

/* A wrong one may be corrected once. */
static void parameter(struct ps2_mouse *mouse, uint8_t byte)
{
	if (!is_valid(mouse, byte)) {
		answer(mouse, mouse->was_wrong ? PS2_ERROR : PS2_RESEND);
		if (mouse->was_wrong)
			mouse->command = 0;
		mouse->was_wrong = !mouse->was_wrong;
		return;
	}
	if (mouse->command == MOUSE_SET_RATE)
		note_rate(mouse, byte);
	else
		mouse->resolution = byte;
	mouse->command = 0;
	mouse->was_wrong = false;
	answer(mouse, PS2_ACK);
}

static void answer_status(struct ps2_mouse *mouse)
{
	/* Left, middle, right from bit 2 down, unlike in reports. */
	uint8_t status = (mouse->buttons & I8042_BUTTON_LEFT ? 4 : 0) |
			 (mouse->buttons & I8042_BUTTON_MIDDLE ? 2 : 0) |
			 (mouse->buttons & I8042_BUTTON_RIGHT ? 1 : 0);

	if (mouse->is_scaled)
		status |= STATUS_SCALED;
	if (mouse->is_reporting)
		status |= STATUS_REPORTING;
	if (mouse->is_remote)
		status |= STATUS_REMOTE;
	answer(mouse, PS2_ACK);
	answer(mouse, status);
	answer(mouse, mouse->resolution);
	answer(mouse, mouse->rate);
}

/* Commands that answer more than an acknowledgement; false: not of them. */
static bool query(struct ps2_mouse *mouse, uint8_t byte)
{
	switch (byte) {
	case MOUSE_STATUS:
		answer_status(mouse);
		return true;
	case MOUSE_READ:
		answer(mouse, PS2_ACK);
		put_packet(mouse, false);
		return true;
	case MOUSE_IDENTIFY:
		answer(mouse, PS2_ACK);
		answer(mouse, mouse->id);
		return true;
	case MOUSE_RESEND:
		answer(mouse, mouse->last);
		return true;
	case MOUSE_RESET:
		ps2_mouse_reset(mouse);
		answer(mouse, PS2_ACK);
		answer(mouse, PS2_SELF_TEST);
		answer(mouse, mouse->id);
		return true;
	default:
		return false;
	}
}

static void command(struct ps2_mouse *mouse, uint8_t byte)
{
	switch (byte) {
	case MOUSE_SCALE_1:
	case MOUSE_SCALE_2:
		mouse->is_scaled = byte == MOUSE_SCALE_2;
		break;
	case MOUSE_SET_RESOLUTION:
	case MOUSE_SET_RATE:
		mouse->command = byte;
		break;
	case MOUSE_STREAM:
	case MOUSE_REMOTE:
		mouse->is_remote = byte == MOUSE_REMOTE;
		break;
	case MOUSE_WRAP:
	case MOUSE_WRAP_END:
		mouse->is_wrapping = byte == MOUSE_WRAP;
		break;
	case MOUSE_ENABLE:
	case MOUSE_DISABLE:
		mouse->is_reporting = byte == MOUSE_ENABLE;
		break;
	case MOUSE_DEFAULTS:
		set_defaults(mouse);
		break;
	default:
		answer(mouse, PS2_RESEND);
		return;
	}
	answer(mouse, PS2_ACK);
}

/* One in place of a parameter cancels what that was for. */
static void new_command(struct ps2_mouse *mouse, uint8_t byte)
{
	mouse->command = 0;
	mouse->was_wrong = false;
	if (!query(mouse, byte))
		command(mouse, byte);
}

void ps2_mouse_command(struct ps2_mouse *mouse, uint8_t byte)
{
	mouse->queue.count = 0;
	if (mouse->is_wrapping && byte != MOUSE_WRAP_END && byte != MOUSE_RESET)
		answer(mouse, byte);
	else if (mouse->command && byte < MOUSE_SCALE_1)
		parameter(mouse, byte);
	else
		new_command(mouse, byte);
}

/* ---- State ------------------------------------------------------------- */

#define MOVEMENT .min = (uint64_t)-MOVEMENT_MAX, .max = MOVEMENT_MAX

static const struct state_field fields[] = {
	STATE_VALUE(struct ps2_mouse, dx, MOVEMENT),
	STATE_VALUE(struct ps2_mouse, dy, MOVEMENT),
	STATE_VALUE(struct ps2_mouse, dz, MOVEMENT),
	STATE_STRUCT(struct ps2_mouse, queue, &ps2_queue_description),
	STATE_VALUE(struct ps2_mouse, command),
	STATE_VALUE(struct ps2_mouse, last),
	STATE_VALUE(struct ps2_mouse, id, .max = MOUSE_ID_FIVE),
	STATE_VALUE(struct ps2_mouse, resolution, .reset = 2, .max = 3),
	STATE_VALUE(struct ps2_mouse, rate, .reset = 100),
	STATE_ARRAY(struct ps2_mouse, knock),
	STATE_VALUE(struct ps2_mouse, buttons),
	STATE_VALUE(struct ps2_mouse, buttons_sent),
	STATE_VALUE(struct ps2_mouse, is_reporting),
	STATE_VALUE(struct ps2_mouse, is_remote),
	STATE_VALUE(struct ps2_mouse, is_wrapping),
	STATE_VALUE(struct ps2_mouse, is_scaled),
	STATE_VALUE(struct ps2_mouse, was_wrong),
	STATE_RESERVED(struct ps2_mouse, reserved),
};

const struct state_description ps2_mouse_description =
	STATE_DESCRIPTION(struct ps2_mouse, fields);

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
	state_reset(&ps2_mouse_description, mouse, STATE_RESET_WARM);
}
