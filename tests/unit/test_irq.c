/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/irq.c: an interrupt comes once for each time that its owner asks for
 * it, and never to one who has given it up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "kernel/irq.h"
#include "kernel/trap.h"

#define PINS	24
#define ISA	4
#define GSI	9
#define APIC_ID 3

static struct irqs irqs;
static struct ioapics ioapics;

static struct {
	bool is_unmasked;
	uint8_t vector;
	uint32_t apic_id;
	bool is_level, is_active_low;
} pin[PINS];

int ioapic_route(const struct ioapics *where, uint32_t gsi, bool is_level,
		 bool is_active_low, uint8_t vector, uint32_t apic_id)
{
	assert_ptr_equal(where, &ioapics);
	if (gsi >= PINS)
		return -ENODEV;
	pin[gsi].is_unmasked = true;
	pin[gsi].vector = vector;
	pin[gsi].apic_id = apic_id;
	pin[gsi].is_level = is_level;
	pin[gsi].is_active_low = is_active_low;
	return 0;
}

void ioapic_mask(const struct ioapics *where, uint32_t gsi)
{
	assert_ptr_equal(where, &ioapics);
	if (gsi < PINS)
		pin[gsi].is_unmasked = false;
}

static unsigned came, came_other;

/* It may come again at once. */
static bool is_again;

static bool on_irq(void *ctx, unsigned isa)
{
	assert_int_equal(isa, ISA);
	assert_false(pin[GSI].is_unmasked);
	++*(unsigned *)ctx;
	return is_again;
}

/* The device's line goes up. */
static bool raise(void)
{
	if (!pin[GSI].is_unmasked)
		return false;
	irq_arrived(&irqs, pin[GSI].vector - VECTOR_ISA, APIC_ID);
	return true;
}

static int setup(void **state)
{
	static struct acpi_isa_irq route[ACPI_ISA_IRQ_COUNT];

	(void)state;
	memset(pin, 0, sizeof(pin));
	came = came_other = 0;
	is_again = false;
	route[ISA] = (struct acpi_isa_irq){ GSI, true, true };
	route[ISA + 1] = (struct acpi_isa_irq){ PINS, false, false };
	irqs_init(&irqs, &ioapics, route);
	return 0;
}

static void comes_once_for_each_unmask(void **state)
{
	(void)state;
	assert_int_equal(irq_claim(&irqs, ISA, on_irq, &came), 0);
	assert_false(raise());
	for (unsigned i = 1; i < 5; i++) {
		assert_int_equal(irq_unmask(&irqs, ISA, APIC_ID), 0);
		assert_int_equal(pin[GSI].apic_id, APIC_ID);
		assert_true(pin[GSI].is_level && pin[GSI].is_active_low);
		assert_true(raise());
		assert_false(raise());
		assert_int_equal(came, i);
	}
}

static void one_owner_at_a_time(void **state)
{
	(void)state;
	assert_int_equal(irq_claim(&irqs, ISA, on_irq, &came), 0);
	assert_int_equal(irq_claim(&irqs, ISA, on_irq, &came_other), -EBUSY);
	assert_int_equal(irq_unmask(&irqs, ISA, APIC_ID), 0);
	irq_release(&irqs, ISA);
	assert_false(raise());
	/* On its way when it was released. */
	irq_arrived(&irqs, ISA, APIC_ID);
	assert_int_equal(came, 0);
	assert_int_equal(irq_claim(&irqs, ISA, on_irq, &came_other), 0);
	assert_false(raise());
	assert_int_equal(irq_unmask(&irqs, ISA, APIC_ID), 0);
	assert_true(raise());
	assert_int_equal(came, 0);
	assert_int_equal(came_other, 1);
}

/* A line that its owner has seen to stays open; the same owner may ask twice.
 */
static void comes_again_at_once(void **state)
{
	(void)state;
	is_again = true;
	assert_int_equal(irq_claim(&irqs, ISA, on_irq, &came), 0);
	assert_int_equal(irq_claim(&irqs, ISA, on_irq, &came), 0);
	assert_int_equal(irq_unmask(&irqs, ISA, APIC_ID), 0);
	assert_true(raise());
	assert_true(raise());
	is_again = false;
	assert_true(raise());
	assert_false(raise());
	assert_int_equal(came, 3);
}

static bool on_message(void *ctx, unsigned irq)
{
	assert_int_equal(irq, IRQ_COUNT - 1);
	++*(unsigned *)ctx;
	return false;
}

/* No pin is touched. */
static void messages(void **state)
{
	(void)state;
	assert_int_equal(irq_claim(&irqs, IRQ_COUNT - 1, on_message, &came), 0);
	irq_arrived(&irqs, IRQ_COUNT - 1, APIC_ID);
	irq_arrived(&irqs, IRQ_COUNT - 1, APIC_ID);
	irq_release(&irqs, IRQ_COUNT - 1);
	irq_arrived(&irqs, IRQ_COUNT - 1, APIC_ID);
	assert_int_equal(came, 2);
	for (unsigned i = 0; i < PINS; i++)
		assert_false(pin[i].is_unmasked);
}

static void what_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(irq_claim(&irqs, IRQ_COUNT, on_irq, &came), -EINVAL);
	assert_int_equal(irq_claim(&irqs, ISA + 1, on_irq, &came), 0);
	assert_int_equal(irq_unmask(&irqs, ISA + 1, APIC_ID), -ENODEV);
	irq_release(&irqs, ISA + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(comes_once_for_each_unmask, setup),
		cmocka_unit_test_setup(one_owner_at_a_time, setup),
		cmocka_unit_test_setup(what_is_not_there, setup),
		cmocka_unit_test_setup(comes_again_at_once, setup),
		cmocka_unit_test_setup(messages, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
