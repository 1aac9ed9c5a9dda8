/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server of the RFB protocol for the guest that a struct control follows:
 * LibVNCServer does the protocol, without threads of its own.
 *
 * Viewers see what has been presented; what the host is still sending waits in
 * the control's picture.  A viewer that comes before the first picture's size
 * is known is kept waiting for it, a short while, for not all can follow a
 * change.
 *
 * Of QEMU's extensions there are two: extended key events, and a pointer that
 * moves relatively, as a PS/2 mouse does, for as long as the guest takes no
 * places.  Of other viewers' pointers, which have a place, both that and the
 * differences are passed on.
 *
 * References: RFC 6143; The RFB Protocol (rfbproto, community edition).
 */
#ifndef BULKHEAD_VNC_SERVER_H
#define BULKHEAD_VNC_SERVER_H

#include "scripts/vnc/control.h"

#include <poll.h>

struct server;

/* password: NULL for none; the strings stay the caller's.  NULL: no memory. */
struct server *server_new(struct control *control, const char *name,
			  const char *password);

/* A viewer at a connected socket, which is the server's from now on. */
void server_accept(struct server *server, int fd, uint64_t now_ns);
/* Somebody looks; somebody waits for something new. */
bool server_is_looked_at(const struct server *server);
bool server_is_ready(const struct server *server);
/* Shows what came, and does for the viewers what can be done. */
void server_run(struct server *server, uint64_t now_ns);
uint64_t server_deadline(const struct server *server);

/* What to wait for; how many, at most as many as there is room for. */
unsigned server_polls(const struct server *server, struct pollfd *polls,
		      unsigned room);

#endif
