/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SCSI disk, whatever it is plugged into: the commands that systems use, by
 * six, ten, twelve and sixteen bytes; sense data; write protection; the
 * requests to its backend.
 *
 * Does not model: media that are taken out; a write cache of its own: the
 * backend's is flushed by SYNCHRONIZE CACHE and FUA.
 *
 * Data goes by way of a buffer of SCSI_DISK_BUFFER bytes.  A request that takes
 * longer than SCSI_DISK_TIMEOUT_NS is taken back and ends as a medium's error.
 *
 * A transport either drives it as a scsi_unit, or looks at its state itself, as
 * USB's does, which has lengths of its own to compare.
 *
 * References: SCSI Primary Commands 2; SCSI Block Commands; SCSI-2, rigid disk
 * geometry page; Multi-Media Commands (READ FORMAT CAPACITIES).
 */
#ifndef BULKHEAD_DEVICES_SCSI_DISK_H
#define BULKHEAD_DEVICES_SCSI_DISK_H

#include "devices/scsi.h"
#include "devices/state.h"
#include "include/block.h"
#include "include/device.h"

#define SCSI_DISK_BUFFER     KIB(16)
#define SCSI_DISK_TIMEOUT_NS (20 * NSEC_PER_SEC)
#define SCSI_DISK_NAME	     24 /* vendor and product, padded by spaces */
#define SCSI_DISK_SERIAL     20

struct scsi_disk_state {
	uint8_t command[SCSI_COMMAND];
	uint8_t status; /* SCSI_GOOD or SCSI_CHECK_CONDITION */
	uint8_t sense_key, sense_code;
	bool is_media;	   /* the data are the medium's, from sector on */
	bool is_out;	   /* the data come from the host */
	bool is_flush_due; /* before the status */
	uint8_t reserved[2];
	uint32_t left;		 /* bytes that are still to be moved */
	uint32_t offset, length; /* in the buffer: moved, there */
	uint8_t pad[4];
	uint64_t sector; /* of the medium's next bytes */
	uint8_t buffer[SCSI_DISK_BUFFER];
};

extern const struct state_description scsi_disk_description;

struct scsi_disk_config {
	struct block_backend *backend;
	struct clock *clock;
	const char *name;     /* SCSI_DISK_NAME characters */
	const char *serial;   /* up to SCSI_DISK_SERIAL; they stay */
	uint8_t capabilities; /* byte 7 of INQUIRY's data */
	/* A request has ended, inside of a call or not; optional. */
	void (*ended)(void *ctx, enum block_op op, int status);
	void *ctx;
};

struct scsi_disk {
	struct scsi_unit unit;
	struct scsi_disk_config config;
	struct scsi_disk_state *state;
	/* A request is no state: there is none when one is saved. */
	bool is_busy;
	bool is_forgotten; /* nobody waits for its end any more */
	bool is_nested;	   /* inside of submit() */
	struct clock_timer timer;
	struct block_request request;
	uint8_t bounce[SCSI_DISK_BUFFER]; /* the request's */
};

/* state is a zeroed member of the owner's. */
void scsi_disk_init(struct scsi_disk *disk, struct scsi_disk_state *state,
		    const struct scsi_disk_config *config);
/* Looks at state->command.  What it moves, status and sense are in the state;
 * no request is made yet. */
void scsi_disk_command(struct scsi_disk *disk);
/* The command ends with that sense. */
void scsi_disk_fail(struct scsi_disk *disk, unsigned key, unsigned code);
/* So many bytes of the buffer are in use; the rest is zeros. */
void scsi_disk_buffer_set(struct scsi_disk_state *state, uint32_t length);
/* Requests, one at a time, while not is_busy. */
void scsi_disk_fill(struct scsi_disk *disk);
void scsi_disk_write(struct scsi_disk *disk);
void scsi_disk_flush(struct scsi_disk *disk);
/* As after power-on. */
void scsi_disk_forget(struct scsi_disk *disk);
/* A state has been loaded. */
void scsi_disk_restored(struct scsi_disk *disk);
/* Whether what is to be moved is within buffer and medium. */
bool scsi_disk_is_valid(const struct scsi_disk *disk,
			const struct scsi_disk_state *state);

#endif
