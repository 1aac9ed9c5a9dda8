/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What viewers call keys, as Linux's input event codes (include/input.h).
 *
 * A keysym of the X Window System says which character was meant; which key
 * that is depends on the keyboard, and a US one is assumed.  The keycodes of
 * QEMU's extended key events say which key it was.
 *
 * References: X11 protocol, appendix A; The RFB Protocol (rfbproto, community
 * edition), "QEMU Extended Key Event Message".
 */
#ifndef BULKHEAD_VNC_KEYMAP_H
#define BULKHEAD_VNC_KEYMAP_H

#include "include/compiler.h"

#define KEYMAP_CODES 128 /* codes are below it */

/* 0: there is no such key. */
unsigned keymap_of_keysym(uint32_t keysym);
/* XT make codes; behind E0h with bit 7 set. */
unsigned keymap_of_xt(uint32_t keycode);

#endif
