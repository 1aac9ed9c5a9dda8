/* SPDX-License-Identifier: BSD-2-Clause */
/* The boards of the program machine.elf. */
#include "machine/board.h"
#include "machine/pc.h"
#include "machine/pv.h"

static struct pc the_pc;
static struct pv the_pv;

static const struct board boards[] = {
	[MACHINE_BOARD_PC] = { &pc_board_ops, &the_pc },
	[MACHINE_BOARD_PV] = { &pv_board_ops, &the_pv },
};

const struct board *board_find(uint32_t kind)
{
	if (kind >= ARRAY_SIZE(boards) || !boards[kind].ops)
		return NULL;
	return &boards[kind];
}
