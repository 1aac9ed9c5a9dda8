/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single-step vectors: gzip'd files of recorded instructions, one opcode form
 * a file.  The format is described in tests/vectors/FORMAT.md.
 */
#ifndef BULKHEAD_TESTS_XST_H
#define BULKHEAD_TESTS_XST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xst_mode {
	XST_REAL16,
	XST_PROT32,
	XST_LONG64,
};

#define XST_MEMORY    0x110000
#define XST_REGISTERS 64
#define XST_RUNS      256
#define XST_NO_VECTOR 0xff

struct xst_header {
	char magic[4];
	uint8_t mode;
	uint8_t source;
	uint8_t register_size;
	uint8_t register_count;
	uint32_t case_count;
	uint32_t flag_mask;
	char name[16];
};

struct xst_file {
	struct xst_header header;
	uint8_t *bytes;
	size_t size;
	size_t at; /* of the next record */
};

struct xst_run {
	uint32_t address;
	uint8_t length;
	const uint8_t *bytes;
};

struct xst_case {
	uint8_t vector; /* XST_NO_VECTOR: none expected */
	uint8_t insn_length;
	uint32_t id;
	uint32_t flag_mask;
	uint32_t flags_address; /* of the pushed FLAGS, or 0 */
	const uint8_t *insn;
	uint64_t before[XST_REGISTERS];
	uint64_t after[XST_REGISTERS];
	struct xst_run ram_before[XST_RUNS];
	struct xst_run ram_after[XST_RUNS];
	unsigned before_count;
	unsigned after_count;
};

/* 0, or -1 if the file cannot be read or is not one of these. */
int xst_open(struct xst_file *file, const char *path);
void xst_close(struct xst_file *file);
/* 1 with the next case, 0 at the end, -1 if the record is malformed. */
int xst_next(struct xst_file *file, struct xst_case *c);

/* Totals of one run. */
struct xst_score {
	unsigned long cases;
	unsigned long passed;
	unsigned long failed;
	unsigned long unhandled;
};

/* Run a file's cases through the emulator; complaints: printed at most. */
int xst_run_file(const char *path, unsigned complaints,
		 struct xst_score *score);

#endif
