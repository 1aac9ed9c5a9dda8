/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for Microsoft's hypervisor, as its specification has it: what CPUID
 * announces, each register, pages over RAM, both clocks, messages and direct
 * interrupts of timers, and hypercalls from memory and from registers.
 */
#include "tests/guest/lib/smp.h"

#include "lib/string.h"

#define FEATURES_A 0xaffU
#define FEATURES_D 0x80518U
#define HINTS	   0x62eU

#define VECTOR_SINT   0x52
#define VECTOR_DIRECT 0x53
#define VECTOR_IPI    0x54
#define SINT	      3
#define MESSAGE_TIMER 0x80000010

#define ENABLE	 BIT(0)
#define PERIODIC BIT(1)
#define AUTO	 BIT(3)
#define DIRECT	 (BIT(12) | VECTOR_DIRECT << 4)
#define TO_SINT	 ((uint64_t)SINT << 16)

#define FAST BIT(16)

static uint8_t call_page[PAGE_SIZE] __aligned(4096);
static uint8_t time_page[PAGE_SIZE] __aligned(4096);
static uint8_t simp[PAGE_SIZE] __aligned(4096);
static uint8_t other[PAGE_SIZE] __aligned(4096);
static uint8_t input[PAGE_SIZE] __aligned(4096);

static unsigned count;

static uint64_t gpa(const void *at)
{
	return (uint64_t)at;
}

/* ---- Registers that raise #GP ---------------------------------------------
 */

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

static bool faults(uint32_t msr, bool is_write, uint64_t value)
{
	struct access a = { msr, is_write, value };

	return trap_catch(do_access, &a) == X86_VECTOR_GP;
}

static void test_cpuid(void)
{
	struct cpuid c = cpuid(0x40000000, 0);

	check("vendor", c.ebx == 0x7263694d && c.ecx == 0x666f736f &&
				c.edx == 0x76482074);
	check("leaves", c.eax >= 0x40000005);
	check_equal("interface", cpuid(0x40000001, 0).eax, 0x31237648);
	c = cpuid(0x40000003, 0);
	check_equal("features", c.eax, FEATURES_A);
	check_equal("features-d", c.edx, FEATURES_D);
	check_equal("hints", cpuid(0x40000004, 0).eax, HINTS);
	check_equal("most-vps", cpuid(0x40000005, 0).eax, count);
	check("hypervisor", cpuid(1, 0).ecx >> 31);
}

static void test_faults(void)
{
	/* clang-format off */
	static const struct { const char *name; uint32_t msr; bool is_write;
			      uint64_t value; } rows[] = {
		{ "index-read-only", 0x40000002, true, 0 },
		{ "count-read-only", 0x40000020, true, 0 },
		{ "frequency-read-only", 0x40000022, true, 0 },
		{ "version-read-only", 0x40000081, true, 0 },
		{ "eoi-write-only", 0x40000070, false, 0 },
		{ "no-such-register", 0x400000c0, false, 0 },
		{ "sint-vector", 0x40000090, true, 15 },
		{ "direct-vector", 0x400000b0, true, BIT(12) | ENABLE },
		{ "page-above-all", 0x40000083, true, MASK(63, 12) | ENABLE },
		{ "page-no-ram", 0x40000083, true, 0xfee00000 | ENABLE },
	};
	/* clang-format on */

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i].name,
		      faults(rows[i].msr, rows[i].is_write, rows[i].value));
}

/* ---- Hypercalls -----------------------------------------------------------
 */

static uint64_t call(uint64_t control, uint64_t a, uint64_t b)
{
	register uint64_t r8 __asm__("r8") = b;
	uint64_t result;

	__asm__ volatile("call *%4"
			 : "=a"(result), "+c"(control), "+d"(a), "+r"(r8)
			 : "r"(call_page)
			 : "memory", "r9", "r10", "r11", "cc");
	return result;
}

static void call_without(void *arg)
{
	(void)arg;
	if (*(const uint32_t *)call_page == 0xc3d9010f)
		__asm__ volatile("vmmcall" ::: "memory", "rax");
	else
		__asm__ volatile("vmcall" ::: "memory", "rax");
}

static void test_call_page(void)
{
	static uint8_t before[PAGE_SIZE];

	for (unsigned i = 0; i < PAGE_SIZE; i++)
		before[i] = call_page[i] = (uint8_t)(i * 7 + 1);
	wrmsr(0x40000001, gpa(call_page) | ENABLE);
	check_equal("no-page-without-id", rdmsr(0x40000001), 0);
	wrmsr(0x40000000, 0x8100000000001234);
	check_equal("guest-id", rdmsr(0x40000000), 0x8100000000001234);
	wrmsr(0x40000001, gpa(call_page) | ENABLE);
	check_equal("page", rdmsr(0x40000001), gpa(call_page) | ENABLE);
	check_equal("unknown-call", call(0x1fff, 0, 0), 2);
	wrmsr(0x40000001, gpa(other) | ENABLE);
	check("page-moved", !memcmp(before, call_page, PAGE_SIZE));
	wrmsr(0x40000000, 0);
	check_equal("page-gone", rdmsr(0x40000001) & 1, 0);
	check_equal("undefined", (uint64_t)trap_catch(call_without, NULL),
		    X86_VECTOR_UD);
	wrmsr(0x40000000, 1);
	wrmsr(0x40000001, gpa(call_page) | ENABLE);
}

static void set_input(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		      uint64_t e)
{
	uint64_t *to = (uint64_t *)input;

	to[0] = a, to[1] = b, to[2] = c, to[3] = d, to[4] = e;
}

static void test_call_errors(void)
{
	set_input(0, 0, 1, 0, 0);
	check_equal("flush", call(2, gpa(input), 0), 0);
	check_equal("reserved", call(2 | BIT(60), gpa(input), 0), 3);
	check_equal("no-list", call(2 | BIT(32), gpa(input), 0), 3);
	check_equal("list-empty", call(3, gpa(input), 0), 3);
	check_equal("list-start",
		    call(3 | 2ULL << 32 | 2ULL << 48, gpa(input), 0), 3);
	check_equal("list", call(3 | 2ULL << 32, gpa(input), 0), 2ULL << 32);
	check_equal("list-rest",
		    call(3 | 2ULL << 32 | 1ULL << 48, gpa(input), 0),
		    2ULL << 32);
	check_equal("alignment", call(2, gpa(input) + 4, 0), 4);
	check_equal("crosses", call(2, gpa(input) + PAGE_SIZE - 8, 0), 4);
	check_equal("no-memory", call(2, 0xfee00000, 0), 3);
	check_equal("above", call(2, 1ULL << 52, 0), 3);
	check_equal("variable", call(2 | BIT(17), gpa(input), 0), 3);
	set_input(0, 0, 0, 1, 1);
	check_equal("sparse", call(0x13 | BIT(17), gpa(input), 0), 0);
	check_equal("sparse-size", call(0x13 | 2 << 17, gpa(input), 0), 3);
	set_input(0, 0, 1, 0, 0);
	check_equal("sparse-all", call(0x13, gpa(input), 0), 0);
	set_input(0, 0, 9, 0, 0);
	check_equal("sparse-format", call(0x13, gpa(input), 0), 5);
	check_equal("ipi-vector", call(0x0b | FAST, 15, 1), 5);
	check_equal("ipi-vector-high", call(0x0b | FAST, 256, 1), 5);
}

/* ---- Flushes that others see ----------------------------------------------
 */

static volatile uint8_t *window;
static volatile uint32_t stage[SMP_MAX], seen[SMP_MAX];
static uint8_t first[PAGE_SIZE] __aligned(4096);
static uint8_t second[PAGE_SIZE] __aligned(4096);

/* XMM0 holds the set of processors. */
static uint64_t flush_fast(uint64_t set)
{
	__asm__ volatile("movq %0, %%xmm0" ::"r"(set));
	return call(2 | FAST, READ_CR(3), 0);
}

static void watch_window(unsigned id)
{
	if (id == 0) {
		uint64_t *entry = page_entry(gpa((void *)window));

		for (unsigned i = 1; i < count; i++)
			while (!stage[i])
				__asm__ volatile("pause");
		*entry = (*entry & ~PTE_ADDR) | gpa(second);
		check_equal("flush-fast", flush_fast(MASK(count - 1, 0)), 0);
		for (unsigned i = 0; i < count; i++)
			stage[i] = 2;
		check_equal("flushed-self", *window, 2);
		return;
	}
	seen[id] = *window;
	stage[id] = 1;
	while (stage[id] != 2)
		__asm__ volatile("pause");
	seen[id] = seen[id] << 8 | *window;
}

static void test_flush(void)
{
	uint64_t bad = 0;
	uint64_t *entry;

	first[0] = 1;
	second[0] = 2;
	window = other;
	entry = page_entry(gpa(other));
	*entry = (*entry & ~PTE_ADDR) | gpa(first);
	invlpg(gpa(other));
	check_equal("window", *window, 1);
	for (unsigned i = 0; i < count; i++)
		stage[i] = 0;
	smp_run(watch_window);
	for (unsigned i = 1; i < count; i++)
		bad += seen[i] != 0x102;
	check_equal("flushed-others", bad, 0);
	*entry = (*entry & ~PTE_ADDR) | gpa(other);
	flush_fast(MASK(count - 1, 0));
}

/* ---- Interrupts -----------------------------------------------------------
 */

static uint64_t ipi_status;

static void send_ipis(unsigned id)
{
	if (id == 0)
		ipi_status = call(0x0b | FAST, VECTOR_IPI, MASK(63, 0));
	smp_wait_count(&smp_cpus[id].taken[VECTOR_IPI], 1);
}

static void send_sparse(unsigned id)
{
	if (id == 0) {
		set_input(VECTOR_IPI, 0, 1, MASK(63, 0), 0);
		ipi_status = call(0x15 | BIT(17), gpa(input), 0);
	}
	smp_wait_count(&smp_cpus[id].taken[VECTOR_IPI], 2);
}

static void test_ipis(void)
{
	smp_count(VECTOR_IPI);
	smp_run(send_ipis);
	check_equal("ipi", ipi_status, 0);
	smp_run(send_sparse);
	check_equal("ipi-sparse", ipi_status, 0);
	/* By the local APIC's registers. */
	wrmsr(0x40000071, ICR_FIXED | ICR_TO_SELF | VECTOR_IPI);
	smp_wait_count(&smp_this()->taken[VECTOR_IPI], 3);
	pass("icr");
	wrmsr(0x40000072, 0x30);
	check_equal("tpr", smp_apic_read(LAPIC_TPR), 0x30);
	check_equal("tpr-read", rdmsr(0x40000072), 0x30);
	wrmsr(0x40000072, 0);
}

static volatile uint32_t ended;

static void end_by_msr(struct trap_frame *frame)
{
	(void)frame;
	ended++;
	wrmsr(0x40000070, 0);
}

static void test_eoi(void)
{
	ended = 0;
	trap_hook(VECTOR_IPI, end_by_msr);
	for (uint32_t i = 1; i <= 2; i++) {
		smp_send(0, ICR_FIXED | VECTOR_IPI);
		smp_wait_count(&ended, i);
	}
	check_equal("eoi", ended, 2);
}

/* ---- Time -----------------------------------------------------------------
 */

struct time_page {
	volatile uint32_t sequence, reserved;
	volatile uint64_t scale;
	volatile int64_t offset;
};

static uint64_t page_time(void)
{
	const struct time_page *page = (const void *)time_page;

	return (uint64_t)(((unsigned __int128)rdtsc() * page->scale) >> 64) +
	       (uint64_t)page->offset;
}

static void test_time(void)
{
	uint64_t before, between, after, hz = rdmsr(0x40000022);

	wrmsr(0x40000021, gpa(time_page) | ENABLE);
	check_equal("time-page", rdmsr(0x40000021), gpa(time_page) | ENABLE);
	check("sequence",
	      ((const struct time_page *)(const void *)time_page)->sequence);
	before = rdmsr(0x40000020);
	between = page_time();
	after = rdmsr(0x40000020);
	check("clocks-agree", before <= between && between <= after);
	between = rdtsc();
	before = rdmsr(0x40000020);
	smp_spin(hz / 100);
	after = rdmsr(0x40000020);
	between = (rdtsc() - between) / (hz / 10000000);
	check("clock-runs",
	      after - before >= 100000 && after - before <= between + 1);
	check("apic-frequency", rdmsr(0x40000023) > 1000000);
	before = rdmsr(0x40000010);
	check("runtime", rdmsr(0x40000010) >= before);
}

/* ---- Timers ---------------------------------------------------------------
 */

static void test_direct(void)
{
	volatile uint32_t *taken = &smp_this()->taken[VECTOR_DIRECT];
	uint64_t due, config;

	smp_count(VECTOR_DIRECT);
	wrmsr(0x400000b0, DIRECT | AUTO);
	due = rdmsr(0x40000020) + 10000;
	wrmsr(0x400000b1, due);
	/* Its time may have come; the interrupt may still be on its way. */
	config = rdmsr(0x400000b0);
	check("one-shot-enabled", config & ENABLE || rdmsr(0x40000020) >= due);
	smp_wait_count(taken, 1);
	check("one-shot-over", !(rdmsr(0x400000b0) & ENABLE));
	/* One whose time has passed comes at once. */
	wrmsr(0x400000b1, 1);
	smp_wait_count(taken, 2);
	wrmsr(0x400000b0, DIRECT | PERIODIC);
	wrmsr(0x400000b1, 20000);
	wrmsr(0x400000b0, DIRECT | PERIODIC | ENABLE);
	smp_wait_count(taken, 5);
	check("periodic-enabled", rdmsr(0x400000b0) & ENABLE);
	wrmsr(0x400000b1, 0);
	check("stopped", !(rdmsr(0x400000b0) & ENABLE));
	/* Nobody to tell. */
	wrmsr(0x400000b2, ENABLE);
	check("no-target", !(rdmsr(0x400000b2) & ENABLE));
}

static void test_messages(void)
{
	volatile uint32_t *slot = (volatile uint32_t *)(simp + SINT * 256);
	volatile uint32_t *taken = &smp_this()->taken[VECTOR_SINT];
	uint64_t due;

	simp[SINT * 256] = 0xaa;
	smp_count(VECTOR_SINT);
	check_equal("sint-reset", rdmsr(0x40000090 + SINT), BIT(16));
	wrmsr(0x40000083, gpa(simp) | ENABLE);
	wrmsr(0x40000082, gpa(second) | ENABLE);
	wrmsr(0x40000080, 1);
	wrmsr(0x40000090 + SINT, VECTOR_SINT);
	check_equal("slot-empty", slot[0], 0);
	due = rdmsr(0x40000020) + 10000;
	wrmsr(0x400000b0, AUTO | TO_SINT);
	wrmsr(0x400000b1, due);
	smp_wait_count(taken, 1);
	check_equal("message", slot[0], MESSAGE_TIMER);
	check_equal("message-size", slot[1] & 0xff, 24);
	check_equal("message-timer", slot[4], 0);
	check_equal("message-due", *(volatile uint64_t *)(slot + 6), due);
	check("message-time", *(volatile uint64_t *)(slot + 8) >= due);
	/* The next one finds the slot full. */
	wrmsr(0x400000b2, AUTO | TO_SINT);
	wrmsr(0x400000b3, 1);
	while (!(slot[1] >> 8 & 1))
		__asm__ volatile("pause");
	check_equal("message-waits", *taken, 1);
	slot[0] = 0;
	wrmsr(0x40000084, 0);
	smp_wait_count(taken, 2);
	check_equal("message-second", slot[4], 1);
	wrmsr(0x40000080, 0);
	wrmsr(0x40000083, 0);
	check_equal("under-message", simp[SINT * 256], 0xaa);
}

/* Two pages in one place: the first is seen, and what was there is not lost. */
static void test_overlays(void)
{
	input[0] = 0x77;
	wrmsr(0x40000073, gpa(input) | ENABLE);
	check_equal("assist", rdmsr(0x40000073), gpa(input) | ENABLE);
	check_equal("assist-clear", input[0], 0);
	input[0] = 0x11;
	wrmsr(0x40000083, gpa(input) | ENABLE);
	check_equal("first-stays", input[0], 0x11);
	wrmsr(0x40000073, 0);
	check_equal("second-shows", input[0], 0);
	wrmsr(0x40000083, 0);
	check_equal("under-both", input[0], 0x77);
}

static void each_vp(unsigned id)
{
	seen[id] = rdmsr(0x40000002) != id || rdmsr(0x40000081) != 1;
}

static void test_crash(void)
{
	static const char text[] = "a message\nof two lines";

	check_equal("crash-control", rdmsr(0x40000105), 3ULL << 62);
	for (unsigned i = 0; i < 3; i++)
		wrmsr(0x40000100 + i, 0xc0 + i);
	wrmsr(0x40000103, gpa(text));
	wrmsr(0x40000104, sizeof(text) - 1);
	check_equal("crash-kept", rdmsr(0x40000101), 0xc1);
	wrmsr(0x40000105, 3ULL << 62);
}

void guest_main(void)
{
	uint64_t bad = 0;

	smp_start();
	count = smp_cpu_count();
	test_cpuid();
	test_faults();
	smp_run(each_vp);
	for (unsigned i = 0; i < count; i++)
		bad += seen[i];
	check_equal("index", bad, 0);
	test_call_page();
	test_call_errors();
	test_flush();
	test_ipis();
	test_eoi();
	test_time();
	test_direct();
	test_messages();
	test_overlays();
	test_crash();
}
