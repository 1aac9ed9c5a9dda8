# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzzers of the emulator: raw bytes under libFuzzer and the sanitizers, and
# random instructions against the build machine's own processor.

RUNS	?= 1000000
SECONDS	?= 60

FUZZ_FLAGS := $(HOST) -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all -Wno-unused-command-line-argument

# An execution is short: tracing compares and weighing the corpus would cost
# more than it does.
FUZZ_FASTER := -fno-sanitize-coverage=trace-cmp

$B/fuzz/emulate: tests/fuzz/fuzz_emulate.c $(wildcard emulate/*.[ch]) \
		include/emulate.h include/x86_state.h
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) $(FUZZ_FASTER) -o $@ $(filter %.c,$^)

.PHONY: fuzz-emulate-raw
fuzz-emulate-raw: $B/fuzz/emulate
	@mkdir -p $B/fuzz/corpus
	$< -max_len=512 -runs=$(RUNS) -print_final_stats=0 -entropic=0 \
		-reduce_inputs=0 \
		-artifact_prefix=$B/fuzz/ $B/fuzz/corpus

## fuzz-emulate-raw  RUNS=n raw inputs through the emulator, sanitized

EMULATE_OBJS := $(call objs,emulate,$B/machine)

$B/fuzz/native: tests/fuzz/fuzz_native.c tests/fuzz/fuzz_generate.c \
		tests/fuzz/fuzz_tolerate.c tests/fuzz/fuzz_native.h $(EMULATE_OBJS)
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -no-pie -o $@ $(filter-out %.h,$^)

.PHONY: fuzz-emulate
fuzz-emulate: $B/fuzz/native
	$< $(SECONDS)

## fuzz-emulate   SECONDS=n of random instructions against this processor
