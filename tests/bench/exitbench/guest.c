/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
/*
 * exitbench guest: a self-contained 64-bit kernel that times, with RDTSC,
 * single operations that make a hypervisor exit.  One ELF image, three ways in,
 * all in 32-bit protected mode with paging off:
 *   - Multiboot 1 (eax = 0x2BADB002)         QEMU -kernel, GRUB, a hypervisor
 *   - PVH note (XEN_ELFNOTE_PHYS32_ENTRY)    Xen PVH, QEMU -kernel
 *   - the ELF entry point                    kvmrun.c
 * Needs: >= 160 MiB of RAM from 0, one CPU, a local APIC at 0xfee00000.
 * Output: bytes to port 0xE9, and to COM1 if one answers.
 *
 * Every sample is  t0 = rdtsc; op(); t1 = rdtsc  through the same indirect
 * call; the median of an empty op is subtracted.  Under QEMU
 * `-icount shift=0` one tick is exactly one executed guest instruction
 * (at every virtualization level), so the figures are instruction counts.
 *
 *   EB <name> min= p50= mean= max= n=        (ticks, net of the empty op)
 *   EB <name> fault=<vector>                 (the op raised an exception)
 *
 * An op measures the whole round trip: guest op + exit + handling + re-entry.
 *
 *   EB console.byte min= p50=                 (all that others do for a byte)
 *
 * Bytes to COM1 are shown later: a byte's part of what a while takes longer with
 * a burst of them at its beginning.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define NSAMPLE   512            /* samples of an ordinary test */
#define NWARM     8              /* discarded first iterations */
#define TOUCH4K   0x4000000UL    /* 64 MiB: fresh pages touched one by one */
#define TOUCH2M   0x6000000UL    /* 96 MiB .. 160 MiB: one touch per 2 MiB */
#define MMIO_HOLE 0xd0000000UL   /* guest-physical address nobody claims */
#define PORT_NONE 0x1e0          /* port nobody claims */
#define LAPIC     0xfee00000UL

/* ------------------------------------------------------------- entry ---- */
asm(
".section .head,\"ax\"\n"
".code32\n"
".balign 4\n"
".long 0x1BADB002, 0x00000000, -0x1BADB002\n"       /* multiboot 1 header */
".globl _start\n"
"_start:\n"
"  cli\n"
"  cld\n"
"  movl $stack_top, %esp\n"
"  movl %eax, boot_eax\n"
"  movl %ebx, boot_ebx\n"
"  movl $pdpt, %eax\n"                              /* identity-map 4 GiB */
"  orl  $3, %eax\n"
"  movl %eax, pml4\n"
"  movl $0, %ecx\n"
"1: movl %ecx, %eax\n"                              /* 4 page directories */
"  shll $12, %eax\n"
"  addl $pd, %eax\n"
"  orl  $3, %eax\n"
"  movl %eax, pdpt(,%ecx,8)\n"
"  incl %ecx\n"
"  cmpl $4, %ecx\n"
"  jne  1b\n"
"  movl $0, %ecx\n"
"2: movl %ecx, %eax\n"                              /* 2048 2-MiB pages */
"  shll $21, %eax\n"
"  orl  $0x83, %eax\n"
"  movl %eax, pd(,%ecx,8)\n"
"  movl $0, pd+4(,%ecx,8)\n"
"  incl %ecx\n"
"  cmpl $2048, %ecx\n"
"  jne  2b\n"
"  movl %cr4, %eax\n"
"  orl  $0x620, %eax\n"                             /* PAE OSFXSR OSXMMEXCPT */
"  movl %eax, %cr4\n"
"  movl $pml4, %eax\n"
"  movl %eax, %cr3\n"
"  movl $0xc0000080, %ecx\n"
"  rdmsr\n"
"  orl  $0x101, %eax\n"                             /* EFER.LME SCE */
"  wrmsr\n"
"  movl $0x80000033, %eax\n"                        /* PG NE ET MP PE */
"  movl %eax, %cr0\n"
"  lgdt gdtr\n"
"  ljmp $8, $3f\n"
".code64\n"
"3: movw $16, %ax\n"
"  movw %ax, %ds\n  movw %ax, %es\n  movw %ax, %ss\n"
"  movw %ax, %fs\n  movw %ax, %gs\n"
"  movl $stack_top, %esp\n"
"  call kmain\n"
"4: hlt\n  jmp 4b\n"
".balign 8\n"
"gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff\n"
"gdtr: .word 23\n  .long gdt, 0\n"
".section .note.pvh,\"a\",@note\n"
"  .balign 4\n  .long 4, 4, 18\n  .asciz \"Xen\"\n  .long _start\n"
".section .bss\n"
".balign 4096\n"
"pml4: .skip 4096\npdpt: .skip 4096\npd: .skip 16384\n"
"stack: .skip 16384\nstack_top:\n"
".globl boot_eax\nboot_eax: .skip 4\n.globl boot_ebx\nboot_ebx: .skip 4\n"
".text\n"
);
extern u32 boot_eax, boot_ebx;

/* --------------------------------------------------------- primitives --- */
static inline u64 rdtsc(void)
{ u32 a, d; asm volatile("rdtsc" : "=a"(a), "=d"(d) :: "memory"); return ((u64)d << 32) | a; }
static inline void outb(u16 p, u8 v)  { asm volatile("outb %0,%1" :: "a"(v), "Nd"(p)); }
static inline u8 inb(u16 p) { u8 v; asm volatile("inb %1,%0" : "=a"(v) : "Nd"(p)); return v; }
static inline void outl(u16 p, u32 v) { asm volatile("outl %0,%1" :: "a"(v), "Nd"(p)); }
static inline u64 rdmsr(u32 m)
{ u32 a, d; asm volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(m)); return ((u64)d << 32) | a; }
static inline void wrmsr(u32 m, u64 v)
{ asm volatile("wrmsr" :: "c"(m), "a"((u32)v), "d"((u32)(v >> 32)) : "memory"); }
static inline void cpuid(u32 l, u32 s, u32 *r)
{ asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(l), "c"(s)); }
static inline u32 mmio_r(u64 a) { return *(volatile u32 *)a; }
static inline void mmio_w(u64 a, u32 v) { *(volatile u32 *)a = v; }

/* ------------------------------------------------------------- output --- */
static int have_com1;
static void putch(char c)
{
	outb(0xe9, c);
	if (have_com1) {
		if (c == '\n') putch('\r');
		for (int i = 0; i < 100000 && !(inb(0x3fd) & 0x20); i++) ;
		outb(0x3f8, c);
	}
}
static void puts_(const char *s) { while (*s) putch(*s++); }
static void putu(u64 v)
{ char b[24]; int i = 24; b[--i] = 0; do b[--i] = '0' + v % 10; while (v /= 10); puts_(b + i); }
static void puts64(long v) { if (v < 0) { putch('-'); v = -v; } putu(v); }
static void puthex(u64 v)
{ for (int i = 60; i >= 0; i -= 4) if (v >> i || !i) putch("0123456789abcdef"[(v >> i) & 15]); }

/* --------------------------------------------- exceptions, interrupts --- */
struct frame { u64 r[15], vec, err, rip, cs, rflags, rsp, ss; };
static u64 idt[256][2];
static volatile u64 recover_rip, recover_rsp, recover_rbp;
static volatile u32 fault_vec, irq_count;

asm(
".text\n"
".balign 16\nstubs:\n"
".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
"  .balign 16\n"
"  .if !(\\n == 8 || (\\n >= 10 && \\n <= 14) || \\n == 17 || \\n == 21 || \\n == 29 || \\n == 30)\n"
"  pushq $0\n  .endif\n"
"  pushq $\\n\n  jmp common\n"
".endr\n"
"common:\n"
"  push %rax\n push %rcx\n push %rdx\n push %rbx\n push %rbp\n push %rsi\n push %rdi\n"
"  push %r8\n push %r9\n push %r10\n push %r11\n push %r12\n push %r13\n push %r14\n push %r15\n"
"  mov %rsp, %rdi\n  call exception\n"
"  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %r11\n pop %r10\n pop %r9\n pop %r8\n"
"  pop %rdi\n pop %rsi\n pop %rbp\n pop %rbx\n pop %rdx\n pop %rcx\n pop %rax\n"
"  add $16, %rsp\n  iretq\n"
".balign 16\nirq_xapic:\n"                       /* vector 0x40: EOI by MMIO */
"  push %rax\n  mov $0xfee000b0, %eax\n  movl $0, (%rax)\n"
"  incl irq_count\n  pop %rax\n  iretq\n"
".balign 16\nirq_x2apic:\n"                      /* vector 0x41: EOI by MSR */
"  push %rax\n push %rcx\n push %rdx\n  mov $0x80b, %ecx\n  xor %eax,%eax\n  xor %edx,%edx\n"
"  wrmsr\n  incl irq_count\n  pop %rdx\n pop %rcx\n pop %rax\n  iretq\n"
".balign 16\nirq_spurious: iretq\n"
);
extern char stubs[], irq_xapic[], irq_x2apic[], irq_spurious[];

void exception(struct frame *f)
{
	fault_vec = f->vec;
	if (recover_rip) {
		f->rip = recover_rip; f->rsp = recover_rsp; f->r[10] = recover_rbp;
		return;
	}
	puts_("EB PANIC vec="); putu(f->vec); puts_(" err="); puthex(f->err);
	puts_(" rip="); puthex(f->rip); puts_("\n");
	for (;;) asm volatile("cli; hlt");
}
static void gate(int v, char *h)
{
	u64 a = (u64)h;
	idt[v][0] = (a & 0xffff) | (8UL << 16) | (0x8eUL << 40) | ((a >> 16 & 0xffff) << 48);
	idt[v][1] = a >> 32;
}
static void idt_init(void)
{
	struct { u16 l; u64 a; } __attribute__((packed)) d = { sizeof idt - 1, (u64)idt };
	for (int i = 0; i < 32; i++) gate(i, stubs + 16 * i);
	for (int i = 32; i < 256; i++) gate(i, irq_spurious);
	gate(0x40, irq_xapic); gate(0x41, irq_x2apic);
	asm volatile("lidt %0" :: "m"(d));
}

/* ------------------------------------------------------------- the ops -- */
static int vendor_amd;
static u64 touch_ptr, touch_step;
static u16 insbuf[256];

static void op_empty(void)     { asm volatile("" ::: "memory"); }
static void op_loop1000(void)  { u32 n = 1000; asm volatile("1: dec %0; jnz 1b" : "+r"(n)); }
static void op_rdtsc(void)     { rdtsc(); }
static void op_cpuid0(void)    { u32 r[4]; cpuid(0, 0, r); }
static void op_cpuid_hv(void)  { u32 r[4]; cpuid(0x40000000, 0, r); }
static void op_hypercall(void)
{
	u64 a = 0x7fff;              /* no such call: KVM, Xen answer -ENOSYS */
	if (vendor_amd) asm volatile("vmmcall" : "+a"(a) :: "rbx", "rcx", "rdx", "rsi", "rdi", "memory");
	else            asm volatile("vmcall"  : "+a"(a) :: "rbx", "rcx", "rdx", "rsi", "rdi", "memory");
}
static void op_out_none(void)  { outb(PORT_NONE, 0); }
static void op_in_none(void)   { inb(PORT_NONE); }
static void op_insw256(void)
{ void *p = insbuf; u64 n = 256; asm volatile("rep insw" : "+D"(p), "+c"(n) : "d"((u16)PORT_NONE) : "memory"); }
static void op_in_pic(void)    { inb(0x21); }
static void op_out_pic(void)   { outb(0x21, 0xff); }
static void op_in_pit(void)    { inb(0x40); }
static void op_in_61(void)     { inb(0x61); }
static void op_out_80(void)    { outb(0x80, 0); }
static void op_in_lsr(void)    { inb(0x3fd); }
static void op_in_pcicfg(void) { u32 v; asm volatile("inl %1,%0" : "=a"(v) : "d"((u16)0xcfc)); }
static void op_mmio_w(void)    { mmio_w(MMIO_HOLE, 0); }
static void op_mmio_r(void)    { mmio_r(MMIO_HOLE); }
static void op_lapic_r(void)   { mmio_r(LAPIC + 0x30); }
static void op_lapic_tpr(void) { mmio_w(LAPIC + 0x80, 0); }
static void op_lapic_tmr(void) { mmio_w(LAPIC + 0x380, 0); }   /* timer initial count */
static void op_selfipi(void)
{
	u32 n = irq_count;
	mmio_w(LAPIC + 0x300, 0x44040);          /* fixed, self, assert, vec 0x40 */
	for (int i = 0; i < 1000 && irq_count == n; i++) asm volatile("pause");
}
static void op_x2_r(void)      { rdmsr(0x802); }
static void op_x2_selfipi(void)
{
	u32 n = irq_count;
	wrmsr(0x83f, 0x41);
	for (int i = 0; i < 1000 && irq_count == n; i++) asm volatile("pause");
}
static void op_tscdl(void)     { wrmsr(0x6e0, 0); }
static void op_rd_apicbase(void){ rdmsr(0x1b); }
static void op_rd_efer(void)   { rdmsr(0xc0000080); }
static void op_rd_fsbase(void) { rdmsr(0xc0000100); }
static void op_wr_pat(void)    { wrmsr(0x277, 0x0007040600070406UL); }
static void op_cr0(void)       { u64 v; asm volatile("mov %%cr0,%0; mov %0,%%cr0" : "=r"(v)); }
static void op_cr3(void)       { u64 v; asm volatile("mov %%cr3,%0; mov %0,%%cr3" : "=r"(v) :: "memory"); }
static void op_cr4(void)       { u64 v; asm volatile("mov %%cr4,%0; mov %0,%%cr4" : "=r"(v) :: "memory"); }
static void op_cr8(void)       { asm volatile("mov %0,%%cr8" :: "r"(0UL)); }
static void op_cr8_five(void)  { asm volatile("mov %0,%%cr8" :: "r"(5UL)); }
static void op_invlpg(void)    { asm volatile("invlpg (%0)" :: "r"(0x200000UL) : "memory"); }
static void op_wbinvd(void)    { asm volatile("wbinvd" ::: "memory"); }
static void op_touch(void)     { *(volatile u64 *)touch_ptr = 1; touch_ptr += touch_step; }
static void op_clihlt_irq(void)
{                                             /* HLT, woken at once by a pending self-IPI */
	asm volatile("cli" ::: "memory");
	mmio_w(LAPIC + 0x300, 0x44040);
	asm volatile("sti; hlt; cli; sti" ::: "memory");
}

/* --------------------------------------------------------- the harness -- */
static long sample[4096];
static long empty_p50;

static void sort(long *a, int n)
{
	for (int g = n / 2; g; g /= 2)
		for (int i = g; i < n; i++) {
			long t = a[i]; int j = i;
			for (; j >= g && a[j - g] > t; j -= g) a[j] = a[j - g];
			a[j] = t;
		}
}
static int __attribute__((noinline)) once(void (*volatile op)(void), long *out)
{
	u64 t0, t1;
	asm volatile("lea 1f(%%rip),%%rax; mov %%rax,%0; mov %%rsp,%1; mov %%rbp,%2\n"
	             : "=m"(recover_rip), "=m"(recover_rsp), "=m"(recover_rbp) :: "rax", "memory");
	fault_vec = ~0u;
	t0 = rdtsc();
	op();
	t1 = rdtsc();
	*out = (long)(t1 - t0);
	asm volatile("1:" ::: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
	             "r11", "r12", "r13", "r14", "r15", "memory");
	recover_rip = 0;
	return fault_vec != ~0u;
}
static void test(const char *name, void (*op)(void), int n, int warm)
{
	long sum = 0;
	for (int i = -warm; i < n; i++) {
		long s = 0;
		if (once(op, &s)) {
			puts_("EB "); puts_(name); puts_(" fault="); putu(fault_vec); puts_("\n");
			return;
		}
		if (i >= 0) sample[i] = s;
	}
	for (int i = 0; i < n; i++) { sample[i] -= empty_p50; sum += sample[i]; }
	sort(sample, n);
	if (op == op_empty && !empty_p50) empty_p50 = sample[n / 2];
	puts_("EB "); puts_(name);
	puts_(" min=");  puts64(sample[0]);
	puts_(" p50=");  puts64(sample[n / 2]);
	puts_(" mean="); puts64(sum / n);
	puts_(" max=");  puts64(sample[n - 1]);
	puts_(" n=");    putu(n); puts_("\n");
}
#define T(name, op) test(name, op, NSAMPLE, NWARM)

#define BURST     64
#define WHILE     24000000UL     /* rounds: longer than four slices of the CPU */
#define WHILES    7

static u64 spend_while(int with_burst)
{
	static const char text[BURST] = "................................................................";
	const char *p = text;
	u64 n = BURST, rounds = WHILE, t0 = rdtsc();
	if (with_burst) asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"((u16)0x3f8) : "memory");
	asm volatile("1: dec %0; jnz 1b" : "+r"(rounds));
	return rdtsc() - t0;
}
static void test_console(void)
{
	long sum = 0;
	spend_while(1);
	for (int i = 0; i < WHILES; i++) {
		sample[i] = (long)(spend_while(1) - spend_while(0)) / BURST;
		sum += sample[i];
	}
	sort(sample, WHILES);
	puts_("\nEB console.byte min="); puts64(sample[0]);
	puts_(" p50=");  puts64(sample[WHILES / 2]);
	puts_(" mean="); puts64(sum / WHILES);
	puts_(" max=");  puts64(sample[WHILES - 1]);
	puts_(" n=");    putu(WHILES); puts_("\n");
}

static void finish(int xen)
{
	puts_("EB DONE\n");
	outb(0xf4, 0);                            /* QEMU isa-debug-exit, kvmrun */
	if (xen) {                                /* HYPERVISOR_sched_op(SCHEDOP_shutdown) */
		u32 reason = 0; u64 nr = 29, a1 = 2; void *a2 = &reason;
		if (vendor_amd) asm volatile("vmmcall" : "+a"(nr), "+D"(a1), "+S"(a2) :: "memory");
		else            asm volatile("vmcall"  : "+a"(nr), "+D"(a1), "+S"(a2) :: "memory");
	}
	for (;;) asm volatile("cli; hlt");
}

/* Says whose processor and hypervisor these are; hv: the latter's CPUID leaf. */
static void say_host(u32 hv[4], u32 features)
{
	u32 r[4]; char sig[13];
	cpuid(0, 0, r);
	vendor_amd = r[1] != 0x756e6547;          /* not "Genu" */
	hv[0] = hv[1] = hv[2] = hv[3] = 0;
	if (features >> 31) cpuid(0x40000000, 0, hv);
	for (int i = 0; i < 12; i++) sig[i] = hv[1 + i / 4] >> (8 * (i % 4));
	sig[12] = 0;
	puts_("\nEB exitbench hv="); puts_(hv[0] ? sig : "none");
	puts_(" vendor="); puts_(vendor_amd ? "amd" : "intel");
	puts_(" f1c="); puthex(features); puts_(" eax="); puthex(boot_eax); puts_("\n");
}

/*
 * What SYSCALL and SWAPGS take, as Linux and Windows set it: a hypervisor may
 * have to switch these for each trip to ring 3 of its own.
 */
static void syscall_init(void)
{
	wrmsr(0xc0000081, 0x0023001000000000UL);        /* STAR */
	wrmsr(0xc0000082, 0xffffffff81000000UL);        /* LSTAR */
	wrmsr(0xc0000084, 0x47700);                     /* SFMASK */
	wrmsr(0xc0000102, 0xffff888000000000UL);        /* KERNEL_GS_BASE */
}

static void test_base(void)
{
	T("empty", op_empty);
	T("empty.net", op_empty);
	T("loop1000", op_loop1000);
	T("rdtsc", op_rdtsc);
}

/* Before anything else touches the memory. */
static void test_memory(void)
{
	touch_step = 4096; touch_ptr = TOUCH4K;
	test("touch.4k.fresh", op_touch, 1024, 0);
	touch_ptr = TOUCH4K;
	test("touch.4k.again", op_touch, 1024, 0);
	touch_step = 0x200000; touch_ptr = TOUCH2M;
	test("touch.2m.stride", op_touch, 32, 0);
}

static void test_devices(void)
{
	T("cpuid.0", op_cpuid0);
	T("cpuid.40000000", op_cpuid_hv);
	T("hypercall.nosys", op_hypercall);
	T("out.none", op_out_none);
	T("in.none", op_in_none);
	test("rep.insw.256", op_insw256, 64, 2);
	T("out.80", op_out_80);
	T("in.pic.21", op_in_pic);
	T("out.pic.21", op_out_pic);
	T("in.pit.40", op_in_pit);
	T("in.61", op_in_61);
	T("in.lsr.3fd", op_in_lsr);
	test_console();
	outl(0xcf8, 0x80000000);
	T("in.pcicfg", op_in_pcicfg);
	T("mmio.none.write", op_mmio_w);
	T("mmio.none.read", op_mmio_r);
}

static void test_registers(void)
{
	T("rdmsr.apicbase", op_rd_apicbase);
	T("rdmsr.efer", op_rd_efer);
	T("rdmsr.fsbase", op_rd_fsbase);
	T("wrmsr.pat", op_wr_pat);
	T("mov.cr0", op_cr0);
	T("mov.cr3", op_cr3);
	T("mov.cr4", op_cr4);
	T("mov.cr8", op_cr8);
	T("invlpg", op_invlpg);
	T("wbinvd", op_wbinvd);
}

static void test_apic(u32 features)
{
	wrmsr(0x1b, (rdmsr(0x1b) & ~0x400UL) | 0x800);  /* xAPIC mode */
	mmio_w(LAPIC + 0xf0, 0x1ff);                    /* software enable */
	T("lapic.read", op_lapic_r);
	T("lapic.write.tpr", op_lapic_tpr);
	T("lapic.write.tmict", op_lapic_tmr);
	op_cr8_five();                                  /* vector 0x40 waits for less */
	mmio_w(LAPIC + 0x300, 0x44040);
	T("mov.cr8.window", op_cr8_five);
	op_cr8();
	asm volatile("sti");
	T("lapic.selfipi", op_selfipi);
	T("lapic.ipi+hlt", op_clihlt_irq);
	asm volatile("cli");
	if (features & (1u << 24)) T("wrmsr.tscdeadline", op_tscdl);
	if (features & (1u << 21)) {
		wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
		T("x2apic.read", op_x2_r);
		asm volatile("sti");
		T("x2apic.selfipi", op_x2_selfipi);
		asm volatile("cli");
	}
}

void kmain(void)
{
	u32 hv[4], f1[4];
	outb(0x3ff, 0x5a);
	have_com1 = inb(0x3ff) == 0x5a;
	idt_init();
	syscall_init();
	outb(0x21, 0xff); outb(0xa1, 0xff);       /* mask the PICs */
	cpuid(1, 0, f1);
	say_host(hv, f1[2]);
	test_base();
	test_memory();
	test_devices();
	test_registers();
	test_apic(f1[2]);
	finish(hv[1] == 0x566e6558);                    /* "XenV" */
}
