/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a guest's output may reach a terminal that it shares with others,
 * and where its cursor is in the row.
 *
 * The row begins with a tag that is not the guest's.  Of what the guest sends,
 * printable bytes pass, and what moves the cursor only within the text that it
 * wrote itself: backspace, CSI n C and CSI n D, bounded by its columns, and
 * CSI K.  A carriage return leads to just behind the tag.  All other controls
 * and sequences are dropped, strings (OSC, DCS, ...) to their end or the
 * line's; the bytes 80h to 9Fh, controls on an eight-bit terminal, show as "?".
 *
 * A byte above 9Fh may be a column or a part of a character of none, one or
 * two columns, so two bounds are kept instead of a column: the lower limits how
 * far back the cursor may go, the upper how long the row may become.
 *
 * Not modelled: terminals of less than 80 columns.
 *
 * References: ECMA-48 (1991), "Coded representation of control functions";
 * VT220 Programmer Reference Manual, "Control Sequences".
 */
#ifndef BULKHEAD_TERMINAL_H
#define BULKHEAD_TERMINAL_H

#include "include/compiler.h"

#define TERMINAL_COLUMNS 80
#define TERMINAL_PUT_MAX 8

enum terminal_escape {
	ESCAPE_NONE,
	ESCAPE_BEGUN, /* ESC, maybe intermediates */
	ESCAPE_CSI,
	ESCAPE_STRING,
};

struct terminal {
	uint8_t escape;	  /* enum terminal_escape: what the next byte belongs to
			   */
	uint8_t number;	  /* CSI's last parameter */
	bool is_returned; /* after a CR that nothing followed yet */
	/* The guest's own columns left of the cursor: at least, at most. */
	uint8_t column_min, column_max;
};

enum terminal_action {
	TERMINAL_PUT,	  /* these bytes; there may be none */
	TERMINAL_NEWLINE, /* the line ends */
	TERMINAL_FULL,	  /* no room: begin a row, offer the byte again */
	TERMINAL_RETURN,  /* go to just behind the tag, offer the byte again */
};

struct terminal_bytes {
	uint8_t length;
	char text[TERMINAL_PUT_MAX];
};

/* The guest's next byte, in a row that has so many columns for its text. */
enum terminal_action terminal_filter(struct terminal *terminal, uint8_t byte,
				     unsigned columns,
				     struct terminal_bytes *put);

/*
 * A byte that goes out as it is: follows the sequence it may belong to.  True
 * if it may have changed how the terminal shows what comes later.
 */
bool terminal_follow(struct terminal *terminal, uint8_t byte);

/* The cursor is at the beginning of a row, behind the tag. */
static inline void terminal_begin_row(struct terminal *terminal)
{
	terminal->column_min = terminal->column_max = 0;
}

#endif
