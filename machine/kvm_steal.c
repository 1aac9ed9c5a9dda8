/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time that others took, and who is away: see kvm.h.
 *
 *	         loses its CPU: KVM_AWAY            before it runs again
 *	watched ─────────────────────────► away ─────────────────────────►
 *watched │ ▲     byte := 0, time told └─┘ others: KVM_AWAY_FLUSH
 *
 * Who finds a vCPU away need not interrupt it to have its TLB flushed, but sets
 * a bit in its byte, by an exchange that compares; the bit goes with KVM_AWAY,
 * also by an exchange, and only then is the TLB flushed.  So each request is
 * either seen here or never made.
 *
 * Reference: Linux, "KVM-specific MSRs".
 */
#include "machine/kvm.h"

#include "include/errno.h"

#define STEAL_RESERVED MASK(5, 1)
#define STEAL_GPA      MASK(63, 6)

static struct kvm_steal_page *page_of(const struct kvm *kvm, unsigned vcpu)
{
	uint64_t value = kvm->state.vcpu[vcpu].steal_time;

	if (!(value & KVM_MSR_ENABLE))
		return NULL;
	return kvm_bytes(kvm, value & STEAL_GPA, sizeof(struct kvm_steal_page),
			 sizeof(struct kvm_steal_page));
}

/* Its own figure is the guest's to keep: what it makes of it is its affair. */
static void tell_waited(struct kvm *kvm, unsigned vcpu,
			struct kvm_steal_page *page)
{
	uint64_t waited = kvm->ops->waited(kvm->ctx, vcpu);
	uint64_t more = waited - kvm->waited[vcpu];

	kvm->waited[vcpu] = waited;
	kvm_change_begin(&page->version);
	page->flags = 0;
	page->ns += more;
	kvm_change_end(&page->version);
}

/* True: a flush was asked for meanwhile. */
static bool come_back(struct kvm_steal_page *page)
{
	return __atomic_exchange_n(&page->away, 0, __ATOMIC_SEQ_CST) &
	       KVM_AWAY_FLUSH;
}

void kvm_arrive(struct kvm *kvm, unsigned vcpu)
{
	struct kvm_steal_page *page = page_of(kvm, vcpu);

	if (!page)
		return;
	if (come_back(page))
		kvm->ops->flush(kvm->ctx);
	tell_waited(kvm, vcpu, page);
	kvm->ops->watch(kvm->ctx, vcpu, &page->away);
}

/* What was waited before is not told.  In the page of before a flush may have
 * been asked for since this vCPU left the guest. */
int kvm_steal_set(struct kvm *kvm, unsigned vcpu, uint64_t value)
{
	struct kvm_steal_page *before = page_of(kvm, vcpu);

	if (value & STEAL_RESERVED)
		return -EINVAL;
	kvm->ops->watch(kvm->ctx, vcpu, NULL);
	if (before && come_back(before))
		kvm->ops->flush(kvm->ctx);
	kvm->state.vcpu[vcpu].steal_time = value;
	kvm->waited[vcpu] = kvm->ops->waited(kvm->ctx, vcpu);
	kvm_arrive(kvm, vcpu);
	return 0;
}

void kvm_steal_resume(struct kvm *kvm, unsigned vcpu)
{
	struct kvm_steal_page *page = page_of(kvm, vcpu);

	kvm->waited[vcpu] = kvm->ops->waited(kvm->ctx, vcpu);
	if (!page)
		return;
	(void)come_back(page);
	kvm->ops->watch(kvm->ctx, vcpu, &page->away);
}
