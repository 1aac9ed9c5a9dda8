/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The display adapter of QEMU (stdvga, bochs-display) and Bochs, as PCI
 * function 1234:1111: a mode is set by the registers of its BAR 2, the pixels
 * are in BAR 0.  No interrupt, no DMA.
 *
 * Pure: no gate, no globals.  Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_BOCHS_DISPLAY_H
#define BULKHEAD_DRIVERS_BOCHS_DISPLAY_H

#include "drivers/framebuffer.h"
#include "drivers/pci_access.h"

#define BOCHS_DISPLAY_VENDOR 0x1234
#define BOCHS_DISPLAY_DEVICE 0x1111

/*
 * Sets the mode.  -ENODEV: there are no such registers, or they are another's;
 * -ERANGE: it has not the memory; -EIO: it does not take the size, and has lost
 * the mode that it was in.
 */
int __must_check bochs_display_start(struct framebuffer *fb,
				     const struct pci_access *pci,
				     uint32_t width, uint32_t height);

#endif
