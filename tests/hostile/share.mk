# SPDX-License-Identifier: BSD-2-Clause
#
# The two guests of share.test.

SHARE_GUESTS := $(patsubst %,$B/hostile/%.elf,ider idew)

$(SHARE_GUESTS): $B/hostile/%.elf: $B/guest/obj/tests/hostile/guests/%.c.o \
		$(GUEST_LIB) tests/guest/lib/guest.ld
	@mkdir -p $(@D)
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--no-warn-rwx-segments --build-id=none \
		-T tests/guest/lib/guest.ld -o $@.64 $(filter %.o,$^)
	$(OBJCOPY) -O elf32-i386 $@.64 $@
	@rm -f $@.64

guest-programs: $(SHARE_GUESTS)
