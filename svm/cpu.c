/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor offers, SVM on each CPU, and its ASIDs.
 *
 * Nested paging is required.  NextRIP, clean bits, FlushByASID and the pause
 * filter are used where CPUID has them and done without where not.  Not used:
 * AVIC, LBR virtualization, TSC ratio, VGIF.
 *
 * Reference: APM volume 2, "Secure Virtual Machine".
 */
#include "svm/internal.h"

#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define CPUID_EXT1_ECX_SVM BIT(2)

#define IOPM_PAGES 3
#define IOPM_ORDER 2

struct svm_features svm_features;
struct svm_cpu svm_cpus[VENDOR_MAX_CPUS];
hpa_t svm_iopm_hpa;

int svm_probe(const char **why)
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
	svm_features = (struct svm_features){
		.asid_count = r.ebx,
		.has_next_rip = r.edx & SVM_EDX_NRIPS,
		.has_clean_bits = r.edx & SVM_EDX_CLEAN,
		.has_flush_asid = r.edx & SVM_EDX_FLUSH_ASID,
		.has_pause_filter = r.edx & SVM_EDX_PAUSE_FILTER,
		.is_tcg = svm_quirk_is_tcg(),
	};
	if (svm_features.asid_count < 2) {
		*why = "the processor's AMD-V has no ASID for guests";
		return -ENODEV;
	}
	return 0;
}

/* One map for all guests: every port exits. */
static int iopm_init(struct pages *pages, struct mem_account *account)
{
	uint8_t *iopm = pages_alloc_zeroed(pages, account, IOPM_ORDER);

	if (!iopm)
		return -ENOMEM;
	memset(iopm, 0xff, IOPM_PAGES * PAGE_SIZE);
	svm_iopm_hpa = virt_to_phys(iopm);
	return 0;
}

int svm_cpu_enable(unsigned cpu, struct pages *pages,
		   struct mem_account *account)
{
	hpa_t host_vmcb, hsave;

	if (cpu >= ARRAY_SIZE(svm_cpus))
		return -ERANGE;
	if (!svm_iopm_hpa && iopm_init(pages, account))
		return -ENOMEM;
	host_vmcb = pages_alloc(pages, account, 0);
	hsave = pages_alloc(pages, account, 0);
	if (!host_vmcb || !hsave)
		return -ENOMEM;
	svm_cpus[cpu] = (struct svm_cpu){
		.host_vmcb_hpa = host_vmcb,
		.asid_generation = 1,
		.asid_next = 1,
	};
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, hsave);
	/* What VMLOAD brings back after each exit never changes. */
	__asm__ volatile("vmsave %0" : : "a"(host_vmcb) : "memory");
	return 0;
}

/* ---- Translations ------------------------------------------------------ */

void svm_tlb_flush(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm->vmcb->tlb_control =
		svm_features.has_flush_asid ? TLB_FLUSH_ASID : TLB_FLUSH_ALL;
}

/*
 * A CPU hands out each ASID once and then begins a new generation, with all
 * of its guest translations flushed.  What a vCPU was given stays good until
 * then, if it returns to the same CPU.
 */
void svm_asid_assign(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	if (svm->asid_cpu == cpu &&
	    svm->asid_generation == cpu->asid_generation)
		return;
	if (cpu->asid_next >= svm_features.asid_count) {
		cpu->asid_generation++;
		cpu->asid_next = 1;
		svm->vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	svm->vmcb->asid = cpu->asid_next++;
	svm->asid_generation = cpu->asid_generation;
	svm->asid_cpu = cpu;
	svm->dirty = CLEAN_ALL;
}
