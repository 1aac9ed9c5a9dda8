/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VT-x back end: turns VMX operation on, makes VMCSs, runs guests.
 *
 * EPT, virtual NMIs and MSR bitmaps are required; unrestricted guest, VPID, a
 * TPR shadow, PAT and EFER controls are used where the processor has them.
 * vmx/controls.c says what is not used at all.
 *
 * A VMCS belongs to the CPU its thread runs on: it is cleared when the thread
 * leaves, and made current again by whoever needs it first.
 *
 * References: SDM volume 3, "Introduction to Virtual Machine Extensions",
 * "Virtual Machine Control Structures", "VMX Support for Address Translation".
 */
#include "vmx/vmx.h"

#include "include/errno.h"
#include "include/log.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "mm/ept.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "mm/table.h"

#define CPUID_ADDRESS_SIZES 0x80000008
#define PHYSICAL_BITS	    MASK(7, 0)

#define PAT_RESET 0x0007040600070406ULL
#define DR6_RESET 0xffff0ff0ULL

#define VPIDS 1024 /* in use at a time; 0 is the host's */

#define NO_CPU UINT32_MAX

/* Per CPU: its VMXON region, and whose VMCS is current. */
struct vmx_cpu {
	hpa_t vmxon_hpa;
	struct vmx_vcpu *current;
};

/* Written by vmx_probe() and vmx_cpu_enable() before any guest runs. */
static struct vmx_features features;
static struct vmx_cpu vmx_cpus[VENDOR_MAX_CPUS];

/* ---- The processor ---------------------------------------------------------
 */

static void read_caps(struct vmx_caps *caps)
{
	static const struct {
		uint8_t word;
		uint32_t plain, true_controls;
	} msrs[] = {
		{ WORD_PIN, MSR_VMX_PINBASED_CTLS, MSR_VMX_TRUE_PINBASED_CTLS },
		{ WORD_PROC, MSR_VMX_PROCBASED_CTLS,
		  MSR_VMX_TRUE_PROCBASED_CTLS },
		{ WORD_EXIT, MSR_VMX_EXIT_CTLS, MSR_VMX_TRUE_EXIT_CTLS },
		{ WORD_ENTRY, MSR_VMX_ENTRY_CTLS, MSR_VMX_TRUE_ENTRY_CTLS },
	};
	uint64_t proc2;

	*caps = (struct vmx_caps){ .basic = msr_read(MSR_VMX_BASIC) };
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		caps->word[msrs[i].word] =
			msr_read(caps->basic & VMX_BASIC_TRUE_CONTROLS
					 ? msrs[i].true_controls
					 : msrs[i].plain);
	caps->misc = msr_read(MSR_VMX_MISC);
	caps->cr0_fixed0 = msr_read(MSR_VMX_CR0_FIXED0);
	caps->cr0_fixed1 = msr_read(MSR_VMX_CR0_FIXED1);
	caps->cr4_fixed0 = msr_read(MSR_VMX_CR4_FIXED0);
	caps->cr4_fixed1 = msr_read(MSR_VMX_CR4_FIXED1);
	if (!(caps->word[WORD_PROC] >> 32 & PROC_SECONDARY))
		return;
	proc2 = msr_read(MSR_VMX_PROCBASED_CTLS2);
	caps->word[WORD_PROC2] = proc2;
	if (proc2 >> 32 & (PROC2_EPT | PROC2_VPID))
		caps->ept_vpid = msr_read(MSR_VMX_EPT_VPID_CAP);
}

static bool is_locked_off(void)
{
	uint64_t control = msr_read(MSR_FEATURE_CONTROL);

	return control & FEATURE_CONTROL_LOCKED &&
	       !(control & FEATURE_CONTROL_VMX);
}

static void log_caps(const struct vmx_caps *caps)
{
	const uint64_t *w = caps->word;

	log_dbg("VMX: basic %lx pin %lx proc %lx proc2 %lx exit %lx entry %lx",
		caps->basic, w[WORD_PIN], w[WORD_PROC], w[WORD_PROC2],
		w[WORD_EXIT], w[WORD_ENTRY]);
	log_dbg("VMX: EPT and VPID %lx misc %lx CR0 %lx %lx CR4 %lx %lx",
		caps->ept_vpid, caps->misc, caps->cr0_fixed0, caps->cr0_fixed1,
		caps->cr4_fixed0, caps->cr4_fixed1);
}

static int vmx_probe(const char **why)
{
	struct vmx_caps caps;

	if (!(cpuid_read(1, 0).ecx & CPUID_1_ECX_VMX)) {
		*why = "the processor has no VT-x (CPUID 1 ECX.VMX)";
		return -ENODEV;
	}
	if (is_locked_off()) {
		*why = "firmware has turned VT-x off and locked it "
		       "(IA32_FEATURE_CONTROL): look for 'Virtualization' in "
		       "its setup";
		return -ENODEV;
	}
	read_caps(&caps);
	log_caps(&caps);
	if (vmx_controls_negotiate(&caps, &features.controls, why))
		return -ENODEV;
	features.revision = (uint32_t)FIELD_GET(VMX_BASIC_REVISION, caps.basic);
	features.activities =
		(uint8_t)FIELD_GET(VMX_MISC_ACTIVITIES, caps.misc);
	features.cr0_fixed0 = caps.cr0_fixed0;
	features.cr0_fixed1 = caps.cr0_fixed1;
	features.cr4_fixed0 = caps.cr4_fixed0;
	features.cr4_fixed1 = caps.cr4_fixed1;
	features.physical_bits = (uint8_t)FIELD_GET(
		PHYSICAL_BITS, cpuid_read(CPUID_ADDRESS_SIZES, 0).eax);
	return 0;
}

static int vmxon(hpa_t region)
{
	bool is_failed;

	__asm__ volatile("vmxon %1; setna %0"
			 : "=q"(is_failed)
			 : "m"(region)
			 : "cc", "memory");
	return is_failed ? -EIO : 0;
}

/* A VMXON region or a VMCS: a page that begins with the revision. */
static void *region_new(struct pages *pages, struct mem_account *account)
{
	uint32_t *region = pages_alloc_zeroed(pages, account, 0);

	if (region)
		*region = features.revision;
	return region;
}

static int vmx_cpu_enable(unsigned cpu, struct pages *pages,
			  struct mem_account *account)
{
	uint64_t control = msr_read(MSR_FEATURE_CONTROL);
	struct vmx_cpu *c;
	void *region;

	if (cpu >= ARRAY_SIZE(vmx_cpus))
		return -ERANGE;
	if (is_locked_off())
		return -ENODEV;
	c = &vmx_cpus[cpu];
	region = region_new(pages, account);
	if (!region)
		return -ENOMEM;
	c->vmxon_hpa = virt_to_phys(region);
	if (!(control & FEATURE_CONTROL_LOCKED))
		msr_write(MSR_FEATURE_CONTROL, control | FEATURE_CONTROL_VMX |
						       FEATURE_CONTROL_LOCKED);
	cr0_write((cr0_read() | features.cr0_fixed0) & features.cr0_fixed1);
	cr4_write(cr4_read() | CR4_VMXE | features.cr4_fixed0);
	vmx_msrs_host_save();
	return vmxon(c->vmxon_hpa);
}

static void vmx_cpu_disable(unsigned cpu)
{
	(void)cpu;
	__asm__ volatile("vmxoff" : : : "cc", "memory");
	cr4_write(cr4_read() & ~CR4_VMXE);
}

/* ---- VMs -------------------------------------------------------------------
 */

/* Where guests' local APICs are mapped: no access ever reaches it. */
static uint8_t apic_page[PAGE_SIZE] __aligned(PAGE_SIZE);

hpa_t vmx_apic_page(void)
{
	return virt_to_phys(apic_page);
}

static int vmx_vm_init(struct vendor_vm *vm)
{
	struct vmx_vm *pages =
		pages_alloc_zeroed(vm->pages, vm->account, VMX_VM_ORDER);

	if (!pages)
		return -ENOMEM;
	vm->private = pages;
	vmx_msr_bitmap_init(pages->msr_bitmap);
	if (features.controls.has_apic_accesses &&
	    table_map(vm->nested, VMX_APIC_GPA, vmx_apic_page(), PAGE_SIZE,
		      MAP_READ | MAP_WRITE, MAP_WRITE_BACK))
		return -ENOMEM;
	if (features.controls.has_unrestricted)
		return 0;
	return vmx_identity_init(vm, pages->identity);
}

/* What the guest has used of its memory, as the processor marked it. */
static void log_usage(const struct vendor_vm *vm)
{
	if (!features.controls.has_ept_ad)
		return;
	log_dbg("EPT: %lu KiB mapped, %lu KiB accessed, %lu KiB written",
		table_bytes(vm->nested, 0) >> 10,
		table_bytes(vm->nested, EPT_ACCESSED) >> 10,
		table_bytes(vm->nested, EPT_DIRTY) >> 10);
}

static void vmx_vm_fini(struct vendor_vm *vm)
{
	log_usage(vm);
	pages_free_virt(vm->pages, vm->account, vm->private, VMX_VM_ORDER);
	vm->private = NULL;
}

/* ---- VPIDs -----------------------------------------------------------------
 */

/* A set bit is one in use; atomic. */
static uint64_t vpids[VPIDS / 64] = { 1 };

static uint16_t vpid_alloc(void)
{
	if (!features.controls.has_vpid)
		return 0;
	for (unsigned i = 1; i < VPIDS; i++) {
		uint64_t bit = BIT(i % 64);

		if (!(__atomic_fetch_or(&vpids[i / 64], bit, __ATOMIC_RELAXED) &
		      bit))
			return (uint16_t)i;
	}
	return 0;
}

static void vpid_free(uint16_t vpid)
{
	if (vpid)
		__atomic_fetch_and(&vpids[vpid / 64], ~BIT(vpid % 64),
				   __ATOMIC_RELAXED);
}

/* ---- vCPUs -----------------------------------------------------------------
 */

/* What one page holds: the vCPU's own structure and its two MSR lists. */
struct vmx_vcpu_page {
	struct vmx_vcpu vmx;
	struct vmx_msr_entry entry_msrs[1] __aligned(16);
	struct vmx_msr_entry exit_msrs[1] __aligned(16);
};
_Static_assert(sizeof(struct vmx_vcpu_page) <= PAGE_SIZE, "one page");

static int vmx_vcpu_init(struct vendor_vcpu *vcpu)
{
	struct vendor_vm *vm = vcpu->vm;
	struct vmx_vcpu_page *page =
		pages_alloc_zeroed(vm->pages, vm->account, 0);
	struct vmx_vcpu *vmx;
	void *vmcs;

	if (!page)
		return -ENOMEM;
	vmcs = region_new(vm->pages, vm->account);
	if (!vmcs) {
		pages_free_virt(vm->pages, vm->account, page, 0);
		return -ENOMEM;
	}
	vmx = &page->vmx;
	vmx->vmcs = vmcs;
	vmx->vmcs_hpa = virt_to_phys(vmcs);
	vmx->tpr = (uint8_t *)vcpu->apic->page + APIC_TPR;
	vcpu->apic->can_be_virtual = features.controls.has_apic_registers;
	vmx->entry_msrs = page->entry_msrs;
	vmx->exit_msrs = page->exit_msrs;
	vmx->features = &features;
	vmx->vpid = vpid_alloc();
	vmx->tlb_cpu = NO_CPU;
	vmx->pat = PAT_RESET;
	vmx->dr6 = DR6_RESET;
	vmx->work = WORK_MSRS;
	vcpu->private = vmx;
	return 0;
}

static void vmx_vcpu_fini(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct vendor_vm *vm = vcpu->vm;

	vpid_free(vmx->vpid);
	pages_free_virt(vm->pages, vm->account, vmx->vmcs, 0);
	pages_free_virt(vm->pages, vm->account, vmx, 0);
	vcpu->private = NULL;
}

/* The VMCS comes to this CPU, for which it needs the host's state. */
static __noinline void vmcs_come(struct vendor_vcpu *vcpu, struct vmx_cpu *cpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	/* Nothing is in the processor's cache: it was cleared or is new. */
	vmx_vmcs_clear(vmx->vmcs_hpa);
	vmx_vmcs_load(vmx->vmcs_hpa);
	cpu->current = vmx;
	vmx->is_launched = false;
	vmx->host_rsp = 0;
	if (!vmx->is_initialized) {
		vmx_vmcs_init_guest(vcpu);
		vmx->is_initialized = true;
	}
	vmx_vmcs_init_host(vmx);
	if (vmx->tlb_cpu != vcpu->cpu)
		vmx->work |= WORK_FLUSH_TLB | WORK_FLUSH_EPT;
	vmx->tlb_cpu = vcpu->cpu;
	/* It did not count while another ran. */
	vmx->deadline = 0;
}

void vmx_vmcs_use(struct vendor_vcpu *vcpu)
{
	struct vmx_cpu *cpu = &vmx_cpus[vcpu->cpu];

	if (unlikely(cpu->current != vcpu->private))
		vmcs_come(vcpu, cpu);
}

/* What ring 3 would notice: the guest's MSRs, and a GDT without its limit. */
static void vmx_to_machine(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	if (!vmx->has_msrs)
		return;
	vmx_msrs_put_away(vmx);
	__asm__ volatile("lgdt %0" : : "m"(vmx->host_gdtr));
}

static void vmx_switch_out(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct vmx_cpu *cpu = &vmx_cpus[vcpu->cpu];

	if (cpu->current != vmx)
		return;
	vmx_dr_put_away(vmx);
	vmx_to_machine(vcpu);
	vmx_vmcs_clear(vmx->vmcs_hpa);
	cpu->current = NULL;
}

/* ---- Translations ----------------------------------------------------------
 */

#define INVEPT_CONTEXT	1
#define INVEPT_ALL	2
#define INVVPID_CONTEXT 1

struct invalidation {
	uint64_t what; /* EPT pointer or VPID */
	uint64_t address;
};

static void invept(uint64_t type, uint64_t eptp)
{
	struct invalidation d = { eptp, 0 };

	__asm__ volatile("invept %0, %1"
			 :
			 : "m"(d), "r"(type)
			 : "cc", "memory");
}

static void invvpid(uint64_t type, uint16_t vpid)
{
	struct invalidation d = { vpid, 0 };

	__asm__ volatile("invvpid %0, %1"
			 :
			 : "m"(d), "r"(type)
			 : "cc", "memory");
}

static void vmx_tlb_flush(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx->work |= WORK_FLUSH_EPT;
}

static void flush(struct vmx_vcpu *vmx)
{
	if (vmx->work & WORK_FLUSH_EPT) {
		if (features.controls.has_invept_context)
			invept(INVEPT_CONTEXT, vmcs_read(VMCS_EPT_POINTER));
		else
			invept(INVEPT_ALL, 0);
	}
	/* Without a VPID every entry and exit flushes. */
	if (vmx->work & WORK_FLUSH_TLB && vmx->vpid)
		invvpid(INVVPID_CONTEXT, vmx->vpid);
	vmx->work &= ~(WORK_FLUSH_EPT | WORK_FLUSH_TLB);
}

/* ---- Running ---------------------------------------------------------------
 */

/* false: the guest cannot be entered, and *info says what to do instead. */
static __noinline bool work_off(struct vendor_vcpu *vcpu,
				struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;

	if (vmx->work & WORK_EMULATE) {
		vmx_emulate(vcpu, info);
		return false;
	}
	if (vmx->work & (WORK_FLUSH_EPT | WORK_FLUSH_TLB))
		flush(vmx);
	if (vmx->work & WORK_DEBUG)
		vmx_dr_make_live(vmx);
	if (vmx->work & WORK_CONTROLS) {
		vmcs_write(VMCS_PROC_CONTROLS, vmx->proc_controls);
		vmx->work &= ~WORK_CONTROLS;
	}
	if (vmx->work & WORK_PAT) {
		vmcs_write(VMCS_GUEST_PAT, vmx->pat);
		vmx->work &= ~WORK_PAT;
	}
	if (vmx->work & WORK_EVENT)
		vmx_event_commit(vmx);
	if (vmx->work & WORK_MSRS)
		vmx_msrs_load(vmx);
	return true;
}

/* RSP, RIP and RFLAGS live in the VMCS; most exits leave two of them alone. */
static inline void store_rip(struct vmx_vcpu *vmx,
			     const struct x86_state *state)
{
	uint64_t rflags = (state->rflags & RFLAGS_GUEST) | X86_FLAG_ONE;

	if (state->rip != vmx->rip)
		vmcs_write(VMCS_GUEST_RIP, state->rip);
	if (unlikely(state->gpr[X86_RSP] != vmx->rsp))
		vmcs_write(VMCS_GUEST_RSP, state->gpr[X86_RSP]);
	if (unlikely(rflags != vmx->rflags))
		vmx_rflags_write(rflags);
}

static inline void load_rip(struct vmx_vcpu *vmx, struct x86_state *state)
{
	uint64_t rip = vmcs_read(VMCS_GUEST_RIP);
	uint64_t rsp = vmcs_read(VMCS_GUEST_RSP);
	uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);

	state->rip = vmx->rip = rip;
	state->gpr[X86_RSP] = vmx->rsp = rsp;
	state->rflags = vmx->rflags = rflags;
	state->valid = X86_GROUP_GPR_RIP;
}

#define TIMER_MAX     UINT32_MAX
/* Even a deadline that is past leaves the guest some instructions. */
#define TIMER_MIN_TSC 1024

/*
 * The preemption timer counts from entry to exit alone, so it is late by the
 * time spent here: what it is for is a guest that does not exit, when the
 * CPU's own timer interrupt is held up.
 */
static __noinline void deadline_set(struct vmx_vcpu *vmx, uint64_t deadline)
{
	uint64_t now = tsc_read(), ticks = TIMER_MIN_TSC;

	vmx->deadline = deadline;
	if (!features.controls.has_timer)
		return;
	if (deadline > now + TIMER_MIN_TSC)
		ticks = deadline - now;
	ticks = (ticks >> features.controls.timer_shift) + 1;
	vmcs_write(VMCS_PREEMPTION_TIMER, MIN(ticks, TIMER_MAX));
}

/* Registers of the local APIC's page are the processor's, or exit again. */
static __noinline void apic_mode_change(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t proc2 = vmcs_read(VMCS_PROC_CONTROLS2);

	vmx->is_apic_virtual = vcpu->apic->is_virtual;
	vmcs_write(VMCS_PROC_CONTROLS2,
		   vmx->is_apic_virtual ? proc2 | PROC2_APIC_REGISTERS
					: proc2 & ~PROC2_APIC_REGISTERS);
}

static void vmx_vcpu_run(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct x86_state *state = vcpu->state;
	uint64_t failed;

	vmx_vmcs_use(vcpu);
	/* Entry would refuse it: the priority went below without an exit. */
	if (unlikely(vmx->tpr_threshold) &&
	    vmx->tpr_threshold > vcpu->tpr >> TPR_CLASS_SHIFT) {
		vmx_tpr_threshold_set(vmx, 0);
		info->reason = EXIT_INTERRUPT_WINDOW;
		return;
	}
	if (unlikely(vmx->is_apic_virtual != vcpu->apic->is_virtual))
		apic_mode_change(vcpu);
	/* After every trip to the machine. */
	if (vmx->work == WORK_MSRS)
		vmx_msrs_load(vmx);
	else if (unlikely(vmx->work) && !work_off(vcpu, info))
		return;
	store_rip(vmx, state);
	*vmx->tpr = vcpu->tpr;
	if (unlikely(vmx->tsc_offset != vcpu->tsc_offset)) {
		vmx->tsc_offset = vcpu->tsc_offset;
		vmcs_write(VMCS_TSC_OFFSET, vmx->tsc_offset);
	}
	if (unlikely(vmx->deadline != *vcpu->deadline))
		deadline_set(vmx, *vcpu->deadline);
	failed = vmx_enter(state, vmx->is_launched, &vmx->host_rsp);
	vmx->is_launched = true;
	load_rip(vmx, state);
	vcpu->tpr = *vmx->tpr;
	if (unlikely(failed))
		vmx_entry_failed(vcpu, info, failed);
	else
		vmx_exit_decode(vcpu, info);
}

const struct vendor vmx_vendor = {
	.name = "VT-x",
	.nested_format = NESTED_FORMAT_EPT,
	.probe = vmx_probe,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.vm_init = vmx_vm_init,
	.vm_fini = vmx_vm_fini,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_fini = vmx_vcpu_fini,
	.state_load = vmx_state_load,
	.state_store = vmx_state_store,
	.msr_get = vmx_msr_get,
	.msr_set = vmx_msr_set,
	.can_inject = vmx_can_inject,
	.inject = vmx_inject,
	.open_window = vmx_open_window,
	.events_clear = vmx_events_clear,
	.end_shadow = vmx_end_shadow,
	.tlb_flush = vmx_tlb_flush,
	.to_machine = vmx_to_machine,
	.switch_out = vmx_switch_out,
	.run = vmx_vcpu_run,
	.dump = vmx_dump,
};
