/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a BIOS leaves in memory, for a kernel that is started without one: the
 * interrupt vectors, the BIOS data area, the fixed disks' tables, and as much
 * code as an interrupt needs that nobody has prepared for.
 *
 * No function of a BIOS is there: INT 10h and its like return at once.
 */
#ifndef BULKHEAD_FIRMWARE_BIOS_DATA_H
#define BULKHEAD_FIRMWARE_BIOS_DATA_H

#include "include/device.h"

#define BIOS_FIXED_DISKS 2

/* The table that INT 41h and 46h point at. */
struct bios_disk_table {
	uint16_t cylinders; /* 0: no such disk */
	uint8_t heads;
	uint16_t reserved0;
	uint16_t precompensation;
	uint8_t reserved1;
	uint8_t control;
	uint8_t reserved2[3];
	uint16_t landing_zone;
	uint8_t sectors;
	uint8_t reserved3;
} __packed;
ASSERT_SIZE(struct bios_disk_table, 16);

struct bios_data {
	uint16_t com1;	/* port */
	uint16_t com2;	/* the same; 0: none */
	uint16_t lpt1;	/* the same */
	uint32_t ticks; /* since midnight, 18.2 a second */
	struct bios_disk_table disk[BIOS_FIXED_DISKS];
};

/* -ERANGE: that is not RAM. */
int __must_check bios_data_place(const struct guest_ram *ram,
				 const struct bios_data *data);

#endif
