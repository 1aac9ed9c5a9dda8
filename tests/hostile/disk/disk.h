/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In disk's place, against its devices, the monitor, init and the machines that
 * are its clients; what is not disk's alone is in tests/hostile/fake.
 */
#ifndef BULKHEAD_TESTS_HOSTILE_DISK_DISK_H
#define BULKHEAD_TESTS_HOSTILE_DISK_DISK_H

#include "drivers/virtio_blk.h"
#include "include/disk.h"
#include "tests/hostile/fake/fake.h"

/* The first guest with a disk; the good one, before it, has none. */
#define VICTIM_SLOT   1
/* Its drive, tests/hostile/run makes it; the guest uses the first half. */
#define DRIVE_SECTORS 2048
#define DRIVE_FREE    1024

/* ---- init (init.c) ------------------------------------------------------- */

struct control {
	struct ring in, out;
	uint32_t start;
	bool is_started; /* the victim has its drive and runs, or is about to */
	bool is_holding; /* REMOVE has no answer */
};

void control_begin(struct control *control);
void control_say(struct control *control, struct disk_message *message);
/* Answers what has come as an honest disk with a drive would. */
void control_serve(struct control *control);
/* The same until the victim's requests are to be read. */
void control_connect(struct control *control);

/* ---- The victim's channel (client.c) --------------------------------------
 */

struct client {
	struct control control;
	struct disk_channel *memory;
	struct ring requests, replies;
	uint64_t generation;
};

/* control_connect(), and the rings of the channel; says that it has met it. */
void client_begin(struct client *client);
/* The same, and greets its machine; on return the guest runs and waits for an
 * answer to its first request. */
void client_meet(struct client *client);

/* ---- A device (device.c) ------------------------------------------------- */

struct drive {
	unsigned n; /* services/disk/main.c's pci_ops want it first */
	struct pci_access pci;
	struct dma_region data; /* of the DMA memory, what the driver leaves */
	struct virtio_blk blk;
	unsigned in_flight;
	int status;
};

/* The program's first device, by the real driver. */
struct drive *drive_open(void);
/* Shown to the device by virtio_blk_kick(). */
void drive_submit(struct drive *drive, struct virtio_blk_request *request);
/* Takes what has come back. */
void drive_poll(struct drive *drive);
/* One piece of whatever memory, and its end: 0 or -errno. */
int drive_move(struct drive *drive, enum virtio_blk_op op, uint64_t sector,
	       uint64_t address, uint32_t length);

#endif
