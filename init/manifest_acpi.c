/* SPDX-License-Identifier: BSD-2-Clause */
/* The node of a guest's manifest that says what ACPI's tables are like. */
#include "init/manifest_reader.h"

#include "include/gate.h"

#define AND_1(revision) (MACHINE_ACPI_AND_1 | (revision))

/* clang-format off */
static const struct manifest_choice tables[] = {
	{ "1.0", 1 }, { "2.0", 3 }, { "3.0", 4 }, { "5.0", 5 }, { "6.0", 6 },
	{ "1.0+2.0", AND_1(3) }, { "1.0+3.0", AND_1(4) },
	{ "1.0+5.0", AND_1(5) }, { "1.0+6.0", AND_1(6) }, { 0 },
};

static const struct manifest_choice states[] = {
	{ "s3", MACHINE_SLEEP_S3 }, { "s4", MACHINE_SLEEP_S4 }, { 0 },
};

static const struct manifest_property acpi_properties[] = {
	{ "tables", PROPERTY_STRING, .choices = tables,
	  FIELD(struct machine_acpi, revisions) },
	{ "sleep", PROPERTY_WORDS, .choices = states,
	  FIELD(struct machine_acpi, sleep) },
	{ "processors", PROPERTY_CELL, .min = 1, .max = GATE_MAX_VCPUS,
	  FIELD(struct machine_acpi, processors) },
	{ 0 },
};
/* clang-format on */

int manifest_read_acpi(struct manifest_reader *reader, int node,
		       struct guest_manifest *guest)
{
	return manifest_read_node(reader, node, acpi_properties, &guest->acpi);
}
