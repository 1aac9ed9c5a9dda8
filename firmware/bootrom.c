/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option ROM of firmware/rom/bootrom.asm, made fit for use.
 *
 * References: "Plug and Play BIOS Specification" 1.0A, "Option ROM Header".
 */
#include "firmware/bootrom.h"

#include "lib/string.h"

static const uint8_t image[] = {
#include "firmware/bootrom.hex"
};
_Static_assert(sizeof(image) == BOOTROM_SIZE, "the ROM has the size it says");

#define PNP_POINTER  0x1a /* to the PnP header */
#define PNP_LENGTH   32
#define PNP_CHECKSUM 9
#define ROM_CHECKSUM (BOOTROM_SIZE - 1)

/* All bytes together come to 0 then. */
static void sum_set(uint8_t *bytes, unsigned count, unsigned at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (unsigned i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)-sum;
}

void bootrom_build(uint8_t rom[BOOTROM_SIZE])
{
	memcpy(rom, image, sizeof(image));
	sum_set(rom + rom[PNP_POINTER], PNP_LENGTH, PNP_CHECKSUM);
	sum_set(rom, BOOTROM_SIZE, ROM_CHECKSUM);
}

void bootrom_handover_build(struct bootrom_handover *handover,
			    const struct direct_plan *plan,
			    const struct direct_entry *entry)
{
	*handover = (struct bootrom_handover){
		.eip = entry->eip,
		.eax = entry->eax,
		.ebx = entry->ebx,
		.esi = entry->esi,
		.map = plan->map,
		.count = plan->count,
	};
	for (unsigned i = 0; i < plan->count; i++) {
		const struct direct_piece *piece = &plan->piece[i];

		handover->piece[i] = (struct bootrom_piece){
			.key = BOOTROM_KEY_FIRST_SOURCE + piece->source,
			.offset = piece->offset,
			.length = piece->length,
			.size = piece->size,
			.gpa = piece->gpa,
		};
	}
}
