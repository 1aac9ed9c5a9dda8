/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: vCPUs as sockets, cores and threads. */
#include "tests/unit/manifest_test.h"

/* vCPUs, sockets, cores, threads; 0: not given. */
static void write_topology(struct tree *t, const uint32_t said[4])
{
	static const char *const names[] = { "vcpus", "sockets", "cores",
					     "threads" };

	begin(t);
	guest(t, "a");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (said[i])
			fdt_property_u32(t->blob, names[i], said[i]);
	close_nodes(t, 3);
}

static void test_topology(void **state)
{
	/* clang-format off */
	static const struct { uint32_t said[4], got[4]; } rows[] = {
		{ { 0, 0, 0, 0 }, { 1, 1, 1, 1 } },
		{ { 4, 0, 0, 0 }, { 4, 4, 1, 1 } },
		{ { 4, 1, 0, 0 }, { 4, 1, 4, 1 } },
		{ { 8, 2, 0, 2 }, { 8, 2, 2, 2 } },
		{ { 8, 0, 2, 0 }, { 8, 4, 2, 1 } },
		{ { 8, 0, 0, 2 }, { 8, 4, 1, 2 } },
		{ { 0, 2, 3, 1 }, { 6, 2, 3, 1 } },
		{ { 0, 0, 3, 2 }, { 6, 1, 3, 2 } },
		{ { 32, 2, 8, 2 }, { 32, 2, 8, 2 } },
	};
	static const struct { uint32_t said[4]; const char *why; } bad[] = {
		{ { 4, 3, 0, 0 }, "/guests/a: vcpus: is 4, but sockets * cores "
				  "* threads is 3 * 1 * 1" },
		{ { 4, 2, 2, 2 }, "/guests/a: vcpus: is 4, but sockets * cores "
				  "* threads is 2 * 2 * 2" },
		{ { 1, 0, 2, 0 }, "/guests/a: vcpus: is 1, but sockets * cores "
				  "* threads is 1 * 2 * 1" },
		{ { 0, 8, 8, 1 }, "/guests/a: sockets: sockets * cores * "
				  "threads is 64, at most 32 can be" },
		{ { 0, 0, 33, 0 }, "/guests/a: cores: is 33, must be 1 to 32" },
	};
	/* clang-format on */
	struct tree *t = *state;
	const struct guest_manifest *g = &t->manifest.guest[0];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint32_t *got = rows[i].got;

		write_topology(t, rows[i].said);
		assert_int_equal(parse(t), 0);
		assert_int_equal(g->vcpus, got[0]);
		assert_int_equal(g->sockets, got[1]);
		assert_int_equal(g->cores, got[2]);
		assert_int_equal(g->threads, got[3]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		write_topology(t, bad[i].said);
		expect_error(t, bad[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_topology, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
