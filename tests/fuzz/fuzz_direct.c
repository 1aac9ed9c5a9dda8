/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over kernel files for direct boot: whatever the bytes say, the
 * loader stays within the file and within RAM.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/direct.h"

#define RAM_SIZE MIB(32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct firmware_tables tables;
	static struct direct_plan plan;
	static uint8_t *memory;
	struct board_description board;
	struct guest_ram ram = { .count = 1 };
	struct direct_boot boot = { .board = &board,
				    .tables = &tables,
				    .plan = &plan,
				    .kernel = data,
				    .kernel_length = size,
				    .initrd = "initrd",
				    .initrd_length = 6,
				    .cmdline = "console=ttyS0" };
	struct direct_entry entry;
	char error[160];

	if (!memory)
		memory = malloc(RAM_SIZE);
	ram.range[0] =
		(struct guest_ram_range){ .length = RAM_SIZE, .host = memory };
	if (!memory || board_description_pc(&board, RAM_SIZE, 1))
		abort();
	if (direct_boot_load(&ram, &boot, &entry, error, sizeof(error)) &&
	    !error[0])
		abort();
	return 0;
}
