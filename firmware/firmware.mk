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
