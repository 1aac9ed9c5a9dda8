/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Was loaded from an image that is also its read-only disk, and another guest's
 * disk, to which that one writes: neither may ever be seen to change.  A reset
 * has the machine load the kernel anew.
 */
#include "tests/hostile/guests/disk.h"

#define CMOS_INDEX    0x70
#define CMOS_DATA     0x71
#define CMOS_STAGE    0x6f /* a cell that nobody uses */
#define SECOND_LIFE   0xa5
#define ELF_FIRST     0x457f
#define LOOKS	      4
#define BETWEEN_LOOKS (10 * NSEC_PER_MS)

static bool is_unchanged(unsigned look)
{
	uint16_t sector[SECTOR_WORDS];
	uint64_t end = rdtsc() + BETWEEN_LOOKS;

	if (!disk_read(sector)) {
		fail("ider", "its disk cannot be read");
		return false;
	}
	print("reader: look %u, sector 0 holds %x\n", look, sector[0]);
	if (sector[0] != ELF_FIRST) {
		fail("ider", "its read-only disk changed to %x", sector[0]);
		return false;
	}
	if (disk_write(0)) {
		fail("ider", "its read-only disk could be written");
		return false;
	}
	while (rdtsc() < end)
		__asm__ volatile("pause");
	return true;
}

void guest_main(void)
{
	for (unsigned i = 0; i < LOOKS; i++)
		if (!is_unchanged(i))
			return;
	out8(CMOS_INDEX, CMOS_STAGE);
	if (in8(CMOS_DATA) == SECOND_LIFE) {
		pass("ider");
		return;
	}
	out8(CMOS_INDEX, CMOS_STAGE);
	out8(CMOS_DATA, SECOND_LIFE);
	out8(0xcf9, 0x02);
	out8(0xcf9, 0x06);
	for (;;)
		__asm__ volatile("pause");
}
