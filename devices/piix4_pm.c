/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PIIX4 power management.  See piix4_pm.h for what is modelled and what is
 * not.
 *
 * References: 82371AB (PIIX4) data sheet (290562-001), "Power Management
 * I/O Space Registers", "SMBus I/O Space Registers".
 */
#include "devices/piix4_pm.h"

#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define PMBASE_MASK	MASK(15, 6)
#define SMBBA_MASK	MASK(15, 4)
#define BASE_IS_IO	BIT(0)
#define PMMISC_ENABLE	BIT(0)
#define SMBCFG_ENABLE	BIT(0)
#define CONFIG_DEVACTB	0x58
#define   DEVACTB_APMC	0x02 /* bit 25, in byte 3: APMC_EN */

#define PM_LENGTH		64
#define PM1_STATUS		0x00
#define   PM1_TIMER		BIT(0)
#define   PM1_GLOBAL		BIT(5)
#define   PM1_POWER		BIT(8)
#define   PM1_RTC		BIT(10)
#define   PM1_WAKE		BIT(15)
#define   PM1_EVENTS		(PM1_TIMER | PM1_GLOBAL | PM1_POWER | PM1_RTC)
#define   PM1_WAKES		PM1_RTC /* if enabled; the power button always */
#define PM1_ENABLE		0x02
#define PM1_CONTROL		0x04
#define   CONTROL_SCI		BIT(0)
#define   CONTROL_BM_RLD	BIT(1)
#define   CONTROL_TYPE		MASK(12, 10)
#define   CONTROL_SLEEP		BIT(13) /* reads 0 */
#define   CONTROL_WRITABLE	(CONTROL_BM_RLD | CONTROL_TYPE)
#define PM1_TIMER_VALUE		0x08
#define   TIMER_TOP		23
#define   TIMER_MASK		MASK(23, 0)

#define GPE_LENGTH	4

#define SMBUS_LENGTH		16
#define SMBUS_STATUS		0x00
#define   SMBUS_INTERRUPT	BIT(1)
#define   SMBUS_NO_DEVICE	BIT(2)
#define SMBUS_CONTROL		0x02
#define   SMBUS_START		BIT(6)
#define   SMBUS_KILL		BIT(1)
#define SMBUS_BLOCK		0x07

/* ---- Timer and SCI ----------------------------------------------------- */

#define TICKS_PER_NS_64 \
	((uint64_t)(((unsigned __int128)PM_TIMER_HZ << 64) / NSEC_PER_SEC))
/* clang-format on */

static uint64_t tick_at(uint64_t now_ns)
{
	return (uint64_t)(((unsigned __int128)now_ns * TICKS_PER_NS_64) >> 64);
}

static uint64_t now_tick(const struct piix4_pm *pm)
{
	return tick_at(clock_now(pm->clock));
}

/* The status bit stands for a change of the timer's top bit. */
static void collect_timer(struct piix4_pm *pm)
{
	uint64_t toggles = now_tick(pm) >> TIMER_TOP;

	if (toggles != pm->state.toggles_seen)
		pm->state.status |= PM1_TIMER;
	pm->state.toggles_seen = toggles;
}

static void level_update(struct piix4_pm *pm)
{
	const struct piix4_pm_state *state = &pm->state;
	bool level = ((state->status & state->enable & PM1_EVENTS) ||
		      (state->gpe_status & state->gpe_enable)) &&
		     (state->control & CONTROL_SCI);

	if (level == pm->sci_level)
		return;
	pm->sci_level = level;
	irq_line_set(&pm->sci, level);
}

static void update(struct piix4_pm *pm)
{
	const struct piix4_pm_state *state = &pm->state;

	if ((state->enable & PM1_TIMER) && !(state->status & PM1_TIMER)) {
		unsigned __int128 tick =
			(unsigned __int128)(state->toggles_seen + 1)
			<< TIMER_TOP;
		/* A power of two away from exact: no 128-bit division. */
		uint64_t per_tick = (NSEC_PER_SEC << 32) / PM_TIMER_HZ + 1;

		clock_timer_arm(pm->clock, &pm->timer,
				(uint64_t)(tick * per_tick >> 32) + 1);
	} else {
		clock_timer_disarm(pm->clock, &pm->timer);
	}
	level_update(pm);
}

static void expired(void *opaque)
{
	struct piix4_pm *pm = opaque;

	collect_timer(pm);
	update(pm);
}

/* ---- Sleep and events -------------------------------------------------- */

static bool is_woken(const struct piix4_pm_state *state)
{
	uint16_t wakes = (state->enable & PM1_WAKES) | PM1_POWER;

	return (state->status & wakes) ||
	       (state->gpe_status & state->gpe_enable);
}

/* What else an event does, once its status stands. */
static void event(struct piix4_pm *pm)
{
	update(pm);
	if (pm->state.sleep != PM_ASLEEP || !is_woken(&pm->state))
		return;
	pm->state.sleep = PM_RESUMING;
	pm->sleep_reset(pm->ctx);
}

void piix4_pm_power_button(struct piix4_pm *pm)
{
	pm->state.status |= PM1_POWER;
	event(pm);
}

void piix4_pm_alarm(struct piix4_pm *pm)
{
	pm->state.status |= PM1_RTC;
	event(pm);
}

void piix4_pm_gpe(struct piix4_pm *pm, unsigned bit)
{
	pm->state.gpe_status |= (uint16_t)BIT(bit);
	event(pm);
}

static void sleep_begin(struct piix4_pm *pm, unsigned type)
{
	switch (type) {
	case PM_SLEEP_S3:
		if (!pm->sleep_reset || pm->state.sleep != PM_AWAKE)
			break;
		pm->state.sleep = PM_SUSPENDING;
		pm->sleep_reset(pm->ctx);
		break;
	case PM_SLEEP_S4:
	case PM_SLEEP_S5:
		if (pm->power_off)
			pm->power_off(pm->ctx, type == PM_SLEEP_S4);
		break;
	}
}

bool piix4_pm_slept(struct piix4_pm *pm, const struct piix4_pm_state *was)
{
	struct piix4_pm_state *state = &pm->state;

	if (was->sleep != PM_SUSPENDING && was->sleep != PM_RESUMING)
		return false;
	state->status = was->status;
	state->enable = was->enable;
	state->control = was->control & CONTROL_SCI;
	state->gpe_status = was->gpe_status;
	state->gpe_enable = was->gpe_enable;
	if (was->sleep == PM_SUSPENDING && !is_woken(was)) {
		state->sleep = PM_ASLEEP;
	} else {
		state->sleep = PM_AWAKE;
		state->status |= PM1_WAKE;
	}
	update(pm);
	return state->sleep == PM_AWAKE;
}

/* ---- The ACPI registers ------------------------------------------------ */

/* The four bytes at a multiple of four. */
static uint32_t pm_read(struct piix4_pm *pm, unsigned offset)
{
	switch (offset) {
	case PM1_STATUS:
		collect_timer(pm);
		update(pm);
		return (uint32_t)pm->state.enable << 16 | pm->state.status;
	case PM1_CONTROL:
		return pm->state.control;
	case PM1_TIMER_VALUE:
		return (uint32_t)(now_tick(pm) & TIMER_MASK);
	default:
		return 0;
	}
}

static void control_write(struct piix4_pm *pm, uint16_t value)
{
	pm->state.control = (uint16_t)((pm->state.control & CONTROL_SCI) |
				       (value & CONTROL_WRITABLE));
	if (value & CONTROL_SLEEP)
		sleep_begin(pm, (unsigned)FIELD_GET(CONTROL_TYPE, value));
}

/* Of a 16-bit register, the bytes that mask selects. */
static void pm_write(struct piix4_pm *pm, unsigned offset, uint16_t value,
		     uint16_t mask)
{
	value &= mask;
	switch (offset) {
	case PM1_STATUS:
		collect_timer(pm);
		pm->state.status &= (uint16_t)~value;
		break;
	case PM1_ENABLE:
		collect_timer(pm);
		pm->state.enable =
			((pm->state.enable & ~mask) | value) & PM1_EVENTS;
		break;
	case PM1_CONTROL:
		control_write(pm,
			      (uint16_t)((pm->state.control & ~mask) | value));
		break;
	}
	update(pm);
}

static void pm_access(void *opaque, struct io_access *io)
{
	struct piix4_pm *pm = opaque;
	unsigned offset = (unsigned)io->offset;
	unsigned i;

	if (!io->is_write) {
		/* No register lies across a boundary of four. */
		if ((offset & 3) + io->size <= 4)
			io->data =
				pm_read(pm, offset & ~3U) >> (8 * (offset & 3));
		return;
	}
	for (i = 0; i < io->size;) {
		unsigned high = (offset + i) & 1;
		unsigned bytes = high || i + 1 == io->size ? 1 : 2;
		uint16_t mask =
			bytes == 2 ? 0xffff : (uint16_t)(0xff << (8 * high));

		pm_write(pm, (offset + i) & ~1U,
			 (uint16_t)(io->data >> (8 * i) << (8 * high)), mask);
		i += bytes;
	}
}

static void gpe_access(void *opaque, struct io_access *io)
{
	struct piix4_pm *pm = opaque;
	uint16_t *half =
		io->offset & 2 ? &pm->state.gpe_enable : &pm->state.gpe_status;
	unsigned shift = 8 * (io->offset & 1);

	if (!io->is_write) {
		io->data = *half >> shift;
		return;
	}
	if (io->offset & 2)
		*half = (uint16_t)((*half & ~(0xff << shift)) |
				   io->data << shift);
	else
		*half &= (uint16_t) ~(io->data << shift);
	update(pm);
}

/* ---- APM ports --------------------------------------------------------- */

static void apm_access(void *opaque, struct io_access *io)
{
	struct piix4_pm *pm = opaque;
	uint8_t *reg =
		io->offset ? &pm->state.apm_status : &pm->state.apm_control;

	if (!io->is_write) {
		io->data = *reg;
		return;
	}
	*reg = (uint8_t)io->data;
	if (io->offset)
		return;
	/* What firmware's SMI handler would do on the way to ACPI mode. */
	if (*reg == PM_ACPI_ENABLE)
		pm->state.control |= CONTROL_SCI;
	else if (*reg == PM_ACPI_DISABLE)
		pm->state.control &= (uint16_t)~CONTROL_SCI;
	update(pm);
}

/* ---- SMBus ------------------------------------------------------------- */

static void smbus_access(void *opaque, struct io_access *io)
{
	struct piix4_pm *pm = opaque;
	uint8_t value = (uint8_t)io->data;

	if (!io->is_write) {
		io->data = pm->state.smbus[io->offset];
		return;
	}
	if (io->offset == SMBUS_STATUS) {
		pm->state.smbus[SMBUS_STATUS] &= (uint8_t)~value;
		return;
	}
	pm->state.smbus[io->offset] = value;
	if (io->offset != SMBUS_CONTROL)
		return;
	pm->state.smbus[SMBUS_CONTROL] &= (uint8_t)~SMBUS_START;
	/* Nobody acknowledges any address. */
	if ((value & SMBUS_START) && !(value & SMBUS_KILL))
		pm->state.smbus[SMBUS_STATUS] |=
			SMBUS_NO_DEVICE | SMBUS_INTERRUPT;
}

/* ---- Where the blocks are ---------------------------------------------- */

/* Moves one block to base, 0 being nowhere; where it is then. */
static uint32_t move(struct piix4_pm *pm, uint32_t from, uint32_t base,
		     struct io_region region)
{
	if (from == base)
		return base;
	if (from)
		(void)bus_remove(pm->pci.bus->ports, from, pm);
	region.base = base;
	region.is_movable = true;
	return base && !bus_add(pm->pci.bus->ports, &region) ? base : 0;
}

static void pm_map(struct piix4_pm *pm, uint32_t base)
{
	const struct io_region registers = {
		.name = "acpi-pm",
		.length = PM_LENGTH,
		.fn = pm_access,
		.dev = pm,
	};

	uint32_t before = pm->pm_mapped;

	pm->pm_mapped = move(pm, before, base, registers);
	if (pm->moved && pm->pm_mapped && pm->pm_mapped != before)
		pm->moved(pm->ctx, (uint16_t)pm->pm_mapped);
}

static void smbus_map(struct piix4_pm *pm, uint32_t base)
{
	const struct io_region smbus = {
		.name = "smbus",
		.length = SMBUS_LENGTH,
		.fn = smbus_access,
		.dev = pm,
		.width_max = 1,
	};

	pm->smbus_mapped = move(pm, pm->smbus_mapped, base, smbus);
}

static uint32_t pm_wanted(const uint8_t *config)
{
	if (!(config[PM_CONFIG_PMMISC] & PMMISC_ENABLE))
		return 0;
	return pci_get32(config, PM_CONFIG_PMBASE) & PMBASE_MASK;
}

static uint32_t smbus_wanted(const uint8_t *config)
{
	if (!(config[PM_CONFIG_SMBCFG] & SMBCFG_ENABLE))
		return 0;
	return pci_get32(config, PM_CONFIG_SMBBA) & SMBBA_MASK;
}

/* A block whose place is taken stays nowhere until the next write. */
static void move_blocks(struct piix4_pm *pm)
{
	pm_map(pm, pm_wanted(pm->pci.state->config));
	pm->state.pm_base = pm->pm_mapped;
	smbus_map(pm, smbus_wanted(pm->pci.state->config));
	pm->state.smbus_base = pm->smbus_mapped;
}

static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	(void)offset;
	(void)size;
	move_blocks(container_of(dev, struct piix4_pm, pci));
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct piix4_pm_state, deadline_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct piix4_pm_state, toggles_seen),
	STATE_STRUCT(struct piix4_pm_state, pci, &pci_device_description),
	STATE_VALUE(struct piix4_pm_state, pm_base),
	STATE_VALUE(struct piix4_pm_state, smbus_base),
	STATE_VALUE(struct piix4_pm_state, status),
	STATE_VALUE(struct piix4_pm_state, enable),
	STATE_VALUE(struct piix4_pm_state, control),
	STATE_VALUE(struct piix4_pm_state, gpe_status),
	STATE_VALUE(struct piix4_pm_state, gpe_enable),
	STATE_VALUE(struct piix4_pm_state, apm_control),
	STATE_VALUE(struct piix4_pm_state, apm_status),
	STATE_VALUE(struct piix4_pm_state, sleep, .max = PM_RESUMING),
	STATE_ARRAY(struct piix4_pm_state, smbus),
	STATE_RESERVED(struct piix4_pm_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct piix4_pm_state, fields);

static void reset_rest(void *opaque)
{
	struct piix4_pm *pm = opaque;

	pm->state.toggles_seen = now_tick(pm) >> TIMER_TOP;
	pci_device_reset(&pm->pci);
	update(pm);
}

static void restored(void *opaque)
{
	struct piix4_pm *pm = opaque;

	/* First away from where others may have to go. */
	pm_map(pm, pm->state.pm_base);
	smbus_map(pm, pm->state.smbus_base);
	pci_device_restored(&pm->pci);
	level_update(pm);
	if (pm->state.sleep == PM_SUSPENDING || pm->state.sleep == PM_RESUMING)
		pm->sleep_reset(pm->ctx);
}

/* Could they both be where the state says they are? */
static bool blocks_are_valid(const struct piix4_pm *pm,
			     const struct piix4_pm_state *state)
{
	const struct bus *ports = pm->pci.bus->ports;
	const uint8_t *config = state->pci.config;
	uint32_t base = state->pm_base, smbus = state->smbus_base;

	if (base && (base != pm_wanted(config) ||
		     bus_has_fixed(ports, base, PM_LENGTH)))
		return false;
	if (smbus && (smbus != smbus_wanted(config) ||
		      bus_has_fixed(ports, smbus, SMBUS_LENGTH)))
		return false;
	return !base || !smbus || base + PM_LENGTH <= smbus ||
	       smbus + SMBUS_LENGTH <= base;
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct piix4_pm *pm = dev;
	const struct piix4_pm_state *state = saved;
	uint64_t toggles = tick_at(now_ns) >> TIMER_TOP;

	return pci_device_is_valid(&pm->pci, &state->pci) &&
	       state->toggles_seen <= toggles &&
	       (pm->sleep_reset || state->sleep == PM_AWAKE) &&
	       blocks_are_valid(pm, state);
}

const struct device_ops piix4_pm_ops = {
	.name = "piix4-pm",
	.version = 2,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void piix4_pm_reset(struct piix4_pm *pm)
{
	device_reset(&pm->device);
}

static void init_config(struct piix4_pm *pm)
{
	static const struct pci_identity identity = {
		.name = "piix4-pm",
		.vendor = 0x8086,
		.device = 0x7113,
		.class = 0x0680,
		.revision = 3,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.interrupt_pin = 1,
	};
	struct pci_device *dev = &pm->pci;

	pci_device_init(dev, &identity, &pm->state.pci);
	pci_put16(dev->state->config, PCI_STATUS,
		  PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK);
	dev->writable[PCI_COMMAND] = PCI_COMMAND_IO;
	pci_put32(dev->state->config, PM_CONFIG_PMBASE, BASE_IS_IO);
	pci_put32(dev->writable, PM_CONFIG_PMBASE, PMBASE_MASK);
	dev->writable[PM_CONFIG_PMMISC] = PMMISC_ENABLE;
	pci_put32(dev->state->config, PM_CONFIG_SMBBA, BASE_IS_IO);
	pci_put32(dev->writable, PM_CONFIG_SMBBA, SMBBA_MASK);
	dev->writable[PM_CONFIG_SMBCFG] = 0x0f;
	dev->state->config[CONFIG_DEVACTB + 3] = DEVACTB_APMC;
	pci_put32(dev->writable, CONFIG_DEVACTB, ~0U);
	/* Device resources D and G: parallel and serial ports, kept as bits. */
	memset(&dev->writable[0x5c], 0xff, 0x70 - 0x5c);
	dev->config_written = config_written;
}

int piix4_pm_init(struct piix4_pm *pm, struct pci_bus *bus, struct clock *clock,
		  struct irq_line sci, void (*power_off)(void *ctx, bool is_s4),
		  void *ctx)
{
	const struct io_region gpe = {
		.name = "acpi-gpe",
		.base = PM_GPE_PORT,
		.length = GPE_LENGTH,
		.fn = gpe_access,
		.dev = pm,
		.width_max = 1,
	};
	const struct io_region apm = {
		.name = "apm",
		.base = PM_SMI_COMMAND,
		.length = 2,
		.fn = apm_access,
		.dev = pm,
		.width_max = 1,
	};
	int error;

	memset(pm, 0, sizeof(*pm));
	pm->clock = clock;
	pm->sci = sci;
	pm->power_off = power_off;
	pm->ctx = ctx;
	device_init(&pm->device, &piix4_pm_ops, pm, &pm->state);
	device_timer_init(&pm->device, clock, &pm->timer, expired, pm,
			  &pm->state.deadline_ns);
	init_config(pm);
	error = pci_device_add(bus, &pm->pci, PCI_DEVFN(1, 3));
	if (error)
		return error;
	piix4_pm_reset(pm);
	error = bus_add(bus->ports, &gpe);
	if (error)
		return error;
	return bus_add(bus->ports, &apm);
}
