# SPDX-License-Identifier: BSD-2-Clause
#
# The guest that tests/screen looks at, types to and steers.

# The second expansion sees a list that a later file makes.
.SECONDEXPANSION:
$B/screen/panel.elf: $B/guest/obj/tests/screen/panel.c.o $$(HOSTILE_GUEST_LIB) \
		tests/guest/lib/guest.ld
	$(HOSTILE_GUEST_LINK)

.PHONY: screen-programs
screen-programs: $B/screen/panel.elf

## screen-programs what the tests of screens and keys boot: build/screen/
