# SPDX-License-Identifier: BSD-2-Clause
#
# The monitor with one more back end, which emulates every instruction: what the
# manifest's emulate-always asks for.  BULKHEAD_MONITOR has the tool boot it.

SOFT_OBJS := $(filter-out $B/monitor/vm/vendors.c.o,$(MONITOR_OBJS)) \
	$(patsubst %,$B/monitor/tests/soft/%.c.o,soft vendors)

$B/bulkhead-soft.elf: $(SOFT_OBJS) boot/monitor.ld
	$(MONITOR_LD) -o $@ $(SOFT_OBJS)

$B/bulkhead-soft32.elf: $B/bulkhead-soft.elf
	$(OBJCOPY) -O elf32-i386 $< $@
