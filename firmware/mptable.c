/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MP table from the board description, for guests without firmware (SeaBIOS
 * writes its own).  It agrees with the MADT: the timer is at pin 2, PCI
 * interrupts are where the PIIX3 routes them.
 *
 * Reference: Intel, "MultiProcessor Specification" 1.4.
 */
#include "firmware/mptable.h"

#include "include/errno.h"
#include "firmware/buffer.h"

struct mp_floating {
	char signature[4];
	uint32_t table;
	uint8_t length; /* in units of 16 bytes */
	uint8_t revision;
	uint8_t checksum;
	uint8_t features[5];
} __packed;
ASSERT_SIZE(struct mp_floating, 16);

struct mp_table {
	char signature[4];
	uint16_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[8];
	char product_id[12];
	uint32_t oem_table;
	uint16_t oem_size;
	uint16_t entry_count;
	uint32_t lapic_address;
	uint16_t extended_length;
	uint8_t extended_checksum;
	uint8_t reserved;
} __packed;
ASSERT_SIZE(struct mp_table, 44);

enum mp_type {
	MP_PROCESSOR = 0,
	MP_BUS = 1,
	MP_IOAPIC = 2,
	MP_IO_INTERRUPT = 3,
	MP_LOCAL_INTERRUPT = 4,
};

struct mp_processor {
	uint8_t type;
	uint8_t apic_id;
	uint8_t apic_version;
	uint8_t flags;
	uint32_t signature;
	uint32_t features;
	uint32_t reserved[2];
} __packed;
ASSERT_SIZE(struct mp_processor, 20);

#define MP_CPU_ENABLED BIT(0)
#define MP_CPU_BOOT    BIT(1)

struct mp_bus {
	uint8_t type;
	uint8_t id;
	char name[6];
} __packed;
ASSERT_SIZE(struct mp_bus, 8);

struct mp_ioapic {
	uint8_t type;
	uint8_t id;
	uint8_t version;
	uint8_t flags;
	uint32_t address;
} __packed;
ASSERT_SIZE(struct mp_ioapic, 8);

/* I/O and local interrupt assignments have one shape. */
struct mp_interrupt {
	uint8_t type;
	uint8_t kind;
	uint16_t flags;
	uint8_t bus;
	uint8_t irq;
	uint8_t apic;
	uint8_t pin;
} __packed;
ASSERT_SIZE(struct mp_interrupt, 8);

enum mp_kind { MP_INT = 0, MP_NMI = 1, MP_EXTINT = 3 };

#define MP_CONFORMS	  0   /* as the bus has it */
#define MP_LEVEL_HIGH	  0xd /* level-triggered, active high */
#define MP_ALL_APICS	  0xff
#define MP_BUS_PCI	  0
#define MP_BUS_ISA	  1
#define MP_TIMER_PIN	  2
#define MP_APIC_VERSION	  0x14
#define MP_IOAPIC_VERSION 0x20

struct builder {
	const struct board_description *board;
	struct buffer table;
	uint16_t count;
};

static void entry_add(struct builder *b, const void *entry, uint32_t length)
{
	buffer_bytes(&b->table, entry, length);
	b->count++;
}

static void processors_add(struct builder *b)
{
	for (unsigned i = 0; i < b->board->vcpu_count; i++) {
		struct mp_processor cpu = {
			.type = MP_PROCESSOR,
			.apic_id = b->board->apic_id[i],
			.apic_version = MP_APIC_VERSION,
			.flags = MP_CPU_ENABLED | (i ? 0 : MP_CPU_BOOT),
			.signature = b->board->cpu_signature,
			.features = b->board->cpu_features,
		};

		entry_add(b, &cpu, sizeof(cpu));
	}
}

static void buses_add(struct builder *b)
{
	struct mp_bus pci = { .type = MP_BUS, .id = MP_BUS_PCI };
	struct mp_bus isa = { .type = MP_BUS, .id = MP_BUS_ISA };
	struct mp_ioapic ioapic = { .type = MP_IOAPIC,
				    .id = b->board->ioapic_id,
				    .version = MP_IOAPIC_VERSION,
				    .flags = MP_CPU_ENABLED,
				    .address = b->board->ioapic_address };

	memcpy(pci.name, "PCI   ", sizeof(pci.name));
	memcpy(isa.name, "ISA   ", sizeof(isa.name));
	entry_add(b, &pci, sizeof(pci));
	entry_add(b, &isa, sizeof(isa));
	entry_add(b, &ioapic, sizeof(ioapic));
}

static void interrupt_add(struct builder *b, uint8_t bus, uint8_t irq,
			  uint8_t pin, uint16_t flags)
{
	struct mp_interrupt entry = { .type = MP_IO_INTERRUPT,
				      .kind = MP_INT,
				      .flags = flags,
				      .bus = bus,
				      .irq = irq,
				      .apic = b->board->ioapic_id,
				      .pin = pin };

	entry_add(b, &entry, sizeof(entry));
}

static void pci_interrupts_add(struct builder *b)
{
	const struct board_description *board = b->board;

	for (unsigned slot = 1; slot < board->pci_slot_count; slot++) {
		for (unsigned pin = 0; pin < 4; pin++) {
			unsigned pirq = board_pirq_of(slot, pin);

			interrupt_add(b, MP_BUS_PCI, (uint8_t)(slot << 2 | pin),
				      board->pirq_irq[pirq], MP_CONFORMS);
		}
	}
}

/* IRQs that PCI uses belong to it alone; 2 is the cascade. */
static void isa_interrupts_add(struct builder *b)
{
	uint16_t pci_irqs = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(b->board->pirq_irq); i++)
		pci_irqs |= (uint16_t)BIT(b->board->pirq_irq[i] & 0xf);
	for (uint8_t irq = 0; irq < 16; irq++) {
		if (irq == MP_TIMER_PIN || pci_irqs & BIT(irq))
			continue;
		interrupt_add(b, MP_BUS_ISA, irq, irq ? irq : MP_TIMER_PIN,
			      irq == b->board->sci_irq ? MP_LEVEL_HIGH
						       : MP_CONFORMS);
	}
}

static void local_interrupts_add(struct builder *b)
{
	struct mp_interrupt extint = { .type = MP_LOCAL_INTERRUPT,
				       .kind = MP_EXTINT,
				       .bus = MP_BUS_ISA,
				       .apic = b->board->apic_id[0],
				       .pin = 0 };
	struct mp_interrupt nmi = { .type = MP_LOCAL_INTERRUPT,
				    .kind = MP_NMI,
				    .bus = MP_BUS_ISA,
				    .apic = MP_ALL_APICS,
				    .pin = 1 };

	entry_add(b, &extint, sizeof(extint));
	entry_add(b, &nmi, sizeof(nmi));
}

static void floating_fill(struct mp_floating *floating, uint32_t gpa)
{
	memcpy(floating->signature, "_MP_", sizeof(floating->signature));
	floating->table = gpa + (uint32_t)sizeof(*floating);
	floating->length = 1;
	floating->revision = 4;
	floating->checksum = checksum_of(floating, sizeof(*floating));
}

int mptable_build(uint8_t to[MPTABLE_SIZE],
		  const struct board_description *board, uint32_t gpa)
{
	struct builder b = { .board = board,
			     .table = { .data = to, .size = MPTABLE_SIZE } };
	struct mp_floating *floating = buffer_take(&b.table, sizeof(*floating));
	struct mp_table *table = buffer_take(&b.table, sizeof(*table));

	processors_add(&b);
	buses_add(&b);
	pci_interrupts_add(&b);
	isa_interrupts_add(&b);
	local_interrupts_add(&b);
	if (b.table.is_overflown)
		return -ENOSPC;
	floating_fill(floating, gpa);
	memcpy(table->signature, "PCMP", sizeof(table->signature));
	table->length = (uint16_t)(b.table.length - sizeof(*floating));
	table->revision = 4;
	memcpy(table->oem_id, "BULKHEAD", sizeof(table->oem_id));
	memcpy(table->product_id, "PC          ", sizeof(table->product_id));
	table->entry_count = b.count;
	table->lapic_address = board->lapic_address;
	table->checksum = checksum_of(table, table->length);
	return (int)b.table.length;
}
