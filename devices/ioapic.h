/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82093AA I/O APIC with 24 pins, and the EOI register of its successors
 * (version 0x20).
 *
 * Sends its interrupts as messages in the form of a PCI MSI, which arrive at
 * once or, as long as no local APIC accepts a level-triggered one, are pending
 * (delivery status).  Not modelled: the serial APIC bus and its arbitration,
 * polarity (the board's lines are logical); an edge that nobody accepts is
 * lost.
 *
 * References: 82093AA data sheet (290566-001); SDM volume 3, "Message
 * Signalled Interrupts".
 */
#ifndef BULKHEAD_DEVICES_IOAPIC_H
#define BULKHEAD_DEVICES_IOAPIC_H

#include "devices/bus.h"
#include "include/device.h"

#define IOAPIC_PINS 24
#define IOAPIC_BASE 0xfec00000ULL

struct ioapic_state {
	uint64_t entry[IOAPIC_PINS];
	uint32_t lines; /* one bit a pin */
	uint8_t id;
	uint8_t selected;
	uint8_t reserved[2];
};

struct ioapic {
	struct device device;
	struct ioapic_state state;
	bool (*send)(void *ctx, uint64_t msi_address, uint32_t msi_data);
	void *ctx;
	/* Destinations have 15 bits, the high ones in bits 55 to 49 of an
	 * entry and 11 to 5 of a message's address: what paravirtual guests
	 * are told of.  Set before the guest runs. */
	bool has_long_ids;
};

extern const struct device_ops ioapic_ops;

/* Takes a page at IOAPIC_BASE.  send: false if no local APIC accepted it. */
int __must_check ioapic_init(struct ioapic *ioapic, struct bus *memory,
			     bool (*send)(void *ctx, uint64_t msi_address,
					  uint32_t msi_data),
			     void *ctx);
void ioapic_reset(struct ioapic *ioapic);

/* An input.  The signature of an irq_line's sink. */
void ioapic_irq_set(void *ioapic, unsigned pin, bool level);

/* A local APIC has ended the level-triggered interrupt of that vector. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);
/* A local APIC may accept now what none did before. */
void ioapic_retry(struct ioapic *ioapic);

#endif
