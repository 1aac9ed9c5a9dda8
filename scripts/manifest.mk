# SPDX-License-Identifier: BSD-2-Clause
# The monitor's manifest reader, and what judges boot modules, as a host program
# for the tool.

CHECK_SRCS := scripts/manifest-check.c core/manifest.c core/module_check.c \
	core/program.c devices/ram.c $(wildcard firmware/*.c)

$B/manifest-check: $(CHECK_SRCS) include/manifest.h include/gate.h \
		core/module_check.h core/program.h $(wildcard firmware/*.h) \
		$B/firmware/dsdt.hex
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -I$B -o $@ $(CHECK_SRCS) -lfdt
