# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of virtio boot: Debian's kernel with an initial RAM disk.

$B/virtio/linux.cpio: tests/virtio/mkguest tests/virtio/init \
		scripts/mkinitrd scripts/kernel-modules $B/kernel/version
	@mkdir -p $(@D)
	tests/virtio/mkguest $B/kernel $@

.PHONY: virtio-programs
virtio-programs: $B/virtio/linux.cpio $B/bench/vmlinux

.PHONY: virtio-bochs-test
virtio-bochs-test: all $B/bulkhead32.elf $B/manifest-check virtio-programs
	BULKHEAD_BUILD=$B tests/virtio/small.test --sim bochs \
		--cpu corei7_haswell_4770

## virtio-bochs-test  Linux with virtio's disk, cards and console on VT-x
## virtio-programs  what the tests of virtio boot: build/virtio/
