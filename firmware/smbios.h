/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMBIOS: who made the machine and what is in it.
 */
#ifndef BULKHEAD_FIRMWARE_SMBIOS_H
#define BULKHEAD_FIRMWARE_SMBIOS_H

#include "firmware/board.h"

#define SMBIOS_TABLES_SIZE 8192
#define SMBIOS_ANCHOR_SIZE 31

#define SMBIOS_FILE_TABLES "etc/smbios/smbios-tables"
#define SMBIOS_FILE_ANCHOR "etc/smbios/smbios-anchor"

struct smbios_tables {
	uint8_t tables[SMBIOS_TABLES_SIZE];
	uint32_t tables_length;
	uint8_t anchor[SMBIOS_ANCHOR_SIZE];
};

/*
 * tables_gpa: where the tables will lie; 0 if firmware will say.  Firmware
 * adds the structure that describes itself (type 0) too; without firmware it
 * is ours.  -ENOSPC: more vCPUs than there is room for.
 */
int __must_check smbios_tables_build(struct smbios_tables *smbios,
				     const struct board_description *board,
				     uint32_t tables_gpa);

#endif
