/* SPDX-License-Identifier: BSD-2-Clause */
/* The LSI 53C895A's SCRIPTS processor: each instruction, and what stops it. */
#include "tests/unit/lsi_test.h"

#define INT 0x98080000U

/* ---- Registers and jumps ------------------------------------------------ */

/* SCRATCHA's first byte is the operand of all. */
static void test_arithmetic(void **state)
{
	static const struct {
		uint8_t op, value, data, result;
		bool carry_in, carry;
	} rows[] = {
		{ 0, 0x55, 0x12, 0x12, false, false },
		{ 1, 0x81, 0, 0x03, true, true },
		{ 1, 0x41, 0, 0x82, false, false },
		{ 2, 0x50, 0x0f, 0x5f, false, false },
		{ 3, 0x55, 0x0f, 0x5a, false, false },
		{ 4, 0x55, 0x0f, 0x05, false, false },
		{ 5, 0x81, 0, 0xc0, true, true },
		{ 5, 0x80, 0, 0x40, false, false },
		{ 6, 0xff, 1, 0x00, true, true },
		{ 6, 0x0f, 1, 0x10, true, false },
		{ 7, 0xff, 0, 0x00, true, true },
		{ 7, 0x0f, 1, 0x10, false, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t operation = (uint32_t)rows[i].op << 24 |
				     SCRATCHA << 16 |
				     (uint32_t)rows[i].data << 8;

		l.length = 0;
		emit(rows[i].carry_in ? 0x58000400 : 0x60000400, 0);
		emit(0x78000000 | operation, 0); /* changes it */
		emit(0x80880000 | 1 << 21, 8);	 /* JUMP REL IF CARRY */
		emit(INT, 0);
		emit(INT, 1);
		reg_write(SCRATCHA, 1, rows[i].value);
		run();
		expect_int(rows[i].carry);
		assert_int_equal(reg_read(SCRATCHA, 1), rows[i].result);
	}
}

/* From SFBR and to it, by SFBR instead of data, and a register above 7Fh. */
static void test_first_byte(void **state)
{
	(void)state;
	reg_write(SFBR, 1, 0x3c);
	emit(0x6a000000 | SCRATCHA << 16 | 0x01 << 8, 0);
	emit(0x72000000 | SCRATCHA << 16 | 0x40 << 8, 0);
	emit(0x78800000 | 0x20 << 16 | 0x80, 0); /* to A0h */
	emit(INT, 0);
	run();
	expect_int(0);
	assert_int_equal(reg_read(SCRATCHA, 1), 0x3d);
	assert_int_equal(reg_read(SFBR, 1), 0x7d);
	assert_int_equal(reg_read(0xa0, 1), 0x7d);
}

static void test_jumps(void **state)
{
	static const struct {
		uint32_t word;
		bool is_taken;
	} rows[] = {
		{ 0x80080000, true },  { 0x80000000, false },
		{ 0x800c0055, true },  { 0x800c0056, false },
		{ 0x80040056, true },  { 0x80040055, false },
		{ 0x800c0f50, true },  { 0x800c0f60, false },
		{ 0x870a0000, false }, { 0x87020000, true },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		l.length = 0;
		reg_write(SFBR, 1, 0x55);
		emit(rows[i].word, SCRIPT + 16);
		emit(INT, 0);
		emit(INT, 1);
		run();
		expect_int(rows[i].is_taken);
	}
}

static void test_call(void **state)
{
	(void)state;
	emit(0x88880000, 16); /* CALL REL */
	emit(INT, 1);
	emit(INT, 2);
	emit(0x90080000, 0); /* RETURN */
	run();
	expect_int(1);
	assert_int_equal(reg_read(TEMP, 4), SCRIPT + 8);
	/* Backwards. */
	l.length = 0;
	emit(0x80080000, SCRIPT + 16);
	emit(INT, 3);
	emit(0x80880000, 0xfffff0);
	run();
	expect_int(3);
}

static void test_on_the_fly(void **state)
{
	(void)state;
	emit(0x98180000, 7);
	emit(0x80080000, SCRIPT + 8); /* goes on, without an end */
	run();
	assert_true(l.intx);
	assert_int_equal(reg_read(ISTAT0, 1), 4);
	assert_int_equal(reg_read(ISTAT1, 1), 2);
	reg_write(ISTAT0, 1, 4);
	assert_false(l.intx);
	reg_write(ISTAT0, 1, 0x80);
	assert_int_equal(reg_read(DSTAT, 1), 0x90);
	assert_int_equal(reg_read(ISTAT1, 1), 0);
}

/* ---- Memory
 * ------------------------------------------------------------------ */

static void test_memory(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		t.ram_bytes[DATA + i] = (uint8_t)(i * 13);
	emit(0xc0000000 | 10000, DATA);
	ram_put(SCRIPT + 8, DATA + 0x10000);
	l.length = 3;
	emit(0xc0000004, LSI_MMIO + SCRATCHA); /* from a register */
	ram_put(SCRIPT + 20, DATA + 0x20000);
	l.length = 6;
	emit(0xc0000004, DATA); /* to the adapter's RAM */
	ram_put(SCRIPT + 32, LSI_SRAM + 0x1ffc);
	l.length = 9;
	emit(INT, 0);
	reg_write(SCRATCHA, 4, 0xcafe5678);
	run();
	expect_int(0);
	assert_memory_equal(t.ram_bytes + DATA, t.ram_bytes + DATA + 0x10000,
			    10000);
	assert_int_equal(ram_get(DATA + 0x20000), 0xcafe5678);
	assert_memory_equal(l.lsi.state.ram + 0x1ffc, t.ram_bytes + DATA, 4);
}

static void test_load_store(void **state)
{
	(void)state;
	ram_put(DSA - 8, 0x11223344);
	emit(0xf1000003 | SCRATCHA << 16, 0xfffff8); /* LOAD by DSA - 8 */
	emit(0xe0000002 | SCRATCHA << 16, DATA + 2); /* STORE */
	emit(INT, 0);
	run();
	expect_int(0);
	assert_int_equal(reg_read(SCRATCHA, 4), 0x223344);
	assert_int_equal(ram_get(DATA), 0x33440000);
	l.length = 0;
	emit(0xe1000005 | SCRATCHA << 16, DATA);
	run();
	assert_int_equal(reg_read(DSTAT, 1), DSTAT_IID_DFE);
}

/* Instructions in the adapter's RAM, and beyond all memory. */
static void test_own_ram(void **state)
{
	struct io_access io = { .offset = LSI_SRAM,
				.size = 8,
				.is_write = true,
				.data = INT | 0x77ULL << 32 };

	(void)state;
	bus_access(&t.memory, &io);
	io = (struct io_access){ .offset = LSI_SRAM, .size = 8 };
	bus_access(&t.memory, &io);
	assert_int_equal(io.data, INT | 0x77ULL << 32);
	run_at(LSI_SRAM);
	expect_int(0x77);
	run_at(0xd0000000);
	assert_int_not_equal(reg_read(DSTAT, 1), 0x80);
}

/* ---- Moves
 * -------------------------------------------------------------------- */

/* READ CAPACITY's answer, by each way to say where it goes. */
static void test_operands(void **state)
{
	static const uint8_t capacity[] = { 0, 0, 0x4e, 0x1f, 0, 0, 2, 0 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const uint32_t moves[][2] = { { 0x09000008, DATA + 64 },
					      { 0x29000008, DATA },
					      { 0x19000000, 0xffffe0 } };

		memset(t.ram_bytes + DATA, 0, 128);
		ram_put(DATA, DATA + 64);
		ram_put(DSA - 32, 8);
		ram_put(DSA - 28, DATA + 64);
		address(0, (const uint8_t[]){ 0x80 }, 1);
		l.length = 0;
		memset(t.ram_bytes + COMMAND, 0, 16);
		t.ram_bytes[COMMAND] = 0x25;
		emit(0x47000000, 0);
		emit(0x1e000000, T_MESSAGES);
		emit(0x0200000a, COMMAND);
		emit(moves[i][0], moves[i][1]);
		emit(0x03000001, STATUS);
		emit(0x07000001, MESSAGE);
		emit(INT, DONE);
		run();
		expect_status(0);
		assert_memory_equal(t.ram_bytes + DATA + 64, capacity, 8);
	}
}

/* Up to the data phase: READ (10) of a sector. */
static void read_begin(void)
{
	address(0, (const uint8_t[]){ 0x80 }, 1);
	l.length = 0;
	memset(t.ram_bytes + COMMAND, 0, 16);
	t.ram_bytes[COMMAND] = 0x28;
	t.ram_bytes[COMMAND + 8] = 1;
	emit(0x47000000, 0);
	emit(0x1e000000, T_MESSAGES);
	emit(0x0200000a, COMMAND);
}

/* The target has less than there is room for. */
static void test_mismatch(void **state)
{
	(void)state;
	read_begin();
	emit(0x01000400, DATA);
	run();
	assert_true(l.intx);
	assert_int_equal(reg_read(SIST0, 1), 0x80);
	assert_int_equal(reg_read(DBC, 4), 0x01000200);
	assert_int_equal(reg_read(0x28, 4), DATA + 512);
	assert_int_equal(reg_read(DSP, 4), SCRIPT + 32);
	assert_int_equal(reg_read(0x0b, 1), 0xa3);
	assert_memory_equal(t.ram_bytes + DATA, sector(0), 512);
	/* The rest of it. */
	l.length = 0;
	emit(0x03000001, STATUS);
	emit(0x07000001, MESSAGE);
	emit(INT, DONE);
	run();
	expect_status(0);
}

static void test_mismatch_jump(void **state)
{
	(void)state;
	reg_write(PMJAD1, 4, 0x4000);
	reg_write(PMJAD2, 4, 0x4010);
	ram_put(0x4000, INT);
	ram_put(0x4004, 1);
	ram_put(0x4010, INT);
	ram_put(0x4014, 2);
	for (unsigned i = 0; i < 2; i++) {
		/* By the direction, or by what is left in SWIDE: nothing. */
		reg_write(CCNTL0, 1, i ? 0xc0 : 0x80);
		table_put(T_DATA, 0x400, DATA);
		read_begin();
		emit(0x11000000, T_DATA);
		run();
		expect_int(i + 1);
		assert_int_equal(reg_read(RBC, 4), 0x200);
		assert_int_equal(reg_read(UA, 4), DATA + 512);
		assert_int_equal(reg_read(IA, 4), SCRIPT + 24);
		reg_write(SCNTL1, 1, 8);
		reg_write(SCNTL1, 1, 0);
		(void)reg_read(SIST0, 1);
	}
}

/* Upper parts of addresses: nothing is there, and nothing else is touched. */
static void test_high(void **state)
{
	(void)state;
	reg_write(0x57, 1, 0x06); /* 40 bits, of the table */
	ram_put(DATA, 0x12345678);
	table_put(T_DATA, 0x01000200, DATA);
	read_begin();
	emit(0x11000000, T_DATA);
	emit(INT, 0);
	run();
	expect_int(0);
	assert_int_equal(ram_get(DATA), 0x12345678);
}

/* Direct moves of three words. */
static void test_direct_64(void **state)
{
	(void)state;
	reg_write(0x57, 1, 0x01);
	for (uint32_t high = 0; high < 2; high++) {
		ram_put(DATA, 0x12345678);
		address(0, (const uint8_t[]){ 0x80 }, 1);
		l.length = 0;
		memset(t.ram_bytes + COMMAND, 0, 16);
		t.ram_bytes[COMMAND] = 0x28;
		t.ram_bytes[COMMAND + 8] = 1;
		emit(0x47000000, 0);
		emit(0x1e000000, T_MESSAGES);
		emit(0x0200000a, COMMAND);
		ram_put(SCRIPT + 4 * l.length++, 0);
		emit(0x01000200, DATA);
		ram_put(SCRIPT + 4 * l.length++, high);
		emit(INT, 6);
		run();
		expect_int(6);
		assert_int_equal(ram_get(DATA) == 0x12345678, high);
		reg_write(SCNTL1, 1, 8);
		reg_write(SCNTL1, 1, 0);
		(void)reg_read(SIST0, 1);
	}
}

static void test_unconnected(void **state)
{
	(void)state;
	emit(0x01000010, DATA);
	run();
	assert_int_equal(reg_read(SIST0, 1), 0x04);
	l.length = 0;
	emit(0x01000000, DATA); /* of nothing */
	run();
	assert_int_equal(reg_read(DSTAT, 1), DSTAT_IID_DFE);
}

/* ---- Steps and loops
 * ------------------------------------------------------------ */

static void test_single_step(void **state)
{
	(void)state;
	emit(0x78000100 | SCRATCHA << 16, 0);
	emit(INT, 5);
	reg_write(DCNTL, 1, 0x10);
	run();
	assert_int_equal(reg_read(DSTAT, 1), 0x88);
	assert_int_equal(reg_read(SCRATCHA, 1), 1);
	assert_int_equal(reg_read(DSP, 4), SCRIPT + 8);
	reg_write(DCNTL, 1, 0x14);
	expect_int(5);
}

/* A program without an end has its share of time, and can be stopped. */
static void test_endless(void **state)
{
	uint32_t rounds;

	(void)state;
	emit(0x7e000100 | SCRATCHA << 16, 0);
	emit(0x7f000000 | (SCRATCHA + 1) << 16, 0);
	emit(0x80080000, SCRIPT);
	run();
	rounds = reg_read(SCRATCHA, 2);
	assert_in_range(rounds, 1, LSI_INSTRUCTIONS);
	assert_false(l.intx);
	pass_time(LSI_PAUSE_NS);
	assert_in_range(reg_read(SCRATCHA, 2), rounds + 1, 2 * rounds + 2);
	reg_write(ISTAT0, 1, 0x80);
	assert_int_equal(reg_read(DSTAT, 1), 0x90);
	rounds = reg_read(SCRATCHA, 2);
	pass_time(LSI_PAUSE_NS);
	assert_int_equal(reg_read(SCRATCHA, 2), rounds);
}

/* Memory moves cost, too: they are as long as they are. */
static void test_endless_copies(void **state)
{
	(void)state;
	reg_write(SCRATCHA, 4, 0);
	emit(0xc0ffffff, DATA);
	ram_put(SCRIPT + 8, 0xe0000000);
	l.length = 3;
	emit(0x7e000100 | SCRATCHA << 16, 0);
	emit(0x80080000, SCRIPT);
	run();
	assert_in_range(reg_read(SCRATCHA, 1), 0, 2);
	pass_time(LSI_PAUSE_NS);
	assert_in_range(reg_read(SCRATCHA, 1), 1, 3);
}

/* The processor changes where it is itself, by its registers in memory. */
static void test_self(void **state)
{
	(void)state;
	ram_put(DATA, SCRIPT + 20);
	emit(0xc0000004, DATA);
	ram_put(SCRIPT + 8, LSI_MMIO + DSP);
	l.length = 3;
	emit(INT, 1);
	emit(INT, 2);
	run();
	expect_int(2);
	/* A reset by itself. */
	l.length = 0;
	emit(0x78004000 | ISTAT0 << 16, 0);
	emit(INT, 1);
	run();
	assert_int_equal(reg_read(ISTAT1, 1), 0);
	assert_false(l.intx);
}

static void test_not_master(void **state)
{
	(void)state;
	emit(INT, 4);
	pci_config_write(&t.pci, LSI_DEVFN, PCI_COMMAND, 2, 3);
	run();
	assert_false(l.intx);
	pci_config_write(&t.pci, LSI_DEVFN, PCI_COMMAND, 2, 7);
	expect_int(4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LSI_TEST(test_arithmetic),     LSI_TEST(test_first_byte),
		LSI_TEST(test_jumps),	       LSI_TEST(test_call),
		LSI_TEST(test_on_the_fly),     LSI_TEST(test_memory),
		LSI_TEST(test_load_store),     LSI_TEST(test_own_ram),
		LSI_TEST(test_operands),       LSI_TEST(test_mismatch),
		LSI_TEST(test_mismatch_jump),  LSI_TEST(test_high),
		LSI_TEST(test_direct_64),      LSI_TEST(test_unconnected),
		LSI_TEST(test_single_step),    LSI_TEST(test_endless),
		LSI_TEST(test_endless_copies), LSI_TEST(test_self),
		LSI_TEST(test_not_master),
	};

	return cmocka_run_group_tests_name("lsi_script", tests, NULL, NULL);
}
