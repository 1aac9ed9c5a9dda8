/* SPDX-License-Identifier: BSD-2-Clause */
/* VMware's backdoor.  See vmware.h. */
#include "devices/vmware.h"

#include "devices/bus.h"
#include "devices/i8042.h"
#include "devices/state.h"
#include "include/x86_state.h"
#include "lib/string.h"

#define PORT	0x5658
#define MAGIC	0x564d5868
#define VERSION 6
#define PRODUCT 2

enum vmware_call {
	CALL_VERSION = 10,
	CALL_DATA = 39,
	CALL_STATUS = 40,
	CALL_COMMAND = 41,
};

enum vmware_command {
	COMMAND_OFF = 0xf5,
	COMMAND_ON = 0x45414552,
	COMMAND_RELATIVE = 0x4c455252,
	COMMAND_ABSOLUTE = 0x53424152,
};

/* clang-format off */
#define STATUS_OFF	0xffff0000
#define POINTER_ID	0x3442554a
#define REPORT_WORDS	4
#define DATA_MAX	6

#define REPORT_MIDDLE	BIT(3)
#define REPORT_RIGHT	BIT(4)
#define REPORT_LEFT	BIT(5)
#define REPORT_RELATIVE	BIT(16)
/* clang-format on */

/* ---- The queue --------------------------------------------------------- */

static uint32_t *word(struct vmware_state *state, uint32_t at)
{
	return &state->queue[(state->head + at) % VMWARE_QUEUE];
}

static bool put(struct vmware_state *state, const uint32_t *words,
		uint32_t count)
{
	if (count > VMWARE_QUEUE - state->count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		*word(state, state->count + i) = words[i];
	state->count += count;
	state->is_report_last = count == REPORT_WORDS;
	return true;
}

static uint32_t take(struct vmware_state *state)
{
	uint32_t value = *word(state, 0);

	state->head = (state->head + 1) % VMWARE_QUEUE;
	state->count--;
	return value;
}

/* The pointer is a step further: one report of where it is now is enough. */
static bool replace(struct vmware_state *state, const uint32_t *words)
{
	uint32_t last = state->count - REPORT_WORDS;

	if (!state->is_report_last || state->count < REPORT_WORDS ||
	    words[0] & REPORT_RELATIVE || *word(state, last) != words[0] ||
	    *word(state, last + 3) || words[3])
		return false;
	*word(state, last + 1) = words[1];
	*word(state, last + 2) = words[2];
	return true;
}

void vmware_report(struct vmware *vmware, const struct vmware_report *report)
{
	uint32_t words[REPORT_WORDS] = { 0, (uint32_t)report->x,
					 (uint32_t)report->y,
					 (uint32_t)report->wheel };

	if (report->buttons & I8042_BUTTON_LEFT)
		words[0] |= REPORT_LEFT;
	if (report->buttons & I8042_BUTTON_RIGHT)
		words[0] |= REPORT_RIGHT;
	if (report->buttons & I8042_BUTTON_MIDDLE)
		words[0] |= REPORT_MIDDLE;
	if (report->is_relative)
		words[0] |= REPORT_RELATIVE;
	if (!replace(&vmware->state, words))
		(void)put(&vmware->state, words, REPORT_WORDS);
	vmware->ops->notify(vmware->ctx);
}

bool vmware_is_on(const struct vmware *vmware)
{
	return vmware->state.is_on;
}

bool vmware_is_absolute(const struct vmware *vmware)
{
	return vmware->state.is_on && vmware->state.is_absolute;
}

/* ---- Calls ------------------------------------------------------------- */

static void off(struct vmware_state *state)
{
	state->is_on = false;
	state->count = 0;
}

static void command(struct vmware_state *state, uint32_t which)
{
	const uint32_t id = POINTER_ID;

	switch (which) {
	case COMMAND_OFF:
		off(state);
		break;
	case COMMAND_ON:
		state->is_on = true;
		state->is_absolute = false;
		state->count = 0;
		(void)put(state, &id, 1);
		break;
	case COMMAND_RELATIVE:
		state->is_absolute = false;
		break;
	case COMMAND_ABSOLUTE:
		state->is_absolute = true;
		break;
	}
}

/* EAX is the caller's to write, where it is no data of the port's own. */
static uint32_t data(struct vmware_state *state, uint64_t *gpr, uint32_t count)
{
	static const uint8_t registers[DATA_MAX - 1] = { X86_RBX, X86_RCX,
							 X86_RDX, X86_RSI,
							 X86_RDI };
	uint32_t first;

	/* Driver and queue have lost each other. */
	if (!count || count > DATA_MAX || count > state->count) {
		off(state);
		return UINT32_MAX;
	}
	first = take(state);
	for (uint32_t i = 1; i < count; i++)
		gpr[registers[i - 1]] = take(state);
	return first;
}

static uint32_t call(struct vmware_state *state, uint64_t *gpr)
{
	switch ((uint16_t)gpr[X86_RCX]) {
	case CALL_VERSION:
		gpr[X86_RBX] = MAGIC;
		gpr[X86_RCX] = PRODUCT;
		return VERSION;
	case CALL_DATA:
		return data(state, gpr, (uint32_t)gpr[X86_RBX]);
	case CALL_STATUS:
		return (state->is_on ? 0 : STATUS_OFF) | state->count;
	case CALL_COMMAND:
		command(state, (uint32_t)gpr[X86_RBX]);
		return MAGIC;
	default:
		return UINT32_MAX;
	}
}

static void port_access(void *opaque, struct io_access *io)
{
	struct vmware *vmware = opaque;
	uint64_t *gpr = vmware->ops->registers(vmware->ctx);
	bool was_absolute = vmware_is_absolute(vmware);

	if (io->is_write || (uint32_t)gpr[X86_RAX] != MAGIC)
		return;
	io->data = call(&vmware->state, gpr);
	if (vmware->ops->changed && vmware_is_absolute(vmware) != was_absolute)
		vmware->ops->changed(vmware->ctx);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_ARRAY(struct vmware_state, queue),
	STATE_VALUE(struct vmware_state, head, .max = VMWARE_QUEUE - 1),
	STATE_VALUE(struct vmware_state, count, .max = VMWARE_QUEUE),
	STATE_VALUE(struct vmware_state, is_on),
	STATE_VALUE(struct vmware_state, is_absolute),
	STATE_VALUE(struct vmware_state, is_report_last),
	STATE_RESERVED(struct vmware_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct vmware_state, fields);

const struct device_ops vmware_device_ops = {
	.name = "vmware",
	.version = 1,
	.state = &description,
};

int vmware_init(struct vmware *vmware, struct bus *ports,
		const struct vmware_ops *ops, void *ctx)
{
	const struct io_region region = {
		.name = "vmware",
		.base = PORT,
		.length = 4,
		.fn = port_access,
		.dev = vmware,
		.width_min = 4,
	};

	memset(vmware, 0, sizeof(*vmware));
	device_init(&vmware->device, &vmware_device_ops, vmware,
		    &vmware->state);
	vmware->ops = ops;
	vmware->ctx = ctx;
	return bus_add(ports, &region);
}
