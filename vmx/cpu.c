/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor offers, VMX operation on each CPU, its current VMCS, and
 * translations by VPID and EPT.
 *
 * EPT, virtual NMIs and MSR bitmaps are required; unrestricted guest, VPID, a
 * TPR shadow, PAT and EFER controls are used where the processor has them.
 * controls.c says what is not used at all.
 *
 * A VMCS belongs to the CPU its thread runs on: it is cleared when the thread
 * leaves, and made current again at its first use.
 *
 * References: SDM volume 3, "Introduction to Virtual Machine Extensions",
 * "Virtual Machine Control Structures", "VMX Support for Address Translation".
 */
#include "vmx/internal.h"

#include "include/errno.h"
#include "include/log.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define VPIDS 1024 /* in use at a time; 0 is the host's */

struct vmx_features vmx_features;
struct vmx_cpu vmx_cpus[VENDOR_MAX_CPUS];

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

int vmx_probe(const char **why)
{
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
	read_caps(&vmx_features.caps);
	log_caps(&vmx_features.caps);
	return vmx_controls_negotiate(&vmx_features.caps,
				      &vmx_features.controls, why);
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
void *vmx_region_new(struct pages *pages, struct mem_account *account)
{
	uint32_t *region = pages_alloc_zeroed(pages, account, 0);

	if (region)
		*region = (uint32_t)FIELD_GET(VMX_BASIC_REVISION,
					      vmx_features.caps.basic);
	return region;
}

int vmx_cpu_enable(unsigned cpu, struct pages *pages,
		   struct mem_account *account)
{
	const struct vmx_caps *caps = &vmx_features.caps;
	uint64_t control = msr_read(MSR_FEATURE_CONTROL);
	void *region;

	if (cpu >= ARRAY_SIZE(vmx_cpus))
		return -ERANGE;
	if (is_locked_off())
		return -ENODEV;
	region = vmx_region_new(pages, account);
	if (!region)
		return -ENOMEM;
	if (!(control & FEATURE_CONTROL_LOCKED))
		msr_write(MSR_FEATURE_CONTROL, control | FEATURE_CONTROL_VMX |
						       FEATURE_CONTROL_LOCKED);
	cr0_write((cr0_read() | caps->cr0_fixed0) & caps->cr0_fixed1);
	cr4_write(cr4_read() | CR4_VMXE | caps->cr4_fixed0);
	vmx_msrs_host_save();
	return vmxon(virt_to_phys(region));
}

/* ---- The current VMCS -------------------------------------------------- */

__noinline void vmx_vmcs_move(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	/* Nothing is in the processor's cache: it was cleared or is new. */
	vmcs_clear(vmx->vmcs_hpa);
	vmcs_load(vmx->vmcs_hpa);
	vmx_cpus[vcpu->cpu].current = vmx;
	vmx->work &= ~WORK_VMCS;
	vmx->is_launched = false;
	vmx->host_rsp = 0;
	if (!vmx->is_initialized) {
		vmx_controls_init(vcpu);
		vmx->is_initialized = true;
	}
	vmx_host_state_init(vmx);
	if (vmx->tlb_cpu != vcpu->cpu)
		vmx->work |= WORK_FLUSH_TLB | WORK_FLUSH_EPT;
	vmx->tlb_cpu = vcpu->cpu;
	/* It did not count while another ran. */
	vmx->deadline = 0;
}

void vmx_vmcs_release(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmcs_clear(vmx->vmcs_hpa);
	vmx_cpus[vcpu->cpu].current = NULL;
	vmx->work |= WORK_VMCS;
}

/* ---- Translations ------------------------------------------------------ */

/* A set bit is one in use; atomic. */
static uint64_t vpids[VPIDS / 64] = { 1 };

uint16_t vmx_vpid_alloc(void)
{
	if (!vmx_features.controls.has_vpid)
		return 0;
	for (unsigned i = 1; i < VPIDS; i++) {
		uint64_t bit = BIT(i % 64);

		if (!(__atomic_fetch_or(&vpids[i / 64], bit, __ATOMIC_RELAXED) &
		      bit))
			return (uint16_t)i;
	}
	return 0;
}

void vmx_vpid_free(uint16_t vpid)
{
	if (vpid)
		__atomic_fetch_and(&vpids[vpid / 64], ~BIT(vpid % 64),
				   __ATOMIC_RELAXED);
}

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

void vmx_tlb_flush(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx->work |= WORK_FLUSH_EPT;
}

void vmx_flush(struct vmx_vcpu *vmx)
{
	if (vmx->work & WORK_FLUSH_EPT) {
		if (vmx_features.controls.has_invept_context)
			invept(INVEPT_CONTEXT, vmcs_read(VMCS_EPT_POINTER));
		else
			invept(INVEPT_ALL, 0);
	}
	/* Without a VPID every entry and exit flushes. */
	if (vmx->work & WORK_FLUSH_TLB && vmx->vpid)
		invvpid(INVVPID_CONTEXT, vmx->vpid);
	vmx->work &= ~(WORK_FLUSH_EPT | WORK_FLUSH_TLB);
}
