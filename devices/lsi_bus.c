/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target's end of a connection on the LSI 53C895A's bus: which phase it asks
 * for, and what it makes of the bytes.  See lsi.h.
 *
 * A target that has to wait for its medium gives the bus up, if it may: before
 * data move, or when all have.  Between two buffers of a transfer it keeps it.
 * Acknowledging the last byte of a message is one with taking it.
 *
 * As SCSI has it the initiator says how long a message is by ATN, and the first
 * byte of a command how long that is.  Drivers written for emulated adapters
 * send 16 bytes always, and messages without ATN: both are taken as they come.
 *
 * References: SCSI-2, chapters 6 and 7.2.3; SPI-3, chapter 16.3.
 */
#include "devices/lsi_internal.h"

#include "lib/string.h"

/* clang-format off */
#define MSG_COMPLETE		0x00
#define MSG_EXTENDED		0x01
#define   EXTENDED_SYNCHRONOUS	0x01
#define   EXTENDED_WIDE		0x03
#define   EXTENDED_PARALLEL	0x04	/* PARALLEL PROTOCOL REQUEST */
#define MSG_SAVE_POINTERS	0x02
#define MSG_DISCONNECT		0x04
#define MSG_INITIATOR_ERROR	0x05
#define MSG_ABORT		0x06
#define MSG_REJECT		0x07
#define MSG_NOTHING		0x08
#define MSG_PARITY_ERROR	0x09
#define MSG_DEVICE_RESET	0x0c
#define MSG_ABORT_TAG		0x0d
#define MSG_CLEAR_QUEUE		0x0e
#define MSG_SIMPLE_TAG		0x20
#define MSG_HEAD_TAG		0x21
#define MSG_ORDERED_TAG		0x22
#define MSG_IGNORE_WIDE		0x23
#define MSG_IDENTIFY		0x80
#define   IDENTIFY_DISCONNECT	BIT(6)
#define   IDENTIFY_UNIT		MASK(2, 0)
/* clang-format on */

#define PERIOD_MIN 10 /* 25 ns: Ultra2 */
#define OFFSET_MAX 31
#define WIDTH_MAX  1 /* 16 bits */

static struct lsi_target *connected(struct lsi *lsi)
{
	return &lsi->target[lsi->state.bus.target];
}

static void bus_free(struct lsi *lsi)
{
	memset(&lsi->state.bus, 0, sizeof(lsi->state.bus));
	lsi->state.reg[LSI_SOCL] &= (uint8_t)~SOCL_ATN;
}

/* ---- Messages in -------------------------------------------------------- */

static void message_add(struct lsi_bus_state *bus, const uint8_t *from,
			unsigned length)
{
	if (bus->in_length + length > LSI_MESSAGE)
		return;
	memcpy(bus->in + bus->in_length, from, length);
	bus->in_length = (uint8_t)(bus->in_length + length);
}

static void message_add_byte(struct lsi_bus_state *bus, uint8_t byte)
{
	message_add(bus, &byte, 1);
}

static void messages_start(struct lsi_bus_state *bus, enum lsi_bus_next next)
{
	bus->phase = LSI_BUS_MESSAGE_IN;
	bus->next = (uint8_t)next;
}

static void messages_end(struct lsi *lsi)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	struct lsi_target *target = connected(lsi);
	uint8_t status = bus->status;
	bool has_task = bus->has_task;

	bus->in_offset = bus->in_length = 0;
	switch (bus->next) {
	case LSI_NEXT_COMMAND:
		bus->phase = LSI_BUS_COMMAND;
		break;
	case LSI_NEXT_DATA:
		bus->phase = LSI_BUS_DATA;
		break;
	case LSI_NEXT_STATUS:
		bus->phase = LSI_BUS_STATUS;
		break;
	case LSI_NEXT_DISCONNECTED:
		bus_free(lsi);
		break;
	case LSI_NEXT_COMPLETE:
		bus_free(lsi);
		if (has_task)
			lsi_target_complete(target, status);
		break;
	}
}

/* The bus is given up until there is something to move. */
static void disconnect(struct lsi_bus_state *bus)
{
	if (bus->has_moved)
		message_add_byte(bus, MSG_SAVE_POINTERS);
	message_add_byte(bus, MSG_DISCONNECT);
	messages_start(bus, LSI_NEXT_DISCONNECTED);
}

/* ---- Messages out ------------------------------------------------------- */

/* What both can do. */
static void extended_answer(struct lsi_bus_state *bus, const uint8_t *message)
{
	uint8_t answer[8];
	unsigned length = 2U + message[1];

	if (length > sizeof(answer)) {
		message_add_byte(bus, MSG_REJECT);
		return;
	}
	memcpy(answer, message, length);
	switch (message[1] << 8 | message[2]) {
	case 3 << 8 | EXTENDED_SYNCHRONOUS:
		answer[3] = MAX(answer[3], (uint8_t)PERIOD_MIN);
		answer[4] = MIN(answer[4], (uint8_t)OFFSET_MAX);
		break;
	case 2 << 8 | EXTENDED_WIDE:
		answer[3] = MIN(answer[3], (uint8_t)WIDTH_MAX);
		break;
	case 6 << 8 | EXTENDED_PARALLEL:
		answer[3] = MAX(answer[3], (uint8_t)PERIOD_MIN);
		answer[4] = 0;
		answer[5] = MIN(answer[5], (uint8_t)OFFSET_MAX);
		answer[6] = MIN(answer[6], (uint8_t)WIDTH_MAX);
		answer[7] = 0; /* no double transitions */
		break;
	default:
		message_add_byte(bus, MSG_REJECT);
		return;
	}
	message_add(bus, answer, length);
}

/* Of the message at out; 0: it goes on. */
static unsigned message_length(const uint8_t *out, unsigned left)
{
	unsigned length = 1;

	if (out[0] >= MSG_SIMPLE_TAG && out[0] <= MSG_IGNORE_WIDE)
		length = 2;
	else if (out[0] == MSG_EXTENDED)
		length = left < 2 ? 2 : 2U + (out[1] ? out[1] : 256);
	return length <= left ? length : 0;
}

static void identify(struct lsi_bus_state *bus, uint8_t message)
{
	if (bus->has_task) /* it is known who this is */
		return;
	bus->unit = message & IDENTIFY_UNIT;
	bus->may_disconnect = message & IDENTIFY_DISCONNECT;
}

static void tag_take(struct lsi_bus_state *bus, const uint8_t *message)
{
	if (bus->has_task || message[0] == MSG_IGNORE_WIDE)
		return;
	bus->has_tag = true;
	bus->tag = message[1];
	bus->is_head = message[0] == MSG_HEAD_TAG;
}

static void unit_abort(struct lsi_target *target, uint8_t unit)
{
	struct lsi_target_state *state = target->state;

	for (unsigned i = state->count; i-- > 0;)
		if (state->task[i].unit == unit)
			lsi_target_abort(target, unit, state->task[i].has_tag,
					 state->task[i].tag);
}

/* Those that end the connection; false: it is none of them. */
static bool message_ends(struct lsi *lsi, uint8_t message)
{
	const struct lsi_bus_state bus = lsi->state.bus;
	struct lsi_target *target = connected(lsi);

	if (message != MSG_ABORT && message != MSG_ABORT_TAG &&
	    message != MSG_CLEAR_QUEUE && message != MSG_DEVICE_RESET)
		return false;
	bus_free(lsi);
	switch (message) {
	case MSG_ABORT:
		unit_abort(target, bus.unit);
		break;
	case MSG_ABORT_TAG:
		lsi_target_abort(target, bus.unit, bus.has_tag, bus.tag);
		break;
	case MSG_CLEAR_QUEUE:
		lsi_target_clear(target);
		break;
	default:
		lsi_target_reset(target);
	}
	return true;
}

static void message_take(struct lsi_bus_state *bus, const uint8_t *message)
{
	if (message[0] & MSG_IDENTIFY) {
		identify(bus, message[0]);
		return;
	}
	switch (message[0]) {
	case MSG_EXTENDED:
		extended_answer(bus, message);
		break;
	case MSG_SIMPLE_TAG:
	case MSG_HEAD_TAG:
	case MSG_ORDERED_TAG:
	case MSG_IGNORE_WIDE:
		tag_take(bus, message);
		break;
	case MSG_INITIATOR_ERROR:
	case MSG_PARITY_ERROR:
	case MSG_REJECT:
	case MSG_NOTHING:
		break;
	default:
		message_add_byte(bus, MSG_REJECT);
	}
}

/* Where the target was, whenever ATN came. */
static enum lsi_bus_next after_messages(const struct lsi_bus_state *bus)
{
	if (bus->has_task)
		return LSI_NEXT_DATA;
	return bus->status == SCSI_GOOD ? LSI_NEXT_COMMAND : LSI_NEXT_STATUS;
}

/* What has come out, but for a message whose end is missing. */
static void messages_take(struct lsi *lsi)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	unsigned at = 0, length;

	while (at < bus->out_length) {
		length = message_length(bus->out + at, bus->out_length - at);
		if (!length)
			break;
		if (message_ends(lsi, bus->out[at]))
			return;
		message_take(bus, bus->out + at);
		at += length;
	}
	memmove(bus->out, bus->out + at, LSI_MESSAGE - at);
	memset(bus->out + LSI_MESSAGE - at, 0, at);
	bus->out_length = (uint8_t)(bus->out_length - at);
	if (bus->out_length)
		return;
	messages_start(bus, after_messages(bus));
	if (!bus->in_length)
		messages_end(lsi);
}

/* Too many bytes are none that are known. */
static uint32_t messages_put(struct lsi *lsi, const uint8_t *from,
			     uint32_t size, bool is_last)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	uint32_t bytes = MIN(size, (uint32_t)LSI_MESSAGE - bus->out_length);

	memcpy(bus->out + bus->out_length, from, bytes);
	bus->out_length = (uint8_t)(bus->out_length + bytes);
	if (!is_last && bus->out_length < LSI_MESSAGE)
		return bytes;
	lsi->state.reg[LSI_SOCL] &= (uint8_t)~SOCL_ATN;
	messages_take(lsi);
	if (bus->out_length == LSI_MESSAGE) {
		memset(bus->out, 0, LSI_MESSAGE);
		bus->out_length = 0;
		message_add_byte(bus, MSG_REJECT);
		messages_start(bus, after_messages(bus));
	}
	return bytes;
}

/* ---- Commands ----------------------------------------------------------- */

/* By its group; 0: as long as it is. */
static unsigned command_length(uint8_t first)
{
	static const uint8_t lengths[] = { 6, 10, 10, 0, 16, 12, 0, 0 };

	return lengths[first >> 5];
}

static void command_done(struct lsi *lsi)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	struct lsi_target *target = connected(lsi);
	struct lsi_task task = { .unit = bus->unit,
				 .tag = bus->tag,
				 .has_tag = bus->has_tag,
				 .may_disconnect = bus->may_disconnect };

	memcpy(task.command, bus->command, SCSI_COMMAND);
	memset(bus->command, 0, SCSI_COMMAND);
	bus->command_length = 0;
	bus->status = lsi_target_take(target, &task, bus->is_head);
	if (bus->status != SCSI_GOOD) {
		bus->phase = LSI_BUS_STATUS;
		return;
	}
	bus->has_task = lsi_task_is(&target->state->task[0], bus->unit,
				    bus->has_tag, bus->tag);
	bus->phase = LSI_BUS_DATA;
	if (!bus->has_task)
		disconnect(bus);
}

static uint32_t command_put(struct lsi *lsi, const uint8_t *from, uint32_t size,
			    bool is_last)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	uint32_t bytes =
		MIN(size, (uint32_t)SCSI_COMMAND - bus->command_length);

	memcpy(bus->command + bus->command_length, from, bytes);
	bus->command_length = (uint8_t)(bus->command_length + bytes);
	if (bus->command_length == SCSI_COMMAND ||
	    (is_last && bus->command_length >= command_length(bus->command[0])))
		command_done(lsi);
	return bytes;
}

/* ---- Phases ------------------------------------------------------------- */

/* Before data, or when all have moved. */
static bool may_disconnect(struct lsi *lsi)
{
	const struct lsi_bus_state *bus = &lsi->state.bus;
	const struct lsi_target *target = connected(lsi);

	return bus->may_disconnect &&
	       (!bus->has_moved || (target->drive.kind == SCSI_DRIVE_DISK &&
				    !target->state->drive.disk.left));
}

/* DATA: false, nothing yet. */
static bool data_requests(struct lsi *lsi, uint8_t *phase)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	struct lsi_target *target = connected(lsi);

	switch (lsi_target_step(target)) {
	case SCSI_DATA_IN:
		*phase = PHASE_DATA_IN;
		return true;
	case SCSI_DATA_OUT:
		*phase = PHASE_DATA_OUT;
		return true;
	case SCSI_ENDED:
		bus->status = lsi_target_status(target);
		bus->phase = LSI_BUS_STATUS;
		*phase = PHASE_STATUS;
		return true;
	case SCSI_WAITS:
		break;
	}
	if (!may_disconnect(lsi))
		return false;
	disconnect(bus);
	*phase = PHASE_MESSAGE_IN;
	return true;
}

static bool phase_now(struct lsi *lsi, uint8_t *phase)
{
	struct lsi_bus_state *bus = &lsi->state.bus;

	if (lsi->state.reg[LSI_SOCL] & SOCL_ATN && bus->phase != LSI_BUS_FREE &&
	    bus->phase != LSI_BUS_MESSAGE_IN)
		bus->phase = LSI_BUS_MESSAGE_OUT;
	switch (bus->phase) {
	case LSI_BUS_MESSAGE_OUT:
		*phase = PHASE_MESSAGE_OUT;
		return true;
	case LSI_BUS_COMMAND:
		*phase = PHASE_COMMAND;
		return true;
	case LSI_BUS_DATA:
		return data_requests(lsi, phase);
	case LSI_BUS_STATUS:
		*phase = PHASE_STATUS;
		return true;
	case LSI_BUS_MESSAGE_IN:
		*phase = PHASE_MESSAGE_IN;
		return true;
	}
	return false;
}

bool lsi_bus_requests(struct lsi *lsi, uint8_t *phase)
{
	if (!phase_now(lsi, phase))
		return false;
	lsi->state.phase = *phase;
	return true;
}

/* Messages, where a command was to come that none of has: as drivers do that
 * select without ATN. */
bool lsi_bus_yields(struct lsi *lsi, uint8_t wanted)
{
	struct lsi_bus_state *bus = &lsi->state.bus;

	if (wanted != PHASE_MESSAGE_OUT || bus->phase != LSI_BUS_COMMAND ||
	    bus->command_length)
		return false;
	bus->phase = LSI_BUS_MESSAGE_OUT;
	lsi->state.phase = PHASE_MESSAGE_OUT;
	return true;
}

static uint32_t message_in(struct lsi *lsi, uint8_t *to, uint32_t size)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	uint32_t bytes = MIN(size, (uint32_t)(bus->in_length - bus->in_offset));

	memcpy(to, bus->in + bus->in_offset, bytes);
	bus->in_offset = (uint8_t)(bus->in_offset + bytes);
	if (bus->in_offset == bus->in_length)
		messages_end(lsi);
	return bytes;
}

uint32_t lsi_bus_in(struct lsi *lsi, uint8_t *to, uint32_t size)
{
	struct lsi_bus_state *bus = &lsi->state.bus;

	switch (bus->phase) {
	case LSI_BUS_DATA:
		bus->has_moved = true;
		return lsi_target_give(connected(lsi), to, size);
	case LSI_BUS_STATUS:
		*to = bus->status;
		message_add_byte(bus, MSG_COMPLETE);
		messages_start(bus, LSI_NEXT_COMPLETE);
		return 1;
	default:
		return message_in(lsi, to, size);
	}
}

uint32_t lsi_bus_out(struct lsi *lsi, const uint8_t *from, uint32_t size,
		     bool is_last)
{
	switch (lsi->state.bus.phase) {
	case LSI_BUS_MESSAGE_OUT:
		return messages_put(lsi, from, size, is_last);
	case LSI_BUS_COMMAND:
		return command_put(lsi, from, size, is_last);
	default:
		lsi->state.bus.has_moved = true;
		return lsi_target_put(connected(lsi), from, size);
	}
}

uint8_t lsi_bus_data(const struct lsi *lsi)
{
	const struct lsi_bus_state *bus = &lsi->state.bus;

	switch (bus->phase) {
	case LSI_BUS_MESSAGE_IN:
		return bus->in[bus->in_offset];
	case LSI_BUS_STATUS:
		return bus->status;
	default:
		return 0;
	}
}

/* ---- Connections -------------------------------------------------------- */

bool lsi_bus_select(struct lsi *lsi, unsigned id, bool has_atn)
{
	struct lsi_bus_state *bus = &lsi->state.bus;

	if (!lsi_target_is_there(lsi, id))
		return false;
	bus_free(lsi);
	bus->target = (uint8_t)id;
	bus->phase = has_atn ? LSI_BUS_MESSAGE_OUT : LSI_BUS_COMMAND;
	if (has_atn)
		lsi->state.reg[LSI_SOCL] |= SOCL_ATN;
	return true;
}

static bool wants_bus(struct lsi_target *target)
{
	return target->drive.kind != SCSI_DRIVE_NONE && target->state->count &&
	       lsi_target_step(target) != SCSI_WAITS;
}

bool lsi_bus_reselect(struct lsi *lsi)
{
	struct lsi_bus_state *bus = &lsi->state.bus;
	const struct lsi_task *task;
	unsigned id = lsi->state.turn;

	for (unsigned i = 0; !wants_bus(&lsi->target[id]); i++) {
		if (i == LSI_TARGETS)
			return false;
		id = (id + 1) % LSI_TARGETS;
	}
	lsi->state.turn = (uint8_t)((id + 1) % LSI_TARGETS);
	task = &lsi->target[id].state->task[0];
	bus_free(lsi);
	bus->target = (uint8_t)id;
	bus->has_task = true;
	bus->unit = task->unit;
	bus->has_tag = task->has_tag;
	bus->tag = task->tag;
	bus->may_disconnect = task->may_disconnect;
	message_add_byte(bus, MSG_IDENTIFY | task->unit);
	if (task->has_tag) {
		message_add_byte(bus, MSG_SIMPLE_TAG);
		message_add_byte(bus, task->tag);
	}
	messages_start(bus, LSI_NEXT_DATA);
	return true;
}

void lsi_bus_release(struct lsi *lsi)
{
	bus_free(lsi);
}

void lsi_bus_reset(struct lsi *lsi)
{
	bus_free(lsi);
	for (unsigned i = 0; i < LSI_TARGETS; i++)
		lsi_target_reset(&lsi->target[i]);
}
