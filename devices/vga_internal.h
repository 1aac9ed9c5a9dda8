/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that vga.c, vga_dispi.c, vga_memory.c and vga_render.c share.
 *
 * Video memory is laid out as plane 0 to 3 of offset 0, plane 0 to 3 of offset
 * 1 and so on, so that one load is a latch.  Offsets are the planes' own: the
 * characters of a text lie at the even ones, the pixels of mode 13h at every
 * fourth, and the CRTC's word and doubleword modes find them there.  The linear
 * modes of Bochs' interface know no planes.
 */
#ifndef BULKHEAD_DEVICES_VGA_INTERNAL_H
#define BULKHEAD_DEVICES_VGA_INTERNAL_H

#include "devices/vga.h"

#define VGA_WINDOW_BASE	  0xa0000ULL
#define VGA_WINDOW_LENGTH 0x20000ULL
#define VGA_BANK	  0x10000U

#define MISC_COLOUR    BIT(0)
#define MISC_RAM       BIT(1)
/* Odd/even addressing reaches the even offsets; clear: the odd ones. */
#define MISC_PAGE_EVEN BIT(5)

enum vga_seq {
	SEQ_RESET,
	SEQ_CLOCKING,
	SEQ_MAP_MASK,
	SEQ_FONT,
	SEQ_MEMORY,
};
#define SEQ_CLOCKING_8_DOT    BIT(0)
#define SEQ_CLOCKING_HALF     BIT(3)
#define SEQ_CLOCKING_OFF      BIT(5)
#define SEQ_MEMORY_SEQUENTIAL BIT(2) /* no odd/even writes */
#define SEQ_MEMORY_CHAIN4     BIT(3)
#define TEXT_PLANES	      0x3 /* characters and attributes */

enum vga_gc {
	GC_SET_RESET,
	GC_ENABLE_SET_RESET,
	GC_COMPARE,
	GC_ROTATE,
	GC_READ_MAP,
	GC_MODE,
	GC_MISC,
	GC_DONT_CARE,
	GC_BIT_MASK,
};
#define GC_ROTATE_COUNT	   MASK(2, 0)
#define GC_ROTATE_FUNCTION MASK(4, 3)
#define GC_MODE_WRITE	   MASK(1, 0)
#define GC_MODE_READ	   BIT(3)
#define GC_MODE_ODD_EVEN   BIT(4)
#define GC_MODE_SHIFT	   MASK(6, 5)
#define GC_MISC_GRAPHICS   BIT(0)
#define GC_MISC_CHAIN	   BIT(1) /* bit 0 of the offset is the page */
#define GC_MISC_MAP	   MASK(3, 2)

enum vga_crtc {
	CRTC_COLUMNS = 0x01,
	CRTC_OVERFLOW = 0x07,
	CRTC_PRESET = 0x08,
	CRTC_MAX_SCAN = 0x09,
	CRTC_CURSOR_START = 0x0a,
	CRTC_CURSOR_END = 0x0b,
	CRTC_START_HIGH = 0x0c,
	CRTC_START_LOW = 0x0d,
	CRTC_CURSOR_HIGH = 0x0e,
	CRTC_CURSOR_LOW = 0x0f,
	CRTC_PROTECT = 0x11,
	CRTC_ROWS = 0x12,
	CRTC_OFFSET = 0x13,
	CRTC_UNDERLINE = 0x14,
	CRTC_MODE = 0x17,
	CRTC_COMPARE = 0x18,
};
#define CRTC_OVERFLOW_ROWS8    BIT(1)
#define CRTC_OVERFLOW_COMPARE8 BIT(4)
#define CRTC_OVERFLOW_ROWS9    BIT(6)
#define CRTC_PRESET_ROW	       MASK(4, 0)
#define CRTC_PRESET_BYTES      MASK(6, 5)
#define CRTC_SCAN_LINES	       MASK(4, 0)
#define CRTC_SCAN_COMPARE9     BIT(6)
#define CRTC_SCAN_DOUBLE       BIT(7)
#define CRTC_CURSOR_LINE       MASK(4, 0)
#define CRTC_CURSOR_OFF	       BIT(5)
#define CRTC_CURSOR_SKEW       MASK(6, 5) /* of the end */
#define CRTC_UNDERLINE_LINE    MASK(4, 0)
#define CRTC_UNDERLINE_COUNT4  BIT(5)
#define CRTC_UNDERLINE_DWORD   BIT(6)
#define CRTC_PROTECT_0_7       BIT(7)
#define CRTC_MODE_ROW0	       BIT(0) /* off: row bit 0 is an address bit */
#define CRTC_MODE_ROW1	       BIT(1)
#define CRTC_MODE_COUNT2       BIT(3)
#define CRTC_MODE_WRAP15       BIT(5) /* off: words wrap as in 64 KiB */
#define CRTC_MODE_BYTE	       BIT(6)

enum vga_attr {
	ATTR_MODE = 0x10,
	ATTR_PLANES = 0x12,
	ATTR_PANNING = 0x13,
	ATTR_COLOUR = 0x14,
};
#define ATTR_INDEX	  MASK(4, 0)
#define ATTR_INDEX_PAS	  BIT(5) /* the palette drives the screen */
#define ATTR_MODE_LINE9	  BIT(2)
#define ATTR_MODE_BLINK	  BIT(3)
#define ATTR_MODE_SPLIT	  BIT(5) /* the lower picture is not panned */
#define ATTR_MODE_8_BIT	  BIT(6)
#define ATTR_MODE_P54	  BIT(7)
#define ATTR_PANNING_NONE 8 /* in every mode */
#define ATTR_COLOUR_54	  MASK(1, 0)
#define ATTR_COLOUR_76	  MASK(3, 2)

enum vga_dispi {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_MEMORY,
};
#define DISPI_ENABLED	BIT(0)
#define DISPI_GET_CAPS	BIT(1)
#define DISPI_8_BIT_DAC BIT(5)
#define DISPI_LFB	BIT(6)
#define DISPI_NO_CLEAR	BIT(7)
#define DISPI_ENABLE_STORED \
	(DISPI_ENABLED | DISPI_GET_CAPS | DISPI_8_BIT_DAC | DISPI_LFB)

/* A frame of 449 lines, 400 of them seen, 70 times a second. */
#define VGA_LINE_NS	31778U
#define VGA_FRAME_LINES 449U
#define VGA_FRAME_NS	(VGA_FRAME_LINES * VGA_LINE_NS)

static inline bool vga_is_dispi(const struct vga *vga)
{
	return vga->state.dispi[DISPI_ENABLE] & DISPI_ENABLED;
}

/* Bytes of video memory as a mask: the length is a power of two. */
static inline uint32_t vga_mask(const struct vga *vga)
{
	return vga->config.vram_length - 1;
}

/* The registers' ports, 0x3b0 to 0x3df. */
uint8_t vga_port_read(struct vga *vga, uint16_t port);
/* The CRTC's start address, as the last vertical retrace has found it. */
uint16_t vga_start(const struct vga *vga);
void vga_port_write(struct vga *vga, uint16_t port, uint8_t value);

/* vga_dispi.c */
void vga_dispi_reset(struct vga *vga);
/* Whether saved registers are ones that the guest can have written. */
bool vga_dispi_is_valid(const struct vga *vga, const struct vga_state *state);
uint16_t vga_dispi_read(const struct vga *vga, unsigned index);
void vga_dispi_write(struct vga *vga, unsigned index, uint16_t value);
void vga_dispi_access(void *dev, struct io_access *io);
/* BAR 2. */
void vga_mmio_access(void *dev, struct io_access *io);
/* Bytes from one line to the next; bytes from the start to the picture. */
uint32_t vga_dispi_pitch(const struct vga *vga);
uint32_t vga_dispi_start(const struct vga *vga);

/* vga_memory.c */
/* After a change of a register that the window depends on. */
void vga_window_update(struct vga *vga);
void vga_window_access(void *dev, struct io_access *io);
/* As io_region.bulk; 0 but for what the usual modes do most. */
uint32_t vga_window_run(void *dev, struct io_access *io, void *items,
			uint32_t count);
/* The byte of video memory, of plane 0, that the window's byte at belongs to;
 * false: it is outside of the window. */
bool vga_window_target(const struct vga *vga, uint64_t offset, uint32_t *at);

/* vga.c */
void vga_mono_access(void *dev, struct io_access *io);
void vga_common_access(void *dev, struct io_access *io);

/* vga_render.c */
/*
 * The first line of the picture from y on, before height, that shows something
 * of these pages of video memory (a bit each), or with !is_in nothing.
 */
unsigned vga_line_find(const struct vga *vga, const uint64_t *pages, unsigned y,
		       unsigned height, bool is_in);
/* Text whose cells are where columns and rows say. */
bool vga_text_is_aligned(const struct vga *vga);

/* vga_damage.c */
#define VGA_BAR_MMIO 2
/* All of the picture may be another; cheap when nobody watches. */
void vga_damage_all(struct vga *vga);

#endif
