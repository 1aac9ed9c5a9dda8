/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM and its vCPUs as the monitor sees them: what the back end runs, what
 * the machine shares, what is pending.
 *
 * Locking: a vCPU's fields belong to its thread, but for those marked atomic.
 * The domain's lock covers the nested page tables; see vm/domain.h.
 */
#ifndef BULKHEAD_VM_VM_H
#define BULKHEAD_VM_VM_H

#include "include/gate.h"
#include "include/log.h"
#include "include/spinlock.h"
#include "include/vendor.h"
#include "cpumodel/apic.h"
#include "cpumodel/cpuid.h"
#include "cpumodel/msr.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "mm/map.h"
#include "mm/table.h"
#include "vm/domain.h"

/* Reasons to look before the next entry: bits of vcpu->pending, atomic. */
#define PENDING_EVENT	   BIT(0) /* the machine has user.events to see */
#define PENDING_NMI	   BIT(1)
#define PENDING_INIT	   BIT(2)
#define PENDING_SIPI	   BIT(3)
#define PENDING_EXTINT	   BIT(4) /* INTR of the 8259 pair may be up */
#define PENDING_APIC_TIMER BIT(5)
#define PENDING_FLUSH	   BIT(6) /* the nested tables changed */
#define PENDING_STOP	   BIT(7)
#define PENDING_RESET	   BIT(8)
#define PENDING_EOI	   BIT(9)  /* vectors in vcpu->eoi for the IOAPIC */
#define PENDING_KICK	   BIT(10) /* the APIC has posted requests */
#define PENDING_STEP	   BIT(11) /* #DB after a single-stepped instruction */
#define PENDING_NMI_TWO	   BIT(12) /* another one, behind PENDING_NMI */
#define PENDING_NMIS	   (PENDING_NMI | PENDING_NMI_TWO)
#define PENDING_UNHALT	   BIT(13) /* ends HLT, this one or the next */
#define PENDING_AWAY	   BIT(14) /* page->away_offset's byte was set */
/* States, not requests: no instruction runs while one of them is set. */
#define PENDING_HALTED	   BIT(16) /* in HLT */
#define PENDING_WAIT_SIPI  BIT(17)
#define PENDING_NO_CPUID   BIT(18) /* the machine has not said yet */

_Static_assert(GATE_MAX_VCPUS <= APIC_GROUP_MAX, "all in one group");

#define WINDOW_NONE   0
#define WINDOW_EXTINT 256 /* above all vectors */

struct vm;

struct vcpu {
	struct user_thread user; /* the machine's thread for it */
	struct vendor_vcpu vendor;
	struct gate_page *page;
	const struct vendor *back;
	struct apic apic;
	uint32_t pending; /* atomic */
	uint32_t id;
	struct vm *vm;
	const struct cpuid_table *cpuid;
	struct msr_file msr;

	struct timer apic_timer;
	uint64_t eoi[4];     /* vectors whose EOI the machine must see */
	uint8_t sipi_vector; /* atomic */
	uint32_t extint;     /* page->extint when it was last looked at */
	/*
	 * The vector for which the back end was asked to exit as soon as it
	 * can be taken: until then only a higher one is worth a look.
	 */
	int16_t window;
	struct x86_xstate *xsave; /* while another owns the registers */
	uint64_t xcr0;
	uint32_t tsc_aux; /* while not in the processor, see vm/fpu.c */
	uint64_t exits[EXIT_REASON_COUNT];
	struct exit_info last_exit;
	struct log_source log;
	uint8_t apic_page[PAGE_SIZE] __aligned(PAGE_SIZE);
};
_Static_assert(offsetof(struct vcpu, user) == 0, "vcpu_of() costs nothing");

/*
 * A domain's VM: nested tables, memory, vCPUs.  domain->lock: the nested tables
 * and resets.
 */
struct vm {
	struct vendor_vm vendor;
	struct domain *domain;
	const struct vendor *back;
	struct gate_config *config; /* the domain's */
	struct page_table nested;

	uint32_t vcpu_count;
	struct vcpu *vcpu[GATE_MAX_VCPUS];
	struct apic_group apics;
	const struct cpuid_table *cpuid;
	bool switches_tsc_aux; /* the processor has it, whatever is shown */

	/* The VM's memory: RAM, video memory, ROM, in pieces of 2 MiB; words
	 * of vm_memory.c's, atomic. */
	uint64_t *chunk;
	uint32_t chunk_count;
	bool is_pinned; /* devices reach it; space_lock */
	/* Where its CPUs' memory is, and from where to look for more of it; a
	 * hint, unlocked. */
	bool has_node;
	uint32_t node;
	hpa_t near;

	uint64_t efer_valid; /* bits that CPUID tells of */
	bool intr_level; /* of the 8259 pair, as LINT0 last saw it; atomic */

	struct mem_account nested_account;
	struct mem_account ram_account;
};

static inline struct vcpu *vcpu_of(struct user_thread *user)
{
	return container_of(user, struct vcpu, user);
}

/* vm/vm.c */
/*
 * The VM of a domain that is being made, from its spec: memory and nested
 * tables, no vCPU yet.  After an error *out may hold what was made so far, for
 * vm_destroy().
 */
int __must_check vm_create(struct domain *domain, struct vm **out);
/* Its vCPUs are gone. */
void vm_destroy(struct vm *vm);
/* vCPU id, whose thread is to be made.  An error leaves nothing. */
int __must_check vm_vcpu_create(struct vm *vm, unsigned id,
				struct user_thread **user);
void vm_vcpu_destroy(struct vcpu *vcpu);
/*
 * The table at that address of the machine's, once: -EEXIST after that,
 * -EFAULT, -EINVAL for one that makes no sense, -ENOMEM.  domain_lock() held.
 */
int __must_check vm_set_cpuid(struct vm *vm, uint64_t address);
/* VM time begins: guests' TSC is zero at config->tsc_base. */
void vm_set_time(struct vm *vm);
/* Its part of the status. */
void vm_query(const struct vm *vm, struct gate_domain_status *status);
/* Their part of the hooks of a thread. */
void vcpu_switch_in(struct vcpu *vcpu);
void vcpu_switch_out(struct vcpu *vcpu);
/*
 * What the guest was doing, for a report: its state to the gate page, what it
 * exited for to status, the back end's words to the log.
 */
void vcpu_save(struct vcpu *vcpu, struct gate_domain_status *status);
/*
 * The VM's domain ends for a reason of the guest's; the calling vCPU's thread
 * with it.
 */
__noreturn void vcpu_fail(struct vcpu *vcpu, enum gate_end why);
/*
 * Every vCPU to its state after reset: on return no other runs guest code, and
 * each takes its reset before it does, and goes to its machine with
 * GATE_EXIT_RESET.  domain_lock() held.
 */
void vm_reset(struct vm *vm, struct vcpu *caller);
/*
 * Nobody uses translations of before the last change of the nested tables any
 * more, on any CPU; then their unused pages are freed.  domain_lock() held.
 */
void vm_flush(struct vm *vm);

/* vm/vm_memory.c */
/* Memory, and the machine's window onto it, as the spec says.  -ENOMEM: what is
 * there then is vm_memory_fini()'s. */
int __must_check vm_memory_init(struct vm *vm);
void vm_memory_fini(struct vm *vm);
/* Where piece index is; 0: nowhere now. */
hpa_t vm_chunk(const struct vm *vm, uint64_t index);
/* It is shown to the guest, as part of 2 MiB at gpa.  domain_lock() held. */
void vm_chunk_placed(struct vm *vm, uint64_t index, gpa_t gpa);
/* What [from, end) of a new piece is: the thread's from va on. */
struct vm_content {
	uint64_t from, end, va;
	int error; /* vm_memory.c's */
};
/* The thread has touched it: it is there on return, zero if it was absent; or
 * with that content.  -EEXIST: it was not absent; -EFAULT, -ENOMEM. */
int __must_check vm_populate(struct user_thread *user, uint64_t index,
			     struct vm_content *content);
/*
 * Takes it out of the window.  The caller, with domain_lock(), and space_lock
 * here, takes it out of the nested tables at *gpa (UINT64_MAX: it is in none),
 * flushes, and calls vm_chunk_free().  False: it is not there, or has to stay.
 */
bool __must_check vm_chunk_withdraw(struct vm *vm, uint64_t index, gpa_t *gpa);
void vm_chunk_free(struct vm *vm, uint64_t index);
/* Devices are told where it is: what is there stays. */
void vm_pin(struct vm *vm);

/* VM time. */
static inline uint64_t vm_now_ns(const struct vm *vm)
{
	const struct gate_config *config = vm->config;

	return (uint64_t)(((unsigned __int128)(time_now_tsc() -
					       config->tsc_base) *
			   config->tsc_mult) >>
			  32);
}

/* vm/vcpu_init.c */
int __must_check vcpu_init(struct vcpu *vcpu, struct vm *vm, uint32_t id);
void vcpu_fini(struct vcpu *vcpu);

/* vm/vcpu.c */
/*
 * What the vCPU's APIC lets through may have changed (its own thread did it):
 * look at all requests anew.
 */
void vcpu_priority_changed(struct vcpu *vcpu);
/* vCPU 0's page says something new about the 8259 pair's output; any thread. */
void vcpu_extint_changed(struct vcpu *vcpu);
/* Set bits of pending, by the vCPU's own thread. */
void vcpu_pend(struct vcpu *vcpu, uint32_t pending);
/* There is a CPUID table: it may run. */
void vcpu_cpuid_known(struct vcpu *vcpu);
/* State after power-on; the vCPU's own thread, or before it runs. */
void vcpu_reset_all(struct vcpu *vcpu);
/* Set bits of pending, make the vCPU look, from any CPU; what it was before. */
uint32_t vcpu_notify(struct vcpu *vcpu, uint32_t pending);
/* GATE_RESUME. */
long vcpu_resume(struct vcpu *vcpu);
/* Inject an exception at the next entry. */
void vcpu_inject(struct vcpu *vcpu, uint8_t vector, bool has_error_code,
		 uint32_t error_code);

/* vm/exits.c: what an exit wants next. */
enum exit_action { EXIT_RUN_AGAIN, EXIT_TO_MACHINE };
typedef enum exit_action (*exit_fn)(struct vcpu *vcpu, struct exit_info *info);
extern const exit_fn exit_handlers[EXIT_REASON_COUNT];

/* vm/policy.c: CPUID and MSRs as this vCPU sees them. */
extern const struct msr_ops vcpu_msr_ops;
/* What depends on the vCPU's state put into a copy of leaf->regs. */
void cpuid_complete(struct vcpu *vcpu, const struct cpuid_leaf *leaf,
		    uint32_t subleaf, struct cpuid_regs *regs);
/* CPUID with its inputs in RAX and RCX. */
void cpuid_execute(struct vcpu *vcpu, uint32_t eax, uint32_t ecx);
/* 0; -EINVAL for #GP; -ENOENT: if there is one, it is the machine's. */
int __must_check msr_exit_read(struct vcpu *vcpu, uint32_t msr,
			       uint64_t *value);
int __must_check msr_exit_write(struct vcpu *vcpu, uint32_t msr,
				uint64_t value);

/* vm/fpu.c */
void fpu_release(struct vcpu *vcpu);
int __must_check fpu_init_vcpu(struct vcpu *vcpu);
void fpu_switch_in(struct vcpu *vcpu);
void fpu_forget(struct vcpu *vcpu);
void fpu_load_page(struct vcpu *vcpu);
void fpu_store_page(struct vcpu *vcpu);
/* 0 or -EINVAL for #GP. */
int __must_check fpu_xcr0_set(struct vcpu *vcpu, uint64_t value);
uint64_t fpu_xcr0_get(struct vcpu *vcpu);
/* 0 or -EINVAL for #GP; on the vCPU's own thread. */
int __must_check fpu_tsc_aux_get(struct vcpu *vcpu, uint64_t *value);
int __must_check fpu_tsc_aux_set(struct vcpu *vcpu, uint64_t value);

#endif
