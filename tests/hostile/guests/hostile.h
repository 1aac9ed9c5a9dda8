/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guests here share beyond tests/guest/lib: options of their command
 * line, host time, further processors.
 */
#ifndef BULKHEAD_TESTS_HOSTILE_GUESTS_H
#define BULKHEAD_TESTS_HOSTILE_GUESTS_H

#include "tests/guest/lib/guest.h"

/* Copies the first word that is no option; "" if there is none. */
void command_word(char *word, size_t size);
/* The number in a word NAME=N, or what is used without one. */
uint64_t command_option(const char *name, uint64_t otherwise);

/* Microseconds of host time since the VM began. */
uint64_t now_us(void);
uint64_t tsc_per_us(void);

/*
 * Enables the APIC and counts its timer's interrupts of that vector; the
 * timer's ticks in a microsecond, 2 ms of them measured.
 */
uint64_t lapic_timer_begin(uint8_t vector);
/* About so long without the processor, by that timer. */
void nap(uint64_t us);

/*
 * Starts all other processors, each with fn(1...) on a stack of its own and
 * the same IDT, and returns how many there are.  fn must not return.
 */
unsigned processors_start(void (*fn)(unsigned id));

/* xorshift64*; each processor has its own state, not zero. */
uint64_t chance(uint64_t *state);

#endif
