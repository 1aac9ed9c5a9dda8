/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests of a node with a count, and what is checked of all guests together. */
#include "tests/unit/manifest_test.h"

#include <stdio.h>

#include "init/policy.h"

static void copies(struct tree *t, const char *name, uint32_t count)
{
	guest(t, name);
	fdt_property_u32(t->blob, "count", count);
}

static void card(struct tree *t, const char *name, const char *mac)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "model", "e1000");
	fdt_property_string(t->blob, "switch", "lan0");
	if (mac)
		fdt_property_string(t->blob, "mac", mac);
	close_nodes(t, 1);
}

/* ---- Copies -------------------------------------------------------------- */

static void test_copies(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *made = t->manifest.guest;

	begin(t);
	guest(t, "first");
	close_nodes(t, 1);
	copies(t, "web", 3);
	fdt_property_string(t->blob, "kernel", "vmlinux");
	fdt_property_string(t->blob, "cmdline", "host=web%n n=%n %d%");
	card(t, "nic0", NULL);
	card(t, "nic1", "52:54:00:00:ff:ff");
	fdt_begin_node(t->blob, "fw-cfg0");
	fdt_property_string(t->blob, "item", "opt/name");
	fdt_property_string(t->blob, "string", "number %n");
	close_nodes(t, 2);
	guest(t, "last");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest_count, 5);
	assert_string_equal(made[1].name, "web-1");
	assert_string_equal(made[3].name, "web-3");
	assert_string_equal(made[4].name, "last");
	assert_string_equal(made[4].node, "");
	assert_string_equal(made[1].cmdline, "host=web1 n=1 %d%");
	assert_string_equal(made[3].cmdline, "host=web3 n=3 %d%");
	assert_string_equal(made[2].item[0].text, "number 2");
	assert_memory_equal(made[1].nic[1].mac, "\x52\x54\0\0\xff\xff", 6);
	assert_memory_equal(made[3].nic[1].mac, "\x52\x54\0\x1\0\x1", 6);
	for (unsigned i = 1; i < 3; i++)
		assert_memory_not_equal(made[i].nic[0].mac,
					made[i + 1].nic[0].mac, 6);
	assert_string_equal(guest_label(&made[2]), "web");
	assert_true(guest_is_called(&made[2], "web"));
	assert_true(guest_is_called(&made[2], "web-2"));
	assert_false(guest_is_called(&made[2], "web-3"));
	assert_false(guest_is_called(&made[4], ""));
}

static void test_one_copy(void **state)
{
	struct tree *t = *state;

	begin(t);
	copies(t, "web", 1);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest_count, 1);
	assert_string_equal(t->manifest.guest[0].name, "web-1");
}

/* As many as there can be, and one more. */
static void test_most(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "first");
	close_nodes(t, 1);
	copies(t, "web", MANIFEST_GUESTS_MAX - 1);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest_count, MANIFEST_GUESTS_MAX);
	begin(t);
	guest(t, "first");
	close_nodes(t, 1);
	copies(t, "web", MANIFEST_GUESTS_MAX);
	close_nodes(t, 3);
	expect_error(t, "/guests/web: count: makes 81 guests with those "
			"before, at most 80 can be");
	begin(t);
	copies(t, "web", 0);
	close_nodes(t, 3);
	expect_error(t, "/guests/web: count: is 0, must be 1 to 80");
}

static void test_taken(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "web-2");
	close_nodes(t, 1);
	copies(t, "web", 2);
	close_nodes(t, 3);
	expect_error(t, "/guests/web: count: makes a guest web-2, and there is "
			"one: rename it");
	begin(t);
	copies(t, "web", 2);
	close_nodes(t, 1);
	guest(t, "web-2");
	close_nodes(t, 3);
	expect_error(t, "/guests/web-2: its name is taken already: rename it");
	begin(t);
	guest(t, "db");
	card(t, "nic0", "52:54:00:00:00:03");
	close_nodes(t, 1);
	copies(t, "web", 3);
	card(t, "nic0", "52:54:00:00:00:01");
	close_nodes(t, 3);
	expect_error(t, "/guests/web: count: gives web-3 the address of "
			"/guests/db/nic0: give its card another mac");
}

static void test_too_long(void **state)
{
	static char cmdline[MANIFEST_CMDLINE_SIZE];
	struct tree *t = *state;

	begin(t);
	copies(t, "abcdefghijklmnopqrstu", 10);
	close_nodes(t, 3);
	expect_error(t, "/guests/abcdefghijklmnopqrstu: count: makes names of "
			"more than 23 characters: make the node's shorter");
	/* Of copy 10 as long as it was, of others shorter. */
	memset(cmdline, 'x', sizeof(cmdline) - 1);
	memcpy(cmdline, "%n", 2);
	for (unsigned count = 10; count <= 11; count++) {
		begin(t);
		copies(t, "web", count);
		fdt_property_string(t->blob, "kernel", "vmlinux");
		fdt_property_string(t->blob, "cmdline", cmdline);
		close_nodes(t, 3);
		assert_int_equal(parse(t), 0);
		assert_int_equal(strlen(t->manifest.guest[8].cmdline),
				 sizeof(cmdline) - 2);
		assert_int_equal(strlen(t->manifest.guest[9].cmdline),
				 sizeof(cmdline) - 1);
	}
}

/* What one guest alone can have. */
static void test_alone(void **state)
{
	const fdt32_t ports[] = { cpu_to_fdt32(0x378), cpu_to_fdt32(3) };
	struct tree *t = *state;

	begin(t);
	copies(t, "web", 2);
	fdt_property(t->blob, "ports", ports, sizeof(ports));
	close_nodes(t, 3);
	expect_error(t, "/guests/web: count: excludes ports: one guest alone "
			"can have a device of the host's");
	begin(t);
	guest(t, "web");
	fdt_property_u32(t->blob, "count", 2);
	fdt_begin_node(t->blob, "vsock0");
	fdt_property_u32(t->blob, "cid", 3);
	fdt_property_string(t->blob, "peer", "db");
	close_nodes(t, 4);
	expect_error(t, "/guests/web: count: excludes vsock0: one guest alone "
			"can have its cid");
	for (unsigned is_read_only = 0; is_read_only < 2; is_read_only++) {
		begin(t);
		copies(t, "web", 2);
		fdt_begin_node(t->blob, "disk0");
		fdt_property_string(t->blob, "bus", "ide");
		fdt_property_string(t->blob, "source", "file:x.img");
		if (is_read_only)
			fdt_property(t->blob, "read-only", NULL, 0);
		close_nodes(t, 4);
		if (is_read_only)
			assert_int_equal(parse(t), 0);
		else
			expect_error(t, "/guests/web: count: excludes writing "
					"to disk0's source: make it "
					"read-only, or give it overlay = "
					"\"memory\"");
	}
}

/* ---- All together -------------------------------------------------------- */

static void test_cards(void **state)
{
	struct tree *t = *state;

	for (unsigned is_over = 0; is_over < 2; is_over++) {
		begin(t);
		copies(t, "web", MANIFEST_CARDS_MAX / 2);
		card(t, "nic0", NULL);
		card(t, "nic1", NULL);
		close_nodes(t, 1);
		guest(t, "last");
		if (is_over)
			card(t, "nic0", NULL);
		close_nodes(t, 3);
		if (is_over)
			expect_error(t, "/guests: have 113 network cards, at "
					"most 112 can be");
		else
			assert_int_equal(parse(t), 0);
	}
}

static void test_clients(void **state)
{
	struct tree *t = *state;

	for (unsigned is_over = 0; is_over < 2; is_over++) {
		begin(t);
		copies(t, "web", MANIFEST_CLIENTS_MAX + is_over);
		fdt_begin_node(t->blob, "disk0");
		fdt_property_string(t->blob, "bus", "ide");
		fdt_property_string(t->blob, "source", "file:x.img");
		fdt_property(t->blob, "read-only", NULL, 0);
		close_nodes(t, 4);
		if (is_over)
			expect_error(t, "/guests: have disks with a source in "
					"17 guests, at most 16 can: give "
					"others an image");
		else
			assert_int_equal(parse(t), 0);
	}
}

static void after(struct tree *t, const char *name, const char *list,
		  size_t size)
{
	guest(t, name);
	if (size)
		fdt_property(t->blob, "start-after", list, (int)size);
	close_nodes(t, 1);
}
#define AFTER(t, name, list) after(t, name, list, sizeof(list))

static bool has(const uint64_t *set, unsigned n)
{
	return set[n / 64] >> n % 64 & 1;
}

static void test_order(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *made = t->manifest.guest;

	begin(t);
	AFTER(t, "a", "b\0many");
	AFTER(t, "b", "c");
	after(t, "c", "", 0);
	copies(t, "many", 70);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_true(has(made[0].after, 1));
	assert_false(has(made[0].after, 2));
	assert_true(has(made[0].after, 3) && has(made[0].after, 72));
	assert_true(has(made[0].after_all, 2));
	assert_true(has(made[1].after, 2));
	assert_int_equal(made[2].after_all[0] | made[2].after_all[1], 0);
	assert_int_equal(made[0].shutdown_ms, 30000);
}

static void test_order_refused(void **state)
{
	struct tree *t = *state;

	begin(t);
	AFTER(t, "a", "nobody");
	close_nodes(t, 2);
	expect_error(t, "/guests/a: start-after: \"nobody\" is no guest: give "
			"the name of one, or of a node with a count");
	begin(t);
	AFTER(t, "a", "a");
	close_nodes(t, 2);
	expect_error(t, "/guests/a: start-after: goes round in a circle, so "
			"that none would start: a after a");
	/* x waits for the circle, and is not in it. */
	begin(t);
	AFTER(t, "x", "a");
	AFTER(t, "a", "b");
	AFTER(t, "b", "c");
	AFTER(t, "c", "a");
	close_nodes(t, 2);
	expect_error(t, "/guests/a: start-after: goes round in a circle, so "
			"that none would start: a after b after c after a");
	begin(t);
	copies(t, "web", 2);
	fdt_property_string(t->blob, "start-after", "web-1");
	close_nodes(t, 3);
	expect_error(t, "/guests/web: start-after: goes round in a circle, so "
			"that none would start: web-1 after web-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_most, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("manifest copies", tests, NULL,
					   NULL);
}
