/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptions of the boards: "pc", i440FX, PIIX3 and PIIX4 PM as QEMU's
 * `pc` presents them and as SeaBIOS programs them; "pv", which has nothing of a
 * PC but what processors and PCI need.
 */
#include "firmware/board.h"

#include "include/errno.h"
#include "lib/string.h"

/* SeaBIOS puts 32-bit BARs from here up, by how much RAM lies below 4 GiB. */
static uint32_t pc_pci_hole_base(uint64_t ram_low)
{
	return ram_low <= GIB(2) ? GIB(2) : GIB(3);
}

static void apic_ids_count(struct board_description *board)
{
	for (unsigned i = 0; i < board->vcpu_count; i++)
		board->apic_id[i] = (uint8_t)i;
}

int board_description_pc(struct board_description *board, uint64_t ram,
			 unsigned vcpu_count)
{
	uint64_t ram_low = MIN(ram, BOARD_PC_RAM_LOW_MAX);

	if (!vcpu_count || vcpu_count > BOARD_VCPUS_MAX || ram < MIB(1))
		return -EINVAL;
	*board = (struct board_description){
		.name = "PC (i440FX + PIIX)",
		.vcpu_count = vcpu_count,
		.cores = 1,
		.threads = 1,
		.ram_low = ram_low,
		.ram_high = ram - ram_low,
		.lapic_address = 0xfee00000,
		.ioapic_id = 0,
		.ioapic_address = 0xfec00000,
		.pci_hole_base = pc_pci_hole_base(ram_low),
		.pci_hole_end = 0xfec00000,
		.pci_slot_count = BOARD_PCI_SLOTS_MAX,
		.isa_slot = 1,
		.pirq_irq = { 10, 10, 11, 11 },
		.sci_irq = 9,
		.pm_base = 0x600,
		.gpe_base = 0xafe0,
		.smi_port = 0xb2,
		.acpi_enable = 0xf1,
		.acpi_disable = 0xf0,
		.reset_port = 0xcf9,
		.reset_value = 0x06,
		.hpet_address = 0xfed00000,
		.features = BOARD_HAS_COM1 | BOARD_HAS_COM2 |
			    BOARD_HAS_KEYBOARD | BOARD_HAS_FW_CFG |
			    BOARD_HAS_SMI,
	};
	apic_ids_count(board);
	return 0;
}

int board_description_pv(struct board_description *board, uint64_t ram,
			 unsigned vcpu_count)
{
	uint64_t ram_low = MIN(ram, BOARD_PC_RAM_LOW_MAX);

	if (!vcpu_count || vcpu_count > BOARD_VCPUS_MAX || ram < MIB(1))
		return -EINVAL;
	*board = (struct board_description){
		.name = "PV",
		.vcpu_count = vcpu_count,
		.cores = 1,
		.threads = 1,
		.ram_low = ram_low,
		.ram_high = ram - ram_low,
		.lapic_address = 0xfee00000,
		.ioapic_address = 0xfec00000,
		.pci_hole_base = BOARD_PC_RAM_LOW_MAX,
		.pci_hole_end = 0xfec00000,
		.pci_slot_count = BOARD_PCI_SLOTS_MAX,
		.pirq_irq = { BOARD_PV_PIN_INTX, BOARD_PV_PIN_INTX + 1,
			      BOARD_PV_PIN_INTX + 2, BOARD_PV_PIN_INTX + 3 },
		.pm_base = 0x600,
		.fadt_revision = 6,
		.features = BOARD_IS_REDUCED,
	};
	apic_ids_count(board);
	return 0;
}
