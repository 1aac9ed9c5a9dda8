/* SPDX-License-Identifier: BSD-2-Clause */
/* See manifest_values.h. */
#include "init/manifest_values.h"

#include <libfdt.h>

#include "include/errno.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

#define CELL_SIZE 4

int manifest_fail(struct reader *reader, int node, const char *property,
		  const char *format, ...)
{
	char path[96] = "?";
	va_list args;
	int used;

	(void)fdt_get_path(reader->blob, node, path, sizeof(path));
	used = snprintf(reader->error, reader->error_size, "%s: %s%s", path,
			property ? property : "", property ? ": " : "");
	if (used < 0 || (size_t)used >= reader->error_size)
		return -EINVAL;
	va_start(args, format);
	(void)vsnprintf(reader->error + used, reader->error_size - (size_t)used,
			format, args);
	va_end(args);
	return -EINVAL;
}

/* The destination's width follows the member's. */
static void store(void *object, const struct property *property, uint32_t value)
{
	void *to = (char *)object + property->offset;

	if (property->size == sizeof(uint8_t))
		*(uint8_t *)to = (uint8_t)value;
	else
		memcpy(to, &value, sizeof(value));
}

static int find_choice(struct reader *reader, int node,
		       const struct property *property, const char *text,
		       uint32_t *value)
{
	const struct choice *choice;
	char known[96] = "";
	size_t used = 0;

	for (choice = property->choices; choice->text; choice++) {
		if (strcmp(choice->text, text) == 0) {
			*value = choice->value;
			return 0;
		}
		if (used < sizeof(known))
			used += (size_t)snprintf(
				known + used, sizeof(known) - used, "%s%s",
				used ? ", " : "", choice->text);
	}
	return manifest_fail(reader, node, property->name,
			     "is \"%s\", known are: %s", text, known);
}

static int read_string(struct reader *reader, int node,
		       const struct property *property, const char *value,
		       int length, void *object)
{
	uint32_t choice = 0;
	int error;

	if (length < 1 ||
	    memchr(value, '\0', (size_t)length) != value + length - 1)
		return manifest_fail(reader, node, property->name,
				     "must be one string");
	if (property->choices) {
		error = find_choice(reader, node, property, value, &choice);
		if (!error)
			store(object, property, choice);
		return error;
	}
	if (!property->size)
		return 0;
	if (length == 1)
		return manifest_fail(reader, node, property->name,
				     "must not be empty");
	if ((size_t)length > property->size)
		return manifest_fail(reader, node, property->name,
				     "has %d characters, at most %u fit",
				     length - 1, (unsigned)property->size - 1);
	memcpy((char *)object + property->offset, value, (size_t)length);
	return 0;
}

/*
 * Boot loaders cut folders off a module's name, end it at a space, and put
 * backslashes before what a shell would quote.
 */
static bool is_file_name(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f ||
		    strchr("/\\\"'", *text))
			return false;
	return true;
}

static int read_file(struct reader *reader, int node,
		     const struct property *property, const char *value,
		     int length, void *object)
{
	int error = read_string(reader, node, property, value, length, object);

	if (!error && !is_file_name(value))
		return manifest_fail(
			reader, node, property->name,
			"must be a file's name, without folders, spaces, "
			"quotes and backslashes");
	return error;
}

/* The array is empty so far: what is not written ends it. */
static int read_files(struct reader *reader, int node,
		      const struct property *property, const char *value,
		      int length, void *object)
{
	struct property one = { .name = property->name,
				.offset = property->offset,
				.size = MANIFEST_FILE_SIZE };
	size_t left = property->size / MANIFEST_FILE_SIZE;
	int error = 0;

	if (length < 1 || value[length - 1] != '\0')
		return manifest_fail(reader, node, property->name,
				     "must be a list of strings");
	for (int at = 0; !error && at < length; left--) {
		int size = (int)strlen(value + at) + 1;

		if (!left)
			return manifest_fail(reader, node, property->name,
					     "has more than %u files",
					     (unsigned)(property->size /
							MANIFEST_FILE_SIZE));
		error = read_file(reader, node, &one, value + at, size, object);
		one.offset += one.size;
		at += size;
	}
	return error;
}

static int read_source(struct reader *reader, int node,
		       const struct property *property, const char *value,
		       int length, void *object)
{
	const struct property whole = { .name = property->name,
					.size = MANIFEST_SOURCE_SIZE };
	char text[MANIFEST_SOURCE_SIZE];
	const char *why;
	int error = read_string(reader, node, &whole, value, length, text);

	if (error)
		return error;
	why = source_parse((void *)((char *)object + property->offset), text);
	return why ? manifest_fail(reader, node, property->name, "%s", why) : 0;
}

static int read_cell(struct reader *reader, int node,
		     const struct property *property, const void *value,
		     int length, void *object)
{
	fdt32_t cell;
	uint32_t number;

	if (length != CELL_SIZE)
		return manifest_fail(reader, node, property->name,
				     "must be one number, as in <1>");
	memcpy(&cell, value, sizeof(cell));
	number = fdt32_to_cpu(cell);
	if (number < property->min || number > property->max)
		return manifest_fail(reader, node, property->name,
				     "is %u, must be %u to %u", number,
				     property->min, property->max);
	store(object, property, number);
	return 0;
}

static int read_flag(struct reader *reader, int node,
		     const struct property *property, int length, void *object)
{
	uint32_t word = 0;

	if (length)
		return manifest_fail(reader, node, property->name,
				     "is a flag and takes no value");
	memcpy(&word, (char *)object + property->offset, property->size);
	store(object, property, word | property->flag);
	return 0;
}

/* None at all is a list, too. */
static int read_words(struct reader *reader, int node,
		      const struct property *property, const char *value,
		      int length, void *object)
{
	uint32_t word = 0, bit = 0;
	int at = 0, error;

	if (length && value[length - 1] != '\0')
		return manifest_fail(reader, node, property->name,
				     "must be a list of strings");
	while (at < length) {
		error = find_choice(reader, node, property, value + at, &bit);
		if (error)
			return error;
		word |= bit;
		at += (int)strlen(value + at) + 1;
	}
	store(object, property, word);
	return 0;
}

static int read_property(struct reader *reader, int node,
			 const struct property *property, const void *value,
			 int length, void *object)
{
	switch (property->type) {
	case PROPERTY_STRING:
		return read_string(reader, node, property, value, length,
				   object);
	case PROPERTY_CELL:
		return read_cell(reader, node, property, value, length, object);
	case PROPERTY_FILE:
		return read_file(reader, node, property, value, length, object);
	case PROPERTY_FILES:
		return read_files(reader, node, property, value, length,
				  object);
	case PROPERTY_SOURCE:
		return read_source(reader, node, property, value, length,
				   object);
	case PROPERTY_WORDS:
		return read_words(reader, node, property, value, length,
				  object);
	case PROPERTY_FLAG:
		return read_flag(reader, node, property, length, object);
	}
	return -EINVAL;
}

static const struct property *property_find(const struct property *table,
					    const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

int manifest_read_node(struct reader *reader, int node,
		       const struct property *table, void *object)
{
	const struct property *property;
	const char *name;
	const void *value;
	int at, length, error;

	fdt_for_each_property_offset(at, reader->blob, node)
	{
		value = fdt_getprop_by_offset(reader->blob, at, &name, &length);
		if (!value)
			return manifest_fail(reader, node, NULL,
					     "cannot be read");
		property = property_find(table, name);
		if (!property)
			return manifest_fail(reader, node, name,
					     "no such property here");
		error = read_property(reader, node, property, value, length,
				      object);
		if (error)
			return error;
	}
	for (property = table; property->name; property++)
		if (property->is_required &&
		    !fdt_getprop(reader->blob, node, property->name, NULL))
			return manifest_fail(reader, node, property->name,
					     "is missing");
	return 0;
}
