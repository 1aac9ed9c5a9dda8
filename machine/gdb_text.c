/* SPDX-License-Identifier: BSD-2-Clause */
/* Text and numbers of the GDB remote protocol. */
#include "machine/gdb_internal.h"

#include "lib/string.h"

#define DIGITS_MAX 20

static const char digits[] = "0123456789abcdef";

void gdb_put_char(struct gdb_text *text, char c)
{
	if (text->skip) {
		text->skip--;
		return;
	}
	if (text->length == text->size) {
		text->has_more = true;
		return;
	}
	text->data[text->length++] = c;
}

void gdb_put(struct gdb_text *text, const char *string)
{
	while (*string)
		gdb_put_char(text, *string++);
}

static void put_base(struct gdb_text *text, uint64_t value, unsigned base)
{
	char buffer[DIGITS_MAX];
	unsigned i = 0;

	do {
		buffer[i++] = digits[value % base];
		value /= base;
	} while (value);
	while (i)
		gdb_put_char(text, buffer[--i]);
}

void gdb_put_number(struct gdb_text *text, uint64_t value)
{
	put_base(text, value, 16);
}

void gdb_put_decimal(struct gdb_text *text, uint64_t value)
{
	put_base(text, value, 10);
}

void gdb_put_bytes(struct gdb_text *text, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++) {
		gdb_put_char(text, digits[bytes[i] >> 4]);
		gdb_put_char(text, digits[bytes[i] & 15]);
	}
}

/* ---- From packets -------------------------------------------------------- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool gdb_get_number(struct gdb_cursor *cursor, uint64_t *value)
{
	const char *at = cursor->at;
	uint64_t number = 0;

	while (at < cursor->end && digit_of(*at) >= 0) {
		if (at - cursor->at == 16)
			return false;
		number = number << 4 | (unsigned)digit_of(*at++);
	}
	if (at == cursor->at)
		return false;
	cursor->at = at;
	*value = number;
	return true;
}

bool gdb_get_bytes(struct gdb_cursor *cursor, void *data, size_t size)
{
	const char *at = cursor->at;
	uint8_t *bytes = data;

	if (gdb_left(cursor) / 2 < size)
		return false;
	for (size_t i = 0; i < size; i++, at += 2) {
		int high = digit_of(at[0]), low = digit_of(at[1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	cursor->at = at;
	return true;
}

bool gdb_get_char(struct gdb_cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

bool gdb_get(struct gdb_cursor *cursor, const char *string)
{
	size_t length = strlen(string);

	if (gdb_left(cursor) < length ||
	    memcmp(cursor->at, string, length) != 0)
		return false;
	cursor->at += length;
	return true;
}
