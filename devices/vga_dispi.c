/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bochs' display interface: linear modes of any size, set by a handful of
 * 16-bit registers at ports 0x1ce and 0x1cf (0x1d0 for those who cannot write
 * words to odd ports), or by MMIO in BAR 2.
 *
 * Enabling a mode sets the VGA registers that matter for banked access, as
 * guests that only know the ports expect.
 *
 * Does not model: DDC (there is no EDID block in BAR 2), big-endian frame
 * buffers.
 *
 * References: Bochs' VBE extension documentation ("vbe_display_api.txt");
 * QEMU, "QEMU standard VGA".
 */
#include "devices/vga_internal.h"

#include "lib/string.h"

#define DISPI_ID_FIRST 0xb0c0
#define DISPI_ID_LAST  0xb0c5
#define XRES_MAX       16000U
#define YRES_MAX       12000U
#define BPP_MAX	       32U

/* BAR 2 */
#define MMIO_PORTS	0x400
#define MMIO_PORTS_SIZE 0x20
#define MMIO_DISPI	0x500
#define MMIO_DISPI_SIZE (2 * VGA_DISPI_COUNT)
#define MMIO_EXTENDED	0x600
#define EXTENDED_SIZE	8
#define ENDIAN_LITTLE	0x1e1e1e1eU

static unsigned bits_per_pixel(const uint16_t *dispi)
{
	return dispi[DISPI_BPP] == 15 ? 16 : dispi[DISPI_BPP];
}

static uint32_t pitch_of(const uint16_t *dispi)
{
	return dispi[DISPI_VIRT_WIDTH] * bits_per_pixel(dispi) / 8;
}

static uint32_t start_of(const uint16_t *dispi)
{
	return dispi[DISPI_Y_OFFSET] * pitch_of(dispi) +
	       dispi[DISPI_X_OFFSET] * bits_per_pixel(dispi) / 8;
}

uint32_t vga_dispi_pitch(const struct vga *vga)
{
	return pitch_of(vga->state.dispi);
}

uint32_t vga_dispi_start(const struct vga *vga)
{
	return start_of(vga->state.dispi);
}

/* Nearest values that length bytes of memory are enough for. */
static void registers_fix(uint16_t *dispi, uint32_t length)
{
	uint32_t pitch;

	switch (dispi[DISPI_BPP]) {
	case 4:
	case 8:
	case 15:
	case 16:
	case 24:
	case 32:
		break;
	default:
		dispi[DISPI_BPP] = 8;
	}
	dispi[DISPI_XRES] = (uint16_t)MIN(dispi[DISPI_XRES] & ~7U, XRES_MAX);
	dispi[DISPI_XRES] = MAX(dispi[DISPI_XRES], 8);
	dispi[DISPI_VIRT_WIDTH] =
		(uint16_t)MIN(dispi[DISPI_VIRT_WIDTH] & ~7U, XRES_MAX);
	dispi[DISPI_VIRT_WIDTH] =
		MAX(dispi[DISPI_VIRT_WIDTH], dispi[DISPI_XRES]);
	pitch = pitch_of(dispi);
	dispi[DISPI_YRES] =
		(uint16_t)MIN(MIN(dispi[DISPI_YRES], YRES_MAX), length / pitch);
	dispi[DISPI_YRES] = MAX(dispi[DISPI_YRES], 1);
	dispi[DISPI_VIRT_HEIGHT] = (uint16_t)MIN(length / pitch, 0xffffU);
	dispi[DISPI_X_OFFSET] = MIN(dispi[DISPI_X_OFFSET], XRES_MAX);
	dispi[DISPI_Y_OFFSET] = MIN(dispi[DISPI_Y_OFFSET], YRES_MAX);
	if ((uint64_t)start_of(dispi) +
		    (uint64_t)(dispi[DISPI_YRES] - 1) * pitch +
		    dispi[DISPI_XRES] * bits_per_pixel(dispi) / 8 >
	    length) {
		dispi[DISPI_X_OFFSET] = 0;
		dispi[DISPI_Y_OFFSET] = 0;
	}
}

/* Chained 64 KiB at 0xa0000, no text, no tricks with the rows. */
static void vga_registers_set(struct vga *vga)
{
	unsigned rows = vga->state.dispi[DISPI_YRES] - 1U;

	vga->state.gc[GC_MISC] =
		(uint8_t)((vga->state.gc[GC_MISC] & ~GC_MISC_MAP) |
			  FIELD_PUT(GC_MISC_MAP, 1) | GC_MISC_GRAPHICS);
	vga->state.crtc[CRTC_MODE] |= CRTC_MODE_ROW0 | CRTC_MODE_ROW1;
	vga->state.crtc[CRTC_OFFSET] = (uint8_t)(vga_dispi_pitch(vga) >> 3);
	vga->state.crtc[CRTC_COLUMNS] =
		(uint8_t)((vga->state.dispi[DISPI_XRES] >> 3) - 1);
	vga->state.crtc[CRTC_ROWS] = (uint8_t)rows;
	vga->state.crtc[CRTC_OVERFLOW] =
		(uint8_t)((vga->state.crtc[CRTC_OVERFLOW] &
			   ~(CRTC_OVERFLOW_ROWS8 | CRTC_OVERFLOW_ROWS9)) |
			  (rows & BIT(8) ? CRTC_OVERFLOW_ROWS8 : 0) |
			  (rows & BIT(9) ? CRTC_OVERFLOW_ROWS9 : 0));
	vga->state.crtc[CRTC_MAX_SCAN] &= ~(CRTC_SCAN_LINES | CRTC_SCAN_DOUBLE);
	vga->state.gc[GC_MODE] &= ~GC_MODE_SHIFT;
	if (vga->state.dispi[DISPI_BPP] == 4) {
		vga->state.seq[SEQ_CLOCKING] &= ~SEQ_CLOCKING_HALF;
	} else {
		vga->state.gc[GC_MODE] |= FIELD_PUT(GC_MODE_SHIFT, 2);
		vga->state.seq[SEQ_MEMORY] |= SEQ_MEMORY_CHAIN4;
		vga->state.seq[SEQ_MAP_MASK] |= 0xf;
	}
}

static void enable_write(struct vga *vga, uint16_t value)
{
	uint16_t *dispi = vga->state.dispi;
	bool was_enabled = vga_is_dispi(vga);

	dispi[DISPI_ENABLE] = value & DISPI_ENABLE_STORED;
	if (!(value & DISPI_ENABLED)) {
		dispi[DISPI_BANK] = 0;
		return;
	}
	if (was_enabled)
		return;
	dispi[DISPI_VIRT_WIDTH] = 0;
	dispi[DISPI_X_OFFSET] = 0;
	dispi[DISPI_Y_OFFSET] = 0;
	registers_fix(dispi, vga->config.vram_length);
	vga_registers_set(vga);
	if (!(value & DISPI_NO_CLEAR))
		memset(vga->config.vram, 0,
		       MIN(dispi[DISPI_YRES] * vga_dispi_pitch(vga),
			   vga->config.vram_length));
}

uint16_t vga_dispi_read(const struct vga *vga, unsigned index)
{
	bool is_caps = vga->state.dispi[DISPI_ENABLE] & DISPI_GET_CAPS;

	if (index >= VGA_DISPI_COUNT)
		return 0;
	if (is_caps && index == DISPI_XRES)
		return XRES_MAX;
	if (is_caps && index == DISPI_YRES)
		return YRES_MAX;
	if (is_caps && index == DISPI_BPP)
		return BPP_MAX;
	return vga->state.dispi[index];
}

static void register_write(struct vga *vga, unsigned index, uint16_t value)
{
	uint16_t *dispi = vga->state.dispi;

	switch (index) {
	case DISPI_ID:
		if (value >= DISPI_ID_FIRST && value <= DISPI_ID_LAST)
			dispi[index] = value;
		break;
	case DISPI_ENABLE:
		enable_write(vga, value);
		break;
	case DISPI_BANK:
		dispi[index] = (uint16_t)(value %
					  (vga->config.vram_length / VGA_BANK));
		break;
	case DISPI_XRES:
	case DISPI_YRES:
	case DISPI_BPP:
	case DISPI_VIRT_WIDTH:
	case DISPI_X_OFFSET:
	case DISPI_Y_OFFSET:
		dispi[index] = value;
		if (vga_is_dispi(vga)) {
			registers_fix(dispi, vga->config.vram_length);
			vga_registers_set(vga);
		}
		break;
	default: /* read-only, or not there */
		break;
	}
}

void vga_dispi_write(struct vga *vga, unsigned index, uint16_t value)
{
	register_write(vga, index, value);
	vga_window_update(vga);
}

/* Port 0x1ce is the index; 0x1cf and 0x1d0 are both the data. */
void vga_dispi_access(void *dev, struct io_access *io)
{
	struct vga *vga = dev;

	if (io->size != 2 || io->offset > 2)
		return;
	if (io->offset == 0) {
		if (io->is_write)
			vga->state.dispi_index = (uint16_t)io->data;
		else
			io->data = vga->state.dispi_index;
	} else if (io->is_write) {
		vga_dispi_write(vga, vga->state.dispi_index,
				(uint16_t)io->data);
	} else {
		io->data = vga_dispi_read(vga, vga->state.dispi_index);
	}
}

static void mmio_ports(struct vga *vga, uint16_t port, struct io_access *io)
{
	if (!io->is_write)
		io->data = 0;
	for (unsigned i = 0; i < io->size; i++) {
		if (io->is_write)
			vga_port_write(vga, (uint16_t)(port + i),
				       (uint8_t)(io->data >> 8 * i));
		else
			io->data |= (uint64_t)vga_port_read(
					    vga, (uint16_t)(port + i))
				    << 8 * i;
	}
}

static void mmio_dispi(struct vga *vga, unsigned index, struct io_access *io)
{
	if (io->size != 2)
		return;
	if (io->is_write)
		vga_dispi_write(vga, index, (uint16_t)io->data);
	else
		io->data = vga_dispi_read(vga, index);
}

void vga_mmio_access(void *dev, struct io_access *io)
{
	struct vga *vga = dev;
	uint64_t at = io->offset;

	if (at >= MMIO_PORTS && at + io->size <= MMIO_PORTS + MMIO_PORTS_SIZE)
		mmio_ports(vga, (uint16_t)(0x3c0 + at - MMIO_PORTS), io);
	else if (at >= MMIO_DISPI && at < MMIO_DISPI + MMIO_DISPI_SIZE &&
		 at % 2 == 0)
		mmio_dispi(vga, (unsigned)(at - MMIO_DISPI) / 2, io);
	else if (at == MMIO_EXTENDED && !io->is_write)
		io->data = EXTENDED_SIZE;
	else if (at == MMIO_EXTENDED + 4 && !io->is_write)
		io->data = ENDIAN_LITTLE;
	else if (!io->is_write)
		io->data = 0;
}

void vga_dispi_reset(struct vga *vga)
{
	vga->state.dispi[DISPI_ID] = DISPI_ID_LAST;
	vga->state.dispi[DISPI_MEMORY] =
		(uint16_t)(vga->config.vram_length / VGA_BANK);
}

bool vga_dispi_is_valid(const struct vga *vga, const struct vga_state *state)
{
	uint32_t banks = vga->config.vram_length / VGA_BANK;
	uint16_t fixed[VGA_DISPI_COUNT];

	if (state->dispi[DISPI_MEMORY] != (uint16_t)banks ||
	    state->dispi[DISPI_BANK] >= banks)
		return false;
	if (!(state->dispi[DISPI_ENABLE] & DISPI_ENABLED))
		return true;
	memcpy(fixed, state->dispi, sizeof(fixed));
	registers_fix(fixed, vga->config.vram_length);
	return !memcmp(fixed, state->dispi, sizeof(fixed));
}
