/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between ahci.c (registers, resets) and ahci_command.c (command slots, FISes).
 */
#ifndef BULKHEAD_DEVICES_AHCI_INTERNAL_H
#define BULKHEAD_DEVICES_AHCI_INTERNAL_H

#include "devices/ahci.h"
#include "devices/ide_internal.h"

/* clang-format off */
#define AHCI_IS_DHRS	BIT(0)	/* D2H register FIS with the I bit */
#define AHCI_IS_PSS	BIT(1)	/* PIO setup FIS with it */
#define AHCI_IS_SDBS	BIT(3)	/* set device bits FIS with it */
#define AHCI_IS_PCS	BIT(6)	/* reflects SERR.DIAG.X */
#define AHCI_IS_PRCS	BIT(22)	/* reflects SERR.DIAG.N */
#define AHCI_IS_OFS	BIT(24)	/* more data than the table has room for */
#define AHCI_IS_IFS	BIT(27)	/* interface fatal error */
#define AHCI_IS_TFES	BIT(30)	/* status has ERR */

#define AHCI_CMD_ST	BIT(0)
#define AHCI_CMD_SUD	BIT(1)
#define AHCI_CMD_POD	BIT(2)
#define AHCI_CMD_CLO	BIT(3)
#define AHCI_CMD_FRE	BIT(4)
#define AHCI_CMD_CCS	MASK(12, 8)
#define AHCI_CMD_FR	BIT(14)
#define AHCI_CMD_CR	BIT(15)
#define AHCI_CMD_ATAPI	BIT(24)
#define AHCI_CMD_DLAE	BIT(25)

#define AHCI_SERR_N	BIT(16)	/* PhyRdy change */
#define AHCI_SERR_X	BIT(26)	/* exchanged */

#define AHCI_DET	MASK(3, 0)
#define AHCI_TFD_NONE	0x7f
#define AHCI_TFD_BUSY	(IDE_STATUS_BSY | IDE_STATUS_DRQ)
/* clang-format on */

static inline struct ide_drive *ahci_drive(struct ahci_port *port)
{
	return &port->channel.drive[0];
}

/* ahci.c */
/* INTx follows what the ports ask for. */
void ahci_irq_update(struct ahci *ahci);
uint32_t ahci_port_is(const struct ahci_port_state *state);
/* What INTx is in a state. */
bool ahci_irq_level(const struct ahci_state *state);

/* ahci_command.c */
extern const struct ide_transport ahci_transport;
/* Goes on with the command in hand, then with those that wait. */
void ahci_port_run(struct ahci_port *port);
/* The command in hand is no more. */
void ahci_port_abort(struct ahci_port *port);

/* ahci_state.c */
bool ahci_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);
extern const struct state_description ahci_description;

#endif
