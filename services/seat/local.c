/* SPDX-License-Identifier: BSD-2-Clause */
/* See local.h. */
#include "services/seat/local.h"

#include "drivers/bochs_display.h"
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

static void display_begin(struct local *local, struct framebuffer *fb)
{
	const struct gate_device *device = &gate_config()->device[DEVICE];

	*fb = (struct framebuffer){ 0 };
	if (!device->is_there)
		return;
	local->function.n = DEVICE;
	local->pci = (struct pci_access){ &pci_ops, &local->function, 0 };
	if (bochs_display_start(fb, &local->pci, WIDTH, HEIGHT))
		gate_log(GATE_LOG_WARNING,
			 "the display adapter is not used: it has no mode of "
			 "%ux%u",
			 WIDTH, HEIGHT);
}

void local_init(struct local *local, const struct port_ops *ports,
		struct mux *mux, struct faces *faces, struct asks *asks)
{
	struct framebuffer fb;

	display_begin(local, &fb);
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
