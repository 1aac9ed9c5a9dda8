# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of USB boot: Debian's kernel with an initial RAM disk.

$B/usb/linux.cpio: tests/usb/mkguest tests/usb/init \
		scripts/mkinitrd scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/usb/mkguest $B/kernel $@

.PHONY: usb-programs
usb-programs: $B/usb/linux.cpio $B/bench/vmlinux

## usb-programs   what the tests of USB boot: build/usb/
