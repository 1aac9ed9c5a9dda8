# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of disks that remember boot: tiny guests with an IDE driver, and
# Debian's kernel with an initial RAM disk that has fio and e2fsprogs.

# The second expansion sees a list that a later file makes.
.SECONDEXPANSION:
$B/disk/%.elf: $B/guest/obj/tests/disk/%.c.o $B/guest/obj/tests/disk/ide.c.o \
		$$(HOSTILE_GUEST_LIB)
	$(HOSTILE_GUEST_LINK)

$B/disk/linux.cpio: tests/disk/mkguest tests/disk/init scripts/mkinitrd \
		scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/disk/mkguest $B/kernel $@

DISK_PROGRAMS := $(addprefix $B/disk/,power.elf probe.elf linux.cpio) $B/bench/vmlinux

.PHONY: disk-programs test-power
disk-programs: $(DISK_PROGRAMS)

CUTS	?= 300

test-power: $B/bulkhead32.elf programs $B/manifest-check $(DISK_PROGRAMS)
	@BULKHEAD_BUILD=$(abspath $B) tests/disk/power --cuts $(CUTS) \
		--history $(CUTS)

## disk-programs  what the tests of disks that remember boot: build/disk/
## test-power     300 power cuts, and 300 of each of three histories (CUTS=n)
