/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power management function of the 82371AB (PIIX4), which boards of this
 * kind put beside a PIIX3: ACPI event and control registers, PM timer, general
 * purpose events, the SMI command port's ACPI switch, SMBus host.
 *
 * Modelled: power-off by S5, power button, timer overflow, SCI.  Not modelled:
 * SMIs (the APMC enable bit says that somebody has set them up already, so
 * firmware leaves them alone), other sleep states, throttling, device
 * monitors; the SMBus has no device on it.
 *
 * References: 82371AB (PIIX4) data sheet (290562-001), "Power Management
 * Function"; ACPI specification 1.0b, chapter 4.7.
 */
#ifndef BULKHEAD_DEVICES_PIIX4_PM_H
#define BULKHEAD_DEVICES_PIIX4_PM_H

#include "devices/pci.h"

#define PM_TIMER_HZ	3579545
#define PM_GPE_PORT	0xafe0
#define PM_SMI_COMMAND	0xb2
#define PM_ACPI_ENABLE	0xf1
#define PM_ACPI_DISABLE 0xf0
#define PM_SCI_IRQ	9

/* Configuration registers, for a board without firmware. */
#define PM_CONFIG_PMBASE 0x40 /* | 1 */
#define PM_CONFIG_PMMISC 0x80 /* 1: decode PMBASE */
#define PM_CONFIG_SMBBA	 0x90 /* | 1 */
#define PM_CONFIG_SMBCFG 0xd2 /* 9: decode SMBBA */

struct piix4_pm_state {
	uint64_t deadline_ns;  /* of the timer */
	uint64_t toggles_seen; /* of the timer's top bit */
	struct pci_device_state pci;
	uint32_t pm_base; /* 0: not decoded */
	uint32_t smbus_base;
	uint16_t status; /* PM1_STS without what the timer adds */
	uint16_t enable;
	uint16_t control;
	uint16_t gpe_status;
	uint16_t gpe_enable;
	uint8_t apm_control;
	uint8_t apm_status;
	uint8_t smbus[16];
};

struct piix4_pm {
	struct device device;
	struct piix4_pm_state state;
	struct pci_device pci;
	uint32_t pm_mapped; /* where the blocks are on the bus now */
	uint32_t smbus_mapped;
	bool sci_level;
	struct irq_line sci;
	struct clock *clock;
	struct clock_timer timer;
	void (*power_off)(void *ctx);
	void *ctx;
};

extern const struct device_ops piix4_pm_ops;

/* Becomes function 3 of slot 1. */
int __must_check piix4_pm_init(struct piix4_pm *pm, struct pci_bus *bus,
			       struct clock *clock, struct irq_line sci,
			       void (*power_off)(void *ctx), void *ctx);
void piix4_pm_reset(struct piix4_pm *pm);

void piix4_pm_power_button(struct piix4_pm *pm);

#endif
