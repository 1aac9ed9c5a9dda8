/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA: the register file, the retrace status, set-up and reset.
 *
 * Does not model: display timing beyond the two retrace bits and the retrace
 * that takes the start address over, which follow a fixed 70 Hz frame; the
 * vertical interrupt; switch sensing; the feature connector; light pens.
 *
 * References: IBM PS/2 Hardware Technical Reference, "Video Subsystem".
 */
#include "devices/vga.h"

#include "devices/clear.h"
#include "devices/vga_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define PCI_VENDOR_QEMU 0x1234
#define PCI_DEVICE_VGA	0x1111
#define PCI_CLASS_VGA	0x0300
#define PCI_BAR_VRAM	0
#define MMIO_SIZE	4096

#define LINE_SEEN_NS   25422U
#define FRAME_SEEN     400U
#define RETRACE_FIRST  412U
#define RETRACE_LAST   413U
#define STATUS_BLANK   BIT(0)
#define STATUS_RETRACE BIT(3)
#define STATUS_VIDEO   MASK(5, 4)

#define DAC_READ  3
#define DAC_WRITE 0
#define DAC_6_BIT 0x3f

/* Bits that exist, by register. */
static const uint8_t seq_bits[VGA_SEQ_COUNT] = {
	0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff,
};

static const uint8_t gc_bits[VGA_GC_COUNT] = {
	0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff,
};

static const uint8_t attr_bits[VGA_ATTR_COUNT] = {
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

/* ---- Registers --------------------------------------------------------- */

static uint8_t status1_read(struct vga *vga)
{
	uint64_t at = clock_now(vga->config.clock) % VGA_FRAME_NS;
	unsigned line = (unsigned)at / VGA_LINE_NS,
		 in_line = (unsigned)at % VGA_LINE_NS;
	uint8_t status = 0;

	if (line >= FRAME_SEEN || in_line >= LINE_SEEN_NS)
		status |= STATUS_BLANK;
	if (line >= RETRACE_FIRST && line <= RETRACE_LAST)
		status |= STATUS_RETRACE;
	/* What the picture's dots would do: a test waits for both levels. */
	vga->state.video_feedback ^= STATUS_VIDEO;
	status |= vga->state.video_feedback;
	vga->state.attr_is_data = false;
	return status;
}

static void attr_write(struct vga *vga, uint8_t value)
{
	unsigned index = vga->state.attr_index & ATTR_INDEX;

	vga->state.attr_is_data = !vga->state.attr_is_data;
	if (vga->state.attr_is_data) {
		vga->state.attr_index = value & (ATTR_INDEX | ATTR_INDEX_PAS);
		return;
	}
	vga->state.attr[index] = value & attr_bits[index];
}

/* Vertical retraces that have begun by then. */
static uint64_t retraces(uint64_t ns)
{
	return (ns + (VGA_FRAME_LINES - RETRACE_FIRST) * VGA_LINE_NS) /
	       VGA_FRAME_NS;
}

uint16_t vga_start(const struct vga *vga)
{
	const uint8_t *crtc = vga->state.crtc;
	uint64_t now = clock_now(vga->config.clock);

	if (retraces(now) == retraces(vga->state.start_ns))
		return vga->state.start;
	return (uint16_t)(crtc[CRTC_START_HIGH] << 8 | crtc[CRTC_START_LOW]);
}

static void crtc_write(struct vga *vga, uint8_t value)
{
	uint8_t *reg = &vga->state.crtc[vga->state.crtc_index];

	if (vga->state.crtc_index <= CRTC_OVERFLOW &&
	    vga->state.crtc[CRTC_PROTECT] & CRTC_PROTECT_0_7) {
		/* Only the line compare bit is not protected. */
		if (vga->state.crtc_index == CRTC_OVERFLOW)
			*reg = (uint8_t)((*reg & ~CRTC_OVERFLOW_COMPARE8) |
					 (value & CRTC_OVERFLOW_COMPARE8));
		return;
	}
	if (vga->state.crtc_index == CRTC_START_HIGH ||
	    vga->state.crtc_index == CRTC_START_LOW) {
		vga->state.start = vga_start(vga);
		vga->state.start_ns = clock_now(vga->config.clock);
	}
	*reg = value;
}

static uint8_t dac_data_read(struct vga *vga)
{
	uint8_t value =
		vga->state.dac[vga->state.dac_read][vga->state.dac_step];

	if (++vga->state.dac_step == 3) {
		vga->state.dac_step = 0;
		vga->state.dac_read++;
	}
	return value;
}

static void dac_data_write(struct vga *vga, uint8_t value)
{
	if (!(vga->state.dispi[DISPI_ENABLE] & DISPI_8_BIT_DAC))
		value &= DAC_6_BIT;
	vga->state.dac[vga->state.dac_write][vga->state.dac_step] = value;
	if (++vga->state.dac_step == 3) {
		vga->state.dac_step = 0;
		vga->state.dac_write++;
	}
}

/* The CRTC and status 1 answer at 0x3bx or at 0x3dx, not at both. */
static bool is_other_half(const struct vga *vga, uint16_t port)
{
	bool is_colour = vga->state.misc & MISC_COLOUR;

	return (port < 0x3c0 && is_colour) || (port >= 0x3d0 && !is_colour);
}

uint8_t vga_port_read(struct vga *vga, uint16_t port)
{
	if (is_other_half(vga, port))
		return 0xff;
	switch (port) {
	case 0x3b4:
	case 0x3d4:
		return vga->state.crtc_index;
	case 0x3b5:
	case 0x3d5:
		return vga->state.crtc[vga->state.crtc_index];
	case 0x3ba:
	case 0x3da:
		return status1_read(vga);
	case 0x3c0:
		return vga->state.attr_is_data ? 0 : vga->state.attr_index;
	case 0x3c1:
		return vga->state.attr[vga->state.attr_index & ATTR_INDEX];
	case 0x3c2: /* input status 0 */
		return 0;
	case 0x3c4:
		return vga->state.seq_index;
	case 0x3c5:
		return vga->state.seq[vga->state.seq_index];
	case 0x3c6:
		return vga->state.dac_mask;
	case 0x3c7:
		return vga->state.dac_state;
	case 0x3c8:
		return vga->state.dac_write;
	case 0x3c9:
		return dac_data_read(vga);
	case 0x3ca:
		return vga->state.feature;
	case 0x3cc:
		return vga->state.misc;
	case 0x3ce:
		return vga->state.gc_index;
	case 0x3cf:
		return vga->state.gc[vga->state.gc_index];
	default:
		return 0xff;
	}
}

void vga_port_write(struct vga *vga, uint16_t port, uint8_t value)
{
	if (is_other_half(vga, port))
		return;
	switch (port) {
	case 0x3b4:
	case 0x3d4:
		vga->state.crtc_index = value % VGA_CRTC_COUNT;
		break;
	case 0x3b5:
	case 0x3d5:
		crtc_write(vga, value);
		break;
	case 0x3ba:
	case 0x3da:
		vga->state.feature = value & 0x10;
		break;
	case 0x3c0:
		attr_write(vga, value);
		break;
	case 0x3c2:
		vga->state.misc = value & ~0x10;
		vga_window_update(vga);
		break;
	case 0x3c4:
		vga->state.seq_index = value % VGA_SEQ_COUNT;
		break;
	case 0x3c5:
		vga->state.seq[vga->state.seq_index] =
			value & seq_bits[vga->state.seq_index];
		vga_window_update(vga);
		break;
	case 0x3c6:
		vga->state.dac_mask = value;
		break;
	case 0x3c7:
		vga->state.dac_read = value;
		vga->state.dac_step = 0;
		vga->state.dac_state = DAC_READ;
		break;
	case 0x3c8:
		vga->state.dac_write = value;
		vga->state.dac_step = 0;
		vga->state.dac_state = DAC_WRITE;
		break;
	case 0x3c9:
		dac_data_write(vga, value);
		break;
	case 0x3ce:
		vga->state.gc_index = value % VGA_GC_COUNT;
		break;
	case 0x3cf:
		vga->state.gc[vga->state.gc_index] =
			value & gc_bits[vga->state.gc_index];
		vga_window_update(vga);
		break;
	}
}

static void ports_access(struct vga *vga, uint16_t port, struct io_access *io)
{
	if (io->is_write)
		vga_port_write(vga, port, (uint8_t)io->data);
	else
		io->data = vga_port_read(vga, port);
}

#define PORTS_MONO   0x3b0
#define PORTS_COMMON 0x3c0

void vga_mono_access(void *dev, struct io_access *io)
{
	ports_access(dev, (uint16_t)(PORTS_MONO + io->offset), io);
}

void vga_common_access(void *dev, struct io_access *io)
{
	ports_access(dev, (uint16_t)(PORTS_COMMON + io->offset), io);
}

/* BAR 0: the board maps the memory. */
static void vram_mapped(struct pci_device *pci, unsigned bar, uint64_t base,
			bool enabled)
{
	struct vga *vga = container_of(pci, struct vga, pci);

	(void)bar;
	if (vga->config.vram_mapped)
		vga->config.vram_mapped(vga->config.ctx, base, enabled);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct vga_state, pci, &pci_device_description),
	STATE_VALUE(struct vga_state, dispi_index),
	STATE_ARRAY(struct vga_state, dispi),
	STATE_VALUE(struct vga_state, misc),
	STATE_VALUE(struct vga_state, feature),
	STATE_VALUE(struct vga_state, seq_index, .max = VGA_SEQ_COUNT - 1),
	STATE_ARRAY(struct vga_state, seq),
	STATE_VALUE(struct vga_state, gc_index, .max = VGA_GC_COUNT - 1),
	STATE_ARRAY(struct vga_state, gc),
	STATE_VALUE(struct vga_state, crtc_index, .max = VGA_CRTC_COUNT - 1),
	STATE_ARRAY(struct vga_state, crtc),
	STATE_VALUE(struct vga_state, attr_index,
		    .max = ATTR_INDEX | ATTR_INDEX_PAS),
	STATE_ARRAY(struct vga_state, attr),
	STATE_VALUE(struct vga_state, attr_is_data),
	STATE_VALUE(struct vga_state, dac_mask, .reset = 0xff),
	STATE_VALUE(struct vga_state, dac_read),
	STATE_VALUE(struct vga_state, dac_write),
	STATE_VALUE(struct vga_state, dac_step, .max = 2),
	STATE_VALUE(struct vga_state, dac_state),
	STATE_TABLE(struct vga_state, dac),
	STATE_ARRAY(struct vga_state, latch),
	STATE_VALUE(struct vga_state, video_feedback, .max = STATUS_VIDEO),
	STATE_RESERVED(struct vga_state, reserved),
	STATE_VALUE(struct vga_state, start),
	STATE_RESERVED(struct vga_state, reserved_start),
	STATE_VALUE(struct vga_state, start_ns),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct vga_state, fields);

/*
 * Hardware leaves most registers undefined.  These are as the BIOS has them in
 * every mode: nothing masked, no second picture, nothing shifted.
 */
static void registers_reset(struct vga_state *state)
{
	state->gc[GC_BIT_MASK] = 0xff;
	state->crtc[CRTC_OVERFLOW] = CRTC_OVERFLOW_COMPARE8;
	state->crtc[CRTC_MAX_SCAN] = CRTC_SCAN_COMPARE9;
	state->crtc[CRTC_COMPARE] = 0xff;
	state->attr[ATTR_PANNING] = ATTR_PANNING_NONE;
}

static void reset_rest(void *opaque)
{
	struct vga *vga = opaque;

	vga_dispi_reset(vga);
	registers_reset(&vga->state);
	vga_window_update(vga);
	vga_damage_all(vga);
	pci_device_reset(&vga->pci);
}

static void restored(void *opaque)
{
	struct vga *vga = opaque;

	vga_window_update(vga);
	vga_damage_all(vga);
	pci_device_restored(&vga->pci);
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct vga *vga = dev;
	const struct vga_state *state = saved;

	(void)now_ns;
	return pci_device_is_valid(&vga->pci, &state->pci) &&
	       vga_dispi_is_valid(vga, state);
}

const struct device_ops vga_ops = {
	.name = "vga",
	.version = 3,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Set-up and reset -------------------------------------------------- */

void vga_reset(struct vga *vga)
{
	device_reset(&vga->device);
}

static int bars_add(struct vga *vga)
{
	const struct vga_config *config = &vga->config;
	const struct pci_bar vram = {
		.kind = PCI_BAR_MEMORY_PREFETCH,
		.size = config->vram_length,
		.mapped = vram_mapped,
	};
	const struct pci_bar mmio = {
		.kind = PCI_BAR_MEMORY,
		.size = MMIO_SIZE,
		.region = { .name = "vga-mmio",
			    .fn = vga_mmio_access,
			    .dev = vga,
			    .width_min = 1,
			    .width_max = 4 },
	};
	int error = pci_bar_add(&vga->pci, PCI_BAR_VRAM, &vram);

	if (!error)
		error = pci_bar_add(&vga->pci, VGA_BAR_MMIO, &mmio);
	if (!error && config->rom)
		error = pci_rom_add(&vga->pci, config->rom, config->rom_length);
	return error;
}

static int regions_add(struct vga *vga)
{
	/* Those between belong to nobody: 0x3bc is a parallel port's. */
	static const struct {
		uint16_t first, length;
		io_fn fn;
		uint8_t width;
	} ports[] = {
		{ PORTS_MONO, 12, vga_mono_access, 1 },
		{ PORTS_COMMON, 32, vga_common_access, 1 },
		{ 0x1ce, 4, vga_dispi_access, 2 },
	};
	const struct io_region window = {
		.name = "vga-window",
		.base = VGA_WINDOW_BASE,
		.length = VGA_WINDOW_LENGTH,
		.fn = vga_window_access,
		.bulk = vga_window_run,
		.dev = vga,
		.width_min = 1,
		.width_max = 8,
	};
	int error = 0;

	for (unsigned i = 0; !error && i < ARRAY_SIZE(ports); i++) {
		const struct io_region region = {
			.name = "vga",
			.base = ports[i].first,
			.length = ports[i].length,
			.fn = ports[i].fn,
			.dev = vga,
			.width_min = 1,
			.width_max = ports[i].width,
		};

		error = bus_add(vga->config.ports, &region);
	}
	return error ? error : bus_add(vga->config.memory, &window);
}

int vga_init(struct vga *vga, const struct vga_config *config)
{
	static const struct pci_identity identity = {
		.name = "vga",
		.vendor = PCI_VENDOR_QEMU,
		.device = PCI_DEVICE_VGA,
		.class = PCI_CLASS_VGA,
		.revision = 2,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
	};
	uint32_t length = config->vram_length;
	int error;

	if (length < MIB(1) || length > VGA_VRAM_MAX || length & (length - 1))
		return -EINVAL;
	memory_clear(vga, sizeof(*vga));
	vga->config = *config;
	device_init(&vga->device, &vga_ops, vga, &vga->state);
	pci_device_init(&vga->pci, &identity, &vga->state.pci);
	error = bars_add(vga);
	if (!error)
		error = regions_add(vga);
	if (!error)
		error = pci_device_add(config->pci, &vga->pci, config->devfn);
	if (!error)
		vga_reset(vga);
	return error;
}
