/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with a picture that no encoding makes smaller, 1024x768 of 32 bits,
 * whose keys say what is measured: tests/bench/screen/run presses them, and
 * tests/bench/paths/paths.c counts at the marks.
 *
 *	B, E	a span begins, and ends
 *	S	a series of spans is over
 *	D	a span begins; all of the picture has changed
 *	W	after some time a span of so many instructions without an exit
 *	Q	the end
 */
#include "tests/guest/lib/guest.h"

#define WIDTH  1024u
#define HEIGHT 768u

#define DISPI_INDEX    0x1ce
#define DISPI_DATA     0x1cf
#define DISPI_XRES     1
#define DISPI_YRES     2
#define DISPI_BPP      3
#define DISPI_ENABLE   4
#define DISPI_Y_OFFSET 9
#define DISPI_ON       0x41 /* a linear frame buffer */

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PCI_SLOTS   32
#define PCI_CLASS   0x08
#define PCI_BAR0    0x10
#define CLASS_VIDEO 0x03
#define BAR_ADDRESS 0xfffffff0u

#define IRQ_KEYBOARD  1
#define KEYBOARD_DATA 0x60
#define KEYBOARD_PORT 0x64
#define WRITE_CONFIG  0x60
#define CONFIG	      0x41 /* its interrupt, scan set 1 */
#define PIC_COMMAND   0x20
#define PIC_EOI	      0x20

/* Make codes; releases do nothing. */
#define KEY_W 0x11
#define KEY_E 0x12
#define KEY_Q 0x10
#define KEY_S 0x1f
#define KEY_D 0x20
#define KEY_B 0x30

#define SPIN_BEFORE 10000000 /* turns: until all is quiet */
#define SPIN	    20000000

static volatile uint8_t key;
static uint16_t offset;

/* Where the plugin counts. */
__noinline void span_begin(void);
__noinline void span_end(void);
__noinline void series_end(void);

void span_begin(void)
{
	__asm__ volatile("" : : : "memory");
}

void span_end(void)
{
	__asm__ volatile("" : : : "memory");
}

void series_end(void)
{
	__asm__ volatile("" : : : "memory");
}

static void on_key(struct trap_frame *frame)
{
	(void)frame;
	key = in8(KEYBOARD_DATA);
	out8(PIC_COMMAND, PIC_EOI);
}

static void dispi_write(uint16_t index, uint16_t value)
{
	out16(DISPI_INDEX, index);
	out16(DISPI_DATA, value);
}

static uint32_t *frame_buffer(void)
{
	for (uint32_t slot = 0; slot < PCI_SLOTS; slot++) {
		out32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | PCI_CLASS);
		if (in32(PCI_DATA) >> 24 != CLASS_VIDEO)
			continue;
		out32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | PCI_BAR0);
		return (uint32_t *)(uint64_t)(in32(PCI_DATA) & BAR_ADDRESS);
	}
	return NULL;
}

static bool draw(void)
{
	uint32_t *pixels = frame_buffer(), noise = 1;

	if (!pixels)
		return false;
	dispi_write(DISPI_ENABLE, 0);
	dispi_write(DISPI_XRES, WIDTH);
	dispi_write(DISPI_YRES, HEIGHT);
	dispi_write(DISPI_BPP, 32);
	dispi_write(DISPI_ENABLE, DISPI_ON);
	/* A line more, for all of it to move. */
	for (uint32_t i = 0; i < WIDTH * (HEIGHT + 1); i++) {
		noise ^= noise << 13;
		noise ^= noise >> 17;
		noise ^= noise << 5;
		pixels[i] = noise;
	}
	return true;
}

static void spin(uint32_t turns)
{
	__asm__ volatile("1: decl %0\n\tjnz 1b" : "+r"(turns));
}

static void obey(uint8_t code)
{
	switch (code) {
	case KEY_B:
		span_begin();
		break;
	case KEY_D:
		span_begin();
		offset ^= 1;
		dispi_write(DISPI_Y_OFFSET, offset);
		break;
	case KEY_E:
		span_end();
		break;
	case KEY_S:
		series_end();
		print("SERIES\n");
		break;
	case KEY_W:
		spin(SPIN_BEFORE);
		span_begin();
		spin(SPIN);
		span_end();
		print("SPUN\n");
		break;
	}
}

void guest_main(void)
{
	if (!draw()) {
		fail("draw", "there is no display");
		return;
	}
	/* However long a busy machine takes from key to key. */
	pit_stop();
	trap_hook(PIC_VECTOR + IRQ_KEYBOARD, on_key);
	out8(KEYBOARD_PORT, WRITE_CONFIG);
	out8(KEYBOARD_DATA, CONFIG);
	pic_enable(BIT(IRQ_KEYBOARD));
	print("DRAWN\n");
	for (;;) {
		uint8_t code;

		cli();
		code = key;
		key = 0;
		if (code == KEY_Q)
			break;
		if (!code)
			__asm__ volatile("sti; hlt");
		else
			obey(code);
	}
	pass("measured");
}
