/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU of the AMD-V back end whose guest is a function of the test: it is
 * called where VMRUN would be and leaves an exit in the VMCB.  Include in one
 * file of a test program.
 *
 * References: APM volume 2, "VMRUN Instruction", "VMCB Layout".
 */
#ifndef BULKHEAD_SVM_TEST_H
#define BULKHEAD_SVM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "include/log.h"
#include "include/x86_msr.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "svm/internal.h"
#include "tests/unit/fake_phys.h"

FAKE_X86_DEFINE;

/* The manual's numbers, apart from the code's own. */
#define V_IRQ		0x100ULL
#define V_INTR_MASKING	0x1000000ULL
#define V_IGN_TPR	0x100000ULL
#define V_PRIORITY(n)	((uint64_t)(n) << 16)
#define V_VECTOR(n)	((uint64_t)(n) << 32)
#define CR8_WRITE	0x01000000U
#define WITH_VINTR	0x10U
#define WITH_IRET	0x100000U
#define EXIT_CODE_VINTR 0x64
#define EXIT_CODE_CPUID 0x72
#define EXIT_CODE_IRET	0x74
#define INFO_VALID	0x80000000ULL
#define INFO_INTR	0x000ULL
#define INFO_NMI	0x200ULL
#define INFO_EXCEPTION	0x300ULL
#define INFO_SOFTWARE	0x400ULL
#define INFO_ERROR(n)	(0x800ULL | (uint64_t)(n) << 32)

#define TEST_RIP  0x1003
#define TEST_ROOT 0x123000

static struct vmcb entered;	     /* as VMRUN last found it */
static struct x86_state entered_gpr; /* likewise */
static hpa_t entered_host;
static unsigned entries;
static void (*guest)(struct vmcb *vmcb); /* runs until it exits */

void svm_enter(hpa_t vmcb_hpa, struct x86_state *state, hpa_t host_vmcb_hpa)
{
	struct vmcb *vmcb = phys_to_virt(vmcb_hpa);

	entered = *vmcb;
	entered_gpr = *state;
	entered_host = host_vmcb_hpa;
	entries++;
	vmcb->exit_info1 = vmcb->exit_info2 = vmcb->exit_int_info = 0;
	vmcb->next_rip = 0;
	vmcb->int_state = 0;
	guest(vmcb);
}

void log_print(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static struct pages pages;
static void *pages_metadata;
static struct gate_page page;
static struct vendor_vm vm;
static struct vendor_vcpu vcpu;
static struct svm_vcpu *svm;
static struct vmcb *vmcb;

static inline void guest_cpuid(struct vmcb *v)
{
	v->exit_code = EXIT_CODE_CPUID;
	v->next_rip = v->rip + 2;
}

static inline void test_vcpu_init(struct vendor_vcpu *v, struct x86_state *s)
{
	*s = (struct x86_state){ .rip = TEST_RIP, .rflags = X86_FLAG_ONE };
	*v = (struct vendor_vcpu){ .state = s, .vm = &vm };
	assert_int_equal(svm_vendor.vcpu_init(v), 0);
}

/* Without a VM: tests of what goes into a new one make theirs. */
static inline int setup_host(void **unused)
{
	(void)unused;
	memset(&fake_x86, 0, sizeof(fake_x86));
	fake_phys_init();
	pages_metadata = malloc(pages_metadata_size(FAKE_PHYS_SIZE));
	pages_init(&pages, pages_metadata, FAKE_PHYS_SIZE);
	pages_add(&pages, MIB(2), FAKE_PHYS_SIZE - MIB(2));
	svm_features = (struct svm_features){
		.asid_count = 8,
		.has_next_rip = true,
		.has_clean_bits = true,
		.has_flush_asid = true,
	};
	memset(svm_cpus, 0, sizeof(svm_cpus));
	for (unsigned i = 0; i < 2; i++)
		svm_cpus[i] = (struct svm_cpu){
			.host_vmcb_hpa = 0x10000 * (i + 1),
			.asid_generation = 1,
			.asid_next = 1,
		};
	svm_iopm_hpa = 0x5000;
	vm = (struct vendor_vm){
		.nested_root = TEST_ROOT,
		.guest_cr4_mask = 0x6f0,
		.host_cr4_mask = 0x6f0,
		.pages = &pages,
	};
	entries = 0;
	guest = guest_cpuid;
	return 0;
}

static inline int setup(void **unused)
{
	(void)setup_host(unused);
	assert_int_equal(svm_vendor.vm_init(&vm), 0);
	page.is_emulated = false;
	test_vcpu_init(&vcpu, &page.state);
	svm = vcpu.private;
	vmcb = svm->vmcb;
	return 0;
}

static inline int teardown_host(void **unused)
{
	(void)unused;
	free(pages_metadata);
	fake_phys_fini();
	return 0;
}

static inline int teardown(void **unused)
{
	uint64_t free_before = pages.free;

	svm_vendor.vcpu_fini(&vcpu);
	svm_vendor.vm_fini(&vm);
	assert_int_equal(pages.free, free_before + 4);
	return teardown_host(unused);
}

static inline struct exit_info run(void (*what)(struct vmcb *vmcb))
{
	struct exit_info info;

	/* Whatever the last exit left there. */
	memset(&info, 1, sizeof(info));
	guest = what;
	svm_vendor.run(&vcpu, &info);
	return info;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
