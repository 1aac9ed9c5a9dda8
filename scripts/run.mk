# SPDX-License-Identifier: BSD-2-Clause
#
# Guest disks, and the targets that boot them.

GUEST	?= quick
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

$B/images/grub-rescue.iso: /usr/lib/grub-rescue/grub-rescue-cdrom.iso
	@mkdir -p $(@D)
	@cp $< $@

# The images that manifests of ours name; others have to be there.
guest_image = $(wildcard $B/images/$(GUEST).img) \
	$(if $(filter quick debian,$(GUEST)),$B/images/$(GUEST).img)

.PHONY: run
run: $B/bulkhead32.elf programs $B/manifest-check $(sort $(guest_image))
	@BULKHEAD_BUILD=$(abspath $B) scripts/bulkhead run $(MANIFEST) $(RUN)

.PHONY: iso
iso: $B/bulkhead32.elf programs $B/manifest-check $(sort $(guest_image))
	@BULKHEAD_BUILD=$(abspath $B) scripts/bulkhead image $(MANIFEST) \
		-o $B/$(GUEST).iso

## run            boot a guest in QEMU, its console here (GUEST=quick or debian,
##                MANIFEST=file.dts, RUN="more options of scripts/bulkhead run")
## iso            the same as a bootable ISO, build/GUEST.iso
