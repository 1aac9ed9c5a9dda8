/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs interrupt and call each other. */
#include "kernel/cpu.h"

#include "include/x86.h"
#include "kernel/host.h"
#include "kernel/trap.h"

void cpu_kick(struct cpu *cpu)
{
	lapic_send(&cpu->host->lapic, cpu->apic_id, VECTOR_KICK);
}

void cpu_call_serve(struct cpu *cpu)
{
	struct host *host = cpu->host;

	if (!__atomic_exchange_n(&cpu->is_called, false, __ATOMIC_ACQ_REL))
		return;
	host->call_fn(host->call_ctx);
	__atomic_fetch_sub(&host->calls_pending, 1, __ATOMIC_RELEASE);
}

/*
 * While waiting, a CPU answers the others' calls: it may have interrupts off,
 * and two may call at the same time.
 */
void cpu_call(uint64_t mask, void (*fn)(void *ctx), void *ctx)
{
	struct cpu *self = this_cpu();
	struct host *host = self->host;

	mask &= ~BIT(self->id);
	if (!mask)
		return;
	while (!spin_trylock(&host->call_lock)) {
		cpu_call_serve(self);
		cpu_relax();
	}
	host->call_fn = fn;
	host->call_ctx = ctx;
	for (; mask; mask &= mask - 1) {
		struct cpu *cpu = host->cpu[__builtin_ctzll(mask)];

		__atomic_fetch_add(&host->calls_pending, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&cpu->is_called, true, __ATOMIC_RELEASE);
		lapic_send(&host->lapic, cpu->apic_id, VECTOR_CALL);
	}
	while (__atomic_load_n(&host->calls_pending, __ATOMIC_ACQUIRE))
		cpu_relax();
	spin_unlock(&host->call_lock);
}

void cpu_call_others(void (*fn)(void *ctx), void *ctx)
{
	cpu_call(MASK(this_host()->cpu_count - 1, 0), fn, ctx);
}
