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
	/* The ASID is good on that CPU while its generation lasts. */
	struct svm_cpu *asid_cpu;
	uint32_t asid_generation;
	uint32_t dirty; /* CLEAN_*: groups changed since VMRUN */
	/* DR0-DR3 are the guest's in the processor; else they are in dr. */
	bool is_dr_live;
	/* An NMI is being handled: closed until IRET, which is intercepted. */
	bool is_nmi_masked;
	uint64_t dr[4];
};

/* svm/enter.asm */
void svm_enter(hpa_t vmcb_hpa, struct x86_state *state, hpa_t host_vmcb_hpa);

/* svm/exit.c: say in neutral words why the guest stopped. */
void svm_window_close(struct svm_vcpu *svm);
void svm_exit_decode(struct vendor_vcpu *vcpu, struct exit_info *info);

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
