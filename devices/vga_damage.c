/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the picture has changed, while somebody watches it.
 *
 * Three things change a picture: its registers and font, after which all of it
 * counts as changed; what the window writes; and what somebody else writes to
 * video memory, who says so.  Both of the latter are kept as pages of 4 KiB.
 * A page of text is several of its lines, so cells are compared besides.
 *
 * To watch costs something at each write, hence the bus is given other
 * functions for that time, and the usual ones know nothing of it.
 */
#include "devices/vga_internal.h"

#include "lib/string.h"

#define FONT_PLANE 2

static void changed(struct vga *vga)
{
	struct vga_damage *damage = &vga->damage;

	if (!damage->is_watched || damage->is_any)
		return;
	damage->is_any = true;
	damage->changed(damage->ctx);
}

void vga_damage_all(struct vga *vga)
{
	vga->damage.is_all = true;
	changed(vga);
}

void vga_damage_mark(struct vga *vga, uint32_t offset, uint32_t length)
{
	uint32_t last = (offset + length - 1) / PAGE_SIZE;

	for (uint32_t i = offset / PAGE_SIZE; i <= last; i++)
		vga->damage.page[i / VGA_PAGE_WORD] |= BIT(i % VGA_PAGE_WORD);
	changed(vga);
}

/* ---- Accesses ---------------------------------------------------------- */

static void window_watched(void *dev, struct io_access *io)
{
	struct vga *vga = dev;
	uint64_t offset = io->offset;
	uint32_t at;

	vga_window_access(dev, io);
	if (!io->is_write)
		return;
	for (unsigned i = 0; i < io->size; i++)
		if (vga_window_target(vga, offset + i, &at))
			vga_damage_mark(vga, at, 1);
	/* In text a page does not say whose font it is. */
	if (vga->state.seq[SEQ_MAP_MASK] & BIT(FONT_PLANE) &&
	    !(vga->state.gc[GC_MISC] & GC_MISC_GRAPHICS))
		vga_damage_all(vga);
}

/* What a picture depends on, but for video memory, cursor's and start's place
 * and the colours. */
struct registers {
	uint16_t dispi[VGA_DISPI_COUNT];
	uint8_t seq[VGA_SEQ_COUNT], crtc[VGA_CRTC_COUNT], attr[VGA_ATTR_COUNT];
	uint8_t shift, graphics, pas, dac_mask;
};

static void registers_get(const struct vga *vga, struct registers *r)
{
	const struct vga_state *state = &vga->state;

	memset(r, 0, sizeof(*r));
	memcpy(r->dispi, state->dispi, sizeof(r->dispi));
	memcpy(r->seq, state->seq, sizeof(r->seq));
	memcpy(r->crtc, state->crtc, sizeof(r->crtc));
	memcpy(r->attr, state->attr, sizeof(r->attr));
	r->dispi[DISPI_BANK] = 0;
	r->dispi[DISPI_ID] = 0;
	r->seq[SEQ_MAP_MASK] = 0;
	r->seq[SEQ_RESET] = 0;
	for (unsigned i = CRTC_START_HIGH; i <= CRTC_CURSOR_LOW; i++)
		r->crtc[i] = 0;
	r->shift = state->gc[GC_MODE] & GC_MODE_SHIFT;
	r->graphics = state->gc[GC_MISC] & GC_MISC_GRAPHICS;
	r->pas = state->attr_index & ATTR_INDEX_PAS;
	r->dac_mask = state->dac_mask;
}

static uint32_t places(const struct vga *vga)
{
	uint32_t value;

	memcpy(&value, &vga->state.crtc[CRTC_START_HIGH], sizeof(value));
	return value;
}

static void registers_watched(struct vga *vga, struct io_access *io, io_fn fn)
{
	struct registers before, after;
	uint32_t place = places(vga);
	uint8_t colours[sizeof(vga->state.dac[0])], number;

	if (!io->is_write) {
		fn(vga, io);
		return;
	}
	registers_get(vga, &before);
	number = vga->state.dac_write;
	memcpy(colours, vga->state.dac[number], sizeof(colours));
	fn(vga, io);
	registers_get(vga, &after);
	if (memcmp(&before, &after, sizeof(before)) ||
	    memcmp(colours, vga->state.dac[number], sizeof(colours)))
		vga_damage_all(vga);
	if (place == places(vga))
		return;
	/* Text is compared. */
	if (vga->state.gc[GC_MISC] & GC_MISC_GRAPHICS)
		vga->damage.is_all = true;
	changed(vga);
}

static void mono_watched(void *dev, struct io_access *io)
{
	registers_watched(dev, io, vga_mono_access);
}

static void common_watched(void *dev, struct io_access *io)
{
	registers_watched(dev, io, vga_common_access);
}

static void dispi_watched(void *dev, struct io_access *io)
{
	registers_watched(dev, io, vga_dispi_access);
}

static void mmio_watched(void *dev, struct io_access *io)
{
	registers_watched(dev, io, vga_mmio_access);
}

static void redirect(struct vga *vga, bool is_watched)
{
	static const struct {
		bool is_memory;
		io_fn usual, watched;
	} rows[] = {
		{ false, vga_mono_access, mono_watched },
		{ false, vga_common_access, common_watched },
		{ false, vga_dispi_access, dispi_watched },
		{ true, vga_window_access, window_watched },
		{ true, vga_mmio_access, mmio_watched },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bus *bus = rows[i].is_memory ? vga->config.memory
						    : vga->config.ports;

		if (is_watched)
			bus_redirect(bus, vga, rows[i].usual, rows[i].watched);
		else
			bus_redirect(bus, vga, rows[i].watched, rows[i].usual);
	}
	/* Where it is mapped later. */
	vga->pci.bar[VGA_BAR_MMIO].region.fn =
		is_watched ? mmio_watched : vga_mmio_access;
}

void vga_watch(struct vga *vga, void (*fn)(void *ctx), void *ctx)
{
	struct vga_damage *damage = &vga->damage;
	bool is_watched = fn;

	if (is_watched != damage->is_watched)
		redirect(vga, is_watched);
	damage->is_watched = is_watched;
	damage->changed = fn;
	damage->ctx = ctx;
	damage->is_all = true;
	damage->is_any = true;
}

/* ---- Taking it --------------------------------------------------------- */

static void merge(struct display_rectangle *into,
		  const struct display_rectangle *r)
{
	into->left = MIN(into->left, r->left);
	into->top = MIN(into->top, r->top);
	into->right = MAX(into->right, r->right);
	into->bottom = MAX(into->bottom, r->bottom);
}

/* From the top down: what touches the one before, or has no room, joins it. */
static unsigned add(struct display_rectangle *dirty, unsigned count,
		    const struct display_rectangle *r)
{
	if (count &&
	    (count == DISPLAY_DIRTY || dirty[count - 1].bottom == r->top))
		merge(&dirty[count - 1], r);
	else
		dirty[count++] = *r;
	return count;
}

static unsigned lines_take(const struct vga *vga,
			   const struct display_picture *picture,
			   unsigned height, struct display_rectangle *dirty)
{
	const uint64_t *pages = vga->damage.page;
	unsigned count = 0, top = 0;

	for (;;) {
		struct display_rectangle r = { .right = picture->width };

		top = vga_line_find(vga, pages, top, height, true);
		if (top >= height)
			return count;
		r.top = top;
		top = vga_line_find(vga, pages, top, height, false);
		r.bottom = top;
		count = add(dirty, count, &r);
	}
}

static bool cell_differs(const struct vga_text *a, const struct vga_text *b,
			 unsigned cell)
{
	bool is_cursor = (int)cell == a->cursor || (int)cell == b->cursor;

	return a->cell[cell] != b->cell[cell] ||
	       (is_cursor && a->cursor != b->cursor);
}

static unsigned cells_take(struct vga *vga,
			   const struct display_picture *picture,
			   const struct vga_text *text,
			   struct display_rectangle *dirty)
{
	const struct vga_text *before = &vga->damage.text;
	unsigned count = 0;

	for (unsigned row = 0; row < text->rows; row++) {
		unsigned first = text->columns, end = 0;
		struct display_rectangle r = {
			.top = row * picture->cell_height,
			.bottom = (row + 1) * picture->cell_height,
		};

		for (unsigned i = 0; i < text->columns; i++) {
			if (!cell_differs(before, text,
					  row * text->columns + i))
				continue;
			first = MIN(first, i);
			end = i + 1;
		}
		if (first >= end)
			continue;
		r.left = first * picture->cell_width;
		r.right = end * picture->cell_width;
		count = add(dirty, count, &r);
	}
	return count;
}

static unsigned whole(const struct display_picture *picture, unsigned height,
		      struct display_rectangle *dirty)
{
	*dirty = (struct display_rectangle){ 0, 0, picture->width, height };
	return picture->width && height;
}

static unsigned text_take(struct vga *vga,
			  const struct display_picture *picture,
			  unsigned height, struct display_rectangle *dirty)
{
	struct vga_damage *damage = &vga->damage;
	unsigned count;
	bool is_known = damage->has_text && !damage->is_all;

	if (!vga_text_get(vga, &damage->now, true))
		return 0;
	count = cells_take(vga, picture, &damage->now, dirty);
	memcpy(&damage->text, &damage->now, sizeof(damage->text));
	damage->has_text = true;
	if (!is_known || (count && !vga_text_is_aligned(vga)))
		return whole(picture, height, dirty);
	for (unsigned i = 0; i < count; i++) {
		dirty[i].bottom = MIN(dirty[i].bottom, height);
		dirty[i].top = MIN(dirty[i].top, height);
	}
	return count;
}

unsigned vga_damage_take(struct vga *vga, unsigned height,
			 struct display_rectangle dirty[DISPLAY_DIRTY])
{
	struct vga_damage *damage = &vga->damage;
	struct display_picture picture;
	unsigned count;

	if (!damage->is_any)
		return 0;
	vga_picture_get(vga, &picture);
	height = MIN(height, picture.height);
	if (picture.mode == DISPLAY_TEXT)
		count = text_take(vga, &picture, height, dirty);
	else if (damage->is_all)
		count = whole(&picture, height, dirty);
	else
		count = lines_take(vga, &picture, height, dirty);
	if (picture.mode != DISPLAY_TEXT)
		damage->has_text = false;
	memset(damage->page, 0,
	       vga->config.vram_length / PAGE_SIZE / VGA_PAGE_WORD *
		       sizeof(*damage->page));
	damage->is_all = false;
	damage->is_any = false;
	return count;
}
