/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries out what boot/ decided: barriers on the way between domains.
 *
 * References: SDM volume 4, "IA32_PRED_CMD", "IA32_FLUSH_CMD"; Intel,
 * "Microarchitectural Data Sampling" (VERW), "Retpoline: A Branch Target
 * Injection Mitigation" (return stack buffer); APM volume 2, "Speculation
 * Control MSRs".
 */
#include "kernel/host.h"
#include "include/log.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"

#define MSR_PRED_CMD  0x00000049
#define PRED_CMD_IBPB BIT(0)
#define MSR_FLUSH_CMD 0x0000010b
#define FLUSH_CMD_L1D BIT(0)

#define L1D_REACH  (2 * KIB(32)) /* twice what the processors concerned have */
#define CACHE_LINE 64

/* 32 returns to come lead nowhere: each is predicted into a loop that waits. */
static void rsb_fill(void)
{
	__asm__ volatile(".rept 32\n\t"
			 "call 2f\n"
			 "1:\tpause\n\t"
			 "lfence\n\t"
			 "jmp 1b\n"
			 "2:\n\t"
			 ".endr\n\t"
			 "addq $(32 * 8), %%rsp"
			 :
			 :
			 : "cc", "memory");
}

static void buffers_overwrite(void)
{
	static const uint16_t selector = SELECTOR_KERNEL_DATA;

	/* The form with a memory operand is the one that overwrites. */
	__asm__ volatile("verw %0" : : "m"(selector) : "cc", "memory");
}

/* Without the MSR: reading more than the cache holds, of what is no secret. */
static void l1d_displace(void)
{
	extern const char image_text[];

	for (unsigned i = 0; i < L1D_REACH; i += CACHE_LINE)
		(void)*(const volatile char *)&image_text[i];
}

void speculation_switch(struct cpu *cpu, const struct sched_domain *domain)
{
	const struct speculation *s = &cpu->host->speculation;

	if (!domain || domain->id == cpu->last_domain)
		return;
	cpu->last_domain = domain->id;
	if (s->ibpb)
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (s->rsb)
		rsb_fill();
	if (s->l1d_flush && s->lacks & SPECULATION_LACKS_L1D_FLUSH)
		l1d_displace();
	else if (s->l1d_flush)
		msr_write(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	if (s->verw)
		buffers_overwrite();
}
