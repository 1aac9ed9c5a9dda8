/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs in a tiny guest: see smp.h.
 */
#include "tests/guest/lib/smp.h"

#include "firmware/acpi_layout.h"
#include "lib/string.h"

#define TRAMPOLINE_PAGE 8 /* 0x8000 */
#define MSR_APIC_BASE	0x1b
#define BASE_X2APIC	BIT(10)
#define BASE_ENABLE	BIT(11)
#define MSR_GS_BASE	0xc0000101
#define X2APIC(reg)	(0x800 + (reg) / 16)
#define X2APIC_ICR	0x830
#define FW_CFG_NB_CPUS	0x05
#define BIOS_BASE	0xe0000
#define BIOS_END	0x100000
#define CPUID_X2APIC	BIT(21)
#define SVR_ENABLED	0x1ff

/* smp.asm makes room for so many of that size. */
ASSERT_SIZE(struct smp_found, 32);
_Static_assert(SMP_MAX == 32, "stacks in smp.asm");
_Static_assert(offsetof(struct smp_cpu, id) == 0, "smp_id() reads GS:0");

extern const char smp_trampoline[], smp_trampoline_end[];
void smp_began(uint32_t id);

struct smp_cpu smp_cpus[SMP_MAX];
volatile uint32_t smp_hold;

static struct {
	unsigned count;
	volatile uint32_t began;	 /* vCPUs, this start */
	volatile uint32_t job;		 /* number of the one to do */
	volatile uint32_t arrived, turn; /* at the barrier */
	void (*volatile fn)(unsigned id);
} smp;

/* ---- The local APIC ------------------------------------------------------ */

uint32_t smp_apic_read(unsigned reg)
{
	return smp_this()->is_x2apic ? (uint32_t)rdmsr(X2APIC(reg))
				     : lapic_read(reg);
}

void smp_apic_write(unsigned reg, uint32_t value)
{
	if (smp_this()->is_x2apic)
		wrmsr(X2APIC(reg), value);
	else
		lapic_write(reg, value);
}

void smp_eoi(void)
{
	smp_apic_write(LAPIC_EOI, 0);
}

/* In xAPIC mode a handler that sends must not come between the two halves. */
void smp_send(uint32_t destination, uint32_t command)
{
	uint64_t flags = read_flags();

	if (smp_this()->is_x2apic) {
		wrmsr(X2APIC_ICR, (uint64_t)destination << 32 | command);
		return;
	}
	cli();
	lapic_write(LAPIC_ICR_HIGH, destination << 24);
	lapic_write(LAPIC_ICR, command);
	if (flags & X86_FLAG_IF)
		sti();
}

static void apic_begin(void)
{
	smp_this()->is_x2apic = rdmsr(MSR_APIC_BASE) & BASE_X2APIC;
	smp_apic_write(LAPIC_SVR, SVR_ENABLED);
	smp_apic_write(LAPIC_TPR, 0);
}

void smp_apic_mode(bool is_x2apic)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) & ~(BASE_X2APIC | BASE_ENABLE);

	if (smp_this()->is_x2apic && !is_x2apic)
		wrmsr(MSR_APIC_BASE, base);
	wrmsr(MSR_APIC_BASE, base | BASE_ENABLE);
	if (is_x2apic)
		wrmsr(MSR_APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
	apic_begin();
}

bool smp_has_x2apic(void)
{
	return cpuid(1, 0).ecx & CPUID_X2APIC;
}

/* ---- Interrupts ---------------------------------------------------------- */

static void count(struct trap_frame *frame)
{
	struct smp_cpu *cpu = smp_this();

	cpu->taken[frame->vector]++;
	smp_eoi();
}

static void count_nmi(struct trap_frame *frame)
{
	smp_this()->taken[frame->vector]++;
}

static void woken(struct trap_frame *frame)
{
	(void)frame;
	smp_eoi();
}

void smp_count(unsigned vector)
{
	trap_hook(vector, count);
}

void smp_count_nmis(void)
{
	trap_hook(X86_VECTOR_NMI, count_nmi);
}

void smp_let_in(void)
{
	sti();
	__asm__ volatile("nop; nop" ::: "memory");
	cli();
}

void smp_spin(uint64_t ticks)
{
	for (uint64_t start = rdtsc(); rdtsc() - start < ticks;)
		__asm__ volatile("pause");
}

/* ---- Waiting ------------------------------------------------------------- */

void smp_wait_change(const volatile uint32_t *word, uint32_t old)
{
	uint64_t flags = read_flags();

	for (cli(); *word == old;)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	if (flags & X86_FLAG_IF)
		sti();
}

void smp_wait_count(const volatile uint32_t *word, uint32_t least)
{
	uint64_t flags = read_flags();

	for (cli(); *word < least;)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	if (flags & X86_FLAG_IF)
		sti();
}

void smp_wake(unsigned id)
{
	smp_send(id, ICR_FIXED | SMP_WAKE_VECTOR);
}

static void wake_others(void)
{
	smp_send(0, ICR_TO_OTHERS | ICR_FIXED | SMP_WAKE_VECTOR);
}

void smp_barrier(void)
{
	uint32_t turn = smp.turn;

	if (__atomic_add_fetch(&smp.arrived, 1, __ATOMIC_SEQ_CST) < smp.count) {
		smp_wait_change(&smp.turn, turn);
		return;
	}
	smp.arrived = 0;
	__atomic_store_n(&smp.turn, turn + 1, __ATOMIC_SEQ_CST);
	wake_others();
}

/* ---- Starting and working ------------------------------------------------ */

/* The table of that name; NULL: there is none. */
static const struct acpi_header *acpi_find(const char *signature)
{
	const struct acpi_header *rsdt, *table;
	const struct acpi_rsdp *rsdp;
	uint64_t place = BIOS_BASE;

	while (memcmp((const void *)place, "RSD PTR ", 8)) {
		place += 16;
		if (place == BIOS_END)
			return NULL;
	}
	rsdp = (const void *)place;
	rsdt = (const void *)(uint64_t)rsdp->rsdt;
	for (uint32_t at = sizeof(*rsdt); at < rsdt->length; at += 4) {
		table = (const void *)(uint64_t) *
			(const uint32_t *)((const uint8_t *)rsdt + at);
		if (!memcmp(table->signature, signature, 4))
			return table;
	}
	return NULL;
}

/* Its local APICs. */
static unsigned madt_count(void)
{
	const uint8_t *madt = (const void *)acpi_find("APIC");
	unsigned count = 0;

	for (uint32_t at = sizeof(struct acpi_madt);
	     madt && at < ((const struct acpi_header *)madt)->length;
	     at += madt[at + 1])
		count += madt[at] == MADT_LAPIC;
	return count;
}

unsigned smp_cpu_count(void)
{
	static volatile unsigned count; /* asked for once, by vCPU 0 alone */
	uint8_t low;

	if (count)
		return count;
	/* fw_cfg: the selector, then the value byte by byte. */
	out16(0x510, FW_CFG_NB_CPUS);
	low = in8(0x511);
	count = low | (unsigned)in8(0x511) << 8;
	if (count == UINT16_MAX)
		count = madt_count(); /* of the board pv */
	return count;
}

static void cpu_begin(uint32_t id)
{
	smp_cpus[id].id = id;
	wrmsr(MSR_GS_BASE, (uint64_t)&smp_cpus[id]);
	trap_load();
	apic_begin();
}

void smp_began(uint32_t id)
{
	struct smp_cpu *cpu = &smp_cpus[id];
	uint32_t job = smp.job;

	cpu_begin(id);
	smp_wait_change(&smp_hold, 1);
	cpu->starts++;
	__atomic_add_fetch(&smp.began, 1, __ATOMIC_SEQ_CST);
	smp_wake(0);
	if (cpu->is_working) {
		cpu->is_working = false;
		smp_barrier();
	}
	for (;;) {
		smp_wait_change(&smp.job, job);
		job = smp.job;
		cpu->is_working = true;
		smp.fn(id);
		cpu->is_working = false;
		smp_barrier();
	}
}

void smp_trampoline_copy(uint8_t page)
{
	memcpy((void *)((uint64_t)page * PAGE_SIZE), smp_trampoline,
	       (size_t)(smp_trampoline_end - smp_trampoline));
}

void smp_begin(void)
{
	smp.count = smp_cpu_count();
	trap_hook(SMP_WAKE_VECTOR, woken);
	cpu_begin(0);
}

void smp_start(void)
{
	smp_begin();
	smp_trampoline_copy(TRAMPOLINE_PAGE);
	smp_send(0, ICR_TO_OTHERS | ICR_INIT_ASSERT);
	smp_send(0, ICR_TO_OTHERS | ICR_SIPI | TRAMPOLINE_PAGE);
	smp_send(0, ICR_TO_OTHERS | ICR_SIPI | TRAMPOLINE_PAGE);
	smp_wait_count(&smp.began, smp.count - 1);
}

bool smp_wait_start(unsigned id, uint32_t starts)
{
	smp_wait_count(&smp_cpus[id].starts, starts);
	return smp_cpus[id].starts == starts;
}

void smp_run(void (*fn)(unsigned id))
{
	smp.fn = fn;
	__atomic_add_fetch(&smp.job, 1, __ATOMIC_SEQ_CST);
	wake_others();
	smp_cpus[0].is_working = true;
	fn(0);
	smp_cpus[0].is_working = false;
	smp_barrier();
}
