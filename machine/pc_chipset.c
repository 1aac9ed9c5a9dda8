/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices as a BIOS leaves them, for a kernel that is started without one:
 * through their registers, as a BIOS would.  SeaBIOS' choices, where BIOSes
 * differ, so that a kernel finds the same both ways.
 *
 * References: Multiboot Specification 0.6.96, "Machine state"; Intel 8259A and
 * 8254 data sheets; 82371SB (PIIX3) data sheet, "IDE Timing Register"; IBM VGA,
 * "Mode 3+".
 */
#include "machine/pc_parts.h"

#include "lib/font.h"

#include "firmware/bios_data.h"

static void port_write(struct pc *pc, uint16_t port, unsigned size,
		       uint32_t value)
{
	struct io_access io = { .offset = port,
				.data = value,
				.size = (uint8_t)size,
				.is_write = true };

	bus_access(&pc->ports, &io);
}

static uint8_t port_read(struct pc *pc, uint16_t port)
{
	struct io_access io = { .offset = port, .size = 1 };

	bus_access(&pc->ports, &io);
	return (uint8_t)io.data;
}

/* ---- PCI --------------------------------------------------------------- */

static void config_write(struct pc *pc, uint8_t devfn, unsigned offset,
			 unsigned size, uint32_t value)
{
	pci_config_write(&pc->pci, devfn, offset, size, value);
}

#define ISA_DEVFN     PCI_DEVFN(1, 0)
#define PM_DEVFN      PCI_DEVFN(1, 3)
#define IDE_IDETIM    0x40 /* and 0x42: the secondary channel */
#define IDETIM_DECODE BIT(15)

static void bridges_set_up(struct pc *pc)
{
	const struct board_description *board = &pc->board;
	uint16_t level = board->has_no_acpi ? 0 : (uint16_t)BIT(board->sci_irq);
	unsigned i;

	for (i = 0; i < 7; i++) /* PAM: all RAM */
		config_write(pc, PCI_DEVFN(0, 0), 0x59 + i, 1, 0x33);
	for (i = 0; i < PIIX3_PIRQS; i++) {
		config_write(pc, ISA_DEVFN, PIIX3_PIRQRC + i, 1,
			     board->pirq_irq[i]);
		level |= (uint16_t)BIT(board->pirq_irq[i]);
	}
	for (i = 0; i < 2; i++) {
		port_write(pc, (uint16_t)(0x4d0 + i), 1,
			   level >> (8 * i) & 0xff);
		config_write(pc, PC_IDE_DEVFN, IDE_IDETIM + 2 * i, 2,
			     IDETIM_DECODE);
	}
	config_write(pc, PM_DEVFN, PM_CONFIG_PMBASE, 4, board->pm_base | 1);
	config_write(pc, PM_DEVFN, PM_CONFIG_PMMISC, 1, 1);
	board_functions_set_up(&pc->pci, &pc->board);
	config_write(pc, PM_DEVFN, PCI_INTERRUPT_LINE, 1, board->sci_irq);
}

/* ---- The PC/AT's devices ----------------------------------------------- */

struct port_value {
	uint16_t port;
	uint8_t value;
};

static void ports_write(struct pc *pc, const struct port_value *values,
			unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		port_write(pc, values[i].port, 1, values[i].value);
}

#define KBC_DATA	0x60
#define KBC_COMMAND	0x64
#define KBC_OUTPUT_FULL BIT(0)
#define KBC_QUEUE	16 /* more than what anything here makes */

static void at_set_up(struct pc *pc)
{
	static const struct port_value values[] = {
		/* 8259 pair: IRQ 0 at 08h, IRQ 8 at 70h; timer, keyboard,
		 * cascade, clock, mouse, coprocessor, disk not masked. */
		{ 0x20, 0x11 },
		{ 0x21, 0x08 },
		{ 0x21, 0x04 },
		{ 0x21, 0x01 },
		{ 0xa0, 0x11 },
		{ 0xa1, 0x70 },
		{ 0xa1, 0x02 },
		{ 0xa1, 0x01 },
		{ 0x21, 0xf8 },
		{ 0xa1, 0x8e },
		/* 8254 channel 0: 18.2 Hz. */
		{ 0x43, 0x34 },
		{ 0x40, 0x00 },
		{ 0x40, 0x00 },
		/* Keyboard: on, translated, IRQ 1; the mouse's port is off. */
		{ KBC_COMMAND, 0x60 },
		{ KBC_DATA, 0x65 },
		{ KBC_DATA, 0xf4 },
		/* 8237 pair: channel 4 leads to the first one. */
		{ 0xd6, 0xc0 },
		{ 0xd4, 0x00 },
		/* DMA's pages and speaker are as reset leaves them. */
	};
	unsigned i;

	ports_write(pc, values, ARRAY_SIZE(values));
	for (i = 0;
	     i < KBC_QUEUE && port_read(pc, KBC_COMMAND) & KBC_OUTPUT_FULL; i++)
		(void)port_read(pc, KBC_DATA);
}

/* ---- VGA: mode 3 ------------------------------------------------------- */

#define VGA_ATTRIBUTE	0x3c0
#define VGA_MISC	0x3c2
#define VGA_SEQUENCER	0x3c4
#define VGA_DAC_MASK	0x3c6
#define VGA_DAC_WRITE	0x3c8
#define VGA_DAC_DATA	0x3c9
#define VGA_GRAPHICS	0x3ce
#define VGA_CRTC	0x3d4
#define VGA_STATUS	0x3da
#define ATTRIBUTE_VIDEO BIT(5)
#define VGA_FONT_GPA	0xa0000
#define VGA_FONT_STRIDE 32
#define VGA_TEXT_GPA	0xb8000
#define VGA_TEXT_SIZE	0x8000
#define VGA_BLANK	0x0720
#define VGA_BLANKS	256 /* written at a time */

static void indexed_write(struct pc *pc, uint16_t port, unsigned index,
			  unsigned value)
{
	port_write(pc, port, 1, index);
	port_write(pc, (uint16_t)(port + 1), 1, value);
}

static void indexed_fill(struct pc *pc, uint16_t port, const uint8_t *values,
			 unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		indexed_write(pc, port, i, values[i]);
}

static const uint8_t text_graphics[] = {
	0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff
};
static const uint8_t text_sequencer[] = { 3, 0, 3, 0, 2 };

static void registers_set(struct pc *pc)
{
	static const uint8_t crtc[] = { 0x5f, 0x4f, 0x50, 0x82, 0x55,
					0x81, 0xbf, 0x1f, 0x00, 0x4f,
					0x0d, 0x0e, 0x00, 0x00, 0x00,
					0x00, 0x9c, 0x8e, 0x8f, 0x28,
					0x1f, 0x96, 0xb9, 0xa3, 0xff };
	static const uint8_t attribute[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
					     0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b,
					     0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00,
					     0x0f, 0x08, 0x00 };
	unsigned i;

	port_write(pc, VGA_MISC, 1, 0x67);
	indexed_fill(pc, VGA_SEQUENCER, text_sequencer,
		     ARRAY_SIZE(text_sequencer));
	indexed_write(pc, VGA_CRTC, 0x11, 0); /* unlocks 0 to 7 */
	indexed_fill(pc, VGA_CRTC, crtc, ARRAY_SIZE(crtc));
	indexed_fill(pc, VGA_GRAPHICS, text_graphics,
		     ARRAY_SIZE(text_graphics));
	(void)port_read(pc, VGA_STATUS); /* an index comes next */
	for (i = 0; i < ARRAY_SIZE(attribute); i++) {
		port_write(pc, VGA_ATTRIBUTE, 1, i);
		port_write(pc, VGA_ATTRIBUTE, 1, attribute[i]);
	}
	port_write(pc, VGA_ATTRIBUTE, 1, ATTRIBUTE_VIDEO);
}

/* The 64 colours of the EGA: two bits each of red, green, blue. */
static void palette_set(struct pc *pc)
{
	unsigned colour, channel;

	port_write(pc, VGA_DAC_MASK, 1, 0xff);
	port_write(pc, VGA_DAC_WRITE, 1, 0);
	for (colour = 0; colour < 64; colour++)
		for (channel = 2; channel < 3; channel--) {
			unsigned level = (colour >> channel & 1) * 0x2a +
					 (colour >> (channel + 3) & 1) * 0x15;

			port_write(pc, VGA_DAC_DATA, 1, level);
		}
}

/* count items of that size, from gpa on. */
static void memory_write(struct pc *pc, gpa_t gpa, unsigned size,
			 const void *items, uint32_t count)
{
	const struct io_access io = { .offset = gpa,
				      .size = (uint8_t)size,
				      .is_write = true };

	bus_write_run(&pc->memory, &io, items, count);
}

static void font_set(struct pc *pc)
{
	uint8_t rows[FONT_HEIGHT];
	unsigned character;

	indexed_write(pc, VGA_SEQUENCER, 2, 0x04); /* plane 2, */
	indexed_write(pc, VGA_SEQUENCER, 4, 0x06); /* byte by byte, */
	indexed_write(pc, VGA_GRAPHICS, 5, 0x00);
	indexed_write(pc, VGA_GRAPHICS, 6, 0x04); /* at A0000h */
	for (character = 0; character < 256; character++)
		if (font_glyph(character, rows))
			memory_write(pc,
				     VGA_FONT_GPA + character * VGA_FONT_STRIDE,
				     1, rows, FONT_HEIGHT);
	indexed_fill(pc, VGA_SEQUENCER, text_sequencer,
		     ARRAY_SIZE(text_sequencer));
	indexed_fill(pc, VGA_GRAPHICS, text_graphics,
		     ARRAY_SIZE(text_graphics));
}

static void text_mode_set(struct pc *pc)
{
	uint16_t blank[VGA_BLANKS];
	unsigned at;

	registers_set(pc);
	palette_set(pc);
	font_set(pc);
	for (at = 0; at < VGA_BLANKS; at++)
		blank[at] = VGA_BLANK;
	for (at = 0; at < VGA_TEXT_SIZE; at += sizeof(blank))
		memory_write(pc, VGA_TEXT_GPA + at, sizeof(*blank), blank,
			     VGA_BLANKS);
}

/* ---- Memory ------------------------------------------------------------ */

#define RTC_INDEX     0x70
#define RTC_DATA      0x71
#define TICKS_A_DAY   0x1800b0ULL
#define SECONDS_A_DAY (24 * 3600)

static unsigned clock_read(struct pc *pc, uint8_t index)
{
	uint8_t bcd;

	port_write(pc, RTC_INDEX, 1, index);
	bcd = port_read(pc, RTC_DATA);
	return (bcd >> 4) * 10U + (bcd & 0xf);
}

static uint32_t ticks_since_midnight(struct pc *pc)
{
	unsigned seconds = clock_read(pc, 4) * 3600 + clock_read(pc, 2) * 60 +
			   clock_read(pc, 0);

	return (uint32_t)(seconds * TICKS_A_DAY / SECONDS_A_DAY);
}

static int data_place(struct pc *pc)
{
	struct bios_data data = { .com1 = PC_COM1_PORT,
				  .com2 = pc_has_com2(pc) ? PC_COM2_PORT : 0,
				  .lpt1 = pc_has_lpt1(pc) ? PC_LPT1_PORT : 0,
				  .ticks = ticks_since_midnight(pc) };
	struct pc_geometry geometry;
	unsigned i, count = 0;

	for (i = 0; i < PC_FIXED_DISKS; i++)
		if (pc_disk_geometry(pc, i, &geometry))
			data.disk[count++] = (struct bios_disk_table){
				.cylinders = geometry.cylinders,
				.heads = geometry.heads,
				.precompensation = UINT16_MAX,
				.control = pc_geometry_control(&geometry),
				.landing_zone = geometry.cylinders,
				.sectors = geometry.sectors,
			};
	return bios_data_place(&pc->ram, &data);
}

int pc_chipset_set_up(struct pc *pc, bool with_memory)
{
	bridges_set_up(pc);
	at_set_up(pc);
	text_mode_set(pc);
	return with_memory ? data_place(pc) : 0;
}
