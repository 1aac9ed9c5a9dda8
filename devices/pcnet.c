/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Am79C970A's registers, life.  See pcnet.h for what is modelled and what
 * is not.
 */
#include "devices/pcnet_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define BAR_SIZE 32

void pcnet_fail(struct pcnet *nic, enum pcnet_error error)
{
	static const char *const texts[PCNET_ERRORS] = {
		[PCNET_ERROR_BLOCK] = "an initialization block outside of "
				      "memory",
		[PCNET_ERROR_RING] = "a descriptor outside of memory",
		[PCNET_ERROR_TX_LENGTH] = "a frame that is too long to be sent",
		[PCNET_ERROR_TX_CHAIN] = "a frame whose end is not there",
		[PCNET_ERROR_TX_START] = "a frame without a beginning",
		[PCNET_ERROR_RX_LENGTH] = "a frame longer than all buffers",
	};

	nic->errors[error]++;
	net_warn(&nic->config.log, "pcnet", texts[error]);
}

/* ---- The interrupt ------------------------------------------------------ */

/* CSR0.INTR */
static bool has_cause(const struct pcnet_chip *chip)
{
	uint16_t features = chip->csr[PCNET_CSR_FEATURES];

	return chip->csr[0] & ~chip->csr[PCNET_CSR_MASKS] & PCNET_CAUSES ||
	       features & PCNET_UINT ||
	       (features & PCNET_TXSTRT && !(features & PCNET_TXSTRTM));
}

bool pcnet_is_asserted(const struct pcnet_chip *chip)
{
	return chip->csr[0] & PCNET_IENA && has_cause(chip);
}

void pcnet_interrupt_update(struct pcnet *nic)
{
	pci_intx_set(&nic->pci, pcnet_is_asserted(&nic->state.chip));
}

void pcnet_raise(struct pcnet *nic, uint64_t causes)
{
	nic->state.chip.csr[0] |= (uint16_t)causes;
	pcnet_interrupt_update(nic);
}

/* ---- Resets ------------------------------------------------------------- */

/* S_RESET: PCI, APROM and BCRs go on. */
static void soft_reset(struct pcnet *nic)
{
	struct pcnet_chip *chip = &nic->state.chip;
	const uint8_t *mac = nic->state.aprom;

	clock_timer_disarm(nic->config.clock, &nic->poll);
	state_reset(&pcnet_chip_description, chip, STATE_RESET_WARM);
	chip->csr[0] = PCNET_STOP;
	chip->csr[PCNET_CSR_FEATURES] = 0x0115;
	for (unsigned i = 0; i < 3; i++)
		chip->csr[PCNET_CSR_PADR + i] =
			(uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
	chip->csr[PCNET_CSR_RCVRL] = 0xffff;
	chip->csr[PCNET_CSR_XMTRL] = 0xffff;
	chip->csr[80] = 0x1410;
	chip->csr[100] = 0x0200;
	net_port_release(&nic->port);
	pcnet_interrupt_update(nic);
}

static void bcr_reset(uint16_t *bcr)
{
	static const uint16_t values[][2] = {
		{ 0, 0x0005 },
		{ 1, 0x0005 },
		{ PCNET_BCR_MC, 0x0002 },
		{ PCNET_BCR_LNKST, 0x00c0 },
		{ 5, 0x0084 },
		{ 6, 0x0088 },
		{ 7, 0x0090 },
		{ PCNET_BCR_BSBC, 0x9001 },
		{ PCNET_BCR_EECAS, 0x0002 },
		{ PCNET_BCR_SWS, PCNET_CSRPCNET },
		{ 22, 0xff06 },
	};

	memset(bcr, 0, PCNET_BCRS * sizeof(*bcr));
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		bcr[values[i][0]] = values[i][1];
}

/* ---- CSR0 --------------------------------------------------------------- */

static void stop(struct pcnet *nic)
{
	nic->state.chip.csr[0] = PCNET_STOP;
	pcnet_interrupt_update(nic);
	net_port_release(&nic->port);
}

static void init(struct pcnet *nic)
{
	uint16_t *csr0 = &nic->state.chip.csr[0];

	*csr0 &= (uint16_t)~PCNET_STOP;
	*csr0 |= PCNET_INIT;
	if (pci_is_master(&nic->pci) && pcnet_block_load(nic)) {
		pcnet_raise(nic, PCNET_IDON);
		return;
	}
	pcnet_fail(nic, PCNET_ERROR_BLOCK);
	pcnet_raise(nic, PCNET_MERR);
}

static void begin(struct pcnet *nic)
{
	struct pcnet_chip *chip = &nic->state.chip;
	uint16_t mode = chip->csr[PCNET_CSR_MODE];

	chip->csr[0] &= (uint16_t) ~(PCNET_STOP | PCNET_TXON | PCNET_RXON);
	chip->csr[0] |= PCNET_STRT;
	if (!(mode & PCNET_DTX))
		chip->csr[0] |= PCNET_TXON;
	if (!(mode & PCNET_DRX))
		chip->csr[0] |= PCNET_RXON;
	chip->has_demanded = false;
}

static void csr0_write(struct pcnet *nic, uint16_t value)
{
	struct pcnet_chip *chip = &nic->state.chip;
	uint16_t *csr0 = &chip->csr[0];

	*csr0 &= (uint16_t) ~(value & PCNET_CLEARABLE);
	if (value & PCNET_STOP) {
		stop(nic);
		return;
	}
	*csr0 = (uint16_t)((*csr0 & ~PCNET_IENA) | (value & PCNET_IENA));
	if (value & PCNET_INIT && !(*csr0 & PCNET_INIT))
		init(nic);
	if (value & PCNET_STRT && !(*csr0 & PCNET_STRT))
		begin(nic);
	if (value & PCNET_TDMD)
		chip->has_demanded = true;
	pcnet_interrupt_update(nic);
	/* What the driver has done by memory is seen now. */
	pcnet_run(nic);
}

static uint16_t csr0_read(const struct pcnet_chip *chip)
{
	uint16_t value = chip->csr[0];

	if (value & (PCNET_BABL | PCNET_CERR | PCNET_MISS | PCNET_MERR))
		value |= PCNET_ERR;
	return has_cause(chip) ? value | PCNET_INTR : value;
}

/* ---- CSRs and BCRs ------------------------------------------------------ */

static void features_write(struct pcnet *nic, uint16_t value)
{
	uint16_t *features = &nic->state.chip.csr[PCNET_CSR_FEATURES];

	*features &= (uint16_t) ~(value & PCNET_CSR4_CLEARABLE);
	*features = (uint16_t)((*features & ~PCNET_CSR4_WRITABLE) |
			       (value & PCNET_CSR4_WRITABLE));
	if (value & PCNET_UINTCMD)
		*features |= PCNET_UINT;
	pcnet_interrupt_update(nic);
}

static void extended_write(struct pcnet_chip *chip, uint16_t value)
{
	uint16_t *extended = &chip->csr[PCNET_CSR_EXTENDED];

	*extended &= (uint16_t) ~(value & PCNET_CSR5_CLEARABLE);
	*extended = (uint16_t)((*extended & ~PCNET_CSR5_WRITABLE) |
			       (value & PCNET_CSR5_WRITABLE));
}

/* SWSTYLE says how wide descriptors are. */
static void style_write(struct pcnet *nic, uint16_t value)
{
	uint16_t style = value & (uint16_t)PCNET_SWSTYLE;

	if (style != PCNET_STYLE_LANCE)
		style |= PCNET_SSIZE32;
	if ((style & PCNET_SWSTYLE) != PCNET_STYLE_ILACC)
		style |= PCNET_CSRPCNET;
	nic->state.bcr[PCNET_BCR_SWS] = style;
}

/* Those of which the card takes note while it runs would be others for it. */
static bool is_writable(const struct pcnet_chip *chip, unsigned index)
{
	static const uint8_t rows[][2] = {
		/* first, last */
		{ 1, 2 },   { 8, 15 },	{ 16, 17 },   { 24, 25 },
		{ 30, 31 }, { 46, 47 }, { 76, 76 },   { 78, 78 },
		{ 80, 80 }, { 82, 82 }, { 100, 100 },
	};

	if (!(chip->csr[0] & PCNET_STOP) &&
	    !(chip->csr[PCNET_CSR_EXTENDED] & PCNET_SPND))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (index >= rows[i][0] && index <= rows[i][1])
			return true;
	return false;
}

static void csr_write(struct pcnet *nic, unsigned index, uint16_t value)
{
	struct pcnet_chip *chip = &nic->state.chip;

	switch (index) {
	case 0:
		csr0_write(nic, value);
		return;
	case PCNET_CSR_MASKS:
		chip->csr[index] = value & PCNET_CSR3_WRITABLE;
		pcnet_interrupt_update(nic);
		pcnet_run(nic);
		return;
	case PCNET_CSR_FEATURES:
		features_write(nic, value);
		return;
	case PCNET_CSR_EXTENDED:
		extended_write(chip, value);
		return;
	case PCNET_CSR_STYLE:
		style_write(nic, value);
		return;
	case PCNET_CSR_MISSED:
		return;
	}
	if (!is_writable(chip, index))
		return;
	if (index == 16 || index == 17) /* IADR's other place */
		index -= 15;
	chip->csr[index] = value;
	if (index >= PCNET_CSR_RCVRL && index <= PCNET_CSR_XMTRL) {
		chip->rx_next = 0;
		chip->tx_next = 0;
	}
}

static uint16_t csr_read(const struct pcnet *nic, unsigned index)
{
	const struct pcnet_chip *chip = &nic->state.chip;

	switch (index) {
	case 0:
		return csr0_read(chip);
	case 16:
	case 17:
		return chip->csr[index - 15];
	case PCNET_CSR_STYLE:
		return nic->state.bcr[PCNET_BCR_SWS];
	case PCNET_CSR_RCVRC:
		return (uint16_t)(chip->csr[PCNET_CSR_RCVRL] + chip->rx_next);
	case PCNET_CSR_XMTRC:
		return (uint16_t)(chip->csr[PCNET_CSR_XMTRL] + chip->tx_next);
	case PCNET_CSR_CHIP:
		return (uint16_t)PCNET_CHIP;
	case PCNET_CSR_CHIP + 1:
		return PCNET_CHIP >> 16;
	}
	return chip->csr[index];
}

static void bcr_write(struct pcnet *nic, unsigned index, uint16_t value)
{
	uint16_t *bcr = nic->state.bcr;

	switch (index) {
	case PCNET_BCR_MC:
	case PCNET_BCR_LNKST:
	case 5:
	case 6:
	case 7:
	case 9:
	case 16:
	case 17:
	case 21:
		bcr[index] = value & 0x7fff;
		break;
	case PCNET_BCR_BSBC:
		bcr[index] = (uint16_t)((value & ~PCNET_DWIO) |
					(bcr[index] & PCNET_DWIO));
		break;
	case PCNET_BCR_SWS:
		if (nic->state.chip.csr[0] & PCNET_STOP)
			style_write(nic, value);
		break;
	}
}

static uint16_t bcr_read(const struct pcnet *nic, unsigned index)
{
	uint16_t value = index < PCNET_BCRS ? nic->state.bcr[index] : 0;

	if (index == PCNET_BCR_LNKST && nic->state.is_cable_up)
		value |= PCNET_LEDOUT;
	return value;
}

/* ---- Accesses ----------------------------------------------------------- */

static void aprom_access(struct pcnet *nic, struct io_access *io)
{
	bool is_open = nic->state.bcr[PCNET_BCR_MC] & PCNET_APROMWE;
	uint64_t data = 0;

	for (unsigned i = 0; i < io->size; i++) {
		uint8_t *byte = &nic->state.aprom[io->offset + i];

		if (io->is_write && is_open)
			*byte = (uint8_t)(io->data >> 8 * i);
		data |= (uint64_t)*byte << 8 * i;
	}
	if (!io->is_write)
		io->data = data;
}

enum port { PORT_NONE, PORT_RDP, PORT_RAP, PORT_RESET, PORT_BDP };

/* Which one it is, in words or in doublewords. */
static enum port port_of(const struct pcnet *nic, const struct io_access *io)
{
	static const enum port ports[] = { PORT_RDP, PORT_RAP, PORT_RESET,
					   PORT_BDP };
	bool is_wide = nic->state.bcr[PCNET_BCR_BSBC] & PCNET_DWIO;
	unsigned size = is_wide ? 4 : 2;
	unsigned index = (unsigned)(io->offset - PCNET_APROM_SIZE) / size;

	if (io->size != size || io->offset % size || index >= ARRAY_SIZE(ports))
		return PORT_NONE;
	return ports[index];
}

static void port_write(struct pcnet *nic, enum port port, uint16_t value)
{
	struct pcnet_chip *chip = &nic->state.chip;

	switch (port) {
	case PORT_RDP:
		csr_write(nic, chip->rap, value);
		break;
	case PORT_RAP:
		chip->rap = value % PCNET_CSRS;
		break;
	case PORT_BDP:
		bcr_write(nic, chip->rap, value);
		break;
	default: /* a reset follows reading */
		break;
	}
}

static uint64_t port_read(struct pcnet *nic, enum port port)
{
	const struct pcnet_chip *chip = &nic->state.chip;

	switch (port) {
	case PORT_RDP:
		return csr_read(nic, chip->rap);
	case PORT_RAP:
		return chip->rap;
	case PORT_BDP:
		return bcr_read(nic, chip->rap);
	case PORT_RESET:
		soft_reset(nic);
		return 0;
	default:
		return ~0ULL >> 32;
	}
}

static void access(void *dev, struct io_access *io)
{
	struct pcnet *nic = dev;

	if (io->offset + io->size <= PCNET_APROM_SIZE) {
		aprom_access(nic, io);
		return;
	}
	if (io->is_write && io->size == 4 && io->offset == PCNET_DWIO_RDP)
		nic->state.bcr[PCNET_BCR_BSBC] |= PCNET_DWIO;
	if (io->is_write)
		port_write(nic, port_of(nic, io), (uint16_t)io->data);
	else
		io->data = port_read(nic, port_of(nic, io)) &
			   MASK(8 * io->size - 1, 0);
}

/* ---- What the backend and the clock say --------------------------------- */

static void run(void *dev)
{
	pcnet_run(dev);
}

static void net_link_changed(void *dev, bool is_up)
{
	struct pcnet *nic = dev;

	nic->state.is_cable_up = is_up;
	/* What could not be sent is lost now. */
	pcnet_run(nic);
}

/* ---- Life --------------------------------------------------------------- */

static void aprom_fill(uint8_t *aprom, const uint8_t *mac)
{
	uint16_t sum = 0;

	memset(aprom, 0, PCNET_APROM_SIZE);
	memcpy(aprom, mac, NET_MAC_LENGTH);
	aprom[9] = 0x11; /* of this family */
	aprom[14] = 'W';
	aprom[15] = 'W';
	for (unsigned i = 0; i < PCNET_APROM_SIZE; i++)
		sum = (uint16_t)(sum + aprom[i]);
	aprom[12] = (uint8_t)sum;
	aprom[13] = (uint8_t)(sum >> 8);
}

static void reset_rest(void *dev)
{
	struct pcnet *nic = dev;

	pci_device_reset(&nic->pci);
	bcr_reset(nic->state.bcr);
	soft_reset(nic);
}

static void restored(void *dev)
{
	struct pcnet *nic = dev;

	net_port_release(&nic->port);
	pci_device_restored(&nic->pci);
}

/* A driver may have switched bus mastering on after it started the card. */
static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct pcnet *nic = container_of(dev, struct pcnet, pci);

	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND)
		pcnet_run(nic);
}

const struct device_ops pcnet_ops = {
	.name = "pcnet",
	.version = 1,
	.state = &pcnet_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = pcnet_state_is_valid,
};

void pcnet_reset(struct pcnet *nic)
{
	device_reset(&nic->device);
}

int pcnet_init(struct pcnet *nic, const struct nic_config *config)
{
	static const struct pci_identity identity = {
		.name = "pcnet",
		.vendor = 0x1022,
		.device = 0x2000,
		.class = NET_CLASS_ETHERNET,
		.revision = 0x16, /* Am79C970A */
		.interrupt_pin = 1,
	};
	const struct io_region registers = {
		.name = "pcnet",
		.fn = access,
		.dev = nic,
		.width_min = 1,
		.width_max = 4,
	};
	const struct net_device device = {
		.received = run,
		.writable = run,
		.link_changed = net_link_changed,
		.dev = nic,
	};
	int error;

	memset(nic, 0, sizeof(*nic));
	nic->config = *config;
	nic->port.net = config->net;
	device_init(&nic->device, &pcnet_ops, nic, &nic->state);
	device_timer_init(&nic->device, config->clock, &nic->poll, run, nic,
			  &nic->state.chip.poll_ns);
	nic->state.is_cable_up = config->net->is_link_up;
	aprom_fill(nic->state.aprom, config->net->mac);
	pci_device_init(&nic->pci, &identity, &nic->state.pci);
	nic->pci.config_written = config_written;
	error = net_bars_add(&nic->pci, config, &registers, BAR_SIZE);
	if (!error)
		error = pci_device_add(config->pci, &nic->pci, config->devfn);
	if (error)
		return error;
	pcnet_reset(nic);
	config->net->attach(config->net->ctx, &device);
	return 0;
}
