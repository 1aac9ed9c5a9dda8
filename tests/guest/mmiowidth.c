/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to device memory by the instructions that compilers and hand-
 * written drivers use.  The registers are the local APIC's task priority and
 * the I/O APIC's index, which keep what is written; and a hole that nobody
 * claims, which reads all ones at every width.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define HOLE	   0xd0000000UL
#define TPR	   (LAPIC_BASE + LAPIC_TPR)
#define IOAPIC	   0xfec00000UL
#define IOAPIC_WIN (IOAPIC + 0x10)
#define RAM_END	   0x4000000UL /* 64 MiB, as the runner gives */

static void set_tpr(uint32_t value)
{
	*(volatile uint32_t *)TPR = value;
}

static uint32_t get_tpr(void)
{
	return *(volatile uint32_t *)TPR;
}

/* All ones; QEMU's own holes read 0, which will do where it is the host. */
static uint64_t hole_value(void)
{
	return is_bulkhead() ? UINT64_MAX : *(volatile uint64_t *)HOLE;
}

static void test_hole(void)
{
	uint64_t want = hole_value();

	check_equal("hole-8", *(volatile uint8_t *)HOLE, (uint8_t)want);
	check_equal("hole-16", *(volatile uint16_t *)HOLE, (uint16_t)want);
	check_equal("hole-32", *(volatile uint32_t *)HOLE, (uint32_t)want);
	check_equal("hole-64", *(volatile uint64_t *)HOLE, want);
	check_equal("hole-unaligned", *(volatile uint32_t *)(HOLE + 3),
		    (uint32_t)want);
	*(volatile uint8_t *)HOLE = 1;
	*(volatile uint16_t *)HOLE = 1;
	*(volatile uint32_t *)HOLE = 1;
	*(volatile uint64_t *)HOLE = 1;
	check_equal("hole-written", *(volatile uint64_t *)HOLE, want);
}

/* One access, half in the last page of RAM, half behind it. */
static void test_across(void)
{
	uint32_t high = (uint32_t)hole_value() << 16;

	*(volatile uint16_t *)(RAM_END - 2) = 0x1234;
	check_equal("across-ram-and-hole", *(volatile uint32_t *)(RAM_END - 2),
		    high | 0x1234);
	*(volatile uint32_t *)(RAM_END - 2) = 0xabcd5678;
	check_equal("across-write", *(volatile uint16_t *)(RAM_END - 2),
		    0x5678);
}

/* instruction works on [TPR], which holds first; then it holds want. */
#define CHECK_RMW(name, instruction, first, rax, want)   \
	do {                                             \
		uint64_t rax_ = (rax);                   \
		set_tpr(first);                          \
		__asm__ volatile(instruction             \
				 : "+a"(rax_)            \
				 : "D"(TPR), "c"(0x30ul) \
				 : "memory", "cc");      \
		check_equal(name, get_tpr(), want);      \
	} while (0)

static void test_modify(void)
{
	CHECK_RMW("mov-register", "movl %%ecx, (%%rdi)", 0, 0, 0x30);
	CHECK_RMW("mov-immediate", "movl $0x20, (%%rdi)", 0, 0, 0x20);
	CHECK_RMW("or", "orl $0x40, (%%rdi)", 0x10, 0, 0x50);
	CHECK_RMW("and", "andl $0x50, (%%rdi)", 0x71, 0, 0x50);
	CHECK_RMW("xor", "xorl %%ecx, (%%rdi)", 0x10, 0, 0x20);
	CHECK_RMW("add", "addl %%ecx, (%%rdi)", 0x11, 0, 0x41);
	CHECK_RMW("sub", "subl %%ecx, (%%rdi)", 0x51, 0, 0x21);
	CHECK_RMW("inc", "incl (%%rdi)", 0x11, 0, 0x12);
	CHECK_RMW("dec", "decl (%%rdi)", 0x11, 0, 0x10);
	CHECK_RMW("bts", "btsl $6, (%%rdi)", 0x11, 0, 0x51);
	CHECK_RMW("btr", "btrl $4, (%%rdi)", 0x11, 0, 0x01);
	CHECK_RMW("shl", "shll $1, (%%rdi)", 0x11, 0, 0x22);
	CHECK_RMW("xchg", "xchgl %%eax, (%%rdi)", 0x11, 0x44, 0x44);
	CHECK_RMW("xadd", "xaddl %%eax, (%%rdi)", 0x11, 0x22, 0x33);
	CHECK_RMW("cmpxchg-equal", "cmpxchgl %%ecx, (%%rdi)", 0x11, 0x11, 0x30);
	CHECK_RMW("cmpxchg-other", "cmpxchgl %%ecx, (%%rdi)", 0x12, 0x11, 0x12);
	CHECK_RMW("lock-or", "lock orl $1, (%%rdi)", 0x10, 0, 0x11);
	CHECK_RMW("stos", "stosl", 0, 0x42, 0x42);
}

/* rax after the instruction, with [TPR] = 0x84. */
#define CHECK_READ(name, instruction, rax, want)    \
	do {                                        \
		uint64_t rax_ = (rax);              \
		set_tpr(0x84);                      \
		__asm__ volatile(instruction        \
				 : "+a"(rax_)       \
				 : "S"(TPR)         \
				 : "memory", "cc"); \
		check_equal(name, rax_, want);      \
	} while (0)

#define ONES UINT64_MAX

static void test_read(void)
{
	CHECK_READ("read-mov-32", "movl (%%rsi), %%eax", ONES, 0x84);
	CHECK_READ("read-or", "orl (%%rsi), %%eax", 0x100, 0x184);
	CHECK_READ("read-add", "addl (%%rsi), %%eax", 0x100, 0x184);
	CHECK_READ("read-imul", "imull (%%rsi), %%eax", 2, 0x108);
	CHECK_READ("read-movslq", "movslq (%%rsi), %%rax", 0, 0x84);
	CHECK_READ("read-cmp", "cmpl $0x84, (%%rsi); sete %%al", 0, 1);
	CHECK_READ("read-test", "testl $0x80, (%%rsi); setnz %%al", 0, 1);
	CHECK_READ("read-bt", "btl $2, (%%rsi); setc %%al", 0, 1);
	CHECK_READ("read-lods", "lodsl", 0, 0x84);
	CHECK_READ("read-cmov", "cmpl %%eax, %%eax; cmovel (%%rsi), %%eax", 0,
		   0x84);
	CHECK_READ("read-indexed",
		   "xor %%eax, %%eax;"
		   "movl 0x10(%%rsi, %%rax, 4), %%ecx; movl (%%rsi, %%rax), "
		   "%%eax",
		   0, 0x84);
}

static void test_movs(void)
{
	uint32_t buffer[4] = { 0x55, 0, 0, 0 };
	uint32_t *from = buffer;
	uint64_t to = TPR;

	__asm__ volatile("movsl" : "+D"(to), "+S"(from)::"memory");
	check_equal("movs-to-device", get_tpr(), 0x55);
	check_equal("movs-pointer", to, TPR + 4);
	to = HOLE;
	from = buffer;
	for (uint64_t count = 3; count;)
		__asm__ volatile("rep movsl"
				 : "+S"(to), "+D"(from), "+c"(count)::"memory");
	check_equal("rep-movs-from-device", buffer[2], (uint32_t)hole_value());
	check_equal("rep-movs-stops", buffer[3], 0);
}

static void test_ioapic(void)
{
	*(volatile uint32_t *)IOAPIC = 1;
	check_equal("ioapic-version",
		    *(volatile uint32_t *)IOAPIC_WIN & 0xff00ff, 0x170020);
	/* Pin 5's vector, masked: keeps what is written. */
	*(volatile uint32_t *)IOAPIC = 0x1a;
	*(volatile uint32_t *)IOAPIC_WIN = 0x10055;
	*(volatile uint32_t *)IOAPIC = 0;
	*(volatile uint32_t *)IOAPIC = 0x1a;
	check_equal("ioapic-redirection", *(volatile uint32_t *)IOAPIC_WIN,
		    0x10055);
}

void guest_main(void)
{
	lapic_enable();
	test_hole();
	test_across();
	test_modify();
	test_read();
	test_movs();
	test_ioapic();
	set_tpr(0);
}
