/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way to reset a machine with several vCPUs, from either vCPU and with
 * the others at work: each time the kernel is loaded again and runs on vCPU 0,
 * the others wait for their SIPIs, and nothing of before comes after.  A cell
 * of the CMOS, which a reset leaves alone, says which was tried last.  The
 * command line may say which is the first to be tried: "stage=3".
 */
#include "tests/guest/lib/smp.h"

#define CMOS_INDEX     0x70
#define CMOS_DATA      0x71
#define CMOS_STAGE     0x6f /* cells that nobody uses */
#define CMOS_BOOTS     0x6e
#define STAGE_BASE     0xa0 /* anything else: the first start */
#define MSR_APIC_BASE  0x1b
#define MSR_MTRR_DEF   0x2ff
#define MTRR_WB	       0xc06
#define BASE_BSP       BIT(8)
#define BASE_X2APIC    BIT(10)
#define BOOT_MAGIC     0x2badb002
#define INFO_FLAGS     0 /* of Multiboot's information */
#define HAS_CMDLINE    BIT(2)
#define INFO_CMDLINE   16
#define VECTOR	       0x51
#define LVT_PERIODIC   BIT(17)
#define TICKS_A_WHILE  100000
#define WAIT_COUNT     200000
#define PATIENCE_TICKS 20000000000ull

/* As they were loaded. */
static volatile uint32_t loaded = 0x12345678;
static volatile uint32_t zeroed;
static volatile uint32_t others_ran;
static volatile uint32_t at_work, alive;

static void cell_set(uint8_t cell, uint8_t value)
{
	out8(CMOS_INDEX, cell);
	out8(CMOS_DATA, value);
}

static uint8_t cell_get(uint8_t cell)
{
	out8(CMOS_INDEX, cell);
	return in8(CMOS_DATA);
}

/* ---- Ways ---------------------------------------------------------------- */

static void triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" ::"m"(idtr));
}

static void port_cf9(void)
{
	out8(0xcf9, 0x02);
	out8(0xcf9, 0x06);
}

static void keyboard(void)
{
	out8(0x64, 0xfe);
}

static void port_92(void)
{
	out8(0x92, in8(0x92) | 0x01);
}

/* ---- What the other vCPUs are at -----------------------------------------
 */

static void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void spin(void)
{
	sti();
	for (;;)
		alive++;
}

static void send_ipis(void)
{
	sti();
	for (;; alive++)
		smp_send(0, ICR_TO_ALL | ICR_FIXED | VECTOR);
}

static void send_nmis(void)
{
	for (;; alive++)
		smp_send(0, ICR_TO_OTHERS | ICR_NMI);
}

/* To the last vCPU: of three or more it is at the same. */
static void send_inits(void)
{
	uint32_t last = smp_cpu_count() - 1;

	for (;; alive++)
		smp_send(last, ICR_INIT_ASSERT);
}

static void use_devices(void)
{
	for (;; alive++) {
		(void)in8(0x21);
		(void)*(volatile uint32_t *)0xd0000000;
	}
}

/* Has a timer that ticks, and resets as well. */
static void reset_as_well(void)
{
	smp_apic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
	smp_apic_write(LAPIC_TIMER_INITIAL, 30000);
	sti();
	smp_spin(TICKS_A_WHILE);
	cli();
	port_cf9();
	for (;;)
		alive++;
}

static const struct stage {
	const char *name;
	void (*reset)(void);
	unsigned by; /* vCPU, if there are so many */
	void (*others)(void);
} stages[] = {
	{ "cf9-by-0", port_cf9, 0, halt },
	{ "cf9-by-1", port_cf9, 1, halt },
	{ "keyboard-by-1", keyboard, 1, halt },
	{ "port-92-by-1", port_92, 1, halt },
	{ "triple-fault-by-0", triple_fault, 0, halt },
	{ "triple-fault-by-1", triple_fault, 1, halt },
	{ "cf9-by-1-others-spin", port_cf9, 1, spin },
	{ "triple-fault-by-1-others-spin", triple_fault, 1, spin },
	{ "triple-fault-by-0-others-send", triple_fault, 0, send_ipis },
	{ "triple-fault-by-1-others-send", triple_fault, 1, send_ipis },
	{ "cf9-by-0-others-send-nmis", port_cf9, 0, send_nmis },
	{ "cf9-by-1-others-send-nmis", port_cf9, 1, send_nmis },
	{ "cf9-by-0-others-send-inits", port_cf9, 0, send_inits },
	{ "keyboard-by-0-others-use-devices", keyboard, 0, use_devices },
	{ "cf9-by-0-others-reset", port_cf9, 0, reset_as_well },
	{ "triple-fault-by-1-others-reset", triple_fault, 1, reset_as_well },
};

static const struct stage *now;

static void reset_now(unsigned id)
{
	unsigned by = now->by % smp_cpu_count();

	smp_count_nmis();
	wrmsr(MSR_MTRR_DEF, MTRR_WB);
	__atomic_add_fetch(&at_work, 1, __ATOMIC_SEQ_CST);
	smp_send(0, ICR_TO_OTHERS | ICR_FIXED | SMP_WAKE_VECTOR);
	smp_wait_count(&at_work, smp_cpu_count());
	if (id != by)
		now->others();
	smp_spin(TICKS_A_WHILE);
	now->reset();
	smp_spin(PATIENCE_TICKS);
	cell_set(CMOS_STAGE, 0);
	fail(now->name, "still running");
	guest_end();
}

/* ---- After a reset ------------------------------------------------------- */

/* NULL, or what is wrong. */
static const char *look(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (boot_magic != BOOT_MAGIC)
		return "EAX is not the boot loader's";
	if (loaded != 0x12345678 || zeroed)
		return "the kernel has not been loaded again";
	if (!(base & BASE_BSP) || base & BASE_X2APIC)
		return "the APIC's base is not as after a reset";
	if (cpuid(1, 0).ebx >> 24)
		return "it is not vCPU 0";
	if (rdmsr(MSR_MTRR_DEF))
		return "an MSR of before";
	for (unsigned i = 0; i < 8; i++)
		if (lapic_read(LAPIC_IRR + 0x10 * i) ||
		    lapic_read(LAPIC_ISR + 0x10 * i))
			return "an interrupt of before";
	return NULL;
}

static void run_once(unsigned id)
{
	if (id && !rdmsr(MSR_MTRR_DEF))
		__atomic_add_fetch(&others_ran, 1, __ATOMIC_SEQ_CST);
}

/* Halted, so that whoever goes on where he was can do so. */
static void wait_a_while(void)
{
	smp_count(VECTOR);
	smp_apic_write(LAPIC_LVT_TIMER, VECTOR);
	smp_apic_write(LAPIC_TIMER_INITIAL, WAIT_COUNT);
	smp_wait_count(&smp_this()->taken[VECTOR], 1);
}

static void report(const char *name, uint8_t boots)
{
	const char *wrong = look();

	if (!wrong && cell_get(CMOS_BOOTS) != boots)
		wrong = "not the first boot after it";
	smp_begin();
	wait_a_while();
	if (!wrong && alive)
		wrong = "another vCPU goes on as before";
	smp_start();
	smp_run(run_once);
	if (!wrong && others_ran != smp_cpu_count() - 1)
		wrong = "not all others start, with MSRs as after a reset";
	if (wrong)
		fail(name, "%s", wrong);
	else
		pass(name);
}

static uint32_t info_word(unsigned at)
{
	return *(const volatile uint32_t *)(uintptr_t)(boot_info + at);
}

/* What the command line says, or 0. */
static unsigned first_stage(void)
{
	const char *at, key[] = "stage=";
	unsigned matched = 0, stage = 0;

	if (!(info_word(INFO_FLAGS) & HAS_CMDLINE))
		return 0;
	for (at = (const char *)(uintptr_t)info_word(INFO_CMDLINE); *at; at++) {
		if (matched == sizeof(key) - 1 && *at >= '0' && *at <= '9')
			stage = stage * 10 + (unsigned)(*at - '0');
		else if (matched < sizeof(key) - 1)
			matched = *at == key[matched] ? matched + 1 : 0;
	}
	return stage < ARRAY_SIZE(stages) ? stage : 0;
}

void guest_main(void)
{
	unsigned stage = cell_get(CMOS_STAGE) - STAGE_BASE;
	bool is_first = stage > ARRAY_SIZE(stages);
	uint8_t boots = is_first ? 0 : cell_get(CMOS_BOOTS);

	if (is_first)
		stage = first_stage();
	cell_set(CMOS_BOOTS, boots + 1);
	report(is_first ? "first-start" : stages[stage - 1].name, 1);
	if (stage == ARRAY_SIZE(stages)) {
		cell_set(CMOS_STAGE, 0);
		return;
	}
	cell_set(CMOS_STAGE, (uint8_t)(STAGE_BASE + stage + 1));
	cell_set(CMOS_BOOTS, 0);
	loaded = 0;
	zeroed = 1;
	smp_count(VECTOR);
	now = &stages[stage];
	smp_run(reset_now);
}
