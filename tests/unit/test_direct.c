/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot: what the three protocols promise a kernel, and that no file,
 * however broken, does more than be refused.
 */
#include "tests/unit/direct_test.h"

#include "firmware/bootrom.h"

/* ---- ELF, PVH ----------------------------------------------------------- */

#define ELF_SIZE   0x400
#define ELF_CODE   0x200 /* 16 bytes of it in the file */
#define ELF_NOTE   0x100
#define ELF_PADDR  0x200000
#define ELF_PHDR   64
#define ELF_PHDR_N 56

/* A PT_LOAD of 16 bytes, 64 in memory, and a PVH note. */
static void make_elf64(uint8_t file[ELF_SIZE])
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	uint8_t *ph = file + ELF_PHDR;

	memset(file, 0, ELF_SIZE);
	memcpy(file, ident, sizeof(ident));
	put16(file + 16, 2);
	put16(file + 18, 62);
	put64(file + 24, ELF_PADDR + 4);
	put64(file + 32, ELF_PHDR);
	put16(file + 54, ELF_PHDR_N);
	put16(file + 56, 2);
	put32(ph, 1);
	put64(ph + 8, ELF_CODE);
	put64(ph + 16, 0xffffffff80000000 + ELF_PADDR);
	put64(ph + 24, ELF_PADDR);
	put64(ph + 32, 16);
	put64(ph + 40, 64);
	ph += ELF_PHDR_N;
	put32(ph, 4);
	put64(ph + 8, ELF_NOTE);
	put64(ph + 32, 20);
	put64(ph + 40, 20);
	put32(file + ELF_NOTE, 4);
	put32(file + ELF_NOTE + 4, 4);
	put32(file + ELF_NOTE + 8, 18);
	memcpy(file + ELF_NOTE + 12, "Xen", 4);
	put32(file + ELF_NOTE + 16, ELF_PADDR + 8);
	memset(file + ELF_CODE, 0x90, 16);
}

static void test_pvh(void **state)
{
	uint8_t file[ELF_SIZE];
	uint64_t module, rsdp;

	(void)state;
	make_elf64(file);
	memset(f.memory + ELF_PADDR, 0xff, 64);
	f.boot.cmdline = "console=ttyS0";
	f.boot.initrd = "ramdisk";
	f.boot.initrd_length = 7;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_int_equal(f.entry.protocol, DIRECT_PVH);
	assert_int_equal(f.entry.eip, ELF_PADDR + 8);
	assert_int_equal(get32(ELF_PADDR + 12), 0x90909090);
	assert_int_equal(get32(ELF_PADDR + 16), 0);
	assert_int_equal(get32(f.entry.ebx), 0x336ec578);
	assert_int_equal(get32(f.entry.ebx + 4), 1);
	assert_int_equal(get32(f.entry.ebx + 12), 1);
	module = get64(f.entry.ebx + 16);
	assert_memory_equal(f.memory + get64(module), "ramdisk", 7);
	assert_int_equal(get64(module) % 4096, 0);
	assert_int_equal(get64(module + 8), 7);
	assert_string_equal(f.memory + get64(f.entry.ebx + 24),
			    "console=ttyS0");
	rsdp = get64(f.entry.ebx + 32);
	assert_memory_equal(f.memory + rsdp, "RSD PTR ", 8);
	assert_int_equal(get32(f.entry.ebx + 48), 4);
	assert_int_equal(get64(get64(f.entry.ebx + 40) + 8), 0x9fc00);
}

static void test_entry_state(void **state)
{
	uint8_t file[ELF_SIZE];
	struct x86_state x;
	uint64_t descriptor;

	(void)state;
	make_elf64(file);
	assert_int_equal(load(file, sizeof(file)), 0);
	direct_entry_state(&f.entry, &x);
	assert_int_equal(x.rip, f.entry.eip);
	assert_int_equal(x.gpr[X86_RBX], f.entry.ebx);
	assert_int_equal(x.cr0, X86_CR0_PE | X86_CR0_ET);
	assert_int_equal(x.rflags, X86_FLAG_ONE);
	assert_int_equal(x.seg[X86_CS].attributes, 0xc9b);
	assert_int_equal(x.seg[X86_SS].attributes, 0xc93);
	assert_int_equal(x.seg[X86_CS].limit, UINT32_MAX);
	assert_int_equal(x.tr.attributes, 0x8b);
	/* The GDT in memory agrees with the hidden parts. */
	descriptor = get64(x.gdtr.base + x.seg[X86_CS].selector);
	assert_int_equal(descriptor, 0x00cf9b000000ffff);
	descriptor = get64(x.gdtr.base + x.seg[X86_DS].selector);
	assert_int_equal(descriptor, 0x00cf93000000ffff);
}

struct mutation {
	size_t at;
	uint64_t value;
	const char *error;
};

/* One field of a good file goes bad. */
static void test_bad_elf(void **state)
{
	static const struct mutation mutations[] = {
		{ ELF_PHDR + 8, ELF_SIZE - 8, "file ends within" },
		{ ELF_PHDR + 8, UINT64_MAX, "file ends within" },
		{ ELF_PHDR + 24, RAM_SIZE - 32, "not RAM" },
		{ ELF_PHDR + 24, UINT64_MAX - 8, "not RAM" },
		{ ELF_PHDR + 24, DIRECT_DATA_BASE, "overlaps" },
		{ ELF_PHDR + 24, 0xfffe0, "overlaps" },
		{ ELF_PHDR + 40, 15, "larger in the file" },
		{ ELF_PHDR + 40, UINT64_MAX, "not RAM" },
		{ ELF_PHDR + 32, UINT64_MAX, "larger in the file" },
		{ 32, UINT64_MAX, "neither" },
		{ 32, ELF_SIZE - 8, "neither" },
		{ ELF_PHDR + ELF_PHDR_N + 8, UINT64_MAX, "neither" },
		{ ELF_PHDR + ELF_PHDR_N + 32, UINT64_MAX, "neither" },
		{ ELF_NOTE, 0xffffffffffffffff, "neither" },
		{ 0, 0, "neither" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		uint8_t file[ELF_SIZE];

		make_elf64(file);
		put64(file + mutations[i].at, mutations[i].value);
		assert_int_equal(load(file, sizeof(file)), -EINVAL);
		if (!strstr(f.error, mutations[i].error))
			fail_msg("%zu: %s", i, f.error);
	}
}

/* Every length, and every byte spoilt in a few ways. */
static void test_spoilt_elf(void **state)
{
	static const uint8_t spoil[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	uint8_t file[ELF_SIZE];

	(void)state;
	make_elf64(file);
	for (size_t n = 0; n <= sizeof(file); n += 4)
		(void)!load(file, n);
	for (size_t i = 0; i < ELF_CODE; i++) {
		for (size_t k = 0; k < sizeof(spoil); k++) {
			uint8_t old = file[i];

			file[i] = spoil[k];
			(void)!load(file, sizeof(file));
			file[i] = old;
		}
	}
}

/* ---- Multiboot ---------------------------------------------------------- */

#define FLAT_SIZE 0x100

static void make_flat(uint8_t file[FLAT_SIZE])
{
	uint32_t flags = 1 << 16 | 3;

	memset(file, 0x90, FLAT_SIZE);
	put32(file + 16, 0x1badb002);
	put32(file + 20, flags);
	put32(file + 24, -(0x1badb002 + flags));
	put32(file + 28, 0x100010);
	put32(file + 32, 0x100000);
	put32(file + 36, 0);
	put32(file + 40, 0x100200);
	put32(file + 44, 0x100080);
}

static void test_multiboot_flat(void **state)
{
	uint8_t file[FLAT_SIZE];
	uint32_t info, mods, map;

	(void)state;
	make_flat(file);
	f.memory[0x1001ff] = 0xff;
	f.boot.cmdline = "hello";
	f.boot.initrd = "module";
	f.boot.initrd_length = 6;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_int_equal(f.entry.protocol, DIRECT_MULTIBOOT);
	assert_int_equal(f.entry.eip, 0x100080);
	assert_int_equal(f.entry.eax, 0x2badb002);
	assert_int_equal(get32(0x1000fc), 0x90909090);
	assert_int_equal(f.memory[0x1001ff], 0);
	info = f.entry.ebx;
	assert_int_equal(get32(info), 0x24d);
	assert_int_equal(get32(info + 4), 639);
	assert_int_equal(get32(info + 8), (RAM_SIZE >> 10) - 1024);
	assert_string_equal(f.memory + get32(info + 16), "hello");
	assert_int_equal(get32(info + 20), 1);
	mods = get32(info + 24);
	assert_memory_equal(f.memory + get32(mods), "module", 6);
	assert_int_equal(get32(mods + 4) - get32(mods), 6);
	assert_string_equal(f.memory + get32(mods + 8), "");
	map = get32(info + 48);
	assert_int_equal(get32(info + 44), 4 * 24);
	assert_int_equal(get32(map), 20);
	assert_string_equal(f.memory + get32(info + 64), "Bulkhead");
}

static void test_multiboot_elf(void **state)
{
	uint8_t file[ELF_SIZE];

	(void)state;
	make_elf64(file);
	put32(file + ELF_CODE, 0x1badb002);
	put32(file + ELF_CODE + 4, 0);
	put32(file + ELF_CODE + 8, -0x1badb002);
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_int_equal(f.entry.protocol, DIRECT_MULTIBOOT);
	assert_int_equal(f.entry.eip, ELF_PADDR + 4);
	assert_int_equal(get32(f.entry.ebx + 20), 0);
}

static void test_bad_multiboot(void **state)
{
	static const struct mutation mutations[] = {
		{ 28, 0x0ffff0, "before what is to be loaded" },
		{ 28, 0x200000, "before what is to be loaded" },
		{ 32, 0xffffff00, "before what is to be loaded" },
		{ 36, 0x0fffff, "wrong order" },
		{ 36, 0x180000, "file ends" },
		{ 40, 0xfffffff0, "not RAM" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		uint8_t file[FLAT_SIZE];

		make_flat(file);
		put32(file + mutations[i].at, (uint32_t)mutations[i].value);
		assert_int_equal(load(file, sizeof(file)), -EINVAL);
		if (!strstr(f.error, mutations[i].error))
			fail_msg("%zu: %s", i, f.error);
	}
}

/* ---- Linux -------------------------------------------------------------- */

#define BZ_SIZE (5 * 512 + 64)

static void make_bzimage(uint8_t file[BZ_SIZE])
{
	memset(file, 0, BZ_SIZE);
	file[0x1f1] = 4;
	file[0x201] = 0x66;
	memcpy(file + 0x202, "HdrS", 4);
	put16(file + 0x206, 0x20f);
	file[0x211] = 1;
	put32(file + 0x22c, 0x7fffffff);
	put32(file + 0x230, 0x200000);
	file[0x234] = 1;
	put32(file + 0x238, 2047);
	put64(file + 0x258, MIB(16));
	put32(file + 0x260, (uint32_t)MIB(8));
	memset(file + 5 * 512, 0xcc, 64);
}

static void test_linux(void **state)
{
	uint8_t file[BZ_SIZE];
	uint32_t page;

	(void)state;
	make_bzimage(file);
	f.boot.cmdline = "quiet";
	f.boot.initrd = "rd";
	f.boot.initrd_length = 2;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_int_equal(f.entry.protocol, DIRECT_LINUX);
	assert_int_equal(f.entry.eip, MIB(1));
	assert_int_equal(get32(MIB(1)), 0xcccccccc);
	page = f.entry.esi;
	assert_memory_equal(f.memory + page + 0x202, "HdrS", 4);
	assert_int_equal(f.memory[page + 0x210], 0xff);
	assert_int_equal(f.memory[page + 0x1e8], 4);
	/* screen_info: mode 3 of a VGA, 80 by 25 characters of 16 lines. */
	assert_int_equal(f.memory[page + 6], 3);
	assert_int_equal(f.memory[page + 7], 80);
	assert_int_equal(f.memory[page + 0xa], 3);
	assert_int_equal(f.memory[page + 0xe], 25);
	assert_int_equal(f.memory[page + 0xf], 1);
	assert_int_equal(f.memory[page + 0x10], 16);
	assert_int_equal(get64(page + 0x2d0 + 8), 0x9fc00);
	assert_string_equal(f.memory + get32(page + 0x228), "quiet");
	assert_memory_equal(f.memory + get32(page + 0x218), "rd", 2);
	assert_int_equal(get32(page + 0x21c), 2);
	assert_memory_equal(f.memory + get64(page + 0x70), "RSD PTR ", 8);
}

/* By its 64-bit entry, where it wants to be; the 32-bit one for who has none.
 */
static void test_linux_long(void **state)
{
	uint8_t file[BZ_SIZE];
	struct x86_state x;
	uint64_t table;

	(void)state;
	make_bzimage(file);
	f.boot.wants_long = true;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_false(f.entry.is_long);
	assert_int_equal(f.entry.eip, MIB(1));
	put16(file + 0x236, 1);
	put64(file + 0x258, MIB(15));
	put32(file + 0x230, MIB(2)); /* alignment */
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_true(f.entry.is_long);
	assert_int_equal(f.entry.eip, MIB(16) + 0x200);
	assert_int_equal(get32(MIB(16)), 0xcccccccc);
	assert_int_equal(get32(f.entry.esi + 0x214), MIB(16));
	direct_entry_state(&f.entry, &x);
	assert_int_equal(x.cr0, X86_CR0_PE | X86_CR0_ET | X86_CR0_PG);
	assert_int_equal(x.cr4, X86_CR4_PAE);
	assert_int_equal(x.seg[X86_CS].attributes, 0xa9b);
	assert_int_equal(get64(x.gdtr.base + x.seg[X86_CS].selector),
			 0x00af9b000000ffff);
	assert_int_equal(x.gpr[X86_RSI], f.entry.esi);
	/* 4 GiB are where they are: the last 2 MiB, found as processors do. */
	table = get64(x.cr3) & ~0xfffULL;
	table = get64(table + 3 * 8) & ~0xfffULL;
	assert_int_equal(get64(table + 511 * 8), 0xffe00083);
	/* One that cannot be moved is where it says. */
	file[0x234] = 0;
	assert_int_equal(load(file, sizeof(file)), 0);
	assert_int_equal(f.entry.eip, MIB(15) + 0x200);
	file[0x234] = 1;
	put32(file + 0x230, 3);
	assert_int_equal(load(file, sizeof(file)), -EINVAL);
	put32(file + 0x230, MIB(2));
	put64(file + 0x258, UINT64_MAX);
	assert_int_equal(load(file, sizeof(file)), -EINVAL);
}

static void test_bad_linux(void **state)
{
	static const struct mutation mutations[] = {
		{ 0x206, 0x0205, "older than" },
		{ 0x210, 0, "zImage" },
		{ 0x238, 3, "takes 3 characters" },
		{ 0x258, MIB(30), "needs 8192 KiB" },
		{ 0x260, 0xffffffff, "needs" },
		{ 0x22c, 0x1000, "do not fit" },
		{ 0x1ee, 0xffffffff, "within its setup" },
	};

	(void)state;
	f.boot.cmdline = "quiet";
	f.boot.initrd = "rd";
	f.boot.initrd_length = 2;
	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		uint8_t file[BZ_SIZE];

		make_bzimage(file);
		put32(file + mutations[i].at, (uint32_t)mutations[i].value);
		assert_int_equal(load(file, sizeof(file)), -EINVAL);
		if (!strstr(f.error, mutations[i].error))
			fail_msg("%zu: %s", i, f.error);
	}
}

/* ---- For a BIOS ---------------------------------------------------------- */

static int plan(const void *file, size_t length)
{
	f.boot.kernel = file;
	f.boot.kernel_length = length;
	return direct_boot_plan(&f.ram, &f.boot, &f.entry, f.error,
				sizeof(f.error));
}

/* RAM is as before; the map is left to the BIOS; the top of RAM is its own. */
static void test_plan(void **state)
{
	const struct direct_piece *piece = f.plan.piece;
	uint8_t file[FLAT_SIZE];

	(void)state;
	make_flat(file);
	f.boot.cmdline = "hello";
	f.boot.initrd = "module";
	f.boot.initrd_length = 6;
	assert_int_equal(plan(file, sizeof(file)), 0);
	for (size_t i = 0; i < RAM_SIZE; i += 8)
		assert_int_equal(get64(i), 0);
	assert_int_equal(f.entry.eip, 0x100080);
	assert_int_equal(f.entry.eax, 0x2badb002);
	assert_int_equal(f.plan.count, 3);
	assert_int_equal(piece[0].source, DIRECT_FROM_INFO);
	assert_int_equal(piece[0].gpa, DIRECT_DATA_BASE);
	assert_int_equal(piece[1].source, DIRECT_FROM_KERNEL);
	assert_int_equal(piece[1].gpa, 0x100000);
	assert_int_equal(piece[1].offset, 0);
	assert_int_equal(piece[1].length, FLAT_SIZE);
	assert_int_equal(piece[1].size, 0x200);
	assert_int_equal(piece[2].source, DIRECT_FROM_INITRD);
	assert_int_equal(piece[2].gpa, 0x101000);
	assert_int_equal(f.plan.map.stride, 24);
	assert_int_equal(f.plan.map.at, 4);
	assert_int_equal(f.plan.map.count_scale, 24);
	assert_int_equal(f.plan.map.count_gpa, f.entry.ebx + 44);
	assert_int_equal(f.plan.map.lower_gpa, f.entry.ebx + 4);
	f.boot.initrd_length = RAM_SIZE - MIB(1) - PAGE_SIZE - KIB(512);
	assert_int_equal(plan(file, sizeof(file)), 0);
	f.boot.initrd_length++;
	assert_int_equal(plan(file, sizeof(file)), -EINVAL);
}

/* Each part of a map within the information, whatever the protocol. */
static void expect_map(uint32_t stride, uint32_t at)
{
	const struct direct_map *map = &f.plan.map;
	uint32_t end = DIRECT_DATA_BASE + DIRECT_INFO_SIZE;

	assert_int_equal(map->stride, stride);
	assert_int_equal(map->at, at);
	assert_true(map->max >= 20);
	assert_true(map->gpa >= DIRECT_DATA_BASE);
	assert_true(map->gpa + map->max * map->stride <= end);
	assert_true(map->count_gpa + 4 <= end);
}

static void test_plan_protocols(void **state)
{
	uint8_t elf[ELF_SIZE], bzimage[BZ_SIZE];

	(void)state;
	make_elf64(elf);
	assert_int_equal(plan(elf, sizeof(elf)), 0);
	expect_map(24, 0);
	assert_int_equal(f.plan.map.lower_gpa, 0);
	make_bzimage(bzimage);
	assert_int_equal(plan(bzimage, sizeof(bzimage)), 0);
	expect_map(20, 0);
	assert_int_equal(f.plan.map.count_gpa, f.entry.esi + 0x1e8);
}

/* Not even to unpack itself does a kernel get what the BIOS keeps. */
static void test_plan_init_size(void **state)
{
	uint8_t bzimage[BZ_SIZE];

	(void)state;
	make_bzimage(bzimage);
	put64(bzimage + 0x258, RAM_SIZE - MIB(8) - KIB(512));
	assert_int_equal(plan(bzimage, sizeof(bzimage)), 0);
	put32(bzimage + 0x260, (uint32_t)MIB(8) + 1);
	assert_int_equal(plan(bzimage, sizeof(bzimage)), -EINVAL);
	assert_non_null(strstr(f.error, "needs 8192 KiB"));
}

/* What a BIOS looks for in an option ROM, and what that reads. */
static void test_bootrom(void **state)
{
	static struct bootrom_handover handover;
	uint8_t rom[BOOTROM_SIZE], elf[ELF_SIZE];
	unsigned sum = 0, pnp_sum = 0, pnp;

	(void)state;
	bootrom_build(rom);
	for (unsigned i = 0; i < sizeof(rom); i++)
		sum += rom[i];
	assert_int_equal(sum & 0xff, 0);
	assert_int_equal(rom[0] | rom[1] << 8, 0xaa55);
	assert_int_equal(rom[2] * 512, sizeof(rom));
	pnp = rom[0x1a] | (unsigned)rom[0x1b] << 8;
	assert_memory_equal(rom + pnp, "$PnP", 4);
	for (unsigned i = 0; i < rom[pnp + 5] * 16U; i++)
		pnp_sum += rom[pnp + i];
	assert_int_equal(pnp_sum & 0xff, 0);
	assert_true(rom[pnp + 0x1a] | rom[pnp + 0x1b]); /* bootstrap */
	make_elf64(elf);
	assert_int_equal(plan(elf, sizeof(elf)), 0);
	bootrom_handover_build(&handover, &f.plan, &f.entry);
	assert_int_equal(handover.eip, f.entry.eip);
	assert_int_equal(handover.ebx, f.entry.ebx);
	assert_int_equal(handover.count, 2);
	assert_int_equal(handover.piece[0].key, BOOTROM_KEY_FIRST_SOURCE);
	assert_int_equal(handover.piece[1].key,
			 BOOTROM_KEY_FIRST_SOURCE + DIRECT_FROM_KERNEL);
	assert_int_equal(handover.piece[1].offset, ELF_CODE);
	assert_int_equal(handover.piece[1].size, 64);
}

/* As many segments as are looked at fit into a plan. */
static void test_plan_is_full(void **state)
{
	static uint8_t file[64 + 64 * ELF_PHDR_N];

	(void)state;
	make_elf64(file);
	put16(file + 56, 64);
	for (unsigned i = 0; i < 64; i++) {
		uint8_t *ph = file + ELF_PHDR + i * ELF_PHDR_N;

		memcpy(ph, file + ELF_PHDR, ELF_PHDR_N);
		put64(ph + 24, MIB(1) + i * PAGE_SIZE);
	}
	put32(file + ELF_PHDR + 63 * ELF_PHDR_N, 0x1badb002);
	put32(file + ELF_PHDR + 63 * ELF_PHDR_N + 4, 0);
	put32(file + ELF_PHDR + 63 * ELF_PHDR_N + 8, -0x1badb002);
	assert_int_equal(plan(file, sizeof(file)), 0);
	assert_true(f.plan.count <= DIRECT_PIECES_MAX);
	assert_int_equal(f.plan.count, 1 + 63);
}

/* ---- All ---------------------------------------------------------------- */

static void test_limits(void **state)
{
	char cmdline[DIRECT_CMDLINE_MAX + 1];
	uint8_t file[ELF_SIZE];

	(void)state;
	make_elf64(file);
	memset(cmdline, 'x', sizeof(cmdline));
	cmdline[DIRECT_CMDLINE_MAX] = '\0';
	f.boot.cmdline = cmdline;
	assert_int_equal(load(file, sizeof(file)), -EINVAL);
	cmdline[DIRECT_CMDLINE_MAX - 1] = '\0';
	assert_int_equal(load(file, sizeof(file)), 0);
	f.boot.initrd = file;
	f.boot.initrd_length = RAM_SIZE;
	assert_int_equal(load(file, sizeof(file)), -EINVAL);
	f.boot.initrd_length = UINT64_MAX;
	assert_int_equal(load(file, sizeof(file)), -EINVAL);
	f.boot.initrd_length = 0;
	assert_int_equal(load(file, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pvh, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entry_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_elf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spoilt_elf, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_multiboot_flat, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_multiboot_elf, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_multiboot, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linux_long, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_linux, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan_protocols, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bootrom, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan_init_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_plan_is_full, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
