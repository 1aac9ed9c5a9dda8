/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serial numbers of files.  On a simulated host `source = "file:NAME"` is a
 * drive that the tool attaches, and that the service `disk` finds by its serial
 * number: "bh-" and 16 hexadecimal digits, lower case, of the FNV-1a hash (64
 * bits) over NAME, a byte 0 and the path of the node that names it, such as
 * "/guests/web/disk0".  NAME is what the manifest says, not where the file is,
 * so that an image finds its drives on any computer; the node makes two drives
 * of one file's two users.
 *
 * In Python:
 *	h = 0xcbf29ce484222325
 *	for b in name.encode() + b"\0" + node.encode():
 *		h = ((h ^ b) * 0x100000001b3) % (1 << 64)
 *	serial = "bh-%016x" % h
 */
#ifndef BULKHEAD_DISK_SERIAL_H
#define BULKHEAD_DISK_SERIAL_H

#include "include/compiler.h"

#define DISK_SERIAL_SIZE 20 /* with its 0; a drive's serial number has 20 */

static inline uint64_t disk_serial_hash(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
	return hash;
}

static inline void disk_serial(char serial[DISK_SERIAL_SIZE], const char *name,
			       const char *node)
{
	uint64_t hash = disk_serial_hash(0xcbf29ce484222325ULL, name);

	hash = disk_serial_hash(hash * 0x100000001b3ULL, node); /* ^ 0 */
	serial[0] = 'b';
	serial[1] = 'h';
	serial[2] = '-';
	for (unsigned i = 0; i < 16; i++)
		serial[3 + i] =
			"0123456789abcdef"[(hash >> (60 - 4 * i)) & 0xf];
	serial[19] = 0;
}

#endif
