/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floppy disks and their drives: which sizes of image there are, and what they
 * say of a disk.  Shared by the device, the board and init, which refuses other
 * sizes before a guest starts.
 */
#ifndef BULKHEAD_FLOPPY_H
#define BULKHEAD_FLOPPY_H

#include "include/compiler.h"

#define FLOPPY_SECTORS_MAX 5760

/* As CMOS memory names them. */
enum floppy_drive {
	FLOPPY_DRIVE_NONE,
	FLOPPY_DRIVE_360K,
	FLOPPY_DRIVE_1200K,
	FLOPPY_DRIVE_720K,
	FLOPPY_DRIVE_1440K,
	FLOPPY_DRIVE_2880K,
	FLOPPY_DRIVES_COUNT,
};

struct floppy_format {
	uint16_t kib;
	uint8_t cylinders, heads, sectors; /* sectors of 512 bytes a track */
	uint8_t drive; /* enum floppy_drive: the one that is made for it */
	uint16_t kbps; /* in that drive */
};

/* NULL: there is no floppy disk of that many sectors of 512 bytes. */
const struct floppy_format *floppy_format_find(uint64_t sectors);
/* Whether that drive takes it. */
bool floppy_drive_takes(enum floppy_drive drive,
			const struct floppy_format *format);

#endif
