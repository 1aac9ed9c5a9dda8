# SPDX-License-Identifier: BSD-2-Clause
#
# Single-step vectors, through the very objects that machine.elf is made of.

EMULATE_OBJS := $(call objs,emulate,$B/machine)
VECTORS ?= $(firstword $(wildcard ../shared/vectors) tests/vectors/sample)

$B/unit/vectors/run: $(wildcard tests/unit/vectors/*.[ch]) $(EMULATE_OBJS)
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -no-pie -o $@ $(filter %.c,$^) $(EMULATE_OBJS) -lz

.PHONY: test-vectors
test-vectors: $B/unit/vectors/run
	$< -v 1 $(VECTORS)

## test-vectors   run the single-step vector sets in VECTORS=DIR

UNIT_SRCS_test_emulate_vectors := tests/unit/vectors/xst.c \
	tests/unit/vectors/check.c
UNIT_LIBS_test_emulate_vectors := -lz

unit-programs: $B/unit/vectors/run $B/bench/emulate $B/fuzz/native
