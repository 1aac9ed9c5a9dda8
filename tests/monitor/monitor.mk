# SPDX-License-Identifier: BSD-2-Clause
# The monitor's base with tests in the place of guests.

SELFTEST_OBJS := $(call objs,boot mm lib,$B/monitor) $B/monitor/drivers/uart.c.o \
	$(call objs,kernel,$B/monitor) \
	$B/monitor/tests/monitor/selftest.c.o

$B/selftest.pass1: $(SELFTEST_OBJS) boot/monitor.ld
	$(MONITOR_LD) -o $@ $(SELFTEST_OBJS)

$B/selftest.s: $B/selftest.pass1 scripts/mksymbols
	sh scripts/mksymbols $< >$@

$B/selftest.o: $B/selftest.s
	$(CC) -c -o $@ $<

$B/selftest.elf: $B/selftest.o boot/monitor.ld
	$(MONITOR_LD) -o $@ $(SELFTEST_OBJS) $B/selftest.o

$B/selftest32.elf: $B/selftest.elf
	$(OBJCOPY) -O elf32-i386 $< $@

.PHONY: selftest
selftest: $B/selftest32.elf
	tests/monitor/run $B/selftest32.elf
## selftest       the monitor's base, tested on the simulated machine
