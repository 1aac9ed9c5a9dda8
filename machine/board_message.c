/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-signalled interrupts of PCI functions, on their way to the local
 * APICs.
 *
 * A message is a memory write whose address the driver chose: at FEEx_xxxxh it
 * is an interrupt, elsewhere it is what it says, a write to memory.  Local
 * APICs take messages in the form in which the I/O APIC sends them; what PCI
 * functions may say besides is put into that form here:
 *
 * - with the redirection hint a fixed interrupt goes to one of those that the
 *   destination names, as one of lowest priority does;
 * - a level-triggered message without Assert ends nothing: no message that PCI
 *   functions send is a level;
 * - SMI, INIT and NMI have no vector; the delivery modes 3 and 6 are reserved
 *   and nobody takes them (6 would be a start-up IPI).
 *
 * References: SDM volume 3, "Message Signalled Interrupts".
 */
#include "machine/board_parts.h"

/* clang-format off */
#define MSI_WINDOW	MASK(63, 20)
#define MSI_BASE	0xfee00000ULL
#define MSI_HINT	BIT(3)
#define MSI_MODE	MASK(10, 8)
#define   MODE_FIXED	0
#define   MODE_LOWEST	1
#define   MODE_NMI	4
#define   MODE_INIT	5
#define   MODE_EXTINT	7
#define MSI_ASSERT	BIT(14)
#define MSI_LEVEL	BIT(15)
/* clang-format on */

static bool is_deliverable(uint32_t data)
{
	if (data & MSI_LEVEL && !(data & MSI_ASSERT))
		return false;
	switch (FIELD_GET(MSI_MODE, data)) {
	case MODE_FIXED:
	case MODE_LOWEST:
	case MODE_NMI:
	case MODE_INIT:
	case MODE_EXTINT:
		return true;
	}
	return false;
}

void board_message(const struct board_host_ops *ops, void *ctx,
		   const struct guest_ram *ram, uint64_t address, uint32_t data)
{
	if ((address & MSI_WINDOW) != MSI_BASE) {
		guest_ram_write(ram, address, &data, sizeof(data));
		return;
	}
	if (!is_deliverable(data))
		return;
	if (address & MSI_HINT && FIELD_GET(MSI_MODE, data) == MODE_FIXED)
		data |= (uint32_t)FIELD_PUT(MSI_MODE, MODE_LOWEST);
	/* Like an edge of the I/O APIC, one that nobody accepts is lost. */
	(void)ops->send_msi(ctx, address, data);
}
