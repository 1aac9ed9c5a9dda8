/* SPDX-License-Identifier: BSD-2-Clause */
/* What the board makes of the messages that PCI functions send. */
#include "tests/unit/device_test.h"

#include "machine/board_parts.h"

static struct {
	struct guest_ram guest_ram;
	uint8_t ram[PAGE_SIZE];
	unsigned sent;
	uint64_t address;
	uint32_t data;
} bench;

static bool send_msi(void *ctx, uint64_t address, uint32_t data)
{
	assert_ptr_equal(ctx, &bench);
	bench.sent++;
	bench.address = address;
	bench.data = data;
	return true;
}

static void message(uint64_t address, uint32_t data)
{
	static const struct board_host_ops ops = { .send_msi = send_msi };

	board_message(&ops, &bench, &bench.guest_ram, address, data);
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.guest_ram.count = 1;
	bench.guest_ram.range[0] =
		(struct guest_ram_range){ .length = sizeof(bench.ram),
					  .host = bench.ram };
	return 0;
}

static void test_modes(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t data;
		bool is_sent;
		uint32_t sent; /* the data */
	} rows[] = {
		/* Fixed; lowest priority; to more than one; with a level. */
		{ 0xfee01000, 0x0041, true, 0x0041 },
		{ 0xfee0f00c, 0x0141, true, 0x0141 },
		{ 0xfee0f004, 0x0041, true, 0x0041 },
		{ 0xfee01000, 0xc041, true, 0xc041 },
		{ 0xfee01000, 0x4041, true, 0x4041 },
		/* The redirection hint. */
		{ 0xfee0f00c, 0x0041, true, 0x0141 },
		{ 0xfee01008, 0x0041, true, 0x0141 },
		{ 0xfee01008, 0x0400, true, 0x0400 },
		/* NMI, INIT, ExtINT; SMI and what is reserved. */
		{ 0xfee01000, 0x0400, true, 0x0400 },
		{ 0xfee01000, 0x0500, true, 0x0500 },
		{ 0xfee01000, 0x0700, true, 0x0700 },
		{ 0xfee01000, 0x0241, false, 0 },
		{ 0xfee01000, 0x0341, false, 0 },
		{ 0xfee01000, 0x0641, false, 0 },
		/* Level without Assert. */
		{ 0xfee01000, 0x8041, false, 0 },
		{ 0xfee01000, 0x8500, false, 0 },
		/* The window's ends, and 4 GiB above it. */
		{ 0xfeeffffc, 0x0041, true, 0x0141 },
		{ 0xfedffffc, 0x0041, false, 0 },
		{ 0xfef00000, 0x0041, false, 0 },
		{ 0x1fee01000, 0x0041, false, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		bench.sent = 0;
		message(rows[i].address, rows[i].data);
		assert_int_equal(bench.sent, rows[i].is_sent);
		if (!rows[i].is_sent)
			continue;
		assert_int_equal(bench.data, rows[i].sent);
		assert_int_equal(bench.address, rows[i].address);
	}
}

/* An address that is no interrupt's is memory's. */
static void test_memory(void **state)
{
	static const uint8_t written[] = { 0, 0x78, 0x56, 0x34, 0x12, 0 };

	(void)state;
	message(0x100, 0x12345678);
	assert_memory_equal(bench.ram + 0xff, written, sizeof(written));
	assert_int_equal(bench.sent, 0);
	/* Where there is none. */
	message(sizeof(bench.ram), 0x12345678);
	message(~3ULL, 0x12345678);
	assert_int_equal(bench.sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_modes, setup),
		cmocka_unit_test_setup(test_memory, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
