/* SPDX-License-Identifier: BSD-2-Clause */
/* USB devices without a controller: the control pipe, HID, the hub. */
#include "tests/unit/usb_test.h"

#include "include/input.h"

#define IN_DEVICE    0x80
#define IN_INTERFACE 0x81
#define CLASS_IN     0xa1
#define CLASS_OUT    0x21
#define HUB_PORT_SET 0x23
#define HUB_PORT_GET 0xa3

static struct {
	struct bench b;
	struct usb_hid hid;
	struct usb_hub hub;
	unsigned ready;
} t;

static void ready(void *ctx, struct usb_device *dev, unsigned endpoint)
{
	(void)ctx;
	(void)dev;
	assert_int_equal(endpoint, 1);
	t.ready++;
}

static struct usb_device *hid_new(enum usb_hid_kind kind)
{
	usb_hid_init(&t.hid, kind, &t.b.clock);
	t.hid.usb.ready = ready;
	return &t.hid.usb;
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	bench_init(&t.b);
	(void)hid_new(USB_HID_KEYBOARD);
	return 0;
}

static void expect_report(const uint8_t *bytes, int length)
{
	uint8_t report[8];

	assert_int_equal(usb_transact(&t.hid.usb, USB_TOKEN_IN, 1, report, 8),
			 length);
	assert_memory_equal(report, bytes, (size_t)length);
}

static void expect_none(void)
{
	uint8_t report[8];

	assert_int_equal(usb_transact(&t.hid.usb, USB_TOKEN_IN, 1, report, 8),
			 USB_NAK);
}

/* ---- Chapter 9 ----------------------------------------------------------- */

static void test_descriptors(void **state)
{
	static const enum usb_hid_kind kinds[] = { USB_HID_KEYBOARD,
						   USB_HID_MOUSE,
						   USB_HID_TABLET };
	uint8_t data[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct usb_device *dev = hid_new(kinds[i]);
		int length;

		assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR,
					     0x100, 0, data, 64),
				 18);
		assert_int_equal(data[0], 18);
		assert_int_equal(data[17], 1);
		/* As long as it says, and no longer than was asked for. */
		assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR,
					     0x200, 0, data, 9),
				 9);
		length = data[2];
		assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR,
					     0x200, 0, data, 255),
				 length);
		/* The HID descriptor has the report descriptor's length. */
		length = data[25];
		assert_int_equal(usb_control(dev, IN_INTERFACE,
					     USB_GET_DESCRIPTOR, 0x2200, 0,
					     data, 255),
				 length);
		length = usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR, 0x302,
				     0x409, data, 255);
		assert_int_equal(length, 2 + 2 * strlen("USB keyboard"));
		assert_int_equal(data[0], length);
		assert_int_equal(data[2], 'U');
		assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR,
					     0x3ff, 0x409, data, 255),
				 USB_STALL);
		assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR,
					     0x600, 0, data, 255),
				 10);
		assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_DESCRIPTOR,
					     0x700, 0, data, 255),
				 34);
		assert_int_equal(data[1], USB_DESCRIPTOR_OTHER_SPEED);
	}
}

static void test_address(void **state)
{
	struct usb_device *dev = &t.hid.usb;
	uint8_t request[8] = { 0, USB_SET_ADDRESS, 5 };

	(void)state;
	assert_ptr_equal(usb_find(dev, 0), dev);
	assert_int_equal(usb_transact(dev, USB_TOKEN_SETUP, 0, request, 8), 8);
	assert_ptr_equal(usb_find(dev, 0), dev); /* until the status stage */
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, request, 0), 0);
	assert_ptr_equal(usb_find(dev, 5), dev);
	assert_null(usb_find(dev, 0));
	usb_bus_reset(dev);
	assert_ptr_equal(usb_find(dev, 0), dev);
}

static void test_requests(void **state)
{
	struct usb_device *dev = &t.hid.usb;
	uint8_t data[8] = { 0 };

	(void)state;
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 1, data, 8),
			 USB_NOBODY);
	assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_CONFIGURATION, 0,
				     0, data, 1),
			 1);
	assert_int_equal(data[0], 0);
	assert_int_equal(
		usb_control(dev, 0, USB_SET_CONFIGURATION, 2, 0, NULL, 0),
		USB_STALL);
	usb_configure(dev, 1);
	assert_int_equal(usb_control(dev, IN_DEVICE, USB_GET_CONFIGURATION, 0,
				     0, data, 1),
			 1);
	assert_int_equal(data[0], 1);
	/* Remote wake-up in the status. */
	assert_int_equal(usb_control(dev, 0, USB_SET_FEATURE, 1, 0, NULL, 0),
			 0);
	assert_int_equal(
		usb_control(dev, IN_DEVICE, USB_GET_STATUS, 0, 0, data, 2), 2);
	assert_int_equal(data[0], 2);
	/* A halt, and its end. */
	assert_int_equal(usb_control(dev, 2, USB_SET_FEATURE, 0, 0x81, NULL, 0),
			 0);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 1, data, 8),
			 USB_STALL);
	assert_int_equal(
		usb_control(dev, 0x82, USB_GET_STATUS, 0, 0x81, data, 2), 2);
	assert_int_equal(data[0], 1);
	assert_int_equal(
		usb_control(dev, 2, USB_CLEAR_FEATURE, 0, 0x81, NULL, 0), 0);
	expect_none();
	assert_int_equal(usb_control(dev, 0x40, 1, 0, 0, NULL, 0), USB_STALL);
}

/* A transfer in packets of 8, which the host ends early. */
static void test_packets(void **state)
{
	struct usb_device *dev = &t.hid.usb;
	uint8_t request[8] = { 0x80, 6, 0, 1, 0, 0, 18, 0 }, data[8];

	(void)state;
	assert_int_equal(usb_transact(dev, USB_TOKEN_SETUP, 0, request, 8), 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, data, 8), 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, data, 8), 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, data, 8), 2);
	assert_int_equal(usb_transact(dev, USB_TOKEN_OUT, 0, data, 0), 0);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, data, 8),
			 USB_STALL);
	assert_int_equal(usb_transact(dev, USB_TOKEN_SETUP, 0, request, 8), 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, data, 8), 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_OUT, 0, data, 0), 0);
}

/* ---- HID ----------------------------------------------------------------- */

static void key(unsigned code, bool is_down)
{
	assert_true(usb_hid_key(&t.hid, code, is_down));
}

static void test_keyboard(void **state)
{
	(void)state;
	usb_configure(&t.hid.usb, 1);
	assert_true(usb_hid_is_driven(&t.hid));
	expect_none();
	key(0x2a, true); /* Shift */
	key(0x1e, true); /* A */
	key(0x1e, false);
	key(INPUT_KEY_RIGHT_ALT, true);
	assert_int_equal(t.ready, 4);
	/* One by one, however late they are asked for. */
	expect_report((uint8_t[]){ 2, 0, 0, 0, 0, 0, 0, 0 }, 8);
	expect_report((uint8_t[]){ 2, 0, 4, 0, 0, 0, 0, 0 }, 8);
	expect_report((uint8_t[]){ 2, 0, 0, 0, 0, 0, 0, 0 }, 8);
	expect_report((uint8_t[]){ 0x42, 0, 0, 0, 0, 0, 0, 0 }, 8);
	expect_none();
	assert_false(usb_hid_key(&t.hid, 0, true));
	assert_false(usb_hid_key(&t.hid, INPUT_BUTTON_LEFT, true));
}

static void test_roll_over(void **state)
{
	(void)state;
	usb_configure(&t.hid.usb, 1);
	for (unsigned i = 0; i < 7; i++)
		key(2 + i, true);
	for (unsigned i = 0; i < 5; i++)
		(void)usb_transact(&t.hid.usb, USB_TOKEN_IN, 1,
				   (uint8_t[8]){ 0 }, 8);
	expect_report((uint8_t[]){ 0, 0, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23 },
		      8);
	expect_report((uint8_t[]){ 0, 0, 1, 1, 1, 1, 1, 1 }, 8);
	key(3, false);
	expect_report((uint8_t[]){ 0, 0, 0x1e, 0x20, 0x21, 0x22, 0x23, 0x24 },
		      8);
}

static void test_hid_requests(void **state)
{
	struct usb_device *dev = &t.hid.usb;
	uint8_t data[8] = { 5 };

	(void)state;
	usb_configure(dev, 1);
	assert_int_equal(usb_control(dev, CLASS_OUT, 9, 0x200, 0, data, 1), 1);
	assert_int_equal(t.hid.state.leds, 5);
	assert_int_equal(usb_control(dev, CLASS_OUT, 0xb, 0, 0, NULL, 0), 0);
	assert_false(usb_hid_is_driven(&t.hid));
	assert_int_equal(usb_control(dev, CLASS_IN, 3, 0, 0, data, 1), 1);
	assert_int_equal(data[0], 0);
	key(0x1e, true);
	expect_report((uint8_t[]){ 0, 0, 4, 0, 0, 0, 0, 0 }, 8);
	assert_int_equal(usb_control(dev, CLASS_IN, 1, 0x100, 0, data, 8), 8);
	assert_int_equal(data[2], 4);
	/* Another configuration forgets all. */
	usb_configure(dev, 1);
	assert_true(usb_hid_is_driven(&t.hid));
	assert_int_equal(usb_control(dev, CLASS_IN, 1, 0x100, 0, data, 8), 8);
	assert_int_equal(data[2], 0);
}

static void test_idle(void **state)
{
	struct usb_device *dev = &t.hid.usb;

	(void)state;
	usb_configure(dev, 1);
	/* 8 * 4 ms */
	assert_int_equal(usb_control(dev, CLASS_OUT, 0xa, 0x800, 0, NULL, 0),
			 0);
	bench_step(&t.b, 31 * NSEC_PER_MS);
	expect_none();
	bench_step(&t.b, NSEC_PER_MS);
	assert_int_equal(t.ready, 1);
	expect_report((uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0 }, 8);
	expect_none();
	key(0x1e, true);
	expect_report((uint8_t[]){ 0, 0, 4, 0, 0, 0, 0, 0 }, 8);
	bench_step(&t.b, 32 * NSEC_PER_MS);
	expect_report((uint8_t[]){ 0, 0, 4, 0, 0, 0, 0, 0 }, 8);
	assert_int_equal(usb_control(dev, CLASS_OUT, 0xa, 0, 0, NULL, 0), 0);
	bench_step(&t.b, NSEC_PER_SEC);
	expect_none();
}

static void test_mouse(void **state)
{
	(void)state;
	usb_configure(hid_new(USB_HID_MOUSE), 1);
	usb_hid_move(&t.hid, 100, -5, 0, 0);
	usb_hid_move(&t.hid, 100, 0, 1, 0);
	usb_hid_move(&t.hid, 0, 0, 0, USB_HID_LEFT);
	usb_hid_move(&t.hid, 0, 0, 0, 0);
	/* More than a report holds goes on in the next. */
	expect_report((uint8_t[]){ 0, 127, 0xfb, 1 }, 4);
	expect_report((uint8_t[]){ 0, 73, 0, 0 }, 4);
	expect_report((uint8_t[]){ 1, 0, 0, 0 }, 4);
	expect_report((uint8_t[]){ 0, 0, 0, 0 }, 4);
	expect_none();
	assert_int_equal(usb_control(&t.hid.usb, CLASS_OUT, 0xb, 0, 0, NULL, 0),
			 0);
	usb_hid_move(&t.hid, 1, 2, 3, USB_HID_RIGHT | USB_HID_SIDE);
	expect_report((uint8_t[]){ 2, 1, 2 }, 3);
	/* Nobody asks: buttons that are let go are not lost. */
	for (unsigned i = 0; i < 1000; i++)
		usb_hid_move(&t.hid, 1, 0, 0, i & 1);
	assert_int_equal(t.hid.state.count, USB_HID_EVENTS);
}

static void test_tablet(void **state)
{
	(void)state;
	usb_configure(hid_new(USB_HID_TABLET), 1);
	usb_hid_place(&t.hid, 1, 2, 0, 0);
	usb_hid_place(&t.hid, 0x1234, 0x9999, 0, 0);
	usb_hid_place(&t.hid, 0x1234, 0x7fff, -1, USB_HID_MIDDLE);
	expect_report((uint8_t[]){ 0, 0x34, 0x12, 0xff, 0x7f, 0 }, 6);
	expect_report((uint8_t[]){ 4, 0x34, 0x12, 0xff, 0x7f, 0xff }, 6);
	expect_none();
	assert_int_equal(usb_control(&t.hid.usb, CLASS_OUT, 0xb, 0, 0, NULL, 0),
			 USB_STALL);
}

/* ---- The hub ------------------------------------------------------------- */

static int port_status(unsigned port)
{
	uint8_t data[4];

	assert_int_equal(usb_control(&t.hub.usb, HUB_PORT_GET, USB_GET_STATUS,
				     0, (uint16_t)port, data, 4),
			 4);
	return data[0] | data[1] << 8 | data[2] << 16 | data[3] << 24;
}

static void port_feature(uint8_t request, uint16_t feature, uint16_t port)
{
	assert_int_equal(usb_control(&t.hub.usb, HUB_PORT_SET, request, feature,
				     port, NULL, 0),
			 0);
}

static void test_hub(void **state)
{
	struct usb_device *hub = &t.hub.usb;
	uint8_t data[16];

	(void)state;
	usb_hub_init(&t.hub);
	hub->ready = ready;
	usb_hub_plug(&t.hub, 2, &t.hid.usb);
	usb_configure(hub, 1);
	assert_int_equal(
		usb_control(hub, 0xa0, USB_GET_DESCRIPTOR, 0x2900, 0, data, 16),
		9);
	assert_int_equal(data[2], USB_HUB_PORTS);
	assert_int_equal(port_status(3), 0);
	for (uint16_t i = 1; i <= USB_HUB_PORTS; i++)
		port_feature(USB_SET_FEATURE, 8, i);
	assert_int_equal(port_status(1), 0x100);
	assert_int_equal(port_status(3), 0x10101);
	assert_int_equal(usb_transact(hub, USB_TOKEN_IN, 1, data, 1), 1);
	assert_int_equal(data[0], 1 << 3);
	port_feature(USB_CLEAR_FEATURE, 16, 3);
	assert_int_equal(usb_transact(hub, USB_TOKEN_IN, 1, data, 1), USB_NAK);
	/* Only a device whose port was reset answers. */
	hub->state->address = 7;
	assert_null(usb_find(hub, 0));
	port_feature(USB_SET_FEATURE, 4, 3);
	assert_int_equal(port_status(3), 0x100103);
	assert_ptr_equal(usb_find(hub, 0), &t.hid.usb);
	/* Suspended it does not, and wakes up when it may. */
	usb_configure(&t.hid.usb, 1);
	port_feature(USB_CLEAR_FEATURE, 20, 3);
	port_feature(USB_SET_FEATURE, 2, 3);
	assert_null(usb_find(hub, 0));
	key(0x1e, true);
	assert_int_equal(port_status(3), 0x107);
	t.hid.usb.state->is_wakeup_on = true;
	key(0x1e, false);
	assert_int_equal(port_status(3), 0x40103);
	assert_int_equal(
		usb_control(hub, HUB_PORT_SET, USB_SET_FEATURE, 4, 8, NULL, 0),
		USB_STALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_descriptors, setup),
		cmocka_unit_test_setup(test_address, setup),
		cmocka_unit_test_setup(test_requests, setup),
		cmocka_unit_test_setup(test_packets, setup),
		cmocka_unit_test_setup(test_keyboard, setup),
		cmocka_unit_test_setup(test_roll_over, setup),
		cmocka_unit_test_setup(test_hid_requests, setup),
		cmocka_unit_test_setup(test_idle, setup),
		cmocka_unit_test_setup(test_mouse, setup),
		cmocka_unit_test_setup(test_tablet, setup),
		cmocka_unit_test_setup(test_hub, setup),
	};

	return cmocka_run_group_tests_name("usb", tests, NULL, NULL);
}
