/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long mode: ring 3 by IRET and SYSCALL and back, compatibility mode, SWAPGS,
 * execute-disable and user pages, 1 GiB pages.
 */
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/tss.h"

/* Of longmode_code.asm. */
extern char longmode_syscall_entry[], longmode_user[], longmode_user32[];
extern volatile uint64_t longmode_results[16];
void longmode_enter(void *to);
void longmode_enter32(void *to);

#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_SFMASK	   0xc0000084
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define EFER_SCE	   BIT(0)
#define EFER_NXE	   BIT(11)
#define CPUID_GB_PAGES	   BIT(26)

static struct tss64 tss;
static uint8_t stack0[4096] __aligned(16);

static void tss_load(void)
{
	uint64_t base = (uint64_t)&tss;

	tss.rsp[0] = (uint64_t)(stack0 + sizeof(stack0));
	tss.io_map = sizeof(tss);
	boot_gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
				0x89ull << 40 | (base >> 24 & 0xff) << 56;
	boot_gdt[SEL_TSS / 8 + 1] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

static void user_pages(void)
{
	boot_pml4[0] |= PTE_U;
	for (unsigned i = 0; i < 4; i++)
		boot_pdpt[i] |= PTE_U;
	for (unsigned i = 0; i < 4; i++)
		boot_pd[i] |= PTE_U;
	WRITE_CR(3, READ_CR(3));
}

static void test_ring3(void)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	wrmsr(MSR_STAR, (uint64_t)SEL_CODE64 << 32 |
				(uint64_t)(SEL_USER32 | RPL_USER) << 48);
	wrmsr(MSR_LSTAR, (uint64_t)longmode_syscall_entry);
	wrmsr(MSR_SFMASK, X86_FLAG_IF | X86_FLAG_DF);
	check_equal("ring3-returns",
		    (uint64_t)trap_catch(longmode_enter, longmode_user), 0x81);
	check_equal("syscall-cs", longmode_results[0], SEL_CODE64);
	check_equal("syscall-rcx", longmode_results[1], longmode_results[2]);
	check_equal("syscall-masks-flags", longmode_results[3] & X86_FLAG_DF,
		    0);
	check_equal("syscall-r11", longmode_results[4] & X86_FLAG_DF,
		    X86_FLAG_DF);
	check_equal("sysret-cs", longmode_results[5], SEL_USER64 | RPL_USER);
	check_equal("compatibility-mode",
		    (uint64_t)trap_catch(longmode_enter32, longmode_user32),
		    0x82);
	check_equal("compatibility-wraps", longmode_results[6], 0);
}

static void test_swapgs(void)
{
	wrmsr(MSR_GS_BASE, 0x1111000);
	wrmsr(MSR_KERNEL_GS_BASE, 0xffff800000002222);
	__asm__ volatile("swapgs");
	check_equal("swapgs-in", rdmsr(MSR_GS_BASE), 0xffff800000002222);
	check_equal("swapgs-out", rdmsr(MSR_KERNEL_GS_BASE), 0x1111000);
	__asm__ volatile("swapgs");
}

#define PAGE 0x2000000UL

static void call(void *at)
{
	((void (*)(void))at)();
}

static void test_execute_disable(void)
{
	uint64_t *entry = page_entry(PAGE);

	*(volatile uint8_t *)PAGE = 0xc3; /* ret */
	check_equal("execute", (uint64_t)trap_catch(call, (void *)PAGE),
		    (uint64_t)-1);
	*entry |= PTE_NX;
	invlpg(PAGE);
	check_equal("execute-disable", (uint64_t)trap_catch(call, (void *)PAGE),
		    X86_VECTOR_PF);
	check_equal("execute-disable-code", trap_last.error, 0x11);
	*entry &= ~PTE_NX;
	invlpg(PAGE);
}

static void test_large_page(void)
{
	uint64_t old = boot_pdpt[1];

	if (!(cpuid(0x80000001, 0).edx & CPUID_GB_PAGES)) {
		skip("1g-page", "CPUID does not offer it");
		return;
	}
	boot_pdpt[1] = 0 | PTE_P | PTE_W | PTE_PS;
	WRITE_CR(3, READ_CR(3));
	*(volatile uint64_t *)(GIB(1) + PAGE + 64) = 0x1234567;
	check_equal("1g-page", *(volatile uint64_t *)(PAGE + 64), 0x1234567);
	boot_pdpt[1] = old;
	WRITE_CR(3, READ_CR(3));
}

void guest_main(void)
{
	tss_load();
	user_pages();
	test_ring3();
	test_swapgs();
	test_execute_disable();
	test_large_page();
}
