/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks that VM entry makes on the guest-state area, in the manual's
 * order: why an entry failed, or whether one would.
 */
#ifndef BULKHEAD_VMX_CHECK_H
#define BULKHEAD_VMX_CHECK_H

#include "include/compiler.h"
#include "vmx/vmcs.h"

struct vmx_guest_segment {
	uint16_t selector;
	uint32_t limit;
	uint32_t rights; /* as in the VMCS */
	uint64_t base;
};

struct vmx_guest {
	/* The guest-state area. */
	uint64_t cr0, cr3, cr4;
	uint64_t dr7, debugctl;
	uint64_t sysenter_esp, sysenter_eip;
	uint64_t pat, efer;
	struct vmx_guest_segment seg[VMCS_SEGMENTS];
	uint64_t gdtr_base, idtr_base;
	uint32_t gdtr_limit, idtr_limit;
	uint64_t rip, rflags;
	uint32_t interruptibility, activity;
	uint64_t pending_debug;
	uint64_t link_pointer;
	uint64_t pdpte[4];

	/* What else the checks depend on. */
	uint32_t entry_controls;
	uint32_t event; /* VM-entry interruption information */
	bool is_unrestricted;
	uint8_t physical_bits;
	uint8_t activities; /* of VMX_MISC: HLT, shutdown, wait-for-SIPI */
	uint64_t cr0_fixed0, cr0_fixed1;
	uint64_t cr4_fixed0, cr4_fixed1;
};

struct vmx_rule {
	const char *field;
	const char *text;
	bool (*holds)(const struct vmx_guest *guest, unsigned arg);
	unsigned arg;
};

/* The first rule that the state breaks, or NULL. */
const struct vmx_rule *vmx_guest_check(const struct vmx_guest *guest);

#endif
