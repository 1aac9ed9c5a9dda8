# SPDX-License-Identifier: BSD-2-Clause
#
# Systems as users have them, from Debian's packages: docs/systems.md.

# Of a package NAME of Debian's, what it has, in build/systems/NAME/root.
$B/systems/%/fetched: scripts/fetch-package
	@mkdir -p $(@D)
	@scripts/fetch-package $* '$*' $(@D) >/dev/null
	@touch $@

.PRECIOUS: $B/systems/%/fetched

$B/images/memdisk.img: scripts/mkmemdisk $B/systems/syslinux/fetched \
		$B/systems/syslinux-common/fetched
	@mkdir -p $(@D)
	@scripts/mkmemdisk $B/systems $@

# As long as the disk that it is written to.
$B/images/grub-floppy.img: /usr/lib/grub-rescue/grub-rescue-floppy.img
	@mkdir -p $(@D)
	@cp $< $@ && truncate -s 1440K $@

$B/systems/i386/%/fetched: scripts/fetch-package | $B/systems/apt-i386/apt.conf
	@mkdir -p $(@D)
	@scripts/apt-i386 $B/systems/apt-i386 scripts/fetch-package $* $* $(@D) >/dev/null
	@touch $@

# The lists, before several ask for them.
$B/systems/apt-i386/apt.conf: scripts/apt-i386
	@scripts/apt-i386 $(@D) true

$B/systems/i386/%/version: scripts/fetch-kernel | $B/systems/apt-i386/apt.conf
	@scripts/apt-i386 $B/systems/apt-i386 scripts/fetch-kernel $(@D) $*
	@touch $@

BUSYBOX_I386 := $B/systems/i386/busybox-static/root/bin/busybox

$B/images/linux-%.img: $B/systems/i386/linux-image-%/version scripts/mkquick \
		scripts/kernel-modules scripts/mkdisk $B/systems/i386/busybox-static/fetched
	@scripts/mkquick $(<D) $@ $(BUSYBOX_I386)

$B/images/xen-dom0.img: $B/images/xen.elf $B/kernel/version scripts/mkquick \
		scripts/kernel-modules scripts/mkdisk
	@scripts/mkquick $B/kernel $@ /bin/busybox $<

$B/images/gnumach.elf: $B/systems/gnumach-image-1.8-486/fetched
	@mkdir -p $(@D)
	@gunzip -c $(<D)/root/boot/gnumach-1.8-486.gz >$@

# Kernel and initial RAM disk of the installer, as network boot has them.
$B/images/di-%.linux: $B/systems/debian-installer-12-netboot-%/fetched
	@mkdir -p $(@D)
	@cp $(<D)/root/usr/lib/debian-installer/images/12/$*/text/debian-installer/$*/linux $@

$B/images/di-%.initrd: $B/systems/debian-installer-12-netboot-%/fetched
	@mkdir -p $(@D)
	@cp $(<D)/root/usr/lib/debian-installer/images/12/$*/text/debian-installer/$*/initrd.gz $@

# dnsmasq and those of its libraries that not each Debian has.
NET_SERVER := dnsmasq-base libnetfilter-conntrack3 libnfnetlink0 libmnl0 libnftables1 \
	libnftnl11 libxtables12 libjansson4 libdbus-1-3

$B/images/net-server.cpio: scripts/mknetserver $(NET_SERVER:%=$B/systems/%/fetched) \
		$B/kernel/version scripts/mkinitrd $(wildcard examples/systems/network/*)
	@mkdir -p $(@D)
	@scripts/mknetserver $B/kernel $B/systems $@

$B/images/vmlinux: $B/bench/vmlinux
	@cp $< $@

SYSTEM_IMAGES := $(addprefix $B/images/,grub-floppy.img memdisk.img linux-686.img \
	linux-686-pae.img xen-dom0.img gnumach.elf di-i386.linux di-i386.initrd \
	di-amd64.linux di-amd64.initrd net-server.cpio vmlinux)

# What tests/boot/floppy.test and pv.test have for i386.
TESTS_I386 := $(foreach p,busybox-static mtools libc6 libc6-dev libgcc-12-dev, \
	$B/systems/i386/$p/fetched) $(foreach p,686 686-pae, \
	$B/systems/i386/linux-image-$p/version)

.PHONY: systems-images
systems-images: firmware-cases $(SYSTEM_IMAGES) $(TESTS_I386)

# SYSTEMS=PATTERN: only those.
.PHONY: test-systems
test-systems: systems-images
	BULKHEAD_BUILD=$(abspath $B) scripts/bulkhead test examples/systems -j1 \
		--golden $B/systems/runs $(if $(SYSTEMS),-k '$(SYSTEMS)')
	$(if $(SYSTEMS),,BULKHEAD_BUILD=$(abspath $B) tests/boot/floppy.test i386)
	$(if $(SYSTEMS),,BULKHEAD_BUILD=$(abspath $B) tests/boot/pv.test i386)

# docs/systems.md has the counts and screens of the last green runs.
.PHONY: systems-table
systems-table:
	scripts/systems-table $B/systems/runs

## test-systems   Debian's loaders, installers, kernels: examples/systems/
##                (SYSTEMS=PATTERN: only those); systems-table: docs/systems.md
