/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AMD-V back end: enables SVM on a CPU, makes VMCBs, runs guests.
 *
 * Nested paging is required.  NextRIP, clean bits and FlushByASID are used
 * where CPUID has them and done without where not.  Not used: AVIC, LBR
 * virtualization, TSC ratio, pause filter, VGIF.
 *
 * Reference: APM volume 2, "Secure Virtual Machine".
 */
#include "svm/svm.h"

#include "include/errno.h"
#include "include/log.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define CPUID_EXT1_ECX_SVM BIT(2)

/* clang-format off */
#define CPUID_HYPERVISOR	0x40000000
#define   CPUID_TCG_EBX		0x54474354 /* "TCGTCGTCGTCG" */
#define   CPUID_TCG_ECX		0x43544743
#define   CPUID_TCG_EDX		0x47435447
/* clang-format on */

#define IOPM_PAGES 3

/* PAUSEs before a loop counts as waiting, where the processor counts them. */
#define PAUSE_COUNT 3000

/* Per CPU: where its own state is while guests run, and its ASIDs. */
struct svm_cpu {
	hpa_t host_vmcb_hpa;
	hpa_t hsave_hpa;
	uint32_t asid_generation;
	uint32_t asid_next;
};

/* Written by svm_probe() and svm_cpu_enable() before any guest runs. */
static struct svm_features features;
static struct svm_cpu svm_cpus[VENDOR_MAX_CPUS];
static hpa_t iopm_hpa;

/* QEMU's interpreter, whose virtualization has faults of its own. */
static bool is_tcg(void)
{
	struct cpuid_regs r = cpuid_read(CPUID_HYPERVISOR, 0);

	return r.ebx == CPUID_TCG_EBX && r.ecx == CPUID_TCG_ECX &&
	       r.edx == CPUID_TCG_EDX;
}

static int svm_probe(const char **why)
{
	struct cpuid_regs r = cpuid_read(0x80000000, 0);

	if (r.eax < CPUID_SVM ||
	    !(cpuid_read(0x80000001, 0).ecx & CPUID_EXT1_ECX_SVM)) {
		*why = "the processor has no AMD-V (CPUID 80000001 ECX.SVM)";
		return -ENODEV;
	}
	r = cpuid_read(CPUID_SVM, 0);
	if (!(r.edx & SVM_EDX_NP)) {
		*why = "the processor's AMD-V has no nested paging";
		return -ENODEV;
	}
	features.asid_count = r.ebx;
	features.has_next_rip = r.edx & SVM_EDX_NRIPS;
	features.has_clean_bits = r.edx & SVM_EDX_CLEAN;
	features.has_flush_asid = r.edx & SVM_EDX_FLUSH_ASID;
	features.has_pause_filter = r.edx & SVM_EDX_PAUSE_FILTER;
	features.is_tcg = is_tcg();
	if (features.asid_count < 2) {
		*why = "the processor's AMD-V has no ASID for guests";
		return -ENODEV;
	}
	return 0;
}

static int svm_cpu_enable(unsigned cpu, struct pages *pages,
			  struct mem_account *account)
{
	struct svm_cpu *c = &svm_cpus[cpu];
	hpa_t host_vmcb, hsave;

	if (cpu >= ARRAY_SIZE(svm_cpus))
		return -ERANGE;
	if (!iopm_hpa) {
		/* One map for all guests: every port exits. */
		uint8_t *iopm = pages_alloc_zeroed(pages, account, 2);

		if (!iopm)
			return -ENOMEM;
		memset(iopm, 0xff, IOPM_PAGES * PAGE_SIZE);
		iopm_hpa = virt_to_phys(iopm);
	}
	host_vmcb = pages_alloc(pages, account, 0);
	hsave = pages_alloc(pages, account, 0);
	if (!host_vmcb || !hsave)
		return -ENOMEM;
	c->host_vmcb_hpa = host_vmcb;
	c->hsave_hpa = hsave;
	c->asid_generation = 1;
	c->asid_next = 1;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, hsave);
	/* What VMLOAD brings back after each exit never changes. */
	__asm__ volatile("vmsave %0" : : "a"(host_vmcb) : "memory");
	return 0;
}

static void svm_cpu_disable(unsigned cpu)
{
	(void)cpu;
	msr_write(MSR_VM_HSAVE_PA, 0);
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~EFER_SVME);
}

static int svm_vm_init(struct vendor_vm *vm)
{
	uint8_t *msrpm = pages_alloc_zeroed(vm->pages, vm->account, 1);

	if (!msrpm)
		return -ENOMEM;
	svm_msrpm_init(msrpm);
	vm->private = msrpm;
	return 0;
}

static void svm_vm_fini(struct vendor_vm *vm)
{
	pages_free_virt(vm->pages, vm->account, vm->private, 1);
	vm->private = NULL;
}

/* What every guest exits for, whatever it does. */
static void vmcb_init_controls(struct vmcb *vmcb, const struct vendor_vm *vm)
{
	vmcb->intercept_dr = INTERCEPT_DR_ALL;
	/*
	 * #AC and #DB can be raised without end from microcode, where no
	 * interrupt gets in; #MC is the host's.
	 */
	vmcb->intercept_exceptions =
		BIT(X86_VECTOR_DB) | BIT(X86_VECTOR_AC) | BIT(X86_VECTOR_MC);
	vmcb->intercept = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_INIT |
			  INTERCEPT_RDPMC | INTERCEPT_CPUID | INTERCEPT_RSM |
			  INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA |
			  INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_FERR |
			  INTERCEPT_SHUTDOWN;
	vmcb->intercept2 =
		INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD |
		INTERCEPT2_VMSAVE | INTERCEPT2_STGI | INTERCEPT2_CLGI |
		INTERCEPT2_SKINIT | INTERCEPT2_WBINVD | INTERCEPT2_MONITOR |
		INTERCEPT2_MWAIT | INTERCEPT2_XSETBV | INTERCEPT2_RDPRU;
	/*
	 * CR4 is the guest's own where it may set every bit that this
	 * processor knows; elsewhere somebody has to look.
	 */
	if (vm->host_cr4_mask & ~vm->guest_cr4_mask)
		vmcb->intercept_cr = INTERCEPT_CR_WRITE(4);
	if (vm->exits_on_pause) {
		vmcb->intercept |= INTERCEPT_PAUSE;
		if (features.has_pause_filter)
			vmcb->pause_count = PAUSE_COUNT;
	}
	vmcb->iopm_hpa = iopm_hpa;
	vmcb->msrpm_hpa = virt_to_phys(vm->private);
	vmcb->int_ctl = INT_CTL_V_INTR_MASKING;
	vmcb->nested_control = NESTED_ENABLE;
	vmcb->nested_cr3 = vm->nested_root;
	vmcb->tlb_control = TLB_FLUSH_ALL;
}

static int svm_vcpu_init(struct vendor_vcpu *vcpu)
{
	struct vendor_vm *vm = vcpu->vm;
	struct svm_vcpu *svm = pages_alloc_zeroed(vm->pages, vm->account, 0);
	struct vmcb *vmcb;

	if (!svm)
		return -ENOMEM;
	vmcb = pages_alloc_zeroed(vm->pages, vm->account, 0);
	if (!vmcb) {
		pages_free_virt(vm->pages, vm->account, svm, 0);
		return -ENOMEM;
	}
	svm->vmcb = vmcb;
	svm->vmcb_hpa = virt_to_phys(vmcb);
	svm->features = &features;
	svm->has_next_rip = features.has_next_rip;
	svm->dirty = CLEAN_ALL;
	vmcb_init_controls(vmcb, vm);
	svm->exits_on_cr4 = vmcb->intercept_cr & INTERCEPT_CR_WRITE(4);
	vcpu->private = svm;
	return 0;
}

static void svm_vcpu_fini(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;
	struct vendor_vm *vm = vcpu->vm;

	pages_free_virt(vm->pages, vm->account, svm->vmcb, 0);
	pages_free_virt(vm->pages, vm->account, svm, 0);
	vcpu->private = NULL;
}

static void svm_tlb_flush(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm->vmcb->tlb_control =
		features.has_flush_asid ? TLB_FLUSH_ASID : TLB_FLUSH_ALL;
}

static void svm_switch_out(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm_dr_put_away(svm);
	svm->cpu = NULL;
}

/* ---- Running ----------------------------------------------------------- */

/*
 * A CPU hands out each ASID once and then begins a new generation, with all
 * of its guest translations flushed.  What a vCPU was given stays good until
 * then, if it comes back to the same CPU.
 */
static void asid_assign(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	if (svm->asid_cpu == cpu &&
	    svm->asid_generation == cpu->asid_generation)
		return;
	if (cpu->asid_next >= features.asid_count) {
		cpu->asid_generation++;
		cpu->asid_next = 1;
		svm->vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	svm->vmcb->asid = cpu->asid_next++;
	svm->asid_generation = cpu->asid_generation;
	svm->asid_cpu = cpu;
	svm->dirty = CLEAN_ALL;
}

/* The first run after the vCPU came to this CPU. */
static __noinline struct svm_cpu *cpu_enter(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm->cpu = &svm_cpus[vcpu->cpu];
	asid_assign(svm, svm->cpu);
	/* Bochs 2.7 does not load it from the VMCB. */
	cr2_write(svm->vmcb->cr2);
	return svm->cpu;
}

static void svm_vcpu_run(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct svm_vcpu *svm = vcpu->private;
	struct svm_cpu *cpu = svm->cpu;
	struct x86_state *state = vcpu->state;
	struct vmcb *vmcb = svm->vmcb;

	vmcb->rax = state->gpr[X86_RAX];
	vmcb->rsp = state->gpr[X86_RSP];
	vmcb->rip = state->rip;
	vmcb->rflags = (state->rflags & RFLAGS_GUEST) | X86_FLAG_ONE;
	vmcb->int_ctl = (vmcb->int_ctl & ~INT_CTL_V_TPR) | vcpu->tpr >> 4;
	vmcb->tsc_offset = vcpu->tsc_offset;
	if (unlikely(!cpu))
		cpu = cpu_enter(vcpu);
	if (features.has_clean_bits) {
		vmcb->clean = CLEAN_ALL & ~svm->dirty;
		svm->dirty = CLEAN_TPR;
	}

	svm_enter(svm->vmcb_hpa, state, cpu->host_vmcb_hpa);

	state->gpr[X86_RAX] = vmcb->rax;
	state->gpr[X86_RSP] = vmcb->rsp;
	state->rip = vmcb->rip;
	state->rflags = vmcb->rflags;
	state->valid = X86_GROUP_GPR_RIP;
	vendor_cr8_set(vcpu, vmcb->int_ctl & INT_CTL_V_TPR);
	vcpu->has_shadow = vmcb->int_state & INT_STATE_SHADOW;
	vmcb->tlb_control = TLB_KEEP;
	if (unlikely((vmcb->exit_int_info & EVENT_VALID) | svm->is_virq_sent))
		svm_event_settle(svm);
	else
		vmcb->event_inject = 0;
	svm_exit_decode(vcpu, info);
}

const struct vendor svm_vendor = {
	.name = "AMD-V",
	.nested_format = NESTED_FORMAT_NPT,
	.probe = svm_probe,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.vm_init = svm_vm_init,
	.vm_fini = svm_vm_fini,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.state_load = svm_state_load,
	.state_store = svm_state_store,
	.msr_get = svm_msr_get,
	.msr_set = svm_msr_set,
	.can_inject = svm_can_inject,
	.inject = svm_inject,
	.open_window = svm_open_window,
	.events_clear = svm_events_clear,
	.end_shadow = svm_end_shadow,
	.tlb_flush = svm_tlb_flush,
	.switch_out = svm_switch_out,
	.run = svm_vcpu_run,
	.dump = svm_dump,
};
