/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests with several vCPUs: starting the others, having all do something at
 * once, and interrupts from one to another in either mode of the local APIC.
 * A vCPU's number is its APIC id.
 *
 * Whoever waits here halts with interrupts on, so that vCPUs which share a CPU
 * of the host take turns at once.  trap_catch() is for one vCPU at a time.
 */
#ifndef BULKHEAD_TESTS_SMP_H
#define BULKHEAD_TESTS_SMP_H

#include "tests/guest/lib/guest.h"

#define SMP_MAX 32

/* Ends a wait; everything of at least its class masks it. */
#define SMP_WAKE_VECTOR 0xfd

/* The command register's low half. */
#define ICR_FIXED	0x04000
#define ICR_LOWEST	0x04100
#define ICR_NMI		0x04400
#define ICR_INIT	0x04500
#define ICR_SIPI	0x04600
#define ICR_LOGICAL	0x00800
#define ICR_LEVEL	0x08000
#define ICR_TO_SELF	0x40000
#define ICR_TO_ALL	0x80000
#define ICR_TO_OTHERS	0xc0000
#define ICR_INIT_ASSERT (ICR_INIT | ICR_LEVEL)
#define ICR_INIT_END	0x08500 /* level, deassert */
#define DESTINATION_ALL 0xffffffffu

/* What a vCPU found when its SIPI had started it. */
struct smp_found {
	uint32_t cr0, edx, cs, cr4, dr7, efer, reserved[2];
};

struct smp_cpu {
	uint32_t id;
	bool is_x2apic;
	volatile uint32_t starts;     /* by SIPI */
	volatile uint32_t taken[256]; /* counted interrupts, by vector */
	volatile bool is_working;     /* inside smp_run() */
};

extern struct smp_cpu smp_cpus[SMP_MAX];
extern volatile struct smp_found smp_found[SMP_MAX];

/* As firmware finds it. */
unsigned smp_cpu_count(void);
/* On vCPU 0: enables its local APIC; all of this but the others can be used. */
void smp_begin(void);
/* The same, then starts the others and waits for them. */
void smp_start(void);
/* Code at that page starts a vCPU, too: for SIPIs with other vectors. */
void smp_trampoline_copy(uint8_t page);
/* fn on all vCPUs, with interrupts off; returns when all have. */
void smp_run(void (*fn)(unsigned id));
/* Inside fn: waits for all. */
void smp_barrier(void);
/*
 * A vCPU that was in smp_run() and got an INIT has been started again, and its
 * fn counts as done.  Waits for its start number so many.
 */
bool smp_wait_start(unsigned id, uint32_t starts);

static inline uint32_t smp_id(void)
{
	uint32_t id;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(id));
	return id;
}

static inline struct smp_cpu *smp_this(void)
{
	return &smp_cpus[smp_id()];
}

/* While it is 1, a vCPU that has started again waits before it says so. */
extern volatile uint32_t smp_hold;

/* Halts until an interrupt has changed *word from old. */
void smp_wait_change(const volatile uint32_t *word, uint32_t old);
/* Halts until *word is at least that. */
void smp_wait_count(const volatile uint32_t *word, uint32_t least);
/* Ends another vCPU's wait. */
void smp_wake(unsigned id);
/* Interrupts on for a moment. */
void smp_let_in(void);
/* Without halting: so many ticks of the TSC. */
void smp_spin(uint64_t ticks);

/* That vector is counted in taken[] of the vCPU that takes it, and ended. */
void smp_count(unsigned vector);
void smp_count_nmis(void);

/* This vCPU's local APIC in the mode it is in. */
uint32_t smp_apic_read(unsigned reg);
void smp_apic_write(unsigned reg, uint32_t value);
void smp_eoi(void);
void smp_send(uint32_t destination, uint32_t command);
/* Into x2APIC mode, or through being disabled back into xAPIC mode. */
void smp_apic_mode(bool is_x2apic);
bool smp_has_x2apic(void);

#endif
