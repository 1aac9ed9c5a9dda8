/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second serial port: where the BIOS says it is, by its own loopback, and
 * with its own interrupt.
 */
#include "tests/guest/lib/guest.h"

#define COM1_PORT	      0x3f8
#define COM2_PORT	      0x2f8
#define COM2_IRQ	      3
#define BDA_COM		      0x400UL
#define BDA_EQUIPMENT	      0x410UL
#define EQUIPMENT_COM	      MASK(11, 9)
#define UART_DATA	      0
#define UART_IER	      1
#define UART_MCR	      4
#define UART_LSR	      5
#define UART_SCRATCH	      7
#define IER_DATA	      BIT(0)
#define MCR_OUT2	      BIT(3)
#define MCR_LOOP	      BIT(4)
#define LSR_DATA	      BIT(0)
#define LSR_TRANSMITTER_EMPTY BIT(6)

static volatile unsigned taken;
static volatile uint8_t received;

static void on_com2(struct trap_frame *frame)
{
	(void)frame;
	received = in8(COM2_PORT + UART_DATA);
	taken++;
	out8(0x20, 0x20);
}

/* Not by a pointer: a compiler takes one into page 0 for a mistake. */
static uint16_t low16(uint64_t at)
{
	uint16_t value;

	__asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static void test_bios_data(void)
{
	check_equal("bios-com1", low16(BDA_COM), COM1_PORT);
	check_equal("bios-com2", low16(BDA_COM + 2), COM2_PORT);
	check_equal("bios-com3", low16(BDA_COM + 4), 0);
	check_equal("bios-equipment",
		    FIELD_GET(EQUIPMENT_COM, low16(BDA_EQUIPMENT)), 2);
}

static void test_loopback(void)
{
	out8(COM1_PORT + UART_SCRATCH, 0x11);
	out8(COM2_PORT + UART_SCRATCH, 0x22);
	check_equal("scratch-com1", in8(COM1_PORT + UART_SCRATCH), 0x11);
	check_equal("scratch-com2", in8(COM2_PORT + UART_SCRATCH), 0x22);
	trap_hook(PIC_VECTOR + COM2_IRQ, on_com2);
	pic_enable(BIT(COM2_IRQ));
	out8(COM2_PORT + UART_MCR, MCR_LOOP | MCR_OUT2);
	out8(COM2_PORT + UART_IER, IER_DATA);
	sti();
	out8(COM2_PORT + UART_DATA, 0xa5);
	for (unsigned i = 0; i < 1000 && !taken; i++)
		(void)in8(COM2_PORT + UART_SCRATCH);
	cli();
	pic_enable(0);
	check_equal("loopback-interrupt", taken, 1);
	check_equal("loopback-byte", received, 0xa5);
	check("loopback-empty", !(in8(COM2_PORT + UART_LSR) & LSR_DATA));
	out8(COM2_PORT + UART_IER, 0);
	out8(COM2_PORT + UART_MCR, MCR_OUT2);
}

/* The console shows it beside what COM1 says. */
static void test_output(void)
{
	static const char text[] = "PASS output-com2\n";

	for (unsigned i = 0; text[i]; i++)
		out8(COM2_PORT + UART_DATA, (uint8_t)text[i]);
	check("transmitter-empty",
	      in8(COM2_PORT + UART_LSR) & LSR_TRANSMITTER_EMPTY);
}

void guest_early(void)
{
	test_bios_data();
}

void guest_main(void)
{
	test_loopback();
	test_output();
}
