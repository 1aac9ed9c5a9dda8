# SPDX-License-Identifier: BSD-2-Clause
# The monitor's base with tests in the place of guests.

# tests/monitor/boot/ is linked as boot/ is, and has its programs.c's place.
SELFTEST_OBJS := $(filter-out %/boot/programs.c.o,\
	$(call objs,boot kernel mm lib tests/monitor/boot,$B/monitor)) \
	$B/monitor/drivers/uart16550.c.o \
	$B/monitor/tests/monitor/selftest.c.o

$B/selftest.elf: $(SELFTEST_OBJS) boot/monitor.ld
	$(MONITOR_LD) -o $@ $(SELFTEST_OBJS)

$B/selftest32.elf: $B/selftest.elf
	$(OBJCOPY) -O elf32-i386 $< $@

.PHONY: selftest
selftest: $B/selftest32.elf
	tests/monitor/run $B/selftest32.elf
## selftest       the monitor's base, tested on the simulated machine
