/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock: see kvm.h.  It is the VM's time, by which all devices go, and
 * begins when the guest's TSC is 0: so it is the same function of the TSC for
 * all vCPUs, and as nothing ever changes it, a page is written once.
 *
 * A guest that writes its TSC has another base from then on, which its clock
 * does not know of before it is placed anew; and then not to the tick, so such
 * a vCPU's clock is not called stable, and the guest compares it with others'.
 *
 * Reference: Linux, "KVM-specific MSRs".
 */
#include "machine/kvm.h"

#include "lib/string.h"

void kvm_change_begin(uint32_t *version)
{
	uint32_t now = __atomic_load_n(version, __ATOMIC_RELAXED);

	__atomic_store_n(version, (now | 1) + (now & 1 ? 2 : 0),
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void kvm_change_end(uint32_t *version)
{
	uint32_t now = __atomic_load_n(version, __ATOMIC_RELAXED);

	__atomic_store_n(version, (now | 1) + 1, __ATOMIC_RELEASE);
}

/* VM time is ticks * tsc_mult / 2^32, and that of a TSC of 1 GHz or more fits
 * the page's multiplier; slower ones are shifted, and lose the lowest bits. */
void kvm_clock_init(struct kvm *kvm, uint64_t tsc_mult)
{
	kvm->shift = 0;
	for (; tsc_mult >> 32; tsc_mult >>= 1)
		kvm->shift++;
	kvm->multiplier = (uint32_t)tsc_mult;
}

void kvm_clock_write(const struct kvm *kvm, uint64_t system_time)
{
	struct kvm_clock_page *page;
	uint64_t base;
	bool is_exact;

	if (!(system_time & KVM_MSR_ENABLE))
		return;
	page = kvm_bytes(kvm, system_time - KVM_MSR_ENABLE, sizeof(*page), 4);
	if (!page)
		return;
	is_exact = kvm->ops->tsc_base(kvm->ctx, &base);
	kvm_change_begin(&page->version);
	page->tsc = base;
	page->ns = 0;
	page->multiplier = kvm->multiplier;
	page->shift = kvm->shift;
	page->flags = is_exact ? KVM_CLOCK_STABLE : 0;
	kvm_change_end(&page->version);
}

void kvm_wall_write(const struct kvm *kvm, gpa_t gpa)
{
	struct kvm_wall_page *page = kvm_bytes(kvm, gpa, sizeof(*page), 4);

	if (!page)
		return;
	kvm_change_begin(&page->version);
	page->seconds = (uint32_t)kvm->epoch_s;
	page->ns = 0;
	kvm_change_end(&page->version);
}
