/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that several vCPUs use at once: locks, locked instructions, order of
 * stores, and a change of page tables told to the others by interrupts.
 */
#include "tests/guest/lib/smp.h"

#define LOCKED_ROUNDS 3000
#define ATOMIC_ROUNDS 2000
#define SHOOTDOWNS    50
#define VECTOR	      0x51
#define WINDOW	      0x1000000ul /* its page table entry changes */
#define FRAME_A	      0x1200000ul
#define FRAME_B	      0x1201000ul

static unsigned count;

/* ---- Locks --------------------------------------------------------------- */

static volatile uint32_t lock_next, lock_serving;
static volatile uint64_t plain;

/* In order of coming, so that each has a share. */
static void count_locked(unsigned id)
{
	(void)id;
	for (unsigned i = 0; i < LOCKED_ROUNDS / count; i++) {
		uint32_t turn =
			__atomic_fetch_add(&lock_next, 1, __ATOMIC_RELAXED);

		while (__atomic_load_n(&lock_serving, __ATOMIC_ACQUIRE) != turn)
			__asm__ volatile("pause");
		plain++;
		__atomic_store_n(&lock_serving, turn + 1, __ATOMIC_RELEASE);
	}
}

static void test_lock(void)
{
	plain = 0;
	smp_run(count_locked);
	check_equal("ticket-lock", plain, LOCKED_ROUNDS / count * count);
}

/* ---- Locked instructions ------------------------------------------------- */

static volatile uint64_t inc, added, exchanged, swapped;
static volatile uint32_t bits[SMP_MAX];
static volatile struct {
	uint64_t low, high;
} __aligned(16) pair;

static void pair_increment(void)
{
	uint64_t low = pair.low, high = pair.high;
	bool is_done;

	do {
		__asm__ volatile("lock cmpxchg16b %1"
				 : "=@ccz"(is_done), "+m"(pair), "+a"(low),
				   "+d"(high)
				 : "b"(low + 1), "c"(high + 2)
				 : "memory");
	} while (!is_done);
}

static void atomics(unsigned id)
{
	for (unsigned i = 0; i < ATOMIC_ROUNDS; i++) {
		uint64_t one = 1, old = exchanged;

		__asm__ volatile("lock incq %0" : "+m"(inc));
		__asm__ volatile("lock xadd %0, %1" : "+r"(one), "+m"(added));
		while (!__atomic_compare_exchange_n(&exchanged, &old, old + 1,
						    false, __ATOMIC_SEQ_CST,
						    __ATOMIC_SEQ_CST))
			;
		pair_increment();
		__asm__ volatile("lock xorl %1, %0"
				 : "+m"(bits[0])
				 : "r"((uint32_t)BIT(id)));
	}
}

/* Whoever takes the value puts one back that is one more. */
static void swaps(unsigned id)
{
	(void)id;
	for (unsigned i = 0; i < ATOMIC_ROUNDS; i++) {
		uint64_t value = 0;

		while (!value) {
			__asm__ volatile("xchg %0, %1"
					 : "+r"(value), "+m"(swapped));
			if (!value)
				__asm__ volatile("pause");
		}
		swapped = value + 1;
	}
}

static void test_atomics(void)
{
	uint64_t all = (uint64_t)ATOMIC_ROUNDS * count;

	smp_run(atomics);
	check_equal("lock-inc", inc, all);
	check_equal("lock-xadd", added, all);
	check_equal("lock-cmpxchg", exchanged, all);
	check_equal("lock-cmpxchg16b-low", pair.low, all);
	check_equal("lock-cmpxchg16b-high", pair.high, 2 * all);
	check_equal("lock-xor", bits[0], 0);
	swapped = 1;
	smp_run(swaps);
	check_equal("xchg", swapped, all + 1);
}

/* ---- Page tables --------------------------------------------------------- */

static volatile uint32_t acknowledged, stale, shot[SMP_MAX];

static void on_shootdown(struct trap_frame *frame)
{
	(void)frame;
	invlpg(WINDOW);
	__atomic_add_fetch(&acknowledged, 1, __ATOMIC_SEQ_CST);
	shot[smp_id()]++;
	smp_eoi();
	smp_wake(0);
}

static void see(uint64_t want)
{
	if (*(volatile uint64_t *)WINDOW != want)
		__atomic_add_fetch(&stale, 1, __ATOMIC_SEQ_CST);
}

/* After all others have said so nobody may see the old frame. */
static void shoot(uint64_t frame)
{
	acknowledged = 0;
	*page_entry(WINDOW) = frame | PTE_P | PTE_W;
	invlpg(WINDOW);
	smp_send(0, ICR_TO_OTHERS | ICR_FIXED | VECTOR);
	smp_wait_count(&acknowledged, count - 1);
}

static void shootdowns(unsigned id)
{
	for (unsigned i = 0; i < SHOOTDOWNS; i++) {
		uint64_t frame = i & 1 ? FRAME_B : FRAME_A;

		if (id == 0)
			shoot(frame);
		else
			smp_wait_count(&shot[id], i + 1);
		see(frame);
		smp_barrier();
		see(frame);
		smp_barrier();
	}
}

static void test_shootdown(void)
{
	*(volatile uint64_t *)FRAME_A = FRAME_A;
	*(volatile uint64_t *)FRAME_B = FRAME_B;
	*page_entry(WINDOW) = FRAME_B | PTE_P | PTE_W;
	invlpg(WINDOW);
	trap_hook(VECTOR, on_shootdown);
	smp_run(shootdowns);
	check_equal("shootdown", stale, 0);
}

/* ---- Code ---------------------------------------------------------------- */

static volatile uint32_t old_code;

/* mov eax, imm32; ret, written by vCPU 0, run by all after a CPUID. */
static void modified_code(unsigned id)
{
	static uint8_t code[16] __aligned(16) = { 0xb8, 0, 0, 0, 0, 0xc3 };

	for (uint32_t i = 1; i <= SHOOTDOWNS; i++) {
		if (id == 0)
			*(volatile uint32_t *)(code + 1) = i;
		smp_barrier();
		(void)cpuid(0, 0);
		if (((uint32_t(*)(void))(uint64_t)code)() != i)
			__atomic_add_fetch(&old_code, 1, __ATOMIC_SEQ_CST);
		smp_barrier();
	}
}

void guest_main(void)
{
	smp_start();
	count = smp_cpu_count();
	test_lock();
	test_atomics();
	test_shootdown();
	smp_run(modified_code);
	check_equal("modified-code", old_code, 0);
}
