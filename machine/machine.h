/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One VM's machine: the board, an emulator per vCPU, and the way out.
 *
 * Each vCPU's thread runs program_main().  Devices belong to whoever holds
 * the lock; the emulator and the gate page of a vCPU to its thread alone.
 *
 * A reset begins a new epoch.  Work for an exit of an older one, which another
 * vCPU may be in the middle of, ends where it next takes the lock: none of its
 * accesses reaches a device after the reset.  A vCPU joins the epoch when its
 * GATE_RESUME returns GATE_EXIT_RESET; by then it writes to RAM for the older
 * one no more.
 */
#ifndef BULKHEAD_MACHINE_MACHINE_H
#define BULKHEAD_MACHINE_MACHINE_H

#include "include/device.h"
#include "include/emulate.h"
#include "include/gate.h"
#include "machine/pc.h"

struct machine;

struct machine_vcpu {
	struct emul emul;
	struct gate_page *page;
	struct machine *machine;
	unsigned id;
	uint32_t epoch;	     /* of the work it does; atomic */
	uint32_t is_waiting; /* for the lock; atomic */
	void *restart[5];    /* __builtin_longjmp: gives that work up */
	uint64_t events;     /* GATE_EVENT_* of work given up */
	/* The last instruction did more than compute: what it asked of devices
	 * may be an interrupt already. */
	bool has_acted;
	/* What GATE_EXIT_EMULATE_RUN came to so far. */
	uint64_t run_count, run_insns, run_ticks;
};

struct machine_disk {
	uint8_t *data; /* all its sectors, in memory */
	struct block_backend backend;
};

struct machine {
	const struct gate_config *gate;
	const struct machine_config *config;
	uint32_t lock_next, lock_serving; /* tickets; atomic */
	uint32_t is_ready;	      /* atomic: vCPU 0 has built the board */
	uint32_t epoch;		      /* atomic, written under the lock */
	bool is_reset_wanted;	      /* under the lock */
	struct machine_vcpu *current; /* who holds the lock */
	struct clock clock;
	struct guest_ram ram;
	struct pc pc;
	struct machine_disk disk[MACHINE_DISKS_MAX];
	struct machine_vcpu vcpu[GATE_MAX_VCPUS];
};

/* machine/main.c */
void machine_lock_shared(struct machine_vcpu *vcpu);

/*
 * In the order in which they come: a vCPU that floods a device does not keep
 * the others from theirs.  Does not return when the vCPU's epoch is over: see
 * above.
 */
static inline void machine_lock(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (machine->config->vcpu_count > 1)
		machine_lock_shared(vcpu);
	machine->current = vcpu;
}

static inline void machine_unlock(struct machine *machine)
{
	__atomic_store_n(&machine->lock_serving, machine->lock_serving + 1,
			 __ATOMIC_RELEASE);
}

/* machine/emulate_ops.c */
extern const struct emul_ops machine_emul_ops;
/* One instruction at RIP, and what comes of it. */
void machine_emulate(struct machine_vcpu *vcpu);
/* What GATE_EXIT_EMULATE_RUN asks for. */
void machine_emulate_run(struct machine_vcpu *vcpu);
/* To the log, at the end, how much of the guest that was; if it was any. */
void machine_report_runs(const struct machine *machine);

/* machine/disk.c */
void machine_disk_init(struct machine_disk *disk,
		       const struct machine_disk_config *config);

#endif
