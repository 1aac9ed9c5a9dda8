# SPDX-License-Identifier: BSD-2-Clause
# `bulkhead test` runs simulated hosts by it, so many instructions at a time: a
# plugin for QEMU.

PACE_SRCS := $(wildcard scripts/pace/*.c)

$B/pace.so: $(PACE_SRCS) $(wildcard scripts/pace/*.h) $B/flags
	@mkdir -p $(@D)
	$(call say,HOSTCC)
	$Q$(HOSTCC) -O2 $(WARN) -shared -fPIC -fvisibility=hidden -I . -o $@ \
		$(PACE_SRCS) -pthread

.PHONY: pace
pace: $B/pace.so
all: pace

## pace           what counts and stops a simulated host for 'bulkhead test'
