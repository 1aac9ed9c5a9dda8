/* SPDX-License-Identifier: BSD-2-Clause */
/* The boards of the program machine.elf. */
#include "machine/board.h"
#include "machine/pc.h"

static struct pc the_pc;

static const struct board boards[] = {
	[MACHINE_BOARD_PC] = { &pc_board_ops, &the_pc },
};

const struct board *board_find(uint32_t kind)
{
	if (kind >= ARRAY_SIZE(boards) || !boards[kind].ops)
		return NULL;
	return &boards[kind];
}
