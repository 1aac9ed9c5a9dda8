/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References: IBM PS/2 Hardware Interface Technical Reference, "Video
 * Subsystem" (graphics controller, CRT controller).
 */
#include "drivers/vga_text.h"

#include "include/errno.h"

#define GRAPHICS_INDEX	   0x3ce
#define GRAPHICS_MISC	   6
#define GRAPHICS_MISC_APA  BIT(0) /* pixels */
#define GRAPHICS_MISC_MAP  MASK(3, 2)
#define GRAPHICS_MAP_B8000 3U
#define CRTC_INDEX	   0x3d4
#define CRTC_CURSOR_START  0x0a
#define CRTC_CURSOR_IS_OFF BIT(5)

static uint8_t get(const struct port_ops *ports, void *ctx, uint16_t port,
		   uint8_t index)
{
	ports->write(ctx, port, index);
	return ports->read(ctx, port + 1);
}

int vga_text_start(const struct port_ops *ports, void *ctx)
{
	uint8_t misc = get(ports, ctx, GRAPHICS_INDEX, GRAPHICS_MISC);
	uint8_t cursor;

	/* Where nothing is, nothing keeps the index. */
	if (ports->read(ctx, GRAPHICS_INDEX) != GRAPHICS_MISC)
		return -ENODEV;
	if (misc & GRAPHICS_MISC_APA ||
	    FIELD_GET(GRAPHICS_MISC_MAP, misc) != GRAPHICS_MAP_B8000)
		return -ERANGE;
	cursor = get(ports, ctx, CRTC_INDEX, CRTC_CURSOR_START);
	ports->write(ctx, CRTC_INDEX + 1, cursor | CRTC_CURSOR_IS_OFF);
	return 0;
}
