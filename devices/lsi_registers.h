/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the LSI 53C895A and its SCRIPTS instructions, by the names of
 * LSI53C895A PCI to Ultra2 SCSI Controller Technical Manual 2.2, chapters 4 and
 * 5.  Multi-byte registers are little-endian.
 */
#ifndef BULKHEAD_DEVICES_LSI_REGISTERS_H
#define BULKHEAD_DEVICES_LSI_REGISTERS_H

#include "include/compiler.h"

/* clang-format off */
#define LSI_SCNTL0	0x00
#define   SCNTL0_FULL	0xc0	/* arbitration and selection, full */
#define LSI_SCNTL1	0x01
#define   SCNTL1_CON	BIT(4)
#define   SCNTL1_RST	BIT(3)
#define LSI_SCNTL2	0x02
#define   SCNTL2_WSR	BIT(0)
#define LSI_SCNTL3	0x03
#define LSI_SCID	0x04
#define   SCID_RRE	BIT(6)	/* responds to reselection */
#define   SCID_ENCODED	MASK(3, 0)
#define LSI_SXFER	0x05
#define LSI_SDID	0x06
#define LSI_GPREG	0x07
#define   GPREG_IDLE	0x7f	/* nothing is at the pins: no EEPROM */
#define LSI_SFBR	0x08
#define LSI_SOCL	0x09
#define   SOCL_ACK	BIT(6)
#define   SOCL_ATN	BIT(3)
#define LSI_SSID	0x0a
#define   SSID_VALID	BIT(7)
#define LSI_SBCL	0x0b
#define   SBCL_REQ	BIT(7)
#define   SBCL_BSY	BIT(5)
#define LSI_DSTAT	0x0c
#define   DSTAT_DFE	BIT(7)	/* FIFO empty, which it always is */
#define   DSTAT_ABRT	BIT(4)
#define   DSTAT_SSI	BIT(3)
#define   DSTAT_SIR	BIT(2)
#define   DSTAT_IID	BIT(0)
#define LSI_SSTAT0	0x0d
#define   SSTAT0_RST	BIT(1)
#define LSI_SSTAT1	0x0e
#define LSI_SSTAT2	0x0f
#define   SSTAT2_LDSC	BIT(1)	/* disconnected last */
#define LSI_DSA		0x10
#define LSI_ISTAT0	0x14
#define   ISTAT0_DIP	BIT(0)
#define   ISTAT0_SIP	BIT(1)
#define   ISTAT0_INTF	BIT(2)
#define   ISTAT0_CON	BIT(3)
#define   ISTAT0_SEM	BIT(4)
#define   ISTAT0_SIGP	BIT(5)
#define   ISTAT0_SRST	BIT(6)
#define   ISTAT0_ABRT	BIT(7)
#define LSI_ISTAT1	0x15
#define   ISTAT1_SRUN	BIT(1)
#define LSI_CTEST0	0x18
#define LSI_CTEST1	0x19
#define   CTEST1_EMPTY	0xf0
#define LSI_CTEST2	0x1a
#define   CTEST2_DACK	BIT(0)
#define   CTEST2_PCICIE	BIT(3)	/* SCRATCHA, B show BARs 1 and 2 */
#define   CTEST2_CM	BIT(4)
#define   CTEST2_SIGP	BIT(6)
#define LSI_CTEST3	0x1b
#define   CTEST3_FLF	BIT(3)
#define   CTEST3_CLF	BIT(2)
#define LSI_TEMP	0x1c
#define LSI_DFIFO	0x20
#define LSI_DBC		0x24	/* three bytes, then DCMD */
#define LSI_DCMD	0x27
#define LSI_DNAD	0x28
#define LSI_DSP		0x2c
#define LSI_DSPS	0x30
#define LSI_SCRATCHA	0x34
#define LSI_DMODE	0x38
#define   DMODE_MAN	BIT(0)
#define LSI_DIEN	0x39
#define LSI_DCNTL	0x3b
#define   DCNTL_SSM	BIT(4)
#define   DCNTL_STD	BIT(2)
#define LSI_SIEN0	0x40
#define LSI_SIEN1	0x41
#define LSI_SIST0	0x42
#define   SIST0_MA	BIT(7)
#define   SIST0_CMP	BIT(6)
#define   SIST0_SEL	BIT(5)
#define   SIST0_RSL	BIT(4)
#define   SIST0_UDC	BIT(2)
#define   SIST0_RST	BIT(1)
#define LSI_SIST1	0x43
#define   SIST1_STO	BIT(2)
#define   SIST1_GEN	BIT(1)
#define   SIST1_HTH	BIT(0)
#define LSI_MACNTL	0x46
#define   MACNTL_TYPE	0xf0	/* told by the PCI ID */
#define LSI_STIME1	0x49
#define   STIME1_GEN	MASK(3, 0)
#define   STIME1_SCALE	BIT(6)
#define LSI_RESPID0	0x4a
#define LSI_STEST0	0x4c
#define LSI_STEST3	0x4f
#define   STEST3_CSF	BIT(1)
#define LSI_SIDL	0x50
#define LSI_STEST4	0x52
#define   STEST4_LVD	0xc0
#define   STEST4_LOCK	BIT(5)	/* of the clock's quadrupler */
#define LSI_CCNTL0	0x56
#define   CCNTL0_ENPMJ	BIT(7)
#define   CCNTL0_PMJCTL BIT(6)
#define   CCNTL0_ENNDJ	BIT(5)
#define LSI_CCNTL1	0x57
#define   CCNTL1_40BIT	BIT(2)	/* of table indirect addresses, else an index */
#define   CCNTL1_TABLE	BIT(1)	/* table indirect addresses beyond 4 GiB */
#define   CCNTL1_DIRECT BIT(0)	/* the same of direct moves, of three words */
#define LSI_SBDL	0x58
#define LSI_SCRATCHB	0x5c
#define LSI_SCRATCHC	0x60
#define LSI_MMRS	0xa0	/* upper words: memory moves' sources, */
#define LSI_MMWS	0xa4	/* destinations, */
#define LSI_SFS		0xa8	/* instructions, */
#define LSI_DRS		0xac	/* what DSA leads to, */
#define LSI_SBMS	0xb0	/* direct moves */
#define LSI_PMJAD1	0xc0
#define LSI_PMJAD2	0xc4
#define LSI_RBC		0xc8
#define LSI_UA		0xcc
#define LSI_ESA		0xd0
#define LSI_IA		0xd4
#define LSI_SBC		0xd8
#define LSI_CSBC	0xdc

/* The first word of an instruction. */
#define INSN_KIND		MASK(31, 30)
#define   KIND_MOVE		0
#define   KIND_IO		1
#define   KIND_TRANSFER		2
#define   KIND_MEMORY		3
#define INSN_OPCODE		MASK(29, 27)
#define INSN_PHASE		MASK(26, 24)

#define MOVE_INDIRECT		BIT(29)
#define MOVE_TABLE		BIT(28)
#define COUNT			MASK(23, 0)
#define TABLE_HIGH		MASK(31, 24)

#define   IO_SELECT		0
#define   IO_WAIT_DISCONNECT	1
#define   IO_WAIT_RESELECT	2
#define   IO_SET		3
#define   IO_CLEAR		4
#define   IO_FROM_SFBR		5
#define   IO_TO_SFBR		6
#define   IO_MODIFY		7
#define IO_RELATIVE		BIT(26)
#define IO_TABLE		BIT(25)
#define IO_WITH_ATN		BIT(24)
#define IO_TARGET		MASK(19, 16)
#define IO_CARRY		BIT(10)
#define IO_ACK			BIT(6)
#define IO_ATN			BIT(3)
#define REGISTER_OPERATOR	MASK(26, 24)
#define REGISTER_BY_SFBR	BIT(23)
#define REGISTER_LOW		MASK(22, 16)
#define REGISTER_DATA		MASK(15, 8)
#define REGISTER_HIGH		BIT(7)

#define   TRANSFER_JUMP		0
#define   TRANSFER_CALL		1
#define   TRANSFER_RETURN	2
#define   TRANSFER_INTERRUPT	3
#define TRANSFER_RELATIVE	BIT(23)
#define TRANSFER_CARRY		BIT(21)
#define TRANSFER_ON_THE_FLY	BIT(20)
#define TRANSFER_IF_TRUE	BIT(19)
#define TRANSFER_BY_DATA	BIT(18)
#define TRANSFER_BY_PHASE	BIT(17)
#define TRANSFER_WAIT		BIT(16)
#define TRANSFER_MASK		MASK(15, 8)
#define TRANSFER_DATA		MASK(7, 0)

#define MEMORY_LOAD_STORE	BIT(29)
#define LOAD_STORE_DSA		BIT(28)
#define LOAD_STORE_LOAD		BIT(24)
#define LOAD_STORE_REGISTER	MASK(23, 16)
#define LOAD_STORE_COUNT	MASK(2, 0)
/* clang-format on */

#endif
