/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller's registers, its interrupts, its timer.  See fdc.h for what is
 * modelled and what is not.
 *
 * References: Intel 82077AA data sheet, "Register Set Description", "Reset",
 * "DMA Transfers", "Controller Phases".
 */
#include "devices/fdc.h"

#include "devices/fdc_internal.h"
#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define FDC_BASE	0x3f0
#define FDC_LENGTH	6
#define FDC_RATE_PORT	0x3f7

#define REGISTER_DOR	2
#define REGISTER_TDR	3
#define REGISTER_MSR	4 /* written: DSR */
#define REGISTER_FIFO	5

#define MSR_REQUEST	BIT(7)
#define MSR_OUT		BIT(6) /* of the controller */
#define MSR_NO_DMA	BIT(5)
#define MSR_BUSY	BIT(4)

#define DSR_RESET	BIT(7)
#define RATE		MASK(1, 0)
#define TDR_TAPE	MASK(1, 0)
#define DIR_CHANGED	BIT(7)
#define FLOATING	0xff /* bits that nobody drives */

#define RESET_NS	(NSEC_PER_SEC / 10000)
/* clang-format on */

/* ---- Lines --------------------------------------------------------------- */

static bool is_interrupt_high(const struct fdc *fdc)
{
	return fdc->state.is_interrupting && fdc->state.dor & DOR_GATE;
}

static bool is_requesting(const struct fdc *fdc)
{
	return fdc->state.phase == FDC_PHASE_EXECUTION && !fdc_is_pio(fdc) &&
	       fdc->state.dor & DOR_GATE && fdc_code(fdc) != CODE_READ_ID &&
	       fdc_code(fdc) != CODE_VERIFY;
}

void fdc_lines_update(struct fdc *fdc)
{
	irq_line_set(&fdc->irq, is_interrupt_high(fdc));
	dma_line_set(&fdc->dma, is_requesting(fdc));
}

void fdc_interrupt_set(struct fdc *fdc, bool level)
{
	fdc->state.is_interrupting = level;
	irq_line_set(&fdc->irq, is_interrupt_high(fdc));
}

bool fdc_is_pio(const struct fdc *fdc)
{
	return fdc->state.specify[1] & SPECIFY_NO_DMA;
}

/* ---- Time ---------------------------------------------------------------- */

void fdc_schedule(struct fdc *fdc)
{
	const struct fdc_state *state = &fdc->state;
	uint64_t next = MIN(state->step_ns, state->reset_ns);

	for (unsigned unit = 0; unit < FDC_UNITS; unit++)
		next = MIN(next, state->unit[unit].seek_ns);
	if (next != CLOCK_NEVER) /* never now: it would not end */
		next = MAX(next, clock_now(fdc->clock) + 1);
	clock_timer_arm(fdc->clock, &fdc->timer, next);
}

void fdc_step_at(struct fdc *fdc, enum fdc_step step, uint64_t when_ns)
{
	fdc->state.step = (uint8_t)step;
	fdc->state.step_ns = when_ns;
	fdc_schedule(fdc);
}

/* Polling tells of all four drives at once. */
static void polled(struct fdc *fdc)
{
	fdc->state.reset_ns = CLOCK_NEVER;
	fdc->state.reset_senses = FDC_UNITS;
	fdc_interrupt_set(fdc, true);
}

static void expired(void *opaque)
{
	struct fdc *fdc = opaque;
	struct fdc_state *state = &fdc->state;
	uint64_t now = clock_now(fdc->clock);

	if (state->reset_ns <= now)
		polled(fdc);
	for (unsigned unit = 0; unit < FDC_UNITS; unit++)
		if (state->unit[unit].seek_ns <= now)
			fdc_seek_end(fdc, unit);
	if (state->step_ns <= now) {
		state->step_ns = CLOCK_NEVER;
		fdc_step(fdc);
	}
	fdc_schedule(fdc);
}

/* ---- Phases -------------------------------------------------------------- */

void fdc_idle(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;

	state->phase = FDC_PHASE_COMMAND;
	state->command_position = 0;
	state->command_length = 0;
	state->pio = FDC_PIO_NONE;
	fdc_step_at(fdc, FDC_STEP_NONE, CLOCK_NEVER);
	fdc_lines_update(fdc);
}

void fdc_result(struct fdc *fdc, bool is_interrupting)
{
	struct fdc_state *state = &fdc->state;

	state->phase = FDC_PHASE_RESULT;
	state->command_position = 0;
	state->result_position = 0;
	state->pio = FDC_PIO_NONE;
	state->is_result_told = is_interrupting;
	fdc_step_at(fdc, FDC_STEP_NONE, CLOCK_NEVER);
	if (is_interrupting)
		state->is_interrupting = true;
	fdc_lines_update(fdc);
}

static uint8_t result_read(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	uint8_t byte = state->result[state->result_position];

	if (state->is_result_told) {
		state->is_result_told = false;
		fdc_interrupt_set(fdc, false);
	}
	if (++state->result_position >= state->result_length) {
		state->result_position = 0;
		fdc_idle(fdc);
	}
	return byte;
}

static void command_write(struct fdc *fdc, uint8_t byte)
{
	struct fdc_state *state = &fdc->state;

	if (!state->command_position) {
		memset(state->command, 0, sizeof(state->command));
		state->command_length = (uint8_t)fdc_command_length(byte);
	}
	state->command[state->command_position] = byte;
	if (++state->command_position < state->command_length)
		return;
	state->command_position = 0;
	fdc_command_run(fdc);
}

/* ---- Data by software ---------------------------------------------------- */

/* So many bytes are asked for by one interrupt. */
static unsigned pio_chunk(const struct fdc *fdc)
{
	if (fdc->state.configure & CONFIGURE_NO_FIFO)
		return 1;
	return (unsigned)FIELD_GET(CONFIGURE_THRESHOLD, fdc->state.configure) +
	       1;
}

void fdc_pio_begin(struct fdc *fdc, enum fdc_pio pio, unsigned bytes)
{
	fdc->state.pio = (uint8_t)pio;
	fdc->state.pio_position = 0;
	fdc->state.pio_end = (uint16_t)bytes;
	fdc_step_at(fdc, FDC_STEP_NONE, CLOCK_NEVER);
	fdc_interrupt_set(fdc, true);
}

static void pio_advance(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	unsigned position = state->pio_position + 1U;
	bool is_end = position >= state->pio_end;

	state->pio_position = (uint16_t)(is_end ? 0 : position);
	if (!is_end && position % pio_chunk(fdc))
		return;
	fdc_interrupt_set(fdc, false);
	if (is_end) {
		state->pio = FDC_PIO_NONE;
		fdc_pio_done(fdc);
	} else {
		fdc_interrupt_set(fdc, true);
	}
}

static uint8_t fifo_read(struct fdc *fdc)
{
	uint8_t byte = 0;

	if (fdc->state.phase == FDC_PHASE_RESULT)
		return result_read(fdc);
	if (fdc->state.pio == FDC_PIO_IN) {
		byte = fdc->state.buffer[fdc->state.pio_position];
		pio_advance(fdc);
	}
	return byte;
}

static void fifo_write(struct fdc *fdc, uint8_t byte)
{
	if (fdc->state.phase == FDC_PHASE_COMMAND) {
		command_write(fdc, byte);
	} else if (fdc->state.pio == FDC_PIO_OUT) {
		fdc_pio_put(fdc, byte);
		pio_advance(fdc);
	}
}

/* ---- Reset by software --------------------------------------------------- */

static void request_drop(struct fdc *fdc)
{
	struct block_request *request = &fdc->request;

	if (!fdc->is_submitted || fdc->is_stale)
		return;
	fdc->is_stale = true;
	if (fdc->medium->cancel)
		fdc->medium->cancel(fdc->medium->ctx, request);
}

static void units_clear(struct fdc *fdc)
{
	for (unsigned unit = 0; unit < FDC_UNITS; unit++)
		fdc->state.unit[unit] =
			(struct fdc_unit_state){ .seek_ns = CLOCK_NEVER };
}

/* What a command was at ends; drives stand where they stand. */
static void reset_begin(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;

	request_drop(fdc);
	units_clear(fdc);
	state->reset_senses = 0;
	state->reset_ns = CLOCK_NEVER;
	state->is_interrupting = false;
	state->is_result_told = false;
	state->result_length = 0;
	state->result_position = 0;
	state->perpendicular &= (uint8_t)~FDC_PERPENDICULAR_MODE;
	if (state->is_locked) {
		state->configure &= CONFIGURE_NO_FIFO | CONFIGURE_THRESHOLD;
	} else {
		state->configure = FDC_CONFIGURE_RESET;
		state->precompensation_track = 0;
	}
	fdc_idle(fdc);
}

static void reset_end(struct fdc *fdc)
{
	fdc->state.reset_ns = clock_now(fdc->clock) + RESET_NS;
	fdc_schedule(fdc);
}

/* ---- Registers ----------------------------------------------------------- */

static void dor_write(struct fdc *fdc, uint8_t value)
{
	uint8_t before = fdc->state.dor;

	fdc->state.dor = value;
	if (!(value & DOR_NOT_RESET))
		reset_begin(fdc);
	else if (!(before & DOR_NOT_RESET))
		reset_end(fdc);
	/* A command that has waited for a disk to turn. */
	if (fdc->state.step == FDC_STEP_START &&
	    fdc->state.step_ns == CLOCK_NEVER)
		fdc_step_at(fdc, FDC_STEP_START,
			    clock_now(fdc->clock) + FDC_MOMENT_NS);
	fdc_lines_update(fdc);
}

static void dsr_write(struct fdc *fdc, uint8_t value)
{
	fdc->state.rate = value & RATE;
	if (!(value & DSR_RESET) || !(fdc->state.dor & DOR_NOT_RESET))
		return;
	reset_begin(fdc);
	reset_end(fdc);
}

static uint8_t msr_read(const struct fdc *fdc)
{
	const struct fdc_state *state = &fdc->state;
	uint8_t msr = 0;

	if (!(state->dor & DOR_NOT_RESET))
		return 0;
	for (unsigned unit = 0; unit < FDC_UNITS; unit++)
		if (state->unit[unit].seek != FDC_SEEK_NONE)
			msr |= (uint8_t)BIT(unit);
	switch (state->phase) {
	case FDC_PHASE_COMMAND:
		return msr | MSR_REQUEST |
		       (state->command_position ? MSR_BUSY : 0);
	case FDC_PHASE_RESULT:
		return msr | MSR_REQUEST | MSR_OUT | MSR_BUSY;
	default:
		break;
	}
	msr |= MSR_BUSY;
	if (fdc_is_pio(fdc))
		msr |= MSR_NO_DMA;
	if (state->pio != FDC_PIO_NONE)
		msr |= MSR_REQUEST;
	if (state->pio == FDC_PIO_IN)
		msr |= MSR_OUT;
	return msr;
}

static void register_write(struct fdc *fdc, unsigned number, uint8_t value)
{
	switch (number) {
	case REGISTER_DOR:
		dor_write(fdc, value);
		break;
	case REGISTER_TDR:
		fdc->state.tdr = value & TDR_TAPE;
		break;
	case REGISTER_MSR:
		dsr_write(fdc, value);
		break;
	case REGISTER_FIFO:
		if (fdc->state.dor & DOR_NOT_RESET)
			fifo_write(fdc, value);
		break;
	default:
		break;
	}
}

static uint8_t register_read(struct fdc *fdc, unsigned number)
{
	switch (number) {
	case REGISTER_DOR:
		return fdc->state.dor;
	case REGISTER_TDR:
		return fdc->state.tdr | (uint8_t)~TDR_TAPE;
	case REGISTER_MSR:
		return msr_read(fdc);
	case REGISTER_FIFO:
		return fdc->state.dor & DOR_NOT_RESET ? fifo_read(fdc) : 0;
	default:
		return FLOATING;
	}
}

static void register_access(void *opaque, struct io_access *io)
{
	struct fdc *fdc = opaque;

	if (io->is_write)
		register_write(fdc, (unsigned)io->offset, (uint8_t)io->data);
	else
		io->data = register_read(fdc, (unsigned)io->offset);
}

/* DIR, of which the fixed disk's controller once had the other bits; CCR. */
static void rate_access(void *opaque, struct io_access *io)
{
	struct fdc *fdc = opaque;
	unsigned unit = (unsigned)FIELD_GET(DOR_SELECT, fdc->state.dor);

	if (io->is_write)
		fdc->state.rate = io->data & RATE;
	else
		io->data = (uint8_t)(FLOATING & ~DIR_CHANGED) |
			   (fdc_is_changed(fdc, unit) ? DIR_CHANGED : 0);
}

/* ---- Media --------------------------------------------------------------- */

static int medium_set(struct fdc_drive *drive, struct block_backend *medium)
{
	const struct floppy_format *format = NULL;

	if (medium) {
		format = floppy_format_find(medium->sector_count);
		if (!format || !floppy_drive_takes(drive->type, format))
			return -EINVAL;
	}
	drive->medium = medium;
	drive->format = format;
	return 0;
}

int fdc_medium_change(struct fdc *fdc, unsigned unit,
		      struct block_backend *medium)
{
	struct fdc_drive *drive = fdc_drive(fdc, unit);
	struct fdc_drive_state *state;
	int error;

	if (!drive)
		return -EINVAL;
	error = medium_set(drive, medium);
	if (error)
		return error;
	state = fdc_drive_state(fdc, unit);
	state->is_changed = true;
	memset(state->deleted, 0, sizeof(state->deleted));
	if (fdc->state.step == FDC_STEP_START &&
	    fdc->state.step_ns == CLOCK_NEVER)
		fdc_step_at(fdc, FDC_STEP_START,
			    clock_now(fdc->clock) + FDC_MOMENT_NS);
	return 0;
}

/* ---- Life ---------------------------------------------------------------- */

static void reset(void *opaque)
{
	struct fdc *fdc = opaque;

	request_drop(fdc);
	fdc_lines_update(fdc);
}

static void restored(void *opaque)
{
	fdc_lines_update(opaque);
}

static bool is_idle(const void *dev)
{
	const struct fdc *fdc = dev;

	return !fdc->is_submitted;
}

const struct device_ops fdc_ops = {
	.name = "fdc",
	.version = 1,
	.state = &fdc_description,
	.reset = reset,
	.restored = restored,
	.is_valid = fdc_state_is_valid,
	.is_idle = is_idle,
};

void fdc_reset(struct fdc *fdc)
{
	device_reset(&fdc->device);
}

int fdc_init(struct fdc *fdc, const struct fdc_config *config)
{
	const struct io_region regions[] = {
		{ .name = "fdc",
		  .base = FDC_BASE,
		  .length = FDC_LENGTH,
		  .fn = register_access,
		  .dev = fdc,
		  .width_max = 1 },
		{ .name = "fdc-rate",
		  .base = FDC_RATE_PORT,
		  .length = 1,
		  .fn = rate_access,
		  .dev = fdc,
		  .width_max = 1 },
	};
	int error = 0;

	memset(fdc, 0, sizeof(*fdc));
	fdc->clock = config->clock;
	fdc->irq = config->irq;
	fdc->dma = config->dma;
	for (unsigned i = 0; i < FDC_DRIVES && !error; i++) {
		fdc->drive[i].type = config->drive[i].type;
		error = medium_set(&fdc->drive[i], config->drive[i].medium);
	}
	device_init(&fdc->device, &fdc_ops, fdc, &fdc->state);
	device_timer_init(&fdc->device, config->clock, &fdc->timer, expired,
			  fdc, &fdc->state.timer_ns);
	for (unsigned i = 0; i < ARRAY_SIZE(regions) && !error; i++)
		error = bus_add(config->ports, &regions[i]);
	return error;
}
