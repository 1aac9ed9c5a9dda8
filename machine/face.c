/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's face: machine/face.h. */
#include "machine/face.h"

#include "include/errno.h"
#include "lib/string.h"
#include "machine/face_inner.h"

/* Of a visit: what keeps seat from having the guest's time all for itself. */
#define VISIT_REQUESTS 16
#define VISIT_RECORDS  4
#define CELLS_MAX      ((FACE_RECORD_MAX - sizeof(struct face_cells)) / 2)
_Static_assert(sizeof(struct face_pixels) + FACE_WIDTH_MAX * 4 <=
		       FACE_RECORD_MAX,
	       "a line of pixels");
_Static_assert(CELLS_MAX >= DISPLAY_TEXT_COLUMNS * DISPLAY_TEXT_ROWS,
	       "all of a text");
/* A producer is rung when its ring is half empty. */
_Static_assert(FACE_RECORD_ROOM(FACE_RECORD_MAX) <= FACE_ANSWERS_SIZE / 2,
	       "there is room for any record then");

/* ---- The rings --------------------------------------------------------- */

static void watch(struct face *face, bool is_watched);
static void release(struct face *face);

static void give_up(struct face *face)
{
	watch(face, false);
	release(face);
	face->state = FACE_OFF;
	face->is_paused = false;
	face->dump.state = FACE_DUMP_NONE;
}

bool face_put(struct face *face, const void *record, size_t length)
{
	long n = ring_put(&face->answers, record, (uint32_t)length,
			  &face->must_bell);

	if (n < 0)
		give_up(face);
	return n > 0;
}

bool face_has_room(struct face *face, size_t length)
{
	long n = ring_space(&face->answers);

	if (n < 0)
		give_up(face);
	return n >= 0 && (size_t)n >= FACE_RECORD_ROOM(length);
}

/* And then asks for a doorbell. */
static bool is_full(struct face *face, size_t needs)
{
	while (!face_has_room(face, needs))
		if (ring_sleep(&face->answers))
			return true;
	return false;
}

void face_answer(struct face *face, uint32_t tag, int error)
{
	const struct face_answer record = {
		.head = { .kind = FACE_ANSWER, .tag = tag },
		.error = error,
	};

	(void)face_put(face, &record, sizeof(record));
}

static bool put_head(struct face *face, enum face_kind kind)
{
	const struct face_record head = { .kind = (uint16_t)kind,
					  .tag = face->tag };

	return face_put(face, &head, sizeof(head));
}

static void bell(struct face *face)
{
	if (face->must_bell)
		face->config.ops->bell(face->config.ctx);
	face->must_bell = false;
}

/* ---- Watching ---------------------------------------------------------- */

static const struct board_screen *screen_of(const struct face *face)
{
	return face->config.board->ops->screen;
}

/* A frame under way has it, or the next. */
static void give_notice(struct face *face)
{
	if (!face->owes_notice || face->state != FACE_IDLE)
		return;
	if (put_head(face, FACE_CHANGED))
		face->owes_notice = false;
}

/* From within an access of the guest's. */
static void changed(void *ctx)
{
	struct face *face = ctx;

	face->has_changed = true;
	if (!face->wants_notice)
		return;
	face->wants_notice = false;
	face->owes_notice = true;
	give_notice(face);
	/* Without room: the producer is rung when there is. */
	if (face->owes_notice && face->state == FACE_IDLE &&
	    !ring_sleep(&face->answers))
		give_notice(face);
	bell(face);
}

static void watch(struct face *face, bool is_watched)
{
	const struct board *board = face->config.board;

	face->wants_notice = false;
	face->owes_notice = false;
	if (is_watched == face->is_watched || !screen_of(face))
		return;
	face->is_watched = is_watched;
	face->config.ops->watched(face->config.ctx, is_watched);
	screen_of(face)->watch(board->object, is_watched ? changed : NULL,
			       face);
}

/* ---- Frames ------------------------------------------------------------ */

static void picture_get(struct face *face, struct display_picture *picture)
{
	if (screen_of(face))
		screen_of(face)->picture(face->config.board->object, picture);
	else
		*picture = (struct display_picture){ .mode = DISPLAY_OFF };
	picture->width = MIN(picture->width, FACE_WIDTH_MAX);
	picture->height = MIN(picture->height, FACE_HEIGHT_MAX);
}

static bool takes_places(const struct face *face)
{
	const struct board *board = face->config.board;

	return board->ops->takes_places &&
	       board->ops->takes_places(board->object);
}

/* Than the frame's, or the last one's; what picture_get() has got. */
static bool is_another(const struct face *face,
		       const struct display_picture *picture)
{
	return memcmp(picture, &face->picture, sizeof(*picture)) != 0 ||
	       takes_places(face) != face->takes_places;
}

static bool is_text(const struct face *face)
{
	return face->flags & FACE_FRAME_TEXT &&
	       face->picture.mode == DISPLAY_TEXT;
}

/* What is left of it within the picture, as a part of the frame; is_again: that
 * nothing of it has changed, or that cells say so. */
static void part_add(struct face *face, struct display_rectangle r,
		     bool is_again)
{
	r.right = MIN(r.right, face->picture.width);
	r.bottom = MIN(r.bottom, face->picture.height);
	if (r.left >= r.right || r.top >= r.bottom)
		return;
	if (face->part_count == FACE_PARTS)
		return;
	face->is_again[face->part_count] = is_again;
	face->part[face->part_count++] = r;
}

static void part_all(struct face *face, bool is_again)
{
	part_add(face,
		 (struct display_rectangle){ .right = face->picture.width,
					     .bottom = face->picture.height },
		 is_again);
}

/*
 * Into what frames are to show; from now on later changes are the next's.  The
 * frame that takes them tells of them, as cells or as pixels; as the other they
 * are shown again.
 */
static void changes_take(struct face *face)
{
	bool is_cells = is_text(face);
	struct display_rectangle dirty[DISPLAY_DIRTY];
	unsigned count, old = face->part_count;

	if (!screen_of(face))
		return;
	face->has_changed = false;
	count = screen_of(face)->changes(face->config.board->object,
					 face->picture.height, dirty);
	if (count && !face->has_cells)
		face->is_cells_again = !is_cells;
	else if (count && is_cells)
		face->is_cells_again = false;
	face->has_cells |= count != 0;
	/* More than fits beside what is left: all. */
	if (old + count + 2 > FACE_PARTS) {
		face->part_count = 0;
		part_all(face, is_cells);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		part_add(face, dirty[i], is_cells);
}

/* The picture is another one than seat knows: all of it, with its mode. */
static void frame_anew(struct face *face, const struct display_picture *picture)
{
	face->picture = *picture;
	face->takes_places = takes_places(face);
	face->must_tell_mode = true;
	changes_take(face);
	face->part_count = 0;
	part_all(face, is_text(face));
	face->has_cells = true;
	face->is_cells_again = !is_text(face);
}

/* All of the same picture, once: as what has changed if any of it has. */
static void frame_all(struct face *face)
{
	bool is_news = false;

	face->must_tell_mode = true;
	changes_take(face);
	for (unsigned i = 0; i < face->part_count; i++)
		is_news |= !face->is_again[i];
	face->part_count = 0;
	part_all(face, !is_news);
	if (!face->has_cells)
		face->is_cells_again = true;
	face->has_cells = true;
}

static void frame_begin(struct face *face, const struct face_frame *request)
{
	bool is_all = request->flags & FACE_FRAME_ALL;
	bool is_notify = request->flags & FACE_FRAME_NOTIFY;
	struct display_picture picture;

	if (face->state == FACE_DRAWING)
		(void)put_head(face, FACE_FRAME_END);
	if (face->state == FACE_OFF)
		return;
	face->state = FACE_DRAWING;
	face->tag = request->head.tag;
	face->flags = request->flags;
	if (is_notify || !is_all)
		watch(face, true);
	face->wants_notice = false;
	face->owes_notice = false;
	picture_get(face, &picture);
	if (is_another(face, &picture)) {
		frame_anew(face, &picture);
	} else if (is_all) {
		frame_all(face);
	} else {
		changes_take(face);
		part_add(face, request->also, true);
	}
}

static bool mode_put(struct face *face)
{
	const struct display_picture *picture = &face->picture;
	const struct face_mode mode = {
		.head = { .kind = FACE_MODE, .tag = face->tag },
		.mode = picture->mode,
		.width = picture->width,
		.height = picture->height,
		.columns = picture->columns,
		.rows = picture->rows,
		.cell_width = picture->cell_width,
		.cell_height = picture->cell_height,
		.depth = picture->depth,
		.takes_places = face->takes_places,
	};

	return face_put(face, &mode, sizeof(mode));
}

/* As many lines of the first part as a record holds. */
static bool pixels_put(struct face *face)
{
	struct display_rectangle *part = &face->part[face->part_count - 1];
	struct face_pixels *record = (void *)face->record;
	struct display_rectangle r = *part;
	uint32_t width = r.right - r.left;
	size_t count;

	r.bottom = MIN(r.bottom, r.top + (uint32_t)FACE_WIDTH_MAX / width);
	count = (size_t)width * (r.bottom - r.top);
	if (!face_has_room(face, sizeof(*record) + count * 4))
		return false;
	*record = (struct face_pixels){
		.head = { .kind = FACE_PIXELS,
			  .flags = face->is_again[face->part_count - 1]
					   ? FACE_AGAIN
					   : 0,
			  .tag = face->tag },
		.left = (uint16_t)r.left,
		.top = (uint16_t)r.top,
		.width = (uint16_t)width,
		.height = (uint16_t)(r.bottom - r.top),
	};
	part->top = r.bottom;
	if (part->top == part->bottom)
		face->part_count--;
	if (screen_of(face)->render(face->config.board->object, &r,
				    (uint32_t *)record->pixel))
		return true; /* there is no picture now: seen next time */
	face->pixels += count;
	return face_put(face, record, sizeof(*record) + count * 4);
}

static bool cells_put(struct face *face)
{
	struct face_cells *record = (void *)face->record;
	size_t count = (size_t)face->picture.columns * face->picture.rows;
	const uint16_t *cells;
	int32_t cursor = -1;

	if (face->picture.mode != DISPLAY_TEXT || count > CELLS_MAX)
		count = 0;
	if (!face_has_room(face, sizeof(*record) + count * 2))
		return false;
	face->has_cells = false;
	cells = screen_of(face)->cells(face->config.board->object, &cursor);
	if (!count || !cells)
		return true;
	*record = (struct face_cells){
		.head = { .kind = FACE_CELLS,
			  .flags = face->is_cells_again ? FACE_AGAIN : 0,
			  .tag = face->tag },
		.columns = (uint16_t)face->picture.columns,
		.rows = (uint16_t)face->picture.rows,
		.cursor = cursor,
	};
	memcpy(record->cell, cells, count * 2);
	return face_put(face, record, sizeof(*record) + count * 2);
}

static bool frame_end(struct face *face)
{
	if (!put_head(face, FACE_FRAME_END))
		return false;
	face->state = FACE_IDLE;
	face->frames++;
	if (!(face->flags & FACE_FRAME_NOTIFY) || !face->is_watched)
		return true;
	/* It may have changed while it was drawn. */
	face->owes_notice = face->has_changed;
	face->wants_notice = !face->has_changed;
	return true;
}

/* One record of the frame.  False: there is no room. */
static bool frame_piece(struct face *face)
{
	struct display_picture picture;

	picture_get(face, &picture);
	if (is_another(face, &picture))
		frame_anew(face, &picture);
	if (face->must_tell_mode) {
		if (!mode_put(face))
			return false;
		face->must_tell_mode = false;
		return true;
	}
	if (is_text(face) ? face->has_cells : face->part_count)
		return is_text(face) ? cells_put(face) : pixels_put(face);
	return frame_end(face);
}

/* ---- Requests ---------------------------------------------------------- */

static void release(struct face *face)
{
	const struct input_event sync = { .kind = INPUT_SYNC };
	const struct board *board = face->config.board;
	struct input_event event;

	while (held_take(&face->held, &event, 1)) {
		(void)board->ops->input(board->object, &event);
		(void)board->ops->input(board->object, &sync);
	}
}

static void input(struct face *face, long length)
{
	const struct face_input *record = (const void *)face->request;
	const struct input_event sync = { .kind = INPUT_SYNC };
	const struct board *board = face->config.board;
	size_t count = ((size_t)length - sizeof(struct face_input)) /
		       sizeof(struct input_event);

	if (!board->ops->input)
		return;
	for (size_t i = 0; i < MIN(count, FACE_EVENTS_MAX); i++) {
		const struct input_event *event = &record->event[i];

		if (board->ops->input(board->object, event) &&
		    event->kind != INPUT_SYNC)
			face->keys++;
		held_note(&face->held, event);
	}
	/* Seat's last is the end of something, whether it says so or not. */
	(void)board->ops->input(board->object, &sync);
}

void face_pause(struct face *face)
{
	face->is_paused = true;
	face->config.ops->hold(face->config.ctx);
}

static int cable(const struct face *face, uint32_t nic, bool is_in)
{
	if (!face->config.ops->cable)
		return -ENODEV;
	return face->config.ops->cable(face->config.ctx, nic, is_in);
}

static int command(struct face *face, size_t length)
{
	const struct face_command *asked = (const void *)face->request;
	const struct board *board = face->config.board;
	char medium[FACE_MEDIUM_SIZE] = "";

	memcpy(medium, asked->medium,
	       MIN(length - FACE_COMMAND_MIN, sizeof(medium) - 1));
	switch (asked->command) {
	case FACE_PAUSE:
		face_pause(face);
		return 0;
	case FACE_RESUME:
		face->is_paused = false;
		face_dump_over(face, FACE_DUMP_RESUMED);
		return 0;
	case FACE_RESET:
		face->config.ops->reset(face->config.ctx);
		return 0;
	case FACE_NMI:
		face->config.ops->nmi(face->config.ctx);
		return 0;
	case FACE_UNPLUG:
	case FACE_PLUG:
		return cable(face, asked->unit, asked->command == FACE_PLUG);
	default:
		if (!board->ops->command)
			return -ENOSYS;
		return board->ops->command(board->object, asked->command,
					   asked->unit, medium);
	}
}

static void statistics_put(struct face *face, uint32_t tag)
{
	const struct board *board = face->config.board;
	struct face_statistics record = {
		.head = { .kind = FACE_STATISTICS, .tag = tag },
		.is_paused = face->is_paused,
		.vcpus = face->config.vcpus,
		.keys = face->keys,
		.frames = face->frames,
		.pixels = face->pixels,
	};

	if (face->config.ops->statistics)
		face->config.ops->statistics(face->config.ctx, &record);
	if (board->ops->statistics)
		board->ops->statistics(board->object, &record);
	(void)face_put(face, &record, sizeof(record));
}

static bool is_debug(unsigned kind)
{
	return kind == FACE_DEBUG || kind == FACE_DEBUG_CLOSE;
}

static void serve(struct face *face, size_t length)
{
	static const uint16_t least[] = {
		[FACE_INPUT] = sizeof(struct face_input),
		[FACE_FRAME] = sizeof(struct face_frame),
		[FACE_UNWATCH] = sizeof(struct face_record),
		[FACE_COMMAND] = FACE_COMMAND_MIN,
		[FACE_STATISTICS] = sizeof(struct face_record),
		[FACE_DEBUG] = sizeof(struct face_record),
		[FACE_DEBUG_CLOSE] = sizeof(struct face_record),
		[FACE_DUMP] = sizeof(struct face_record),
		[FACE_DUMP_MORE] = sizeof(struct face_dump_more),
		[FACE_DUMP_CLOSE] = sizeof(struct face_record),
		[FACE_RELEASE] = sizeof(struct face_record),
	};
	const struct face_record *head = (const void *)face->request;

	if (length < sizeof(*head))
		return;
	if (head->kind >= ARRAY_SIZE(least) || !least[head->kind] ||
	    (is_debug(head->kind) && !face->config.ops->debug)) {
		face_answer(face, head->tag, -ENOSYS);
		return;
	}
	if (length < least[head->kind]) {
		face_answer(face, head->tag, -EINVAL);
		return;
	}
	switch (head->kind) {
	case FACE_INPUT:
		input(face, (long)length);
		break;
	case FACE_FRAME:
		frame_begin(face, (const void *)face->request);
		break;
	case FACE_UNWATCH:
		watch(face, false);
		break;
	case FACE_COMMAND:
		face_answer(face, head->tag, command(face, length));
		break;
	case FACE_STATISTICS:
		statistics_put(face, head->tag);
		break;
	case FACE_DEBUG:
		face->config.ops->debug(
			face->config.ctx, head + 1,
			MIN(length - sizeof(*head), (size_t)FACE_DEBUG_MAX));
		break;
	case FACE_DEBUG_CLOSE:
		face->config.ops->debug_close(face->config.ctx);
		break;
	case FACE_RELEASE:
		release(face);
		break;
	default:
		face_dump_serve(face, head);
	}
}

/* False: none, or no room to answer. */
static bool request_take(struct face *face)
{
	long n;

	if (!face_has_room(face, FACE_ANSWER_MAX))
		return false;
	n = ring_get(&face->requests, face->request,
		     (uint32_t)sizeof(face->request), &face->must_bell);
	if (n < 0)
		give_up(face);
	if (n > 0)
		serve(face, (size_t)n);
	return n > 0;
}

/* What a debugger has not taken waits for it. */
static bool debug_piece(struct face *face)
{
	struct {
		struct face_record head;
		uint8_t bytes[FACE_DEBUG_MAX];
	} record = { .head.kind = FACE_DEBUG };
	size_t n;

	if (!face->config.ops->debug || is_full(face, sizeof(record)))
		return false;
	n = face->config.ops->debug_output(face->config.ctx, record.bytes,
					   sizeof(record.bytes));
	return n &&
	       face_put(face, &record, (uint32_t)(sizeof(record.head) + n));
}

/* ---- Visits ------------------------------------------------------------ */

static bool is_on(const struct face *face)
{
	return face->state == FACE_IDLE || face->state == FACE_DRAWING;
}

/* False: there is nothing to do, or no room. */
static bool work(struct face *face)
{
	unsigned requests = 0, records = 0;

	while (requests < VISIT_REQUESTS && request_take(face))
		requests++;
	while (records < VISIT_RECORDS && is_on(face) && debug_piece(face))
		records++;
	while (records < VISIT_RECORDS && is_on(face) && face_dump_piece(face))
		records++;
	while (records < VISIT_RECORDS && face->state == FACE_DRAWING &&
	       frame_piece(face))
		records++;
	if (is_on(face))
		give_notice(face);
	return requests == VISIT_REQUESTS || records == VISIT_RECORDS;
}

/* False: there is something to do already. */
static bool may_sleep(struct face *face)
{
	bool is_drawing = face->state == FACE_DRAWING;
	size_t dump = face_dump_needs(face);
	size_t needs =
		is_drawing ? FACE_RECORD_MAX : MAX(FACE_ANSWER_MAX, dump);

	if (!is_full(face, needs) && (is_drawing || dump || face->owes_notice))
		return false;
	/* What is asked has to wait where it cannot be answered. */
	return !face_has_room(face, FACE_ANSWER_MAX) ||
	       ring_sleep(&face->requests);
}

void face_visit(struct face *face)
{
	if (!is_on(face))
		return;
	if (work(face) || (is_on(face) && !may_sleep(face)))
		face->config.ops->again(face->config.ctx);
	bell(face);
}

void face_peer_gone(struct face *face)
{
	if (!is_on(face))
		return;
	watch(face, false);
	face->dump.state = FACE_DUMP_NONE;
	release(face);
	if (face->config.ops->debug)
		face->config.ops->debug_close(face->config.ctx);
	face->state = FACE_IDLE;
}

void face_init(struct face *face, const struct face_config *config)
{
	face->config = *config;
}

void face_open(struct face *face, struct seat_console *shared)
{
	if (face->state != FACE_NONE)
		return;
	ring_init(&face->requests, &shared->requests, shared->requests_data,
		  FACE_REQUESTS_SIZE, false, true);
	ring_init(&face->answers, &shared->answers, shared->answers_data,
		  FACE_ANSWERS_SIZE, true, true);
	face->state = FACE_IDLE;
}
