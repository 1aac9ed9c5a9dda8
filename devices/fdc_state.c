/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller's state as a table of fields.  See fdc.h.
 */
#include "devices/fdc.h"

#include "devices/fdc_internal.h"
#include "devices/state.h"

static const struct state_field unit_fields[] = {
	STATE_VALUE(struct fdc_unit_state, seek_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct fdc_unit_state, seek, .max = FDC_SEEK_RECALIBRATE),
	STATE_VALUE(struct fdc_unit_state, target),
	STATE_VALUE(struct fdc_unit_state, cylinder),
	STATE_VALUE(struct fdc_unit_state, sense),
	STATE_VALUE(struct fdc_unit_state, has_sense),
	STATE_RESERVED(struct fdc_unit_state, reserved),
};

static const struct state_description unit_description =
	STATE_DESCRIPTION(struct fdc_unit_state, unit_fields);

/* A drive that was just switched on says that its disk may be another. */
static const struct state_field drive_fields[] = {
	STATE_VALUE(struct fdc_drive_state, head_cylinder, .flags = STATE_KEPT),
	STATE_VALUE(struct fdc_drive_state, is_changed, .reset = true,
		    .flags = STATE_KEPT),
	STATE_RESERVED(struct fdc_drive_state, reserved),
	STATE_ARRAY(struct fdc_drive_state, deleted, .flags = STATE_KEPT),
};

static const struct state_description drive_description =
	STATE_DESCRIPTION(struct fdc_drive_state, drive_fields);

static const struct state_field fields[] = {
	STATE_STRUCTS(struct fdc_state, unit, &unit_description),
	STATE_STRUCTS(struct fdc_state, drive, &drive_description),
	STATE_VALUE(struct fdc_state, timer_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct fdc_state, step_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct fdc_state, reset_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct fdc_state, angle_ns),
	STATE_VALUE(struct fdc_state, head_unload_ns),
	STATE_VALUE(struct fdc_state, dor),
	STATE_VALUE(struct fdc_state, tdr, .max = 3),
	STATE_VALUE(struct fdc_state, rate, .reset = FDC_RATE_RESET, .max = 3),
	STATE_ARRAY(struct fdc_state, specify),
	STATE_VALUE(struct fdc_state, configure, .reset = FDC_CONFIGURE_RESET),
	STATE_VALUE(struct fdc_state, precompensation_track),
	STATE_VALUE(struct fdc_state, perpendicular),
	STATE_VALUE(struct fdc_state, is_locked),
	STATE_VALUE(struct fdc_state, is_interrupting),
	STATE_VALUE(struct fdc_state, reset_senses, .max = FDC_UNITS),
	STATE_VALUE(struct fdc_state, phase, .max = FDC_PHASE_RESULT),
	STATE_VALUE(struct fdc_state, step, .max = FDC_STEP_COUNT - 1),
	STATE_VALUE(struct fdc_state, pio, .max = FDC_PIO_OUT),
	STATE_ARRAY(struct fdc_state, command),
	STATE_VALUE(struct fdc_state, command_length, .max = FDC_COMMAND_MAX),
	STATE_VALUE(struct fdc_state, command_position,
		    .max = FDC_COMMAND_MAX - 1),
	STATE_ARRAY(struct fdc_state, result),
	STATE_VALUE(struct fdc_state, result_length, .max = FDC_FIFO),
	STATE_VALUE(struct fdc_state, result_position, .max = FDC_FIFO - 1),
	STATE_ARRAY(struct fdc_state, id),
	STATE_VALUE(struct fdc_state, st1),
	STATE_VALUE(struct fdc_state, st2),
	STATE_VALUE(struct fdc_state, done),
	STATE_VALUE(struct fdc_state, has_sought),
	STATE_VALUE(struct fdc_state, is_terminal),
	STATE_VALUE(struct fdc_state, eot),
	STATE_VALUE(struct fdc_state, is_result_told),
	STATE_VALUE(struct fdc_state, scan, .max = FDC_SCAN_HIGHER),
	STATE_RESERVED(struct fdc_state, reserved),
	STATE_VALUE(struct fdc_state, pio_position, .max = BLOCK_SECTOR - 1),
	STATE_VALUE(struct fdc_state, pio_end, .max = BLOCK_SECTOR),
	STATE_ARRAY(struct fdc_state, buffer),
};

const struct state_description fdc_description =
	STATE_DESCRIPTION(struct fdc_state, fields);

/* Else a step would be none, or bytes come from behind a buffer's end. */
bool fdc_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct fdc_state *state = saved;
	bool is_executing = state->phase == FDC_PHASE_EXECUTION;

	(void)dev;
	(void)now_ns;
	if (state->step != FDC_STEP_NONE && !is_executing)
		return false;
	if (state->step_ns != CLOCK_NEVER && state->step == FDC_STEP_NONE)
		return false;
	if (state->pio != FDC_PIO_NONE &&
	    (!is_executing || state->step != FDC_STEP_NONE ||
	     state->pio_position >= state->pio_end))
		return false;
	if (state->phase == FDC_PHASE_RESULT &&
	    state->result_position >= state->result_length)
		return false;
	return state->command_position < state->command_length ||
	       !state->command_position;
}
