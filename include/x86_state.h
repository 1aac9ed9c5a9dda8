/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The architectural state of one virtual CPU, as the gate's shared page holds
 * it and as the emulator works on it in place.
 *
 * State moves lazily in groups.  A set bit in .valid says that the group's
 * fields are the guest's current ones; a set bit in .dirty that they were
 * changed here and must be loaded back before the guest runs again.  The
 * X86_GROUP_GPR_RIP group is always valid.
 *
 * Segments are in the form that both VT-x and AMD-V convert to and from
 * without loss: the descriptor's attribute bits 40-47 and 52-55 packed into
 * twelve bits, and a limit in bytes.
 *
 * References: APM volume 2, "Segmented Virtual Memory", "VMCB Layout";
 * SDM volume 3, "System Architecture Overview".
 */
#ifndef BULKHEAD_X86_STATE_H
#define BULKHEAD_X86_STATE_H

#include "include/compiler.h"

enum x86_group {
	X86_GROUP_GPR_RIP = BIT(0),  /* gpr, rip, rflags */
	X86_GROUP_SEGMENTS = BIT(1), /* es..gs, cpl, interrupt_shadow */
	X86_GROUP_TABLES = BIT(2),   /* ldtr, tr, gdtr, idtr */
	X86_GROUP_CONTROL = BIT(3),  /* cr0, 2-4, 8, efer, xcr0, pkru, pdpte */
	X86_GROUP_DEBUG = BIT(4),    /* dr0-3, dr6, dr7 */
	X86_GROUP_SYSCALL = BIT(5),  /* star .. sysenter_eip */
	X86_GROUP_XSTATE = BIT(6),   /* the XSAVE area, kept outside */
	/*
	 * Of SEGMENTS cs, or of 64-bit code its attributes alone, and cpl; of
	 * CONTROL cr0 cr3 cr4 efer: enough to fetch.  Never dirty.
	 */
	X86_GROUP_FETCH = BIT(7),
};

/* To be asked for together: FETCH of 64-bit code without an interrupt shadow,
 * which hardly needs more for an operand; else the rest, too. */
#define X86_GROUPS_OPERAND \
	(X86_GROUP_FETCH | X86_GROUP_SEGMENTS | X86_GROUP_CONTROL)

/* What nearly every instruction needs. */
#define X86_GROUPS_COMMON \
	(X86_GROUP_GPR_RIP | X86_GROUP_SEGMENTS | X86_GROUP_CONTROL)

enum x86_gpr {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R15 = 15,
	X86_GPR_COUNT = 16,
};

/* In the order of the processor's segment register numbers. */
enum x86_seg {
	X86_ES,
	X86_CS,
	X86_SS,
	X86_DS,
	X86_FS,
	X86_GS,
	X86_SEG_COUNT,
};

struct x86_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit; /* in bytes, granularity applied; inclusive */
	uint64_t base;
};
ASSERT_SIZE(struct x86_segment, 16);

#define X86_ATTR_TYPE	  MASK(3, 0)
#define X86_ATTR_ACCESSED BIT(0)
#define X86_ATTR_WRITABLE BIT(1) /* data */
#define X86_ATTR_READABLE BIT(1) /* code */
#define X86_ATTR_EXPAND	  BIT(2) /* data: grows down */
#define X86_ATTR_CONFORM  BIT(2) /* code */
#define X86_ATTR_CODE	  BIT(3)
#define X86_ATTR_S	  BIT(4) /* code or data, not system */
#define X86_ATTR_DPL	  MASK(6, 5)
#define X86_ATTR_P	  BIT(7)
#define X86_ATTR_AVL	  BIT(8)
#define X86_ATTR_L	  BIT(9)
#define X86_ATTR_DB	  BIT(10)
#define X86_ATTR_G	  BIT(11)

struct x86_state {
	uint64_t gpr[X86_GPR_COUNT];
	uint64_t rip;
	uint64_t rflags;
	uint32_t valid; /* enum x86_group */
	uint32_t dirty; /* enum x86_group */

	/* X86_GROUP_SEGMENTS */
	uint8_t cpl;
	/* X86_SHADOW_*: the next instruction boundary takes no interrupt. */
	uint8_t interrupt_shadow;
	uint8_t nmi_open; /* an emulated IRET ended the handling of an NMI */
	uint8_t reserved0[5];
	struct x86_segment seg[X86_SEG_COUNT];

	/* X86_GROUP_TABLES; of gdtr and idtr only base and limit count. */
	struct x86_segment ldtr;
	struct x86_segment tr;
	struct x86_segment gdtr;
	struct x86_segment idtr;

	/* X86_GROUP_CONTROL */
	uint64_t cr0;
	uint64_t cr2;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t cr8;
	uint64_t efer;
	uint64_t xcr0;
	uint32_t pkru;
	uint32_t reserved1;

	/* X86_GROUP_DEBUG */
	uint64_t dr[4];
	uint64_t dr6;
	uint64_t dr7;

	/* X86_GROUP_SYSCALL */
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_esp;
	uint64_t sysenter_eip;

	/*
	 * X86_GROUP_CONTROL, too: the page-directory pointers, while paging is
	 * PAE's.  Some processors load them with CR3 and never look again, so
	 * who changes CR0, CR3 or CR4 to that end reads them anew.
	 */
	uint64_t pdpte[4];
};
ASSERT_OFFSET(struct x86_state, seg, 160);
ASSERT_OFFSET(struct x86_state, cr0, 320);
ASSERT_SIZE(struct x86_state, 528);

#define X86_SHADOW_STI	 BIT(0)
#define X86_SHADOW_MOVSS BIT(1)

/* The XSAVE area in its standard form: legacy region, header, YMM halves. */
struct x86_xstate {
	uint16_t fcw;
	uint16_t fsw;
	uint8_t ftw; /* abridged: one bit a register, 1 = not empty */
	uint8_t reserved0;
	uint16_t fop;
	uint64_t fip;
	uint64_t fdp;
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint8_t st[8][16];
	uint8_t xmm[16][16];
	uint8_t reserved1[96];
	uint64_t xstate_bv;
	uint64_t xcomp_bv;
	uint64_t reserved2[6];
	uint8_t ymm_high[16][16];
} __aligned(64);
ASSERT_OFFSET(struct x86_xstate, xmm, 160);
ASSERT_OFFSET(struct x86_xstate, xstate_bv, 512);
ASSERT_OFFSET(struct x86_xstate, ymm_high, 576);
ASSERT_SIZE(struct x86_xstate, 832);

#define X86_XCR0_X87 BIT(0)
#define X86_XCR0_SSE BIT(1)
#define X86_XCR0_AVX BIT(2)

#define X86_FLAG_CF   BIT(0)
#define X86_FLAG_ONE  BIT(1) /* always set */
#define X86_FLAG_PF   BIT(2)
#define X86_FLAG_AF   BIT(4)
#define X86_FLAG_ZF   BIT(6)
#define X86_FLAG_SF   BIT(7)
#define X86_FLAG_TF   BIT(8)
#define X86_FLAG_IF   BIT(9)
#define X86_FLAG_DF   BIT(10)
#define X86_FLAG_OF   BIT(11)
#define X86_FLAG_IOPL MASK(13, 12)
#define X86_FLAG_NT   BIT(14)
#define X86_FLAG_RF   BIT(16)
#define X86_FLAG_VM   BIT(17)
#define X86_FLAG_AC   BIT(18)
#define X86_FLAG_VIF  BIT(19)
#define X86_FLAG_VIP  BIT(20)
#define X86_FLAG_ID   BIT(21)

/* All that exist. */
#define X86_FLAGS_ALL (MASK(21, 0) & ~(BIT(1) | BIT(3) | BIT(5) | BIT(15)))

#define X86_CR0_PE BIT(0)
#define X86_CR0_MP BIT(1)
#define X86_CR0_EM BIT(2)
#define X86_CR0_TS BIT(3)
#define X86_CR0_ET BIT(4)
#define X86_CR0_NE BIT(5)
#define X86_CR0_WP BIT(16)
#define X86_CR0_AM BIT(18)
#define X86_CR0_NW BIT(29)
#define X86_CR0_CD BIT(30)
#define X86_CR0_PG BIT(31)

#define X86_CR4_VME	   BIT(0)
#define X86_CR4_PVI	   BIT(1)
#define X86_CR4_TSD	   BIT(2)
#define X86_CR4_DE	   BIT(3)
#define X86_CR4_PSE	   BIT(4)
#define X86_CR4_PAE	   BIT(5)
#define X86_CR4_MCE	   BIT(6)
#define X86_CR4_PGE	   BIT(7)
#define X86_CR4_PCE	   BIT(8)
#define X86_CR4_OSFXSR	   BIT(9)
#define X86_CR4_OSXMMEXCPT BIT(10)
#define X86_CR4_UMIP	   BIT(11)
#define X86_CR4_LA57	   BIT(12)
#define X86_CR4_FSGSBASE   BIT(16)
#define X86_CR4_PCIDE	   BIT(17)
#define X86_CR4_OSXSAVE	   BIT(18)
#define X86_CR4_SMEP	   BIT(20)
#define X86_CR4_SMAP	   BIT(21)
#define X86_CR4_PKE	   BIT(22)
#define X86_CR4_CET	   BIT(23)

#define X86_EFER_SCE   BIT(0)
#define X86_EFER_LME   BIT(8)
#define X86_EFER_LMA   BIT(10)
#define X86_EFER_NXE   BIT(11)
#define X86_EFER_FFXSR BIT(14)

#define X86_DR6_MET	MASK(3, 0)
#define X86_DR6_BD	BIT(13)
#define X86_DR6_BS	BIT(14)
#define X86_DR6_ONES	0xffff0ff0ULL /* those that are always set */
#define X86_DR7_ENABLES MASK(7, 0)
#define X86_DR7_ONE	0x400ULL
#define X86_DR7_GD	BIT(13)

/* Exception vectors. */
enum x86_vector {
	X86_VECTOR_DE = 0,
	X86_VECTOR_DB = 1,
	X86_VECTOR_NMI = 2,
	X86_VECTOR_BP = 3,
	X86_VECTOR_OF = 4,
	X86_VECTOR_BR = 5,
	X86_VECTOR_UD = 6,
	X86_VECTOR_NM = 7,
	X86_VECTOR_DF = 8,
	X86_VECTOR_TS = 10,
	X86_VECTOR_NP = 11,
	X86_VECTOR_SS = 12,
	X86_VECTOR_GP = 13,
	X86_VECTOR_PF = 14,
	X86_VECTOR_MF = 16,
	X86_VECTOR_AC = 17,
	X86_VECTOR_MC = 18,
	X86_VECTOR_XM = 19,
};

/* With 48-bit linear addresses: guests have no CR4.LA57. */
static inline bool x86_is_canonical(uint64_t address)
{
	return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

#endif
