/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware tells an operating system about the board, in one struct.
 * ACPI, SMBIOS, MP table, $PIR and the memory map all come from it, so they
 * cannot disagree.  The board fills it in from how it wired its devices.
 */
#ifndef BULKHEAD_FIRMWARE_BOARD_H
#define BULKHEAD_FIRMWARE_BOARD_H

#include "include/compiler.h"

#define BOARD_VCPUS_MAX	    64
#define BOARD_PCI_SLOTS_MAX 32
#define BOARD_UUID_SIZE	    16

/* What may or may not be on a board. */
enum board_feature {
	BOARD_HAS_COM1 = BIT(0),
	BOARD_HAS_COM2 = BIT(1),
	BOARD_HAS_KEYBOARD = BIT(2), /* i8042 with keyboard and mouse */
	BOARD_HAS_FLOPPY = BIT(3),
	BOARD_HAS_HPET = BIT(4),
	BOARD_HAS_FW_CFG = BIT(5),
	BOARD_HAS_SMI = BIT(6),	 /* the ACPI enable command port answers */
	BOARD_HAS_LPT1 = BIT(7), /* 378h, IRQ 7: a table of its own */
	BOARD_HAS_S3 = BIT(16),	 /* sleep states, and what wakes up */
	BOARD_HAS_S4 = BIT(17),
	/* ACPI's registers are those of devices/acpi_reduced.h, at pm_base, and
	 * there is nothing of a PC. */
	BOARD_IS_REDUCED = BIT(18),
};

struct board_description {
	const char *name; /* SMBIOS product name */
	uint8_t uuid[BOARD_UUID_SIZE];

	unsigned vcpu_count; /* 1..BOARD_VCPUS_MAX */
	uint8_t apic_id[BOARD_VCPUS_MAX];
	unsigned cores, threads; /* of a package, of a core */
	uint32_t cpu_signature;	 /* CPUID 1 EAX and EDX, for tables */
	uint32_t cpu_features;

	uint64_t ram_low;  /* bytes from 0, below pci_hole_base */
	uint64_t ram_high; /* bytes from 4 GiB */
	bool has_hole;	   /* in ram_low: BOARD_HOLE_BASE to BOARD_HOLE_END */
	bool has_no_acpi;  /* no tables, for there are no such registers */

	uint32_t lapic_address;
	uint8_t ioapic_id;
	uint32_t ioapic_address;

	/*
	 * PCI bus 0: the hole is [pci_hole_base, pci_hole_end); a device's
	 * INTx pin p (0 = INTA) in slot s reaches PIRQ (s + p - 1) mod 4, as
	 * i440FX boards wire it; PIRQ n interrupts at pirq_irq[n] after
	 * power-on and the PIIX3 in isa_slot routes it.
	 */
	uint32_t pci_hole_base;
	uint32_t pci_hole_end;
	uint8_t pci_slot_count; /* slots 1..count-1 can hold devices */
	uint8_t isa_slot;
	uint8_t pirq_irq[4];

	uint8_t sci_irq;   /* level, active high at the interrupt pin */
	uint16_t pm_base;  /* PM1 event +0, control +4, timer +8; or see
			      BOARD_IS_REDUCED */
	uint16_t gpe_base; /* GPE0: status and enable, 4 bytes */
	uint16_t smi_port; /* ACPI enable and disable commands */
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint16_t reset_port;
	uint8_t reset_value;
	uint32_t hpet_address;

	uint32_t features; /* enum board_feature */

	/*
	 * ACPI: the revision of the FADT, 1 (then all is as in ACPI 1.0), 3
	 * (which 0 is as well) to 6; whether systems that only know the RSDT
	 * are given one of revision 1 beside it; how many of the vCPUs are
	 * processor objects at most, 0: all.
	 */
	uint8_t fadt_revision;
	bool has_acpi_1;
	uint8_t acpi_processors;
};

/*
 * The board "pc" with so much memory and so many vCPUs whose APIC ids count
 * from 0; the caller adjusts what differs.  ram is split where the PCI hole
 * begins.  -EINVAL: no vCPU, too many, or less than 1 MiB.
 */
int __must_check board_description_pc(struct board_description *board,
				      uint64_t ram, unsigned vcpu_count);

/* The same of the board "pv". */
int __must_check board_description_pv(struct board_description *board,
				      uint64_t ram, unsigned vcpu_count);

/* Pins of the board "pv"'s I/O APIC, as its DSDT has them, too. */
#define BOARD_PV_PIN_COM1   4
#define BOARD_PV_PIN_INTX   16 /* and three more */
#define BOARD_PV_PIN_EVENTS 20 /* acpi_reduced's line */

/* Where RAM below 4 GiB ends at most; the rest is moved above 4 GiB. */
#define BOARD_PC_RAM_LOW_MAX GIB(3)

/* Where ISA cards may have memory, if the board has the hole. */
#define BOARD_HOLE_BASE MIB(15)
#define BOARD_HOLE_END	MIB(16)

/* The end of the RAM that begins at 1 MiB. */
static inline uint64_t board_extended_end(const struct board_description *board)
{
	return board->has_hole ? BOARD_HOLE_BASE : board->ram_low;
}

/* Which PIRQ (0..3) a slot's pin (0..3) is wired to. */
static inline unsigned board_pirq_of(unsigned slot, unsigned pin)
{
	return (slot + pin + 3) & 3;
}

#endif
