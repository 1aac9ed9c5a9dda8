/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the mux have of one another: sources.c, rings and log into
 * buffers; rows.c, buffers into rows; mux.c, turns, UART, consoles.
 */
#ifndef BULKHEAD_SERVICES_SEAT_MUX_INNER_H
#define BULKHEAD_SERVICES_SEAT_MUX_INNER_H

#include "services/seat/mux.h"

static inline uint32_t buffer_used(const struct mux_buffer *buffer)
{
	return buffer->head - buffer->tail;
}

static inline bool mux_is_shared(const struct mux *mux)
{
	return mux->count > 1;
}

/* Its rings can be read at all. */
static inline bool source_is_open(const struct mux_console *console)
{
	if (console->state == MUX_BROKEN)
		return false;
	for (unsigned i = 0; i < MUX_SOURCES; i++)
		if (console->in[i].is_broken)
			return false;
	return true;
}

/* ---- sources.c ---------------------------------------------------------- */

/* Fills the console's buffer from its rings. */
void source_pull(struct mux *mux, struct mux_console *console);
/* Asks for a doorbell; false: there is more already. */
bool source_sleep(struct mux_console *console);
/* Its rings and its buffer are empty. */
bool source_is_empty(const struct mux_console *console);
/* What was read of it ends with a newline, or nothing was. */
bool source_is_at_line_end(const struct mux_console *console);
/* Takes all and forgets it. */
void source_discard(struct mux *mux, struct mux_console *console);
void source_flush(struct mux_console *console);
bool source_is_flushed(struct mux_console *console);
/* The peer of one of its rings has lied. */
void source_break(struct mux *mux, struct mux_console *console);
/* Lines of the monitor's log, as far as there is room for them. */
void log_pull(struct mux *mux);
/* What it had at the last flush is shown. */
bool log_is_flushed(const struct mux *mux);
/* Takes all of it and forgets it. */
void log_discard(struct mux *mux);

/* ---- rows.c ------------------------------------------------------------- */

/* Leaves the row that the cursor is in, and what a console alone made of the
 * terminal. */
void row_end(struct mux *mux);
/* A notice is due: all that was written before it is shown. */
bool row_is_notice(const struct mux_console *console);
/* A line of the log. */
void row_log(struct mux *mux);
/* A row, or a piece of one, of the console's. */
void row_console(struct mux *mux, struct mux_console *console);

#endif
