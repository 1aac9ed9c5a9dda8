/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: faults on purpose. */
#include "tests/unit/manifest_test.h"

#include <stdio.h>

/* Of property one: so many cells. */
struct row {
	const char *property;
	unsigned count;
	uint32_t cell[3];
	const char *why; /* NULL: it is taken */
};

enum parts { PARTS_NONE, PARTS_DISK = 1, PARTS_FLASH = 2, PARTS_ALL = 3 };

static void write_node(struct tree *t, enum parts parts)
{
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "fault");
	fdt_property_u32(t->blob, "power-cut-torn", 0);
	fdt_end_node(t->blob);
	if (parts & PARTS_DISK) {
		fdt_begin_node(t->blob, "disk0");
		fdt_property_string(t->blob, "bus", "ide");
		fdt_property_string(t->blob, "image", "a.img");
		fdt_property_u32(t->blob, "unit", 2);
		fdt_end_node(t->blob);
	}
	if (parts & PARTS_FLASH) {
		fdt_begin_node(t->blob, "flash0");
		fdt_property_string(t->blob, "image", "vars.fd");
		fdt_end_node(t->blob);
	}
	close_nodes(t, 3);
}

/* The node's properties are not at hand any more: the tree is opened for more.
 */
static void write_fault(struct tree *t, enum parts parts,
			const struct row *rows, unsigned count)
{
	fdt32_t cells[3];
	int node;

	write_node(t, parts);
	assert_int_equal(fdt_finish(t->blob), 0);
	assert_int_equal(fdt_open_into(t->blob, t->blob, SIZE), 0);
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < rows[i].count; j++)
			cells[j] = cpu_to_fdt32(rows[i].cell[j]);
		node = fdt_path_offset(t->blob, "/guests/a/fault");
		assert_int_equal(fdt_setprop(t->blob, node, rows[i].property,
					     cells, (int)(rows[i].count * 4)),
				 0);
	}
}

static int read_back(struct tree *t)
{
	return manifest_parse(&t->manifest, t->blob, SIZE, t->error,
			      sizeof(t->error));
}

static void test_all(void **state)
{
	static const struct row rows[] = {
		{ "disk-error", 1, { 1234 }, NULL },
		{ "disk-unit", 1, { 2 }, NULL },
		{ "flash-fail", 1, { 3 }, NULL },
		{ "flash-torn", 1, { 4 }, NULL },
		{ "power-cut", 1, { 5 }, NULL },
		{ "power-cut-torn", 1, { UINT32_MAX }, NULL },
		{ "irq-lost", 2, { 0, 7 }, NULL },
		{ "irq-late", 3, { 15, 8, 900 }, NULL },
	};
	struct tree *t = *state;
	const struct machine_fault *fault = &t->manifest.guest[0].fault;

	write_fault(t, PARTS_ALL, rows, ARRAY_SIZE(rows));
	assert_int_equal(read_back(t), 0);
	assert_int_equal(t->manifest.guest[0].disk_count, 2);
	assert_true(fault->has_disk_error);
	assert_int_equal(fault->disk_sector, 1234);
	assert_int_equal(fault->disk_unit, 2);
	assert_int_equal(fault->flash_fail, 3);
	assert_int_equal(fault->flash_torn, 4);
	assert_int_equal(fault->power_cut, 5);
	assert_int_equal(fault->power_cut_torn, UINT32_MAX);
	assert_int_equal(fault->irq[0].line, 0);
	assert_int_equal(fault->irq[0].nth, 7);
	assert_int_equal(fault->irq[0].late_us, 0);
	assert_int_equal(fault->irq[1].line, 15);
	assert_int_equal(fault->irq[1].nth, 8);
	assert_int_equal(fault->irq[1].late_us, 900);
}

/* Sector 0 is one, and no fault is none. */
static void test_zero(void **state)
{
	static const struct row rows[] = {
		{ "disk-error", 1, { 0 }, NULL },
		{ "disk-unit", 1, { 2 }, NULL },
	};
	static const struct machine_fault none;
	struct tree *t = *state;

	write_fault(t, PARTS_DISK, rows, ARRAY_SIZE(rows));
	assert_int_equal(read_back(t), 0);
	assert_true(t->manifest.guest[0].fault.has_disk_error);
	write_fault(t, PARTS_DISK, NULL, 0);
	assert_int_equal(read_back(t), 0);
	assert_memory_equal(&t->manifest.guest[0].fault, &none, sizeof(none));
}

static void test_refused(void **state)
{
	/* clang-format off */
	static const struct { enum parts parts; struct row row; } rows[] = {
		{ PARTS_ALL, { "disk-eror", 1, { 1 },
		  "disk-eror: no such property here" } },
		{ PARTS_ALL, { "disk-error", 1, { 1 },
		  "disk-error: there is no drive at unit 0" } },
		{ PARTS_ALL, { "disk-unit", 1, { 2 },
		  "disk-unit: needs disk-error" } },
		{ PARTS_ALL, { "disk-unit", 1, { 4 },
		  "disk-unit: is 4, must be 0 to 3" } },
		{ PARTS_DISK, { "flash-fail", 1, { 1 },
		  "flash-fail: there is no flash memory" } },
		{ PARTS_DISK, { "flash-torn", 1, { 1 },
		  "flash-torn: there is no flash memory" } },
		{ PARTS_NONE, { "power-cut", 1, { 1 },
		  "power-cut: there is nothing that lasts: neither disk nor "
		  "flash memory" } },
		{ PARTS_ALL, { "power-cut", 2, { 1, 2 },
		  "power-cut: must be one number, as in <1>" } },
		{ PARTS_ALL, { "irq-lost", 1, { 1 },
		  "irq-lost: must be 2 numbers" } },
		{ PARTS_ALL, { "irq-late", 2, { 1, 2 },
		  "irq-late: must be 3 numbers" } },
		{ PARTS_ALL, { "irq-lost", 2, { 16, 1 },
		  "irq-lost: its line is 16, must be 0 to 15" } },
		{ PARTS_ALL, { "irq-late", 3, { 16, 1, 1 },
		  "irq-late: its line is 16, must be 0 to 15" } },
	};
	/* clang-format on */
	struct tree *t = *state;
	char wanted[MANIFEST_ERROR_SIZE];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		write_fault(t, rows[i].parts, &rows[i].row, 1);
		if (rows[i].parts == PARTS_NONE)
			assert_int_equal(
				fdt_delprop(t->blob,
					    fdt_path_offset(t->blob,
							    "/guests/a/fault"),
					    "power-cut-torn"),
				0);
		snprintf(wanted, sizeof(wanted), "/guests/a/fault: %s",
			 rows[i].row.why);
		assert_int_equal(read_back(t), -EINVAL);
		assert_string_equal(t->error, wanted);
	}
}

static void test_no_child(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "fault");
	fdt_begin_node(t->blob, "b");
	close_nodes(t, 5);
	expect_error(t, "/guests/a/fault/b: no such node here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_child, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
