/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of lib/user/gate_calls.h for the machine's lock, rendezvous,
 * consoles, disks, cables and memory: the calls are functions of the test.
 */
#ifndef BULKHEAD_TESTS_FAKE_MACHINE_GATE_CALLS_H
#define BULKHEAD_TESTS_FAKE_MACHINE_GATE_CALLS_H

#include "include/gate.h"

uint64_t gate_wait(void);
long gate_wake(unsigned thread);
long gate_kick(unsigned vcpu);
void *gate_channel(unsigned slot);
long gate_channel_state(unsigned slot);
long gate_doorbell(unsigned slot);
long gate_event_route(unsigned event, unsigned thread);
unsigned gate_thread(void);
void gate_timer(uint64_t deadline_ns);
uint64_t gate_now_ns(void);
long gate_map(gpa_t gpa, uint64_t length, uint64_t offset, enum gate_map kind);
long gate_release(uint64_t offset, uint64_t length);
long gate_fill(uint64_t offset, uint64_t length, const void *from);
void gate_log(unsigned level, const char *format, ...) __printf(2, 3);

#define GATE_LOG_ERROR	 0
#define GATE_LOG_WARNING 1
#define GATE_LOG_INFO	 2

#endif
