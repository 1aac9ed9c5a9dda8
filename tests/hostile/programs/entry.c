/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring 3 tries every way into ring 0 and everything that it may not do.  One
 * try a VM, the command line's second word: most end it.
 *
 *	try NAME	one of the table
 *	int N		INT N
 */
#include "tests/hostile/programs/evil.h"

#include "lib/string.h"

#define NOT_CANONICAL	0x8000000000000000
#define KERNEL_HALF	0xffff800000001000
#define SPIN_NS		50000000
/* Of the monitor's GDT: ring 0's code and data, ring 3's 32-bit code. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_CODE32 0x1b

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

static char memory[8192] __aligned(16);

/* entry_code.asm */
extern const uint8_t int_stubs[];
extern const char compat_syscall[], compat_sysenter[], compat_int80[];
__noreturn void compat_run(const char *code, uint64_t stack);

/* ---- Plain instructions ------------------------------------------------ */

#define TRY(name, code)                                                       \
	static void try_##name(struct self *self)                             \
	{                                                                     \
		(void)self;                                                   \
		__asm__ volatile(code ::                                      \
					 : "rax", "rbx", "rcx", "rdx", "rsi", \
					   "rdi", "r8", "r9", "r10", "r11",   \
					   "memory", "cc");                   \
	}

#define YIELD 9
_Static_assert(GATE_YIELD == YIELD, "an enumerator is no text");
#define LOAD_YIELD "mov $" STRING(YIELD) ", %%eax\n\t"
#define CALL_YIELD LOAD_YIELD "syscall\n\t"
/* FLAGS with one more bit. */
#define FLAG(bit)  "pushf\n\torl $" #bit ", (%%rsp)\n\tpopf\n\t"

/* clang-format off */
TRY(cli, "cli")
TRY(sti, "sti")
TRY(hlt, "hlt")
TRY(in, "inb $0x60, %%al")
TRY(out, "outb %%al, $0xf4")
TRY(insb, "lea -64(%%rsp), %%rdi; mov $0x60, %%edx; insb")
TRY(clts, "clts")
TRY(lmsw, "xor %%eax, %%eax; lmsw %%ax")
TRY(mov_cr0, "mov %%cr0, %%rax")
TRY(mov_cr3, "mov %%cr3, %%rax; mov %%rax, %%cr3")
TRY(mov_cr8, "xor %%eax, %%eax; mov %%rax, %%cr8")
TRY(mov_dr7, "mov $0x400, %%eax; mov %%rax, %%dr7")
TRY(lgdt, "lgdt -64(%%rsp)")
TRY(lidt, "lidt -64(%%rsp)")
TRY(lldt, "xor %%eax, %%eax; lldt %%ax")
TRY(ltr, "mov $0x40, %%eax; ltr %%ax")
TRY(ldt_ds, "mov $0x0f, %%eax; mov %%eax, %%ds")
TRY(rdmsr, "mov $0xc0000080, %%ecx; rdmsr")
TRY(wrmsr, "mov $0xc0000082, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr")
TRY(rdpmc, "xor %%ecx, %%ecx; rdpmc")
TRY(xsetbv, "xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; xsetbv")
TRY(invlpg, "invlpg (%%rsp)")
TRY(invd, "invd")
TRY(wbinvd, "wbinvd")
TRY(swapgs, "swapgs")
TRY(sysret, "sysretq")
TRY(sysexit, "sysexitl")
TRY(sysenter, "sysenter")
TRY(monitor, "mov %%rsp, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor")
TRY(mwait, "xor %%eax, %%eax; xor %%ecx, %%ecx; mwait")
TRY(vmcall, ".byte 0x0f, 0x01, 0xc1")
TRY(vmmcall, ".byte 0x0f, 0x01, 0xd9")
TRY(vmrun, "xor %%eax, %%eax; .byte 0x0f, 0x01, 0xd8")
TRY(vmload, "xor %%eax, %%eax; .byte 0x0f, 0x01, 0xda")
TRY(vmsave, "xor %%eax, %%eax; .byte 0x0f, 0x01, 0xdb")
TRY(stgi, ".byte 0x0f, 0x01, 0xdc")
TRY(clgi, ".byte 0x0f, 0x01, 0xdd")
TRY(skinit, "xor %%eax, %%eax; .byte 0x0f, 0x01, 0xde")
TRY(vmlaunch, ".byte 0x0f, 0x01, 0xc2")
TRY(vmxoff, ".byte 0x0f, 0x01, 0xc4")
TRY(vmxon, ".byte 0xf3, 0x0f, 0xc7, 0x74, 0x24, 0xc0")
TRY(rsm, ".byte 0x0f, 0xaa")
TRY(ud2, "ud2")
TRY(int1, ".byte 0xf1")
TRY(int3, "int3")
/* The segments and the flags of ring 0. */
TRY(ss_kernel, "mov $0x10, %%eax; mov %%eax, %%ss")
TRY(ss_null, "xor %%eax, %%eax; mov %%eax, %%ss")
TRY(gs_null, "xor %%eax, %%eax; mov %%eax, %%gs;" CALL_YIELD)
TRY(gs_user, "mov %%ss, %%eax; mov %%eax, %%gs; mov %%eax, %%fs;" CALL_YIELD)
TRY(wrfsbase, "mov $1, %%eax; wrfsbase %%rax;" CALL_YIELD)
TRY(wrgsbase, "xor %%eax, %%eax; wrgsbase %%rax;" CALL_YIELD)
TRY(iret_kernel, "mov %%rsp, %%rax; pushq $0x10; push %%rax; pushf;"
    "pushq $0x08; lea 1f(%%rip), %%rax; push %%rax; iretq; 1: cli")
TRY(retf_kernel, "pushq $0x08; lea 1f(%%rip), %%rax; push %%rax; lretq; 1: cli")
TRY(iret_nt, FLAG(0x4000) "iretq")
TRY(iret_wild, "mov %%ss, %%eax; push %%rax; push %%rax; pushf;"
    "mov %%cs, %%eax; push %%rax; mov $0x8000000000000000, %%rax; push %%rax;"
    "iretq")
/* Flags that must not come along. */
TRY(tf, FLAG(0x100) "nop; nop")
TRY(tf_syscall, LOAD_YIELD FLAG(0x100) "syscall")
TRY(tf_ss_syscall, "mov %%ss, %%ecx;" LOAD_YIELD FLAG(0x100)
    "mov %%ecx, %%ss; syscall")
TRY(ss_tf_syscall, "mov %%ss, %%ecx;" LOAD_YIELD "pushf;"
    "orl $0x100, (%%rsp); mov %%ecx, %%ss; popf; syscall")
TRY(ss_int3, "mov %%ss, %%eax; mov %%eax, %%ss; int3")
TRY(ss_syscall, "mov %%ss, %%ecx;" LOAD_YIELD "mov %%ecx, %%ss; syscall")
TRY(tf_int, FLAG(0x100) "int $0x80")
TRY(tf_sysenter, FLAG(0x100) "sysenter")
TRY(ac, FLAG(0x40000) "mov 1(%%rsp), %%rax")
TRY(ac_syscall, FLAG(0x40000) CALL_YIELD)
TRY(df_syscall, "std;" CALL_YIELD "cld")
TRY(nt_syscall, FLAG(0x4000) CALL_YIELD "pushf; andl $~0x4000, (%%rsp); popf")
TRY(iopl, FLAG(0x3000) "cli")
/* Addresses. */
TRY(nc_jump, "mov $0x8000000000000000, %%rax; jmp *%%rax")
TRY(nc_hole, "mov $0x0000800000000000, %%rax; jmp *%%rax")
TRY(nc_return, "mov $0x8000000000000000, %%rax; push %%rax; ret")
TRY(nc_read, "mov $0x8000000000000000, %%rax; mov (%%rax), %%rax")
TRY(nc_stack, "mov $0x8000000000000008, %%rsp; push %%rax")
TRY(stack_none, "xor %%esp, %%esp; push %%rax")
TRY(stack_kernel, "mov $0xffff800000001000, %%rsp; push %%rax")
/* On a stack of no use the gate still works; RSP is only kept. */
TRY(rsp_kernel, "mov %%rsp, %%rbx; mov $0xffff800000001000, %%rsp;"
    CALL_YIELD "mov %%rbx, %%rsp")
TRY(rsp_wild, "mov %%rsp, %%rbx; mov $0x8000000000000008, %%rsp;"
    CALL_YIELD "mov %%rbx, %%rsp")
TRY(rsp_none, "mov %%rsp, %%rbx; xor %%esp, %%esp;"
    CALL_YIELD "mov %%rbx, %%rsp")
/* An x87 exception that waits for whoever next uses the unit. */
TRY(x87_pending, "fninit; pushq $0x0340; fldcw (%%rsp); fldz; fldz;"
    "fdivp; pop %%rax;" CALL_YIELD "fnclex")
/* clang-format on */

/* ---- More than an instruction ------------------------------------------ */

/* Interrupt gates keep AC, and DF, as ring 3 had them. */
static void try_df_interrupt(struct self *self)
{
	uint64_t end = now_ns() + SPIN_NS;

	(void)self;
	while (now_ns() < end)
		__asm__ volatile("std; mov $10000, %%ecx; 1: loop 1b; cld" ::
					 : "rcx", "cc", "memory");
}

static void try_ac_interrupt(struct self *self)
{
	uint64_t end = now_ns() + SPIN_NS;

	(void)self;
	while (now_ns() < end)
		__asm__ volatile(
			"pushf; orl $0x40000, (%%rsp); popf; mov $10000, %%ecx;"
			"1: loop 1b; pushf; andl $~0x40000, (%%rsp); popf" ::
				: "rcx", "cc", "memory");
}

/* A host interrupt finds RSP where nothing is mapped. */
static void try_rsp_interrupt(struct self *self)
{
	uint64_t end = now_ns() + SPIN_NS;

	(void)self;
	while (now_ns() < end)
		__asm__ volatile("mov %%rsp, %%rbx; mov $0xffff800000001000,"
				 "%%rsp; mov $10000, %%ecx; 1: loop 1b;"
				 "mov %%rbx, %%rsp" ::
					 : "rbx", "rcx", "cc", "memory");
}

static void try_far_kernel(struct self *self)
{
	static struct {
		uint64_t offset;
		uint16_t selector;
	} __packed far = { 0, SEL_KERNEL_CODE };

	(void)self;
	far.offset = (uint64_t)int_stubs;
	__asm__ volatile("rex.W ljmp *%0" : : "m"(far));
}

static void try_far_conforming(struct self *self)
{
	static struct {
		uint32_t offset;
		uint16_t selector;
	} __packed far = { 0, SEL_KERNEL_DATA };

	(void)self;
	__asm__ volatile("lcall *%0" : : "m"(far));
}

static void touch(uint64_t address)
{
	(void)*(volatile uint64_t *)address;
}

static void poke(uint64_t address)
{
	*(volatile uint8_t *)address = 0;
}

static void run(uint64_t address)
{
	memory[0] = (char)0xc3; /* ret */
	((void (*)(void))address)();
}

#define ADDRESS(name, how, where)                 \
	static void try_##name(struct self *self) \
	{                                         \
		(void)self;                       \
		how(where);                       \
	}

ADDRESS(read_physmap, touch, 0xffff800000100000)
ADDRESS(read_image, touch, 0xffffffff80100000)
ADDRESS(read_null, touch, 0)
ADDRESS(read_other_page, touch, GATE_PAGE_VA(gate_config()->vcpu_count))
ADDRESS(write_text, poke, (uint64_t)int_stubs)
ADDRESS(write_config, poke, GATE_CONFIG_VA)
ADDRESS(run_data, run, (uint64_t)memory)
ADDRESS(run_stack, run, GATE_STACK_TOP(0) - 64)
ADDRESS(run_window, run, GATE_WINDOW_VA)
ADDRESS(run_page, run, GATE_PAGE_VA(0))
ADDRESS(run_physmap, run, 0xffff800000100000)

#define COMPAT(name, stack)                              \
	static void try_##name##_##stack(struct self *s) \
	{                                                \
		(void)s;                                 \
		compat_run(name, compat_##stack());      \
	}

static uint64_t compat_stack(void)
{
	return (uint64_t)memory + sizeof(memory) / 2;
}

static uint64_t compat_nowhere(void)
{
	return 0x3ffff000;
}

COMPAT(compat_syscall, stack)
COMPAT(compat_syscall, nowhere)
COMPAT(compat_sysenter, stack)
COMPAT(compat_int80, stack)

/* ---- Which ------------------------------------------------------------- */

#define ROW(name)                 \
	{                         \
#name, try_##name \
	}

static const struct attack tries[] = {
	ROW(cli),
	ROW(sti),
	ROW(hlt),
	ROW(in),
	ROW(out),
	ROW(insb),
	ROW(clts),
	ROW(lmsw),
	ROW(mov_cr0),
	ROW(mov_cr3),
	ROW(mov_cr8),
	ROW(mov_dr7),
	ROW(lgdt),
	ROW(lidt),
	ROW(lldt),
	ROW(ltr),
	ROW(ldt_ds),
	ROW(rdmsr),
	ROW(wrmsr),
	ROW(rdpmc),
	ROW(xsetbv),
	ROW(invlpg),
	ROW(invd),
	ROW(wbinvd),
	ROW(swapgs),
	ROW(sysret),
	ROW(sysexit),
	ROW(sysenter),
	ROW(monitor),
	ROW(mwait),
	ROW(vmcall),
	ROW(vmmcall),
	ROW(vmrun),
	ROW(vmload),
	ROW(vmsave),
	ROW(stgi),
	ROW(clgi),
	ROW(skinit),
	ROW(vmlaunch),
	ROW(vmxoff),
	ROW(vmxon),
	ROW(rsm),
	ROW(ud2),
	ROW(int1),
	ROW(int3),
	ROW(ss_kernel),
	ROW(ss_null),
	ROW(gs_null),
	ROW(gs_user),
	ROW(wrfsbase),
	ROW(wrgsbase),
	ROW(iret_kernel),
	ROW(retf_kernel),
	ROW(iret_nt),
	ROW(iret_wild),
	ROW(tf),
	ROW(tf_syscall),
	ROW(tf_ss_syscall),
	ROW(ss_tf_syscall),
	ROW(ss_int3),
	ROW(ss_syscall),
	ROW(tf_int),
	ROW(tf_sysenter),
	ROW(ac),
	ROW(ac_syscall),
	ROW(df_syscall),
	ROW(nt_syscall),
	ROW(iopl),
	ROW(nc_jump),
	ROW(nc_hole),
	ROW(nc_return),
	ROW(nc_read),
	ROW(nc_stack),
	ROW(stack_none),
	ROW(stack_kernel),
	ROW(rsp_kernel),
	ROW(rsp_wild),
	ROW(rsp_none),
	ROW(x87_pending),
	ROW(df_interrupt),
	ROW(ac_interrupt),
	ROW(rsp_interrupt),
	ROW(far_kernel),
	ROW(far_conforming),
	ROW(read_physmap),
	ROW(read_image),
	ROW(read_null),
	ROW(read_other_page),
	ROW(write_text),
	ROW(write_config),
	ROW(run_data),
	ROW(run_stack),
	ROW(run_window),
	ROW(run_page),
	ROW(run_physmap),
	ROW(compat_syscall_stack),
	ROW(compat_syscall_nowhere),
	ROW(compat_sysenter_stack),
	ROW(compat_int80_stack),
	{ 0 },
};

static void attack_try(struct self *self)
{
	for (const struct attack *t = tries; t->name; t++) {
		if (strcmp(t->name, evil.detail) != 0)
			continue;
		/* The others spin while the ender tries it. */
		while (self->id != evil.ender)
			__builtin_ia32_pause();
		t->run(self);
		SAY("%s was let through", t->name);
		return;
	}
	SAY("FAIL there is no try \"%s\"", evil.detail);
}

static void attack_int(struct self *self)
{
	unsigned vector = 0;

	for (const char *p = evil.detail; *p; p++)
		vector = vector * 10 + (unsigned)(*p - '0');
	while (self->id != evil.ender)
		__builtin_ia32_pause();
	((void (*)(void))(int_stubs + (vector & 0xff) * 4))();
	SAY("int %u was let through", vector);
}

const struct attack entry_attacks[] = {
	{ "try", attack_try },
	{ "int", attack_int },
	{ 0 },
};
