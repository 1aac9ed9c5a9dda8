# SPDX-License-Identifier: BSD-2-Clause
# What the cases of examples/firmware/ need and no package has.

$B/images/tiny.rom: examples/firmware/tiny.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -DMAP=$(basename $@).map -o $@ $<

# With a variable that it keeps in flash memory, carefully and not; and what that
# holds at first.
$B/images/faults.rom $B/images/careless.rom: examples/firmware/faults.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -DMAP=$(basename $@).map \
		-DWHAT=$(if $(findstring careless,$@),1,0) -o $@ $<

$B/images/store.fd: examples/firmware/store.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -o $@ $<

$B/images/idle.img: examples/firmware/idle.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -o $@ $<

# A floppy disk that boots, of each format: cylinders, heads, sectors a
# track, and as many of them as SeaBIOS reads.
FLOPPY_160  := 40 1 8
FLOPPY_180  := 40 1 9
FLOPPY_320  := 40 2 8
FLOPPY_360  := 40 2 9
FLOPPY_720  := 80 2 9
FLOPPY_1200 := 80 2 15
FLOPPY_1440 := 80 2 18
FLOPPY_1680 := 80 2 21 18
FLOPPY_2880 := 80 2 36
FLOPPIES    := $(foreach k,160 180 320 360 720 1200 1440 1680 2880,$B/images/floppy$k.img)

$(FLOPPIES): $B/images/floppy%.img: examples/firmware/floppy.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -DCYLINDERS=$(word 1,$(FLOPPY_$*)) \
		-DHEADS=$(word 2,$(FLOPPY_$*)) \
		-DSECTORS=$(word 3,$(FLOPPY_$*)) \
		-DBIOS=$(or $(word 4,$(FLOPPY_$*)),$(word 3,$(FLOPPY_$*))) -o $@ $<

# Of zeros: a disk without a boot sector.
$B/images/blank.img:
	@mkdir -p $(@D)
	@truncate -s 1M $@

# The same, of a floppy disk.
$B/images/blank1440.img:
	@mkdir -p $(@D)
	@truncate -s 1440K $@

.PHONY: firmware-cases
firmware-cases: $B/bulkhead32.elf programs $B/manifest-check $B/pace.so \
		$B/images/tiny.rom $B/images/faults.rom $B/images/careless.rom \
		$B/images/store.fd $B/images/blank.img $B/images/idle.img $B/images/grub-rescue.iso $(FLOPPIES) \
		$B/images/blank1440.img \
		$B/hostile/crash.elf

# Cases that take minutes each, and rare formats of floppy disks.
.PHONY: firmware-big
firmware-big: firmware-cases $B/images/startup.img $B/images/power.img \
		$B/images/shim.img
	scripts/bulkhead test examples/firmware-big -j2 --golden $B/firmware

# Power cuts at each of the writes to flash memory by which OVMF sets a variable, and
# changes it.
.PHONY: firmware-sweep
firmware-sweep: firmware-cases $B/images/power.img
	scripts/bulkhead test examples/firmware-big/ovmf-power-cut.toml \
		-j2 --sweep k=16324..16403
	scripts/bulkhead test examples/firmware-big/ovmf-power-cut-update.toml \
		-j2 --sweep k=16404..16485

# What it costs, beside QEMU without a monitor.
.PHONY: firmware-speed
firmware-speed: firmware-cases
	BULKHEAD_BUILD=$(abspath $B) scripts/firmware-speed

## firmware-cases what examples/firmware/ needs, for 'bulkhead test'
## firmware-big   the cases of examples/firmware-big/: OVMF, minutes each; rare floppies
## firmware-sweep a power cut at each write of OVMF's variable: an hour
## firmware-speed time and instructions of firmware's tests beside plain QEMU's

# FAT disks with what UEFI's shell runs by itself.
$B/images/startup.img $B/images/power.img: $B/images/%.img: examples/firmware-big/%.nsh
	@mkdir -p $(@D)
	$(call say,MTOOLS)
	$Q$(RM) $@ && truncate -s 2880K $@ && mformat -i $@ -f 2880 ::
	$Qsed 's/$$/\r/' $< | mcopy -i $@ - ::startup.nsh

$B/images/shim.img: $B/kernel/version scripts/mkshim scripts/fetch-package
	@scripts/mkshim $B/kernel $@
