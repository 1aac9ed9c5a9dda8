/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82441FX host bridge (i440FX).
 *
 * Modelled: PAM registers, through which firmware shadows 0xc0000-0xfffff;
 * SMRAM control as bits (there is no system management mode).  Not modelled:
 * DRAM detection and timing, AGP, error reporting.
 *
 * References: 82441FX (PMC) data sheet (290549-001).
 */
#ifndef BULKHEAD_DEVICES_I440FX_H
#define BULKHEAD_DEVICES_I440FX_H

#include "devices/pci.h"

#define I440FX_PAMS 7

/* What a board must do when a segment changes hands between ROM and RAM. */
typedef void (*i440fx_pam_fn)(void *ctx, gpa_t base, uint64_t length,
			      bool read_ram, bool write_ram);

struct i440fx_state {
	struct pci_device_state pci;
};

struct i440fx {
	struct device device;
	struct i440fx_state state;
	struct pci_device pci;
	uint8_t pam[I440FX_PAMS]; /* as told to the board */
	i440fx_pam_fn pam_changed;
	void *ctx;
};

extern const struct device_ops i440fx_ops;

int __must_check i440fx_init(struct i440fx *host, struct pci_bus *bus,
			     i440fx_pam_fn pam_changed, void *ctx);
void i440fx_reset(struct i440fx *host);

/* What memory shows below 1 MiB: after a reset that leaves it, as before. */
void i440fx_pam_set(struct i440fx *host, const uint8_t pam[I440FX_PAMS]);

#endif
