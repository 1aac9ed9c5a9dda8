/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 128 KiB window at 0xa0000: where it is, how its addresses become offsets
 * in the planes, the latches, write modes 0 to 3, read modes 0 and 1.
 *
 *	addressing	chosen by			plane	offset in it
 *	planar		neither of these		all	A15-A0
 *	odd/even	sequencer 4 bit 2 clear, for
 *			writes; mode bit 4, for reads	A0	A15-A1, 0
 *	chained		sequencer 4 bit 3		A1-A0	A15-A2, 0, 0
 *
 * Bit 1 of the miscellaneous register of the graphics controller replaces bit 0
 * of an offset that is not chained, by A16 in the window of 128 KiB and by the
 * page bit of the miscellaneous output register in the smaller ones.
 *
 * A plane has 64 KiB, whose addresses end with A15: in the window of 128 KiB
 * they show twice, unless A16 is the page.  While Bochs' display interface is
 * enabled all of the video memory can be reached, by banks, and a chained byte
 * lies where the linear frame buffer has it.
 *
 * Does not model: 64 KiB of memory (sequencer 4 bit 1 clear).
 *
 * References: IBM PS/2 Hardware Technical Reference, "Video Subsystem",
 * sequencer and graphics controller.
 */
#include "devices/vga_internal.h"

#include "lib/string.h"

#define PLANES	   4
#define PLANE_MASK 0xffffU
#define A16	   BIT(16)

/* Four plane bits as four bytes of all zeros or ones. */
static uint32_t planes_spread(unsigned bits)
{
	return ((bits & 1U) | (bits & 2U) << 7 | (bits & 4U) << 14 |
		(bits & 8U) << 21) *
	       0xff;
}

static uint32_t byte_spread(uint8_t byte)
{
	return byte * 0x01010101U;
}

/* ---- The registers, digested ------------------------------------------- */

static enum vga_addressing addressing(const struct vga *vga, bool is_odd_even)
{
	if (vga->state.seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4)
		return vga_is_dispi(vga) ? VGA_LINEAR : VGA_CHAINED;
	return is_odd_even ? VGA_ODD_EVEN : VGA_PLANAR;
}

/* The graphics controller passes on what the processor writes. */
static bool is_plain(const uint8_t *gc)
{
	return FIELD_GET(GC_MODE_WRITE, gc[GC_MODE]) == 0 &&
	       gc[GC_BIT_MASK] == 0xff && gc[GC_ROTATE] == 0 &&
	       gc[GC_ENABLE_SET_RESET] == 0;
}

/* The usual settings of the usual modes. */
static enum vga_quick quick_way(const struct vga *vga)
{
	const uint8_t *gc = vga->state.gc;
	const struct vga_window *w = &vga->window;
	uint8_t planes = vga->state.seq[SEQ_MAP_MASK];
	bool is_even = w->has_page && !w->page_from_a16 && !w->page;

	if (!w->is_plain || gc[GC_MODE] & GC_MODE_READ)
		return VGA_QUICK_NONE;
	if (w->read == VGA_ODD_EVEN && w->write == VGA_ODD_EVEN && is_even &&
	    planes == TEXT_PLANES && !(gc[GC_READ_MAP] & 2))
		return VGA_QUICK_TEXT;
	if (planes != 0xf)
		return VGA_QUICK_NONE;
	if (w->write == VGA_CHAINED)
		return VGA_QUICK_PIXELS;
	return w->write == VGA_LINEAR ? VGA_QUICK_LINEAR : VGA_QUICK_NONE;
}

void vga_window_update(struct vga *vga)
{
	static const struct {
		uint32_t base, length;
	} maps[] = {
		{ 0x00000, 0x20000 },
		{ 0x00000, 0x10000 },
		{ 0x10000, 0x08000 },
		{ 0x18000, 0x08000 },
	};
	const uint8_t *gc = vga->state.gc, *seq = vga->state.seq;
	unsigned map = FIELD_GET(GC_MISC_MAP, gc[GC_MISC]);
	struct vga_window *w = &vga->window;

	w->base = maps[map].base;
	w->length = vga->state.misc & MISC_RAM ? maps[map].length : 0;
	w->read = addressing(vga, gc[GC_MODE] & GC_MODE_ODD_EVEN);
	w->write = addressing(vga, !(seq[SEQ_MEMORY] & SEQ_MEMORY_SEQUENTIAL));
	w->is_plain = is_plain(gc);
	w->mask = vga_is_dispi(vga) ? UINT32_MAX : PLANE_MASK;
	w->bank = 0;
	if (map == 1 && vga_is_dispi(vga))
		w->bank = vga->state.dispi[DISPI_BANK] * VGA_BANK;
	w->has_page = gc[GC_MISC] & GC_MISC_CHAIN;
	w->page_from_a16 = map == 0;
	w->page = !(vga->state.misc & MISC_PAGE_EVEN);
	w->quick = quick_way(vga);
}

/* The offset in the planes, of all of which one doubleword is made. */
static uint32_t plane_offset(const struct vga_window *w, uint32_t at,
			     enum vga_addressing how)
{
	uint32_t offset = at;

	if (how == VGA_CHAINED)
		return at & PLANE_MASK & ~3U;
	if (w->has_page) {
		offset &= ~1U;
		offset |= w->page_from_a16 ? (at & A16) != 0 : w->page;
	}
	return offset & w->mask;
}

static uint8_t *planes_at(struct vga *vga, uint32_t offset)
{
	return vga->config.vram + (offset * PLANES & vga_mask(vga));
}

/* ---- Reading ----------------------------------------------------------- */

static uint8_t byte_read(struct vga *vga, uint32_t at)
{
	enum vga_addressing how = vga->window.read;
	unsigned plane = vga->state.gc[GC_READ_MAP] & 3;
	uint32_t latch, differ;

	if (how == VGA_LINEAR)
		return vga->config.vram[at & vga_mask(vga)];
	if (how == VGA_CHAINED)
		plane = at & 3;
	else if (how == VGA_ODD_EVEN)
		plane = (plane & 2) | (at & 1);
	memcpy(&latch, planes_at(vga, plane_offset(&vga->window, at, how)),
	       sizeof(latch));
	memcpy(vga->state.latch, &latch, sizeof(latch));
	if (!(vga->state.gc[GC_MODE] & GC_MODE_READ))
		return (uint8_t)(latch >> 8 * plane);
	/* A bit each where all planes that are cared for match the colour. */
	differ = (latch ^ planes_spread(vga->state.gc[GC_COMPARE])) &
		 planes_spread(vga->state.gc[GC_DONT_CARE]);
	differ |= differ >> 16;
	differ |= differ >> 8;
	return (uint8_t)~differ;
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

/* What goes to the planes: the byte through the graphics controller. */
static uint32_t data_make(const struct vga *vga, uint8_t byte)
{
	uint8_t bit_mask = vga->state.gc[GC_BIT_MASK];
	uint32_t latch, value, mask;

	memcpy(&latch, vga->state.latch, sizeof(latch));
	if (FIELD_GET(GC_MODE_WRITE, vga->state.gc[GC_MODE]) == 1)
		return latch;
	value = planar_value(vga, byte, &bit_mask);
	switch (FIELD_GET(GC_ROTATE_FUNCTION, vga->state.gc[GC_ROTATE])) {
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
	return (value & mask) | (latch & ~mask);
}

static void byte_write(struct vga *vga, uint32_t at, uint8_t byte)
{
	const struct vga_window *w = &vga->window;
	unsigned planes = vga->state.seq[SEQ_MAP_MASK];
	uint32_t value, mask, old;
	uint8_t *to;

	if (w->write == VGA_LINEAR) {
		if (planes & BIT(at & 3))
			vga->config.vram[at & vga_mask(vga)] = byte;
		return;
	}
	to = planes_at(vga, plane_offset(w, at, w->write));
	if (w->write == VGA_CHAINED) {
		planes &= BIT(at & 3);
		if (w->is_plain) {
			if (planes)
				to[at & 3] = byte;
			return;
		}
	} else if (w->write == VGA_ODD_EVEN) {
		planes &= at & 1 ? 0xa : 0x5;
	}
	value = w->is_plain ? byte_spread(byte) : data_make(vga, byte);
	mask = planes_spread(planes);
	memcpy(&old, to, sizeof(old));
	value = (value & mask) | (old & ~mask);
	memcpy(to, &value, sizeof(value));
}

/* ---- The region -------------------------------------------------------- */

/* Characters and attributes in turn, by far the most frequent access in text.
 */
static void text_access(struct vga *vga, uint32_t at, struct io_access *io)
{
	uint8_t *cell = planes_at(vga, at & vga->window.mask & ~1U);
	uint64_t data = 0;

	if (io->size == 2 && !(at & 1)) { /* one cell: most are */
		if (io->is_write) {
			cell[0] = (uint8_t)io->data;
			cell[1] = (uint8_t)(io->data >> 8);
		} else {
			memcpy(vga->state.latch, cell, PLANES);
			io->data = cell[0] | (uint64_t)cell[1] << 8;
		}
		return;
	}
	for (unsigned i = 0; i < io->size; i++, at++) {
		cell = planes_at(vga, at & vga->window.mask & ~1U);
		if (io->is_write) {
			cell[at & 1] = (uint8_t)(io->data >> 8 * i);
			continue;
		}
		data |= (uint64_t)cell[at & 1] << 8 * i;
		memcpy(vga->state.latch, cell, PLANES);
	}
	if (!io->is_write)
		io->data = data;
}

/* Four pixels: one offset of all planes. */
static void pixels_access(struct vga *vga, uint32_t at, struct io_access *io)
{
	uint8_t *pixels = planes_at(vga, at & PLANE_MASK);
	uint32_t four = (uint32_t)io->data;

	if (io->is_write) {
		memcpy(pixels, &four, sizeof(four));
		return;
	}
	memcpy(&four, pixels, sizeof(four));
	memcpy(vga->state.latch, &four, sizeof(four));
	io->data = four;
}

static void linear_access(struct vga *vga, uint32_t at, struct io_access *io)
{
	/* Video memory ends where banks do. */
	uint8_t *bytes = vga->config.vram + (at & vga_mask(vga));

	if (io->is_write) {
		memcpy(bytes, &io->data, io->size);
		return;
	}
	io->data = 0;
	memcpy(&io->data, bytes, io->size);
}

/* False: an access that has to be taken apart. */
static bool quick_access(struct vga *vga, uint32_t at, struct io_access *io)
{
	switch (vga->window.quick) {
	case VGA_QUICK_TEXT:
		text_access(vga, at, io);
		return true;
	case VGA_QUICK_PIXELS:
		if (io->size != sizeof(uint32_t) || at & 3)
			return false;
		pixels_access(vga, at, io);
		return true;
	case VGA_QUICK_LINEAR:
		linear_access(vga, at, io);
		return true;
	default:
		return false;
	}
}

void vga_window_access(void *dev, struct io_access *io)
{
	struct vga *vga = dev;
	const struct vga_window *w = &vga->window;
	uint64_t first = io->offset - w->base;

	if (first + io->size <= w->length && first < w->length &&
	    quick_access(vga, (uint32_t)first + w->bank, io))
		return;
	for (unsigned i = 0; i < io->size; i++) {
		unsigned shift = 8 * i;
		uint32_t at = (uint32_t)(first + i) + w->bank;

		if (first + i >= w->length)
			continue;
		if (io->is_write) {
			byte_write(vga, at, (uint8_t)(io->data >> shift));
			continue;
		}
		io->data &= ~(0xffULL << shift);
		io->data |= (uint64_t)byte_read(vga, at) << shift;
	}
}

/* Four cells at a time, while none of them wraps: a third of the instructions.
 */
static uint32_t cells_run_fast(struct vga *vga, uint32_t at,
			       const uint8_t *from, uint32_t count)
{
	uint32_t first = (at & vga->window.mask) * PLANES, done = 0;
	uint8_t *to = vga->config.vram + first;
	uint64_t cells;

	if ((at & vga->window.mask) + 2 * (uint64_t)count >
		    vga->window.mask + 1ULL ||
	    first + 2 * PLANES * (uint64_t)count > vga->config.vram_length)
		return 0;
	for (; done + 4 <= count; done += 4, from += 8, to += 8 * PLANES) {
		__builtin_memcpy(&cells, from, sizeof(cells));
		for (unsigned i = 0; i < 4; i++, cells >>= 16)
			__builtin_memcpy(to + 2 * PLANES * i, &cells, 2);
	}
	return done;
}

/* Text that is cleared and scrolled. */
static void cells_run(struct vga *vga, uint32_t at, const uint8_t *from,
		      uint32_t count)
{
	uint8_t *vram = vga->config.vram;
	uint32_t mask = vga->window.mask, end = vga_mask(vga);
	uint32_t done = cells_run_fast(vga, at, from, count);

	at += 2 * done;
	from += 2 * done;
	for (count -= done; count--; at += 2, from += 2)
		__builtin_memcpy(vram + ((at & mask) * PLANES & end), from, 2);
}

/* Fonts, and what is drawn without a raster operation: planes_at() and
 * byte_write(), with what stays the same looked at once. */
static void planar_run(struct vga *vga, uint32_t at, const uint8_t *from,
		       uint64_t count)
{
	uint8_t *vram = vga->config.vram;
	uint32_t mask = vga->window.mask, end = vga_mask(vga);
	uint32_t planes = planes_spread(vga->state.seq[SEQ_MAP_MASK]), value;

	for (; count--; at++, from++) {
		uint8_t *to = vram + ((at & mask) * PLANES & end);

		__builtin_memcpy(&value, to, sizeof(value));
		value = (byte_spread(*from) & planes) | (value & ~planes);
		__builtin_memcpy(to, &value, sizeof(value));
	}
}

/* The picture is cleared, scrolled and drawn by runs of such writes. */
uint32_t vga_window_run(void *dev, struct io_access *io, void *items,
			uint32_t count)
{
	struct vga *vga = dev;
	const struct vga_window *w = &vga->window;
	uint64_t first = io->offset - w->base,
		 bytes = (uint64_t)count * io->size;
	const uint8_t *from = items;
	uint32_t at = (uint32_t)first + w->bank;

	/* Who watches is told of each access. */
	if (vga->damage.is_watched || first >= w->length ||
	    bytes > w->length - first)
		return 0;
	if (w->quick == VGA_QUICK_LINEAR &&
	    bytes <= vga->config.vram_length - (at & vga_mask(vga))) {
		memcpy(vga->config.vram + (at & vga_mask(vga)), from, bytes);
		return count;
	}
	if (w->quick == VGA_QUICK_TEXT && io->size == 2 && !(at & 1))
		cells_run(vga, at, from, count);
	else if (w->write == VGA_PLANAR && w->is_plain && !w->has_page)
		planar_run(vga, at, from, bytes);
	else
		for (uint64_t i = 0; i < bytes; i++)
			byte_write(vga, at++, *from++);
	return count;
}

bool vga_window_target(const struct vga *vga, uint64_t offset, uint32_t *at)
{
	const struct vga_window *w = &vga->window;
	uint64_t first = offset - w->base;
	uint32_t banked = (uint32_t)first + w->bank;

	if (first >= w->length)
		return false;
	if (w->write == VGA_LINEAR)
		*at = banked & vga_mask(vga);
	else
		*at = plane_offset(w, banked, w->write) * PLANES &
		      vga_mask(vga);
	return true;
}
