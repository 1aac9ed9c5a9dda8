/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller's commands, but for those that move data: see fdc.h.
 *
 * References: Intel 82077AA data sheet, "Command Set/Descriptions".
 */
#include "devices/fdc.h"

#include "devices/fdc_internal.h"
#include "lib/string.h"

#define RECALIBRATE_STEPS 79
#define CYLINDERS_BEYOND  2 /* where the stop is, behind the last one */
#define VERSION_82077	  0x90
#define LOCK_IT		  BIT(7)
#define RELATIVE	  BIT(7)
#define RELATIVE_IN	  BIT(6)

/* clang-format off */
#define SPECIFY_STEP	MASK(7, 4)
#define PERPENDICULAR_OVERWRITE	BIT(7)
#define PERPENDICULAR_DRIVES	MASK(5, 2)
/* clang-format on */

/* ---- Time ---------------------------------------------------------------- */

/* Those of the data sheet are at 500 kbit/s. */
uint64_t fdc_specified_ns(const struct fdc *fdc, unsigned n)
{
	static const struct {
		uint8_t numerator, denominator;
	} factor[] = { { 1, 1 }, { 5, 3 }, { 2, 1 }, { 1, 2 } };
	unsigned rate = fdc->state.rate & 3;

	return n * (NSEC_PER_SEC / 1000) * factor[rate].numerator /
	       factor[rate].denominator;
}

static uint64_t steps_ns(const struct fdc *fdc, unsigned steps)
{
	unsigned one =
		16 - (unsigned)FIELD_GET(SPECIFY_STEP, fdc->state.specify[0]);

	return FDC_MOMENT_NS + steps * fdc_specified_ns(fdc, one);
}

/* ---- Seeks --------------------------------------------------------------- */

/* Where the head stands, of a drive that is there. */
static unsigned head_cylinder(struct fdc *fdc, unsigned unit)
{
	return fdc_drive(fdc, unit) ? fdc_drive_state(fdc, unit)->head_cylinder
				    : 0;
}

static void head_move(struct fdc *fdc, unsigned unit, int steps)
{
	struct fdc_drive *drive = fdc_drive(fdc, unit);
	struct fdc_drive_state *state;
	int last;

	if (!drive || !steps)
		return;
	state = fdc_drive_state(fdc, unit);
	last = (int)fdc_drive_cylinders(drive->type) - 1 + CYLINDERS_BEYOND;
	state->head_cylinder =
		(uint8_t)MAX(MIN(state->head_cylinder + steps, last), 0);
	if (drive->medium)
		state->is_changed = false;
}

static void seek_begin(struct fdc *fdc, unsigned unit, enum fdc_seek seek,
		       uint8_t target, unsigned steps)
{
	struct fdc_unit_state *state = &fdc->state.unit[unit];

	state->seek = seek;
	state->target = target;
	state->has_sense = false;
	state->seek_ns = clock_now(fdc->clock) + steps_ns(fdc, steps);
	fdc_idle(fdc);
	fdc_schedule(fdc);
}

/* True: track 0 has been found. */
static bool recalibrate_end(struct fdc *fdc, unsigned unit)
{
	unsigned at = head_cylinder(fdc, unit);

	head_move(fdc, unit, -(int)MIN(at, RECALIBRATE_STEPS));
	return fdc_drive(fdc, unit) && head_cylinder(fdc, unit) == 0;
}

void fdc_seek_end(struct fdc *fdc, unsigned unit)
{
	struct fdc_unit_state *state = &fdc->state.unit[unit];
	uint8_t st0 = (uint8_t)(ST0_SEEK_END | unit);

	if (state->seek == FDC_SEEK_TO)
		head_move(fdc, unit, (int)state->target - state->cylinder);
	else if (!recalibrate_end(fdc, unit))
		st0 |= ST0_ABNORMAL | ST0_EQUIPMENT;
	state->cylinder = state->target;
	state->seek = FDC_SEEK_NONE;
	state->seek_ns = CLOCK_NEVER;
	state->sense = st0;
	state->has_sense = true;
	fdc_interrupt_set(fdc, true);
}

static void do_recalibrate(struct fdc *fdc)
{
	unsigned unit = fdc_unit(fdc);
	unsigned steps = fdc_drive(fdc, unit) ? MIN(head_cylinder(fdc, unit),
						    (unsigned)RECALIBRATE_STEPS)
					      : RECALIBRATE_STEPS;

	seek_begin(fdc, unit, FDC_SEEK_RECALIBRATE, 0, steps);
}

static unsigned distance(unsigned a, unsigned b)
{
	return a > b ? a - b : b - a;
}

static void do_seek(struct fdc *fdc)
{
	unsigned unit = fdc_unit(fdc);
	uint8_t at = fdc->state.unit[unit].cylinder;
	uint8_t operand = fdc->state.command[2], target = operand;

	if (fdc->state.command[0] & RELATIVE)
		target = (uint8_t)(fdc->state.command[0] & RELATIVE_IN
					   ? MIN(at + operand, UINT8_MAX)
					   : MAX(at - operand, 0));
	seek_begin(fdc, unit, FDC_SEEK_TO, target, distance(at, target));
}

uint64_t fdc_seek_now(struct fdc *fdc, unsigned unit, uint8_t target)
{
	uint8_t at = fdc->state.unit[unit].cylinder;

	head_move(fdc, unit, (int)target - at);
	fdc->state.unit[unit].cylinder = target;
	return steps_ns(fdc, distance(at, target));
}

/* ---- Senses -------------------------------------------------------------- */

static void result_put(struct fdc *fdc, uint8_t byte)
{
	fdc->state.result[fdc->state.result_length++] = byte;
}

static void result_one(struct fdc *fdc, uint8_t byte)
{
	result_put(fdc, byte);
	fdc_result(fdc, false);
}

static void do_invalid(struct fdc *fdc)
{
	result_one(fdc, ST0_INVALID);
}

static void sense_result(struct fdc *fdc, unsigned unit, uint8_t st0)
{
	result_put(fdc, st0);
	result_put(fdc, fdc->state.unit[unit].cylinder);
	fdc_result(fdc, false);
}

/* Behind a reset the polling has found all four drives changed. */
static void do_sense_interrupt(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	bool is_found = false;
	unsigned unit;

	if (state->reset_senses) {
		unit = FDC_UNITS - state->reset_senses--;
		fdc_interrupt_set(fdc, false);
		sense_result(fdc, unit, (uint8_t)(ST0_POLLED | unit));
		return;
	}
	for (unit = 0; unit < FDC_UNITS; unit++) {
		if (!state->unit[unit].has_sense)
			continue;
		if (is_found) { /* and another one, which is told anew */
			fdc_interrupt_set(fdc, true);
			return;
		}
		is_found = true;
		state->unit[unit].has_sense = false;
		fdc_interrupt_set(fdc, false);
		sense_result(fdc, unit, state->unit[unit].sense);
	}
	if (!is_found)
		do_invalid(fdc);
}

static void do_sense_drive(struct fdc *fdc)
{
	unsigned unit = fdc_unit(fdc);
	uint8_t st3 = (uint8_t)(ST3_READY | ST3_TWO_SIDES | unit);

	if (fdc_head(fdc))
		st3 |= ST3_HEAD;
	if (fdc_is_protected(fdc, unit))
		st3 |= ST3_PROTECTED;
	if (fdc_drive(fdc, unit) && !head_cylinder(fdc, unit))
		st3 |= ST3_TRACK_0;
	result_one(fdc, st3);
}

/* ---- How the controller is set up ---------------------------------------- */

static void do_specify(struct fdc *fdc)
{
	memcpy(fdc->state.specify, &fdc->state.command[1],
	       sizeof(fdc->state.specify));
	fdc_idle(fdc);
}

static void do_configure(struct fdc *fdc)
{
	fdc->state.configure = fdc->state.command[2];
	fdc->state.precompensation_track = fdc->state.command[3];
	fdc_idle(fdc);
}

static void do_perpendicular(struct fdc *fdc)
{
	uint8_t value = fdc->state.command[1];
	uint8_t kept =
		value & PERPENDICULAR_OVERWRITE
			? 0
			: fdc->state.perpendicular & PERPENDICULAR_DRIVES;

	if (!(value & PERPENDICULAR_OVERWRITE))
		value &= (uint8_t)~PERPENDICULAR_DRIVES;
	fdc->state.perpendicular =
		(value & (PERPENDICULAR_DRIVES | FDC_PERPENDICULAR_MODE)) |
		kept;
	fdc_idle(fdc);
}

static void do_lock(struct fdc *fdc)
{
	fdc->state.is_locked = fdc->state.command[0] & LOCK_IT;
	result_one(fdc, fdc->state.is_locked ? BIT(4) : 0);
}

static void do_version(struct fdc *fdc)
{
	result_one(fdc, VERSION_82077);
}

static void do_dumpreg(struct fdc *fdc)
{
	const struct fdc_state *state = &fdc->state;

	for (unsigned unit = 0; unit < FDC_UNITS; unit++)
		result_put(fdc, state->unit[unit].cylinder);
	result_put(fdc, state->specify[0]);
	result_put(fdc, state->specify[1]);
	result_put(fdc, state->eot);
	result_put(fdc, (uint8_t)(state->perpendicular |
				  (state->is_locked ? BIT(7) : 0)));
	result_put(fdc, state->configure);
	result_put(fdc, state->precompensation_track);
	fdc_result(fdc, false);
}

/* ---- The table ----------------------------------------------------------- */

struct command {
	uint8_t mask, code; /* of the first byte */
	uint8_t length;
	void (*run)(struct fdc *fdc);
};

/* clang-format off */
static const struct command commands[] = {
	{ 0x1f, CODE_READ,		9, fdc_transfer_begin },
	{ 0x3f, CODE_WRITE,		9, fdc_transfer_begin },
	{ 0x1f, CODE_READ_DELETED,	9, fdc_transfer_begin },
	{ 0x3f, CODE_WRITE_DELETED,	9, fdc_transfer_begin },
	{ 0xbf, CODE_READ_TRACK,	9, fdc_transfer_begin },
	{ 0x1f, CODE_VERIFY,		9, fdc_transfer_begin },
	{ 0x1f, CODE_SCAN_EQUAL,	9, fdc_transfer_begin },
	{ 0x1f, CODE_SCAN_LOW,		9, fdc_transfer_begin },
	{ 0x1f, CODE_SCAN_HIGH,		9, fdc_transfer_begin },
	{ 0xbf, CODE_READ_ID,		2, fdc_transfer_begin },
	{ 0xbf, CODE_FORMAT,		6, fdc_transfer_begin },
	{ 0xff, 0x03,			3, do_specify },
	{ 0xff, 0x04,			2, do_sense_drive },
	{ 0xff, 0x07,			2, do_recalibrate },
	{ 0xff, 0x08,			1, do_sense_interrupt },
	{ 0xff, 0x0e,			1, do_dumpreg },
	{ 0xff, 0x0f,			3, do_seek },
	{ 0xff, 0x10,			1, do_version },
	{ 0xff, 0x12,			2, do_perpendicular },
	{ 0xff, 0x13,			4, do_configure },
	{ 0x7f, 0x14,			1, do_lock },
	{ 0xbf, 0x8f,			3, do_seek },
};
/* clang-format on */

static const struct command *command_find(uint8_t first)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if ((first & commands[i].mask) == commands[i].code)
			return &commands[i];
	return NULL;
}

unsigned fdc_command_length(uint8_t first)
{
	const struct command *command = command_find(first);

	return command ? command->length : 1;
}

void fdc_command_run(struct fdc *fdc)
{
	const struct command *command = command_find(fdc->state.command[0]);

	fdc->state.result_length = 0;
	fdc->state.result_position = 0;
	if (command)
		command->run(fdc);
	else
		do_invalid(fdc);
}
