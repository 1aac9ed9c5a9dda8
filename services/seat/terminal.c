/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter of services/seat/terminal.h: a byte in, an action out, no state
 * elsewhere.
 */
#include "services/seat/terminal.h"

#define ASCII_BEL 0x07
#define ASCII_CAN 0x18
#define ASCII_SUB 0x1a
#define ASCII_ESC 0x1b
#define ASCII_DEL 0x7f
#define C1_FIRST  0x80
#define C1_LAST	  0x9f

#define TAB_WIDTH  8
#define NUMBER_MAX 99 /* more columns than a row has, two digits */

/* The byte after ESC; intermediates (20h to 2Fh) are waited through. */
static void escape_begun(struct terminal *terminal, uint8_t byte)
{
	switch (byte) {
	case '[':
		terminal->escape = ESCAPE_CSI;
		terminal->number = 0;
		break;
	case ']': /* OSC */
	case 'P': /* DCS */
	case 'X': /* SOS */
	case '^': /* PM */
	case '_': /* APC */
		terminal->escape = ESCAPE_STRING;
		break;
	default:
		if (byte >= '0')
			terminal->escape = ESCAPE_NONE;
	}
}

/* Of several numbers only the last is of use, as all that passes takes one. */
static void escape_csi(struct terminal *terminal, uint8_t byte)
{
	if (byte >= '@')
		terminal->escape = ESCAPE_NONE;
	else if (byte >= '0' && byte <= '9')
		terminal->number = (uint8_t)MIN(
			terminal->number * 10 + byte - '0', NUMBER_MAX);
	else
		terminal->number = 0;
}

/* A byte of a sequence, no control but BEL, which ends a string. */
static void escape_step(struct terminal *terminal, uint8_t byte)
{
	if (terminal->escape == ESCAPE_BEGUN)
		escape_begun(terminal, byte);
	else if (terminal->escape == ESCAPE_CSI)
		escape_csi(terminal, byte);
	else if (byte == ASCII_BEL)
		terminal->escape = ESCAPE_NONE;
}

bool terminal_follow(struct terminal *terminal, uint8_t byte)
{
	if (byte == ASCII_ESC)
		terminal->escape = ESCAPE_BEGUN;
	else if (byte == ASCII_CAN || byte == ASCII_SUB)
		terminal->escape = ESCAPE_NONE;
	else if (terminal->escape != ESCAPE_NONE &&
		 (byte >= ' ' || byte == ASCII_BEL))
		escape_step(terminal, byte);
	else
		/* Of the controls, BEL to CR (07h to 0Dh) leave nothing. */
		return byte < ASCII_BEL || (byte > '\r' && byte < ' ') ||
		       (byte >= ASCII_DEL && byte <= C1_LAST);
	return true;
}

static void put_byte(struct terminal_bytes *put, char byte)
{
	put->text[put->length++] = byte;
}

static void put_sequence(struct terminal_bytes *put, unsigned number,
			 char final)
{
	put_byte(put, ASCII_ESC);
	put_byte(put, '[');
	if (number >= 10)
		put_byte(put, (char)('0' + number / 10));
	if (number)
		put_byte(put, (char)('0' + number % 10));
	put_byte(put, final);
}

static void sequence_end(struct terminal *terminal, uint8_t final,
			 unsigned columns, struct terminal_bytes *put)
{
	unsigned n = MAX(terminal->number, 1);

	if ((final == 'K' || final == 'J') && !terminal->number) {
		put_sequence(put, 0, 'K');
	} else if (final == 'C') {
		n = MIN(n, columns - MIN(columns, terminal->column_max));
		terminal->column_min += (uint8_t)n;
		terminal->column_max += (uint8_t)n;
	} else if (final == 'D') {
		n = MIN(n, terminal->column_min);
		terminal->column_min -= (uint8_t)n;
		terminal->column_max -= (uint8_t)n;
	} else {
		return;
	}
	if (n && (final == 'C' || final == 'D'))
		put_sequence(put, n, (char) final);
}

/* Whether the byte was one of a sequence. */
static bool filter_escape(struct terminal *terminal, uint8_t byte,
			  unsigned columns, struct terminal_bytes *put)
{
	bool is_csi = terminal->escape == ESCAPE_CSI;

	if (byte < ' ' && byte != ASCII_BEL) {
		terminal->escape = ESCAPE_NONE;
		return false;
	}
	escape_step(terminal, byte);
	if (is_csi && terminal->escape == ESCAPE_NONE)
		sequence_end(terminal, byte, columns, put);
	return true;
}

static void filter_control(struct terminal *terminal, uint8_t byte,
			   struct terminal_bytes *put)
{
	if (byte == ASCII_ESC) {
		terminal->escape = ESCAPE_BEGUN;
	} else if (byte == '\b' && terminal->column_min) {
		terminal->column_min--;
		terminal->column_max--;
		put_byte(put, '\b');
	}
}

static enum terminal_action filter_text(struct terminal *terminal, uint8_t byte,
					unsigned columns,
					struct terminal_bytes *put)
{
	unsigned n = 1;

	if (terminal->column_max >= columns)
		return TERMINAL_FULL;
	if (byte == '\t') {
		n = TAB_WIDTH - terminal->column_max % TAB_WIDTH;
		n = MIN(n, columns - terminal->column_max);
		byte = ' ';
	} else if (byte >= C1_FIRST && byte <= C1_LAST) {
		byte = '?';
	}
	for (unsigned i = 0; i < n; i++)
		put_byte(put, (char)byte);
	terminal->column_max += (uint8_t)n;
	if (byte < ASCII_DEL)
		terminal->column_min += (uint8_t)n;
	return TERMINAL_PUT;
}

enum terminal_action terminal_filter(struct terminal *terminal, uint8_t byte,
				     unsigned columns,
				     struct terminal_bytes *put)
{
	put->length = 0;
	if (terminal->escape != ESCAPE_NONE &&
	    filter_escape(terminal, byte, columns, put))
		return TERMINAL_PUT;
	if (byte == '\n') {
		terminal->is_returned = false;
		return TERMINAL_NEWLINE;
	}
	if (byte == '\r') {
		terminal->is_returned = true;
		return TERMINAL_PUT;
	}
	if (terminal->is_returned) {
		terminal->is_returned = false;
		if (terminal->column_max)
			return TERMINAL_RETURN;
	}
	if ((byte < ' ' && byte != '\t') || byte == ASCII_DEL) {
		filter_control(terminal, byte, put);
		return TERMINAL_PUT;
	}
	return filter_text(terminal, byte, columns, put);
}
