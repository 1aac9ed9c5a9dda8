/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes records to the first IDE disk for ever, and prints what the disk says
 * is permanent: tests/disk/power cuts the host's power and looks what is there.
 *
 * Record n, counted from 1, is 8 sectors at the slot of 8 sectors that
 * record_slot() chooses, the first slot left out; each sector is a `struct
 * record`.  After some writes comes FLUSH CACHE EXT, or none where the write
 * cache is off, and then "ack n" and a record in the first slot that says the
 * same.
 *
 * Options: seed=N; records=N, then it ends; cache=0 turns the disk's write
 * cache off.
 *
 * References: ATA/ATAPI-6, 8 (commands); Intel 82371SB, 2.7 (bus master).
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"
#include "tests/hostile/guests/hostile.h"

#define SECTOR	     512
#define SLOT_SECTORS 8
#define BATCH_MAX    8 /* writes between two flushes */

#define COMMAND_PORT 0x1f0
#define R_COUNT	     (COMMAND_PORT + 2)
#define R_LBA	     (COMMAND_PORT + 3)
#define R_DEVICE     (COMMAND_PORT + 6)
#define R_COMMAND    (COMMAND_PORT + 7)
#define R_FEATURES   (COMMAND_PORT + 1)
#define DEVICE_LBA   0xe0
#define STATUS_BSY   BIT(7)
#define STATUS_DRQ   BIT(3)
#define STATUS_DRDY  BIT(6)
#define STATUS_ERR   (BIT(0) | BIT(5))
#define IRQ	     14

#define CMD_WRITE_DMA_EXT   0x35
#define CMD_FLUSH_CACHE_EXT 0xea
#define CMD_IDENTIFY	    0xec
#define CMD_SET_FEATURES    0xef
#define FEATURE_CACHE_OFF   0x82
#define IDENTIFY_SECTORS    100 /* words 100 to 103 */

#define PCI_ADDRESS   0xcf8
#define PCI_DATA      0xcfc
#define PCI_IDE	      (0x80000000u | 1u << 11 | 1u << 8) /* 00:01.1 */
#define PCI_COMMAND   0x04
#define PCI_BAR4      0x20
#define PCI_IO_MASTER 0x05
#define BUS_MASTER    0xc000
#define BM_COMMAND    BUS_MASTER
#define BM_STATUS     (BUS_MASTER + 2)
#define BM_TABLE      (BUS_MASTER + 4)
#define BM_START      BIT(0)
#define BM_CLEAR      0x06
#define PRD_LAST      BIT(31)

struct record {
	char magic[8];
	uint64_t number;
	uint32_t slot;
	uint32_t index; /* of the sector in the record */
	uint8_t rest[SECTOR - 32];
	uint64_t sum; /* FNV-1a of what is before */
};
ASSERT_SIZE(struct record, SECTOR);

struct prd {
	uint32_t address;
	uint32_t flags_count;
};

static struct prd table[1] __aligned(8);
static struct record buffer[SLOT_SECTORS] __aligned(4096);

static uint64_t hash(const void *data, size_t length, uint64_t value)
{
	for (const uint8_t *at = data; length--; at++)
		value = (value ^ *at) * 0x100000001b3ULL;
	return value;
}

#define FNV_BASIS 0xcbf29ce484222325ULL

static uint64_t record_slot(uint64_t seed, uint64_t number, uint64_t slots)
{
	uint64_t value = hash(&seed, sizeof(seed), FNV_BASIS);

	return 1 + (hash(&number, sizeof(number), value) >> 16) % (slots - 1);
}

static void record_fill(uint64_t number, uint64_t slot)
{
	for (unsigned i = 0; i < SLOT_SECTORS; i++) {
		struct record *r = &buffer[i];

		memcpy(r->magic, "bulkhead", sizeof(r->magic));
		r->number = number;
		r->slot = (uint32_t)slot;
		r->index = i;
		memset(r->rest, (int)(number * 7 + i), sizeof(r->rest));
		r->sum = hash(r, offsetof(struct record, sum), FNV_BASIS);
	}
}

/* ---- The disk ------------------------------------------------------------ */

static void disk_fail(const char *what)
{
	fail("disk", "%s: status %#x, error %#x", what, in8(R_COMMAND),
	     in8(R_FEATURES));
	guest_end();
}

/* Until the disk's next interrupt. */
static void disk_wait(uint32_t before)
{
	while (irq_count == before)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}

static void disk_command(uint8_t command, uint64_t sector, unsigned count)
{
	out8(R_DEVICE, DEVICE_LBA);
	for (unsigned high = 1; high < 2; high--) {
		out8(R_COUNT, (uint8_t)(count >> (8 * high)));
		for (unsigned i = 0; i < 3; i++)
			out8((uint16_t)(R_LBA + i),
			     (uint8_t)(sector >> (8 * i + 24 * high)));
	}
	out8(R_COMMAND, command);
}

/* Until the command's interrupt; a status that is not that of its end ends the
 * test. */
static void disk_finish(uint32_t before, uint8_t data, const char *what)
{
	uint8_t status;

	disk_wait(before);
	status = in8(R_COMMAND);
	if ((status & (STATUS_BSY | STATUS_ERR | STATUS_DRDY | STATUS_DRQ)) !=
	    (STATUS_DRDY | data))
		disk_fail(what);
}

static void disk_plain(uint8_t command, const char *what)
{
	uint32_t before = irq_count;

	disk_command(command, 0, 0);
	disk_finish(before, 0, what);
}

static uint64_t disk_identify(void)
{
	uint16_t words[SECTOR / 2];
	uint32_t before = irq_count;

	disk_command(CMD_IDENTIFY, 0, 0);
	disk_finish(before, STATUS_DRQ, "IDENTIFY DEVICE");
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = in16(COMMAND_PORT);
	return words[IDENTIFY_SECTORS] |
	       (uint64_t)words[IDENTIFY_SECTORS + 1] << 16 |
	       (uint64_t)words[IDENTIFY_SECTORS + 2] << 32;
}

static void disk_write(uint64_t sector)
{
	uint32_t before = irq_count;

	table[0].address = (uint32_t)(uint64_t)buffer;
	table[0].flags_count = sizeof(buffer) | PRD_LAST;
	out8(BM_COMMAND, 0);
	out32(BM_TABLE, (uint32_t)(uint64_t)table);
	out8(BM_STATUS, BM_CLEAR);
	disk_command(CMD_WRITE_DMA_EXT, sector, SLOT_SECTORS);
	out8(BM_COMMAND, BM_START);
	disk_finish(before, 0, "WRITE DMA EXT");
	out8(BM_COMMAND, 0);
}

static void pci_write(unsigned reg, uint32_t value)
{
	out32(PCI_ADDRESS, PCI_IDE | reg);
	out32(PCI_DATA, value);
}

static void disk_init(bool has_cache)
{
	pci_write(PCI_BAR4, BUS_MASTER);
	pci_write(PCI_COMMAND, PCI_IO_MASTER);
	irq_count_pic(IRQ);
	pic_enable(BIT(IRQ));
	if (has_cache)
		return;
	out8(R_DEVICE, DEVICE_LBA);
	out8(R_FEATURES, FEATURE_CACHE_OFF);
	disk_plain(CMD_SET_FEATURES, "SET FEATURES, write cache off");
}

/* ---- The test ------------------------------------------------------------ */

void guest_main(void)
{
	uint64_t seed = command_option("seed", 1),
		 last = command_option("records", UINT64_MAX);
	bool has_cache = command_option("cache", 1);
	uint64_t slots, unflushed = 0;

	disk_init(has_cache);
	slots = disk_identify() / SLOT_SECTORS;
	print("slots %llu\n", (unsigned long long)slots);
	for (uint64_t n = 1; n <= last; n++) {
		uint64_t slot = record_slot(seed, n, slots);

		record_fill(n, slot);
		disk_write(slot * SLOT_SECTORS);
		if (has_cache && ++unflushed < 1 + slot % BATCH_MAX)
			continue;
		if (has_cache)
			disk_plain(CMD_FLUSH_CACHE_EXT, "FLUSH CACHE EXT");
		unflushed = 0;
		print("ack %llu\n", (unsigned long long)n);
		record_fill(n, 0);
		disk_write(0);
	}
	pass("records");
}
