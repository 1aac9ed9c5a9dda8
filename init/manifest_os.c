/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Presets: what a system by that name needs to be different, for all that the
 * guest's node does not say itself.  init/manifest_reader.h.
 *
 * Cards are those that the system's own disks have a driver for.  Windows for
 * desktops uses one or two packages, and as many cores in them as there are.
 */
#include "init/manifest_reader.h"

#include "lib/printf.h"
#include "lib/string.h"

/* NT 4 stops at a last leaf that it does not know (stop 3Eh, or at setup). */
#define NT4_LEAF_MAX 2

struct os_preset {
	const char *name;
	uint8_t nic; /* enum machine_nic_model */
	uint8_t leaf_max;
	bool has_no_acpi;
	bool has_one_package;
};

/* clang-format off */
static const struct os_preset presets[] = {
	/* Packet drivers for PCnet are on every DOS archive */
	{ "dos", .nic = MACHINE_NIC_PCNET },
	/* Drivers for PCnet; its power management is APM */
	{ "windows-3.11", .nic = MACHINE_NIC_PCNET, .has_no_acpi = true },
	/* Has a driver for PCnet and knows APM alone */
	{ "windows-95", .nic = MACHINE_NIC_PCNET, .has_no_acpi = true },
	/* Has a driver for PCnet; setup takes APM and so no ACPI of which it
	 * is unsure */
	{ "windows-98", .nic = MACHINE_NIC_PCNET, .has_no_acpi = true },
	/* Has a driver for RTL8139 */
	{ "windows-me", .nic = MACHINE_NIC_RTL8139, .has_no_acpi = true },
	/* Stops at more CPUID leaves than 2; has a driver for PCnet, and none
	 * for ACPI */
	{ "windows-nt4", .nic = MACHINE_NIC_PCNET, .leaf_max = NT4_LEAF_MAX,
	  .has_no_acpi = true },
	/* Has drivers for RTL8139; Professional uses two packages */
	{ "windows-2000", .nic = MACHINE_NIC_RTL8139, .has_one_package = true },
	/* Has drivers for RTL8139; Home uses one package */
	{ "windows-xp", .nic = MACHINE_NIC_RTL8139, .has_one_package = true },
	/* Has a driver for 82540EM */
	{ "windows-2003", .nic = MACHINE_NIC_E1000, .has_one_package = true },
	/* Has a driver for 82540EM */
	{ "windows-vista", .nic = MACHINE_NIC_E1000, .has_one_package = true },
	/* Has a driver for 82540EM */
	{ "windows-7", .nic = MACHINE_NIC_E1000, .has_one_package = true },
	/* Has a driver for 82540EM */
	{ "windows-8", .nic = MACHINE_NIC_E1000, .has_one_package = true },
	/* Has a driver for 82540EM; one package is what Home uses */
	{ "windows-10", .nic = MACHINE_NIC_E1000, .has_one_package = true },
	/* Any card would do: this is the fastest */
	{ "linux", .nic = MACHINE_NIC_E1000 },
	/* All 2.4 have 8139too, later ones e1000 */
	{ "linux-2.4", .nic = MACHINE_NIC_RTL8139 },
	/* All 2.2 have pcnet32, rtl8139 came late */
	{ "linux-2.2", .nic = MACHINE_NIC_PCNET },
	/* Has a driver for PCnet and knows APM alone */
	{ "os2", .nic = MACHINE_NIC_PCNET, .has_no_acpi = true },
	/* em(4) */
	{ "freebsd", .nic = MACHINE_NIC_E1000 },
	/* wm(4) */
	{ "netbsd", .nic = MACHINE_NIC_E1000 },
	/* em(4) */
	{ "openbsd", .nic = MACHINE_NIC_E1000 },
	/* e1000g */
	{ "solaris", .nic = MACHINE_NIC_E1000 },
	/* ipro1000 */
	{ "haiku", .nic = MACHINE_NIC_E1000 },
	/* Has a driver for PCnet */
	{ "reactos", .nic = MACHINE_NIC_PCNET },
};
/* clang-format on */

static int os_refused(struct manifest_reader *reader, int node,
		      const char *name)
{
	char known[400];
	size_t used = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(presets) && used < sizeof(known);
	     i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used,
					 "%s%s", used ? ", " : "",
					 presets[i].name);
	return manifest_fail(reader, node, "os", "is \"%s\", known are: %s",
			     name, known);
}

int manifest_apply_os(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	const struct os_preset *preset = NULL;

	if (!guest->os[0])
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(presets) && !preset; i++)
		if (!strcmp(presets[i].name, guest->os))
			preset = &presets[i];
	if (!preset)
		return os_refused(reader, node, guest->os);
	guest->default_bus = MACHINE_DISK_IDE;
	guest->default_nic = preset->nic;
	guest->cpu.leaf_max = preset->leaf_max;
	if (preset->has_no_acpi && !manifest_has(reader, node, "acpi"))
		guest->acpi_off = MACHINE_DEVICE_NO_ACPI;
	if (preset->has_one_package && !guest->sockets && !guest->cores &&
	    !guest->threads)
		guest->sockets = 1;
	return 0;
}
