/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual interface, which stock Linux kernels look for: CPUID
 * leaves, a clock by a page that vCPUs share with the machine, time that was
 * stolen, hypercalls.  docs/hypercalls.md says which, and what they do here.
 *
 * The guest names each page by its address in a register.  It is looked up
 * anew whenever something is written there, and nothing is written where there
 * is no RAM that can be written, or where the structure would cross a page.
 *
 * Lock: all but kvm_call() want the machine's; that one looks at what never
 * changes.  Registers are written by the thread of their own vCPU.
 *
 * Not modelled, and not announced: the clock's registers 11h and 12h, page
 * faults that wait, end of interrupt by a bit in memory (the local APIC is the
 * monitor's, which would have to look at it at each interrupt), migration
 * control, encrypted memory.
 *
 * References: Linux, "KVM-specific MSRs", "Linux KVM Hypercall", "KVM CPUID
 * bits" (Documentation/virt/kvm/x86).
 */
#ifndef BULKHEAD_MACHINE_KVM_H
#define BULKHEAD_MACHINE_KVM_H

#include "include/cpuid.h"
#include "include/device.h"
#include "include/domain.h"

#define KVM_VCPUS GATE_THREADS_MAX

#define KVM_MSR_FIRST	     0x4b564d00
#define KVM_MSR_WALL_CLOCK   0x4b564d00
#define KVM_MSR_SYSTEM_TIME  0x4b564d01
#define KVM_MSR_STEAL_TIME   0x4b564d03
#define KVM_MSR_POLL_CONTROL 0x4b564d05
#define KVM_MSR_COUNT	     0x10
#define KVM_MSR_ENABLE	     BIT(0) /* of SYSTEM_TIME and STEAL_TIME */

/* Features, EAX of the signature's second leaf. */
#define KVM_FEATURE_NO_DELAY	 BIT(1)
#define KVM_FEATURE_CLOCK	 BIT(3)
#define KVM_FEATURE_STEAL_TIME	 BIT(5)
#define KVM_FEATURE_UNHALT	 BIT(7)
#define KVM_FEATURE_TLB_FLUSH	 BIT(9)
#define KVM_FEATURE_SEND_IPI	 BIT(11)
#define KVM_FEATURE_POLL_CONTROL BIT(12)
#define KVM_FEATURE_YIELD	 BIT(13)
#define KVM_FEATURE_LONG_IDS	 BIT(15)
#define KVM_FEATURE_CLOCK_STABLE BIT(24)

/* Hypercalls, and what they answer but for results of their own. */
#define KVM_CALL_POLL_IRQ 1
#define KVM_CALL_KICK	  5
#define KVM_CALL_SEND_IPI 10
#define KVM_CALL_YIELD	  11

#define KVM_ERROR_PERMISSION (-1)
#define KVM_ERROR_INVALID    (-22)
#define KVM_ERROR_UNKNOWN    (-1000)

/* What the guest sees of its clock: 32 bytes at a multiple of 4. */
struct kvm_clock_page {
	uint32_t version; /* odd while it changes */
	uint32_t reserved0;
	uint64_t tsc;	     /* of the guest, at .ns */
	uint64_t ns;	     /* since the machine was made */
	uint32_t multiplier; /* ns = (ticks << shift) * multiplier >> 32 */
	int8_t shift;
	uint8_t flags;
	uint8_t reserved1[2];
} __packed __aligned(4);
ASSERT_SIZE(struct kvm_clock_page, 32);
#define KVM_CLOCK_STABLE BIT(0) /* the same for all vCPUs */

/* The wall clock when .ns was 0. */
struct kvm_wall_page {
	uint32_t version, seconds, ns;
};
ASSERT_SIZE(struct kvm_wall_page, 12);

/* 64 bytes at a multiple of 64. */
struct kvm_steal_page {
	uint64_t ns; /* that the vCPU waited for a CPU, though it could run */
	uint32_t version, flags;
	uint8_t away; /* KVM_AWAY and what the guest asks for meanwhile */
	uint8_t reserved[47];
};
ASSERT_SIZE(struct kvm_steal_page, 64);
#define KVM_AWAY       BIT(0) /* it has no CPU now */
#define KVM_AWAY_FLUSH BIT(1) /* flush its TLB before it runs again */

struct kvm_vcpu_state {
	uint64_t system_time, steal_time, poll_control;
};

struct kvm_state {
	uint64_t wall_clock;
	struct kvm_vcpu_state vcpu[KVM_VCPUS];
};

/* What it wants of the world. */
struct kvm_ops {
	/* The page of RAM at gpa, which is its first byte's; NULL: there is
	 * none that can be written. */
	uint8_t *(*page)(void *ctx, gpa_t gpa);
	/* From now on that byte becomes KVM_AWAY when the vCPU loses its CPU,
	 * once, and kvm_arrive() is called before it runs; NULL: no longer. */
	void (*watch)(void *ctx, unsigned vcpu, uint8_t *away);
	/* How long it was ready and had no CPU, in ns, ever. */
	uint64_t (*waited)(void *ctx, unsigned vcpu);
	/* The guest's TSC at VM time 0, for the calling vCPU: 0 unless it wrote
	 * it.  False: it is not exact. */
	bool (*tsc_base)(void *ctx, uint64_t *base);
	/* A message to the local APIC of that vCPU.  False: not accepted. */
	bool (*message)(void *ctx, unsigned vcpu, uint32_t data);
	/* The vCPU's HLT ends, this one or the next. */
	void (*unhalt)(void *ctx, unsigned vcpu);
	void (*yield_to)(void *ctx, unsigned vcpu);
	/* The calling vCPU translates by nothing that its TLB held before, when
	 * it next runs. */
	void (*flush)(void *ctx);
};

struct kvm {
	struct device device;
	struct kvm_state state;
	const struct kvm_ops *ops;
	void *ctx;
	unsigned vcpus;
	const uint8_t *apic_id; /* by vCPU */
	uint64_t epoch_s;
	uint32_t multiplier;
	int8_t shift;
	/* ops->waited() as the guest was told it last. */
	uint64_t waited[KVM_VCPUS];
};

struct kvm_config {
	const struct kvm_ops *ops;
	void *ctx;
	unsigned vcpus;
	const uint8_t *apic_id; /* by vCPU; lives as long as this */
	uint64_t tsc_mult;	/* gate_config's */
	uint64_t epoch_s;
};

void kvm_init(struct kvm *kvm, const struct kvm_config *config);
struct kvm_leaves {
	bool is_second; /* at 40000100h, behind another interface */
	bool has_calls; /* the instruction that the guest takes is the host's */
};

/* The leaves, and Bulkhead's own at 40000200h. */
void kvm_cpuid(struct cpuid_table *table, const struct kvm_leaves *leaves);

/* -ENOENT: it is none of these; -EINVAL: #GP. */
int __must_check kvm_msr_read(struct kvm *kvm, unsigned vcpu, uint32_t msr,
			      uint64_t *value);
int __must_check kvm_msr_write(struct kvm *kvm, unsigned vcpu, uint32_t msr,
			       uint64_t value);
/* The calling vCPU has a CPU again, after it may have been told of as away. */
void kvm_arrive(struct kvm *kvm, unsigned vcpu);

/* Of a hypercall, each 32 bits outside of 64-bit mode. */
struct kvm_input {
	uint64_t number, parameter[4];
	bool is_long; /* 64-bit mode */
	bool is_kernel;
};

/* The result. */
int64_t kvm_call(const struct kvm *kvm, const struct kvm_input *input);

/* ---- Between the files of it ----------------------------------------------
 */

/* length bytes of RAM within one page, at a multiple of align; or NULL. */
void *kvm_bytes(const struct kvm *kvm, gpa_t gpa, unsigned length,
		unsigned align);
void kvm_clock_init(struct kvm *kvm, uint64_t tsc_mult);
void kvm_clock_write(const struct kvm *kvm, uint64_t system_time);
void kvm_wall_write(const struct kvm *kvm, gpa_t gpa);
int __must_check kvm_steal_set(struct kvm *kvm, unsigned vcpu, uint64_t value);
/* After a restore: no TLB holds anything, and the count begins anew. */
void kvm_steal_resume(struct kvm *kvm, unsigned vcpu);

/* Of all structures that count versions: between the two it is odd. */
void kvm_change_begin(uint32_t *version);
void kvm_change_end(uint32_t *version);

#endif
