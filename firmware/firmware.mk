# SPDX-License-Identifier: BSD-2-Clause
#
# The DSDT of each board and a table of the parallel port, compiled from ASL into arrays that
# firmware/acpi.c includes.

ACPI_HEX := $(addprefix $B/firmware/,dsdt.hex dsdt_pv.hex parallel.hex)

# What the compiler calls the array is the table's kind, of which there may be
# several.
$(ACPI_HEX): $B/firmware/%.hex: firmware/%.asl
	@mkdir -p $(@D)
	iasl -p $(basename $@) -tc $< >$(basename $@).log || \
		{ cat $(basename $@).log; exit 1; }
	@sed -i 's/^unsigned char [a-z_]*_aml_code/static const unsigned char $*_aml_code/' $@

ACPI_OBJS := $(addsuffix /firmware/acpi.c.o,$B/machine $B/host)
$(ACPI_OBJS): $(ACPI_HEX)
$(ACPI_OBJS): MACHINE += -I$B
$(ACPI_OBJS): HOSTSAN += -I$B

# The option ROM that starts a kernel, as an array for firmware/bootrom.c.

$B/firmware/bootrom_offsets.inc: firmware/rom/bootrom_offsets.c Makefile
	@mkdir -p $(@D)
	$(CC) $(MONITOR) -MMD -MP -MF $(@:.inc=.d) -MT $@ -S \
		-o $(@:.inc=.s) $<
	@sed -n 's/^.*->\([A-Za-z0-9_]*\) \$$*\(-*[0-9]*\).*$$/%define \1 \2/p' \
		$(@:.inc=.s) >$@

$B/firmware/bootrom.hex: firmware/rom/bootrom.asm $B/firmware/bootrom_offsets.inc
	$(NASM) -f bin -I $B/firmware/ -o $(@:.hex=.bin) $<
	@od -An -v -tx1 $(@:.hex=.bin) | sed 's/ \(..\)/0x\1,/g' >$@

BOOTROM_OBJS := $(addsuffix /firmware/bootrom.c.o,$B/machine $B/host $B/fast)
$(BOOTROM_OBJS): $B/firmware/bootrom.hex
$(BOOTROM_OBJS): MACHINE += -I$B
$(BOOTROM_OBJS): HOSTSAN += -I$B
$(BOOTROM_OBJS): HOST += -I$B
