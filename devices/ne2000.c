/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NE2000's registers and life.  See ne2000.h for what is modelled and what
 * is not.
 */
#include "devices/ne2000_internal.h"

#include "lib/string.h"

#define CR_RESET (NE2000_CR_STP | FIELD_PUT(NE2000_CR_RD, NE2000_RD_ABORT))

static const char *name_of(const struct ne2000 *nic)
{
	return nic->is_pci ? "ne2000-pci" : "ne2000";
}

void ne2000_fail(struct ne2000 *nic, enum ne2000_error error)
{
	static const char *const texts[NE2000_ERRORS] = {
		[NE2000_ERROR_TX_LENGTH] = "a frame of a length that cannot be "
					   "sent",
		[NE2000_ERROR_RING] = "a receive ring that is none",
		[NE2000_ERROR_HEADER] = "Send Packet without a packet",
		[NE2000_ERROR_REMOTE] = "the data port without remote DMA",
	};

	nic->errors[error]++;
	net_warn(&nic->config.log, name_of(nic), texts[error]);
}

void ne2000_interrupt_update(struct ne2000 *nic)
{
	const struct ne2000_chip *chip = &nic->state.chip;
	bool level = chip->isr & chip->imr;

	if (nic->is_pci)
		pci_intx_set(&nic->pci, level);
	else
		irq_line_set(&nic->irq, level);
}

void ne2000_raise(struct ne2000 *nic, unsigned causes)
{
	nic->state.chip.isr |= (uint8_t)causes;
	ne2000_interrupt_update(nic);
}

/* What the pin RESET does: the rest keeps its values. */
static void chip_reset(struct ne2000 *nic)
{
	struct ne2000_chip *chip = &nic->state.chip;

	chip->cr = (uint8_t)CR_RESET;
	chip->isr = NE2000_RST;
	chip->imr = 0;
	chip->dcr = NE2000_DCR_LAS;
	chip->tcr &= (uint8_t)~NE2000_TCR_LB;
	chip->rbcr = 0;
	chip->is_running = false;
	chip->is_sending_packet = false;
	clock_timer_disarm(nic->config.clock, &nic->more);
	clock_timer_disarm(nic->config.clock, &nic->overflow);
	net_port_release(&nic->port);
	ne2000_interrupt_update(nic);
}

/* ---- Registers ---------------------------------------------------------- */

static unsigned page(const struct ne2000 *nic)
{
	return (unsigned)FIELD_GET(NE2000_CR_PS, nic->state.chip.cr);
}

/* In the order that it came; then it begins anew. */
static uint8_t fifo_read(struct ne2000_chip *chip)
{
	uint8_t value = chip->fifo[chip->fifo_at];

	chip->fifo_at = (uint8_t)((chip->fifo_at + 1) % NE2000_FIFO_SIZE);
	return value;
}

static uint8_t missed_read(struct ne2000_chip *chip)
{
	uint8_t value = chip->missed;

	chip->missed = 0;
	return value;
}

static uint8_t page0_read(struct ne2000 *nic, unsigned offset)
{
	struct ne2000_chip *chip = &nic->state.chip;

	switch (offset) {
	case NE2000_CLDA0:
		return (uint8_t)chip->clda;
	case NE2000_CLDA1:
		return (uint8_t)(chip->clda >> 8);
	case NE2000_BNRY:
		return chip->bnry;
	case NE2000_TSR:
		return chip->tsr;
	case NE2000_FIFO:
		return fifo_read(chip);
	case NE2000_ISR:
		return chip->isr;
	case NE2000_RSAR0:
		return (uint8_t)chip->rsar;
	case NE2000_RSAR1:
		return (uint8_t)(chip->rsar >> 8);
	case NE2000_RBCR0:
		return nic->is_pci ? 0x50 : 0xff;
	case NE2000_RBCR1:
		return nic->is_pci ? 0x43 : 0xff;
	case NE2000_RSR:
		return chip->rsr;
	case NE2000_CNTR2:
		return missed_read(chip);
	}
	return 0; /* NCR, CNTR0, CNTR1 */
}

static uint8_t page1_read(const struct ne2000_chip *chip, unsigned offset)
{
	if (offset >= NE2000_MAR0)
		return chip->mar[offset - NE2000_MAR0];
	if (offset == NE2000_CURR)
		return chip->curr;
	return chip->par[offset - NE2000_PAR0];
}

static uint8_t page2_read(const struct ne2000_chip *chip, unsigned offset)
{
	switch (offset) {
	case NE2000_PSTART:
		return chip->pstart;
	case NE2000_PSTOP:
		return chip->pstop;
	case NE2000_TPSR:
		return chip->tpsr;
	case 3: /* next packet, of remote and of local DMA */
		return chip->next;
	case 5:
		return chip->curr;
	case NE2000_RCR:
		return chip->rcr | 0xc0;
	case NE2000_TCR:
		return chip->tcr | 0xe0;
	case NE2000_DCR:
		return chip->dcr | 0x80;
	case NE2000_IMR:
		return chip->imr | 0x80;
	}
	return 0xff;
}

static uint8_t register_read(struct ne2000 *nic, unsigned offset)
{
	if (offset == NE2000_CR)
		return nic->state.chip.cr;
	switch (page(nic)) {
	case 0:
		return page0_read(nic, offset);
	case 1:
		return page1_read(&nic->state.chip, offset);
	case 2:
		return page2_read(&nic->state.chip, offset);
	}
	return nic->is_pci ? ne2000_page3_read(nic, offset) : 0xff;
}

/*
 * TXP stays until the frame has gone, whatever is written over it; and with
 * neither STA nor STP, as drivers turn pages, it runs or stands as it did.
 */
static void cr_write(struct ne2000 *nic, uint8_t value)
{
	struct ne2000_chip *chip = &nic->state.chip;
	unsigned rd = (unsigned)FIELD_GET(NE2000_CR_RD, value);

	if (!rd) /* not allowed: remote DMA goes on */
		value |= chip->cr & (uint8_t)NE2000_CR_RD;
	chip->cr = value | (chip->cr & NE2000_CR_TXP);
	if (value & NE2000_CR_STP) {
		chip->is_running = false;
		chip->isr |= NE2000_RST;
	} else if (value & NE2000_CR_STA) {
		chip->is_running = true;
		chip->isr &= (uint8_t)~NE2000_RST;
	}
	if (!chip->is_running)
		chip->cr &= (uint8_t)~NE2000_CR_TXP;
	if (rd)
		ne2000_remote_start(nic);
	ne2000_tx_run(nic);
	ne2000_rx_run(nic);
}

static void low_set(uint16_t *to, uint8_t value)
{
	*to = (uint16_t)((*to & 0xff00) | value);
}

static void high_set(uint16_t *to, uint8_t value)
{
	*to = (uint16_t)((*to & 0xff) | value << 8);
}

static void isr_write(struct ne2000 *nic, uint8_t value)
{
	nic->state.chip.isr &= (uint8_t) ~(value & NE2000_CAUSES);
	ne2000_interrupt_update(nic);
	if (value & NE2000_OVW)
		ne2000_rx_run(nic);
}

/* Frames may be wanted now that were not, or no longer. */
static void receiver_write(struct ne2000 *nic, uint8_t *to, uint8_t value)
{
	*to = value;
	ne2000_rx_run(nic);
}

static void page0_write(struct ne2000 *nic, unsigned offset, uint8_t value)
{
	struct ne2000_chip *chip = &nic->state.chip;

	switch (offset) {
	case NE2000_PSTART:
		chip->pstart = value;
		break;
	case NE2000_PSTOP:
		chip->pstop = value;
		break;
	case NE2000_BNRY:
		chip->bnry = value;
		ne2000_ring_changed(nic);
		break;
	case NE2000_TPSR:
		chip->tpsr = value;
		break;
	case NE2000_TBCR0:
		low_set(&chip->tbcr, value);
		break;
	case NE2000_TBCR1:
		high_set(&chip->tbcr, value);
		break;
	case NE2000_ISR:
		isr_write(nic, value);
		break;
	case NE2000_RSAR0:
		low_set(&chip->rsar, value);
		break;
	case NE2000_RSAR1:
		high_set(&chip->rsar, value);
		break;
	case NE2000_RBCR0:
		low_set(&chip->rbcr, value);
		break;
	case NE2000_RBCR1:
		high_set(&chip->rbcr, value);
		break;
	case NE2000_RCR:
		receiver_write(nic, &chip->rcr, value & 0x3f);
		break;
	case NE2000_TCR:
		receiver_write(nic, &chip->tcr, value & 0x1f);
		break;
	case NE2000_DCR:
		chip->dcr = value & 0x7f;
		break;
	case NE2000_IMR:
		chip->imr = value & NE2000_CAUSES;
		ne2000_interrupt_update(nic);
		break;
	}
}

static void page1_write(struct ne2000 *nic, unsigned offset, uint8_t value)
{
	struct ne2000_chip *chip = &nic->state.chip;

	if (offset >= NE2000_MAR0)
		chip->mar[offset - NE2000_MAR0] = value;
	else if (offset == NE2000_CURR)
		chip->curr = value;
	else
		chip->par[offset - NE2000_PAR0] = value;
}

static void register_write(struct ne2000 *nic, unsigned offset, uint8_t value)
{
	if (offset == NE2000_CR) {
		cr_write(nic, value);
		return;
	}
	switch (page(nic)) {
	case 0:
		page0_write(nic, offset, value);
		break;
	case 1:
		page1_write(nic, offset, value);
		break;
	case 3:
		if (nic->is_pci)
			ne2000_page3_write(nic, offset, value);
		break;
	}
}

/* Registers are of bytes; the data port is as wide as it is asked for. */
static void access(void *dev, struct io_access *io)
{
	struct ne2000 *nic = dev;
	unsigned offset = (unsigned)io->offset;
	uint64_t data = 0;

	if (offset >= NE2000_AT_DATA && offset < NE2000_AT_RESET) {
		ne2000_data_access(nic, io);
		return;
	}
	for (unsigned i = 0; i < io->size; i++) {
		if (offset + i >= NE2000_AT_RESET) {
			if (!io->is_write)
				chip_reset(nic);
		} else if (io->is_write) {
			register_write(nic, (offset + i) % NE2000_AT_DATA,
				       (uint8_t)(io->data >> 8 * i));
		} else {
			data |= (uint64_t)register_read(
					nic, (offset + i) % NE2000_AT_DATA)
				<< 8 * i;
		}
	}
	if (!io->is_write)
		io->data = data;
}

/* ---- Time, and what the backend says ------------------------------------ */

static void more_expired(void *dev)
{
	ne2000_rx_run(dev);
}

static void overflow_expired(void *dev)
{
	ne2000_overflow(dev);
}

static void net_received(void *dev)
{
	ne2000_rx_run(dev);
}

static void net_writable(void *dev)
{
	ne2000_tx_run(dev);
}

/* No register tells of it: frames just do not arrive. */
static void net_link_changed(void *dev, bool is_up)
{
	struct ne2000 *nic = dev;

	nic->state.is_cable_up = is_up;
	ne2000_tx_run(nic);
}

/* ---- Life --------------------------------------------------------------- */

static void reset_rest(void *dev)
{
	struct ne2000 *nic = dev;

	if (nic->is_pci)
		pci_device_reset(&nic->pci);
	ne2000_autoload(nic);
	chip_reset(nic);
}

static void restored(void *dev)
{
	struct ne2000 *nic = dev;

	net_port_release(&nic->port);
	if (nic->is_pci)
		pci_device_restored(&nic->pci);
	else
		ne2000_interrupt_update(nic);
}

const struct device_ops ne2000_isa_ops = {
	.name = "ne2000",
	.version = 1,
	.state = &ne2000_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = ne2000_state_is_valid,
};

const struct device_ops ne2000_pci_ops = {
	.name = "ne2000_pci",
	.version = 1,
	.state = &ne2000_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = ne2000_state_is_valid,
};

void ne2000_reset(struct ne2000 *nic)
{
	device_reset(&nic->device);
}

static void core_init(struct ne2000 *nic, const struct nic_config *config,
		      bool is_pci)
{
	memset(nic, 0, sizeof(*nic));
	nic->config = *config;
	nic->is_pci = is_pci;
	nic->port.net = config->net;
	device_init(&nic->device, is_pci ? &ne2000_pci_ops : &ne2000_isa_ops,
		    nic, &nic->state);
	device_timer_init(&nic->device, config->clock, &nic->more, more_expired,
			  nic, &nic->state.chip.more_ns);
	device_timer_init(&nic->device, config->clock, &nic->overflow,
			  overflow_expired, nic, &nic->state.chip.overflow_ns);
	nic->state.is_cable_up = config->net->is_link_up;
	ne2000_eeprom_fill(nic, config->net->mac);
}

static struct io_region region_of(struct ne2000 *nic)
{
	return (struct io_region){
		.name = name_of(nic),
		.length = NE2000_PORTS,
		.fn = access,
		.dev = nic,
		.width_min = 1,
		.width_max = 4,
	};
}

static void core_start(struct ne2000 *nic)
{
	const struct net_backend *net = nic->config.net;
	const struct net_device device = {
		.received = net_received,
		.writable = net_writable,
		.link_changed = net_link_changed,
		.dev = nic,
	};

	ne2000_reset(nic);
	net->attach(net->ctx, &device);
}

int ne2000_isa_init(struct ne2000 *nic, const struct nic_config *config,
		    struct bus *ports, uint16_t port, struct irq_line irq)
{
	struct io_region region;
	int error;

	core_init(nic, config, false);
	nic->irq = irq;
	region = region_of(nic);
	region.base = port;
	error = bus_add(ports, &region);
	if (!error)
		core_start(nic);
	return error;
}

int ne2000_pci_init(struct ne2000 *nic, const struct nic_config *config)
{
	static const struct pci_identity identity = {
		.name = "ne2000-pci",
		.vendor = 0x10ec,
		.device = 0x8029,
		.class = NET_CLASS_ETHERNET,
		.subsystem_vendor = 0x10ec,
		.subsystem = 0x8029,
		.interrupt_pin = 1,
	};
	struct pci_bar bar = { .kind = PCI_BAR_IO, .size = NE2000_PORTS };
	int error;

	core_init(nic, config, true);
	bar.region = region_of(nic);
	pci_device_init(&nic->pci, &identity, &nic->state.pci);
	error = pci_bar_add(&nic->pci, 0, &bar);
	if (!error && config->rom)
		error = pci_rom_add(&nic->pci, config->rom, config->rom_length);
	if (!error)
		error = pci_device_add(config->pci, &nic->pci, config->devfn);
	if (!error)
		core_start(nic);
	return error;
}
