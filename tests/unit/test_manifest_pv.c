/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pv in a manifest: what it may have, and what it is refused. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

static void pv(struct tree *t)
{
	begin(t);
	fdt_begin_node(t->blob, "a");
	fdt_property_string(t->blob, "board", "pv");
	fdt_property_u32(t->blob, "memory-mib", 64);
}

static void pv_kernel(struct tree *t)
{
	pv(t);
	fdt_property_string(t->blob, "kernel", "vmlinuz");
}

static void test_good(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	pv_kernel(t);
	fdt_property_string(t->blob, "initrd", "rd");
	fdt_property_string(t->blob, "cmdline", "quiet");
	fdt_property(t->blob, "serial0", NULL, 0);
	fdt_property(t->blob, "isa-debug-exit", NULL, 0);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->board, MACHINE_BOARD_PV);
	/* KVM's interface is there always; no firmware is looked for. */
	assert_int_equal(g->devices, MACHINE_DEVICE_KVM |
					     MACHINE_DEVICE_SERIAL0 |
					     MACHINE_DEVICE_DEBUG_EXIT);
	assert_string_equal(g->firmware, "");
	assert_string_equal(g->vga_bios, "");
}

static void test_no_kernel(void **state)
{
	struct tree *t = *state;

	pv(t);
	close_nodes(t, 3);
	expect_error(t,
		     "/guests/a: kernel: is missing: the board \"pv\" has no "
		     "firmware that could start anything else");
}

static void test_properties(void **state)
{
	static const struct {
		const char *name, *text; /* NULL: a flag */
		const char *why;
	} rows[] = {
		{ "firmware", "bios.bin", "has no firmware" },
		{ "vga-bios", "vga.bin", "has no firmware" },
		{ "firmware-on-serial", NULL, "has no firmware" },
		{ "boot", "disk0", "has no firmware" },
		{ "boot-through-bios", NULL, "has no firmware" },
		{ "boot-without-bios", NULL, "has no BIOS" },
		{ "os", "linux", "presets are for the board \"pc\"" },
		{ "acpi", "off", "cannot do without" },
		{ "memory-hole", "15m", "has no ISA bus" },
		{ "post-codes", NULL, "has no port 0x80" },
		{ "parallel0", NULL, "has no such device" },
		{ "vmware-backdoor", NULL, "has no such device" },
		{ "test-device", NULL, "has no such device" },
	};
	struct tree *t = *state;
	char place[64];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		pv_kernel(t);
		if (rows[i].text)
			fdt_property_string(t->blob, rows[i].name,
					    rows[i].text);
		else
			fdt_property(t->blob, rows[i].name, NULL, 0);
		close_nodes(t, 3);
		assert_int_equal(parse(t), -EINVAL);
		(void)snprintf(place, sizeof(place),
			       "/guests/a: %s: ", rows[i].name);
		if (strncmp(t->error, place, strlen(place)) ||
		    !strstr(t->error, rows[i].why))
			fail_msg("%s: %s", rows[i].name, t->error);
	}
}

static void test_nodes(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "usb0", "has no such device" },
		{ "floppy0", "has no such device" },
		{ "flash0", "no firmware whose variables" },
		{ "fw-cfg0", "has no fw_cfg" },
		{ "fault", "devices of the board \"pc\"" },
	};
	struct tree *t = *state;
	char place[64];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		pv_kernel(t);
		fdt_begin_node(t->blob, rows[i].name);
		close_nodes(t, 4);
		assert_int_equal(parse(t), -EINVAL);
		(void)snprintf(place, sizeof(place),
			       "/guests/a/%s: ", rows[i].name);
		if (strncmp(t->error, place, strlen(place)) ||
		    !strstr(t->error, rows[i].why))
			fail_msg("%s: %s", rows[i].name, t->error);
	}
}

static void test_devices(void **state)
{
	struct tree *t = *state;

	pv_kernel(t);
	fdt_begin_node(t->blob, "disk0");
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "image", "a.img");
	close_nodes(t, 4);
	assert_int_equal(parse(t), -EINVAL);
	assert_non_null(strstr(t->error, "say bus = \"virtio\""));
	pv_kernel(t);
	fdt_begin_node(t->blob, "cdrom0");
	fdt_property_string(t->blob, "bus", "virtio-scsi");
	fdt_property_string(t->blob, "image", "a.iso");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	pv_kernel(t);
	fdt_begin_node(t->blob, "cdrom0");
	fdt_property_string(t->blob, "bus", "virtio-scsi");
	fdt_property(t->blob, "images", "a.iso\0b.iso", 12);
	close_nodes(t, 4);
	assert_int_equal(parse(t), -EINVAL);
	assert_non_null(strstr(t->error, "give one image"));
	pv_kernel(t);
	fdt_begin_node(t->blob, "nic0");
	fdt_property_string(t->blob, "model", "e1000");
	fdt_property_string(t->blob, "switch", "lan");
	close_nodes(t, 4);
	assert_int_equal(parse(t), -EINVAL);
	assert_non_null(strstr(t->error, "say model = \"virtio\""));
	pv_kernel(t);
	fdt_begin_node(t->blob, "acpi");
	fdt_property_string(t->blob, "tables", "1.0");
	close_nodes(t, 4);
	assert_int_equal(parse(t), -EINVAL);
	assert_non_null(strstr(t->error, "leave out tables and sleep"));
}

/* What only pv can be asked for. */
static void test_pc(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_property(t->blob, "serial0", NULL, 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: serial0: the board \"pc\" has it always: "
			"leave it out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_kernel, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_properties, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pc, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
