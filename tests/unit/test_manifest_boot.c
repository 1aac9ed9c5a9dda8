/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: from which drive firmware starts, and its menu. */
#include "tests/unit/manifest_test.h"

static void drive(struct tree *t, const char *name, uint32_t boot_index)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "image", "a.img");
	fdt_property_u32(t->blob, "boot-index", boot_index);
	close_nodes(t, 1);
}

static void test_order(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = &t->manifest.guest[0];

	begin(t);
	guest(t, "a");
	drive(t, "disk0", 8);
	drive(t, "cdrom0", 1);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->disk[0].boot_index, 8);
	assert_int_equal(g->disk[1].boot_index, 1);
	assert_int_equal(g->boot_menu_ms, 0);
}

static void test_bad_order(void **state)
{
	static const struct {
		uint32_t first, second;
		const char *why;
	} rows[] = {
		{ 2, 2, "/guests/a/cdrom0: boot-index: 2 is taken already" },
		{ 0, 1, "/guests/a/disk0: boot-index: is 0, must be 1 to 8" },
		{ 1, 9, "/guests/a/cdrom0: boot-index: is 9, must be 1 to 8" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(t);
		guest(t, "a");
		drive(t, "disk0", rows[i].first);
		drive(t, "cdrom0", rows[i].second);
		close_nodes(t, 3);
		expect_error(t, rows[i].why);
	}
	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "kernel", "vmlinux");
	drive(t, "disk0", 1);
	close_nodes(t, 3);
	expect_error(t, "/guests/a/disk0: boot-index: is for guests without a "
			"kernel");
}

static void menu(struct tree *t, uint32_t ms)
{
	begin(t);
	guest(t, "a");
	fdt_property_u32(t->blob, "boot-menu-wait-ms", ms);
	close_nodes(t, 3);
}

static void test_menu(void **state)
{
	struct tree *t = *state;

	menu(t, 65535);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest[0].boot_menu_ms, 65535);
	menu(t, 65536);
	expect_error(t, "/guests/a: boot-menu-wait-ms: is 65536, must be 1 to "
			"65535");
	menu(t, 0);
	expect_error(t, "/guests/a: boot-menu-wait-ms: is 0, must be 1 to "
			"65535");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_bad_order),
		TEST(test_menu),
	};

	return cmocka_run_group_tests_name("manifest_boot", tests, NULL, NULL);
}
