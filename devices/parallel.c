/* SPDX-License-Identifier: BSD-2-Clause */
/* The parallel port.  See parallel.h for what is modelled and what is not. */
#include "devices/parallel.h"

#include "devices/state.h"
#include "lib/string.h"

enum parallel_register {
	PARALLEL_DATA = 0,
	PARALLEL_STATUS = 1,
	PARALLEL_CONTROL = 2,
};

/* clang-format off */
#define STATUS_NO_INTERRUPT	BIT(2) /* low from an interrupt to a read */
#define STATUS_NO_ERROR		BIT(3)
#define STATUS_SELECTED		BIT(4)
#define STATUS_NO_ACKNOWLEDGE	BIT(6)
#define STATUS_NOT_BUSY		BIT(7)

#define CONTROL_STROBE		BIT(0) /* drives nSTROBE low */
#define CONTROL_NO_INIT		BIT(2) /* drives nINIT high */
#define CONTROL_SELECT		BIT(3) /* drives nSELECTIN low */
#define CONTROL_INTERRUPT	BIT(4)
#define CONTROL_INPUT		BIT(5) /* the data lines */
#define CONTROL_WRITABLE	MASK(5, 0)
#define CONTROL_ONES		MASK(7, 6) /* as those read that are not there */
/* As a BIOS leaves it, whose self-test does not write all of it. */
#define CONTROL_RESET	(CONTROL_ONES | CONTROL_NO_INIT | CONTROL_SELECT)

#define DATA_FLOATING	0xff
/* clang-format on */

static void update(struct parallel *parallel)
{
	irq_line_set(&parallel->out, parallel->state.is_pending);
}

static void acknowledged(struct parallel *parallel)
{
	parallel->state.phase = PARALLEL_ACKNOWLEDGED;
	if (parallel->state.control & CONTROL_INTERRUPT)
		parallel->state.is_pending = true;
	update(parallel);
}

/* The printer passes on what it has, if it can. */
static void pass_on(struct parallel *parallel)
{
	if (parallel->state.phase == PARALLEL_BUSY &&
	    parallel->backend.take(parallel->backend.ctx, parallel->state.byte))
		acknowledged(parallel);
}

void parallel_room(struct parallel *parallel)
{
	pass_on(parallel);
}

/* ---- Registers --------------------------------------------------------- */

static uint8_t status(const struct parallel *parallel)
{
	const struct parallel_state *state = &parallel->state;
	bool is_busy = !(state->control & CONTROL_NO_INIT) ||
		       state->phase == PARALLEL_STROBED ||
		       state->phase == PARALLEL_BUSY;
	unsigned value = STATUS_NO_ERROR | STATUS_SELECTED;

	if (!is_busy)
		value |= STATUS_NOT_BUSY;
	if (state->phase != PARALLEL_ACKNOWLEDGED)
		value |= STATUS_NO_ACKNOWLEDGE;
	if (!state->is_pending)
		value |= STATUS_NO_INTERRUPT;
	return (uint8_t)value;
}

static uint8_t status_read(struct parallel *parallel)
{
	uint8_t value;

	pass_on(parallel);
	value = status(parallel);
	if (parallel->state.phase == PARALLEL_ACKNOWLEDGED)
		parallel->state.phase = PARALLEL_READY;
	parallel->state.is_pending = false;
	update(parallel);
	return value;
}

/* What the printer makes of its inputs, which have changed. */
static void printer_listen(struct parallel *parallel, bool was_strobed)
{
	struct parallel_state *state = &parallel->state;
	bool is_strobed = state->control & CONTROL_STROBE;

	if (!(state->control & CONTROL_NO_INIT)) {
		state->phase = PARALLEL_READY;
		return;
	}
	if (is_strobed && !was_strobed && state->control & CONTROL_SELECT &&
	    state->phase != PARALLEL_BUSY) {
		state->byte = state->control & CONTROL_INPUT ? DATA_FLOATING
							     : state->data;
		state->phase = PARALLEL_STROBED;
		state->is_pending = false;
	} else if (!is_strobed && state->phase == PARALLEL_STROBED) {
		state->phase = PARALLEL_BUSY;
		pass_on(parallel);
	}
}

static void control_write(struct parallel *parallel, uint8_t value)
{
	bool was_strobed = parallel->state.control & CONTROL_STROBE;

	parallel->state.control = CONTROL_ONES | (value & CONTROL_WRITABLE);
	if (!(value & CONTROL_INTERRUPT))
		parallel->state.is_pending = false;
	printer_listen(parallel, was_strobed);
	update(parallel);
}

static uint8_t register_read(struct parallel *parallel, unsigned offset)
{
	switch ((enum parallel_register)offset) {
	case PARALLEL_DATA:
		return parallel->state.control & CONTROL_INPUT
			       ? DATA_FLOATING
			       : parallel->state.data;
	case PARALLEL_STATUS:
		return status_read(parallel);
	case PARALLEL_CONTROL:
		return parallel->state.control;
	}
	return DATA_FLOATING;
}

static void register_write(struct parallel *parallel, unsigned offset,
			   uint8_t value)
{
	if (offset == PARALLEL_DATA)
		parallel->state.data = value;
	else if (offset == PARALLEL_CONTROL)
		control_write(parallel, value);
}

static void register_access(void *opaque, struct io_access *io)
{
	struct parallel *parallel = opaque;
	unsigned offset = (unsigned)io->offset;

	if (io->is_write)
		register_write(parallel, offset, (uint8_t)io->data);
	else
		io->data = register_read(parallel, offset);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct parallel_state, data),
	STATE_VALUE(struct parallel_state, control, .reset = CONTROL_RESET,
		    .min = CONTROL_ONES, .max = 0xff),
	STATE_VALUE(struct parallel_state, byte),
	STATE_VALUE(struct parallel_state, phase, .max = PARALLEL_PHASES - 1),
	STATE_VALUE(struct parallel_state, is_pending),
	STATE_RESERVED(struct parallel_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct parallel_state, fields);

static void tell_line(void *opaque)
{
	update(opaque);
}

/* The wire is high for an interrupt that is wanted. */
static bool is_valid(const void *dev, const void *loaded, uint64_t now_ns)
{
	const struct parallel_state *state = loaded;

	(void)dev;
	(void)now_ns;
	return !state->is_pending || state->control & CONTROL_INTERRUPT;
}

const struct device_ops parallel_ops = {
	.name = "parallel",
	.version = 1,
	.state = &description,
	.reset = tell_line,
	.restored = tell_line,
	.is_valid = is_valid,
};

int parallel_init(struct parallel *parallel, struct bus *ports, uint16_t port,
		  struct irq_line out, struct parallel_backend backend)
{
	const struct io_region region = {
		.name = "parallel",
		.base = port,
		.length = PARALLEL_PORTS,
		.fn = register_access,
		.dev = parallel,
		.width_max = 1,
	};

	memset(parallel, 0, sizeof(*parallel));
	device_init(&parallel->device, &parallel_ops, parallel,
		    &parallel->state);
	parallel->out = out;
	parallel->backend = backend;
	return bus_add(ports, &region);
}
