/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * $PIR from the board description, for guests without firmware (SeaBIOS
 * writes its own).  The router is the PIIX3; a link's value is its register.
 *
 * Reference: Microsoft, "PCI IRQ Routing Table Specification" 1.0.
 */
#include "firmware/pirq.h"

#include "include/errno.h"
#include "firmware/buffer.h"

struct pirq_header {
	char signature[4];
	uint16_t version;
	uint16_t length;
	uint8_t router_bus;
	uint8_t router_devfn;
	uint16_t exclusive_irqs;
	uint32_t compatible_router;
	uint32_t miniport_data;
	uint8_t reserved[11];
	uint8_t checksum;
} __packed;
ASSERT_SIZE(struct pirq_header, 32);

struct pirq_pin {
	uint8_t link;
	uint16_t irqs;
} __packed;

struct pirq_slot {
	uint8_t bus;
	uint8_t devfn;
	struct pirq_pin pin[4];
	uint8_t slot; /* 0: soldered to the board */
	uint8_t reserved;
} __packed;
ASSERT_SIZE(struct pirq_slot, 16);

#define PIRQ_VERSION 0x0100
#define PIRQ_PIIX    0x122e8086 /* 82371FB: the PIIX3 works like it */
#define PIRQ_LINK    0x60	/* PIRQRCA in the router's configuration */
#define PIRQ_ANY_IRQ 0xdef8	/* 3-7, 9-12, 14, 15 */

int pirq_table_build(uint8_t to[PIRQ_TABLE_SIZE],
		     const struct board_description *board)
{
	struct buffer b = { .data = to, .size = PIRQ_TABLE_SIZE };
	struct pirq_header *header = buffer_take(&b, sizeof(*header));

	for (unsigned slot = 1; slot < board->pci_slot_count; slot++) {
		struct pirq_slot *entry = buffer_take(&b, sizeof(*entry));

		if (!entry)
			return -ENOSPC;
		entry->devfn = (uint8_t)(slot << 3);
		for (unsigned pin = 0; pin < 4; pin++) {
			entry->pin[pin].link =
				(uint8_t)(PIRQ_LINK + board_pirq_of(slot, pin));
			entry->pin[pin].irqs = PIRQ_ANY_IRQ;
		}
		entry->slot = slot == board->isa_slot ? 0 : (uint8_t)slot;
	}
	memcpy(header->signature, "$PIR", sizeof(header->signature));
	header->version = PIRQ_VERSION;
	header->length = (uint16_t)b.length;
	header->router_devfn = (uint8_t)(board->isa_slot << 3);
	header->compatible_router = PIRQ_PIIX;
	header->checksum = checksum_of(to, b.length);
	return (int)b.length;
}
