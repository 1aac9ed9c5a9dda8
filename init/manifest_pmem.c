/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a guest's images in persistent memory: init/manifest_reader.h. */
#include "init/manifest_reader.h"

#define PMEMS_MAX 2

/* clang-format off */
static const struct manifest_property pmem_properties[] = {
	{ "image", PROPERTY_FILE, .is_required = true,
	  FIELD(struct disk_manifest, image[0]) },
	{ 0 },
};
/* clang-format on */

int manifest_read_pmem(struct manifest_reader *reader, int node,
		       struct guest_manifest *guest)
{
	struct disk_manifest pmem = { .bus = MACHINE_DISK_PMEM,
				      .is_read_only = true };
	int error = manifest_read_name(reader, node, pmem.name);

	if (!error)
		error = manifest_read_node(reader, node, pmem_properties,
					   &pmem);
	if (error)
		return error;
	pmem.unit = (uint8_t)(pmem.name[sizeof("pmem") - 1] - '0');
	if (pmem.unit >= PMEMS_MAX)
		return manifest_fail(reader, node, NULL,
				     "no such node here: known are pmem0 and "
				     "pmem1");
	if (guest->program[0])
		return manifest_fail(reader, node, NULL,
				     "is for the board's machine, not for a "
				     "program");
	if (guest->disk_count == MACHINE_DISKS_MAX)
		return manifest_fail(reader, node, NULL,
				     "is more than the %d that fit with disks",
				     MACHINE_DISKS_MAX);
	guest->disk[guest->disk_count++] = pmem;
	return 0;
}
