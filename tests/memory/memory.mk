# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of memory that comes and goes boot: Debian's kernel with an initial
# RAM disk.

$B/memory/linux.cpio: tests/memory/mkguest tests/memory/init \
		scripts/mkinitrd scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/memory/mkguest $B/kernel $@

.PHONY: memory-programs
memory-programs: $B/memory/linux.cpio $B/bench/vmlinux

## memory-programs   what the tests of memory boot: build/memory/
