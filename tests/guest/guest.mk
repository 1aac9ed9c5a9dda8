# SPDX-License-Identifier: BSD-2-Clause
#
# Tiny guests: tests/guest/NAME.c, with NAME_code.asm where there is one, and
# the shared runtime make build/guest/NAME.elf.  A 32-bit Multiboot ELF with
# 64-bit code in it, for simulators that load nothing else.

GUEST_FLAGS := $(FREE) -mcmodel=small
GUEST_LIB := $(patsubst %,$B/guest/obj/%.o,$(wildcard tests/guest/lib/*.c \
	     tests/guest/lib/*.asm) lib/printf.c lib/memory.c lib/string.c)
GUESTS := $(patsubst tests/guest/%.c,$B/guest/%.elf,$(wildcard tests/guest/*.c))

$B/guest/obj/%.c.o: %.c $B/flags
	@mkdir -p $(@D)
	$(CC) $(GUEST_FLAGS) -MMD -MP -c -o $@ $<

$B/guest/obj/%.asm.o: %.asm Makefile
	@mkdir -p $(@D)
	$(NASM) -f elf64 -I ./ -MD $@.d -o $@ $<

# The second expansion sees which of the files there are for this name.
.SECONDEXPANSION:
$B/guest/%.elf: $B/guest/obj/tests/guest/%.c.o $(GUEST_LIB) \
		tests/guest/lib/guest.ld \
		$$(addprefix $B/guest/obj/,$$(addsuffix .o,$$(wildcard tests/guest/$$*_code.asm)))
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments --build-id=none \
		-T tests/guest/lib/guest.ld -o $@.64 $(filter %.o,$^)
	$(OBJCOPY) -O elf32-i386 $@.64 $@
	@rm -f $@.64

# The guest of the board pv by the other protocols: lib/start.asm.
PV_GUESTS := $B/guest/pv-multiboot2.elf $B/guest/pv-pvh.elf
$B/guest/obj/multiboot2.o: PROTOCOL := -DMULTIBOOT2
$B/guest/obj/pvh.o: PROTOCOL := -DPVH
$B/guest/obj/multiboot2.o $B/guest/obj/pvh.o: tests/guest/lib/start.asm Makefile
	@mkdir -p $(@D)
	$(NASM) -f elf64 -I ./ $(PROTOCOL) -MD $@.d -o $@ $<

$(PV_GUESTS): $B/guest/pv-%.elf: $B/guest/obj/%.o \
		$B/guest/obj/tests/guest/pv.c.o \
		$(filter-out %/start.asm.o,$(GUEST_LIB)) \
		tests/guest/lib/guest.ld
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments --build-id=none \
		-T tests/guest/lib/guest.ld -o $@ $(filter %.o,$^)

.PHONY: guest-programs
guest-programs: $(GUESTS) $(PV_GUESTS)

## guest-programs tiny guests, one subject each: build/guest/*.elf
