/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of devices/ide*.c, ata.c and atapi.c share: a port bus, RAM,
 * media whose requests complete at once or when told to, port accesses.
 */
#ifndef BULKHEAD_TESTS_UNIT_IDE_TEST_H
#define BULKHEAD_TESTS_UNIT_IDE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/ide.h"
#include "include/errno.h"

#define SECTORS	  20000
#define CD_BLOCKS 300
#define RAM_BYTES MIB(4)
#define MASTER	  0xc000
#define PRD_TABLE 0x1000
#define IDE_DEVFN PCI_DEVFN(1, 1)

#define BSY   0x80
#define READY 0x50
#define DRQ   0x58
#define ERR   0x51
#define ABRT  0x04
#define IDNF  0x10
#define UNC   0x40

struct medium {
	struct block_backend backend;
	uint8_t *bytes;
	uint64_t length;
	bool is_async;
	bool is_waiting; /* what is pending has not begun */
	unsigned cancels;
	bool is_broken;
	uint64_t bad_sector; /* one that fails, unless 0 */
	bool is_submitting;
	struct block_request *pending;
	unsigned requests, flushes, fuas;
	uint32_t last_segments;
};

static struct {
	struct bus ports, memory;
	uint8_t index[BUS_PORTS];
	struct pci_bus pci;
	struct ide ide;
	struct guest_ram ram;
	struct clock clock;
	uint64_t now_ns;
	uint8_t *ram_bytes;
	struct medium disk, cd;
	bool irq[2];
	unsigned irq_edges[2];
} t;

/* ---- Harness ----------------------------------------------------------- */

static inline int medium_move(struct medium *medium, struct block_request *req)
{
	uint64_t at = req->sector * BLOCK_SECTOR;

	if (medium->is_broken)
		return -EIO;
	if (req->op == BLOCK_FLUSH && medium->bad_sector) {
		req->failed_sector = medium->bad_sector;
		return -EIO;
	}
	for (unsigned i = 0; i < req->segment_count; i++) {
		struct block_segment *segment = &req->segment[i];

		uint64_t bad = medium->bad_sector * BLOCK_SECTOR;
		uint32_t length = segment->length;
		bool is_bad = bad && bad >= at && bad < at + length;

		if (at + length > medium->length)
			return -ERANGE;
		if (is_bad)
			length = (uint32_t)(bad - at);
		if (req->op == BLOCK_READ)
			memcpy(segment->host, medium->bytes + at, length);
		else
			memcpy(medium->bytes + at, segment->host, length);
		if (is_bad) {
			req->failed_sector = medium->bad_sector;
			return -EIO;
		}
		at += length;
	}
	return 0;
}

static inline void medium_submit(void *ctx, struct block_request *req)
{
	struct medium *medium = ctx;

	assert_null(medium->pending);
	/* Requests that complete at once must not nest. */
	assert_false(medium->is_submitting);
	medium->is_submitting = true;
	medium->requests++;
	medium->flushes += req->op == BLOCK_FLUSH;
	medium->fuas += req->is_fua;
	assert_true(req->failed_sector == BLOCK_UNKNOWN);
	medium->last_segments = req->segment_count;
	if (medium->is_async)
		medium->pending = req;
	else
		req->done(req->dev, req, medium_move(medium, req));
	medium->is_submitting = false;
}

static inline void medium_complete(struct medium *medium)
{
	struct block_request *req = medium->pending;

	assert_non_null(req);
	medium->pending = NULL;
	req->done(req->dev, req, medium_move(medium, req));
}

static inline void medium_cancel(void *ctx, struct block_request *req)
{
	struct medium *medium = ctx;

	assert_ptr_equal(medium->pending, req);
	medium->cancels++;
	if (!medium->is_waiting)
		return;
	medium->pending = NULL;
	req->done(req->dev, req, -ECANCELED);
}

static inline void medium_init(struct medium *medium, uint64_t sectors)
{
	medium->length = sectors * BLOCK_SECTOR;
	medium->bytes = malloc(medium->length);
	for (uint64_t i = 0; i < medium->length; i++)
		medium->bytes[i] = (uint8_t)(i * 7 + (i >> 9) * 13);
	medium->backend.submit = medium_submit;
	medium->backend.cancel = medium_cancel;
	medium->backend.ctx = medium;
	medium->backend.sector_count = sectors;
}

static inline void irq_set(void *sink, unsigned pin, bool level)
{
	(void)sink;
	if (level && !t.irq[pin])
		t.irq_edges[pin]++;
	t.irq[pin] = level;
}

static inline uint64_t now_get(void *ctx)
{
	(void)ctx;
	return t.now_ns;
}

static inline void pass_time(uint64_t ns)
{
	t.now_ns += ns;
	clock_run(&t.clock);
}

static inline uint32_t in(unsigned port, unsigned size)
{
	struct io_access io = { .offset = port, .size = size };

	bus_access(&t.ports, &io);
	return (uint32_t)io.data;
}

static inline void out(unsigned port, unsigned size, uint32_t value)
{
	struct io_access io = {
		.offset = port, .size = size, .data = value, .is_write = true
	};

	bus_access(&t.ports, &io);
}

static inline uint8_t inb(unsigned port)
{
	return (uint8_t)in(port, 1);
}

static inline void outb(unsigned port, uint8_t value)
{
	out(port, 1, value);
}

static inline void insw(unsigned port, void *to, uint32_t words)
{
	struct io_access io = { .offset = port, .size = 2 };

	bus_access_bulk(&t.ports, &io, to, words);
}

static inline void outsw(unsigned port, const void *from, uint32_t words)
{
	struct io_access io = { .offset = port, .size = 2, .is_write = true };

	bus_access_bulk(&t.ports, &io, (void *)from, words);
}

/* Disks have one medium between them, CD-ROM drives another. */
static inline int
setup_kinds(const enum ide_kind kind[IDE_CHANNELS][IDE_DRIVES])
{
	struct ide_config config = {
		.pci = &t.pci,
		.devfn = IDE_DEVFN,
		.ports = &t.ports,
		.ram = &t.ram,
		.clock = &t.clock,
	};

	free(t.ram_bytes);
	free(t.disk.bytes);
	free(t.cd.bytes);
	memset(&t, 0, sizeof(t));
	t.clock.now_ns = now_get;
	clock_init(&t.clock);
	bus_init_ports(&t.ports, t.index);
	bus_init_memory(&t.memory);
	assert_int_equal(pci_bus_init(&t.pci, &t.ports, &t.memory), 0);
	t.ram_bytes = calloc(1, RAM_BYTES);
	t.ram.count = 1;
	t.ram.range[0] = (struct guest_ram_range){ 0, RAM_BYTES, t.ram_bytes };
	medium_init(&t.disk, SECTORS);
	medium_init(&t.cd, CD_BLOCKS * 4);
	t.cd.backend.is_read_only = true;
	for (unsigned i = 0; i < 2; i++)
		config.irq[i] = (struct irq_line){ irq_set, NULL, i };
	for (unsigned i = 0; i < IDE_CHANNELS * IDE_DRIVES; i++) {
		struct ide_drive_config *drive = &config.drive[i / 2][i % 2];

		drive->kind = kind[i / 2][i % 2];
		if (drive->kind == IDE_DISK)
			*drive = (struct ide_drive_config){
				.kind = IDE_DISK,
				.backend = &t.disk.backend,
				.serial = "SERIAL1",
			};
		else if (drive->kind == IDE_CDROM)
			drive->backend = &t.cd.backend;
	}
	assert_int_equal(ide_init(&t.ide, &config), 0);
	pci_config_write(&t.pci, IDE_DEVFN, 0x20, 4, MASTER);
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
	return 0;
}

static inline int setup_with(bool has_disk, bool has_cd)
{
	const enum ide_kind kind[IDE_CHANNELS][IDE_DRIVES] = {
		{ has_disk ? IDE_DISK : IDE_NONE },
		{ has_cd ? IDE_CDROM : IDE_NONE },
	};

	return setup_kinds(kind);
}

static inline int setup(void **state)
{
	(void)state;
	return setup_with(true, true);
}

static inline int teardown(void **state)
{
	(void)state;
	free(t.ram_bytes);
	free(t.disk.bytes);
	free(t.cd.bytes);
	memset(&t, 0, sizeof(t));
	return 0;
}

static inline const uint8_t *sector(uint64_t number)
{
	return t.disk.bytes + number * BLOCK_SECTOR;
}

static inline void lba28(uint32_t lba, uint8_t count, uint8_t command)
{
	outb(0x1f6, 0xe0 | lba >> 24);
	outb(0x1f2, count);
	outb(0x1f3, (uint8_t)lba);
	outb(0x1f4, (uint8_t)(lba >> 8));
	outb(0x1f5, (uint8_t)(lba >> 16));
	outb(0x1f7, command);
}

static inline void lba48(uint64_t lba, uint16_t count, uint8_t command)
{
	outb(0x1f6, 0xe0);
	outb(0x1f2, (uint8_t)(count >> 8));
	outb(0x1f3, (uint8_t)(lba >> 24));
	outb(0x1f4, (uint8_t)(lba >> 32));
	outb(0x1f5, (uint8_t)(lba >> 40));
	outb(0x1f2, (uint8_t)count);
	outb(0x1f3, (uint8_t)lba);
	outb(0x1f4, (uint8_t)(lba >> 8));
	outb(0x1f5, (uint8_t)(lba >> 16));
	outb(0x1f7, command);
}

static inline void expect_end(uint8_t status)
{
	assert_true(t.irq[0]);
	assert_int_equal(inb(0x1f7), status);
	assert_false(t.irq[0]);
}

static inline void expect_error(uint8_t error)
{
	expect_end(ERR);
	assert_int_equal(inb(0x1f1), error);
}

static inline void prd(unsigned index, uint32_t address, uint16_t bytes,
		       bool is_last)
{
	uint32_t entry[2] = { address, bytes | (is_last ? 1u << 31 : 0) };

	memcpy(t.ram_bytes + PRD_TABLE + index * 8, entry, 8);
}

static inline void master_start(unsigned channel, bool to_memory)
{
	unsigned base = MASTER + channel * 8;

	out(base + 4, 4, PRD_TABLE);
	outb(base + 2, 6);
	outb(base, to_memory ? 8 : 0);
	outb(base, to_memory ? 9 : 1);
}

static inline uint16_t word(const uint8_t *id, unsigned index)
{
	return (uint16_t)(id[2 * index] | id[2 * index + 1] << 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
