/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boards of crash.elf: the machine, but for a serial port that writes to
 * NULL, as a bug in a device model would, in the middle of an exit and with the
 * machine's lock held.
 */
#include "machine/board.h"
#include "machine/pc.h"

static struct pc the_pc;

static void crash(void *ctx, const void *data, size_t length)
{
	volatile uint32_t *volatile nowhere = NULL;

	(void)ctx;
	(void)data;
	(void)length;
	*nowhere = 0; /* cppcheck-suppress nullPointer */
}

static int crash_init(void *board, const struct board_config *config)
{
	static struct board_host_ops ops;
	struct board_config mine = *config;

	ops = *config->ops;
	ops.serial_write = crash;
	mine.ops = &ops;
	return pc_init(board, &mine);
}

const struct board *board_find(uint32_t kind)
{
	static struct board_ops ops;
	static const struct board board = { &ops, &the_pc };

	ops = pc_board_ops;
	ops.init = crash_init;
	return kind == MACHINE_BOARD_PC ? &board : NULL;
}
