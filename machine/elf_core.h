/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's core as an ELF file, for gdb and crash: made a piece at a time in
 * the order of the file, out of vCPUs and memory that stand still meanwhile.
 *
 *	header, program headers
 *	notes		NT_PRSTATUS of each vCPU, then "QEMU" of each
 *	memory		one PT_LOAD for each region of the board's, at its
 *			guest-physical address
 *
 * Pages that are zero, or cannot be read, are in no piece: whoever puts the
 *file together leaves them out.
 *
 * Not written: x87, SSE and AVX registers, the guest's own mappings.
 *
 * References: System V ABI, "Object Files", "Program Loading"; its AMD64
 * supplement; Linux, elf_prstatus; QEMU, the note of dump-guest-memory.
 */
#ifndef BULKHEAD_MACHINE_ELF_CORE_H
#define BULKHEAD_MACHINE_ELF_CORE_H

#include "machine/board.h"

#define ELF_CORE_PIECE (3 * PAGE_SIZE) /* bytes at most */
/* Pages that are looked at for a piece at most. */
#define ELF_CORE_PAGES 1024

struct elf_core_source {
	const struct board *board; /* with ops->regions */
	/* All groups of the state but XSTATE, until the next call. */
	const struct x86_state *(*state)(void *ctx, unsigned vcpu);
	void *ctx;
	unsigned vcpus;
};

struct elf_core {
	struct elf_core_source source;
	struct board_region region[BOARD_REGIONS_MAX];
	unsigned region_count;
	unsigned head; /* pieces before memory that are done */
	unsigned at;   /* the region, and how much of it is done */
	uint64_t done;
	uint64_t offset; /* in the file: all before it is done */
};

void elf_core_begin(struct elf_core *core,
		    const struct elf_core_source *source);
/* Of the whole file. */
uint64_t elf_core_size(const struct elf_core *core);
bool elf_core_is_done(const struct elf_core *core);
/*
 * The next piece, at most ELF_CORE_PIECE bytes; how many, and where they
 * belong. 0: there was nothing but zeros, as far as it looked.
 */
size_t elf_core_piece(struct elf_core *core, uint8_t *bytes, uint64_t *offset);

#endif
