/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VGA that firmware or the boot loader has left in a text mode: whether it
 * is, and its cursor, which is taken away.  No mode is set.
 *
 * Pure: no gate, no globals.  Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_VGA_TEXT_H
#define BULKHEAD_DRIVERS_VGA_TEXT_H

#include "drivers/uart16550.h"

/* The graphics controller's and the CRT controller's index and data. */
#define VGA_TEXT_PORT  0x3ce
#define VGA_TEXT_PORTS 8

/* -ENODEV: none answers; -ERANGE: its mode has no cells at B8000h. */
int __must_check vga_text_start(const struct port_ops *ports, void *ctx);

#endif
