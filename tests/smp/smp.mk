# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of many vCPUs boot: Debian's kernel with an initial RAM disk.

$B/smp/kexec: tests/smp/kexec.c
	@mkdir -p $(@D)
	$(HOSTCC) -O2 $(WARN) -static -o $@ $<

SMP_GUEST := tests/smp/mkguest tests/smp/init $B/smp/kexec \
	scripts/mkinitrd $B/kernel/version

$B/smp/linux.cpio: $(SMP_GUEST)
	tests/smp/mkguest $B/kernel $B/smp/kexec $@

$B/smp/stress.cpio: $(SMP_GUEST)
	tests/smp/mkguest $B/kernel $B/smp/kexec $@ stress-ng

.PHONY: smp-programs smp-matrix
smp-programs: $B/smp/linux.cpio $B/smp/stress.cpio $B/bench/vmlinux

smp-matrix: $B/bulkhead32.elf programs $B/manifest-check smp-programs
	@CPUS=$(or $(CPUS),2) BULKHEAD_BUILD=$(abspath $B) tests/smp/matrix $(or $(SECONDS),60)

## smp-programs   what the tests of many vCPUs boot: build/smp/
## smp-matrix     Linux with 1 to 32 vCPUs on two CPUs: boot, hotplug, stress-ng
##                for SECONDS=60 each; an hour or two
