/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: see kvm.h.  All are about vCPUs, which they name by APIC IDs; who
 * is not there is left out.
 *
 * Reference: Linux, "Linux KVM Hypercall".
 */
#include "machine/kvm.h"

#define ICR_VECTOR     MASK(7, 0)
#define ICR_MODE       MASK(10, 8)
#define MODE_FIXED     0
#define MODE_NMI       4
#define ICR_DEFINED    (ICR_VECTOR | ICR_MODE | BIT(14)) /* asserted or not */
#define VECTOR_FIRST   16
#define IPI_WORD_LONG  64 /* bits of each of the two */
#define IPI_WORD_SHORT 32

struct call_row {
	uint64_t number;
	int64_t (*fn)(const struct kvm *kvm, const struct kvm_input *input);
};

/* KVM_VCPUS: none. */
static unsigned find(const struct kvm *kvm, uint64_t apic_id)
{
	for (unsigned i = 0; i < kvm->vcpus; i++)
		if (kvm->apic_id[i] == apic_id)
			return i;
	return KVM_VCPUS;
}

/* What waits is found at the next entry anyway. */
static int64_t call_poll_irq(const struct kvm *kvm,
			     const struct kvm_input *input)
{
	(void)kvm;
	(void)input;
	return 0;
}

/* Flags, which have no meaning yet, and who. */
static int64_t call_kick(const struct kvm *kvm, const struct kvm_input *input)
{
	unsigned vcpu = find(kvm, input->parameter[1]);

	if (vcpu != KVM_VCPUS)
		kvm->ops->unhalt(kvm->ctx, vcpu);
	return 0;
}

/* It was interrupted, and the caller waits for what it does. */
static int64_t call_yield(const struct kvm *kvm, const struct kvm_input *input)
{
	unsigned vcpu = find(kvm, input->parameter[0]);

	if (vcpu != KVM_VCPUS)
		kvm->ops->yield_to(kvm->ctx, vcpu);
	return 0;
}

static bool is_named(const struct kvm_input *input, uint8_t apic_id)
{
	unsigned bits = input->is_long ? IPI_WORD_LONG : IPI_WORD_SHORT;
	uint64_t least = input->parameter[2], n = apic_id - least;

	if (apic_id < least || n >= 2ULL * bits)
		return false;
	return input->parameter[n / bits] & BIT(n % bits);
}

/* Two words of APIC IDs from the third parameter on, and an ICR; how many have
 * accepted it. */
static int64_t call_send_ipi(const struct kvm *kvm,
			     const struct kvm_input *input)
{
	uint64_t icr = input->parameter[3];
	uint64_t mode = FIELD_GET(ICR_MODE, icr);
	int64_t taken = 0;

	if (icr & ~ICR_DEFINED || (mode != MODE_FIXED && mode != MODE_NMI) ||
	    (mode == MODE_FIXED && FIELD_GET(ICR_VECTOR, icr) < VECTOR_FIRST))
		return KVM_ERROR_INVALID;
	for (unsigned i = 0; i < kvm->vcpus; i++)
		if (is_named(input, kvm->apic_id[i]))
			taken += kvm->ops->message(
				kvm->ctx, i,
				(uint32_t)(icr & (ICR_VECTOR | ICR_MODE)));
	return taken;
}

static const struct call_row rows[] = {
	{ KVM_CALL_POLL_IRQ, call_poll_irq },
	{ KVM_CALL_KICK, call_kick },
	{ KVM_CALL_SEND_IPI, call_send_ipi },
	{ KVM_CALL_YIELD, call_yield },
};

int64_t kvm_call(const struct kvm *kvm, const struct kvm_input *input)
{
	if (!input->is_kernel)
		return KVM_ERROR_PERMISSION;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].number == input->number)
			return rows[i].fn(kvm, input);
	return KVM_ERROR_UNKNOWN;
}
