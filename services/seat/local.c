/* SPDX-License-Identifier: BSD-2-Clause */
/* See local.h. */
#include "services/seat/local.h"

#include "drivers/bochs_display.h"
#include "drivers/vga_text.h"
#include "include/errno.h"
#include "include/seat.h"
#include "lib/user/gate_calls.h"

#define DEVICE	       SEAT_DEVICE_DISPLAY
#define KEYBOARD_IRQ   2 /* of spec.irq */
#define MOUSE_IRQ      3
#define WIDTH	       1024
#define HEIGHT	       768
#define READS_MAX      16 /* at a time */
#define POLL_PERIOD_NS (10 * NSEC_PER_MS)

static void relax(void *ctx)
{
	(void)ctx; /* nothing of it is waited for */
}

static const struct pci_ops pci_ops = { PCI_GATE_OPS, .relax = relax };

/* -ENODEV: there is none; -EIO: it is in no mode that anybody knows. */
static int display_begin(struct local *local, struct framebuffer *fb)
{
	const struct gate_device *device = &gate_config()->device[DEVICE];
	int error;

	if (!device->is_there)
		return -ENODEV;
	local->function.n = DEVICE;
	local->pci = (struct pci_access){ &pci_ops, &local->function, 0 };
	error = bochs_display_start(fb, &local->pci, WIDTH, HEIGHT);
	if (error)
		gate_log(GATE_LOG_WARNING,
			 "the display adapter is not used: it has no mode of "
			 "%ux%u",
			 WIDTH, HEIGHT);
	return error;
}

static bool is_bgrx(const struct seat_screen *screen)
{
	static const uint8_t at[] = { 16, 8, 0 };
	bool is_it = screen->pixel_bytes == 4;

	for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
		is_it = is_it && screen->channel[i].at == at[i] &&
			screen->channel[i].bits == 8;
	return is_it;
}

/* As the boot loader has left it. */
static void screen_begin(const struct port_ops *ports, struct framebuffer *fb)
{
	const struct seat_screen *screen = gate_argument();

	if (screen->kind == SEAT_SCREEN_NONE)
		return;
	if (screen->is_vga && vga_text_start(ports, NULL)) {
		gate_log(GATE_LOG_WARNING,
			 "the boot loader's screen is not used: its VGA is in "
			 "no text mode");
		return;
	}
	*fb = (struct framebuffer){
		.pixels = (uint8_t *)screen->va,
		.width = screen->width,
		.height = screen->height,
		.stride = screen->stride,
		.kind = FRAMEBUFFER_TEXT,
	};
	if (screen->kind == SEAT_SCREEN_TEXT)
		return;
	fb->kind = is_bgrx(screen) ? FRAMEBUFFER_BGRX : FRAMEBUFFER_PACKED;
	fb->pixel_bytes = screen->pixel_bytes;
	for (unsigned i = 0; i < FRAMEBUFFER_RGB; i++) {
		fb->channel[i].at = screen->channel[i].at;
		fb->channel[i].bits = screen->channel[i].bits;
	}
}

void local_init(struct local *local, const struct port_ops *ports,
		struct mux *mux, struct faces *faces, struct asks *asks)
{
	struct framebuffer fb = { 0 };
	int error = display_begin(local, &fb);

	if (error && error != -EIO)
		screen_begin(ports, &fb);
	desk_init(&local->desk, mux, faces, asks, &fb);
	/* Keys without a screen would go to nobody. */
	if (!fb.pixels || ps2_init(&local->ps2, ports, NULL))
		return;
	local->is_polling = gate_irq_ack(KEYBOARD_IRQ) < 0;
	local->is_polling |= gate_irq_ack(MOUSE_IRQ) < 0;
}

/*
 * Interrupts come by edges, which are lost while masked: unmask first, then
 * read until nothing is there.
 */
static void input(struct local *local, uint64_t events, uint64_t now_ns)
{
	struct input_event event[PS2_EVENTS];
	unsigned n = 1;

	for (unsigned irq = KEYBOARD_IRQ; irq <= MOUSE_IRQ; irq++)
		if (events & BIT(GATE_EVENT_IRQ_BIT(irq)))
			gate_irq_ack(irq);
	for (unsigned i = 0; n && i < READS_MAX; i++) {
		n = ps2_read(&local->ps2, event);
		desk_input(&local->desk, event, n, now_ns);
	}
}

void local_run(struct local *local, uint64_t events, uint64_t now_ns)
{
	const uint64_t irqs = BIT(GATE_EVENT_IRQ_BIT(KEYBOARD_IRQ)) |
			      BIT(GATE_EVENT_IRQ_BIT(MOUSE_IRQ));

	if (!local->desk.fb.pixels)
		return;
	if (local->is_polling || events & irqs)
		input(local, events, now_ns);
	desk_run(&local->desk, now_ns);
}

uint64_t local_deadline(const struct local *local, uint64_t now_ns)
{
	if (!local->desk.fb.pixels)
		return UINT64_MAX;
	if (local->is_polling)
		return now_ns + POLL_PERIOD_NS;
	return desk_deadline(&local->desk);
}
