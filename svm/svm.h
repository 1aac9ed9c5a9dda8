/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the AMD-V back end share.
 */
#ifndef BULKHEAD_SVM_SVM_H
#define BULKHEAD_SVM_SVM_H

#include "include/vendor.h"
#include "svm/vmcb.h"

/* What this processor offers beyond plain SVM; set once by svm_probe(). */
struct svm_features {
	uint32_t asid_count;
	bool has_next_rip;
	bool has_clean_bits;
	bool has_flush_asid;
	bool has_pause_filter;
	/* QEMU's interpreter: see event.c. */
	bool is_tcg;
};

/* RFLAGS bits a guest may have; all others are reserved. */
#define RFLAGS_GUEST 0x003f7fd7ULL

struct svm_cpu;

struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_hpa;
	const struct svm_features *features;
	struct svm_cpu *cpu; /* it is on; NULL: has just come or gone */
	bool has_next_rip;
	bool exits_on_cr4; /* writes, whatever the guest's mode is */
	/* On QEMU: the guest's EFER.LME while the VMCB's is clear. */
	uint64_t hidden_efer;
	/* The ASID is good on that CPU while its generation lasts. */
	struct svm_cpu *asid_cpu;
	uint32_t asid_generation;
	uint32_t dirty; /* CLEAN_*: groups changed since VMRUN */
	/* DR0-DR3 are the guest's in the processor; else they are in dr. */
	bool is_dr_live;
	/* An NMI is being handled: closed until IRET, which is intercepted. */
	bool is_nmi_masked;
	/* On QEMU: an interrupt went in as V_IRQ and is not known to be
	 * taken; a window that was asked for meanwhile. */
	bool is_virq_sent;
	bool is_window_deferred;
	uint8_t deferred_priority;
	uint64_t dr[4];
};

/* svm/enter.asm */
void svm_enter(hpa_t vmcb_hpa, struct x86_state *state, hpa_t host_vmcb_hpa);

/* svm/event.c */
bool svm_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind);
void svm_inject(struct vendor_vcpu *vcpu, const struct event *event);
void svm_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
		     unsigned priority);
void svm_window_close(struct svm_vcpu *svm);
void svm_end_shadow(struct vendor_vcpu *vcpu);
void svm_events_clear(struct vendor_vcpu *vcpu);
/* After an exit during the delivery of an event, or with is_virq_sent. */
void svm_event_settle(struct svm_vcpu *svm);

/* svm/exit.c: say in neutral words why the guest stopped. */
void svm_exit_decode(struct vendor_vcpu *vcpu, struct exit_info *info);

/* svm/lme.c: after each change of the VMCB's CR0, CR4 or EFER. */
void svm_lme_hide(struct svm_vcpu *svm);

/* svm/state.c */
void svm_state_load(struct vendor_vcpu *vcpu, uint32_t groups);
void svm_state_store(struct vendor_vcpu *vcpu, uint32_t groups);
int svm_msr_get(struct vendor_vcpu *vcpu, uint32_t msr, uint64_t *value);
int svm_msr_set(struct vendor_vcpu *vcpu, uint32_t msr, uint64_t value);
void svm_dr_make_live(struct svm_vcpu *svm);
void svm_dr_put_away(struct svm_vcpu *svm);
void svm_dump(struct vendor_vcpu *vcpu);

/* svm/msrpm.c */
#define MSRPM_PAGES 2
void svm_msrpm_init(uint8_t *msrpm);

#endif
