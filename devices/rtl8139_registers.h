/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the RTL8139C: where they are, which bits software may set, what
 * a reset leaves in them.
 *
 * References: RTL8139C data sheet; RTL8139 Programming guide; IEEE 802.3,
 * clause 22.
 */
#ifndef BULKHEAD_DEVICES_RTL8139_REGISTERS_H
#define BULKHEAD_DEVICES_RTL8139_REGISTERS_H

#include "include/compiler.h"

#define RTL8139_ALL	    0xffffffffU
#define RTL8139_DESCRIPTORS 4 /* of transmission */

/* clang-format off */
/*
 * Name, offset, bytes, bits that software may set, those among them that take
 * 9346CR's configuration mode, value after a reset.  A write has its effect
 * after the bits have been stored.  CR.RST resets TSD0 to MPC, TIMERINT and
 * MULINT.
 */
#define RTL8139_REGISTERS(X) \
	X(IDR0,	   0x00, 4, RTL8139_ALL, 0, 0) \
	X(IDR4,	   0x04, 2, 0xffff, 0, 0) \
	X(MAR0,	   0x08, 4, RTL8139_ALL, 0, RTL8139_ALL) \
	X(MAR4,	   0x0c, 4, RTL8139_ALL, 0, RTL8139_ALL) \
	X(TSD0,	   0x10, 4, 0x003f3fff, 0, RTL8139_TSD_OWN) \
	X(TSD1,	   0x14, 4, 0x003f3fff, 0, RTL8139_TSD_OWN) \
	X(TSD2,	   0x18, 4, 0x003f3fff, 0, RTL8139_TSD_OWN) \
	X(TSD3,	   0x1c, 4, 0x003f3fff, 0, RTL8139_TSD_OWN) \
	X(TSAD0,   0x20, 4, RTL8139_ALL, 0, 0) \
	X(TSAD1,   0x24, 4, RTL8139_ALL, 0, 0) \
	X(TSAD2,   0x28, 4, RTL8139_ALL, 0, 0) \
	X(TSAD3,   0x2c, 4, RTL8139_ALL, 0, 0) \
	X(RBSTART, 0x30, 4, RTL8139_ALL, 0, 0) \
	X(ERBCR,   0x34, 2, 0, 0, 0) \
	X(ERSR,	   0x36, 1, 0, 0, 0) \
	X(CR,	   0x37, 1, 0x0c, 0, 0) \
	X(CAPR,	   0x38, 2, 0xffff, 0, 0xfff0) \
	X(CBR,	   0x3a, 2, 0, 0, 0) \
	X(IMR,	   0x3c, 2, 0xe07f, 0, 0) \
	X(ISR,	   0x3e, 2, 0, 0, 0) \
	X(TCR,	   0x40, 4, 0x030707f0, 0, 0x03000700) \
	X(RCR,	   0x44, 4, 0x0f03ffff, 0, 0) \
	X(TCTR,	   0x48, 4, 0, 0, 0) \
	X(MPC,	   0x4c, 4, 0, 0, 0) \
	X(CR9346,  0x50, 1, 0xce, 0, 0) \
	X(CONFIG0, 0x51, 1, 0, 0, 0) \
	X(CONFIG1, 0x52, 1, 0xf3, 0xf3, 0x0c) \
	X(TIMERINT, 0x54, 4, RTL8139_ALL, 0, 0) \
	X(MSR,	   0x58, 1, 0xc0, 0, 0) \
	X(CONFIG3, 0x59, 1, 0x70, 0x70, 0) \
	X(CONFIG4, 0x5a, 1, 0xfd, 0xfd, 0) \
	X(MULINT,  0x5c, 2, 0x0fff, 0, 0) \
	X(RERID,   0x5e, 1, 0, 0, RTL8139_REVISION) \
	X(TSAD,	   0x60, 2, 0, 0, 0) \
	X(BMCR,	   0x62, 2, 0x3300, 0x3100, 0x3100) \
	X(BMSR,	   0x64, 2, 0, 0, 0x7809) \
	X(ANAR,	   0x66, 2, 0x2de0, 0, 0x01e1) \
	X(ANLPAR,  0x68, 2, 0, 0, 0x45e1) \
	X(ANER,	   0x6a, 2, 0, 0, 0x0001) \
	X(DIS,	   0x6c, 2, 0, 0, 0) \
	X(FCSC,	   0x6e, 2, 0, 0, 0) \
	X(NWAYTR,  0x70, 2, 0x0080, 0, 0) \
	X(REC,	   0x72, 2, 0, 0, 0) \
	X(CSCR,	   0x74, 2, 0x83ed, 0, 0x0340) \
	X(PHY1_PARM, 0x78, 4, RTL8139_ALL, 0, 0) \
	X(TW_PARM, 0x7c, 4, RTL8139_ALL, 0, 0) \
	X(PHY2_PARM, 0x80, 1, 0xff, 0, 0) \
	X(CONFIG5, 0xd8, 1, 0x7f, 0x7c, 0)

#define RTL8139_REVISION	0x10 /* RTL8139C */

/* Of TSD. */
#define RTL8139_TSD_SIZE	MASK(12, 0)
#define RTL8139_TSD_OWN		BIT(13) /* the driver's */
#define RTL8139_TSD_TUN		BIT(14)
#define RTL8139_TSD_TOK		BIT(15)
#define RTL8139_TSD_TABT	BIT(30)
#define RTL8139_TSD_CRS		BIT(31)

#define RTL8139_CR_BUFE		BIT(0)
#define RTL8139_CR_TE		BIT(2)
#define RTL8139_CR_RE		BIT(3)
#define RTL8139_CR_RST		BIT(4)

/* Of ISR and IMR. */
#define RTL8139_ROK		BIT(0)
#define RTL8139_RER		BIT(1)
#define RTL8139_TOK		BIT(2)
#define RTL8139_TER		BIT(3)
#define RTL8139_RXOVW		BIT(4)
#define RTL8139_PUN		BIT(5) /* and the link has changed */
#define RTL8139_FOVW		BIT(6)
#define RTL8139_LENCHG		BIT(13)
#define RTL8139_TIMEOUT		BIT(14)
#define RTL8139_SERR		BIT(15)
#define RTL8139_CAUSES		0xe07fU

#define RTL8139_TCR_LBK		MASK(18, 17)
#define RTL8139_TCR_CRC		BIT(16) /* none is appended */
#define RTL8139_TCR_HWVERID	0x74000000U /* RTL8139C */

#define RTL8139_RCR_AAP		BIT(0)
#define RTL8139_RCR_APM		BIT(1)
#define RTL8139_RCR_AM		BIT(2)
#define RTL8139_RCR_AB		BIT(3)
#define RTL8139_RCR_WRAP	BIT(7)
#define RTL8139_RCR_RBLEN	MASK(12, 11)

#define RTL8139_EEM		MASK(7, 6)
#define   RTL8139_EEM_AUTOLOAD	  1
#define   RTL8139_EEM_PROGRAMMING 2
#define   RTL8139_EEM_CONFIG	  3
#define RTL8139_EECS		BIT(3)
#define RTL8139_EESK		BIT(2)
#define RTL8139_EEDI		BIT(1)
#define RTL8139_EEDO		BIT(0)

#define RTL8139_MSR_LINKB	BIT(2) /* there is none */

#define RTL8139_BMCR_RESET	BIT(15)
#define RTL8139_BMCR_RESTART	BIT(9)
#define RTL8139_BMSR_DONE	BIT(5)
#define RTL8139_BMSR_LINK	BIT(2)

#define RTL8139_CSCR_LINK_OK	BIT(10)
#define RTL8139_CSCR_LINK_CHANGED BIT(11)

/* In front of a received frame: its status, and its length with the FCS. */
#define RTL8139_RX_ROK		BIT(0)
#define RTL8139_RX_BAR		BIT(13)
#define RTL8139_RX_PAM		BIT(14)
#define RTL8139_RX_MAR		BIT(15)

#define RTL8139_X(name, offset, width, writable, locked, reset) \
	RTL8139_##name,
enum rtl8139_register {
	RTL8139_NONE,
	RTL8139_REGISTERS(RTL8139_X)
	RTL8139_COUNT,
};
#undef RTL8139_X

#define RTL8139_X(name, offset, width, writable, locked, reset) \
	RTL8139_AT_##name = (offset),
enum rtl8139_offset {
	RTL8139_REGISTERS(RTL8139_X)
};
#undef RTL8139_X
/* clang-format on */

#endif
