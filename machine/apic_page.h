/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where each vCPU has its local APIC's registers in memory: the page that
 * IA32_APIC_BASE names, in xAPIC mode alone.  The APIC itself is the monitor's.
 *
 * Two vCPUs may have the page in different places.  What a processor does with
 * the usual page by itself (GATE_MAP_APIC) it does for all or none: only while
 * each vCPU has its own there.  One that was moved over RAM hides that RAM from
 * its vCPU, whose accesses are emulated; the others' to that page are, too.
 *
 * Not modelled: a page moved over the display's memory or the segments below
 * 1 MiB whose mapping changes meanwhile, which shows them again.
 *
 * Reference: SDM volume 3, "Local APIC Status and Location", "Relocating the
 * Local APIC Registers".
 */
#ifndef BULKHEAD_MACHINE_APIC_PAGE_H
#define BULKHEAD_MACHINE_APIC_PAGE_H

#include "include/compiler.h"

struct machine;
struct machine_vcpu;

#define APIC_PAGE_GPA  0xfee00000ULL
#define APIC_PAGE_NONE (UINT64_MAX - MASK(11, 0)) /* no access reaches that */

/* With the machine's lock: IA32_APIC_BASE of that vCPU is base. */
void apic_page_set(struct machine_vcpu *vcpu, uint64_t base);
/* The map of the board's memory has been made anew: its emulator sees it. */
void apic_page_remap(struct machine_vcpu *vcpu);
/* While all vCPUs are at a stop: at first, and all APICs are reset. */
void apic_page_reset(struct machine *machine);

#endif
