# SPDX-License-Identifier: BSD-2-Clause
# What the cases of examples/firmware/ need and no package has.

$B/images/tiny.rom: examples/firmware/tiny.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -DMAP=$(basename $@).map -o $@ $<

$B/images/idle.img: examples/firmware/idle.asm
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f bin -o $@ $<

# Of zeros: a disk without a boot sector.
$B/images/blank.img:
	@mkdir -p $(@D)
	@truncate -s 1M $@

.PHONY: firmware-cases
firmware-cases: $B/bulkhead32.elf programs $B/manifest-check $B/pace.so \
		$B/images/tiny.rom $B/images/blank.img $B/images/idle.img $B/images/grub-rescue.iso \
		$B/hostile/crash.elf

## firmware-cases what examples/firmware/ needs, for 'bulkhead test'
