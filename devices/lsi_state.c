/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the LSI 53C895A's state.
 */
#include "devices/lsi_internal.h"

static const struct state_field task_fields[] = {
	STATE_ARRAY(struct lsi_task, command),
	STATE_VALUE(struct lsi_task, unit, .max = 7),
	STATE_VALUE(struct lsi_task, tag),
	STATE_VALUE(struct lsi_task, has_tag),
	STATE_VALUE(struct lsi_task, may_disconnect),
};

static const struct state_description task_description =
	STATE_DESCRIPTION(struct lsi_task, task_fields);

static const struct state_field target_fields[] = {
	STATE_STRUCTS(struct lsi_target_state, task, &task_description),
	STATE_VALUE(struct lsi_target_state, count, .max = LSI_QUEUE),
	STATE_VALUE(struct lsi_target_state, is_active),
	STATE_VALUE(struct lsi_target_state, is_allegiant),
	STATE_VALUE(struct lsi_target_state, answer_offset, .max = LSI_ANSWER),
	STATE_VALUE(struct lsi_target_state, answer_length, .max = LSI_ANSWER),
	STATE_VALUE(struct lsi_target_state, answer_status,
		    .max = SCSI_CHECK_CONDITION),
	STATE_ARRAY(struct lsi_target_state, answer),
	STATE_RESERVED(struct lsi_target_state, reserved),
	STATE_STRUCT(struct lsi_target_state, drive, &scsi_drive_description),
};

static const struct state_description target_description =
	STATE_DESCRIPTION(struct lsi_target_state, target_fields);

static const struct state_field bus_fields[] = {
	STATE_VALUE(struct lsi_bus_state, phase, .max = LSI_BUS_PHASES - 1),
	STATE_VALUE(struct lsi_bus_state, next, .max = LSI_NEXTS - 1),
	STATE_VALUE(struct lsi_bus_state, target, .max = LSI_TARGETS - 1),
	STATE_VALUE(struct lsi_bus_state, status),
	STATE_VALUE(struct lsi_bus_state, has_task),
	STATE_VALUE(struct lsi_bus_state, has_tag),
	STATE_VALUE(struct lsi_bus_state, is_head),
	STATE_VALUE(struct lsi_bus_state, may_disconnect),
	STATE_VALUE(struct lsi_bus_state, tag),
	STATE_VALUE(struct lsi_bus_state, unit, .max = 7),
	STATE_VALUE(struct lsi_bus_state, in_offset, .max = LSI_MESSAGE),
	STATE_VALUE(struct lsi_bus_state, in_length, .max = LSI_MESSAGE),
	STATE_VALUE(struct lsi_bus_state, out_length, .max = LSI_MESSAGE - 1),
	STATE_VALUE(struct lsi_bus_state, command_length,
		    .max = SCSI_COMMAND - 1),
	STATE_VALUE(struct lsi_bus_state, has_moved),
	STATE_RESERVED(struct lsi_bus_state, reserved),
	STATE_ARRAY(struct lsi_bus_state, in),
	STATE_ARRAY(struct lsi_bus_state, out),
	STATE_ARRAY(struct lsi_bus_state, command),
};

static const struct state_description bus_description =
	STATE_DESCRIPTION(struct lsi_bus_state, bus_fields);

static const struct state_field fields[] = {
	STATE_ARRAY(struct lsi_state, reg),
	STATE_ARRAY(struct lsi_state, ram, .flags = STATE_KEPT),
	STATE_VALUE(struct lsi_state, activity, .max = LSI_ACTIVITIES - 1),
	STATE_VALUE(struct lsi_state, has_carry),
	STATE_VALUE(struct lsi_state, is_timing_out),
	STATE_VALUE(struct lsi_state, is_bus_reset),
	STATE_VALUE(struct lsi_state, turn, .max = LSI_TARGETS - 1),
	STATE_VALUE(struct lsi_state, phase, .max = PHASE_MESSAGE_IN),
	STATE_RESERVED(struct lsi_state, reserved),
	STATE_VALUE(struct lsi_state, move_high),
	STATE_RESERVED(struct lsi_state, reserved2),
	STATE_VALUE(struct lsi_state, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct lsi_state, general_ns, .reset = CLOCK_NEVER),
	STATE_STRUCT(struct lsi_state, bus, &bus_description),
	STATE_STRUCTS(struct lsi_state, target, &target_description),
	STATE_STRUCT(struct lsi_state, pci, &pci_device_description),
	STATE_RESERVED(struct lsi_state, reserved3),
};

const struct state_description lsi_description =
	STATE_DESCRIPTION(struct lsi_state, fields);

static bool target_is_valid(const struct lsi_target *target,
			    const struct lsi_target_state *state,
			    uint64_t now_ns)
{
	if (state->answer_offset > state->answer_length ||
	    (state->is_active && !state->count) ||
	    (state->is_active && state->is_allegiant))
		return false;
	if (target->drive.kind == SCSI_DRIVE_NONE)
		return !state->count;
	return scsi_drive_is_valid(&target->drive, &state->drive, now_ns);
}

/* Who is connected is there, and has the task that the bus has. */
static bool bus_is_valid(const struct lsi *lsi, const struct lsi_state *state)
{
	const struct lsi_bus_state *bus = &state->bus;
	const struct lsi_target_state *target = &state->target[bus->target];

	if (bus->phase == LSI_BUS_FREE)
		return !bus->has_task && !bus->out_length &&
		       !bus->command_length && !bus->in_length;
	if (!lsi_target_is_there(lsi, bus->target))
		return false;
	if (bus->has_task &&
	    (!target->count ||
	     !lsi_task_is(&target->task[0], bus->unit, bus->has_tag, bus->tag)))
		return false;
	switch (bus->phase) {
	case LSI_BUS_DATA:
		return bus->has_task;
	case LSI_BUS_MESSAGE_IN:
		return bus->in_offset < bus->in_length &&
		       (bus->next != LSI_NEXT_DATA || bus->has_task);
	default:
		return true;
	}
}

bool lsi_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct lsi *lsi = dev;
	const struct lsi_state *state = saved;

	for (unsigned i = 0; i < LSI_TARGETS; i++)
		if (!target_is_valid(&lsi->target[i], &state->target[i],
				     now_ns))
			return false;
	return bus_is_valid(lsi, state) &&
	       state->pci.intx_level == lsi_irq_level(state) &&
	       pci_device_is_valid(&lsi->pci, &state->pci);
}
