/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and descriptors of the Am79C970A.
 *
 * References: Am79C970A PCnet-PCI II data sheet, AMD 19436: Control and Status
 * Registers, Bus Configuration Registers, Initialization Block, Descriptors.
 */
#ifndef BULKHEAD_DEVICES_PCNET_REGISTERS_H
#define BULKHEAD_DEVICES_PCNET_REGISTERS_H

#include "include/compiler.h"

/* clang-format off */
#define PCNET_CSRS 128 /* what RAP can say */
#define PCNET_BCRS 32

/* Offsets of word I/O, in which a reset leaves the card, and of doubleword I/O,
 * which begins with a doubleword written to RDP. */
#define PCNET_APROM_SIZE	16
#define PCNET_WIO_RDP		0x10
#define PCNET_WIO_RAP		0x12
#define PCNET_WIO_RESET		0x14
#define PCNET_WIO_BDP		0x16
#define PCNET_DWIO_RDP		0x10
#define PCNET_DWIO_RAP		0x14
#define PCNET_DWIO_RESET	0x18
#define PCNET_DWIO_BDP		0x1c

/* CSR0: Controller Status. */
#define PCNET_INIT		BIT(0)
#define PCNET_STRT		BIT(1)
#define PCNET_STOP		BIT(2)
#define PCNET_TDMD		BIT(3)
#define PCNET_TXON		BIT(4)
#define PCNET_RXON		BIT(5)
#define PCNET_IENA		BIT(6)
#define PCNET_INTR		BIT(7)
#define PCNET_IDON		BIT(8)
#define PCNET_TINT		BIT(9)
#define PCNET_RINT		BIT(10)
#define PCNET_MERR		BIT(11)
#define PCNET_MISS		BIT(12)
#define PCNET_CERR		BIT(13)
#define PCNET_BABL		BIT(14)
#define PCNET_ERR		BIT(15)
#define PCNET_CAUSES		0x5f00U /* of the interrupt, masked by CSR3 */
#define PCNET_CLEARABLE		0x7f00U

/* CSR3: Interrupt Masks and Deferral Control. */
#define PCNET_CSR3_WRITABLE	0x5f7cU
/* CSR4: Test and Features Control. */
#define PCNET_DPOLL		BIT(12)
#define PCNET_APAD_XMT		BIT(11)
#define PCNET_UINTCMD		BIT(7)
#define PCNET_UINT		BIT(6)
#define PCNET_TXSTRT		BIT(3)
#define PCNET_TXSTRTM		BIT(2)
#define PCNET_CSR4_CLEARABLE	0x026aU
#define PCNET_CSR4_WRITABLE	0xfd15U
/* CSR5: Extended Control and Interrupt. */
#define PCNET_TOKINTD		BIT(15)
#define PCNET_LTINTEN		BIT(14)
#define PCNET_CSR5_CLEARABLE	0x0a90U
#define PCNET_CSR5_WRITABLE	0xc54fU
#define PCNET_SPND		BIT(0)
/* CSR15: Mode. */
#define PCNET_DRX		BIT(0)
#define PCNET_DTX		BIT(1)
#define PCNET_LOOP		BIT(2)
#define PCNET_DXMTFCS		BIT(3)
#define PCNET_DRCVPA		BIT(13)
#define PCNET_DRCVBC		BIT(14)
#define PCNET_PROM		BIT(15)

enum pcnet_csr {
	PCNET_CSR_IADR = 1, /* 32 bits, as all addresses */
	PCNET_CSR_MASKS = 3,
	PCNET_CSR_FEATURES = 4,
	PCNET_CSR_EXTENDED = 5,
	PCNET_CSR_LENGTHS = 6,
	PCNET_CSR_LADRF = 8, /* 64 bits */
	PCNET_CSR_PADR = 12, /* 48 bits */
	PCNET_CSR_MODE = 15,
	PCNET_CSR_BADR = 24, /* receive ring */
	PCNET_CSR_BADX = 30, /* transmit ring */
	PCNET_CSR_STYLE = 58, /* is BCR20 */
	PCNET_CSR_RCVRC = 72, /* descriptors to the end of the ring */
	PCNET_CSR_XMTRC = 74,
	PCNET_CSR_RCVRL = 76, /* length, negative */
	PCNET_CSR_XMTRL = 78,
	PCNET_CSR_CHIP = 88, /* 32 bits */
	PCNET_CSR_MISSED = 112,
};

#define PCNET_CHIP 0x02621003U

enum pcnet_bcr {
	PCNET_BCR_MC = 2,
	PCNET_BCR_LNKST = 4,
	PCNET_BCR_BSBC = 18,
	PCNET_BCR_EECAS = 19,
	PCNET_BCR_SWS = 20,
};

#define PCNET_APROMWE		BIT(8)	/* of MC */
#define PCNET_LEDOUT		BIT(15) /* of LNKST */
#define PCNET_DWIO		BIT(7)	/* of BSBC */
#define PCNET_CSRPCNET		BIT(9)	/* of SWS */
#define PCNET_SSIZE32		BIT(8)
#define PCNET_SWSTYLE		MASK(7, 0)
#define   PCNET_STYLE_LANCE	  0
#define   PCNET_STYLE_ILACC	  1
#define   PCNET_STYLE_PCI	  2
#define   PCNET_STYLE_PCI2	  3 /* the buffer's address comes third */

/* Descriptors: the second word of 32 bits; of 16 bits the flags are the upper
 * byte of the second word. */
#define PCNET_D_OWN		BIT(31) /* the card's */
#define PCNET_D_ERR		BIT(30)
#define PCNET_D_ADD_FCS		BIT(29)
#define PCNET_D_LTINT		BIT(28)
#define PCNET_D_STP		BIT(25)
#define PCNET_D_ENP		BIT(24)
#define PCNET_D_PAM		BIT(22)
#define PCNET_D_LAFM		BIT(21)
#define PCNET_D_BAM		BIT(20)
#define PCNET_D_BCNT		MASK(11, 0) /* negative */
/* Third word of transmission. */
#define PCNET_D_BUFF		BIT(31)
#define PCNET_D_UFLO		BIT(30)
#define PCNET_D_LCAR		BIT(27)
/* clang-format on */

#endif
