/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target of the LSI 53C895A's bus: its queue of commands.  See lsi.h.
 *
 * Commands are done in the order of their arrival, but for those with a HEAD OF
 * QUEUE tag.  One that fails stops the queue until the initiator has sent
 * another, usually REQUEST SENSE, which is done first.
 *
 * Logical units but 0 are not there: INQUIRY and REQUEST SENSE say so.
 *
 * References: SCSI-2, chapters 6.6, 6.8 and 7.
 */
#include "devices/lsi_internal.h"

#include "lib/string.h"

/* Byte 7 of INQUIRY's data. */
#define CAN_WIDE	BIT(5)
#define CAN_SYNCHRONOUS BIT(4)
#define CAN_QUEUE	BIT(1)

/* ---- Logical units that are not there ----------------------------------- */

static void absent_begin(struct lsi_target_state *state, const uint8_t *command)
{
	state->answer_offset = 0;
	state->answer_length = (uint8_t)scsi_absent_answer(
		command, state->answer, &state->answer_status);
}

static bool is_absent(const struct lsi_target *target)
{
	return target->state->task[0].unit != 0;
}

/* ---- The command in hand ------------------------------------------------ */

void lsi_target_advance(struct lsi_target *target)
{
	struct lsi_target_state *state = target->state;

	if (state->is_active || !state->count || state->is_allegiant ||
	    !target->drive.unit->ops->is_free(target->drive.unit))
		return;
	state->is_active = true;
	if (is_absent(target)) {
		absent_begin(state, state->task[0].command);
		return;
	}
	target->drive.unit->ops->begin(target->drive.unit,
				       state->task[0].command);
	/* What it reads is asked for now, whoever has the bus. */
	(void)target->drive.unit->ops->step(target->drive.unit);
}

enum scsi_step lsi_target_step(struct lsi_target *target)
{
	const struct lsi_target_state *state = target->state;

	lsi_target_advance(target);
	if (!state->is_active)
		return SCSI_WAITS;
	if (!is_absent(target))
		return target->drive.unit->ops->step(target->drive.unit);
	return state->answer_offset < state->answer_length ? SCSI_DATA_IN
							   : SCSI_ENDED;
}

uint32_t lsi_target_give(struct lsi_target *target, uint8_t *to, uint32_t size)
{
	struct lsi_target_state *state = target->state;

	if (!is_absent(target))
		return target->drive.unit->ops->give(target->drive.unit, to,
						     size);
	size = MIN(size,
		   (uint32_t)(state->answer_length - state->answer_offset));
	memcpy(to, state->answer + state->answer_offset, size);
	state->answer_offset = (uint8_t)(state->answer_offset + size);
	return size;
}

uint32_t lsi_target_put(struct lsi_target *target, const uint8_t *from,
			uint32_t size)
{
	return target->drive.unit->ops->take(target->drive.unit, from, size);
}

uint8_t lsi_target_status(struct lsi_target *target)
{
	if (is_absent(target))
		return target->state->answer_status;
	return target->drive.unit->ops->status(target->drive.unit);
}

/* ---- The queue ---------------------------------------------------------- */

bool lsi_task_is(const struct lsi_task *task, uint8_t unit, bool has_tag,
		 uint8_t tag)
{
	return task->unit == unit && task->has_tag == has_tag &&
	       (!has_tag || task->tag == tag);
}

static void task_remove(struct lsi_target_state *state, unsigned index)
{
	state->count--;
	memmove(&state->task[index], &state->task[index + 1],
		(state->count - index) * sizeof(state->task[0]));
	memset(&state->task[state->count], 0, sizeof(state->task[0]));
}

static bool has_same(const struct lsi_target_state *state,
		     const struct lsi_task *task)
{
	for (unsigned i = 0; i < state->count; i++)
		if (lsi_task_is(&state->task[i], task->unit, task->has_tag,
				task->tag))
			return true;
	return false;
}

/* One that may not disconnect would hold the bus that others need to end. */
uint8_t lsi_target_take(struct lsi_target *target, const struct lsi_task *task,
			bool is_head)
{
	struct lsi_target_state *state = target->state;
	unsigned at = state->count;

	if (state->count == LSI_QUEUE)
		return SCSI_QUEUE_FULL;
	if (has_same(state, task))
		return SCSI_BUSY;
	if (!task->may_disconnect && state->count && !state->is_allegiant)
		return SCSI_BUSY;
	if (state->is_allegiant || is_head)
		at = state->is_active;
	memmove(&state->task[at + 1], &state->task[at],
		(state->count - at) * sizeof(state->task[0]));
	state->task[at] = *task;
	state->count++;
	state->is_allegiant = false;
	lsi_target_advance(target);
	return SCSI_GOOD;
}

static void current_end(struct lsi_target *target)
{
	struct lsi_target_state *state = target->state;

	task_remove(state, 0);
	state->is_active = false;
	state->answer_offset = state->answer_length = 0;
}

void lsi_target_complete(struct lsi_target *target, uint8_t status)
{
	current_end(target);
	target->state->is_allegiant = status == SCSI_CHECK_CONDITION;
	lsi_target_advance(target);
}

void lsi_target_abort(struct lsi_target *target, uint8_t unit, bool has_tag,
		      uint8_t tag)
{
	struct lsi_target_state *state = target->state;

	for (unsigned i = state->count; i-- > 0;) {
		if (!lsi_task_is(&state->task[i], unit, has_tag, tag))
			continue;
		if (i || !state->is_active) {
			task_remove(state, i);
			continue;
		}
		target->drive.unit->ops->forget(target->drive.unit);
		current_end(target);
	}
	lsi_target_advance(target);
}

static void tasks_forget(struct lsi_target_state *state)
{
	memset(state->task, 0, sizeof(state->task));
	state->count = 0;
	state->is_active = state->is_allegiant = false;
	state->answer_offset = state->answer_length = 0;
}

void lsi_target_clear(struct lsi_target *target)
{
	if (target->state->is_active)
		target->drive.unit->ops->forget(target->drive.unit);
	tasks_forget(target->state);
}

void lsi_target_reset(struct lsi_target *target)
{
	tasks_forget(target->state);
	scsi_drive_reset(&target->drive);
}

/* ---- Life --------------------------------------------------------------- */

bool lsi_target_is_there(const struct lsi *lsi, unsigned id)
{
	return id < LSI_TARGETS &&
	       lsi->target[id].drive.kind != SCSI_DRIVE_NONE;
}

static void ready(void *ctx)
{
	struct lsi_target *target = ctx;

	lsi_target_advance(target);
	lsi_run(target->lsi);
}

void lsi_target_init(struct lsi *lsi, unsigned id,
		     const struct lsi_config *config)
{
	struct lsi_target *target = &lsi->target[id];
	const struct scsi_drive_wiring wiring = {
		.clock = config->clock,
		.ram = config->ram,
		.pci = &lsi->pci,
		.disk_capabilities = CAN_WIDE | CAN_SYNCHRONOUS | CAN_QUEUE,
		.cdrom_capabilities = CAN_WIDE | CAN_SYNCHRONOUS,
		.ready = ready,
	};

	target->lsi = lsi;
	target->state = &lsi->state.target[id];
	scsi_drive_init(&target->drive, &target->state->drive,
			&config->drive[id], &wiring, id, target);
}
