/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose (include/machine_config.h: struct machine_fault), at the
 * seams between devices and what they stand on: a disk's backend, the cells of
 * flash memory, the wires into the interrupt controllers.  Devices do not know
 * of them.
 *
 * A power cut at a write: that write is not done, or half of it, and no later
 * one is; the machine resets as soon as the present access is over, clears
 * memory, and says fault_power_on().  Disks and flash memory then hold what had
 * been written: a drive that loses what it has answered, but has not flushed,
 * is not modelled.
 *
 * Nothing of it is saved with the devices: counts go on from where they are.
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_FAULT_H
#define BULKHEAD_MACHINE_FAULT_H

#include "include/block.h"
#include "include/device.h"
#include "include/machine_config.h"

struct fault;

/* Between a drive and its backend. */
struct fault_disk {
	struct fault *fault;
	struct block_backend backend;
	struct block_backend *below;
	bool fails_at_sector;
	/* What is done of the caller's request, while that is below; or the
	 * caller's is NULL. */
	struct block_request part;
	struct block_request *request;
	uint64_t failed_sector;
};

struct fault_wire {
	struct fault *fault;
	const struct machine_fault_irq *config;
	uint32_t rises;
	bool is_high;	/* as the devices have it */
	bool is_hidden; /* low in spite of that */
	struct clock_timer timer;
};

struct fault_config {
	const struct machine_fault *machine;
	struct clock *clock;
	/* The power is gone: nothing may execute until fault_power_on(). */
	void (*power_cut)(void *ctx);
	/* Each fault that came. */
	void (*log)(void *ctx, const char *text);
	void *ctx;
};

struct fault {
	struct fault_config config;
	bool is_off;	   /* the power */
	bool is_disk_told; /* the disk's error */
	uint32_t writes, flash_writes;
	unsigned disk_count;
	struct fault_disk disk[MACHINE_DISKS_MAX];
	struct fault_wire wire[MACHINE_FAULT_IRQS];
	/* A late wire is to be looked at again. */
	void (*late)(void *ctx, unsigned line);
	void *late_ctx;
};

void fault_init(struct fault *fault, const struct fault_config *config);
/*
 * What the drive at IDE unit is to be given for below, which says what it is by
 * now.  At most MACHINE_DISKS_MAX.
 */
struct block_backend *fault_disk_add(struct fault *fault, unsigned unit,
				     struct block_backend *below);
/* As pflash_config.change. */
bool fault_flash_change(struct fault *fault, uint8_t *cells,
			const uint8_t *data, size_t length);
/*
 * Once the devices have told their levels, of which those in high are: from
 * now on wires are watched.  late(ctx, line): one shows what it has hidden.
 */
void fault_wires_init(struct fault *fault, uint16_t high,
		      void (*late)(void *ctx, unsigned line), void *ctx);
/* What ISA wire line shows to the interrupt controllers for level; told of each
 * of its changes, and at times of none. */
bool fault_wire(struct fault *fault, unsigned line, bool level);
static inline bool fault_is_off(const struct fault *fault)
{
	return fault->is_off;
}
void fault_power_on(struct fault *fault);

#endif
