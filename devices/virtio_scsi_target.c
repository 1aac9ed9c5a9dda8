/* SPDX-License-Identifier: BSD-2-Clause */
/* What a target of the virtio SCSI host does with its requests.  See
 * virtio_scsi.h. */
#include "devices/virtio_scsi_internal.h"

#include "lib/string.h"

#define REPORT_LUNS	 0xa0
#define REPORT_LUNS_SIZE 16 /* of unit 0 alone */

/* ---- Data ---------------------------------------------------------------- */

static uint32_t size_in(const struct virtio_scsi_request *request)
{
	return request->chain.in_length - request->response;
}

/* Where in guest memory the data go on, *size bytes at least 1.  NULL: the
 * request has no more room. */
static uint8_t *data_at(const struct virtio_scsi_request *request, bool is_in,
			uint32_t *size)
{
	const struct virtio_chain *chain = &request->chain;
	unsigned i = is_in ? chain->out_count : 0;
	unsigned end = chain->out_count + (is_in ? chain->in_count : 0U);
	uint32_t skip =
		request->moved + (is_in ? request->response : request->header);

	for (; i < end; skip -= chain->segment[i++].length)
		if (skip < chain->segment[i].length) {
			*size = chain->segment[i].length - skip;
			return chain->segment[i].host + skip;
		}
	return NULL;
}

/* False: there is no room for what the command has, or wants. */
static bool move(struct virtio_scsi_target *target,
		 struct virtio_scsi_request *request, bool is_in)
{
	struct scsi_unit *unit = target->drive.unit;
	uint32_t size;
	uint8_t *at = data_at(request, is_in, &size);

	if (!at)
		return false;
	request->moved += is_in ? unit->ops->give(unit, at, size)
				: unit->ops->take(unit, at, size);
	return true;
}

/* ---- Answers without a drive --------------------------------------------- */

static const uint8_t sense_command[SCSI_COMMAND] = {
	SCSI_REQUEST_SENSE, [4] = SCSI_SENSE_SIZE
};

static void answer(struct virtio_scsi *scsi,
		   struct virtio_scsi_request *request, const uint8_t *bytes,
		   uint32_t length)
{
	uint8_t response = VIRTIO_SCSI_OK;

	if (length > size_in(request))
		response = VIRTIO_SCSI_OVERRUN;
	else
		request->moved = virtio_chain_write(
			&request->chain, request->response, bytes, length);
	virtio_scsi_respond(scsi, request, response, SCSI_GOOD, NULL, 0);
}

static void report_luns(struct virtio_scsi *scsi,
			struct virtio_scsi_request *request)
{
	static const uint8_t luns[REPORT_LUNS_SIZE] = { [3] = 8 };
	uint32_t wanted = (uint32_t)request->command[6] << 24 |
			  (uint32_t)request->command[7] << 16 |
			  (uint32_t)request->command[8] << 8 |
			  request->command[9];

	answer(scsi, request, luns, MIN(wanted, (uint32_t)sizeof(luns)));
}

void virtio_scsi_target_absent(struct virtio_scsi *scsi,
			       struct virtio_scsi_request *request)
{
	uint8_t bytes[SCSI_ABSENT_SIZE], status, ignored;
	uint32_t length;

	if (request->command[0] == REPORT_LUNS) {
		report_luns(scsi, request);
		return;
	}
	length = scsi_absent_answer(request->command, bytes, &status);
	if (status == SCSI_GOOD) {
		answer(scsi, request, bytes, length);
		return;
	}
	length = scsi_absent_answer(sense_command, bytes, &ignored);
	virtio_scsi_respond(scsi, request, VIRTIO_SCSI_OK, status, bytes,
			    length);
}

/* ---- The request in hand ------------------------------------------------- */

static struct virtio_scsi_request *
request_at(const struct virtio_scsi_target *target, unsigned index)
{
	return &target->scsi->request[target->queue[index]];
}

static struct virtio_scsi_request *remove_at(struct virtio_scsi_target *target,
					     unsigned index)
{
	struct virtio_scsi_request *request = request_at(target, index);

	if (!index)
		target->is_active = false;
	target->count--;
	memmove(&target->queue[index], &target->queue[index + 1],
		target->count - index);
	return request;
}

/* Why the last command failed: its bytes.  No medium is asked for that. */
static uint32_t sense_get(struct scsi_unit *unit, uint8_t *to)
{
	uint32_t length = 0;

	unit->ops->begin(unit, sense_command);
	while (length < SCSI_SENSE_SIZE &&
	       unit->ops->step(unit) == SCSI_DATA_IN)
		length += unit->ops->give(unit, to + length,
					  SCSI_SENSE_SIZE - length);
	if (unit->ops->step(unit) != SCSI_ENDED)
		unit->ops->forget(unit);
	return length;
}

static void finish(struct virtio_scsi_target *target)
{
	struct scsi_unit *unit = target->drive.unit;
	struct virtio_scsi_request *request = remove_at(target, 0);
	uint8_t sense[SCSI_SENSE_SIZE], status = unit->ops->status(unit);
	uint32_t length = 0;

	if (status == SCSI_CHECK_CONDITION)
		length = sense_get(unit, sense);
	virtio_scsi_respond(target->scsi, request, VIRTIO_SCSI_OK, status,
			    sense, length);
}

static void overrun(struct virtio_scsi_target *target)
{
	struct virtio_scsi_request *request = remove_at(target, 0);

	target->drive.unit->ops->forget(target->drive.unit);
	virtio_scsi_respond(target->scsi, request, VIRTIO_SCSI_OVERRUN,
			    SCSI_GOOD, NULL, 0);
}

/* False: it is up to the medium now, or there is nothing to do. */
static bool advance(struct virtio_scsi_target *target)
{
	struct scsi_unit *unit = target->drive.unit;
	enum scsi_step step;

	if (!target->count)
		return false;
	if (!target->is_active) {
		if (!unit->ops->is_free(unit))
			return false;
		target->is_active = true;
		unit->ops->begin(unit, request_at(target, 0)->command);
	}
	step = unit->ops->step(unit);
	if (step == SCSI_WAITS)
		return false;
	if (step == SCSI_ENDED)
		finish(target);
	else if (!move(target, request_at(target, 0), step == SCSI_DATA_IN))
		overrun(target);
	return true;
}

void virtio_scsi_target_run(struct virtio_scsi_target *target)
{
	if (target->is_running)
		return;
	target->is_running = true;
	while (advance(target))
		;
	target->is_running = false;
}

/* ---- The queue ----------------------------------------------------------- */

void virtio_scsi_target_take(struct virtio_scsi_target *target,
			     struct virtio_scsi_request *request, bool is_head)
{
	unsigned at = is_head ? target->is_active : target->count;

	/* Which only disks know. */
	if (target->drive.kind == SCSI_DRIVE_CDROM &&
	    request->command[0] == REPORT_LUNS) {
		report_luns(target->scsi, request);
		return;
	}
	memmove(&target->queue[at + 1], &target->queue[at], target->count - at);
	target->queue[at] = (uint8_t)(request - target->scsi->request);
	target->count++;
	virtio_scsi_target_run(target);
}

/* What ends within, by being taken back, must not go on with the queue. */
unsigned virtio_scsi_target_end(struct virtio_scsi_target *target,
				virtio_scsi_has_fn has, const void *ctx,
				uint8_t response)
{
	bool was_running = target->is_running;
	unsigned ended = 0;

	target->is_running = true;
	for (unsigned i = target->count; i-- > 0;) {
		if (!has(request_at(target, i), ctx))
			continue;
		if (!i && target->is_active)
			target->drive.unit->ops->forget(target->drive.unit);
		virtio_scsi_respond(target->scsi, remove_at(target, i),
				    response, SCSI_GOOD, NULL, 0);
		ended++;
	}
	target->is_running = was_running;
	return ended;
}

bool virtio_scsi_target_find(const struct virtio_scsi_target *target,
			     virtio_scsi_has_fn has, const void *ctx)
{
	for (unsigned i = 0; i < target->count; i++)
		if (has(request_at(target, i), ctx))
			return true;
	return false;
}
