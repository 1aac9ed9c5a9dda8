/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of an NE2000, of its DP8390, and what an RTL8029AS adds.
 *
 * References: DP8390D/NS32490D data sheet (TL/F/8582); RTL8029AS data sheet
 * (LS009.0); the Novell NE2000's ports as its drivers know them.
 */
#ifndef BULKHEAD_DEVICES_NE2000_REGISTERS_H
#define BULKHEAD_DEVICES_NE2000_REGISTERS_H

#include "include/compiler.h"

/* clang-format off */
#define NE2000_PORTS		0x20
#define NE2000_AT_DATA		0x10 /* to 17h */
#define NE2000_AT_RESET		0x18 /* to 1Fh */

/* What remote and local DMA reach. */
#define NE2000_PROM_SIZE	0x20
#define NE2000_PROM_SPACE	0x4000U	/* where it repeats */
#define NE2000_RAM		0x4000U
#define NE2000_RAM_SIZE		KIB(16)
#define NE2000_PAGE		256U

/* In all pages */
#define NE2000_CR		0x00
#define   NE2000_CR_STP		BIT(0)
#define   NE2000_CR_STA		BIT(1)
#define   NE2000_CR_TXP		BIT(2)
#define   NE2000_CR_RD		MASK(5, 3)
#define     NE2000_RD_READ	1
#define     NE2000_RD_WRITE	2
#define     NE2000_RD_SEND	3 /* a packet of the ring to the driver */
#define     NE2000_RD_ABORT	4 /* and 5 to 7 */
#define   NE2000_CR_PS		MASK(7, 6)

/* Page 0; most are another register to write than to read. */
#define NE2000_CLDA0		0x01 /* read */
#define NE2000_CLDA1		0x02
#define NE2000_PSTART		0x01 /* written */
#define NE2000_PSTOP		0x02
#define NE2000_BNRY		0x03
#define NE2000_TSR		0x04 /* read */
#define   NE2000_TSR_PTX	BIT(0)
#define   NE2000_TSR_NDT	BIT(1)
#define   NE2000_TSR_ABT	BIT(3)
#define   NE2000_TSR_CRS	BIT(4)
#define   NE2000_TSR_CDH	BIT(6)
#define NE2000_TPSR		0x04 /* written */
#define NE2000_NCR		0x05 /* read */
#define NE2000_TBCR0		0x05 /* written */
#define NE2000_FIFO		0x06 /* read */
#define NE2000_TBCR1		0x06 /* written */
#define NE2000_ISR		0x07
#define   NE2000_PRX		BIT(0)
#define   NE2000_PTX		BIT(1)
#define   NE2000_RXE		BIT(2)
#define   NE2000_TXE		BIT(3)
#define   NE2000_OVW		BIT(4)
#define   NE2000_CNT		BIT(5)
#define   NE2000_RDC		BIT(6)
#define   NE2000_RST		BIT(7)
#define   NE2000_CAUSES		MASK(6, 0)
#define NE2000_RSAR0		0x08 /* read: CRDA0 */
#define NE2000_RSAR1		0x09
#define NE2000_RBCR0		0x0a /* read: ID of an RTL8029AS */
#define NE2000_RBCR1		0x0b
#define NE2000_RSR		0x0c /* read */
#define   NE2000_RSR_PRX	BIT(0)
#define   NE2000_RSR_CRC	BIT(1)
#define   NE2000_RSR_MPA	BIT(4)
#define   NE2000_RSR_PHY	BIT(5)
#define   NE2000_RSR_DIS	BIT(6)
#define NE2000_RCR		0x0c /* written */
#define   NE2000_RCR_AB		BIT(2)
#define   NE2000_RCR_AM		BIT(3)
#define   NE2000_RCR_PRO	BIT(4)
#define   NE2000_RCR_MON	BIT(5)
#define NE2000_CNTR0		0x0d /* read */
#define NE2000_TCR		0x0d /* written */
#define   NE2000_TCR_CRC	BIT(0) /* the frame has its own */
#define   NE2000_TCR_LB		MASK(2, 1)
#define NE2000_CNTR1		0x0e /* read */
#define NE2000_DCR		0x0e /* written */
#define   NE2000_DCR_WTS	BIT(0)
#define   NE2000_DCR_LAS	BIT(2)
#define   NE2000_DCR_LS		BIT(3) /* 0: loopback */
#define   NE2000_DCR_ARM	BIT(4)
#define NE2000_CNTR2		0x0f /* read */
#define NE2000_IMR		0x0f /* written */

/* Page 1 */
#define NE2000_PAR0		0x01
#define NE2000_CURR		0x07
#define NE2000_MAR0		0x08

/* Page 3, of an RTL8029AS */
#define NE2000_CR9346		0x01
#define   NE2000_EEM		MASK(7, 6)
#define     NE2000_EEM_AUTOLOAD		1
#define     NE2000_EEM_PROGRAMMING	2
#define     NE2000_EEM_CONFIG		3
#define   NE2000_EECS		BIT(3)
#define   NE2000_EESK		BIT(2)
#define   NE2000_EEDI		BIT(1)
#define   NE2000_EEDO		BIT(0)
#define NE2000_CONFIG0		0x03
#define NE2000_CONFIG2		0x05
#define   NE2000_CONFIG2_WRITABLE	0xf3 /* PL, FCE, PF, BS */
#define NE2000_CONFIG3		0x06
#define   NE2000_CONFIG3_LOCKED		0x70 /* FUDUP, LEDS */
#define   NE2000_CONFIG3_WRITABLE	0x76 /* and SLEEP, PWRDN */
#define NE2000_HLTCLK		0x09
#define NE2000_ASID0		0x0e
#define NE2000_ASID1		0x0f
/* clang-format on */

#endif
