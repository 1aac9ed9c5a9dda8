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
/* Below it is a place, from there on movement: no screen is so large, and no
 * movement. */
#define RELATIVE_LEAST	 0x4000
_Static_assert(PICTURE_SIDE_MAX <= RELATIVE_LEAST, "one or the other");

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
	/* It knows of movement, and what it was told the guest takes. */
	bool knows_movement, is_absolute;
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
		control_pointer(viewer->control, &(struct control_input){ 0 });
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

/* The middle of a pixel, so that the guest, whichever way it counts, finds the
 * same one. */
static unsigned place_of(int at, int size)
{
	at = MAX(MIN(at, size - 1), 0);
	return (unsigned)((2 * at + 1) * (CONTROL_PLACES / 2) / size);
}

/* Where it is, and how it came there.  True: that is another place than before.
 */
static bool place(struct viewer *viewer, rfbClientPtr client, int x, int y,
		  struct control_input *input)
{
	/* The first one is of use to who takes places alone. */
	bool is_new = viewer->has_place ? x != viewer->x || y != viewer->y
					: viewer->control->takes_places;

	if (viewer->has_place) {
		input->dx = x - viewer->x;
		input->dy = y - viewer->y;
	}
	input->has_place = true;
	input->x = place_of(x, client->screen->width);
	input->y = place_of(y, client->screen->height);
	viewer->has_place = true;
	viewer->x = x;
	viewer->y = y;
	return is_new;
}

static bool move(struct viewer *viewer, int x, int y,
		 struct control_input *input)
{
	input->dx = x - RELATIVE_ZERO;
	input->dy = y - RELATIVE_ZERO;
	viewer->has_place = false;
	return input->dx || input->dy;
}

void viewer_pointer(int mask, int x, int y, rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;
	int pressed = mask & ~viewer->mask;
	struct control_input input = {
		.wheel = !!(pressed & MASK_WHEEL_UP) -
			 !!(pressed & MASK_WHEEL_DOWN),
		.buttons = buttons_of(mask),
	};
	bool is_movement = viewer->knows_movement &&
			   (x >= RELATIVE_LEAST || y >= RELATIVE_LEAST);
	bool has_moved = is_movement ? move(viewer, x, y, &input)
				     : place(viewer, client, x, y, &input);

	if (has_moved || input.wheel ||
	    input.buttons != buttons_of(viewer->mask))
		control_pointer(viewer->control, &input);
	viewer->mask = mask;
}

/* ---- QEMU's extensions --------------------------------------------------- */

static rfbBool for_all(rfbClientPtr client, void **data)
{
	(void)client;
	*data = NULL;
	return TRUE;
}

/* An update of a rectangle that is none says that an extension is known; that
 * of the pointer begins at 1 while it has places. */
static rfbBool acknowledge(rfbClientPtr client, int encoding, bool is_absolute)
{
	struct __packed {
		uint8_t type, padding;
		uint16_t count;
		uint16_t left, top, width, height;
		int32_t encoding;
	} update = {
		.type = rfbFramebufferUpdate,
		.count = htons(1),
		.left = htons(is_absolute),
		.width = htons((uint16_t)client->screen->width),
		.height = htons((uint16_t)client->screen->height),
		.encoding = (int32_t)htonl((uint32_t)encoding),
	};

	return rfbWriteExact(client, (const char *)&update, sizeof(update)) > 0;
}

static rfbBool enable(rfbClientPtr client, void **data, int encoding)
{
	struct viewer *viewer = client->clientData;
	bool is_pointer = encoding == ENCODING_POINTER;

	(void)data;
	if (!viewer || (encoding != ENCODING_KEYS && !is_pointer))
		return FALSE;
	viewer->is_absolute = viewer->control->takes_places;
	if (!acknowledge(client, encoding, is_pointer && viewer->is_absolute))
		return FALSE;
	viewer->knows_movement |= is_pointer;
	return TRUE;
}

void viewer_follow(rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;

	if (!viewer || !viewer->knows_movement ||
	    viewer->is_absolute == viewer->control->takes_places)
		return;
	viewer->is_absolute = viewer->control->takes_places;
	if (!acknowledge(client, ENCODING_POINTER, viewer->is_absolute))
		rfbCloseClient(client);
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
