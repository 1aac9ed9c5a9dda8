# SPDX-License-Identifier: BSD-2-Clause
#
# The DSDT, compiled from ASL into an array that firmware/acpi.c includes.

$B/firmware/dsdt.hex: firmware/dsdt.asl
	@mkdir -p $(@D)
	iasl -p $(basename $@) -tc $< >$(basename $@).log || \
		{ cat $(basename $@).log; exit 1; }
	@sed -i 's/^unsigned char/static const unsigned char/' $@

ACPI_OBJS := $(addsuffix /firmware/acpi.c.o,$B/machine $B/host)
$(ACPI_OBJS): $B/firmware/dsdt.hex
$(ACPI_OBJS): MACHINE += -I$B
$(ACPI_OBJS): HOSTSAN += -I$B
