/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's page: there in xAPIC mode alone, where IA32_APIC_BASE says,
 * even over RAM; the modes that may follow each other; and a level interrupt
 * that no local APIC accepts waits for one that does.
 *
 * References: SDM volume 3, "Local APIC Status and Location", "x2APIC State
 * Transitions"; 82093AA data sheet, "IOREDTBL[23:0]".
 */
#include "tests/guest/lib/guest.h"

#define MSR_APIC_BASE 0x1b
#define BASE_BSP      BIT(8)
#define BASE_X2APIC   BIT(10)
#define BASE_ENABLE   BIT(11)
#define MSR_X2_TPR    0x808
#define MSR_X2_SVR    0x80f
#define CPUID_APIC    BIT(9)  /* EDX */
#define CPUID_X2APIC  BIT(21) /* ECX */
#define E8_EAX_PHYS   MASK(7, 0)
#define ELSEWHERE     0xfed40000UL
#define OVER_RAM      0x2345000UL
#define VECTOR	      0x60
#define ICR_SELF      0x44000
#define SVR_ON	      0x1ff
#define IOAPIC	      0xfec00000UL
#define PIN_TIMER     2
#define ENTRY_PENDING BIT(12)
#define ENTRY_REMOTE  BIT(14)
#define ENTRY_LEVEL   BIT(15)
#define ENTRY_MASKED  BIT(16)
#define ENTRY_LOGICAL BIT(11)

static uint64_t usual; /* IA32_APIC_BASE as it was found */

static uint32_t read_at(uint64_t page, unsigned reg)
{
	return *(volatile uint32_t *)(page + reg);
}

static void write_at(uint64_t page, unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(page + reg) = value;
}

static void write_base(void *value)
{
	wrmsr(MSR_APIC_BASE, *(uint64_t *)value);
}

static bool is_refused(uint64_t value)
{
	return trap_catch(write_base, &value) == X86_VECTOR_GP &&
	       trap_last.error == 0;
}

static void off_and_on(void)
{
	wrmsr(MSR_APIC_BASE, usual & ~BASE_ENABLE);
	wrmsr(MSR_APIC_BASE, usual);
	lapic_write(LAPIC_SVR, SVR_ON);
}

/* No register answers, and CR8 is not there. */
static void check_no_page(const char *name)
{
	bool is_good = true;

	WRITE_CR(8, 5);
	for (unsigned reg = 0; reg < PAGE_SIZE; reg += 16)
		write_at(LAPIC_BASE, reg, ~0u);
	for (unsigned reg = 0; reg < PAGE_SIZE; reg += 16)
		is_good &= read_at(LAPIC_BASE, reg) == ~0u;
	write_at(LAPIC_BASE, LAPIC_TPR, 0x10);
	is_good &= READ_CR(8) == 5;
	WRITE_CR(8, 10);
	is_good &= READ_CR(8) == 10;
	is_good &= read_at(LAPIC_BASE, LAPIC_TPR) == ~0u;
	check(name, is_good);
	WRITE_CR(8, 0);
}

static void test_disabled(void)
{
	uint32_t version = lapic_read(LAPIC_VERSION);

	wrmsr(MSR_APIC_BASE, usual & ~BASE_ENABLE);
	check("disabled-cpuid", !(cpuid(1, 0).edx & CPUID_APIC));
	check_no_page("disabled-no-page");
	wrmsr(MSR_APIC_BASE, usual);
	check("enabled-cpuid", cpuid(1, 0).edx & CPUID_APIC);
	check_equal("enabled-again", lapic_read(LAPIC_VERSION), version);
	WRITE_CR(8, 7);
	check_equal("enabled-cr8-is-tpr", lapic_read(LAPIC_TPR), 0x70);
	lapic_write(LAPIC_TPR, 0x4f);
	check_equal("enabled-tpr-is-cr8", READ_CR(8), 4);
	WRITE_CR(8, 0);
	lapic_write(LAPIC_SVR, SVR_ON);
}

static void test_x2apic(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_X2APIC)) {
		skip("x2apic", "CPUID does not offer it");
		return;
	}
	check("off-to-invalid",
	      is_refused(usual & ~BASE_ENABLE) == false &&
		      is_refused((usual & ~BASE_ENABLE) | BASE_X2APIC));
	check("off-to-x2apic", is_refused(usual | BASE_X2APIC));
	wrmsr(MSR_APIC_BASE, usual);
	check("xapic-to-invalid",
	      is_refused((usual & ~BASE_ENABLE) | BASE_X2APIC));
	wrmsr(MSR_APIC_BASE, usual | BASE_X2APIC);
	wrmsr(MSR_X2_SVR, SVR_ON);
	check_no_page("x2apic-no-page");
	WRITE_CR(8, 9);
	check_equal("x2apic-cr8-is-tpr", rdmsr(MSR_X2_TPR), 0x90);
	WRITE_CR(8, 0);
	check("x2apic-to-xapic", is_refused(usual));
	check("x2apic-to-invalid",
	      is_refused((usual & ~BASE_ENABLE) | BASE_X2APIC));
	off_and_on();
	check_equal("x2apic-and-back", lapic_read(LAPIC_SVR), SVR_ON);
}

static void test_reserved(void)
{
	unsigned phys = FIELD_GET(E8_EAX_PHYS, cpuid(0x80000008, 0).eax);
	bool is_good = true;

	for (unsigned bit = 0; bit < 64; bit++)
		if (bit < 8 || bit == 9 || bit >= phys)
			is_good &= is_refused(usual | BIT(bit));
	check("base-reserved-bits", is_good);
	check_equal("base-is-as-it-was", rdmsr(MSR_APIC_BASE), usual);
}

static void check_moved(const char *name, uint64_t to)
{
	uint32_t version = lapic_read(LAPIC_VERSION);
	bool is_good;

	wrmsr(MSR_APIC_BASE, to | (usual & (BASE_BSP | BASE_ENABLE)));
	is_good = read_at(to, LAPIC_VERSION) == version &&
		  read_at(LAPIC_BASE, LAPIC_VERSION) == ~0u;
	write_at(to, LAPIC_TPR, 0x30);
	is_good &= READ_CR(8) == 3;
	write_at(LAPIC_BASE, LAPIC_TPR, 0x50);
	is_good &= READ_CR(8) == 3 && read_at(to, LAPIC_TPR) == 0x30;
	WRITE_CR(8, 6);
	is_good &= read_at(to, LAPIC_TPR) == 0x60;
	WRITE_CR(8, 0);
	check(name, is_good);
}

static volatile unsigned taken;
static volatile uint64_t eoi_page;

static void on_interrupt(struct trap_frame *frame)
{
	(void)frame;
	taken++;
	write_at(eoi_page, LAPIC_EOI, 0);
}

static void test_moved(void)
{
	taken = 0;
	trap_hook(VECTOR, on_interrupt);
	check_moved("moved", ELSEWHERE);
	eoi_page = ELSEWHERE;
	write_at(ELSEWHERE, LAPIC_ICR, ICR_SELF | VECTOR);
	sti();
	__asm__ volatile("nop; nop");
	write_at(ELSEWHERE, LAPIC_ICR, ICR_SELF | VECTOR);
	__asm__ volatile("nop; nop");
	cli();
	check_equal("moved-interrupts", taken, 2);
	wrmsr(MSR_APIC_BASE, usual);
	check("moved-back", lapic_read(LAPIC_SVR) == SVR_ON &&
				    read_at(ELSEWHERE, LAPIC_VERSION) == ~0u);
}

/* Its own RAM does not show there, and is as it was afterwards. */
static void test_over_ram(void)
{
	volatile uint32_t *ram = (volatile uint32_t *)OVER_RAM;

	for (unsigned i = 0; i < PAGE_SIZE / 4; i++)
		ram[i] = 0x5a000000 | i;
	check_moved("moved-over-ram", OVER_RAM);
	check_equal("ram-beside", ram[PAGE_SIZE / 4], 0);
	wrmsr(MSR_APIC_BASE, usual);
	for (unsigned i = 0; i < PAGE_SIZE / 4; i++)
		if (ram[i] != (0x5a000000 | i)) {
			fail("ram-shows-again", "%x at %x", ram[i], i * 4);
			return;
		}
	pass("ram-shows-again");
}

/* ---- Level interrupts --------------------------------------------------- */

static uint32_t entry_read(unsigned pin)
{
	*(volatile uint32_t *)IOAPIC = 0x10 + 2 * pin;
	return *(volatile uint32_t *)(IOAPIC + 0x10);
}

static void entry_write(unsigned pin, uint32_t low, uint32_t high)
{
	*(volatile uint32_t *)IOAPIC = 0x11 + 2 * pin;
	*(volatile uint32_t *)(IOAPIC + 0x10) = high;
	*(volatile uint32_t *)IOAPIC = 0x10 + 2 * pin;
	*(volatile uint32_t *)(IOAPIC + 0x10) = low;
}

/* Mode 0: low now, high from the terminal count on. */
static void line_low(void)
{
	out8(0x43, 0x30);
}

static void line_high(void)
{
	line_low();
	out8(0x40, 2);
	out8(0x40, 0);
	for (unsigned i = 0; i < 1000000; i++) {
		out8(0x43, 0xe2); /* status of channel 0 */
		if (in8(0x40) & 0x80)
			return;
	}
	fail("8254", "its output does not rise");
}

static void on_level(struct trap_frame *frame)
{
	(void)frame;
	taken++;
	line_low();
	write_at(LAPIC_BASE, LAPIC_EOI, 0);
}

static void let_in(void)
{
	sti();
	__asm__ volatile("nop; nop");
	cli();
}

/* how: makes the APIC accept what it did not. */
static void check_level(const char *name, void (*refuse)(void),
			void (*accept)(void), uint32_t flags, uint32_t to)
{
	uint32_t refused, after;

	taken = 0;
	line_low();
	entry_write(PIN_TIMER, VECTOR | ENTRY_LEVEL | flags, to);
	refuse();
	line_high();
	let_in();
	refused = entry_read(PIN_TIMER) & (ENTRY_REMOTE | ENTRY_PENDING);
	if (taken || refused != ENTRY_PENDING) {
		fail(name, "taken %u times, entry %x", taken, refused);
		accept();
	} else {
		accept();
		let_in();
		after = entry_read(PIN_TIMER) & (ENTRY_REMOTE | ENTRY_PENDING);
		if (taken == 1 && !after)
			pass(name);
		else
			fail(name, "then taken %u times, entry %x", taken,
			     after);
	}
	entry_write(PIN_TIMER, ENTRY_MASKED, 0);
	line_low();
}

static void software_off(void)
{
	lapic_write(LAPIC_SVR, SVR_ON & ~BIT(8));
}

static void software_on(void)
{
	lapic_write(LAPIC_SVR, SVR_ON);
}

static void hardware_off(void)
{
	wrmsr(MSR_APIC_BASE, usual & ~BASE_ENABLE);
}

static void hardware_on(void)
{
	wrmsr(MSR_APIC_BASE, usual);
	lapic_write(LAPIC_SVR, SVR_ON);
}

static void logical_none(void)
{
	lapic_write(LAPIC_DFR, ~0u);
	lapic_write(LAPIC_LDR, 0x01000000);
}

static void logical_some(void)
{
	lapic_write(LAPIC_LDR, 0x04000000);
}

static void clusters(void)
{
	lapic_write(LAPIC_LDR, 0x24000000);
	lapic_write(LAPIC_DFR, 0x0fffffff);
}

static void flat(void)
{
	lapic_write(LAPIC_DFR, ~0u);
}

static void nothing(void)
{
}

static void to_this(void)
{
	entry_write(PIN_TIMER, VECTOR | ENTRY_LEVEL, lapic_read(LAPIC_ID));
}

static void test_level(void)
{
	uint32_t id = lapic_read(LAPIC_ID);

	trap_hook(VECTOR, on_level);
	check_level("level-software-enable", software_off, software_on, 0, id);
	check_level("level-lowest-priority", software_off, software_on, 0x100,
		    id);
	check_level("level-hardware-enable", hardware_off, hardware_on, 0, id);
	check_level("level-ldr", logical_none, logical_some, ENTRY_LOGICAL,
		    0x04000000);
	check_level("level-dfr", clusters, flat, ENTRY_LOGICAL, 0x04000000);
	check_level("level-entry", nothing, to_this, 0, 0x0e000000);
}

void guest_main(void)
{
	lapic_enable();
	usual = rdmsr(MSR_APIC_BASE);
	check_equal("usual", usual & ~(uint64_t)BASE_BSP,
		    LAPIC_BASE | BASE_ENABLE);
	test_reserved();
	test_disabled();
	test_x2apic();
	test_moved();
	test_over_ram();
	test_level();
}
