/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with a disk of the service `disk`, while somebody does harm there: it
 * writes to the first sectors of its primary master by DMA, flushes, reads them
 * back and compares, again and again, for ms=N at least.  It has had enough of
 * a command after wait-ms=N.
 *
 * errors=1: the service lies, so requests may fail and what is read may be
 * wrong; it only has to come to its end.  Otherwise every sector is as it was
 * written, however often the service has died meanwhile.
 *
 * References: Programming Interface for Bus Master IDE Controller; ATA/ATAPI-6,
 * "Command descriptions".
 */
#include "tests/hostile/guests/hostile.h"

#include "lib/string.h"

#define IDE		0x1f0
#define IDE_COUNT	(IDE + 2)
#define IDE_LBA		(IDE + 3)
#define IDE_DEVICE	(IDE + 6)
#define IDE_STATUS	(IDE + 7)
#define IDE_CONTROL	0x3f6
#define CONTROL_RESET	BIT(2)
#define STATUS_BUSY	BIT(7)
#define STATUS_ERROR	BIT(0)
#define DEVICE_LBA	0xe0
#define READ_DMA	0xc8
#define WRITE_DMA	0xca
#define FLUSH_CACHE	0xe7
#define BUS_MASTER	0xc000 /* where it is put */
#define BM_START	BIT(0)
#define BM_TO_MEMORY	BIT(3)
#define BM_ERROR	BIT(1)
#define BM_INTERRUPT	BIT(2)
#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define PCI_IDE		0x80000900u /* 00:01.1 */
#define PCI_COMMAND	0x04
#define PCI_BAR4	0x20
#define COMMAND_MASTERS 0x05

#define SECTOR	     512
#define SECTORS	     8 /* of a command */
#define AREA_SECTORS 1024
#define BYTES	     (SECTORS * SECTOR)
#define VECTOR	     0x50
#define LOOKS	     20 /* before it sleeps in between */
#define NAP_US	     500
#define WAIT_MS	     10000
#define ROUNDS_MIN   8
#define END_OF_TABLE BIT(31)

/* In memory that nobody's image takes: below 4 GiB, mapped one to one. */
static uint32_t table[2] __aligned(8);
static uint8_t out[BYTES] __aligned(4096), in[BYTES] __aligned(4096);
static unsigned errors, wrong;
static uint64_t patience_us;

static void bus_master_enable(void)
{
	out32(PCI_ADDRESS, PCI_IDE | PCI_BAR4);
	out32(PCI_DATA, BUS_MASTER | 1);
	out32(PCI_ADDRESS, PCI_IDE | PCI_COMMAND);
	out32(PCI_DATA, COMMAND_MASTERS);
}

/* False: it stays busy. */
static bool idle(void)
{
	uint64_t end = now_us() + patience_us;

	for (unsigned i = 0; in8(IDE_STATUS) & STATUS_BUSY; i++) {
		if (now_us() > end)
			return false;
		if (i > LOOKS)
			nap(NAP_US);
	}
	return true;
}

static bool command(uint8_t code, uint32_t lba, unsigned sectors)
{
	if (!idle())
		return false;
	out8(IDE_DEVICE, (uint8_t)(DEVICE_LBA | lba >> 24));
	out8(IDE_COUNT, (uint8_t)sectors);
	for (unsigned i = 0; i < 3; i++)
		out8((uint16_t)(IDE_LBA + i), (uint8_t)(lba >> 8 * i));
	out8(IDE_STATUS, code);
	return true;
}

static bool ends_well(void)
{
	return idle() && !(in8(IDE_STATUS) & STATUS_ERROR);
}

static bool move(uint32_t lba, void *memory, bool is_read)
{
	uint8_t direction = is_read ? BM_TO_MEMORY : 0;
	bool is_good;

	table[0] = (uint32_t)(uint64_t)memory;
	table[1] = (uint32_t)(BYTES | END_OF_TABLE);
	out32(BUS_MASTER + 4, (uint32_t)(uint64_t)table);
	out8(BUS_MASTER, direction);
	out8(BUS_MASTER + 2, BM_ERROR | BM_INTERRUPT);
	if (!command(is_read ? READ_DMA : WRITE_DMA, lba, SECTORS))
		return false;
	out8(BUS_MASTER, (uint8_t)(direction | BM_START));
	is_good = ends_well();
	out8(BUS_MASTER, 0);
	return is_good && !(in8(BUS_MASTER + 2) & BM_ERROR);
}

static bool flush(void)
{
	return command(FLUSH_CACHE, 0, 0) && ends_well();
}

/* As a driver does that has had enough of waiting. */
static void reset(void)
{
	out8(IDE_CONTROL, CONTROL_RESET);
	out8(IDE_CONTROL, 0);
}

static void round(unsigned number, uint64_t *random)
{
	uint32_t lba = number * SECTORS % AREA_SECTORS;

	for (unsigned i = 0; i < BYTES; i += 8) {
		uint64_t word = chance(random);

		memcpy(&out[i], &word, sizeof(word));
	}
	memset(in, 0, sizeof(in));
	if (!move(lba, out, false) || !flush() || !move(lba, in, true)) {
		errors++;
		reset();
		return;
	}
	wrong += memcmp(in, out, BYTES) != 0;
}

void guest_main(void)
{
	uint64_t end_us = now_us() + command_option("ms", 300) * 1000;
	unsigned most = (unsigned)command_option("errors", 0);
	uint64_t random = 0x9e3779b97f4a7c15ULL;
	unsigned rounds = 0;

	print("victim: begins\n");
	patience_us = command_option("wait-ms", WAIT_MS) * 1000;
	(void)lapic_timer_begin(VECTOR);
	bus_master_enable();
	/* One that fails need not be asked again. */
	while (!errors && (rounds < ROUNDS_MIN || now_us() < end_us))
		round(rounds++, &random);
	print("victim: %u rounds, %u failed, %u wrong\n", rounds, errors,
	      wrong);
	if (!most && (errors || wrong))
		fail("disk", "%u rounds failed, %u were wrong", errors, wrong);
	else if (most)
		pass("the end");
	else
		pass("disk");
}
