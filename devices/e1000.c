/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82540EM: what it has of its own.  See e1000.h for what is modelled and
 * what is not.
 *
 * References: the manual's chapters 4 (PCI) and 5 (EEPROM).
 */
#include "devices/e1000.h"

#include "devices/e1000_internal.h"
#include "lib/string.h"

static const uint8_t eeprom[][3] = {
	/* word, its high byte, its low byte */
	{ 0x0a, 0x64, 0x0b }, /* init control 1: identities are ours */
	{ 0x0b, 0x00, 0x1e }, /* subsystem */
	{ 0x0c, 0x80, 0x86 }, /* its vendor */
	{ 0x0d, 0x10, 0x0e }, /* device */
	{ 0x0e, 0x80, 0x86 }, /* its vendor */
	{ 0x0f, 0x30, 0x40 }, /* init control 2 */
	{ 0x21, 0x78, 0x61 }, /* software-defined pins */
	{ 0x2f, 0x06, 0x02 }, /* LEDs */
};

static const uint16_t phy_writable[E1000_PHY_REGISTERS] = {
	E1000_PHY_WRITABLE,
};

static const struct e1000_model model = {
	.identity = {
		.name = "e1000",
		.vendor = 0x8086,
		.device = 0x100e,
		.class = NET_CLASS_ETHERNET,
		.revision = 3,
		.subsystem_vendor = 0x8086,
		.subsystem = 0x001e,
		.interrupt_pin = 1,
	},
	.ops = &e1000_ops,
	.causes = E1000_CAUSES,
	.registers = 0xa000,
	.io_size = 64,
	.packet_buffer = 64,
	.loopbacks = BIT(3),
	.queues = 1,
	.eerd_address = E1000_EERD_ADDRESS,
	.eerd_done = E1000_EERD_DONE,
	.eeprom = eeprom,
	.eeprom_count = ARRAY_SIZE(eeprom),
	.phy_id2 = 0x0c20, /* 88E1000's successor in this chip */
	.phy_writable = phy_writable,
};

const struct device_ops e1000_ops = {
	.name = "e1000",
	.version = 1,
	.state = &e1000_description,
	.reset = e1000_core_reset,
	.restored = e1000_core_restored,
	.is_valid = e1000_state_is_valid,
};

void e1000_reset(struct e1000 *nic)
{
	device_reset(&nic->core.device);
}

int e1000_init(struct e1000 *nic, const struct nic_config *config)
{
	int error;

	memset(nic, 0, sizeof(*nic));
	error = e1000_core_init(&nic->core, &model, config, &nic->state);
	return error ? error : e1000_core_add(&nic->core);
}
