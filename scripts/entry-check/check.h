/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks that VM entry makes on the guest-state area, in the manual's
 * order, and the state to be checked as the monitor's dump of a VMCS has it.
 */
#ifndef BULKHEAD_ENTRY_CHECK_H
#define BULKHEAD_ENTRY_CHECK_H

#include "include/compiler.h"
#include "vmx/hardware.h"

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

extern const struct vmx_rule vmx_rules[];
extern const unsigned vmx_rule_count;

/* The first rule that the state breaks, or NULL. */
const struct vmx_rule *vmx_guest_check(const struct vmx_guest *guest);

/* What "VMCS: " lines said: fields by their encodings, and what is no field. */
#define DUMP_FIELDS 0x7000
enum dump_extra {
	DUMP_MISC,
	DUMP_CR0_FIXED0,
	DUMP_CR0_FIXED1,
	DUMP_CR4_FIXED0,
	DUMP_CR4_FIXED1,
	DUMP_ADDRESS_SIZES,
	DUMP_EXTRAS,
};
struct dump {
	uint64_t field[DUMP_FIELDS];
	bool has_field[DUMP_FIELDS];
	uint64_t extra[DUMP_EXTRAS];
	bool has_extra[DUMP_EXTRAS];
};

/*
 * Takes a line of a log; lines without "VMCS: " change nothing.  A dump's first
 * line empties what was there; true at its last.
 */
bool dump_line(struct dump *dump, const char *line);

/* 0, or the encoding of a field that the checks need and the dump lacks, or -1
 * where it lacks something else. */
int dump_guest(const struct dump *dump, struct vmx_guest *guest);

#endif
