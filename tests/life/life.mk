# SPDX-License-Identifier: BSD-2-Clause
# First programs of their own, and what they start.

LIFE_USER := $(USER_OBJS)

$B/life/%.elf: $B/machine/tests/life/%.c.o $(LIFE_USER) lib/user/program.ld
	@mkdir -p $(@D)
	$(call say,LD)
	$Q$(PROGRAM_LINK) -o $@.full $(filter %.o,$^)
	$Q$(OBJCOPY) --strip-all $@.full $@

# init but for its main.c and the manifest's reader.
$B/life/host.elf: $(filter-out \
	$(patsubst %,$B/machine/%.o,init/main.c $(wildcard init/manifest*.c)),\
	$(call objs,$(PROGRAM_init),$B/machine))

.PHONY: life-programs test-life
life-programs: $B/life/life.elf $B/life/child.elf $B/life/host.elf \
	$B/hostile/evil.elf $B/hostile/bad.elf

test-life: $B/bulkhead32.elf programs life-programs
	@tests/life/run $B 1 host 1000
	@tests/life/run $B 2 host 1000

## test-life      a thousand starts, stops, restarts and crashes of everything
