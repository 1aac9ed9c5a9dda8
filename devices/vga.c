/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA: the register file, the retrace status, set-up and reset.
 *
 * Does not model: display timing beyond the two retrace bits, which follow a
 * fixed 70 Hz frame; the vertical interrupt; switch sensing; the feature
 * connector; light pens.
 *
 * References: IBM PS/2 Hardware Technical Reference, "Video Subsystem".
 */
#include "devices/vga.h"

#include "devices/vga_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define PCI_VENDOR_QEMU 0x1234
#define PCI_DEVICE_VGA	0x1111
#define PCI_CLASS_VGA	0x0300
#define PCI_BAR_VRAM	0
#define PCI_BAR_MMIO	2
#define MMIO_SIZE	4096

/* A frame of 449 lines, 400 of them seen, 70 times a second. */
#define LINE_NS	       31778U
#define LINE_SEEN_NS   25422U
#define FRAME_LINES    449U
#define FRAME_SEEN     400U
#define RETRACE_FIRST  412U
#define RETRACE_LAST   413U
#define STATUS_BLANK   BIT(0)
#define STATUS_RETRACE BIT(3)

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
	uint64_t at = clock_now(vga->config.clock) % (FRAME_LINES * LINE_NS);
	unsigned line = (unsigned)at / LINE_NS,
		 in_line = (unsigned)at % LINE_NS;
	uint8_t status = 0;

	if (line >= FRAME_SEEN || in_line >= LINE_SEEN_NS)
		status |= STATUS_BLANK;
	if (line >= RETRACE_FIRST && line <= RETRACE_LAST)
		status |= STATUS_RETRACE;
	vga->s.attr_is_data = false;
	return status;
}

static void attr_write(struct vga *vga, uint8_t value)
{
	unsigned index = vga->s.attr_index & ATTR_INDEX;

	vga->s.attr_is_data = !vga->s.attr_is_data;
	if (vga->s.attr_is_data) {
		vga->s.attr_index = value & (ATTR_INDEX | ATTR_INDEX_PAS);
		return;
	}
	vga->s.attr[index] = value & attr_bits[index];
}

static void crtc_write(struct vga *vga, uint8_t value)
{
	uint8_t *reg = &vga->s.crtc[vga->s.crtc_index];

	if (vga->s.crtc_index <= CRTC_OVERFLOW &&
	    vga->s.crtc[CRTC_PROTECT] & CRTC_PROTECT_0_7) {
		/* Only the line compare bit is not protected. */
		if (vga->s.crtc_index == CRTC_OVERFLOW)
			*reg = (uint8_t)((*reg & ~CRTC_OVERFLOW_COMPARE8) |
					 (value & CRTC_OVERFLOW_COMPARE8));
		return;
	}
	*reg = value;
}

static uint8_t dac_data_read(struct vga *vga)
{
	uint8_t value = vga->s.dac[vga->s.dac_read][vga->s.dac_step];

	if (++vga->s.dac_step == 3) {
		vga->s.dac_step = 0;
		vga->s.dac_read++;
	}
	return value;
}

static void dac_data_write(struct vga *vga, uint8_t value)
{
	if (!(vga->s.dispi[DISPI_ENABLE] & DISPI_8_BIT_DAC))
		value &= DAC_6_BIT;
	vga->s.dac[vga->s.dac_write][vga->s.dac_step] = value;
	if (++vga->s.dac_step == 3) {
		vga->s.dac_step = 0;
		vga->s.dac_write++;
	}
}

/* The CRTC and status 1 answer at 0x3bx or at 0x3dx, not at both. */
static bool is_other_half(const struct vga *vga, uint16_t port)
{
	bool is_colour = vga->s.misc & MISC_COLOUR;

	return (port < 0x3c0 && is_colour) || (port >= 0x3d0 && !is_colour);
}

uint8_t vga_port_read(struct vga *vga, uint16_t port)
{
	if (is_other_half(vga, port))
		return 0xff;
	switch (port) {
	case 0x3b4:
	case 0x3d4:
		return vga->s.crtc_index;
	case 0x3b5:
	case 0x3d5:
		return vga->s.crtc[vga->s.crtc_index];
	case 0x3ba:
	case 0x3da:
		return status1_read(vga);
	case 0x3c0:
		return vga->s.attr_is_data ? 0 : vga->s.attr_index;
	case 0x3c1:
		return vga->s.attr[vga->s.attr_index & ATTR_INDEX];
	case 0x3c2: /* input status 0 */
		return 0;
	case 0x3c4:
		return vga->s.seq_index;
	case 0x3c5:
		return vga->s.seq[vga->s.seq_index];
	case 0x3c6:
		return vga->s.dac_mask;
	case 0x3c7:
		return vga->s.dac_state;
	case 0x3c8:
		return vga->s.dac_write;
	case 0x3c9:
		return dac_data_read(vga);
	case 0x3ca:
		return vga->s.feature;
	case 0x3cc:
		return vga->s.misc;
	case 0x3ce:
		return vga->s.gc_index;
	case 0x3cf:
		return vga->s.gc[vga->s.gc_index];
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
		vga->s.crtc_index = value % VGA_CRTC_COUNT;
		break;
	case 0x3b5:
	case 0x3d5:
		crtc_write(vga, value);
		break;
	case 0x3ba:
	case 0x3da:
		vga->s.feature = value & 0x10;
		break;
	case 0x3c0:
		attr_write(vga, value);
		break;
	case 0x3c2:
		vga->s.misc = value & ~0x10;
		break;
	case 0x3c4:
		vga->s.seq_index = value % VGA_SEQ_COUNT;
		break;
	case 0x3c5:
		vga->s.seq[vga->s.seq_index] =
			value & seq_bits[vga->s.seq_index];
		break;
	case 0x3c6:
		vga->s.dac_mask = value;
		break;
	case 0x3c7:
		vga->s.dac_read = value;
		vga->s.dac_step = 0;
		vga->s.dac_state = DAC_READ;
		break;
	case 0x3c8:
		vga->s.dac_write = value;
		vga->s.dac_step = 0;
		vga->s.dac_state = DAC_WRITE;
		break;
	case 0x3c9:
		dac_data_write(vga, value);
		break;
	case 0x3ce:
		vga->s.gc_index = value % VGA_GC_COUNT;
		break;
	case 0x3cf:
		vga->s.gc[vga->s.gc_index] = value & gc_bits[vga->s.gc_index];
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

static void mono_access(void *dev, struct io_access *io)
{
	ports_access(dev, (uint16_t)(PORTS_MONO + io->offset), io);
}

static void common_access(void *dev, struct io_access *io)
{
	ports_access(dev, (uint16_t)(PORTS_COMMON + io->offset), io);
}

/* ---- ROM --------------------------------------------------------------- */

static void rom_access(void *dev, struct io_access *io)
{
	const struct vga *vga = dev;

	if (io->is_write)
		return;
	io->data = 0;
	for (unsigned i = 0; i < io->size; i++)
		if (io->offset + i < vga->config.rom_length)
			io->data |= (uint64_t)vga->config.rom[io->offset + i]
				    << 8 * i;
}

static uint32_t rom_size(uint32_t length)
{
	uint32_t size = 2048;

	while (size < length)
		size *= 2;
	return size;
}

/* ---- Set-up and reset -------------------------------------------------- */

/* BAR 0: the board maps the memory. */
static void vram_mapped(struct pci_device *pci, unsigned bar, uint64_t base,
			bool enabled)
{
	struct vga *vga = container_of(pci, struct vga, pci);

	(void)bar;
	if (vga->config.vram_mapped)
		vga->config.vram_mapped(vga->config.ctx, base, enabled);
}

void vga_reset(struct vga *vga)
{
	pci_device_reset(&vga->pci);
	memset(&vga->s, 0, sizeof(vga->s));
	vga->s.dac_mask = 0xff;
	vga_dispi_reset(vga);
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
	const struct pci_bar rom = {
		.kind = PCI_BAR_MEMORY,
		.size = rom_size(config->rom_length),
		.region = { .name = "vga-rom",
			    .fn = rom_access,
			    .dev = vga,
			    .width_min = 1,
			    .width_max = 8 },
	};
	int error = pci_bar_add(&vga->pci, PCI_BAR_VRAM, &vram);

	if (!error)
		error = pci_bar_add(&vga->pci, PCI_BAR_MMIO, &mmio);
	if (!error && config->rom)
		error = pci_bar_add(&vga->pci, PCI_ROM, &rom);
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
		{ PORTS_MONO, 12, mono_access, 1 },
		{ PORTS_COMMON, 32, common_access, 1 },
		{ 0x1ce, 4, vga_dispi_access, 2 },
	};
	const struct io_region window = {
		.name = "vga-window",
		.base = VGA_WINDOW_BASE,
		.length = VGA_WINDOW_LENGTH,
		.fn = vga_window_access,
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

	if (length < MIB(1) || length > MIB(256) || length & (length - 1))
		return -EINVAL;
	memset(vga, 0, sizeof(*vga));
	vga->config = *config;
	pci_device_init(&vga->pci, &identity);
	error = bars_add(vga);
	if (!error)
		error = regions_add(vga);
	if (!error)
		error = pci_device_add(config->pci, &vga->pci, config->devfn);
	if (!error)
		vga_reset(vga);
	return error;
}
