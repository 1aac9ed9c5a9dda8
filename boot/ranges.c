/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small unsorted lists of disjoint physical ranges, for boot only.
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "include/grant.h"
#include "include/x86.h"

/* The I/O and local APICs'. */
#define APICS_START 0xfec00000ULL
#define APICS_END   0xfef00000ULL

#define CPUID_SIZES	     0x80000008
#define CPUID_SIZES_PHYSICAL MASK(7, 0)

int ranges_add(struct boot_ranges *ranges, hpa_t base, uint64_t length)
{
	if (!length)
		return 0;
	if (ranges->count == BOOT_RANGES_MAX)
		return -ENOSPC;
	ranges->range[ranges->count++] = (struct boot_range){ base, length };
	return 0;
}

int ranges_remove(struct boot_ranges *ranges, hpa_t base, uint64_t length)
{
	hpa_t end = base + length;
	unsigned i = 0;

	while (i < ranges->count) {
		struct boot_range *range = &ranges->range[i];
		hpa_t range_end = range->base + range->length;

		if (end <= range->base || base >= range_end) {
			i++;
			continue;
		}
		if (range_end > end &&
		    ranges_add(ranges, MAX(end, range->base), range_end - end))
			return -ENOSPC;
		if (base > range->base) {
			range->length = base - range->base;
			i++;
		} else {
			*range = ranges->range[--ranges->count];
		}
	}
	return 0;
}

hpa_t ranges_take(struct boot_ranges *ranges, uint64_t length)
{
	length = ALIGN_UP(length, PAGE_SIZE);
	for (unsigned i = 0; i < ranges->count; i++) {
		hpa_t base = ALIGN_UP(ranges->range[i].base, PAGE_SIZE);

		if (base + length >
			    ranges->range[i].base + ranges->range[i].length ||
		    base + length > BOOT_REACH)
			continue;
		return ranges_remove(ranges, base, length) ? 0 : base;
	}
	return 0;
}

bool ranges_misplaced(const struct boot_ranges *ram, hpa_t base, uint64_t size)
{
	unsigned bits = cpuid_read(CPUID_SIZES, 0).eax & CPUID_SIZES_PHYSICAL;
	hpa_t end = base + size;

	if (size > GATE_DEVICE_BAR_MAX || end < base || end > 1ULL << bits ||
	    (base < APICS_END && end > APICS_START))
		return true;
	for (unsigned i = 0; i < ram->count; i++)
		if (base < ram->range[i].base + ram->range[i].length &&
		    end > ram->range[i].base)
			return true;
	return false;
}
