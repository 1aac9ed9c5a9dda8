/* SPDX-License-Identifier: BSD-2-Clause */
/* See server.h. */
#include "scripts/vnc/server.h"

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scripts/vnc/pump.h"
#include "scripts/vnc/viewer.h"

#define WIDTH_FIRST  720 /* until the guest's is known */
#define HEIGHT_FIRST 400
#define COLOUR_BITS  8
#define COLOURS	     3
#define PRESENT_NS   (NSEC_PER_SEC / 2) /* parts of a slow picture */
#define HOLD_NS	     (30 * NSEC_PER_SEC)
#define PATIENCE_MS  5000 /* with a viewer that stops in a message */

struct server {
	struct control *control;
	rfbScreenInfoPtr screen;
	char *passwords[2];
	bool has_mode; /* the screen's size is the guest's */
	bool is_blank; /* and nothing but black */
	bool has_held; /* somebody waits for has_mode */
	uint64_t held_ns, presented_ns;
};

/* ---- Viewers ------------------------------------------------------------- */

static enum rfbNewClientAction came(rfbClientPtr client)
{
	struct server *server = client->screen->screenData;

	client->clientData = viewer_new(server->control);
	client->clientGoneHook = viewer_gone;
	/* Pages of any origin could reach a web socket at this machine. */
	if (!client->clientData || client->wsctx)
		return RFB_CLIENT_REFUSE;
	if (server->has_mode)
		return RFB_CLIENT_ACCEPT;
	server->has_held = true;
	return RFB_CLIENT_ON_HOLD;
}

void server_accept(struct server *server, int fd, uint64_t now_ns)
{
	int end = pump_start(fd);

	if (end < 0)
		return;
	if (!server->has_held)
		server->held_ns = now_ns;
	(void)rfbNewClient(server->screen, end);
}

bool server_is_looked_at(const struct server *server)
{
	return server->screen->clientHead;
}

bool server_is_ready(const struct server *server)
{
	rfbClientIteratorPtr all = rfbGetClientIterator(server->screen);
	rfbClientPtr client;
	bool is_ready = false;

	while ((client = rfbClientIteratorNext(all)))
		is_ready |=
			client->onHold || !sraRgnEmpty(client->requestedRegion);
	rfbReleaseClientIterator(all);
	return is_ready;
}

unsigned server_polls(const struct server *server, struct pollfd *polls,
		      unsigned room)
{
	rfbClientIteratorPtr all = rfbGetClientIterator(server->screen);
	rfbClientPtr client;
	unsigned count = 0;

	while ((client = rfbClientIteratorNext(all)))
		if (!client->onHold && count < room)
			polls[count++] = (struct pollfd){ .fd = client->sock,
							  .events = POLLIN };
	rfbReleaseClientIterator(all);
	return count;
}

static void release_held(struct server *server, uint64_t now_ns)
{
	rfbClientIteratorPtr all;
	rfbClientPtr client;

	if (!server->has_held)
		return;
	if (!server->has_mode && !server->control->trouble[0] &&
	    now_ns < server->held_ns + HOLD_NS)
		return;
	server->has_held = false;
	all = rfbGetClientIterator(server->screen);
	while ((client = rfbClientIteratorNext(all)))
		if (client->onHold)
			rfbStartOnHoldClient(client);
	rfbReleaseClientIterator(all);
}

/* ---- The picture --------------------------------------------------------- */

/* B, G, R, 0 in memory; LibVNCServer begins with another order. */
static void format_set(rfbScreenInfoPtr screen)
{
	rfbClientIteratorPtr all = rfbGetClientIterator(screen);
	rfbClientPtr client;

	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
	while ((client = rfbClientIteratorNext(all)))
		(void)screen->setTranslateFunction(client);
	rfbReleaseClientIterator(all);
}

static bool resize(struct server *server, uint32_t width, uint32_t height)
{
	char *old = server->screen->frameBuffer;
	char *new = calloc((size_t)width * height, PICTURE_PIXEL);

	if (!new)
		return false;
	rfbNewFramebuffer(server->screen, new, (int)width, (int)height,
			  COLOUR_BITS, COLOURS, PICTURE_PIXEL);
	format_set(server->screen);
	free(old);
	return true;
}

static void blank(struct server *server)
{
	rfbScreenInfoPtr screen = server->screen;

	if (server->is_blank)
		return;
	server->is_blank = true;
	memset(screen->frameBuffer, 0,
	       (size_t)screen->width * (size_t)screen->height * PICTURE_PIXEL);
	rfbMarkRectAsModified(screen, 0, 0, screen->width, screen->height);
}

static void copy(struct server *server, const struct picture *picture,
		 const struct picture_rect *rect)
{
	size_t line = (size_t)(rect->right - rect->left) * PICTURE_PIXEL;

	for (uint32_t y = rect->top; y < rect->bottom; y++) {
		size_t at = ((size_t)y * picture->width + rect->left) *
			    PICTURE_PIXEL;

		memcpy(server->screen->frameBuffer + at, picture->pixels + at,
		       line);
	}
	rfbMarkRectAsModified(server->screen, (int)rect->left, (int)rect->top,
			      (int)rect->right, (int)rect->bottom);
}

static void present(struct server *server)
{
	const struct picture *picture = &server->control->picture;

	if (server->screen->width != (int)picture->width ||
	    server->screen->height != (int)picture->height)
		if (!resize(server, picture->width, picture->height))
			return;
	server->has_mode = true;
	server->is_blank = false;
	for (unsigned i = 0; i < picture->damage_count; i++)
		copy(server, picture, &picture->damage[i]);
	picture_clean(&server->control->picture);
}

/* When what has come is shown; UINT64_MAX: there is nothing. */
static uint64_t present_due(const struct server *server)
{
	const struct control *control = server->control;

	if (!control->picture.damage_count || !control->picture.width)
		return UINT64_MAX;
	if (control->watch == WATCH_ASKED)
		return MAX(server->presented_ns, control->asked_ns) +
		       PRESENT_NS;
	return 0;
}

static void follow(struct server *server)
{
	rfbClientIteratorPtr all = rfbGetClientIterator(server->screen);
	rfbClientPtr client;

	while ((client = rfbClientIteratorNext(all)))
		viewer_follow(client);
	rfbReleaseClientIterator(all);
}

/* ---- Running ------------------------------------------------------------- */

void server_run(struct server *server, uint64_t now_ns)
{
	struct control *control = server->control;

	if (control->trouble[0]) {
		blank(server);
	} else if (now_ns >= present_due(server)) {
		present(server);
		server->presented_ns = now_ns;
	}
	release_held(server, now_ns);
	follow(server);
	(void)rfbProcessEvents(server->screen, 0);
	/* Who comes next is not to see what has been. */
	if (!server_is_looked_at(server)) {
		server->has_mode = false;
		blank(server);
	}
}

uint64_t server_deadline(const struct server *server)
{
	uint64_t due = present_due(server);

	if (server->control->trouble[0])
		due = server->has_held || !server->is_blank ? 0 : UINT64_MAX;
	return server->has_held ? MIN(due, server->held_ns + HOLD_NS) : due;
}

static void be_quiet(const char *format, ...)
{
	(void)format;
}

struct server *server_new(struct control *control, const char *name,
			  const char *password)
{
	struct server *server = calloc(1, sizeof(*server));
	rfbScreenInfoPtr screen;

	if (!server)
		return NULL;
	rfbLog = rfbErr = be_quiet;
	rfbMaxClientWait = PATIENCE_MS;
	viewer_extend();
	server->control = control;
	screen = server->screen =
		rfbGetScreen(NULL, NULL, WIDTH_FIRST, HEIGHT_FIRST, COLOUR_BITS,
			     COLOURS, PICTURE_PIXEL);
	if (!screen)
		goto free_server;
	screen->frameBuffer = NULL;
	if (!resize(server, WIDTH_FIRST, HEIGHT_FIRST))
		goto free_screen;
	server->is_blank = true;
	screen->screenData = server;
	screen->desktopName = name;
	screen->alwaysShared = TRUE;
	screen->deferUpdateTime = screen->deferPtrUpdateTime = 0;
	screen->port = screen->ipv6port = 0; /* connections come by us */
	screen->cursor = NULL;
	screen->newClientHook = came;
	screen->kbdAddEvent = viewer_keysym;
	screen->ptrAddEvent = viewer_pointer;
	if (password) {
		server->passwords[0] = (char *)(uintptr_t)password;
		screen->authPasswdData = server->passwords;
		screen->passwordCheck = rfbCheckPasswordByList;
	}
	rfbInitServer(screen);
	return server;

free_screen:
	rfbScreenCleanup(screen);
free_server:
	free(server);
	return NULL;
}
