/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controllers' interrupt.
 *
 * A cause is set in ICR at once, or after a delay that further ones of its kind
 * prolong (RDTR, TIDV) up to a limit (RADV, TADV).  The line is up while ICR
 * and IMS have a bit in common, but rises ITR's interval after it last rose at
 * the earliest.  When it rises, delayed causes join.  What a model says by
 * messages is in its interrupt_update().
 *
 * References: the manual's chapters 3.2.7, 3.4.3 and 13.4.17 to 13.4.22.
 */
#include "devices/e1000_internal.h"

#define DELAY_UNIT_NS 1024
#define DELAY_VALUE   0xffffU
/* What TIDV and TADV are at least, in their unit: 0.2 ms.  What is sent is
 * mostly answered within it, and then one interrupt is enough for both. */
#define TX_PATIENCE   195U

static void disarm(struct e1000_core *nic, struct clock_timer *timer)
{
	clock_timer_disarm(nic->config.clock, timer);
}

void e1000_delayed_join(struct e1000_core *nic)
{
	struct e1000_chip *chip = &nic->state->chip;

	if (nic->rx_delay.is_armed)
		chip->reg.icr |= E1000_CAUSE_RXT0;
	if (nic->tx_delay.is_armed)
		chip->reg.icr |= E1000_CAUSE_TXDW;
	disarm(nic, &nic->rx_delay);
	disarm(nic, &nic->tx_delay);
}

static void line_rise(struct e1000_core *nic, uint64_t now_ns)
{
	e1000_delayed_join(nic);
	nic->state->chip.is_asserted = true;
	nic->state->asserted_ns = now_ns;
	pci_intx_set(&nic->pci, true);
}

void e1000_interrupt_update(struct e1000_core *nic)
{
	struct e1000_chip *chip = &nic->state->chip;
	uint64_t now_ns, next_ns;

	if (nic->model->interrupt_update && nic->model->interrupt_update(nic))
		return;
	if (!(chip->reg.icr & chip->reg.ims)) {
		disarm(nic, &nic->throttle);
		chip->is_asserted = false;
		pci_intx_set(&nic->pci, false);
		return;
	}
	if (chip->is_asserted)
		return;
	now_ns = clock_now(nic->config.clock);
	next_ns = nic->state->asserted_ns + chip->reg.itr * E1000_ITR_UNIT_NS;
	if (chip->reg.itr && now_ns < next_ns) {
		clock_timer_arm(nic->config.clock, &nic->throttle, next_ns);
		return;
	}
	disarm(nic, &nic->throttle);
	line_rise(nic, now_ns);
}

void e1000_raise(struct e1000_core *nic, uint32_t causes)
{
	if (causes & nic->model->others)
		causes |= nic->model->other;
	nic->state->chip.reg.icr |= causes;
	e1000_interrupt_update(nic);
}

/* *limit_ns is when the first cause that waits has to come. */
static void raise_later(struct e1000_core *nic, struct clock_timer *timer,
			uint32_t cause, uint32_t delay, uint32_t limit,
			uint64_t *limit_ns)
{
	uint64_t now_ns, deadline_ns;

	delay &= DELAY_VALUE;
	if (!delay) {
		e1000_raise(nic, cause);
		return;
	}
	now_ns = clock_now(nic->config.clock);
	if (!timer->is_armed)
		*limit_ns =
			limit ? now_ns + limit * DELAY_UNIT_NS : CLOCK_NEVER;
	deadline_ns = MIN(now_ns + delay * DELAY_UNIT_NS, *limit_ns);
	clock_timer_arm(nic->config.clock, timer, deadline_ns);
}

void e1000_rx_raise_later(struct e1000_core *nic)
{
	struct e1000_chip *chip = &nic->state->chip;

	raise_later(nic, &nic->rx_delay, E1000_CAUSE_RXT0, chip->reg.rdtr,
		    chip->reg.radv, &chip->rx_limit_ns);
}

void e1000_tx_raise_later(struct e1000_core *nic)
{
	struct e1000_chip *chip = &nic->state->chip;
	uint32_t limit = chip->reg.tadv;

	raise_later(nic, &nic->tx_delay, E1000_CAUSE_TXDW,
		    MAX(chip->reg.tidv, TX_PATIENCE),
		    limit ? MAX(limit, TX_PATIENCE) : 0, &chip->tx_limit_ns);
}

void e1000_delay_flush(struct e1000_core *nic, struct clock_timer *timer,
		       uint32_t value, uint32_t cause)
{
	if (!(value & E1000_DELAY_FLUSH) || !timer->is_armed)
		return;
	disarm(nic, timer);
	e1000_raise(nic, cause);
}
