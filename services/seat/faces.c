/* SPDX-License-Identifier: BSD-2-Clause */
/* See faces.h. */
#include "services/seat/faces_inner.h"

#include "include/errno.h"
#include "lib/string.h"

#define RECORDS_MAX 32 /* of a machine's, at a time */

void faces_init(struct faces *faces, void (*doorbell)(void *ctx, unsigned slot),
		void *ctx)
{
	memset(faces, 0, sizeof(*faces));
	faces->doorbell = doorbell;
	faces->ctx = ctx;
}

bool faces_is_open(const struct faces *faces, unsigned slot)
{
	return slot < FACES_SLOTS && faces->face[slot].is_open &&
	       !faces->face[slot].is_broken;
}

static unsigned slot_of(const struct faces *faces, const struct face *face)
{
	return (unsigned)(face - faces->face);
}

/* ---- Rectangles ---------------------------------------------------------- */

static bool is_empty(const struct display_rectangle *rectangle)
{
	return rectangle->right <= rectangle->left ||
	       rectangle->bottom <= rectangle->top;
}

static void extend(struct display_rectangle *to,
		   const struct display_rectangle *by)
{
	if (is_empty(to)) {
		*to = *by;
		return;
	}
	to->left = MIN(to->left, by->left);
	to->top = MIN(to->top, by->top);
	to->right = MAX(to->right, by->right);
	to->bottom = MAX(to->bottom, by->bottom);
}

/* ---- Ends ---------------------------------------------------------------- */

static void watch_end(struct faces *faces, struct face_watch *watch, int error)
{
	struct face_watch gone = *watch;

	if (faces->face[watch->slot].framed == watch)
		faces->face[watch->slot].framed = NULL;
	memset(watch, 0, sizeof(*watch));
	faces->watch_count--;
	gone.ops->end(&gone, error);
}

/* Whoever waits for something of it. */
static void face_end(struct faces *faces, struct face *face, int error)
{
	unsigned slot = slot_of(faces, face);

	for (unsigned i = 0; i < FACES_WATCHES; i++)
		if (faces->watch[i].ops && faces->watch[i].slot == slot)
			watch_end(faces, &faces->watch[i], error);
	for (unsigned i = 0; i < FACES_ASKS; i++) {
		struct face_ask ask = faces->ask[i];

		if (!ask.answer || ask.slot != slot)
			continue;
		faces->ask[i].answer = NULL;
		ask.answer(ask.ctx, ask.id, NULL, error);
	}
	if (face->debug)
		face->debug->bytes(face->debug_ctx, face->debug_id, NULL, 0);
	face->debug = NULL;
	faces_dump_end(face, error);
}

static void face_break(struct faces *faces, struct face *face)
{
	if (face->is_broken)
		return;
	face->is_broken = true;
	face_end(faces, face, -EPROTO);
}

void faces_close(struct faces *faces, unsigned slot)
{
	struct face *face;

	if (slot >= FACES_SLOTS || !faces->face[slot].is_open)
		return;
	face = &faces->face[slot];
	face_end(faces, face, -EPIPE);
	*face = (struct face){ 0 };
}

/* ---- To the machine ------------------------------------------------------ */

int faces_send(struct faces *faces, struct face *face, const void *record,
	       uint32_t length)
{
	long n;

	do
		n = ring_put(&face->requests, record, length,
			     &face->is_bell_due);
	while (!n && !ring_sleep(&face->requests));
	face->is_touched = true;
	if (n < 0) {
		face_break(faces, face);
		return -EPIPE;
	}
	return n ? 0 : -EBUSY;
}

/* Nothing of what a former seat wanted is wanted any more. */
static void former_end(struct faces *faces, struct face *face)
{
	static const uint16_t kinds[] = { FACE_UNWATCH, FACE_DEBUG_CLOSE,
					  FACE_DUMP_CLOSE };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct face_record record = { .kind = kinds[i] };

		if (face->requests.mine && !face->is_broken)
			(void)!faces_send(faces, face, &record, sizeof(record));
	}
}

void faces_open(struct faces *faces, unsigned slot, struct seat_console *memory)
{
	struct face *face;

	if (slot >= FACES_SLOTS || faces->face[slot].is_open)
		return;
	face = &faces->face[slot];
	*face = (struct face){ .is_open = true,
			       .is_active = true,
			       .is_touched = true };
	ring_init(&face->requests, &memory->requests, memory->requests_data,
		  FACE_REQUESTS_SIZE, true, true);
	ring_init(&face->answers, &memory->answers, memory->answers_data,
		  FACE_ANSWERS_SIZE, false, true);
	face->tag = face->requests.mine;
	face->must_release = face->requests.mine;
	former_end(faces, face);
}

static int input_send(struct faces *faces, struct face *face,
		      const struct input_event *event, unsigned count)
{
	struct {
		struct face_record head;
		struct input_event event[FACE_EVENTS_MAX];
	} input = { .head.kind = FACE_INPUT };

	memcpy(input.event, event, count * sizeof(*event));
	return faces_send(
		faces, face, &input,
		(uint32_t)(sizeof(input.head) + count * sizeof(*event)));
}

/* That the debugger has left, as soon as there is room for it. */
static void close_send(struct faces *faces, struct face *face)
{
	const struct face_record record = { .kind = FACE_DEBUG_CLOSE };

	if (face->must_close)
		face->must_close = faces_send(faces, face, &record,
					      sizeof(record)) == -EBUSY;
}

/* What is to be released. */
static int releases_send(struct faces *faces, struct face *face)
{
	const struct face_record record = { .kind = FACE_RELEASE };
	struct input_event event[FACE_EVENTS_MAX];
	int error = 0;

	if (face->must_release)
		error = faces_send(faces, face, &record, sizeof(record));
	if (!error)
		face->must_release = false;
	while (!error) {
		struct held before = face->released;
		unsigned count =
			held_take(&face->released, event, FACE_EVENTS_MAX);

		if (!count)
			return 0;
		error = input_send(faces, face, event, count);
		if (error)
			face->released = before;
	}
	return error;
}

int faces_input(struct faces *faces, unsigned slot,
		const struct input_event *event, unsigned count)
{
	int error;

	if (!faces_is_open(faces, slot))
		return -EPIPE;
	error = releases_send(faces, &faces->face[slot]);
	if (error)
		return error;
	return input_send(faces, &faces->face[slot], event,
			  MIN(count, FACE_EVENTS_MAX));
}

void faces_release(struct faces *faces, unsigned slot, struct held *held)
{
	if (faces_is_open(faces, slot)) {
		struct face *face = &faces->face[slot];

		for (unsigned i = 0; i < ARRAY_SIZE(held->word); i++)
			face->released.word[i] |= held->word[i];
		(void)!releases_send(faces, face);
	}
	*held = (struct held){ 0 };
}

int faces_ask(struct faces *faces, unsigned slot, uint32_t command,
	      uint32_t unit, struct face_ask *ask)
{
	struct face_command record = { .command = command, .unit = unit };
	struct face_ask *free = NULL;
	uint32_t length = ask->medium[0] ? sizeof(record) : FACE_COMMAND_MIN;
	struct face *face;
	int error;

	if (!faces_is_open(faces, slot))
		return -EPIPE;
	for (unsigned i = 0; i < FACES_ASKS; i++)
		if (!faces->ask[i].answer)
			free = &faces->ask[i];
	if (!free)
		return -EBUSY;
	face = &faces->face[slot];
	record.head.kind = command ? FACE_COMMAND : FACE_STATISTICS;
	record.head.tag = face->tag + 1;
	memcpy(record.medium, ask->medium, sizeof(record.medium));
	if (!command)
		length = sizeof(record.head);
	error = faces_send(faces, face, &record, length);
	if (error)
		return error;
	*free = *ask;
	free->slot = slot;
	free->command = command;
	free->tag = ++face->tag;
	free->kind = command ? FACE_ANSWER : FACE_STATISTICS;
	return 0;
}

/* ---- Watches ------------------------------------------------------------- */

struct face_watch *faces_watch(struct faces *faces,
			       const struct face_watch *like)
{
	if (!faces_is_open(faces, like->slot))
		return NULL;
	for (unsigned i = 0; i < FACES_WATCHES; i++) {
		struct face_watch *watch = &faces->watch[i];

		if (watch->ops)
			continue;
		*watch = (struct face_watch){
			.ops = like->ops,
			.ctx = like->ctx,
			.id = like->id,
			.slot = like->slot,
			.is_text = like->is_text,
			.owes_all = true,
		};
		faces->watch_count++;
		return watch;
	}
	return NULL;
}

struct face_watch *faces_watch_find(struct faces *faces, const void *ctx,
				    uint32_t id)
{
	for (unsigned i = 0; i < FACES_WATCHES; i++)
		if (faces->watch[i].ops && faces->watch[i].ctx == ctx &&
		    faces->watch[i].id == id)
			return &faces->watch[i];
	return NULL;
}

void faces_want(struct faces *faces, struct face_watch *watch, bool all)
{
	watch->is_wanted = true;
	watch->is_new = all || !watch->is_told;
	watch->owes_all |= all;
	watch->has_any = false;
	faces->is_again = true;
}

static bool is_watched(const struct faces *faces, unsigned slot)
{
	for (unsigned i = 0; i < FACES_WATCHES; i++)
		if (faces->watch[i].ops && faces->watch[i].slot == slot)
			return true;
	return false;
}

void faces_unwatch(struct faces *faces, struct face_watch *watch)
{
	struct face *face = &faces->face[watch->slot];
	unsigned slot = watch->slot;

	if (face->framed == watch)
		face->framed = NULL;
	memset(watch, 0, sizeof(*watch));
	faces->watch_count--;
	if (!is_watched(faces, slot) && faces_is_open(faces, slot)) {
		const struct face_record record = { .kind = FACE_UNWATCH };

		/* Without room it says once too often that it has changed. */
		(void)!faces_send(faces, face, &record, sizeof(record));
	}
	faces->is_again = true;
}

void faces_forget(struct faces *faces, const void *ctx)
{
	for (unsigned i = 0; i < FACES_WATCHES; i++)
		if (faces->watch[i].ops && faces->watch[i].ctx == ctx)
			faces_unwatch(faces, &faces->watch[i]);
	for (unsigned i = 0; i < FACES_ASKS; i++)
		if (faces->ask[i].ctx == ctx)
			faces->ask[i].answer = NULL;
	for (unsigned i = 0; i < FACES_SLOTS; i++)
		if (faces->face[i].debug && faces->face[i].debug_ctx == ctx)
			faces_debug_close(faces, i);
	for (unsigned i = 0; i < FACES_SLOTS; i++)
		if (faces->face[i].dump.ops && faces->face[i].dump.ctx == ctx)
			faces_dump_close(faces, i);
}

/* ---- Frames -------------------------------------------------------------- */

/* It wants a frame, and there may be something in it. */
static bool is_due(const struct face *face, const struct face_watch *watch)
{
	return watch->ops && watch->is_wanted &&
	       (!face->is_clean || watch->owes_all || watch->is_new ||
		!is_empty(&watch->owed));
}

static void frame_ask(struct faces *faces, struct face *face,
		      struct face_watch *watch)
{
	struct face_frame frame = {
		.head.kind = FACE_FRAME,
		.flags = FACE_FRAME_NOTIFY,
		.also = watch->owed,
	};

	if (watch->is_text)
		frame.flags |= FACE_FRAME_TEXT;
	if (watch->owes_all)
		frame.flags |= FACE_FRAME_ALL;
	frame.head.tag = face->tag + 1;
	if (faces_send(faces, face, &frame, sizeof(frame)))
		return;
	face->frame_tag = ++face->tag;
	face->is_framing = face->is_clean = true;
	face->framed = watch;
	watch->owes_all = false;
	watch->owed = (struct display_rectangle){ 0 };
}

static void frames_schedule(struct faces *faces, unsigned slot)
{
	struct face *face = &faces->face[slot];

	if (!faces->watch_count || face->is_framing ||
	    !faces_is_open(faces, slot))
		return;
	for (unsigned i = 0; i < FACES_WATCHES; i++) {
		unsigned at = (face->turn + i) % FACES_WATCHES;
		struct face_watch *watch = &faces->watch[at];

		if (watch->slot == slot && is_due(face, watch)) {
			face->turn = at + 1;
			frame_ask(faces, face, watch);
			return;
		}
	}
}

/* What the others did not get. */
static void owe(struct faces *faces, const struct face *face,
		const struct display_rectangle *what)
{
	unsigned slot = slot_of(faces, face);

	for (unsigned i = 0; i < FACES_WATCHES; i++) {
		struct face_watch *watch = &faces->watch[i];

		if (!watch->ops || watch->slot != slot || watch == face->framed)
			continue;
		if (what && !watch->is_text)
			extend(&watch->owed, what);
		else
			watch->owes_all = true;
	}
}

/* Whoever was told of another gets all of it: the machine thinks that it has
 * told. */
static void owe_mode(struct faces *faces, const struct face *face,
		     const struct face_mode *mode)
{
	unsigned slot = slot_of(faces, face);

	for (unsigned i = 0; i < FACES_WATCHES; i++) {
		struct face_watch *watch = &faces->watch[i];

		if (watch->ops && watch->slot == slot &&
		    watch != face->framed &&
		    memcmp(&watch->mode, mode, sizeof(*mode)) != 0)
			watch->owes_all = true;
	}
}

static bool is_mode_sane(const struct face_mode *mode)
{
	return mode->mode <= DISPLAY_GRAPHICS &&
	       mode->width <= FACE_WIDTH_MAX &&
	       mode->height <= FACE_HEIGHT_MAX &&
	       mode->columns <= DISPLAY_TEXT_COLUMNS &&
	       mode->rows <= DISPLAY_TEXT_ROWS &&
	       mode->cell_width <= FACE_WIDTH_MAX &&
	       mode->cell_height <= FACE_HEIGHT_MAX && mode->depth <= 32 &&
	       mode->takes_places <= 1;
}

static bool frame_mode(struct faces *faces, struct face *face,
		       const struct face_mode *record, uint32_t length)
{
	struct face_watch *watch = face->framed;
	struct face_mode mode;

	if (length != sizeof(mode) || !is_mode_sane(record))
		return false;
	mode = *record;
	mode.head = (struct face_record){ 0 };
	owe_mode(faces, face, &mode);
	if (!watch)
		return true;
	watch->mode = mode;
	watch->is_told = watch->has_any = true;
	watch->parts++;
	watch->ops->mode(watch, &watch->mode);
	return true;
}

static bool frame_pixels(struct faces *faces, struct face *face,
			 const struct face_pixels *pixels, uint32_t length)
{
	const struct display_rectangle where = {
		.left = pixels->left,
		.top = pixels->top,
		.right = (uint32_t)pixels->left + pixels->width,
		.bottom = (uint32_t)pixels->top + pixels->height,
	};
	struct face_watch *watch = face->framed;

	if (length < sizeof(*pixels) || is_empty(&where) ||
	    length - sizeof(*pixels) != 4U * pixels->width * pixels->height)
		return false;
	if (!(pixels->head.flags & FACE_AGAIN))
		owe(faces, face, &where);
	if (!watch || watch->is_text)
		return true;
	if (where.right > watch->mode.width ||
	    where.bottom > watch->mode.height)
		return false;
	watch->has_any = true;
	watch->parts++;
	watch->ops->pixels(watch, pixels);
	return true;
}

static bool frame_cells(struct faces *faces, struct face *face,
			const struct face_cells *cells, uint32_t length)
{
	struct face_watch *watch = face->framed;

	if (length < sizeof(*cells) ||
	    length - sizeof(*cells) != 2U * cells->columns * cells->rows ||
	    cells->cursor < -1 || cells->cursor >= cells->columns * cells->rows)
		return false;
	if (!(cells->head.flags & FACE_AGAIN))
		owe(faces, face, NULL);
	if (!watch || !watch->is_text)
		return true;
	if (cells->columns != watch->mode.columns ||
	    cells->rows != watch->mode.rows)
		return false;
	watch->has_any = true;
	watch->parts++;
	watch->ops->cells(watch, cells);
	return true;
}

static void frame_end(struct faces *faces, struct face *face)
{
	struct face_watch *watch = face->framed;

	face->is_framing = false;
	face->framed = NULL;
	faces->is_again = true;
	if (!watch || (!watch->has_any && !watch->is_new))
		return;
	watch->ops->end(watch, 0);
	watch->parts = 0;
	watch->is_wanted = watch->is_new = false;
}

/* ---- From the machine ---------------------------------------------------- */

/* What was asked for is done. */
static void command_follow(struct face *face, const struct face_ask *ask,
			   const struct face_record *record)
{
	/* Also of a pause that a former seat has asked for. */
	if (record->kind == FACE_STATISTICS)
		face->is_paused =
			((const struct face_statistics *)record)->is_paused;
	if (record->kind != FACE_ANSWER ||
	    ((const struct face_answer *)record)->error)
		return;
	if (ask->command == FACE_PAUSE)
		face->is_paused = true;
	else if (ask->command == FACE_RESUME)
		face->is_paused = false;
}

static void answer(struct faces *faces, struct face *face,
		   const struct face_record *record)
{
	for (unsigned i = 0; i < FACES_ASKS; i++) {
		struct face_ask ask = faces->ask[i];

		if (!ask.answer || ask.tag != record->tag ||
		    ask.kind != record->kind ||
		    ask.slot != slot_of(faces, face))
			continue;
		faces->ask[i].answer = NULL;
		memcpy(faces->note, ask.note, sizeof(faces->note));
		command_follow(face, &ask, record);
		ask.answer(ask.ctx, ask.id, record, 0);
	}
}

/* False: it makes no sense. */
static bool frame_take(struct faces *faces, struct face *face,
		       const struct face_record *head, uint32_t length)
{
	/* A former seat's: all that there is will be asked for. */
	if (!face->is_framing || head->tag != face->frame_tag)
		return true;
	switch (head->kind) {
	case FACE_MODE:
		return frame_mode(faces, face, (const void *)head, length);
	case FACE_PIXELS:
		return frame_pixels(faces, face, (const void *)head, length);
	case FACE_CELLS:
		return frame_cells(faces, face, (const void *)head, length);
	default:
		frame_end(faces, face);
		return true;
	}
}

/* The same. */
static bool record_take(struct faces *faces, struct face *face, uint32_t length)
{
	const struct face_record *head = (const void *)faces->record;

	if (length < sizeof(*head))
		return false;
	switch (head->kind) {
	case FACE_MODE:
	case FACE_PIXELS:
	case FACE_CELLS:
	case FACE_FRAME_END:
		return frame_take(faces, face, head, length);
	case FACE_CHANGED:
		face->is_clean = false;
		faces->is_again = true;
		return true;
	case FACE_ANSWER:
	case FACE_STATISTICS:
		if (length != (head->kind == FACE_ANSWER
				       ? sizeof(struct face_answer)
				       : sizeof(struct face_statistics)))
			return false;
		answer(faces, face, head);
		return head->kind != FACE_ANSWER ||
		       faces_dump_take(faces, face, head, length);
	case FACE_DUMP_BEGIN:
	case FACE_CORE:
	case FACE_DUMP_END:
		return faces_dump_take(faces, face, head, length);
	case FACE_DEBUG:
		if (face->debug && length > sizeof(*head))
			face->debug->bytes(face->debug_ctx, face->debug_id,
					   head + 1, length - sizeof(*head));
		faces->is_again = true; /* carriers have had their turn */
		return true;
	default:
		return false;
	}
}

/* For whatever its next record is. */
static bool has_room(const struct face *face)
{
	if (face->debug && !face->debug->has_room(face->debug_ctx))
		return false;
	return !face->framed || face->framed->ops->has_room(face->framed);
}

static void face_read(struct faces *faces, struct face *face)
{
	long n = 1;

	for (unsigned i = 0; i < RECORDS_MAX && n > 0; i++) {
		if (!has_room(face)) {
			/* Whoever makes room comes by, or sets is_again. */
			face->is_touched = true;
			return;
		}
		n = ring_get(&face->answers, faces->record,
			     sizeof(faces->record), &face->is_bell_due);
		if (n < 0 ||
		    (n > 0 && !record_take(faces, face, (uint32_t)n))) {
			face_break(faces, face);
			return;
		}
		/* Whoever draws it clears a screen: others have their turn. */
		if (n > 0 &&
		    ((const struct face_record *)faces->record)->kind ==
			    FACE_MODE)
			break;
	}
	if (n > 0)
		faces->is_again = true;
	else if (ring_sleep(&face->answers))
		face->is_active = false;
	else
		faces->is_again = true;
}

void faces_ring(struct faces *faces, unsigned slot)
{
	if (!faces_is_open(faces, slot))
		return;
	faces->face[slot].is_active = true;
	faces->face[slot].is_touched = true;
}

static void button_taken(void *ctx, uint32_t id,
			 const struct face_record *record, int error)
{
	(void)ctx;
	(void)id;
	(void)record;
	(void)error;
}

/* Tried again whenever something has happened. */
static void button_send(struct faces *faces, unsigned slot)
{
	struct face *face = &faces->face[slot];
	struct face_ask ask = { .answer = button_taken };
	int error;

	if (!face->is_button_due)
		return;
	error = faces_ask(faces, slot, FACE_POWER_BUTTON, 0, &ask);
	face->is_button_due = error == -EBUSY;
	face->is_touched |= face->is_button_due;
}

void faces_button(struct faces *faces, unsigned slot)
{
	if (!faces_is_open(faces, slot))
		return;
	faces->face[slot].is_button_due = true;
	faces->face[slot].is_touched = true;
}

void faces_run(struct faces *faces)
{
	bool is_all = faces->is_again;

	faces->is_again = false;
	for (unsigned slot = 0; slot < FACES_SLOTS; slot++) {
		struct face *face = &faces->face[slot];
		bool is_due = is_all || face->is_touched;

		face->is_touched = false;
		if (!face->is_open || !is_due)
			continue;
		if (face->is_active && faces_is_open(faces, slot))
			face_read(faces, face);
		if (faces_is_open(faces, slot))
			close_send(faces, face);
		if (faces_is_open(faces, slot))
			faces_dump_send(faces, face);
		if (faces_is_open(faces, slot))
			(void)!releases_send(faces, face);
		button_send(faces, slot);
		frames_schedule(faces, slot);
		if (face->is_bell_due)
			faces->doorbell(faces->ctx, slot);
		face->is_bell_due = false;
	}
}

/* ---- Debuggers ----------------------------------------------------------- */

int faces_debug(struct faces *faces, unsigned slot,
		const struct face_debug_ops *ops, void *ctx, uint32_t id)
{
	struct face *face;

	if (!faces_is_open(faces, slot))
		return -EPIPE;
	face = &faces->face[slot];
	if (face->debug || face->must_close)
		return -EBUSY;
	face->debug = ops;
	face->debug_ctx = ctx;
	face->debug_id = id;
	return 0;
}

int faces_debug_find(const struct faces *faces, const void *ctx, uint32_t id)
{
	for (unsigned i = 0; i < FACES_SLOTS; i++)
		if (faces->face[i].debug && faces->face[i].debug_ctx == ctx &&
		    faces->face[i].debug_id == id)
			return (int)i;
	return -ENOENT;
}

long faces_debug_send(struct faces *faces, unsigned slot, const void *bytes,
		      size_t length)
{
	struct {
		struct face_record head;
		uint8_t bytes[FACE_DEBUG_MAX];
	} record = { .head.kind = FACE_DEBUG };
	size_t done = 0;

	while (done < length && faces_is_open(faces, slot)) {
		size_t n = MIN(length - done, sizeof(record.bytes));

		memcpy(record.bytes, (const uint8_t *)bytes + done, n);
		if (faces_send(faces, &faces->face[slot], &record,
			       (uint32_t)(sizeof(record.head) + n)) == -EBUSY)
			break;
		done += n;
	}
	return faces_is_open(faces, slot) ? (long)done : -EPIPE;
}

void faces_debug_close(struct faces *faces, unsigned slot)
{
	if (slot >= FACES_SLOTS || !faces->face[slot].debug)
		return;
	faces->face[slot].debug = NULL;
	if (!faces_is_open(faces, slot))
		return;
	faces->face[slot].must_close = true;
	close_send(faces, &faces->face[slot]);
}
