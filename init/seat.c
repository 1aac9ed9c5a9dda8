/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seat as init sees it: a service (init/service.c), whom the consoles belong
 * to, and what is said by the channel between the two; see include/seat.h, and
 * init.h for the states.
 *
 * init keeps for each console what seat has yet to be told, and says it when
 * there is room.  Channels of consoles stay when seat ends, and guests do not
 * notice.
 *
 * What seat was not asked for, and no answer for a long while, have the same
 * end as a crash.
 */
#include "include/seat.h"
#include "include/errno.h"
#include "init/init.h"
#include "lib/printf.h"
#include "lib/string.h"

#define QUOTA_PAGES	   912
#define QUOTA_CONSOLE	   1 /* tables for its channel */
#define QUOTA_SOCKET	   4 /* and for a guest's sockets */
#define UART_PORT	   0x3f8
#define UART_PORTS	   8
#define UART_IRQ	   4
#define REMOTE_PORT	   0x2f8 /* the control protocol's */
#define REMOTE_IRQ	   3
#define PS2_DATA	   0x60
#define PS2_STATUS	   0x64
#define KEYBOARD_IRQ	   1
#define MOUSE_IRQ	   12
#define VGA_PORT	   0x3ce /* drivers/vga_text.h's */
#define VGA_PORTS	   8
#define VIRTIO_CONSOLE_OLD 0x1003 /* transitional, or legacy alone */
#define VIRTIO_CONSOLE	   0x1043
#define CONSOLE_DMA_PAGES  64 /* VIRTIO_CONSOLE_DMA, a power of two */
#define BOCHS_VENDOR	   0x1234
#define BOCHS_DISPLAY	   0x1111
#define END_PROGRAM	   0 /* of a channel: init's, or the console's owner's */
#define END_SEAT	   1
#define ANSWER_NS	   (10 * NSEC_PER_SEC)
#define INPUT_MAX	   64
#define PRINT_MAX	   128
#define CONSOLES	   MANIFEST_GUESTS_MAX
_Static_assert(CONSOLES < SEAT_SOCKET_SLOT, "a slot of seat's for each");

static unsigned slot_of(unsigned console)
{
	return console + SEAT_CONTROL_SLOT + 1;
}

static void distrust(struct init *init, const char *why)
{
	service_distrust(init, &init->seat.service, why);
}

/* ---- Consoles ------------------------------------------------------------ */

static void console_drop(struct init *init, struct console *console)
{
	(void)init->gate->channel_close(init->gate->ctx, console->channel);
	*console = (struct console){ 0 };
}

/* Of a guest that has ended: one seat more may show what is left of it. */
static void console_keep(struct init *init, struct console *console)
{
	const struct seat *seat = &init->seat;
	bool is_soon =
		init->state == HOST_RUNNING &&
		seat->service.back_off.at_ns < init_now_ns(init) + ANSWER_NS;

	if (console->is_last_try || !is_soon) {
		console_drop(init, console);
		return;
	}
	console->is_last_try = true;
	console->state = CONSOLE_LEAVING;
}

static int console_attach(struct init *init, unsigned index)
{
	struct seat *seat = &init->seat;

	return (int)init->gate->channel_attach(
		init->gate->ctx, seat->console[index].channel, END_SEAT,
		seat->service.id, slot_of(index));
}

int console_open(struct init *init, unsigned guest, gate_id id,
		 const char *name, uint32_t devices)
{
	struct seat *seat = &init->seat;
	struct console *console = &seat->console[guest];
	long channel, error;

	if (seat->service.state == SERVICE_NONE)
		return 0;
	channel =
		init->gate->channel_create(init->gate->ctx, SEAT_CONSOLE_PAGES);
	if (channel <= 0)
		return (int)channel;
	*console = (struct console){
		.state = CONSOLE_ADDING,
		.channel = (gate_id)channel,
		.name = name,
		.has_serial1 = devices & MACHINE_DEVICE_SERIAL1,
		.has_printer = devices & MACHINE_DEVICE_PARALLEL0
	};
	error = init->gate->channel_attach(init->gate->ctx, console->channel,
					   END_PROGRAM, id, SEAT_CONSOLE_SLOT);
	if (!error && seat->service.state == SERVICE_RUNNING)
		error = console_attach(init, guest);
	/* seat has kept the slot, or has ended.  The next one gets it. */
	if (error == -EBUSY || error == -ENOENT) {
		distrust(init, "a console's slot is not free");
		error = 0;
	}
	if (error)
		console_drop(init, console);
	return (int)error;
}

bool console_close(struct init *init, unsigned guest)
{
	struct console *console = &init->seat.console[guest];

	if (console->state >= CONSOLE_LEAVING || console->state == CONSOLE_NONE)
		return console->state == CONSOLE_NONE;
	if (!service_has_domain(&init->seat.service)) {
		console_keep(init, console);
		return console->state == CONSOLE_NONE;
	}
	console->state = console->state == CONSOLE_OPEN ? CONSOLE_REMOVING
							: CONSOLE_LEAVING;
	console->deadline_ns = init_now_ns(init) + ANSWER_NS;
	return false;
}

bool console_button(struct init *init, unsigned guest)
{
	struct console *console = &init->seat.console[guest];

	if (console->state != CONSOLE_OPEN && console->state != CONSOLE_ADDING)
		return false;
	console->is_button_due = true;
	return true;
}

static void consoles_check(struct init *init)
{
	for (unsigned i = 0; i < CONSOLES; i++) {
		const struct console *console = &init->seat.console[i];

		if (console->state >= CONSOLE_LEAVING &&
		    init_now_ns(init) >= console->deadline_ns)
			distrust(init, "it does not answer");
	}
}

/* ---- Said ---------------------------------------------------------------- */

bool seat_say(struct init *init, const struct seat_message *message, bool *bell)
{
	return service_say(init, &init->seat.service, message, bell);
}

static bool say(struct init *init, enum seat_message_kind kind, unsigned slot,
		const char *name, bool *bell)
{
	struct seat *seat = &init->seat;
	struct seat_message message = { .kind = kind, .slot = slot };

	message.tag = seat->flush_tag;
	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	return seat_say(init, &message, bell);
}

static bool add_say(struct init *init, unsigned slot,
		    const struct console *console, bool *bell)
{
	struct seat_message message = { .kind = SEAT_ADD,
					.slot = slot,
					.tag = init->seat.flush_tag,
					.has_serial1 = console->has_serial1,
					.has_printer = console->has_printer };

	(void)snprintf(message.name, sizeof(message.name), "%s", console->name);
	return seat_say(init, &message, bell);
}

static bool console_say(struct init *init, unsigned index, bool *bell)
{
	struct console *console = &init->seat.console[index];
	unsigned slot = slot_of(index);

	if (console->state == CONSOLE_ADDING ||
	    console->state == CONSOLE_LEAVING) {
		if (!add_say(init, slot, console, bell))
			return false;
		console->state = console->state == CONSOLE_ADDING
					 ? CONSOLE_OPEN
					 : CONSOLE_REMOVING;
	}
	if (console->state == CONSOLE_OPEN && console->is_button_due) {
		if (!say(init, SEAT_BUTTON, slot, "", bell))
			return false;
		console->is_button_due = false;
	}
	if (console->state == CONSOLE_REMOVING) {
		if (!say(init, SEAT_REMOVE, slot, "", bell))
			return false;
		console->state = CONSOLE_REMOVED;
	}
	return true;
}

/* Those of the n-th guest with sockets to the host. */
static void control_rights(const struct init *init, unsigned n,
			   struct seat_message *message)
{
	const struct guest_manifest *guest = vsocks_control(init, n);

	message->slot = SEAT_SOCKET_SLOT + n;
	message->rights = guest->vsock.control;
	(void)snprintf(message->name, sizeof(message->name), "%s", guest->name);
}

/* Of those outside, then of guests. */
static bool rights_say(struct init *init, bool *bell)
{
	struct seat *seat = &init->seat;
	unsigned count = 1 + vsocks_control_count(init);

	for (; seat->rights_said < count; seat->rights_said++) {
		struct seat_message message = {
			.kind = SEAT_RIGHTS,
			.rights = init->manifest->control_rights,
		};

		if (seat->rights_said)
			control_rights(init, seat->rights_said - 1, &message);
		if (!seat_say(init, &message, bell))
			return false;
	}
	return true;
}

void seat_send(struct init *init)
{
	struct seat *seat = &init->seat;
	bool bell = false, has_room;

	if (seat->service.state != SERVICE_RUNNING)
		return;
	has_room = rights_say(init, &bell);
	for (unsigned i = 0; has_room && i < CONSOLES; i++)
		has_room = console_say(init, i, &bell);
	if (has_room && seat->flush == FLUSH_WANTED &&
	    say(init, SEAT_FLUSH, 0, "", &bell))
		seat->flush = FLUSH_SENT;
	if (has_room)
		asks_send(init, &bell);
	if (bell)
		service_ring(init, &init->seat.service);
}

bool seat_flush(struct init *init)
{
	struct seat *seat = &init->seat;

	if (!service_has_domain(&seat->service) || seat->flush == FLUSH_DONE)
		return true;
	if (seat->flush == FLUSH_NONE) {
		seat->flush = FLUSH_WANTED;
		seat->flush_tag++;
	}
	return false;
}

void operator_print(struct init *init, const char *format, ...)
{
	struct seat *seat = &init->seat;
	char text[PRINT_MAX];
	bool bell = false;
	va_list args;
	int length;

	if (seat->service.state != SERVICE_RUNNING)
		return;
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = MIN(length, (int)sizeof(text) - 1);
	if (ring_space(&seat->output) >= length &&
	    ring_write(&seat->output, text, (uint32_t)length, &bell) < 0)
		distrust(init, "its ring is broken");
	if (bell)
		service_ring(init, &init->seat.service);
}

/* ---- Heard --------------------------------------------------------------- */

static void ask_heard(struct init *init, const struct seat_message *message)
{
	const char *why = asks_heard(init, message);

	if (why)
		distrust(init, why);
}

static void heard(struct init *init, const void *record)
{
	const struct seat_message *message = record;
	struct seat *seat = &init->seat;
	unsigned index = message->slot - slot_of(0);

	if (message->kind == SEAT_REMOVED && index < CONSOLES &&
	    seat->console[index].state == CONSOLE_REMOVED)
		console_drop(init, &seat->console[index]);
	else if (message->kind == SEAT_FLUSHED && seat->flush == FLUSH_SENT &&
		 message->tag == seat->flush_tag)
		seat->flush = FLUSH_DONE;
	else if (message->kind == SEAT_ASK)
		ask_heard(init, message);
	else
		distrust(init, "it answers what was not asked");
}

/* A piece at a time: who types without end waits for init's other work. */
static void hear_operator(struct init *init, bool *bell)
{
	struct seat *seat = &init->seat;
	char bytes[INPUT_MAX];
	long n = ring_read(&seat->input, bytes, sizeof(bytes), bell);

	if (n < 0) {
		distrust(init, "its ring is broken");
		return;
	}
	operator_input(init, bytes, (size_t)n);
	if (n || !ring_sleep(&seat->input))
		seat->service.is_again = true;
}

/* ---- Its life ------------------------------------------------------------ */

static void rings_init(struct seat *seat, struct seat_control *memory)
{
	struct seat_console *operator= & memory->operator;

	ring_init(&seat->service.to, &memory->to_seat, memory->to_seat_data,
		  SEAT_CONTROL_SIZE, true, false);
	ring_init(&seat->service.from, &memory->from_seat,
		  memory->from_seat_data, SEAT_CONTROL_SIZE, false, false);
	ring_init(&seat->output, &operator->output, operator->output_data,
		  SEAT_OUTPUT_SIZE, true, false);
	ring_init(&seat->input, &operator->input, operator->input_data,
		  SEAT_INPUT_SIZE, false, false);
}

static uint64_t quota(const struct init *init)
{
	return QUOTA_PAGES + init->manifest->guest_count * QUOTA_CONSOLE +
	       vsocks_control_count(init) * (SEAT_SOCKET_PAGES + QUOTA_SOCKET);
}

static void seat_spec(struct init *init, struct gate_domain_spec *spec)
{
	spec->rights = GATE_RIGHT_LOG;
	spec->quota_pages = quota(init);
	spec->port[0].first = UART_PORT;
	spec->port[0].count = UART_PORTS;
	spec->irq[0] = UART_IRQ;
	spec->port[1].first = REMOTE_PORT;
	spec->port[1].count = UART_PORTS;
	spec->irq[1] = REMOTE_IRQ;
	if (init->seat.screen.is_vga) {
		spec->port[4].first = VGA_PORT;
		spec->port[4].count = VGA_PORTS;
	}
	/*
	 * Keyboard and mouse: of the 8042 its two ports and no others, and only
	 * where there is a screen to use them at.  By them a seat that has gone
	 * wrong could reset the host.
	 */
	if (!init->seat.device[SEAT_DEVICE_DISPLAY].is_there &&
	    init->seat.screen.kind == SEAT_SCREEN_NONE)
		return;
	spec->port[2].first = PS2_DATA;
	spec->port[2].count = 1;
	spec->port[3].first = PS2_STATUS;
	spec->port[3].count = 1;
	spec->irq[2] = KEYBOARD_IRQ;
	spec->irq[3] = MOUSE_IRQ;
}

static bool is_console(const struct gate_pci_info *pci)
{
	return pci->vendor == PCI_VIRTIO_VENDOR &&
	       (pci->vector_count || pci->irq_line) &&
	       (pci->device == VIRTIO_CONSOLE ||
		pci->device == VIRTIO_CONSOLE_OLD);
}

static bool is_display(const struct gate_pci_info *pci)
{
	return pci->vendor == BOCHS_VENDOR && pci->device == BOCHS_DISPLAY;
}

static void device_take(struct seat_device *device, bool is_it,
			uint16_t address)
{
	if (!is_it || device->is_there)
		return;
	device->is_there = true;
	device->address = address;
}

/* The first of each kind that the host has. */
static void devices_find(struct init *init)
{
	struct seat_device *device = init->seat.device;
	struct gate_pci_info pci = { 0 };

	for (unsigned i = 0; i < PCI_FUNCTIONS_MAX; i++) {
		if (init->gate->pci_info(init->gate->ctx, i, &pci))
			return;
		device_take(&device[SEAT_DEVICE_CONSOLE], is_console(&pci),
			    pci.address);
		device_take(&device[SEAT_DEVICE_DISPLAY], is_display(&pci),
			    pci.address);
	}
}

/* Without them there are the serial ports. */
static void device_grant(struct init *init, unsigned n)
{
	static const uint32_t dma_pages[SEAT_DEVICES] = {
		[SEAT_DEVICE_CONSOLE] = CONSOLE_DMA_PAGES,
		[SEAT_DEVICE_DISPLAY] = 1, /* of no use, but none is not had */
	};
	const struct seat *seat = &init->seat;
	const struct gate_device_grant grant = {
		.address = seat->device[n].address,
		.n = (uint16_t)n,
		.dma_pages = dma_pages[n],
	};
	char address[DEVICE_ADDRESS_SIZE];
	long error;

	if (!seat->device[n].is_there)
		return;
	error = init->gate->device_grant(init->gate->ctx, seat->service.id,
					 &grant);
	if (!error)
		return;
	(void)device_address_text(address, sizeof(address), grant.address);
	init_log(init, 0, LOG_ERROR, "seat: device %s cannot be had: %ld",
		 address, error);
}

static int screen_grant(struct init *init)
{
	const struct gate_screen *told = &init->info->screen;
	const struct gate_domain_map map = {
		.va = screen_map_va(told),
		.size = told->size,
		.kind = GATE_MEMORY_SCREEN,
		.prot = GATE_PROT_READ | GATE_PROT_WRITE,
	};
	struct seat_screen screen = init->seat.screen;
	gate_id id = init->seat.service.id;
	long error = 0;

	if (screen.kind != SEAT_SCREEN_NONE)
		error = init->gate->map(init->gate->ctx, id, &map);
	if (error) { /* without it there is all the rest */
		init_log(init, 0, LOG_ERROR,
			 "seat: the boot loader's screen cannot be had: %ld",
			 error);
		screen.kind = SEAT_SCREEN_NONE;
	}
	return domain_write_argument(init, id, &screen, sizeof(screen));
}

static int seat_fill(struct init *init, void *memory)
{
	struct seat *seat = &init->seat;
	int error = screen_grant(init);

	for (unsigned n = 0; n < SEAT_DEVICES; n++)
		device_grant(init, n);
	rings_init(seat, memory);
	seat->rights_said = 0;
	if (!error)
		error = vsocks_seat_open(init, seat->service.id);
	for (unsigned i = 0; !error && i < CONSOLES; i++) {
		seat->console[i].deadline_ns = init_now_ns(init) + ANSWER_NS;
		if (seat->console[i].state != CONSOLE_NONE)
			error = console_attach(init, i);
	}
	return error;
}

/* The next one has to know them all; whose asks they were nobody knows. */
static void consoles_pass_on(struct init *init)
{
	init->seat.ask_count = 0;
	nets_seat_gone(init);
	for (unsigned i = 0; i < CONSOLES; i++) {
		struct console *console = &init->seat.console[i];

		if (console->state >= CONSOLE_LEAVING)
			console_keep(init, console);
		else if (console->state == CONSOLE_OPEN)
			console->state = CONSOLE_ADDING;
	}
}

static void seat_check(struct init *init, bool *bell)
{
	hear_operator(init, bell);
	asks_run(init);
	consoles_check(init);
}

static const struct service_kind seat_kind = {
	.name = "seat",
	.program = SEAT_PROGRAM,
	.slot = 0,
	.peer_slot = SEAT_CONTROL_SLOT,
	.control_pages = SEAT_CONTROL_PAGES,
	.message_size = sizeof(struct seat_message),
	.spec = seat_spec,
	.fill = seat_fill,
	.heard = heard,
	.check = seat_check,
	.gone = consoles_pass_on,
};

void seat_init(struct init *init)
{
	struct service *service = &init->seat.service;

	devices_find(init);
	if (init_module_find(init->info, seat_kind.program) >= 0)
		screen_find(init);
	service_init(init, service, &seat_kind);
	if (service->state != SERVICE_NONE)
		service->promised = quota(init) + SEAT_CONTROL_PAGES + 1;
}

uint64_t seat_deadline(const struct init *init)
{
	const struct seat *seat = &init->seat;
	uint64_t next_ns = service_deadline(init, &seat->service);

	if (seat->service.state != SERVICE_RUNNING)
		return next_ns;
	for (unsigned i = 0; i < CONSOLES; i++)
		if (seat->console[i].state >= CONSOLE_LEAVING)
			next_ns = MIN(next_ns, seat->console[i].deadline_ns);
	return next_ns;
}
