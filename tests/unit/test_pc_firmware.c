/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board pc where old systems look: CMOS memory, the A20 gate, and what a
 * kernel finds that is started without a BIOS.
 */
#include "tests/unit/pc_test.h"

#include "firmware/acpi_layout.h"

/* ---- CMOS -------------------------------------------------------------- */

/* Of 10h to 2Dh, as setup programs and drivers of CMOS memory sum it up. */
static void expect_checksum(void)
{
	unsigned sum = 0;

	for (uint8_t i = 0x10; i <= 0x2d; i++)
		sum += cmos(i);
	assert_int_equal(cmos(0x2e) << 8 | cmos(0x2f), sum);
}

/* RAM of 16 MiB, three vCPUs; no disk: no type, no geometry. */
static void test_cmos(void **state)
{
	static const struct {
		uint8_t cell, value;
	} rows[] = {
		{ 0x10, 0 },	{ 0x12, 0 },	{ 0x14, 0x06 }, { 0x15, 0x80 },
		{ 0x16, 0x02 },			/* KiB below 1 MiB */
		{ 0x17, 0x00 }, { 0x18, 0x3c }, /* and above it */
		{ 0x19, 0 },	{ 0x1d, 0 },	{ 0x30, 0x00 }, { 0x31, 0x3c },
		{ 0x33, 0x80 }, { 0x34, 0 },	{ 0x35, 0 },	{ 0x3d, 0x32 },
		{ 0x5b, 0 },	{ 0x5f, 2 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(cmos(rows[i].cell), rows[i].value);
	expect_checksum();
}

static void add_disk(unsigned unit, bool is_cdrom, uint64_t sectors)
{
	unsigned i = bench.config.disk_count++;

	bench.config.disk[i] = (struct machine_disk_config){
		.bus = MACHINE_DISK_IDE,
		.unit = (uint8_t)unit,
		.is_cdrom = is_cdrom,
	};
	bench.disk[i].sector_count = sectors;
}

static void expect_cells(uint8_t first, const uint8_t *cells, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(cmos((uint8_t)(first + i)), cells[i]);
}

/* The geometry that the drives' IDENTIFY shows, and no CD-ROM's. */
static void test_cmos_disks(void **state)
{
	static const uint8_t small[] = { 0x65, 0,    16, 0xff, 0xff,
					 0xc8, 0x65, 0,	 63 };
	static const uint8_t large[] = { 0xff, 0x3f, 16,   0xff, 0xff,
					 0xc8, 0xff, 0x3f, 63 };

	(void)state;
	add_disk(0, false, 0x65 * 16 * 63 + 5);
	add_disk(1, false, 1ULL << 32);
	add_disk(2, false, 1024 * 16 * 63 + 1);
	add_disk(3, true, 4096);
	assert_int_equal(init(), 0);
	assert_int_equal(cmos(0x12), 0xff);
	assert_int_equal(cmos(0x19), 47);
	assert_int_equal(cmos(0x1a), 47);
	expect_cells(0x1b, small, sizeof(small));
	expect_cells(0x24, large, sizeof(large));
	assert_int_equal(cmos(0x39), 0x14);
	expect_checksum();
	pc_reset(bench.pc);
	assert_int_equal(cmos(0x12), 0xff);
	expect_checksum();
}

/* One that is the second alone, and a CD-ROM as the first. */
static void test_cmos_slave(void **state)
{
	(void)state;
	add_disk(0, true, 4096);
	add_disk(1, false, 1);
	assert_int_equal(init(), 0);
	assert_int_equal(cmos(0x12), 0x0f);
	assert_int_equal(cmos(0x19), 0);
	assert_int_equal(cmos(0x1a), 47);
	assert_int_equal(cmos(0x1b), 0);
	assert_int_equal(cmos(0x24), 1); /* no drive has less */
	assert_int_equal(cmos(0x39), 0);
	expect_checksum();
}

/* ---- ACPI --------------------------------------------------------------- */

static unsigned read_file(const char *name, char *to, unsigned size);
static uint32_t config_get(unsigned slot, unsigned function, unsigned offset);

/* Where the FADT that firmware fetches now has the PM timer. */
static uint32_t timer_of_fadt(void)
{
	static char tables[ACPI_TABLES_SIZE];
	unsigned length = read_file(ACPI_FILE_TABLES, tables, sizeof(tables));
	uint32_t port = 0;

	for (unsigned i = 0; i + sizeof(struct acpi_fadt) <= length; i++)
		if (!memcmp(tables + i, "FACP", 4))
			memcpy(&port,
			       tables + i +
				       offsetof(struct acpi_fadt, pm_tmr_blk),
			       sizeof(port));
	return port;
}

/* OVMF has the block at B000h, SeaBIOS at 600h; a reset takes it away. */
static void test_pm_moves(void **state)
{
	static const uint16_t bases[] = { 0xb000, 0x600, 0xb000 };

	(void)state;
	assert_int_equal(timer_of_fadt(), 0x608);
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		(void)config_get(1, 3, 0x80);
		out(0xcfc, 1, 1);
		(void)config_get(1, 3, 0x40);
		out(0xcfc, bases[i] | 1, 4);
		assert_int_equal(timer_of_fadt(), bases[i] + 8);
		assert_int_not_equal(in((uint16_t)(bases[i] + 8), 4), ~0U);
		pc_reset(bench.pc);
	}
}

/* ---- Boot order and menu ------------------------------------------------ */

/* The file's contents by fw_cfg; its length, 0: there is none. */
static unsigned read_file(const char *name, char *to, unsigned size)
{
	struct io_access io = { .offset = 0x511, .size = 1 };
	struct fw_cfg_file file;
	unsigned count, length = 0, key = 0;
	uint8_t number[4];

	out(0x510, FW_CFG_FILE_DIR, 2);
	assert_int_equal(pc_port_bulk(bench.pc, &io, number, 4), 4);
	for (count = number[3]; count; count--) {
		(void)pc_port_bulk(bench.pc, &io, &file, sizeof(file));
		if (strcmp(file.name, name))
			continue;
		length = (unsigned)(file.size[2] << 8 | file.size[3]);
		key = (unsigned)(file.select[0] << 8 | file.select[1]);
	}
	if (length) {
		assert_true(length <= size);
		out(0x510, key, 2);
		(void)pc_port_bulk(bench.pc, &io, to, length);
	}
	return length;
}

static void test_boot_order(void **state)
{
	static const char want[] = "/pci@i0cf8/ide@1,1/drive@1/disk@1\n"
				   "/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
				   "/pci@i0cf8/ide@1,1/drive@0/disk@1";
	char got[256];

	(void)state;
	add_disk(0, false, 1);
	add_disk(1, true, 4096);
	add_disk(2, false, 1);
	add_disk(3, true, 4096);
	assert_int_equal(init(), 0);
	assert_int_equal(read_file("bootorder", got, sizeof(got)), 0);
	bench.config.disk[0].boot_index = 5;
	bench.config.disk[1].boot_index = 8;
	bench.config.disk[3].boot_index = 1;
	assert_int_equal(init(), 0);
	assert_int_equal(read_file("bootorder", got, sizeof(got)),
			 sizeof(want));
	assert_string_equal(got, want);
	bench.config.disk[2].boot_index = 2;
	assert_int_equal(init(), 0);
	assert_true(read_file("bootorder", got, sizeof(got)) > sizeof(want));
	/* A network card has its turn among them. */
	bench.config.nic_count = 2;
	bench.config.nic[0].model = MACHINE_NIC_E1000;
	bench.config.nic[1] = (struct machine_nic_config){
		.model = MACHINE_NIC_E1000,
		.boot_index = 3,
	};
	assert_int_equal(init(), 0);
	assert_true(read_file("bootorder", got, sizeof(got)) > 0);
	assert_non_null(strstr(got, "drive@1/disk@0\n"
				    "/pci@i0cf8/ethernet@4/ethernet-phy@0\n"
				    "/pci@i0cf8/ide@1,1/drive@0/disk@0"));
	assert_null(strstr(got, "ethernet@3"));
}

/* An adapter is there for its drives alone, each with a place of its own. */
static void scsi_try(unsigned bus, unsigned slot, unsigned units,
		     const char *want)
{
	struct machine_disk_config *disk = bench.config.disk;
	char got[256];

	bench.config.disk_count = 0;
	add_disk(0, false, 1);
	add_disk(1, true, 4096);
	assert_int_equal(init(), 0);
	assert_null(bench.pc->pci.device[PCI_DEVFN(slot, 0)]);
	disk[0].bus = disk[1].bus = (uint8_t)bus;
	disk[0].boot_index = 2;
	disk[1].boot_index = 1;
	disk[1].unit = 0;
	assert_int_equal(init(), -EEXIST);
	disk[1].unit = (uint8_t)units;
	assert_int_equal(init(), -EINVAL);
	disk[1].unit = 6;
	assert_int_equal(init(), 0);
	assert_non_null(bench.pc->pci.device[PCI_DEVFN(slot, 0)]);
	assert_int_equal(read_file("bootorder", got, sizeof(got)),
			 strlen(want) + 1);
	assert_string_equal(got, want);
}

static void test_scsi(void **state)
{
	(void)state;
	scsi_try(MACHINE_DISK_LSI, 9, LSI_TARGETS,
		 "/pci@i0cf8/scsi@9/channel@0/disk@6,0\n"
		 "/pci@i0cf8/scsi@9/channel@0/disk@0,0");
	assert_int_equal(bench.pc->lsi.target[0].drive.kind, SCSI_DRIVE_DISK);
	assert_int_equal(bench.pc->lsi.target[6].drive.kind, SCSI_DRIVE_CDROM);
}

static void test_virtio_scsi(void **state)
{
	const struct virtio_scsi_target *target =
		bench.pc->virtio_disks.scsi.target;

	(void)state;
	scsi_try(MACHINE_DISK_VIRTIO_SCSI, 24, VIRTIO_SCSI_TARGETS,
		 "/pci@i0cf8/scsi@18/channel@0/disk@6,0\n"
		 "/pci@i0cf8/scsi@18/channel@0/disk@0,0");
	assert_int_equal(target[0].drive.kind, SCSI_DRIVE_DISK);
	assert_int_equal(target[6].drive.kind, SCSI_DRIVE_CDROM);
	assert_int_equal(bench.pc->virtio_disks.scsi.queues,
			 bench.config.vcpu_count);
}

/* Behind all RAM; what reads there reads the image, what writes finds nothing.
 */
static void test_pmem(void **state)
{
	static uint8_t image[MIB(2)]
		__attribute__((aligned(PAGE_SIZE))) = { 0x5a,
							[MIB(2) - 1] = 0xa5 };
	struct machine_disk_config *disk = bench.config.disk;
	uint8_t *at;

	(void)state;
	add_disk(0, false, MIB(2) / BLOCK_SECTOR);
	disk[0].bus = MACHINE_DISK_PMEM;
	disk[0].va = (uint64_t)image;
	disk[0].sector_count = MIB(2) / BLOCK_SECTOR;
	assert_int_equal(init(), 0);
	assert_non_null(bench.pc->pci.device[PCI_DEVFN(29, 0)]);
	assert_int_equal(bench.module_gpa, GIB(4));
	at = pc_ram_at(bench.pc, GIB(4), MIB(2), false);
	assert_ptr_equal(at, image);
	assert_null(pc_ram_at(bench.pc, GIB(4), 1, true));
	assert_null(pc_ram_at(bench.pc, GIB(4) + MIB(2) - 1, 2, false));
	assert_null(pc_ram_at(bench.pc, GIB(4) - 1, 1, true));
	assert_true(bench.pc->pci.window[1].base >= GIB(4) + MIB(2));
	disk[0].sector_count--;
	assert_int_equal(init(), -EINVAL);
	disk[0].sector_count++;
	disk[0].unit = VIRTIO_PMEMS;
	assert_int_equal(init(), -EINVAL);
	disk[0].unit = 0;
	disk[0].sector_count = 1ULL << 60 >> 9;
	assert_int_equal(init(), -ERANGE);
}

/* Each model is itself, and has its own option ROM if it may start. */
static void test_network_cards(void **state)
{
	static const struct {
		uint8_t model;
		uint32_t id;
	} models[] = {
		{ MACHINE_NIC_E1000, 0x100e8086 },
		{ MACHINE_NIC_RTL8139, 0x813910ec },
		{ MACHINE_NIC_PCNET, 0x20001022 },
		{ MACHINE_NIC_NE2000_PCI, 0x802910ec },
		{ MACHINE_NIC_E1000E, 0x10d38086 },
	};
	static const uint8_t roms[ARRAY_SIZE(models)][2048];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(models); i++)
		bench.config.blob[bench.config.blob_count++] =
			(struct machine_blob){
				.kind = machine_nic_rom(models[i].model),
				.va = (uint64_t)(uintptr_t)roms[i],
				.size = sizeof(roms[i]),
			};
	bench.config.nic_count = 2;
	for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
		bench.config.nic[0].model = models[0].model;
		bench.config.nic[1] = (struct machine_nic_config){
			.model = models[i].model,
			.boot_index = 3,
		};
		assert_int_equal(init(), 0);
		assert_int_equal(config_get(3, 0, 0), models[0].id);
		assert_int_equal(config_get(4, 0, 0), models[i].id);
		assert_null(bench.pc->pci.device[PCI_DEVFN(3, 0)]->rom);
		assert_ptr_equal(bench.pc->pci.device[PCI_DEVFN(4, 0)]->rom,
				 roms[i]);
	}
	bench.config.nic[1].model = MACHINE_NIC_NONE;
	assert_int_equal(init(), -EINVAL);
	bench.config.nic[1].model = MACHINE_NIC_MODELS;
	assert_int_equal(init(), -EINVAL);
}

static void add_floppy(unsigned unit, enum floppy_drive drive)
{
	struct machine_disk_config *disk =
		&bench.config.disk[bench.config.disk_count++];

	*disk = (struct machine_disk_config){ .bus = MACHINE_DISK_FLOPPY,
					      .unit = (uint8_t)unit,
					      .floppy_drive = drive };
}

/* What firmware is told of floppy drives, and how they are wired. */
static void test_floppies(void **state)
{
	static const char want[] = "/pci@i0cf8/isa@1/fdc@03f0/floppy@1\n"
				   "/pci@i0cf8/isa@1/fdc@03f0/floppy@0";
	char got[256];

	(void)state;
	assert_int_equal(init(), 0);
	assert_int_equal(cmos(0x10), 0);
	assert_int_equal(cmos(0x14), 0x06);
	assert_int_equal(in(0x3f4, 1), 0xff); /* no drive, no controller */
	assert_false(bench.pc->board.features & BOARD_HAS_FLOPPY);
	add_floppy(1, FLOPPY_DRIVE_1200K);
	assert_int_equal(init(), 0);
	assert_int_equal(cmos(0x10), 0x02);
	assert_int_equal(cmos(0x14), 0x07);
	add_floppy(0, FLOPPY_DRIVE_2880K);
	bench.config.disk[0].boot_index = 1;
	bench.config.disk[1].boot_index = 2;
	assert_int_equal(init(), 0);
	assert_int_equal(cmos(0x10), 0x52);
	assert_int_equal(cmos(0x14), 0x47);
	assert_int_equal(cmos(0x38), 0x10);
	assert_true(bench.pc->board.features & BOARD_HAS_FLOPPY);
	assert_int_equal(read_file("bootorder", got, sizeof(got)),
			 sizeof(want));
	assert_string_equal(got, want);
	/* Out of reset it interrupts by IRQ 6. */
	out(0x3f2, 0x0c, 1);
	bench.now_ns += 1000000;
	clock_run(&bench.clock);
	assert_true(bench.pc->wires.isa_lines & BIT(6));
	add_floppy(1, FLOPPY_DRIVE_1440K); /* there is one already */
	assert_int_equal(init(), -EINVAL);
}

static void test_boot_menu(void **state)
{
	char got[8];

	(void)state;
	assert_int_equal(init(), 0);
	out(0x510, FW_CFG_BOOT_MENU, 2);
	assert_int_equal(in(0x511, 1), 0);
	assert_int_equal(read_file("etc/boot-menu-wait", got, sizeof(got)), 0);
	bench.config.boot_menu_ms = 0x1234;
	assert_int_equal(init(), 0);
	out(0x510, FW_CFG_BOOT_MENU, 2);
	assert_int_equal(in(0x511, 1), 1);
	assert_int_equal(in(0x511, 1), 0);
	assert_int_equal(read_file("etc/boot-menu-wait", got, sizeof(got)), 2);
	assert_memory_equal(got, "\x34\x12", 2);
}

/* ---- The A20 gate ------------------------------------------------------ */

static void expect_gate_on(void)
{
	struct emul_window window[EMUL_WINDOWS];

	assert_int_equal(kind(0x100000), GATE_MAP_RAM);
	assert_int_equal(offset(0x100000), 0x100000);
	assert_int_equal(offset(0x1a0000), 0x1a0000);
	assert_int_equal(kind(0x1b0000), GATE_MAP_RAM);
	assert_int_equal(offset(0x1ff000), 0x1ff000);
	assert_int_equal(kind(0x300000), GATE_MAP_RAM);
	assert_int_equal(offset(0x300000), 0x300000);
	assert_ptr_equal(pc_ram_at(bench.pc, 0x100000, 4, true),
			 bench.window + 0x100000);
	pc_emulator_windows(bench.pc, window);
	assert_int_equal(window[0].start, 0x100000);
}

static void expect_gate_off(void)
{
	struct emul_window window[EMUL_WINDOWS];

	assert_int_equal(kind(0x100000), GATE_MAP_RAM);
	assert_int_equal(offset(0x100000), 0);
	assert_int_equal(offset(0x19f000), 0x9f000);
	assert_int_equal(kind(0x1a0000), GATE_MAP_NONE);
	assert_int_equal(kind(0x1bf000), GATE_MAP_NONE);
	assert_int_equal(kind(0x1c0000), kind(0xc0000));
	assert_int_equal(kind(0x1ff000), GATE_MAP_ROM);
	assert_int_equal(offset(0x1ff000), offset(0xff000));
	/* The emulator's: odd megabytes are even ones. */
	assert_int_equal(kind(0x200000), GATE_MAP_NONE);
	assert_int_equal(kind(0x300000), GATE_MAP_NONE);
	for (gpa_t gpa = 0; gpa < RAM; gpa += MIB(1) / 4)
		assert_ptr_equal(pc_ram_at(bench.pc, gpa, 4, false),
				 pc_ram_at(bench.pc, gpa & ~MIB(1), 4, false));
	assert_ptr_equal(pc_ram_at(bench.pc, 0x312345, 1, true),
			 bench.window + 0x212345);
	assert_null(pc_ram_at(bench.pc, 0x1ffffe, 4, false));
	pc_emulator_windows(bench.pc, window);
	for (unsigned i = 0; i < EMUL_WINDOWS; i++)
		assert_true(window[i].start + window[i].size <= 0xa0000);
	assert_int_equal(window[0].size, 0xa0000);
	/* Firmware is not behind it, nor is what a bus master sees. */
	assert_non_null(pc_ram_at(bench.pc, 0xfffffff0, 16, false));
	assert_ptr_equal(guest_ram_at(&bench.pc->ram, 0x100000, 4),
			 bench.window + 0x100000);
}

static void kbc_write(uint8_t command, uint8_t data)
{
	out(0x64, command, 1);
	out(0x60, data, 1);
}

/* Each way to the gate, and that only a change of it costs anything. */
static void test_a20(void **state)
{
	(void)state;
	expect_gate_on();
	out(0x92, 0x00, 1);
	expect_gate_off();
	bench.kind[0x100000 / PAGE_SIZE] = GATE_MAP_COUNT;
	out(0x92, 0x00, 1);
	kbc_write(0xd1, 0xdd);
	assert_int_equal(kind(0x100000), GATE_MAP_COUNT);
	out(0x92, 0x02, 1);
	expect_gate_on();
	kbc_write(0xd1, 0xdd);
	expect_gate_off();
	assert_int_equal(in(0x92, 1) & 2, 0);
	kbc_write(0xd1, 0xdf);
	expect_gate_on();
	out(0x64, 0xdd, 1);
	expect_gate_off();
	out(0x64, 0xdf, 1);
	expect_gate_on();
	out(0x92, 0x00, 1);
	pc_reset(bench.pc);
	expect_gate_on();
	assert_int_equal(in(0x92, 1) & 2, 2);
}

/* Shadow RAM and the VGA's window show above 1 MiB, too, and follow. */
static void test_a20_below_1m(void **state)
{
	(void)state;
	out(0x92, 0x00, 1);
	config(0, 0x59, 0x30, 1); /* F0000h: RAM, for both */
	assert_int_equal(kind(0x1f0000), GATE_MAP_RAM);
	assert_int_equal(offset(0x1f0000), 0xf0000);
	config(0, 0x59, 0x20, 1); /* writes only */
	assert_int_equal(kind(0x1f0000), GATE_MAP_ROM);
	store(0x1f0004, 0x5a, 1);
	assert_int_equal(bench.window[0xf0004], 0x5a);
	out(0x3c2, 0x03, 1);
	out(0x3c4, 0x0e04, 2); /* chain 4 */
	out(0x3c4, 0x0f02, 2);
	out(0x3ce, 0x4005, 2);
	out(0x3ce, 0x0506, 2); /* A0000h, 64 KiB */
	out(0x3ce, 0xff08, 2);
	store(0x1a0010, 0x77, 1);
	assert_int_equal(load(0x1a0010, 1), 0x77);
	out(0x92, 0x02, 1);
	assert_int_equal(load(0xa0010, 1), 0x77);
	assert_int_equal(kind(0x1f0000), GATE_MAP_RAM);
	assert_int_equal(offset(0x1f0000), 0x1f0000);
}

static void remap_wanted(void *ctx)
{
	(void)ctx;
	bench.remaps++;
}

/* With vCPUs that run, it is done when all are at a stop, not before. */
static void test_a20_deferred(void **state)
{
	struct board_host_ops deferring = ops;

	(void)state;
	deferring.remap = remap_wanted;
	bench.pc->ops = &deferring;
	out(0x92, 0x00, 1);
	assert_int_equal(bench.remaps, 1);
	expect_gate_on();
	pc_remap(bench.pc);
	expect_gate_off();
	/* There and back before it is done: nothing is left to do. */
	out(0x92, 0x02, 1);
	out(0x92, 0x00, 1);
	assert_int_equal(bench.remaps, 2);
	pc_remap(bench.pc);
	expect_gate_off();
	bench.pc->ops = &ops;
}

/* ---- Without a BIOS ---------------------------------------------------- */

static uint32_t kernel[64];

static int prepare_kernel(void **state)
{
	static const uint32_t header[] = {
		0x1badb002, 1 << 16,  -(0x1badb002u + (1 << 16)),
		0x200000,   0x200000, 0,
		0,	    0x200020,
	};

	(void)prepare(state);
	memcpy(kernel, header, sizeof(header));
	bench.config.blob[0] = (struct machine_blob){
		.kind = MACHINE_BLOB_KERNEL,
		.va = (uint64_t)kernel,
		.size = sizeof(kernel),
	};
	add_disk(0, false, 100 * 16 * 63);
	add_disk(1, false, 2000 * 16 * 63);
	return 0;
}

static uint32_t config_get(unsigned slot, unsigned function, unsigned offset)
{
	out(0xcf8, 0x80000000 | slot << 11 | function << 8 | offset, 4);
	return in(0xcfc, 4);
}

static uint32_t low(gpa_t gpa, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, bench.window + gpa, size);
	return value;
}

static void expect_chipset(void)
{
	uint32_t master = config_get(1, 1, 0x20);

	assert_int_equal(config_get(1, 1, 0x40), 0x80008000);
	assert_int_equal(config_get(1, 1, 0x04) & 5, 5);
	assert_true(master & 1 && (master & 0xfffc) >= 0xc000);
	assert_int_equal(in((uint16_t)(master & 0xfffc), 1), 0);
	assert_int_equal(config_get(1, 0, 0x60), 0x0b0b0a0a);
	assert_int_equal(config_get(1, 3, 0x3c) & 0xff, 9);
	assert_true(bench.vram_gpa >= bench.pc->board.pci_hole_base);
	assert_int_equal(config_get(2, 0, 0x10) & ~0xfu, bench.vram_gpa);
	assert_int_equal(config_get(2, 0, 0x30) & 1, 0);
	assert_int_equal(in(0x4d1, 1), 0x0e);
	assert_int_equal(in(0x21, 1), 0xf8);
	assert_int_equal(in(0xa1, 1), 0x8e);
	assert_int_equal(in(0x64, 1) & 1, 0); /* nothing waits there */
}

static void expect_tables(void)
{
	gpa_t first = low(0x41 * 4 + 2, 2) * 16 + low(0x41 * 4, 2);
	gpa_t second = low(0x46 * 4 + 2, 2) * 16 + low(0x46 * 4, 2);

	assert_int_equal(low(0x475, 1), 2);
	assert_int_equal(low(first, 2), 100);
	assert_int_equal(low(second, 2), 2000);
	assert_int_equal(low(second + 2, 1), 16);
	assert_int_equal(low(second + 8, 1), 0xc8);
	assert_int_equal(low(second + 14, 1), 63);
	assert_int_equal(low(0x40e, 2), 0x9fc0);
	assert_int_equal(low(0x413, 2), 639);
	assert_int_equal(low(0x449, 1), 3);
	assert_int_equal(low(0x46c, 4), 0); /* midnight of 1970 */
	for (unsigned i = 0; i < 256; i++)
		assert_true(low(i * 4 + 2, 2) >= 0x9fc0);
	assert_int_equal(low(low(0x10 * 4 + 2, 2) * 16 + low(0x10 * 4, 2), 1),
			 0xcf);
}

/* IRQ 0 and IRQ 8 come at the vectors that a BIOS gives them. */
static void expect_vectors(void)
{
	out(0x21, 0xfb, 1);
	bench.now_ns += 60 * NSEC_PER_MS;
	clock_run(&bench.clock);
	assert_false(bench.intr);
	out(0x21, 0xfa, 1);
	assert_true(bench.intr);
	assert_int_equal(pc_intack(bench.pc), 0x08);
	out(0x20, 0x20, 1);
	out(0x70, 0x0b, 1);
	out(0x71, 0x42, 1);
	bench.now_ns += 2 * NSEC_PER_MS;
	clock_run(&bench.clock);
	assert_true(bench.intr);
	assert_int_equal(pc_intack(bench.pc), 0x70);
}

static void expect_screen(void)
{
	unsigned dots = 0;

	assert_int_equal(load(0xb8000, 4), 0x07200720);
	assert_int_equal(load(0xbfffc, 4), 0x07200720);
	out(0x3c4, 0x0604, 2);
	out(0x3ce, 0x0204, 2);
	out(0x3ce, 0x0005, 2);
	out(0x3ce, 0x0406, 2);
	for (unsigned i = 0; i < 16; i++) {
		dots |= load(0xa0000 + '0' * 32 + i, 1);
		assert_int_equal(load(0xa0000 + i, 1), 0);
	}
	assert_int_equal(dots, 0x7c);
}

static void test_kernel(void **state)
{
	struct x86_state x = { 0 };

	(void)state;
	assert_int_equal(init(), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pc_boot(bench.pc, &x), 0);
		assert_int_equal(x.rip, 0x200020);
		expect_chipset();
		expect_tables();
		expect_vectors();
		expect_screen();
		pc_reset(bench.pc);
		bench.now_ns = 0;
	}
}

/* With a BIOS the guest starts there, and finds the kernel by fw_cfg. */
static void test_kernel_and_bios(void **state)
{
	struct x86_state x = { 0 };

	(void)state;
	bench.config.blob[1] = (struct machine_blob){
		.kind = MACHINE_BLOB_BIOS,
		.va = (uint64_t)bench.bios,
		.size = BIOS,
	};
	bench.config.blob_count = 2;
	assert_int_equal(init(), 0);
	assert_int_equal(pc_boot(bench.pc, &x), 0);
	assert_int_equal(x.dirty, 0);
	assert_int_equal(in(0x21, 1), 0);
	assert_int_equal(low(0x200000, 4), 0);
	out(0x510, BOOTROM_KEY_HANDOVER, 2);
	assert_int_equal(in(0x511, 1), 0x20);
	assert_int_equal(in(0x511, 1), 0x00);
	assert_int_equal(in(0x511, 1), 0x20);
	out(0x510, BOOTROM_KEY_FIRST_SOURCE + DIRECT_FROM_KERNEL, 2);
	assert_int_equal(in(0x511, 1), 0x02);
	assert_int_equal(in(0x511, 1), 0xb0);
	out(0x510, BOOTROM_KEY_NOTHING, 2);
	assert_int_equal(in(0x511, 1), 0);
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_cmos, setup),
		TEST(test_cmos_disks, prepare),
		TEST(test_cmos_slave, prepare),
		TEST(test_pm_moves, setup),
		TEST(test_boot_order, prepare),
		TEST(test_scsi, prepare),
		TEST(test_virtio_scsi, prepare),
		TEST(test_pmem, prepare),
		TEST(test_network_cards, prepare),
		TEST(test_floppies, prepare),
		TEST(test_boot_menu, prepare),
		TEST(test_a20, setup),
		TEST(test_a20_below_1m, setup),
		TEST(test_a20_deferred, setup),
		TEST(test_kernel, prepare_kernel),
		TEST(test_kernel_and_bios, prepare_kernel),
	};

	return cmocka_run_group_tests_name("pc_firmware", tests, NULL, NULL);
}
