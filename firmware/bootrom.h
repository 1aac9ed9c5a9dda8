/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that starts when the BIOS has done its power-on self-test: an option
 * ROM for the BIOS (firmware/rom/bootrom.asm), and what that reads from fw_cfg.
 */
#ifndef BULKHEAD_FIRMWARE_BOOTROM_H
#define BULKHEAD_FIRMWARE_BOOTROM_H

#include "firmware/direct.h"

#define BOOTROM_SIZE 1024

/* The file that a BIOS takes option ROMs from, and its rank among them. */
#define BOOTROM_FILE	   "genroms/bulkhead.bin"
#define BOOTROM_ORDER	   "/rom@genroms/bulkhead.bin\n"
#define BOOTROM_ORDER_FILE "bootorder"

/* Keys of fw_cfg that QEMU has no use for. */
enum bootrom_key {
	BOOTROM_KEY_NOTHING = 0x1b, /* stays empty */
	BOOTROM_KEY_HANDOVER,
	BOOTROM_KEY_FIRST_SOURCE, /* enum direct_source from here on */
};

struct bootrom_piece {
	uint32_t key;
	uint32_t offset;
	uint32_t length;
	uint32_t size;
	uint32_t gpa;
};

/* The item of BOOTROM_KEY_HANDOVER. */
struct bootrom_handover {
	uint32_t eip, eax, ebx, esi;
	struct direct_map map;
	uint32_t count;
	struct bootrom_piece piece[DIRECT_PIECES_MAX];
};

/* The ROM with its checksums. */
void bootrom_build(uint8_t rom[BOOTROM_SIZE]);

void bootrom_handover_build(struct bootrom_handover *handover,
			    const struct direct_plan *plan,
			    const struct direct_entry *entry);

#endif
