/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AHCI controller: registers of the host bus adapter and of its ports,
 * resets, the interrupt.
 *
 * Drives are there from the start, and spin up by themselves (CAP.SSS is 0).
 * What CAP does not name is not modelled: port multipliers, power states of
 * links, hot plugging, command completion coalescing, enclosure management.
 * Nor are the four BARs of ICH9's own IDE registers: CAP.SAM says so.
 *
 * References: Serial ATA AHCI 1.3.1; Intel ICH9 datasheet (316972), chapter 15.
 */
#include "devices/ahci.h"

#include "devices/ahci_internal.h"
#include "devices/clear.h"
#include "devices/pci_msi.h"
#include "include/errno.h"
#include "lib/string.h"

#define PCI_VENDOR_INTEL     0x8086
#define PCI_DEVICE_ICH9_AHCI 0x2922
#define PCI_CLASS_SATA	     0x0106
#define PCI_INTERFACE_AHCI   1
#define ICH9_REVISION	     2
#define BAR_PAIR	     4
#define BAR_PAIR_SIZE	     32
#define PAIR_INDEX	     0x10
#define PAIR_DATA	     0x14
#define BAR_REGISTERS	     5

/* clang-format off */
#define HBA_CAP		0x00
#define   CAP_S64A	BIT(31)
#define   CAP_SNCQ	BIT(30)
#define   CAP_SCLO	BIT(24)
#define   CAP_ISS_GEN2	FIELD_PUT(MASK(23, 20), 2)
#define   CAP_SAM	BIT(18)
#define   CAP_NCS	FIELD_PUT(MASK(12, 8), AHCI_SLOTS - 1)
#define   CAP_VALUE	(CAP_S64A | CAP_SNCQ | CAP_SCLO | CAP_ISS_GEN2 | \
			 CAP_SAM | CAP_NCS | (AHCI_PORTS - 1))
#define HBA_GHC		0x04
#define   GHC_HR	BIT(0)
#define   GHC_IE	BIT(1)
#define   GHC_AE	BIT(31)
#define HBA_IS		0x08
#define HBA_PI		0x0c
#define HBA_VS		0x10
#define   VS_1_2	0x00010200
#define HBA_PORTS	0x100
#define PORT_SIZE	0x80

#define PORT_CLB	0x00
#define   CLB_FIXED	MASK(9, 0)
#define PORT_CLBU	0x04
#define PORT_FB		0x08
#define   FB_FIXED	MASK(7, 0)
#define PORT_FBU	0x0c
#define PORT_IS		0x10
#define   IS_CLEARABLE	0xfd8000afU
#define PORT_IE		0x14
#define   IE_WRITABLE	0x7dc000ffU
#define PORT_CMD	0x18
#define   CMD_WRITABLE	(AHCI_CMD_ST | AHCI_CMD_FRE | AHCI_CMD_ATAPI | \
			 AHCI_CMD_DLAE)
#define PORT_TFD	0x20
#define PORT_SIG	0x24
#define PORT_SSTS	0x28
#define   SSTS_ACTIVE	0x100 /* interface power state */
#define   SSTS_PRESENT	3
#define   SSTS_OFFLINE	4
#define PORT_SCTL	0x2c
#define   SCTL_WRITABLE	0xfff
#define   SCTL_RESET	1
#define   SCTL_OFF	4
#define   SCTL_SPEED	MASK(7, 4)
#define   SPEED_MAX	2
#define PORT_SERR	0x30
#define PORT_SACT	0x34
#define PORT_CI		0x38
/* clang-format on */

#define MSI_CAPABILITY 0x80

/* ---- Interrupt ----------------------------------------------------------- */

uint32_t ahci_port_is(const struct ahci_port_state *state)
{
	return state->is | (state->serr & AHCI_SERR_X ? AHCI_IS_PCS : 0) |
	       (state->serr & AHCI_SERR_N ? AHCI_IS_PRCS : 0);
}

bool ahci_irq_level(const struct ahci_state *state)
{
	return state->ghc & GHC_IE && state->is;
}

/* Where it is a message, one goes for each port that was not known to ask. */
static void irq_tell(struct ahci *ahci, uint32_t known)
{
	struct ahci_state *state = &ahci->state;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (ahci_port_is(&state->port[i]) & state->port[i].ie)
			state->is |= (uint32_t)BIT(i);
	pci_intx_set(&ahci->pci, ahci_irq_level(state));
	if (ahci_irq_level(state) && state->is & ~known)
		pci_message_send(&ahci->pci, 0);
}

void ahci_irq_update(struct ahci *ahci)
{
	irq_tell(ahci, ahci->state.is);
}

/* ---- Resets ----------------------------------------------------------------
 */

/* As both ends of a link find each other. */
static void link_up(struct ahci_port *port)
{
	struct ahci_port_state *state = port->state;

	state->is_signature_due = false;
	state->is_soft_reset = false;
	state->sig = UINT32_MAX;
	state->tfd = AHCI_TFD_NONE;
	if (ahci_drive(port)->kind == IDE_NONE)
		return;
	ide_irq_clear(&port->channel);
	ahci_drive(port)->state->keeps_settings = false;
	ide_drive_reset(ahci_drive(port));
	state->serr |= AHCI_SERR_X | AHCI_SERR_N;
	state->tfd = IDE_STATUS_BSY;
	state->is_signature_due = true;
}

static void link_reset(struct ahci_port *port)
{
	ahci_port_abort(port);
	link_up(port);
}

/* Where lists and FISes are stays. */
static void port_reset(struct ahci_port *port)
{
	struct ahci_port_state *state = port->state;

	state->cmd = state->is = state->ie = 0;
	state->sctl = state->serr = state->sact = state->ci = 0;
	state->is_halted = false;
	clock_timer_disarm(port->channel.clock, &port->more);
	link_reset(port);
}

static void hba_reset(struct ahci *ahci)
{
	ahci->state.ghc = GHC_AE;
	ahci->state.is = 0;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		port_reset(&ahci->port[i]);
}

/* ---- A port's registers
 * ------------------------------------------------------ */

static uint32_t cmd_read(const struct ahci_port *port)
{
	uint32_t cmd = port->state->cmd | AHCI_CMD_SUD | AHCI_CMD_POD;

	if (cmd & AHCI_CMD_FRE)
		cmd |= AHCI_CMD_FR;
	/* Until the guest's memory is its own again. */
	if (cmd & AHCI_CMD_ST || port->channel.phase != IDE_PHASE_IDLE)
		cmd |= AHCI_CMD_CR;
	return cmd;
}

static uint32_t ssts_read(const struct ahci_port *port)
{
	uint32_t sctl = port->state->sctl;
	uint32_t limit = (uint32_t)FIELD_GET(SCTL_SPEED, sctl);
	uint32_t speed = limit ? MIN(limit, (uint32_t)SPEED_MAX) : SPEED_MAX;

	switch (sctl & AHCI_DET) {
	case SCTL_OFF:
		return SSTS_OFFLINE;
	case SCTL_RESET:
		return 0;
	default:
		if (port->channel.drive[0].kind == IDE_NONE)
			return 0;
		return SSTS_ACTIVE | speed << 4 | SSTS_PRESENT;
	}
}

static uint32_t port_read(const struct ahci_port *port, unsigned offset)
{
	const struct ahci_port_state *state = port->state;

	switch (offset) {
	case PORT_CLB:
		return state->clb;
	case PORT_CLBU:
		return state->clbu;
	case PORT_FB:
		return state->fb;
	case PORT_FBU:
		return state->fbu;
	case PORT_IS:
		return ahci_port_is(state);
	case PORT_IE:
		return state->ie;
	case PORT_CMD:
		return cmd_read(port);
	case PORT_TFD:
		return state->tfd;
	case PORT_SIG:
		return state->sig;
	case PORT_SSTS:
		return ssts_read(port);
	case PORT_SCTL:
		return state->sctl;
	case PORT_SERR:
		return state->serr;
	case PORT_SACT:
		return state->sact;
	case PORT_CI:
		return state->ci;
	default:
		return 0;
	}
}

static void stop(struct ahci_port *port)
{
	struct ahci_port_state *state = port->state;

	state->ci = state->sact = 0;
	state->is_halted = false;
	state->cmd &= ~(uint32_t)AHCI_CMD_CCS;
	state->slot = AHCI_SLOTS - 1; /* the first has the next turn */
	ahci_port_abort(port);
}

static void cmd_write(struct ahci_port *port, uint32_t value)
{
	struct ahci_port_state *state = port->state;
	uint32_t old = state->cmd;

	state->cmd = (old & ~(uint32_t)CMD_WRITABLE) | (value & CMD_WRITABLE);
	if (value & AHCI_CMD_CLO && !(old & AHCI_CMD_ST))
		state->tfd &= ~(uint32_t)AHCI_TFD_BUSY;
	if (old & AHCI_CMD_ST && !(value & AHCI_CMD_ST))
		stop(port);
	else if (value & AHCI_CMD_ST && !(old & AHCI_CMD_ST))
		state->slot = AHCI_SLOTS - 1;
}

static void sctl_write(struct ahci_port *port, uint32_t value)
{
	struct ahci_port_state *state = port->state;
	uint32_t old = (uint32_t)(state->sctl & AHCI_DET);

	state->sctl = value & SCTL_WRITABLE;
	value &= AHCI_DET;
	if (value && !old) {
		ahci_port_abort(port);
		state->tfd = ahci_drive(port)->kind == IDE_NONE
				     ? AHCI_TFD_NONE
				     : IDE_STATUS_BSY;
	} else if (old && !value) {
		link_reset(port);
	}
}

static void port_write(struct ahci_port *port, unsigned offset, uint32_t value)
{
	struct ahci_port_state *state = port->state;
	bool is_started = state->cmd & AHCI_CMD_ST;

	switch (offset) {
	case PORT_CLB:
		state->clb = value & ~(uint32_t)CLB_FIXED;
		break;
	case PORT_CLBU:
		state->clbu = value;
		break;
	case PORT_FB:
		state->fb = value & ~(uint32_t)FB_FIXED;
		break;
	case PORT_FBU:
		state->fbu = value;
		break;
	case PORT_IS:
		state->is &= ~(value & IS_CLEARABLE);
		break;
	case PORT_IE:
		state->ie = value & IE_WRITABLE;
		break;
	case PORT_CMD:
		cmd_write(port, value);
		break;
	case PORT_SCTL:
		sctl_write(port, value);
		break;
	case PORT_SERR:
		state->serr &= ~value;
		break;
	case PORT_SACT:
		if (is_started)
			state->sact |= value;
		return;
	case PORT_CI:
		if (is_started)
			state->ci |= value;
		break;
	default:
		return;
	}
	ahci_port_run(port);
}

/* ---- All registers
 * ------------------------------------------------------------- */

static uint32_t register_read(const struct ahci *ahci, unsigned offset)
{
	unsigned port = (offset - HBA_PORTS) / PORT_SIZE;

	if (offset >= HBA_PORTS)
		return port < AHCI_PORTS ? port_read(&ahci->port[port],
						     offset % PORT_SIZE)
					 : 0;
	switch (offset) {
	case HBA_CAP:
		return CAP_VALUE;
	case HBA_GHC:
		return ahci->state.ghc;
	case HBA_IS:
		return ahci->state.is;
	case HBA_PI:
		return (uint32_t)BIT(AHCI_PORTS) - 1;
	case HBA_VS:
		return VS_1_2;
	default:
		return 0;
	}
}

static void register_write(struct ahci *ahci, unsigned offset, uint32_t value)
{
	unsigned port = (offset - HBA_PORTS) / PORT_SIZE;
	uint32_t known = ahci_irq_level(&ahci->state) ? ahci->state.is : 0;

	if (offset >= HBA_PORTS) {
		if (port < AHCI_PORTS)
			port_write(&ahci->port[port], offset % PORT_SIZE,
				   value);
		return;
	}
	switch (offset) {
	case HBA_GHC:
		if (value & GHC_HR)
			hba_reset(ahci);
		else
			ahci->state.ghc = GHC_AE | (value & GHC_IE);
		break;
	case HBA_IS:
		ahci->state.is &= ~value;
		known = 0; /* what is left is told again */
		break;
	}
	irq_tell(ahci, known);
}

/* Whether what is not written stays by writing zeros. */
static bool is_clearable(unsigned offset)
{
	unsigned reg = offset % PORT_SIZE;

	if (offset < HBA_PORTS)
		return offset == HBA_IS;
	return reg == PORT_IS || reg == PORT_SERR || reg == PORT_SACT ||
	       reg == PORT_CI;
}

/* A part of a register is written with the rest of it as it is. */
static void registers_access(struct ahci *ahci, unsigned offset,
			     struct io_access *io)
{
	unsigned at = ALIGN_DOWN(offset, 4U), shift = 8 * (offset - at);
	uint64_t mask = MASK(8 * io->size - 1, 0) << shift;
	uint64_t value;

	if (!io->is_write) {
		io->data = (register_read(ahci, at) & mask) >> shift;
		return;
	}
	value = is_clearable(at) ? 0 : register_read(ahci, at);
	value = (value & ~mask) | (io->data << shift & mask);
	register_write(ahci, at, (uint32_t)value);
}

static void memory_access(void *dev, struct io_access *io)
{
	registers_access(dev, (unsigned)io->offset, io);
}

/* A register's offset, and the register. */
static void pair_access(void *dev, struct io_access *io)
{
	struct ahci *ahci = dev;
	unsigned offset = (unsigned)io->offset;

	if (offset == PAIR_INDEX && io->is_write)
		ahci->state.index = (uint32_t)io->data & (AHCI_BAR_SIZE - 4);
	else if (offset == PAIR_INDEX)
		io->data = ahci->state.index;
	else if (offset >= PAIR_DATA && offset < PAIR_DATA + 4)
		registers_access(ahci, ahci->state.index + offset - PAIR_DATA,
				 io);
	else if (!io->is_write)
		io->data = 0;
}

/* ---- Life ------------------------------------------------------------------
 */

static void config_written(struct pci_device *pci, unsigned offset,
			   unsigned size)
{
	struct ahci *ahci = container_of(pci, struct ahci, pci);

	if (offset > PCI_COMMAND + 1 || offset + size <= PCI_COMMAND)
		return;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci_port_run(&ahci->port[i]);
}

static void more_expired(void *dev)
{
	ahci_port_run(dev);
}

static void reset_rest(void *dev)
{
	struct ahci *ahci = dev;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ide_channel_abort(&ahci->port[i].channel);
	pci_device_reset(&ahci->pci);
	hba_reset(ahci);
}

static void restored(void *dev)
{
	struct ahci *ahci = dev;

	pci_device_restored(&ahci->pci);
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ide_request_abandon(&ahci->port[i].channel);
}

static bool is_idle(const void *dev)
{
	const struct ahci *ahci = dev;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (ahci->port[i].channel.phase != IDE_PHASE_IDLE)
			return false;
	return true;
}

const struct device_ops ahci_ops = {
	.name = "ich9-ahci",
	.version = 1,
	.state = &ahci_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = ahci_state_is_valid,
	.is_idle = is_idle,
};

void ahci_reset(struct ahci *ahci)
{
	device_reset(&ahci->device);
}

static void port_init(struct ahci *ahci, unsigned index,
		      const struct ahci_config *config)
{
	static const struct ide_drive_config none = { .kind = IDE_NONE };
	struct ahci_port *port = &ahci->port[index];
	struct ide_channel *channel = &port->channel;

	port->ahci = ahci;
	port->state = &ahci->state.port[index];
	channel->state = &port->state->channel;
	channel->transport = &ahci_transport;
	channel->ram = config->ram;
	channel->clock = config->clock;
	channel->pci = &ahci->pci;
	channel->index = index;
	ide_request_init(channel);
	ide_drive_init(&channel->drive[0], channel, 0, &config->drive[index]);
	ide_drive_init(&channel->drive[1], channel, 1, &none);
	device_timer_init(&ahci->device, config->clock, &port->more,
			  more_expired, port, &port->state->more_ns);
}

static int bars_add(struct ahci *ahci)
{
	const struct pci_bar pair = {
		.kind = PCI_BAR_IO,
		.size = BAR_PAIR_SIZE,
		.region = { .name = "ahci-pair",
			    .fn = pair_access,
			    .dev = ahci,
			    .width_min = 1,
			    .width_max = 4 },
	};
	const struct pci_bar registers = {
		.kind = PCI_BAR_MEMORY,
		.size = AHCI_BAR_SIZE,
		.region = { .name = "ahci",
			    .fn = memory_access,
			    .dev = ahci,
			    .width_min = 1,
			    .width_max = 4 },
	};
	int error = pci_bar_add(&ahci->pci, BAR_PAIR, &pair);

	return error ? error
		     : pci_bar_add(&ahci->pci, BAR_REGISTERS, &registers);
}

int ahci_init(struct ahci *ahci, const struct ahci_config *config)
{
	static const struct pci_identity identity = {
		.name = "ich9-ahci",
		.vendor = PCI_VENDOR_INTEL,
		.device = PCI_DEVICE_ICH9_AHCI,
		.class = PCI_CLASS_SATA,
		.interface = PCI_INTERFACE_AHCI,
		.revision = ICH9_REVISION,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.interrupt_pin = 1,
	};
	int error;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (config->drive[i].kind == IDE_DISK &&
		    (!config->drive[i].backend ||
		     !config->drive[i].backend->sector_count))
			return -EINVAL;
	memory_clear(ahci, sizeof(*ahci));
	ahci->ram = config->ram;
	device_init(&ahci->device, &ahci_ops, ahci, &ahci->state);
	pci_device_init(&ahci->pci, &identity, &ahci->state.pci);
	pci_put16(ahci->pci.state->config, PCI_STATUS,
		  PCI_STATUS_FAST_BACK | PCI_STATUS_MEDIUM);
	ahci->pci.config_written = config_written;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		port_init(ahci, i, config);
	error = bars_add(ahci);
	if (!error)
		error = pci_msi_add(&ahci->pci, MSI_CAPABILITY, 1, false);
	if (!error)
		error = pci_device_add(config->pci, &ahci->pci, config->devfn);
	if (error)
		return error;
	ahci_reset(ahci);
	return 0;
}
