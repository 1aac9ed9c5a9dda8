# SPDX-License-Identifier: BSD-2-Clause
#
# Links the monitor in two passes: the second holds the symbol table that nm
# read from the first.  The table comes after all code, which it so cannot
# move.

MONITOR_LD = $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
	--no-warn-rwx-segments --build-id=none --gc-sections -T boot/monitor.ld
MONITOR_LINK = $(MONITOR_OBJS)

$B/bulkhead.pass1: $(MONITOR_OBJS) boot/monitor.ld
	$(MONITOR_LD) -o $@ $(MONITOR_LINK)

$B/symbols.s: $B/bulkhead.pass1 scripts/mksymbols
	sh scripts/mksymbols $< >$@

$B/symbols.o: $B/symbols.s
	$(CC) -c -o $@ $<

$B/bulkhead.elf: $B/symbols.o boot/monitor.ld
	$(MONITOR_LD) -o $@ $(MONITOR_LINK) $B/symbols.o
