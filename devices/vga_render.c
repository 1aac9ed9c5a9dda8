/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on the screen: text as cells, any mode as RGB.  The guest's own font
 * is used, from plane 2.
 *
 * Does not model: blinking (blinking text and cursor are shown), split screens
 * by line compare, pixel panning, overscan.
 *
 * References: IBM PS/2 Hardware Technical Reference, "Video Subsystem".
 */
#include "devices/vga_internal.h"

#include "include/errno.h"

#define PLANES		    4
/* A font is 8 KiB of plane 2: 32 bytes a character. */
#define FONT_SIZE	    8192U
#define FONT_PLANE	    2
#define FONT_CHAR_LINES	    32U
/* The ninth dot of these repeats the eighth. */
#define LINE_GRAPHICS_FIRST 0xc0
#define LINE_GRAPHICS_LAST  0xdf

enum picture_kind { PICTURE_NONE, PICTURE_TEXT, PICTURE_VGA, PICTURE_DISPI };

struct picture {
	enum picture_kind kind;
	unsigned width, height;
	unsigned columns, rows;		  /* text: cells */
	unsigned cell_width, cell_height; /* text: dots */
	unsigned repeat;		  /* VGA: scan lines a line of pixels */
	uint32_t start, pitch;		  /* bytes of video memory */
};

/* ---- Geometry ---------------------------------------------------------- */

static unsigned scan_lines(const struct vga *vga)
{
	uint8_t overflow = vga->state.crtc[CRTC_OVERFLOW];

	return 1U + vga->state.crtc[CRTC_ROWS] +
	       (overflow & CRTC_OVERFLOW_ROWS8 ? 256 : 0) +
	       (overflow & CRTC_OVERFLOW_ROWS9 ? 512 : 0);
}

static void text_geometry(const struct vga *vga, struct picture *picture)
{
	picture->cell_width =
		vga->state.seq[SEQ_CLOCKING] & SEQ_CLOCKING_8_DOT ? 8 : 9;
	picture->cell_height =
		1U + (vga->state.crtc[CRTC_MAX_SCAN] & CRTC_SCAN_LINES);
	picture->columns =
		MIN(vga->state.crtc[CRTC_COLUMNS] + 1U, VGA_TEXT_COLUMNS_MAX);
	picture->rows = scan_lines(vga) / picture->cell_height;
	if (vga->state.crtc[CRTC_MAX_SCAN] & CRTC_SCAN_DOUBLE)
		picture->rows /= 2;
	picture->rows = MIN(picture->rows, VGA_TEXT_ROWS_MAX);
	picture->width = picture->columns * picture->cell_width;
	picture->height = picture->rows * picture->cell_height;
}

static void graphics_geometry(const struct vga *vga, struct picture *picture)
{
	unsigned shift = FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]);
	bool is_double = vga->state.crtc[CRTC_MAX_SCAN] & CRTC_SCAN_DOUBLE;

	picture->width = (vga->state.crtc[CRTC_COLUMNS] + 1U) * 8;
	if (shift >= 2)
		picture->width /= 2;
	/* In CGA's modes the row bits are address bits, not repetitions. */
	picture->repeat = is_double ? 2 : 1;
	if (vga->state.crtc[CRTC_MODE] & CRTC_MODE_ROW0)
		picture->repeat *=
			1U + (vga->state.crtc[CRTC_MAX_SCAN] & CRTC_SCAN_LINES);
	picture->height = MAX(scan_lines(vga) / picture->repeat, 1U);
}

static struct picture picture_of(const struct vga *vga)
{
	struct picture picture = { .kind = PICTURE_NONE };

	if (vga_is_dispi(vga)) {
		picture.kind = PICTURE_DISPI;
		picture.width = vga->state.dispi[DISPI_XRES];
		picture.height = vga->state.dispi[DISPI_YRES];
		picture.pitch = vga_dispi_pitch(vga);
		picture.start = vga_dispi_start(vga);
		return picture;
	}
	if (!(vga->state.attr_index & ATTR_INDEX_PAS) ||
	    vga->state.seq[SEQ_CLOCKING] & SEQ_CLOCKING_OFF)
		return picture;
	picture.pitch = vga->state.crtc[CRTC_OFFSET] * 2U * PLANES;
	picture.start = (vga->state.crtc[CRTC_START_HIGH] << 8 |
			 vga->state.crtc[CRTC_START_LOW]) *
			PLANES;
	if (vga->state.gc[GC_MISC] & GC_MISC_GRAPHICS) {
		picture.kind = PICTURE_VGA;
		graphics_geometry(vga, &picture);
	} else {
		picture.kind = PICTURE_TEXT;
		text_geometry(vga, &picture);
	}
	return picture;
}

static uint8_t vram_byte(const struct vga *vga, uint32_t at)
{
	return vga->config.vram[at & vga_mask(vga)];
}

static uint16_t text_cell(const struct vga *vga, const struct picture *picture,
			  unsigned row, unsigned column)
{
	uint32_t at = picture->start + row * picture->pitch + column * PLANES;

	return (uint16_t)(vram_byte(vga, at) | vram_byte(vga, at + 1) << 8);
}

static int text_cursor(const struct vga *vga, const struct picture *picture)
{
	unsigned at = vga->state.crtc[CRTC_CURSOR_HIGH] << 8 |
		      vga->state.crtc[CRTC_CURSOR_LOW];
	unsigned pitch = picture->pitch / PLANES, row;

	at -= picture->start / PLANES;
	if (vga->state.crtc[CRTC_CURSOR_START] & CRTC_CURSOR_OFF || !pitch)
		return -1;
	row = at / pitch;
	if (row >= picture->rows || at % pitch >= picture->columns)
		return -1;
	return (int)(row * picture->columns + at % pitch);
}

bool vga_text_get(const struct vga *vga, struct vga_text *text)
{
	struct picture picture = picture_of(vga);
	uint16_t *cell = text->cell;

	if (picture.kind != PICTURE_TEXT)
		return false;
	text->columns = picture.columns;
	text->rows = picture.rows;
	text->cursor = text_cursor(vga, &picture);
	for (unsigned row = 0; row < picture.rows; row++)
		for (unsigned column = 0; column < picture.columns; column++)
			*cell++ = text_cell(vga, &picture, row, column);
	return true;
}

void vga_size(const struct vga *vga, unsigned *width, unsigned *height)
{
	struct picture picture = picture_of(vga);

	*width = picture.width;
	*height = picture.height;
}

/* ---- Colours ----------------------------------------------------------- */

static void dac_colour(const struct vga *vga, uint8_t index, uint8_t *rgb)
{
	const uint8_t *dac = vga->state.dac[index & vga->state.dac_mask];

	for (unsigned i = 0; i < 3; i++)
		rgb[i] = vga->state.dispi[DISPI_ENABLE] & DISPI_8_BIT_DAC
				 ? dac[i]
				 : (uint8_t)(dac[i] << 2 | dac[i] >> 4);
}

/* Four bits, through the attribute controller's palette. */
static void palette_colour(const struct vga *vga, uint8_t index, uint8_t *rgb)
{
	uint8_t planes = vga->state.attr[ATTR_PLANES] & 0xf;
	uint8_t colour = vga->state.attr[index & planes];
	uint8_t select = vga->state.attr[ATTR_COLOUR];

	if (vga->state.attr[ATTR_MODE] & ATTR_MODE_P54)
		colour = (uint8_t)((colour & 0xf) |
				   FIELD_GET(ATTR_COLOUR_54, select) << 4);
	colour |= (uint8_t)(FIELD_GET(ATTR_COLOUR_76, select) << 6);
	dac_colour(vga, colour, rgb);
}

/* ---- Text -------------------------------------------------------------- */

static uint32_t font_base(const struct vga *vga, uint8_t attribute)
{
	uint8_t select = vga->state.seq[SEQ_FONT];
	unsigned font;

	/* Bit 3 of the attribute chooses between the maps A and B. */
	if (attribute & 8)
		font = (select >> 1 & 6U) | (select >> 5 & 1U);
	else
		font = (select << 1 & 6U) | (select >> 4 & 1U);
	return font * FONT_SIZE * PLANES + FONT_PLANE;
}

/* Dots of one line of a character, the leftmost in bit 8. */
static unsigned glyph_line(const struct vga *vga, uint16_t cell, unsigned line)
{
	uint8_t character = (uint8_t)cell;
	uint32_t at = font_base(vga, cell >> 8) +
		      (character * FONT_CHAR_LINES + line) * PLANES;
	unsigned dots = vram_byte(vga, at) * 2U;

	if (vga->state.attr[ATTR_MODE] & ATTR_MODE_LINE9 &&
	    character >= LINE_GRAPHICS_FIRST && character <= LINE_GRAPHICS_LAST)
		dots |= dots >> 1 & 1;
	return dots;
}

static bool is_cursor_line(const struct vga *vga, unsigned line)
{
	return line >= (vga->state.crtc[CRTC_CURSOR_START] &
			CRTC_CURSOR_LINE) &&
	       line <= (vga->state.crtc[CRTC_CURSOR_END] & CRTC_CURSOR_LINE);
}

static void text_line(const struct vga *vga, const struct picture *picture,
		      unsigned y, uint8_t *rgb)
{
	unsigned row = y / picture->cell_height;
	unsigned line = y % picture->cell_height;
	int cursor = text_cursor(vga, picture);

	for (unsigned column = 0; column < picture->columns; column++) {
		uint16_t cell = text_cell(vga, picture, row, column);
		unsigned dots = glyph_line(vga, cell, line);
		uint8_t front = cell >> 8 & 0xf, back = cell >> 12;

		if (vga->state.attr[ATTR_MODE] & ATTR_MODE_BLINK)
			back &= 7;
		if (cursor == (int)(row * picture->columns + column) &&
		    is_cursor_line(vga, line))
			dots = 0x1ff;
		for (unsigned x = 0; x < picture->cell_width; x++, rgb += 3)
			palette_colour(vga, dots & 0x100 >> x ? front : back,
				       rgb);
	}
}

/* ---- VGA graphics ------------------------------------------------------ */

/* Row bits that the CRTC puts into the address: CGA's interleaved fields. */
static uint32_t row_address(const struct vga *vga,
			    const struct picture *picture, unsigned y)
{
	uint8_t mode = vga->state.crtc[CRTC_MODE];
	uint32_t at = picture->start, field = 0;
	unsigned shift = mode & CRTC_MODE_BYTE ? 15 : 14;

	if (!(mode & CRTC_MODE_ROW0)) {
		field |= (y & 1) << shift;
		if (!(mode & CRTC_MODE_ROW1)) {
			field |= (y >> 1 & 1) << 15;
			y >>= 1;
		}
		y >>= 1;
	}
	return (at + y * picture->pitch) | field;
}

static uint8_t planar_pixel(const struct vga *vga, uint32_t row, unsigned x)
{
	uint32_t at = row + x / 8 * PLANES;
	uint8_t colour = 0;

	for (unsigned plane = 0; plane < PLANES; plane++)
		if (vram_byte(vga, at + plane) & 0x80 >> x % 8)
			colour |= (uint8_t)(1 << plane);
	return colour;
}

/* Two bits a pixel from planes 0 and 1 in turn, two more from 2 and 3. */
static uint8_t packed_pixel(const struct vga *vga, uint32_t row, unsigned x)
{
	uint32_t at = row + x / 8 * PLANES + (x / 4 & 1);
	unsigned shift = 6 - 2 * (x & 3);

	return (uint8_t)((vram_byte(vga, at) >> shift & 3) |
			 (vram_byte(vga, at + 2) >> shift & 3) << 2);
}

static void vga_line(const struct vga *vga, const struct picture *picture,
		     unsigned y, uint8_t *rgb)
{
	uint32_t row = row_address(vga, picture, y);
	unsigned shift = FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]);

	for (unsigned x = 0; x < picture->width; x++, rgb += 3) {
		if (shift >= 2)
			dac_colour(vga, vram_byte(vga, row + x), rgb);
		else if (shift == 1)
			palette_colour(vga, packed_pixel(vga, row, x), rgb);
		else
			palette_colour(vga, planar_pixel(vga, row, x), rgb);
	}
}

/* ---- Linear modes ------------------------------------------------------ */

/* The top bits of a field of a pixel, spread over eight. */
static uint8_t widen(uint32_t pixel, unsigned shift, unsigned bits)
{
	uint32_t value = pixel >> shift & (BIT(bits) - 1);

	return (uint8_t)(value << (8 - bits) | value >> (2 * bits - 8));
}

static void dispi_pixel(const struct vga *vga, uint32_t row, unsigned x,
			uint8_t *rgb)
{
	unsigned bpp = vga->state.dispi[DISPI_BPP];
	uint32_t at = row + x * ((bpp + 7) / 8), pixel = 0;

	if (bpp == 4) {
		palette_colour(vga, planar_pixel(vga, row, x), rgb);
		return;
	}
	if (bpp == 8) {
		dac_colour(vga, vram_byte(vga, at), rgb);
		return;
	}
	for (unsigned i = 0; i < 3 && i < (bpp + 7) / 8; i++)
		pixel |= (uint32_t)vram_byte(vga, at + i) << 8 * i;
	if (bpp >= 24) {
		rgb[0] = (uint8_t)(pixel >> 16);
		rgb[1] = (uint8_t)(pixel >> 8);
		rgb[2] = (uint8_t)pixel;
		return;
	}
	rgb[0] = widen(pixel, bpp - 5, 5);
	rgb[1] = widen(pixel, 5, bpp - 10);
	rgb[2] = widen(pixel, 0, 5);
}

static void dispi_line(const struct vga *vga, const struct picture *picture,
		       unsigned y, uint8_t *rgb)
{
	uint32_t row = picture->start + y * picture->pitch;

	for (unsigned x = 0; x < picture->width; x++, rgb += 3)
		dispi_pixel(vga, row, x, rgb);
}

int vga_render(const struct vga *vga, uint8_t *rgb, size_t length)
{
	struct picture picture = picture_of(vga);

	if (picture.kind == PICTURE_NONE)
		return -ENODEV;
	if (length / 3 < (size_t)picture.width * picture.height)
		return -ERANGE;
	for (unsigned y = 0; y < picture.height; y++) {
		if (picture.kind == PICTURE_TEXT)
			text_line(vga, &picture, y, rgb);
		else if (picture.kind == PICTURE_VGA)
			vga_line(vga, &picture, y, rgb);
		else
			dispi_line(vga, &picture, y, rgb);
		rgb += (size_t)picture.width * 3;
	}
	return 0;
}
