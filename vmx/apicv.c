/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC run by the processor: it reads registers from core's page,
 * delivers what IRR holds, and does EOI and self-IPIs without an exit.  On
 * while the APIC is in xAPIC mode and software-enabled; else it is core's
 * alone, as on a processor without.
 *
 * IRR and ISR are nowhere but in that page, so that an entry only has to say
 * which members of them are the highest, and an exit says it in return.
 *
 * Not used: virtualized x2APIC mode, posted interrupts.
 *
 * References: SDM volume 3, "APIC Virtualization and Virtual Interrupts",
 * "Guest Interrupt Status", "EOI-Exit Bitmap".
 */
#include "vmx/vmx.h"

/* Vectors whose EOI exits, for the IOAPIC must hear of it. */
static void eoi_exits_write(const uint32_t *page)
{
	const uint32_t *tmr = page + APIC_TMR / sizeof(*page);

	for (unsigned i = 0; i < 4; i++)
		vmcs_write(VMCS_EOI_EXIT_BITMAP(i),
			   tmr[8 * i] | (uint64_t)tmr[8 * i + 4] << 32);
}

void vmx_apicv_update(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t proc2;

	/* First: what changes from here on is for the next entry. */
	__atomic_store_n(&vcpu->apic->has_changed, false, __ATOMIC_SEQ_CST);
	vmx->is_apic_virtual = vcpu->apic->is_virtual;
	proc2 = vmcs_read(VMCS_PROC_CONTROLS2) & ~PROC2_APICV;
	if (vmx->is_apic_virtual)
		proc2 |= PROC2_APICV;
	vmcs_write(VMCS_PROC_CONTROLS2, proc2);
	eoi_exits_write(vcpu->apic->page);
	/* No status: it is written, whatever the VMCS holds. */
	vmx->interrupt_status = UINT32_MAX;
}
