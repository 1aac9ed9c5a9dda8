/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of devices/vga*.c share: buses, registers, modes. */
#ifndef BULKHEAD_TESTS_UNIT_VGA_TEST_H
#define BULKHEAD_TESTS_UNIT_VGA_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/vga.h"
#include "include/errno.h"

#define VRAM_BYTES MIB(4)
#define DEVFN	   PCI_DEVFN(2, 0)
#define LFB	   0xe0000000u
#define MMIO	   0xf0000000u
#define ROM	   0xf1000000u

static struct {
	struct bus ports, memory;
	uint8_t index[BUS_PORTS];
	struct pci_bus pci;
	struct clock clock;
	struct vga vga;
	uint8_t *vram;
	uint8_t rom[3000];
	uint64_t now, lfb;
	bool lfb_on;
} t;

/* ---- Harness ----------------------------------------------------------- */

static inline uint64_t now_ns(void *ctx)
{
	(void)ctx;
	return t.now;
}

static inline void vram_mapped(void *ctx, uint64_t gpa, bool enabled)
{
	(void)ctx;
	t.lfb = gpa;
	t.lfb_on = enabled;
}

static inline uint64_t bus_read(struct bus *bus, uint64_t at, unsigned size)
{
	struct io_access io = { .offset = at, .size = size };

	bus_access(bus, &io);
	return io.data;
}

static inline void bus_write(struct bus *bus, uint64_t at, unsigned size,
			     uint64_t value)
{
	struct io_access io = {
		.offset = at, .size = size, .data = value, .is_write = true
	};

	bus_access(bus, &io);
}

static inline uint8_t inb(unsigned port)
{
	return (uint8_t)bus_read(&t.ports, port, 1);
}

static inline void outb(unsigned port, uint8_t value)
{
	bus_write(&t.ports, port, 1, value);
}

/* An index and its data, as one word. */
static inline void reg(unsigned port, uint8_t index, uint8_t value)
{
	bus_write(&t.ports, port, 2, index | value << 8);
}

static inline void attr(uint8_t index, uint8_t value)
{
	inb(0x3da);
	outb(0x3c0, index);
	outb(0x3c0, value);
}

static inline void dispi(unsigned index, uint16_t value)
{
	bus_write(&t.ports, 0x1ce, 2, index);
	bus_write(&t.ports, 0x1cf, 2, value);
}

static inline uint16_t dispi_get(unsigned index)
{
	bus_write(&t.ports, 0x1ce, 2, index);
	return (uint16_t)bus_read(&t.ports, 0x1d0, 2);
}

static inline uint8_t peek(uint32_t offset)
{
	return (uint8_t)bus_read(&t.memory, 0xa0000 + offset, 1);
}

static inline void poke(uint32_t offset, uint8_t value)
{
	bus_write(&t.memory, 0xa0000 + offset, 1, value);
}

static inline int setup(void **state)
{
	struct vga_config config = {
		.pci = &t.pci,
		.devfn = DEVFN,
		.ports = &t.ports,
		.memory = &t.memory,
		.clock = &t.clock,
		.vram_length = VRAM_BYTES,
		.rom = t.rom,
		.rom_length = sizeof(t.rom),
		.vram_mapped = vram_mapped,
	};

	(void)state;
	memset(&t, 0, sizeof(t));
	bus_init_ports(&t.ports, t.index);
	bus_init_memory(&t.memory);
	assert_int_equal(pci_bus_init(&t.pci, &t.ports, &t.memory), 0);
	t.pci.window[0] = (struct pci_window){ 0xc0000000, 0x3ec00000 };
	t.clock.now_ns = now_ns;
	t.vram = calloc(1, VRAM_BYTES);
	config.vram = t.vram;
	for (unsigned i = 0; i < sizeof(t.rom); i++)
		t.rom[i] = (uint8_t)(i * 5);
	assert_int_equal(vga_init(&t.vga, &config), 0);
	outb(0x3c2, 0x67);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	free(t.vram);
	return 0;
}

#define FRAME_NS (449 * 31778ULL) /* lines, and the time of one */

/* The CRTC's start address, and time until it is in force. */
static inline void start_set(uint16_t address)
{
	reg(0x3d4, 0x0c, (uint8_t)(address >> 8));
	reg(0x3d4, 0x0d, (uint8_t)address);
	t.now += FRAME_NS;
}

/* 80x25 text, 16 lines a character, as the BIOS' mode 3. */
static inline void mode_text(void)
{
	reg(0x3c4, 1, 0x00);
	reg(0x3c4, 2, 0x03);
	reg(0x3c4, 3, 0x00);
	reg(0x3c4, 4, 0x02);
	reg(0x3ce, 4, 0x00);
	reg(0x3ce, 5, 0x10);
	reg(0x3ce, 6, 0x0e);
	reg(0x3ce, 8, 0xff);
	reg(0x3d4, 0x11, 0x00);
	reg(0x3d4, 0x01, 0x4f);
	reg(0x3d4, 0x07, 0x1f);
	reg(0x3d4, 0x09, 0x4f);
	reg(0x3d4, 0x0a, 0x0d);
	reg(0x3d4, 0x0b, 0x0e);
	reg(0x3d4, 0x12, 0x8f);
	reg(0x3d4, 0x13, 0x28);
	reg(0x3d4, 0x14, 0x1f);
	reg(0x3d4, 0x17, 0xa3);
	for (unsigned i = 0; i < 16; i++)
		attr((uint8_t)i, (uint8_t)i);
	attr(0x10, 0x0c);
	attr(0x12, 0x0f);
	attr(0x14, 0x00);
	inb(0x3da);
	outb(0x3c0, 0x20);
	for (unsigned i = 0; i < 16; i++) {
		outb(0x3c8, (uint8_t)i);
		outb(0x3c9, (uint8_t)(i * 4));
		outb(0x3c9, (uint8_t)i);
		outb(0x3c9, 63);
	}
}

static inline void mode_13h(void)
{
	mode_text();
	reg(0x3c4, 4, 0x0e);
	reg(0x3c4, 2, 0x0f);
	reg(0x3ce, 5, 0x40);
	reg(0x3ce, 6, 0x05);
	reg(0x3d4, 9, 0x41);
	reg(0x3d4, 0x14, 0x40);
}

/* A byte of a plane, wherever the window is and whatever it does. */
static inline uint8_t plane_byte(unsigned number, uint32_t offset)
{
	return t.vram[offset * 4 + number];
}

static inline void planar(void)
{
	reg(0x3c4, 2, 0x0f);
	reg(0x3c4, 4, 0x06);
	reg(0x3ce, 0, 0);
	reg(0x3ce, 1, 0);
	reg(0x3ce, 3, 0);
	reg(0x3ce, 5, 0);
	reg(0x3ce, 6, 5);
	reg(0x3ce, 7, 0xf);
	reg(0x3ce, 8, 0xff);
}

static inline uint8_t plane(uint8_t number, uint32_t offset)
{
	reg(0x3ce, 4, number);
	return peek(offset);
}

/* Through latches that were loaded there. */
static inline void poke_latched(uint32_t from, uint32_t to, uint8_t value)
{
	peek(from);
	poke(to, value);
}

/* Of planes 0 to 3, the first the lowest byte, those that mask has. */
static inline void expect_planes(uint32_t offset, uint32_t mask, uint32_t bytes)
{
	for (uint8_t i = 0; i < 4; i++)
		if (mask >> 8 * i & 0xff)
			assert_int_equal(plane(i, offset),
					 bytes >> 8 * i & 0xff);
}

/* ---- What is on the screen --------------------------------------------- */

static struct vga_text text;
static uint8_t rgb[720 * 480 * 3];

static inline void text_take(void)
{
	assert_true(vga_text_get(&t.vga, &text, false));
}

static inline void picture_take(unsigned width, unsigned height)
{
	unsigned x, y;

	vga_size(&t.vga, &x, &y);
	assert_int_equal(x, width);
	assert_int_equal(y, height);
	assert_int_equal(vga_render(&t.vga, rgb, sizeof(rgb)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
