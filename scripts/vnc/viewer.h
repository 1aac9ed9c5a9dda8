/* SPDX-License-Identifier: BSD-2-Clause */
/* What a viewer does with its keyboard and pointer: server.h. */
#ifndef BULKHEAD_VNC_VIEWER_H
#define BULKHEAD_VNC_VIEWER_H

#include <rfb/rfb.h>

#include "scripts/vnc/control.h"

struct viewer;

/* To be a client's clientData; NULL: no memory. */
struct viewer *viewer_new(struct control *control);
/* Hooks of LibVNCServer. */
void viewer_gone(rfbClientPtr client); /* what it held down is released */
void viewer_keysym(rfbBool is_down, rfbKeySym keysym, rfbClientPtr client);
void viewer_pointer(int mask, int x, int y, rfbClientPtr client);

/* Tells a viewer that knows of movement whether the guest takes places now. */
void viewer_follow(rfbClientPtr client);

/* Teaches LibVNCServer the two extensions. */
void viewer_extend(void);

#endif
