/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTL8139's registers, timer, life.  See rtl8139.h for what is modelled
 * and what is not.
 */
#include "devices/rtl8139_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define BAR_SIZE 256

#define CLOCK_HZ 33000000ULL /* PCI's, which TCTR counts */

void rtl8139_fail(struct rtl8139 *nic, enum rtl8139_error error)
{
	static const char *const texts[RTL8139_ERRORS] = {
		[RTL8139_ERROR_TX_LENGTH] = "a frame of a length that cannot "
					    "be sent",
		[RTL8139_ERROR_TX_ADDRESS] = "a frame outside of memory",
	};

	nic->errors[error]++;
	net_warn(&nic->config.log, "rtl8139", texts[error]);
}

static void interrupt_update(struct rtl8139 *nic)
{
	const uint32_t *reg = nic->state.chip.reg;

	pci_intx_set(&nic->pci, reg[RTL8139_ISR] & reg[RTL8139_IMR]);
}

void rtl8139_raise(struct rtl8139 *nic, uint32_t causes)
{
	nic->state.chip.reg[RTL8139_ISR] |= causes;
	interrupt_update(nic);
}

/* ---- The timer ---------------------------------------------------------- */

static uint64_t ticks_at(const struct rtl8139 *nic, uint64_t now_ns)
{
	uint64_t ns = now_ns - nic->state.chip.counted_from_ns;

	return ns / NSEC_PER_SEC * CLOCK_HZ +
	       ns % NSEC_PER_SEC * CLOCK_HZ / NSEC_PER_SEC;
}

/* The timer expires when TCTR, which goes round, is next TIMERINT. */
static void timer_update(struct rtl8139 *nic)
{
	struct rtl8139_chip *chip = &nic->state.chip;
	uint64_t now_ns = clock_now(nic->config.clock);
	uint64_t ticks = ticks_at(nic, now_ns);
	uint32_t left = chip->reg[RTL8139_TIMERINT] - (uint32_t)ticks;
	uint64_t then = ticks + (left ? left : 1ULL << 32);
	uint64_t then_ns =
		then / CLOCK_HZ * NSEC_PER_SEC +
		DIV_ROUND_UP(then % CLOCK_HZ * NSEC_PER_SEC, CLOCK_HZ);

	if (chip->reg[RTL8139_TIMERINT])
		clock_timer_arm(nic->config.clock, &nic->timer,
				chip->counted_from_ns + then_ns);
	else
		clock_timer_disarm(nic->config.clock, &nic->timer);
}

static void timer_expired(void *dev)
{
	rtl8139_raise(dev, RTL8139_TIMEOUT);
	timer_update(dev);
}

static void more_expired(void *dev)
{
	rtl8139_rx_run(dev);
}

/* ---- Registers ---------------------------------------------------------- */

struct register_row {
	uint8_t offset, width;
	uint32_t writable;
	uint32_t locked; /* of the writable bits */
	uint32_t reset;
};

/* clang-format off */
#define RTL8139_X(name, offset, width, writable, locked, reset) \
	[RTL8139_##name] = { offset, width, writable, locked, \
			     (uint32_t)(reset) },
static const struct register_row rows[RTL8139_COUNT] = {
	RTL8139_REGISTERS(RTL8139_X)
};
#undef RTL8139_X

/* Which one a byte belongs to. */
#define RTL8139_X(name, offset, width, writable, locked, reset) \
	[(offset) ... (offset) + (width) - 1] = RTL8139_##name,
static const uint8_t row_at[BAR_SIZE] = {
	RTL8139_REGISTERS(RTL8139_X)
};
#undef RTL8139_X
/* clang-format on */

void rtl8139_registers_reset(struct rtl8139 *nic, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		nic->state.chip.reg[i] = rows[i].reset;
}

/* CR.RST: PCI, EEPROM, addresses, configuration and PHY go on. */
static void chip_reset(struct rtl8139 *nic)
{
	struct rtl8139_chip *chip = &nic->state.chip;

	rtl8139_registers_reset(nic, RTL8139_TSD0, RTL8139_MPC);
	rtl8139_registers_reset(nic, RTL8139_TIMERINT, RTL8139_TIMERINT);
	rtl8139_registers_reset(nic, RTL8139_MULINT, RTL8139_MULINT);
	chip->tx_next = 0;
	chip->counted_from_ns = clock_now(nic->config.clock);
	clock_timer_disarm(nic->config.clock, &nic->timer);
	clock_timer_disarm(nic->config.clock, &nic->more);
	net_port_release(&nic->port);
	interrupt_update(nic);
}

/* TSAD: what the four descriptors have of a kind, and of the next. */
static uint32_t tsad_read(const uint32_t *reg)
{
	static const uint64_t bits[] = {
		RTL8139_TSD_OWN,
		RTL8139_TSD_TABT,
		RTL8139_TSD_TUN,
		RTL8139_TSD_TOK,
	};
	uint32_t value = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
		for (unsigned k = 0; k < RTL8139_DESCRIPTORS; k++)
			if (reg[RTL8139_TSD0 + k] & bits[i])
				value |= 1U << (4 * i + k);
	return value;
}

static uint32_t register_read(struct rtl8139 *nic, unsigned index)
{
	const uint32_t *reg = nic->state.chip.reg;

	switch (index) {
	case RTL8139_CR:
		return reg[index] |
		       (rtl8139_rx_is_empty(nic) ? RTL8139_CR_BUFE : 0);
	case RTL8139_TCR:
		return reg[index] | RTL8139_TCR_HWVERID;
	case RTL8139_TCTR:
		return (uint32_t)ticks_at(nic, clock_now(nic->config.clock));
	case RTL8139_CR9346:
		return rtl8139_cr9346_read(nic);
	case RTL8139_MSR:
		return reg[index] |
		       (nic->state.is_cable_up ? 0 : RTL8139_MSR_LINKB);
	case RTL8139_TSAD:
		return tsad_read(reg);
	case RTL8139_BMSR:
		return rtl8139_bmsr_read(nic);
	case RTL8139_ANLPAR:
		return nic->state.is_cable_up ? reg[index] : 0;
	case RTL8139_CSCR:
		return rtl8139_cscr_read(nic);
	}
	return reg[index];
}

/* Enabled again, the receiver begins with an empty buffer. */
static void cr_written(struct rtl8139 *nic, uint32_t value, bool was_receiving)
{
	uint32_t *reg = nic->state.chip.reg;

	if (value & RTL8139_CR_RST) {
		chip_reset(nic);
		return;
	}
	if (reg[RTL8139_CR] & RTL8139_CR_RE && !was_receiving) {
		reg[RTL8139_CBR] = 0;
		reg[RTL8139_CAPR] = rows[RTL8139_CAPR].reset;
	}
	rtl8139_tx_run(nic);
	rtl8139_rx_run(nic);
}

/* Without OWN the descriptor is the card's, with nothing said of it yet. */
static void tsd_written(struct rtl8139 *nic, unsigned index)
{
	uint32_t *tsd = &nic->state.chip.reg[index];

	if (*tsd & RTL8139_TSD_OWN)
		return;
	*tsd &= rows[index].writable;
	rtl8139_tx_run(nic);
}

/* The register's bits are stored; value is what was written to it, with zeros
 * where nothing was, old what it was. */
static void written(struct rtl8139 *nic, unsigned index, uint32_t value,
		    uint32_t old)
{
	uint32_t *reg = nic->state.chip.reg;

	switch (index) {
	case RTL8139_TSD0:
	case RTL8139_TSD1:
	case RTL8139_TSD2:
	case RTL8139_TSD3:
		tsd_written(nic, index);
		break;
	case RTL8139_CR:
		cr_written(nic, value, old & RTL8139_CR_RE);
		break;
	case RTL8139_CAPR:
	case RTL8139_RCR:
		rtl8139_rx_run(nic);
		break;
	case RTL8139_ISR:
		reg[index] &= ~value;
		interrupt_update(nic);
		break;
	case RTL8139_IMR:
		interrupt_update(nic);
		break;
	case RTL8139_TCTR:
		nic->state.chip.counted_from_ns = clock_now(nic->config.clock);
		timer_update(nic);
		break;
	case RTL8139_TIMERINT:
		timer_update(nic);
		break;
	case RTL8139_MPC:
		reg[index] = 0;
		break;
	case RTL8139_CR9346:
		rtl8139_cr9346_written(nic);
		break;
	case RTL8139_BMCR:
		rtl8139_bmcr_written(nic, value);
		break;
	}
}

/* Of the register only the bytes of mask. */
static void register_write(struct rtl8139 *nic, unsigned index, uint32_t value,
			   uint32_t mask)
{
	uint32_t *reg = &nic->state.chip.reg[index];
	uint32_t old = *reg;
	bool is_open =
		FIELD_GET(RTL8139_EEM, nic->state.chip.reg[RTL8139_CR9346]) ==
		RTL8139_EEM_CONFIG;
	uint32_t may = rows[index].writable & mask;

	if (!is_open)
		may &= ~rows[index].locked;
	*reg = (old & ~may) | (value & may);
	written(nic, index, value & mask, old);
}

/* Any width at any place: each register sees its own bytes, once. */
static void access(void *dev, struct io_access *io)
{
	struct rtl8139 *nic = dev;
	unsigned at = (unsigned)io->offset, end = at + io->size, next;
	uint64_t data = 0;

	for (; at < end; at = next) {
		unsigned index = row_at[at];
		const struct register_row *row = &rows[index];
		unsigned low = 8 * (at - row->offset); /* bit in the register */
		unsigned bit = 8 * (at - (unsigned)io->offset);
		uint64_t mask;

		next = index ? MIN(end, row->offset + row->width) : at + 1;
		if (!index)
			continue;
		mask = MASK(8 * (next - at) - 1, 0);
		if (io->is_write)
			register_write(
				nic, index,
				(uint32_t)((io->data >> bit & mask) << low),
				(uint32_t)(mask << low));
		else
			data |= (register_read(nic, index) >> low & mask)
				<< bit;
	}
	if (!io->is_write)
		io->data = data;
}

/* ---- What the backend says ---------------------------------------------- */

static void net_received(void *dev)
{
	rtl8139_rx_run(dev);
}

static void net_writable(void *dev)
{
	rtl8139_tx_run(dev);
}

static void net_link_changed(void *dev, bool is_up)
{
	rtl8139_link_set(dev, is_up);
}

/* ---- Life --------------------------------------------------------------- */

static void reset_rest(void *dev)
{
	struct rtl8139 *nic = dev;

	pci_device_reset(&nic->pci);
	rtl8139_registers_reset(nic, 0, RTL8139_COUNT - 1);
	rtl8139_autoload(nic);
	chip_reset(nic);
}

static void restored(void *dev)
{
	struct rtl8139 *nic = dev;

	net_port_release(&nic->port);
	pci_device_restored(&nic->pci);
}

/* A driver may have switched bus mastering on after it enabled the card. */
static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct rtl8139 *nic = container_of(dev, struct rtl8139, pci);

	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND) {
		rtl8139_tx_run(nic);
		rtl8139_rx_run(nic);
	}
}

const struct device_ops rtl8139_ops = {
	.name = "rtl8139",
	.version = 1,
	.state = &rtl8139_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = rtl8139_state_is_valid,
};

void rtl8139_reset(struct rtl8139 *nic)
{
	device_reset(&nic->device);
}

int rtl8139_init(struct rtl8139 *nic, const struct nic_config *config)
{
	static const struct pci_identity identity = {
		.name = "rtl8139",
		.vendor = 0x10ec,
		.device = 0x8139,
		.class = NET_CLASS_ETHERNET,
		.revision = RTL8139_REVISION,
		.subsystem_vendor = 0x10ec,
		.subsystem = 0x8139,
		.interrupt_pin = 1,
	};
	const struct io_region registers = {
		.name = "rtl8139",
		.fn = access,
		.dev = nic,
		.width_min = 1,
		.width_max = 4,
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
	device_init(&nic->device, &rtl8139_ops, nic, &nic->state);
	device_timer_init(&nic->device, config->clock, &nic->timer,
			  timer_expired, nic, &nic->state.chip.timer_ns);
	device_timer_init(&nic->device, config->clock, &nic->more, more_expired,
			  nic, &nic->state.chip.more_ns);
	nic->state.is_cable_up = config->net->is_link_up;
	rtl8139_eeprom_fill(nic, config->net->mac);
	pci_device_init(&nic->pci, &identity, &nic->state.pci);
	nic->pci.config_written = config_written;
	error = net_bars_add(&nic->pci, config, &registers, BAR_SIZE);
	if (!error)
		error = pci_device_add(config->pci, &nic->pci, config->devfn);
	if (error)
		return error;
	rtl8139_reset(nic);
	config->net->attach(config->net->ctx, &device);
	return 0;
}
