/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID tables that a machine should not hand out: that lie, that make no
 * sense, that change while they are read, or that never come.
 */
#include "tests/hostile/programs/evil.h"

#include "include/errno.h"
#include "lib/string.h"
#include "machine/cpuid_table.h"

static struct cpuid_table table; /* what all vCPUs scribble on */

static struct cpuid_regs facts(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return gate_cpuid_facts(leaf, subleaf);
}

void cpuid_honest(struct cpuid_table *to)
{
	const struct gate_config *gate = gate_config();
	const struct cpuid_config config = {
		.facts = facts,
		.vcpus = gate->vcpu_count,
		.tsc_hz = gate->tsc_hz,
		.apic_timer_hz = gate->apic_timer_hz,
	};

	if (cpuid_table_build(to, &config))
		SAY("FAIL no CPUID table can be made");
}

static struct cpuid_regs shown(struct self *self, uint32_t leaf,
			       uint32_t subleaf)
{
	const uint64_t *gpr = self->page->state.gpr;

	gate_call(GATE_CPUID, leaf, subleaf, 0);
	return (struct cpuid_regs){ (uint32_t)gpr[X86_RAX],
				    (uint32_t)gpr[X86_RBX],
				    (uint32_t)gpr[X86_RCX],
				    (uint32_t)gpr[X86_RDX] };
}

/* Features only; vCPU 0's OSXSAVE and APIC are as they are. */
static bool is_limited(struct self *self)
{
	static const uint32_t leaves[][2] = {
		{ 1, 0 },	   { 6, 0 },	      { 7, 0 },
		{ 7, 1 },	   { 0xa, 0 },	      { 0xd, 0 },
		{ 0xd, 1 },	   { 0x14, 0 },	      { 0x80000001, 0 },
		{ 0x80000007, 0 }, { 0x80000008, 0 }, { 0x8000000a, 0 },
	};
	static const uint8_t first[] = { 2, 0, 1, 0, 0, 0, 0, 0, 2, 3, 1, 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct cpuid_regs may =
			gate_cpuid_facts(leaves[i][0], leaves[i][1]);
		struct cpuid_regs is = shown(self, leaves[i][0], leaves[i][1]);
		const uint32_t *m = &may.eax, *s = &is.eax;
		unsigned reg = first[i];

		/* Of leaves 0dh and 80000008h other registers are sizes. */
		if (s[reg] & ~(m[reg] | (reg == 2 ? BIT(27) : 0)))
			return false;
	}
	return !(gate_config()->cr4_valid >> 23) &&
	       gate_config()->physical_bits <= 52;
}

static void runs(struct self *self)
{
	meet(self);
	if (self->id == 0)
		guest_memory();
	meet(self);
	guest_state(self);
	while (goes_on(self)) {
		gate_timer(now_ns() + 20 * NSEC_PER_US);
		if (self->id != evil.ender || self->vcpus == 1)
			gate_resume();
		gate_call(GATE_CPUID, random_next(self) % 32,
			  random_next(self) % 32, 0);
		gate_call(GATE_MSR_WRITE, 0xc0000080, random_next(self), 0);
		gate_call(GATE_MSR_WRITE, 0xc0000103, random_next(self), 0);
		if (one_in(self, 64))
			guest_state(self);
	}
}

/* Every feature there is, every address bit, all patches. */
static void attack_cpuidlie(struct self *self)
{
	struct cpuid_leaf *leaf = (struct cpuid_leaf *)&table;
	long error;

	if (self->id == 0) {
		memset(&table, 0xff, sizeof(table));
		for (unsigned i = 0; i < sizeof(table) / sizeof(*leaf); i++)
			leaf[i].subleaf_first = leaf[i].subleaf_count = 0;
		error = gate_cpuid_set(&table);
		if (error || !is_limited(self))
			SAY("FAIL a lie is shown: %ld", error);
		else if (gate_cpuid_set(&table) != -EEXIST)
			SAY("FAIL a second table is taken");
		else
			SAY("PASS no lie is shown");
	}
	runs(self);
}

/* Subleaves past the end; addresses that are not the caller's. */
static void attack_cpuidbad(struct self *self)
{
	static const uint64_t addresses[] = {
		0,
		8,
		0x00007ffffffffff8,
		0x0000800000000000,
		UINT64_MAX,
		0xffff800000000000,
		0xffffffff80000000,
	};
	bool is_good = true;

	if (self->id == 0) {
		for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
			is_good &= gate_call(GATE_CPUID_SET, addresses[i], 0,
					     0) == -EFAULT;
			is_good &= gate_call(GATE_CPUID_FACTS, 1, 0,
					     addresses[i]) == -EFAULT;
		}
		for (unsigned i = 0; i < CPUID_LEAVES; i++) {
			cpuid_honest(&table);
			table.basic[i].subleaf_first = CPUID_SUBLEAVES - 1;
			table.basic[i].subleaf_count = 2;
			is_good &= gate_cpuid_set(&table) == -EINVAL;
		}
		is_good &= shown(self, 1, 0).edx == 0;
		cpuid_honest(&table);
		is_good &= gate_cpuid_set(&table) == 0;
		SAY("%s tables that make no sense are refused",
		    is_good ? "PASS" : "FAIL");
	}
	runs(self);
}

/* All vCPUs hand theirs out at once, and write into it meanwhile. */
static void attack_cpuidrace(struct self *self)
{
	struct cpuid_leaf *leaf = (struct cpuid_leaf *)&table;
	static uint32_t is_set; /* atomic */
	bool is_scribbler = self->id & 1;

	meet(self);
	for (unsigned i = 0; !__atomic_load_n(&is_set, __ATOMIC_RELAXED); i++) {
		leaf[random_next(self) % (sizeof(table) / sizeof(*leaf))] =
			(struct cpuid_leaf){
				.regs = { UINT32_MAX, UINT32_MAX, UINT32_MAX,
					  UINT32_MAX },
				.patch = (uint8_t)random_next(self),
				.subleaf_first = (uint8_t)random_next(self) %
						 CPUID_SUBLEAVES,
				.subleaf_count = one_in(self, 32),
			};
		if (is_scribbler)
			continue;
		if (i == 64)
			cpuid_honest(&table);
		if (!gate_cpuid_set(&table) || i > 4096)
			__atomic_store_n(&is_set, 1, __ATOMIC_RELAXED);
	}
	meet(self);
	if (self->id == 0)
		SAY("%s what was read is what was checked",
		    is_limited(self) ? "PASS" : "FAIL");
	runs(self);
}

/* No table at all. */
static void attack_cpuidnone(struct self *self)
{
	meet(self);
	for (;;)
		gate_resume();
}

const struct attack cpuid_attacks[] = {
	{ "cpuidlie", attack_cpuidlie },
	{ "cpuidbad", attack_cpuidbad },
	{ "cpuidrace", attack_cpuidrace },
	{ "cpuidnone", attack_cpuidnone },
	{ NULL, NULL },
};
