/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB disk's transport.  See usb_storage.h.
 */
#include "devices/usb_storage.h"

#include "devices/clear.h"
#include "devices/usb_storage_internal.h"
#include "lib/printf.h"
#include "lib/string.h"

#define ENDPOINT_IN  1
#define ENDPOINT_OUT 2

#define GET_MAX_LUN   0xfe
#define STORAGE_RESET 0xff

#define CBW_SIGNATURE 0x43425355U
#define CSW_SIGNATURE 0x53425355U
#define CBW_IN	      BIT(7)

struct cbw {
	uint32_t signature, tag, length;
	uint8_t flags, unit, command_length;
	uint8_t command[USB_STORAGE_COMMAND];
} __packed;
ASSERT_SIZE(struct cbw, 31);

struct csw {
	uint32_t signature, tag, residue;
	uint8_t status;
} __packed;
ASSERT_SIZE(struct csw, 13);

static struct usb_storage *storage_of(struct usb_device *dev)
{
	return container_of(dev, struct usb_storage, usb);
}

/* ---- The medium --------------------------------------------------------- */

/* So much of it is in use; the rest is zeros, as a saved state has it. */
static void buffer_set(struct usb_storage_state *state, uint32_t length)
{
	state->offset = 0;
	state->length = length;
	memset(state->buffer + length, 0, USB_STORAGE_BUFFER - length);
}

/* No more data than there are: what the host still wants ends in a STALL. */
static void data_end(struct usb_storage *disk)
{
	struct usb_storage_state *state = &disk->state;

	state->device_left = 0;
	buffer_set(state, 0);
	state->is_refused = state->host_left;
	if (!state->host_left)
		state->phase = USB_STORAGE_STATUS;
}

static void request_failed(struct usb_storage *disk, int status)
{
	bool is_write = disk->request.op != BLOCK_READ;

	disk->state.is_flush_due = false;
	if (status == -EROFS)
		usb_storage_fail(disk, SCSI_DATA_PROTECT, SCSI_PROTECTED);
	else
		usb_storage_fail(disk, SCSI_MEDIUM_ERROR,
				 is_write ? SCSI_WRITE_ERROR : SCSI_READ_ERROR);
	data_end(disk);
}

static void request_ended(struct usb_storage *disk, int status)
{
	struct usb_storage_state *state = &disk->state;
	uint32_t length = disk->request.segment_count
				  ? disk->request.segment[0].length
				  : 0;

	if (status) {
		request_failed(disk, status);
		return;
	}
	switch (disk->request.op) {
	case BLOCK_READ:
		memcpy(state->buffer, disk->bounce, length);
		buffer_set(state, length);
		break;
	case BLOCK_WRITE:
		buffer_set(state, 0);
		if (!state->device_left)
			data_end(disk);
		break;
	case BLOCK_FLUSH:
		state->is_flush_due = false;
		break;
	}
	state->sector += length / BLOCK_SECTOR;
}

static void request_done(void *dev, struct block_request *request, int status)
{
	struct usb_storage *disk = dev;

	(void)request;
	disk->is_busy = false;
	clock_timer_disarm(disk->clock, &disk->timer);
	if (!disk->is_forgotten)
		request_ended(disk, status);
	disk->is_forgotten = false;
	if (disk->is_nested)
		return;
	usb_ready(&disk->usb, ENDPOINT_IN);
	usb_ready(&disk->usb, ENDPOINT_OUT);
}

static void request_cancel(struct usb_storage *disk)
{
	if (disk->is_busy && disk->backend->cancel)
		disk->backend->cancel(disk->backend->ctx, &disk->request);
}

static void timer_expired(void *dev)
{
	request_cancel(dev);
}

/* length: of the bounce buffer; 0: a flush has none. */
static void submit(struct usb_storage *disk, enum block_op op, uint32_t length)
{
	disk->request = (struct block_request){
		.op = op,
		.sector = disk->state.sector,
		.segment_count = length != 0,
		.segment[0] = { disk->bounce, length },
		.failed_sector = BLOCK_UNKNOWN,
		.done = request_done,
		.dev = disk,
	};
	disk->is_busy = disk->is_nested = true;
	disk->backend->submit(disk->backend->ctx, &disk->request);
	disk->is_nested = false;
	if (disk->is_busy)
		clock_timer_arm(disk->clock, &disk->timer,
				clock_now(disk->clock) +
					USB_STORAGE_TIMEOUT_NS);
}

static void buffer_fill(struct usb_storage *disk)
{
	submit(disk, BLOCK_READ,
	       MIN(disk->state.device_left, (uint32_t)USB_STORAGE_BUFFER));
}

static void buffer_write(struct usb_storage *disk)
{
	memcpy(disk->bounce, disk->state.buffer, disk->state.length);
	submit(disk, BLOCK_WRITE, disk->state.length);
}

/* ---- Commands ----------------------------------------------------------- */

/* What host and device want does not go together. */
static void phase_error(struct usb_storage *disk)
{
	disk->state.status = USB_STORAGE_PHASE_ERROR;
	disk->state.is_media = disk->state.is_flush_due = false;
	data_end(disk);
}

static void command_start(struct usb_storage *disk, bool is_out)
{
	struct usb_storage_state *state = &disk->state;
	struct usb_storage_plan plan = usb_storage_command(disk);

	state->phase = is_out ? USB_STORAGE_DATA_OUT : USB_STORAGE_DATA_IN;
	state->is_refused = false;
	state->device_left = plan.length;
	buffer_set(state, plan.is_out || state->is_media ? 0 : plan.length);
	if (plan.length > state->host_left ||
	    (plan.length && plan.is_out != is_out)) {
		phase_error(disk);
		return;
	}
	if (state->status != USB_STORAGE_PASSED || !state->host_left ||
	    (is_out && !plan.length))
		data_end(disk);
	else if (state->is_media && !is_out)
		buffer_fill(disk);
}

static int command_take(struct usb_storage *disk, const uint8_t *data,
			unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	struct cbw cbw;

	if (disk->is_busy) /* with what nobody waits for any more */
		return USB_NAK;
	memset(&cbw, 0, sizeof(cbw));
	memcpy(&cbw, data, MIN(length, (unsigned)sizeof(cbw)));
	if (length != sizeof(cbw) || cbw.signature != CBW_SIGNATURE ||
	    cbw.unit || !cbw.command_length ||
	    cbw.command_length > USB_STORAGE_COMMAND) {
		state->phase = USB_STORAGE_BROKEN;
		state->usb.halted_in |= (uint16_t)BIT(ENDPOINT_IN);
		return USB_STALL;
	}
	memset(state->command, 0, sizeof(state->command));
	memcpy(state->command, cbw.command, cbw.command_length);
	state->tag = cbw.tag;
	state->host_left = state->residue = cbw.length;
	command_start(disk, !(cbw.flags & CBW_IN));
	return (int)length;
}

/* ---- Data and status ---------------------------------------------------- */

static int data_refuse(struct usb_storage *disk)
{
	struct usb_storage_state *state = &disk->state;

	state->is_refused = false;
	state->host_left = state->device_left = 0;
	buffer_set(state, 0);
	state->phase = USB_STORAGE_STATUS;
	return USB_STALL;
}

static void moved(struct usb_storage_state *state, uint32_t bytes)
{
	state->offset += bytes;
	state->device_left -= bytes;
	state->host_left -= bytes;
	state->residue -= bytes;
}

/* What the device has no data for is zeros; the residue says so. */
static unsigned pad(struct usb_storage_state *state, uint8_t *data,
		    unsigned length)
{
	length = MIN(length, state->host_left);
	memset(data, 0, length);
	state->host_left -= length;
	return length;
}

static int data_give(struct usb_storage *disk, uint8_t *data, unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	unsigned done = 0;

	if (state->is_refused)
		return data_refuse(disk);
	if (state->offset == state->length && state->device_left) {
		buffer_fill(disk);
		if (disk->is_busy)
			return USB_NAK;
		if (state->is_refused)
			return data_refuse(disk);
	}
	if (state->offset < state->length) {
		done = MIN(length, state->length - state->offset);
		memcpy(data, state->buffer + state->offset, done);
		moved(state, done);
	}
	if (!state->device_left)
		done += pad(state, data + done, length - done);
	if (!state->host_left)
		state->phase = USB_STORAGE_STATUS;
	else if (state->offset == state->length && state->device_left)
		buffer_fill(disk);
	return (int)done;
}

/* A packet that does not fit waits until the buffer is written: its size is a
 * multiple of packets', so that it never is cut. */
static int data_take(struct usb_storage *disk, const uint8_t *data,
		     unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	unsigned room = USB_STORAGE_BUFFER - state->length;
	unsigned taken = MIN(length, MIN(room, state->device_left));

	if (length > state->host_left) /* more than it has announced */
		phase_error(disk);
	if (state->is_refused || !state->host_left)
		return data_refuse(disk);
	memcpy(state->buffer + state->length, data, taken);
	state->length += taken;
	moved(state, taken);
	if (!state->is_media) {
		buffer_set(state, 0);
		if (!state->device_left)
			data_end(disk);
	} else if (!state->device_left || state->length == USB_STORAGE_BUFFER) {
		buffer_write(disk);
	}
	return (int)taken;
}

static int status_give(struct usb_storage *disk, uint8_t *data, unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	struct csw csw = { CSW_SIGNATURE, state->tag, 0, 0 };

	if (state->is_flush_due) {
		submit(disk, BLOCK_FLUSH, 0);
		if (disk->is_busy)
			return USB_NAK;
	}
	csw.residue = state->residue;
	csw.status = state->status;
	length = MIN(length, (unsigned)sizeof(csw));
	memcpy(data, &csw, length);
	state->phase = USB_STORAGE_COMMAND_PHASE;
	return (int)length;
}

static int in(struct usb_device *dev, unsigned endpoint, uint8_t *data,
	      unsigned length)
{
	struct usb_storage *disk = storage_of(dev);

	if (endpoint != ENDPOINT_IN || disk->state.phase == USB_STORAGE_BROKEN)
		return USB_STALL;
	if (disk->is_busy)
		return USB_NAK;
	switch (disk->state.phase) {
	case USB_STORAGE_DATA_IN:
		return data_give(disk, data, length);
	case USB_STORAGE_STATUS:
		return status_give(disk, data, length);
	}
	return USB_NAK;
}

static int out(struct usb_device *dev, unsigned endpoint, const uint8_t *data,
	       unsigned length)
{
	struct usb_storage *disk = storage_of(dev);

	if (endpoint != ENDPOINT_OUT)
		return USB_STALL;
	switch (disk->state.phase) {
	case USB_STORAGE_COMMAND_PHASE:
		return command_take(disk, data, length);
	case USB_STORAGE_DATA_OUT:
		return disk->is_busy ? USB_NAK : data_take(disk, data, length);
	}
	return USB_STALL;
}

/* ---- Resets ------------------------------------------------------------- */

/* A request in flight ends by itself, and its end is nobody's. */
static void forget(struct usb_device *dev)
{
	struct usb_storage *disk = storage_of(dev);
	struct usb_storage_state *state = &disk->state;

	state->phase = USB_STORAGE_COMMAND_PHASE;
	state->status = state->sense_key = state->sense_code = 0;
	state->is_media = state->is_refused = state->is_flush_due = false;
	state->host_left = state->device_left = state->residue = 0;
	buffer_set(state, 0);
	disk->is_forgotten = disk->is_busy;
	request_cancel(disk);
}

static int control(struct usb_device *dev, const struct usb_setup *setup,
		   uint8_t *data)
{
	switch (USB_REQUEST(setup->type, setup->request)) {
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_INTERFACE), GET_MAX_LUN):
		data[0] = 0;
		return 1;
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_INTERFACE),
			 STORAGE_RESET):
		forget(dev);
		return 0;
	}
	return USB_STALL;
}

static void reset_rest(void *dev)
{
	struct usb_storage *disk = dev;

	forget(&disk->usb);
}

static void restored(void *dev)
{
	struct usb_storage *disk = dev;

	disk->is_forgotten = disk->is_busy;
}

static bool is_idle(const void *dev)
{
	return !((const struct usb_storage *)dev)->is_busy;
}

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct usb_storage_state, usb, &usb_description),
	STATE_VALUE(struct usb_storage_state, phase,
		    .max = USB_STORAGE_PHASES - 1),
	STATE_VALUE(struct usb_storage_state, status, .max = 2),
	STATE_VALUE(struct usb_storage_state, sense_key, .max = 15),
	STATE_VALUE(struct usb_storage_state, sense_code),
	STATE_VALUE(struct usb_storage_state, is_media),
	STATE_VALUE(struct usb_storage_state, is_refused),
	STATE_VALUE(struct usb_storage_state, is_flush_due),
	STATE_RESERVED(struct usb_storage_state, reserved),
	STATE_ARRAY(struct usb_storage_state, command),
	STATE_VALUE(struct usb_storage_state, tag),
	STATE_VALUE(struct usb_storage_state, residue),
	STATE_VALUE(struct usb_storage_state, host_left),
	STATE_VALUE(struct usb_storage_state, device_left),
	STATE_VALUE(struct usb_storage_state, offset,
		    .max = USB_STORAGE_BUFFER),
	STATE_VALUE(struct usb_storage_state, length,
		    .max = USB_STORAGE_BUFFER),
	STATE_VALUE(struct usb_storage_state, sector),
	STATE_ARRAY(struct usb_storage_state, buffer),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct usb_storage_state, fields);

/* The medium's data are within it. */
static bool media_is_valid(const struct usb_storage *disk,
			   const struct usb_storage_state *state)
{
	uint64_t all = disk->backend->sector_count;
	uint32_t buffered = state->length - state->offset;

	if (state->phase == USB_STORAGE_DATA_OUT)
		return (state->device_left + (uint64_t)state->length) %
				       BLOCK_SECTOR ==
			       0 &&
		       state->sector <= all &&
		       (state->device_left + (uint64_t)state->length) /
				       BLOCK_SECTOR <=
			       all - state->sector;
	return buffered <= state->device_left &&
	       (state->device_left - buffered) % BLOCK_SECTOR == 0 &&
	       state->sector <= all &&
	       (state->device_left - buffered) / BLOCK_SECTOR <=
		       all - state->sector;
}

static bool rest_is_zero(const struct usb_storage_state *state)
{
	for (uint32_t i = state->length; i < USB_STORAGE_BUFFER; i++)
		if (state->buffer[i])
			return false;
	return true;
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct usb_storage *disk = dev;
	const struct usb_storage_state *state = saved;
	bool is_data = state->phase == USB_STORAGE_DATA_IN ||
		       state->phase == USB_STORAGE_DATA_OUT;

	(void)now_ns;
	if (!usb_state_is_valid(&state->usb) || !rest_is_zero(state) ||
	    state->offset > state->length ||
	    state->device_left > state->host_left ||
	    state->host_left > state->residue)
		return false;
	if (!is_data)
		return true;
	if (!state->host_left)
		return false;
	if (state->is_media && state->device_left)
		return media_is_valid(disk, state);
	return state->phase == USB_STORAGE_DATA_OUT ||
	       state->length - state->offset == state->device_left;
}

const struct device_ops usb_storage_ops = {
	.name = "usb_storage",
	.version = 1,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
	.is_idle = is_idle,
};

/* ---- Life --------------------------------------------------------------- */

/* clang-format off */
static const uint8_t device_descriptor[] = {
	18, USB_DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
	0xf4, 0x46, 0x01, 0x00, 0x00, 0x01, 1, 2, 3, 1,
};

#define CONFIGURATION(packet) \
	9, USB_DESCRIPTOR_CONFIGURATION, 32, 0, 1, 1, 0, 0xc0, 0, \
	9, USB_DESCRIPTOR_INTERFACE, 0, 0, 2, 8, 6, 0x50, 0, \
	7, USB_DESCRIPTOR_ENDPOINT, 0x81, 2, (packet) & 0xff, (packet) >> 8, 0, \
	7, USB_DESCRIPTOR_ENDPOINT, 0x02, 2, (packet) & 0xff, (packet) >> 8, 0

static const uint8_t configuration_full[] = { CONFIGURATION(64) };
static const uint8_t configuration_high[] = { CONFIGURATION(512) };
/* clang-format on */

void usb_storage_init(struct usb_storage *disk, struct block_backend *backend,
		      struct clock *clock, unsigned number)
{
	memory_clear(disk, sizeof(*disk));
	disk->backend = backend;
	disk->clock = clock;
	disk->timer.expired = timer_expired;
	disk->timer.dev = disk;
	(void)snprintf(disk->serial, sizeof(disk->serial), "B10C%08X", number);
	disk->strings[0] = "Bulkhead";
	disk->strings[1] = "USB disk";
	disk->strings[2] = disk->serial;
	disk->model = (struct usb_model){
		.device = device_descriptor,
		.configuration = { configuration_full, configuration_high },
		.strings = disk->strings,
		.control = control,
		.in = in,
		.out = out,
		.reset = forget,
	};
	usb_device_init(&disk->usb, &usb_storage_ops, &disk->model, disk,
			&disk->state, &disk->state.usb);
}
