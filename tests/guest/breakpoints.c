/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware breakpoints: at instructions, data and ports, of memory and of
 * devices, and general detection.
 */
#include "tests/guest/lib/guest.h"

#define DR6_BS	 BIT(14)
#define DR6_BD	 BIT(13)
#define DR6_NONE 0xffff0ff0
#define DR7_NONE 0x400
#define DR7_GD	 BIT(13)

/* DR7's bits for a breakpoint: enabled globally, of a kind and a length. */
#define DR7(n, kind, length)                                   \
	(BIT(2 * (n) + 1) | (uint64_t)((kind) | (length) << 2) \
				    << (16 + 4 * (n)))
enum { EXECUTE, STORE, PORT, ACCESS };
enum { LEN1, LEN2, LEN8, LEN4 };

static volatile struct {
	unsigned count;
	uint64_t rip, flags, dr6, dr7, rcx;
} met;

static void on_debug(struct trap_frame *frame)
{
	if (!met.count++) {
		met.rip = frame->rip;
		met.flags = frame->rflags;
		met.rcx = frame->rcx;
		met.dr6 = READ_DR(6);
		met.dr7 = READ_DR(7);
	}
	/* Of use for a fault, and none for a trap. */
	frame->rflags |= X86_FLAG_RF;
}

static void begin(uint64_t dr6)
{
	met.count = 0;
	WRITE_DR(6, dr6);
}

static void expect(const char *name, uint64_t rip, uint64_t dr6)
{
	WRITE_DR(7, DR7_NONE);
	if (met.count == 1 && met.rip == rip && met.dr6 == dr6)
		pass(name);
	else
		fail(name, "%u times, %lld bytes off, dr6 %#llx", met.count,
		     (long long)(met.rip - rip), (unsigned long long)met.dr6);
}

/* ---- Instructions -------------------------------------------------------- */

static void test_instruction(void)
{
	uint64_t at;

	begin(DR6_NONE | DR6_BS | 8);
	__asm__ volatile("lea 1f(%%rip), %0; mov %0, %%dr2; mov %1, %%dr7;"
			 "nop; 1: nop; nop"
			 : "=&r"(at)
			 : "r"(DR7_NONE | DR7(2, EXECUTE, LEN1)));
	/* Bits 3:0 are replaced, the others stay. */
	expect("instruction", at, DR6_NONE | DR6_BS | 4);
	check("instruction-rf", !(met.flags & X86_FLAG_RF));
	/* One that exits. */
	begin(DR6_NONE);
	__asm__ volatile("lea 1f(%%rip), %0; mov %0, %%dr0; mov %1, %%dr7;"
			 "1: in $0x80, %%al; nop"
			 : "=&r"(at)
			 : "r"(DR7_NONE | DR7(0, EXECUTE, LEN1))
			 : "rax");
	expect("instruction-in", at, DR6_NONE | 1);
	begin(DR6_NONE);
	__asm__ volatile("lea 1f(%%rip), %0; mov %0, %%dr0; mov %1, %%dr7;"
			 "1: mov 0xfee00030, %%eax; nop"
			 : "=&r"(at)
			 : "r"(DR7_NONE | DR7(0, EXECUTE, LEN1))
			 : "rax");
	expect("instruction-mmio", at, DR6_NONE | 1);
}

/* ---- Data ---------------------------------------------------------------- */

static volatile uint64_t words[8] __aligned(64);

/* The instruction of EBX and, for strings, EDI and ECX. */
#define CHECK_DATA(name, address, dr7, want, instruction)                \
	do {                                                             \
		uint64_t behind_, ecx_ = 4, edi_ = (uint64_t)words;      \
		begin(DR6_NONE);                                         \
		WRITE_DR(1, address);                                    \
		__asm__ volatile(                                        \
			"lea 1f(%%rip), %0; mov %3, %%dr7; " instruction \
			"; 1: nop"                                       \
			: "=&r"(behind_), "+c"(ecx_), "+D"(edi_)         \
			: "r"(DR7_NONE | (dr7)), "b"(words)              \
			: "rax", "rdx", "memory", "cc");                 \
		if (want)                                                \
			expect(name, behind_, DR6_NONE | 2);             \
		else                                                     \
			check_equal(name, met.count, 0);                 \
		WRITE_DR(7, DR7_NONE);                                   \
	} while (0)

static void test_data(void)
{
	uint64_t at = (uint64_t)words;

	CHECK_DATA("store-1", at + 1, DR7(1, STORE, LEN1), true,
		   "movb $1, 1(%%rbx)");
	CHECK_DATA("store-1-other", at + 1, DR7(1, STORE, LEN1), false,
		   "movb $1, 2(%%rbx)");
	CHECK_DATA("store-2-over", at + 2, DR7(1, STORE, LEN2), true,
		   "movq $1, (%%rbx)");
	CHECK_DATA("store-4-last", at + 4, DR7(1, STORE, LEN4), true,
		   "movb $1, 7(%%rbx)");
	CHECK_DATA("store-8", at, DR7(1, STORE, LEN8), true,
		   "movb $1, 7(%%rbx)");
	CHECK_DATA("store-load", at, DR7(1, STORE, LEN8), false,
		   "mov (%%rbx), %%rax");
	CHECK_DATA("access-load", at, DR7(1, ACCESS, LEN8), true,
		   "mov (%%rbx), %%rax");
	CHECK_DATA("access-rmw", at, DR7(1, STORE, LEN4), true,
		   "lock incl (%%rbx)");
	CHECK_DATA("access-off", at, DR7(1, ACCESS, LEN8) & ~BIT(3), false,
		   "mov %%rax, (%%rbx)");
	CHECK_DATA("access-local", at,
		   (DR7(1, ACCESS, LEN8) & ~BIT(3)) | BIT(2), true,
		   "mov %%rax, (%%rbx)");
}

static void test_devices(void)
{
	CHECK_DATA("mmio-load", LAPIC_BASE + LAPIC_VERSION,
		   DR7(1, ACCESS, LEN4), true, "mov 0xfee00030, %%eax");
	CHECK_DATA("mmio-store", LAPIC_BASE + LAPIC_TIMER_DIVIDE,
		   DR7(1, STORE, LEN4), true,
		   "mov $0xfee003e0, %%edi; movl $0xb, (%%rdi)");
	CHECK_DATA("mmio-store-load", LAPIC_BASE + LAPIC_VERSION,
		   DR7(1, STORE, LEN4), false, "mov 0xfee00030, %%eax");
}

/* The trap comes behind the iteration. */
static void test_strings(void)
{
	uint64_t at;

	begin(DR6_NONE);
	WRITE_DR(1, &words[1]);
	__asm__ volatile("lea 1f(%%rip), %0; mov %1, %%dr7; 1: rep stosq"
			 : "=&r"(at)
			 : "r"(DR7_NONE | DR7(1, STORE, LEN8)), "c"(4ULL),
			   "D"(words)
			 : "memory");
	expect("rep-stos", at, DR6_NONE | 2);
	check_equal("rep-stos-left", met.rcx, 2);
}

/* ---- Ports --------------------------------------------------------------- */

#define CR4_DE BIT(3)

static void test_ports(void)
{
	CHECK_DATA("port-without-de", 0x80, DR7(1, PORT, LEN1), false,
		   "in $0x80, %%al");
	WRITE_CR(4, READ_CR(4) | CR4_DE);
	CHECK_DATA("port-in", 0x80, DR7(1, PORT, LEN1), true, "in $0x80, %%al");
	CHECK_DATA("port-out", 0x80, DR7(1, PORT, LEN1), true,
		   "out %%al, $0x80");
	CHECK_DATA("port-wide", 0x82, DR7(1, PORT, LEN1), true,
		   "in $0x80, %%eax");
	CHECK_DATA("port-length", 0x80, DR7(1, PORT, LEN4), true,
		   "in $0x83, %%al");
	CHECK_DATA("port-other", 0x80, DR7(1, PORT, LEN1), false,
		   "in $0x81, %%al");
	WRITE_CR(4, READ_CR(4) & ~CR4_DE);
}

/* ---- General detection --------------------------------------------------- */

static void test_general_detect(void)
{
	uint64_t at, value;

	begin(DR6_NONE);
	__asm__ volatile("lea 1f(%%rip), %0; mov %2, %%dr7;"
			 "1: mov %%dr7, %1"
			 : "=&r"(at), "=&r"(value)
			 : "r"((uint64_t)DR7_NONE | DR7_GD));
	expect("gd", at, DR6_NONE | DR6_BD);
	check("gd-off", met.dr7 == DR7_NONE && value == DR7_NONE);
	check("gd-rf", met.flags & X86_FLAG_RF);
	begin(DR6_NONE);
	__asm__ volatile("lea 1f(%%rip), %0; mov %1, %%dr7;"
			 "1: mov %%rax, %%dr0"
			 : "=&r"(at)
			 : "r"((uint64_t)DR7_NONE | DR7_GD), "a"(0));
	expect("gd-write", at, DR6_NONE | DR6_BD);
}

void guest_main(void)
{
	lapic_enable();
	trap_hook(X86_VECTOR_DB, on_debug);
	test_instruction();
	test_data();
	test_devices();
	test_strings();
	test_ports();
	test_general_detect();
}
