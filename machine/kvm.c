/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID leaves, registers and state: see kvm.h.
 *
 * References: Linux, "KVM CPUID bits", "KVM-specific MSRs".
 */
#include "machine/kvm.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"
#include "machine/cpuid_table.h"

#define POLL_ENABLE BIT(0)

/* ---- CPUID ----------------------------------------------------------------
 */

#define FEATURES                                                             \
	(KVM_FEATURE_NO_DELAY | KVM_FEATURE_CLOCK | KVM_FEATURE_STEAL_TIME | \
	 KVM_FEATURE_TLB_FLUSH | KVM_FEATURE_POLL_CONTROL |                  \
	 KVM_FEATURE_LONG_IDS | KVM_FEATURE_CLOCK_STABLE)
#define FEATURES_BY_CALLS \
	(KVM_FEATURE_UNHALT | KVM_FEATURE_SEND_IPI | KVM_FEATURE_YIELD)

static void signature_put(struct cpuid_regs *regs, const char *text)
{
	memcpy(&regs->ebx, text, 4);
	memcpy(&regs->ecx, text + 4, 4);
	memcpy(&regs->edx, text + 8, 4);
}

/* Bulkhead's own goes behind; the rates stay where they are. */
void kvm_cpuid(struct cpuid_table *table, const struct kvm_leaves *leaves)
{
	struct cpuid_leaf *at =
		leaves->is_second ? table->further[0] : table->hypervisor;
	struct cpuid_regs *own = &table->further[1][0].regs;
	uint32_t base = CPUID_HYPERVISOR +
			(leaves->is_second ? CPUID_FURTHER_STRIDE : 0);

	at[0].regs.eax = base + 1;
	signature_put(&at[0].regs, "KVMKVMKVM\0\0");
	at[1].regs = (struct cpuid_regs){
		.eax = FEATURES | (leaves->has_calls ? FEATURES_BY_CALLS : 0)
	};
	own->eax = CPUID_HYPERVISOR + 2 * CPUID_FURTHER_STRIDE;
	signature_put(own, CPUID_SIGNATURE);
}

/* ---- Memory ---------------------------------------------------------------
 */

void *kvm_bytes(const struct kvm *kvm, gpa_t gpa, unsigned length,
		unsigned align)
{
	unsigned offset = (unsigned)(gpa % PAGE_SIZE);
	uint8_t *page;

	if (gpa % align || offset + length > PAGE_SIZE)
		return NULL;
	page = kvm->ops->page(kvm->ctx, gpa - offset);
	return page ? page + offset : NULL;
}

/* ---- Registers ------------------------------------------------------------
 */

int kvm_msr_read(struct kvm *kvm, unsigned vcpu, uint32_t msr, uint64_t *value)
{
	const struct kvm_vcpu_state *s = &kvm->state.vcpu[vcpu];

	switch (msr) {
	case KVM_MSR_WALL_CLOCK:
		*value = kvm->state.wall_clock;
		return 0;
	case KVM_MSR_SYSTEM_TIME:
		*value = s->system_time;
		return 0;
	case KVM_MSR_STEAL_TIME:
		*value = s->steal_time;
		return 0;
	case KVM_MSR_POLL_CONTROL:
		*value = s->poll_control;
		return 0;
	default:
		return -ENOENT;
	}
}

int kvm_msr_write(struct kvm *kvm, unsigned vcpu, uint32_t msr, uint64_t value)
{
	struct kvm_vcpu_state *s = &kvm->state.vcpu[vcpu];

	switch (msr) {
	case KVM_MSR_WALL_CLOCK:
		kvm->state.wall_clock = value;
		kvm_wall_write(kvm, value);
		return 0;
	case KVM_MSR_SYSTEM_TIME:
		s->system_time = value;
		kvm_clock_write(kvm, value);
		return 0;
	case KVM_MSR_STEAL_TIME:
		return kvm_steal_set(kvm, vcpu, value);
	case KVM_MSR_POLL_CONTROL:
		/* Nobody polls for a vCPU in HLT, whatever this says. */
		if (value & ~POLL_ENABLE)
			return -EINVAL;
		s->poll_control = value;
		return 0;
	default:
		return -ENOENT;
	}
}

/* ---- The device -----------------------------------------------------------
 */

static const struct state_field vcpu_fields[] = {
	STATE_VALUE(struct kvm_vcpu_state, system_time),
	STATE_VALUE(struct kvm_vcpu_state, steal_time),
	STATE_VALUE(struct kvm_vcpu_state, poll_control, .reset = POLL_ENABLE),
};
static const struct state_description vcpu_description =
	STATE_DESCRIPTION(struct kvm_vcpu_state, vcpu_fields);

static const struct state_field fields[] = {
	STATE_VALUE(struct kvm_state, wall_clock),
	STATE_STRUCTS(struct kvm_state, vcpu, &vcpu_description),
};
static const struct state_description description =
	STATE_DESCRIPTION(struct kvm_state, fields);

static bool is_valid(const void *dev, const void *state, uint64_t now_ns)
{
	const struct kvm_state *s = state;

	(void)dev;
	(void)now_ns;
	for (unsigned i = 0; i < KVM_VCPUS; i++)
		if (s->vcpu[i].poll_control & ~POLL_ENABLE ||
		    s->vcpu[i].steal_time & MASK(5, 1))
			return false;
	return true;
}

static void stop_watching(void *dev)
{
	struct kvm *kvm = dev;

	for (unsigned i = 0; i < kvm->vcpus; i++)
		kvm->ops->watch(kvm->ctx, i, NULL);
}

static void restored(void *dev)
{
	struct kvm *kvm = dev;

	for (unsigned i = 0; i < kvm->vcpus; i++)
		kvm_steal_resume(kvm, i);
}

static const struct device_ops ops = {
	.name = "kvm",
	.version = 1,
	.state = &description,
	.reset = stop_watching,
	.restored = restored,
	.is_valid = is_valid,
};

void kvm_init(struct kvm *kvm, const struct kvm_config *config)
{
	kvm->ops = config->ops;
	kvm->ctx = config->ctx;
	kvm->vcpus = config->vcpus;
	kvm->apic_id = config->apic_id;
	kvm->epoch_s = config->epoch_s;
	kvm_clock_init(kvm, config->tsc_mult);
	device_init(&kvm->device, &ops, kvm, &kvm->state);
}
