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

/* Whoever carries it out does not look again. */
static void check_plan(const struct direct_boot *boot)
{
	const uint64_t lengths[] = {
		[DIRECT_FROM_INFO] = DIRECT_INFO_SIZE,
		[DIRECT_FROM_KERNEL] = boot->kernel_length,
		[DIRECT_FROM_INITRD] = boot->initrd_length,
	};
	const struct direct_plan *plan = boot->plan;

	if (!plan->count || plan->count > DIRECT_PIECES_MAX)
		abort();
	for (unsigned i = 0; i < plan->count; i++) {
		const struct direct_piece *piece = &plan->piece[i];

		if (piece->length > piece->size ||
		    (uint64_t)piece->offset + piece->length >
			    lengths[piece->source] ||
		    (uint64_t)piece->gpa + piece->size > RAM_SIZE)
			abort();
	}
}

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
	if (!direct_boot_plan(&ram, &boot, &entry, error, sizeof(error)))
		check_plan(&boot);
	else if (!error[0])
		abort();
	return 0;
}
