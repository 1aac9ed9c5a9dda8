/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc with USB: what is plugged in where, and whose events are whose.
 */
#include "tests/unit/pc_test.h"

#include "machine/pc_parts.h"

static bool give(enum input_kind kind, unsigned code, int32_t value)
{
	const struct input_event event = { .kind = kind,
					   .code = (uint16_t)code,
					   .value = value };

	return pc_board_ops.input(bench.pc, &event);
}

static void build(enum machine_usb usb, uint32_t devices, unsigned disks)
{
	bench.config.usb = usb;
	bench.config.usb_devices = devices;
	bench.config.disk_count = 0;
	for (unsigned i = 0; i < disks; i++) {
		struct machine_disk_config *disk =
			&bench.config.disk[bench.config.disk_count++];

		*disk = (struct machine_disk_config){
			.va = 1,
			.bus = MACHINE_DISK_USB,
			.unit = (uint8_t)i,
		};
	}
	assert_int_equal(init(), 0);
}

/* As a driver does it, without a controller in between. */
static void configure(struct usb_device *dev, bool is_boot)
{
	uint8_t set[8] = { 0, USB_SET_CONFIGURATION, 1 };
	uint8_t boot[8] = { 0x21, 0x0b };

	(void)usb_transact(dev, USB_TOKEN_SETUP, 0, set, 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, set, 0), 0);
	if (!is_boot)
		return;
	(void)usb_transact(dev, USB_TOKEN_SETUP, 0, boot, 8);
	assert_int_equal(usb_transact(dev, USB_TOKEN_IN, 0, boot, 0), 0);
}

#define ALL_DEVICES \
	(MACHINE_USB_KEYBOARD | MACHINE_USB_MOUSE | MACHINE_USB_TABLET)

static void test_absent(void **state)
{
	struct pc *pc = bench.pc;

	(void)state;
	build(MACHINE_USB_NONE, 0, 0);
	assert_null(pc->pci.device[PCI_DEVFN(1, 2)]);
	assert_null(pc->pci.device[PCI_DEVFN(6, 0)]);
	bench.config.usb = 77;
	assert_int_equal(init(), -EINVAL);
}

static void test_uhci(void **state)
{
	struct pc *pc = bench.pc;
	char path[80];

	(void)state;
	build(MACHINE_USB_UHCI, ALL_DEVICES, 2);
	assert_non_null(pc->pci.device[PCI_DEVFN(1, 2)]);
	assert_ptr_equal(pc->usb.uhci.config.port[0], &pc->usb.disk[0].usb);
	assert_ptr_equal(pc->usb.uhci.config.port[1], &pc->usb.hub.usb);
	assert_ptr_equal(pc->usb.hub.port[0], &pc->usb.disk[1].usb);
	assert_ptr_equal(pc->usb.hub.port[3], &pc->usb.tablet.usb);
	(void)pc_usb_path(pc, path, sizeof(path), 0);
	assert_string_equal(path, "/pci@i0cf8/usb@1,2/storage@1/channel@0/"
				  "disk@0,0");
	(void)pc_usb_path(pc, path, sizeof(path), 1);
	assert_string_equal(path, "/pci@i0cf8/usb@1,2/hub@2/storage@1/"
				  "channel@0/disk@0,0");
}

static void test_xhci(void **state)
{
	struct pc *pc = bench.pc;
	char path[80];

	(void)state;
	build(MACHINE_USB_XHCI, ALL_DEVICES, 1);
	assert_non_null(pc->pci.device[PCI_DEVFN(6, 0)]);
	assert_false(pc->usb.has_hub);
	assert_ptr_equal(pc->usb.xhci.config.port[3], &pc->usb.tablet.usb);
	(void)pc_usb_path(pc, path, sizeof(path), 0);
	assert_string_equal(path, "/pci@i0cf8/usb@6/storage@1/channel@0/"
				  "disk@0,0");
}

/* PS/2, until a driver has the USB keyboard; a key ends where it began. */
static void test_keyboard(void **state)
{
	struct usb_hid *hid = &bench.pc->usb.keyboard;

	(void)state;
	build(MACHINE_USB_XHCI, ALL_DEVICES, 0);
	assert_true(give(INPUT_KEY, 0x1e, 1));
	assert_int_equal(hid->state.count, 0);
	configure(&hid->usb, false);
	assert_true(give(INPUT_KEY, 0x1e, 0)); /* the PS/2 keyboard's */
	assert_int_equal(hid->state.count, 0);
	assert_true(give(INPUT_KEY, 0x1f, 1));
	assert_int_equal(hid->state.count, 1);
	assert_true(give(INPUT_KEY, 0x1f, 2)); /* its host repeats itself */
	assert_int_equal(hid->state.count, 1);
	assert_true(give(INPUT_KEY, 0x1f, 0));
	assert_int_equal(hid->state.count, 2);
	assert_false(give(INPUT_KEY, 0x1ff, 1));
}

/* In the boot protocol it is firmware's: what runs may know PS/2 alone, unless
 * nobody reads that. */
static void test_boot_protocol(void **state)
{
	struct usb_hid *hid = &bench.pc->usb.keyboard;

	(void)state;
	build(MACHINE_USB_UHCI, ALL_DEVICES, 0);
	out(0x64, 0x60, 1);
	out(0x60, 0x43, 1);
	out(0x60, 0xf4, 1);
	bench.now_ns += 10000000;
	clock_run(&bench.clock);
	(void)in(0x60, 1);
	configure(&hid->usb, true);
	assert_true(give(INPUT_KEY, 0x1e, 1));
	assert_int_equal(hid->state.count, 0);
	assert_true(give(INPUT_KEY, 0x1f, 1));
	assert_int_equal(hid->state.count, 1);
}

static void test_pointers(void **state)
{
	struct usb_hid *mouse = &bench.pc->usb.mouse;
	struct usb_hid *tablet = &bench.pc->usb.tablet;

	(void)state;
	build(MACHINE_USB_XHCI, ALL_DEVICES, 0);
	assert_false(give(INPUT_ABSOLUTE, INPUT_X, 1));
	configure(&tablet->usb, false);
	assert_true(give(INPUT_ABSOLUTE, INPUT_X, 0x1000));
	assert_true(give(INPUT_ABSOLUTE, INPUT_Y, INT32_MAX));
	assert_true(give(INPUT_SYNC, 0, 0));
	assert_int_equal(tablet->state.count, 1);
	assert_int_equal(tablet->state.event[0].x, 0x1000);
	assert_int_equal(tablet->state.event[0].y, 0x7fff);
	/* Its buttons and wheel are there, too. */
	assert_true(give(INPUT_KEY, INPUT_BUTTON_RIGHT, 1));
	assert_int_equal(tablet->state.count, 2);
	assert_int_equal(tablet->state.event[1].buttons, USB_HID_RIGHT);
	assert_true(give(INPUT_RELATIVE, INPUT_WHEEL, 1));
	assert_true(give(INPUT_SYNC, 0, 0));
	assert_int_equal(tablet->state.event[1].wheel, 1);
	assert_true(give(INPUT_KEY, INPUT_BUTTON_RIGHT, 0));
	/* Movement is the mouse's, when that is driven. */
	configure(&mouse->usb, false);
	assert_true(give(INPUT_RELATIVE, INPUT_X, 5));
	assert_true(give(INPUT_RELATIVE, INPUT_Y, 3));
	assert_true(give(INPUT_RELATIVE, INPUT_WHEEL, 1));
	assert_true(give(INPUT_SYNC, 0, 0));
	assert_int_equal(mouse->state.count, 1);
	assert_int_equal(mouse->state.event[0].x, 5);
	assert_int_equal(mouse->state.event[0].y, 3);
	assert_int_equal(mouse->state.event[0].wheel, 1);
}

static void noted(void *ctx)
{
	++*(unsigned *)ctx;
}

/* Who watches the screen hears when the guest begins to take places, and when
 * it ceases to. */
static void test_takes_places(void **state)
{
	struct usb_hid *tablet = &bench.pc->usb.tablet;
	unsigned count = 0;

	(void)state;
	build(MACHINE_USB_XHCI, ALL_DEVICES, 0);
	configure(&bench.pc->usb.mouse.usb, false);
	assert_false(pc_takes_places(bench.pc));
	pc_board_screen.watch(bench.pc, noted, &count);
	configure(&tablet->usb, false);
	assert_int_equal(count, 1);
	assert_true(pc_takes_places(bench.pc));
	configure(&tablet->usb, false);
	assert_int_equal(count, 1);
	usb_bus_reset(&tablet->usb);
	assert_int_equal(count, 2);
	assert_false(pc_takes_places(bench.pc));
	pc_board_screen.watch(bench.pc, NULL, NULL);
	configure(&tablet->usb, false);
	assert_int_equal(count, 2);
	assert_true(pc_takes_places(bench.pc));
}

/* A board's image with all of it. */
static void test_saved(void **state)
{
	static uint8_t image[2 << 20], scratch[1 << 18];
	size_t length;
	char why[200] = "";

	(void)state;
	build(MACHINE_USB_UHCI, ALL_DEVICES, 1);
	configure(&bench.pc->usb.tablet.usb, false);
	assert_true(device_list_scratch(&bench.pc->devices) <= sizeof(scratch));
	assert_int_equal(pc_save(bench.pc, image, sizeof(image), &length), 0);
	pc_reset(bench.pc);
	assert_false(usb_is_configured(&bench.pc->usb.tablet.usb));
	bench.clock.now_set = NULL;
	assert_int_equal(
		pc_load(bench.pc, image, length, scratch, why, sizeof(why)),
		-EINVAL);
	assert_non_null(strstr(why, "clock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uhci, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xhci, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keyboard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot_protocol, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_pointers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes_places, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_saved, setup, teardown),
	};

	return cmocka_run_group_tests_name("pc_usb", tests, NULL, NULL);
}
