# SPDX-License-Identifier: BSD-2-Clause
#
# What the benchmarks boot: the exit benchmark's guest, and Debian's kernel,
# unpacked, with an initial RAM disk that tells the time and stops.

# The second expansion sees a list that a later file makes.
.SECONDEXPANSION:

BENCH_FLAGS := -O2 -m64 -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mno-sse -mno-mmx -mno-80387 -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -mcmodel=small \
	-Wall -std=gnu11

# Built as where the peers' figures come from, so that they compare.
$B/bench/exitbench.elf: tests/bench/exitbench/guest.c \
		tests/bench/exitbench/guest.ld
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -c -o $@.o $<
	$(LD) -nostdlib -static -z max-page-size=4096 --build-id=none \
		--no-warn-rwx-segments -T tests/bench/exitbench/guest.ld \
		-o $@.64 $@.o
	$(OBJCOPY) -O elf32-i386 $@.64 $@

$B/bench/vmlinux: $B/kernel/version scripts/extract-vmlinux
	@mkdir -p $(@D)
	scripts/extract-vmlinux $B/kernel/vmlinuz $@

$B/bench/init: tests/bench/linux/init.asm
	@mkdir -p $(@D)
	$(NASM) -f elf64 -o $@.o $<
	$(LD) -nostdlib -static -z noexecstack --build-id=none -o $@ $@.o

$B/bench/initrd.img: $B/bench/init scripts/mkinitrd
	scripts/mkinitrd $@ init=$<

# A Linux that measures its disk, and the drivers that it loads: IDE, and virtio
# for the simulator without Bulkhead.  Where its first program lies is nobody
# else's code.
DISK_GUEST_VA := 0x20000000
DISK_GUEST_DRIVERS := ata_piix sd_mod virtio_pci virtio_blk

$(addprefix $B/bench/,disk/guest net/guest wake/guest): \
		$B/bench/%/guest: tests/bench/%/guest.c tests/bench/linux/first.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -I . -c -o $@.o $<
	$(LD) -nostdlib -static -z noexecstack --build-id=none \
		-Ttext-segment=$(DISK_GUEST_VA) -o $@ $@.o

$B/bench/disk/initrd.img: $B/bench/disk/guest $B/kernel/version \
		scripts/mkinitrd scripts/kernel-modules
	scripts/mkinitrd $@ init=$< $$(scripts/kernel-modules $B/kernel \
		$(DISK_GUEST_DRIVERS) | awk '{ printf "%02d.ko=%s ", NR - 1, $$0 }')

$B/bench/wake/initrd.img: $B/bench/wake/guest scripts/mkinitrd
	scripts/mkinitrd $@ init=$<

# Two Linux guests that measure what a frame costs.
$B/bench/net/initrd.img: $B/bench/net/guest $B/kernel/version \
		scripts/mkinitrd scripts/kernel-modules
	scripts/mkinitrd $@ init=$< $$(scripts/kernel-modules $B/kernel \
		e1000 virtio_pci virtio_net af_packet | awk '{ printf "%02d.ko=%s ", NR - 1, $$0 }')

# A picture and keys, one of many, and a virtio console: tiny guests as those of tests/guest.
$(addprefix $B/bench/,screen/guest.elf scale/guest.elf console/guest.elf): \
		$B/bench/%/guest.elf: \
		$B/guest/obj/tests/bench/%/guest.c.o $$(GUEST_LIB) \
		tests/guest/lib/guest.ld
	@mkdir -p $(@D)
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments --build-id=none \
		-T tests/guest/lib/guest.ld -o $@.64 $(filter %.o,$^)
	$(OBJCOPY) -O elf32-i386 $@.64 $@
	@rm -f $@.64

$B/bench/start/sector.img: tests/bench/start/sector.asm
	@mkdir -p $(@D)
	$(NASM) -f bin -o $@ $<
	truncate -s 1M $@

# Plugins for QEMU.
$B/bench/paths.so: tests/bench/paths/paths.c
$B/bench/split.so: tests/bench/split/split.c
$B/bench/paths.so $B/bench/split.so: scripts/pace/qemu_plugin.h
	@mkdir -p $(@D)
	$(HOSTCC) -O2 $(WARN) -shared -fPIC -fvisibility=hidden -I . -o $@ \
		$(filter %.c,$^)

BENCH_FILES := $(addprefix $B/bench/,exitbench.elf vmlinux initrd.img paths.so split.so \
	domains/ping.elf domains/pong.elf disk/initrd.img net/initrd.img wake/initrd.img \
	screen/guest.elf start/sector.img scale/guest.elf console/guest.elf)

.PHONY: bench bench-files
bench-files: $(BENCH_FILES)
bench: $B/bulkhead32.elf programs $B/manifest-check guest-programs \
		hostile-programs $(BENCH_FILES)
	@BULKHEAD_BUILD=$(abspath $B) scripts/bench $(if $(SIM),--sim $(SIM)) \
		$(if $(CPU),--cpu $(CPU)) $(BENCH)

## bench          instructions per exit and for a whole boot, beside the peers',
##                against the budgets in tests/bench/budgets; with SIM=bochs
##                CPU=MODEL on an Intel host

.PHONY: bench-scale
bench-scale: $B/bulkhead32.elf programs $B/manifest-check $(BENCH_FILES)
	@BULKHEAD_BUILD=$(abspath $B) tests/bench/scale/run

## bench-scale    what the Nth guest of 64, or vCPU of 32, costs: as much as the first;
##                its memory; what sleeping guests leave the CPU: some minutes
