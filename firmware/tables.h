/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that firmware or a kernel is told about a board, in one place: as files
 * for fw_cfg, or put into the BIOS area of a guest without firmware.
 */
#ifndef BULKHEAD_FIRMWARE_TABLES_H
#define BULKHEAD_FIRMWARE_TABLES_H

#include "include/device.h"
#include "firmware/acpi.h"
#include "firmware/board.h"
#include "firmware/e820.h"
#include "firmware/mptable.h"
#include "firmware/pirq.h"
#include "firmware/smbios.h"

#define FIRMWARE_FILES 7

/* Which sleep states there are, one byte each, S0 to S5. */
#define SLEEP_FILE	     "etc/system-states"
#define SLEEP_STATES	     6
#define SLEEP_STATE_IS_THERE BIT(7) /* with its SLP_TYP below */

/* A file for fw_cfg; the data belong to the tables. */
struct firmware_file {
	const char *name;
	const void *data;
	uint32_t length;
};

struct firmware_tables {
	struct acpi_tables acpi;
	struct smbios_tables smbios;
	struct e820_entry e820[E820_ENTRIES_MAX];
	uint8_t mptable[MPTABLE_SIZE];
	uint8_t pirq[PIRQ_TABLE_SIZE];
	struct firmware_file file[FIRMWARE_FILES];
	unsigned file_count;
	uint8_t sleep[SLEEP_STATES];
};

/*
 * For a guest with firmware: builds .file[].  The struct must stay for as
 * long as fw_cfg serves it.  -ENOSPC: too many vCPUs for a table.
 */
int __must_check firmware_tables_files(struct firmware_tables *tables,
				       const struct board_description *board);

/*
 * For a guest without: builds the tables in the struct, as a scratch area,
 * and copies them to where systems look for them in E0000h-FFFFFh.
 * -ERANGE: that is not RAM; -ENOSPC.  *rsdp_gpa is 0 without ACPI.
 */
int __must_check firmware_tables_place(struct firmware_tables *tables,
				       const struct board_description *board,
				       const struct guest_ram *ram,
				       gpa_t *rsdp_gpa);

/* Of such a guest that resumes: acpi_waking_vector(). */
uint32_t firmware_tables_waking_vector(const struct guest_ram *ram);

#endif
