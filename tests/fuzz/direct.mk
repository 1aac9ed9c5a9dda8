# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzer of direct boot: clang's libFuzzer, with small real files as seeds.

RUNS ?= 100000

DIRECT_FUZZ_SRCS := tests/fuzz/fuzz_direct.c $(wildcard firmware/*.c) \
	devices/ram.c

$B/fuzz/direct: $(DIRECT_FUZZ_SRCS) $B/firmware/dsdt.hex $B/firmware/parallel.hex $B/firmware/bootrom.hex
	@mkdir -p $(@D)
	clang $(COMMON) -I$B -DHOST_TEST -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(DIRECT_FUZZ_SRCS)

.PHONY: fuzz-direct
fuzz-direct: $B/fuzz/direct $B/bench/exitbench.elf $B/bench/init $B/kernel/version
	@mkdir -p $B/fuzz/direct.seeds
	@cp $B/bench/exitbench.elf $B/bench/init $B/fuzz/direct.seeds/
	@head -c 20480 $B/kernel/vmlinuz >$B/fuzz/direct.seeds/bzimage
	$B/fuzz/direct -runs=$(RUNS) -max_len=32768 -artifact_prefix=$B/fuzz/ \
		$B/fuzz/direct.seeds

## fuzz-direct    feed broken kernels to direct boot (RUNS=n)
