/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM and its vCPUs as the monitor sees them: what the back end runs, what
 * the machine shares, what is pending.
 *
 * Locking: a vCPU's fields belong to its thread, but for those marked atomic.
 * vm->lock covers the nested page tables and the life of the VM.
 */
#ifndef BULKHEAD_VM_VM_H
#define BULKHEAD_VM_VM_H

#include "include/gate.h"
#include "include/log.h"
#include "include/spinlock.h"
#include "include/vendor.h"
#include "cpumodel/apic.h"
#include "kernel/console.h"
#include "cpumodel/cpuid.h"
#include "cpumodel/msr.h"
#include "lib/program.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "mm/map.h"
#include "mm/table.h"

struct host;
struct guest_manifest;

/* Reasons to look before the next entry: bits of vcpu->pending, atomic. */
#define PENDING_EVENT	   BIT(0) /* the machine has vm->events to see */
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
/* States, not requests: no instruction runs while one of them is set. */
#define PENDING_HALTED	   BIT(16) /* in HLT */
#define PENDING_WAIT_SIPI  BIT(17)

#define WINDOW_NONE   0
#define WINDOW_EXTINT 256 /* above all vectors */

#define VM_INPUT_MAX 256 /* console bytes not yet read */

struct vm;

struct vcpu {
	struct vendor_vcpu vendor;
	struct gate_page *page;
	const struct vendor *back;
	struct apic apic;
	uint32_t pending; /* atomic */
	uint32_t id;
	struct vm *vm;
	const struct cpuid_table *cpuid;
	struct msr_file msr;

	struct thread *thread;
	struct timer apic_timer;
	uint64_t eoi[4];     /* vectors whose EOI the machine must see */
	uint8_t sipi_vector; /* atomic */
	bool extint_taken;   /* an INTACK is under way */
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

struct vm_disk {
	uint8_t *data; /* in the physmap */
	uint64_t sector_count;
	bool is_read_only;
};

/* A boot module's bytes, of its own because others use the module too. */
struct vm_copy {
	void *data;
	uint64_t size;
};

/*
 * Lives until the last of its vCPUs' threads has left it (running), none of its
 * timers' functions runs and its console is gone.  lock: the nested tables,
 * GATE_TIMER's timer, the exit code, resets; see vm_lock().
 */
struct vm {
	struct vendor_vm vendor;
	struct sched_domain domain;
	const struct vendor *back;
	struct host *host;
	const struct guest_manifest *manifest;

	struct gate_config *config; /* shown to the machine, read-only */
	struct address_space space;
	struct page_table nested;
	struct spinlock lock;

	uint32_t vcpu_count;
	struct vcpu *vcpu[GATE_MAX_VCPUS];
	struct apic *apic[GATE_MAX_VCPUS];
	struct cpuid_table *cpuid;

	/* The VM's memory: RAM, video memory, ROM, in pieces of 2 MiB. */
	hpa_t *chunk;
	uint32_t chunk_count;
	struct vm_disk disk[GATE_MAX_DISKS];
	struct vm_copy copy[GATE_MAX_DISKS + GATE_MAX_BLOBS];
	unsigned copy_count;

	struct msr_config msr_config;
	struct program program; /* the machine's */
	bool is_program_copied; /* not out of the boot image */
	uint64_t entry;		/* of the machine's program */
	uint64_t tsc_base;
	struct timer timer; /* GATE_TIMER */
	uint32_t events;    /* GATE_EVENT_*, atomic */
	bool intr_level;    /* the 8259 pair's output, atomic */
	bool is_stopping;   /* atomic */
	uint32_t running;   /* vCPU threads alive, atomic */
	uint32_t exit_code;

	struct console_guest console;
	struct spinlock input_lock;
	uint32_t input_count;
	uint8_t input[VM_INPUT_MAX];

	struct mem_account account; /* the monitor's own for this VM */
	struct mem_account nested_account;
	struct mem_account ram_account;
	struct mem_account copy_account;
	struct log_source log;
};

/* vm/vm.c */
/*
 * Creates the VM of one manifest node; its vCPU threads are not started.
 * After an error *out may hold what was made so far, for vm_discard().
 */
int __must_check vm_create(struct host *host, const struct vendor *back,
			   const struct guest_manifest *manifest,
			   struct vm **out);
/* Takes one apart that was never started, or only half made. */
void vm_discard(struct vm *vm);
/* Before any starts, so that none is alone on the console for a moment. */
void vm_attach_console(struct vm *vm);
void vm_start(struct vm *vm);
/*
 * Stops all vCPUs of the VM as soon as each next looks; why is logged.  The
 * last one to go frees the VM.
 */
void vm_stop(struct vm *vm, const char *why);
/* The calling vCPU thread ends; no lock may be held. */
__noreturn void vcpu_exit(struct vcpu *vcpu);
/*
 * Every vCPU to its state after reset: on return no other runs guest code, and
 * each takes its reset before it does, and goes to its machine with
 * GATE_EXIT_RESET.  vm_lock() held.
 */
void vm_reset(struct vm *vm, struct vcpu *caller);

/*
 * The lock of what a VM's vCPUs share.  Taken by the vCPU's own thread with
 * interrupts off; who waits for it lets host interrupts and other threads in,
 * so the holder may wait for other CPUs (cpu_call()).  Does not return when the
 * VM is stopped meanwhile.
 */
void vm_lock(struct vcpu *vcpu);
void vm_unlock(struct vcpu *vcpu);
/* For long work of a vCPU's thread without a lock: see sched_breathe(). */
void vcpu_breathe(struct vcpu *vcpu);
/*
 * No vCPU of the VM is in its guest: each that was has left it since the call
 * and looks at pending before it goes back.  vm_lock() held, by one of them.
 */
void vm_sync(struct vm *vm);
/*
 * Nobody uses translations of before the last change of the nested tables any
 * more, on any CPU; then their unused pages are freed.  vm_lock() held.
 */
void vm_flush(struct vm *vm);

/* VM time. */
static inline uint64_t vm_now_ns(const struct vm *vm)
{
	return (uint64_t)(((unsigned __int128)(time_now_tsc() - vm->tsc_base) *
			   vm->config->tsc_mult) >>
			  32);
}
/* Host TSC at that VM time, UINT64_MAX if never. */
uint64_t vm_deadline_tsc(const struct vm *vm, uint64_t ns);

/* vm/vcpu_init.c */
int __must_check vcpu_init(struct vcpu *vcpu, struct vm *vm, uint32_t id);
void vcpu_fini(struct vcpu *vcpu);

/* vm/vcpu.c */
/*
 * What the vCPU's APIC lets through may have changed (its own thread did it):
 * look at all requests anew.
 */
void vcpu_priority_changed(struct vcpu *vcpu);
/* Set bits of pending, by the vCPU's own thread. */
void vcpu_pend(struct vcpu *vcpu, uint32_t pending);
/* State after power-on; the vCPU's own thread, or before it runs. */
void vcpu_reset_all(struct vcpu *vcpu);
/* Set bits of pending and make the vCPU look, from any CPU. */
void vcpu_notify(struct vcpu *vcpu, uint32_t pending);
/* GATE_RESUME. */
long vcpu_resume(struct vcpu *vcpu);
/* Inject an exception at the next entry. */
void vcpu_inject(struct vcpu *vcpu, uint8_t vector, bool has_error_code,
		 uint32_t error_code);
/* Say what the vCPU was doing, in full. */
void vcpu_report(struct vcpu *vcpu);
struct vcpu *vcpu_current(void);

/* vm/exits.c: what an exit wants next. */
enum exit_action { EXIT_RUN_AGAIN, EXIT_TO_MACHINE };
typedef enum exit_action (*exit_fn)(struct vcpu *vcpu, struct exit_info *info);
extern const exit_fn exit_handlers[EXIT_REASON_COUNT];

/* vm/policy.c: CPUID and MSRs as this vCPU sees them. */
extern const struct msr_ops vcpu_msr_ops;
/* EMUL_FEATURE_* for what CPUID tells of. */
uint64_t policy_emulator_features(const struct cpuid_table *table);
/* What depends on the vCPU's state put into a copy of leaf->regs. */
void cpuid_complete(struct vcpu *vcpu, const struct cpuid_leaf *leaf,
		    uint32_t subleaf, struct cpuid_regs *regs);
/* CPUID with its inputs in RAX and RCX. */
void cpuid_execute(struct vcpu *vcpu, uint32_t eax, uint32_t ecx);
/* 0, or -EINVAL for #GP. */
int __must_check msr_exit_read(struct vcpu *vcpu, uint32_t msr,
			       uint64_t *value);
int __must_check msr_exit_write(struct vcpu *vcpu, uint32_t msr,
				uint64_t value);

/* vm/gate.c, vm/gate_entry.asm */
#define GATE_ROW_SHIFT 4 /* of a row in the table of calls */
/* Some without a call: the number is cut to this where it is only guessed. */
#define GATE_ROWS      64
_Static_assert(GATE_CALL_COUNT <= GATE_ROWS, "a row for each call");
void gate_init_cpu(void);
__noreturn void gate_enter_machine(uint64_t rip, uint64_t rsp, uint64_t arg);

/* vm/fpu.c */
void fpu_init_cpu(void);
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
uint64_t fpu_xcr0_mask(void);
uint64_t fpu_xcr0_get(struct vcpu *vcpu);

#endif
