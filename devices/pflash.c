/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parallel NOR flash.  See pflash.h.
 *
 * What real parts do otherwise, and firmware for virtual PCs relies on: the
 * clear command (50h) clears the ready bit, too, by which OVMF tells flash from
 * RAM and ROM; a byte is programmed to any value; nothing takes time; lock bits
 * are taken and mean nothing.
 *
 * References: Intel, Common Flash Memory Interface and Command Sets
 * (Application Note 646, April 2000); JEDEC JESD68.01; Intel StrataFlash
 * Memory (J3) data sheet, "Command Definitions" and "Status Register".
 */
#include "devices/pflash.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

enum pflash_command {
	COMMAND_RESET = 0x00,
	COMMAND_PROGRAM_ALTERNATE = 0x10,
	COMMAND_ERASE = 0x20,
	COMMAND_PROGRAM = 0x40,
	COMMAND_CLEAR_STATUS = 0x50,
	COMMAND_LOCK = 0x60,
	COMMAND_READ_STATUS = 0x70,
	COMMAND_READ_IDENTIFIER = 0x90,
	COMMAND_READ_CFI = 0x98,
	COMMAND_CONFIRM = 0xd0,
	COMMAND_WRITE_BUFFER = 0xe8,
	COMMAND_RESET_AMD = 0xf0, /* by software that looks for such a part */
	COMMAND_READ_ARRAY = 0xff,
};

/* ---- To the backend ------------------------------------------------------ */

static void request_done(void *dev, struct block_request *request, int status)
{
	struct pflash *flash = dev;

	(void)request;
	flash->is_in_flight = false;
	if (!status || flash->has_failed)
		return;
	flash->has_failed = true;
	if (flash->config.failed)
		flash->config.failed(flash->config.ctx, status);
}

static bool is_dirty(const struct pflash *flash)
{
	return flash->dirty_from < flash->dirty_to;
}

static void request_wait(struct pflash *flash)
{
	const struct block_backend *backend = flash->config.backend;

	if (flash->is_in_flight && backend->wait)
		backend->wait(backend->ctx, &flash->request);
}

/* What is dirty is on its way.  A backend that keeps its request gets no other:
 * it has failed for good. */
static void submit(struct pflash *flash)
{
	const struct block_backend *backend = flash->config.backend;

	clock_timer_disarm(flash->config.clock, &flash->gather);
	if (!is_dirty(flash))
		return;
	request_wait(flash);
	if (flash->is_in_flight)
		return;
	flash->request = (struct block_request){
		.op = BLOCK_WRITE,
		.is_fua = backend->has_fua,
		.sector = flash->dirty_from / BLOCK_SECTOR,
		.segment_count = 1,
		.segment[0] = { flash->config.array + flash->dirty_from,
				(uint32_t)(flash->dirty_to -
					   flash->dirty_from) },
		.failed_sector = BLOCK_UNKNOWN,
		.done = request_done,
		.dev = flash,
	};
	flash->dirty_from = flash->dirty_to = 0;
	flash->is_in_flight = true;
	backend->submit(backend->ctx, &flash->request);
}

void pflash_sync(struct pflash *flash)
{
	if (!flash->config.backend)
		return;
	submit(flash);
	request_wait(flash);
}

static void gathered(void *dev)
{
	submit(dev);
}

static bool is_carried(const struct pflash *flash, uint64_t from, uint64_t to)
{
	uint64_t begin = flash->request.sector * BLOCK_SECTOR;

	return flash->is_in_flight &&
	       from < begin + flash->request.segment->length && begin < to;
}

/* The array is about to change there. */
static void dirty(struct pflash *flash, uint64_t from, uint64_t to)
{
	if (!flash->config.backend)
		return;
	from = ALIGN_DOWN(from, BLOCK_SECTOR);
	to = ALIGN_UP(to, BLOCK_SECTOR);
	if (is_dirty(flash) && from >= flash->dirty_from &&
	    to <= flash->dirty_to)
		return;
	submit(flash);
	if (is_carried(flash, from, to))
		request_wait(flash);
	flash->dirty_from = from;
	flash->dirty_to = to;
	clock_timer_arm(flash->config.clock, &flash->gather,
			clock_now(flash->config.clock) + PFLASH_GATHER_NS);
}

struct load {
	bool is_done;
	int status;
};

static void load_done(void *dev, struct block_request *request, int status)
{
	struct load *load = dev;

	(void)request;
	*load = (struct load){ true, status };
}

int pflash_load(const struct block_backend *backend, uint8_t *array,
		uint64_t size)
{
	struct load load = { .status = -EIO };
	struct block_request request = {
		.op = BLOCK_READ,
		.segment_count = 1,
		.segment[0] = { array, (uint32_t)size },
		.failed_sector = BLOCK_UNKNOWN,
		.done = load_done,
		.dev = &load,
	};

	if (size > PFLASH_SIZE_MAX ||
	    backend->sector_count < size / BLOCK_SECTOR)
		return -EINVAL;
	backend->submit(backend->ctx, &request);
	if (!load.is_done && backend->wait)
		backend->wait(backend->ctx, &request);
	return load.is_done ? load.status : -EIO;
}

/* ---- The array ----------------------------------------------------------- */

static void tell_shown(struct pflash *flash)
{
	bool is_array = flash->state.shown == PFLASH_SHOWS_ARRAY;

	if (is_array != flash->is_away)
		return;
	flash->is_away = !is_array;
	if (flash->config.shown)
		flash->config.shown(flash->config.ctx, is_array);
}

static void show(struct pflash *flash, enum pflash_shown what)
{
	flash->state.shown = (uint8_t)what;
	if (what == PFLASH_SHOWS_ARRAY && flash->config.backend)
		submit(flash);
	tell_shown(flash);
}

static void end(struct pflash *flash, uint8_t error)
{
	flash->state.step = PFLASH_COMMAND;
	flash->state.status |= PFLASH_READY | error;
}

/* What is in no use holds nothing: a saved image has no room for lies. */
static void buffer_drop(struct pflash *flash)
{
	struct pflash_state *state = &flash->state;

	state->is_started = false;
	state->left = 0;
	state->buffer_from = state->buffer_to = 0;
	state->buffer_at = 0;
	memset(state->buffer, 0, sizeof(state->buffer));
}

static bool cells_change(const struct pflash_config *config, uint8_t *cells,
			 const uint8_t *data, size_t length)
{
	if (config->change)
		return config->change(config->ctx, cells, data, length);
	if (data)
		memcpy(cells, data, length);
	else
		memset(cells, PFLASH_ERASED, length);
	return true;
}

/* data NULL: erased.  The status says if it cannot be. */
static void change(struct pflash *flash, uint64_t at, const void *data,
		   size_t length)
{
	const struct pflash_config *config = &flash->config;
	uint8_t error = data ? PFLASH_WRITE_ERROR : PFLASH_ERASE_ERROR;

	if (config->is_read_only) {
		flash->state.status |= error | PFLASH_LOCKED;
		return;
	}
	dirty(flash, at, at + length);
	if (!cells_change(config, config->array + at, data, length))
		flash->state.status |= error;
}

static void program(struct pflash *flash, const struct io_access *io)
{
	change(flash, io->offset, &io->data, io->size);
}

static void erase(struct pflash *flash, uint64_t offset)
{
	change(flash, ALIGN_DOWN(offset, PFLASH_BLOCK), NULL, PFLASH_BLOCK);
}

/* ---- The write buffer ---------------------------------------------------- */

/* A sequence that makes no sense sets both error bits. */
static void refuse(struct pflash *flash)
{
	buffer_drop(flash);
	end(flash, PFLASH_WRITE_ERROR | PFLASH_ERASE_ERROR);
}

static void buffer_write(struct pflash *flash, const struct io_access *io)
{
	struct pflash_state *state = &flash->state;
	uint64_t place = ALIGN_DOWN(io->offset, PFLASH_BUFFER);
	uint16_t at = (uint16_t)(io->offset - place);

	if (!state->is_started) {
		state->is_started = true;
		state->buffer_at = place;
		state->buffer_from = at;
		state->buffer_to = at;
		memcpy(state->buffer, flash->config.array + place,
		       PFLASH_BUFFER);
	}
	if (place != state->buffer_at || at + io->size > PFLASH_BUFFER) {
		refuse(flash);
		return;
	}
	memcpy(state->buffer + at, &io->data, io->size);
	state->buffer_from = MIN(state->buffer_from, at);
	state->buffer_to = MAX(state->buffer_to, (uint16_t)(at + io->size));
	if (!state->left)
		state->step = PFLASH_BUFFER_COMMIT;
	else
		state->left--;
}

static void buffer_commit(struct pflash *flash)
{
	const struct pflash_state *state = &flash->state;

	change(flash, state->buffer_at + state->buffer_from,
	       state->buffer + state->buffer_from,
	       (size_t)(state->buffer_to - state->buffer_from));
	buffer_drop(flash);
}

/* ---- Writes -------------------------------------------------------------- */

static void command(struct pflash *flash, uint8_t value)
{
	struct pflash_state *state = &flash->state;

	switch (value) {
	case COMMAND_PROGRAM:
	case COMMAND_PROGRAM_ALTERNATE:
		state->step = PFLASH_PROGRAM;
		break;
	case COMMAND_ERASE:
		state->step = PFLASH_ERASE;
		break;
	case COMMAND_LOCK:
		state->step = PFLASH_LOCK;
		break;
	case COMMAND_WRITE_BUFFER:
		state->status |= PFLASH_READY;
		state->step = PFLASH_BUFFER_COUNT;
		break;
	case COMMAND_READ_STATUS:
		break;
	case COMMAND_READ_IDENTIFIER:
		show(flash, PFLASH_SHOWS_IDENTIFIER);
		return;
	case COMMAND_READ_CFI:
		show(flash, PFLASH_SHOWS_CFI);
		return;
	case COMMAND_CLEAR_STATUS:
		state->status = 0;
		show(flash, PFLASH_SHOWS_ARRAY);
		return;
	default: /* COMMAND_RESET, COMMAND_RESET_AMD, and what is none */
		show(flash, PFLASH_SHOWS_ARRAY);
		return;
	}
	show(flash, PFLASH_SHOWS_STATUS);
}

/* D0h where it is the second cycle; FFh takes the first back. */
static void confirm(struct pflash *flash, const struct io_access *io)
{
	uint8_t value = (uint8_t)io->data;
	enum pflash_step step = (enum pflash_step)flash->state.step;

	if (value == COMMAND_READ_ARRAY && step != PFLASH_BUFFER_COMMIT) {
		flash->state.step = PFLASH_COMMAND;
		show(flash, PFLASH_SHOWS_ARRAY);
	} else if (step == PFLASH_LOCK) {
		/* 01h locks, D0h unlocks, 03h is the read configuration. */
		end(flash, 0);
	} else if (value != COMMAND_CONFIRM) {
		refuse(flash);
	} else {
		end(flash, 0);
		if (step == PFLASH_ERASE)
			erase(flash, io->offset);
		else
			buffer_commit(flash);
	}
}

static void write_access(struct pflash *flash, const struct io_access *io)
{
	struct pflash_state *state = &flash->state;

	switch ((enum pflash_step)state->step) {
	case PFLASH_PROGRAM:
		end(flash, 0);
		program(flash, io);
		break;
	case PFLASH_BUFFER_COUNT:
		/* Of more than the buffer holds the last find no room. */
		state->left = (uint16_t)io->data;
		state->step = PFLASH_BUFFER_DATA;
		break;
	case PFLASH_BUFFER_DATA:
		buffer_write(flash, io);
		break;
	case PFLASH_ERASE:
	case PFLASH_LOCK:
	case PFLASH_BUFFER_COMMIT:
		confirm(flash, io);
		break;
	default:
		command(flash, (uint8_t)io->data);
		break;
	}
}

/* ---- Reads --------------------------------------------------------------- */

/* Bytes from 10h on, as the interface has them. */
static uint8_t cfi(const struct pflash *flash, uint8_t index)
{
	uint64_t blocks = flash->config.size / PFLASH_BLOCK - 1;
	/* clang-format off */
	const uint8_t table[] = {
		'Q', 'R', 'Y',
		0x01, 0x00, 0x31, 0x00, 0, 0, 0, 0, /* Intel's commands; their
						     * table; no other set */
		0x45, 0x55, 0, 0,	/* 4.5 to 5.5 V, BCD */
		7, 7, 10, 0,		/* 2^n us: byte, buffer; 2^n ms: block */
		4, 4, 4, 0,		/* at worst 2^n times that */
		0, 0x00, 0x00,		/* size, below; eight bits wide */
		11, 0,			/* 2^n bytes of write buffer */
		1,			/* one region of equal blocks: */
		(uint8_t)blocks, (uint8_t)(blocks >> 8),
		(uint8_t)(PFLASH_BLOCK >> 8), (uint8_t)(PFLASH_BLOCK >> 16),
		'P', 'R', 'I', '1', '0', /* the table of Intel's, 1.0: no
					  * optional feature */
	};
	/* clang-format on */
	unsigned at = index - 0x10U;

	if (index == 0x27) /* 2^n bytes hold it */
		return (uint8_t)(64 - __builtin_clzll(flash->config.size - 1));
	if (index == 0x3f) /* protection fields */
		return 1;
	return index >= 0x10 && at < sizeof(table) ? table[at] : 0;
}

/* A byte of what is shown; wider reads have several. */
static uint8_t shown_byte(const struct pflash *flash, uint64_t offset)
{
	switch ((enum pflash_shown)flash->state.shown) {
	case PFLASH_SHOWS_ARRAY:
		return flash->config.array[offset];
	case PFLASH_SHOWS_CFI:
		return cfi(flash, (uint8_t)offset);
	case PFLASH_SHOWS_IDENTIFIER: /* no manufacturer, no lock */
		return 0;
	default:
		return flash->state.status;
	}
}

static void flash_access(void *dev, struct io_access *io)
{
	struct pflash *flash = dev;

	if (io->is_write) {
		write_access(flash, io);
		return;
	}
	io->data = 0;
	for (unsigned i = 0; i < io->size; i++)
		io->data |= (uint64_t)shown_byte(flash, io->offset + i)
			    << (8 * i);
}

/* ---- State --------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct pflash_state, shown, .max = PFLASH_SHOWN_COUNT - 1),
	STATE_VALUE(struct pflash_state, step, .max = PFLASH_STEP_COUNT - 1),
	STATE_VALUE(struct pflash_state, status),
	STATE_VALUE(struct pflash_state, is_started),
	STATE_VALUE(struct pflash_state, left),
	STATE_VALUE(struct pflash_state, buffer_from, .max = PFLASH_BUFFER),
	STATE_VALUE(struct pflash_state, buffer_to, .max = PFLASH_BUFFER),
	STATE_RESERVED(struct pflash_state, reserved),
	STATE_VALUE(struct pflash_state, buffer_at),
	STATE_VALUE(struct pflash_state, gather_ns, .reset = CLOCK_NEVER),
	STATE_ARRAY(struct pflash_state, buffer),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct pflash_state, fields);

static void restored(void *dev)
{
	tell_shown(dev);
}

/* The timer is off by now. */
static void reset(void *dev)
{
	struct pflash *flash = dev;

	if (flash->config.backend)
		submit(flash);
	restored(flash);
}

static bool is_buffer_valid(const struct pflash *flash,
			    const struct pflash_state *state)
{
	uint8_t any = 0;

	if (state->is_started)
		return (state->step == PFLASH_BUFFER_DATA ||
			(state->step == PFLASH_BUFFER_COMMIT &&
			 !state->left)) &&
		       state->buffer_from < state->buffer_to &&
		       IS_ALIGNED(state->buffer_at, PFLASH_BUFFER) &&
		       state->buffer_at < flash->config.size;
	for (unsigned i = 0; i < PFLASH_BUFFER; i++)
		any |= state->buffer[i];
	return !any && !state->buffer_from && !state->buffer_to &&
	       !state->buffer_at && state->step != PFLASH_BUFFER_COMMIT &&
	       (!state->left || state->step == PFLASH_BUFFER_DATA);
}

static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct pflash *flash = dev;
	const struct pflash_state *state = opaque;

	(void)now_ns;
	return is_buffer_valid(flash, state) &&
	       /* What would be gathered is memory's, and was written. */
	       state->gather_ns == CLOCK_NEVER &&
	       (state->step == PFLASH_COMMAND ||
		state->shown == PFLASH_SHOWS_STATUS);
}

static bool is_idle(const void *dev)
{
	const struct pflash *flash = dev;

	return !flash->is_in_flight && !is_dirty(flash);
}

const struct device_ops pflash_ops = {
	.name = "pflash",
	.version = 1,
	.state = &description,
	.reset = reset,
	.restored = restored,
	.is_valid = is_valid,
	.is_idle = is_idle,
};

/* ---- Life ---------------------------------------------------------------- */

int pflash_init(struct pflash *flash, const struct pflash_config *config)
{
	const struct io_region region = {
		.name = "pflash",
		.base = config->base,
		.length = config->size,
		.fn = flash_access,
		.dev = flash,
		.width_max = 8,
	};

	memset(flash, 0, sizeof(*flash));
	flash->config = *config;
	if (!config->size || config->size > PFLASH_SIZE_MAX ||
	    !IS_ALIGNED(config->size, PFLASH_BLOCK) ||
	    (config->backend &&
	     config->backend->sector_count < config->size / BLOCK_SECTOR))
		return -EINVAL;
	flash->config.is_read_only |=
		config->backend && config->backend->is_read_only;
	device_init(&flash->device, &pflash_ops, flash, &flash->state);
	device_timer_init(&flash->device, config->clock, &flash->gather,
			  gathered, flash, &flash->state.gather_ns);
	return bus_add(config->memory, &region);
}
