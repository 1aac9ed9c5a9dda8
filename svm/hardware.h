/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block of AMD-V and what goes with it.
 *
 * References: APM volume 2, "Secure Virtual Machine", "Layout of VMCB",
 * "SVM Intercept Exit Codes".
 */
#ifndef BULKHEAD_SVM_HARDWARE_H
#define BULKHEAD_SVM_HARDWARE_H

#include "include/compiler.h"
#include "include/x86_state.h"

/* ---- MSRs and CPUID ------------------------------------------------------ */

#define EFER_SVME	BIT(12) /* in MSR_EFER */
#define MSR_VM_HSAVE_PA 0xc0010117

/* Fn8000_000A "SVM Features". */
#define CPUID_SVM	     0x8000000a
#define SVM_EDX_NP	     BIT(0)
#define SVM_EDX_NRIPS	     BIT(3)
#define SVM_EDX_CLEAN	     BIT(5)
#define SVM_EDX_FLUSH_ASID   BIT(6)
#define SVM_EDX_PAUSE_FILTER BIT(10)

/* ---- Control area -------------------------------------------------------- */

/* intercept_cr: reads in bits 15:0, writes in 31:16; likewise DR. */
#define INTERCEPT_CR_WRITE(n) BIT(16 + (n))
#define INTERCEPT_DR_ALL      0xffffffffU

#define INTERCEPT_INTR	   BIT(0)
#define INTERCEPT_NMI	   BIT(1)
#define INTERCEPT_INIT	   BIT(3)
#define INTERCEPT_VINTR	   BIT(4)
#define INTERCEPT_CR0_SEL  BIT(5) /* writes that change more than TS and MP */
#define INTERCEPT_RDPMC	   BIT(15)
#define INTERCEPT_CPUID	   BIT(18)
#define INTERCEPT_RSM	   BIT(19)
#define INTERCEPT_IRET	   BIT(20)
#define INTERCEPT_INVD	   BIT(22)
#define INTERCEPT_PAUSE	   BIT(23)
#define INTERCEPT_HLT	   BIT(24)
#define INTERCEPT_INVLPGA  BIT(26)
#define INTERCEPT_IOIO	   BIT(27)
#define INTERCEPT_MSR	   BIT(28)
#define INTERCEPT_FERR	   BIT(30)
#define INTERCEPT_SHUTDOWN BIT(31)

#define INTERCEPT2_VMRUN   BIT(0)
#define INTERCEPT2_VMMCALL BIT(1)
#define INTERCEPT2_VMLOAD  BIT(2)
#define INTERCEPT2_VMSAVE  BIT(3)
#define INTERCEPT2_STGI	   BIT(4)
#define INTERCEPT2_CLGI	   BIT(5)
#define INTERCEPT2_SKINIT  BIT(6)
#define INTERCEPT2_WBINVD  BIT(9)
#define INTERCEPT2_MONITOR BIT(10)
#define INTERCEPT2_MWAIT   BIT(11)
#define INTERCEPT2_XSETBV  BIT(13)
#define INTERCEPT2_RDPRU   BIT(14)

/* tlb_control */
#define TLB_KEEP       0
#define TLB_FLUSH_ALL  1
#define TLB_FLUSH_ASID 3

/* int_ctl */
#define INT_CTL_V_IRQ	       BIT(8)
#define INT_CTL_V_INTR_PRIO    MASK(19, 16)
#define INT_CTL_V_IGN_TPR      BIT(20)
#define INT_CTL_V_INTR_MASKING BIT(24)
#define INT_CTL_V_INTR_VECTOR  MASK(39, 32)

/* int_state */
#define INT_STATE_SHADOW BIT(0)

/* event_inject and exit_int_info */
#define EVENT_VECTOR	     MASK(7, 0)
#define EVENT_TYPE	     MASK(10, 8)
#define EVENT_TYPE_INTR	     0
#define EVENT_TYPE_NMI	     2
#define EVENT_TYPE_EXCEPTION 3
#define EVENT_TYPE_SOFTWARE  4
#define EVENT_HAS_ERROR	     BIT(11)
#define EVENT_VALID	     BIT(31)
#define EVENT_ERROR	     MASK(63, 32)

/* nested_control */
#define NESTED_ENABLE BIT(0)

/* clean: a set bit says that the group is as the last VMRUN left it. */
#define CLEAN_INTERCEPTS BIT(0)
#define CLEAN_TPR	 BIT(3)
#define CLEAN_NESTED	 BIT(4)
#define CLEAN_CR	 BIT(5)
#define CLEAN_DR	 BIT(6)
#define CLEAN_TABLES	 BIT(7)
#define CLEAN_SEGMENTS	 BIT(8)
#define CLEAN_CR2	 BIT(9)
#define CLEAN_ALL	 MASK(10, 0)

struct vmcb {
	uint32_t intercept_cr;
	uint32_t intercept_dr;
	uint32_t intercept_exceptions;
	uint32_t intercept;
	uint32_t intercept2;
	uint32_t intercept3;
	uint8_t reserved0[0x3c - 0x18];
	uint16_t pause_threshold;
	uint16_t pause_count;
	uint64_t iopm_hpa;
	uint64_t msrpm_hpa;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	union {
		uint64_t int_ctl;
		uint8_t v_tpr; /* bits 3:0; those above are zero */
	};
	uint64_t int_state;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_int_info;
	uint64_t nested_control;
	uint64_t avic_bar;
	uint64_t ghcb;
	uint64_t event_inject;
	uint64_t nested_cr3;
	uint64_t lbr_control;
	uint32_t clean;
	uint32_t reserved1;
	uint64_t next_rip;
	uint8_t insn_length;
	uint8_t insn[15];
	uint8_t reserved2[0x400 - 0xe0];

	/* State save area. */
	struct x86_segment seg[X86_SEG_COUNT]; /* ES CS SS DS FS GS */
	struct x86_segment gdtr;
	struct x86_segment ldtr;
	struct x86_segment idtr;
	struct x86_segment tr;
	uint8_t reserved3[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved4;
	uint64_t efer;
	uint8_t reserved5[0x548 - 0x4d8];
	uint64_t cr4;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t dr7;
	uint64_t dr6;
	uint64_t rflags;
	uint64_t rip;
	uint8_t reserved6[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved7[0x5f8 - 0x5e0];
	uint64_t rax;
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_esp;
	uint64_t sysenter_eip;
	uint64_t cr2;
	uint8_t reserved8[0x668 - 0x648];
	uint64_t pat;
	uint64_t debugctl;
	uint8_t reserved9[0x1000 - 0x678];
} __packed __aligned(4096);
ASSERT_OFFSET(struct vmcb, iopm_hpa, 0x40);
ASSERT_OFFSET(struct vmcb, next_rip, 0xc8);
ASSERT_OFFSET(struct vmcb, seg, 0x400);
ASSERT_OFFSET(struct vmcb, efer, 0x4d0);
ASSERT_OFFSET(struct vmcb, rip, 0x578);
ASSERT_OFFSET(struct vmcb, pat, 0x668);
ASSERT_SIZE(struct vmcb, 4096);

/* ---- Exit codes ---------------------------------------------------------- */

#define VMEXIT_CR_READ(n)   (0x00 + (n))
#define VMEXIT_CR_WRITE(n)  (0x10 + (n))
#define VMEXIT_DR_READ(n)   (0x20 + (n))
#define VMEXIT_DR_WRITE(n)  (0x30 + (n))
#define VMEXIT_EXCEPTION(n) (0x40 + (n))
#define VMEXIT_INTR	    0x60
#define VMEXIT_NMI	    0x61
#define VMEXIT_SMI	    0x62
#define VMEXIT_INIT	    0x63
#define VMEXIT_VINTR	    0x64
#define VMEXIT_CR0_SEL	    0x65
#define VMEXIT_RDPMC	    0x6f
#define VMEXIT_CPUID	    0x72
#define VMEXIT_RSM	    0x73
#define VMEXIT_IRET	    0x74
#define VMEXIT_INVD	    0x76
#define VMEXIT_PAUSE	    0x77
#define VMEXIT_HLT	    0x78
#define VMEXIT_INVLPGA	    0x7a
#define VMEXIT_IOIO	    0x7b
#define VMEXIT_MSR	    0x7c
#define VMEXIT_TASK	    0x7d
#define VMEXIT_FERR	    0x7e
#define VMEXIT_SHUTDOWN	    0x7f
#define VMEXIT_VMRUN	    0x80
#define VMEXIT_VMMCALL	    0x81
#define VMEXIT_VMLOAD	    0x82
#define VMEXIT_VMSAVE	    0x83
#define VMEXIT_STGI	    0x84
#define VMEXIT_CLGI	    0x85
#define VMEXIT_SKINIT	    0x86
#define VMEXIT_WBINVD	    0x89
#define VMEXIT_MONITOR	    0x8a
#define VMEXIT_MWAIT	    0x8b
#define VMEXIT_MWAIT_ARMED  0x8c
#define VMEXIT_XSETBV	    0x8d
#define VMEXIT_RDPRU	    0x8e
#define VMEXIT_NPF	    0x400
/* Stored by some with the upper half clear: compare 32 bits. */
#define VMEXIT_INVALID	    0xffffffffU

/* EXITINFO1 of VMEXIT_IOIO */
#define IOIO_PORT   MASK(31, 16)
#define IOIO_ACCESS (IOIO_PORT | GATE_IO_IN | GATE_IO_STRING | GATE_IO_SIZE)

/* EXITINFO1 of VMEXIT_NPF; its bits below 5 are those of NESTED_* */
#define NPF_WALK BIT(33)

#endif
