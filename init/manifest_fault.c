/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a guest's faults: init/manifest_reader.h. */
#include "init/manifest_reader.h"

#define ISA_LINES 16

/* As properties have it: line, nth; and microseconds. */
struct fault_properties {
	struct machine_fault fault;
	uint32_t lost[2], late[3];
};

/* clang-format off */
#define COUNT(property, member) \
	{ property, PROPERTY_CELL, .min = 0, .max = UINT32_MAX, \
	  FIELD(struct fault_properties, fault.member) }

static const struct manifest_property fault_properties[] = {
	COUNT("disk-error", disk_sector),
	{ "disk-unit", PROPERTY_CELL, .min = 0, .max = 3,
	  FIELD(struct fault_properties, fault.disk_unit) },
	COUNT("flash-fail", flash_fail),
	COUNT("flash-torn", flash_torn),
	COUNT("power-cut", power_cut),
	COUNT("power-cut-torn", power_cut_torn),
	{ "irq-lost", PROPERTY_CELLS,
	  FIELD(struct fault_properties, lost) },
	{ "irq-late", PROPERTY_CELLS,
	  FIELD(struct fault_properties, late) },
	{ 0 },
};
/* clang-format on */

static bool has_unit(const struct guest_manifest *guest, unsigned unit)
{
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].bus == MACHINE_DISK_IDE &&
		    guest->disk[i].unit == unit)
			return true;
	return false;
}

static bool has_flash(const struct guest_manifest *guest)
{
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].bus == MACHINE_DISK_FLASH)
			return true;
	return false;
}

/* A fault that can never come was meant otherwise. */
static int check_devices(struct manifest_reader *reader, int node,
			 const struct guest_manifest *guest,
			 const struct machine_fault *fault)
{
	static const char *const of_flash[] = { "flash-fail", "flash-torn" };
	static const char *const of_any[] = { "power-cut", "power-cut-torn" };

	if (!fault->has_disk_error && manifest_has(reader, node, "disk-unit"))
		return manifest_fail(reader, node, "disk-unit",
				     "needs disk-error");
	if (fault->has_disk_error && !has_unit(guest, fault->disk_unit))
		return manifest_fail(reader, node, "disk-error",
				     "there is no drive at unit %u",
				     fault->disk_unit);
	for (unsigned i = 0; i < ARRAY_SIZE(of_flash); i++)
		if (manifest_has(reader, node, of_flash[i]) &&
		    !has_flash(guest))
			return manifest_fail(reader, node, of_flash[i],
					     "there is no flash memory");
	for (unsigned i = 0; i < ARRAY_SIZE(of_any); i++)
		if (manifest_has(reader, node, of_any[i]) && !guest->disk_count)
			return manifest_fail(reader, node, of_any[i],
					     "there is nothing that lasts: "
					     "neither disk nor flash memory");
	return 0;
}

static int take_irq(struct manifest_reader *reader, int node,
		    const char *property, const struct machine_fault_irq *irq,
		    struct machine_fault_irq *to)
{
	if (irq->line >= ISA_LINES)
		return manifest_fail(reader, node, property,
				     "its line is %u, must be 0 to %d",
				     irq->line, ISA_LINES - 1);
	*to = *irq;
	return 0;
}

int manifest_read_fault(struct manifest_reader *reader, int node,
			struct guest_manifest *guest)
{
	struct fault_properties found = { 0 };
	struct machine_fault *fault = &found.fault;
	struct machine_fault_irq irq;
	int error = manifest_read_node(reader, node, fault_properties, &found);

	if (error)
		return error;
	fault->has_disk_error = manifest_has(reader, node, "disk-error");
	error = check_devices(reader, node, guest, fault);
	irq = (struct machine_fault_irq){ found.lost[0], found.lost[1], 0 };
	if (!error)
		error = take_irq(reader, node, "irq-lost", &irq,
				 &fault->irq[0]);
	irq = (struct machine_fault_irq){ found.late[0], found.late[1],
					  found.late[2] };
	if (!error)
		error = take_irq(reader, node, "irq-late", &irq,
				 &fault->irq[1]);
	if (!error)
		guest->fault = *fault;
	return error;
}
