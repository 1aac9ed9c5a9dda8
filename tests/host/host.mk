# SPDX-License-Identifier: BSD-2-Clause
# The board and the emulator as a host program: tests/host/host_pc.c.

## host-pc        the board and the emulator as an ordinary program
.PHONY: host-pc
host-pc: $B/host-pc

HOST_PC_SRCS := tests/host/host_pc.c tests/host/host_cpu.c $(wildcard machine/pc*.c machine/board_*.c machine/virtio_*.c) machine/extint.c machine/fault.c lib/user/net_packet.c lib/user/net_segments.c $(filter-out lib/libc_shim.c,\
		$(call c_in,$(PURE_DIRS)))

$B/fast/%.c.o: %.c $B/flags
	@mkdir -p $(@D)
	$(HOSTCC) $(HOST) -MMD -MP -c -o $@ $<

$B/fast/firmware/acpi.c.o: HOST += -I$B
$B/fast/firmware/acpi.c.o: $(ACPI_HEX)

$B/host-pc: $(patsubst %,$B/fast/%.o,$(filter-out lib/memory.c lib/string.c lib/printf.c,\
		$(HOST_PC_SRCS)))
	$(HOSTCC) -o $@ $^
