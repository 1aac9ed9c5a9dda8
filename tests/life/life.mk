# SPDX-License-Identifier: BSD-2-Clause
# A first program of its own, and the program that it starts.

LIFE_USER := $(USER_OBJS)

$B/life/%.elf: $B/machine/tests/life/%.c.o $(LIFE_USER) lib/user/program.ld
	@mkdir -p $(@D)
	$(call say,LD)
	$Q$(PROGRAM_LINK) -o $@.full $(filter %.o,$^)
	$Q$(OBJCOPY) --strip-all $@.full $@

.PHONY: life-programs
life-programs: $B/life/life.elf $B/life/child.elf
