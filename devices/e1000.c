/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82540EM's registers, life.  See e1000.h for what is
 * modelled and what is not.
 */
#include "devices/e1000_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define BAR_MEMORY  0
#define BAR_IO	    2
#define MEMORY_SIZE KIB(128)
#define IO_SIZE	    64
#define IO_DATA	    4
#define REGISTERS   0xa000U /* bytes of BAR 0 with registers in them */

void e1000_fail(struct e1000 *nic, enum e1000_error error)
{
	static const char *const texts[E1000_ERRORS] = {
		[E1000_ERROR_TX_RING] = "transmit ring: a head or tail outside",
		[E1000_ERROR_TX_LENGTH] = "a frame that is too long to be sent",
		[E1000_ERROR_TX_SEGMENT] = "segments without header or length",
		[E1000_ERROR_TX_TYPE] = "a descriptor of an unknown type",
		[E1000_ERROR_RX_RING] = "receive ring: a head or tail outside",
		[E1000_ERROR_RX_LENGTH] = "a frame longer than all buffers",
	};

	nic->errors[error]++;
	net_warn(&nic->config.log, "e1000", texts[error]);
}

/* ---- Timers ------------------------------------------------------------- */

static void throttle_expired(void *dev)
{
	e1000_interrupt_update(dev);
}

static void rx_delay_expired(void *dev)
{
	e1000_raise(dev, E1000_CAUSE_RXT0);
}

static void tx_delay_expired(void *dev)
{
	e1000_raise(dev, E1000_CAUSE_TXDW);
}

static void more_expired(void *dev)
{
	e1000_tx_run(dev);
	e1000_rx_run(dev);
}

/* ---- Reset -------------------------------------------------------------- */

/* The same as a device's, but that PCI, EEPROM and PHY go on. */
static void chip_reset(struct e1000 *nic)
{
	struct e1000_state *state = &nic->state;
	const uint16_t *mac = state->eeprom.word;
	struct clock_timer *timer;

	for (timer = nic->device.timers; timer; timer = timer->sibling)
		clock_timer_disarm(nic->config.clock, timer);
	state_reset(&e1000_chip_description, &state->chip, STATE_RESET_WARM);
	state->chip.ra[0] = mac[0] | (uint32_t)mac[1] << 16;
	state->chip.ra[1] = mac[2] | (uint32_t)E1000_RAH_AV;
	e1000_rx_release(nic);
	e1000_interrupt_update(nic);
	e1000_link_update(nic);
}

/* ---- Registers ---------------------------------------------------------- */

struct register_row {
	uint16_t offset; /* from BAR 0 */
	uint16_t member; /* bytes from struct e1000_chip's begin */
	uint16_t count;
	uint16_t step; /* bytes between two of them */
	uint32_t writable;
};

/* clang-format off */
#define E1000_X(upper, lower, offset, writable, reset) \
	ROW_##upper,
#define E1000_Y(upper, lower, offset, count, step, writable) \
	ROW_##upper,
enum register_index {
	ROW_NONE,
	E1000_REGISTERS(E1000_X)
	E1000_ARRAYS(E1000_Y)
	ROWS,
};
#undef E1000_X
#undef E1000_Y

#define E1000_X(upper, lower, offset, writable, reset) \
	[ROW_##upper] = { offset, offsetof(struct e1000_chip, reg.lower), \
			  1, 4, writable },
#define E1000_Y(upper, lower, offset, count, step, writable) \
	[ROW_##upper] = { offset, offsetof(struct e1000_chip, lower), \
			  count, step, writable },
static const struct register_row rows[ROWS] = {
	E1000_REGISTERS(E1000_X)
	E1000_ARRAYS(E1000_Y)
};
#undef E1000_X
#undef E1000_Y

/* Rows by register number, for all registers of a driver's every frame. */
#define E1000_X(upper, lower, offset, writable, reset) \
	[(offset) / 4] = ROW_##upper,
static const uint8_t row_at[0x6000 / 4] = {
	E1000_REGISTERS(E1000_X)
};
#undef E1000_X
/* clang-format on */

/* The register and its row, or NULL. */
static uint32_t *register_at(struct e1000 *nic, uint32_t offset,
			     const struct register_row **row)
{
	uint8_t *chip = (uint8_t *)&nic->state.chip;
	unsigned i;

	if (offset < sizeof(row_at) * 4 && row_at[offset / 4]) {
		*row = &rows[row_at[offset / 4]];
		return (uint32_t *)(chip + (*row)->member);
	}
	for (i = ROW_MTA; i < ROWS; i++) {
		uint32_t at = offset - rows[i].offset;

		if (at >= (uint32_t)rows[i].count * rows[i].step)
			continue;
		*row = &rows[i];
		if (at % rows[i].step)
			return NULL;
		return (uint32_t *)(chip + rows[i].member) + at / rows[i].step;
	}
	return NULL;
}

static uint32_t status_read(const struct e1000 *nic)
{
	uint32_t status = E1000_STATUS_FD | E1000_STATUS_SPEED_1000 |
			  E1000_STATUS_ASDV_1000;

	return e1000_is_link_up(nic) ? status | E1000_STATUS_LU : status;
}

static uint32_t icr_read(struct e1000 *nic)
{
	uint32_t causes = nic->state.chip.reg.icr;

	nic->state.chip.reg.icr = 0;
	e1000_interrupt_update(nic);
	return causes;
}

static uint32_t register_read(struct e1000 *nic, uint32_t offset)
{
	const struct register_row *row;
	const uint32_t *at;

	switch (offset) {
	case E1000_ICR:
		return icr_read(nic);
	case E1000_STATUS:
		return status_read(nic);
	case E1000_EECD:
		return e1000_eecd_read(nic);
	case E1000_ICS:
	case E1000_IMC:
		return 0;
	}
	if (offset - E1000_STATISTICS < 4 * E1000_STATISTIC_COUNT)
		return e1000_statistic_read(nic,
					    (offset - E1000_STATISTICS) / 4);
	at = register_at(nic, offset, &row);
	return at ? *at : 0;
}

static void ctrl_written(struct e1000 *nic)
{
	uint32_t *ctrl = &nic->state.chip.reg.ctrl;

	if (*ctrl & E1000_CTRL_RST) {
		chip_reset(nic);
		return;
	}
	if (*ctrl & E1000_CTRL_PHY_RST) {
		*ctrl &= ~(uint32_t)E1000_CTRL_PHY_RST;
		e1000_phy_reset(nic);
	}
	e1000_link_update(nic);
}

/* A ring that was broken is tried again: the driver has set it up anew. */
static void rx_ring_written(struct e1000 *nic)
{
	nic->state.chip.is_rx_broken = false;
	e1000_rx_run(nic);
}

static void tx_ring_written(struct e1000 *nic)
{
	nic->state.chip.is_tx_broken = false;
	e1000_tx_run(nic);
}

static void written(struct e1000 *nic, uint32_t offset, uint32_t value)
{
	struct e1000_registers *reg = &nic->state.chip.reg;

	switch (offset) {
	case E1000_CTRL:
		ctrl_written(nic);
		break;
	case E1000_EECD:
		e1000_eecd_write(nic, value);
		break;
	case E1000_EERD:
		e1000_eerd_write(nic, value);
		break;
	case E1000_MDIC:
		e1000_mdic_write(nic, value);
		break;
	case E1000_PBA: /* 64 KiB in all */
		reg->pba &= 0x7f;
		reg->pba |= (0x40 - MIN(reg->pba, 0x40U)) << 16;
		break;
	case E1000_RDTR:
		e1000_delay_flush(nic, &nic->rx_delay, value, E1000_CAUSE_RXT0);
		break;
	case E1000_TIDV:
		e1000_delay_flush(nic, &nic->tx_delay, value, E1000_CAUSE_TXDW);
		break;
	case E1000_RCTL:
	case E1000_RDLEN:
	case E1000_RDT:
		rx_ring_written(nic);
		break;
	case E1000_TCTL:
	case E1000_TDLEN:
	case E1000_TDT:
		tx_ring_written(nic);
		break;
	}
}

static void interrupt_written(struct e1000 *nic, uint32_t offset,
			      uint32_t value)
{
	struct e1000_registers *reg = &nic->state.chip.reg;

	value &= E1000_CAUSES;
	switch (offset) {
	case E1000_ICR:
		reg->icr &= ~value;
		break;
	case E1000_ICS:
		reg->icr |= value;
		break;
	case E1000_IMS:
		reg->ims |= value;
		break;
	case E1000_IMC:
		reg->ims &= ~value;
		break;
	}
	e1000_interrupt_update(nic);
}

static void register_write(struct e1000 *nic, uint32_t offset, uint32_t value)
{
	const struct register_row *row;
	uint32_t *at;

	switch (offset) {
	case E1000_ICR:
	case E1000_ICS:
	case E1000_IMS:
	case E1000_IMC:
		interrupt_written(nic, offset, value);
		return;
	}
	at = register_at(nic, offset, &row);
	if (!at)
		return;
	if (row->writable)
		*at = (*at & ~row->writable) | (value & row->writable);
	written(nic, offset, value);
}

static void memory_access(void *dev, struct io_access *io)
{
	struct e1000 *nic = dev;

	if (io->is_write && io->offset < REGISTERS)
		register_write(nic, (uint32_t)io->offset, (uint32_t)io->data);
	else if (!io->is_write)
		io->data = io->offset < REGISTERS
				   ? register_read(nic, (uint32_t)io->offset)
				   : 0;
}

/* IOADDR and IODATA. */
static void io_access(void *dev, struct io_access *io)
{
	struct e1000 *nic = dev;
	uint32_t *address = &nic->state.chip.io_address;

	if (io->offset == IO_DATA && !(*address & 3)) {
		io->offset = *address;
		memory_access(dev, io);
	} else if (io->offset == 0 && io->is_write) {
		*address = (uint32_t)io->data & (MEMORY_SIZE - 1);
	} else if (!io->is_write) {
		io->data = io->offset ? 0 : *address;
	}
}

/* ---- What the backend says ---------------------------------------------- */

static void net_received(void *dev)
{
	e1000_rx_run(dev);
}

static void net_writable(void *dev)
{
	e1000_tx_run(dev);
}

static void net_link_changed(void *dev, bool is_up)
{
	struct e1000 *nic = dev;

	nic->state.is_cable_up = is_up;
	e1000_link_update(nic);
}

/* ---- Life --------------------------------------------------------------- */

static void reset_rest(void *dev)
{
	struct e1000 *nic = dev;

	pci_device_reset(&nic->pci);
	chip_reset(nic);
	e1000_phy_reset(nic);
}

static void restored(void *dev)
{
	struct e1000 *nic = dev;

	e1000_rx_release(nic);
	pci_device_restored(&nic->pci);
}

/* A driver may have switched bus mastering on after it wrote a tail. */
static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct e1000 *nic = container_of(dev, struct e1000, pci);

	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND) {
		e1000_tx_run(nic);
		e1000_rx_run(nic);
	}
}

const struct device_ops e1000_ops = {
	.name = "e1000",
	.version = 1,
	.state = &e1000_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = e1000_state_is_valid,
};

void e1000_reset(struct e1000 *nic)
{
	device_reset(&nic->device);
}

static int bars_add(struct e1000 *nic)
{
	const struct pci_bar memory = {
		.kind = PCI_BAR_MEMORY,
		.size = MEMORY_SIZE,
		.region = { .name = "e1000",
			    .fn = memory_access,
			    .dev = nic,
			    .width_min = 4,
			    .width_max = 4 },
	};
	const struct pci_bar io = {
		.kind = PCI_BAR_IO,
		.size = IO_SIZE,
		.region = { .name = "e1000-io",
			    .fn = io_access,
			    .dev = nic,
			    .width_min = 4,
			    .width_max = 4 },
	};
	int error = pci_bar_add(&nic->pci, BAR_MEMORY, &memory);

	if (!error)
		error = pci_bar_add(&nic->pci, BAR_IO, &io);
	if (!error && nic->config.rom)
		error = pci_rom_add(&nic->pci, nic->config.rom,
				    nic->config.rom_length);
	return error;
}

static void timers_init(struct e1000 *nic)
{
	struct e1000_chip *chip = &nic->state.chip;
	const struct {
		struct clock_timer *timer;
		void (*expired)(void *dev);
		uint64_t *saved_ns;
	} timers[] = {
		{ &nic->throttle, throttle_expired, &chip->throttle_ns },
		{ &nic->rx_delay, rx_delay_expired, &chip->rx_delay_ns },
		{ &nic->tx_delay, tx_delay_expired, &chip->tx_delay_ns },
		{ &nic->more, more_expired, &chip->more_ns },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(timers); i++)
		device_timer_init(&nic->device, nic->config.clock,
				  timers[i].timer, timers[i].expired, nic,
				  timers[i].saved_ns);
}

int e1000_init(struct e1000 *nic, const struct nic_config *config)
{
	static const struct pci_identity identity = {
		.name = "e1000",
		.vendor = 0x8086,
		.device = 0x100e,
		.class = NET_CLASS_ETHERNET,
		.revision = 3,
		.subsystem_vendor = 0x8086,
		.subsystem = 0x001e,
		.interrupt_pin = 1,
	};
	const struct net_device device = {
		.received = net_received,
		.writable = net_writable,
		.link_changed = net_link_changed,
		.dev = nic,
	};
	int error;

	memset(nic, 0, sizeof(*nic));
	nic->config = *config;
	nic->port.net = config->net;
	device_init(&nic->device, &e1000_ops, nic, &nic->state);
	timers_init(nic);
	nic->state.is_cable_up = config->net->is_link_up;
	e1000_eeprom_fill(nic, config->net->mac);
	pci_device_init(&nic->pci, &identity, &nic->state.pci);
	nic->pci.config_written = config_written;
	error = bars_add(nic);
	if (!error)
		error = pci_device_add(config->pci, &nic->pci, config->devfn);
	if (error)
		return error;
	e1000_reset(nic);
	config->net->attach(config->net->ctx, &device);
	return 0;
}
