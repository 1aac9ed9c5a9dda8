# SPDX-License-Identifier: BSD-2-Clause
# A first program of its own, and the program that it starts; where the tool
# looks for init and for services.

$B/bench/domains/%.elf: $B/machine/tests/bench/domains/%.c.o $(USER_OBJS) \
		lib/user/program.ld
	@mkdir -p $(@D)
	$(call say,LD)
	$Q$(PROGRAM_LINK) -o $@.full $(filter %.o,$^)
	$Q$(OBJCOPY) --strip-all $@.full $@
