/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's screen as the host sends it: docs/control.md, "Binary frames".
 *
 * Pixels are kept as they come, B, G, R, 0, lines from the top.  What the host
 * says is checked: a picture that makes no sense is refused and changes
 * nothing.
 *
 * Pure; one thread.
 */
#ifndef BULKHEAD_VNC_PICTURE_H
#define BULKHEAD_VNC_PICTURE_H

#include "include/compiler.h"

#define PICTURE_PIXEL	    4 /* bytes */
#define PICTURE_SIDE_MAX    8192
#define PICTURE_DAMAGES_MAX 256

struct picture_rect {
	uint32_t left, top, right, bottom; /* right and bottom are outside */
};

struct picture {
	uint32_t width, height; /* 0: off */
	uint8_t *pixels;
	/* What has changed since picture_clean(). */
	unsigned damage_count;
	struct picture_rect damage[PICTURE_DAMAGES_MAX];
};

/* Another size, all black; -EINVAL, -ENOMEM: it is as it was. */
int __must_check picture_resize(struct picture *picture, uint32_t width,
				uint32_t height);
/* The rest of a binary frame of pixels; -EINVAL: it is none. */
int __must_check picture_draw(struct picture *picture, const uint8_t *rest,
			      size_t length);
void picture_clean(struct picture *picture);
void picture_free(struct picture *picture);

#endif
