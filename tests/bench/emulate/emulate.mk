# SPDX-License-Identifier: BSD-2-Clause
#
# The emulator's cost, by callgrind, of the objects that machine.elf is made
# of.

EMULATE_OBJS := $(call objs,emulate,$B/machine)

$B/bench/emulate: tests/bench/emulate/bench.c $(EMULATE_OBJS)
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -no-pie -o $@ $^

bench-files: $B/bench/emulate

.PHONY: bench-emulate
bench-emulate: $B/bench/emulate
	python3 tests/bench/emulate/report.py $<

## bench-emulate  host instructions per emulated instruction, with budgets
