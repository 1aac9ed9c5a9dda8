/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power management function of the 82371AB (PIIX4), which boards of this
 * kind put beside a PIIX3: ACPI event and control registers, PM timer, general
 * purpose events, the SMI command port's ACPI switch, SMBus host.
 *
 * Modelled: suspend to RAM (S3), power-off by S4 and S5, power button, the
 *RTC's alarm, general purpose events, timer overflow, SCI.  Not modelled: SMIs
 *(the APMC enable bit says that somebody has set them up already, so firmware
 *leaves them alone), the states in which the processor keeps its context (S1,
 *S2), throttling, device monitors; the SMBus has no device on it.
 *
 * Sleep is two resets of the machine, one into it and one out of it:
 *
 *	          SLP_EN              reset                wake event
 *	 AWAKE ───────────► SUSPENDING ─────► ASLEEP ─────────────────► RESUMING
 *	   ▲                    │ reset, and an event is there already     │
 *	   ├────────────────────┘                                          │
 *	   └───────────────────────────── reset ───────────────────────────┘
 *
 * A reset while ASLEEP that no event asked for is one as any other.  Events,
 * their enables and SCI_EN are in the part of the chip that keeps its power.
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

/* SLP_TYP as the DSDT has it.  The chip's own S4 is its S5; a value of its own,
 * as QEMU's, tells the two apart. */
#define PM_SLEEP_S5 0
#define PM_SLEEP_S3 1
#define PM_SLEEP_S4 2

/* Bits of GPE0 that the board raises while it sleeps. */
#define PM_GPE_KEYBOARD 8
#define PM_GPE_MOUSE	9

enum piix4_pm_sleep {
	PM_AWAKE,
	PM_SUSPENDING,
	PM_ASLEEP,
	PM_RESUMING,
};

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
	uint8_t sleep; /* enum piix4_pm_sleep */
	uint8_t smbus[16];
	uint8_t reserved[7];
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
	/* By S5 or, if is_s4, by S4. */
	void (*power_off)(void *ctx, bool is_s4);
	/*
	 * The caller resets the machine after the present access, by way of
	 * piix4_pm_slept(): into sleep, out of it.  The board's, which sets it;
	 * NULL: there is no S3.
	 */
	void (*sleep_reset)(void *ctx);
	/* The PM block is at base now; the board's, which sets it, or NULL. */
	void (*moved)(void *ctx, uint16_t base);
	void *ctx;
};

extern const struct device_ops piix4_pm_ops;

/* Becomes function 3 of slot 1. */
int __must_check piix4_pm_init(struct piix4_pm *pm, struct pci_bus *bus,
			       struct clock *clock, struct irq_line sci,
			       void (*power_off)(void *ctx, bool is_s4),
			       void *ctx);
void piix4_pm_reset(struct piix4_pm *pm);

void piix4_pm_power_button(struct piix4_pm *pm);
/* The RTC's alarm: an edge. */
void piix4_pm_alarm(struct piix4_pm *pm);
/* An edge at a bit of GPE0. */
void piix4_pm_gpe(struct piix4_pm *pm, unsigned bit);

/*
 * The board is being reset, and was was the state before: if that was on the
 * way into sleep or out of it, what keeps its power is as before.  True: the
 * machine starts from there, as firmware resumes it; else it stays where it is
 * if the state is PM_ASLEEP, or starts as after any reset.
 */
bool piix4_pm_slept(struct piix4_pm *pm, const struct piix4_pm_state *was);

#endif
