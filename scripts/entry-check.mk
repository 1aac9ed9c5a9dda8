# SPDX-License-Identifier: BSD-2-Clause
# Explains refused VM entries, as a host program for the tool.

ENTRY_CHECK_SRCS := $(wildcard scripts/entry-check/*.c)

$B/entry-check: $(ENTRY_CHECK_SRCS) scripts/entry-check/check.h vmx/hardware.h
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -o $@ $(ENTRY_CHECK_SRCS)
