/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of lib/user/gate_calls.h for the machine's emulator and debugger:
 * the calls are functions of the test. */
#ifndef BULKHEAD_TESTS_FAKE_DEBUG_GATE_CALLS_H
#define BULKHEAD_TESTS_FAKE_DEBUG_GATE_CALLS_H

#include "include/gate.h"

uint64_t gate_wait(void);
void gate_yield(void);
long gate_wake(unsigned thread);
long gate_kick(unsigned vcpu);
void gate_state_load(uint32_t groups);
long gate_call(enum gate_call call, uint64_t a, uint64_t b, uint64_t c);
uint32_t gate_apic_read(uint32_t offset);
void gate_apic_write(uint32_t offset, uint32_t value);
__noreturn void gate_exit(uint64_t code);
void gate_log(unsigned level, const char *format, ...) __printf(2, 3);

#define GATE_LOG_ERROR 0
#define GATE_LOG_INFO  2
#define GATE_LOG_DEBUG 3

#endif
