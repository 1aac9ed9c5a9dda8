/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's firmware configuration device: items and named files that SeaBIOS,
 * OVMF and operating systems' drivers read from it, by port or by DMA.
 *
 * Data is referenced, not copied, and read-only.  Not modelled: files that
 * the guest may write, the memory-mapped variant.
 *
 * References: QEMU documentation, "QEMU Firmware Configuration (fw_cfg)
 * Device".
 */
#ifndef BULKHEAD_DEVICES_FW_CFG_H
#define BULKHEAD_DEVICES_FW_CFG_H

#include "devices/bus.h"
#include "include/device.h"

#define FW_CFG_SIGNATURE  0x00
#define FW_CFG_ID	  0x01
#define FW_CFG_RAM_SIZE	  0x03
#define FW_CFG_NB_CPUS	  0x05
#define FW_CFG_NUMA	  0x0d
#define FW_CFG_BOOT_MENU  0x0e
#define FW_CFG_MAX_CPUS	  0x0f
#define FW_CFG_FILE_DIR	  0x19
#define FW_CFG_FILE_FIRST 0x20
/* Keys of the PC's own begin here. */
#define FW_CFG_ARCH	  0x8000
#define FW_CFG_ARCH_IRQ0  0x8002 /* byte: ISA IRQ 0 is IOAPIC pin 2 */

#define FW_CFG_ITEMS	  32 /* keys below FW_CFG_FILE_FIRST */
#define FW_CFG_FILES	  32
#define FW_CFG_ARCH_ITEMS 8 /* keys from FW_CFG_ARCH */
#define FW_CFG_ALL	  (FW_CFG_ITEMS + FW_CFG_FILES + FW_CFG_ARCH_ITEMS)
#define FW_CFG_NAME	  56 /* with its NUL */

struct fw_cfg_item {
	const uint8_t *data;
	uint32_t length;
};

/* An entry of the directory, big-endian, as the guest reads it. */
struct fw_cfg_file {
	uint8_t size[4];
	uint8_t select[2];
	uint8_t reserved[2];
	char name[FW_CFG_NAME];
};

struct fw_cfg_directory {
	uint8_t count[4];
	struct fw_cfg_file file[FW_CFG_FILES];
};

struct fw_cfg_state {
	uint32_t selected; /* index into item, or beyond: nothing there */
	uint32_t position;
	uint32_t dma_high; /* first half of the address, as written */
};

/* What there is to read is the board's: it adds the same after a restore. */
struct fw_cfg {
	struct device device;
	struct fw_cfg_state state;
	/* Plain keys, files, the PC's own keys. */
	struct fw_cfg_item item[FW_CFG_ALL];
	uint8_t small[FW_CFG_ALL][8]; /* values of fw_cfg_add_value() */
	struct fw_cfg_directory directory;
	unsigned file_count;
	const struct guest_ram *ram;
};

extern const struct device_ops fw_cfg_ops;

/* Takes ports 0x510, 0x511 and 0x514-0x51b.  ram may be NULL: no DMA. */
int __must_check fw_cfg_init(struct fw_cfg *fw_cfg, struct bus *ports,
			     const struct guest_ram *ram);
void fw_cfg_reset(struct fw_cfg *fw_cfg);

/* data stays the caller's and must outlive the device.  -EINVAL: the key. */
int __must_check fw_cfg_add_item(struct fw_cfg *fw_cfg, uint16_t key,
				 const void *data, uint32_t length);
/* A little-endian integer of 1, 2, 4 or 8 bytes. */
int __must_check fw_cfg_add_value(struct fw_cfg *fw_cfg, uint16_t key,
				  uint64_t value, unsigned size);
/* -ENOSPC: directory full; -EINVAL: name too long; -EEXIST. */
int __must_check fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name,
				 const void *data, uint32_t length);

#endif
