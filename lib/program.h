/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program as a file: a static ELF64 executable, read and checked.
 */
#ifndef BULKHEAD_LIB_PROGRAM_H
#define BULKHEAD_LIB_PROGRAM_H

#include "include/compiler.h"

#define PROGRAM_PARTS_MAX 8

/* One segment to load: pages of [va, va + size), in ascending order. */
struct program_part {
	uint64_t va; /* page-aligned */
	uint64_t size;
	uint64_t offset; /* in the file; zeroes follow the first file_size */
	uint64_t file_size;
	bool is_writable;
	bool is_executable; /* never both */
};

struct program {
	uint64_t entry; /* in an executable part */
	unsigned part_count;
	struct program_part part[PROGRAM_PARTS_MAX];
	char why[48]; /* for program_parse() */
};

/*
 * Reads the size bytes of file, which may hold anything and need not be
 * aligned.  All parts lie between GATE_PROGRAM_BASE and GATE_PROGRAM_END, share
 * no page, are not more than GATE_PROGRAM_MAX together, and what they take from
 * the file is in it.  Its note (lib/user/entry.asm) says that it was built for
 * this gate.  0, or -EINVAL with the reason in *why, which lasts as long as
 * *program and stands behind the file's name.
 */
int __must_check program_parse(struct program *program, const void *file,
			       uint64_t size, const char **why);

#endif
