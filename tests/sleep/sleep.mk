# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of sleep states boot: Debian's kernel with an initial RAM disk.

$B/sleep/linux.cpio: tests/sleep/mkguest tests/sleep/init scripts/mkinitrd \
		scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/sleep/mkguest $B/kernel $@

.PHONY: sleep-programs
sleep-programs: $B/sleep/linux.cpio $B/bench/vmlinux

## sleep-programs what the tests of sleep states boot: build/sleep/
