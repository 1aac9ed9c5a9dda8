/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LSI 53C895A's registers, resets and interrupts.  See lsi.h.
 *
 * Most registers only remember what is written, for drivers and SCRIPTS.  They
 * are bytes, and wider accesses are those of their bytes, the lowest first.
 *
 * References: as lsi.h, the manual's chapter 4.
 */
#include "devices/lsi.h"

#include "devices/clear.h"
#include "devices/lsi_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define PCI_VENDOR_LSI	   0x1000
#define PCI_DEVICE_895A	   0x0012
#define PCI_CLASS_SCSI	   0x0100
#define PCI_CACHE_LINE	   0x0c /* dwords */
#define PCI_LATENCY	   0x0d
#define PCI_COMMAND_MWI	   BIT(4)
#define BAR_REGISTERS_SIZE 1024

#define GENERAL_UNIT_NS 125000 /* of the general purpose timer */
#define GENERAL_SCALE	16

/* ---- Interrupts --------------------------------------------------------- */

bool lsi_irq_level(const struct lsi_state *state)
{
	const uint8_t *reg = state->reg;

	return reg[LSI_ISTAT0] & ISTAT0_INTF ||
	       reg[LSI_DSTAT] & reg[LSI_DIEN] ||
	       reg[LSI_SIST0] & reg[LSI_SIEN0] ||
	       reg[LSI_SIST1] & reg[LSI_SIEN1];
}

void lsi_irq_update(struct lsi *lsi)
{
	pci_intx_set(&lsi->pci, lsi_irq_level(&lsi->state));
}

void lsi_interrupt_dma(struct lsi *lsi, uint8_t dstat)
{
	lsi->state.reg[LSI_DSTAT] |= dstat;
	lsi_stop(lsi);
	lsi_irq_update(lsi);
}

void lsi_interrupt_scsi(struct lsi *lsi, uint8_t sist0, uint8_t sist1)
{
	uint8_t *reg = lsi->state.reg;
	uint8_t stops0 =
		reg[LSI_SIEN0] | (uint8_t) ~(SIST0_CMP | SIST0_SEL | SIST0_RSL);
	uint8_t stops1 = reg[LSI_SIEN1] | (uint8_t) ~(SIST1_GEN | SIST1_HTH);

	reg[LSI_SIST0] |= sist0;
	reg[LSI_SIST1] |= sist1;
	if (sist0 & stops0 || sist1 & stops1)
		lsi_stop(lsi);
	lsi_irq_update(lsi);
}

/* ---- Resets ------------------------------------------------------------- */

static void registers_reset(struct lsi *lsi)
{
	uint8_t *reg = lsi->state.reg;

	memset(reg, 0, LSI_REGISTERS);
	reg[LSI_SCNTL0] = SCNTL0_FULL;
	reg[LSI_SCID] = LSI_TARGETS;
	reg[LSI_RESPID0] = BIT(LSI_TARGETS);
}

/* The bus is left to itself: who was connected waits to be again. */
static void chip_reset(struct lsi *lsi)
{
	lsi_stop(lsi);
	lsi_bus_release(lsi);
	registers_reset(lsi);
	lsi->state.has_carry = lsi->state.is_timing_out = false;
	lsi->state.is_bus_reset = false;
	clock_timer_disarm(lsi->clock, &lsi->more);
	clock_timer_disarm(lsi->clock, &lsi->general);
}

static void scntl1_write(struct lsi *lsi, uint8_t value)
{
	bool is_reset = value & SCNTL1_RST;

	lsi->state.reg[LSI_SCNTL1] = value & (uint8_t)~SCNTL1_CON;
	if (is_reset && !lsi->state.is_bus_reset) {
		lsi->state.is_timing_out = false;
		lsi_bus_reset(lsi);
		lsi_interrupt_scsi(lsi, SIST0_RST, 0);
	}
	lsi->state.is_bus_reset = is_reset;
}

/* ---- The general purpose timer ------------------------------------------ */

static void stime1_write(struct lsi *lsi, uint8_t value)
{
	unsigned general = (unsigned)FIELD_GET(STIME1_GEN, value);
	uint64_t time = GENERAL_UNIT_NS;

	lsi->state.reg[LSI_STIME1] = value;
	if (!general) {
		clock_timer_disarm(lsi->clock, &lsi->general);
		return;
	}
	time <<= general - 1;
	if (value & STIME1_SCALE)
		time *= GENERAL_SCALE;
	clock_timer_arm(lsi->clock, &lsi->general,
			clock_now(lsi->clock) + time);
}

static void general_expired(void *dev)
{
	lsi_interrupt_scsi(dev, 0, SIST1_GEN);
}

static void more_expired(void *dev)
{
	lsi_run(dev);
}

/* ---- Reading ------------------------------------------------------------ */

static bool is_connected(const struct lsi *lsi)
{
	return lsi->state.bus.phase != LSI_BUS_FREE;
}

static uint8_t istat0_read(const struct lsi *lsi)
{
	const uint8_t *reg = lsi->state.reg;

	return reg[LSI_ISTAT0] | (reg[LSI_DSTAT] ? ISTAT0_DIP : 0) |
	       (reg[LSI_SIST0] || reg[LSI_SIST1] ? ISTAT0_SIP : 0) |
	       (is_connected(lsi) ? ISTAT0_CON : 0);
}

static uint8_t sbcl_read(struct lsi *lsi)
{
	uint8_t phase = 0;

	if (!is_connected(lsi))
		return 0;
	if (lsi_bus_requests(lsi, &phase))
		phase |= SBCL_REQ;
	else
		phase = lsi->state.phase;
	return phase | SBCL_BSY | (lsi->state.reg[LSI_SOCL] & SOCL_ATN);
}

static uint8_t ctest2_read(struct lsi *lsi)
{
	uint8_t *reg = lsi->state.reg;
	uint8_t value =
		(reg[LSI_CTEST2] & CTEST2_PCICIE) | CTEST2_DACK | CTEST2_CM;

	if (reg[LSI_ISTAT0] & ISTAT0_SIGP)
		value |= CTEST2_SIGP;
	reg[LSI_ISTAT0] &= (uint8_t)~ISTAT0_SIGP;
	return value;
}

/* Reading clears it. */
static uint8_t taken(struct lsi *lsi, unsigned at)
{
	uint8_t value = lsi->state.reg[at];

	lsi->state.reg[at] = 0;
	lsi_irq_update(lsi);
	return value;
}

/* Of the BARs of registers and RAM, if wanted. */
static uint8_t scratch_read(const struct lsi *lsi, unsigned at)
{
	const uint8_t *reg = lsi->state.reg;
	unsigned bar = at < LSI_SCRATCHA + 4 ? LSI_BAR_REGISTERS : LSI_BAR_RAM;

	if (!(reg[LSI_CTEST2] & CTEST2_PCICIE))
		return reg[at];
	return lsi->pci.state->config[PCI_BAR0 + 4 * bar + at % 4];
}

uint8_t lsi_register_read(struct lsi *lsi, unsigned at)
{
	uint8_t value = lsi->state.reg[at];

	switch (at) {
	case LSI_SCNTL1:
		return value | (is_connected(lsi) ? SCNTL1_CON : 0);
	case LSI_GPREG:
		return GPREG_IDLE;
	case LSI_SBCL:
		return sbcl_read(lsi);
	case LSI_DSTAT:
		return taken(lsi, at) | DSTAT_DFE;
	case LSI_SIST0:
	case LSI_SIST1:
		return taken(lsi, at);
	case LSI_SSTAT0:
		return lsi->state.is_bus_reset ? SSTAT0_RST : 0;
	case LSI_SSTAT1:
		return lsi->state.phase;
	case LSI_SSTAT2:
		return is_connected(lsi) ? 0 : SSTAT2_LDSC;
	case LSI_ISTAT0:
		return istat0_read(lsi);
	case LSI_ISTAT1:
		return lsi->state.activity == LSI_STOPPED ? 0 : ISTAT1_SRUN;
	case LSI_CTEST1:
		return CTEST1_EMPTY;
	case LSI_CTEST2:
		return ctest2_read(lsi);
	case LSI_MACNTL:
		return value | MACNTL_TYPE;
	case LSI_STEST4:
		return STEST4_LVD | STEST4_LOCK;
	case LSI_SBDL:
		return lsi_bus_data(lsi);
	}
	if (at / 4 == LSI_SCRATCHA / 4 || at / 4 == LSI_SCRATCHB / 4)
		return scratch_read(lsi, at);
	return value;
}

/* ---- Writing ------------------------------------------------------------ */

static void start(struct lsi *lsi)
{
	lsi->state.activity = LSI_EXECUTES;
	lsi_run(lsi);
}

static void istat0_write(struct lsi *lsi, uint8_t value)
{
	uint8_t *istat0 = &lsi->state.reg[LSI_ISTAT0];

	if (value & ISTAT0_SRST) {
		chip_reset(lsi);
		*istat0 = ISTAT0_SRST;
		return;
	}
	*istat0 = (value & (ISTAT0_ABRT | ISTAT0_SIGP | ISTAT0_SEM)) |
		  (*istat0 & (uint8_t)~value & ISTAT0_INTF);
	if (value & ISTAT0_ABRT)
		lsi_interrupt_dma(lsi, DSTAT_ABRT);
	else
		lsi_run(lsi);
}

static bool is_read_only(unsigned at)
{
	switch (at) {
	case LSI_SSID:
	case LSI_SBCL:
	case LSI_DSTAT:
	case LSI_SSTAT0:
	case LSI_SSTAT1:
	case LSI_SSTAT2:
	case LSI_ISTAT1:
	case LSI_CTEST1:
	case LSI_SIST0:
	case LSI_SIST1:
	case LSI_STEST0:
	case LSI_STEST4:
		return true;
	}
	return at / 2 == LSI_SIDL / 2 || at / 2 == LSI_SBDL / 2;
}

/* Bits that do something once, and are zero then. */
static uint8_t kept(unsigned at, uint8_t value)
{
	switch (at) {
	case LSI_CTEST3:
		return value & (uint8_t) ~(CTEST3_FLF | CTEST3_CLF);
	case LSI_DCNTL:
		return value & (uint8_t)~DCNTL_STD;
	case LSI_MACNTL:
		return value & (uint8_t)~MACNTL_TYPE;
	case LSI_STEST3:
		return value & (uint8_t)~STEST3_CSF;
	}
	return value;
}

void lsi_register_write(struct lsi *lsi, unsigned at, uint8_t value)
{
	uint8_t *reg = lsi->state.reg;

	if (is_read_only(at))
		return;
	if (at == LSI_SCNTL1) {
		scntl1_write(lsi, value);
	} else if (at == LSI_ISTAT0) {
		istat0_write(lsi, value);
	} else if (at == LSI_STIME1) {
		stime1_write(lsi, value);
	} else {
		reg[at] = kept(at, value);
		if (at == LSI_DSP + 3 && !(reg[LSI_DMODE] & DMODE_MAN))
			start(lsi);
		if (at == LSI_DCNTL && value & DCNTL_STD)
			start(lsi);
	}
	lsi_irq_update(lsi);
}

/* ---- Regions ------------------------------------------------------------ */

static void registers_access(void *dev, struct io_access *io)
{
	struct lsi *lsi = dev;
	unsigned at = (unsigned)(io->offset % LSI_REGISTERS);
	uint64_t data = 0;

	for (unsigned i = 0; i < io->size; i++) {
		unsigned reg = (at + i) % LSI_REGISTERS;

		if (io->is_write)
			lsi_register_write(lsi, reg,
					   (uint8_t)(io->data >> 8 * i));
		else
			data |= (uint64_t)lsi_register_read(lsi, reg) << 8 * i;
	}
	if (!io->is_write)
		io->data = data;
}

static void ram_access(void *dev, struct io_access *io)
{
	struct lsi *lsi = dev;
	uint8_t *at = lsi->state.ram + io->offset;

	if (io->is_write) {
		memcpy(at, &io->data, io->size);
		return;
	}
	io->data = 0;
	memcpy(&io->data, at, io->size);
}

/* ---- Life --------------------------------------------------------------- */

static void config_written(struct pci_device *pci, unsigned offset,
			   unsigned size)
{
	if (offset <= PCI_COMMAND + 1 && offset + size > PCI_COMMAND)
		lsi_run(container_of(pci, struct lsi, pci));
}

static void reset_rest(void *dev)
{
	struct lsi *lsi = dev;

	chip_reset(lsi);
	lsi_bus_reset(lsi);
	pci_device_reset(&lsi->pci);
}

static void restored(void *dev)
{
	struct lsi *lsi = dev;

	pci_device_restored(&lsi->pci);
	for (unsigned i = 0; i < LSI_TARGETS; i++)
		scsi_drive_restored(&lsi->target[i].drive);
}

static bool is_idle(const void *dev)
{
	const struct lsi *lsi = dev;

	for (unsigned i = 0; i < LSI_TARGETS; i++)
		if (!scsi_drive_is_free(&lsi->target[i].drive))
			return false;
	return true;
}

const struct device_ops lsi_ops = {
	.name = "lsi53c895a",
	.version = 2,
	.state = &lsi_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = lsi_state_is_valid,
	.is_idle = is_idle,
};

void lsi_reset(struct lsi *lsi)
{
	device_reset(&lsi->device);
}

static int bars_add(struct lsi *lsi)
{
	struct pci_bar bar = {
		.kind = PCI_BAR_IO,
		.size = LSI_REGISTERS,
		.region = { .name = "lsi",
			    .fn = registers_access,
			    .dev = lsi,
			    .width_min = 1,
			    .width_max = 4 },
	};
	int error = pci_bar_add(&lsi->pci, LSI_BAR_PORTS, &bar);

	bar.kind = PCI_BAR_MEMORY;
	bar.size = BAR_REGISTERS_SIZE;
	if (!error)
		error = pci_bar_add(&lsi->pci, LSI_BAR_REGISTERS, &bar);
	bar.size = LSI_RAM;
	bar.region.name = "lsi-ram";
	bar.region.fn = ram_access;
	bar.region.width_max = 8;
	return error ? error : pci_bar_add(&lsi->pci, LSI_BAR_RAM, &bar);
}

int lsi_init(struct lsi *lsi, const struct lsi_config *config)
{
	static const struct pci_identity identity = {
		.name = "lsi53c895a",
		.vendor = PCI_VENDOR_LSI,
		.device = PCI_DEVICE_895A,
		.class = PCI_CLASS_SCSI,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1000,
		.interrupt_pin = 1,
	};
	int error;

	for (unsigned i = 0; i < LSI_TARGETS; i++)
		if (config->drive[i].backend && !config->drive[i].is_cdrom &&
		    !config->drive[i].backend->sector_count)
			return -EINVAL;
	memory_clear(lsi, sizeof(*lsi));
	lsi->ram = config->ram;
	lsi->clock = config->clock;
	device_init(&lsi->device, &lsi_ops, lsi, &lsi->state);
	pci_device_init(&lsi->pci, &identity, &lsi->state.pci);
	pci_put16(lsi->pci.state->config, PCI_STATUS, PCI_STATUS_MEDIUM);
	/* Drivers that want to invalidate lines look whether they have set how
	 * long these are. */
	lsi->pci.writable[PCI_COMMAND] |= PCI_COMMAND_MWI;
	lsi->pci.writable[PCI_CACHE_LINE] = lsi->pci.writable[PCI_LATENCY] =
		UINT8_MAX;
	lsi->pci.config_written = config_written;
	for (unsigned i = 0; i < LSI_TARGETS; i++)
		lsi_target_init(lsi, i, config);
	device_timer_init(&lsi->device, config->clock, &lsi->more, more_expired,
			  lsi, &lsi->state.more_ns);
	device_timer_init(&lsi->device, config->clock, &lsi->general,
			  general_expired, lsi, &lsi->state.general_ns);
	error = bars_add(lsi);
	if (!error)
		error = pci_device_add(config->pci, &lsi->pci, config->devfn);
	if (error)
		return error;
	lsi_reset(lsi);
	return 0;
}
