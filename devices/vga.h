/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A standard VGA with Bochs' display interface (VBE), as PCI device 1234:1111:
 * BAR 0 is the video memory, BAR 2 the same registers by MMIO, the ROM BAR
 * holds the VGA BIOS.
 *
 * Video memory belongs to the board: the device is handed a pointer, and tells
 * the board where the guest wants to see it (vram_mapped) so that accesses
 * there need no emulation.  Only the 128 KiB window at 0xa0000 is emulated.
 *
 * References: IBM VGA reference (PS/2 Hardware Technical Reference, Video
 * Subsystem); Bochs' VBE extension documentation; QEMU's "standard vga"
 * specification.
 */
#ifndef BULKHEAD_DEVICES_VGA_H
#define BULKHEAD_DEVICES_VGA_H

#include "devices/bus.h"
#include "devices/pci.h"
#include "include/device.h"
#include "include/display.h"

#define VGA_TEXT_COLUMNS_MAX 132
#define VGA_TEXT_ROWS_MAX    60

struct vga_config {
	struct pci_bus *pci;
	uint8_t devfn;
	struct bus *ports;
	struct bus *memory;
	struct clock *clock;
	uint8_t *vram;	      /* zeroed by reset no more than RAM is */
	uint32_t vram_length; /* a power of two, 1 to 256 MiB */
	const uint8_t *rom;   /* VGA BIOS; NULL: no ROM BAR */
	uint32_t rom_length;
	/* BAR 0 decodes at gpa, or no longer does. */
	void (*vram_mapped)(void *ctx, uint64_t gpa, bool enabled);
	void *ctx;
};

#define VGA_SEQ_COUNT	8
#define VGA_GC_COUNT	16
#define VGA_CRTC_COUNT	32
#define VGA_ATTR_COUNT	32
#define VGA_DISPI_COUNT 11

/* All but the video memory, which is the board's. */
struct vga_state {
	struct pci_device_state pci;
	uint16_t dispi_index;
	uint16_t dispi[VGA_DISPI_COUNT];

	uint8_t misc;
	uint8_t feature;
	uint8_t seq_index, seq[VGA_SEQ_COUNT];
	uint8_t gc_index, gc[VGA_GC_COUNT];
	uint8_t crtc_index, crtc[VGA_CRTC_COUNT];
	uint8_t attr_index, attr[VGA_ATTR_COUNT];
	bool attr_is_data; /* what the next write to 0x3c0 is */
	uint8_t dac_mask, dac_read, dac_write, dac_step, dac_state;
	uint8_t dac[256][3]; /* as written: 6 bits, or 8 with DISPI_8BIT_DAC */
	uint8_t latch[4];
	uint8_t video_feedback; /* in input status 1 */
	uint8_t reserved[3];
	/* Start address of frames until the retrace that follows start_ns, when
	 * the registers were written; from there on theirs. */
	uint16_t start;
	uint8_t reserved_start[6];
	uint64_t start_ns;
};

enum vga_addressing { VGA_PLANAR, VGA_ODD_EVEN, VGA_CHAINED, VGA_LINEAR };
enum vga_quick {
	VGA_QUICK_NONE,
	VGA_QUICK_TEXT,
	VGA_QUICK_PIXELS, /* doublewords of mode 13h */
	VGA_QUICK_LINEAR,
};

/* What the registers make of the window: vga_memory.c. */
struct vga_window {
	uint32_t base, length; /* in the 128 KiB */
	uint32_t bank;	       /* added to what is left then */
	uint32_t mask;	       /* of offsets in a plane */
	enum vga_addressing read, write;
	bool has_page;	    /* bit 0 of an offset is a page */
	bool page_from_a16; /* and that A16, or else page */
	bool page;
	bool is_plain; /* bytes are written as they come */
	enum vga_quick quick;
};

struct vga_text {
	unsigned columns, rows;
	int cursor; /* cell, or -1: off or outside */
	/* Character in the low byte, attribute in the high one. */
	uint16_t cell[VGA_TEXT_ROWS_MAX * VGA_TEXT_COLUMNS_MAX];
};

/*
 * What has changed since somebody last asked, kept while the screen is watched.
 * Until then the bus calls functions that know nothing of it.
 */
#define VGA_VRAM_MAX  MIB(256)
#define VGA_PAGE_WORD 64 /* pages of 4 KiB in a word */

struct vga_damage {
	bool is_watched;
	bool is_any; /* of what follows */
	bool is_all; /* the picture's registers, or its font */
	/* Of text: what was told last. */
	bool has_text;
	struct vga_text text, now;
	uint64_t page[VGA_VRAM_MAX / PAGE_SIZE / VGA_PAGE_WORD];
	/* The first change since somebody asked. */
	void (*changed)(void *ctx);
	void *ctx;
};

struct vga {
	struct device device;
	struct vga_state state;
	struct vga_window window; /* follows from state */
	struct pci_device pci;
	struct vga_config config;
	struct vga_damage damage;
};

extern const struct device_ops vga_ops;

int __must_check vga_init(struct vga *vga, const struct vga_config *config);
void vga_reset(struct vga *vga);

/* False: the display is in a graphics mode or off.  is_early: with a start
 * address that is in force from the next retrace on only. */
bool __must_check vga_text_get(const struct vga *vga, struct vga_text *text,
			       bool is_early);

void vga_picture_get(const struct vga *vga, struct display_picture *picture);
/*
 * A part of the picture, lines top down without padding, a pixel B, G, R and a
 * byte that says nothing: of linear modes it is the guest's.  Cursor and
 * blinking characters are seen at any time.  -ERANGE: it is not inside of the
 * picture; -ENODEV: the display is off.
 */
int __must_check vga_render_rectangle(const struct vga *vga,
				      const struct display_rectangle *rectangle,
				      uint32_t *pixels);

/*
 * changed(ctx) is called at the first change after vga_damage_take(), from
 * within the access; NULL: nobody watches any more.  At first all has changed.
 */
void vga_watch(struct vga *vga, void (*changed)(void *ctx), void *ctx);
/* Somebody else than the device has written to video memory. */
void vga_damage_mark(struct vga *vga, uint32_t offset, uint32_t length);
/*
 * What has changed, in pixels and within height lines of the picture; how many
 * rectangles, at most DISPLAY_DIRTY.  From now on: what changes after it.
 */
unsigned vga_damage_take(struct vga *vga, unsigned height,
			 struct display_rectangle dirty[DISPLAY_DIRTY]);

/* Size of the picture in pixels, 0 by 0 if there is none. */
void vga_size(const struct vga *vga, unsigned *width, unsigned *height);
/*
 * The picture as 24-bit RGB as a screen has it at this moment of the guest's
 * time: what blinks is seen or not.  Lines top down without padding.  -ERANGE:
 * length is less than width * height * 3; -ENODEV: the display is off.
 */
int __must_check vga_render(const struct vga *vga, uint8_t *rgb, size_t length);

#endif
