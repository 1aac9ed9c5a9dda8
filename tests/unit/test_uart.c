/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550A. */
#include "tests/unit/device_test.h"

#include "devices/uart.h"

#define PORT 0x3f8
#define DATA (PORT + 0)
#define IER  (PORT + 1)
#define IIR  (PORT + 2)
#define FCR  (PORT + 2)
#define LCR  (PORT + 3)
#define MCR  (PORT + 4)
#define LSR  (PORT + 5)
#define MSR  (PORT + 6)
#define SCR  (PORT + 7)

#define OUT2 0x08
#define LOOP 0x10

static struct {
	struct bench b;
	struct uart uart;
	char sent[64];
	size_t sent_length;
	unsigned writes;
	unsigned drained;
} bench;

static void write_out(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	assert_true(bench.sent_length + length <= sizeof(bench.sent));
	memcpy(bench.sent + bench.sent_length, data, length);
	bench.sent_length += length;
	bench.writes++;
}

static void drained(void *ctx)
{
	(void)ctx;
	bench.drained++;
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(uart_init(&bench.uart, &bench.b.ports, PORT,
				   &bench.b.clock, bench_irq(&bench.b, 4),
				   (struct char_backend){ write_out, NULL }),
			 0);
	bench.uart.drained = drained;
	return 0;
}

static uint8_t get(uint16_t port)
{
	return inb(&bench.b, port);
}

static void set(uint16_t port, uint8_t value)
{
	outb(&bench.b, port, value);
}

static bool irq(void)
{
	return bench.b.level & BIT(4);
}

static void receive(const char *text)
{
	while (*text)
		uart_receive(&bench.uart, (uint8_t)*text++);
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(get(IER), 0);
	assert_int_equal(get(IIR), 0x01);
	assert_int_equal(get(LSR), 0x60);
	assert_int_equal(get(MSR), 0xb0);
	set(SCR, 0x5a);
	assert_int_equal(get(SCR), 0x5a);
	set(IER, 0xff);
	assert_int_equal(get(IER), 0x0f);
	set(MCR, 0xff);
	assert_int_equal(get(MCR), 0x1f);
	/* DLAB changes who answers at 0 and 1. */
	set(LCR, 0x83);
	set(DATA, 0x01);
	set(IER, 0x02);
	assert_int_equal(get(DATA), 0x01);
	assert_int_equal(get(IER), 0x02);
	set(LCR, 0x03);
	assert_int_equal(get(IER), 0x0f);
	assert_int_equal(bench.sent_length, 0);
	/* FIFOs show in IIR. */
	set(IER, 0);
	set(FCR, 0x01);
	assert_int_equal(get(IIR), 0xc1);
	set(FCR, 0xc0); /* trigger alone: not programmable while off */
	assert_int_equal(get(IIR), 0x01);
	/* A word access is two byte accesses. */
	assert_int_equal(bus_in(&bench.b.ports, LCR, 2), 0x1f03);
}

static void send_string(const char *text)
{
	const struct io_access io = { DATA, 0, .size = 1, .is_write = true };
	char bytes[64];

	memcpy(bytes, text, strlen(text));
	bus_access_bulk(&bench.b.ports, &io, bytes, (uint32_t)strlen(text));
}

/* OUTSB: to the backend as a whole, else as byte by byte. */
static void test_transmit_string(void **state)
{
	(void)state;
	set(MCR, OUT2);
	set(IER, 0x02);
	assert_int_equal(get(IIR) & 0xf, 0x02);
	assert_false(irq());
	send_string("hello, world");
	assert_int_equal(bench.writes, 1);
	assert_int_equal(bench.sent_length, 12);
	assert_memory_equal(bench.sent, "hello, world", 12);
	assert_true(irq());
	assert_int_equal(get(IIR) & 0xf, 0x02);
	assert_false(irq());
	/* To itself. */
	set(FCR, 0x01);
	set(MCR, LOOP);
	send_string("abc");
	assert_int_equal(get(DATA), 'a');
	assert_int_equal(get(DATA), 'b');
	assert_int_equal(get(DATA), 'c');
	/* The divisor's low byte: the last one stays. */
	set(LCR, 0x83);
	send_string("abc");
	assert_int_equal(get(DATA), 'c');
	assert_int_equal(bench.sent_length, 12);
}

static void test_transmit(void **state)
{
	(void)state;
	set(MCR, OUT2);
	set(DATA, 'a');
	assert_memory_equal(bench.sent, "a", 1);
	assert_int_equal(get(LSR), 0x60);
	assert_false(irq());
	/* Enabling the interrupt with an empty transmitter raises it. */
	set(IER, 0x02);
	assert_true(irq());
	assert_int_equal(get(IIR), 0x02);
	assert_false(irq()); /* reading IIR ends it */
	assert_int_equal(get(IIR), 0x01);
	set(DATA, 'b');
	assert_true(irq());
	/* Each byte is an edge. */
	assert_int_equal(bench.b.rises[4], 2);
	set(DATA, 'c');
	assert_int_equal(bench.b.rises[4], 3);
	set(IER, 0x00);
	assert_false(irq());
	set(IER, 0x02);
	assert_true(irq());
	assert_int_equal(bench.sent_length, 3);
}

/* OUT2 gates nothing, as in QEMU: kernels that grew up there do not set it. */
/* One edge for bytes in a row with a FIFO; none of them waits. */
static void test_transmit_row(void **state)
{
	(void)state;
	set(LCR, 0x03);
	set(FCR, 0x01);
	set(IER, 0x02);
	assert_int_equal(get(IIR) & 0xf, 0x02);
	assert_int_equal(bench.b.rises[4], 1);
	/* Until the FIFO is full. */
	for (unsigned i = 1; i <= 15; i++) {
		set(DATA, 'a');
		assert_int_equal(bench.sent_length, i);
		assert_false(irq());
	}
	set(DATA, 'a');
	assert_true(irq());
	assert_int_equal(bench.b.rises[4], 2);
	/* Until another register is touched, which sees it empty. */
	assert_int_equal(get(IIR) & 0xf, 0x02);
	set(DATA, 'b');
	assert_false(irq());
	assert_int_equal(get(LSR), 0x60);
	assert_true(irq());
	assert_int_equal(get(IIR) & 0xf, 0x02);
	set(DATA, 'b');
	assert_int_equal(get(IIR) & 0xf, 0x02);
	/* Until a character's time is over: 8N1 at 9600 baud. */
	set(DATA, 'c');
	set(DATA, 'c');
	bench_step(&bench.b, 900000);
	assert_false(irq());
	bench_step(&bench.b, 200000);
	assert_true(irq());
	assert_int_equal(bench.b.rises[4], 5);
	/* A string of some is as so many bytes. */
	assert_int_equal(get(IIR) & 0xf, 0x02);
	send_string("0123456");
	send_string("89abcde");
	assert_false(irq());
	send_string("fg");
	assert_true(irq());
	/* A reset has none that waits. */
	assert_int_equal(get(IIR) & 0xf, 0x02);
	set(DATA, 'd');
	uart_reset(&bench.uart);
	bench_step(&bench.b, 2000000);
	assert_false(irq());
	assert_int_equal(bench.sent_length, 16 + 1 + 1 + 2 + 16 + 1);
}

static void test_out2(void **state)
{
	(void)state;
	set(IER, 0x02);
	assert_true(irq());
	set(MCR, OUT2);
	assert_true(irq());
	set(MCR, OUT2 | LOOP);
	assert_true(irq());
	set(MCR, 0);
	assert_int_equal(bench.b.rises[4], 1);
	assert_int_equal(get(IIR), 0x02);
	assert_false(irq());
	set(IER, 0x05);
	receive("a");
	assert_true(irq());
	assert_int_equal(get(IIR), 0x04);
	(void)get(DATA);
	assert_false(irq());
	/* "In diagnostic mode interrupts are fully operational." */
	set(IER, 0x0f);
	(void)get(IIR);
	set(MCR, LOOP);
	(void)get(MSR);
	(void)get(IIR);
	assert_false(irq());
	set(MCR, LOOP | 0x02);
	assert_true(irq());
	assert_int_equal(get(IIR), 0x00);
	(void)get(MSR);
	set(DATA, 'b');
	assert_int_equal(get(IIR), 0x04);
	set(DATA, 'c');
	assert_int_equal(get(IIR), 0x06);
}

/* A FIFO is cleared by a control word that enables it, or turns it on or off.
 */
static void test_fifo_clear(void **state)
{
	(void)state;
	receive("a");
	set(FCR, 0x02);
	assert_int_equal(get(LSR), 0x61);
	set(FCR, 0x01);
	assert_int_equal(get(LSR), 0x60);
	receive("ab");
	set(FCR, 0x05); /* the transmitter's */
	assert_int_equal(get(LSR), 0x61);
	set(FCR, 0x03);
	assert_int_equal(get(LSR), 0x60);
	assert_int_equal(get(IIR), 0xc1);
}

static void test_receive_single(void **state)
{
	(void)state;
	set(MCR, OUT2);
	set(IER, 0x05);
	assert_int_equal(uart_room(&bench.uart), 1);
	receive("x");
	assert_true(irq());
	assert_int_equal(uart_room(&bench.uart), 0);
	assert_int_equal(get(IIR), 0x04);
	assert_int_equal(get(LSR), 0x61);
	/* An overrun: the new one stays. */
	receive("y");
	assert_int_equal(get(IIR), 0x06);
	assert_int_equal(get(LSR), 0x63);
	assert_int_equal(get(LSR), 0x61);
	assert_int_equal(get(DATA), 'y');
	assert_int_equal(bench.drained, 1);
	assert_false(irq());
	assert_int_equal(get(LSR), 0x60);
	assert_int_equal(get(DATA), 'y');
	assert_int_equal(bench.drained, 1);
}

static void test_fifo(void **state)
{
	static const struct {
		uint8_t fcr;
		unsigned level;
	} rows[] = { { 0x01, 1 }, { 0x41, 4 }, { 0x81, 8 }, { 0xc1, 14 } };
	unsigned i, n;

	(void)state;
	set(MCR, OUT2);
	set(IER, 0x01);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		set(FCR, rows[i].fcr | 0x02);
		for (n = 1; n < rows[i].level; n++) {
			receive("z");
			assert_false(irq());
			assert_int_equal(get(IIR), 0xc1);
		}
		receive("z");
		assert_true(irq());
		assert_int_equal(get(IIR), 0xc4);
		(void)get(DATA);
		assert_false(irq());
	}
	/* Sixteen fit; the seventeenth is lost, not the first. */
	set(FCR, 0x03);
	assert_int_equal(get(LSR), 0x60);
	receive("0123456789abcdef");
	assert_int_equal(uart_room(&bench.uart), 0);
	assert_int_equal(get(LSR), 0x61);
	receive("X");
	assert_int_equal(get(LSR), 0x63);
	for (i = 0; i < 16; i++)
		assert_int_equal(get(DATA), "0123456789abcdef"[i]);
	assert_int_equal(get(LSR), 0x60);
	/* Turning FIFOs off empties them. */
	receive("ab");
	set(FCR, 0x00);
	assert_int_equal(get(LSR), 0x60);
}

static void test_timeout(void **state)
{
	/* 10 bits at 115200 baud, four times. */
	const uint64_t timeout = 4 * 10 * (NSEC_PER_SEC / 115200);

	(void)state;
	set(LCR, 0x80);
	set(DATA, 1);
	set(IER, 0);
	set(LCR, 0x03);
	set(MCR, OUT2);
	set(FCR, 0x81);
	set(IER, 0x01);
	receive("ab");
	assert_false(irq());
	bench_step(&bench.b, timeout + 1000);
	assert_true(irq());
	assert_int_equal(get(IIR), 0xcc);
	assert_int_equal(get(DATA), 'a');
	assert_false(irq());
	bench_step(&bench.b, timeout + 1000);
	assert_true(irq());
	assert_int_equal(get(DATA), 'b');
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_false(irq());
	assert_int_equal(get(IIR), 0xc1);
	/* New data put it off. */
	receive("c");
	bench_step(&bench.b, timeout / 2);
	receive("d");
	bench_step(&bench.b, timeout * 3 / 4);
	assert_false(irq());
	bench_step(&bench.b, timeout / 2);
	assert_true(irq());
	set(FCR, 0x83);
	assert_false(irq());
}

static void test_break(void **state)
{
	(void)state;
	set(FCR, 0x01);
	set(MCR, OUT2);
	set(IER, 0x04);
	receive("a");
	uart_receive_break(&bench.uart);
	/* Seen when its turn comes. */
	assert_int_equal(get(LSR), 0xe1);
	assert_false(irq());
	assert_int_equal(get(DATA), 'a');
	assert_true(irq());
	assert_int_equal(get(IIR), 0xc6);
	assert_int_equal(get(LSR), 0x71);
	assert_false(irq());
	assert_int_equal(get(DATA), 0);
	assert_int_equal(get(LSR), 0x60);
}

static void test_loopback(void **state)
{
	(void)state;
	set(FCR, 0x01);
	set(MCR, LOOP);
	(void)get(MSR);
	set(DATA, 'q');
	assert_int_equal(bench.sent_length, 0);
	assert_int_equal(get(LSR), 0x61);
	assert_int_equal(get(DATA), 'q');
	/* The line is cut off. */
	receive("r");
	uart_receive_break(&bench.uart);
	assert_int_equal(get(LSR), 0x60);
	/* Modem outputs come back as inputs. */
	set(MCR, LOOP | 0x01);
	assert_int_equal(get(MSR), 0x22);
	set(MCR, LOOP | 0x02);
	assert_int_equal(get(MSR), 0x13);
	set(MCR, LOOP | 0x04);
	assert_int_equal(get(MSR), 0x41);
	set(MCR, LOOP | 0x08);
	assert_int_equal(get(MSR), 0x8c);
	set(MCR, LOOP | 0x0f);
	assert_int_equal(get(MSR) & 0xf0, 0xf0);
	/* A break goes round, too. */
	set(LCR, 0x43);
	assert_int_equal(get(LSR), 0x71);
	assert_int_equal(get(DATA), 0);
	set(LCR, 0x03);
	assert_int_equal(get(LSR), 0x60);
}

static void test_modem_interrupt(void **state)
{
	(void)state;
	set(MCR, OUT2);
	(void)get(MSR);
	set(IER, 0x08);
	assert_false(irq());
	set(MCR, LOOP);
	set(MCR, OUT2); /* back: all inputs rise again */
	assert_true(irq());
	assert_int_equal(get(IIR), 0x00);
	assert_int_equal(get(MSR), 0xbb);
	assert_false(irq());
}

static void test_priority(void **state)
{
	(void)state;
	set(FCR, 0x01);
	set(MCR, OUT2 | LOOP);
	set(MCR, OUT2);
	set(IER, 0x0f);
	receive("a");
	uart_receive_break(&bench.uart);
	(void)get(DATA);
	assert_int_equal(get(IIR), 0xc6);
	(void)get(LSR);
	assert_int_equal(get(IIR), 0xc4);
	(void)get(DATA);
	assert_int_equal(get(IIR), 0xc2);
	assert_int_equal(get(IIR), 0xc0);
	(void)get(MSR);
	assert_int_equal(get(IIR), 0xc1);
}

static void test_reset(void **state)
{
	(void)state;
	set(FCR, 0xc1);
	set(MCR, OUT2);
	set(IER, 0x0f);
	receive("abc");
	assert_true(irq());
	uart_reset(&bench.uart);
	assert_false(irq());
	assert_int_equal(get(IIR), 0x01);
	assert_int_equal(get(LSR), 0x60);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_false(irq());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_registers),
		TEST(test_transmit),
		TEST(test_transmit_row),
		TEST(test_transmit_string),
		TEST(test_out2),
		TEST(test_receive_single),
		TEST(test_fifo),
		TEST(test_timeout),
		TEST(test_break),
		TEST(test_loopback),
		TEST(test_modem_interrupt),
		TEST(test_priority),
		TEST(test_reset),
		TEST(test_fifo_clear),
	};

	return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
