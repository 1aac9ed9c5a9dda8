/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States of functions with MSI and MSI-X: cards of this test's own that have
 * nothing else.
 */
#include "tests/unit/state_test.h"

#include "devices/pci_msi.h"

#define DEVFN	PCI_DEVFN(3, 0)
#define BAR	0xe0000000U
#define MSI	0xd0U
#define MSIX	0xa0U
#define TABLE	0x000U
#define PENDING 0x800U
#define VECTORS 5U

struct card_state {
	struct pci_device_state pci;
	struct pci_msix_state msix;
};

struct card {
	struct pci_bus bus;
	struct device device;
	struct pci_device pci;
	struct card_state state;
};

static const struct state_field fields[] = {
	STATE_STRUCT(struct card_state, pci, &pci_device_description),
	STATE_STRUCT(struct card_state, msix, &pci_msix_description),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct card_state, fields);

static void card_reset(void *dev)
{
	pci_device_reset(&((struct card *)dev)->pci);
}

static void card_restored(void *dev)
{
	pci_device_restored(&((struct card *)dev)->pci);
}

static bool card_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct card *card = dev;
	const struct card_state *state = saved;

	(void)now_ns;
	return pci_device_is_valid(&card->pci, &state->pci) &&
	       pci_msix_is_valid(&card->pci, &state->msix);
}

static const struct device_ops card_ops = {
	.name = "message-card",
	.version = 1,
	.state = &description,
	.reset = card_reset,
	.restored = card_restored,
	.is_valid = card_is_valid,
};

static void card_access(void *dev, struct io_access *io)
{
	pci_msix_access(&((struct card *)dev)->pci, io);
}

static void message(void *ctx, uint64_t address, uint32_t data)
{
	rig_note(ctx, address);
	rig_note(ctx, data);
}

static void intx_set(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static void card_init(struct rig *rig)
{
	static const struct pci_identity identity = { .name = "message-card",
						      .vendor = 0x1234,
						      .device = 0x5678,
						      .class = 0x0200,
						      .interrupt_pin = 1 };
	struct card *card = rig->model;
	const struct pci_bar bar = { .kind = PCI_BAR_MEMORY,
				     .size = 0x1000,
				     .region = { .fn = card_access,
						 .dev = card,
						 .width_min = 4,
						 .width_max = 4 } };

	assert_int_equal(
		pci_bus_init(&card->bus, &rig->b.ports, &rig->b.memory), 0);
	card->bus.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	card->bus.message = message;
	card->bus.message_ctx = rig;
	card->bus.intx_set = intx_set;
	card->bus.intx_ctx = rig;
	device_init(&card->device, &card_ops, card, &card->state);
	pci_device_init(&card->pci, &identity, &card->state.pci);
	assert_int_equal(pci_bar_add(&card->pci, 0, &bar), 0);
}

static struct device *card_add(struct rig *rig)
{
	static const struct pci_msix_place place = { 0, VECTORS, TABLE,
						     PENDING };
	struct card *card = rig->model;

	assert_int_equal(
		pci_msix_add(&card->pci, MSIX, &place, &card->state.msix), 0);
	assert_int_equal(pci_device_add(&card->bus, &card->pci, DEVFN), 0);
	device_reset(&card->device);
	return &card->device;
}

static struct device *masked_build(struct rig *rig)
{
	struct card *card = rig->model;

	card_init(rig);
	assert_int_equal(pci_msi_add(&card->pci, MSI, 8, true), 0);
	return card_add(rig);
}

static struct device *plain_build(struct rig *rig)
{
	struct card *card = rig->model;

	card_init(rig);
	assert_int_equal(pci_msi_add(&card->pci, MSI, 1, false), 0);
	return card_add(rig);
}

static void put(struct rig *rig, unsigned offset, unsigned size, uint32_t value)
{
	struct card *card = rig->model;

	pci_config_write(&card->bus, DEVFN, offset, size, value);
	rig_note(rig, pci_config_read(&card->bus, DEVFN, offset, size));
}

static void card_input(struct rig *rig)
{
	struct card *card = rig->model;
	uint32_t random = rig_random(rig);

	switch (random % 12) {
	case 0:
		put(rig, PCI_BAR0, 4, BAR);
		put(rig, PCI_COMMAND, 2,
		    PCI_COMMAND_MEMORY |
			    (random & BIT(8) ? PCI_COMMAND_MASTER : 0) |
			    (random & MASK(10, 9) ? 0 : PCI_COMMAND_INTX_OFF));
		break;
	case 1:
		put(rig, MSIX + 2, 2, random >> 16);
		break;
	case 2:
		put(rig, MSI + 2, 2, random >> 16);
		break;
	case 3:
		put(rig, MSI + 16, 1, random >> 16);
		break;
	case 4:
		put(rig, MSI + 4 * (random >> 8 & 7), 4, rig_random(rig));
		break;
	case 5:
		put(rig, random >> 8 & 0xff, 1, random >> 16);
		break;
	case 6:
		pci_intx_set(&card->pci, random & BIT(8));
		break;
	case 7:
		pci_message_withdraw(&card->pci, random >> 8 & 7);
		break;
	default:
		pci_message_send(&card->pci, random >> 8 & 7);
	}
}

/* The bus is a device of its own, and not the one that is tried. */
static void card_copy(struct rig *to, const struct rig *from)
{
	((struct card *)to->model)->bus.state =
		((const struct card *)from->model)->bus.state;
}

static const struct subject_region regions[] = {
	{ .base = BAR + TABLE,
	  .length = 16 * VECTORS,
	  .size = 4,
	  .is_memory = true },
	{ .base = BAR + TABLE,
	  .length = 16 * VECTORS + 16,
	  .size = 8,
	  .is_memory = true },
	{ .base = BAR + PENDING - 8,
	  .length = 24,
	  .size = 4,
	  .is_memory = true },
};

static const struct subject subjects[] = {
	{ .name = "message-card",
	  .size = sizeof(struct card),
	  .build = masked_build,
	  .regions = regions,
	  .region_count = ARRAY_SIZE(regions),
	  .input = card_input,
	  .copy = card_copy },
	{ .name = "message-card-plain",
	  .size = sizeof(struct card),
	  .build = plain_build,
	  .regions = regions,
	  .region_count = ARRAY_SIZE(regions),
	  .input = card_input,
	  .copy = card_copy },
};

static void list_endless(void *saved)
{
	((struct card_state *)saved)->pci.config[MSIX + 1] = MSIX;
}

static void table_elsewhere(void *saved)
{
	((struct card_state *)saved)->pci.config[MSIX + 5] ^= 0x10;
}

static void vector_beyond(void *saved)
{
	((struct card_state *)saved)->msix.pending |= 1U << VECTORS;
}

static void message_beyond(void *saved)
{
	((struct card_state *)saved)->pci.config[MSI + 21] = 1;
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "message-card", list_endless },
		{ "message-card", table_elsewhere },
		{ "message-card", vector_beyond },
		{ "message-card", message_beyond },
		{ "message-card-plain", list_endless },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_msi", subjects, ARRAY_SIZE(subjects), own,
			    ARRAY_SIZE(own));
}
