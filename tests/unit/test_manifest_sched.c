/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights, caps and CPUs in a manifest. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

/* The guest stays open. */
static void begin_guest(struct tree *t, uint32_t vcpus)
{
	begin(t);
	guest(t, "a");
	fdt_property_u32(t->blob, "vcpus", vcpus);
}

static void numbers(struct tree *t, const char *name, const uint32_t *words,
		    unsigned count)
{
	fdt32_t cells[GATE_MAX_VCPUS];

	assert_true(count <= ARRAY_SIZE(cells));
	for (unsigned i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(words[i]);
	fdt_property(t->blob, name, cells, (int)(4 * count));
}

static void test_absent(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	begin_guest(t, 2);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->weight, 0);
	assert_int_equal(g->cap_percent, 0);
	assert_int_equal(g->cpus[0] | g->cpus[1], 0);
}

static void test_good(void **state)
{
	static const uint32_t words[] = { 0, 63, 3 };
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	begin_guest(t, 3);
	fdt_property_u32(t->blob, "weight", 10000);
	fdt_property_u32(t->blob, "cap-percent", 300);
	numbers(t, "cpus", words, 2);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->weight, 10000);
	assert_int_equal(g->cap_percent, 300);
	for (unsigned i = 0; i < 3; i++)
		assert_true(g->cpus[i] == (1ULL << 63 | 1));
	assert_true(g->cpus[3] == 0);
	begin_guest(t, 3);
	numbers(t, "vcpu-cpus", words, 3);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(g->cpus[i] == 1ULL << words[i]);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned count;
		uint32_t words[3];
		const char *error;
	} rows[] = {
		{ "weight", 1, { 0 }, "weight: is 0, must be 1 to 10000" },
		{ "weight",
		  1,
		  { 10001 },
		  "weight: is 10001, must be 1 to 10000" },
		{ "cap-percent",
		  1,
		  { 201 },
		  "cap-percent: is 201, but 2 vCPUs can use 200: leave it out "
		  "for no limit" },
		{ "cap-percent",
		  1,
		  { 0 },
		  "cap-percent: is 0, must be 1 to 3200" },
		{ "cpus",
		  1,
		  { 64 },
		  "cpus: names CPU 64: CPUs are numbered from 0 to 63" },
		{ "cpus", 0, { 0 }, "cpus: must be numbers, as in <0 1>" },
		{ "cpus",
		  3,
		  { 1, 0, 1 },
		  "cpus: names CPU 1 twice: give each once" },
		{ "vcpu-cpus",
		  1,
		  { 0 },
		  "vcpu-cpus: has 1 numbers, must be 2: a CPU for each vCPU" },
		{ "vcpu-cpus",
		  3,
		  { 0, 0, 0 },
		  "vcpu-cpus: has 3 numbers, must be 2: a CPU for each vCPU" },
		{ "vcpu-cpus",
		  2,
		  { 0, 64 },
		  "vcpu-cpus: names CPU 64: CPUs are numbered from 0 to 63" },
	};
	struct tree *t = *state;
	char error[128];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_guest(t, 2);
		numbers(t, rows[i].name, rows[i].words, rows[i].count);
		close_nodes(t, 3);
		(void)snprintf(error, sizeof(error), "/guests/a: %s",
			       rows[i].error);
		expect_error(t, error);
	}
	begin_guest(t, 2);
	numbers(t, "cpus", rows[0].words, 1);
	numbers(t, "vcpu-cpus", rows[0].words, 2);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: vcpu-cpus: excludes cpus: give one of "
			"them");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("manifest sched", tests, NULL, NULL);
}
