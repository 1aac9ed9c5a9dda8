# SPDX-License-Identifier: BSD-2-Clause
# The monitor's manifest reader, and what judges boot modules, as a host program
# for the tool.

CHECK_SRCS := scripts/manifest-check.c scripts/manifest-policy.c $(wildcard init/manifest*.c) \
	init/module_check.c init/policy.c init/source.c \
	lib/program.c lib/floppy.c devices/ram.c \
	$(wildcard firmware/*.c)

$B/manifest-check: $(CHECK_SRCS) scripts/manifest-policy.h include/manifest.h include/gate.h \
		init/manifest_reader.h init/module_check.h init/policy.h init/source.h \
		lib/program.h $(wildcard firmware/*.h) \
		$(ACPI_HEX) $B/firmware/bootrom.hex
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -I$B -o $@ $(CHECK_SRCS) -lfdt
