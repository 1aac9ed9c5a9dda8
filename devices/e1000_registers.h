/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that the controllers have in common: where they are, which bits
 * software may set, what a reset leaves in them; those are the 82540EM's.
 *
 * References: PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual (317453-006), chapters 3, 5 and 13; IEEE 802.3, clause 22;
 * 88E1000 PHY as the manual's chapter 13 has it.
 */
#ifndef BULKHEAD_DEVICES_E1000_REGISTERS_H
#define BULKHEAD_DEVICES_E1000_REGISTERS_H

#include "include/compiler.h"

#define E1000_ALL 0xffffffffU

/* clang-format off */
/*
 * Those that are 32 bits of memory, most of them with an effect:
 * name, member of struct e1000_registers, offset, writable bits, reset value.
 * A write has its effect after the bits have been stored.
 */
#define E1000_REGISTERS(X) \
	X(CTRL,   ctrl,	  0x0000, 0xdc3c1bfd, 0x00000201) \
	X(STATUS, status, 0x0008, 0,	      0) \
	X(EECD,	  eecd,	  0x0010, 0,	      0) \
	X(EERD,	  eerd,	  0x0014, 0,	      0) \
	X(CTRL_EXT, ctrl_ext, 0x0018, 0x00c7afff, 0) \
	X(FLA,	  fla,	  0x001c, 0,	      0) \
	X(MDIC,	  mdic,	  0x0020, 0,	      0x10000000) \
	X(FCAL,	  fcal,	  0x0028, E1000_ALL,  0) \
	X(FCAH,	  fcah,	  0x002c, 0x0000ffff, 0) \
	X(FCT,	  fct,	  0x0030, 0x0000ffff, 0) \
	X(VET,	  vet,	  0x0038, 0x0000ffff, 0x00008100) \
	X(ICR,	  icr,	  0x00c0, 0,	      0) \
	X(ITR,	  itr,	  0x00c4, 0x0000ffff, 0) \
	X(ICS,	  ics,	  0x00c8, 0,	      0) \
	X(IMS,	  ims,	  0x00d0, 0,	      0) \
	X(IMC,	  imc,	  0x00d8, 0,	      0) \
	X(RCTL,	  rctl,	  0x0100, 0x06fff7fe, 0) \
	X(FCTTV,  fcttv,  0x0170, 0x0000ffff, 0) \
	X(TXCW,	  txcw,	  0x0178, 0xc000ffff, 0) \
	X(RXCW,	  rxcw,	  0x0180, 0,	      0) \
	X(TCTL,	  tctl,	  0x0400, 0x017ffffa, 0) \
	X(TIPG,	  tipg,	  0x0410, 0x3fffffff, 0x00602006) \
	X(AIFS,	  aifs,	  0x0458, 0x0000ffff, 0) \
	X(LEDCTL, ledctl, 0x0e00, 0xcfcfcfcf, 0x07068302) \
	X(PBA,	  pba,	  0x1000, 0x0000007f, 0x00100030) \
	X(FCRTL,  fcrtl,  0x2160, 0x8000fff8, 0) \
	X(FCRTH,  fcrth,  0x2168, 0x0000fff8, 0) \
	X(RDFH,	  rdfh,	  0x2410, 0x00001fff, 0) \
	X(RDFT,	  rdft,	  0x2418, 0x00001fff, 0) \
	X(RDFHS,  rdfhs,  0x2420, 0x00001fff, 0) \
	X(RDFTS,  rdfts,  0x2428, 0x00001fff, 0) \
	X(RDFPC,  rdfpc,  0x2430, 0x00001fff, 0) \
	X(RDBAL,  rdbal,  0x2800, 0xfffffff0, 0) \
	X(RDBAH,  rdbah,  0x2804, E1000_ALL,  0) \
	X(RDLEN,  rdlen,  0x2808, 0x000fff80, 0) \
	X(RDH,	  rdh,	  0x2810, 0x0000ffff, 0) \
	X(RDT,	  rdt,	  0x2818, 0x0000ffff, 0) \
	X(RDTR,	  rdtr,	  0x2820, 0x0000ffff, 0) \
	X(RXDCTL, rxdctl, 0x2828, 0x013f3f3f, 0x01010000) \
	X(RADV,	  radv,	  0x282c, 0x0000ffff, 0) \
	X(RSRPD,  rsrpd,  0x2c00, 0x00000fff, 0) \
	X(TXDMAC, txdmac, 0x3000, 0x00000001, 0) \
	X(TDFH,	  tdfh,	  0x3410, 0x00001fff, 0) \
	X(TDFT,	  tdft,	  0x3418, 0x00001fff, 0) \
	X(TDFHS,  tdfhs,  0x3420, 0x00001fff, 0) \
	X(TDFTS,  tdfts,  0x3428, 0x00001fff, 0) \
	X(TDFPC,  tdfpc,  0x3430, 0x00001fff, 0) \
	X(TDBAL,  tdbal,  0x3800, 0xfffffff0, 0) \
	X(TDBAH,  tdbah,  0x3804, E1000_ALL,  0) \
	X(TDLEN,  tdlen,  0x3808, 0x000fff80, 0) \
	X(TDH,	  tdh,	  0x3810, 0x0000ffff, 0) \
	X(TDT,	  tdt,	  0x3818, 0x0000ffff, 0) \
	X(TIDV,	  tidv,	  0x3820, 0x0000ffff, 0) \
	X(TXDCTL, txdctl, 0x3828, 0xff3f3f3f, 0) \
	X(TADV,	  tadv,	  0x382c, 0x0000ffff, 0) \
	X(TSPMT,  tspmt,  0x3830, E1000_ALL,  0x01000400) \
	X(RXCSUM, rxcsum, 0x5000, 0x000007ff, 0) \
	X(WUC,	  wuc,	  0x5800, 0x0000000b, 0) \
	X(WUFC,	  wufc,	  0x5808, 0x000f80ff, 0) \
	X(WUS,	  wus,	  0x5810, 0,	      0) \
	X(IPAV,	  ipav,	  0x5838, 0x0001000f, 0) \
	X(WUPL,	  wupl,	  0x5900, 0x00000fff, 0) \
	X(MANC,	  manc,	  0x5820, E1000_ALL,  0)

/* Arrays of them: name, member, offset, how many, bytes from one to the next,
 * writable bits. */
#define E1000_ARRAYS(X) \
	X(MTA,	 mta,	0x5200, 128, 4, E1000_ALL) \
	X(RA,	 ra,	0x5400,	 32, 4, E1000_ALL) \
	X(VFTA,	 vfta,	0x5600, 128, 4, E1000_ALL) \
	X(IP4AT, ip4at, 0x5840,	  4, 8, E1000_ALL) \
	X(IP6AT, ip6at, 0x5880,	  4, 4, E1000_ALL) \
	X(WUPM,	 wupm,	0x5a00,	 32, 4, 0) \
	X(FFLT,	 fflt,	0x5f00,	  4, 8, 0x000007ff) \
	X(FFMT,	 ffmt,	0x9000, 128, 8, 0x0000000f) \
	X(FFVT,	 ffvt,	0x9800, 128, 8, E1000_ALL)

#define   E1000_CTRL_FD			BIT(0)
#define   E1000_CTRL_SLU		BIT(6)
#define   E1000_CTRL_RST		BIT(26)
#define   E1000_CTRL_VME		BIT(30)
#define   E1000_CTRL_PHY_RST		BIT(31)
#define   E1000_STATUS_FD		BIT(0)
#define   E1000_STATUS_LU		BIT(1)
#define   E1000_STATUS_SPEED_1000	FIELD_PUT(MASK(7, 6), 2)
#define   E1000_STATUS_ASDV_1000	FIELD_PUT(MASK(9, 8), 3)
#define   E1000_STATUS_MASTER		BIT(19) /* 82574L */

#define   E1000_EECD_SK			BIT(0)
#define   E1000_EECD_CS			BIT(1)
#define   E1000_EECD_DI			BIT(2)
#define   E1000_EECD_DO			BIT(3)
#define   E1000_EECD_FWE		FIELD_PUT(MASK(5, 4), 1) /* disabled */
#define   E1000_EECD_REQ		BIT(6)
#define   E1000_EECD_GNT		BIT(7)
#define   E1000_EECD_PRES		BIT(8)
#define   E1000_EERD_START		BIT(0)
#define   E1000_EERD_DONE		BIT(4)
#define   E1000_EERD_ADDRESS		MASK(15, 8)
#define   E1000_EERD_DATA		MASK(31, 16)

#define   E1000_MDIC_DATA		MASK(15, 0)
#define   E1000_MDIC_REGISTER		MASK(20, 16)
#define   E1000_MDIC_PHY		MASK(25, 21)
#define   E1000_MDIC_OP			MASK(27, 26)
#define     E1000_MDIC_WRITE		1U
#define     E1000_MDIC_READ		2U
#define   E1000_MDIC_READY		BIT(28)
#define   E1000_MDIC_INTERRUPT		BIT(29)
#define   E1000_MDIC_ERROR		BIT(30)

/* ICR, ICS, IMS, IMC. */
#define   E1000_CAUSE_TXDW		BIT(0)
#define   E1000_CAUSE_TXQE		BIT(1)
#define   E1000_CAUSE_LSC		BIT(2)
#define   E1000_CAUSE_RXDMT0		BIT(4)
#define   E1000_CAUSE_RXO		BIT(6)
#define   E1000_CAUSE_RXT0		BIT(7)
#define   E1000_CAUSE_MDAC		BIT(9)
#define   E1000_CAUSE_SRPD		BIT(16)
#define   E1000_CAUSES			0x0001ffffU

#define   E1000_RCTL_EN			BIT(1)
#define   E1000_RCTL_UPE		BIT(3)
#define   E1000_RCTL_MPE		BIT(4)
#define   E1000_RCTL_LPE		BIT(5)
#define   E1000_RCTL_LBM		MASK(7, 6)
#define   E1000_RCTL_RDMTS		MASK(9, 8)
#define   E1000_RCTL_MO			MASK(13, 12)
#define   E1000_RCTL_BAM		BIT(15)
#define   E1000_RCTL_BSIZE		MASK(17, 16)
#define   E1000_RCTL_VFE		BIT(18)
#define   E1000_RCTL_CFIEN		BIT(19)
#define   E1000_RCTL_CFI		BIT(20)
#define   E1000_RCTL_BSEX		BIT(25)
#define   E1000_RCTL_SECRC		BIT(26)
#define   E1000_TCTL_EN			BIT(1)
#define   E1000_TCTL_PSP		BIT(3)
#define   E1000_RXCSUM_PCSS		MASK(7, 0)
#define   E1000_RXCSUM_IPOFL		BIT(8)
#define   E1000_RXCSUM_TUOFL		BIT(9)
#define   E1000_RXCSUM_IPV6OFL		BIT(10)
#define   E1000_RXCSUM_PCSD		BIT(13) /* 82574L */
#define   E1000_RAH_AV			BIT(31)
#define   E1000_DELAY_FLUSH		BIT(31) /* RDTR, TIDV */

/* Transmit descriptors: the last 8 bytes. */
#define   E1000_TXD_LENGTH		MASK(15, 0) /* legacy */
#define   E1000_TXD_CSO			MASK(23, 16)
#define   E1000_TXD_DATA_LENGTH		MASK(19, 0) /* data */
#define   E1000_TXD_TYPE		MASK(23, 20)
#define     E1000_TXD_CONTEXT		0U
#define     E1000_TXD_DATA		1U
#define   E1000_TXD_EOP			BIT(24)
#define   E1000_TXD_IFCS		BIT(25)
#define   E1000_TXD_IC			BIT(26) /* legacy */
#define   E1000_TXD_TSE			BIT(26) /* extended */
#define   E1000_TXD_RS			BIT(27)
#define   E1000_TXD_RPS			BIT(28)
#define   E1000_TXD_DEXT		BIT(29)
#define   E1000_TXD_VLE			BIT(30)
#define   E1000_TXD_IDE			BIT(31)
#define   E1000_TXD_DD			BIT(32)
#define   E1000_TXD_CSS			MASK(47, 40) /* legacy */
#define   E1000_TXD_IXSM		BIT(40) /* data */
#define   E1000_TXD_TXSM		BIT(41)
#define   E1000_TXD_SPECIAL		MASK(63, 48)
#define   E1000_TXD_TUCMD_TCP		BIT(24) /* context */
#define   E1000_TXD_TUCMD_IP		BIT(25) /* version 4 */
#define   E1000_TXD_HDRLEN		MASK(47, 40)
#define   E1000_TXD_MSS			MASK(63, 48)

/* Receive descriptors: the last 8 bytes. */
#define   E1000_RXD_LENGTH		MASK(15, 0)
#define   E1000_RXD_CHECKSUM		MASK(31, 16)
#define   E1000_RXD_DD			BIT(32)
#define   E1000_RXD_EOP			BIT(33)
#define   E1000_RXD_IXSM		BIT(34)
#define   E1000_RXD_VP			BIT(35)
#define   E1000_RXD_TCPCS		BIT(37)
#define   E1000_RXD_IPCS		BIT(38)
#define   E1000_RXD_PIF			BIT(39)
#define   E1000_RXD_TCPE		BIT(45)
#define   E1000_RXD_IPE			BIT(46)
#define   E1000_RXD_SPECIAL		MASK(63, 48)

#define E1000_DESCRIPTOR_SIZE		16U

/* Statistics: the number of the register from 0x4000 on. */
#define E1000_STATISTICS		0x4000U
#define E1000_STATISTIC_COUNT		64U
enum e1000_statistic {
	E1000_MPC = 4,	    /* missed */
	E1000_PRC64 = 23,   /* received, by length: six of them */
	E1000_GPRC = 29,
	E1000_BPRC,
	E1000_MPRC,
	E1000_GPTC,
	E1000_GORCL = 34,   /* and the next: 64 bits */
	E1000_GOTCL = 36,
	E1000_RNBC = 40,
	E1000_RUC,
	E1000_ROC = 43,
	E1000_TORL = 48,
	E1000_TOTL = 50,
	E1000_TPR = 52,
	E1000_TPT,
	E1000_PTC64 = 54,   /* transmitted, by length: six of them */
	E1000_MPTC = 60,
	E1000_BPTC,
	E1000_TSCTC,
	E1000_TSCTFC,
};

/* PHY, by MDIC. */
#define E1000_PHY_ADDRESS		1U
#define E1000_PHY_REGISTERS		32U
#define E1000_PHY_CONTROL		0
#define   E1000_PHY_RESET		BIT(15)
#define   E1000_PHY_LOOPBACK		BIT(14)
#define   E1000_PHY_AUTO		BIT(12)
#define   E1000_PHY_POWER_DOWN		BIT(11)
#define   E1000_PHY_RESTART		BIT(9)
#define E1000_PHY_STATUS		1
#define   E1000_PHY_AUTO_DONE		BIT(5)
#define   E1000_PHY_LINK		BIT(2)
#define E1000_PHY_ID1			2
#define E1000_PHY_ID2			3
#define E1000_PHY_ADVERTISE		4
#define E1000_PHY_PARTNER		5
#define E1000_PHY_EXPANSION		6
#define E1000_PHY_NEXT_PAGE		7
#define E1000_PHY_GIGABIT_CONTROL	9
#define E1000_PHY_GIGABIT_STATUS	10
#define E1000_PHY_EXTENDED_STATUS	15
#define E1000_PHY_SPECIFIC_CONTROL	16
#define E1000_PHY_SPECIFIC_STATUS	17
#define   E1000_PHY_REAL_TIME_LINK	BIT(10)
#define E1000_PHY_INTERRUPT_ENABLE	18
#define E1000_PHY_INTERRUPT_STATUS	19
#define E1000_PHY_EXTENDED_CONTROL	20
#define E1000_PHY_PAGE			22 /* 82574L */
#define E1000_PHY_PAGED			16 /* from here on by page */
/* What software may set, by register, of all of them. */
#define E1000_PHY_WRITABLE \
	[E1000_PHY_CONTROL] = 0x7dc0, \
	[E1000_PHY_ADVERTISE] = 0xffff, \
	[E1000_PHY_NEXT_PAGE] = 0xffff, \
	[E1000_PHY_GIGABIT_CONTROL] = 0xff00, \
	[E1000_PHY_SPECIFIC_CONTROL] = 0xffff, \
	[E1000_PHY_INTERRUPT_ENABLE] = 0xffff, \
	[E1000_PHY_EXTENDED_CONTROL] = 0xffff
/* clang-format on */

/* E1000_CTRL and so on: where they are from BAR 0. */
#define E1000_X(upper, lower, offset, writable, reset) E1000_##upper = (offset),
enum e1000_offset { E1000_REGISTERS(E1000_X) };
#undef E1000_X
#define E1000_X(upper, lower, offset, count, step, writable) \
	E1000_##upper = (offset),
enum e1000_array_offset { E1000_ARRAYS(E1000_X) };
#undef E1000_X

#endif
