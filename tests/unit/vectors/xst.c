/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of single-step vector files.
 *
 * References: tests/vectors/FORMAT.md.
 */
#include "tests/unit/vectors/xst.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define RECORD_FIXED 16
#define READ_CHUNK   (1U << 20)

static int read_all(struct xst_file *file, gzFile in)
{
	size_t room = 0;

	for (;;) {
		int n;

		if (file->size == room) {
			uint8_t *more = realloc(file->bytes, room + READ_CHUNK);

			if (!more)
				return -1;
			file->bytes = more;
			room += READ_CHUNK;
		}
		n = gzread(in, file->bytes + file->size,
			   (unsigned)(room - file->size));
		if (n <= 0)
			return n;
		file->size += (size_t)n;
	}
}

int xst_open(struct xst_file *file, const char *path)
{
	gzFile in = gzopen(path, "rb");
	int rc;

	memset(file, 0, sizeof(*file));
	if (!in)
		return -1;
	rc = read_all(file, in);
	gzclose(in);
	if (rc || file->size < sizeof(file->header) ||
	    memcmp(file->bytes, "XST1", 4)) {
		xst_close(file);
		return -1;
	}
	memcpy(&file->header, file->bytes, sizeof(file->header));
	file->at = sizeof(file->header);
	return 0;
}

void xst_close(struct xst_file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

/* A cursor over one record that never leaves it. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool is_short;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->at;
	static const uint8_t none[256];

	if ((size_t)(c->end - at) < n || n > sizeof(none)) {
		c->is_short = true;
		return none;
	}
	c->at += n;
	return at;
}

static uint64_t number(struct cursor *c, size_t n)
{
	uint64_t value = 0;

	memcpy(&value, take(c, n), n);
	return value;
}

static unsigned runs(struct cursor *c, struct xst_run *run)
{
	unsigned count = (unsigned)number(c, 1);

	for (unsigned i = 0; i < count; i++) {
		run[i].address = (uint32_t)number(c, 4);
		run[i].length = (uint8_t)number(c, 1);
		run[i].bytes = take(c, run[i].length);
		if (run[i].address + run[i].length > XST_MEMORY)
			c->is_short = true;
	}
	return count;
}

int xst_next(struct xst_file *file, struct xst_case *c)
{
	unsigned size = file->header.register_size;
	unsigned count = file->header.register_count;
	struct cursor in = { file->bytes + file->at, file->bytes + file->size,
			     false };
	uint64_t changed, length;

	if (file->at == file->size)
		return 0;
	length = number(&in, 2);
	if (count > XST_REGISTERS || length > file->size - file->at)
		return -1;
	in.end = file->bytes + file->at + length;
	c->vector = (uint8_t)number(&in, 1);
	c->insn_length = (uint8_t)number(&in, 1);
	c->id = (uint32_t)number(&in, 4);
	c->flag_mask = (uint32_t)number(&in, 4);
	c->flags_address = (uint32_t)number(&in, 4);
	c->insn = take(&in, c->insn_length);
	for (unsigned i = 0; i < count; i++)
		c->before[i] = c->after[i] = number(&in, size);
	changed = number(&in, 8);
	for (unsigned i = 0; i < count; i++)
		if (changed >> i & 1)
			c->after[i] = number(&in, size);
	c->before_count = runs(&in, c->ram_before);
	c->after_count = runs(&in, c->ram_after);
	file->at += length;
	return in.is_short || in.at != in.end ? -1 : 1;
}
