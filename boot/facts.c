/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor says of speculation, and what follows for this host.
 *
 * References: SDM volume 2, "CPUID"; SDM volume 4, "IA32_ARCH_CAPABILITIES".
 */
#include "boot/boot.h"
#include "boot/speculation.h"

#include "include/log.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "kernel/host.h"
#include "lib/string.h"

#define MSR_ARCH_CAPABILITIES 0x0000010a

#define LEAF1_ECX_VMX	     BIT(5)
#define LEAF7_EBX_RTM	     BIT(11)
#define LEAF7_EBX_SMAP	     BIT(20)
#define LEAF7_EDX_ARCH_CAP   BIT(29)
#define LEAF1_EAX_STEPPING   MASK(3, 0)
#define LEAF1_EAX_MODEL	     MASK(7, 4)
#define LEAF1_EAX_FAMILY     MASK(11, 8)
#define LEAF1_EAX_EXT_MODEL  MASK(19, 16)
#define LEAF1_EAX_EXT_FAMILY MASK(27, 20)

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

struct cpuid_regs cpuid_leaf(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs none = { 0 };

	if (cpuid_read(leaf & 0x80000000, 0).eax < leaf)
		return none;
	return cpuid_read(leaf, subleaf);
}

static void facts_read(struct speculation_facts *f)
{
	struct cpuid_regs one = cpuid_leaf(1, 0), seven = cpuid_leaf(7, 0);
	struct cpuid_regs b = cpuid_leaf(0xb, 0);

	f->vendor = vendor_read();
	f->is_vtx = one.ecx & LEAF1_ECX_VMX;
	f->family = (uint32_t)FIELD_GET(LEAF1_EAX_FAMILY, one.eax);
	f->model = (uint32_t)FIELD_GET(LEAF1_EAX_MODEL, one.eax);
	if (f->family == 6 || f->family == 15)
		f->model |= FIELD_GET(LEAF1_EAX_EXT_MODEL, one.eax) << 4;
	if (f->family == 15)
		f->family += FIELD_GET(LEAF1_EAX_EXT_FAMILY, one.eax);
	f->leaf7_edx = seven.edx;
	f->has_smap = seven.ebx & LEAF7_EBX_SMAP;
	f->has_rtm = seven.ebx & LEAF7_EBX_RTM;
	f->amd8_ebx = cpuid_leaf(0x80000008, 0).ebx;
	f->amd21_eax = cpuid_leaf(0x80000021, 0).eax;
	if (seven.edx & LEAF7_EDX_ARCH_CAP)
		f->arch_capabilities = msr_read(MSR_ARCH_CAPABILITIES);
	f->leaf1_ebx = one.ebx;
	f->leaf1_edx = one.edx;
	f->leaf4_eax = cpuid_leaf(4, 0).eax;
	f->leafb_eax = b.eax;
	f->leafb_ecx = b.ecx;
}

/* Of the threads of each core only the first that came up runs domains. */
static void threads_idle(struct host *host, unsigned thread_bits)
{
	for (unsigned i = 0; i < host->cpu_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (host->cpu[i]->apic_id >> thread_bits ==
			    host->cpu[j]->apic_id >> thread_bits)
				host->cpu[i]->runs_no_domain = true;
}

void speculation_init(struct host *host, bool is_on)
{
	struct speculation_facts facts = { 0 };
	struct speculation *s = &host->speculation;
	char text[160];

	facts_read(&facts);
	speculation_decide(&facts, is_on, s);
	if (s->smt_idle)
		threads_idle(host, speculation_thread_bits(&facts));
	for (unsigned i = 0; i < host->cpu_count; i++)
		host->domain_cpu_count += !host->cpu[i]->runs_no_domain;
	/* Where there are none, none is idle. */
	s->smt_idle = host->domain_cpu_count < host->cpu_count;
	log_info("speculation: %s",
		 speculation_describe(s, text, sizeof(text)));
	if (host->options.is_boot_cpu_idle && host->domain_cpu_count > 1) {
		host->cpu[0]->runs_no_domain = true;
		host->domain_cpu_count--;
	}
	if (host->domain_cpu_count < host->cpu_count)
		log_info("CPUs: %u of %u run guests", host->domain_cpu_count,
			 host->cpu_count);
}
