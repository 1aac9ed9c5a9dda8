/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller and port 0x92.  See i8042.h for what is modelled
 * and what is not.
 *
 * Bytes come to the output buffer from three queues: the controller's own
 * replies, the keyboard, the mouse.  After software has read one, the devices
 * are quiet for as long as a byte takes on their wires: interrupt handlers
 * that chain to another read the same byte again, as they always could.
 *
 * References: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller".
 */
#include "devices/i8042.h"

#include "devices/ps2.h"
#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

#define PORT_DATA    0x60
#define PORT_COMMAND 0x64
#define PORT_FAST    0x92

#define STATUS_OBF	BIT(0)
#define STATUS_SYSTEM	BIT(2)
#define STATUS_COMMAND	BIT(3) /* the latest write went to 0x64 */
#define STATUS_UNLOCKED BIT(4)
#define STATUS_MOUSE	BIT(5) /* the output buffer's byte is the mouse's */
#define STATUS_LOW	MASK(3, 0)

/* Of a byte in the output buffer or on its way there, beside STATUS_MOUSE. */
#define SOURCE_DEVICE BIT(0)

/* ram[0], the command byte */
#define MODE_KBD_IRQ   BIT(0)
#define MODE_MOUSE_IRQ BIT(1)
#define MODE_SYSTEM    BIT(2)
#define MODE_KBD_OFF   BIT(4)
#define MODE_MOUSE_OFF BIT(5)
#define MODE_TRANSLATE BIT(6)

#define OUTPUT_NO_RESET BIT(0)
#define OUTPUT_A20	BIT(1)
#define OUTPUT_KBD	BIT(4)
#define OUTPUT_MOUSE	BIT(5)

#define FAST_RESET BIT(0)
#define FAST_A20   BIT(1)

enum controller_command {
	KBC_READ_RAM = 0x20,  /* to 0x3f */
	KBC_WRITE_RAM = 0x60, /* to 0x7f */
	KBC_PASSWORD_TEST = 0xa4,
	KBC_MOUSE_OFF = 0xa7,
	KBC_MOUSE_ON = 0xa8,
	KBC_MOUSE_TEST = 0xa9,
	KBC_SELF_TEST = 0xaa,
	KBC_KBD_TEST = 0xab,
	KBC_KBD_OFF = 0xad,
	KBC_KBD_ON = 0xae,
	KBC_READ_INPUT = 0xc0,
	KBC_POLL_INPUT_LOW = 0xc1, /* in the status until something else */
	KBC_POLL_INPUT_HIGH = 0xc2,
	KBC_READ_OUTPUT = 0xd0,
	KBC_WRITE_OUTPUT = 0xd1,
	KBC_FROM_KBD = 0xd2,
	KBC_FROM_MOUSE = 0xd3,
	KBC_TO_MOUSE = 0xd4,
	KBC_A20_OFF = 0xdd,
	KBC_A20_ON = 0xdf,
	KBC_READ_TEST = 0xe0,
	KBC_PULSE = 0xf0, /* to 0xff */
};

#define RAM_INDEX      MASK(4, 0)
#define SELF_TEST_OK   0x55
#define NO_PASSWORD    0xf1
#define INPUT_UNLOCKED 0x80
#define CODE_BREAK_2   0xf0
#define CODE_BREAK_1   BIT(7)

/* Eleven bits at 10 to 16 kHz, less than the slowest keyboard needs. */
#define BYTE_TIME_NS (500 * NSEC_PER_US)

/* ---- The output buffer ------------------------------------------------- */

static void update_irqs(struct i8042 *kbc)
{
	bool full = kbc->state.status & STATUS_OBF;
	bool is_mouse = kbc->state.status & STATUS_MOUSE;
	bool kbd = full && !is_mouse && (kbc->state.ram[0] & MODE_KBD_IRQ);
	bool mouse = full && is_mouse && (kbc->state.ram[0] & MODE_MOUSE_IRQ);

	if (kbd != kbc->state.kbd_level) {
		kbc->state.kbd_level = kbd;
		irq_line_set(&kbc->kbd_out, kbd);
	}
	if (mouse != kbc->state.mouse_level) {
		kbc->state.mouse_level = mouse;
		irq_line_set(&kbc->mouse_out, mouse);
	}
}

static void fill(struct i8042 *kbc, uint8_t byte, uint8_t source)
{
	kbc->state.output = byte;
	kbc->state.status &= (uint8_t)~STATUS_MOUSE;
	kbc->state.status |= STATUS_OBF | (source & STATUS_MOUSE);
	kbc->state.is_device_byte = source & SOURCE_DEVICE;
	update_irqs(kbc);
}

/* The keyboard's next byte as software sees it; false: none yet. */
static bool take_key(struct i8042 *kbc, uint8_t *byte)
{
	struct ps2_queue *queue = &kbc->state.keyboard.queue;

	while (queue->count) {
		*byte = ps2_queue_get(queue);
		kbc->state.keyboard.last = *byte;
		if (!(kbc->state.ram[0] & MODE_TRANSLATE))
			return true;
		if (*byte == CODE_BREAK_2) {
			kbc->state.has_break = true;
			continue;
		}
		*byte = ps2_translate(*byte);
		if (kbc->state.has_break)
			*byte |= CODE_BREAK_1;
		kbc->state.has_break = false;
		return true;
	}
	return false;
}

static bool has_device_byte(const struct i8042 *kbc)
{
	return (kbc->state.keyboard.queue.count &&
		!(kbc->state.ram[0] & MODE_KBD_OFF)) ||
	       (kbc->state.mouse.queue.count &&
		!(kbc->state.ram[0] & MODE_MOUSE_OFF));
}

unsigned i8042_unread(const struct i8042 *kbc)
{
	const struct i8042_state *state = &kbc->state;
	bool is_key = state->status & STATUS_OBF && state->is_device_byte &&
		      !(state->status & STATUS_MOUSE);

	return state->keyboard.queue.count + is_key;
}

static void fill_from_device(struct i8042 *kbc)
{
	uint8_t byte;

	if (!(kbc->state.ram[0] & MODE_KBD_OFF) && take_key(kbc, &byte)) {
		fill(kbc, byte, SOURCE_DEVICE);
	} else if (!(kbc->state.ram[0] & MODE_MOUSE_OFF) &&
		   kbc->state.mouse.queue.count) {
		kbc->state.mouse.last = ps2_queue_get(&kbc->state.mouse.queue);
		fill(kbc, kbc->state.mouse.last, SOURCE_DEVICE | STATUS_MOUSE);
		ps2_mouse_report(&kbc->state.mouse);
	}
}

/*
 * Who has sent a command takes the next byte for its answer, also when a key's
 * was waiting: that one comes after the controller's own.
 */
static bool displace(struct i8042 *kbc)
{
	if (!kbc->state.is_device_byte || !kbc->state.replies.count ||
	    ps2_queue_room(&kbc->state.replies) < 2)
		return false;
	ps2_queue_put(&kbc->state.replies,
		      SOURCE_DEVICE | (kbc->state.status & STATUS_MOUSE));
	ps2_queue_put(&kbc->state.replies, kbc->state.output);
	return true;
}

/* Fills the output buffer if it is empty and anybody has something to say. */
static void pump(struct i8042 *kbc)
{
	uint64_t now;

	if ((kbc->state.status & STATUS_OBF) && !displace(kbc))
		return;
	if (kbc->state.replies.count) {
		uint8_t source = ps2_queue_get(&kbc->state.replies);

		fill(kbc, ps2_queue_get(&kbc->state.replies), source);
		return;
	}
	if (!has_device_byte(kbc))
		return;
	now = clock_now(kbc->clock);
	if (now >= kbc->state.quiet_until_ns)
		fill_from_device(kbc);
	else
		clock_timer_arm(kbc->clock, &kbc->timer,
				kbc->state.quiet_until_ns);
}

static void expired(void *opaque)
{
	pump(opaque);
}

static void reply_from(struct i8042 *kbc, uint8_t source, uint8_t byte)
{
	if (ps2_queue_room(&kbc->state.replies) < 2)
		return;
	ps2_queue_put(&kbc->state.replies, source);
	ps2_queue_put(&kbc->state.replies, byte);
}

static void reply(struct i8042 *kbc, uint8_t byte)
{
	reply_from(kbc, 0, byte);
}

/* ---- Commands ---------------------------------------------------------- */

static uint8_t output_port(const struct i8042 *kbc)
{
	uint8_t value = kbc->state.output_port;

	if (kbc->state.status & STATUS_OBF)
		value |= kbc->state.status & STATUS_MOUSE ? OUTPUT_MOUSE
							  : OUTPUT_KBD;
	return value;
}

bool i8042_a20(const struct i8042 *kbc)
{
	return kbc->state.output_port & OUTPUT_A20;
}

static void set_a20(struct i8042 *kbc, bool is_on)
{
	if (i8042_a20(kbc) == is_on)
		return;
	kbc->state.output_port ^= OUTPUT_A20;
	irq_line_set(&kbc->a20_out, is_on);
}

static void set_output_port(struct i8042 *kbc, uint8_t value)
{
	set_a20(kbc, value & OUTPUT_A20);
	if (!(value & OUTPUT_NO_RESET) && kbc->reset)
		kbc->reset(kbc->ctx);
}

static void set_mode(struct i8042 *kbc, uint8_t mode)
{
	kbc->state.ram[0] = mode;
	kbc->state.status &= (uint8_t)~STATUS_SYSTEM;
	if (mode & MODE_SYSTEM)
		kbc->state.status |= STATUS_SYSTEM;
	update_irqs(kbc);
}

/* The commands above 0xa0 but for those that only await a parameter. */
static void do_command(struct i8042 *kbc, uint8_t command)
{
	switch (command) {
	case KBC_MOUSE_OFF:
		kbc->state.ram[0] |= MODE_MOUSE_OFF;
		break;
	case KBC_MOUSE_ON:
		kbc->state.ram[0] &= (uint8_t)~MODE_MOUSE_OFF;
		break;
	case KBC_KBD_OFF:
		kbc->state.ram[0] |= MODE_KBD_OFF;
		break;
	case KBC_KBD_ON:
		kbc->state.ram[0] &= (uint8_t)~MODE_KBD_OFF;
		break;
	case KBC_MOUSE_TEST:
	case KBC_KBD_TEST:
	case KBC_READ_TEST:
		reply(kbc, 0);
		break;
	case KBC_PASSWORD_TEST:
		reply(kbc, NO_PASSWORD);
		break;
	case KBC_SELF_TEST:
		kbc->state.status |= STATUS_SYSTEM;
		kbc->state.ram[0] |= MODE_SYSTEM;
		reply(kbc, SELF_TEST_OK);
		break;
	case KBC_READ_INPUT:
		reply(kbc, INPUT_UNLOCKED);
		break;
	case KBC_READ_OUTPUT:
		reply(kbc, output_port(kbc));
		break;
	case KBC_A20_OFF:
	case KBC_A20_ON:
		set_a20(kbc, command == KBC_A20_ON);
		break;
	}
}

static void write_command(struct i8042 *kbc, uint8_t command)
{
	kbc->state.status |= STATUS_COMMAND;
	kbc->state.command = 0;
	switch (command) {
	case KBC_READ_RAM ... KBC_READ_RAM + RAM_INDEX:
		reply(kbc, kbc->state.ram[command & RAM_INDEX]);
		break;
	case KBC_WRITE_RAM ... KBC_WRITE_RAM + RAM_INDEX:
	case KBC_POLL_INPUT_LOW:
	case KBC_POLL_INPUT_HIGH:
	case KBC_WRITE_OUTPUT:
	case KBC_FROM_KBD:
	case KBC_FROM_MOUSE:
	case KBC_TO_MOUSE:
		kbc->state.command = command;
		break;
	case KBC_PULSE ... 0xff:
		/* A bit of the output port goes low where the nibble has 0;
		 * bit 0 is the processor's reset. */
		if (!(command & OUTPUT_NO_RESET) && kbc->reset)
			kbc->reset(kbc->ctx);
		break;
	default:
		do_command(kbc, command);
	}
	pump(kbc);
}

static void write_data(struct i8042 *kbc, uint8_t byte)
{
	uint8_t command = kbc->state.command;

	kbc->state.status &= (uint8_t)~STATUS_COMMAND;
	kbc->state.command = 0;
	if (command >= KBC_WRITE_RAM && command <= KBC_WRITE_RAM + RAM_INDEX) {
		if (command & RAM_INDEX)
			kbc->state.ram[command & RAM_INDEX] = byte;
		else
			set_mode(kbc, byte);
	} else if (command == KBC_WRITE_OUTPUT) {
		set_output_port(kbc, byte);
	} else if (command == KBC_FROM_KBD) {
		reply(kbc, byte);
	} else if (command == KBC_FROM_MOUSE) {
		reply_from(kbc, STATUS_MOUSE, byte);
	} else if (command == KBC_TO_MOUSE) {
		/* Talking to a device switches its port on. */
		kbc->state.ram[0] &= (uint8_t)~MODE_MOUSE_OFF;
		ps2_mouse_command(&kbc->state.mouse, byte);
	} else {
		kbc->state.ram[0] &= (uint8_t)~MODE_KBD_OFF;
		kbc->state.has_break = false;
		ps2_keyboard_command(&kbc->state.keyboard, byte);
	}
	pump(kbc);
}

static uint8_t read_data(struct i8042 *kbc)
{
	uint8_t byte = kbc->state.output;

	if (!(kbc->state.status & STATUS_OBF))
		return byte;
	kbc->state.status &= (uint8_t) ~(STATUS_OBF | STATUS_MOUSE);
	update_irqs(kbc);
	if (has_device_byte(kbc))
		kbc->state.quiet_until_ns =
			clock_now(kbc->clock) + BYTE_TIME_NS;
	pump(kbc);
	return byte;
}

/* ---- Ports ------------------------------------------------------------- */

static void data_access(void *opaque, struct io_access *io)
{
	if (io->is_write)
		write_data(opaque, (uint8_t)io->data);
	else
		io->data = read_data(opaque);
}

static uint8_t read_status(const struct i8042 *kbc)
{
	uint8_t low = kbc->state.status & STATUS_LOW;

	switch (kbc->state.command) {
	case KBC_POLL_INPUT_LOW:
		return (uint8_t)(low | INPUT_UNLOCKED << 4);
	case KBC_POLL_INPUT_HIGH:
		return low | (INPUT_UNLOCKED & ~STATUS_LOW);
	default:
		return kbc->state.status;
	}
}

static void command_access(void *opaque, struct io_access *io)
{
	struct i8042 *kbc = opaque;

	if (io->is_write)
		write_command(kbc, (uint8_t)io->data);
	else
		io->data = read_status(kbc);
}

static void fast_access(void *opaque, struct io_access *io)
{
	struct i8042 *kbc = opaque;

	if (!io->is_write) {
		io->data = i8042_a20(kbc) ? FAST_A20 : 0;
		return;
	}
	set_a20(kbc, io->data & FAST_A20);
	if ((io->data & FAST_RESET) && kbc->reset)
		kbc->reset(kbc->ctx);
}

/* ---- Input from the user ----------------------------------------------- */

static void repeat_expired(void *opaque)
{
	struct i8042 *kbc = opaque;

	if (!ps2_keyboard_repeat(&kbc->state.keyboard))
		return;
	clock_timer_arm(kbc->clock, &kbc->repeat,
			clock_now(kbc->clock) +
				ps2_keyboard_period_ns(&kbc->state.keyboard));
	pump(kbc);
}

void i8042_key(struct i8042 *kbc, unsigned key, bool is_down)
{
	struct ps2_keyboard *keyboard = &kbc->state.keyboard;

	ps2_keyboard_key(keyboard, key, is_down);
	if (!keyboard->held)
		clock_timer_disarm(kbc->clock, &kbc->repeat);
	else if (is_down)
		clock_timer_arm(kbc->clock, &kbc->repeat,
				clock_now(kbc->clock) +
					ps2_keyboard_delay_ns(keyboard));
	pump(kbc);
}

void i8042_mouse(struct i8042 *kbc, int dx, int dy, int dz, uint8_t buttons)
{
	ps2_mouse_move(&kbc->state.mouse, dx, dy, dz, buttons);
	pump(kbc);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct i8042_state, quiet_until_ns),
	STATE_VALUE(struct i8042_state, timer_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct i8042_state, repeat_ns, .reset = CLOCK_NEVER),
	STATE_STRUCT(struct i8042_state, mouse, &ps2_mouse_description),
	STATE_STRUCT(struct i8042_state, keyboard, &ps2_keyboard_description),
	STATE_STRUCT(struct i8042_state, replies, &ps2_queue_description),
	STATE_ARRAY(struct i8042_state, ram),
	STATE_VALUE(struct i8042_state, status,
		    .reset = STATUS_COMMAND | STATUS_UNLOCKED),
	STATE_VALUE(struct i8042_state, output),
	STATE_VALUE(struct i8042_state, output_port,
		    .reset = OUTPUT_NO_RESET | OUTPUT_A20),
	STATE_VALUE(struct i8042_state, command),
	STATE_VALUE(struct i8042_state, has_break),
	STATE_VALUE(struct i8042_state, kbd_level),
	STATE_VALUE(struct i8042_state, mouse_level),
	STATE_VALUE(struct i8042_state, is_device_byte),
	STATE_RESERVED(struct i8042_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct i8042_state, fields);

static void tell_levels(void *opaque)
{
	struct i8042 *kbc = opaque;

	irq_line_set(&kbc->kbd_out, kbc->state.kbd_level);
	irq_line_set(&kbc->mouse_out, kbc->state.mouse_level);
	irq_line_set(&kbc->a20_out, i8042_a20(kbc));
}

static void reset_registers(void *opaque)
{
	struct i8042 *kbc = opaque;

	kbc->state.ram[0] = MODE_KBD_IRQ | MODE_MOUSE_IRQ;
	tell_levels(kbc);
}

/* Replies are pairs, and no pause is longer than a byte's time. */
static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct i8042_state *state = opaque;

	(void)dev;
	return state->replies.count % 2 == 0 &&
	       state->quiet_until_ns <= now_ns + BYTE_TIME_NS;
}

const struct device_ops i8042_ops = {
	.name = "i8042",
	.version = 2,
	.state = &description,
	.reset = reset_registers,
	.restored = tell_levels,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void i8042_reset(struct i8042 *kbc)
{
	device_reset(&kbc->device);
}

int i8042_init(struct i8042 *kbc, struct bus *ports, struct clock *clock,
	       struct irq_line kbd_out, struct irq_line mouse_out,
	       void (*reset)(void *ctx), void *ctx)
{
	struct io_region region = {
		.name = "i8042-data",
		.base = PORT_DATA,
		.length = 1,
		.fn = data_access,
		.dev = kbc,
		.width_max = 1,
	};
	int error;

	memset(kbc, 0, sizeof(*kbc));
	kbc->clock = clock;
	kbc->kbd_out = kbd_out;
	kbc->mouse_out = mouse_out;
	kbc->reset = reset;
	kbc->ctx = ctx;
	device_init(&kbc->device, &i8042_ops, kbc, &kbc->state);
	device_timer_init(&kbc->device, clock, &kbc->timer, expired, kbc,
			  &kbc->state.timer_ns);
	device_timer_init(&kbc->device, clock, &kbc->repeat, repeat_expired,
			  kbc, &kbc->state.repeat_ns);
	i8042_reset(kbc);
	error = bus_add(ports, &region);
	if (error)
		return error;
	region.name = "i8042-command";
	region.base = PORT_COMMAND;
	region.fn = command_access;
	error = bus_add(ports, &region);
	if (error)
		return error;
	region.name = "port92";
	region.base = PORT_FAST;
	region.fn = fast_access;
	return bus_add(ports, &region);
}
