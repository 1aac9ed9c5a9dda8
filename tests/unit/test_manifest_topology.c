/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: vCPUs as sockets, cores and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "include/errno.h"
#include "include/manifest.h"

#define SIZE 4096

struct tree {
	char blob[SIZE];
	char error[MANIFEST_ERROR_SIZE];
	struct manifest manifest;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct tree));
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void begin(struct tree *t)
{
	assert_int_equal(fdt_create(t->blob, SIZE), 0);
	assert_int_equal(fdt_finish_reservemap(t->blob), 0);
	fdt_begin_node(t->blob, "");
	fdt_property_string(t->blob, "compatible", "bulkhead,host-v1");
	fdt_begin_node(t->blob, "guests");
}

static void guest(struct tree *t, const char *name)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "board", "pc");
	fdt_property_u32(t->blob, "memory-mib", 128);
}

static void close_nodes(struct tree *t, unsigned count)
{
	while (count--)
		assert_int_equal(fdt_end_node(t->blob), 0);
}

static int parse(struct tree *t)
{
	assert_int_equal(fdt_finish(t->blob), 0);
	return manifest_parse(&t->manifest, t->blob, SIZE, t->error,
			      sizeof(t->error));
}

/* 0: not given. */
static int parse_topology(struct tree *t, uint32_t vcpus, uint32_t sockets,
			  uint32_t cores, uint32_t threads)
{
	const struct {
		const char *name;
		uint32_t value;
	} rows[] = { { "vcpus", vcpus },
		     { "sockets", sockets },
		     { "cores", cores },
		     { "threads", threads } };

	begin(t);
	guest(t, "a");
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value)
			fdt_property_u32(t->blob, rows[i].name, rows[i].value);
	close_nodes(t, 3);
	return parse(t);
}

static void test_topology(void **state)
{
	/* clang-format off */
	static const struct { uint32_t said[4], got[4]; } rows[] = {
		/* vcpus, sockets, cores, threads */
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
		const uint32_t *said = rows[i].said, *got = rows[i].got;

		assert_int_equal(
			parse_topology(t, said[0], said[1], said[2], said[3]),
			0);
		assert_int_equal(g->vcpus, got[0]);
		assert_int_equal(g->sockets, got[1]);
		assert_int_equal(g->cores, got[2]);
		assert_int_equal(g->threads, got[3]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		const uint32_t *said = bad[i].said;

		assert_int_equal(
			parse_topology(t, said[0], said[1], said[2], said[3]),
			-EINVAL);
		assert_string_equal(t->error, bad[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_topology, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
