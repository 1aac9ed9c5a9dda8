/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the VT-x back end stands on: a VMCS that counts, and a processor whose
 * guest is a function of the test, called where VM entry would be; and a vCPU.
 * Include in one file of a test program.
 *
 * Reference: SDM volume 3, "VM Entries".
 */
#ifndef BULKHEAD_VMX_TEST_H
#define BULKHEAD_VMX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "include/log.h"
#include "include/x86.h"
#include "kernel/sched.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "tests/unit/fake_phys.h"
#include "vmx/internal.h"

#define FIELDS 0x7000

static uint64_t vmcs[FIELDS];
static unsigned reads, writes;
static bool is_vmcs_launched;
static void (*guest)(void); /* what "runs" until it exits */

uint64_t vmcs_read(uint64_t field)
{
	assert_true(field < FIELDS);
	reads++;
	return vmcs[field];
}

void vmcs_write(uint64_t field, uint64_t value)
{
	assert_true(field < FIELDS);
	writes++;
	vmcs[field] = value;
}

void vmcs_clear(hpa_t hpa)
{
	(void)hpa;
	is_vmcs_launched = false;
}

void sched_breathe(void)
{
}

void vmcs_load(hpa_t hpa)
{
	(void)hpa;
}

char vmx_exit_point[1];

static unsigned entries;
static uint32_t injected;     /* at the last entry */
static uint32_t next_refusal; /* exit reason of the next entry, or 0 */

#define REFUSED_STATE 0x80000021 /* invalid guest state */
#define REFUSED_MSRS  0x80000022 /* MSR loading */

/* VMLAUNCH wants a clear VMCS, VMRESUME a launched one; an entry that is
 * refused changes neither that nor the event to be injected. */
uint64_t vmx_enter(struct x86_state *state, uint64_t is_launched,
		   uint64_t *host_rsp)
{
	(void)state;
	(void)host_rsp;
	entries++;
	assert_int_equal(is_launched, is_vmcs_launched);
	injected = (uint32_t)vmcs[VMCS_ENTRY_INTERRUPTION_INFO];
	if (next_refusal) {
		vmcs[VMCS_EXIT_REASON] = next_refusal;
		next_refusal = 0;
		return 0;
	}
	is_vmcs_launched = true;
	vmcs[VMCS_ENTRY_INTERRUPTION_INFO] &= ~INTERRUPTION_VALID;
	vmcs[VMCS_IDT_VECTORING_INFO] = 0;
	guest();
	return 0;
}

static char logged[16384];

void log_print(enum log_level level, const char *format, ...)
{
	size_t length = strlen(logged);
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(logged + length, sizeof(logged) - length, format, args);
	va_end(args);
	length = strlen(logged);
	snprintf(logged + length, sizeof(logged) - length, "\n");
}

/* ---- A vCPU -------------------------------------------------------------- */

#define RIP 0x1000

static struct gate_page page;
static struct vendor_vm vm;
static struct vmx_vcpu vmx_vcpu;
static struct vendor_vcpu vcpu;
static struct vendor_apic apic;
static uint32_t apic_registers[PAGE_SIZE / 4] __aligned(PAGE_SIZE);
static uint64_t deadline;

static inline int setup(void **unused)
{
	(void)unused;
	memset(vmcs, 0, sizeof(vmcs));
	page.is_emulated = false;
	page.state = (struct x86_state){ .rip = RIP, .rflags = X86_FLAG_ONE };
	vmx_features = (struct vmx_features){ .caps.cr0_fixed1 = UINT64_MAX };
	vmx_features.controls = (struct vmx_controls){
		.has_unrestricted = true,
		.has_tpr_shadow = true,
		.has_efer = true,
		.has_timer = true,
	};
	memset(apic_registers, 0, sizeof(apic_registers));
	apic = (struct vendor_apic){ .page = apic_registers };
	vmx_vcpu = (struct vmx_vcpu){
		.tpr = (uint8_t *)apic.page + APIC_TPR,
		.is_initialized = true,
		.proc_controls = PROC_TPR_SHADOW,
		.rip = RIP,
		.rflags = X86_FLAG_ONE,
		.deadline = 1,
		.cr0_mask = UINT64_MAX,
		.cr0_shadow = X86_CR0_PE,
	};
	vcpu = (struct vendor_vcpu){
		.state = &page.state,
		.vm = &vm,
		.apic = &apic,
		.deadline = &deadline,
		.private = &vmx_vcpu,
	};
	vmcs[VMCS_GUEST_RIP] = RIP;
	vmcs[VMCS_GUEST_RFLAGS] = X86_FLAG_ONE;
	vmcs[VMCS_EXIT_INSN_LENGTH] = 2;
	vmx_cpus[0].current = &vmx_vcpu;
	deadline = 1;
	entries = 0;
	is_vmcs_launched = false;
	next_refusal = 0;
	logged[0] = '\0';
	return 0;
}

static inline struct exit_info run(void)
{
	struct exit_info info = { 0 };

	vmx_vendor.run(&vcpu, &info);
	return info;
}

static inline void exit_cpuid(void)
{
	vmcs[VMCS_EXIT_REASON] = REASON_CPUID;
}

/* The guest's next exit, a CPUID: as if nothing had happened before. */
static inline struct exit_info run_on(void)
{
	guest = exit_cpuid;
	return run();
}

static inline uint32_t event_of(unsigned type, unsigned vector)
{
	return (uint32_t)(INTERRUPTION_VALID |
			  FIELD_PUT(INTERRUPTION_TYPE, type) | vector);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
