/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Multiboot kernel finds beside its registers: the devices and low
 * memory as a BIOS leaves them, whether one has run or not.  There is one disk
 * of 8 MiB, the primary master (tests/run-guest).
 */
#include "tests/guest/lib/guest.h"

#define PIC1	 0x20
#define PIC2	 0xa0
#define PIC_EOI	 0x20
#define KBC_DATA 0x60
#define KBC	 0x64
#define RTC	 0x70
#define PIT	 0x40

#define DISK_CYLINDERS (8 * 2048 / 16 / 63)

static struct {
	uint8_t mask1, mask2, elcr2;
	uint8_t pit_status;
	uint16_t pit_first, pit_second;
	uint8_t kbc_mode;
} early;
static volatile unsigned keyboard_irqs, clock_irqs;

static uint8_t cmos(uint8_t index)
{
	out8(RTC, index);
	return in8(RTC + 1);
}

static void cmos_write(uint8_t index, uint8_t value)
{
	out8(RTC, index);
	out8(RTC + 1, value);
}

static void on_keyboard(struct trap_frame *frame)
{
	(void)frame;
	(void)in8(KBC_DATA);
	keyboard_irqs++;
	out8(PIC1, PIC_EOI);
}

static void on_clock(struct trap_frame *frame)
{
	(void)frame;
	(void)cmos(0x0c);
	clock_irqs++;
	out8(PIC2, PIC_EOI);
	out8(PIC1, PIC_EOI);
}

static void kbc_command(uint8_t command)
{
	while (in8(KBC) & 2)
		;
	out8(KBC, command);
	while (in8(KBC) & 2)
		;
}

static uint16_t pit_count(void)
{
	uint8_t low;

	out8(PIT + 3, 0x00);
	low = in8(PIT);
	return (uint16_t)(in8(PIT) << 8 | low);
}

static void wait_for(const volatile unsigned *count)
{
	for (unsigned i = 0; i < 200000 && !*count; i++)
		__asm__ volatile("sti; nop; cli");
}

void guest_early(void)
{
	early.mask1 = in8(PIC1 + 1);
	early.mask2 = in8(PIC2 + 1);
	early.elcr2 = in8(0x4d1);
	early.pit_first = pit_count();
	for (unsigned i = 0; i < 100; i++)
		(void)in8(0x80);
	early.pit_second = pit_count();
	out8(PIT + 3, 0xe2); /* read back channel 0's status */
	early.pit_status = in8(PIT);
	kbc_command(0x20);
	early.kbc_mode = in8(KBC_DATA);
	/* IRQ 0 stays out: vector 08h is #DF's stub here. */
	out8(PIC1 + 1, early.mask1 | 1);
	trap_hook(0x09, on_keyboard);
	trap_hook(0x70, on_clock);
	kbc_command(0xd2);
	out8(KBC_DATA, 0x1e);
	wait_for(&keyboard_irqs);
	(void)cmos(0x0c);
	cmos_write(0x0b, cmos(0x0b) | 0x40);
	wait_for(&clock_irqs);
	cmos_write(0x0b, cmos(0x0b) & 0xbf);
	(void)cmos(0x0c);
	trap_hook(0x09, NULL);
	trap_hook(0x70, NULL);
}

static void check_at(void)
{
	check_equal("pic-mask-master", early.mask1 & 0x87, 0x80);
	check_equal("pic-mask-slave", early.mask2 & 0x41, 0x00);
	check("pic-vectors-master", keyboard_irqs == 1);
	check("pic-vectors-slave", clock_irqs >= 1);
	check_equal("elcr", early.elcr2 & 0x0c, 0x0c);
	check_equal("pit-mode", early.pit_status & 0x3f, 0x34);
	check("pit-runs", early.pit_first != early.pit_second);
	check_equal("keyboard-translated", early.kbc_mode & 0x51, 0x41);
	check_equal("a20", in8(0x92) & 2, 2);
	check_equal("dma-cascade", in8(0xde) & 1, 0);
}

/* ---- PCI ----------------------------------------------------------------- */

static uint32_t pci_read(unsigned slot, unsigned function, unsigned offset)
{
	out32(0xcf8, 0x80000000 | slot << 11 | function << 8 | offset);
	return in32(0xcfc);
}

static void check_pci(void)
{
	uint32_t timing = pci_read(1, 1, 0x40);
	uint32_t master = pci_read(1, 1, 0x20);
	uint32_t video = pci_read(2, 0, 0x10);

	check_equal("ide-decodes", timing & 0x80008000, 0x80008000);
	check("ide-master-base", master & 1 && (master & 0xfffc) >= 0x1000);
	check_equal("ide-command", pci_read(1, 1, 0x04) & 0x05, 0x05);
	check_equal("ide-master-answers",
		    in8((uint16_t)((master & 0xfffc) + 2)) & 0x1f, 0);
	check_equal("pirqs", pci_read(1, 0, 0x60), 0x0b0b0a0a);
	check_equal("pm-base", pci_read(1, 3, 0x40), 0x601);
	check_equal("pm-line", pci_read(1, 3, 0x3c) & 0xff, 9);
	check("video-base", (video & ~0xfu) >= 0x80000000);
	check_equal("video-command", pci_read(2, 0, 0x04) & 3, 3);
	*(volatile uint32_t *)(uint64_t)(video & ~0xfu) = 0x12345678;
	check_equal("video-memory",
		    *(volatile uint32_t *)(uint64_t)(video & ~0xfu),
		    0x12345678);
}

/* ---- VGA ----------------------------------------------------------------- */

static uint8_t indexed(uint16_t port, uint8_t index)
{
	out8(port, index);
	return in8(port + 1);
}

static void check_font(void)
{
	volatile uint8_t *glyph = (volatile uint8_t *)(0xa0000UL + 'A' * 32);
	volatile uint8_t *space = (volatile uint8_t *)(0xa0000UL + ' ' * 32);
	uint8_t sequencer4 = indexed(0x3c4, 4), graphics5 = indexed(0x3ce, 5);
	uint8_t graphics6 = indexed(0x3ce, 6), graphics4 = indexed(0x3ce, 4);
	unsigned dots = 0, blank = 0;

	out16(0x3c4, 0x0604);
	out16(0x3ce, 0x0204);
	out16(0x3ce, 0x0005);
	out16(0x3ce, 0x0406);
	for (unsigned i = 0; i < 16; i++) {
		dots |= glyph[i];
		blank |= space[i];
	}
	out16(0x3c4, (uint16_t)(sequencer4 << 8 | 4));
	out16(0x3ce, (uint16_t)(graphics4 << 8 | 4));
	out16(0x3ce, (uint16_t)(graphics5 << 8 | 5));
	out16(0x3ce, (uint16_t)(graphics6 << 8 | 6));
	check("vga-font", dots && !blank);
}

static void check_vga(void)
{
	volatile uint16_t *text = (volatile uint16_t *)0xb8000;
	uint8_t rgb[3];

	check_equal("vga-misc", in8(0x3cc) & 0x03, 0x03);
	check_equal("vga-columns", indexed(0x3d4, 0x01), 79);
	check_equal("vga-offset", indexed(0x3d4, 0x13), 40);
	check_equal("vga-cell", indexed(0x3d4, 0x09) & 0x1f, 15);
	check_equal("vga-cursor", indexed(0x3d4, 0x0a) & 0x20, 0);
	check_equal("vga-graphics", indexed(0x3ce, 0x06) & 0x0d, 0x0c);
	check_equal("vga-planes", indexed(0x3c4, 0x02), 3);
	out8(0x3c7, 63);
	for (unsigned i = 0; i < 3; i++)
		rgb[i] = in8(0x3c9);
	check("vga-palette", rgb[0] == 63 && rgb[1] == 63 && rgb[2] == 63);
	text[100] = 0x0741;
	check_equal("vga-text", text[100], 0x0741);
	check_font();
}

/* ---- Low memory ---------------------------------------------------------- */

/* The compiler has its own thoughts about the first page. */
static uint64_t low(uint64_t at, unsigned size)
{
	uint64_t value = 0;

	__asm__("" : "+r"(at));
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t) * (volatile uint8_t *)(at + i) << (8 * i);
	return value;
}

static uint64_t vector(unsigned number)
{
	return low(number * 4 + 2, 2) * 16 + low(number * 4, 2);
}

static void check_bda(void)
{
	uint64_t ebda = low(0x40e, 2) * 16;
	uint64_t table = vector(0x41);

	check_equal("bda-com1", low(0x400, 2), 0x3f8);
	check_equal("bda-lpt1", low(0x408, 2), 0);
	check("bda-ebda", ebda >= 0x80000 && ebda < 0xa0000 && low(ebda, 1));
	check_equal("bda-equipment", low(0x410, 2) & 0xe3b, 0x222);
	check_equal("bda-memory", low(0x413, 2) * 1024, ebda);
	check_equal("bda-keys", low(0x41a, 2), low(0x41c, 2));
	check_equal("bda-key-buffer", low(0x480, 4), 0x003e001e);
	check_equal("bda-video-mode", low(0x449, 1), 3);
	check_equal("bda-columns", low(0x44a, 2), 80);
	check_equal("bda-crtc", low(0x463, 2), 0x3d4);
	check_equal("bda-rows", low(0x484, 1), 24);
	check_equal("bda-cell", low(0x485, 2), 16);
	check_equal("bda-disks", low(0x475, 1), 1);
	check("bda-ticks", low(0x46c, 4) < 0x1800b0);
	check_equal("disk-cylinders", low(table, 2), DISK_CYLINDERS);
	check_equal("disk-heads", low(table + 2, 1), 16);
	check_equal("disk-sectors", low(table + 14, 1), 63);
	check_equal("cmos-disks", cmos(0x12), 0xf0);
	check_equal("cmos-cylinders", cmos(0x1b) | cmos(0x1c) << 8,
		    DISK_CYLINDERS);
}

static void check_vectors(void)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < 0x20; i++)
		bad += vector(i) < 0xc0000 && i != 0x1d && i != 0x1e &&
		       i != 0x1f;
	for (unsigned i = 0x70; i < 0x78; i++)
		bad += vector(i) < 0xc0000;
	check_equal("ivt", bad, 0);
	check_equal("model", low(0xffffe, 1), 0xfc);
}

/* ---- What the loader says ------------------------------------------------ */

struct memory_map {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __packed;

static void check_information(void)
{
	uint64_t info = boot_info;
	uint64_t at = low(info + 48, 4), end = at + low(info + 44, 4);
	uint64_t lower = 0, upper = 0, entries = 0;

	check_equal("magic", boot_magic, 0x2badb002);
	check_equal("flags", low(info, 4) & 0x245, 0x245);
	for (; at < end; entries++) {
		const struct memory_map *map = (const struct memory_map *)at;

		if (map->type == 1 && !map->base)
			lower = map->length / 1024;
		if (map->type == 1 && map->base == 0x100000)
			upper = map->length / 1024;
		at += map->size + 4;
	}
	check("map", entries >= 3 && at == end);
	check_equal("mem-lower", low(info + 4, 4), lower);
	check_equal("mem-upper", low(info + 8, 4), upper);
	check_equal("mem-lower-bda", lower, low(0x413, 2));
	check("mem-upper-size", upper > 60 * 1024 && upper <= 63 * 1024);
}

void guest_main(void)
{
	check_at();
	check_pci();
	check_vga();
	check_bda();
	check_vectors();
	check_information();
}
