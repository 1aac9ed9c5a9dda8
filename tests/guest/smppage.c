/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each vCPU has its local APIC's page where its own IA32_APIC_BASE says: all in
 * one place, each in another, or some in x2APIC mode and some off; and finds
 * its own registers there, not another's.
 */
#include "tests/guest/lib/smp.h"

#define MSR_APIC_BASE  0x1b
#define MSR_X2APIC_EOI 0x80b
#define BASE_BSP       BIT(8)
#define BASE_X2APIC    BIT(10)
#define BASE_ENABLE    BIT(11)
#define USUAL	       0xfee00000UL
#define APART	       0xfed40000UL /* and one page for each vCPU */
#define OVER_RAM       0x3000000UL
#define ROUNDS	       50

static unsigned count;
static volatile unsigned wrong;

static void note(bool is_good)
{
	if (!is_good)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

/* smp_barrier() sends IPIs, from where the registers may not be. */
static void meet(void)
{
	static volatile uint32_t arrived, turn;
	uint32_t old = turn;

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == count) {
		arrived = 0;
		__atomic_store_n(&turn, old + 1, __ATOMIC_SEQ_CST);
	}
	/* Bochs 2.7 stops a guest for other CPUs only when IF changes. */
	while (turn == old)
		__asm__ volatile("sti; pause; cli" ::: "memory");
}

static uint32_t read_at(uint64_t page, unsigned reg)
{
	return *(volatile uint32_t *)(page + reg);
}

static void base_write(uint64_t value)
{
	wrmsr(MSR_APIC_BASE, value | (rdmsr(MSR_APIC_BASE) & BASE_BSP));
}

/*
 * Whoever is waited for is seen before its wake-up call comes: that may be
 * taken here, in meet(), and be acknowledged where the registers then are.
 */
static void woken_late(struct trap_frame *frame)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	(void)frame;
	if (base & BASE_X2APIC)
		wrmsr(MSR_X2APIC_EOI, 0);
	else
		*(volatile uint32_t *)((base & ~(PAGE_SIZE - 1)) + LAPIC_EOI) =
			0;
}

/* Reads and writes there are this vCPU's APIC's. */
static void look(uint64_t page, unsigned id)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t tpr = (id * 5 + i) % 16 << 4;

		note(read_at(page, LAPIC_ID) >> 24 == id);
		*(volatile uint32_t *)(page + LAPIC_TPR) = tpr;
		note(READ_CR(8) == tpr >> 4);
		note(read_at(page, LAPIC_TPR) == tpr);
	}
	WRITE_CR(8, 0);
}

static void look_at_nothing(uint64_t page)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		WRITE_CR(8, i % 16);
		note(read_at(page, LAPIC_ID) == ~0u);
		*(volatile uint32_t *)(page + LAPIC_TPR) = 0x50;
		note(READ_CR(8) == i % 16);
	}
	WRITE_CR(8, 0);
}

static void back(void)
{
	base_write(USUAL);
	base_write(USUAL | BASE_ENABLE);
	lapic_write(LAPIC_SVR, 0x1ff);
}

/* One vCPU's page is everybody else's usual one. */
static void one_moves(unsigned id)
{
	uint64_t page = id ? USUAL : APART;

	base_write(page | BASE_ENABLE);
	meet();
	look(page, id);
	if (!id)
		look_at_nothing(USUAL);
	meet();
	base_write(USUAL | BASE_ENABLE);
	meet();
	look(USUAL, id);
	meet();
}

static void all_apart(unsigned id)
{
	uint64_t page = APART + id * PAGE_SIZE;

	base_write(page | BASE_ENABLE);
	meet();
	look(page, id);
	look_at_nothing(USUAL);
	meet();
	base_write(USUAL | BASE_ENABLE);
}

static void modes(unsigned id)
{
	if (id % 2) {
		base_write(USUAL | BASE_ENABLE | BASE_X2APIC);
		meet();
		look_at_nothing(USUAL);
	} else {
		meet();
		look(USUAL, id);
	}
	meet();
	back();
	meet();
	if (id % 2) {
		meet();
		look(USUAL, id);
	} else {
		base_write(USUAL);
		meet();
		look_at_nothing(USUAL);
	}
	back();
}

/* Over RAM for one, which all others see, write and run on meanwhile. */
static void over_ram(unsigned id)
{
	volatile uint32_t *word =
		(volatile uint32_t *)(OVER_RAM + 0x40 * id + LAPIC_ID);

	if (!id)
		base_write(OVER_RAM | BASE_ENABLE);
	else
		*word = 0x12340000;
	meet();
	for (unsigned i = 0; id && i < ROUNDS; i++)
		__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	if (!id)
		look(OVER_RAM, id);
	meet();
	if (!id)
		base_write(USUAL | BASE_ENABLE);
	meet();
	note(!id || *word == 0x12340000 + ROUNDS);
	look(USUAL, id);
}

static void test(const char *name, void (*fn)(unsigned id))
{
	wrong = 0;
	smp_run(fn);
	check_equal(name, wrong, 0);
}

void guest_main(void)
{
	smp_start();
	count = smp_cpu_count();
	trap_hook(SMP_WAKE_VECTOR, woken_late);
	test("one-moves", one_moves);
	test("all-apart", all_apart);
	if (smp_has_x2apic())
		test("modes", modes);
	else
		skip("modes", "CPUID does not offer x2APIC mode");
	test("over-ram", over_ram);
}
