/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller of a PC/AT with a PS/2 keyboard and a PS/2 mouse,
 * and port 0x92.
 *
 * Modelled: all controller commands in use, the three scan sets with
 * translation, the keyboard's and the mouse's command sets, typematic, set 3's
 * kinds of keys, IntelliMouse (wheel) and Explorer (five buttons) protocols,
 * pacing of the bytes as software that reads one twice expects, the reset
 * pulse.  Not modelled: the password (there is none).  What the A20 gate does
 * to memory is the board's business: see .a20_out.
 *
 * References: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller"; 8042 data sheet; Microsoft, "Wheel Support".
 */
#ifndef BULKHEAD_DEVICES_I8042_H
#define BULKHEAD_DEVICES_I8042_H

#include "devices/bus.h"
#include "include/device.h"

#define PS2_QUEUE 64

struct ps2_queue {
	uint8_t data[PS2_QUEUE];
	uint8_t head;
	uint8_t count;
};

/* Of scan set 3, where software chooses what a key says. */
#define PS2_SET3_CODES 0x90

enum ps2_key_kind {
	PS2_KEY_DEFAULT,
	PS2_KEY_TYPEMATIC,
	PS2_KEY_MAKE_BREAK,
	PS2_KEY_MAKE,
	PS2_KEY_ALL, /* typematic, make and break */
};

struct ps2_keyboard {
	struct ps2_queue queue;
	uint8_t command; /* awaiting its parameter, or 0 */
	uint8_t last;	 /* for Resend */
	uint8_t leds;
	uint8_t rate;	  /* of typematic, and its delay */
	uint8_t scan_set; /* 1 to 3 */
	bool is_scanning;
	uint16_t held; /* the key that repeats; 0: none */
	uint8_t kind[PS2_SET3_CODES];
};

struct ps2_mouse {
	int32_t dx, dy, dz; /* not yet reported; y grows upwards */
	struct ps2_queue queue;
	uint8_t command; /* awaiting its parameter, or 0 */
	uint8_t last;
	uint8_t id; /* 0, 3 (wheel) or 4 (five buttons) */
	uint8_t resolution;
	uint8_t rate;
	uint8_t knock[3]; /* latest sample rates: the key to other ids */
	uint8_t buttons;
	uint8_t buttons_sent;
	bool is_reporting;
	bool is_remote;
	bool is_wrapping;
	bool is_scaled; /* 2:1 */
	bool was_wrong; /* the parameter, once */
	uint8_t reserved[3];
};

struct i8042_state {
	uint64_t quiet_until_ns; /* devices send no byte before */
	uint64_t timer_ns;
	uint64_t repeat_ns;
	struct ps2_mouse mouse;
	struct ps2_keyboard keyboard;
	/* The controller's own, and what they displaced: source, byte. */
	struct ps2_queue replies;
	uint8_t ram[32]; /* [0] is the command byte */
	uint8_t status;
	uint8_t output; /* the output buffer */
	uint8_t output_port;
	uint8_t command; /* awaiting its parameter, or 0 */
	bool has_break;	 /* translation has swallowed an 0xf0 */
	bool kbd_level;
	bool mouse_level;
	bool is_device_byte; /* the output buffer's, not a reply */
	uint8_t reserved[12];
};

struct i8042 {
	struct device device;
	struct i8042_state state;
	struct irq_line kbd_out;
	struct irq_line mouse_out;
	struct clock *clock;
	struct clock_timer timer;
	struct clock_timer repeat; /* typematic */
	void (*reset)(void *ctx);  /* pulls the processor's reset line */
	void *ctx;
	/* Low: bit 20 of the processors' addresses is 0.  The board connects
	 * it when all is built; told at changes, resets and restores. */
	struct irq_line a20_out;
};

extern const struct device_ops i8042_ops;

/* Keys are named by their set 1 make codes; with this for an 0xe0 before. */
#define I8042_KEY_EXTENDED 0x100
#define I8042_KEY_PRINT	   (I8042_KEY_EXTENDED | 0x37)
#define I8042_KEY_PAUSE	   0x200

/* Takes ports 0x60, 0x64 and 0x92. */
int __must_check i8042_init(struct i8042 *kbc, struct bus *ports,
			    struct clock *clock, struct irq_line kbd_out,
			    struct irq_line mouse_out, void (*reset)(void *ctx),
			    void *ctx);
void i8042_reset(struct i8042 *kbc);

/* The level of .a20_out. */
bool i8042_a20(const struct i8042 *kbc);

/*
 * A key goes down or up.  One that is held repeats by itself; a host whose keys
 * repeat may say down again and again, and the key then waits for its delay.
 */
void i8042_key(struct i8042 *kbc, unsigned key, bool is_down);
/* Bytes of keys that software has not read. */
unsigned i8042_unread(const struct i8042 *kbc);

#define I8042_BUTTON_LEFT   BIT(0)
#define I8042_BUTTON_RIGHT  BIT(1)
#define I8042_BUTTON_MIDDLE BIT(2)
#define I8042_BUTTON_4	    BIT(3)
#define I8042_BUTTON_5	    BIT(4)

/* Movement since the last call, y upwards, wheel towards the user. */
void i8042_mouse(struct i8042 *kbc, int dx, int dy, int dz, uint8_t buttons);

#endif
