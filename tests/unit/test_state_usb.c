/* SPDX-License-Identifier: BSD-2-Clause */
/* States of USB controllers and of what is plugged in. */
#include "tests/unit/state_test.h"

#include "devices/pci.h"
#include "devices/uhci_internal.h"
#include "devices/usb_hid.h"
#include "devices/usb_hub.h"
#include "devices/usb_storage.h"
#include "devices/xhci_internal.h"

#define MEMORY KIB(64)
#define DISK   KIB(32)
#define DEVFN  PCI_DEVFN(3, 0)
#define BAR0   0xe0000000U
#define BAR_IO 0xc000U

/* The first member of a subject's model. */
struct usb_base {
	struct pci_bus pci;
	struct guest_ram ram;
	struct usb_hid hid;
};

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static void base_init(struct rig *rig)
{
	struct usb_base *base = rig->model;

	base->ram = (struct guest_ram){ 1, { { 0, MEMORY, rig->memory } } };
	assert_int_equal(
		pci_bus_init(&base->pci, &rig->b.ports, &rig->b.memory), 0);
	base->pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	base->pci.intx_set = intx;
	base->pci.intx_ctx = rig;
	usb_hid_init(&base->hid, USB_HID_MOUSE, &rig->b.clock);
}

static void bars_set(struct rig *rig)
{
	struct pci_bus *pci = &((struct usb_base *)rig->model)->pci;

	pci_config_write(pci, DEVFN, PCI_BAR0, 4, BAR0);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 4, 4, 0);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 16, 4, BAR_IO);
	pci_config_write(pci, DEVFN, PCI_COMMAND, 2, 7);
}

/* The device's state, which is no controller's, goes along. */
static void base_copy(struct rig *to, const struct rig *from)
{
	struct usb_base *a = to->model;
	const struct usb_base *b = from->model;

	a->hid.state = b->hid.state;
	a->hid.usb.speed = b->hid.usb.speed;
	if (a->hid.state.idle_ns != CLOCK_NEVER)
		clock_timer_arm(&to->b.clock, &a->hid.timer,
				a->hid.state.idle_ns);
}

static void words_put(struct rig *rig, uint32_t at, const uint32_t *words,
		      unsigned count)
{
	memcpy((uint8_t *)rig->memory + at, words, count * sizeof(*words));
}

/* ---- UHCI --------------------------------------------------------------- */

struct uhci_model {
	struct usb_base base;
	struct uhci uhci;
};

static struct device *uhci_build(struct rig *rig)
{
	struct uhci_model *model = rig->model;
	struct uhci_config config = {
		.pci = &model->base.pci,
		.devfn = DEVFN,
		.ram = &model->base.ram,
		.clock = &rig->b.clock,
		.port = { &model->base.hid.usb },
	};

	base_init(rig);
	assert_int_equal(uhci_init(&model->uhci, &config), 0);
	return &model->uhci.device;
}

/* A queue with a request in it, at any place of the list. */
static void uhci_schedule(struct rig *rig, uint32_t random)
{
	uint32_t at = 0x2000 + (random & 0xff0);
	uint32_t pid = random & BIT(20)	  ? USB_TOKEN_IN
		       : random & BIT(21) ? USB_TOKEN_SETUP
					  : USB_TOKEN_OUT;
	uint32_t frame[] = { at | 2 };
	uint32_t queue[] = { random & BIT(22) ? 1 : at | 2, at + 16 };
	uint32_t td[] = { random & BIT(23) ? 1 : (at + 16) | 4,
			  0x01800000 | (random & 0x3e000000),
			  pid | 7U << 21 | (random & BIT(24) ? 1U << 15 : 0),
			  at + 64 };
	uint32_t setup[] = { 0x00010680 | (random & BIT(25) ? 0x800 : 0),
			     0x00120000 };

	for (unsigned i = 0; i < 64; i++)
		words_put(rig, 0x1000 + 4 * i, frame, 1);
	words_put(rig, at, queue, 2);
	words_put(rig, at + 16, td, 4);
	words_put(rig, at + 64, setup, 2);
}

static void uhci_input(struct rig *rig)
{
	struct uhci_model *model = rig->model;
	uint32_t random = rig_random(rig);

	switch (random % 8) {
	case 0:
		bars_set(rig);
		bus_out(&rig->b.ports, BAR_IO + UHCI_FLBASEADD, 0x1000, 4);
		bus_out(&rig->b.ports, BAR_IO + UHCI_PORTSC, UHCI_PORT_ENABLED,
			2);
		bus_out(&rig->b.ports, BAR_IO + UHCI_USBINTR, 15, 2);
		bus_out(&rig->b.ports, BAR_IO + UHCI_USBCMD, UHCI_RUN, 2);
		break;
	case 1:
		usb_hid_move(&model->base.hid, (int)(random >> 8 & 15), 1, 0,
			     random >> 12 & 1);
		break;
	default:
		uhci_schedule(rig, random);
	}
}

static const struct subject_region uhci_regions[] = {
	{ .base = BAR_IO, .length = UHCI_SIZE, .size = 2 },
	{ .base = BAR_IO, .length = UHCI_SIZE, .size = 1 },
	{ .base = BAR_IO, .length = UHCI_SIZE, .size = 4 },
};

/* ---- xHCI --------------------------------------------------------------- */

struct xhci_model {
	struct usb_base base;
	struct xhci xhci;
};

static struct device *xhci_build(struct rig *rig)
{
	struct xhci_model *model = rig->model;
	struct xhci_config config = {
		.pci = &model->base.pci,
		.devfn = DEVFN,
		.ram = &model->base.ram,
		.clock = &rig->b.clock,
		.port = { &model->base.hid.usb },
	};

	base_init(rig);
	assert_int_equal(xhci_init(&model->xhci, &config), 0);
	return &model->xhci.device;
}

static void xhci_put(struct rig *rig, uint32_t offset, uint32_t value)
{
	bus_out(&rig->b.memory, BAR0 + offset, value, 4);
}

#define CONTEXTS 0x1000
#define COMMANDS 0x2000
#define EVENTS	 0x3000
#define TABLE	 0x4000
#define INPUT	 0x5000
#define RING	 0x6000
#define OUTPUT	 0x7000

/* Rings, and the port enabled. */
static void xhci_start(struct rig *rig)
{
	const uint32_t table[] = { EVENTS, 0, 64, 0 };

	words_put(rig, TABLE, table, 4);
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t output[] = { OUTPUT + 0x400 * (i % 4), 0 };

		words_put(rig, CONTEXTS + 8 * i, output, 2);
	}
	bars_set(rig);
	xhci_put(rig, XHCI_OPERATIONAL + XHCI_USBCMD, XHCI_HCRST);
	xhci_put(rig, XHCI_OPERATIONAL + XHCI_CONFIG, 8);
	xhci_put(rig, XHCI_OPERATIONAL + XHCI_DCBAAP, CONTEXTS);
	xhci_put(rig, XHCI_OPERATIONAL + XHCI_CRCR, COMMANDS | 1);
	xhci_put(rig, XHCI_RUNTIME + XHCI_ERSTSZ, 1);
	xhci_put(rig, XHCI_RUNTIME + XHCI_ERDP, EVENTS);
	xhci_put(rig, XHCI_RUNTIME + XHCI_ERSTBA, TABLE);
	xhci_put(rig, XHCI_RUNTIME + XHCI_IMAN, 2);
	xhci_put(rig, XHCI_OPERATIONAL + XHCI_USBCMD, XHCI_RUN | XHCI_INTE);
	xhci_put(rig, XHCI_PORT_REGISTERS, XHCI_PORT_RESET);
}

static void xhci_command(struct rig *rig, uint32_t random)
{
	struct xhci *xhci = &((struct xhci_model *)rig->model)->xhci;
	uint32_t at = (uint32_t)xhci->state.command_next % (MEMORY - 64);
	uint32_t type = XHCI_ENABLE_SLOT + random % 9;
	const uint32_t input[] = { 0, random & BIT(16) ? 3 : 9 };
	const uint32_t slot[] = { 0, 1U << 16 };
	const uint32_t endpoint[] = { 0, 8U << 16 | 4 << 3, RING | 1, 0 };
	const uint32_t interrupt[] = { 0, 8U << 16 | 7 << 3, RING | 1, 0 };
	const uint32_t trb[] = { random & BIT(17) ? INPUT : RING | 1, 0, 0,
				 type << 10 | (random >> 8 & 0x1f) << 16 |
					 1U << 24 | xhci->state.command_cycle };

	words_put(rig, INPUT, input, 2);
	words_put(rig, INPUT + 32, slot, 2);
	words_put(rig, INPUT + 64, endpoint, 4);
	words_put(rig, INPUT + 128, interrupt, 4);
	words_put(rig, at, trb, 4);
	xhci_put(rig, XHCI_DOORBELLS, 0);
}

static void xhci_transfer(struct rig *rig, uint32_t random)
{
	struct xhci *xhci = &((struct xhci_model *)rig->model)->xhci;
	unsigned index = random & 1 ? 3 : 1;
	const struct xhci_endpoint *endpoint =
		&xhci->state.slot[0].endpoint[index];
	uint32_t at = (uint32_t)endpoint->dequeue % (MEMORY - 64);
	uint32_t type = 1 + random / 2 % 8;
	const uint32_t trb[] = { type == XHCI_SETUP ? 0x01000680 : 0x9000,
				 type == XHCI_SETUP ? 0x120000 : 0,
				 random >> 8 & 0x3f,
				 type << 10 | (random >> 16 & 0x1007c) |
					 endpoint->cycle };

	words_put(rig, at, trb, 4);
	xhci_put(rig, XHCI_DOORBELLS + 4, index);
}

static void xhci_input(struct rig *rig)
{
	struct xhci_model *model = rig->model;
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 0:
		xhci_start(rig);
		break;
	case 1:
	case 2:
		usb_hid_move(&model->base.hid, (int)(random >> 8 & 15), 1, 0,
			     random >> 12 & 1);
		break;
	case 3:
		xhci_put(rig, XHCI_RUNTIME + XHCI_ERDP,
			 (uint32_t)model->xhci.state.event | 8);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		xhci_command(rig, random >> 4);
		break;
	default:
		xhci_transfer(rig, random >> 4);
	}
}

static const struct subject_region xhci_regions[] = {
	{ .base = BAR0, .length = 0x500, .size = 4, .is_memory = true },
	{ .base = BAR0 + XHCI_RUNTIME,
	  .length = 0x40,
	  .size = 4,
	  .is_memory = true },
	{ .base = BAR0 + XHCI_DOORBELLS,
	  .length = 0x40,
	  .size = 4,
	  .is_memory = true },
	{ .base = BAR0, .length = 0x40, .size = 1, .is_memory = true },
};

/* ---- Devices ------------------------------------------------------------ */

static void note_ready(void *ctx, struct usb_device *dev, unsigned endpoint)
{
	(void)dev;
	rig_note(ctx, 0x7ead000 | endpoint);
}

/* A transaction of any kind; requests are likely ones. */
static void transact(struct rig *rig, struct usb_device *dev, uint32_t random)
{
	static const uint8_t requests[][USB_SETUP_SIZE] = {
		{ 0x00, 9, 1 },
		{ 0x80, 6, 0, 1, 0, 0, 18 },
		{ 0x80, 6, 0, 2, 0, 0, 255 },
		{ 0x02, 1, 0, 0, 0x81 },
		{ 0x02, 1, 0, 0, 2 },
		{ 0x21, 0x0a, 0, 5 },
		{ 0x21, 0x0b, 0 },
		{ 0x21, 9, 0, 2, 0, 0, 1 },
		{ 0xa1, 1, 0, 1, 0, 0, 8 },
		{ 0x81, 6, 0, 0x22, 0, 0, 255 },
		{ 0x23, 3, 8, 0, 1 },
		{ 0x23, 3, 4, 0, 1 },
		{ 0x23, 3, 2, 0, 1 },
		{ 0x23, 1, 2, 0, 1 },
		{ 0xa3, 0, 0, 0, 1, 0, 4 },
		{ 0x00, 5, 7 },
		{ 0x00, 3, 1 },
		{ 0x21, 0xff },
		{ 0xa1, 0xfe, 0, 0, 0, 0, 1 },
		{ 0x80, 6, 1, 3, 0, 0, 255 },
	};
	uint8_t data[512] = { 0 };
	unsigned endpoint = random >> 8 & 3, length = random >> 16 & 511;
	unsigned token = random & 1 ? USB_TOKEN_IN : USB_TOKEN_OUT;
	int moved;

	if (!(random & 6)) {
		memcpy(data, requests[(random >> 3) % ARRAY_SIZE(requests)],
		       USB_SETUP_SIZE);
		token = USB_TOKEN_SETUP;
		endpoint = 0;
		length = USB_SETUP_SIZE;
	} else {
		memset(data, (int)(random >> 24), sizeof(data));
	}
	moved = usb_transact(dev, token, endpoint, data, length);
	rig_note(rig, (uint64_t)moved);
	for (int i = 0; i < moved && token == USB_TOKEN_IN; i++)
		rig_note(rig, data[i]);
}

static struct device *hid_build(struct rig *rig, enum usb_hid_kind kind)
{
	struct usb_hid *hid = rig->model;

	usb_hid_init(hid, kind, &rig->b.clock);
	hid->usb.ready = note_ready;
	hid->usb.ready_ctx = rig;
	return &hid->usb.device;
}

static struct device *keyboard_build(struct rig *rig)
{
	return hid_build(rig, USB_HID_KEYBOARD);
}

static struct device *mouse_build(struct rig *rig)
{
	return hid_build(rig, USB_HID_MOUSE);
}

static struct device *tablet_build(struct rig *rig)
{
	return hid_build(rig, USB_HID_TABLET);
}

static void hid_input(struct rig *rig)
{
	struct usb_hid *hid = rig->model;
	uint32_t random = rig_random(rig);
	int x = (int)(random >> 8 & 0xffff) - 0x8000;

	if (random & 1)
		transact(rig, &hid->usb, random >> 1);
	else if (hid->kind == USB_HID_KEYBOARD)
		(void)usb_hid_key(hid, random >> 8 & 127, random & 2);
	else if (hid->kind == USB_HID_MOUSE)
		usb_hid_move(hid, x, x / 2, x / 999, random & 2);
	else
		usb_hid_place(hid, x, x / 2, x / 999, random & 2);
}

struct hub_model {
	struct usb_hub hub;
	struct usb_hid hid;
};

static struct device *hub_build(struct rig *rig)
{
	struct hub_model *model = rig->model;

	usb_hub_init(&model->hub);
	model->hub.usb.ready = note_ready;
	model->hub.usb.ready_ctx = rig;
	usb_hid_init(&model->hid, USB_HID_MOUSE, &rig->b.clock);
	usb_hub_plug(&model->hub, 0, &model->hid.usb);
	return &model->hub.usb.device;
}

static void hub_input(struct rig *rig)
{
	struct hub_model *model = rig->model;
	uint32_t random = rig_random(rig);
	struct usb_device *found;

	transact(rig, &model->hub.usb, random >> 2);
	found = usb_find(&model->hub.usb, random & 7);
	rig_note(rig, !!found);
	if (found && !(random & 3))
		transact(rig, found, rig_random(rig));
	if (random & BIT(20))
		usb_hid_move(&model->hid, 1, 1, 0, 0);
}

static void hub_copy(struct rig *to, const struct rig *from)
{
	struct hub_model *a = to->model;
	const struct hub_model *b = from->model;

	a->hid.state = b->hid.state;
	a->hid.usb.speed = b->hid.usb.speed;
	if (a->hid.state.idle_ns != CLOCK_NEVER)
		clock_timer_arm(&to->b.clock, &a->hid.timer,
				a->hid.state.idle_ns);
}

/* A disk of the rig's memory, whose requests end at once or later. */
struct storage_model {
	struct usb_storage disk;
	struct block_backend backend;
	struct block_request *request;
	bool is_late;
};

static int sectors_move(struct rig *rig, const struct block_request *request)
{
	uint8_t *at = (uint8_t *)rig->memory + request->sector * BLOCK_SECTOR;

	rig_note(rig, request->op);
	rig_note(rig, request->sector);
	if (request->op == BLOCK_FLUSH)
		return 0;
	assert_true(request->sector * BLOCK_SECTOR +
			    request->segment[0].length <=
		    DISK);
	if (request->op == BLOCK_READ)
		memcpy(request->segment[0].host, at,
		       request->segment[0].length);
	else
		memcpy(at, request->segment[0].host,
		       request->segment[0].length);
	return request->sector == 13 ? -EIO : 0;
}

static void storage_submit(void *ctx, struct block_request *request)
{
	struct rig *rig = ctx;
	struct storage_model *model = rig->model;

	assert_null(model->request);
	if (model->is_late)
		model->request = request;
	else
		request->done(request->dev, request,
			      sectors_move(rig, request));
}

static void storage_drain(struct rig *rig)
{
	struct storage_model *model = rig->model;
	struct block_request *request = model->request;

	model->is_late = false;
	model->request = NULL;
	if (request)
		request->done(request->dev, request,
			      sectors_move(rig, request));
}

static struct device *storage_build(struct rig *rig)
{
	struct storage_model *model = rig->model;

	model->backend = (struct block_backend){
		.submit = storage_submit,
		.ctx = rig,
		.sector_count = DISK / BLOCK_SECTOR,
	};
	usb_storage_init(&model->disk, &model->backend, &rig->b.clock, 1);
	model->disk.usb.ready = note_ready;
	model->disk.usb.ready_ctx = rig;
	return &model->disk.usb.device;
}

static void storage_command(struct rig *rig, uint32_t random)
{
	static const uint8_t commands[] = {
		0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x23, 0x25,
		0x28, 0x28, 0x2a, 0x2a, 0x2f, 0x35, 0x5a, 0x88, 0x9e, 0xa0,
	};
	struct storage_model *model = rig->model;
	uint8_t cbw[31] = { 'U', 'S', 'B', 'C', (uint8_t)random };

	cbw[9] = (uint8_t)(random >> 8 & 7) * 2;
	cbw[12] = random & BIT(12) ? 0x80 : 0;
	cbw[14] = 10;
	cbw[15] = commands[(random >> 13) % ARRAY_SIZE(commands)];
	cbw[20] = (uint8_t)(random >> 20 & 31);
	cbw[23] = (uint8_t)(random >> 25 & 7);
	rig_note(rig, (uint64_t)usb_transact(&model->disk.usb, USB_TOKEN_OUT, 2,
					     cbw, sizeof(cbw)));
}

static void storage_input(struct rig *rig)
{
	struct storage_model *model = rig->model;
	uint32_t random = rig_random(rig);
	uint8_t data[512];
	int moved;

	switch (random % 8) {
	case 0:
		transact(rig, &model->disk.usb, random >> 3);
		break;
	case 1:
		storage_drain(rig);
		model->is_late = random & 8;
		break;
	case 2:
	case 3:
		storage_command(rig, rig_random(rig));
		break;
	case 4:
		memset(data, (int)random, sizeof(data));
		rig_note(rig,
			 (uint64_t)usb_transact(&model->disk.usb, USB_TOKEN_OUT,
						2, data, sizeof(data)));
		break;
	default:
		moved = usb_transact(&model->disk.usb, USB_TOKEN_IN, 1, data,
				     sizeof(data));
		rig_note(rig, (uint64_t)moved);
		for (int i = 0; i < moved; i++)
			rig_note(rig, data[i]);
	}
}

static void storage_copy(struct rig *to, const struct rig *from)
{
	((struct storage_model *)to->model)->is_late =
		((const struct storage_model *)from->model)->is_late;
}

/* Nothing is on the buses: all comes by input. */
static const struct subject_region nowhere[] = {
	{ .base = 0x3000, .length = 4, .size = 1 },
};

/* ---- All ---------------------------------------------------------------- */

#define DEVICE_SUBJECT(subject_name, model, ...)                         \
	{                                                                \
		.name = (subject_name), .size = sizeof(model),           \
		.regions = nowhere, .region_count = ARRAY_SIZE(nowhere), \
		.step_shift = 4, __VA_ARGS__                             \
	}

static const struct subject subjects[] = {
	{ .name = "uhci",
	  .size = sizeof(struct uhci_model),
	  .memory_size = MEMORY,
	  .build = uhci_build,
	  .regions = uhci_regions,
	  .region_count = ARRAY_SIZE(uhci_regions),
	  .step_shift = 8,
	  .input = uhci_input,
	  .copy = base_copy },
	{ .name = "xhci",
	  .size = sizeof(struct xhci_model),
	  .memory_size = MEMORY,
	  .build = xhci_build,
	  .regions = xhci_regions,
	  .region_count = ARRAY_SIZE(xhci_regions),
	  .step_shift = 12,
	  .input = xhci_input,
	  .copy = base_copy },
	DEVICE_SUBJECT("usb_keyboard", struct usb_hid, .build = keyboard_build,
		       .input = hid_input),
	DEVICE_SUBJECT("usb_mouse", struct usb_hid, .build = mouse_build,
		       .input = hid_input),
	DEVICE_SUBJECT("usb_tablet", struct usb_hid, .build = tablet_build,
		       .input = hid_input),
	DEVICE_SUBJECT("usb_hub", struct hub_model, .build = hub_build,
		       .input = hub_input, .copy = hub_copy),
	DEVICE_SUBJECT("usb_storage", struct storage_model, .memory_size = DISK,
		       .build = storage_build, .input = storage_input,
		       .drain = storage_drain, .copy = storage_copy),
};

static void uhci_line(void *saved)
{
	((struct uhci_state *)saved)->pci.intx_level ^= true;
}

static void uhci_unplugged(void *saved)
{
	((struct uhci_state *)saved)->port[1] |= UHCI_PORT_CONNECTED;
}

static void uhci_to_come(void *saved)
{
	((struct uhci_state *)saved)->frame_ns = CLOCK_NEVER;
}

static void uhci_standing(void *saved)
{
	((struct uhci_state *)saved)->command |= UHCI_RUN;
}

static void xhci_line(void *saved)
{
	((struct xhci_state *)saved)->pci.intx_level ^= true;
}

static void xhci_no_slot(void *saved)
{
	((struct xhci_state *)saved)->slot[7].endpoint[1].state =
		XHCI_EP_RUNNING;
}

static void xhci_far(void *saved)
{
	((struct xhci_state *)saved)->event_left = 1;
	((struct xhci_state *)saved)->segment = 1;
}

static void storage_more(void *saved)
{
	((struct usb_storage_state *)saved)->disk.left = 512;
}

static void storage_offset(void *saved)
{
	((struct usb_storage_state *)saved)->disk.offset = 1;
}

/* What is left in the buffer the medium would never get. */
static void storage_stuck(void *saved)
{
	struct usb_storage_state *state = saved;

	state->disk.is_out = state->disk.is_media = true;
	state->disk.length = BLOCK_SECTOR;
}

static void keyboard_setup(void *saved)
{
	((struct usb_hid_state *)saved)->usb.offset = 1;
}

static void hub_unplugged(void *saved)
{
	((struct usb_hub_state *)saved)->status[3] = 1;
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "uhci", uhci_line },
		{ "uhci", uhci_unplugged },
		{ "uhci", uhci_to_come },
		{ "uhci", uhci_standing },
		{ "xhci", xhci_line },
		{ "xhci", xhci_no_slot },
		{ "xhci", xhci_far },
		{ "usb_storage", storage_more },
		{ "usb_storage", storage_offset },
		{ "usb_storage", storage_stuck },
		{ "usb_keyboard", keyboard_setup },
		{ "usb_hub", hub_unplugged },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_usb", subjects, ARRAY_SIZE(subjects), own,
			    ARRAY_SIZE(own));
}
