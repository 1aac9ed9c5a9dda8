/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suspended to RAM and woken by the clock's alarm, ten times, by the way that
 * ACPI's tables say: all vCPUs are reset, the first goes on at the waking
 * vector in real mode, the others wait for their SIPIs whatever they were at,
 * memory holds what it held, and the event block says what has happened.
 */
#include "lib/string.h"
#include "tests/guest/lib/smp.h"

#define ROUNDS	      10
#define WAKE_PAGE     7
#define WAKE_GPA      (WAKE_PAGE * PAGE_SIZE)
#define PM1_POWER     BIT(8)
#define PM1_RTC	      BIT(10)
#define PM1_WAKE      BIT(15)
#define CONTROL_SCI   BIT(0)
#define CONTROL_TYPE  MASK(12, 10)
#define CONTROL_SLEEP BIT(13)
#define RTC_ANY	      0xc0
#define RTC_AIE	      BIT(5)
#define RTC_AF	      BIT(5)
#define KEPT_BASE     0x1800000
#define KEPT_WORDS    0x1000
#define KEPT_STRIDE   0x100 /* words */
#define TICKS_A_WHILE 200000

/* Of smpsuspend_code.asm. */
extern char wake_code[], wake_code_end[];
extern volatile uint32_t wake_cr0, wake_cs;
uint64_t suspend_enter(uint16_t port, uint16_t first, uint16_t second);

/* Offsets in the FADT. */
enum fadt {
	FADT_FACS = 36,
	FADT_DSDT = 40,
	FADT_SMI = 48,
	FADT_ENABLE = 52,
	FADT_EVENT = 56,
	FADT_CONTROL = 64,
	FADT_TIMER = 76,
};
#define FACS_WAKING 12

static struct {
	volatile uint32_t *waking;
	uint16_t event, control, timer, smi;
	uint8_t enable;
} acpi;

static volatile uint32_t at_work, alive;
static const char *wrong;

/* ---- ACPI ---------------------------------------------------------------- */

static uint8_t *at(uint32_t gpa)
{
	return (uint8_t *)(uint64_t)gpa;
}

static uint32_t word(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static const uint8_t *find_fadt(void)
{
	const uint8_t *rsdt;

	for (uint32_t gpa = 0xe0000; gpa < 0x100000; gpa += 16) {
		if (memcmp(at(gpa), "RSD PTR ", 8))
			continue;
		rsdt = at(word(at(gpa) + 16));
		for (uint32_t i = 36; i + 4 <= word(rsdt + 4); i += 4)
			if (!memcmp(at(word(rsdt + i)), "FACP", 4))
				return at(word(rsdt + i));
	}
	return NULL;
}

/* Name (_S3, Package (...) { 1, ...: the sleep type is one. */
static bool has_s3(const uint8_t *dsdt)
{
	static const uint8_t name[] = { 0x08, '_', 'S', '3', '_', 0x12 };

	for (uint32_t i = 0; i + 9 <= word(dsdt + 4); i++)
		if (!memcmp(dsdt + i, name, sizeof(name)))
			return dsdt[i + 8] == 1;
	return false;
}

static bool acpi_find(void)
{
	const uint8_t *fadt = find_fadt();

	if (!fadt || !has_s3(at(word(fadt + FADT_DSDT))))
		return false;
	acpi.waking =
		(volatile uint32_t *)(at(word(fadt + FADT_FACS)) + FACS_WAKING);
	acpi.event = (uint16_t)word(fadt + FADT_EVENT);
	acpi.control = (uint16_t)word(fadt + FADT_CONTROL);
	acpi.timer = (uint16_t)word(fadt + FADT_TIMER);
	acpi.smi = (uint16_t)word(fadt + FADT_SMI);
	acpi.enable = fadt[FADT_ENABLE];
	return acpi.event && acpi.control && acpi.smi;
}

/* ---- The alarm ----------------------------------------------------------- */

static uint8_t cmos(uint8_t cell)
{
	out8(0x70, cell);
	return in8(0x71);
}

static void cmos_set(uint8_t cell, uint8_t value)
{
	out8(0x70, cell);
	out8(0x71, value);
}

/* With the next second. */
static void alarm_set(void)
{
	cmos_set(1, RTC_ANY);
	cmos_set(3, RTC_ANY);
	cmos_set(5, RTC_ANY);
	(void)cmos(12);
	cmos_set(11, cmos(11) | RTC_AIE);
	out16(acpi.event, 0xffff);
	out16(acpi.event + 2, PM1_RTC);
}

/* ---- A round ------------------------------------------------------------- */

static uint32_t pattern(uint32_t i, uint32_t round)
{
	return (i + round) * 0x9e3779b1u;
}

static bool kept(uint32_t round, bool write)
{
	volatile uint32_t *words = (volatile uint32_t *)at(KEPT_BASE);

	for (uint32_t i = 0; i < KEPT_WORDS; i++) {
		if (write)
			words[i * KEPT_STRIDE] = pattern(i, round);
		else if (words[i * KEPT_STRIDE] != pattern(i, round))
			return false;
	}
	return true;
}

static uint32_t round_number;

/* Odd rounds: they are at work.  ACPI wants them halted. */
static void be_elsewhere(void)
{
	if (!(round_number & 1))
		for (;;)
			__asm__ volatile("cli; hlt");
	for (;;)
		__atomic_add_fetch(&alive, 1, __ATOMIC_RELAXED);
}

static const char *look(void)
{
	uint32_t before;

	if (wake_cs != WAKE_GPA >> 4 || wake_cr0 & 1)
		return "not at the waking vector in real mode";
	if (cpuid(1, 0).ebx >> 24)
		return "it is not vCPU 0";
	if ((in16(acpi.event) & (PM1_WAKE | PM1_RTC | PM1_POWER)) !=
	    (PM1_WAKE | PM1_RTC))
		return "the status is not that of an alarm";
	if (in16(acpi.event + 2) != PM1_RTC)
		return "the enables are not as before";
	if ((in16(acpi.control) & (CONTROL_SCI | CONTROL_TYPE)) != CONTROL_SCI)
		return "it has left ACPI mode";
	if (!(cmos(12) & RTC_AF))
		return "the clock knows of no alarm";
	if (!kept(round_number, false))
		return "memory has changed";
	before = alive;
	smp_spin(TICKS_A_WHILE);
	return alive == before ? NULL : "another vCPU goes on as before";
}

static void suspend(unsigned id)
{
	__atomic_add_fetch(&at_work, 1, __ATOMIC_SEQ_CST);
	if (id) {
		smp_send(0, ICR_FIXED | SMP_WAKE_VECTOR);
		be_elsewhere();
	}
	smp_wait_count(&at_work, smp_cpu_count());
	kept(round_number, true);
	alarm_set();
	if (!suspend_enter(acpi.control, 1 << 10 | CONTROL_SCI,
			   1 << 10 | CONTROL_SLEEP | CONTROL_SCI)) {
		fail("suspend", "round %u: still running", round_number);
		guest_end();
	}
	/* The 8259 pair is as firmware leaves it. */
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	trap_load();
	wrong = look();
	smp_start();
}

static void report(void)
{
	char name[] = "suspend-0";

	name[8] = (char)('0' + round_number);
	for (unsigned i = 1; i < smp_cpu_count() && !wrong; i++)
		if (smp_cpus[i].starts != round_number + 2)
			wrong = "not all others have started again";
	if (wrong)
		fail(name, "%s", wrong);
	else
		pass(name);
}

void guest_main(void)
{
	if (!acpi_find()) {
		fail("tables", "there is no S3 in ACPI's tables");
		return;
	}
	if (!(in16(acpi.control) & CONTROL_SCI))
		out8(acpi.smi, acpi.enable);
	check("acpi-mode", in16(acpi.control) & CONTROL_SCI);
	memcpy(at(WAKE_GPA), wake_code, (size_t)(wake_code_end - wake_code));
	*acpi.waking = WAKE_GPA;
	smp_start();
	for (round_number = 0; round_number < ROUNDS; round_number++) {
		at_work = 0;
		smp_run(suspend);
		report();
	}
}
