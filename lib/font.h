/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters for a screen that has none of its own. */
#ifndef BULKHEAD_LIB_FONT_H
#define BULKHEAD_LIB_FONT_H

#include "include/compiler.h"

#define FONT_WIDTH  8
#define FONT_HEIGHT 16

/* The leftmost dot is bit 7.  False: there is no such character, rows stay. */
bool font_glyph(unsigned character, uint8_t rows[FONT_HEIGHT]);

#endif
