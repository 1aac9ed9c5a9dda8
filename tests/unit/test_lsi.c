/* SPDX-License-Identifier: BSD-2-Clause */
/* The LSI 53C895A and its targets: registers, commands, messages. */
#include "tests/unit/lsi_test.h"

/* ---- Registers ---------------------------------------------------------- */

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&t.pci, LSI_DEVFN, 0, 4), 0x00121000);
	assert_int_equal(pci_config_read(&t.pci, LSI_DEVFN, 8, 4), 0x01000000);
	/* Linux' driver gives up where it cannot set this. */
	pci_config_write(&t.pci, LSI_DEVFN, 0x0c, 1, 0x10);
	assert_int_equal(pci_config_read(&t.pci, LSI_DEVFN, 0x0c, 1), 0x10);
	assert_int_equal(reg_read(0x46, 1) & 0xf0, 0xf0);
	assert_int_equal(reg_read(0x52, 1), 0xe0);
	/* What the same driver wants of DSTAT to SSTAT2. */
	reg_write(DSTAT, 4, UINT32_MAX);
	assert_int_equal(reg_read(DSTAT, 4), 0x02000080);
	/* The ports are the same registers, and memory has them four times. */
	out(LSI_PORTS + SCRATCHA, 4, 0x12345678);
	assert_int_equal(reg_read(SCRATCHA, 4), 0x12345678);
	assert_int_equal(reg_read(0x300 + SCRATCHA, 2), 0x5678);
	/* Where BARs 1 and 2 are. */
	reg_write(CTEST2, 1, 0x08);
	assert_int_equal(reg_read(SCRATCHA, 4), LSI_MMIO);
	assert_int_equal(reg_read(SCRATCHB, 4), LSI_SRAM);
	reg_write(CTEST2, 1, 0);
	assert_int_equal(reg_read(SCRATCHA, 4), 0x12345678);
}

static void test_resets(void **state)
{
	(void)state;
	reg_write(SCRATCHA, 4, 0x12345678);
	reg_write(SCNTL1, 1, 0x08);
	assert_true(l.intx);
	assert_int_equal(reg_read(SSTAT0, 1), 2);
	assert_int_equal(reg_read(ISTAT0, 1), 2);
	assert_int_equal(reg_read(SIST0, 2), 2);
	assert_false(l.intx);
	reg_write(SCNTL1, 1, 0);
	assert_int_equal(reg_read(SSTAT0, 1), 0);
	assert_int_equal(reg_read(SCRATCHA, 4), 0x12345678);
	reg_write(ISTAT0, 1, 0x40);
	assert_int_equal(reg_read(SCRATCHA, 4), 0);
	assert_int_equal(reg_read(0, 1), 0xc0);
	assert_int_equal(reg_read(4, 1), 7);
	reg_write(ISTAT0, 1, 0);
	assert_int_equal(reg_read(ISTAT0, 1), 0);
	/* The machine's, with an interrupt pending. */
	reg_write(SIEN0, 1, 2);
	reg_write(SCNTL1, 1, 0x08);
	assert_true(l.intx);
	lsi_reset(&l.lsi);
	assert_false(l.intx);
}

static void test_general_timer(void **state)
{
	(void)state;
	reg_write(SIEN1, 1, 0x02);
	reg_write(STIME1, 1, 4); /* 1 ms */
	pass_time(999999);
	assert_false(l.intx);
	pass_time(1);
	assert_true(l.intx);
	assert_int_equal(reg_read(SIST1, 1), 0x02);
	assert_false(l.intx);
	pass_time(NSEC_PER_SEC);
	assert_false(l.intx);
	reg_write(STIME1, 1, 0x41); /* 2 ms */
	pass_time(1999999);
	assert_false(l.intx);
	reg_write(STIME1, 1, 0);
	pass_time(NSEC_PER_SEC);
	assert_int_equal(reg_read(SIST1, 1), 0);
}

/* ---- Commands ----------------------------------------------------------- */

static void test_inquiry(void **state)
{
	(void)state;
	SEND(0, 36, false, 0x12, 0, 0, 0, 36, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA + 8,
			    "BULKHEADSCSI disk       1.0 ", 28);
	assert_int_equal(t.ram_bytes[DATA + 7], 0x32);
	SEND(2, 36, false, 0x12, 0, 0, 0, 36, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA + 8, "BULKHEADSecond          ",
			    24);
	SEND(2, 7, false, 0x12, 1, 0x80, 0, 255, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA + 4, "TWO", 3);
	SEND(6, 36, false, 0x12, 0, 0, 0, 36, 0);
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA], 5);
	assert_int_equal(t.ram_bytes[DATA + 2], 2);
	assert_int_equal(t.ram_bytes[DATA + 3], 2);
}

/* Format, geometry, caching: alone, all, and what of them could be changed. */
static void test_modes(void **state)
{
	uint8_t *data = t.ram_bytes + DATA;

	(void)state;
	SEND(0, 28, false, 0x1a, 8, 4, 0, 255, 0);
	expect_status(0);
	assert_int_equal(data[0], 27);
	assert_int_equal(data[4], 4);
	assert_int_equal(data[4 + 4], SECTORS / 16 / 63);
	assert_int_equal(data[4 + 5], 16);
	SEND(0, 76, false, 0x5a, 8, 0x3f, 0, 0, 0, 0, 0, 255, 0);
	expect_status(0);
	assert_int_equal(data[1], 74);
	assert_int_equal(data[8], 3);
	assert_int_equal(data[8 + 11], 63);
	assert_int_equal(data[32], 4);
	assert_int_equal(data[56], 8);
	assert_int_equal(data[58], 4);
	SEND(0, 28, false, 0x1a, 8, 0x44, 0, 255, 0);
	expect_status(0);
	assert_int_equal(data[4], 4);
	assert_int_equal(data[4 + 5], 0);
	SEND(0, 24, false, 0x1a, 8, 0x05, 0, 255, 0);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 2);
}

/* More than the buffer has room for, to and fro. */
static void test_read_write(void **state)
{
	(void)state;
	SEND(0, 100 * 512, false, 0x28, 0, 0, 0, 0, 3, 0, 0, 100, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA, sector(3), 100 * 512);
	for (unsigned i = 0; i < 100 * 512; i++)
		t.ram_bytes[DATA + i] = (uint8_t)(i * 11 + i / 512);
	SEND(0, 100 * 512, true, 0x2a, 8, 0, 0, 0, 50, 0, 0, 100, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA, sector(50), 100 * 512);
	assert_int_equal(t.disk.flushes, 1);
	SEND(2, 512, true, 0x0a, 0, 0, 0, 1, 0);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 2);
	SEND(2, 18, false, 0x03, 0, 0, 0, 18, 0);
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA + 2], 7);
	assert_int_equal(t.ram_bytes[DATA + 12], 0x27);
}

static void test_cdrom(void **state)
{
	(void)state;
	SEND(6, 40 * 2048, false, 0x28, 0, 0, 0, 0, 2, 0, 0, 40, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA, t.cd.bytes + 2 * 2048,
			    40 * 2048);
	SEND(6, 2048, false, 0x08, 0, 0, 7, 1, 0);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA, t.cd.bytes + 7 * 2048, 2048);
	/* MODE SELECT: data to the drive. */
	memset(t.ram_bytes + DATA, 0, 16);
	t.ram_bytes[DATA + 8] = 0x01;
	t.ram_bytes[DATA + 9] = 6;
	SEND(6, 16, true, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 16, 0);
	expect_status(0);
	SEND(6, 8, false, 0x28, 0, 0, 1, 0, 0, 0, 0, 1, 0);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 2);
	SEND(6, 18, false, 0x03, 0, 0, 0, 18, 0);
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA + 2], 5);
	assert_int_equal(t.ram_bytes[DATA + 12], 0x21);
}

/* The medium of a drive that is late; a drive that fails. */
static void test_late(void **state)
{
	(void)state;
	t.disk.is_async = true;
	SEND(0, 512, false, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0);
	assert_false(l.intx);
	assert_int_equal(reg_read(ISTAT1, 1), 2);
	medium_complete(&t.disk);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA, sector(3), 512);
	t.cd.is_async = true;
	SEND(6, 2048, false, 0x28, 0, 0, 0, 0, 4, 0, 0, 1, 0);
	assert_false(l.intx);
	medium_complete(&t.cd);
	expect_status(0);
	assert_memory_equal(t.ram_bytes + DATA, t.cd.bytes + 4 * 2048, 2048);
	t.disk.is_async = false;
	t.disk.is_broken = true;
	SEND(0, 512, false, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 2);
	SEND(0, 18, false, 0x03, 0, 0, 0, 18, 0);
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA + 2], 3);
	assert_int_equal(t.ram_bytes[DATA + 12], 0x11);
}

/* A reset takes a request back; what ends later is nobody's. */
static void test_reset_in_flight(void **state)
{
	(void)state;
	t.disk.is_async = true;
	memset(t.ram_bytes + DATA, 0x5a, 512);
	SEND(0, 512, false, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0);
	reg_write(SCNTL1, 1, 8);
	reg_write(SCNTL1, 1, 0);
	assert_int_equal(reg_read(SIST0, 1), 2);
	assert_int_equal(t.disk.cancels, 1);
	/* Meanwhile the next command waits. */
	SEND(0, 8, false, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_false(l.intx);
	medium_complete(&t.disk);
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA + 8], 0x5a);
	assert_int_equal(t.ram_bytes[DATA + 6], 2);
}

static void test_no_unit(void **state)
{
	static const uint8_t identify = 0x83;

	(void)state;
	address(0, &identify, 1);
	command_put((const uint8_t[]){ 0x12, 0, 0, 0, 36, 0 }, 6, 36);
	program_make(false);
	run();
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA], 0x7f);
	command_put((const uint8_t[]){ 0, 0, 0, 0, 0, 0 }, 6, 36);
	run();
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 2);
	command_put((const uint8_t[]){ 3, 0, 0, 0, 18, 0 }, 6, 18);
	run();
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA + 2], 5);
	assert_int_equal(t.ram_bytes[DATA + 12], 0x25);
}

/* DSP is behind the instruction that waits for the bus. */
static void test_nobody(void **state)
{
	(void)state;
	SEND(5, 36, false, 0x12, 0, 0, 0, 36, 0);
	assert_true(l.intx);
	assert_int_equal(reg_read(ISTAT0, 1), 2);
	assert_int_equal(reg_read(DSP, 4), SCRIPT + 16);
	assert_int_equal(reg_read(SIST0, 2), 0x0400);
	assert_false(l.intx);
	SEND(7, 36, false, 0x12, 0, 0, 0, 36, 0);
	assert_int_equal(reg_read(SIST0, 2), 0x0400);
}

/* ---- Messages ----------------------------------------------------------- */

/* What the target answers to these, and that the command goes on. */
static void negotiate(const uint8_t *messages, unsigned count,
		      const uint8_t *answer, unsigned size)
{
	uint8_t all[LSI_MESSAGE] = { 0x80 };

	memcpy(all + 1, messages, count);
	address(0, all, count + 1);
	command_put((const uint8_t[]){ 0x12, 0, 0, 0, 36, 0 }, 6, 36);
	l.length = 0;
	emit(0x47000000, 0);
	emit(0x1e000000, T_MESSAGES);
	emit(0x07000000 | size, DATA + 0x1000);
	emit(0x98080000, OTHER);
	run();
	expect_int(OTHER);
	assert_memory_equal(t.ram_bytes + DATA + 0x1000, answer, size);
	assert_int_equal(reg_read(0x0b, 1) & 7, 2); /* COMMAND is next */
	reg_write(SCNTL1, 1, 8);
	reg_write(SCNTL1, 1, 0);
	(void)reg_read(SIST0, 1);
}

static void test_negotiation(void **state)
{
	static const struct {
		uint8_t message[8];
		unsigned count;
		uint8_t answer[8];
	} rows[] = {
		{ { 1, 3, 1, 5, 62 }, 5, { 1, 3, 1, 10, 31 } },
		{ { 1, 3, 1, 25, 15 }, 5, { 1, 3, 1, 25, 15 } },
		{ { 1, 2, 3, 2 }, 4, { 1, 2, 3, 1 } },
		{ { 1, 6, 4, 9, 0, 62, 1, 2 },
		  8,
		  { 1, 6, 4, 10, 0, 31, 1, 0 } },
		{ { 1, 2, 0x55, 1 }, 4, { 7 } },
		{ { 0x1f }, 1, { 7 } },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		negotiate(rows[i].message, rows[i].count, rows[i].answer,
			  rows[i].answer[0] == 7 ? 1 : rows[i].count);
}

/* Selects, and waits for whoever comes back: INT RESELECTED. */
static void reselection_make(void)
{
	uint32_t at = emit(0x50000000, SCRIPT);

	emit(0x07000001, MESSAGE); /* IDENTIFY */
	emit(0x98080000, RESELECTED);
	run_at(at);
}

static void tagged(uint8_t tag, uint8_t kind, const uint8_t *command,
		   uint32_t data, bool is_out)
{
	address(0, (const uint8_t[]){ 0xc0, kind, tag }, 3);
	command_put(command, 10, data);
	program_make(is_out);
	run();
}

/* Runs on from a reselection: the tag, then the rest of a command. */
static void expect_tagged(uint8_t tag, uint8_t status, bool is_out)
{
	reselection_make();
	expect_int(RESELECTED);
	assert_int_equal(t.ram_bytes[MESSAGE], 0x80);
	assert_int_equal(reg_read(0x0a, 1), 0x80);
	l.length = 0;
	emit(0x07000002, MESSAGES);
	emit(0x98080000, RESELECTED);
	run();
	expect_int(RESELECTED);
	assert_int_equal(t.ram_bytes[MESSAGES], 0x20);
	assert_int_equal(t.ram_bytes[MESSAGES + 1], tag);
	assert_int_equal(reg_read(0x50, 1), tag);
	program_make(is_out);
	run_at(SCRIPT + 16);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], status);
}

static void test_queue(void **state)
{
	static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0 };
	static const uint8_t other[] = { 0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0 };

	(void)state;
	t.disk.is_async = true;
	tagged(1, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	assert_int_equal(reg_read(SSTAT2, 1), 2);
	tagged(3, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	tagged(5, 0x21, other, 512, false); /* HEAD OF QUEUE */
	expect_int(DISCONNECTED);
	/* The same tag twice. */
	tagged(3, 0x20, other, 512, false);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 8);
	medium_complete(&t.disk);
	expect_tagged(1, 0, false);
	assert_memory_equal(t.ram_bytes + DATA, sector(3), 512);
	medium_complete(&t.disk);
	expect_tagged(5, 0, false);
	assert_memory_equal(t.ram_bytes + DATA, sector(9), 512);
	medium_complete(&t.disk);
	expect_tagged(3, 0, false);
	assert_memory_equal(t.ram_bytes + DATA, sector(3), 512);
}

/* A processor that waits for a target is told when it is there. */
static void test_reselection_waits(void **state)
{
	static const uint8_t write[] = { 0x2a, 0, 0, 0, 0, 3, 0, 0, 1, 0 };

	(void)state;
	t.disk.is_async = true;
	tagged(7, 0x20, write, 512, true);
	expect_int(DISCONNECTED);
	assert_int_equal(t.ram_bytes[MESSAGE], 4);
	l.length = 0;
	reselection_make();
	assert_false(l.intx);
	medium_complete(&t.disk);
	expect_int(RESELECTED);
	/* Or when the guest wants something else. */
	reg_write(SCNTL1, 1, 8);
	reg_write(SCNTL1, 1, 0);
	(void)reg_read(SIST0, 1);
	l.length = 0;
	emit(0x50000000, SCRIPT + 16);
	emit(0x98080000, RESELECTED);
	emit(0x98080000, OTHER);
	run();
	assert_false(l.intx);
	reg_write(ISTAT0, 1, 0x20);
	expect_int(OTHER);
	assert_int_equal(reg_read(CTEST2, 1) & 0x40, 0x40);
	assert_int_equal(reg_read(CTEST2, 1) & 0x40, 0);
}

static void test_queue_full(void **state)
{
	static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0 };

	(void)state;
	t.disk.is_async = true;
	tagged(0, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	/* One that may not disconnect is not taken behind others. */
	SEND(0, 512, false, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 8);
	for (unsigned i = 1; i < LSI_QUEUE; i++) {
		tagged((uint8_t)i, 0x20, read, 512, false);
		expect_int(DISCONNECTED);
	}
	tagged(200, 0x20, read, 512, false);
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], 0x28);
}

/* The queue waits until the initiator has asked why. */
static void test_allegiance(void **state)
{
	static const uint8_t bad[] = { 0x28, 0, 0xff, 0, 0, 3, 0, 0, 1, 0 };
	static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0 };

	(void)state;
	t.disk.is_async = true;
	tagged(1, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	tagged(2, 0x20, bad, 512, false);
	expect_int(DISCONNECTED);
	tagged(3, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	medium_complete(&t.disk);
	expect_tagged(1, 0, false);
	expect_tagged(2, 2, false);
	assert_null(t.disk.pending);
	SEND(0, 18, false, 0x03, 0, 0, 0, 18, 0);
	expect_status(0);
	assert_int_equal(t.ram_bytes[DATA + 12], 0x21);
	assert_non_null(t.disk.pending);
	medium_complete(&t.disk);
	table_put(T_DATA, 512, DATA);
	expect_tagged(3, 0, false);
}

static void abort_by(const uint8_t *messages, unsigned count)
{
	address(0, messages, count);
	l.length = 0;
	emit(0x47000000, 0);
	emit(0x1e000000, T_MESSAGES);
	emit(0x48000000, 0); /* WAIT DISCONNECT */
	emit(0x98080000, OTHER);
	run();
	expect_int(OTHER);
}

static void test_aborts(void **state)
{
	static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0 };

	(void)state;
	t.disk.is_async = t.disk.is_waiting = true;
	for (uint8_t tag = 1; tag <= 4; tag++) {
		tagged(tag, 0x20, read, 512, false);
		expect_int(DISCONNECTED);
	}
	abort_by((const uint8_t[]){ 0xc0, 0x20, 2, 0x0d }, 4);
	assert_int_equal(l.lsi.state.target[0].count, 3);
	assert_int_equal(t.disk.cancels, 0);
	abort_by((const uint8_t[]){ 0xc0, 0x20, 1, 0x0d }, 4);
	assert_int_equal(t.disk.cancels, 1);
	assert_int_equal(l.lsi.state.target[0].count, 2);
	/* The next one has begun. */
	medium_complete(&t.disk);
	expect_tagged(3, 0, false);
	abort_by((const uint8_t[]){ 0xc0, 0x06 }, 2);
	assert_int_equal(l.lsi.state.target[0].count, 0);
	tagged(1, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	abort_by((const uint8_t[]){ 0xc0, 0x0c }, 2);
	assert_int_equal(l.lsi.state.target[0].count, 0);
	t.disk.is_async = false;
	SEND(0, 512, false, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0);
	expect_status(0);
}

/* ATN before the status of a command that was not taken: the status is still to
 * come. */
static void test_attention(void **state)
{
	static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0 };

	(void)state;
	t.disk.is_async = true;
	tagged(1, 0x20, read, 512, false);
	expect_int(DISCONNECTED);
	address(0, (const uint8_t[]){ 0xc0, 0x20, 1 }, 3);
	t.ram_bytes[MESSAGE] = 0x08; /* NO OPERATION */
	l.length = 0;
	emit(0x47000000, 0);
	emit(0x1e000000, T_MESSAGES);
	emit(0x1a000000, T_COMMAND);
	emit(0x58000008, 0); /* SET ATN */
	emit(0x06000001, MESSAGE);
	emit(0x03000001, STATUS);
	emit(0x07000001, MESSAGE);
	emit(0x98080000, DONE);
	run();
	expect_status(0x08);
}

/* As SeaBIOS does: messages without ATN, 16 bytes of a command of 6, no data
 * by a move of none. */
static void test_firmware(void **state)
{
	(void)state;
	address(0, (const uint8_t[]){ 0x80 }, 1);
	command_put((const uint8_t[]){ 0, 0, 0, 0, 0, 0 }, 6, 0);
	l.length = 0;
	emit(0x40000000, 0);
	emit(0x06000001, MESSAGES);
	emit(0x02000010, COMMAND);
	emit(0x87820000, 0x18);
	emit(0x07000002, MESSAGE);
	emit(0x50000000, 0);
	emit(0x07000002, MESSAGE);
	emit(0, 0);
	emit(0x03000001, STATUS);
	emit(0x07000001, MESSAGE);
	emit(0x98080000, DONE);
	run();
	expect_status(0);
	/* Without a target it is what it is on the chip. */
	l.length = 0;
	emit(0, 0);
	run();
	assert_int_equal(reg_read(DSTAT, 1), DSTAT_IID_DFE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LSI_TEST(test_identity),
		LSI_TEST(test_resets),
		LSI_TEST(test_general_timer),
		LSI_TEST(test_inquiry),
		LSI_TEST(test_modes),
		LSI_TEST(test_read_write),
		LSI_TEST(test_cdrom),
		LSI_TEST(test_late),
		LSI_TEST(test_reset_in_flight),
		LSI_TEST(test_no_unit),
		LSI_TEST(test_nobody),
		LSI_TEST(test_negotiation),
		LSI_TEST(test_queue),
		LSI_TEST(test_reselection_waits),
		LSI_TEST(test_queue_full),
		LSI_TEST(test_allegiance),
		LSI_TEST(test_aborts),
		LSI_TEST(test_attention),
		LSI_TEST(test_firmware),
	};

	return cmocka_run_group_tests_name("lsi", tests, NULL, NULL);
}
