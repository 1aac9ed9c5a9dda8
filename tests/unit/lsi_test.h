/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of devices/lsi*.c share: an adapter with a disk at ID 0, one
 * that cannot be written at ID 2 and a CD-ROM drive at ID 6, RAM, and a program
 * that sends a command as drivers do.
 */
#ifndef BULKHEAD_TESTS_UNIT_LSI_TEST_H
#define BULKHEAD_TESTS_UNIT_LSI_TEST_H

#include "devices/lsi.h"
#include "tests/unit/ide_test.h"

#define LSI_DEVFN PCI_DEVFN(9, 0)
#define LSI_PORTS 0xd000U
#define LSI_MMIO  0xf0000000U
#define LSI_SRAM  0xf0002000U
#define SCRIPT	  0x1000U
#define DSA	  0x2000U /* the table that it finds its operands in */
#define MESSAGES  0x3000U
#define COMMAND	  0x3100U
#define STATUS	  0x3200U
#define MESSAGE	  0x3204U
#define DATA	  0x100000U

/* Offsets in the table. */
#define T_SELECT   0
#define T_MESSAGES 8
#define T_COMMAND  16
#define T_DATA	   24

#define SCNTL1	 0x01
#define SFBR	 0x08
#define DSTAT	 0x0c
#define SSTAT0	 0x0d
#define SSTAT2	 0x0f
#define DSA_REG	 0x10
#define ISTAT0	 0x14
#define ISTAT1	 0x15
#define CTEST2	 0x1a
#define TEMP	 0x1c
#define DBC	 0x24
#define DSP	 0x2c
#define DSPS	 0x30
#define SCRATCHA 0x34
#define DIEN	 0x39
#define DCNTL	 0x3b
#define SIEN0	 0x40
#define SIEN1	 0x41
#define SIST0	 0x42
#define SIST1	 0x43
#define STIME1	 0x49
#define CCNTL0	 0x56
#define SCRATCHB 0x5c
#define PMJAD1	 0xc0
#define PMJAD2	 0xc4
#define RBC	 0xc8
#define UA	 0xcc
#define IA	 0xd4

#define DSTAT_SIR_DFE 0x84
#define DSTAT_IID_DFE 0x81

/* What interrupts the program says by DSPS. */
enum { DONE = 0xd0, DISCONNECTED, RESELECTED, OTHER };

static struct {
	struct lsi lsi;
	struct medium disk_2;
	bool intx;
	unsigned length; /* words of the program */
} l;

static inline void lsi_intx_set(void *ctx, uint8_t devfn, unsigned pin,
				bool level)
{
	(void)ctx;
	assert_int_equal(devfn, LSI_DEVFN);
	assert_int_equal(pin, 0);
	l.intx = level;
}

static inline uint32_t reg_read(unsigned offset, unsigned size)
{
	struct io_access io = { .offset = LSI_MMIO + offset,
				.size = (uint8_t)size };

	bus_access(&t.memory, &io);
	return (uint32_t)io.data;
}

static inline void reg_write(unsigned offset, unsigned size, uint32_t value)
{
	struct io_access io = { .offset = LSI_MMIO + offset,
				.size = (uint8_t)size,
				.data = value,
				.is_write = true };

	bus_access(&t.memory, &io);
}

static inline void ram_put(uint32_t at, uint32_t value)
{
	memcpy(t.ram_bytes + at, &value, sizeof(value));
}

static inline uint32_t ram_get(uint32_t at)
{
	uint32_t value;

	memcpy(&value, t.ram_bytes + at, sizeof(value));
	return value;
}

/* An instruction behind those before it; where it is. */
static inline uint32_t emit(uint32_t word, uint32_t second)
{
	uint32_t at = SCRIPT + 4 * l.length;

	ram_put(at, word);
	ram_put(at + 4, second);
	l.length += 2;
	return at;
}

static inline void run_at(uint32_t at)
{
	reg_write(DSP, 4, at);
}

static inline void run(void)
{
	run_at(SCRIPT);
}

/* It has come to INT with that number. */
static inline void expect_int(uint32_t number)
{
	assert_true(l.intx);
	assert_int_equal(reg_read(ISTAT0, 1) & 3, 1);
	assert_int_equal(reg_read(DSTAT, 1), DSTAT_SIR_DFE);
	assert_int_equal(reg_read(DSPS, 4), number);
	assert_false(l.intx);
}

static inline void table_put(uint32_t offset, uint32_t count, uint32_t address)
{
	ram_put(DSA + offset, count);
	ram_put(DSA + offset + 4, address);
}

/* To whom, with which messages. */
static inline void address(unsigned id, const uint8_t *messages, unsigned count)
{
	ram_put(DSA + T_SELECT, id << 16);
	memcpy(t.ram_bytes + MESSAGES, messages, count);
	table_put(T_MESSAGES, count, MESSAGES);
}

static inline void command_put(const uint8_t *bytes, unsigned count,
			       uint32_t data)
{
	memcpy(t.ram_bytes + COMMAND, bytes, count);
	table_put(T_COMMAND, count, COMMAND);
	table_put(T_DATA, data, DATA);
	t.ram_bytes[STATUS] = t.ram_bytes[MESSAGE] = 0xee;
}

/*
 * Select, messages out, command; then by phase: data, status and its message,
 * other messages; INT at the end, at a disconnection and a reselection.
 */
static inline void program_make(bool is_out)
{
	uint32_t phase = is_out ? 0 : 0x01000000;
	uint32_t loop;

	l.length = 0;
	emit(0x47000000, 0); /* SELECT ATN by the table */
	emit(0x1e000000, T_MESSAGES);
	loop = SCRIPT + 4 * l.length;
	emit(0x828b0000, 0x20);		/* JUMP REL, WHEN COMMAND */
	emit(0x808b0000 | phase, 0x28); /* WHEN data */
	emit(0x838b0000, 0x30);		/* WHEN STATUS */
	emit(0x878b0000, 0x50);		/* WHEN MESSAGE IN */
	emit(0x98080000, OTHER);
	emit(0x1a000000, T_COMMAND);
	emit(0x80080000, loop);
	emit(0x10000000 | phase, T_DATA);
	emit(0x80080000, loop);
	emit(0x03000001, STATUS);
	emit(0x07000001, MESSAGE);
	emit(0x60000040, 0); /* CLEAR ACK */
	emit(0x48000000, 0); /* WAIT DISCONNECT */
	emit(0x98080000, DONE);
	emit(0x07000001, MESSAGE);
	emit(0x60000040, 0);
	emit(0x808c0004, 8); /* JUMP IF 4: DISCONNECT */
	emit(0x80080000, loop);
	emit(0x48000000, 0);
	emit(0x98080000, DISCONNECTED);
}

static inline void send(unsigned id, const uint8_t *bytes, unsigned count,
			uint32_t data, bool is_out)
{
	static const uint8_t identify = 0x80;

	address(id, &identify, 1);
	command_put(bytes, count, data);
	program_make(is_out);
	run();
}

static inline void expect_status(uint8_t status)
{
	expect_int(DONE);
	assert_int_equal(t.ram_bytes[STATUS], status);
	assert_int_equal(t.ram_bytes[MESSAGE], 0);
}

#define SEND(id, data, is_out, ...)                \
	send(id, (const uint8_t[]){ __VA_ARGS__ }, \
	     sizeof((const uint8_t[]){ __VA_ARGS__ }), data, is_out)

static inline int lsi_setup(void **state)
{
	struct lsi_config config = {
		.pci = &t.pci,
		.devfn = LSI_DEVFN,
		.ram = &t.ram,
		.clock = &t.clock,
	};

	free(l.disk_2.bytes);
	memset(&l, 0, sizeof(l));
	setup(state);
	medium_init(&l.disk_2, 1000);
	l.disk_2.backend.is_read_only = true;
	config.drive[0] =
		(struct scsi_drive_config){ .backend = &t.disk.backend };
	config.drive[2] = (struct scsi_drive_config){
		.backend = &l.disk_2.backend, .serial = "TWO", .model = "Second"
	};
	config.drive[6] = (struct scsi_drive_config){ .backend = &t.cd.backend,
						      .is_cdrom = true };
	t.pci.intx_set = lsi_intx_set;
	t.pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	assert_int_equal(lsi_init(&l.lsi, &config), 0);
	pci_config_write(&t.pci, LSI_DEVFN, 0x10, 4, LSI_PORTS);
	pci_config_write(&t.pci, LSI_DEVFN, 0x14, 4, LSI_MMIO);
	pci_config_write(&t.pci, LSI_DEVFN, 0x18, 4, LSI_SRAM);
	pci_config_write(&t.pci, LSI_DEVFN, PCI_COMMAND, 2, 7);
	reg_write(DIEN, 1, 0x7d);
	reg_write(SIEN0, 1, 0x8f);
	reg_write(SIEN1, 1, 0x04);
	reg_write(DSA_REG, 4, DSA);
	return 0;
}

static inline int lsi_teardown(void **state)
{
	free(l.disk_2.bytes);
	memset(&l, 0, sizeof(l));
	return teardown(state);
}

#define LSI_TEST(name) \
	cmocka_unit_test_setup_teardown(name, lsi_setup, lsi_teardown)

#endif
