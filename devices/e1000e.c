/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82574L: registers and life of its own.  See e1000e.h for what is modelled
 * and what is not.
 *
 * References: the datasheet's chapters 6 (NVM), 9 (PCI) and 10 (registers);
 * PCI Bus Power Management Interface Specification 1.2, chapter 3.2; PCI
 * Express Base Specification 1.1, chapter 7.8.
 */
#include "devices/e1000e_internal.h"

#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define FLASH_SIZE		KIB(128)
#define MSIX_SIZE		KIB(16)
#define MSIX_PENDING		0x2000U

#define CAPABILITY_MSIX		0xa0
#define CAPABILITY_POWER	0xc8
#define CAPABILITY_MSI		0xd0
#define CAPABILITY_EXPRESS	0xe0

#define POWER_ID		0x01
#define POWER_LENGTH		8
#define POWER_CAPABILITIES	2
/* Version 2, initialized by a driver, PME# in D0 and D3hot. */
#define   POWER_VALUE		0x4822
#define POWER_CONTROL		4
#define   POWER_WRITABLE	0x0103 /* the state, PME_En */
#define   POWER_STATUS		BIT(15) /* PME_Status */

#define EXPRESS_ID		0x10
#define EXPRESS_LENGTH		20
#define EXPRESS_FLAGS		2
#define   EXPRESS_VALUE		0x0001 /* version 1, an endpoint */
#define EXPRESS_DEVICE		4
#define   EXPRESS_ROLES		BIT(15) /* of error reporting; 128 bytes */
#define EXPRESS_CONTROL		8
#define   EXPRESS_WRITABLE	0x7fff
#define   EXPRESS_DEFAULT	0x2810 /* 512 bytes a read; relaxed order */
#define EXPRESS_LINK		12
#define   EXPRESS_LANE		0x0011 /* one lane of 2.5 GT/s, no ASPM */
#define EXPRESS_LINK_CONTROL	16
#define   EXPRESS_LINK_WRITABLE	0x00c0 /* clock, extended sync */
#define EXPRESS_LINK_STATUS	18

#define CLOCK_TICK_NS		40 /* 25 MHz */
/* clang-format on */

/* ---- The clock of IEEE 1588 --------------------------------------------- */

/* Counts TIMINCA's value each so many ticks, which are never to be none. */
static void clock_advance(struct e1000e *nic)
{
	struct e1000e_chip *chip = &nic->state.chip;
	uint64_t now_ns = clock_now(nic->core.config.clock);
	uint64_t step_ns = CLOCK_TICK_NS *
			   FIELD_GET(E1000E_TIMINCA_PERIOD, chip->reg.timinca);
	uint64_t steps;

	if (!step_ns) {
		chip->clock_from_ns = now_ns;
		return;
	}
	steps = (now_ns - chip->clock_from_ns) / step_ns;
	chip->clock_from_ns += steps * step_ns;
	chip->clock_value +=
		steps * FIELD_GET(E1000E_TIMINCA_VALUE, chip->reg.timinca);
}

/* The lower half, and the upper half stands still until it is read. */
static uint32_t clock_read(struct e1000e *nic)
{
	struct e1000e_chip *chip = &nic->state.chip;

	clock_advance(nic);
	chip->reg.systimh = (uint32_t)(chip->clock_value >> 32);
	return (uint32_t)chip->clock_value;
}

static void clock_write(struct e1000e *nic, uint32_t offset, uint32_t value)
{
	struct e1000e_chip *chip = &nic->state.chip;

	clock_advance(nic);
	switch (offset) {
	case E1000E_SYSTIML:
		chip->clock_value = (chip->clock_value & MASK(63, 32)) | value;
		break;
	case E1000E_SYSTIMH:
		chip->clock_value = (chip->clock_value & MASK(31, 0)) |
				    (uint64_t)value << 32;
		chip->reg.systimh = value;
		break;
	case E1000E_TIMINCA:
		chip->reg.timinca = value;
		break;
	}
}

/* ---- Registers ---------------------------------------------------------- */

/* clang-format off */
#define E1000_X(upper, lower, offset, writable, reset) \
	ROW_##upper,
#define E1000_Y(upper, lower, writable) \
	ROW_##upper,
#define E1000_Z(upper, lower, offset, count, step, writable) \
	ROW_##upper,
enum register_index {
	ROW_NONE,
	E1000E_REGISTERS(E1000_X)
	E1000E_WIDER(E1000_Y)
	E1000E_ARRAYS(E1000_Z)
	ROWS,
};
#undef E1000_X
#undef E1000_Y
#undef E1000_Z

#define E1000_X(upper, lower, offset, writable, reset) \
	[ROW_##upper] = { offset, offsetof(struct e1000e_state, \
			  chip.reg.lower), 1, 4, writable },
#define E1000_Y(upper, lower, writable) \
	[ROW_##upper] = { E1000_##upper, offsetof(struct e1000e_state, \
			  common.chip.reg.lower), 1, 4, writable },
#define E1000_Z(upper, lower, offset, count, step, writable) \
	[ROW_##upper] = { offset, offsetof(struct e1000e_state, chip.lower), \
			  count, step, writable },
static const struct e1000_register_row rows[ROWS] = {
	E1000E_REGISTERS(E1000_X)
	E1000E_WIDER(E1000_Y)
	E1000E_ARRAYS(E1000_Z)
};
#undef E1000_X
#undef E1000_Y
#undef E1000_Z

#define E1000_X(upper, lower, offset, writable, reset) \
	[(offset) / 4] = ROW_##upper,
#define E1000_Y(upper, lower, writable) \
	[E1000_##upper / 4] = ROW_##upper,
static const uint8_t row_at[0xb700 / 4] = {
	E1000E_REGISTERS(E1000_X)
	E1000E_WIDER(E1000_Y)
};
#undef E1000_X
#undef E1000_Y
/* clang-format on */

static const struct e1000_register_map registers_own = {
	.rows = rows,
	.row_at = row_at,
	.row_at_count = ARRAY_SIZE(row_at),
	.first_array = ROW_EITR,
	.row_count = ROWS,
};

/* The NVM is there, was read after the reset, and is granted at once. */
static uint32_t eecd_read(const struct e1000_core *core)
{
	uint32_t value = core->state->eeprom.pins & E1000_EECD_REQ;

	if (value)
		value |= (uint32_t)E1000_EECD_GNT;
	return value | (uint32_t)(E1000_EECD_PRES | E1000E_EECD_AUTO_RD);
}

/* Reading takes the semaphore: whoever reads 0 has it. */
static uint32_t swsm_read(struct e1000e *nic)
{
	uint32_t value = nic->state.chip.reg.swsm;

	nic->state.chip.reg.swsm |= (uint32_t)E1000E_SWSM_SMBI;
	return value;
}

static bool own_read(struct e1000_core *core, uint32_t offset, uint32_t *value)
{
	struct e1000e *nic = e1000e_of(core);

	switch (offset) {
	case E1000_ICR:
		*value = e1000e_icr_read(core);
		return true;
	case E1000_EECD:
		*value = eecd_read(core);
		return true;
	case E1000E_SWSM:
		*value = swsm_read(nic);
		return true;
	case E1000E_SYSTIML:
		*value = clock_read(nic);
		return true;
	}
	return false;
}

static void eewr_write(struct e1000e *nic, uint32_t value)
{
	unsigned address = (unsigned)FIELD_GET(E1000E_EERD_ADDRESS, value);
	struct eeprom93c46 *eeprom = &nic->state.common.eeprom;

	if (!(value & E1000_EERD_START))
		return;
	if (address < EEPROM93C46_WORDS)
		eeprom->word[address] = (uint16_t)(value >> 16);
	nic->state.chip.reg.eewr =
		(value & ~(uint32_t)E1000_EERD_START) | E1000E_EERD_DONE;
}

static bool own_write(struct e1000_core *core, uint32_t offset, uint32_t value)
{
	struct e1000e *nic = e1000e_of(core);

	switch (offset) {
	case E1000_ICR:
	case E1000_ICS:
		e1000e_interrupt_written(core, offset, value);
		return false;
	case E1000_EECD:
		core->state->eeprom.pins = value & E1000_EECD_REQ;
		return true;
	case E1000E_EEWR:
		eewr_write(nic, value);
		return true;
	case E1000E_PBACLR:
		for (unsigned i = 0; i < E1000E_VECTORS; i++)
			if (value >> i & 1)
				pci_message_withdraw(&core->pci, i);
		return true;
	case E1000E_SYSTIML:
	case E1000E_SYSTIMH:
	case E1000E_TIMINCA:
		clock_write(nic, offset, value);
		return true;
	}
	return false;
}

static void own_written(struct e1000_core *core, uint32_t offset)
{
	switch (offset) {
	case E1000E_RDLEN1:
	case E1000E_RDT1:
		e1000_rx_ring_written(core, 1);
		break;
	case E1000E_TDLEN1:
	case E1000E_TDT1:
		e1000_tx_ring_written(core, 1);
		break;
	case E1000_TCTL:
		e1000_tx_ring_written(core, 1);
		break;
	case E1000_RCTL:
	case E1000E_RFCTL:
		e1000_rx_ring_written(core, 1);
		break;
	case E1000_CTRL_EXT:
	case E1000E_IVAR:
		e1000_interrupt_update(core);
		break;
	}
}

/* ---- Reset -------------------------------------------------------------- */

static void own_reset(struct e1000_core *core)
{
	struct e1000e *nic = e1000e_of(core);

	state_reset(&e1000e_chip_description, &nic->state.chip,
		    STATE_RESET_WARM);
	nic->state.chip.clock_from_ns = clock_now(core->config.clock);
	/* Receive and transmit buffers of the same size. */
	core->state->chip.reg.pba = 0x00140014;
}

/* ---- The function ------------------------------------------------------- */

static void msix_access(void *dev, struct io_access *io)
{
	pci_msix_access(&((struct e1000e *)dev)->core.pci, io);
}

/* Erased, and nobody can program it. */
static void flash_access(void *dev, struct io_access *io)
{
	(void)dev;
	if (!io->is_write)
		io->data = ~0ULL;
}

static int bars_add(struct e1000e *nic)
{
	const struct pci_bar flash = {
		.kind = PCI_BAR_MEMORY,
		.size = FLASH_SIZE,
		.region = { .name = "e1000e-flash",
			    .fn = flash_access,
			    .dev = nic,
			    .width_max = 8 },
	};
	const struct pci_bar msix = {
		.kind = PCI_BAR_MEMORY,
		.size = MSIX_SIZE,
		.region = { .name = "e1000e-msix",
			    .fn = msix_access,
			    .dev = nic,
			    .width_min = 4,
			    .width_max = 4 },
	};
	int error = pci_bar_add(&nic->core.pci, E1000E_BAR_FLASH, &flash);

	return error ? error
		     : pci_bar_add(&nic->core.pci, E1000E_BAR_MSIX, &msix);
}

static int power_add(struct pci_device *pci)
{
	unsigned at = CAPABILITY_POWER;
	int error = pci_capability_add(pci, POWER_ID, at, POWER_LENGTH);

	if (error)
		return error;
	pci_put16(pci->state->config, at + POWER_CAPABILITIES, POWER_VALUE);
	pci_put16(pci->writable, at + POWER_CONTROL, POWER_WRITABLE);
	pci_put16(pci->clearable, at + POWER_CONTROL, POWER_STATUS);
	return 0;
}

static int express_add(struct pci_device *pci)
{
	unsigned at = CAPABILITY_EXPRESS;
	uint8_t *config = pci->state->config;
	int error = pci_capability_add(pci, EXPRESS_ID, at, EXPRESS_LENGTH);

	if (error)
		return error;
	pci_put16(config, at + EXPRESS_FLAGS, EXPRESS_VALUE);
	pci_put32(config, at + EXPRESS_DEVICE, EXPRESS_ROLES);
	pci_put16(config, at + EXPRESS_CONTROL, EXPRESS_DEFAULT);
	pci_put16(pci->writable, at + EXPRESS_CONTROL, EXPRESS_WRITABLE);
	pci_put32(config, at + EXPRESS_LINK, EXPRESS_LANE);
	pci_put16(pci->writable, at + EXPRESS_LINK_CONTROL,
		  EXPRESS_LINK_WRITABLE);
	pci_put16(config, at + EXPRESS_LINK_STATUS, EXPRESS_LANE);
	return 0;
}

static int capabilities_add(struct e1000e *nic)
{
	const struct pci_msix_place place = {
		.bar = E1000E_BAR_MSIX,
		.vectors = E1000E_VECTORS,
		.pending = MSIX_PENDING,
	};
	struct pci_device *pci = &nic->core.pci;
	int error = power_add(pci);

	if (!error)
		error = pci_msi_add(pci, CAPABILITY_MSI, 1, false);
	if (!error)
		error = express_add(pci);
	if (!error)
		error = pci_msix_add(pci, CAPABILITY_MSIX, &place,
				     &nic->state.msix);
	return error;
}

static void rings_init(struct e1000e *nic)
{
	struct e1000e_chip *chip = &nic->state.chip;
	struct e1000e_registers *reg = &chip->reg;
	struct e1000_core *core = &nic->core;

	core->rx[0].cause = (uint32_t)E1000E_CAUSE_RXQ0;
	core->tx[0].ring.cause = (uint32_t)E1000E_CAUSE_TXQ0;
	core->rx[1] = (struct e1000_ring){
		.low = &reg->rdbal1,
		.high = &reg->rdbah1,
		.length = &reg->rdlen1,
		.head = &reg->rdh1,
		.tail = &reg->rdt1,
		.is_broken = &chip->is_rx1_broken,
		.cause = (uint32_t)E1000E_CAUSE_RXQ1,
	};
	core->tx[1].tx = &chip->tx1;
	core->tx[1].ring = (struct e1000_ring){
		.low = &reg->tdbal1,
		.high = &reg->tdbah1,
		.length = &reg->tdlen1,
		.head = &reg->tdh1,
		.tail = &reg->tdt1,
		.is_broken = &chip->is_tx1_broken,
		.cause = (uint32_t)E1000E_CAUSE_TXQ1,
	};
}

/* ---- Life --------------------------------------------------------------- */

static const uint8_t nvm[][3] = {
	/* word, its high byte, its low byte */
	{ 0x03, 0x04, 0x20 }, /* compatibility: a card of its own */
	{ 0x08, 0xff, 0xff }, /* board number: none */
	{ 0x09, 0xff, 0xff },
	{ 0x0a, 0x02, 0x6b }, /* init control 1: identities are ours */
	{ 0x0b, 0x00, 0x00 }, /* subsystem */
	{ 0x0c, 0x80, 0x86 }, /* its vendor */
	{ 0x0d, 0x10, 0xd3 }, /* device */
	{ 0x0f, 0x80, 0x40 }, /* init control 2: no manageability */
	{ 0x18, 0x07, 0x04 }, /* LEDs */
	{ 0x1f, 0x07, 0x02 },
	{ 0x24, 0x04, 0x00 }, /* init control 3: wake-up by magic packets */
};

static const uint16_t phy_writable[E1000_PHY_REGISTERS] = {
	E1000_PHY_WRITABLE,
	[E1000_PHY_PAGE] = 0xffff,
	[E1000E_PHY_EXTRA1] = 0xffff,
	[E1000E_PHY_EXTRA2] = 0xffff,
};

static const struct e1000_model model = {
	.identity = {
		.name = "e1000e",
		.vendor = 0x8086,
		.device = 0x10d3,
		.class = NET_CLASS_ETHERNET,
		.subsystem_vendor = 0x8086,
		.interrupt_pin = 1,
	},
	.ops = &e1000e_ops,
	.causes = E1000E_CAUSES,
	.others = E1000E_OTHERS,
	.other = (uint32_t)E1000E_CAUSE_OTHER,
	.registers = 0xb700,
	.io_size = 32,
	.packet_buffer = 40,
	.loopbacks = BIT(1) | BIT(3),
	.master_off = (uint32_t)E1000E_CTRL_MASTER_OFF,
	.queues = E1000_QUEUES,
	.eerd_address = (uint32_t)E1000E_EERD_ADDRESS,
	.eerd_done = (uint32_t)E1000E_EERD_DONE,
	.eeprom = nvm,
	.eeprom_count = ARRAY_SIZE(nvm),
	.phy_id2 = 0x0cb1, /* "BM" */
	.phy_writable = phy_writable,
	.registers_own = &registers_own,
	.read = own_read,
	.write = own_write,
	.written = own_written,
	.reset = own_reset,
	.interrupt_update = e1000e_interrupt_update,
	.rx_layout = e1000e_rx_layout,
	.rx_steer = e1000e_rx_steer,
};

const struct device_ops e1000e_ops = {
	.name = "e1000e",
	.version = 1,
	.state = &e1000e_description,
	.reset = e1000_core_reset,
	.restored = e1000_core_restored,
	.is_valid = e1000e_state_is_valid,
};

void e1000e_reset(struct e1000e *nic)
{
	device_reset(&nic->core.device);
}

int e1000e_init(struct e1000e *nic, const struct nic_config *config)
{
	int error;

	memset(nic, 0, sizeof(*nic));
	error = e1000_core_init(&nic->core, &model, config, &nic->state.common);
	if (error)
		return error;
	device_timer_init(&nic->core.device, config->clock, &nic->vectors,
			  e1000e_vectors_expired, &nic->core,
			  &nic->state.chip.vectors_ns);
	rings_init(nic);
	error = bars_add(nic);
	if (!error)
		error = capabilities_add(nic);
	return error ? error : e1000_core_add(&nic->core);
}
