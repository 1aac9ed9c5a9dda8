/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the AMD-V back end share.
 *
 * A vCPU's structure and VMCB belong to its thread; nothing here takes a lock.
 */
#ifndef BULKHEAD_SVM_INTERNAL_H
#define BULKHEAD_SVM_INTERNAL_H

#include "include/vendor.h"
#include "svm/hardware.h"

/* What this processor offers beyond plain SVM. */
struct svm_features {
	uint32_t asid_count;
	bool has_next_rip;
	bool has_clean_bits;
	bool has_flush_asid;
	bool has_pause_filter;
	bool is_tcg; /* QEMU's interpreter: see quirks.c */
};

/* Per CPU: where its own state is while guests run, and its ASIDs. */
struct svm_cpu {
	hpa_t host_vmcb_hpa;
	uint32_t asid_generation;
	uint32_t asid_next;
};

/* Written before any guest runs, by svm_probe() and svm_cpu_enable(); an entry
 * of svm_cpus[] belongs to its CPU from then on. */
extern struct svm_features svm_features;
extern struct svm_cpu svm_cpus[VENDOR_MAX_CPUS];
extern hpa_t svm_iopm_hpa;

/* RFLAGS bits a guest may have; all others are reserved. */
#define RFLAGS_GUEST 0x003f7fd7ULL

struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_hpa;
	/* NULL: not run yet on the CPU it is on, or not with these breakpoints,
	 * or not at all: see svm_emulate(). */
	struct svm_cpu *cpu;
	bool exits_on_cr4; /* writes, whatever the guest's mode is */
	/* The ASID is good on that CPU while its generation lasts. */
	struct svm_cpu *asid_cpu;
	uint32_t asid_generation;
	uint32_t dirty; /* CLEAN_*: groups changed since VMRUN */
	/* An NMI is being handled: closed until IRET, which is intercepted. */
	bool is_nmi_masked;
	/* quirks.c: an interrupt went in as V_IRQ and is not known to be
	 * taken; a window that was asked for meanwhile. */
	bool is_virq_sent;
	bool is_window_deferred;
	uint8_t deferred_priority;
	/* quirks.c: the guest's EFER.LME while the VMCB's is clear. */
	uint64_t hidden_efer;
	uint64_t dr[4];
};

/* svm/enter.asm */
void svm_enter(hpa_t vmcb_hpa, struct x86_state *state, hpa_t host_vmcb_hpa);

/* svm/cpu.c */
int svm_probe(const char **why);
int svm_cpu_enable(unsigned cpu, struct pages *pages,
		   struct mem_account *account);
void svm_tlb_flush(struct vendor_vcpu *vcpu);
/* Before a vCPU's first run on a CPU. */
void svm_asid_assign(struct svm_vcpu *svm, struct svm_cpu *cpu);

/* svm/controls.c: a new VMCB's control area. */
void svm_controls_init(struct vmcb *vmcb, const struct vendor_vm *vm);

/* svm/event.c */
bool svm_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind);
void svm_inject(struct vendor_vcpu *vcpu, const struct event *event);
void svm_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
		     unsigned priority);
void svm_end_shadow(struct vendor_vcpu *vcpu);
void svm_events_clear(struct vendor_vcpu *vcpu);
void svm_interrupt_window_open(struct svm_vcpu *svm, unsigned priority);
/* After an exit during the delivery of an event, or with is_virq_sent. */
void svm_event_exit(struct svm_vcpu *svm);
void svm_event_reinject(struct vmcb *vmcb); /* EXITINTINFO, which is valid */

/* svm/quirks.c: what to ask for, so that it is taken above the TPR alone. */
unsigned svm_quirk_virq_priority(unsigned priority);

/* A virtual interrupt, whatever the TPR says if the priority is above it. */
static inline void svm_virq_raise(struct svm_vcpu *svm, unsigned priority,
				  uint8_t vector)
{
	struct vmcb *vmcb = svm->vmcb;

	vmcb->int_ctl &= ~(INT_CTL_V_INTR_PRIO | INT_CTL_V_IGN_TPR |
			   INT_CTL_V_INTR_VECTOR);
	vmcb->int_ctl |=
		INT_CTL_V_IRQ | FIELD_PUT(INT_CTL_V_INTR_VECTOR, vector);
	if (priority >= VENDOR_PRIORITY_ABOVE_TPR)
		vmcb->int_ctl |= INT_CTL_V_IGN_TPR;
	else
		vmcb->int_ctl |= FIELD_PUT(INT_CTL_V_INTR_PRIO,
					   svm_quirk_virq_priority(priority));
	svm->dirty |= CLEAN_TPR;
}

static inline void svm_interrupt_window_close(struct svm_vcpu *svm)
{
	svm->vmcb->int_ctl &= ~INT_CTL_V_IRQ;
	svm->vmcb->intercept &= ~INTERCEPT_VINTR;
	svm->vmcb->intercept_cr &= ~INTERCEPT_CR_WRITE(8);
	svm->dirty |= CLEAN_INTERCEPTS | CLEAN_TPR;
}

/* IRET ends an NMI. */
static inline void svm_nmi_done(struct svm_vcpu *svm)
{
	svm->is_nmi_masked = false;
	svm->vmcb->intercept &= ~INTERCEPT_IRET;
	svm->dirty |= CLEAN_INTERCEPTS;
}

/* svm/exit.c: fills *info from the VMCB's exit code. */
void svm_exit_decode(struct svm_vcpu *svm, struct exit_info *info);

static inline bool svm_has_breakpoints(const struct svm_vcpu *svm)
{
	return svm->vmcb->dr7 & X86_DR7_ENABLES;
}

/* The machine is to emulate: it wants to, or quirks.c does. */
static inline bool svm_is_emulated(const struct vendor_vcpu *vcpu)
{
	return container_of(vcpu->state, struct gate_page, state)
		       ->is_emulated ||
	       (svm_features.is_tcg && svm_has_breakpoints(vcpu->private));
}

/* svm/state.c */
void svm_state_load(struct vendor_vcpu *vcpu, uint32_t groups);
void svm_state_store(struct vendor_vcpu *vcpu, uint32_t groups);
void svm_dr_load(const struct svm_vcpu *svm);
void svm_dump(struct vendor_vcpu *vcpu);

/* svm/msr.c */
#define MSRPM_ORDER 1 /* two pages */
void svm_msrpm_init(uint8_t *msrpm);

/* svm/quirks.c: each says there which simulator needs it and why. */
bool svm_quirk_is_tcg(void);
/* After each change of the VMCB's CR0, CR4 or EFER. */
void svm_quirk_lme(struct svm_vcpu *svm);
void svm_quirk_cr2(const struct vmcb *vmcb);
void svm_quirk_cr8(struct svm_vcpu *svm);
/* An exit as INVALID. */
enum exit_reason svm_quirk_invalid(const struct svm_vcpu *svm);
/* An exit for the host within an interrupt shadow. */
void svm_quirk_shadow(struct exit_info *info);
/* In place of EVENTINJ, where svm_features.is_tcg. */
void svm_quirk_virq_send(struct svm_vcpu *svm, uint8_t vector);
/* After an exit with is_virq_sent. */
void svm_quirk_virq_exit(struct svm_vcpu *svm);
/* In place of an entry: one that waits to be taken becomes EVENTINJ's. */
void svm_quirk_virq_take(struct vendor_vcpu *vcpu);

#endif
