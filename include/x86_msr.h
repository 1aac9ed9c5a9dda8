/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and fields of model-specific registers that more than one folder
 * needs.  Names are the manuals'.
 *
 * References: APM volume 2, "Appendix A MSR Cross-Reference"; SDM volume 4.
 */
#ifndef BULKHEAD_X86_MSR_H
#define BULKHEAD_X86_MSR_H

#include "include/compiler.h"

#define MSR_TSC		  0x00000010
#define MSR_APIC_BASE	  0x0000001b
#define APIC_BASE_BSP	  BIT(8)
#define APIC_BASE_X2APIC  BIT(10)
#define APIC_BASE_ENABLE  BIT(11)
#define APIC_BASE_ADDRESS MASK(51, 12)
#define MSR_TSC_DEADLINE  0x000006e0
#define MSR_X2APIC_FIRST  0x00000800
#define MSR_X2APIC_LAST	  0x000008ff
#define MSR_PAT		  0x00000277
#define MSR_SYSENTER_CS	  0x00000174
#define MSR_SYSENTER_ESP  0x00000175
#define MSR_SYSENTER_EIP  0x00000176
#define MSR_DEBUGCTL	  0x000001d9

#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX	   0xc0000103

#endif
