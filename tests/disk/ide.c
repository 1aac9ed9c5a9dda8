/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See ide.h.
 *
 * References: ATA/ATAPI-6, "Command descriptions"; Programming Interface for
 * Bus Master IDE Controller.
 */
#include "tests/disk/ide.h"

#define COMMAND_PORT 0x1f0
#define CONTROL_PORT 0x3f6
#define R_FEATURES   (COMMAND_PORT + 1) /* read: error */
#define R_COUNT	     (COMMAND_PORT + 2)
#define R_LBA	     (COMMAND_PORT + 3)
#define R_DEVICE     (COMMAND_PORT + 6)
#define R_COMMAND    (COMMAND_PORT + 7) /* read: status */
#define DEVICE_LBA   0xe0
#define STATUS_BSY   BIT(7)
#define STATUS_DRDY  BIT(6)
#define STATUS_DRQ   BIT(3)
#define STATUS_ERR   (BIT(0) | BIT(5))
#define CONTROL_HOB  BIT(7)
#define IRQ	     14

#define CMD_READ_DMA_EXT    0x25
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
#define BM_TO_MEMORY  BIT(3)
#define BM_CLEAR      0x06
#define PRD_LAST      BIT(31)
#define PRD_BOUNDARY  KIB(64) /* no piece crosses one */

struct prd {
	uint32_t address;
	uint32_t flags_count; /* 0: 64 KiB */
};

struct ide_result ide_last;

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

static uint64_t disk_position(void)
{
	uint64_t sector = 0;

	for (unsigned high = 0; high < 2; high++) {
		out8(CONTROL_PORT, high ? CONTROL_HOB : 0);
		for (unsigned i = 0; i < 3; i++)
			sector |= (uint64_t)in8((uint16_t)(R_LBA + i))
				  << (8 * i + 24 * high);
	}
	out8(CONTROL_PORT, 0);
	return sector;
}

/* Until the command's interrupt. */
static bool disk_finish(uint32_t before, uint8_t data)
{
	while (irq_count == before)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	ide_last.status = in8(R_COMMAND);
	ide_last.error = in8(R_FEATURES);
	ide_last.is_good =
		(ide_last.status & (STATUS_BSY | STATUS_ERR | STATUS_DRDY |
				    STATUS_DRQ)) == (STATUS_DRDY | data);
	if (!ide_last.is_good)
		ide_last.sector = disk_position();
	return ide_last.is_good;
}

static bool disk_plain(uint8_t command)
{
	uint32_t before = irq_count;

	disk_command(command, 0, 0);
	return disk_finish(before, 0);
}

static bool disk_dma(uint8_t command, uint64_t sector, uint64_t address,
		     unsigned sectors)
{
	static struct prd table[4] __aligned(32);
	uint8_t direction = command == CMD_READ_DMA_EXT ? BM_TO_MEMORY : 0;
	uint64_t left = (uint64_t)sectors * IDE_SECTOR;
	uint32_t before = irq_count;

	for (unsigned i = 0; left && i < ARRAY_SIZE(table); i++) {
		uint64_t size =
			MIN(left, PRD_BOUNDARY - address % PRD_BOUNDARY);

		left -= size;
		table[i].address = (uint32_t)address;
		table[i].flags_count = (uint32_t)(size % PRD_BOUNDARY) |
				       (left ? 0 : (uint32_t)PRD_LAST);
		address += size;
	}
	out8(BM_COMMAND, direction);
	out32(BM_TABLE, (uint32_t)(uint64_t)table);
	out8(BM_STATUS, BM_CLEAR);
	disk_command(command, sector, sectors);
	out8(BM_COMMAND, direction | BM_START);
	(void)disk_finish(before, 0);
	out8(BM_COMMAND, direction);
	return ide_last.is_good;
}

bool ide_read(uint64_t sector, void *buffer, unsigned sectors)
{
	return disk_dma(CMD_READ_DMA_EXT, sector, (uint64_t)buffer, sectors);
}

bool ide_write(uint64_t sector, const void *buffer, unsigned sectors)
{
	return disk_dma(CMD_WRITE_DMA_EXT, sector, (uint64_t)buffer, sectors);
}

bool ide_flush(void)
{
	return disk_plain(CMD_FLUSH_CACHE_EXT);
}

bool ide_cache_off(void)
{
	out8(R_DEVICE, DEVICE_LBA);
	out8(R_FEATURES, FEATURE_CACHE_OFF);
	return disk_plain(CMD_SET_FEATURES);
}

static void pci_write(unsigned reg, uint32_t value)
{
	out32(PCI_ADDRESS, PCI_IDE | reg);
	out32(PCI_DATA, value);
}

uint64_t ide_init(void)
{
	uint16_t words[IDE_SECTOR / 2];
	uint32_t before = irq_count;

	pci_write(PCI_BAR4, BUS_MASTER);
	pci_write(PCI_COMMAND, PCI_IO_MASTER);
	irq_count_pic(IRQ);
	pic_enable(BIT(IRQ));
	disk_command(CMD_IDENTIFY, 0, 0);
	if (!disk_finish(before, STATUS_DRQ)) {
		fail("disk", "IDENTIFY DEVICE: status %#x", ide_last.status);
		guest_end();
	}
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = in16(COMMAND_PORT);
	return words[IDENTIFY_SECTORS] |
	       (uint64_t)words[IDENTIFY_SECTORS + 1] << 16 |
	       (uint64_t)words[IDENTIFY_SECTORS + 2] << 32;
}
