/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen that the boot loader has left: what it says of it makes sense, or
 * it is not used.  Where it lies the monitor has looked at already.
 *
 * References: Multiboot Specification 0.6.96, "Boot information format"; PCI
 * Local Bus Specification 3.0, "Class Codes".
 */
#include "init/init.h"

#define PCI_FUNCTIONS_MAX 4096 /* that are looked at */
#define CLASS_VGA	  0x030000
#define VGA_TEXT	  0xb8000
#define VGA_COLUMNS	  80
#define VGA_ROWS	  25
#define CELL_BYTES	  2

/* Less is no screen to work at; more is none that exists. */
#define SIDE_MIN     200
#define SIDE_MAX     16384
#define COLUMNS_MIN  40
#define ROWS_MIN     25
#define CELLS_MAX    256
#define CHANNELS     3
#define CHANNEL_BITS 16

/* The colours' bits lie in the pixel, each in one. */
static bool channels_read(const struct gate_screen *told,
			  struct seat_screen *screen)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < CHANNELS; i++) {
		unsigned at = told->colour[2 * i];
		unsigned bits = told->colour[2 * i + 1];
		uint64_t mask;

		if (!bits || bits > CHANNEL_BITS || at + bits > told->bpp)
			return false;
		mask = ((1ULL << bits) - 1) << at;
		if (used & mask)
			return false;
		used |= mask;
		screen->channel[i].at = (uint8_t)at;
		screen->channel[i].bits = (uint8_t)bits;
	}
	return true;
}

/* NULL, or what is wrong with it. */
static const char *pixels_read(const struct gate_screen *told,
			       struct seat_screen *screen)
{
	screen->kind = SEAT_SCREEN_PIXELS;
	screen->pixel_bytes = DIV_ROUND_UP(told->bpp, 8U);
	if (told->bpp != 15 && told->bpp != 16 && told->bpp != 24 &&
	    told->bpp != 32)
		return "its pixels have none of 15, 16, 24 and 32 bits";
	if (told->width < SIDE_MIN || told->height < SIDE_MIN ||
	    told->width > SIDE_MAX || told->height > SIDE_MAX)
		return "it has no size that a screen has";
	if (told->pitch < told->width * screen->pixel_bytes)
		return "its lines are shorter than their pixels";
	if (!channels_read(told, screen))
		return "its colours lie beside the pixel, or in one another";
	return NULL;
}

static const char *cells_read(const struct gate_screen *told,
			      struct seat_screen *screen)
{
	screen->kind = SEAT_SCREEN_TEXT;
	screen->is_vga = told->address == VGA_TEXT;
	if (told->width < COLUMNS_MIN || told->height < ROWS_MIN ||
	    told->width > CELLS_MAX || told->height > CELLS_MAX)
		return "it has no size that a screen of text has";
	if (told->pitch < told->width * CELL_BYTES ||
	    told->pitch % CELL_BYTES || told->address % CELL_BYTES)
		return "its lines are shorter than their cells, or odd";
	return NULL;
}

static const char *screen_read(const struct gate_screen *told,
			       struct seat_screen *screen)
{
	screen->width = told->width;
	screen->height = told->height;
	screen->stride = told->pitch;
	screen->va = screen_map_va(told) + told->address % PAGE_SIZE;
	if (!told->size)
		return "there is RAM, an interrupt controller or no address, "
		       "or it is too large";
	switch (told->type) {
	case GATE_SCREEN_RGB:
		return pixels_read(told, screen);
	case GATE_SCREEN_TEXT:
		return cells_read(told, screen);
	case GATE_SCREEN_INDEXED:
		return "it has a palette";
	default:
		return "it is of a kind that nobody knows";
	}
}

/* Whether there is a VGA, which a BIOS leaves in a text mode. */
static bool has_vga(const struct init *init)
{
	struct gate_pci_info pci = { 0 };

	for (unsigned i = 0; i < PCI_FUNCTIONS_MAX; i++) {
		if (init->gate->pci_info(init->gate->ctx, i, &pci))
			return false;
		if (pci.class_code == CLASS_VGA)
			return true;
	}
	return false;
}

uint64_t screen_map_va(const struct gate_screen *told)
{
	/* As far into 2 MiB as it is physically: in large leaves. */
	return GATE_MODULE_VA + ALIGN_DOWN(told->address % PAGE_2M, PAGE_SIZE);
}

void screen_find(struct init *init)
{
	struct seat_screen *screen = &init->seat.screen;
	struct gate_screen told = init->info->screen;
	const char *wrong;

	if (told.type == GATE_SCREEN_UNTOLD) {
		if (!told.size || !has_vga(init))
			return;
		told.type = GATE_SCREEN_TEXT;
		told.width = VGA_COLUMNS;
		told.height = VGA_ROWS;
		told.bpp = 8 * CELL_BYTES;
	}
	wrong = screen_read(&told, screen);
	if (!wrong) {
		init_log(init, 0, LOG_INFO,
			 "seat: the boot loader's screen: %u x %u %s of %u "
			 "bits, at %lx",
			 told.width, told.height,
			 screen->kind == SEAT_SCREEN_TEXT ? "cells" : "pixels",
			 told.bpp, told.address);
		return;
	}
	*screen = (struct seat_screen){ 0 };
	init_log(init, 0, LOG_WARNING,
		 "seat: the boot loader's screen is not used (kind %u, %u x "
		 "%u, %u bits, lines of %u bytes, at %lx): %s",
		 told.type, told.width, told.height, told.bpp, told.pitch,
		 told.address, wrong);
}
