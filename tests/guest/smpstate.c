/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU has of its own is not its neighbour's, though they share a CPU of
 * the host: vector and x87 registers, debug registers, control registers, MSRs,
 * memory types, general registers across preemption.
 */
#include "tests/guest/lib/smp.h"

#include "lib/string.h"

#define ROUNDS	     20
#define BUSY_ROUNDS  2
#define BUSY_TICKS   11000000 /* more than a slice of the scheduler's */
#define CPUID_XSAVE  BIT(26)
#define CPUID_AVX    BIT(28)
#define CPUID_RDTSCP BIT(27)
#define DR7_LOCAL    0x400

static unsigned count;
static volatile uint32_t wrong;

static void expect(bool is_good)
{
	if (!is_good)
		__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void test(const char *name, void (*fn)(unsigned id))
{
	wrong = 0;
	smp_run(fn);
	check_equal(name, wrong, 0);
}

/* ---- FPU ----------------------------------------------------------------- */

/* As FXSAVE writes it, up to what it leaves to software. */
struct fxsave {
	uint16_t control, status;
	uint8_t tags, reserved;
	uint16_t opcode;
	uint64_t rip, rdp;
	uint32_t mxcsr, mxcsr_mask;
	uint64_t st[8][2], xmm[16][2];
	uint64_t rest[12];
} __aligned(16);
ASSERT_SIZE(struct fxsave, 512);

static struct fxsave in[SMP_MAX], out[SMP_MAX];
static uint64_t ymm_in[SMP_MAX][4], ymm_out[SMP_MAX][4];
static bool has_avx;

/* The upper half of a YMM register first: FXRSTOR leaves it. */
static void vectors_load(unsigned id, uint64_t seed)
{
	uint64_t value = ((id + 1) * 0x0101010101010101) ^ seed << 32;
	struct fxsave *area = &in[id];

	*area = (struct fxsave){
		.control = id & 1 ? 0x27f : 0x37f,
		.tags = 0xff,
		.mxcsr = id & 1 ? 0x3f80 : 0x1f80,
	};
	for (unsigned i = 0; i < ARRAY_SIZE(area->st); i++) {
		area->st[i][0] = value + i;
		area->st[i][1] = 0x3fff; /* sign and exponent */
	}
	for (unsigned i = 0; i < ARRAY_SIZE(area->xmm); i++) {
		area->xmm[i][0] = value + 16 * i;
		area->xmm[i][1] = ~area->xmm[i][0];
	}
	for (unsigned i = 0; i < 4; i++)
		ymm_in[id][i] = i < 2 ? area->xmm[7][i] : value + 1000 + i;
	if (has_avx)
		__asm__ volatile("vmovdqu %0, %%ymm7" ::"m"(ymm_in[id]));
	__asm__ volatile("fxrstorq %0" ::"m"(*area));
}

static void vectors_check(unsigned id)
{
	const struct fxsave *want = &in[id];
	struct fxsave *got = &out[id];

	__asm__ volatile("fxsaveq %0" : "=m"(*got));
	expect(got->control == want->control && got->mxcsr == want->mxcsr &&
	       got->tags == want->tags);
	expect(!memcmp(got->st, want->st, sizeof(got->st)));
	expect(!memcmp(got->xmm, want->xmm, sizeof(got->xmm)));
	if (!has_avx)
		return;
	__asm__ volatile("vmovdqu %%ymm7, %0" : "=m"(ymm_out[id]));
	expect(!memcmp(ymm_in[id], ymm_out[id], sizeof(ymm_in[id])));
}

static void avx_enable(void)
{
	if (!has_avx)
		return;
	WRITE_CR(4, READ_CR(4) | X86_CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"(7), "d"(0));
}

/* Everybody's is in the processor by turns. */
static void vectors(unsigned id)
{
	avx_enable();
	for (unsigned i = 0; i < ROUNDS; i++) {
		vectors_load(id, i);
		smp_barrier();
		vectors_check(id);
	}
}

/* Without telling: a slice ends somewhere. */
static void vectors_busy(unsigned id)
{
	for (unsigned i = 0; i < BUSY_ROUNDS; i++) {
		vectors_load(id, ROUNDS + i);
		smp_spin(BUSY_TICKS);
		vectors_check(id);
	}
}

/* One has CR0.TS set, the others do not. */
static void task_switched(unsigned id)
{
	uint64_t cr0 = READ_CR(0) & ~X86_CR0_TS;

	WRITE_CR(0, id & 1 ? cr0 | X86_CR0_TS : cr0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		smp_barrier();
		expect(!(READ_CR(0) & X86_CR0_TS) == !(id & 1));
	}
	WRITE_CR(0, cr0);
}

/* ---- Registers ----------------------------------------------------------- */

static void debug_registers(unsigned id)
{
	uint64_t base = 0x10000 * (id + 1);

	for (unsigned i = 0; i < ROUNDS; i++) {
		WRITE_DR(0, base);
		WRITE_DR(1, base + 0x100 + i);
		WRITE_DR(2, base + 0x200);
		WRITE_DR(3, base + 0x300 + i);
		WRITE_DR(6, id & 1 ? 0xffff0ff1 : 0xffff0ff0);
		smp_barrier();
		expect(READ_DR(0) == base);
		expect(READ_DR(1) == base + 0x100 + i);
		expect(READ_DR(2) == base + 0x200);
		expect(READ_DR(3) == base + 0x300 + i);
		expect(READ_DR(6) == (id & 1 ? 0xffff0ff1 : 0xffff0ff0));
		expect(READ_DR(7) == DR7_LOCAL);
	}
}

static void control_registers(unsigned id)
{
	static uint64_t pml4[SMP_MAX][512] __aligned(PAGE_SIZE);
	uint64_t cr3 = READ_CR(3), cr4 = READ_CR(4);
	uint64_t ours = id & 1 ? cr4 | X86_CR4_TSD : cr4 & ~X86_CR4_TSD;

	memcpy(pml4[id], boot_pml4, sizeof(boot_pml4));
	WRITE_CR(3, pml4[id]);
	WRITE_CR(4, ours);
	for (unsigned i = 0; i < ROUNDS; i++) {
		WRITE_CR(2, 0x1000 * (id + 1) + i);
		WRITE_CR(8, id & 7);
		smp_barrier();
		expect(READ_CR(2) == 0x1000 * (id + 1) + i);
		expect(READ_CR(3) == (uint64_t)pml4[id]);
		expect(READ_CR(4) == ours);
		expect(READ_CR(8) == (id & 7));
	}
	WRITE_CR(8, 0);
	WRITE_CR(4, cr4);
	WRITE_CR(3, cr3);
}

/* All of them at once, while slices end anywhere. */
static void general_registers(unsigned id)
{
	uint64_t seed = (id + 1) * 0x1020304050607080, end, sum;

	for (unsigned i = 0; i < BUSY_ROUNDS; i++) {
		end = rdtsc() + BUSY_TICKS;
		__asm__ volatile(
			"push %%rbp; mov %[seed], %%rbx; lea 1(%%rbx), %%rsi;"
			"lea 2(%%rbx), %%rdi; lea 3(%%rbx), %%rbp;"
			"lea 4(%%rbx), %%r8; lea 5(%%rbx), %%r9;"
			"lea 6(%%rbx), %%r10; lea 7(%%rbx), %%r11;"
			"lea 8(%%rbx), %%r12; lea 9(%%rbx), %%r13;"
			"1: rdtsc; shl $32, %%rdx; or %%rdx, %%rax;"
			"cmp %[end], %%rax; jb 1b;"
			"lea (%%rbx, %%rsi), %%rax; add %%rdi, %%rax;"
			"add %%rbp, %%rax; add %%r8, %%rax; add %%r9, %%rax;"
			"add %%r10, %%rax; add %%r11, %%rax;"
			"add %%r12, %%rax; add %%r13, %%rax; pop %%rbp"
			: "=&a"(sum)
			: [seed] "r"(seed), [end] "r"(end)
			: "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			  "r12", "r13", "memory", "cc");
		expect(sum == 10 * seed + 45);
	}
}

/* ---- MSRs ---------------------------------------------------------------- */

#define MSR_EFER	  0xc0000080
#define EFER_SCE	  BIT(0)
#define MSR_TSC_AUX	  0xc0000103
#define MSR_MTRR_BASE0	  0x200
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_UC_OR_WB(id) (BIT(11) | ((id)&1 ? 6 : 0))
#define MSR_PAT		  0x277

static const uint32_t addresses[] = {
	0xc0000082, /* LSTAR */
	0xc0000083, /* CSTAR */
	0xc0000100, /* FS base */
	0xc0000102, /* KERNEL_GS_BASE */
	0x175,	    /* SYSENTER_ESP */
	0x176,	    /* SYSENTER_EIP */
	MSR_MTRR_BASE0,
};

static void msrs(unsigned id)
{
	uint64_t efer = rdmsr(MSR_EFER) & ~EFER_SCE, pat = rdmsr(MSR_PAT);
	uint64_t type = rdmsr(MSR_MTRR_DEF_TYPE);
	bool has_aux = cpuid(0x80000001, 0).edx & CPUID_RDTSCP;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t value = (id + 1) * 0x100000 + i * 0x1000;

		for (unsigned j = 0; j < ARRAY_SIZE(addresses); j++)
			wrmsr(addresses[j], value);
		wrmsr(MSR_EFER, efer | (id & 1 ? EFER_SCE : 0));
		wrmsr(MSR_PAT, id & 1 ? 0x0007010600070406 : pat);
		wrmsr(MSR_MTRR_DEF_TYPE, MTRR_UC_OR_WB(id));
		if (has_aux)
			wrmsr(MSR_TSC_AUX, id + 100 + i);
		smp_barrier();
		for (unsigned j = 0; j < ARRAY_SIZE(addresses); j++)
			expect(rdmsr(addresses[j]) == value);
		expect(!(rdmsr(MSR_EFER) & EFER_SCE) == !(id & 1));
		expect(rdmsr(MSR_PAT) == (id & 1 ? 0x0007010600070406 : pat));
		expect(rdmsr(MSR_MTRR_DEF_TYPE) == MTRR_UC_OR_WB(id));
		if (has_aux)
			expect(rdmsr(MSR_TSC_AUX) == id + 100 + i);
	}
	wrmsr(MSR_MTRR_DEF_TYPE, type);
	wrmsr(MSR_PAT, pat);
	wrmsr(MSR_EFER, efer);
}

void guest_main(void)
{
	smp_start();
	count = smp_cpu_count();
	has_avx = !(~cpuid(1, 0).ecx & (CPUID_XSAVE | CPUID_AVX));
	test("vectors", vectors);
	test("vectors-busy", vectors_busy);
	test("task-switched", task_switched);
	test("debug-registers", debug_registers);
	test("control-registers", control_registers);
	test("general-registers", general_registers);
	test("msrs", msrs);
}
