/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that comes and goes, and virtio's small devices, in a manifest. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

static void test_good(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	begin(t);
	guest(t, "a");
	fdt_property(t->blob, "rng", NULL, 0);
	fdt_property(t->blob, "balloon", NULL, 0);
	fdt_property(t->blob, "virtio-console", NULL, 0);
	fdt_property_string(t->blob, "populate", "lazy");
	fdt_begin_node(t->blob, "disk0");
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "source", "file:a.img");
	close_nodes(t, 2);
	guest(t, "b");
	fdt_property_string(t->blob, "populate", "start");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_true(g[0].is_lazy);
	assert_int_equal(g[0].devices, MACHINE_DEVICE_RNG |
					       MACHINE_DEVICE_BALLOON |
					       MACHINE_DEVICE_VIRTIO_CONSOLE);
	assert_false(g[1].is_lazy);
	assert_int_equal(g[1].devices, 0);
	assert_int_equal(t->manifest.overcommit_percent, 0);
}

static void test_refused(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "populate", "late");
	close_nodes(t, 3);
	expect_error(t, "/guests/a: populate: is \"late\", known are: start, "
			"lazy");
}

/* Video memory and ROMs are to fit behind it: it is 1 GiB under 512. */
static void test_too_much_memory(void **state)
{
	struct tree *t = *state;

	begin(t);
	fdt_begin_node(t->blob, "a");
	fdt_property_string(t->blob, "board", "pc");
	fdt_property_u32(t->blob, "memory-mib", 523266);
	close_nodes(t, 3);
	expect_error(t,
		     "/guests/a: memory-mib: is 523266, must be 2 to 523264");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_much_memory, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("manifest memory", tests, NULL,
					   NULL);
}
