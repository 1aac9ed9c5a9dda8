/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's local APICs, as xAPIC through registers or as x2APIC.
 */
#ifndef BULKHEAD_DRIVERS_LAPIC_H
#define BULKHEAD_DRIVERS_LAPIC_H

#include "include/compiler.h"

/* The same for all CPUs: each sees its own through it. */
struct lapic {
	volatile uint8_t *registers; /* NULL: x2APIC mode */
	bool has_tsc_deadline;
};

/* Decides the mode; registers is where the xAPIC's page is mapped. */
void lapic_init(struct lapic *lapic, void *registers);
/* On each CPU: on, everything masked but the timer (VECTOR_TIMER). */
void lapic_init_cpu(const struct lapic *lapic);

uint32_t lapic_id(const struct lapic *lapic);
void lapic_eoi(const struct lapic *lapic);

/* An interrupt: its vector, or one of these. */
#define LAPIC_NMI     FIELD_PUT(MASK(10, 8), 4)
#define LAPIC_INIT    (FIELD_PUT(MASK(10, 8), 5) | BIT(15))
#define LAPIC_STARTUP FIELD_PUT(MASK(10, 8), 6) /* and the page */
void lapic_send(const struct lapic *lapic, uint32_t apic_id, uint32_t command);

/* Count of bus clocks by 1 to an interrupt; 0 stops. */
void lapic_timer_start(const struct lapic *lapic, uint32_t count);
uint32_t lapic_timer_left(const struct lapic *lapic);
/* In TSC deadline mode; 0 stops. */
void lapic_timer_deadline(uint64_t tsc);

#endif
