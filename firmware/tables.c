/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where each table goes.  SeaBIOS writes $PIR and the MP table by itself, so
 * those two are for guests without firmware only.
 */
#include "firmware/tables.h"

#include "include/errno.h"
#include "lib/string.h"

/* The BIOS area of a guest without firmware; all aligned to 16 or more. */
#define PLACE_RSDP	    0xe0000
#define PLACE_ACPI	    0xe1000
#define PLACE_SMBIOS_TABLES 0xec000
#define PLACE_SMBIOS_ANCHOR 0xf0000 /* this and below: found by a search */
#define PLACE_MPTABLE	    0xf1000
#define PLACE_PIRQ	    0xf2000

_Static_assert(PLACE_ACPI + ACPI_TABLES_SIZE <= PLACE_SMBIOS_TABLES,
	       "ACPI tables overlap SMBIOS");
_Static_assert(PLACE_SMBIOS_TABLES + SMBIOS_TABLES_SIZE <= PLACE_SMBIOS_ANCHOR,
	       "SMBIOS tables overlap their anchor");
_Static_assert(PLACE_MPTABLE + MPTABLE_SIZE <= PLACE_PIRQ,
	       "MP table overlaps $PIR");

static void file_add(struct firmware_tables *tables, const char *name,
		     const void *data, uint32_t length)
{
	tables->file[tables->file_count++] = (struct firmware_file){
		.name = name, .data = data, .length = length
	};
}

/* SLP_TYP as dsdt.asl has it. */
static void sleep_fill(uint8_t sleep[SLEEP_STATES], uint32_t features)
{
	memset(sleep, 0, SLEEP_STATES);
	sleep[0] = sleep[5] = SLEEP_STATE_IS_THERE;
	sleep[3] = 1 | (features & BOARD_HAS_S3 ? SLEEP_STATE_IS_THERE : 0);
	sleep[4] = 2 | (features & BOARD_HAS_S4 ? SLEEP_STATE_IS_THERE : 0);
}

static int acpi_files(struct firmware_tables *tables,
		      const struct board_description *board)
{
	struct acpi_tables *acpi = &tables->acpi;
	int error = acpi_tables_build(acpi, board);

	if (error)
		return error;
	file_add(tables, ACPI_FILE_TABLES, acpi->tables, acpi->tables_length);
	file_add(tables, ACPI_FILE_RSDP, acpi->rsdp, sizeof(acpi->rsdp));
	file_add(tables, ACPI_FILE_LOADER, acpi->loader, acpi->loader_length);
	return 0;
}

int firmware_tables_files(struct firmware_tables *tables,
			  const struct board_description *board)
{
	struct smbios_tables *smbios = &tables->smbios;
	unsigned entries = e820_build_ram(board, tables->e820);
	int error = smbios_tables_build(smbios, board, 0);

	tables->file_count = 0;
	if (!error && !board->has_no_acpi)
		error = acpi_files(tables, board);
	if (error)
		return error;
	file_add(tables, SMBIOS_FILE_TABLES, smbios->tables,
		 smbios->tables_length);
	file_add(tables, SMBIOS_FILE_ANCHOR, smbios->anchor,
		 sizeof(smbios->anchor));
	file_add(tables, E820_FILE, tables->e820,
		 entries * (uint32_t)sizeof(tables->e820[0]));
	sleep_fill(tables->sleep, board->features);
	file_add(tables, SLEEP_FILE, tables->sleep, sizeof(tables->sleep));
	return 0;
}

uint32_t firmware_tables_waking_vector(const struct guest_ram *ram)
{
	return acpi_waking_vector(ram, PLACE_ACPI);
}

static int place(const struct guest_ram *ram, gpa_t gpa, const void *from,
		 uint32_t length)
{
	void *to = guest_ram_at(ram, gpa, length);

	if (!to)
		return -ERANGE;
	memcpy(to, from, length);
	return 0;
}

static int place_legacy(struct firmware_tables *tables,
			const struct board_description *board,
			const struct guest_ram *ram)
{
	int error;
	int length;

	length = mptable_build(tables->mptable, board, PLACE_MPTABLE);
	if (length < 0)
		return length;
	error = place(ram, PLACE_MPTABLE, tables->mptable, (uint32_t)length);
	length = pirq_table_build(tables->pirq, board);
	if (length < 0)
		return length;
	if (!error)
		error = place(ram, PLACE_PIRQ, tables->pirq, (uint32_t)length);
	return error;
}

int firmware_tables_place(struct firmware_tables *tables,
			  const struct board_description *board,
			  const struct guest_ram *ram, gpa_t *rsdp_gpa)
{
	struct smbios_tables *smbios = &tables->smbios;
	int error = 0;

	*rsdp_gpa = board->has_no_acpi ? 0 : PLACE_RSDP;
	if (!board->has_no_acpi)
		error = acpi_tables_build(&tables->acpi, board);
	if (!error && !board->has_no_acpi)
		error = acpi_tables_place(&tables->acpi, ram, PLACE_RSDP,
					  PLACE_ACPI);
	/* The others describe a PC. */
	if (error || board->features & BOARD_IS_REDUCED)
		return error;
	error = smbios_tables_build(smbios, board, PLACE_SMBIOS_TABLES);
	if (!error)
		error = place(ram, PLACE_SMBIOS_TABLES, smbios->tables,
			      smbios->tables_length);
	if (!error)
		error = place(ram, PLACE_SMBIOS_ANCHOR, smbios->anchor,
			      sizeof(smbios->anchor));
	if (!error)
		error = place_legacy(tables, board, ram);
	return error;
}
