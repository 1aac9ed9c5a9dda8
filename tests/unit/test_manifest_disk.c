/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: disks at AHCI, and what a disk tells of itself. */
#include "tests/unit/manifest_test.h"

static void drive_begin(struct tree *t, const char *name, const char *bus)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", bus);
	fdt_property_string(t->blob, "image", "a.img");
}

static void cells(struct tree *t, const char *name, uint32_t a, uint32_t b,
		  uint32_t c)
{
	const fdt32_t value[] = { cpu_to_fdt32(a), cpu_to_fdt32(b),
				  cpu_to_fdt32(c) };

	fdt_property(t->blob, name, value, sizeof(value));
}

static void test_buses(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	drive_begin(t, "disk0", "ahci");
	close_nodes(t, 1);
	drive_begin(t, "disk1", "ide");
	close_nodes(t, 1);
	drive_begin(t, "disk2", "ahci");
	fdt_property_u32(t->blob, "unit", 5);
	close_nodes(t, 1);
	drive_begin(t, "cdrom0", "ahci");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(d[0].bus, MACHINE_DISK_AHCI);
	assert_int_equal(d[0].unit, 0);
	/* Each bus has its own units. */
	assert_int_equal(d[1].bus, MACHINE_DISK_IDE);
	assert_int_equal(d[1].unit, 0);
	assert_int_equal(d[2].unit, 5);
	assert_int_equal(d[3].unit, 1);
	assert_true(d[3].is_cdrom);
}

static void test_lsi(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	drive_begin(t, "disk0", "lsi");
	fdt_property_u32(t->blob, "delay-us", 50);
	fdt_property_string(t->blob, "serial", "S1");
	fdt_property_string(t->blob, "model", "M1");
	close_nodes(t, 1);
	drive_begin(t, "disk1", "lsi");
	fdt_property_u32(t->blob, "unit", 6);
	close_nodes(t, 1);
	drive_begin(t, "cdrom0", "lsi");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(d[0].bus, MACHINE_DISK_LSI);
	assert_int_equal(d[0].unit, 0);
	assert_int_equal(d[0].delay_us, 50);
	assert_string_equal(d[0].serial, "S1");
	assert_string_equal(d[0].model, "M1");
	assert_int_equal(d[1].unit, 6);
	assert_int_equal(d[2].unit, 1);
	assert_true(d[2].is_cdrom);
}

static void test_virtio(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	drive_begin(t, "disk0", "virtio");
	fdt_property_u32(t->blob, "queues", 4);
	fdt_property_u32(t->blob, "sector-size", 4096);
	fdt_property_string(t->blob, "serial", "S1");
	close_nodes(t, 1);
	drive_begin(t, "disk1", "virtio");
	fdt_property_u32(t->blob, "unit", 7);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(d[0].bus, MACHINE_DISK_VIRTIO);
	assert_int_equal(d[0].unit, 0);
	assert_int_equal(d[0].queues, 4);
	assert_int_equal(d[0].sector_size, 4096);
	assert_string_equal(d[0].serial, "S1");
	assert_int_equal(d[1].unit, 7);
	assert_int_equal(d[1].queues, 0);
}

/* Targets are numbered by themselves, and drives open. */
static void test_virtio_scsi(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	drive_begin(t, "disk0", "virtio-scsi");
	fdt_property_string(t->blob, "serial", "S1");
	fdt_property_string(t->blob, "model", "M1");
	close_nodes(t, 1);
	drive_begin(t, "disk1", "virtio");
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "cdrom0");
	fdt_property_string(t->blob, "bus", "virtio-scsi");
	fdt_property(t->blob, "images", "a.iso\0b.iso", 12);
	fdt_property_u32(t->blob, "unit", 7);
	close_nodes(t, 1);
	drive_begin(t, "cdrom1", "virtio-scsi");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(d[0].bus, MACHINE_DISK_VIRTIO_SCSI);
	assert_int_equal(d[0].unit, 0);
	assert_string_equal(d[0].serial, "S1");
	assert_string_equal(d[0].model, "M1");
	assert_int_equal(d[1].unit, 0);
	assert_int_equal(d[2].unit, 7);
	assert_true(d[2].is_cdrom && d[2].is_read_only);
	assert_string_equal(d[2].image[1], "b.iso");
	assert_int_equal(d[3].unit, 1);
}

static void pmem(struct tree *t, const char *name)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "image", "a.img");
	close_nodes(t, 1);
}

static void test_pmem(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	pmem(t, "pmem1");
	pmem(t, "pmem0");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(d[i].bus, MACHINE_DISK_PMEM);
		assert_int_equal(d[i].unit, !i);
		assert_true(d[i].is_read_only);
		assert_string_equal(d[i].image[0], "a.img");
	}
	begin(t);
	guest(t, "a");
	pmem(t, "pmem2");
	close_nodes(t, 3);
	expect_error(t, "/guests/a/pmem2: no such node here: known are pmem0 "
			"and pmem1");
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "pmem0");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/pmem0: image: is missing");
	begin(t);
	guest(t, "a");
	drive_begin(t, "pmem0", "ide");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/pmem0: bus: no such property here");
}

static void test_identity(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	drive_begin(t, "disk0", "ide");
	fdt_property_u32(t->blob, "delay-us", 250);
	cells(t, "geometry", 1024, 8, 17);
	fdt_property_string(t->blob, "serial", "20 characters long..");
	fdt_property_string(t->blob, "model", "ST3144A");
	close_nodes(t, 1);
	drive_begin(t, "disk1", "ahci");
	fdt_property_u32(t->blob, "sector-size", 4096);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(d[0].delay_us, 250);
	assert_int_equal(d[0].geometry[0], 1024);
	assert_int_equal(d[0].geometry[1], 8);
	assert_int_equal(d[0].geometry[2], 17);
	assert_string_equal(d[0].serial, "20 characters long..");
	assert_string_equal(d[0].model, "ST3144A");
	assert_int_equal(d[0].sector_size, 0);
	assert_int_equal(d[1].sector_size, 4096);
	assert_int_equal(d[1].delay_us, 0);
}

enum kind { CELL, CELLS, TEXT };

static const struct {
	const char *name, *bus, *property;
	enum kind kind;
	uint32_t value[3];
	const char *text, *why;
} refusals[] = {
	{ "disk0",
	  "sata",
	  NULL,
	  CELL,
	  { 0 },
	  NULL,
	  "/guests/a/disk0: bus: is \"sata\", known are: ide, ahci, "
	  "lsi, usb, virtio, virtio-scsi" },
	{ "disk0",
	  "virtio",
	  "unit",
	  CELL,
	  { 8 },
	  NULL,
	  "/guests/a/disk0: unit: is 8, must be 0 to 7" },
	{ "disk0",
	  "virtio",
	  "queues",
	  CELL,
	  { 17 },
	  NULL,
	  "/guests/a/disk0: queues: is 17, must be 1 to 16" },
	{ "disk0",
	  "ide",
	  "queues",
	  CELL,
	  { 2 },
	  NULL,
	  "/guests/a/disk0: queues: is for disks on the bus \"virtio\"" },
	{ "disk0",
	  "virtio",
	  "geometry",
	  CELLS,
	  { 1, 16, 63 },
	  NULL,
	  "/guests/a/disk0: geometry: is nothing that a disk on the bus "
	  "\"virtio\" has: leave it out" },
	{ "cdrom0",
	  "virtio",
	  "unit",
	  CELL,
	  { 0 },
	  NULL,
	  "/guests/a/cdrom0: bus: is \"virtio\", which has no CD-ROM drives: "
	  "put it on the bus \"virtio-scsi\"" },
	{ "disk0",
	  "virtio-scsi",
	  "unit",
	  CELL,
	  { 8 },
	  NULL,
	  "/guests/a/disk0: unit: is 8, must be 0 to 7" },
	{ "disk0",
	  "virtio-scsi",
	  "queues",
	  CELL,
	  { 2 },
	  NULL,
	  "/guests/a/disk0: queues: is for disks on the bus \"virtio\"" },
	{ "disk0",
	  "virtio-scsi",
	  "sector-size",
	  CELL,
	  { 4096 },
	  NULL,
	  "/guests/a/disk0: sector-size: is for drives on the buses \"ide\" "
	  "and \"ahci\"" },
	{ "disk0",
	  "lsi",
	  "unit",
	  CELL,
	  { 7 },
	  NULL,
	  "/guests/a/disk0: unit: is 7, must be 0 to 6" },
	{ "disk0",
	  "lsi",
	  "geometry",
	  CELLS,
	  { 1, 16, 63 },
	  NULL,
	  "/guests/a/disk0: geometry: is for drives on the buses \"ide\" and "
	  "\"ahci\"" },
	{ "disk0",
	  "lsi",
	  "sector-size",
	  CELL,
	  { 4096 },
	  NULL,
	  "/guests/a/disk0: sector-size: is for drives on the buses \"ide\" "
	  "and \"ahci\"" },
	{ "disk0",
	  "ahci",
	  "unit",
	  CELL,
	  { 6 },
	  NULL,
	  "/guests/a/disk0: unit: is 6, must be 0 to 5" },
	{ "disk0",
	  "ide",
	  "unit",
	  CELL,
	  { 5 },
	  NULL,
	  "/guests/a/disk0: unit: is 5, must be 0 to 3" },
	{ "disk0",
	  "ide",
	  "delay-us",
	  CELL,
	  { 0 },
	  NULL,
	  "/guests/a/disk0: delay-us: is 0, must be 1 to 1000000" },
	{ "disk0",
	  "ide",
	  "geometry",
	  CELLS,
	  { 0, 16, 63 },
	  NULL,
	  "/guests/a/disk0: geometry: has 0 cylinders, must be 1 to "
	  "16383" },
	{ "disk0",
	  "ide",
	  "geometry",
	  CELLS,
	  { 1, 17, 63 },
	  NULL,
	  "/guests/a/disk0: geometry: has 17 heads, must be 1 to 16" },
	{ "disk0",
	  "ide",
	  "geometry",
	  CELLS,
	  { 1, 16, 64 },
	  NULL,
	  "/guests/a/disk0: geometry: has 64 sectors, must be 1 to "
	  "63" },
	{ "cdrom0",
	  "ide",
	  "geometry",
	  CELLS,
	  { 1, 16, 63 },
	  NULL,
	  "/guests/a/cdrom0: geometry: is for disks" },
	{ "cdrom0",
	  "ahci",
	  "sector-size",
	  CELL,
	  { 4096 },
	  NULL,
	  "/guests/a/cdrom0: sector-size: is for disks" },
	{ "disk0",
	  "ahci",
	  "sector-size",
	  CELL,
	  { 1024 },
	  NULL,
	  "/guests/a/disk0: sector-size: is 1024, must be 512 or "
	  "4096" },
	{ "disk0",
	  "ide",
	  "sector-size",
	  CELL,
	  { 4096 },
	  NULL,
	  "/guests/a/disk0: sector-size: is 4096, which IDE cannot "
	  "have: put the disk on the bus \"ahci\"" },
	{ "disk0",
	  "ide",
	  "serial",
	  TEXT,
	  { 0 },
	  "21 characters, really",
	  "/guests/a/disk0: serial: has 21 characters, at most 20 "
	  "fit" },
	{ "disk0",
	  "ide",
	  "model",
	  TEXT,
	  { 0 },
	  "tab\there",
	  "/guests/a/disk0: model: must be ASCII characters" },
	{ .name = "disk0",
	  .bus = "usb",
	  .property = "delay-us",
	  .kind = CELL,
	  .value = { 50 },
	  .text = "x",
	  .why = "/guests/a/disk0: delay-us: is for drives on the buses "
		 "\"ide\" and \"ahci\"" },
	{ .name = "disk0",
	  .bus = "usb",
	  .property = "geometry",
	  .kind = CELLS,
	  .value = { 7, 5, 3 },
	  .text = "x",
	  .why = "/guests/a/disk0: geometry: is for drives on the buses "
		 "\"ide\" and \"ahci\"" },
	{ .name = "disk0",
	  .bus = "usb",
	  .property = "sector-size",
	  .kind = CELL,
	  .value = { 4096 },
	  .text = "x",
	  .why = "/guests/a/disk0: sector-size: is for drives on the buses "
		 "\"ide\" and \"ahci\"" },
	{ .name = "disk0",
	  .bus = "usb",
	  .property = "serial",
	  .kind = TEXT,
	  .value = { 0 },
	  .text = "x",
	  .why = "/guests/a/disk0: serial: is for drives on the buses "
		 "\"ide\" and \"ahci\"" },
	{ .name = "disk0",
	  .bus = "usb",
	  .property = "model",
	  .kind = TEXT,
	  .value = { 0 },
	  .text = "x",
	  .why = "/guests/a/disk0: model: is for drives on the buses "
		 "\"ide\" and \"ahci\"" },
};

static void test_refused(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct tree *t = *state;

		begin(t);
		guest(t, "a");
		drive_begin(t, refusals[i].name, refusals[i].bus);
		if (refusals[i].kind == CELLS)
			cells(t, refusals[i].property, refusals[i].value[0],
			      refusals[i].value[1], refusals[i].value[2]);
		else if (refusals[i].kind == TEXT)
			fdt_property_string(t->blob, refusals[i].property,
					    refusals[i].text);
		else if (refusals[i].property)
			fdt_property_u32(t->blob, refusals[i].property,
					 refusals[i].value[0]);
		close_nodes(t, 4);
		expect_error(t, refusals[i].why);
	}
}

/* Media of a drive at AHCI cannot be changed. */
static void test_images(void **state)
{
	struct tree *t = *state;

	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "cdrom0");
	fdt_property_string(t->blob, "bus", "ahci");
	fdt_property(t->blob, "images", "a.iso\0b.iso", 12);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/cdrom0: images: is for CD-ROM drives on the "
			"buses \"ide\" and \"virtio-scsi\", and floppy "
			"drives");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_buses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lsi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_virtio_scsi, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_pmem, setup, teardown),
		cmocka_unit_test_setup_teardown(test_virtio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_images, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
