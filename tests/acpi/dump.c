/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi-dump FOLDER REVISION AND_1 FEATURES VCPUS PROCESSORS: the tables that a
 * board of this description has, each in a file of its own, as acpidump -b
 * writes them.  FEATURES are added to those of the board.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi.h"
#include "firmware/acpi_layout.h"

#define RSDP_GPA   0xe0000
#define TABLES_GPA 0xe1000

static struct board_description board;
static struct acpi_tables tables;
static uint8_t memory[MIB(1)];

static void write_table(const char *folder, const char *name, uint32_t gpa,
			uint32_t length)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s.dat", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(memory + gpa, length, 1, file) != 1 ||
	    fclose(file)) {
		perror(path);
		exit(1);
	}
}

/* A second one of the kind has a 2 behind its name. */
static unsigned ssdt_count;

static void write_header(const char *folder, const char *suffix, uint32_t gpa)
{
	const struct acpi_header *header = (void *)(memory + gpa);
	char name[16];

	(void)snprintf(name, sizeof(name), "%.4s%s", header->signature, suffix);
	for (char *at = name; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	if (!memcmp(name, "ssdt", 4) && !suffix[0] && ssdt_count++)
		memcpy(name + 4, "2", 2);
	write_table(folder, name, gpa, header->length);
}

/* The root and what it leads to. */
static void write_root(const char *folder, const char *suffix, uint32_t root,
		       unsigned size)
{
	const struct acpi_header *header = (void *)(memory + root);
	const struct acpi_fadt *fadt = NULL;

	write_header(folder, "", root);
	for (uint32_t at = sizeof(*header); at < header->length; at += size) {
		uint32_t gpa;

		memcpy(&gpa, memory + root + at, sizeof(gpa));
		write_header(folder, suffix, gpa);
		if (!memcmp(memory + gpa, "FACP", 4))
			fadt = (void *)(memory + gpa);
	}
	if (!fadt)
		exit(1);
	write_header(folder, suffix, fadt->dsdt);
	write_table(folder, "facs", fadt->facs, sizeof(struct acpi_facs));
}

int main(int argc, char **argv)
{
	const struct guest_ram ram = { .count = 1,
				       .range = { { .base = 0,
						    .length = sizeof(memory),
						    .host = memory } } };
	const struct acpi_rsdp *rsdp = (void *)(memory + RSDP_GPA);

	if (argc != 7 ||
	    board_description_pc(&board, MIB(512), (unsigned)atoi(argv[5])))
		return 1;
	board.fadt_revision = (uint8_t)atoi(argv[2]);
	board.has_acpi_1 = atoi(argv[3]);
	board.features |= (uint32_t)strtoul(argv[4], NULL, 0) | BOARD_HAS_HPET;
	board.acpi_processors = (uint8_t)atoi(argv[6]);
	if (acpi_tables_build(&tables, &board) ||
	    acpi_tables_place(&tables, &ram, RSDP_GPA, TABLES_GPA))
		return 1;
	write_table(argv[1], "rsdp", RSDP_GPA,
		    rsdp->revision ? rsdp->length : ACPI_RSDP_V1_SIZE);
	write_root(argv[1], rsdp->xsdt ? "-rsdt" : "", rsdp->rsdt, 4);
	if (rsdp->xsdt)
		write_root(argv[1], "", (uint32_t)rsdp->xsdt, 8);
	return 0;
}
