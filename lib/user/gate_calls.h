/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate's calls as C functions; contracts in include/gate.h.
 */
#ifndef BULKHEAD_LIB_USER_GATE_CALLS_H
#define BULKHEAD_LIB_USER_GATE_CALLS_H

#include "include/cpuid.h"
#include "include/gate.h"

static inline long gate_call4(enum gate_call call, uint64_t a, uint64_t b,
			      uint64_t c, uint64_t d)
{
	register uint64_t r10 __asm__("r10") = d;
	long result = call;

	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
			 :
			 : "rcx", "r8", "r9", "r11", "memory");
	return result;
}

static inline long gate_call(enum gate_call call, uint64_t a, uint64_t b,
			     uint64_t c)
{
	return gate_call4(call, a, b, c, 0);
}

static inline struct gate_page *gate_page(unsigned vcpu)
{
	return (struct gate_page *)GATE_PAGE_VA(vcpu);
}

static inline const struct gate_config *gate_config(void)
{
	return (const struct gate_config *)GATE_CONFIG_VA;
}

static inline void gate_resume(void)
{
	gate_call(GATE_RESUME, 0, 0, 0);
}

static inline void gate_state_load(uint32_t groups)
{
	gate_call(GATE_STATE_LOAD, groups, 0, 0);
}

static inline void gate_line(enum gate_line line, bool level)
{
	gate_call(GATE_LINE, line, level, 0);
}

static inline long gate_msi(uint64_t address, uint32_t data)
{
	return gate_call(GATE_MSI, address, data, 0);
}

static inline uint32_t gate_apic_read(uint32_t offset)
{
	return (uint32_t)gate_call(GATE_APIC_READ, offset, 0, 0);
}

static inline void gate_apic_write(uint32_t offset, uint32_t value)
{
	gate_call(GATE_APIC_WRITE, offset, value, 0);
}

static inline void gate_timer(uint64_t deadline_ns)
{
	gate_call(GATE_TIMER, deadline_ns, 0, 0);
}

static inline long gate_map(gpa_t gpa, uint64_t length, uint64_t offset,
			    enum gate_map kind)
{
	return gate_call(GATE_MAP, gpa, length, offset | kind);
}

/* Bytes that were given back, or -errno. */
static inline long gate_release(uint64_t offset, uint64_t length)
{
	return gate_call(GATE_RELEASE, offset, length, 0);
}

static inline long gate_fill(uint64_t offset, uint64_t length, const void *from)
{
	return gate_call(GATE_FILL, offset, length, (uint64_t)from);
}

static inline void gate_intr(void)
{
	gate_call(GATE_INTR, 0, 0, 0);
}

static inline void gate_reset(void)
{
	gate_call(GATE_RESET, 0, 0, 0);
}

static inline long gate_kick(unsigned vcpu)
{
	return gate_call(GATE_KICK, vcpu, GATE_KICK_RESUME, 0);
}

static inline long gate_kick_halt(unsigned vcpu)
{
	return gate_call(GATE_KICK, vcpu, GATE_KICK_HALT, 0);
}

static inline struct cpuid_regs gate_cpuid_facts(uint32_t leaf,
						 uint32_t subleaf)
{
	struct cpuid_regs regs = { 0 };

	gate_call(GATE_CPUID_FACTS, leaf, subleaf, (uint64_t)&regs);
	return regs;
}

static inline long gate_cpuid_set(const struct cpuid_table *table)
{
	return gate_call(GATE_CPUID_SET, (uint64_t)table, 0, 0);
}

static inline void gate_yield_to(unsigned thread)
{
	gate_call(GATE_YIELD, thread + 1ULL, 0, 0);
}

static inline void gate_yield(void)
{
	gate_call(GATE_YIELD, 0, 0, 0);
}

/* ---- include/domain.h's ------------------------------------------------- */

static inline const void *gate_argument(void)
{
	return (const void *)GATE_ARGUMENT_VA;
}

static inline void *gate_channel(unsigned slot)
{
	return (void *)GATE_CHANNEL_VA(slot);
}

/* Of a program with GATE_RIGHT_DMA: include/grant.h. */
static inline const struct gate_channel_memory *
gate_channel_memory(unsigned slot)
{
	return (const void *)GATE_CHANNEL_MEMORY_VA(slot);
}

static inline const uint64_t *gate_channel_chunks(unsigned slot)
{
	return (const uint64_t *)GATE_CHANNEL_CHUNKS_VA(slot);
}

static inline void *gate_module_memory(void)
{
	return (void *)GATE_MODULE_VA;
}

static inline void *gate_device_bar(unsigned n, unsigned bar)
{
	return (void *)GATE_DEVICE_BAR_VA(n, bar);
}

static inline void *gate_device_dma(unsigned n)
{
	return (void *)GATE_DEVICE_DMA_VA(n);
}

static inline uint64_t gate_wait(void)
{
	return (uint64_t)gate_call(GATE_WAIT, 0, 0, 0);
}

static inline long gate_wake(unsigned thread)
{
	return gate_call(GATE_WAKE, thread, 0, 0);
}

static inline long gate_event_route(unsigned event, unsigned thread)
{
	return gate_call(GATE_EVENT_ROUTE, event, thread, 0);
}

static inline __noreturn void gate_exit(uint64_t code)
{
	for (;;)
		gate_call(GATE_EXIT, code, 0, 0);
}

static inline long gate_doorbell(unsigned slot)
{
	return gate_call(GATE_DOORBELL, slot, 0, 0);
}

static inline long gate_channel_state(unsigned slot)
{
	return gate_call(GATE_CHANNEL_STATE, slot, 0, 0);
}

static inline long gate_channel_detach(unsigned slot)
{
	return gate_call(GATE_CHANNEL_DETACH, slot, 0, 0);
}

static inline long gate_port_read(uint16_t port, unsigned size)
{
	return gate_call(GATE_PORT_READ, port, size, 0);
}

static inline long gate_port_write(uint16_t port, unsigned size, uint32_t value)
{
	return gate_call(GATE_PORT_WRITE, port, size, value);
}

static inline long gate_port_write_string(uint16_t port, const void *bytes,
					  size_t length)
{
	return gate_call(GATE_PORT_WRITE_STRING, port, (uint64_t)bytes, length);
}

static inline long gate_irq_ack(unsigned irq)
{
	return gate_call(GATE_IRQ_ACK, irq, 0, 0);
}

static inline long gate_device_read(unsigned n, unsigned offset, unsigned size)
{
	return gate_call(GATE_DEVICE_READ, n, offset, size);
}

static inline long gate_device_write(unsigned n, unsigned offset, unsigned size,
				     uint32_t value)
{
	return gate_call4(GATE_DEVICE_WRITE, n, offset, size, value);
}

static inline long gate_device_ack(unsigned n)
{
	return gate_call(GATE_DEVICE_ACK, n, 0, 0);
}

static inline long gate_log_read(void *bytes, size_t length)
{
	return gate_call(GATE_LOG_READ, (uint64_t)bytes, length, 0);
}

/* The calling thread's number, by the stack that it runs on. */
static inline unsigned gate_thread(void)
{
	uint64_t at = (uint64_t)__builtin_frame_address(0);

	return (unsigned)((at - (GATE_STACK_TOP(0) - GATE_STACK_SIZE)) /
			  (GATE_STACK_TOP(1) - GATE_STACK_TOP(0)));
}

/* VM or domain time in ns, as the config's rates have it. */
static inline uint64_t gate_now_ns(void)
{
	const struct gate_config *config = gate_config();
	uint64_t ticks = __builtin_ia32_rdtsc() - config->tsc_base;

	return (uint64_t)(((unsigned __int128)ticks * config->tsc_mult) >> 32);
}

/* The same clock in all domains: ns since the TSC was 0. */
static inline uint64_t gate_host_ns(void)
{
	const struct gate_config *config = gate_config();

	return (uint64_t)(((unsigned __int128)__builtin_ia32_rdtsc() *
			   config->tsc_mult) >>
			  32);
}

/* Formatted, cut at GATE_LOG_MAX; level is enum log_level's number. */
void gate_log(unsigned level, const char *format, ...) __printf(2, 3);

#define GATE_LOG_ERROR	 0
#define GATE_LOG_WARNING 1
#define GATE_LOG_INFO	 2
#define GATE_LOG_DEBUG	 3

#endif
