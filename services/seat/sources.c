/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where rows come from: the rings of consoles and the monitor's log.
 *
 * A console's rings, of its serial ports and of its firmware's debug
 * ports, become one stream: the next one's turn comes when a line has ended, or
 * when the one has nothing.
 *
 * A line of the log that begins with a console's tag is about that program and
 * shows behind what the program had written by then.  Where several share the
 * terminal it is cut into rows that all begin with time and tag: its text is
 * the program's, and a terminal breaks what is longer than its rows.
 */
#include "services/seat/mux_inner.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

/* Less room than this waits for more. */
#define PULL_MIN   128
/* Of the log at a time; cut into rows it may be four times as long. */
#define LOG_PIECE  512
#define LOG_ROOM   2560
#define PREFIX_MAX 64

/* ---- Rings of consoles -------------------------------------------------- */

void source_break(struct mux *mux, struct mux_console *console)
{
	char text[96];
	int n;

	if (console->state != MUX_OPEN)
		return;
	console->state = MUX_BROKEN;
	n = snprintf(text, sizeof(text),
		     "--- the console of %s is broken: ignored ---\n",
		     console->name);
	mux_print(mux, text, (size_t)n);
	mux->is_again = true;
}

/* What may be read before something else has to be shown. */
static uint32_t pull_limit(const struct mux_console *console,
			   enum mux_source source)
{
	uint32_t limit = UINT32_MAX;
	uint32_t mine = console->in[source].mine;

	if (console->notice_count)
		limit = console->notice[0].at[source] - mine;
	if (console->flush == MUX_FLUSH_RINGS)
		limit = MIN(limit, console->flush_at[source] - mine);
	return limit;
}

static void bytes_count(struct mux *mux, struct mux_console *console,
			const char *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		console->newlines += bytes[i] == '\n';
	console->out.head += n;
	console->held_ns = mux->now_ns;
}

static void tell(struct mux *mux, unsigned slot, const char *bytes,
		 size_t length)
{
	if (mux->ops->heard && length)
		mux->ops->heard(mux->ctx, slot, bytes, length);
}

static void tell_of(struct mux *mux, const struct mux_console *console,
		    enum mux_source source, const char *bytes, size_t length)
{
	const unsigned as[] = {
		[MUX_OUTPUT] = console->slot,
		[MUX_DEBUG] = MUX_DEBUG_OF(console->slot),
		[MUX_E9] = MUX_E9_OF(console->slot),
		[MUX_SERIAL1] = MUX_SERIAL1_OF(console->slot),
	};

	tell(mux, as[source], bytes, length);
}

/* From one ring into the buffer, to its end at most; how many bytes. */
static uint32_t pull_piece(struct mux *mux, struct mux_console *console,
			   enum mux_source source)
{
	uint32_t at = console->out.head % MUX_BUFFER;
	uint32_t room = MUX_BUFFER - buffer_used(&console->out);
	uint32_t want =
		MIN(MIN(room, MUX_BUFFER - at), pull_limit(console, source));
	long n;

	if (!want)
		return 0;
	n = ring_read(&console->in[source], console->buffer + at, want,
		      &console->is_bell_due);
	if (n < 0)
		source_break(mux, console);
	if (n <= 0)
		return 0;
	bytes_count(mux, console, console->buffer + at, (uint32_t)n);
	tell_of(mux, console, source, console->buffer + at, (size_t)n);
	return (uint32_t)n;
}

bool source_is_at_line_end(const struct mux_console *console)
{
	return !console->out.head ||
	       console->buffer[(console->out.head - 1) % MUX_BUFFER] == '\n';
}

/*
 * Nothing more comes before what is due next: a notice, or the end of what a
 * flush asked for.  That the rings are empty is enough, and so is that one is
 * broken.
 */
static void flush_follow(struct mux_console *console)
{
	if (console->flush != MUX_FLUSH_RINGS || console->flush_notices ||
	    !(console->is_emptied || !source_is_open(console)))
		return;
	console->flush = MUX_FLUSH_BUFFER;
	console->flush_head = console->out.head;
	console->is_emptied = false;
}

void source_pull(struct mux *mux, struct mux_console *console)
{
	unsigned empty = 0;

	while (empty < MUX_SOURCES && source_is_open(console) &&
	       MUX_BUFFER - buffer_used(&console->out) >= PULL_MIN) {
		if (pull_piece(mux, console, console->source)) {
			empty = 0;
			if (!source_is_at_line_end(console))
				continue;
		} else {
			empty++;
		}
		console->source = (console->source + 1) % MUX_SOURCES;
	}
	console->is_emptied = empty == MUX_SOURCES;
	flush_follow(console);
}

bool source_sleep(struct mux_console *console)
{
	for (unsigned i = 0; i < MUX_SOURCES; i++)
		if (!ring_sleep(&console->in[i]))
			return false;
	return true;
}

bool source_is_empty(const struct mux_console *console)
{
	if (buffer_used(&console->out) || console->notice_count)
		return false;
	return console->is_emptied || !source_is_open(console);
}

void source_discard(struct mux *mux, struct mux_console *console)
{
	char bytes[256];
	long n;

	for (unsigned i = 0; i < MUX_SOURCES && source_is_open(console); i++) {
		/* A ring's worth, though it may be filled meanwhile. */
		for (uint32_t left = console->in[i].size; left;) {
			n = ring_read(&console->in[i], bytes, sizeof(bytes),
				      &console->is_bell_due);
			if (n < 0)
				source_break(mux, console);
			if (n <= 0)
				break;
			tell_of(mux, console, i, bytes, (size_t)n);
			left -= MIN(left, (uint32_t)n);
		}
	}
	console->out.tail = console->out.head;
	console->newlines = console->notice_count = 0;
	console->is_due = false;
	console->is_emptied = true;
	console->flush = MUX_FLUSH_NONE;
}

void source_flush(struct mux_console *console)
{
	for (unsigned i = 0; i < MUX_SOURCES; i++) {
		long n = ring_space(&console->in[i]);

		console->flush_at[i] =
			console->in[i].mine + (n > 0 ? (uint32_t)n : 0);
	}
	console->flush_notices = console->notice_count;
	console->flush = MUX_FLUSH_RINGS;
	console->is_active = true;
	console->is_emptied = false;
}

/* Nobody reads a broken one any more, but its notices are still shown. */
bool source_is_flushed(struct mux_console *console)
{
	flush_follow(console);
	if (console->flush == MUX_FLUSH_RINGS)
		return false;
	return console->flush == MUX_FLUSH_NONE ||
	       (int32_t)(console->out.tail - console->flush_head) >= 0;
}

/* ---- The log ------------------------------------------------------------ */

void mux_print(struct mux *mux, const char *text, size_t length)
{
	if (MUX_LOG - buffer_used(&mux->log) < length)
		return;
	for (size_t i = 0; i < length; i++) {
		char byte = text[i];

		if (byte != '\n' && (byte < ' ' || byte > '~'))
			byte = '?';
		mux->log_bytes[mux->log.head++ % MUX_LOG] = byte;
	}
}

/* "[    1.234567] ", maybe "warning: ": where what follows begins. */
static size_t time_length(const char *line, size_t length)
{
	static const char *const level[] = { "error: ", "warning: " };
	const char *end = memchr(line, ']', length);
	size_t n;

	if (!length || line[0] != '[' || !end)
		return 0;
	n = MIN((size_t)(end - line) + 2, length);
	for (unsigned i = 0; i < ARRAY_SIZE(level); i++)
		if (length - n > strlen(level[i]) &&
		    !memcmp(line + n, level[i], strlen(level[i])))
			return n + strlen(level[i]);
	return n;
}

/* A console that "[name] " or "[name.0] " is the tag of. */
static struct mux_console *tag_find(struct mux *mux, const char *tag,
				    size_t length)
{
	for (unsigned i = 0; i < mux->count; i++) {
		struct mux_console *console = mux->shown[i];
		size_t n = strlen(console->name);

		if (length > n + 1 && !memcmp(tag + 1, console->name, n) &&
		    (tag[n + 1] == ']' || tag[n + 1] == '.'))
			return console;
	}
	return NULL;
}

/* How much of what waits in a ring is whole lines, the last of which is not far
 * from its end; -EPROTO. */
static long lines_waiting(struct mux_console *console, enum mux_source source)
{
	char last[TERMINAL_COLUMNS];
	long n = ring_peek_last(&console->in[source], last, sizeof(last));
	long length = MIN(n, (long)sizeof(last)), end = length;

	while (end > 0 && last[end - 1] != '\n')
		end--;
	if (end <= 0 && n > length)
		return n; /* as if it ended there */
	return end > 0 ? n - (length - end) : MIN(n, 0L);
}

/*
 * Where in a ring a notice is due: behind the last line that waits there, so
 * that it does not cut one that is being written just now; behind all if that
 * goes on with what was read before.
 */
static long notice_at(struct mux_console *console, enum mux_source source)
{
	long lines = lines_waiting(console, source);

	if (lines || source_is_at_line_end(console))
		return lines;
	return ring_space(&console->in[source]);
}

static bool notice_push(struct mux_console *console, const char *text,
			size_t length)
{
	struct mux_notice *notice = &console->notice[console->notice_count];
	uint32_t waiting = buffer_used(&console->out) + console->notice_count;

	if (console->notice_count == MUX_NOTICES || length > MUX_LINE_MAX ||
	    !source_is_open(console))
		return false;
	for (unsigned i = 0; i < MUX_SOURCES; i++) {
		long n = notice_at(console, i);

		if (n < 0)
			return false;
		waiting += (uint32_t)n;
		notice->at[i] = console->in[i].mine + (uint32_t)n;
	}
	if (!waiting)
		return false;
	memcpy(notice->text, text, length);
	notice->length = (uint32_t)length;
	console->notice_count++;
	console->is_active = true;
	console->is_emptied = false;
	return true;
}

/* One that is alone goes on with a row: what the log has waits for its end, in
 * compose(). */
static bool is_row_begun(const struct mux *mux, struct mux_console *console)
{
	if (mux_is_shared(mux) || console->notice_count ||
	    source_is_at_line_end(console))
		return false;
	for (unsigned i = 0; i < MUX_SOURCES; i++)
		if (lines_waiting(console, i))
			return false;
	return true;
}

/* A row of the log: behind what it is about has written, or in order. */
static void log_row(struct mux *mux, struct mux_console *about,
		    const char *text, size_t length)
{
	if (!about || is_row_begun(mux, about) ||
	    !notice_push(about, text, length))
		mux_print(mux, text, length);
}

/* Of program's text, in rows that begin with the same prefix. */
static void log_cut(struct mux *mux, struct mux_console *about,
		    const char *line, size_t prefix, size_t length)
{
	size_t columns = TERMINAL_COLUMNS - 1 - prefix, at = prefix;
	char row[TERMINAL_COLUMNS + 1];

	memcpy(row, line, prefix);
	do {
		size_t n = MIN(columns, length - at);

		memcpy(row + prefix, line + at, n);
		row[prefix + n] = '\n';
		log_row(mux, about, row, prefix + n + 1);
		at += n;
	} while (at < length);
}

/* One line; length is without its newline. */
static void log_line(struct mux *mux, const char *line, size_t length)
{
	size_t prefix = time_length(line, length);
	struct mux_console *about = NULL;
	const char *end = NULL;

	if (prefix && prefix < length && line[prefix] == '[') {
		about = tag_find(mux, line + prefix, length - prefix);
		end = memchr(line + prefix, ']', length - prefix);
	}
	if (end)
		prefix = MIN((size_t)(end - line) + 2, length);
	if (end && mux_is_shared(mux) && length >= TERMINAL_COLUMNS &&
	    prefix <= PREFIX_MAX)
		log_cut(mux, about, line, prefix, length);
	else
		log_row(mux, about, line, length + 1);
}

void log_pull(struct mux *mux)
{
	char text[LOG_PIECE + 1];
	size_t at = 0, length;
	long n;

	if (!mux->has_log || MUX_LOG - buffer_used(&mux->log) < LOG_ROOM)
		return;
	n = mux->ops->log_read(mux->ctx, text, LOG_PIECE);
	mux->has_log = n > 0;
	if (n <= 0 && mux->log_flush == MUX_FLUSH_RINGS) {
		mux->log_flush = MUX_FLUSH_BUFFER;
		mux->log_flush_head = mux->log.head;
	}
	length = n > 0 ? MIN((size_t)n, LOG_PIECE) : 0;
	if (length && text[length - 1] != '\n')
		text[length++] = '\n';
	tell(mux, MUX_SLOTS, text, length);
	while (at < length) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t line = (size_t)(end - (text + at));

		log_line(mux, text + at, line);
		at += line + 1;
	}
}

bool log_is_flushed(const struct mux *mux)
{
	if (mux->log_flush == MUX_FLUSH_RINGS)
		return false;
	return mux->log_flush == MUX_FLUSH_NONE ||
	       (int32_t)(mux->log.tail - mux->log_flush_head) >= 0;
}

void log_discard(struct mux *mux)
{
	for (unsigned i = 0; mux->has_log && i < MUX_LOG / LOG_PIECE; i++) {
		mux->log.tail = mux->log.head;
		log_pull(mux);
	}
	mux->log.tail = mux->log.head;
}
