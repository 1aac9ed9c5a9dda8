/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's I/O APICs: everything masked but what is routed.
 */
#ifndef BULKHEAD_DRIVERS_IOAPIC_H
#define BULKHEAD_DRIVERS_IOAPIC_H

#include "include/compiler.h"

#define IOAPICS_MAX 8

struct ioapic {
	volatile uint8_t *registers;
	uint32_t gsi_base;
	uint32_t pin_count;
};

struct ioapics {
	unsigned count;
	struct ioapic ioapic[IOAPICS_MAX];
};

/* Adds one and masks all its pins.  -ENOSPC. */
int __must_check ioapic_add(struct ioapics *ioapics, void *registers,
			    uint32_t gsi_base);

/* -ENODEV: no I/O APIC has that pin; -ERANGE: apic_id needs more bits. */
int __must_check ioapic_route(const struct ioapics *ioapics, uint32_t gsi,
			      bool is_level, bool is_active_low, uint8_t vector,
			      uint32_t apic_id);
/* Harmless if there is no such pin. */
void ioapic_mask(const struct ioapics *ioapics, uint32_t gsi);

/* Masks both 8259s, their vectors moved out of the exceptions' way. */
void pic_mask_all(void);

#endif
