/* SPDX-License-Identifier: BSD-2-Clause */
/* See viewer.h. */
#include "scripts/vnc/viewer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "scripts/vnc/keymap.h"

/* Pseudo-encodings and a message of QEMU's. */
#define ENCODING_POINTER -257
#define ENCODING_KEYS	 -258
#define QEMU_MESSAGE	 255
#define QEMU_KEY	 0
#define RELATIVE_ZERO	 0x7fff

/* The viewer's buttons, and the protocol's. */
#define MASK_LEFT	BIT(0)
#define MASK_MIDDLE	BIT(1)
#define MASK_RIGHT	BIT(2)
#define MASK_WHEEL_UP	BIT(3)
#define MASK_WHEEL_DOWN BIT(4)
#define BUTTON_LEFT	1U
#define BUTTON_RIGHT	2U
#define BUTTON_MIDDLE	4U

struct viewer {
	struct control *control;
	bool is_relative;
	bool has_place; /* x and y are where the pointer was */
	int x, y, mask;
	bool is_down[KEYMAP_CODES];
};

struct viewer *viewer_new(struct control *control)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));

	if (viewer)
		viewer->control = control;
	return viewer;
}

/* ---- Keys ---------------------------------------------------------------- */

static void key(struct viewer *viewer, unsigned code, bool is_down)
{
	if (!code || code >= KEYMAP_CODES ||
	    (!is_down && !viewer->is_down[code]))
		return;
	viewer->is_down[code] = is_down;
	control_key(viewer->control, code, is_down);
}

void viewer_keysym(rfbBool is_down, rfbKeySym keysym, rfbClientPtr client)
{
	key(client->clientData, keymap_of_keysym(keysym), is_down);
}

void viewer_gone(rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;

	if (!viewer)
		return;
	for (unsigned code = 0; code < KEYMAP_CODES; code++)
		key(viewer, code, false);
	if (viewer->mask)
		control_pointer(viewer->control, 0, 0, 0, 0);
	free(viewer);
	client->clientData = NULL;
}

/* ---- The pointer --------------------------------------------------------- */

static unsigned buttons_of(int mask)
{
	return (mask & MASK_LEFT ? BUTTON_LEFT : 0) |
	       (mask & MASK_RIGHT ? BUTTON_RIGHT : 0) |
	       (mask & MASK_MIDDLE ? BUTTON_MIDDLE : 0);
}

void viewer_pointer(int mask, int x, int y, rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;
	int pressed = mask & ~viewer->mask;
	int wheel = !!(pressed & MASK_WHEEL_UP) - !!(pressed & MASK_WHEEL_DOWN);
	int dx = 0, dy = 0;

	if (viewer->is_relative) {
		dx = x - RELATIVE_ZERO;
		dy = y - RELATIVE_ZERO;
	} else if (viewer->has_place) {
		dx = x - viewer->x;
		dy = y - viewer->y;
	}
	viewer->has_place = true;
	viewer->x = x;
	viewer->y = y;
	if (dx || dy || wheel || buttons_of(mask) != buttons_of(viewer->mask))
		control_pointer(viewer->control, dx, dy, wheel,
				buttons_of(mask));
	viewer->mask = mask;
}

/* ---- QEMU's extensions --------------------------------------------------- */

static rfbBool for_all(rfbClientPtr client, void **data)
{
	(void)client;
	*data = NULL;
	return TRUE;
}

/* An update of a rectangle that is none says that an extension is known. */
static rfbBool acknowledge(rfbClientPtr client, int encoding)
{
	struct __packed {
		uint8_t type, padding;
		uint16_t count;
		uint16_t left, top, width, height;
		int32_t encoding;
	} update = {
		.type = rfbFramebufferUpdate,
		.count = htons(1),
		.left = 0, /* of a pointer: it moves relatively */
		.width = htons((uint16_t)client->screen->width),
		.height = htons((uint16_t)client->screen->height),
		.encoding = (int32_t)htonl((uint32_t)encoding),
	};

	return rfbWriteExact(client, (const char *)&update, sizeof(update)) > 0;
}

static rfbBool enable(rfbClientPtr client, void **data, int encoding)
{
	struct viewer *viewer = client->clientData;

	(void)data;
	if (!viewer ||
	    (encoding != ENCODING_KEYS && encoding != ENCODING_POINTER) ||
	    !acknowledge(client, encoding))
		return FALSE;
	if (encoding == ENCODING_POINTER)
		viewer->is_relative = true;
	return TRUE;
}

static rfbBool message_take(rfbClientPtr client, void *data,
			    const rfbClientToServerMsg *message)
{
	struct __packed {
		uint8_t kind;
		uint16_t is_down;
		uint32_t keysym, keycode;
	} rest;
	unsigned code;

	(void)data;
	if (message->type != QEMU_MESSAGE)
		return FALSE;
	if (rfbReadExact(client, (char *)&rest, sizeof(rest)) <= 0 ||
	    rest.kind != QEMU_KEY || !client->clientData) {
		rfbCloseClient(client);
		return TRUE;
	}
	code = keymap_of_xt(ntohl(rest.keycode));
	if (!code)
		code = keymap_of_keysym(ntohl(rest.keysym));
	key(client->clientData, code, rest.is_down != 0);
	return TRUE;
}

void viewer_extend(void)
{
	static int encodings[] = { ENCODING_KEYS, ENCODING_POINTER, 0 };
	static rfbProtocolExtension extension = {
		.newClient = for_all,
		.pseudoEncodings = encodings,
		.enablePseudoEncoding = enable,
		.handleMessage = message_take,
	};

	rfbRegisterProtocolExtension(&extension);
}
