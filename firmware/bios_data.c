/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BIOS' part of memory without a BIOS; see bios_data.h.
 *
 * References: IBM Personal System/2 and Personal Computer BIOS Interface
 * Technical Reference, "Data Areas and ROM Tables"; Ralf Brown's MEMORY.LST.
 */
#include "firmware/bios_data.h"

#include "include/errno.h"
#include "firmware/e820.h"
#include "lib/string.h"

/* ---- Code, at the addresses that it has by tradition --------------------- */

#define SEGMENT	     0xf000u
#define AT_TIMER     0xfea5u /* INT 08h */
#define AT_KEYBOARD  0xfec0u
#define AT_MASTER    0xfed0u /* the others of the first 8259 */
#define AT_SLAVE     0xfee0u
#define AT_IRET	     0xff53u
#define AT_RESET     0xfff0u
#define AT_MODEL     0xfffeu
#define MODEL_AT     0xfc
#define VECTOR_IRQ_0 0x08
#define VECTOR_IRQ_8 0x70
#define VECTOR_DISKS 0x41 /* and 0x46 */

/* clang-format off */
static const uint8_t timer_code[] = {
	0x1e, 0x50,		/* push ds, ax */
	0xb8, 0x40, 0x00,	/* mov ax, 40h */
	0x8e, 0xd8,		/* mov ds, ax */
	0x66, 0xff, 0x06, 0x6c, 0x00, /* inc dword [6Ch] */
	0xcd, 0x1c,		/* int 1Ch */
	0xb0, 0x20, 0xe6, 0x20,	/* end of interrupt */
	0x58, 0x1f, 0xcf,	/* pop ax, ds; iret */
};
static const uint8_t keyboard_code[] = {
	0x50, 0xe4, 0x60,	/* push ax; in al, 60h */
	0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf,
};
static const uint8_t master_code[] = {
	0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf,
};
static const uint8_t slave_code[] = {
	0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf,
};
static const uint8_t iret_code[] = { 0xcf };
static const uint8_t reset_code[] = {
	0xb0, 0xfe, 0xe6, 0x64,	/* the keyboard controller's pulse */
	0xf4, 0xeb, 0xfd,	/* hlt, for ever */
};
static const uint8_t model[] = { MODEL_AT };

static const struct {
	uint16_t at;
	uint8_t length;
	const uint8_t *bytes;
} code[] = {
	{ AT_TIMER, sizeof(timer_code), timer_code },
	{ AT_KEYBOARD, sizeof(keyboard_code), keyboard_code },
	{ AT_MASTER, sizeof(master_code), master_code },
	{ AT_SLAVE, sizeof(slave_code), slave_code },
	{ AT_IRET, sizeof(iret_code), iret_code },
	{ AT_RESET, sizeof(reset_code), reset_code },
	{ AT_MODEL, sizeof(model), model },
};
/* clang-format on */

/* ---- Data ---------------------------------------------------------------- */

#define BDA_GPA 0x400

struct bios_data_area {
	uint16_t com[4];
	uint16_t lpt[3];
	uint16_t ebda_segment;
	uint16_t equipment;
	uint8_t reserved0;
	uint16_t base_kib;
	uint8_t reserved1[5];
	uint16_t keys_head, keys_tail; /* 40:1a */
	uint8_t reserved2[0x49 - 0x1e];
	uint8_t video_mode; /* 40:49 */
	uint16_t video_columns;
	uint16_t video_page_size;
	uint16_t video_page_start;
	uint16_t cursor[8];
	uint16_t cursor_shape;
	uint8_t video_page;
	uint16_t crtc;
	uint8_t video_msr;
	uint8_t video_palette;
	uint8_t reserved3[5];
	uint32_t ticks; /* 40:6c */
	uint8_t midnight;
	uint8_t ctrl_break;
	uint16_t reset_flag;
	uint8_t disk_status;
	uint8_t disk_count; /* 40:75 */
	uint8_t reserved4[2];
	uint8_t lpt_timeout[4];
	uint8_t com_timeout[4];
	uint16_t keys_start, keys_end; /* 40:80 */
	uint8_t video_rows_less_1;
	uint16_t character_height;
	uint8_t video_control[3]; /* 40:87 */
	uint8_t reserved5[0x96 - 0x8a];
	uint8_t keyboard_flags; /* 40:96 */
	uint8_t keyboard_leds;
	uint8_t reserved6[0x100 - 0x98];
} __packed;
ASSERT_OFFSET(struct bios_data_area, video_mode, 0x49);
ASSERT_OFFSET(struct bios_data_area, ticks, 0x6c);
ASSERT_OFFSET(struct bios_data_area, disk_count, 0x75);
ASSERT_OFFSET(struct bios_data_area, keys_start, 0x80);
ASSERT_OFFSET(struct bios_data_area, video_control, 0x87);
ASSERT_SIZE(struct bios_data_area, 0x100);

#define EQUIPMENT_FPU	BIT(1)
#define EQUIPMENT_MOUSE BIT(2)
#define EQUIPMENT_VIDEO FIELD_PUT(MASK(5, 4), 2) /* 80 columns, colour */
#define EQUIPMENT_COM	MASK(11, 9)		 /* how many */
#define EQUIPMENT_LPT	MASK(15, 14)		 /* the same */
#define KEYS_START	0x1e
#define KEYS_END	0x3e
#define KEYBOARD_101	BIT(4)
#define TEXT_MODE	3
#define CRTC_PORT	0x3d4

static void area_fill(struct bios_data_area *area, const struct bios_data *data)
{
	unsigned i;

	*area = (struct bios_data_area){
		.com = { data->com1, data->com2 },
		.lpt = { data->lpt1 },
		.ebda_segment = E820_EBDA_BASE >> 4,
		.equipment = EQUIPMENT_FPU | EQUIPMENT_MOUSE | EQUIPMENT_VIDEO |
			     FIELD_PUT(EQUIPMENT_COM, data->com2 ? 2 : 1) |
			     FIELD_PUT(EQUIPMENT_LPT, data->lpt1 ? 1 : 0),
		.base_kib = E820_EBDA_BASE >> 10,
		.keys_head = KEYS_START,
		.keys_tail = KEYS_START,
		.video_mode = TEXT_MODE,
		.video_columns = 80,
		.video_page_size = 4096,
		.cursor_shape = 0x0607,
		.crtc = CRTC_PORT,
		.video_msr = 0x29,
		.video_palette = 0x30,
		.ticks = data->ticks,
		.lpt_timeout = { 20, 20, 20, 20 },
		.com_timeout = { 10, 10, 10, 10 },
		.keys_start = KEYS_START,
		.keys_end = KEYS_END,
		.video_rows_less_1 = 24,
		.character_height = 16,
		.video_control = { 0x60, 0xf9, 0x51 },
		.keyboard_flags = KEYBOARD_101,
	};
	for (i = 0; i < BIOS_FIXED_DISKS; i++)
		area->disk_count += data->disk[i].cylinders != 0;
}

/* ---- Vectors ------------------------------------------------------------- */

static uint16_t handler_of(unsigned vector)
{
	if (vector == VECTOR_IRQ_0)
		return AT_TIMER;
	if (vector == VECTOR_IRQ_0 + 1)
		return AT_KEYBOARD;
	if (vector >= VECTOR_IRQ_0 && vector < VECTOR_IRQ_0 + 8)
		return AT_MASTER;
	if (vector >= VECTOR_IRQ_8 && vector < VECTOR_IRQ_8 + 8)
		return AT_SLAVE;
	return AT_IRET;
}

/* In the EBDA, whose first byte is its size in KiB. */
#define DISK_TABLES (E820_EBDA_BASE + 0x3d)

static uint32_t far_address(uint16_t segment, uint32_t offset)
{
	return (uint32_t)segment << 16 | offset;
}

static void place(const struct guest_ram *ram, gpa_t gpa, const void *from,
		  size_t length)
{
	memcpy(guest_ram_at(ram, gpa, length), from, length);
}

static void vectors_place(const struct guest_ram *ram,
			  const struct bios_data *data)
{
	const uint16_t ebda = E820_EBDA_BASE >> 4;
	unsigned i;

	for (i = 0; i < 256; i++) {
		uint32_t vector = far_address(SEGMENT, handler_of(i));

		place(ram, i * 4, &vector, sizeof(vector));
	}
	for (i = 0; i < BIOS_FIXED_DISKS; i++) {
		gpa_t table = DISK_TABLES + i * sizeof(data->disk[i]);
		uint32_t vector =
			far_address(ebda, (uint32_t)table - E820_EBDA_BASE);

		if (!data->disk[i].cylinders)
			continue;
		place(ram, table, &data->disk[i], sizeof(data->disk[i]));
		place(ram, (VECTOR_DISKS + i * 5) * 4, &vector, sizeof(vector));
	}
}

int bios_data_place(const struct guest_ram *ram, const struct bios_data *data)
{
	struct bios_data_area area;
	const uint8_t ebda_kib = (E820_EBDA_END - E820_EBDA_BASE) >> 10;
	unsigned i;

	if (!guest_ram_at(ram, 0, E820_EBDA_END) ||
	    !guest_ram_at(ram, SEGMENT << 4, KIB(64)))
		return -ERANGE;
	area_fill(&area, data);
	place(ram, BDA_GPA, &area, sizeof(area));
	place(ram, E820_EBDA_BASE, &ebda_kib, sizeof(ebda_kib));
	vectors_place(ram, data);
	for (i = 0; i < ARRAY_SIZE(code); i++)
		place(ram, (SEGMENT << 4) + code[i].at, code[i].bytes,
		      code[i].length);
	return 0;
}
