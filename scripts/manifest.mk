# SPDX-License-Identifier: BSD-2-Clause
# The monitor's manifest reader as a host program, for the tool.

$B/manifest-check: scripts/manifest-check.c core/manifest.c \
		include/manifest.h include/gate.h
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -o $@ scripts/manifest-check.c core/manifest.c -lfdt
