/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger of the guest: what stops vCPUs, holds them and sets them going,
 * between the GDB remote protocol (machine/gdb.h) and the machine.
 *
 * The guest's vCPUs stand at a rendezvous while it is stopped; its owner goes
 *on serving the debugger.  To step, or while there is a breakpoint, a vCPU is
 *run by the emulator alone (gate_page.is_emulated), which asks before each
 * instruction, access, port and vector whether to stop (struct emul_watcher).
 * Nothing is written into the guest, neither INT3 nor debug registers nor TF:
 * it cannot tell, and its own debug registers stay its own.  Without
 * breakpoints it runs on the processor as always.
 *
 *	  machine_debug_input()             RENDEZVOUS_DEBUG
 *	(seat)                  interrupt() ───┐
 *	vCPU's emulator ── hit() ──────────────┴─► machine_debug_hold()
 *	                                             serve until resumed
 *
 * An interrupt is not taken by a vCPU that steps, as behind STI, but by one
 *that seems to wait for it in HLT.
 *
 * Locking: the machine's lock for what comes from seat and goes there; .hit and
 * what belongs to a vCPU are its thread's, or the owner's of the rendezvous.
 */
#ifndef BULKHEAD_MACHINE_DEBUG_H
#define BULKHEAD_MACHINE_DEBUG_H

#include "include/emulate.h"
#include "machine/gdb.h"

/* What a debugger may look at and change. */
#define DEBUG_GROUPS                                                 \
	(X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL | \
	 X86_GROUP_DEBUG | X86_GROUP_SYSCALL | X86_GROUP_XSTATE)

#define DEBUG_BREAKPOINTS_MAX 64
#define DEBUG_CATCHES_MAX     16 /* of ports, and of MSRs */

struct machine;
struct machine_vcpu;

struct debug_breakpoint {
	enum gdb_breakpoint kind;
	uint64_t address, length; /* linear; 0: unused */
};

/* Numbers that are caught. */
struct debug_catches {
	unsigned count;
	uint32_t number[DEBUG_CATCHES_MAX];
};

enum debug_step {
	DEBUG_STEP_NONE,
	DEBUG_STEP_ONE,	  /* the next instruction */
	DEBUG_STEP_EVENT, /* nothing but what is to be delivered before it */
	DEBUG_STEP_DONE,
};

/* Of each vCPU. */
struct debug_vcpu {
	enum debug_step step;
	bool is_held; /* stands while others run */
	bool is_emulated;
	/* Where it was told to stand: not a breakpoint when it goes on. */
	bool has_told;
	uint64_t told;
	/* It stands where its emulator has stopped it: not in HLT, unless it
	 * was emulated. */
	bool is_at_hit;
	/* What the present instruction has met; whether that is to be told. */
	bool has_met, is_hit;
	struct gdb_stop met;
};

struct machine_debug {
	struct gdb gdb;
	bool is_open;	/* since the debugger's first byte until its close */
	bool is_wanted; /* Ctrl-C; atomic */
	uint32_t resume, step; /* vCPUs, while .must_resume */
	bool must_resume, must_reset, must_power_off;
	bool catches_reset, has_reset;
	uint32_t exceptions;
	uint64_t interrupts[4];
	struct debug_catches ports, msrs;
	unsigned count; /* of breakpoints */
	struct debug_breakpoint breakpoint[DEBUG_BREAKPOINTS_MAX];
	struct emul_ops ops; /* of vCPUs that are emulated */
	struct emul walker;
	/*
	 * Serves the debugger once: machine_debug_input() and _output(), with
	 * the machine's lock taken.  While the vCPU owns the rendezvous the
	 * channel's events come to it.  True: another time soon, event or not.
	 */
	bool (*serve)(struct machine_vcpu *vcpu);
};

void machine_debug_init(struct machine *machine);

/* With the machine's lock: from the debugger, and to it.  Its first byte stops
 * the guest; size may be 0. */
void machine_debug_input(struct machine *machine, const void *data,
			 size_t size);
size_t machine_debug_output(struct machine *machine, void *data, size_t size);
/* It is gone: the guest runs, without breakpoints; or it stands on, if that
 * was wanted (`monitor stay`). */
void machine_debug_close(struct machine *machine);

/* For a vCPU that is held: it may be the one that has the channel's events. */
void machine_debug_serve(struct machine_vcpu *vcpu);

/* By the owner of the rendezvous: until the guest may go on. */
void machine_debug_hold(struct machine_vcpu *vcpu);
/* A vCPU's state, DEBUG_GROUPS of it.  By the owner of the rendezvous. */
struct x86_state *machine_debug_state(struct machine *machine, unsigned vcpu);
/* The machine has been reset.  By the owner of the rendezvous. */
void machine_debug_was_reset(struct machine *machine);
/* EMUL_EVENT_WATCHED came out of the vCPU's emulator. */
void machine_debug_hit(struct machine_vcpu *vcpu);
/* At its stop: the vCPU may not go on though the rendezvous is over. */
bool machine_debug_holds(const struct machine_vcpu *vcpu);

#endif
