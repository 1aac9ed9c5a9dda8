/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB disk's transport.  See usb_storage.h.
 */
#include "devices/usb_storage.h"

#include "devices/clear.h"
#include "lib/printf.h"
#include "lib/string.h"

#define ENDPOINT_IN  1
#define ENDPOINT_OUT 2

#define GET_MAX_LUN   0xfe
#define STORAGE_RESET 0xff

#define CBW_SIGNATURE 0x43425355U
#define CSW_SIGNATURE 0x53425355U
#define CBW_IN	      BIT(7)

#define CSW_PASSED	0
#define CSW_FAILED	1
#define CSW_PHASE_ERROR 2

#define PRODUCT "BULKHEADUSB DISK        "

struct cbw {
	uint32_t signature, tag, length;
	uint8_t flags, unit, command_length;
	uint8_t command[SCSI_COMMAND];
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

/* No more data than there are: what the host still wants ends in a STALL. */
static void data_end(struct usb_storage *disk)
{
	struct usb_storage_state *state = &disk->state;

	state->disk.left = 0;
	scsi_disk_buffer_set(&state->disk, 0);
	state->is_refused = state->host_left;
	if (!state->host_left)
		state->phase = USB_STORAGE_STATUS;
}

static void request_ended(void *ctx, enum block_op op, int status)
{
	struct usb_storage *disk = ctx;

	if (status || (op == BLOCK_WRITE && !disk->state.disk.left))
		data_end(disk);
}

static void request_ready(void *ctx)
{
	struct usb_storage *disk = ctx;

	usb_ready(&disk->usb, ENDPOINT_IN);
	usb_ready(&disk->usb, ENDPOINT_OUT);
}

/* ---- Commands ----------------------------------------------------------- */

/* What host and device want does not go together. */
static void phase_error(struct usb_storage *disk)
{
	disk->state.has_phase_error = true;
	disk->state.disk.is_media = disk->state.disk.is_flush_due = false;
	data_end(disk);
}

static void command_start(struct usb_storage *disk, bool is_out)
{
	struct usb_storage_state *state = &disk->state;
	const struct scsi_disk_state *plan = &state->disk;

	scsi_disk_command(&disk->disk);
	state->phase = is_out ? USB_STORAGE_DATA_OUT : USB_STORAGE_DATA_IN;
	state->is_refused = state->has_phase_error = false;
	if (plan->left > state->host_left ||
	    (plan->left && plan->is_out != is_out)) {
		phase_error(disk);
		return;
	}
	if (plan->status != SCSI_GOOD || !state->host_left ||
	    (is_out && !plan->left))
		data_end(disk);
	else if (plan->is_media && !is_out)
		scsi_disk_fill(&disk->disk);
}

static int command_take(struct usb_storage *disk, const uint8_t *data,
			unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	struct cbw cbw;

	if (disk->disk.is_busy) /* with what nobody waits for any more */
		return USB_NAK;
	memset(&cbw, 0, sizeof(cbw));
	memcpy(&cbw, data, MIN(length, (unsigned)sizeof(cbw)));
	if (length != sizeof(cbw) || cbw.signature != CBW_SIGNATURE ||
	    cbw.unit || !cbw.command_length ||
	    cbw.command_length > SCSI_COMMAND) {
		state->phase = USB_STORAGE_BROKEN;
		state->usb.halted_in |= (uint16_t)BIT(ENDPOINT_IN);
		return USB_STALL;
	}
	memset(state->disk.command, 0, SCSI_COMMAND);
	memcpy(state->disk.command, cbw.command, cbw.command_length);
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
	state->host_left = state->disk.left = 0;
	scsi_disk_buffer_set(&state->disk, 0);
	state->phase = USB_STORAGE_STATUS;
	return USB_STALL;
}

static void moved(struct usb_storage_state *state, uint32_t bytes)
{
	state->disk.offset += bytes;
	state->disk.left -= bytes;
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
	if (state->disk.offset == state->disk.length && state->disk.left) {
		scsi_disk_fill(&disk->disk);
		if (disk->disk.is_busy)
			return USB_NAK;
		if (state->is_refused)
			return data_refuse(disk);
	}
	if (state->disk.offset < state->disk.length) {
		done = MIN(length, state->disk.length - state->disk.offset);
		memcpy(data, state->disk.buffer + state->disk.offset, done);
		moved(state, done);
	}
	if (!state->disk.left)
		done += pad(state, data + done, length - done);
	if (!state->host_left)
		state->phase = USB_STORAGE_STATUS;
	else if (state->disk.offset == state->disk.length && state->disk.left)
		scsi_disk_fill(&disk->disk);
	return (int)done;
}

/* A packet that does not fit waits until the buffer is written: its size is a
 * multiple of packets', so that it never is cut. */
static int data_take(struct usb_storage *disk, const uint8_t *data,
		     unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	unsigned room = SCSI_DISK_BUFFER - state->disk.length;
	unsigned taken = MIN(length, MIN(room, state->disk.left));

	if (length > state->host_left) /* more than it has announced */
		phase_error(disk);
	if (state->is_refused || !state->host_left)
		return data_refuse(disk);
	memcpy(state->disk.buffer + state->disk.length, data, taken);
	state->disk.length += taken;
	moved(state, taken);
	if (!state->disk.is_media) {
		scsi_disk_buffer_set(&state->disk, 0);
		if (!state->disk.left)
			data_end(disk);
	} else if (!state->disk.left ||
		   state->disk.length == SCSI_DISK_BUFFER) {
		scsi_disk_write(&disk->disk);
	}
	return (int)taken;
}

static int status_give(struct usb_storage *disk, uint8_t *data, unsigned length)
{
	struct usb_storage_state *state = &disk->state;
	struct csw csw = { CSW_SIGNATURE, state->tag, 0, CSW_PASSED };

	if (state->disk.is_flush_due) {
		scsi_disk_flush(&disk->disk);
		if (disk->disk.is_busy)
			return USB_NAK;
	}
	csw.residue = state->residue;
	if (state->has_phase_error)
		csw.status = CSW_PHASE_ERROR;
	else if (state->disk.status != SCSI_GOOD)
		csw.status = CSW_FAILED;
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
	if (disk->disk.is_busy)
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
		return disk->disk.is_busy ? USB_NAK
					  : data_take(disk, data, length);
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
	state->is_refused = state->has_phase_error = false;
	state->host_left = state->residue = 0;
	scsi_disk_forget(&disk->disk);
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

	scsi_disk_restored(&disk->disk);
}

static bool is_idle(const void *dev)
{
	return !((const struct usb_storage *)dev)->disk.is_busy;
}

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct usb_storage_state, usb, &usb_description),
	STATE_VALUE(struct usb_storage_state, phase,
		    .max = USB_STORAGE_PHASES - 1),
	STATE_VALUE(struct usb_storage_state, is_refused),
	STATE_VALUE(struct usb_storage_state, has_phase_error),
	STATE_RESERVED(struct usb_storage_state, reserved),
	STATE_VALUE(struct usb_storage_state, tag),
	STATE_VALUE(struct usb_storage_state, residue),
	STATE_VALUE(struct usb_storage_state, host_left),
	STATE_RESERVED(struct usb_storage_state, reserved2),
	STATE_STRUCT(struct usb_storage_state, disk, &scsi_disk_description),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct usb_storage_state, fields);

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct usb_storage *disk = dev;
	const struct usb_storage_state *state = saved;
	bool is_data = state->phase == USB_STORAGE_DATA_IN ||
		       state->phase == USB_STORAGE_DATA_OUT;

	(void)now_ns;
	if (!usb_state_is_valid(&state->usb) ||
	    !scsi_disk_is_valid(&disk->disk, &state->disk) ||
	    state->disk.left > state->host_left ||
	    state->host_left > state->residue)
		return false;
	if (!is_data)
		return true;
	return state->host_left &&
	       (!state->disk.left ||
		state->disk.is_out == (state->phase == USB_STORAGE_DATA_OUT));
}

const struct device_ops usb_storage_ops = {
	.name = "usb_storage",
	.version = 2,
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
	struct scsi_disk_config config = {
		.backend = backend,
		.clock = clock,
		.name = PRODUCT,
		.serial = disk->serial,
		.ended = request_ended,
		.ctx = disk,
	};

	memory_clear(disk, sizeof(*disk));
	scsi_disk_init(&disk->disk, &disk->state.disk, &config);
	disk->disk.unit.ready = request_ready;
	disk->disk.unit.ctx = disk;
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
