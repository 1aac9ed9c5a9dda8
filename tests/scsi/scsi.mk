# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of SCSI boot: Debian's kernel with an initial RAM disk.

$B/scsi/linux.cpio: tests/scsi/mkguest tests/scsi/init \
		scripts/mkinitrd scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/scsi/mkguest $B/kernel $@

.PHONY: scsi-programs
scsi-programs: $B/scsi/linux.cpio $B/bench/vmlinux

## scsi-programs  what the tests of SCSI boot: build/scsi/
