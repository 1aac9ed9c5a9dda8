/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries out what speculation.c decides: settings at boot, barriers on the way
 * between domains.
 *
 * References: SDM volume 4, "IA32_PRED_CMD", "IA32_FLUSH_CMD",
 * "IA32_SPEC_CTRL"; Intel, "Microarchitectural Data Sampling" (VERW),
 * "Retpoline: A Branch Target Injection Mitigation" (return stack buffer); APM
 * volume 2, "Speculation Control MSRs".
 */
#include "kernel/host.h"
#include "include/log.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "lib/string.h"

#define MSR_SPEC_CTRL	      0x00000048
#define SPEC_CTRL_IBRS	      BIT(0)
#define MSR_PRED_CMD	      0x00000049
#define PRED_CMD_IBPB	      BIT(0)
#define MSR_ARCH_CAPABILITIES 0x0000010a
#define MSR_FLUSH_CMD	      0x0000010b
#define FLUSH_CMD_L1D	      BIT(0)
#define EFER_AUTO_IBRS	      BIT(21)

#define LEAF7_EBX_RTM	     BIT(11)
#define LEAF7_EBX_SMAP	     BIT(20)
#define LEAF7_EDX_ARCH_CAP   BIT(29)
#define LEAF1_EAX_STEPPING   MASK(3, 0)
#define LEAF1_EAX_MODEL	     MASK(7, 4)
#define LEAF1_EAX_FAMILY     MASK(11, 8)
#define LEAF1_EAX_EXT_MODEL  MASK(19, 16)
#define LEAF1_EAX_EXT_FAMILY MASK(27, 20)

#define L1D_REACH  (2 * KIB(32)) /* twice what the processors concerned have */
#define CACHE_LINE 64

/* ---- Facts ------------------------------------------------------------- */

static enum speculation_vendor vendor_read(void)
{
	static const struct {
		char name[12]; /* EBX, EDX, ECX */
		enum speculation_vendor vendor;
	} vendors[] = {
		{ "GenuineIntel", SPECULATION_INTEL },
		{ "AuthenticAMD", SPECULATION_AMD },
		{ "HygonGenuine", SPECULATION_AMD },
	};
	struct cpuid_regs r = cpuid_read(0, 0);
	uint32_t name[3] = { r.ebx, r.edx, r.ecx };

	for (unsigned i = 0; i < ARRAY_SIZE(vendors); i++)
		if (memcmp(name, vendors[i].name, sizeof(name)) == 0)
			return vendors[i].vendor;
	return SPECULATION_OTHER;
}

/* Zeros where there is no such leaf. */
static struct cpuid_regs leaf_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs none = { 0 };

	if (cpuid_read(leaf & 0x80000000, 0).eax < leaf)
		return none;
	return cpuid_read(leaf, subleaf);
}

static void facts_read(struct speculation_facts *f)
{
	struct cpuid_regs one = leaf_read(1, 0), seven = leaf_read(7, 0);
	struct cpuid_regs b = leaf_read(0xb, 0);

	f->vendor = vendor_read();
	f->family = (uint32_t)FIELD_GET(LEAF1_EAX_FAMILY, one.eax);
	f->model = (uint32_t)FIELD_GET(LEAF1_EAX_MODEL, one.eax);
	if (f->family == 6 || f->family == 15)
		f->model |= FIELD_GET(LEAF1_EAX_EXT_MODEL, one.eax) << 4;
	if (f->family == 15)
		f->family += FIELD_GET(LEAF1_EAX_EXT_FAMILY, one.eax);
	f->leaf7_edx = seven.edx;
	f->has_smap = seven.ebx & LEAF7_EBX_SMAP;
	f->has_rtm = seven.ebx & LEAF7_EBX_RTM;
	f->amd8_ebx = leaf_read(0x80000008, 0).ebx;
	f->amd21_eax = leaf_read(0x80000021, 0).eax;
	if (seven.edx & LEAF7_EDX_ARCH_CAP)
		f->arch_capabilities = msr_read(MSR_ARCH_CAPABILITIES);
	f->leaf1_ebx = one.ebx;
	f->leaf1_edx = one.edx;
	f->leaf4_eax = leaf_read(4, 0).eax;
	f->leafb_eax = b.eax;
	f->leafb_ecx = b.ecx;
}

/* ---- Boot -------------------------------------------------------------- */

/* Of the threads of each core only the first that came up runs domains. */
static void threads_idle(struct host *host, unsigned thread_bits)
{
	for (unsigned i = 0; i < host->cpu_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (host->cpu[i]->apic_id >> thread_bits ==
			    host->cpu[j]->apic_id >> thread_bits)
				host->cpu[i]->runs_no_domain = true;
}

void speculation_init(struct host *host, bool is_on, bool is_vtx)
{
	struct speculation_facts facts = { .is_vtx = is_vtx };
	struct speculation *s = &host->speculation;
	char text[160];

	facts_read(&facts);
	speculation_decide(&facts, is_on, s);
	if (s->smt_idle)
		threads_idle(host, speculation_thread_bits(&facts));
	host->domain_cpu_count = 0;
	for (unsigned i = 0; i < host->cpu_count; i++)
		host->domain_cpu_count += !host->cpu[i]->runs_no_domain;
	/* Where there are none, none is idle. */
	s->smt_idle = host->domain_cpu_count < host->cpu_count;
	log_info("speculation: %s",
		 speculation_describe(s, text, sizeof(text)));
	if (s->smt_idle)
		log_info("CPUs: %u of %u run guests", host->domain_cpu_count,
			 host->cpu_count);
}

void speculation_init_cpu(struct cpu *cpu)
{
	const struct speculation *s = &cpu->host->speculation;

	cpu->fills_rsb = s->rsb_at_exit;
	if (s->ibrs)
		msr_write(MSR_SPEC_CTRL,
			  msr_read(MSR_SPEC_CTRL) | SPEC_CTRL_IBRS);
	if (s->auto_ibrs)
		msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AUTO_IBRS);
}

/* ---- Between domains --------------------------------------------------- */

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
