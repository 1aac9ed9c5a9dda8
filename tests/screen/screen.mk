# SPDX-License-Identifier: BSD-2-Clause
#
# The guest that tests/screen looks at, types to and steers, and a seat that ends
# when it is told to.

# The second expansion sees a list that a later file makes.
.SECONDEXPANSION:
$B/screen/panel.elf: $B/guest/obj/tests/screen/panel.c.o $$(HOSTILE_GUEST_LIB) \
		tests/guest/lib/guest.ld
	$(HOSTILE_GUEST_LINK)

$B/screen/seat-crash/seat.elf: $B/machine/tests/screen/seat_crash.c.o \
		$$(call objs,$$(PROGRAM_seat),$B/machine) $$(USER_OBJS) \
		lib/user/program.ld
	@mkdir -p $(@D)
	$(call say,LD)
	$Q$(PROGRAM_LINK) --wrap=request_parse -o $@.full $(filter %.o,$^)
	$Q$(OBJCOPY) --strip-all $@.full $@

.PHONY: screen-programs
screen-programs: $B/screen/panel.elf $B/screen/seat-crash/seat.elf

## screen-programs what the tests of screens and keys boot: build/screen/
