/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for KVM's interface, as Linux uses it: what CPUID announces, each
 * register, the clock, interrupts to many by one call, HLT that a kick ends,
 * and a vCPU that is away while another wants its TLB flushed.  Structures in
 * wrong places are not written.
 */
#include "tests/guest/lib/smp.h"

#include "lib/string.h"

#define FEATURES 0x100baaaU

#define WALL_CLOCK   0x4b564d00
#define SYSTEM_TIME  0x4b564d01
#define STEAL_TIME   0x4b564d03
#define POLL_CONTROL 0x4b564d05
#define ENABLE	     BIT(0)

#define CALL_POLL_IRQ 1
#define CALL_KICK     5
#define CALL_SEND_IPI 10
#define CALL_YIELD    11
#define INVALID	      (uint64_t)(-22LL)
#define UNKNOWN	      (uint64_t)(-1000LL)

#define VECTOR_IPI 0x54
#define AWAY	   1
#define FLUSH	   2

struct clock {
	volatile uint32_t version, reserved;
	volatile uint64_t tsc, ns;
	volatile uint32_t multiplier;
	volatile int8_t shift;
	volatile uint8_t flags, reserved1[2];
};

struct steal {
	volatile uint64_t ns;
	volatile uint32_t version, flags;
	volatile uint8_t away, reserved[47];
};

static struct clock clocks[SMP_MAX] __aligned(64);
static struct steal steals[SMP_MAX] __aligned(64);
static volatile uint32_t wall[16] __aligned(64);
static uint8_t page[2 * PAGE_SIZE] __aligned(4096);
static uint8_t first[PAGE_SIZE] __aligned(4096);
static uint8_t second[PAGE_SIZE] __aligned(4096);
static volatile uint32_t stage, seen[SMP_MAX];
static volatile uint64_t times[SMP_MAX];
static unsigned count;
static bool is_amd;

static uint64_t gpa(const volatile void *at)
{
	return (uint64_t)at;
}

static uint64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		     uint64_t d)
{
	uint64_t result = number;

	if (is_amd)
		__asm__ volatile("vmmcall"
				 : "+a"(result)
				 : "b"(a), "c"(b), "d"(c), "S"(d)
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "+a"(result)
				 : "b"(a), "c"(b), "d"(c), "S"(d)
				 : "memory");
	return result;
}

/* ---- What there is --------------------------------------------------------
 */

static void test_cpuid(void)
{
	struct cpuid c = cpuid(0x40000000, 0);

	check("signature",
	      c.ebx == 0x4b4d564b && c.ecx == 0x564b4d56 && c.edx == 0x4d);
	check_equal("leaves", c.eax, 0x40000001);
	c = cpuid(0x40000001, 0);
	check_equal("features", c.eax, FEATURES);
	check_equal("hints", c.edx, 0);
	check("rate", cpuid(0x40000010, 0).eax);
	c = cpuid(0x40000200, 0);
	check_equal("own-leaf", c.eax, 0x40000200);
	check("own-signature", c.ebx == 0x6b6c7542 && c.ecx == 0x64616568 &&
				       c.edx == 0x20205648);
	check_equal("no-more-leaves", cpuid(0x40000100, 0).eax, 0);
	check("hypervisor", cpuid(1, 0).ecx >> 31);
}

struct access {
	uint32_t msr;
	bool is_write;
	uint64_t value;
};

static void do_access(void *arg)
{
	struct access *a = arg;

	if (a->is_write)
		wrmsr(a->msr, a->value);
	else
		a->value = rdmsr(a->msr);
}

static void test_faults(void)
{
	/* clang-format off */
	static const struct { const char *name; struct access a; } rows[] = {
		{ "old-clock", { 0x12, true, 0 } },
		{ "async-fault", { 0x4b564d02, true, 0 } },
		{ "async-fault-read", { 0x4b564d02, false, 0 } },
		{ "eoi", { 0x4b564d04, true, 0 } },
		{ "async-int", { 0x4b564d06, true, 0 } },
		{ "migration", { 0x4b564d08, true, 0 } },
		{ "poll-reserved", { POLL_CONTROL, true, 2 } },
		{ "steal-reserved", { STEAL_TIME, true, 0x23 } },
	};
	/* clang-format on */

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct access a = rows[i].a;

		check_equal(rows[i].name, (uint64_t)trap_catch(do_access, &a),
			    X86_VECTOR_GP);
	}
	check_equal("poll", rdmsr(POLL_CONTROL), 1);
	wrmsr(POLL_CONTROL, 0);
	check_equal("poll-off", rdmsr(POLL_CONTROL), 0);
}

/* ---- Time -----------------------------------------------------------------
 */

static uint64_t clock_read(const struct clock *c)
{
	uint64_t ticks = rdtsc() - c->tsc;

	ticks = c->shift < 0 ? ticks >> -c->shift : ticks << c->shift;
	return c->ns +
	       (uint64_t)(((unsigned __int128)ticks * c->multiplier) >> 32);
}

static void test_wall(void)
{
	wrmsr(WALL_CLOCK, gpa(wall));
	check_equal("wall-register", rdmsr(WALL_CLOCK), gpa(wall));
	check("wall-version", wall[0] && wall[0] % 2 == 0);
	check("wall", wall[1] > 946684800); /* later than the year 2000 */
}

/* One after the other, from the highest to the lowest: none is behind. */
static void each_clock(unsigned id)
{
	struct clock *c = &clocks[id];

	wrmsr(SYSTEM_TIME, gpa(c) | ENABLE);
	seen[id] = rdmsr(SYSTEM_TIME) == (gpa(c) | ENABLE) && c->version &&
		   c->version % 2 == 0 && c->flags == 1;
	smp_barrier();
	for (unsigned turn = count; turn-- > 0;) {
		if (turn == id)
			times[id] = clock_read(c);
		smp_barrier();
	}
}

static void test_clock(void)
{
	uint64_t bad = 0, before, khz = cpuid(0x40000010, 0).eax, start;

	smp_run(each_clock);
	for (unsigned i = 0; i < count; i++)
		bad += !seen[i] || (i && times[i] > times[i - 1]);
	check_equal("clock", bad, 0);
	before = clock_read(&clocks[0]);
	start = rdtsc();
	while (rdtsc() - start < 10 * khz) /* 10 ms */
		__asm__ volatile("pause");
	before = clock_read(&clocks[0]) - before;
	check("clock-rate", before >= 9990000 && before < 2000000000);
	/* A guest that writes its TSC has a clock that is not stable. */
	wrmsr(0x10, rdtsc() + 1000000000000);
	before = clock_read(&clocks[1 % count]);
	wrmsr(SYSTEM_TIME, gpa(&clocks[0]) | ENABLE);
	check_equal("clock-own-tsc", clocks[0].flags, 0);
	check("clock-goes-on", clock_read(&clocks[0]) < times[0] + 60000000000);
	wrmsr(0x3b, 0);
}

/* Nothing is written, and nothing else happens. */
static void test_places(void)
{
	static const struct {
		const char *name;
		uint32_t msr;
		uint64_t offset;
	} rows[] = {
		{ "clock-unaligned", SYSTEM_TIME, 2 | ENABLE },
		{ "clock-crosses", SYSTEM_TIME, (PAGE_SIZE - 16) | ENABLE },
		{ "clock-off", SYSTEM_TIME, 0 },
		{ "wall-unaligned", WALL_CLOCK, 2 },
		{ "wall-crosses", WALL_CLOCK, PAGE_SIZE - 4 },
		{ "steal-off", STEAL_TIME, 0 },
	};
	static const uint64_t nowhere[] = { 0xfee00000, 0xfec00000, 0xf0000,
					    1ULL << 40, MASK(63, 12) };

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bad = 0;

		memset(page, 0x5a, sizeof(page));
		wrmsr(rows[i].msr, gpa(page) + rows[i].offset);
		for (unsigned j = 0; j < sizeof(page); j++)
			bad += page[j] != 0x5a;
		check_equal(rows[i].name, bad, 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++) {
		wrmsr(SYSTEM_TIME, nowhere[i] | ENABLE);
		wrmsr(WALL_CLOCK, nowhere[i]);
		wrmsr(STEAL_TIME, nowhere[i] | ENABLE);
	}
	pass("nowhere");
	wrmsr(STEAL_TIME, 0);
	wrmsr(SYSTEM_TIME, gpa(&clocks[0]) | ENABLE);
}

/* ---- Interrupts -----------------------------------------------------------
 */

static void test_errors(void)
{
	check_equal("unknown-call", call(0x1234, 0, 0, 0, 0), UNKNOWN);
	check_equal("poll-irq", call(CALL_POLL_IRQ, 0, 0, 0, 0), 0);
	check_equal("yield", call(CALL_YIELD, 0, 0, 0, 0), 0);
	check_equal("yield-nobody", call(CALL_YIELD, 9999, 0, 0, 0), 0);
	check_equal("kick-nobody", call(CALL_KICK, 0, 9999, 0, 0), 0);
	check_equal("ipi-vector", call(CALL_SEND_IPI, 1, 0, 0, 15), INVALID);
	check_equal("ipi-init", call(CALL_SEND_IPI, 1, 0, 0, ICR_INIT),
		    INVALID);
	check_equal("ipi-shorthand",
		    call(CALL_SEND_IPI, 1, 0, 0, ICR_TO_ALL | VECTOR_IPI),
		    INVALID);
	check_equal("ipi-nobody",
		    call(CALL_SEND_IPI, ~0ULL, ~0ULL, 64, VECTOR_IPI), 0);
	check_equal("ipi-far",
		    call(CALL_SEND_IPI, ~0ULL, ~0ULL, ~0ULL, VECTOR_IPI), 0);
}

static volatile uint64_t accepted;

static void send_all(unsigned id)
{
	if (id == 0)
		accepted = call(CALL_SEND_IPI, ~0ULL, ~0ULL, 0,
				ICR_FIXED | VECTOR_IPI);
	smp_wait_count(&smp_cpus[id].taken[VECTOR_IPI], 1);
}

/* To the last one alone, by a map that begins with it. */
static void send_last(unsigned id)
{
	if (id == 0)
		accepted = call(CALL_SEND_IPI, 1, 0, count - 1,
				ICR_FIXED | VECTOR_IPI);
	if (id == count - 1)
		smp_wait_count(&smp_cpus[id].taken[VECTOR_IPI], 2);
}

static void test_ipis(void)
{
	uint64_t bad = 0;

	smp_count(VECTOR_IPI);
	smp_run(send_all);
	check_equal("ipi", accepted, count);
	smp_run(send_last);
	check_equal("ipi-last", accepted, 1);
	for (unsigned i = 0; i < count; i++)
		bad += smp_cpus[i].taken[VECTOR_IPI] != 1u + (i == count - 1);
	check_equal("ipi-counts", bad, 0);
}

/* ---- HLT ------------------------------------------------------------------
 */

static void halt(void)
{
	__asm__ volatile("hlt" ::: "memory");
}

/* With interrupts off: by a kick, one that came before it or one meanwhile. */
static void wait_kick(unsigned id)
{
	if (id == 0) {
		while (stage != count - 1)
			(void)call(CALL_YIELD, 0, 0, 0, 0);
		smp_spin(1000000);
		for (unsigned i = 1; i < count; i++)
			(void)call(CALL_KICK, 0, i, 0, 0);
		return;
	}
	__atomic_fetch_add(&stage, 1, __ATOMIC_SEQ_CST);
	halt();
	seen[id]++;
}

static void test_kick(void)
{
	uint64_t bad = 0;

	(void)call(CALL_KICK, 0, 0, 0, 0);
	halt();
	pass("kick-before");
	stage = 0;
	memset((void *)seen, 0, sizeof(seen));
	smp_run(wait_kick);
	for (unsigned i = 1; i < count; i++)
		bad += seen[i] != 1;
	check_equal("kick", bad, 0);
}

/* ---- Who is away ----------------------------------------------------------
 */

static volatile uint8_t *window;

static bool flush_by_bit(unsigned id)
{
	volatile uint8_t *away = &steals[id].away;
	uint8_t was = AWAY;

	while (!(*away & AWAY))
		(void)call(CALL_YIELD, 0, 0, 0, 0);
	return __atomic_compare_exchange_n(away, &was, AWAY | FLUSH, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void be_away(unsigned id)
{
	uint64_t *entry = page_entry(gpa(window));

	if (id) {
		wrmsr(STEAL_TIME, gpa(&steals[id]) | ENABLE);
		seen[id] = *window | (uint32_t)(steals[id].away << 8);
		__atomic_fetch_add(&stage, 1, __ATOMIC_SEQ_CST);
		halt();
		seen[id] |= (uint32_t)*window << 16 | (uint32_t)steals[id].away
							      << 24;
		wrmsr(STEAL_TIME, 0);
		return;
	}
	while (stage != count - 1)
		(void)call(CALL_YIELD, 0, 0, 0, 0);
	*entry = (*entry & ~PTE_ADDR) | gpa(second);
	for (unsigned i = 1; i < count; i++)
		times[i] = flush_by_bit(i);
	for (unsigned i = 1; i < count; i++)
		(void)call(CALL_KICK, 0, i, 0, 0);
}

static void test_away(void)
{
	uint64_t *entry = page_entry(gpa(page));
	uint64_t bad = 0, odd = 0, unasked = 0;

	first[0] = 1;
	second[0] = 2;
	window = page;
	*entry = (*entry & ~PTE_ADDR) | gpa(first);
	invlpg(gpa(page));
	stage = 0;
	smp_run(be_away);
	for (unsigned i = 1; i < count; i++) {
		bad += seen[i] != 0x020001;
		odd += steals[i].version % 2 || !steals[i].version;
		unasked += !times[i];
	}
	check_equal("away", unasked, 0);
	check_equal("away-flushed", bad, 0);
	check_equal("steal-version", odd, 0);
	*entry = (*entry & ~PTE_ADDR) | gpa(page);
	invlpg(gpa(page));
}

/* What it is on a CPU of its own, who knows; but it never shrinks, and is less
 * than all time. */
static void take_turns(unsigned id)
{
	uint64_t start = rdtsc(), khz = cpuid(0x40000010, 0).eax, last = 0;

	wrmsr(STEAL_TIME, gpa(&steals[id]) | ENABLE);
	seen[id] = 0;
	while (rdtsc() - start < 50 * khz) { /* 50 ms */
		seen[id] += steals[id].ns < last;
		last = steals[id].ns;
	}
	times[id] = last;
	wrmsr(STEAL_TIME, 0);
}

static void test_steal(void)
{
	uint64_t bad = 0, most = clock_read(&clocks[0]);

	memset((void *)steals, 0, sizeof(steals));
	smp_run(take_turns);
	most = clock_read(&clocks[0]) - most;
	for (unsigned i = 0; i < count; i++)
		bad += seen[i] || times[i] > most;
	check_equal("steal", bad, 0);
	print("stolen from vCPU 0: %u us\n", (unsigned)(times[0] / 1000));
}

void guest_main(void)
{
	is_amd = cpuid(0, 0).ecx == 0x444d4163;
	smp_start();
	count = smp_cpu_count();
	test_cpuid();
	test_faults();
	test_wall();
	test_clock();
	test_places();
	test_errors();
	test_ipis();
	test_kick();
	test_away();
	test_steal();
}
