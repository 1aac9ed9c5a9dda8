/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes and properties of a manifest, by tables of what there may be:
 * init/manifest_reader.h.
 */
#include "init/manifest_reader.h"

#include <libfdt.h>

#include "include/errno.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

#define CELL_SIZE 4

/* "/guests/web: memory-mib: is 1, must be 2 to 523264" */
int manifest_fail(struct manifest_reader *reader, int node,
		  const char *property, const char *format, ...)
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
static void store(void *object, const struct manifest_property *property,
		  uint32_t value)
{
	void *to = (char *)object + property->offset;

	memcpy(to, &value, MIN(property->size, sizeof(value)));
}

static int find_choice(struct manifest_reader *reader, int node,
		       const struct manifest_property *property,
		       const char *text, uint32_t *value)
{
	const struct manifest_choice *choice;
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
			     "is \"%s\", known are: %s%s%s", text, known,
			     property->why ? "; see " : "",
			     property->why ? property->why : "");
}

static int read_string(struct manifest_reader *reader, int node,
		       const struct manifest_property *property,
		       const char *value, int length, void *object)
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

/* "[NAME] " must not look like a time, or like a vCPU of another's: "[web.1] ".
 */
static bool name_is_plain(const char *name)
{
	for (const char *at = name; *at; at++) {
		bool is_letter = (*at >= 'a' && *at <= 'z') ||
				 (*at >= 'A' && *at <= 'Z');

		if (!is_letter && (at == name || ((*at < '0' || *at > '9') &&
						  *at != '-' && *at != '_')))
			return false;
	}
	return *name;
}

static int read_name(struct manifest_reader *reader, int node,
		     const struct manifest_property *property,
		     const char *value, int length, void *object)
{
	int error = read_string(reader, node, property, value, length, object);

	if (!error && !name_is_plain(value))
		return manifest_fail(reader, node, property->name,
				     "must be a letter, then letters, digits, "
				     "- and _");
	return error;
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

static int read_file(struct manifest_reader *reader, int node,
		     const struct manifest_property *property,
		     const char *value, int length, void *object)
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
static int read_files(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const char *value, int length, void *object)
{
	struct manifest_property one = { .name = property->name,
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

static int read_source(struct manifest_reader *reader, int node,
		       const struct manifest_property *property,
		       const char *value, int length, void *object)
{
	const struct manifest_property whole = { .name = property->name,
						 .size = MANIFEST_SOURCE_SIZE };
	char text[MANIFEST_SOURCE_SIZE];
	const char *why;
	int error = read_string(reader, node, &whole, value, length, text);

	if (error)
		return error;
	why = source_parse((void *)((char *)object + property->offset), text);
	return why ? manifest_fail(reader, node, property->name, "%s", why) : 0;
}

static int read_cell(struct manifest_reader *reader, int node,
		     const struct manifest_property *property,
		     const void *value, int length, void *object)
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

static int read_cells(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const void *value, int length, void *object)
{
	uint32_t *to = (void *)((char *)object + property->offset);
	const fdt32_t *cells = value;

	if ((size_t)length != property->size)
		return manifest_fail(reader, node, property->name,
				     "must be %u numbers",
				     (unsigned)(property->size / CELL_SIZE));
	for (size_t i = 0; i < property->size / CELL_SIZE; i++)
		to[i] = fdt32_ld(&cells[i]);
	return 0;
}

static int read_numbers(struct manifest_reader *reader, int node,
			const struct manifest_property *property,
			const void *value, int length, void *object)
{
	uint32_t *to = (void *)((char *)object + property->offset);
	uint32_t most = (uint32_t)(property->size / CELL_SIZE) - 1;
	uint32_t count = (uint32_t)length / CELL_SIZE;
	const fdt32_t *cells = value;

	if (!length || length % CELL_SIZE)
		return manifest_fail(reader, node, property->name,
				     "must be numbers, as in <0 1>");
	if (count > most)
		return manifest_fail(reader, node, property->name,
				     "has %u numbers, at most %u fit", count,
				     most);
	to[0] = count;
	for (uint32_t i = 0; i < count; i++)
		to[i + 1] = fdt32_ld(&cells[i]);
	return 0;
}

static int read_pairs(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const void *value, int length, void *object)
{
	const size_t pair = 2 * (size_t)CELL_SIZE;
	uint32_t *to = (void *)((char *)object + property->offset);
	const fdt32_t *cells = value;

	if (!length || (size_t)length % pair)
		return manifest_fail(reader, node, property->name,
				     "must be pairs of numbers");
	if ((size_t)length > property->size)
		return manifest_fail(reader, node, property->name,
				     "has %u pairs, at most %u fit",
				     (unsigned)((size_t)length / pair),
				     (unsigned)(property->size / pair));
	for (size_t i = 0; i < (size_t)length / CELL_SIZE; i++)
		to[i] = fdt32_ld(&cells[i]);
	return 0;
}

static int read_flag(struct manifest_reader *reader, int node,
		     const struct manifest_property *property, int length,
		     void *object)
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
static int read_words(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const char *value, int length, void *object)
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

static int read_texts(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const char *value, int length, void *object)
{
	if (length < 1 || value[length - 1] != '\0')
		return manifest_fail(reader, node, property->name,
				     "must be a list of strings");
	for (int at = 0; at < length; at += (int)strlen(value + at) + 1)
		if (!value[at])
			return manifest_fail(reader, node, property->name,
					     "must not have an empty string");
	if ((size_t)length >= property->size)
		return manifest_fail(reader, node, property->name,
				     "has %d characters, at most %u fit",
				     length, (unsigned)property->size - 1);
	memcpy((char *)object + property->offset, value, (size_t)length);
	return 0;
}

static int read_property(struct manifest_reader *reader, int node,
			 const struct manifest_property *property,
			 const void *value, int length, void *object)
{
	switch (property->type) {
	case PROPERTY_STRING:
		return read_string(reader, node, property, value, length,
				   object);
	case PROPERTY_NAME:
		return read_name(reader, node, property, value, length, object);
	case PROPERTY_CELL:
		return read_cell(reader, node, property, value, length, object);
	case PROPERTY_CELLS:
		return read_cells(reader, node, property, value, length,
				  object);
	case PROPERTY_NUMBERS:
		return read_numbers(reader, node, property, value, length,
				    object);
	case PROPERTY_PAIRS:
		return read_pairs(reader, node, property, value, length,
				  object);
	case PROPERTY_FILE:
		return read_file(reader, node, property, value, length, object);
	case PROPERTY_FILES:
		return read_files(reader, node, property, value, length,
				  object);
	case PROPERTY_SOURCE:
		return read_source(reader, node, property, value, length,
				   object);
	case PROPERTY_TEXTS:
		return read_texts(reader, node, property, value, length,
				  object);
	case PROPERTY_WORDS:
		return read_words(reader, node, property, value, length,
				  object);
	case PROPERTY_FLAG:
		return read_flag(reader, node, property, length, object);
	}
	return -EINVAL;
}

static const struct manifest_property *
property_find(const struct manifest_property *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/* Reads all properties of a node, and finds the missing and the unknown. */
int manifest_read_node(struct manifest_reader *reader, int node,
		       const struct manifest_property *table, void *object)
{
	const struct manifest_property *property;
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

int manifest_child(const struct manifest_reader *reader, int node,
		   const char *name)
{
	return fdt_subnode_offset(reader->blob, node, name);
}

int manifest_check_leaf(struct manifest_reader *reader, int node)
{
	int child = fdt_first_subnode(reader->blob, node);

	return child < 0 ? 0
			 : manifest_fail(reader, child, NULL,
					 "no such node here");
}

int manifest_each_child(struct manifest_reader *reader, int node,
			int (*read)(struct manifest_reader *reader, int child))
{
	int child, error;

	fdt_for_each_subnode (child, reader->blob, node) {
		error = read(reader, child);
		if (error)
			return error;
	}
	return 0;
}

bool manifest_has(const struct manifest_reader *reader, int node,
		  const char *property)
{
	return fdt_getprop(reader->blob, node, property, NULL);
}

/* The node's name goes into names in logs and on the console. */
int manifest_read_name(struct manifest_reader *reader, int node, char *to)
{
	const char *name = fdt_get_name(reader->blob, node, NULL);

	if (!name || strlen(name) >= MANIFEST_NAME_SIZE)
		return manifest_fail(reader, node, NULL,
				     "its name has more than %d characters",
				     MANIFEST_NAME_SIZE - 1);
	if (!name_is_plain(name))
		return manifest_fail(
			reader, node, NULL,
			"its name must be a letter, then letters, digits, "
			"- and _");
	memcpy(to, name, strlen(name) + 1);
	return 0;
}
