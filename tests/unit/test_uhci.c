/* SPDX-License-Identifier: BSD-2-Clause */
/* UHCI: registers, ports, the schedule. */
#include "tests/unit/usb_test.h"

#include "devices/uhci_internal.h"

#define DEVFN  PCI_DEVFN(1, 2)
#define BAR    0xc000
#define LINE   3
#define LIST   0x1000
#define QUEUE  0x3000
#define TDS    0x4000
#define BUFFER 0x5000
#define FRAME  NSEC_PER_MS

static struct {
	struct bench b;
	struct pci_bus pci;
	struct guest_ram ram;
	struct uhci uhci;
	struct usb_hid hid;
	uint8_t memory[KIB(64)];
} t;

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)ctx;
	assert_int_equal(devfn, DEVFN);
	assert_int_equal(pin, 3); /* INTD# */
	bench_line(&t.b, LINE, level);
}

static bool line(void)
{
	return t.b.level & BIT(LINE);
}

static uint32_t get(unsigned offset)
{
	return (uint32_t)bus_in(&t.b.ports, BAR + offset, 2);
}

static void put(unsigned offset, uint32_t value)
{
	bus_out(&t.b.ports, BAR + offset, value, 2);
}

static uint32_t *word(uint32_t at)
{
	return (uint32_t *)(void *)(t.memory + at);
}

static int setup(void **state)
{
	struct uhci_config config = {
		.pci = &t.pci,
		.devfn = DEVFN,
		.ram = &t.ram,
		.clock = &t.b.clock,
		.port = { NULL, &t.hid.usb },
	};

	(void)state;
	memset(&t, 0, sizeof(t));
	bench_init(&t.b);
	t.b.now_ns = NSEC_PER_SEC;
	t.ram = (struct guest_ram){ 1, { { 0, sizeof(t.memory), t.memory } } };
	assert_int_equal(pci_bus_init(&t.pci, &t.b.ports, &t.b.memory), 0);
	t.pci.intx_set = intx;
	usb_hid_init(&t.hid, USB_HID_KEYBOARD, &t.b.clock);
	assert_int_equal(uhci_init(&t.uhci, &config), 0);
	pci_config_write(&t.pci, DEVFN, 0x20, 4, BAR);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, 5);
	for (unsigned i = 0; i < 1024; i++)
		*word(LIST + 4 * i) = QUEUE | UHCI_LINK_QUEUE;
	*word(QUEUE) = UHCI_LINK_END;
	*word(QUEUE + 4) = UHCI_LINK_END;
	bus_out(&t.b.ports, BAR + UHCI_FLBASEADD, LIST, 4);
	return 0;
}

static void run(void)
{
	put(UHCI_PORTSC + 2, UHCI_PORT_RESET);
	put(UHCI_PORTSC + 2, UHCI_PORT_ENABLED | UHCI_PORT_CHANGES);
	put(UHCI_USBINTR, 15);
	put(UHCI_USBCMD, UHCI_RUN);
}

/* The n-th descriptor, of three errors; the last one ends the queue. */
static void td(unsigned n, uint32_t pid, uint32_t length, uint32_t flags,
	       bool is_last)
{
	uint32_t at = TDS + 32 * n;

	*word(at) = is_last ? UHCI_LINK_END : (at + 32) | UHCI_LINK_DEPTH;
	*word(at + 4) = (uint32_t)UHCI_TD_ACTIVE | 3U << 27 | flags;
	*word(at + 8) = pid | (length - 1) << 21;
	*word(at + 12) = BUFFER + 64 * n;
}

static uint32_t control_of(unsigned n)
{
	return *word(TDS + 32 * n + 4);
}

static void queue_start(void)
{
	*word(QUEUE + 4) = TDS;
}

static void test_pci(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0, 4), 0x70208086);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 8, 4) >> 8, 0x0c0300);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_INTERRUPT_PIN, 1),
			 4);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, UHCI_LEGSUP, 2),
			 0x2000);
	pci_config_write(&t.pci, DEVFN, UHCI_LEGSUP, 2, 0x8f00);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, UHCI_LEGSUP, 2), 0);
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(get(UHCI_USBSTS), UHCI_HALTED);
	assert_int_equal(bus_in(&t.b.ports, BAR + UHCI_SOFMOD, 1), 0x40);
	bus_out(&t.b.ports, BAR + UHCI_SOFMOD, 0xff, 1);
	assert_int_equal(bus_in(&t.b.ports, BAR + UHCI_SOFMOD, 1), 0x7f);
	put(UHCI_FRNUM, 0xffff);
	assert_int_equal(get(UHCI_FRNUM), 0x7ff);
	assert_int_equal(bus_in(&t.b.ports, BAR + UHCI_FLBASEADD, 4), LIST);
	/* Two ports: bit 7 of the next is 0. */
	assert_int_equal(get(UHCI_PORTSC), UHCI_PORT_ONE);
	assert_int_equal(get(UHCI_PORTSC + 2), 0x93);
	assert_int_equal(get(UHCI_PORTSC + 4), 0);
	put(UHCI_PORTSC + 2, UHCI_PORT_CONNECT);
	assert_int_equal(get(UHCI_PORTSC + 2), 0x91);
	put(UHCI_PORTSC, UHCI_PORT_ENABLED);
	assert_int_equal(get(UHCI_PORTSC), UHCI_PORT_ONE);
	put(UHCI_USBCMD, UHCI_HCRESET);
	assert_int_equal(get(UHCI_USBCMD), 0);
	assert_int_equal(get(UHCI_FRNUM), 0);
	assert_int_equal(get(UHCI_PORTSC + 2), 0x93);
}

/* Time says which frame it is, whether any was looked at or not. */
static void test_frames(void **state)
{
	(void)state;
	run();
	bench_step(&t.b, 1500 * NSEC_PER_US);
	assert_int_equal(get(UHCI_FRNUM), 1);
	bench_step(&t.b, 2047 * FRAME);
	assert_int_equal(get(UHCI_FRNUM), 0);
	put(UHCI_USBCMD, 0);
	assert_int_equal(get(UHCI_USBSTS), UHCI_HALTED);
	bench_step(&t.b, 5 * FRAME);
	assert_int_equal(get(UHCI_FRNUM), 0);
	/* Frames of 12063 bit times. */
	bus_out(&t.b.ports, BAR + UHCI_SOFMOD, 0x7f, 1);
	put(UHCI_USBCMD, UHCI_RUN);
	bench_step(&t.b, 1000 * FRAME);
	assert_int_equal(get(UHCI_FRNUM), 994);
}

/* An idle schedule is looked at seldom, a halted one never. */
static void test_idle(void **state)
{
	uint64_t frames;

	(void)state;
	run();
	bench_step(&t.b, 50 * FRAME);
	assert_int_equal(t.uhci.frames, 50);
	bench_step(&t.b, 100 * FRAME);
	frames = t.uhci.frames;
	bench_step(&t.b, 700 * FRAME);
	assert_int_equal(t.uhci.frames - frames, 100);
	/* A device that has something ends it. */
	frames = t.uhci.frames;
	assert_true(usb_hid_key(&t.hid, 0x1e, true));
	bench_step(&t.b, 50 * FRAME);
	assert_true(t.uhci.frames - frames >= 49);
	put(UHCI_USBCMD, 0);
	frames = t.uhci.frames;
	bench_step(&t.b, NSEC_PER_SEC);
	assert_int_equal(t.uhci.frames, frames);
	assert_null(t.b.clock.first);
}

/* GET_DESCRIPTOR by four descriptors, of which the last interrupts. */
static void test_control(void **state)
{
	static const uint8_t request[] = { 0x80, 6, 0, 1, 0, 0, 18, 0 };

	(void)state;
	run();
	td(0, USB_TOKEN_SETUP, 8, 0, false);
	td(1, USB_TOKEN_IN, 8, UHCI_TD_SHORT, false);
	td(2, USB_TOKEN_IN, 10, UHCI_TD_SHORT, false);
	td(3, USB_TOKEN_OUT, 0, UHCI_TD_IOC, true);
	memcpy(t.memory + BUFFER, request, sizeof(request));
	queue_start();
	bench_step(&t.b, 2 * FRAME);
	assert_int_equal(*word(QUEUE + 4), UHCI_LINK_END);
	assert_int_equal(control_of(0) & 0xff07ff, 7);
	assert_int_equal(control_of(1) & 0xff07ff, 7);
	assert_int_equal(control_of(2) & 0xff07ff, 9);
	assert_int_equal(control_of(3) & 0xff07ff, 0x7ff);
	assert_int_equal(t.memory[BUFFER + 64], 18);
	assert_int_equal(get(UHCI_USBSTS), UHCI_USBINT);
	assert_true(line());
	put(UHCI_USBSTS, UHCI_USBINT);
	assert_false(line());
	assert_int_equal(get(UHCI_USBSTS), 0);
}

static void test_short(void **state)
{
	static const uint8_t request[] = { 0x80, 6, 0, 1, 0, 0, 18, 0 };

	(void)state;
	run();
	td(0, USB_TOKEN_SETUP, 8, 0, false);
	td(1, USB_TOKEN_IN, 64, UHCI_TD_SHORT, false);
	td(2, USB_TOKEN_OUT, 0, 0, true);
	memcpy(t.memory + BUFFER, request, sizeof(request));
	queue_start();
	bench_step(&t.b, 2 * FRAME);
	/* The queue stays at what was short. */
	assert_int_equal(*word(QUEUE + 4) & UHCI_LINK_ADDRESS, TDS + 32);
	assert_int_equal(control_of(1) & 0xff07ff, 17);
	assert_true(control_of(2) & UHCI_TD_ACTIVE);
	assert_int_equal(get(UHCI_USBSTS), UHCI_USBINT);
	put(UHCI_USBINTR, UHCI_ENABLE_IOC);
	assert_false(line());
	put(UHCI_USBINTR, UHCI_ENABLE_SHORT);
	assert_true(line());
}

static void test_errors(void **state)
{
	(void)state;
	run();
	/* Nobody has address 9: three times, then it stops. */
	td(0, USB_TOKEN_IN, 8, 0, true);
	*word(TDS + 8) |= 9U << 8;
	queue_start();
	bench_step(&t.b, FRAME);
	assert_int_equal(control_of(0) & 0x18ff0000, 0x10840000);
	bench_step(&t.b, 2 * FRAME);
	assert_int_equal(control_of(0) & 0x18ff0000, 0x00440000);
	assert_int_equal(get(UHCI_USBSTS), UHCI_ERROR);
	assert_true(line());
	put(UHCI_USBSTS, UHCI_ERROR);
	/* A STALL. */
	td(0, USB_TOKEN_IN, 8, 0, true);
	queue_start();
	bench_step(&t.b, FRAME);
	assert_int_equal(control_of(0) & 0xff0000, 0x400000);
	put(UHCI_USBSTS, UHCI_ERROR);
	/* A NAK leaves it active. */
	usb_configure(&t.hid.usb, 1);
	td(0, USB_TOKEN_IN, 8, 0, true);
	*word(TDS + 8) |= 1U << 15;
	queue_start();
	bench_step(&t.b, 5 * FRAME);
	assert_int_equal(control_of(0) & 0xff0000, 0x880000);
	assert_int_equal(get(UHCI_USBSTS), 0);
	/* No such packet: the controller halts. */
	td(0, 0x11, 8, 0, true);
	bench_step(&t.b, 20 * FRAME);
	assert_int_equal(get(UHCI_USBSTS), UHCI_PROCESS_ERROR | UHCI_HALTED);
	assert_int_equal(get(UHCI_USBCMD), 0);
}

/* An interrupt of one that is not active: how drivers ask for a frame's end. */
static void test_inactive(void **state)
{
	(void)state;
	run();
	td(0, USB_TOKEN_IN, 8, UHCI_TD_IOC, true);
	*word(TDS + 4) &= (uint32_t)~UHCI_TD_ACTIVE;
	queue_start();
	bench_step(&t.b, 2 * FRAME);
	assert_int_equal(get(UHCI_USBSTS), UHCI_USBINT);
	assert_int_equal(*word(QUEUE + 4), TDS);
}

/* Queues in a circle, of two and into itself: a frame ends. */
static void test_loops(void **state)
{
	(void)state;
	run();
	*word(QUEUE) = (QUEUE + 16) | UHCI_LINK_QUEUE;
	*word(QUEUE + 16) = (QUEUE + 32) | UHCI_LINK_QUEUE;
	*word(QUEUE + 20) = UHCI_LINK_END;
	*word(QUEUE + 32) = (QUEUE + 16) | UHCI_LINK_QUEUE;
	*word(QUEUE + 36) = UHCI_LINK_END;
	bench_step(&t.b, 3 * FRAME);
	assert_int_equal(get(UHCI_FRNUM), 3);
	/* Descriptors, too. */
	for (unsigned i = 0; i < 1024; i++)
		*word(LIST + 4 * i) = TDS;
	td(0, USB_TOKEN_IN, 8, 0, true);
	*word(TDS) = TDS;
	*word(TDS + 4) = 0;
	bench_step(&t.b, 3 * FRAME);
	assert_int_equal(get(UHCI_FRNUM), 6);
}

static void test_resume(void **state)
{
	(void)state;
	run();
	usb_configure(&t.hid.usb, 1);
	put(UHCI_PORTSC + 2, UHCI_PORT_ENABLED | UHCI_PORT_SUSPEND);
	assert_true(usb_hid_key(&t.hid, 0x1e, true));
	assert_int_equal(get(UHCI_USBSTS), 0); /* it may not */
	t.hid.usb.state->is_wakeup_on = true;
	assert_true(usb_hid_key(&t.hid, 0x1e, false));
	assert_int_equal(get(UHCI_USBSTS), UHCI_RESUME);
	assert_true(line());
	assert_true(get(UHCI_PORTSC + 2) & UHCI_PORT_RESUME);
	put(UHCI_PORTSC + 2, UHCI_PORT_ENABLED | UHCI_PORT_SUSPEND);
	assert_int_equal(get(UHCI_PORTSC + 2) & 0xffc0, UHCI_PORT_ONE);
}

static void test_pirq_off(void **state)
{
	(void)state;
	test_inactive(NULL);
	assert_true(line());
	pci_config_write(&t.pci, DEVFN, UHCI_LEGSUP, 2, 0);
	assert_false(line());
	pci_config_write(&t.pci, DEVFN, UHCI_LEGSUP, 2, 0x2000);
	assert_true(line());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pci, setup),
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_frames, setup),
		cmocka_unit_test_setup(test_idle, setup),
		cmocka_unit_test_setup(test_control, setup),
		cmocka_unit_test_setup(test_short, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_inactive, setup),
		cmocka_unit_test_setup(test_loops, setup),
		cmocka_unit_test_setup(test_resume, setup),
		cmocka_unit_test_setup(test_pirq_off, setup),
	};

	return cmocka_run_group_tests_name("uhci", tests, NULL, NULL);
}
