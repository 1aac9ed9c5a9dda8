/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and life of Intel's Gigabit Ethernet controllers.  See e1000_core.h
 * for what is modelled and what is not.
 */
#include "devices/e1000_internal.h"

#include "include/errno.h"

#define BAR_MEMORY  0
#define BAR_IO	    2
#define MEMORY_SIZE KIB(128)
#define IO_DATA	    4

void e1000_fail(struct e1000_core *nic, enum e1000_error error)
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
	net_warn(&nic->config.log, nic->model->identity.name, texts[error]);
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
static void chip_reset(struct e1000_core *nic)
{
	struct e1000_state *state = nic->state;
	const uint16_t *mac = state->eeprom.word;
	struct clock_timer *timer;

	for (timer = nic->device.timers; timer; timer = timer->sibling)
		clock_timer_disarm(nic->config.clock, timer);
	state_reset(&e1000_chip_description, &state->chip, STATE_RESET_WARM);
	state->chip.ra[0] = mac[0] | (uint32_t)mac[1] << 16;
	state->chip.ra[1] = mac[2] | (uint32_t)E1000_RAH_AV;
	if (nic->model->reset)
		nic->model->reset(nic);
	e1000_rx_release(nic);
	e1000_interrupt_update(nic);
	e1000_link_update(nic);
}

/* ---- Registers ---------------------------------------------------------- */

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
	[ROW_##upper] = { offset, offsetof(struct e1000_state, chip.reg.lower), \
			  1, 4, writable },
#define E1000_Y(upper, lower, offset, count, step, writable) \
	[ROW_##upper] = { offset, offsetof(struct e1000_state, chip.lower), \
			  count, step, writable },
static const struct e1000_register_row rows[ROWS] = {
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

static const struct e1000_register_map registers_common = {
	.rows = rows,
	.row_at = row_at,
	.row_at_count = ARRAY_SIZE(row_at),
	.first_array = ROW_MTA,
	.row_count = ROWS,
};

/* The register and its row, or NULL. */
static uint32_t *map_find(struct e1000_core *nic,
			  const struct e1000_register_map *map, uint32_t offset,
			  const struct e1000_register_row **row)
{
	uint8_t *state = (uint8_t *)nic->state;
	unsigned i;

	if (offset / 4 < map->row_at_count && map->row_at[offset / 4]) {
		*row = &map->rows[map->row_at[offset / 4]];
		return (uint32_t *)(state + (*row)->member);
	}
	for (i = map->first_array; i < map->row_count; i++) {
		uint32_t at = offset - map->rows[i].offset;

		*row = &map->rows[i];
		if (at >= (uint32_t)(*row)->count * (*row)->step)
			continue;
		if (at % (*row)->step)
			return NULL;
		return (uint32_t *)(state + (*row)->member) + at / (*row)->step;
	}
	return NULL;
}

static uint32_t *register_at(struct e1000_core *nic, uint32_t offset,
			     const struct e1000_register_row **row)
{
	uint32_t *at = NULL;

	if (nic->model->registers_own)
		at = map_find(nic, nic->model->registers_own, offset, row);
	return at ? at : map_find(nic, &registers_common, offset, row);
}

static uint32_t status_read(const struct e1000_core *nic)
{
	uint32_t status = E1000_STATUS_FD | E1000_STATUS_SPEED_1000 |
			  E1000_STATUS_ASDV_1000;
	uint32_t off = nic->model->master_off;

	if (off && !(nic->state->chip.reg.ctrl & off))
		status |= (uint32_t)E1000_STATUS_MASTER;
	return e1000_is_link_up(nic) ? status | E1000_STATUS_LU : status;
}

static uint32_t icr_read(struct e1000_core *nic)
{
	uint32_t causes = nic->state->chip.reg.icr;

	nic->state->chip.reg.icr = 0;
	e1000_interrupt_update(nic);
	return causes;
}

static uint32_t register_read(struct e1000_core *nic, uint32_t offset)
{
	const struct e1000_register_row *row;
	const uint32_t *at;
	uint32_t value;

	if (nic->model->read && nic->model->read(nic, offset, &value))
		return value;
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

static void ctrl_written(struct e1000_core *nic)
{
	uint32_t *ctrl = &nic->state->chip.reg.ctrl;

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
void e1000_rx_ring_written(struct e1000_core *nic, unsigned queue)
{
	*nic->rx[queue].is_broken = false;
	e1000_rx_run(nic);
}

void e1000_tx_ring_written(struct e1000_core *nic, unsigned queue)
{
	*nic->tx[queue].ring.is_broken = false;
	e1000_tx_run(nic);
}

static void written(struct e1000_core *nic, uint32_t offset, uint32_t value)
{
	struct e1000_registers *reg = &nic->state->chip.reg;

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
	case E1000_PBA: /* the rest is for transmission */
		reg->pba &= 0x7f;
		reg->pba |= (nic->model->packet_buffer -
			     MIN(reg->pba, nic->model->packet_buffer))
			    << 16;
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
		e1000_rx_ring_written(nic, 0);
		break;
	case E1000_TCTL:
	case E1000_TDLEN:
	case E1000_TDT:
		e1000_tx_ring_written(nic, 0);
		break;
	}
}

static void interrupt_written(struct e1000_core *nic, uint32_t offset,
			      uint32_t value)
{
	struct e1000_registers *reg = &nic->state->chip.reg;

	value &= nic->model->causes;
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

static void register_write(struct e1000_core *nic, uint32_t offset,
			   uint32_t value)
{
	const struct e1000_register_row *row;
	uint32_t *at;

	if (nic->model->write && nic->model->write(nic, offset, value))
		return;
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
	if (nic->model->written)
		nic->model->written(nic, offset);
}

static void memory_access(void *dev, struct io_access *io)
{
	struct e1000_core *nic = dev;

	if (io->is_write && io->offset < nic->model->registers)
		register_write(nic, (uint32_t)io->offset, (uint32_t)io->data);
	else if (!io->is_write)
		io->data = io->offset < nic->model->registers
				   ? register_read(nic, (uint32_t)io->offset)
				   : 0;
}

/* IOADDR and IODATA. */
static void io_access(void *dev, struct io_access *io)
{
	struct e1000_core *nic = dev;
	uint32_t *address = &nic->state->chip.io_address;

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
	struct e1000_core *nic = dev;

	nic->state->is_cable_up = is_up;
	e1000_link_update(nic);
}

/* ---- Life --------------------------------------------------------------- */

void e1000_core_reset(void *dev)
{
	struct e1000_core *nic = dev;

	pci_device_reset(&nic->pci);
	chip_reset(nic);
	e1000_phy_reset(nic);
}

void e1000_core_restored(void *dev)
{
	struct e1000_core *nic = dev;

	e1000_rx_release(nic);
	pci_device_restored(&nic->pci);
}

/* A driver may have switched bus mastering on after it wrote a tail. */
static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct e1000_core *nic = container_of(dev, struct e1000_core, pci);

	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND) {
		e1000_tx_run(nic);
		e1000_rx_run(nic);
	}
	e1000_interrupt_update(nic); /* by INTx or by messages */
}

static int bars_add(struct e1000_core *nic)
{
	const struct pci_bar memory = {
		.kind = PCI_BAR_MEMORY,
		.size = MEMORY_SIZE,
		.region = { .name = nic->model->identity.name,
			    .fn = memory_access,
			    .dev = nic,
			    .width_min = 4,
			    .width_max = 4 },
	};
	const struct pci_bar io = {
		.kind = PCI_BAR_IO,
		.size = nic->model->io_size,
		.region = { .name = nic->model->identity.name,
			    .fn = io_access,
			    .dev = nic,
			    .width_min = 4,
			    .width_max = 4 },
	};
	int error = pci_bar_add(&nic->pci, BAR_MEMORY, &memory);

	if (!error)
		error = pci_bar_add(&nic->pci, BAR_IO, &io);
	return error;
}

static void timers_init(struct e1000_core *nic)
{
	struct e1000_chip *chip = &nic->state->chip;
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

static void rings_init(struct e1000_core *nic)
{
	struct e1000_chip *chip = &nic->state->chip;
	struct e1000_registers *reg = &chip->reg;

	nic->rx[0] = (struct e1000_ring){
		.low = &reg->rdbal,
		.high = &reg->rdbah,
		.length = &reg->rdlen,
		.head = &reg->rdh,
		.tail = &reg->rdt,
		.is_broken = &chip->is_rx_broken,
	};
	nic->tx[0].tx = &chip->tx;
	nic->tx[0].ring = (struct e1000_ring){
		.low = &reg->tdbal,
		.high = &reg->tdbah,
		.length = &reg->tdlen,
		.head = &reg->tdh,
		.tail = &reg->tdt,
		.is_broken = &chip->is_tx_broken,
	};
}

int e1000_core_init(struct e1000_core *nic, const struct e1000_model *model,
		    const struct nic_config *config, struct e1000_state *state)
{
	nic->model = model;
	nic->config = *config;
	nic->state = state;
	nic->port.net = config->net;
	device_init(&nic->device, model->ops, nic, state);
	timers_init(nic);
	rings_init(nic);
	state->is_cable_up = config->net->is_link_up;
	e1000_eeprom_fill(nic, config->net->mac);
	pci_device_init(&nic->pci, &model->identity, &state->pci);
	nic->pci.config_written = config_written;
	return bars_add(nic);
}

int e1000_core_add(struct e1000_core *nic)
{
	const struct net_device device = {
		.received = net_received,
		.writable = net_writable,
		.link_changed = net_link_changed,
		.dev = nic,
	};
	const struct nic_config *config = &nic->config;
	int error = 0;

	if (config->rom)
		error = pci_rom_add(&nic->pci, config->rom, config->rom_length);
	if (!error)
		error = pci_device_add(config->pci, &nic->pci, config->devfn);
	if (error)
		return error;
	device_reset(&nic->device);
	config->net->attach(config->net->ctx, &device);
	return 0;
}
