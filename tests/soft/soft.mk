# SPDX-License-Identifier: BSD-2-Clause
#
# The monitor with one more back end, which emulates every instruction: what the
# manifest's emulate-always asks for.  BULKHEAD_MONITOR has the tool boot it.

SOFT_OBJS := $(filter-out $B/monitor/vm/vendors.c.o,$(MONITOR_OBJS)) \
	$(patsubst %,$B/monitor/tests/soft/%.c.o,soft vendors)
SOFT_LINK = $(SOFT_OBJS) $(MACHINE_BLOB) $(LIBFDT)

$B/bulkhead-soft.pass1: $(SOFT_OBJS) $(MACHINE_BLOB) boot/monitor.ld
	$(MONITOR_LD) -o $@ $(SOFT_LINK)

$B/bulkhead-soft.s: $B/bulkhead-soft.pass1 scripts/mksymbols
	sh scripts/mksymbols $< >$@

$B/bulkhead-soft.o: $B/bulkhead-soft.s
	$(CC) -c -o $@ $<

$B/bulkhead-soft.elf: $B/bulkhead-soft.o boot/monitor.ld
	$(MONITOR_LD) -o $@ $(SOFT_LINK) $B/bulkhead-soft.o

$B/bulkhead-soft32.elf: $B/bulkhead-soft.elf
	$(OBJCOPY) -O elf32-i386 $< $@
