# SPDX-License-Identifier: BSD-2-Clause
#
# Links the monitor.

MONITOR_LD = $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
	--no-warn-rwx-segments --build-id=none --gc-sections -T boot/monitor.ld

$B/bulkhead.elf: $(MONITOR_OBJS) boot/monitor.ld
	$(call say,LD)
	$Q$(MONITOR_LD) -o $@ $(MONITOR_OBJS)
