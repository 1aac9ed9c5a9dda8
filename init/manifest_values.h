/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The properties of a manifest's nodes: each node has a table of those that it
 * may have, with type and bounds.  What the table does not list is refused, so
 * that a misspelt property is an error and not a surprise.  The first error
 * wins and names node, property and reason.
 */
#ifndef BULKHEAD_INIT_MANIFEST_VALUES_H
#define BULKHEAD_INIT_MANIFEST_VALUES_H

#include "include/manifest.h"

enum property_type {
	PROPERTY_STRING,
	PROPERTY_FILE,
	PROPERTY_FILES,
	PROPERTY_SOURCE,
	PROPERTY_FLAG,
	PROPERTY_WORDS,
	PROPERTY_CELL
};

struct choice {
	const char *text;
	uint32_t value;
};

struct property {
	const char *name;
	enum property_type type;
	bool is_required;
	/* Where the value goes; strings to char[size], FILES to an array of
	 * char[MANIFEST_FILE_SIZE], the rest to integers. */
	size_t offset;
	size_t size;
	uint32_t min, max; /* PROPERTY_CELL */
	/* PROPERTY_STRING: by name only; PROPERTY_WORDS: bits of a word. */
	const struct choice *choices;
	uint32_t flag; /* PROPERTY_FLAG: this bit of a word */
};

/* Where reading goes on, and what the first error was. */
struct reader {
	const void *blob;
	struct manifest *manifest;
	char *error;
	size_t error_size;
};

#define FIELD(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* "/guests/web: memory-mib: is 1, must be 2 to 1048576".  -EINVAL. */
int manifest_fail(struct reader *reader, int node, const char *property,
		  const char *format, ...) __printf(4, 5);

/* Reads all properties of a node, and finds the missing and the unknown. */
int __must_check manifest_read_node(struct reader *reader, int node,
				    const struct property *table, void *object);

#endif
