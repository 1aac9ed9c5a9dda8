/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What paravirtual interfaces (hyperv.h, kvm.h) ask of the machine alike; ctx
 * is the machine.
 */
#ifndef BULKHEAD_MACHINE_PARAVIRT_H
#define BULKHEAD_MACHINE_PARAVIRT_H

#include "include/compiler.h"

/* The page of RAM at gpa, which is its first byte's; NULL: there is none that
 * can be written.  Lock held. */
uint8_t *paravirt_page(void *ctx, gpa_t gpa);
/* A message to the local APIC of that vCPU: a vector and a delivery mode.
 * False: it was not accepted. */
bool paravirt_message(void *ctx, unsigned vcpu, uint32_t data);
/* The rest of the vCPU's turn to others. */
/* To that vCPU of the VM's, if it waits for this CPU; to anybody. */
void paravirt_yield_to(void *ctx, unsigned vcpu);
void paravirt_yield(void *ctx);
/* The guest's TSC, had it never written it. */
uint64_t paravirt_tsc(void *ctx);

#endif
