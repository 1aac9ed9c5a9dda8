/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References: Bochs' VBE extension documentation; QEMU's "standard vga"
 * specification.
 */
#include "drivers/bochs_display.h"

#include "include/errno.h"

#define BAR_PIXELS	0
#define BAR_REGISTERS	2
/* In BAR 2: VGA's ports from 3C0h on, then words. */
#define REGISTERS_VGA	0x400
#define REGISTERS_DISPI 0x500
#define REGISTERS_END	0x516

#define VGA_ATTRIBUTE	   0x00 /* 3C0h: index, then data */
#define VGA_ATTRIBUTE_PAS  BIT(5)
#define VGA_INPUT_STATUS_1 0x1a /* 3DAh: read, the next is an index */

enum dispi_register {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
};

#define DISPI_ID_MASK	 0xfff0
#define DISPI_ID_ANY	 0xb0c0
#define DISPI_ENABLED	 BIT(0)
#define DISPI_LFB	 BIT(6)
#define DISPI_BPP_WANTED 32

struct display {
	const struct pci_access *pci;
	uint8_t *registers;
};

static uint16_t get(const struct display *display, enum dispi_register index)
{
	const struct pci_ops *ops = display->pci->ops;

	return (uint16_t)ops->mmio_read(
		display->pci->ctx,
		display->registers + REGISTERS_DISPI + 2 * index, 2);
}

static void set(const struct display *display, enum dispi_register index,
		uint32_t value)
{
	display->pci->ops->mmio_write(
		display->pci->ctx,
		display->registers + REGISTERS_DISPI + 2 * index, 2, value);
}

/* A VGA shows nothing until its attribute controller is told to; the device
 * without VGA's registers ignores it. */
static void unblank(const struct display *display)
{
	const struct pci_ops *ops = display->pci->ops;
	uint8_t *vga = display->registers + REGISTERS_VGA;

	(void)ops->mmio_read(display->pci->ctx, vga + VGA_INPUT_STATUS_1, 1);
	ops->mmio_write(display->pci->ctx, vga + VGA_ATTRIBUTE, 1,
			VGA_ATTRIBUTE_PAS);
}

static int mode_set(const struct display *display, uint32_t width,
		    uint32_t height)
{
	if ((get(display, DISPI_ID) & DISPI_ID_MASK) != DISPI_ID_ANY)
		return -ENODEV;
	set(display, DISPI_ENABLE, 0);
	set(display, DISPI_XRES, width);
	set(display, DISPI_YRES, height);
	set(display, DISPI_BPP, DISPI_BPP_WANTED);
	set(display, DISPI_BANK, 0);
	set(display, DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB);
	set(display, DISPI_VIRT_WIDTH, width);
	set(display, DISPI_X_OFFSET, 0);
	set(display, DISPI_Y_OFFSET, 0);
	unblank(display);
	if (get(display, DISPI_XRES) != width ||
	    get(display, DISPI_YRES) != height ||
	    get(display, DISPI_BPP) != DISPI_BPP_WANTED)
		return -EIO;
	return 0;
}

int bochs_display_start(struct framebuffer *fb, const struct pci_access *pci,
			uint32_t width, uint32_t height)
{
	struct pci_bar pixels, registers;
	struct display display = { .pci = pci };
	uint64_t size = 4ULL * width * height;
	int error = pci->ops->bar_map(pci->ctx, BAR_PIXELS, &pixels);

	*fb = (struct framebuffer){ 0 };
	if (!error)
		error = pci->ops->bar_map(pci->ctx, BAR_REGISTERS, &registers);
	if (error)
		return error;
	if (registers.size < REGISTERS_END)
		return -ENODEV;
	if (pixels.size < size)
		return -ERANGE;
	display.registers = registers.va;
	error = mode_set(&display, width, height);
	if (error)
		return error;
	*fb = (struct framebuffer){
		.pixels = pixels.va,
		.width = width,
		.height = height,
		.stride = width * 4,
	};
	return 0;
}
