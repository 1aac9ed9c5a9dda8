/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware configuration device. */
#include "tests/unit/device_test.h"

#include "devices/fw_cfg.h"
#include "include/errno.h"

#define SELECT 0x510
#define DATA   0x511
#define DMA    0x514

static struct {
	struct bench b;
	struct fw_cfg fw_cfg;
	struct guest_ram ram;
	uint8_t memory[0x3000];
} bench;

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	bench.ram = (struct guest_ram){
		.count = 2,
		.range = { { 0, 0x2000, bench.memory },
			   { 0x100000000, 0x1000, bench.memory + 0x2000 } },
	};
	assert_int_equal(fw_cfg_init(&bench.fw_cfg, &bench.b.ports, &bench.ram),
			 0);
	return 0;
}

static void select_key(uint16_t key)
{
	bus_out(&bench.b.ports, SELECT, key, 2);
}

static uint8_t byte(void)
{
	return inb(&bench.b, DATA);
}

static void assert_bytes(const void *want, size_t length)
{
	const uint8_t *bytes = want;

	while (length--)
		assert_int_equal(byte(), *bytes++);
}

static void test_items(void **state)
{
	static const uint8_t blob[3] = { 1, 2, 3 };

	(void)state;
	/* Selected from the start: the signature. */
	assert_bytes("QEMU\0\0", 6);
	select_key(FW_CFG_ID);
	assert_bytes("\3\0\0\0\0", 5);
	assert_int_equal(
		fw_cfg_add_value(&bench.fw_cfg, FW_CFG_NB_CPUS, 0x0102, 2), 0);
	assert_int_equal(fw_cfg_add_item(&bench.fw_cfg, 0x10, blob, 3), 0);
	assert_int_equal(
		fw_cfg_add_value(&bench.fw_cfg, FW_CFG_ARCH_IRQ0, 1, 1), 0);
	select_key(FW_CFG_NB_CPUS);
	assert_bytes("\2\1\0", 3);
	select_key(0x10);
	assert_bytes("\1\2\3\0", 4);
	select_key(0x4010); /* the write bit does not count */
	assert_bytes("\1\2\3\0", 4);
	select_key(FW_CFG_ARCH_IRQ0);
	assert_bytes("\1\0", 2);
	/* There is nothing elsewhere. */
	select_key(0x11);
	assert_int_equal(byte(), 0);
	select_key(0x3fff);
	assert_int_equal(byte(), 0);
	select_key(0xffff);
	assert_int_equal(byte(), 0);
	select_key(0x8008);
	assert_int_equal(byte(), 0);
	/* Refused. */
	assert_int_equal(fw_cfg_add_item(&bench.fw_cfg, 0x20, blob, 3),
			 -EINVAL);
	assert_int_equal(fw_cfg_add_item(&bench.fw_cfg, 0x3000, blob, 3),
			 -EINVAL);
	assert_int_equal(fw_cfg_add_item(&bench.fw_cfg, 0x9000, blob, 3),
			 -EINVAL);
	assert_int_equal(fw_cfg_add_value(&bench.fw_cfg, 0x10, 0, 3), -EINVAL);
	/* Widths that mean nothing. */
	select_key(0x10);
	outb(&bench.b, SELECT, 5);
	outb(&bench.b, DATA, 5);
	assert_int_equal(inb(&bench.b, SELECT), 0);
	assert_bytes("\1\2\3", 3);
}

static void test_files(void **state)
{
	char name[FW_CFG_NAME + 1];
	unsigned i;

	(void)state;
	select_key(FW_CFG_FILE_DIR);
	assert_bytes("\0\0\0\0\0", 5);
	assert_int_equal(
		fw_cfg_add_file(&bench.fw_cfg, "etc/e820", "abcdefgh", 8), 0);
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, "empty", NULL, 0), 0);
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, "empty", NULL, 0),
			 -EEXIST);
	select_key(FW_CFG_FILE_DIR);
	assert_bytes("\0\0\0\2", 4);
	assert_bytes("\0\0\0\10\0\40\0\0etc/e820\0", 17);
	for (i = 17; i < 64; i++)
		assert_int_equal(byte(), 0);
	assert_bytes("\0\0\0\0\0\41\0\0empty\0", 14);
	select_key(0x20);
	assert_bytes("abcdefgh\0", 9);
	select_key(0x21);
	assert_int_equal(byte(), 0);
	/* Names and numbers at their limits. */
	memset(name, 'x', sizeof(name));
	name[FW_CFG_NAME] = 0;
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, name, NULL, 0),
			 -EINVAL);
	name[FW_CFG_NAME - 1] = 0;
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, name, NULL, 0), 0);
	for (i = 3; i < FW_CFG_FILES; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, name, "z", 1),
				 0);
	}
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, "more", "z", 1),
			 -ENOSPC);
	select_key(0x20 + FW_CFG_FILES - 1);
	assert_bytes("z", 1);
}

static void test_string_input(void **state)
{
	struct io_access io = { .offset = DATA, .size = 1 };
	char buf[12];

	(void)state;
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, "f", "0123456789", 10),
			 0);
	select_key(0x20);
	(void)byte();
	memset(buf, 'x', sizeof(buf));
	bus_access_bulk(&bench.b.ports, &io, buf, 4);
	assert_memory_equal(buf, "1234xx", 6);
	bus_access_bulk(&bench.b.ports, &io, buf, 7);
	assert_memory_equal(buf, "56789\0\0x", 8);
}

/* ---- DMA --------------------------------------------------------------- */

static void put_be(uint8_t *to, uint64_t value, unsigned size)
{
	while (size--) {
		to[size] = (uint8_t)value;
		value >>= 8;
	}
}

static uint32_t dma(uint64_t at, uint32_t control, uint32_t length,
		    uint64_t address)
{
	uint8_t *c = guest_ram_at(&bench.ram, at, 16);

	if (c) {
		put_be(c, control, 4);
		put_be(c + 4, length, 4);
		put_be(c + 8, address, 8);
	}
	bus_out(&bench.b.ports, DMA, __builtin_bswap32((uint32_t)(at >> 32)),
		4);
	bus_out(&bench.b.ports, DMA + 4, __builtin_bswap32((uint32_t)at), 4);
	return c ? (uint32_t)c[0] << 24 | c[1] << 16 | c[2] << 8 | c[3] : 0;
}

static void test_dma(void **state)
{
	uint8_t *m = bench.memory;

	(void)state;
	assert_int_equal(bus_in(&bench.b.ports, DMA, 4), 0x554d4551);
	assert_int_equal(bus_in(&bench.b.ports, DMA + 4, 4), 0x47464320);
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, "f", "0123456789", 10),
			 0);
	/* Select and read in one. */
	memset(m + 0x800, 'x', 16);
	assert_int_equal(dma(0x100, 0x0020000a, 4, 0x800), 0);
	assert_memory_equal(m + 0x800, "0123xx", 6);
	/* Skip, then read across the end: zeroes. */
	assert_int_equal(dma(0x100, 0x04, 3, 0), 0);
	assert_int_equal(dma(0x100, 0x02, 5, 0x800), 0);
	assert_memory_equal(m + 0x800, "789\0\0x", 6);
	/* From and to high memory. */
	assert_int_equal(dma(0x100000010, 0x0020000a, 10, 0x100000800), 0);
	assert_memory_equal(m + 0x2800, "0123456789", 10);
	/* Over a page's end. */
	assert_int_equal(dma(0x100, 0x0020000a, 10, 0xffd), 0);
	assert_memory_equal(m + 0xffd, "0123456789", 10);
	/* Nothing asked for is fine; writing is not. */
	assert_int_equal(dma(0x100, 0, 10, 0x800), 0);
	assert_int_equal(dma(0x100, 0x10, 10, 0x800), 1);
}

static void test_dma_bounds(void **state)
{
	(void)state;
	assert_int_equal(fw_cfg_add_file(&bench.fw_cfg, "f", "0123456789", 10),
			 0);
	/* Targets that are no RAM, or not for long. */
	assert_int_equal(dma(0x100, 0x0020000a, 10, 0x2000), 1);
	assert_int_equal(dma(0x100, 0x0020000a, 10, 0x1ffb), 1);
	assert_int_equal(dma(0x100, 0x0020000a, 0xffffffff, 0x1000), 1);
	assert_int_equal(dma(0x100, 0x0020000a, 10, ~0ULL - 4), 1);
	assert_int_equal(dma(0x100, 0x04, 0xffffffff, 0), 0);
	assert_int_equal(dma(0x100, 0x02, 1, 0x800), 0);
	assert_int_equal(bench.memory[0x800], 0);
	/* Commands that are no RAM. */
	(void)dma(0x1ff8, 0, 0, 0);
	(void)dma(0x5000, 0, 0, 0);
	(void)dma(~0ULL, 0, 0, 0);
	/* Half an address, odd widths. */
	bus_out(&bench.b.ports, DMA, 0, 2);
	bus_out(&bench.b.ports, DMA + 7, 0, 1);
	bus_out(&bench.b.ports, DMA + 2, 0, 4);
}

static void test_reset(void **state)
{
	(void)state;
	select_key(FW_CFG_ID);
	(void)byte();
	fw_cfg_reset(&bench.fw_cfg);
	assert_bytes("QEMU", 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_items),	 TEST(test_files),
		TEST(test_string_input), TEST(test_dma),
		TEST(test_dma_bounds),	 TEST(test_reset),
	};

	return cmocka_run_group_tests_name("fw_cfg", tests, NULL, NULL);
}
