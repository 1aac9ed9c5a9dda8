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
	$(filter quick,$(GUEST)),$B/images/quick.img,$(wildcard $B/images/$(GUEST).img)))

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

## run            boot a guest in QEMU, its console here (GUEST=quick or debian,
##                MANIFEST=file.dts, RUN="more options of scripts/bulkhead run")
##                debian's disk is disks/debian.img: what it writes stays
## iso            the same as a bootable ISO, build/GUEST.iso; not of debian, whose
##                disk does not travel
