/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of the host's in a manifest: which there are, and whose. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

/* Pairs of numbers; the guest stays open. */
static void ports(struct tree *t, const char *name, const uint32_t *words,
		  unsigned count)
{
	fdt32_t cells[16];

	guest(t, name);
	assert_true(count <= ARRAY_SIZE(cells));
	for (unsigned i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(words[i]);
	fdt_property(t->blob, "ports", cells, (int)(4 * count));
}

static void one(struct tree *t, uint32_t first, uint32_t count)
{
	const uint32_t words[] = { first, count };

	begin(t);
	ports(t, "a", words, 2);
}

static void test_good(void **state)
{
	static const uint32_t words[] = { 0x378, 3,	0x100, 0x70,  0x3e8,
					  8,	 0x37b, 1,     0x3e0, 8 };
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t, 0x378, 3);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->ports[0][0], 0x378);
	assert_int_equal(g->ports[0][1], 3);
	assert_int_equal(g->ports[1][1], 0);
	begin(t);
	ports(t, "a", words, ARRAY_SIZE(words));
	close_nodes(t, 1);
	guest(t, "b");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_memory_equal(g->ports, words, sizeof(words));
	assert_int_equal(g[1].ports[0][1], 0);
}

/* By which a guest would have the host, a service, or two devices in one. */
static void test_refused(void **state)
{
	static const struct {
		uint32_t first, count;
		const char *why;
	} rows[] = {
		{ 0x00, 1,
		  "the host's DMA controller, which reaches all "
		  "memory" },
		{ 0x21, 1, "the host's interrupt controller" },
		{ 0x43, 1, "the host's timer" },
		{ 0x64, 1,
		  "the host's keyboard controller, which can reset "
		  "it" },
		{ 0x61, 1,
		  "the host's keyboard controller, which can reset "
		  "it" },
		{ 0x70, 2, "the host's clock and NMI mask" },
		{ 0x92, 1, "a reset of the host" },
		{ 0xb2, 1, "the host's system management" },
		{ 0xf4, 1, "the host's own board" },
		{ 0xff, 2, "the host's own board" },
		{ 0x16f, 2, "IDE of the guest's own board" },
		{ 0x1cf, 1, "the display adapter of the guest's own board" },
		{ 0x2f8, 8, "the service seat's, for the control protocol" },
		{ 0x300, 0x100, "IDE of the guest's own board" },
		{ 0x3ce, 2, "the display adapter of the guest's own board" },
		{ 0x3f5, 1,
		  "a floppy controller, which has the host's DMA "
		  "reach memory" },
		{ 0x3f8, 8, "the service seat's, for the host's console" },
		{ 0x3ff, 2, "the service seat's, for the host's console" },
		{ 0x4d0, 2, "the host's interrupt controller" },
		{ 0xcf8, 8,
		  "the host's PCI configuration, by which each "
		  "device reaches all memory" },
		{ 0xcff, 1,
		  "the host's PCI configuration, by which each "
		  "device reaches all memory" },
		{ 0x400, 1,
		  "where the host has power management and PCI "
		  "devices" },
		{ 0xffff, 1,
		  "where the host has power management and PCI "
		  "devices" },
		{ 0, 0x10000,
		  "the host's DMA controller, which reaches all "
		  "memory" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300];

		one(t, rows[i].first, rows[i].count);
		close_nodes(t, 3);
		snprintf(text, sizeof(text),
			 "/guests/a: ports: has 0x%x to 0x%x, which is %s: "
			 "give ports of a device of the host's from 0x100 to "
			 "0x3ff that are nobody's",
			 rows[i].first, rows[i].first + rows[i].count - 1,
			 rows[i].why);
		expect_error(t, text);
	}
}

static void test_shape(void **state)
{
	static const uint32_t words[12] = { 0x100, 1, 0x101, 1, 0x102, 1,
					    0x103, 1, 0x104, 1, 0x105, 1 };
	struct tree *t = *state;

	one(t, 0x378, 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has no ports at 0x378: each pair is "
			"the first one and how many");
	one(t, 0, 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has no ports");
	one(t, 0x378, UINT32_MAX);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has 4294967295 ports from 0x378 on, "
			"past 0xffff");
	one(t, 0xffff, 2);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has 2 ports from 0xffff on, past "
			"0xffff");
	begin(t);
	ports(t, "a", words, 3);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: must be pairs of numbers");
	begin(t);
	ports(t, "a", words, 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: must be pairs of numbers");
	begin(t);
	ports(t, "a", words, 12);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has 6 pairs, at most 5 fit");
}

/* Who has them already. */
static void test_users(void **state)
{
	static const uint32_t twice[] = { 0x378, 3, 0x200, 8, 0x37a, 1 };
	static const uint32_t other[] = { 0x278, 3, 0x207, 1 };
	struct tree *t = *state;

	begin(t);
	ports(t, "a", twice, 6);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has 0x37a to 0x37a, which /guests/a "
			"has, too: give it to one of them, once");
	begin(t);
	ports(t, "a", twice, 4);
	close_nodes(t, 1);
	ports(t, "b", other, 4);
	close_nodes(t, 3);
	expect_error(t, "/guests/b: ports: has 0x207 to 0x207, which /guests/a "
			"has, too: give it to one of them, once");
	begin(t);
	ports(t, "a", twice, 2);
	fdt_property(t->blob, "parallel0", NULL, 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/a: ports: has 0x378 to 0x37a, which is the "
			"guest's parallel0: give ports of a device of the "
			"host's from 0x100 to 0x3ff that are nobody's");
	one(t, 0x31f, 1);
	fdt_begin_node(t->blob, "nic0");
	fdt_property_string(t->blob, "model", "ne2000");
	fdt_property_string(t->blob, "switch", "lan0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a: ports: has 0x31f to 0x31f, which is the "
			"guest's network card: give ports of a device of the "
			"host's from 0x100 to 0x3ff that are nobody's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
	};

	return cmocka_run_group_tests_name("manifest ports", tests, NULL, NULL);
}
