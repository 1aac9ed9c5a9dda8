/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that move data or look at a track, step by step as the disk turns:
 *
 *	START -> ID					READ ID
 *	START -> READ -> READ ... 			reads, VERIFY
 *	START -> READ (-> data by software) -> READ	scans
 *	START -> FETCH -> WRITE -> FETCH ...		writes
 *	START -> FORMAT ... -> FORMAT_END		FORMAT TRACK
 *	     \-> FAIL					nothing found
 *
 * A step ends with the next one's time, with the result, or with a medium or
 * software at work, whose end goes on from there.
 *
 * References: Intel 82077AA data sheet, "Data Transfer Commands", "Format
 * Commands", tables of results.
 */
#include "devices/fdc.h"

#include "devices/fdc_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define SPECIFY_LOAD   MASK(7, 1)
#define SPECIFY_UNLOAD MASK(3, 0)
#define UNLOAD_MS      16
#define LOAD_MS	       2
#define FORMAT_ID_SIZE FDC_ID
#define VERIFY_COUNTED COMMAND_MT /* of the second byte: EC */
#define SCAN_ANY       0xff	  /* a byte that matches all others */

/* Of the eight parts of a sector's place: an ID, and then its data, have
 * passed. */
#define PARTS	   8
#define ID_PARTS   1
#define DATA_PARTS 7

enum { COMMAND_EOT = 6, COMMAND_DTL = 8 };
enum { FORMAT_N = 2, FORMAT_COUNT = 3, FORMAT_FILL = 5 };

static const struct floppy_format *format_of(struct fdc *fdc)
{
	return fdc->drive[fdc_unit(fdc)].format;
}

static bool is_write(const struct fdc *fdc)
{
	unsigned code = fdc_code(fdc);

	return code == CODE_WRITE || code == CODE_WRITE_DELETED;
}

static bool is_scan(const struct fdc *fdc)
{
	unsigned code = fdc_code(fdc);

	return code == CODE_SCAN_EQUAL || code == CODE_SCAN_LOW ||
	       code == CODE_SCAN_HIGH;
}

/* ---- Ends ---------------------------------------------------------------- */

static void result_finish(struct fdc *fdc, uint8_t st0)
{
	struct fdc_state *state = &fdc->state;
	unsigned unload =
		(unsigned)FIELD_GET(SPECIFY_UNLOAD, state->specify[0]);

	st0 |= (uint8_t)fdc_unit(fdc);
	if (fdc_head(fdc))
		st0 |= ST0_HEAD;
	if (state->has_sought)
		st0 |= ST0_SEEK_END;
	state->result[0] = st0;
	state->result[1] = state->st1;
	state->result[2] = state->st2;
	memcpy(&state->result[3], state->id, FDC_ID);
	state->result_length = 3 + FDC_ID;
	state->head_unload_ns =
		clock_now(fdc->clock) +
		fdc_specified_ns(fdc, UNLOAD_MS * (unload ? unload : 16));
	fdc_result(fdc, true);
}

static void end_well(struct fdc *fdc)
{
	result_finish(fdc, 0);
}

static void end_badly(struct fdc *fdc, uint8_t st1, uint8_t st2)
{
	fdc->state.st1 |= st1;
	fdc->state.st2 |= st2;
	result_finish(fdc, ST0_ABNORMAL);
}

/* The index comes twice, and then it is told. */
static void fail_later(struct fdc *fdc, uint8_t st1, uint8_t st2)
{
	unsigned unit = fdc_unit(fdc);
	uint64_t now = clock_now(fdc->clock);

	fdc->state.st1 |= st1;
	fdc->state.st2 |= st2;
	fdc_step_at(fdc, FDC_STEP_FAIL,
		    fdc_place_ns(fdc, unit, 0, 1, now) +
			    fdc_revolution_ns(fdc, unit));
}

/* ---- Where it is --------------------------------------------------------- */

/* Whether the sector that is wanted is on this track; or what is wrong. */
static bool is_wanted_there(struct fdc *fdc, uint8_t cylinder)
{
	const struct fdc_state *state = &fdc->state;

	if (state->id[ID_C] != cylinder) {
		fail_later(fdc, ST1_NO_DATA, ST2_WRONG_CYLINDER);
		return false;
	}
	if (state->id[ID_H] != fdc_head(fdc) || !state->id[ID_R] ||
	    state->id[ID_R] > format_of(fdc)->sectors ||
	    state->id[ID_N] != SECTOR_SIZE_CODE) {
		fail_later(fdc, ST1_NO_DATA, 0);
		return false;
	}
	return true;
}

/* Of the sector on its track, from 1. */
static unsigned number_of(const struct fdc *fdc)
{
	return fdc_code(fdc) == CODE_READ_TRACK ? fdc->state.done + 1U
						: fdc->state.id[ID_R];
}

static uint32_t sector_of(struct fdc *fdc)
{
	uint8_t cylinder = 0;

	(void)fdc_track_find(fdc, fdc_unit(fdc), fdc_head(fdc), &cylinder);
	return fdc_sector_of(format_of(fdc), cylinder, fdc_head(fdc),
			     number_of(fdc));
}

/*
 * What passes next, from where the last one ended: late as the host may be, a
 * sector that follows is not missed.
 */
static uint64_t from_ns(struct fdc *fdc)
{
	uint64_t now = clock_now(fdc->clock);
	uint64_t angle = fdc->state.angle_ns;

	if (angle > now || now - angle > fdc_revolution_ns(fdc, fdc_unit(fdc)))
		return now;
	return angle;
}

static void sector_await(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	unsigned count = format_of(fdc)->sectors;
	uint64_t begins = fdc_place_ns(fdc, fdc_unit(fdc), number_of(fdc) - 1,
				       count, from_ns(fdc));

	state->angle_ns =
		begins + fdc_place_length_ns(fdc, fdc_unit(fdc), count) *
				 DATA_PARTS / PARTS;
	if (is_write(fdc) && !fdc_is_pio(fdc))
		fdc_step_at(fdc, FDC_STEP_FETCH, begins);
	else
		fdc_step_at(fdc, is_write(fdc) ? FDC_STEP_WRITE : FDC_STEP_READ,
			    state->angle_ns);
}

/* ---- From sector to sector ----------------------------------------------- */

static void start(struct fdc *fdc);

/* To side 1, or with MT off or from side 1 to the next cylinder's ID. */
static bool side_next(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	bool is_multitrack = state->command[0] & COMMAND_MT &&
			     fdc_code(fdc) != CODE_READ_TRACK;

	state->id[ID_R] = 1;
	if (!is_multitrack) {
		state->id[ID_C]++;
		return false;
	}
	state->id[ID_H] ^= 1;
	if (state->id[ID_H] & 1)
		return true;
	state->id[ID_C]++;
	return false;
}

static unsigned stride(const struct fdc *fdc)
{
	return is_scan(fdc) && fdc->state.command[COMMAND_DTL] == 2 ? 2 : 1;
}

/* To the sector behind it.  False: that is beyond the command's last one. */
static bool id_next(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;

	if (state->id[ID_R] + stride(fdc) <= state->command[COMMAND_EOT]) {
		state->id[ID_R] = (uint8_t)(state->id[ID_R] + stride(fdc));
		return true;
	}
	return side_next(fdc);
}

/* Data has ended with the last sector, but nobody has said that it is so. */
static void end_of_cylinder(struct fdc *fdc)
{
	if (is_scan(fdc)) {
		fdc->state.st2 |= ST2_SCAN_FAILED;
		end_well(fdc);
	} else if (fdc_code(fdc) == CODE_VERIFY &&
		   !(fdc->state.command[1] & VERIFY_COUNTED)) {
		end_well(fdc);
	} else {
		end_badly(fdc, ST1_END, 0);
	}
}

/* The tracks' other way: by places, EOT of them, whatever their IDs say. */
static void track_next(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;

	state->done++;
	if (state->id[ID_R] < UINT8_MAX)
		state->id[ID_R]++;
	if (!fdc_is_turning(fdc, fdc_unit(fdc)))
		start(fdc);
	else if (state->is_terminal ||
		 state->done >= state->command[COMMAND_EOT] ||
		 state->done >= format_of(fdc)->sectors)
		end_well(fdc);
	else
		sector_await(fdc);
}

static bool is_counted_out(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;

	if (fdc_code(fdc) != CODE_VERIFY ||
	    !(state->command[1] & VERIFY_COUNTED))
		return false;
	state->done++;
	return state->done == state->command[COMMAND_DTL];
}

/* A sector is done. */
static void sector_next(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	bool is_last = state->is_terminal || is_counted_out(fdc);
	bool is_more;

	if (fdc_code(fdc) == CODE_READ_TRACK) {
		track_next(fdc);
		return;
	}
	/* One with the other mark, which was not skipped, is not left. */
	if (state->st2 & ST2_DELETED && !(state->command[0] & COMMAND_SKIP)) {
		end_well(fdc);
		return;
	}
	is_more = id_next(fdc);
	if (is_last) {
		end_well(fdc);
	} else if (is_more) {
		if (state->id[ID_H] & 1)
			state->command[1] |= SELECT_HEAD;
		start(fdc);
	} else {
		end_of_cylinder(fdc);
	}
}

/* ---- The medium ---------------------------------------------------------- */

static void read_done(struct fdc *fdc, int status);
static void write_done(struct fdc *fdc, int status);

static void request_done(void *dev, struct block_request *request, int status)
{
	struct fdc *fdc = dev;

	fdc->is_submitted = false;
	if (fdc->is_stale)
		return;
	if (request->op == BLOCK_READ)
		read_done(fdc, status);
	else
		write_done(fdc, status);
}

/* Not while what an older command has asked for uses the buffer. */
static bool is_medium_free(struct fdc *fdc)
{
	if (!fdc->is_submitted)
		return true;
	fdc_step_at(fdc, fdc->state.step,
		    clock_now(fdc->clock) +
			    fdc_revolution_ns(fdc, fdc_unit(fdc)));
	return false;
}

static void request_submit(struct fdc *fdc, enum block_op op, uint32_t sector)
{
	struct block_request *request = &fdc->request;
	struct block_backend *medium = fdc->drive[fdc_unit(fdc)].medium;

	*request = (struct block_request){
		.op = op,
		.sector = sector,
		.segment_count = 1,
		.segment[0] = { fdc->state.buffer, BLOCK_SECTOR },
		.failed_sector = BLOCK_UNKNOWN,
		.done = request_done,
		.dev = fdc,
	};
	fdc->medium = medium;
	fdc->is_submitted = true;
	fdc->is_stale = false;
	fdc_step_at(fdc, FDC_STEP_NONE, CLOCK_NEVER);
	medium->submit(medium->ctx, request);
}

/* ---- Data ---------------------------------------------------------------- */

static struct dma_transfer
dma_move(struct fdc *fdc, enum dma_direction direction, uint32_t length)
{
	struct dma_transfer transfer = {
		.direction = direction,
		.data = fdc->state.buffer,
		.length = length,
	};

	if (fdc->state.dor & DOR_GATE)
		dma_line_transfer(&fdc->dma, &transfer);
	return transfer;
}

/* False: an overrun has ended the command. */
static bool dma_run(struct fdc *fdc, enum dma_direction direction,
		    uint32_t length, uint32_t *moved)
{
	struct dma_transfer transfer = dma_move(fdc, direction, length);

	*moved = transfer.moved;
	fdc->state.is_terminal = transfer.is_terminal;
	if (transfer.moved == length || transfer.is_terminal)
		return true;
	end_badly(fdc, ST1_OVERRUN, 0);
	return false;
}

/* ---- Reads --------------------------------------------------------------- */

static bool wants_deleted(const struct fdc *fdc)
{
	return fdc_code(fdc) == CODE_READ_DELETED;
}

/* A mark that is not the command's own kind. */
static bool is_other_mark(struct fdc *fdc)
{
	return fdc_code(fdc) != CODE_READ_TRACK &&
	       fdc_is_deleted(fdc, fdc_unit(fdc), sector_of(fdc)) !=
		       wants_deleted(fdc);
}

static void deliver(struct fdc *fdc)
{
	uint32_t moved;

	if (fdc_code(fdc) == CODE_VERIFY)
		sector_next(fdc);
	else if (fdc_is_pio(fdc))
		fdc_pio_begin(fdc, FDC_PIO_IN, BLOCK_SECTOR);
	else if (dma_run(fdc, DMA_TO_MEMORY, BLOCK_SECTOR, &moved))
		sector_next(fdc);
}

/* The first byte that differs decides. */
static void scan_byte(struct fdc *fdc, uint8_t disk, uint8_t host)
{
	if (fdc->state.scan == FDC_SCAN_EQUAL && disk != SCAN_ANY &&
	    host != SCAN_ANY && disk != host)
		fdc->state.scan =
			disk < host ? FDC_SCAN_LOWER : FDC_SCAN_HIGHER;
}

void fdc_pio_put(struct fdc *fdc, uint8_t byte)
{
	uint8_t *at = &fdc->state.buffer[fdc->state.pio_position];

	if (is_scan(fdc))
		scan_byte(fdc, *at, byte);
	*at = byte;
}

/* A sector that fits ends the command. */
static void scan_end(struct fdc *fdc)
{
	unsigned code = fdc_code(fdc), scan = fdc->state.scan;

	if (scan == FDC_SCAN_EQUAL) {
		fdc->state.st2 |= ST2_SCAN_EQUAL;
		end_well(fdc);
	} else if ((code == CODE_SCAN_LOW && scan == FDC_SCAN_LOWER) ||
		   (code == CODE_SCAN_HIGH && scan == FDC_SCAN_HIGHER)) {
		end_well(fdc);
	} else {
		if (fdc->state.is_terminal)
			fdc->state.st2 |= ST2_SCAN_FAILED;
		sector_next(fdc);
	}
}

/* What was read is compared, and then no more needed. */
static void scan_begin(struct fdc *fdc)
{
	uint8_t disk[BLOCK_SECTOR];
	uint32_t moved;

	fdc->state.scan = FDC_SCAN_EQUAL;
	if (fdc_is_pio(fdc)) {
		fdc_pio_begin(fdc, FDC_PIO_OUT, BLOCK_SECTOR);
		return;
	}
	memcpy(disk, fdc->state.buffer, sizeof(disk));
	if (!dma_run(fdc, DMA_FROM_MEMORY, BLOCK_SECTOR, &moved))
		return;
	for (uint32_t i = 0; i < moved; i++)
		scan_byte(fdc, disk[i], fdc->state.buffer[i]);
	scan_end(fdc);
}

static void read_done(struct fdc *fdc, int status)
{
	if (status)
		end_badly(fdc, ST1_DATA_ERROR, ST2_DATA_ERROR);
	else if (is_scan(fdc))
		scan_begin(fdc);
	else
		deliver(fdc);
}

static void step_read(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;

	if (!is_medium_free(fdc))
		return;
	if (fdc_code(fdc) == CODE_READ_TRACK &&
	    state->id[ID_R] != state->done + 1)
		state->st1 |= ST1_NO_DATA;
	if (is_other_mark(fdc)) {
		state->st2 |= ST2_DELETED;
		if (state->command[0] & COMMAND_SKIP) {
			sector_next(fdc);
			return;
		}
	}
	request_submit(fdc, BLOCK_READ, sector_of(fdc));
}

/* ---- Writes -------------------------------------------------------------- */

/* What DMA does not have any more is zeros. */
static void step_fetch(struct fdc *fdc)
{
	uint32_t moved;

	if (!is_medium_free(fdc) ||
	    !dma_run(fdc, DMA_FROM_MEMORY, BLOCK_SECTOR, &moved))
		return;
	memset(fdc->state.buffer + moved, 0, BLOCK_SECTOR - moved);
	fdc_step_at(fdc, FDC_STEP_WRITE, fdc->state.angle_ns);
}

static void step_write(struct fdc *fdc)
{
	uint32_t sector = sector_of(fdc);

	if (!is_medium_free(fdc))
		return;
	fdc_deleted_set(fdc, fdc_unit(fdc), sector,
			fdc_code(fdc) == CODE_WRITE_DELETED);
	request_submit(fdc, BLOCK_WRITE, sector);
}

/* ---- FORMAT TRACK -------------------------------------------------------- */

static void format_await(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	unsigned count = state->command[FORMAT_COUNT];
	bool is_end = state->done >= count;

	state->angle_ns =
		is_end ? fdc_place_ns(fdc, fdc_unit(fdc), 0, 1, from_ns(fdc))
		       : fdc_place_ns(fdc, fdc_unit(fdc), state->done, count,
				      from_ns(fdc));
	fdc_step_at(fdc, is_end ? FDC_STEP_FORMAT_END : FDC_STEP_FORMAT,
		    state->angle_ns);
}

/* The ID that is to be written is in the buffer. */
static void format_write(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	uint8_t cylinder = 0, number;
	uint32_t sector;

	memcpy(state->id, state->buffer, FDC_ID);
	number = state->id[ID_R];
	state->done++;
	(void)fdc_track_find(fdc, fdc_unit(fdc), fdc_head(fdc), &cylinder);
	if (state->id[ID_C] != cylinder || state->id[ID_H] != fdc_head(fdc) ||
	    state->id[ID_N] != SECTOR_SIZE_CODE || !number ||
	    number > format_of(fdc)->sectors) {
		format_await(fdc); /* a sector that an image cannot have */
		return;
	}
	sector = fdc_sector_of(format_of(fdc), cylinder, fdc_head(fdc), number);
	fdc_deleted_set(fdc, fdc_unit(fdc), sector, false);
	memset(state->buffer, state->command[FORMAT_FILL], BLOCK_SECTOR);
	request_submit(fdc, BLOCK_WRITE, sector);
}

static void step_format(struct fdc *fdc)
{
	uint32_t moved;

	if (!is_medium_free(fdc))
		return;
	if (fdc_is_pio(fdc))
		fdc_pio_begin(fdc, FDC_PIO_OUT, FORMAT_ID_SIZE);
	else if (dma_run(fdc, DMA_FROM_MEMORY, FORMAT_ID_SIZE, &moved))
		format_write(fdc);
}

static void write_done(struct fdc *fdc, int status)
{
	if (status == -EROFS)
		end_badly(fdc, ST1_PROTECTED, 0);
	else if (status)
		end_badly(fdc, ST1_DATA_ERROR, ST2_DATA_ERROR);
	else if (fdc_code(fdc) == CODE_FORMAT)
		format_await(fdc);
	else
		sector_next(fdc);
}

/* A layout that the image has not: as if it could not be written. */
static bool is_format_possible(struct fdc *fdc)
{
	const struct fdc_state *state = &fdc->state;
	uint8_t cylinder;

	return state->command[FORMAT_N] == SECTOR_SIZE_CODE &&
	       state->command[FORMAT_COUNT] == format_of(fdc)->sectors &&
	       fdc_track_find(fdc, fdc_unit(fdc), fdc_head(fdc), &cylinder);
}

/* ---- Data by software ---------------------------------------------------- */

void fdc_pio_done(struct fdc *fdc)
{
	if (!fdc_is_turning(fdc, fdc_unit(fdc))) {
		fdc_step_at(fdc, FDC_STEP_START, CLOCK_NEVER);
	} else if (fdc_code(fdc) == CODE_FORMAT) {
		format_write(fdc);
	} else if (is_write(fdc)) {
		sector_await(fdc);
	} else if (is_scan(fdc)) {
		scan_end(fdc);
	} else {
		sector_next(fdc);
	}
}

/* ---- Steps --------------------------------------------------------------- */

static void start_read_id(struct fdc *fdc, uint8_t cylinder)
{
	unsigned unit = fdc_unit(fdc), count = format_of(fdc)->sectors;
	uint64_t now = clock_now(fdc->clock), begins = UINT64_MAX;
	uint64_t at;

	for (unsigned i = 0; i < count; i++) {
		at = fdc_place_ns(fdc, unit, i, count, now);
		if (at >= begins)
			continue;
		begins = at;
		fdc->state.id[ID_R] = (uint8_t)(i + 1);
	}
	fdc->state.id[ID_C] = cylinder;
	fdc->state.id[ID_H] = (uint8_t)fdc_head(fdc);
	fdc->state.id[ID_N] = SECTOR_SIZE_CODE;
	fdc_step_at(fdc, FDC_STEP_ID,
		    begins + fdc_place_length_ns(fdc, unit, count) * ID_PARTS /
				     PARTS);
}

static void start_format(struct fdc *fdc)
{
	if (!is_format_possible(fdc)) {
		end_badly(fdc, ST1_PROTECTED, 0);
		return;
	}
	fdc->state.done = 0;
	fdc->state.angle_ns = clock_now(fdc->clock);
	format_await(fdc);
}

static void start_sector(struct fdc *fdc, uint8_t cylinder)
{
	if (fdc_code(fdc) != CODE_READ_TRACK && !is_wanted_there(fdc, cylinder))
		return;
	if (is_write(fdc) && fdc_is_pio(fdc))
		fdc_pio_begin(fdc, FDC_PIO_OUT, BLOCK_SECTOR);
	else
		sector_await(fdc);
}

static void start(struct fdc *fdc)
{
	unsigned unit = fdc_unit(fdc), code = fdc_code(fdc);
	uint8_t cylinder;

	if (!fdc_is_turning(fdc, unit)) { /* until it is */
		fdc_step_at(fdc, FDC_STEP_START, CLOCK_NEVER);
		return;
	}
	if ((is_write(fdc) || code == CODE_FORMAT) &&
	    fdc_is_protected(fdc, unit))
		end_badly(fdc, ST1_PROTECTED, 0);
	else if (code == CODE_FORMAT)
		start_format(fdc);
	else if (!fdc_track_find(fdc, unit, fdc_head(fdc), &cylinder))
		fail_later(fdc, ST1_NO_ID, 0);
	else if (code == CODE_READ_ID)
		start_read_id(fdc, cylinder);
	else
		start_sector(fdc, cylinder);
}

static void step_fail(struct fdc *fdc)
{
	result_finish(fdc, ST0_ABNORMAL);
}

static void (*const steps[FDC_STEP_COUNT])(struct fdc *fdc) = {
	[FDC_STEP_START] = start,	  [FDC_STEP_ID] = end_well,
	[FDC_STEP_READ] = step_read,	  [FDC_STEP_FETCH] = step_fetch,
	[FDC_STEP_WRITE] = step_write,	  [FDC_STEP_FORMAT] = step_format,
	[FDC_STEP_FORMAT_END] = end_well, [FDC_STEP_FAIL] = step_fail,
};

static bool is_of_sector(unsigned step)
{
	return step == FDC_STEP_READ || step == FDC_STEP_FETCH ||
	       step == FDC_STEP_WRITE;
}

/* The disk may have gone, or stand; the track may be another's. */
static bool is_step_possible(struct fdc *fdc)
{
	unsigned unit = fdc_unit(fdc);
	uint8_t cylinder;

	if (fdc->state.step == FDC_STEP_START)
		return true;
	if (!fdc_is_turning(fdc, unit))
		return false;
	if (fdc->state.step == FDC_STEP_FAIL)
		return true;
	if (!fdc_track_find(fdc, unit, fdc_head(fdc), &cylinder))
		return false;
	return !is_of_sector(fdc->state.step) ||
	       (number_of(fdc) && number_of(fdc) <= format_of(fdc)->sectors);
}

void fdc_step(struct fdc *fdc)
{
	if (is_step_possible(fdc))
		steps[fdc->state.step](fdc);
	else
		start(fdc);
}

/* ---- The beginning ------------------------------------------------------- */

/* The seek that CONFIGURE has asked for, of the commands with an ID. */
static uint64_t seek_implied(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	unsigned unit = fdc_unit(fdc), code = fdc_code(fdc);
	uint8_t at = state->unit[unit].cylinder;

	if (!(state->configure & CONFIGURE_SEEK) || code == CODE_READ_ID ||
	    code == CODE_FORMAT || at == state->id[ID_C])
		return 0;
	state->has_sought = true;
	return fdc_seek_now(fdc, unit, state->id[ID_C]);
}

static uint64_t head_load_ns(const struct fdc *fdc)
{
	unsigned load =
		(unsigned)FIELD_GET(SPECIFY_LOAD, fdc->state.specify[1]);

	if (clock_now(fdc->clock) < fdc->state.head_unload_ns)
		return 0;
	return fdc_specified_ns(fdc, LOAD_MS * (load ? load : 128));
}

void fdc_transfer_begin(struct fdc *fdc)
{
	struct fdc_state *state = &fdc->state;
	unsigned code = fdc_code(fdc);

	state->phase = FDC_PHASE_EXECUTION;
	state->st1 = 0;
	state->st2 = 0;
	state->done = 0;
	state->has_sought = false;
	state->is_terminal = false;
	memset(state->id, 0, sizeof(state->id));
	if (code == CODE_FORMAT) {
		state->eot = state->command[FORMAT_COUNT];
	} else if (code != CODE_READ_ID) {
		memcpy(state->id, &state->command[2], FDC_ID);
		state->eot = state->command[COMMAND_EOT];
	}
	state->angle_ns = CLOCK_NEVER; /* from now on */
	fdc_step_at(fdc, FDC_STEP_START,
		    clock_now(fdc->clock) + FDC_MOMENT_NS + seek_implied(fdc) +
			    head_load_ns(fdc));
	fdc_lines_update(fdc);
}
