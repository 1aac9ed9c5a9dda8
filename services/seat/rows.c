/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows for the terminal: of the log, of a console that is alone, and of those
 * that share.  All go into mux->text, which is empty when one of the functions
 * below is called and has room for what they do in one call.
 */
#include "services/seat/mux_inner.h"

#include "lib/string.h"

#define RAW_MAX 128 /* bytes of one that is alone, at a time */

/* ECMA-48's CAN and ST end any sequence; RIS: as after power-on. */
#define TERMINAL_ABORT "\x18\x1b\\"
#define TERMINAL_RESET \
	"\x1b"         \
	"c"

static void put(struct mux *mux, const char *text, size_t length)
{
	length = MIN(length, sizeof(mux->text) - mux->length);
	if (!length)
		return;
	memcpy(mux->text + mux->length, text, length);
	mux->length += (uint32_t)length;
	mux->is_mid_row = text[length - 1] != '\n';
}

void row_end(struct mux *mux)
{
	if (mux->is_reset_due || mux->raw.escape != ESCAPE_NONE) {
		put(mux, TERMINAL_ABORT, sizeof(TERMINAL_ABORT) - 1);
		mux->raw.escape = ESCAPE_NONE;
	}
	if (mux->is_reset_due) {
		put(mux, TERMINAL_RESET, sizeof(TERMINAL_RESET) - 1);
		mux->is_mid_row = mux->is_reset_due = false;
	}
	if (mux->is_mid_row)
		put(mux, "\r\n", 2);
	if (mux->open)
		terminal_begin_row(&mux->open->terminal);
	mux->open = NULL;
}

/* ---- The log ------------------------------------------------------------ */

void row_log(struct mux *mux)
{
	uint32_t n = 0;
	char byte = 0;

	row_end(mux);
	while (byte != '\n' && n < MUX_LINE_MAX &&
	       mux->log.tail != mux->log.head) {
		byte = mux->log_bytes[mux->log.tail++ % MUX_LOG];
		n++;
		if (byte == '\n')
			put(mux, "\r", 1);
		put(mux, &byte, 1);
	}
}

static void row_notice(struct mux *mux, struct mux_console *console)
{
	struct mux_notice *notice = console->notice;

	row_end(mux);
	for (uint32_t i = 0; i + 1 < notice->length; i++)
		put(mux,
		    notice->text[i] < ' ' || notice->text[i] > '~'
			    ? "?"
			    : &notice->text[i],
		    1);
	put(mux, "\r\n", 2);
	memmove(notice, notice + 1, --console->notice_count * sizeof(*notice));
	console->flush_notices -= console->flush_notices != 0;
	/* What came after it may be read now. */
	console->is_emptied = false;
	console->is_active = true;
}

bool row_is_notice(const struct mux_console *console)
{
	return console->notice_count && !buffer_used(&console->out) &&
	       (console->is_emptied || !source_is_open(console));
}

/* ---- A console that is alone -------------------------------------------- */

static void raw_follow(struct mux *mux, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)bytes[i];

		if (byte >= ' ' && byte <= '~' &&
		    mux->raw.escape == ESCAPE_NONE)
			continue;
		if (terminal_follow(&mux->raw, byte))
			mux->is_touched = true;
	}
}

static void row_raw(struct mux *mux, struct mux_console *console)
{
	uint32_t n = MIN(buffer_used(&console->out), RAW_MAX), start;

	if (mux->open != console)
		row_end(mux);
	mux->open = console;
	start = mux->length;
	for (uint32_t i = 0; i < n; i++) {
		char byte = console->buffer[console->out.tail++ % MUX_BUFFER];

		put(mux, &byte, 1);
		if (byte != '\n')
			continue;
		console->newlines--;
		if (buffer_used(&mux->log))
			break; /* it has waited for this */
	}
	raw_follow(mux, mux->text + start, mux->length - start);
}

/* ---- Consoles that share ------------------------------------------------ */

static void tag_put(struct mux *mux, struct mux_console *console)
{
	put(mux, "[", 1);
	put(mux, console->name, strlen(console->name));
	put(mux, console->is_continued ? "]+" : "] ", 2);
}

static void row_begin(struct mux *mux, struct mux_console *console)
{
	if (mux->open == console)
		return;
	row_end(mux);
	console->is_continued = console->is_mid_line;
	console->is_mid_line = true;
	tag_put(mux, console);
	mux->open = console;
}

static void row_newline(struct mux *mux, struct mux_console *console)
{
	/* What ended with its row already needs no empty one. */
	if (mux->open == console || !console->is_mid_line) {
		row_begin(mux, console);
		row_end(mux);
	}
	console->is_mid_line = false;
}

/* One byte of the console's; false: the turn is over. */
static bool row_add(struct mux *mux, struct mux_console *console,
		    unsigned columns)
{
	uint8_t byte = (uint8_t)console->buffer[console->out.tail % MUX_BUFFER];
	struct terminal_bytes bytes;

	switch (terminal_filter(&console->terminal, byte, columns, &bytes)) {
	case TERMINAL_PUT:
		if (bytes.length) {
			row_begin(mux, console);
			put(mux, bytes.text, bytes.length);
		}
		console->out.tail++;
		return true;
	case TERMINAL_NEWLINE:
		row_newline(mux, console);
		console->newlines--;
		console->out.tail++;
		return false;
	case TERMINAL_FULL:
		row_end(mux);
		return false;
	case TERMINAL_RETURN:
		put(mux, "\r", 1);
		tag_put(mux, console);
		terminal_begin_row(&console->terminal);
		return true;
	}
	return false;
}

/* Plain text, at once; how many bytes. */
static unsigned row_add_plain(struct mux *mux, struct mux_console *console,
			      unsigned columns)
{
	uint32_t at = console->out.tail % MUX_BUFFER;
	unsigned max = terminal_plain_max(&console->terminal, columns);
	unsigned n = 0;

	max = MIN(max, MIN(buffer_used(&console->out), MUX_BUFFER - at));
	while (n < max && console->buffer[at + n] >= ' ' &&
	       console->buffer[at + n] <= '~')
		n++;
	if (!n)
		return 0;
	row_begin(mux, console);
	put(mux, console->buffer + at, n);
	terminal_plain_put(&console->terminal, n);
	console->out.tail += n;
	return n;
}

static void row_shared(struct mux *mux, struct mux_console *console)
{
	unsigned tag = (unsigned)(strlen(console->name) + strlen("[] "));
	unsigned columns = TERMINAL_COLUMNS - 1 - tag, n = 0;

	while (buffer_used(&console->out) && n++ < MUX_TURN_MAX &&
	       mux->length < MUX_TURN_MAX) {
		n += row_add_plain(mux, console, columns);
		if (buffer_used(&console->out) &&
		    !row_add(mux, console, columns))
			return;
	}
}

void row_console(struct mux *mux, struct mux_console *console)
{
	if (row_is_notice(console))
		row_notice(mux, console);
	else if (mux_is_shared(mux))
		row_shared(mux, console);
	else
		row_raw(mux, console);
	if (!buffer_used(&console->out))
		console->is_due = false;
}
