/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parallel port: where the BIOS says it is, printing by the BIOS, by its
 * interrupt and by looking at its status.  Who takes what is printed, if
 * anybody does, is another's test: without one the printer is busy in the end.
 */
#include "tests/guest/lib/modes.h"

#define LPT1		0x378
#define DATA		LPT1
#define STATUS		(LPT1 + 1)
#define CONTROL		(LPT1 + 2)
#define LPT1_IRQ	7
#define BDA_LPT		0x408UL
#define BDA_EQUIPMENT	0x410UL
#define EQUIPMENT_LPT	MASK(15, 14)
#define STATUS_NOT_BUSY BIT(7)
#define CONTROL_IDLE	0x0c
#define CONTROL_STROBE	BIT(0)
#define CONTROL_IRQ	BIT(4)

/* INT 17h's AH, but for the bits that say nothing. */
#define BIOS_STATUS 0xf9
#define BIOS_READY  0x90 /* not busy, selected; no error, no timeout */
#define BIOS_TAKEN  (BIOS_READY | BIT(6)) /* and acknowledged */

/* What the ring to the host holds, and the byte in the printer's latch. */
#define BUFFER	 (1024 + 1)
#define LINES	 100
#define POLLS	 20000
#define BIOS_MAX 32

/* Of parallel_code.asm; results follow the code's first jump. */
extern char bios_code[], bios_code_end[];

struct bios_results {
	uint8_t jump[4];
	uint8_t initialized, idle; /* AH of INT 17h, functions 1 and 2 */
	uint8_t printed[BIOS_MAX]; /* of function 0, for each character */
	char text[BIOS_MAX];
} __packed;

static unsigned sent;
static volatile unsigned taken;

/* Not by a pointer: a compiler takes one into page 0 for a mistake. */
static uint16_t low16(uint64_t at)
{
	uint16_t value;

	__asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static void on_lpt1(struct trap_frame *frame)
{
	(void)frame;
	taken++;
	(void)in8(STATUS);
	out8(0x20, 0x20);
}

static void strobe(char byte, uint8_t control)
{
	out8(DATA, (uint8_t)byte);
	out8(CONTROL, control | CONTROL_STROBE);
	out8(CONTROL, control);
	sent++;
}

/* False: it stays busy. */
static bool print_char(char byte)
{
	for (unsigned i = 0; i < POLLS; i++)
		if (in8(STATUS) & STATUS_NOT_BUSY) {
			strobe(byte, CONTROL_IDLE);
			return true;
		}
	return false;
}

static bool print_text(const char *text)
{
	for (; *text; text++)
		if (!print_char(*text))
			return false;
	return true;
}

static void test_registers(void)
{
	out8(DATA, 0xaa);
	check_equal("data", in8(DATA), 0xaa);
	out8(CONTROL, CONTROL_IDLE | BIT(5));
	check_equal("data-input", in8(DATA), 0xff);
	out8(CONTROL, CONTROL_IDLE);
	check_equal("data-output", in8(DATA), 0xaa);
	check_equal("control", in8(CONTROL), 0xc0 | CONTROL_IDLE);
	check_equal("status", in8(STATUS), 0xdc);
}

static void test_bios(void)
{
	const volatile struct bios_results *r =
		(const volatile struct bios_results *)MODE16_CODE;
	bool is_good = true;
	unsigned n = 0;

	if (*(volatile uint8_t *)0xffff0 != 0xea) {
		skip("bios", "none has been run");
		return;
	}
	modes_init();
	mode16_run(bios_code, (uint32_t)(bios_code_end - bios_code), 0);
	check_equal("bios-initialized", r->initialized & BIOS_STATUS,
		    BIOS_READY);
	check_equal("bios-idle", r->idle & BIOS_STATUS, BIOS_READY);
	for (; n < BIOS_MAX && r->text[n]; n++)
		is_good &= (r->printed[n] & BIOS_STATUS) == BIOS_TAKEN;
	sent += n;
	check("bios-printed", n && is_good);
}

static void test_interrupt(void)
{
	static const char text[] = "by interrupt\r\n";

	trap_hook(PIC_VECTOR + LPT1_IRQ, on_lpt1);
	pic_enable(BIT(LPT1_IRQ));
	out8(CONTROL, CONTROL_IDLE | CONTROL_IRQ);
	sti();
	for (unsigned i = 0; text[i]; i++) {
		strobe(text[i], CONTROL_IDLE | CONTROL_IRQ);
		for (unsigned k = 0; k < 1000 && taken <= i; k++)
			(void)in8(CONTROL);
	}
	cli();
	pic_enable(0);
	out8(CONTROL, CONTROL_IDLE);
	check_equal("interrupts", taken, sizeof(text) - 1);
}

/* All of it where somebody reads it, and as much as fits where nobody does. */
static void test_lines(void)
{
	char line[] = "line 00: the quick brown fox\r\n";
	bool is_taken = true;

	for (unsigned i = 0; is_taken && i < LINES; i++) {
		line[5] = (char)('0' + i / 10);
		line[6] = (char)('0' + i % 10);
		is_taken = print_text(line);
	}
	if (is_taken) {
		pass("lines");
		return;
	}
	check_equal("busy-after", sent, BUFFER);
	/* The printer is as new then, but what it has passed on stays. */
	out8(CONTROL, CONTROL_IDLE & ~BIT(2));
	out8(CONTROL, CONTROL_IDLE);
	check_equal("init", in8(STATUS), 0xdc);
}

void guest_early(void)
{
	check_equal("bios-lpt1", low16(BDA_LPT), LPT1);
	check_equal("bios-lpt2", low16(BDA_LPT + 2), 0);
	check_equal("bios-equipment",
		    FIELD_GET(EQUIPMENT_LPT, low16(BDA_EQUIPMENT)), 1);
}

void guest_main(void)
{
	test_registers();
	test_bios();
	test_interrupt();
	test_lines();
}
