/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on the screen: text as cells, any mode as pixels.  The guest's own
 * font is used, from plane 2.
 *
 * The CRTC counts characters from the start address on, adds the offset
 * register's number at each row's end, and begins again with 0 below the line
 * of line compare.  What it counts is turned into an offset of the planes by
 * the byte, word and doubleword modes; two bits of it may be the scan line's in
 * its row, which is how CGA's modes have their lines in two or four fields.
 *
 * A picture is a whole frame, with the registers as they are now.  Does not
 * model: changes of registers in mid-frame, overscan, blinking graphics, the
 * palette registers in 256 colours, skew of the display, the vertical counter's
 * clock divided by two.
 *
 * References: IBM PS/2 Hardware Technical Reference, "Video Subsystem".
 */
#include "devices/vga_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define PLANES		    4
#define PLANE_MASK	    0xffffU
/* A font is 8 KiB of plane 2: 32 bytes a character. */
#define FONT_SIZE	    8192U
#define FONT_PLANE	    2
#define FONT_CHAR_LINES	    32U
/* The ninth dot of these repeats the eighth. */
#define LINE_GRAPHICS_FIRST 0xc0
#define LINE_GRAPHICS_LAST  0xdf
#define ATTRIBUTE_BLINK	    BIT(7)
#define ATTRIBUTE_COLOURS   0x77
#define ATTRIBUTE_UNDERLINE 0x01
/* Frames that the cursor and characters are seen, and as many not. */
#define BLINK_CURSOR	    8
#define BLINK_CHARACTER	    16

enum picture_kind { PICTURE_NONE, PICTURE_TEXT, PICTURE_VGA, PICTURE_DISPI };

struct picture {
	enum picture_kind kind;
	unsigned width, height;
	unsigned columns, rows; /* text: cells */
	unsigned cell_width;	/* text: dots */
	unsigned row_lines;	/* lines of a row of the CRTC's */
	unsigned repeat;	/* scan lines a line of the picture */
	unsigned row_repeat;	/* scan lines a line of a row */
	unsigned split;		/* scan line that starts anew at 0 */
	bool cursor_is_lit, characters_are_lit;
	uint32_t start; /* the CRTC's; dispi: bytes of video memory */
	uint32_t pitch; /* dispi: the same */
};

/* A line of the picture, as the CRTC has it. */
struct scan {
	uint16_t counter;  /* of the first character */
	unsigned row_line; /* in its row */
	unsigned panning;  /* dots that are left of the picture */
};

/* ---- Geometry ---------------------------------------------------------- */

static unsigned scan_lines(const struct vga *vga)
{
	uint8_t overflow = vga->state.crtc[CRTC_OVERFLOW];

	return 1U + vga->state.crtc[CRTC_ROWS] +
	       (overflow & CRTC_OVERFLOW_ROWS8 ? 256 : 0) +
	       (overflow & CRTC_OVERFLOW_ROWS9 ? 512 : 0);
}

static unsigned line_compare(const uint8_t *crtc)
{
	return crtc[CRTC_COMPARE] +
	       (crtc[CRTC_OVERFLOW] & CRTC_OVERFLOW_COMPARE8 ? 256U : 0) +
	       (crtc[CRTC_MAX_SCAN] & CRTC_SCAN_COMPARE9 ? 512U : 0);
}

static void text_geometry(const struct vga *vga, struct picture *picture)
{
	picture->cell_width =
		vga->state.seq[SEQ_CLOCKING] & SEQ_CLOCKING_8_DOT ? 8 : 9;
	picture->columns =
		MIN(vga->state.crtc[CRTC_COLUMNS] + 1U, VGA_TEXT_COLUMNS_MAX);
	picture->rows =
		MIN(scan_lines(vga) / picture->row_lines / picture->row_repeat,
		    VGA_TEXT_ROWS_MAX);
	picture->repeat = picture->row_repeat;
	picture->width = picture->columns * picture->cell_width;
	picture->height = picture->rows * picture->row_lines;
}

static void graphics_geometry(const struct vga *vga, struct picture *picture)
{
	const uint8_t both = CRTC_MODE_ROW0 | CRTC_MODE_ROW1;

	picture->width = (vga->state.crtc[CRTC_COLUMNS] + 1U) * 8;
	if (FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]) >= 2)
		picture->width /= 2;
	/* Lines that cannot but show the same are one. */
	picture->repeat = picture->row_repeat;
	if ((vga->state.crtc[CRTC_MODE] & both) == both)
		picture->repeat *= picture->row_lines;
	picture->height = MAX(scan_lines(vga) / picture->repeat, 1U);
}

static bool is_lit(const struct vga *vga, unsigned frames)
{
	uint64_t frame = clock_now(vga->config.clock) / VGA_FRAME_NS;

	return frame / frames % 2 == 0;
}

static struct picture picture_of(const struct vga *vga, bool is_all_lit)
{
	struct picture picture = { .kind = PICTURE_NONE };
	const uint8_t *crtc = vga->state.crtc;

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
	picture.row_lines = 1U + (crtc[CRTC_MAX_SCAN] & CRTC_SCAN_LINES);
	picture.row_repeat = crtc[CRTC_MAX_SCAN] & CRTC_SCAN_DOUBLE ? 2 : 1;
	picture.split = line_compare(crtc) + 1;
	/* Who watches is not told again when the retrace has come. */
	picture.start = is_all_lit ? (uint16_t)(crtc[CRTC_START_HIGH] << 8 |
						crtc[CRTC_START_LOW])
				   : vga_start(vga);
	picture.cursor_is_lit = is_all_lit || is_lit(vga, BLINK_CURSOR);
	picture.characters_are_lit = is_all_lit || is_lit(vga, BLINK_CHARACTER);
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

/* ---- The CRTC's addresses ---------------------------------------------- */

/* Dots that the picture is moved to the left. */
static unsigned panning(const struct vga *vga, const struct picture *picture)
{
	unsigned value = vga->state.attr[ATTR_PANNING] & 0xf;

	if (picture->kind == PICTURE_TEXT && picture->cell_width == 9)
		return value > 7 ? 0 : value + 1;
	if (value > 7)
		return 0;
	/* In 256 colours a pixel is two dots. */
	if (picture->kind == PICTURE_VGA &&
	    FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]) >= 2)
		return value / 2;
	return value;
}

static struct scan scan_of(const struct vga *vga, const struct picture *picture,
			   unsigned y)
{
	const uint8_t *crtc = vga->state.crtc;
	unsigned line = y * picture->repeat, counter;
	bool is_below = line >= picture->split;
	struct scan scan = { 0 };

	if (is_below) {
		line = (line - picture->split) / picture->row_repeat;
		counter = 0;
	} else {
		line = line / picture->row_repeat +
		       (crtc[CRTC_PRESET] & CRTC_PRESET_ROW);
		counter = picture->start;
	}
	if (!is_below || !(vga->state.attr[ATTR_MODE] & ATTR_MODE_SPLIT)) {
		counter += FIELD_GET(CRTC_PRESET_BYTES, crtc[CRTC_PRESET]);
		scan.panning = panning(vga, picture);
	}
	counter += line / picture->row_lines * crtc[CRTC_OFFSET] * 2;
	scan.counter = (uint16_t)counter;
	scan.row_line = line % picture->row_lines;
	return scan;
}

/*
 * Chained pixels with the CRTC left in a text's word mode: no BIOS has that,
 * and who asks for it means mode 13h.
 */
static bool is_chained_by_word(const struct vga *vga)
{
	return vga->state.seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4 &&
	       !(vga->state.crtc[CRTC_MODE] & CRTC_MODE_BYTE) &&
	       FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]) >= 2;
}

/* Video memory's address of a column: that of its plane 0. */
static uint32_t column_at(const struct vga *vga, const struct scan *scan,
			  unsigned column)
{
	uint8_t mode = vga->state.crtc[CRTC_MODE];
	uint8_t underline = vga->state.crtc[CRTC_UNDERLINE];
	uint32_t counter, at;

	if (underline & CRTC_UNDERLINE_COUNT4)
		column /= 4;
	else if (mode & CRTC_MODE_COUNT2)
		column /= 2;
	counter = (scan->counter + column) & PLANE_MASK;
	if (underline & CRTC_UNDERLINE_DWORD || is_chained_by_word(vga))
		at = counter << 2 | counter >> 14;
	else if (mode & CRTC_MODE_BYTE)
		at = counter;
	else if (mode & CRTC_MODE_WRAP15)
		at = (counter & 0x3fff) << 1 | counter >> 15;
	else
		at = (counter & 0x1fff) << 1;
	if (!(mode & CRTC_MODE_ROW0))
		at = (at & ~BIT(13)) | (scan->row_line & 1) << 13;
	if (!(mode & CRTC_MODE_ROW1))
		at = (at & ~BIT(14)) | (scan->row_line >> 1 & 1) << 14;
	return (at & PLANE_MASK) * PLANES;
}

/* ---- Text as cells ----------------------------------------------------- */

static uint16_t text_cell(const struct vga *vga, const struct scan *scan,
			  unsigned column)
{
	uint32_t at = column_at(vga, scan, column);

	return (uint16_t)(vram_byte(vga, at) | vram_byte(vga, at + 1) << 8);
}

static bool is_cursor(const struct vga *vga, const struct scan *scan,
		      unsigned column)
{
	const uint8_t *crtc = vga->state.crtc;
	unsigned at =
		(unsigned)crtc[CRTC_CURSOR_HIGH] << 8 | crtc[CRTC_CURSOR_LOW];

	if (crtc[CRTC_CURSOR_START] & CRTC_CURSOR_OFF)
		return false;
	at += FIELD_GET(CRTC_CURSOR_SKEW, crtc[CRTC_CURSOR_END]);
	return (uint16_t)(scan->counter + column) == (uint16_t)at;
}

bool vga_text_get(const struct vga *vga, struct vga_text *text, bool is_early)
{
	struct picture picture = picture_of(vga, is_early);
	uint16_t *cell = text->cell;

	if (picture.kind != PICTURE_TEXT)
		return false;
	text->columns = picture.columns;
	text->rows = picture.rows;
	text->cursor = -1;
	for (unsigned row = 0; row < picture.rows; row++) {
		struct scan scan =
			scan_of(vga, &picture, row * picture.row_lines);

		for (unsigned column = 0; column < picture.columns; column++) {
			if (text->cursor < 0 && is_cursor(vga, &scan, column))
				text->cursor = (int)(cell - text->cell);
			*cell++ = text_cell(vga, &scan, column);
		}
	}
	return true;
}

static unsigned depth_of(const struct vga *vga, const struct picture *picture)
{
	if (picture->kind == PICTURE_DISPI)
		return vga->state.dispi[DISPI_BPP];
	if (picture->kind == PICTURE_VGA &&
	    FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]) >= 2)
		return 8;
	return 4;
}

void vga_picture_get(const struct vga *vga, struct display_picture *info)
{
	struct picture picture = picture_of(vga, true);

	*info = (struct display_picture){ .mode = DISPLAY_OFF };
	/* A text of no rows is none, either. */
	if (picture.kind == PICTURE_NONE || !picture.width || !picture.height)
		return;
	info->mode = DISPLAY_GRAPHICS;
	info->width = picture.width;
	info->height = picture.height;
	info->depth = depth_of(vga, &picture);
	if (picture.kind != PICTURE_TEXT)
		return;
	info->mode = DISPLAY_TEXT;
	info->columns = picture.columns;
	info->rows = picture.rows;
	info->cell_width = picture.cell_width;
	info->cell_height = picture.row_lines;
}

void vga_size(const struct vga *vga, unsigned *width, unsigned *height)
{
	struct picture picture = picture_of(vga, true);

	*width = picture.width;
	*height = picture.height;
}

/* ---- Where a line is --------------------------------------------------- */

/* Video memory [first, last] that a line shows; with first > last it wraps. */
static void line_bytes(const struct vga *vga, const struct picture *picture,
		       unsigned y, uint32_t *first, uint32_t *last)
{
	struct scan scan;
	unsigned pixels, shift;

	if (picture->kind == PICTURE_DISPI) {
		*first = picture->start + y * picture->pitch;
		*last = *first + picture->pitch - 1;
	} else {
		shift = FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]);
		pixels =
			picture->kind == PICTURE_VGA && shift >= 2 ? PLANES : 8;
		scan = scan_of(vga, picture, y);
		*first = column_at(vga, &scan, scan.panning / pixels);
		*last = column_at(vga, &scan,
				  (scan.panning + picture->width - 1) /
					  pixels) +
			PLANES - 1;
	}
	*first &= vga_mask(vga);
	*last &= vga_mask(vga);
}

static bool has_page(const uint64_t *pages, uint32_t first, uint32_t last)
{
	for (uint32_t i = first / PAGE_SIZE; i <= last / PAGE_SIZE; i++)
		if (pages[i / VGA_PAGE_WORD] & BIT(i % VGA_PAGE_WORD))
			return true;
	return false;
}

unsigned vga_line_find(const struct vga *vga, const uint64_t *pages, unsigned y,
		       unsigned height, bool is_in)
{
	struct picture picture = picture_of(vga, true);
	uint32_t first, last;

	for (; y < height; y++) {
		line_bytes(vga, &picture, y, &first, &last);
		if (first <= last
			    ? has_page(pages, first, last)
			    : has_page(pages, 0, last) ||
				      has_page(pages, first, vga_mask(vga))) {
			if (is_in)
				break;
		} else if (!is_in) {
			break;
		}
	}
	return y;
}

bool vga_text_is_aligned(const struct vga *vga)
{
	struct picture picture = picture_of(vga, true);

	return picture.kind == PICTURE_TEXT && !panning(vga, &picture) &&
	       !(vga->state.crtc[CRTC_PRESET] & CRTC_PRESET_ROW) &&
	       picture.split >= picture.height * picture.repeat;
}

/* ---- Colours ----------------------------------------------------------- */

/* As a pixel: blue in the lowest byte, nothing in the highest. */
static uint32_t pixel_of(unsigned red, unsigned green, unsigned blue)
{
	return red << 16 | green << 8 | blue;
}

static uint8_t widen_6(uint8_t value)
{
	return (uint8_t)(value << 2 | value >> 4);
}

static uint32_t dac_colour(const struct vga *vga, uint8_t index)
{
	const uint8_t *dac = vga->state.dac[index & vga->state.dac_mask];

	if (vga->state.dispi[DISPI_ENABLE] & DISPI_8_BIT_DAC)
		return pixel_of(dac[0], dac[1], dac[2]);
	return pixel_of(widen_6(dac[0]), widen_6(dac[1]), widen_6(dac[2]));
}

/* Four bits, through the attribute controller's palette. */
static uint32_t palette_colour(const struct vga *vga, uint8_t index)
{
	uint8_t planes = vga->state.attr[ATTR_PLANES] & 0xf;
	uint8_t colour = vga->state.attr[index & planes];
	uint8_t select = vga->state.attr[ATTR_COLOUR];

	if (vga->state.attr[ATTR_MODE] & ATTR_MODE_P54)
		colour = (uint8_t)((colour & 0xf) |
				   FIELD_GET(ATTR_COLOUR_54, select) << 4);
	colour |= (uint8_t)(FIELD_GET(ATTR_COLOUR_76, select) << 6);
	return dac_colour(vga, colour);
}

/* Pixels of one line from left on: where they go, how many. */
struct span {
	unsigned left, width;
	uint32_t *out;
};

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

/* A cell's dots in one line, and its colours. */
struct glyph {
	unsigned dots; /* the leftmost in bit 8 */
	uint8_t front, back;
};

static struct glyph glyph_of(const struct vga *vga,
			     const struct picture *picture,
			     const struct scan *scan, unsigned column)
{
	uint16_t cell = text_cell(vga, scan, column);
	unsigned line = scan->row_line;
	uint8_t attribute = cell >> 8;
	struct glyph glyph = {
		.dots = glyph_line(vga, cell, line),
		.front = attribute & 0xf,
		.back = attribute >> 4,
	};

	if ((attribute & ATTRIBUTE_COLOURS) == ATTRIBUTE_UNDERLINE &&
	    line == (vga->state.crtc[CRTC_UNDERLINE] & CRTC_UNDERLINE_LINE))
		glyph.dots = 0x1ff;
	if (vga->state.attr[ATTR_MODE] & ATTR_MODE_BLINK) {
		glyph.back &= 7;
		if (attribute & ATTRIBUTE_BLINK && !picture->characters_are_lit)
			glyph.dots = 0;
	}
	if (picture->cursor_is_lit && is_cursor_line(vga, line) &&
	    is_cursor(vga, scan, column))
		glyph.dots = 0x1ff;
	return glyph;
}

static void text_line(const struct vga *vga, const struct picture *picture,
		      unsigned y, const struct span *span)
{
	struct scan scan = scan_of(vga, picture, y);
	unsigned dot = scan.panning + span->left;
	unsigned column = dot / picture->cell_width;
	uint32_t *out = span->out, *end = out + span->width;

	dot %= picture->cell_width;
	for (; out < end; column++, dot = 0) {
		struct glyph glyph = glyph_of(vga, picture, &scan, column);
		uint32_t front = palette_colour(vga, glyph.front);
		uint32_t back = palette_colour(vga, glyph.back);

		for (; out < end && dot < picture->cell_width; dot++)
			*out++ = glyph.dots & 0x100 >> dot ? front : back;
	}
}

/* ---- VGA graphics ------------------------------------------------------ */

/* Eight pixels: a bit each from the planes at this address. */
static uint8_t planar_pixel(const struct vga *vga, uint32_t at, unsigned x)
{
	uint8_t colour = 0;

	for (unsigned plane = 0; plane < PLANES; plane++)
		if (vram_byte(vga, at + plane) & 0x80 >> x % 8)
			colour |= (uint8_t)(1 << plane);
	return colour;
}

/* Two bits a pixel from planes 0 and 1 in turn, two more from 2 and 3. */
static uint8_t packed_pixel(const struct vga *vga, uint32_t at, unsigned x)
{
	unsigned shift = 6 - 2 * (x & 3);

	at += x / 4 & 1;
	return (uint8_t)((vram_byte(vga, at) >> shift & 3) |
			 (vram_byte(vga, at + 2) >> shift & 3) << 2);
}

static void vga_line(const struct vga *vga, const struct picture *picture,
		     unsigned y, const struct span *span)
{
	struct scan scan = scan_of(vga, picture, y);
	unsigned shift = FIELD_GET(GC_MODE_SHIFT, vga->state.gc[GC_MODE]);
	unsigned pixels = shift >= 2 ? PLANES : 8; /* of a column */
	unsigned x = scan.panning + span->left, last = x + span->width;
	uint32_t *out = span->out;

	for (; x < last; x++) {
		uint32_t at = column_at(vga, &scan, x / pixels);

		if (shift >= 2)
			*out++ = dac_colour(vga,
					    vram_byte(vga, at + x % PLANES));
		else if (shift == 1)
			*out++ = palette_colour(vga, packed_pixel(vga, at, x));
		else
			*out++ = palette_colour(vga, planar_pixel(vga, at, x));
	}
}

/* ---- Linear modes ------------------------------------------------------ */

/* The top bits of a field of a pixel, spread over eight. */
static uint8_t widen(uint32_t pixel, unsigned shift, unsigned bits)
{
	uint32_t value = pixel >> shift & (BIT(bits) - 1);

	return (uint8_t)(value << (8 - bits) | value >> (2 * bits - 8));
}

static uint32_t dispi_pixel(const struct vga *vga, unsigned bpp, uint32_t row,
			    unsigned x)
{
	uint32_t at = row + x * ((bpp + 7) / 8), pixel = 0;

	if (bpp == 4)
		return palette_colour(
			vga, planar_pixel(vga, row + x / 8 * PLANES, x));
	if (bpp == 8)
		return dac_colour(vga, vram_byte(vga, at));
	for (unsigned i = 0; i < 3 && i < (bpp + 7) / 8; i++)
		pixel |= (uint32_t)vram_byte(vga, at + i) << 8 * i;
	if (bpp >= 24)
		return pixel;
	return pixel_of(widen(pixel, bpp - 5, 5), widen(pixel, 5, bpp - 10),
			widen(pixel, 0, 5));
}

static void dispi_line(const struct vga *vga, const struct picture *picture,
		       unsigned y, const struct span *span)
{
	unsigned bpp = vga->state.dispi[DISPI_BPP];
	uint32_t row = picture->start + y * picture->pitch;
	uint32_t at = (row + span->left * 4) & vga_mask(vga);
	uint64_t bytes = span->width * 4ULL;

	if (bpp == 32 && bytes <= vga->config.vram_length - at) {
		memcpy(span->out, vga->config.vram + at, bytes);
		return;
	}
	for (unsigned x = 0; x < span->width; x++)
		span->out[x] = dispi_pixel(vga, bpp, row, span->left + x);
}

/* ---- Pictures ---------------------------------------------------------- */

static void line(const struct vga *vga, const struct picture *picture,
		 unsigned y, const struct span *span)
{
	if (picture->kind == PICTURE_TEXT)
		text_line(vga, picture, y, span);
	else if (picture->kind == PICTURE_VGA)
		vga_line(vga, picture, y, span);
	else
		dispi_line(vga, picture, y, span);
}

int vga_render_rectangle(const struct vga *vga,
			 const struct display_rectangle *r, uint32_t *pixels)
{
	struct picture picture = picture_of(vga, true);
	struct span span = { .left = r->left, .out = pixels };

	if (picture.kind == PICTURE_NONE)
		return -ENODEV;
	if (r->left > r->right || r->right > picture.width ||
	    r->top > r->bottom || r->bottom > picture.height)
		return -ERANGE;
	span.width = r->right - r->left;
	for (unsigned y = r->top; y < r->bottom; y++) {
		line(vga, &picture, y, &span);
		span.out += span.width;
	}
	return 0;
}

#define PIECE 64

int vga_render(const struct vga *vga, uint8_t *rgb, size_t length)
{
	struct picture picture = picture_of(vga, false);
	uint32_t pixels[PIECE];

	if (picture.kind == PICTURE_NONE)
		return -ENODEV;
	if (length / 3 < (size_t)picture.width * picture.height)
		return -ERANGE;
	for (unsigned y = 0; y < picture.height; y++) {
		struct span span = { .out = pixels };

		for (; span.left < picture.width; span.left += span.width) {
			span.width = MIN(picture.width - span.left, PIECE);
			line(vga, &picture, y, &span);
			for (unsigned i = 0; i < span.width; i++, rgb += 3) {
				rgb[0] = (uint8_t)(pixels[i] >> 16);
				rgb[1] = (uint8_t)(pixels[i] >> 8);
				rgb[2] = (uint8_t)pixels[i];
			}
		}
	}
	return 0;
}
