/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that the 82574L has besides those of e1000_registers.h, or has with
 * other bits.
 *
 * References: Intel 82574 GbE Controller Family Datasheet (317694), chapters 7
 * (descriptors, interrupts, RSS), 9 (PCI) and 10 (registers).
 */
#ifndef BULKHEAD_DEVICES_E1000E_REGISTERS_H
#define BULKHEAD_DEVICES_E1000E_REGISTERS_H

#include "devices/e1000_registers.h"

/* clang-format off */
/* As E1000_REGISTERS: name, member of struct e1000e_registers, offset, writable
 * bits, reset value. */
#define E1000E_REGISTERS(X) \
	X(EIAC,	   eiac,    0x00dc, 0x01f00000, 0) \
	X(IAM,	   iam,	    0x00e0, E1000_ALL,	0) \
	X(IVAR,	   ivar,    0x00e4, 0x800fffff, 0) \
	X(EXTCNF_CTRL, extcnf_ctrl, 0x0f00, 0x00000020, 0) \
	X(EXTCNF_SIZE, extcnf_size, 0x0f08, 0x00ffffff, 0) \
	X(PHY_CTRL, phy_ctrl, 0x0f10, 0x0000007f, 0) \
	X(PBS,	   pbs,	    0x1008, 0x0000003f, 0x00000028) \
	X(EEMNGCTL, eemngctl, 0x1010, 0,	0x000c0000) \
	X(EEWR,	   eewr,    0x102c, 0,		0x00000002) \
	X(PSRCTL,  psrctl,  0x2170, 0x3f3f3f7f, 0x00040402) \
	X(RDBAL1,  rdbal1,  0x2900, 0xfffffff0, 0) \
	X(RDBAH1,  rdbah1,  0x2904, E1000_ALL,	0) \
	X(RDLEN1,  rdlen1,  0x2908, 0x000fff80, 0) \
	X(RDH1,	   rdh1,    0x2910, 0x0000ffff, 0) \
	X(RDT1,	   rdt1,    0x2918, 0x0000ffff, 0) \
	X(RXDCTL1, rxdctl1, 0x2928, 0x013f3f3f, 0x01010000) \
	X(RAID,	   raid,    0x2c08, 0x0000ffff, 0) \
	X(TARC0,   tarc0,   0x3840, 0x7fffffff, 0x00000403) \
	X(TDBAL1,  tdbal1,  0x3900, 0xfffffff0, 0) \
	X(TDBAH1,  tdbah1,  0x3904, E1000_ALL,	0) \
	X(TDLEN1,  tdlen1,  0x3908, 0x000fff80, 0) \
	X(TDH1,	   tdh1,    0x3910, 0x0000ffff, 0) \
	X(TDT1,	   tdt1,    0x3918, 0x0000ffff, 0) \
	X(TXDCTL1, txdctl1, 0x3928, 0xff3f3f3f, 0) \
	X(TARC1,   tarc1,   0x3940, 0x7fffffff, 0x00000403) \
	X(RFCTL,   rfctl,   0x5008, 0x0001ffff, 0) \
	X(MRQC,	   mrqc,    0x5818, 0x001f0003, 0) \
	X(MANC2H,  manc2h,  0x5860, E1000_ALL,	0) \
	X(RSSIM,   rssim,   0x5864, E1000_ALL,	0) \
	X(RSSIR,   rssir,   0x5868, E1000_ALL,	0) \
	X(GCR,	   gcr,	    0x5b00, E1000_ALL,	0) \
	X(FACTPS,  factps,  0x5b30, 0,		0x20000001) \
	X(SWSM,	   swsm,    0x5b50, 0x0000000f, 0) \
	X(FWSM,	   fwsm,    0x5b54, 0,		0) \
	X(SWSM2,   swsm2,   0x5b58, 0x0000000f, 0) \
	X(GCR2,	   gcr2,    0x5b64, E1000_ALL,	0) \
	X(SYSTIML, systiml, 0xb600, 0,		0) \
	X(SYSTIMH, systimh, 0xb604, 0,		0) \
	X(TIMINCA, timinca, 0xb608, E1000_ALL,	0)

/* As E1000_ARRAYS. */
#define E1000E_ARRAYS(X) \
	X(EITR,	 eitr,	0x00e8,	 5, 4, 0x0000ffff) \
	X(RETA,	 reta,	0x5c00, 32, 4, E1000_ALL) \
	X(RSSRK, rssrk, 0x5c80, 10, 4, E1000_ALL)

/* Common ones with more bits: name, member of struct e1000_registers, writable
 * bits. */
#define E1000E_WIDER(X) \
	X(CTRL_EXT, ctrl_ext, 0xb9df8fff) \
	X(RCTL,	    rctl,     0x7efffffe) \
	X(TCTL,	    tctl,     0x1ffffffa) \
	X(RXCSUM,   rxcsum,   0x00003fff)

#define   E1000E_CTRL_MASTER_OFF	BIT(2)
#define   E1000E_CTRL_EXT_EIAME		BIT(24)
#define   E1000E_CTRL_EXT_IAME		BIT(27)
#define   E1000E_EECD_AUTO_RD		BIT(9)
#define   E1000E_EERD_DONE		BIT(1)
#define   E1000E_EERD_ADDRESS		MASK(15, 2) /* and of EEWR */
#define E1000E_PBACLR			0x5b68U

/* ICR and its kin. */
#define   E1000E_CAUSE_ACK		BIT(17)
#define   E1000E_CAUSE_MNG		BIT(18)
#define   E1000E_CAUSE_RXQ0		BIT(20)
#define   E1000E_CAUSE_RXQ1		BIT(21)
#define   E1000E_CAUSE_TXQ0		BIT(22)
#define   E1000E_CAUSE_TXQ1		BIT(23)
#define   E1000E_CAUSE_OTHER		BIT(24)
#define   E1000E_CAUSES			0x01f782dfU
#define   E1000E_CAUSE_ASSERTED		BIT(31) /* ICR alone */
/* What OTHER stands for, and which causes MSI-X knows. */
#define   E1000E_OTHERS \
	((uint32_t)(E1000_CAUSE_LSC | E1000_CAUSE_RXO | E1000_CAUSE_MDAC | \
		    E1000_CAUSE_SRPD | E1000E_CAUSE_ACK | E1000E_CAUSE_MNG))
#define   E1000E_MSIX_SHIFT		20 /* RXQ0 */
#define   E1000E_MSIX_CAUSES		0x01f00000U

/* IVAR: four bits of each cause that MSI-X knows, in their order. */
#define   E1000E_IVAR_VECTOR		MASK(2, 0)
#define   E1000E_IVAR_VALID		BIT(3)
#define   E1000E_IVAR_BITS		4

#define   E1000E_RCTL_DTYP		MASK(11, 10)
#define     E1000E_RCTL_SPLIT		1U
#define   E1000E_RCTL_FLXBUF		MASK(30, 27) /* KiB; 0: BSIZE */
#define   E1000E_RFCTL_EXSTEN		BIT(15)
#define   E1000E_PSRCTL_BSIZE0		MASK(6, 0)   /* of 128 bytes */
#define   E1000E_PSRCTL_BSIZE1		MASK(13, 8)  /* KiB, and so on */
#define   E1000E_PSRCTL_BSIZE2		MASK(21, 16)
#define   E1000E_PSRCTL_BSIZE3		MASK(29, 24)

#define   E1000E_MRQC_ENABLE		MASK(1, 0)
#define     E1000E_MRQC_RSS		1U
#define   E1000E_MRQC_TCP_IPV4		BIT(16)
#define   E1000E_MRQC_IPV4		BIT(17)
#define   E1000E_MRQC_TCP_IPV6		BIT(18)
#define   E1000E_MRQC_IPV6_EX		BIT(19)
#define   E1000E_MRQC_IPV6		BIT(20)
/* What was hashed, in an extended descriptor. */
#define   E1000E_RSS_TCP_IPV4		1
#define   E1000E_RSS_IPV4		2
#define   E1000E_RSS_TCP_IPV6		3
#define   E1000E_RSS_IPV6_EX		4
#define   E1000E_RSS_IPV6		5
#define   E1000E_RETA_ENTRIES		128U
#define   E1000E_RETA_QUEUE		BIT(7) /* of an entry, a byte */

#define   E1000E_SWSM_SMBI		BIT(0)
#define   E1000E_TIMINCA_VALUE		MASK(23, 0)
#define   E1000E_TIMINCA_PERIOD		MASK(31, 24)

#define E1000E_VECTORS			5U
#define E1000E_PHY_EXTRA1		29 /* 82574L, of every page */
#define E1000E_PHY_EXTRA2		30
/* clang-format on */

#define E1000_X(upper, lower, offset, writable, reset) \
	E1000E_##upper = (offset),
enum e1000e_offset { E1000E_REGISTERS(E1000_X) };
#undef E1000_X
#define E1000_X(upper, lower, offset, count, step, writable) \
	E1000E_##upper = (offset),
enum e1000e_array_offset { E1000E_ARRAYS(E1000_X) };
#undef E1000_X

#endif
