/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 128 KiB window at 0xa0000: where it is, the latches, write modes 0 to 3,
 * read modes 0 and 1, chained and odd/even addressing.
 *
 * Does not model: odd/even page selection by the miscellaneous register.
 *
 * References: IBM PS/2 Hardware Technical Reference, "Video Subsystem",
 * graphics controller.
 */
#include "devices/vga_internal.h"

#include "lib/string.h"

#define PLANES 4

/* Four plane bits as four bytes of all zeros or ones. */
static uint32_t planes_spread(uint8_t bits)
{
	return ((bits & 1U) | (bits & 2U) << 7 | (bits & 4U) << 14 |
		(bits & 8U) << 21) *
	       0xff;
}

static uint32_t byte_spread(uint8_t byte)
{
	return byte * 0x01010101U;
}

/* Offset in the window's mapping, or -1: nothing is mapped there. */
static int64_t window_offset(const struct vga *vga, uint64_t offset)
{
	static const struct {
		uint32_t base, length;
	} maps[] = {
		{ 0x00000, 0x20000 },
		{ 0x00000, 0x10000 },
		{ 0x10000, 0x08000 },
		{ 0x18000, 0x08000 },
	};
	unsigned map = FIELD_GET(GC_MISC_MAP, vga->state.gc[GC_MISC]);

	if (offset - maps[map].base >= maps[map].length)
		return -1;
	offset -= maps[map].base;
	if (map == 1 && vga_is_dispi(vga))
		offset += (uint64_t)vga->state.dispi[DISPI_BANK] * VGA_BANK;
	return (int64_t)offset;
}

static uint32_t latch_load(const struct vga *vga, uint32_t offset)
{
	uint32_t latch;

	memcpy(&latch, vga->config.vram + (offset * PLANES & vga_mask(vga)),
	       sizeof(latch));
	return latch;
}

/* ---- Reading ----------------------------------------------------------- */

static uint8_t planar_read(struct vga *vga, uint32_t offset)
{
	uint32_t latch = latch_load(vga, offset), differ;

	memcpy(vga->state.latch, &latch, sizeof(latch));
	if (!(vga->state.gc[GC_MODE] & GC_MODE_READ))
		return vga->state.latch[vga->state.gc[GC_READ_MAP] & 3];
	/* A bit each where all planes that are cared for match the colour. */
	differ = (latch ^ planes_spread(vga->state.gc[GC_COMPARE])) &
		 planes_spread(vga->state.gc[GC_DONT_CARE]);
	differ |= differ >> 16;
	differ |= differ >> 8;
	return (uint8_t)~differ;
}

static uint8_t byte_read(struct vga *vga, uint32_t at)
{
	uint32_t latch;
	unsigned plane;

	if (vga->state.seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4)
		return vga->config.vram[at & vga_mask(vga)];
	if (vga->state.gc[GC_MODE] & GC_MODE_ODD_EVEN) {
		plane = (vga->state.gc[GC_READ_MAP] & 2U) | (at & 1);
		latch = latch_load(vga, at >> 1);
		return (uint8_t)(latch >> 8 * plane);
	}
	return planar_read(vga, at);
}

/* ---- Writing ----------------------------------------------------------- */

static uint8_t rotate(uint8_t value, unsigned count)
{
	return (uint8_t)(value >> count | value << (8 - count));
}

/* What the write mode makes of a byte, and which bits of it count. */
static uint32_t planar_value(const struct vga *vga, uint8_t byte,
			     uint8_t *bit_mask)
{
	unsigned count = FIELD_GET(GC_ROTATE_COUNT, vga->state.gc[GC_ROTATE]);
	uint32_t set = planes_spread(vga->state.gc[GC_SET_RESET]), enabled,
		 value;

	switch (FIELD_GET(GC_MODE_WRITE, vga->state.gc[GC_MODE])) {
	case 0:
		enabled = planes_spread(vga->state.gc[GC_ENABLE_SET_RESET]);
		value = byte_spread(rotate(byte, count));
		return (value & ~enabled) | (set & enabled);
	case 2:
		return planes_spread(byte & 0xf);
	default: /* 3 */
		*bit_mask &= rotate(byte, count);
		return set;
	}
}

static void planar_write(struct vga *vga, uint32_t offset, uint8_t byte)
{
	uint8_t bit_mask = vga->state.gc[GC_BIT_MASK];
	uint32_t planes = planes_spread(vga->state.seq[SEQ_MAP_MASK]);
	uint32_t latch, value, mask, old;
	uint8_t *at = vga->config.vram + (offset * PLANES & vga_mask(vga));

	memcpy(&latch, vga->state.latch, sizeof(latch));
	if (FIELD_GET(GC_MODE_WRITE, vga->state.gc[GC_MODE]) == 1) {
		value = latch;
	} else {
		value = planar_value(vga, byte, &bit_mask);
		switch (FIELD_GET(GC_ROTATE_FUNCTION,
				  vga->state.gc[GC_ROTATE])) {
		case 1:
			value &= latch;
			break;
		case 2:
			value |= latch;
			break;
		case 3:
			value ^= latch;
			break;
		}
		mask = byte_spread(bit_mask);
		value = (value & mask) | (latch & ~mask);
	}
	memcpy(&old, at, sizeof(old));
	value = (value & planes) | (old & ~planes);
	memcpy(at, &value, sizeof(value));
}

static void byte_write(struct vga *vga, uint32_t at, uint8_t byte)
{
	unsigned plane;

	if (vga->state.seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4) {
		if (vga->state.seq[SEQ_MAP_MASK] & BIT(at & 3))
			vga->config.vram[at & vga_mask(vga)] = byte;
	} else if (vga->state.gc[GC_MODE] & GC_MODE_ODD_EVEN) {
		plane = (vga->state.gc[GC_READ_MAP] & 2U) | (at & 1);
		if (vga->state.seq[SEQ_MAP_MASK] & BIT(plane))
			vga->config.vram[((at >> 1) * PLANES + plane) &
					 vga_mask(vga)] = byte;
	} else {
		planar_write(vga, at, byte);
	}
}

/* ---- The region -------------------------------------------------------- */

/* Text, by far the most frequent access: characters and attributes. */
static bool text_access(struct vga *vga, uint32_t at, struct io_access *io)
{
	uint8_t *cell;

	if (io->size != 2 || at & 1 ||
	    vga->state.seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4 ||
	    !(vga->state.gc[GC_MODE] & GC_MODE_ODD_EVEN) ||
	    vga->state.gc[GC_READ_MAP] & 2 ||
	    (vga->state.seq[SEQ_MAP_MASK] & 3) != 3)
		return false;
	cell = vga->config.vram + ((at >> 1) * PLANES & vga_mask(vga));
	if (io->is_write) {
		cell[0] = (uint8_t)io->data;
		cell[1] = (uint8_t)(io->data >> 8);
	} else {
		io->data = cell[0] | (uint64_t)cell[1] << 8;
	}
	return true;
}

void vga_window_access(void *dev, struct io_access *io)
{
	struct vga *vga = dev;
	int64_t at = window_offset(vga, io->offset);

	if (!(vga->state.misc & MISC_RAM))
		return;
	if (at >= 0 && text_access(vga, (uint32_t)at, io))
		return;
	for (unsigned i = 0; i < io->size; i++) {
		unsigned shift = 8 * i;

		at = window_offset(vga, io->offset + i);
		if (at < 0)
			continue;
		if (io->is_write) {
			byte_write(vga, (uint32_t)at,
				   (uint8_t)(io->data >> shift));
			continue;
		}
		io->data &= ~(0xffULL << shift);
		io->data |= (uint64_t)byte_read(vga, (uint32_t)at) << shift;
	}
}
