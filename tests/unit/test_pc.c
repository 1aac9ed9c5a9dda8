/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc: its wiring, its memory map and what it tells firmware. */
#include "tests/unit/device_test.h"

#include <stdlib.h>

#include "devices/state.h"
#include "include/errno.h"
#include "machine/msr_table.h"
#include "machine/pc.h"

#define RAM  MIB(16)
#define VRAM MIB(1)
#define ROM  MIB(2)
#define BIOS KIB(256)
#define MAPS (4096 * 1024 / 4096) /* pages below 4 MiB that are watched */

static struct {
	struct clock clock;
	uint64_t now_ns;
	struct machine_config config;
	struct block_backend disk[4];
	struct pc *pc;
	uint8_t *window;
	uint8_t *bios;
	/* What guest-physical pages below 4 MiB show. */
	enum gate_map kind[MAPS];
	uint64_t offset[MAPS];
	uint64_t vram_gpa;
	bool intr;
	unsigned messages;
	uint32_t message;
	unsigned resets, power_offs, remaps;
	char serial[64], debug[64], logged[256];
	struct cpu_msrs msrs;  /* of the machine, not the board's */
	unsigned typed, taken; /* bytes of input there are, that were read */
} bench;

static uint64_t now(void *ctx)
{
	(void)ctx;
	return bench.now_ns;
}

static void set_intr(void *ctx, bool level)
{
	(void)ctx;
	bench.intr = level;
}

static bool send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	bench.messages++;
	bench.message = data;
	return true;
}

static void map(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		enum gate_map kind)
{
	(void)ctx;
	assert_true(IS_ALIGNED(gpa | length | offset, PAGE_SIZE));
	if (kind != GATE_MAP_NONE)
		assert_true(offset + length <= RAM + VRAM + ROM);
	if (offset == RAM && length == VRAM)
		bench.vram_gpa = kind == GATE_MAP_RAM ? gpa : 0;
	for (; length; length -= PAGE_SIZE) {
		if (gpa / PAGE_SIZE < MAPS) {
			bench.kind[gpa / PAGE_SIZE] = kind;
			bench.offset[gpa / PAGE_SIZE] = offset;
		}
		gpa += PAGE_SIZE;
		offset += PAGE_SIZE;
	}
}

static void reset(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static void power_off(void *ctx)
{
	(void)ctx;
	bench.power_offs++;
}

static void append(char *to, size_t size, const void *data, size_t length)
{
	size_t used = strlen(to);

	assert_true(used + length < size);
	memcpy(to + used, data, length);
}

static void serial_write(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	append(bench.serial, sizeof(bench.serial), data, length);
}

static size_t serial_read(void *ctx, void *data, size_t size)
{
	size_t count = MIN(size, bench.typed - bench.taken);

	(void)ctx;
	for (size_t i = 0; i < count; i++)
		((uint8_t *)data)[i] = (uint8_t)bench.taken++;
	return count;
}

static void debug_write(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	append(bench.debug, sizeof(bench.debug), data, length);
}

static void log_text(void *ctx, enum device_log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	snprintf(bench.logged, sizeof(bench.logged), "%s", text);
}

static const struct board_host_ops ops = {
	.set_intr = set_intr,
	.send_msi = send_msi,
	.map = map,
	.reset = reset,
	.power_off = power_off,
	.serial_write = serial_write,
	.serial_read = serial_read,
	.debug_write = debug_write,
	.log = log_text,
};

static int init(void)
{
	struct block_backend *disks[4] = { &bench.disk[0], &bench.disk[1],
					   &bench.disk[2], &bench.disk[3] };
	struct device *const devices[] = { &bench.msrs.device };

	const struct board_config config = {
		.machine = &bench.config,
		.physical_bits = 40,
		.window = bench.window,
		.disks = disks,
		.devices = devices,
		.device_count = ARRAY_SIZE(devices),
		.clock = &bench.clock,
		.ops = &ops,
	};

	cpu_msrs_init(&bench.msrs, true, 40);
	return pc_init(bench.pc, &config);
}

static int prepare(void **state)
{
	unsigned i;

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.pc = calloc(1, sizeof(*bench.pc));
	bench.window = calloc(1, RAM + VRAM + ROM);
	bench.bios = calloc(1, BIOS);
	for (i = 0; i < BIOS; i += 4096)
		bench.bios[i] = (uint8_t)(i / 4096);
	bench.clock.now_ns = now;
	bench.config = (struct machine_config){
		.vcpu_count = 3,
		.ram_size = RAM,
		.vram_size = VRAM,
		.rom_size = ROM,
		.blob_count = 1,
		.devices = MACHINE_DEVICE_DEBUG_CONSOLE,
		.blob = { { .kind = MACHINE_BLOB_BIOS,
			    .va = (uint64_t)bench.bios,
			    .size = BIOS } },
	};
	return 0;
}

static int setup(void **state)
{
	(void)prepare(state);
	assert_int_equal(init(), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(bench.pc);
	free(bench.window);
	free(bench.bios);
	return 0;
}

static uint32_t in(uint16_t port, unsigned size)
{
	struct io_access io = { .offset = port, .size = (uint8_t)size };

	pc_port_access(bench.pc, &io);
	return (uint32_t)io.data;
}

static void out(uint16_t port, uint32_t data, unsigned size)
{
	struct io_access io = { .offset = port,
				.size = (uint8_t)size,
				.data = data,
				.is_write = true };

	pc_port_access(bench.pc, &io);
}

static uint64_t load(gpa_t gpa, unsigned size)
{
	struct io_access io = { .offset = gpa, .size = (uint8_t)size };

	pc_mmio_access(bench.pc, &io);
	return io.data;
}

static void store(gpa_t gpa, uint64_t data, unsigned size)
{
	struct io_access io = { .offset = gpa,
				.size = (uint8_t)size,
				.data = data,
				.is_write = true };

	pc_mmio_access(bench.pc, &io);
}

static void config(unsigned slot, unsigned offset, uint32_t data, unsigned size)
{
	out(0xcf8, 0x80000000 | slot << 11 | (offset & 0xfc), 4);
	out((uint16_t)(0xcfc + (offset & 3)), data, size);
}

static uint8_t cmos(uint8_t index)
{
	out(0x70, index, 1);
	return (uint8_t)in(0x71, 1);
}

static enum gate_map kind(gpa_t gpa)
{
	return bench.kind[gpa / PAGE_SIZE];
}

static uint64_t offset(gpa_t gpa)
{
	return bench.offset[gpa / PAGE_SIZE];
}

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

/* Of 10h to 2Dh, as setup programs and drivers of CMOS memory sum it up. */
static void expect_checksum(void)
{
	unsigned sum = 0;

	for (uint8_t i = 0x10; i <= 0x2d; i++)
		sum += cmos(i);
	assert_int_equal(cmos(0x2e) << 8 | cmos(0x2f), sum);
}

static void test_cmos(void **state)
{
	(void)state;
	assert_int_equal(cmos(0x15) | cmos(0x16) << 8, 640);
	assert_int_equal(cmos(0x17) | cmos(0x18) << 8, 15 * 1024);
	assert_int_equal(cmos(0x30) | cmos(0x31) << 8, 15 * 1024);
	assert_int_equal(cmos(0x34) | cmos(0x35) << 8, 0);
	assert_int_equal(cmos(0x5b), 0);
	assert_int_equal(cmos(0x5f), 2);
	assert_int_equal(cmos(0x3d), 0x32);
	assert_int_equal(cmos(0x14), 0x06);
	/* No disk: no type, no geometry. */
	assert_int_equal(cmos(0x10), 0);
	assert_int_equal(cmos(0x12), 0);
	assert_int_equal(cmos(0x19), 0);
	assert_int_equal(cmos(0x1d), 0);
	assert_int_equal(cmos(0x33), 0x80);
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

/* ---- The rest ---------------------------------------------------------- */

static void test_console(void **state)
{
	unsigned i;

	(void)state;
	out(0x3f8, 'x', 1);
	out(0x402, 'y', 1);
	out(0xe9, 'z', 1);
	assert_string_equal(bench.serial, "x");
	assert_string_equal(bench.debug, "yz");
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
		{ 0x80, 1 },
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
	assert_int_equal(bench.pc->devices.count, 16 + 1); /* the MSRs */
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map),
		TEST(test_shadow),
		TEST(test_windows),
		TEST(test_a20),
		TEST(test_a20_below_1m),
		TEST(test_a20_deferred),
		TEST(test_video_memory),
		TEST(test_cmos),
		cmocka_unit_test_setup_teardown(test_cmos_disks, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_cmos_slave, prepare,
						teardown),
		TEST(test_fw_cfg),
		TEST(test_interrupts),
		TEST(test_shared_wire),
		TEST(test_console),
		TEST(test_ways_out),
		TEST(test_reset),
		TEST(test_tables),
		TEST(test_restore),
		cmocka_unit_test_setup_teardown(test_refusals, prepare,
						teardown),
	};

	return cmocka_run_group_tests_name("pc", tests, NULL, NULL);
}
