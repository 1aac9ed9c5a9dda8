# SPDX-License-Identifier: BSD-2-Clause
#
# The guest of tests/share/test_share.py.

$B/share/guest.elf: $B/guest/obj/tests/share/guest.c.o $(GUEST_LIB) \
		$B/guest/obj/tests/hostile/guests/hostile.c.o \
		$B/guest/obj/tests/hostile/guests/processors.asm.o \
		tests/guest/lib/guest.ld
	@mkdir -p $(@D)
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments --build-id=none \
		-T tests/guest/lib/guest.ld -o $@.64 $(filter %.o,$^)
	$(OBJCOPY) --strip-all -O elf32-i386 $@.64 $@
	@rm -f $@.64

guest-programs: $B/share/guest.elf
