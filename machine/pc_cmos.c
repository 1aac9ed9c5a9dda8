/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cells of CMOS memory that a PC's setup program leaves: memory, fixed
 * disks, equipment, boot order, and the checksum over the AT's part of them.
 * Operating systems before 1995 or so believe them, and look for no disk that
 * they do not name.
 *
 * A floppy drive is looked for behind disks and CD-ROMs, unless the manifest
 * has an order.
 *
 * References: IBM Personal Computer AT Technical Reference, "CMOS RAM"; Ralf
 * Brown's CMOS list; the conventions of QEMU's `pc` where SeaBIOS follows them.
 */
#include "machine/pc_parts.h"

/* clang-format off */
#define CMOS_FLOPPY_TYPES	0x10 /* high nibble: drive A */
#define CMOS_DISK_TYPES		0x12 /* high nibble: first disk */
#define   DISK_TYPE_EXTENDED	0xfu /* see CMOS_DISK_TYPE */
#define CMOS_EQUIPMENT		0x14
#define   EQUIPMENT_FLOPPY	BIT(0)
#define   EQUIPMENT_DRIVES	MASK(7, 6) /* less one */
#define   EQUIPMENT_FPU		BIT(1)
#define   EQUIPMENT_MOUSE	BIT(2)
#define CMOS_BASE_KIB		0x15
#define CMOS_EXTENDED_KIB	0x17 /* above 1 MiB, and again at 0x30 */
#define CMOS_DISK_TYPE		0x19 /* and 0x1a: of the second disk */
#define   DISK_TYPE_USER	47   /* its geometry is in the cells below */
#define CMOS_DISK_GEOMETRY	0x1b /* and 0x24: struct disk_cells */
#define CMOS_SUM_FIRST		0x10
#define CMOS_SUM_LAST		0x2d
#define CMOS_SUM		0x2e /* big-endian */
#define CMOS_EXTENDED_KIB_2	0x30
#define CMOS_INFORMATION	0x33
#define   INFORMATION_640K	BIT(7) /* the last 128 KiB are there */
#define CMOS_ABOVE_16M_64K	0x34
#define CMOS_BOOT_3		0x38 /* high nibble */
#define   BOOT_FLOPPY		1
#define CMOS_TRANSLATION	0x39 /* two bits a disk: 0 none, 1 LBA */
#define CMOS_BOOT_1_2		0x3d
#define   BOOT_DISK		2
#define   BOOT_CDROM		3
#define CMOS_ABOVE_4G_64K	0x5b
#define CMOS_VCPUS_LESS_1	0x5f

#define BASE_KIB		640
#define CYLINDERS_PLAIN_CHS	1024 /* beyond, translate */
#define SECTORS_PLAIN_CHS	(CYLINDERS_PLAIN_CHS * 16 * 63)
/* clang-format on */

/* A user-defined type's geometry, as it stands in the cells. */
struct disk_cells {
	uint16_t cylinders;
	uint8_t heads;
	uint16_t precompensation; /* cylinder; FFFFh: none */
	uint8_t control;
	uint16_t landing_zone;
	uint8_t sectors;
} __packed;
ASSERT_SIZE(struct disk_cells, 9);

static void cmos_set16(struct pc *pc, uint8_t index, uint64_t value)
{
	value = MIN(value, UINT16_MAX);
	rtc_cell_set(&pc->rtc, index, (uint8_t)value);
	rtc_cell_set(&pc->rtc, index + 1, (uint8_t)(value >> 8));
}

static uint64_t ram_beyond(const struct pc *pc, uint64_t base, unsigned shift)
{
	uint64_t low = pc->board.ram_low;

	return low > base ? (low - base) >> shift : 0;
}

static void cmos_memory(struct pc *pc)
{
	uint64_t extended = (board_extended_end(&pc->board) - MIB(1)) >> 10;
	uint64_t high = pc->board.ram_high >> 16;

	cmos_set16(pc, CMOS_BASE_KIB, BASE_KIB);
	cmos_set16(pc, CMOS_EXTENDED_KIB, extended);
	cmos_set16(pc, CMOS_EXTENDED_KIB_2, extended);
	cmos_set16(pc, CMOS_ABOVE_16M_64K, ram_beyond(pc, MIB(16), 16));
	cmos_set16(pc, CMOS_ABOVE_4G_64K, high);
	rtc_cell_set(&pc->rtc, CMOS_ABOVE_4G_64K + 2, (uint8_t)(high >> 16));
	rtc_cell_set(&pc->rtc, CMOS_INFORMATION, INFORMATION_640K);
}

static void cmos_geometry(struct pc *pc, unsigned unit,
			  const struct pc_geometry *geometry)
{
	const struct disk_cells cells = {
		.cylinders = geometry->cylinders,
		.heads = geometry->heads,
		.precompensation = UINT16_MAX,
		.control = pc_geometry_control(geometry),
		.landing_zone = geometry->cylinders,
		.sectors = geometry->sectors,
	};
	unsigned base = CMOS_DISK_GEOMETRY + unit * (unsigned)sizeof(cells);
	unsigned i;

	rtc_cell_set(&pc->rtc, (uint8_t)(CMOS_DISK_TYPE + unit),
		     DISK_TYPE_USER);
	for (i = 0; i < sizeof(cells); i++)
		rtc_cell_set(&pc->rtc, (uint8_t)(base + i),
			     ((const uint8_t *)&cells)[i]);
}

static void cmos_disks(struct pc *pc)
{
	unsigned translation = 0, types = 0;
	struct pc_geometry geometry;
	unsigned unit;

	for (unit = 0; unit < IDE_CHANNELS * IDE_DRIVES; unit++) {
		if (!pc_disk_geometry(pc, unit, &geometry))
			continue;
		if (geometry.cylinders >= CYLINDERS_PLAIN_CHS &&
		    geometry.sector_count > SECTORS_PLAIN_CHS)
			translation |= 1U << (2 * unit);
		if (unit >= PC_FIXED_DISKS)
			continue;
		types |= DISK_TYPE_EXTENDED << (4 * (1 - unit));
		cmos_geometry(pc, unit, &geometry);
	}
	rtc_cell_set(&pc->rtc, CMOS_DISK_TYPES, (uint8_t)types);
	rtc_cell_set(&pc->rtc, CMOS_TRANSLATION, (uint8_t)translation);
	rtc_cell_set(&pc->rtc, CMOS_BOOT_1_2, BOOT_CDROM << 4 | BOOT_DISK);
}

/* With the equipment, which counts them. */
static void cmos_floppies(struct pc *pc)
{
	unsigned types = 0, count = 0;
	uint8_t equipment = EQUIPMENT_FPU | EQUIPMENT_MOUSE;

	for (unsigned unit = 0; unit < FDC_DRIVES; unit++) {
		types = types << 4 | (unsigned)pc->fdc.drive[unit].type;
		count += pc->fdc.drive[unit].type != FLOPPY_DRIVE_NONE;
	}
	if (count) {
		equipment |= EQUIPMENT_FLOPPY |
			     FIELD_PUT(EQUIPMENT_DRIVES, count - 1);
		rtc_cell_set(&pc->rtc, CMOS_BOOT_3, BOOT_FLOPPY << 4);
	}
	rtc_cell_set(&pc->rtc, CMOS_FLOPPY_TYPES, (uint8_t)types);
	rtc_cell_set(&pc->rtc, CMOS_EQUIPMENT, equipment);
}

static void cmos_checksum(struct pc *pc)
{
	unsigned sum = 0;
	unsigned i;

	for (i = CMOS_SUM_FIRST; i <= CMOS_SUM_LAST; i++)
		sum += rtc_cell_get(&pc->rtc, (uint8_t)i);
	rtc_cell_set(&pc->rtc, CMOS_SUM, (uint8_t)(sum >> 8));
	rtc_cell_set(&pc->rtc, CMOS_SUM + 1, (uint8_t)sum);
}

void pc_cmos_fill(struct pc *pc)
{
	cmos_memory(pc);
	cmos_disks(pc);
	cmos_floppies(pc);
	rtc_cell_set(&pc->rtc, CMOS_VCPUS_LESS_1,
		     (uint8_t)(pc->config->vcpu_count - 1));
	cmos_checksum(pc);
}

/* ---- What the cells and the BIOS' tables say of a disk ------------------ */

bool pc_disk_geometry(const struct pc *pc, unsigned unit,
		      struct pc_geometry *geometry)
{
	const struct ide_drive *drive =
		&pc->ide.channel[unit / IDE_DRIVES].drive[unit % IDE_DRIVES];

	if (drive->kind != IDE_DISK)
		return false;
	*geometry = (struct pc_geometry){
		.sector_count = drive->sector_count,
		.cylinders = drive->cylinders,
		.heads = drive->heads,
		.sectors = drive->sectors,
	};
	return true;
}

#define CONTROL_NO_RETRIES (BIT(7) | BIT(6))
#define CONTROL_HEADS_9	   BIT(3)

uint8_t pc_geometry_control(const struct pc_geometry *geometry)
{
	return CONTROL_NO_RETRIES | (geometry->heads > 8 ? CONTROL_HEADS_9 : 0);
}
