/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: what ACPI's tables are like. */
#include "tests/unit/manifest_test.h"

static void acpi_begin(struct tree *t)
{
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "acpi");
}

static const struct machine_acpi *acpi(struct tree *t)
{
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	return &t->manifest.guest[0].acpi;
}

static void test_default(void **state)
{
	struct tree *t = *state;
	const struct machine_acpi *found;

	acpi_begin(t);
	found = acpi(t);
	assert_int_equal(found->revisions, 0);
	assert_int_equal(found->sleep, 0);
	assert_int_equal(found->processors, 0);
}

static void test_tables(void **state)
{
	static const struct {
		const char *text;
		uint32_t revision;
		bool and_1;
	} rows[] = {
		{ "1.0", 1, false },	{ "2.0", 3, false },
		{ "3.0", 4, false },	{ "5.0", 5, false },
		{ "6.0", 6, false },	{ "1.0+2.0", 3, true },
		{ "1.0+3.0", 4, true }, { "1.0+5.0", 5, true },
		{ "1.0+6.0", 6, true },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t revisions;

		acpi_begin(t);
		fdt_property_string(t->blob, "tables", rows[i].text);
		revisions = acpi(t)->revisions;
		assert_int_equal(revisions & MACHINE_ACPI_FADT,
				 rows[i].revision);
		assert_int_equal(!!(revisions & MACHINE_ACPI_AND_1),
				 rows[i].and_1);
	}
}

static void test_sleep(void **state)
{
	static const char both[] = "s3\0s4";
	struct tree *t = *state;
	const struct machine_acpi *found;

	acpi_begin(t);
	fdt_property(t->blob, "sleep", both, sizeof(both));
	fdt_property_u32(t->blob, "processors", 15);
	found = acpi(t);
	assert_int_equal(found->sleep, MACHINE_SLEEP_S3 | MACHINE_SLEEP_S4);
	assert_int_equal(found->processors, 15);
}

static void test_wrong(void **state)
{
	struct tree *t = *state;

	acpi_begin(t);
	fdt_property_string(t->blob, "tables", "4.0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/acpi: tables: is \"4.0\", known are: 1.0, "
			"2.0, 3.0, 5.0, 6.0, 1.0+2.0, 1.0+3.0, 1.0+5.0, "
			"1.0+6.0");
	acpi_begin(t);
	fdt_property_string(t->blob, "sleep", "s1");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/acpi: sleep: is \"s1\", known are: s3, s4");
	acpi_begin(t);
	fdt_property_u32(t->blob, "processors", 0);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/acpi: processors: is 0, must be 1 to 32");
	acpi_begin(t);
	fdt_begin_node(t->blob, "fadt");
	close_nodes(t, 5);
	expect_error(t, "/guests/a/acpi/fadt: no such node here");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_default),
		TEST(test_tables),
		TEST(test_sleep),
		TEST(test_wrong),
	};

	return cmocka_run_group_tests_name("manifest_acpi", tests, NULL, NULL);
}
