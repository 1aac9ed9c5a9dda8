# SPDX-License-Identifier: BSD-2-Clause
#
# Guest disks, and the targets that boot them.

GUEST	?= quick
DISKS	?= disks
MANIFEST = examples/$(GUEST).dts

$B/kernel/version: scripts/fetch-kernel
	@scripts/fetch-kernel $B/kernel
	@touch $@

$B/images/quick.img: $B/kernel/version scripts/mkquick scripts/kernel-modules \
		scripts/mkdisk
	@scripts/mkquick $B/kernel $@

$B/images/debian.img: scripts/mkdebian scripts/mkdisk
	@scripts/mkdebian $@

$B/images/memtest.img: scripts/mkmemtest scripts/mkdisk
	@scripts/mkmemtest $@

$B/images/installer-%.img: scripts/mkinstaller scripts/mkdisk
	@scripts/mkinstaller $* $@

# What the guests of examples/mixed.dts start from, and whom they fetch from.
MIXED := $(addprefix $B/images/,mixed-i386.img mixed-amd64.img mixed.cpio vmlinux \
	u-boot.rom)
MIXED_TOOLS := scripts/mkmixed scripts/mixed-init scripts/kernel-modules \
	scripts/mkinitrd scripts/mkdisk
$B/images/mixed-i386.img: $B/systems/i386/linux-image-686/version \
		$B/systems/i386/busybox-static/fetched $(MIXED_TOOLS)
	@scripts/mkmixed $(<D) $@ $B/systems/i386/busybox-static/root/bin/busybox

$B/images/mixed-amd64.img $B/images/mixed.cpio: $B/kernel/version $(MIXED_TOOLS)
	@scripts/mkmixed $B/kernel $@

$B/images/u-boot.rom: /usr/lib/u-boot/qemu-x86_64/u-boot.rom
	@mkdir -p $(@D)
	@cp $< $@

.PHONY: mixed-images mixed-test FORCE
mixed-images: $(MIXED)

# How many megabytes each guest fetches from each of its peers, and on which host.
MIXED_MB ?= 100
MIXED_HOST ?= --cpus 2 --parallel

mixed-test: all $B/manifest-check mixed-images hostile-programs guest-programs
	BULKHEAD_BUILD=$(abspath $B) MIXED_MB=$(MIXED_MB) MIXED_SECONDS=20000 \
		tests/net/mixed.test $(MIXED_HOST)

# One apt at a time.
$B/images/xen.elf: scripts/fetch-xen | $B/kernel/version
	@scripts/fetch-xen $@

$B/images/grub-rescue.iso: /usr/lib/grub-rescue/grub-rescue-cdrom.iso
	@mkdir -p $(@D)
	@cp $< $@

# A user's own disk: made once, from what the image is then, and never again, for
# it holds what was written since.  Outside of build/, which may be removed.
$(DISKS)/%.img:
	@$(MAKE) --no-print-directory B=$B $B/images/$*.img
	@mkdir -p $(@D)
	@cp --sparse=always --reflink=auto $B/images/$*.img $@.part
	@mv $@.part $@
	@echo "       $@ is your copy of $B/images/$*.img. What the"
	@echo "       guest writes stays there; remove it to begin anew."

# The images that manifests of ours name; others have to be there.
guest_image = $(if $(filter debian,$(GUEST)),$(DISKS)/debian.img,$(if \
	$(filter	quick,$(GUEST)),$B/images/quick.img,$(if $(filter mixed,$(GUEST)),$(MIXED),$(wildcard \
	$B/images/$(GUEST).img))))

.PHONY: run
run: $B/bulkhead32.elf programs $B/manifest-check $(sort $(guest_image))
	@$(if $(findstring --display,$(RUN)),,echo "       This is the serial \
	console. For the screen add RUN='--display gtk', a"; echo "       window, or \
	RUN='--display vnc=127.0.0.1:1', for VNC viewers.")
	@BULKHEAD_BUILD=$(abspath $B) scripts/bulkhead run $(MANIFEST) $(RUN)

.PHONY: iso
iso: $B/bulkhead32.elf programs $B/manifest-check $(sort $(guest_image))
	@BULKHEAD_BUILD=$(abspath $B) scripts/bulkhead image $(MANIFEST) \
		-o $B/$(GUEST).iso

## run            boot a guest in QEMU, its console here (GUEST=quick, debian or mixed,
##                MANIFEST=file.dts, RUN="more options of scripts/bulkhead run")
##                debian's disk is disks/debian.img: what it writes stays
## mixed-test     all guests of examples/mixed.dts together, while some are killed:
##                100 MB each way, with checksums and heartbeats (MIXED_MB, MIXED_HOST)
## iso            the same as a bootable ISO, build/GUEST.iso; not of debian, whose
##                disk does not travel
