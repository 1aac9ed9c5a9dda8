/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that ends, or does not, as its argument says. */
#include "include/errno.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"
#include "tests/life/life.h"

void program_main(unsigned thread);

static void run_guest(void)
{
	static const struct cpuid_table table; /* it does not ask */

	if (!gate_config()->vm_memory)
		return;
	/* HLT, where the reset vector is. */
	*(volatile uint8_t *)(GATE_WINDOW_VA + 0xff0) = 0xf4;
	(void)gate_map(0xfffff000, PAGE_SIZE, 0, GATE_MAP_RAM);
	if (gate_cpuid_set(&table) == 0)
		gate_resume();
}

static bool is_refused(uint64_t address)
{
	return gate_call(GATE_HOST_INFO, address, 0, 0) == -EFAULT;
}

/* Calls write nowhere that ring 3 may not, and make no copy of a page. */
static uint64_t writes_refused(void)
{
	volatile uint8_t *page = (volatile uint8_t *)GATE_MODULE_VA;
	uint8_t first = *page;
	bool is_good = is_refused(GATE_MODULE_VA) &&
		       is_refused(GATE_MODULE_VA + PAGE_SIZE - 1) &&
		       is_refused(GATE_ARGUMENT_VA) &&
		       is_refused(GATE_CONFIG_VA) && is_refused(0) &&
		       is_refused(0xffff800000100000ULL) && *page == first;

	*page = first;
	/* Now it has a copy. */
	return is_good && !gate_call(GATE_HOST_INFO, GATE_MODULE_VA, 0, 0)
		       ? CHILD_GOOD
		       : CHILD_BAD;
}

#define IRQS	  100
#define IRQ_EVENT BIT(GATE_EVENT_IRQ_BIT(0))
#define UART_IER  (CHILD_PORT + 1)
#define IER_EMPTY 2
#define UART_IIR  (CHILD_PORT + 2)
#define PAUSE_NS  (5 * NSEC_PER_MS)

/* The UART has room: an edge. */
static void irq_raise(void)
{
	gate_port_write(UART_IER, 1, 0);
	(void)gate_port_read(UART_IIR, 1);
	gate_port_write(UART_IER, 1, IER_EMPTY);
}

/* One comes for each time that it is acknowledged, and no other. */
static uint64_t irqs_come(void)
{
	bool is_good =
		gate_irq_ack(1) == -EPERM && gate_irq_ack(GATE_IRQS) == -EINVAL;
	uint64_t events = 0;

	for (unsigned i = 0; i < IRQS; i++) {
		is_good &= !gate_irq_ack(0);
		irq_raise();
		while (!(gate_wait() & IRQ_EVENT))
			;
	}
	gate_timer(gate_now_ns() + PAUSE_NS);
	irq_raise();
	while (!(events & BIT(GATE_EVENT_TIMER_BIT)))
		events |= gate_wait();
	is_good &= events == BIT(GATE_EVENT_TIMER_BIT);
	gate_port_write(UART_IER, 1, 0);
	(void)gate_irq_ack(0);
	return is_good ? CHILD_GOOD : CHILD_BAD;
}

/* No line is lost by a read to where it cannot go. */
static uint64_t log_is_read(void)
{
	char text[2048];
	const char *const said = "what the child reads";
	bool is_found = false;
	long n;

	(void)gate_log_read(text, 0);
	gate_log(GATE_LOG_INFO, "%s", said);
	if (gate_log_read((void *)GATE_CONFIG_VA, sizeof(text)) != -EFAULT)
		return CHILD_BAD;
	n = gate_log_read(text, sizeof(text));
	for (long i = 0; i + (long)strlen(said) <= n; i++)
		is_found |= !memcmp(text + i, said, strlen(said));
	return is_found && gate_log_read(text, sizeof(text)) == 0 ? CHILD_GOOD
								  : CHILD_BAD;
}

void program_main(unsigned thread)
{
	const struct child_argument *argument = gate_argument();
	volatile uint32_t *volatile nowhere = NULL;
	uint64_t end_ns;

	switch (argument->kind) {
	case CHILD_EXITS:
		gate_exit(argument->code + thread);
	case CHILD_CRASHES:
		*nowhere = thread; /* cppcheck-suppress nullPointer */
		break;
	case CHILD_SPINS:
		for (;;)
			;
	case CHILD_TIMER:
		gate_timer(gate_now_ns() + NSEC_PER_SEC * 1000);
		break;
	case CHILD_RINGS:
		for (;;)
			(void)gate_doorbell(CHILD_SLOT);
	case CHILD_STOPS:
		/* Until the console has sent what there was. */
		end_ns = gate_now_ns() + NSEC_PER_SEC / 2;
		while (gate_now_ns() < end_ns)
			;
		gate_call(GATE_DOMAIN_STOP, argument->id, 0, 0);
		for (;;)
			;
	case CHILD_WRITES:
		gate_exit(writes_refused());
	case CHILD_IRQ:
		gate_exit(irqs_come());
	case CHILD_LOG:
		gate_exit(log_is_read());
	case CHILD_GUEST:
		run_guest();
		break;
	default:
		break;
	}
	for (;;)
		(void)gate_wait();
}
