/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INIT and SIPI: from running, halted and waiting vCPUs, what they leave and
 * what they change, to nobody, and when they mean nothing.
 *
 * Reference: SDM volume 3, "IA-32 and Intel 64 Processor States Following
 * Power-up, Reset, or INIT".
 */
#include "tests/guest/lib/smp.h"

#define VECTOR	       0x51
#define TRAMPOLINE     8
#define OTHER_PAGE     0x2a
#define STORM	       20
#define CR0_CD_NW      MASK(30, 29)
#define CR0_ET	       BIT(4)
#define DR7_RESET      0x400
#define TICKS_A_WHILE  200000
#define SVR_RESET      0xff
#define MSR_PAT	       0x277
#define PAT_OURS       0x0007010600070406
#define MSR_MTRR_BASE0 0x200
#define MTRR_OURS      0x12300006

static unsigned count;
static volatile uint32_t is_inside, progress, is_over;
static uint32_t starts_before;

static void init(uint32_t destination)
{
	smp_send(destination, ICR_INIT_ASSERT);
}

static void sipi(uint32_t destination, uint8_t page)
{
	smp_send(destination, ICR_SIPI | page);
}

static void say_inside(void)
{
	is_inside = 1;
	smp_wake(0);
}

/* ---- What vCPU 1 is at when it comes -------------------------------------
 */

static void spin_if_clear(void)
{
	say_inside();
	for (;;)
		__asm__ volatile("pause");
}

static void spin_if_set(void)
{
	sti();
	spin_if_clear();
}

static void halt_if_clear(void)
{
	say_inside();
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void halt_if_set(void)
{
	say_inside();
	for (;;)
		__asm__ volatile("sti; hlt");
}

static void make_exits(void)
{
	say_inside();
	for (;;) {
		(void)in8(0x21);
		(void)cpuid(0, 0);
		(void)*(volatile uint32_t *)0xd0000000;
	}
}

static void print_without_end(void)
{
	say_inside();
	for (;;)
		print("%s", "");
}

static void (*victim)(void);

static void start_again(unsigned id)
{
	if (id == 1) {
		victim();
	} else if (id == 0) {
		smp_wait_count(&is_inside, 1);
		smp_spin(TICKS_A_WHILE);
		init(1);
		sipi(1, TRAMPOLINE);
		sipi(1, TRAMPOLINE); /* means nothing any more */
		(void)smp_wait_start(1, starts_before + 1);
	}
}

static void test_from(const char *name, void (*at)(void))
{
	victim = at;
	is_inside = 0;
	starts_before = smp_cpus[1].starts;
	smp_run(start_again);
	check_equal(name, smp_cpus[1].starts, starts_before + 1);
}

/* ---- What it changes ----------------------------------------------------- */

static volatile uint32_t taken_after;
static uint64_t pat_found, mtrr_found;

/* With a request pending and registers that INIT changes or leaves. */
static void prepare_state(void)
{
	uint64_t xmm[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };

	wrmsr(MSR_PAT, PAT_OURS);
	wrmsr(MSR_MTRR_BASE0, MTRR_OURS);
	__asm__ volatile("movups %0, %%xmm5" ::"m"(xmm));
	__asm__ volatile("mov %0, %%dr7" ::"r"(0x455ul));
	smp_send(1, ICR_FIXED | VECTOR);
	smp_apic_write(LAPIC_TPR, 0x30);
	halt_if_clear();
}

static uint64_t xmm_found[2];

static void look_state(unsigned id)
{
	if (id != 1)
		return;
	pat_found = rdmsr(MSR_PAT);
	mtrr_found = rdmsr(MSR_MTRR_BASE0);
	__asm__ volatile("movups %%xmm5, %0" : "=m"(xmm_found));
	smp_let_in();
	taken_after = smp_cpus[1].taken[VECTOR];
	wrmsr(MSR_PAT, 0x0007040600070406);
	wrmsr(MSR_MTRR_BASE0, 0);
}

static void test_state(void)
{
	const volatile struct smp_found *found = &smp_found[1];

	smp_count(VECTOR);
	test_from("from-hlt-with-request", prepare_state);
	smp_run(look_state);
	check_equal("state-cr0", found->cr0 & ~CR0_CD_NW, CR0_ET);
	check_equal("state-cr4", found->cr4, 0);
	check_equal("state-efer", found->efer & ~(uint32_t)BIT(0), 0);
	check_equal("state-dr7", found->dr7, DR7_RESET);
	check_equal("state-edx", found->edx, cpuid(1, 0).eax);
	check_equal("state-cs", found->cs, TRAMPOLINE << 8);
	check_equal("request-forgotten", taken_after, 0);
	check_equal("keeps-pat", pat_found, PAT_OURS);
	check_equal("keeps-mtrr", mtrr_found, MTRR_OURS);
	check("keeps-xmm", xmm_found[0] == 0x1122334455667788 &&
				   xmm_found[1] == 0x99aabbccddeeff00);
}

/* ---- SIPIs --------------------------------------------------------------- */

static void start_elsewhere(unsigned id)
{
	if (id == 1) {
		halt_if_clear();
	} else if (id == 0) {
		smp_wait_count(&is_inside, 1);
		init(1);
		sipi(1, OTHER_PAGE);
		(void)smp_wait_start(1, starts_before + 1);
	}
}

static void test_page(void)
{
	smp_trampoline_copy(OTHER_PAGE);
	is_inside = 0;
	starts_before = smp_cpus[1].starts;
	smp_run(start_elsewhere);
	check_equal("sipi-page", smp_found[1].cs, OTHER_PAGE << 8);
}

/* Without an INIT before it, and INIT's end, mean nothing. */
static void sipi_to_running(unsigned id)
{
	if (id == 1) {
		say_inside();
		while (!is_over)
			progress++;
		smp_wait_count(&is_over, 2);
	} else if (id == 0) {
		smp_wait_count(&is_inside, 1);
		sipi(1, OTHER_PAGE);
		smp_send(1, ICR_INIT_END);
		smp_spin(TICKS_A_WHILE);
		is_over = 1;
		smp_spin(TICKS_A_WHILE);
		sipi(1, OTHER_PAGE); /* probably halted */
		smp_spin(TICKS_A_WHILE);
		is_over = 2;
		smp_wake(1);
	}
}

static void test_ignored(void)
{
	is_inside = progress = is_over = 0;
	starts_before = smp_cpus[1].starts;
	smp_run(sipi_to_running);
	check_equal("sipi-while-running", smp_cpus[1].starts, starts_before);
	check("goes-on", progress != 0);
}

/* After INIT it does nothing until its SIPI, whatever else it is sent. */
static void wait_for_sipi(unsigned id)
{
	uint64_t before;

	if (id == 1) {
		say_inside();
		for (;;)
			progress++;
	} else if (id == 0) {
		smp_wait_count(&is_inside, 1);
		init(1);
		/* Its CPU may take a while to hear of it. */
		do {
			before = progress;
			smp_spin(25 * TICKS_A_WHILE);
		} while (progress != before);
		smp_send(1, ICR_FIXED | VECTOR);
		smp_wake(1);
		smp_spin(20 * TICKS_A_WHILE);
		taken_after = progress - before;
		sipi(1, TRAMPOLINE);
		(void)smp_wait_start(1, starts_before + 1);
	}
}

static void test_waits(void)
{
	is_inside = progress = 0;
	starts_before = smp_cpus[1].starts;
	smp_run(wait_for_sipi);
	/* The simulated processor may have been held up in its last increment.
	 */
	check("waits-for-sipi", taken_after <= 1);
	check_equal("waited", smp_cpus[1].starts, starts_before + 1);
}

static volatile uint32_t stormers;

static void send_storm(void)
{
	for (uint32_t i = 1; i <= STORM; i++) {
		init(1);
		init(1);
		sipi(1, TRAMPOLINE);
		smp_spin(i * 1000);
	}
	__atomic_add_fetch(&stormers, 1, __ATOMIC_SEQ_CST);
	smp_wake(0);
}

/*
 * From vCPU 0, and where it is told to from the last as well, at the same time.
 * The last SIPI names another page, by which it is seen.
 */
static void storm_from(unsigned id, unsigned senders)
{
	if (id == 1) {
		spin_if_clear();
	} else if (id == 0) {
		smp_wait_count(&is_inside, 1);
		is_inside = 2;
		smp_wake(count - 1);
		send_storm();
		smp_wait_count(&stormers, senders);
		init(1);
		sipi(1, OTHER_PAGE);
		while (smp_found[1].cs != OTHER_PAGE << 8)
			smp_spin(1000);
		smp_hold = 0;
		smp_wake(1);
	} else if (id == count - 1 && senders == 2) {
		smp_wait_count(&is_inside, 2);
		send_storm();
	}
}

static void storm(unsigned id)
{
	storm_from(id, 1);
}

static void storm_of_two(unsigned id)
{
	storm_from(id, 2);
}

/* However often, in the end it runs, and once. */
static void test_storm(const char *name, void (*fn)(unsigned id))
{
	is_inside = stormers = 0;
	smp_found[1].cs = 0;
	smp_hold = 1;
	starts_before = smp_cpus[1].starts;
	smp_run(fn);
	check_equal(name, smp_cpus[1].starts, starts_before + 1);
}

static void test_storms(void)
{
	test_storm("storm", storm);
	if (count > 2)
		test_storm("storm-of-two", storm_of_two);
}

static volatile uint32_t ready;

static void all_again(unsigned id)
{
	if (id) {
		__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
		smp_wake(0);
		halt_if_clear();
		return;
	}
	smp_wait_count(&ready, count - 1);
	smp_send(0, ICR_TO_OTHERS | ICR_INIT_ASSERT);
	smp_send(0, ICR_TO_OTHERS | ICR_SIPI | TRAMPOLINE);
	for (unsigned i = 1; i < count; i++)
		(void)smp_wait_start(i, starts_before + 1);
}

static void all_working(unsigned id)
{
	if (id == 0)
		smp_spin(TICKS_A_WHILE);
	smp_barrier();
}

static void test_all(void)
{
	unsigned good = 1;

	for (unsigned i = 1; i < count; i++)
		smp_cpus[i].starts = 0;
	starts_before = ready = 0;
	smp_run(all_again);
	for (unsigned i = 1; i < count; i++)
		good += smp_cpus[i].starts == 1;
	check_equal("all-again", good, count);
	smp_run(all_working);
}

static void test_nobody(void)
{
	init(count);
	sipi(count, TRAMPOLINE);
	init(0x7f);
	sipi(0x7f, TRAMPOLINE);
	pass("nobody");
}

/* ---- x2APIC mode --------------------------------------------------------- */

static volatile uint32_t x2_kept;

static void enter_x2apic(unsigned id)
{
	(void)id;
	smp_apic_mode(true);
	smp_barrier();
}

static void look_mode(unsigned id)
{
	if (id == 1)
		x2_kept = smp_this()->is_x2apic;
}

static void test_x2apic(void)
{
	if (!smp_has_x2apic()) {
		skip("x2apic", "CPUID does not offer it");
		return;
	}
	smp_run(enter_x2apic);
	test_from("x2apic-from-running", spin_if_clear);
	smp_run(look_mode);
	check_equal("x2apic-kept", x2_kept, 1);
	test_from("x2apic-from-hlt", halt_if_set);
	test_storms();
	test_all();
}

void guest_main(void)
{
	smp_start();
	count = smp_cpu_count();
	test_nobody();
	if (count < 2) {
		skip("inits", "one vCPU");
		return;
	}
	check_equal("first-cs", smp_found[1].cs, TRAMPOLINE << 8);
	test_from("from-running", spin_if_clear);
	test_from("from-running-if-set", spin_if_set);
	test_from("from-hlt", halt_if_clear);
	test_from("from-hlt-if-set", halt_if_set);
	test_from("from-exits", make_exits);
	test_from("from-serial-port", print_without_end);
	test_state();
	test_page();
	test_ignored();
	test_waits();
	test_storms();
	test_all();
	test_x2apic();
}
