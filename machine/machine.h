/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One VM's machine: the board, an emulator per vCPU, and the way out.
 *
 * Each vCPU's thread runs program_main().  Devices belong to whoever holds the
 * lock; the emulator and the gate page of a vCPU to its thread alone.
 *
 * A reset is a rendezvous: every other vCPU has done what it was at and is at a
 * stop, so nothing of before reaches a device or RAM afterwards; then its next
 * GATE_RESUME returns GATE_EXIT_RESET.  So is a change of where memory shows
 * that concerns the emulators (the A20 gate): no vCPU has one half of it.
 */
#ifndef BULKHEAD_MACHINE_MACHINE_H
#define BULKHEAD_MACHINE_MACHINE_H

#include "include/block.h"
#include "include/device.h"
#include "include/emulate.h"
#include "include/gate.h"
#include "lib/user/vsock_ways.h"
#include "machine/apic_page.h"
#include "machine/board.h"
#include "machine/console.h"
#include "machine/debug.h"
#include "machine/disk_delay.h"
#include "machine/disk_service.h"
#include "machine/entropy.h"
#include "machine/extint.h"
#include "machine/face.h"
#include "machine/fault.h"
#include "machine/hyperv.h"
#include "machine/kvm.h"
#include "machine/lock.h"
#include "machine/net_service.h"
#include "machine/memory.h"
#include "machine/msr_table.h"
#include "machine/rendezvous.h"
#include "machine/throttle.h"

struct machine;

/* Exits to a vCPU's thread, which alone counts them. */
struct machine_counts {
	uint64_t exits[GATE_EXIT_COUNT], ticks[GATE_EXIT_COUNT];
	/* At stops, and paused, as gate_page.idle_ticks; counted always. */
	uint64_t stopped;
};

/* On its thread's stack. */
struct machine_vcpu {
	struct emul emul;
	struct gate_page *page;
	struct machine *machine;
	unsigned id;
	/* The last instruction did more than compute: what it asked of devices
	 * may be an interrupt already. */
	bool has_acted;
	unsigned unknown_msrs; /* that were logged */
	uint64_t apic_gpa;     /* see apic_page.h; written by its own thread */
	bool hides_memory;     /* and there is RAM or ROM behind it */
	/* What GATE_EXIT_EMULATE_RUN came to so far. */
	uint64_t run_count, run_insns, run_ticks;
	/* Events of a GATE_RESUME that was made within a rendezvous. */
	uint64_t late_events;
	struct machine_counts counts;
	struct debug_vcpu debug;
};

/* The guest's vCPU waits, though not in HLT, from now on; no longer. */
static inline void machine_stopped_begin(struct machine_vcpu *vcpu)
{
	vcpu->counts.stopped -= __builtin_ia32_rdtsc();
}

static inline void machine_stopped_end(struct machine_vcpu *vcpu)
{
	vcpu->counts.stopped += __builtin_ia32_rdtsc();
}

struct machine_disk {
	uint8_t *data; /* all its sectors, in memory */
	struct block_backend backend;
};

typedef void (*machine_exit_fn)(struct machine_vcpu *vcpu);

struct machine {
	/* By enum gate_exit.  MMIO's is another while video memory is guarded:
	 * who is not watched pays nothing. */
	machine_exit_fn exit[GATE_EXIT_COUNT];
	/* The same, also while .exit counts. */
	machine_exit_fn handler[GATE_EXIT_COUNT];
	bool is_counting; /* machine's lock */
	/* What MMIO's is for guests whose memory is all there. */
	machine_exit_fn mmio;
	struct machine_memory memory;
	struct machine_entropy entropy;
	const struct gate_config *gate;
	const struct machine_config *config;
	const struct board *board;
	bool is_shared;	   /* it has more than one vCPU */
	uint32_t is_ready; /* atomic: vCPU 0 has built the board */
	struct machine_lock lock;
	unsigned holder; /* of the lock: a vCPU */
	struct machine_console console;
	struct face face;
	struct clock_timer face_timer; /* the next visit's */
	bool is_face_busy;	       /* it wants one */
	bool is_apic_shown;	       /* see apic_page.c */
	struct rendezvous rendezvous;
	struct extint extint; /* no .pic: the board has none */
	struct clock clock;
	struct board_config board_config;
	struct block_backend *disks[MACHINE_DISKS_MAX];
	struct machine_disk disk[MACHINE_DISKS_MAX];
	struct disk_delay delay[MACHINE_DISKS_MAX];
	struct block_backend *media[MACHINE_MEDIA_MAX];
	struct machine_disk medium[MACHINE_MEDIA_MAX];
	struct disk_service disk_service;
	struct net_cable cable[MACHINE_NICS_MAX];
	struct net_backend *nics[MACHINE_NICS_MAX];
	struct vsock_ways vsock;
	struct fault fault;
	struct machine_vcpu *vcpu[GATE_THREADS_MAX]; /* NULL: not yet */
	uint64_t features;			     /* of the emulators */
	/* By vCPU: used by its own thread, or while all are at a stop. */
	struct cpu_msrs msrs[GATE_THREADS_MAX];
	struct device *cpu_devices[GATE_THREADS_MAX + 2];
	unsigned cpu_device_count;
	struct machine_debug debug;
	struct machine_throttle throttle;
	struct hyperv *hyperv; /* NULL: the manifest does not ask for it */
	struct kvm *kvm;       /* the same */
	uint8_t apic_id[GATE_THREADS_MAX]; /* by vCPU */
};

static inline bool machine_has_vsock(const struct machine *machine)
{
	return machine->config->devices & MACHINE_DEVICE_VSOCK;
}

static inline struct cpu_msrs *machine_msrs(struct machine_vcpu *vcpu)
{
	return &vcpu->machine->msrs[vcpu->id];
}

static inline void machine_lock(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (!machine->is_shared)
		return;
	machine_lock_take(&machine->lock, vcpu->id);
	machine->holder = vcpu->id;
}

/* machine/main.c: after the 8259 pair was looked at; unlocks. */
void machine_unlock_extint(struct machine_vcpu *vcpu);

static inline void machine_unlock(struct machine_vcpu *vcpu)
{
	if (unlikely(vcpu->machine->extint.is_withdrawn))
		machine_unlock_extint(vcpu);
	else if (vcpu->machine->is_shared)
		machine_lock_give(&vcpu->machine->lock);
}

/* Accesses of a vCPU to ports and memory-mapped devices; without the lock. */
static inline void machine_port(struct machine_vcpu *vcpu, struct io_access *io)
{
	const struct board *board;

	machine_lock(vcpu);
	board = vcpu->machine->board;
	board->ops->port_access(board->object, io);
	machine_unlock(vcpu);
}

static inline void machine_mmio(struct machine_vcpu *vcpu, struct io_access *io)
{
	const struct board *board;

	machine_lock(vcpu);
	board = vcpu->machine->board;
	board->ops->mmio_access(board->object, io);
	machine_unlock(vcpu);
}

/* Done by whichever vCPU next comes to its stop. */
static inline void machine_reset_want(struct machine *machine)
{
	rendezvous_wish(&machine->rendezvous, RENDEZVOUS_RESET);
}

/* machine/main.c: by the owner of the rendezvous. */
void machine_reset(struct machine_vcpu *vcpu);

/* machine/host_ops.c: what a board wants of the world; ctx is the machine. */
extern const struct board_host_ops machine_host_ops;
void machine_clock_init(struct machine *machine);

/* machine/face_ops.c */
void machine_face_init(struct machine *machine);
/* The channel's event. */
void machine_face_event(struct machine *machine);
/* By the owner of the rendezvous, with no lock held: until the guest may go on
 * for all that face_holds() knows. */
void machine_stand(struct machine_vcpu *vcpu);
/* machine_debug_hold(), with the channel's events. */
void machine_debug_stand(struct machine_vcpu *vcpu);
/* machine/main.c: by the owner of the rendezvous.  False: there were none. */
bool machine_fulfil_wishes(struct machine_vcpu *vcpu);

/* machine/emulate_ops.c */
extern const struct emul_ops machine_emul_ops;
/* One instruction at RIP, and what comes of it. */
void machine_emulate(struct machine_vcpu *vcpu);
/* The same after GATE_EXIT_MMIO. */
void machine_emulate_mmio(struct machine_vcpu *vcpu);
/* At the next entry, with DR6's bits for it. */
void machine_inject_debug(struct machine_vcpu *vcpu, uint64_t dr6);
/* After GATE_EXIT_IO, if there may be breakpoints. */
void machine_port_breakpoint(struct machine_vcpu *vcpu);
/* What GATE_EXIT_EMULATE_RUN asks for. */
void machine_emulate_run(struct machine_vcpu *vcpu);
/* To the log, at the end, how much of the guest that was; if it was any. */
void machine_report_runs(const struct machine *machine);

/* machine/host_ops.c: between devices and what they stand on, if the manifest
 * says so; false if not. */
bool machine_fault_init(struct machine *machine);

/* machine/throttle.c: when the board was built. */
void machine_throttle_init(struct machine *machine);
/* By the owner of the rendezvous, with no lock held. */
void machine_rest(struct machine_vcpu *vcpu);
/* machine/hyperv_ops.c; before the first exit, with the table made.  Changes
 * it; true: there is one device more. */
bool machine_hyperv_init(struct machine *machine, struct cpuid_table *table);
void machine_hyperv_reset(struct machine *machine);
/* -ENOENT: not one of its registers; -EINVAL: #GP. */
int __must_check machine_hyperv_read(struct machine_vcpu *vcpu, uint32_t msr,
				     uint64_t *value);
int __must_check machine_hyperv_write(struct machine_vcpu *vcpu, uint32_t msr,
				      uint64_t value);
enum emul_status machine_hyperv_call(struct machine_vcpu *vcpu);
/* machine/kvm_ops.c, alike; after machine_hyperv_init(). */
bool machine_kvm_init(struct machine *machine, struct cpuid_table *table);
int __must_check machine_kvm_read(struct machine_vcpu *vcpu, uint32_t msr,
				  uint64_t *value);
int __must_check machine_kvm_write(struct machine_vcpu *vcpu, uint32_t msr,
				   uint64_t value);
void machine_kvm_call(struct machine_vcpu *vcpu);
/* GATE_RESUME has returned, perhaps for gate_page.away_offset. */
void machine_kvm_arrive(struct machine_vcpu *vcpu);

/* machine/disk.c */
void machine_disk_init(struct machine_disk *disk,
		       const struct machine_disk_config *config);

#endif
