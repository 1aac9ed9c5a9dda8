/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boundary between the monitor and the processor's virtualization
 * (svm/, vmx/): one table of functions per back end, one vendor-neutral
 * description of an exit.  Nothing above this header knows which one runs.
 *
 * A back end owns its control structures; guest state travels through
 * struct x86_state in the vCPU's gate page, by groups.  After run() only
 * X86_GROUP_GPR_RIP is valid there.
 */
#ifndef BULKHEAD_VENDOR_H
#define BULKHEAD_VENDOR_H

#include "include/compiler.h"
#include "include/gate.h"
#include "include/x86_state.h"

struct pages;
struct page_table;
struct mem_account;

#define VENDOR_MAX_CPUS 64

/* Why run() returned.  Each says which fields of struct exit_info it fills. */
enum exit_reason {
	EXIT_UNKNOWN, /* raw: stop the VM with a report */
	EXIT_INVALID, /* the processor refused the guest state */
	/* A host interrupt, SMI or the like: nothing to do for the guest. */
	EXIT_HOST_INTERRUPT,
	EXIT_HOST_NMI,
	EXIT_INTERRUPT_WINDOW,
	EXIT_NMI_WINDOW,
	EXIT_CPUID,	/* length */
	EXIT_HLT,	/* length */
	EXIT_PAUSE,	/* length */
	EXIT_IO,	/* io; length is 0 for strings */
	EXIT_MSR,	/* is_write, length */
	EXIT_CR,	/* nothing: the machine decodes */
	EXIT_DR,	/* as EXIT_CR */
	EXIT_NESTED,	/* nested: a nested page fault */
	EXIT_FETCH,	/* nested: from a leaf that may be read */
	EXIT_APIC_EOI,	/* length: a write to that register of its page */
	EXIT_HYPERCALL, /* length */
	EXIT_WBINVD,	/* length: caches, nothing to do */
	EXIT_INVD,	/* length: the same */
	EXIT_XSETBV,	/* length */
	EXIT_UNDEFINED, /* instructions the guest was told do not exist */
	EXIT_SHUTDOWN,	/* triple fault */
	EXIT_EXCEPTION, /* vector */
	EXIT_EMULATE,	/* let the machine emulate one instruction */
	/* the same, if it can: the processor will forget the shadow over it */
	EXIT_SHADOWED,
	/* emulate: this processor cannot run the guest as it is now */
	EXIT_EMULATE_RUN,
	/* apic_offset: the guest has written that register of a virtual APIC */
	EXIT_APIC_WRITE,
	EXIT_REASON_COUNT,
};

struct exit_info {
	enum exit_reason reason;
	/* Bytes of the exiting instruction; 0: the processor did not say. */
	uint8_t length;
	bool is_write;
	union {
		struct gate_io io;
		struct gate_mmio nested; /* but for .apic_value */
		uint8_t vector;
		uint16_t apic_offset;
		struct {
			/* Instructions, fewer if the mode changes. */
			uint32_t count;
			/* To be delivered first: GATE_RUN_*, or 0. */
			uint64_t event;
		} emulate;
	};
	/* The processor's own words, for reports. */
	uint64_t raw, raw_info1, raw_info2;
};

/* Above every vector's priority class: the TPR does not hold it back. */
#define VENDOR_PRIORITY_ABOVE_TPR 16

enum event_kind {
	EVENT_INTERRUPT, /* vector */
	EVENT_NMI,
	/* Of can_inject() only: no NMI is being handled, or about to be. */
	EVENT_NMI_SECOND,
	EVENT_EXCEPTION, /* vector, error code */
};

struct event {
	enum event_kind kind;
	uint8_t vector;
	bool has_error_code;
	uint32_t error_code;
};

/* What a back end may know of a VM.  Embedded in struct vm. */
struct vendor_vm {
	hpa_t nested_root; /* of the format vendor.nested_format names */
	struct page_table *nested; /* the same, for a page of its own */
	/* Where the local APIC's page is that the processor knows; 0: it knows
	 * none. */
	hpa_t apic_hpa;
	uint64_t guest_cr4_mask; /* CR4 bits that CPUID shows to the guest */
	uint64_t host_cr4_mask;	 /* and those that this processor knows */
	bool has_1g;		 /* nested tables may have leaves of 1 GiB */
	/* Its vCPUs share CPUs: one that spins with PAUSE should give way. */
	bool exits_on_pause;
	struct pages *pages;	     /* for the back end's own pages, */
	struct mem_account *account; /* charged to this VM */
	void *private;
};

/*
 * The registers of a local APIC, which some processors read and write by
 * themselves.  Embedded in struct apic.
 */
struct vendor_apic {
	/* As the guest sees it.  IRR, ISR, TMR and ICR are kept nowhere else;
	 * of the others there are copies, right while is_virtual. */
	uint32_t *page;
	bool can_be_virtual; /* the back end says so, once */
	/* Reached by its page and switched on: EXIT_APIC_WRITE says what the
	 * guest has written. */
	bool is_virtual;
};

/* What a back end may know of a vCPU.  Embedded in struct vcpu. */
struct vendor_vcpu {
	struct x86_state *state; /* in the gate page */
	struct vendor_vm *vm;
	/* Guest TSC = host TSC + tsc_offset. */
	uint64_t tsc_offset;
	/* tsc_offset or apic->is_virtual may have: a back end that need not
	 * look at them at each entry clears it.  Set by the monitor. */
	bool has_changed;
	/* Guest's IA32_PAT, of valid types: changed by the monitor, which then
	 * stores X86_GROUP_CONTROL. */
	uint64_t pat;
	/*
	 * Host TSC at which the next timer of the CPU it is on is due: no run()
	 * need go on longer.  The timer's interrupt ends it; a back end that
	 * can by itself does, too.  Kept by the monitor.
	 */
	const uint64_t *deadline;
	/* Task priority, MOV CR8's in its upper half; in and out of run(). */
	uint8_t tpr;
	struct vendor_apic *apic;
	/* After run(): interrupts wait for one more instruction; see
	 * end_shadow(), which a set TF wants, too. */
	bool has_shadow;
	uint32_t cpu; /* number of the CPU it is on; kept by the monitor */
	void *private;
};

/* MOV to CR8: clears the lower half if it changes anything. */
static inline void vendor_cr8_set(struct vendor_vcpu *vcpu, uint64_t cr8)
{
	if ((cr8 & 15) != vcpu->tpr >> 4)
		vcpu->tpr = (uint8_t)(cr8 << 4);
}

enum nested_format { NESTED_FORMAT_NPT = 1, NESTED_FORMAT_EPT = 2 };

struct vendor {
	const char *name;
	enum nested_format nested_format;

	/* 0 if this processor has what the back end needs; else -ENODEV and a
	 * sentence in *why, static storage. */
	int (*probe)(const char **why);
	/* On the calling CPU. */
	int (*cpu_enable)(unsigned cpu, struct pages *pages,
			  struct mem_account *account);

	int (*vm_init)(struct vendor_vm *vm);
	void (*vm_fini)(struct vendor_vm *vm);
	/* Guest state is left to a state_store() of all groups. */
	int (*vcpu_init)(struct vendor_vcpu *vcpu);
	void (*vcpu_fini)(struct vendor_vcpu *vcpu);

	/* Between the back end and vcpu->state; sets valid, clears dirty.
	 * X86_GROUP_FETCH comes alone. */
	void (*state_load)(struct vendor_vcpu *vcpu, uint32_t groups);
	/* Values that the processor would refuse or that the guest may not
	 * have are forced to the nearest it may. */
	void (*state_store)(struct vendor_vcpu *vcpu, uint32_t groups);

	bool (*can_inject)(struct vendor_vcpu *vcpu, enum event_kind kind);
	/* At the next run().  One at a time; an event that the last exit
	 * interrupted is injected again by the back end itself and makes
	 * can_inject() false. */
	void (*inject)(struct vendor_vcpu *vcpu, const struct event *event);
	/*
	 * Exit as soon as kind could be injected.  priority: the interrupt's
	 * vector >> 4, or VENDOR_PRIORITY_ABOVE_TPR: whatever the TPR says. One
	 * that is not above it waits for the TPR to go below, too.
	 */
	void (*open_window)(struct vendor_vcpu *vcpu, enum event_kind kind,
			    unsigned priority);
	/* Reset and INIT: nothing is injected any more, no NMI is being
	 * handled, no window is open, no shadow cast. */
	void (*events_clear)(struct vendor_vcpu *vcpu);
	/* The instruction at the last exit is done: its shadow ends.  With TF
	 * always called, for the trap that the processor does not see. */
	void (*end_shadow)(struct vendor_vcpu *vcpu);
	void (*tlb_flush)(struct vendor_vcpu *vcpu);
	/* The vCPU's machine is about to run here: what of the guest's would
	 * disturb ring 3 goes.  NULL: nothing does. */
	void (*to_machine)(struct vendor_vcpu *vcpu);
	/* The vCPU leaves this CPU for another or none: DR and the like. */
	void (*switch_out)(struct vendor_vcpu *vcpu);

	/* One entry and exit.  Host interrupts off, before and after. */
	void (*run)(struct vendor_vcpu *vcpu, struct exit_info *info);
	/* Logs the control structure, for reports. */
	void (*dump)(struct vendor_vcpu *vcpu);
};

#define VENDOR_FUNCTIONS 18
ASSERT_SIZE(struct vendor, offsetof(struct vendor, probe) +
				   VENDOR_FUNCTIONS * sizeof(void (*)(void)));

extern const struct vendor svm_vendor;
extern const struct vendor vmx_vendor;

/* vm/vendors.c: the image's back ends in the order they are tried, then NULL.
 */
extern const struct vendor *const vendors[];
/* What runs a guest with emulate-always; NULL where the image has none. */
extern const struct vendor *const vendor_emulator;

#endif
