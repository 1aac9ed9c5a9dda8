/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files that read a manifest share: manifest.c has the reader and the
 * host's and the guests' nodes, manifest_disk.c those of disks, manifest_item.c
 * those of files in fw_cfg.
 */
#ifndef BULKHEAD_INIT_MANIFEST_READER_H
#define BULKHEAD_INIT_MANIFEST_READER_H

#include "include/manifest.h"

enum manifest_property_type {
	PROPERTY_STRING,
	PROPERTY_FILE,
	PROPERTY_FILES,
	PROPERTY_SOURCE,
	PROPERTY_FLAG,
	PROPERTY_WORDS,
	PROPERTY_CELL
};

struct manifest_choice {
	const char *text;
	uint32_t value;
};

struct manifest_property {
	const char *name;
	enum manifest_property_type type;
	bool is_required;
	/* Where the value goes; strings to char[size], FILES to an array of
	 * char[MANIFEST_FILE_SIZE], the rest to integers. */
	size_t offset;
	size_t size;
	uint32_t min, max; /* PROPERTY_CELL */
	/* PROPERTY_STRING: by name only; PROPERTY_WORDS: bits of a word. */
	const struct manifest_choice *choices;
	uint32_t flag; /* PROPERTY_FLAG: this bit of a word */
};

/* Where reading goes on, and what the first error was. */
struct manifest_reader {
	const void *blob;
	struct manifest *manifest;
	char *error;
	size_t error_size;
};

#define FIELD(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* "/guests/web: memory-mib: is 1, must be 2 to 1048576"; -EINVAL. */
int manifest_fail(struct manifest_reader *reader, int node,
		  const char *property, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Reads all properties of a node, and finds the missing and the unknown. */
int __must_check manifest_read_node(struct manifest_reader *reader, int node,
				    const struct manifest_property *table,
				    void *object);
/* Whether the node says anything of it. */
bool manifest_has(const struct manifest_reader *reader, int node,
		  const char *property);
/* The node's name, into MANIFEST_NAME_SIZE bytes. */
int __must_check manifest_read_name(struct manifest_reader *reader, int node,
				    char *to);
/* "disk3" is a "disk" that is numbered. */
bool manifest_is_numbered(const char *name, const char *kind);
/* A child of a guest's node. */
int __must_check manifest_read_disk(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);
/* One that is called fw-cfg0 to fw-cfg9. */
int __must_check manifest_read_item(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);

#endif
