# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzer of the board pc and all its devices.

PC_FUZZ_SRCS := tests/fuzz/fuzz_pc.c lib/font.c lib/floppy.c \
	lib/user/net_packet.c lib/user/net_segments.c $(wildcard machine/pc*.c machine/board_*.c machine/virtio_*.c) \
	machine/extint.c machine/fault.c $(wildcard devices/*.c) $(wildcard firmware/*.c)

$B/fuzz/pc: $(PC_FUZZ_SRCS) $(wildcard devices/*.h machine/*.h) \
		$(ACPI_HEX) $B/firmware/bootrom.hex
	@mkdir -p $(@D)
	clang $(COMMON) -I$B -DHOST_TEST -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(PC_FUZZ_SRCS)

.PHONY: fuzz-pc
fuzz-pc: $B/fuzz/pc
	@mkdir -p $B/fuzz/pc.seeds
	$B/fuzz/pc -runs=$(RUNS) -max_len=2048 -len_control=0 \
		-artifact_prefix=$B/fuzz/ $B/fuzz/pc.seeds

## fuzz-pc        let a wild guest loose on the board (RUNS=n)
