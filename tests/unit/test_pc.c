/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc: its wiring, its memory map and what it tells firmware. */
#include "tests/unit/pc_test.h"

#include <signal.h>
#include <sys/mman.h>

/* ---- Memory ------------------------------------------------------------ */

static void test_map(void **state)
{
	const uint8_t *at;

	(void)state;
	assert_int_equal(kind(0), GATE_MAP_RAM);
	assert_int_equal(kind(0x9f000), GATE_MAP_RAM);
	assert_int_equal(kind(0xa0000), GATE_MAP_NONE);
	assert_int_equal(kind(0xc0000), GATE_MAP_NONE);
	assert_int_equal(kind(0xdf000), GATE_MAP_NONE);
	assert_int_equal(kind(0xe0000), GATE_MAP_ROM);
	assert_int_equal(offset(0xe0000), RAM + VRAM + BIOS - KIB(128));
	assert_int_equal(offset(0xff000), RAM + VRAM + BIOS - KIB(4));
	assert_int_equal(kind(0x100000), GATE_MAP_RAM);
	assert_int_equal(offset(0x200000), 0x200000);
	/* The BIOS, below 4 GiB and below 1 MiB. */
	at = pc_ram_at(bench.pc, 0xffffffff - 4095, 4096, false);
	assert_non_null(at);
	assert_int_equal(at[0], BIOS / 4096 - 1);
	assert_null(pc_ram_at(bench.pc, 0xfffff000, 1, true));
	assert_non_null(pc_ram_at(bench.pc, 0x100000000 - BIOS, 1, false));
	assert_null(pc_ram_at(bench.pc, 0x100000000 - BIOS - 1, 1, false));
	assert_null(pc_ram_at(bench.pc, 0xffffffff, 2, false));
	at = pc_ram_at(bench.pc, 0xff000, 1, false);
	assert_int_equal(at[0], BIOS / 4096 - 1);
	assert_null(pc_ram_at(bench.pc, 0xff000, 1, true));
	assert_null(pc_ram_at(bench.pc, 0xc0000, 1, false));
	/* RAM and its ends. */
	assert_ptr_equal(pc_ram_at(bench.pc, 0, 0xa0000, true), bench.window);
	assert_null(pc_ram_at(bench.pc, 0x9ffff, 2, true));
	assert_non_null(pc_ram_at(bench.pc, RAM - 1, 1, true));
	assert_null(pc_ram_at(bench.pc, RAM - 1, 2, true));
	assert_null(pc_ram_at(bench.pc, RAM, 1, false));
	assert_null(pc_ram_at(bench.pc, ~0ULL, 2, false));
	assert_null(pc_ram_at(bench.pc, 0x100000000, 1, false));
}

static void test_shadow(void **state)
{
	uint8_t *bios_alias = bench.window + RAM + VRAM + BIOS - 0x10000;

	(void)state;
	/* Reads ROM, writes RAM: what a BIOS shadows itself with. */
	config(0, 0x59, 0x20, 1);
	assert_int_equal(kind(0xf0000), GATE_MAP_ROM);
	assert_int_equal(load(0xf0000, 1), bios_alias[0]);
	store(0xf0000, 0x11223344, 4);
	assert_memory_equal(bench.window + 0xf0000, "\x44\x33\x22\x11", 4);
	assert_int_equal(load(0xf0000, 1), bios_alias[0]);
	assert_null(pc_ram_at(bench.pc, 0xf0000, 1, true));
	/* Reads RAM, write-protected. */
	config(0, 0x59, 0x10, 1);
	assert_int_equal(kind(0xf0000), GATE_MAP_ROM);
	assert_int_equal(offset(0xf0000), 0xf0000);
	assert_int_equal(load(0xf0000, 4), 0x11223344);
	store(0xf0000, 0, 4);
	assert_int_equal(load(0xf0000, 4), 0x11223344);
	assert_non_null(pc_ram_at(bench.pc, 0xf0000, 1, false));
	assert_null(pc_ram_at(bench.pc, 0xf0000, 1, true));
	/* All RAM. */
	config(0, 0x59, 0x30, 1);
	assert_int_equal(kind(0xf0000), GATE_MAP_RAM);
	assert_non_null(pc_ram_at(bench.pc, 0xf0000, 0x4000, true));
	assert_null(pc_ram_at(bench.pc, 0xf2000, 0x4000, true));
	/* Without ROM behind: nothing to read. */
	assert_int_equal(load(0xc8000, 4), 0xffffffff);
	config(0, 0x5b, 0x02, 1);
	assert_int_equal(kind(0xc8000), GATE_MAP_NONE);
	store(0xc8000, 0x55, 1);
	assert_int_equal(load(0xc8000, 4), 0xffffffff);
	assert_int_equal(bench.window[0xc8000], 0x55);
	/* A reset brings the ROM back; RAM keeps what it has. */
	pc_reset(bench.pc);
	assert_int_equal(offset(0xf0000), RAM + VRAM + BIOS - 0x10000);
	assert_int_equal(bench.window[0xc8000], 0x55);
}

static void test_windows(void **state)
{
	struct emul_window window[EMUL_WINDOWS];

	(void)state;
	pc_emulator_windows(bench.pc, window);
	assert_int_equal(window[0].start, MIB(1));
	assert_int_equal(window[0].size, RAM - MIB(1));
	assert_ptr_equal(window[0].host, bench.window + MIB(1));
	assert_int_equal(window[1].start, 0);
	assert_int_equal(window[1].size, 0xa0000);
	assert_int_equal(window[2].size, 0);
}

static void test_video_memory(void **state)
{
	(void)state;
	config(2, 0x10, 0xe0000000, 4);
	assert_int_equal(bench.vram_gpa, 0);
	config(2, 0x04, 0x03, 2);
	assert_int_equal(bench.vram_gpa, 0xe0000000);
	assert_ptr_equal(pc_ram_at(bench.pc, 0xe0000010, 4, true),
			 bench.window + RAM + 0x10);
	assert_null(pc_ram_at(bench.pc, 0xe0000000 + VRAM, 1, true));
	config(2, 0x10, 0x00800000, 4); /* on top of RAM */
	assert_int_equal(bench.vram_gpa, 0);
	config(2, 0x10, 0xd0000000, 4);
	assert_int_equal(bench.vram_gpa, 0xd0000000);
	pc_reset(bench.pc);
	assert_int_equal(bench.vram_gpa, 0);
}

/* ---- What firmware reads ----------------------------------------------- */

static void test_fw_cfg(void **state)
{
	static const uint8_t want[8] = { 0, 0, 0, 1 }; /* RAM, 16 MiB */
	uint8_t got[8];
	struct io_access io = { .offset = 0x511, .size = 1 };

	(void)state;
	out(0x510, FW_CFG_RAM_SIZE, 2);
	assert_int_equal(pc_port_bulk(bench.pc, &io, got, 8), 8);
	assert_memory_equal(got, want, 8);
	out(0x510, FW_CFG_NB_CPUS, 2);
	assert_int_equal(in(0x511, 1), 3);
	out(0x510, FW_CFG_FILE_DIR, 2);
	assert_int_equal(pc_port_bulk(bench.pc, &io, got, 4), 4);
	assert_true(got[3] >= 6);
}

/* The bytes of a file in the directory; its length. */
static uint32_t read_item(const char *name, uint8_t *to, uint32_t size)
{
	struct io_access io = { .offset = 0x511, .size = 1 };
	struct fw_cfg_file file;
	uint8_t count[4];

	out(0x510, FW_CFG_FILE_DIR, 2);
	assert_int_equal(pc_port_bulk(bench.pc, &io, count, 4), 4);
	for (unsigned i = 0; i < count[3]; i++) {
		assert_int_equal(
			pc_port_bulk(bench.pc, &io, &file, sizeof(file)),
			sizeof(file));
		if (strcmp(file.name, name))
			continue;
		out(0x510, (uint32_t)(file.select[0] << 8 | file.select[1]), 2);
		assert_int_equal(pc_port_bulk(bench.pc, &io, to, size), size);
		return (uint32_t)file.size[2] << 8 | file.size[3];
	}
	return 0;
}

static void test_items(void **state)
{
	static const uint8_t bytes[3] = { 0, 1, 2 };
	uint8_t got[4];

	(void)state;
	bench.config.item_count = 2;
	bench.config.item[0] = (struct machine_item){ .name = "opt/file",
						      .va = (uint64_t)bytes,
						      .size = 3 };
	bench.config.item[1] = (struct machine_item){ .name = "opt/text",
						      .text = "yes",
						      .size = 3 };
	assert_int_equal(init(), 0);
	assert_int_equal(read_item("opt/file", got, 4), 3);
	assert_memory_equal(got, "\0\1\2", 4);
	assert_int_equal(read_item("opt/text", got, 4), 3);
	assert_memory_equal(got, "yes", 4);
	assert_int_equal(read_item("opt/none", got, 4), 0);
	assert_true(read_item("etc/acpi/tables", got, 4) > 0);
	/* What the board says nobody says otherwise. */
	memcpy(bench.config.item[1].name, "etc/acpi/tables", 16);
	assert_int_equal(init(), -EEXIST);
	assert_non_null(strstr(bench.logged, "tables"));
}

/* ---- Interrupts -------------------------------------------------------- */

static void program_pic(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} rows[] = { { 0x20, 0x11 }, { 0x21, 0x30 }, { 0x21, 4 }, { 0x21, 1 },
		     { 0xa0, 0x11 }, { 0xa1, 0x38 }, { 0xa1, 2 }, { 0xa1, 1 },
		     { 0x21, 0 },    { 0xa1, 0 } };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		out(rows[i].port, rows[i].value, 1);
}

static void program_ioapic(unsigned pin, uint32_t low)
{
	store(0xfec00000, 0x10 + 2 * pin, 4);
	store(0xfec00010, low, 4);
}

static void test_interrupts(void **state)
{
	(void)state;
	program_pic();
	assert_false(bench.intr);
	/* COM1: IRQ 4 at both. */
	program_ioapic(4, 0x44);
	out(0x3fc, 0x08, 1);
	out(0x3f9, 0x02, 1);
	assert_true(bench.intr);
	assert_int_equal(pc_intack(bench.pc), 0x34);
	assert_int_equal(bench.messages, 1);
	assert_int_equal(bench.message, 0x44);
	out(0x20, 0x20, 1);
	/* The timer: pin 0 here, pin 2 there. */
	program_ioapic(2, 0x42);
	program_ioapic(0, 0x40);
	out(0x43, 0x34, 1);
	out(0x40, 0xa9, 1);
	out(0x40, 0x04, 1);
	bench.now_ns += NSEC_PER_MS;
	clock_run(&bench.clock);
	assert_int_equal(pc_intack(bench.pc), 0x30);
	assert_int_equal(bench.message, 0x42);
	out(0x20, 0x20, 1);
}

static void test_shared_wire(void **state)
{
	unsigned pin = 9;

	(void)state;
	program_pic();
	out(0x4d1, 0x02, 1);
	program_ioapic(pin, 0x8049);
	/* PIRQA to IRQ 9, where the SCI is, too. */
	config(1, 0x60, 0x09, 1);
	config(1, 0x60, 0x80808009, 4);
	out(0xb2, PM_ACPI_ENABLE, 1);
	pci_intx_set(&bench.pc->pm.pci, true); /* slot 1 pin A: PIRQA */
	assert_true(bench.intr);
	assert_int_equal(bench.messages, 1);
	bench.pc->pm.state.gpe_enable = 1;
	bench.pc->pm.state.gpe_status = 1;
	piix4_pm_power_button(&bench.pc->pm); /* recomputes the SCI */
	pci_intx_set(&bench.pc->pm.pci, false);
	assert_true(bench.intr); /* the SCI still pulls */
	pc_ioapic_eoi(bench.pc, 0x49);
	assert_int_equal(bench.messages, 2);
	out(0xafe0, 1, 1);
	assert_false(bench.intr);
	pc_ioapic_eoi(bench.pc, 0x49);
	assert_int_equal(bench.messages, 2);
}

/* The test device's lines beside the devices', to both controllers. */
static void test_lines_in_hand(void **state)
{
	(void)state;
	assert_int_equal(in(0xe0, 4), 0xffffffff); /* not asked for */
	bench.config.devices = MACHINE_DEVICE_TEST;
	assert_int_equal(init(), 0);
	assert_int_equal(bench.pc->devices.count, 17 + 1 + 1);
	out(0xe0, 0x1234, 2);
	assert_int_equal(in(0xe8, 1), 0x34);
	store(0xff00fff8, 1, 8);
	assert_int_equal(load(0xff00fff8, 8), 1);
	program_pic();
	program_ioapic(4, 0x8044);
	program_ioapic(23, 0x57);
	out(0x2004, 1, 1);
	assert_int_equal(pc_intack(bench.pc), 0x34);
	assert_int_equal(bench.message, 0xc044 /* level, up */);
	out(0x20, 0x20, 1);
	/* COM1 raises and lowers the same wire, which is up already. */
	out(0x3fc, 0x08, 1);
	out(0x3f9, 0x02, 1);
	out(0x3f9, 0x00, 1);
	assert_false(bench.intr);
	assert_int_equal(bench.messages, 1);
	pc_ioapic_eoi(bench.pc, 0x44);
	assert_int_equal(bench.messages, 2);
	out(0x2004, 0, 1);
	pc_ioapic_eoi(bench.pc, 0x44);
	assert_int_equal(bench.messages, 2);
	out(0x2017, 1, 1);
	assert_int_equal(bench.message, 0x57);
	out(0x2005, 1, 1);
	pc_reset(bench.pc);
	program_pic();
	assert_false(bench.intr);
	/* The console has E9h. */
	bench.config.devices |= MACHINE_DEVICE_DEBUG_CONSOLE;
	assert_int_equal(init(), 0);
	assert_int_equal(in(0xe9, 1), 0xe9);
	assert_int_equal(in(0xe8, 1), 0xff);
	assert_int_equal(in(0xe0, 1), 0);
}

/* ---- The rest ---------------------------------------------------------- */

static void test_console(void **state)
{
	unsigned i;

	(void)state;
	out(0x3f8, 'x', 1);
	out(0x402, 'y', 1);
	out(0xe9, 'z', 1);
	assert_string_equal(bench.serial, "x");
	assert_string_equal(bench.debug, "y");
	assert_string_equal(bench.e9, "z");
	/* Input is 0, 1, 2 ...: one at a time without FIFOs. */
	bench.typed = 5;
	pc_console_input(bench.pc);
	assert_int_equal(bench.taken, 1);
	for (i = 0; i < 5; i++) {
		assert_int_equal(in(0x3fd, 1) & 1, 1);
		assert_int_equal(in(0x3f8, 1), i);
	}
	assert_int_equal(in(0x3fd, 1) & 1, 0);
	/* With FIFOs, and much more than they hold: nothing is lost. */
	out(0x3fa, 0x01, 1);
	bench.typed = 3000;
	pc_console_input(bench.pc);
	assert_int_equal(bench.taken, 5 + 16);
	for (; in(0x3fd, 1) & 1; i++)
		assert_int_equal(in(0x3f8, 1), i & 0xff);
	assert_int_equal(i, 3000);
	assert_int_equal(in(0x3fd, 1) & 2, 0);
}

/* LPT1: IRQ 7, a printer that is told of room, and only where it is asked for.
 */
static void test_parallel(void **state)
{
	(void)state;
	assert_int_equal(in(0x378, 1), 0xff);
	assert_int_equal(bench.pc->board.features & BOARD_HAS_LPT1, 0);
	bench.config.devices |= MACHINE_DEVICE_PARALLEL0;
	assert_int_equal(init(), 0);
	assert_int_equal(bench.pc->devices.count, 17 + 1 + 1);
	assert_true(bench.pc->board.features & BOARD_HAS_LPT1);
	program_pic();
	out(0x378, 'x', 1);
	out(0x37a, 0x1d, 1);
	out(0x37a, 0x1c, 1);
	assert_string_equal(bench.printed, "x");
	assert_true(bench.intr);
	assert_int_equal(pc_intack(bench.pc), 0x37);
	out(0x20, 0x20, 1);
	assert_int_equal(in(0x379, 1), 0x98);
	bench.is_printer_full = true;
	out(0x378, 'y', 1);
	out(0x37a, 0x1d, 1);
	out(0x37a, 0x1c, 1);
	assert_int_equal(in(0x379, 1), 0x5c);
	assert_false(bench.intr);
	bench.is_printer_full = false;
	pc_console_input(bench.pc);
	assert_string_equal(bench.printed, "xy");
	assert_true(bench.intr);
}

/* Ports of the host's at each width, and none but those. */
static void test_host_ports(void **state)
{
	static const unsigned widths[] = { 1, 2, 4 };

	(void)state;
	bench.config.ports[0] = (struct machine_ports){ 0x2e0, 4 };
	bench.config.ports[2] = (struct machine_ports){ 0x378, 3 };
	assert_int_equal(init(), 0);
	bench.host_value = 0x89abcdef;
	for (unsigned i = 0; i < ARRAY_SIZE(widths); i++) {
		uint32_t mask = (uint32_t)MASK(8 * widths[i] - 1, 0);

		assert_int_equal(in(0x2e0, widths[i]), 0x89abcdef & mask);
		assert_int_equal(bench.host_port, 0x2e0);
		assert_int_equal(bench.host_size, widths[i]);
	}
	out(0x2e2, 0x1234, 2);
	assert_int_equal(bench.host_port, 0x2e2);
	assert_int_equal(bench.host_size, 2);
	assert_int_equal(bench.host_value, 0x1234);
	/* Past its end: byte by byte, and nobody's is nobody's. */
	bench.host_accesses = 0;
	bench.host_value = 0x11;
	assert_int_equal(in(0x378, 4), 0xff111111);
	assert_int_equal(bench.host_accesses, 3);
	assert_int_equal(in(0x2df, 1), 0xff);
	assert_int_equal(in(0x2e4, 1), 0xff);
	assert_int_equal(in(0x37b, 1), 0xff);
	assert_int_equal(bench.host_accesses, 3);
	/* A board that has such a port is not built. */
	bench.config.devices |= MACHINE_DEVICE_PARALLEL0;
	assert_int_equal(init(), -EEXIST);
}

/* COM2: IRQ 3, a backend of its own, and only where it is asked for. */
static void test_second_serial(void **state)
{
	(void)state;
	assert_int_equal(in(0x2fd, 1), 0xff);
	assert_int_equal(bench.pc->board.features & BOARD_HAS_COM2, 0);
	bench.config.devices |= MACHINE_DEVICE_SERIAL1;
	assert_int_equal(init(), 0);
	assert_int_equal(bench.pc->devices.count, 17 + 1 + 1);
	assert_true(bench.pc->board.features & BOARD_HAS_COM2);
	out(0x2f8, 'x', 1);
	out(0x3f8, 'y', 1);
	assert_string_equal(bench.serial1, "x");
	assert_string_equal(bench.serial, "y");
	program_pic();
	out(0x2fc, 0x08, 1);
	out(0x2f9, 0x01, 1);
	assert_false(bench.intr);
	memcpy(bench.typed1, "ab", 3);
	pc_console_input(bench.pc);
	assert_true(bench.intr);
	assert_int_equal(pc_intack(bench.pc), 0x33);
	out(0x20, 0x20, 1);
	assert_int_equal(in(0x3fd, 1) & 1, 0);
	assert_int_equal(in(0x2f8, 1), 'a');
	assert_int_equal(in(0x2f8, 1), 'b');
	assert_int_equal(in(0x2fd, 1) & 1, 0);
	assert_int_equal(bench.taken, 0);
}

static void test_ways_out(void **state)
{
	(void)state;
	out(0x64, 0xfe, 1);
	assert_int_equal(bench.resets, 1);
	out(0xcf9, 0x06, 1);
	assert_int_equal(bench.resets, 2);
	out(0x92, 0x01, 1);
	assert_int_equal(bench.resets, 3);
	out(0xcf8, 0x80000b40, 4);
	out(0xcfc, 0x601, 4);
	out(0xcf8, 0x80000b80, 4);
	out(0xcfc, 0x01, 1);
	out(0x604, 0x2000, 2);
	assert_int_equal(bench.power_offs, 1);
	assert_int_equal(in(0xf4, 1), 0xff); /* not asked for */
}

static void test_reset(void **state)
{
	(void)state;
	program_pic();
	out(0x3fc, 0x08, 1);
	out(0x3f9, 0x02, 1);
	assert_true(bench.intr);
	assert_int_equal(cpu_msrs_write(&bench.msrs, 0x2ff, 0xc06), 0);
	pc_reset(bench.pc);
	assert_int_equal(bench.msrs.state.mtrr_default, 0);
	assert_false(bench.intr);
	program_pic();
	assert_false(bench.intr);
	assert_int_equal(in(0x3f9, 1), 0);
	assert_int_equal(cmos(0x5f), 2);
}

static void test_refusals(void **state)
{
	(void)state;
	bench.config.blob_count = 0;
	assert_int_equal(init(), -ENOENT);
	assert_string_equal(bench.logged, "cannot build memory: -2");
	bench.config.blob_count = 1;
	bench.config.blob[0].size = BIOS - 1;
	assert_int_equal(init(), -EINVAL);
	bench.config.blob[0].size = ROM + KIB(64);
	assert_int_equal(init(), -EINVAL);
	bench.config.blob[0].size = BIOS;
	bench.config.ram_size = MIB(1);
	assert_int_equal(init(), -EINVAL);
	bench.config.ram_size = RAM;
	bench.config.vcpu_count = 0;
	assert_int_equal(init(), -EINVAL);
	bench.config.vcpu_count = 1;
	bench.config.disk_count = 2;
	bench.config.disk[0] = (struct machine_disk_config){
		.sector_count = 2048, .bus = MACHINE_DISK_IDE, .unit = 1
	};
	bench.config.disk[1] = bench.config.disk[0];
	bench.disk[0].sector_count = bench.disk[1].sector_count = 2048;
	assert_int_equal(init(), -EEXIST);
	bench.config.disk[1].unit = 4;
	assert_int_equal(init(), -EINVAL);
	bench.config.disk[1].unit = 2;
	assert_int_equal(init(), 0);
}

/* ---- Save and load ----------------------------------------------------- */

static void now_set(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	bench.now_ns = now_ns;
}

static uint32_t seed;

static uint32_t draw(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* What a guest does at random; a digest of all that it reads. */
static uint64_t wander(unsigned steps)
{
	static const struct {
		uint16_t base, count;
	} ports[] = {
		{ 0x20, 2 },  { 0xa0, 2 },  { 0x4d0, 2 },  { 0x40, 4 },
		{ 0x61, 1 },  { 0x70, 4 },  { 0x60, 1 },   { 0x64, 1 },
		{ 0x3f8, 8 }, { 0x1f0, 8 }, { 0x3c0, 32 }, { 0x510, 2 },
		{ 0x80, 16 }, { 0x00, 16 }, { 0xc0, 32 },
	};
	uint64_t digest = 0;

	while (steps--) {
		unsigned row = draw() % ARRAY_SIZE(ports);
		uint16_t port =
			(uint16_t)(ports[row].base + draw() % ports[row].count);

		switch (draw() % 4) {
		case 0:
			bench.now_ns += draw() % 3000000;
			clock_run(&bench.clock);
			break;
		case 1:
			out(port, draw() & 0xff, 1);
			break;
		case 2:
			store(0xfed00000 + draw() % 64 * 8, draw(), 8);
			store(0xfec00000 + draw() % 2 * 16, draw() % 0x40, 4);
			config(draw() % 3, 0x40 + draw() % 0x60, draw(), 1);
			break;
		}
		digest = digest * 31 + in(port, 1) + bench.intr;
		memset(bench.serial, 0, sizeof(bench.serial));
	}
	return digest;
}

/* No device of the board has a table that leaves something out. */
static void test_tables(void **state)
{
	char why[200] = "";
	unsigned i;

	(void)state;
	assert_int_equal(bench.pc->devices.count, 17 + 1); /* the MSRs */
	for (i = 0; i < bench.pc->devices.count; i++)
		if (state_check(bench.pc->devices.device[i]->ops->state, why,
				sizeof(why)))
			fail_msg("%s", why);
}

static void test_restore(void **state)
{
	static uint8_t saved[1 << 18], later[1 << 18], again[1 << 18];
	static uint64_t scratch[1 << 15];
	size_t length, later_length, again_length;
	uint64_t digest;
	uint8_t *window;
	char why[200] = "";

	bench.clock.now_set = now_set;
	seed = 1;
	bench.now_ns = 5000000000;
	(void)wander(20000);
	assert_int_equal(pc_save(bench.pc, saved, sizeof(saved), &length), 0);
	assert_true(device_list_scratch(&bench.pc->devices) <= sizeof(scratch));
	seed = 2;
	digest = wander(5000);
	assert_int_equal(pc_save(bench.pc, later, sizeof(later), &later_length),
			 0);
	window = bench.window;
	bench.window = NULL;
	teardown(state);
	/* Another board, whose memory is that of the first. */
	setup(state);
	free(bench.window);
	bench.window = bench.pc->window = window;
	bench.clock.now_set = now_set;
	if (pc_load(bench.pc, saved, length, scratch, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(pc_save(bench.pc, again, sizeof(again), &again_length),
			 0);
	assert_int_equal(again_length, length);
	assert_memory_equal(again, saved, length);
	seed = 2;
	assert_int_equal(wander(5000), digest);
	assert_int_equal(pc_save(bench.pc, again, sizeof(again), &again_length),
			 0);
	assert_int_equal(again_length, later_length);
	assert_memory_equal(again, later, later_length);
}

/* What a core has: each page of it is there to be read, or is nothing. */
static void test_regions(void **state)
{
	const struct board_region want[] = {
		{ 0, 0xa0000 },
		{ 0xc0000, 0x40000 },
		{ 0x100000, RAM - MIB(1) },
		{ 0xd0000000, VRAM },
		{ GIB(4) - BIOS, BIOS },
	};
	struct board_region region[BOARD_REGIONS_MAX];

	(void)state;
	/* Without video memory, which has no place yet. */
	assert_int_equal(pc_regions(bench.pc, region), 4);
	assert_memory_equal(&region[3], &want[4], sizeof(want[4]));
	config(2, 0x10, 0xd0000000, 4);
	config(2, 4, 2, 1);
	assert_int_equal(pc_regions(bench.pc, region), ARRAY_SIZE(want));
	assert_memory_equal(region, want, sizeof(want));
	assert_non_null(pc_ram_at(bench.pc, 0xd0000000 + VRAM - PAGE_SIZE,
				  PAGE_SIZE, false));
	/* RAM behind 4 GiB. */
	bench.pc->board.ram_high = MIB(2);
	assert_int_equal(pc_regions(bench.pc, region), 6);
	assert_int_equal(region[5].start, GIB(4));
	assert_int_equal(region[5].size, MIB(2));
}

/* ---- What it takes --------------------------------------------------------
 */

#define PAGES_TAKEN 21

static size_t pages_taken;

static void page_written(int number, siginfo_t *fault, void *context)
{
	uintptr_t page = ALIGN_DOWN((uintptr_t)fault->si_addr, PAGE_SIZE);

	(void)context;
	if (page - (uintptr_t)bench.pc > sizeof(*bench.pc) ||
	    mprotect((void *)page, PAGE_SIZE, PROT_READ | PROT_WRITE))
		(void)signal(number, SIG_DFL);
	pages_taken++;
}

/*
 * A program gets a page of the board when it first writes there, and pays for
 * it: devices that nobody uses, and what is zero anyhow, take none.
 */
static void test_pages(void **state)
{
	const struct sigaction written = { .sa_sigaction = page_written,
					   .sa_flags = SA_SIGINFO };
	struct sigaction before;
	struct x86_state registers = { 0 };
	struct pc *heap = bench.pc;

	(void)state;
	bench.pc = mmap(NULL, sizeof(*bench.pc), PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(bench.pc, MAP_FAILED);
	bench.disk[0].sector_count = 100;
	bench.config.disk_count = 1;
	bench.config.disk[0].bus = MACHINE_DISK_IDE;
	pages_taken = 0;
	assert_int_equal(sigaction(SIGSEGV, &written, &before), 0);
	assert_int_equal(board_build(), 0);
	assert_int_equal(pc_boot(bench.pc, &registers), 0);
	pc_reset(bench.pc);
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	if (pages_taken > PAGES_TAKEN)
		fail_msg("%zu pages", pages_taken);
	assert_int_equal(munmap(bench.pc, sizeof(*bench.pc)), 0);
	bench.pc = heap;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map),
		TEST(test_shadow),
		TEST(test_windows),
		TEST(test_video_memory),
		TEST(test_fw_cfg),
		cmocka_unit_test_setup_teardown(test_items, prepare, teardown),
		TEST(test_interrupts),
		TEST(test_shared_wire),
		TEST(test_lines_in_hand),
		TEST(test_console),
		TEST(test_second_serial),
		TEST(test_parallel),
		TEST(test_host_ports),
		TEST(test_ways_out),
		TEST(test_reset),
		TEST(test_tables),
		TEST(test_restore),
		TEST(test_regions),
		cmocka_unit_test_setup_teardown(test_pages, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, prepare,
						teardown),
	};

	return cmocka_run_group_tests_name("pc", tests, NULL, NULL);
}
