/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs on simulated CPUs: core's own, with a back end whose guest is a function
 * of the test, and a ring-3 program that is one, too.
 */
#ifndef BULKHEAD_FAKE_VM_H
#define BULKHEAD_FAKE_VM_H

#include "kernel/mcheck.h"
#include "vm/vm.h"
#include "tests/unit/fake/sim.h"
#include "tests/unit/fake/space.h"

#define BACK_TRACE  64
#define FAKE_PIECES 1600 /* of 2 MiB, for guests: pieces_left are free */
#define FAKE_ENTRY  GATE_PROGRAM_BASE /* where all programs begin */

/* The back end's own of a vCPU. */
struct back_vcpu {
	struct event event;
	bool has_event;
	bool is_nmi_masked;
	bool has_shadow;
	bool is_nmi_window;
	bool is_interrupted; /* by the host, at the last exit */
	int window;	     /* priority, or -1 */
	unsigned flushes, runs, windows;
	uint32_t stored; /* groups, since it was last cleared */
	/* Entries on this CPU since interrupts were last let in there. */
	uint64_t opens_seen;
	unsigned in_a_row;
	/* What was delivered: "i41 n e06 e0d:0000 ". */
	char trace[BACK_TRACE];
};

/* Runs until it exits; events have been delivered. */
typedef void (*guest_fn)(struct vcpu *vcpu, struct exit_info *info);
/* In ring 3, interrupts on; may return, which powers off. */
typedef void (*machine_fn)(struct vcpu *vcpu);
/* The same of a domain without a VM. */
typedef void (*program_fn)(struct user_thread *user);

struct fake_vms {
	guest_fn guest;
	machine_fn machine;
	program_fn program;
	/* Optional: what went in just now. */
	void (*delivered)(struct vcpu *vcpu, const struct event *event);
	/* Entries end before a host interrupt can end them. */
	bool is_endless;
	enum mcheck_verdict mcheck; /* of every machine check */
	unsigned in_a_row_max;
	uint32_t unmasked; /* ISA interrupts, a bit each */
	unsigned alive;	   /* VMs that are not destroyed */
	unsigned off;	   /* host_power_off() was called: with that code + 1 */
	uint32_t vm_flags; /* of those that are made */
	uint64_t vm_memory;	    /* of those; 0: 14 MiB */
	bool is_taken[FAKE_PIECES]; /* of guests' memory */
	unsigned pieces_left;
	uint8_t *filled;   /* optional: what the last piece made begins with */
	uint64_t user_end; /* optional: copies from there on are -EFAULT */
	/* What copies to GATE_WINDOW_VA reach; beyond is nothing. */
	uint8_t *window;
	uint64_t window_size;
};

extern struct fake_vms fake_vms;
extern const struct vendor back_vendor;

/*
 * After sim_setup(); the VM is not started.  A thread destroys those that have
 * ended and turns the host off after the last.
 */
struct vm *vm_make(unsigned vcpus);
void vm_start(struct vm *vm);

/*
 * Without a VM of vm_make()'s: an empty table of domains, after sim_setup().
 * on_end: from the last thread of each.
 */
void fake_vms_begin(void (*on_end)(struct domain *domain));

/* Whether it is some guest's memory now. */
bool fake_piece_is_taken(hpa_t hpa);

static inline struct back_vcpu *back_of(struct vcpu *vcpu)
{
	return vcpu->vendor.private;
}

/* GATE_RESUME, from ring 3 and back; the reason it returned. */
enum gate_exit vcpu_go(struct vcpu *vcpu);
/* A call of scope VM. */
void gate_vm(struct vcpu *vcpu, void (*fn)(struct vcpu *vcpu));
/* Guest code for so many points; true: a host interrupt made it exit. */
bool guest_spend(struct exit_info *info, unsigned points);
void guest_exits(struct exit_info *info, enum exit_reason reason,
		 uint8_t length);

#endif
