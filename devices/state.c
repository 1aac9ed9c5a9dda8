/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States by their tables: reset, save, load.  See state.h.
 *
 * A struct in an image is the number of its fields, then each: its name, the
 * bytes of an element (STRUCT_ELEMENT: a struct), the number of elements, the
 * elements.  A reader follows its own table, never the image: how deep it goes
 * and how much it writes does not depend on what it reads.
 */
#include "devices/state.h"

#include "devices/clear.h"
#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define STRUCT_ELEMENT 0

/* ---- Elements ---------------------------------------------------------- */

static uint64_t element_get(const struct state_field *field, const void *at)
{
	unsigned unused = 64 - 8 * field->size;
	uint64_t value = 0;

	memcpy(&value, at, field->size);
	if (field->kind == STATE_SIGNED)
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	return value;
}

static void element_set(const struct state_field *field, void *at,
			uint64_t value)
{
	memcpy(at, &value, field->size);
}

static bool is_in_range(const struct state_field *field, uint64_t value)
{
	if (field->kind == STATE_BOOL)
		return value <= 1;
	if (!field->max)
		return true;
	if (field->kind == STATE_SIGNED)
		return (int64_t)value >= (int64_t)field->min &&
		       (int64_t)value <= (int64_t)field->max;
	return value >= field->min && value <= field->max;
}

/* ---- Reset ------------------------------------------------------------- */

static void field_reset(const struct state_field *field, uint8_t *at,
			enum state_reset kind)
{
	uint32_t i;

	if ((field->flags & STATE_KEPT) && kind == STATE_RESET_WARM)
		return;
	if (field->kind != STATE_NESTED && !field->reset) {
		memory_clear(at, (size_t)field->size * field->count);
		return;
	}
	for (i = 0; i < field->count; i++, at += field->size) {
		if (field->kind == STATE_NESTED)
			state_reset(field->nested, at, kind);
		else
			element_set(field, at, field->reset);
	}
}

void state_reset(const struct state_description *description, void *state,
		 enum state_reset kind)
{
	uint32_t i;

	for (i = 0; i < description->field_count; i++) {
		const struct state_field *field = &description->field[i];

		field_reset(field, (uint8_t *)state + field->offset, kind);
	}
}

/* ---- Writing ----------------------------------------------------------- */

static void write_bytes(struct state_writer *writer, const void *from,
			size_t length)
{
	if (writer->length <= writer->size &&
	    length <= writer->size - writer->length && length)
		memcpy(writer->to + writer->length, from, length);
	writer->length += length;
}

void state_write_integer(struct state_writer *writer, uint64_t value,
			 unsigned size)
{
	for (; size; size--, value >>= 8) {
		if (writer->length < writer->size)
			writer->to[writer->length] = (uint8_t)value;
		writer->length++;
	}
}

void state_write_text(struct state_writer *writer, const char *text)
{
	size_t length = strlen(text);

	state_write_integer(writer, length, 1);
	write_bytes(writer, text, length);
}

static void field_save(const struct state_field *field, const uint8_t *at,
		       struct state_writer *writer)
{
	bool is_nested = field->kind == STATE_NESTED;
	uint32_t i;

	state_write_text(writer, field->name);
	state_write_integer(writer, is_nested ? STRUCT_ELEMENT : field->size,
			    1);
	state_write_integer(writer, field->count, 4);
	if (!is_nested) {
		write_bytes(writer, at, (size_t)field->size * field->count);
		return;
	}
	for (i = 0; i < field->count; i++)
		state_save(field->nested, at + (size_t)i * field->size, writer);
}

static uint32_t saved_fields(const struct state_description *description)
{
	uint32_t i, count = 0;

	for (i = 0; i < description->field_count; i++)
		count += description->field[i].kind != STATE_PAD;
	return count;
}

void state_save(const struct state_description *description, const void *state,
		struct state_writer *writer)
{
	uint32_t i;

	state_write_integer(writer, saved_fields(description), 2);
	for (i = 0; i < description->field_count; i++) {
		const struct state_field *field = &description->field[i];

		if (field->kind != STATE_PAD)
			field_save(field,
				   (const uint8_t *)state + field->offset,
				   writer);
	}
}

/* ---- Reading ----------------------------------------------------------- */

void state_reader_fail(struct state_reader *reader, const char *format, ...)
{
	va_list args;

	if (reader->has_failed)
		return;
	reader->has_failed = true;
	reader->left = 0;
	va_start(args, format);
	(void)vsnprintf(reader->why, reader->why_size, format, args);
	va_end(args);
}

/* The next bytes, or NULL. */
static const uint8_t *read_bytes(struct state_reader *reader, size_t length)
{
	const uint8_t *at = reader->at;

	if (length > reader->left) {
		state_reader_fail(reader, "the image ends too early");
		return NULL;
	}
	reader->at += length;
	reader->left -= length;
	return at;
}

uint64_t state_read_integer(struct state_reader *reader, unsigned size)
{
	const uint8_t *at = read_bytes(reader, size);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

void state_read_expected(struct state_reader *reader, const char *what,
			 const char *text)
{
	size_t length = (size_t)state_read_integer(reader, 1);
	const uint8_t *at = read_bytes(reader, length);

	if (!at || (length == strlen(text) && !memcmp(at, text, length)))
		return;
	state_reader_fail(reader, "%s %.*s where %s is expected", what,
			  (int)length, (const char *)at, text);
}

/* Its elements are next. */
static void field_head_load(const struct state_field *field,
			    struct state_reader *reader)
{
	uint32_t size =
		field->kind == STATE_NESTED ? STRUCT_ELEMENT : field->size;
	uint64_t found;

	state_read_expected(reader, "field", field->name);
	found = state_read_integer(reader, 1);
	if (found != size)
		state_reader_fail(reader, "field %s: width %lu instead of %u",
				  field->name, found, size);
	found = state_read_integer(reader, 4);
	if (found != field->count)
		state_reader_fail(reader,
				  "field %s: %lu elements instead of %u",
				  field->name, found, field->count);
}

static void field_load(const struct state_field *field, uint8_t *at,
		       struct state_reader *reader)
{
	uint32_t i;

	field_head_load(field, reader);
	if (field->kind == STATE_UNSIGNED && field->size == 1 && !field->max) {
		const uint8_t *from = read_bytes(reader, field->count);

		if (from)
			memcpy(at, from, field->count);
		return;
	}
	for (i = 0; i < field->count && !reader->has_failed; i++) {
		uint64_t value;

		if (field->kind == STATE_NESTED) {
			if (state_load(field->nested, at, reader))
				return;
		} else {
			value = state_read_integer(reader, field->size);
			element_set(field, at, value);
			value = element_get(field, at);
			if (!is_in_range(field, value))
				state_reader_fail(
					reader, "field %s: %lu is out of range",
					field->name, value);
		}
		at += field->size;
	}
}

int state_load(const struct state_description *description, void *state,
	       struct state_reader *reader)
{
	uint64_t found = state_read_integer(reader, 2);
	uint32_t i;

	if (found != saved_fields(description))
		state_reader_fail(reader, "%s: %lu fields instead of %u",
				  description->name, found,
				  saved_fields(description));
	for (i = 0; i < description->field_count && !reader->has_failed; i++) {
		const struct state_field *field = &description->field[i];

		if (field->kind != STATE_PAD)
			field_load(field, (uint8_t *)state + field->offset,
				   reader);
	}
	return reader->has_failed ? -EINVAL : 0;
}

/* ---- Checks ------------------------------------------------------------ */

static bool fits(const struct state_field *field, uint64_t value)
{
	uint8_t bytes[8];

	element_set(field, bytes, value);
	return element_get(field, bytes) == value;
}

/* Why the field is none, or NULL. */
static const char *field_complaint(const struct state_field *field, char *why,
				   size_t why_size)
{
	if (!field->count || !field->size)
		return "is empty";
	if (strlen(field->name) > UINT8_MAX)
		return "has too long a name";
	if (field->kind == STATE_PAD)
		return NULL;
	if (field->kind == STATE_NESTED) {
		if (!field->nested || field->nested->size != field->size)
			return "has the description of another struct";
		if (field->reset || field->max || field->min)
			return "is a struct with a value";
		return state_check(field->nested, why, why_size) ? why : NULL;
	}
	if (!fits(field, field->reset) || !fits(field, field->min) ||
	    !fits(field, field->max))
		return "has a value that does not fit";
	if (field->min && !field->max)
		return "has a lower limit alone";
	if (!is_in_range(field, field->reset))
		return "is reset to a value out of range";
	return NULL;
}

int state_check(const struct state_description *description, char *why,
		size_t why_size)
{
	uint32_t end = 0;
	uint32_t i;

	for (i = 0; i < description->field_count; i++) {
		const struct state_field *field = &description->field[i];
		const char *complaint;

		if (field->offset != end) {
			(void)snprintf(why, why_size,
				       "%s: bytes %u to %u before %s",
				       description->name, end, field->offset,
				       field->name);
			return -EINVAL;
		}
		complaint = field_complaint(field, why, why_size);
		if (complaint == why)
			return -EINVAL;
		if (complaint) {
			(void)snprintf(why, why_size, "%s: %s %s",
				       description->name, field->name,
				       complaint);
			return -EINVAL;
		}
		end += field->size * field->count;
	}
	if (end == description->size)
		return 0;
	(void)snprintf(why, why_size, "%s: bytes %u to %u in no field",
		       description->name, end, description->size);
	return -EINVAL;
}
