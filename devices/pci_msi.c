/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-signalled interrupts of a PCI function.  See pci_msi.h for what is
 * modelled and what is not.
 *
 * References: PCI Local Bus Specification 3.0, chapters 6.8.1 (MSI) and 6.8.2
 * (MSI-X).
 */
#include "devices/pci_msi.h"

#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define MSI_CONTROL		2
#define   MSI_ENABLE		BIT(0)
#define   MSI_CAPABLE		MASK(3, 1) /* of 1 << value messages */
#define   MSI_ENABLED		MASK(6, 4)
#define   MSI_ADDRESS_64	BIT(7)
#define   MSI_MASKS		BIT(8)
#define MSI_ADDRESS		4
#define MSI_UPPER_ADDRESS	8
#define MSI_DATA		12
#define MSI_MASK		16
#define MSI_PENDING		20
#define MSI_LENGTH		14
#define MSI_LENGTH_MASKS	24
#define MSI_MESSAGES		32

#define MSIX_CONTROL		2
#define   MSIX_SIZE		MASK(10, 0) /* less 1 */
#define   MSIX_MASK_ALL		BIT(14)
#define   MSIX_ENABLE		BIT(15)
#define MSIX_TABLE		4
#define MSIX_PENDING		8
#define MSIX_LENGTH		12
#define MSIX_ENTRY_LENGTH	16
#define   MSIX_MASKED		BIT(0) /* of an entry's control */

#define MESSAGE_ADDRESS		MASK(31, 2)
/* clang-format on */

static uint32_t vectors_mask(unsigned count)
{
	return count >= 32 ? ~0U : (uint32_t)BIT(count) - 1;
}

/* The message is a write to memory like any other of the function's. */
static void emit(struct pci_device *dev, uint64_t address, uint32_t data)
{
	if (pci_is_master(dev) && dev->bus->message)
		dev->bus->message(dev->bus->message_ctx, address, data);
}

/* ---- MSI ---------------------------------------------------------------- */

static unsigned msi_length(const struct pci_device *dev)
{
	return dev->messages.has_masks ? MSI_LENGTH_MASKS : MSI_LENGTH;
}

static uint16_t msi_control(const struct pci_device *dev)
{
	return pci_get16(dev->state->config, dev->messages.msi + MSI_CONTROL);
}

static bool msi_is_on(const struct pci_device *dev)
{
	return dev->messages.msi && msi_control(dev) & MSI_ENABLE;
}

/* Software may write more than there are. */
static unsigned msi_count(const struct pci_device *dev)
{
	uint16_t control = msi_control(dev);
	uint32_t enabled = (uint32_t)FIELD_GET(MSI_ENABLED, control);
	uint32_t capable = (uint32_t)FIELD_GET(MSI_CAPABLE, control);

	return 1U << MIN(MIN(enabled, capable), 5U);
}

static void msi_emit(struct pci_device *dev, unsigned message)
{
	const uint8_t *msi = &dev->state->config[dev->messages.msi];
	uint64_t address = pci_get32(msi, MSI_ADDRESS) |
			   (uint64_t)pci_get32(msi, MSI_UPPER_ADDRESS) << 32;
	uint32_t data = pci_get16(msi, MSI_DATA);

	emit(dev, address, (data & ~(msi_count(dev) - 1)) | message);
}

static void msi_pend(struct pci_device *dev, unsigned message, bool is_pending)
{
	uint8_t *msi = &dev->state->config[dev->messages.msi];
	uint32_t bit = 1U << message;
	uint32_t pending = pci_get32(msi, MSI_PENDING);

	pci_put32(msi, MSI_PENDING,
		  is_pending ? pending | bit : pending & ~bit);
}

static void msi_send(struct pci_device *dev, unsigned message)
{
	const uint8_t *msi = &dev->state->config[dev->messages.msi];

	if (dev->messages.has_masks && pci_get32(msi, MSI_MASK) >> message & 1)
		msi_pend(dev, message, true);
	else
		msi_emit(dev, message);
}

/* Those that were masked when they happened, and no longer are. */
static void msi_send_pending(struct pci_device *dev)
{
	const uint8_t *msi = &dev->state->config[dev->messages.msi];
	uint32_t ready;

	if (!msi_is_on(dev) || !dev->messages.has_masks)
		return;
	ready = pci_get32(msi, MSI_PENDING) & ~pci_get32(msi, MSI_MASK) &
		vectors_mask(msi_count(dev));
	for (unsigned message = 0; message < MSI_MESSAGES; message++) {
		if (!(ready >> message & 1))
			continue;
		msi_pend(dev, message, false);
		msi_emit(dev, message);
	}
}

int pci_msi_add(struct pci_device *dev, unsigned offset, unsigned messages,
		bool has_masks)
{
	uint8_t *config = dev->state->config, *writable = dev->writable;
	unsigned order = 0;
	int error;

	while (order < 5 && 1U << order < messages)
		order++;
	if (1U << order != messages || dev->messages.msi)
		return -EINVAL;
	error = pci_capability_add(dev, PCI_CAPABILITY_MSI, offset,
				   has_masks ? MSI_LENGTH_MASKS : MSI_LENGTH);
	if (error)
		return error;
	pci_put16(config, offset + MSI_CONTROL,
		  (uint16_t)(MSI_ADDRESS_64 | FIELD_PUT(MSI_CAPABLE, order) |
			     (has_masks ? MSI_MASKS : 0)));
	pci_put16(writable, offset + MSI_CONTROL, MSI_ENABLE | MSI_ENABLED);
	pci_put32(writable, offset + MSI_ADDRESS, MESSAGE_ADDRESS);
	pci_put32(writable, offset + MSI_UPPER_ADDRESS, ~0U);
	pci_put16(writable, offset + MSI_DATA, 0xffff);
	if (has_masks)
		pci_put32(writable, offset + MSI_MASK, vectors_mask(messages));
	dev->messages.msi = (uint8_t)offset;
	dev->messages.has_masks = has_masks;
	return 0;
}

/* ---- MSI-X -------------------------------------------------------------- */

static uint16_t msix_control(const struct pci_device *dev)
{
	return pci_get16(dev->state->config, dev->messages.msix + MSIX_CONTROL);
}

static bool msix_is_masked(const struct pci_device *dev, unsigned vector)
{
	return msix_control(dev) & MSIX_MASK_ALL ||
	       dev->messages.table->control[vector] & MSIX_MASKED;
}

static void msix_send(struct pci_device *dev, unsigned vector)
{
	struct pci_msix_state *table = dev->messages.table;
	uint64_t address = table->address[vector] |
			   (uint64_t)table->upper_address[vector] << 32;

	if (msix_is_masked(dev, vector)) {
		table->pending |= 1U << vector;
		return;
	}
	table->pending &= ~(1U << vector);
	emit(dev, address, table->data[vector]);
}

static void msix_send_pending(struct pci_device *dev)
{
	if (!pci_msix_is_enabled(dev))
		return;
	for (unsigned vector = 0; vector < dev->messages.vectors; vector++)
		if (dev->messages.table->pending >> vector & 1)
			msix_send(dev, vector);
}

static bool place_is_valid(const struct pci_device *dev,
			   const struct pci_msix_place *place)
{
	uint64_t size, table = (uint64_t)place->vectors * MSIX_ENTRY_LENGTH;

	if (place->bar >= PCI_BARS || !place->vectors ||
	    place->vectors > PCI_MSIX_VECTORS ||
	    (place->table | place->pending) & 7)
		return false;
	size = dev->bar[place->bar].size;
	return place->table + table <= size && place->pending + 8ULL <= size &&
	       (place->pending >= place->table + table ||
		place->pending + 8ULL <= place->table);
}

int pci_msix_add(struct pci_device *dev, unsigned offset,
		 const struct pci_msix_place *place,
		 struct pci_msix_state *state)
{
	uint8_t *config = dev->state->config;
	int error;

	if (!place_is_valid(dev, place) || dev->messages.msix)
		return -EINVAL;
	error = pci_capability_add(dev, PCI_CAPABILITY_MSIX, offset,
				   MSIX_LENGTH);
	if (error)
		return error;
	pci_put16(config, offset + MSIX_CONTROL,
		  (uint16_t)FIELD_PUT(MSIX_SIZE, place->vectors - 1U));
	pci_put16(dev->writable, offset + MSIX_CONTROL,
		  MSIX_ENABLE | MSIX_MASK_ALL);
	pci_put32(config, offset + MSIX_TABLE, place->table | place->bar);
	pci_put32(config, offset + MSIX_PENDING, place->pending | place->bar);
	dev->messages.msix = (uint8_t)offset;
	dev->messages.vectors = place->vectors;
	dev->messages.table_offset = place->table;
	dev->messages.pending_offset = place->pending;
	dev->messages.table = state;
	pci_messages_reset(dev);
	return 0;
}

/* The word of the table at that offset in it. */
static uint32_t *table_word(struct pci_msix_state *table, uint64_t offset)
{
	uint64_t vector = offset / MSIX_ENTRY_LENGTH;

	switch (offset % MSIX_ENTRY_LENGTH / 4) {
	case 0:
		return &table->address[vector];
	case 1:
		return &table->upper_address[vector];
	case 2:
		return &table->data[vector];
	default:
		return &table->control[vector];
	}
}

void pci_msix_access(struct pci_device *dev, struct io_access *io)
{
	const struct pci_messages *messages = &dev->messages;
	uint64_t offset = io->offset - messages->table_offset;
	uint32_t *word;

	if (offset >= (uint64_t)messages->vectors * MSIX_ENTRY_LENGTH) {
		/* Pending bits are read-only; there is nothing else. */
		if (!io->is_write)
			io->data = io->offset == messages->pending_offset
					   ? messages->table->pending
					   : 0;
		return;
	}
	word = table_word(messages->table, offset);
	if (!io->is_write) {
		io->data = *word;
		return;
	}
	*word = (uint32_t)io->data;
	if (word == &messages->table->address[offset / MSIX_ENTRY_LENGTH])
		*word &= (uint32_t)MESSAGE_ADDRESS;
	if (offset % MSIX_ENTRY_LENGTH == 12) {
		*word &= MSIX_MASKED;
		msix_send_pending(dev);
	}
}

bool pci_msix_is_valid(const struct pci_device *dev,
		       const struct pci_msix_state *state)
{
	return !(state->pending & ~vectors_mask(dev->messages.vectors));
}

/* ---- Both --------------------------------------------------------------- */

bool pci_msix_is_enabled(const struct pci_device *dev)
{
	return dev->messages.msix && msix_control(dev) & MSIX_ENABLE;
}

bool pci_msi_is_enabled(const struct pci_device *dev)
{
	return msi_is_on(dev) || pci_msix_is_enabled(dev);
}

void pci_message_send(struct pci_device *dev, unsigned vector)
{
	if (pci_msix_is_enabled(dev)) {
		if (vector < dev->messages.vectors)
			msix_send(dev, vector);
	} else if (msi_is_on(dev)) {
		msi_send(dev, vector & (msi_count(dev) - 1));
	}
}

void pci_message_withdraw(struct pci_device *dev, unsigned vector)
{
	if (pci_msix_is_enabled(dev)) {
		if (vector < dev->messages.vectors)
			dev->messages.table->pending &= ~(1U << vector);
	} else if (msi_is_on(dev) && dev->messages.has_masks) {
		msi_pend(dev, vector & (msi_count(dev) - 1), false);
	}
}

void pci_messages_written(struct pci_device *dev, unsigned offset,
			  unsigned size)
{
	unsigned msi = dev->messages.msi, msix = dev->messages.msix;

	if (msi && offset < msi + msi_length(dev) && msi < offset + size)
		msi_send_pending(dev);
	if (msix && offset < msix + MSIX_LENGTH && msix < offset + size)
		msix_send_pending(dev);
}

void pci_messages_reset(struct pci_device *dev)
{
	struct pci_msix_state *table = dev->messages.table;

	if (!table)
		return;
	memset(table, 0, sizeof(*table));
	for (unsigned vector = 0; vector < PCI_MSIX_VECTORS; vector++)
		table->control[vector] = MSIX_MASKED;
}

/* Have only bits that software may write changed since the reset? */
static bool range_is_valid(const struct pci_device *dev,
			   const struct pci_device_state *state, unsigned first,
			   unsigned length)
{
	for (unsigned i = first; i < first + length; i++)
		if ((state->config[i] ^ dev->initial[i]) & ~dev->writable[i])
			return false;
	return true;
}

bool pci_messages_are_valid(const struct pci_device *dev,
			    const struct pci_device_state *state)
{
	unsigned msi = dev->messages.msi, msix = dev->messages.msix;

	if (msix && !range_is_valid(dev, state, msix, MSIX_LENGTH))
		return false;
	if (!msi)
		return true;
	if (!dev->messages.has_masks)
		return range_is_valid(dev, state, msi, MSI_LENGTH);
	/* What can be masked can be pending. */
	return range_is_valid(dev, state, msi, MSI_PENDING) &&
	       !(pci_get32(state->config, msi + MSI_PENDING) &
		 ~pci_get32(dev->writable, msi + MSI_MASK));
}

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_ARRAY(struct pci_msix_state, address),
	STATE_ARRAY(struct pci_msix_state, upper_address),
	STATE_ARRAY(struct pci_msix_state, data),
	STATE_ARRAY(struct pci_msix_state, control, .reset = MSIX_MASKED,
		    .max = MSIX_MASKED),
	STATE_VALUE(struct pci_msix_state, pending),
};

const struct state_description pci_msix_description =
	STATE_DESCRIPTION(struct pci_msix_state, fields);
