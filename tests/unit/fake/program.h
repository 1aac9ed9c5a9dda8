/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on simulated CPUs, whose ring 3 is a function of the test
 * (fake_vms.program), and those who make and unmake their domains: threads of
 * the monitor's own in place of init's.
 */
#ifndef BULKHEAD_FAKE_PROGRAM_H
#define BULKHEAD_FAKE_PROGRAM_H

#include "tests/unit/fake/vm.h"
#include "vm/gate.h"

/* From ring 3 and back; of scope "thread" and of scope "domain". */
long call(struct user_thread *user, gate_fn fn, uint64_t a, uint64_t b);
long call_domain(struct user_thread *user, gate_fn fn, uint64_t a);
/* An exception in ring 3 that ends the domain. */
__noreturn void program_crash(struct user_thread *user);

/*
 * Around calls of scope "host", in a thread of the monitor's.  Interrupts are
 * on outside and off within.
 */
void host_begin(void);
void host_end(void);
/* Others have so many turns. */
void host_pause(unsigned turns);
/* A thread of the monitor's that is started at once. */
struct thread *host_thread(void (*fn)(void *arg), void *arg, uint32_t cpu);

/* A domain of so many threads without a VM; its id. */
gate_id program_make(unsigned threads);
/* Within host_begin(): STOP, wait for the end, DESTROY. */
void program_unmake(gate_id id);

#endif
