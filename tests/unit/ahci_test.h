/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of devices/ahci*.c share: a controller with a disk at port 0,
 * a CD-ROM drive at port 1 and a disk with sectors of 4 KiB at port 4, RAM, and
 * commands.
 */
#ifndef BULKHEAD_TESTS_UNIT_AHCI_TEST_H
#define BULKHEAD_TESTS_UNIT_AHCI_TEST_H

#include "devices/ahci.h"
#include "tests/unit/ide_test.h"

#define ABAR	   0xf0000000U
#define AHCI_DEVFN PCI_DEVFN(8, 0)
#define LISTS	   0x1000 /* 1 KiB a port */
#define FISES	   0x4000 /* 256 bytes a port */
#define TABLES	   0x8000 /* 256 bytes a slot, 8 KiB a port */
#define DATA	   0x100000
#define DISK_2	   4 /* its port */

#define PORT_IS	  0x10
#define PORT_IE	  0x14
#define PORT_CMD  0x18
#define PORT_TFD  0x20
#define PORT_SIG  0x24
#define PORT_SSTS 0x28
#define PORT_SCTL 0x2c
#define PORT_SERR 0x30
#define PORT_SACT 0x34
#define PORT_CI	  0x38

#define IS_DHRS 0x1
#define IS_PSS	0x2
#define IS_SDBS 0x8
#define IS_OFS	0x01000000
#define IS_IFS	0x08000000
#define IS_TFES 0x40000000
#define CMD_CR	0x8000

static struct {
	struct ahci ahci;
	struct medium disk_2;
	bool intx;
} a;

static inline void ahci_intx_set(void *ctx, uint8_t devfn, unsigned pin,
				 bool level)
{
	(void)ctx;
	assert_int_equal(devfn, AHCI_DEVFN);
	assert_int_equal(pin, 0);
	a.intx = level;
}

static inline uint32_t hba_read(unsigned offset)
{
	struct io_access io = { .offset = ABAR + offset, .size = 4 };

	bus_access(&t.memory, &io);
	return (uint32_t)io.data;
}

static inline void hba_write(unsigned offset, uint32_t value)
{
	struct io_access io = { .offset = ABAR + offset,
				.size = 4,
				.data = value,
				.is_write = true };

	bus_access(&t.memory, &io);
}

static inline uint32_t port_read(unsigned port, unsigned offset)
{
	return hba_read(0x100 + port * 0x80 + offset);
}

static inline void port_write(unsigned port, unsigned offset, uint32_t value)
{
	hba_write(0x100 + port * 0x80 + offset, value);
}

static inline uint8_t *fis_at(unsigned port, unsigned offset)
{
	return t.ram_bytes + FISES + port * 256 + offset;
}

static inline uint8_t *table_at(unsigned port, unsigned slot)
{
	return t.ram_bytes + TABLES + port * 8192 + slot * 256;
}

static inline uint32_t *header_at(unsigned port, unsigned slot)
{
	return (uint32_t *)(t.ram_bytes + LISTS + port * 1024 + slot * 32);
}

static inline void region(unsigned port, unsigned slot, unsigned index,
			  uint64_t address, uint32_t bytes)
{
	uint32_t entry[4] = { (uint32_t)address, (uint32_t)(address >> 32), 0,
			      bytes - 1 };

	memcpy(table_at(port, slot) + 0x80 + index * 16, entry, 16);
	header_at(port, slot)[0] =
		(header_at(port, slot)[0] & 0xffff) | (index + 1) << 16;
}

/* A command's FIS, with one region. */
static inline void slot_fill(unsigned port, unsigned slot, uint8_t command,
			     uint64_t lba, uint16_t count, uint32_t address,
			     uint32_t bytes)
{
	uint8_t fis[20] = { 0x27, 0x80, command };
	uint32_t *header = header_at(port, slot);

	fis[7] = 0x40;
	for (unsigned i = 0; i < 3; i++) {
		fis[4 + i] = (uint8_t)(lba >> 8 * i);
		fis[8 + i] = (uint8_t)(lba >> (24 + 8 * i));
	}
	fis[12] = (uint8_t)count;
	fis[13] = (uint8_t)(count >> 8);
	if (command == 0x60 || command == 0x61) {
		fis[3] = (uint8_t)count;
		fis[11] = (uint8_t)(count >> 8);
		fis[12] = (uint8_t)(slot << 3);
		fis[13] = 0;
	}
	memcpy(table_at(port, slot), fis, sizeof(fis));
	header[0] = 5;
	header[1] = 0;
	header[2] = (uint32_t)(table_at(port, slot) - t.ram_bytes);
	header[3] = 0;
	if (bytes)
		region(port, slot, 0, address, bytes);
}

static inline void issue(unsigned port, unsigned slot)
{
	port_write(port, PORT_CI, 1U << slot);
}

static inline void port_start(unsigned port)
{
	port_write(port, 0x00, LISTS + port * 1024);
	port_write(port, 0x08, FISES + port * 256);
	port_write(port, PORT_CMD, 0x10);
	port_write(port, PORT_SERR, UINT32_MAX);
	port_write(port, PORT_IS, UINT32_MAX);
	port_write(port, PORT_IE, UINT32_MAX);
	port_write(port, PORT_CMD, 0x11);
}

static inline void expect_is(unsigned port, uint32_t is)
{
	assert_int_equal(port_read(port, PORT_IS), is);
	assert_true(a.intx);
	assert_true(hba_read(8) & 1U << port);
	port_write(port, PORT_IS, is);
	hba_write(8, 1U << port);
	assert_false(a.intx);
}

static inline int ahci_setup(void **state)
{
	struct ahci_config config = {
		.pci = &t.pci,
		.devfn = AHCI_DEVFN,
		.ram = &t.ram,
		.clock = &t.clock,
	};

	free(a.disk_2.bytes);
	memset(&a, 0, sizeof(a));
	setup(state);
	medium_init(&a.disk_2, 1003);
	config.drive[0] = (struct ide_drive_config){
		.kind = IDE_DISK,
		.backend = &t.disk.backend,
		.serial = "SERIAL1",
	};
	config.drive[1].kind = IDE_CDROM;
	config.drive[1].backend = &t.cd.backend;
	config.drive[DISK_2] = (struct ide_drive_config){
		.kind = IDE_DISK,
		.backend = &a.disk_2.backend,
		.model = "4Kn",
		.cylinders = 7,
		.heads = 5,
		.sectors = 3,
		.sector_size = 4096,
	};
	t.pci.intx_set = ahci_intx_set;
	t.pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	assert_int_equal(ahci_init(&a.ahci, &config), 0);
	pci_config_write(&t.pci, AHCI_DEVFN, 0x24, 4, ABAR);
	pci_config_write(&t.pci, AHCI_DEVFN, PCI_COMMAND, 2, 7);
	hba_write(4, 0x80000002);
	return 0;
}

static inline int ahci_teardown(void **state)
{
	free(a.disk_2.bytes);
	memset(&a, 0, sizeof(a));
	return teardown(state);
}

#define AHCI_TEST(name) \
	cmocka_unit_test_setup_teardown(name, ahci_setup, ahci_teardown)

#endif
