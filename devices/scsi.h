/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A logical unit of SCSI, as a target on a bus of any kind drives it: a command
 * at a time, with data in one direction or none, then a status.
 *
 *	begin(): -> WAITS <-> DATA_IN (give) or DATA_OUT (take) -> ENDED:
 *status()
 *
 * References: SCSI Primary Commands 2; SCSI-2 (X3.131-1994).
 */
#ifndef BULKHEAD_DEVICES_SCSI_H
#define BULKHEAD_DEVICES_SCSI_H

#include "include/compiler.h"

#define SCSI_COMMAND 16 /* bytes of the longest command */

/* clang-format off */
#define SCSI_GOOD		0x00
#define SCSI_CHECK_CONDITION	0x02
#define SCSI_BUSY		0x08
#define SCSI_QUEUE_FULL		0x28

/* Commands that a target has to know. */
#define SCSI_REQUEST_SENSE	0x03
#define SCSI_READ_6		0x08
#define SCSI_INQUIRY		0x12
#define SCSI_READ_10		0x28

/* Sense keys, and additional sense codes with their qualifiers. */
#define SCSI_NONE		0
#define SCSI_MEDIUM_ERROR	3
#define SCSI_ILLEGAL_REQUEST	5
#define SCSI_DATA_PROTECT	7
#define SCSI_WRITE_ERROR	0x0c
#define SCSI_READ_ERROR		0x11
#define SCSI_INVALID_COMMAND	0x20
#define SCSI_OUT_OF_RANGE	0x21
#define SCSI_INVALID_FIELD	0x24
#define SCSI_NO_UNIT		0x25
#define SCSI_PROTECTED		0x27
/* clang-format on */

enum scsi_step {
	SCSI_WAITS, /* for the medium: the unit's owner will be told */
	SCSI_DATA_IN,
	SCSI_DATA_OUT,
	SCSI_ENDED,
};

struct scsi_unit;

struct scsi_unit_ops {
	/* SCSI_COMMAND bytes.  Only when the unit is free. */
	void (*begin)(struct scsi_unit *unit, const uint8_t *command);
	/* What the command wants next; may start requests to the medium. */
	enum scsi_step (*step)(struct scsi_unit *unit);
	/* At DATA_IN, DATA_OUT: the bytes that moved, 1 to size. */
	uint32_t (*give)(struct scsi_unit *unit, void *to, uint32_t size);
	uint32_t (*take)(struct scsi_unit *unit, const void *from,
			 uint32_t size);
	/* At ENDED. */
	uint8_t (*status)(struct scsi_unit *unit);
	/* The command in hand is no more; the unit is not free until what is in
	 * flight has ended, of which its owner is told. */
	void (*forget)(struct scsi_unit *unit);
	/* No request is in flight. */
	bool (*is_free)(const struct scsi_unit *unit);
};

/*
 * ready: a request has ended, outside of any call into the unit.  Both are the
 * owner's to set.
 */
struct scsi_unit {
	const struct scsi_unit_ops *ops;
	void (*ready)(void *ctx);
	void *ctx;
};

#endif
