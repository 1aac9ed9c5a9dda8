/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test device, as suites for hypervisors use it: its register in all
 * widths and by strings, its interrupt lines at both controllers, and device
 * memory that instructions read and change.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define PORT_DATA   0xe0
#define PORT_FLUSH  0xe4
#define PORT_BYTES  0xe8
#define PORT_LINES  0x2000
#define MEMORY	    0xff000000UL
#define MEMORY_LAST (MEMORY + 0xffff)

#define IOAPIC_SELECT (*(volatile uint32_t *)0xfec00000UL)
#define IOAPIC_DATA   (*(volatile uint32_t *)0xfec00010UL)
#define IOAPIC_LEVEL  BIT(15)
#define IOAPIC_MASKED BIT(16)

#define LINE   5
#define PIN    20 /* the I/O APIC's alone */
#define VECTOR 0x60

static void test_register(void)
{
	static const uint8_t bytes[] = { 0x11, 0x22, 0x33, 0x44, 0x55 };
	const void *from = bytes;
	uint8_t got[4] = { 0 };
	void *to = got;
	uint64_t count = sizeof(bytes);

	out32(PORT_DATA, 0x12345678);
	check_equal("data-32", in32(PORT_DATA), 0x12345678);
	out16(PORT_DATA + 2, 0xabcd);
	check_equal("data-16", in16(PORT_DATA + 2), 0xabcd);
	out8(PORT_DATA + 1, 0xef);
	check_equal("data-8", in8(PORT_DATA + 1), 0xef);
	check_equal("data-all", in32(PORT_DATA), 0xabcdef78);
	check_equal("data-by-bytes", in32(PORT_BYTES), 0xabcdef78);
	out32(PORT_FLUSH, (uint32_t)MEMORY);
	check_equal("flush", in32(PORT_FLUSH), 0);
	/* The last of a string stays. */
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(count)
			 : "d"(PORT_DATA)
			 : "memory");
	check_equal("string-out", in8(PORT_DATA), 0x55);
	count = sizeof(got);
	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(count)
			 : "d"(PORT_DATA)
			 : "memory");
	check("string-in", !memcmp(got, "\x55\x55\x55\x55", sizeof(got)));
}

static void test_pic_line(void)
{
	uint32_t before = irq_count;

	pic_enable(BIT(LINE));
	irq_count_pic(LINE);
	sti();
	out8(PORT_LINES + LINE, 1);
	check("pic-raised", irq_wait(before + 1));
	/* An edge: no second one without a fall. */
	out8(PORT_LINES + LINE, 1);
	out8(PORT_LINES + LINE, 0);
	check_equal("pic-edge", irq_count, before + 1);
	out8(PORT_LINES + LINE, 1);
	check("pic-again", irq_wait(before + 2));
	out8(PORT_LINES + LINE, 0);
	cli();
	pic_enable(0);
}

static void ioapic_set(unsigned pin, uint32_t low)
{
	IOAPIC_SELECT = 0x11 + 2 * pin;
	IOAPIC_DATA = 0; /* this vCPU's APIC */
	IOAPIC_SELECT = 0x10 + 2 * pin;
	IOAPIC_DATA = low;
}

static unsigned taken;

/* Lets go when it has been told twice. */
static void on_level(struct trap_frame *frame)
{
	(void)frame;
	if (++taken == 2)
		out8(PORT_LINES + PIN, 0);
	lapic_write(LAPIC_EOI, 0);
}

/* A level that stays asks again after the EOI. */
static void test_ioapic_pin(void)
{
	lapic_enable();
	trap_hook(VECTOR, on_level);
	ioapic_set(PIN, VECTOR | IOAPIC_LEVEL);
	sti();
	out8(PORT_LINES + PIN, 1);
	for (unsigned i = 0; i < 1000 && taken < 2; i++)
		(void)in8(PORT_LINES);
	for (unsigned i = 0; i < 10; i++)
		(void)in8(PORT_LINES);
	cli();
	ioapic_set(PIN, IOAPIC_MASKED);
	check_equal("ioapic-level", taken, 2);
}

static void test_memory(void)
{
	volatile uint64_t *first = (volatile uint64_t *)MEMORY;
	volatile uint32_t *across = (volatile uint32_t *)(MEMORY + 0xffe);
	uint32_t expected = 7, got;

	*first = 0x1122334455667788;
	check_equal("memory-64", *first, 0x1122334455667788);
	check_equal("memory-8", *((volatile uint8_t *)first + 7), 0x11);
	__asm__ volatile("addq $8, %0" : "+m"(*first));
	check_equal("memory-add", *first, 0x1122334455667790);
	*across = 0xcafe1234; /* over a page's end */
	check_equal("memory-across", *across, 0xcafe1234);
	across = (volatile uint32_t *)(MEMORY + 64);
	*across = 7;
	__asm__ volatile("lock cmpxchgl %2, %0"
			 : "+m"(*across), "+a"(expected)
			 : "r"(9));
	got = *across;
	check_equal("memory-cmpxchg", got, 9);
	*(volatile uint8_t *)MEMORY_LAST = 0x5a;
	check_equal("memory-last", *(volatile uint8_t *)MEMORY_LAST, 0x5a);
}

void guest_main(void)
{
	test_register();
	test_pic_line();
	test_ioapic_pin();
	test_memory();
}
