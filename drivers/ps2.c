/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References: IBM PS/2 Hardware Technical Reference, "Keyboard and Auxiliary
 * Device Controller", "Keyboards"; Microsoft, "Keyboard Scan Code
 * Specification"; Synaptics, "PS/2 TouchPad Interfacing Guide" (the mouse's
 * packets and commands).
 */
#include "drivers/ps2.h"

#include "include/errno.h"

#define STATUS_OUTPUT BIT(0) /* a byte to read */
#define STATUS_INPUT  BIT(1) /* the last one is not taken yet */
#define STATUS_MOUSE  BIT(5) /* the byte to read is the mouse's */

#define CTL_READ_COMMAND  0x20
#define CTL_WRITE_COMMAND 0x60
#define CTL_ENABLE_MOUSE  0xa8
#define CTL_TO_MOUSE	  0xd4
#define CTL_DISABLE	  0xad
#define CTL_ENABLE	  0xae

#define COMMAND_IRQ_KEYBOARD BIT(0)
#define COMMAND_IRQ_MOUSE    BIT(1)
#define COMMAND_KEYBOARD_OFF BIT(4)
#define COMMAND_MOUSE_OFF    BIT(5)
#define COMMAND_TRANSLATE    BIT(6)

#define DEVICE_ACK     0xfa
#define MOUSE_RATE     0xf3
#define MOUSE_ID       0xf2
#define MOUSE_DEFAULTS 0xf6
#define MOUSE_ENABLE   0xf4
#define MOUSE_ID_WHEEL 3

#define SCAN_EXTENDED	  0xe0
#define SCAN_PAUSE	  0xe1
#define SCAN_PAUSE_LENGTH 5 /* bytes that follow the E1h */
#define SCAN_RELEASE	  BIT(7)

#define PACKET_BUTTONS MASK(2, 0)
#define PACKET_ALWAYS  BIT(3)
#define PACKET_X_SIGN  BIT(4)
#define PACKET_Y_SIGN  BIT(5)

#define FLUSH_MAX 64

static uint8_t status(const struct ps2 *ps2)
{
	return ps2->ops->read(ps2->ctx, PS2_STATUS);
}

static void put(const struct ps2 *ps2, uint16_t port, uint8_t value)
{
	for (unsigned i = 0; i < PS2_ANSWER_READS; i++)
		if (!(status(ps2) & STATUS_INPUT))
			break;
	ps2->ops->write(ps2->ctx, port, value);
}

/* The next byte, or -1. */
static int get(const struct ps2 *ps2)
{
	for (unsigned i = 0; i < PS2_ANSWER_READS; i++)
		if (status(ps2) & STATUS_OUTPUT)
			return ps2->ops->read(ps2->ctx, PS2_DATA);
	return -1;
}

static void flush(const struct ps2 *ps2)
{
	for (unsigned i = 0; i < FLUSH_MAX; i++) {
		if (!(status(ps2) & STATUS_OUTPUT))
			return;
		(void)ps2->ops->read(ps2->ctx, PS2_DATA);
	}
}

/* ---- The mouse ----------------------------------------------------------- */

static bool mouse_tell(const struct ps2 *ps2, uint8_t byte)
{
	put(ps2, PS2_STATUS, CTL_TO_MOUSE);
	put(ps2, PS2_DATA, byte);
	return get(ps2) == DEVICE_ACK;
}

static bool mouse_rate(const struct ps2 *ps2, uint8_t rate)
{
	return mouse_tell(ps2, MOUSE_RATE) && mouse_tell(ps2, rate);
}

static void mouse_init(struct ps2 *ps2)
{
	put(ps2, PS2_STATUS, CTL_ENABLE_MOUSE);
	if (!mouse_tell(ps2, MOUSE_DEFAULTS))
		return;
	ps2->packet_length = 3;
	if (mouse_rate(ps2, 200) && mouse_rate(ps2, 100) &&
	    mouse_rate(ps2, 80) && mouse_tell(ps2, MOUSE_ID) &&
	    get(ps2) == MOUSE_ID_WHEEL) {
		ps2->has_wheel = true;
		ps2->packet_length = 4;
	}
	ps2->has_mouse = mouse_rate(ps2, 100) && mouse_tell(ps2, MOUSE_ENABLE);
}

int ps2_init(struct ps2 *ps2, const struct port_ops *ops, void *ctx)
{
	int command;

	*ps2 = (struct ps2){ .ops = ops, .ctx = ctx };
	if (status(ps2) == 0xff)
		return -ENODEV; /* nothing decodes the port */
	put(ps2, PS2_STATUS, CTL_DISABLE);
	flush(ps2);
	put(ps2, PS2_STATUS, CTL_READ_COMMAND);
	command = get(ps2);
	if (command < 0)
		return -ENODEV;
	mouse_init(ps2);
	command |= COMMAND_IRQ_KEYBOARD | COMMAND_TRANSLATE;
	command &= ~(int)COMMAND_KEYBOARD_OFF;
	if (ps2->has_mouse) {
		command |= COMMAND_IRQ_MOUSE;
		command &= ~(int)COMMAND_MOUSE_OFF;
	}
	put(ps2, PS2_STATUS, CTL_WRITE_COMMAND);
	put(ps2, PS2_DATA, (uint8_t)command);
	put(ps2, PS2_STATUS, CTL_ENABLE);
	ps2->is_there = true;
	return 0;
}

/* ---- What comes ---------------------------------------------------------- */

/* Behind E0h; those that no keyboard has are 0. */
static uint16_t extended_key(uint8_t code)
{
	/* clang-format off */
	static const uint16_t keys[128] = {
		[0x1c] = INPUT_KEY_KEYPAD_ENTER, [0x1d] = INPUT_KEY_RIGHT_CTRL,
		[0x35] = INPUT_KEY_KEYPAD_SLASH, [0x37] = INPUT_KEY_PRINT,
		[0x38] = INPUT_KEY_RIGHT_ALT,	 [0x46] = INPUT_KEY_PAUSE,
		[0x47] = INPUT_KEY_HOME,	 [0x48] = INPUT_KEY_UP,
		[0x49] = INPUT_KEY_PAGE_UP,	 [0x4b] = INPUT_KEY_LEFT,
		[0x4d] = INPUT_KEY_RIGHT,	 [0x4f] = INPUT_KEY_END,
		[0x50] = INPUT_KEY_DOWN,	 [0x51] = INPUT_KEY_PAGE_DOWN,
		[0x52] = INPUT_KEY_INSERT,	 [0x53] = INPUT_KEY_DELETE,
		[0x5b] = INPUT_KEY_LEFT_META,	 [0x5c] = INPUT_KEY_RIGHT_META,
		[0x5d] = INPUT_KEY_MENU,
	};
	/* clang-format on */

	return keys[code];
}

static unsigned key_event(struct input_event *event, uint16_t key, bool is_down)
{
	if (!key)
		return 0;
	*event = (struct input_event){ INPUT_KEY, key, is_down };
	return 1;
}

static unsigned key_byte(struct ps2 *ps2, uint8_t byte,
			 struct input_event *event)
{
	uint8_t code = byte & (uint8_t)~SCAN_RELEASE;
	bool is_down = !(byte & SCAN_RELEASE);
	uint8_t prefix = ps2->prefix;

	if (ps2->skip) {
		/* Pause says that it is pressed and released at once. */
		if (--ps2->skip)
			return 0;
		return key_event(event, INPUT_KEY_PAUSE, true) +
		       key_event(event + 1, INPUT_KEY_PAUSE, false);
	}
	if (byte == SCAN_PAUSE) {
		ps2->skip = SCAN_PAUSE_LENGTH;
		return 0;
	}
	ps2->prefix = byte == SCAN_EXTENDED ? byte : 0;
	if (byte == SCAN_EXTENDED)
		return 0;
	if (prefix)
		return key_event(event, extended_key(code), is_down);
	return key_event(event, code < INPUT_KEY_SAME_AS_SET_1 ? code : 0,
			 is_down);
}

static unsigned mouse_packet(struct ps2 *ps2, struct input_event *event)
{
	static const uint16_t codes[] = { INPUT_BUTTON_LEFT, INPUT_BUTTON_RIGHT,
					  INPUT_BUTTON_MIDDLE };
	const uint8_t *packet = ps2->packet;
	int32_t x = packet[1] - (packet[0] & PACKET_X_SIGN ? 256 : 0);
	int32_t y = packet[2] - (packet[0] & PACKET_Y_SIGN ? 256 : 0);
	uint8_t buttons = packet[0] & PACKET_BUTTONS;
	unsigned n = 0;

	if (x)
		event[n++] = (struct input_event){ INPUT_RELATIVE, INPUT_X, x };
	if (y) /* upwards there */
		event[n++] =
			(struct input_event){ INPUT_RELATIVE, INPUT_Y, -y };
	if (ps2->has_wheel && packet[3])
		event[n++] = (struct input_event){ INPUT_RELATIVE, INPUT_WHEEL,
						   -(int8_t)packet[3] };
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		if ((buttons ^ ps2->buttons) & BIT(i))
			event[n++] =
				(struct input_event){ INPUT_KEY, codes[i],
						      (buttons & BIT(i)) != 0 };
	ps2->buttons = buttons;
	if (n)
		event[n++] = (struct input_event){ .kind = INPUT_SYNC };
	return n;
}

static unsigned mouse_byte(struct ps2 *ps2, uint8_t byte,
			   struct input_event *event)
{
	/* Bytes were lost: a packet begins with one that has this bit. */
	if (!ps2->byte_count && !(byte & PACKET_ALWAYS))
		return 0;
	ps2->packet[ps2->byte_count++] = byte;
	if (ps2->byte_count < ps2->packet_length)
		return 0;
	ps2->byte_count = 0;
	return mouse_packet(ps2, event);
}

unsigned ps2_read(struct ps2 *ps2, struct input_event event[PS2_EVENTS])
{
	unsigned n = 0;

	for (unsigned i = 0; ps2->is_there && !n && i < FLUSH_MAX; i++) {
		uint8_t is = status(ps2), byte;

		if (!(is & STATUS_OUTPUT))
			break;
		byte = ps2->ops->read(ps2->ctx, PS2_DATA);
		if (!(is & STATUS_MOUSE))
			n = key_byte(ps2, byte, event);
		else if (ps2->has_mouse)
			n = mouse_byte(ps2, byte, event);
	}
	return n;
}
