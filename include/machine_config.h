/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What init tells a machine of its VM: the argument at GATE_ARGUMENT_VA.  The
 * monitor does not know of it.
 */
#ifndef BULKHEAD_MACHINE_CONFIG_H
#define BULKHEAD_MACHINE_CONFIG_H

#include "include/domain.h"

#define MACHINE_CONFIG_VERSION 5
#define MACHINE_DISKS_MAX      8
#define MACHINE_MEDIA_MAX      32
#define MACHINE_BLOBS_MAX      8
#define MACHINE_CMDLINE_SIZE   1024
#define MACHINE_ITEMS_MAX      10
#define MACHINE_ITEM_NAME      56 /* fw_cfg's, with its NUL */
#define MACHINE_ITEM_TEXT      256

enum machine_board {
	MACHINE_BOARD_PC = 1,
	MACHINE_BOARD_PV = 2, /* reserved */
};

enum machine_disk_bus {
	MACHINE_DISK_IDE = 1,
	MACHINE_DISK_FLASH, /* parallel flash memory below the firmware */
};

/*
 * A disk in memory: mapped at va; written there, if at all.  One of the service
 * `disk`'s: va is 0, and it is `drive` of the channel in slot DISK_CLIENT_SLOT,
 * attached before the machine starts; what it is the channel says.
 */
struct machine_disk_config {
	uint64_t va;
	/* Of 512 bytes; the service's: 0, but flash memory's what it shows. */
	uint64_t sector_count;
	uint8_t bus;  /* enum machine_disk_bus */
	uint8_t unit; /* IDE: channel * 2 + drive, 0..3 */
	bool is_cdrom;
	bool is_read_only;
	uint32_t drive;
	/* The lowest is started from first; 0: the firmware decides. */
	uint32_t boot_index;
	uint32_t reserved;
};

/*
 * What can be put into a removable drive, in memory; of each drive in their
 * order, from its disk's own on, which is in it at first.
 */
struct machine_medium {
	char name[GATE_MODULE_NAME_MAX];
	uint64_t va;
	uint64_t sector_count;
	uint32_t unit; /* the drive's */
	uint32_t reserved;
};

enum machine_blob_kind {
	MACHINE_BLOB_NONE,
	MACHINE_BLOB_BIOS,    /* system firmware */
	MACHINE_BLOB_VGABIOS, /* option ROM of the display */
	MACHINE_BLOB_KERNEL,
	MACHINE_BLOB_INITRD,
};

struct machine_blob {
	uint32_t kind; /* enum machine_blob_kind */
	uint32_t reserved;
	uint64_t va;
	uint64_t size; /* bytes; the rest of the last page is zero */
};

/*
 * A file for the guest's firmware and drivers, in fw_cfg: a module's bytes at
 * va, or the text, without its NUL, where va is 0.
 */
struct machine_item {
	char name[MACHINE_ITEM_NAME];
	char text[MACHINE_ITEM_TEXT];
	uint64_t va;
	uint64_t size; /* bytes */
};

#define MACHINE_DEVICE_DEBUG_EXIT    BIT(0) /* port 0xf4 ends the VM */
#define MACHINE_DEVICE_DEBUG_CONSOLE BIT(1) /* show ports 0x402 and 0xe9 */
#define MACHINE_DEVICE_SERCON	     BIT(2) /* firmware's screen on COM1 */

#define MACHINE_DEVICE_POST_CODES BIT(5) /* log what port 0x80 gets */
#define MACHINE_DEVICE_NO_REBOOT  BIT(6) /* a reset ends the VM */
#define MACHINE_DEVICE_PAUSED	  BIT(7) /* at first, if seat is there */

/* GATE_EXIT codes of a machine. */
#define MACHINE_EXIT_POWER_OFF 0
#define MACHINE_EXIT_ERROR     1 /* it has said why by GATE_LOG */
/* By port 0xf4, with what was written there: 255 is that or more. */
#define MACHINE_EXIT_DEBUG(n)  (0x100 | ((n) > 0xff ? 0xff : (n)))

struct machine_config {
	uint32_t version; /* MACHINE_CONFIG_VERSION */
	uint32_t board;	  /* enum machine_board */
	char name[GATE_NAME_SIZE];
	uint32_t vcpu_count;
	uint32_t cores, threads; /* of a package, of a core; 0: 1 */
	uint32_t disk_count;
	uint32_t medium_count;
	uint32_t blob_count;
	uint32_t item_count;
	uint32_t devices;      /* MACHINE_DEVICE_* */
	uint32_t boot_menu_ms; /* firmware waits for its key; 0: no menu */
	uint32_t reserved;
	uint64_t ram_size;  /* bytes, a multiple of 2 MiB, at window offset 0 */
	uint64_t vram_size; /* follows RAM */
	uint64_t rom_size;  /* follows video memory */
	struct machine_disk_config disk[MACHINE_DISKS_MAX];
	struct machine_medium medium[MACHINE_MEDIA_MAX];
	struct machine_blob blob[MACHINE_BLOBS_MAX];
	struct machine_item item[MACHINE_ITEMS_MAX];
	char cmdline[MACHINE_CMDLINE_SIZE];
};
_Static_assert(sizeof(struct machine_config) <= GATE_ARGUMENT_MAX, "fits");

#endif
