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

# Not in the suite, which it would make some minutes longer.
.PHONY: installer-test
installer-test: $B/bulkhead32.elf programs $B/manifest-check screen-programs \
		$B/images/installer-gtk.img
	BULKHEAD_BUILD=$(abspath $B) /usr/bin/python3 \
		tests/screen/test_installer.py Graphical

## installer-test Debian's graphical installer by keys to its third question, which
##                takes some minutes: what it shows is compared with needles
## screen-programs what the tests of screens and keys boot: build/screen/
