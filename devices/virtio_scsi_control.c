/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task management, and events, of the virtio SCSI host.  See virtio_scsi.h.
 *
 * What is to be aborted may still be in a queue, before which the driver has
 * put it: first all queues are emptied into places.  If there are too few of
 * those, the control queue waits, unless what it asks for has been found.
 *
 * References: VIRTIO 1.2, 5.6.6.2, 5.6.6.3.
 */
#include "devices/virtio_scsi_internal.h"

#include "include/errno.h"
#include "lib/string.h"

/* The answer that is not there yet. */
#define HELD (-1)

static bool is_any(const struct virtio_scsi_request *request, const void *ctx)
{
	(void)request;
	(void)ctx;
	return true;
}

static bool is_tag(const struct virtio_scsi_request *request, const void *ctx)
{
	return request->tag == *(const uint64_t *)ctx;
}

/* ---- Task management ----------------------------------------------------- */

/* All of the target's requests that there are. */
static int end_all(struct virtio_scsi_target *target, uint8_t response)
{
	struct virtio_scsi *scsi = target->scsi;

	/* Places that are free now are others' next. */
	for (unsigned i = 0; i < VIRTIO_SCSI_PLACES; i++) {
		unsigned ended =
			virtio_scsi_target_end(target, is_any, NULL, response);

		if (!ended || !scsi->waiting)
			break;
		virtio_scsi_run_waiting(scsi);
	}
	return scsi->waiting ? HELD : VIRTIO_SCSI_OK;
}

static int unit_reset(struct virtio_scsi_target *target)
{
	int answer = end_all(target, VIRTIO_SCSI_RESET);

	if (answer == VIRTIO_SCSI_OK)
		scsi_drive_reset(&target->drive);
	return answer;
}

static int abort_task(struct virtio_scsi_target *target, uint64_t tag)
{
	if (virtio_scsi_target_end(target, is_tag, &tag, VIRTIO_SCSI_ABORTED))
		return VIRTIO_SCSI_OK;
	return target->scsi->waiting ? HELD : VIRTIO_SCSI_OK;
}

static int query(struct virtio_scsi_target *target, virtio_scsi_has_fn has,
		 uint64_t tag)
{
	if (virtio_scsi_target_find(target, has, &tag))
		return VIRTIO_SCSI_SUCCEEDED;
	return target->scsi->waiting ? HELD : VIRTIO_SCSI_OK;
}

static int manage(struct virtio_scsi *scsi, const struct virtio_scsi_tmf *tmf)
{
	struct virtio_scsi_address address =
		virtio_scsi_address(scsi, tmf->lun);
	struct virtio_scsi_target *target = address.target;
	uint64_t tag;

	memcpy(&tag, tmf->tag, sizeof(tag));
	if (!target)
		return VIRTIO_SCSI_BAD_TARGET;
	if (tmf->function == VIRTIO_SCSI_NEXUS_RESET)
		return unit_reset(target);
	if (address.is_absent)
		return VIRTIO_SCSI_INCORRECT_LUN;
	switch (tmf->function) {
	case VIRTIO_SCSI_ABORT_TASK:
		return abort_task(target, tag);
	case VIRTIO_SCSI_ABORT_TASK_SET:
	case VIRTIO_SCSI_CLEAR_TASK_SET:
		return end_all(target, VIRTIO_SCSI_ABORTED);
	case VIRTIO_SCSI_UNIT_RESET:
		return unit_reset(target);
	case VIRTIO_SCSI_QUERY_TASK:
		return query(target, is_tag, tag);
	case VIRTIO_SCSI_QUERY_TASK_SET:
		return query(target, is_any, 0);
	default:
		return VIRTIO_SCSI_REJECTED;
	}
}

/* ---- Events -------------------------------------------------------------- */

/* Which notifications there are of those wanted, of a CD-ROM drive's alone. */
static uint32_t notifications(const struct virtio_scsi_target *target,
			      uint32_t wanted)
{
	return target->drive.kind == SCSI_DRIVE_CDROM
		       ? wanted & VIRTIO_SCSI_MEDIUM_CHANGE
		       : 0;
}

static uint8_t notify(struct virtio_scsi *scsi,
		      const struct virtio_scsi_notification *asked,
		      uint32_t *there)
{
	struct virtio_scsi_address address =
		virtio_scsi_address(scsi, asked->lun);
	uint8_t bit;

	*there = 0;
	if (!address.target)
		return VIRTIO_SCSI_BAD_TARGET;
	if (address.is_absent)
		return VIRTIO_SCSI_INCORRECT_LUN;
	*there = notifications(address.target, asked->wanted);
	if (asked->type == VIRTIO_SCSI_AN_QUERY)
		return VIRTIO_SCSI_OK;
	bit = (uint8_t)(1U << (address.target - scsi->target));
	scsi->state.subscribed &= (uint8_t)~bit;
	if (*there)
		scsi->state.subscribed |= bit;
	return VIRTIO_SCSI_OK;
}

static void event_send(struct virtio_scsi *scsi, struct virtio_scsi_event event)
{
	struct virtio_scsi_state *state = &scsi->state;
	struct virtio_chain chain;

	if (virtio_queue_take_or_watch(&scsi->virtio, VIRTIO_SCSI_EVENTS,
				       &chain) <= 0) {
		state->is_event_missed = virtio_is_running(&scsi->virtio);
		return;
	}
	if (state->is_event_missed)
		event.event |= VIRTIO_SCSI_EVENTS_MISSED;
	state->is_event_missed = false;
	virtio_queue_return(
		&scsi->virtio, &chain,
		virtio_chain_write(&chain, 0, &event, sizeof(event)));
	virtio_queue_flush(&scsi->virtio, VIRTIO_SCSI_EVENTS);
}

void virtio_scsi_events_run(struct virtio_scsi *scsi)
{
	if (scsi->state.is_event_missed)
		event_send(scsi, (struct virtio_scsi_event){ 0 });
}

int virtio_scsi_medium_change(struct virtio_scsi *scsi, unsigned target,
			      struct block_backend *backend)
{
	struct virtio_scsi_event event = {
		.event = VIRTIO_SCSI_EVENT_NOTIFICATION,
		.lun = { 1, (uint8_t)target, VIRTIO_SCSI_FLAT },
		.reason = VIRTIO_SCSI_MEDIUM_CHANGE,
	};

	if (target >= VIRTIO_SCSI_TARGETS ||
	    scsi->target[target].drive.kind != SCSI_DRIVE_CDROM)
		return -ENODEV;
	scsi_cdrom_medium_change(&scsi->target[target].drive.cdrom, backend);
	if (scsi->state.subscribed >> target & 1)
		event_send(scsi, event);
	return 0;
}

/* ---- The queue ----------------------------------------------------------- */

/* Bytes written; HELD: later. */
static int64_t task_management(struct virtio_scsi *scsi)
{
	const struct virtio_chain *chain = &scsi->control;
	struct virtio_scsi_tmf tmf;
	uint8_t byte;
	int answer;

	if (virtio_chain_read(chain, 0, &tmf, sizeof(tmf)) != sizeof(tmf))
		return 0;
	answer = manage(scsi, &tmf);
	if (answer == HELD)
		return HELD;
	byte = (uint8_t)answer;
	return virtio_chain_write(chain, 0, &byte, sizeof(byte));
}

static int64_t notification(struct virtio_scsi *scsi)
{
	const struct virtio_chain *chain = &scsi->control;
	struct virtio_scsi_notification asked;
	uint8_t answer[VIRTIO_SCSI_AN_ANSWER];
	uint32_t there;

	if (virtio_chain_read(chain, 0, &asked, sizeof(asked)) != sizeof(asked))
		return 0;
	answer[4] = notify(scsi, &asked, &there);
	memcpy(answer, &there, sizeof(there));
	return virtio_chain_write(chain, 0, answer, sizeof(answer));
}

/* False: it is held. */
static bool control_do(struct virtio_scsi *scsi)
{
	int64_t written = 0;
	uint32_t type;

	if (virtio_chain_read(&scsi->control, 0, &type, sizeof(type)) ==
	    sizeof(type)) {
		if (type == VIRTIO_SCSI_TMF)
			written = task_management(scsi);
		else if (type <= VIRTIO_SCSI_AN_SUBSCRIBE)
			written = notification(scsi);
	}
	if (written == HELD)
		return false;
	/* What was ended by it is seen before it. */
	virtio_scsi_run_waiting(scsi);
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		virtio_scsi_target_run(&scsi->target[i]);
	virtio_queue_return(&scsi->virtio, &scsi->control, (uint32_t)written);
	virtio_queue_flush(&scsi->virtio, VIRTIO_SCSI_CONTROL);
	return true;
}

static bool control_take(struct virtio_scsi *scsi)
{
	(void)virtio_queue_watch(&scsi->virtio, VIRTIO_SCSI_CONTROL, false);
	return virtio_queue_take_or_watch(&scsi->virtio, VIRTIO_SCSI_CONTROL,
					  &scsi->control) > 0;
}

void virtio_scsi_control_run(struct virtio_scsi *scsi)
{
	if (virtio_chain_is_void(&scsi->virtio, &scsi->control))
		scsi->is_control_held = false;
	virtio_scsi_take_all(scsi);
	while (scsi->is_control_held || (scsi->budget && control_take(scsi))) {
		scsi->budget -= !!scsi->budget;
		scsi->is_control_held = !control_do(scsi);
		if (scsi->is_control_held)
			break;
	}
	scsi->is_control_due = !scsi->budget;
}
