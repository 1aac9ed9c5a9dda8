# SPDX-License-Identifier: BSD-2-Clause
#
# A board's ACPI tables as files, for ACPICA's compiler and interpreter.

ACPI_DUMP_SRCS := tests/acpi/dump.c firmware/acpi.c firmware/board.c \
	devices/ram.c

$B/acpi-dump: $(ACPI_DUMP_SRCS) $(wildcard firmware/*.h) $B/firmware/dsdt.hex $B/firmware/parallel.hex
	$(HOSTCC) $(HOST) -I$B -o $@ $(ACPI_DUMP_SRCS)

unit-programs: $B/acpi-dump
