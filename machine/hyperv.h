/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition as Microsoft's hypervisor shows it to its guest: CPUID leaves,
 * synthetic MSRs, overlay pages, synthetic interrupts and timers, hypercalls.
 * docs/hyperv.md says which, and what they do here.
 *
 * An overlay hides RAM: the two are exchanged when it appears and when it goes,
 * so what was there before is there again.  Of two at one page the first is
 * seen; the other keeps its contents and follows when the first has gone.
 *
 * Lock: all but hyperv_call() and hyperv_reference() want the machine's; those
 * two look at what never changes, and at one word.
 *
 * Not modelled: ports and connections (nothing posts messages but timers),
 * automatic EOI (the hint against it is set), an assist page's "no EOI
 * required" (the bit stays clear), virtual trust levels, nested enlightenments.
 *
 * References: Microsoft, "Hypervisor Top Level Functional Specification",
 * version 6.0b.
 */
#ifndef BULKHEAD_MACHINE_HYPERV_H
#define BULKHEAD_MACHINE_HYPERV_H

#include "include/cpuid.h"
#include "include/device.h"
#include "include/domain.h"

#define HYPERV_VPS    GATE_THREADS_MAX
#define HYPERV_SINTS  16
#define HYPERV_TIMERS 4
#define HYPERV_CRASH  5 /* parameters */

#define HV_MSR_GUEST_OS_ID  0x40000000
#define HV_MSR_HYPERCALL    0x40000001
#define HV_PAGE_ENABLE	    BIT(0) /* of all overlays' MSRs */
#define HV_HYPERCALL_LOCKED BIT(1)
#define HV_MSR_VP_INDEX	    0x40000002
#define HV_MSR_RESET	    0x40000003
#define HV_MSR_VP_RUNTIME   0x40000010
#define HV_MSR_REF_COUNT    0x40000020
#define HV_MSR_REF_TSC	    0x40000021
#define HV_MSR_TSC_FREQ	    0x40000022
#define HV_MSR_APIC_FREQ    0x40000023
#define HV_MSR_EOI	    0x40000070
#define HV_MSR_ICR	    0x40000071
#define HV_MSR_TPR	    0x40000072
#define HV_MSR_VP_ASSIST    0x40000073
#define HV_MSR_SCONTROL	    0x40000080
#define HV_MSR_SVERSION	    0x40000081
#define HV_MSR_SIEFP	    0x40000082
#define HV_MSR_SIMP	    0x40000083
#define HV_MSR_EOM	    0x40000084
#define HV_MSR_SINT0	    0x40000090
#define HV_SINT_VECTOR	    MASK(7, 0)
#define HV_SINT_MASKED	    BIT(16)
#define HV_MSR_STIMER0	    0x400000b0 /* configuration, count; so four times */
#define HV_STIMER_ENABLE    BIT(0)
#define HV_STIMER_PERIODIC  BIT(1)
#define HV_STIMER_LAZY	    BIT(2)
#define HV_STIMER_AUTO	    BIT(3)
#define HV_STIMER_VECTOR    MASK(11, 4)
#define HV_STIMER_DIRECT    BIT(12)
#define HV_STIMER_SINT	    MASK(19, 16)
#define HV_MSR_CRASH_P0	    0x40000100
#define HV_MSR_CRASH_CTL    0x40000105
#define HV_CRASH_MESSAGE    BIT(62)
#define HV_CRASH_NOTIFY	    BIT(63)

#define HV_STATUS_SUCCESS	0
#define HV_STATUS_INVALID_CODE	2
#define HV_STATUS_INVALID_INPUT 3
#define HV_STATUS_ALIGNMENT	4
#define HV_STATUS_PARAMETER	5

struct hyperv_overlay {
	uint64_t gpa;
	bool is_on;
	bool is_shown; /* .page is what it hides, not its own contents */
	uint8_t reserved[6];
	uint8_t page[PAGE_SIZE];
};

struct hyperv_timer_state {
	uint64_t config, count;
	uint64_t expires; /* by the reference counter */
	uint64_t deadline_ns;
	bool is_pending; /* its message waits for its slot */
	uint8_t reserved[7];
};

struct hyperv_vp_state {
	uint64_t assist, scontrol, siefp, simp;
	uint64_t sint[HYPERV_SINTS];
	struct hyperv_timer_state timer[HYPERV_TIMERS];
	struct hyperv_overlay assist_page, siefp_page, simp_page;
};

struct hyperv_state {
	uint64_t guest_os_id, hypercall, reference_tsc;
	uint64_t crash[HYPERV_CRASH];
	struct hyperv_overlay hypercall_page, tsc_page;
	struct hyperv_vp_state vp[HYPERV_VPS];
};

/* What the partition wants of the world. */
struct hyperv_ops {
	/* The page of RAM at gpa, which is its first byte's; NULL: there is
	 * none that can be written. */
	uint8_t *(*page)(void *ctx, gpa_t gpa);
	/* A fixed interrupt to a VP's local APIC. */
	void (*interrupt)(void *ctx, unsigned vp, uint8_t vector);
	/* No VP translates by what its TLB held before, once this is done. */
	void (*flush)(void *ctx);
	void (*yield)(void *ctx);
	void (*reset)(void *ctx);
	uint64_t (*tsc)(void *ctx); /* of the VM: a guest's that wrote none */
	uint64_t (*runtime)(void *ctx, unsigned vp); /* 100 ns */
	void (*log)(void *ctx, const char *text);
};

struct hyperv_timer {
	struct clock_timer clock;
	struct hyperv *hv;
	uint8_t vp, index;
};

struct hyperv {
	struct device device;
	struct hyperv_state state;
	const struct hyperv_ops *ops;
	void *ctx;
	struct clock *clock;
	unsigned vps;
	bool is_amd; /* VMMCALL, not VMCALL */
	uint8_t phys_bits;
	uint64_t tsc_hz, apic_hz;
	uint64_t tsc_scale; /* 100 ns = TSC * scale / 2^64; 0: none */
	struct hyperv_timer timer[HYPERV_VPS][HYPERV_TIMERS];
};

struct hyperv_config {
	const struct hyperv_ops *ops;
	void *ctx;
	struct clock *clock;
	unsigned vps;
	bool is_amd;
	uint8_t phys_bits;
	uint64_t tsc_hz, apic_hz;
};

void hyperv_init(struct hyperv *hv, const struct hyperv_config *config);
/* The hypervisor's leaves; instead of Bulkhead's own. */
void hyperv_cpuid(struct cpuid_table *table, unsigned vps, uint8_t phys_bits);
/* Before a reset: RAM that overlays hide is there again. */
void hyperv_withdraw(struct hyperv *hv);
uint64_t hyperv_reference(const struct hyperv *hv);

/* -ENOENT: it is none of these; -EINVAL: #GP.  EOI, ICR and TPR, which are the
 * local APIC's, are -ENOENT. */
int __must_check hyperv_msr_read(struct hyperv *hv, unsigned vp, uint32_t msr,
				 uint64_t *value);
int __must_check hyperv_msr_write(struct hyperv *hv, unsigned vp, uint32_t msr,
				  uint64_t value);

/* The guest has a hypercall page: what it calls is meant for this. */
static inline bool hyperv_has_calls(const struct hyperv *hv)
{
	return __atomic_load_n(&hv->state.hypercall, __ATOMIC_RELAXED) &
	       HV_PAGE_ENABLE;
}

/* Of a hypercall: its input value, the two parameters or what they point to,
 * and XMM0 to XMM5, or NULL where hyperv_call_needs_xmm() says no. */
struct hyperv_input {
	uint64_t value, parameter[2];
	const uint8_t (*xmm)[16];
};

/* Calls with this bit have their parameters in registers. */
#define HV_CALL_FAST BIT(16)

/* It is a fast one whose parameters reach into XMM registers. */
bool hyperv_call_needs_xmm(uint64_t value);
/* The result value. */
uint64_t hyperv_call(struct hyperv *hv, const struct hyperv_input *input);

/* ---- Between the files of it ----------------------------------------------
 */

/* What the guest sees, or will, at the overlay. */
uint8_t *hyperv_overlay_bytes(struct hyperv *hv, struct hyperv_overlay *o);
void hyperv_timers_init(struct hyperv *hv, unsigned vp);
void hyperv_timer_read(const struct hyperv *hv, unsigned vp, unsigned n,
		       uint64_t *value);
int __must_check hyperv_timer_write(struct hyperv *hv, unsigned vp, unsigned n,
				    uint64_t value);
/* What a guest could have made of them. */
bool hyperv_timers_are_valid(const struct hyperv_vp_state *s);
/* A message was taken out of its slot. */
void hyperv_message_end(struct hyperv *hv, unsigned vp);

#endif
