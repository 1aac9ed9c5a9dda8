/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio SCSI host: requests, and the device.  See virtio_scsi.h. */
#include "devices/virtio_scsi.h"

#include "devices/clear.h"
#include "devices/virtio_scsi_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define CLASS_SCSI  0x0100
#define CAN_QUEUE   BIT(1) /* INQUIRY, byte 7 */
#define SIZE_MAX_SD 255	   /* bytes of a command, of sense data */
/* So that a drive's serial number is not that of one at another host. */
#define PLACE	    0x100
/* Requests that are begun before others have their turn: a medium in memory is
 * done with each at once, and another vCPU may bring as many as are taken. */
#define RUN	    64

static uint32_t bit_of(unsigned queue)
{
	return 1U << queue;
}

/* ---- Ends ---------------------------------------------------------------- */

/* Bytes of data that the request has room for, which are in one direction. */
static uint32_t data_size(const struct virtio_scsi_request *request)
{
	return request->chain.out_length - request->header +
	       request->chain.in_length - request->response;
}

static void response_write(const struct virtio_scsi_request *request,
			   struct virtio_scsi_response response,
			   const uint8_t *sense)
{
	uint32_t room = request->response - (uint32_t)sizeof(response);
	uint8_t bytes[SIZE_MAX_SD] = { 0 };

	response.sense_length = MIN(response.sense_length, room);
	if (response.sense_length)
		memcpy(bytes, sense, response.sense_length);
	(void)virtio_chain_write(&request->chain, 0, &response,
				 sizeof(response));
	(void)virtio_chain_write(&request->chain, sizeof(response), bytes,
				 room);
}

void virtio_scsi_respond(struct virtio_scsi *scsi,
			 struct virtio_scsi_request *request, uint8_t response,
			 uint8_t status, const uint8_t *sense,
			 uint32_t sense_length)
{
	const struct virtio_chain *chain = &request->chain;
	const struct virtio_scsi_response what = {
		.sense_length = sense_length,
		.residual = data_size(request) - request->moved,
		.status = status,
		.response = response,
	};
	uint32_t written = request->response;

	/* Of a void one the memory may be another's by now. */
	if (!virtio_chain_is_void(&scsi->virtio, chain)) {
		response_write(request, what, sense);
		if (chain->in_length > request->response)
			written += request->moved;
		virtio_queue_return(&scsi->virtio, chain, written);
		scsi->returned |= bit_of(chain->queue);
	}
	scsi->free |= BIT(request - scsi->request);
}

static void show_returned(struct virtio_scsi *scsi)
{
	for (; scsi->returned; scsi->returned &= scsi->returned - 1)
		virtio_queue_flush(&scsi->virtio,
				   (unsigned)__builtin_ctz(scsi->returned));
}

/* ---- Beginnings ---------------------------------------------------------- */

struct virtio_scsi_address
virtio_scsi_address(struct virtio_scsi *scsi,
		    const uint8_t lun[VIRTIO_SCSI_LUN])
{
	struct virtio_scsi_address address = { 0 };
	unsigned target = lun[1];

	if (lun[0] != 1 || target >= VIRTIO_SCSI_TARGETS)
		return address;
	target = (unsigned)index_nospec(target, VIRTIO_SCSI_TARGETS);
	if (scsi->target[target].drive.kind == SCSI_DRIVE_NONE)
		return address;
	address.target = &scsi->target[target];
	address.is_absent = lun[2] & ~VIRTIO_SCSI_FLAT || lun[3];
	return address;
}

/* False: it is too short to be answered. */
static bool sizes_read(struct virtio_scsi *scsi,
		       struct virtio_scsi_request *request)
{
	const struct virtio_chain *chain = &request->chain;
	const struct virtio_scsi_state *state = &scsi->state;

	if (state->cdb_size > SIZE_MAX_SD || state->sense_size > SIZE_MAX_SD)
		return false;
	request->header =
		(uint32_t)sizeof(struct virtio_scsi_header) + state->cdb_size;
	request->response = (uint32_t)sizeof(struct virtio_scsi_response) +
			    state->sense_size;
	request->moved = 0;
	return chain->out_length >= request->header &&
	       chain->in_length >= request->response;
}

static void command_read(struct virtio_scsi *scsi,
			 struct virtio_scsi_request *request,
			 struct virtio_scsi_header *header)
{
	uint32_t length =
		MIN(scsi->state.cdb_size, (uint32_t)sizeof(request->command));

	memset(request->command, 0, sizeof(request->command));
	(void)virtio_chain_read(&request->chain, 0, header, sizeof(*header));
	(void)virtio_chain_read(&request->chain, sizeof(*header),
				request->command, length);
	memcpy(&request->tag, header->tag, sizeof(request->tag));
}

static void request_begin(struct virtio_scsi *scsi,
			  struct virtio_scsi_request *request)
{
	struct virtio_scsi_header header;
	struct virtio_scsi_address address;

	if (!sizes_read(scsi, request)) {
		virtio_break(&scsi->virtio,
			     "a SCSI request without room for its answer");
		scsi->free |= BIT(request - scsi->request);
		return;
	}
	command_read(scsi, request, &header);
	address = virtio_scsi_address(scsi, header.lun);
	if (!address.target)
		virtio_scsi_respond(scsi, request, VIRTIO_SCSI_BAD_TARGET,
				    SCSI_GOOD, NULL, 0);
	else if (data_size(request) > VIRTIO_SCSI_DATA_MAX ||
		 (request->chain.out_length > request->header &&
		  request->chain.in_length > request->response))
		virtio_scsi_respond(scsi, request, VIRTIO_SCSI_FAILURE,
				    SCSI_GOOD, NULL, 0);
	else if (address.is_absent)
		virtio_scsi_target_absent(scsi, request);
	else
		virtio_scsi_target_take(address.target, request,
					header.attribute == VIRTIO_SCSI_HEAD);
}

/* ---- Queues -------------------------------------------------------------- */

static int take(struct virtio_scsi *scsi, unsigned queue)
{
	unsigned place = (unsigned)__builtin_ctzll(scsi->free);
	struct virtio_scsi_request *request = &scsi->request[place];
	int found = virtio_queue_take(&scsi->virtio, queue, &request->chain);

	if (found > 0) {
		scsi->free &= ~BIT(place);
		request_begin(scsi, request);
	}
	return found;
}

static bool has_room(const struct virtio_scsi *scsi)
{
	return scsi->free && scsi->budget;
}

/* All there is, as far as there is room. */
static void queue_run(struct virtio_scsi *scsi, unsigned queue)
{
	scsi->waiting &= ~bit_of(queue);
	do {
		(void)virtio_queue_watch(&scsi->virtio, queue, false);
		while (has_room(scsi) && take(scsi, queue) > 0)
			scsi->budget--;
	} while (has_room(scsi) &&
		 virtio_queue_watch(&scsi->virtio, queue, true));
	if (!has_room(scsi))
		scsi->waiting |= bit_of(queue);
}

void virtio_scsi_take_all(struct virtio_scsi *scsi)
{
	for (unsigned i = 0; i < scsi->queues; i++)
		queue_run(scsi, VIRTIO_SCSI_REQUESTS + i);
}

void virtio_scsi_run_waiting(struct virtio_scsi *scsi)
{
	while (scsi->waiting && has_room(scsi)) {
		unsigned queue = virtio_queue_next(scsi->waiting, scsi->turn);

		scsi->turn = (uint16_t)(queue + 1);
		queue_run(scsi, queue);
	}
	show_returned(scsi);
}

/* What waited for places, then what waited for that. */
static void go_on(struct virtio_scsi *scsi)
{
	scsi->is_in_run = true;
	virtio_scsi_run_waiting(scsi);
	if (scsi->is_control_held || (scsi->is_control_due && scsi->budget))
		virtio_scsi_control_run(scsi);
	show_returned(scsi);
	scsi->is_in_run = false;
	if (!scsi->budget &&
	    ((scsi->waiting && scsi->free) || scsi->is_control_due))
		clock_timer_arm(scsi->clock, &scsi->more,
				clock_now(scsi->clock) + 1);
}

static void more(void *dev)
{
	struct virtio_scsi *scsi = dev;

	scsi->budget = RUN;
	go_on(scsi);
}

/* A drive's medium has done something. */
static void ready(void *ctx)
{
	struct virtio_scsi_target *target = ctx;

	virtio_scsi_target_run(target);
	if (!target->scsi->is_in_run)
		go_on(target->scsi);
}

static void notified(void *dev, unsigned queue)
{
	struct virtio_scsi *scsi = dev;

	scsi->budget = RUN;
	scsi->is_in_run = true;
	if (queue == VIRTIO_SCSI_CONTROL)
		virtio_scsi_control_run(scsi);
	else if (queue == VIRTIO_SCSI_EVENTS)
		virtio_scsi_events_run(scsi);
	else
		queue_run(scsi, queue);
	go_on(scsi);
}

/* ---- The driver starts and stops ----------------------------------------- */

static bool is_void(const struct virtio_scsi_request *request, const void *ctx)
{
	return virtio_chain_is_void(ctx, &request->chain);
}

/* Requests of before a reset are no more. */
static void void_end(struct virtio_scsi *scsi)
{
	scsi->is_in_run = true;
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		(void)virtio_scsi_target_end(&scsi->target[i], is_void,
					     &scsi->virtio, VIRTIO_SCSI_RESET);
	scsi->is_in_run = false;
}

static void stopped(void *dev)
{
	struct virtio_scsi *scsi = dev;
	struct virtio_scsi_state *state = &scsi->state;

	void_end(scsi);
	scsi->waiting = scsi->returned = 0;
	scsi->is_control_held = scsi->is_control_due = false;
	state->sense_size = VIRTIO_SCSI_SENSE_SIZE;
	state->cdb_size = VIRTIO_SCSI_CDB_SIZE;
	state->subscribed = 0;
	state->is_event_missed = false;
}

static void queue_stopped(void *dev, unsigned queue)
{
	struct virtio_scsi *scsi = dev;

	void_end(scsi);
	scsi->waiting &= ~bit_of(queue);
	if (queue == VIRTIO_SCSI_CONTROL)
		scsi->is_control_held = scsi->is_control_due = false;
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		virtio_scsi_target_run(&scsi->target[i]);
	go_on(scsi);
}

static struct virtio_scsi_layout layout(const struct virtio_scsi *scsi)
{
	return (struct virtio_scsi_layout){
		.num_queues = scsi->queues,
		.seg_max = VIRTIO_SCSI_SEGMENTS,
		.max_sectors = VIRTIO_SCSI_DATA_MAX / BLOCK_SECTOR,
		.cmd_per_lun = VIRTIO_SCSI_DEPTH,
		.event_info_size = sizeof(struct virtio_scsi_event),
		.sense_size = scsi->state.sense_size,
		.cdb_size = scsi->state.cdb_size,
		.max_target = VIRTIO_SCSI_TARGETS - 1,
	};
}

static void config_read(void *dev, unsigned offset, void *to, unsigned size)
{
	const struct virtio_scsi_layout bytes = layout(dev);

	memcpy(to, (const uint8_t *)&bytes + offset, size);
}

/* Two sizes, perhaps byte by byte: what they are is looked at when a request
 * wants to know. */
static void config_write(void *dev, unsigned offset, const void *from,
			 unsigned size)
{
	struct virtio_scsi *scsi = dev;
	struct virtio_scsi_layout bytes = layout(scsi);

	memcpy((uint8_t *)&bytes + offset, from, size);
	scsi->state.sense_size = bytes.sense_size;
	scsi->state.cdb_size = bytes.cdb_size;
}

static const struct virtio_ops ops = {
	.notified = notified,
	.stopped = stopped,
	.queue_stopped = queue_stopped,
	.config_read = config_read,
	.config_write = config_write,
};

/* ---- Made, reset, restored ------------------------------------------------
 */

static void scsi_reset(void *dev)
{
	struct virtio_scsi *scsi = dev;

	virtio_reset(&scsi->virtio);
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		scsi_drive_reset(&scsi->target[i].drive);
}

/* What was in flight before is not of the state that was loaded. */
static void scsi_restored(void *dev)
{
	struct virtio_scsi *scsi = dev;

	virtio_restored(&scsi->virtio);
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++) {
		struct virtio_scsi_target *target = &scsi->target[i];

		target->count = 0;
		target->is_active = false;
		scsi_drive_restored(&target->drive);
	}
	scsi->free = ~0ULL;
	scsi->waiting = scsi->returned = 0;
	scsi->is_control_held = scsi->is_control_due = false;
}

static bool scsi_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct virtio_scsi *scsi = dev;
	const struct virtio_scsi_state *state = saved;

	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++) {
		const struct scsi_drive *drive = &scsi->target[i].drive;

		if (!scsi_drive_is_valid(drive, &state->drive[i], now_ns) ||
		    (state->subscribed >> i & 1 &&
		     drive->kind != SCSI_DRIVE_CDROM))
			return false;
	}
	return virtio_is_valid(&scsi->virtio, &state->virtio);
}

static bool scsi_is_idle(const void *dev)
{
	const struct virtio_scsi *scsi = dev;

	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		if (!scsi_drive_is_free(&scsi->target[i].drive))
			return false;
	return scsi->free == ~0ULL && !scsi->waiting &&
	       !scsi->is_control_held && !scsi->is_control_due;
}

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_scsi_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_scsi_state, sense_size,
		    .reset = VIRTIO_SCSI_SENSE_SIZE),
	STATE_VALUE(struct virtio_scsi_state, cdb_size,
		    .reset = VIRTIO_SCSI_CDB_SIZE),
	STATE_VALUE(struct virtio_scsi_state, subscribed),
	STATE_VALUE(struct virtio_scsi_state, is_event_missed),
	STATE_RESERVED(struct virtio_scsi_state, reserved),
	STATE_VALUE(struct virtio_scsi_state, more_ns, .reset = CLOCK_NEVER),
	STATE_STRUCTS(struct virtio_scsi_state, drive, &scsi_drive_description),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct virtio_scsi_state, fields);

const struct device_ops virtio_scsi_ops = {
	.name = "virtio-scsi",
	.version = 1,
	.state = &description,
	.reset = scsi_reset,
	.restored = scsi_restored,
	.is_valid = scsi_is_valid,
	.is_idle = scsi_is_idle,
};

static void targets_init(struct virtio_scsi *scsi,
			 const struct virtio_scsi_config *config)
{
	const struct scsi_drive_wiring wiring = {
		.clock = config->clock,
		.ram = config->ram,
		.pci = &scsi->virtio.pci,
		.disk_capabilities = CAN_QUEUE,
		.ready = ready,
	};

	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++) {
		struct virtio_scsi_target *target = &scsi->target[i];

		target->scsi = scsi;
		scsi_drive_init(&target->drive, &scsi->state.drive[i],
				&config->drive[i], &wiring, PLACE + i, target);
		scsi_drive_reset(&target->drive);
	}
}

static bool drives_are_good(const struct virtio_scsi_config *config)
{
	for (unsigned i = 0; i < VIRTIO_SCSI_TARGETS; i++)
		if (config->drive[i].backend && !config->drive[i].is_cdrom &&
		    !config->drive[i].backend->sector_count)
			return false;
	return true;
}

int virtio_scsi_init(struct virtio_scsi *scsi,
		     const struct virtio_scsi_config *config)
{
	uint16_t queues = config->queues ? config->queues : 1;
	const struct virtio_config transport = {
		.ops = &ops,
		.dev = scsi,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-scsi",
		.kind = VIRTIO_KIND_SCSI,
		.class = CLASS_SCSI,
		.queue_count = VIRTIO_SCSI_REQUESTS + queues,
		.queue_size = VIRTIO_QUEUE_SIZE,
		.config_size = sizeof(struct virtio_scsi_layout),
		.is_transitional = config->is_transitional,
		.log = config->log,
	};

	if (queues > VIRTIO_SCSI_QUEUES_MAX || !drives_are_good(config))
		return -EINVAL;
	memory_clear(scsi, sizeof(*scsi));
	device_init(&scsi->device, &virtio_scsi_ops, scsi, &scsi->state);
	scsi->queues = queues;
	scsi->free = ~0ULL;
	scsi->budget = RUN;
	scsi->clock = config->clock;
	device_timer_init(&scsi->device, scsi->clock, &scsi->more, more, scsi,
			  &scsi->state.more_ns);
	targets_init(scsi, config);
	return virtio_init(&scsi->virtio, &transport, &scsi->state.virtio);
}
