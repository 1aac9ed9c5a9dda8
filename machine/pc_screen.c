/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of the board `pc`, and how writes to its video memory come to be
 * known of: the VGA's window at 0xa0000 is emulated, so the device knows; BAR 0
 * is memory that the guest writes to without anybody's help.
 *
 * While the screen is watched BAR 0 is read-only to the guest (guarded):
 *
 *	           watch, or what has changed is taken
 *	   ┌────────────────────────────────────────────┐
 *	   ▼                                            │
 *	guarded ───────────────────────────────────► writable
 *	      a write there: 16 pages, marked as changed
 *
 * So an idle screen costs nothing, and a busy one an exit for 64 KiB.  All of
 * what is writable has been marked since, and pages are guarded again before
 * they are drawn: nothing that is written later is lost.  The emulators do not
 * write there themselves meanwhile: video memory is on the bus for them.
 */
#include "machine/pc_parts.h"

#include "lib/string.h"

#define RUN_PAGES 16 /* made writable at once */

static void map(struct pc *pc, uint64_t offset, uint64_t length,
		enum gate_map kind)
{
	pc->ops->map(pc->ctx, pc->vram_gpa + offset, length,
		     pc->config->ram_size + offset, kind);
}

static void lift(struct pc *pc, uint32_t run)
{
	uint64_t *word = &pc->screen.writable[run / VGA_PAGE_WORD];

	map(pc, run * PAGE_SIZE, RUN_PAGES * PAGE_SIZE, GATE_MAP_RAM);
	*word |= MASK(RUN_PAGES - 1, 0) << run % VGA_PAGE_WORD;
	vga_damage_mark(&pc->vga, run * (uint32_t)PAGE_SIZE,
			RUN_PAGES * (uint32_t)PAGE_SIZE);
}

static enum board_guard unguard(struct pc *pc, uint64_t offset)
{
	uint32_t page = (uint32_t)(offset / PAGE_SIZE);

	if (pc->screen.writable[page / VGA_PAGE_WORD] &
	    BIT(page % VGA_PAGE_WORD))
		return BOARD_GUARD_BEFORE;
	lift(pc, page & ~(RUN_PAGES - 1U));
	return BOARD_GUARD_LIFTED;
}

static enum board_guard screen_unguard(void *board, gpa_t gpa)
{
	struct pc *pc = board;

	if (!pc->screen.is_guarded || gpa < pc->vram_gpa ||
	    gpa - pc->vram_gpa >= pc->config->vram_size)
		return BOARD_GUARD_NONE;
	return unguard(pc, gpa - pc->vram_gpa);
}

/* An access of an emulator. */
static void vram_access(void *dev, struct io_access *io)
{
	struct pc *pc = dev;
	uint8_t *at = pc->window + pc->config->ram_size + io->offset;

	if (io->is_write) {
		memcpy(at, &io->data, io->size);
		(void)unguard(pc, io->offset);
	} else {
		io->data = 0;
		memcpy(&io->data, at, io->size);
	}
}

static void guard(struct pc *pc)
{
	const struct io_region region = {
		.name = "vga-memory",
		.base = pc->vram_gpa,
		.length = pc->config->vram_size,
		.fn = vram_access,
		.dev = pc,
		.width_min = 1,
		.width_max = 8,
	};

	memset(pc->screen.writable, 0, sizeof(pc->screen.writable));
	/* Another device's BAR is there as well: changes are not seen. */
	pc->screen.is_guarded = !bus_add(&pc->memory, &region);
}

static void unguard_all(struct pc *pc)
{
	if (pc->screen.is_guarded)
		(void)bus_remove(&pc->memory, pc->screen.gpa, pc);
	pc->screen.is_guarded = false;
}

void pc_screen_map(struct pc *pc, bool is_mapped)
{
	unguard_all(pc);
	if (is_mapped && pc->screen.is_watched)
		guard(pc);
	pc->screen.gpa = pc->vram_gpa;
	map(pc, 0, pc->config->vram_size,
	    !is_mapped		    ? GATE_MAP_NONE
	    : pc->screen.is_guarded ? GATE_MAP_ROM
				    : GATE_MAP_RAM);
}

/* One call for all, from the first to the last: each makes the vCPUs stop. */
static void guard_again(struct pc *pc)
{
	uint64_t *writable = pc->screen.writable;
	uint32_t pages = (uint32_t)(pc->config->vram_size / PAGE_SIZE);
	uint32_t first = pages, end = 0;

	for (uint32_t i = 0; i < pages; i += RUN_PAGES) {
		if (!(writable[i / VGA_PAGE_WORD] & BIT(i % VGA_PAGE_WORD)))
			continue;
		first = MIN(first, i);
		end = i + RUN_PAGES;
	}
	if (first >= end)
		return;
	memset(writable, 0, sizeof(pc->screen.writable));
	map(pc, first * PAGE_SIZE, (end - first) * PAGE_SIZE, GATE_MAP_ROM);
}

/* ---- For the face ------------------------------------------------------ */

static void screen_picture(void *board, struct display_picture *picture)
{
	const struct pc *pc = board;

	vga_picture_get(&pc->vga, picture);
}

static int screen_render(void *board, const struct display_rectangle *rectangle,
			 uint32_t *pixels)
{
	const struct pc *pc = board;

	return vga_render_rectangle(&pc->vga, rectangle, pixels);
}

static const uint16_t *screen_cells(void *board, int32_t *cursor)
{
	struct pc *pc = board;
	struct vga_text *text = &pc->screen.text;

	if (!vga_text_get(&pc->vga, text, true))
		return NULL;
	*cursor = text->cursor;
	return text->cell;
}

void pc_pointer_changed(void *ctx)
{
	struct pc *pc = ctx;

	if (pc->screen.changed)
		pc->screen.changed(pc->screen.changed_ctx);
}

static void screen_watch(void *board, void (*changed)(void *ctx), void *ctx)
{
	struct pc *pc = board;
	bool is_watched = changed;

	vga_watch(&pc->vga, changed, ctx);
	pc->screen.changed = changed;
	pc->screen.changed_ctx = ctx;
	if (is_watched == pc->screen.is_watched)
		return;
	pc->screen.is_watched = is_watched;
	if (pc->is_vram_mapped)
		pc_screen_map(pc, true);
}

static unsigned screen_changes(void *board, unsigned height,
			       struct display_rectangle dirty[DISPLAY_DIRTY])
{
	struct pc *pc = board;
	unsigned count = vga_damage_take(&pc->vga, height, dirty);

	if (pc->screen.is_guarded)
		guard_again(pc);
	return count;
}

const struct board_screen pc_board_screen = {
	.picture = screen_picture,
	.render = screen_render,
	.cells = screen_cells,
	.watch = screen_watch,
	.changes = screen_changes,
	.unguard = screen_unguard,
};
