/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in fw_cfg in a manifest. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

static void item(struct tree *t, const char *node, const char *name)
{
	fdt_begin_node(t->blob, node);
	fdt_property_string(t->blob, "item", name);
}

static void one(struct tree *t, const char *name)
{
	begin(t);
	guest(t, "a");
	item(t, "fw-cfg0", name);
}

static void test_items(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t, "opt/org.example/file");
	fdt_property_string(t->blob, "file", "f.bin");
	close_nodes(t, 1);
	item(t, "fw-cfg9", "opt/org.example/text");
	fdt_property_string(t->blob, "string", "two words");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->item_count, 2);
	assert_int_equal(g->disk_count, 0);
	assert_string_equal(g->item[0].item, "opt/org.example/file");
	assert_string_equal(g->item[0].file, "f.bin");
	assert_string_equal(g->item[0].text, "");
	assert_string_equal(g->item[1].file, "");
	assert_string_equal(g->item[1].text, "two words");
}

static void test_wrong_items(void **state)
{
	struct tree *t = *state;

	one(t, "opt/x");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: needs a file or a string, and not "
			"both");
	one(t, "opt/x");
	fdt_property_string(t->blob, "file", "f.bin");
	fdt_property_string(t->blob, "string", "x");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: needs a file or a string, and not "
			"both");
	one(t, "opt/a b");
	fdt_property_string(t->blob, "string", "x");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: item: must be ASCII characters "
			"without spaces");
	one(t, "opt/x");
	fdt_property_string(t->blob, "string", "x");
	close_nodes(t, 1);
	item(t, "fw-cfg1", "opt/x");
	fdt_property_string(t->blob, "string", "y");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg1: item: \"opt/x\" is there already");
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "fw-cfg0");
	fdt_property_string(t->blob, "string", "x");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: item: is missing");
	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "program", "p.elf");
	item(t, "fw-cfg0", "opt/x");
	fdt_property_string(t->blob, "string", "x");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: is for the board's machine, not "
			"for a program");
}

/* The longest name and text, and a character more. */
static void test_lengths(void **state)
{
	struct tree *t = *state;
	char name[57], text[257];

	memset(name, 'n', sizeof(name));
	memset(text, 't', sizeof(text));
	name[55] = text[255] = '\0';
	one(t, name);
	fdt_property_string(t->blob, "string", text);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_string_equal(t->manifest.guest[0].item[0].item, name);
	assert_string_equal(t->manifest.guest[0].item[0].text, text);
	text[255] = 't';
	text[256] = '\0';
	one(t, name);
	fdt_property_string(t->blob, "string", text);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: string: has 256 characters, at "
			"most 255 fit");
	name[55] = 'n';
	name[56] = '\0';
	one(t, name);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/fw-cfg0: item: has 56 characters, at most "
			"55 fit");
}

/* As many as there are names. */
static void test_all(void **state)
{
	struct tree *t = *state;
	char node[16], name[16];

	begin(t);
	guest(t, "a");
	for (unsigned i = 0; i < MANIFEST_ITEMS_MAX; i++) {
		(void)snprintf(node, sizeof(node), "fw-cfg%u", i);
		(void)snprintf(name, sizeof(name), "opt/%u", i);
		item(t, node, name);
		fdt_property_string(t->blob, "string", name);
		close_nodes(t, 1);
	}
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest[0].item_count, MANIFEST_ITEMS_MAX);
	assert_string_equal(t->manifest.guest[0].item[9].text, "opt/9");
	begin(t);
	guest(t, "a");
	item(t, "fw-cfg10", "opt/x");
	close_nodes(t, 4);
	expect_error(
		t, "/guests/a/fw-cfg10: no such node here: known are disk0..9, "
		   "cdrom0..9, floppy0, floppy1, flash0, pmem0, pmem1, "
		   "folder0..9, nic0..9, usb0, fw-cfg0..9, cpu, acpi, fault");
}

/* Only a flattened tree that somebody made by hand has a name twice. */
static void test_too_many(void **state)
{
	struct tree *t = *state;
	char name[16];

	begin(t);
	guest(t, "a");
	for (unsigned i = 0; i <= MANIFEST_ITEMS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "opt/%u", i);
		item(t, "fw-cfg3", name);
		fdt_property_string(t->blob, "string", name);
		close_nodes(t, 1);
	}
	close_nodes(t, 3);
	expect_error(t, "/guests/a/fw-cfg3: is more than the 10 that fit");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_items), TEST(test_wrong_items), TEST(test_lengths),
		TEST(test_all),	  TEST(test_too_many),
	};

	return cmocka_run_group_tests_name("manifest_items", tests, NULL, NULL);
}
