/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSR permission map: two bits an MSR (read, write), three ranges of
 * 0x2000 MSRs in 2 KiB each.  What is in no range always exits.
 *
 * Reference: APM volume 2, "MSR Intercepts".
 */
#include "svm/internal.h"

#include "include/x86_msr.h"
#include "lib/string.h"

/* MSRs that the VMCB switches and that have no value the guest could do harm
 * with: the guest reaches them without an exit. */
static const uint32_t msrpm_open[] = {
	MSR_STAR,	  MSR_LSTAR,	    MSR_CSTAR,		MSR_SFMASK,
	MSR_FS_BASE,	  MSR_GS_BASE,	    MSR_KERNEL_GS_BASE, MSR_SYSENTER_CS,
	MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

#define MSRPM_RANGE_MSRS 0x2000

static const uint32_t msrpm_range[] = { 0x00000000, 0xc0000000, 0xc0010000 };

static void msr_open(uint8_t *msrpm, uint32_t msr)
{
	for (unsigned r = 0; r < ARRAY_SIZE(msrpm_range); r++) {
		uint32_t index = msr - msrpm_range[r];
		uint8_t *byte;

		if (index >= MSRPM_RANGE_MSRS)
			continue;
		byte = msrpm + r * (MSRPM_RANGE_MSRS / 4) + index / 4;
		*byte &= ~(3u << (index % 4 * 2));
	}
}

void svm_msrpm_init(uint8_t *msrpm)
{
	memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (unsigned i = 0; i < ARRAY_SIZE(msrpm_open); i++)
		msr_open(msrpm, msrpm_open[i]);
}
