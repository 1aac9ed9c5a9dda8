/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of lib/user/gate_calls.h for the machine's lock and rendezvous: the
 * calls are functions of tests/unit/test_rendezvous.c.
 */
#ifndef BULKHEAD_TESTS_FAKE_MACHINE_GATE_CALLS_H
#define BULKHEAD_TESTS_FAKE_MACHINE_GATE_CALLS_H

#include "include/gate.h"

uint64_t gate_wait(void);
long gate_wake(unsigned thread);
long gate_kick(unsigned vcpu);

#endif
