/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC.  See ioapic.h for what is modelled and what is not.
 *
 * References: 82093AA data sheet (290566-001), "Register Description".
 */
#include "devices/ioapic.h"

#include "devices/state.h"
#include "lib/string.h"

/* clang-format off */
#define IOAPIC_LENGTH	0x1000

#define REG_SELECT	0x00
#define REG_WINDOW	0x10
#define REG_EOI		0x40

#define INDEX_ID		0x00
#define   ID_FIELD		MASK(27, 24)
#define INDEX_VERSION		0x01
#define   VERSION_NUMBER	0x20
#define   VERSION_MAXIMUM	MASK(23, 16)
#define INDEX_ARBITRATION	0x02
#define INDEX_ENTRY		0x10

#define ENTRY_VECTOR		MASK(7, 0)
#define ENTRY_DELIVERY		MASK(10, 8)
#define   DELIVERY_LOWEST	1 /* 0: fixed; others are edges */
#define ENTRY_LOGICAL		BIT(11)
#define ENTRY_STATUS		BIT(12)
#define ENTRY_POLARITY		BIT(13)
#define ENTRY_REMOTE_IRR	BIT(14)
#define ENTRY_LEVEL		BIT(15)
#define ENTRY_MASKED		BIT(16)
#define ENTRY_DESTINATION	MASK(63, 56)
#define ENTRY_DESTINATION_HIGH	MASK(55, 49)
#define ENTRY_WRITABLE \
	((MASK(16, 0) & ~(ENTRY_STATUS | ENTRY_REMOTE_IRR)) | ENTRY_DESTINATION)

#define MSI_BASE	0xfee00000ULL
#define MSI_DESTINATION	MASK(19, 12)
#define MSI_DESTINATION_HIGH	MASK(11, 5)
#define MSI_LOGICAL	BIT(2)
#define MSI_VECTOR	MASK(7, 0)
#define MSI_DELIVERY	MASK(10, 8)
#define MSI_ASSERT	BIT(14)
#define MSI_LEVEL	BIT(15)
/* clang-format on */

/* SMI, NMI, INIT and ExtINT are edges, whatever the trigger mode says. */
static bool is_level(uint64_t entry)
{
	return entry & ENTRY_LEVEL &&
	       FIELD_GET(ENTRY_DELIVERY, entry) <= DELIVERY_LOWEST;
}

/* False: no local APIC has accepted it. */
static bool send(struct ioapic *ioapic, uint64_t entry)
{
	uint64_t address = MSI_BASE |
			   FIELD_PUT(MSI_DESTINATION,
				     FIELD_GET(ENTRY_DESTINATION, entry)) |
			   FIELD_PUT(MSI_DESTINATION_HIGH,
				     FIELD_GET(ENTRY_DESTINATION_HIGH, entry));
	uint64_t data =
		FIELD_PUT(MSI_VECTOR, FIELD_GET(ENTRY_VECTOR, entry)) |
		FIELD_PUT(MSI_DELIVERY, FIELD_GET(ENTRY_DELIVERY, entry));

	if (entry & ENTRY_LOGICAL)
		address |= MSI_LOGICAL;
	if (is_level(entry))
		data |= MSI_LEVEL | MSI_ASSERT;
	return ioapic->send(ioapic->ctx, address, (uint32_t)data);
}

/* A level pin that asks, may ask and is not being served. */
static bool is_waiting(const struct ioapic *ioapic, unsigned pin)
{
	uint64_t entry = ioapic->state.entry[pin];

	return ioapic->state.lines & BIT(pin) && is_level(entry) &&
	       !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR));
}

/* What no local APIC accepts goes on waiting. */
static void serve_level(struct ioapic *ioapic, unsigned pin)
{
	uint64_t *entry = &ioapic->state.entry[pin];

	if (is_waiting(ioapic, pin) && send(ioapic, *entry))
		*entry |= ENTRY_REMOTE_IRR;
}

void ioapic_retry(struct ioapic *ioapic)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		serve_level(ioapic, pin);
}

void ioapic_irq_set(void *opaque, unsigned pin, bool level)
{
	struct ioapic *ioapic = opaque;
	bool rose;

	if (pin >= IOAPIC_PINS)
		return;
	rose = level && !(ioapic->state.lines & BIT(pin));
	if (level)
		ioapic->state.lines |= (uint32_t)BIT(pin);
	else
		ioapic->state.lines &= (uint32_t)~BIT(pin);
	if (is_level(ioapic->state.entry[pin]))
		serve_level(ioapic, pin);
	else if (rose && !(ioapic->state.entry[pin] & ENTRY_MASKED))
		(void)send(ioapic, ioapic->state.entry[pin]);
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	unsigned pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->state.entry[pin];

		if (!(*entry & ENTRY_REMOTE_IRR) ||
		    FIELD_GET(ENTRY_VECTOR, *entry) != vector)
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		serve_level(ioapic, pin);
	}
}

/* ---- Registers --------------------------------------------------------- */

static uint32_t window_read(const struct ioapic *ioapic)
{
	unsigned index = ioapic->state.selected;
	unsigned pin = (index - INDEX_ENTRY) / 2;
	uint64_t entry;

	switch (index) {
	case INDEX_ID:
	case INDEX_ARBITRATION:
		return (uint32_t)FIELD_PUT(ID_FIELD, ioapic->state.id);
	case INDEX_VERSION:
		return (uint32_t)(VERSION_NUMBER |
				  FIELD_PUT(VERSION_MAXIMUM, IOAPIC_PINS - 1));
	}
	if (index < INDEX_ENTRY || pin >= IOAPIC_PINS)
		return ~0U;
	entry = ioapic->state.entry[pin];
	if (is_waiting(ioapic, pin))
		entry |= ENTRY_STATUS;
	return (uint32_t)(entry >> (index & 1 ? 32 : 0));
}

static void entry_write(struct ioapic *ioapic, unsigned pin, bool is_high,
			uint32_t value)
{
	uint64_t *entry = &ioapic->state.entry[pin];
	uint64_t half = is_high ? MASK(63, 32) : MASK(31, 0);
	uint64_t long_id = ioapic->has_long_ids ? ENTRY_DESTINATION_HIGH : 0;
	uint64_t writable = half & (ENTRY_WRITABLE | long_id);
	uint64_t wide = is_high ? (uint64_t)value << 32 : value;

	*entry = (*entry & ~writable) | (wide & writable);
	/* Drivers of chips without EOI register clear it by this detour. */
	if (!is_level(*entry))
		*entry &= ~ENTRY_REMOTE_IRR;
	serve_level(ioapic, pin);
}

static void window_write(struct ioapic *ioapic, uint32_t value)
{
	unsigned index = ioapic->state.selected;
	unsigned pin = (index - INDEX_ENTRY) / 2;

	if (index == INDEX_ID)
		ioapic->state.id = (uint8_t)FIELD_GET(ID_FIELD, value);
	else if (index >= INDEX_ENTRY && pin < IOAPIC_PINS)
		entry_write(ioapic, pin, index & 1, value);
}

static void register_access(void *opaque, struct io_access *io)
{
	struct ioapic *ioapic = opaque;

	/* The chip repeats its registers all over its page's first 256 B. */
	switch (io->offset & 0xff) {
	case REG_SELECT:
		if (io->is_write)
			ioapic->state.selected = (uint8_t)io->data;
		else
			io->data = ioapic->state.selected;
		break;
	case REG_WINDOW:
		if (io->size != 4)
			break;
		if (io->is_write)
			window_write(ioapic, (uint32_t)io->data);
		else
			io->data = window_read(ioapic);
		break;
	case REG_EOI:
		if (io->is_write)
			ioapic_eoi(ioapic, (uint8_t)io->data);
		break;
	}
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_ARRAY(struct ioapic_state, entry, .reset = ENTRY_MASKED),
	STATE_VALUE(struct ioapic_state, lines, .flags = STATE_KEPT),
	STATE_VALUE(struct ioapic_state, id),
	STATE_VALUE(struct ioapic_state, selected),
	STATE_RESERVED(struct ioapic_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct ioapic_state, fields);

/* Messages are gone as soon as they are sent: nothing is left to tell. */
const struct device_ops ioapic_ops = {
	.name = "ioapic",
	.version = 1,
	.state = &description,
};

void ioapic_reset(struct ioapic *ioapic)
{
	device_reset(&ioapic->device);
}

int ioapic_init(struct ioapic *ioapic, struct bus *memory,
		bool (*send_message)(void *ctx, uint64_t msi_address,
				     uint32_t msi_data),
		void *ctx)
{
	const struct io_region region = {
		.name = "ioapic",
		.base = IOAPIC_BASE,
		.length = IOAPIC_LENGTH,
		.fn = register_access,
		.dev = ioapic,
	};

	memset(ioapic, 0, sizeof(*ioapic));
	ioapic->send = send_message;
	ioapic->ctx = ctx;
	device_init(&ioapic->device, &ioapic_ops, ioapic, &ioapic->state);
	return bus_add(memory, &region);
}
