/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82574L's interrupts.
 *
 * A cause is a bit of ICR, and interrupts while IMS has it, too.  How depends
 *on what the driver has enabled in configuration space:
 *
 *   INTx	as the 82540EM's, by e1000_interrupt.c;
 *   MSI	a message when a cause becomes one that interrupts, ITR's
 *interval after the last one at the earliest; MSI-X	five causes count: RXQ0,
 *RXQ1, TXQ0, TXQ1, and OTHER, which each of E1000E_OTHERS sets.  Each has a
 *vector by IVAR, and each vector an interval, EITR.  When the message goes,
 *EIAC clears the cause in ICR, and with CTRL_EXT.EIAME IAM clears it in IMS.
 *
 * A message tells of a cause once: `told` has those which need no other until
 * the cause is gone from ICR or from IMS, or is set again by ICS.
 *
 * References: the datasheet's chapters 7.4 and 10.2.4; PCI Local Bus
 * Specification 3.0, chapter 6.8.
 */
#include "devices/e1000e_internal.h"

/* ---- Messages ----------------------------------------------------------- */

static uint32_t interrupting(const struct e1000e *nic)
{
	const struct e1000_registers *reg = &nic->state.common.chip.reg;

	return reg->icr & reg->ims;
}

/* INTx's line falls; nothing happens if it is not up. */
static void line_fall(struct e1000e *nic)
{
	if (!nic->state.common.chip.is_asserted)
		return;
	nic->state.common.chip.is_asserted = false;
	pci_intx_set(&nic->core.pci, false);
}

static void msi_update(struct e1000e *nic)
{
	struct e1000e_chip *chip = &nic->state.chip;
	struct e1000_state *common = &nic->state.common;
	struct clock *clock = nic->core.config.clock;
	uint32_t causes = interrupting(nic), itr = common->chip.reg.itr;
	uint64_t now_ns, next_ns;

	chip->told &= causes;
	if (!(causes & ~chip->told)) {
		clock_timer_disarm(clock, &nic->core.throttle);
		return;
	}
	now_ns = clock_now(clock);
	next_ns = common->asserted_ns + itr * (uint64_t)E1000_ITR_UNIT_NS;
	if (itr && now_ns < next_ns) {
		clock_timer_arm(clock, &nic->core.throttle, next_ns);
		return;
	}
	clock_timer_disarm(clock, &nic->core.throttle);
	e1000_delayed_join(&nic->core);
	chip->told = interrupting(nic);
	common->asserted_ns = now_ns;
	pci_message_send(&nic->core.pci, 0);
}

/* The vector of a cause that MSI-X knows, by its number among them; -1: none.
 */
static int vector_of(const struct e1000e *nic, unsigned index)
{
	uint32_t entry =
		nic->state.chip.reg.ivar >> index * E1000E_IVAR_BITS & 15;
	unsigned vector = (unsigned)FIELD_GET(E1000E_IVAR_VECTOR, entry);

	return entry & E1000E_IVAR_VALID && vector < E1000E_VECTORS
		       ? (int)vector
		       : -1;
}

static void vector_send(struct e1000e *nic, uint32_t causes, unsigned vector)
{
	struct e1000_registers *reg = &nic->state.common.chip.reg;
	struct e1000e_chip *chip = &nic->state.chip;

	reg->icr &= ~(causes & chip->reg.eiac);
	if (reg->ctrl_ext & E1000E_CTRL_EXT_EIAME)
		reg->ims &= ~(causes & chip->reg.iam);
	/* What is cleared already may come again. */
	chip->told |= causes & interrupting(nic);
	pci_message_send(&nic->core.pci, vector);
}

/*
 * Sends the vectors whose interval is over.  A vector that stays behind has the
 * timer; when several do, the first.
 */
static void msix_update(struct e1000e *nic)
{
	struct e1000e_chip *chip = &nic->state.chip;
	struct clock *clock = nic->core.config.clock;
	uint64_t deadline_ns = CLOCK_NEVER, now_ns;
	uint32_t causes = interrupting(nic) & E1000E_MSIX_CAUSES;
	uint32_t ready[E1000E_VECTORS] = { 0 };

	chip->told &= causes;
	causes &= ~chip->told;
	if (!causes) {
		clock_timer_disarm(clock, &nic->vectors);
		return;
	}
	for (unsigned i = 0; i < E1000E_VECTORS; i++) {
		uint32_t cause = 1U << (E1000E_MSIX_SHIFT + i);
		int vector = vector_of(nic, i);

		if (causes & cause && vector >= 0)
			ready[vector] |= cause;
	}
	now_ns = clock_now(clock);
	for (unsigned i = 0; i < E1000E_VECTORS; i++) {
		uint64_t next_ns = chip->sent_ns[i] +
				   chip->eitr[i] * (uint64_t)E1000_ITR_UNIT_NS;

		if (!ready[i])
			continue;
		if (chip->eitr[i] && now_ns < next_ns) {
			deadline_ns = MIN(deadline_ns, next_ns);
			continue;
		}
		chip->sent_ns[i] = now_ns;
		vector_send(nic, ready[i], i);
	}
	clock_timer_arm(clock, &nic->vectors, deadline_ns);
}

bool e1000e_interrupt_update(struct e1000_core *core)
{
	struct e1000e *nic = e1000e_of(core);

	if (!pci_msi_is_enabled(&core->pci)) {
		nic->state.chip.told = 0;
		clock_timer_disarm(core->config.clock, &nic->vectors);
		return false;
	}
	line_fall(nic);
	if (pci_msix_is_enabled(&core->pci)) {
		clock_timer_disarm(core->config.clock, &core->throttle);
		msix_update(nic);
	} else {
		clock_timer_disarm(core->config.clock, &nic->vectors);
		msi_update(nic);
	}
	return true;
}

void e1000e_vectors_expired(void *dev)
{
	e1000_interrupt_update(dev);
}

/* ---- Registers ---------------------------------------------------------- */

/* With IAME an access to ICR while there is an interrupt masks what IAM says.
 */
static void auto_mask(struct e1000e *nic)
{
	struct e1000_registers *reg = &nic->state.common.chip.reg;

	if (reg->ctrl_ext & E1000E_CTRL_EXT_IAME && interrupting(nic))
		reg->ims &= ~nic->state.chip.reg.iam;
}

/* Reading clears, but not what the driver does not know of yet: with MSI-X, a
 * cause that does not interrupt while others might. */
uint32_t e1000e_icr_read(struct e1000_core *core)
{
	struct e1000e *nic = e1000e_of(core);
	struct e1000_registers *reg = &nic->state.common.chip.reg;
	uint32_t value = reg->icr;

	if (interrupting(nic))
		value |= (uint32_t)E1000E_CAUSE_ASSERTED;
	if (!reg->ims || value & E1000E_CAUSE_ASSERTED ||
	    !pci_msix_is_enabled(&core->pci)) {
		auto_mask(nic);
		reg->icr = 0;
	}
	e1000_interrupt_update(core);
	return value;
}

void e1000e_interrupt_written(struct e1000_core *core, uint32_t offset,
			      uint32_t value)
{
	struct e1000e *nic = e1000e_of(core);
	struct e1000_registers *reg = &nic->state.common.chip.reg;

	switch (offset) {
	case E1000_ICR:
		auto_mask(nic);
		if (value & E1000E_CAUSE_OTHER)
			reg->icr &= ~E1000E_OTHERS;
		break;
	case E1000_ICS:
		if (value & E1000E_OTHERS) {
			value |= (uint32_t)E1000E_CAUSE_OTHER;
			reg->icr |= (uint32_t)E1000E_CAUSE_OTHER;
		}
		nic->state.chip.told &= ~value;
		break;
	}
}
