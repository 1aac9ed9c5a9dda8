/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's ACPI tables, in the form firmware fetches them through fw_cfg:
 * one file with all tables, one with the RSDP, and a list of commands that
 * says where addresses and checksums are to be filled in.
 */
#ifndef BULKHEAD_FIRMWARE_ACPI_H
#define BULKHEAD_FIRMWARE_ACPI_H

#include "include/device.h"
#include "firmware/board.h"

#define ACPI_TABLES_SIZE 16384
#define ACPI_LOADER_SIZE 4096
#define ACPI_RSDP_SIZE	 36
#define ACPI_FADTS	 2

/* Names of the files in fw_cfg. */
#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_RSDP	 "etc/acpi/rsdp"
#define ACPI_FILE_LOADER "etc/table-loader"

struct acpi_tables {
	uint8_t tables[ACPI_TABLES_SIZE];
	uint32_t tables_length;
	uint32_t fadt[ACPI_FADTS]; /* where they are in them */
	unsigned fadt_count;
	uint8_t rsdp[ACPI_RSDP_SIZE];
	uint8_t loader[ACPI_LOADER_SIZE];
	uint32_t loader_length;
};

/* -ENOSPC: more vCPUs than the buffers have room for. */
int __must_check acpi_tables_build(struct acpi_tables *acpi,
				   const struct board_description *board);

/*
 * Firmware has put the PM1 blocks and the PM timer elsewhere than the board
 * has them: what is fetched from now on says so.  The loader's commands, which
 * fill in checksums, stay as they are.
 */
void acpi_tables_move_pm(struct acpi_tables *acpi, uint16_t pm_base);

/*
 * For a guest without firmware: copies RSDP and tables into RAM and runs the
 * loader's commands on them.  rsdp_gpa aligned to 16, tables_gpa to 64.
 * -ERANGE: that is not RAM.
 */
int __must_check acpi_tables_place(const struct acpi_tables *acpi,
				   const struct guest_ram *ram, gpa_t rsdp_gpa,
				   gpa_t tables_gpa);

/* Of tables placed so: where the system wants to be entered out of S3.  0:
 * nowhere, or that is no FACS. */
uint32_t acpi_waking_vector(const struct guest_ram *ram, gpa_t tables_gpa);

#endif
