# SPDX-License-Identifier: BSD-2-Clause
#
# Links the monitor in two passes: the second holds the symbol table that nm
# read from the first.  The table comes after all code, which it so cannot
# move.

LIBFDT := $(shell $(CC) -print-file-name=libfdt.a)
# libfdt.h is a C library's client; only this file sees those headers.
CFLAGS_init_manifest := -isystem /usr/include/x86_64-linux-gnu \
	-isystem /usr/include

MONITOR_LD = $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
	--no-warn-rwx-segments --build-id=none --gc-sections -T boot/monitor.ld
MONITOR_LINK = $(MONITOR_OBJS) $(MACHINE_BLOB) $(LIBFDT)

# The machine rides inside the image as read-only data.
ifneq ($(wildcard machine/main.c),)
MACHINE_BLOB := $B/monitor/boot/machine_blob.o
$(MACHINE_BLOB): $B/machine.stripped boot/machine_blob.s
	@mkdir -p $(@D)
	$(CC) -c -I$B -Wa,-I$B -o $@ boot/machine_blob.s
endif

$B/bulkhead.pass1: $(MONITOR_OBJS) $(MACHINE_BLOB) boot/monitor.ld
	$(MONITOR_LD) -o $@ $(MONITOR_LINK)

$B/symbols.s: $B/bulkhead.pass1 scripts/mksymbols
	sh scripts/mksymbols $< >$@

$B/symbols.o: $B/symbols.s
	$(CC) -c -o $@ $<

$B/bulkhead.elf: $B/symbols.o boot/monitor.ld
	$(MONITOR_LD) -o $@ $(MONITOR_LINK) $B/symbols.o
