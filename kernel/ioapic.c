/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's I/O APICs and the 8259 pair, which is only ever masked.
 *
 * References: 82093AA I/O APIC data sheet; 8259A data sheet.
 */
#include "kernel/ioapic.h"

#include "include/errno.h"
#include "include/x86.h"

/* clang-format off */
#define IOAPIC_SELECT		0x00
#define IOAPIC_WINDOW		0x10
#define IOAPIC_VERSION		0x01
#define   VERSION_LAST_PIN	MASK(23, 16)
#define IOAPIC_PIN(n)		(0x10 + 2 * (n))
#define   PIN_ACTIVE_LOW	BIT(13)
#define   PIN_LEVEL		BIT(15)
#define   PIN_MASKED		BIT(16)
#define   PIN_DESTINATION	MASK(31, 24) /* of the upper half */
#define APIC_ID_MAX		0xff

#define PIC_COMMAND(base)	(base)
#define PIC_DATA(base)		((base) + 1)
#define PIC_MASTER		0x20
#define PIC_SLAVE		0xa0
#define ICW1_INIT_ICW4		0x11
#define ICW3_MASTER		0x04
#define ICW3_SLAVE		0x02
#define ICW4_8086		0x01
#define PIC_MASTER_VECTOR	0x20
#define PIC_SLAVE_VECTOR	0x28
#define PIC_ALL			0xff
/* clang-format on */

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t index)
{
	mmio_write32(ioapic->registers + IOAPIC_SELECT, index);
	return mmio_read32(ioapic->registers + IOAPIC_WINDOW);
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t index,
			 uint32_t value)
{
	mmio_write32(ioapic->registers + IOAPIC_SELECT, index);
	mmio_write32(ioapic->registers + IOAPIC_WINDOW, value);
}

int ioapic_add(struct ioapics *ioapics, void *registers, uint32_t gsi_base)
{
	struct ioapic *ioapic;
	uint32_t pin;

	if (ioapics->count == IOAPICS_MAX)
		return -ENOSPC;
	ioapic = &ioapics->ioapic[ioapics->count++];
	ioapic->registers = registers;
	ioapic->gsi_base = gsi_base;
	ioapic->pin_count = (uint32_t)FIELD_GET(
		VERSION_LAST_PIN, ioapic_read(ioapic, IOAPIC_VERSION));
	ioapic->pin_count++;
	for (pin = 0; pin < ioapic->pin_count; pin++)
		ioapic_write(ioapic, IOAPIC_PIN(pin), PIN_MASKED);
	return 0;
}

/* The pin's number, or -ENODEV. */
static int pin_find(const struct ioapics *ioapics, uint32_t gsi,
		    const struct ioapic **out)
{
	for (unsigned i = 0; i < ioapics->count; i++) {
		const struct ioapic *ioapic = &ioapics->ioapic[i];
		uint32_t pin = gsi - ioapic->gsi_base;

		if (gsi < ioapic->gsi_base || pin >= ioapic->pin_count)
			continue;
		*out = ioapic;
		return (int)pin;
	}
	return -ENODEV;
}

int ioapic_route(const struct ioapics *ioapics, uint32_t gsi, bool is_level,
		 bool is_active_low, uint8_t vector, uint32_t apic_id)
{
	const struct ioapic *ioapic;
	int pin = pin_find(ioapics, gsi, &ioapic);
	uint32_t low = vector;

	if (apic_id > APIC_ID_MAX)
		return -ERANGE;
	if (pin < 0)
		return pin;
	if (is_level)
		low |= PIN_LEVEL;
	if (is_active_low)
		low |= PIN_ACTIVE_LOW;
	ioapic_write(ioapic, IOAPIC_PIN((uint32_t)pin) + 1,
		     (uint32_t)FIELD_PUT(PIN_DESTINATION, apic_id));
	ioapic_write(ioapic, IOAPIC_PIN((uint32_t)pin), low);
	return 0;
}

void ioapic_mask(const struct ioapics *ioapics, uint32_t gsi)
{
	const struct ioapic *ioapic;
	int pin = pin_find(ioapics, gsi, &ioapic);
	uint32_t index = IOAPIC_PIN((uint32_t)pin);

	/* The rest stays: an edge's pin would not see a level's line fall. */
	if (pin >= 0)
		ioapic_write(ioapic, index,
			     ioapic_read(ioapic, index) | (uint32_t)PIN_MASKED);
}

static void pic_init(uint16_t base, uint8_t vector, uint8_t cascade)
{
	port_write8(PIC_COMMAND(base), ICW1_INIT_ICW4);
	port_write8(PIC_DATA(base), vector);
	port_write8(PIC_DATA(base), cascade);
	port_write8(PIC_DATA(base), ICW4_8086);
	port_write8(PIC_DATA(base), PIC_ALL);
}

void pic_mask_all(void)
{
	pic_init(PIC_MASTER, PIC_MASTER_VECTOR, ICW3_MASTER);
	pic_init(PIC_SLAVE, PIC_SLAVE_VECTOR, ICW3_SLAVE);
}
