/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual-machine control structure of VT-x: encodings of its fields,
 * their bits, and the MSRs that say what a processor can do: those that are
 * used.  Names are the manual's.
 *
 * References: SDM volume 3, "Virtual Machine Control Structures", appendix A
 * "VMX Capability Reporting Facility", appendix B "Field Encoding in VMCS",
 * appendix C "VMX Basic Exit Reasons".
 */
#ifndef BULKHEAD_VMX_HARDWARE_H
#define BULKHEAD_VMX_HARDWARE_H

#include "include/compiler.h"

/* ---- MSRs and CPUID ---------------------------------------------------- */

#define CPUID_1_ECX_VMX	    BIT(5)
#define CPUID_ADDRESS_SIZES 0x80000008

#define MSR_FEATURE_CONTROL	    0x0000003a
#define FEATURE_CONTROL_LOCKED	    BIT(0)
#define FEATURE_CONTROL_VMX	    BIT(2) /* VMXON outside SMX */
#define MSR_VMX_BASIC		    0x00000480
#define VMX_BASIC_REVISION	    MASK(30, 0)
#define VMX_BASIC_TRUE_CONTROLS	    BIT(55)
#define MSR_VMX_PINBASED_CTLS	    0x00000481
#define MSR_VMX_PROCBASED_CTLS	    0x00000482
#define MSR_VMX_EXIT_CTLS	    0x00000483
#define MSR_VMX_ENTRY_CTLS	    0x00000484
#define MSR_VMX_MISC		    0x00000485
#define VMX_MISC_TIMER_SHIFT	    MASK(4, 0)
#define VMX_MISC_ACTIVITIES	    MASK(8, 6)
#define MSR_VMX_CR0_FIXED0	    0x00000486
#define MSR_VMX_CR0_FIXED1	    0x00000487
#define MSR_VMX_CR4_FIXED0	    0x00000488
#define MSR_VMX_CR4_FIXED1	    0x00000489
#define MSR_VMX_PROCBASED_CTLS2	    0x0000048b
#define MSR_VMX_EPT_VPID_CAP	    0x0000048c
#define EPT_CAP_4_LEVELS	    BIT(6)
#define EPT_CAP_WRITE_BACK	    BIT(14)
#define EPT_CAP_2M		    BIT(16)
#define EPT_CAP_1G		    BIT(17)
#define EPT_CAP_INVEPT		    BIT(20)
#define EPT_CAP_AD		    BIT(21)
#define EPT_CAP_INVEPT_CONTEXT	    BIT(25)
#define EPT_CAP_INVEPT_ALL	    BIT(26)
#define VPID_CAP_INVVPID	    BIT(32)
#define VPID_CAP_CONTEXT	    BIT(41)
#define MSR_VMX_TRUE_PINBASED_CTLS  0x0000048d
#define MSR_VMX_TRUE_PROCBASED_CTLS 0x0000048e
#define MSR_VMX_TRUE_EXIT_CTLS	    0x0000048f
#define MSR_VMX_TRUE_ENTRY_CTLS	    0x00000490

#define CR4_VMXE BIT(13)

/* ---- Fields: 16 bits --------------------------------------------------- */

#define VMCS_VIRTUAL_PROCESSOR_ID 0x0000
/* Guest selectors: in the order of the segment numbers, then LDTR, TR. */
#define VMCS_GUEST_ES_SELECTOR	  0x0800
#define VMCS_HOST_ES_SELECTOR	  0x0c00
#define VMCS_HOST_CS_SELECTOR	  0x0c02
#define VMCS_HOST_SS_SELECTOR	  0x0c04
#define VMCS_HOST_DS_SELECTOR	  0x0c06
#define VMCS_HOST_FS_SELECTOR	  0x0c08
#define VMCS_HOST_GS_SELECTOR	  0x0c0a
#define VMCS_HOST_TR_SELECTOR	  0x0c0c

/* ---- 64 bits ----------------------------------------------------------- */

#define VMCS_MSR_BITMAPS	    0x2004
#define VMCS_EXIT_MSR_LOAD_ADDRESS  0x2008
#define VMCS_ENTRY_MSR_LOAD_ADDRESS 0x200a
#define VMCS_TSC_OFFSET		    0x2010
#define VMCS_VIRTUAL_APIC_ADDRESS   0x2012
#define VMCS_APIC_ACCESS_ADDRESS    0x2014
#define VMCS_EPT_POINTER	    0x201a
#define EPTP_TYPE		    MASK(2, 0)
#define EPTP_WRITE_BACK		    6
#define EPTP_LEVELS		    MASK(5, 3) /* less one */
#define EPTP_AD			    BIT(6)
#define VMCS_GUEST_PHYSICAL_ADDRESS 0x2400
#define VMCS_LINK_POINTER	    0x2800
#define VMCS_GUEST_DEBUGCTL	    0x2802
#define VMCS_GUEST_PAT		    0x2804
#define VMCS_GUEST_EFER		    0x2806
#define VMCS_GUEST_PDPTE0	    0x280a
#define VMCS_GUEST_PDPTE(n)	    (VMCS_GUEST_PDPTE0 + 2 * (n))
#define VMCS_HOST_PAT		    0x2c00
#define VMCS_HOST_EFER		    0x2c02

/* ---- 32 bits ----------------------------------------------------------- */

#define VMCS_PIN_CONTROLS	     0x4000
#define VMCS_PROC_CONTROLS	     0x4002
#define VMCS_EXCEPTION_BITMAP	     0x4004
#define VMCS_PAGE_FAULT_MASK	     0x4006
#define VMCS_PAGE_FAULT_MATCH	     0x4008
#define VMCS_CR3_TARGET_COUNT	     0x400a
#define VMCS_EXIT_CONTROLS	     0x400c
#define VMCS_EXIT_MSR_STORE_COUNT    0x400e
#define VMCS_EXIT_MSR_LOAD_COUNT     0x4010
#define VMCS_ENTRY_CONTROLS	     0x4012
#define VMCS_ENTRY_MSR_LOAD_COUNT    0x4014
#define VMCS_ENTRY_INTERRUPTION_INFO 0x4016
#define VMCS_ENTRY_ERROR_CODE	     0x4018
#define VMCS_TPR_THRESHOLD	     0x401c
#define VMCS_PROC_CONTROLS2	     0x401e
#define VMCS_PLE_GAP		     0x4020
#define VMCS_PLE_WINDOW		     0x4022
#define VMCS_INSTRUCTION_ERROR	     0x4400
#define VMCS_EXIT_REASON	     0x4402
#define EXIT_REASON_BASIC	     MASK(15, 0)
#define VMCS_EXIT_INTERRUPTION_INFO  0x4404
#define VMCS_IDT_VECTORING_INFO	     0x4408
#define VMCS_IDT_VECTORING_ERROR     0x440a
#define VMCS_EXIT_INSN_LENGTH	     0x440c
#define VMCS_GUEST_ES_LIMIT	     0x4800
#define VMCS_GUEST_GDTR_LIMIT	     0x4810
#define VMCS_GUEST_IDTR_LIMIT	     0x4812
#define VMCS_GUEST_ES_ACCESS_RIGHTS  0x4814
#define AR_UNUSABLE		     BIT(16)
#define AR_LOW			     MASK(7, 0)
#define AR_HIGH			     MASK(15, 12)
#define VMCS_GUEST_INTERRUPTIBILITY  0x4824
#define BLOCKED_BY_STI		     BIT(0)
#define BLOCKED_BY_MOVSS	     BIT(1)
#define BLOCKED_BY_SMI		     BIT(2)
#define BLOCKED_BY_NMI		     BIT(3)
#define VMCS_GUEST_ACTIVITY	     0x4826
#define ACTIVITY_ACTIVE		     0
#define VMCS_GUEST_SYSENTER_CS	     0x482a
#define VMCS_PREEMPTION_TIMER	     0x482e
#define VMCS_HOST_SYSENTER_CS	     0x4c00

/* ---- Natural width ----------------------------------------------------- */

#define VMCS_CR0_MASK		  0x6000
#define VMCS_CR4_MASK		  0x6002
#define VMCS_CR0_SHADOW		  0x6004
#define VMCS_CR4_SHADOW		  0x6006
#define VMCS_EXIT_QUALIFICATION	  0x6400
#define VMCS_GUEST_CR0		  0x6800
#define VMCS_GUEST_CR3		  0x6802
#define VMCS_GUEST_CR4		  0x6804
#define VMCS_GUEST_ES_BASE	  0x6806
#define VMCS_GUEST_GDTR_BASE	  0x6816
#define VMCS_GUEST_IDTR_BASE	  0x6818
#define VMCS_GUEST_DR7		  0x681a
#define VMCS_GUEST_RSP		  0x681c
#define VMCS_GUEST_RIP		  0x681e
#define VMCS_GUEST_RFLAGS	  0x6820
#define VMCS_GUEST_PENDING_DEBUG  0x6822
#define PENDING_DEBUG_BREAKPOINTS MASK(3, 0)
#define PENDING_DEBUG_ENABLED	  BIT(12)
#define PENDING_DEBUG_BS	  BIT(14)
#define VMCS_GUEST_SYSENTER_ESP	  0x6824
#define VMCS_GUEST_SYSENTER_EIP	  0x6826
#define VMCS_HOST_CR0		  0x6c00
#define VMCS_HOST_CR3		  0x6c02
#define VMCS_HOST_CR4		  0x6c04
#define VMCS_HOST_FS_BASE	  0x6c06
#define VMCS_HOST_GS_BASE	  0x6c08
#define VMCS_HOST_TR_BASE	  0x6c0a
#define VMCS_HOST_GDTR_BASE	  0x6c0c
#define VMCS_HOST_IDTR_BASE	  0x6c0e
#define VMCS_HOST_SYSENTER_ESP	  0x6c10
#define VMCS_HOST_SYSENTER_EIP	  0x6c12
#define VMCS_HOST_RSP		  0x6c14
#define VMCS_HOST_RIP		  0x6c16

/*
 * One segment register is four fields, each in a row of its own kind; n is
 * enum x86_seg, or VMCS_LDTR, VMCS_TR.
 */
#define VMCS_LDTR	       6
#define VMCS_TR		       7
#define VMCS_SEGMENTS	       8
#define VMCS_GUEST_SELECTOR(n) (VMCS_GUEST_ES_SELECTOR + 2 * (n))
#define VMCS_GUEST_LIMIT(n)    (VMCS_GUEST_ES_LIMIT + 2 * (n))
#define VMCS_GUEST_RIGHTS(n)   (VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * (n))
#define VMCS_GUEST_BASE(n)     (VMCS_GUEST_ES_BASE + 2 * (n))

/* ---- Controls ---------------------------------------------------------- */

#define PIN_EXTERNAL_INTERRUPT_EXITING BIT(0)
#define PIN_NMI_EXITING		       BIT(3)
#define PIN_VIRTUAL_NMIS	       BIT(5)
#define PIN_PREEMPTION_TIMER	       BIT(6)

#define PROC_INTERRUPT_WINDOW  BIT(2)
#define PROC_TSC_OFFSETTING    BIT(3)
#define PROC_HLT_EXITING       BIT(7)
#define PROC_INVLPG_EXITING    BIT(9)
#define PROC_MWAIT_EXITING     BIT(10)
#define PROC_RDPMC_EXITING     BIT(11)
#define PROC_RDTSC_EXITING     BIT(12)
#define PROC_CR3_LOAD_EXITING  BIT(15)
#define PROC_CR3_STORE_EXITING BIT(16)
#define PROC_CR8_LOAD_EXITING  BIT(19)
#define PROC_CR8_STORE_EXITING BIT(20)
#define PROC_TPR_SHADOW	       BIT(21)
#define PROC_NMI_WINDOW	       BIT(22)
#define PROC_MOV_DR_EXITING    BIT(23)
#define PROC_UNCONDITIONAL_IO  BIT(24)
#define PROC_MONITOR_TRAP      BIT(27)
#define PROC_MSR_BITMAPS       BIT(28)
#define PROC_MONITOR_EXITING   BIT(29)
#define PROC_PAUSE_EXITING     BIT(30)
#define PROC_SECONDARY	       BIT(31)

#define PROC2_APIC_ACCESSES  BIT(0)
#define PROC2_EPT	     BIT(1)
#define PROC2_RDTSCP	     BIT(3)
#define PROC2_VPID	     BIT(5)
#define PROC2_WBINVD_EXITING BIT(6)
#define PROC2_UNRESTRICTED   BIT(7)
#define PROC2_APIC_REGISTERS BIT(8)
#define PROC2_PAUSE_LOOP     BIT(10)
#define PROC2_INVPCID	     BIT(12)

#define EXIT_SAVE_DEBUG_CONTROLS BIT(2)
#define EXIT_HOST_64BIT		 BIT(9)
#define EXIT_SAVE_PAT		 BIT(18)
#define EXIT_LOAD_PAT		 BIT(19)
#define EXIT_SAVE_EFER		 BIT(20)
#define EXIT_LOAD_EFER		 BIT(21)
#define EXIT_SAVE_TIMER		 BIT(22)

#define ENTRY_LOAD_DEBUG_CONTROLS BIT(2)
#define ENTRY_IA32E_GUEST	  BIT(9)
#define ENTRY_LOAD_PAT		  BIT(14)
#define ENTRY_LOAD_EFER		  BIT(15)

/* ---- Interruption information: entry, exit and IDT-vectoring alike. ---- */

#define INTERRUPTION_VECTOR	 MASK(7, 0)
#define INTERRUPTION_TYPE	 MASK(10, 8)
#define TYPE_EXTERNAL		 0
#define TYPE_NMI		 2
#define TYPE_EXCEPTION		 3
#define TYPE_SOFTWARE		 4
#define TYPE_PRIVILEGED		 5 /* INT1 */
#define INTERRUPTION_HAS_ERROR	 BIT(11)
#define INTERRUPTION_NMI_UNBLOCK BIT(12)
#define INTERRUPTION_VALID	 BIT(31)

/* ---- Exit qualifications ----------------------------------------------- */

#define QUALIFICATION_IO_SIZE	MASK(2, 0) /* less one */
#define QUALIFICATION_IO_IN	BIT(3)
#define QUALIFICATION_IO_STRING BIT(4)
#define QUALIFICATION_IO_REP	BIT(5)
#define QUALIFICATION_IO_PORT	MASK(31, 16)

#define QUALIFICATION_EPT_WRITE	      BIT(1)
#define QUALIFICATION_EPT_FETCH	      BIT(2)
#define QUALIFICATION_EPT_RIGHTS      MASK(5, 3) /* what the entry allowed */
#define QUALIFICATION_EPT_TRANSLATED  BIT(8)	 /* not a page-table access */
#define QUALIFICATION_EPT_NMI_UNBLOCK BIT(12)

#define QUALIFICATION_APIC_OFFSET MASK(11, 0)
#define QUALIFICATION_APIC_TYPE	  MASK(15, 12)
#define APIC_ACCESS_READ	  0 /* linear, by an instruction */
#define APIC_ACCESS_WRITE	  1 /* the same */

#define QUALIFICATION_DB_BITS (MASK(3, 0) | BIT(13) | BIT(14))
#define QUALIFICATION_DB_BD   BIT(13)

/* ---- Basic exit reasons ------------------------------------------------ */

enum vmx_reason {
	REASON_EXCEPTION_OR_NMI = 0,
	REASON_EXTERNAL_INTERRUPT = 1,
	REASON_TRIPLE_FAULT = 2,
	REASON_INIT = 3,
	REASON_IO_SMI = 5,
	REASON_OTHER_SMI = 6,
	REASON_INTERRUPT_WINDOW = 7,
	REASON_NMI_WINDOW = 8,
	REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,
	REASON_GETSEC = 11,
	REASON_HLT = 12,
	REASON_INVD = 13,
	REASON_RDPMC = 15,
	REASON_RSM = 17,
	REASON_VMCALL = 18,
	REASON_VMCLEAR = 19,
	REASON_VMXON = 27,
	REASON_CR_ACCESS = 28,
	REASON_MOV_DR = 29,
	REASON_IO = 30,
	REASON_RDMSR = 31,
	REASON_WRMSR = 32,
	REASON_ENTRY_GUEST_STATE = 33,
	REASON_ENTRY_MSR_LOAD = 34,
	REASON_MWAIT = 36,
	REASON_MONITOR = 39,
	REASON_PAUSE = 40,
	REASON_TPR_BELOW_THRESHOLD = 43,
	REASON_APIC_ACCESS = 44,
	REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIGURATION = 49,
	REASON_INVEPT = 50,
	REASON_RDTSCP = 51,
	REASON_PREEMPTION_TIMER = 52,
	REASON_INVVPID = 53,
	REASON_WBINVD = 54,
	REASON_XSETBV = 55,
	REASON_APIC_WRITE = 56,
	REASON_VMFUNC = 59,
	REASON_ENCLS = 60,
	REASON_COUNT,
};

/* ---- Instructions ------------------------------------------------------ */

/*
 * VMREAD and VMWRITE fail only for a field that does not exist or when no VMCS
 * is current, neither of which this folder does.  Not checked, since this is
 * the exit path; the value of a failed read is undefined.
 */
#ifdef HOST_TEST /* tests bring a VMCS of their own, which counts */
uint64_t vmcs_read(uint64_t field);
void vmcs_write(uint64_t field, uint64_t value);
void vmcs_clear(hpa_t vmcs);
void vmcs_load(hpa_t vmcs);
#else
static inline void vmcs_clear(hpa_t vmcs)
{
	__asm__ volatile("vmclear %0" : : "m"(vmcs) : "cc", "memory");
}

/* The VMCS becomes this CPU's current one. */
static inline void vmcs_load(hpa_t vmcs)
{
	__asm__ volatile("vmptrld %0" : : "m"(vmcs) : "cc", "memory");
}

static __always_inline uint64_t vmcs_read(uint64_t field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

static __always_inline void vmcs_write(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc");
}
#endif

/* For dumps: 0 where the field does not exist. */
static inline uint64_t vmcs_probe(uint64_t field)
{
#ifdef HOST_TEST
	return vmcs_read(field);
#else
	uint64_t value = 0;

	__asm__ volatile("vmread %1, %0" : "+r"(value) : "r"(field) : "cc");
	return value;
#endif
}

#endif
