/* SPDX-License-Identifier: BSD-2-Clause */
/* USB in a manifest: the controller, what is plugged in, disks. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

static void one(struct tree *t, const char *controller)
{
	begin(t);
	guest(t, "a");
	if (!controller)
		return;
	fdt_begin_node(t->blob, "usb0");
	fdt_property_string(t->blob, "controller", controller);
	close_nodes(t, 1);
}

/* It stays open. */
static void disk(struct tree *t, const char *node)
{
	fdt_begin_node(t->blob, node);
	fdt_property_string(t->blob, "bus", "usb");
	fdt_property_string(t->blob, "image", "a.img");
}

static void test_controllers(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t, NULL);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->usb.controller, MACHINE_USB_NONE);
	one(t, "uhci");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->usb.controller, MACHINE_USB_UHCI);
	assert_int_equal(g->usb.devices, 0);
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "usb0");
	fdt_property_string(t->blob, "controller", "xhci");
	fdt_property(t->blob, "tablet", NULL, 0);
	fdt_property(t->blob, "keyboard", NULL, 0);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->usb.controller, MACHINE_USB_XHCI);
	assert_int_equal(g->usb.devices,
			 MACHINE_USB_TABLET | MACHINE_USB_KEYBOARD);
}

static void test_wrong(void **state)
{
	struct tree *t = *state;

	one(t, "ehci");
	close_nodes(t, 3);
	expect_error(t, "/guests/a/usb0: controller: is \"ehci\", known are: "
			"uhci, xhci");
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "usb0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/usb0: controller: is missing");
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "usb1");
	close_nodes(t, 4);
	assert_int_equal(parse(t), -EINVAL);
	assert_non_null(strstr(t->error, "no such node here"));
}

static void test_disks(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t, "xhci");
	disk(t, "disk0");
	fdt_property_u32(t->blob, "boot-index", 1);
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "disk1");
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "image", "b.img");
	close_nodes(t, 1);
	disk(t, "disk2");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->disk_count, 3);
	assert_int_equal(g->disk[0].bus, MACHINE_DISK_USB);
	assert_int_equal(g->disk[0].unit, 0);
	assert_int_equal(g->disk[0].boot_index, 1);
	assert_int_equal(g->disk[1].unit, 0); /* IDE's */
	assert_int_equal(g->disk[2].unit, 1);
}

static void test_wrong_disks(void **state)
{
	static const char *const names[] = { "disk0", "disk1", "disk2", "disk3",
					     "disk4" };
	struct tree *t = *state;

	one(t, NULL);
	disk(t, "disk0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a: disk0: its bus \"usb\" needs a controller: "
			"give the guest a node usb0");
	one(t, "uhci");
	disk(t, "cdrom0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/cdrom0: bus: is \"usb\", which is for "
			"disks: a CD-ROM drive's is \"ide\"");
	one(t, "uhci");
	disk(t, "disk0");
	fdt_property_u32(t->blob, "unit", 0);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/disk0: unit: is for IDE: USB's disks are "
			"numbered as they come");
	one(t, "uhci");
	for (unsigned i = 0; i < 5; i++) {
		disk(t, names[i]);
		close_nodes(t, 1);
	}
	close_nodes(t, 3);
	expect_error(t, "/guests/a/disk4: is one of more than the 4 that fit "
			"at USB");
	one(t, "uhci");
	disk(t, "disk0");
	fdt_property_u32(t->blob, "boot-index", 2);
	close_nodes(t, 1);
	disk(t, "disk1");
	fdt_property_u32(t->blob, "boot-index", 2);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/disk1: boot-index: 2 is taken already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_controllers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_disks, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("manifest_usb", tests, NULL, NULL);
}
