# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of disks that remember boot: tiny guests with an IDE driver, and
# Debian's kernel with an initial RAM disk that has fio and e2fsprogs.

# The second expansion sees a list that a later file makes.
.SECONDEXPANSION:
$B/disk/%.elf: $B/guest/obj/tests/disk/%.c.o $B/guest/obj/tests/disk/ide.c.o \
		$$(HOSTILE_GUEST_LIB)
	$(HOSTILE_GUEST_LINK)

DISK_DRIVERS := ata_piix sd_mod sr_mod ext4 crc32c_generic

$B/disk/linux.cpio: GUEST_PROGRAMS := fio mke2fs
$B/disk/linux.cpio: GUEST_DRIVERS := $(DISK_DRIVERS)
$B/disk/fio.cpio: GUEST_PROGRAMS := fio
$B/disk/fio.cpio: GUEST_DRIVERS := $(DISK_DRIVERS) virtio_pci virtio_blk
$B/disk/iperf.cpio: GUEST_PROGRAMS := iperf3
$B/disk/iperf.cpio: GUEST_DRIVERS := virtio_pci virtio_net e1000 af_packet
$B/disk/linux.cpio $B/disk/fio.cpio $B/disk/iperf.cpio: tests/disk/mkguest \
		tests/disk/init scripts/mkinitrd scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/disk/mkguest $B/kernel $@ "$(GUEST_PROGRAMS)" "$(GUEST_DRIVERS)"

DISK_PROGRAMS := $(addprefix $B/disk/,power.elf probe.elf linux.cpio fio.cpio \
	iperf.cpio) $B/bench/vmlinux

.PHONY: disk-programs test-power
disk-programs: $(DISK_PROGRAMS)

CUTS	?= 300

test-power: $B/bulkhead32.elf programs $B/manifest-check $(DISK_PROGRAMS)
	@BULKHEAD_BUILD=$(abspath $B) tests/disk/power --cuts $(CUTS) \
		--history $(CUTS)

# Minutes; the suite has the same of less.
FIO_MIB		?= 64
FIO_IOS		?= 20000
IPERF_BYTES	?= 100000000

.PHONY: fio-test iperf-test
fio-test: all $B/manifest-check $(DISK_PROGRAMS)
	BULKHEAD_BUILD=$B tests/disk/load.test fio $(FIO_MIB) $(FIO_IOS) 3600
iperf-test: all $B/manifest-check $(DISK_PROGRAMS)
	BULKHEAD_BUILD=$B tests/disk/load.test iperf $(IPERF_BYTES) 3600

## fio-test       fio with its own checksums on virtio and IDE disks, in memory and of
##                the service disk (FIO_MIB, FIO_IOS)
## iperf-test     iperf3 between two guests, by virtio's cards and by e1000's (IPERF_BYTES)
## disk-programs  what the tests of disks that remember boot: build/disk/
## test-power     300 power cuts, and 300 of each of three histories (CUTS=n)
