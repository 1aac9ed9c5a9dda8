# SPDX-License-Identifier: BSD-2-Clause
#
# The only way to build, run and test Bulkhead.  `make help` lists the targets.
# Everything made goes to build/.

CC	:= gcc
NASM	:= nasm
LD	:= ld
OBJCOPY	:= objcopy
HOSTCC	:= gcc
B	?= build
# Lists of what a file was made of name it as it is called here: one name.
override B := $(patsubst $(CURDIR)/%,%,$B)
ABSOLUTE_B := $(CURDIR)/$B

MAKEFLAGS += --no-builtin-rules

# One short line a file; `make V=1` shows the commands.
ifneq ($V,1)
say	= @echo '  $1	$(@:$B/%=%)'
Q	:= @
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

.PHONY: all
all: $B/bulkhead32.elf programs

# And who asks for a target by its whole path has it.
$(ABSOLUTE_B)/%: $B/% ;

# ---- Flags -----------------------------------------------------------------

WARN	:= -Wall -Wextra -Wshadow -Wundef -Wvla -Wmissing-prototypes -Werror
COMMON	:= -std=gnu11 -O2 -g -I. $(WARN) -fno-strict-aliasing
FREE	:= $(COMMON) -ffreestanding -nostdinc \
	   -isystem $(shell $(CC) -print-file-name=include) \
	   -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	   -fcf-protection=none -fno-asynchronous-unwind-tables -fno-pic \
	   -fno-pie -fno-common -ffunction-sections
MONITOR	:= $(FREE) -mcmodel=kernel
MACHINE	:= $(FREE) -mcmodel=small
HOST	:= $(COMMON) -DHOST_TEST
HOSTSAN	:= $(HOST) -fsanitize=address,undefined -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer

# ---- Sources ---------------------------------------------------------------

c_in	= $(filter-out %_offsets.c,$(wildcard $(addsuffix /*.c,$1)))
# Of folders and of files by name.
objs	= $(patsubst %,$2/%.o,$(call c_in,$1) $(wildcard $(addsuffix /*.asm,$1)) \
	  $(filter %.c,$1))

PURE_DIRS    := emulate devices firmware lib
MONITOR_DIRS := boot kernel cpumodel vm mm svm vmx lib

MONITOR_OBJS := $(filter-out %/lib/libc_shim.c.o,\
		  $(call objs,$(MONITOR_DIRS),$B/monitor)) \
		$B/monitor/drivers/uart16550.c.o

# Host tests: pure code, and those files of the monitor that are host-testable.
HOST_SRCS := $(filter-out init/main.c init/gate_ops.c lib/memory.c lib/string.c lib/printf.c \
	     lib/libc_shim.c, \
	     $(call c_in,$(PURE_DIRS) init)) \
	     $(addprefix mm/,table.c npt.c ept.c pages.c) \
	     $(addprefix cpumodel/,apic.c apic_vectors.c cpuid.c msr.c) \
	     $(addprefix kernel/,irq.c log_ring.c) \
	     $(addprefix boot/,multiboot.c ranges.c acpi.c modules.c options.c \
	     first.c speculation.c) \
	     $(addprefix lib/user/,ring.c net_packet.c net_segments.c) \
	     $(addprefix drivers/,uart16550.c dma.c framebuffer.c) \
	     $(filter-out %/main.c %/carriers.c %/local.c,$(wildcard services/seat/*.c)) \
	     lib/user/disk_client.c \
	     $(filter-out %/main.c,$(wildcard services/disk/*.c services/switch/*.c))
HOST_OBJS := $(patsubst %,$B/host/%.o,$(HOST_SRCS))

# ---- Offsets for NASM: never numbers by hand -------------------------------
# X_offsets.c says OFFSET(NAME, struct type, member) or CONSTANT(NAME, value);
# every .asm of the monitor may then `%include "offsets.inc"`.

OFFSETS := $(wildcard $(addsuffix /*_offsets.c,$(MONITOR_DIRS)))

$B/offsets/%.s: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$Q$(CC) $(MONITOR) -MMD -MP -MF $(@:.s=.d) -MT $@ -S -o $@ $<

$B/offsets.inc: $(patsubst %.c,$B/offsets/%.s,$(OFFSETS))
	@cat $^ /dev/null | sed -n \
		's/^.*->\([A-Za-z0-9_]*\) \$$*\(-*[0-9]*\).*$$/%define \1 \2/p' >$@

# ---- Compiling -------------------------------------------------------------
# A change of flags or compiler rebuilds: the stamp holds them.

$B/flags: FORCE
	@mkdir -p $B
	@echo '$(CC) $(MONITOR) $(MACHINE) $(HOSTSAN)' | cmp -s - $@ || \
		echo '$(CC) $(MONITOR) $(MACHINE) $(HOSTSAN)' >$@
FORCE:

$B/monitor/%.c.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$Q$(CC) $(MONITOR) $(CFLAGS_$(subst /,_,$*)) -MMD -MP -c -o $@ $<

$B/machine/%.c.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$Q$(CC) $(MACHINE) $(CFLAGS_$(subst /,_,$*)) -MMD -MP -c -o $@ $<

$B/monitor/%.asm.o: %.asm $B/offsets.inc Makefile
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f elf64 -g -F dwarf -I $B/ -I ./ -MD $@.d -o $@ $<

$B/machine/%.asm.o: %.asm Makefile
	@mkdir -p $(@D)
	$(call say,NASM)
	$Q$(NASM) -f elf64 -g -F dwarf -I $B/ -I ./ -MD $@.d -o $@ $<

$B/host/%.c.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,HOSTCC)
	$Q$(HOSTCC) $(HOSTSAN) -MMD -MP -c -o $@ $<

# ---- Programs: what runs in ring 3 -----------------------------------------
# PROGRAM_x names the folders of program x, and files from folders that are not
# all its own; PROGRAM_LIBS_x what else it links.

PROGRAM_machine	:= machine emulate devices firmware
PROGRAM_seat	:= services/seat services/pci_gate.c drivers/uart16550.c drivers/dma.c \
		   drivers/virtqueue.c drivers/virtio_pci.c drivers/virtio_console.c \
		   drivers/ps2.c drivers/bochs_display.c drivers/vga_text.c \
		   drivers/framebuffer.c
PROGRAM_disk	:= services/disk services/pci_gate.c drivers/dma.c drivers/virtqueue.c \
		   drivers/virtio_pci.c drivers/virtio_blk.c drivers/virtio_blk_request.c
PROGRAM_switch	:= services/switch
PROGRAM_init	:= init
PROGRAM_LIBS_init := $(shell $(CC) -print-file-name=libfdt.a)
PROGRAMS	:= machine seat disk switch init

USER_OBJS := $(call objs,lib lib/user,$B/machine)
PROGRAM_LINK = $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
	--build-id=none --gc-sections -T lib/user/program.ld

$B/gate_version.inc: include/gate.h
	@mkdir -p $(@D)
	@sed -n 's/^#define \(GATE_VERSION\)[ \t]*\([0-9]*\)/%define \1 \2/p' $< >$@

$B/machine/lib/user/entry.asm.o: $B/gate_version.inc

define program_rule
$B/programs/$1.elf: $(call objs,$(PROGRAM_$1),$B/machine) $(USER_OBJS) \
		lib/user/program.ld
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$Q$$(PROGRAM_LINK) -o $$@.full $$(filter %.o,$$^) $(PROGRAM_LIBS_$1)
	$$Q$$(OBJCOPY) --strip-all $$@.full $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$p)))

.PHONY: programs
programs: $(PROGRAMS:%=$B/programs/%.elf)

# libfdt.h is a C library's client; only these files see those headers.
CFLAGS_init_manifest := -isystem /usr/include/x86_64-linux-gnu \
	-isystem /usr/include
CFLAGS_init_manifest_property := $(CFLAGS_init_manifest)

# The same of jsmn, a JSON parser in a header.
CFLAGS_services_seat_request := -isystem /usr/include

# ---- The monitor -----------------------------------------------------------
# boot/monitor.mk links $B/bulkhead.elf.

-include boot/monitor.mk

$B/bulkhead32.elf: $B/bulkhead.elf
	$(call say,OBJCOPY)
	$Q$(OBJCOPY) -O elf32-i386 $< $@

# ---- Host unit tests -------------------------------------------------------

# Of test_x: UNIT_SRCS_test_x, files it needs besides libpure.a; _FLAGS_, before
# all others: UNIT_FAKES puts processors of the test's own in place of the host's.

UNIT_TESTS := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_FAKES := -Itests/unit/fake

$B/host/libpure.a: $(HOST_OBJS)
	@rm -f $@
	ar rcs $@ $^

# -MMD would keep the last source's headers only.
$B/unit/%: tests/unit/%.c $B/host/libpure.a $B/flags
	@mkdir -p $(@D); rm -f $@
	$(call say,HOSTCC)
	$Q$(HOSTCC) $(UNIT_FLAGS_$*) $(HOSTSAN) -MM -MP -MT $@ $< \
		$(UNIT_SRCS_$*) >$@.d
	$Q$(HOSTCC) $(UNIT_FLAGS_$*) $(HOSTSAN) -o $@ $< $(UNIT_SRCS_$*) \
		$B/host/libpure.a -lcmocka -lfdt $(UNIT_LIBS_$*)

.PHONY: unit
unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do $$t; done

.PHONY: clean
clean:
	rm -rf $B

.PHONY: help
help:
	@grep -hE '^## ' $(MAKEFILE_LIST) | sed 's/^## //'

## all            build the boot image (default)
## unit           host unit tests, under ASan and UBSan
## clean          remove build/

-include $(wildcard examples/*/*.mk firmware/*.mk scripts/*.mk tests/*.mk tests/*/*.mk tests/*/*/*.mk)
$(foreach t,$(UNIT_TESTS:$B/unit/%=%),$(eval $B/unit/$t: $(UNIT_SRCS_$t)))
-include $(shell find $B -type f -name '*.d' 2>/dev/null)
